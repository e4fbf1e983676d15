/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel around arch/arm/mm/dma-ops.c, and the base's dma-mapping.c with the patches,
 * for the model of cache.h
 */
#ifndef HOST_OPS_H
#define HOST_OPS_H

#include "heap.h"
#include "ops-api.h"

/* Faithful: attributes */
#define DEFINE_DMA_ATTRS(name)	struct dma_attrs name = { 0 }
#define dma_set_attr(attr, attrs)	((void)((attrs)->flags |= 1U << (attr)))
#define likely(condition)	(condition)

/* Faithful: an entry of a list has a length for the device, which nobody sets but who maps it */
#define CONFIG_NEED_SG_DMA_LENGTH	1
#undef sg_dma_len
#define sg_dma_len(sg)		((sg)->dma_length)
#define sg_alloc_table(table, nents, gfp)	(-ENOMEM)

/* Simplified: the page allocator has the pages that a test gives it */
#define __GFP_COMP		4U
#undef __free_page
#define __free_page(page)	heap_free_pages(page, 0)

/* Empty */
#define debug_dma_sync_single_range_for_cpu(...)	do { } while (0)
#define debug_dma_sync_single_range_for_device(...)	do { } while (0)

#endif
