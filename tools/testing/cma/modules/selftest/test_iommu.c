// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of devices behind an IOMMU: address spaces, and mappings of memory
 *
 * The devices access memory through the page tables of the IOMMU only.  Each test
 * ends with a check that no fault has happened other than the expected ones, and
 * that everything is unmapped.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cma_pdev.h"
#include "iommu.h"
#include "outer.h"

#define ST_PAGE_ORDER	5	/* of the buffer that parts are mapped of */
#define ST_PART_SIZE	(PAGE_SIZE << ST_PAGE_ORDER)

static const enum dma_data_direction st_dirs[] = {
	DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE
};

/*
 * The IOMMU in software itself
 */

CMA_SELFTEST(st_io_bus, "a device that is not behind the IOMMU has bus addresses")
{
	void *data = (void *)get_zeroed_page(GFP_KERNEL);
	struct st_iommu io;
	dma_addr_t dma;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	if (!st_iommu_add_device(t, &io))
		goto free;
	cma_pattern_fill(data, 2048, 1, 0);
	dma = dma_map_single(io.dev, data, 2048, DMA_TO_DEVICE);
	ST_CHECK(t, dma == virt_to_dma(io.dev, data), "at %#x", dma);
	ST_CHECK(t, !cma_master_check(io.dev, dma, 2048, 1), "not read");
	ST_CHECK(t, cma_master_check(io.dev, dma, 2048, 2) == -EILSEQ,
		 "any pattern is the right one");
	dma_unmap_single(io.dev, dma, 2048, DMA_TO_DEVICE);
	ST_CHECK(t, cma_master_check(io.dev, 0x10, 16, 1) == -EFAULT,
		 "something where no memory is");
	ST_FAULTS(&io, CMA_IOMMU_NO_MEMORY, 1);
	platform_device_unregister(io.pdev);
free:
	free_page((unsigned long)data);
}

/* Map and unmap with the API of the IOMMU, in all wrong ways. */
static void st_io_misuse(struct st *t, struct st_iommu *io, phys_addr_t phys)
{
	struct iommu_domain *domain = io->mapping->domain;
	unsigned long io_64k = ST_IO_BASE + 0x10000;
	int rw = IOMMU_READ | IOMMU_WRITE;

	ST_CHECK(t, iommu_map(domain, ST_IO_BASE, phys, 1, rw), "order 1");
	ST_FAULTS(io, CMA_IOMMU_BAD_CALL, 1);
	ST_CHECK(t, iommu_map(domain, ST_IO_BASE, phys, 0, 0), "no rights");
	ST_FAULTS(io, CMA_IOMMU_BAD_CALL, 1);
	ST_CHECK(t, !iommu_map(domain, io_64k, phys, 4, rw), "not mapped");
	ST_CHECK(t, iommu_map(domain, io_64k + PAGE_SIZE, phys, 0, rw),
		 "4 KiB mapped over 64 KiB");
	ST_FAULTS(io, CMA_IOMMU_OVERLAP, 1);
	ST_CHECK(t, iommu_map(domain, ST_IO_BASE, phys & ~0xfffffUL, 8, rw),
		 "1 MiB mapped over 64 KiB");
	ST_FAULTS(io, CMA_IOMMU_OVERLAP, 1);
	ST_CHECK(t, iommu_unmap(domain, io_64k, 0) < 0, "a part unmapped");
	ST_FAULTS(io, CMA_IOMMU_NOT_MAPPED, 1);
	ST_CHECK(t, iommu_unmap(domain, ST_IO_BASE, 8) < 0, "more unmapped");
	ST_FAULTS(io, CMA_IOMMU_NOT_MAPPED, 1);
	ST_CHECK(t, iommu_iova_to_phys(domain, io_64k + 0x5678) ==
		 phys + 0x5678, "translated to %#llx",
		 (u64)iommu_iova_to_phys(domain, io_64k + 0x5678));
	ST_CHECK(t, iommu_unmap(domain, io_64k, 4) == 4, "not unmapped");
	ST_CHECK(t, iommu_unmap(domain, io_64k, 4) < 0, "unmapped twice");
	ST_FAULTS(io, CMA_IOMMU_NOT_MAPPED, 1);
	ST_CHECK(t, !iommu_iova_to_phys(domain, io_64k), "still translated");

	/* A table that became empty is no obstacle */
	ST_CHECK(t, !iommu_map(domain, ST_IO_BASE, phys & ~0xfffffUL, 8, rw),
		 "1 MiB is not mapped");
	ST_CHECK(t, iommu_map(domain, io_64k, phys, 0, rw),
		 "4 KiB mapped over 1 MiB");
	ST_FAULTS(io, CMA_IOMMU_OVERLAP, 1);
	ST_CHECK(t, iommu_unmap(domain, ST_IO_BASE, 8) == 8, "not unmapped");
	/* Where no memory is, so that none of it can be free */
	ST_CHECK(t, !iommu_map(domain, ST_IO_BASE, 0xf0000000, 12, rw),
		 "16 MiB are not mapped");
	ST_CHECK(t, cma_iommu_phys(io->dev, ST_IO_BASE + 0xabcdef) ==
		 0xf0abcdef, "16 MiB: wrong address");
	ST_CHECK(t, iommu_unmap(domain, ST_IO_BASE + 0x100000, 8) < 0,
		 "1 MiB of 16 MiB unmapped");
	ST_FAULTS(io, CMA_IOMMU_NOT_MAPPED, 1);
	ST_CHECK(t, iommu_unmap(domain, ST_IO_BASE, 12) == 12, "not unmapped");
}

/* What the device must not do, and a TLB that is not flushed. */
static void st_io_access(struct st *t, struct st_iommu *io, phys_addr_t phys)
{
	struct iommu_domain *domain = io->mapping->domain;

	ST_CHECK(t, cma_master_check(io->dev, ST_IO_BASE, 16, 1) == -EFAULT,
		 "read where nothing is mapped");
	ST_FAULTS(io, CMA_IOMMU_MISSING, 1);
	iommu_map(domain, ST_IO_BASE, phys, 0, IOMMU_READ);
	ST_CHECK(t, cma_master_write(io->dev, ST_IO_BASE, 16, 1) == -EFAULT,
		 "written without the right");
	ST_FAULTS(io, CMA_IOMMU_NO_WRITE, 1);
	iommu_unmap(domain, ST_IO_BASE, 0);
	iommu_map(domain, ST_IO_BASE, phys, 0, IOMMU_WRITE);
	ST_CHECK(t, cma_master_check(io->dev, ST_IO_BASE, 16, 1) == -EFAULT,
		 "read without the right");
	ST_FAULTS(io, CMA_IOMMU_NO_READ, 1);
	ST_CHECK(t, cma_master_write(io->dev, ST_IO_BASE + PAGE_SIZE - 8, 16,
				     1) == -EFAULT, "written across the end");
	ST_FAULTS(io, CMA_IOMMU_MISSING, 1);

	cma_iommu_keep_tlb(true);
	iommu_unmap(domain, ST_IO_BASE, 0);
	cma_iommu_keep_tlb(false);
	ST_CHECK(t, cma_master_write(io->dev, ST_IO_BASE, 16, 1) == -EFAULT,
		 "written through the TLB");
	ST_FAULTS(io, CMA_IOMMU_STALE, 1);
	/* This one flushes it */
	iommu_map(domain, ST_IO_BASE, phys, 0, IOMMU_WRITE);
	iommu_unmap(domain, ST_IO_BASE, 0);
}

