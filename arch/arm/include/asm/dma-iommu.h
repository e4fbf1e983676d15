/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA of devices behind an IOMMU on ARM; see Documentation/arm/dma-iommu.txt
 */
#ifndef __ASM_ARM_DMA_IOMMU_H
#define __ASM_ARM_DMA_IOMMU_H

#include <linux/kref.h>
#include <linux/types.h>

struct bus_type;
struct device;
struct iommu_domain;
struct iova_space;

/**
 * struct dma_iommu_mapping - io addresses that devices behind an IOMMU share
 * @domain: domain of the IOMMU that the devices are attached to
 * @iova: which io addresses are in use; private
 * @kref: one reference of the creator, and one of each attached device
 */
struct dma_iommu_mapping {
	struct iommu_domain	*domain;
	struct iova_space	*iova;
	struct kref		kref;
};

struct dma_iommu_mapping *
arm_iommu_create_mapping(struct bus_type *bus, dma_addr_t base, size_t size,
			 int order);
void arm_iommu_release_mapping(struct dma_iommu_mapping *mapping);
int arm_iommu_attach_device(struct device *dev,
			    struct dma_iommu_mapping *mapping);
void arm_iommu_detach_device(struct device *dev);

#endif /* __ASM_ARM_DMA_IOMMU_H */
