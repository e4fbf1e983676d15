/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physically contiguous page ranges: what the allocator of contiguous memory
 * areas needs in addition to alloc_contig_range().
 */
#ifndef __LINUX_PAGE_CONTIG_H
#define __LINUX_PAGE_CONTIG_H

#include <linux/types.h>

bool take_contig_range(unsigned long start, unsigned long end,
		       unsigned int migratetype, unsigned long *used_pfn);
void free_reserved_contig_range(unsigned long pfn, unsigned long nr_pages);

#endif /* __LINUX_PAGE_CONTIG_H */
