/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel around arch/arm/mm/dma-contiguous.c, on the host: page tables, caches,
 * TLBs and the slots of kmap_atomic(), as models that notice mistakes.
 *
 * Stubs are faithful, simplified or empty, as in stubs.h.
 */
#ifndef HOST_ARM_H
#define HOST_ARM_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

/* Faithful: types of 32-bit ARM; addresses for the CPU are those of the host */
typedef uint8_t u8;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u32 phys_addr_t;
typedef u32 dma_addr_t;
typedef unsigned int gfp_t;
typedef u32 pteval_t;
typedef u32 pte_t;
typedef u32 pmd_t;
typedef u32 pgprot_t;
typedef struct { bool held; } spinlock_t;

/* Empty: sections, exports */
#define __init
#define EXPORT_SYMBOL_GPL(sym)	extern __typeof__(sym) sym
#define early_param(name, fn)	int (*arm_early_param)(char *arg) = (fn)
#define postcore_initcall(fn)	int (*arm_postcore_initcall)(void) = (fn)
extern int (*arm_early_param)(char *arg);
extern int (*arm_postcore_initcall)(void);

/* Faithful: arithmetic, bits */
#define BITS_PER_LONG		((unsigned int)__SIZEOF_LONG__ * 8)
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))
#define min(x, y)		((x) < (y) ? (x) : (y))
#define min_t(type, x, y)	((type)(x) < (type)(y) ? (type)(x) : (type)(y))
#define max_t(type, x, y)	((type)(x) > (type)(y) ? (type)(x) : (type)(y))
#define SZ_256K			0x40000
#define SZ_1M			0x100000
#define SZ_1G			0x40000000
int get_order(unsigned long size);
unsigned long roundup_pow_of_two(unsigned long n);
unsigned long long memparse(const char *s, char **end);
bool test_bit(unsigned long bit, const unsigned long *map);
void __set_bit(unsigned long bit, unsigned long *map);
void __clear_bit(unsigned long bit, unsigned long *map);
void bitmap_set(unsigned long *map, unsigned long bit, unsigned long nr);
void bitmap_clear(unsigned long *map, unsigned long bit, unsigned long nr);
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long bit);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long bit);
unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long nr,
					 unsigned long align_mask);

/* Simplified: one thread, so that a lock knows only whether it is held */
#define __SPIN_LOCK_UNLOCKED(name)	{ false }
#define spin_lock_irqsave(lock, flags)	((flags) = 0, arm_lock(lock, true))
#define spin_unlock_irqrestore(lock, flags)	((void)(flags), arm_lock(lock, false))
#define lockdep_assert_held(lock)	arm_require((lock)->held, "a lock is not held")
void arm_lock(spinlock_t *lock, bool hold);
void arm_require(bool condition, const char *what);
void cond_resched(void);

/* Simplified: messages are kept for the test */
#define pr_err(fmt, ...)	host_print(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err_once		pr_err
#define pr_err_ratelimited	pr_err
#define pr_info			pr_err
#define WARN(condition, fmt, ...) ({			\
	bool warn_ = (condition);			\
	if (warn_)					\
		host_print("WARN " fmt, ##__VA_ARGS__);	\
	warn_; })
#define trace_cma_map(pfn, nr_pages)	((void)(pfn))
#define trace_cma_clear(pfn, nr_pages)	((void)(pfn))

/* Simplified: memory of the C library */
#define __GFP_WAIT		0x10U
#define __GFP_IO		0x40U
#define __GFP_FS		0x80U
#define __GFP_NOWARN		0x200U
#define GFP_KERNEL		(__GFP_WAIT | __GFP_IO | __GFP_FS)
#define GFP_NOIO		__GFP_WAIT
#define GFP_ATOMIC		0x20U
extern gfp_t gfp_allowed_mask;
#define kcalloc(n, size, flags)	calloc(n, size)
#define kfree			free

