// SPDX-License-Identifier: GPL-2.0
/*
 * Coherent DMA buffers from contiguous memory areas.
 *
 * A page must not be mapped with different attributes at the same time.  A
 * buffer therefore has no second mapping: its part of the linear mapping is
 * changed in place, and restored when the buffer is freed.  To make that
 * possible, areas are mapped with pages instead of sections from boot on.
 *
 * A page becomes part of a buffer in these steps:
 *
 *  1. It is taken from the page allocator.  From here on, only speculative
 *     accesses of a CPU can touch it.
 *  2. Its mapping becomes uncached, and the TLBs of all CPUs are flushed.  From
 *     here on, no cache line can be allocated for it.
 *  3. Cache lines that it still has are cleaned and invalidated in all caches.
 *  4. It is cleared through the new mapping, which bypasses the caches.
 *
 * If step 3 came before step 2, a line could be fetched in between, and would
 * later be read instead of the data that a device wrote.
 *
 * Requests that must not sleep cannot wait for pages to be moved, nor for other
 * CPUs to flush their TLBs.  They are served from a pool that is set up during
 * boot.
 *
 * Buffers of an area in high memory, which the linear mapping does not cover,
 * are mapped in vmalloc space.
 */
#define pr_fmt(fmt) "DMA: " fmt

#include <linux/bitmap.h>
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-contiguous.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include <asm/cacheflush.h>
#include <asm/dma-contiguous.h>
#include <asm/mach/map.h>
#include <asm/pgalloc.h>
#include <asm/pgtable.h>
#include <asm/setup.h>
#include <asm/tlbflush.h>

#include "mm.h"

/* For more pages than this, flushing the whole TLB is cheaper than each page */
#define FLUSH_TLB_PAGES		64

/*
 * Mapping areas with pages during boot
 */

static struct {
	phys_addr_t	base;
	unsigned long	size;
} dma_remap[MAX_CMA_AREAS] __initdata;

static unsigned int dma_remap_count __initdata;

/**
 * dma_contiguous_lowmem_end() - get the end of the linear mapping
 *
 * Context: boot, after the memory banks were set up.
 * Return: physical address after the last byte of low memory.
 */
phys_addr_t __init dma_contiguous_lowmem_end(void)
{
	phys_addr_t end = 0;
	int i;

	for_each_bank(i, &meminfo) {
		struct membank *bank = &meminfo.bank[i];

		if (!bank->highmem)
			end = max_t(phys_addr_t, end, bank->start + bank->size);
	}

	return end;
}

/**
 * dma_contiguous_early_fixup() - record an area for dma_contiguous_remap()
 * @base: physical address of the area
 * @size: size in bytes
 *
 * Context: boot, one CPU, before memory is mapped.
 */
void __init dma_contiguous_early_fixup(phys_addr_t base, unsigned long size)
{
	if (WARN_ON_ONCE(dma_remap_count == ARRAY_SIZE(dma_remap)))
		return;

	dma_remap[dma_remap_count].base = base;
	dma_remap[dma_remap_count].size = size;
	dma_remap_count++;
}

/*
 * Replace two section entries, one of which may be empty, with a page table.
 * The table is complete before it is installed.
 */
static void __init split_sections(pmd_t *pmd, unsigned long addr)
{
	const struct mem_type *type = get_mem_type(MT_MEMORY);
	phys_addr_t table = memblock_alloc(PTE_HWTABLE_OFF + PTE_HWTABLE_SIZE,
					   PTE_HWTABLE_OFF + PTE_HWTABLE_SIZE);
	pte_t *pte = __va(table);
	unsigned int i;

	memset(pte, 0, PTE_HWTABLE_OFF + PTE_HWTABLE_SIZE);
	for (i = 0; i < PTRS_PER_PTE; i++) {
		unsigned long virt = addr + i * PAGE_SIZE;

		if (pmd_none(pmd[(virt & SECTION_SIZE) ? 1 : 0]))
			continue;
		set_pte_ext(pte + i, pfn_pte(__phys_to_pfn(__pa(virt)),
					     __pgprot(type->prot_pte)), 0);
	}

	pmd_clear(pmd);
	flush_tlb_kernel_range(addr, addr + PGDIR_SIZE);
	__pmd_populate(pmd, table, type->prot_l1);
}

