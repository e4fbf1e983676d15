// SPDX-License-Identifier: GPL-2.0
/*
 * Do coherent buffers and streaming mappings on ARM have the right data, whatever caches
 * and TLBs do?
 *
 * The functions that the kernel's code calls for caches, TLBs and barriers record what
 * they do, as those of ARMv7 with an L2 of type PL310 do it. cache.h says what the
 * hardware may do in between.
 */

#include "arm.h"
#include "cache.h"
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <asm/dma-contiguous.h>

#define TAP_PREFIX	UNIT ": "
#define TAP_SECONDS	120
#define TAP_TEST_BEGIN	begin
#define TAP_TEST_END	end
static void begin(void);
static void end(void);
#include "tap.h"

#ifdef HAVE_OPS
#include "ops.h"
#include <asm/dma-mapping.h>
#elif defined(HAVE_BASE)
#include "iommu-stream.h"
#include <asm/dma-iommu.h>
#include <asm/dma-mapping.h>
#include <linux/dma-buf.h>
#include "dma-heap.h"
#endif

/* The end of all memory */
#define END	(~0ULL)

static struct device low, high = { &arm_areas[1] };
static u32 shadow[ARM_LOW_PAGES];	/* entries of the hardware's tables, as recorded */
static u32 *entries[ARM_LOW_PAGES];	/* where they are; arm_hw_entry() takes long */
#define TABLE_MEMORY	(ARM_TABLES * 4096U)
static bool is_dirty[TABLE_MEMORY / CACHE_LINE];	/* lines of tables, before they are used */
static int cpu;
#define VMAP_PAGES	32
static unsigned long vmap_pages;
static phys_addr_t vmap_phys[VMAP_PAGES];
static struct vm_struct vm_area;
static unsigned int nr_lazy_pages;
static phys_addr_t lazy_start;
static bool is_coherent;		/* the device sees what the CPUs see */
static unsigned int nr_maintained;

void cond_resched(void)
{
}

/* Tables of the linear mapping: stores are seen when something else is recorded */

static unsigned int attribute(u32 hw)
{
	if (!hw)
		return CACHE_NONE;
	return hw & L_PTE_MT_MASK << 4 ? CACHE_UNCACHED : CACHE_CACHED;
}

static phys_addr_t phys_of_page(unsigned long page)
{
	return PHYS_OFFSET + (page << PAGE_SHIFT);
}

static void record_stores(void)
{
	unsigned long page, first;

	for (page = ARM_LOW_AREA - ARM_LOW_PFN; page < ARM_LOW_PAGES; page++) {
		if (!entries[page] || *entries[page] == shadow[page])
			continue;
		first = page;
		for (; page < ARM_LOW_PAGES && entries[page] && *entries[page] != shadow[page] &&
		     attribute(*entries[page]) == attribute(*entries[first]); page++) {
			REQUIRE_EQ(*entries[page] & ~4095U, phys_of_page(page),
				   "a page is mapped where another one belongs");
			shadow[page] = *entries[page];
		}
		page--;
		cache_add(CACHE_PTE_STORE, cpu, CACHE_LINEAR, phys_of_page(first),
			  phys_of_page(page + 1), attribute(shadow[page]));
	}
}

static void add(enum cache_type type, int on_cpu, enum cache_alias alias, uint64_t start,
		uint64_t last, unsigned int arg)
{
	record_stores();
	cache_add(type, on_cpu, alias, start, last, arg);
}

static void dsb(int on_cpu)
{
	add(CACHE_DSB, on_cpu, CACHE_LINEAR, 0, END, 0);
}

static void touch_table(const void *start, size_t size, bool dirty)
{
	unsigned long pos = (char *)start - arm_memory, last = pos + size;

	for (; pos < last && pos < TABLE_MEMORY; pos += CACHE_LINE)
		is_dirty[pos / CACHE_LINE] = dirty;
}

/* Clean the lines of the hardware's tables that begin in [start, start + size) */
static void clean_table(unsigned long start, size_t size)
{
	unsigned long page, line;

	touch_table((void *)start, size, false);
	for (page = ARM_LOW_AREA - ARM_LOW_PFN; page < ARM_LOW_PAGES; page++) {
		if (!entries[page])
			continue;
		line = (unsigned long)entries[page] & ~(CACHE_LINE - 1UL);
		if (line >= start && line < start + size)
			add(CACHE_PTE_CLEAN, cpu, CACHE_LINEAR, phys_of_page(page),
			    phys_of_page(page + 1), 0);
	}
}

void clean_dcache_area(const void *start, size_t size)
{
	clean_table((unsigned long)start & ~(CACHE_LINE - 1UL), ALIGN(size, CACHE_LINE));
	dsb(cpu);
}

static enum cache_alias slot_alias(const pte_t *pte)
{
	return (pte - arm_slots) / KM_TYPE_NR ? CACHE_SLOT1 : CACHE_SLOT0;
}

void set_pte_ext(pte_t *pte, pte_t val, unsigned int ext)
{
	*pte = val;
	if (pte >= arm_slots && pte < arm_slots + CACHE_CPUS * KM_TYPE_NR) {
		uint64_t phys = page_to_phys(pfn_to_page(ARM_HIGH_PFN +
							 (pte - arm_slots) % KM_TYPE_NR));

		add(CACHE_PTE_STORE, cpu, slot_alias(pte), phys, phys + PAGE_SIZE,
		    attribute(arm_translate(val)));
		add(CACHE_PTE_CLEAN, cpu, slot_alias(pte), phys, phys + PAGE_SIZE, 0);
		return;
	}
	*(u32 *)((void *)pte + PTE_HWTABLE_OFF) = arm_translate(val);
	clean_table(((unsigned long)pte + PTE_HWTABLE_OFF) & ~(CACHE_LINE - 1UL), CACHE_LINE);
}

/* A first-level entry is cleaned as it is written, by pmd_clear() without waiting */
static void set_pmd(pmd_t *pmd, u32 val, unsigned int attr)
{
	uint64_t start = phys_of_page((pmd - arm_pmds[0]) / 2 * PTRS_PER_PTE);

	pmd[0] = val;
	pmd[1] = val;
	add(CACHE_PTE_STORE, cpu, CACHE_LINEAR, start, start + PGDIR_SIZE, attr);
	add(CACHE_PTE_CLEAN, cpu, CACHE_LINEAR, start, start + PGDIR_SIZE, 0);
}

void pmd_clear(pmd_t *pmd)
{
	set_pmd(pmd, 0, CACHE_NONE);
}

/* The table is complete before it is installed */
void __pmd_populate(pmd_t *pmd, phys_addr_t table, unsigned int prot)
{
	unsigned long first = (pmd - arm_pmds[0]) / 2 * PTRS_PER_PTE, i;

	for (i = 0; i < PTE_HWTABLE_SIZE; i += CACHE_LINE)
		REQUIRE(!is_dirty[(table - PHYS_OFFSET + PTE_HWTABLE_OFF + i) / CACHE_LINE],
			"a table walk finds what was in memory before, at %lu", i);
	set_pmd(pmd, table | prot, CACHE_CACHED);
	dsb(cpu);
	for (i = first; i < first + PTRS_PER_PTE; i++) {
		entries[i] = arm_hw_entry(i);
		shadow[i] = *entries[i];
	}
}

/* TLBs: the CPUs flush them one after the other */

static void flush_tlb(enum cache_alias alias, uint64_t start, uint64_t last)
{
	int c;

	dsb(cpu);
	for (c = 0; c < CACHE_CPUS; c++)
		add(CACHE_TLB_FLUSH, c, alias, start, last, 0);
	dsb(cpu);
}

/* Where is this address, and which mapping is it of? */
static phys_addr_t where(const void *addr, enum cache_alias *alias)
{
	if (is_kmap_addr(addr)) {
		*alias = CACHE_PKMAP;
		return (ARM_HIGH_PFN << PAGE_SHIFT) + ((char *)addr - arm_kmap);
	}
	*alias = is_vmalloc_addr(addr) ? CACHE_BUFFER : CACHE_LINEAR;
	if (*alias == CACHE_LINEAR)
		return __pa(addr);
	return vmap_phys[((char *)addr - arm_vmalloc) >> PAGE_SHIFT] + offset_in_page(addr);
}

void flush_tlb_kernel_range(unsigned long start, unsigned long last)
{
	enum cache_alias alias;
	phys_addr_t phys = where((void *)start, &alias);

	flush_tlb(alias, phys, phys + (last - start));
}

void flush_tlb_all(void)
{
	int c, a;

	dsb(cpu);
	for (c = 0; c < CACHE_CPUS; c++)
		for (a = 0; a < CACHE_ALIASES; a++)
			add(CACHE_TLB_FLUSH, c, a, 0, END, 0);
	dsb(cpu);
}

