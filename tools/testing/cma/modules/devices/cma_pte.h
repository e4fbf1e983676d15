/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read ARM page tables in tests
 */
#ifndef CMA_PTE_H
#define CMA_PTE_H

#include <linux/highmem.h>
#include <linux/mm.h>
#include <asm/pgtable.h>
#include <asm/pgtable-hwdef.h>

#include "compat.h"

/**
 * cma_pte_read() - find the Linux page table entry of an address
 * @mm: owner of the page tables; every mm has the kernel's half, too
 * @addr: user or kernel virtual address
 * @pte: set to the entry
 *
 * Context: the mapping of @addr must not change during the call.
 * Return: false when the address is not mapped by a page table (not at all, or
 * with a section).
 */
static inline bool cma_pte_read(struct mm_struct *mm, unsigned long addr,
				pte_t *pte)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	pmd_t *pmd;
	pte_t *ptep;

	*pte = __pte(0);
	if (pgd_none(*pgd))
		return false;
	pmd = pmd_offset(pud_offset(p4d_offset(pgd, addr), addr), addr);
	if ((pmd_val(*pmd) & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
		return false;
	ptep = pte_offset_map(pmd, addr);
	*pte = *ptep;
	pte_unmap(ptep);
	return pte_present(*pte);
}

/**
 * cma_pte_attributes() - how the hardware treats memory at an address
 * @mm: as for cma_pte_read()
 * @addr: user or kernel virtual address that is mapped, also with a section
 *
 * Context: the mapping of @addr must not change during the call.
 * Return: the bits TEX[2:0], C, B and S of what the CPU reads.
 */
static inline u32 cma_pte_attributes(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	pmd_t *pmd = pmd_offset(pud_offset(p4d_offset(pgd, addr), addr), addr);
	u32 section = pmd_val(pmd[addr >> SECTION_SHIFT & 1]);
	u32 small, attributes;
	pte_t *ptep;

	if ((section & PMD_TYPE_MASK) == PMD_TYPE_SECT)
		return (section >> 12 & 7) << 3 | (section >> 2 & 3) << 1 |
		       (section >> 16 & 1);
	ptep = pte_offset_map(pmd, addr);
	small = *(u32 *)((void *)ptep + PTE_HWTABLE_OFF);
	attributes = (small >> 6 & 7) << 3 | (small >> 2 & 3) << 1 |
		     (small >> 10 & 1);
	pte_unmap(ptep);
	return attributes;
}

/**
 * cma_pte_type() - the memory type of a mapping
 * @pte: Linux page table entry
 *
 * Return: the L_PTE_MT bits.
 */
static inline pteval_t cma_pte_type(pte_t pte)
{
	return pte_val(pte) & L_PTE_MT_MASK;
}

#endif
