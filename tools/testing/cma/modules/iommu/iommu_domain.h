/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address spaces of the IOMMU in software
 */
#ifndef IOMMU_DOMAIN_H
#define IOMMU_DOMAIN_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/dma-iommu.h>

#include "iommu_tables.h"

struct device;

#define CMA_ANY_ORDER	255

/**
 * struct cma_iommu_domain - an address space
 * @lock: guards the other fields
 * @tables: what is mapped
 * @tlb: of all its devices
 * @unsynced: a bit for each 4 KiB that is mapped, but that devices do not see yet
 * @unflushed: a bit for each 4 KiB that is unmapped, but that the TLB may have
 */
struct cma_iommu_domain {
	spinlock_t lock;	/* all below */
	struct iommu_tables tables;
	struct iommu_tlb tlb;
	unsigned long *unsynced;
	unsigned long *unflushed;
};

struct cma_iommu_domain *cma_domain_create(void);
void cma_domain_destroy(struct cma_iommu_domain *priv);
int cma_domain_attach(struct cma_iommu_domain *priv, struct device *dev);
void cma_domain_detach(struct cma_iommu_domain *priv, struct device *dev);
int cma_domain_map_nosync(struct cma_iommu_domain *priv, unsigned long iova,
			  phys_addr_t phys, int order, u32 rights);
void cma_domain_sync_map(struct cma_iommu_domain *priv, unsigned long iova,
			 size_t size);
int cma_domain_unmap_noflush(struct cma_iommu_domain *priv, unsigned long iova,
			     int order);
void cma_domain_flush_range(struct cma_iommu_domain *priv, unsigned long iova,
			    size_t size);
phys_addr_t cma_domain_phys(struct cma_iommu_domain *priv, unsigned long iova);
bool cma_iommu_has_name(struct device *dev);

/* In the file with the operations */
int cma_iommu_register(void);
struct dma_iommu_mapping *cma_iommu_create_mapping(struct device *dev,
						   dma_addr_t base,
						   size_t size);

#endif