/* Caches */

static void maintain(enum cache_type type, const void *start, const void *last)
{
	enum cache_alias alias;
	phys_addr_t phys = where(start, &alias);

	nr_maintained++;
	add(type, cpu, alias, phys, phys + (last - start), 0);
	dsb(cpu);
}

void dmac_flush_range(const void *start, const void *last)
{
	maintain(CACHE_L1_FLUSH, start, last);
}

static void maintain_outer(enum cache_type type, phys_addr_t start, phys_addr_t last)
{
	nr_maintained++;
	add(type, cpu, CACHE_LINEAR, start, last, 0);
	add(CACHE_OUTER_SYNC, cpu, CACHE_LINEAR, 0, END, 0);
}

void outer_flush_range(phys_addr_t start, phys_addr_t last)
{
	maintain_outer(CACHE_L2_FLUSH, start, last);
}

/* Also drains the buffer of the L2 */
void wmb(void)
{
	dsb(cpu);
	add(CACHE_OUTER_SYNC, cpu, CACHE_LINEAR, 0, END, 0);
}

/* The pages of a buffer that is mapped may come from anywhere */
static void cpu_accesses(enum cache_type type, int on_cpu, const void *addr, size_t size,
			 unsigned int value)
{
	while (size) {
		enum cache_alias alias;
		phys_addr_t phys = where(addr, &alias);
		size_t n = size;

		if (alias == CACHE_BUFFER)
			n = min(size, PAGE_SIZE - offset_in_page(addr));
		add(type, on_cpu, alias, phys, (uint64_t)phys + n, value);
		addr += n;
		size -= n;
	}
}

static void cpu_writes(int on_cpu, const void *addr, size_t size, unsigned int value)
{
	cpu_accesses(CACHE_CPU_WRITE, on_cpu, addr, size, value);
}

static void cpu_reads(int on_cpu, const void *addr, size_t size, unsigned int value)
{
	cpu_accesses(CACHE_CPU_READ, on_cpu, addr, size, value);
}

/* Addresses of devices are those of memory, or those that an IOMMU maps, which follow it */
#define IO_BASE		0x80000000U
#define IO_PAGES	1024U
static phys_addr_t io_map[IO_PAGES];

static phys_addr_t io_phys(dma_addr_t dma)
{
	unsigned long page = (dma - IO_BASE) >> PAGE_SHIFT;

	if (dma < IO_BASE)
		return dma;
	return page < IO_PAGES && io_map[page] ? io_map[page] + offset_in_page(dma) : 0;
}

static void device_accesses(enum cache_type type, dma_addr_t dma, size_t size, unsigned int value)
{
	while (size) {
		size_t n = dma < IO_BASE ? size : min(size, PAGE_SIZE - offset_in_page(dma));
		uint64_t phys = io_phys(dma);

		REQUIRE(phys, "the IOMMU has not mapped %#x", dma);
		if (is_coherent)
			add(type == CACHE_DEV_READ ? CACHE_CPU_READ : CACHE_CPU_WRITE, 1,
			    phys >> PAGE_SHIFT >= ARM_HIGH_PFN ? CACHE_PKMAP : CACHE_LINEAR,
			    phys, phys + n, value);
		else
			add(type, 0, CACHE_LINEAR, phys, phys + n, value);
		dma += n;
		size -= n;
	}
}

static void device_writes(dma_addr_t dma, size_t size)
{
	device_accesses(CACHE_DEV_WRITE, dma, size, CACHE_DEV);
}

static void device_reads(dma_addr_t dma, size_t size, unsigned int value)
{
	device_accesses(CACHE_DEV_READ, dma, size, value);
}

/* The kernel's memset(), under this name in the files under test */
void *cache_memset(void *addr, int value, size_t size);
void *cache_memset(void *addr, int value, size_t size)
{
	if (((char *)addr >= arm_memory + ((ARM_LOW_AREA - ARM_LOW_PFN) << PAGE_SHIFT) &&
	     (char *)addr < arm_memory + (ARM_LOW_PAGES << PAGE_SHIFT)) || is_vmalloc_addr(addr) ||
	    is_kmap_addr(addr))
		cpu_writes(cpu, addr, size, CACHE_ZERO);
	else
		memset(addr, value, size);
	touch_table(addr, size, true);
	return addr;
}

/* High memory: kmap_atomic(), kmap(), vmap() */

int smp_processor_id(void)
{
	return cpu;
}

int kmap_atomic_idx(void)
{
	return -1;
}

/* The caller waits until the other CPUs have done it: that includes their stores */
void on_each_cpu(void (*fn)(void *info), void *info, int wait)
{
	for (cpu = 0; cpu < CACHE_CPUS; cpu++) {
		fn(info);
		dsb(cpu);
	}
	cpu = 0;
}

static void unmap(enum cache_alias alias, uint64_t start, uint64_t last)
{
	add(CACHE_PTE_STORE, cpu, alias, start, last, CACHE_NONE);
	add(CACHE_PTE_CLEAN, cpu, alias, start, last, 0);
}

void kmap_flush_unused(void)
{
	unmap(CACHE_PKMAP, 0, END);
	flush_tlb(CACHE_PKMAP, 0, END);
}

/* vunmap() has removed the entries, but has not flushed the TLBs */
void vm_unmap_aliases(void)
{
	if (nr_lazy_pages)
		flush_tlb(CACHE_LAZY, lazy_start, lazy_start + (nr_lazy_pages << PAGE_SHIFT));
	nr_lazy_pages = 0;
}

struct vm_struct *get_vm_area_caller(unsigned long size, unsigned long flags, const void *caller)
{
	REQUIRE(!vmap_pages, "the model has one mapping");
	REQUIRE(size <= VMAP_PAGES << PAGE_SHIFT, "the mapping is too large for the model");
	vm_area.addr = arm_vmalloc;
	vm_area.flags = flags;
	vm_area.size = size;
	return &vm_area;
}

static void map_next_pages(phys_addr_t phys, unsigned long size, pgprot_t prot)
{
	unsigned long done;

	for (done = 0; done < size; done += PAGE_SIZE)
		vmap_phys[vmap_pages++] = phys + done;
	add(CACHE_PTE_STORE, cpu, CACHE_BUFFER, phys, phys + size,
	    prot & L_PTE_MT_MASK ? CACHE_UNCACHED : CACHE_CACHED);
	add(CACHE_PTE_CLEAN, cpu, CACHE_BUFFER, phys, phys + size, 0);
}

int ioremap_page_range(unsigned long start, unsigned long last, phys_addr_t phys, pgprot_t prot)
{
	map_next_pages(phys, last - start, prot);
	dsb(cpu);
	return 0;
}

void vunmap(const void *addr)
{
	while (vmap_pages) {
		vmap_pages--;
		unmap(CACHE_BUFFER, vmap_phys[vmap_pages], vmap_phys[vmap_pages] + PAGE_SIZE);
	}
}

struct page *vmalloc_to_page(const void *addr)
{
	return pfn_to_page(__phys_to_pfn(vmap_phys[0]));
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	uint64_t start = (uint64_t)pfn << PAGE_SHIFT;

	add(CACHE_PTE_STORE, cpu, CACHE_USER, start, start + size,
	    prot & L_PTE_MT_MASK ? CACHE_UNCACHED : CACHE_CACHED);
	add(CACHE_PTE_CLEAN, cpu, CACHE_USER, start, start + size, 0);
	dsb(cpu);
	return 0;
}

/* The page changes hands: what may any CPU have now? A TLB may keep an uncached buffer. */
static void handover(phys_addr_t start, size_t size, unsigned int allowed)
{
	int a;

	for (a = 0; a < CACHE_ALIASES; a++)
		if (a != CACHE_BUFFER || allowed != CACHE_CACHED)
			add(CACHE_HANDOVER, 0, a, start, (uint64_t)start + size, allowed);
}

bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		((struct page *)pages)[i].owner = 0;
	handover(page_to_phys(pages), count << PAGE_SHIFT, CACHE_CACHED);
	return true;
}

static void reset_machine(void)
{
	arm_reset_machine();
	memset(shadow, 0, sizeof(shadow));
	memset(entries, 0, sizeof(entries));
	memset(is_dirty, 0, sizeof(is_dirty));
}

static void begin(void)
{
	unsigned long start = ARM_LOW_AREA << PAGE_SHIFT;

	reset_machine();
	*host_console = '\0';
	cpu = 0;
	vmap_pages = 0;
	memset(io_map, 0, sizeof(io_map));
	nr_lazy_pages = 0;
	cache_reset();
	cache_is_mpcore = FLUSH_WHILE_CACHED;
	cache_map(CACHE_LINEAR, start, start + (4096UL << PAGE_SHIFT), CACHE_SECTION,
		  CACHE_SECTION);
	dma_contiguous_remap();
	cache_nr_states = 0;
	cache_nr_explored = 0;
}

