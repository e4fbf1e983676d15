// SPDX-License-Identifier: GPL-2.0
/*
 * The allocator of io addresses: that ranges are what was asked for, that nothing
 * is lost, and that it does not take longer with more ranges in use
 */
#include "iova.h"
#include "dma-iova.h"

#define PAGES_4M	1024UL
#define ATOMIC		0x20U
#define BASE		0x40000000U
#define PAGE_OF(addr)	((addr) >> PAGE_SHIFT)

static struct iova_space *space;
static unsigned long blocks;
static struct range { dma_addr_t addr; unsigned long nr; } live[65536];
static unsigned int nr_live, seed = 1;

void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

static void new_space(dma_addr_t base, u64 size, unsigned int order)
{
	space = arm_iova_create(base, size, order);
	REQUIRE(!IS_ERR(space), "%ld", PTR_ERR(space));
}

static dma_addr_t get(unsigned long nr)
{
	dma_addr_t addr;

	REQUIRE_EQ(arm_iova_alloc(space, nr, ATOMIC, &addr), 0, "%lu pages", nr);
	return addr;
}

static int try_get(unsigned long nr)
{
	dma_addr_t addr;

	return arm_iova_alloc(space, nr, ATOMIC, &addr);
}

static void put(dma_addr_t addr, unsigned long nr)
{
	REQUIRE(arm_iova_retire(space, addr, nr), "%#x, %lu pages", addr, nr);
	arm_iova_recycle(space, addr, nr);
}

