// SPDX-License-Identifier: GPL-2.0
/*
 * Allocate buffers from an area that is full of pages of others, and check that
 * not one byte of those pages changes
 *
 * Each test first takes all memory outside of the area, so that the pages that it
 * creates have to go into the area. It counts them there, and takes the rest of
 * the area, too. Then it releases some memory outside of the area for pages to
 * move to, allocates buffers of 1 to 16 MiB one after the other, requests exactly
 * the ranges that its pages are in, and compares every byte after each step.
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"
#include "place.h"

#include <sys/mount.h>
#include <sys/vfs.h>

#define TMPFS_MAGIC	0x01021994
#define EXT2_MAGIC	0xef53
#define OWNER		11

/* Free memory outside of the area, to create the pages and to move them to. */
#define SPARE_KB	(12 * 1024)
#define ROOM_KB		(28 * 1024)

static const size_t mibs[] = { 1, 2, 3, 4, 6, 8, 12, 16 };

/* The pages of a test, and where they have to be. */
struct pages {
	int ctl;
	struct cma_ctl_area area;
	struct ballast ballast;
	struct ballast plug;	/* in the rest of the area */
	char *mem;
	size_t size;
	int fd;			/* of the file that they are from, or -1 */
	__u64 *pfns;		/* where they were at first */
};

/* Call before creating pages: what is free after it is free in the area. */
static void begin(struct pages *pages, size_t size)
{
	size_t room;

	pages->ctl = ctl_open();
	pages->area = ctl_area(pages->ctl);
	pages->fd = -1;
	ballast_load(&pages->ballast, SPARE_KB);
	room = ballast_leave_area(&pages->ballast, &pages->area) * PAGE;
	REQUIRE(room >= 8 * MIB, "only %zu bytes of the area can be filled",
		room);
	pages->size = size < room / 4 * 3 ? size : room / 4 * 3;
	pages->size &= ~(PAGE - 1);
}

/* Call after creating pages: enough of them have to be in the area. */
static void made(struct pages *pages)
{
	size_t count = pages_in_area(&pages->area, pages->mem, pages->size);

	note("%zu of %zu pages are in the area", count, pages->size / PAGE);
	REQUIRE(count >= pages->size / PAGE / 2, "too few are in the area");
	pages->pfns = malloc(pages->size / PAGE * sizeof(*pages->pfns));
	REQUIRE(pages->pfns, "no memory");
	pfns_of(pages->mem, pages->pfns, pages->size / PAGE);
	ballast_load(&pages->plug, SPARE_KB);
	ballast_drop(&pages->ballast, &pages->area, ROOM_KB);
}

/* The number of pages that were in the area and are elsewhere now. */
static size_t moved(const struct pages *pages)
{
	__u64 batch[PFN_BATCH];
	size_t count = 0;
	size_t i;

	for (i = 0; i < pages->size / PAGE; i++)
		count += pfn_at(pages->mem, i, batch) != pages->pfns[i] &&
			 in_area(&pages->area, pages->pfns[i]);
	return count;
}

/* Take and return the ranges, 64 pages each, that the pages are still in. */
static void evict(const struct pages *pages)
{
	struct cma_ctl_range range = {
		.what = CMA_CTL_RANGE_PFN, .nr_pages = 64
	};
	size_t busy = 0;
	size_t i;

	for (i = 0; i < pages->size / PAGE; i++) {
		if (!in_area(&pages->area, pages->pfns[i]) ||
		    pfn_of(pages->mem + i * PAGE) != pages->pfns[i])
			continue;
		range.pfn = pages->pfns[i] & ~63ULL;
		REQUIRE(!ioctl(pages->ctl, CMA_CTL_RANGE, &range), "%s",
			strerror(errno));
		/* a driver may use a page next to it */
		REQUIRE(!range.ret || range.ret == -EBUSY, "range %#llx: %d",
			(unsigned long long)range.pfn, range.ret);
		busy += !!range.ret;
	}
	note("%zu pages were moved in the end, %zu ranges were busy",
	     moved(pages), busy);
	REQUIRE(busy <= pages->size / PAGE / 50, "too many busy ranges");
}

static void right(const struct pages *pages, const void *mem, const char *what)
{
	long wrong = first_wrong(mem, pages->size, OWNER);

	REQUIRE(wrong < 0, "%s: page %ld is not what it was", what, wrong);
}

