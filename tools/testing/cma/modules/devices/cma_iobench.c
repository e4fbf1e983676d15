// SPDX-License-Identifier: GPL-2.0
/*
 * Measure mapping and allocating for a device behind the IOMMU in software
 *
 * Write "MODE SIZE COUNT PIECE" to debugfs cma_iobench and read the figures there:
 *
 *	single SIZE COUNT 0	map SIZE bytes and unmap them
 *	addr SIZE COUNT 0	allocate SIZE bytes of io addresses and free them, 8
 *				ranges at a time
 *	list SIZE COUNT PIECE	map SIZE bytes, scattered in pieces of PIECE KiB, to one
 *				range, and unmap it; "floor" is the maintenance of the
 *				caches alone
 *	sync SIZE COUNT PIECE	map 16 MiB in such pieces, and sync SIZE bytes of it
 *	buffer SIZE COUNT 0	allocate a coherent buffer, and free it
 *
 * Before anything is measured, the device reads and writes all of the memory through the
 * IOMMU, and a difference is -EILSEQ.  The device only reads what is measured.
 *
 * A figure is one line, with the mean TIME in ns of COUNT in the fastest of several runs:
 *
 *	bench io-MODE[-PIECEk][-PART][-liveN] SIZE COUNT TIME
 *
 * With the parameter "live=N" the device has N other mappings of a page all the time.
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

#include <asm/dma-iommu.h>

#include "cma_iommu.h"
#include "cma_iova.h"
#include "cma_pdev.h"
#include "cma_show_write.h"
#include "iommu_domain.h"

#define IOBENCH_BASE		0x80000000UL
#define IOBENCH_SPACE		0x40000000UL
#define IOBENCH_MAX_SIZE	(16UL << 20)
#define IOBENCH_MAX_COUNT	10000U
#define IOBENCH_MAX_LIVE	4096U
#define IOBENCH_RANGES		8
#define IOBENCH_RUNS		5
#define IOBENCH_PARTS		4

static uint live;
module_param(live, uint, 0444);
MODULE_PARM_DESC(live, "number of mappings that the device has all the time");

static struct platform_device *iobench_pdev;
static struct device *iobench_dev;
static struct dma_iommu_mapping *iobench_mapping;
static struct dentry *iobench_file;
static struct page *iobench_live_page;
static dma_addr_t *iobench_live;
static bool iobench_has_iova;

/**
 * struct iobench_part - a figure
 * @name: of this part of the work; NULL: no figure
 * @ns: of all calls, in the fastest run
 */
struct iobench_part {
	const char *name;
	u64 ns;
};

/**
 * struct iobench - what is measured
 * @mode: what was written
 * @size: bytes
 * @count: number of calls
 * @piece: size of a piece in KiB
 * @parts: figures
 * @sg: scattered memory
 * @nr: number of its pieces
 * @addr: io address of it, or of a buffer
 */
struct iobench {
	char mode[16];
	unsigned int size, count, piece;
	struct iobench_part parts[IOBENCH_PARTS];
	struct scatterlist *sg;
	unsigned int nr;
	dma_addr_t addr;
};

/* Guards what follows; held while a command runs. */
static DEFINE_MUTEX(iobench_lock);
static struct iobench iobench;

static bool iobench_is(const struct iobench *b, const char *mode)
{
	return !strcmp(b->mode, mode);
}

static void iobench_keep(struct iobench *b, unsigned int part, const char *name,
			 u64 ns)
{
	struct iobench_part *p = &b->parts[part];

	if (!p->name || ns < p->ns)
		p->ns = ns;
	p->name = name;
}

static u64 iobench_ns(ktime_t start, ktime_t end)
{
	return ktime_to_ns(ktime_sub(end, start));
}

/*
 * Scattered memory
 */

static void iobench_free_pieces(struct iobench *b)
{
	unsigned int i;

	for (i = 0; b->sg && i < b->nr; i++)
		if (sg_page(&b->sg[i]))
			__free_pages(sg_page(&b->sg[i]),
				     get_order(b->piece * 1024));
	kfree(b->sg);
	b->sg = NULL;
}

