// SPDX-License-Identifier: GPL-2.0
/*
 * Coherent buffers on ARM: page tables, the order of cache and TLB maintenance, sizes,
 * the pool for atomic requests. QEMU has no caches, so that it cannot test the order.
 */

#include "arm.h"
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <asm/dma-contiguous.h>

#define TAP_PREFIX	UNIT ": "
#define TAP_SECONDS	60
#define TAP_TEST_BEGIN	arm_reset
#define TAP_TEST_END	arm_reset
static void arm_reset(void);
#include "tap.h"

#define LINE_SIZE	(line_size)

static struct device low, high = { &arm_areas[1] }, late = { &arm_areas[2] };
static u32 walked[ARM_LOW_PAGES];	/* what a table walk finds in memory */
static u32 tlb[ARM_LOW_PAGES];		/* what the TLBs have */
static bool flushed[ARM_LOW_PAGES + ARM_HIGH_PAGES];	/* from the inner caches */
static bool outer_flushed[ARM_LOW_PAGES + ARM_HIGH_PAGES];
static unsigned int nr_resched, nr_tlb_all, max_flush, line_size;
static unsigned int nr_aliases_purged, nr_kmaps_flushed;
static int cpu, kmap_depth[4];
static unsigned long vmap_pfn, vmap_pages;
static struct vm_struct vm_area;
static unsigned long user_pfn, user_pages;

static bool said(const char *text)
{
	bool found = strstr(host_console, text);

	*host_console = '\0';
	return found;
}

void cond_resched(void)
{
	nr_resched++;
}

/* Pages and areas: a page has the number of its buffer */

bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	unsigned long pfn = page_to_pfn(pages), i;

	for (i = 0; i < count; i++) {
		REQUIRE(pages[i].owner, "page %#lx is free already", pfn + i);
		pfn_to_page(pfn + i)->owner = 0;
		if (PageHighMem(pages + i))
			continue;
		if (pmd_val(*pmd_off_k((unsigned long)page_address(pages + i))) & PMD_TYPE_SECT)
			continue;
		REQUIRE_EQ(tlb[pfn + i - ARM_LOW_PFN], walked[pfn + i - ARM_LOW_PFN],
			   "page %#lx is in the TLBs", pfn + i);
		REQUIRE_EQ(arm_linux_pte(pfn + i), ((pfn + i) << PAGE_SHIFT) | pgprot_kernel,
			   "page %#lx is freed with this entry", pfn + i);
	}
	return true;
}

/* Page tables, their copy in memory, and the TLBs */

void pmd_clear(pmd_t *pmd)
{
	pmd[0] = 0;
	pmd[1] = 0;
}

void __pmd_populate(pmd_t *pmd, phys_addr_t table, unsigned int prot)
{
	unsigned long first, i;

	pmd[0] = table | prot;
	pmd[1] = table | prot;
	first = (pmd - arm_pmds[0]) / 2 * PTRS_PER_PTE;
	for (i = 0; i < PTRS_PER_PTE; i++) {
		walked[first + i] = *arm_hw_entry(first + i);
		tlb[first + i] = walked[first + i];
	}
}

/* Write the lines of the hardware's tables that begin in [start, start + size) to memory */
static void clean_lines(unsigned long start, size_t size)
{
	unsigned long page, line;

	for (page = 0; page < ARM_LOW_PAGES; page++) {
		if (!arm_has_table(page))
			continue;
		line = (unsigned long)arm_hw_entry(page) & ~(LINE_SIZE - 1UL);
		if (line >= start && line < start + size)
			walked[page] = *arm_hw_entry(page);
	}
}

/* As the CPU's loop: a line at start, start + LINE_SIZE, ... */
void clean_dcache_area(const void *start, size_t size)
{
	unsigned long addr = (unsigned long)start, i;

	for (i = 0; i < size; i += LINE_SIZE)
		clean_lines((addr + i) & ~(LINE_SIZE - 1UL), LINE_SIZE);
}

