/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounting of free pages that not every request can use: pages in MIGRATE_CMA
 * blocks, which only movable allocations may use, and pages in MIGRATE_ISOLATE
 * blocks, which cannot be allocated.
 *
 * The page allocator counts every free page in NR_FREE_PAGES and every free
 * block in free_area.nr_free.  The helpers here are called next to that code,
 * and correct the counters so that:
 *
 *	NR_FREE_PAGES		excludes isolated pages
 *	NR_FREE_CMA_PAGES	counts free pages in MIGRATE_CMA blocks
 *	free_area.nr_special	counts free blocks of both types
 *
 * zone->lock protects all three.  With CONFIG_CMA=n the helpers are empty.
 */
#ifndef __MM_FREEPAGE_H
#define __MM_FREEPAGE_H

#include <linux/highmem.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>
#include "internal.h"

/* Allocation flag in addition to those of page_alloc.c: may use MIGRATE_CMA */
#define ALLOC_CMA	0x80

#ifdef CONFIG_CMA

static inline bool is_migrate_special(int migratetype)
{
	return migratetype == MIGRATE_CMA || migratetype == MIGRATE_ISOLATE;
}

/* Account a free block that is added to (nr = 1) or removed from (-1) a list */
static inline void account_special_block(struct free_area *area, long nr,
					 int migratetype)
{
	if (unlikely(is_migrate_special(migratetype)))
		area->nr_special += nr;
}

/* Correct the counters after NR_FREE_PAGES changed by nr pages of a type */
static inline void account_special_pages(struct zone *zone, long nr,
					 int migratetype)
{
	if (unlikely(migratetype == MIGRATE_CMA))
		__mod_zone_page_state(zone, NR_FREE_CMA_PAGES, nr);
	else if (unlikely(migratetype == MIGRATE_ISOLATE))
		__mod_zone_page_state(zone, NR_FREE_PAGES, -nr);
}

/*
 * Return the type of the free list that a page belongs on.  The block may have
 * been isolated, or its isolation undone, while the page was on a per-cpu list
 * or its CPU waited for zone->lock, so the type is read again.
 */
static inline int freed_page_migratetype(struct page *page, int migratetype)
{
	return get_pageblock_migratetype(page);
}

/* The type that a freed page had before zone->lock was taken: not needed */
static inline int unlocked_migratetype(struct page *page)
{
	return MIGRATE_UNMOVABLE;
}

/*
 * Free blocks merge up to order MAX_ORDER - 1.  Where that is larger than a
 * pageblock, a CMA or isolated pageblock must not merge with a neighbour of
 * another type.
 */
static inline bool may_merge(struct page *page, struct page *buddy,
			     unsigned int order)
{
	int type, buddy_type;

	if (pageblock_order >= MAX_ORDER - 1 || order < pageblock_order)
		return true;
	/* The caller refuses it */
	if (!PageBuddy(buddy))
		return true;

	type = get_pageblock_migratetype(page);
	buddy_type = get_pageblock_migratetype(buddy);
	return buddy_type == type ||
	       (!is_migrate_special(buddy_type) && !is_migrate_special(type));
}

/*
 * While a range is being emptied, its pages had better not move to other CMA
 * blocks, from which the next request would have to move them again.  The other
 * free pages of the zone are used until they are as few as kswapd leaves.
 */
static inline bool contig_needs_others(struct zone *zone)
{
	return atomic_long_read(&contig_pages_in_flight) &&
	       zone_page_state(zone, NR_FREE_PAGES) >
	       zone_page_state(zone, NR_FREE_CMA_PAGES) +
	       high_wmark_pages(zone);
}

/*
 * Movable allocations use MIGRATE_CMA blocks first when these hold more than
 * half of the free pages.  A higher threshold would exhaust the rest of the
 * zone while CMA pages are free.  A lower one would fill an area with pages
 * that have to be moved out again when a driver needs it.
 */
static inline bool cma_goes_first(struct zone *zone, int migratetype)
{
	return migratetype == MIGRATE_MOVABLE &&
	       zone_page_state(zone, NR_FREE_CMA_PAGES) >
	       zone_page_state(zone, NR_FREE_PAGES) / 2 &&
	       !contig_needs_others(zone);
}

/* Movable allocations use CMA blocks before they steal from other types */
static inline bool cma_goes_next(int migratetype)
{
	return migratetype == MIGRATE_MOVABLE;
}

static inline int cma_alloc_flags(int migratetype)
{
	return migratetype == MIGRATE_MOVABLE ? ALLOC_CMA : 0;
}

/* Free pages that a request without ALLOC_CMA cannot use */
static inline long unusable_free_pages(struct zone *zone, int alloc_flags)
{
	if (alloc_flags & ALLOC_CMA)
		return 0;
	return zone_page_state(zone, NR_FREE_CMA_PAGES);
}

