// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers leak no memory: after exhaustion, after very many of them, after their
 * process is killed, and with four processes at once. This holds on every kernel
 * that has heaps.
 *
 * heap_life.cycles=N (20000) on the kernel's command line sets how many buffers of
 * each heap are allocated and closed.
 */
#define TAP_BEGIN give_time
#include "tap.h"
#include "guest.h"
#include "heap.h"

#include <sched.h>
#include <sys/resource.h>

#define MANY		20000	/* more buffers than an area of 64 MiB has pages */
#define CYCLES		20000
#define SAMPLES		10
#define PROCESSES	4

static unsigned long cycles;

static void give_time(void)
{
	cycles = argument("heap_life.cycles=", CYCLES);
	if (cycles > CYCLES)
		tap_seconds = tap_seconds * (cycles / CYCLES + 1);
}

static int held[MANY];
static unsigned int nr_held;

/* Allocate until it fails; returns that errno. */
static int take_all(int heap, size_t size)
{
	int fd = 0;

	while (nr_held < MANY) {
		fd = heap_alloc(heap, size, O_CLOEXEC);
		if (fd < 0)
			break;
		held[nr_held++] = fd;
	}
	return fd < 0 ? -fd : 0;
}

static void drop_all(void)
{
	while (nr_held)
		close(held[--nr_held]);
}

static void limit_files(rlim_t count)
{
	struct rlimit limit = { .rlim_cur = count, .rlim_max = MANY + 100 };

	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
}

/* Exhaust the heap, with large buffers first; returns the bytes that they got. */
static size_t exhaust(int heap, const struct totals *before)
{
	static const size_t sizes[] = { MIB, 16 * PAGE, PAGE };
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int had = nr_held;
		int error = take_all(heap, sizes[i]);

		REQUIRE(error == ENOMEM, "%zu bytes: %s", sizes[i],
			strerror(error));
		bytes += (nr_held - had) * sizes[i];
	}
	REQUIRE(totals_now().buffers == before->buffers + (long)nr_held,
		"%u buffers, of which %ld exist", nr_held,
		totals_now().buffers - before->buffers);
	drop_all();
	return bytes;
}

static void check_exhaustion(int heap)
{
	struct totals before;
	size_t bytes[3];
	int i, ret;

	if (!strcmp(tap_about, "system"))
		return;
	limit_files(MANY + 100);
	before = totals_now();
	for (i = 0; i < 3; i++) {
		bytes[i] = exhaust(heap, &before);
		require_totals(&before);
	}
	note("%s: %zu, %zu and %zu KiB", tap_about, bytes[0] / 1024,
	     bytes[1] / 1024, bytes[2] / 1024);
	/* nearly all of the area each time; pages can be busy for a moment */
	REQUIRE(bytes[0] >= 3 * MIB, "%zu bytes", bytes[0]);
	REQUIRE(bytes[2] >= bytes[0] / 8 * 7, "it has become less");
	ret = heap_alloc(heap, meminfo_kb("CmaTotal") * 1024 + PAGE, 0);
	REQUIRE(ret == -ENOMEM, "more than there is: %s", strerror(-ret));
	require_totals(&before);
}

TEST(exhaustion, "an exhausted area fails with ENOMEM, and nothing leaks")
{
	each_heap(check_exhaustion);
}

static void one_cycle(int heap, unsigned long number)
{
	size_t size = number % 256 ? PAGE : MIB;
	int fd = new_buffer(heap, size);
	unsigned long *mem;

	if (number % 16 == 0) {
		mem = map_buffer(fd, size);
		REQUIRE(!mem[0] && !mem[size / sizeof(*mem) - 1],
			"not zero in cycle %lu", number);
		mem[0] = -1ul;
		mem[size / sizeof(*mem) - 1] = -1ul;
		munmap(mem, size);
	}
	REQUIRE(!close(fd), "%s", strerror(errno));
}

static void check_cycles(int heap)
{
	struct totals before, now;
	unsigned long i;

	for (i = 0; i < cycles / 100; i++)
		one_cycle(heap, i);
	before = totals_now();
	for (i = 1; i <= cycles; i++) {
		one_cycle(heap, i);
		if (i % (cycles / SAMPLES))
			continue;
		now = totals_now();
		REQUIRE(now.buffers == before.buffers, "%ld buffers more",
			now.buffers - before.buffers);
		REQUIRE(now.used == before.used, "%ld pages used more",
			now.used - before.used);
		require_totals_but(&before, 2 * NOISE_KB);
	}
	require_totals(&before);
	note("%s: %lu buffers, %ld kB less", tap_about, cycles,
	     before.free_kb - totals_now().free_kb);
}

