/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface of the nodes in /dev/dma_heap, from which programs allocate shared
 * buffers. See Documentation/dma-buf-sharing.txt.
 */
#ifndef __LINUX_DMA_HEAP_H
#define __LINUX_DMA_HEAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMA_HEAP_VALID_FD_FLAGS		(O_CLOEXEC | O_ACCMODE)
#define DMA_HEAP_VALID_HEAP_FLAGS	(0)

/**
 * struct dma_heap_allocation_data - argument of DMA_HEAP_IOCTL_ALLOC
 * @len: size in bytes, not 0; rounded up to whole pages
 * @fd: must be 0; returns the file descriptor of the buffer
 * @fd_flags: O_RDONLY, O_WRONLY or O_RDWR, the access that mappings of the
 *	      buffer may have, optionally with O_CLOEXEC
 * @heap_flags: must be 0
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