TEST(arguments, "create() refuses spaces that are not aligned, empty, or beyond 4 GiB")
{
	static const struct { dma_addr_t base; u64 size; unsigned int order; } wrong[] = {
		{ 0x1000, 0, 0 }, { 0x1000, 0xfff, 0 }, { 0x1800, 0x10000, 0 },
		{ 0x1000, 0x10000, 4 }, { 0x10000, 0xf000, 4 }, { 0, 1 << 30, 11 },
		{ 0xf0000000, 0x10001000, 0 }, { 0xfffff000, 0x1000, 0 }, { 0, ~0ULL, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		REQUIRE_EQ(PTR_ERR(arm_iova_create(wrong[i].base, wrong[i].size,
						   wrong[i].order)), -EINVAL, "row %u", i);
	host.fail_kzalloc = 1;
	REQUIRE_EQ(PTR_ERR(arm_iova_create(BASE, 1 << 20, 0)), -ENOMEM);

	new_space(BASE, 0x12fff, 4);
	REQUIRE_EQ(arm_iova_end(space), BASE + 0x10000ULL);
	arm_iova_destroy(space);
	new_space(0, 1ULL << 32, 0);
	REQUIRE_EQ(arm_iova_end(space), 0xfffff000ULL);
	arm_iova_destroy(space);
}

TEST(align, "a range is aligned to its size, rounded up, up to 4 MiB, and to 16 MiB at best")
{
	static const unsigned long sizes[][2] = {
		{ 1, 1 }, { 2, 2 }, { 3, 4 }, { 16, 16 }, { 17, 32 }, { 256, 256 }, { 257, 512 },
		{ 1023, 1024 }, { 1024, 1024 }, { 1025, 2048 }, { 2049, 4096 }, { 4096, 4096 },
		{ 5000, 4096 }, { 9000, 4096 },
	};
	unsigned int i;

	new_space(BASE + PAGE_SIZE, 1 << 30, 0);
	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		const unsigned long *size = sizes[i % ARRAY_SIZE(sizes)];
		dma_addr_t addr = get(size[0]);

		REQUIRE_EQ(PAGE_OF(addr) % size[1], 0, "%lu pages at %#x", size[0], addr);
	}
	arm_iova_destroy(space);
}

/* How many ranges of so many pages are there until the space is full? */
static unsigned long fill(unsigned long nr)
{
	dma_addr_t addr;

	nr_live = 0;
	while (!arm_iova_alloc(space, nr, ATOMIC, &addr))
		live[nr_live++] = (struct range){ addr, nr };
	return nr_live;
}

static void put_all(void)
{
	while (nr_live) {
		nr_live--;
		put(live[nr_live].addr, live[nr_live].nr);
	}
}

TEST(full, "each page of a space is given out once, whatever its base and its size are")
{
	static const unsigned long spaces[][2] = {
		{ 0x40000, 1 }, { 0x40000, 1024 }, { 0x40001, 1023 }, { 0x40001, 1024 },
		{ 0x403ff, 3 }, { 0x40123, 5000 }, { 0, 7 }, { 0xff000, 4095 },
	};
	unsigned long i, nr, last;

	for (i = 0; i < ARRAY_SIZE(spaces); i++) {
		bool seen[5000] = { false };

		nr = spaces[i][1];
		new_space(spaces[i][0] << PAGE_SHIFT, nr << PAGE_SHIFT, 0);
		REQUIRE_EQ(fill(1), nr, "space %lu", i);
		REQUIRE_EQ(try_get(1), -ENOSPC);
		for (last = 0; last < nr; last++) {
			unsigned long page = PAGE_OF(live[last].addr) - spaces[i][0];

			REQUIRE(page < nr && !seen[page], "page %#lx of space %lu", page, i);
			seen[page] = true;
		}
		put_all();
		REQUIRE_EQ(fill(1), nr, "space %lu again", i);
		put_all();
		arm_iova_destroy(space);
	}
}

TEST(merge, "after all ranges were freed, the space is one range again")
{
	static const unsigned long sizes[] = { 1, 3, 16, 100, 256, 700, 1024, 2000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		new_space(BASE, 64 << 20, 0);
		REQUIRE(fill(sizes[i]) >= (64 << 8) / sizes[i] / 2, "%u of %lu", nr_live, sizes[i]);
		/* every other one first */
		for (unsigned int j = 0; j < nr_live; j += 2) {
			put(live[j].addr, live[j].nr);
			live[j] = live[nr_live - 1];
			nr_live--;
		}
		put_all();
		REQUIRE_EQ(get(64 << 8), BASE, "after ranges of %lu pages", sizes[i]);
		arm_iova_destroy(space);
	}
}

TEST(tails, "what a range does not need of its blocks is used by others")
{
	unsigned long nr = 64 << 8;

	new_space(BASE, 64 << 20, 0);
	get(4 * PAGES_4M + 1);		/* 16 MiB and a page */
	get(PAGES_4M + 5);
	get(513);
	nr -= 4 * PAGES_4M + 1 + PAGES_4M + 5 + 513;
	REQUIRE_EQ(fill(1), nr);
	arm_iova_destroy(space);
}

TEST(large, "a large range fits into what is free, if not aligned to 16 MiB, then to 4 MiB")
{
	dma_addr_t addr;

	new_space(BASE, 40 << 20, 0);
	addr = get(1);			/* in the first 4 MiB */
	REQUIRE_EQ(get(36 << 8), BASE + (4 << 20));
	REQUIRE_EQ(try_get(PAGES_4M + 1), -ENOSPC);
	put(BASE + (4 << 20), 36 << 8);
	/* the last 4 MiB are in use, too, but only their end */
	put(addr, 1);
	arm_iova_destroy(space);

	new_space(BASE, 22 << 20, 0);
	REQUIRE_EQ(get(22 << 8), BASE);
	put(BASE, 22 << 8);
	REQUIRE_EQ(get((22 << 8) - 3), BASE);
	REQUIRE_EQ(fill(1), 3);
	arm_iova_destroy(space);

	new_space(BASE + (2 << 20), 22 << 20, 0);	/* begins in a region */
	REQUIRE_EQ(try_get(21 << 8), -ENOSPC);
	REQUIRE_EQ(get(20 << 8), BASE + (4 << 20));
	REQUIRE_EQ(fill(1), 2 << 8);
	arm_iova_destroy(space);
}

TEST(part, "a part of a range, or more than a range, is not freed")
{
	dma_addr_t addr, next;

	new_space(BASE, 64 << 20, 0);
	addr = get(16);
	next = get(16);
	REQUIRE_EQ(next, addr + (16 << PAGE_SHIFT));
	REQUIRE(!arm_iova_retire(space, addr, 15));
	REQUIRE(!arm_iova_retire(space, addr, 32));
	REQUIRE(!arm_iova_retire(space, addr, 0));
	REQUIRE(!arm_iova_retire(space, addr + PAGE_SIZE, 0));
	REQUIRE(!arm_iova_retire(space, addr + PAGE_SIZE, 15));
	REQUIRE(!arm_iova_retire(space, BASE - PAGE_SIZE, 1));
	REQUIRE(!arm_iova_retire(space, BASE + (64 << 20), 1));
	REQUIRE(!arm_iova_retire(space, BASE + (32 << 20), 1));
	put(addr, 16);
	REQUIRE(!arm_iova_retire(space, addr, 16));
	put(next, 16);

	addr = get(5000);	/* more than a region */
	REQUIRE(!arm_iova_retire(space, addr, 4096));
	REQUIRE(!arm_iova_retire(space, addr + (4 << 20), 5000 - 1024));
	put(addr, 5000);
	REQUIRE_EQ(get(64 << 8), BASE);
	arm_iova_destroy(space);
}

TEST(retired, "a range that was retired is not one any more, nor is it used again")
{
	static const unsigned long sizes[] = { 1, 7, 1024, 5000 };
	unsigned int i;

	new_space(BASE, 64 << 20, 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long nr = sizes[i], last;
		dma_addr_t addr = get(nr);

		put(get(nr), nr);	/* the one that is kept for the next request */
		REQUIRE(arm_iova_retire(space, addr, nr));
		REQUIRE(!arm_iova_retire(space, addr, nr), "twice");
		REQUIRE_EQ(fill(1), (64 << 8) - nr);
		for (last = 0; last < nr_live; last++)
			REQUIRE(live[last].addr < addr ||
				live[last].addr >= addr + (nr << PAGE_SHIFT), "%#x", addr);
		put_all();
		arm_iova_recycle(space, addr, nr);
		REQUIRE_EQ(fill(1), 64 << 8);
		put_all();
	}
	arm_iova_destroy(space);
}

TEST(order, "no range is smaller than the smallest one, or less aligned")
{
	dma_addr_t addr;

	new_space(BASE, 1 << 20, 4);
	addr = get(17);
	REQUIRE(!arm_iova_retire(space, addr, 18));
	REQUIRE(!arm_iova_retire(space, addr, 16));
	REQUIRE(!arm_iova_retire(space, addr, 32));
	REQUIRE_EQ(fill(1), 14);
	REQUIRE_EQ(live[3].addr % 0x10000, 0);
	put(addr, 17);
	put_all();
	REQUIRE_EQ(fill(32), 8);
	arm_iova_destroy(space);
}

TEST(memory, "a space grows only when it is full, and a failure loses nothing")
{
	dma_addr_t addr;

	new_space(BASE, 64 << 20, 0);
	REQUIRE_EQ(try_get(0), -EINVAL);
	REQUIRE_EQ(try_get((64 << 8) + 1), -ENOSPC);
	host.fail_kzalloc = 1;
	REQUIRE_EQ(try_get(1), -ENOMEM);
	addr = get(1);

	host.fail_kzalloc = 1;
	put(get(512), 512);
	get(512);
	REQUIRE_EQ(try_get(512), -ENOMEM);	/* 511 pages are left, and need no memory */
	get(512);
	host.fail_kzalloc = 2;
	REQUIRE_EQ(try_get(2048), -ENOMEM);
	host.fail_kzalloc = 0;
	put(addr, 1);
	REQUIRE_EQ(fill(1), (64 << 8) - 1024);
	arm_iova_destroy(space);
}

TEST(leaf, "the order of a larger page is kept for each 64 KiB of a range")
{
	dma_addr_t addr, end;
	unsigned int i = 0;

	new_space(BASE, 64 << 20, 0);
	addr = get(5000);
	end = addr + (5000 << PAGE_SHIFT);
	for (dma_addr_t a = addr; a < end; a += PAGE_SIZE) {
		u8 *leaf = arm_iova_leaf(space, a);

		REQUIRE_EQ(!leaf, a % 0x10000 != 0);
		if (leaf)
			REQUIRE_EQ(*leaf, 0);
		if (leaf)
			*leaf = ++i % 251;
	}
	i = 0;
	for (dma_addr_t a = addr; a < end; a += 0x10000)
		REQUIRE_EQ(*arm_iova_leaf(space, a), ++i % 251);
	arm_iova_destroy(space);
}

/* Basic blocks that an allocation and a free go through */
static unsigned long cost(unsigned long nr)
{
	unsigned long before = blocks;

	put(get(nr), nr);
	return blocks - before;
}

TEST(flat, "with 64 and with 1,024 ranges, one more takes as long as with none")
{
	static const unsigned long sizes[] = { 1, 2, 3, 16, 31, 64, 100, 255, 256 };
	unsigned long nr, first, c, worst = 0;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			new_space(BASE, 0xbf000000, 0);
			cost(sizes[i]);
			first = cost(sizes[i]);
			for (nr = 0; nr < 1024; nr++) {
				get(sizes[j]);
				cost(sizes[i]);	/* not in the middle of what it had */
				c = cost(sizes[i]);
				REQUIRE(c * 10 <= first * 11 && c * 10 >= first * 9,
					"%lu and %lu basic blocks for %lu pages among %lu of %lu",
					first, c, sizes[i], nr, sizes[j]);
			}
			arm_iova_destroy(space);
		}
	}

	/* The same for ranges that stay, which split and merge blocks */
	new_space(BASE, 0xbf000000, 0);
	for (nr = 0; nr < 4096; nr++) {
		c = blocks;
		get(sizes[nr % ARRAY_SIZE(sizes)]);
		worst = max(worst, blocks - c);
	}
	REQUIRE(worst < 600, "%lu basic blocks", worst);
	arm_iova_destroy(space);
}

