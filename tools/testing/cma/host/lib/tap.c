// SPDX-License-Identifier: GPL-2.0
/* The runner, with the kernel of stubs.c reset before each test and checked after it */
#include "stubs.h"

#define TAP_PREFIX	UNIT ": "
#define TAP_SECONDS	60
#define TAP_TEST_BEGIN	begin_test
#define TAP_TEST_END	end_test
#include "tap.h"

static void begin_test(void)
{
	host_reset();
}

static void end_test(void)
{
	host_check_locks();
	host_reset();
}

/* A sanitizer report ends a test as a failed check does */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1:allocator_may_return_null=1";
}
