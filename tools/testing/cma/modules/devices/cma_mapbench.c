// SPDX-License-Identifier: GPL-2.0
/*
 * Measure mapping for a device: dma_map_single() and dma_map_sg()
 *
 * Write "MODE SIZE COUNT" to debugfs cma_mapbench and read the figure there:
 *
 *	single SIZE COUNT	map SIZE bytes, COUNT times, and unmap them
 *	list SIZE COUNT		map a list of SIZE bytes in entries of 4 KiB, COUNT
 *				times, and unmap it
 *	sync SIZE COUNT		sync SIZE bytes of a list of 16 MiB, COUNT times
 *	buffer SIZE COUNT	allocate a coherent buffer, COUNT times, and free it
 *
 * The device reads; with the suffix "-from", as in single-from, it writes.
 *
 * The figure is one line, in which TIME is in ns, of 100 entries that are mapped and
 * unmapped, in the fastest of several runs:
 *
 *	bench map-MODE SIZE COUNT TIME
 *
 * With the parameter "iommu=1" the device is behind the IOMMU of the module cma_iommu,
 * and the line begins with "bench io-MODE".  With "live=N" it has N other mappings
 * at that time, and the line has "-liveN" behind MODE.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#ifdef CONFIG_ARM_DMA_USE_IOMMU
#include <asm/dma-iommu.h>
#endif

#include "cma_pdev.h"

#define CMA_MAPBENCH_MAX_COUNT	10000
#define CMA_MAPBENCH_ENTRIES	4096
#define CMA_MAPBENCH_SINGLE	65536
#define CMA_MAPBENCH_RUNS	9
#define CMA_MAPBENCH_MAX_LIVE	4096

static bool iommu;
module_param(iommu, bool, 0444);
MODULE_PARM_DESC(iommu, "the device is behind an IOMMU");

static uint live;
module_param(live, uint, 0444);
MODULE_PARM_DESC(live, "number of mappings that the device has all the time");

static struct platform_device *cma_mapbench_pdev;
static struct dentry *cma_mapbench_file;
static struct device_dma_parameters cma_mapbench_parms;
static struct page *cma_mapbench_live_page;
static dma_addr_t *cma_mapbench_live;

/* Guards what follows; held while a command runs. */
static DEFINE_MUTEX(cma_mapbench_lock);
static char cma_mapbench_mode[16];
static enum dma_data_direction cma_mapbench_dir;
static unsigned int cma_mapbench_size;
static unsigned int cma_mapbench_count;
static u64 cma_mapbench_ns;	/* of the fastest run; 0: none */

static int cma_mapbench_single(void *data)
{
	struct device *dev = &cma_mapbench_pdev->dev;
	unsigned int i;

	for (i = 0; i < cma_mapbench_count; i++) {
		dma_addr_t dma = dma_map_single(dev, data, cma_mapbench_size,
						cma_mapbench_dir);

		if (dma_mapping_error(dev, dma))
			return -EIO;
		dma_unmap_single(dev, dma, cma_mapbench_size, cma_mapbench_dir);
	}
	return 0;
}

static int cma_mapbench_list(struct scatterlist *sg)
{
	struct device *dev = &cma_mapbench_pdev->dev;
	unsigned int nents = cma_mapbench_size / PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < cma_mapbench_count; i++) {
		if (!dma_map_sg(dev, sg, nents, cma_mapbench_dir))
			return -EIO;
		dma_unmap_sg(dev, sg, nents, cma_mapbench_dir);
	}
	return 0;
}

/* Sync parts of a list that is one range, for the device and for the CPU. */
static int cma_mapbench_sync(struct scatterlist *sg)
{
	struct device *dev = &cma_mapbench_pdev->dev;
	unsigned int i;

	for (i = 0; i < cma_mapbench_count; i++) {
		size_t offset = i * 7 % CMA_MAPBENCH_ENTRIES * PAGE_SIZE;

		if (offset + cma_mapbench_size > sg_dma_len(sg))
			offset = 0;
		dma_sync_single_range_for_device(dev, sg_dma_address(sg),
						 offset, cma_mapbench_size,
						 cma_mapbench_dir);
	}
	return 0;
}

static int cma_mapbench_buffer(void)
{
	struct device *dev = &cma_mapbench_pdev->dev;
	unsigned int i;

	for (i = 0; i < cma_mapbench_count; i++) {
		dma_addr_t dma;
		void *virt = dma_alloc_coherent(dev, cma_mapbench_size, &dma,
						GFP_KERNEL);

		if (!virt)
			return -ENOMEM;
		dma_free_coherent(dev, cma_mapbench_size, virt, dma);
	}
	return 0;
}

static bool cma_mapbench_is(const char *mode)
{
	return !strncmp(cma_mapbench_mode, mode, strlen(mode));
}

