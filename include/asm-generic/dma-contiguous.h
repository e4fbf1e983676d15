/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory areas, for architectures that need no notice of them and
 * whose linear mapping covers all memory.
 */
#ifndef __ASM_GENERIC_DMA_CONTIGUOUS_H
#define __ASM_GENERIC_DMA_CONTIGUOUS_H

#include <linux/types.h>

/* The kernel maps all memory that memblock knows */
#define memblock_is_map_memory(addr)	memblock_is_memory(addr)

/* Called for each area that is reserved during early boot */
static inline void dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
}

/* Return the physical address at which the linear mapping ends */
static inline phys_addr_t dma_contiguous_lowmem_end(void)
{
	return ~(phys_addr_t)0;
}

/* Return the size of a pool for atomic requests that is in the default area */
static inline size_t dma_contiguous_pool_size(void)
{
	return 0;
}

#endif /* __ASM_GENERIC_DMA_CONTIGUOUS_H */
