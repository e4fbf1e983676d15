// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel shows of its areas: debugfs, sysfs, /proc and tracepoints
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

#include <dirent.h>

#define TRACING	"/sys/kernel/debug/tracing/"

static void need(const char *path)
{
	if (meminfo_kb("CmaTotal") <= 0)
		skip("no contiguous memory areas");
	if (access(path, F_OK))
		skip("the kernel has no %s", path);
}

static unsigned long file_number(const char *path)
{
	char text[64], *end;
	unsigned long value;

	read_file(path, text, sizeof(text));
	value = strtoul(text, &end, 10);
	REQUIRE(end != text && *end == '\n', "%s: \"%s\"", path, text);
	return value;
}

static int write_number(const char *path, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu\n", value);
	return write_file(path, text);
}

static unsigned int bits_in_bitmap(void)
{
	static char text[65536];
	unsigned int count = 0;
	char *next = text;
	char *end;

	read_file(AREA "bitmap", text, sizeof(text));
	for (;;) {
		unsigned long word = strtoul(next, &end, 10);

		if (end == next)
			break;
		count += __builtin_popcountl(word);
		next = end;
	}
	return count;
}

/* A call that fails: the whole area is not available once a page is used. */
static unsigned long fail_to_allocate(void)
{
	unsigned long count = file_number(AREA "count");
	int ret;

	REQUIRE(!write_number(AREA "alloc", 1), "alloc");
	ret = write_number(AREA "alloc", count);
	REQUIRE(ret == -ENOMEM, "%lu pages: %s", count, strerror(-ret));
	REQUIRE(!write_number(AREA "free", 1), "free");
	return count;
}

TEST(debug_numbers, "debugfs shows the place and the size of the area")
{
	int ctl = ctl_open();
	struct cma_ctl_area area;

	need(AREA);
	area = ctl_area(ctl);
	REQUIRE(file_number(AREA "count") == area.nr_pages, "count is %lu",
		file_number(AREA "count"));
	REQUIRE(file_number(AREA "base_pfn") == area.base_pfn,
		"base_pfn is %lu", file_number(AREA "base_pfn"));
	REQUIRE(file_number(AREA "order_per_bit") == 0, "order_per_bit is %lu",
		file_number(AREA "order_per_bit"));
	REQUIRE(bits_in_bitmap() == file_number(AREA "used"),
		"%u bits, %lu used", bits_in_bitmap(),
		file_number(AREA "used"));
}

TEST(debug_alloc, "debugfs alloc takes pages, and free returns them")
{
	unsigned long used, chunk;

	need(AREA);
	used = file_number(AREA "used");
	chunk = file_number(AREA "maxchunk");
	REQUIRE(!write_number(AREA "alloc", 100), "alloc");
	REQUIRE(file_number(AREA "used") == used + 100, "%lu used, then %lu",
		used, file_number(AREA "used"));
	REQUIRE(bits_in_bitmap() == used + 100, "%u bits", bits_in_bitmap());
	REQUIRE(!write_number(AREA "alloc", 50), "alloc");
	REQUIRE(!write_number(AREA "free", 120), "free");
	REQUIRE(file_number(AREA "used") == used + 30, "%lu used, then %lu",
		used, file_number(AREA "used"));
	REQUIRE(!write_number(AREA "free", 30), "free");
	REQUIRE(file_number(AREA "used") == used, "%lu used, then %lu", used,
		file_number(AREA "used"));
	REQUIRE(file_number(AREA "maxchunk") == chunk, "maxchunk %lu, now %lu",
		chunk, file_number(AREA "maxchunk"));
}

TEST(debug_chunk, "maxchunk pages can be allocated, and not one page more")
{
	unsigned long chunk;
	int ret;

	need(AREA);
	chunk = file_number(AREA "maxchunk");
	ret = write_number(AREA "alloc", chunk + 1);
	REQUIRE(ret == -ENOMEM, "maxchunk + 1: %s", strerror(-ret));
	ret = write_number(AREA "alloc", chunk);
	REQUIRE(!ret, "maxchunk: %s", strerror(-ret));
	REQUIRE(file_number(AREA "maxchunk") < chunk, "maxchunk is still %lu",
		chunk);
	REQUIRE(!write_number(AREA "free", chunk), "free");
	REQUIRE(file_number(AREA "maxchunk") == chunk, "maxchunk is %lu",
		file_number(AREA "maxchunk"));
}