static void end(void)
{
	REQUIRE(!strstr(host_console, "WARN"), "the kernel warns");
	if (is_coherent)
		REQUIRE_EQ(nr_maintained, 0, "maintenance for a device that is coherent");
	if (cache_nr_explored)
		note("%lu states of %lu lines or pairs of lines", cache_nr_states,
		     cache_nr_explored);
}

/* Visit all states of one line, or of two */
static void check(uint64_t first, uint64_t second)
{
	uint64_t pair[] = { first & ~(CACHE_LINE - 1ULL), second & ~(CACHE_LINE - 1ULL) };
	const char *failed = cache_explore(pair, second ? 2 : 1);

	REQUIRE(!failed, "%s", failed);
}

static const pgprot_t coherent = pgprot_dmacoherent(pgprot_kernel);

static char *alloc(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp)
{
	char *virt = arm_dma_alloc_contiguous(dev, size, ~0ULL, dma, gfp, coherent, true);

	REQUIRE(virt, "no buffer");
	handover(*dma, size, CACHE_UNCACHED);
	return virt;
}

/* Somebody had written to the memory when it was cached, on both CPUs */
static void dirty_memory(enum cache_alias alias, phys_addr_t phys, size_t size)
{
	add(CACHE_CPU_WRITE, 1, alias, phys, (uint64_t)phys + size, CACHE_OLD);
	add(CACHE_CPU_WRITE, 0, alias, phys, (uint64_t)phys + size, CACHE_CPU);
	add(CACHE_CPU_WRITE, 1, alias, phys, (uint64_t)phys + size, CACHE_OLD);
}

/* What a driver does with a coherent buffer */
static void use_buffer(char *virt, dma_addr_t dma, size_t size)
{
	device_reads(dma, size, CACHE_ZERO);
	cpu_reads(1, virt, size, CACHE_ZERO);
	cpu_reads(0, virt, size, CACHE_ZERO);
	device_writes(dma, size);
	cpu_reads(0, virt, size, CACHE_DEV);
	cpu_reads(1, virt, size, CACHE_DEV);
	cpu_writes(0, virt, size, CACHE_CPU);
	wmb();	/* as before a device is started */
	device_reads(dma, size, CACHE_CPU);
	cpu_reads(1, virt, size, CACHE_CPU);
	device_writes(dma, size);
	cpu_reads(1, virt, size, CACHE_DEV);
}

/* The next owner finds what it writes. What the last one wrote does not come back. */
static void reuse_memory(enum cache_alias alias, phys_addr_t phys, size_t size)
{
	uint64_t last = (uint64_t)phys + size;

	/* a page in high memory is mapped again */
	if (alias != CACHE_LINEAR) {
		add(CACHE_PTE_STORE, cpu, alias, phys, last, CACHE_CACHED);
		add(CACHE_PTE_CLEAN, cpu, alias, phys, last, 0);
	}
	add(CACHE_CPU_WRITE, 0, alias, phys, last, CACHE_ZERO);
	add(CACHE_CPU_READ, 1, alias, phys, last, CACHE_ZERO);
	add(CACHE_CPU_WRITE, 1, alias, phys, last, CACHE_OLD);
	add(CACHE_CPU_READ, 1, alias, phys, last, CACHE_OLD);
	add(CACHE_CPU_READ, 0, alias, phys, last, CACHE_OLD);
}

static void free_buffer(struct device *dev, char *virt, dma_addr_t dma, size_t size)
{
	/* the last store is still in the CPU's buffer */
	cpu_writes(0, virt, size, CACHE_CPU);
	REQUIRE(arm_dma_free_contiguous(dev, size, virt, dma), "not ours");
}

/* A buffer of low memory that is allocated, used, freed and reused */
static dma_addr_t life_of_buffer(unsigned long first_page, size_t size)
{
	dma_addr_t dma, area = ARM_LOW_AREA << PAGE_SHIFT;
	char *virt;

	if (first_page)
		cma_alloc(&arm_areas[0], first_page, 0, false);
	dirty_memory(CACHE_LINEAR, area + (first_page << PAGE_SHIFT), size);
	virt = alloc(&low, size, &dma, GFP_KERNEL);
	REQUIRE_EQ(dma, area + (first_page << PAGE_SHIFT), "the dirty memory");
	use_buffer(virt, dma, size);
	free_buffer(&low, virt, dma, size);
	reuse_memory(CACHE_LINEAR, dma, size);
	return dma;
}

#ifndef HAVE_OPS

TEST(half_table, "the half of a new page table that maps nothing is empty in memory, too")
{
	reset_machine();
	arm_pmds[(ARM_LOW_AREA - ARM_LOW_PFN + 4096) / PTRS_PER_PTE - 1][1] = 0;
	dma_contiguous_remap();
}

TEST(one_page, "a page is cleared, shared with a device, and returned")
{
	dma_addr_t dma = life_of_buffer(1, PAGE_SIZE);

	check(dma, dma + PAGE_SIZE - 1);
}

TEST(two_pages, "so is a buffer of two pages")
{
	dma_addr_t dma = life_of_buffer(3, 2 * PAGE_SIZE);

	check(dma, dma + PAGE_SIZE);
	check(dma + PAGE_SIZE - 1, dma + 2 * PAGE_SIZE - 1);
}

/* Lines of a large buffer: the ends of each of its parts, and random ones */
static void check_large(dma_addr_t dma, size_t size)
{
	static const size_t parts[] = { PAGE_SIZE, 64 * PAGE_SIZE, SZ_1M, PGDIR_SIZE };
	unsigned int i;
	size_t pos;

	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (pos = parts[i]; pos < size; pos += parts[i] * (1 + size / parts[i] / 8)) {
			check(dma + pos - 1, 0);
			check(dma + pos, 0);
		}
	for (i = 0; i < 40; i++)
		check(dma + (unsigned int)random() % size, 0);
	check(dma, 0);
	check(dma + size - 1, 0);
}

TEST(large, "each line of a buffer of 5 MiB, which two page tables map, is as well")
{
	size_t size = 5 * SZ_1M;

	check_large(life_of_buffer(7, size), size);
}

TEST(sixty_pages, "each line of a buffer that is flushed from the TLB by page is as well")
{
	size_t size = 60 * PAGE_SIZE;

	check_large(life_of_buffer(500, size), size);
}

TEST(attributes, "no CPU has two attributes of a page when it changes hands")
{
	dma_addr_t dma = life_of_buffer(3, 2 * PAGE_SIZE);

	cache_check_attributes = true;
	check(dma, dma + PAGE_SIZE);
}

TEST(lazy, "a vmap() whose TLB entries were not flushed does not fetch lines of a buffer")
{
	dma_addr_t dma;

	lazy_start = ARM_LOW_AREA << PAGE_SHIFT;
	nr_lazy_pages = 1;
	cache_map(CACHE_LAZY, lazy_start, lazy_start + PAGE_SIZE, CACHE_NONE, CACHE_CACHED);
	dma = life_of_buffer(0, PAGE_SIZE);
	check(dma, 0);
	cache_check_attributes = true;
	check(dma, 0);
}

TEST(pool, "a buffer of the pool is cleared, even if a device wrote to it before")
{
	size_t pool_size = 16 * PAGE_SIZE;
	dma_addr_t dma, again;
	char *virt;

	dirty_memory(CACHE_LINEAR, ARM_LOW_AREA << PAGE_SHIFT, pool_size);
	REQUIRE(!arm_early_param("64K"), "coherent_pool=");
	REQUIRE(!arm_postcore_initcall(), "no pool: %s", host_console);
	virt = alloc(&low, PAGE_SIZE, &dma, GFP_ATOMIC);
	use_buffer(virt, dma, PAGE_SIZE);
	REQUIRE(arm_dma_free_contiguous(&low, PAGE_SIZE, virt, dma), "not ours");
	virt = alloc(&low, PAGE_SIZE, &again, GFP_ATOMIC);
	REQUIRE_EQ(again, dma, "the same buffer");
	use_buffer(virt, dma, PAGE_SIZE);
	check(dma, dma + PAGE_SIZE - 1);
}

