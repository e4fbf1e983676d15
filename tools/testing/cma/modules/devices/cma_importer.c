// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_importer - devices that do DMA to shared buffers. See cma_importer.h.
 *
 * This file models the hardware: it reads and writes memory at the DMA addresses
 * of the segments that it was passed, and knows nothing else.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/cacheflush.h>
#include <asm/outercache.h>

#include "cma_importer.h"
#include "cma_pdev.h"
#include "compat.h"

/* An open file: a device and its buffer. */
struct importer {
	struct mutex lock;			/* protects all fields */
	struct platform_device *pdev;
	struct device_dma_parameters parms;
	struct importer_limits limits;
	struct dma_buf *dmabuf;			/* NULL: not attached */
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;			/* NULL: not mapped */
	enum dma_data_direction dir;		/* of @sgt */
};

/* The state of the device while it reads or writes a buffer. */
struct importer_dma {
	bool write;
	u64 sum;		/* of what it has read */
	u32 word;		/* to be written next */
};

static atomic_t importer_last_id = ATOMIC_INIT(-1);

/* Is it 2^n - 1? */
static bool importer_is_mask(u64 mask)
{
	return !(mask & (mask + 1));
}

static int importer_set_limits(struct importer *importer, void __user *arg)
{
	struct device *dev = &importer->pdev->dev;
	struct importer_limits limits;

	if (copy_from_user(&limits, arg, sizeof(limits)))
		return -EFAULT;
	if (importer->dmabuf || !importer_is_mask(limits.mask) ||
	    !importer_is_mask(limits.boundary) || limits.boundary > ULONG_MAX)
		return -EINVAL;
#ifndef dma_set_max_seg_count
	if (limits.seg_count)
		return -EOPNOTSUPP;
#endif

	importer->limits = limits;
	*dev->dma_mask = limits.mask ? limits.mask : DMA_BIT_MASK(32);
	if (!limits.max_seg_size && !limits.seg_count && !limits.boundary) {
		dev->dma_parms = NULL;
		return 0;
	}
	dev->dma_parms = &importer->parms;
	dma_set_max_seg_size(dev, limits.max_seg_size);
	dma_set_seg_boundary(dev, limits.boundary);
#ifdef dma_set_max_seg_count
	dma_set_max_seg_count(dev, limits.seg_count);
#endif
	return 0;
}

static int importer_attach(struct importer *importer, int fd)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;

	if (importer->dmabuf)
		return -EINVAL;
	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attach = dma_buf_attach(dmabuf, &importer->pdev->dev);
	if (IS_ERR(attach)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attach);
	}
	importer->dmabuf = dmabuf;
	importer->attach = attach;
	return 0;
}

static int importer_detach(struct importer *importer)
{
	if (!importer->dmabuf || importer->sgt)
		return -EINVAL;
	dma_buf_detach(importer->dmabuf, importer->attach);
	dma_buf_put(importer->dmabuf);
	importer->dmabuf = NULL;
	return 0;
}

static int importer_unmap(struct importer *importer)
{
	if (!importer->sgt)
		return -EINVAL;
	dma_buf_unmap_attachment(importer->attach, importer->sgt,
				 importer->dir);
	importer->sgt = NULL;
	return 0;
}

/* Can the device do DMA to a segment? */
static bool importer_can_reach(const struct importer_limits *limits,
			       struct scatterlist *sg)
{
	u64 first = sg_dma_address(sg);
	u64 last = first + sg_dma_len(sg) - 1;

	if (limits->mask && last > limits->mask)
		return false;
	if (limits->max_seg_size && sg_dma_len(sg) > limits->max_seg_size)
		return false;
	return !limits->boundary ||
	       (first | limits->boundary) == (last | limits->boundary);
}

/* Describe the mapping in @req; false if the device cannot use it. */
static bool importer_inspect(struct importer *importer,
			     struct importer_map *req)
{
	const struct importer_limits *limits = &importer->limits;
	struct sg_table *sgt = importer->sgt;
	struct scatterlist *sg;
	unsigned int i;

	req->nents = sgt->nents;
	req->first_dma_addr = sg_dma_address(sgt->sgl);
	req->bytes = 0;
	req->max_len = 0;
	req->pad = 0;
	for_each_sg(sgt->sgl, sg, sgt->nents, i) {
		if (!sg_dma_len(sg) || !importer_can_reach(limits, sg))
			return false;
		req->bytes += sg_dma_len(sg);
		req->max_len = max_t(u32, req->max_len, sg_dma_len(sg));
	}
	return req->bytes == importer->dmabuf->size &&
	       (!limits->seg_count || req->nents <= limits->seg_count);
}

static int importer_map(struct importer *importer, void __user *arg)
{
	struct importer_map req;
	struct sg_table *sgt;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!importer->dmabuf || importer->sgt || req.dir > DMA_FROM_DEVICE)
		return -EINVAL;
	sgt = dma_buf_map_attachment(importer->attach, req.dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	importer->sgt = sgt;
	importer->dir = req.dir;
	if (!importer_inspect(importer, &req)) {
		importer_unmap(importer);
		return -EPROTO;
	}
	if (copy_to_user(arg, &req, sizeof(req))) {
		importer_unmap(importer);
		return -EFAULT;
	}
	return 0;
}

