/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heaps that programs allocate shared buffers from: /dev/dma_heap/.  See
 * Documentation/dma-buf-sharing.txt.
 */
#ifndef __LINUX_DMA_HEAP_H
#define __LINUX_DMA_HEAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMA_HEAP_VALID_FD_FLAGS		(O_CLOEXEC | O_ACCMODE)
#define DMA_HEAP_VALID_HEAP_FLAGS	(0)

/**
 * struct dma_heap_allocation_data - argument of DMA_HEAP_IOCTL_ALLOC
 * @len: bytes, not 0; rounded up to pages
 * @fd: 0; the kernel puts the descriptor of the buffer here
 * @fd_flags: O_CLOEXEC, and O_RDONLY, O_WRONLY or O_RDWR: what the buffer may
 *	      be mapped for
 * @heap_flags: 0
 */
struct dma_heap_allocation_data {
	__u64 len;
	__u32 fd;
	__u32 fd_flags;
	__u64 heap_flags;
};

#define DMA_HEAP_IOC_MAGIC	'H'
#define DMA_HEAP_IOCTL_ALLOC	_IOWR(DMA_HEAP_IOC_MAGIC, 0, \
				      struct dma_heap_allocation_data)

#endif /* __LINUX_DMA_HEAP_H */
