// SPDX-License-Identifier: GPL-2.0
/*
 * Framebuffers in contiguous memory, and fbdev on top of them
 *
 * A framebuffer is a GEM object of drm_gem_cma_helper.c with a size, a pitch
 * and a format. The fbdev emulation shows one that belongs to the kernel, for
 * /dev/fb0 and the console. Its memory comes from the contiguous memory area of
 * the device, and processes map it with the attributes of the kernel's mapping.
 */
#include <linux/err.h>
#include <linux/fb.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "drmP.h"
#include "drm_crtc.h"
#include "drm_crtc_helper.h"
#include "drm_fb_helper.h"
#include "drm_fb_cma_helper.h"
#include "drm_gem_cma_helper.h"

/*
 * Framebuffers
 */

/**
 * struct fb_cma - a framebuffer
 * @base: DRM framebuffer
 * @cma_obj: memory, with a reference; constant
 */
struct fb_cma {
	struct drm_framebuffer base;
	struct drm_gem_cma_object *cma_obj;
};

static struct fb_cma *to_fb_cma(struct drm_framebuffer *fb)
{
	return container_of(fb, struct fb_cma, base);
}

static void fb_cma_destroy(struct drm_framebuffer *fb)
{
	struct fb_cma *fb_cma = to_fb_cma(fb);

	drm_framebuffer_cleanup(fb);
	drm_gem_object_unreference_unlocked(&fb_cma->cma_obj->base);
	kfree(fb_cma);
}

static int fb_cma_create_handle(struct drm_framebuffer *fb,
				struct drm_file *file_priv,
				unsigned int *handle)
{
	return drm_gem_handle_create(file_priv, &to_fb_cma(fb)->cma_obj->base,
				     handle);
}

static const struct drm_framebuffer_funcs fb_cma_funcs = {
	.destroy	= fb_cma_destroy,
	.create_handle	= fb_cma_create_handle,
};

/* Return a framebuffer that has its own reference to the object, or ERR_PTR. */
static struct drm_framebuffer *new_fb(struct drm_device *dev,
				      struct drm_mode_fb_cmd *cmd,
				      struct drm_gem_cma_object *cma_obj)
{
	struct fb_cma *fb_cma = kzalloc(sizeof(*fb_cma), GFP_KERNEL);
	int ret;

	if (!fb_cma)
		return ERR_PTR(-ENOMEM);
	drm_helper_mode_fill_fb_struct(&fb_cma->base, cmd);
	fb_cma->base.pixel_format = drm_mode_legacy_fb_format(cmd->bpp,
							      cmd->depth);
	ret = drm_framebuffer_init(dev, &fb_cma->base, &fb_cma_funcs);
	if (ret) {
		kfree(fb_cma);
		return ERR_PTR(ret);
	}

	fb_cma->cma_obj = cma_obj;
	drm_gem_object_reference(&cma_obj->base);
	return &fb_cma->base;
}

/* Check that lines do not overlap and that all of them are in the object. */
static bool frame_is_inside(const struct drm_mode_fb_cmd *cmd, size_t size)
{
	u64 line = (u64)cmd->width * cmd->bpp / BITS_PER_BYTE;

	return line && cmd->height && line <= cmd->pitch &&
	       (u64)cmd->pitch * (cmd->height - 1) + line <= size;
}

/**
 * drm_fb_cma_create() - implement fb_create()
 * @dev: device
 * @file_priv: open file that has a handle of the object
 * @cmd: width and height in pixels, pitch in bytes, bpp, depth and handle
 *
 * A driver that supports some formats only checks them before. Lines may be
 * followed by unused bytes; whether the hardware can show them is for the
 * driver to check when a framebuffer is used.
 *
 * Context: process context, may sleep; mode_config.mutex is held.
 * Return: a framebuffer; ERR_PTR(-ENOENT) if there is no object with this
 * handle; ERR_PTR(-EINVAL) if lines are empty or longer than the pitch, or if
 * the frame exceeds the object; or ERR_PTR(-ENOMEM).
 */
struct drm_framebuffer *drm_fb_cma_create(struct drm_device *dev,
					  struct drm_file *file_priv,
					  struct drm_mode_fb_cmd *cmd)
{
	struct drm_framebuffer *fb = ERR_PTR(-EINVAL);
	struct drm_gem_object *gem_obj;