TEST(user, "a process that maps a buffer sees the data of the device, and the device its own")
{
	unsigned long start = ARM_LOW_AREA << PAGE_SHIFT;
	struct vm_area_struct vma = {
		.vm_end = PAGE_SIZE, .vm_page_prot = pgprot_kernel,
	};
	dma_addr_t dma;
	char *virt;

	dirty_memory(CACHE_LINEAR, start, PAGE_SIZE);
	virt = alloc(&low, PAGE_SIZE, &dma, GFP_KERNEL);
	REQUIRE(!arm_dma_mmap_contiguous(&low, &vma, virt, dma, PAGE_SIZE), "not mapped");
	use_buffer(virt, dma, PAGE_SIZE);
	add(CACHE_CPU_READ, 1, CACHE_USER, dma, dma + PAGE_SIZE, CACHE_DEV);
	add(CACHE_CPU_WRITE, 0, CACHE_USER, dma, dma + PAGE_SIZE, CACHE_CPU);
	wmb();	/* as before a device is started */
	device_reads(dma, PAGE_SIZE, CACHE_CPU);
	device_writes(dma, PAGE_SIZE);
	add(CACHE_CPU_READ, 1, CACHE_USER, dma, dma + PAGE_SIZE, CACHE_DEV);
	handover(dma, PAGE_SIZE, CACHE_UNCACHED);
	check(dma, dma + PAGE_SIZE - 1);
	cache_check_attributes = true;
	check(dma, 0);
}

#endif

/* High memory that was written to, with all mappings that nobody uses any more */
static void dirty_high_memory(size_t size, bool with_slots)
{
	uint64_t start = ARM_HIGH_PFN << PAGE_SHIFT, last = start + size;
	unsigned int nr_slots = min(size >> PAGE_SHIFT, KM_TYPE_NR), i;
	int c;

	for (c = 0; with_slots && c < CACHE_CPUS; c++) {
		for (i = 0; i < nr_slots; i++)
			arm_slots[c * KM_TYPE_NR + i] = pfn_pte(ARM_HIGH_PFN + i, pgprot_kernel);
		cache_map(CACHE_SLOT0 + c, start, start + (nr_slots << PAGE_SHIFT), CACHE_CACHED,
			  CACHE_CACHED);
	}
	cache_map(CACHE_PKMAP, start, last, CACHE_CACHED, CACHE_CACHED);
	cache_map(CACHE_LAZY, start, last, CACHE_NONE, CACHE_CACHED);
	lazy_start = start;
	nr_lazy_pages = size >> PAGE_SHIFT;
	dirty_memory(CACHE_PKMAP, start, size);
}

#ifndef HAVE_OPS

static dma_addr_t life_of_high_buffer(size_t size, bool with_slots)
{
	dma_addr_t dma;
	char *virt;

	dirty_high_memory(size, with_slots);
	virt = alloc(&high, size, &dma, GFP_KERNEL);
	use_buffer(virt, dma, size);
	free_buffer(&high, virt, dma, size);
	reuse_memory(CACHE_PKMAP, dma, size);
	return dma;
}

TEST(high, "a buffer of high memory is cleared, in spite of mappings that nobody uses")
{
	dma_addr_t dma = life_of_high_buffer(2 * PAGE_SIZE, true);

	check(dma, dma + PAGE_SIZE);
	check(dma + 2 * PAGE_SIZE - 1, 0);
}

TEST(high_vmap, "so it is without those of kmap_atomic()")
{
	dma_addr_t dma = life_of_high_buffer(2 * PAGE_SIZE, false);

	check(dma, dma + PAGE_SIZE);
}

TEST(high_attributes, "no CPU has another mapping of a page in high memory")
{
	dma_addr_t dma = life_of_high_buffer(2 * PAGE_SIZE, true);

	cache_check_attributes = true;
	check(dma, dma + PAGE_SIZE);
}

#endif

/* Streaming mappings: the base's functions, as the heaps and drivers use them */

#ifdef HAVE_BASE

static void maintain_range(enum cache_type type, const void *start, size_t size)
{
	maintain(type, start, start + size);
}

/* As the CPU's loop: lines that are only partly in the range are flushed before it */
static void dma_inv_range(const void *start, size_t size)
{
	unsigned long addr = (unsigned long)start, last = addr + size;
	unsigned long first_line = addr & ~(CACHE_LINE - 1UL);
	unsigned long last_line = last & ~(CACHE_LINE - 1UL);

	if (addr != first_line)
		maintain_range(CACHE_L1_FLUSH, (void *)first_line, CACHE_LINE);
	if (last != last_line)
		maintain_range(CACHE_L1_FLUSH, (void *)last_line, CACHE_LINE);
	if (last_line > first_line)
		maintain_range(CACHE_L1_INV, (void *)first_line, last_line - first_line);
}

void dmac_map_area(const void *start, size_t size, int dir)
{
	if (dir == DMA_FROM_DEVICE)
		dma_inv_range(start, size);
	else
		maintain_range(CACHE_L1_CLEAN, start, size);
}

void dmac_unmap_area(const void *start, size_t size, int dir)
{
	if (dir != DMA_TO_DEVICE)
		dma_inv_range(start, size);
}

void outer_inv_range(phys_addr_t start, phys_addr_t last)
{
	maintain_outer(CACHE_L2_INV, start, last);
}

void outer_clean_range(phys_addr_t start, phys_addr_t last)
{
	maintain_outer(CACHE_L2_CLEAN, start, last);
}

/* With operations, a call of a driver can take several ways: see ops.c */
#ifndef HAVE_OPS
static const struct way { const char *name; } ways[] = { { "" } };
#define ADDRESSES		"behind an IOMMU, "
#define HAS_IOMMU		true
#endif

/* A buffer of a driver, and where in its first page it begins and how long it is */
static const struct stream {
	const char *name;
	enum dma_data_direction dir;
	unsigned int offset, size;
	bool high;
} streams[] = {
	{ "to a device", DMA_TO_DEVICE, 0, 2 * PAGE_SIZE },
	{ "to a device, unaligned", DMA_TO_DEVICE, 48, 2 * PAGE_SIZE + 64 },
	{ "from a device", DMA_FROM_DEVICE, 0, 2 * PAGE_SIZE },
	{ "from a device, unaligned", DMA_FROM_DEVICE, 48, 2 * PAGE_SIZE + 64 },
	{ "in both directions", DMA_BIDIRECTIONAL, 0, 2 * PAGE_SIZE },
	{ "in both directions, unaligned", DMA_BIDIRECTIONAL, 48, 2 * PAGE_SIZE + 64 },
	{ "to a device, high memory", DMA_TO_DEVICE, 0, 2 * PAGE_SIZE, true },
	{ "from a device, high memory", DMA_FROM_DEVICE, 0, 2 * PAGE_SIZE, true },
	{ "in both directions, high memory", DMA_BIDIRECTIONAL, 0, 2 * PAGE_SIZE, true },
};

#define NR_STREAMS	(sizeof(streams) / sizeof(*streams))
#define NR_LOW_STREAMS	6

static const char *way_name(const char *name, const struct way *way)
{
	static char all[128];

	snprintf(all, sizeof(all), "%s%s", name, way->name);
	return all;
}

static const char *stream_name(size_t row)
{
	return way_name(streams[row % NR_STREAMS].name, &ways[row / NR_STREAMS]);
}

/* The CPU's data in the buffer, other data in front of it and behind it */
static void fill(const struct stream *s, enum cache_alias alias, uint64_t start, unsigned int value)
{
	uint64_t page = start & ~4095ULL, last = start + s->size;

	if (page < start)
		add(CACHE_CPU_WRITE, 1, alias, page, start, CACHE_ZERO);
	if (s->offset)
		add(CACHE_CPU_WRITE, 0, alias, last, last + CACHE_LINE, CACHE_ZERO);
	add(CACHE_CPU_WRITE, 0, alias, start, last, value);
	add(CACHE_CPU_WRITE, 1, alias, start, last, value);
}

static void require_all(const struct stream *s, enum cache_alias alias, uint64_t start,
			unsigned int value)
{
	uint64_t page = start & ~4095ULL, last = start + s->size;
	int c;

	for (c = 0; c < CACHE_CPUS; c++) {
		if (page < start)
			add(CACHE_CPU_READ, c, alias, page, start, CACHE_ZERO);
		if (s->offset)
			add(CACHE_CPU_READ, c, alias, last, last + CACHE_LINE, CACHE_ZERO);
		add(CACHE_CPU_READ, c, alias, start, last, value);
	}
}

static void both_cpus(enum cache_type type, enum cache_alias alias, uint64_t start, size_t size,
		      unsigned int value)
{
	int c;

	for (c = 0; c < CACHE_CPUS; c++)
		add(type, c, alias, start, start + size, value);
}

static void check_lines(const struct stream *s, uint64_t start)
{
	check(start, 0);
	check(start + s->size / 2, 0);
	check(start + s->size - 1, 0);
}

/* Two lines at once take long: do that once */
static void check_stream(const struct stream *s, uint64_t start)
{
	uint64_t last = start + s->size;

	if (ARRAY_SIZE(ways) > 1) {
		check_lines(s, start);
		return;
	}
	check(start, last - 1);
	check(start + 64, 0);
	check(last - 64, 0);
}

