// SPDX-License-Identifier: GPL-2.0
/*
 * Physically contiguous page ranges.
 *
 * A range that is entirely free is removed from the buddy lists directly.  A
 * range that is in use is isolated first, so that no new allocation can land
 * in it, and then emptied: clean page cache that was not used recently is
 * dropped, and all other movable pages are migrated.
 *
 * zone->lock protects the free lists, the counters of free pages and the types
 * of pageblocks.  It is taken with interrupts off and held for one pageblock at
 * a time; no other lock nests inside it.
 *
 * Two callers cannot empty ranges of the same pageblock at the same time: the
 * second one gets -EBUSY.  The area allocator serialises them with one mutex
 * per area.
 */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/mm_inline.h>
#include <linux/migrate.h>
#include <linux/page-contig.h>
#include <linux/page-isolation.h>
#include <linux/pagemap.h>
#include <linux/ratelimit.h>
#include <linux/rmap.h>
#include <linux/buffer_head.h>
#include <linux/swap.h>
#include <linux/workqueue.h>
#include "internal.h"
#include "freepage.h"

/* Attempts to empty a pageblock before a page of it is reported as busy */
#define CONTIG_PASSES		4

/* Pages isolated and migrated at a time */
#define CONTIG_BATCH		64UL

/* Pages moved into CMA blocks when nothing can be reclaimed */
#define SPILL_BATCH		256UL

/* Pages in all areas, whether free or not */
unsigned long totalcma_pages __read_mostly;

/* Isolation works on whole pageblocks and on whole buddy blocks */
static unsigned long contig_align(void)
{
	return max_t(unsigned long, pageblock_nr_pages, MAX_ORDER_NR_PAGES);
}

/* End of the part of a range that is processed under one hold of zone->lock */
static unsigned long contig_step(unsigned long pfn, unsigned long end)
{
	unsigned long nr_pages = min_t(unsigned long, pageblock_nr_pages,
				       MAX_ORDER_NR_PAGES);

	return min(end, round_down(pfn, nr_pages) + nr_pages);
}

/* Find the free block that contains a page. Caller holds zone->lock. */
static struct page *free_block_of(unsigned long pfn)
{
	unsigned int order;

	for (order = 0; order < MAX_ORDER; order++) {
		unsigned long head = round_down(pfn, 1UL << order);

		if (!pfn_valid_within(head))
			continue;
		if (PageBuddy(pfn_to_page(head)))
			return page_order(pfn_to_page(head)) >= order ?
				pfn_to_page(head) : NULL;
	}

	return NULL;
}

/* Return the first page of [start, end) that is not free, or end */
static unsigned long first_used_pfn(unsigned long start, unsigned long end)
{
	struct page *page = free_block_of(start);
	unsigned long pfn = start;

	while (page) {
		pfn = page_to_pfn(page) + (1UL << page_order(page));
		if (pfn >= end)
			return end;
		page = pfn_to_page(pfn);
		if (!pfn_valid_within(pfn) || !PageBuddy(page))
			page = NULL;
	}

	return pfn;
}

/*
 * Return the last page of the last run of used pages in [used, end).  The run
 * is followed beyond end, up to the end of the pageblock.  No range starting at
 * or before the returned page can succeed.
 */
static unsigned long last_used_pfn(unsigned long used, unsigned long end)
{
	unsigned long block_end = contig_step(used, ULONG_MAX);
	unsigned long pfn = used;

	while (pfn < block_end) {
		struct page *page = pfn_to_page(pfn);

		if (pfn_valid_within(pfn) && PageBuddy(page)) {
			pfn += 1UL << page_order(page);
			if (pfn >= end)
				break;
		} else {
			used = pfn++;
		}
	}

	return used;
}

