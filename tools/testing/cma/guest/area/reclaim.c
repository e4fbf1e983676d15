// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim and an area with plenty of free pages: when only unmovable memory is
 * short, movable pages go into the area, and no page cache is thrown out
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"
#include "outside.h"

#include <sched.h>
#include <sys/resource.h>

#define DATA		"/mnt/data.bin"
#define DISK		"/dev/mmcblk0"
#define MAX_PIPES	4000
#define SPARE_KB	7000		/* above the watermarks */

static unsigned int nr_pipes;

/* Take 64 KiB, as long as there are descriptors */
static void use_pipe(void)
{
	REQUIRE(nr_pipes++ < MAX_PIPES, "too many pipes");
	fill_pipe();
}

/* Let unmovable requests have @kb, in steps that leave kswapd time or not */
static void fill_pipes(long kb, unsigned int pause_us)
{
	for (; kb > 0; kb -= PIPE_KB) {
		use_pipe();
		if (pause_us)
			usleep(pause_us);
	}
}

/* Start with the area taken, and as many descriptors as the pipes need */
static void begin(void)
{
	struct rlimit limit = { MAX_PIPES * 2 + 64, MAX_PIPES * 2 + 64 };

	if (access(AREA "alloc", W_OK))
		skip("no area, or no debugfs");
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
	write_file(AREA "free", "1000000");	/* of a test that failed */
	write_file("/proc/sys/vm/drop_caches", "3");
	take_area();
}

static void release_area(void)
{
	write_file(AREA "free", "1000000");
	REQUIRE(meminfo_kb("CmaFree") > 50000, "only %ld kB are free in the area",
		meminfo_kb("CmaFree"));
}

/* Movable pages fill the memory outside of the area but for SPARE_KB */
static void fill_memory(void)
{
	size_t size = (meminfo_kb("MemFree") - SPARE_KB) * 1024UL;

	fill_pages(map_anon(size), size, 3);
}

static long free_outside_kb(void)
{
	return meminfo_kb("MemFree") - meminfo_kb("CmaFree");
}

/* The page cache of the first part of a file */
struct cache {
	size_t size;
	char *mem;	/* mapped, but never touched */
};

static struct cache read_cache(const char *path, size_t size)
{
	struct cache cache = { .size = size };
	static char data[PIPE_KB * 1024];
	int fd = open(path, O_RDONLY);
	size_t done;

	REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	for (done = 0; done < size; done += sizeof(data))
		REQUIRE(read(fd, data, sizeof(data)) == sizeof(data), "%s: %s", path,
			strerror(errno));
	cache.mem = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(cache.mem != MAP_FAILED, "mmap: %s", strerror(errno));
	return cache;
}

static size_t resident(const struct cache *cache)
{
	size_t nr_pages = cache->size / PAGE, count = 0, i;
	unsigned char *map = malloc(nr_pages);

	REQUIRE(map && !mincore(cache->mem, cache->size, map), "mincore: %s",
		strerror(errno));
	for (i = 0; i < nr_pages; i++)
		count += map[i] & 1;
	free(map);
	return count;
}

/* Page cache in the area: it is what movable requests use now */
static struct cache cache_in_area(size_t size)
{
	long before = meminfo_kb("CmaFree"), used_kb;
	struct cache cache = read_cache(DATA, size);

	used_kb = before - meminfo_kb("CmaFree");
	REQUIRE(used_kb > (long)size / 1024 / 100 * 97,
		"only %ld kB are in the area", used_kb);
	REQUIRE(resident(&cache) == size / PAGE, "only %zu pages are there",
		resident(&cache));
	return cache;
}

/* CPU time that kswapd has used, in clock ticks */
static unsigned long kswapd_ticks(void)
{
	unsigned long user, system;
	char path[64], text[512];
	pid_t pid;

	for (pid = 2; pid < 1000; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		read_file(path, text, sizeof(text));
		if (strstr(text, "(kswapd0)") &&
		    sscanf(strstr(text, ") "),
			   ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			   &user, &system) == 2)
			return user + system;
	}
	REQUIRE(false, "no kswapd0");
	return 0;
}

