/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How an IOMMU is registered
 */
#ifndef IOMMU_COMPAT_H
#define IOMMU_COMPAT_H

#include <linux/errno.h>
#include <linux/iommu.h>
#include <linux/kallsyms.h>
#include <linux/platform_device.h>

#ifdef IOMMU_FAULT_READ	/* since v3.2, where each bus has an IOMMU */
static inline int cma_iommu_register_ops(struct iommu_ops *ops)
{
	return bus_set_iommu(&platform_bus_type, ops);
}
#else
/* One for the whole system; the function is for drivers in the kernel only */
static inline int cma_iommu_register_ops(struct iommu_ops *ops)
{
	typeof(register_iommu) *function =
		(void *)kallsyms_lookup_name("register_iommu");

	if (!function)
		return -ENXIO;
	if (iommu_found())
		return -EBUSY;
	function(ops);
	return 0;
}
#endif

#endif
