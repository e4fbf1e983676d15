/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel around arch/arm/mm/dma-iommu.c and dma-iova.c, for one thread
 *
 * Everything that can fail asks iommu_fails() first. What must not be called in a
 * context checks that.
 */
#ifndef HOST_IOMMU_KERNEL_H
#define HOST_IOMMU_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Faithful: types of 32-bit ARM */
typedef uint8_t u8;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u32 phys_addr_t;
typedef u32 dma_addr_t;
typedef u32 gfp_t;
typedef u32 pgprot_t;

/* Faithful: arithmetic, bits, error pointers */
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(size)	ALIGN(size, PAGE_SIZE)
#define SZ_64K			0x10000
#define SZ_1M			0x100000
#define SZ_4M			0x400000
#define BITS_PER_LONG		((unsigned int)__SIZEOF_LONG__ * 8)
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define min(x, y)		((x) < (y) ? (x) : (y))
#define max(x, y)		((x) > (y) ? (x) : (y))
#define min_t(type, x, y)	((type)(x) < (type)(y) ? (type)(x) : (type)(y))
#define min3(x, y, z)		min(min(x, y), z)
#define fls(x)			((x) ? 32 - __builtin_clz((unsigned int)(x)) : 0)
#define __ffs(x)		((unsigned long)__builtin_ctzl(x))
#define WORD_OF(bit, map)	((map)[(bit) / BITS_PER_LONG])
#define BIT_OF(bit)		(1UL << (bit) % BITS_PER_LONG)
#define test_bit(bit, map)	((WORD_OF(bit, map) & BIT_OF(bit)) != 0)
#define __set_bit(bit, map)	(WORD_OF(bit, map) |= BIT_OF(bit))
#define __clear_bit(bit, map)	(WORD_OF(bit, map) &= ~BIT_OF(bit))
#define clear_bit(bit, map)	(*(map) &= ~(1UL << (bit)))
#define ERR_PTR(error)		((void *)(long)(error))
#define IS_ERR(ptr)		((unsigned long)(ptr) >= -4095UL)
#define PTR_ERR(ptr)		((long)(ptr))
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))
#define container_of(ptr, type, member)	((type *)((char *)(ptr) - offsetof(type, member)))

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long bit)
{
	while (bit < size && !test_bit(bit, map))
		bit++;
	return bit;
}

/* Empty */
#define EXPORT_SYMBOL_GPL(sym)	extern __typeof__(sym) sym
#define cond_resched()		iommu_sleeps()
#define wmb()			do { } while (0) /* no barrier */
#define pr_err_ratelimited(fmt, ...) \
	((void)snprintf(iommu_said, sizeof(iommu_said), fmt, ##__VA_ARGS__))
#define pr_err(fmt, ...)	pr_err_ratelimited(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	pr_err_ratelimited(pr_fmt(fmt), ##__VA_ARGS__)
#define dev_warn(dev, fmt)	((void)(dev), (void)snprintf(iommu_said, sizeof(iommu_said), fmt))
#define dev_name(dev)		((void)(dev), "device")
extern char iommu_said[256];

/* Simplified: warnings are counted */
#define WARN(condition, fmt, ...) ({						\
	bool warn_ = (condition);						\
	if (warn_) {								\
		iommu_warnings++;						\
		snprintf(iommu_said, sizeof(iommu_said), fmt, ##__VA_ARGS__);	\
	}									\
	warn_; })
extern unsigned int iommu_warnings;

bool iommu_fails(void);
void iommu_sleeps(void);

/* Simplified: locks only know that they are held */
typedef struct { bool held; } spinlock_t;
struct mutex { bool held; };
#define DEFINE_MUTEX(name)	struct mutex name
#define spin_lock_init(lock)	((lock)->held = false)
#define spin_lock_irqsave(lock, flags)	((flags) = 0, iommu_lock(&(lock)->held, true, true))
#define spin_unlock_irqrestore(lock, flags) \
	((void)(flags), iommu_lock(&(lock)->held, false, true))
#define mutex_lock(mutex)	iommu_lock(&(mutex)->held, true, false)
#define mutex_unlock(mutex)	iommu_lock(&(mutex)->held, false, false)
void iommu_lock(bool *held, bool take, bool spin);

/* Simplified: memory, whose blocks are counted */
#define __GFP_DMA		0x01U
#define __GFP_HIGHMEM		0x02U
#define __GFP_MOVABLE		0x08U
#define __GFP_WAIT		0x10U
#define __GFP_HIGH		0x20U
#define __GFP_IO		0x40U
#define __GFP_FS		0x80U
#define __GFP_NOWARN		0x200U
#define __GFP_NORETRY		0x1000U
#define __GFP_COMP		0x4000U
#define __GFP_ZERO		0x8000U
#define __GFP_NOMEMALLOC	0x10000U
#define __GFP_NO_KSWAPD		0x400000U
#define GFP_ATOMIC		__GFP_HIGH
#define GFP_NOIO		__GFP_WAIT
#define GFP_KERNEL		(__GFP_WAIT | __GFP_IO | __GFP_FS)
#define PAGE_ALLOC_COSTLY_ORDER	3
#define PAGE_KERNEL		pgprot_kernel
#define gfp_allowed_mask	(~0U)
#define totalram_pages		IOMMU_PAGES
#define kzalloc(size, gfp)	iommu_malloc(size, gfp)
#define kmalloc(size, gfp)	iommu_malloc(size, gfp)
#define __vmalloc(size, gfp, prot)	iommu_malloc(size, gfp)
#define kfree(p)		iommu_mfree(p)
#define vfree(p)		iommu_mfree(p)
#define is_vmalloc_addr(p)	((void)(p), false)
void *iommu_malloc(size_t size, gfp_t gfp);
void iommu_mfree(void *p);
extern unsigned int iommu_nr_blocks;

/* Simplified: pages with memory; the test decides which are in high memory */
#define IOMMU_PFN		0x60000UL
#define IOMMU_PAGES		16384UL
/*
 * unflushed: caches; mapped: how often the IOMMU maps it; tlb: how often it may have it
 * although it is unmapped
 */
struct page { bool used, high; unsigned int unflushed, mapped, tlb; unsigned long private; };
extern struct page iommu_pages[IOMMU_PAGES];
extern u8 iommu_memory[IOMMU_PAGES][PAGE_SIZE];
#define page_to_pfn(page)	((unsigned long)((page) - iommu_pages) + IOMMU_PFN)
#define pfn_to_page(pfn)	(iommu_pages + (pfn) - IOMMU_PFN)
#define pfn_valid(pfn)		((pfn) >= IOMMU_PFN && (pfn) < IOMMU_PFN + IOMMU_PAGES)
#define nth_page(page, n)	((page) + (n))
#define page_to_phys(page)	((phys_addr_t)(page_to_pfn(page) << PAGE_SHIFT))
#define page_private(page)	((page)->private)
#define set_page_private(page, value)	((page)->private = (value))
#define pfn_to_dma(dev, pfn)	((void)(dev), (dma_addr_t)((pfn) << PAGE_SHIFT))
#define totalhigh_pages		iommu_has_highmem
#define __phys_to_pfn(phys)	((unsigned long)(phys) >> PAGE_SHIFT)
#define dma_to_pfn(dev, addr)	((void)(dev), (unsigned long)(addr) >> PAGE_SHIFT)
#define PageHighMem(page)	((page)->high)
#define page_address(page)	((void *)iommu_memory[(page) - iommu_pages])
#define kmap(page)		(iommu_sleeps(), page_address(page))
#define kunmap(page)		((void)(page))
struct page *alloc_pages(gfp_t gfp, unsigned int order);
void split_page(struct page *page, unsigned int order);
void __free_page(struct page *page);
void __free_pages(struct page *page, unsigned int order);
extern bool iommu_has_highmem, iommu_has_area;

/* Simplified: a mapping is counted, and its pages and attributes are kept */
#define VM_MAP			4
#define VM_IOREMAP		1
#define L_PTE_XN		0x200U
#define pgprot_kernel		0x1U
#define pgprot_writecombine(prot)	((prot) | 0x4U)
#define pgprot_dmacoherent(prot)	((prot) | 0x8U | L_PTE_XN)
#define pgprot_val(prot)	(prot)
#define __pgprot(value)		(value)
struct vm_struct {
	void *addr;
	unsigned long flags;
	size_t size;
	struct page *first;
	pgprot_t prot;
};
struct vm_struct *get_vm_area(size_t size, unsigned long flags);
int map_vm_area(struct vm_struct *area, pgprot_t prot, struct page ***pages);
void vunmap(void *addr);
extern struct vm_struct iommu_vm;

struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_pgoff;
	pgprot_t vm_page_prot;
};
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot);

