// SPDX-License-Identifier: GPL-2.0
/*
 * The walk of page tables that finds pages with two kinds of mappings: what it sees of
 * each form of entry, and which attributes differ
 */
#include "stubs.h"
#include "test.h"

#ifndef BIT
#define BIT(n)		(1UL << (n))
#endif

#define TABLES		0x60000000U	/* physical address of the tables here */
#define NR_TABLES	8
#define AREA		0x70000000U
#define AREA_PAGES	1024U
#define OTHER		0x30000000U	/* one page */

static u32 tables[NR_TABLES][256];
static u32 kernel[4096], process[4096];
static unsigned int nr_mapped;		/* tables that the walk reads now */

static const u32 *alias_map_table(u32 phys)
{
	REQUIRE(phys >= TABLES && phys < TABLES + sizeof(tables) && phys % 1024 == 0,
		"no table at %#x", phys);
	nr_mapped++;
	return tables[(phys - TABLES) / 1024];
}

static void alias_unmap_table(const u32 *table)
{
	REQUIRE(nr_mapped-- == 1 && table, "not mapped");
}

#include "cma_alias.h"

/* Of v3.1's proc-v7.S */
#define PRRR		0xff0a81a8U
#define NMRR		0x40e040e0U

/* TEX[0], C, B, and S: what v3.1 gives to memory, with and without S */
enum {
	UNCACHED = 0, BUFFERABLE = 1 << 1, THROUGH = 2 << 1, BACK = 3 << 1, DEVICE = 4 << 1,
	ALLOCATE = 7 << 1, SHARED = 1,
};

static u32 section(u32 phys, u32 a)
{
	return phys | 2 | (a >> 1 & 3) << 2 | (a >> 3) << 12 | (a & 1) << 16;
}

static u32 small(u32 phys, u32 a)
{
	return phys | 2 | (a >> 1 & 3) << 2 | (a >> 3) << 6 | (a & 1) << 10;
}

static u32 large(u32 phys, u32 a)
{
	return phys | 1 | (a >> 1 & 3) << 2 | (a >> 3) << 12 | (a & 1) << 10;
}

static u32 table(unsigned int n)
{
	return (TABLES + n * 1024) | 1;
}

static void begin(void)
{
	static struct alias_mapping first[AREA_PAGES], other[1];

	alias_areas[0] = (struct alias_area){ AREA >> PAGE_SHIFT, AREA_PAGES, first };
	alias_areas[1] = (struct alias_area){ OTHER >> PAGE_SHIFT, 1, other };
	alias_nr_areas = 2;
	alias_kernel = kernel;
	alias_set_kinds(true, PRRR, NMRR);
}

static void walk(void)
{
	alias_reset();
	alias_walk(kernel, 0);
	alias_walk(process, 42);
	REQUIRE_EQ(alias_check.spaces, 2);
}

static void seen(unsigned long mapped, unsigned long mappings, unsigned int aliases)
{
	walk();
	REQUIRE_EQ(alias_check.mapped, mapped);
	REQUIRE_EQ(alias_check.mappings, mappings);
	REQUIRE_EQ(alias_check.aliases, aliases);
}

static void found(unsigned int n, u32 phys, u32 a, pid_t pid_a, u32 b, pid_t pid_b)
{
	const struct alias_found *f = &alias_check.found[n];

	REQUIRE(n < alias_nr_found(), "only %u", alias_nr_found());
	REQUIRE_EQ(f->pfn, phys >> PAGE_SHIFT);
	REQUIRE_EQ(f->mapping[0].addr, a);
	REQUIRE_EQ(f->mapping[0].pid, pid_a);
	REQUIRE_EQ(f->mapping[1].addr, b);
	REQUIRE_EQ(f->mapping[1].pid, pid_b);
}

/* Are two mappings with these attributes an alias? */
static bool differ(u32 a, u32 b)
{
	return alias_kinds[a] != alias_kinds[b];
}

