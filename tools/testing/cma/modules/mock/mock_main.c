// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_mock - a module that exports shared buffers. See cma_mock.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "cma_mock.h"
#include "mock_exporter.h"

static void cma_mock_done(struct mock *mock)
{
	kfree(mock);
}

static int cma_mock_new(enum mock_kind kind)
{
	struct mock *mock = kmalloc(sizeof(*mock), GFP_KERNEL);
	struct dma_buf *dmabuf;
	int fd;

	if (!mock)
		return -ENOMEM;
	dmabuf = mock_export(mock, kind);
	if (IS_ERR(dmabuf)) {
		kfree(mock);
		return PTR_ERR(dmabuf);
	}
	mock->done = cma_mock_done;
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static long cma_mock_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	switch (cmd) {
	case CMA_MOCK_FIXED:
		return cma_mock_new(MOCK_FIXED);
	case CMA_MOCK_MOVING:
		return cma_mock_new(MOCK_MOVING);
	}
	return -ENOTTY;
}

static const struct file_operations cma_mock_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= cma_mock_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice cma_mock_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "cma_mock",
	.fops	= &cma_mock_fops,
};

static int __init cma_mock_init(void)
{
	return misc_register(&cma_mock_misc);
}

static void __exit cma_mock_exit(void)
{
	misc_deregister(&cma_mock_misc);
}

module_init(cma_mock_init);
module_exit(cma_mock_exit);

MODULE_DESCRIPTION("Exports shared buffers for tests");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
