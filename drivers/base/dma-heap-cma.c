// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory for heaps of shared buffers
 */
#define pr_fmt(fmt) "dma_heap: " fmt

#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <linux/mm.h>

#include "dma-heap.h"

/* Continue after an error, which dma_heap_add() has reported. */
static int __init add_heap(struct cma *cma, void *unused)
{
	if (!cma_get_size(cma) || cma_is_exclusive(cma))
		return 0;

	if (cma != dma_contiguous_default_area) {
		dma_heap_add(cma_get_name(cma), cma);
		return 0;
	}

	dma_heap_add("default_cma_region", cma);
	if (HAS_LEGACY_NAME)
		dma_heap_add("linux,cma", cma);
	return 0;
}

/**
 * heap_cma_init() - create the heaps of each area that is not exclusive
 *
 * Context: boot, after the areas were activated; may sleep.
 * Return: 0.
 */
int __init heap_cma_init(void)
{
	return cma_for_each_area(add_heap, NULL);
}

/**
 * heap_cma_alloc() - allocate contiguous memory from an area
 * @cma: area
 * @size: size in bytes, a multiple of PAGE_SIZE
 *
 * Context: process context, may sleep.
 * Return: the first page of memory that is not cleared and is freed with
 * heap_cma_free(), or NULL.
 */
struct page *heap_cma_alloc(struct cma *cma, size_t size)
{
	return cma_alloc(cma, size >> PAGE_SHIFT,
			 min(get_order(size), CONFIG_CMA_ALIGNMENT), true);
}

/**
 * heap_cma_alloc_for() - allocate contiguous memory for a device
 * @dev: device whose private area is tried before the default area unless it is
 *	 exclusive, or NULL to try the default area only
 * @size: size in bytes, a multiple of PAGE_SIZE
 * @mask: highest address that the devices can reach
 * @cma: set to the area that the memory was allocated from
 *
 * The memory is aligned to its size, so that it does not cross a segment
 * boundary unnecessarily.
 *
 * Context: process context, may sleep.
 * Return: see heap_cma_alloc(); also NULL if no area is within @mask.
 */
struct page *heap_cma_alloc_for(struct device *dev, size_t size, u64 mask,
				struct cma **cma)
{
	struct cma *areas[] = {
		dev_get_cma_area(dev), dma_contiguous_default_area
	};
	struct page *page = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(areas) && !page; i++) {
		if (!areas[i] || (i && areas[i] == areas[0]) ||
		    cma_is_exclusive(areas[i]) ||
		    (u64)cma_get_base(areas[i]) + cma_get_size(areas[i]) - 1 > mask)
			continue;
		*cma = areas[i];
		page = cma_alloc(areas[i], size >> PAGE_SHIFT, get_order(size),
				 true);
	}

	return page;
}

/**
 * heap_cma_free() - free contiguous memory
 * @cma: area that the memory was allocated from
 * @pages: first page
 * @size: size in bytes that was allocated
 *
 * Context: any.
 */
void heap_cma_free(struct cma *cma, struct page *pages, size_t size)
{
	WARN_ON_ONCE(!cma_release(cma, pages, size >> PAGE_SHIFT));
}
