// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory areas that subsystems and platforms reserve with memblock.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cma.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kmemleak.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <asm/dma-contiguous.h>

#include "cma.h"

/* Areas whose memory stays reserved if they cannot be activated */
static DECLARE_BITMAP(cma_stay_reserved, MAX_CMA_AREAS) __initdata;

/* Bounds for the place of an area; base and size are multiples of align */
struct cma_place {
	phys_addr_t	base;	/* lowest address */
	phys_addr_t	size;	/* bytes */
	phys_addr_t	limit;	/* end of the area at most */
	phys_addr_t	align;	/* bytes, a power of two */
};

/* Reserve a free range in [start, end). Returns its address, or 0. */
static phys_addr_t __init reserve_between(const struct cma_place *place,
					  u64 start, u64 end, int nid)
{
	phys_addr_t addr;

	start = max_t(u64, start, place->base);
	end = min_t(u64, end, place->limit);
	/* memblock takes an end of 0 for its current limit */
	if (end < start || end - start < place->size)
		return 0;

	addr = memblock_alloc_range_nid(place->size, place->align, start, end,
					nid, true);
	/* kmemleak must neither scan nor report it, and it may be unmapped */
	if (addr)
		kmemleak_ignore_phys(addr);
	return addr;
}

/*
 * Reserve a range that does not cross the end of low memory.  Prefer high
 * memory, and after that memory above 4 GiB, to spare the memory that devices
 * with 32-bit addresses need.
 */
static phys_addr_t __init reserve_anywhere(const struct cma_place *place,
					   int nid)
{
	phys_addr_t lowmem_end = dma_contiguous_lowmem_end();
	phys_addr_t end = place->limit, addr = 0;

	if (place->base < lowmem_end && lowmem_end < end) {
		addr = reserve_between(place, lowmem_end, end, nid);
		end = lowmem_end;
	}

	if (!addr && IS_ENABLED(CONFIG_PHYS_ADDR_T_64BIT) &&
	    !memblock_bottom_up() &&
	    memblock_end_of_DRAM() >= SZ_4G + place->size) {
		memblock_set_bottom_up(true);
		addr = reserve_between(place, SZ_4G, end, nid);
		memblock_set_bottom_up(false);
	}

	return addr ? addr : reserve_between(place, 0, end, nid);
}

/* Reserve the range at place->base: 0, -EINVAL or -EBUSY */
static int __init reserve_fixed(const struct cma_place *place)
{
	phys_addr_t lowmem_end = dma_contiguous_lowmem_end();
	phys_addr_t base = place->base;

	if (base < lowmem_end && base + place->size > lowmem_end) {
		pr_err("Region at %pa defined on low/high memory boundary (%pa)\n",
		       &base, &lowmem_end);
		return -EINVAL;
	}
	if (memblock_is_region_reserved(base, place->size) ||
	    memblock_reserve(base, place->size) < 0)
		return -EBUSY;

	return 0;
}

/* Reserve a range, and set place->base: 0, -EINVAL, -EBUSY or -ENOMEM */
static int __init reserve_place(struct cma_place *place, bool fixed, int nid)
{
	if (fixed && !IS_ALIGNED(place->base, place->align)) {
		pr_err("Region at %pa must be aligned to %pa bytes\n",
		       &place->base, &place->align);
		return -EINVAL;
	}

	place->base = ALIGN(place->base, place->align);
	if (place->base + place->size > place->limit) {
		pr_err("Size (%pa) of region at %pa exceeds limit (%pa)\n",
		       &place->size, &place->base, &place->limit);
		return -EINVAL;
	}
	if (fixed && place->base)
		return reserve_fixed(place);

	place->base = reserve_anywhere(place, nid);
	return place->base ? 0 : -ENOMEM;
}

