// SPDX-License-Identifier: GPL-2.0
/*
 * Physically contiguous page ranges.
 *
 * A range that is entirely free is removed from the buddy lists directly.  A
 * range that is in use is emptied first: clean page cache that was not used
 * again is dropped, and other movable pages are migrated.  A page that was
 * emptied does not return to the free lists, but is kept for the caller.  The
 * free pages of the range are taken last.  Pageblocks are therefore not
 * isolated: several callers can work in one pageblock, and when one of them
 * fails there is no type of a pageblock to restore.
 *
 * zone->lock protects the free lists, the counters of free pages and the types
 * of pageblocks.  It is taken with interrupts off and held for one pageblock at
 * a time; no other lock nests inside it.
 */
#include <linux/contig.h>
#include <linux/cpu.h>
#include <linux/debugobjects.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/migrate.h>
#include <linux/module.h>
#include <linux/page-contig.h>
#include <linux/pagemap.h>
#include <linux/ratelimit.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/writeback.h>
#include "contig-compat.h"
#include "internal.h"
#include "freepage.h"

/* Passes over a range before a page that others keep taking is given up */
#define CONTIG_PASSES		8

/* Attempts to take one page before waiting for it */
#define CONTIG_TRIES		10

/* Pages to deal with before looking for a signal, or for a task to run */
#define CONTIG_RESCHED		32

/* Order of the blocks of pages to migrate to */
#define CONTIG_BLOCK_ORDER	3

/* May reclaim, but does not start I/O, and fails instead of trying for long */
#define CONTIG_GFP_NOIO		((GFP_HIGHUSER_MOVABLE & \
				  ~(__GFP_IO | __GFP_FS)) | \
				 __GFP_NORETRY | __GFP_NOWARN)

/* Longest time to wait for other CPUs to drain their lists */
#define CONTIG_DRAIN_MS		20

/* Pages in all areas, whether free or not */
unsigned long totalcma_pages __read_mostly;

/**
 * page_cache_gfp() - get the flags for a page of the page cache
 * @mapping: mapping that the page is added to
 * @gfp: flags that the caller passes
 *
 * A mounted file system holds references to buffers of its metadata, and
 * pointers into them.  Such pages cannot be migrated, so they must not be
 * allocated in CMA blocks.  They are grouped with reclaimable pages.
 *
 * Context: any.
 * Return: @gfp; without __GFP_MOVABLE for the page cache of a block device.
 */
gfp_t page_cache_gfp(struct address_space *mapping, gfp_t gfp)
{
	if (!mapping->host || !S_ISBLK(mapping->host->i_mode))
		return gfp;
	return (gfp & ~GFP_MOVABLE_MASK) | __GFP_RECLAIMABLE;
}

/* Pages of the ranges that are being emptied, see defer_oom() */
atomic_long_t contig_pages_in_flight = ATOMIC_LONG_INIT(0);

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
 * within one MAX_ORDER block, or only look whether that is possible.  Returns
 * end on success, otherwise the first page in use, with *last_used set to the
 * result of last_used_pfn().
 */
static unsigned long take_step(struct zone *zone, unsigned long start,
			       unsigned long end, int migratetype, bool look,
			       unsigned long *last_used)
{
	unsigned long used = start, flags;

	spin_lock_irqsave(&zone->lock, flags);
	if (get_pageblock_migratetype(pfn_to_page(start)) != migratetype) {
		/* Memory hotplug has isolated the block: skip all of it */
		*last_used = contig_step(start, ULONG_MAX) - 1;
	} else {
		used = first_used_pfn(start, end);
		if (used != end)
			*last_used = last_used_pfn(used, end);
		else if (!look)
			take_free_pages(zone, start, end, migratetype);
	}
	spin_unlock_irqrestore(&zone->lock, flags);

	if (used == end && !look)
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
	int look;

	/* Do not take and prepare many pages only to free them again */
	look = contig_step(start, end) < end;
	do {
		for (pfn = start; pfn < end; pfn = next) {
			next = contig_step(pfn, end);
			if (take_step(zone, pfn, next, migratetype, look,
				      used_pfn) == next)
				continue;
			if (!look)
				free_contig_range(start, pfn - start);
			return false;
		}
	} while (look--);

	if (!zone_watermark_ok(zone, 0, low_wmark_pages(zone), 0, ALLOC_CMA))
		wakeup_kswapd(zone, 0, zone_idx(zone));
	return true;
}