static int iobench_alloc_pieces(struct iobench *b, size_t size)
{
	size_t piece = b->piece * 1024;
	unsigned int i;

	b->nr = size / piece;
	/* Not all configurations can chain tables of a page each */
	b->sg = kcalloc(b->nr, sizeof(*b->sg), GFP_KERNEL);
	if (!b->sg)
		return -ENOMEM;
	sg_init_table(b->sg, b->nr);
	for (i = 0; i < b->nr; i++) {
		/* No piece follows the one before it */
		unsigned int at = (i * 5 + 3) % b->nr;
		struct page *page = alloc_pages(GFP_KERNEL, get_order(piece));

		if (!page) {
			iobench_free_pieces(b);
			return -ENOMEM;
		}
		sg_set_page(&b->sg[at], page, piece, 0);
	}
	return 0;
}

static void iobench_fill_pieces(struct iobench *b, u32 seed)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		cma_pattern_fill(sg_virt(&b->sg[i]), b->sg[i].length, seed,
				 i * b->sg[i].length);
		cond_resched();
	}
}

static bool iobench_pieces_are(struct iobench *b, u32 seed)
{
	bool same = true;
	unsigned int i;

	for (i = 0; i < b->nr && same; i++) {
		same = cma_pattern_is(sg_virt(&b->sg[i]), b->sg[i].length, seed,
				      i * b->sg[i].length);
		cond_resched();
	}
	return same;
}

static unsigned long iobench_mapped(void)
{
	return cma_iommu_mapped(iobench_dev);
}

static int iobench_map_pieces(struct iobench *b, enum dma_data_direction dir)
{
	int nr = dma_map_sg(iobench_dev, b->sg, b->nr, dir);

	/* One range, whatever the number of pieces */
	if (nr == 1 && sg_dma_len(b->sg) == b->nr * b->sg->length)
		return 0;
	if (nr > 0)
		dma_unmap_sg(iobench_dev, b->sg, b->nr, dir);
	pr_err("%d ranges for %u pieces\n", nr, b->nr);
	return -EIO;
}

/* Let the device read and write all of it. */
static int iobench_check_pieces(struct iobench *b)
{
	size_t size = b->nr * b->sg->length;
	int ret;

	iobench_fill_pieces(b, 1);
	ret = iobench_map_pieces(b, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = cma_master_check(iobench_dev, sg_dma_address(b->sg), size, 1);
	dma_unmap_sg(iobench_dev, b->sg, b->nr, DMA_TO_DEVICE);
	if (ret)
		return ret;

	ret = iobench_map_pieces(b, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	if (iobench_mapped() != live + (size >> PAGE_SHIFT))
		ret = -EILSEQ;
	if (!ret)
		ret = cma_master_write(iobench_dev, sg_dma_address(b->sg), size,
				       2);
	dma_unmap_sg(iobench_dev, b->sg, b->nr, DMA_FROM_DEVICE);
	if (!ret && (!iobench_pieces_are(b, 2) || iobench_mapped() != live))
		ret = -EILSEQ;
	return ret;
}

/*
 * What is measured
 */

static int iobench_single(struct iobench *b, void *data)
{
	ktime_t start = ktime_get();
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		dma_addr_t dma = dma_map_single(iobench_dev, data, b->size,
						DMA_TO_DEVICE);

		if (dma_mapping_error(iobench_dev, dma))
			return -EIO;
		dma_unmap_single(iobench_dev, dma, b->size, DMA_TO_DEVICE);
	}
	iobench_keep(b, 0, "", iobench_ns(start, ktime_get()));
	return 0;
}

static int iobench_addr(struct iobench *b)
{
	unsigned long nr_pages = PAGE_ALIGN(b->size) >> PAGE_SHIFT;
	dma_addr_t addrs[IOBENCH_RANGES];
	ktime_t start = ktime_get();
	unsigned int i, n;
	int ret = 0;

	for (i = 0; i < b->count && !ret; i += IOBENCH_RANGES) {
		for (n = 0; n < IOBENCH_RANGES; n++) {
			ret = cma_iova_alloc(iobench_mapping, nr_pages,
					     &addrs[n]);
			if (ret)
				break;
		}
		while (n--)
			cma_iova_free(iobench_mapping, addrs[n], nr_pages);
	}
	iobench_keep(b, 0, "", iobench_ns(start, ktime_get()));
	return ret;
}

static int iobench_list(struct iobench *b)
{
	u64 map = 0, unmap = 0, floor = 0;
	ktime_t start, middle, end;
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		start = ktime_get();
		if (!dma_map_sg(iobench_dev, b->sg, b->nr, DMA_TO_DEVICE))
			return -EIO;
		middle = ktime_get();
		dma_unmap_sg(iobench_dev, b->sg, b->nr, DMA_TO_DEVICE);
		end = ktime_get();
		map += iobench_ns(start, middle);
		unmap += iobench_ns(middle, end);
	}
	/* The list has no ranges any more, so each piece is maintained */
	for (i = 0; i < b->nr; i++)
		sg_dma_len(&b->sg[i]) = 0;
	for (i = 0; i < b->count; i++) {
		start = ktime_get();
		dma_sync_sg_for_device(iobench_dev, b->sg, b->nr,
				       DMA_TO_DEVICE);
		floor += iobench_ns(start, ktime_get());
	}
	iobench_keep(b, 0, "", map + unmap);
	iobench_keep(b, 1, "-map", map);
	iobench_keep(b, 2, "-unmap", unmap);
	iobench_keep(b, 3, "-floor", floor);
	return 0;
}

