/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put pages into given parts of the area: fill all memory with pages of shared
 * memory (tmpfs) whose places are known, and release those that are where other
 * pages shall go. Include guest.h first.
 */
#ifndef PLACE_H
#define PLACE_H

#include <sched.h>

/* Free memory that stays: page tables, and what the kernel needs meanwhile */
#define PLACE_SPARE_KB	(12 * 1024)

/* Bits of /proc/kpageflags */
#define KPF_LOCKED	(1ULL << 0)
#define KPF_DIRTY	(1ULL << 4)
#define KPF_LRU		(1ULL << 5)
#define KPF_WRITEBACK	(1ULL << 8)
#define KPF_SWAPBACKED	(1ULL << 14)

/* A number that the area counts, such as "moved_pages" */
static inline size_t area_stat(const char *name)
{
	size_t len = strlen(name), value = 0;
	bool found = false;
	char line[64];
	FILE *f = fopen(AREA_STATS, "r");

	REQUIRE(f, "%s: %s", AREA_STATS, strerror(errno));
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, name, len) &&
			sscanf(line + len, " %zu", &value) == 1;
	fclose(f);
	REQUIRE(found, "no %s in %s", name, AREA_STATS);
	return value;
}

/* Shared memory and the page frame of each of its pages, 0 if it has none */
struct fill {
	char *mem;
	size_t nr_pages;
	__u64 *pfns;
};

static void fill_look(struct fill *fill)
{
	size_t size = fill->nr_pages * sizeof(*fill->pfns);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t i;

	REQUIRE(fd >= 0, "pagemap: %s", strerror(errno));
	REQUIRE(pread(fd, fill->pfns, size, (uintptr_t)fill->mem / PAGE *
		      sizeof(*fill->pfns)) == (ssize_t)size, "pagemap");
	close(fd);
	for (i = 0; i < fill->nr_pages; i++)
		fill->pfns[i] = fill->pfns[i] >> 63 ?
				fill->pfns[i] & ((1ULL << 55) - 1) : 0;
}

