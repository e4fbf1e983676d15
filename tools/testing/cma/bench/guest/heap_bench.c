// SPDX-License-Identifier: GPL-2.0
/*
 * Time that buffers of the heaps and their descriptors take. Prints lines
 * "# free bench WHAT SIZE COUNT MEAN"; the time is in ns.
 */
#define TAP_BEGIN importer_begin
#define TAP_END importer_end
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"

/* What the current measurement works on */
static int heap, device, buffer;
static size_t size;

static void open_system_heap(void)
{
	heap = heap_open("system");
	REQUIRE(heap >= 0, "%s", strerror(errno));
}

/* The first run does not count: the kernel sets up its slab caches. */
static void measure(const char *what, void (*run)(unsigned int count))
{
	unsigned int count = 64 * MIB / size;
	__u64 start, ns;

	if (count > 256)
		count = 256;
	run(1);
	start = clock_ns(CLOCK_MONOTONIC);
	run(count);
	ns = clock_ns(CLOCK_MONOTONIC) - start;
	note("free bench %s %zu %u %llu", what, size, count, ns / count);
}

/* 4 KiB, 64 KiB, 1 MiB, 16 MiB */
#define for_each_size() \
	for (size = PAGE; size <= 16 * MIB; size *= 16)

static void alloc_close(unsigned int count)
{
	while (count--)
		close(new_buffer(heap, size));
}

static void alloc_touch_close(unsigned int count)
{
	size_t offset;
	char *mem;
	int fd;

	while (count--) {
		fd = new_buffer(heap, size);
		mem = map_buffer(fd, size);
		for (offset = 0; offset < size; offset += PAGE)
			mem[offset] = 1;
		munmap(mem, size);
		close(fd);
	}
}

/* The module runs the cycle count times. */
static void attach_map(unsigned int count)
{
	struct importer_cycle cycle = { .fd = buffer, .count = count };
	int error = dev_call(device, IMPORTER_CYCLE, (long)&cycle);

	REQUIRE(!error, "%s", strerror(-error));
}

static void fd_close(unsigned int count)
{
	int fd;

	while (count--) {
		fd = dev_call(device, IMPORTER_FD, buffer);
		REQUIRE(fd >= 0, "%s", strerror(-fd));
		close(fd);
	}
}

static void dup_close(unsigned int count)
{
	while (count--)
		close(dup(buffer));
}

static void measure_attach(const char *what)
{
	device = new_device();
	for_each_size() {
		buffer = new_buffer(heap, size);
		measure(what, attach_map);
		close(buffer);
	}
}

TEST(cma, "CMA heap: allocate, close")
{
	heap = heap_open_cma();
	for_each_size()
		measure("cma-heap", alloc_close);
}

TEST(cma_touch, "CMA heap: allocate, map, touch all pages, unmap, close")
{
	heap = heap_open_cma();
	for_each_size()
		measure("cma-touch", alloc_touch_close);
}

TEST(system_touch, "system heap: allocate, map, touch all pages, unmap, close")
{
	open_system_heap();
	for_each_size()
		measure("system-touch", alloc_touch_close);
}

TEST(cma_attach, "CMA heap: attach, map, unmap, detach")
{
	heap = heap_open_cma();
	measure_attach("cma-attach");
}

TEST(system_attach, "system heap: attach, map, unmap, detach")
{
	open_system_heap();
	measure_attach("system-attach");
}

TEST(descriptor, "a descriptor from the core, close; the same with dup()")
{
	heap = heap_open_cma();
	device = new_device();
	size = PAGE;
	buffer = new_buffer(heap, size);
	measure("fd", fd_close);
	measure("dup", dup_close);
}
