/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What arch/arm/mm/dma-iommu.c uses of the kernel, for all programs that compile it:
 * iommu-kernel.h and iommu-stream.h have the rest
 */
#ifndef HOST_IOMMU_API_H
#define HOST_IOMMU_API_H

struct device;
struct vm_area_struct;
struct sg_table;

/* Simplified: one timer, and time passes in iommu_wait() only */
struct timer_list {
	void (*function)(unsigned long data);
	unsigned long data, expires;
	bool pending;
};

#define setup_timer(timer, fn, value) \
	((timer)->function = (fn), (timer)->data = (value), iommu_timer = (timer))
#define jiffies			iommu_jiffies
#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define mod_timer(timer, when)	((timer)->expires = (when), (timer)->pending = true)
#define del_timer_sync(timer)	(iommu_sleeps(), (timer)->pending = false, iommu_timer = NULL)
void iommu_wait(unsigned int nr_jiffies);
extern struct timer_list *iommu_timer;
extern unsigned long iommu_jiffies;

/* Simplified: the only early parameter */
#undef __init
#define __init
#undef early_param
#define early_param(name, fn)	int (*iommu_early_param)(char *arg) = (fn)
extern int (*iommu_early_param)(char *arg);

/* Faithful: references */
struct kref { int count; };
#define kref_init(kref)		((kref)->count = 1)
#define kref_get(kref)		((kref)->count++)
#define kref_put(kref, release)	(--(kref)->count ? 0 : ((release)(kref), 1))

/* Simplified: a tree of one level */
struct radix_tree_root { void *rnode; };
#define INIT_RADIX_TREE(root, gfp)	((root)->rnode = NULL)
int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item);
void *radix_tree_lookup(struct radix_tree_root *root, unsigned long index);
void radix_tree_delete(struct radix_tree_root *root, unsigned long index);

/* Faithful: operations of devices, as far as they are used */
#include "ops-api.h"
#define dma_get_max_seg_size(dev)	((dev)->max_seg_size)
#define dma_get_seg_boundary(dev)	((dev)->seg_boundary)
#define dma_has_default_ops(dev)	(!(dev)->archdata.dma_ops)
#define set_dma_ops(dev, ops)	((dev)->archdata.dma_ops = (ops))

/* Simplified: an IOMMU with one domain, which checks its callers; see iommu.c */
#define IOMMU_READ		1
#define IOMMU_WRITE		2
#define IOMMU_CACHE		4
struct bus_type { int unused; };
struct iommu_domain { int unused; };
struct iommu_domain *iommu_bus_domain_alloc(struct bus_type *bus);
void iommu_domain_free(struct iommu_domain *domain);
int iommu_attach_device(struct iommu_domain *domain, struct device *dev);
void iommu_detach_device(struct iommu_domain *domain, struct device *dev);
int iommu_map_nosync(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys, int order,
		     int prot);
void iommu_sync_map(struct iommu_domain *domain, unsigned long iova, size_t size);
int iommu_unmap_noflush(struct iommu_domain *domain, unsigned long iova, int order);
void iommu_flush_range(struct iommu_domain *domain, unsigned long iova, size_t size);
bool iommu_defers_flush(struct iommu_domain *domain);
phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, unsigned long iova);

#endif
