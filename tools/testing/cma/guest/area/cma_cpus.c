// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the area that another CPU has just allocated, and still holds on one of
 * its lists, while that CPU is offline or belongs to a real-time process
 */
#define TAP_BEGIN begin
#define TAP_END end
#define TAP_TEST_BEGIN test_begin
#include "tap.h"
#include "guest.h"
#include "place.h"
#include <sys/times.h>

#define ONLINE		"/sys/devices/system/cpu/cpu%u/online"
#define HELD_PAGES	8	/* fewer than a list has room for */
#define OTHER_PAGES	512
#define LIMIT_MS	600	/* the wait budget, and a little more */
#define OWNED_MS	20000

static size_t without;		/* buffers of 1 MiB when nothing is held */
static unsigned long longest_without;	/* us */

static int set_online(unsigned int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), ONLINE, cpu);
	return write_file(path, on ? "1" : "0");
}

static void begin(void)
{
	ctl_begin();
	use_cpu(0);
}

static void end(void)
{
	wait_for_children();
	ctl_end();
}

static void test_begin(void)
{
	set_online(1, true);
}

/* What a child does on a CPU, and what it is told then */
struct job {
	unsigned int cpu;
	struct cma_ctl_area area;
	bool hold;	/* hold pages of the area? */
	bool own;	/* use the CPU as a real-time process? */
	bool leave;	/* go to CPU 0? */
};

/* Is a page in the area, and not yet on the zone's lists, but on one of a CPU? */
static bool on_list(const struct cma_ctl_area *area, int kpageflags,
		    const void *addr)
{
	__u64 pfn = pfn_of(addr), flags = KPF_LRU;

	return in_area(area, pfn) &&
	       pread(kpageflags, &flags, sizeof(flags), pfn * sizeof(flags)) ==
	       sizeof(flags) && !(flags & KPF_LRU);
}

static void hold_pages(const struct job *job)
{
	int kpageflags = open("/proc/kpageflags", O_RDONLY);
	char *mem = map_anon(HELD_PAGES * PAGE);
	char *other = map_anon(OTHER_PAGES * PAGE);
	size_t i, count = 0;

	REQUIRE(mem && other, "no address space");
	*mem = 1;
	pfn_of(mem);		/* it opens a file */
	/* free pages that this CPU has kept; then an munmap() empties its lists */
	for (i = 0; i < OTHER_PAGES; i++)
		other[i * PAGE] = 1;
	munmap(other + (OTHER_PAGES - 1) * PAGE, PAGE);
	for (i = 1; i < HELD_PAGES; i++)
		mem[i * PAGE] = 1;
	for (i = 1; i < HELD_PAGES; i++)
		count += on_list(&job->area, kpageflags, mem + i * PAGE);
	if (job->leave)
		use_cpu(0);
	note("CPU %u has %zu pages of the area on its lists", job->cpu, count);
	REQUIRE(count >= HELD_PAGES / 2, "only %zu pages", count);
}

static void do_job(void *arg)
{
	const struct job *job = arg;

	use_cpu(job->cpu);
	if (job->hold)
		hold_pages(job);
}

/*
 * The parent is told that it is about to begin, and then nothing else runs here,
 * until a caller that waits for this CPU has waited for long enough to be noticed.
 */
static pid_t start_owner(struct job *job)
{
	struct sched_param param = { .sched_priority = 50 };
	__u64 start = clock_ns(CLOCK_MONOTONIC);
	int ready[2];
	pid_t pid;
	char c;

	REQUIRE(!pipe(ready), "pipe: %s", strerror(errno));
	pid = tap_fork();
	if (!pid) {
		do_job(job);
		REQUIRE(!sched_setscheduler(0, SCHED_FIFO, &param), "%s",
			strerror(errno));
		if (write(ready[1], "", 1) != 1)
			_exit(TAP_FAIL);
		while (elapsed_us(start) < OWNED_MS * 1000)
			;
		for (;;)
			pause();
	}
	REQUIRE(read(ready[0], &c, 1) == 1, "the child has failed");
	usleep(20000);
	return pid;
}