/*
 * Emptying a range that is in use
 */

/* One attempt to empty and take a range. Its address marks the kept pages. */
struct contig_attempt {
	unsigned long	start;		/* pfn */
	unsigned long	end;		/* pfn */
	unsigned int	migratetype;
	bool		no_target;	/* there was no page to migrate to */
	bool		wrote;		/* writeback was started */
	bool		drained;	/* pagevecs of all CPUs, for pages that are held */
	bool		no_block;	/* there was no block of targets */
	unsigned int	nr_targets;	/* pages to migrate to, from this one on */
	struct page	*target;
	struct contig_control *cc;
};

/*
 * Keep a page that has no user left, and whose only reference the caller holds.
 * It is marked with the address of the attempt and does not go through the free
 * lists, where others could allocate it again.  False if it is not such a page.
 */
static bool keep_page(struct contig_attempt *attempt, struct page *page)
{
	if (PageAnon(page))
		page->mapping = NULL;
	ClearPageActive(page);
	ClearPageUnevictable(page);
	if (page->mapping || page_mapped(page) ||
	    (page->flags & PAGE_FLAGS_CHECK_AT_FREE))
		return false;

	page->flags &= ~PAGE_FLAGS_CHECK_AT_PREP;
	set_page_private(page, (unsigned long)attempt);
	return true;
}

static bool is_kept(const struct contig_attempt *attempt,
		    const struct page *page)
{
	return page_private(page) == (unsigned long)attempt &&
	       !page->mapping && atomic_read(&page->_count) &&
	       !(page->flags & PAGE_FLAGS_CHECK_AT_FREE);
}

/* Free what an attempt that fails has kept */
static void free_kept_pages(const struct contig_attempt *attempt)
{
	unsigned long pfn, first = attempt->start;

	for (pfn = attempt->start; pfn < attempt->end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (is_kept(attempt, page)) {
			set_page_private(page, 0);
			continue;
		}
		free_contig_range(first, pfn - first);
		first = pfn + 1;
	}
	free_contig_range(first, pfn - first);
}

/* Would direct reclaim wait for a congested device? */
static bool reclaim_is_congested(void)
{
	struct zone *zone;

	for_each_populated_zone(zone)
		if (zone_is_reclaim_congested(zone))
			return true;

	return false;
}

/*
 * Allocate a page to migrate to.  Most come from a block, because a page of its
 * own takes ten times as long.  Nobody is asked to make room for a block.
 */
static struct page *alloc_target(struct contig_attempt *attempt)
{
	gfp_t gfp = (GFP_HIGHUSER_MOVABLE & ~__GFP_WAIT) | __GFP_NOMEMALLOC |
		    __GFP_NOWARN;
	struct page *target;

	if (!attempt->nr_targets && !attempt->no_block) {
		attempt->target = alloc_pages(gfp | __GFP_NO_KSWAPD,
					      CONTIG_BLOCK_ORDER);
		if (attempt->target) {
			split_page(attempt->target, CONTIG_BLOCK_ORDER);
			attempt->nr_targets = 1U << CONTIG_BLOCK_ORDER;
		} else {
			attempt->no_block = true;
		}
	}
	if (attempt->nr_targets) {
		attempt->nr_targets--;
		return attempt->target++;
	}

	target = alloc_page(gfp);
	if (!target && !reclaim_is_congested())
		target = alloc_page(CONTIG_GFP_NOIO);
	return target;
}

/* Free what is left of a block */
static void free_targets(struct contig_attempt *attempt)
{
	while (attempt->nr_targets) {
		attempt->nr_targets--;
		__free_page(attempt->target++);
	}
}

/**
 * contig_target() - allocate a page to migrate to
 * @page: page to migrate
 * @private: the &struct contig_attempt
 * @result: not used
 *
 * May reclaim page cache, but does not wait for I/O and does not invoke the OOM
 * killer.  A free page of the range that is being emptied is kept.
 *
 * Context: process context.
 * Return: the page, or NULL.
 */
