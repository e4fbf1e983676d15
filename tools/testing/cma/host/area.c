// SPDX-License-Identifier: GPL-2.0
/* The area allocator: which pages a caller gets, and that nothing leaks. */

#include "stubs.h"
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include "cma.h"

#define BASE	0x60400UL	/* a multiple of 4 MiB, but not of 8 MiB */
#define BLOCK	1024UL

/* An active area of @blocks pageblocks whose pages are all free */
static struct cma *area_of(unsigned long blocks, unsigned int order_per_bit)
{
	struct cma *cma;

	host_pages(BASE, blocks * BLOCK);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(blocks * BLOCK), order_per_bit,
					 "test", &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	REQUIRE_EQ(cma->count, blocks * BLOCK);
	REQUIRE_EQ(host_nr(PAGE_FREE), blocks * BLOCK);
	return cma;
}

/* Every page was returned */
static void check_all_free(struct cma *cma)
{
	host_check_area(cma);
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE_EQ(host_nr(PAGE_FREE), cma->count);
}

static unsigned long offset(struct page *page)
{
	return page_to_pfn(page) - BASE;
}

TEST(every_size, "every size from one page to the area, twice, leaks nothing")
{
	struct cma *cma = area_of(2, 0);
	unsigned long count;
	int round;

	for (round = 0; round < 2; round++) {
		for (count = 1; count <= cma->count; count++) {
			struct page *page = cma_alloc(cma, count, 0, false);

			/* Small buffers are at the low end, large ones at the high end */
			REQUIRE_EQ(offset(page), count <= 64 ? 0 : cma->count - count);
			REQUIRE_EQ(host_nr(PAGE_OWNED), count);
			REQUIRE_EQ(cma_used_pages(cma), count);
			REQUIRE(cma_pages_allocated(cma, page, count));
			REQUIRE(cma_release(cma, page, count));
		}
		check_all_free(cma);
	}
	REQUIRE_EQ(host_events("vm:CMA_ALLOC_SUCCESS"), 2 * cma->count);
	REQUIRE_EQ(host_events("trace:cma_alloc_start"), 2 * cma->count);
	REQUIRE_EQ(host_events("trace:cma_alloc_finish"), 2 * cma->count);
	REQUIRE_EQ(host_events("trace:cma_release"), 2 * cma->count);
	REQUIRE_EQ(atomic_long_read(&cma->nr_success), cma->count * (cma->count + 1));
	REQUIRE_EQ(atomic_long_read(&cma->nr_released), cma->count * (cma->count + 1));
	REQUIRE_EQ(atomic_long_read(&cma->nr_fail), 0);
	REQUIRE_STREQ(host.log, "");
}

TEST(impossible, "impossible sizes fail at once and silently")
{
	struct cma *cma = area_of(1, 0);

	REQUIRE(!cma_alloc(cma, 0, 0, false));
	REQUIRE(!cma_alloc(cma, BLOCK + 1, 0, false));
	REQUIRE(!cma_alloc(cma, ~0UL, 0, false));
	REQUIRE(!cma_alloc(NULL, 1, 0, false));
	REQUIRE(!cma_try_alloc(cma, 0, 0));
	REQUIRE(!cma_try_alloc(cma, BLOCK + 1, 0));
	REQUIRE(!cma_try_alloc(NULL, 1, 0));
	REQUIRE_STREQ(host.log, "");
	check_all_free(cma);
}

TEST(alignment, "addresses are aligned, not offsets: 1 page at each order up to 12")
{
	struct cma *cma = area_of(8, 0);
	struct page *first = cma_alloc(cma, 1, 0, false);
	unsigned int order;

	REQUIRE_EQ(offset(first), 0);
	for (order = 0; order <= 12; order++) {
		unsigned long align = 1UL << order;
		unsigned long pfn = ALIGN(BASE + 1, align);
		struct page *page = cma_alloc(cma, 1, order, false);

		REQUIRE_EQ(page_to_pfn(page), pfn);
		REQUIRE(cma_release(cma, page, 1));
	}
	/* No address in the area has this alignment */
	REQUIRE(!cma_alloc(cma, 1, 14, true));
	REQUIRE(!cma_try_alloc(cma, 1, 14));
	REQUIRE_EQ(atomic_long_read(&cma->nr_fail), 2);
	REQUIRE_EQ(host_events("vm:CMA_ALLOC_FAIL"), 2);
	REQUIRE(cma_release(cma, first, 1));
	check_all_free(cma);
}

TEST(alignment_limit, "CONFIG_CMA_ALIGNMENT limits the alignment for devices")
{
	struct cma *cma = area_of(8, 0);
	struct device dev = { .cma_area = cma };
	struct page *page = dma_alloc_from_contiguous(&dev, 3, 31);

	REQUIRE_EQ(page_to_pfn(page), 0x61000);
	REQUIRE(dma_release_from_contiguous(&dev, page, 3));
	page = dma_alloc_from_contiguous(&dev, 3, 12);
	REQUIRE_EQ(page_to_pfn(page), 0x61000);
	REQUIRE(!dma_alloc_from_contiguous(&dev, 0, 0));
	REQUIRE(!dma_alloc_from_contiguous(&dev, -1, 0));
	REQUIRE(!dma_release_from_contiguous(&dev, page, -1));
	REQUIRE(!dma_release_from_contiguous(&dev, page, 0));
	REQUIRE(!dma_release_from_contiguous(NULL, page, 3));
	REQUIRE(!dma_alloc_from_contiguous(NULL, 1, 0));
	REQUIRE(dma_release_from_contiguous(&dev, page, 3));
	check_all_free(cma);
}

TEST(order_per_bit, "several pages per bit: whole bits are claimed, and only the pages requested")
{
	struct cma *cma = area_of(1, 3);
	struct page *a = cma_alloc(cma, 1, 0, false), *b = cma_alloc(cma, 9, 0, false);
	struct page *c = cma_alloc(cma, 8, 0, false);

	REQUIRE_EQ(offset(a), 0);
	REQUIRE_EQ(offset(b), 8);
	REQUIRE_EQ(offset(c), 24);
	REQUIRE_EQ(cma_used_pages(cma), 32);
	REQUIRE_EQ(host_nr(PAGE_OWNED), 18);
	host_check_area(cma);
	REQUIRE(!cma_alloc(cma, BLOCK - 24, 0, true));
	REQUIRE(cma_release(cma, b, 9));
	REQUIRE(!cma_release(cma, b, 9));
	REQUIRE_EQ(host_nr(PAGE_OWNED), 9);
	REQUIRE(cma_release(cma, a, 1));
	REQUIRE(cma_release(cma, c, 8));
	check_all_free(cma);
}

TEST(exhaustion, "a full area fails, with one message unless no_warn, and recovers")
{
	struct cma *cma = area_of(1, 0);
	struct page *all = cma_alloc(cma, BLOCK, 0, false);

	REQUIRE(!cma_try_alloc(cma, 1, 0));
	REQUIRE(!cma_alloc(cma, 1, 0, true));
	REQUIRE_STREQ(host.log, "");
	REQUIRE(!cma_alloc(cma, 2, 1, false));
	REQUIRE_STREQ(host.log, "cma: area test: no 2 contiguous pages aligned to order 1, error -12 "
		      "(1024 of 1024 pages used)\n");
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_EQ(atomic_long_read(&cma->nr_fail), 4);
	REQUIRE_EQ(atomic_long_read(&cma->nr_success), BLOCK);
	REQUIRE(cma_release(cma, all, BLOCK));
	check_all_free(cma);
}

TEST(to_the_end, "small and large buffers reach both ends of an area, and stay inside")
{
	struct cma *cma = area_of(2, 0);
	unsigned long i;

	for (i = 0; i < 2 * BLOCK; i += 64)
		REQUIRE_EQ(offset(cma_alloc(cma, 64, 0, false)), i);
	REQUIRE(!cma_alloc(cma, 1, 0, true));
	for (i = 0; i < 2 * BLOCK; i += 64)
		REQUIRE(cma_release(cma, pfn_to_page(BASE + i), 64));

	for (i = 2 * BLOCK; i; i -= 128)
		REQUIRE_EQ(offset(cma_alloc(cma, 128, 0, false)), i - 128);
	for (i = 0; i < 2 * BLOCK; i += 128)
		REQUIRE(cma_release(cma, pfn_to_page(BASE + i), 128));

	/* The next addresses with this alignment are outside */
	REQUIRE(!cma_alloc(cma, 100, 12, true));
	REQUIRE(!cma_alloc(cma, 10, 12, true));
	REQUIRE(!cma_try_alloc(cma, 100, 12));
	check_all_free(cma);
}