TEST(linear, "a large range takes time for its pages, not for the space")
{
	unsigned long nr, before;

	new_space(0, 1ULL << 32, 0);
	/* nothing of 16 MiB is free but at the end */
	for (nr = 0; nr < 1000; nr++)
		get(PAGES_4M - 1);
	before = blocks;
	get(16 << 8);
	REQUIRE(blocks - before < 100000, "%lu basic blocks", blocks - before);
	arm_iova_destroy(space);
}

static unsigned long random_below(unsigned long limit)
{
	return ((unsigned long)rand_r(&seed) << 15 ^ rand_r(&seed)) % limit;
}

TEST(random, "ranges of random sizes never overlap, and all of the space is free afterwards")
{
	static unsigned short owner[64 << 8];
	unsigned long page, nr, i;

	new_space(BASE, 64 << 20, 0);
	for (unsigned int step = 1; step < 60000; step++) {
		if (nr_live < 1000 && random_below(2)) {
			dma_addr_t addr;

			nr = 1 + random_below(1UL << random_below(14));
			if (arm_iova_alloc(space, nr, ATOMIC, &addr))
				continue;
			live[nr_live++] = (struct range){ addr, nr };
			for (page = PAGE_OF(addr - BASE), i = 0; i < nr; i++, page++) {
				REQUIRE(page < ARRAY_SIZE(owner) && !owner[page],
					"page %lu in step %u", page, step);
				owner[page] = 1;
			}
		} else if (nr_live) {
			struct range *r = &live[random_below(nr_live)];

			put(r->addr, r->nr);
			memset(owner + PAGE_OF(r->addr - BASE), 0, r->nr * sizeof(*owner));
			*r = live[--nr_live];
		}
	}
	put_all();
	REQUIRE_EQ(get(64 << 8), BASE);
	arm_iova_destroy(space);
}

static void *allocate_and_free(void *seed_of_thread)
{
	unsigned int s = (unsigned long)seed_of_thread, i;

	for (i = 0; i < 20000; i++) {
		unsigned long nr = 1 + rand_r(&s) % 300;
		dma_addr_t addr;

		if (arm_iova_alloc(space, nr, ATOMIC, &addr))
			continue;
		*arm_iova_leaf(space, addr & ~0xffffU) = 0;
		if (!arm_iova_retire(space, addr, nr))
			return "not retired";
		arm_iova_recycle(space, addr, nr);
	}
	return NULL;
}

TEST(threads, "four threads allocate and free, and nothing is lost")
{
	pthread_t threads[4];
	void *result;

	new_space(BASE, 32 << 20, 0);
	for (unsigned long i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, allocate_and_free, (void *)(i + 1));
	for (unsigned long i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		REQUIRE(!result, "%s", (char *)result);
	}
	REQUIRE_EQ(get(32 << 8), BASE);
	arm_iova_destroy(space);
}