static int iobench_sync(struct iobench *b)
{
	size_t all = b->nr * b->sg->length, offset = 0;
	ktime_t start = ktime_get();
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		dma_sync_single_range_for_device(iobench_dev, b->addr, offset,
						 b->size, DMA_TO_DEVICE);
		/* Another part each time */
		offset += 7 * PAGE_ALIGN(b->size);
		if (offset + b->size > all)
			offset = 0;
	}
	iobench_keep(b, 0, "", iobench_ns(start, ktime_get()));
	return 0;
}

static int iobench_buffer(struct iobench *b)
{
	ktime_t start, middle, end;
	u64 alloc = 0, free = 0;
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		ktime_t freeing;
		dma_addr_t dma;
		void *virt;

		start = ktime_get();
		virt = dma_alloc_coherent(iobench_dev, b->size, &dma,
					  GFP_KERNEL);
		middle = ktime_get();
		if (!virt)
			return -ENOMEM;
		freeing = ktime_get();
		dma_free_coherent(iobench_dev, b->size, virt, dma);
		end = ktime_get();
		alloc += iobench_ns(start, middle);
		free += iobench_ns(freeing, end);
	}
	iobench_keep(b, 0, "-alloc", alloc);
	iobench_keep(b, 1, "-free", free);
	return 0;
}

static int iobench_check_buffer(struct iobench *b)
{
	dma_addr_t dma;
	void *virt = dma_alloc_coherent(iobench_dev, b->size, &dma, GFP_KERNEL);
	int ret;

	if (!virt)
		return -ENOMEM;
	cma_pattern_fill(virt, b->size, 3, 0);
	ret = cma_master_check(iobench_dev, dma, b->size, 3);
	if (!ret)
		ret = cma_master_write(iobench_dev, dma, b->size, 4);
	if (!ret && (!cma_pattern_is(virt, b->size, 4, 0) ||
		     iobench_mapped() != live + (b->size >> PAGE_SHIFT)))
		ret = -EILSEQ;
	dma_free_coherent(iobench_dev, b->size, virt, dma);
	if (!ret && iobench_mapped() != live)
		ret = -EILSEQ;
	return ret;
}

static int iobench_check_single(struct iobench *b, void *data)
{
	dma_addr_t dma;
	int ret;

	cma_pattern_fill(data, b->size, 5, 0);
	dma = dma_map_single(iobench_dev, data, b->size, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(iobench_dev, dma))
		return -EIO;
	ret = cma_master_check(iobench_dev, dma, b->size, 5);
	if (!ret)
		ret = cma_master_write(iobench_dev, dma, b->size, 6);
	dma_unmap_single(iobench_dev, dma, b->size, DMA_BIDIRECTIONAL);
	if (!ret && (!cma_pattern_is(data, b->size, 6, 0) ||
		     iobench_mapped() != live))
		ret = -EILSEQ;
	return ret;
}