CMA_SELFTEST(st_io_model, "the IOMMU in software counts each kind of fault")
{
	struct page *page = alloc_pages(GFP_KERNEL, MAX_ORDER - 1);
	struct iommu_domain *domain;
	phys_addr_t phys;
	struct st_iommu io;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, ST_IO_SIZE)) {
		__free_pages(page, MAX_ORDER - 1);
		return;
	}
	domain = io.mapping->domain;
	phys = page_to_phys(page);
	st_io_misuse(t, &io, phys);
	st_io_access(t, &io, phys);
	iommu_map(domain, ST_IO_BASE, phys, 8, IOMMU_READ);
	__free_pages(page, MAX_ORDER - 1);
	iommu_unmap(domain, ST_IO_BASE, 8);
	ST_FAULTS(&io, CMA_IOMMU_FREED, 1);
	iommu_map(domain, 0xf0000000, 0xf0000000, 0, IOMMU_READ);
	ST_CHECK(t, cma_master_check(io.dev, 0xf0000000, 16, 1) == -EFAULT,
		 "read where no memory is");
	ST_FAULTS(&io, CMA_IOMMU_NO_MEMORY, 1);
	iommu_unmap(domain, 0xf0000000, 0);
	st_iommu_end(&io);
}

/*
 * Address spaces and references
 */

static unsigned int st_nr_domains(void)
{
	struct cma_iommu_stats stats;

	cma_iommu_get_stats(&stats);
	return stats.domains;
}

/* Map, let the device read, and unmap. */
static void st_io_works(struct st *t, struct device *dev, bool behind)
{
	u8 *data = (u8 *)__get_free_page(GFP_KERNEL);
	dma_addr_t dma;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	cma_pattern_fill(data, PAGE_SIZE, 3, 0);
	dma = dma_map_single(dev, data, PAGE_SIZE, DMA_TO_DEVICE);
	if (ST_CHECK(t, !dma_mapping_error(dev, dma), "not mapped")) {
		ST_CHECK(t, (dma != virt_to_dma(dev, data)) == behind,
			 "at %#x", dma);
		ST_CHECK(t, !cma_master_check(dev, dma, PAGE_SIZE, 3),
			 "not what the CPU wrote");
		dma_unmap_single(dev, dma, PAGE_SIZE, DMA_TO_DEVICE);
	}
	free_page((unsigned long)data);
}

CMA_SELFTEST(st_io_references, "an address space lives as long as its creator or a device uses it")
{
	unsigned int before = st_nr_domains();
	struct dma_iommu_mapping *mapping;
	struct st_iommu io;
	int ret;

	if (!st_iommu_add_device(t, &io))
		return;
	mapping = st_iommu_mapping(t, ST_MIB, 0);
	if (!mapping)
		goto end;
	ST_CHECK(t, st_nr_domains() == before + 1, "no domain");
	st_io_works(t, io.dev, false);

	/* The creator's reference goes while the device is attached */
	ret = arm_iommu_attach_device(io.dev, mapping);
	ST_CHECK(t, !ret, "attach: %d", ret);
	ST_CHECK(t, get_dma_ops(io.dev) != &arm_dma_ops, "the default ops");
	st_io_works(t, io.dev, true);
	arm_iommu_release_mapping(mapping);
	ST_CHECK(t, st_nr_domains() == before + 1, "freed while in use");
	st_io_works(t, io.dev, true);
	arm_iommu_detach_device(io.dev);
	ST_CHECK(t, st_nr_domains() == before, "not freed");
	ST_CHECK(t, get_dma_ops(io.dev) == &arm_dma_ops, "not the default ops");
	st_io_works(t, io.dev, false);

	/* The device goes first, and comes back */
	mapping = st_iommu_mapping(t, ST_MIB, 0);
	if (!mapping)
		goto end;
	ST_CHECK(t, !arm_iommu_attach_device(io.dev, mapping), "not attached");
	arm_iommu_detach_device(io.dev);
	ST_CHECK(t, st_nr_domains() == before + 1, "freed with a reference");
	ST_CHECK(t, !arm_iommu_attach_device(io.dev, mapping), "not again");
	st_io_works(t, io.dev, true);
	arm_iommu_detach_device(io.dev);
	arm_iommu_release_mapping(mapping);
	ST_CHECK(t, st_nr_domains() == before, "not freed");
end:
	ST_SETTLED(&io);
	platform_device_unregister(io.pdev);
}

CMA_SELFTEST(st_io_second, "a device that is behind an IOMMU cannot be attached again")
{
	struct dma_iommu_mapping *other;
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_MIB))
		return;
	ST_CHECK(t, arm_iommu_attach_device(io.dev, io.mapping) < 0,
		 "attached to the same twice");
	other = st_iommu_mapping(t, ST_MIB, 0);
	if (other) {
		unsigned int before = st_nr_domains();

		ST_CHECK(t, arm_iommu_attach_device(io.dev, other) < 0,
			 "attached to two");
		arm_iommu_release_mapping(other);
		ST_CHECK(t, st_nr_domains() == before - 1,
			 "the refused attach has a reference");
	}
	st_io_works(t, io.dev, true);
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_attach_fails, "an attach that the IOMMU refuses changes nothing")
{
	unsigned int before = st_nr_domains();
	struct dma_iommu_mapping *mapping;
	struct st_iommu io;

	if (!st_iommu_add_device(t, &io))
		return;
	mapping = st_iommu_mapping(t, ST_MIB, 0);
	if (mapping) {
		cma_iommu_fail(CMA_IOMMU_ATTACH, 1);
		ST_CHECK(t, arm_iommu_attach_device(io.dev, mapping) == -EIO,
			 "not the error of the IOMMU");
		ST_CHECK(t, get_dma_ops(io.dev) == &arm_dma_ops, "other ops");
		st_io_works(t, io.dev, false);
		ST_CHECK(t, !arm_iommu_attach_device(io.dev, mapping),
			 "not attached then");
		st_io_works(t, io.dev, true);
		arm_iommu_detach_device(io.dev);
		arm_iommu_release_mapping(mapping);
	}
	ST_CHECK(t, st_nr_domains() == before, "a reference is left");
	ST_SETTLED(&io);
	platform_device_unregister(io.pdev);
}

CMA_SELFTEST(st_io_bad_space, "an address space that cannot be is refused")
{
	static const struct {
		dma_addr_t base;
		size_t size;
		int order;
	} bad[] = {
		{ ST_IO_BASE, 0, 0 },
		{ ST_IO_BASE + 1, ST_MIB, 0 },
		{ 0xfff00000, 2 * ST_MIB, 0 },
		{ ST_IO_BASE + PAGE_SIZE, ST_MIB, 4 },
		{ ST_IO_BASE, PAGE_SIZE, 4 },
	};
	unsigned int before = st_nr_domains();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dma_iommu_mapping *mapping;

		mapping = arm_iommu_create_mapping(&platform_bus_type,
						   bad[i].base, bad[i].size,
						   bad[i].order);
		ST_CHECK(t, IS_ERR(mapping) && PTR_ERR(mapping) == -EINVAL,
			 "%u: %ld", i, PTR_ERR(mapping));
		if (!IS_ERR_OR_NULL(mapping))
			arm_iommu_release_mapping(mapping);
	}
	ST_CHECK(t, st_nr_domains() == before, "a domain is left");
}

