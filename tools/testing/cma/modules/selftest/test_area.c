// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the areas: sizes, places, counters, and requests that are refused
 */
#include <linux/cma.h>
#include <linux/slab.h>

#include "selftest.h"

/* Test every size in areas up to this length: the time grows with its square. */
#define ST_ALL_SIZES	16384

static const enum st_device st_all_devices[ST_NR_DEVICES] = {
	ST_DEFAULT, ST_PRIVATE_1, ST_PRIVATE_2
};

/* Allocate and release nr_pages, and check where they are. */
static bool st_once(struct st *t, enum st_device which, unsigned long nr_pages)
{
	struct device *dev = st_device(which);
	struct page *page = dma_alloc_from_contiguous(dev, nr_pages, 0);

	if (!ST_CHECK(t, page, "no buffer of %lu pages", nr_pages))
		return false;
	ST_CHECK(t, st_in_area(which, page, nr_pages),
		 "%lu pages at %#lx are not in the area", nr_pages,
		 page_to_pfn(page));
	return ST_CHECK(t, dma_release_from_contiguous(dev, page, nr_pages),
			"release of %lu pages refused", nr_pages);
}

/* The next size to try: all of them in a small area, some in a large one. */
static unsigned long st_next_size(unsigned long nr_pages, unsigned long largest)
{
	unsigned long step = 1;

	if (largest > ST_ALL_SIZES && nr_pages >= 256)
		step = 1 + nr_pages / 64;
	return nr_pages < largest ? min(nr_pages + step, largest) :
				    largest + 1;
}

static void st_all_sizes(struct st *t, enum st_device which)
{
	unsigned long largest = st_largest(which);
	unsigned long nr_pages;

	for (nr_pages = 1; nr_pages <= largest;
	     nr_pages = st_next_size(nr_pages, largest)) {
		if (!st_once(t, which, nr_pages))
			return;
		cond_resched();
	}
}

/* Twice: the second run finds what the first one left behind. */
static void st_sizes(struct st *t, enum st_device which)
{
	unsigned long largest;

	if (!st_need_area(t, which))
		return;
	largest = st_largest(which);
	if (!ST_CHECK(t, largest > st_area_pages(which) / 2,
		      "only %lu of %lu pages can be had in one", largest,
		      st_area_pages(which)))
		return;
	st_note(t, "1 to %lu of %lu pages, %s", largest, st_area_pages(which),
		largest > ST_ALL_SIZES ? "not all of them" : "all of them");
	st_all_sizes(t, which);
	st_check_no_loss(t, which, st_all_sizes);
}

CMA_SELFTEST(st_sizes_default, "each size in the default area, twice")
{
	st_sizes(t, ST_DEFAULT);
}

CMA_SELFTEST(st_sizes_private_1, "each size in the first private area, twice")
{
	st_sizes(t, ST_PRIVATE_1);
}

CMA_SELFTEST(st_sizes_private_2, "each size in the second private area, twice")
{
	st_sizes(t, ST_PRIVATE_2);
}

CMA_SELFTEST(st_private_whole, "a private area can be allocated as a whole")
{
	enum st_device which;

	for (which = ST_PRIVATE_1; which <= ST_PRIVATE_2; which++) {
		if (!st_need_area(t, which))
			return;
		st_once(t, which, st_area_pages(which));
	}
}

