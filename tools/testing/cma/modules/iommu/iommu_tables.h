/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables of the IOMMU in software, and its TLB
 */
#ifndef IOMMU_TABLES_H
#define IOMMU_TABLES_H

#include <linux/types.h>

#define IOMMU_TLB_ENTRIES	32

/* An entry: address | rights | type */
#define IOMMU_ENTRY_READ	0x8
#define IOMMU_ENTRY_WRITE	0x4
#define IOMMU_ENTRY_TYPE	0x3

/**
 * struct iommu_tables - two levels of tables for 4 GiB
 * @first: an entry for each MiB: a page, a 16th of a page of 16 MiB, or a table
 *	with an entry for each 4 KiB of it
 * @mapped: number of 4 KiB that are mapped
 */
struct iommu_tables {
	u32 *first;
	unsigned long mapped;
};

/**
 * struct iommu_tlb_entry - a translation
 * @iova: of the page
 * @entry: what the tables had for it; 0: none
 * @order: of the page
 */
struct iommu_tlb_entry {
	u32 iova;
	u32 entry;
	int order;
};

/**
 * struct iommu_tlb - the last translations
 * @used: they
 * @next: the one that is replaced next
 */
struct iommu_tlb {
	struct iommu_tlb_entry used[IOMMU_TLB_ENTRIES];
	unsigned int next;
};

int iommu_tables_init(struct iommu_tables *tables);
void iommu_tables_free(struct iommu_tables *tables);
int iommu_tables_map(struct iommu_tables *tables, u32 iova, u32 phys,
		     int order, u32 rights);
int iommu_tables_unmap(struct iommu_tables *tables, u32 iova, int order);
u32 iommu_tables_walk(const struct iommu_tables *tables, u32 iova, int *order);
u32 iommu_entry_phys(u32 entry, int order, u32 iova);

u32 iommu_tlb_find(const struct iommu_tlb *tlb, u32 iova, int *order);
void iommu_tlb_add(struct iommu_tlb *tlb, u32 iova, u32 entry, int order);
void iommu_tlb_flush_range(struct iommu_tlb *tlb, u32 iova, u32 size);

#endif
