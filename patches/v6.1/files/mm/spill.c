// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim and the free pages of CMA blocks.
 *
 * A request that is not for movable pages cannot use free pages of CMA blocks.
 * When all other memory has filled up, reclaim would throw out page cache, and
 * the OOM killer would be invoked, while an area has plenty of free pages.
 * Movable pages are moved into CMA blocks instead ("spilled"):
 *
 *	spill_into_cma()	in direct reclaim, before anything is reclaimed
 *	spill_for_kswapd()	likewise in kswapd
 *	defer_oom()		before an OOM kill, down to the last CMA pages
 *
 * While CMA pages are plentiful, reclaiming one more of them helps nobody, and
 * reclaim_skips_page() leaves the pages of CMA blocks alone.
 *
 * Only pages that were really moved count as progress.  If none was moved,
 * reclaim and the OOM killer do what they would do without this file.
 */
#include <linux/jiffies.h>
#include <linux/memory_hotplug.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page-contig.h>
#include <linux/page-isolation.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include "internal.h"
#include "spill.h"

/* Pages moved at most before the watermark is checked again */
#define SPILL_BATCH		256UL

/* Free CMA pages of a zone that are left even before an OOM kill */
#define SPILL_LEAVE		32UL

/* Pages of a CMA block that are taken at a time */
#define SPILL_TARGETS		32UL

/* After a search that moved nothing, reclaim goes first for so long */
#define SPILL_BACKOFF		(HZ / 5)

/* An OOM kill is deferred for so long at most */
#define OOM_DEFER		(2 * HZ)

/* It can be deferred again when none was about to happen for so long */
#define OOM_QUIET		(5 * HZ)

/*
 * Pages that attempts to allocate a contiguous range keep out of the free
 * lists.  They are free again if the attempt fails.
 */
atomic_long_t contig_pages_in_flight = ATOMIC_LONG_INIT(0);

/* One attempt to spill pages of a zone */
struct spill {
	struct list_head targets;	/* taken from CMA blocks, not used yet */
	unsigned long	nr_seen;	/* pages that might be moved */
	unsigned long	nr_moved;
	bool		last;		/* the next step is an OOM kill */
};

/*
 * Movable requests use CMA pages first while these are more than half of the
 * free pages, and kswapd keeps the others near the high watermark.  A demand for
 * movable pages alone therefore leaves fewer free CMA pages than this, and then
 * all pages are reclaimed alike.  No movable request is short in a zone with so
 * many.
 */
static bool cma_is_plentiful(struct zone *zone)
{
	return zone_page_state(zone, NR_FREE_CMA_PAGES) >
	       2 * high_wmark_pages(zone) +
	       zone->lowmem_reserve[MAX_NR_ZONES - 1];
}

/* May CMA pages of this zone be used as targets? */
static bool may_take_targets(struct zone *zone, const struct spill *spill)
{
	if (spill->last)
		return zone_page_state(zone, NR_FREE_CMA_PAGES) > SPILL_LEAVE;
	return cma_is_plentiful(zone);
}

/* First zone of a node whose CMA pages may be used, or NULL */
static struct zone *zone_with_targets(pg_data_t *pgdat, const struct spill *spill)
{
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *zone = pgdat->node_zones + i;

		if (populated_zone(zone) && may_take_targets(zone, spill))
			return zone;
	}

	return NULL;
}

/* Take some pages of the smallest free CMA block, to keep large ones whole */
static void take_targets(struct zone *zone, struct list_head *targets)
{
	unsigned long pfn = 0, end, used_pfn, flags;
	unsigned int order;

	spin_lock_irqsave(&zone->lock, flags);
	for (order = 0; order < MAX_ORDER; order++) {
		struct page *page;

		page = get_page_from_free_area(&zone->free_area[order],
					       MIGRATE_CMA);
		if (!page)
			continue;
		pfn = page_to_pfn(page);
		break;
	}
	spin_unlock_irqrestore(&zone->lock, flags);

	if (order == MAX_ORDER)
		return;
	end = pfn + min(1UL << order, SPILL_TARGETS);
	if (!take_contig_range(pfn, end, MIGRATE_CMA, &used_pfn))
		return;
	for (; pfn < end; pfn++)
		list_add_tail(&pfn_to_page(pfn)->lru, targets);
}