static int cma_mapbench_once(void *data, struct scatterlist *sg)
{
	if (cma_mapbench_is("sync"))
		return cma_mapbench_sync(sg);
	if (cma_mapbench_is("buffer"))
		return cma_mapbench_buffer();
	return sg ? cma_mapbench_list(sg) : cma_mapbench_single(data);
}

static int cma_mapbench_run(void *data, struct scatterlist *sg)
{
	unsigned int run;

	for (run = 0; run < CMA_MAPBENCH_RUNS; run++) {
		ktime_t start = ktime_get();
		int ret = cma_mapbench_once(data, sg);
		u64 ns = ktime_to_ns(ktime_sub(ktime_get(), start));

		if (ret)
			return ret;
		if (!run || ns < cma_mapbench_ns)
			cma_mapbench_ns = ns;
		cond_resched();
	}
	return 0;
}

/* All entries are the same memory, so that no length of a list is too long. */
static struct scatterlist *cma_mapbench_entries(struct page *page,
						unsigned int nents)
{
	struct scatterlist *sg;
	unsigned int i;

	/* Not all configurations can chain tables of a page each */
	sg = kcalloc(nents, sizeof(*sg), GFP_KERNEL);
	if (!sg)
		return NULL;
	sg_init_table(sg, nents);
	for (i = 0; i < nents; i++)
		sg_set_page(&sg[i], page, PAGE_SIZE, 0);
	return sg;
}

static int cma_mapbench_run_sync(struct scatterlist *sg)
{
	struct device *dev = &cma_mapbench_pdev->dev;
	int ret;

	if (!dma_map_sg(dev, sg, CMA_MAPBENCH_ENTRIES, cma_mapbench_dir))
		return -EIO;
	ret = cma_mapbench_run(NULL, sg);
	dma_unmap_sg(dev, sg, CMA_MAPBENCH_ENTRIES, cma_mapbench_dir);
	return ret;
}

static int cma_mapbench_prepare(void)
{
	unsigned int order = get_order(CMA_MAPBENCH_SINGLE);
	struct page *page = alloc_pages(GFP_KERNEL, order);
	unsigned int nents = CMA_MAPBENCH_ENTRIES;
	struct scatterlist *sg = NULL;
	int ret = -ENOMEM;

	if (!page)
		return ret;
	if (cma_mapbench_is("list"))
		nents = cma_mapbench_size / PAGE_SIZE;
	if (cma_mapbench_is("list") || cma_mapbench_is("sync")) {
		sg = cma_mapbench_entries(page, nents);
		if (!sg)
			goto free;
	}
	if (cma_mapbench_is("sync"))
		ret = cma_mapbench_run_sync(sg);
	else
		ret = cma_mapbench_run(page_address(page), sg);
	kfree(sg);
free:
	__free_pages(page, order);
	return ret;
}

/* The largest SIZE of a mode, 0 if there is no such mode. */
static unsigned int cma_mapbench_max(const char *mode)
{
	if (!strncmp(mode, "single", 6))
		return CMA_MAPBENCH_SINGLE;
	if (!strncmp(mode, "list", 4) || !strncmp(mode, "sync", 4) ||
	    !strncmp(mode, "buffer", 6))
		return CMA_MAPBENCH_ENTRIES * PAGE_SIZE;
	return 0;
}

static ssize_t cma_mapbench_write(struct file *file, const char __user *buf,
				  size_t count, loff_t *ppos)
{
	unsigned int size, times;
	char command[64];
	char mode[16];
	int ret;

	if (count >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, count))
		return -EFAULT;
	command[count] = '\0';
	if (sscanf(command, "%15s %u %u", mode, &size, &times) != 3 ||
	    !times || times > CMA_MAPBENCH_MAX_COUNT)
		return -EINVAL;
	if (!size || size > cma_mapbench_max(mode) ||
	    (!strncmp(mode, "list", 4) && size % PAGE_SIZE))
		return -EINVAL;

	if (mutex_lock_interruptible(&cma_mapbench_lock))
		return -ERESTARTSYS;
	strcpy(cma_mapbench_mode, mode);
	cma_mapbench_dir = strstr(mode, "-from") ? DMA_FROM_DEVICE :
						   DMA_TO_DEVICE;
	cma_mapbench_size = size;
	cma_mapbench_count = times;
	ret = cma_mapbench_prepare();
	if (ret)
		cma_mapbench_ns = 0;
	mutex_unlock(&cma_mapbench_lock);
	return ret ? ret : count;
}

