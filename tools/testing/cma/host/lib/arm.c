// SPDX-License-Identifier: GPL-2.0
/* What the tests on arm.h share: arithmetic, areas, page tables in the memory of the model */
#include <stdarg.h>
#include <sys/mman.h>

#include "arm.h"
#include <linux/cma.h>

struct page arm_pages[ARM_LOW_PAGES + ARM_HIGH_PAGES];
char *arm_memory, *arm_vmalloc, *arm_kmap;
pte_t arm_slots[4 * KM_TYPE_NR];
static pmd_t slots_pmd;
pmd_t *top_pmd = &slots_pmd;
gfp_t gfp_allowed_mask;
struct meminfo meminfo;
unsigned int test_checks;
struct cma *dma_contiguous_default_area;

struct cma arm_areas[3] = {
	{ ARM_LOW_AREA, 4096, "low" }, { ARM_HIGH_PFN, ARM_HIGH_PAGES, "high" },
	{ ARM_LOW_PFN + 2048, 1024, "late" },
};

unsigned int arm_nr_areas;
unsigned int arm_nr_tables;
unsigned int arm_nr_reserve;
bool cma_has_rules, cma_has_reserve;
struct device *arm_listed;
struct cma *arm_ruled;
pmd_t arm_pmds[ARM_TABLES][2];
static unsigned long next_owner;

void arm_require(bool condition, const char *what)
{
	REQUIRE(condition, "%s", what);
}

void arm_lock(spinlock_t *lock, bool hold)
{
	REQUIRE(lock->held != hold, "a lock is taken twice, or not held");
	lock->held = hold;
}

int get_order(unsigned long size)
{
	int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

unsigned long roundup_pow_of_two(unsigned long n)
{
	unsigned long power = 1;

	while (power < n)
		power *= 2;
	return power;
}

unsigned long long memparse(const char *s, char **end)
{
	unsigned long long size = strtoull(s, end, 0);

	if (**end == 'K') {
		size <<= 10;
		(*end)++;
	}
	return size;
}

bool test_bit(unsigned long bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

void __set_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= 1UL << bit % BITS_PER_LONG;
}

void __clear_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] &= ~(1UL << bit % BITS_PER_LONG);
}

void bitmap_set(unsigned long *map, unsigned long bit, unsigned long nr)
{
	for (; nr; nr--)
		__set_bit(bit++, map);
}

void bitmap_clear(unsigned long *map, unsigned long bit, unsigned long nr)
{
	for (; nr; nr--)
		__clear_bit(bit++, map);
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long bit)
{
	while (bit < size && !test_bit(bit, map))
		bit++;
	return bit;
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long bit)
{
	while (bit < size && test_bit(bit, map))
		bit++;
	return bit;
}

unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long nr,
					 unsigned long align_mask)
{
	for (start = ALIGN(start, align_mask + 1); start + nr <= size; start += align_mask + 1)
		if (find_next_bit(map, start + nr, start) == start + nr)
			return start;
	return size + 1;
}

/* Areas: a page has the number of its buffer */

void *page_address(const struct page *page)
{
	return PageHighMem(page) ? NULL :
	       arm_memory + ((page_to_pfn(page) - ARM_LOW_PFN) << PAGE_SHIFT);
}

phys_addr_t memblock_alloc(unsigned long size, unsigned long align)
{
	return PHYS_OFFSET + arm_nr_tables++ * size;
}

phys_addr_t cma_get_base(const struct cma *cma)
{
	return cma->base_pfn << PAGE_SHIFT;
}

unsigned long cma_get_size(const struct cma *cma)
{
	return cma->count << PAGE_SHIFT;
}

const char *cma_get_name(const struct cma *cma)
{
	return cma->name;
}

int cma_walk_areas(int (*it)(struct cma *cma, void *data), void *data)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < arm_nr_areas && !ret; i++)
		ret = it(&arm_areas[i], data);
	return ret;
}

/* The lowest free range, aligned to its order */
static struct page *take(struct cma *cma, unsigned long count, unsigned int align_order)
{
	unsigned long pfn, i;

	for (pfn = cma->base_pfn; pfn + count <= cma->base_pfn + cma->count;
	     pfn += 1UL << align_order) {
		for (i = 0; i < count && !pfn_to_page(pfn + i)->owner; i++)
			;
		if (i < count)
			continue;
		next_owner++;
		for (i = 0; i < count; i++)
			pfn_to_page(pfn + i)->owner = next_owner;
		return pfn_to_page(pfn);
	}
	return NULL;
}

struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align_order,
		       bool no_warn)
{
	arm_require((gfp_allowed_mask & GFP_KERNEL) == GFP_KERNEL, "may not do I/O");
	return take(cma, count, align_order);
}

struct page *cma_try_alloc(struct cma *cma, unsigned long count, unsigned int align_order)
{
	return take(cma, count, align_order);
}

/* The reserve of the model is all of the area */
struct page *cma_alloc_reserve(struct cma *cma, unsigned long count, unsigned int align_order,
			       bool no_warn)
{
	arm_nr_reserve++;
	return cma_alloc(cma, count, align_order, no_warn);
}

struct page *cma_try_alloc_reserve(struct cma *cma, unsigned long count, unsigned int align_order)
{
	arm_nr_reserve++;
	return take(cma, count, align_order);
}

