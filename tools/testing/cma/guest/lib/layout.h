/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fill the default area with pages of one kind, through the module cma_layout, and
 * measure allocations from it, through the module cma_bench. Include tap.h and
 * guest.h first.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <dirent.h>
#include <sys/mount.h>

#define LAYOUT_FILE	"/sys/kernel/debug/cma_layout"
#define LAYOUT_SEED	1
/* More pages than the kernel keeps on its lists for one CPU */
#define LAYOUT_EXTRA	512
#define LAYOUT_ROUNDS	4

enum layout_kind {
	LAYOUT_TMPFS,		/* has to be moved: there is no swap */
	LAYOUT_ANON,		/* has to be moved, and is mapped */
	LAYOUT_CACHE,		/* page cache of a file on a disk, clean and not mapped */
};

static const char *const layout_names[] = { "tmpfs", "anon", "cache" };

struct layout {
	enum layout_kind kind;
	unsigned long next;	/* index of the next page in the file or memory */
	char *mem;
	int fd;
};

/* Pages of the area: in all, and of each kind */
struct layout_count {
	unsigned long pages, free, kind[3], file, other, kept;
};

static unsigned long layout_pages;	/* of the area */

/* 0, or a negative errno */
static int layout_do(const char *fmt, ...)
{
	static int fd = -1;
	static pid_t owner;
	char command[64];
	va_list args;
	int len;

	if (owner != getpid()) {
		fd = open(LAYOUT_FILE, O_WRONLY | O_CLOEXEC);
		owner = getpid();
	}
	va_start(args, fmt);
	len = vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return write(fd, command, len) == len ? 0 : -errno;
}

static struct layout_count layout_count(void)
{
	struct layout_count c = { .pages = layout_pages };
	char text[512];

	read_file(LAYOUT_FILE, text, sizeof(text));
	REQUIRE(sscanf(text, "free %lu tmpfs %lu anon %lu cache %lu file %lu other %lu kept %lu",
		       &c.free, &c.kind[0], &c.kind[1], &c.kind[2], &c.file,
		       &c.other, &c.kept) == 7, "cma_layout shows: %s", text);
	return c;
}

