/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the allocator of contiguous memory areas shares with its debugfs and
 * sysfs files.
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
 * @count: pages in the area; constant, 0 if the area could not be activated
 * @order_per_bit: pages per bit of @bitmap as an order; constant
 * @bitmap: a bit set is memory that a driver has or somebody tries to take;
 *	@lock
 * @given: a bit set is memory that a driver has, a subset of @bitmap; @lock
 * @nr_trials: ranges with bits set in @bitmap by an attempt that does not
 *	sleep and is not finished; @lock
 * @lock: innermost lock of the allocator, interrupts off
 * @empty_mutex: held while a range is emptied, outside @lock
 * @nr_success: successful calls' pages
 * @nr_fail: failed calls' pages
 * @nr_released: pages released
 * @name: name in messages, debugfs and sysfs; constant
 * @kobj: directory in sysfs
 */
struct cma {
	unsigned long	base_pfn;
	unsigned long	count;
	unsigned int	order_per_bit;
	unsigned long	*bitmap;
	unsigned long	*given;
	unsigned int	nr_trials;
	spinlock_t	lock;	/* bitmap, given, nr_trials */
	struct mutex	empty_mutex;	/* one range at a time is emptied */
	atomic_long_t	nr_success;
	atomic_long_t	nr_fail;
	atomic_long_t	nr_released;
	char		name[CMA_NAME_LEN];
	struct kobject	kobj;
};

/* Size of the default area without "cma=": what Kconfig asks for, or 0 */
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

/* Bits of the bitmap */
static inline unsigned long cma_bitmap_maxno(const struct cma *cma)
{
	return cma->count >> cma->order_per_bit;
}

unsigned long cma_used_pages(struct cma *cma);

#endif /* __DRIVERS_BASE_CMA_H */