CMA_SELFTEST(st_io_other_ops, "a device with operations of its own is not attached")
{
	struct dma_iommu_mapping *mapping;
	struct st_iommu io;

	if (!st_iommu_add_device(t, &io))
		return;
	mapping = st_iommu_mapping(t, ST_MIB, 0);
	if (mapping) {
		set_dma_ops(io.dev, &arm_coherent_dma_ops);
		ST_CHECK(t, arm_iommu_attach_device(io.dev, mapping) == -EBUSY,
			 "attached");
		ST_CHECK(t, get_dma_ops(io.dev) == &arm_coherent_dma_ops,
			 "lost its operations");
		set_dma_ops(io.dev, NULL);
		arm_iommu_release_mapping(mapping);
	}
	ST_SETTLED(&io);
	platform_device_unregister(io.pdev);
}

CMA_SELFTEST(st_io_masks, "a mask that does not reach all of the address space is refused")
{
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	ST_CHECK(t, dma_set_mask(io.dev, DMA_BIT_MASK(31)) == -EIO, "31 bits");
	ST_CHECK(t, *io.dev->dma_mask == DMA_BIT_MASK(32), "and it is set");
	ST_CHECK(t, dma_set_coherent_mask(io.dev, DMA_BIT_MASK(31)) == -EIO,
		 "31 bits for buffers");
	ST_CHECK(t, !dma_set_mask(io.dev, DMA_BIT_MASK(32)), "32 bits");
	st_iommu_end(&io);
}

/* Ranges of an address space for an IOMMU whose pages are larger */
CMA_SELFTEST(st_io_granule, "with an order, each range has io addresses for itself")
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct dma_iommu_mapping *mapping;
	struct st_iommu io;
	dma_addr_t dma[16];
	unsigned int i;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_add_device(t, &io))
		goto free;
	mapping = st_iommu_mapping(t, ST_MIB, 4);
	if (!mapping)
		goto remove;
	ST_CHECK(t, !arm_iommu_attach_device(io.dev, mapping), "not attached");
	arm_iommu_release_mapping(mapping);
	for (i = 0; i < 16; i++) {
		dma[i] = dma_map_page(io.dev, page, 0, 64, DMA_TO_DEVICE);
		if (!ST_CHECK(t, !dma_mapping_error(io.dev, dma[i]),
			      "%u fit", i))
			break;
		ST_CHECK(t, !(dma[i] & 0xffff), "%u at %#x", i, dma[i]);
	}
	while (i--)
		dma_unmap_page(io.dev, dma[i], 64, DMA_TO_DEVICE);
	ST_SETTLED(&io);
	arm_iommu_detach_device(io.dev);
remove:
	platform_device_unregister(io.pdev);
free:
	__free_page(page);
}

CMA_SELFTEST(st_io_shared, "devices in one address space see the same memory")
{
	u8 *data = (u8 *)get_zeroed_page(GFP_KERNEL);
	struct st_iommu io, other;
	dma_addr_t dma;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, ST_MIB))
		goto free;
	if (!st_iommu_add_device(t, &other))
		goto end;
	ST_CHECK(t, !arm_iommu_attach_device(other.dev, io.mapping),
		 "not attached");
	dma = dma_map_single(io.dev, data, PAGE_SIZE, DMA_BIDIRECTIONAL);
	ST_CHECK(t, !cma_master_write(other.dev, dma, PAGE_SIZE, 4), "written");
	ST_CHECK(t, !cma_master_check(io.dev, dma, PAGE_SIZE, 4), "not read");
	arm_iommu_detach_device(io.dev);
	ST_CHECK(t, !cma_master_check(other.dev, dma, PAGE_SIZE, 4),
		 "the mapping went with the device");
	ST_CHECK(t, !arm_iommu_attach_device(io.dev, io.mapping), "not again");
	dma_unmap_single(io.dev, dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	arm_iommu_detach_device(other.dev);
	platform_device_unregister(other.pdev);
end:
	st_iommu_end(&io);
free:
	free_page((unsigned long)data);
}

/*
 * Single ranges
 */

/* Map a part of a buffer; the device does all that it may do, and more. */
static void st_io_part(struct st_iommu *io, u8 *data, size_t offset,
		       size_t size, enum dma_data_direction dir)
{
	bool reads = dir != DMA_FROM_DEVICE, writes = dir != DMA_TO_DEVICE;
	struct st *t = io->t;
	dma_addr_t dma, end;
	u32 seed = offset;

	cma_pattern_fill(data, ST_PART_SIZE, seed, 0);
	dma = dma_map_page(io->dev, virt_to_page(data), offset, size, dir);
	if (!ST_CHECK(t, !dma_mapping_error(io->dev, dma),
		      "%zu+%zu: not mapped", offset, size))
		return;
	ST_CHECK(t, dma >= ST_IO_BASE && size <= ST_IO_SIZE &&
		 dma - ST_IO_BASE <= ST_IO_SIZE - size, "at %#x", dma);
	ST_CHECK(t, !((dma ^ offset) & ~PAGE_MASK), "%zu at %#x", offset, dma);
	end = PAGE_ALIGN(dma + size);
	ST_CHECK(t, cma_iommu_mapped(io->dev) ==
		 (end - (dma & PAGE_MASK)) >> PAGE_SHIFT, "%zu+%zu: %lu pages",
		 offset, size, cma_iommu_mapped(io->dev));

	if (reads) {
		u8 *copy = kmalloc(size, GFP_KERNEL);

		if (ST_CHECK(t, copy, "no memory")) {
			ST_CHECK(t, !cma_master_read(io->dev, dma, copy, size),
				 "%zu+%zu: not read", offset, size);
			ST_CHECK(t, !memcmp(copy, data + offset, size),
				 "%zu+%zu: read something else", offset, size);
		}
		kfree(copy);
	} else {
		ST_CHECK(t, cma_master_check(io->dev, dma, 1, 0) == -EFAULT,
			 "read while it may only write");
		ST_FAULTS(io, CMA_IOMMU_NO_READ, 1);
	}
	if (writes) {
		ST_CHECK(t, !cma_master_write(io->dev, dma, size, seed + 1),
			 "%zu+%zu: not written", offset, size);
	} else {
		ST_CHECK(t, cma_master_write(io->dev, dma, 1, 0) == -EFAULT,
			 "written while it may only read");
		ST_FAULTS(io, CMA_IOMMU_NO_WRITE, 1);
	}
	ST_CHECK(t, cma_master_check(io->dev, end, 1, 0) == -EFAULT &&
		 cma_master_check(io->dev, (dma & PAGE_MASK) - 1, 1, 0) ==
		 -EFAULT, "%zu+%zu: there is more", offset, size);
	ST_FAULTS(io, CMA_IOMMU_MISSING, 2);
	dma_unmap_page(io->dev, dma, size, dir);
	ST_CHECK(t, cma_pattern_is(data, offset, seed, 0) &&
		 cma_pattern_is(data + offset + size,
				ST_PART_SIZE - offset - size, seed,
				offset + size), "%zu+%zu: written outside",
		 offset, size);
	ST_CHECK(t, cma_pattern_is(data + offset, size, seed + writes,
				   writes ? 0 : offset),
		 "%zu+%zu: not what the device wrote", offset, size);
	ST_CHECK(t, cma_master_check(io->dev, dma, 1, 0) == -EFAULT,
		 "%zu+%zu: still there", offset, size);
	ST_FAULTS(io, CMA_IOMMU_MISSING, 1);
	ST_SETTLED(io);
}

