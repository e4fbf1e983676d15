// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls to heaps, to their buffers, to mappings of them and to devices that
 * use them, from four processes at once. The kernel has to survive without leaks,
 * and each kind of call has to work now and then: a fuzzer that does nothing
 * fails.
 *
 * heap_fuzz.seconds=N (60) and heap_fuzz.seed=N on the kernel's command line set
 * the duration and the sequence, which is a new one each time otherwise.
 */
#define TAP_BEGIN importer_begin
#define TAP_END importer_end
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"

#include <poll.h>

#define PROCESSES	4
#define CALLS		400	/* of each process before a new one starts */
#define SHARED		4	/* buffers that all processes have */
#define MANY		24
#define DEVICES		2	/* of each process */

/* The state of a process: descriptors, mappings, random numbers. */
struct state {
	unsigned int seed;
	int device[DEVICES];
	int fd[MANY];
	struct mapping {
		char *mem;
		size_t size;
	} map[MANY];
};

static int heaps[16];
static unsigned int nr_heaps;

#include "kinds.h"

/* Shared by all processes. */
static struct count {
	unsigned long made, worked;
} *counts;

static bool one_in(struct state *s, unsigned int n)
{
	return !pick(s, n);
}

static int some_heap(struct state *s)
{
	return heaps[pick(s, nr_heaps)];
}

/* Mostly a buffer, rarely another file or none, never standard output. */
static int some_fd(struct state *s)
{
	int fd = s->fd[pick(s, MANY)];

	if (fd < 0)
		fd = s->fd[pick(s, SHARED)];
	if (one_in(s, 64))
		fd = one_in(s, 2) ? some_heap(s) : (int)pick(s, 80) + 3;
	return fd;
}

static void keep_fd(struct state *s, int fd)
{
	unsigned int i = SHARED + pick(s, MANY - SHARED);

	if (fd < 0)
		return;
	if (s->fd[i] >= 0)
		close(s->fd[i]);
	s->fd[i] = fd;
}

/* A slot that is in use, if there is one. */
static struct mapping *some_map(struct state *s)
{
	unsigned int first = pick(s, MANY);
	unsigned int i = first;

	while (!s->map[i].size && (i = (i + 1) % MANY) != first)
		;
	return &s->map[i];
}

static void keep_map(struct state *s, char *mem, size_t size)
{
	struct mapping *map = &s->map[pick(s, MANY)];

	if (map->size)
		munmap(map->mem, map->size);
	map->mem = mem;
	map->size = size;
}

/* Up to 2 MiB, or an invalid length; those between would invoke the OOM killer. */
static __u64 some_len(struct state *s)
{
	switch (pick(s, 12)) {
	case 0:
		return pick(s, 3 * PAGE);
	case 1:
		return PAGE << pick(s, 10);
	case 2:
		return 0xfffff001 + pick(s, PAGE - 1);
	case 3:
		return (__u64)pick(s, 0) << 32 | pick(s, 4 * PAGE);
	default:
		return PAGE * (1 + pick(s, 24));
	}
}

static size_t some_pages(struct state *s, size_t below)
{
	return PAGE * pick(s, below);
}

/* An argument for an ioctl: a copy of this, a mapped buffer, or a bad pointer. */
static void *some_pointer(struct state *s, const void *data, size_t size)
{
	static char memory[256];
	struct mapping *map;

	switch (pick(s, 8)) {
	case 0:
		return (void *)(uintptr_t)pick(s, 0);
	case 1:
		map = some_map(s);
		if (map->size)
			return map->mem + map->size - pick(s, 64);
		return NULL;
	default:
		memcpy(memory, data, size);
		return memory;
	}
}

static __u32 some_fd_flags(struct state *s)
{
	__u32 flags = one_in(s, 4) ? pick(s, 4) : O_RDWR;

	if (one_in(s, 2))
		flags |= O_CLOEXEC;
	return one_in(s, 32) ? pick(s, 0) : flags;
}

KIND(alloc)
{
	int fd = heap_alloc(some_heap(s), some_len(s), some_fd_flags(s));

	keep_fd(s, fd);
	return fd >= 0;
}

/* Results in a mapped buffer or in a struct of a wrong size are not kept. */
KIND(odd_alloc)
{
	struct dma_heap_allocation_data data = {
		.len = PAGE, .fd_flags = some_fd_flags(s),
		.fd = one_in(s, 8) ? pick(s, 0) : 0,
		.heap_flags = one_in(s, 8) ? pick(s, 0) : 0,
	};
	unsigned int size = one_in(s, 2) ? sizeof(data) : pick(s, 256);
	unsigned int nr = one_in(s, 4) ? pick(s, 256) : 0;
	void *arg = some_pointer(s, &data, sizeof(data));

	return !ioctl(some_heap(s), _IOC(one_in(s, 8) ? pick(s, 4) : 3,
		      one_in(s, 8) ? pick(s, 256) : DMA_HEAP_IOC_MAGIC, nr,
		      size), arg);
}

