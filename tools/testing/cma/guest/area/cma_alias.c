// SPDX-License-Identifier: GPL-2.0
/*
 * Does the check of all mappings find a page that is mapped in two ways?
 *
 * The module cma_alias maps a page of a coherent buffer a second time. The check has
 * to find exactly this mapping, and nothing before and afterwards.
 */
#define TAP_BEGIN alias_begin
#define TAP_END alias_end
#include "tap.h"
#include "guest.h"

#define ALIAS	"/sys/kernel/debug/cma_alias"

struct report {
	unsigned long pages;
	unsigned long mapped;
	unsigned long mappings;
	unsigned int spaces;
	unsigned int aliases;
	unsigned long pfn;	/* of the alias that is reported first */
	unsigned long addr[2];
	int pid[2];
};

struct provoked {
	unsigned long pfn;
	unsigned long addr[2];
};

static void alias_begin(void)
{
	module_begin("cma_alias");
}

static void alias_end(void)
{
	module_end("cma_alias");
}

static int alias_open(void)
{
	int fd;

	if (module_error == -ENOENT)
		skip("no contiguous memory areas of the series");
	REQUIRE(!module_error, "cma_alias: %s", strerror(-module_error));
	fd = open(ALIAS, O_RDWR | O_CLOEXEC);
	REQUIRE(fd >= 0, "%s: %s", ALIAS, strerror(errno));
	return fd;
}

static void command(int fd, const char *text)
{
	ssize_t len = strlen(text);

	REQUIRE(write(fd, text, len) == len, "%s: %s", text, strerror(errno));
}

static void check(int fd, struct report *report, struct provoked *provoked)
{
	char text[4096];
	const char *line;
	ssize_t len;

	memset(report, 0, sizeof(*report));
	memset(provoked, 0, sizeof(*provoked));
	len = pread(fd, text, sizeof(text) - 1, 0);
	REQUIRE(len > 0, "%s: %s", ALIAS, strerror(errno));
	text[len] = '\0';

	REQUIRE(sscanf(text, "now: pages %lu mapped %lu mappings %lu spaces %u aliases %u",
		       &report->pages, &report->mapped, &report->mappings,
		       &report->spaces, &report->aliases) == 5,
		"not understood: %s", text);
	line = strstr(text, "alias: ");
	if (line) {
		REQUIRE(sscanf(line, "alias: page frame %lx: %lx of %d",
			       &report->pfn, &report->addr[0],
			       &report->pid[0]) == 3, "%s", line);
		line = strstr(line, ") and ");
		REQUIRE(line && sscanf(line, ") and %lx of %d",
				       &report->addr[1], &report->pid[1]) == 2,
			"not understood: %s", text);
	}
	line = strstr(text, "provoked: ");
	if (line)
		REQUIRE(sscanf(line, "provoked: page frame %lx: %lx and %lx",
			       &provoked->pfn, &provoked->addr[0],
			       &provoked->addr[1]) == 3, "%s", line);
}

static void no_alias(int fd, const char *when)
{
	struct provoked provoked;
	struct report report;

	check(fd, &report, &provoked);
	REQUIRE_EQ(report.aliases, 0, "%s: page frame %#lx at %#lx and %#lx",
		   when, report.pfn, report.addr[0], report.addr[1]);
}

/* The check has found the provoked alias, of a process, or of the kernel (0). */
static void require_alias(const struct report *report,
			  const struct provoked *provoked, pid_t pid)
{
	int second = report->addr[1] == provoked->addr[1];

	REQUIRE_EQ(report->aliases, 1);
	REQUIRE_EQ(report->pfn, provoked->pfn);
	REQUIRE(provoked->addr[0] && provoked->addr[1] &&
		provoked->addr[0] != provoked->addr[1], "no second mapping");
	REQUIRE_EQ(report->addr[!second], provoked->addr[0]);
	REQUIRE_EQ(report->addr[second], provoked->addr[1]);
	REQUIRE_EQ(report->pid[!second], 0);
	REQUIRE_EQ(report->pid[second], pid);
}

static void one_alias(int fd, pid_t pid)
{
	struct provoked provoked;
	struct report report;

	check(fd, &report, &provoked);
	require_alias(&report, &provoked, pid);
}

TEST(clean, "all mappings of a page have the same attributes")
{
	struct provoked provoked;
	struct report report;
	int fd = alias_open();

	check(fd, &report, &provoked);
	REQUIRE_EQ(report.aliases, 0);
	/* the kernel, and at least this process and those that wait for it */
	REQUIRE(report.spaces >= 4, "%u address spaces", report.spaces);
	REQUIRE(report.mapped > 0 && report.mapped <= report.pages,
		"%lu of %lu pages are mapped", report.mapped, report.pages);
	REQUIRE(report.mappings >= report.mapped, "%lu mappings",
		report.mappings);
}

TEST(same, "a second mapping like the first one is not an alias, but is seen")
{
	struct provoked provoked;
	struct report report;
	int fd = alias_open();

	command(fd, "same");
	check(fd, &report, &provoked);
	REQUIRE(provoked.addr[1], "no second mapping");
	REQUIRE_EQ(report.aliases, 0);
	REQUIRE(report.mappings > report.mapped, "%lu mappings of %lu pages",
		report.mappings, report.mapped);
}

TEST(vmap, "the check finds a page of a buffer that vmap() maps cached")
{
	int fd = alias_open();

	command(fd, "vmap");
	one_alias(fd, 0);
	command(fd, "none");
	no_alias(fd, "after the buffer was freed");
}

TEST(user, "the check finds a page of a buffer that a process maps cached")
{
	int fd = alias_open();
	void *mem;

	command(fd, "buffer");
	no_alias(fd, "before the page was mapped");
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	one_alias(fd, getpid());
	REQUIRE(!munmap(mem, PAGE), "munmap: %s", strerror(errno));
	no_alias(fd, "after the page was unmapped");
}

/*
 * In low memory both return the buffer's own mapping. In high memory, the next user of
 * the slot, such as a page fault, replaces what is left there, so try several times.
 */
static void stale_slot(const char *how)
{
	struct provoked provoked;
	struct report report;
	int fd = alias_open();
	int tries;

	no_alias(fd, "before");
	for (tries = 0; tries < 20; tries++) {
		command(fd, how);
		check(fd, &report, &provoked);
		if (report.aliases || provoked.addr[0] == provoked.addr[1])
			break;
	}
	if (provoked.addr[0] == provoked.addr[1]) {
		note("the area is in low memory");
		REQUIRE_EQ(report.aliases, 0);
	} else {
		require_alias(&report, &provoked, 0);
	}
	/* the next buffer finds the slot clear */
	command(fd, "buffer");
	no_alias(fd, "after the next buffer was allocated");
}

TEST(kmap, "the check finds what kmap() leaves of a page in high memory")
{
	stale_slot("kmap");
}

TEST(kmap_atomic, "the check finds what kmap_atomic() leaves of a page in high memory")
{
	stale_slot("kmap_atomic");
}
