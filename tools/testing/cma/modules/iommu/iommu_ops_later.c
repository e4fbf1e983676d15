// SPDX-License-Identifier: GPL-2.0
/*
 * The IOMMU in software as 6.1 and later kernels call it
 *
 * It is there to measure what these kernels do with the same page tables.  A page costs
 * the same as in iommu_ops.c.  The TLB is flushed once for all that is unmapped together,
 * as the kernel asks for.  A device that is not attached has bus addresses, which is the
 * identity domain here.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "cma_iommu.h"
#include "iommu_domain.h"

/* What its tables can have: 4 KiB, 64 KiB, 1 MiB and 16 MiB */
#define PAGE_SIZES	(0x1111UL << PAGE_SHIFT)

/**
 * struct later_domain - a domain of the kernel
 * @domain: what the kernel knows
 * @space: address space
 */
struct later_domain {
	struct iommu_domain domain;
	struct cma_iommu_domain *space;
};

static struct iommu_device later_iommu;

static struct cma_iommu_domain *space_of(struct iommu_domain *domain)
{
	return container_of(domain, struct later_domain, domain)->space;
}

static int identity_attach(struct iommu_domain *domain, struct device *dev)
{
	cma_domain_detach(NULL, dev);
	return 0;
}

static void identity_free(struct iommu_domain *domain)
{
}

static const struct iommu_domain_ops identity_ops = {
	.attach_dev	= identity_attach,
	.free		= identity_free,
};

static struct iommu_domain identity_domain = {
	.type		= IOMMU_DOMAIN_IDENTITY,
	.ops		= &identity_ops,
};

static struct iommu_domain *later_domain_alloc(unsigned int type)
{
	struct later_domain *later;

	if (type == IOMMU_DOMAIN_IDENTITY)
		return &identity_domain;
	if (type != IOMMU_DOMAIN_UNMANAGED)
		return NULL;

	later = kzalloc(sizeof(*later), GFP_KERNEL);
	if (!later)
		return NULL;
	later->space = cma_domain_create();
	if (!later->space) {
		kfree(later);
		return NULL;
	}
	later->domain.geometry.aperture_end = DMA_BIT_MASK(32);
	later->domain.geometry.force_aperture = true;
	return &later->domain;
}

static void later_domain_free(struct iommu_domain *domain)
{
	cma_domain_destroy(space_of(domain));
	kfree(container_of(domain, struct later_domain, domain));
}

static int later_attach(struct iommu_domain *domain, struct device *dev)
{
	return cma_domain_attach(space_of(domain), dev);
}

static int later_map_pages(struct iommu_domain *domain, unsigned long iova,
			   phys_addr_t phys, size_t pgsize, size_t pgcount,
			   int prot, gfp_t gfp, size_t *mapped)
{
	struct cma_iommu_domain *space = space_of(domain);
	int order = ilog2(pgsize) - PAGE_SHIFT, ret = 0;
	unsigned long start = iova;
	u32 rights = 0;

	if (prot & IOMMU_READ)
		rights |= IOMMU_ENTRY_READ;
	if (prot & IOMMU_WRITE)
		rights |= IOMMU_ENTRY_WRITE;
	for (; pgcount; pgcount--) {
		ret = cma_domain_map_nosync(space, iova, phys, order, rights);
		if (ret)
			break;
		iova += pgsize;
		phys += pgsize;
		*mapped += pgsize;
	}
	if (iova > start)
		cma_domain_sync_map(space, start, iova - start);
	return ret;
}

/* The kernel does not remember sizes, and passes the largest one that fits. */
static size_t later_unmap_pages(struct iommu_domain *domain,
				unsigned long iova, size_t pgsize,
				size_t pgcount,
				struct iommu_iotlb_gather *gather)
{
	struct cma_iommu_domain *space = space_of(domain);
	size_t size = pgsize * pgcount, done = 0;

	while (done < size) {
		int order = cma_domain_unmap_noflush(space, iova + done,
						     CMA_ANY_ORDER);

		if (order < 0)
			break;
		done += PAGE_SIZE << order;
	}
	if (done)
		iommu_iotlb_gather_add_range(gather, iova, done);
	return done;
}

static void later_iotlb_sync(struct iommu_domain *domain,
			     struct iommu_iotlb_gather *gather)
{
	if (gather->start <= gather->end)
		cma_domain_flush_range(space_of(domain), gather->start,
				       gather->end - gather->start + 1);
}

static phys_addr_t later_iova_to_phys(struct iommu_domain *domain,
				      dma_addr_t iova)
{
	return cma_domain_phys(space_of(domain), iova);
}

static const struct iommu_domain_ops later_domain_ops = {
	.attach_dev	= later_attach,
	.map_pages	= later_map_pages,
	.unmap_pages	= later_unmap_pages,
	.iotlb_sync	= later_iotlb_sync,
	.iova_to_phys	= later_iova_to_phys,
	.free		= later_domain_free,
};

static struct iommu_device *later_probe_device(struct device *dev)
{
	return cma_iommu_has_name(dev) ? &later_iommu : ERR_PTR(-ENODEV);
}

static void later_release_device(struct device *dev)
{
	cma_domain_detach(NULL, dev);
}

static int later_def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

static const struct iommu_ops later_ops = {
	.domain_alloc		= later_domain_alloc,
	.probe_device		= later_probe_device,
	.release_device		= later_release_device,
	.device_group		= generic_device_group,
	.def_domain_type	= later_def_domain_type,
	.default_domain_ops	= &later_domain_ops,
	.pgsize_bitmap		= PAGE_SIZES,
	.owner			= THIS_MODULE,
};

/**
 * cma_iommu_register() - tell the kernel about the IOMMU
 *
 * Return: 0; -EBUSY if there is another one; another negative errno.
 */
int cma_iommu_register(void)
{
	int ret = iommu_device_sysfs_add(&later_iommu, NULL, NULL, "cma_iommu");

	if (ret)
		return ret;
	ret = iommu_device_register(&later_iommu, &later_ops, NULL);
	if (ret)
		iommu_device_sysfs_remove(&later_iommu);
	return ret;
}

/* It takes the bus of the device on 6.1, and the device on 6.12 */
#define TAKES_DEVICE							\
	__builtin_types_compatible_p(typeof(arm_iommu_create_mapping),	\
				     struct dma_iommu_mapping *		\
				     (struct device *, dma_addr_t, u64))

/**
 * cma_iommu_create_mapping() - create a space of io addresses for a device
 * @dev: device that the IOMMU answers for
 * @base: first io address
 * @size: bytes
 *
 * Context: process context, may sleep.
 * Return: the mapping, or ERR_PTR().
 */
struct dma_iommu_mapping *cma_iommu_create_mapping(struct device *dev,
						   dma_addr_t base, size_t size)
{
	return arm_iommu_create_mapping(__builtin_choose_expr(TAKES_DEVICE, dev,
							      dev->bus),
					base, size);
}
EXPORT_SYMBOL_GPL(cma_iommu_create_mapping);
