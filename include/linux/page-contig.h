/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physically contiguous page ranges in MIGRATE_CMA pageblocks.
 */
#ifndef __LINUX_PAGE_CONTIG_H
#define __LINUX_PAGE_CONTIG_H

#include <linux/types.h>

struct mm_struct;
struct page;
struct task_struct;
struct vm_area_struct;

#ifdef CONFIG_CMA

extern unsigned long totalcma_pages;

bool take_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype, unsigned long *used_pfn);
int alloc_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype);
void free_contig_range(unsigned long pfn, unsigned int nr_pages);
void init_cma_reserved_pageblock(struct page *page);
void free_reserved_contig_range(unsigned long pfn, unsigned long nr_pages);
int contig_get_user_pages(struct task_struct *tsk, struct mm_struct *mm,
			  unsigned long start, int nr_pages, int write,
			  int force, struct page **pages,
			  struct vm_area_struct **vmas);
int contig_get_user_pages_fast(unsigned long start, int nr_pages, int write,
			       struct page **pages);

#else

#define totalcma_pages	0UL

/* Without areas there is nothing to move pages out of */
#define contig_get_user_pages		get_user_pages
#define contig_get_user_pages_fast	get_user_pages_fast

#endif

#ifdef CONFIG_CMA_DEBUG_PINS

void contig_record_pin(struct page *page);
void contig_forget_pins(struct page *page, unsigned int order);

#else

static inline void contig_record_pin(struct page *page)
{
}

static inline void contig_forget_pins(struct page *page, unsigned int order)
{
}

#endif

#endif /* __LINUX_PAGE_CONTIG_H */
