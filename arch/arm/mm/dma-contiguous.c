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
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include <trace/events/cma.h>

#include <asm/cacheflush.h>
#include <asm/cputype.h>
#include <asm/dma-contiguous.h>
#include <asm/fixmap.h>
#include <asm/kmap_types.h>
#include <asm/mach/map.h>
#include <asm/pgalloc.h>
#include <asm/pgtable.h>
#include <asm/setup.h>
#include <asm/tlbflush.h>

#include "mm.h"

/* For more pages than this, flushing the whole TLB is cheaper than each page */
#define FLUSH_TLB_PAGES		64
/* Let other tasks run after each part of this size of a large buffer */
#define STEP_SIZE		((size_t)SZ_1M)
/* No cache of an ARMv6 or ARMv7 CPU has longer lines */
#define MAX_LINE_SIZE		64

/*
 * Mapping areas with pages during boot
 */

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
 * dma_contiguous_early_fixup() - prepare memory for an area
 * @base: physical address of the area
 * @size: size in bytes
 *
 * There is nothing to do, because dma_contiguous_remap() finds the areas.
 *
 * Context: boot, one CPU, before memory is mapped.
 */
void __init dma_contiguous_early_fixup(phys_addr_t base, unsigned long size)
{
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
	/* empty entries, too, because a table walk may not look into the L1 */
	clean_dcache_area((void *)pte + PTE_HWTABLE_OFF, PTE_HWTABLE_SIZE);

	pmd_clear(pmd);
	flush_tlb_kernel_range(addr, addr + PGDIR_SIZE);
	__pmd_populate(pmd, table, type->prot_l1);
}

static int __init remap_area(struct cma *cma, void *lowmem_end)
{
	phys_addr_t base = cma_get_base(cma);
	unsigned long addr, end;

	if (base >= *(phys_addr_t *)lowmem_end)
		return 0;

	addr = __phys_to_virt(base) & PGDIR_MASK;
	end = __phys_to_virt(base) + cma_get_size(cma);
	for (; addr < end; addr += PGDIR_SIZE) {
		pmd_t *pmd = pmd_off_k(addr);

		if ((pmd_val(pmd[0]) | pmd_val(pmd[1])) & PMD_TYPE_SECT)
			split_sections(pmd, addr);
	}

	return 0;
}

/**
 * dma_contiguous_remap() - map the areas with pages
 *
 * Entries that are not sections, as at the end of memory, are left unchanged.
 * An area that is added later is not used for coherent buffers.
 *
 * Context: boot, one CPU, after low memory was mapped.
 */
void __init dma_contiguous_remap(void)
{
	phys_addr_t lowmem_end = dma_contiguous_lowmem_end();

	cma_for_each_area(remap_area, &lowmem_end);
}

/*
 * Mapping buffers
 */

/* Is this part of the linear mapping made of pages? */
static bool is_mapped_with_pages(unsigned long addr, size_t size)
{
	unsigned long end = addr + size;

	for (; addr < end; addr = pgd_addr_end(addr, end))
		if ((pmd_val(*pmd_off_k(addr)) & PMD_TYPE_MASK) !=
		    PMD_TYPE_TABLE)
			return false;

	return true;
}

/*
 * Write nr entries of one page table.  set_pte_ext() translates the first one
 * for the hardware.  The others differ from it only in the page frame number,
 * and cleaning the cache once for all of them is much cheaper.
 */
static void set_ptes(pte_t *pte, unsigned long pfn, unsigned long nr,
		     pgprot_t prot)
{
	u32 *hw_pte = (void *)pte + PTE_HWTABLE_OFF;
	unsigned long first_line = round_down((unsigned long)hw_pte,
					      MAX_LINE_SIZE);
	unsigned long i;
	pteval_t val;
	u32 hw_val;

	set_pte_ext(pte, pfn_pte(pfn, prot), 0);
	if (nr == 1)
		return;

	val = pte_val(*pte);
	hw_val = *hw_pte;
	for (i = 1; i < nr; i++) {
		val += PAGE_SIZE;
		hw_val += PAGE_SIZE;
		pte[i] = __pte(val);
		hw_pte[i] = hw_val;
	}
	clean_dcache_area((void *)first_line,
			  (unsigned long)(hw_pte + nr) - first_line);
}

