// SPDX-License-Identifier: GPL-2.0
/*
 * Run the tests that registered themselves, each in a process of its own, and
 * say in TAP how they ended.  With an argument, only tests whose name has it.
 */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stubs.h"

#define TIME_LIMIT	60	/* seconds, for one test */

static struct test *tests, **tail = &tests;

/* Sanitizers end a test like a failed check does */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1:allocator_may_return_null=1";
}

void test_register(struct test *test)
{
	*tail = test;
	tail = &test->next;
}

void test_eq_str(const char *file, int line, const char *have, const char *want)
{
	if (strcmp(have, want))
		host_fail("%s:%d: have \"%s\", want \"%s\"", file, line, have, want);
}

static int run_one(const struct test *test, size_t row)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		alarm(TIME_LIMIT);
		host_reset();
		test->run(row);
		host_check_locks();
		host_reset();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return status;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, nr_failed = 0;
	const struct test *test;
	size_t row;

	for (test = tests; test; test = test->next) {
		for (row = 0; row == 0 || row < test->nr_rows; row++) {
			char name[256];
			int status;

			snprintf(name, sizeof(name), "%s%s%s", test->name,
				 test->nr_rows ? ": " : "",
				 test->nr_rows ? test->row_name(row) : "");
			if (argc > 1 && !strstr(name, argv[1]))
				continue;
			status = run_one(test, row);
			printf("%sok %u - " UNIT ": %s\n", status ? "not " : "", ++nr, name);
			if (status)
				printf("# ended with wait status %#x\n", (unsigned int)status);
			nr_failed += !!status;
		}
	}
	printf("1..%u\n", nr);
	return nr_failed || !nr;
}
