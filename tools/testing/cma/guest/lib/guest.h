/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs share: failures, processes, modules, /dev/cma_ctl, the
 * places of pages, the kernel's counters, and memory with known contents. Include
 * tap.h first.
 */
#ifndef GUEST_H
#define GUEST_H

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <time.h>

#include "cma_ctl.h"

#define PAGE		((size_t)4096)
#define WORDS		(PAGE / sizeof(__u32))
#define MIB		((size_t)1024 * 1024)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static const char *tap_about = "";	/* what is being tested */
unsigned int test_checks;

void test_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: %s%s%s%s", file, line, tap_about,
	       *tap_about ? ": " : "", what, *fmt ? ": " : "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(TAP_FAIL);
}

/* A process that is killed when its parent ends. */
static pid_t tap_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Run a part of a test in another process. */
static pid_t tap_start(void (*run)(void *arg), void *arg)
{
	pid_t pid = tap_fork();

	if (!pid) {
		run(arg);
		fflush(stdout);
		_exit(TAP_PASS);
	}
	return pid;
}

/* Wait for such a part; the test fails if the part failed. */
static void tap_join(pid_t pid)
{
	REQUIRE(tap_wait(pid) == TAP_PASS, "the other process failed");
}

/* Load a module; 0, or a negative errno. */
static int module_load(const char *name)
{
	char path[128];
	struct stat st;
	void *image;
	int fd, ret;

	snprintf(path, sizeof(path), "/lib/modules/%s.ko", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !st.st_size) {
		close(fd);
		return -EIO;
	}
	image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image == MAP_FAILED)
		return -ENOMEM;
	ret = syscall(SYS_init_module, image, (long)st.st_size, "");
	ret = ret ? -errno : 0;
	munmap(image, st.st_size);
	return ret;
}

static int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Open a misc device, without relying on a node in /dev; or -1. */
static int open_misc(const char *name, int flags)
{
	char path[64], line[128], found[64];
	unsigned int minor;
	FILE *misc;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, flags);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	misc = fopen("/proc/misc", "r");
	while (misc && fgets(line, sizeof(line), misc)) {
		if (sscanf(line, "%u %63s", &minor, found) != 2 ||
		    strcmp(found, name))
			continue;
		mknod(path, S_IFCHR | 0600, makedev(10, minor));
		break;
	}
	if (misc)
		fclose(misc);
	return open(path, flags);
}

/* The time of a clock. */
static __u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	REQUIRE(!clock_gettime(clock, &ts), "clock: %s", strerror(errno));
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int module_error;	/* from loading the program's module */

static void module_begin(const char *name)
{
	module_error = module_load(name);
}

static void module_end(const char *name)
{
	int error;

	if (module_error)
		return;
	error = module_unload(name);
	if (error) {
		note("%s cannot be removed: %s", name, strerror(-error));
		_exit(1);
	}
}

static void ctl_begin(void)
{
	module_begin("cma_ctl");
}

static void ctl_end(void)
{
	module_end("cma_ctl");
}

/* /dev/cma_ctl, or skip the test. */
static int ctl_open(void)
{
	int fd;

	if (module_error == -ENOENT)
		skip("no contiguous memory areas");
	REQUIRE(!module_error, "cma_ctl: %s", strerror(-module_error));
	fd = open_misc("cma_ctl", O_RDWR | O_CLOEXEC);
	REQUIRE(fd >= 0, "/dev/cma_ctl: %s", strerror(errno));
	return fd;
}

static struct cma_ctl_area ctl_area(int ctl)
{
	struct cma_ctl_area area = {};

	if (ioctl(ctl, CMA_CTL_AREA, &area)) {
		if (errno == ENODEV)
			skip("no default area");
		REQUIRE(false, "area: %s", strerror(errno));
	}
	return area;
}

static bool in_area(const struct cma_ctl_area *area, __u64 pfn)
{
	return pfn >= area->base_pfn && pfn < area->base_pfn + area->nr_pages;
}

/* 0, or a negative errno; @alloc has the buffer. */
static int ctl_alloc(int ctl, struct cma_ctl_alloc *alloc, size_t size,
		     unsigned int how)
{
	memset(alloc, 0, sizeof(*alloc));
	alloc->size = size;
	alloc->how = how;
	return ioctl(ctl, CMA_CTL_ALLOC, alloc) ? -errno : 0;
}

