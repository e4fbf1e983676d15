// SPDX-License-Identifier: GPL-2.0
/*
 * Devices with limits: where a buffer has to be for them, when it moves, and how
 * attach or map fails when no suitable memory is available
 */
#define TAP_BEGIN importer_begin
#define TAP_END importer_end

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"

#include <time.h>

#define SIZE	(4 * MIB)	/* more than the heap allocates in one piece */
#define NO_MEMORY_MASK	0x1fffffff	/* below all memory of the board */

/* An unmapped buffer of scattered pages, with bytes that device @dev wrote. */
static int scattered_buffer(int dev, __u32 pattern, __u64 *sum)
{
	int fd = new_buffer(system_heap(), SIZE);
	struct importer_map map;

	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(map.nents > 1, "it is contiguous");
	REQUIRE(!dev_fill(dev, pattern), "%s", strerror(errno));
	*sum = dev_sum(dev);
	REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
	return fd;
}

static void check_contiguous(int heap)
{
	static const size_t sizes[] = { PAGE, 3 * PAGE, MIB, SIZE };
	struct importer_map map;
	unsigned int i;
	int dev, fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		dev = new_strict_device();
		fd = new_buffer(heap, sizes[i]);
		attach_and_map(dev, fd, IMPORTER_BOTH, &map);
		REQUIRE(map.nents == 1 && map.bytes == sizes[i],
			"%u segments, %llu bytes", map.nents, map.bytes);
		close(dev);
		close(fd);
	}
}

TEST(contiguous, "a device that takes one segment only gets one")
{
	close(heap_open_cma());
	each_heap(check_contiguous);
}

TEST(strict_first, "the first map is contiguous if a strict device is attached")
{
	int fd = new_buffer(system_heap(), SIZE);
	int dev = new_device(), strict = new_strict_device();
	struct importer_map first, second;

	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	attach_and_map(dev, fd, IMPORTER_BOTH, &first);
	REQUIRE(first.nents == 1, "%u segments", first.nents);
	REQUIRE(!dev_map(strict, IMPORTER_BOTH, &second), "%s", strerror(errno));
	REQUIRE(first.first_dma_addr == second.first_dma_addr,
		"the two devices have it at %#llx and %#llx",
		first.first_dma_addr, second.first_dma_addr);
}

TEST(move, "a buffer moves to contiguous memory when a strict device maps it")
{
	int dev = new_device(), strict = new_strict_device();
	struct importer_map map;
	__u64 sum;
	int fd = scattered_buffer(dev, 4711, &sum);

	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(!dev_map(strict, IMPORTER_READ, &map), "%s", strerror(errno));
	REQUIRE(map.nents == 1 && map.bytes == SIZE, "%u segments", map.nents);
	REQUIRE(dev_sum(strict) == sum, "the bytes have changed");
	REQUIRE(!dev_map(dev, IMPORTER_READ, NULL), "%s", strerror(errno));
	REQUIRE(dev_sum(dev) == sum, "the other device sees other bytes");
	REQUIRE(is_pattern(map_buffer(fd, SIZE), SIZE, 4711),
		"a process sees other bytes");
}

/* A strict device can map the buffer now, and finds the same bytes. */
static void require_moves(int strict, __u64 sum)
{
	REQUIRE(!dev_map(strict, IMPORTER_READ, NULL), "%s", strerror(errno));
	REQUIRE(dev_sum(strict) == sum, "the bytes have changed");
}

TEST(busy_device, "a buffer does not move while another device has it mapped")
{
	int dev = new_device(), strict = new_strict_device();
	__u64 sum;
	int fd = scattered_buffer(dev, 1, &sum);

	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(!dev_map(dev, IMPORTER_READ, NULL), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "mapped");
	REQUIRE(dev_sum(dev) == sum, "the bytes have changed");
	REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
	require_moves(strict, sum);
}

TEST(busy_closed, "a device that is closed with a buffer mapped releases it")
{
	int dev = new_device(), strict = new_strict_device();
	__u64 sum;
	int fd = scattered_buffer(dev, 1, &sum);

	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(!dev_map(dev, IMPORTER_BOTH, NULL), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "mapped");
	close(dev);
	require_moves(strict, sum);
}

