// SPDX-License-Identifier: GPL-2.0
/*
 * Decide what every page of a contiguous memory area is used for
 *
 * A figure for an allocation from an area that is in use means something only if
 * it is known what has to be moved.  A program fills an area with pages of one kind
 * through debugfs cma_layout:
 *
 *	area BASE PAGES	the area, as page frame numbers
 *	take SEED	allocate all memory that is free, and free what is not in
 *			the area; bring the pages of the area into an order that
 *			depends on SEED
 *	give		free the next page of the area.  It is on this CPU's list
 *			of free pages, so the next page of movable memory that
 *			the program needs is this one.
 *	pin N		take a reference to page N of the area, as get_user_pages()
 *			does
 *	drop		free what was not given; it can be taken again
 *	unpin		drop the references
 *
 * The program has to check the outcome: reading the file shows the number of pages
 * of each kind in the area.  It works with one CPU only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "cma_show_write.h"

#define CMA_LAYOUT_MAX_PAGES	(1024 * 1024 * 1024 / PAGE_SIZE)
#define CMA_LAYOUT_MAX_PINS	256

/* Later kernels wake up kswapd only if a flag says so */
#ifndef __GFP_NO_KSWAPD
#define __GFP_NO_KSWAPD	0
#endif

/* Movable memory, without reclaim */
#define CMA_LAYOUT_GFP	(__GFP_HIGHMEM | __GFP_MOVABLE | __GFP_NOWARN | \
			 __GFP_NORETRY | __GFP_NO_KSWAPD)

enum cma_layout_kind {
	CMA_LAYOUT_FREE,
	CMA_LAYOUT_TMPFS,
	CMA_LAYOUT_ANON,
	CMA_LAYOUT_CACHE,	/* page cache: clean, not mapped */
	CMA_LAYOUT_FILE,	/* page cache: the rest */
	CMA_LAYOUT_OTHER,	/* kernel, buffers, pages that this module keeps */
	NR_CMA_LAYOUT_KINDS
};

static const char * const cma_layout_names[NR_CMA_LAYOUT_KINDS] = {
	"free", "tmpfs", "anon", "cache", "file", "other",
};

static struct dentry *cma_layout_file;

/* Guards all below. */
static DEFINE_MUTEX(cma_layout_lock);
static unsigned long cma_layout_base;	/* pfn */
static unsigned long cma_layout_pages;
static struct page **cma_layout_kept;	/* one for each page of the area */
static unsigned long cma_layout_given;	/* index of the next page to give */
static unsigned long cma_layout_nr;	/* index after the last page */
static struct page *cma_layout_pins[CMA_LAYOUT_MAX_PINS];
static unsigned int cma_layout_nr_pins;

static void cma_layout_drop(void)
{
	while (cma_layout_given < cma_layout_nr)
		__free_page(cma_layout_kept[cma_layout_given++]);
	cma_layout_given = 0;
	cma_layout_nr = 0;
}

static void cma_layout_unpin(void)
{
	while (cma_layout_nr_pins)
		put_page(cma_layout_pins[--cma_layout_nr_pins]);
}

static int cma_layout_area(unsigned long base, unsigned long pages)
{
	if (!pages || pages > CMA_LAYOUT_MAX_PAGES ||
	    !pfn_valid(base) || !pfn_valid(base + pages - 1))
		return -EINVAL;
	cma_layout_drop();
	vfree(cma_layout_kept);
	cma_layout_pages = 0;
	cma_layout_kept = vmalloc(pages * sizeof(*cma_layout_kept));
	if (!cma_layout_kept)
		return -ENOMEM;
	cma_layout_base = base;
	cma_layout_pages = pages;
	return 0;
}

static bool cma_layout_inside(struct page *page)
{
	return page_to_pfn(page) - cma_layout_base < cma_layout_pages;
}

static void cma_layout_shuffle(unsigned int seed)
{
	unsigned long i, j;

	for (i = cma_layout_nr; i > 1; i--) {
		seed = seed * 1664525 + 1013904223;
		j = (seed >> 8) % i;
		swap(cma_layout_kept[i - 1], cma_layout_kept[j]);
	}
}

