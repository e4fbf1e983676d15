// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations while pages of the area wait for a slow disk, or for one that does
 * not answer: they go around these pages, or wait for a bounded time
 *
 * The pages are those of a file of 12.5 MiB in the middle of the area. The rest of
 * the area is free or has pages of shared memory, which can be moved. The times
 * are meaningful with -icount: one instruction takes 1 ns, and nobody else uses
 * the CPU.
 */
#define TAP_BEGIN begin
#define TAP_END end
#define TAP_TEST_BEGIN test_begin
#define TAP_TEST_END test_end
#include "tap.h"
#include "guest.h"
#include "place.h"

#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/times.h>

#define OWNER		21
#define DEVICE		"/dev/cma_disk"
#define DIR		"/tmp/disk"
#define DISK		"/sys/module/cma_disk/parameters/"

#define FILE_PAGES	3200UL		/* 12.5 MiB */
#define WANTED		60UL		/* buffers of 1 MiB */
#define MIDDLE_SIZE	(40 * MIB)	/* a range of this size contains the middle */
#define DELAY_MS	50		/* for 128 KiB */
#define STOP_MS		10000
#define SLACK_MS	100		/* beyond the budget */
#define KILL_MS		100

static int disk_error;
static unsigned long default_budget;	/* ms */
static unsigned long *slowest_us;	/* a buffer that needs no page under I/O */
static unsigned long tick_us = 10000;	/* that the kernel counts as 10 ms */

static void set_number(const char *path, unsigned long value)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%lu", value);
	ret = write_file(path, text);
	REQUIRE(!ret, "%s: %s", path, strerror(-ret));
}

static bool set_budget(unsigned long ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", ms);
	if (!write_file(AREA_BUDGET, text))
		return true;
	note("there is no %s", AREA_BUDGET);
	return false;
}

/*
 * The kernel counts the budget in ticks. On the emulated board of v3.1, each of
 * them takes twice as long as it should.
 */
static void measure_tick(void)
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);
	clock_t ticks = times(NULL);

	usleep(1000000);
	ticks = times(NULL) - ticks;
	if (ticks > 0)
		tick_us = elapsed_us(start) / ticks;
	note("10 ms of the kernel are %lu us", tick_us);
}

/* The longest that a call may take with this budget */
static unsigned long limit_us(unsigned long budget_ms)
{
	return (budget_ms + SLACK_MS) * tick_us / 10;
}

/* 20 ms, or more if this machine is slow: what a buffer takes without a disk. */
static unsigned long quiet_us(void)
{
	return *slowest_us * 3 > 20000 ? *slowest_us * 3 : 20000;
}

static void calibrate(void *unused)
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	struct cma_ctl_alloc alloc;
	struct fill fill;
	unsigned long us;
	int i;

	fill_memory(&fill, PLACE_SPARE_KB);
	fill_release_outside(&fill, &area);
	for (i = 0; i < 20; i++) {
		REQUIRE(!timed_alloc(ctl, &alloc, MIB, &us), "buffer %d", i);
		if (us > *slowest_us)
			*slowest_us = us;
	}
	note("1 MiB takes up to %lu us when pages of memory have to be moved",
	     *slowest_us);
}

static void begin(void)
{
	char text[32];

	ctl_begin();
	disk_error = module_load("cma_disk");
	mkdir(DIR, 0700);
	/* nobody but the tests starts to write dirty pages */
	write_file("/proc/sys/vm/dirty_bytes", "268435456");
	write_file("/proc/sys/vm/dirty_background_bytes", "201326592");
	write_file("/proc/sys/vm/dirty_writeback_centisecs", "0");
	/* a process may ask for all that is free */
	write_file("/proc/sys/vm/overcommit_memory", "1");
	read_file(AREA_BUDGET, text, sizeof(text));
	default_budget = *text ? strtoul(text, NULL, 10) : DEFAULT_BUDGET_MS;
	measure_tick();
	slowest_us = mmap(NULL, sizeof(*slowest_us), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slowest_us == MAP_FAILED)
		exit(1);
	if (tap_wait(tap_start(calibrate, NULL)) != TAP_PASS)
		note("the time without a disk is not known");
}