static void set_linear_prot(struct page *page, size_t size, pgprot_t prot)
{
	unsigned long start = (unsigned long)page_address(page);
	unsigned long pfn = page_to_pfn(page);
	unsigned long end = start + size;
	unsigned long addr, next;

	for (addr = start; addr < end; addr = next) {
		next = pgd_addr_end(addr, end);
		set_ptes(pte_offset_kernel(pmd_off_k(addr), addr),
			 pfn + ((addr - start) >> PAGE_SHIFT),
			 (next - addr) >> PAGE_SHIFT, prot);
	}
}

static void map_linear(struct page *page, size_t size, pgprot_t prot)
{
	set_linear_prot(page, size, prot);
	/*
	 * Not only the linear mapping: after vunmap() of a page, TLBs may still
	 * have its cached mapping, which allows a CPU to fetch lines of it.
	 */
	flush_tlb_all();
}

static void unmap_linear(struct page *page, size_t size)
{
	unsigned long start = (unsigned long)page_address(page);

	set_linear_prot(page, size,
			__pgprot(get_mem_type(MT_MEMORY)->prot_pte));
	if (size > FLUSH_TLB_PAGES * PAGE_SIZE)
		flush_tlb_all();
	else
		flush_tlb_kernel_range(start, start + size);
}

/* Clear the entries that kmap_atomic() has left in slots that are not in use */
static void clear_kmap_slots(void *cleared)
{
	unsigned int first = FIX_KMAP_BEGIN + KM_TYPE_NR * smp_processor_id();
	int slot;

	for (slot = FIRST_UNUSED_KMAP; slot < KM_TYPE_NR; slot++) {
		pte_t *pte = pte_offset_kernel(top_pmd,
					       __fix_to_virt(first + slot));

		if (pte_none(*pte))
			continue;
		set_pte_ext(pte, __pte(0), 0);
		*(bool *)cleared = true;
	}
}

/*
 * Remove cached mappings that pages in high memory, or the TLBs, may still have
 * although nobody uses them: of kmap(), kmap_atomic() and vmap().
 */
static void remove_stale_mappings(void)
{
	bool cleared = false;

	kmap_flush_unused();
	on_each_cpu(clear_kmap_slots, &cleared, 1);
	if (cleared)
		flush_tlb_all();
	vm_unmap_aliases();
}

static void *map_highmem(struct page *page, size_t size, pgprot_t prot)
{
	struct vm_struct *area;
	unsigned long addr;

	remove_stale_mappings();
	area = get_vm_area_caller(size, VM_MAP, __builtin_return_address(0));
	if (!area)
		return NULL;

	/*
	 * This keeps /proc/kcore from mapping the pages cached.  Passed above, it
	 * would align the address to a power of two above the size.
	 */
	area->flags |= VM_IOREMAP;
	addr = (unsigned long)area->addr;
	if (ioremap_page_range(addr, addr + size, page_to_phys(page), prot)) {
		vunmap(area->addr);
		return NULL;
	}
	return area->addr;
}

static void *map_buffer(struct page *page, size_t size, pgprot_t prot)
{
	void *addr = page_address(page);

	prot = __pgprot(pgprot_val(prot) | L_PTE_XN);
	if (PageHighMem(page))
		return map_highmem(page, size, prot);
	if (!is_mapped_with_pages((unsigned long)addr, size)) {
		pr_err_once("area %s was added too late to be mapped with pages: no buffers\n",
			    cma_get_name(cma_area_of(page, 1)));
		return NULL;
	}

	map_linear(page, size, prot);
	return addr;
}

/* What stands for the address of a buffer in high memory that is not mapped */
static bool is_unmapped_buffer(struct page *page, const void *cpu_addr)
{
	return cpu_addr == page && PageHighMem(page);
}

static void unmap_buffer(struct page *page, size_t size, void *cpu_addr)
{
	if (is_unmapped_buffer(page, cpu_addr))
		return;
	if (PageHighMem(page)) {
		/*
		 * What the CPU has written must not reach memory after what the
		 * next owner writes.  Nothing waits for it without SMP.
		 */
		wmb();
		vunmap(cpu_addr);
	} else {
		unmap_linear(page, size);
	}
}

static void flush_inner(void *addr, size_t size)
{
	for (; size > STEP_SIZE; size -= STEP_SIZE) {
		dmac_flush_range(addr, addr + STEP_SIZE);
		addr += STEP_SIZE;
		cond_resched();
	}
	dmac_flush_range(addr, addr + size);
}

