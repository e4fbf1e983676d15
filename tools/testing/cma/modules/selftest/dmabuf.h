/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that tests of shared buffers make in the way of user space
 */
#ifndef SELFTEST_DMABUF_H
#define SELFTEST_DMABUF_H

#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "selftest.h"

/* ioctl() with an argument in kernel memory */
static inline long st_ioctl(struct file *file, unsigned int cmd, void *arg)
{
	mm_segment_t fs = get_fs();
	long ret;

	set_fs(KERNEL_DS);
	ret = file->f_op->unlocked_ioctl(file, cmd, (unsigned long)arg);
	set_fs(fs);
	return ret;
}

/* A descriptor of a new buffer; -1 if there is no such heap, or if it fails */
static inline int st_heap_fd(struct st *t, const char *path, size_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR };
	struct file *heap = filp_open(path, O_RDWR, 0);
	long ret;

	if (IS_ERR(heap)) {
		t->skipped = "no such heap";
		return -1;
	}
	ret = st_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	filp_close(heap, NULL);
	return ST_CHECK(t, !ret, "%s: %ld", path, ret) ? data.fd : -1;
}

/* mmap() into the process that reads the result: an address or an errno */
static inline unsigned long st_map_user(struct file *file, size_t size,
					unsigned long pgoff)
{
	unsigned long addr;

	down_write(&current->mm->mmap_sem);
	addr = do_mmap_pgoff(file, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     pgoff);
	up_write(&current->mm->mmap_sem);
	return addr;
}

static inline void st_unmap_user(unsigned long addr, size_t size)
{
	down_write(&current->mm->mmap_sem);
	do_munmap(current->mm, addr, size);
	up_write(&current->mm->mmap_sem);
}

#endif