TEST(only_hole, "the only hole for a large buffer is found, wherever it is")
{
	struct cma *cma = area_of(1, 0);
	unsigned long i, start;

	for (i = 0; i < BLOCK; i++)
		REQUIRE(cma_alloc(cma, 1, 0, false));
	for (start = 0; start + 100 <= BLOCK; start += 7) {
		for (i = 0; i < 100; i++)
			REQUIRE(cma_release(cma, pfn_to_page(BASE + start + i), 1));
		REQUIRE(!cma_alloc(cma, 101, 0, true));
		REQUIRE_EQ(offset(cma_alloc(cma, 100, 0, true)), start);
		REQUIRE(cma_release(cma, pfn_to_page(BASE + start), 100));
		for (i = 0; i < 100; i++)
			REQUIRE_EQ(offset(cma_alloc(cma, 1, 0, true)), start + i);
	}
	for (i = 0; i < BLOCK; i++)
		REQUIRE(cma_release(cma, pfn_to_page(BASE + i), 1));
	check_all_free(cma);
}

TEST(release, "foreign and double releases are refused, partial ones work")
{
	struct cma *cma = area_of(2, 0);
	struct page *a = cma_alloc(cma, 16, 0, false), *b = cma_alloc(cma, 16, 0, false);
	struct page *end = pfn_to_page(BASE + 2 * BLOCK - 1);
	struct page outside;

	REQUIRE(!cma_release(NULL, a, 16));
	REQUIRE(!cma_release(cma, NULL, 16));
	REQUIRE(!cma_release(cma, a, 0));
	REQUIRE(!cma_release(cma, &host.pages[-1], 1));
	REQUIRE(!cma_release(cma, end + 1, 1));
	REQUIRE(!cma_release(cma, end, 2));
	REQUIRE(!cma_release(cma, a, ~0UL));
	REQUIRE(!cma_release(cma, a, 2 * BLOCK + 1));
	REQUIRE(cma_pages_valid(cma, end, 1));
	REQUIRE(cma_pages_valid(cma, a, 2 * BLOCK));
	REQUIRE(!cma_pages_valid(cma, &outside, 0));
	REQUIRE(!cma_pages_allocated(cma, end, 1));
	REQUIRE_STREQ(host.log, "");
	REQUIRE(!cma_release(cma, end, 1));
	REQUIRE_STREQ(host.log, "cma: area test: release of 1 pages at pfn 0x60bff, "
		      "not all of them allocated\n");
	REQUIRE(!cma_release(cma, b, 17));
	REQUIRE(strstr(host.log, "release of 17 pages"));
	REQUIRE_EQ(cma_used_pages(cma), 32);

	/* The middle, then both ends */
	REQUIRE(cma_release(cma, a + 4, 8));
	REQUIRE(!cma_release(cma, a + 4, 8));
	REQUIRE(!cma_release(cma, a, 16));
	REQUIRE(!cma_pages_allocated(cma, a, 16));
	REQUIRE_EQ(cma_used_pages(cma), 24);
	REQUIRE(cma_release(cma, a, 4));
	REQUIRE(cma_release(cma, a + 12, 4));
	REQUIRE(cma_release(cma, b, 16));
	REQUIRE(!cma_release(cma, b, 16));
	REQUIRE_EQ(atomic_long_read(&cma->nr_released), 32);
	check_all_free(cma);
}

TEST(part_of_a_bit, "a part of a bit cannot be released alone")
{
	struct cma *cma = area_of(1, 2);
	struct page *page = cma_alloc(cma, 7, 0, false);

	REQUIRE(!cma_release(cma, page + 1, 1));
	REQUIRE(!cma_release(cma, page + 1, 4));
	REQUIRE(!cma_release(cma, page, 3));
	REQUIRE(!cma_release(cma, page, 8));
	host_check_area(cma);
	REQUIRE(cma_release(cma, page, 4));
	REQUIRE(!cma_release(cma, page + 4, 4));
	REQUIRE(cma_release(cma, page + 4, 3));
	check_all_free(cma);
}

TEST(buffer_pages, "the area knows where each buffer starts and ends")
{
	struct cma *cma = area_of(1, 0);
	struct page *a = cma_alloc(cma, 5, 0, false), *b = cma_alloc(cma, 7, 0, false);
	struct page *c = cma_alloc(cma, 100, 0, false);

	REQUIRE_EQ(b - a, 5);
	REQUIRE_EQ(cma_buffer_pages(cma, a), 5);
	REQUIRE_EQ(cma_buffer_pages(cma, b), 7);
	REQUIRE_EQ(cma_buffer_pages(cma, c), 100);
	REQUIRE_EQ(cma_buffer_pages(cma, a + 1), 0);
	REQUIRE_EQ(cma_buffer_pages(cma, b + 7), 0);
	REQUIRE_EQ(cma_buffer_pages(cma, NULL), 0);
	REQUIRE_EQ(cma_buffer_pages(NULL, a), 0);
	REQUIRE_EQ(cma_buffer_pages(cma, c + 100), 0);

	/* Nothing is freed that belongs to the next buffer */
	REQUIRE(!cma_release(cma, a, 6));
	REQUIRE_STREQ(host.log, "cma: area test: release of 6 pages at pfn 0x60400, "
		      "not all of them of one buffer\n");
	REQUIRE(!cma_release(cma, a, 12));
	REQUIRE(!cma_release(cma, a + 4, 2));
	REQUIRE_EQ(cma_used_pages(cma), 112);

	/* A released part leaves one buffer or two */
	REQUIRE(cma_release(cma, c, 10));
	REQUIRE_EQ(cma_buffer_pages(cma, c + 10), 90);
	REQUIRE(cma_release(cma, c + 90, 10));
	REQUIRE_EQ(cma_buffer_pages(cma, c + 10), 80);
	REQUIRE(cma_release(cma, c + 50, 20));
	REQUIRE_EQ(cma_buffer_pages(cma, c + 10), 40);
	REQUIRE_EQ(cma_buffer_pages(cma, c + 70), 20);
	REQUIRE(!cma_release(cma, c + 10, 41));
	REQUIRE(cma_release(cma, c + 10, 40));
	REQUIRE(cma_release(cma, c + 70, 20));
	REQUIRE(cma_release(cma, a, 5));
	REQUIRE_EQ(cma_buffer_pages(cma, b), 7);
	REQUIRE(cma_release(cma, b, 7));
	check_all_free(cma);
}

TEST(buffer_bits, "the size of a buffer is exact if a bit stands for several pages")
{
	struct cma *cma = area_of(1, 3);
	struct page *a = cma_alloc(cma, 9, 0, false), *b = cma_alloc(cma, 1, 0, false);

	REQUIRE_EQ(cma_buffer_pages(cma, a), 9);
	REQUIRE_EQ(cma_buffer_pages(cma, b), 1);
	REQUIRE(!cma_release(cma, a, 10));
	REQUIRE(!cma_release(cma, a, 16));
	REQUIRE(!cma_release(cma, b, 8));
	REQUIRE(cma_release(cma, a, 8));
	REQUIRE_EQ(cma_buffer_pages(cma, a + 8), 1);
	REQUIRE(cma_release(cma, a + 8, 1));
	REQUIRE_EQ(cma_buffer_pages(cma, b), 1);
	REQUIRE(cma_release(cma, b, 1));
	check_all_free(cma);
}

