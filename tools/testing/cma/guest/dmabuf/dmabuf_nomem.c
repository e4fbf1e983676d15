// SPDX-License-Identifier: GPL-2.0
/*
 * Let every allocation of the kernel fail once: each operation of a program or a
 * device on a buffer either works or fails with ENOMEM, and nothing leaks
 *
 * For each amount of memory a process performs all operations. Once it has used up
 * that amount, one allocation fails, or all of them do. The kernel injects failures
 * (CONFIG_FAULT_INJECTION) only into the calls under test.
 */
#define TAP_BEGIN importer_begin
#define TAP_END importer_end

#include "tap.h"
#include "guest.h"
#include "faults.h"
#include "heap.h"
#include "importer.h"

#define SIZE	(256 * 1024)

enum step { ALLOC, NAME, MMAP, ATTACH, MAP, MOVE, FD, NR_STEPS };

static const char *const step_names[NR_STEPS] = {
	"alloc", "name", "mmap", "attach", "map", "move", "fd",
};

/* How often each step failed, over all processes. */
static unsigned int *failures;

/* Check what a step returned: success or ENOMEM. */
static bool worked(enum step step, int ret)
{
	inject(false);
	if (ret >= 0)
		return true;
	REQUIRE(ret == -ENOMEM || (step == ALLOC && ret == -ENFILE), "%s: %s",
		step_names[step], strerror(-ret));
	failures[step]++;
	return false;
}

#define STEP(step, call) (inject(true), worked(step, call))

static int alloc(int heap, int *fd)
{
	*fd = heap_alloc(heap, SIZE, O_RDWR);
	return *fd;
}

static int copy_fd(int dev, int fd, int *copy)
{
	*copy = dev_call(dev, IMPORTER_FD, fd);
	return *copy;
}

static int set_name(int fd)
{
	return ioctl(fd, DMA_BUF_SET_NAME_A, "name") ? -errno : 0;
}

static int map_all(int fd, char **mem)
{
	*mem = map_part(fd, 0, SIZE);
	return *mem ? 0 : -errno;
}

/* A device uses a buffer that a process has filled. */
static void use_device(int dev, int fd, enum step map)
{
	if (!STEP(ATTACH, dev_attach(dev, fd)))
		return;
	if (STEP(map, dev_map(dev, IMPORTER_READ, NULL)))
		REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
	REQUIRE(!dev_detach(dev), "%s", strerror(errno));
}

/* Every operation on a buffer; its contents have to be right afterwards. */
static void use_buffer(void *arg)
{
	int dev = new_device(), strict = new_strict_device();
	int heap = *(int *)arg, fd, copy;
	char *mem;

	faults_open();

	if (!STEP(ALLOC, alloc(heap, &fd)))
		return;
	STEP(NAME, set_name(fd));
	if (!STEP(MMAP, map_all(fd, &mem)))
		return use_device(dev, fd, MAP);
	fill_pages(mem, SIZE, 5);
	use_device(dev, fd, MAP);
	if (STEP(FD, copy_fd(dev, fd, &copy)))
		close(copy);
	munmap(mem, SIZE);
	use_device(strict, fd, MOVE);

	mem = map_buffer(fd, SIZE);
	REQUIRE(first_wrong(mem, SIZE, 5) < 0, "page %ld has other bytes",
		first_wrong(mem, SIZE, 5));
}

static void use_with_space(const char *kind, int heap, long space, int times)
{
	set_fault(kind, "space", space);
	set_fault(kind, "times", times);
	tap_join(tap_start(use_buffer, &heap));
}

/* Try increasing amounts of memory, up to one with which nothing fails. */
static void fail_each(const char *kind, int heap, int step)
{
	struct totals before = totals_now();
	long space, end = 0;

	faults_begin(kind);
	do {
		end += step;
		REQUIRE(end < 50000, "there is no end");
		use_with_space(kind, heap, end, 1);
	} while (!is_unused(kind));
	for (space = 0; space < end; space += step)
		use_with_space(kind, heap, space, -1);
	set_fault(kind, "times", 0);
	require_totals(&before);
	note("%s: %s: until %ld", tap_about, kind, end);
}

static void note_failures(void)
{
	unsigned int i;

	for (i = 0; i < NR_STEPS; i++)
		note("%s failed %u times", step_names[i], failures[i]);
}

static void share_failures(void)
{
	failures = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(failures != MAP_FAILED, "%s", strerror(errno));
}

static void fail_slab(int heap)
{
	/* no slab object is smaller */
	fail_each("failslab", heap, 8);
}

TEST(nomem_slab, "every slab allocation fails once, and nothing leaks")
{
	share_failures();
	each_heap(fail_slab);
	note_failures();
	REQUIRE(failures[ALLOC] && failures[NAME] && failures[MMAP] &&
		failures[ATTACH] && failures[MAP], "some step never failed");
}

static void fail_pages(int heap)
{
	fail_each("fail_page_alloc", heap, 1);
}

TEST(nomem_pages, "every page allocation fails once, and nothing leaks")
{
	share_failures();
	each_heap(fail_pages);
	note_failures();
	REQUIRE(failures[MMAP] && failures[MAP], "no step ever failed");
}
