// SPDX-License-Identifier: GPL-2.0
/*
 * alloc_contig_range() on ranges that are available and on ranges that are not:
 * its errno, and that nothing else changes
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

struct counters {
	char types[1024];
	long free_kb;
	long cma_free_kb;
	long isolated;
};

static struct counters count(void)
{
	struct counters c;

	block_types(c.types, sizeof(c.types));
	c.free_kb = meminfo_kb("MemFree");
	c.cma_free_kb = meminfo_kb("CmaFree");
	c.isolated = number_in("/proc/vmstat", "nr_isolated_anon") +
		     number_in("/proc/vmstat", "nr_isolated_file");
	return c;
}

static bool near(long a, long b)
{
	return labs(a - b) <= 512;
}

/*
 * Make one call and compare the state before and after it. Another call is made
 * first: it drains the per-CPU lists of free pages.
 */
static int range_call(unsigned int what)
{
	struct cma_ctl_range range = { .what = what };
	struct counters before, after;
	int ctl = ctl_open();
	int ret;

	ioctl(ctl, CMA_CTL_RANGE, &range);
	before = count();
	REQUIRE(before.types[0], "/proc/pagetypeinfo has no block types");
	ret = ioctl(ctl, CMA_CTL_RANGE, &range) ? errno : 0;
	if (ret == ENODEV)
		skip("no default area");
	REQUIRE(!ret, "ioctl: %s", strerror(ret));
	after = count();
	REQUIRE(!strcmp(before.types, after.types), "\nbefore: %s\nafter: %s",
		before.types, after.types);
	REQUIRE(near(before.free_kb, after.free_kb), "MemFree %ld, now %ld",
		before.free_kb, after.free_kb);
	REQUIRE(near(before.cma_free_kb, after.cma_free_kb),
		"CmaFree %ld, now %ld", before.cma_free_kb, after.cma_free_kb);
	REQUIRE(after.isolated == 0, "%ld isolated pages", after.isolated);
	close(ctl);
	return range.ret;
}

TEST(slab, "a block with a slab page fails with EBUSY and is unchanged")
{
	int i;

	for (i = 0; i < 20; i++) {
		int ret = range_call(CMA_CTL_RANGE_SLAB);

		REQUIRE(ret == -EBUSY, "it returned %d", ret);
	}
}

TEST(held, "a range with a driver's page fails with EBUSY and is unchanged")
{
	int i;

	for (i = 0; i < 20; i++) {
		int ret = range_call(CMA_CTL_RANGE_HELD);

		REQUIRE(ret == -EBUSY, "it returned %d", ret);
	}
}

TEST(free_range, "a free range can be taken and returned")
{
	int i;

	for (i = 0; i < 20; i++) {
		int ret = range_call(CMA_CTL_RANGE_FREE);

		REQUIRE(ret == 0, "it returned %d", ret);
	}
}

/* The page of this process is moved together with its contents. */
TEST(moved, "the page of a process is moved out of a requested range")
{
	struct cma_ctl_range range = { .what = CMA_CTL_RANGE_PFN };
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	struct ballast ballast;
	size_t size = 4 * MIB;
	size_t moved = 0;
	__u64 pfn;
	char *mem;
	size_t i;

	ballast_load(&ballast, 16 * 1024);
	ballast_leave_area(&ballast, &area);
	mem = map_anon(size);
	REQUIRE(mem, "no address space");
	fill_pages(mem, size, 1);
	ballast_drop(&ballast, &area, 16 * 1024);
	for (i = 0; i < size; i += PAGE) {
		pfn = pfn_of(mem + i);
		if (!in_area(&area, pfn))
			continue;
		range.pfn = pfn;
		range.nr_pages = 1;
		REQUIRE(!ioctl(ctl, CMA_CTL_RANGE, &range), "%s",
			strerror(errno));
		REQUIRE(!range.ret, "page frame %#llx: %d",
			(unsigned long long)pfn, range.ret);
		REQUIRE(pfn_of(mem + i) != pfn, "page frame %#llx was kept",
			(unsigned long long)pfn);
		moved++;
	}
	note("%zu of %zu pages were in the area", moved, size / PAGE);
	REQUIRE(moved, "no page to move");
	REQUIRE(first_wrong(mem, size, 1) < 0, "page %ld has changed",
		first_wrong(mem, size, 1));
}