CMA_SELFTEST(st_io_parts, "any part of a buffer can be mapped, for each direction")
{
	static const struct {
		size_t offset, size;
	} parts[] = {
		{ 0, 4096 }, { 0, 1 }, { 100, 50 }, { 4095, 1 }, { 4095, 2 },
		{ 1000, 9000 }, { 8192, 4096 }, { 0, 65536 }, { 123, 70000 },
		{ 5000, 4096 }, { 0, ST_PART_SIZE },
	};
	u8 *data = (u8 *)__get_free_pages(GFP_KERNEL, ST_PAGE_ORDER);
	struct st_iommu io;
	unsigned int i, dir;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	if (st_iommu_begin(t, &io, ST_IO_SIZE)) {
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			for (dir = 0; dir < ARRAY_SIZE(st_dirs); dir++)
				st_io_part(&io, data, parts[i].offset,
					   parts[i].size, st_dirs[dir]);
		st_iommu_end(&io);
	}
	free_pages((unsigned long)data, ST_PAGE_ORDER);
}

CMA_SELFTEST(st_io_partial_unmap, "a part of a mapping cannot be unmapped")
{
	u8 *data = (u8 *)__get_free_pages(GFP_KERNEL, 2);
	struct st_iommu io;
	dma_addr_t dma;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	cma_pattern_fill(data, 4 * PAGE_SIZE, 5, 0);
	dma = dma_map_single(io.dev, data, 4 * PAGE_SIZE, DMA_TO_DEVICE);
	/* what dma_unmap_single() calls; DMA_API_DEBUG would forget the mapping */
	dma_ops_unmap_page(io.dev, dma, PAGE_SIZE, DMA_TO_DEVICE, NULL);
	dma_ops_unmap_page(io.dev, dma + PAGE_SIZE, 3 * PAGE_SIZE,
			   DMA_TO_DEVICE, NULL);
	ST_CHECK(t, cma_iommu_mapped(io.dev) == 4, "%lu pages are mapped",
		 cma_iommu_mapped(io.dev));
	ST_CHECK(t, !cma_master_check(io.dev, dma, 4 * PAGE_SIZE, 5),
		 "not all is mapped");
	dma_unmap_single(io.dev, dma, 4 * PAGE_SIZE, DMA_TO_DEVICE);
	st_iommu_end(&io);
free:
	free_pages((unsigned long)data, 2);
}

/* How many pages of each size a range is mapped with. */
static void st_io_sizes(struct st_iommu *io, struct page *page, size_t size,
			const unsigned int *expected)
{
	struct cma_iommu_stats before, after;
	struct st *t = io->t;
	dma_addr_t dma;
	unsigned int i;

	cma_iommu_get_stats(&before);
	dma = dma_map_page(io->dev, page, 0, size, DMA_TO_DEVICE);
	cma_iommu_get_stats(&after);
	if (!ST_CHECK(t, !dma_mapping_error(io->dev, dma), "not mapped"))
		return;
	for (i = 0; i < CMA_IOMMU_SIZES; i++)
		ST_CHECK(t, after.maps[i] - before.maps[i] == expected[i],
			 "%zu bytes at %#lx: %u pages of size %u, not %u", size,
			 page_to_pfn(page), after.maps[i] - before.maps[i], i,
			 expected[i]);
	ST_CHECK(t, cma_iommu_phys(io->dev, dma + size - 1) ==
		 page_to_phys(page) + size - 1, "the end is elsewhere");
	dma_unmap_page(io->dev, dma, size, DMA_TO_DEVICE);
	ST_SETTLED(io);
}

CMA_SELFTEST(st_io_page_sizes, "memory is mapped with the largest pages that fit")
{
	static const unsigned int one[] = { 1, 0, 0, 0 };
	static const unsigned int large[] = { 0, 1, 0, 0 };
	static const unsigned int large_and_one[] = { 1, 1, 0, 0 };
	static const unsigned int unaligned[] = { 16, 0, 0, 0 };
	static const unsigned int section[] = { 0, 0, 1, 0 };
	static const unsigned int all[] = { 1, 1, 1, 0 };
	static const unsigned int sections[] = { 0, 0, 4, 0 };
	struct page *page = alloc_pages(GFP_KERNEL, 10);
	struct st_iommu io;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (st_iommu_begin(t, &io, ST_IO_SIZE)) {
		st_io_sizes(&io, page, 1, one);
		st_io_sizes(&io, page, 0x10000, large);
		st_io_sizes(&io, page, 0x11000, large_and_one);
		st_io_sizes(&io, page + 1, 0x10000, unaligned);
		st_io_sizes(&io, page, 0x100000, section);
		st_io_sizes(&io, page, 0x111000, all);
		st_io_sizes(&io, page, 0x400000, sections);
		st_iommu_end(&io);
	}
	__free_pages(page, 10);
}

CMA_SELFTEST(st_io_few_sizes, "an IOMMU without large pages maps the same with small ones")
{
	static const unsigned int small[] = { 17, 0, 0, 0 };
	static const unsigned int no_section[] = { 1, 16, 0, 0 };
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	struct st_iommu io;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	cma_iommu_set_orders(1);
	if (st_iommu_begin(t, &io, ST_IO_SIZE)) {
		st_io_sizes(&io, page, 0x11000, small);
		st_iommu_end(&io);
	}
	cma_iommu_set_orders(0x11);
	if (st_iommu_begin(t, &io, ST_IO_SIZE)) {
		st_io_sizes(&io, page, 0x101000, no_section);
		st_iommu_end(&io);
	}
	cma_iommu_set_orders(0x1111);
	__free_pages(page, 9);
}

CMA_SELFTEST(st_io_16m, "16 MiB of contiguous memory are one page for the IOMMU")
{
	static const unsigned int one[] = { 0, 0, 0, 1 };
	static const unsigned int more[] = { 1, 0, 0, 1 };
	struct cma *cma = dev_get_cma_area(st_device(ST_DEFAULT));
	unsigned long nr = (16 * ST_MIB >> PAGE_SHIFT) + 1;
	struct st_iommu io;
	struct page *page;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	page = cma_alloc(cma, nr, 12, true);
	if (!page) {
		t->skipped = "the area has no 16 MiB at such an address";
		return;
	}
	if (st_iommu_begin(t, &io, ST_IO_SIZE)) {
		st_io_sizes(&io, page, 16 * ST_MIB, one);
		st_io_sizes(&io, page, 16 * ST_MIB + 1, more);
		st_iommu_end(&io);
	}
	cma_release(cma, page, nr);
}

