/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device for DMA without a driver
 */
#ifndef CMA_PDEV_H
#define CMA_PDEV_H

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/platform_device.h>

/**
 * cma_pdev_register() - add a device that reaches 4 GiB
 * @name: its name
 * @id: number of the instance, -1 if it is the only one
 *
 * Context: process context, may sleep.
 * Return: the device, to be removed with platform_device_unregister(), or
 * ERR_PTR().
 */
static inline struct platform_device *cma_pdev_register(const char *name, int id)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple(name, id, NULL, 0);
	if (!IS_ERR(pdev)) {
		pdev->dev.coherent_dma_mask = DMA_BIT_MASK(32);
		pdev->dev.dma_mask = &pdev->dev.coherent_dma_mask;
	}
	return pdev;
}

#endif
