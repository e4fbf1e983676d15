/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory areas: what the allocator shares with the other files of
 * drivers/base, such as those for debugfs and sysfs.
 */
#ifndef __DRIVERS_BASE_CMA_H
#define __DRIVERS_BASE_CMA_H

#include <linux/atomic.h>
#include <linux/kobject.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* sched_clock() and fatal_signal_pending(), on kernels that moved them */
#ifdef __has_include
#if __has_include("linux/sched/clock.h")
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#endif
#endif

#define CMA_NAME_LEN	64

/* Latencies: below 1 us, below 2 us, below 4 us, ..., and 4.2 s and more */
#define CMA_NR_LATENCIES	24

/* Limit of wait_budget_ms: one hour */
#define CMA_MAX_WAIT_BUDGET_MS	3600000

/* Why a range was skipped when one had to be emptied */
enum cma_skip {
	CMA_SKIP_HELD,		/* references to a page are held */
	CMA_SKIP_FIXED,		/* a page can never be moved */
	CMA_SKIP_IO,		/* a page is under I/O */
	CMA_SKIP_CLAIMED,	/* another attempt was in progress there */
	NR_CMA_SKIPS
};

/**
 * struct cma - a contiguous memory area
 * @base_pfn: first page frame number; constant
 * @count: number of pages; constant, 0 if the area could not be activated
 * @order_per_bit: pages per bit of the bitmaps, as an order; constant
 * @bitmap: bits set for pages that are allocated or claimed by an attempt in
 *	progress; protected by @lock
 * @allocated: bits set for pages that are allocated, a subset of @bitmap;
 *	protected by @lock
 * @ends: one bit per page, set for the last page of each buffer; protected by
 *	@lock
 * @nr_claims: ranges that are claimed in @bitmap by attempts and releases in
 *	progress; protected by @lock
 * @lock: innermost lock of the allocator, taken with interrupts off
 * @reserve: pages at the high end that only cma_alloc_reserve() and
 *	cma_try_alloc_reserve() allocate.  The page allocator does not have
 *	them; those that are free have one reference.  No buffer is partly in
 *	the reserve.  Constant after boot
 * @is_exclusive: not for buffers that belong to no device; constant
 * @wait_budget_ms: time that an allocation may spend waiting; 0 is none
 * @nr_success: pages of all successful allocations
 * @nr_fail: pages of all failed allocations
 * @nr_released: pages of all releases
 * @nr_moved: pages that were moved to empty ranges
 * @nr_dropped: pages of clean page cache that were dropped to empty ranges
 * @nr_waits: waits for I/O, references and claims
 * @nr_skipped: ranges that were skipped when one had to be emptied
 * @nr_latency: allocations, successful or not, by the time they took
 * @max_latency: time in us of the slowest of them
 * @name: name in messages, debugfs and sysfs; constant
 * @kobj: directory in sysfs
 */
struct cma {
	unsigned long	base_pfn;
	unsigned long	count;
	unsigned int	order_per_bit;
	unsigned long	*bitmap;
	unsigned long	*allocated;
	unsigned long	*ends;
	unsigned int	nr_claims;
	spinlock_t	lock;	/* bitmap, allocated, ends, nr_claims */
	unsigned long	reserve;
	bool		is_exclusive;
	unsigned int	wait_budget_ms;
	atomic_long_t	nr_success;
	atomic_long_t	nr_fail;
	atomic_long_t	nr_released;
	atomic_long_t	nr_moved;
	atomic_long_t	nr_dropped;
	atomic_long_t	nr_waits;
	atomic_long_t	nr_skipped[NR_CMA_SKIPS];
	atomic_long_t	nr_latency[CMA_NR_LATENCIES];
	atomic_long_t	max_latency;
	char		name[CMA_NAME_LEN];
	struct kobject	kobj;
};

/* Size of the default area without "cma=": as configured, or 0 */
#ifdef CONFIG_CMA_SIZE_MBYTES
#define CMA_SIZE_MBYTES		CONFIG_CMA_SIZE_MBYTES
#else
#define CMA_SIZE_MBYTES		0
#endif

#ifdef CONFIG_CMA_SIZE_PERCENTAGE
#define CMA_SIZE_PERCENTAGE	CONFIG_CMA_SIZE_PERCENTAGE
#else
#define CMA_SIZE_PERCENTAGE	0
#endif

/* The size of the default area: of a number of MiB and of a part of memory */
#if defined(CONFIG_CMA_SIZE_SEL_PERCENTAGE)
#define CMA_SIZE_SELECTED(size, part)	((void)(size), (part))
#elif defined(CONFIG_CMA_SIZE_SEL_MIN)
#define CMA_SIZE_SELECTED(size, part)	min(size, part)
#elif defined(CONFIG_CMA_SIZE_SEL_MAX)
#define CMA_SIZE_SELECTED(size, part)	max(size, part)
#else
#define CMA_SIZE_SELECTED(size, part)	((void)(part), (size))
#endif

/* Address of the initrd, or 0 */
#ifdef CONFIG_BLK_DEV_INITRD
#define CMA_INITRD_START	initrd_start
#else
#define CMA_INITRD_START	0UL
#endif

extern struct cma cma_areas[];
extern unsigned int cma_area_count;

/* Number of bits in each bitmap of an area */
static inline unsigned long cma_bitmap_maxno(const struct cma *cma)
{
	return cma->count >> cma->order_per_bit;
}

/* First page frame of the reserve; the end of the area if there is none */
static inline unsigned long cma_reserve_pfn(const struct cma *cma)
{
	return cma->base_pfn + cma->count - cma->reserve;
}

/* The same, as a bit of the bitmap */
static inline unsigned long cma_reserve_bit(const struct cma *cma)
{
	return (cma->count - cma->reserve) >> cma->order_per_bit;
}

unsigned long cma_used_pages(struct cma *cma);

struct dentry;

#ifdef CONFIG_CMA_DEBUG_PINS
void cma_debugfs_add_pins(struct cma *cma, struct dentry *dir);
#else
static inline void cma_debugfs_add_pins(struct cma *cma, struct dentry *dir)
{
}
#endif

#endif /* __DRIVERS_BASE_CMA_H */
