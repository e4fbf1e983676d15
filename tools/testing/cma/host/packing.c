// SPDX-License-Identifier: GPL-2.0
/*
 * Where buffers are placed: the largest range without a buffer, compared with
 * what perfect packing of the same buffers would leave.
 *
 * Buffers that live equally long and are freed at random leave holes that no
 * placement can avoid. If nothing but random frees takes an area from a share
 * P of its size in use to a share L, the largest range of a perfectly packed
 * area is about (1 - P) / (1 - L) of what is free: 0.57 for 60 % to 30 %. The
 * promise therefore is for areas of which a twentieth is in use, and for the
 * small buffers that remain when large ones have come and gone.
 */
#include "stubs.h"
#include <linux/cma.h>
#include "cma.h"

#define BASE		0x60400UL
#define PAGES		16384UL		/* 64 MiB */
#define MIDDLE		(PAGES / 2)
#define SMALL		64UL		/* pages of the largest small buffer */
#define LARGEST		1024UL
#define STEPS		100000
#define SEEDS		3		/* if the load itself is to be packed */
#define BUFFERS		8192
#define GROUPS		3		/* of large buffers that come and go together */
#define GROUP		6

static struct cma *cma;
static struct buffer { struct page *page; unsigned long count; } live[BUFFERS];
static unsigned int nr_live;
static unsigned long live_pages;
static unsigned int seed;
static bool in_use;		/* movable pages use what is free */

static void new_area(bool used)
{
	host_pages(BASE, PAGES);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(PAGES), 0, "test", &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	in_use = used;
	if (in_use)
		host_set(BASE, PAGES, PAGE_MOVABLE);
}

static unsigned long offset(const struct page *page)
{
	return page_to_pfn(page) - BASE;
}

/* The longest range that can be emptied, in percent of the pages without a buffer */
static unsigned int packed(void)
{
	unsigned long start, end = 0, longest = 0;

	while (end < PAGES) {
		start = find_next_zero_bit(cma->bitmap, PAGES, end);
		end = find_next_bit(cma->bitmap, PAGES, start);
		longest = max(longest, end - start);
	}
	return 100 * longest / (PAGES - live_pages);
}

/* As dma_alloc_coherent() aligns them */
static unsigned int align_order(unsigned long count)
{
	unsigned int order = 0;

	while (order < 8 && 1UL << order < count)
		order++;
	return order;
}

static unsigned long random_below(unsigned long limit)
{
	return ((unsigned long)rand_r(&seed) << 15 ^ rand_r(&seed)) % limit;
}

/* Between two powers of two, all of which are equally likely, up to @limit */
static unsigned long random_count(unsigned long limit)
{
	unsigned long order = random_below(ilog2(limit) + 1);

	return min((1UL << order) + random_below(1UL << order), limit);
}

/* Allocate, and account for it. False if there is no range. */
static bool get(unsigned long count)
{
	struct page *page = cma_alloc(cma, count, align_order(count), true);

	if (!page)
		return false;
	REQUIRE(nr_live < BUFFERS, "%u buffers", nr_live);
	REQUIRE_EQ(cma_buffer_pages(cma, page), count);
	live[nr_live++] = (struct buffer){ page, count };
	live_pages += count;
	return true;
}

static void put(unsigned int i)
{
	unsigned long start = offset(live[i].page), end = start + live[i].count;

	REQUIRE(cma_release(cma, live[i].page, live[i].count));
	live_pages -= live[i].count;
	live[i] = live[--nr_live];
	/* Others use the pages again sooner or later, those in front first */
	if (in_use && random_below(2))
		host_set(BASE + start, (end - start + 1) / 2, PAGE_MOVABLE);
}

static void put_large(void)
{
	unsigned int i = nr_live;

	while (i--)
		if (live[i].count > SMALL)
			put(i);
}

static void put_page_of(const struct page *page)
{
	unsigned int i;

	for (i = 0; live[i].page != page; i++)
		REQUIRE(i < nr_live, "no such buffer");
	put(i);
}