/* Put [start, end), part of a former free block, back on the free lists */
static void put_back_pages(struct zone *zone, unsigned long start,
			   unsigned long end, int migratetype)
{
	while (start < end) {
		unsigned int order = min_t(unsigned int, ilog2(end - start),
					   start ? __ffs(start) : MAX_ORDER - 1);
		struct free_area *area = &zone->free_area[order];
		struct page *page = pfn_to_page(start);

		set_page_private(page, order);
		__SetPageBuddy(page);
		list_add(&page->lru, &area->free_list[migratetype]);
		area->nr_free++;
		account_special_block(area, 1, migratetype);
		start += 1UL << order;
	}
}

/* Remove [start, end), which is entirely free, from the free lists */
static void take_free_pages(struct zone *zone, unsigned long start,
			    unsigned long end, int migratetype)
{
	unsigned long pfn = page_to_pfn(free_block_of(start));
	long nr_pages = end - start;

	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned int order = page_order(page);
		struct free_area *area = &zone->free_area[order];
		unsigned long next = pfn + (1UL << order);

		list_del(&page->lru);
		__ClearPageBuddy(page);
		area->nr_free--;
		account_special_block(area, -1, migratetype);

		if (pfn < start)
			put_back_pages(zone, pfn, start, migratetype);
		if (next > end)
			put_back_pages(zone, end, next, migratetype);
		pfn = next;
	}

	__mod_zone_page_state(zone, NR_FREE_PAGES, -nr_pages);
	account_special_pages(zone, -nr_pages, migratetype);
	__count_zone_vm_events(PGALLOC, zone, nr_pages);
}

/* Give each page of a taken range one reference, which the new owner holds */
static void prep_contig_pages(unsigned long start, unsigned long end)
{
	struct page *page = pfn_to_page(start);
	unsigned long pfn;

	kernel_map_pages(page, end - start, 1);
	for (pfn = start; pfn < end; pfn++, page++) {
		arch_alloc_page(page, 0);
		set_page_private(page, 0);
		set_page_refcounted(page);
	}
}

/*
 * Take [start, end), which lies within one pageblock of type @migratetype and
 * within one MAX_ORDER block.  Returns end on success, otherwise the first page
 * in use, with *last_used set to the result of last_used_pfn().
 */
static unsigned long take_step(struct zone *zone, unsigned long start,
			       unsigned long end, int migratetype,
			       unsigned long *last_used)
{
	unsigned long used = start, flags;

	spin_lock_irqsave(&zone->lock, flags);
	if (get_pageblock_migratetype(pfn_to_page(start)) != migratetype) {
		/* Another caller is emptying the block: skip all of it */
		*last_used = contig_step(start, ULONG_MAX) - 1;
	} else {
		used = first_used_pfn(start, end);
		if (used == end)
			take_free_pages(zone, start, end, migratetype);
		else
			*last_used = last_used_pfn(used, end);
	}
	spin_unlock_irqrestore(&zone->lock, flags);

	if (used == end)
		prep_contig_pages(start, end);
	return used;
}

/**
 * take_contig_range() - allocate a range of pages if it is entirely free
 * @start:	first page frame number of the range
 * @end:	page frame number after the last page; all of the range must be
 *		valid memory of one zone
 * @migratetype: type that every pageblock of the range must have, MIGRATE_CMA
 * @used_pfn:	set on failure: resume the search after this pfn
 *
 * Does not migrate pages and does not wait.
 *
 * Context: any, including with interrupts off.  Takes zone->lock.
 * Return: true if the range was allocated.  Each page then has one reference;
 * free the range with free_contig_range().  On failure nothing was taken, and
 * no range of this length starting in [@start, *@used_pfn] can succeed, because
 * it would contain pages that are in use or in a block of another type.
 */
bool take_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype, unsigned long *used_pfn)
{
	struct zone *zone = page_zone(pfn_to_page(start));
	unsigned long pfn, next;

	for (pfn = start; pfn < end; pfn = next) {
		next = contig_step(pfn, end);
		if (take_step(zone, pfn, next, migratetype, used_pfn) < next) {
			free_contig_range(start, pfn - start);
			return false;
		}
	}

	if (!zone_watermark_ok(zone, 0, low_wmark_pages(zone), 0, ALLOC_CMA))
		wakeup_kswapd(zone, 0, zone_idx(zone));
	return true;
}

