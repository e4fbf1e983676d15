/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physically contiguous page ranges in MIGRATE_CMA pageblocks.
 */
#ifndef __LINUX_PAGE_CONTIG_H
#define __LINUX_PAGE_CONTIG_H

#include <linux/types.h>

struct page;

#ifdef CONFIG_CMA

extern unsigned long totalcma_pages;

bool take_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype, unsigned long *used_pfn);
int alloc_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype);
void free_contig_range(unsigned long pfn, unsigned int nr_pages);
void init_cma_reserved_pageblock(struct page *page);
void free_reserved_contig_range(unsigned long pfn, unsigned long nr_pages);

#else

#define totalcma_pages	0UL

#endif

#endif /* __LINUX_PAGE_CONTIG_H */