	gem_obj = drm_gem_object_lookup(dev, file_priv, cmd->handle);
	if (!gem_obj)
		return ERR_PTR(-ENOENT);
	if (frame_is_inside(cmd, gem_obj->size))
		fb = new_fb(dev, cmd, to_drm_gem_cma_obj(gem_obj));
	drm_gem_object_unreference_unlocked(gem_obj);
	return fb;
}
EXPORT_SYMBOL_GPL(drm_fb_cma_create);

/**
 * drm_fb_cma_get_gem_obj() - get the memory of a framebuffer
 * @fb: framebuffer of drm_fb_cma_create()
 * @plane: 0; there are no formats with more planes
 *
 * Context: any.
 * Return: the object, which has the reference of the framebuffer, or NULL if
 * there is no such plane.
 */
struct drm_gem_cma_object *drm_fb_cma_get_gem_obj(struct drm_framebuffer *fb,
						  unsigned int plane)
{
	return plane ? NULL : to_fb_cma(fb)->cma_obj;
}
EXPORT_SYMBOL_GPL(drm_fb_cma_get_gem_obj);

/**
 * drm_fb_cma_debugfs_show() - show the framebuffers of a device in debugfs
 * @m: file of drm_debugfs_create_files()
 * @arg: ignored
 *
 * This is for the show() of a struct drm_info_list. All framebuffers of the
 * device must be those of drm_fb_cma_create().
 *
 * Context: process context, may sleep.
 * Return: 0.
 */
int drm_fb_cma_debugfs_show(struct seq_file *m, void *arg)
{
	struct drm_info_node *node = m->private;
	struct drm_mode_config *config = &node->minor->dev->mode_config;
	struct drm_framebuffer *fb;

	mutex_lock(&config->mutex);
	list_for_each_entry(fb, &config->fb_list, head)
		seq_printf(m, "%u: %ux%u, %d bpp, depth %u, pitch %u, address %#llx, %zu bytes\n",
			   fb->base.id, fb->width, fb->height,
			   fb->bits_per_pixel, fb->depth, fb->pitch,
			   (u64)to_fb_cma(fb)->cma_obj->paddr,
			   to_fb_cma(fb)->cma_obj->base.size);
	mutex_unlock(&config->mutex);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_fb_cma_debugfs_show);

/*
 * fbdev
 */

/**
 * struct drm_fbdev_cma - fbdev emulation of a device
 * @fb_helper: helper of DRM; its fb, modes and connectors go with
 *	drm_fbdev_cma_fini(), with mode_config.mutex held
 * @preferred_bpp: bits per pixel that the device can show; constant
 * @cma_obj: memory of the frame, with a reference, or NULL; constant
 * @refcount: one reference for the driver, and one for the struct fb_info once
 *	it is registered, which open files and mappings of /dev/fb0 keep
 */
struct drm_fbdev_cma {
	struct drm_fb_helper fb_helper;
	unsigned int preferred_bpp;
	struct drm_gem_cma_object *cma_obj;
	struct kref refcount;
};

static struct drm_fbdev_cma *helper_to_fbdev(struct drm_fb_helper *helper)
{
	return container_of(helper, struct drm_fbdev_cma, fb_helper);
}

static void fbdev_release(struct kref *kref)
{
	struct drm_fbdev_cma *fbdev = container_of(kref, struct drm_fbdev_cma,
						   refcount);
	struct drm_device *dev = fbdev->fb_helper.dev;
	struct fb_info *info = fbdev->fb_helper.fbdev;

	if (info) {
		fb_dealloc_cmap(&info->cmap);
		framebuffer_release(info);
	}
	if (fbdev->cma_obj)
		drm_gem_object_unreference_unlocked(&fbdev->cma_obj->base);
	kfree(fbdev);
	drm_dev_unref(dev);
}

static struct module *driver_module(struct fb_info *info)
{
	struct drm_fb_helper *helper = info->par;

	return helper->dev->driver->fops.owner;
}

/* The console does not keep the driver from being unloaded, but files do. */
static int fbdev_open(struct fb_info *info, int user)
{
	return !user || try_module_get(driver_module(info)) ? 0 : -ENODEV;
}

static int fbdev_close(struct fb_info *info, int user)
{
	if (user)
		module_put(driver_module(info));
	return 0;
}

static void fbdev_destroy(struct fb_info *info)
{
	kref_put(&helper_to_fbdev(info->par)->refcount, fbdev_release);
}