/* Take all free memory but @spare_kb. */
static void fill_memory(struct fill *fill, long spare_kb)
{
	long kb = meminfo_kb("MemFree") - spare_kb;
	size_t i;

	REQUIRE(kb > 0, "less than %ld KiB are free", spare_kb);
	fill->nr_pages = kb * 1024UL / PAGE;
	fill->mem = mmap(NULL, fill->nr_pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(fill->mem != MAP_FAILED, "mmap: %s", strerror(errno));
	fill->pfns = malloc(fill->nr_pages * sizeof(*fill->pfns));
	REQUIRE(fill->pfns, "no memory");
	for (i = 0; i < fill->nr_pages; i++)
		*(__u32 *)(fill->mem + i * PAGE) = i;
	fill_look(fill);
}

/* Release the pages whose frames are (or are not) in [start, end); how many. */
static size_t fill_release(struct fill *fill, __u64 start, __u64 end, bool inside)
{
	size_t first, i, count = 0;

	for (i = 0; i < fill->nr_pages; i++) {
		for (first = i; i < fill->nr_pages && fill->pfns[i] &&
		     (fill->pfns[i] >= start && fill->pfns[i] < end) == inside; i++)
			fill->pfns[i] = 0;
		if (i == first)
			continue;
		REQUIRE(!madvise(fill->mem + first * PAGE, (i - first) * PAGE,
				 MADV_REMOVE), "MADV_REMOVE: %s", strerror(errno));
		count += i - first;
	}
	return count;
}

static size_t fill_release_outside(struct fill *fill,
				   const struct cma_ctl_area *area)
{
	return fill_release(fill, area->base_pfn,
			    area->base_pfn + area->nr_pages, false);
}

/* The number of pages in [start, end). */
static size_t fill_count(const struct fill *fill, __u64 start, __u64 end)
{
	size_t i, count = 0;

	for (i = 0; i < fill->nr_pages; i++)
		count += fill->pfns[i] >= start && fill->pfns[i] < end;
	return count;
}

/* Do the pages that were not released have their contents? */
static void fill_check(const struct fill *fill)
{
	size_t i;

	for (i = 0; i < fill->nr_pages; i++)
		REQUIRE(!fill->pfns[i] ||
			*(__u32 *)(fill->mem + i * PAGE) == i,
			"page %zu has changed", i);
}

/* The flags of all pages of the area. */
static const __u64 *area_flags(const struct cma_ctl_area *area)
{
	static __u64 *flags;
	static int fd = -1;
	size_t size = area->nr_pages * sizeof(*flags);

	if (fd < 0) {
		fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
		flags = malloc(size);
		REQUIRE(fd >= 0 && flags, "kpageflags: %s", strerror(errno));
	}
	REQUIRE(pread(fd, flags, size, area->base_pfn * sizeof(*flags)) ==
		(ssize_t)size, "kpageflags: %s", strerror(errno));
	return flags;
}

/* Is it locked, or being written, or a page of a file that has to be written? */
static bool under_io(__u64 flags)
{
	return flags & (KPF_LOCKED | KPF_WRITEBACK) ||
	       (flags & (KPF_DIRTY | KPF_SWAPBACKED)) == KPF_DIRTY;
}

static size_t count_io(const struct cma_ctl_area *area)
{
	const __u64 *flags = area_flags(area);
	size_t i, count = 0;

	for (i = 0; i < area->nr_pages; i++)
		count += under_io(flags[i]);
	return count;
}

static unsigned long elapsed_us(__u64 since_ns)
{
	return (clock_ns(CLOCK_MONOTONIC) - since_ns) / 1000;
}

/* As ctl_alloc(); @us is how long it took. */
static int timed_alloc(int ctl, struct cma_ctl_alloc *alloc, size_t size,
		       unsigned long *us)
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);
	int ret = ctl_alloc(ctl, alloc, size, CMA_CTL_COHERENT);

	*us = elapsed_us(start);
	return ret;
}

static void ctl_free(int ctl, const struct cma_ctl_alloc *alloc)
{
	REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc->id), "%s", strerror(errno));
}

#define MAX_BUFFERS	256

/* The number of 1 MiB buffers that can be had now, or until one takes 5 s. */
static size_t capacity(int ctl, unsigned long *longest_us)
{
	static struct cma_ctl_alloc alloc[MAX_BUFFERS];
	size_t count = 0, i;
	unsigned long us;
	int ret;

	do {
		ret = timed_alloc(ctl, &alloc[count], MIB, &us);
		if (longest_us && us > *longest_us)
			*longest_us = us;
	} while (!ret && ++count < MAX_BUFFERS && us < 5000000);
	for (i = 0; i < count; i++)
		ctl_free(ctl, &alloc[i]);
	return count;
}

/* Use this CPU only. */
static void use_cpu(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	REQUIRE(!sched_setaffinity(0, sizeof(cpus), &cpus), "CPU %u: %s", cpu,
		strerror(errno));
}

/* A child for one job, which it does and then says that it has done it. */
static pid_t start_ready(void (*run)(void *arg), void *arg)
{
	int ready[2];
	pid_t pid;
	char c;

	REQUIRE(!pipe(ready), "pipe: %s", strerror(errno));
	pid = tap_fork();
	if (!pid) {
		close(ready[0]);
		run(arg);
		if (write(ready[1], "", 1) != 1)
			_exit(TAP_FAIL);
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &c, 1) == 1, "the child has failed");
	close(ready[0]);
	return pid;
}

/* Kill a child; how long it took until it was gone. */
static unsigned long kill_child(pid_t pid)
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);

	kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, NULL, 0) == pid, "%s", strerror(errno));
	return elapsed_us(start);
}

/* The children of a test that failed are killed, and about to end. */
static void wait_for_children(void)
{
	usleep(300000);
}

#endif
