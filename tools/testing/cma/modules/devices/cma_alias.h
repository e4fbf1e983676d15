/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walk ARM page tables of short descriptors, and find pages of areas that are mapped with
 * different memory attributes. host/alias.c tests it on this machine.
 *
 * Before it includes this, a file defines what gives access to a table of the second
 * level at a physical address, and what ends that:
 *
 *	static const u32 *alias_map_table(u32 phys);
 *	static void alias_unmap_table(const u32 *table);
 */
#ifndef CMA_ALIAS_H
#define CMA_ALIAS_H

#define ALIAS_MAX_AREAS		16
/* Aliases of one check that are printed */
#define ALIAS_MAX_SHOWN		8

/* Entries of both levels have their type in the lowest bits */
#define ENTRY_TYPE(entry)	((entry) & 3)
#define L1_TABLE		1
#define L1_SECTION		2	/* 3: the same, which cannot be executed */
#define L1_SUPERSECTION		BIT(18)
#define L1_ENTRIES		4096
#define L1_SHIFT		20
#define L2_LARGE		1	/* 2, and 3 without execution: small */
#define L2_ENTRIES		256

/* A kind of memory is 0 for none, and differs if the hardware treats it differently */
#define KIND_VALID		BIT(7)
#define KIND_SHARED		BIT(6)
#define KIND_OUTER(policy)	((policy) << 4)
#define KIND_INNER(policy)	((policy) << 2)

enum { MEMORY_ORDERED, MEMORY_DEVICE, MEMORY_NORMAL };

/*
 * As TEX and NMRR encode them, but that a hint about allocation makes no
 * difference: 3 is read as 1.
 */
enum { POLICY_NONE, POLICY_BACK, POLICY_THROUGH };

/* A mapping of a page; @attributes: TEX[2:0], C, B, S of its entry */
struct alias_mapping {
	u32 addr;
	pid_t pid;
	u8 kind;
	u8 attributes;
};

struct alias_area {
	unsigned long pfn;
	unsigned long nr_pages;
	struct alias_mapping *first;	/* mapping of each page */
};

struct alias_found {
	unsigned long pfn;
	struct alias_mapping mapping[2];
};

struct alias_check {
	unsigned long mapped;
	unsigned long mappings;
	unsigned int spaces;
	unsigned int aliases;
	u32 us;
	struct alias_found found[ALIAS_MAX_SHOWN];
};

/* Constant after the module was loaded */
static struct alias_area alias_areas[ALIAS_MAX_AREAS];
static unsigned int alias_nr_areas;
static u8 alias_kinds[64];		/* by the attributes of an entry */
static const u32 *alias_kernel;		/* the first level of init_mm */
/* Protected by whoever runs a check, like alias_area.first */
static struct alias_check alias_check;

static u8 alias_policy(u32 bits)
{
	bits &= 3;
	return bits == 3 ? POLICY_BACK : bits;
}

static u8 alias_kind(u8 type, u8 inner, u8 outer, bool shared)
{
	u8 kind = KIND_VALID | type;

	if (type == MEMORY_ORDERED)
		return kind;
	if (type == MEMORY_NORMAL)
		kind |= KIND_INNER(inner) | KIND_OUTER(outer);
	return shared ? kind | KIND_SHARED : kind;
}

static u8 alias_kind_remapped(u32 prrr, u32 nmrr, u8 attributes)
{
	u8 n = (attributes >> 1 & 7);	/* TEX[0], C, B */
	bool s = attributes & 1;
	u8 type = prrr >> 2 * n & 3;

	return alias_kind(type, alias_policy(nmrr >> 2 * n),
			  alias_policy(nmrr >> (2 * n + 16)),
			  prrr >> ((type == MEMORY_NORMAL ? 18 : 16) + s) & 1);
}

/* See "TEX, C, and B encodings" of the architecture, without remapping */
static u8 alias_kind_classic(u8 attributes)
{
	u8 tex = attributes >> 3;
	u8 cb = attributes >> 1 & 3;
	bool s = attributes & 1;

	if (tex & 4)
		return alias_kind(MEMORY_NORMAL, alias_policy(cb),
				  alias_policy(tex), s);
	switch (tex << 2 | cb) {
	case 0:
		return alias_kind(MEMORY_ORDERED, 0, 0, true);
	case 1:
		return alias_kind(MEMORY_DEVICE, 0, 0, true);
	case 2:
		return alias_kind(MEMORY_NORMAL, POLICY_THROUGH,
				  POLICY_THROUGH, s);
	case 3:
	case 7:
		return alias_kind(MEMORY_NORMAL, POLICY_BACK, POLICY_BACK, s);
	case 4:
		return alias_kind(MEMORY_NORMAL, POLICY_NONE, POLICY_NONE, s);
	case 8:
		return alias_kind(MEMORY_DEVICE, 0, 0, false);
	default:	/* reserved: each differs from all others */
		return KIND_VALID | 3 | cb << 2 | tex << 4;
	}
}

