// SPDX-License-Identifier: GPL-2.0
/*
 * Every CPU allocates and frees at random while files are copied on a disk
 *
 * On the kernel's command line, cma_stress.seconds=N (60) sets how long,
 * cma_stress.full_seconds=N how long with full memory (as long as before), and
 * cma_stress.seed=N the random sequence.
 */
#include "tap.h"
#include "guest.h"

#include <sys/vfs.h>
#include <time.h>

#define STRESS		"/sys/kernel/debug/cma_stress"
#define EXT2_MAGIC	0xef53
#define MAX_CPUS	8
#define ENOUGH		100		/* allocations of each CPU */
#define FILE_SIZE	(2 * MIB)	/* small: QEMU writes its card slowly */

static bool is_ext2(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && fs.f_type == EXT2_MAGIC;
}

static int new_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	unlink(path);
	return fd;
}

static void copy(int from, int to, size_t size)
{
	char page[PAGE];
	size_t i;

	for (i = 0; i < size; i += PAGE) {
		REQUIRE(pread(from, page, PAGE, i) == (ssize_t)PAGE, "read: %s",
			strerror(errno));
		REQUIRE(pwrite(to, page, PAGE, i) == (ssize_t)PAGE, "write: %s",
			strerror(errno));
	}
}

static void compare(int fd, size_t size)
{
	char page[PAGE];
	size_t i;

	for (i = 0; i < size; i += PAGE) {
		REQUIRE(pread(fd, page, PAGE, i) == (ssize_t)PAGE, "read: %s",
			strerror(errno));
		REQUIRE(page_right(page, 5, i / PAGE),
			"page %zu of the copy is wrong", i / PAGE);
	}
}

/* Copy back and forth and compare, at least twice and until the time is over. */
static void copy_until(time_t end, const char *dir)
{
	char path[2][64], page[PAGE];
	unsigned int copies = 0;
	int fd[2];
	size_t i;

	snprintf(path[0], sizeof(path[0]), "%s/stress.0", dir);
	snprintf(path[1], sizeof(path[1]), "%s/stress.1", dir);
	fd[0] = new_file(path[0]);
	fd[1] = new_file(path[1]);
	for (i = 0; i < FILE_SIZE / PAGE; i++) {
		fill_page(page, 5, i);
		REQUIRE(pwrite(fd[0], page, PAGE, i * PAGE) == (ssize_t)PAGE,
			"write: %s", strerror(errno));
	}
	while (copies < 2 || time(NULL) < end) {
		copy(fd[copies % 2], fd[(copies + 1) % 2], FILE_SIZE);
		copies++;
		REQUIRE(!fsync(fd[copies % 2]), "fsync: %s", strerror(errno));
		posix_fadvise(fd[copies % 2], 0, 0, POSIX_FADV_DONTNEED);
		compare(fd[copies % 2], FILE_SIZE);
	}
	note("%u copies of %zu MiB on %s", copies, FILE_SIZE / MIB, dir);
}

/* What the threads of each CPU did. */
struct work {
	unsigned int allocs, fails;
};

/* One line of the module's report for a CPU. */
static bool parse(const char *line, unsigned int *cpu, struct work *work,
		  unsigned int *bad)
{
	return sscanf(line, "cpu %u: allocs %u fails %u bad %u", cpu,
		      &work->allocs, &work->fails, bad) == 4;
}

static void add_report(char *report, struct work *works, unsigned int nr_cpus)
{
	unsigned int cpu, bad, cpus = 0;
	struct work work;
	char *line;

	for (line = strtok(report, "\n"); line; line = strtok(NULL, "\n")) {
		note("%s", line);
		if (!parse(line, &cpu, &work, &bad))
			continue;
		REQUIRE(!bad, "%u bad buffers", bad);
		REQUIRE(cpu < nr_cpus, "CPU %u of %u", cpu, nr_cpus);
		works[cpu].allocs += work.allocs;
		works[cpu].fails += work.fails;
		cpus++;
	}
	REQUIRE(cpus == nr_cpus, "%u CPUs", cpus);
}

static unsigned int least_allocs(const struct work *works, unsigned int nr_cpus)
{
	unsigned int least = works[0].allocs, cpu;

	for (cpu = 1; cpu < nr_cpus; cpu++)
		least = works[cpu].allocs < least ? works[cpu].allocs : least;
	return least;
}