/* Fill memory and release the area, so that what comes next goes there. */
static void prepare(int ctl, struct fill *fill, struct cma_ctl_area *area)
{
	*area = ctl_area(ctl);
	without = capacity(ctl, NULL);
	fill_memory(fill, PLACE_SPARE_KB);
	fill_release_outside(fill, area);
	capacity(ctl, &longest_without);
	munmap(fill->mem, fill->nr_pages * PAGE);
	free(fill->pfns);
	fill_memory(fill, PLACE_SPARE_KB);
	fill_release(fill, area->base_pfn + area->nr_pages / 4,
		     area->base_pfn + area->nr_pages, true);
}

/* The kernel counts its budget in ticks. On the board of v3.1 each takes 20 ms. */
static unsigned long measure_tick(void)
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);
	clock_t ticks = times(NULL);

	usleep(500000);
	ticks = times(NULL) - ticks;
	REQUIRE(ticks > 0, "the kernel counts no ticks");
	return elapsed_us(start) / ticks;
}

/* A machine that is slow, or that others use, too, has more time. */
static void all_in_time(int ctl, size_t missing, unsigned long limit_ms)
{
	unsigned long limit_us = limit_ms * measure_tick() / 10 +
				 2 * longest_without;
	unsigned long longest = 0;
	size_t count;

	count = capacity(ctl, &longest);
	note("%zu buffers of 1 MiB (%zu if nothing is held), the longest call took %lu us (%lu us)",
	     count, without, longest, longest_without);
	REQUIRE(longest <= limit_us, "%lu us, limit %lu us", longest, limit_us);
	REQUIRE(count + missing >= without, "%zu buffers, %zu if nothing is held",
		count, without);
}

TEST(offline, "pages on the lists of a CPU that went offline can be moved")
{
	struct job job = { .cpu = 1, .hold = true, .leave = true };
	int ctl = ctl_open();
	struct fill fill;
	pid_t pid;

	if (set_online(1, true) == -ENOENT)
		skip("no CPU can go offline");
	prepare(ctl, &fill, &job.area);
	pid = start_ready(do_job, &job);
	REQUIRE(!set_online(1, false), "CPU 1 does not go offline");
	fill_release_outside(&fill, &job.area);
	all_in_time(ctl, 0, LIMIT_MS);
	REQUIRE(!set_online(1, true), "CPU 1 does not come back");
	all_in_time(ctl, 0, LIMIT_MS);
	kill_child(pid);
	fill_check(&fill);
}

TEST(owned, "a CPU that belongs to a real-time process does not stop allocations")
{
	struct job holder = { .cpu = 2, .hold = true };
	struct job owner = { .cpu = 1 };
	int ctl = ctl_open();
	struct fill fill;
	pid_t pid, rt;

	prepare(ctl, &fill, &holder.area);
	pid = start_ready(do_job, &holder);
	fill_release_outside(&fill, &holder.area);
	rt = start_owner(&owner);
	all_in_time(ctl, 0, LIMIT_MS);
	kill_child(rt);
	kill_child(pid);
	fill_check(&fill);
}

/* The pages can be had when the process is throttled, or later. */
TEST(owner_holds, "pages on the lists of a CPU with a real-time process are left out")
{
	struct job owner = { .cpu = 1, .hold = true };
	int ctl = ctl_open();
	struct fill fill;
	pid_t rt;

	prepare(ctl, &fill, &owner.area);
	rt = start_owner(&owner);
	fill_release_outside(&fill, &owner.area);
	all_in_time(ctl, 1, DEFAULT_BUDGET_MS + 100);
	kill_child(rt);
	all_in_time(ctl, 0, LIMIT_MS);
	fill_check(&fill);
}