TEST(busy_mmap, "a buffer does not move while a process has any of it mapped")
{
	int dev = new_device(), strict = new_strict_device();
	__u64 sum;
	int fd = scattered_buffer(dev, 1, &sum);
	char *mem = map_buffer(fd, SIZE);

	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "all of it");
	munmap(mem + PAGE, SIZE - 2 * PAGE);
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "two pages");
	munmap(mem, PAGE);
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "the last page");
	REQUIRE(mremap(mem + SIZE - PAGE, PAGE, PAGE, MREMAP_MAYMOVE |
		       MREMAP_FIXED, mem) == mem, "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "moved mapping");
	REQUIRE(is_pattern(mem, PAGE, 1 + (SIZE - PAGE) / 4),
		"the process sees another page");
	munmap(mem, PAGE);
	require_moves(strict, sum);
}

static void wait_for_end(void *arg)
{
	char c;

	if (read(*(int *)arg, &c, 1) != 1)
		_exit(TAP_FAIL);
}

TEST(busy_fork, "a buffer does not move while a child of the process has it mapped")
{
	int dev = new_device(), strict = new_strict_device();
	__u64 sum;
	int fd = scattered_buffer(dev, 1, &sum);
	char *mem = map_buffer(fd, PAGE);
	int end[2];
	pid_t pid;

	REQUIRE(!pipe(end), "%s", strerror(errno));
	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	pid = tap_start(wait_for_end, &end[0]);
	munmap(mem, PAGE);
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "mapped");
	REQUIRE(write(end[1], "x", 1) == 1, "%s", strerror(errno));
	tap_join(pid);
	require_moves(strict, sum);
}

TEST(busy_killed, "a buffer can move when the process that had it mapped is killed")
{
	int dev = new_device(), strict = new_strict_device();
	__u64 sum;
	int fd = scattered_buffer(dev, 1, &sum);
	char *mem = map_buffer(fd, SIZE);
	int end[2];
	pid_t pid;

	REQUIRE(!pipe(end), "%s", strerror(errno));
	pid = tap_start(wait_for_end, &end[0]);
	munmap(mem, SIZE);
	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "mapped");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	require_moves(strict, sum);
}

TEST(attached_only, "a device that is attached without a mapping does not block a move")
{
	int dev = new_device(), strict = new_strict_device();
	struct importer_map map;
	__u64 sum;
	int fd = scattered_buffer(dev, 1, &sum);

	attach_and_map(strict, fd, IMPORTER_READ, &map);
	REQUIRE(map.nents == 1, "%u segments", map.nents);
	REQUIRE(dev_sum(strict) == sum, "the bytes have changed");
}

/* Too little for 128 KiB, or for whole pages. */
static const struct importer_limits too_little[] = {
	{ .seg_count = 1, .max_seg_size = 64 * 1024 },
	{ .seg_count = 31, .boundary = PAGE - 1 },
	{ .seg_count = 31, .max_seg_size = 2 * PAGE - 1 },
	{ .max_seg_size = PAGE - 1 },
	{ .max_seg_size = 1 },
	{ .boundary = 0x7ff },
	{ .boundary = 1 },
};

static void check_too_big(int heap)
{
	int fd = new_buffer(heap, 128 * 1024);
	struct importer_map map;
	int dev = new_strict_device();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(too_little); i++) {
		REQUIRE(!dev_limit(dev, too_little[i]), "limits %u", i);
		REQUIRE(dev_attach(dev, fd) == -E2BIG, "limits %u", i);
	}
	REQUIRE(dev_map(dev, IMPORTER_READ, NULL) == -EINVAL, "it is attached");
	REQUIRE(!dev_limit(dev, (struct importer_limits){
			   .seg_count = 2, .max_seg_size = 64 * 1024 }), "limits");
	attach_and_map(dev, fd, IMPORTER_READ, &map);
	REQUIRE(map.nents == 2 && map.max_len == 64 * 1024, "%u, %u bytes",
		map.nents, map.max_len);
	close(dev);
	close(fd);
}

TEST(too_big, "a device that cannot take the whole buffer cannot attach: E2BIG")
{
	close(new_strict_device());
	each_heap(check_too_big);
}

TEST(out_of_reach, "a device that reaches no memory cannot map a buffer: ERANGE")
{
	struct importer_limits low = { .mask = NO_MEMORY_MASK };
	int dev = new_strict_device();
	int cma = new_buffer(heap_open_cma(), PAGE);
	int any = new_buffer(system_heap(), PAGE);

	REQUIRE(!dev_limit(dev, low), "limits");
	REQUIRE(dev_attach(dev, cma) == -ERANGE, "an area");
	REQUIRE(!dev_attach(dev, any), "any memory");
	REQUIRE(dev_map(dev, IMPORTER_READ, NULL) == -ERANGE, "any memory");
	REQUIRE(is_zero(map_buffer(any, PAGE), PAGE), "the buffer is not usable");
}

