// SPDX-License-Identifier: GPL-2.0
/*
 * The end of the list of tests: this object is the last one in the module.
 */
#include "selftest.h"

static const struct cma_selftest *const st_end[1]
	__used __section(cma_selftests) = { NULL };