static void clear_buffer(void *addr, size_t size)
{
	for (; size > STEP_SIZE; size -= STEP_SIZE) {
		memset(addr, 0, STEP_SIZE);
		addr += STEP_SIZE;
		cond_resched();
	}
	memset(addr, 0, size);
	/* drain the write buffer before the device reads the memory */
	wmb();
}

/* See FLUSH_WHILE_CACHED */
static void flush_while_cached(struct page *page, size_t size)
{
	size_t done;

	if (!PageHighMem(page)) {
		flush_inner(page_address(page), size);
		return;
	}
	for (done = 0; done < size; done += PAGE_SIZE) {
		struct page *p = nth_page(page, done >> PAGE_SHIFT);

		flush_inner(kmap(p), PAGE_SIZE);
		kunmap(p);
		cond_resched();
	}
}

/* Map a buffer and clear it in memory, with nothing left in the caches */
static void *prepare_buffer(struct page *page, size_t size, pgprot_t prot)
{
	phys_addr_t phys = page_to_phys(page);
	void *cpu_addr;

	if (FLUSH_WHILE_CACHED)
		flush_while_cached(page, size);

	cpu_addr = map_buffer(page, size, prot);
	if (!cpu_addr)
		return NULL;
	trace_cma_map(page_to_pfn(page), size >> PAGE_SHIFT);

	flush_inner(cpu_addr, size);
	outer_flush_range(phys, phys + size);
	clear_buffer(cpu_addr, size);
	trace_cma_clear(page_to_pfn(page), size >> PAGE_SHIFT);
	return cpu_addr;
}

/*
 * The same for a buffer that needs no address.  In low memory it has one that
 * takes no further space.  In high memory, clear one step of it after the other.
 */
static void *prepare_unmapped_buffer(struct page *page, size_t size,
				     pgprot_t prot)
{
	size_t offset, step;
	void *cpu_addr;

	if (!PageHighMem(page))
		return prepare_buffer(page, size, prot);

	for (offset = 0; offset < size; offset += step) {
		step = min_t(size_t, size - offset, STEP_SIZE);
		cpu_addr = prepare_buffer(nth_page(page, offset >> PAGE_SHIFT),
					  step, prot);
		if (!cpu_addr)
			return NULL;
		vunmap(cpu_addr);
	}
	return page;
}

/**
 * arm_dma_prepare_highmem() - make pages in high memory ready for a buffer
 * @page: the first of contiguous pages in high memory, which nobody uses
 * @size: size in bytes, a multiple of PAGE_SIZE
 * @prot: attributes of the mappings that they will have
 *
 * The pages are cleared in memory, and have no mapping and no lines in the caches.
 *
 * Context: process context, may sleep.
 * Return: false if there is no memory, or no virtual space, for a mapping.
 */
bool arm_dma_prepare_highmem(struct page *page, size_t size, pgprot_t prot)
{
	return prepare_unmapped_buffer(page, size, prot);
}

static bool is_buffer_address(struct page *page, const void *cpu_addr)
{
	if (!PageHighMem(page))
		return page_address(page) == cpu_addr;
	if (is_unmapped_buffer(page, cpu_addr))
		return true;

	return is_vmalloc_addr(cpu_addr) && !offset_in_page(cpu_addr) &&
	       vmalloc_to_page(cpu_addr) == page;
}

/* A free has to know both sizes to find the mistake */
static void check_size(unsigned long nr_pages, size_t size)
{
	WARN(nr_pages << PAGE_SHIFT != size,
	     "DMA: freeing wrong coherent size (%u != %u)\n",
	     (unsigned int)(nr_pages << PAGE_SHIFT), (unsigned int)size);
}

/*
 * Pool for requests that must not sleep
 */