/* Processes of the last test may still be about to end. */
static void unmount(void)
{
	int i;

	for (i = 0; i < 500 && umount(DIR) && errno == EBUSY; i++)
		usleep(10000);
}

static void disk_go(void)
{
	set_number(DISK "delay_ms", 0);
	set_number(DISK "stop_ms", 0);
}

static void test_begin(void)
{
	REQUIRE(!disk_error, "cma_disk: %s", strerror(-disk_error));
	disk_go();
	unmount();
	if (!access(AREA_BUDGET, W_OK))
		set_budget(default_budget);
}

static void test_end(void)
{
	disk_go();
}

static void end(void)
{
	if (!disk_error) {
		disk_go();
		wait_for_children();
		unmount();
		module_end("cma_disk");
	}
	ctl_end();
}

/* The file system of a test, and how the pages of its file come to wait. */
struct scene {
	const char *fs;
	enum { DIRTY, WRITEBACK, LOCKED } state;
	bool stopped;		/* does the disk not answer? */
	int ctl;
	struct cma_ctl_area area;
	size_t capacity;	/* buffers of 1 MiB */
	struct fill fill;
	int file;
};

static void make_fs(const char *fs)
{
	pid_t pid = tap_fork();
	int status;

	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		if (!strcmp(fs, "vfat"))
			execlp("mkdosfs", "mkdosfs", DEVICE, NULL);
		else
			execlp("mke2fs", "mke2fs", "-F", "-b", "4096", DEVICE, NULL);
		_exit(1);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "no %s", fs);
	REQUIRE(!mount(DEVICE, DIR, fs, 0, NULL), "mount %s: %s", fs,
		strerror(errno));
}

static void write_pages(int file)
{
	static char page[PAGE];
	size_t i;

	for (i = 0; i < FILE_PAGES; i++) {
		fill_page(page, OWNER, i);
		REQUIRE(pwrite(file, page, PAGE, i * PAGE) == (ssize_t)PAGE,
			"write: %s", strerror(errno));
	}
}

static void check_pages(int file)
{
	static char page[PAGE];
	size_t i;

	for (i = 0; i < FILE_PAGES; i++) {
		REQUIRE(pread(file, page, PAGE, i * PAGE) == (ssize_t)PAGE,
			"read: %s", strerror(errno));
		REQUIRE(page_right(page, OWNER, i), "page %zu is wrong", i);
	}
}

static void drop_caches(void)
{
	REQUIRE(!write_file("/proc/sys/vm/drop_caches", "1"), "drop_caches");
}

/* Write all of the file; how long the disk takes, in us. */
static unsigned long write_file_out(int file)
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);

	REQUIRE(!sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
				 SYNC_FILE_RANGE_WRITE |
				 SYNC_FILE_RANGE_WAIT_AFTER),
		"sync_file_range: %s", strerror(errno));
	return elapsed_us(start);
}

/* Where the blocks of the file are has to be known before the disk is stopped. */
static void read_block_map(int file)
{
	int i, block;

	for (i = 0; i < (int)FILE_PAGES; i += 4) {
		block = i;
		REQUIRE(!ioctl(file, FIBMAP, &block), "FIBMAP: %s",
			strerror(errno));
	}
}

static void scene_disk(struct scene *s)
{
	s->ctl = ctl_open();
	s->area = ctl_area(s->ctl);
	make_fs(s->fs);
	s->file = open(DIR "/file", O_RDWR | O_CREAT, 0600);
	REQUIRE(s->file >= 0, "%s", strerror(errno));
	write_pages(s->file);
	REQUIRE(!fsync(s->file), "%s", strerror(errno));
	drop_caches();
	s->capacity = capacity(s->ctl, NULL);
	tap_about = s->fs;
}