KIND(map)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
		PROT_WRITE, PROT_NONE, PROT_READ | PROT_EXEC,
	};
	static const int flags[] = {
		MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_SHARED | MAP_POPULATE,
		MAP_SHARED | MAP_LOCKED, MAP_PRIVATE, MAP_PRIVATE | MAP_SHARED,
	};
	int fd = some_fd(s);
	off_t end = lseek(fd, 0, SEEK_END);
	size_t offset = one_in(s, 2) ? 0 : some_pages(s, 16);
	size_t size = end > offset && !one_in(s, 4) ? end - offset :
		      some_pages(s, 600);
	char *mem = mmap(NULL, size, prots[pick(s, ARRAY_SIZE(prots))],
			 flags[pick(s, ARRAY_SIZE(flags))], fd, offset);

	if (mem == MAP_FAILED)
		return false;
	keep_map(s, mem, size);
	return true;
}

/* Access some bytes; that faults after mprotect() and the like. */
static bool touch(struct state *s, bool write)
{
	struct mapping *map = some_map(s);
	size_t offset;

	if (!map->size)
		return false;
	offset = pick(s, map->size);
	return !faults(map->mem + offset, 1 + pick(s, map->size - offset),
		       write);
}

KIND(read_memory)
{
	return touch(s, false);
}

KIND(write_memory)
{
	return touch(s, true);
}

/* All of a mapping, or its start, its end, or a part in between. */
KIND(unmap)
{
	struct mapping *map = some_map(s);
	size_t pages = map->size / PAGE;
	size_t first, count;
	char *rest;

	if (!pages)
		return false;
	first = one_in(s, 2) ? 0 : pick(s, pages);
	count = one_in(s, 2) ? pages - first : 1 + pick(s, pages - first);
	if (munmap(map->mem + first * PAGE, count * PAGE))
		return false;
	rest = map->mem + (first + count) * PAGE;
	pages -= first + count;
	map->size = first * PAGE;
	if (pages)
		keep_map(s, rest, pages * PAGE);
	return true;
}

KIND(remap)
{
	struct mapping *map = some_map(s);
	size_t size = map->size;
	char *to = NULL, *mem;
	int flags = 0;

	if (!map->size)
		return false;
	size = one_in(s, 2) ? size : some_pages(s, 2 * size / PAGE) + PAGE;
	if (one_in(s, 2))
		flags |= MREMAP_MAYMOVE;
	if (flags && one_in(s, 2)) {
		to = map_anon(size);
		flags |= MREMAP_FIXED;
	}
	mem = mremap(map->mem, map->size, size, flags, to);
	if (mem == MAP_FAILED) {
		if (to)
			munmap(to, size);
		return false;
	}
	map->mem = mem;
	map->size = size;
	return true;
}

KIND(protect)
{
	struct mapping *map = some_map(s);
	size_t first = map->size ? some_pages(s, map->size / PAGE) : 0;

	return map->size && !mprotect(map->mem + first, map->size - first,
				      one_in(s, 2) ? PROT_READ | PROT_WRITE :
				      pick(s, 8));
}

/* Advice below 100 only: the values from there on poison pages. */
KIND(advise)
{
	struct mapping *map = some_map(s);

	return map->size && !madvise(map->mem, map->size, pick(s, 26));
}

KIND(lock)
{
	struct mapping *map = some_map(s);

	if (!map->size)
		return false;
	msync(map->mem, map->size, pick(s, 8));
	return one_in(s, 2) ? !mlock(map->mem, map->size) :
	       !munlock(map->mem, map->size);
}

KIND(sync)
{
	return !sync_buffer(some_fd(s), one_in(s, 8) ? pick(s, 0) : pick(s, 8));
}

KIND(name)
{
	char text[48];

	memset(text, 'a' + pick(s, 26), sizeof(text));
	text[pick(s, sizeof(text))] = '\0';
	text[sizeof(text) - 1] = '\0';
	return !ioctl(some_fd(s), one_in(s, 2) ? DMA_BUF_SET_NAME_A :
		      DMA_BUF_SET_NAME_B, some_pointer(s, text, sizeof(text)));
}

