// SPDX-License-Identifier: GPL-2.0
/*
 * Removal of DRM devices that are in use
 *
 * The driver, each open file and each exported buffer hold a reference to the
 * struct drm_device. When its hardware is removed, the driver calls
 * drm_unplug_dev(). This removes the device nodes; from then on ioctls fail
 * with -ENODEV, read() does so after the last event, and poll() reports POLLHUP
 * and POLLERR. After the last reference was dropped, a work item calls
 * drm_put_dev(). The driver's unload() may thus run long after the hardware was
 * removed; its module_exit() waits for it with drm_flush_unplugged().
 *
 * A driver that calls drm_put_dev() itself must make sure that the device is
 * not in use.
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "drmP.h"

/* Devices that were unplugged and are not freed yet; drm_global_mutex */
static LIST_HEAD(unplugged);
static DECLARE_WAIT_QUEUE_HEAD(freed);

/**
 * drm_dev_ref() - take a reference to a device
 * @dev: device, which must have a reference already
 *
 * The reference is dropped with drm_dev_unref().
 *
 * Context: any.
 */
void drm_dev_ref(struct drm_device *dev)
{
	kref_get(&dev->refcount);
}
EXPORT_SYMBOL_GPL(drm_dev_ref);

/*
 * The last reference may be that of a buffer that another device or file drops
 * with locks held which drm_put_dev() takes, too.
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
	wake_up(&freed);
}

static void drm_dev_release(struct kref *kref)
{
	struct drm_device *dev = container_of(kref, struct drm_device,
					      refcount);

	INIT_WORK(&dev->release_work, drm_dev_release_work);
	schedule_work(&dev->release_work);
}

/**
 * drm_dev_unref() - drop a reference to a device
 * @dev: device
 *
 * After drm_unplug_dev(), dropping the last reference schedules work that frees
 * the device.
 *
 * Context: any.
 */
void drm_dev_unref(struct drm_device *dev)
{
	kref_put(&dev->refcount, drm_dev_release);
}
EXPORT_SYMBOL_GPL(drm_dev_unref);

/**
 * drm_device_is_unplugged() - check whether the hardware was removed
 * @dev: device
 *
 * The result may change to true at any time, and never back. A driver needs its
 * own lock to keep from accessing hardware that is being removed.
 *
 * Context: any.
 * Return: true after drm_unplug_dev(), otherwise false.
 */
bool drm_device_is_unplugged(struct drm_device *dev)
{
	return ACCESS_ONCE(dev->unplugged);
}
EXPORT_SYMBOL_GPL(drm_device_is_unplugged);

/* Wake processes that wait for an event, so that they notice the removal. */
static void wake_files(struct drm_device *dev)
{
	struct drm_file *file_priv;

	mutex_lock(&dev->struct_mutex);
	list_for_each_entry(file_priv, &dev->filelist, lhead)
		wake_up_interruptible(&file_priv->event_wait);
	mutex_unlock(&dev->struct_mutex);
}

/**
 * drm_unplug_dev() - unregister a device whose hardware was removed
 * @dev: device; the driver's reference is dropped
 *
 * The driver has already stopped the hardware and removed its connectors from
 * sysfs. The parent (dev->dev) is not freed before the DRM device.
 *
 * Context: process context, may sleep. No lock of DRM is held.
 */
void drm_unplug_dev(struct drm_device *dev)
{
	get_device(dev->dev);

	mutex_lock(&drm_global_mutex);
	dev->unplugged = true;
	list_move_tail(&dev->driver_item, &unplugged);
	if (drm_core_check_feature(dev, DRIVER_MODESET))
		drm_unplug_minor(dev->control);
	drm_unplug_minor(dev->primary);
	wake_files(dev);
	mutex_unlock(&drm_global_mutex);

	drm_dev_unref(dev);
}
EXPORT_SYMBOL_GPL(drm_unplug_dev);

static bool has_unplugged(struct drm_driver *driver)
{
	struct drm_device *dev;
	bool found = false;

	mutex_lock(&drm_global_mutex);
	list_for_each_entry(dev, &unplugged, driver_item)
		if (dev->driver == driver)
			found = true;
	mutex_unlock(&drm_global_mutex);
	return found;
}

/**
 * drm_flush_unplugged() - wait until the unplugged devices of a driver are freed
 * @driver: driver
 *
 * For the module_exit() of drivers that call drm_unplug_dev(). By then no file
 * and no mapping refers to their devices, but a release() that has already put
 * the module may still be running, or unload() be pending.
 *
 * Context: process context, may sleep. No lock of DRM is held.
 */
void drm_flush_unplugged(struct drm_driver *driver)
{
	wait_event(freed, !has_unplugged(driver));
	flush_scheduled_work();
}
EXPORT_SYMBOL_GPL(drm_flush_unplugged);
