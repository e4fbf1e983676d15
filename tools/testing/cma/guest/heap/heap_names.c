// SPDX-License-Identifier: GPL-2.0
/*
 * The heap of the default area has the same names on all kernels of the series, so
 * that a program finds it whatever kernel it was written for
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"

#define SIZE	(2 * MIB)

/* Allocate from the heap of this name: the memory is of the default area. */
static void check_name(const char *name)
{
	long used = area_number("reserved", "used");
	int heap = heap_open(name), fd;

	REQUIRE(heap >= 0, "%s: %s", name, strerror(errno));
	fd = new_buffer(heap, SIZE);
	REQUIRE(area_number("reserved", "used") == used + SIZE / PAGE,
		"%s: %ld pages used, then %ld", name, used,
		area_number("reserved", "used"));
	close(fd);
	close(heap);
	REQUIRE(area_number("reserved", "used") == used,
		"%s: %ld pages used at the end", name,
		area_number("reserved", "used"));
}

TEST(names, "the heap of the default area has the name of later kernels, and the former one")
{
	check_name("default_cma_region");
	check_name("linux,cma");
}
