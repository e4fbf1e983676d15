/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory for DMA: which devices use which areas, and what boards
 * state before memory is reserved.
 */
#ifndef __LINUX_CMA_DEVICES_H
#define __LINUX_CMA_DEVICES_H

#include <linux/cma.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/types.h>

struct device;
struct page;

#ifdef CONFIG_DMA_CMA

extern bool cma_has_rules;
extern bool cma_has_reserve;

struct cma *cma_find_rule(struct device *dev);
bool cma_find_listed(struct device *dev);
int __init dma_contiguous_need(const char *name, phys_addr_t size,
			       unsigned int count);
int __init dma_declare_contiguous_exclusive(struct device *dev,
					    phys_addr_t size, phys_addr_t base,
					    phys_addr_t limit);

/**
 * cma_area_by_rule() - get the area that the command line gives to a device
 * @dev: device, or NULL
 *
 * Context: any.
 * Return: the area, or NULL if the command line says nothing about the device.
 */
static inline struct cma *cma_area_by_rule(struct device *dev)
{
	return cma_has_rules ? cma_find_rule(dev) : NULL;
}

/**
 * cma_may_use_reserve() - check whether the reserve is for a device
 * @dev: device, or NULL
 *
 * Context: any.
 * Return: true if there is a reserve in the default area and @dev may use it.
 */
static inline bool cma_may_use_reserve(struct device *dev)
{
	return cma_has_reserve && cma_find_listed(dev);
}

/**
 * cma_alloc_for() - allocate contiguous pages for a device
 * @dev: device, or NULL
 * @cma: area; the reserve is used if it has one and @dev is listed
 * @count: number of pages, see cma_alloc()
 * @align_order: alignment, see cma_alloc()
 * @no_warn: do not log a failure
 *
 * Context: see cma_alloc().
 * Return: see cma_alloc().
 */
static inline struct page *cma_alloc_for(struct device *dev, struct cma *cma,
					 unsigned long count,
					 unsigned int align_order,
					 bool no_warn)
{
	if (cma_may_use_reserve(dev))
		return cma_alloc_reserve(cma, count, align_order, no_warn);
	return cma_alloc(cma, count, align_order, no_warn);
}

/**
 * cma_try_alloc_for() - allocate for a device without emptying a range
 * @dev: device, or NULL
 * @cma: area; the reserve is used if it has one and @dev is listed
 * @count: number of pages, see cma_try_alloc()
 * @align_order: alignment, see cma_try_alloc()
 *
 * Context: any, including with interrupts off.
 * Return: see cma_try_alloc().
 */
static inline struct page *cma_try_alloc_for(struct device *dev,
					     struct cma *cma,
					     unsigned long count,
					     unsigned int align_order)
{
	if (cma_may_use_reserve(dev))
		return cma_try_alloc_reserve(cma, count, align_order);
	return cma_try_alloc(cma, count, align_order);
}

#else

static inline int dma_contiguous_need(const char *name, phys_addr_t size,
				      unsigned int count)
{
	return 0;
}

static inline int dma_declare_contiguous_exclusive(struct device *dev,
						   phys_addr_t size,
						   phys_addr_t base,
						   phys_addr_t limit)
{
	return -ENODEV;
}

#endif

#endif /* __LINUX_CMA_DEVICES_H */
