// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that one module exports (cma_mock) and a device of another one imports
 * (cma_importer), and the orders in which they can be released
 */
#define TAP_BEGIN mock_begin
#define TAP_END mock_end

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"
#include "mock.h"

static int mock_error;

static void mock_begin(void)
{
	importer_begin();
	mock_error = module_load("cma_mock");
}

static void mock_end(void)
{
	importer_end();
	if (!mock_error && module_unload("cma_mock") == -EAGAIN) {
		note("cma_mock cannot be removed");
		_exit(1);
	}
}

static int mock_buffer(unsigned long kind)
{
	return mock_export(mock_error, kind);
}

/* Unload the module: it fails as @expected, or works and is loaded again. */
static void require_unload(int expected, const char *why)
{
	int error = module_unload("cma_mock");

	if (!error)
		REQUIRE(!module_load("cma_mock"), "it cannot be loaded again");
	REQUIRE(error == expected, "%s: unload gives %s", why, strerror(-error));
}

TEST(unload_fd, "a module cannot be unloaded while its buffer has a descriptor")
{
	int fd = mock_buffer(CMA_MOCK_FIXED);
	int copy;

	require_unload(-EAGAIN, "a descriptor");
	REQUIRE(lseek(fd, 0, SEEK_END) == CMA_MOCK_SIZE, "%s", strerror(errno));
	copy = dup(fd);
	close(fd);
	require_unload(-EAGAIN, "a copy of it");
	close(copy);
	require_unload(0, "nothing");
}

TEST(unload_mmap, "a module cannot be unloaded while its buffer is mapped")
{
	int fd = mock_buffer(CMA_MOCK_FIXED);
	char *mem = map_buffer(fd, CMA_MOCK_SIZE);

	close(fd);
	memset(mem, 7, CMA_MOCK_SIZE);
	require_unload(-EAGAIN, "mapped");
	munmap(mem, 2 * PAGE);
	require_unload(-EAGAIN, "half of it is mapped");
	munmap(mem + 2 * PAGE, 2 * PAGE);
	require_unload(0, "nothing");
}

TEST(unload_attached, "a module cannot be unloaded while a device uses its buffer")
{
	int fd = mock_buffer(CMA_MOCK_FIXED);
	int dev = new_device();

	attach_and_map(dev, fd, IMPORTER_READ, NULL);
	close(fd);
	require_unload(-EAGAIN, "mapped");
	dev_unmap(dev);
	require_unload(-EAGAIN, "attached");
	dev_detach(dev);
	require_unload(0, "detached");
	close(dev);
}

TEST(unload_killed, "a module can be unloaded after the users of its buffer are killed")
{
	int fd, dev, ready[2];
	pid_t pid;
	char c;

	REQUIRE(!pipe(ready), "%s", strerror(errno));
	pid = tap_fork();
	if (!pid) {
		fd = mock_buffer(CMA_MOCK_MOVING);
		dev = new_device();
		attach_and_map(dev, fd, IMPORTER_BOTH, NULL);
		map_buffer(mock_buffer(CMA_MOCK_FIXED), PAGE);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(TAP_FAIL);
	}
	REQUIRE(read(ready[0], &c, 1) == 1, "%s", strerror(errno));
	require_unload(-EAGAIN, "the other process");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	require_unload(0, "nothing");
}

TEST(device_dma, "the device reads and writes the memory that a process sees")
{
	int fd = mock_buffer(CMA_MOCK_FIXED);
	char *mem = map_buffer(fd, CMA_MOCK_SIZE);
	struct importer_map map;
	int dev = new_device();

	fill_pages(mem, CMA_MOCK_SIZE, 1);
	attach_and_map(dev, fd, IMPORTER_READ, &map);
	REQUIRE(map.nents == 1 && map.bytes == CMA_MOCK_SIZE &&
		map.max_len == CMA_MOCK_SIZE, "%u segments, %llu bytes, %u",
		map.nents, map.bytes, map.max_len);
	REQUIRE(map.first_dma_addr, "no address");
	REQUIRE(dev_sees(dev, mem, CMA_MOCK_SIZE), "the device reads other bytes");
	mem[CMA_MOCK_SIZE - 1] ^= 1;
	REQUIRE(dev_sees(dev, mem, CMA_MOCK_SIZE), "the last byte");
	REQUIRE(dev_fill(dev, 1) == -EINVAL, "it writes a buffer mapped for reading");
	unmap_and_detach(dev);

	attach_and_map(dev, fd, IMPORTER_WRITE, NULL);
	REQUIRE(!dev_fill(dev, 0xfffffff0), "fill: %s", strerror(errno));
	REQUIRE(is_pattern(mem, CMA_MOCK_SIZE, 0xfffffff0), "not in memory");
	REQUIRE(dev_call(dev, IMPORTER_SUM, (long)mem) == -EINVAL,
		"it reads a buffer mapped for writing");
	unmap_and_detach(dev);
}

TEST(device_scattered, "the device follows the segments")
{
	int fd = mock_buffer(CMA_MOCK_MOVING);
	int dev = new_device(), strict = new_strict_device();
	struct importer_map map;
	__u64 sum;

	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(map.nents == 4 && map.max_len == PAGE &&
		map.bytes == CMA_MOCK_SIZE, "%u segments, %llu bytes, %u",
		map.nents, map.bytes, map.max_len);
	REQUIRE(!dev_fill(dev, 77), "%s", strerror(errno));
	sum = dev_sum(dev);
	REQUIRE(!dev_attach(strict, fd), "%s", strerror(errno));
	REQUIRE(dev_map(strict, IMPORTER_READ, NULL) == -EBUSY, "not busy");
	unmap_and_detach(dev);
	REQUIRE(!dev_map(strict, IMPORTER_READ, &map), "%s", strerror(errno));
	REQUIRE(map.nents == 1, "%u segments", map.nents);
	REQUIRE(dev_sum(strict) == sum, "other bytes than before");
}

