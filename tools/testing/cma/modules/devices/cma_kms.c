// SPDX-License-Identifier: GPL-2.0
/*
 * A display without hardware, whose driver consists of the helpers for contiguous
 * memory, as those of v3.8 to v3.10 do. A timer makes its vblanks; its parameters
 * show what it would scan out.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <drm/drmP.h>
#include <drm/drm_crtc.h>
#include <drm/drm_crtc_helper.h>
#include <drm/drm_fb_cma_helper.h>
#include <drm/drm_gem_cma_helper.h>

#include "cma_pdev.h"

#define NAME	"cma_kms"
#define WIDTH	640
#define HEIGHT	480
#define PERIOD	max(HZ / 50, 1)

struct kms {
	struct drm_device *dev;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;
	struct drm_fbdev_cma *fbdev;
	struct timer_list timer;
	bool vblanks;				/* dev->vbl_lock */
	struct drm_pending_vblank_event *event;	/* dev->event_lock */
};

static struct platform_device *pdev;

static ulong address;
module_param(address, ulong, 0444);
MODULE_PARM_DESC(address, "What the display scans out");

static bool on;
module_param(on, bool, 0444);
MODULE_PARM_DESC(on, "Is it on?");

/*
 * CRTC
 */

#define to_kms(c)	container_of(c, struct kms, crtc)

static void kms_scan_out(struct drm_crtc *crtc, int x, int y)
{
	struct drm_framebuffer *fb = crtc->fb;
	struct drm_gem_cma_object *obj = drm_fb_cma_get_gem_obj(fb, 0);

	address = obj->paddr + fb->offsets[0] + y * fb->pitches[0] +
		  x * fb->bits_per_pixel / 8;
}

static void kms_crtc_dpms(struct drm_crtc *crtc, int mode)
{
	on = mode == DRM_MODE_DPMS_ON;
}

static void kms_crtc_prepare(struct drm_crtc *crtc)
{
	kms_crtc_dpms(crtc, DRM_MODE_DPMS_OFF);
}

static void kms_crtc_commit(struct drm_crtc *crtc)
{
	kms_crtc_dpms(crtc, DRM_MODE_DPMS_ON);
}

static bool kms_crtc_mode_fixup(struct drm_crtc *crtc,
				struct drm_display_mode *mode,
				struct drm_display_mode *adjusted)
{
	return mode->hdisplay == WIDTH && mode->vdisplay == HEIGHT;
}

static int kms_crtc_mode_set(struct drm_crtc *crtc,
			     struct drm_display_mode *mode,
			     struct drm_display_mode *adjusted, int x, int y,
			     struct drm_framebuffer *old_fb)
{
	kms_scan_out(crtc, x, y);
	return 0;
}

static int kms_crtc_mode_set_base(struct drm_crtc *crtc, int x, int y,
				  struct drm_framebuffer *old_fb)
{
	kms_scan_out(crtc, x, y);
	return 0;
}

static const struct drm_crtc_helper_funcs kms_crtc_helper_funcs = {
	.dpms		= kms_crtc_dpms,
	.prepare	= kms_crtc_prepare,
	.commit		= kms_crtc_commit,
	.mode_fixup	= kms_crtc_mode_fixup,
	.mode_set	= kms_crtc_mode_set,
	.mode_set_base	= kms_crtc_mode_set_base,
};

static int kms_page_flip(struct drm_crtc *crtc, struct drm_framebuffer *fb,
			 struct drm_pending_vblank_event *event)
{
	struct kms *kms = to_kms(crtc);
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&kms->dev->event_lock, flags);
	busy = kms->event;
	spin_unlock_irqrestore(&kms->dev->event_lock, flags);
	if (busy)
		return -EBUSY;

	crtc->fb = fb;
	kms_scan_out(crtc, crtc->x, crtc->y);
	if (event) {
		event->pipe = 0;
		drm_vblank_get(kms->dev, 0);
		spin_lock_irqsave(&kms->dev->event_lock, flags);
		kms->event = event;
		spin_unlock_irqrestore(&kms->dev->event_lock, flags);
	}
	return 0;
}

static const struct drm_crtc_funcs kms_crtc_funcs = {
	.destroy	= drm_crtc_cleanup,
	.set_config	= drm_crtc_helper_set_config,
	.page_flip	= kms_page_flip,
};

/*
 * Vblanks
 */

static void kms_end_flip(struct kms *kms)
{
	struct drm_device *dev = kms->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->event_lock, flags);
	if (kms->event) {
		drm_send_vblank_event(dev, 0, kms->event);
		kms->event = NULL;
		drm_vblank_put(dev, 0);
	}
	spin_unlock_irqrestore(&dev->event_lock, flags);
}

static void kms_tick(unsigned long data)
{
	struct kms *kms = (struct kms *)data;

	if (!kms->vblanks)
		return;
	drm_handle_vblank(kms->dev, 0);
	kms_end_flip(kms);
	mod_timer(&kms->timer, jiffies + PERIOD);
}