KIND(odd_ioctl)
{
	__u32 data[16] = { pick(s, 16), pick(s, 0) };

	return !ioctl(some_fd(s), _IOC(pick(s, 4), DMA_BUF_BASE, pick(s, 5),
		      one_in(s, 2) ? 8 : pick(s, 64)),
		      some_pointer(s, data, sizeof(data)));
}

KIND(seek)
{
	return lseek64(some_fd(s), one_in(s, 2) ? 0 : (int)pick(s, 0),
		       pick(s, 6)) >= 0;
}

KIND(duplicate)
{
	int fd = dup(some_fd(s));

	keep_fd(s, fd);
	return fd >= 0;
}

KIND(close)
{
	unsigned int i = SHARED + pick(s, MANY - SHARED);
	int fd = s->fd[i];

	s->fd[i] = -1;
	return fd >= 0 && !close(fd);
}

/* Plain file calls on a buffer, some of which never work. */
KIND(plain)
{
	struct pollfd event = { .fd = some_fd(s), .events = POLLIN | POLLOUT };
	struct stat st;
	char byte = 0;

	/* it may be a socket that is sent through itself */
	fcntl(event.fd, F_SETFL, O_NONBLOCK | (pick(s, 0) & O_APPEND));
	(void)!read(event.fd, &byte, 1);
	(void)!write(event.fd, &byte, 1);
	(void)!ftruncate(event.fd, pick(s, 0));
	return !fstat(event.fd, &st) && poll(&event, 1, 0) == 1;
}

/* Send a descriptor to itself; the socket may be closed with the message queued. */
KIND(send)
{
	bool worked;
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return false;
	worked = !send_fd(sock[0], some_fd(s));
	if (worked && !one_in(s, 4)) {
		int fd = receive_fd(sock[1]);

		keep_fd(s, fd);
		worked = fd >= 0;
	}
	close(sock[0]);
	close(sock[1]);
	return worked;
}

/* Use memory of a buffer as source and target of a system call. */
KIND(copy)
{
	struct mapping *map = some_map(s);
	bool worked;
	int pipes[2];

	if (map->size < PAGE || pipe(pipes))
		return false;
	worked = write(pipes[1], map->mem, PAGE) == (ssize_t)PAGE;
	if (worked)
		worked = read(pipes[0], map->mem + map->size - PAGE, PAGE) ==
			 (ssize_t)PAGE;
	close(pipes[0]);
	close(pipes[1]);
	return worked;
}

KIND(info)
{
	static const char *const files[] = {
		BUFINFO, "/proc/self/maps", "/proc/self/smaps",
	};
	static char text[65536];
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", some_fd(s));
	read_file(one_in(s, 4) ? files[pick(s, ARRAY_SIZE(files))] : path, text,
		  sizeof(text));
	return text[0];
}

/* A device of this process, without a buffer if @renew. */
static int some_device(struct state *s, bool renew)
{
	int *device = &s->device[pick(s, DEVICES)];

	if (renew && *device >= 0) {
		close(*device);
		*device = -1;
	}
	if (*device < 0)
		*device = open_misc("cma_importer", O_RDWR | O_CLOEXEC);
	return *device;
}

KIND(device_limits)
{
	struct importer_limits limits = {};

	if (!one_in(s, 8))
		return false;
	if (one_in(s, 4))
		limits.max_seg_size = PAGE << pick(s, 8);
	if (one_in(s, 4))
		limits.seg_count = 1 + pick(s, 8);
	if (one_in(s, 8))
		limits.boundary = (1ull << (12 + pick(s, 12))) - 1;
	if (one_in(s, 16))
		limits.mask = (1ull << (29 + pick(s, 4))) - 1;
	return !ioctl(some_device(s, true), IMPORTER_LIMITS, &limits);
}

KIND(device_attach)
{
	return !ioctl(some_device(s, false), IMPORTER_ATTACH, some_fd(s));
}

KIND(device_map)
{
	struct importer_map map = { .dir = pick(s, 3) };

	return !ioctl(some_device(s, false), IMPORTER_MAP,
		      some_pointer(s, &map, sizeof(map)));
}

KIND(device_unmap)
{
	return !ioctl(some_device(s, false), IMPORTER_UNMAP);
}

KIND(device_detach)
{
	return !ioctl(some_device(s, false), IMPORTER_DETACH);
}

KIND(device_read)
{
	struct importer_sum sum = {};

	return !ioctl(some_device(s, false), IMPORTER_SUM,
		      some_pointer(s, &sum, sizeof(sum)));
}

KIND(device_write)
{
	struct importer_fill fill = { .pattern = pick(s, 0) };

	return !ioctl(some_device(s, false), IMPORTER_FILL,
		      some_pointer(s, &fill, sizeof(fill)));
}