void set_pte_ext(pte_t *pte, pte_t val, unsigned int ext)
{
	*pte = val;
	if (pte >= arm_slots && pte < arm_slots + 4 * KM_TYPE_NR)
		return;
	*(u32 *)((void *)pte + PTE_HWTABLE_OFF) = arm_translate(val);
	clean_lines(((unsigned long)pte + PTE_HWTABLE_OFF) & ~(LINE_SIZE - 1UL), LINE_SIZE);
}

/* Caches have no order here */
void wmb(void)
{
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	unsigned long page;

	for (page = (start - (unsigned long)arm_memory) >> PAGE_SHIFT;
	     page < (end - (unsigned long)arm_memory) >> PAGE_SHIFT; page++)
		tlb[page] = walked[page];
}

void flush_tlb_all(void)
{
	nr_tlb_all++;
	memcpy(tlb, walked, sizeof(tlb));
}

/* What the CPU does with this page: the memory type of the TLB's entry */
static void require_uncached(unsigned long pfn, const char *when)
{
	u32 want = arm_translate((pfn << PAGE_SHIFT) | pgprot_dmacoherent(pgprot_kernel));

	if (pfn < ARM_HIGH_PFN)
		REQUIRE_EQ(tlb[pfn - ARM_LOW_PFN], want, "page %#lx %s", pfn, when);
	else
		REQUIRE(vmap_pages && pfn - vmap_pfn < vmap_pages, "page %#lx %s", pfn, when);
}

static unsigned long virt_to_pfn(const void *addr)
{
	if (is_vmalloc_addr(addr))
		return vmap_pfn + (((char *)addr - arm_vmalloc) >> PAGE_SHIFT);
	return ARM_LOW_PFN + (((char *)addr - arm_memory) >> PAGE_SHIFT);
}

void dmac_flush_range(const void *start, const void *end)
{
	unsigned long pfn = virt_to_pfn(start), last = virt_to_pfn(end - 1);

	if (end - start > max_flush)
		max_flush = end - start;
	for (; pfn <= last; pfn++) {
		require_uncached(pfn, "is flushed before its mapping has changed");
		flushed[pfn - ARM_LOW_PFN] = true;
	}
}

void outer_flush_range(phys_addr_t start, phys_addr_t end)
{
	unsigned long page = __phys_to_pfn(start - PHYS_OFFSET);

	for (; page < __phys_to_pfn(end - PHYS_OFFSET); page++) {
		REQUIRE(flushed[page], "page %#lx is flushed from the outer cache first", page);
		outer_flushed[page] = true;
		if (page < ARM_LOW_PAGES)
			REQUIRE(arm_memory[page << PAGE_SHIFT] == 0x5a,
				"page %#lx is cleared before it is flushed", page);
	}
}

/* Slots of kmap_atomic(), vmalloc space, user mappings */

int smp_processor_id(void)
{
	return cpu;
}

int kmap_atomic_idx(void)
{
	return kmap_depth[cpu] - 1;
}

void on_each_cpu(void (*fn)(void *info), void *info, int wait)
{
	for (cpu = 0; cpu < 4; cpu++)
		fn(info);
	cpu = 0;
}

void kmap_flush_unused(void)
{
	nr_kmaps_flushed++;
}

void vm_unmap_aliases(void)
{
	nr_aliases_purged++;
}

struct vm_struct *get_vm_area_caller(unsigned long size, unsigned long flags, const void *caller)
{
	REQUIRE(!vmap_pages, "the model has one mapping");
	REQUIRE(nr_aliases_purged && nr_kmaps_flushed, "old mappings are still there");
	REQUIRE(!(flags & VM_IOREMAP), "the address is aligned to more than the size");
	vm_area.addr = arm_vmalloc;
	vm_area.flags = flags;
	return &vm_area;
}

static unsigned int nr_vmapped[ARM_HIGH_PAGES];	/* times that each page was mapped */

int ioremap_page_range(unsigned long start, unsigned long end, phys_addr_t phys, pgprot_t prot)
{
	unsigned long pfn;

	REQUIRE(prot & L_PTE_XN, "the buffer is executable");
	REQUIRE(vm_area.flags & VM_IOREMAP, "/proc/kcore maps the buffer cached");
	vmap_pfn = __phys_to_pfn(phys);
	for (pfn = vmap_pfn; pfn < vmap_pfn + ((end - start) >> PAGE_SHIFT); pfn++)
		nr_vmapped[pfn - ARM_HIGH_PFN]++;
	vmap_pages = (end - start) >> PAGE_SHIFT;
	return 0;
}

