/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the DMA operations use of dma-mapping.c
 *
 * Without @mapped, a buffer need not have an address for the CPU.
 */
#ifndef __ARM_MM_DMA_OPS_H
#define __ARM_MM_DMA_OPS_H

#include <linux/types.h>
#include <asm/page.h>

struct device;
struct vm_area_struct;

struct page *__dma_alloc_buffer(struct device *dev, size_t size, gfp_t gfp);
void __dma_free_buffer(struct page *page, size_t size);
void *__dma_alloc(struct device *dev, size_t size, dma_addr_t *handle,
		  gfp_t gfp, pgprot_t prot, bool mapped);
void __dma_free(struct device *dev, size_t size, void *cpu_addr,
		dma_addr_t handle, bool mapped);
int __dma_mmap(struct device *dev, struct vm_area_struct *vma, void *cpu_addr,
	       dma_addr_t handle, size_t size);

#endif /* __ARM_MM_DMA_OPS_H */
