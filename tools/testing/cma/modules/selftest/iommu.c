// SPDX-License-Identifier: GPL-2.0
/*
 * A device behind the IOMMU in software, for tests
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cma_pdev.h"
#include "iommu.h"

/**
 * st_iommu_add_device() - add a device that is not behind the IOMMU yet
 * @t: running test
 * @io: set to the device, without a mapping
 *
 * Return: true, or false and the test has failed.
 */
bool st_iommu_add_device(struct st *t, struct st_iommu *io)
{
	static int id;

	memset(io, 0, sizeof(*io));
	io->t = t;
	cma_iommu_get_stats(&io->stats);
	io->pdev = cma_pdev_register("cma-io", id++);
	if (!ST_CHECK(t, !IS_ERR(io->pdev), "no device"))
		return false;
	io->dev = &io->pdev->dev;
	io->dev->dma_parms = &io->parms;
	dma_set_max_seg_size(io->dev, UINT_MAX);
	dma_set_seg_boundary(io->dev, ~0UL);
	return true;
}

/**
 * st_iommu_mapping() - create an address space
 * @t: running test
 * @size: in bytes, from ST_IO_BASE on
 * @order: log2 of the smallest range in pages
 *
 * Return: the mapping, or NULL and the test has failed.
 */
struct dma_iommu_mapping *st_iommu_mapping(struct st *t, size_t size, int order)
{
	struct dma_iommu_mapping *mapping;

	mapping = arm_iommu_create_mapping(&platform_bus_type, ST_IO_BASE, size,
					   order);
	return ST_CHECK(t, !IS_ERR_OR_NULL(mapping), "no mapping: %ld",
			PTR_ERR(mapping)) ? mapping : NULL;
}

static bool st_iommu_attach(struct st *t, struct st_iommu *io, size_t size,
			    bool lazy)
{
	int ret;

	if (!st_iommu_add_device(t, io))
		return false;
	io->mapping = st_iommu_mapping(t, size, 0);
	if (!io->mapping)
		goto remove;
	ret = arm_iommu_set_lazy(io->mapping, lazy);
	ST_CHECK(t, !ret, "lazy: %d", ret);
	ret = arm_iommu_attach_device(io->dev, io->mapping);
	if (ST_CHECK(t, !ret, "not attached: %d", ret))
		return true;
	arm_iommu_release_mapping(io->mapping);
remove:
	platform_device_unregister(io->pdev);
	return false;
}

/**
 * st_iommu_begin() - add a device behind the IOMMU
 * @t: running test
 * @io: set to the device
 * @size: of its address space, which is strict
 *
 * Return: true, or false and the test has failed.
 */
bool st_iommu_begin(struct st *t, struct st_iommu *io, size_t size)
{
	return st_iommu_attach(t, io, size, false);
}

/**
 * st_iommu_begin_lazy() - add a device behind the IOMMU, in a lazy address space
 * @t: running test
 * @io: set to the device
 * @size: of its address space
 *
 * Return: true, or false and the test has failed.
 */
bool st_iommu_begin_lazy(struct st *t, struct st_iommu *io, size_t size)
{
	return st_iommu_attach(t, io, size, true);
}

/**
 * st_iommu_end() - remove a device, after which nothing may be left
 * @io: device of st_iommu_begin()
 */
void st_iommu_end(struct st_iommu *io)
{
	struct cma_iommu_stats stats;

	ST_SETTLED(io);
	arm_iommu_detach_device(io->dev);
	arm_iommu_release_mapping(io->mapping);
	cma_iommu_get_stats(&stats);
	ST_CHECK(io->t, stats.devices == io->stats.devices,
		 "%u devices are attached, %u were", stats.devices,
		 io->stats.devices);
	ST_CHECK(io->t, stats.domains == io->stats.domains,
		 "%u domains are left, %u were there", stats.domains,
		 io->stats.domains);
	io->dev->dma_parms = NULL;
	platform_device_unregister(io->pdev);
}

/**
 * st_iommu_expect() - check faults for ST_FAULTS()
 * @io: device of st_iommu_begin()
 * @line: of the test
 * @kind: of the faults that are expected
 * @nr: number of these; all other kinds must not have happened
 */
