// SPDX-License-Identifier: GPL-2.0
/*
 * Kill a process while it allocates: the allocation ends, and every page that it
 * had taken is returned
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

#define ROUNDS	200

static struct cma_ctl_stat stat_of(int ctl)
{
	struct cma_ctl_stat stat = {};

	REQUIRE(!ioctl(ctl, CMA_CTL_STAT, &stat), "%s", strerror(errno));
	return stat;
}

/* Run it in a child process and return the wait status. */
static int in_child(void (*run)(int ctl), useconds_t kill_after)
{
	pid_t pid = fork();
	int status;

	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		run(ctl_open());
		_exit(0);
	}
	if (kill_after) {
		usleep(kill_after);
		kill(pid, SIGKILL);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	return status;
}

/* The number of 1 MiB buffers that fit into the area. */
static unsigned int capacity(int ctl)
{
	static struct cma_ctl_alloc alloc[1024];
	unsigned int count = 0;
	unsigned int i;

	while (count < 1024 &&
	       !ctl_alloc(ctl, &alloc[count], MIB, CMA_CTL_COHERENT))
		count++;
	for (i = 0; i < count; i++)
		REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc[i].id), "%s",
			strerror(errno));
	return count;
}

/* Fill the area with pages of this process: each allocation has to move some. */
static struct ballast ballast;

static void *fill_area(const struct cma_ctl_area *area, size_t *size)
{
	char *mem;

	ballast_load(&ballast, 12 * 1024);
	*size = ballast_leave_area(&ballast, area) * PAGE;
	mem = map_anon(*size);
	REQUIRE(mem, "no address space");
	madvise(mem, *size, MADV_DONTFORK);
	fill_pages(mem, *size, 3);
	ballast_drop(&ballast, area, 28 * 1024);
	note("%zu pages of %zu are in the area", pages_in_area(area, mem, *size),
	     *size / PAGE);
	return mem;
}

static void check_and_unmap(void *mem, size_t size)
{
	REQUIRE(first_wrong(mem, size, 3) < 0, "page %ld has changed",
		first_wrong(mem, size, 3));
	munmap(mem, size);
	munmap(ballast.mem, ballast.size);
}

static void alloc_killed(int ctl)
{
	struct cma_ctl_alloc alloc = { .size = 8 * MIB, .kill = 1 };

	ioctl(ctl, CMA_CTL_ALLOC, &alloc);
}

TEST(before, "a process that is being killed gives up its allocation")
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	unsigned int before = capacity(ctl);
	struct cma_ctl_stat start = stat_of(ctl);
	size_t size;
	void *mem;
	int status;

	mem = fill_area(&area, &size);
	status = in_child(alloc_killed, 0);
	REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		"status %#x", status);
	REQUIRE(stat_of(ctl).killed == start.killed + 1,
		"the allocation did not see the signal");
	check_and_unmap(mem, size);
	REQUIRE(capacity(ctl) == before, "%u buffers of 1 MiB, now %u", before,
		capacity(ctl));
}

/*
 * The last two columns of each zone: the numbers of CMA blocks and of isolated
 * ones. The others change when an allocation takes a block of another type.
 */
static void special_blocks(char *text, size_t size)
{
	char all[1024], *line, *number, *next;
	unsigned long value, cma, isolated;
	size_t used = 0;

	block_types(all, sizeof(all));
	for (line = strtok_r(all, "\n", &next); line && used < size;
	     line = strtok_r(NULL, "\n", &next)) {
		if (strncmp(line, "Node", 4))
			continue;
		cma = 0;
		isolated = 0;
		for (number = strstr(line, ", zone"); *number; number++) {
			if (number[-1] != ' ' || *number < '0' || *number > '9')
				continue;
			value = strtoul(number, NULL, 10);
			cma = isolated;
			isolated = value;
		}
		used += snprintf(text + used, size - used, "CMA %lu isolated %lu\n",
				 cma, isolated);
	}
	REQUIRE(used && used < size, "pagetypeinfo");
}

static __u64 busy_pfn;

static void range_killed(int ctl)
{
	struct cma_ctl_range range = {
		.what = CMA_CTL_RANGE_PFN, .kill = 1,
		.pfn = busy_pfn, .nr_pages = 1,
	};

	ioctl(ctl, CMA_CTL_RANGE, &range);
}

TEST(eintr, "alloc_contig_range() fails with EINTR when its caller is being killed")
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	struct cma_ctl_stat start = stat_of(ctl);
	char types[1024], now[1024];
	size_t size, i;
	char *mem;

	mem = fill_area(&area, &size);
	for (i = 0; i < size && !in_area(&area, pfn_of(mem + i)); i += PAGE)
		;
	REQUIRE(i < size, "no page in the area");
	busy_pfn = pfn_of(mem + i);
	special_blocks(types, sizeof(types));
	in_child(range_killed, 0);
	special_blocks(now, sizeof(now));
	REQUIRE(stat_of(ctl).range_eintr == start.range_eintr + 1,
		"it returned something else");
	REQUIRE(!strcmp(types, now), "\nbefore: %s\nafter: %s", types, now);
	check_and_unmap(mem, size);
}

/*
 * The first allocation has to move pages of the parent, the others pages that this
 * process has touched, which takes a debug kernel longer than it may live.
 */
static void alloc_for_ever(int ctl)
{
	struct cma_ctl_alloc alloc;
	size_t fill = 8 * MIB;
	size_t size = 16 * MIB;
	char *mem = map_anon(fill);
	size_t i;

	for (;;) {
		if (!ctl_alloc(ctl, &alloc, size, CMA_CTL_COHERENT))
			ioctl(ctl, CMA_CTL_FREE, alloc.id);
		madvise(mem, fill, MADV_DONTNEED);
		for (i = 0; i < fill; i += PAGE)
			mem[i] = 1;
		size = size == 16 * MIB ? 8 * MIB : 16 * MIB;
	}
}

TEST(any_time, "a process can be killed at any time while it allocates")
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	unsigned int before = capacity(ctl);
	struct cma_ctl_stat start = stat_of(ctl);
	char types[1024], now[1024];
	unsigned int i, killed = 0;
	size_t size;
	void *mem;

	/* A debug kernel takes a second to end a child */
	alarm(600);
	special_blocks(types, sizeof(types));
	mem = fill_area(&area, &size);
	for (i = 0; i < ROUNDS; i++) {
		int status = in_child(alloc_for_ever, 2000 + i * 331);

		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	note("%u children killed, %u of them during an allocation", killed,
	     stat_of(ctl).killed - start.killed);
	REQUIRE(killed == ROUNDS, "%u of %u were killed", killed, ROUNDS);
	REQUIRE(stat_of(ctl).killed != start.killed,
		"none was killed during an allocation");
	check_and_unmap(mem, size);
	REQUIRE(capacity(ctl) == before, "%u buffers of 1 MiB, now %u", before,
		capacity(ctl));
	special_blocks(now, sizeof(now));
	REQUIRE(!strcmp(types, now), "\nbefore: %s\nafter: %s", types, now);
}