#define LOW_MASK	0x7fffffff	/* the lower half of the board's 1 GiB */

static int new_low_device(void)
{
	int dev = new_device();

	if (meminfo_kb("MemTotal") < 600 * 1024)
		skip("no memory beyond 0x80000000");
	REQUIRE(!dev_limit(dev, (struct importer_limits){ .mask = LOW_MASK }),
		"%s", strerror(errno));
	return dev;
}

TEST(low, "a buffer moves to where a device with a small mask can reach it")
{
	int low = new_low_device(), dev = new_device();
	int fd = new_buffer(system_heap(), SIZE);
	struct importer_map map;
	__u64 sum;

	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(map.first_dma_addr > LOW_MASK, "at %#llx", map.first_dma_addr);
	REQUIRE(!dev_fill(dev, 3), "%s", strerror(errno));
	sum = dev_sum(dev);
	REQUIRE(!dev_attach(low, fd), "%s", strerror(errno));
	REQUIRE(dev_map(low, IMPORTER_READ, NULL) == -EBUSY, "moved");
	REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
	REQUIRE(!dev_map(low, IMPORTER_READ, NULL), "%s", strerror(errno));
	REQUIRE(dev_sum(low) == sum, "the bytes have changed");
	REQUIRE(!dev_map(dev, IMPORTER_READ, NULL), "%s", strerror(errno));
	REQUIRE(dev_sum(dev) == sum, "the other device sees other bytes");
}

TEST(low_first, "the first map respects the small mask of an attached device")
{
	int low = new_low_device(), dev = new_device();
	int fd = new_buffer(system_heap(), SIZE);
	struct importer_map first, second;

	REQUIRE(!dev_attach(low, fd), "%s", strerror(errno));
	attach_and_map(dev, fd, IMPORTER_BOTH, &first);
	REQUIRE(!dev_map(low, IMPORTER_BOTH, &second), "%s", strerror(errno));
	REQUIRE(first.first_dma_addr == second.first_dma_addr, "it has moved");
}

TEST(low_area, "a device cannot attach to a buffer in an area beyond its mask")
{
	int low = new_low_device(), dev = new_device();
	int fd = new_buffer(heap_open_cma(), PAGE);
	struct importer_map map;

	attach_and_map(dev, fd, IMPORTER_READ, &map);
	REQUIRE(map.first_dma_addr > LOW_MASK, "at %#llx", map.first_dma_addr);
	REQUIRE(dev_attach(low, fd) == -ERANGE, "attached");
}

/* Buffers that use up an area. */
static unsigned int exhaust(int heap)
{
	size_t size = SIZE;
	unsigned int count = 0;
	int fd;

	for (; size >= PAGE; size /= 2) {
		while ((fd = heap_alloc(heap, size, O_CLOEXEC)) >= 0)
			count++;
		REQUIRE(fd == -ENOMEM, "%zu bytes: %s", size, strerror(-fd));
	}
	return count;
}

TEST(no_memory, "without contiguous memory map fails with ENOMEM, and the buffer stays usable")
{
	int dev = new_device(), strict = new_strict_device();
	int fd = new_buffer(system_heap(), 2 * SIZE);
	struct importer_map map;
	__u64 sum;

	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(!dev_fill(dev, 99), "%s", strerror(errno));
	sum = dev_sum(dev);
	REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
	note("%u buffers", exhaust(heap_open_cma()));
	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_BOTH, NULL) == -ENOMEM, "mapped");
	REQUIRE(!dev_map(dev, IMPORTER_BOTH, NULL), "%s", strerror(errno));
	REQUIRE(dev_sum(dev) == sum, "the bytes have changed");
	REQUIRE(is_pattern(map_buffer(fd, 2 * SIZE), 2 * SIZE, 99),
		"a process sees other bytes");
}

TEST(no_memory_first, "a strict device without memory does not stop the others")
{
	int dev = new_device(), strict = new_strict_device();
	int fd = new_buffer(system_heap(), 2 * SIZE);

	exhaust(heap_open_cma());
	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_BOTH, NULL) == -ENOMEM, "mapped");
	attach_and_map(dev, fd, IMPORTER_BOTH, NULL);
	REQUIRE(!dev_fill(dev, 5), "%s", strerror(errno));
	REQUIRE(is_pattern(map_buffer(fd, 2 * SIZE), 2 * SIZE, 5), "lost");
}