struct page *contig_target(struct page *page, unsigned long private,
			   int **result)
{
	struct contig_attempt *attempt = (struct contig_attempt *)private;
	struct page *target;

	for (;;) {
		unsigned long pfn;

		target = alloc_target(attempt);
		if (!target)
			break;
		pfn = page_to_pfn(target);
		if (pfn < attempt->start || pfn >= attempt->end)
			return target;
		keep_page(attempt, target);
	}

	attempt->no_target = true;
	return NULL;
}

/* Take a page off its LRU list, and a reference, but do not count it */
static bool isolate_page(struct page *page)
{
	bool isolated;

	if (!PageLRU(page) || !get_page_unless_zero(page))
		return false;

	isolated = !isolate_lru_page(page);
	put_page(page);
	return isolated;
}

static void count_isolated_page(struct page *page)
{
	inc_zone_page_state(page, NR_ISOLATED_ANON + page_is_file_cache(page));
}

/**
 * contig_isolate_page() - take a page off its LRU list
 * @page: page, which may be in any state
 *
 * Context: process context.  Takes zone->lru_lock.
 * Return: true if the page was isolated.  The caller then has a reference, and
 * the page counts as isolated; putback_lru_pages() undoes both.
 */
bool contig_isolate_page(struct page *page)
{
	bool isolated = isolate_page(page);

	if (isolated)
		count_isolated_page(page);
	return isolated;
}

static void putback_counted_page(struct page *page)
{
	dec_zone_page_state(page, NR_ISOLATED_ANON + page_is_file_cache(page));
	putback_lru_page(page);
}

/*
 * Write dirty pages soon, many at a time.  The flusher threads do it, so that
 * this task does not wait for a slot in the queue of a slow device.
 */
static void start_writeback(struct contig_attempt *attempt)
{
	if (!attempt->wrote)
		wakeup_flushers();
	attempt->wrote = true;
}

static int drop_or_prepare_locked(struct contig_attempt *attempt,
				  struct address_space *mapping,
				  struct page *page)
{
	/* Without __GFP_WAIT, no file system waits for I/O */
	if (contig_page_is_unused_cache(page) &&
	    (!page_has_private(page) || try_to_release_page(page, 0)) &&
	    remove_mapping(mapping, page))
		return 1;

	if (migrates_dirty_pages(mapping->a_ops))
		return 0;
	if (PageDirty(page)) {
		start_writeback(attempt);
		return -EAGAIN;
	}
	return !page_has_private(page) || try_to_release_page(page, 0) ?
		0 : -EAGAIN;
}

/*
 * Drop an isolated page of page cache, or make it ready to be migrated without
 * waiting for I/O.  Returns 1 if it was dropped, which leaves the caller the
 * last reference, 0 if it can be migrated, or -EAGAIN.
 */
static int drop_or_prepare_page(struct contig_attempt *attempt,
				struct page *page)
{
	struct address_space *mapping;
	int ret = -EAGAIN;

	if (!trylock_page(page))
		return -EAGAIN;

	mapping = page_mapping(page);
	if (!mapping)
		ret = 0;
	else if (!PageWriteback(page))
		ret = drop_or_prepare_locked(attempt, mapping, page);
	/* Whoever waits for the lock would have a reference */
	if (ret > 0)
		__clear_page_locked(page);
	else
		unlock_page(page);

	return ret;
}

/* Can a page that was not migrated be migrated when I/O on it has ended? */
static int busy_or_again(struct contig_attempt *attempt, struct page *page,
			 int ret)
{
	/* The memory cgroup of the page is at its limit */
	if (ret == -ENOMEM)
		return -EBUSY;

	if (PageDirty(page) && !PageSwapBacked(page))
		start_writeback(attempt);
	return ret == -EAGAIN || PageDirty(page) || PageWriteback(page) ?
		-EAGAIN : -EBUSY;
}

/*
 * Take a page away from its users: 0 if it is kept, or on its way to the free
 * lists; -EAGAIN; -EBUSY if it cannot be migrated; -ENOMEM.
 */
