/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading ARM page tables in tests
 */
#ifndef CMA_PTE_H
#define CMA_PTE_H

#include <linux/mm.h>
#include <asm/pgtable.h>
#include <asm/pgtable-hwdef.h>

/**
 * cma_pte_read() - find the Linux page table entry of an address
 * @mm: whose page tables; every mm has the kernel's half too
 * @addr: user or kernel virtual address
 * @pte: where the entry goes
 *
 * Context: nobody may change the mapping of @addr meanwhile.
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
	pmd = pmd_offset(pud_offset(pgd, addr), addr);
	if ((pmd_val(*pmd) & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
		return false;
	ptep = pte_offset_map(pmd, addr);
	*pte = *ptep;
	pte_unmap(ptep);
	return pte_present(*pte);
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