/*
 * Fill all memory, and release the middle of the area for the pages of the file:
 * twice as much as they need, because pages go into the area only while most of
 * the free memory is there.
 */
static void scene_fill(struct scene *s)
{
	__u64 room = 2 * FILE_PAGES + 256;
	__u64 start = s->area.base_pfn + (s->area.nr_pages - room) / 2;

	fill_memory(&s->fill, PLACE_SPARE_KB);
	fill_release(&s->fill, start, start + room, true);
}

/* Put the pages of the file into the state that the test is about. */
static void scene_wait(struct scene *s)
{
	size_t count, i;

	if (s->state == LOCKED)
		read_block_map(s->file);
	else
		write_pages(s->file);
	if (s->stopped)
		set_number(DISK "stop_ms", STOP_MS);
	set_number(DISK "delay_ms", DELAY_MS);
	/* some kernels read at most 128 KiB at once */
	for (i = 0; s->state == LOCKED && i < FILE_PAGES; i += 32)
		readahead(s->file, i * PAGE, 32 * PAGE);
	if (s->state == WRITEBACK)
		REQUIRE(!sync_file_range(s->file, 0, 0, SYNC_FILE_RANGE_WRITE),
			"sync_file_range: %s", strerror(errno));
	count = count_io(&s->area);
	note("%s: %zu pages of the area wait for the disk", s->fs, count);
	REQUIRE(count >= FILE_PAGES / 4 * 3, "only %zu pages", count);
}

/* Everything, and memory outside of the area for pages to move to */
static void scene_make(struct scene *s)
{
	scene_disk(s);
	scene_fill(s);
	scene_wait(s);
	fill_release_outside(&s->fill, &s->area);
	note("%ld MiB are free, %ld MiB of them in the area",
	     meminfo_kb("MemFree") / 1024, meminfo_kb("CmaFree") / 1024);
}

/* Afterwards nothing is missing: no buffer, no page of the file or of memory. */
static void scene_end(struct scene *s)
{
	size_t count;

	disk_go();
	REQUIRE(!fsync(s->file), "%s", strerror(errno));
	drop_caches();
	check_pages(s->file);
	fill_check(&s->fill);
	count = capacity(s->ctl, NULL);
	REQUIRE(count + 1 >= s->capacity, "%zu buffers at first, now %zu",
		s->capacity, count);
}

static const struct scene scenes[] = {
	{ .fs = "vfat", .state = DIRTY },
	{ .fs = "ext2", .state = WRITEBACK },
};

static const struct scene stopped[] = {
	{ .fs = "vfat", .state = DIRTY, .stopped = true },
	{ .fs = "vfat", .state = WRITEBACK, .stopped = true },
	{ .fs = "ext2", .state = WRITEBACK, .stopped = true },
	{ .fs = "ext2", .state = LOCKED, .stopped = true },
};

static const char *scene_name(const struct scene *s)
{
	static const char *const states[] = {
		"pages that have to be written", "pages under writeback",
		"pages that are being read",
	};
	static char name[64];

	snprintf(name, sizeof(name), "%s, %s", s->fs, states[s->state]);
	return name;
}

static const char *scenes_name(size_t row)
{
	return scene_name(&scenes[row]);
}

static const char *stopped_name(size_t row)
{
	return scene_name(&stopped[row]);
}

/* What became of a number of calls for 1 MiB */
struct calls {
	struct cma_ctl_alloc alloc[WANTED];
	size_t ok, refused;
	unsigned long io_us;	/* the longest that needed a page under I/O, or failed */
	unsigned long quiet_us;	/* the longest other one */
};

static bool needs_io(const struct scene *s, const __u64 *flags,
		     const struct cma_ctl_alloc *alloc)
{
	size_t first = alloc->pfn - s->area.base_pfn, i;

	for (i = 0; i < alloc->size / PAGE; i++)
		if (under_io(flags[first + i]))
			return true;
	return false;
}

static size_t wanted(const struct scene *s)
{
	return s->capacity < WANTED ? s->capacity : WANTED;
}

