// SPDX-License-Identifier: GPL-2.0
/*
 * Unmovable allocations benefit from memory that a driver has released, too:
 * movable pages go into the area, and the OOM killer is not invoked while the
 * area has free pages
 */
#include "tap.h"
#include "guest.h"
#include "outside.h"

#include <fcntl.h>
#include <sys/resource.h>

#define NR_PIPES	320		/* 20 MiB of unmovable pages */
#define SPARE_KB	7000		/* above the watermarks */

TEST(spill, "unmovable allocations succeed while only the area has free pages")
{
	struct rlimit limit = { NR_PIPES * 2 + 64, NR_PIPES * 2 + 64 };
	long free_kb, cma_kb;
	unsigned int i;
	size_t size;
	char *anon;

	if (access(AREA "alloc", W_OK))
		skip("no area, or no debugfs");
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
	take_area();

	size = (meminfo_kb("MemFree") - SPARE_KB) * 1024UL;
	anon = map_anon(size);
	fill_pages(anon, size, 7);
	free_kb = meminfo_kb("MemFree");
	write_file(AREA "free", "1000000");
	cma_kb = meminfo_kb("CmaFree");
	note("%zu MiB in use, %ld kB free, then %ld kB more in the area",
	     size >> 20, free_kb, cma_kb);
	REQUIRE(cma_kb > 40000, "only %ld kB are free in the area", cma_kb);

	for (i = 0; i < NR_PIPES; i++)
		fill_pipe();
	note("CmaFree is %ld kB now", meminfo_kb("CmaFree"));
	REQUIRE(meminfo_kb("CmaFree") < cma_kb - 8000, "nothing was moved");
	REQUIRE(first_wrong(anon, size, 7) < 0, "page %ld has changed",
		first_wrong(anon, size, 7));
}
