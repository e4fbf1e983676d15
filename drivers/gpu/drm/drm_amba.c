// SPDX-License-Identifier: GPL-2.0
/*
 * DRM devices on the AMBA bus
 */
#include <linux/amba/bus.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "drmP.h"

static int drm_amba_get_irq(struct drm_device *dev)
{
	return to_amba_device(dev->dev)->irq[0];
}

static const char *drm_amba_get_name(struct drm_device *dev)
{
	return dev_name(dev->dev);
}

static int drm_amba_set_busid(struct drm_device *dev,
			      struct drm_master *master)
{
	master->unique = kasprintf(GFP_KERNEL, "amba:%s", dev_name(dev->dev));
	if (!master->unique)
		return -ENOMEM;
	master->unique_len = strlen(master->unique);
	master->unique_size = master->unique_len + 1;

	dev->devname = kasprintf(GFP_KERNEL, "%s@%s", dev->driver->name,
				 master->unique);
	return dev->devname ? 0 : -ENOMEM;
}

static struct drm_bus drm_amba_bus = {
	.bus_type = DRIVER_BUS_AMBA,
	.get_irq = drm_amba_get_irq,
	.get_name = drm_amba_get_name,
	.set_busid = drm_amba_set_busid,
};

/*
 * Create the minors and load the driver, then add what it has created to the
 * mode group of the primary minor.
 */
static int drm_amba_load(struct drm_device *dev)
{
	bool modeset = drm_core_check_feature(dev, DRIVER_MODESET);
	struct drm_mode_group *group;
	int ret;

	if (modeset) {
		ret = drm_get_minor(dev, &dev->control, DRM_MINOR_CONTROL);
		if (ret)
			return ret;
	}

	ret = drm_get_minor(dev, &dev->primary, DRM_MINOR_LEGACY);
	if (ret)
		goto put_control;

	if (dev->driver->load) {
		ret = dev->driver->load(dev, 0);
		if (ret)
			goto put_primary;
	}

	if (modeset) {
		group = &dev->primary->mode_group;
		ret = drm_mode_group_init_legacy_group(dev, group);
		if (ret)
			goto unload;
	}
	return 0;

unload:
	if (dev->driver->unload)
		dev->driver->unload(dev);
put_primary:
	drm_put_minor(&dev->primary);
put_control:
	if (modeset)
		drm_put_minor(&dev->control);
	return ret;
}

/* Undo drm_fill_in_dev(). */
static void drm_amba_empty_dev(struct drm_device *dev)
{
	drm_vblank_cleanup(dev);
	if (drm_core_check_feature(dev, DRIVER_GEM))
		drm_gem_destroy(dev);
	drm_ctxbitmap_cleanup(dev);
	drm_ht_remove(&dev->map_hash);
}

/**
 * drm_get_amba_dev() - register a DRM device for a device on the AMBA bus
 * @adev: device bound to the caller's driver; its drvdata is set to the DRM
 *	device
 * @driver: DRM driver; the dev of the DRM device passed to load() is @adev's
 *
 * The DRM device is unregistered with drm_unplug_dev().
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOMEM, or the error of load().
 */
int drm_get_amba_dev(struct amba_device *adev, struct drm_driver *driver)
{
	struct drm_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int ret;

	if (!dev)
		return -ENOMEM;

	dev->dev = &adev->dev;
	amba_set_drvdata(adev, dev);

	mutex_lock(&drm_global_mutex);
	if (!driver->bus) {
		driver->bus = &drm_amba_bus;
		INIT_LIST_HEAD(&driver->device_list);
	}

	ret = drm_fill_in_dev(dev, NULL, driver);
	if (ret)
		goto free;
	ret = drm_amba_load(dev);
	if (ret)
		goto empty;

	list_add_tail(&dev->driver_item, &driver->device_list);
	mutex_unlock(&drm_global_mutex);

	DRM_INFO("Initialized %s %d.%d.%d %s on minor %d\n", driver->name,
		 driver->major, driver->minor, driver->patchlevel, driver->date,
		 dev->primary->index);
	return 0;

empty:
	drm_amba_empty_dev(dev);
free:
	mutex_unlock(&drm_global_mutex);
	amba_set_drvdata(adev, NULL);
	kfree(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_get_amba_dev);
