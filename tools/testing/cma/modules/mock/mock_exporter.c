// SPDX-License-Identifier: GPL-2.0
/*
 * Two exporters of shared buffers for tests. See mock_exporter.h.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock_exporter.h"

/* A block with room for MOCK_PAGES pages that are not adjacent */
#define MOCK_ORDER	3

/**
 * mock_last_byte() - the address that a device has to reach
 * @place: &struct mock.scattered or @contiguous
 *
 * Return: physical address of the last byte of the block.
 */
u64 mock_last_byte(const struct page *place)
{
	return (u64)page_to_phys(place) + (PAGE_SIZE << MOCK_ORDER) - 1;
}

static struct page *mock_page(const struct mock *mock, struct page *place,
			      unsigned long page_num)
{
	return place + page_num * (place == mock->scattered ? 2 : 1);
}

/**
 * mock_address() - find the kernel's mapping of a page of a buffer
 * @mock: buffer that has memory
 * @page_num: number of the page
 *
 * Return: address.
 */
void *mock_address(struct mock *mock, unsigned long page_num)
{
	return page_address(mock_page(mock, mock->place, page_num));
}

static void mock_check_lock(struct mock *mock, struct dma_buf *dmabuf)
{
	if (!mutex_trylock(&dmabuf->lock))
		mock->lock_held = true;
	else
		mutex_unlock(&dmabuf->lock);
}

static int mock_alloc(struct mock *mock)
{
	struct page *first = alloc_pages(GFP_KERNEL | __GFP_ZERO, MOCK_ORDER);
	struct page *second = alloc_pages(GFP_KERNEL | __GFP_ZERO, MOCK_ORDER);

	if (!first || !second) {
		if (first)
			__free_pages(first, MOCK_ORDER);
		if (second)
			__free_pages(second, MOCK_ORDER);
		return -ENOMEM;
	}
	mock->contiguous = min(first, second);
	mock->scattered = max(first, second);
	return 0;
}

static void mock_free(struct mock *mock)
{
	if (mock->contiguous)
		__free_pages(mock->contiguous, MOCK_ORDER);
	if (mock->scattered)
		__free_pages(mock->scattered, MOCK_ORDER);
	mock->contiguous = NULL;
	mock->scattered = NULL;
	mock->place = NULL;
}

static bool mock_is_strict(struct mock *mock,
			   const struct dma_buf_attachment *attach)
{
	return attach->limits.max_seg_count == 1 ||
	       attach->limits.mask < mock_last_byte(mock->scattered);
}

static int mock_attach(struct dma_buf *dmabuf, struct device *dev,
		       struct dma_buf_attachment *attach)
{
	struct mock *mock = dmabuf->priv;

	mock_check_lock(mock, dmabuf);
	if (mock->attach_error)
		return mock->attach_error;
	if (mock->kind == MOCK_FIXED &&
	    attach->limits.mask < mock_last_byte(mock->contiguous))
		return -ERANGE;
	attach->priv = mock;
	atomic_inc(&mock->attached);
	return 0;
}

static void mock_detach(struct dma_buf *dmabuf,
			struct dma_buf_attachment *attach)
{
	struct mock *mock = attach->priv;

	mock_check_lock(mock, dmabuf);
	atomic_dec(&mock->attached);
}

static bool mock_anyone_strict(struct mock *mock, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	bool strict = false;

	mutex_lock(&dmabuf->lock);
	list_for_each_entry(attach, &dmabuf->attachments, node)
		strict |= mock_is_strict(mock, attach);
	mutex_unlock(&dmabuf->lock);
	return strict;
}

static void mock_move(struct mock *mock)
{
	unsigned int i;

	for (i = 0; i < MOCK_PAGES; i++)
		memcpy(page_address(mock_page(mock, mock->contiguous, i)),
		       page_address(mock_page(mock, mock->scattered, i)),
		       PAGE_SIZE);
	mock->place = mock->contiguous;
	mock->moves++;
}

/* Caller holds the lock */
static int mock_place(struct mock *mock, struct dma_buf_attachment *attach)
{
	if (!mock->place) {
		if (mock_alloc(mock))
			return -ENOMEM;
		mock->place = mock_anyone_strict(mock, attach->dmabuf) ?
			      mock->contiguous : mock->scattered;
	}
	if (attach->limits.mask < mock_last_byte(mock->contiguous))
		return -ERANGE;
	if (mock->place == mock->contiguous ||
	    !mock_is_strict(mock, attach))
		return 0;
	if (mock->nr_mapped)
		return -EBUSY;
	mock_move(mock);
	return 0;
}

static struct sg_table *mock_table(struct mock *mock, struct device *dev,
				   enum dma_data_direction dir)
{
	bool one = mock->place == mock->contiguous;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	struct scatterlist *sg;
	size_t left = MOCK_SIZE;
	unsigned int i;

	if (!sgt || sg_alloc_table(sgt, one ? 1 : MOCK_PAGES, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	for_each_sg(sgt->sgl, sg, sgt->orig_nents, i) {
		size_t len = one ? left : min_t(size_t, left, PAGE_SIZE);

		sg_set_page(sg, mock_page(mock, mock->place, i), len, 0);
		left -= len;
	}
	sgt->nents = dma_map_sg(dev, sgt->sgl, sgt->orig_nents, dir);
	if (!sgt->nents) {
		sg_free_table(sgt);
		kfree(sgt);
		return ERR_PTR(-EIO);
	}
	return sgt;
}

static struct sg_table *mock_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	struct mock *mock = attach->priv;
	struct sg_table *sgt;
	int ret = 0;

	mock_check_lock(mock, attach->dmabuf);
	if (mock->map_null)
		return NULL;
	if (mock->map_error)
		return ERR_PTR(mock->map_error);
	mutex_lock(&mock->lock);
	if (mock->kind == MOCK_MOVING)
		ret = mock_place(mock, attach);
	sgt = ret ? ERR_PTR(ret) : mock_table(mock, attach->dev, dir);
	if (!IS_ERR(sgt))
		mock->nr_mapped++;
	mutex_unlock(&mock->lock);
	return sgt;
}

static void mock_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct mock *mock = attach->priv;

