/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of contiguous memory that run in the kernel
 *
 * CMA_SELFTEST() defines a test; it needs no entry in a list. A test fails if one
 * of its ST_CHECK()s fails, and passes otherwise.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <linux/cma.h>
#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/dma-contiguous.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "compat.h"

struct seq_file;

/* Devices for tests: one with the default area, two with private areas. */
enum st_device { ST_DEFAULT, ST_PRIVATE_1, ST_PRIVATE_2, ST_NR_DEVICES };

#define ST_LOG_SIZE	1024

/**
 * struct st - the run of one test
 * @failed: a check failed
 * @skipped: reason why nothing was checked, or NULL
 * @nr_checks: number of checks
 * @log: lines to print, each beginning with "# "
 * @log_len: used bytes of @log
 */
struct st {
	bool failed;
	const char *skipped;
	unsigned int nr_checks;
	char log[ST_LOG_SIZE];
	size_t log_len;
};

/**
 * struct cma_selftest - a test
 * @name: the tested behaviour, in one line
 * @run: the test
 */
struct cma_selftest {
	const char *name;
	void (*run)(struct st *t);
};

/* The section of the list of tests, whether __section() takes a word or a string */
#define cma_selftests	"cma_selftests"

/* Define and register a test; they run in the order in which they are written. */
#define CMA_SELFTEST(function, description)				\
	static void function##_run(struct st *t);			\
	static const struct cma_selftest function##_test = {		\
		.name = description,					\
		.run = function##_run,					\
	};								\
	static const struct cma_selftest *const function##_entry	\
		__used __section(cma_selftests)				\
		__attribute__((__no_reorder__)) = &function##_test;	\
	static void function##_run(struct st *t)

/*
 * Fail the test unless @condition holds; the value is whether it does. The rest
 * is a printf() format and its arguments, without a newline.
 */
#define ST_CHECK(t, condition, ...)					\
	st_check(t, condition, __func__, __LINE__, __VA_ARGS__)

__printf(5, 6)
bool st_check(struct st *t, bool condition, const char *function, int line,
	      const char *fmt, ...);
__printf(2, 3) void st_note(struct st *t, const char *fmt, ...);
struct device *st_device(enum st_device which);
bool st_need_area(struct st *t, enum st_device which);
unsigned long st_area_pages(enum st_device which);
unsigned long st_area_base_pfn(enum st_device which);
unsigned long st_free_cma(enum st_device which);
unsigned long st_largest(enum st_device which);
bool st_in_area(enum st_device which, const struct page *page,
		unsigned long nr_pages);
bool st_is_filled(const void *virt, u8 byte, size_t size);
void st_check_no_loss(struct st *t, enum st_device which,
		      void (*cycle)(struct st *t, enum st_device which));

#endif