/* All buffers that are wanted, or as many as there are before @refused calls fail. */
static void call(struct scene *s, struct calls *calls, size_t refused)
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);

	memset(calls, 0, sizeof(*calls));
	while (calls->ok + calls->refused < wanted(s) &&
	       calls->refused < refused && elapsed_us(start) < 100000000) {
		struct cma_ctl_alloc *alloc = &calls->alloc[calls->ok];
		const __u64 *flags = area_flags(&s->area);
		unsigned long us, *longest = &calls->io_us;

		if (timed_alloc(s->ctl, alloc, MIB, &us)) {
			calls->refused++;
		} else {
			calls->ok++;
			if (!needs_io(s, flags, alloc))
				longest = &calls->quiet_us;
		}
		if (us > *longest)
			*longest = us;
	}
	note("%zu buffers, %zu calls failed; the longest call took %lu us with pages under I/O, %lu us without",
	     calls->ok, calls->refused, calls->io_us, calls->quiet_us);
}

static void in_time(const struct calls *calls, unsigned long budget_ms)
{
	REQUIRE(calls->io_us <= limit_us(budget_ms),
		"%lu us with a budget of %lu ms", calls->io_us, budget_ms);
	REQUIRE(calls->quiet_us <= quiet_us(),
		"%lu us without a page under I/O, limit %lu us",
		calls->quiet_us, quiet_us());
}

static void free_calls(struct scene *s, struct calls *calls)
{
	size_t i;

	for (i = 0; i < calls->ok; i++)
		ctl_free(s->ctl, &calls->alloc[i]);
}

TEST_TABLE(slow, "a slow disk: each call for 1 MiB ends in time", ARRAY_SIZE(scenes),
	   scenes_name)
{
	struct scene s = scenes[row];
	struct calls calls;

	scene_make(&s);
	call(&s, &calls, WANTED);
	in_time(&calls, default_budget);
	REQUIRE(calls.ok >= 40, "only %zu buffers", calls.ok);
	free_calls(&s, &calls);
	scene_end(&s);
}

TEST_TABLE(all, "a budget of 60 s: all buffers, as fast as the disk can write",
	   ARRAY_SIZE(scenes), scenes_name)
{
	struct scene s = scenes[row];
	unsigned long disk_us, us;
	struct cma_ctl_alloc alloc[WANTED];
	size_t i, requests;
	char text[32];
	__u64 start;

	scene_disk(&s);
	write_pages(s.file);
	set_number(DISK "delay_ms", DELAY_MS);
	set_number(DISK "requests", 0);
	disk_us = write_file_out(s.file);
	read_file(DISK "requests", text, sizeof(text));
	requests = strtoul(text, NULL, 10);
	note("the disk writes %lu pages in %lu us, %zu requests", FILE_PAGES,
	     disk_us, requests);
	disk_go();
	drop_caches();

	scene_fill(&s);
	scene_wait(&s);
	fill_release_outside(&s.fill, &s.area);
	set_budget(60000);
	start = clock_ns(CLOCK_MONOTONIC);
	for (i = 0; i < wanted(&s); i++) {
		int ret = timed_alloc(s.ctl, &alloc[i], MIB, &us);

		REQUIRE(!ret, "buffer %zu: %s", i, strerror(-ret));
		if (elapsed_us(start) > 100000000)
			break;
	}
	us = elapsed_us(start);
	note("%zu buffers in %lu us", i, us);
	REQUIRE(us <= disk_us / 10 * 12, "%zu buffers in %lu us, the disk needs %lu us",
		i, us, disk_us);
	while (i--)
		ctl_free(s.ctl, &alloc[i]);
	scene_end(&s);
}