void vunmap(const void *addr)
{
	REQUIRE(addr == arm_vmalloc, "no mapping starts at %p", addr);
	vmap_pages = 0;
}

struct page *vmalloc_to_page(const void *addr)
{
	return pfn_to_page(virt_to_pfn(addr));
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	REQUIRE(!(prot & L_PTE_MT_MASK & ~4U), "the user mapping is cached: %#x", prot);
	user_pfn = pfn;
	user_pages = size >> PAGE_SHIFT;
	return 0;
}

static void arm_reset(void)
{
	arm_reset_machine();
	memset(flushed, 0, sizeof(flushed));
	memset(outer_flushed, 0, sizeof(outer_flushed));
	memset(kmap_depth, 0, sizeof(kmap_depth));
	*host_console = '\0';
	cpu = 0;
	line_size = 32;
	nr_resched = 0;
	nr_tlb_all = 0;
	max_flush = 0;
	nr_aliases_purged = 0;
	nr_kmaps_flushed = 0;
	vmap_pages = 0;
}

/* Boot with a pool of 16 pages. Memory has contents that have to be cleared. */
static void boot(void)
{
	dma_contiguous_remap();
	arm_nr_areas = 3;
	memset(arm_memory + (1024 << PAGE_SHIFT), 0x5a, (ARM_LOW_PAGES - 1024) << PAGE_SHIFT);
	REQUIRE(!arm_early_param("64K"), "coherent_pool=");
	REQUIRE(!arm_postcore_initcall(), "no pool: %s", host_console);
	memset(arm_memory + (1024 << PAGE_SHIFT), 0x5a, (ARM_LOW_PAGES - 1024) << PAGE_SHIFT);
	memset(flushed, 0, sizeof(flushed));
	*host_console = '\0';
	nr_resched = 0;
	max_flush = 0;
}

static char *alloc(struct device *dev, unsigned long nr_pages, dma_addr_t *dma, gfp_t gfp)
{
	return arm_dma_alloc_contiguous(dev, nr_pages << PAGE_SHIFT, ~0ULL, dma, gfp,
					pgprot_dmacoherent(pgprot_kernel), true);
}

/* Has the buffer the right mapping, no line in a cache, and zeroes? */
static void check_buffer(const char *virt, dma_addr_t dma, unsigned long nr_pages)
{
	unsigned long pfn = dma_to_pfn(NULL, dma), i;

	for (i = 0; i < nr_pages; i++) {
		require_uncached(pfn + i, "has another mapping");
		REQUIRE(outer_flushed[pfn + i - ARM_LOW_PFN], "page %#lx has lines", pfn + i);
		if (pfn < ARM_HIGH_PFN)
			REQUIRE_EQ(arm_linux_pte(pfn + i), ((pfn + i) << PAGE_SHIFT) | L_PTE_XN |
				   pgprot_dmacoherent(pgprot_kernel), "page %#lx", pfn + i);
	}
	for (i = 0; i < nr_pages << PAGE_SHIFT; i += 64)
		REQUIRE(!virt[i], "byte %#lx is %#x", i, virt[i]);
}

static void check_free(struct device *dev, char *virt, dma_addr_t dma, unsigned long nr_pages,
		       unsigned long said_pages)
{
	unsigned long pfn = dma_to_pfn(dev, dma), i;

	REQUIRE(arm_dma_free_contiguous(dev, said_pages << PAGE_SHIFT, virt, dma), "not ours");
	for (i = 0; i < nr_pages; i++)
		REQUIRE(!pfn_to_page(pfn + i)->owner, "page %lu is not free", i);
}

TEST(remap, "all areas in low memory are mapped with pages at boot, and nothing else is")
{
	unsigned long i;

	boot();
	for (i = 0; i < ARM_TABLES; i++)
		REQUIRE(arm_has_table(i * PTRS_PER_PTE) == (i >= 8), "table %lu", i);
	for (i = 4096; i < ARM_LOW_PAGES; i++)
		if (!pfn_to_page(ARM_LOW_PFN + i)->owner)
			REQUIRE_EQ(arm_linux_pte(ARM_LOW_PFN + i),
				   ((ARM_LOW_PFN + i) << PAGE_SHIFT) | pgprot_kernel);
}