static void alias_set_kinds(bool remapped, u32 prrr, u32 nmrr)
{
	u8 i;

	for (i = 0; i < ARRAY_SIZE(alias_kinds); i++)
		alias_kinds[i] = remapped ? alias_kind_remapped(prrr, nmrr, i) :
			alias_kind_classic(i);
}

static const char *alias_kind_name(u8 kind)
{
	static const char *const normal[] = {
		"not cached", "write-back", "write-through",
	};

	switch (kind & 3) {
	case MEMORY_ORDERED:
		return "strongly ordered";
	case MEMORY_DEVICE:
		return "device";
	case MEMORY_NORMAL:
		return normal[kind >> 2 & 3];
	}
	return "reserved";
}

static unsigned int alias_nr_found(void)
{
	return min_t(unsigned int, alias_check.aliases, ALIAS_MAX_SHOWN);
}

/* Forget the check before */
static void alias_reset(void)
{
	unsigned int i;

	memset(&alias_check, 0, sizeof(alias_check));
	for (i = 0; i < alias_nr_areas; i++)
		memset(alias_areas[i].first, 0, alias_areas[i].nr_pages *
		       sizeof(*alias_areas[i].first));
}

static void alias_see(struct alias_mapping *first, unsigned long pfn, u32 addr,
		      pid_t pid, u8 attributes)
{
	struct alias_check *check = &alias_check;
	struct alias_mapping mapping = {
		.addr = addr,
		.pid = pid,
		.kind = alias_kinds[attributes],
		.attributes = attributes,
	};
	struct alias_found *found;

	check->mappings++;
	if (!first->kind) {
		*first = mapping;
		check->mapped++;
		return;
	}
	if (first->kind == mapping.kind)
		return;
	if (check->aliases < ALIAS_MAX_SHOWN) {
		found = &check->found[check->aliases];
		found->pfn = pfn;
		found->mapping[0] = *first;
		found->mapping[1] = mapping;
	}
	check->aliases++;
}

static void alias_see_range(unsigned long pfn, unsigned long nr_pages, u32 addr,
			    pid_t pid, u8 attributes)
{
	unsigned long start, end;
	unsigned int i;

	for (i = 0; i < alias_nr_areas; i++) {
		struct alias_area *area = &alias_areas[i];

		start = max(pfn, area->pfn);
		end = min(pfn + nr_pages, area->pfn + area->nr_pages);
		for (; start < end; start++)
			alias_see(&area->first[start - area->pfn], start,
				  addr + ((start - pfn) << PAGE_SHIFT), pid,
				  attributes);
	}
}

static void alias_walk_table(const u32 *table, u32 addr, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < L2_ENTRIES; i++, addr += PAGE_SIZE) {
		u32 entry = table[i];
		u8 attributes = (entry >> 2 & 3) << 1 | (entry >> 10 & 1);
		unsigned long pfn = entry >> PAGE_SHIFT;

		if (!ENTRY_TYPE(entry))
			continue;
		if (ENTRY_TYPE(entry) == L2_LARGE) {
			/* each of 16 equal entries stands for one page of the 16 */
			pfn = (pfn & ~15UL) | (i & 15);
			attributes |= (entry >> 12 & 7) << 3;
		} else {
			attributes |= (entry >> 6 & 7) << 3;
		}
		alias_see_range(pfn, 1, addr, pid, attributes);
	}
}

static void alias_walk_entry(u32 entry, u32 addr, pid_t pid)
{
	unsigned long pfn = entry >> PAGE_SHIFT;
	const u32 *table;

	switch (ENTRY_TYPE(entry)) {
	case 0:
		return;
	case L1_TABLE:
		table = alias_map_table(entry & ~1023U);
		alias_walk_table(table, addr, pid);
		alias_unmap_table(table);
		return;
	}
	if (entry & L1_SUPERSECTION)
		pfn = (entry >> 24 << 4 | (addr >> L1_SHIFT & 15)) << 8;
	else
		pfn = pfn & ~255UL;
	alias_see_range(pfn, L2_ENTRIES, addr, pid,
			(entry >> 12 & 7) << 3 | (entry >> 2 & 3) << 1 |
			(entry >> 16 & 1));
}

/*
 * The kernel's half of the page tables of a process is a copy of the first level of
 * init_mm, which can be out of date.
 */
static void alias_walk(const u32 *l1, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < L1_ENTRIES; i++)
		if (!pid || l1[i] != alias_kernel[i])
			alias_walk_entry(l1[i], i << L1_SHIFT, pid);
	alias_check.spaces++;
}

#endif