TEST(free_near, "a free range near the place of small buffers is preferred to moving pages")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	/* 32 pages from the low end are near in an area of 2048 */
	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 32, 16, PAGE_FREE);
	page = cma_alloc(cma, 16, 4, false);
	REQUIRE_EQ(offset(page), 32);
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 2 * BLOCK - 16);
	REQUIRE(cma_release(cma, page, 16));

	host_set(BASE + 32, 16, PAGE_MOVABLE);
	host_set(BASE + 48, 16, PAGE_FREE);
	page = cma_alloc(cma, 16, 4, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE_EQ(host.scanned, 2 * 3 * 16);
	REQUIRE(cma_release(cma, page, 16));
	host_check_area(cma);
}

TEST(cheapest, "of the ranges near the place of large buffers the cheapest one is emptied")
{
	struct cma *cma = area_of(8, 0);
	struct page *page;

	host_set(BASE, 8 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 8 * BLOCK - 256, 128, PAGE_CLEAN);
	host_set(BASE + 8 * BLOCK - 384, 128, PAGE_CLEAN);
	host_set(BASE + 8 * BLOCK - 512, 64, PAGE_FREE);
	page = cma_alloc(cma, 128, 7, false);
	/* 128 dropped, 128 moved, 128 dropped, 64 moved: the last two cost the same */
	REQUIRE_EQ(offset(page), 8 * BLOCK - 256);
	REQUIRE_EQ(host_nr(PAGE_CLEAN), 128);
	REQUIRE_EQ(atomic_long_read(&cma->nr_dropped), 128);
	REQUIRE_EQ(atomic_long_read(&cma->nr_moved), 0);
	REQUIRE(cma_release(cma, page, 128));

	/* Free and near; then free but too far away */
	page = cma_alloc(cma, 128, 7, false);
	REQUIRE_EQ(offset(page), 8 * BLOCK - 256);
	host_set(BASE + 7 * BLOCK, 128, PAGE_FREE);
	REQUIRE_EQ(offset(cma_alloc(cma, 128, 7, false)), 8 * BLOCK - 384);
	REQUIRE_EQ(offset(cma_alloc(cma, 128, 7, false)), 8 * BLOCK - 512);
	REQUIRE_EQ(offset(cma_alloc(cma, 128, 7, false)), 8 * BLOCK - 128);
	REQUIRE_EQ(host.reclaims, 5);
	host_check_area(cma);
}

TEST(costly, "instead of moving more than 4 MiB a free range anywhere is taken")
{
	struct cma *cma = area_of(16, 0);
	struct page *page;

	host_set(BASE, 16 * BLOCK, PAGE_MOVABLE);
	host_set(BASE, 1100, PAGE_FREE);
	page = cma_alloc(cma, 1100, 0, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 16 * BLOCK - 1100);
	REQUIRE(cma_release(cma, page, 1100));

	page = cma_alloc(cma, 1000, 0, false);
	REQUIRE_EQ(offset(page), 16 * BLOCK - 1000);
	REQUIRE(cma_release(cma, page, 1000));
	host_check_area(cma);
}

TEST(empties, "a range in use is emptied, and each page is moved once")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host.elsewhere = 100;
	REQUIRE(!cma_try_alloc(cma, 1, 0));
	page = cma_alloc(cma, 100, 0, false);
	REQUIRE_EQ(offset(page), 2 * BLOCK - 100);
	REQUIRE_EQ(host.elsewhere, 0);
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 2 * BLOCK - 100);
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_EQ(host.emptied, 1);
	REQUIRE_EQ(atomic_long_read(&cma->nr_moved), 100);
	REQUIRE_EQ(host_events("trace:cma_empty_start"), 1);
	REQUIRE_EQ(host_events("trace:cma_empty_finish"), 1);
	REQUIRE(host_events("trace:cma_scan") > 0);

	/* No memory to move pages to: a second range says the same, no third */
	REQUIRE(!cma_alloc(cma, 100, 0, false));
	REQUIRE_EQ(host.emptied, 3);
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_STREQ(host.log, "cma: area test: no 100 contiguous pages aligned to order 0, error -12 "
		      "(100 of 2048 pages used)\n");
	host_check_area(cma);
	REQUIRE(cma_release(cma, page, 100));
	host_check_area(cma);
	REQUIRE_EQ(host_nr(PAGE_FREE), 100);
	REQUIRE_EQ(host.reclaims, 2);
}

TEST(nomem_once, "a range without memory to move its pages to does not end the search")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	/* The first range looks cheap, and so do ranges that overlap it */
	host_set(BASE, 2 * BLOCK, PAGE_CLEAN);
	host_set(BASE + 2 * BLOCK - 128, 1, PAGE_MOVABLE);
	host_set(BASE + 2 * BLOCK - 127, 127, PAGE_FREE);
	host.elsewhere = 0;
	page = cma_alloc(cma, 128, 0, false);
	REQUIRE(page);
	REQUIRE_EQ(host.emptied, 2);
	REQUIRE_EQ(offset(page), 2 * BLOCK - 256);

	/* A free range is taken even if it is in the wrong place */
	host_set(BASE, BLOCK, PAGE_MOVABLE);
	host_set(BASE + 700, 16, PAGE_FREE);
	REQUIRE_EQ(offset(cma_alloc(cma, 16, 0, false)), 700);
	REQUIRE_STREQ(host.log, "");
	host_check_area(cma);
}

TEST(nomem_single, "if there is only one range, it is tried twice")
{
	struct cma *cma = area_of(1, 0);

	host_set(BASE, BLOCK, PAGE_MOVABLE);
	host.elsewhere = 10;
	REQUIRE(!cma_alloc(cma, BLOCK, 0, false));
	REQUIRE_EQ(host.emptied, 2);
	REQUIRE(strstr(host.log, "error -12"));
	cma->wait_budget_ms = 0;
	host.log[0] = 0;
	REQUIRE(!cma_alloc(cma, BLOCK, 0, false));
	REQUIRE_EQ(host.emptied, 3);
	REQUIRE(strstr(host.log, "error -12"));
	host_check_area(cma);
}

TEST(held, "a range with a held page is never started, and the search resumes after the page")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 5, 1, PAGE_PINNED);
	host_set(BASE + 90, 2, PAGE_FIXED);
	page = cma_alloc(cma, 64, 0, false);
	REQUIRE_EQ(offset(page), 6);
	REQUIRE_EQ(host.emptied, 1);
	REQUIRE_EQ(pfn_to_page(BASE + 5)->tries, 0);
	REQUIRE(host_events("trace:cma_alloc_busy_retry") > 0);
	REQUIRE_EQ(atomic_long_read(&cma->nr_skipped[CMA_SKIP_HELD]), 1);
	REQUIRE(cma_release(cma, page, 64));

	/* Aligned: the next place is the next aligned one after the page */
	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 5, 1, PAGE_FIXED);
	page = cma_alloc(cma, 32, 5, false);
	REQUIRE_EQ(offset(page), 32);
	REQUIRE(cma_release(cma, page, 32));
	REQUIRE_EQ(atomic_long_read(&cma->nr_skipped[CMA_SKIP_HELD]), 1);
	REQUIRE(atomic_long_read(&cma->nr_skipped[CMA_SKIP_FIXED]) > 0);

	/* Large: the search continues before the first such page */
	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 2 * BLOCK - 90, 1, PAGE_PINNED);
	host_set(BASE + 2 * BLOCK - 5, 1, PAGE_PINNED);
	page = cma_alloc(cma, 100, 0, false);
	REQUIRE_EQ(offset(page), 2 * BLOCK - 190);
	REQUIRE_EQ(pfn_to_page(BASE + 2 * BLOCK - 90)->tries, 0);
	REQUIRE(cma_release(cma, page, 100));
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_EQ(host.drains, 0);
	host_check_area(cma);
}

TEST(many_held, "looking at an area with many held pages takes a few times its size")
{
	struct cma *cma = area_of(16, 0);
	unsigned long i;

	cma->wait_budget_ms = 0;
	host_set(BASE, 16 * BLOCK, PAGE_MOVABLE);
	for (i = 31; i < 16 * BLOCK; i += 32)
		host_set(BASE + i, 1, PAGE_PINNED);
	REQUIRE(!cma_alloc(cma, 4096, 8, true));
	/* Two rounds, and the ranges that might be free */
	REQUIRE(host.scanned < 16 * cma->count, "%lu", host.scanned);
	REQUIRE_EQ(host.emptied, 0);
	REQUIRE_EQ(host.reclaims, 0);
	host_check_area(cma);
}