/*
 * Commands
 */

static int iobench_run_single(struct iobench *b)
{
	unsigned int order = get_order(b->size), run;
	void *data = (void *)__get_free_pages(GFP_KERNEL, order);
	int ret;

	if (!data)
		return -ENOMEM;
	ret = iobench_check_single(b, data);
	for (run = 0; run < IOBENCH_RUNS && !ret; run++)
		ret = iobench_single(b, data);
	free_pages((unsigned long)data, order);
	return ret;
}

static int iobench_run_pieces(struct iobench *b)
{
	bool sync = iobench_is(b, "sync");
	unsigned int run;
	int ret;

	ret = iobench_alloc_pieces(b, sync ? IOBENCH_MAX_SIZE : b->size);
	if (ret)
		return ret;
	ret = iobench_check_pieces(b);
	if (!ret && sync) {
		ret = iobench_map_pieces(b, DMA_TO_DEVICE);
		if (ret)
			goto free;
		b->addr = sg_dma_address(b->sg);
		for (run = 0; run < IOBENCH_RUNS && !ret; run++)
			ret = iobench_sync(b);
		dma_unmap_sg(iobench_dev, b->sg, b->nr, DMA_TO_DEVICE);
	}
	for (run = 0; run < IOBENCH_RUNS && !ret && !sync; run++)
		ret = iobench_list(b);
free:
	iobench_free_pieces(b);
	return ret;
}

static int iobench_run(struct iobench *b)
{
	unsigned int run;
	int ret = 0;

	memset(b->parts, 0, sizeof(b->parts));
	if (iobench_is(b, "single"))
		return iobench_run_single(b);
	if (iobench_is(b, "list") || iobench_is(b, "sync"))
		return iobench_run_pieces(b);
	if (iobench_is(b, "addr")) {
		if (!iobench_has_iova)
			return -ENODEV;
		for (run = 0; run < IOBENCH_RUNS && !ret; run++)
			ret = iobench_addr(b);
		return ret;
	}
	if (!iobench_is(b, "buffer"))
		return -EINVAL;
	ret = iobench_check_buffer(b);
	for (run = 0; run < IOBENCH_RUNS && !ret; run++)
		ret = iobench_buffer(b);
	return ret;
}

static bool iobench_is_valid(const struct iobench *b)
{
	bool pieces = iobench_is(b, "list") || iobench_is(b, "sync");

	if (!b->count || b->count > IOBENCH_MAX_COUNT ||
	    !b->size || b->size > IOBENCH_MAX_SIZE)
		return false;
	/* Powers of two, so that there are as many pieces, and the same in any order */
	if (pieces && (b->piece < 4 || b->piece > 1024 ||
		       (b->piece & (b->piece - 1)) ||
		       IOBENCH_MAX_SIZE % (b->piece * 1024)))
		return false;
	if (iobench_is(b, "list"))
		return !(b->size % (b->piece * 1024));
	return !iobench_is(b, "addr") || !(b->count % IOBENCH_RANGES);
}

static ssize_t iobench_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	char command[64];
	int ret;

	if (count >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, count))
		return -EFAULT;
	command[count] = '\0';
	if (mutex_lock_interruptible(&iobench_lock))
		return -ERESTARTSYS;
	ret = -EINVAL;
	if (sscanf(command, "%15s %u %u %u", iobench.mode, &iobench.size,
		   &iobench.count, &iobench.piece) == 4 &&
	    iobench_is_valid(&iobench))
		ret = iobench_run(&iobench);
	if (ret) {
		memset(iobench.parts, 0, sizeof(iobench.parts));
		pr_err("%s %u: %d\n", iobench.mode, iobench.size, ret);
	}
	mutex_unlock(&iobench_lock);
	return ret ? ret : count;
}