/*
 * Drop a page instead of migrating it, if it is clean page cache that is not
 * mapped and was not used again after it was read.  The caller has isolated the
 * page from the LRU and keeps its own reference.
 */
static bool drop_clean_page(struct page *page)
{
	struct address_space *mapping;
	bool dropped = false;

	if (!page_is_file_cache(page) || PageActive(page) ||
	    PageReferenced(page) || PageUnevictable(page))
		return false;
	if (!trylock_page(page))
		return false;

	mapping = page_mapping(page);
	if (!mapping || PageAnon(page) || page_mapped(page) ||
	    PageDirty(page) || PageWriteback(page))
		goto unlock;
	if (page_has_private(page) && !try_to_release_page(page, GFP_KERNEL))
		goto unlock;
	dropped = remove_mapping(mapping, page);
unlock:
	unlock_page(page);
	return dropped;
}

/* Isolate a page from its LRU list, which leaves the caller a reference */
static bool isolate_page(struct page *page)
{
	bool isolated;

	if (!PageLRU(page) || !get_page_unless_zero(page))
		return false;

	isolated = !isolate_lru_page(page);
	if (isolated)
		inc_zone_page_state(page, NR_ISOLATED_ANON +
				    page_is_file_cache(page));
	put_page(page);
	return isolated;
}

/*
 * Isolate up to CONTIG_BATCH pages of [pfn, end) from the LRU lists.  Pages
 * that have to be migrated are put on a list, the others are dropped.  Returns
 * the pfn to resume at.
 */
static unsigned long isolate_batch(unsigned long pfn, unsigned long end,
				   struct list_head *pages)
{
	unsigned long nr_pages = 0;

	for (; pfn < end && nr_pages < CONTIG_BATCH; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (!pfn_valid_within(pfn) || PageBuddy(page))
			continue;
		if (!isolate_page(page))
			continue;

		nr_pages++;
		if (drop_clean_page(page)) {
			dec_zone_page_state(page, NR_ISOLATED_FILE);
			put_page(page);
			continue;
		}
		list_add_tail(&page->lru, pages);
	}

	return pfn;
}

/* Allocate a migration target: may reclaim, but never invokes the OOM killer */
static struct page *contig_target(struct page *page, unsigned long private,
				  int **result)
{
	return alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN);
}

/* Migrate pages out of [pfn, end), which is isolated: 0, -EINTR or -ENOMEM */
static int move_pages_out(unsigned long pfn, unsigned long end)
{
	LIST_HEAD(pages);
	int ret;

	while (pfn < end) {
		if (fatal_signal_pending(current))
			return -EINTR;

		pfn = isolate_batch(pfn, end, &pages);
		if (list_empty(&pages)) {
			cond_resched();
			continue;
		}

		ret = migrate_pages(&pages, contig_target, 0, false, true);
		if (ret)
			putback_lru_pages(&pages);
		if (ret < 0)
			return ret;
	}

	return 0;
}

/*
 * lru_add_drain_all() uses the system workqueue, and waits forever if a new
 * worker is needed but no memory is left to create one.  A separate queue with
 * WQ_MEM_RECLAIM has a rescuer thread.
 */
static struct workqueue_struct *contig_wq;
static DEFINE_PER_CPU(struct work_struct, contig_drain_work);

static void drain_this_cpu(struct work_struct *work)
{
	lru_add_drain();
}

static void drain_lru_all_cpus(void)
{
	int cpu;

	if (!contig_wq)
		return;

	get_online_cpus();
	for_each_online_cpu(cpu)
		queue_work_on(cpu, contig_wq, &per_cpu(contig_drain_work, cpu));
	for_each_online_cpu(cpu)
		flush_work(&per_cpu(contig_drain_work, cpu));
	put_online_cpus();
}

