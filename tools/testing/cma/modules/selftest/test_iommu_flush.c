// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of devices behind an IOMMU: when the TLB is flushed
 *
 * The IOMMU counts a fault when a device uses an entry of the TLB that the tables do
 * not have any more, and when something is mapped where it was not flushed yet.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "iommu.h"

#define ST_LIST		256	/* entries */

static unsigned int st_nr_flushes(void)
{
	struct cma_iommu_stats stats;

	cma_iommu_get_stats(&stats);
	return stats.flushes;
}

static unsigned int st_nr_syncs(void)
{
	struct cma_iommu_stats stats;

	cma_iommu_get_stats(&stats);
	return stats.syncs;
}

/* Map a list of pages, let the device write all of it, and unmap it. */
static void st_io_flush_list(struct st_iommu *io, struct st_pages *pages,
			     struct scatterlist *sgl, unsigned int expected)
{
	unsigned int syncs = st_nr_syncs(), flushes = st_nr_flushes(), i;
	struct st *t = io->t;
	struct scatterlist *sg;
	int segs;

	sg_init_table(sgl, ST_LIST);
	for (i = 0; i < ST_LIST; i++)
		sg_set_page(&sgl[i], pages->page[i], PAGE_SIZE, 0);
	segs = dma_map_sg(io->dev, sgl, ST_LIST, DMA_BIDIRECTIONAL);
	ST_CHECK(t, segs, "not mapped");
	ST_CHECK(t, st_nr_syncs() - syncs == expected, "%u syncs, not %u",
		 st_nr_syncs() - syncs, expected);
	ST_CHECK(t, st_nr_flushes() == flushes, "flushed to map");
	for_each_sg(sgl, sg, segs, i)
		ST_CHECK(t, !cma_master_write(io->dev, sg_dma_address(sg),
					      sg_dma_len(sg), i),
			 "segment %u is not written", i);
	dma_unmap_sg(io->dev, sgl, ST_LIST, DMA_BIDIRECTIONAL);
	ST_CHECK(t, st_nr_flushes() - flushes == expected,
		 "%u flushes for %d segments, not %u",
		 st_nr_flushes() - flushes, segs, expected);

	/* The last ones were in the TLB */
	for_each_sg(sgl, sg, segs, i)
		ST_CHECK(t, cma_master_check(io->dev, sg_dma_address(sg) +
					     sg_dma_len(sg) - 1, 1, 0) ==
			 -EFAULT, "segment %u is still there", i);
	ST_FAULTS(io, CMA_IOMMU_MISSING, segs);
	ST_SETTLED(io);
}

