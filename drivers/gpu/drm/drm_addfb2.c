// SPDX-License-Identifier: GPL-2.0
/*
 * DRM_IOCTL_MODE_ADDFB2, which current programs use, for the formats that
 * drm_mode_addfb() can describe by bits per pixel and depth
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "drmP.h"
#include "drm_crtc.h"
#include "drm_fourcc.h"

static const struct {
	u32 pixel_format;
	u32 bpp;
	u32 depth;
} formats[] = {
	{ DRM_FORMAT_C8, 8, 8 },
	{ DRM_FORMAT_XRGB1555, 16, 15 },
	{ DRM_FORMAT_RGB565, 16, 16 },
	{ DRM_FORMAT_RGB888, 24, 24 },
	{ DRM_FORMAT_XRGB8888, 32, 24 },
	{ DRM_FORMAT_XRGB2101010, 32, 30 },
	{ DRM_FORMAT_ARGB8888, 32, 32 },
};

/**
 * drm_mode_legacy_fb_format() - get the format that DRM_IOCTL_MODE_ADDFB means
 * @bpp: bits per pixel
 * @depth: bits of color, and of alpha if there is any
 *
 * Context: any.
 * Return: DRM_FORMAT_*, or 0 if there is none.
 */
u32 drm_mode_legacy_fb_format(u32 bpp, u32 depth)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].bpp == bpp && formats[i].depth == depth)
			return formats[i].pixel_format;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_mode_legacy_fb_format);

/**
 * drm_mode_addfb2() - implement DRM_IOCTL_MODE_ADDFB2
 * @dev: device
 * @data: struct drm_mode_fb_cmd2; fb_id is set
 * @file_priv: open file
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if the format is unknown, or if there are flags, an offset
 * or more than one plane; or the error of drm_mode_addfb().
 */
int drm_mode_addfb2(struct drm_device *dev, void *data,
		    struct drm_file *file_priv)
{
	struct drm_mode_fb_cmd2 *args = data;
	struct drm_mode_fb_cmd cmd = {
		.width = args->width, .height = args->height,
		.pitch = args->pitches[0], .handle = args->handles[0],
	};
	unsigned int i;
	int ret;

	if (args->flags || args->offsets[0])
		return -EINVAL;
	for (i = 1; i < ARRAY_SIZE(args->handles); i++)
		if (args->handles[i] || args->pitches[i] || args->offsets[i])
			return -EINVAL;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].pixel_format == args->pixel_format)
			break;
	if (i == ARRAY_SIZE(formats))
		return -EINVAL;
	cmd.bpp = formats[i].bpp;
	cmd.depth = formats[i].depth;

	ret = drm_mode_addfb(dev, &cmd, file_priv);
	args->fb_id = cmd.fb_id;
	return ret;
}