static int __init contig_wq_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_WORK(&per_cpu(contig_drain_work, cpu), drain_this_cpu);
	contig_wq = alloc_workqueue("contig", WQ_MEM_RECLAIM, 1);
	return contig_wq ? 0 : -ENOMEM;
}
core_initcall(contig_wq_init);

/*
 * Freed pages may still be on per-cpu lists of this CPU or of another one.
 * Draining the other CPUs is expensive, so it is done only after draining the
 * local lists did not help.
 */
static void drain_waiting_pages(bool all_cpus)
{
	if (all_cpus) {
		drain_lru_all_cpus();
		drain_all_pages();
		return;
	}

	lru_add_drain();
	get_cpu();
	drain_local_pages(NULL);
	put_cpu();
}

/* Empty and take [start, end), which lies within one isolated pageblock */
static int claim_step(struct zone *zone, unsigned long start,
		      unsigned long end, unsigned long *busy_pfn)
{
	unsigned long used, last_used;
	int pass, ret = 0;

	for (pass = 0; pass < CONTIG_PASSES; pass++) {
		used = take_step(zone, start, end, MIGRATE_ISOLATE, &last_used);
		if (used == end)
			return 0;

		ret = move_pages_out(used, end);
		if (ret == -EINTR)
			break;
		drain_waiting_pages(pass == 1);
	}

	if (ret != -EINTR) {
		used = take_step(zone, start, end, MIGRATE_ISOLATE, &last_used);
		if (used == end)
			return 0;
	}
	*busy_pfn = used;
	return ret ? ret : -EBUSY;
}

/* Wake kswapd for each target zone below a watermark. True if there is one. */
static bool zones_are_low(struct zonelist *zonelist, enum zone_watermarks mark)
{
	bool low = false;
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist(zone, z, zonelist,
			       gfp_zone(GFP_HIGHUSER_MOVABLE)) {
		if (zone_watermark_ok(zone, 0, zone->watermark[mark], 0,
				      ALLOC_CMA))
			continue;
		wakeup_kswapd(zone, 0, zone_idx(zone));
		low = true;
	}

	return low;
}

/*
 * The allocation and the migration targets have used up free memory.  Reclaim
 * until other allocations need not do so themselves, in a bounded number of
 * rounds.
 */
static void reclaim_elsewhere(struct zone *zone)
{
	struct zonelist *zonelist = node_zonelist(zone_to_nid(zone),
						  GFP_HIGHUSER_MOVABLE);
	struct reclaim_state reclaim_state = { .reclaimed_slab = 0 };
	unsigned long progress = 1;
	int round;

	if (!zones_are_low(zonelist, WMARK_LOW) ||
	    (current->flags & PF_MEMALLOC))
		return;

	for (round = 0; round < CONTIG_PASSES && progress; round++) {
		if (!zones_are_low(zonelist, WMARK_MIN))
			break;

		current->flags |= PF_MEMALLOC;
		lockdep_set_current_reclaim_state(GFP_KERNEL);
		current->reclaim_state = &reclaim_state;
		progress = try_to_free_pages(zonelist, 0, GFP_HIGHUSER_MOVABLE,
					     NULL);
		current->reclaim_state = NULL;
		lockdep_clear_current_reclaim_state();
		current->flags &= ~PF_MEMALLOC;
	}
}

/* Do these pageblocks consist of valid memory of @zone and have this type? */
static bool blocks_are_alike(struct zone *zone, unsigned long start,
			     unsigned long end, int migratetype)
{
	unsigned long pfn;

	for (pfn = start; pfn < end; pfn += pageblock_nr_pages) {
		unsigned long last = pfn + pageblock_nr_pages - 1;

		if (!pfn_valid(pfn) || !pfn_valid(last) ||
		    page_zone(pfn_to_page(pfn)) != zone ||
		    page_zone(pfn_to_page(last)) != zone ||
		    get_pageblock_migratetype(pfn_to_page(pfn)) != migratetype)
			return false;
	}

	return true;
}