TEST(device_breaks, "a table that violates the device's limits is detected")
{
	static const struct importer_limits limits[] = {
		{ .max_seg_size = CMA_MOCK_SIZE - 1 },
		{ .boundary = PAGE - 1 },
	};
	int fd = mock_buffer(CMA_MOCK_FIXED);
	unsigned int i;
	int dev;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		dev = new_device();
		REQUIRE(!dev_limit(dev, limits[i]), "%s", strerror(errno));
		REQUIRE(!dev_attach(dev, fd), "%s", strerror(errno));
		REQUIRE(dev_map(dev, IMPORTER_READ, NULL) == -EPROTO, "%u", i);
		REQUIRE(dev_unmap(dev) == -EINVAL, "%u is mapped", i);
		close(dev);
	}
	dev = new_device();
	REQUIRE(!dev_limit(dev, (struct importer_limits){
			   .mask = 0x1fffffff }), "%s", strerror(errno));
	REQUIRE(dev_attach(dev, fd) == -ERANGE, "a mask below all memory");
}

TEST(device_order, "calls in the wrong order are refused")
{
	int fd = mock_buffer(CMA_MOCK_FIXED);
	struct importer_cycle cycle = { .fd = fd };
	int dev = new_device();

	REQUIRE(dev_detach(dev) == -EINVAL, "detach");
	REQUIRE(dev_map(dev, IMPORTER_READ, NULL) == -EINVAL, "map");
	REQUIRE(dev_unmap(dev) == -EINVAL, "unmap");
	REQUIRE(dev_fill(dev, 0) == -EINVAL, "fill");
	REQUIRE(dev_call(dev, IMPORTER_SUM, (long)&fd) == -EINVAL, "sum");
	REQUIRE(dev_call(dev, IMPORTER_CYCLE, (long)&cycle) == -EINVAL,
		"no cycles");

	REQUIRE(!dev_attach(dev, fd), "%s", strerror(errno));
	REQUIRE(dev_attach(dev, fd) == -EINVAL, "attach twice");
	REQUIRE(dev_limit(dev, (struct importer_limits){}) == -EINVAL,
		"limits when attached");
	cycle.count = 1;
	REQUIRE(dev_call(dev, IMPORTER_CYCLE, (long)&cycle) == -EINVAL,
		"cycle when attached");
	REQUIRE(dev_map(dev, 3, NULL) == -EINVAL, "a bad direction");

	REQUIRE(!dev_map(dev, IMPORTER_READ, NULL), "%s", strerror(errno));
	REQUIRE(dev_map(dev, IMPORTER_READ, NULL) == -EINVAL, "map twice");
	REQUIRE(dev_detach(dev) == -EINVAL, "detach when mapped");
	unmap_and_detach(dev);
	REQUIRE(!dev_call(dev, IMPORTER_CYCLE, (long)&cycle), "%s",
		strerror(errno));
	REQUIRE(dev_call(dev, _IO('C', 0x7f), 0) == -ENOTTY, "no such call");
}

TEST(device_args, "calls with bad arguments are refused")
{
	static const unsigned long calls[] = {
		IMPORTER_LIMITS, IMPORTER_MAP, IMPORTER_FILL, IMPORTER_CYCLE,
	};
	static const struct importer_limits limits[] = {
		{ .mask = 0x60000000 }, { .boundary = 12345 },
		{ .boundary = ~0ULL },
	};
	int fd = mock_buffer(CMA_MOCK_FIXED);
	int dev = new_device();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		REQUIRE(dev_call(dev, calls[i], 1) == -EFAULT, "call %u", i);
	for (i = 0; i < ARRAY_SIZE(limits); i++)
		REQUIRE(dev_limit(dev, limits[i]) == -EINVAL, "limits %u", i);
	REQUIRE(dev_attach(dev, -1) == -EBADF, "no descriptor");
	REQUIRE(dev_attach(dev, dev) == -EINVAL, "no buffer");
	REQUIRE(dev_call(dev, IMPORTER_FD, -1) == -EBADF, "no descriptor");
	REQUIRE(dev_call(dev, IMPORTER_FD, 0) == -EINVAL, "no buffer");
	attach_and_map(dev, fd, IMPORTER_READ, NULL);
	REQUIRE(dev_call(dev, IMPORTER_SUM, 1) == -EFAULT, "sum");
}

TEST(device_fd, "another descriptor made by the kernel is the same buffer")
{
	int fd = mock_buffer(CMA_MOCK_FIXED);
	int dev = new_device();
	int other = dev_call(dev, IMPORTER_FD, fd);
	char *mem[2];

	REQUIRE(other >= 0 && other != fd, "%d", other);
	REQUIRE(fcntl(other, F_GETFD) == FD_CLOEXEC, "it stays with exec");
	mem[0] = map_buffer(fd, PAGE);
	mem[1] = map_buffer(other, PAGE);
	close(fd);
	strcpy(mem[0], "the same");
	REQUIRE(!strcmp(mem[1], "the same"), "%s", mem[1]);
}
