// SPDX-License-Identifier: GPL-2.0
/*
 * Small buffers do not spoil an area for large ones: they are packed at one end
 * of it, wherever there happen to be free pages
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"
#include "place.h"

#define SMALL	(64 * 1024)

/* The largest buffer that can be had, in MiB */
static size_t largest(int ctl, size_t nr_pages)
{
	size_t low = 0, high = nr_pages * PAGE / MIB + 1;
	struct cma_ctl_alloc alloc;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (ctl_alloc(ctl, &alloc, middle * MIB, CMA_CTL_COHERENT)) {
			high = middle;
		} else {
			ctl_free(ctl, &alloc);
			low = middle;
		}
	}
	return low;
}

/* An area that is full of shared memory, with free ranges in it */
struct holes {
	int ctl;
	struct cma_ctl_area area;
	size_t before;		/* the largest buffer, in MiB, with nothing allocated */
	struct fill fill, more;
};

static struct cma_ctl_alloc held[MAX_BUFFERS], rest[512];
static size_t nr_rest;
static bool is_hole[MAX_BUFFERS];

static int by_pfn(const void *a, const void *b)
{
	const struct cma_ctl_alloc *left = a, *right = b;

	return left->pfn < right->pfn ? -1 : left->pfn > right->pfn;
}

/* One hole is in the middle, several are at random places. */
static void choose_holes(const struct holes *h, size_t nr_holes, size_t count)
{
	__u64 middle = h->area.base_pfn + h->area.nr_pages / 2;
	size_t i;

	REQUIRE(count > nr_holes, "only %zu buffers", count);
	if (nr_holes == 1) {
		for (i = 0; i < count - 1 && held[i].pfn < middle; i++)
			;
		is_hole[i] = true;
		return;
	}
	srand(1);
	while (nr_holes) {
		i = rand() % count;
		nr_holes -= !is_hole[i];
		is_hole[i] = true;
	}
}

/*
 * Some pages of the area remain free, as others are free elsewhere. Memory is
 * filled from the smallest free blocks on: they are in large ones at the end.
 */
static void fill_area(struct holes *h)
{
	__u64 end = h->area.base_pfn + h->area.nr_pages;

	fill_memory(&h->fill, PLACE_SPARE_KB);
	fill_release(&h->fill, end - 16 * MIB / PAGE, end, true);
	fill_memory(&h->more, PLACE_SPARE_KB);
}

/* What is free and too small for a buffer of 1 MiB */
static void hold_rest(struct holes *h)
{
	while (nr_rest < ARRAY_SIZE(rest) &&
	       !ctl_alloc(h->ctl, &rest[nr_rest], SMALL, CMA_CTL_COHERENT))
		nr_rest++;
}

static void make_holes(struct holes *h, size_t nr_holes, size_t size)
{
	size_t count = 0, i;

	h->ctl = ctl_open();
	h->area = ctl_area(h->ctl);
	h->before = largest(h->ctl, h->area.nr_pages);
	while (count < MAX_BUFFERS &&
	       !ctl_alloc(h->ctl, &held[count], MIB, CMA_CTL_COHERENT))
		count++;
	hold_rest(h);
	qsort(held, count, sizeof(*held), by_pfn);
	choose_holes(h, nr_holes, count);
	for (i = 0; i < count; i++) {
		if (!is_hole[i] || size == MIB)
			continue;
		/* the smaller one finds this range, the only one that is free */
		ctl_free(h->ctl, &held[i]);
		REQUIRE(!ctl_alloc(h->ctl, &held[i], size, CMA_CTL_COHERENT),
			"hole %zu", i);
		hold_rest(h);
	}
	for (i = count; i--;)
		if (!is_hole[i])
			ctl_free(h->ctl, &held[i]);
	while (nr_rest--)
		ctl_free(h->ctl, &rest[nr_rest]);
	fill_area(h);
	for (i = 0; i < count; i++)
		if (is_hole[i])
			ctl_free(h->ctl, &held[i]);
	fill_release_outside(&h->fill, &h->area);
	fill_release_outside(&h->more, &h->area);
	note("%zu MiB can be had; the area is filled but for %zu holes of %zu KiB",
	     h->before, nr_holes, size / 1024);
}

/* Allocate small buffers; the largest range that is left has to be large enough. */
static void small_and_large(size_t nr_small, size_t hole_size)
{
	struct cma_ctl_alloc alloc[16];
	struct holes h = {};
	size_t i, after;
	int ret;

	make_holes(&h, nr_small, hole_size);
	for (i = 0; i < nr_small; i++) {
		REQUIRE(!ctl_alloc(h.ctl, &alloc[i], SMALL, CMA_CTL_COHERENT),
			"buffer %zu", i);
		note("64 KiB at %llu KiB of the area",
		     (unsigned long long)(alloc[i].pfn - h.area.base_pfn) * 4);
	}
	after = largest(h.ctl, h.area.nr_pages);
	note("then %zu MiB can be had", after);
	REQUIRE(after * MIB * 10 >= (h.before * MIB - nr_small * SMALL) * 9,
		"%zu MiB, %zu without the small buffers", after, h.before);
	ret = ctl_alloc(h.ctl, &alloc[0], 40 * MIB, CMA_CTL_COHERENT);
	REQUIRE(!ret, "40 MiB: %s", strerror(-ret));
	fill_check(&h.fill);
	fill_check(&h.more);
}

