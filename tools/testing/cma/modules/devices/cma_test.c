// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_test - allocate and free DMA buffers by hand
 *
 * Each write allocates one buffer with dma_alloc_coherent(): the first one has
 * 1 MiB, the next one 2 MiB, and so on up to 10 MiB, then 1 MiB again. What is
 * written does not matter. A write that fails gives -ENOMEM, and the next one
 * tries the same size again. Each read frees the oldest buffer and returns 0
 * (end of file), even if there was nothing to free. The results are in the
 * kernel log. Removing the module frees what is left.
 *
 *	echo > /dev/cma_test		# allocate
 *	cat /dev/cma_test		# free
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "cma_pdev.h"

#define CMA_TEST_MIB		(1024 * 1024)
#define CMA_TEST_MAX_MIB	10

/* One buffer, in the order of allocation on cma_test_buffers. */
struct cma_test_buffer {
	struct list_head node;
	size_t size;		/* bytes */
	void *virt;
	dma_addr_t dma;
};

static struct platform_device *cma_test_pdev;

/* Protects all of the below; may be held across an allocation. */
static DEFINE_MUTEX(cma_test_lock);
static LIST_HEAD(cma_test_buffers);
static unsigned int cma_test_next_mib = 1;

/* Write one word to each page and read all of them back. */
static bool cma_test_touch(const struct cma_test_buffer *buffer)
{
	size_t offset;

	for (offset = 0; offset < buffer->size; offset += PAGE_SIZE)
		*(u32 *)(buffer->virt + offset) = buffer->dma + offset;
	barrier();
	for (offset = 0; offset < buffer->size; offset += PAGE_SIZE)
		if (*(u32 *)(buffer->virt + offset) !=
		    (u32)(buffer->dma + offset))
			return false;
	return true;
}

/* Call with cma_test_lock held, or when no other caller is left. */
static void cma_test_free_oldest(void)
{
	struct cma_test_buffer *buffer;

	buffer = list_first_entry(&cma_test_buffers, struct cma_test_buffer,
				  node);
	list_del(&buffer->node);
	dma_free_coherent(&cma_test_pdev->dev, buffer->size, buffer->virt,
			  buffer->dma);
	pr_info("freed %zu MiB: virtual 0x%08lx physical 0x%08llx\n",
		buffer->size / CMA_TEST_MIB, (unsigned long)buffer->virt,
		(unsigned long long)buffer->dma);
	kfree(buffer);
}

static int cma_test_alloc_next(void)
{
	struct cma_test_buffer *buffer;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;

	buffer->size = cma_test_next_mib * CMA_TEST_MIB;
	buffer->virt = dma_alloc_coherent(&cma_test_pdev->dev, buffer->size,
					  &buffer->dma, GFP_KERNEL);
	if (!buffer->virt) {
		kfree(buffer);
		return -ENOMEM;
	}

	list_add_tail(&buffer->node, &cma_test_buffers);
	pr_info("allocated %u MiB: virtual 0x%08lx physical 0x%08llx\n",
		cma_test_next_mib, (unsigned long)buffer->virt,
		(unsigned long long)buffer->dma);
	if (!cma_test_touch(buffer)) {
		pr_err("buffer at 0x%08llx does not keep what is written\n",
		       (unsigned long long)buffer->dma);
		return -EIO;
	}
	cma_test_next_mib = cma_test_next_mib % CMA_TEST_MAX_MIB + 1;
	return 0;
}

static ssize_t cma_test_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	int ret;

	if (mutex_lock_interruptible(&cma_test_lock))
		return -ERESTARTSYS;
	ret = cma_test_alloc_next();
	if (ret)
		pr_info("%u MiB: error %d\n", cma_test_next_mib, ret);
	mutex_unlock(&cma_test_lock);
	return ret ? ret : count;
}

static ssize_t cma_test_read(struct file *file, char __user *buf,
			     size_t count, loff_t *ppos)
{
	if (mutex_lock_interruptible(&cma_test_lock))
		return -ERESTARTSYS;
	if (!list_empty(&cma_test_buffers))
		cma_test_free_oldest();
	mutex_unlock(&cma_test_lock);
	return 0;
}

static const struct file_operations cma_test_fops = {
	.owner	= THIS_MODULE,
	.read	= cma_test_read,
	.write	= cma_test_write,
	.llseek	= noop_llseek,
};

static struct miscdevice cma_test_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "cma_test",
	.fops	= &cma_test_fops,
};

static int __init cma_test_init(void)
{
	int ret;

	cma_test_pdev = cma_pdev_register("cma_test", -1);
	if (IS_ERR(cma_test_pdev))
		return PTR_ERR(cma_test_pdev);
	ret = misc_register(&cma_test_misc);
	if (ret)
		platform_device_unregister(cma_test_pdev);
	return ret;
}

static void __exit cma_test_exit(void)
{
	misc_deregister(&cma_test_misc);
	while (!list_empty(&cma_test_buffers))
		cma_test_free_oldest();
	platform_device_unregister(cma_test_pdev);
}

module_init(cma_test_init);
module_exit(cma_test_exit);

MODULE_DESCRIPTION("Allocates and frees contiguous DMA buffers by hand");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
