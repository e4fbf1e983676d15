// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_blit - a device behind an IOMMU that copies shared buffers. See cma_blit.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <asm/dma-iommu.h>

#include "cma_blit.h"
#include "cma_iommu.h"
#include "cma_pdev.h"
#include "iommu_domain.h"

/* A buffer while the device may access it */
struct blit_mapped {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

static DEFINE_MUTEX(blit_lock);		/* the device does one thing at a time */
static struct platform_device *blit_pdev;
static struct device_dma_parameters blit_parms;

/* Ranges of memory at these io addresses */
static u32 blit_pieces(u32 addr, u32 size)
{
	phys_addr_t next = 0;
	u32 nr = 0, done;

	for (done = 0; done < size; done += PAGE_SIZE) {
		phys_addr_t phys = cma_iommu_phys(&blit_pdev->dev, addr + done);

		nr += phys != next || !done;
		next = phys + PAGE_SIZE;
	}
	return nr;
}

static void blit_unmap(struct blit_mapped *mapped)
{
	dma_buf_unmap_attachment(mapped->attach, mapped->sgt, mapped->dir);
	dma_buf_detach(mapped->dmabuf, mapped->attach);
	dma_buf_put(mapped->dmabuf);
}

static int blit_map(struct blit_mapped *mapped, struct blit_buffer *buffer,
		    enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret;

	mapped->dir = dir;
	mapped->dmabuf = dma_buf_get(buffer->fd);
	if (IS_ERR(mapped->dmabuf))
		return PTR_ERR(mapped->dmabuf);
	mapped->attach = dma_buf_attach(mapped->dmabuf, &blit_pdev->dev);
	if (IS_ERR(mapped->attach)) {
		ret = PTR_ERR(mapped->attach);
		goto put;
	}
	sgt = dma_buf_map_attachment(mapped->attach, dir);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto detach;
	}
	mapped->sgt = sgt;
	if (sgt->nents != 1) {
		blit_unmap(mapped);
		return -E2BIG;
	}
	buffer->addr = sg_dma_address(sgt->sgl);
	buffer->size = sg_dma_len(sgt->sgl);
	buffer->pieces = blit_pieces(buffer->addr, buffer->size);
	return 0;

detach:
	dma_buf_detach(mapped->dmabuf, mapped->attach);
put:
	dma_buf_put(mapped->dmabuf);
	return ret;
}

static int blit_pages(const struct blit_copy *req)
{
	struct device *dev = &blit_pdev->dev;
	u32 size = req->from.size, done, len;
	void *page;
	int ret = 0;

	if (size != req->to.size)
		return -EINVAL;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (done = 0; done < size && !ret; done += len) {
		len = min_t(u32, size - done, PAGE_SIZE);
		ret = cma_master_read(dev, req->from.addr + done, page, len);
		if (!ret)
			ret = cma_master_store(dev, req->to.addr + done, page, len);
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	free_page((unsigned long)page);
	return ret;
}

static int blit_copy(struct blit_copy *req)
{
	struct blit_mapped from, to;
	int ret;

	ret = blit_map(&from, &req->from, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = blit_map(&to, &req->to, DMA_FROM_DEVICE);
	if (!ret) {
		ret = blit_pages(req);
		blit_unmap(&to);
	}
	blit_unmap(&from);
	return ret;
}

static long blit_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct blit_copy req;
	int ret;

	if (cmd != BLIT_COPY)
		return -ENOTTY;
	if (copy_from_user(&req, (void __user *)arg, sizeof(req)))
		return -EFAULT;
	if (mutex_lock_killable(&blit_lock))
		return -EINTR;
	ret = blit_copy(&req);
	mutex_unlock(&blit_lock);
	if (!ret && copy_to_user((void __user *)arg, &req, sizeof(req)))
		ret = -EFAULT;
	return ret;
}

static const struct file_operations blit_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= blit_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice blit_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "cma_blit",
	.fops	= &blit_fops,
};

static int __init blit_init(void)
{
	struct dma_iommu_mapping *mapping;
	struct device *dev;
	int ret;

	/* A name that cma_iommu_has_name() knows */
	blit_pdev = cma_pdev_register("cma_ioblit", -1);
	if (IS_ERR(blit_pdev))
		return PTR_ERR(blit_pdev);
	dev = &blit_pdev->dev;
	dev->dma_parms = &blit_parms;
	dma_set_max_seg_size(dev, UINT_MAX);
	dma_set_seg_boundary(dev, ~0UL);

	mapping = cma_iommu_create_mapping(dev, 0x80000000, 0x10000000);
	ret = IS_ERR(mapping) ? PTR_ERR(mapping) : arm_iommu_attach_device(dev, mapping);
	if (!IS_ERR(mapping))
		arm_iommu_release_mapping(mapping);
	if (ret)
		goto unregister;
	ret = misc_register(&blit_misc);
	if (!ret)
		return 0;
	arm_iommu_detach_device(dev);
unregister:
	dev->dma_parms = NULL;
	platform_device_unregister(blit_pdev);
	return ret;
}

static void __exit blit_exit(void)
{
	misc_deregister(&blit_misc);
	arm_iommu_detach_device(&blit_pdev->dev);
	blit_pdev->dev.dma_parms = NULL;
	platform_device_unregister(blit_pdev);
}

module_init(blit_init);
module_exit(blit_exit);

MODULE_DESCRIPTION("A device behind an IOMMU that copies shared buffers");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
