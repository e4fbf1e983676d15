/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers of the module cma_mock, for the test programs. Include tap.h and guest.h
 * first.
 */
#ifndef MOCK_H
#define MOCK_H

#include "cma_mock.h"

/* A buffer of kind CMA_MOCK_*; @loaded is the result of loading the module. */
static int mock_export(int loaded, unsigned long kind)
{
	int node, fd;

	REQUIRE(!loaded, "cma_mock: %s", strerror(-loaded));
	node = open_misc("cma_mock", O_RDWR | O_CLOEXEC);
	REQUIRE(node >= 0, "/dev/cma_mock: %s", strerror(errno));
	fd = ioctl(node, kind);
	REQUIRE(fd >= 0, "no buffer: %s", strerror(errno));
	close(node);
	return fd;
}

#endif