/**
 * alloc_contig_range_busy() - allocate a page range, report the busy page
 * @start:	first page frame number of the range
 * @end:	page frame number after the last page
 * @migratetype: type of the pageblocks that contain the range, restored
 *		afterwards: MIGRATE_CMA or MIGRATE_MOVABLE
 * @busy_pfn:	set on -EBUSY to the page that could not be taken; no range that
 *		contains it can succeed at the moment
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: 0 on success.  Each page then has one reference; free the range with
 * free_contig_range().  -EBUSY if a page cannot be moved, or if the pageblocks
 * are not all valid memory of one zone and of type @migratetype; -EINTR if the
 * caller is being killed; -ENOMEM if there is no memory to move pages to.  On
 * failure no page is taken and the types of the pageblocks are restored.
 */
int alloc_contig_range_busy(unsigned long start, unsigned long end,
			    unsigned int migratetype, unsigned long *busy_pfn)
{
	unsigned long iso_start = round_down(start, contig_align());
	unsigned long iso_end = roundup(end, contig_align());
	struct zone *zone;
	unsigned long pfn, next;
	int ret = 0;

	*busy_pfn = start;
	if (start >= end || !pfn_valid(iso_start))
		return -EBUSY;
	zone = page_zone(pfn_to_page(iso_start));
	if (!blocks_are_alike(zone, iso_start, iso_end, migratetype) ||
	    start_isolate_page_range(iso_start, iso_end, migratetype))
		return -EBUSY;

	for (pfn = start; pfn < end; pfn = next) {
		next = contig_step(pfn, end);
		ret = claim_step(zone, pfn, next, busy_pfn);
		if (ret)
			break;
	}

	undo_isolate_page_range(iso_start, iso_end, migratetype);
	if (ret)
		free_contig_range(start, pfn - start);
	reclaim_elsewhere(zone);
	return ret;
}

/**
 * alloc_contig_range() - allocate all pages of a range of page frames
 * @start:	first page frame number of the range
 * @end:	page frame number after the last page
 * @migratetype: type of the pageblocks that contain the range, restored
 *		afterwards: MIGRATE_CMA or MIGRATE_MOVABLE
 *
 * Pages in the range that are in use are migrated or dropped first.
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: 0 on success.  Each page then has one reference; free the range with
 * free_contig_range().  -EBUSY if a page cannot be moved, or if the pageblocks
 * are not all valid memory of one zone and of type @migratetype; -EINTR if the
 * caller is being killed; -ENOMEM if there is no memory to move pages to.  On
 * failure no page is taken and the types of the pageblocks are restored.
 */
int alloc_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype)
{
	unsigned long busy_pfn;

	return alloc_contig_range_busy(start, end, migratetype, &busy_pfn);
}
EXPORT_SYMBOL_GPL(alloc_contig_range);

