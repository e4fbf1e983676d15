/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small harness for test programs
 *
 * TEST(name, "behaviour") { ... } defines a test; it needs no entry in a list.
 * Each one runs in a process of its own, with a time limit, and what it leaves
 * behind is gone before the next one starts. The program's main() is here and
 * prints TAP.
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
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* No program uses all of this, or of the headers that it includes next. */
#pragma GCC diagnostic ignored "-Wunused-function"

struct tap_test {
	const char *name;
	void (*run)(void);
	struct tap_test *next;
};

enum { TAP_PASS = 10, TAP_FAIL, TAP_SKIP };

static struct tap_test *tap_first, **tap_last = &tap_first;
static unsigned int tap_seconds = 300;	/* limit for each test */
static const char *tap_about = "";	/* what is tested just now */

/* Shared with the process of the test: why it was skipped, what it checked. */
static struct tap_shared {
	char skip[128];
	unsigned int checks;
} *tap_shared;

#define TEST(function, description)					\
	static void function##_run(void);				\
	static struct tap_test function##_test = {			\
		.name = description, .run = function##_run,		\
	};								\
	static void __attribute__((constructor)) function##_add(void)	\
	{								\
		*tap_last = &function##_test;				\
		tap_last = &function##_test.next;			\
	}								\
	static void function##_run(void)

/* A line that explains the result. */
#define note(...) do {							\
	printf("# ");							\
	printf(__VA_ARGS__);						\
	printf("\n");							\
	fflush(stdout);							\
} while (0)

/* There is nothing to test, for the reason that is given. */
#define skip(...) do {							\
	snprintf(tap_shared->skip, sizeof(tap_shared->skip), __VA_ARGS__); \
	_exit(TAP_SKIP);						\
} while (0)

/* Ends the test when the condition does not hold. */
#define REQUIRE(condition, ...) do {					\
	tap_shared->checks++;						\
	if (!(condition)) {						\
		printf("# %s:%d: %s: %s ", __FILE__, __LINE__, #condition, \
		       tap_about);					\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		fflush(stdout);						\
		_exit(TAP_FAIL);					\
	}								\
} while (0)

/* Waits for a test: whether it passed, failed (with a line why) or skipped. */
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
		note("the time limit of %u s is over", tap_seconds);
	else if (WIFSIGNALED(status))
		note("killed by signal %d", WTERMSIG(status));
	else
		note("ended with status %#x", status);
	return TAP_FAIL;
}

/* A process that goes when its parent goes. */
static pid_t tap_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Run a part of a test in a process of its own. */
static pid_t tap_start(void (*run)(void *arg), void *arg)
{
	pid_t pid = tap_fork();

	if (!pid) {
		run(arg);
		fflush(stdout);
		_exit(TAP_PASS);
	}
	return pid;
}

/* The test fails when such a part failed. */
static void tap_join(pid_t pid)
{
	REQUIRE(tap_wait(pid) == TAP_PASS, "the other process failed");
}

static int tap_run(const struct tap_test *test)
{
	pid_t pid;
	int ret;

	memset(tap_shared, 0, sizeof(*tap_shared));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return TAP_FAIL;
	if (!pid) {
		alarm(tap_seconds);
		test->run();
		fflush(stdout);
		_exit(TAP_PASS);
	}
	ret = tap_wait(pid);
	if (ret == TAP_PASS && !tap_shared->checks) {
		note("nothing was checked");
		ret = TAP_FAIL;
	}
	return ret;
}

/* Set up and tear down for all tests; a program may define them. */
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

/* What the program does instead when it is run as PROGRAM --helper ARGS... */
#ifdef TAP_HELPER
static int TAP_HELPER(char **args);
#else
#define TAP_HELPER(args) ((void)(args), 1)
#endif

int main(int argc, char **argv)
{
	const char *filter = argc > 1 ? argv[1] : "";
	unsigned int count = 0;
	struct tap_test *test;
	bool failed = false;

	if (!strcmp(filter, "--helper"))
		return TAP_HELPER(argv + 2);
	tap_shared = mmap(NULL, sizeof(*tap_shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tap_shared == MAP_FAILED)
		return 1;
	for (test = tap_first; test; test = test->next)
		count += !!strstr(test->name, filter);
	printf("1..%u\n", count);
	TAP_BEGIN();
	count = 0;
	for (test = tap_first; test; test = test->next) {
		int ret;

		if (!strstr(test->name, filter))
			continue;
		ret = tap_run(test);
		failed |= ret == TAP_FAIL;
		printf("%sok %u - %s", ret == TAP_FAIL ? "not " : "", ++count,
		       test->name);
		if (ret == TAP_SKIP)
			printf(" # SKIP %s", tap_shared->skip);
		printf("\n");
		fflush(stdout);
	}
	TAP_END();
	return failed;
}

#endif