static uint64_t start_of(const struct stream *s, enum cache_alias *alias)
{
	uint64_t page = (s->high ? ARM_HIGH_PFN : ARM_LOW_AREA) << PAGE_SHIFT;

	*alias = s->high ? CACHE_PKMAP : CACHE_LINEAR;
	if (s->high)
		cache_map(CACHE_PKMAP, page, page + 4 * PAGE_SIZE, CACHE_CACHED, CACHE_CACHED);
	return page + s->offset;
}

/* What the device does with a mapped buffer, and what the buffer has then */
static unsigned int transfer(const struct stream *s, uint64_t start)
{
	if (s->dir != DMA_FROM_DEVICE)
		device_reads(start, s->size, CACHE_CPU);
	if (s->dir == DMA_TO_DEVICE)
		return CACHE_CPU;
	device_writes(start, s->size);
	return CACHE_DEV;
}

TEST_TABLE(page, "a page that is mapped for a transfer", NR_STREAMS, stream_name)
{
	const struct stream *s = &streams[row];
	enum cache_alias alias;
	uint64_t start = start_of(s, &alias);
	unsigned int value;
	dma_addr_t dma;

	fill(s, alias, start, CACHE_CPU);
	dma = dma_map_page(&low, pfn_to_page(start >> PAGE_SHIFT), s->offset, s->size, s->dir);
	REQUIRE_EQ(dma, start, "address");
	value = transfer(s, start);
	dma_unmap_page(&low, dma, s->size, s->dir);
	require_all(s, alias, start, value);
	check_stream(s, start);
}

TEST_TABLE(single, "memory of the kernel that is synchronized", NR_LOW_STREAMS, stream_name)
{
	const struct stream *s = &streams[row];
	enum cache_alias alias;
	uint64_t start = start_of(s, &alias);
	unsigned int value;
	dma_addr_t dma;

	fill(s, alias, start, CACHE_CPU);
	dma = dma_map_single(&low, __va(start), s->size, s->dir);
	value = transfer(s, start);
	dma_sync_single_for_cpu(&low, dma, s->size, s->dir);
	require_all(s, alias, start, value);
	fill(s, alias, start, CACHE_CPU);
	dma_sync_single_for_device(&low, dma, s->size, s->dir);
	value = transfer(s, start);
	dma_unmap_single(&low, dma, s->size, s->dir);
	require_all(s, alias, start, value);
	check_stream(s, start);
}

TEST_TABLE(pieces, "a list of two pieces that is synchronized", NR_STREAMS, stream_name)
{
	const struct stream *s = &streams[row];
	enum cache_alias alias;
	uint64_t start = start_of(s, &alias);
	struct page *page = pfn_to_page(start >> PAGE_SHIFT);
	struct scatterlist sg[] = {
		{ page, s->offset, PAGE_SIZE - s->offset },
		{ page + 1, 0, s->size - (PAGE_SIZE - s->offset) },
	};
	unsigned int value;

	fill(s, alias, start, CACHE_CPU);
	REQUIRE_EQ(dma_map_sg(&low, sg, 2, s->dir), 2, "pieces");
	value = transfer(s, start);
	dma_sync_sg_for_cpu(&low, sg, 2, s->dir);
	require_all(s, alias, start, value);
	fill(s, alias, start, CACHE_CPU);
	dma_sync_sg_for_device(&low, sg, 2, s->dir);
	value = transfer(s, start);
	dma_unmap_sg(&low, sg, 2, s->dir);
	require_all(s, alias, start, value);
	check_stream(s, start);
}

#ifndef HAVE_OPS

/* Buffers of heaps: the kernel and processes map them cached */

/* Low memory in pieces of a page, high memory in larger ones */
struct page *heap_alloc_pages(gfp_t gfp, unsigned int order)
{
	if (order && !(gfp & __GFP_HIGHMEM))
		return NULL;
	return cma_alloc(&arm_areas[gfp & __GFP_HIGHMEM ? 1 : 0], 1UL << order, order, true);
}

void heap_free_pages(struct page *page, unsigned int order)
{
}

struct page *heap_cma_alloc(struct cma *cma, size_t size)
{
	return cma_alloc(cma, size >> PAGE_SHIFT, 0, true);
}

struct page *heap_cma_alloc_for(struct device *dev, size_t size, u64 mask, struct cma **cma)
{
	*cma = &arm_areas[0];
	return cma_alloc(*cma, size >> PAGE_SHIFT, 0, true);
}

void heap_cma_free(struct cma *cma, struct page *pages, size_t size)
{
}

struct dma_buf *__dma_buf_export(void *priv, const struct dma_buf_ops *ops, size_t size, int flags,
				 const char *exp_name, struct module *owner)
{
	static struct dma_buf dmabuf;

	dmabuf = (struct dma_buf){ .size = size, .ops = ops, .priv = priv };
	INIT_LIST_HEAD(&dmabuf.attachments);
	return &dmabuf;
}

/* The only data that is copied is that of the device, which moves with a buffer */
void *cache_memcpy(void *to, const void *from, size_t size);
void *cache_memcpy(void *to, const void *from, size_t size)
{
	cpu_reads(cpu, from, size, CACHE_DEV);
	cpu_writes(cpu, to, size, CACHE_DEV);
	return to;
}

#define HEAP_SIZE	(2 * PAGE_SIZE)

static const struct heap_row {
	const char *name;
	bool from_area, high;
} heap_rows[] = {
	{ "from an area", true, false },
	{ "scattered", false, false },
	{ "scattered in high memory", false, true },
};

static const char *heap_name(size_t row)
{
	return heap_rows[row].name;
}

static uint64_t heap_start;
static enum cache_alias heap_alias;

/* Memory that somebody wrote to, in front of a buffer of it that a device will use */
static struct dma_buf *heap_buffer(const struct heap_row *row, struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf;
	struct stream s = { .high = row->high };

	heap_start = start_of(&s, &heap_alias);
	dirty_memory(heap_alias, heap_start, HEAP_SIZE);
	dmabuf = heap_buffer_new("heap", row->from_area ? &arm_areas[0] : NULL, NULL,
				 HEAP_SIZE, 0);
	attach->dmabuf = dmabuf;
	attach->dev = &low;
	/* memory of one piece is that of the area */
	attach->limits.mask = row->high ? ~0ULL : ((u64)ARM_HIGH_PFN << PAGE_SHIFT) - 1;
	list_add(&attach->node, &dmabuf->attachments);
	return dmabuf;
}

static void heap_fill(size_t offset, size_t size, unsigned int value)
{
	both_cpus(CACHE_CPU_WRITE, heap_alias, heap_start + offset, size, value);
}

static void heap_require(size_t offset, size_t size, unsigned int value)
{
	both_cpus(CACHE_CPU_READ, heap_alias, heap_start + offset, size, value);
}

static void heap_check(size_t offset)
{
	check(heap_start + offset, heap_start + HEAP_SIZE - 1);
	check(heap_start + offset - 1, 0);
	check(heap_start, 0);
}

TEST_TABLE(heap, "a buffer of a heap is cleared, and shared by access", ARRAY_SIZE(heap_rows),
	   heap_name)
{
	struct dma_buf_attachment attach = { 0 };
	struct dma_buf *dmabuf = heap_buffer(&heap_rows[row], &attach);
	const struct dma_buf_ops *ops = dmabuf->ops;
	struct sg_table *sgt = ops->map_dma_buf(&attach, DMA_BIDIRECTIONAL);

	REQUIRE(!IS_ERR(sgt), "not mapped");
	REQUIRE_EQ(sg_dma_address(sgt->sgl), heap_start, "the dirty memory");
	device_reads(heap_start, HEAP_SIZE, CACHE_ZERO);
	device_writes(heap_start, HEAP_SIZE);
	REQUIRE(!ops->begin_cpu_access(dmabuf, 0, HEAP_SIZE, DMA_FROM_DEVICE), "begin");
	heap_require(0, HEAP_SIZE, CACHE_DEV);
	ops->end_cpu_access(dmabuf, 0, HEAP_SIZE, DMA_FROM_DEVICE);
	REQUIRE(!ops->begin_cpu_access(dmabuf, 0, HEAP_SIZE, DMA_TO_DEVICE), "begin");
	heap_fill(0, HEAP_SIZE, CACHE_CPU);
	ops->end_cpu_access(dmabuf, 0, HEAP_SIZE, DMA_TO_DEVICE);
	device_reads(heap_start, HEAP_SIZE, CACHE_CPU);
	device_writes(heap_start, HEAP_SIZE);
	ops->unmap_dma_buf(&attach, sgt, DMA_BIDIRECTIONAL);
	heap_require(0, HEAP_SIZE, CACHE_DEV);
	heap_check(PAGE_SIZE);
	ops->release(dmabuf);
}

