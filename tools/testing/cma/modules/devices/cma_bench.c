// SPDX-License-Identifier: GPL-2.0
/*
 * Measure dma_alloc_coherent() and dma_free_coherent()
 *
 * Write "MODE SIZE COUNT" to debugfs cma_bench and read the figures there:
 *
 *	cycle SIZE COUNT	allocate and free, COUNT times
 *	hold SIZE COUNT		allocate COUNT buffers, then free all of them
 *	keep SIZE SLOT		free what is in a slot, from 1 on, and put a new
 *				buffer there
 *	drop SIZE SLOT		only free what is in a slot; SIZE means nothing
 *	floor SIZE COUNT	no allocation: clear SIZE bytes of ordinary memory
 *				and flush them from the caches
 *
 * Each measurement is one line; times are in ns:
 *
 *	bench alloc|free|floor SIZE COUNT MEAN MIN MAX slept SLEEPS preempted TIMES
 *	bench alloc|free|floor SIZE COUNT fails FAILURES MEAN
 *
 * SLEEPS is how often the slowest call slept, TIMES how often it was preempted.  The
 * second form means that FAILURES of COUNT calls failed; MEAN is the time of these, and
 * it has no times of the others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/cacheflush.h>
#include <asm/outercache.h>

#include "cma_pdev.h"
#include "cma_show_write.h"

#define CMA_BENCH_MAX_COUNT	10000
#define CMA_BENCH_MAX_SIZE	(256 * 1024 * 1024)
#define CMA_BENCH_SLOTS		2048

/* The times of one kind of call. */
struct cma_bench_times {
	unsigned int calls;
	unsigned int fails;
	u64 sum;		/* ns, calls that succeeded */
	u64 min;		/* ns */
	u64 max;		/* ns */
	u64 failed;		/* ns, sum of the calls that failed */
	unsigned long slept;	/* times that the slowest call slept */
	unsigned long preempted; /* times that it let other tasks run */
};

struct cma_bench_buffer {
	void *virt;
	dma_addr_t dma;
	unsigned long size;	/* bytes, of a buffer in a slot */
};

static struct platform_device *cma_bench_pdev;
static struct dentry *cma_bench_file;

/* Guards the result of the last command; held while a command runs. */
static DEFINE_MUTEX(cma_bench_lock);
static char cma_bench_mode[8];
static unsigned long cma_bench_size;	/* bytes */
static struct cma_bench_times cma_bench_first;	/* alloc or floor */
static struct cma_bench_times cma_bench_second;	/* free */
static struct cma_bench_buffer cma_bench_slots[CMA_BENCH_SLOTS];

/* When a call began, and what had happened to its task before. */
struct cma_bench_start {
	unsigned long sleeps, preemptions;
	ktime_t time;
};

static struct cma_bench_start cma_bench_begin(void)
{
	struct cma_bench_start start = {
		.sleeps = current->nvcsw,
		.preemptions = current->nivcsw,
	};

	start.time = ktime_get();
	return start;
}

static u64 cma_bench_since(const struct cma_bench_start *start)
{
	return ktime_to_ns(ktime_sub(ktime_get(), start->time));
}

static void cma_bench_add(struct cma_bench_times *times, u64 ns,
			  const struct cma_bench_start *start)
{
	if (times->calls == times->fails || ns < times->min)
		times->min = ns;
	if (ns > times->max) {
		times->max = ns;
		times->slept = current->nvcsw - start->sleeps;
		times->preempted = current->nivcsw - start->preemptions;
	}
	times->sum += ns;
	times->calls++;
}

static bool cma_bench_alloc(struct cma_bench_buffer *buffer)
{
	struct cma_bench_start start = cma_bench_begin();
	u64 ns;

	buffer->virt = dma_alloc_coherent(&cma_bench_pdev->dev, cma_bench_size,
					  &buffer->dma,
					  GFP_KERNEL | __GFP_NOWARN);
	ns = cma_bench_since(&start);
	if (buffer->virt) {
		cma_bench_add(&cma_bench_first, ns, &start);
		return true;
	}
	cma_bench_first.calls++;
	cma_bench_first.fails++;
	cma_bench_first.failed += ns;
	return false;
}

static void cma_bench_free(struct cma_bench_buffer *buffer)
{
	struct cma_bench_start start = cma_bench_begin();
	u64 ns;

	dma_free_coherent(&cma_bench_pdev->dev, cma_bench_size, buffer->virt,
			  buffer->dma);
	ns = cma_bench_since(&start);
	cma_bench_add(&cma_bench_second, ns, &start);
}

static int cma_bench_cycle(unsigned int count)
{
	struct cma_bench_buffer buffer;

	while (count--) {
		if (cma_bench_alloc(&buffer))
			cma_bench_free(&buffer);
		cond_resched();
	}
	return 0;
}

static int cma_bench_hold(unsigned int count)
{
	struct cma_bench_buffer *buffers;
	unsigned int i;

	buffers = kcalloc(count, sizeof(*buffers), GFP_KERNEL);
	if (!buffers)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		cma_bench_alloc(&buffers[i]);
		cond_resched();
	}
	for (i = 0; i < count; i++) {
		if (buffers[i].virt)
			cma_bench_free(&buffers[i]);
		cond_resched();
	}
	kfree(buffers);
	return 0;
}