/* Simplified: low memory from page 0x60000, with an area; then high memory, with another */
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define PHYS_OFFSET		((phys_addr_t)0x60000000)
#define ARM_LOW_PFN		0x60000UL
#define ARM_LOW_PAGES		8192UL
#define ARM_HIGH_PFN		(ARM_LOW_PFN + ARM_LOW_PAGES)
#define ARM_HIGH_PAGES		2048UL
#define ARM_LOW_AREA		(ARM_LOW_PFN + 4096)
struct list_head { struct list_head *next, *prev; };
struct page { unsigned long owner, private; struct list_head lru; };
extern struct page arm_pages[ARM_LOW_PAGES + ARM_HIGH_PAGES];
extern char *arm_memory;	/* the linear mapping of low memory */
extern char *arm_vmalloc;	/* as much as there is high memory */
#define page_to_pfn(page)	((unsigned long)((page) - arm_pages) + ARM_LOW_PFN)
#define pfn_to_page(pfn)	(&arm_pages[(pfn) - ARM_LOW_PFN])
#define nth_page(page, n)	((page) + (n))
#define pfn_valid(pfn)		((pfn) >= ARM_LOW_PFN && (pfn) < ARM_HIGH_PFN + ARM_HIGH_PAGES)
#define page_to_phys(page)	((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)
#define __phys_to_pfn(phys)	((unsigned long)(phys) >> PAGE_SHIFT)
#define __phys_to_virt(phys)	((unsigned long)arm_memory + ((phys) - PHYS_OFFSET))
#define __va(phys)		((void *)__phys_to_virt(phys))
#define __pa(virt)		(PHYS_OFFSET + \
				 (phys_addr_t)((unsigned long)(virt) - (unsigned long)arm_memory))
#define PageHighMem(page)	(page_to_pfn(page) >= ARM_HIGH_PFN)
void *page_address(const struct page *page);
phys_addr_t memblock_alloc(unsigned long size, unsigned long align);
struct membank { phys_addr_t start; unsigned long size; int highmem; };
struct meminfo { struct membank bank[2]; };
extern struct meminfo meminfo;
#define for_each_bank(i, info)	for ((i) = 0; (i) < 2; (i)++)

/* Simplified: devices, areas of two units of the model each */
struct cma { unsigned long base_pfn, count; const char *name; };
struct device {
	struct cma *cma_area;
	u64 *dma_mask, coherent_dma_mask;
	/* behind an IOMMU: */
	struct {
		struct dma_map_ops *dma_ops;
		struct dma_iommu_mapping *mapping;
	} archdata;
	unsigned int max_seg_size;
	unsigned long seg_boundary;
};
extern struct cma arm_areas[3];	/* low memory, high memory, added late */
extern unsigned int arm_nr_areas;
#define dev_name(dev)		"device"
#define dma_to_pfn(dev, addr)	((unsigned long)(addr) >> PAGE_SHIFT)
#define pfn_to_dma(dev, pfn)	((dma_addr_t)((pfn) << PAGE_SHIFT))
#define arch_is_coherent()	0
#define read_cpuid_id()		0x410fc090U /* a Cortex-A9 */

/* Faithful: page tables of ARMv7, with the hardware's table behind Linux's */
#define PTRS_PER_PTE		512
#define PTE_HWTABLE_OFF		2048
#define PTE_HWTABLE_SIZE	2048
#define PGDIR_SIZE		0x200000UL
#define PGDIR_MASK		(~(PGDIR_SIZE - 1))
#define SECTION_SIZE		0x100000UL
#define PMD_TYPE_MASK		3U
#define PMD_TYPE_TABLE		1U
#define PMD_TYPE_SECT		2U
#define L_PTE_MT_MASK		(15U << 2)
#define L_PTE_XN		(1U << 9)
#define MT_MEMORY		0
struct mem_type { pteval_t prot_pte; unsigned int prot_l1; };
const struct mem_type *get_mem_type(unsigned int type);
#define pmd_val(pmd)		(pmd)
#define pmd_none(pmd)		(!(pmd))
#define pte_val(pte)		(pte)
#define pte_none(pte)		(!(pte))
#define __pte(val)		(val)
#define pgprot_val(prot)	(prot)
#define __pgprot(val)		(val)
#define __pgprot_modify(prot, mask, bits)	(((prot) & ~(mask)) | (bits))
#define pfn_pte(pfn, prot)	((pte_t)((pfn) << PAGE_SHIFT) | (prot))
#define pgprot_kernel		0x43U
#define pgprot_dmacoherent(prot)	(((prot) & ~L_PTE_MT_MASK) | 4U)
static inline unsigned long pgd_addr_end(unsigned long addr, unsigned long end)
{
	unsigned long next = (addr + PGDIR_SIZE) & PGDIR_MASK;

	return next - 1 < end - 1 ? next : end;
}

