// SPDX-License-Identifier: GPL-2.0
/*
 * Figures for the plots: what an allocation costs, by its size, by how much of the area
 * is in use and by the number of buffers in it. layout_point() prints them.
 */
#define TAP_BEGIN layout_modules_begin
#define TAP_END layout_modules_end
#include "tap.h"
#include "guest.h"
#include "layout.h"

TEST(sizes, "by size, with the area free and then full of tmpfs")
{
	struct layout l;
	size_t size;

	layout_start(&l, LAYOUT_TMPFS);
	for (size = 4 * PAGE; size <= 16 * MIB; size *= 2) {
		layout_point("floor", size, "floor", size, 4);
		layout_point("free", size, "hold", size, layout_buffers(size));
	}
	for (size = 4 * PAGE; size <= 16 * MIB; size *= 2) {
		if (!layout_made(&l, "tmpfs", layout_fill(&l)))
			return;
		layout_point("moved", size, "hold", size, layout_buffers(size));
	}
}

static void with_fill(void *arg)
{
	unsigned long percent = *(unsigned int *)arg, n;
	struct layout l;

	layout_start(&l, LAYOUT_TMPFS);
	layout_do("take %u", LAYOUT_SEED);
	for (n = layout_count().kept * percent / 100; n; n--) {
		layout_do("give");
		layout_page(&l);
	}
	layout_do("drop");
	layout_made(&l, "part", true);
	layout_point("fill", percent, "hold", MIB, 4);
}

TEST(fill, "by how much of the area is in use, at places that a seed decides")
{
	static const unsigned int percents[] = { 10, 25, 50, 75, 90, 95, 99 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(percents); i++)
		tap_join(tap_start(with_fill, (void *)&percents[i]));
	REQUIRE(i);
}

static void with_live(void *arg)
{
	unsigned int live = *(unsigned int *)arg, slot;
	__u32 seed = LAYOUT_SEED;
	struct layout l;

	layout_start(&l, LAYOUT_TMPFS);
	/* Twice as many, of 4 to 16 KiB; every other one is freed again */
	for (slot = 1; slot <= 2 * live; slot++) {
		seed = seed * 1664525 + 1013904223;
		layout_bench("keep", PAGE << (seed >> 8) % 3, slot);
	}
	for (slot = 1; slot <= 2 * live; slot += 2)
		layout_bench("drop", PAGE, slot);
	if (layout_made(&l, "live", layout_fill(&l)))
		layout_point("live", live, "hold", MIB, 4);
	for (slot = 2; slot <= 2 * live; slot += 2)
		layout_bench("drop", PAGE, slot);
}

TEST(live, "by the number of buffers of 4 to 16 KiB in the area; the rest is full of tmpfs")
{
	static const unsigned int lives[] = { 1, 4, 16, 64, 256, 1024 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lives); i++)
		tap_join(tap_start(with_live, (void *)&lives[i]));
	REQUIRE(i);
}
