// SPDX-License-Identifier: GPL-2.0
/*
 * Primary planes: what a CRTC shows, as an object of its own
 *
 * Current programs show frames on planes and look for the primary plane of a
 * CRTC. They see it after they have asked for it with DRM_IOCTL_SET_CLIENT_CAP;
 * programs that have not expect that all planes are overlays. There are no
 * overlays and cursors here: a plane is another name for what
 * DRM_IOCTL_MODE_SETCRTC sets, and always covers its CRTC.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "drmP.h"
#include "drm_crtc.h"

/* Values of the property "type" */
enum plane_type { PLANE_OVERLAY, PLANE_PRIMARY, PLANE_CURSOR };

static bool has_plane(const struct drm_crtc *crtc)
{
	return crtc->nr_plane_formats;
}

/* Create the property "type". Return 0 or -ENOMEM. */
static int create_type(struct drm_device *dev)
{
	static const char * const names[] = {
		[PLANE_OVERLAY] = "Overlay",
		[PLANE_PRIMARY] = "Primary",
		[PLANE_CURSOR] = "Cursor",
	};
	struct drm_property *type;
	int i;

	type = drm_property_create(dev, DRM_MODE_PROP_ENUM |
				   DRM_MODE_PROP_IMMUTABLE, "type",
				   ARRAY_SIZE(names));
	if (!type)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (drm_property_add_enum(type, i, i, names[i])) {
			drm_property_destroy(dev, type);
			return -ENOMEM;
		}
	}
	dev->mode_config.plane_type_property = type;
	return 0;
}

/**
 * drm_crtc_add_primary_plane() - let programs see the primary plane of a CRTC
 * @crtc: CRTC, initialized by drm_crtc_init()
 * @formats: DRM_FORMAT_* that the CRTC can show; must stay valid
 * @nr_formats: number of @formats, not 0
 *
 * This is undone by drm_mode_config_cleanup().
 *
 * Context: process context, may sleep. The device is not yet in use.
 * Return: 0, -EINVAL, or -ENOMEM.
 */
int drm_crtc_add_primary_plane(struct drm_crtc *crtc, const u32 *formats,
			       unsigned int nr_formats)
{
	struct drm_device *dev = crtc->dev;
	int ret = 0;

	if (!nr_formats)
		return -EINVAL;
	if (!dev->mode_config.plane_type_property)
		ret = create_type(dev);
	if (!ret)
		ret = drm_mode_object_get(dev, &crtc->plane,
					  DRM_MODE_OBJECT_PLANE);
	if (ret)
		return ret;

	crtc->plane_formats = formats;
	crtc->nr_plane_formats = nr_formats;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_crtc_add_primary_plane);

/**
 * drm_plane_type() - get the property "type" of a plane
 * @dev: device that has a plane
 * @value: set to the value
 *
 * Context: any.
 * Return: id of the property.
 */
u32 drm_plane_type(struct drm_device *dev, u64 *value)
{
	*value = PLANE_PRIMARY;
	return dev->mode_config.plane_type_property->base.id;
}

/* Return the CRTC of a plane, or NULL, also if the driver sets no modes. */
static struct drm_crtc *find_plane(struct drm_device *dev, u32 id)
{
	struct drm_mode_object *obj;

	if (!drm_core_check_feature(dev, DRIVER_MODESET))
		return NULL;
	obj = drm_mode_object_find(dev, id, DRM_MODE_OBJECT_PLANE);
	return obj ? container_of(obj, struct drm_crtc, plane) : NULL;
}

/**
 * drm_setclientcap() - implement DRM_IOCTL_SET_CLIENT_CAP
 * @dev: device
 * @data: struct drm_set_client_cap
 * @file_priv: open file that the capability is set for
 *
 * Context: process context.
 * Return: 0; -EINVAL if the capability or the value is unknown; or -EOPNOTSUPP
 * for DRM_CLIENT_CAP_ATOMIC, and for all of them without DRIVER_MODESET.
 */
int drm_setclientcap(struct drm_device *dev, void *data,
		     struct drm_file *file_priv)
{
	struct drm_set_client_cap *req = data;

	if (!drm_core_check_feature(dev, DRIVER_MODESET) ||
	    req->capability == DRM_CLIENT_CAP_ATOMIC)
		return -EOPNOTSUPP;
	if (req->capability != DRM_CLIENT_CAP_UNIVERSAL_PLANES ||
	    req->value > 1)
		return -EINVAL;

	file_priv->universal_planes = req->value;
	return 0;
}

/**
 * drm_mode_getplane_res() - implement DRM_IOCTL_MODE_GETPLANERESOURCES
 * @dev: device
 * @data: struct drm_mode_get_plane_res; count_planes is set
 * @file_priv: open file
 *
 * The ids are returned if there is room for all of them. No lock is held: CRTCs
 * are neither added nor removed while a device is in use.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL without DRIVER_MODESET, or -EFAULT.
 */
int drm_mode_getplane_res(struct drm_device *dev, void *data,
			  struct drm_file *file_priv)
{
	struct drm_mode_get_plane_res *args = data;
	u32 __user *ids = (u32 __user *)(unsigned long)args->plane_id_ptr;
	struct drm_crtc *crtc;
	u32 room = args->count_planes;

	if (!drm_core_check_feature(dev, DRIVER_MODESET))
		return -EINVAL;

