/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounting of free pages that not everybody may have: those in MIGRATE_CMA
 * blocks, which only movable allocations use, and those in MIGRATE_ISOLATE
 * blocks, which nobody uses.
 *
 * The page allocator counts every free page in NR_FREE_PAGES and every free
 * block in free_area.nr_free.  The helpers here stand beside those lines and
 * correct them:
 *
 *	NR_FREE_PAGES		leaves out isolated pages
 *	NR_FREE_CMA_PAGES	free pages in MIGRATE_CMA blocks
 *	free_area.nr_special	free blocks of both types
 *
 * zone->lock guards all three.  With CONFIG_CMA=n the helpers are empty.
 */
#ifndef __MM_FREEPAGE_H
#define __MM_FREEPAGE_H

#include <linux/highmem.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>
#include "internal.h"

/* Allocation flag beside those in page_alloc.c: MIGRATE_CMA will do */
#define ALLOC_CMA	0x80

#ifdef CONFIG_CMA

static inline bool is_migrate_special(int migratetype)
{
	return migratetype == MIGRATE_CMA || migratetype == MIGRATE_ISOLATE;
}

/* A free block was put on (nr = 1) or taken off (nr = -1) a free list */
static inline void account_special_block(struct free_area *area, long nr,
					 int migratetype)
{
	if (unlikely(is_migrate_special(migratetype)))
		area->nr_special += nr;
}

/* NR_FREE_PAGES was changed by nr pages of this type */
static inline void account_special_pages(struct zone *zone, long nr,
					 int migratetype)
{
	if (unlikely(migratetype == MIGRATE_CMA))
		__mod_zone_page_state(zone, NR_FREE_CMA_PAGES, nr);
	else if (unlikely(migratetype == MIGRATE_ISOLATE))
		__mod_zone_page_state(zone, NR_FREE_PAGES, -nr);
}

/*
 * The free list that a page goes to.  A page may wait on a per-cpu list, or
 * for zone->lock, while its block is isolated or given back: only what the
 * block is now counts.
 */
static inline int freed_page_migratetype(struct page *page, int migratetype)
{
	return get_pageblock_migratetype(page);
}

/*
 * Blocks merge up to MAX_ORDER - 1.  Where that is more than one pageblock,
 * an isolated one must not merge with its neighbour.
 */
static inline bool may_merge(struct page *buddy, unsigned int order,
			     int migratetype)
{
	int buddy_type;

	if (pageblock_order >= MAX_ORDER - 1 || order < pageblock_order)
		return true;

	buddy_type = get_pageblock_migratetype(buddy);
	return buddy_type == migratetype ||
	       (!is_migrate_special(buddy_type) &&
		!is_migrate_special(migratetype));
}

/*
 * Movable allocations go to MIGRATE_CMA blocks as soon as those hold more than
 * half of the free pages.  Later would let the rest of the zone run out while
 * CMA pages are free, earlier would fill an area that a driver is about to
 * want with pages that have to be moved out again.
 */
static inline bool cma_goes_first(struct zone *zone, int migratetype)
{
	return migratetype == MIGRATE_MOVABLE &&
	       zone_page_state(zone, NR_FREE_CMA_PAGES) >
	       zone_page_state(zone, NR_FREE_PAGES) / 2;
}

/* The last resort before the blocks of other types are broken up */
static inline bool cma_goes_next(int migratetype)
{
	return migratetype == MIGRATE_MOVABLE;
}

static inline int cma_alloc_flags(int migratetype)
{
	return migratetype == MIGRATE_MOVABLE ? ALLOC_CMA : 0;
}

/* Free pages that a request without ALLOC_CMA cannot have */
static inline long unusable_free_pages(struct zone *zone, int alloc_flags)
{
	if (alloc_flags & ALLOC_CMA)
		return 0;
	return zone_page_state(zone, NR_FREE_CMA_PAGES);
}

/* Free blocks of one order that are not in the pages counted as free */
static inline long unusable_free_blocks(struct free_area *area, int alloc_flags)
{
	if (alloc_flags & ALLOC_CMA)
		return 0;
	return area->nr_special;
}

/*
 * A block that is isolated already is somebody else's, and a CMA block must
 * not come back as another type.
 */
static inline bool isolation_refused(struct page *page, int migratetype)
{
	int type = get_pageblock_migratetype(page);

	return type == MIGRATE_ISOLATE ||
	       (type == MIGRATE_CMA) != (migratetype == MIGRATE_CMA);
}

/*
 * nr_pages free pages of a block of @migratetype went into isolation, or came
 * back if negative.  Blocks on MIGRATE_CMA lists are in nr_special before and
 * after.
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

/*
 * Where the first pageblock of a zone begins.  A zone may begin in the middle
 * of a block, and the types of its blocks must still be those of aligned ones.
 */
static inline unsigned long first_pageblock_pfn(struct zone *zone)
{
	return zone->zone_start_pfn & ~(pageblock_nr_pages - 1);
}

/* Pages that such a zone has room for in its map of types, beside its own */
static inline unsigned long extra_usemap_pages(void)
{
	return pageblock_nr_pages;
}

unsigned long spill_into_cma(struct zone *zone, unsigned int order,
			     gfp_t gfp_mask);

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

static inline bool may_merge(struct page *buddy, unsigned int order,
			     int migratetype)
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

static inline unsigned long first_pageblock_pfn(struct zone *zone)
{
	return zone->zone_start_pfn;
}

static inline unsigned long extra_usemap_pages(void)
{
	return 0;
}

static inline unsigned long spill_into_cma(struct zone *zone,
					   unsigned int order, gfp_t gfp_mask)
{
	return 0;
}

#endif /* CONFIG_CMA */

/* Pages that were reserved at boot become free memory */
static inline void count_highmem_pages(struct page *page, long nr_pages)
{
#ifdef CONFIG_HIGHMEM
	if (PageHighMem(page))
		totalhigh_pages += nr_pages;
#endif
}

#endif /* __MM_FREEPAGE_H */