TEST(sysfs, "sysfs counts pages of successful and failed calls, and releases")
{
	unsigned long success, fail, released, free_pages, count;

	need(AREA);
	need(AREA_SYSFS);
	success = file_number(AREA_SYSFS "alloc_pages_success");
	fail = file_number(AREA_SYSFS "alloc_pages_fail");
	released = file_number(AREA_SYSFS "release_pages_success");
	free_pages = file_number(AREA_SYSFS "available_pages");
	REQUIRE(file_number(AREA_SYSFS "total_pages") == file_number(AREA "count"),
		"total_pages is %lu", file_number(AREA_SYSFS "total_pages"));

	REQUIRE(!write_number(AREA "alloc", 33), "alloc");
	REQUIRE(file_number(AREA_SYSFS "available_pages") == free_pages - 33,
		"available_pages %lu, then %lu", free_pages,
		file_number(AREA_SYSFS "available_pages"));
	REQUIRE(!write_number(AREA "free", 33), "free");
	count = fail_to_allocate();

	success = file_number(AREA_SYSFS "alloc_pages_success") - success;
	fail = file_number(AREA_SYSFS "alloc_pages_fail") - fail;
	released = file_number(AREA_SYSFS "release_pages_success") - released;
	REQUIRE(success == 34, "success went up by %lu", success);
	REQUIRE(fail == count, "fail went up by %lu", fail);
	REQUIRE(released == 34, "released went up by %lu", released);
	REQUIRE(file_number(AREA_SYSFS "available_pages") == free_pages,
		"available_pages is %lu", file_number(AREA_SYSFS "available_pages"));
}

TEST(meminfo, "CmaTotal is the size of all areas, CmaFree is nr_free_cma")
{
	unsigned long pages = 0;
	char path[320];
	struct dirent *entry;
	DIR *dir;

	need(AREA);
	dir = opendir("/sys/kernel/debug/cma");
	REQUIRE(dir, "%s", strerror(errno));
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/debug/cma/%s/count",
			 entry->d_name);
		pages += file_number(path);
	}
	closedir(dir);
	REQUIRE(meminfo_kb("CmaTotal") == (long)pages * 4,
		"CmaTotal %ld KiB, areas %lu pages", meminfo_kb("CmaTotal"),
		pages);
	REQUIRE(labs(meminfo_kb("CmaFree") -
		     number_in("/proc/vmstat", "nr_free_cma") * 4) <= 256,
		"CmaFree %ld KiB, nr_free_cma %ld", meminfo_kb("CmaFree"),
		number_in("/proc/vmstat", "nr_free_cma"));
}

TEST(free_counts, "CmaFree and MemFree fall with an allocation and rise with its release")
{
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();
	long mem, cma, mem_less, cma_less;
	int ret;

	ctl_area(ctl);
	mem = meminfo_kb("MemFree");
	cma = meminfo_kb("CmaFree");
	ret = ctl_alloc(ctl, &alloc, 8 * MIB, CMA_CTL_COHERENT);
	REQUIRE(!ret, "%s", strerror(-ret));
	mem_less = mem - meminfo_kb("MemFree");
	cma_less = cma - meminfo_kb("CmaFree");
	REQUIRE(labs(mem_less - 8192) <= 512, "MemFree: %ld less", mem_less);
	REQUIRE(labs(cma_less - 8192) <= 512, "CmaFree: %ld less", cma_less);
	REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc.id), "%s", strerror(errno));
	mem_less = mem - meminfo_kb("MemFree");
	cma_less = cma - meminfo_kb("CmaFree");
	REQUIRE(labs(mem_less) <= 512, "MemFree: %ld less", mem_less);
	REQUIRE(labs(cma_less) <= 512, "CmaFree: %ld less", cma_less);
}

/* Memory that the kernel itself uses */
static long kernel_kb(void)
{
	unsigned long long start, end, size = 0;
	char line[128];
	FILE *f = fopen("/proc/iomem", "r");

	REQUIRE(f, "%s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (strstr(line, " : Kernel ") &&
		    sscanf(line, " %llx-%llx", &start, &end) == 2)
			size += end + 1 - start;
	fclose(f);
	REQUIRE(size, "no kernel in /proc/iomem");
	return size / 1024;
}

TEST(memtotal, "the area is part of MemTotal: nothing is set aside")
{
	long total = meminfo_kb("MemTotal");
	long cma = meminfo_kb("CmaTotal");
	char cmdline[2048];

	if (cma <= 0)
		skip("no contiguous memory areas");
	read_file("/proc/cmdline", cmdline, sizeof(cmdline));
	note("MemTotal %ld kB, kernel %ld kB, CmaTotal %ld kB", total,
	     kernel_kb(), cma);
	/* QEMU's -m 256: without the area it would be at most 4/5 */
	if (total > 256 * 1024 || cma < 64 * 1024)
		skip("memory or the area has another size");
	REQUIRE(total + kernel_kb() >= 250 * 1024, "MemTotal is %ld kB", total);
}