static int empty_page(struct contig_attempt *attempt, struct page *page)
{
	struct contig_control *cc = attempt->cc;
	int ret = 0;

	if (!isolate_page(page))
		return page_count(page) ? -EAGAIN : 0;

	if (!PageSwapBacked(page))
		ret = drop_or_prepare_page(attempt, page);
	if (ret < 0) {
		putback_lru_page(page);
		return ret;
	}
	if (ret) {
		cc->nr_dropped++;
	} else {
		count_isolated_page(page);
		attempt->no_target = false;
		ret = migrate_page_nowait(page, contig_target,
					  (unsigned long)attempt);
		if (ret == -EAGAIN || attempt->no_target)
			putback_counted_page(page);
		if (attempt->no_target)
			return -ENOMEM;
		if (ret)
			return busy_or_again(attempt, page, ret);
		cc->nr_moved++;
	}

	if (!keep_page(attempt, page))
		putback_lru_page(page);
	return 0;
}

/* Wait a little for I/O. 0, -EAGAIN when the budget is used up, or -EINTR. */
static int wait_for_io(struct contig_attempt *attempt)
{
	struct contig_control *cc = attempt->cc;

	if (!cc->may_wait || time_after_eq(jiffies, cc->deadline))
		return -EAGAIN;

	cc->nr_waits++;
	schedule_timeout_killable(1);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Wait a little for kswapd. 0, -ENOMEM or -EINTR. */
static int wait_for_memory(struct contig_attempt *attempt)
{
	int ret = wait_for_io(attempt);

	return ret == -EAGAIN ? -ENOMEM : ret;
}

/*
 * Deal with a page that could not be taken away: 0 to try it again, -EBUSY,
 * -EAGAIN or -EINTR.
 */
static int handle_busy_page(struct contig_attempt *attempt, struct page *page,
			    enum contig_kind kind, unsigned int nr_tries)
{
	switch (kind) {
	case CONTIG_IO:
		if (PageDirty(page))
			start_writeback(attempt);
		return wait_for_io(attempt);
	case CONTIG_HELD:
		if (!nr_tries) {
			drain_contig_pages(false, 0);
			return 0;
		}
		if (!attempt->drained) {
			attempt->drained = true;
			drain_contig_pages(true, attempt->cc->deadline);
			return 0;
		}
		return -EBUSY;
	case CONTIG_FIXED:
		/* Pages that are being allocated or freed look like this */
		if (nr_tries >= CONTIG_TRIES)
			return -EBUSY;
		cpu_relax();
		return 0;
	default:
		/* Others look at the page, or it has changed since */
		if (nr_tries < CONTIG_TRIES) {
			cpu_relax();
			return 0;
		}
		return wait_for_io(attempt);
	}
}

/* Take away all pages of the range that are in use */
static int empty_pages(struct contig_attempt *attempt)
{
	unsigned long pfn = attempt->start;
	unsigned int nr_tries = 0, nr_pages = 0;

	while (pfn < attempt->end) {
		struct page *page = pfn_to_page(pfn);
		enum contig_kind kind;
		bool taken = false;
		int ret = -EAGAIN;

		if (nr_tries || nr_pages++ % CONTIG_RESCHED == 0) {
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
		if (PageBuddy(page)) {
			unsigned long order = buddy_order_unsafe(page);

			pfn += order < MAX_ORDER ? 1UL << order : 1;
			continue;
		}
		if (is_kept(attempt, page)) {
			pfn++;
			continue;
		}
		kind = contig_page_kind(page);
		if (kind <= CONTIG_MOVE)
			ret = kind ? empty_page(attempt, page) : 0;
		if (ret == -ENOMEM)
			ret = wait_for_memory(attempt);
		else if (ret == -EAGAIN)
			ret = handle_busy_page(attempt, page,
					       contig_page_kind(page),
					       nr_tries++);
		else if (!ret)
			taken = true;
		if (ret) {
			attempt->cc->busy_pfn = pfn;
			return ret;
		}
		if (taken) {
			nr_tries = 0;
			pfn++;
		}
	}

	return 0;
}

/* Prepare and keep pages that were free: those that are not kept yet */
static void keep_taken_pages(struct contig_attempt *attempt,
			     unsigned long start, unsigned long end)
{
	for (; start < end; start++) {
		struct page *page = pfn_to_page(start);

		if (is_kept(attempt, page))
			continue;
		prep_contig_pages(start, start + 1);
		set_page_private(page, (unsigned long)attempt);
	}
}

/*
 * Take the free pages of [start, end), which lies within one pageblock, if
 * everything else in it is kept.  With @partly, take those that are free, in any
 * case.  Returns end, or the first page that is neither free nor kept.
 */
static unsigned long take_rest_of_step(struct contig_attempt *attempt,
				       unsigned long start, unsigned long end,
				       bool partly)
{
	struct zone *zone = page_zone(pfn_to_page(start));
	unsigned long pfn, next, first = end, used = end, flags;

	spin_lock_irqsave(&zone->lock, flags);
	for (pfn = start; pfn < end && used == end; pfn = next) {
		struct page *page = pfn_to_page(pfn);

		next = pfn + 1;
		if (is_kept(attempt, page))
			continue;
		first = min(first, pfn);
		page = free_block_of(pfn);
		if (page)
			next = page_to_pfn(page) + (1UL << page_order(page));
		else
			used = pfn;
	}

	/* Pages before the first are kept */
	for (pfn = first; pfn < end && (partly || used == end); pfn = next) {
		struct page *page = pfn_to_page(pfn);

		next = pfn + 1;
		if (is_kept(attempt, page))
			continue;
		page = free_block_of(pfn);
		if (!page)
			continue;
		next = min(end, page_to_pfn(page) + (1UL << page_order(page)));
		take_free_pages(zone, pfn, next, attempt->migratetype);
		if (used != end)
			keep_taken_pages(attempt, pfn, next);
	}
	spin_unlock_irqrestore(&zone->lock, flags);

	if (used == end)
		keep_taken_pages(attempt, first, end);
	return used;
}

/* Take the free pages of the range. True if all of it is kept afterwards. */
static bool take_rest(struct contig_attempt *attempt, bool partly)
{
	bool complete = true;
	unsigned long pfn, next;

	for (pfn = attempt->start; pfn < attempt->end; pfn = next) {
		next = contig_step(pfn, attempt->end);
		if (take_rest_of_step(attempt, pfn, next, partly) == next)
			continue;
		complete = false;
		if (!partly)
			break;
	}

	return complete;
}

/* Are all pageblocks of the range of this type, and memory of one zone? */
static bool blocks_are_alike(unsigned long start, unsigned long end,
			     int migratetype)
{
	struct zone *zone = NULL;
	unsigned long pfn, next;

	for (pfn = start; pfn < end; pfn = next) {
		next = contig_step(pfn, end);
		if (!pfn_valid(pfn) || !pfn_valid(next - 1))
			return false;
		if (!zone)
			zone = page_zone(pfn_to_page(pfn));
		if (page_zone(pfn_to_page(pfn)) != zone ||
		    page_zone(pfn_to_page(next - 1)) != zone ||
		    get_pageblock_migratetype(pfn_to_page(pfn)) != migratetype)
			return false;
	}

	return zone;
}

/**
 * empty_contig_range() - empty a range of pages and take it
 * @start: first page frame number
 * @end: page frame number after the last page
 * @migratetype: type of the pageblocks that contain the range: MIGRATE_CMA or
 *	MIGRATE_MOVABLE
 * @cc: how long to wait, and what was done
 *
 * Clean page cache that was not used again is dropped, and other pages are
 * migrated.  Pages that have been emptied are kept, and free pages of the range
 * are taken at the end, so that they remain available to others meanwhile.
 *
 * Does not wait for I/O, except in short killable sleeps if @cc->may_wait is
 * set.  Pages that have to be written first are given to the flusher threads.
 *
 * Context: process context; no lock held that reclaim or page migration takes.
 * May sleep.
 * Return: 0 if the range was taken; each page then has one reference, and
 * free_contig_range() frees it.  -EBUSY if the page @cc->busy_pfn cannot be
 * migrated, or if the pageblocks are not all valid memory of one zone and of
 * type @migratetype; -EAGAIN if that page is locked, under writeback or has to
 * be written first; -EINTR if the caller is being killed; -ENOMEM if there is no
 * memory to migrate pages to.  On failure nothing is taken.  Pages that were
 * migrated or dropped by then are not brought back.
 */
int empty_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype, struct contig_control *cc)
{
	struct contig_attempt attempt = {
		.start = start,
		.end = end,
		.migratetype = migratetype,
		.cc = cc,
	};
	unsigned long pfn;
	int pass, ret = 0;

	cc->busy_pfn = contig_step(start, ULONG_MAX) - 1;
	if (start >= end || !blocks_are_alike(start, end, migratetype))
		return -EBUSY;

	contig_yield();
	/* An allocation that fails meanwhile had better try again */
	atomic_long_add(end - start, &contig_pages_in_flight);

	for (pass = 0; pass < CONTIG_PASSES; pass++) {
		ret = empty_pages(&attempt);
		if (ret)
			break;
		/* Others took pages that were free: hold on to what is free */
		if (take_rest(&attempt, pass > 1))
			goto taken;
		drain_contig_pages(pass > 0, cc->deadline);
		cc->busy_pfn = start;
		ret = -EBUSY;
	}

	free_kept_pages(&attempt);
taken:
	free_targets(&attempt);
	for (pfn = start; !ret && pfn < end; pfn++)
		set_page_private(pfn_to_page(pfn), 0);
	atomic_long_sub(end - start, &contig_pages_in_flight);
	return ret;
}

/**
 * alloc_contig_range() - allocate all pages of a range of page frames
 * @start: first page frame number
 * @end: page frame number after the last page
 * @migratetype: type of the pageblocks that contain the range: MIGRATE_CMA or
 *	MIGRATE_MOVABLE
 *
 * Pages of the range that are in use are migrated or dropped first.  Waits for
 * I/O of other users for half a second at most.
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: 0 on success.  Each page then has one reference; free the range with
 * free_contig_range().  -EBUSY if a page cannot be moved, or if the pageblocks
 * are not all valid memory of one zone and of type @migratetype; -EINTR if the
 * caller is being killed; -ENOMEM if there is no memory to move pages to.  On
 * failure nothing is taken.
 */
int alloc_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype)
{
	struct contig_control cc = {
		.may_wait = true,
		.deadline = jiffies + HZ / 2,
	};
	struct contig_scan scan;
	int ret;

	if (start >= end || !blocks_are_alike(start, end, migratetype))
		return -EBUSY;

	scan_contig_range(start, end, &scan);
	if (scan.nr[CONTIG_HELD]) {
		drain_contig_pages(true, cc.deadline);
		scan_contig_range(start, end, &scan);
	}
	if (scan.nr[CONTIG_HELD] || scan.nr[CONTIG_FIXED])
		return -EBUSY;

	ret = empty_contig_range(start, end, migratetype, &cc);
	reclaim_for_contig(start);
	return ret == -EAGAIN ? -EBUSY : ret;
}
EXPORT_SYMBOL_GPL(alloc_contig_range);

