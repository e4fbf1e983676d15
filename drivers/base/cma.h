/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory areas: what the allocator shares with the other files of
 * drivers/base, such as those for debugfs and sysfs.
 */
#ifndef __DRIVERS_BASE_CMA_H
#define __DRIVERS_BASE_CMA_H

#include <linux/atomic.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define CMA_NAME_LEN	64

/**
 * struct cma - a contiguous memory area
 * @base_pfn: first page frame number; constant
 * @count: number of pages; constant, 0 if the area could not be activated
 * @order_per_bit: pages per bit of the bitmaps, as an order; constant
 * @bitmap: bits set for pages that are allocated or claimed by an attempt in
 *	progress; protected by @lock
 * @allocated: bits set for pages that are allocated, a subset of @bitmap;
 *	protected by @lock
 * @nr_trials: ranges that are claimed in @bitmap by attempts in progress that
 *	do not sleep; protected by @lock
 * @lock: innermost lock of the allocator, taken with interrupts off
 * @empty_mutex: held while a range is emptied; taken before @lock
 * @nr_success: pages of all successful allocations
 * @nr_fail: pages of all failed allocations
 * @nr_released: pages of all releases
 * @name: name in messages, debugfs and sysfs; constant
 * @kobj: directory in sysfs
 */
struct cma {
	unsigned long	base_pfn;
	unsigned long	count;
	unsigned int	order_per_bit;
	unsigned long	*bitmap;
	unsigned long	*allocated;
	unsigned int	nr_trials;
	spinlock_t	lock;	/* bitmap, allocated, nr_trials */
	struct mutex	empty_mutex;	/* empties one range at a time */
	atomic_long_t	nr_success;
	atomic_long_t	nr_fail;
	atomic_long_t	nr_released;
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

extern struct cma cma_areas[];
extern unsigned int cma_area_count;

/* Number of bits in each bitmap of an area */
static inline unsigned long cma_bitmap_maxno(const struct cma *cma)
{
	return cma->count >> cma->order_per_bit;
}

unsigned long cma_used_pages(struct cma *cma);

#endif /* __DRIVERS_BASE_CMA_H */
