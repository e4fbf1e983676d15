/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of /dev/cma_ctl for test programs
 *
 * Buffers and pins belong to the open file and end when it is closed. A buffer
 * is mapped with mmap(): its offset is the buffer's id times CMA_CTL_MMAP_STEP
 * plus the offset into the buffer.
 */
#ifndef CMA_CTL_H
#define CMA_CTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CMA_CTL_MMAP_STEP	(256ULL * 1024 * 1024)

/* The function that CMA_CTL_ALLOC calls. */
#define CMA_CTL_COHERENT	0	/* dma_alloc_coherent() */
#define CMA_CTL_WRITECOMBINE	1	/* dma_alloc_writecombine() */
#define CMA_CTL_ATOMIC		2	/* coherent, GFP_ATOMIC, interrupts off */

/**
 * struct cma_ctl_area - the default area
 * @base_pfn: first page frame
 * @nr_pages: length in pages
 */
struct cma_ctl_area {
	__u64 base_pfn;
	__u64 nr_pages;
};

/**
 * struct cma_ctl_alloc - a buffer
 * @size: in: bytes
 * @how: in: CMA_CTL_COHERENT, CMA_CTL_WRITECOMBINE or CMA_CTL_ATOMIC
 * @kill: in: when not 0, the caller gets SIGKILL before the allocation starts
 * @id: out: number of the buffer, from 0
 * @nonzero: out: bytes that were not zero after allocation
 * @pfn: out: first page frame
 */
struct cma_ctl_alloc {
	__u64 size;
	__u32 how;
	__u32 kill;
	__u32 id;
	__u32 nonzero;
	__u64 pfn;
};

/**
 * struct cma_ctl_pin - a page of the caller, held by get_user_pages_fast(), or for
 * CMA_CTL_HOLD one of the default area, held by get_page()
 * @addr: in for CMA_CTL_PIN: address of a byte in the page
 * @pfn: out for CMA_CTL_PIN, in for CMA_CTL_HOLD: page frame
 */
struct cma_ctl_pin {
	__u64 addr;
	__u64 pfn;
};

/* The block of memory for CMA_CTL_RANGE. */
#define CMA_CTL_RANGE_SLAB	0	/* one with a slab object, not in an area */
#define CMA_CTL_RANGE_HELD	1	/* one in the area with a held page */
#define CMA_CTL_RANGE_FREE	2	/* one in the area with nothing in it */
#define CMA_CTL_RANGE_PFN	3	/* the one in @pfn and @nr_pages */

/**
 * struct cma_ctl_range - one call of alloc_contig_range()
 * @what: in: CMA_CTL_RANGE_...
 * @kill: in: when not 0, the caller gets SIGKILL before the call
 * @pfn: in for CMA_CTL_RANGE_PFN, else out: first page frame
 * @nr_pages: same: length in pages
 * @ret: out: what the call returned; what it took is free again
 * @pad: 0
 */
struct cma_ctl_range {
	__u32 what;
	__u32 kill;
	__u64 pfn;
	__u64 nr_pages;
	__s32 ret;
	__u32 pad;
};

/**
 * struct cma_ctl_stat - counters since the module was loaded
 * @killed: allocations that failed with a fatal signal pending
 * @range_eintr: calls of alloc_contig_range() that returned -EINTR
 */
struct cma_ctl_stat {
	__u32 killed;
	__u32 range_eintr;
};

#define CMA_CTL_AREA	_IOR('C', 0, struct cma_ctl_area)
#define CMA_CTL_ALLOC	_IOWR('C', 1, struct cma_ctl_alloc)
#define CMA_CTL_FREE	_IO('C', 2)	/* argument: id */
#define CMA_CTL_FILL	_IO('C', 3)	/* id: write the pattern */
#define CMA_CTL_CHECK	_IO('C', 4)	/* id: -EIO if it is not there */
#define CMA_CTL_MAPPED	_IO('C', 5)	/* id: -EIO if an mmap() is wrong */
#define CMA_CTL_PIN	_IOWR('C', 6, struct cma_ctl_pin)
#define CMA_CTL_UNPIN	_IO('C', 7)	/* the one that was pinned last */
#define CMA_CTL_RANGE	_IOWR('C', 8, struct cma_ctl_range)
#define CMA_CTL_STAT	_IOR('C', 9, struct cma_ctl_stat)
#define CMA_CTL_HOLD	_IOW('C', 10, struct cma_ctl_pin)

/*
 * The pattern of CMA_CTL_FILL: word number @index of the buffer that starts at
 * page frame @pfn. User space reads and writes it through its own mapping.
 */
static inline __u32 cma_ctl_word(__u64 pfn, __u32 index)
{
	return ((__u32)pfn * 2654435761u) ^ (index * 2246822519u + 1);
}

#endif