TEST(late_area, "an area that was added after that gives no buffer, and one message")
{
	dma_addr_t dma;

	boot();
	REQUIRE(!alloc(&late, 16, &dma, GFP_KERNEL), "a buffer");
	REQUIRE(said("area late was added too late"), "no message");
	REQUIRE(!pfn_to_page(arm_areas[2].base_pfn)->owner, "a page is lost");
}

static const unsigned long sizes[] = {
	1, 2, 7, 8, 9, 16, 63, 64, 65, 255, 511, 512, 513, 1000, 2048
};

/* With lines of 32 and 64 bytes, at each offset in a line */
TEST(mapping, "each page of a buffer is uncached and clean before it is cleared")
{
	unsigned long i, offset;
	dma_addr_t first, dma;
	char *spacer, *virt;

	boot();
	for (line_size = 32; line_size <= 64; line_size *= 2) {
		for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			for (offset = 1; offset < 18; offset++) {
				spacer = alloc(&low, offset, &first, GFP_KERNEL);
				virt = alloc(&low, sizes[i], &dma, GFP_KERNEL);
				REQUIRE(spacer && virt, "no buffer");
				check_buffer(virt, dma, sizes[i]);
				memset(virt, 0x5a, sizes[i] << PAGE_SHIFT);
				memset(spacer, 0x5a, offset << PAGE_SHIFT);
				check_free(&low, virt, dma, sizes[i], sizes[i]);
				check_free(&low, spacer, first, offset, offset);
				memset(flushed, 0, sizeof(flushed));
				memset(outer_flushed, 0, sizeof(outer_flushed));
			}
		}
	}
	REQUIRE(!*host_console, "%s", host_console);
}

TEST(steps, "other tasks may run after each MiB of a large buffer")
{
	dma_addr_t dma;
	char *virt;

	boot();
	virt = alloc(&low, 256, &dma, GFP_KERNEL);
	REQUIRE(virt && !nr_resched, "%u times for 1 MiB", nr_resched);
	memset(virt, 0x5a, SZ_1M);
	check_free(&low, virt, dma, 256, 256);
	virt = alloc(&low, 1025, &dma, GFP_KERNEL);
	REQUIRE(virt, "no buffer");
	REQUIRE_EQ(nr_resched, 8);
	REQUIRE_EQ(max_flush, SZ_1M);
	check_free(&low, virt, dma, 1025, 1025);
}

TEST(wrong_size, "a free with a wrong size frees the buffer and nothing else")
{
	static const unsigned long wrong[] = { 0, 1, 3, 5, 8, 100, 100000 };
	dma_addr_t dma[3];
	unsigned long i;
	char *virt[3];
	char text[80];
	int j;

	boot();
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		for (j = 0; j < 3; j++)
			virt[j] = alloc(&low, 4, &dma[j], GFP_KERNEL);
		REQUIRE_EQ(dma[2], dma[1] + 4 * PAGE_SIZE);
		check_free(&low, virt[1], dma[1], 4, wrong[i]);
		snprintf(text, sizeof(text), "WARN DMA: freeing wrong coherent size (16384 != %lu)",
			 wrong[i] << PAGE_SHIFT);
		REQUIRE(said(text), "no warning for %lu pages", wrong[i]);
		check_buffer(virt[0], dma[0], 4);
		check_buffer(virt[2], dma[2], 4);
		check_free(&low, virt[0], dma[0], 4, 4);
		check_free(&low, virt[2], dma[2], 4, 4);
		REQUIRE(!*host_console, "%s", host_console);
		memset(arm_memory + (4096 << PAGE_SHIFT), 0x5a, 4096 << PAGE_SHIFT);
	}
}

