/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocator of io addresses; sizes are in pages of PAGE_SIZE
 */
#ifndef __ARM_MM_DMA_IOVA_H
#define __ARM_MM_DMA_IOVA_H

#include <linux/types.h>

struct iova_space;

struct iova_space *arm_iova_create(dma_addr_t base, u64 size,
				   unsigned int order);
void arm_iova_destroy(struct iova_space *space);
u64 arm_iova_end(const struct iova_space *space);
int arm_iova_alloc(struct iova_space *space, unsigned long nr_pages,
		   gfp_t gfp, dma_addr_t *addr);
bool arm_iova_retire(struct iova_space *space, dma_addr_t addr,
		     unsigned long nr_pages);
void arm_iova_recycle(struct iova_space *space, dma_addr_t addr,
		      unsigned long nr_pages);
u8 *arm_iova_leaf(struct iova_space *space, dma_addr_t addr);

#endif /* __ARM_MM_DMA_IOVA_H */