static void kswapd_must_sleep(void)
{
	unsigned long ticks = kswapd_ticks();

	sleep(3);
	ticks = kswapd_ticks() - ticks;
	REQUIRE(ticks < 3 * sysconf(_SC_CLK_TCK) / 10ul,
		"kswapd has run for %lu of %ld ticks", ticks,
		3 * sysconf(_SC_CLK_TCK));
}

TEST(kswapd, "page cache in the area outlives a shortage of unmovable memory")
{
	struct cache outside, cache;
	long cma_kb, stalls;

	begin();
	outside = read_cache(DISK, 2 * MIB);
	fill_memory();
	release_area();
	cache = cache_in_area(16 * MIB);
	cma_kb = meminfo_kb("CmaFree");
	stalls = number_in("/proc/vmstat", "allocstall");

	note("%ld kB are free, and %ld kB in the area", free_outside_kb(), cma_kb);
	fill_pipes(20 * 1024, 20000);
	sleep(4);
	note("%ld kB are free, and %ld kB in the area; %ld stalls",
	     free_outside_kb(), meminfo_kb("CmaFree"),
	     number_in("/proc/vmstat", "allocstall") - stalls);
	REQUIRE(resident(&cache) == cache.size / PAGE, "%zu of %zu pages are left",
		resident(&cache), cache.size / PAGE);
	REQUIRE(resident(&outside) == outside.size / PAGE,
		"%zu of %zu pages that were elsewhere are left",
		resident(&outside), outside.size / PAGE);
	REQUIRE(meminfo_kb("CmaFree") < cma_kb - 8000, "nothing was moved");
	kswapd_must_sleep();
}

TEST(direct, "direct reclaim moves pages before it throws out page cache")
{
	struct sched_param param = { .sched_priority = 1 };
	struct cache outside, inside;
	long cma_kb, stalls, steal;

	begin();
	outside = read_cache(DATA, 8 * MIB);
	fill_memory();
	release_area();
	/* the other half of it is in the area */
	inside = read_cache(DATA, 16 * MIB);
	REQUIRE(resident(&outside) == outside.size / PAGE,
		"only %zu pages are there", resident(&outside));
	cma_kb = meminfo_kb("CmaFree");
	stalls = number_in("/proc/vmstat", "allocstall");
	steal = number_in("/proc/vmstat", "pgsteal_normal");

	/* kswapd does not run meanwhile */
	REQUIRE(!sched_setscheduler(0, SCHED_FIFO, &param), "%s", strerror(errno));
	fill_pipes(20 * 1024, 0);
	param.sched_priority = 0;
	REQUIRE(!sched_setscheduler(0, SCHED_OTHER, &param), "%s",
		strerror(errno));

	note("%ld kB are free, and %ld of %ld kB in the area; %ld stalls, %ld pages reclaimed",
	     free_outside_kb(), meminfo_kb("CmaFree"), cma_kb,
	     number_in("/proc/vmstat", "allocstall") - stalls,
	     number_in("/proc/vmstat", "pgsteal_normal") - steal);
	REQUIRE(resident(&inside) == inside.size / PAGE, "%zu of %zu pages are left",
		resident(&inside), inside.size / PAGE);
	REQUIRE(meminfo_kb("CmaFree") < cma_kb - 8000, "nothing was moved");
	REQUIRE(number_in("/proc/vmstat", "pgsteal_normal") == steal,
		"pages were reclaimed");
}