/* Free blocks of one order that a request without ALLOC_CMA cannot use */
static inline long unusable_free_blocks(struct free_area *area, int alloc_flags)
{
	if (alloc_flags & ALLOC_CMA)
		return 0;
	return area->nr_special;
}

/*
 * Refuse a block that another caller has isolated, and one that would change
 * into or out of MIGRATE_CMA when its isolation is undone.
 */
static inline bool isolation_refused(struct page *page, int migratetype)
{
	int type = get_pageblock_migratetype(page);

	return type == MIGRATE_ISOLATE ||
	       (type == MIGRATE_CMA) != (migratetype == MIGRATE_CMA);
}

/*
 * Account nr_pages free pages of a block of @migratetype that became isolated,
 * or whose isolation was undone if nr_pages is negative.  Free blocks of type
 * MIGRATE_CMA are in nr_special before and after.
 */
static inline void account_isolation(struct zone *zone, struct page *page,
				     int migratetype, long nr_pages)
{
	unsigned long pfn = page_to_pfn(page) & ~(pageblock_nr_pages - 1);
	unsigned long end = pfn + pageblock_nr_pages;

	__mod_zone_page_state(zone, NR_FREE_PAGES, -nr_pages);
	account_special_pages(zone, -nr_pages, migratetype);
	if (migratetype == MIGRATE_CMA)
		return;

	while (nr_pages && pfn < end) {
		if (!pfn_valid_within(pfn) || !PageBuddy(pfn_to_page(pfn))) {
			pfn++;
			continue;
		}
		account_special_block(&zone->free_area[page_order(pfn_to_page(pfn))],
				      nr_pages > 0 ? 1 : -1, MIGRATE_ISOLATE);
		pfn += 1UL << page_order(pfn_to_page(pfn));
	}
}

/* From mm/spill.c */
void contig_yield(void);
unsigned long spill_into_cma(struct zonelist *zonelist, unsigned int order,
			     gfp_t gfp_mask, nodemask_t *nodemask);
unsigned long spill_for_kswapd(struct zone *zone, unsigned long mark,
			       int classzone_idx);
bool defer_oom(struct zonelist *zonelist, unsigned int order, gfp_t gfp_mask,
	       nodemask_t *nodemask, unsigned long *since);
bool reclaim_skips_cma(struct zone *zone, gfp_t gfp_mask);

/* Is reclaiming this page of no use for the requests that are short of pages? */
static inline bool reclaim_skips_page(struct zone *zone, struct page *page,
				      gfp_t gfp_mask)
{
	return is_migrate_cma(get_pageblock_migratetype(page)) &&
	       reclaim_skips_cma(zone, gfp_mask);
}

#else /* !CONFIG_CMA */

#define MIGRATE_CMA	MIGRATE_TYPES	/* for code that is compiled out */

static inline bool is_migrate_special(int migratetype)
{
	return false;
}

static inline void account_special_block(struct free_area *area, long nr,
					 int migratetype)
{
}

static inline void account_special_pages(struct zone *zone, long nr,
					 int migratetype)
{
}

static inline int freed_page_migratetype(struct page *page, int migratetype)
{
	return migratetype;
}

static inline int unlocked_migratetype(struct page *page)
{
	return get_pageblock_migratetype(page);
}

static inline bool may_merge(struct page *page, struct page *buddy,
			     unsigned int order)
{
	return true;
}

static inline bool cma_goes_first(struct zone *zone, int migratetype)
{
	return false;
}

static inline bool cma_goes_next(int migratetype)
{
	return false;
}

static inline int cma_alloc_flags(int migratetype)
{
	return 0;
}

static inline long unusable_free_pages(struct zone *zone, int alloc_flags)
{
	return 0;
}

static inline long unusable_free_blocks(struct free_area *area, int alloc_flags)
{
	return 0;
}

static inline bool isolation_refused(struct page *page, int migratetype)
{
	return false;
}

static inline void account_isolation(struct zone *zone, struct page *page,
				     int migratetype, long nr_pages)
{
}

static inline unsigned long spill_into_cma(struct zonelist *zonelist,
					   unsigned int order, gfp_t gfp_mask,
					   nodemask_t *nodemask)
{
	return 0;
}

static inline unsigned long spill_for_kswapd(struct zone *zone,
					     unsigned long mark,
					     int classzone_idx)
{
	return 0;
}

static inline bool defer_oom(struct zonelist *zonelist, unsigned int order,
			     gfp_t gfp_mask, nodemask_t *nodemask,
			     unsigned long *since)
{
	return false;
}

static inline bool reclaim_skips_page(struct zone *zone, struct page *page,
				      gfp_t gfp_mask)
{
	return false;
}

#endif /* CONFIG_CMA */

/* Count pages that were reserved at boot and become free memory */
static inline void count_highmem_pages(struct page *page, long nr_pages)
{
#ifdef CONFIG_HIGHMEM
	if (PageHighMem(page))
		totalhigh_pages += nr_pages;
#endif
}

#endif /* __MM_FREEPAGE_H */