/* A number in a file like /proc/meminfo; -1 when it is not there. */
static long number_in(const char *file, const char *name)
{
	size_t len = strlen(name);
	long value = -1;
	char line[256];
	FILE *f;

	f = fopen(file, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) &&
		    (line[len] == ' ' || line[len] == ':'))
			value = strtol(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static long meminfo_kb(const char *name)
{
	return number_in("/proc/meminfo", name);
}

/* All of a small file, or an empty string. */
static void read_file(const char *path, char *text, size_t size)
{
	ssize_t len = 0;
	int fd = open(path, O_RDONLY);

	if (fd >= 0) {
		ssize_t n;

		while (len < (ssize_t)size - 1 &&
		       (n = read(fd, text + len, size - 1 - len)) > 0)
			len += n;
		close(fd);
	}
	text[len] = '\0';
}

#define AREAS_SYSFS	"/sys/kernel/mm/cma/"

/* What the default area can be told and asked */
#define AREA		"/sys/kernel/debug/cma/reserved/"
#define AREA_STATS	AREA "stats"
#define AREA_SYSFS	AREAS_SYSFS "reserved/"
#define AREA_BUDGET	AREA_SYSFS "wait_budget_ms"
#define DEFAULT_BUDGET_MS	500

/* A number that a file of sysfs tells of an area, such as "camera/exclusive" */
static long area_sysfs(const char *file)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), AREAS_SYSFS "%s", file);
	read_file(path, text, sizeof(text));
	return strtol(text, NULL, 10);
}

/* A number on the kernel's command line: @name is "program.what=". */
static unsigned long argument(const char *name, unsigned long otherwise)
{
	char cmdline[2048];
	const char *found = cmdline;

	read_file("/proc/cmdline", cmdline, sizeof(cmdline));
	while ((found = strstr(found, name))) {
		found += strlen(name);
		otherwise = strtoul(found, NULL, 10);
	}
	return otherwise;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = -errno;
	close(fd);
	return error;
}

/*
 * The kernel flushes the TLB for each page of a new thread's stack, of which
 * there are 2048 by default: an emulated machine takes a second for that.
 */
static void __attribute__((constructor)) limit_stacks(void)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
}

/* "Number of blocks type" in /proc/pagetypeinfo: blocks of each type. */
static void block_types(char *text, size_t size)
{
	static char all[16384];
	char *start;

	read_file("/proc/pagetypeinfo", all, sizeof(all));
	start = strstr(all, "Number of blocks type");
	snprintf(text, size, "%s", start ? start : "");
}

/* The page frames of @count pages from @addr on; 0 where there is none. */
static void pfns_of(const void *addr, __u64 *pfns, size_t count)
{
	static int pagemap = -1;
	static pid_t owner;
	ssize_t len;
	size_t i;

	if (owner != getpid()) {
		pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		owner = getpid();
	}
	len = pread(pagemap, pfns, count * sizeof(*pfns),
		    (uintptr_t)addr / PAGE * sizeof(*pfns));
	for (i = 0; i < count; i++)
		if (len >= (ssize_t)((i + 1) * sizeof(*pfns)) && pfns[i] >> 63)
			pfns[i] &= (1ULL << 55) - 1;
		else
			pfns[i] = 0;
}

static __u64 pfn_of(const void *addr)
{
	__u64 pfn;

	pfns_of(addr, &pfn, 1);
	return pfn;
}

/*
 * Does pagemap show the pages that a driver has mapped?  Late releases of v3.2 leave
 * such a mapping out. /dev/mem makes one of this page.
 */
static bool pagemap_shows(__u64 pfn)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	void *mem = (void *)syscall(SYS_mmap2, NULL, PAGE, PROT_READ, MAP_SHARED,
				    fd, (unsigned long)pfn);
	bool shown;

	REQUIRE(mem != MAP_FAILED, "mmap of /dev/mem: %s", strerror(errno));
	shown = pfn_of(mem) == pfn;
	munmap(mem, PAGE);
	close(fd);
	if (!shown)
		printf("# pagemap does not show where a buffer is mapped\n");
	return shown;
}

