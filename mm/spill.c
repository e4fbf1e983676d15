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
#include <linux/bitmap.h>
#include <linux/contig.h>
#include <linux/jiffies.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/page-isolation.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include "internal.h"
#include "freepage.h"

/* Pages moved at most before the watermark is checked again */
#define SPILL_BATCH		256UL

/* Free CMA pages of a zone that are left even before an OOM kill */
#define SPILL_LEAVE		32UL

/* Pages of a CMA block that are taken at a time */
#define SPILL_TARGETS		32UL

/* Attempts to move one page; each of them uses up a target */
#define SPILL_TRIES		3U

/* After a search that moved nothing, reclaim goes first for so long */
#define SPILL_BACKOFF		(HZ / 5)

/* A request waits for so long at most before a process is killed for it */
#define OOM_DEFER		(2 * HZ)

/* Attempts to allocate a range let such a request go first, for so long at most */
#define CONTIG_YIELD		max(2, HZ / 50)

/* When an attempt last began. Races are harmless. */
static unsigned long contig_was_busy = INITIAL_JIFFIES - HZ;

/* Until then a request waits for these pages. Races are harmless. */
static unsigned long oom_waits_until = INITIAL_JIFFIES;

/* Zones in which pages of CMA blocks were skipped, see zone_bit() */
static DECLARE_BITMAP(skipped_zones, MAX_NUMNODES * MAX_NR_ZONES);

/* One attempt to spill pages */
struct spill {
	struct list_head targets;	/* taken from CMA blocks, not used yet */
	unsigned long	nr_seen;	/* pages that might be moved */
	unsigned long	nr_moved;
	unsigned int	nr_tries;	/* targets used for the current page */
	bool		last;		/* the next step is an OOM kill */
};

static unsigned int zone_bit(struct zone *zone)
{
	return zone_to_nid(zone) * MAX_NR_ZONES + zone_idx(zone);
}

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

static bool has_targets(const struct spill *spill)
{
	struct zone *zone;

	for_each_populated_zone(zone)
		if (may_take_targets(zone, spill))
			return true;
	return false;
}

/* Take some pages of the smallest free CMA block, to keep large ones whole */
static bool take_targets(struct zone *zone, struct list_head *targets)
{
	unsigned long pfn = 0, end, used_pfn, flags;
	unsigned int order;

	spin_lock_irqsave(&zone->lock, flags);
	for (order = 0; order < MAX_ORDER; order++) {
		struct list_head *list;

		list = &zone->free_area[order].free_list[MIGRATE_CMA];
		if (list_empty(list))
			continue;
		pfn = page_to_pfn(list_first_entry(list, struct page, lru));
		break;
	}
	spin_unlock_irqrestore(&zone->lock, flags);

	if (order == MAX_ORDER)
		return false;
	end = pfn + min(1UL << order, SPILL_TARGETS);
	if (!take_contig_range(pfn, end, MIGRATE_CMA, &used_pfn))
		return false;
	for (; pfn < end; pfn++)
		list_add_tail(&pfn_to_page(pfn)->lru, targets);
	return true;
}

/* Return a page of a CMA block to migrate_pages(), or NULL to make it give up */
static struct page *spill_target(struct page *page, unsigned long private,
				 int **result)
{
	struct spill *spill = (struct spill *)private;
	struct page *target;
	struct zone *zone;

	if (spill->nr_tries++ == SPILL_TRIES)
		return NULL;

	if (list_empty(&spill->targets)) {
		for_each_populated_zone(zone)
			if (may_take_targets(zone, spill) &&
			    take_targets(zone, &spill->targets))
				break;
	}
	if (list_empty(&spill->targets))
		return NULL;

	target = list_first_entry(&spill->targets, struct page, lru);
	list_del(&target->lru);
	return target;
}

/*
 * May the contents of this locked page be in a CMA block?  Not if the owner
 * asked for pages that are not movable or not in high memory, as it does for the
 * buffers of a block device.
 */
static bool may_be_in_cma(struct page *page)
{
	gfp_t needed = __GFP_MOVABLE | (totalhigh_pages ? __GFP_HIGHMEM : 0);
	struct address_space *mapping;

	if (PageAnon(page) || PageSwapCache(page))
		return true;
	mapping = page_mapping(page);
	return mapping && (mapping_gfp_mask(mapping) & needed) == needed;
}

/* Isolate a page from its LRU list if there is a chance to spill it */
static bool isolate_candidate(struct page *page, struct spill *spill,
			      struct list_head *pages)
{
	LIST_HEAD(refused);
	bool ret = false;

	if (!PageLRU(page) || (PageUnevictable(page) && !spill->last) ||
	    is_migrate_special(get_pageblock_migratetype(page)) ||
	    !contig_isolate_page(page))
		return false;

	if (trylock_page(page)) {
		ret = may_be_in_cma(page);
		spill->nr_seen += ret;
		unlock_page(page);
	} else {
		/* It may be possible to move it later */
		spill->nr_seen++;
	}

	list_add_tail(&page->lru, ret ? pages : &refused);
	putback_lru_pages(&refused);
	return ret;
}