TEST_TABLE(heap_part, "access to a part of a buffer leaves the rest of it intact",
	   ARRAY_SIZE(heap_rows), heap_name)
{
	const size_t offset = PAGE_SIZE - 48, size = PAGE_SIZE + 16;
	struct dma_buf_attachment attach = { 0 };
	struct dma_buf *dmabuf = heap_buffer(&heap_rows[row], &attach);
	const struct dma_buf_ops *ops = dmabuf->ops;
	struct sg_table *sgt = ops->map_dma_buf(&attach, DMA_BIDIRECTIONAL);

	device_writes(heap_start, HEAP_SIZE);
	REQUIRE(!ops->begin_cpu_access(dmabuf, offset, size, DMA_BIDIRECTIONAL), "begin");
	heap_require(offset, size, CACHE_DEV);
	heap_fill(offset, size, CACHE_CPU);
	ops->end_cpu_access(dmabuf, offset, size, DMA_BIDIRECTIONAL);
	device_reads(heap_start + offset, size, CACHE_CPU);
	device_reads(heap_start, offset, CACHE_DEV);
	ops->unmap_dma_buf(&attach, sgt, DMA_BIDIRECTIONAL);
	heap_require(0, offset, CACHE_DEV);
	heap_require(offset, size, CACHE_CPU);
	heap_check(offset);
	check(heap_start + offset + size / 2, heap_start + offset + size - 1);
	ops->release(dmabuf);
}

TEST_TABLE(heap_write, "writing a part of a line leaves the device's data in the rest of it",
	   ARRAY_SIZE(heap_rows), heap_name)
{
	const size_t offset = PAGE_SIZE + 16, size = 16;
	struct dma_buf_attachment attach = { 0 };
	struct dma_buf *dmabuf = heap_buffer(&heap_rows[row], &attach);
	const struct dma_buf_ops *ops = dmabuf->ops;
	struct sg_table *sgt = ops->map_dma_buf(&attach, DMA_BIDIRECTIONAL);

	device_writes(heap_start, HEAP_SIZE);
	REQUIRE(!ops->begin_cpu_access(dmabuf, PAGE_SIZE, PAGE_SIZE, DMA_TO_DEVICE), "begin");
	heap_fill(offset, size, CACHE_CPU);
	ops->end_cpu_access(dmabuf, PAGE_SIZE, PAGE_SIZE, DMA_TO_DEVICE);
	device_reads(heap_start, offset, CACHE_DEV);
	device_reads(heap_start + offset, size, CACHE_CPU);
	ops->unmap_dma_buf(&attach, sgt, DMA_BIDIRECTIONAL);
	heap_check(offset);
	ops->release(dmabuf);
}

TEST_TABLE(heap_from, "a device that writes a part of a buffer leaves the CPU's data elsewhere",
	   ARRAY_SIZE(heap_rows), heap_name)
{
	const size_t size = PAGE_SIZE + 64;
	struct dma_buf_attachment attach = { 0 };
	struct dma_buf *dmabuf = heap_buffer(&heap_rows[row], &attach);
	const struct dma_buf_ops *ops = dmabuf->ops;
	struct sg_table *sgt = ops->map_dma_buf(&attach, DMA_TO_DEVICE);

	device_reads(heap_start, HEAP_SIZE, CACHE_ZERO);
	ops->unmap_dma_buf(&attach, sgt, DMA_TO_DEVICE);
	heap_fill(0, HEAP_SIZE, CACHE_CPU);
	sgt = ops->map_dma_buf(&attach, DMA_FROM_DEVICE);
	device_writes(heap_start, size);
	ops->unmap_dma_buf(&attach, sgt, DMA_FROM_DEVICE);
	heap_require(0, size, CACHE_DEV);
	heap_require(size, HEAP_SIZE - size, CACHE_CPU);
	heap_check(size);
	ops->release(dmabuf);
}

TEST(heap_move, "a buffer keeps its data when it moves for a device with a smaller mask")
{
	struct dma_buf_attachment attach = { 0 }, strict = { 0 };
	struct dma_buf *dmabuf = heap_buffer(&heap_rows[2], &attach);
	const struct dma_buf_ops *ops = dmabuf->ops;
	struct sg_table *sgt = ops->map_dma_buf(&attach, DMA_BIDIRECTIONAL);
	uint64_t old_start = heap_start;

	device_writes(heap_start, HEAP_SIZE);
	ops->unmap_dma_buf(&attach, sgt, DMA_BIDIRECTIONAL);
	strict.dmabuf = dmabuf;
	strict.dev = &low;
	strict.limits.mask = ((u64)ARM_HIGH_PFN << PAGE_SHIFT) - 1;
	list_add(&strict.node, &dmabuf->attachments);
	heap_start = ARM_LOW_AREA << PAGE_SHIFT;
	heap_alias = CACHE_LINEAR;
	dirty_memory(heap_alias, heap_start, HEAP_SIZE);
	sgt = ops->map_dma_buf(&strict, DMA_TO_DEVICE);
	REQUIRE(!IS_ERR(sgt), "not mapped");
	REQUIRE_EQ(sg_dma_address(sgt->sgl), heap_start, "the dirty memory");
	device_reads(heap_start, HEAP_SIZE, CACHE_DEV);
	ops->unmap_dma_buf(&strict, sgt, DMA_TO_DEVICE);
	check(heap_start, old_start);
	check(heap_start + HEAP_SIZE - 1, old_start + HEAP_SIZE - 1);
	ops->release(dmabuf);
}

/* Devices behind an IOMMU, whose tables are not in the model: those of io_tables.c are */

struct timer_list *iommu_timer;
unsigned long iommu_jiffies;
static struct iommu_domain io_domain;
static struct device io_high_dev = { &arm_areas[1] };
static void *io_buffer;

struct iommu_domain *iommu_bus_domain_alloc(struct bus_type *bus)
{
	return &io_domain;
}

void iommu_domain_free(struct iommu_domain *domain)
{
}

int iommu_attach_device(struct iommu_domain *domain, struct device *dev)
{
	return 0;
}

void iommu_detach_device(struct iommu_domain *domain, struct device *dev)
{
}

static void io_set(unsigned long iova, phys_addr_t phys, int order)
{
	unsigned long page = (iova - IO_BASE) >> PAGE_SHIFT, i;

	for (i = 0; i < 1UL << order; i++)
		io_map[page + i] = phys ? phys + (i << PAGE_SHIFT) : 0;
}

int iommu_map_nosync(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys, int order,
		     int prot)
{
	io_set(iova, phys, order);
	return 0;
}

int iommu_unmap_noflush(struct iommu_domain *domain, unsigned long iova, int order)
{
	io_set(iova, 0, order);
	return order;
}

/* Nothing is waited for: not every IOMMU has to be told */
void iommu_sync_map(struct iommu_domain *domain, unsigned long iova, size_t size)
{
}

void iommu_flush_range(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	wmb();	/* of the writel() that tells the IOMMU */
}

bool iommu_defers_flush(struct iommu_domain *domain)
{
	return false;
}

phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, unsigned long iova)
{
	return io_phys(iova);
}

/* One buffer */
int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item)
{
	io_buffer = item;
	return 0;
}

void *radix_tree_lookup(struct radix_tree_root *root, unsigned long index)
{
	return io_buffer;
}

void radix_tree_delete(struct radix_tree_root *root, unsigned long index)
{
	io_buffer = NULL;
}

/* Contiguous memory is that of areas */
void *__dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp, pgprot_t prot,
		  bool mapped)
{
	return NULL;
}

void __dma_free(struct device *dev, size_t size, void *addr, dma_addr_t handle, bool mapped)
{
	REQUIRE(arm_dma_free_contiguous(dev, size, addr, handle), "not ours");
}

int map_vm_area(struct vm_struct *area, pgprot_t prot, struct page ***pages)
{
	unsigned long i;

	for (i = 0; i < area->size >> PAGE_SHIFT; i++)
		map_next_pages(page_to_phys((*pages)[i]), PAGE_SIZE, prot);
	dsb(cpu);
	return 0;
}

/* What is free: a block, and pages that do not follow one another */
static unsigned int io_block_order;
static unsigned long io_free_pfn;

struct page *iommu_alloc_pages(gfp_t gfp, unsigned int order)
{
	unsigned long pfn = io_free_pfn;

	if (!pfn || order != io_block_order)
		return NULL;
	io_free_pfn += 2UL << order;
	return pfn_to_page(pfn);
}

void iommu_free_pages(struct page *page, unsigned int order)
{
	handover(page_to_phys(page), PAGE_SIZE << order, CACHE_CACHED);
}

static const struct dma_map_ops *io_attach(struct device *dev, size_t way)
{
	struct dma_iommu_mapping *mapping;

	mapping = arm_iommu_create_mapping(NULL, IO_BASE, IO_PAGES << PAGE_SHIFT, 0);
	REQUIRE(!IS_ERR(mapping), "no mapping");
	REQUIRE(!arm_iommu_attach_device(dev, mapping), "not attached");
	return dev->archdata.dma_ops;
}

