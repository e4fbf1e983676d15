// SPDX-License-Identifier: GPL-2.0
/*
 * Time of each of 10,000 allocations of 64 KiB to 2 MiB while files are copied,
 * processes forked and a tmpfs changed, in an order that a seed decides. Prints for
 * each size "# load SIZE COUNT FAILS MEDIAN MAX SLEEPS PREEMPTED"; times are in ns, SLEEPS
 * is how often the slowest call slept, and PREEMPTED how often other tasks ran
 * meanwhile. Then "# counter FILE CHANGE" for the numbers of the
 * area in sysfs that have changed.
 *
 * The load runs between the allocations, so what an allocation waits for is what it
 * finds, and the kernel's threads.
 */
#define TAP_BEGIN modules_begin
#define TAP_END modules_end
#include "tap.h"
#include "guest.h"
#include "layout.h"

#include <sched.h>

#define COUNT		10000
#define SLOTS		32
#define SIZES		6		/* 64 KiB << 0..5 */
#define FILES		256		/* of the tmpfs, at most */
#define CHILDREN	4
#define STEP		((size_t)64 * 1024)
#define START_FREE_KB	(32 * 1024)
#define COUNTERS	64

static __u64 times[SIZES][COUNT];
static unsigned int done[SIZES], fails[SIZES];
static unsigned long slept[SIZES], preempted[SIZES];
static __u64 worst[SIZES];

static char buffer[65536];
static int files[FILES];
static unsigned int nr_files;
static pid_t children[CHILDREN];

static struct counter {
	char path[256];
	long long value;
} counters[COUNTERS];
static unsigned int nr_counters;

static void modules_begin(void)
{
	module_begin("cma_bench");
}

static void modules_end(void)
{
	module_end("cma_bench");
}

static __u32 seed = LAYOUT_SEED;

/* A number below @limit */
static __u32 rnd(__u32 limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % limit;
}

static size_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_size;
}

/* Make a file of the tmpfs longer and another one as much shorter. */
static void change_tmpfs(void)
{
	int grows = files[rnd(nr_files)], shrinks = files[rnd(nr_files)];
	size_t more = size_of(grows), less = size_of(shrinks);

	if (grows == shrinks || more >= 4 * MIB || less < STEP)
		return;
	if (pwrite(grows, buffer, STEP, more) == (ssize_t)STEP)
		REQUIRE(!ftruncate(shrinks, less - STEP), "%s", strerror(errno));
}

/* Copy a part of a file on the disk to another file there. */
static void copy_file(void)
{
	static int from = -1, to[8];
	int *fd = &to[rnd(8)];
	size_t part = STEP / 2;
	char name[32];

	if (from < 0)
		from = open("/mnt/data.bin", O_RDONLY);
	if (!*fd) {
		snprintf(name, sizeof(name), "/mnt/copy-%u", (unsigned int)(fd - to));
		*fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	}
	if (pread(from, buffer, part, rnd(8 * MIB / part) * part) < 0 ||
	    pwrite(*fd, buffer, part, rnd(MIB / part) * part) < 0)
		return;
}

static void end_child(pid_t *child)
{
	if (*child > 0) {
		kill(*child, SIGKILL);
		waitpid(*child, NULL, 0);
	}
	*child = 0;
}

/* Replace a process by a new one, which uses up to 1 MiB. */
static void fork_child(void)
{
	pid_t *child = &children[rnd(CHILDREN)];
	size_t size = (rnd(256) + 1) * PAGE, i;
	char *mem;

	end_child(child);
	*child = fork();
	if (*child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mem = map_anon(size);
	for (i = 0; mem && i < size; i += PAGE)
		mem[i] = 1;
	pause();
	_exit(0);
}

static void step(void)
{
	unsigned int what = rnd(16);

	if (what < 8)
		change_tmpfs();
	else if (what < 10)
		copy_file();
	else if (what < 11)
		fork_child();
}

/*
 * When nothing runs, -icount lets time jump to the next timer; this process lets it
 * pass at its usual pace while the disk works.
 */
static void spin(void *unused)
{
	struct sched_param param = {};

	sched_setscheduler(0, SCHED_IDLE, &param);
	for (;;)
		;
}

static void fill_tmpfs(void)
{
	char name[64];
	size_t i;

	mkdir("/tmp/load", 0700);
	REQUIRE(!mount("tmpfs", "/tmp/load", "tmpfs", 0, "size=100%"), "mount: %s",
		strerror(errno));
	while (nr_files < FILES && meminfo_kb("MemFree") > START_FREE_KB) {
		snprintf(name, sizeof(name), "/tmp/load/%u", nr_files);
		files[nr_files] = open(name, O_RDWR | O_CREAT, 0600);
		REQUIRE(files[nr_files] >= 0, "%s: %s", name, strerror(errno));
		for (i = 0; i < MIB / sizeof(buffer); i++)
			REQUIRE(write(files[nr_files], buffer, sizeof(buffer)) > 0,
				"%s", strerror(errno));
		nr_files++;
	}
	umount2("/tmp/load", MNT_DETACH);
	note("load seed %u: %u MiB of files in a tmpfs, MemFree %ld kB, CmaFree %ld kB",
	     LAYOUT_SEED, nr_files, meminfo_kb("MemFree"), meminfo_kb("CmaFree"));
}

static void command(int bench, const char *mode, size_t size, unsigned int slot)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%s %zu %u", mode, size, slot);

	REQUIRE(write(bench, text, len) == len, "%s: %s", text, strerror(errno));
}

