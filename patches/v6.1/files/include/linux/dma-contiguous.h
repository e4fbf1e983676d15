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
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/types.h>

#ifdef CONFIG_DMA_CMA

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

int __init dma_declare_contiguous(struct device *dev, phys_addr_t size,
				  phys_addr_t base, phys_addr_t limit);

#else

static inline void dev_set_cma_area(struct device *dev, struct cma *cma)
{
}

static inline int dma_declare_contiguous(struct device *dev, phys_addr_t size,
					 phys_addr_t base, phys_addr_t limit)
{
	return -ENODEV;
}

#endif

#endif /* __LINUX_DMA_CONTIGUOUS_H */