/**
 * cma_declare_contiguous_nid() - reserve memory for a new area
 * @base: lowest physical address, 0 for any
 * @size: size in bytes, not 0; rounded up to @alignment
 * @limit: physical address that the area must end at or below, 0 for the end
 *	of memory
 * @alignment: alignment of base and size in bytes, a power of two; values below
 *	CMA_MIN_ALIGNMENT_BYTES, such as 0, stand for that
 * @order_per_bit: smallest unit of allocation, as an order of pages; 0 is one
 *	page
 * @fixed: the area must start at @base, unless @base is 0
 * @name: name of the area; NULL as for cma_init_reserved_mem()
 * @res_cma: set to the area on success
 * @nid: node that the memory must belong to, NUMA_NO_NODE for any
 *
 * Context: boot, one CPU, while memblock can reserve memory.
 * Return: 0; -EINVAL if the arguments are not aligned or contradict each other;
 * -EBUSY if the memory at @base is in use; -ENOMEM if no place was found;
 * -ENOSPC if there are too many areas.
 */
int __init cma_declare_contiguous_nid(phys_addr_t base, phys_addr_t size,
				      phys_addr_t limit, phys_addr_t alignment,
				      unsigned int order_per_bit, bool fixed,
				      const char *name, struct cma **res_cma,
				      int nid)
{
	phys_addr_t align = max_t(phys_addr_t, alignment,
				  CMA_MIN_ALIGNMENT_BYTES);
	phys_addr_t bit_size = (phys_addr_t)PAGE_SIZE << order_per_bit;
	struct cma_place place = {
		.base	= base,
		.size	= ALIGN(size, align),
		.limit	= memblock_end_of_DRAM(),
		.align	= max(align, bit_size),
	};
	int ret;

	pr_debug("%s(size %pa, base %pa, limit %pa alignment %pa)\n", __func__,
		 &size, &base, &limit, &alignment);
	if (cma_area_count == MAX_CMA_AREAS) {
		pr_err("Not enough slots for CMA reserved regions!\n");
		return -ENOSPC;
	}
	if (!size || (alignment && !is_power_of_2(alignment)) ||
	    !IS_ALIGNED(place.size, bit_size))
		return -EINVAL;
	if (limit && limit < place.limit)
		place.limit = round_down(limit, align);

	ret = reserve_place(&place, fixed, nid);
	if (!ret) {
		ret = cma_init_reserved_mem(place.base, place.size,
					    order_per_bit, name, res_cma);
		if (ret)
			memblock_phys_free(place.base, place.size);
	}
	if (ret) {
		pr_err("Failed to reserve %ld MiB\n",
		       (unsigned long)place.size / SZ_1M);
		return ret;
	}

	pr_info("Reserved %ld MiB at %pa\n", (unsigned long)place.size / SZ_1M,
		&place.base);
	return 0;
}

/**
 * cma_reserve_pages_on_error() - keep memory reserved if activation fails
 * @cma: area
 *
 * For an area whose memory has another user as well, and must not be given to
 * the page allocator if the area cannot be activated.
 *
 * Context: boot, before core_initcall().
 */
void __init cma_reserve_pages_on_error(struct cma *cma)
{
	__set_bit(cma - cma_areas, cma_stay_reserved);
}

static bool __init stays_reserved(unsigned long pfn)
{
	unsigned int i;

	for_each_set_bit(i, cma_stay_reserved, cma_area_count)
		if (cma_areas[i].base_pfn == pfn)
			return true;

	return false;
}

/**
 * free_reserved_contig_range() - free memory that was reserved at boot
 * @pfn: first page frame number
 * @nr_pages: number of pages; pages that are not valid memory or not reserved
 *	are skipped
 *
 * Does nothing if cma_reserve_pages_on_error() was called for the area at @pfn.
 *
 * Context: process context, during boot.
 */
void __init free_reserved_contig_range(unsigned long pfn,
				       unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;

	if (stays_reserved(pfn)) {
		pr_info("pfn %#lx-%#lx stay reserved\n", pfn, end - 1);
		return;
	}

	for (; pfn < end; pfn++)
		if (pfn_valid(pfn) && PageReserved(pfn_to_page(pfn)))
			free_reserved_page(pfn_to_page(pfn));
}