TEST(one, "64 KiB beside a free range in the middle leave the area for large buffers")
{
	small_and_large(1, MIB);
}

TEST(sixteen, "16 buffers of 64 KiB beside free ranges leave the area for large buffers")
{
	small_and_large(16, SMALL);
}

#define OPS		1500
#define LIVE_PAGES	4096	/* 16 MiB */

/* Buffers that come and go at random */
static struct {
	struct cma_ctl_alloc alloc[MAX_BUFFERS];
	size_t count, pages;	/* live */
	size_t total;		/* pages allocated since the start */
	size_t refused;		/* calls */
} load;

static void free_buffer(int ctl, size_t i)
{
	ctl_free(ctl, &load.alloc[i]);
	load.pages -= load.alloc[i].size / PAGE;
	load.alloc[i] = load.alloc[--load.count];
}

/* Free a buffer, or allocate one of @pages if there are at most @max then. */
static void alloc_or_free(int ctl, size_t pages, size_t max)
{
	size_t i = load.count ? rand() % load.count : 0;

	if (load.count && (rand() % 2 || load.count == MAX_BUFFERS ||
			   load.pages + pages > max)) {
		free_buffer(ctl, i);
	} else if (ctl_alloc(ctl, &load.alloc[load.count], pages * PAGE,
			     CMA_CTL_COHERENT)) {
		load.refused++;
	} else {
		load.pages += pages;
		load.total += pages;
		load.count++;
	}
}

/* The largest range, which is at least @percent of all that has no buffer */
static void require_packed(const struct holes *h, size_t percent)
{
	size_t after = largest(h->ctl, h->area.nr_pages);	/* MiB */
	size_t rest = h->before - load.pages * PAGE / MIB;

	note("%zu buffers with %zu KiB; %zu MiB of %zu can be had", load.count,
	     load.pages * 4, after, rest);
	REQUIRE(after * 100 >= rest * percent, "%zu MiB of %zu", after, rest);
}

/*
 * 4 KiB to 4 MiB, each power of two as often as the others.  No placement can
 * keep large buffers that are freed at random in one piece (see packing.c of
 * the host), but when they have gone, the small ones are not in the way.
 */
TEST(mix, "after random allocations and frees the rest of the area is in one piece")
{
	struct holes h = {};
	size_t op, i;

	make_holes(&h, 16, SMALL);
	srand(2);
	for (op = 0; op < OPS; op++)
		alloc_or_free(h.ctl, 1UL << rand() % 11, LIVE_PAGES);
	REQUIRE(!load.refused, "%zu calls failed", load.refused);
	require_packed(&h, 50);
	for (i = load.count; i--;)
		if (load.alloc[i].size > 4 * SMALL)
			free_buffer(h.ctl, i);
	require_packed(&h, 90);
	fill_check(&h.fill);
	fill_check(&h.more);
}

/* Small sizes are more frequent. Nothing is left. Returns the pages allocated. */
static size_t churn(int ctl, size_t nr_ops, size_t max_pages)
{
	size_t total = load.total;

	while (nr_ops--)
		alloc_or_free(ctl, 1UL << rand() % 11 * (rand() % 11) / 10,
			      max_pages);
	REQUIRE(!load.refused, "%zu calls failed", load.refused);
	while (load.count--)
		ctl_free(ctl, &load.alloc[load.count]);
	load.count = 0;
	load.pages = 0;
	return load.total - total;
}

/* Pages that were moved out of the way stay out of the way. */
TEST(settle, "while memory is full, buffers move the same pages only once")
{
	size_t i, total, moved, max_pages, before = area_stat("moved_pages");
	struct fill fill = {};
	int ctl = ctl_open();

	max_pages = ctl_area(ctl).nr_pages / 2;
	fill_memory(&fill, PLACE_SPARE_KB + (max_pages + 2048) * PAGE / 1024);
	srand(3);
	total = churn(ctl, 1000, max_pages);
	moved = area_stat("moved_pages") - before;
	note("the first %zu pages: %zu were moved", total, moved);
	before += moved;
	for (total = 0, i = 0; i < 8; i++)
		total += churn(ctl, 500, max_pages);
	moved = area_stat("moved_pages") - before;
	note("the next %zu pages: %zu were moved", total, moved);
	REQUIRE(moved <= total / 100, "%zu pages were moved again", moved);
	fill_check(&fill);
}
