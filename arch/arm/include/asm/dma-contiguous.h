/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory areas on ARM: how the linear mapping covers them, and the
 * buffers that dma_alloc_coherent() allocates from them.
 */
#ifndef __ASM_ARM_DMA_CONTIGUOUS_H
#define __ASM_ARM_DMA_CONTIGUOUS_H

#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#include <asm/page.h>

struct device;
struct vm_area_struct;

/*
 * On ARM11MPCore, cache maintenance reaches dirty lines of other CPUs only
 * through a cached mapping, so that buffers have to be flushed before their
 * mapping changes.  That is safe because these CPUs do not speculate.
 */
#ifdef CONFIG_DMA_CACHE_RWFO
#define FLUSH_WHILE_CACHED	1
#else
#define FLUSH_WHILE_CACHED	0
#endif

/* The first slot of kmap_atomic() that this CPU does not use */
#ifdef CONFIG_HIGHMEM
#define FIRST_UNUSED_KMAP	(kmap_atomic_idx() + 1)
#else
#define FIRST_UNUSED_KMAP	KM_TYPE_NR
#endif

#ifdef CONFIG_CMA

phys_addr_t dma_contiguous_lowmem_end(void);

/* The kernel maps all memory that memblock knows */
#define memblock_is_map_memory(addr)	memblock_is_memory(addr)

/* End of the low memory that all devices of a machine reach, 0 for all of it */
#if defined(CONFIG_ZONE_DMA) && defined(ARM_DMA_ZONE_SIZE)
#define dma_contiguous_limit(mdesc) \
	dma_contiguous_zone_end(ARM_DMA_ZONE_SIZE)
#elif defined(CONFIG_ZONE_DMA)
#define dma_contiguous_limit(mdesc) \
	dma_contiguous_zone_end((mdesc)->dma_zone_size)
#else
#define dma_contiguous_limit(mdesc)	0
#endif

static inline phys_addr_t dma_contiguous_zone_end(unsigned long dma_zone_size)
{
	return dma_zone_size ? min_t(phys_addr_t, PHYS_OFFSET + dma_zone_size,
				     dma_contiguous_lowmem_end()) : 0;
}

size_t dma_contiguous_pool_size(void);
void dma_contiguous_early_fixup(phys_addr_t base, unsigned long size);
void dma_contiguous_remap(void);

bool arm_dma_use_contiguous(struct device *dev, gfp_t gfp);
void *arm_dma_alloc_contiguous(struct device *dev, size_t size, u64 mask,
			       dma_addr_t *handle, gfp_t gfp, pgprot_t prot,
			       bool mapped);
bool arm_dma_free_contiguous(struct device *dev, size_t size, void *cpu_addr,
			     dma_addr_t handle);
bool arm_dma_prepare_highmem(struct page *page, size_t size, pgprot_t prot);
int arm_dma_mmap_contiguous(struct device *dev, struct vm_area_struct *vma,
			    void *cpu_addr, dma_addr_t handle, size_t size);

#else

#define dma_contiguous_limit(mdesc)	0

static inline void dma_contiguous_remap(void)
{
}

static inline bool arm_dma_use_contiguous(struct device *dev, gfp_t gfp)
{
	return false;
}

static inline void *arm_dma_alloc_contiguous(struct device *dev, size_t size,
					     u64 mask, dma_addr_t *handle,
					     gfp_t gfp, pgprot_t prot,
					     bool mapped)
{
	return NULL;
}

static inline bool arm_dma_free_contiguous(struct device *dev, size_t size,
					   void *cpu_addr, dma_addr_t handle)
{
	return false;
}

static inline bool arm_dma_prepare_highmem(struct page *page, size_t size,
					   pgprot_t prot)
{
	return false;
}

static inline int arm_dma_mmap_contiguous(struct device *dev,
					  struct vm_area_struct *vma,
					  void *cpu_addr, dma_addr_t handle,
					  size_t size)
{
	return -ENXIO;
}

#endif

#endif /* __ASM_ARM_DMA_CONTIGUOUS_H */