void st_iommu_expect(struct st_iommu *io, int line, enum cma_iommu_fault kind,
		     unsigned int nr)
{
	struct cma_iommu_stats stats;
	unsigned int i;

	cma_iommu_get_stats(&stats);
	for (i = 0; i < CMA_IOMMU_FAULTS; i++)
		ST_CHECK(io->t, stats.faults[i] - io->stats.faults[i] ==
			 (i == kind ? nr : 0),
			 "line %d: %u faults of kind %u, and %u of %u are expected",
			 line, stats.faults[i] - io->stats.faults[i], i, nr,
			 kind);
	memcpy(io->stats.faults, stats.faults, sizeof(stats.faults));
}

/**
 * st_iommu_settled() - check that there is nothing left, for ST_SETTLED()
 * @io: device of st_iommu_begin()
 * @line: of the test
 */
void st_iommu_settled(struct st_iommu *io, int line)
{
	struct cma_iommu_stats stats;
	unsigned int i;

	st_iommu_expect(io, line, CMA_IOMMU_FAULTS, 0);
	cma_iommu_get_stats(&stats);
	for (i = 0; i < CMA_IOMMU_SIZES; i++)
		ST_CHECK(io->t, stats.maps[i] - io->stats.maps[i] ==
			 stats.unmaps[i] - io->stats.unmaps[i],
			 "line %d: %u pages of size %u mapped, %u unmapped",
			 line, stats.maps[i] - io->stats.maps[i], i,
			 stats.unmaps[i] - io->stats.unmaps[i]);
	ST_CHECK(io->t, !cma_iommu_mapped(io->dev), "line %d: %lu are mapped",
		 line, cma_iommu_mapped(io->dev));
}

/**
 * st_pages_alloc() - allocate pages, of which none is behind the one before it
 * @t: running test
 * @nr: number of pages
 * @gfp: flags of the request
 *
 * Return: the pages, or NULL and the test has failed.
 */
struct st_pages *st_pages_alloc(struct st *t, unsigned int nr, gfp_t gfp)
{
	struct st_pages *pages = kzalloc(sizeof(*pages) +
					 nr * sizeof(pages->page[0]),
					 GFP_KERNEL);
	unsigned int i;

	if (!ST_CHECK(t, pages, "no memory"))
		return NULL;
	pages->nr = nr;
	for (i = 0; i < nr; i++) {
		pages->page[i] = alloc_page(gfp);
		if (!ST_CHECK(t, pages->page[i], "no memory for %u", i)) {
			st_pages_free(pages);
			return NULL;
		}
	}
	/* They come in ascending or descending order: every other one from the end */
	for (i = 0; i + 1 < nr; i++)
		if (page_to_pfn(pages->page[i]) + 1 ==
		    page_to_pfn(pages->page[i + 1]))
			swap(pages->page[i], pages->page[i + 1]);
	return pages;
}

/**
 * st_pages_free() - free pages
 * @pages: what st_pages_alloc() has returned
 */
void st_pages_free(struct st_pages *pages)
{
	unsigned int i;

	for (i = 0; i < pages->nr; i++)
		if (pages->page[i])
			__free_page(pages->page[i]);
	kfree(pages);
}

/**
 * st_pages_fill() - write a pattern into pages
 * @pages: the pages, in the order of the pattern
 * @seed: number of the pattern
 */
void st_pages_fill(struct st_pages *pages, u32 seed)
{
	unsigned int i;

	for (i = 0; i < pages->nr; i++) {
		cma_pattern_fill(kmap(pages->page[i]), PAGE_SIZE, seed,
				 i * PAGE_SIZE);
		kunmap(pages->page[i]);
	}
}

/**
 * st_pages_are_pattern() - compare pages with a pattern
 * @pages: the pages, in the order of the pattern
 * @seed: number of the pattern
 *
 * Return: true if they have it.
 */
bool st_pages_are_pattern(struct st_pages *pages, u32 seed)
{
	bool same = true;
	unsigned int i;

	for (i = 0; i < pages->nr && same; i++) {
		same = cma_pattern_is(kmap(pages->page[i]), PAGE_SIZE, seed,
				      i * PAGE_SIZE);
		kunmap(pages->page[i]);
	}
	return same;
}
