// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory for heaps of shared buffers.
 */
#define pr_fmt(fmt) "dma_heap: " fmt

#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <linux/mm.h>

#include "dma-heap.h"

static int __init add_heap(struct cma *cma, void *unused)
{
	if (!cma_get_size(cma))
		return 0;

	/* Others go on if one fails, which has said so */
	dma_heap_add(cma == dma_contiguous_default_area ? "linux,cma" :
		     cma_get_name(cma), cma);
	return 0;
}

/**
 * heap_cma_init() - make a heap of every contiguous memory area
 *
 * Context: boot, when the areas are activated.
 * Return: 0.
 */
int __init heap_cma_init(void)
{
	return cma_for_each_area(add_heap, NULL);
}

/**
 * heap_cma_alloc() - allocate contiguous memory of an area
 * @cma: area
 * @size: bytes, a multiple of PAGE_SIZE
 *
 * Context: process context, may sleep.
 * Return: the first page, not cleared, to be freed with heap_cma_free(); or NULL.
 */
struct page *heap_cma_alloc(struct cma *cma, size_t size)
{
	return cma_alloc(cma, size >> PAGE_SHIFT,
			 min(get_order(size), CONFIG_CMA_ALIGNMENT), true);
}

/**
 * heap_cma_alloc_for() - allocate contiguous memory for a device
 * @dev: device, whose own area is tried before the default one; or NULL
 * @size: bytes, a multiple of PAGE_SIZE
 * @mask: highest address that devices reach
 * @cma: where the area is stored that the memory is from
 *
 * The memory is aligned to its size, so that it crosses no boundary that it need
 * not cross.
 *
 * Context: process context, may sleep.
 * Return: as heap_cma_alloc(); NULL also if no area is in reach.
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
 * @cma: area
 * @pages: first page
 * @size: bytes, as it was allocated
 *
 * Context: any.
 */
void heap_cma_free(struct cma *cma, struct page *pages, size_t size)
{
	WARN_ON_ONCE(!cma_release(cma, pages, size >> PAGE_SHIFT));
}
