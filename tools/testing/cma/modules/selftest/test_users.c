// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the code between drivers and the areas
 */
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "selftest.h"

/* More than the atomic pool has, for sizes of it up to 1 MiB */
#define ST_POOL_BLOCKS	400

static void st_grow_pool(struct st *t, enum st_device which)
{
	struct dma_pool *pool;
	dma_addr_t *dma;
	unsigned int i, nr;
	void **virt;

	pool = dma_pool_create("st", st_device(which), PAGE_SIZE, PAGE_SIZE, 0);
	if (!ST_CHECK(t, pool, "no memory"))
		return;
	virt = kcalloc(ST_POOL_BLOCKS, sizeof(*virt), GFP_KERNEL);
	dma = kcalloc(ST_POOL_BLOCKS, sizeof(*dma), GFP_KERNEL);
	if (!ST_CHECK(t, virt && dma, "no memory"))
		goto free;

	for (nr = 0; nr < ST_POOL_BLOCKS; nr++) {
		virt[nr] = dma_pool_alloc(pool, GFP_KERNEL, &dma[nr]);
		if (!ST_CHECK(t, virt[nr], "no block %u", nr))
			break;
	}
	for (i = 0; i < nr; i++)
		dma_pool_free(pool, virt[i], dma[i]);
free:
	kfree(dma);
	kfree(virt);
	dma_pool_destroy(pool);
}

CMA_SELFTEST(st_dma_pool,
	     "a DMA pool grows beyond the atomic pool for callers that can wait")
{
	if (!st_need_area(t, ST_DEFAULT))
		return;
	st_grow_pool(t, ST_DEFAULT);
	st_check_no_loss(t, ST_DEFAULT, st_grow_pool);
}

CMA_SELFTEST(st_area_of_buffer,
	     "a buffer returns to its area after the device got another one")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct cma *cma = dev_get_cma_area(dev);
	const size_t size = 64 * 1024;
	struct page *page;
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT) || !st_need_area(t, ST_PRIVATE_1))
		return;
	virt = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL);
	if (!ST_CHECK(t, virt, "no buffer"))
		return;
	page = pfn_to_page(dma_to_pfn(dev, dma));
	ST_CHECK(t, cma_pages_allocated(cma, page, size >> PAGE_SHIFT),
		 "the buffer is not in the default area");

	dev_set_cma_area(dev, dev_get_cma_area(st_device(ST_PRIVATE_1)));
	dma_free_coherent(dev, size, virt, dma);
	dev_set_cma_area(dev, NULL);
	ST_CHECK(t, !cma_pages_allocated(cma, page, 1),
		 "the first page is still allocated");
	ST_CHECK(t, !cma_pages_allocated(cma, page + (size >> PAGE_SHIFT) - 1, 1),
		 "the last page is still allocated");
}

CMA_SELFTEST(st_tree_area,
	     "a device has the area that its node names until it is released")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct page *page;

	if (tree_area_init(dev, "/cma-board-2")) {
		t->skipped = "the board declares no areas in a device tree";
		return;
	}
	page = dma_alloc_from_contiguous(dev, 1, 0);
	ST_CHECK(t, page && st_in_area(ST_PRIVATE_2, page, 1),
		 "the page is not in the area of the node");
	ST_CHECK(t, dma_release_from_contiguous(dev, page, 1),
		 "release refused");
	tree_area_release(dev);
	ST_CHECK(t, dev_get_cma_area(dev) == dma_contiguous_default_area,
		 "it still has a private area");
}
