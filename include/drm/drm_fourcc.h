/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pixel formats. Their names list the components from the highest to the lowest
 * bit of a little-endian word. Only formats that struct drm_mode_fb_cmd can
 * also describe are defined.
 */
#ifndef _DRM_FOURCC_H_
#define _DRM_FOURCC_H_

#include <linux/types.h>

#define fourcc_code(a, b, c, d)						\
	((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

#define DRM_FORMAT_C8		fourcc_code('C', '8', ' ', ' ')
#define DRM_FORMAT_XRGB1555	fourcc_code('X', 'R', '1', '5')
#define DRM_FORMAT_RGB565	fourcc_code('R', 'G', '1', '6')
#define DRM_FORMAT_RGB888	fourcc_code('R', 'G', '2', '4')
#define DRM_FORMAT_XRGB8888	fourcc_code('X', 'R', '2', '4')
#define DRM_FORMAT_XRGB2101010	fourcc_code('X', 'R', '3', '0')
#define DRM_FORMAT_ARGB8888	fourcc_code('A', 'R', '2', '4')

#endif
