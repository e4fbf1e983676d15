/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device behind the IOMMU in software
 */
#ifndef SELFTEST_IOMMU_H
#define SELFTEST_IOMMU_H

#include <linux/dma-attrs.h>
#include <linux/platform_device.h>

#include <asm/dma-iommu.h>

#include "cma_iommu.h"
#include "selftest.h"

/* No memory has this as its bus address */
#define ST_IO_BASE	0x80000000UL
#define ST_IO_SIZE	0x40000000UL
#define ST_MIB		(1024 * 1024UL)

/**
 * struct st_iommu - a device in an address space for itself
 * @t: running test
 * @pdev: platform device
 * @dev: the same
 * @parms: of the device, which has no limits
 * @mapping: io addresses
 * @stats: counters at the beginning, and the faults that were expected since then
 */
struct st_iommu {
	struct st *t;
	struct platform_device *pdev;
	struct device *dev;
	struct device_dma_parameters parms;
	struct dma_iommu_mapping *mapping;
	struct cma_iommu_stats stats;
};

/**
 * struct st_pages - single pages that are no neighbours
 * @nr: number of pages
 * @page: the pages
 */
struct st_pages {
	unsigned int nr;
	struct page *page[];
};

bool st_iommu_add_device(struct st *t, struct st_iommu *io);
struct dma_iommu_mapping *st_iommu_mapping(struct st *t, size_t size,
					   int order);
bool st_iommu_begin(struct st *t, struct st_iommu *io, size_t size);
bool st_iommu_begin_lazy(struct st *t, struct st_iommu *io, size_t size);
void st_iommu_end(struct st_iommu *io);
void st_iommu_expect(struct st_iommu *io, int line, enum cma_iommu_fault kind,
		     unsigned int nr);
void st_iommu_settled(struct st_iommu *io, int line);

/* These faults, and no others, happened since the last look. */
#define ST_FAULTS(io, kind, nr)	st_iommu_expect(io, __LINE__, kind, nr)
/* There was no fault, and nothing is mapped. */
#define ST_SETTLED(io)		st_iommu_settled(io, __LINE__)

struct st_pages *st_pages_alloc(struct st *t, unsigned int nr, gfp_t gfp);
void st_pages_free(struct st_pages *pages);
void st_pages_fill(struct st_pages *pages, u32 seed);
bool st_pages_are_pattern(struct st_pages *pages, u32 seed);

#endif
