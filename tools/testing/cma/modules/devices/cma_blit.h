/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of /dev/cma_blit for test programs
 *
 * A device behind the IOMMU of the module cma_iommu copies one shared buffer to another
 * one. It knows only io addresses. Errors of dma-buf and the exporters are passed on.
 * Others are:
 *
 *	EINVAL	the buffers have different sizes
 *	EFAULT	a bad pointer, or the IOMMU has counted a fault
 *	E2BIG	a buffer is not one range of io addresses
 *	ENOTTY	no such call
 *	EINTR	the caller was killed
 */
#ifndef CMA_BLIT_H
#define CMA_BLIT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct blit_buffer - a buffer, and where it is
 * @fd: in: its descriptor
 * @addr: out: its first io address
 * @size: out: bytes
 * @pieces: out: ranges of memory that it consists of
 */
struct blit_buffer {
	__s32 fd;
	__u32 addr;
	__u32 size;
	__u32 pieces;
};

/**
 * struct blit_copy - what to copy
 * @from: what the device reads
 * @to: what it writes
 */
struct blit_copy {
	struct blit_buffer from;
	struct blit_buffer to;
};

#define BLIT_COPY	_IOWR('C', 0x60, struct blit_copy)

#endif