TEST(remapped, "attributes differ as PRRR and NMRR of v3.1 say")
{
	begin();
	REQUIRE(!differ(BACK | SHARED, ALLOCATE | SHARED), "a hint about allocation");
	REQUIRE(!differ(UNCACHED, UNCACHED | SHARED), "strongly ordered memory is shared");
	REQUIRE(differ(BACK, BACK | SHARED));
	REQUIRE(differ(BUFFERABLE | SHARED, ALLOCATE | SHARED));
	REQUIRE(differ(THROUGH | SHARED, ALLOCATE | SHARED));
	REQUIRE(differ(BUFFERABLE | SHARED, UNCACHED | SHARED));
	REQUIRE(differ(BUFFERABLE | SHARED, DEVICE | SHARED));
	/* TEX[2:1] belong to the system */
	REQUIRE(!differ(BUFFERABLE | 3 << 4, BUFFERABLE));
	REQUIRE(!strcmp(alias_kind_name(alias_kinds[ALLOCATE | SHARED]), "write-back"));
	REQUIRE(!strcmp(alias_kind_name(alias_kinds[THROUGH]), "write-through"));
	REQUIRE(!strcmp(alias_kind_name(alias_kinds[BUFFERABLE]), "not cached"));
	REQUIRE(!strcmp(alias_kind_name(alias_kinds[UNCACHED]), "strongly ordered"));
	REQUIRE(!strcmp(alias_kind_name(alias_kinds[DEVICE]), "device"));
	/* devices have their own bits that say what S means */
	alias_set_kinds(true, 1 | BIT(17), 0);
	REQUIRE_EQ(alias_kinds[0 | SHARED], KIND_VALID | KIND_SHARED | MEMORY_DEVICE);
	REQUIRE_EQ(alias_kinds[0], KIND_VALID | MEMORY_DEVICE);
	alias_set_kinds(true, 1 | BIT(18) | BIT(19), 0);
	REQUIRE_EQ(alias_kinds[0 | SHARED], KIND_VALID | MEMORY_DEVICE);
	/* each index with its own policy, inner and outer, in other registers */
	alias_set_kinds(true, 0xaaaa | BIT(19), 0x0001 | 0x0002U << 16);
	REQUIRE_EQ(alias_kinds[0 | SHARED], KIND_VALID | KIND_SHARED | MEMORY_NORMAL |
		   KIND_INNER(POLICY_BACK) | KIND_OUTER(POLICY_THROUGH));
	REQUIRE_EQ(alias_kinds[0], KIND_VALID | MEMORY_NORMAL |
		   KIND_INNER(POLICY_BACK) | KIND_OUTER(POLICY_THROUGH));
}

TEST(classic, "attributes differ as TEX, C and B say without remapping")
{
	unsigned int tex1 = 1 << 3, tex4 = 4 << 3;

	begin();
	alias_set_kinds(false, 0, 0);
	REQUIRE(!differ(BACK, tex1 | BACK), "a hint about allocation");
	REQUIRE(!differ(UNCACHED, UNCACHED | SHARED));
	REQUIRE(!differ(1 << 1, 1 << 1 | SHARED), "a shared device");
	REQUIRE(differ(1 << 1, 2 << 3), "shared and other device");
	REQUIRE(differ(BACK, tex1), "not cached");
	REQUIRE(differ(BACK, THROUGH));
	REQUIRE(differ(tex1, tex1 | SHARED));
	/* outer: TEX[1:0], inner: C, B */
	REQUIRE(!differ(tex1, tex4));
	REQUIRE(!differ(BACK, tex4 | 3 << 3 | 1 << 1));
	REQUIRE(differ(tex4 | 1 << 3, tex4 | 1 << 1), "outer and inner");
	REQUIRE(differ(tex1 | 1 << 1, tex1 | 2 << 1), "reserved");
}