TEST(stubborn, "a page that only looks movable is stepped over: pages are not moved in vain")
{
	struct cma *cma = area_of(16, 0);
	struct page *page;

	host_set(BASE, 16 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 16 * BLOCK - 50, 1, PAGE_STUBBORN);
	page = cma_alloc(cma, 200, 0, false);
	REQUIRE_EQ(offset(page), 16 * BLOCK - 250);
	REQUIRE_EQ(pfn_to_page(BASE + 16 * BLOCK - 50)->tries, 1);
	REQUIRE_EQ(host_events("trace:cma_alloc_busy_retry"), 1);
	REQUIRE_EQ(host.sleeps, 0);
	host_check_area(cma);
}

TEST(stubborn_window, "a page that failed once is tried in no range that overlaps")
{
	struct cma *cma = area_of(16, 0);
	struct page *stubborn = pfn_to_page(BASE + 16 * BLOCK - 150), *page;

	/* Ranges that cost the same are compared, and the first one fails */
	host_set(BASE, 16 * BLOCK, PAGE_MOVABLE);
	stubborn->state = PAGE_STUBBORN;
	page = cma_alloc(cma, 200, 0, false);
	REQUIRE_EQ(offset(page), 16 * BLOCK - 350);
	REQUIRE_EQ(stubborn->tries, 1);
	REQUIRE(cma_release(cma, page, 200));

	/* The first one is so cheap that others are not looked at before it fails */
	host_set(BASE + 16 * BLOCK - 150, 150, PAGE_FREE);
	stubborn->state = PAGE_STUBBORN;
	REQUIRE_EQ(offset(cma_alloc(cma, 200, 0, false)), 16 * BLOCK - 350);
	REQUIRE_EQ(stubborn->tries, 2);
	host_check_area(cma);
}

TEST(far_apart, "a search that steps over the low end of the area ends there")
{
	struct cma *cma = area_of(8, 0);

	/* The addresses of this order are 0x61000 and 0x62000 */
	host_set(BASE, 8 * BLOCK, PAGE_MOVABLE);
	pfn_to_page(0x61000 + 50)->state = PAGE_STUBBORN;
	pfn_to_page(0x62000 + 50)->state = PAGE_STUBBORN;
	cma->wait_budget_ms = 0;
	REQUIRE(!cma_alloc(cma, 100, 12, true));
	REQUIRE_EQ(pfn_to_page(0x61000 + 50)->tries, 2);
	REQUIRE_EQ(pfn_to_page(0x62000 + 50)->tries, 2);
	host_check_area(cma);
}

static void claim_meanwhile(void)
{
	host.on_scan = NULL;
	bitmap_set(cma_areas[0].bitmap, 0, 16);
	cma_areas[0].nr_claims++;
}

TEST(lost_range, "a range that somebody else claims after the scan is left alone")
{
	struct cma *cma = area_of(4, 0);

	host_set(BASE, 4 * BLOCK, PAGE_MOVABLE);
	host.on_scan = claim_meanwhile;
	REQUIRE_EQ(offset(cma_alloc(cma, 16, 4, false)), 16);
	REQUIRE_EQ(host.emptied, 1);
	REQUIRE_EQ(atomic_long_read(&cma->nr_skipped[CMA_SKIP_CLAIMED]), 1);
	bitmap_clear(cma->bitmap, 0, 16);
	cma->nr_claims--;
	host_check_area(cma);
}

static void kill_now(void)
{
	host.killed = true;
}

TEST(killed_in_move, "a task that is killed while pages are moved does not try another range")
{
	struct cma *cma = area_of(4, 0);

	host_set(BASE, 4 * BLOCK, PAGE_MOVABLE);
	host.on_empty = kill_now;
	REQUIRE(!cma_alloc(cma, 100, 0, false));
	REQUIRE_EQ(host.emptied, 1);
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_EQ(host.drains, 0);
	REQUIRE_STREQ(host.log, "");
	host_check_area(cma);
}

static void lock_last_page(void)
{
	host.on_empty = NULL;
	host_set(BASE + 4 * BLOCK - 1, 1, PAGE_IO);
}

TEST(io_surprise, "a page that is locked after the scan is not waited for: others have none")
{
	struct cma *cma = area_of(4, 0);
	unsigned long start = jiffies;

	host.io_jiffies = 0;
	host_set(BASE, 4 * BLOCK, PAGE_MOVABLE);
	host.on_empty = lock_last_page;
	REQUIRE_EQ(offset(cma_alloc(cma, 100, 0, false)), 4 * BLOCK - 125);
	REQUIRE_EQ(jiffies, start);
	host_check_area(cma);
}

TEST(all_held, "all held: lists of CPUs are drained, then the budget is used up")
{
	struct cma *cma = area_of(2, 0);
	unsigned long i, start;

	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	for (i = 100; i < 2 * BLOCK; i += 100)
		host_set(BASE + i, 1, PAGE_PINNED);
	start = jiffies;
	REQUIRE(!cma_alloc(cma, 128, 0, false));
	REQUIRE_EQ(jiffies - start, msecs_to_jiffies(500));
	REQUIRE_EQ(host.sleeps, 50);
	REQUIRE_EQ(host.drains, 1);
	REQUIRE_EQ(host.drains_all, 1);
	REQUIRE_EQ(host.emptied, 0);
	REQUIRE_STREQ(host.log, "cma: area test: no 128 contiguous pages aligned to order 0, error -16 "
		      "(0 of 2048 pages used)\n");
	REQUIRE_EQ(host_nr(PAGE_PINNED), 20);

	/* Without a budget: one drain of this CPU, but no wait */
	cma->wait_budget_ms = 0;
	REQUIRE(!cma_alloc(cma, 128, 0, true));
	REQUIRE_EQ(host.sleeps, 50);
	REQUIRE_EQ(host.drains, 2);
	REQUIRE_EQ(host.drains_all, 1);

	cma->wait_budget_ms = 45;
	start = jiffies;
	REQUIRE(!cma_alloc(cma, 128, 0, true));
	REQUIRE_EQ(jiffies - start, 5);
	host_check_area(cma);
}

TEST(drain, "pages on lists of this CPU, then of the others, are drained before any wait")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE, BLOCK, PAGE_LISTED);
	page = cma_alloc(cma, BLOCK, 0, false);
	REQUIRE(page);
	REQUIRE_EQ(host.drains, 1);
	REQUIRE_EQ(host.drains_all, 0);
	REQUIRE(cma_release(cma, page, BLOCK));

	host_set(BASE, 10, PAGE_LISTED_AWAY);
	REQUIRE(cma_alloc(cma, BLOCK, 0, false));
	REQUIRE_EQ(host.drains, 2);
	REQUIRE_EQ(host.drains_all, 1);
	REQUIRE_EQ(host.drain_wait, msecs_to_jiffies(100));
	REQUIRE_EQ(host.sleeps, 0);
	host_check_area(cma);
}

static void unpin_in_second_pause(void)
{
	if (host.sleeps == 2)
		host_set(BASE + 500, 1, PAGE_MOVABLE);
}

TEST(second_chance, "a page whose references are dropped during a wait is moved at once")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE + 500, 1, PAGE_PINNED);
	host.on_sleep = unpin_in_second_pause;
	page = cma_alloc(cma, BLOCK, 0, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE_EQ(pfn_to_page(BASE + 500)->tries, 0);
	REQUIRE_EQ(host.sleeps, 2);
	REQUIRE(cma_release(cma, page, BLOCK));
	check_all_free(cma);
}

TEST(io_last, "a range without I/O is taken wherever it is, without a wait")
{
	struct cma *cma = area_of(4, 0);

	host.io_jiffies = 0;	/* the disk never answers */
	host_set(BASE, 4 * BLOCK, PAGE_IO);
	host_set(BASE + 300, 256, PAGE_MOVABLE);
	REQUIRE_EQ(offset(cma_alloc(cma, 256, 0, false)), 300);
	host_set(BASE + 3000, 24, PAGE_MOVABLE);
	REQUIRE_EQ(offset(cma_alloc(cma, 16, 4, false)), 3008);
	REQUIRE_EQ(host.emptied, 2);
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_EQ(atomic_long_read(&cma->nr_waits), 0);
	host_check_area(cma);
}

