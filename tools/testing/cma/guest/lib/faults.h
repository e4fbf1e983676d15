/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let allocations of the kernel fail (CONFIG_FAULT_INJECTION), for the test programs.
 * Include tap.h and guest.h first. Kinds are "failslab" and "fail_page_alloc".
 */
#ifndef FAULTS_H
#define FAULTS_H

#define FAULTS	"/sys/kernel/debug"

static int make_it_fail;	/* /proc/self/make-it-fail */

static void set_fault(const char *kind, const char *name, long value)
{
	char path[128], text[32];
	int error;

	snprintf(path, sizeof(path), FAULTS "/%s/%s", kind, name);
	snprintf(text, sizeof(text), "%ld", value);
	error = write_file(path, text);
	if (error == -ENOENT)
		skip("the kernel injects no faults");
	REQUIRE(!error, "%s: %s", path, strerror(-error));
}

/* Has no allocation failed since the failure was set up? */
static bool is_unused(const char *kind)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), FAULTS "/%s/times", kind);
	read_file(path, text, sizeof(text));
	return strtol(text, NULL, 10) == 1;
}

/* Failures affect only calls between inject(true) and inject(false). */
static void inject(bool on)
{
	REQUIRE(pwrite(make_it_fail, on ? "1" : "0", 1, 0) == 1, "%s",
		strerror(errno));
}

/* Allocations of this kind can fail, once "times" is not 0 */
static void faults_begin(const char *kind)
{
	set_fault(kind, "times", 0);
	set_fault(kind, "space", 0);
	set_fault(kind, "interval", 1);
	set_fault(kind, "task-filter", 1);
	set_fault(kind, "probability", 100);
	set_fault(kind, "verbose", 0);
	set_fault(kind, "ignore-gfp-wait", 0);
	if (strcmp(kind, "fail_page_alloc"))
		return;
	set_fault(kind, "ignore-gfp-highmem", 0);
	set_fault(kind, "min-order", 0);
}

/* Before a process injects failures */
static void faults_open(void)
{
	make_it_fail = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC);
	REQUIRE(make_it_fail >= 0, "%s", strerror(errno));
	/* Touch all pages now: a failing page fault is not tested here */
	REQUIRE(!mlockall(MCL_CURRENT), "%s", strerror(errno));
}

#endif
