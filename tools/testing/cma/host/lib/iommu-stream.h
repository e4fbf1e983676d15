/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel around arch/arm/mm/dma-iommu.c and dma-iova.c, for the model of cache.h */
#ifndef HOST_IOMMU_STREAM_H
#define HOST_IOMMU_STREAM_H

#include "heap.h"

/* Simplified: one thread, which may sleep anywhere */
#define iommu_sleeps()		((void)0)
#define DEFINE_MUTEX(name)	struct mutex name
#define spin_lock_init(lock)	((lock)->held = false)
#include "iommu-api.h"

/* Faithful: arithmetic, bits */
#define SZ_64K			0x10000
#define SZ_4M			0x400000
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define max(x, y)		((x) > (y) ? (x) : (y))
#define min3(x, y, z)		min(min(x, y), z)
#define fls(x)			((x) ? 32 - __builtin_clz((unsigned int)(x)) : 0)
#define __ffs(x)		((unsigned long)__builtin_ctzl(x))
#define clear_bit(bit, map)	(*(map) &= ~(1UL << (bit)))

/* Simplified: flags that have no effect */
#define __GFP_MOVABLE		0U
#define __GFP_HIGH		GFP_ATOMIC
#define __GFP_COMP		0U
#define __GFP_ZERO		0U
#define PAGE_ALLOC_COSTLY_ORDER	3
#define totalram_pages		(ARM_LOW_PAGES + ARM_HIGH_PAGES)
#define totalhigh_pages		ARM_HIGH_PAGES

/* Simplified: the page allocator has the pages that a test gives it */
#undef alloc_pages
#undef __free_pages
#undef __free_page
#define alloc_pages		iommu_alloc_pages
#define __free_pages(page, order)	iommu_free_pages(page, order)
#define __free_page(page)	iommu_free_pages(page, 0)
struct page *iommu_alloc_pages(gfp_t gfp, unsigned int order);
void iommu_free_pages(struct page *page, unsigned int order);

/* Faithful: the range of vmalloc space, with pages from anywhere */
#define get_vm_area(size, flags)	get_vm_area_caller(size, flags, NULL)
int map_vm_area(struct vm_struct *area, pgprot_t prot, struct page ***pages);

/* Faithful: a range of an entry can be larger than the entry */
#undef sg_dma_len
#define sg_dma_len(sg)		((sg)->dma_length)
#define sg_alloc_table(table, nents, gfp)	(-ENOMEM)

#endif
