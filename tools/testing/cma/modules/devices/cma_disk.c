// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_disk - a slow disk
 *
 * What is on it is in memory outside of all areas. Requests are served one after
 * the other. Each takes delay_ms for every 128 KiB, or part of 128 KiB, so that
 * one large request is faster than many small ones. All of this can be changed
 * while the disk is in use, in /sys/module/cma_disk/parameters:
 *
 *	delay_ms	time that 128 KiB take; 0: none
 *	stop_ms		write a number: no request is served for this time, and
 *			0 ends that time. It always ends, so that a caller that
 *			waits for the disk cannot stop a test for ever.
 *	requests	number of requests that were served; can be set
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "cma_disk_block.h"

#define CMA_DISK_NAME		"cma_disk"
#define CMA_DISK_SIZE		(24 * 1024 * 1024UL)
#define CMA_DISK_REQUEST	(128 * 1024)	/* bytes in delay_ms */

static unsigned int delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "milliseconds that 128 KiB take");

static unsigned int requests;
module_param(requests, uint, 0644);
MODULE_PARM_DESC(requests, "requests that were served");

static struct gendisk *cma_disk;
static char *cma_disk_data;
static int cma_disk_major;
static struct task_struct *cma_disk_task;
static DECLARE_WAIT_QUEUE_HEAD(cma_disk_wait);

static DEFINE_SPINLOCK(cma_disk_lock);	/* protects all of the below */
static struct bio_list cma_disk_bios;
static bool cma_disk_stopped;
static unsigned long cma_disk_stopped_until;	/* jiffies */

static int stop_ms_set(const char *val, const struct kernel_param *kp)
{
	unsigned int ms;
	int ret = kstrtouint(val, 0, &ms);

	if (ret)
		return ret;
	spin_lock_irq(&cma_disk_lock);
	cma_disk_stopped = ms;
	cma_disk_stopped_until = jiffies + msecs_to_jiffies(ms);
	spin_unlock_irq(&cma_disk_lock);
	wake_up(&cma_disk_wait);
	return 0;
}

static const struct kernel_param_ops stop_ms_ops = {
	.set	= stop_ms_set,
};

module_param_cb(stop_ms, &stop_ms_ops, NULL, 0200);
MODULE_PARM_DESC(stop_ms, "milliseconds during which no request is served");

static void cma_disk_queue(struct bio *bio)
{
	unsigned long flags;

	spin_lock_irqsave(&cma_disk_lock, flags);
	bio_list_add(&cma_disk_bios, bio);
	spin_unlock_irqrestore(&cma_disk_lock, flags);
	wake_up(&cma_disk_wait);
}

static void cma_disk_copy(struct page *page, unsigned int offset,
			  unsigned int len, char *data, int rw)
{
	char *mem = kmap(page);

	if (rw == WRITE)
		memcpy(data, mem + offset, len);
	else
		memcpy(mem + offset, data, len);
	flush_dcache_page(page);
	kunmap(page);
}

/* The next request, or NULL if there is none or the disk is stopped */
static struct bio *cma_disk_next(void)
{
	struct bio *bio = NULL;

	spin_lock_irq(&cma_disk_lock);
	if (cma_disk_stopped && time_after_eq(jiffies, cma_disk_stopped_until))
		cma_disk_stopped = false;
	if (!cma_disk_stopped)
		bio = bio_list_pop(&cma_disk_bios);
	spin_unlock_irq(&cma_disk_lock);
	return bio;
}

/*
 * Requests that are there already follow each other without a gap: @done is
 * when the last one was served.
 */
static void cma_disk_serve(struct bio *bio, unsigned long *done)
{
	unsigned long ms = DIV_ROUND_UP(cma_disk_bytes(bio), CMA_DISK_REQUEST) *
			   delay_ms;

	if (time_before(*done + 1, jiffies))
		*done = jiffies;
	*done += msecs_to_jiffies(ms);
	while (time_before(jiffies, *done))
		schedule_timeout_uninterruptible(*done - jiffies);
	requests++;
	cma_disk_transfer(bio, cma_disk_data + (cma_disk_sector(bio) << 9));
}

static int cma_disk_main(void *unused)
{
	unsigned long done = jiffies;

	while (!kthread_should_stop()) {
		struct bio *bio = NULL;

		/* it is also woken to see whether it has been stopped for long enough */
		wait_event_interruptible_timeout(cma_disk_wait,
						 (bio = cma_disk_next()) ||
						 kthread_should_stop(),
						 msecs_to_jiffies(50));
		if (bio)
			cma_disk_serve(bio, &done);
	}
	return 0;
}

static int cma_disk_register(void)
{
	int ret;

	cma_disk->major = cma_disk_major;
	cma_disk->first_minor = 0;
	cma_disk->minors = 1;
	cma_disk->fops = &cma_disk_fops;
	strcpy(cma_disk->disk_name, CMA_DISK_NAME);
	set_capacity(cma_disk, CMA_DISK_SIZE >> 9);
	cma_disk_task = kthread_run(cma_disk_main, NULL, CMA_DISK_NAME);
	if (IS_ERR(cma_disk_task))
		return PTR_ERR(cma_disk_task);
	ret = cma_disk_add(cma_disk);
	if (ret)
		kthread_stop(cma_disk_task);
	return ret;
}

static int __init cma_disk_init(void)
{
	int ret;

	bio_list_init(&cma_disk_bios);
	cma_disk_data = vzalloc(CMA_DISK_SIZE);
	if (!cma_disk_data)
		return -ENOMEM;
	ret = register_blkdev(0, CMA_DISK_NAME);
	if (ret < 0)
		goto free_data;
	cma_disk_major = ret;
	cma_disk = cma_disk_alloc(CMA_DISK_REQUEST >> 9);
	if (IS_ERR_OR_NULL(cma_disk)) {
		ret = -ENOMEM;
		goto unregister;
	}
	ret = cma_disk_register();
	if (!ret)
		return 0;

	cma_disk_free(cma_disk);
unregister:
	unregister_blkdev(cma_disk_major, CMA_DISK_NAME);
free_data:
	vfree(cma_disk_data);
	return ret;
}

static void __exit cma_disk_exit(void)
{
	del_gendisk(cma_disk);
	kthread_stop(cma_disk_task);
	cma_disk_free(cma_disk);
	unregister_blkdev(cma_disk_major, CMA_DISK_NAME);
	vfree(cma_disk_data);
}

module_init(cma_disk_init);
module_exit(cma_disk_exit);

MODULE_DESCRIPTION("A slow disk for tests");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