/* Nothing else runs meanwhile: nothing here sleeps, and there is one CPU. */
static int cma_layout_take(unsigned int seed)
{
	unsigned int flags = current->flags & PF_MEMALLOC;
	struct page *page, *next;
	LIST_HEAD(outside);

	if (!cma_layout_pages)
		return -EINVAL;
	if (cma_layout_given)
		return -EBUSY;
	current->flags |= PF_MEMALLOC;	/* the reserves, too */
	while ((page = alloc_page(CMA_LAYOUT_GFP))) {
		if (cma_layout_inside(page))
			cma_layout_kept[cma_layout_nr++] = page;
		else
			list_add(&page->lru, &outside);
	}
	current->flags = (current->flags & ~PF_MEMALLOC) | flags;
	list_for_each_entry_safe(page, next, &outside, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	cma_layout_shuffle(seed);
	return 0;
}

static int cma_layout_give(void)
{
	if (cma_layout_given == cma_layout_nr)
		return -ENODATA;
	__free_page(cma_layout_kept[cma_layout_given++]);
	return 0;
}

static int cma_layout_pin(unsigned long n)
{
	struct page *page;

	if (n >= cma_layout_pages)
		return -EINVAL;
	if (cma_layout_nr_pins == CMA_LAYOUT_MAX_PINS)
		return -ENOSPC;
	page = pfn_to_page(cma_layout_base + n);
	if (!page_count(page) || !page->mapping)
		return -ENOENT;
	get_page(page);
	cma_layout_pins[cma_layout_nr_pins++] = page;
	return 0;
}

static int cma_layout_run(const char *command)
{
	unsigned long a, b;

	if (sscanf(command, "area %lu %lu", &a, &b) == 2)
		return cma_layout_area(a, b);
	if (sscanf(command, "take %lu", &a) == 1)
		return cma_layout_take(a);
	if (sscanf(command, "pin %lu", &a) == 1)
		return cma_layout_pin(a);
	if (!strcmp(command, "give"))
		return cma_layout_give();
	if (!strcmp(command, "drop"))
		cma_layout_drop();
	else if (!strcmp(command, "unpin"))
		cma_layout_unpin();
	else
		return -EINVAL;
	return 0;
}

static ssize_t cma_layout_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	char command[64];
	int ret;

	if (count >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, count))
		return -EFAULT;
	command[count] = '\0';
	if (mutex_lock_interruptible(&cma_layout_lock))
		return -ERESTARTSYS;
	ret = cma_layout_run(command);
	mutex_unlock(&cma_layout_lock);
	return ret ? ret : count;
}

static enum cma_layout_kind cma_layout_kind(struct page *page)
{
	if (!page_count(page))
		return CMA_LAYOUT_FREE;
	if (!page->mapping)
		return CMA_LAYOUT_OTHER;
	if (PageAnon(page))
		return CMA_LAYOUT_ANON;
	if (test_bit(PG_swapbacked, &page->flags))
		return CMA_LAYOUT_TMPFS;
	if (PageDirty(page) || PageWriteback(page) ||
	    atomic_read(&page->_mapcount) >= 0)
		return CMA_LAYOUT_FILE;
	return CMA_LAYOUT_CACHE;
}

static int cma_layout_show(struct seq_file *m, void *unused)
{
	unsigned long nr[NR_CMA_LAYOUT_KINDS] = {};
	unsigned long i;

	mutex_lock(&cma_layout_lock);
	for (i = 0; i < cma_layout_pages; i++)
		nr[cma_layout_kind(pfn_to_page(cma_layout_base + i))]++;
	for (i = 0; i < NR_CMA_LAYOUT_KINDS; i++)
		seq_printf(m, "%s %lu\n", cma_layout_names[i], nr[i]);
	seq_printf(m, "kept %lu\n", cma_layout_nr - cma_layout_given);
	mutex_unlock(&cma_layout_lock);
	return 0;
}

CMA_SHOW_WRITE(cma_layout);

static int __init cma_layout_init(void)
{
	cma_layout_file = debugfs_create_file("cma_layout", 0600, NULL, NULL,
					      &cma_layout_fops);
	return IS_ERR_OR_NULL(cma_layout_file) ? -ENODEV : 0;
}

static void __exit cma_layout_exit(void)
{
	debugfs_remove(cma_layout_file);
	cma_layout_drop();
	cma_layout_unpin();
	vfree(cma_layout_kept);
}

module_init(cma_layout_init);
module_exit(cma_layout_exit);

MODULE_DESCRIPTION("Decides what the pages of an area are used for");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