/* The frame has one size and one format. */
static int fbdev_check_var(struct fb_var_screeninfo *var, struct fb_info *info)
{
	const struct fb_var_screeninfo *now = &info->var;

	if (var->pixclock || var->bits_per_pixel != now->bits_per_pixel ||
	    var->xres != now->xres || var->yres != now->yres ||
	    var->xres_virtual > now->xres_virtual ||
	    var->yres_virtual > now->yres_virtual ||
	    var->xoffset || var->yoffset)
		return -EINVAL;

	var->xres_virtual = now->xres_virtual;
	var->yres_virtual = now->yres_virtual;
	var->red = now->red;
	var->green = now->green;
	var->blue = now->blue;
	var->transp = now->transp;
	return 0;
}

/* The console does not know when a client of DRM has the display. */
static bool client_shows(struct drm_fb_helper *helper)
{
	struct drm_mode_config *config = &helper->dev->mode_config;
	struct drm_crtc *crtc;
	bool shows = false;

	mutex_lock(&config->mutex);
	list_for_each_entry(crtc, &config->crtc_list, head)
		if (crtc->fb && crtc->fb != helper->fb)
			shows = true;
	mutex_unlock(&config->mutex);
	return shows;
}

static int fbdev_set_par(struct fb_info *info)
{
	return client_shows(info->par) ? 0 : drm_fb_helper_set_par(info);
}

static int fbdev_blank(int blank, struct fb_info *info)
{
	return client_shows(info->par) ? 0 : drm_fb_helper_blank(blank, info);
}

static int fbdev_pan_display(struct fb_var_screeninfo *var,
			     struct fb_info *info)
{
	if (client_shows(info->par))
		return -EBUSY;
	return drm_fb_helper_pan_display(var, info);
}

static u32 color_bits(unsigned int value, const struct fb_bitfield *field)
{
	return value >> (16 - field->length) << field->offset;
}

/* drm_fb_helper_setcmap() needs a load_lut() of the CRTC. */
static int fbdev_setcolreg(unsigned int regno, unsigned int red,
			   unsigned int green, unsigned int blue,
			   unsigned int transp, struct fb_info *info)
{
	u32 *palette = info->pseudo_palette;

	if (regno >= 16)
		return -EINVAL;
	palette[regno] = color_bits(red, &info->var.red) |
			 color_bits(green, &info->var.green) |
			 color_bits(blue, &info->var.blue);
	return 0;
}

static int fbdev_mmap(struct fb_info *info, struct vm_area_struct *vma)
{
	struct drm_fbdev_cma *fbdev = helper_to_fbdev(info->par);

	return drm_gem_cma_map_object(&fbdev->cma_obj->base, vma);
}

static struct fb_ops fbdev_ops = {
	.owner		= THIS_MODULE,
	.fb_open	= fbdev_open,
	.fb_release	= fbdev_close,
	.fb_destroy	= fbdev_destroy,
	.fb_read	= fb_sys_read,
	.fb_write	= fb_sys_write,
	.fb_mmap	= fbdev_mmap,
	.fb_check_var	= fbdev_check_var,
	.fb_set_par	= fbdev_set_par,
	.fb_setcolreg	= fbdev_setcolreg,
	.fb_blank	= fbdev_blank,
	.fb_pan_display	= fbdev_pan_display,
	.fb_fillrect	= sys_fillrect,
	.fb_copyarea	= sys_copyarea,
	.fb_imageblit	= sys_imageblit,
};

static int new_info(struct drm_fbdev_cma *fbdev, const char *id)
{
	struct drm_fb_helper *helper = &fbdev->fb_helper;
	struct drm_framebuffer *fb = helper->fb;
	struct fb_info *info = framebuffer_alloc(0, helper->dev->dev);

	if (!info)
		return -ENOMEM;
	if (fb_alloc_cmap(&info->cmap, 16, 0)) {
		framebuffer_release(info);
		return -ENOMEM;
	}

	info->par = helper;
	info->fbops = &fbdev_ops;
	info->flags = FBINFO_DEFAULT | FBINFO_VIRTFB;
	drm_fb_helper_fill_fix(info, fb->pitch, fb->depth);
	drm_fb_helper_fill_var(info, helper, fb->width, fb->height);
	strlcpy(info->fix.id, id, sizeof(info->fix.id));
	info->fix.smem_start = fbdev->cma_obj->paddr;
	info->fix.smem_len = fbdev->cma_obj->base.size;
	info->screen_base = (void __iomem *)fbdev->cma_obj->vaddr;
	info->screen_size = fbdev->cma_obj->base.size;
	helper->fbdev = info;
	return 0;
}