TEST(io_wait, "if nothing else is left, I/O is started first, and then waited for")
{
	struct cma *cma = area_of(1, 0);
	unsigned long start = jiffies;

	host.io_jiffies = 25;
	host_set(BASE, BLOCK, PAGE_IO);
	REQUIRE(cma_alloc(cma, BLOCK, 0, false));
	REQUIRE_EQ(jiffies - start, 25);
	/* Started, then three slices of 100 ms */
	REQUIRE_EQ(host.emptied, 4);
	REQUIRE(atomic_long_read(&cma->nr_skipped[CMA_SKIP_IO]) > 0);
	REQUIRE(atomic_long_read(&cma->nr_waits) > 0);
	host_check_area(cma);
}

TEST(io_budget, "a disk that does not answer costs the budget, and no more")
{
	struct cma *cma = area_of(1, 0);
	unsigned long start = jiffies;

	host.io_jiffies = 0;
	host_set(BASE, BLOCK, PAGE_IO);
	REQUIRE(!cma_alloc(cma, 64, 0, false));
	REQUIRE_EQ(jiffies - start, 50);
	REQUIRE(strstr(host.log, "error -16"));
	REQUIRE_EQ(host.reclaims, 1);

	/* Not a multiple of the time for which one range is waited for */
	cma->wait_budget_ms = 250;
	start = jiffies;
	REQUIRE(!cma_alloc(cma, 64, 0, true));
	REQUIRE_EQ(jiffies - start, 25);

	cma->wait_budget_ms = 0;
	start = jiffies;
	REQUIRE(!cma_alloc(cma, 64, 0, true));
	REQUIRE_EQ(jiffies, start);
	host_check_area(cma);
}

TEST(io_stuck, "a range whose page is stuck does not keep others from being waited for")
{
	struct cma *cma = area_of(2, 0);
	unsigned long start = jiffies;

	/* One page that is never written; the other range takes 300 ms */
	host_set(BASE + BLOCK, 1, PAGE_IO);
	pfn_to_page(BASE + BLOCK)->until = jiffies + 10000;
	host_set(BASE, 64, PAGE_IO);
	host.io_jiffies = 30;
	REQUIRE_EQ(offset(cma_alloc(cma, BLOCK, 10, false)), 0);
	REQUIRE(jiffies - start < 50, "%lu", jiffies - start);
	host_check_area(cma);
}

static void kill_in_second_pause(void)
{
	static unsigned int pauses;

	host.killed = ++pauses == 2;
}

TEST(killed_in_wait, "a task that is killed while it waits gives up at once")
{
	struct cma *cma = area_of(1, 0);
	unsigned long start = jiffies;

	host_set(BASE + 500, 1, PAGE_PINNED);
	host.on_sleep = kill_in_second_pause;
	REQUIRE(!cma_alloc(cma, BLOCK, 0, false));
	REQUIRE(jiffies - start <= 2, "%lu", jiffies - start);
	REQUIRE_STREQ(host.log, "");
	host_check_area(cma);
}

TEST(killed_in_io, "a task that is killed while it waits for I/O gives up at once")
{
	struct cma *cma = area_of(1, 0);
	unsigned long start = jiffies;

	host.io_jiffies = 0;
	host_set(BASE + 500, 1, PAGE_IO);
	host.on_sleep = kill_in_second_pause;
	REQUIRE(!cma_alloc(cma, BLOCK, 0, false));
	REQUIRE(jiffies - start <= 10, "%lu", jiffies - start);
	REQUIRE_STREQ(host.log, "");
	host_check_area(cma);
}

TEST(suspend, "nothing is moved while I/O is not allowed, but free ranges are taken")
{
	struct cma *cma = area_of(1, 0);
	gfp_t missing[] = { __GFP_IO, __GFP_FS, __GFP_IO | __GFP_FS };
	unsigned int i;

	host_set(BASE, 8, PAGE_MOVABLE);
	for (i = 0; i < ARRAY_SIZE(missing); i++) {
		gfp_allowed_mask = ~missing[i];
		REQUIRE(!cma_alloc(cma, BLOCK, 0, true));
		REQUIRE_EQ(offset(cma_alloc(cma, 1, 0, false)), 8 + i);
	}
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 8);
	REQUIRE_EQ(host.emptied, 0);
	REQUIRE_EQ(host.sleeps, 0);
	gfp_allowed_mask = ~0U;
	REQUIRE_EQ(offset(cma_alloc(cma, 1, 0, false)), 0);
	host_check_area(cma);
}

static struct cma *reclaimed;

static void check_nothing_claimed(void)
{
	REQUIRE_EQ(reclaimed->nr_claims, 0);
}

TEST(reclaim_once, "memory is reclaimed once per allocation that moved pages, with nothing claimed")
{
	struct cma *cma = area_of(16, 0);

	reclaimed = cma;
	host.on_reclaim = check_nothing_claimed;
	REQUIRE(cma_alloc(cma, 200, 0, false));
	REQUIRE_EQ(host.reclaims, 0);
	host_set(BASE, 15 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 15 * BLOCK, 700, PAGE_STUBBORN);
	REQUIRE(cma_alloc(cma, 200, 0, false));
	REQUIRE(host.emptied > 1, "%lu", host.emptied);
	REQUIRE_EQ(host.reclaims, 1);
	host_set(BASE, 15 * BLOCK, PAGE_STUBBORN);
	REQUIRE(!cma_alloc(cma, 200, 0, false));
	REQUIRE_EQ(host.reclaims, 2);
}

static void *alloc_half(void *arg)
{
	return cma_alloc(arg, BLOCK / 2, 0, false);
}

static void alloc_half_meanwhile(void)
{
	pthread_t thread;
	void *page;

	host.on_empty = NULL;
	REQUIRE_EQ(pthread_create(&thread, NULL, alloc_half, &cma_areas[0]), 0);
	REQUIRE_EQ(pthread_join(thread, &page), 0);
	REQUIRE(page);
}

TEST(two_emptiers, "two ranges of a pageblock are emptied at the same time")
{
	struct cma *cma = area_of(1, 0);

	host_set(BASE, BLOCK, PAGE_MOVABLE);
	host.on_empty = alloc_half_meanwhile;
	REQUIRE(cma_alloc(cma, BLOCK / 2, 0, false));
	REQUIRE_EQ(cma_used_pages(cma), BLOCK);
	REQUIRE_EQ(host.emptied, 2);
	host_check_area(cma);
}

static void drop_foreign_claim(void)
{
	if (host.sleeps < 3)
		return;
	host.on_sleep = NULL;
	cma_areas[0].nr_claims--;
	bitmap_clear(cma_areas[0].bitmap, 0, BLOCK);
}

TEST(claimed, "if others have claimed everything, wait until they drop a claim")
{
	struct cma *cma = area_of(1, 0);
	unsigned long start = jiffies;

	cma->nr_claims = 1;
	bitmap_set(cma->bitmap, 0, BLOCK);
	REQUIRE(!cma_alloc(cma, 1, 0, false));
	REQUIRE_EQ(jiffies - start, 50);
	REQUIRE(strstr(host.log, "error -16"));
	REQUIRE(!cma_try_alloc(cma, 1, 0));
	REQUIRE(atomic_long_read(&cma->nr_skipped[CMA_SKIP_CLAIMED]) > 0);

	host.sleeps = 0;
	host.on_sleep = drop_foreign_claim;
	REQUIRE(cma_alloc(cma, BLOCK, 0, false));
	REQUIRE_EQ(host.sleeps, 3);
	REQUIRE_EQ(host.drains, 0);
	host_check_area(cma);
}