/*
 * Draining the lists of pages that each CPU has
 *
 * lru_add_drain_all() queues work on each CPU, whether it holds pages or not, and
 * waits until the work is done, without a limit.  A real-time task that never
 * sleeps keeps it waiting, and so does a new worker that cannot be created
 * because memory is short.
 */
static struct workqueue_struct *contig_wq;
static DEFINE_PER_CPU(struct work_struct, contig_drain_work);
static DECLARE_WAIT_QUEUE_HEAD(contig_drained);
static atomic_t contig_nr_drains;	/* queued, and not done yet */

static void drain_this_cpu(struct work_struct *work)
{
	lru_add_drain();
	atomic_dec(&contig_nr_drains);
	wake_up_all(&contig_drained);
}

static void drain_pagevecs(unsigned long deadline)
{
	unsigned long limit = jiffies + msecs_to_jiffies(CONTIG_DRAIN_MS);
	DEFINE_WAIT(wait);
	int cpu;

	if (!contig_wq)
		return;
	if (time_before(deadline, limit))
		limit = deadline;

	for_each_online_cpu(cpu) {
		if (!lru_pagevecs_hold_pages(cpu))
			continue;
		atomic_inc(&contig_nr_drains);
		if (!queue_work_on(cpu, contig_wq,
				   &per_cpu(contig_drain_work, cpu)))
			atomic_dec(&contig_nr_drains);
	}

	for (;;) {
		prepare_to_wait(&contig_drained, &wait, TASK_KILLABLE);
		if (!atomic_read(&contig_nr_drains) ||
		    fatal_signal_pending(current) ||
		    !time_before(jiffies, limit))
			break;
		schedule_timeout(limit - jiffies);
	}
	finish_wait(&contig_drained, &wait);
}

