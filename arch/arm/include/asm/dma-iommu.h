/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA of devices behind an IOMMU on ARM; see Documentation/arm/dma-iommu.txt
 */
#ifndef __ASM_ARM_DMA_IOMMU_H
#define __ASM_ARM_DMA_IOMMU_H

#include <linux/kref.h>
#include <linux/radix-tree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct bus_type;
struct device;
struct iommu_domain;
struct iommu_queue;
struct iova_space;

/**
 * struct dma_iommu_mapping - io addresses that devices behind an IOMMU share
 * @domain: domain of the IOMMU that the devices are attached to
 * @kref: one reference of the creator, and one of each attached device
 * @iova: private: which io addresses are in use
 * @orders: private: orders of pages that the IOMMU may have
 * @buffers: private: coherent buffers by their io address
 * @lock: private: protects @buffers
 * @nr_devices: private: number of attached devices
 * @queue: private: what a lazy mapping has not flushed yet, otherwise NULL
 */
struct dma_iommu_mapping {
	struct iommu_domain	*domain;
	struct kref		kref;
	struct iova_space	*iova;
	unsigned long		orders;
	struct radix_tree_root	buffers;
	spinlock_t		lock;	/* buffers; interrupts off */
	unsigned int		nr_devices;	/* with the mutex of attaching */
	struct iommu_queue	*queue;	/* constant while a device is attached */
};

struct dma_iommu_mapping *
arm_iommu_create_mapping(struct bus_type *bus, dma_addr_t base, size_t size,
			 int order);
void arm_iommu_release_mapping(struct dma_iommu_mapping *mapping);
int arm_iommu_set_lazy(struct dma_iommu_mapping *mapping, bool lazy);
int arm_iommu_attach_device(struct device *dev,
			    struct dma_iommu_mapping *mapping);
void arm_iommu_detach_device(struct device *dev);
size_t arm_iommu_max_segment(struct device *dev);

#endif /* __ASM_ARM_DMA_IOMMU_H */
