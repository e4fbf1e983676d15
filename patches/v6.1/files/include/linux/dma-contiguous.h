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
#include <linux/dma-map-ops.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/types.h>

#ifdef CONFIG_DMA_CMA

/**
 * dev_set_cma_area() - give a device an area
 * @dev: device
 * @cma: area, shared with whoever else has it; NULL for the default one
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