CMA_SELFTEST(st_io_flush_once, "a list of 256 entries has one sync and one flush of the TLB")
{
	struct st_pages *pages = st_pages_alloc(t, ST_LIST, GFP_KERNEL);
	struct scatterlist *sgl;
	struct st_iommu io;

	sgl = kcalloc(ST_LIST, sizeof(*sgl), GFP_KERNEL);
	if (!ST_CHECK(t, pages && sgl, "no memory") ||
	    !st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	st_io_flush_list(&io, pages, sgl, 1);
	dma_set_max_seg_size(io.dev, 0x10000);
	st_io_flush_list(&io, pages, sgl, 1);
	dma_set_max_seg_size(io.dev, PAGE_SIZE);
	st_io_flush_list(&io, pages, sgl, 1);

	/* A driver of an IOMMU without these operations */
	dma_set_max_seg_size(io.dev, UINT_MAX);
	cma_iommu_set_ranges(false);
	st_io_flush_list(&io, pages, sgl, ST_LIST);
	cma_iommu_set_ranges(true);
	st_iommu_end(&io);
free:
	kfree(sgl);
	if (pages)
		st_pages_free(pages);
}

CMA_SELFTEST(st_io_flush_range, "a range of pages of all sizes, and a buffer, have one flush")
{
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	unsigned int syncs, flushes;
	struct st_iommu io;
	dma_addr_t dma;
	void *virt;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	syncs = st_nr_syncs();
	flushes = st_nr_flushes();
	dma = dma_map_page(io.dev, page, 0, 0x122345, DMA_TO_DEVICE);
	dma_unmap_page(io.dev, dma, 0x122345, DMA_TO_DEVICE);
	virt = dma_alloc_coherent(io.dev, ST_MIB, &dma, GFP_KERNEL);
	if (ST_CHECK(t, virt, "no buffer"))
		dma_free_coherent(io.dev, ST_MIB, virt, dma);
	ST_CHECK(t, st_nr_syncs() - syncs == 2, "%u syncs",
		 st_nr_syncs() - syncs);
	ST_CHECK(t, st_nr_flushes() - flushes == 2, "%u flushes",
		 st_nr_flushes() - flushes);
	st_iommu_end(&io);
free:
	__free_pages(page, 9);
}

CMA_SELFTEST(st_io_flush_model, "the IOMMU in software counts what is not synced, or not flushed")
{
	struct page *page = alloc_page(GFP_KERNEL);
	int rw = IOMMU_READ | IOMMU_WRITE;
	struct iommu_domain *domain;
	struct st_iommu io;
	phys_addr_t phys;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	domain = io.mapping->domain;
	phys = page_to_phys(page);
	ST_CHECK(t, iommu_defers_flush(domain), "flushes each page");

	ST_CHECK(t, !iommu_map_nosync(domain, ST_IO_BASE, phys, 0, rw),
		 "not mapped");
	ST_CHECK(t, cma_master_write(io.dev, ST_IO_BASE, 16, 1) == -EFAULT,
		 "written before the sync");
	ST_FAULTS(&io, CMA_IOMMU_UNSYNCED, 1);
	iommu_sync_map(domain, ST_IO_BASE, PAGE_SIZE);
	ST_CHECK(t, !cma_master_write(io.dev, ST_IO_BASE, 16, 1),
		 "not written after it");

	ST_CHECK(t, !iommu_unmap_noflush(domain, ST_IO_BASE, 0),
		 "not unmapped");
	ST_CHECK(t, cma_master_write(io.dev, ST_IO_BASE, 16, 1) == -EFAULT,
		 "written through the TLB");
	ST_FAULTS(&io, CMA_IOMMU_STALE, 1);
	iommu_map(domain, ST_IO_BASE, phys, 0, rw);
	ST_FAULTS(&io, CMA_IOMMU_UNFLUSHED, 1);
	iommu_unmap_noflush(domain, ST_IO_BASE, 0);
	/* Its neighbours do not matter */
	iommu_flush_range(domain, ST_IO_BASE - PAGE_SIZE, PAGE_SIZE);
	iommu_flush_range(domain, ST_IO_BASE + PAGE_SIZE, PAGE_SIZE);
	iommu_map(domain, ST_IO_BASE, phys, 0, rw);
	ST_FAULTS(&io, CMA_IOMMU_UNFLUSHED, 1);
	iommu_unmap_noflush(domain, ST_IO_BASE, 0);
	iommu_flush_range(domain, ST_IO_BASE - ST_MIB, 2 * ST_MIB);
	iommu_map(domain, ST_IO_BASE, phys, 0, rw);
	iommu_unmap(domain, ST_IO_BASE, 0);
	st_iommu_end(&io);
free:
	__free_page(page);
}

/*
 * Lazy address spaces
 */

/* Map a page, let the device write it, and unmap it; return its io address. */
static dma_addr_t st_io_write_page(struct st_iommu *io, struct page *page)
{
	struct st *t = io->t;
	dma_addr_t dma = dma_map_page(io->dev, page, 0, PAGE_SIZE,
				      DMA_FROM_DEVICE);

	if (!ST_CHECK(t, !dma_mapping_error(io->dev, dma), "not mapped"))
		return dma;
	ST_CHECK(t, !cma_master_write(io->dev, dma, PAGE_SIZE, 1),
		 "not written");
	dma_unmap_page(io->dev, dma, PAGE_SIZE, DMA_FROM_DEVICE);
	return dma;
}

CMA_SELFTEST(st_io_lazy_few,
	     "100 unmaps of a lazy address space have few flushes, and use no address before one")
{
	enum { NR = 100 };
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int flushes, since = 0, i, j, max;
	dma_addr_t dma[NR];
	unsigned long start;
	struct st_iommu io;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin_lazy(t, &io, ST_MIB))
		goto free;
	start = jiffies;
	flushes = st_nr_flushes();
	for (i = 0; i < NR; i++) {
		unsigned int before = st_nr_flushes();

		dma[i] = st_io_write_page(&io, page);
		for (j = since; j < i && st_nr_flushes() == before; j++)
			ST_CHECK(t, dma[i] != dma[j],
				 "%#x of %u is that of %u", dma[i], i, j);
		if (st_nr_flushes() != before)
			since = i + 1;
	}
	flushes = st_nr_flushes() - flushes;
	/* 64 ranges at once; on a slow machine, each 10 ms what there is */
	max = NR / 64 + 1 + jiffies_to_msecs(jiffies - start) / 10;
	ST_CHECK(t, flushes && flushes <= max, "%u flushes, at most %u",
		 flushes, max);
	st_note(t, "%u flushes in %u ms", flushes,
		jiffies_to_msecs(jiffies - start));
	st_iommu_end(&io);
free:
	__free_page(page);
}

