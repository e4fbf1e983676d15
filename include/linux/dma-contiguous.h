/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory for DMA: the default area, and areas of single devices.
 *
 * Drivers do not call anything here. They use dma_alloc_coherent(), whose
 * implementation takes large buffers from these areas.
 */
#ifndef __LINUX_DMA_CONTIGUOUS_H
#define __LINUX_DMA_CONTIGUOUS_H

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/types.h>

struct page;

#ifdef CONFIG_CMA

extern struct cma *dma_contiguous_default_area;

/**
 * dev_get_cma_area() - the area that a device's buffers come from
 * @dev: device, or NULL
 *
 * Return: its own area, or the default one if it has none or its own could not
 * be activated; NULL if there is no default one.
 */
static inline struct cma *dev_get_cma_area(struct device *dev)
{
	if (dev && dev->cma_area && cma_get_size(dev->cma_area))
		return dev->cma_area;
	return dma_contiguous_default_area;
}

/**
 * dev_set_cma_area() - give a device an area
 * @dev: device
 * @cma: area, shared with whoever else has it; NULL for the default one
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
 * @count: pages
 * @align_order: order of pages that the physical address shall be a multiple
 *		 of; what is above CONFIG_CMA_ALIGNMENT counts as that
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: the first page, each has one reference; NULL if there is no area or
 * @count contiguous pages can not be had in it.
 */
static inline struct page *dma_alloc_from_contiguous(struct device *dev,
						     int count,
						     unsigned int align_order)
{
	if (count <= 0)
		return NULL;
	return cma_alloc(dev_get_cma_area(dev), count,
			 min_t(unsigned int, align_order, CONFIG_CMA_ALIGNMENT),
			 false);
}

/**
 * dma_release_from_contiguous() - give back a buffer
 * @dev: device that it was allocated for
 * @pages: first page
 * @count: pages
 *
 * Context: any, also with interrupts off.
 * Return: false, and nothing is done, if not all of the pages are in the
 * device's area and allocated.
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