CMA_SELFTEST(st_three_areas, "each device gets its buffers from its own area")
{
	struct page *page[ST_NR_DEVICES] = {};
	unsigned int other;
	unsigned int i;

	for (i = 0; i < ST_NR_DEVICES; i++)
		if (!st_need_area(t, st_all_devices[i]))
			return;

	for (i = 0; i < ST_NR_DEVICES; i++)
		page[i] = dma_alloc_from_contiguous(st_device(i), 16, 0);
	for (i = 0; i < ST_NR_DEVICES; i++) {
		if (!ST_CHECK(t, page[i], "device %u: no buffer", i))
			continue;
		for (other = 0; other < ST_NR_DEVICES; other++)
			ST_CHECK(t, st_in_area(other, page[i], 16) ==
				 (i == other),
				 "device %u: pages at %#lx, and area %u", i,
				 page_to_pfn(page[i]), other);
	}
	for (i = 0; i < ST_NR_DEVICES; i++) {
		other = (i + 1) % ST_NR_DEVICES;
		if (!page[i])
			continue;
		ST_CHECK(t, !dma_release_from_contiguous(st_device(other),
							 page[i], 16),
			 "device %u released the pages of %u", other, i);
		ST_CHECK(t, dma_release_from_contiguous(st_device(i), page[i],
							16),
			 "device %u: release refused", i);
	}
}

CMA_SELFTEST(st_exhaust_one, "a full area does not affect another one")
{
	unsigned long nr_pages;
	struct page *all;

	if (!st_need_area(t, ST_DEFAULT) || !st_need_area(t, ST_PRIVATE_1) ||
	    !st_need_area(t, ST_PRIVATE_2))
		return;
	nr_pages = st_area_pages(ST_PRIVATE_1);
	all = dma_alloc_from_contiguous(st_device(ST_PRIVATE_1), nr_pages, 0);
	if (!ST_CHECK(t, all, "no buffer of %lu pages", nr_pages))
		return;
	ST_CHECK(t, !cma_alloc(dev_get_cma_area(st_device(ST_PRIVATE_1)), 1, 0,
			       true),
		 "a page of an area that is full");
	st_once(t, ST_PRIVATE_2, 1);
	st_once(t, ST_DEFAULT, 1);
	ST_CHECK(t, dma_release_from_contiguous(st_device(ST_PRIVATE_1), all,
						nr_pages),
		 "release refused");
}

/* One buffer for each order, after a single page that shifts the free space. */
CMA_SELFTEST(st_alignment, "buffers are aligned to the requested order")
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long mask;
	struct page *spacer;
	struct page *page;
	unsigned int order;
	int nr_pages;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	for (order = 0; order <= MAX_ORDER; order++) {
		mask = (1UL << min_t(unsigned int, order,
				     CONFIG_CMA_ALIGNMENT)) - 1;
		nr_pages = order % 2 ? 3 : 1 << min(order, 8U);
		spacer = dma_alloc_from_contiguous(dev, 1, 0);
		page = dma_alloc_from_contiguous(dev, nr_pages, order);
		if (ST_CHECK(t, page, "order %u: no buffer", order)) {
			ST_CHECK(t, !(page_to_pfn(page) & mask),
				 "order %u: pages at %#lx", order,
				 page_to_pfn(page));
			dma_release_from_contiguous(dev, page, nr_pages);
		}
		if (ST_CHECK(t, spacer, "no single page"))
			dma_release_from_contiguous(dev, spacer, 1);
	}
}

/*
 * Pages aligned to 4 MiB would fit only once into every 4 MiB of the area: there
 * are more of them if the alignment is limited.
 */
CMA_SELFTEST(st_alignment_limit, "CMA_ALIGNMENT limits the alignment")
{
	const unsigned int max_order = CONFIG_CMA_ALIGNMENT;
	struct device *dev = st_device(ST_DEFAULT);
	struct page *page[64];
	unsigned int nr_blocks;
	unsigned int nr;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	nr_blocks = st_area_pages(ST_DEFAULT) >> (MAX_ORDER - 1);
	if (max_order >= MAX_ORDER - 1 ||
	    nr_blocks >= ARRAY_SIZE(page)) {
		t->skipped = "CMA_ALIGNMENT or the area is too large";
		return;
	}
	for (nr = 0; nr <= nr_blocks; nr++) {
		page[nr] = dma_alloc_from_contiguous(dev, 1, MAX_ORDER - 1);
		if (!ST_CHECK(t, page[nr], "page %u of %u", nr, nr_blocks + 1))
			break;
	}
	while (nr--)
		ST_CHECK(t, dma_release_from_contiguous(dev, page[nr], 1),
			 "release refused");
}