/*
 * Lists
 */

/* An entry of a list: a part of a page, or of more */
struct st_entry {
	unsigned int offset, length;
};

#define ST_MAX_ENTRIES	16

/*
 * Map entries, each in a page for itself, and let the device transfer all segments,
 * whose number and lengths are given.
 */
static void st_io_list(struct st_iommu *io, const struct st_entry *entries,
		       unsigned int nr, enum dma_data_direction dir,
		       const unsigned int *lengths)
{
	bool reads = dir != DMA_FROM_DEVICE, writes = dir != DMA_TO_DEVICE;
	struct st_pages *pages = st_pages_alloc(io->t, nr, GFP_KERNEL);
	struct scatterlist sgl[ST_MAX_ENTRIES], *sg;
	struct st *t = io->t;
	unsigned int i, segs, pos;

	if (!pages)
		return;
	sg_init_table(sgl, nr);
	for (i = 0; i < nr; i++) {
		sg_set_page(&sgl[i], pages->page[i], entries[i].length,
			    entries[i].offset);
		memset(page_address(pages->page[i]), 0x55, PAGE_SIZE);
		cma_pattern_fill(sg_virt(&sgl[i]), sgl[i].length, i, 0);
	}
	segs = dma_map_sg(io->dev, sgl, nr, dir);
	for_each_sg(sgl, sg, segs, i) {
		if (!ST_CHECK(t, lengths[i], "more than %u segments", i))
			break;
		ST_CHECK(t, sg_dma_len(sg) == lengths[i],
			 "segment %u has %u bytes, not %u", i, sg_dma_len(sg),
			 lengths[i]);
	}
	ST_CHECK(t, segs && !lengths[segs], "only %u segments", segs);

	/* Each entry has its data at a place of a segment */
	sg = segs ? sgl : NULL;
	for (i = 0, pos = 0; i < nr && sg; i++) {
		dma_addr_t dma = sg_dma_address(sg) + pos;

		ST_CHECK(t, !((dma ^ entries[i].offset) & ~PAGE_MASK),
			 "entry %u: %u at %#x", i, entries[i].offset, dma);
		if (reads)
			ST_CHECK(t, !cma_master_check(io->dev, dma,
						      entries[i].length, i),
				 "entry %u: not read", i);
		if (writes)
			ST_CHECK(t, !cma_master_write(io->dev, dma,
						      entries[i].length,
						      100 + i),
				 "entry %u: not written", i);
		pos += entries[i].length;
		if (pos >= sg_dma_len(sg)) {
			pos = 0;
			sg = sg_next(sg);
		}
	}
	dma_sync_sg_for_cpu(io->dev, sgl, nr, dir);
	dma_sync_sg_for_device(io->dev, sgl, nr, dir);
	dma_unmap_sg(io->dev, sgl, nr, dir);
	for (i = 0; i < nr; i++) {
		void *virt = page_address(pages->page[i]);

		ST_CHECK(t, cma_pattern_is(sg_virt(&sgl[i]), sgl[i].length,
					   writes ? 100 + i : i, 0),
			 "entry %u: not what the device wrote", i);
		ST_CHECK(t, st_is_filled(virt, 0x55, sgl[i].offset) &&
			 st_is_filled(sg_virt(&sgl[i]) + sgl[i].length, 0x55,
				      PAGE_SIZE - sgl[i].offset -
				      sgl[i].length),
			 "entry %u: written outside", i);
	}
	st_pages_free(pages);
	ST_SETTLED(io);
}