TEST(no_buffer, "a free of something that is no buffer does nothing")
{
	dma_addr_t dma;
	char *virt;

	boot();
	virt = alloc(&low, 4, &dma, GFP_KERNEL);
	REQUIRE(arm_dma_free_contiguous(&low, PAGE_SIZE, virt + PAGE_SIZE, dma + PAGE_SIZE), "ours");
	REQUIRE(said("which is no buffer"), "no warning");
	REQUIRE(arm_dma_free_contiguous(&low, PAGE_SIZE, virt + PAGE_SIZE, dma), "ours");
	REQUIRE(said("which is no buffer"), "no warning");
	check_buffer(virt, dma, 4);
	REQUIRE(!arm_dma_free_contiguous(&low, PAGE_SIZE, arm_memory, PHYS_OFFSET), "not ours");
	check_free(&low, virt, dma, 4, 4);
	REQUIRE(arm_dma_free_contiguous(&low, 4 * PAGE_SIZE, virt, dma), "ours");
	REQUIRE(said("which is no buffer"), "freed twice without a warning");
}

/* Buffers of 3, 1 and 4 pages leave no gap that is smaller than a page */
TEST(pool, "the pool knows where its buffers end")
{
	static const unsigned long pages[] = { 4, 1, 3, 2, 4 };
	static const unsigned long wrong[] = { 5, 2, 1, 16, 3 };
	char *virt[5], *all;
	dma_addr_t dma[5], first;
	unsigned int round, i;

	boot();
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 5; i++) {
			virt[i] = alloc(&low, pages[i], &dma[i], GFP_ATOMIC);
			REQUIRE(virt[i], "no buffer %u", i);
			memset(virt[i], i + 1, pages[i] << PAGE_SHIFT);
		}
		for (i = 0; i < 5; i++) {
			unsigned long said_pages = round == 1 ? wrong[i] : pages[i];

			REQUIRE(virt[i][0] == (char)(i + 1) &&
				virt[i][(pages[i] << PAGE_SHIFT) - 1] == (char)(i + 1),
				"buffer %u was written to", i);
			REQUIRE(arm_dma_free_contiguous(&low, said_pages << PAGE_SHIFT, virt[i],
							dma[i]), "not ours");
			REQUIRE(said("freeing wrong coherent size") == (round == 1),
				"buffer %u, round %u", i, round);
		}
		all = alloc(&low, 16, &first, GFP_ATOMIC);
		REQUIRE(all, "pages are lost in round %u: %s", round, host_console);
		REQUIRE(arm_dma_free_contiguous(&low, 4 * PAGE_SIZE, all + 4 * PAGE_SIZE,
						first + 4 * PAGE_SIZE), "ours");
		REQUIRE(said("which is no buffer"), "the middle of a buffer was freed");
		REQUIRE(arm_dma_free_contiguous(&low, 16 * PAGE_SIZE, all, first), "ours");
		REQUIRE(arm_dma_free_contiguous(&low, 16 * PAGE_SIZE, all, first), "ours");
		REQUIRE(said("which is no buffer"), "freed twice without a warning");
	}
}

TEST(reserve, "a listed device may use the reserve, for each kind of request, and no other device")
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_NOIO };
	struct device disk = { };
	dma_addr_t dma;
	unsigned int i;
	char *virt;

	boot();
	arm_listed = &disk;
	for (i = 0; i < 2; i++) {
		arm_nr_reserve = 0;
		cma_has_reserve = false;
		virt = alloc(&disk, 16, &dma, gfps[i]);
		REQUIRE_EQ(arm_nr_reserve, 0);
		memset(virt, 0x5a, 16 << PAGE_SHIFT);
		check_free(&disk, virt, dma, 16, 16);
		memset(flushed, 0, sizeof(flushed));
		memset(outer_flushed, 0, sizeof(outer_flushed));
		cma_has_reserve = true;
		virt = alloc(&low, 16, &dma, gfps[i]);
		REQUIRE_EQ(arm_nr_reserve, 0);
		memset(virt, 0x5a, 16 << PAGE_SHIFT);
		check_free(&low, virt, dma, 16, 16);
		memset(flushed, 0, sizeof(flushed));
		memset(outer_flushed, 0, sizeof(outer_flushed));
		virt = alloc(&disk, 16, &dma, gfps[i]);
		REQUIRE_EQ(arm_nr_reserve, 1);
		memset(virt, 0x5a, 16 << PAGE_SHIFT);
		check_free(&disk, virt, dma, 16, 16);
		memset(flushed, 0, sizeof(flushed));
		memset(outer_flushed, 0, sizeof(outer_flushed));
	}
}