TEST(never_fits, "what no release can make room for fails at once, also while others have claims")
{
	struct cma *cma = area_of(2, 0);
	unsigned long start = jiffies, limit = cma->count - 256;

	cma_set_reserve(cma, 256);
	cma->nr_claims = 1;
	bitmap_set(cma->bitmap, 0, 1);
	REQUIRE(!cma_alloc(cma, limit + 1, 0, false));
	REQUIRE(strstr(host.log, "error -12"));
	/* Only the reserve has an address with this alignment that is left over */
	REQUIRE(!cma_alloc(cma, 1000, 11, false));
	REQUIRE(!cma_alloc(cma, 1, 20, false));
	REQUIRE(!cma_alloc_reserve(cma, 1, 31, false));
	REQUIRE_EQ(jiffies - start, 0);
	REQUIRE_EQ(atomic_long_read(&cma->nr_skipped[CMA_SKIP_CLAIMED]), 0);

	/* No range is in the reserve and in the rest */
	REQUIRE(!cma_alloc_reserve(cma, cma->count, 0, false));
	REQUIRE_EQ(jiffies - start, 0);

	/* This would fit after a release */
	REQUIRE(!cma_alloc(cma, limit, 0, false));
	REQUIRE_EQ(jiffies - start, 50);
}

TEST(latency, "the time of each allocation is counted, and the longest is kept")
{
	struct cma *cma = area_of(1, 0);
	struct page *page = cma_alloc(cma, 1, 0, false);

	REQUIRE_EQ(atomic_long_read(&cma->nr_latency[0]), 1);
	REQUIRE(cma_release(cma, page, 1));

	/* 3 us for a page: 30 us are in the bucket that ends at 32 us */
	host_set(BASE, 30, PAGE_MOVABLE);
	REQUIRE(cma_alloc(cma, 10, 0, false));
	REQUIRE_EQ(atomic_long_read(&cma->nr_latency[5]), 1);
	REQUIRE_EQ(atomic_long_read(&cma->max_latency), 30);

	/* 500 ms, of an allocation that fails */
	host_set(BASE + 500, 1, PAGE_PINNED);
	REQUIRE(!cma_alloc(cma, 1000, 0, true));
	REQUIRE_EQ(atomic_long_read(&cma->nr_latency[19]), 1);
	REQUIRE_EQ(atomic_long_read(&cma->max_latency), 500000);

	/* One page is timed only if it was not free */
	host_set(BASE + 10, 200, PAGE_MOVABLE);
	host.clock += 1000;
	REQUIRE(cma_alloc(cma, 1, 0, false));
	REQUIRE_EQ(atomic_long_read(&cma->nr_latency[2]), 1);

	/* 9 s are in the last one */
	cma->wait_budget_ms = 9000;
	REQUIRE(!cma_alloc(cma, 1000, 0, true));
	REQUIRE_EQ(atomic_long_read(&cma->nr_latency[23]), 1);
	REQUIRE_EQ(atomic_long_read(&cma->max_latency), 9000000);
	REQUIRE(cma_try_alloc(cma, 1, 0));
	REQUIRE_EQ(atomic_long_read(&cma->nr_latency[0]), 2);
	REQUIRE_EQ(atomic_long_read(&cma->max_latency), 9000000);
}

TEST(killed, "a killed task gets nothing, without a message, and leaks nothing")
{
	struct cma *cma = area_of(1, 0);

	host_set(BASE + 1000, 24, PAGE_MOVABLE);
	host.killed = true;
	REQUIRE(!cma_alloc(cma, BLOCK, 0, false));
	REQUIRE_STREQ(host.log, "");
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_EQ(atomic_long_read(&cma->nr_fail), BLOCK);
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 24);
	REQUIRE_EQ(cma_used_pages(cma), 0);
	host_check_area(cma);
}

TEST(atomic, "with interrupts off, free ranges can be taken and released")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE + 7, 1, PAGE_MOVABLE);
	host_atomic(true);
	page = cma_try_alloc(cma, 8, 0);
	REQUIRE_EQ(offset(page), 8);
	REQUIRE(!cma_try_alloc(cma, BLOCK, 0));
	REQUIRE(cma_release(cma, page, 8));
	host_atomic(false);
	host_set(BASE + 7, 1, PAGE_FREE);
	check_all_free(cma);
}

TEST(reclaim, "nothing is emptied during reclaim")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE, 8, PAGE_MOVABLE);
	host_current.flags = PF_MEMALLOC;
	page = cma_alloc(cma, BLOCK - 8, 0, false);
	REQUIRE_EQ(offset(page), 8);
	REQUIRE(!cma_alloc(cma, 1, 0, false));
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 8);
	REQUIRE(strstr(host.log, "error -16"));
	REQUIRE(cma_release(cma, page, BLOCK - 8));
	host_check_area(cma);
}

TEST(free_behind_used, "free pages after many used ones are found")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE, BLOCK / 2, PAGE_MOVABLE);
	page = cma_try_alloc(cma, BLOCK / 2, 0);
	REQUIRE_EQ(page ? offset(page) : 0, BLOCK / 2);
	REQUIRE(cma_release(cma, page, BLOCK / 2));
	host_check_area(cma);
}

static struct cma *other;

static void use_other_area(void)
{
	struct page *page = cma_try_alloc(other, 1, 0);

	REQUIRE(page);
	REQUIRE(cma_release(other, page, 1));
}

static struct cma *emptied;

/* As hugetlb does with each of its pages, whether in an area or not. */
static void release_own_page(void)
{
	struct page *page = pfn_to_page(BASE + 2);

	host_set(BASE + 2, 1, PAGE_MOVABLE);
	REQUIRE(!cma_release(emptied, page, 1));
	REQUIRE(!cma_pages_allocated(emptied, page, 1));
	host_set(BASE + 2, 1, PAGE_FREE);
}

TEST(page_of_others, "pages that the area did not allocate are not released, even if claimed")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE, 4, PAGE_MOVABLE);
	REQUIRE(!cma_release(cma, pfn_to_page(BASE), 4));
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 4);

	emptied = cma;
	host.on_empty = release_own_page;
	page = cma_alloc(cma, BLOCK, 0, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE_EQ(cma_used_pages(cma), BLOCK);
	REQUIRE_STREQ(host.log, "");
	REQUIRE(cma_release(cma, page, BLOCK));
	check_all_free(cma);
}

TEST(two_areas, "one area allocates while a range of another is emptied")
{
	struct cma *cma;
	struct page *page;

	host_pages(BASE, 2 * BLOCK);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(BLOCK), 0, "test", &cma), 0);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE + BLOCK), PFN_PHYS(BLOCK), 0, NULL,
					 &other), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	REQUIRE_STREQ(cma_get_name(other), "cma1");
	REQUIRE_EQ(cma_get_base(other), 0x60800000);
	REQUIRE_EQ(cma_get_size(other), 4 << 20);

	host_set(BASE, BLOCK, PAGE_MOVABLE);
	host.on_empty = use_other_area;
	page = cma_alloc(cma, BLOCK, 0, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE(!cma_release(other, page, 1));
	REQUIRE(cma_release(cma, page, BLOCK));
	host_check_area(other);
	host_check_area(cma);
}

TEST(areas, "invalid bases and sizes, and too many areas, are refused")
{
	struct cma *cma = NULL;
	unsigned int i;

	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 0, 0, NULL, &cma), -EINVAL);
	REQUIRE_EQ(cma_init_reserved_mem(0x60401000, 4 << 20, 0, NULL, &cma), -EINVAL);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 5 << 20, 0, NULL, &cma), -EINVAL);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 8 << 20, 11, NULL, &cma), -EINVAL);
	REQUIRE_EQ(cma_init_reserved_mem(0x60800000, 4 << 20, 11, NULL, &cma), -EINVAL);
	REQUIRE_EQ(totalcma_pages, 0);
	REQUIRE(!cma);
	REQUIRE_EQ(cma_init_reserved_mem(0x60800000, 8 << 20, 11, NULL, &cma), 0);
	REQUIRE_EQ(totalcma_pages, 2 * BLOCK);
	for (i = 1; i < MAX_CMA_AREAS; i++)
		REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 4 << 20, 10, NULL, &cma), 0);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 4 << 20, 0, NULL, &cma), -ENOSPC);
	REQUIRE_EQ(cma_area_count, MAX_CMA_AREAS);
}

