// SPDX-License-Identifier: GPL-2.0
/*
 * Every CPU allocates and frees contiguous memory at random
 *
 * Open debugfs cma_stress and write a seed to start the threads. A read, like a
 * close, ends them, and returns one line for each CPU and one for all:
 *
 *	cpu N: allocs A fails F bad B
 *	all: allocs A fails F bad B first PFN
 *
 * A thread bound to each CPU holds up to CMA_STRESS_SLOTS buffers, made by
 * dma_alloc_coherent(), dma_alloc_writecombine() and
 * dma_alloc_from_contiguous(), from one page to 4 MiB. Each page of a buffer
 * holds the number of its owner, which is never used again, from allocation to
 * release, so that a page with two owners is found, and so is one that is handed
 * out before it is free. Together the threads never ask for more than half of
 * the area, which has to be in low memory. "bad" counts buffers with wrong
 * contents, wrong alignment, a cached mapping that must not be (or the reverse)
 * or outside of the area, and releases that were refused.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cma.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/dma-contiguous.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "cma_pdev.h"
#include "cma_pte.h"
#include "compat.h"

#define CMA_STRESS_SLOTS	16
#define CMA_STRESS_MAX_ORDER	10

enum cma_stress_how { STRESS_COHERENT, STRESS_WRITECOMBINE, STRESS_PAGES };

/* A buffer that a thread holds; free when @nr_pages is 0. */
struct cma_stress_slot {
	enum cma_stress_how how;
	unsigned int nr_pages;
	u32 owner;
	void *virt;
	dma_addr_t dma;
	struct page *page;
};

/* Written by the thread only, and read after it has ended. */
struct cma_stress_thread {
	struct task_struct *task;
	unsigned int cpu;
	u32 random;
	unsigned int allocs;
	unsigned int fails;
	unsigned int bad;
	unsigned long first_bad;	/* page frame */
	struct cma_stress_slot slots[CMA_STRESS_SLOTS];
};

static struct platform_device *cma_stress_pdev;
static struct dentry *cma_stress_file;

static atomic_t cma_stress_owner = ATOMIC_INIT(0);
static atomic_t cma_stress_asked = ATOMIC_INIT(0);	/* pages */

/* Protects the threads; held while they are started or ended. */
static DEFINE_MUTEX(cma_stress_lock);
static struct cma_stress_thread *cma_stress_threads[NR_CPUS];

/* xorshift: the same seed gives the same sequence on every kernel. */
static u32 cma_stress_random(struct cma_stress_thread *thread)
{
	u32 x = thread->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	thread->random = x;
	return x;
}

static void cma_stress_bad(struct cma_stress_thread *thread, unsigned long pfn,
			   const char *why)
{
	if (!thread->bad++)
		thread->first_bad = pfn;
	pr_err_ratelimited("page frame %#lx: %s\n", pfn, why);
}

static unsigned long cma_stress_pfn(const struct cma_stress_slot *slot)
{
	if (slot->how == STRESS_PAGES)
		return page_to_pfn(slot->page);
	return dma_to_pfn(&cma_stress_pdev->dev, slot->dma);
}

static u32 *cma_stress_word(const struct cma_stress_slot *slot, unsigned int i)
{
	if (slot->how == STRESS_PAGES)
		return page_address(slot->page + i);
	return slot->virt + i * PAGE_SIZE;
}

static bool cma_stress_try(struct cma_stress_slot *slot, unsigned int order)
{
	struct device *dev = &cma_stress_pdev->dev;
	size_t size = (size_t)slot->nr_pages << PAGE_SHIFT;

	switch (slot->how) {
	case STRESS_COHERENT:
		slot->virt = dma_alloc_coherent(dev, size, &slot->dma,
						GFP_KERNEL);
		return slot->virt;
	case STRESS_WRITECOMBINE:
		slot->virt = dma_alloc_writecombine(dev, size, &slot->dma,
						    GFP_KERNEL);
		return slot->virt;
	default:
		slot->page = dma_alloc_from_contiguous(dev, slot->nr_pages,
						       order);
		return slot->page;
	}
}

/* Is a page, which was accessed there, mapped as others that are cached? */
static bool cma_stress_cached(const void *virt)
{
	pte_t pte;

	/* the linear mapping outside of areas has sections, which are cached */
	if (!cma_pte_read(current->active_mm, (unsigned long)virt, &pte))
		return true;
	return cma_pte_type(pte) == (pgprot_val(PAGE_KERNEL) & L_PTE_MT_MASK);
}

