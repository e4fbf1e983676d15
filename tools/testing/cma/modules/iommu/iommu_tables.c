// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables of the IOMMU in software, and its TLB
 *
 * The caller has a lock for each domain.  Pages have the order 0, 4, 8 or 12.  On
 * either level, an entry is for a page or for a 16th of a larger one, and then there
 * are 16 of the same entry.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/types.h>

#include "iommu_tables.h"

#define FIRST_ENTRIES	4096
#define SECOND_ENTRIES	256
#define FIRST_SHIFT	20
#define SECOND_SHIFT	12
#define FIRST_ORDER	get_order(FIRST_ENTRIES * sizeof(u32))

/* Types of an entry; 0: nothing */
#define TYPE_TABLE	1	/* on the first level */
#define TYPE_PAGE	2
#define TYPE_16TH	3

static u32 entry_type(u32 entry)
{
	return entry & IOMMU_ENTRY_TYPE;
}

/* The low bits of the address of a table are 0 */
static u32 *entry_table(u32 entry)
{
	return phys_to_virt(entry & ~IOMMU_ENTRY_TYPE);
}

/* The entries that a page has, on the level for its order */
static unsigned int nr_entries(int order)
{
	return order % 8 ? 16 : 1;
}

static bool is_order(int order)
{
	return order == 0 || order == 4 || order == 8 || order == 12;
}

static u32 page_mask(int order)
{
	return (1U << (order + SECOND_SHIFT)) - 1;
}

/**
 * iommu_tables_init() - make tables in which nothing is mapped
 * @tables: to be initialized
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int iommu_tables_init(struct iommu_tables *tables)
{
	tables->mapped = 0;
	tables->first = (u32 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
						FIRST_ORDER);
	return tables->first ? 0 : -ENOMEM;
}

/**
 * iommu_tables_free() - free tables, whatever they map
 * @tables: of which the contents are not defined after that
 *
 * Context: process context.
 */
void iommu_tables_free(struct iommu_tables *tables)
{
	unsigned int i;

	for (i = 0; i < FIRST_ENTRIES; i++)
		if (entry_type(tables->first[i]) == TYPE_TABLE)
			kfree(entry_table(tables->first[i]));
	free_pages((unsigned long)tables->first, FIRST_ORDER);
}

/* Free a table of the second level, unless it has entries. */
static bool free_empty(u32 *first)
{
	u32 *second = entry_table(*first);
	unsigned int i;

	for (i = 0; i < SECOND_ENTRIES; i++)
		if (second[i])
			return false;
	kfree(second);
	*first = 0;
	return true;
}

/* The entry for a page of 4 KiB or 64 KiB: NULL if there is none, and @gfp is 0 */
static u32 *second_entry(struct iommu_tables *tables, u32 iova, gfp_t gfp)
{
	u32 *first = &tables->first[iova >> FIRST_SHIFT];
	u32 *table;

	if (!*first && gfp) {
		table = kcalloc(SECOND_ENTRIES, sizeof(u32), gfp);
		if (table)
			*first = virt_to_phys(table) | TYPE_TABLE;
	}
	if (entry_type(*first) != TYPE_TABLE)
		return NULL;
	return entry_table(*first) + (iova >> SECOND_SHIFT) % SECOND_ENTRIES;
}

/**
 * iommu_tables_map() - map a page
 * @tables: where
 * @iova: io address
 * @phys: address of the memory
 * @order: of the page, in units of 4 KiB
 * @rights: IOMMU_ENTRY_READ, IOMMU_ENTRY_WRITE
 *
 * Context: any.
 * Return: 0; -EINVAL for arguments that no entry can have; -EBUSY if something is
 * mapped there; -ENOMEM.
 */