TEST(vmstat, "cma_alloc_success and cma_alloc_fail count calls")
{
	long success = number_in("/proc/vmstat", "cma_alloc_success");
	long fail = number_in("/proc/vmstat", "cma_alloc_fail");

	need(AREA);
	REQUIRE(success >= 0 && fail >= 0, "not in /proc/vmstat");
	REQUIRE(!write_number(AREA "alloc", 7), "alloc");
	REQUIRE(!write_number(AREA "free", 7), "free");
	fail_to_allocate();
	success = number_in("/proc/vmstat", "cma_alloc_success") - success;
	fail = number_in("/proc/vmstat", "cma_alloc_fail") - fail;
	REQUIRE(success == 2, "cma_alloc_success went up by %ld", success);
	REQUIRE(fail == 1, "cma_alloc_fail went up by %ld", fail);
}

TEST(pagetypeinfo, "/proc/pagetypeinfo shows the area's blocks as CMA")
{
	char types[1024], *cma;
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);

	block_types(types, sizeof(types));
	cma = strstr(types, "CMA");
	REQUIRE(cma, "no CMA in \"%s\"", types);
	/* one column for each type, in the order of the first line */
	REQUIRE(area.nr_pages % 1024 == 0, "%llu pages",
		(unsigned long long)area.nr_pages);
	note("%.*s", (int)strcspn(types, "\n"), types);
}

/* The trace since the last call; text is valid until the next one. */
static const char *trace(void)
{
	static char text[65536];

	read_file(TRACING "trace", text, sizeof(text));
	return text;
}

static void trace_start(void)
{
	need(TRACING "events/cma/enable");
	REQUIRE(!write_file(TRACING "trace", ""), "trace");
	REQUIRE(!write_file(TRACING "events/cma/enable", "1"), "enable");
}

static void trace_has(const char *event, const char *what)
{
	const char *line = strstr(trace(), event);
	unsigned int len = 0;

	REQUIRE(line, "no %s in the trace", event);
	for (; line; line = strstr(line + len, event)) {
		len = strcspn(line, "\n");
		if (memmem(line, len, what, strlen(what)))
			return;
		note("%.*s", len, line);
	}
	REQUIRE(false, "no %s with \"%s\"", event, what);
}

TEST(traced, "cma_alloc_start, cma_alloc_finish and cma_release are traced")
{
	need(AREA);
	trace_start();
	REQUIRE(!write_number(AREA "alloc", 77), "alloc");
	REQUIRE(!write_number(AREA "free", 77), "free");
	write_file(TRACING "events/cma/enable", "0");
	trace_has("cma_alloc_start: ", "name=reserved count=77 align=0");
	trace_has("cma_alloc_finish: ", "count=77 align=0 errorno=0");
	trace_has("cma_release: ", "name=reserved pfn=0x");
	trace_has("cma_release: ", "count=77");
}

TEST(traced_failure, "cma_alloc_finish has the errno of a call that failed")
{
	unsigned long count;
	char want[64];

	need(AREA);
	trace_start();
	count = fail_to_allocate();
	write_file(TRACING "events/cma/enable", "0");
	snprintf(want, sizeof(want), "count=%lu align=0 errorno=-12", count);
	trace_has("cma_alloc_finish: ", want);
}

TEST(traced_busy, "cma_alloc_busy_retry names the page that was busy")
{
	struct cma_ctl_pin pin = {};
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	struct ballast ballast;
	unsigned long chunk;
	char busy[64];
	size_t i;
	int ret;

	need(AREA);
	chunk = file_number(AREA "maxchunk");
	ballast_load(&ballast, 16 * 1024);
	/* more than half of the area: wherever it is, it has these pages */
	for (i = 0; i < ballast.size; i += PAGE) {
		__u64 pfn = pfn_of(ballast.mem + i);

		if (pfn >= area.base_pfn + area.nr_pages - chunk &&
		    pfn < area.base_pfn + chunk)
			break;
	}
	REQUIRE(i < ballast.size, "no page in the area");
	pin.addr = (uintptr_t)ballast.mem + i;
	REQUIRE(!ioctl(ctl, CMA_CTL_PIN, &pin), "%s", strerror(errno));
	munmap(ballast.mem, ballast.size);
	trace_start();
	ret = write_number(AREA "alloc", chunk);
	write_file(TRACING "events/cma/enable", "0");
	if (!ret)
		write_number(AREA "free", chunk);
	REQUIRE(ret == -ENOMEM, "%lu pages: %s", chunk, strerror(-ret));
	snprintf(busy, sizeof(busy), "pfn=0x%llx", (unsigned long long)pin.pfn);
	trace_has("cma_alloc_busy_retry: ", busy);
}
