// SPDX-License-Identifier: GPL-2.0
/*
 * Measure the page allocator
 *
 * Write "MODE ORDER COUNT" to debugfs cma_mmbench and read the figure there:
 *
 *	pairs ORDER COUNT	allocate a block and free it, COUNT times
 *	hold ORDER COUNT	allocate COUNT blocks, then free all of them
 *
 * MODE can have the suffix "-movable", for memory as processes get it; otherwise
 * the flags are GFP_KERNEL.  The figure is one line:
 *
 *	bench MODE-ORDER SIZE COUNT TIME
 *
 * SIZE is that of a block in bytes.  TIME is that of 100 blocks in ns, in the
 * fastest of several runs: the others were interrupted, or filled the lists of
 * the CPU.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "cma_show_write.h"

#define CMA_MMBENCH_MAX_COUNT	100000
#define CMA_MMBENCH_MAX_ORDER	8
#define CMA_MMBENCH_RUNS	9

static struct dentry *cma_mmbench_file;

/* Guards the result of the last command; held while a command runs. */
static DEFINE_MUTEX(cma_mmbench_lock);
static char cma_mmbench_mode[16];
static unsigned int cma_mmbench_order;
static unsigned int cma_mmbench_count;
static u64 cma_mmbench_ns;	/* of the fastest run, all blocks; 0: none */

static void cma_mmbench_free(struct list_head *blocks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, cma_mmbench_order);
	}
}

static int cma_mmbench_pairs(gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < cma_mmbench_count; i++) {
		struct page *page = alloc_pages(gfp, cma_mmbench_order);

		if (!page)
			return -ENOMEM;
		__free_pages(page, cma_mmbench_order);
	}
	return 0;
}

static int cma_mmbench_hold(gfp_t gfp)
{
	LIST_HEAD(blocks);
	unsigned int i;

	for (i = 0; i < cma_mmbench_count; i++) {
		struct page *page = alloc_pages(gfp, cma_mmbench_order);

		if (!page)
			break;
		list_add(&page->lru, &blocks);
	}
	cma_mmbench_free(&blocks);
	return i < cma_mmbench_count ? -ENOMEM : 0;
}

static int cma_mmbench_run(void)
{
	bool movable = strstr(cma_mmbench_mode, "-movable");
	bool pairs = !strncmp(cma_mmbench_mode, "pairs", 5);
	gfp_t gfp = movable ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL;
	unsigned int run;

	if (!pairs && strncmp(cma_mmbench_mode, "hold", 4))
		return -EINVAL;

	for (run = 0; run < CMA_MMBENCH_RUNS; run++) {
		ktime_t start = ktime_get();
		int ret = pairs ? cma_mmbench_pairs(gfp | __GFP_NOWARN) :
				  cma_mmbench_hold(gfp | __GFP_NOWARN);
		u64 ns = ktime_to_ns(ktime_sub(ktime_get(), start));

		if (ret)
			return ret;
		if (!run || ns < cma_mmbench_ns)
			cma_mmbench_ns = ns;
		cond_resched();
	}
	return 0;
}

static ssize_t cma_mmbench_write(struct file *file, const char __user *buf,
				 size_t count, loff_t *ppos)
{
	unsigned int order, times;
	char command[64];
	char mode[16];
	int ret;

	if (count >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, count))
		return -EFAULT;
	command[count] = '\0';
	if (sscanf(command, "%15s %u %u", mode, &order, &times) != 3 ||
	    order > CMA_MMBENCH_MAX_ORDER ||
	    !times || times > CMA_MMBENCH_MAX_COUNT)
		return -EINVAL;

	if (mutex_lock_interruptible(&cma_mmbench_lock))
		return -ERESTARTSYS;
	strcpy(cma_mmbench_mode, mode);
	cma_mmbench_order = order;
	cma_mmbench_count = times;
	ret = cma_mmbench_run();
	if (ret)
		cma_mmbench_ns = 0;
	mutex_unlock(&cma_mmbench_lock);
	return ret ? ret : count;
}

static int cma_mmbench_show(struct seq_file *m, void *unused)
{
	mutex_lock(&cma_mmbench_lock);
	if (cma_mmbench_ns)
		seq_printf(m, "bench %s-%u %lu %u %llu\n", cma_mmbench_mode,
			   cma_mmbench_order, PAGE_SIZE << cma_mmbench_order,
			   cma_mmbench_count,
			   div_u64(100 * cma_mmbench_ns, cma_mmbench_count));
	mutex_unlock(&cma_mmbench_lock);
	return 0;
}

CMA_SHOW_WRITE(cma_mmbench);

static int __init cma_mmbench_init(void)
{
	cma_mmbench_file = debugfs_create_file("cma_mmbench", 0600, NULL, NULL,
					       &cma_mmbench_fops);
	return IS_ERR_OR_NULL(cma_mmbench_file) ? -ENODEV : 0;
}

static void __exit cma_mmbench_exit(void)
{
	debugfs_remove(cma_mmbench_file);
}

module_init(cma_mmbench_init);
module_exit(cma_mmbench_exit);

MODULE_DESCRIPTION("Measures the page allocator");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