/**
 * dma_contiguous_remap() - map the recorded areas with pages
 *
 * Entries that are not sections, as at the end of memory, are left unchanged.
 *
 * Context: boot, one CPU, after low memory was mapped.
 */
void __init dma_contiguous_remap(void)
{
	phys_addr_t lowmem_end = dma_contiguous_lowmem_end();
	unsigned int i;

	for (i = 0; i < dma_remap_count; i++) {
		unsigned long addr, end;

		if (dma_remap[i].base >= lowmem_end)
			continue;

		addr = __phys_to_virt(dma_remap[i].base) & PGDIR_MASK;
		end = __phys_to_virt(dma_remap[i].base) + dma_remap[i].size;
		for (; addr < end; addr += PGDIR_SIZE) {
			pmd_t *pmd = pmd_off_k(addr);

			if ((pmd_val(pmd[0]) | pmd_val(pmd[1])) & PMD_TYPE_SECT)
				split_sections(pmd, addr);
		}
	}
}

/*
 * Mapping buffers
 */

static void set_linear_prot(struct page *page, size_t size, pgprot_t prot)
{
	unsigned long start = (unsigned long)page_address(page);
	unsigned long pfn = page_to_pfn(page);
	unsigned long end = start + size;
	unsigned long addr = start;

	while (addr < end) {
		unsigned long next = pgd_addr_end(addr, end);
		pte_t *pte = pte_offset_kernel(pmd_off_k(addr), addr);

		for (; addr < next; addr += PAGE_SIZE)
			set_pte_ext(pte++, pfn_pte(pfn++, prot), 0);
	}

	if (size > FLUSH_TLB_PAGES * PAGE_SIZE)
		flush_tlb_all();
	else
		flush_tlb_kernel_range(start, end);
}

static void *map_buffer(struct page *page, size_t size, pgprot_t prot)
{
	struct vm_struct *area;
	unsigned long addr;

	prot = __pgprot(pgprot_val(prot) | L_PTE_XN);
	if (!PageHighMem(page)) {
		set_linear_prot(page, size, prot);
		return page_address(page);
	}

	/* kmap() may have left cached mappings of these pages */
	kmap_flush_unused();
	area = get_vm_area_caller(size, VM_IOREMAP, __builtin_return_address(0));
	if (!area)
		return NULL;

	addr = (unsigned long)area->addr;
	if (ioremap_page_range(addr, addr + size, page_to_phys(page), prot)) {
		vunmap(area->addr);
		return NULL;
	}
	return area->addr;
}

static void unmap_buffer(struct page *page, size_t size, void *cpu_addr)
{
	if (PageHighMem(page))
		vunmap(cpu_addr);
	else
		set_linear_prot(page, size,
				__pgprot(get_mem_type(MT_MEMORY)->prot_pte));
}

/* Map a buffer and clear it in memory, with nothing left in the caches */
static void *prepare_buffer(struct page *page, size_t size, pgprot_t prot)
{
	phys_addr_t phys = page_to_phys(page);
	void *cpu_addr;

	if (FLUSH_WHILE_CACHED && !PageHighMem(page))
		dmac_flush_range(page_address(page), page_address(page) + size);

	cpu_addr = map_buffer(page, size, prot);
	if (!cpu_addr)
		return NULL;

	dmac_flush_range(cpu_addr, cpu_addr + size);
	outer_flush_range(phys, phys + size);
	memset(cpu_addr, 0, size);
	/* drain the write buffer before the device reads the memory */
	wmb();
	return cpu_addr;
}

static bool is_buffer_address(struct page *page, const void *cpu_addr)
{
	return PageHighMem(page) ? is_vmalloc_addr(cpu_addr) :
				   page_address(page) == cpu_addr;
}

/*
 * Pool for requests that must not sleep
 */