TEST_TABLE(stopped, "a disk that does not answer: each call for 1 MiB ends in time",
	   ARRAY_SIZE(stopped), stopped_name)
{
	struct scene s = stopped[row];
	struct cma_ctl_alloc *last;
	struct calls calls;
	unsigned long us;

	scene_make(&s);
	call(&s, &calls, 3);
	in_time(&calls, default_budget);
	REQUIRE(calls.ok >= 40, "only %zu buffers", calls.ok);
	/* what is free can be had at once */
	last = &calls.alloc[calls.ok - 1];
	ctl_free(s.ctl, last);
	REQUIRE(!timed_alloc(s.ctl, last, MIB, &us), "no buffer");
	REQUIRE(us <= quiet_us(), "%lu us for a free range", us);
	free_calls(&s, &calls);
	scene_end(&s);
}

TEST(never, "a budget of 0: no call waits for the disk")
{
	struct scene s = stopped[2];
	struct calls calls;

	scene_make(&s);
	REQUIRE(set_budget(0));
	call(&s, &calls, 10);
	REQUIRE(calls.io_us <= 2 * quiet_us(), "%lu us", calls.io_us);
	in_time(&calls, 0);
	REQUIRE(calls.ok >= 40, "only %zu buffers", calls.ok);
	free_calls(&s, &calls);
	scene_end(&s);
}

/* A call for a range that contains the pages in the middle */
struct middle {
	unsigned long budget_ms;
};

static void alloc_middle(void *arg)
{
	struct middle *middle = arg;
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();
	unsigned long us;
	int ret;

	ret = timed_alloc(ctl, &alloc, MIDDLE_SIZE, &us);
	note("%zu MiB: %s after %lu us", MIDDLE_SIZE / MIB, strerror(-ret), us);
	REQUIRE(us <= limit_us(middle->budget_ms), "%lu us with a budget of %lu ms",
		us, middle->budget_ms);
}

static bool ended(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == pid;
}

TEST(concurrent, "a call that waits for the disk does not stop another one")
{
	struct middle middle = { default_budget };
	struct scene s = stopped[3];
	struct cma_ctl_alloc alloc[16];
	unsigned long us, longest = 0;
	size_t moved = 0, n, i;
	pid_t pid;

	scene_make(&s);
	if (set_budget(3000))
		middle.budget_ms = 3000;
	pid = tap_start(alloc_middle, &middle);
	usleep(300000);
	REQUIRE(!ended(pid), "the call for the middle did not wait");
	for (i = 0; i < ARRAY_SIZE(alloc); i++) {
		fill_look(&s.fill);
		REQUIRE(!timed_alloc(s.ctl, &alloc[i], MIB, &us),
			"buffer %zu after %lu us", i, us);
		n = fill_count(&s.fill, alloc[i].pfn,
			       alloc[i].pfn + MIB / PAGE);
		moved += n;
		if (us > longest)
			longest = us;
		if (longest > 1000000)
			break;
	}
	note("%zu buffers with %zu pages to move, the longest call took %lu us",
	     i, moved, longest);
	REQUIRE(longest <= 50000, "%lu us", longest);
	REQUIRE(moved >= MIB / PAGE, "nothing had to be moved");
	REQUIRE(!ended(pid), "the call for the middle did not wait");
	tap_join(pid);
	for (i = 0; i < ARRAY_SIZE(alloc); i++)
		ctl_free(s.ctl, &alloc[i]);
	scene_end(&s);
}

/* Only the disk is slow; the others are stopped */
static const struct scene killed[] = {
	{ .fs = "vfat", .state = DIRTY },
	{ .fs = "vfat", .state = DIRTY, .stopped = true },
	{ .fs = "ext2", .state = WRITEBACK, .stopped = true },
	{ .fs = "ext2", .state = LOCKED, .stopped = true },
};

static const char *killed_name(size_t row)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s, %s disk", scene_name(&killed[row]),
		 killed[row].stopped ? "stopped" : "slow");
	return name;
}

static pid_t start_middle(void)
{
	struct cma_ctl_alloc alloc;
	pid_t pid = tap_fork();

	if (!pid)
		_exit(ctl_alloc(ctl_open(), &alloc, MIDDLE_SIZE,
				CMA_CTL_COHERENT) ? 1 : 0);
	return pid;
}

