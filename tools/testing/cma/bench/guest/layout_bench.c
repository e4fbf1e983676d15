// SPDX-License-Identifier: GPL-2.0
/*
 * Time that allocations take from an area that is full of pages of one kind. For
 * each kind one line "# layout KIND seed N pages N in the area ...", then for each
 * size lines "# KIND bench WHAT SIZE COUNT MEAN MIN MAX ..." or "... fails N", and
 * "# moved KIND SIZE N", which has the pages that left the area; times are in ns.
 */
#define TAP_BEGIN layout_modules_begin
#define TAP_END layout_modules_end
#include "tap.h"
#include "guest.h"
#include "layout.h"

/* Bytes that a row allocates, in buffers that are held at once */
static unsigned int buffers(size_t size)
{
	return size <= MIB ? 4 : 2;
}

static void measure(struct layout *l, const char *name, size_t size)
{
	if (layout_made(l, name, layout_fill(l)))
		layout_measure(name, "hold", size, buffers(size));
}

/* Pin the first page from @n on that can be pinned, before @end; its number. */
static unsigned long pin_page(unsigned long n, unsigned long end)
{
	while (n < end && layout_do("pin %lu", n))
		n++;
	return n;
}

/* Spread pins over the pages before @end, behind buffers at the start of the area. */
static void pin_pages(unsigned int count, unsigned long end)
{
	unsigned long first = pin_page(0, end);
	unsigned int i, pins = first < end;

	for (i = 1; i < count; i++)
		pins += pin_page(first + (end - first) / count * i, end) < end;
	note("pins %u", pins);
}

static void with_sizes(enum layout_kind kind)
{
	struct layout l;
	size_t size;

	layout_start(&l, kind);
	for (size = MIB; size <= 16 * MIB; size *= 4)
		measure(&l, layout_names[kind], size);
}

TEST(tmpfs, "area full of tmpfs: everything has to be moved")
{
	with_sizes(LAYOUT_TMPFS);
}

TEST(anon, "area full of mapped anonymous memory")
{
	with_sizes(LAYOUT_ANON);
}

TEST(cache, "area full of clean page cache that is not mapped")
{
	with_sizes(LAYOUT_CACHE);
}

TEST(pinned, "the same, and 16 pages of the front half are pinned")
{
	struct layout l;

	layout_start(&l, LAYOUT_CACHE);
	if (!layout_made(&l, "pinned", layout_fill(&l)))
		return;
	pin_pages(16, layout_pages / 2);
	layout_measure("pinned", "hold", MIB, 4);
	layout_do("unpin");
}

TEST(scan, "full of tmpfs, and a page of each 8 MiB is pinned: 16 MiB cannot be had")
{
	struct layout l;
	char budget[16];

	layout_start(&l, LAYOUT_TMPFS);
	if (!layout_made(&l, "scan", layout_fill(&l)))
		return;
	pin_pages(layout_pages / 2048, layout_pages);
	/* Not how long it waits for somebody to drop the pins; unmodified kernels do not */
	snprintf(budget, sizeof(budget), "%d", DEFAULT_BUDGET_MS);
	write_file(AREA_BUDGET, "0");
	layout_measure("scan", "hold", 16 * MIB, 1);
	write_file(AREA_BUDGET, budget);
	layout_do("unpin");
}