#endif

/* What operations do, with addresses of an IOMMU or of memory */

static struct device io_dev;

TEST_TABLE(io_page, ADDRESSES "a page that is mapped and synchronized",
	   ARRAY_SIZE(ways) * NR_STREAMS, stream_name)
{
	const struct stream *s = &streams[row % NR_STREAMS];
	const struct dma_map_ops *ops = io_attach(&io_dev, row / NR_STREAMS);
	enum cache_alias alias;
	uint64_t start = start_of(s, &alias);
	unsigned int value;
	dma_addr_t dma;

	fill(s, alias, start, CACHE_CPU);
	dma = ops->map_page(&io_dev, pfn_to_page(start >> PAGE_SHIFT), s->offset, s->size, s->dir,
			    NULL);
	value = transfer(s, dma);
	ops->sync_single_for_cpu(&io_dev, dma, s->size, s->dir);
	require_all(s, alias, start, value);
	fill(s, alias, start, CACHE_CPU);
	ops->sync_single_for_device(&io_dev, dma, s->size, s->dir);
	value = transfer(s, dma);
	ops->unmap_page(&io_dev, dma, s->size, s->dir, NULL);
	require_all(s, alias, start, value);
	check_lines(s, start);
}

/* Lists of three pieces, which are in memory in another order */
#define NR_PIECES	3

static const struct io_list {
	const char *name;
	enum dma_data_direction dir;
	bool high;
	struct { unsigned int page, offset, size; } pieces[NR_PIECES];
} io_lists[] = {
#define JOINED	{ { 4, 48, PAGE_SIZE - 48 }, { 0, 0, PAGE_SIZE }, { 2, 0, 80 } }
#define APART	{ { 4, 48, 96 }, { 0, 80, PAGE_SIZE }, { 2, 16, PAGE_SIZE - 16 } }
	{ "one range, to it", DMA_TO_DEVICE, false, JOINED },
	{ "one range, from it", DMA_FROM_DEVICE, false, JOINED },
	{ "one range, in both directions", DMA_BIDIRECTIONAL, false, JOINED },
	{ "high memory, to it", DMA_TO_DEVICE, true, JOINED },
	{ "high memory, from it", DMA_FROM_DEVICE, true, JOINED },
	{ "high memory, in both directions", DMA_BIDIRECTIONAL, true, JOINED },
#define NR_JOINED	6
	{ "three ranges, to it", DMA_TO_DEVICE, false, APART },
	{ "three ranges, from it", DMA_FROM_DEVICE, false, APART },
	{ "three ranges, in both directions", DMA_BIDIRECTIONAL, false, APART },
};

#define NR_LISTS	ARRAY_SIZE(io_lists)

static const char *io_list_name(size_t row)
{
	return way_name(io_lists[row % NR_LISTS].name, &ways[row / NR_LISTS]);
}

static enum cache_alias io_alias;
static struct stream io_pieces[NR_PIECES];
static uint64_t io_starts[NR_PIECES];

static struct scatterlist *io_list(const struct io_list *list)
{
	static struct scatterlist sg[NR_PIECES];
	struct stream all = { .high = list->high };
	uint64_t first = start_of(&all, &io_alias);
	int i;

	if (list->high)
		cache_map(CACHE_PKMAP, first, first + 8 * PAGE_SIZE, CACHE_CACHED, CACHE_CACHED);
	for (i = 0; i < NR_PIECES; i++) {
		io_starts[i] = first + (list->pieces[i].page << PAGE_SHIFT) +
			       list->pieces[i].offset;
		/* with other data behind it, wherever it begins */
		io_pieces[i] = (struct stream){ .dir = list->dir, .offset = 1,
						.size = list->pieces[i].size };
		sg[i] = (struct scatterlist){ pfn_to_page(io_starts[i] >> PAGE_SHIFT),
					      list->pieces[i].offset, list->pieces[i].size };
	}
	return sg;
}

static void fill_pieces(unsigned int value)
{
	int i;

	for (i = 0; i < NR_PIECES; i++)
		fill(&io_pieces[i], io_alias, io_starts[i], value);
}

static void require_pieces(unsigned int value)
{
	int i;

	for (i = 0; i < NR_PIECES; i++)
		require_all(&io_pieces[i], io_alias, io_starts[i], value);
}

static void check_pieces(void)
{
	int i;

	for (i = 0; i < NR_PIECES; i++)
		check_lines(&io_pieces[i], io_starts[i]);
}

static unsigned int transfer_ranges(const struct scatterlist *sg, int nr,
				    enum dma_data_direction dir)
{
	unsigned int value = 0;

	for (; nr; nr--, sg++) {
		struct stream s = { .dir = dir, .size = sg_dma_len(sg) };

		value = transfer(&s, sg_dma_address(sg));
	}
	return value;
}

TEST_TABLE(io_list, ADDRESSES "a list that is synchronized", ARRAY_SIZE(ways) * NR_LISTS,
	   io_list_name)
{
	const struct io_list *list = &io_lists[row % NR_LISTS];
	const struct dma_map_ops *ops = io_attach(&io_dev, row / NR_LISTS);
	struct scatterlist *sg = io_list(list);
	unsigned int value;
	int nr;

	fill_pieces(CACHE_CPU);
	nr = ops->map_sg(&io_dev, sg, NR_PIECES, list->dir, NULL);
	REQUIRE_EQ(nr, HAS_IOMMU && row < NR_JOINED ? 1 : NR_PIECES, "ranges");
	value = transfer_ranges(sg, nr, list->dir);
	ops->sync_sg_for_cpu(&io_dev, sg, NR_PIECES, list->dir);
	require_pieces(value);
	fill_pieces(CACHE_CPU);
	ops->sync_sg_for_device(&io_dev, sg, nr, list->dir);
	value = transfer_ranges(sg, nr, list->dir);
	ops->unmap_sg(&io_dev, sg, NR_PIECES, list->dir, NULL);
	require_pieces(value);
	check_pieces();
}

static const char *io_skip_name(size_t row)
{
	return way_name(row % 2 ? "a list" : "a page", &ways[row / 2]);
}

/* What the device does not write is the CPU's, in spite of the direction */
TEST_TABLE(io_skip, ADDRESSES "what is mapped without maintenance is maintained in part",
	   ARRAY_SIZE(ways) * 2, io_skip_name)
{
	const struct io_list *list = &io_lists[1];
	const enum dma_data_direction dir = DMA_FROM_DEVICE;
	struct dma_attrs attrs = { 1U << DMA_ATTR_SKIP_CPU_SYNC };
	const struct dma_map_ops *ops = io_attach(&io_dev, row / 2);
	struct scatterlist *sg = io_list(list);
	const size_t part = 128, size = 64;
	dma_addr_t dma;

	fill_pieces(CACHE_CPU);
	if (row % 2) {
		ops->map_sg(&io_dev, sg, NR_PIECES, dir, &attrs);
		dma = sg_dma_address(sg);
	} else {
		dma = ops->map_page(&io_dev, sg->page, sg->offset, sg->length, dir, &attrs);
	}
	ops->sync_single_for_device(&io_dev, dma + part, size, dir);
	device_writes(dma + part, size);
	ops->sync_single_for_cpu(&io_dev, dma + part, size, dir);
	both_cpus(CACHE_CPU_READ, io_alias, io_starts[0], part, CACHE_CPU);
	both_cpus(CACHE_CPU_READ, io_alias, io_starts[0] + part, size, CACHE_DEV);
	both_cpus(CACHE_CPU_READ, io_alias, io_starts[0] + part + size, size, CACHE_CPU);
	fill_pieces(CACHE_CPU);
	if (row % 2)
		ops->unmap_sg(&io_dev, sg, NR_PIECES, dir, &attrs);
	else
		ops->unmap_page(&io_dev, dma, sg->length, dir, &attrs);
	require_pieces(CACHE_CPU);
	check(io_starts[0] + part, 0);
	check(io_starts[0] + part + size, 0);
	check_pieces();
}

#ifndef HAVE_OPS

