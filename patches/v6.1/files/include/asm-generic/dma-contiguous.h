/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What contiguous memory areas have to know of an architecture.  What it does
 * when an area was reserved is dma_contiguous_early_fixup().
 */
#ifndef __ASM_GENERIC_DMA_CONTIGUOUS_H
#define __ASM_GENERIC_DMA_CONTIGUOUS_H

#include <linux/dma-map-ops.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/types.h>

/*
 * First address that the kernel does not map.  high_memory is no address that
 * __pa() takes.  Where it is not set yet when memory is reserved, max_low_pfn is.
 */
static inline phys_addr_t dma_contiguous_lowmem_end(void)
{
	if (high_memory)
		return __pa(high_memory - 1) + 1;
	return max_low_pfn ? PFN_PHYS(max_low_pfn) : ~(phys_addr_t)0;
}

#endif /* __ASM_GENERIC_DMA_CONTIGUOUS_H */