/* Return a page of a CMA block to migrate_pages(), or NULL to make it give up */
static struct page *spill_target(struct page *page, unsigned long private)
{
	struct spill *spill = (struct spill *)private;
	struct page *target;

	if (list_empty(&spill->targets)) {
		struct zone *zone = zone_with_targets(page_pgdat(page), spill);

		if (zone)
			take_targets(zone, &spill->targets);
	}

	target = list_first_entry_or_null(&spill->targets, struct page, lru);
	if (target)
		list_del(&target->lru);
	return target;
}

/* Keep a page that migrate_pages() has not used */
static void keep_target(struct page *page, unsigned long private)
{
	struct spill *spill = (struct spill *)private;

	list_add(&page->lru, &spill->targets);
}

/*
 * May the contents of this locked page be in a CMA block?  Not if the owner
 * asked for pages that are not movable or not in high memory, as it does for the
 * buffers of a block device.
 */
static bool may_be_in_cma(struct page *page)
{
	gfp_t needed = __GFP_MOVABLE |
		       (IS_ENABLED(CONFIG_HIGHMEM) ? __GFP_HIGHMEM : 0);
	struct address_space *mapping;

	if (PageCompound(page))
		return false;
	if (PageAnon(page) || PageSwapCache(page))
		return true;
	mapping = page_mapping(page);
	return mapping && (mapping_gfp_mask(mapping) & needed) == needed;
}

/* Isolate a page from its LRU list if there is a chance to spill it */
static bool isolate_candidate(struct page *page, struct spill *spill,
			      struct list_head *pages)
{
	bool isolated = false;

	if (!PageLRU(page) || PageCompound(page) ||
	    (PageUnevictable(page) && !spill->last) ||
	    is_migrate_cma_page(page) || is_migrate_isolate_page(page) ||
	    !get_page_unless_zero(page))
		return false;

	if (!trylock_page(page)) {
		/* It may be possible to move it later */
		spill->nr_seen++;
	} else {
		if (may_be_in_cma(page)) {
			spill->nr_seen++;
			isolated = !isolate_lru_page(page);
		}
		unlock_page(page);
	}

	if (isolated) {
		mod_node_page_state(page_pgdat(page), NR_ISOLATED_ANON +
				    page_is_file_lru(page), 1);
		list_add_tail(&page->lru, pages);
	}
	put_page(page);
	return isolated;
}

/*
 * Isolate up to @nr_pages pages outside of CMA blocks.  They are neighbours if
 * possible, so that larger blocks become free, too.
 */
static void isolate_to_spill(struct zone *zone, struct spill *spill,
			     unsigned long nr_pages, struct list_head *pages)
{
	static unsigned long next_pfn;	/* to resume at; races are harmless */
	unsigned long start = zone->zone_start_pfn, end = zone_end_pfn(zone);
	unsigned long pfn = next_pfn, nr_scanned;

	for (nr_scanned = 0; nr_scanned < zone->spanned_pages && nr_pages;
	     nr_scanned++, pfn++) {
		struct page *page;

		if (pfn < start || pfn >= end)
			pfn = start;
		if (!(nr_scanned % MAX_ORDER_NR_PAGES))
			cond_resched();
		page = pfn_to_online_page(pfn);
		if (page && page_zone(page) == zone &&
		    isolate_candidate(page, spill, pages))
			nr_pages--;
	}

	next_pfn = pfn;
}

