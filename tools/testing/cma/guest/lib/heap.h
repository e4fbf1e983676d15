/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heaps and their buffers, for the test programs. Include tap.h and guest.h
 * first.
 */
#ifndef HEAP_H
#define HEAP_H

#include <dirent.h>
#include <setjmp.h>

#include "share.h"

#define HEAPS	"/dev/dma_heap"
#define AREAS	"/sys/kernel/debug/cma"

static int heap_open(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), HEAPS "/%s", name);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* The heap of the default area: its name depends on the kernel. */
static int heap_open_cma(void)
{
	int heap = heap_open("default_cma_region");

	if (heap < 0)
		heap = heap_open("reserved");
	if (heap < 0)
		skip("no heap of the default area");
	return heap;
}

static int system_heap(void)
{
	int heap = heap_open("system");

	if (heap < 0)
		skip("no system heap");
	return heap;
}

/* Check every heap; tap_about is its name. */
static void each_heap(void (*check)(int heap))
{
	DIR *dir = opendir(HEAPS);
	unsigned int count = 0;
	struct dirent *entry;
	int heap;

	if (!dir)
		skip("no " HEAPS);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		tap_about = entry->d_name;
		heap = heap_open(entry->d_name);
		REQUIRE(heap >= 0, "%s", strerror(errno));
		check(heap);
		close(heap);
		count++;
	}
	closedir(dir);
	tap_about = "";
	REQUIRE(count, "no heaps");
}

static int new_buffer(int heap, size_t size)
{
	int fd = heap_alloc(heap, size, O_RDWR | O_CLOEXEC);

	REQUIRE(fd >= 0, "%zu bytes: %s", size, strerror(-fd));
	return fd;
}

/* Map a part of a buffer; NULL with errno set on failure. */
static void *map_part(int fd, size_t offset, size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 offset);

	return mem == MAP_FAILED ? NULL : mem;
}

static void *map_buffer(int fd, size_t size)
{
	void *mem = map_part(fd, 0, size);

	REQUIRE(mem, "mmap of %zu bytes: %s", size, strerror(errno));
	return mem;
}

/* 0, or a negative errno. */
static int sync_buffer(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0;
}

/* Does an access to these bytes raise SIGSEGV or SIGBUS? */
static sigjmp_buf heap_fault;

static void heap_on_fault(int signal)
{
	(void)signal;
	siglongjmp(heap_fault, 1);
}

static bool faults(volatile char *mem, size_t len, bool write)
{
	struct sigaction action = { .sa_handler = heap_on_fault };
	volatile bool faulted = true;
	size_t i;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (!sigsetjmp(heap_fault, 1)) {
		for (i = 0; i < len; i += PAGE)
			(void)mem[i];
		(void)mem[len - 1];
		if (write)
			memset((char *)mem, len, len);
		faulted = false;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return faulted;
}

/* Is every byte of it zero? */
static bool is_zero(const void *mem, size_t size)
{
	const unsigned long *word = mem;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i])
			return false;
	return true;
}

/* The descriptor that the next open file gets: it shows whether one leaked. */
static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/*
 * Counters of the kernel: all must return to their values when all buffers are
 * gone.
 */
struct totals {
	long free_kb;	/* with the pages on per-CPU lists */
	long used;	/* pages of all areas, -1 when not shown */
	long buffers;	/* of bufinfo, -1 when not shown */
	long bytes;
	long files;
};

/* The sum of the numbers that follow a word at the start of a file's lines. */
static long sum_in(const char *path, const char *word)
{
	char line[256], found[32];
	long sum = 0, n;
	FILE *f;

	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %31s %ld", found, &n) == 2 &&
		    !strcmp(found, word))
			sum += n;
	if (f)
		fclose(f);
	return sum;
}

/* A number from an area's debugfs file. */
static long area_number(const char *area, const char *file)
{
	char path[300], text[32];

	snprintf(path, sizeof(path), AREAS "/%s/%s", area, file);
	read_file(path, text, sizeof(text));
	return strtol(text, NULL, 10);
}

static long areas_used(void)
{
	DIR *dir = opendir(AREAS);
	struct dirent *entry;
	long used = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			used += area_number(entry->d_name, "used");
	closedir(dir);
	return used;
}

static struct totals totals_now(void)
{
	struct totals now = { .buffers = -1, .bytes = -1 };
	char line[256];
	FILE *f;

	now.free_kb = meminfo_kb("MemFree") +
		      sum_in("/proc/zoneinfo", "count:") * (long)(PAGE / 1024);
	now.used = areas_used();
	f = fopen(BUFINFO, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Total %ld objects, %ld bytes", &now.buffers,
		       &now.bytes);
	if (f)
		fclose(f);
	read_file("/proc/sys/fs/file-nr", line, sizeof(line));
	now.files = strtol(line, NULL, 10);
	return now;
}

/*
 * Memory and open files are counted per CPU, so the totals are noisy. What RCU
 * frees comes back later; with four CPUs that can be some MiB.
 */
#define NOISE_KB	1024
#define NOISE_FILES	256

static bool all_back(const struct totals *before, const struct totals *now,
		     long noise_kb)
{
	return before->free_kb - now->free_kb <= noise_kb &&
	       now->files - before->files <= NOISE_FILES &&
	       now->used == before->used && now->buffers == before->buffers &&
	       now->bytes == before->bytes;
}

static void totals_note(const char *when, const struct totals *t)
{
	note("%s: %ld kB free, %ld pages of areas used, %ld buffers of %ld bytes, %ld files",
	     when, t->free_kb, t->used, t->buffers, t->bytes, t->files);
}

/* Everything but @noise_kb is free again, at once or within 5 s. */
static void require_totals_but(const struct totals *before, long noise_kb)
{
	struct totals now = totals_now();
	unsigned int i;

	for (i = 0; i < 50 && !all_back(before, &now, noise_kb); i++) {
		usleep(100000);
		now = totals_now();
	}
	if (!all_back(before, &now, noise_kb)) {
		totals_note("before", before);
		totals_note("now", &now);
	}
	REQUIRE(all_back(before, &now, noise_kb), "something leaked");
}

static void require_totals(const struct totals *before)
{
	require_totals_but(before, NOISE_KB);
}

#endif
