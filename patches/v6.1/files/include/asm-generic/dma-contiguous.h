/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What contiguous memory areas need to know about an architecture.  The hook
 * for each reserved area is dma_contiguous_early_fixup() of dma-map-ops.h.
 */
#ifndef __ASM_GENERIC_DMA_CONTIGUOUS_H
#define __ASM_GENERIC_DMA_CONTIGUOUS_H

#include <linux/dma-map-ops.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/types.h>

/*
 * Return the physical address at which the linear mapping ends.  __pa() is not
 * valid for high_memory itself, only for the byte below it.  On architectures
 * that set high_memory after areas are reserved, max_low_pfn is used.
 */
static inline phys_addr_t dma_contiguous_lowmem_end(void)
{
	if (high_memory)
		return __pa(high_memory - 1) + 1;
	return max_low_pfn ? PFN_PHYS(max_low_pfn) : ~(phys_addr_t)0;
}

/*
 * Return the size of a pool for atomic requests that is in the default area.
 * This is that of ARM without "coherent_pool=", which is not known here.
 */
static inline size_t dma_contiguous_pool_size(void)
{
	return SZ_256K;
}

#endif /* __ASM_GENERIC_DMA_CONTIGUOUS_H */