/* Start the threads; they end when the descriptor is read or closed. */
static int start(unsigned long seed)
{
	char text[32];
	int fd = open(STRESS, O_RDWR | O_CLOEXEC);
	int len = snprintf(text, sizeof(text), "%lu", seed);
	int error;

	REQUIRE(fd >= 0, "%s: %s", STRESS, strerror(errno));
	if (write(fd, text, len) == len)
		return fd;
	error = errno;
	close(fd);
	module_unload("cma_stress");
	if (error == ENODEV)
		skip("no default area");
	REQUIRE(false, "%s: %s", STRESS, strerror(error));
	return -1;
}

/* Let the threads run while files are copied, and add what they did. */
static void run_threads(unsigned long seed, time_t end, const char *dir,
			struct work *works, unsigned int nr_cpus)
{
	char report[1024];
	int fd = start(seed);
	ssize_t len;

	copy_until(end, dir);
	len = read(fd, report, sizeof(report) - 1);
	REQUIRE(len > 0, "%s: %s", STRESS, strerror(errno));
	report[len] = '\0';
	close(fd);
	add_report(report, works, nr_cpus);
}

/*
 * How much a thread can do in that time depends on the machine that QEMU runs on:
 * go on until each has done enough, for at most 200 s.
 */
static void stress(const char *dir, unsigned long seconds)
{
	unsigned long seed = argument("cma_stress.seed=", 20111024);
	unsigned int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu;
	time_t end = time(NULL) + seconds, give_up = end + 200;
	struct work works[MAX_CPUS] = {};
	int error;

	REQUIRE(nr_cpus <= MAX_CPUS, "%u CPUs", nr_cpus);
	error = module_load("cma_stress");
	if (error == -ENOENT)
		skip("no contiguous memory areas");
	REQUIRE(!error, "cma_stress: %s", strerror(-error));
	note("%lu s, seed %lu", seconds, seed);
	run_threads(seed, end, dir, works, nr_cpus);
	while (least_allocs(works, nr_cpus) < ENOUGH && time(NULL) < give_up)
		run_threads(++seed, time(NULL) + 10, dir, works, nr_cpus);
	error = module_unload("cma_stress");
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		struct work *work = &works[cpu];

		REQUIRE(work->allocs >= ENOUGH, "CPU %u: only %u allocations",
			cpu, work->allocs);
		REQUIRE(work->fails <= work->allocs / 20,
			"CPU %u: %u of %u failed", cpu, work->fails,
			work->allocs);
	}
	REQUIRE(!error, "the module cannot be removed: %s", strerror(-error));
}

/* Take all memory but what the threads and the disk need. */
static char *fill_memory(size_t *size)
{
	long kb = meminfo_kb("MemFree") - 20 * 1024 -
		  meminfo_kb("CmaTotal") / 2;
	char *mem;

	REQUIRE(kb > 1024, "only %ld KiB to fill", kb);
	*size = (size_t)kb * 1024 & ~(PAGE - 1);
	mem = map_anon(*size);
	REQUIRE(mem, "no address space for %zu", *size);
	fill_pages(mem, *size, 6);
	return mem;
}

static long cma_free_kb(void)
{
	write_file("/proc/sys/vm/drop_caches", "3");
	sleep(1);
	return meminfo_kb("CmaFree");
}

static unsigned long seconds(void)
{
	return argument("cma_stress.seconds=", 60);
}

static unsigned long full_seconds(void)
{
	return argument("cma_stress.full_seconds=", seconds());
}

static void stress_and_count(void)
{
	long before = cma_free_kb();
	long after;

	stress(is_ext2("/mnt") ? "/mnt" : "/tmp", seconds());
	after = cma_free_kb();
	REQUIRE(after + 1024 >= before, "CmaFree: %ld KiB before, %ld after",
		before, after);
}

TEST(all_cpus, "all CPUs allocate and free at random while files are copied")
{
	alarm(seconds() + 240);
	stress_and_count();
}

/* For whatever the threads allocate, pages of this process have to move. */
TEST(full, "the same while memory is full of a process's pages")
{
	size_t size;
	char *mem;
	long wrong;

	alarm(full_seconds() + 240);
	if (meminfo_kb("CmaTotal") <= 0)
		skip("no contiguous memory areas");
	mem = fill_memory(&size);
	stress(is_ext2("/mnt") ? "/mnt" : "/tmp", full_seconds());
	wrong = first_wrong(mem, size, 6);
	REQUIRE(wrong < 0, "page %ld of the process has changed", wrong);
}