	mock_check_lock(mock, attach->dmabuf);
	dma_unmap_sg(attach->dev, sgt->sgl, sgt->orig_nents, dir);
	sg_free_table(sgt);
	kfree(sgt);
	mutex_lock(&mock->lock);
	mock->nr_mapped--;
	mutex_unlock(&mock->lock);
}

static void mock_release(struct dma_buf *dmabuf)
{
	struct mock *mock = dmabuf->priv;

	mock_free(mock);
	atomic_inc(&mock->released);
	if (mock->done)
		mock->done(mock);
}

/* Record the last request of the core for the tests */
static void mock_note_access(struct dma_buf *dmabuf, size_t start, size_t len,
			     enum dma_data_direction dir)
{
	struct mock *mock = dmabuf->priv;

	mock_check_lock(mock, dmabuf);
	mock->start = start;
	mock->len = len;
	mock->dir = dir;
}

static int mock_begin(struct dma_buf *dmabuf, size_t start, size_t len,
		      enum dma_data_direction dir)
{
	struct mock *mock = dmabuf->priv;

	mock_note_access(dmabuf, start, len, dir);
	if (!mock->begin_error)
		atomic_inc(&mock->accesses);
	return mock->begin_error;
}

static void mock_end(struct dma_buf *dmabuf, size_t start, size_t len,
		     enum dma_data_direction dir)
{
	struct mock *mock = dmabuf->priv;

	mock_note_access(dmabuf, start, len, dir);
	atomic_dec(&mock->accesses);
}

static void *mock_kmap(struct dma_buf *dmabuf, unsigned long page_num)
{
	struct mock *mock = dmabuf->priv;

	mock->page_num = page_num;
	atomic_inc(&mock->kmapped);
	return mock_address(mock, page_num);
}

static void mock_kunmap(struct dma_buf *dmabuf, unsigned long page_num,
			void *vaddr)
{
	struct mock *mock = dmabuf->priv;

	mock->page_num = page_num;
	if (vaddr == mock_address(mock, page_num))
		atomic_dec(&mock->kmapped);
}

static int mock_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mock *mock = dmabuf->priv;

	mock_check_lock(mock, dmabuf);
	mock->vma = vma;
	mock->pgoff = vma->vm_pgoff;
	if (mock->mmap_error) {
		/* what a driver may do before it notices that it cannot map */
		vma->vm_flags |= VM_IO;
		return mock->mmap_error;
	}
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(mock->place) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void *mock_vmap(struct dma_buf *dmabuf)
{
	struct mock *mock = dmabuf->priv;

	mock_check_lock(mock, dmabuf);
	if (mock->vmap_null)
		return NULL;
	if (mock->vmap_error)
		return ERR_PTR(mock->vmap_error);
	atomic_inc(&mock->vmapped);
	return mock_address(mock, 0);
}

static void mock_vunmap(struct dma_buf *dmabuf, void *vaddr)
{
	struct mock *mock = dmabuf->priv;

	mock_check_lock(mock, dmabuf);
	if (vaddr == mock_address(mock, 0))
		atomic_dec(&mock->vmapped);
}

static const struct dma_buf_ops mock_fixed_ops = {
	.attach			= mock_attach,
	.detach			= mock_detach,
	.map_dma_buf		= mock_map,
	.unmap_dma_buf		= mock_unmap,
	.release		= mock_release,
	.begin_cpu_access	= mock_begin,
	.end_cpu_access		= mock_end,
	.kmap_atomic		= mock_kmap,
	.kunmap_atomic		= mock_kunmap,
	.kmap			= mock_kmap,
	.kunmap			= mock_kunmap,
	.mmap			= mock_mmap,
	.vmap			= mock_vmap,
	.vunmap			= mock_vunmap,
};

static const struct dma_buf_ops mock_moving_ops = {
	.attach			= mock_attach,
	.detach			= mock_detach,
	.map_dma_buf		= mock_map,
	.unmap_dma_buf		= mock_unmap,
	.release		= mock_release,
};

/**
 * mock_export() - make a buffer of MOCK_SIZE bytes
 * @mock: the exporter's part; initialised here, and in use until its release
 * @kind: which exporter
 *
 * Return: the buffer, or the error of dma_buf_export(), or ERR_PTR(-ENOMEM).
 */
struct dma_buf *mock_export(struct mock *mock, enum mock_kind kind)
{
	struct dma_buf *dmabuf;

	memset(mock, 0, sizeof(*mock));
	mock->kind = kind;
	mutex_init(&mock->lock);
	if (kind == MOCK_FIXED) {
		if (mock_alloc(mock))
			return ERR_PTR(-ENOMEM);
		mock->place = mock->contiguous;
	}
	dmabuf = dma_buf_export_named(mock, kind == MOCK_FIXED ?
				      &mock_fixed_ops : &mock_moving_ops,
				      MOCK_SIZE, O_RDWR, "mock");
	if (IS_ERR(dmabuf))
		mock_free(mock);
	return dmabuf;
}