static int kms_enable_vblank(struct drm_device *dev, int crtc)
{
	struct kms *kms = dev->dev_private;

	kms->vblanks = true;
	mod_timer(&kms->timer, jiffies + PERIOD);
	return 0;
}

static void kms_disable_vblank(struct drm_device *dev, int crtc)
{
	struct kms *kms = dev->dev_private;

	kms->vblanks = false;
}

/*
 * Encoder and connector
 */

static void kms_encoder_dpms(struct drm_encoder *encoder, int mode)
{
}

static bool kms_encoder_mode_fixup(struct drm_encoder *encoder,
				   struct drm_display_mode *mode,
				   struct drm_display_mode *adjusted)
{
	return true;
}

static void kms_encoder_prepare(struct drm_encoder *encoder)
{
}

static void kms_encoder_commit(struct drm_encoder *encoder)
{
}

static void kms_encoder_mode_set(struct drm_encoder *encoder,
				 struct drm_display_mode *mode,
				 struct drm_display_mode *adjusted)
{
}

static const struct drm_encoder_helper_funcs kms_encoder_helper_funcs = {
	.dpms		= kms_encoder_dpms,
	.mode_fixup	= kms_encoder_mode_fixup,
	.prepare	= kms_encoder_prepare,
	.commit		= kms_encoder_commit,
	.mode_set	= kms_encoder_mode_set,
};

static const struct drm_encoder_funcs kms_encoder_funcs = {
	.destroy	= drm_encoder_cleanup,
};

static int kms_get_modes(struct drm_connector *connector)
{
	struct drm_display_mode *mode;

	mode = drm_cvt_mode(connector->dev, WIDTH, HEIGHT, 60, false, false,
			    false);
	if (!mode)
		return 0;
	mode->type |= DRM_MODE_TYPE_DRIVER | DRM_MODE_TYPE_PREFERRED;
	drm_mode_probed_add(connector, mode);
	return 1;
}

static int kms_mode_valid(struct drm_connector *connector,
			  struct drm_display_mode *mode)
{
	return MODE_OK;
}

static struct drm_encoder *kms_best_encoder(struct drm_connector *connector)
{
	struct kms *kms = connector->dev->dev_private;

	return &kms->encoder;
}

static const struct drm_connector_helper_funcs kms_connector_helper_funcs = {
	.get_modes	= kms_get_modes,
	.mode_valid	= kms_mode_valid,
	.best_encoder	= kms_best_encoder,
};

static enum drm_connector_status kms_detect(struct drm_connector *connector,
					    bool force)
{
	return connector_status_connected;
}

static void kms_connector_destroy(struct drm_connector *connector)
{
	drm_sysfs_connector_remove(connector);
	drm_connector_cleanup(connector);
}

static const struct drm_connector_funcs kms_connector_funcs = {
	.dpms		= drm_helper_connector_dpms,
	.detect		= kms_detect,
	.fill_modes	= drm_helper_probe_single_connector_modes,
	.destroy	= kms_connector_destroy,
};

/*
 * Device
 */

static void kms_output_poll_changed(struct drm_device *dev)
{
	struct kms *kms = dev->dev_private;

	drm_fbdev_cma_hotplug_event(kms->fbdev);
}

static struct drm_mode_config_funcs kms_mode_config_funcs = {
	.fb_create		= drm_fb_cma_create,
	.output_poll_changed	= kms_output_poll_changed,
};

static int kms_modeset_init(struct kms *kms)
{
	struct drm_device *dev = kms->dev;

	drm_mode_config_init(dev);
	dev->mode_config.min_width = 0;
	dev->mode_config.min_height = 0;
	dev->mode_config.max_width = 2048;
	dev->mode_config.max_height = 2048;
	dev->mode_config.funcs = &kms_mode_config_funcs;

	drm_crtc_init(dev, &kms->crtc, &kms_crtc_funcs);
	drm_crtc_helper_add(&kms->crtc, &kms_crtc_helper_funcs);

	kms->encoder.possible_crtcs = 1;
	drm_encoder_init(dev, &kms->encoder, &kms_encoder_funcs,
			 DRM_MODE_ENCODER_LVDS);
	drm_encoder_helper_add(&kms->encoder, &kms_encoder_helper_funcs);

	drm_connector_init(dev, &kms->connector, &kms_connector_funcs,
			   DRM_MODE_CONNECTOR_LVDS);
	drm_connector_helper_add(&kms->connector, &kms_connector_helper_funcs);
	drm_mode_connector_attach_encoder(&kms->connector, &kms->encoder);
	return drm_sysfs_connector_add(&kms->connector);
}

