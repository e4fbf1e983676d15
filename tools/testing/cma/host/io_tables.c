// SPDX-License-Identifier: GPL-2.0
/*
 * The page tables and the TLB of the IOMMU in software: each entry is compared with an
 * array that has one for each 4 KiB
 */
#include "io_tables.h"
#include "iommu_tables.h"
#include "test.h"

#define PAGES	8192U	/* of io addresses: 32 MiB */
#define MEMORY	(16U << 20)

static struct { u32 phys, rights; int order; u32 first; } ref[PAGES];
static char memory[MEMORY] __attribute__((aligned(4096)));
static size_t used;
static unsigned int nr_tables, seed = 1;
static struct iommu_tables tables;
static struct iommu_tlb tlb;

/* A table that is freed keeps its place, and is full of ones */
void *host_tables_alloc(size_t size)
{
	void *table = memory + used;

	if (used + size > MEMORY)
		return NULL;
	used += size;
	nr_tables++;
	return memset(table, 0, size);
}

void host_tables_free(void *table)
{
	memset(table, 0xff, 1024);
	nr_tables--;
}

u32 virt_to_phys(const void *table)
{
	return (const char *)table - memory + 4096;
}

void *phys_to_virt(u32 phys)
{
	REQUIRE(phys >= 4096 && phys - 4096 < used, "%#x is no table", phys);
	return memory + phys - 4096;
}

static u32 below(u32 limit)
{
	return (u32)rand_r(&seed) % limit;
}

static bool is_mapped(u32 first, int order)
{
	u32 i;

	for (i = 0; i < 1U << order; i++)
		if (ref[first + i].rights)
			return true;
	return false;
}

static void map(u32 first, int order)
{
	u32 phys = ((u32)rand_r(&seed) << 12) & ~((4096U << order) - 1);
	u32 rights = (1 + below(3)) << 2, i;
	int ret = iommu_tables_map(&tables, first << 12, phys, order, rights);

	REQUIRE_EQ(ret, is_mapped(first, order) ? -EBUSY : 0, "%#x, order %d", first, order);
	for (i = 0; i < 1U << order && !ret; i++) {
		ref[first + i].phys = phys + (i << 12);
		ref[first + i].rights = rights;
		ref[first + i].order = order;
		ref[first + i].first = first;
	}
}

static void unmap(u32 first, int order)
{
	bool exact = ref[first].rights && ref[first].order == order && ref[first].first == first;
	u32 i;

	REQUIRE_EQ(iommu_tables_unmap(&tables, first << 12, order), exact ? 0 : -EINVAL,
		   "%#x, order %d", first, order);
	if (!exact)
		return;
	iommu_tlb_flush_range(&tlb, first << 12, 4096U << order);
	for (i = 0; i < 1U << order; i++)
		ref[first + i].rights = 0;
}

/* The TLB may have nothing, but nothing else than the tables */
static void translate(u32 page)
{
	u32 addr = page << 12 | below(4096), entry, cached;
	int order, cached_order;

	entry = iommu_tables_walk(&tables, addr, &order);
	cached = iommu_tlb_find(&tlb, addr, &cached_order);
	REQUIRE_EQ(!entry, !ref[page].rights, "%#x", addr);
	if (!entry) {
		REQUIRE(!cached, "%#x is in the TLB", addr);
		return;
	}
	REQUIRE_EQ(order, ref[page].order, "%#x", addr);
	REQUIRE_EQ(entry & (IOMMU_ENTRY_READ | IOMMU_ENTRY_WRITE), ref[page].rights, "%#x", addr);
	REQUIRE_EQ(iommu_entry_phys(entry, order, addr), ref[page].phys + addr % 4096, "%#x", addr);
	if (cached)
		REQUIRE(cached == entry && cached_order == order, "%#x differs in the TLB", addr);
	else
		iommu_tlb_add(&tlb, addr, entry, order);
}