KIND(device_cycle)
{
	struct importer_cycle cycle = {
		.fd = some_fd(s), .count = pick(s, 8),
	};

	return !ioctl(some_device(s, false), IMPORTER_CYCLE, &cycle);
}

KIND(device_fd)
{
	int fd = ioctl(some_device(s, false), IMPORTER_FD, some_fd(s));

	keep_fd(s, fd);
	return fd >= 0;
}

static void make_calls(struct state *s, unsigned int count);

static bool ended_well(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == TAP_PASS;
}

KIND(fork)
{
	int status;
	pid_t pid;

	if (!one_in(s, 8))
		return false;
	pid = tap_fork();
	if (!pid) {
		make_calls(s, 8);
		_exit(TAP_PASS);
	}
	return waitpid(pid, &status, 0) == pid && ended_well(status);
}

static void make_calls(struct state *s, unsigned int count)
{
	unsigned int number;
	struct kind *kind;

	while (count--) {
		number = pick(s, nr_kinds);
		for (kind = first_kind; kind->number != number;)
			kind = kind->next;
		__sync_fetch_and_add(&counts[number].made, 1);
		if (kind->call(s))
			__sync_fetch_and_add(&counts[number].worked, 1);
	}
}

/* One process: it exits by itself, or is killed at any time. */
static void one_process(struct state *s, unsigned int seed)
{
	struct state mine = *s;
	int status;
	pid_t pid;

	mine.seed = seed | 1;
	pid = tap_fork();
	if (!pid) {
		alarm(60);
		signal(SIGPIPE, SIG_IGN);
		make_calls(&mine, CALLS);
		_exit(TAP_PASS);
	}
	if (one_in(s, 8)) {
		usleep(pick(s, 50000));
		kill(pid, SIGKILL);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	REQUIRE(ended_well(status) || status == SIGKILL,
		"the process with seed %u: status %#x", seed, status);
}

static struct state start;
static unsigned int seconds;

static void worker(void *arg)
{
	struct state s = start;
	struct timespec now, end;

	s.seed += (uintptr_t)arg * 2654435761u;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	do {
		one_process(&s, pick(&s, 0));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
}

static void keep_heap(int heap)
{
	if (nr_heaps < ARRAY_SIZE(heaps))
		heaps[nr_heaps++] = fcntl(heap, F_DUPFD_CLOEXEC, 3);
}

static void prepare(unsigned int seed)
{
	unsigned int i;

	start.seed = seed;
	for (i = 0; i < DEVICES; i++)
		start.device[i] = -1;
	for (i = 0; i < MANY; i++)
		start.fd[i] = i < SHARED ?
			new_buffer(heaps[i % nr_heaps], (i + 1) * 5 * PAGE) : -1;
	counts = mmap(NULL, nr_kinds * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(counts != MAP_FAILED, "%s", strerror(errno));
}

static bool is_of_device(const struct kind *kind)
{
	return !strncmp(kind->name, "device_", strlen("device_"));
}

static void check_counts(void)
{
	unsigned long least = seconds / 3 + 1;
	struct kind *kind;

	for (kind = first_kind; kind; kind = kind->next)
		note("%-14s %8lu made, %8lu worked", kind->name,
		     counts[kind->number].made, counts[kind->number].worked);
	for (kind = first_kind; kind; kind = kind->next)
		REQUIRE(counts[kind->number].worked >= least ||
			(module_error == -ENOENT && is_of_device(kind)),
			"%s worked %lu times", kind->name,
			counts[kind->number].worked);
}

TEST(fuzz, "random calls from four processes do no harm and leak nothing")
{
	unsigned int seed = argument("heap_fuzz.seed=", time(NULL) ^ getpid());
	struct totals before = totals_now();
	pid_t pid[PROCESSES];
	unsigned int i;

	seconds = argument("heap_fuzz.seconds=", 60);
	alarm(seconds + 300);
	note("heap_fuzz.seed=%u heap_fuzz.seconds=%u", seed, seconds);
	REQUIRE(!module_error || module_error == -ENOENT, "cma_importer: %s",
		strerror(-module_error));
	each_heap(keep_heap);
	prepare(seed);
	for (i = 0; i < PROCESSES; i++)
		pid[i] = tap_start(worker, (void *)(uintptr_t)i);
	for (i = 0; i < PROCESSES; i++)
		tap_join(pid[i]);
	check_counts();
	for (i = 0; i < SHARED; i++)
		close(start.fd[i]);
	require_totals(&before);
}