/* The end of a piece, and the beginning of the next one, which is elsewhere */
TEST_TABLE(io_part, "behind an IOMMU, a part that is synchronized leaves the rest intact",
	   NR_JOINED, io_list_name)
{
	const size_t sizes[] = { 48, 80 }, size = 128;
	const struct io_list *list = &io_lists[row];
	const struct dma_map_ops *ops = io_attach(&io_dev, 0);
	struct scatterlist *sg = io_list(list);
	const uint64_t starts[] = { io_starts[0] + io_pieces[0].size - sizes[0], io_starts[1] };
	enum dma_data_direction dir = list->dir;
	unsigned int value, i;
	dma_addr_t part;

	fill_pieces(CACHE_CPU);
	ops->map_sg(&io_dev, sg, NR_PIECES, dir, NULL);
	part = sg_dma_address(sg) + io_pieces[0].size - sizes[0];
	value = transfer_ranges(sg, 1, dir);
	ops->sync_single_for_cpu(&io_dev, part, size, dir);
	for (i = 0; i < 2; i++) {
		both_cpus(CACHE_CPU_READ, io_alias, starts[i], sizes[i], value);
		if (dir != DMA_FROM_DEVICE)
			both_cpus(CACHE_CPU_WRITE, io_alias, starts[i], sizes[i], CACHE_OLD);
	}
	ops->sync_single_for_device(&io_dev, part, size, dir);
	if (dir == DMA_FROM_DEVICE) {
		device_writes(part, size);
	} else {
		device_reads(sg_dma_address(sg), io_pieces[0].size - sizes[0], value);
		device_reads(part, size, CACHE_OLD);
		device_reads(part + size, 64, value);
	}
	ops->unmap_sg(&io_dev, sg, NR_PIECES, dir, NULL);
	both_cpus(CACHE_CPU_READ, io_alias, io_starts[0], io_pieces[0].size - sizes[0], value);
	both_cpus(CACHE_CPU_READ, io_alias, starts[1] + sizes[1], 64, value);
	for (i = 0; i < 2; i++) {
		both_cpus(CACHE_CPU_READ, io_alias, starts[i], sizes[i],
			  dir == DMA_FROM_DEVICE ? CACHE_DEV : CACHE_OLD);
		check(starts[i], 0);
		check(starts[i] + sizes[i] - 1, 0);
	}
	check_pieces();
}

/* Coherent buffers of pages or blocks that do not follow one another */

static const struct io_buffer {
	const char *name;
	bool high;
	unsigned int free_order;	/* of blocks that are free; -1: none */
	unsigned int attrs;
	size_t size;
	unsigned int second;		/* page in memory of the second page or block */
} io_buffers[] = {
	{ "of an area", false, -1, 0, 2 * PAGE_SIZE, 2 },
	{ "of an area of high memory", true, -1, 0, 2 * PAGE_SIZE, 2 },
	{ "of free high memory", true, 4, 0, 32 * PAGE_SIZE, 32 },
	{ "of one piece of an area", false, -1, 1U << DMA_ATTR_FORCE_CONTIGUOUS, 2 * PAGE_SIZE, 1 },
};

static const char *io_buffer_name(size_t row)
{
	return io_buffers[row].name;
}

/* Memory that somebody wrote to, with room for two blocks that have a gap between them */
static uint64_t dirty_blocks(const struct io_buffer *b)
{
	uint64_t start = (b->high ? ARM_HIGH_PFN : ARM_LOW_AREA) << PAGE_SHIFT;
	size_t size = 2 * b->size;

	if (b->second > 1)
		pfn_to_page((start >> PAGE_SHIFT) + 1)->owner = -1UL;
	io_block_order = b->free_order;
	io_free_pfn = b->free_order == -1U ? 0 : start >> PAGE_SHIFT;
	if (b->high)
		dirty_high_memory(size, true);
	else
		dirty_memory(CACHE_LINEAR, start, size);
	return start;
}

TEST_TABLE(io_coherent, "behind an IOMMU, a coherent buffer", ARRAY_SIZE(io_buffers),
	   io_buffer_name)
{
	const struct io_buffer *b = &io_buffers[row];
	struct device *dev = b->high ? &io_high_dev : &io_dev;
	const struct dma_map_ops *ops = io_attach(dev, 0);
	uint64_t first = dirty_blocks(b), second = first + (b->second << PAGE_SHIFT);
	enum cache_alias alias = b->high ? CACHE_PKMAP : CACHE_LINEAR;
	struct dma_attrs attrs = { b->attrs };
	size_t half = b->size / 2;
	dma_addr_t dma;
	char *virt;

	virt = ops->alloc(dev, b->size, &dma, GFP_KERNEL, &attrs);
	REQUIRE(virt, "no buffer");
	REQUIRE_EQ(io_phys(dma), first, "the dirty memory");
	REQUIRE_EQ(io_phys(dma + half), second, "the dirty memory");
	handover(first, half, CACHE_UNCACHED);
	handover(second, half, CACHE_UNCACHED);
	use_buffer(virt, dma, b->size);
	/* the last store is still in the CPU's buffer */
	cpu_writes(0, virt, b->size, CACHE_CPU);
	ops->free(dev, b->size, virt, dma, &attrs);
	reuse_memory(alias, first, half);
	reuse_memory(alias, second, half);
	check(first, 0);
	check(first + half - 1, 0);
	check(second, 0);
	check(second + half - 1, 0);
	cache_check_attributes = true;
	check(first, 0);
	check(second, 0);
}

/* The process has the only mapping */
TEST(io_user, "behind an IOMMU, a buffer that only a process maps")
{
	struct dma_attrs attrs = { 1U << DMA_ATTR_NO_KERNEL_MAPPING };
	struct vm_area_struct vma = { .vm_end = 2 * PAGE_SIZE, .vm_page_prot = pgprot_kernel };
	const struct dma_map_ops *ops = io_attach(&io_dev, 0);
	uint64_t first = dirty_blocks(&io_buffers[0]), pages[] = { first, first + 2 * PAGE_SIZE };
	dma_addr_t dma;
	void *cookie;
	int i;

	cookie = ops->alloc(&io_dev, 2 * PAGE_SIZE, &dma, GFP_KERNEL, &attrs);
	REQUIRE(cookie, "no buffer");
	REQUIRE(!ops->mmap(&io_dev, &vma, cookie, dma, 2 * PAGE_SIZE, &attrs), "not mapped");
	device_reads(dma, 2 * PAGE_SIZE, CACHE_ZERO);
	device_writes(dma, 2 * PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		both_cpus(CACHE_CPU_READ, CACHE_USER, pages[i], PAGE_SIZE, CACHE_DEV);
		add(CACHE_CPU_WRITE, 0, CACHE_USER, pages[i], pages[i] + PAGE_SIZE, CACHE_CPU);
		handover(pages[i], PAGE_SIZE, CACHE_UNCACHED);
	}
	wmb();	/* as before a device is started */
	device_reads(dma, 2 * PAGE_SIZE, CACHE_CPU);
	check(pages[0], 0);
	check(pages[1], 0);
	cache_check_attributes = true;
	check(pages[0], 0);
	check(pages[1], 0);
}

/*
 * Without an area, memory keeps its cached mapping. That is right for the device in any case,
 * and for the CPU if nothing is fetched that nobody asked for.
 */
static const char *no_area_name(size_t row)
{
	static const char *const names[] = {
		"low memory, as the device sees it", "high memory, as the device sees it",
		"low memory, without speculation", "high memory, without speculation",
	};

	return names[row];
}

TEST_TABLE(io_no_area, "behind an IOMMU, a coherent buffer without an area", 4, no_area_name)
{
	const struct io_buffer b = { .high = row % 2, .second = 2, .size = 2 * PAGE_SIZE };
	const struct dma_map_ops *ops = io_attach(&io_dev, 0);
	uint64_t first = dirty_blocks(&b), second = first + 2 * PAGE_SIZE;
	enum cache_alias alias = b.high ? CACHE_PKMAP : CACHE_LINEAR;
	dma_addr_t dma;
	char *virt;

	dma_contiguous_default_area = NULL;
	virt = ops->alloc(&io_dev, b.size, &dma, GFP_KERNEL, NULL);
	REQUIRE(virt, "no buffer");
	REQUIRE_EQ(io_phys(dma), first, "the dirty memory");
	REQUIRE_EQ(io_phys(dma + PAGE_SIZE), second, "the dirty memory");
	if (row < 2) {
		device_reads(dma, b.size, CACHE_ZERO);
		device_writes(dma, b.size);
		cpu_writes(0, virt, b.size, CACHE_CPU);
		wmb();	/* as before a device is started */
		device_reads(dma, b.size, CACHE_CPU);
		device_writes(dma, b.size);
		device_reads(dma, b.size, CACHE_DEV);
	} else {
		use_buffer(virt, dma, b.size);
		cpu_writes(0, virt, b.size, CACHE_CPU);
		ops->free(&io_dev, b.size, virt, dma, NULL);
		reuse_memory(alias, first, PAGE_SIZE);
		reuse_memory(alias, second, PAGE_SIZE);
	}
	cache_is_mpcore = row >= 2;
	check(first, 0);
	check(second, 0);
	check(second + PAGE_SIZE - 1, 0);
}

#endif	/* HAVE_OPS */

#elif !FLUSH_WHILE_CACHED

TEST(stream, "streaming mappings and buffers of heaps")
{
	skip("no kernel tree of v3.1");
}

#endif