TEST(random, "what was mapped is found, pages of all sizes, and nothing else")
{
	static const int orders[] = { 0, 4, 8, 12 };
	unsigned long mapped = 0;
	unsigned int i;

	REQUIRE_EQ(iommu_tables_init(&tables), 0);
	for (i = 0; i < 400000; i++) {
		int order = orders[below(below(8) ? 2 : 4)];
		u32 first = below(PAGES) & ~((1U << order) - 1);

		if (below(2))
			map(first, order);
		else
			unmap(first, order);
		translate(below(PAGES));
		translate(first);
	}
	for (i = 0; i < PAGES; i++)
		mapped += !!ref[i].rights;
	REQUIRE_EQ(tables.mapped, mapped);
	iommu_tables_free(&tables);
	REQUIRE_EQ(nr_tables, 0);
}

TEST(arguments, "sizes, addresses and rights that an entry cannot have are refused")
{
	REQUIRE_EQ(iommu_tables_init(&tables), 0);
	REQUIRE_EQ(iommu_tables_map(&tables, 0, 0, 1, IOMMU_ENTRY_READ), -EINVAL);
	REQUIRE_EQ(iommu_tables_map(&tables, 0, 0, -4, IOMMU_ENTRY_READ), -EINVAL);
	REQUIRE_EQ(iommu_tables_map(&tables, 0, 0, 16, IOMMU_ENTRY_READ), -EINVAL);
	REQUIRE_EQ(iommu_tables_map(&tables, 0x1000, 0, 4, IOMMU_ENTRY_READ), -EINVAL);
	REQUIRE_EQ(iommu_tables_map(&tables, 0, 0x1000, 4, IOMMU_ENTRY_READ), -EINVAL);
	REQUIRE_EQ(iommu_tables_map(&tables, 0, 0, 0, 0), -EINVAL);
	REQUIRE_EQ(iommu_tables_unmap(&tables, 0, 0), -EINVAL);
	REQUIRE_EQ(tables.mapped, 0);

	REQUIRE_EQ(iommu_tables_map(&tables, 0x10000, 0, 4, IOMMU_ENTRY_READ), 0);
	REQUIRE_EQ(iommu_tables_unmap(&tables, 0x11000, 4), -EINVAL, "from its second 4 KiB on");
	REQUIRE_EQ(iommu_tables_unmap(&tables, 0x10000, 4), 0);

	/* The last page of all, without memory for its table, and with */
	used = MEMORY;
	REQUIRE_EQ(iommu_tables_map(&tables, 0xfffff000, 0xfffff000, 0, IOMMU_ENTRY_READ), -ENOMEM);
	used = 64 << 10;
	REQUIRE_EQ(iommu_tables_map(&tables, 0xfffff000, 0xfffff000, 0, IOMMU_ENTRY_READ), 0);
	REQUIRE_EQ(iommu_tables_unmap(&tables, 0xfffff000, 0), 0);
	iommu_tables_free(&tables);
}

TEST(flush, "a flush of a part of a page in the TLB is one of all of it")
{
	int order;

	iommu_tlb_add(&tlb, 0x12345, 0x50000 | IOMMU_ENTRY_READ | 1, 4);
	iommu_tlb_flush_range(&tlb, 0x20000, 4096);
	iommu_tlb_flush_range(&tlb, 0xf000, 4096);
	REQUIRE(iommu_tlb_find(&tlb, 0x1f000, &order), "flushed with its neighbours");
	REQUIRE_EQ(order, 4);
	iommu_tlb_flush_range(&tlb, 0x1f000, 4096);
	REQUIRE(!iommu_tlb_find(&tlb, 0x12345, &order), "still there");
	iommu_tlb_add(&tlb, 0x12345, 0x50000 | IOMMU_ENTRY_READ | 1, 4);
	iommu_tlb_add(&tlb, 0xfffff000, 0x50000 | IOMMU_ENTRY_READ | 1, 0);
	iommu_tlb_flush_range(&tlb, 0, 0xffffffff);
	REQUIRE(!iommu_tlb_find(&tlb, 0x12345, &order), "still there after all");
	REQUIRE(!iommu_tlb_find(&tlb, 0xfffff000, &order), "the last one is still there");
}
