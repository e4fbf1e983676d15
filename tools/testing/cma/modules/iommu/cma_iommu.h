/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An IOMMU in software, and devices that access memory through it
 *
 * The module registers itself with the IOMMU API of the kernel, and can never be
 * unloaded.  Its page tables are in memory, and what a device accesses goes through
 * them, or through bus addresses while the device is not attached to a domain.
 * What is wrong is counted as a fault, and debugfs cma_iommu has all counters.
 *
 * "fail_map=N" and "fail_attach=N" as parameters of the module let the Nth call from
 * now on fail, and "keep_tlb=1" leaves entries of the TLB when a range is unmapped.
 * "orders=1" lets it have pages of 4 KiB only, and "ranges=0" operations for pages only.
 * "attach=NAME,..." puts platform devices of the kernel behind the IOMMU, such as
 * vivi.0 and m2m-testdev.0, each in an address space for itself.
 */
#ifndef CMA_IOMMU_H
#define CMA_IOMMU_H

#include <linux/device.h>
#include <linux/types.h>

/* Sizes of pages: 4 KiB, 64 KiB, 1 MiB and 16 MiB */
enum cma_iommu_size {
	CMA_IOMMU_4K, CMA_IOMMU_64K, CMA_IOMMU_1M, CMA_IOMMU_16M,
	CMA_IOMMU_SIZES
};

/**
 * enum cma_iommu_fault - what can be wrong
 * @CMA_IOMMU_MISSING: a device accessed an address that is not mapped
 * @CMA_IOMMU_NO_READ: it read where it may only write
 * @CMA_IOMMU_NO_WRITE: it wrote where it may only read
 * @CMA_IOMMU_STALE: the TLB had something else than the tables
 * @CMA_IOMMU_NO_MEMORY: there is no memory at the address that an entry, or the
 *	device without an IOMMU, has
 * @CMA_IOMMU_OVERLAP: something was mapped over something else
 * @CMA_IOMMU_NOT_MAPPED: not exactly this page was mapped when it was unmapped
 * @CMA_IOMMU_FREED: memory was free when it was mapped or unmapped
 * @CMA_IOMMU_BAD_CALL: arguments that make no sense
 * @CMA_IOMMU_LEFT: a domain was freed with mappings or devices, or before a flush
 * @CMA_IOMMU_UNSYNCED: a device accessed an address that was mapped, but not synced
 * @CMA_IOMMU_UNFLUSHED: something was mapped before the flush of what was there
 * @CMA_IOMMU_FAULTS: number of kinds
 */
enum cma_iommu_fault {
	CMA_IOMMU_MISSING, CMA_IOMMU_NO_READ, CMA_IOMMU_NO_WRITE,
	CMA_IOMMU_STALE, CMA_IOMMU_NO_MEMORY, CMA_IOMMU_OVERLAP,
	CMA_IOMMU_NOT_MAPPED, CMA_IOMMU_FREED, CMA_IOMMU_BAD_CALL,
	CMA_IOMMU_LEFT, CMA_IOMMU_UNSYNCED, CMA_IOMMU_UNFLUSHED,
	CMA_IOMMU_FAULTS
};

/**
 * struct cma_iommu_stats - counters
 * @maps: pages that were mapped, by size
 * @unmaps: pages that were unmapped, by size
 * @faults: by kind
 * @syncs: of what was mapped, each for a page or for a range
 * @flushes: of the TLB, each for a page or for a range
 * @hits: translations that the TLB had
 * @misses: other translations
 * @domains: that exist now
 * @devices: that are attached now
 */
struct cma_iommu_stats {
	unsigned int maps[CMA_IOMMU_SIZES];
	unsigned int unmaps[CMA_IOMMU_SIZES];
	unsigned int faults[CMA_IOMMU_FAULTS];
	unsigned int syncs;
	unsigned int flushes;
	unsigned int hits;
	unsigned int misses;
	unsigned int domains;
	unsigned int devices;
};

/* Calls that can be made to fail */
enum cma_iommu_call { CMA_IOMMU_MAP, CMA_IOMMU_ATTACH, CMA_IOMMU_CALLS };

void cma_iommu_get_stats(struct cma_iommu_stats *stats);
void cma_iommu_fail(enum cma_iommu_call call, unsigned int nth);
void cma_iommu_keep_tlb(bool keep);
void cma_iommu_set_orders(unsigned long set);
void cma_iommu_set_ranges(bool set);
unsigned long cma_iommu_mapped(struct device *dev);
phys_addr_t cma_iommu_phys(struct device *dev, dma_addr_t addr);

/*
 * Data that depends on its place: byte number i of pattern @seed.  No two pages of a
 * pattern are the same.
 */
void cma_pattern_fill(void *data, size_t size, u32 seed, size_t first);
bool cma_pattern_is(const void *data, size_t size, u32 seed, size_t first);

int cma_master_read(struct device *dev, dma_addr_t addr, void *data,
		    size_t size);
int cma_master_store(struct device *dev, dma_addr_t addr, const void *data,
		     size_t size);
int cma_master_write(struct device *dev, dma_addr_t addr, size_t size,
		     u32 seed);
int cma_master_check(struct device *dev, dma_addr_t addr, size_t size,
		     u32 seed);

#endif