static struct {
	size_t		size;		/* bytes; constant after boot */
	struct page	*page;		/* constant; NULL if there is no pool */
	void		*cpu_addr;	/* constant */
	unsigned long	*bitmap;	/* protected by lock */
	spinlock_t	lock;		/* interrupts off, innermost */
} atomic_pool = {
	.size = SZ_256K,
	.lock = __SPIN_LOCK_UNLOCKED(atomic_pool.lock),
};

static int __init early_coherent_pool(char *arg)
{
	char *end;
	unsigned long long size = memparse(arg ? arg : "", &end);

	if (!arg || end == arg || *end || size > SZ_1G) {
		pr_err("coherent_pool=%s: not a size of up to 1G; %u KiB are used\n",
		       arg ? arg : "", (unsigned int)atomic_pool.size >> 10);
		return 0;
	}

	atomic_pool.size = PAGE_ALIGN(size);
	return 0;
}
early_param("coherent_pool", early_coherent_pool);

static int __init atomic_pool_init(void)
{
	unsigned int nr_pages = atomic_pool.size >> PAGE_SHIFT;
	unsigned long *bitmap;
	struct page *page;
	void *cpu_addr;

	if (!nr_pages || !arm_dma_use_contiguous(NULL, GFP_KERNEL))
		return 0;

	bitmap = kcalloc(BITS_TO_LONGS(nr_pages), sizeof(long), GFP_KERNEL);
	if (!bitmap)
		goto fail;
	page = dma_alloc_from_contiguous(NULL, nr_pages,
					 get_order(atomic_pool.size));
	if (!page)
		goto free_bitmap;
	cpu_addr = prepare_buffer(page, atomic_pool.size,
				  pgprot_dmacoherent(pgprot_kernel));
	if (!cpu_addr)
		goto release_pages;

	atomic_pool.bitmap = bitmap;
	atomic_pool.cpu_addr = cpu_addr;
	atomic_pool.page = page;
	pr_info("reserved %u KiB for the atomic coherent pool\n",
		(unsigned int)atomic_pool.size >> 10);
	return 0;

release_pages:
	dma_release_from_contiguous(NULL, page, nr_pages);
free_bitmap:
	kfree(bitmap);
fail:
	pr_err("no %u KiB for the atomic coherent pool\n",
	       (unsigned int)atomic_pool.size >> 10);
	return -ENOMEM;
}
postcore_initcall(atomic_pool_init);

static void report_full_pool(size_t size)
{
	size_t wanted = max_t(size_t, 2 * atomic_pool.size,
			      roundup_pow_of_two(atomic_pool.size + size));

	pr_err_ratelimited("atomic coherent pool of %u KiB is full (asked for %u bytes): boot with coherent_pool=%uK or more\n",
			   (unsigned int)atomic_pool.size >> 10,
			   (unsigned int)size, (unsigned int)wanted >> 10);
}

static void *alloc_from_pool(size_t size, struct page **page, gfp_t gfp)
{
	unsigned long nr_pages = size >> PAGE_SHIFT;
	unsigned long pool_pages = atomic_pool.size >> PAGE_SHIFT;
	unsigned long align_mask = (1UL << get_order(size)) - 1;
	unsigned long flags, start;
	void *cpu_addr;

	if (!atomic_pool.page)
		return NULL;

	spin_lock_irqsave(&atomic_pool.lock, flags);
	start = bitmap_find_next_zero_area(atomic_pool.bitmap, pool_pages, 0,
					   nr_pages, align_mask);
	if (start < pool_pages)
		bitmap_set(atomic_pool.bitmap, start, nr_pages);
	spin_unlock_irqrestore(&atomic_pool.lock, flags);

	if (start >= pool_pages) {
		if (!(gfp & __GFP_NOWARN))
			report_full_pool(size);
		return NULL;
	}

	*page = nth_page(atomic_pool.page, start);
	cpu_addr = atomic_pool.cpu_addr + (start << PAGE_SHIFT);
	memset(cpu_addr, 0, size);
	/* as in prepare_buffer() */
	wmb();
	return cpu_addr;
}

