/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Emptying ranges of page frames: what the allocator of contiguous memory areas
 * needs from mm.
 */
#ifndef __LINUX_CONTIG_H
#define __LINUX_CONTIG_H

#include <linux/types.h>

struct page;

/**
 * enum contig_kind - what stands in the way of taking a page
 * @CONTIG_FREE: nothing: it is in the buddy lists, or on its way there
 * @CONTIG_DROP: clean page cache that nothing maps and that was not used again
 *	after it was read; it is dropped
 * @CONTIG_MOVE: it is in use and can be migrated
 * @CONTIG_IO: it is locked, under writeback, or has to be written before it can
 *	be migrated
 * @CONTIG_HELD: it has more references than its users account for (it is pinned,
 *	or in a pagevec), or it is not on an LRU list
 * @CONTIG_FIXED: it cannot be migrated: a slab page, or a page of a driver
 * @NR_CONTIG_KINDS: number of kinds
 */
enum contig_kind {
	CONTIG_FREE,
	CONTIG_DROP,
	CONTIG_MOVE,
	CONTIG_IO,
	CONTIG_HELD,
	CONTIG_FIXED,
	NR_CONTIG_KINDS
};

/**
 * struct contig_scan - what the pages of a range are
 * @nr: number of pages of each kind
 * @last_held: last pfn of kind CONTIG_HELD or CONTIG_FIXED, if there is one
 * @last_io: last pfn of kind CONTIG_IO, if there is one
 */
struct contig_scan {
	unsigned long	nr[NR_CONTIG_KINDS];
	unsigned long	last_held;
	unsigned long	last_io;
};

/**
 * struct contig_control - how a range is emptied, and what that took
 * @may_wait: wait for pages of kind CONTIG_IO
 * @deadline: end of such waits, in jiffies
 * @busy_pfn: set on -EBUSY and -EAGAIN: resume the search after this pfn
 * @nr_moved: pages that were migrated are added
 * @nr_dropped: pages of page cache that were dropped are added
 * @nr_waits: waits are added
 */
struct contig_control {
	bool		may_wait;
	unsigned long	deadline;
	unsigned long	busy_pfn;
	unsigned long	nr_moved;
	unsigned long	nr_dropped;
	unsigned long	nr_waits;
};

bool contig_page_is_unused_cache(struct page *page);
int contig_page_extra_refs(struct page *page);
enum contig_kind contig_page_kind(struct page *page);
unsigned long first_contig_page(unsigned long start, unsigned long end,
				enum contig_kind kind);
void scan_contig_range(unsigned long start, unsigned long end,
		       struct contig_scan *scan);
int empty_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype, struct contig_control *cc);
void drain_contig_pages(bool all_cpus, unsigned long deadline);
void reclaim_for_contig(unsigned long pfn);

#endif /* __LINUX_CONTIG_H */
