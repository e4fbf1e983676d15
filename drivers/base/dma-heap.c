// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes in /dev/dma_heap, from which programs allocate shared buffers
 *
 *	system		memory that suits the devices, allocated on first map
 *	default_cma_region
 *			contiguous memory from the default area
 *	linux,cma	the same, under its former name
 *	cma1, ...	contiguous memory from the private area of a device
 */
#define pr_fmt(fmt) "dma_heap: " fmt

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-charge.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dma-heap.h"

/* The system heap, two names of the default area, and at most 64 private areas */
#define MAX_HEAPS	67

static dev_t heap_devt;			/* number of the first node; constant */
static struct class *heap_class;	/* constant */

/**
 * struct dma_heap - a heap; all members are constant
 * @cdev: device node
 * @name: name of the node
 * @cma: area to allocate buffers from, or NULL for the system heap
 */
struct dma_heap {
	struct cdev cdev;
	const char *name;
	struct cma *cma;
};

/**
 * struct heap_file - an open node of a heap; both members are constant
 * @heap: heap
 * @charge: what is charged to the file, or NULL without CONFIG_DMA_CHARGE
 */
struct heap_file {
	struct dma_heap *heap;
	struct dma_charge_file *charge;
};

/*
 * Allocate a buffer and return its descriptor to user space. The descriptor is
 * installed last, after everything that can fail, because it could not be taken
 * back safely.
 */
static long heap_alloc(struct heap_file *file,
		       struct dma_heap_allocation_data *data,
		       void __user *arg, size_t arg_size)
{
	struct dma_heap *heap = file->heap;
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

	dmabuf = heap_buffer_new(heap->name, heap->cma, file->charge,
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

	return heap_alloc(file->private_data, &data, (void __user *)arg, size);
}

static int heap_open(struct inode *inode, struct file *file)
{
	struct heap_file *heap_file = kzalloc(sizeof(*heap_file), GFP_KERNEL);

	if (!heap_file)
		return -ENOMEM;
	heap_file->heap = container_of(inode->i_cdev, struct dma_heap, cdev);
	heap_file->charge = dma_charge_open();
	if (IS_ERR(heap_file->charge)) {
		kfree(heap_file);
		return -ENOMEM;
	}
	file->private_data = heap_file;
	return nonseekable_open(inode, file);
}

static int heap_close(struct inode *inode, struct file *file)
{
	struct heap_file *heap_file = file->private_data;

	dma_charge_close(heap_file->charge);
	kfree(heap_file);
	return 0;
}

static const struct file_operations heap_fops = {
	.owner		= THIS_MODULE,
	.open		= heap_open,
	.release	= heap_close,
	.unlocked_ioctl	= heap_ioctl,
	.compat_ioctl	= heap_ioctl,
	.llseek		= no_llseek,
};

static char *heap_devnode(struct device *dev, mode_t *mode)
{
	return kasprintf(GFP_KERNEL, "dma_heap/%s", dev_name(dev));
}

/**
 * dma_heap_add() - create a heap, which is never removed
 * @name: name of the node in /dev/dma_heap
 * @cma: area to allocate buffers from, or NULL for the system heap
 *
 * Context: boot, may sleep.
 * Return: 0, -ENOMEM, -ENOSPC if there are too many heaps, or the error of
 * cdev_add() or device_create().
 */
int __init dma_heap_add(const char *name, struct cma *cma)
{
	static unsigned int nr_heaps __initdata;
	struct device *dev;
	struct dma_heap *heap;
	dev_t devt = heap_devt + nr_heaps;
	int ret = -ENOSPC;

	if (nr_heaps == MAX_HEAPS)
		goto fail;
	ret = -ENOMEM;
	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		goto fail;

	heap->cma = cma;
	heap->name = name;
	cdev_init(&heap->cdev, &heap_fops);
	heap->cdev.owner = THIS_MODULE;
	ret = cdev_add(&heap->cdev, devt, 1);
	if (ret)
		goto free_heap;
	dev = device_create(heap_class, NULL, devt, heap, "%s", name);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto del_cdev;
	}
	nr_heaps++;
	return 0;

del_cdev:
	cdev_del(&heap->cdev);
free_heap:
	kfree(heap);
fail:
	pr_err("failed to create heap %s: error %d\n", name, ret);
	return ret;
}

/* Create the class, whose name rules of udev can match. */
static int __init heap_class_init(void)
{
	int ret = alloc_chrdev_region(&heap_devt, 0, MAX_HEAPS, "dma_heap");

	if (ret)
		return ret;
	heap_class = class_create(THIS_MODULE, "dma_heap");
	if (IS_ERR(heap_class)) {
		unregister_chrdev_region(heap_devt, MAX_HEAPS);
		return PTR_ERR(heap_class);
	}
	heap_class->devnode = heap_devnode;
	return 0;
}

static int __init dma_heap_init(void)
{
	int ret;

	if (dcache_aliases()) {
		pr_info("no heaps: the data cache of this CPU has aliases\n");
		return 0;
	}

	ret = heap_class_init();
	if (ret)
		return ret;
	if (HAS_SYSTEM_HEAP)
		dma_heap_add("system", NULL);
	return heap_cma_init();
}
device_initcall(dma_heap_init);