/*
 * Isolate up to @nr_pages pages outside of CMA blocks.  They are neighbours if
 * possible, so that larger blocks become free, too.
 */
static void isolate_to_spill(struct zone *zone, struct spill *spill,
			     unsigned long nr_pages, struct list_head *pages)
{
	static unsigned long next_pfn;	/* to resume at; races are harmless */
	unsigned long end = zone->zone_start_pfn + zone->spanned_pages;
	unsigned long pfn = next_pfn, nr_scanned;

	for (nr_scanned = 0; nr_scanned < zone->spanned_pages && nr_pages;
	     nr_scanned++, pfn++) {
		struct page *page;

		if (pfn < zone->zone_start_pfn || pfn >= end)
			pfn = zone->zone_start_pfn;
		if (!(nr_scanned % MAX_ORDER_NR_PAGES))
			cond_resched();
		if (!pfn_valid(pfn))
			continue;
		page = pfn_to_page(pfn);
		if (page_zone(page) == zone &&
		    isolate_candidate(page, spill, pages))
			nr_pages--;
	}

	next_pfn = pfn;
}

/* Move up to @nr_pages pages of a zone into CMA blocks. Returns how many. */
static unsigned long spill_pages(struct zone *zone, struct spill *spill,
				 unsigned long nr_pages)
{
	unsigned long nr_moved = 0;
	struct page *page, *next;
	LIST_HEAD(pages);
	LIST_HEAD(one);

	INIT_LIST_HEAD(&spill->targets);
	/* Pages on lists of this CPU can be neither isolated nor allocated */
	drain_contig_pages(false, 0);
	isolate_to_spill(zone, spill, nr_pages, &pages);

	list_for_each_entry_safe(page, next, &pages, lru) {
		list_move(&page->lru, &one);
		spill->nr_tries = 0;
		/* One at a time: the result says whether this one was moved */
		if (!migrate_pages(&one, spill_target, (unsigned long)spill,
				   false, false))
			nr_moved++;
		putback_lru_pages(&one);
	}

	list_for_each_entry_safe(page, next, &spill->targets, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	/* The freed pages are on lists that only movable requests look at */
	drain_contig_pages(false, 0);
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
				unsigned long mark, int classzone_idx,
				struct spill *spill)
{
	/* Races are harmless here, too */
	static unsigned long barren_until;
	static struct zone *barren_zone;
	unsigned long nr_moved;

	if (!has_targets(spill) ||
	    zone_watermark_ok_safe(zone, order, mark, classzone_idx, 0))
		return 0;
	if (!spill->last && zone == barren_zone &&
	    time_before(jiffies, barren_until))
		return 0;

	mark += zone->lowmem_reserve[classzone_idx];
	nr_moved = spill_pages(zone, spill, spill_deficit(zone, order, mark));
	if (!nr_moved) {
		barren_until = jiffies + SPILL_BACKOFF;
		barren_zone = zone;
	}
	return nr_moved;
}

/* Spill from the first zone of a request that has pages to move */
static void spill_zonelist(struct zonelist *zonelist, unsigned int order,
			   gfp_t gfp_mask, nodemask_t *nodemask,
			   struct spill *spill)
{
	enum zone_type high_zoneidx = gfp_zone(gfp_mask);
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, zonelist, high_zoneidx,
					nodemask) {
		unsigned long mark = low_wmark_pages(zone) + (2UL << order);

		if (populated_zone(zone) &&
		    spill_zone(zone, order, mark, high_zoneidx, spill))
			return;
	}
}

/*
 * A zone is given up when all of its pages were scanned in vain.  This is no
 * longer true of a zone whose CMA blocks were skipped then and are not now.
 */
static void unskip_zones(struct zonelist *zonelist, gfp_t gfp_mask,
			 nodemask_t *nodemask)
{
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, zonelist, gfp_zone(gfp_mask),
					nodemask) {
		if (!test_bit(zone_bit(zone), skipped_zones) ||
		    cma_is_plentiful(zone))
			continue;
		clear_bit(zone_bit(zone), skipped_zones);
		zone->pages_scanned = 0;
		zone->all_unreclaimable = 0;
	}
}

/**
 * spill_into_cma() - make room for a request that cannot use CMA pages
 * @zonelist: zones of the request
 * @order: order of the request; nothing is moved above PAGE_ALLOC_COSTLY_ORDER
 * @gfp_mask: flags of the request; nothing is moved unless they include all of
 *	GFP_KERNEL but not __GFP_MOVABLE, and if they include __GFP_NORETRY and
 *	@order is not 0
 * @nodemask: nodes of the request, or NULL
 *
 * Moves up to 256 movable pages of the first zone that is short of other pages
 * into CMA blocks, if CMA pages are plentiful.
 *
 * Context: direct reclaim, with PF_MEMALLOC set.  Takes the locks that direct
 * compaction takes, does not wait for I/O and does not allocate.
 * Return: number of pages moved.  If it is 0, the caller has to reclaim.
 */
