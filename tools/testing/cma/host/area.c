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

			REQUIRE_EQ(offset(page), 0);
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
	REQUIRE(cma_release(cma, a + 12, 20));
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
	host_check_area(cma);
	REQUIRE(cma_release(cma, page, 7));
	check_all_free(cma);
}

TEST(free_first, "an entirely free range is preferred to one that has to be emptied")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	host_set(BASE, 40, PAGE_MOVABLE);
	page = cma_alloc(cma, 16, 4, false);
	REQUIRE_EQ(offset(page), 48);
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 40);
	REQUIRE(cma_release(cma, page, 16));
	host_set(BASE, 40, PAGE_FREE);
	check_all_free(cma);
}

TEST(empties, "a range in use is emptied, and each page is tried once")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host.elsewhere = 100;
	REQUIRE(!cma_try_alloc(cma, 1, 0));
	page = cma_alloc(cma, 100, 0, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE_EQ(host.elsewhere, 0);
	REQUIRE_EQ(host_nr(PAGE_MOVABLE), 2 * BLOCK - 100);
	REQUIRE_EQ(host.sleeps, 0);

	/* No memory to move pages to: try neither another range nor another round */
	REQUIRE(!cma_alloc(cma, 100, 0, false));
	REQUIRE_EQ(host.sleeps, 0);
	REQUIRE_STREQ(host.log, "cma: area test: no 100 contiguous pages aligned to order 0, error -12 "
		      "(100 of 2048 pages used)\n");
	host_check_area(cma);
	REQUIRE(cma_release(cma, page, 100));
	host_check_area(cma);
	REQUIRE_EQ(host_nr(PAGE_FREE), 100);
}

TEST(busy, "the search resumes after a pinned page")
{
	struct cma *cma = area_of(2, 0);
	struct page *page;

	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 5, 1, PAGE_PINNED);
	host_set(BASE + 90, 2, PAGE_PINNED);
	page = cma_alloc(cma, 64, 0, false);
	REQUIRE_EQ(offset(page), 6);
	REQUIRE_EQ(pfn_to_page(BASE + 5)->tries, 1);
	REQUIRE_EQ(host_events("trace:cma_alloc_busy_retry"), 1);
	REQUIRE(cma_release(cma, page, 64));

	/* Aligned: the next place is the next aligned one after the page */
	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	host_set(BASE + 5, 1, PAGE_PINNED);
	page = cma_alloc(cma, 32, 5, false);
	REQUIRE_EQ(offset(page), 32);
	REQUIRE_EQ(pfn_to_page(BASE + 5)->tries, 2);
	REQUIRE(cma_release(cma, page, 32));
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE_EQ(host.sleeps, 0);
	host_check_area(cma);
}

TEST(rounds, "all busy: three rounds, and a pinned page is tried once in each")
{
	struct cma *cma = area_of(2, 0);
	unsigned long i;

	host_set(BASE, 2 * BLOCK, PAGE_MOVABLE);
	for (i = 100; i < 2 * BLOCK; i += 100)
		host_set(BASE + i, 1, PAGE_PINNED);
	REQUIRE(!cma_alloc(cma, 128, 0, false));
	REQUIRE_EQ(host.sleeps, 2);
	for (i = 100; i < 2 * BLOCK - 128; i += 100)
		REQUIRE_EQ(pfn_to_page(BASE + i)->tries, 3);
	REQUIRE_STREQ(host.log, "cma: area test: no 128 contiguous pages aligned to order 0, error -16 "
		      "(0 of 2048 pages used)\n");
	REQUIRE_EQ(host_nr(PAGE_PINNED), 20);
	host_check_area(cma);
}

static void unpin_in_second_pause(void)
{
	if (host.sleeps == 2)
		host_set(BASE + 500, 1, PAGE_MOVABLE);
}

TEST(second_chance, "a page that is unpinned between two rounds is taken in the next")
{
	struct cma *cma = area_of(1, 0);
	struct page *page;

	host_set(BASE + 500, 1, PAGE_PINNED);
	host.on_sleep = unpin_in_second_pause;
	page = cma_alloc(cma, BLOCK, 0, false);
	REQUIRE_EQ(offset(page), 0);
	REQUIRE_EQ(pfn_to_page(BASE + 500)->tries, 2);
	REQUIRE(cma_release(cma, page, BLOCK));
	check_all_free(cma);
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