static int cma_mapbench_show(struct seq_file *m, void *unused)
{
	unsigned int entries;
	char others[16] = "";

	mutex_lock(&cma_mapbench_lock);
	entries = cma_mapbench_count;
	if (cma_mapbench_is("list"))
		entries *= cma_mapbench_size / PAGE_SIZE;
	if (live)
		snprintf(others, sizeof(others), "-live%u", live);
	if (cma_mapbench_ns)
		seq_printf(m, "bench %s-%s%s %u %u %llu\n",
			   iommu ? "io" : "map", cma_mapbench_mode, others,
			   cma_mapbench_size, cma_mapbench_count,
			   div_u64(100 * cma_mapbench_ns, entries));
	mutex_unlock(&cma_mapbench_lock);
	return 0;
}

static int cma_mapbench_open(struct inode *inode, struct file *file)
{
	return single_open(file, cma_mapbench_show, NULL);
}

static const struct file_operations cma_mapbench_fops = {
	.owner		= THIS_MODULE,
	.open		= cma_mapbench_open,
	.read		= seq_read,
	.write		= cma_mapbench_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

#ifdef CONFIG_ARM_DMA_USE_IOMMU
static int cma_mapbench_attach(struct device *dev)
{
	struct dma_iommu_mapping *mapping;
	int ret;

	mapping = arm_iommu_create_mapping(&platform_bus_type, 0x80000000,
					   0x40000000, 0);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	ret = arm_iommu_attach_device(dev, mapping);
	arm_iommu_release_mapping(mapping);
	return ret;
}

static void cma_mapbench_detach(struct device *dev)
{
	arm_iommu_detach_device(dev);
}
#else
static int cma_mapbench_attach(struct device *dev)
{
	return -ENODEV;
}

static void cma_mapbench_detach(struct device *dev)
{
}
#endif

/* Let the device have the mappings that it has all the time. */
static int cma_mapbench_add_live(struct device *dev)
{
	unsigned int i;

	if (!live)
		return 0;
	if (live > CMA_MAPBENCH_MAX_LIVE)
		return -EINVAL;
	cma_mapbench_live = kcalloc(live, sizeof(*cma_mapbench_live),
				    GFP_KERNEL);
	cma_mapbench_live_page = alloc_page(GFP_KERNEL);
	if (!cma_mapbench_live || !cma_mapbench_live_page)
		goto free;
	for (i = 0; i < live; i++) {
		cma_mapbench_live[i] = dma_map_page(dev, cma_mapbench_live_page,
						    0, PAGE_SIZE, DMA_TO_DEVICE);
		if (dma_mapping_error(dev, cma_mapbench_live[i]))
			goto unmap;
	}
	return 0;

unmap:
	while (i--)
		dma_unmap_page(dev, cma_mapbench_live[i], PAGE_SIZE,
			       DMA_TO_DEVICE);
free:
	if (cma_mapbench_live_page)
		__free_page(cma_mapbench_live_page);
	kfree(cma_mapbench_live);
	return -ENOMEM;
}

static void cma_mapbench_remove_live(struct device *dev)
{
	unsigned int i;

	if (!live)
		return;
	for (i = 0; i < live; i++)
		dma_unmap_page(dev, cma_mapbench_live[i], PAGE_SIZE,
			       DMA_TO_DEVICE);
	__free_page(cma_mapbench_live_page);
	kfree(cma_mapbench_live);
}

static int __init cma_mapbench_init(void)
{
	struct device *dev;
	int ret;

	cma_mapbench_pdev = cma_pdev_register("cma_mapbench", -1);
	if (IS_ERR(cma_mapbench_pdev))
		return PTR_ERR(cma_mapbench_pdev);
	dev = &cma_mapbench_pdev->dev;
	dev->dma_parms = &cma_mapbench_parms;
	dma_set_max_seg_size(dev, UINT_MAX);
	dma_set_seg_boundary(dev, ~0UL);
	ret = iommu ? cma_mapbench_attach(dev) : 0;
	if (ret)
		goto unregister;
	ret = cma_mapbench_add_live(dev);
	if (ret)
		goto detach;
	cma_mapbench_file = debugfs_create_file("cma_mapbench", 0600, NULL,
						NULL, &cma_mapbench_fops);
	if (!IS_ERR_OR_NULL(cma_mapbench_file))
		return 0;

	ret = -ENODEV;
	cma_mapbench_remove_live(dev);
detach:
	if (iommu)
		cma_mapbench_detach(dev);
unregister:
	platform_device_unregister(cma_mapbench_pdev);
	return ret;
}

static void __exit cma_mapbench_exit(void)
{
	struct device *dev = &cma_mapbench_pdev->dev;

	debugfs_remove(cma_mapbench_file);
	cma_mapbench_remove_live(dev);
	if (iommu)
		cma_mapbench_detach(dev);
	dev->dma_parms = NULL;
	platform_device_unregister(cma_mapbench_pdev);
}

module_init(cma_mapbench_init);
module_exit(cma_mapbench_exit);

MODULE_DESCRIPTION("Measures mapping for a device");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
