// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody is killed while the area has free pages
 *
 * In each round processes compete for the memory that is left: one needs pages
 * that cannot be moved, one needs movable ones, one forks, one reads a file, and
 * one allocates and frees buffers in the area. They get so much that it fits if
 * all free pages of the area are used.
 *
 * oom.rounds=N (300) and oom.seed=N on the kernel's command line set the number
 * of rounds and the random sequence.
 *
 * Another test allocates buffers in vain all the time: what an attempt keeps out
 * of the free lists must not be missing when a process needs it.
 */
#define TAP_SECONDS	20000	/* a scenario has its limit */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"
#include "outside.h"

#include <limits.h>
#include <sys/resource.h>

#define DATA		"/mnt/data.bin"
#define OUTSIDE_KB	7000		/* that are free outside of the area */
#define SPARE_KB	6000		/* for watermarks, page tables and stacks */

enum { UNMOVABLE, MOVABLE, NR_SIZES };

/* What one round does: sizes in KiB, and the area's part in pages */
struct round {
	long kb[NR_SIZES];
	unsigned int buffer_pages;
	unsigned int seed;
	int ready;		/* ends of a pipe; see hold() */
	int release;
};

static unsigned int random_of(unsigned int *seed, unsigned int from,
			      unsigned int to)
{
	return from + rand_r(seed) % (to - from + 1);
}

/* Keep what this process has until the others have got theirs, too */
static void hold(const struct round *round)
{
	char c = 0;

	REQUIRE(write(round->ready, &c, 1) == 1, "%s", strerror(errno));
	close(round->ready);
	while (read(round->release, &c, 1) > 0)
		;
}

static void need_unmovable(void *arg)
{
	const struct round *round = arg;
	long kb;

	for (kb = 0; kb < round->kb[UNMOVABLE]; kb += PIPE_KB)
		fill_pipe();
	hold(round);
}

static void need_movable(void *arg)
{
	const struct round *round = arg;
	size_t size = round->kb[MOVABLE] * 1024;
	char *mem = map_anon(size);

	REQUIRE(mem, "no address space");
	fill_pages(mem, size, round->seed);
	hold(round);
	REQUIRE(first_wrong(mem, size, round->seed) < 0, "page %ld has changed",
		first_wrong(mem, size, round->seed));
}

/* The kernel needs blocks of four pages for each of them */
static void need_processes(void *arg)
{
	const struct round *round = arg;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = tap_fork();

		if (!pid)
			_exit(TAP_PASS);
		tap_join(pid);
	}
	hold(round);
}

static void read_data(void *arg)
{
	const struct round *round = arg;
	unsigned int seed = round->seed, i;
	static char data[16 * PAGE];
	int fd = open(DATA, O_RDONLY);

	REQUIRE(fd >= 0, "%s: %s", DATA, strerror(errno));
	for (i = 0; i < 8; i++)
		REQUIRE(pread(fd, data, sizeof(data),
			      random_of(&seed, 0, 512) * sizeof(data)) ==
			sizeof(data), "%s: %s", DATA, strerror(errno));
	hold(round);
}

/* A buffer may be refused: it must not get somebody killed */
static void use_buffers(void *arg)
{
	const struct round *round = arg;
	unsigned int seed = round->seed, i;
	char text[32];

	for (i = 0; i < 8; i++) {
		snprintf(text, sizeof(text), "%u",
			 random_of(&seed, 1, round->buffer_pages));
		if (!write_file(AREA "alloc", text))
			write_file(AREA "free", text);
	}
	hold(round);
}

static void (*const parts[])(void *arg) = {
	need_unmovable, need_movable, need_processes, read_data, use_buffers,
};

#define NR_PARTS	ARRAY_SIZE(parts)

/* Start the parts in a random order, and end them when all have what they need */
static void run_round(struct round *round)
{
	unsigned int seed = round->seed, first = random_of(&seed, 0, NR_PARTS - 1);
	int ready[2], release[2];
	pid_t pids[NR_PARTS];
	size_t i, count = 0;
	char c;

	REQUIRE(!pipe2(ready, O_CLOEXEC) && !pipe2(release, O_CLOEXEC), "pipe: %s",
		strerror(errno));
	round->ready = ready[1];
	round->release = release[0];
	for (i = 0; i < NR_PARTS; i++) {
		pids[i] = tap_fork();
		if (pids[i])
			continue;
		close(ready[0]);
		close(release[1]);
		parts[(first + i) % NR_PARTS](round);
		fflush(stdout);
		_exit(TAP_PASS);
	}
	close(ready[1]);
	close(release[0]);
	while (read(ready[0], &c, 1) == 1 && ++count < NR_PARTS)
		;
	if (count < NR_PARTS)
		note("%ld kB were free, %ld kB of them in the area",
		     meminfo_kb("MemFree"), meminfo_kb("CmaFree"));
	close(ready[0]);
	close(release[1]);
	for (i = 0; i < NR_PARTS; i++)
		tap_join(pids[i]);
}

