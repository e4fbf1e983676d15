// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that read and write the buffers of heaps. This program passes on an
 * unmodified v6.1, too; see dmabuf_limits.c for tests that do not.
 */
#define TAP_BEGIN importer_begin
#define TAP_END importer_end

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"

#define SIZE	(4 * MIB)	/* more than the heap allocates in one piece */

static void check_dma(int heap)
{
	static const size_t sizes[] = { PAGE, 5 * PAGE, MIB, SIZE };
	struct importer_map map;
	unsigned int i;
	char *mem;
	int dev, fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		dev = new_device();
		fd = new_buffer(heap, sizes[i]);
		mem = map_buffer(fd, sizes[i]);
		fill_pages(mem, sizes[i], i);
		sync_buffer(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
		attach_and_map(dev, fd, IMPORTER_READ, &map);
		REQUIRE(map.bytes == sizes[i], "%llu bytes", map.bytes);
		REQUIRE(dev_sees(dev, mem, sizes[i]), "it reads other bytes");
		unmap_and_detach(dev);

		attach_and_map(dev, fd, IMPORTER_WRITE, NULL);
		REQUIRE(!dev_fill(dev, i), "%s", strerror(errno));
		sync_buffer(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		REQUIRE(is_pattern(mem, sizes[i], i), "the device did not write");
		sync_buffer(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
		unmap_and_detach(dev);
		munmap(mem, sizes[i]);
		close(fd);
		close(dev);
	}
}

TEST(dma, "a device reads what a process wrote, and a process what a device wrote")
{
	each_heap(check_dma);
}

static void check_zero(int heap)
{
	int dev = new_device(), fd = new_buffer(heap, SIZE), again;
	struct importer_map map;
	char *zero = map_anon(SIZE);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		attach_and_map(dev, fd, IMPORTER_BOTH, &map);
		REQUIRE(dev_sees(dev, zero, SIZE), "not zero");
		REQUIRE(!dev_fill(dev, ~0), "%s", strerror(errno));
		unmap_and_detach(dev);
		close(fd);
		again = new_buffer(heap, SIZE);
		fd = again;
	}
	close(fd);
	close(dev);
}

TEST(zero, "a device finds zeros at first, never the previous contents")
{
	each_heap(check_zero);
}

TEST(scattered, "the system heap scatters a buffer unless a device needs it contiguous")
{
	int fd = new_buffer(system_heap(), SIZE);
	struct importer_map map;

	attach_and_map(new_device(), fd, IMPORTER_READ, &map);
	REQUIRE(map.nents > 1, "%u segment", map.nents);
}

static void check_shared(int heap)
{
	int devs[2] = { new_device(), new_device() };
	int fd = new_buffer(heap, SIZE);
	struct importer_map maps[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		attach_and_map(devs[i], fd, IMPORTER_BOTH, &maps[i]);
	REQUIRE(!memcmp(&maps[0], &maps[1], sizeof(maps[0])),
		"it is at %#llx and %#llx", maps[0].first_dma_addr,
		maps[1].first_dma_addr);
	close(fd);
	REQUIRE(!dev_fill(devs[0], 8), "%s", strerror(errno));
	REQUIRE(dev_sum(devs[0]) == dev_sum(devs[1]), "they see other bytes");
	for (i = 0; i < 2; i++)
		close(devs[i]);
}

TEST(shared, "two devices share a buffer that no process holds any longer")
{
	each_heap(check_shared);
}

static void use_until_killed(void *arg)
{
	int dev = new_device();
	int fd = new_buffer(*(int *)arg, SIZE);

	attach_and_map(dev, fd, IMPORTER_BOTH, NULL);
	map_buffer(fd, SIZE);
	raise(SIGKILL);
}

static void check_killed(int heap)
{
	struct totals before = totals_now();
	pid_t pid = tap_start(use_until_killed, &heap);
	int status;

	REQUIRE(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		"status %#x", status);
	require_totals(&before);
}

TEST(killed, "mappings for devices of a killed process are released")
{
	each_heap(check_killed);
}

static void check_cycle(int heap)
{
	struct importer_cycle cycle = { .count = 500 };
	struct totals before = totals_now();
	int dev = new_device();

	cycle.fd = new_buffer(heap, MIB);
	REQUIRE(!dev_call(dev, IMPORTER_CYCLE, (long)&cycle), "%s",
		strerror(errno));
	close(cycle.fd);
	close(dev);
	require_totals(&before);
}

TEST(cycle, "attaching and detaching a device leaks nothing")
{
	each_heap(check_cycle);
}
