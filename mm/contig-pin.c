// SPDX-License-Identifier: GPL-2.0
/*
 * Pinning pages of processes for long.
 *
 * A pinned page cannot be moved, so in a CMA block it is in the way of buffers
 * until it is unpinned.  For the time of an I/O request that does not matter:
 * allocations search around the page.  For longer pins, pages of CMA blocks are
 * first moved elsewhere.  Pages that cannot be moved are pinned where they are.
 */
#include <linux/contig.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-contig.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include "internal.h"

/* Attempts to move the pages out; the second one waits for other CPUs */
#define PIN_TRIES	2

/* Is this a page of a process, or page cache, in a CMA block? */
static bool is_in_area(struct page *page)
{
	return page->mapping && is_migrate_cma(get_pageblock_migratetype(page));
}

static bool are_in_areas(struct page **pages, int nr_pages)
{
	int i;

	for (i = 0; i < nr_pages; i++)
		if (is_in_area(pages[i]))
			return true;

	return false;
}

/*
 * Allocate a page to migrate to.  As it is going to be pinned, it is none of the
 * movable pages, which could be in a CMA block.
 */
static struct page *pin_target(struct page *page, unsigned long no_target,
			       int **result)
{
	struct page *target = alloc_page(GFP_HIGHUSER | __GFP_NORETRY |
					 __GFP_NOWARN);

	*(bool *)no_target = !target;
	return target;
}

/* Drop the references to all pages, and move those in CMA blocks elsewhere */
static void leave_areas(struct page **pages, int nr_pages)
{
	struct page *page, *next;
	LIST_HEAD(isolated);
	LIST_HEAD(stay);
	int i;

	lru_add_drain();
	for (i = 0; i < nr_pages; i++) {
		page = pages[i];
		if (is_in_area(page) && contig_isolate_page(page))
			list_add_tail(&page->lru, &isolated);
		put_page(page);
	}

	list_for_each_entry_safe(page, next, &isolated, lru) {
		bool no_target = false;
		int ret;

		list_del(&page->lru);
		ret = migrate_page_nowait(page, pin_target,
					  (unsigned long)&no_target);
		if (ret == -EAGAIN || no_target)
			list_add_tail(&page->lru, &stay);
	}
	putback_lru_pages(&stay);
}

/**
 * contig_get_user_pages() - pin pages of a process for long
 * @tsk: task that faults count for, see get_user_pages()
 * @mm: memory of the process
 * @start: address of the first page
 * @nr_pages: number of pages
 * @write: the pages will be written to
 * @force: see get_user_pages()
 * @pages: set to the pages, each with a reference; not NULL
 * @vmas: see get_user_pages()
 *
 * Like get_user_pages(), but pages in CMA blocks are moved elsewhere first, as
 * far as that is possible without a wait for I/O.
 *
 * Context: process context, with mmap_sem of @mm held, but no lock that page
 * migration takes.  May sleep.
 * Return: see get_user_pages().
 */
int contig_get_user_pages(struct task_struct *tsk, struct mm_struct *mm,
			  unsigned long start, int nr_pages, int write,
			  int force, struct page **pages,
			  struct vm_area_struct **vmas)
{
	int try, ret;

	for (try = 0;; try++) {
		ret = get_user_pages(tsk, mm, start, nr_pages, write, force,
				     pages, vmas);
		if (ret <= 0 || try == PIN_TRIES || !are_in_areas(pages, ret))
			return ret;
		if (try)
			drain_contig_pages(true, jiffies + HZ / 50);
		leave_areas(pages, ret);
	}
}
EXPORT_SYMBOL_GPL(contig_get_user_pages);

/**
 * contig_get_user_pages_fast() - pin pages of the current process for long
 * @start: address of the first page
 * @nr_pages: number of pages
 * @write: the pages will be written to
 * @pages: set to the pages, each with a reference
 *
 * Like get_user_pages_fast(), and otherwise like contig_get_user_pages().
 *
 * Context: process context, without mmap_sem and without a lock that page
 * migration takes.  May sleep.
 * Return: see get_user_pages_fast().
 */
int contig_get_user_pages_fast(unsigned long start, int nr_pages, int write,
			       struct page **pages)
{
	struct mm_struct *mm = current->mm;
	int ret = get_user_pages_fast(start, nr_pages, write, pages);

	if (ret <= 0 || !are_in_areas(pages, ret))
		return ret;

	release_pages(pages, ret, 0);
	down_read(&mm->mmap_sem);
	ret = contig_get_user_pages(current, mm, start, nr_pages, write, 0,
				    pages, NULL);
	up_read(&mm->mmap_sem);
	return ret;
}
EXPORT_SYMBOL_GPL(contig_get_user_pages_fast);