/* How many pages to ask for at once: there are tens of thousands. */
#define PFN_BATCH	512

/*
 * The page frame of the @i-th page of @mem, or 0, for callers that go from page to page and
 * leave none out: @batch has PFN_BATCH entries, filled at the first of as many pages.
 */
static __u64 pfn_at(const void *mem, size_t i, __u64 *batch)
{
	if (!(i % PFN_BATCH))
		pfns_of((const char *)mem + i * PAGE, batch, PFN_BATCH);
	return batch[i % PFN_BATCH];
}

/* The number of pages mapped at @mem that are in the area. */
static size_t pages_in_area(const struct cma_ctl_area *area, const void *mem,
			    size_t size)
{
	__u64 batch[PFN_BATCH];
	size_t count = 0;
	size_t i;

	for (i = 0; i < size / PAGE; i++)
		count += in_area(area, pfn_at(mem, i, batch));
	return count;
}

/* Every word of a page depends on its owner, the page's number and its place. */
static void fill_page(void *page, __u32 owner, __u32 index)
{
	__u32 seed = owner * 2654435761u ^ index * 2246822519u;
	__u32 *word = page;
	size_t i;

	for (i = 0; i < WORDS; i++)
		word[i] = seed + i * 3266489917u;
}

static bool page_right(const void *page, __u32 owner, __u32 index)
{
	__u32 seed = owner * 2654435761u ^ index * 2246822519u;
	const __u32 *word = page;
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (word[i] != seed + i * 3266489917u)
			return false;
	return true;
}

static void fill_pages(void *mem, size_t size, __u32 owner)
{
	size_t i;

	for (i = 0; i < size / PAGE; i++)
		fill_page((char *)mem + i * PAGE, owner, i);
}

/* The number of the first page that is wrong, or -1. */
static long first_wrong(const void *mem, size_t size, __u32 owner)
{
	size_t i;

	for (i = 0; i < size / PAGE; i++)
		if (!page_right((const char *)mem + i * PAGE, owner, i))
			return i;
	return -1;
}

static void *map_anon(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/*
 * Ballast: take all free memory but @spare_kb, then release the part that is in
 * the area, so that the next allocations have to use the area.
 */
struct ballast {
	char *mem;
	size_t size;
};

static void ballast_load(struct ballast *ballast, long spare_kb)
{
	long free_kb = meminfo_kb("MemFree");
	size_t i;

	/* page tables take 4 KiB for 2 MiB; they are in the spare */
	ballast->size = PAGE;
	if (free_kb > spare_kb)
		ballast->size += (free_kb - spare_kb) * 1024;
	ballast->mem = mmap(NULL, ballast->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	REQUIRE(ballast->mem != MAP_FAILED, "no address space for %zu",
		ballast->size);
	madvise(ballast->mem, ballast->size, MADV_DONTFORK);
	for (i = 0; i < ballast->size; i += PAGE)
		ballast->mem[i] = 1;
}

/* Release up to @max pages in the area, or outside of it; return how many. */
static size_t ballast_release(struct ballast *ballast, size_t max,
			      const struct cma_ctl_area *area, bool inside)
{
	size_t pages = ballast->size / PAGE, count = 0;
	__u64 batch[PFN_BATCH];
	size_t i, run;
	__u64 pfn;

	for (i = 0; i < pages && count < max; i += run + !run) {
		for (run = 0; i + run < pages && count + run < max; run++) {
			pfn = pfn_at(ballast->mem, i + run, batch);
			if (!pfn || in_area(area, pfn) != inside)
				break;
		}
		if (run)
			madvise(ballast->mem + i * PAGE, run * PAGE, MADV_DONTNEED);
		count += run;
	}
	return count;
}

/* Returns the number of pages that became free in the area. */
static size_t ballast_leave_area(struct ballast *ballast,
				 const struct cma_ctl_area *area)
{
	return ballast_release(ballast, SIZE_MAX, area, true);
}

/* Release up to @kb of ballast that is outside of the area. */
static void ballast_drop(struct ballast *ballast,
			 const struct cma_ctl_area *area, long kb)
{
	if (kb > 0)
		ballast_release(ballast, kb / (PAGE / 1024), area, false);
}

#endif