/* Is the new buffer where and as it has to be, and zero if the function promises it? */
static void cma_stress_inspect(struct cma_stress_thread *thread,
			       struct cma_stress_slot *slot, unsigned int order)
{
	struct cma *cma = dev_get_cma_area(&cma_stress_pdev->dev);
	unsigned long pfn = cma_stress_pfn(slot);
	bool cached = slot->how == STRESS_PAGES;
	unsigned int i;

	order = min_t(unsigned int, order, CONFIG_CMA_ALIGNMENT);
	if (pfn & ((1UL << order) - 1))
		cma_stress_bad(thread, pfn, "not aligned");
	if (!cma_pages_valid(cma, pfn_to_page(pfn), slot->nr_pages))
		cma_stress_bad(thread, pfn, "not in the area");
	for (i = 0; i < slot->nr_pages; i++) {
		u32 *word = cma_stress_word(slot, i);

		if (slot->how != STRESS_PAGES &&
		    (word[0] || word[PAGE_SIZE / sizeof(u32) - 1]))
			cma_stress_bad(thread, pfn + i, "not zero");
		word[0] = slot->owner;
		word[PAGE_SIZE / sizeof(u32) - 1] = ~slot->owner;
		if (cma_stress_cached(word) != cached)
			cma_stress_bad(thread, pfn + i,
				       cached ? "not cached" : "cached");
	}
}

static void cma_stress_alloc(struct cma_stress_thread *thread,
			     struct cma_stress_slot *slot)
{
	struct cma *cma = dev_get_cma_area(&cma_stress_pdev->dev);
	unsigned int half = cma_get_size(cma) >> PAGE_SHIFT >> 1;
	u32 r = cma_stress_random(thread);
	unsigned int order;

	/* small sizes are more frequent; half of them are not a power of two */
	order = min(r % (CMA_STRESS_MAX_ORDER + 1),
		    (r >> 8) % (CMA_STRESS_MAX_ORDER + 1));
	slot->nr_pages = 1U << order;
	if (order && (r >> 16) & 1)
		slot->nr_pages -= (r >> 17) % (slot->nr_pages / 2);
	slot->how = (r >> 28) % 3;
	slot->owner = atomic_inc_return(&cma_stress_owner);

	if (atomic_add_return(slot->nr_pages, &cma_stress_asked) > half)
		goto give_up;
	if (!cma_stress_try(slot, order)) {
		thread->fails++;
		goto give_up;
	}
	thread->allocs++;
	cma_stress_inspect(thread, slot, order);
	return;

give_up:
	atomic_sub(slot->nr_pages, &cma_stress_asked);
	slot->nr_pages = 0;
}

static void cma_stress_free(struct cma_stress_thread *thread,
			    struct cma_stress_slot *slot)
{
	struct device *dev = &cma_stress_pdev->dev;
	size_t size = (size_t)slot->nr_pages << PAGE_SHIFT;
	unsigned long pfn = cma_stress_pfn(slot);
	unsigned int i;

	for (i = 0; i < slot->nr_pages; i++) {
		u32 *word = cma_stress_word(slot, i);

		if (word[0] != slot->owner ||
		    word[PAGE_SIZE / sizeof(u32) - 1] != ~slot->owner)
			cma_stress_bad(thread, pfn + i, "has another owner");
	}
	switch (slot->how) {
	case STRESS_COHERENT:
		dma_free_coherent(dev, size, slot->virt, slot->dma);
		break;
	case STRESS_WRITECOMBINE:
		dma_free_writecombine(dev, size, slot->virt, slot->dma);
		break;
	case STRESS_PAGES:
		if (!dma_release_from_contiguous(dev, slot->page,
						 slot->nr_pages))
			cma_stress_bad(thread, pfn, "release refused");
		break;
	}
	atomic_sub(slot->nr_pages, &cma_stress_asked);
	slot->nr_pages = 0;
}

static int cma_stress_main(void *data)
{
	struct cma_stress_thread *thread = data;
	unsigned int i;

	while (!kthread_should_stop()) {
		i = cma_stress_random(thread) % CMA_STRESS_SLOTS;
		if (thread->slots[i].nr_pages)
			cma_stress_free(thread, &thread->slots[i]);
		else
			cma_stress_alloc(thread, &thread->slots[i]);
		cond_resched();
	}
	for (i = 0; i < CMA_STRESS_SLOTS; i++)
		if (thread->slots[i].nr_pages)
			cma_stress_free(thread, &thread->slots[i]);
	return 0;
}

