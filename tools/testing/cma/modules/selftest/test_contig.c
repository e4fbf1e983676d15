// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of alloc_contig_range() and free_contig_range()
 */
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "selftest.h"

#define ST_RANGE	300	/* pages: no power of two, not all of a block */

/* A free range in the second half of the area. */
static unsigned long st_free_range(struct st *t)
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long pfn;
	struct page *page;

	if (!st_need_area(t, ST_DEFAULT))
		return 0;
	page = dma_alloc_from_contiguous(dev, 2 * ST_RANGE, 0);
	if (!ST_CHECK(t, page, "no buffer"))
		return 0;
	pfn = page_to_pfn(page) + 7;
	ST_CHECK(t, dma_release_from_contiguous(dev, page, 2 * ST_RANGE),
		 "release refused");
	return pfn;
}

static void st_contig_cycle(struct st *t, enum st_device which)
{
	unsigned long pfn = st_free_range(t);
	unsigned long i;
	int ret;

	if (!pfn)
		return;
	ret = alloc_contig_range(pfn, pfn + ST_RANGE, MIGRATE_CMA);
	if (!ST_CHECK(t, !ret, "error %d", ret))
		return;
	for (i = 0; i < ST_RANGE; i++)
		ST_CHECK(t, page_count(pfn_to_page(pfn + i)) == 1,
			 "page %lu has %d references", i,
			 page_count(pfn_to_page(pfn + i)));
	free_contig_range(pfn, ST_RANGE);
}

CMA_SELFTEST(st_contig_free, "a free range can be taken, with one reference to each page")
{
	if (!st_need_area(t, ST_DEFAULT))
		return;
	st_check_no_loss(t, ST_DEFAULT, st_contig_cycle);
}

static void st_contig_page_by_page(struct st *t, enum st_device which)
{
	unsigned long pfn = st_free_range(t);
	unsigned long i;
	int ret;

	if (!pfn)
		return;
	ret = alloc_contig_range(pfn, pfn + ST_RANGE, MIGRATE_CMA);
	if (!ST_CHECK(t, !ret, "error %d", ret))
		return;
	for (i = 0; i < ST_RANGE; i += 2)
		free_contig_range(pfn + i, 1);
	for (i = 1; i < ST_RANGE; i += 2)
		free_contig_range(pfn + i, 1);
}

CMA_SELFTEST(st_contig_pieces, "a range can be returned in pieces")
{
	if (!st_need_area(t, ST_DEFAULT))
		return;
	st_check_no_loss(t, ST_DEFAULT, st_contig_page_by_page);
}

/* The page in the middle is a driver's and cannot be moved. */
static void st_contig_held(struct st *t, enum st_device which)
{
	unsigned long pfn = st_free_range(t);
	unsigned long middle = pfn + ST_RANGE / 2;
	int ret;

	if (!pfn)
		return;
	ret = alloc_contig_range(middle, middle + 1, MIGRATE_CMA);
	if (!ST_CHECK(t, !ret, "the page in the middle: error %d", ret))
		return;
	ret = alloc_contig_range(pfn, pfn + ST_RANGE, MIGRATE_CMA);
	if (!ret)
		free_contig_range(pfn, ST_RANGE);
	ST_CHECK(t, ret == -EBUSY, "%d, not -EBUSY", ret);
	ST_CHECK(t, page_count(pfn_to_page(middle)) == 1,
		 "the page in the middle has %d references",
		 page_count(pfn_to_page(middle)));
	free_contig_range(middle, 1);
	ret = alloc_contig_range(pfn, pfn + ST_RANGE, MIGRATE_CMA);
	if (ST_CHECK(t, !ret, "error %d, with all of it free", ret))
		free_contig_range(pfn, ST_RANGE);
}

CMA_SELFTEST(st_contig_busy, "a range with a page that is held fails with -EBUSY")
{
	if (!st_need_area(t, ST_DEFAULT))
		return;
	st_check_no_loss(t, ST_DEFAULT, st_contig_held);
}

