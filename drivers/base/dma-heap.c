// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes in /dev/dma_heap, from which programs allocate shared buffers
 *
 *	system		memory that suits the devices, allocated on first map
 *	linux,cma	contiguous memory from the default area
 *	cma1, ...	contiguous memory from the private area of a device
 */
#define pr_fmt(fmt) "dma_heap: " fmt

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dma-heap.h"

/**
 * struct dma_heap - a heap; all members are constant
 * @misc: device node
 * @cma: area to allocate buffers from, or NULL for the system heap
 */
struct dma_heap {
	struct miscdevice misc;
	struct cma *cma;
};

/*
 * Allocate a buffer and return its descriptor to user space. The descriptor is
 * installed last, after everything that can fail, because it could not be taken
 * back safely.
 */
static long heap_alloc(struct dma_heap *heap,
		       struct dma_heap_allocation_data *data,
		       void __user *arg, size_t arg_size)
{
	struct dma_buf *dmabuf;
	int fd;

	if (data->fd || (data->fd_flags & ~DMA_HEAP_VALID_FD_FLAGS) ||
	    (data->heap_flags & ~(u64)DMA_HEAP_VALID_HEAP_FLAGS))
		return -EINVAL;
	if (!data->len || data->len > (size_t)PAGE_MASK)
		return -EINVAL;
	if (PAGE_ALIGN(data->len) >> PAGE_SHIFT > totalram_pages)
		return -ENOMEM;

	fd = get_unused_fd_flags(data->fd_flags & O_CLOEXEC);
	if (fd < 0)
		return fd;

	dmabuf = heap_buffer_new(heap->misc.name, heap->cma,
				 PAGE_ALIGN(data->len),
				 data->fd_flags & O_ACCMODE);
	if (IS_ERR(dmabuf)) {
		put_unused_fd(fd);
		return PTR_ERR(dmabuf);
	}

	data->fd = fd;
	if (copy_to_user(arg, data, arg_size)) {
		dma_buf_put(dmabuf);
		put_unused_fd(fd);
		return -EFAULT;
	}

	fd_install(fd, dmabuf->file);
	return 0;
}

/*
 * Accept a structure that is shorter or longer than ours, from a program built
 * with other headers. Missing members are taken as 0.
 */
static long heap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_heap *heap = container_of(file->private_data,
					     struct dma_heap, misc);
	struct dma_heap_allocation_data data;
	size_t size = min_t(size_t, _IOC_SIZE(cmd), sizeof(data));

	if (_IOC_TYPE(cmd) != DMA_HEAP_IOC_MAGIC)
		return -ENOTTY;
	if (_IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC) ||
	    _IOC_DIR(cmd) != _IOC_DIR(DMA_HEAP_IOCTL_ALLOC) ||
	    size < offsetof(struct dma_heap_allocation_data, fd_flags))
		return -EINVAL;

	memset(&data, 0, sizeof(data));
	if (copy_from_user(&data, (void __user *)arg, size))
		return -EFAULT;

	return heap_alloc(heap, &data, (void __user *)arg, size);
}

static const struct file_operations heap_fops = {
	.owner		= THIS_MODULE,
	/* misc_open() sets private_data only for drivers that have open(). */
	.open		= nonseekable_open,
	.unlocked_ioctl	= heap_ioctl,
	.compat_ioctl	= heap_ioctl,
	.llseek		= no_llseek,
};

/**
 * dma_heap_add() - create a heap, which is never removed
 * @name: name of the node in /dev/dma_heap
 * @cma: area to allocate buffers from, or NULL for the system heap
 *
 * Context: boot, may sleep.
 * Return: 0, -ENOMEM, or the error of misc_register().
 */
int __init dma_heap_add(const char *name, struct cma *cma)
{
	struct dma_heap *heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!heap)
		goto fail;

	heap->cma = cma;
	heap->misc.minor = MISC_DYNAMIC_MINOR;
	heap->misc.name = name;
	heap->misc.fops = &heap_fops;
	heap->misc.nodename = kasprintf(GFP_KERNEL, "dma_heap/%s", name);
	if (!heap->misc.nodename)
		goto free_heap;

	ret = misc_register(&heap->misc);
	if (!ret)
		return 0;

	kfree(heap->misc.nodename);
free_heap:
	kfree(heap);
fail:
	pr_err("failed to create heap %s: error %d\n", name, ret);
	return ret;
}

static int __init dma_heap_init(void)
{
	if (dcache_aliases()) {
		pr_info("no heaps: the data cache of this CPU has aliases\n");
		return 0;
	}

	if (HAS_SYSTEM_HEAP)
		dma_heap_add("system", NULL);
	return heap_cma_init();
}
device_initcall(dma_heap_init);