static void cma_bench_empty(struct cma_bench_buffer *slot)
{
	if (slot->virt)
		dma_free_coherent(&cma_bench_pdev->dev, slot->size, slot->virt,
				  slot->dma);
	slot->virt = NULL;
}

static int cma_bench_keep(unsigned int number, bool alloc)
{
	struct cma_bench_buffer *slot;

	if (number > CMA_BENCH_SLOTS)
		return -EINVAL;
	slot = &cma_bench_slots[number - 1];
	cma_bench_empty(slot);
	slot->size = cma_bench_size;
	if (alloc)
		cma_bench_alloc(slot);
	return 0;
}

/* The least that any allocator has to do to hand out memory for DMA. */
static int cma_bench_floor(unsigned int count)
{
	unsigned int order = min(get_order(cma_bench_size), 10);
	struct page *page;
	struct cma_bench_start start;
	size_t chunk;
	size_t done;
	void *virt;

	page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
	if (!page)
		return -ENOMEM;

	virt = page_address(page);
	chunk = min_t(size_t, PAGE_SIZE << order, cma_bench_size);
	while (count--) {
		start = cma_bench_begin();
		for (done = 0; done < cma_bench_size; done += chunk) {
			memset(virt, 0, chunk);
			__cpuc_flush_dcache_area(virt, chunk);
			outer_flush_range(page_to_phys(page),
					  page_to_phys(page) + chunk);
		}
		cma_bench_add(&cma_bench_first, cma_bench_since(&start),
			      &start);
		cond_resched();
	}
	__free_pages(page, order);
	return 0;
}

static int cma_bench_run(unsigned int count)
{
	if (!strcmp(cma_bench_mode, "cycle"))
		return cma_bench_cycle(count);
	if (!strcmp(cma_bench_mode, "hold"))
		return cma_bench_hold(count);
	if (!strcmp(cma_bench_mode, "floor"))
		return cma_bench_floor(count);
	if (!strcmp(cma_bench_mode, "keep"))
		return cma_bench_keep(count, true);
	if (!strcmp(cma_bench_mode, "drop"))
		return cma_bench_keep(count, false);
	return -EINVAL;
}

static ssize_t cma_bench_write(struct file *file, const char __user *buf,
			       size_t count, loff_t *ppos)
{
	unsigned long size;
	unsigned int times;
	char command[64];
	char mode[8];
	int ret;

	if (count >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, count))
		return -EFAULT;
	command[count] = '\0';
	if (sscanf(command, "%7s %lu %u", mode, &size, &times) != 3 ||
	    !size || size > CMA_BENCH_MAX_SIZE ||
	    !times || times > CMA_BENCH_MAX_COUNT)
		return -EINVAL;

	if (mutex_lock_interruptible(&cma_bench_lock))
		return -ERESTARTSYS;
	memset(&cma_bench_first, 0, sizeof(cma_bench_first));
	memset(&cma_bench_second, 0, sizeof(cma_bench_second));
	strcpy(cma_bench_mode, mode);
	cma_bench_size = size;
	ret = cma_bench_run(times);
	mutex_unlock(&cma_bench_lock);
	return ret ? ret : count;
}

static void cma_bench_print(struct seq_file *m, const char *what,
			    const struct cma_bench_times *times)
{
	if (!times->calls)
		return;
	seq_printf(m, "bench %s %lu %u ", what, cma_bench_size, times->calls);
	if (times->fails)
		seq_printf(m, "fails %u %llu\n", times->fails,
			   div_u64(times->failed, times->fails));
	else
		seq_printf(m, "%llu %llu %llu slept %lu preempted %lu\n",
			   div_u64(times->sum, times->calls), times->min,
			   times->max, times->slept, times->preempted);
}

static int cma_bench_show(struct seq_file *m, void *unused)
{
	bool floor;

	mutex_lock(&cma_bench_lock);
	floor = !strcmp(cma_bench_mode, "floor");
	cma_bench_print(m, floor ? "floor" : "alloc", &cma_bench_first);
	cma_bench_print(m, "free", &cma_bench_second);
	mutex_unlock(&cma_bench_lock);
	return 0;
}

CMA_SHOW_WRITE(cma_bench);

static int __init cma_bench_init(void)
{
	cma_bench_pdev = cma_pdev_register("cma_bench", -1);
	if (IS_ERR(cma_bench_pdev))
		return PTR_ERR(cma_bench_pdev);
	cma_bench_file = debugfs_create_file("cma_bench", 0600, NULL, NULL,
					     &cma_bench_fops);
	if (IS_ERR_OR_NULL(cma_bench_file)) {
		platform_device_unregister(cma_bench_pdev);
		return -ENODEV;
	}
	return 0;
}

static void __exit cma_bench_exit(void)
{
	unsigned int i;

	debugfs_remove(cma_bench_file);
	for (i = 0; i < CMA_BENCH_SLOTS; i++)
		cma_bench_empty(&cma_bench_slots[i]);
	platform_device_unregister(cma_bench_pdev);
}

module_init(cma_bench_init);
module_exit(cma_bench_exit);

MODULE_DESCRIPTION("Measures the allocation of DMA buffers");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