CMA_SELFTEST(st_contig_slab, "a range with a slab page fails with -EBUSY")
{
	unsigned long start;
	char *object;
	int ret;

	object = kmalloc(512, GFP_KERNEL);
	if (!ST_CHECK(t, object, "no memory"))
		return;
	memset(object, 0x5a, 512);
	start = page_to_pfn(virt_to_page(object));
	ret = alloc_contig_range(start, start + 1, MIGRATE_MOVABLE);
	if (!ret)
		free_contig_range(start, 1);
	ST_CHECK(t, ret == -EBUSY, "%d, not -EBUSY", ret);
	ST_CHECK(t, st_is_filled(object, 0x5a, 512), "its contents changed");
	kfree(object);
}

/* A block of the area must not become available for other allocations. */
CMA_SELFTEST(st_contig_type, "a range of the area as another type fails with -EBUSY")
{
	unsigned long pfn = st_free_range(t);
	int ret;

	if (!pfn)
		return;
	ret = alloc_contig_range(pfn, pfn + ST_RANGE, MIGRATE_MOVABLE);
	if (!ret)
		free_contig_range(pfn, ST_RANGE);
	ST_CHECK(t, ret == -EBUSY, "%d, not -EBUSY", ret);
	ret = alloc_contig_range(pfn, pfn + ST_RANGE, MIGRATE_CMA);
	if (ST_CHECK(t, !ret, "error %d afterwards", ret))
		free_contig_range(pfn, ST_RANGE);
}

/* Slab pages never come from the area, however much of it is free. */
CMA_SELFTEST(st_unmovable, "unmovable pages do not come from the area")
{
	struct page *page[64];
	unsigned int nr;
	unsigned int i;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	for (nr = 0; nr < ARRAY_SIZE(page); nr++) {
		page[nr] = alloc_pages(GFP_KERNEL | __GFP_NOWARN |
				       __GFP_NORETRY |
				       (nr & 1 ? __GFP_RECLAIMABLE : 0),
				       nr % 8);
		if (!page[nr])
			break;
	}
	ST_CHECK(t, nr, "no page at all");
	for (i = 0; i < nr; i++) {
		ST_CHECK(t, !st_in_area(ST_DEFAULT, page[i], 1),
			 "page %#lx", page_to_pfn(page[i]));
		__free_pages(page[i], i % 8);
	}
}

static long st_list_length(struct list_head *list)
{
	struct list_head *entry;
	long length = 0;

	list_for_each(entry, list)
		length++;
	return length;
}

/* Compare the counters of a zone with what is on its free lists. */
static void st_check_counters(struct st *t, struct zone *zone)
{
	long pages = 0, blocks = 0;
	unsigned long flags;
	unsigned int order;

	spin_lock_irqsave(&zone->lock, flags);
	for (order = 0; order < MAX_ORDER; order++) {
		struct free_area *area = &zone->free_area[order];
		long cma = st_list_length(&area->free_list[MIGRATE_CMA]);
		long found = cma +
			st_list_length(&area->free_list[MIGRATE_ISOLATE]);
		long counted = special_blocks(area, found);

		pages -= cma << order;
		if (counted != found)
			blocks++;
	}
	pages += zone_page_state_snapshot(zone, NR_FREE_CMA_PAGES);
	spin_unlock_irqrestore(&zone->lock, flags);

	ST_CHECK(t, !pages, "nr_free_cma has %ld pages too many", pages);
	ST_CHECK(t, !blocks, "%ld orders count other blocks than they have",
		 blocks);
}

CMA_SELFTEST(st_contig_counters, "free pages of areas are counted while single ones are in use")
{
	struct zone *zone;
	struct page *page;
	LIST_HEAD(pages);
	int i;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	zone = page_zone(pfn_to_page(st_free_range(t)));
	for (i = 0; i < ST_RANGE; i++) {
		page = alloc_page(GFP_HIGHUSER_MOVABLE);
		if (!page)
			break;
		list_add(&page->lru, &pages);
	}
	st_check_counters(t, zone);
	while (!list_empty(&pages)) {
		page = list_first_entry(&pages, struct page, lru);
		list_del(&page->lru);
		__free_page(page);
	}
	st_check_counters(t, zone);
}