TEST(early, "an area that is not active yet allocates and releases nothing")
{
	struct cma *cma;

	host_pages(BASE, BLOCK);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(BLOCK), 0, NULL, &cma), 0);
	REQUIRE(!cma_alloc(cma, 1, 0, false));
	REQUIRE(!cma_try_alloc(cma, 1, 0));
	REQUIRE(!cma_release(cma, pfn_to_page(BASE), 1));
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE_EQ(host_nr(PAGE_RESERVED), BLOCK);
}

static void make_hole(void)
{
	host_set(BASE + 1500, 3, PAGE_HOLE);
}

static void make_zones(void)
{
	pfn_to_page(BASE + 2 * BLOCK - 1)->zone = 1;
}

static void make_unreserved(void)
{
	host_set(BASE + 700, 1, PAGE_MOVABLE);
}

static void fail_bitmap(void)
{
	host.fail_kzalloc = 1;
}

static const struct bad_area {
	const char *why;
	void (*make)(void);
	unsigned long nr_back;
} bad_areas[] = {
	{ "has a hole", make_hole, 2 * BLOCK - 3 },
	{ "is in more than one zone", make_zones, 2 * BLOCK },
	{ "is in use", make_unreserved, 2 * BLOCK - 1 },
	{ "has no memory for its bitmap", fail_bitmap, 2 * BLOCK },
};

static const char *bad_area_name(size_t row)
{
	return bad_areas[row].why;
}

TEST_TABLE(bad_area, "memory goes back to the system", ARRAY_SIZE(bad_areas), bad_area_name)
{
	struct cma *cma;
	char line[128];

	host_pages(BASE, 2 * BLOCK);
	bad_areas[row].make();
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(2 * BLOCK), 0, "test", &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	snprintf(line, sizeof(line), "cma: area test: %s; memory goes back to the system\n",
		 bad_areas[row].why);
	REQUIRE_STREQ(host.log, line);
	REQUIRE_EQ(host_nr(PAGE_SYSTEM), bad_areas[row].nr_back);
	REQUIRE_EQ(host_nr(PAGE_RESERVED), 0);
	REQUIRE_EQ(cma_get_size(cma), 0);
	REQUIRE_EQ(totalcma_pages, 0);
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE(!cma_alloc(cma, 1, 0, false));
	REQUIRE(!cma_try_alloc(cma, 1, 0));
	REQUIRE(!cma_release(cma, pfn_to_page(BASE), 1));
}

#define THREADS	8
#define LOOPS	1500
#define HELD	6

static struct cma *shared;
static unsigned long next_owner;

/* These pages were not allocated to another owner, before or since */
static void own(struct page *page, unsigned long count, unsigned long from, unsigned long to)
{
	while (count--) {
		if (__atomic_exchange_n(&page[count].owner, to, __ATOMIC_RELAXED) != from)
			host_fail("pfn %#lx has two owners", page_to_pfn(&page[count]));
	}
}

