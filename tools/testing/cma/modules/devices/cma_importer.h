/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of /dev/cma_importer for test programs
 *
 * Each open creates a new device that does DMA, and close removes it and releases
 * all that it holds. A device has one buffer at a time:
 *
 *	IMPORTER_LIMITS		optional
 *	IMPORTER_ATTACH		fd of the buffer
 *	IMPORTER_MAP		the buffer belongs to the device
 *	IMPORTER_SUM, _FILL	it reads and writes
 *	IMPORTER_UNMAP
 *	IMPORTER_DETACH
 *
 * Errors of dma-buf and the exporter are passed on. Others are:
 *
 *	EINVAL	a call out of this order, or an invalid argument
 *	EFAULT	a bad pointer
 *	ENOTTY	no such call
 *	EINTR	the caller was killed
 *	EOPNOTSUPP	this kernel knows no limit for the number of segments
 *	EPROTO	MAP: the exporter's segments violate the limits, or do not add up
 *		to the size of the buffer; nothing is mapped
 *	EIO	SUM and FILL: there is no memory at a DMA address
 */
#ifndef CMA_IMPORTER_H
#define CMA_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct importer_limits - limits of the device; 0: the kernel's default
 * @mask: DMA addresses, 2^n - 1
 * @max_seg_size: bytes in a segment
 * @seg_count: number of segments
 * @boundary: 2^n - 1: no segment has bytes on both sides of a multiple of 2^n
 */
struct importer_limits {
	__u64 mask;
	__u32 max_seg_size;
	__u32 seg_count;
	__u64 boundary;
};

/* How the device uses a mapped buffer: enum dma_data_direction. */
#define IMPORTER_BOTH	0	/* it reads and writes */
#define IMPORTER_READ	1	/* it reads: DMA_TO_DEVICE */
#define IMPORTER_WRITE	2	/* it writes: DMA_FROM_DEVICE */

/**
 * struct importer_map - a buffer with DMA addresses
 * @dir: in: IMPORTER_BOTH, IMPORTER_READ or IMPORTER_WRITE
 * @nents: out: segments
 * @first_dma_addr: out: DMA address of the first segment
 * @bytes: out: all segments together
 * @max_len: out: bytes of the longest segment
 * @pad: 0
 */
struct importer_map {
	__u32 dir;
	__u32 nents;
	__u64 first_dma_addr;
	__u64 bytes;
	__u32 max_len;
	__u32 pad;
};

/**
 * struct importer_sum - a checksum of the buffer
 * @sum: out: FNV-1a, 64 bits, of all bytes in the order of the segments
 */
struct importer_sum {
	__u64 sum;
};

/**
 * struct importer_fill - a pattern to write into the buffer
 * @pattern: in: 32-bit word number i becomes @pattern + i
 */
struct importer_fill {
	__u32 pattern;
};

/**
 * struct importer_cycle - attach, map, unmap and detach
 * @fd: in: buffer
 * @count: in: how many times, not 0
 */
struct importer_cycle {
	__s32 fd;
	__u32 count;
};

#define IMPORTER_LIMITS	_IOW('C', 0x40, struct importer_limits)
#define IMPORTER_ATTACH	_IO('C', 0x41)	/* argument: fd */
#define IMPORTER_DETACH	_IO('C', 0x42)
#define IMPORTER_MAP	_IOWR('C', 0x43, struct importer_map)
#define IMPORTER_UNMAP	_IO('C', 0x44)
#define IMPORTER_SUM	_IOR('C', 0x45, struct importer_sum)
#define IMPORTER_FILL	_IOW('C', 0x46, struct importer_fill)
/* argument: fd; returns another one for the same buffer, close-on-exec */
#define IMPORTER_FD	_IO('C', 0x47)
/* while the device has no buffer; the device reads */
#define IMPORTER_CYCLE	_IOW('C', 0x48, struct importer_cycle)

#define IMPORTER_SUM_INIT	0xcbf29ce484222325ULL

/* FNV-1a of @len more bytes; @sum is IMPORTER_SUM_INIT for the first ones. */
static inline __u64 importer_sum(__u64 sum, const void *data, unsigned long len)
{
	const __u8 *byte = data;

	while (len--)
		sum = (sum ^ *byte++) * 0x100000001b3ULL;
	return sum;
}

#endif