TEST(hole, "a small buffer does not go into a free hole in the middle of an area in use")
{
	new_area(true);
	host_set(BASE + MIDDLE, 256, PAGE_FREE);
	REQUIRE(get(16));
	REQUIRE_EQ(offset(live[0].page), 0);
	REQUIRE(packed() == 100);
	REQUIRE(get(10240));		/* 40 MiB */
}

TEST(holes, "16 small buffers, each with a free hole elsewhere, leave all else in one piece")
{
	unsigned int i;

	new_area(true);
	for (i = 0; i < 16; i++) {
		host_set(BASE + 1024 + random_below(PAGES - 2048), 64, PAGE_FREE);
		REQUIRE(get(16));
	}
	REQUIRE(packed() >= 98, "%u %%", packed());
}

TEST(large_high, "large buffers do not go into a free hole in the middle either")
{
	new_area(true);
	host_set(BASE + MIDDLE, 1024, PAGE_FREE);
	REQUIRE(get(256));
	REQUIRE(get(256));
	REQUIRE(packed() >= 90, "%u %%", packed());
}

static const struct load {
	const char	*name;
	unsigned int	percent;	/* of the area that is allocated */
	bool		in_use;
	bool		packed;		/* while there are large buffers, too */
} loads[] = {
	{ "5 % allocated, the rest free", 5, false, true },
	{ "5 % allocated, the rest in use", 5, true, true },
	{ "10 % allocated", 10, true, false },
	{ "30 % allocated", 30, true, false },
	{ "60 % allocated", 60, true, false },
};

static const char *load_name(size_t row)
{
	return loads[row].name;
}

TEST_TABLE(random, "100,000 allocations and frees of 4 KiB to 4 MiB", ARRAY_SIZE(loads), load_name)
{
	unsigned long limit = PAGES * loads[row].percent / 100, nr_failed = 0;
	unsigned int i, nr_seeds = loads[row].packed ? SEEDS : 1;

	new_area(loads[row].in_use);
	for (i = 1; i <= nr_seeds * STEPS; i++) {
		if (i % STEPS == 0) {
			printf("# %u %% of perfect packing, %lu failed\n", packed(), nr_failed);
			if (loads[row].packed)
				REQUIRE(packed() >= 90, "%u %%", packed());
			put_large();
			REQUIRE(packed() >= 90, "%u %% without the large buffers", packed());
			seed = i;
		}
		if (live_pages < limit && get(random_count(LARGEST)))
			continue;
		nr_failed += live_pages < limit;
		if (nr_live)
			put(random_below(nr_live));
	}
	host_check_area(cma);
}

static const char *seed_name(size_t row)
{
	static const char *const names[] = { "seed 1", "seed 2", "seed 3", "seed 4" };

	return names[row];
}

TEST_TABLE(sessions, "small buffers that live long, and groups of large ones that come and go", 4,
	   seed_name)
{
	static struct page *group[GROUPS][GROUP];
	unsigned int i, j, nr_measured = 0, sum = 0, lowest = 100;

	new_area(true);
	seed = row + 1;
	for (i = 0; i < STEPS; i++) {
		unsigned int g = random_below(GROUPS), nr = 2 + random_below(GROUP - 1);
		unsigned long count = SMALL + 1 + random_below(LARGEST - SMALL);

		if (random_below(50)) {
			/* One in four small buffers lives long */
			j = random_below(nr_live + 1);
			if (random_below(2) && nr_live < 40)
				get(random_count(SMALL));
			else if (j < nr_live && live[j].count <= SMALL &&
				 (j % 4 || !random_below(16)))
				put(j);
			continue;
		}
		for (j = 0; j < GROUP && group[g][j]; j++) {
			put_page_of(group[g][j]);
			group[g][j] = NULL;
		}
		if (j)
			nr = 0;
		for (j = 0; j < nr && get(count); j++)
			group[g][j] = live[nr_live - 1].page;
		if (!group[0][0] && !group[1][0] && !group[2][0]) {
			lowest = min(lowest, packed());
			sum += packed();
			nr_measured++;
		}
	}
	REQUIRE(nr_measured > 50, "%u", nr_measured);
	printf("# %u %% on average, %u %% at least\n", sum / nr_measured, lowest);
	REQUIRE(lowest >= 90, "%u %%", lowest);
	host_check_area(cma);
}