/* Memory that others can have: what is in use stays, but for page cache */
static long free_kb(void)
{
	write_file("/proc/sys/vm/drop_caches", "1");
	return meminfo_kb("MemFree");
}

TEST(rounds, "nobody is killed while free pages of the area would do")
{
	unsigned long nr_rounds = argument("oom.rounds=", 300), n;
	unsigned int seed = argument("oom.seed=", 3);
	struct rlimit limit = { 1024, 1024 };
	long share, least = LONG_MAX;
	size_t size;
	char *anon;

	if (access(AREA "alloc", W_OK))
		skip("no area, or no debugfs");
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
	take_area();
	size = (free_kb() - OUTSIDE_KB) * 1024UL;
	anon = map_anon(size);
	REQUIRE(anon, "no address space");
	madvise(anon, size, MADV_DONTFORK);
	fill_pages(anon, size, 7);
	write_file(AREA "free", "1000000");
	share = (free_kb() - SPARE_KB) / 5;
	note("%zu MiB in use, %ld kB free, %ld kB of them in the area",
	     size >> 20, meminfo_kb("MemFree"), meminfo_kb("CmaFree"));
	REQUIRE(share > 1024, "too little memory is free");

	for (n = 0; n < nr_rounds; n++) {
		struct round round = {
			.buffer_pages = share / 4,
			.seed = rand_r(&seed),
		};
		unsigned int sizes = round.seed;

		/* two shares each at most, and one for the buffers */
		round.kb[UNMOVABLE] = random_of(&sizes, share, 2 * share);
		round.kb[MOVABLE] = random_of(&sizes, share, 2 * share);
		tap_join(tap_start((void (*)(void *))run_round, &round));
		if (least > meminfo_kb("CmaFree"))
			least = meminfo_kb("CmaFree");
		if (n % 1000 == 999)
			note("%lu rounds", n + 1);
	}
	note("%ld kB were free in the area at least between two rounds", least);
	REQUIRE(first_wrong(anon, size, 7) < 0, "page %ld has changed",
		first_wrong(anon, size, 7));
}

/* Pages of the area that nobody can move, and a few that somebody can */
static void litter_area(int ctl, const struct cma_ctl_area *area)
{
	size_t size = meminfo_kb("CmaFree") * 1024UL, i;
	struct cma_ctl_pin pin = {};
	char *mem = map_anon(size);
	__u64 pfn;

	REQUIRE(mem, "no address space");
	madvise(mem, size, MADV_DONTFORK);
	for (i = 0; i < size; i += PAGE)
		mem[i] = 1;
	for (i = 0; i < size; i += PAGE) {
		pfn = pfn_of(mem + i);
		if (in_area(area, pfn) &&
		    (pfn - area->base_pfn) % (area->nr_pages / 4) == 1) {
			pin.addr = (uintptr_t)(mem + i);
			REQUIRE(!ioctl(ctl, CMA_CTL_PIN, &pin), "%s",
				strerror(errno));
		} else if (!in_area(area, pfn) || pfn % 32) {
			madvise(mem + i, PAGE, MADV_DONTNEED);
		}
	}
}

/* Longer than what is between two pinned pages */
static void allocate_in_vain(void *arg)
{
	const struct cma_ctl_area *area = arg;
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();

	for (;;)
		REQUIRE(ctl_alloc(ctl, &alloc, area->nr_pages / 8 * 3 * PAGE,
				  CMA_CTL_COHERENT) == -ENOMEM, "allocated");
}

TEST(attempts, "nobody is killed while buffers are allocated in vain")
{
	struct cma_ctl_area area;
	size_t size, i;
	pid_t pid;
	char *anon;
	int ctl;

	if (access(AREA "alloc", W_OK))
		skip("no area, or no debugfs");
	ctl = ctl_open();
	area = ctl_area(ctl);
	take_area();
	size = (free_kb() - OUTSIDE_KB) * 1024UL;
	anon = map_anon(size);
	REQUIRE(anon, "no address space");
	madvise(anon, size, MADV_DONTFORK);
	fill_pages(anon, size, 7);
	write_file(AREA "free", "1000000");
	litter_area(ctl, &area);
	size = (free_kb() - SPARE_KB) * 1024UL;
	note("%zu of %ld kB, with %ld kB in the area", size / 1024,
	     meminfo_kb("MemFree"), meminfo_kb("CmaFree"));

	pid = tap_start(allocate_in_vain, &area);
	for (i = 0; i < 40; i++) {
		anon = map_anon(size);
		REQUIRE(anon, "no address space");
		madvise(anon, size, MADV_DONTFORK);
		fill_pages(anon, size, i);
		munmap(anon, size);
	}
	REQUIRE(!waitpid(pid, NULL, WNOHANG), "the other process has ended");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