CMA_SELFTEST(st_wrong_counts, "counts of 0, below 0 and above the area's size give NULL")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct cma *cma = dev_get_cma_area(dev);
	unsigned long before;
	unsigned long nr;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	nr = st_area_pages(ST_DEFAULT);
	before = st_free_cma(ST_DEFAULT);
	ST_CHECK(t, !dma_alloc_from_contiguous(dev, 0, 0), "count 0");
	ST_CHECK(t, !dma_alloc_from_contiguous(dev, -1, 0), "count -1");
	ST_CHECK(t, !dma_alloc_from_contiguous(dev, INT_MIN, 0), "INT_MIN");
	ST_CHECK(t, !cma_alloc(cma, 0, 0, true), "cma_alloc(0)");
	ST_CHECK(t, !cma_alloc(cma, nr + 1, 0, true), "area + 1 page");
	ST_CHECK(t, !cma_alloc(cma, ULONG_MAX, 0, true), "ULONG_MAX");
	ST_CHECK(t, !cma_alloc(cma, 1UL << (BITS_PER_LONG - 1), 0, true),
		 "sign bit");
	ST_CHECK(t, st_free_cma(ST_DEFAULT) + 64 > before,
		 "%lu pages were free, %lu are", before,
		 st_free_cma(ST_DEFAULT));
}

CMA_SELFTEST(st_foreign, "the release of pages outside of the area is refused")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct page *page;
	struct page *first;
	struct page *behind;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	page = alloc_page(GFP_KERNEL);
	if (!ST_CHECK(t, page, "no page"))
		return;
	ST_CHECK(t, !dma_release_from_contiguous(dev, page, 1), "kernel page");
	ST_CHECK(t, page_count(page) == 1, "it has %d references now",
		 page_count(page));
	__free_page(page);

	ST_CHECK(t, !dma_release_from_contiguous(dev, NULL, 1), "NULL");
	first = pfn_to_page(st_area_base_pfn(ST_DEFAULT));
	behind = first + st_area_pages(ST_DEFAULT);
	ST_CHECK(t, !dma_release_from_contiguous(dev, first - 1, 1),
		 "the page before the area");
	ST_CHECK(t, !dma_release_from_contiguous(dev, behind, 1),
		 "the page behind the area");
	ST_CHECK(t, !dma_release_from_contiguous(dev, behind - 1, 2),
		 "the last page and the one behind it");
	ST_CHECK(t, !dma_release_from_contiguous(dev, first - 1, 2),
		 "the first page and the one before it");
}

CMA_SELFTEST(st_free_release, "the release of pages that are not allocated is refused")
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long before;
	struct page *page;
	int i;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	page = dma_alloc_from_contiguous(dev, 8, 3);
	if (!ST_CHECK(t, page, "no buffer"))
		return;
	ST_CHECK(t, !dma_release_from_contiguous(dev, page, 0), "0 pages");
	ST_CHECK(t, !dma_release_from_contiguous(dev, page, -8), "-8 pages");
	for (i = 0; i < 8; i++)
		ST_CHECK(t, page_count(page + i) == 1,
			 "page %d has %d references", i, page_count(page + i));
	ST_CHECK(t, dma_release_from_contiguous(dev, page, 8), "refused");
	before = st_free_cma(ST_DEFAULT);
	ST_CHECK(t, !dma_release_from_contiguous(dev, page, 8),
		 "released twice");
	ST_CHECK(t, !dma_release_from_contiguous(dev, page + 3, 1),
		 "a page of it released twice");
	ST_CHECK(t, st_free_cma(ST_DEFAULT) <= before + 64 &&
		 st_free_cma(ST_DEFAULT) + 64 >= before,
		 "%lu pages were free, %lu are", before,
		 st_free_cma(ST_DEFAULT));
}

