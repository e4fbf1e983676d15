/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run the tests of a program and print the results as TAP
 *
 * Each test runs in its own process, with a time limit, so that what it
 * leaves behind is gone before the next one starts. The program's main() is here.
 * With an argument, only tests run whose name contains it. A program may define
 * macros before it includes this file; they are described below.
 */
#ifndef TAP_H
#define TAP_H

#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* No program uses all of this, or of the headers that it includes next. */
#pragma GCC diagnostic ignored "-Wunused-function"

enum { TAP_PASS = 10, TAP_FAIL, TAP_SKIP };

/* What precedes the name of each test */
#ifndef TAP_PREFIX
#define TAP_PREFIX	""
#endif

/* Time limit of each test */
#ifndef TAP_SECONDS
#define TAP_SECONDS	300
#endif

/* Set-up and tear-down of the program: functions that the program defines */
#ifdef TAP_BEGIN
static void TAP_BEGIN(void);
#else
#define TAP_BEGIN()
#endif
#ifdef TAP_END
static void TAP_END(void);
#else
#define TAP_END()
#endif

/* Set-up and tear-down of each test, in its process */
#ifdef TAP_TEST_BEGIN
static void TAP_TEST_BEGIN(void);
#else
#define TAP_TEST_BEGIN()
#endif
#ifdef TAP_TEST_END
static void TAP_TEST_END(void);
#else
#define TAP_TEST_END()
#endif

/* What the program does instead when it is run as PROGRAM --helper ARGS... */
#ifdef TAP_HELPER
static int TAP_HELPER(char **args);
#else
#define TAP_HELPER(args) ((void)(args), 1)
#endif

struct test *test_first;
static unsigned int tap_seconds = TAP_SECONDS;
static char *tap_reason;		/* of a skip, shared with the test's process */

#define TAP_REASON_SIZE	128

/* A line that explains the result. */
#define note(...) do {							\
	printf("# ");							\
	printf(__VA_ARGS__);						\
	printf("\n");							\
	fflush(stdout);							\
} while (0)

/* End the test as skipped, for the reason that is given. */
#define skip(...) do {							\
	snprintf(tap_reason, TAP_REASON_SIZE, __VA_ARGS__);		\
	_exit(TAP_SKIP);						\
} while (0)

/* Wait for a test: it passed, was skipped, or failed (with a line why). */
static int tap_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return TAP_FAIL;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == TAP_PASS ||
				  WEXITSTATUS(status) == TAP_FAIL ||
				  WEXITSTATUS(status) == TAP_SKIP))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		note("time limit of %u s exceeded", tap_seconds);
	else if (WIFSIGNALED(status))
		note("killed by signal %d", WTERMSIG(status));
	else
		note("ended with status %#x", status);
	return TAP_FAIL;
}

static int tap_run(const struct test *test, size_t row)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return TAP_FAIL;
	if (pid)
		return tap_wait(pid);
	alarm(tap_seconds);
	TAP_TEST_BEGIN();
	test->run(row);
	TAP_TEST_END();
	if (!test_checks) {
		note("nothing was checked");
		_exit(TAP_FAIL);
	}
	exit(TAP_PASS);		/* the leak checker runs at exit */
}

static const char *tap_name(const struct test *test, size_t row)
{
	static char name[256];

	if (!test->nr_rows)
		return test->name;
	snprintf(name, sizeof(name), "%s: %s", test->name, test->row_name(row));
	return name;
}

static bool tap_result(unsigned int number, const char *name, int ret)
{
	printf("%sok %u - " TAP_PREFIX "%s", ret == TAP_FAIL ? "not " : "",
	       number, name);
	if (ret == TAP_SKIP)
		printf(" # SKIP %s", tap_reason);
	printf("\n");
	fflush(stdout);
	return ret != TAP_FAIL;
}

/* The number of tests; without @run they are only counted. */
static unsigned int tap_all(const char *filter, bool run, bool *failed)
{
	unsigned int count = 0;
	const struct test *test;
	size_t row;

	for (test = test_first; test; test = test->next) {
		for (row = 0; !row || row < test->nr_rows; row++) {
			const char *name = tap_name(test, row);

			if (!strstr(name, filter))
				continue;
			count++;
			if (run && !tap_result(count, name, tap_run(test, row)))
				*failed = true;
		}
	}
	return count;
}

int main(int argc, char **argv)
{
	const char *filter = argc > 1 ? argv[1] : "";
	bool failed = false;

	tap_reason = mmap(NULL, TAP_REASON_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tap_reason == MAP_FAILED)
		return 1;
	if (!strcmp(filter, "--helper"))
		return TAP_HELPER(argv + 2);
	printf("1..%u\n", tap_all(filter, false, NULL));
	TAP_BEGIN();
	failed = !tap_all(filter, true, &failed) || failed;
	TAP_END();
	return failed;
}

#endif
