// SPDX-License-Identifier: GPL-2.0
/*
 * Capabilities that current programs ask for with DRM_IOCTL_GET_CAP. Without an
 * answer some of them give up, others assume what later kernels do.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include "drmP.h"
#include "drm_crtc.h"

/**
 * drm_get_later_cap() - get a capability that later kernels added
 * @dev: device
 * @cap: DRM_CAP_*
 * @value: set to the value
 *
 * There are no tiled formats, no flips that do not wait for a vblank, and no
 * drivers that announce the size of their cursor.
 *
 * Context: any.
 * Return: 0, or -EINVAL if the capability is unknown.
 */
int drm_get_later_cap(struct drm_device *dev, u64 cap, u64 *value)
{
	bool modeset = drm_core_check_feature(dev, DRIVER_MODESET);

	switch (cap) {
	case DRM_CAP_DUMB_PREFERRED_DEPTH:
		*value = modeset ? dev->mode_config.preferred_depth : 0;
		return 0;
	case DRM_CAP_DUMB_PREFER_SHADOW:
		*value = modeset ? dev->mode_config.prefer_shadow : 0;
		return 0;
	case DRM_CAP_CURSOR_WIDTH:
	case DRM_CAP_CURSOR_HEIGHT:
		*value = 64;	/* what programs assume if they cannot ask */
		return 0;
	case DRM_CAP_CRTC_IN_VBLANK_EVENT:
		*value = modeset;
		return 0;
	case DRM_CAP_TIMESTAMP_MONOTONIC:
		*value = drm_is_monotonic(dev);
		return 0;
	case DRM_CAP_ASYNC_PAGE_FLIP:
	case DRM_CAP_ADDFB2_MODIFIERS:
		*value = 0;
		return 0;
	}
	return -EINVAL;
}

/**
 * drm_pipe_to_crtc_id() - get the id of the CRTC for events of a pipe
 * @dev: device
 * @pipe: index of the CRTC
 *
 * Context: any. CRTCs are neither added nor removed while a device is in use.
 * Return: the id, or 0 if there is no such CRTC.
 */
u32 drm_pipe_to_crtc_id(struct drm_device *dev, int pipe)
{
	struct drm_crtc *crtc;

	if (!drm_core_check_feature(dev, DRIVER_MODESET))
		return 0;
	list_for_each_entry(crtc, &dev->mode_config.crtc_list, head)
		if (pipe-- == 0)
			return crtc->base.id;
	return 0;
}
