// SPDX-License-Identifier: GPL-2.0
/*
 * The IOMMU in software as kernels up to v3.4 call it, page by page,
 * or with the operations of the series for ranges
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "cma_iommu.h"
#include "iommu_compat.h"
#include "iommu_domain.h"

static bool ranges = true;
module_param(ranges, bool, 0444);
MODULE_PARM_DESC(ranges, "has operations to sync and to flush a range");

static int ops_domain_init(struct iommu_domain *domain)
{
	domain->priv = cma_domain_create();
	return domain->priv ? 0 : -ENOMEM;
}

static void ops_domain_destroy(struct iommu_domain *domain)
{
	cma_domain_destroy(domain->priv);
}

static int ops_attach(struct iommu_domain *domain, struct device *dev)
{
	return cma_domain_attach(domain->priv, dev);
}

static void ops_detach(struct iommu_domain *domain, struct device *dev)
{
	cma_domain_detach(domain->priv, dev);
}

static int ops_map_nosync(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t phys, int order, int prot)
{
	u32 rights = 0;

	if (prot & IOMMU_READ)
		rights |= IOMMU_ENTRY_READ;
	if (prot & IOMMU_WRITE)
		rights |= IOMMU_ENTRY_WRITE;
	return cma_domain_map_nosync(domain->priv, iova, phys, order, rights);
}

static void ops_sync_map(struct iommu_domain *domain, unsigned long iova,
			 size_t size)
{
	cma_domain_sync_map(domain->priv, iova, size);
}

static int ops_map(struct iommu_domain *domain, unsigned long iova,
		   phys_addr_t phys, int order, int prot)
{
	int ret = ops_map_nosync(domain, iova, phys, order, prot);

	if (!ret)
		ops_sync_map(domain, iova, PAGE_SIZE << order);
	return ret;
}

static int ops_unmap_noflush(struct iommu_domain *domain, unsigned long iova,
			     int order)
{
	return cma_domain_unmap_noflush(domain->priv, iova, order);
}

static void ops_flush_range(struct iommu_domain *domain, unsigned long iova,
			    size_t size)
{
	cma_domain_flush_range(domain->priv, iova, size);
}

static int ops_unmap(struct iommu_domain *domain, unsigned long iova, int order)
{
	int ret = ops_unmap_noflush(domain, iova, order);

	if (ret >= 0)
		ops_flush_range(domain, iova, PAGE_SIZE << order);
	return ret;
}

static phys_addr_t ops_iova_to_phys(struct iommu_domain *domain,
				    unsigned long iova)
{
	return cma_domain_phys(domain->priv, iova);
}

static int ops_has_cap(struct iommu_domain *domain, unsigned long cap)
{
	return 0;
}

static struct iommu_ops cma_iommu_ops = {
	.domain_init	= ops_domain_init,
	.domain_destroy	= ops_domain_destroy,
	.attach_dev	= ops_attach,
	.detach_dev	= ops_detach,
	.map		= ops_map,
	.unmap		= ops_unmap,
	.iova_to_phys	= ops_iova_to_phys,
	.domain_has_cap	= ops_has_cap,
	.sync_map	= ops_sync_map,
	.flush_range	= ops_flush_range,
};

/**
 * cma_iommu_set_ranges() - choose the operations that the IOMMU has
 * @set: those to sync and to flush a range, too
 *
 * Context: no device may map or unmap meanwhile.
 */
void cma_iommu_set_ranges(bool set)
{
	cma_iommu_ops.map_nosync = set ? ops_map_nosync : NULL;
	cma_iommu_ops.unmap_noflush = set ? ops_unmap_noflush : NULL;
}
EXPORT_SYMBOL_GPL(cma_iommu_set_ranges);

/**
 * cma_iommu_register() - tell the kernel about the IOMMU
 *
 * Return: 0; -EBUSY if there is another one; -ENXIO.
 */
int cma_iommu_register(void)
{
	cma_iommu_set_ranges(ranges);
	return cma_iommu_register_ops(&cma_iommu_ops);
}

/**
 * cma_iommu_create_mapping() - create a space of io addresses for a device
 * @dev: device
 * @base: first io address
 * @size: bytes
 *
 * Context: process context, may sleep.
 * Return: the mapping, or ERR_PTR().
 */
struct dma_iommu_mapping *cma_iommu_create_mapping(struct device *dev,
						   dma_addr_t base, size_t size)
{
	return arm_iommu_create_mapping(dev->bus, base, size, 0);
}
EXPORT_SYMBOL_GPL(cma_iommu_create_mapping);