static int iobench_show(struct seq_file *m, void *unused)
{
	char pieces[16] = "", others[16] = "";
	unsigned int i;

	mutex_lock(&iobench_lock);
	if (iobench.piece)
		snprintf(pieces, sizeof(pieces), "-%uk", iobench.piece);
	if (live)
		snprintf(others, sizeof(others), "-live%u", live);
	for (i = 0; i < IOBENCH_PARTS; i++)
		if (iobench.parts[i].name)
			seq_printf(m, "bench io-%s%s%s%s %u %u %llu\n",
				   iobench.mode, pieces, iobench.parts[i].name,
				   others, iobench.size, iobench.count,
				   div_u64(iobench.parts[i].ns, iobench.count));
	mutex_unlock(&iobench_lock);
	return 0;
}

CMA_SHOW_WRITE(iobench);

/*
 * The device
 */

static void iobench_remove_live(unsigned int nr)
{
	while (nr--)
		dma_unmap_page(iobench_dev, iobench_live[nr], PAGE_SIZE,
			       DMA_TO_DEVICE);
	if (iobench_live_page)
		__free_page(iobench_live_page);
	kfree(iobench_live);
}

static int iobench_add_live(void)
{
	unsigned int i = 0;

	if (live > IOBENCH_MAX_LIVE)
		return -EINVAL;
	iobench_live = kcalloc(live + 1, sizeof(*iobench_live), GFP_KERNEL);
	iobench_live_page = alloc_page(GFP_KERNEL);
	if (!iobench_live || !iobench_live_page)
		goto remove;
	for (; i < live; i++) {
		iobench_live[i] = dma_map_page(iobench_dev, iobench_live_page,
					       0, PAGE_SIZE, DMA_TO_DEVICE);
		if (dma_mapping_error(iobench_dev, iobench_live[i]))
			goto remove;
	}
	return 0;

remove:
	iobench_remove_live(i);
	return -ENOMEM;
}

static int iobench_attach(void)
{
	int ret;

	iobench_mapping = cma_iommu_create_mapping(iobench_dev, IOBENCH_BASE,
						   IOBENCH_SPACE);
	if (IS_ERR(iobench_mapping))
		return PTR_ERR(iobench_mapping);
	ret = arm_iommu_attach_device(iobench_dev, iobench_mapping);
	if (ret)
		arm_iommu_release_mapping(iobench_mapping);
	return ret;
}

static void iobench_detach(void)
{
	arm_iommu_detach_device(iobench_dev);
	arm_iommu_release_mapping(iobench_mapping);
}

static struct device_dma_parameters iobench_parms;

static int __init iobench_init(void)
{
	int ret;

	iobench_pdev = cma_pdev_register("cma_iobench", -1);
	if (IS_ERR(iobench_pdev))
		return PTR_ERR(iobench_pdev);
	iobench_dev = &iobench_pdev->dev;
	iobench_dev->dma_parms = &iobench_parms;
	dma_set_max_seg_size(iobench_dev, UINT_MAX);
	dma_set_seg_boundary(iobench_dev, ~0UL);
	iobench_has_iova = !cma_iova_init();
	ret = iobench_attach();
	if (ret)
		goto unregister;
	ret = iobench_add_live();
	if (ret)
		goto detach;
	iobench_file = debugfs_create_file("cma_iobench", 0600, NULL, NULL,
					   &iobench_fops);
	if (!IS_ERR_OR_NULL(iobench_file))
		return 0;

	ret = -ENODEV;
	iobench_remove_live(live);
detach:
	iobench_detach();
unregister:
	iobench_dev->dma_parms = NULL;
	platform_device_unregister(iobench_pdev);
	return ret;
}

static void __exit iobench_exit(void)
{
	debugfs_remove(iobench_file);
	iobench_remove_live(live);
	iobench_detach();
	iobench_dev->dma_parms = NULL;
	platform_device_unregister(iobench_pdev);
}

module_init(iobench_init);
module_exit(iobench_exit);

MODULE_DESCRIPTION("Measures mapping for a device behind an IOMMU");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