/* A number in a file of an area's directory in debugfs; 0 if there is none */
static unsigned long layout_number(const char *area, const char *file)
{
	char path[512], text[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/cma/%s/%s", area, file);
	read_file(path, text, sizeof(text));
	return strtoul(text, NULL, 0);
}

/* Tell the module where the largest area is, which is the default area. */
static void layout_begin(void)
{
	DIR *dir = opendir("/sys/kernel/debug/cma");
	struct dirent *entry;
	unsigned long base = 0, count;
	int error;

	while (dir && (entry = readdir(dir))) {
		count = layout_number(entry->d_name, "count");
		if (count <= layout_pages)
			continue;
		layout_pages = count;
		base = layout_number(entry->d_name, "base_pfn");
	}
	if (dir)
		closedir(dir);
	REQUIRE(layout_pages, "there is no area in debugfs");
	error = layout_do("area %lu %lu", base, layout_pages);
	REQUIRE(!error, "area at %lu: %s", base, strerror(-error));
}

static void layout_open(struct layout *l, enum layout_kind kind)
{
	size_t size = 2 * (layout_pages + LAYOUT_ROUNDS * LAYOUT_EXTRA) * PAGE;

	memset(l, 0, sizeof(*l));
	l->kind = kind;
	if (kind == LAYOUT_ANON) {
		l->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			      MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		REQUIRE(l->mem != MAP_FAILED, "mmap: %s", strerror(errno));
		return;
	}
	if (kind == LAYOUT_TMPFS) {
		mkdir("/tmp/layout", 0700);
		REQUIRE(!mount("tmpfs", "/tmp/layout", "tmpfs", 0, "size=100%"),
			"mount: %s", strerror(errno));
		l->fd = open("/tmp/layout/file", O_RDWR | O_CREAT, 0600);
		umount2("/tmp/layout", MNT_DETACH);
	} else {
		/* Reading a hole gives page cache without waiting for the disk */
		l->fd = open("/mnt/hole", O_RDWR | O_CREAT | O_TRUNC, 0600);
		REQUIRE(!ftruncate(l->fd, size), "%s", strerror(errno));
		posix_fadvise(l->fd, 0, 0, POSIX_FADV_RANDOM);
	}
	REQUIRE(l->fd >= 0, "open: %s", strerror(errno));
}

/* Cause the kernel to allocate one more page of the kind. */
static void layout_page(struct layout *l)
{
	static char page[4096] = { 1 };
	size_t offset = l->next++ * PAGE;
	ssize_t ret = PAGE;

	switch (l->kind) {
	case LAYOUT_TMPFS:
		ret = pwrite(l->fd, page, PAGE, offset);
		break;
	case LAYOUT_ANON:
		l->mem[offset] = 1;
		break;
	case LAYOUT_CACHE:
		ret = pread(l->fd, page, PAGE, offset);
		break;
	}
	REQUIRE(ret == (ssize_t)PAGE, "page %lu: %s", l->next, strerror(errno));
}

static void empty_caches(void)
{
	sync();
	write_file("/proc/sys/vm/drop_caches", "3");
}

/*
 * Use all free pages of the area for pages of the kind. Pages that a list for the
 * CPU holds back are found by allocating a few more than fit.
 */
static bool layout_fill(struct layout *l)
{
	unsigned int round, i;
	int error;

	for (round = 0; round < LAYOUT_ROUNDS; round++) {
		error = layout_do("take %u", LAYOUT_SEED + round);
		REQUIRE(!error, "take: %s", strerror(-error));
		while (!layout_do("give"))
			layout_page(l);
		layout_do("drop");
		for (i = 0; i < LAYOUT_EXTRA && layout_count().free; i += 64)
			for (unsigned int n = 0; n < 64; n++)
				layout_page(l);
		if (!layout_count().free)
			return true;
	}
	return false;
}

/* Say what the area holds; false if that is not what was wanted. */
static bool layout_made(const struct layout *l, const char *name, bool full)
{
	struct layout_count c = layout_count();

	note("layout %s seed %u pages %lu in the area (of %lu; free %lu, others %lu, buffers %lu)%s",
	     name, LAYOUT_SEED, c.kind[l->kind], c.pages, c.free,
	     c.kind[0] + c.kind[1] + c.kind[2] - c.kind[l->kind] + c.file,
	     c.other, full ? "" : " not made");
	return full;
}

static unsigned long layout_sum(const struct layout_count *c)
{
	return c->kind[0] + c->kind[1] + c->kind[2] + c->file;
}

/* An area that is not in use, and nothing in the page cache */
static void layout_start(struct layout *l, enum layout_kind kind)
{
	empty_caches();
	layout_begin();
	layout_open(l, kind);
}

static void layout_bench(const char *mode, size_t size, unsigned int count)
{
	char text[64];
	int error;

	snprintf(text, sizeof(text), "%s %zu %u", mode, size, count);
	error = write_file("/sys/kernel/debug/cma_bench", text);
	REQUIRE(!error, "%s: %s", text, strerror(-error));
}

/* Measure for a layout; the number of pages that left the area meanwhile. */
static unsigned long layout_moved(const char *mode, size_t size, unsigned int count)
{
	struct layout_count before = layout_count(), after;

	layout_bench(mode, size, count);
	after = layout_count();
	return layout_sum(&before) - layout_sum(&after);
}

/* The same; print all figures. */
static void layout_measure(const char *name, const char *mode, size_t size,
			   unsigned int count)
{
	unsigned long moved = layout_moved(mode, size, count);
	char text[512], *line, *next;

	read_file("/sys/kernel/debug/cma_bench", text, sizeof(text));
	for (line = strtok_r(text, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next))
		note("%s %s", name, line);
	note("moved %s %zu %lu", name, size, moved);
}

/*
 * The same for a plot: a line "# plot WHAT VALUE PAGES bench WHAT SIZE COUNT MEAN ...";
 * PAGES were moved, times are in ns.
 */
static void layout_point(const char *what, unsigned long value, const char *mode,
			 size_t size, unsigned int count)
{
	unsigned long moved = layout_moved(mode, size, count);
	char text[512];

	read_file("/sys/kernel/debug/cma_bench", text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	note("plot %s %lu %lu %s", what, value, moved, text);
}

/* Buffers that are held at once: a quarter of the area, but not more than 16 */
static unsigned int layout_buffers(size_t size)
{
	size_t count = layout_pages * PAGE / 4 / size;

	return count > 16 ? 16 : count ? count : 1;
}

static void layout_modules_begin(void)
{
	module_begin("cma_bench");
	module_begin("cma_layout");
}

static void layout_modules_end(void)
{
	module_end("cma_layout");
	module_end("cma_bench");
}

#endif