static bool is_in_pool(const void *cpu_addr, size_t size)
{
	return atomic_pool.page && cpu_addr >= atomic_pool.cpu_addr &&
	       cpu_addr < atomic_pool.cpu_addr + atomic_pool.size &&
	       size <= atomic_pool.cpu_addr + atomic_pool.size - cpu_addr;
}

static void free_to_pool(void *cpu_addr, size_t size)
{
	unsigned long start = (cpu_addr - atomic_pool.cpu_addr) >> PAGE_SHIFT;
	unsigned long nr_pages = size >> PAGE_SHIFT;
	unsigned long flags;
	bool allocated;

	spin_lock_irqsave(&atomic_pool.lock, flags);
	allocated = find_next_zero_bit(atomic_pool.bitmap, start + nr_pages,
				       start) >= start + nr_pages;
	if (allocated)
		bitmap_clear(atomic_pool.bitmap, start, nr_pages);
	spin_unlock_irqrestore(&atomic_pool.lock, flags);

	WARN(!allocated, "DMA: free of %u bytes at %p, not all of them allocated\n",
	     (unsigned int)size, cpu_addr);
}

/*
 * Implementation of dma_alloc_coherent() and related functions
 */

static struct page *alloc_from_area(struct device *dev, int nr_pages, gfp_t gfp)
{
	struct cma *cma = dev_get_cma_area(dev);
	unsigned int align_order = min(get_order(nr_pages << PAGE_SHIFT),
				       CONFIG_CMA_ALIGNMENT);

	if ((gfp & GFP_KERNEL) == GFP_KERNEL)
		return cma_alloc(cma, nr_pages, align_order, gfp & __GFP_NOWARN);
	/* Mapping a buffer in vmalloc space allocates with GFP_KERNEL */
	if (!(gfp & __GFP_WAIT) ||
	    PageHighMem(pfn_to_page(__phys_to_pfn(cma_get_base(cma)))))
		return NULL;
	return cma_try_alloc(cma, nr_pages, align_order);
}

/**
 * arm_dma_use_contiguous() - check whether buffers come from areas
 * @dev: device, or NULL for the default area
 * @gfp: flags of the request
 *
 * Context: any.
 * Return: false on coherent machines and before ARMv6, which use the path that
 * they have without CMA; if there is no area; and if @gfp lacks __GFP_WAIT and
 * there is no pool.  True otherwise.
 */
bool arm_dma_use_contiguous(struct device *dev, gfp_t gfp)
{
	struct cma *cma = dev_get_cma_area(dev);

	if (!cma || !cma_get_size(cma) || arch_is_coherent() ||
	    cpu_architecture() < CPU_ARCH_ARMv6)
		return false;

	return (gfp & __GFP_WAIT) || atomic_pool.page;
}

/**
 * arm_dma_alloc_contiguous() - allocate a coherent buffer
 * @dev: device, or NULL for the default area
 * @size: size in bytes, a multiple of PAGE_SIZE, not 0
 * @mask: highest address that the device can reach
 * @handle: set to the address for the device on success
 * @gfp: flags of the request; only __GFP_WAIT, __GFP_IO, __GFP_FS and
 *	 __GFP_NOWARN matter
 * @prot: attributes of the mapping
 *
 * Requests with all of GFP_KERNEL are served from an area.  Requests that may
 * sleep, but not do I/O, get a range that is entirely free, or fall back to the
 * pool, which also serves requests that must not sleep.
 *
 * Context: as @gfp allows.
 * Return: address for the CPU, or NULL.  The buffer is cleared.
 */
void *arm_dma_alloc_contiguous(struct device *dev, size_t size, u64 mask,
			       dma_addr_t *handle, gfp_t gfp, pgprot_t prot)
{
	int nr_pages = size >> PAGE_SHIFT;
	struct page *page;
	void *cpu_addr = NULL;

	page = alloc_from_area(dev, nr_pages, gfp);
	if (page) {
		cpu_addr = prepare_buffer(page, size, prot);
		if (!cpu_addr)
			dma_release_from_contiguous(dev, page, nr_pages);
	} else if ((gfp & GFP_KERNEL) != GFP_KERNEL) {
		cpu_addr = alloc_from_pool(size, &page, gfp);
	}
	if (!cpu_addr)
		return NULL;

	*handle = pfn_to_dma(dev, page_to_pfn(page));
	if ((u64)page_to_phys(page) + size - 1 > mask) {
		pr_err_ratelimited("%s: contiguous memory is above the coherent DMA mask %#llx\n",
				   dev ? dev_name(dev) : "no device", mask);
		arm_dma_free_contiguous(dev, size, cpu_addr, *handle);
		return NULL;
	}
	return cpu_addr;
}