CMA_SELFTEST(st_io_lists, "lists with any ends are mapped, and neighbours merged")
{
	static const struct st_entry whole[] = {
		{ 0, 4096 }, { 0, 4096 }, { 0, 4096 }, { 0, 4096 },
		{ 0, 4096 }, { 0, 4096 }, { 0, 4096 }, { 0, 4096 },
	};
	static const struct st_entry ends[] = {
		{ 100, 3996 }, { 0, 4096 }, { 0, 700 }, { 50, 20 },
		{ 3000, 1096 }, { 0, 4096 }, { 1, 4095 }, { 0, 1 },
	};
	static const struct st_entry parts[] = {
		{ 512, 512 }, { 1024, 512 }, { 0, 512 }, { 3584, 512 },
	};
	static const unsigned int one[] = { 8 * 4096, 0 };
	static const unsigned int merged[] = {
		3996 + 4096 + 700, 20, 1096 + 4096, 4096, 0
	};
	static const unsigned int each[] = { 512, 512, 512, 512, 0 };
	struct st_iommu io;
	unsigned int i;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	for (i = 0; i < ARRAY_SIZE(st_dirs); i++) {
		st_io_list(&io, whole, ARRAY_SIZE(whole), st_dirs[i], one);
		st_io_list(&io, ends, ARRAY_SIZE(ends), st_dirs[i], merged);
		st_io_list(&io, parts, ARRAY_SIZE(parts), st_dirs[i], each);
		st_io_list(&io, whole, 1, st_dirs[i],
			   (const unsigned int[]){ 4096, 0 });
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_list_limits, "segments keep to the limits of the device")
{
	static const struct st_entry whole[] = {
		{ 0, 4096 }, { 0, 4096 }, { 0, 4096 }, { 0, 4096 },
		{ 0, 4096 }, { 0, 4096 }, { 0, 4096 }, { 0, 4096 },
	};
	static const unsigned int pairs[] = { 8192, 8192, 8192, 8192, 0 };
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	dma_set_max_seg_size(io.dev, 2 * PAGE_SIZE);
	st_io_list(&io, whole, ARRAY_SIZE(whole), DMA_BIDIRECTIONAL, pairs);
	/* No segment is empty if the limit is no multiple of a page */
	dma_set_max_seg_size(io.dev, 2 * PAGE_SIZE + 100);
	st_io_list(&io, whole, ARRAY_SIZE(whole), DMA_BIDIRECTIONAL, pairs);
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_list_default, "a device that says nothing takes segments of 64 KiB")
{
	static const struct st_entry entries[ST_MAX_ENTRIES] = {
		[0 ... ST_MAX_ENTRIES - 1] = { 0, 4096 },
	};
	static const unsigned int all[] = { 0x10000, 0 };
	static const unsigned int halves[] = { 0x8000, 0x8000, 0 };
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	io.dev->dma_parms = NULL;
	ST_CHECK(t, dma_get_max_seg_size(io.dev) == 0x10000, "another default");
	st_io_list(&io, entries, ST_MAX_ENTRIES, DMA_BIDIRECTIONAL, all);
	io.dev->dma_parms = &io.parms;
	dma_set_max_seg_size(io.dev, 0x8000);
	st_io_list(&io, entries, ST_MAX_ENTRIES, DMA_BIDIRECTIONAL, halves);
	/* As in a driver that sets the size only */
	dma_set_seg_boundary(io.dev, 0);
	st_io_list(&io, entries, ST_MAX_ENTRIES, DMA_BIDIRECTIONAL, halves);
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_list_boundary, "no segment crosses the boundary of the device")
{
	struct st_pages *pages = st_pages_alloc(t, 100, GFP_KERNEL);
	struct scatterlist *sgl, *sg;
	unsigned int i, segs, sum = 0;
	struct st_iommu io;

	sgl = kmalloc(100 * sizeof(*sgl), GFP_KERNEL);
	if (!ST_CHECK(t, pages && sgl, "no memory") ||
	    !st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	dma_set_seg_boundary(io.dev, 0xffff);
	sg_init_table(sgl, 100);
	for (i = 0; i < 100; i++)
		sg_set_page(&sgl[i], pages->page[i], PAGE_SIZE, 0);
	segs = dma_map_sg(io.dev, sgl, 100, DMA_BIDIRECTIONAL);
	ST_CHECK(t, segs >= 7 && segs <= 8, "%u segments", segs);
	for_each_sg(sgl, sg, segs, i) {
		u32 first = sg_dma_address(sg);

		ST_CHECK(t, (first | 0xffff) ==
			 ((first + sg_dma_len(sg) - 1) | 0xffff),
			 "segment %u: %u bytes at %#x", i, sg_dma_len(sg),
			 first);
		sum += sg_dma_len(sg);
	}
	ST_CHECK(t, sum == 100 * PAGE_SIZE, "%u bytes", sum);
	dma_unmap_sg(io.dev, sgl, 100, DMA_BIDIRECTIONAL);
	st_iommu_end(&io);
free:
	kfree(sgl);
	if (pages)
		st_pages_free(pages);
}

CMA_SELFTEST(st_io_long_list, "a list of 1,024 scattered pages is one segment of 4 MiB")
{
	struct st_pages *pages = st_pages_alloc(t, 1024, GFP_HIGHUSER);
	struct scatterlist *sgl = NULL;
	struct st_iommu io;
	unsigned int i;
	int segs;

	if (!pages)
		return;
	sgl = kmalloc(1024 * sizeof(*sgl), GFP_KERNEL);
	if (!ST_CHECK(t, sgl, "no memory") ||
	    !st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	sg_init_table(sgl, 1024);
	for (i = 0; i < 1024; i++)
		sg_set_page(&sgl[i], pages->page[i], PAGE_SIZE, 0);
	st_pages_fill(pages, 6);
	segs = dma_map_sg(io.dev, sgl, 1024, DMA_BIDIRECTIONAL);
	if (ST_CHECK(t, segs == 1 && sg_dma_len(sgl) == 4 * ST_MIB,
		     "%d segments, %u bytes", segs, sg_dma_len(sgl))) {
		dma_addr_t dma = sg_dma_address(sgl);

		ST_CHECK(t, !cma_master_check(io.dev, dma, 4 * ST_MIB, 6),
			 "not read");
		ST_CHECK(t, !cma_master_write(io.dev, dma, 4 * ST_MIB, 7),
			 "not written");
	}
	dma_unmap_sg(io.dev, sgl, 1024, DMA_BIDIRECTIONAL);
	ST_CHECK(t, st_pages_are_pattern(pages, 7), "not what was written");
	st_iommu_end(&io);
free:
	kfree(sgl);
	st_pages_free(pages);
}

CMA_SELFTEST(st_io_list_blocks, "entries longer than a page, and neighbours in a page, are mapped")
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	struct scatterlist sgl[3];
	struct st_iommu io;
	dma_addr_t dma;
	int segs;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	/* Offsets that exceed a page, and three entries that are one range */
	sg_init_table(sgl, 3);
	sg_set_page(&sgl[0], page, 1000, 5000);
	sg_set_page(&sgl[1], page, 8000, 6000);
	sg_set_page(&sgl[2], page + 3, 300, 14000 - 3 * PAGE_SIZE);
	cma_pattern_fill(page_address(page) + 5000, 9300, 11, 0);
	segs = dma_map_sg(io.dev, sgl, 3, DMA_BIDIRECTIONAL);
	if (ST_CHECK(t, segs == 1 && sg_dma_len(sgl) == 9300,
		     "%d segments, %u bytes", segs, sg_dma_len(sgl))) {
		dma = sg_dma_address(sgl);
		ST_CHECK(t, (dma & ~PAGE_MASK) == 5000 - PAGE_SIZE, "at %#x",
			 dma);
		ST_CHECK(t, cma_iommu_mapped(io.dev) == 3, "%lu pages",
			 cma_iommu_mapped(io.dev));
		ST_CHECK(t, !cma_master_check(io.dev, dma, 9300, 11),
			 "not read");
		ST_CHECK(t, !cma_master_write(io.dev, dma, 9300, 12),
			 "not written");
	}
	dma_unmap_sg(io.dev, sgl, 3, DMA_BIDIRECTIONAL);
	ST_CHECK(t, cma_pattern_is(page_address(page) + 5000, 9300, 12, 0),
		 "not what the device wrote");

	/* One entry of blocks that are no pages */
	cma_pattern_fill(page_address(page) + 5000, 9000, 13, 0);
	sg_init_table(sgl, 1);
	sg_set_page(&sgl[0], page, 9000, 5000);
	segs = dma_map_sg(io.dev, sgl, 1, DMA_TO_DEVICE);
	ST_CHECK(t, segs == 1 && sg_dma_len(sgl) == 9000 &&
		 !cma_master_check(io.dev, sg_dma_address(sgl), 9000, 13),
		 "%d segments, %u bytes", segs, sg_dma_len(sgl));
	dma_unmap_sg(io.dev, sgl, 1, DMA_TO_DEVICE);
	st_iommu_end(&io);
free:
	__free_pages(page, 2);
}

CMA_SELFTEST(st_io_list_full, "a list that finds no io addresses in the middle is undone")
{
	struct scatterlist sgl[ST_MAX_ENTRIES + 1];
	unsigned int nr = ST_MAX_ENTRIES, i;
	struct st_iommu io;
	struct page *page;
	int segs;

	page = alloc_page(GFP_KERNEL);
	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, nr * PAGE_SIZE))
		goto free;
	/* Entries that cannot be merged: a page for each */
	sg_init_table(sgl, nr + 1);
	for (i = 0; i <= nr; i++)
		sg_set_page(&sgl[i], page, 512, 512);
	segs = dma_map_sg(io.dev, sgl, nr + 1, DMA_TO_DEVICE);
	ST_CHECK(t, !segs, "%d segments for %u pages", segs, nr);
	ST_SETTLED(&io);
	sg_init_table(sgl, nr);
	for (i = 0; i < nr; i++)
		sg_set_page(&sgl[i], page, 512, 512);
	segs = dma_map_sg(io.dev, sgl, nr, DMA_TO_DEVICE);
	if (ST_CHECK(t, segs == nr, "%d segments then", segs))
		dma_unmap_sg(io.dev, sgl, nr, DMA_TO_DEVICE);
	st_iommu_end(&io);
free:
	__free_page(page);
}

/*
 * Caches
 */

/*
 * Stop to watch: were there these operations for exactly [start, start + len) of the
 * pages?  0: none at all.
 */
