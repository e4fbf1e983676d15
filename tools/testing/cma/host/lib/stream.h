/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel around the base's arch/arm/mm/dma-mapping.c, for the model of cache.h
 *
 * That file is compiled as without an MMU, which leaves out the coherent buffers of
 * machines without areas, and nothing else.
 */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include "arm.h"

/* Faithful: directions, bus addresses, scatterlists without chains */
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };
#define valid_dma_direction(dir)	((dir) < DMA_NONE)
#undef dma_to_pfn
#undef pfn_to_dma
#define __pfn_to_bus(pfn)	((pfn) << PAGE_SHIFT)
#define __bus_to_pfn(addr)	((unsigned long)(addr) >> PAGE_SHIFT)
#define __bus_to_virt(addr)	__va(addr)
#define __virt_to_bus(addr)	__pa(addr)
#define virt_addr_valid(addr)	true
#define virt_to_page(addr)	pfn_to_page(__phys_to_pfn(__pa(addr)))
struct scatterlist {
	struct page *page;
	unsigned int offset, length;
	dma_addr_t dma_address;
	unsigned int dma_length;	/* only behind an IOMMU */
};

#define sg_page(sg)		((sg)->page)
#define sg_next(sg)		((sg) + 1)
#define sg_dma_address(sg)	((sg)->dma_address)
#define sg_dma_len(sg)		((sg)->length)
#define for_each_sg(list, sg, nr, i) \
	for ((i) = 0, (sg) = (list); (i) < (int)(nr); (i)++, (sg) = sg_next(sg))

/* Faithful: what ARMv7 and a PL310 do */
void dmac_map_area(const void *start, size_t size, int dir);
void dmac_unmap_area(const void *start, size_t size, int dir);
void outer_inv_range(phys_addr_t start, phys_addr_t end);
void outer_clean_range(phys_addr_t start, phys_addr_t end);
#define cache_is_vipt()		true

/* Simplified: a page in high memory is not mapped with kmap(), but with kmap_atomic() */
#define kmap_high_get(page)	NULL
#define kunmap_high(page)	((void)(page))
#define kmap_atomic(page)	kmap(page)
#define kunmap_atomic(addr)	((void)(addr))

/* Empty */
#define EXPORT_SYMBOL(sym)	extern __typeof__(sym) sym
#define fs_initcall(fn)		int (*stream_initcall)(void) = (fn)
#define BUG_ON(condition)	arm_require(!(condition), #condition)
#define WARN_ON(condition)	(arm_require(!(condition), #condition), false)
#define dev_warn(dev, ...)	((void)(dev))
#define printk(...)		do { } while (0)
#define dump_stack()		do { } while (0)
#define debug_dma_map_page(...)	do { } while (0)
#define debug_dma_unmap_page(...)	do { } while (0)
#define debug_dma_map_sg(...)	do { } while (0)
#define debug_dma_unmap_sg(...)	do { } while (0)
#define debug_dma_sync_single_for_cpu(...)	do { } while (0)
#define debug_dma_sync_single_for_device(...)	do { } while (0)
#define debug_dma_sync_sg_for_cpu(...)	do { } while (0)
#define debug_dma_sync_sg_for_device(...)	do { } while (0)
#define dma_debug_init(nr)	do { } while (0)
#define set_bit(bit, word)	do { } while (0)
#define irqs_disabled()		false
#define dma_alloc_from_coherent(dev, size, handle, addr)	(*(addr) = NULL, false)
#define dma_release_from_coherent(dev, order, addr)	false
#define alloc_pages(gfp, order)	NULL
#define split_page(page, order)	((void)(page))
#define __free_page(page)	((void)(page))
#define GFP_DMA			1U
#define arm_dma_limit		0xffffffffU
#define pgprot_writecombine(prot)	pgprot_dmacoherent(prot)

#endif