static void *use_area(void *arg)
{
	unsigned int seed = (uintptr_t)arg, loop, i;
	struct { struct page *page; unsigned long count, owner; } held[HELD] = { };

	for (loop = 0; loop < LOOPS + HELD; loop++) {
		i = loop % HELD;
		if (held[i].page) {
			own(held[i].page, held[i].count, held[i].owner, 0);
			REQUIRE(cma_release(shared, held[i].page, held[i].count));
			held[i].page = NULL;
		}
		if (loop >= LOOPS)
			continue;
		held[i].count = 1 + rand_r(&seed) % (rand_r(&seed) % 8 ? 64 : 900);
		held[i].owner = __atomic_add_fetch(&next_owner, 1, __ATOMIC_RELAXED);
		if (rand_r(&seed) % 4)
			held[i].page = cma_alloc(shared, held[i].count, rand_r(&seed) % 7, true);
		else
			held[i].page = cma_try_alloc(shared, held[i].count, rand_r(&seed) % 7);
		if (held[i].page)
			own(held[i].page, held[i].count, 0, held[i].owner);
		/* Page cache uses a page while it is free */
		i = rand_r(&seed) % shared->count;
		__atomic_compare_exchange_n(&host.pages[i].state, &(enum host_state){ PAGE_FREE },
					    rand_r(&seed) % 16 ? PAGE_MOVABLE : PAGE_PINNED, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	host_check_locks();
	return NULL;
}

static void unpin_all(void)
{
	unsigned long i;

	for (i = 0; i < host.nr_pages; i++)
		__atomic_compare_exchange_n(&host.pages[i].state,
					    &(enum host_state){ PAGE_PINNED }, PAGE_MOVABLE,
					    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

TEST(threads, "threads that allocate and release at random never share a page")
{
	pthread_t thread[THREADS];
	uintptr_t i;

	shared = area_of(4, 0);
	host.on_sleep = unpin_all;
	for (i = 0; i < THREADS; i++)
		REQUIRE_EQ(pthread_create(&thread[i], NULL, use_area, (void *)(i + 1)), 0);
	for (i = 0; i < THREADS; i++)
		REQUIRE_EQ(pthread_join(thread[i], NULL), 0);
	host_check_area(shared);
	REQUIRE_EQ(cma_used_pages(shared), 0);
	REQUIRE_EQ(host_nr(PAGE_OWNED), 0);
	REQUIRE_EQ(host_nr(PAGE_FREE) + host_nr(PAGE_MOVABLE) + host_nr(PAGE_PINNED),
		   shared->count);
	REQUIRE_EQ(atomic_long_read(&shared->nr_success), atomic_long_read(&shared->nr_released));
	REQUIRE(host_events("vm:CMA_ALLOC_SUCCESS") > THREADS * LOOPS / 4);
	REQUIRE_EQ(host_events("vm:CMA_ALLOC_SUCCESS") + host_events("vm:CMA_ALLOC_FAIL"),
		   THREADS * LOOPS);
}

static const unsigned int reserve_orders[] = { 0, 1, 4 };

static const char *reserve_name(size_t row)
{
	static char name[32];

	snprintf(name, sizeof(name), "order_per_bit %u", reserve_orders[row]);
	return name;
}

/* As area_of(), with a reserve */
static struct cma *area_holding(unsigned int order_per_bit, unsigned long nr_pages)
{
	struct cma *cma;

	host_pages(BASE, 2 * BLOCK);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(2 * BLOCK), order_per_bit,
					 "test", &cma), 0);
	cma_set_reserve(cma, nr_pages);
	REQUIRE_EQ(host_core_initcall(), 0);
	return cma;
}

/* A reserve of 256 pages, of which the last bit is asked for in part */
static struct cma *area_with_reserve(unsigned int order_per_bit)
{
	return area_holding(order_per_bit, 256 - (1UL << order_per_bit) + 1);
}

/* The reserve is as it was after boot, and nothing else is allocated */
static void check_reserve_free(struct cma *cma)
{
	host_check_area(cma);
	REQUIRE_EQ(cma->reserve, 256);
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE_EQ(host_nr(PAGE_OWNED), 256);
}

TEST(whole_reserve, "an area that is a reserve as a whole is for all its callers")
{
	struct cma *cma = area_holding(0, 2 * BLOCK);
	struct page *page = cma_alloc(cma, cma->count, 0, true);

	REQUIRE(page && !cma_try_alloc(cma, 1, 0));
	REQUIRE(cma_release(cma, page, cma->count));
	page = cma_try_alloc(cma, 1, 0);
	REQUIRE(page && cma_release(cma, page, 1));
	REQUIRE_EQ(host_nr(PAGE_OWNED), cma->count);
	REQUIRE_EQ(totalcma_pages, 0);
}

TEST_TABLE(reserve, "the reserve at the high end of an area", ARRAY_SIZE(reserve_orders),
	   reserve_name)
{
	struct cma *cma = area_with_reserve(reserve_orders[row]);
	unsigned long unit = 1UL << reserve_orders[row], count, limit = cma->count - 256;
	struct page *page;

	check_reserve_free(cma);
	REQUIRE_EQ(totalcma_pages, limit);
	REQUIRE_EQ(host_nr(PAGE_FREE), limit);
	for (count = 1; count <= cma->count; count += count < 80 ? 1 : 61) {
		unsigned long size = ALIGN(count, unit);

		page = cma_alloc(cma, count, 0, true);
		REQUIRE_EQ(!!page, size <= limit);
		if (page) {
			REQUIRE(offset(page) + count <= limit);
			REQUIRE(cma_release(cma, page, count));
		}
		page = cma_try_alloc(cma, count, 0);
		REQUIRE_EQ(!!page, size <= limit);
		if (page)
			REQUIRE(cma_release(cma, page, count));

		/* It comes first, and is packed as the area is */
		page = cma_alloc_reserve(cma, count, 0, true);
		REQUIRE_EQ(!!page, size <= limit);
		if (size <= 256)
			REQUIRE_EQ(offset(page), count <= 64 ? limit : cma->count - size);
		else if (page)
			REQUIRE(offset(page) + count <= limit);
		if (page) {
			REQUIRE_EQ(cma_buffer_pages(cma, page), count);
			REQUIRE(cma_release(cma, page, count));
		}
		page = cma_try_alloc_reserve(cma, count, 0);
		REQUIRE_EQ(!!page, size <= limit);
		REQUIRE_EQ(page && offset(page) >= limit, size <= 256);
		if (page)
			REQUIRE(cma_release(cma, page, count));
	}
	check_reserve_free(cma);

	/* Pages in use have to be moved, but not into the reserve */
	host_set(BASE, limit, PAGE_MOVABLE);
	page = cma_alloc(cma, 64, 0, true);
	REQUIRE(page && offset(page) + 64 <= limit);
	REQUIRE(cma_release(cma, page, 64));
	page = cma_alloc(cma, 256, 0, true);
	REQUIRE(page && offset(page) + 256 <= limit);
	REQUIRE(cma_release(cma, page, 256));
	host_set(BASE, limit, PAGE_PINNED);
	REQUIRE(!cma_alloc(cma, 1, 0, true));
	REQUIRE(!cma_alloc(cma, 256, 0, true));
	page = cma_alloc_reserve(cma, 256, 8, true);
	REQUIRE_EQ(offset(page), limit);
	REQUIRE(!cma_alloc_reserve(cma, 1, 0, true));
	REQUIRE(cma_release(cma, page, 256));
	page = cma_alloc_reserve(cma, 1, 0, true);
	REQUIRE_EQ(offset(page), limit);
	REQUIRE(cma_release(cma, page, 1));

	/* A small buffer does not reach into the reserve */
	host_set(BASE + limit - 32, 32, PAGE_FREE);
	REQUIRE(!cma_alloc(cma, 48, 0, true));
	page = cma_alloc(cma, 32, 0, true);
	REQUIRE_EQ(offset(page), limit - 32);
	REQUIRE(cma_release(cma, page, 32));
	check_reserve_free(cma);
	REQUIRE_STREQ(host.log, "");
}

TEST(reserve_alone, "an allocation from the reserve neither empties nor waits nor reclaims")
{
	struct cma *cma = area_with_reserve(0);
	struct page *pages[8];
	unsigned int i;

	host_set(BASE, cma->count - 256, PAGE_MOVABLE);
	host.now = 0;
	for (i = 0; i < 8; i++) {
		pages[i] = cma_alloc_reserve(cma, 32, 5, false);
		REQUIRE(offset(pages[i]) >= cma->count - 256);
	}
	REQUIRE_EQ(cma_used_pages(cma), 256);
	REQUIRE_EQ(host.scanned + host.emptied + host.drains + host.reclaims + host.sleeps +
		   host.now, 0);

	/* When it is full, the rest of the area is emptied for those who may use both */
	REQUIRE(!cma_try_alloc_reserve(cma, 32, 5));
	pages[7] = cma_alloc_reserve(cma, 32, 5, false);
	REQUIRE(offset(pages[7]) < cma->count - 256);
	REQUIRE(host.emptied);
	REQUIRE(cma_release(cma, pages[7], 32));

	/* Parts of a buffer can be released */
	for (i = 0; i < 7; i++) {
		REQUIRE(!cma_release(cma, pages[i], 33));
		REQUIRE(cma_release(cma, pages[i] + 16, 16));
		REQUIRE(cma_release(cma, pages[i], 16));
	}
	REQUIRE_EQ(cma_used_pages(cma), 32);
	host_check_area(cma);
}

TEST(reserve_large, "a large buffer that the reserve has no room for is emptied elsewhere")
{
	struct cma *cma = area_with_reserve(0);
	struct page *first, *second;

	host_set(BASE, cma->count - 256, PAGE_MOVABLE);
	first = cma_alloc_reserve(cma, 200, 0, false);
	REQUIRE(offset(first) >= cma->count - 256);
	REQUIRE(!cma_try_alloc_reserve(cma, 100, 0));
	REQUIRE(!host.emptied);
	second = cma_alloc_reserve(cma, 100, 0, false);
	REQUIRE(offset(second) + 100 <= cma->count - 256);
	REQUIRE(host.emptied);
	REQUIRE(cma_release(cma, second, 100));
	REQUIRE(cma_release(cma, first, 200));
	REQUIRE_EQ(cma_used_pages(cma), 0);
	host_check_area(cma);
}

TEST(reserve_busy, "a page of the reserve that is used after its release is not allocated")
{
	struct cma *cma = area_with_reserve(0);
	unsigned long limit = cma->count - 256;
	struct page *page = cma_alloc_reserve(cma, 256, 8, false), *small, *large;

	/* Somebody has a reference, and somebody else has dropped one too many */
	pfn_to_page(BASE + limit + 3)->refs = 1;
	pfn_to_page(BASE + limit + 100)->refs = -1;
	REQUIRE(cma_release(cma, page, 256));
	REQUIRE(strstr(host.log, "area test: 2 of 256 pages of the reserve up to pfn 0x60c00 "
			"are still in use\n"));

	small = cma_alloc_reserve(cma, 8, 0, false);
	REQUIRE_EQ(offset(small), limit + 4);
	large = cma_try_alloc_reserve(cma, 88, 0);
	REQUIRE_EQ(offset(large), limit + 256 - 88);
	REQUIRE(cma_release(cma, large, 88));
	large = cma_try_alloc_reserve(cma, 65, 0);
	REQUIRE(cma_release(cma, large, 65));
	/* From the rest */
	large = cma_try_alloc_reserve(cma, 200, 0);
	REQUIRE(offset(large) + 200 <= limit);
	REQUIRE(cma_release(cma, large, 200));
	REQUIRE(cma_release(cma, small, 8));

	pfn_to_page(BASE + limit + 3)->refs = 0;
	pfn_to_page(BASE + limit + 100)->refs = 0;
	page = cma_alloc_reserve(cma, 256, 8, false);
	REQUIRE_EQ(offset(page), limit);
	REQUIRE(cma_release(cma, page, 256));
	check_reserve_free(cma);
}

/* Somebody allocates a page of the last block as soon as it is free */
static void use_reserve_page(enum host_state state)
{
	struct page *page = pfn_to_page(BASE + 2 * BLOCK - 7);

	if (page->state == PAGE_FREE)
		page->state = state;
}

static void move_reserve_page(void)
{
	use_reserve_page(PAGE_MOVABLE);
}

static void pin_reserve_page(void)
{
	use_reserve_page(PAGE_PINNED);
}

TEST(reserve_boot, "a page of the reserve that is used at boot is moved, or there is no reserve")
{
	struct cma *cma;

	host.on_block = move_reserve_page;
	cma = area_with_reserve(0);
	check_reserve_free(cma);
	REQUIRE_EQ(pfn_to_page(BASE + 2 * BLOCK - 7)->moves, 1);

	host_reset();
	host.on_block = pin_reserve_page;
	cma = area_with_reserve(0);
	REQUIRE_EQ(cma->reserve, 0);
	REQUIRE_EQ(totalcma_pages, 2 * BLOCK);
	REQUIRE_EQ(host_nr(PAGE_OWNED), 0);
	REQUIRE(strstr(host.log, "area test: pfn 0x60bf9 is in use; no reserve"));
	REQUIRE(!cma_alloc_reserve(cma, 2 * BLOCK, 0, true));
	REQUIRE(cma_release(cma, cma_alloc_reserve(cma, 1000, 0, true), 1000));
}