/* A buffer of each size; after each, @check looks at the pages. */
static void allocate(struct pages *pages, void (*check)(struct pages *pages))
{
	struct cma_ctl_alloc alloc;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(mibs); i++) {
		if (mibs[i] * MIB / PAGE > pages->area.nr_pages / 2)
			break;
		ret = ctl_alloc(pages->ctl, &alloc, mibs[i] * MIB,
				CMA_CTL_COHERENT);
		REQUIRE(!ret, "%zu MiB: %s", mibs[i], strerror(-ret));
		REQUIRE(in_area(&pages->area, alloc.pfn), "%zu MiB at %#llx",
			mibs[i], (unsigned long long)alloc.pfn);
		REQUIRE(!alloc.nonzero, "%zu MiB: %u bytes are not zero",
			mibs[i], alloc.nonzero);
		ioctl(pages->ctl, CMA_CTL_FILL, alloc.id);
		check(pages);
		REQUIRE(!ioctl(pages->ctl, CMA_CTL_CHECK, alloc.id),
			"%zu MiB: another user wrote to the buffer", mibs[i]);
		REQUIRE(!ioctl(pages->ctl, CMA_CTL_FREE, alloc.id), "%s",
			strerror(errno));
	}
	check(pages);
	note("%zu pages were moved", moved(pages));
	evict(pages);
	check(pages);
	REQUIRE(moved(pages) >= pages->size / PAGE / 4, "too few were moved");
}

static void check_mem(struct pages *pages)
{
	right(pages, pages->mem, "memory");
}

TEST(anon, "anonymous memory keeps its contents")
{
	struct pages pages;

	begin(&pages, ~0UL);
	pages.mem = map_anon(pages.size);
	REQUIRE(pages.mem, "no address space");
	fill_pages(pages.mem, pages.size, OWNER);
	made(&pages);
	allocate(&pages, check_mem);
}

TEST(locked, "mlock()ed memory keeps its contents")
{
	struct pages pages;

	begin(&pages, 32 * MIB);
	pages.mem = map_anon(pages.size);
	REQUIRE(pages.mem, "no address space");
	REQUIRE(!mlock(pages.mem, pages.size), "mlock: %s", strerror(errno));
	fill_pages(pages.mem, pages.size, OWNER);
	made(&pages);
	allocate(&pages, check_mem);
}

/* A child with a private copy of every second page; it checks them when told to. */
static struct child {
	int ask;
	int answer;
	pid_t pid;
} child;

static void child_main(struct pages *pages, int ask, int answer)
{
	size_t i;
	char c;

	for (i = 0; i < pages->size / PAGE; i += 2)
		fill_page(pages->mem + i * PAGE, OWNER + 1, i);
	c = 1;
	while (write(answer, &c, 1) == 1 && read(ask, &c, 1) == 1) {
		c = 1;
		for (i = 0; i < pages->size / PAGE; i++)
			if (!page_right(pages->mem + i * PAGE,
					i % 2 ? OWNER : OWNER + 1, i))
				c = 0;
	}
	_exit(0);
}

static void check_forked(struct pages *pages)
{
	char c = 0;

	check_mem(pages);
	REQUIRE(write(child.ask, &c, 1) == 1, "the child is gone");
	REQUIRE(read(child.answer, &c, 1) == 1, "the child is gone");
	REQUIRE(c == 1, "the child's memory is not what it was");
}

