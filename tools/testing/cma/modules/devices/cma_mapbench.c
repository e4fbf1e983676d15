// SPDX-License-Identifier: GPL-2.0
/*
 * Measure mapping for a device: dma_map_single() and dma_map_sg()
 *
 * Write "MODE SIZE COUNT" to debugfs cma_mapbench and read the figure there:
 *
 *	single SIZE COUNT	map SIZE bytes, COUNT times, and unmap them
 *	list SIZE COUNT		map a list of SIZE bytes in entries of 4 KiB, COUNT
 *				times, and unmap it
 *
 * The device reads; with the suffix "-from", as in single-from, it writes.
 *
 * The figure is one line, in which TIME is in ns, of 100 entries that are mapped and
 * unmapped, in the fastest of several runs:
 *
 *	bench MODE SIZE COUNT TIME
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
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

#include "cma_pdev.h"
#include "cma_show_write.h"

#define CMA_MAPBENCH_MAX_COUNT	10000
#define CMA_MAPBENCH_ENTRIES	4096
#define CMA_MAPBENCH_SINGLE	65536
#define CMA_MAPBENCH_RUNS	9

static struct platform_device *cma_mapbench_pdev;
static struct dentry *cma_mapbench_file;

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

static int cma_mapbench_run(void *data, struct scatterlist *sg)
{
	unsigned int run;

	for (run = 0; run < CMA_MAPBENCH_RUNS; run++) {
		ktime_t start = ktime_get();
		int ret = sg ? cma_mapbench_list(sg) : cma_mapbench_single(data);
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
static int cma_mapbench_prepare(void)
{
	unsigned int order = get_order(CMA_MAPBENCH_SINGLE);
	unsigned int nents = cma_mapbench_size / PAGE_SIZE;
	struct page *page = alloc_pages(GFP_KERNEL, order);
	struct scatterlist *sg;
	unsigned int i;
	int ret = -ENOMEM;

	if (!page)
		return ret;
	if (!strncmp(cma_mapbench_mode, "list", 4)) {
		/* Not all configurations can chain tables of a page each */
		sg = kcalloc(nents, sizeof(*sg), GFP_KERNEL);
		if (!sg)
			goto free;
		sg_init_table(sg, nents);
		for (i = 0; i < nents; i++)
			sg_set_page(&sg[i], page, PAGE_SIZE, 0);
		ret = cma_mapbench_run(NULL, sg);
		kfree(sg);
	} else {
		ret = cma_mapbench_run(page_address(page), NULL);
	}
free:
	__free_pages(page, order);
	return ret;
}

static ssize_t cma_mapbench_write(struct file *file, const char __user *buf,
				  size_t count, loff_t *ppos)
{
	unsigned int size, times;
	char command[64];
	char mode[16];
	bool list;
	int ret;

	if (count >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, count))
		return -EFAULT;
	command[count] = '\0';
	if (sscanf(command, "%15s %u %u", mode, &size, &times) != 3 ||
	    !times || times > CMA_MAPBENCH_MAX_COUNT)
		return -EINVAL;
	list = !strncmp(mode, "list", 4);
	if (!list && strncmp(mode, "single", 6))
		return -EINVAL;
	if (!size || (list && size % PAGE_SIZE) ||
	    size > (list ? CMA_MAPBENCH_ENTRIES * PAGE_SIZE :
			   CMA_MAPBENCH_SINGLE))
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

	mutex_lock(&cma_mapbench_lock);
	entries = cma_mapbench_count;
	if (!strncmp(cma_mapbench_mode, "list", 4))
		entries *= cma_mapbench_size / PAGE_SIZE;
	if (cma_mapbench_ns)
		seq_printf(m, "bench map-%s %u %u %llu\n", cma_mapbench_mode,
			   cma_mapbench_size, cma_mapbench_count,
			   div_u64(100 * cma_mapbench_ns, entries));
	mutex_unlock(&cma_mapbench_lock);
	return 0;
}

CMA_SHOW_WRITE(cma_mapbench);

static int __init cma_mapbench_init(void)
{
	cma_mapbench_pdev = cma_pdev_register("cma_mapbench", -1);
	if (IS_ERR(cma_mapbench_pdev))
		return PTR_ERR(cma_mapbench_pdev);
	cma_mapbench_file = debugfs_create_file("cma_mapbench", 0600, NULL,
						NULL, &cma_mapbench_fops);
	if (!IS_ERR_OR_NULL(cma_mapbench_file))
		return 0;
	platform_device_unregister(cma_mapbench_pdev);
	return -ENODEV;
}

static void __exit cma_mapbench_exit(void)
{
	debugfs_remove(cma_mapbench_file);
	platform_device_unregister(cma_mapbench_pdev);
}

module_init(cma_mapbench_init);
module_exit(cma_mapbench_exit);

MODULE_DESCRIPTION("Measures mapping for a device");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