/* Simplified: cache maintenance is kept, see iommu.c */
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };
extern bool iommu_coherent;
#define arch_is_coherent()	iommu_coherent
void dmac_flush_range(const void *start, const void *end);
void outer_flush_range(phys_addr_t start, phys_addr_t end);
void __dma_page_cpu_to_dev(struct page *page, unsigned long offset, size_t size,
			   enum dma_data_direction dir);
void __dma_page_dev_to_cpu(struct page *page, unsigned long offset, size_t size,
			   enum dma_data_direction dir);

/* Faithful: scatterlists of one array */
struct scatterlist {
	struct page *page;
	unsigned int offset, length;
	dma_addr_t dma_address;
	unsigned int dma_length;
	bool last;
};

struct sg_table { struct scatterlist *sgl; unsigned int nents, orig_nents; };
#define sg_page(sg)		((sg)->page)
#define sg_next(sg)		((sg)->last ? NULL : (sg) + 1)
#define sg_dma_address(sg)	((sg)->dma_address)
#define sg_dma_len(sg)		((sg)->dma_length)
#define sg_set_page(sg, p, len, off) \
	((sg)->page = (p), (sg)->length = (len), (sg)->offset = (off))
int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp);

/* The rest of what dma-iommu.c uses */
#include "iommu-api.h"

/* Faithful: devices, as far as they are used */
struct device {
	struct { struct dma_map_ops *dma_ops; struct dma_iommu_mapping *mapping; } archdata;
	unsigned int max_seg_size;
	unsigned long seg_boundary;
};

/* Simplified: contiguous memory is the first half of the memory; low memory, cleared */
#define arm_dma_use_contiguous(dev, gfp)	((void)(dev), iommu_has_area)
void *__dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp, pgprot_t prot,
		  bool mapped);
#define arm_dma_alloc_contiguous(dev, size, mask, handle, gfp, prot, mapped) \
	((void)(mask), __dma_alloc(dev, size, handle, gfp, prot, mapped))
bool arm_dma_prepare_highmem(struct page *page, size_t size, pgprot_t prot);
void __dma_free(struct device *dev, size_t size, void *addr, dma_addr_t handle, bool mapped);

/* The linker gives iommu.c each call of arm_iova_recycle() */
struct iova_space;
void __real_arm_iova_recycle(struct iova_space *space, dma_addr_t addr, unsigned long nr_pages);
void __wrap_arm_iova_recycle(struct iova_space *space, dma_addr_t addr, unsigned long nr_pages);

#endif