/* Free [pfn, end), whose pages have no references left */
static void free_unreferenced_pages(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned int order = min3(ilog2(end - pfn), MAX_ORDER - 1,
					  pfn ? (int)__ffs(pfn) : MAX_ORDER);

		__free_pages_ok(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

/* Will the page allocator accept this page, whose last reference is gone? */
static bool is_sane_free_page(const struct page *page)
{
	return !page->mapping && atomic_read(&page->_mapcount) == -1 &&
	       !(page->flags & PAGE_FLAGS_CHECK_AT_FREE);
}

/**
 * free_contig_range() - free pages that were allocated as a contiguous range
 * @pfn:	first page frame number
 * @nr_pages:	number of pages, may be less than was allocated; 0 does nothing
 *
 * The pages are freed in the largest possible buddy orders.  A page that
 * another user still holds a reference to is freed when that reference is
 * dropped, and one ratelimited message counts such pages.
 *
 * Context: any, including with interrupts off.  Takes zone->lock.
 */
void free_contig_range(unsigned long pfn, unsigned int nr_pages)
{
	unsigned long first = pfn, end = pfn + nr_pages;
	unsigned long nr_held = 0;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (put_page_testzero(page)) {
			if (likely(is_sane_free_page(page)))
				continue;
			/* Alone: a bad page takes its whole block with it */
			__free_pages_ok(page, 0);
		} else {
			nr_held++;
		}
		free_unreferenced_pages(first, pfn);
		first = pfn + 1;
	}
	free_unreferenced_pages(first, end);

	if (nr_held)
		pr_err_ratelimited("cma: %lu of %u pages up to pfn %#lx are still in use\n",
				   nr_held, nr_pages, end);
}
EXPORT_SYMBOL_GPL(free_contig_range);

/* Use one of the pages that alloc_spill_targets() allocated */
static struct page *spill_target(struct page *page, unsigned long private,
				 int **result)
{
	struct list_head *targets = (struct list_head *)private;
	struct page *target;

	if (list_empty(targets))
		return NULL;
	target = list_first_entry(targets, struct page, lru);
	list_del(&target->lru);
	return target;
}

/*
 * Allocate pages that the failing request cannot use: CMA pages, or pages of a
 * higher zone.  Movable allocations get CMA pages while these are more than
 * half of the free pages.
 */
static void alloc_spill_targets(struct zone *zone, struct list_head *targets)
{
	unsigned long nr_pages, nr_refused = 0;
	struct page *page, *next;
	LIST_HEAD(refused);

	for (nr_pages = 0; nr_pages < SPILL_BATCH; ) {
		page = alloc_page((GFP_HIGHUSER_MOVABLE & ~__GFP_WAIT) |
				  __GFP_NOWARN | __GFP_NOMEMALLOC);
		if (!page)
			break;
		if (is_migrate_cma(get_pageblock_migratetype(page)) ||
		    page_zonenum(page) > zone_idx(zone)) {
			list_add(&page->lru, targets);
			nr_pages++;
			continue;
		}
		/* It is from a per-cpu list, which mixes all movable pages */
		list_add(&page->lru, &refused);
		if (++nr_refused == CONTIG_BATCH)
			break;
	}

	list_for_each_entry_safe(page, next, &refused, lru)
		__free_page(page);
}

/* Isolate pages outside of CMA blocks from the LRU lists. Returns how many. */
static unsigned long isolate_to_spill(struct zone *zone,
				      struct list_head *pages)
{
	static unsigned long next_pfn;	/* to resume at; races are harmless */
	unsigned long end = zone->zone_start_pfn + zone->spanned_pages;
	unsigned long pfn = next_pfn, nr_pages = 0, nr_scanned;

	for (nr_scanned = 0; nr_scanned < zone->spanned_pages &&
	     nr_pages < SPILL_BATCH; nr_scanned++, pfn++) {
		struct page *page;

		if (pfn < zone->zone_start_pfn || pfn >= end)
			pfn = zone->zone_start_pfn;
		if (!(nr_scanned % MAX_ORDER_NR_PAGES))
			cond_resched();
		if (!pfn_valid(pfn))
			continue;
		page = pfn_to_page(pfn);
		if (!PageLRU(page) || PageUnevictable(page) ||
		    page_zone(page) != zone ||
		    is_migrate_special(get_pageblock_migratetype(page)))
			continue;
		if (isolate_page(page)) {
			list_add_tail(&page->lru, pages);
			nr_pages++;
		}
	}

	next_pfn = pfn;
	return nr_pages;
}

/* Migrate pages of a zone to the targets. Returns how many were moved. */
static unsigned long spill_pages(struct zone *zone, struct list_head *targets)
{
	unsigned long nr_cma = global_page_state(NR_FREE_CMA_PAGES);
	unsigned long nr_pages;
	LIST_HEAD(pages);
	int ret;

	nr_pages = isolate_to_spill(zone, &pages);
	if (!nr_pages)
		return 0;

	current->flags |= PF_MEMALLOC;
	ret = migrate_pages(&pages, spill_target, (unsigned long)targets, false,
			    false);
	current->flags &= ~PF_MEMALLOC;
	putback_lru_pages(&pages);
	if (ret >= 0)
		return nr_pages - ret;

	/* The targets ran out, and failed attempts use them, too: estimate */
	nr_pages = global_page_state(NR_FREE_CMA_PAGES);
	return nr_pages < nr_cma ? nr_cma - nr_pages : 0;
}

/**
 * spill_into_cma() - make room for a request that cannot use CMA pages
 * @zone: preferred zone of the request
 * @order: order of the request; nothing is done above PAGE_ALLOC_COSTLY_ORDER
 * @gfp_mask: flags of the request; must include all of GFP_KERNEL but not
 *	__GFP_MOVABLE, and __GFP_NORETRY only if @order is 0, or else nothing
 *	is done
 *
 * When reclaim makes no progress, CMA blocks may still have free pages, because
 * a driver released buffers after the rest of memory had filled up.  Move
 * movable pages there, so that the OOM killer is not invoked while memory is
 * free.  A single page that was asked for with __GFP_NORETRY is found by the
 * next attempt of its caller.
 *
 * Context: as for direct compaction, which takes the same locks; not with
 * PF_MEMALLOC set.
 * Return: number of pages moved.
 */
unsigned long spill_into_cma(struct zone *zone, unsigned int order,
			     gfp_t gfp_mask)
{
	unsigned long mark = low_wmark_pages(zone) + (2UL << order);
	unsigned long nr_moved = 0;
	struct page *page, *next;
	LIST_HEAD(targets);

	if ((gfp_mask & __GFP_MOVABLE) || (order && (gfp_mask & __GFP_NORETRY)) ||
	    (gfp_mask & GFP_KERNEL) != GFP_KERNEL ||
	    order > PAGE_ALLOC_COSTLY_ORDER ||
	    global_page_state(NR_FREE_CMA_PAGES) < SPILL_BATCH ||
	    zone_watermark_ok(zone, 0, mark, zone_idx(zone), 0))
		return 0;

	/* Pages on the lists of this CPU are not CMA and would be used first */
	drain_waiting_pages(false);
	alloc_spill_targets(zone, &targets);
	if (!list_empty(&targets))
		nr_moved = spill_pages(zone, &targets);

	list_for_each_entry_safe(page, next, &targets, lru)
		__free_page(page);
	/* The freed pages are on a per-cpu list for movable allocations */
	drain_waiting_pages(false);
	return nr_moved;
}

/**
 * init_cma_reserved_pageblock() - turn a reserved pageblock into a CMA block
 * @page:	first page of the block, all of which was reserved at boot
 *
 * Sets the type of the block to MIGRATE_CMA and frees its pages.
 *
 * Context: process context, during boot.
 */
void __init init_cma_reserved_pageblock(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	unsigned long end = pfn + pageblock_nr_pages;
	struct zone *zone = page_zone(page);
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	set_pageblock_migratetype(page, MIGRATE_CMA);
	spin_unlock_irqrestore(&zone->lock, flags);

	totalram_pages += pageblock_nr_pages;
	count_highmem_pages(page, pageblock_nr_pages);

	for (; pfn < end; pfn++) {
		struct page *p = pfn_to_page(pfn);

		__ClearPageReserved(p);
		set_page_count(p, 0);
	}
	free_unreferenced_pages(end - pageblock_nr_pages, end);
}

/**
 * free_reserved_contig_range() - free memory that was reserved at boot
 * @pfn:	first page frame number
 * @nr_pages:	number of pages; pages that are not valid memory or not reserved
 *		are skipped
 *
 * Context: process context, during boot.
 */
void __init free_reserved_contig_range(unsigned long pfn,
				       unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;

	for (; pfn < end; pfn++) {
		struct page *page;

		if (!pfn_valid(pfn))
			continue;
		page = pfn_to_page(pfn);
		if (!PageReserved(page))
			continue;
		totalram_pages++;
		count_highmem_pages(page, 1);
		ClearPageReserved(page);
		init_page_count(page);
		__free_page(page);
	}
}