/* Limits of devices; the importer checks each segment against them. */
static const struct importer_limits limits[] = {
	{ .max_seg_size = PAGE },
	{ .max_seg_size = 6000 },
	{ .max_seg_size = 64 * 1024 },
	{ .max_seg_size = 100000 },
	{ .max_seg_size = 0xffffffff },
	{ .boundary = PAGE - 1 },
	{ .boundary = 0xffff },
	{ .boundary = 0xfffff },
	{ .boundary = 0xffffffff },
	{ .max_seg_size = 3 * PAGE, .boundary = 0xffff },
	{ .max_seg_size = 0x30000, .boundary = 0x7ffff, .seg_count = 4096 },
};

static void check_limits(int heap, size_t size, const struct importer_limits *limits)
{
	int dev = new_device(), fd = new_buffer(heap, size);
	char *mem = map_buffer(fd, size);

	fill_pages(mem, size, 1);
	REQUIRE(!dev_limit(dev, *limits), "%s", strerror(errno));
	attach_and_map(dev, fd, IMPORTER_BOTH, NULL);
	REQUIRE(dev_sees(dev, mem, size), "%#x %#llx: other bytes",
		limits->max_seg_size, limits->boundary);
	munmap(mem, size);
	close(dev);
	close(fd);
}

static void check_segments(int heap)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		check_limits(heap, PAGE, &limits[i]);
		check_limits(heap, 11 * PAGE, &limits[i]);
		check_limits(heap, 2 * MIB + PAGE, &limits[i]);
	}
}

TEST(segments, "segments are as long as the limits allow, and cross no boundary")
{
	close(new_strict_device());
	each_heap(check_segments);
}

#define RACE_SECONDS	5
#define RACE_PATIENCE	60	/* seconds until one buffer must have moved */

struct race {
	int fd;
	time_t end;
	__u64 sum;
	__u32 pattern;
};

static void race_map(struct race *race, int dev)
{
	int error = dev_map(dev, IMPORTER_READ, NULL);

	REQUIRE(!error || error == -EBUSY, "map: %s", strerror(-error));
	if (error)
		return;
	REQUIRE(dev_sum(dev) == race->sum, "the bytes have changed");
	REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
}

static void race_device(void *arg)
{
	struct race *race = arg;
	int dev;

	while (time(NULL) < race->end) {
		dev = getpid() % 2 ? new_device() : new_strict_device();
		REQUIRE(!dev_attach(dev, race->fd), "%s", strerror(errno));
		race_map(race, dev);
		race_map(race, dev);
		close(dev);
		usleep(1000);
	}
}

static void race_process(void *arg)
{
	struct race *race = arg;
	char *mem;

	while (time(NULL) < race->end) {
		mem = map_buffer(race->fd, SIZE);
		REQUIRE(is_pattern(mem, SIZE, race->pattern),
			"the bytes have changed");
		munmap(mem, SIZE);
		usleep(1000);
	}
}

/*
 * A buffer moves once at most, so new ones are needed all the time. It moves when
 * a strict device maps it while it is not mapped elsewhere.
 */
TEST(race, "devices and a process race for a moving buffer and see the same bytes")
{
	time_t begin = time(NULL);
	unsigned int i, moved = 0;
	struct importer_map map;
	pid_t pids[3];
	int dev;

	close(new_strict_device());
	while (time(NULL) < begin + (moved ? RACE_SECONDS : RACE_PATIENCE)) {
		struct race one;

		dev = new_device();
		one.pattern = moved;
		one.fd = scattered_buffer(dev, one.pattern, &one.sum);
		one.end = time(NULL) + 1;
		for (i = 0; i < ARRAY_SIZE(pids); i++)
			pids[i] = tap_start(i ? race_device : race_process, &one);
		for (i = 0; i < ARRAY_SIZE(pids); i++)
			tap_join(pids[i]);
		REQUIRE(!dev_map(dev, IMPORTER_READ, &map), "%s", strerror(errno));
		moved += map.nents == 1;
		REQUIRE(dev_sum(dev) == one.sum, "the bytes have changed");
		close(dev);
		close(one.fd);
	}
	REQUIRE(moved, "it never moved");
	note("moved %u times", moved);
}