unsigned long spill_into_cma(struct zonelist *zonelist, unsigned int order,
			     gfp_t gfp_mask, nodemask_t *nodemask)
{
	struct spill spill = { .last = false };

	if (gfp_mask & __GFP_MOVABLE) {
		unskip_zones(zonelist, gfp_mask, nodemask);
		return 0;
	}
	if ((gfp_mask & GFP_KERNEL) != GFP_KERNEL ||
	    order > PAGE_ALLOC_COSTLY_ORDER ||
	    (order && (gfp_mask & __GFP_NORETRY)))
		return 0;

	spill_zonelist(zonelist, order, gfp_mask, nodemask, &spill);
	return spill.nr_moved;
}

/* Should kswapd leave the pages where they are for now? */
static bool contig_is_busy(struct zone *zone, int classzone_idx)
{
	return (atomic_long_read(&contig_pages_in_flight) ||
		time_before(jiffies, contig_was_busy + HZ)) &&
	       zone_watermark_ok_safe(zone, 0, min_wmark_pages(zone),
				      classzone_idx, 0);
}

/**
 * spill_for_kswapd() - raise a zone above a watermark without reclaiming
 * @zone: the zone
 * @mark: pages that are to be free without counting CMA pages
 * @classzone_idx: index of the zone of the requests
 *
 * While a contiguous range is being emptied, nothing is done unless the zone is
 * below its min watermark: pages would be moved into CMA blocks and out of them
 * at the same time.
 *
 * Context: kswapd.  Does not wait for I/O and does not allocate.
 * Return: number of pages moved.
 */
unsigned long spill_for_kswapd(struct zone *zone, unsigned long mark,
			       int classzone_idx)
{
	struct spill spill = { .last = false };

	while (!contig_is_busy(zone, classzone_idx) &&
	       spill_zone(zone, 0, mark, classzone_idx, &spill))
		;

	return spill.nr_moved;
}

/**
 * defer_oom() - find out whether an OOM kill can be avoided
 * @zonelist: zones of the request that has found no page
 * @order: order of the request
 * @gfp_mask: flags of the request
 * @nodemask: nodes of the request, or NULL
 * @since: 0 at first; kept by the request between calls
 *
 * If the request cannot use CMA pages, movable pages are moved into CMA blocks
 * even if few CMA pages are left.  If no page could be moved at the moment, or
 * if attempts to allocate a contiguous range keep pages out of the free lists,
 * waiting helps.
 *
 * Context: slow path of the page allocator, with PF_MEMALLOC not set.  Sleeps
 * for a tick before it returns true, but does not wait for I/O.
 * Return: true if the request should be tried again instead.  If no pages were
 * moved, this is so for two seconds after the first call at most.
 */
bool defer_oom(struct zonelist *zonelist, unsigned int order, gfp_t gfp_mask,
	       nodemask_t *nodemask, unsigned long *since)
{
	struct spill spill = { .last = true };

	/* The OOM killer is not invoked for such requests */
	if (!(gfp_mask & __GFP_FS) || gfp_mask & __GFP_NORETRY ||
	    oom_killer_disabled || order > PAGE_ALLOC_COSTLY_ORDER)
		return false;

	if (!(gfp_mask & __GFP_MOVABLE)) {
		current->flags |= PF_MEMALLOC;
		spill_zonelist(zonelist, order, gfp_mask, nodemask, &spill);
		current->flags &= ~PF_MEMALLOC;
	}

	if (!spill.nr_moved) {
		if (!spill.nr_seen && !atomic_long_read(&contig_pages_in_flight))
			return false;
		if (!*since)
			*since = jiffies | 1;
		if (time_after(jiffies, *since + OOM_DEFER))
			return false;
	}

	oom_waits_until = jiffies + HZ / 20;
	schedule_timeout_uninterruptible(1);
	return true;
}

/**
 * contig_yield() - let requests go first that wait before an OOM kill
 *
 * Attempts to allocate a range that follow one another closely would keep their
 * pages out of the free lists nearly all the time.
 *
 * Context: start of an attempt, with no pages taken and no lock held.  Sleeps
 * for 20 ms or two ticks at most.
 */
void contig_yield(void)
{
	unsigned long end = jiffies + CONTIG_YIELD;

	contig_was_busy = jiffies;
	while (time_before(jiffies, oom_waits_until) &&
	       time_before(jiffies, end) && !fatal_signal_pending(current))
		schedule_timeout_killable(1);
}

/**
 * reclaim_skips_cma() - check whether CMA pages of a zone are not short
 * @zone: zone that is being reclaimed
 * @gfp_mask: flags of the request that is short of pages, GFP_KERNEL in kswapd
 *
 * Context: any.
 * Return: true if reclaim is for requests that cannot use CMA pages, which are
 * plentiful in this zone.
 */
bool reclaim_skips_cma(struct zone *zone, gfp_t gfp_mask)
{
	if ((gfp_mask & __GFP_MOVABLE) || !cma_is_plentiful(zone))
		return false;

	if (!test_bit(zone_bit(zone), skipped_zones))
		set_bit(zone_bit(zone), skipped_zones);
	return true;
}