static int kms_load(struct drm_device *dev, unsigned long flags)
{
	struct kms *kms = kzalloc(sizeof(*kms), GFP_KERNEL);
	int ret;

	if (!kms)
		return -ENOMEM;
	dev->dev_private = kms;
	kms->dev = dev;
	setup_timer(&kms->timer, kms_tick, (unsigned long)kms);

	ret = kms_modeset_init(kms);
	if (ret)
		goto cleanup;
	ret = drm_vblank_init(dev, 1);
	if (ret)
		goto cleanup;
	dev->irq_enabled = 1;

	drm_kms_helper_poll_init(dev);
	kms->fbdev = drm_fbdev_cma_init(dev, 16, dev->mode_config.num_crtc,
					dev->mode_config.num_connector);
	if (!IS_ERR(kms->fbdev))
		return 0;

	ret = PTR_ERR(kms->fbdev);
	drm_kms_helper_poll_fini(dev);
	drm_vblank_cleanup(dev);
cleanup:
	drm_mode_config_cleanup(dev);
	kfree(kms);
	return ret;
}

static int kms_unload(struct drm_device *dev)
{
	struct kms *kms = dev->dev_private;

	drm_fbdev_cma_fini(kms->fbdev);
	drm_kms_helper_poll_fini(dev);
	drm_mode_config_cleanup(dev);
	drm_vblank_cleanup(dev);
	del_timer_sync(&kms->timer);
	kfree(kms);
	return 0;
}

static void kms_preclose(struct drm_device *dev, struct drm_file *file)
{
	struct kms *kms = dev->dev_private;
	unsigned long flags;

	spin_lock_irqsave(&dev->event_lock, flags);
	if (kms->event && kms->event->base.file_priv == file) {
		kms->event->base.destroy(&kms->event->base);
		kms->event = NULL;
		drm_vblank_put(dev, 0);
	}
	spin_unlock_irqrestore(&dev->event_lock, flags);
}

static void kms_lastclose(struct drm_device *dev)
{
	struct kms *kms = dev->dev_private;

	drm_fbdev_cma_restore_mode(kms->fbdev);
}

static struct drm_info_list kms_debugfs_list[] = {
	{ "fb", drm_fb_cma_debugfs_show, 0 },
};

static int kms_debugfs_init(struct drm_minor *minor)
{
	return drm_debugfs_create_files(kms_debugfs_list,
					ARRAY_SIZE(kms_debugfs_list),
					minor->debugfs_root, minor);
}

static void kms_debugfs_cleanup(struct drm_minor *minor)
{
	drm_debugfs_remove_files(kms_debugfs_list, ARRAY_SIZE(kms_debugfs_list),
				 minor);
}

static struct drm_driver kms_driver = {
	.driver_features	= DRIVER_GEM | DRIVER_MODESET | DRIVER_PRIME,
	.load			= kms_load,
	.unload			= kms_unload,
	.preclose		= kms_preclose,
	.lastclose		= kms_lastclose,
	.get_vblank_counter	= drm_vblank_count,
	.enable_vblank		= kms_enable_vblank,
	.disable_vblank		= kms_disable_vblank,
	.gem_free_object	= drm_gem_cma_free_object,
	.gem_vm_ops		= &drm_gem_cma_vm_ops,
	.prime_handle_to_fd	= drm_gem_prime_handle_to_fd,
	.prime_fd_to_handle	= drm_gem_prime_fd_to_handle,
	.gem_prime_import	= drm_gem_cma_dmabuf_import,
	.gem_prime_export	= drm_gem_cma_dmabuf_export,
	.dumb_create		= drm_gem_cma_dumb_create,
	.dumb_map_offset	= drm_gem_cma_dumb_map_offset,
	.dumb_destroy		= drm_gem_cma_dumb_destroy,
	.debugfs_init		= kms_debugfs_init,
	.debugfs_cleanup	= kms_debugfs_cleanup,
	.name			= NAME,
	.desc			= "Display without hardware",
	.date			= "20130101",
	.major			= 1,
	.minor			= 0,
	.fops = {
		.owner		= THIS_MODULE,
		.open		= drm_open,
		.release	= drm_release,
		.unlocked_ioctl	= drm_ioctl,
		.poll		= drm_poll,
		.read		= drm_read,
		.fasync		= drm_fasync,
		.llseek		= no_llseek,
		.mmap		= drm_gem_cma_mmap,
	},
};

static int kms_probe(struct platform_device *device)
{
	return drm_platform_init(&kms_driver, device);
}

static int kms_remove(struct platform_device *device)
{
	drm_platform_exit(&kms_driver, device);
	return 0;
}

static struct platform_driver kms_platform_driver = {
	.probe	= kms_probe,
	.remove	= kms_remove,
	.driver	= {
		.owner	= THIS_MODULE,
		.name	= NAME,
	},
};

static int __init kms_init(void)
{
	int ret;

	pdev = cma_pdev_register(NAME, -1);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	ret = platform_driver_register(&kms_platform_driver);
	if (ret)
		platform_device_unregister(pdev);
	return ret;
}
module_init(kms_init);

static void __exit kms_exit(void)
{
	platform_driver_unregister(&kms_platform_driver);
	platform_device_unregister(pdev);
}
module_exit(kms_exit);

MODULE_DESCRIPTION("Display of the DRM helpers for contiguous memory");
MODULE_LICENSE("GPL");