static struct {
	size_t		size;		/* bytes; constant after boot */
	struct page	*page;		/* constant; NULL if there is no pool */
	void		*cpu_addr;	/* constant */
	unsigned long	*bitmap;	/* protected by lock */
	unsigned long	*last;		/* last pages of buffers; same lock */
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

/**
 * dma_contiguous_pool_size() - get the size of the pool for atomic requests
 *
 * Context: boot, after parameters were parsed.
 * Return: the size in bytes.
 */
size_t __init dma_contiguous_pool_size(void)
{
	return atomic_pool.size;
}

static int __init atomic_pool_init(void)
{
	unsigned int nr_pages = atomic_pool.size >> PAGE_SHIFT;
	unsigned long *bitmap;
	struct page *page;
	void *cpu_addr;

	if (!nr_pages || !arm_dma_use_contiguous(NULL, GFP_KERNEL))
		return 0;

	bitmap = kcalloc(2 * BITS_TO_LONGS(nr_pages), sizeof(long), GFP_KERNEL);
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
	atomic_pool.last = bitmap + BITS_TO_LONGS(nr_pages);
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
	if (start < pool_pages) {
		bitmap_set(atomic_pool.bitmap, start, nr_pages);
		__set_bit(start + nr_pages - 1, atomic_pool.last);
	}
	spin_unlock_irqrestore(&atomic_pool.lock, flags);

	if (start >= pool_pages) {
		if (!(gfp & __GFP_NOWARN))
			report_full_pool(size);
		return NULL;
	}

	*page = nth_page(atomic_pool.page, start);
	cpu_addr = atomic_pool.cpu_addr + (start << PAGE_SHIFT);
	memset(cpu_addr, 0, size);
	/* as in clear_buffer() */
	wmb();
	return cpu_addr;
}

static bool is_in_pool(const void *cpu_addr)
{
	return atomic_pool.page && cpu_addr >= atomic_pool.cpu_addr &&
	       cpu_addr < atomic_pool.cpu_addr + atomic_pool.size;
}

/* Return the number of pages of the buffer that starts here; 0 if none does */
static unsigned long pool_buffer_pages(const void *cpu_addr)
{
	unsigned long start = (cpu_addr - atomic_pool.cpu_addr) >> PAGE_SHIFT;

	lockdep_assert_held(&atomic_pool.lock);

	if (offset_in_page(cpu_addr) || !test_bit(start, atomic_pool.bitmap))
		return 0;
	if (start && test_bit(start - 1, atomic_pool.bitmap) &&
	    !test_bit(start - 1, atomic_pool.last))
		return 0;

	return find_next_bit(atomic_pool.last,
			     atomic_pool.size >> PAGE_SHIFT, start) - start + 1;
}

static void free_to_pool(void *cpu_addr, size_t size)
{
	unsigned long start = (cpu_addr - atomic_pool.cpu_addr) >> PAGE_SHIFT;
	unsigned long flags, nr_pages;

	spin_lock_irqsave(&atomic_pool.lock, flags);
	nr_pages = pool_buffer_pages(cpu_addr);
	if (nr_pages) {
		bitmap_clear(atomic_pool.bitmap, start, nr_pages);
		__clear_bit(start + nr_pages - 1, atomic_pool.last);
	}
	spin_unlock_irqrestore(&atomic_pool.lock, flags);

	if (!WARN(!nr_pages, "DMA: free of %u bytes at %p, which is no buffer\n",
		  (unsigned int)size, cpu_addr))
		check_size(nr_pages, size);
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
		return cma_alloc_for(dev, cma, nr_pages, align_order,
				     gfp & __GFP_NOWARN);
	/* Mapping a buffer in vmalloc space allocates with GFP_KERNEL */
	if (!(gfp & __GFP_WAIT) ||
	    PageHighMem(pfn_to_page(__phys_to_pfn(cma_get_base(cma)))))
		return NULL;
	return cma_try_alloc_for(dev, cma, nr_pages, align_order);
}

/*
 * Is this CPU older than ARMv6?  See the main ID register: from ARMv6 on, its
 * architecture field is 7, or 15 if there are further registers.  Kernels differ
 * in where cpu_architecture() is declared.
 */
static bool is_before_v6(void)
{
	return (read_cpuid_id() >> 16 & 0xf) < 7;
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
	    is_before_v6())
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
 *	 __GFP_NOWARN matter.  During suspend and resume no request may do I/O.
 * @prot: attributes of the mapping
 * @mapped: whether the CPU needs an address
 *
 * Requests with all of GFP_KERNEL are served from an area.  Requests that may
 * sleep, but not do I/O, get a range that is entirely free, or fall back to the
 * pool, which also serves requests that must not sleep.
 *
 * Context: as @gfp allows.
 * Return: address for the CPU, or NULL.  The buffer is cleared.  Without @mapped,
 * a value other than NULL that is only good for the functions that take a buffer.
 */
void *arm_dma_alloc_contiguous(struct device *dev, size_t size, u64 mask,
			       dma_addr_t *handle, gfp_t gfp, pgprot_t prot,
			       bool mapped)
{
	int nr_pages = size >> PAGE_SHIFT;
	struct page *page;
	void *cpu_addr = NULL;

	gfp &= gfp_allowed_mask;
	page = alloc_from_area(dev, nr_pages, gfp);
	if (page) {
		cpu_addr = mapped ? prepare_buffer(page, size, prot) :
			   prepare_unmapped_buffer(page, size, prot);
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
 * Warns if @size is not the size of the buffer, and frees all of the buffer and
 * nothing else.
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
	unsigned long nr_pages;
	struct page *page;
	struct cma *cma;

	if (is_in_pool(cpu_addr)) {
		free_to_pool(cpu_addr, size);
		return true;
	}

	if (!pfn_valid(pfn))
		return false;
	page = pfn_to_page(pfn);
	/* search for the area, because that of the device may have changed */
	cma = cma_area_of(page, 1);
	if (!cma)
		return false;

	nr_pages = cma_buffer_pages(cma, page);
	if (WARN(!nr_pages || !is_buffer_address(page, cpu_addr),
		 "DMA: free of %u bytes at %p (%#lx), which is no buffer\n",
		 (unsigned int)size, cpu_addr, (unsigned long)handle))
		return true;

	check_size(nr_pages, size);
	unmap_buffer(page, nr_pages << PAGE_SHIFT, cpu_addr);
	cma_release(cma, page, nr_pages);
	return true;
}

/* Return the number of pages of the buffer, and the first one; 0 if none */
static unsigned long find_buffer(struct device *dev, void *cpu_addr,
				 dma_addr_t handle, unsigned long *pfn)
{
	unsigned long flags, nr_pages;
	struct page *page;
	struct cma *cma;

	if (is_in_pool(cpu_addr)) {
		spin_lock_irqsave(&atomic_pool.lock, flags);
		nr_pages = pool_buffer_pages(cpu_addr);
		spin_unlock_irqrestore(&atomic_pool.lock, flags);
		*pfn = page_to_pfn(atomic_pool.page) +
		       ((cpu_addr - atomic_pool.cpu_addr) >> PAGE_SHIFT);
		return nr_pages;
	}

	*pfn = dma_to_pfn(dev, handle);
	if (!pfn_valid(*pfn))
		return 0;
	page = pfn_to_page(*pfn);
	cma = cma_area_of(page, 1);
	if (!cma || !is_buffer_address(page, cpu_addr))
		return 0;
	return cma_buffer_pages(cma, page);
}

/**
 * arm_dma_mmap_contiguous() - map a coherent buffer into user space
 * @dev: device that the buffer was allocated for, or NULL
 * @vma: VMA to map into; vm_pgoff is the first page of the buffer to map
 * @cpu_addr: address for the CPU
 * @handle: address for the device
 * @size: size of the part of the buffer that may be mapped, in bytes
 *
 * The user mapping gets the memory type of the kernel's mapping, if there is one.
 *
 * Context: process context, mmap_sem held for writing.
 * Return: 0; -ENXIO if no buffer of the pool or of an area starts there, or if
 * the range of @vma exceeds the buffer or @size; or an error of
 * remap_pfn_range().
 */
int arm_dma_mmap_contiguous(struct device *dev, struct vm_area_struct *vma,
			    void *cpu_addr, dma_addr_t handle, size_t size)
{
	unsigned long nr_user = (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
	unsigned long off = vma->vm_pgoff;
	unsigned long addr = (unsigned long)cpu_addr;
	pgprot_t prot = vma->vm_page_prot;
	unsigned long nr_pages, pfn;
	pte_t pte;

	nr_pages = find_buffer(dev, cpu_addr, handle, &pfn);
	nr_pages = min_t(unsigned long, nr_pages,
			 PAGE_ALIGN(size) >> PAGE_SHIFT);
	if (off >= nr_pages || nr_user > nr_pages - off)
		return -ENXIO;

	if (!is_unmapped_buffer(pfn_to_page(pfn), cpu_addr)) {
		pte = *pte_offset_kernel(pmd_off_k(addr), addr);
		prot = __pgprot_modify(prot, L_PTE_MT_MASK,
				       pte_val(pte) & L_PTE_MT_MASK);
		vma->vm_page_prot = prot;
	}
	return remap_pfn_range(vma, vma->vm_start, pfn + off,
			       nr_user << PAGE_SHIFT, prot);
}
