/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Framebuffers in contiguous memory, and fbdev on top of them. See
 * drm_fb_cma_helper.c.
 */
#ifndef _DRM_FB_CMA_HELPER_H_
#define _DRM_FB_CMA_HELPER_H_

struct drm_device;
struct drm_fbdev_cma;
struct drm_file;
struct drm_framebuffer;
struct drm_gem_cma_object;
struct drm_mode_fb_cmd;
struct seq_file;

struct drm_framebuffer *drm_fb_cma_create(struct drm_device *dev,
					  struct drm_file *file_priv,
					  struct drm_mode_fb_cmd *cmd);
struct drm_gem_cma_object *drm_fb_cma_get_gem_obj(struct drm_framebuffer *fb,
						  unsigned int plane);
int drm_fb_cma_debugfs_show(struct seq_file *m, void *arg);

struct drm_fbdev_cma *drm_fbdev_cma_init(struct drm_device *dev,
					 unsigned int preferred_bpp,
					 unsigned int num_crtc,
					 unsigned int max_conn_count);
void drm_fbdev_cma_fini(struct drm_fbdev_cma *fbdev);
void drm_fbdev_cma_restore_mode(struct drm_fbdev_cma *fbdev);
void drm_fbdev_cma_hotplug_event(struct drm_fbdev_cma *fbdev);

#endif