TEST(cycles, "very many buffers are allocated and closed, and nothing leaks")
{
	each_heap(check_cycles);
}

static void check_emfile(int heap)
{
	struct totals before = totals_now();
	int ret;

	limit_files(64);
	ret = take_all(heap, PAGE);
	REQUIRE(ret == EMFILE, "%s", strerror(ret));
	REQUIRE(nr_held >= 50 && nr_held < 64, "%u buffers", nr_held);
	REQUIRE(heap_alloc(heap, MIB, 0) == -EMFILE, "a large one");
	REQUIRE(lseek(held[nr_held - 1], 0, SEEK_END) == PAGE, "the last one");
	drop_all();
	limit_files(MANY + 100);
	require_totals(&before);
}

TEST(emfile, "without a free descriptor it fails with EMFILE and leaks no buffer")
{
	each_heap(check_emfile);
}

/* The work of a process that will be killed; it never returns. */
static void alloc_for_ever(int heap)
{
	for (;;) {
		take_all(heap, 16 * PAGE);
		drop_all();
	}
}

static void map_for_ever(int heap)
{
	for (;;) {
		int fd = heap_alloc(heap, MIB, O_RDWR);
		char *mem = fd < 0 ? NULL : map_part(fd, 0, MIB);

		close(fd);
		if (!mem)
			continue;
		memset(mem, 1, MIB);
		munmap(mem, MIB / 2);
	}
}

static void sync_for_ever(int heap)
{
	int fd = heap_alloc(heap, MIB, O_RDWR);
	char *mem = fd < 0 ? NULL : map_part(fd, 0, MIB);

	for (;;) {
		sync_buffer(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
		if (mem)
			memset(mem, 2, MIB);
		sync_buffer(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	}
}

static void check_killed(int heap)
{
	static void (*const loops[])(int heap) = {
		alloc_for_ever, map_for_ever, sync_for_ever,
	};
	struct totals before = totals_now();
	pid_t pid[ARRAY_SIZE(loops)];
	time_t end = time(NULL) + 8;
	unsigned int round, i;
	int status;

	limit_files(64);
	/* A busy CPU of QEMU may run for 0.1 s before it is this one's turn. */
	for (round = 0; round < 40 && (round < 10 || time(NULL) < end); round++) {
		for (i = 0; i < ARRAY_SIZE(loops); i++) {
			pid[i] = tap_fork();
			if (!pid[i])
				loops[i](heap);
		}
		usleep(1000 + round * 733);
		for (i = 0; i < ARRAY_SIZE(loops); i++) {
			kill(pid[i], SIGKILL);
			REQUIRE(waitpid(pid[i], &status, 0) == pid[i] &&
				WIFSIGNALED(status) &&
				WTERMSIG(status) == SIGKILL,
				"status %#x", status);
		}
	}
	limit_files(MANY + 100);
	require_totals(&before);
	note("%s: %u times", tap_about, round);
}

TEST(killed, "a killed process leaks nothing, whatever it was doing")
{
	each_heap(check_killed);
}

static int pressure_heap;

/* 200 buffers of 4 to 512 KiB, for 8 s at most. Allocations may only fail with ENOMEM. */
static void press(void *arg)
{
	__u32 owner = (uintptr_t)arg;
	unsigned int got = 0, none = 0, round, seed = owner;
	time_t end = time(NULL) + 8;

	for (round = 0; got < 200 && time(NULL) < end; round++) {
		size_t size = PAGE << rand_r(&seed) % 8;
		int fd = heap_alloc(pressure_heap, size, O_RDWR);
		char *mem;

		if (fd < 0) {
			REQUIRE(fd == -ENOMEM, "%zu bytes: %s", size,
				strerror(-fd));
			none++;
			continue;
		}
		mem = map_buffer(fd, size);
		REQUIRE(is_zero(mem, size), "%zu bytes are not zero", size);
		fill_pages(mem, size, owner + round);
		sched_yield();
		REQUIRE(first_wrong(mem, size, owner + round) < 0,
			"another process wrote to page %ld",
			first_wrong(mem, size, owner + round));
		munmap(mem, size);
		close(fd);
		got++;
	}
	REQUIRE(got >= 50 && got > none, "%u buffers, %u times none", got, none);
}

static void check_pressure(int heap)
{
	struct totals before = totals_now();
	pid_t pid[PROCESSES];
	int i;

	pressure_heap = heap;
	for (i = 0; i < PROCESSES; i++)
		pid[i] = tap_start(press, (void *)(uintptr_t)((i + 1) << 20));
	for (i = 0; i < PROCESSES; i++)
		tap_join(pid[i]);
	require_totals(&before);
}

TEST(pressure, "four processes at once: each has its own buffers, nothing leaks")
{
	each_heap(check_pressure);
}