/**
 * arm_dma_free_contiguous() - free a coherent buffer
 * @dev: device that the buffer was allocated for, or NULL
 * @size: size in bytes, a multiple of PAGE_SIZE
 * @cpu_addr: address for the CPU
 * @handle: address for the device
 *
 * Context: any with interrupts on; process context for an area in high memory.
 * Return: false, with nothing done, if the memory is neither in the pool nor in
 * an area.  True otherwise, also after a warning about memory that is not an
 * allocated buffer.
 */
bool arm_dma_free_contiguous(struct device *dev, size_t size, void *cpu_addr,
			     dma_addr_t handle)
{
	unsigned long pfn = dma_to_pfn(dev, handle);
	unsigned long nr_pages = size >> PAGE_SHIFT;
	struct page *page;
	struct cma *cma;

	if (is_in_pool(cpu_addr, size)) {
		free_to_pool(cpu_addr, size);
		return true;
	}

	if (!pfn_valid(pfn))
		return false;
	page = pfn_to_page(pfn);
	/* search for the area, because that of the device may have changed */
	cma = cma_area_of(page, nr_pages);
	if (!cma)
		return false;

	if (WARN(!is_buffer_address(page, cpu_addr) ||
		 !cma_pages_allocated(cma, page, nr_pages),
		 "DMA: free of %u bytes at %p (%#lx), which is no buffer\n",
		 (unsigned int)size, cpu_addr, (unsigned long)handle))
		return true;

	unmap_buffer(page, size, cpu_addr);
	cma_release(cma, page, nr_pages);
	return true;
}

/**
 * arm_dma_mmap_contiguous() - map a coherent buffer into user space
 * @dev: device that the buffer was allocated for, or NULL
 * @vma: VMA to map into; vm_pgoff is the first page of the buffer to map
 * @cpu_addr: address for the CPU
 * @handle: address for the device
 * @size: size of the buffer in bytes
 *
 * The user mapping always gets the memory type of the kernel's mapping.
 *
 * Context: process context, mmap_sem held for writing.
 * Return: 0; -ENXIO if the memory is neither in the pool nor a buffer in an
 * area, or if the range of @vma exceeds the buffer; or an error of
 * remap_pfn_range().
 */
int arm_dma_mmap_contiguous(struct device *dev, struct vm_area_struct *vma,
			    void *cpu_addr, dma_addr_t handle, size_t size)
{
	unsigned long nr_pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	unsigned long nr_user = (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
	unsigned long off = vma->vm_pgoff;
	unsigned long pfn = dma_to_pfn(dev, handle);
	unsigned long addr = (unsigned long)cpu_addr;
	pgprot_t prot;
	pte_t pte;

	if (is_in_pool(cpu_addr, nr_pages << PAGE_SHIFT))
		pfn = page_to_pfn(atomic_pool.page) +
		      ((cpu_addr - atomic_pool.cpu_addr) >> PAGE_SHIFT);
	else if (!pfn_valid(pfn) ||
		 !cma_area_of(pfn_to_page(pfn), nr_pages) ||
		 !is_buffer_address(pfn_to_page(pfn), cpu_addr))
		return -ENXIO;
	if (off >= nr_pages || nr_user > nr_pages - off)
		return -ENXIO;

	pte = *pte_offset_kernel(pmd_off_k(addr), addr);
	prot = __pgprot_modify(vma->vm_page_prot, L_PTE_MT_MASK,
			       pte_val(pte) & L_PTE_MT_MASK);
	vma->vm_page_prot = prot;
	return remap_pfn_range(vma, vma->vm_start, pfn + off,
			       nr_user << PAGE_SHIFT, prot);
}