static void st_io_watched(struct st_iommu *io, int line,
			  struct st_pages *pages, size_t start, size_t len,
			  char what)
{
	size_t done = 0;
	unsigned int i, op;

	st_outer_end();
	for (op = 0; op < min_t(unsigned int, st_outer.count, ST_MAX_OPS); op++) {
		unsigned long first = st_outer.ops[op].start;
		unsigned long last = st_outer.ops[op].end - 1;
		bool touches = false, inside = false;

		for (i = 0; i < pages->nr; i++) {
			unsigned long phys = page_to_phys(pages->page[i]);
			size_t from = max_t(size_t, start, i * PAGE_SIZE);
			size_t to = min_t(size_t, start + len,
					  (i + 1) * PAGE_SIZE);

			touches |= first < phys + PAGE_SIZE && last >= phys;
			inside |= from < to &&
				  first >= phys + from - i * PAGE_SIZE &&
				  last < phys + to - i * PAGE_SIZE;
		}
		if (!touches)
			continue;
		ST_CHECK(io->t, inside && st_outer.ops[op].what == what,
			 "line %d: %c %#lx-%#lx", line,
			 st_outer.ops[op].what, first, last);
		done += last - first + 1;
	}
	ST_CHECK(io->t, st_outer.count <= ST_MAX_OPS && done == (what ? len : 0),
		 "line %d: %zu bytes in %u calls, not %zu", line, done,
		 st_outer.count, what ? len : 0);
}

#define ST_WATCHED(io, pages, start, len, what)				\
	st_io_watched(io, __LINE__, pages, start, len, what)

static void st_io_sync_parts(struct st_iommu *io, struct st_pages *pages,
			     dma_addr_t dma, enum dma_data_direction dir)
{
	static const struct {
		size_t start, len;
	} parts[] = {
		{ 0, 8 * PAGE_SIZE }, { 0, 64 }, { 5024, 3008 },
		{ 4000, 5024 }, { 8 * PAGE_SIZE - 32, 32 }, { 4096, 4096 },
	};
	char out = dir == DMA_FROM_DEVICE ? 'i' : 'c';
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t start = parts[i].start, len = parts[i].len;

		st_outer_begin();
		dma_sync_single_range_for_device(io->dev, dma, start, len, dir);
		ST_WATCHED(io, pages, start, len, out);
		st_outer_begin();
		dma_sync_single_range_for_cpu(io->dev, dma, start, len, dir);
		ST_WATCHED(io, pages, start, len,
			   dir == DMA_TO_DEVICE ? 0 : 'i');
	}
}

static void st_io_sync_list(struct st_iommu *io, struct st_pages *pages,
			    enum dma_data_direction dir, bool skip)
{
	struct scatterlist sgl[8];
	DEFINE_DMA_ATTRS(attrs);
	char out = dir == DMA_FROM_DEVICE ? 'i' : 'c';
	char in = dir == DMA_TO_DEVICE ? 0 : 'i';
	unsigned int i;
	int segs;

	if (skip)
		dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &attrs);
	sg_init_table(sgl, 8);
	for (i = 0; i < 8; i++)
		sg_set_page(&sgl[i], pages->page[i], PAGE_SIZE, 0);
	st_outer_begin();
	segs = dma_map_sg_attrs(io->dev, sgl, 8, dir, &attrs);
	ST_WATCHED(io, pages, 0, 8 * PAGE_SIZE, skip ? 0 : out);
	if (!ST_CHECK(io->t, segs == 1, "%d segments", segs))
		goto unmap;
	st_io_sync_parts(io, pages, sg_dma_address(sgl), dir);
	st_outer_begin();
	dma_sync_sg_for_device(io->dev, sgl, 8, dir);
	ST_WATCHED(io, pages, 0, 8 * PAGE_SIZE, out);
	st_outer_begin();
	dma_sync_sg_for_cpu(io->dev, sgl, 8, dir);
	ST_WATCHED(io, pages, 0, 8 * PAGE_SIZE, in);
unmap:
	st_outer_begin();
	dma_unmap_sg_attrs(io->dev, sgl, 8, dir, &attrs);
	ST_WATCHED(io, pages, 0, 8 * PAGE_SIZE, skip ? 0 : in);
}

static void st_io_sync_page(struct st_iommu *io, struct st_pages *pages,
			    enum dma_data_direction dir, bool skip)
{
	char out = dir == DMA_FROM_DEVICE ? 'i' : 'c';
	char in = dir == DMA_TO_DEVICE ? 0 : 'i';
	DEFINE_DMA_ATTRS(attrs);
	dma_addr_t dma;

	if (skip)
		dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &attrs);
	st_outer_begin();
	dma = dma_map_single_attrs(io->dev, page_address(pages->page[0]) + 64,
				   1024, dir, &attrs);
	ST_WATCHED(io, pages, 64, 1024, skip ? 0 : out);
	st_outer_begin();
	dma_sync_single_for_device(io->dev, dma, 1024, dir);
	ST_WATCHED(io, pages, 64, 1024, out);
	st_outer_begin();
	dma_unmap_single_attrs(io->dev, dma, 1024, dir, &attrs);
	ST_WATCHED(io, pages, 64, 1024, skip ? 0 : in);
}

CMA_SELFTEST(st_io_sync, "the caches are maintained for exactly what is mapped or synced")
{
	struct st_pages *pages;
	struct st_iommu io;
	unsigned int i;

	if (!outer_cache.clean_range) {
		t->skipped = "no outer cache to watch";
		return;
	}
	pages = st_pages_alloc(t, 8, GFP_KERNEL);
	if (!pages)
		return;
	if (st_iommu_begin(t, &io, ST_IO_SIZE)) {
		for (i = 0; i < ARRAY_SIZE(st_dirs); i++) {
			st_io_sync_list(&io, pages, st_dirs[i], false);
			st_io_sync_list(&io, pages, st_dirs[i], true);
			st_io_sync_page(&io, pages, st_dirs[i], false);
			st_io_sync_page(&io, pages, st_dirs[i], true);
		}
		st_iommu_end(&io);
	}
	st_pages_free(pages);
}

/*
 * Io addresses
 */