/* Let the load use the memory of a buffer before the next one is allocated. */
static void allocate(int bench)
{
	unsigned int n = rnd(SIZES);
	char text[256];
	__u64 ns;
	int len;

	command(bench, "drop", 1, rnd(SLOTS) + 1);
	step();
	command(bench, "keep", (size_t)65536 << n, rnd(SLOTS) + 1);
	read_file("/sys/kernel/debug/cma_bench", text, sizeof(text));
	if (strstr(text, "fails")) {
		fails[n]++;
		return;
	}
	len = sscanf(text, "bench alloc %*u %*u %llu", &ns);
	REQUIRE(len == 1, "cma_bench shows: %s", text);
	if (ns > worst[n]) {
		worst[n] = ns;
		len = sscanf(strstr(text, "slept "), "slept %lu preempted %lu",
			     &slept[n], &preempted[n]);
		REQUIRE(len == 2, "cma_bench shows: %s", text);
	}
	times[n][done[n]++] = ns;
}

static int compare(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void report(void)
{
	unsigned int n;

	for (n = 0; n < SIZES; n++) {
		qsort(times[n], done[n], sizeof(__u64), compare);
		note("load %zu %u %u %llu %llu %lu %lu", (size_t)65536 << n,
		     done[n] + fails[n], fails[n], times[n][done[n] / 2], worst[n],
		     slept[n], preempted[n]);
	}
}

static void read_counters(void)
{
	char path[256], text[64], *end;
	struct dirent *area, *file;
	DIR *top, *dir;

	top = opendir("/sys/kernel/mm/cma");
	while (top && (area = readdir(top))) {
		snprintf(path, sizeof(path), "/sys/kernel/mm/cma/%.64s", area->d_name);
		dir = area->d_name[0] == '.' ? NULL : opendir(path);
		while (dir && (file = readdir(dir))) {
			struct counter *c = &counters[nr_counters];

			snprintf(c->path, sizeof(c->path), "%.128s/%.64s", path,
				 file->d_name);
			read_file(c->path, text, sizeof(text));
			c->value = strtoll(text, &end, 0);
			if (end != text && strspn(end, "\n") == strlen(end) &&
			    nr_counters < COUNTERS - 1)
				nr_counters++;
		}
		if (dir)
			closedir(dir);
	}
	if (top)
		closedir(top);
}

static void report_counters(void)
{
	unsigned int i;
	char text[64];

	for (i = 0; i < nr_counters; i++) {
		long long change;

		read_file(counters[i].path, text, sizeof(text));
		change = strtoll(text, NULL, 0) - counters[i].value;
		if (change)
			note("counter %s %lld", strrchr(counters[i].path, '/') + 1,
			     change);
	}
}

TEST(load, "10,000 allocations while files are copied, processes forked, a tmpfs changed")
{
	int bench = open("/sys/kernel/debug/cma_bench", O_WRONLY);
	unsigned int i;
	pid_t spinner;

	REQUIRE(bench >= 0, "cma_bench: %s", strerror(errno));
	/* Write dirty pages while the test runs, not after it */
	write_file("/proc/sys/vm/dirty_expire_centisecs", "100");
	write_file("/proc/sys/vm/dirty_writeback_centisecs", "50");
	memset(buffer, 1, sizeof(buffer));
	fill_tmpfs();
	read_counters();
	spinner = tap_start(spin, NULL);
	for (i = 0; i < COUNT; i++)
		allocate(bench);
	kill(spinner, SIGKILL);
	waitpid(spinner, NULL, 0);
	report();
	report_counters();
	for (i = 0; i < CHILDREN; i++)
		end_child(&children[i]);
}
