/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The allocator of io addresses, where it is a part of the kernel that can be called
 */
#ifndef CMA_IOVA_H
#define CMA_IOVA_H

#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>

#include <asm/dma-iommu.h>

#ifdef DMA_MAPPING_ERROR	/* a later kernel, where it is part of a function */
static inline int cma_iova_init(void)
{
	return -ENODEV;
}

static inline int cma_iova_alloc(struct dma_iommu_mapping *mapping,
				 unsigned long nr_pages, dma_addr_t *addr)
{
	return -ENODEV;
}

static inline void cma_iova_free(struct dma_iommu_mapping *mapping,
				 dma_addr_t addr, unsigned long nr_pages)
{
}
#else
#include <linux/kallsyms.h>

#include "dma-iova.h"

/* They are not exported: drivers do not call them */
static typeof(arm_iova_alloc) *cma_iova_alloc_function;
static typeof(arm_iova_retire) *cma_iova_retire_function;
static typeof(arm_iova_recycle) *cma_iova_recycle_function;

static inline int cma_iova_init(void)
{
	cma_iova_alloc_function = (void *)kallsyms_lookup_name("arm_iova_alloc");
	cma_iova_retire_function =
		(void *)kallsyms_lookup_name("arm_iova_retire");
	cma_iova_recycle_function =
		(void *)kallsyms_lookup_name("arm_iova_recycle");
	return cma_iova_alloc_function && cma_iova_retire_function &&
	       cma_iova_recycle_function ? 0 : -ENODEV;
}

static inline int cma_iova_alloc(struct dma_iommu_mapping *mapping,
				 unsigned long nr_pages, dma_addr_t *addr)
{
	return cma_iova_alloc_function(mapping->iova, nr_pages, GFP_ATOMIC,
				       addr);
}

static inline void cma_iova_free(struct dma_iommu_mapping *mapping,
				 dma_addr_t addr, unsigned long nr_pages)
{
	if (cma_iova_retire_function(mapping->iova, addr, nr_pages))
		cma_iova_recycle_function(mapping->iova, addr, nr_pages);
}
#endif

#endif