/**
 * drain_contig_pages() - free pages from pagevecs and per-cpu lists
 * @all_cpus: of all CPUs, instead of this one only
 * @deadline: do not wait for other CPUs after this time, in jiffies
 *
 * Pages in a pagevec have an additional reference, and freed pages on a per-cpu
 * list cannot be taken.  Only CPUs that hold pages are asked to drain them, and
 * are waited for, but no longer than 20 ms.
 *
 * Context: process context.  May sleep if @all_cpus.
 */
void drain_contig_pages(bool all_cpus, unsigned long deadline)
{
	lru_add_drain();
	if (all_cpus) {
		drain_pagevecs(deadline);
		drain_all_pages();
		return;
	}

	get_cpu();
	drain_local_pages(NULL);
	put_cpu();
}

/* The pagevecs of a CPU that is gone would hold their pages until it is back */
static int __cpuinit contig_cpu_notify(struct notifier_block *nb,
				       unsigned long action, void *hcpu)
{
	if (action == CPU_DEAD || action == CPU_DEAD_FROZEN)
		lru_add_drain_cpu((unsigned long)hcpu);
	return NOTIFY_OK;
}

static int __init contig_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_WORK(&per_cpu(contig_drain_work, cpu), drain_this_cpu);
	hotcpu_notifier(contig_cpu_notify, 0);
	contig_wq = alloc_workqueue("contig", WQ_MEM_RECLAIM, 1);
	return contig_wq ? 0 : -ENOMEM;
}
core_initcall(contig_init);