CMA_SELFTEST(st_io_lazy_time, "a lazy address space is flushed a short time after an unmap")
{
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int flushes, round;
	struct st_iommu io;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin_lazy(t, &io, ST_MIB))
		goto free;
	for (round = 0; round < 5; round++) {
		unsigned int before = st_nr_flushes();
		dma_addr_t dma = st_io_write_page(&io, page);
		struct cma_iommu_stats stats;

		ST_CHECK(t, cma_master_write(io.dev, dma, 16, 1) == -EFAULT,
			 "no fault");
		cma_iommu_get_stats(&stats);
		/* Until then, the TLB has it */
		if (stats.flushes == before)
			ST_FAULTS(&io, CMA_IOMMU_STALE, 1);
		memcpy(io.stats.faults, stats.faults, sizeof(stats.faults));
		msleep(100);
		flushes = st_nr_flushes() - before;
		ST_CHECK(t, flushes == 1, "%u flushes", flushes);
		ST_CHECK(t, cma_master_write(io.dev, dma, 16, 1) == -EFAULT,
			 "written");
		ST_FAULTS(&io, CMA_IOMMU_MISSING, 1);
	}
	st_iommu_end(&io);
free:
	__free_page(page);
}

CMA_SELFTEST(st_io_lazy_full, "a lazy address space that is full is flushed, and has room")
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct scatterlist sgl[16];
	struct st_iommu io;
	unsigned int i, j;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin_lazy(t, &io, 16 * PAGE_SIZE))
		goto free;
	for (i = 0; i < 200; i++)
		st_io_write_page(&io, page);
	for (i = 0; i < 20; i++) {
		int segs;

		/* Entries that cannot be merged: a page for each */
		sg_init_table(sgl, 16);
		for (j = 0; j < 16; j++)
			sg_set_page(&sgl[j], page, 512, 512);
		segs = dma_map_sg(io.dev, sgl, 16, DMA_TO_DEVICE);
		if (ST_CHECK(t, segs == 16, "%d segments", segs))
			dma_unmap_sg(io.dev, sgl, 16, DMA_TO_DEVICE);
	}
	st_iommu_end(&io);
free:
	__free_page(page);
}

CMA_SELFTEST(st_io_lazy_buffer, "no device reaches a coherent buffer that was freed")
{
	struct st_iommu io;
	unsigned int i;

	if (!st_iommu_begin_lazy(t, &io, ST_IO_SIZE))
		return;
	for (i = 0; i < 20; i++) {
		dma_addr_t dma;
		void *virt = dma_alloc_coherent(io.dev, 2 * PAGE_SIZE, &dma,
						GFP_KERNEL);

		if (!ST_CHECK(t, virt, "no buffer"))
			break;
		ST_CHECK(t, !cma_master_write(io.dev, dma, 2 * PAGE_SIZE, 1),
			 "not written");
		dma_free_coherent(io.dev, 2 * PAGE_SIZE, virt, dma);
		ST_CHECK(t, cma_master_write(io.dev, dma, 16, 1) == -EFAULT &&
			 cma_master_write(io.dev, dma + PAGE_SIZE, 16, 1) ==
			 -EFAULT, "written after that");
		ST_FAULTS(&io, CMA_IOMMU_MISSING, 2);
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_lazy_end, "a lazy address space is flushed when a device is detached")
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct st_iommu io;
	unsigned int i;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	/* st_iommu_end() finds what a domain had when it was freed */
	for (i = 0; i < 20; i++) {
		unsigned int flushes = st_nr_flushes();

		if (!st_iommu_begin_lazy(t, &io, ST_MIB))
			break;
		st_io_write_page(&io, page);
		arm_iommu_detach_device(io.dev);
		ST_CHECK(t, st_nr_flushes() - flushes == 1, "%u flushes",
			 st_nr_flushes() - flushes);
		ST_CHECK(t, !arm_iommu_attach_device(io.dev, io.mapping),
			 "not attached again");
		st_iommu_end(&io);
		st_iommu_expect(&io, __LINE__, CMA_IOMMU_FAULTS, 0);
	}
	__free_page(page);
}

CMA_SELFTEST(st_io_lazy_set,
	     "an address space is made lazy if the IOMMU can do it, and no device uses it yet")
{
	struct dma_iommu_mapping *mapping;
	struct st_iommu io;

	if (!st_iommu_begin_lazy(t, &io, ST_MIB))
		return;
	ST_CHECK(t, arm_iommu_set_lazy(io.mapping, false) == -EBUSY,
		 "not refused for a device");
	st_iommu_end(&io);
	mapping = st_iommu_mapping(t, ST_MIB, 0);
	if (!mapping)
		return;
	cma_iommu_set_ranges(false);
	ST_CHECK(t, arm_iommu_set_lazy(mapping, true) == -EOPNOTSUPP,
		 "an IOMMU that flushes each page");
	cma_iommu_set_ranges(true);
	ST_CHECK(t, !arm_iommu_set_lazy(mapping, true), "not lazy");
	ST_CHECK(t, !arm_iommu_set_lazy(mapping, false), "not strict");
	arm_iommu_release_mapping(mapping);
}
