// SPDX-License-Identifier: GPL-2.0
/*
 * A program takes all contiguous memory that it can get; an area that is not
 * its own, and the reserve of the default area, are left.
 *
 * The command line gives cma_ctl the area "camera", and cma_test a reserve.
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"
#include "heap.h"

#define MAX_FDS	900

static int fds[MAX_FDS];
static unsigned int nr_fds;

static void need_camera(void)
{
	if (access(AREAS_SYSFS "camera", F_OK))
		skip("no area \"camera\"");
}

/* Take all that a heap has, the last of it in pieces of a page. */
static void exhaust(int heap)
{
	size_t size = MIB;

	while (nr_fds < MAX_FDS) {
		int fd = heap_alloc(heap, size, O_RDWR | O_CLOEXEC);

		if (fd >= 0) {
			fds[nr_fds++] = fd;
		} else if (fd == -ENOMEM && size > PAGE) {
			size /= 2;
		} else {
			REQUIRE(fd == -ENOMEM, "%s", strerror(-fd));
			break;
		}
	}
	REQUIRE(nr_fds < MAX_FDS, "the area is not exhausted");
}

static void give_back(void)
{
	while (nr_fds)
		close(fds[--nr_fds]);
}

TEST(sysfs, "sysfs shows which area is exclusive and how large the reserve is")
{
	need_camera();
	REQUIRE(area_sysfs("camera/exclusive") == 1, "camera");
	REQUIRE(area_sysfs("reserved/exclusive") == 0, "reserved");
	REQUIRE(area_sysfs("camera/reserve_pages") == 0, "camera");
	REQUIRE(area_sysfs("reserved/reserve_pages") == 256, "reserved");
}

static void check_heap(int heap)
{
	(void)heap;
	REQUIRE(strcmp(tap_about, "camera"), "is a heap");
}

TEST(heaps, "there is no heap of an exclusive area")
{
	need_camera();
	each_heap(check_heap);
}

TEST(exclusive, "a program that exhausts the default area leaves a device its own area")
{
	int ctl = ctl_open();
	int heap = heap_open_cma();
	unsigned int i;

	need_camera();
	for (i = 0; i < 10; i++) {
		struct cma_ctl_alloc alloc = { .size = 8 * MIB };
		long base = area_number("camera", "base_pfn");

		exhaust(heap);
		REQUIRE(!area_number("camera", "used"), "camera is used");
		REQUIRE(!ioctl(ctl, CMA_CTL_ALLOC, &alloc), "round %u: %s", i, strerror(errno));
		REQUIRE((long)alloc.pfn == base, "at %#llx", alloc.pfn);
		REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc.id), "%s", strerror(errno));
		if (i % 2)
			give_back();
	}
}

TEST(full, "a device whose own area is full does not get memory of another one")
{
	struct cma_ctl_alloc alloc = { .size = 8 * MIB }, more = { .size = PAGE };
	long used = area_sysfs("reserved/available_pages");
	int ctl = ctl_open();

	need_camera();
	REQUIRE(!ioctl(ctl, CMA_CTL_ALLOC, &alloc), "%s", strerror(errno));
	REQUIRE(ioctl(ctl, CMA_CTL_ALLOC, &more) && errno == ENOMEM, "got more");
	REQUIRE(area_sysfs("reserved/available_pages") == used, "the default area is used");
}

TEST(reserve, "a program that exhausts the default area leaves the reserve to a listed device")
{
	int heap = heap_open_cma();
	unsigned int i, j;

	need_camera();
	for (i = 0; i < 5; i++) {
		long left;
		int test;

		REQUIRE(!module_load("cma_test"), "cma_test");
		exhaust(heap);
		left = area_sysfs("reserved/available_pages");
		REQUIRE(left >= 256, "%ld pages are left", left);
		test = open_misc("cma_test", O_RDWR);
		REQUIRE(test >= 0, "%s", strerror(errno));
		REQUIRE(write(test, "x", 1) == 1, "round %u: %s", i, strerror(errno));
		REQUIRE(area_sysfs("reserved/available_pages") == left - 256, "%ld pages of %ld",
			area_sysfs("reserved/available_pages"), left);
		/* Holes elsewhere do not make the reserve smaller */
		for (j = 0; j < nr_fds; j += 2)
			close(fds[j]);
		for (j = 0; j < nr_fds; j += 2)
			fds[j] = heap_alloc(heap, PAGE, O_RDWR | O_CLOEXEC);
		close(test);
		give_back();
		REQUIRE(!module_unload("cma_test"), "cma_test");
	}
}