/* Move up to @nr_pages pages of a zone into CMA blocks.  Returns how many. */
static unsigned long spill_pages(struct zone *zone, struct spill *spill,
				 unsigned long nr_pages)
{
	struct page *page, *next;
	unsigned int nr_moved = 0;
	LIST_HEAD(pages);

	INIT_LIST_HEAD(&spill->targets);
	/* Pages that wait on lists of this CPU can be neither isolated nor used */
	lru_add_drain_cpu_zone(NULL);
	isolate_to_spill(zone, spill, nr_pages, &pages);
	if (list_empty(&pages))
		return 0;

	migrate_pages(&pages, spill_target, keep_target, (unsigned long)spill,
		      MIGRATE_ASYNC, MR_CONTIG_RANGE, &nr_moved);
	putback_movable_pages(&pages);

	list_for_each_entry_safe(page, next, &spill->targets, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	/* The freed pages are on lists that only movable requests look at */
	lru_add_drain_cpu_zone(NULL);
	spill->nr_moved += nr_moved;
	return nr_moved;
}

/* Pages that a zone lacks to reach @mark without its free CMA pages */
static unsigned long spill_deficit(struct zone *zone, unsigned int order,
				   unsigned long mark)
{
	long nr_free = zone_page_state(zone, NR_FREE_PAGES) -
		       zone_page_state(zone, NR_FREE_CMA_PAGES);

	/* Many neighbours are needed for a larger block */
	if (order)
		return SPILL_BATCH;
	return clamp_t(long, (long)mark - nr_free + SWAP_CLUSTER_MAX,
		       SWAP_CLUSTER_MAX, SPILL_BATCH);
}

/* Spill from a zone that is below @mark without its free CMA pages */
static unsigned long spill_zone(struct zone *zone, unsigned int order,
				unsigned long mark, int highest_zoneidx,
				struct spill *spill)
{
	/* Races are harmless here, too */
	static unsigned long barren_until;
	static struct zone *barren_zone;
	unsigned long nr_moved;

	if (!zone_with_targets(zone->zone_pgdat, spill) ||
	    zone_watermark_ok_safe(zone, order, mark, highest_zoneidx))
		return 0;
	if (!spill->last && zone == barren_zone &&
	    time_before(jiffies, barren_until))
		return 0;

	mark += zone->lowmem_reserve[highest_zoneidx];
	nr_moved = spill_pages(zone, spill, spill_deficit(zone, order, mark));
	if (!nr_moved) {
		barren_until = jiffies + SPILL_BACKOFF;
		barren_zone = zone;
	}
	return nr_moved;
}

/* Spill from the first zone of a request that has pages to move */
static void spill_zonelist(const struct alloc_context *ac, unsigned int order,
			   struct spill *spill)
{
	unsigned int noreclaim = memalloc_noreclaim_save();
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		unsigned long mark = low_wmark_pages(zone) + (2UL << order);

		if (spill_zone(zone, order, mark, ac->highest_zoneidx, spill))
			break;
	}

	memalloc_noreclaim_restore(noreclaim);
}

/**
 * spill_into_cma() - make room for a request that cannot use CMA pages
 * @gfp_mask: flags of the request; nothing is moved unless they include all of
 *	GFP_KERNEL but not __GFP_MOVABLE, and if they include __GFP_NORETRY and
 *	@order is not 0
 * @order: order of the request; nothing is moved above PAGE_ALLOC_COSTLY_ORDER
 * @ac: zones and nodes of the request
 *
 * Moves up to 256 movable pages of the first zone that is short of other pages
 * into CMA blocks, if CMA pages are plentiful.
 *
 * Context: direct reclaim.  Takes the locks that direct compaction takes, does
 * not wait for I/O and does not allocate.
 * Return: number of pages moved.  If it is 0, the caller has to reclaim.
 */
unsigned long spill_into_cma(gfp_t gfp_mask, unsigned int order,
			     const struct alloc_context *ac)
{
	struct spill spill = { .last = false };

	if ((gfp_mask & __GFP_MOVABLE) ||
	    (current_gfp_context(gfp_mask) & GFP_KERNEL) != GFP_KERNEL ||
	    order > PAGE_ALLOC_COSTLY_ORDER ||
	    (order && (gfp_mask & __GFP_NORETRY)))
		return 0;

	spill_zonelist(ac, order, &spill);
	return spill.nr_moved;
}

/* Can waiting for a moment help, and was there not enough of it already? */
static bool may_wait_for_pages(const struct spill *spill)
{
	/* Races are harmless: a kill happens a little sooner or later */
	static unsigned long first, previous;
	unsigned long now = jiffies;

	if (!spill->nr_seen && !atomic_long_read(&contig_pages_in_flight))
		return false;

	if (time_after(now, previous + OOM_QUIET) || time_before(now, first))
		first = now;
	previous = now;
	return time_before(now, first + OOM_DEFER);
}

/*
 * The watermarks are raised for a while after a pageblock was used for pages of
 * another type.  Nobody is killed for that.  kswapd lowers them again, but not if it
 * has given up, as it does when the pages that are left to reclaim are in CMA blocks.
 */
