/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that tests of shared buffers make in the way of user space
 */
#ifndef SELFTEST_DMABUF_H
#define SELFTEST_DMABUF_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

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
