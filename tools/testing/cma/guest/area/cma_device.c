// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_test: each write allocates 1, 2, ... 10 MiB, each read frees
 */
#define TAP_BEGIN load
#define TAP_END unload
#include "tap.h"
#include "guest.h"

#include <sys/klog.h>

static int error;

static void load(void)
{
	error = module_load("cma_test");
}

static void unload(void)
{
	if (!error && module_unload("cma_test")) {
		note("cma_test cannot be removed");
		_exit(1);
	}
}

static int open_test(void)
{
	int fd;

	REQUIRE(!error, "cma_test: %s", strerror(-error));
	fd = open_misc("cma_test", O_RDWR | O_CLOEXEC);
	REQUIRE(fd >= 0, "/dev/cma_test: %s", strerror(errno));
	return fd;
}

static int allocate(int fd)
{
	ssize_t ret = write(fd, "1\n", 2);

	return ret == 2 ? 0 : ret < 0 ? -errno : -EIO;
}

static void release(int fd)
{
	char c;
	ssize_t ret = read(fd, &c, 1);

	REQUIRE(ret == 0, "read gives %zd: %s", ret, strerror(errno));
}

/* The last lines of cma_test in the kernel log. */
static void last_message(char *line, size_t size)
{
	static char log[1 << 18];
	int len = klogctl(3, log, sizeof(log) - 1);
	char *found = NULL;
	char *next;

	REQUIRE(len > 0, "no kernel log: %s", strerror(errno));
	log[len] = '\0';
	next = log;
	while ((next = strstr(next, "cma_test: ")))
		found = next++;
	snprintf(line, size, "%.*s", found ? (int)strcspn(found, "\n") : 0,
		 found ? found : "");
}

static void message_says(const char *what, unsigned int mib,
			 unsigned long long *phys)
{
	char line[256], word[32];
	unsigned long long virt;
	unsigned int said;
	int n;

	last_message(line, sizeof(line));
	n = sscanf(line, "cma_test: %31s %u MiB: virtual 0x%llx physical 0x%llx",
		   word, &said, &virt, phys);
	REQUIRE(n == 4 && !strcmp(word, what) && said == mib,
		"\"%s\", not %s %u MiB", line, what, mib);
	REQUIRE(virt >= 0x80000000, "virtual address %#llx", virt);
}

TEST(one, "1 MiB can be allocated and freed")
{
	unsigned long long phys, freed;
	int fd = open_test();
	int ret;

	ret = allocate(fd);
	if (ret && meminfo_kb("CmaTotal") <= 0)
		skip("no contiguous memory areas: %s", strerror(-ret));
	REQUIRE(!ret, "%s", strerror(-ret));
	message_says("allocated", 1, &phys);
	release(fd);
	message_says("freed", 1, &freed);
	REQUIRE(phys == freed, "%#llx was allocated, %#llx freed", phys, freed);
}

/* The limit depends on the base: the scenario knows it and checks the note. */
TEST(fails, "a buffer that is too large without an area fails with ENOMEM")
{
	int fd = open_test();
	unsigned int count = 0;
	char line[256];
	unsigned int mib;
	int ret;

	if (meminfo_kb("CmaTotal") > 0)
		skip("there is an area");
	while (count < 10 && !(ret = allocate(fd)))
		count++;
	REQUIRE(ret == -ENOMEM, "write: %s", strerror(-ret));
	last_message(line, sizeof(line));
	REQUIRE(sscanf(line, "cma_test: %u MiB: error -12", &mib) == 1,
		"\"%s\"", line);
	while (count--)
		release(fd);
	note("%u MiB is too much", mib);
}

/* The test before this one has allocated 1 MiB: 2 MiB are next. */
TEST(sizes, "sizes go from 1 to 10 MiB and start again, the oldest is freed first")
{
	unsigned long long phys[16], freed;
	unsigned int oldest = 0, newest = 0;
	int fd = open_test();
	unsigned int i;

	if (meminfo_kb("CmaTotal") < 48 * 1024)
		skip("the area is too small");
	for (i = 0; i < 12; i++) {
		unsigned int mib = (i + 1) % 10 + 1;
		int ret = allocate(fd);

		REQUIRE(!ret, "%u MiB: %s", mib, strerror(-ret));
		message_says("allocated", mib, &phys[newest++]);
		if (newest - oldest < 4)
			continue;
		release(fd);
		message_says("freed", (oldest + 1) % 10 + 1, &freed);
		REQUIRE(freed == phys[oldest], "%#llx is freed, %#llx was older",
			freed, phys[oldest]);
		oldest++;
	}
	while (oldest < newest) {
		release(fd);
		message_says("freed", (oldest + 1) % 10 + 1, &freed);
		REQUIRE(freed == phys[oldest], "%#llx is freed, %#llx was older",
			freed, phys[oldest]);
		oldest++;
	}
}

TEST(nothing, "a read with nothing to free returns end of file")
{
	char before[256], after[256];
	int fd = open_test();

	last_message(before, sizeof(before));
	release(fd);
	last_message(after, sizeof(after));
	REQUIRE(!strcmp(before, after), "\"%s\"", after);
}

TEST(exhausted, "a write fails with ENOMEM while the area is full, and works after that")
{
	int fd = open_test();
	unsigned int count = 0;
	int ret;

	if (meminfo_kb("CmaTotal") <= 0)
		skip("no contiguous memory areas");
	while (count < 1000 && !(ret = allocate(fd)))
		count++;
	REQUIRE(count && count < 1000, "%u buffers", count);
	REQUIRE(ret == -ENOMEM, "write: %s", strerror(-ret));
	while (count--)
		release(fd);
	ret = allocate(fd);
	REQUIRE(!ret, "%s", strerror(-ret));
	release(fd);
}

/* Not freed by the program: removing the module has to free it. */
TEST(left, "a buffer that is left is freed with the module")
{
	long before, after;
	int fd = open_test();

	if (meminfo_kb("CmaTotal") <= 0)
		skip("no contiguous memory areas");
	before = meminfo_kb("CmaFree");
	REQUIRE(!allocate(fd), "%s", strerror(errno));
	close(fd);
	REQUIRE(!module_unload("cma_test"), "%s", strerror(errno));
	after = meminfo_kb("CmaFree");
	REQUIRE(after + 512 >= before, "CmaFree %ld KiB, then %ld", before,
		after);
	REQUIRE(!module_load("cma_test"), "%s", strerror(errno));
}