TEST(forms, "each form of an entry maps the pages that the hardware finds there")
{
	unsigned int i;

	begin();
	kernel[0xc01] = section(AREA, ALLOCATE | SHARED);
	seen(256, 256, 0);
	REQUIRE_EQ(alias_areas[0].first[255].addr, 0xc01ff000);
	kernel[0xc01] |= 1;	/* not executable */
	seen(256, 256, 0);
	kernel[0xc01] = 0;

	/* 16 equal entries for 16 MiB, of which the area has the first four */
	for (i = 0; i < 16; i++)
		kernel[0xc10 + i] = section(AREA, ALLOCATE | SHARED) | 1 << 18;
	seen(AREA_PAGES, AREA_PAGES, 0);
	REQUIRE_EQ(alias_areas[0].first[0].addr, 0xc1000000);
	REQUIRE_EQ(alias_areas[0].first[AREA_PAGES - 1].addr, 0xc13ff000);
	memset(kernel, 0, sizeof(kernel));

	kernel[0xfff] = table(3);
	tables[3][255] = small(AREA + 0x5000, BUFFERABLE | SHARED);
	seen(1, 1, 0);
	REQUIRE_EQ(alias_areas[0].first[5].addr, 0xfffff000);
	REQUIRE_EQ(alias_areas[0].first[5].attributes, BUFFERABLE | SHARED);
	tables[3][255] |= 1;
	seen(1, 1, 0);

	for (i = 0; i < 16; i++)
		tables[3][0x20 + i] = large(AREA + 0x10000, ALLOCATE | SHARED);
	seen(17, 17, 0);
	REQUIRE_EQ(alias_areas[0].first[16].addr, 0xfff20000);
	REQUIRE_EQ(alias_areas[0].first[31].addr, 0xfff2f000);
	REQUIRE_EQ(alias_areas[0].first[31].attributes, ALLOCATE | SHARED);
}

TEST(edges, "pages beside an area do not count, and each area does")
{
	begin();
	process[0] = table(0);
	tables[0][0] = small(AREA - PAGE_SIZE, ALLOCATE);
	tables[0][1] = small(AREA + AREA_PAGES * PAGE_SIZE, ALLOCATE);
	tables[0][2] = small(OTHER - PAGE_SIZE, ALLOCATE);
	tables[0][3] = small(OTHER + PAGE_SIZE, ALLOCATE);
	seen(0, 0, 0);
	tables[0][4] = small(OTHER, ALLOCATE);
	tables[0][5] = small(AREA + (AREA_PAGES - 1) * PAGE_SIZE, ALLOCATE);
	seen(2, 2, 0);
	REQUIRE_EQ(alias_areas[1].first[0].addr, 0x4000);
	REQUIRE_EQ(alias_areas[1].first[0].pid, 42);
	kernel[0x800] = section(OTHER, ALLOCATE);
	seen(2, 3, 0);
}

TEST(aliases, "a page with two kinds of mappings is found with both addresses")
{
	u32 page = AREA + 7 * PAGE_SIZE;

	begin();
	kernel[0xc00] = section(AREA, BUFFERABLE | SHARED);
	kernel[0xd00] = table(1);
	tables[1][9] = small(page, BUFFERABLE | SHARED);
	seen(256, 257, 0);

	tables[1][9] = small(page, ALLOCATE | SHARED);
	seen(256, 257, 1);
	found(0, page, 0xc0007000, 0, 0xd0009000, 0);

	/* the same attributes, but not shared */
	tables[1][9] = small(page, BUFFERABLE);
	seen(256, 257, 1);

	process[1] = table(2);
	tables[2][0] = large(AREA, ALLOCATE | SHARED);
	tables[2][1] = small(page, BUFFERABLE | SHARED);
	seen(256, 259, 2);
	found(1, AREA, 0xc0000000, 0, 0x00100000, 42);

	/* all are counted, even if they are more than can be shown */
	kernel[0xd01] = section(AREA, ALLOCATE | SHARED);
	seen(256, 515, 258);
	REQUIRE_EQ(alias_nr_found(), ALIAS_MAX_SHOWN);

	memset(kernel, 0, sizeof(kernel));
	memset(process, 0, sizeof(process));
	seen(0, 0, 0);

	/* nothing but a hint differs */
	kernel[0xc00] = section(AREA, ALLOCATE | SHARED);
	process[1] = table(2);
	tables[2][0] = small(AREA, BACK | SHARED);
	tables[2][1] = 0;
	seen(256, 257, 0);
}

TEST(copies, "what a process has in common with the kernel is seen once; old copies are seen")
{
	begin();
	kernel[0xc00] = section(AREA, ALLOCATE | SHARED);
	process[0xc00] = kernel[0xc00];
	seen(256, 256, 0);
	process[0xc00] = section(AREA, BUFFERABLE | SHARED);
	seen(256, 512, 256);
	found(0, AREA, 0xc0000000, 0, 0xc0000000, 42);
}
