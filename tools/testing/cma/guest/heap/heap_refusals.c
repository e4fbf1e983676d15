// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong calls that the heaps and buffers of this series refuse: it is stricter
 * than the ABI that all kernels share
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"

#include <sys/uio.h>

#define SIZE	(2 * MIB)

static void check_foreign(int heap)
{
	struct dma_heap_allocation_data data = { .len = PAGE };
	const unsigned long foreign[] = {
		_IOWR('X', 0, struct dma_heap_allocation_data),
		_IOWR(0, 0, struct dma_heap_allocation_data),
		DMA_BUF_IOCTL_SYNC, DMA_BUF_SET_NAME_A, 0x5401,
	};
	int next = lowest_fd();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(foreign); i++)
		REQUIRE(ioctl(heap, foreign[i], &data) == -1 &&
			errno == ENOTTY, "ioctl %#lx: %s", foreign[i],
			strerror(errno));
	REQUIRE(lowest_fd() == next, "a descriptor is left");
}

TEST(foreign, "an ioctl that is not for heaps fails with ENOTTY")
{
	each_heap(check_foreign);
}

static void check_no_result(int heap)
{
	static const unsigned long numbers[] = {
		_IOW(DMA_HEAP_IOC_MAGIC, 0, struct dma_heap_allocation_data),
		_IOR(DMA_HEAP_IOC_MAGIC, 0, struct dma_heap_allocation_data),
		_IO(DMA_HEAP_IOC_MAGIC, 0),
		_IOWR(DMA_HEAP_IOC_MAGIC, 0, __u64),
	};
	struct dma_heap_allocation_data data = { .len = PAGE };
	struct totals before = totals_now();
	int next = lowest_fd();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		REQUIRE(ioctl(heap, numbers[i], &data) == -1 && errno == EINVAL,
			"ioctl %#lx: %s", numbers[i], strerror(errno));
	REQUIRE(lowest_fd() == next, "a descriptor is left");
	require_totals(&before);
}

TEST(no_result, "an ioctl that cannot return the descriptor fails with EINVAL")
{
	each_heap(check_no_result);
}

static void check_readonly_result(int heap)
{
	struct dma_heap_allocation_data *data = map_anon(PAGE);
	struct totals before;
	int next, i;

	data->len = SIZE;
	REQUIRE(!mprotect(data, PAGE, PROT_READ), "%s", strerror(errno));
	next = lowest_fd();
	before = totals_now();
	for (i = 0; i < 100; i++)
		REQUIRE(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, data) == -1 &&
			errno == EFAULT, "%s", strerror(errno));
	REQUIRE(lowest_fd() == next, "a descriptor is left");
	require_totals(&before);
	munmap(data, PAGE);
}

TEST(readonly_result, "nothing leaks when the result cannot be written")
{
	each_heap(check_readonly_result);
}

static void check_long_len(int heap)
{
	static const __u64 lens[] = {
		(1ULL << 32) + PAGE, 1ULL << 32, 1ULL << 63, -1ULL,
		0xfffff001, 0x100000000 - 1,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ret = heap_alloc(heap, lens[i], O_RDWR);
		REQUIRE(ret == -EINVAL, "%llu bytes: %s", lens[i],
			strerror(-ret));
	}
}

TEST(long_len, "a length beyond size_t fails with EINVAL and is not truncated")
{
	each_heap(check_long_len);
}

static void check_too_much(int heap)
{
	REQUIRE(heap_alloc(heap, 1 << 30, O_RDWR) == -ENOMEM, "1 GiB");
	REQUIRE(heap_alloc(heap, 0xfffff000, O_RDWR) == -ENOMEM, "4 GiB");
}

TEST(too_much, "a length beyond all memory fails with ENOMEM at once")
{
	each_heap(check_too_much);
}

static void check_pinned(int heap)
{
	int fd = new_buffer(heap, SIZE), pipes[2];
	struct iovec iov = { .iov_base = map_buffer(fd, SIZE), .iov_len = PAGE };

	REQUIRE(!pipe(pipes), "%s", strerror(errno));
	REQUIRE(vmsplice(pipes[1], &iov, 1, 0) == -1 && errno == EFAULT, "%s",
		strerror(errno));
	munmap(iov.iov_base, SIZE);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

TEST(pinned, "pages of a mapped buffer cannot be pinned: EFAULT")
{
	each_heap(check_pinned);
}

static void check_growth(int heap)
{
	static const size_t sizes[] = { SIZE, SIZE / 2 + PAGE, 2 * SIZE };
	int fd = new_buffer(heap, SIZE);
	char *mem = map_part(fd, 0, SIZE / 2);
	unsigned int i;

	REQUIRE(mem, "%s", strerror(errno));
	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++)
		REQUIRE(mremap(mem, SIZE / 2, sizes[i / 2],
			       i & 1 ? MREMAP_MAYMOVE : 0) == MAP_FAILED &&
			errno == EFAULT, "%zu bytes: %s", sizes[i / 2],
			strerror(errno));
	munmap(mem, SIZE / 2);
	close(fd);
}

TEST(growth, "a mapping cannot grow: EFAULT")
{
	each_heap(check_growth);
}
