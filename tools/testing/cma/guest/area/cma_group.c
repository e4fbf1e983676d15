// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a memory cgroup that is at its limit: on some kernels they cannot be
 * moved, and allocations go around them
 */
#define TAP_BEGIN ctl_begin
#define TAP_END group_end
#include "tap.h"
#include "guest.h"
#include "place.h"

#include <sys/mount.h>

#define DIR		"/tmp/cgroup"
#define GROUP		DIR "/limited"
#define LIMIT		(16 * MIB)
#define PART_PAGES	(8 * MIB / PAGE)	/* at each end of the area */
#define BUFFERS		32

static void group_end(void)
{
	wait_for_children();
	rmdir(GROUP);
	umount(DIR);
	ctl_end();
}

static void mount_group(void)
{
	mkdir(DIR, 0700);
	if (mount("cgroup", DIR, "cgroup", 0, "memory") && errno != EBUSY)
		skip("no memory cgroups");
	REQUIRE(!mkdir(GROUP, 0700) || errno == EEXIST, "%s", strerror(errno));
}

static void group_write(const char *file, unsigned long value)
{
	char path[64], text[32];
	int ret;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	snprintf(text, sizeof(text), "%lu", value);
	ret = write_file(path, text);
	REQUIRE(!ret, "%s: %s", file, strerror(-ret));
}

static unsigned long group_read(const char *file)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), GROUP "/%s", file);
	read_file(path, text, sizeof(text));
	return strtoul(text, NULL, 10);
}

/* Join the group and take nearly as much memory as it may have. */
static void fill_group(void *unused)
{
	size_t size = LIMIT - MIB / 2, i;
	char *mem = map_anon(size);

	REQUIRE(mem, "no address space");
	group_write("tasks", getpid());
	for (i = 0; i < size; i += PAGE)
		mem[i] = 1;
}

/* Lower the limit to what the group has: it cannot be given one page more. */
static void reach_limit(void)
{
	unsigned long used = number_in(GROUP "/memory.stat", "rss") +
			     number_in(GROUP "/memory.stat", "cache");
	char text[32];
	int i;

	/* pages that were charged in advance are given back in the background */
	snprintf(text, sizeof(text), "%lu", used);
	for (i = 0; i < 50 && write_file(GROUP "/memory.limit_in_bytes", text); i++)
		usleep(20000);
	note("the group has %lu KiB, its limit is %lu KiB",
	     group_read("memory.usage_in_bytes") / 1024,
	     group_read("memory.limit_in_bytes") / 1024);
}

static size_t covered(const struct cma_ctl_alloc *alloc, size_t count,
		      __u64 start, __u64 end)
{
	size_t i, found = 0;

	for (i = 0; i < count; i++)
		found += alloc[i].pfn < end &&
			 alloc[i].pfn + alloc[i].size / PAGE > start;
	return found;
}

TEST(limit, "pages of a memory cgroup at its limit do not stop allocations")
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	__u64 end = area.base_pfn + area.nr_pages;
	struct cma_ctl_alloc alloc[BUFFERS];
	unsigned long us, longest = 0;
	size_t before, count, low, high;
	struct fill fill;
	pid_t pid;

	mount_group();
	before = capacity(ctl, NULL);
	group_write("memory.limit_in_bytes", LIMIT);
	fill_memory(&fill, PLACE_SPARE_KB);
	low = fill_release(&fill, area.base_pfn, area.base_pfn + PART_PAGES, true);
	high = fill_release(&fill, end - PART_PAGES, end, true);
	note("%zu pages were released at the low end of the area, %zu at the high one",
	     low, high);
	pid = start_ready(fill_group, NULL);
	reach_limit();
	fill_release_outside(&fill, &area);
	note("%ld MiB are free", meminfo_kb("MemFree") / 1024);

	for (count = 0; count < BUFFERS; count++) {
		int ret = timed_alloc(ctl, &alloc[count], MIB, &us);

		REQUIRE(!ret, "buffer %zu: %s", count, strerror(-ret));
		if (us > longest)
			longest = us;
	}
	note("%zu buffers, of which %zu are in the low end and %zu in the high end; the longest call took %lu us",
	     count, covered(alloc, count, area.base_pfn,
			    area.base_pfn + PART_PAGES),
	     covered(alloc, count, end - PART_PAGES, end), longest);
	fill_check(&fill);

	/* with room in the group everything can be had */
	group_write("memory.limit_in_bytes", 2 * LIMIT);
	while (count--)
		ctl_free(ctl, &alloc[count]);
	count = capacity(ctl, NULL);
	kill_child(pid);
	REQUIRE(count + 1 >= before, "%zu buffers with a higher limit, %zu at first",
		count, before);
}
