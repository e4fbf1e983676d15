// SPDX-License-Identifier: GPL-2.0
/*
 * Time that hot paths of the page allocator and of memory management take, with
 * and without an area. Prints lines "# mm bench WHAT SIZE COUNT TIME"; TIME is in
 * ns. That of a block is of 100 blocks, that of a fault of 100 pages, and that of
 * fork() of one process, each in the fastest of several runs.
 */
#define TAP_BEGIN mm_begin
#define TAP_END mm_end
#include "tap.h"
#include "guest.h"

#define FILE_NAME	"/sys/kernel/debug/cma_mmbench"
#define RUNS		9
#define FAULTS		1024U		/* pages of a run */
#define FORKS		32U		/* processes of a run */

static void mm_begin(void)
{
	module_begin("cma_mmbench");
}

static void mm_end(void)
{
	module_end("cma_mmbench");
}

/* Measure in the kernel and print the line. */
static void measure_blocks(const char *mode, unsigned int order, unsigned int count)
{
	char line[128];
	FILE *file;
	int ret;

	REQUIRE(!module_error, "cma_mmbench: %s", strerror(-module_error));
	file = fopen(FILE_NAME, "w");
	REQUIRE(file, FILE_NAME ": %s", strerror(errno));
	ret = fprintf(file, "%s %u %u", mode, order, count) < 0;
	REQUIRE(!fclose(file) && !ret, "%s %u %u: %s", mode, order, count, strerror(errno));

	file = fopen(FILE_NAME, "r");
	REQUIRE(file && fgets(line, sizeof(line), file), "%s: no figure", mode);
	fclose(file);
	line[strcspn(line, "\n")] = 0;
	note("mm %s", line);
}

static void both_orders(const char *mode, unsigned int pages)
{
	measure_blocks(mode, 0, pages);
	measure_blocks(mode, 3, pages / 8);
}

/* Print the time of the fastest run per @unit of its @count parts. */
static void measure(const char *what, size_t size, unsigned int count, unsigned int unit,
		    void (*run)(unsigned int count))
{
	__u64 fastest = 0;
	int i;

	for (i = 0; i < RUNS; i++) {
		__u64 start = clock_ns(CLOCK_MONOTONIC), ns;

		run(count);
		ns = clock_ns(CLOCK_MONOTONIC) - start;
		if (!i || ns < fastest)
			fastest = ns;
	}
	note("mm bench %s %zu %u %llu", what, size, count, fastest * unit / count);
}

/* Map pages, touch all of them and unmap them. */
static void touch(unsigned int pages, int prot, int flags, int fd)
{
	volatile char *mem = mmap(NULL, pages * PAGE, prot, flags, fd, 0);
	unsigned int i;

	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	for (i = 0; i < pages; i++) {
		if (prot & PROT_WRITE)
			mem[i * PAGE] = 1;
		else
			(void)mem[i * PAGE];
	}
	REQUIRE(!munmap((void *)mem, pages * PAGE), "munmap: %s", strerror(errno));
}

static void anonymous_faults(unsigned int pages)
{
	touch(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static int cached;	/* a file whose pages are in the page cache */

static void file_faults(unsigned int pages)
{
	touch(pages, PROT_READ, MAP_SHARED, cached);
}

static void forks(unsigned int count)
{
	while (count--) {
		int status = -1;
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		REQUIRE(pid > 0, "fork: %s", strerror(errno));
		REQUIRE(waitpid(pid, &status, 0) == pid && !status, "status %#x", status);
	}
}

TEST(pairs, "page allocator: allocate a block and free it")
{
	both_orders("pairs", 16384);
	both_orders("pairs-movable", 16384);
}

TEST(hold, "page allocator: allocate 8 MiB in blocks, then free them")
{
	both_orders("hold", 2048);
	both_orders("hold-movable", 2048);
}

TEST(fault, "page faults: anonymous memory, and pages of a file")
{
	static const char block[64 * 1024];
	unsigned int i;

	measure("fault-anon", PAGE, FAULTS, 100, anonymous_faults);

	cached = open("/tmp/mm_bench", O_RDWR | O_CREAT | O_TRUNC, 0600);
	REQUIRE(cached >= 0, "open: %s", strerror(errno));
	for (i = 0; i < FAULTS * PAGE / sizeof(block); i++)
		REQUIRE(write(cached, block, sizeof(block)) == sizeof(block), "write: %s",
			strerror(errno));
	measure("fault-file", PAGE, FAULTS, 100, file_faults);
	close(cached);
	unlink("/tmp/mm_bench");
}

TEST(fork, "fork() of a process that has 1 MiB, its exit, and waiting for that")
{
	char *mem = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	memset(mem, 1, MIB);
	measure("fork", MIB, FORKS, 1, forks);
}
