/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory areas: memory that movable pages use until a driver needs
 * a physically contiguous range of it.
 */
#ifndef __LINUX_CMA_H
#define __LINUX_CMA_H

#include <linux/init.h>
#include <linux/types.h>

struct cma;
struct page;

#ifdef CONFIG_CMA

#define MAX_CMA_AREAS	(1 + CONFIG_CMA_AREAS)

/*
 * Alignment of base and size of an area.  The page allocator isolates whole
 * pageblocks, and merges free pages into blocks of up to MAX_ORDER - 1; neither
 * may extend beyond an area.
 */
#define CMA_MIN_ALIGNMENT_PAGES \
	max_t(unsigned long, pageblock_nr_pages, MAX_ORDER_NR_PAGES)
#define CMA_MIN_ALIGNMENT_BYTES	(PAGE_SIZE * CMA_MIN_ALIGNMENT_PAGES)

phys_addr_t cma_get_base(const struct cma *cma);
unsigned long cma_get_size(const struct cma *cma);
const char *cma_get_name(const struct cma *cma);
int __init cma_init_reserved_mem(phys_addr_t base, phys_addr_t size,
				 unsigned int order_per_bit, const char *name,
				 struct cma **res_cma);
struct page *cma_alloc(struct cma *cma, unsigned long count,
		       unsigned int align_order, bool no_warn);
struct page *cma_try_alloc(struct cma *cma, unsigned long count,
			   unsigned int align_order);
struct page *cma_alloc_reserve(struct cma *cma, unsigned long count,
			       unsigned int align_order, bool no_warn);
struct page *cma_try_alloc_reserve(struct cma *cma, unsigned long count,
				   unsigned int align_order);
bool cma_pages_valid(struct cma *cma, const struct page *pages,
		     unsigned long count);
struct cma *cma_area_of(const struct page *pages, unsigned long count);
bool cma_pages_allocated(struct cma *cma, const struct page *pages,
			 unsigned long count);
unsigned long cma_buffer_pages(struct cma *cma, const struct page *pages);
bool cma_release(struct cma *cma, const struct page *pages,
		 unsigned long count);
void __init cma_set_exclusive(struct cma *cma);
bool cma_is_exclusive(const struct cma *cma);
void __init cma_set_reserve(struct cma *cma, unsigned long nr_pages);
int cma_walk_areas(int (*it)(struct cma *cma, void *data), void *data);

/* The name that callers use; a function of this name would look like a loop */
#define cma_for_each_area(it, data)	cma_walk_areas(it, data)

#else

#define MAX_CMA_AREAS	0

#endif

#endif /* __LINUX_CMA_H */