static int cma_stress_start_one(unsigned int cpu, u32 seed)
{
	struct cma_stress_thread *thread;
	struct task_struct *task;

	thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	if (!thread)
		return -ENOMEM;
	thread->cpu = cpu;
	thread->random = seed ^ ((cpu + 1) * 2654435761u);
	if (!thread->random)
		thread->random = 1;

	task = kthread_create(cma_stress_main, thread, "cma_stress/%u", cpu);
	if (IS_ERR(task)) {
		kfree(thread);
		return PTR_ERR(task);
	}
	thread->task = task;
	kthread_bind(task, cpu);
	cma_stress_threads[cpu] = thread;
	wake_up_process(task);
	return 0;
}

/* End and forget all threads. */
static void cma_stress_stop(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		if (!cma_stress_threads[cpu])
			continue;
		kthread_stop(cma_stress_threads[cpu]->task);
		kfree(cma_stress_threads[cpu]);
		cma_stress_threads[cpu] = NULL;
	}
}

static int cma_stress_start(u32 seed)
{
	unsigned int cpu;
	int ret = 0;

	if (!dev_get_cma_area(&cma_stress_pdev->dev))
		return -ENODEV;
	cma_stress_stop();
	/* no CPU goes online or offline while this runs */
	for_each_online_cpu(cpu) {
		ret = cma_stress_start_one(cpu, seed);
		if (ret)
			break;
	}
	if (ret)
		cma_stress_stop();
	return ret;
}

static ssize_t cma_stress_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	u32 seed;
	int ret;

	ret = kstrtouint_from_user(buf, count, 0, &seed);
	if (ret)
		return ret;

	if (mutex_lock_interruptible(&cma_stress_lock))
		return -ERESTARTSYS;
	ret = cma_stress_start(seed);
	mutex_unlock(&cma_stress_lock);
	return ret ? ret : count;
}

static int cma_stress_show(struct seq_file *m, void *unused)
{
	struct cma_stress_thread all = {};
	unsigned int cpu;

	mutex_lock(&cma_stress_lock);
	for_each_possible_cpu(cpu) {
		struct cma_stress_thread *thread = cma_stress_threads[cpu];

		if (!thread)
			continue;
		/* waits until its buffers are free */
		kthread_stop(thread->task);
		seq_printf(m, "cpu %u: allocs %u fails %u bad %u\n", cpu,
			   thread->allocs, thread->fails, thread->bad);
		all.allocs += thread->allocs;
		all.fails += thread->fails;
		if (!all.bad)
			all.first_bad = thread->first_bad;
		all.bad += thread->bad;
		kfree(thread);
		cma_stress_threads[cpu] = NULL;
	}
	mutex_unlock(&cma_stress_lock);
	seq_printf(m, "all: allocs %u fails %u bad %u first %#lx\n",
		   all.allocs, all.fails, all.bad, all.first_bad);
	return 0;
}

static int cma_stress_open(struct inode *inode, struct file *file)
{
	return single_open(file, cma_stress_show, NULL);
}

static int cma_stress_release(struct inode *inode, struct file *file)
{
	mutex_lock(&cma_stress_lock);
	cma_stress_stop();
	mutex_unlock(&cma_stress_lock);
	return single_release(inode, file);
}

static const struct file_operations cma_stress_fops = {
	.owner		= THIS_MODULE,
	.open		= cma_stress_open,
	.read		= seq_read,
	.write		= cma_stress_write,
	.llseek		= seq_lseek,
	.release	= cma_stress_release,
};

static int __init cma_stress_init(void)
{
	cma_stress_pdev = cma_pdev_register("cma_stress", -1);
	if (IS_ERR(cma_stress_pdev))
		return PTR_ERR(cma_stress_pdev);
	cma_stress_file = debugfs_create_file("cma_stress", 0600, NULL, NULL,
					      &cma_stress_fops);
	if (IS_ERR_OR_NULL(cma_stress_file)) {
		platform_device_unregister(cma_stress_pdev);
		return -ENODEV;
	}
	return 0;
}

static void __exit cma_stress_exit(void)
{
	debugfs_remove(cma_stress_file);
	platform_device_unregister(cma_stress_pdev);
}

module_init(cma_stress_init);
module_exit(cma_stress_exit);

MODULE_DESCRIPTION("Contiguous memory allocated and freed by every CPU");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
