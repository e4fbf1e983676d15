// SPDX-License-Identifier: GPL-2.0
/*
 * The console of tests that compile one kernel file: what it has printed, and how
 * a test fails
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

char host_console[4096];

void host_print(const char *fmt, ...)
{
	size_t len = strlen(host_console);
	va_list args;

	va_start(args, fmt);
	vsnprintf(host_console + len, sizeof(host_console) - len, fmt, args);
	va_end(args);
}

void test_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# %s:%d: %s%s", file, line, what, *fmt ? ": " : "");
	vprintf(fmt, args);
	printf("\n# console: %s\n", host_console);
	fflush(stdout);
	abort();
}

/* A sanitizer report ends a test as a failed check does */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1:allocator_may_return_null=1";
}