int iommu_tables_map(struct iommu_tables *tables, u32 iova, u32 phys,
		     int order, u32 rights)
{
	unsigned int i;
	u32 *entry;

	if (!is_order(order) || (iova | phys) & page_mask(order) || !rights)
		return -EINVAL;

	if (order >= 8) {
		entry = &tables->first[iova >> FIRST_SHIFT];
	} else {
		/* Else what is mapped there is a larger page */
		if (entry_type(tables->first[iova >> FIRST_SHIFT]) & TYPE_PAGE)
			return -EBUSY;
		entry = second_entry(tables, iova, GFP_ATOMIC | __GFP_NOWARN);
		if (!entry)
			return -ENOMEM;
	}
	for (i = 0; i < nr_entries(order); i++) {
		if (entry_type(entry[i]) == TYPE_TABLE)
			free_empty(&entry[i]);
		if (entry[i])
			return -EBUSY;
	}
	for (i = 0; i < nr_entries(order); i++)
		entry[i] = phys | rights | (order % 8 ? TYPE_16TH : TYPE_PAGE);
	tables->mapped += 1UL << order;
	return 0;
}

/**
 * iommu_tables_unmap() - unmap exactly one page
 * @tables: where
 * @iova: io address
 * @order: of the page
 *
 * Context: any.
 * Return: 0, or -EINVAL if no page of this order is mapped there.
 */
int iommu_tables_unmap(struct iommu_tables *tables, u32 iova, int order)
{
	unsigned int i;
	u32 *entry;
	int mapped;

	if (!iommu_tables_walk(tables, iova, &mapped) || mapped != order ||
	    iova & page_mask(order))
		return -EINVAL;

	if (order >= 8)
		entry = &tables->first[iova >> FIRST_SHIFT];
	else
		entry = second_entry(tables, iova, 0);
	for (i = 0; i < nr_entries(order); i++)
		entry[i] = 0;
	tables->mapped -= 1UL << order;
	return 0;
}

/**
 * iommu_tables_walk() - find the entry for an address
 * @tables: where
 * @iova: io address
 * @order: set to that of the page
 *
 * Context: any.
 * Return: the entry, or 0 if nothing is mapped there.
 */
u32 iommu_tables_walk(const struct iommu_tables *tables, u32 iova, int *order)
{
	u32 entry = tables->first[iova >> FIRST_SHIFT];

	*order = 8;
	if (entry_type(entry) == TYPE_TABLE) {
		entry = entry_table(entry)[(iova >> SECOND_SHIFT) %
					   SECOND_ENTRIES];
		*order = 0;
	}
	if (entry_type(entry) == TYPE_16TH)
		*order += 4;
	return entry;
}

/**
 * iommu_entry_phys() - translate an address
 * @entry: that iommu_tables_walk() has returned for it
 * @order: set there
 * @iova: the address
 *
 * Return: address of the memory.
 */
u32 iommu_entry_phys(u32 entry, int order, u32 iova)
{
	return (entry & ~page_mask(order)) | (iova & page_mask(order));
}

/**
 * iommu_tlb_find() - look up an address
 * @tlb: where
 * @iova: io address
 * @order: set to that of the page
 *
 * Context: any.
 * Return: the entry, or 0 if it is not there.
 */
u32 iommu_tlb_find(const struct iommu_tlb *tlb, u32 iova, int *order)
{
	unsigned int i;

	for (i = 0; i < IOMMU_TLB_ENTRIES; i++) {
		*order = tlb->used[i].order;
		if (tlb->used[i].entry &&
		    tlb->used[i].iova == (iova & ~page_mask(*order)))
			return tlb->used[i].entry;
	}
	return 0;
}

/**
 * iommu_tlb_add() - keep a translation
 * @tlb: where
 * @iova: an io address in the page
 * @entry: that the tables have for it
 * @order: of the page
 *
 * Context: any.
 */
void iommu_tlb_add(struct iommu_tlb *tlb, u32 iova, u32 entry, int order)
{
	unsigned int i = tlb->next++ % IOMMU_TLB_ENTRIES;

	tlb->used[i].iova = iova & ~page_mask(order);
	tlb->used[i].entry = entry;
	tlb->used[i].order = order;
}

/**
 * iommu_tlb_flush_range() - forget the translations of a range
 * @tlb: where
 * @iova: first io address
 * @size: of the range in bytes, not 0
 *
 * Context: any.
 */
void iommu_tlb_flush_range(struct iommu_tlb *tlb, u32 iova, u32 size)
{
	unsigned int i;

	for (i = 0; i < IOMMU_TLB_ENTRIES; i++) {
		u32 first = tlb->used[i].iova;
		u32 last = first + page_mask(tlb->used[i].order);

		if (first <= iova + (size - 1) && last >= iova)
			tlb->used[i].entry = 0;
	}
}
