// SPDX-License-Identifier: GPL-2.0
/*
 * Where the memory of a buffer is, and when it is allocated: each area has a
 * heap, and a buffer of the system heap gets its memory on first map
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"

#define SIZE	(2 * MIB)

/* The area of a heap, or NULL for the system heap. */
static const char *area_of(const char *heap_name)
{
	if (!strcmp(heap_name, "system"))
		return NULL;
	return strcmp(heap_name, "linux,cma") &&
	       strcmp(heap_name, "default_cma_region") ? heap_name : "reserved";
}

/* Are the pages of a mapping contiguous, and in this area? */
static bool is_contiguous(const char *mem, size_t size, const char *area)
{
	long base = area_number(area, "base_pfn");
	long count = area_number(area, "count");
	long first = pfn_of(mem);
	size_t i;

	for (i = 0; i < size / PAGE; i++)
		if (pfn_of(mem + i * PAGE) != first + i)
			return false;
	return first >= base && first + size / PAGE <= base + count;
}

static void check_area(int heap)
{
	const char *area = area_of(tap_about);
	long used, all;
	char *mem;
	int fd;

	if (!area)
		return;
	used = area_number(area, "used");
	all = areas_used();
	fd = new_buffer(heap, SIZE);
	REQUIRE(area_number(area, "used") == used + SIZE / PAGE,
		"%ld pages used, then %ld", used, area_number(area, "used"));
	REQUIRE(areas_used() == all + SIZE / PAGE, "another area is used, too");
	mem = map_buffer(fd, SIZE);
	if (pagemap_shows(area_number(area, "base_pfn")))
		REQUIRE(is_contiguous(mem, SIZE, area), "not contiguous, or elsewhere");
	munmap(mem, SIZE);
	close(fd);
	REQUIRE(area_number(area, "used") == used, "%ld pages used, then %ld",
		used, area_number(area, "used"));
}

TEST(area, "a buffer is contiguous and in the area of its heap")
{
	each_heap(check_area);
}

TEST(areas, "each area has a heap")
{
	DIR *dir = opendir(AREAS);
	unsigned int count = 0;
	struct dirent *entry;

	if (!dir)
		skip("no contiguous memory areas");
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		int heap;

		if (name[0] == '.')
			continue;
		heap = heap_open(strcmp(name, "reserved") ? name :
				 "default_cma_region");
		REQUIRE(heap >= 0, "%s: %s", name, strerror(errno));
		close(heap);
		count++;
	}
	closedir(dir);
	REQUIRE(count, "no areas");
}

TEST(lazy, "a buffer of the system heap is allocated on first map")
{
	const size_t size = 32 * MIB;
	long kb = meminfo_kb("MemFree");
	int fd = new_buffer(system_heap(), size);
	char *mem;

	REQUIRE(kb - meminfo_kb("MemFree") < NOISE_KB, "%ld kB less",
		kb - meminfo_kb("MemFree"));
	mem = map_buffer(fd, PAGE);
	REQUIRE(kb - meminfo_kb("MemFree") > size / 1024 - NOISE_KB,
		"only %ld kB less", kb - meminfo_kb("MemFree"));
	munmap(mem, PAGE);
	mem = map_buffer(fd, size);
	REQUIRE(is_zero(mem, size), "it is not zero");
}

TEST(fragmented, "a buffer of the system heap can consist of any number of pieces")
{
	const long total_kb = meminfo_kb("MemTotal");
	const size_t size = total_kb / 8 * 1024 & ~(PAGE - 1);
	int heap = system_heap(), fd;
	struct ballast ballast;
	unsigned int together = 0;
	char *mem;
	size_t i;

	/* every other page of memory is free */
	ballast_load(&ballast, total_kb / 32);
	for (i = 0; i < ballast.size; i += 2 * PAGE)
		madvise(ballast.mem + i, PAGE, MADV_DONTNEED);
	fd = new_buffer(heap, size);
	mem = map_buffer(fd, size);
	for (i = PAGE; i < size; i += PAGE)
		together += pfn_of(mem + i) == pfn_of(mem + i - PAGE) + 1;
	note("%u of %zu pages follow the one before", together, size / PAGE);
	REQUIRE(together < size / PAGE / 2, "memory is not fragmented");
	REQUIRE(is_zero(mem, size), "it is not zero");
	fill_pages(mem, size, 1);
	REQUIRE(first_wrong(mem, size, 1) < 0, "page %ld is wrong",
		first_wrong(mem, size, 1));
}