/* Read or write one page in memory, where the writes of a device go. */
static void importer_page(struct importer_dma *dma, struct page *page,
			  size_t offset, size_t len)
{
	phys_addr_t phys = page_to_phys(page) + offset;
	void *virt = kmap(page) + offset;
	size_t i;

	if (dma->write) {
		for (i = 0; i < len / sizeof(u32); i++)
			((u32 *)virt)[i] = dma->word++;
		__cpuc_flush_dcache_area(virt, len);
		outer_flush_range(phys, phys + len);
	} else {
		dma->sum = importer_sum(dma->sum, virt, len);
	}
	kunmap(page);
}

/* Do DMA to all of the buffer, segment by segment. */
static int importer_dma(struct importer *importer, struct importer_dma *dma)
{
	struct device *dev = &importer->pdev->dev;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(importer->sgt->sgl, sg, importer->sgt->nents, i) {
		dma_addr_t addr = sg_dma_address(sg);
		size_t left = sg_dma_len(sg);

		while (left) {
			unsigned long pfn = dma_to_pfn(dev, addr);
			size_t offset = addr & ~PAGE_MASK;
			size_t len = min_t(size_t, left, PAGE_SIZE - offset);

			if (!pfn_valid(pfn))
				return -EIO;
			importer_page(dma, pfn_to_page(pfn), offset, len);
			addr += len;
			left -= len;
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
	}
	return 0;
}

static int importer_sum_all(struct importer *importer, void __user *arg)
{
	struct importer_dma dma = { .sum = IMPORTER_SUM_INIT };
	struct importer_sum req = {};
	int ret;

	if (!importer->sgt || importer->dir == DMA_FROM_DEVICE)
		return -EINVAL;
	ret = importer_dma(importer, &dma);
	if (ret)
		return ret;
	req.sum = dma.sum;
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static int importer_fill_all(struct importer *importer, void __user *arg)
{
	struct importer_dma dma = { .write = true };
	struct importer_fill req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!importer->sgt || importer->dir == DMA_TO_DEVICE)
		return -EINVAL;
	dma.word = req.pattern;
	return importer_dma(importer, &dma);
}

static int importer_new_fd(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (ret < 0)
		dma_buf_put(dmabuf);
	return ret;
}

static int importer_cycle_once(struct device *dev, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;
	int ret = 0;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		ret = PTR_ERR(sgt);
	else
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	return ret;
}

static int importer_cycle(struct importer *importer, void __user *arg)
{
	struct importer_cycle req;
	struct dma_buf *dmabuf;
	int ret = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (importer->dmabuf || !req.count)
		return -EINVAL;
	dmabuf = dma_buf_get(req.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	while (!ret && req.count--) {
		ret = importer_cycle_once(&importer->pdev->dev, dmabuf);
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	dma_buf_put(dmabuf);
	return ret;
}

static int importer_call(struct importer *importer, unsigned int cmd,
			 unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case IMPORTER_LIMITS:
		return importer_set_limits(importer, user);
	case IMPORTER_ATTACH:
		return importer_attach(importer, arg);
	case IMPORTER_DETACH:
		return importer_detach(importer);
	case IMPORTER_MAP:
		return importer_map(importer, user);
	case IMPORTER_UNMAP:
		return importer_unmap(importer);
	case IMPORTER_SUM:
		return importer_sum_all(importer, user);
	case IMPORTER_FILL:
		return importer_fill_all(importer, user);
	case IMPORTER_FD:
		return importer_new_fd(arg);
	case IMPORTER_CYCLE:
		return importer_cycle(importer, user);
	}
	return -ENOTTY;
}

static long importer_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	struct importer *importer = file->private_data;
	int ret;

	if (mutex_lock_killable(&importer->lock))
		return -EINTR;
	ret = importer_call(importer, cmd, arg);
	mutex_unlock(&importer->lock);
	return ret;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	int id = atomic_inc_return(&importer_last_id) & INT_MAX;
	struct platform_device *pdev;

	if (!importer)
		return -ENOMEM;
	pdev = cma_pdev_register("cma_importer", id);
	if (IS_ERR(pdev)) {
		kfree(importer);
		return PTR_ERR(pdev);
	}
	pdev->dev.dma_parms = NULL;
	mutex_init(&importer->lock);
	importer->pdev = pdev;
	file->private_data = importer;
	return 0;
}

/* The last user of the file: steps that do not apply return -EINVAL */
static int importer_release(struct inode *inode, struct file *file)
{
	struct importer *importer = file->private_data;

	importer_unmap(importer);
	importer_detach(importer);
	platform_device_unregister(importer->pdev);
	kfree(importer);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner		= THIS_MODULE,
	.open		= importer_open,
	.release	= importer_release,
	.unlocked_ioctl	= importer_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice importer_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "cma_importer",
	.fops	= &importer_fops,
};

static int __init importer_init(void)
{
	return misc_register(&importer_misc);
}

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_DESCRIPTION("Devices that do DMA to shared buffers");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
#ifdef MODULE_IMPORT_NS
MODULE_IMPORT_NS(DMA_BUF);
#endif