struct cma *cma_find_rule(struct device *dev)
{
	return dev ? arm_ruled : NULL;
}

bool cma_find_listed(struct device *dev)
{
	return dev && dev == arm_listed;
}

struct cma *cma_area_of(const struct page *pages, unsigned long count)
{
	unsigned long pfn = page_to_pfn(pages);
	unsigned int i;

	for (i = 0; i < sizeof(arm_areas) / sizeof(*arm_areas); i++)
		if (pfn >= arm_areas[i].base_pfn &&
		    pfn + count <= arm_areas[i].base_pfn + arm_areas[i].count)
			return &arm_areas[i];
	return NULL;
}

unsigned long cma_buffer_pages(struct cma *cma, const struct page *pages)
{
	unsigned long end = cma->base_pfn + cma->count, pfn = page_to_pfn(pages), nr = 0;

	if (!pages->owner || (pfn > cma->base_pfn && pages[-1].owner == pages->owner))
		return 0;
	while (pfn + nr < end && pages[nr].owner == pages->owner)
		nr++;
	return nr;
}

bool cma_pages_allocated(struct cma *cma, const struct page *pages, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		if (!pages[i].owner)
			return false;
	return true;
}

/* Page tables and addresses */

const struct mem_type *get_mem_type(unsigned int type)
{
	static const struct mem_type memory = { pgprot_kernel, PMD_TYPE_TABLE };

	return &memory;
}

pmd_t *pmd_off_k(unsigned long addr)
{
	unsigned long table = (addr - (unsigned long)arm_memory) / PGDIR_SIZE;
	static pmd_t vmalloc_pmd[2] = { PMD_TYPE_TABLE, PMD_TYPE_TABLE };

	if (is_vmalloc_addr((void *)addr))
		return vmalloc_pmd;
	arm_require(table < ARM_TABLES, "an address is not in the linear mapping");
	return arm_pmds[table];
}

pte_t *pte_offset_kernel(pmd_t *pmd, unsigned long addr)
{
	static pte_t vmalloc_pte = pgprot_dmacoherent(pgprot_kernel);
	unsigned long table = *pmd & ~4095U;

	if (pmd == top_pmd)
		return &arm_slots[addr];
	if (is_vmalloc_addr((void *)addr))
		return &vmalloc_pte;
	arm_require((*pmd & PMD_TYPE_MASK) == PMD_TYPE_TABLE,
		    "a section is used as a page table");
	return (pte_t *)__va(table) + (addr >> PAGE_SHIFT) % PTRS_PER_PTE;
}

u32 *arm_hw_entry(unsigned long page)
{
	unsigned long addr = (unsigned long)arm_memory + (page << PAGE_SHIFT);

	return (void *)pte_offset_kernel(pmd_off_k(addr), addr) + PTE_HWTABLE_OFF;
}

bool arm_has_table(unsigned long page)
{
	return (arm_pmds[page / PTRS_PER_PTE][0] & PMD_TYPE_MASK) == PMD_TYPE_TABLE;
}

u32 arm_translate(pte_t val)
{
	return val ? (val & ~4095U) | (val & L_PTE_MT_MASK) << 4 | 2 : 0;
}

pte_t arm_linux_pte(unsigned long pfn)
{
	unsigned long addr = (unsigned long)page_address(pfn_to_page(pfn));

	return *pte_offset_kernel(pmd_off_k(addr), addr);
}

bool is_vmalloc_addr(const void *addr)
{
	return (char *)addr >= arm_vmalloc &&
	       (char *)addr < arm_vmalloc + (ARM_HIGH_PAGES << PAGE_SHIFT);
}

static void *address_space(size_t size)
{
	char *space = mmap(NULL, size + 2 * PGDIR_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	arm_require(space != MAP_FAILED, "no address space");
	return (void *)(((unsigned long)space + PGDIR_SIZE - 1) & PGDIR_MASK);
}

/* A machine whose low memory is mapped with sections */
void arm_reset_machine(void)
{
	unsigned long i;

	memset(arm_pages, 0, sizeof(arm_pages));
	memset(arm_slots, 0, sizeof(arm_slots));
	if (!arm_memory) {
		arm_memory = address_space(ARM_LOW_PAGES << PAGE_SHIFT);
		arm_vmalloc = address_space(ARM_HIGH_PAGES << PAGE_SHIFT);
		arm_kmap = address_space(ARM_HIGH_PAGES << PAGE_SHIFT);
	}
	for (i = 0; i < ARM_TABLES; i++) {
		arm_pmds[i][0] = (PHYS_OFFSET + i * PGDIR_SIZE) | PMD_TYPE_SECT;
		arm_pmds[i][1] = arm_pmds[i][0] + SECTION_SIZE;
	}
	meminfo.bank[0] = (struct membank){ PHYS_OFFSET, ARM_LOW_PAGES << PAGE_SHIFT, 0 };
	meminfo.bank[1] = (struct membank){ ARM_HIGH_PFN << PAGE_SHIFT,
					    ARM_HIGH_PAGES << PAGE_SHIFT, 1 };
	gfp_allowed_mask = ~0U;
	dma_contiguous_default_area = &arm_areas[0];
	arm_nr_tables = 0;
	arm_nr_areas = 2;
}