/* Free memory in kB: all of it, and the part that is in areas. */
static void free_memory(long *kb, long *area_kb)
{
	*kb = meminfo_kb("MemFree");
	*area_kb = meminfo_kb("CmaFree");
	if (*area_kb < 0)
		*area_kb = 0;
}

TEST(large, "a buffer of the system heap can use most of memory")
{
	long kb, area_kb;
	__u32 *mem;
	size_t size, i;

	free_memory(&kb, &area_kb);
	size = (size_t)(kb - area_kb) / 4 * 3 * 1024 & ~(PAGE - 1);
	note("%zu MiB", size / MIB);
	mem = map_buffer(new_buffer(system_heap(), size), size);
	for (i = 0; i < size / PAGE; i++) {
		REQUIRE(!mem[i * WORDS], "page %zu is not zero", i);
		mem[i * WORDS] = i;
	}
	for (i = 0; i < size / PAGE; i++)
		REQUIRE(mem[i * WORDS] == i, "page %zu is there twice", i);
}

/* The number of 1 MiB buffers that can be mapped before memory is exhausted. */
static unsigned int count_buffers(void)
{
	unsigned int count = 0;
	int heap = system_heap();
	int fd;

	for (;;) {
		fd = new_buffer(heap, MIB);
		if (!map_part(fd, 0, MIB))
			break;
		close(fd);
		count++;
	}
	REQUIRE(errno == ENOMEM, "%s", strerror(errno));
	return count;
}

TEST(room, "the system heap gets memory of processes while areas are free")
{
	size_t size = (size_t)meminfo_kb("MemTotal") / 2 * 1024;
	int heap = heap_open_cma();
	unsigned int held = 0, count, i;
	long kb, area_kb;
	int fd[256];
	char *mem;

	/* while the area is in use, the process gets other memory */
	while (held < ARRAY_SIZE(fd)) {
		fd[held] = heap_alloc(heap, MIB, O_RDWR);
		if (fd[held] < 0)
			break;
		held++;
	}
	mem = map_anon(size);
	REQUIRE(mem, "no address space");
	memset(mem, 1, size);
	for (i = 0; i < held; i++)
		close(fd[i]);
	free_memory(&kb, &area_kb);
	count = count_buffers();
	note("%zu MiB of a process, %ld MiB free, %ld of them in areas: %u buffers of 1 MiB",
	     size / MIB, kb / 1024, area_kb / 1024, count);
	REQUIRE(held && area_kb / 1024 >= held / 4 * 3, "the area is not free");
	REQUIRE(count >= kb / 1024 / 4 * 3, "too few");
}

TEST(exhausted, "when memory is exhausted, mapping fails with ENOMEM and no process is killed")
{
	const size_t size = meminfo_kb("MemTotal") / 32 * 1024 & ~(MIB - 1);
	int heap = system_heap(), fd[64];
	struct totals before = totals_now();
	unsigned int count, i;
	void *mem[64];

	for (count = 0; count < ARRAY_SIZE(fd); count++) {
		fd[count] = new_buffer(heap, size);
		mem[count] = map_part(fd[count], 0, size);
		if (!mem[count])
			break;
	}
	REQUIRE(count < ARRAY_SIZE(fd), "memory was not exhausted");
	REQUIRE(errno == ENOMEM, "buffer %u: %s", count, strerror(errno));
	REQUIRE(count >= 4, "only %u buffers", count);
	note("%u buffers of %zu MiB", count, size / MIB);
	for (i = 0; i < count; i++) {
		munmap(mem[i], size);
		close(fd[i]);
	}
	/* the buffer that found no memory can be mapped now */
	mem[count] = map_buffer(fd[count], size);
	REQUIRE(is_zero(mem[count], size), "it is not zero");
	munmap(mem[count], size);
	close(fd[count]);
	require_totals(&before);
}

static void check_locked(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE);

	fill_pages(mem, SIZE, 1);
	REQUIRE(!mlock(mem, SIZE), "%s", strerror(errno));
	close(fd);
	REQUIRE(first_wrong(mem, SIZE, 1) < 0, "page %ld has changed",
		first_wrong(mem, SIZE, 1));
	munmap(mem, SIZE);
}

TEST(locked, "mlock() of a mapped buffer works and pins none of its pages")
{
	struct totals before = totals_now();

	each_heap(check_locked);
	require_totals(&before);
}