/* Free pages after the buffer would be released with it. */
CMA_SELFTEST(st_too_long, "a release of more than was allocated is refused")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct page *page;
	int i;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	/* after this the second 8 of 16 pages are free, whatever else is allocated */
	page = dma_alloc_from_contiguous(dev, 16, 4);
	if (!ST_CHECK(t, page, "no buffer"))
		return;
	ST_CHECK(t, dma_release_from_contiguous(dev, page + 8, 8),
		 "the second half of a buffer cannot be released");
	ST_CHECK(t, !dma_release_from_contiguous(dev, page, 16),
		 "16 pages released when 8 were held");
	ST_CHECK(t, !dma_release_from_contiguous(dev, page, 9),
		 "9 pages released when 8 were held");
	for (i = 0; i < 8; i++)
		ST_CHECK(t, page_count(page + i) == 1,
			 "page %d has %d references", i, page_count(page + i));
	ST_CHECK(t, dma_release_from_contiguous(dev, page, 8),
		 "release refused");
}

static void st_fill_and_drain(struct st *t, enum st_device which)
{
	struct device *dev = st_device(which);
	struct page **page;
	unsigned int max = st_area_pages(which) / 64 + 1;
	unsigned int nr = 0;

	page = kcalloc(max, sizeof(*page), GFP_KERNEL);
	if (!ST_CHECK(t, page, "no memory"))
		return;
	while (nr < max) {
		page[nr] = cma_alloc(dev_get_cma_area(dev), 64, 6, true);
		if (!page[nr])
			break;
		nr++;
	}
	ST_CHECK(t, nr < max, "more buffers than the area can hold");
	ST_CHECK(t, nr >= max / 2, "only %u buffers", nr);
	while (nr--)
		ST_CHECK(t, dma_release_from_contiguous(dev, page[nr], 64),
			 "release refused");
	kfree(page);
}

CMA_SELFTEST(st_fill, "an area filled with buffers gives NULL, and loses no page")
{
	unsigned long largest;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	largest = st_largest(ST_DEFAULT);
	st_fill_and_drain(t, ST_DEFAULT);
	st_check_no_loss(t, ST_DEFAULT, st_fill_and_drain);
	ST_CHECK(t, st_largest(ST_DEFAULT) == largest,
		 "largest buffer: %lu pages before, %lu after", largest,
		 st_largest(ST_DEFAULT));
}

static int st_count_areas(struct cma *cma, void *data)
{
	unsigned int *count = data;

	return ++*count == 1 ? 0 : -EXFULL;
}

CMA_SELFTEST(st_for_each, "the walk over the areas returns the callback's value")
{
	unsigned int count = 0;
	int ret;

	if (!st_need_area(t, ST_PRIVATE_1) || !st_need_area(t, ST_PRIVATE_2))
		return;
	ret = cma_for_each_area(st_count_areas, &count);
	ST_CHECK(t, ret == -EXFULL, "it returned %d", ret);
	ST_CHECK(t, count == 2, "%u areas were seen", count);
}

CMA_SELFTEST(st_valid, "cma_pages_valid() accepts the first and the last page")
{
	struct cma *cma = dev_get_cma_area(st_device(ST_DEFAULT));
	unsigned long nr;
	struct page *first;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	nr = st_area_pages(ST_DEFAULT);
	first = pfn_to_page(st_area_base_pfn(ST_DEFAULT));
	ST_CHECK(t, cma_pages_valid(cma, first, nr), "whole area");
	ST_CHECK(t, cma_pages_valid(cma, first + nr - 1, 1), "last page");
	ST_CHECK(t, !cma_pages_valid(cma, first, nr + 1), "one too many");
	ST_CHECK(t, !cma_pages_valid(cma, first - 1, 1), "one before");
	ST_CHECK(t, !cma_pages_valid(cma, first + nr, 1), "one behind");
	ST_CHECK(t, !cma_pages_valid(cma, first + 1, ULONG_MAX), "overflow");
	ST_CHECK(t, !cma_pages_valid(cma, NULL, 1), "NULL");
	ST_CHECK(t, !cma_pages_valid(NULL, first, 1), "no area");
}