/* Can a CRTC show a format? One that does not tell its formats may. */
static bool crtc_shows(const struct drm_crtc *crtc, u32 format)
{
	unsigned int i;

	for (i = 0; i < crtc->nr_plane_formats; i++)
		if (crtc->plane_formats[i] == format)
			return true;
	return !crtc->nr_plane_formats;
}

/* Let video= choose only a format that all CRTCs can show. */
static void check_format(struct drm_fbdev_cma *fbdev,
			 struct drm_mode_fb_cmd *cmd)
{
	u32 format = drm_mode_legacy_fb_format(cmd->bpp, cmd->depth);
	struct drm_fb_helper *helper = &fbdev->fb_helper;
	int i;

	for (i = 0; i < helper->crtc_count; i++) {
		if (crtc_shows(helper->crtc_info[i].mode_set.crtc, format))
			continue;
		dev_warn(helper->dev->dev, "video=: %u bits per pixel are not supported, %u are used\n",
			 cmd->depth == 15 ? 15 : cmd->bpp,
			 fbdev->preferred_bpp);
		cmd->bpp = fbdev->preferred_bpp;
		cmd->depth = cmd->bpp == 32 ? 24 : cmd->bpp;
		return;
	}
}

/*
 * Create the frame and its struct fb_info. Return 1, 0 if they exist, or an
 * errno; the caller of drm_fb_helper_initial_config() cleans up.
 */
static int fbdev_probe(struct drm_fb_helper *helper,
		       struct drm_fb_helper_surface_size *sizes)
{
	struct drm_fbdev_cma *fbdev = helper_to_fbdev(helper);
	struct drm_mode_fb_cmd cmd = {
		.width	= sizes->surface_width,
		.height	= sizes->surface_height,
		.bpp	= sizes->surface_bpp,
		.depth	= sizes->surface_depth,
	};
	struct drm_gem_cma_object *cma_obj;
	struct drm_framebuffer *fb;
	int ret;

	if (helper->fb)
		return 0;
	check_format(fbdev, &cmd);
	if (cmd.depth < 15)	/* needs a palette in hardware */
		return -EINVAL;

	cmd.pitch = cmd.width * cmd.bpp / BITS_PER_BYTE;
	cma_obj = drm_gem_cma_create(helper->dev, cmd.pitch * cmd.height);
	if (IS_ERR(cma_obj))
		return PTR_ERR(cma_obj);
	fbdev->cma_obj = cma_obj;

	fb = new_fb(helper->dev, &cmd, cma_obj);
	if (IS_ERR(fb))
		return PTR_ERR(fb);
	helper->fb = fb;

	ret = new_info(fbdev, helper->dev->driver->name);
	return ret ? ret : 1;
}

static struct drm_fb_helper_funcs fbdev_helper_funcs = {
	.fb_probe	= fbdev_probe,
};

/*
 * Free what refers to objects of the device. An operation of /dev/fb0 that is
 * under way may still take the mutex afterwards, and must find nothing.
 */
static void detach(struct drm_fbdev_cma *fbdev)
{
	struct drm_fb_helper *helper = &fbdev->fb_helper;
	struct drm_device *dev = helper->dev;
	struct drm_mode_set *set;
	int i;

	mutex_lock(&dev->mode_config.mutex);
	for (i = 0; i < helper->crtc_count; i++) {
		set = &helper->crtc_info[i].mode_set;
		if (set->mode)
			drm_mode_destroy(dev, set->mode);
		set->mode = NULL;
	}
	drm_fb_helper_fini(helper);
	helper->crtc_count = 0;
	helper->connector_count = 0;

	if (helper->fb)
		fb_cma_destroy(helper->fb);
	helper->fb = NULL;
	mutex_unlock(&dev->mode_config.mutex);
}