/*
 * Reclaim after an allocation
 */

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

/**
 * reclaim_for_contig() - make up for the free memory that an allocation took
 * @pfn: page frame of the allocation, or any of its area
 *
 * Wakes kswapd if a zone is below its low watermark.  Below the minimum, frees
 * memory in a bounded number of rounds, without starting or awaiting I/O, so
 * that other allocations need not do it.
 *
 * Context: process context; no lock held that reclaim takes.  May sleep.
 */
void reclaim_for_contig(unsigned long pfn)
{
	struct zonelist *zonelist = node_zonelist(pfn_to_nid(pfn),
						  CONTIG_GFP_NOIO);
	struct reclaim_state reclaim_state = { .reclaimed_slab = 0 };
	unsigned long progress = 1;
	int round;

	if (!zones_are_low(zonelist, WMARK_LOW) || reclaim_is_congested() ||
	    (current->flags & PF_MEMALLOC))
		return;

	for (round = 0; round < CONTIG_PASSES && progress; round++) {
		if (fatal_signal_pending(current) ||
		    !zones_are_low(zonelist, WMARK_MIN))
			break;

		current->flags |= PF_MEMALLOC;
		lockdep_set_current_reclaim_state(CONTIG_GFP_NOIO);
		current->reclaim_state = &reclaim_state;
		progress = try_to_free_pages(zonelist, 0, CONTIG_GFP_NOIO,
					     NULL);
		current->reclaim_state = NULL;
		lockdep_clear_current_reclaim_state();
		current->flags &= ~PF_MEMALLOC;
	}
}

/* Free [pfn, end), whose pages have no references left and were checked */
static void free_unreferenced_pages(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned int order = min3(ilog2(end - pfn), MAX_ORDER - 1,
					  pfn ? (int)__ffs(pfn) : MAX_ORDER);
		struct page *page = pfn_to_page(pfn);
		unsigned long flags;

		if (!PageHighMem(page)) {
			void *addr = page_address(page);

			debug_check_no_locks_freed(addr, PAGE_SIZE << order);
			debug_check_no_obj_freed(addr, PAGE_SIZE << order);
		}
		arch_free_page(page, order);
		kernel_map_pages(page, 1 << order, 0);

		local_irq_save(flags);
		__count_vm_events(PGFREE, 1 << order);
		free_one_page(page_zone(page), page, order,
			      unlocked_migratetype(page));
		local_irq_restore(flags);
		pfn += 1UL << order;
	}
}

/* Will the page allocator accept this page, whose last reference is gone? */
static bool is_sane_free_page(struct page *page)
{
	if (page->mapping || atomic_read(&page->_mapcount) != -1 ||
	    (page->flags & PAGE_FLAGS_CHECK_AT_FREE))
		return false;

	if (page->flags & PAGE_FLAGS_CHECK_AT_PREP)
		page->flags &= ~PAGE_FLAGS_CHECK_AT_PREP;
	return true;
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
			/* The page allocator reports it and does not use it */
			free_hot_cold_page(page, 0);
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
