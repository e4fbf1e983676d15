/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of /dev/cma_mock for test programs: each call returns the descriptor,
 * close-on-exec, of a new buffer of CMA_MOCK_SIZE bytes
 */
#ifndef CMA_MOCK_H
#define CMA_MOCK_H

#include <linux/ioctl.h>

/* For pages of 4 KiB */
#define CMA_MOCK_SIZE	12388

#define CMA_MOCK_FIXED	_IO('C', 0x60)	/* contiguous, can be mapped */
#define CMA_MOCK_MOVING	_IO('C', 0x61)	/* scattered, moves for a strict device */

#endif