TEST_TABLE(killed, "SIGKILL ends a call that waits for the disk", ARRAY_SIZE(killed),
	   killed_name)
{
	static const unsigned int after_ms[] = { 10, 100, 400, 1000 };
	unsigned long us, longest = 0;
	struct scene s = killed[row];
	size_t i, waiting = 0;

	scene_make(&s);
	set_budget(10000);
	for (i = 0; i < ARRAY_SIZE(after_ms); i++) {
		pid_t pid = start_middle();

		usleep(after_ms[i] * 1000);
		waiting += !ended(pid);
		us = kill_child(pid);
		if (us > longest)
			longest = us;
		if (us > KILL_MS * 1000)
			break;
	}
	note("%zu calls were waiting; the longest ended %lu us after SIGKILL",
	     waiting, longest);
	REQUIRE(longest <= KILL_MS * 1000, "%lu us after SIGKILL", longest);
	REQUIRE(waiting >= 2, "only %zu calls were waiting", waiting);
	scene_end(&s);
}

/* Buffers that pages have to make room for, which this process creates again */
static void alloc_for_ever(void *unused)
{
	size_t size = 24 * MIB, i;
	struct cma_ctl_alloc alloc;
	char *mem = map_anon(size);
	int ctl = ctl_open();

	REQUIRE(mem, "no address space");
	for (;;) {
		for (i = 0; i < size; i += PAGE)
			mem[i] = 1;
		if (!ctl_alloc(ctl, &alloc, 16 * MIB, CMA_CTL_COHERENT))
			ctl_free(ctl, &alloc);
		madvise(mem, size, MADV_DONTNEED);
	}
}

TEST(killed_moving, "SIGKILL ends a call that moves, clears or searches")
{
	unsigned long us, longest = 0;
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	size_t before = capacity(ctl, NULL), after;
	struct fill fill;
	int i;

	fill_memory(&fill, 40 * 1024);
	fill_release(&fill, area.base_pfn, area.base_pfn + area.nr_pages, true);
	for (i = 0; i < 40; i++) {
		pid_t pid = tap_start(alloc_for_ever, NULL);

		usleep(10000 + i * 1733);
		us = kill_child(pid);
		if (us > longest)
			longest = us;
	}
	note("the longest call ended %lu us after SIGKILL", longest);
	REQUIRE(longest <= KILL_MS * 1000, "%lu us after SIGKILL", longest);
	fill_check(&fill);
	fill_release_outside(&fill, &area);
	after = capacity(ctl, NULL);
	REQUIRE(after + 1 >= before, "%zu buffers, now %zu", before, after);
}

static size_t needed;	/* by the process below */

static void use_memory(void *unused)
{
	char *mem = map_anon(needed);
	size_t i;

	REQUIRE(mem, "no address space");
	for (i = 0; i < needed; i += PAGE)
		mem[i] = 1;
}

/*
 * Memory outside of the area is full. The range that a call waits for is free, but
 * for the pages in its middle: the memory is there for others.
 */
TEST(not_reserved, "free pages of a range that a call waits for can be used")
{
	struct middle middle = { default_budget };
	struct scene s = stopped[3];
	pid_t waiting, user;

	scene_disk(&s);
	scene_fill(&s);
	scene_wait(&s);
	fill_release(&s.fill, s.area.base_pfn,
		     s.area.base_pfn + s.area.nr_pages, true);
	if (set_budget(3000))
		middle.budget_ms = 3000;
	needed = (meminfo_kb("MemFree") - PLACE_SPARE_KB) * 1024UL;
	note("%zu MiB are needed, %ld MiB are free in the area", needed / MIB,
	     meminfo_kb("CmaFree") / 1024);
	waiting = tap_start(alloc_middle, &middle);
	usleep(300000);
	REQUIRE(!ended(waiting), "the call for the middle did not wait");
	user = start_ready(use_memory, NULL);
	kill_child(user);
	tap_join(waiting);
	fill_release_outside(&s.fill, &s.area);
	scene_end(&s);
}