TEST(forked, "copy-on-write memory of parent and child keeps its contents")
{
	struct pages pages;
	int ask[2], answer[2];
	char c;

	/* the child's copies need memory, too */
	begin(&pages, 24 * MIB);
	pages.mem = map_anon(pages.size);
	REQUIRE(pages.mem, "no address space");
	fill_pages(pages.mem, pages.size, OWNER);
	REQUIRE(!pipe(ask) && !pipe(answer), "pipe: %s", strerror(errno));
	child.pid = fork();
	REQUIRE(child.pid >= 0, "fork: %s", strerror(errno));
	if (!child.pid) {
		close(ask[1]);
		close(answer[0]);
		child_main(&pages, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	child.ask = ask[1];
	child.answer = answer[0];
	REQUIRE(read(child.answer, &c, 1) == 1, "the child is gone");
	made(&pages);
	allocate(&pages, check_forked);
	close(child.ask);
	REQUIRE(waitpid(child.pid, NULL, 0) == child.pid, "%s",
		strerror(errno));
}

/* The directory where a file system of this type is mounted, or skip. */
static const char *mounted(const char *dir, long magic, const char *what)
{
	struct statfs fs;

	if (statfs(dir, &fs) || (long)fs.f_type != magic)
		skip("no %s on %s", what, dir);
	return dir;
}

/* A new file without a name. */
static int new_file(const char *dir)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/pressure-XXXXXX", dir);
	fd = mkstemp(path);
	REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	unlink(path);
	return fd;
}

static void fit_disk(struct pages *pages, const char *dir)
{
	struct statfs fs;
	size_t room;

	REQUIRE(!statfs(dir, &fs), "%s", strerror(errno));
	room = (size_t)fs.f_bavail * fs.f_bsize / 4 * 3 & ~(PAGE - 1);
	if (room < 2 * MIB)
		skip("%s has no room", dir);
	if (pages->size > room)
		pages->size = room;
}

static void write_pages(const struct pages *pages)
{
	char page[PAGE];
	size_t i;

	for (i = 0; i < pages->size / PAGE; i++) {
		fill_page(page, OWNER, i);
		REQUIRE(pwrite(pages->fd, page, PAGE, i * PAGE) == (ssize_t)PAGE,
			"write: %s", strerror(errno));
	}
}

static void check_file(struct pages *pages)
{
	char page[PAGE];
	size_t i;

	for (i = 0; i < pages->size / PAGE; i++) {
		REQUIRE(pread(pages->fd, page, PAGE, i * PAGE) == (ssize_t)PAGE,
			"read: %s", strerror(errno));
		REQUIRE(page_right(page, OWNER, i),
			"page %zu of the file is not what it was", i);
	}
}

/* Map the file and touch each page, so that pagemap shows where it is. */
static void map_file(struct pages *pages, int flags)
{
	size_t i, sum = 0;

	pages->mem = mmap(NULL, pages->size, PROT_READ | PROT_WRITE, flags,
			  pages->fd, 0);
	REQUIRE(pages->mem != MAP_FAILED, "mmap: %s", strerror(errno));
	for (i = 0; i < pages->size; i += PAGE)
		sum += pages->mem[i];
	__asm__ volatile("" : : "r" (sum));
}

/* Write it back and read it from the disk, not from memory. */
static void check_disk(struct pages *pages)
{
	munmap(pages->mem, pages->size);
	REQUIRE(!fsync(pages->fd), "fsync: %s", strerror(errno));
	REQUIRE(!write_file("/proc/sys/vm/drop_caches", "1"), "drop_caches");
	check_file(pages);
}

static void check_mem_and_file(struct pages *pages)
{
	check_mem(pages);
	check_file(pages);
}

TEST(tmpfs, "files on tmpfs keep their contents")
{
	const char *dir = mounted("/tmp", TMPFS_MAGIC, "tmpfs");
	struct pages pages;

	begin(&pages, 40 * MIB);
	fit_disk(&pages, dir);
	pages.fd = new_file(dir);
	write_pages(&pages);
	map_file(&pages, MAP_SHARED);
	made(&pages);
	allocate(&pages, check_mem_and_file);
}

TEST(written, "files just written to a disk keep their contents")
{
	const char *dir = mounted("/mnt", EXT2_MAGIC, "ext2");
	struct pages pages;

	begin(&pages, 12 * MIB);
	fit_disk(&pages, dir);
	pages.fd = new_file(dir);
	write_pages(&pages);
	map_file(&pages, MAP_SHARED);
	made(&pages);
	allocate(&pages, check_mem_and_file);
	check_disk(&pages);
}

TEST(shared, "MAP_SHARED pages of a disk keep their contents, and reach it")
{
	const char *dir = mounted("/mnt", EXT2_MAGIC, "ext2");
	struct pages pages;

	begin(&pages, 12 * MIB);
	fit_disk(&pages, dir);
	pages.fd = new_file(dir);
	REQUIRE(!ftruncate(pages.fd, pages.size), "%s", strerror(errno));
	map_file(&pages, MAP_SHARED);
	fill_pages(pages.mem, pages.size, OWNER);
	made(&pages);
	allocate(&pages, check_mem);
	check_disk(&pages);
}

/* Even pages are the file's, odd ones are private copies. */
static void check_private(struct pages *pages)
{
	size_t i;

	for (i = 0; i < pages->size / PAGE; i++)
		REQUIRE(page_right(pages->mem + i * PAGE,
				   i % 2 ? OWNER + 1 : OWNER, i),
			"page %zu is not what it was", i);
}

TEST(private, "MAP_PRIVATE pages of a disk and their file keep their contents")
{
	const char *dir = mounted("/mnt", EXT2_MAGIC, "ext2");
	struct pages pages;
	size_t i;

	begin(&pages, 8 * MIB);
	fit_disk(&pages, dir);
	pages.fd = new_file(dir);
	write_pages(&pages);
	REQUIRE(!fsync(pages.fd), "fsync: %s", strerror(errno));
	map_file(&pages, MAP_PRIVATE);
	for (i = 1; i < pages.size / PAGE; i += 2)
		fill_page(pages.mem + i * PAGE, OWNER + 1, i);
	made(&pages);
	allocate(&pages, check_private);
	check_disk(&pages);
}

/* Clean pages may be dropped instead of moved: they come from the disk again. */
TEST(clean, "clean pages of a disk are dropped or moved, and keep their contents")
{
	const char *dir = mounted("/mnt", EXT2_MAGIC, "ext2");
	struct pages pages;

	begin(&pages, 8 * MIB);
	fit_disk(&pages, dir);
	pages.fd = new_file(dir);
	write_pages(&pages);
	REQUIRE(!fsync(pages.fd), "fsync: %s", strerror(errno));
	REQUIRE(!write_file("/proc/sys/vm/drop_caches", "1"), "drop_caches");
	check_file(&pages);
	map_file(&pages, MAP_SHARED);
	made(&pages);
	munmap(pages.mem, pages.size);
	pages.mem = mmap(NULL, pages.size, PROT_READ, MAP_SHARED, pages.fd, 0);
	REQUIRE(pages.mem != MAP_FAILED, "mmap: %s", strerror(errno));
	allocate(&pages, check_mem_and_file);
}

TEST(fill, "page cache and process memory use the area while no driver does")
{
	struct ballast ballast;
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	long cma_free = meminfo_kb("CmaFree");
	size_t count;

	ballast_load(&ballast, SPARE_KB);
	count = pages_in_area(&area, ballast.mem, ballast.size);
	note("%zu of %zu pages are in the area, which had %ld KiB free", count,
	     ballast.size / PAGE, cma_free);
	REQUIRE(count * 4 >= (size_t)cma_free / 4 * 3,
		"three quarters of the area are not in use");
}

/* Fill free memory with page cache of a hole, each page of which is read so often. */
static void read_hole(size_t size, unsigned int times)
{
	int fd = new_file(mounted("/mnt", EXT2_MAGIC, "ext2"));
	char page[PAGE];
	unsigned int n;
	size_t i;

	REQUIRE(!ftruncate(fd, size), "%s", strerror(errno));
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (n = 0; n < times; n++)
		for (i = 0; i < size; i += PAGE)
			REQUIRE(pread(fd, page, PAGE, i) == (ssize_t)PAGE,
				"read: %s", strerror(errno));
}

/* What became of the page cache in a buffer of 16 MiB. */
static void take_cache(long spare_kb, unsigned int times, size_t *moved,
		       size_t *dropped)
{
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();

	write_file("/proc/sys/vm/drop_caches", "3");
	read_hole((meminfo_kb("MemFree") - spare_kb) / 4 * PAGE, times);
	*moved = area_stat("moved_pages");
	*dropped = area_stat("dropped_pages");
	REQUIRE(!ctl_alloc(ctl, &alloc, 16 * MIB, CMA_CTL_COHERENT), "16 MiB");
	*moved = area_stat("moved_pages") - *moved;
	*dropped = area_stat("dropped_pages") - *dropped;
	note("%zu pages were dropped, %zu moved", *dropped, *moved);
}

TEST(read_once, "page cache that was read once is dropped, not moved")
{
	size_t moved, dropped;

	take_cache(0, 1, &moved, &dropped);
	REQUIRE(dropped > 9 * moved, "%zu pages were moved", moved);
}

TEST(read_twice, "page cache that was read twice is moved, not dropped")
{
	size_t moved, dropped;

	/* About half of it is in the area, which is less than a buffer */
	take_cache(24 * 1024, 2, &moved, &dropped);
	REQUIRE(moved > 9 * dropped, "%zu pages were dropped", dropped);
}