	args->count_planes = 0;
	if (!file_priv->universal_planes)
		return 0;
	list_for_each_entry(crtc, &dev->mode_config.crtc_list, head)
		args->count_planes += has_plane(crtc);
	if (room < args->count_planes)
		return 0;
	list_for_each_entry(crtc, &dev->mode_config.crtc_list, head)
		if (has_plane(crtc) && put_user(crtc->plane.id, ids++))
			return -EFAULT;
	return 0;
}

static u32 crtc_mask(struct drm_crtc *crtc)
{
	struct drm_crtc *other;
	u32 mask = 1;

	list_for_each_entry(other, &crtc->dev->mode_config.crtc_list, head) {
		if (other == crtc)
			break;
		mask <<= 1;
	}
	return mask;
}

/**
 * drm_mode_getplane() - implement DRM_IOCTL_MODE_GETPLANE
 * @dev: device
 * @data: struct drm_mode_get_plane with plane_id; the rest is set
 * @file_priv: open file
 *
 * The formats are returned if there is room for all of them.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL if there is no such plane, or -EFAULT.
 */
int drm_mode_getplane(struct drm_device *dev, void *data,
		      struct drm_file *file_priv)
{
	struct drm_mode_get_plane *args = data;
	u32 room = args->count_format_types;
	struct drm_crtc *crtc;

	crtc = find_plane(dev, args->plane_id);
	if (!crtc)
		return -EINVAL;

	mutex_lock(&dev->mode_config.mutex);
	args->crtc_id = crtc->fb ? crtc->base.id : 0;
	args->fb_id = crtc->fb ? crtc->fb->base.id : 0;
	mutex_unlock(&dev->mode_config.mutex);

	args->possible_crtcs = crtc_mask(crtc);
	args->gamma_size = 0;
	args->count_format_types = crtc->nr_plane_formats;
	if (room >= crtc->nr_plane_formats &&
	    copy_to_user((void __user *)(unsigned long)args->format_type_ptr,
			 crtc->plane_formats,
			 crtc->nr_plane_formats * sizeof(u32)))
		return -EFAULT;
	return 0;
}

/* Check that a part of a frame covers the CRTC. Return 0 or an errno. */
static int check_place(struct drm_crtc *crtc, struct drm_framebuffer *fb,
		       struct drm_mode_set_plane *args)
{
	u32 width = args->src_w >> 16, height = args->src_h >> 16;
	u32 fractions = args->src_x | args->src_y | args->src_w | args->src_h;

	if (args->crtc_x || args->crtc_y || fractions & 0xffff ||
	    args->crtc_w != crtc->mode.hdisplay ||
	    args->crtc_h != crtc->mode.vdisplay)
		return -EINVAL;
	if (width != args->crtc_w || height != args->crtc_h)
		return -ERANGE;
	if (width > fb->width || args->src_x >> 16 > fb->width - width ||
	    height > fb->height || args->src_y >> 16 > fb->height - height)
		return -ENOSPC;
	return 0;
}

/* Show a frame in the current mode, on the same connectors. */
static int set_frame(struct drm_crtc *crtc, struct drm_framebuffer *fb,
		     u32 x, u32 y)
{
	struct drm_mode_config *config = &crtc->dev->mode_config;
	struct drm_mode_set set = { .crtc = crtc, .fb = fb, .x = x, .y = y };
	struct drm_display_mode mode = crtc->mode;
	struct drm_connector *connector;
	int ret;

	set.mode = &mode;
	set.connectors = kcalloc(config->num_connector,
				 sizeof(*set.connectors), GFP_KERNEL);
	if (!set.connectors)
		return -ENOMEM;
	list_for_each_entry(connector, &config->connector_list, head)
		if (connector->encoder && connector->encoder->crtc == crtc)
			set.connectors[set.num_connectors++] = connector;

	ret = crtc->funcs->set_config(&set);
	kfree(set.connectors);
	return ret;
}

/* Called with mode_config.mutex held. */
static int set_plane(struct drm_crtc *crtc, struct drm_mode_set_plane *args)
{
	struct drm_mode_object *obj;
	struct drm_framebuffer *fb;
	int ret;

	if (!args->fb_id)	/* a CRTC that is on always shows something */
		return crtc->fb ? -EINVAL : 0;

	obj = drm_mode_object_find(crtc->dev, args->fb_id, DRM_MODE_OBJECT_FB);
	if (!obj || args->crtc_id != crtc->base.id || args->flags || !crtc->fb)
		return -EINVAL;
	fb = obj_to_fb(obj);
	ret = check_place(crtc, fb, args);
	if (ret)
		return ret;
	return set_frame(crtc, fb, args->src_x >> 16, args->src_y >> 16);
}

/**
 * drm_mode_setplane() - implement DRM_IOCTL_MODE_SETPLANE
 * @dev: device
 * @data: struct drm_mode_set_plane
 * @file_priv: open file
 *
 * As after DRM_IOCTL_MODE_SETCRTC, the frame may be shown only at the next
 * vblank.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if an object or a flag is unknown, if the CRTC is off, or
 * if the plane would be switched off or not cover the CRTC; -ERANGE if it would
 * be scaled; -ENOSPC if the frame is too small; or the error of set_config().
 */
int drm_mode_setplane(struct drm_device *dev, void *data,
		      struct drm_file *file_priv)
{
	struct drm_mode_set_plane *args = data;
	struct drm_crtc *crtc;
	int ret;

	crtc = find_plane(dev, args->plane_id);
	if (!crtc)
		return -EINVAL;

	mutex_lock(&dev->mode_config.mutex);
	ret = set_plane(crtc, args);
	mutex_unlock(&dev->mode_config.mutex);
	return ret;
}
