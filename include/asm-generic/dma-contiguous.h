/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For architectures that need not know where contiguous memory areas are, and
 * have no memory that the kernel does not map.
 */
#ifndef __ASM_GENERIC_DMA_CONTIGUOUS_H
#define __ASM_GENERIC_DMA_CONTIGUOUS_H

#include <linux/types.h>

/* An area was reserved, early at boot */
static inline void dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
}

/* First address that the kernel does not map */
static inline phys_addr_t dma_contiguous_lowmem_end(void)
{
	return ~(phys_addr_t)0;
}

#endif /* __ASM_GENERIC_DMA_CONTIGUOUS_H */