TEST(ruled, "a device gets its buffers from the area of the command line")
{
	struct device camera = { };
	dma_addr_t dma;
	char *virt;

	boot();
	arm_ruled = &arm_areas[1];
	virt = alloc(&camera, 16, &dma, GFP_KERNEL);
	REQUIRE(dma >> PAGE_SHIFT < ARM_HIGH_PFN, "a rule counts that does not exist");
	memset(virt, 0x5a, 16 << PAGE_SHIFT);
	check_free(&camera, virt, dma, 16, 16);
	cma_has_rules = true;
	virt = alloc(&camera, 16, &dma, GFP_KERNEL);
	REQUIRE_EQ(dma >> PAGE_SHIFT, ARM_HIGH_PFN);
	arm_dma_free_contiguous(&camera, 16 << PAGE_SHIFT, virt, dma);
}

TEST(suspend, "requests may not do I/O while gfp_allowed_mask forbids it")
{
	struct page *rest;
	dma_addr_t dma;
	char *virt;

	boot();
	gfp_allowed_mask &= ~(__GFP_IO | __GFP_FS);
	virt = alloc(&low, 16, &dma, GFP_KERNEL);
	REQUIRE(virt, "no free range");
	check_buffer(virt, dma, 16);
	while ((rest = cma_try_alloc(&arm_areas[0], 1, 0)))
		;
	virt = alloc(&low, 1, &dma, GFP_KERNEL);
	REQUIRE(virt, "nothing from the pool");
	gfp_allowed_mask = ~0U;
	REQUIRE(!alloc(&low, 1, &dma, GFP_KERNEL), "the pool is not for those that may sleep");
	REQUIRE(alloc(&low, 1, &dma, GFP_NOIO), "nothing from the pool for GFP_NOIO");
}

TEST(mask, "a buffer beyond the mask is returned")
{
	dma_addr_t dma;
	unsigned long i;

	boot();
	REQUIRE(!arm_dma_alloc_contiguous(&low, 16 * PAGE_SIZE, ARM_LOW_AREA << PAGE_SHIFT, &dma,
					  GFP_KERNEL, pgprot_dmacoherent(pgprot_kernel), true),
		"a buffer");
	REQUIRE(said("above the coherent DMA mask"), "no message");
	for (i = 16; i < 4096; i++)
		REQUIRE(!pfn_to_page(ARM_LOW_AREA + i)->owner, "page %lu is lost", i);
}

static int map(char *virt, dma_addr_t dma, unsigned long nr_pages, unsigned long off,
	       unsigned long nr_user)
{
	struct vm_area_struct vma = {
		.vm_start = 0x10000, .vm_end = 0x10000 + nr_user * PAGE_SIZE, .vm_pgoff = off,
		.vm_page_prot = pgprot_kernel,
	};

	return arm_dma_mmap_contiguous(&low, &vma, virt, dma, nr_pages << PAGE_SHIFT);
}

static void check_map(gfp_t gfp)
{
	dma_addr_t dma, next;
	char *virt = alloc(&low, 4, &dma, gfp);

	alloc(&low, 4, &next, gfp);
	REQUIRE_EQ(next, dma + 4 * PAGE_SIZE);
	REQUIRE_EQ(map(virt, dma, 4, 0, 4), 0);
	REQUIRE_EQ(user_pfn, dma >> PAGE_SHIFT);
	REQUIRE_EQ(user_pages, 4);
	REQUIRE_EQ(map(virt, dma, 4, 3, 1), 0);
	REQUIRE_EQ(user_pfn, (dma >> PAGE_SHIFT) + 3);
	REQUIRE_EQ(map(virt, dma, 8, 0, 5), -ENXIO);
	REQUIRE_EQ(map(virt, dma, 8, 4, 1), -ENXIO);
	REQUIRE_EQ(map(virt, dma, 2, 0, 3), -ENXIO);
	REQUIRE_EQ(map(virt, dma, 4, 4, 1), -ENXIO);
	REQUIRE_EQ(map(virt, dma, 4, ~0UL, 2), -ENXIO);
	REQUIRE_EQ(map(virt + PAGE_SIZE, dma + PAGE_SIZE, 4, 0, 4), -ENXIO);
}