/**
 * drm_fbdev_cma_init() - create /dev/fbN, which may become the console
 * @dev: device with CRTCs, encoders and connectors
 * @preferred_bpp: bits per pixel, 16 or more, which @dev can show; video=
 *	on the command line can ask for others, unless the primary planes tell
 *	that they cannot show them
 * @num_crtc: number of CRTCs
 * @max_conn_count: maximum number of connectors of a CRTC
 *
 * The modes of the connectors determine the size of the frame, which is shown
 * at once. A driver calls drm_fbdev_cma_restore_mode() in its lastclose().
 *
 * Context: process context, may sleep.
 * Return: the fbdev emulation, to be freed with drm_fbdev_cma_fini(); or
 * ERR_PTR(-ENOMEM), or ERR_PTR(-EINVAL) if the frame could not be created.
 */
struct drm_fbdev_cma *drm_fbdev_cma_init(struct drm_device *dev,
					 unsigned int preferred_bpp,
					 unsigned int num_crtc,
					 unsigned int max_conn_count)
{
	struct drm_fbdev_cma *fbdev = kzalloc(sizeof(*fbdev), GFP_KERNEL);
	struct drm_fb_helper *helper;

	if (!fbdev)
		return ERR_PTR(-ENOMEM);
	helper = &fbdev->fb_helper;
	helper->funcs = &fbdev_helper_funcs;
	if (drm_fb_helper_init(dev, helper, num_crtc, max_conn_count)) {
		kfree(fbdev);
		return ERR_PTR(-ENOMEM);
	}
	fbdev->preferred_bpp = preferred_bpp;
	kref_init(&fbdev->refcount);
	drm_dev_ref(dev);

	if (drm_fb_helper_single_add_all_connectors(helper) ||
	    drm_fb_helper_initial_config(helper, preferred_bpp)) {
		detach(fbdev);
		kref_put(&fbdev->refcount, fbdev_release);
		return ERR_PTR(-EINVAL);
	}
	kref_get(&fbdev->refcount);	/* for the registered fb_info */
	return fbdev;
}
EXPORT_SYMBOL_GPL(drm_fbdev_cma_init);

/**
 * drm_fbdev_cma_fini() - remove /dev/fbN
 * @fbdev: fbdev emulation, or NULL
 *
 * The memory and a reference to the device remain while /dev/fbN is open or
 * mapped. A driver that calls drm_unplug_dev() calls this before, because its
 * unload() waits for that reference. One that calls drm_put_dev() calls it in
 * unload(); its device must not be removed while /dev/fbN is open.
 *
 * Context: process context, may sleep.
 */
void drm_fbdev_cma_fini(struct drm_fbdev_cma *fbdev)
{
	if (!fbdev)
		return;
	/* Fails if the console cannot be unbound, and then still uses it. */
	if (WARN_ON(unregister_framebuffer(fbdev->fb_helper.fbdev)))
		return;
	detach(fbdev);
	kref_put(&fbdev->refcount, fbdev_release);
}
EXPORT_SYMBOL_GPL(drm_fbdev_cma_fini);

/**
 * drm_fbdev_cma_restore_mode() - show the frame of fbdev again
 * @fbdev: fbdev emulation, or NULL
 *
 * For the lastclose() of a driver, when no client of DRM is left.
 *
 * Context: process context, may sleep.
 */
void drm_fbdev_cma_restore_mode(struct drm_fbdev_cma *fbdev)
{
	struct drm_mode_config *config;

	if (!fbdev)
		return;
	config = &fbdev->fb_helper.dev->mode_config;
	mutex_lock(&config->mutex);
	drm_fb_helper_restore_fbdev_mode(&fbdev->fb_helper);
	mutex_unlock(&config->mutex);

	if (fbdev->fb_helper.delayed_hotplug) {
		fbdev->fb_helper.delayed_hotplug = false;
		drm_fb_helper_hotplug_event(&fbdev->fb_helper);
	}
}
EXPORT_SYMBOL_GPL(drm_fbdev_cma_restore_mode);

/**
 * drm_fbdev_cma_hotplug_event() - look for connected displays again
 * @fbdev: fbdev emulation, or NULL
 *
 * For the output_poll_changed() of a driver.
 *
 * Context: process context, may sleep.
 */
void drm_fbdev_cma_hotplug_event(struct drm_fbdev_cma *fbdev)
{
	if (fbdev)
		drm_fb_helper_hotplug_event(&fbdev->fb_helper);
}
EXPORT_SYMBOL_GPL(drm_fbdev_cma_hotplug_event);

MODULE_DESCRIPTION("DRM: framebuffers and fbdev in contiguous memory");
MODULE_LICENSE("GPL");