TEST(idle, "kswapd sleeps when only page cache in the area is left to reclaim")
{
	long low_kb, cma_kb;
	struct cache cache;
	char text[32];
	size_t size, i;
	char *anon;

	begin();
	read_file("/proc/sys/vm/min_free_kbytes", text, sizeof(text));
	low_kb = atol(text) / 4 * 5;
	/* page tables, for later: they cannot be in the area */
	anon = map_anon(96 * MIB);
	REQUIRE(anon, "no address space");
	for (i = 0; i < 96; i++)
		anon[i * MIB] = 1;
	/* pages that cannot be moved instead of ones that can */
	while (free_outside_kb() > SPARE_KB)
		use_pipe();
	release_area();
	cache = cache_in_area(16 * MIB);
	cma_kb = meminfo_kb("CmaFree");
	/* the few pages that can be moved go into the area until none is left */
	for (i = 0; i < 100; i++) {
		while (free_outside_kb() > low_kb - PIPE_KB)
			use_pipe();
		usleep(100000);
		if (i > 20 && free_outside_kb() < low_kb)
			break;
	}
	REQUIRE(i < 100, "more than %ld kB are free all the time", low_kb);
	note("%ld kB are free, and %ld of %ld kB in the area", free_outside_kb(),
	     meminfo_kb("CmaFree"), cma_kb);
	/* the few that are elsewhere may be gone */
	REQUIRE(resident(&cache) > cache.size / PAGE / 100 * 97,
		"%zu of %zu pages are left", resident(&cache), cache.size / PAGE);
	kswapd_must_sleep();

	/* movable requests still get the memory of the page cache */
	size = meminfo_kb("CmaFree") * 1024UL + 8 * MIB;
	REQUIRE(size < 96 * MIB, "%zu MiB are free", size >> 20);
	fill_pages(anon, size, 3);
	note("%zu of %zu pages are left after %zu MiB more", resident(&cache),
	     cache.size / PAGE, size >> 20);
}

TEST(last, "the last free pages of the area are used before a process is killed")
{
	char text[32];

	begin();
	fill_memory();
	write_file(AREA "free", "1024");
	note("%ld kB are free, and %ld kB in the area", free_outside_kb(),
	     meminfo_kb("CmaFree"));
	REQUIRE(meminfo_kb("CmaFree") > 3500, "too few");
	read_file("/proc/sys/vm/min_free_kbytes", text, sizeof(text));
	fill_pipes(free_outside_kb() - atol(text) + 2500, 0);
	note("%ld kB are free, and %ld kB in the area", free_outside_kb(),
	     meminfo_kb("CmaFree"));
	write_file(AREA "free", "1000000");
	REQUIRE(meminfo_kb("CmaFree") > 50000, "the area was not taken");
}

TEST(few, "page cache in the area is reclaimed when few pages are free there")
{
	size_t size = 40 * MIB, left;
	struct cache cache;

	begin();
	fill_memory();
	release_area();
	cache = cache_in_area(size);
	/* more than is free: it needs memory of the page cache in the end */
	fill_pipes(40 * 1024, 0);
	left = resident(&cache);
	note("%ld kB are free, and %ld kB in the area; %zu of %zu pages are left",
	     free_outside_kb(), meminfo_kb("CmaFree"), left, size / PAGE);
	REQUIRE(left < size / PAGE * 3 / 4, "no page was reclaimed");
}

TEST(metadata, "buffers of a block device are not moved into the area")
{
	struct cma_ctl_area area = ctl_area(ctl_open());
	struct cache cache;
	size_t count, i;
	char sum = 0;

	begin();
	cache = read_cache(DISK, 8 * MIB);
	while (free_outside_kb() > SPARE_KB)
		use_pipe();
	release_area();
	fill_pipes(6 * 1024, 0);

	note("%zu of %zu pages are left", resident(&cache), cache.size / PAGE);
	for (i = 0; i < cache.size; i += PAGE)
		sum += cache.mem[i];
	__asm__ volatile("" : : "r" (sum));
	count = pages_in_area(&area, cache.mem, cache.size);
	REQUIRE(!count, "%zu of %zu pages are in the area", count,
		cache.size / PAGE);
}
