// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in the middle of the area that are pinned by get_user_pages():
 * allocations avoid them
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

#define OWNER	7

/* Allocate as many buffers of a size as the area and the array have room for. */
static size_t allocate_all(int ctl, size_t size, struct cma_ctl_alloc *alloc,
			   size_t max)
{
	size_t count = 0;
	int ret = 0;

	while (count < max &&
	       !(ret = ctl_alloc(ctl, &alloc[count], size, CMA_CTL_COHERENT)))
		count++;
	REQUIRE(count == max || ret == -ENOMEM, "%s", strerror(-ret));
	return count;
}

static void free_all(int ctl, struct cma_ctl_alloc *alloc, size_t count)
{
	while (count--)
		REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc[count].id), "%s",
			strerror(errno));
}

/* A page of @mem near the middle of the area. */
static char *middle_page(const struct cma_ctl_area *area, char *mem,
			 size_t size)
{
	__u64 middle = area->base_pfn + area->nr_pages / 2;
	__u64 best = ~0ULL;
	char *page = NULL;
	size_t i;

	for (i = 0; i < size; i += PAGE) {
		__u64 pfn = pfn_of(mem + i);
		__u64 away = pfn > middle ? pfn - middle : middle - pfn;

		if (in_area(area, pfn) && away < best) {
			best = away;
			page = mem + i;
		}
	}
	return page;
}

static bool covers(const struct cma_ctl_alloc *alloc, size_t count, __u64 pfn)
{
	while (count--)
		if (pfn >= alloc[count].pfn &&
		    pfn < alloc[count].pfn + alloc[count].size / PAGE)
			return true;
	return false;
}

/*
 * Fill the area with pages of this process, release all but one, and pin that
 * one.
 */
static char *pin_in_area(int ctl, const struct cma_ctl_area *area, __u64 *pfn)
{
	struct cma_ctl_pin pin = {};
	struct ballast ballast;
	char *page;
	size_t i;

	ballast_load(&ballast, 16 * 1024);
	page = middle_page(area, ballast.mem, ballast.size);
	REQUIRE(page, "no page of this process is in the area");
	fill_page(page, OWNER, 0);
	pin.addr = (uintptr_t)page;
	REQUIRE(!ioctl(ctl, CMA_CTL_PIN, &pin), "%s", strerror(errno));
	for (i = 0; i < ballast.size; i += PAGE)
		if (ballast.mem + i != page)
			madvise(ballast.mem + i, PAGE, MADV_DONTNEED);
	REQUIRE(pfn_of(page) == pin.pfn, "page frame %#llx is held, not %#llx",
		(unsigned long long)pin.pfn, (unsigned long long)pfn_of(page));
	*pfn = pin.pfn;
	return page;
}

TEST(around, "allocations avoid a pinned page")
{
	static struct cma_ctl_alloc alloc[1024];
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	size_t without, with, count;
	__u64 pfn;
	char *page;

	without = allocate_all(ctl, MIB, alloc, 1024);
	free_all(ctl, alloc, without);
	page = pin_in_area(ctl, &area, &pfn);
	with = allocate_all(ctl, MIB, alloc, 1024);
	note("1 MiB buffers: %zu without a pinned page, %zu with it", without,
	     with);
	REQUIRE(!covers(alloc, with, pfn), "a buffer contains the held page");
	REQUIRE(with + 2 >= without, "one page took more than two buffers");
	REQUIRE(with < without, "the held page is not in the way of anything");
	REQUIRE(pfn_of(page) == pfn, "the held page was moved");
	REQUIRE(page_right(page, OWNER, 0), "the held page has changed");
	free_all(ctl, alloc, with);

	REQUIRE(!ioctl(ctl, CMA_CTL_UNPIN), "%s", strerror(errno));
	count = allocate_all(ctl, MIB, alloc, 1024);
	REQUIRE(count == without, "%zu buffers afterwards", count);
	REQUIRE(covers(alloc, count, pfn), "the unpinned page was not taken");
	REQUIRE(page_right(page, OWNER, 0), "the moved page has changed");
	free_all(ctl, alloc, count);
}

TEST(quarter, "a quarter of the area is available in one piece despite a pinned page")
{
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	size_t size = area.nr_pages / 4 * PAGE;
	__u64 pfn;
	char *page;
	int ret;

	page = pin_in_area(ctl, &area, &pfn);
	ret = ctl_alloc(ctl, &alloc, size, CMA_CTL_COHERENT);
	REQUIRE(!ret, "a quarter of the area: %s", strerror(-ret));
	REQUIRE(!covers(&alloc, 1, pfn), "it contains the held page");
	REQUIRE(pfn_of(page) == pfn, "the held page was moved");
	REQUIRE(page_right(page, OWNER, 0), "the held page has changed");
}

/* The pin holds the last reference: the page is free when it is dropped. */
TEST(exit_held, "a pinned page whose process has exited is free after the pin")
{
	static struct cma_ctl_alloc alloc[1024];
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	size_t without, count;
	__u64 pfn;
	char *page;

	without = allocate_all(ctl, MIB, alloc, 1024);
	free_all(ctl, alloc, without);
	page = pin_in_area(ctl, &area, &pfn);
	REQUIRE(!madvise(page, PAGE, MADV_DONTNEED), "%s", strerror(errno));
	count = allocate_all(ctl, MIB, alloc, 1024);
	REQUIRE(!covers(alloc, count, pfn), "a buffer contains the held page");
	free_all(ctl, alloc, count);
	REQUIRE(!ioctl(ctl, CMA_CTL_UNPIN), "%s", strerror(errno));
	count = allocate_all(ctl, MIB, alloc, 1024);
	REQUIRE(count == without, "%zu buffers, %zu before", count, without);
	free_all(ctl, alloc, count);
}