CMA_SELFTEST(st_io_space_full, "a full address space gives an error, and is whole after that")
{
	enum { NR = 256 };
	struct page *page = alloc_pages(GFP_KERNEL, 8);
	struct scatterlist sgl[2];
	struct st_iommu io;
	dma_addr_t *dma;
	unsigned int i;

	dma = kcalloc(NR + 1, sizeof(*dma), GFP_KERNEL);
	if (!ST_CHECK(t, page && dma, "no memory") ||
	    !st_iommu_begin(t, &io, NR * PAGE_SIZE))
		goto free;
	for (i = 0; i < NR; i++) {
		dma[i] = dma_map_page(io.dev, page, 0, PAGE_SIZE,
				      DMA_TO_DEVICE);
		if (!ST_CHECK(t, !dma_mapping_error(io.dev, dma[i]),
			      "%u of %u pages fit", i, NR))
			break;
	}
	dma[NR] = dma_map_page(io.dev, page, 0, 1, DMA_TO_DEVICE);
	ST_CHECK(t, dma_mapping_error(io.dev, dma[NR]), "one more at %#x",
		 dma[NR]);
	sg_init_table(sgl, 2);
	sg_set_page(&sgl[0], page, PAGE_SIZE, 0);
	sg_set_page(&sgl[1], page, PAGE_SIZE, 0);
	ST_CHECK(t, !dma_map_sg(io.dev, sgl, 2, DMA_TO_DEVICE), "a list");
	ST_CHECK(t, cma_iommu_mapped(io.dev) == i, "%lu pages are mapped",
		 cma_iommu_mapped(io.dev));

	/* One goes, and one comes */
	dma_unmap_page(io.dev, dma[100], PAGE_SIZE, DMA_TO_DEVICE);
	dma[100] = dma_map_page(io.dev, page, 0, 1, DMA_TO_DEVICE);
	ST_CHECK(t, !dma_mapping_error(io.dev, dma[100]), "not even one");
	while (i--)
		dma_unmap_page(io.dev, dma[i], i == 100 ? 1 : PAGE_SIZE,
			       DMA_TO_DEVICE);
	ST_SETTLED(&io);

	/* All of it at once */
	dma[0] = dma_map_page(io.dev, page, 0, NR * PAGE_SIZE, DMA_TO_DEVICE);
	if (ST_CHECK(t, !dma_mapping_error(io.dev, dma[0]), "not in one range"))
		dma_unmap_page(io.dev, dma[0], NR * PAGE_SIZE, DMA_TO_DEVICE);
	dma[0] = dma_map_page(io.dev, page, 1, NR * PAGE_SIZE, DMA_TO_DEVICE);
	ST_CHECK(t, dma_mapping_error(io.dev, dma[0]), "more than all of it");
	st_iommu_end(&io);
free:
	kfree(dma);
	if (page)
		__free_pages(page, 8);
}

/* 1 to 60 pages, of which the last one is not whole */
static size_t st_size_of(unsigned int i)
{
	return (i * 7 % 60 + 1) * PAGE_SIZE - i % 100;
}

CMA_SELFTEST(st_io_many, "1,024 mappings of different sizes live at the same time")
{
	enum { NR = 1024, ORDER = 6 };
	struct page *page = alloc_pages(GFP_KERNEL, ORDER);
	struct st_iommu io;
	dma_addr_t *dma;
	unsigned int i, round;

	dma = kcalloc(NR, sizeof(*dma), GFP_KERNEL);
	if (!ST_CHECK(t, page && dma, "no memory") ||
	    !st_iommu_begin(t, &io, ST_IO_SIZE))
		goto free;
	cma_pattern_fill(page_address(page), PAGE_SIZE << ORDER, 8, 0);

	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR; i++)
			if (!round || i % 3 == round)
				dma[i] = dma_map_page(io.dev, page, 0,
						      st_size_of(i),
						      DMA_TO_DEVICE);
		for (i = 0; i < NR; i++)
			if (!ST_CHECK(t, !dma_mapping_error(io.dev, dma[i]) &&
				      !cma_master_check(io.dev, dma[i], 99, 8) &&
				      cma_iommu_phys(io.dev, dma[i] +
						     st_size_of(i) - 1) ==
				      page_to_phys(page) + st_size_of(i) - 1,
				      "round %u, mapping %u at %#x", round, i,
				      dma[i]))
				break;
		for (i = 0; i < NR; i++)
			if (round == 2 || i % 3 == round + 1)
				dma_unmap_page(io.dev, dma[i], st_size_of(i),
					       DMA_TO_DEVICE);
	}
	st_iommu_end(&io);
free:
	kfree(dma);
	if (page)
		__free_pages(page, ORDER);
}

CMA_SELFTEST(st_io_growth, "all of a large address space can be used")
{
	enum { NR = 64, SIZE = 0x400000 };	/* 256 MiB */
	struct page *page = alloc_pages(GFP_KERNEL, 10);
	struct st_iommu io;
	dma_addr_t dma[NR];
	unsigned int i;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!st_iommu_begin(t, &io, NR * SIZE))
		goto free;
	for (i = 0; i < NR; i++) {
		dma[i] = dma_map_page(io.dev, page, 0, SIZE, DMA_TO_DEVICE);
		if (!ST_CHECK(t, !dma_mapping_error(io.dev, dma[i]),
			      "%u MiB fit", i * 4))
			break;
	}
	while (i--)
		dma_unmap_page(io.dev, dma[i], SIZE, DMA_TO_DEVICE);
	st_iommu_end(&io);
free:
	__free_pages(page, 10);
}

/*
 * Failures of the IOMMU
 */

/* Let each map of the IOMMU fail in turn; false when none has failed. */
static bool st_io_fails_at(struct st_iommu *io, unsigned int nth,
			   struct page *page, struct scatterlist *sgl, int nents)
{
	size_t size = 0x111000;
	dma_addr_t dma;
	bool failed;

	cma_iommu_fail(CMA_IOMMU_MAP, nth);
	if (sgl) {
		failed = !dma_map_sg(io->dev, sgl, nents, DMA_TO_DEVICE);
		if (!failed)
			dma_unmap_sg(io->dev, sgl, nents, DMA_TO_DEVICE);
	} else {
		dma = dma_map_page(io->dev, page, 0, size, DMA_TO_DEVICE);
		failed = dma_mapping_error(io->dev, dma);
		if (!failed)
			dma_unmap_page(io->dev, dma, size, DMA_TO_DEVICE);
	}
	cma_iommu_fail(CMA_IOMMU_MAP, 0);
	ST_SETTLED(io);
	return failed;
}

CMA_SELFTEST(st_io_map_fails, "a range or list of which a page cannot be mapped is undone")
{
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	struct scatterlist sgl[ST_MAX_ENTRIES];
	struct st_iommu io;
	unsigned int i, nth;
	dma_addr_t dma;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	/* The second try finds io addresses only if the first one lost none */
	if (!st_iommu_begin(t, &io, 2 * ST_MIB))
		goto free;
	sg_init_table(sgl, ST_MAX_ENTRIES);
	for (i = 0; i < ST_MAX_ENTRIES; i++)
		sg_set_page(&sgl[i], page + 2 * i, PAGE_SIZE / (1 + i % 3), 0);
	for (nth = 1; st_io_fails_at(&io, nth, page, NULL, 0); nth++)
		if (!ST_CHECK(t, nth < 100, "always fails"))
			break;
	/* 1 MiB, 64 KiB and 4 KiB */
	ST_CHECK(t, nth == 4, "%u pages of a range", nth - 1);
	for (nth = 1; st_io_fails_at(&io, nth, NULL, sgl, ST_MAX_ENTRIES);
	     nth++)
		if (!ST_CHECK(t, nth < 100, "always fails"))
			break;
	ST_CHECK(t, nth == ST_MAX_ENTRIES + 1, "%u pages of a list", nth - 1);
	dma = dma_map_page(io.dev, page, 0, 2 * ST_MIB, DMA_TO_DEVICE);
	if (ST_CHECK(t, !dma_mapping_error(io.dev, dma), "addresses are lost"))
		dma_unmap_page(io.dev, dma, 2 * ST_MIB, DMA_TO_DEVICE);
	st_iommu_end(&io);
free:
	__free_pages(page, 9);
}
