/* SPDX-License-Identifier: GPL-2.0 */
/* What modules/iommu/iommu_tables.c uses of the kernel, and its test */
#ifndef HOST_IO_TABLES_H
#define HOST_IO_TABLES_H

#include "stubs.h"

#ifndef GFP_ATOMIC
#define GFP_ATOMIC	0x20U
#endif
#ifndef __GFP_NOWARN
#define __GFP_NOWARN	0x200U
#endif
#ifndef __GFP_ZERO
#define __GFP_ZERO	0x8000U
#endif

/* Faithful for pages of 4 KiB */
static inline int get_order(size_t size)
{
	int order = 0;

	while (4096UL << order < size)
		order++;
	return order;
}

/* Simplified: tables are in memory of the test */
void *host_tables_alloc(size_t size);
void host_tables_free(void *table);
u32 virt_to_phys(const void *table);
void *phys_to_virt(u32 phys);

#undef kcalloc
#undef kfree
#define kcalloc(n, size, gfp)		((void)(gfp), host_tables_alloc((n) * (size)))
#define kfree(table)			host_tables_free(table)
#define __get_free_pages(gfp, order)	((void)(gfp), \
	(uintptr_t)host_tables_alloc(4096UL << (order)))
#define free_pages(addr, order)		((void)(order), \
	host_tables_free((void *)(uintptr_t)(addr)))

#endif