#define ARM_TABLES		(ARM_LOW_PAGES / PTRS_PER_PTE)
extern pmd_t arm_pmds[ARM_TABLES][2];
extern unsigned int arm_nr_tables;
/* Allocations that may use the reserve; the device that is listed; the area of a rule */
extern unsigned int arm_nr_reserve;
extern struct device *arm_listed;
extern struct cma *arm_ruled;
void arm_reset_machine(void);
/* The entry of a page of low memory (index) for the hardware; does it have one? */
u32 *arm_hw_entry(unsigned long page);
bool arm_has_table(unsigned long page);
/* What the hardware uses of an entry */
u32 arm_translate(pte_t val);
/* The entry that Linux has for a page of low memory */
pte_t arm_linux_pte(unsigned long pfn);
pmd_t *pmd_off_k(unsigned long addr);
pte_t *pte_offset_kernel(pmd_t *pmd, unsigned long addr);
void pmd_clear(pmd_t *pmd);
void __pmd_populate(pmd_t *pmd, phys_addr_t table, unsigned int prot);
void set_pte_ext(pte_t *pte, pte_t val, unsigned int ext);

/* Simplified: each records what it is called for; a barrier only in the model of cache.h */
void wmb(void);
void clean_dcache_area(const void *start, size_t size);
void flush_tlb_kernel_range(unsigned long start, unsigned long end);
void flush_tlb_all(void);
void dmac_flush_range(const void *start, const void *end);
void outer_flush_range(phys_addr_t start, phys_addr_t end);

/* Simplified: the slots of kmap_atomic() of four CPUs, called one after the other */
#define KM_TYPE_NR		16
#define FIX_KMAP_BEGIN		0
#define __fix_to_virt(slot)	((unsigned long)(slot))
extern pmd_t *top_pmd;
extern pte_t arm_slots[4 * KM_TYPE_NR];
int smp_processor_id(void);
int kmap_atomic_idx(void);
void on_each_cpu(void (*fn)(void *info), void *info, int wait);
void kmap_flush_unused(void);

/* Simplified: kmap() has space for all pages */
extern char *arm_kmap;
#define is_kmap_addr(addr)	((char *)(addr) >= arm_kmap && \
				 (char *)(addr) < arm_kmap + (ARM_HIGH_PAGES << PAGE_SHIFT))
#define kmap(page)		((void *)(arm_kmap + \
					  ((page_to_pfn(page) - ARM_HIGH_PFN) << PAGE_SHIFT)))
#define kunmap(page)		((void)(page))

/* Simplified: vmalloc space has one range */
#define VM_IOREMAP		1
#define VM_MAP			4
struct vm_struct { void *addr; unsigned long flags, size; };
struct vm_struct *get_vm_area_caller(unsigned long size, unsigned long flags, const void *caller);
int ioremap_page_range(unsigned long start, unsigned long end, phys_addr_t phys, pgprot_t prot);
void vunmap(const void *addr);
void vm_unmap_aliases(void);
bool is_vmalloc_addr(const void *addr);
struct page *vmalloc_to_page(const void *addr);

/* Simplified: user mappings */
struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_pgoff;
	pgprot_t vm_page_prot;
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
};

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot);

#endif
