// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a process that are pinned for long are moved out of the area first:
 * those in pipes, and the ring of asynchronous I/O. Pages that others pin in the
 * area are counted.
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

#include <linux/aio_abi.h>
#include <sys/uio.h>

#define OWNER	9
#define PAGES	AREA "pages"

/* 1 MiB buffers that can be had now */
static size_t capacity(int ctl)
{
	static struct cma_ctl_alloc alloc[1024];
	size_t count = 0, i;

	while (count < ARRAY_SIZE(alloc) && !ctl_alloc(ctl, &alloc[count], MIB, CMA_CTL_COHERENT))
		count++;
	for (i = 0; i < count; i++)
		REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc[i].id), "%s", strerror(errno));
	return count;
}

/* Put a page of a process into a pipe, and require that it is not in the area then. */
static void put_into_pipe(const struct cma_ctl_area *area, int pipe, char *page, __u32 index)
{
	struct iovec iov = { .iov_base = page, .iov_len = PAGE };
	__u64 before = pfn_of(page);

	REQUIRE(vmsplice(pipe, &iov, 1, SPLICE_F_NONBLOCK) == (ssize_t)PAGE, "%s",
		strerror(errno));
	REQUIRE(!in_area(area, pfn_of(page)), "page %u at %#llx, before at %#llx", index,
		(unsigned long long)pfn_of(page), (unsigned long long)before);
	REQUIRE(page_right(page, OWNER, index), "page %u has changed", index);
}

TEST(pipes, "pages that a process puts into pipes are moved out of the area")
{
	int ctl = ctl_open(), fds[64][2], nr_fds = 0;
	struct cma_ctl_area area = ctl_area(ctl);
	size_t without = capacity(ctl), with, i;
	static char data[PAGE];
	struct ballast ballast;
	__u32 moved = 0;

	ballast_load(&ballast, 24 * 1024);
	for (i = 0; i < ballast.size && moved < 64 * 16; i += 4 * PAGE) {
		if (!in_area(&area, pfn_of(ballast.mem + i)))
			continue;
		if (moved % 16 == 0)
			REQUIRE(!pipe(fds[nr_fds++]), "%s", strerror(errno));
		fill_page(ballast.mem + i, OWNER, moved);
		put_into_pipe(&area, fds[nr_fds - 1][1], ballast.mem + i, moved++);
	}
	REQUIRE(moved > 256, "only %u pages were in the area", moved);
	madvise(ballast.mem, ballast.size, MADV_DONTNEED);
	with = capacity(ctl);
	note("%u pages in pipes; 1 MiB buffers: %zu, before %zu", moved, with, without);
	REQUIRE(with + 1 >= without, "%zu buffers, before %zu", with, without);
	for (i = 0; i < moved; i++) {
		REQUIRE(read(fds[i / 16][0], data, PAGE) == (ssize_t)PAGE, "%s", strerror(errno));
		REQUIRE(page_right(data, OWNER, i), "page %zu in a pipe is wrong", i);
	}
}

TEST(ring, "the ring of io_setup() is not in the area")
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	size_t size = 32 * PAGE, i, count = 0;
	aio_context_t context = 0;
	struct ballast ballast;
	char *mem;

	ballast_load(&ballast, 24 * 1024);
	REQUIRE(ballast_leave_area(&ballast, &area) > 1024, "the area is not free");
	/* What the process uses now is in the area */
	mem = map_anon(size);
	memset(mem, 1, size);
	for (i = 0; i < size; i += PAGE)
		count += in_area(&area, pfn_of(mem + i));
	REQUIRE(count > 16, "only %zu pages are in the area", count);

	REQUIRE(!syscall(SYS_io_setup, 2000, &context), "%s", strerror(errno));
	for (i = 0; i < 16; i++) {
		__u64 pfn = pfn_of((char *)context + i * PAGE);

		REQUIRE(pfn && !in_area(&area, pfn), "page %zu is at %#llx", i,
			(unsigned long long)pfn);
	}
	REQUIRE(!syscall(SYS_io_destroy, context), "%s", strerror(errno));
}

/* Pin a page of the area in the usual way, as for the time of an I/O request. */
TEST(count, "pages that are pinned in the area are counted")
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	struct cma_ctl_pin pin = {};
	struct ballast ballast;
	long before, nr = 0;
	size_t i;

	ballast_load(&ballast, 24 * 1024);
	sleep(1);
	before = number_in(PAGES, "pinned");
	REQUIRE(before >= 0 && number_in(PAGES, "movable") > 1024, "%ld pages pinned, %ld movable",
		before, number_in(PAGES, "movable"));
	for (i = 0; i < ballast.size && nr < 16; i += 64 * PAGE) {
		pin.addr = (uintptr_t)(ballast.mem + i);
		if (!in_area(&area, pfn_of(ballast.mem + i)))
			continue;
		REQUIRE(!ioctl(ctl, CMA_CTL_PIN, &pin), "%s", strerror(errno));
		REQUIRE(in_area(&area, pin.pfn), "a page was moved");
		nr++;
	}
	REQUIRE(nr == 16, "%ld pages are in the area", nr);
	REQUIRE(number_in(PAGES, "pinned") >= before + nr - 2, "%ld, before %ld",
		number_in(PAGES, "pinned"), before);
	while (nr--)
		REQUIRE(!ioctl(ctl, CMA_CTL_UNPIN), "%s", strerror(errno));
	REQUIRE(number_in(PAGES, "pinned") <= before + 2, "%ld, before %ld",
		number_in(PAGES, "pinned"), before);
}