TEST(mmap, "user space sees the buffer and nothing else")
{
	boot();
	check_map(GFP_KERNEL);
	check_map(GFP_ATOMIC);
	REQUIRE_EQ(map(arm_memory, PHYS_OFFSET, 1, 0, 1), -ENXIO);
}

TEST(highmem, "slots of kmap_atomic() that are not in use are cleared on all CPUs")
{
	dma_addr_t dma;
	char *virt;
	int i;

	boot();
	for (i = 0; i < 4 * KM_TYPE_NR; i++)
		arm_slots[i] = ((ARM_HIGH_PFN + i) << PAGE_SHIFT) | pgprot_kernel;
	for (i = 0; i < 4; i++)
		kmap_depth[i] = i;
	nr_tlb_all = 0;
	virt = alloc(&high, 16, &dma, GFP_KERNEL);
	REQUIRE(virt, "no buffer: %s", host_console);
	check_buffer(virt, dma, 16);
	for (i = 0; i < 4 * KM_TYPE_NR; i++)
		REQUIRE(!arm_slots[i] == (i % KM_TYPE_NR >= i / KM_TYPE_NR),
			"slot %d of CPU %d", i % KM_TYPE_NR, i / KM_TYPE_NR);
	REQUIRE_EQ(nr_tlb_all, 1);
	REQUIRE(arm_dma_free_contiguous(&high, PAGE_SIZE, virt + PAGE_SIZE, dma), "ours");
	REQUIRE(said("which is no buffer"), "no warning");
	check_free(&high, virt, dma, 16, 20);
	REQUIRE(said("freeing wrong coherent size (65536 != 81920)"), "no warning");
	virt = alloc(&high, 16, &dma, GFP_KERNEL);
	REQUIRE_EQ(nr_tlb_all, 1, "nothing had to be cleared");
	check_free(&high, virt, dma, 16, 16);
}

TEST(unmapped, "a buffer without a mapping is cleared, mapped by user space, and freed")
{
	pgprot_t prot = pgprot_dmacoherent(pgprot_kernel);
	unsigned long i, size = 600 * PAGE_SIZE;
	dma_addr_t dma, next;
	char *virt;
	void *page;

	boot();
	/* In high memory the first page stands for the address */
	memset(nr_vmapped, 0, sizeof(nr_vmapped));
	page = arm_dma_alloc_contiguous(&high, size, ~0ULL, &dma, GFP_KERNEL, prot, false);
	REQUIRE(page, "no buffer: %s", host_console);
	REQUIRE(page == pfn_to_page(dma >> PAGE_SHIFT), "not its page");
	for (i = 0; i < 600; i++)
		REQUIRE(pfn_to_page((dma >> PAGE_SHIFT) + i)->owner, "page %lu is free", i);
	for (i = 0; i < 600; i++)
		REQUIRE_EQ(nr_vmapped[(dma >> PAGE_SHIFT) - ARM_HIGH_PFN + i], 1U);
	REQUIRE_EQ(map(page, dma, 600, 0, 600), 0);
	REQUIRE_EQ(user_pfn, dma >> PAGE_SHIFT);
	REQUIRE_EQ(map(page, dma, 601, 0, 601), -ENXIO);
	REQUIRE(arm_dma_free_contiguous(&high, size, page, dma), "not ours");
	REQUIRE(!said("no buffer"), "a warning: %s", host_console);
	for (i = 0; i < 600; i++)
		REQUIRE(!pfn_to_page((dma >> PAGE_SHIFT) + i)->owner, "page %lu is lost", i);

	/* In low memory it has an address anyway */
	virt = arm_dma_alloc_contiguous(&low, 4 * PAGE_SIZE, ~0ULL, &next, GFP_KERNEL, prot, false);
	REQUIRE(virt, "no buffer: %s", host_console);
	check_buffer(virt, next, 4);
	check_free(&low, virt, next, 4, 4);
}
