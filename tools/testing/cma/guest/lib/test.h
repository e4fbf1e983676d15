/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How to write a test, on the board (guest/) and on this machine (host/)
 *
 * TEST(id, "behaviour") { ... } defines a test; it needs no entry in a list.
 * TEST_TABLE() defines one test for each row of a table. The first REQUIRE that
 * does not hold ends the test. tap.h is the runner. test_fail() and test_checks
 * are in guest.h for the board, and in stubs.c for the host.
 */
#ifndef TEST_H
#define TEST_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifndef __noreturn
#define __noreturn	__attribute__((__noreturn__))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#endif

struct test {
	const char *name;
	void (*run)(size_t row);
	size_t nr_rows;			/* 0: not a table */
	const char *(*row_name)(size_t row);
	struct test *next;
};

extern struct test *test_first;		/* in tap.h */
extern unsigned int test_checks;	/* that this process made */

/* A constructor calls this: tests run in the order of their files */
static inline void test_register(struct test *test)
{
	struct test **last = &test_first;

	while (*last)
		last = &(*last)->next;
	*last = test;
}

#define TEST_TABLE(id, behaviour, rows, naming)				\
	static void id##_run(size_t row);				\
	static void __attribute__((constructor)) id##_add(void)		\
	{								\
		static struct test test = {				\
			behaviour, id##_run, rows, naming, NULL,	\
		};							\
									\
		test_register(&test);					\
	}								\
	static void id##_run(size_t row)

#define TEST(id, behaviour)	TEST_TABLE(id, behaviour, 0, NULL)

/* A check may come without a message */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

/* Only tables use @row */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* End the test as failed */
__noreturn __printf(4, 5)
void test_fail(const char *file, int line, const char *what, const char *fmt, ...);

/* The test fails unless the condition holds. A message may follow, as for printf(). */
#define REQUIRE(condition, ...) do {					\
	test_checks++;							\
	if (!(condition))						\
		test_fail(__FILE__, __LINE__, #condition, "" __VA_ARGS__); \
} while (0)

/* The same for two numbers that have to be equal; it prints both. */
#define REQUIRE_EQ(have, want, ...) do {				\
	long long have_ = (long long)(have), want_ = (long long)(want);	\
									\
	test_checks++;							\
	if (have_ != want_) {						\
		char text_[256];					\
									\
		snprintf(text_, sizeof(text_),				\
			 "%s is %lld (%#llx), not %lld (%#llx)",	\
			 #have, have_, have_, want_, want_);		\
		test_fail(__FILE__, __LINE__, text_, "" __VA_ARGS__);	\
	}								\
} while (0)

/* The same for two strings. */
#define REQUIRE_STREQ(have, want) do {					\
	const char *have_ = (have), *want_ = (want);			\
									\
	test_checks++;							\
	if (strcmp(have_, want_))					\
		test_fail(__FILE__, __LINE__, #have,			\
			  "have \"%s\", want \"%s\"", have_, want_); \
} while (0)

#endif
