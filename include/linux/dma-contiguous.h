/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory for DMA: the default area, and private areas of devices.
 *
 * Drivers do not call these functions.  They use dma_alloc_coherent(), which
 * allocates large buffers from these areas.
 */
#ifndef __LINUX_DMA_CONTIGUOUS_H
#define __LINUX_DMA_CONTIGUOUS_H

#include <linux/cma.h>
#include <linux/cma-devices.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/types.h>

struct page;

#ifdef CONFIG_CMA

extern struct cma *dma_contiguous_default_area;

/**
 * dev_get_cma_area() - get the area that buffers of a device come from
 * @dev: device, or NULL for the default area
 *
 * Context: any.
 * Return: the area that "cma_dev=" gives to the device, else its private area,
 * or the default area if it has none or its own could not be activated; NULL if
 * there is no default area either.
 */
static inline struct cma *dev_get_cma_area(struct device *dev)
{
	struct cma *cma = cma_area_by_rule(dev);

	if (cma)
		return cma;
	if (dev && dev->cma_area && cma_get_size(dev->cma_area))
		return dev->cma_area;
	return dma_contiguous_default_area;
}

/**
 * dev_set_cma_area() - set the area that buffers of a device come from
 * @dev: device
 * @cma: area, which other devices may use as well; NULL for the default area
 *
 * Context: any.  Not serialised against allocations for @dev.
 */
static inline void dev_set_cma_area(struct device *dev, struct cma *cma)
{
	dev->cma_area = cma;
}

void __init dma_contiguous_reserve(phys_addr_t limit);
int __init dma_declare_contiguous(struct device *dev, phys_addr_t size,
				  phys_addr_t base, phys_addr_t limit);

/**
 * dma_alloc_from_contiguous() - allocate a buffer for a device
 * @dev: device, or NULL for the default area
 * @count: number of pages, from 1 to the size of the area
 * @align_order: alignment of the physical address as an order of pages, limited
 *		 to CONFIG_CMA_ALIGNMENT
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: the first page, or NULL if there is no area or the allocation failed.
 * Each page has one reference.
 */
static inline struct page *dma_alloc_from_contiguous(struct device *dev,
						     int count,
						     unsigned int align_order)
{
	if (count <= 0)
		return NULL;
	return cma_alloc_for(dev, dev_get_cma_area(dev), count,
			     min_t(unsigned int, align_order,
				   CONFIG_CMA_ALIGNMENT), false);
}

/**
 * dma_release_from_contiguous() - free a buffer of a device
 * @dev: device that the buffer was allocated for, or NULL
 * @pages: first page
 * @count: number of pages
 *
 * Context: any, including with interrupts off.
 * Return: true if the pages were freed; false, with nothing done, unless all of
 * them lie in the area of the device and are allocated.
 */
static inline bool dma_release_from_contiguous(struct device *dev,
					       struct page *pages, int count)
{
	if (count <= 0)
		return false;
	return cma_release(dev_get_cma_area(dev), pages, count);
}

#else

static inline struct cma *dev_get_cma_area(struct device *dev)
{
	return NULL;
}

static inline void dev_set_cma_area(struct device *dev, struct cma *cma)
{
}

static inline void dma_contiguous_reserve(phys_addr_t limit)
{
}

static inline int dma_declare_contiguous(struct device *dev, phys_addr_t size,
					 phys_addr_t base, phys_addr_t limit)
{
	return -ENODEV;
}

static inline struct page *dma_alloc_from_contiguous(struct device *dev,
						     int count,
						     unsigned int align_order)
{
	return NULL;
}

static inline bool dma_release_from_contiguous(struct device *dev,
					       struct page *pages, int count)
{
	return false;
}

#endif

#endif /* __LINUX_DMA_CONTIGUOUS_H */