static bool lower_boosted_watermarks(const struct alloc_context *ac)
{
	bool lowered = false;
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		unsigned long flags;

		if (!zone_cma_pages(zone) || !zone->watermark_boost)
			continue;
		spin_lock_irqsave(&zone->lock, flags);
		zone->watermark_boost = 0;
		spin_unlock_irqrestore(&zone->lock, flags);
		lowered = true;
	}

	return lowered;
}

/**
 * defer_oom() - find out whether an OOM kill can be avoided
 * @gfp_mask: flags of the request that has found no page
 * @order: order of the request
 * @ac: zones and nodes of the request
 *
 * If the request cannot use CMA pages, movable pages are moved into CMA blocks
 * even if few CMA pages are left.  If no page could be moved at the moment, or
 * if pages are kept out of the free lists by attempts to allocate a contiguous
 * range, waiting helps.
 *
 * Context: slow path of the page allocator, with PF_MEMALLOC not set.  Does not
 * wait for I/O.
 * Return: true if the request should be tried again instead, after a moment.
 * This is so for two seconds at most unless pages were moved.
 */
bool defer_oom(gfp_t gfp_mask, unsigned int order,
	       const struct alloc_context *ac)
{
	struct spill spill = { .last = true };

	/* Nothing would be killed for these */
	if ((current_gfp_context(gfp_mask) & GFP_KERNEL) != GFP_KERNEL ||
	    (gfp_mask & (__GFP_RETRY_MAYFAIL | __GFP_THISNODE)) ||
	    order > PAGE_ALLOC_COSTLY_ORDER ||
	    ac->highest_zoneidx < ZONE_NORMAL)
		return false;

	if (lower_boosted_watermarks(ac))
		return true;
	if (!(gfp_mask & __GFP_MOVABLE))
		spill_zonelist(ac, order, &spill);

	return spill.nr_moved || may_wait_for_pages(&spill);
}

/* Should kswapd leave the pages where they are for now? */
static bool contig_is_busy(struct zone *zone, int highest_zoneidx)
{
	return atomic_long_read(&contig_pages_in_flight) &&
	       zone_watermark_ok_safe(zone, 0, min_wmark_pages(zone),
				      highest_zoneidx);
}

/**
 * spill_for_kswapd() - raise the zones of a node above their high watermarks
 * @pgdat: node that is being balanced
 * @order: order of the requests; 0 is used above PAGE_ALLOC_COSTLY_ORDER
 * @highest_zoneidx: index of the highest zone of the requests
 * @nr_reclaimed: the number of pages that were moved is added
 *
 * Moves pages into CMA blocks as long as CMA pages are plentiful; one batch if
 * @order is not 0.  While a contiguous range is being emptied, nothing is moved in a
 * zone unless it is below its min watermark: pages would be moved into CMA blocks
 * and out of them at the same time.
 *
 * Context: kswapd.  Does not wait for I/O and does not allocate.
 * Return: true if CMA pages were plentiful.  Then nothing need be reclaimed merely
 * to make room for pages that are grouped by type.
 */
bool spill_for_kswapd(pg_data_t *pgdat, unsigned int order, int highest_zoneidx,
		      unsigned long *nr_reclaimed)
{
	struct spill spill = { .last = false };
	int i;

	if (!zone_with_targets(pgdat, &spill))
		return false;
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		order = 0;

	for (i = 0; i <= highest_zoneidx; i++) {
		struct zone *zone = pgdat->node_zones + i;

		if (!managed_zone(zone))
			continue;
		while (!contig_is_busy(zone, highest_zoneidx) &&
		       spill_zone(zone, order, high_wmark_pages(zone),
				  highest_zoneidx, &spill) && !order)
			;
	}

	*nr_reclaimed += spill.nr_moved;
	return true;
}

/**
 * reclaim_skips_cma() - check whether CMA pages of a zone are not short
 * @zone: zone that is being reclaimed
 * @gfp_mask: flags of the request that is short of pages, GFP_KERNEL in kswapd;
 *	reclaim of a memory cgroup or for hibernation has __GFP_MOVABLE set
 *
 * Context: any.
 * Return: true if reclaim is for requests that cannot use CMA pages, which are
 * plentiful in this zone.
 */
bool reclaim_skips_cma(struct zone *zone, gfp_t gfp_mask)
{
	return !(gfp_mask & __GFP_MOVABLE) && cma_is_plentiful(zone);
}
