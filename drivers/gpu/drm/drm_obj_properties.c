// SPDX-License-Identifier: GPL-2.0
/*
 * DRM_IOCTL_MODE_OBJ_GETPROPERTIES and DRM_IOCTL_MODE_OBJ_SETPROPERTY, which
 * current programs use. Connectors have properties, and planes have their type.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>
#include "drmP.h"
#include "drm_crtc.h"

struct properties {
	u32 count;
	u32 ids[DRM_CONNECTOR_MAX_PROPERTY];
	u64 values[DRM_CONNECTOR_MAX_PROPERTY];
};

static void get_properties(struct drm_connector *connector,
			   struct properties *props)
{
	int i;

	for (i = 0; i < DRM_CONNECTOR_MAX_PROPERTY; i++) {
		if (!connector->property_ids[i])
			continue;
		props->ids[props->count] = connector->property_ids[i];
		props->values[props->count] = connector->property_values[i];
		props->count++;
	}
}

/* Copy the properties to user space if it has room for all of them. */
static int copy_properties(struct properties *props,
			   struct drm_mode_obj_get_properties *args)
{
	void __user *ids = (void __user *)(unsigned long)args->props_ptr;
	void __user *values =
		(void __user *)(unsigned long)args->prop_values_ptr;
	u32 room = args->count_props;

	args->count_props = props->count;
	if (room < props->count)
		return 0;
	if (copy_to_user(ids, props->ids, props->count * sizeof(u32)) ||
	    copy_to_user(values, props->values, props->count * sizeof(u64)))
		return -EFAULT;
	return 0;
}

/* wlroots knows the number of an object and asks for DRM_MODE_OBJECT_ANY */
static struct drm_mode_object *find_object(struct drm_device *dev, u32 id,
					   u32 type)
{
	static const u32 types[] = {
		DRM_MODE_OBJECT_CRTC, DRM_MODE_OBJECT_PLANE,
		DRM_MODE_OBJECT_CONNECTOR,
	};
	struct drm_mode_object *obj = NULL;
	int i;

	for (i = 0; !obj && i < ARRAY_SIZE(types); i++)
		if (type == types[i] || type == DRM_MODE_OBJECT_ANY)
			obj = drm_mode_object_find(dev, id, types[i]);
	return obj;
}

/**
 * drm_mode_obj_getproperties() - implement DRM_IOCTL_MODE_OBJ_GETPROPERTIES
 * @dev: device
 * @data: struct drm_mode_obj_get_properties; count_props is set
 * @file_priv: open file
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL if there is no such CRTC, plane or connector, or -EFAULT.
 */
int drm_mode_obj_getproperties(struct drm_device *dev, void *data,
			       struct drm_file *file_priv)
{
	struct drm_mode_obj_get_properties *args = data;
	struct properties props = { };
	struct drm_mode_object *obj;

	if (!drm_core_check_feature(dev, DRIVER_MODESET))
		return -EINVAL;

	/*
	 * Released before user memory is accessed, because closing a file takes
	 * this lock, too.
	 */
	mutex_lock(&dev->mode_config.mutex);
	obj = find_object(dev, args->obj_id, args->obj_type);
	if (obj && obj->type == DRM_MODE_OBJECT_CONNECTOR)
		get_properties(obj_to_connector(obj), &props);
	if (obj && obj->type == DRM_MODE_OBJECT_PLANE)
		props.ids[props.count++] = drm_plane_type(dev, props.values);
	mutex_unlock(&dev->mode_config.mutex);

	return obj ? copy_properties(&props, args) : -EINVAL;
}

/**
 * drm_mode_obj_setproperty() - implement DRM_IOCTL_MODE_OBJ_SETPROPERTY
 * @dev: device
 * @data: struct drm_mode_obj_set_property
 * @file_priv: open file
 *
 * Only connectors have properties that can be set.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL for all other objects, or the error of
 * drm_mode_connector_property_set_ioctl().
 */
int drm_mode_obj_setproperty(struct drm_device *dev, void *data,
			     struct drm_file *file_priv)
{
	struct drm_mode_obj_set_property *args = data;
	struct drm_mode_connector_set_property set = {
		.value = args->value,
		.prop_id = args->prop_id,
		.connector_id = args->obj_id,
	};

	if (args->obj_type != DRM_MODE_OBJECT_CONNECTOR &&
	    args->obj_type != DRM_MODE_OBJECT_ANY)
		return -EINVAL;
	return drm_mode_connector_property_set_ioctl(dev, &set, file_priv);
}
