// SPDX-License-Identifier: GPL-2.0
/*
 * DRM devices whose hardware goes while they are in use.
 *
 * A struct drm_device has a reference of its driver, one of each open file, and one
 * of each exported buffer.  A driver whose hardware goes calls drm_unplug_dev(): the
 * device nodes are gone from then on, ioctls give -ENODEV, and so does read() after the
 * last event; poll() tells.  The rest is done by drm_put_dev(), from a workqueue, when
 * the last reference was dropped.  The driver's unload() may be called long after the
 * hardware went; its module_exit() waits for that with drm_flush_unplugged().
 *
 * A driver that calls drm_put_dev() itself has to know that nobody uses the device.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "drmP.h"

/**
 * drm_dev_ref() - get a reference of a device
 * @dev: device that the caller knows to live; dropped with drm_dev_unref()
 *
 * Context: any.
 */
void drm_dev_ref(struct drm_device *dev)
{
	kref_get(&dev->refcount);
}
EXPORT_SYMBOL_GPL(drm_dev_ref);

/*
 * The last reference can be that of a buffer which another device, or another file,
 * drops with locks held: what is left to do takes them, too.
 */
static void drm_dev_release_work(struct work_struct *work)
{
	struct drm_device *dev = container_of(work, struct drm_device,
					      release_work);
	struct device *parent = dev->dev;

	mutex_lock(&drm_global_mutex);
	drm_put_dev(dev);
	mutex_unlock(&drm_global_mutex);
	put_device(parent);
}

static void drm_dev_release(struct kref *kref)
{
	struct drm_device *dev = container_of(kref, struct drm_device,
					      refcount);

	INIT_WORK(&dev->release_work, drm_dev_release_work);
	schedule_work(&dev->release_work);
}

/**
 * drm_dev_unref() - drop a reference of a device
 * @dev: device; with the last reference, after drm_unplug_dev(), it is freed, a
 *	moment later
 *
 * Context: any.
 */
void drm_dev_unref(struct drm_device *dev)
{
	kref_put(&dev->refcount, drm_dev_release);
}
EXPORT_SYMBOL_GPL(drm_dev_unref);

/**
 * drm_device_is_unplugged() - is the hardware gone?
 * @dev: device
 *
 * Context: any. What is true stays true; a driver that must not touch the hardware
 * any more has a lock of its own for that.
 * Return: true after drm_unplug_dev().
 */
bool drm_device_is_unplugged(struct drm_device *dev)
{
	return ACCESS_ONCE(dev->unplugged);
}
EXPORT_SYMBOL_GPL(drm_device_is_unplugged);

/* Who waits for an event of the device finds out that there will be none */
static void wake_files(struct drm_device *dev)
{
	struct drm_file *file_priv;

	mutex_lock(&dev->struct_mutex);
	list_for_each_entry(file_priv, &dev->filelist, lhead)
		wake_up_interruptible(&file_priv->event_wait);
	mutex_unlock(&dev->struct_mutex);
}

/**
 * drm_unplug_dev() - the hardware of a device goes
 * @dev: device; the caller's reference is dropped
 *
 * The driver has stopped the hardware, and removed its connectors from sysfs.
 * The parent (dev->dev) stays allocated for as long as the device.
 *
 * Context: process context, may sleep. No lock of DRM is held.
 */
void drm_unplug_dev(struct drm_device *dev)
{
	get_device(dev->dev);

	mutex_lock(&drm_global_mutex);
	dev->unplugged = true;
	list_del_init(&dev->driver_item);
	if (drm_core_check_feature(dev, DRIVER_MODESET))
		drm_unplug_minor(dev->control);
	drm_unplug_minor(dev->primary);
	wake_files(dev);
	mutex_unlock(&drm_global_mutex);

	drm_dev_unref(dev);
}
EXPORT_SYMBOL_GPL(drm_unplug_dev);

/**
 * drm_flush_unplugged() - wait for devices whose last reference was dropped
 *
 * For the module_exit() of drivers that call drm_unplug_dev(): nobody has a reference
 * of their devices then, but unload() may still be to come.
 *
 * Context: process context, may sleep. No lock of DRM is held.
 */
void drm_flush_unplugged(void)
{
	flush_scheduled_work();
}
EXPORT_SYMBOL_GPL(drm_flush_unplugged);
