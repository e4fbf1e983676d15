// SPDX-License-Identifier: GPL-2.0
/*
 * DRM driver for the ARM PrimeCell PL111 display controller
 *
 * The board code is shared with the fbdev driver, amba-clcd.c.
 */
#include <linux/clk.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "pl111.h"

static bool use_fbdev = true;
module_param_named(fbdev, use_fbdev, bool, 0444);
MODULE_PARM_DESC(fbdev, "Provide /dev/fb0 and a console (default: Y)");

/*
 * The board reports its panel when it is asked to set up a frame buffer. That
 * frame buffer is not used here, but its size is the largest that the board
 * supports.
 */
static int ask_board(struct pl111 *pl111)
{
	struct clcd_fb *board = &pl111->board;
	int ret = board->board->setup(board);

	if (ret)
		return ret;
	pl111->max_frame = board->fb.fix.smem_len;
	dev_info(&board->dev->dev, "maximum frame size %zu bytes\n",
		 pl111->max_frame);
	board->board->remove(board);
	return 0;
}

static int get_hardware(struct pl111 *pl111, struct amba_device *adev)
{
	struct clcd_fb *board = &pl111->board;
	int ret;

	board->dev = adev;
	board->board = adev->dev.platform_data;
	ret = ask_board(pl111);
	if (ret)
		return ret;

	board->clk = clk_get(&adev->dev, NULL);
	if (IS_ERR(board->clk))
		return PTR_ERR(board->clk);

	board->regs = ioremap(adev->res.start, resource_size(&adev->res));
	if (!board->regs) {
		clk_put(board->clk);
		return -ENOMEM;
	}

	/* One segment, of any size and without boundaries */
	adev->dev.dma_parms = &pl111->dma_parms;
	dma_set_max_seg_size(&adev->dev, UINT_MAX);
	dma_set_seg_boundary(&adev->dev, ULONG_MAX);
	dma_set_max_seg_count(&adev->dev, 1);
	return 0;
}

static void put_hardware(struct pl111 *pl111)
{
	pl111->board.dev->dev.dma_parms = NULL;
	iounmap(pl111->board.regs);
	clk_put(pl111->board.clk);
}

static int pl111_load(struct drm_device *dev, unsigned long flags)
{
	struct pl111 *pl111 = kzalloc(sizeof(*pl111), GFP_KERNEL);
	int ret;

	if (!pl111)
		return -ENOMEM;
	pl111->dev = dev;
	dev->dev_private = pl111;

	ret = get_hardware(pl111, to_amba_device(dev->dev));
	if (ret)
		goto free;
	pl111_scanout_init(pl111);

	ret = drm_vblank_init(dev, 1);
	if (ret)
		goto put_hardware;
	/* No client of this driver needs counts while vblanks are disabled. */
	dev->vblank_disable_allowed = 1;

	ret = drm_irq_install(dev);
	if (ret)
		goto cleanup_vblank;

	ret = pl111_kms_init(pl111);
	if (!ret) {
		if (use_fbdev)
			pl111_add_fbdev(pl111);
		return 0;
	}

	drm_mode_config_cleanup(dev);
	drm_irq_uninstall(dev);
cleanup_vblank:
	drm_vblank_cleanup(dev);
put_hardware:
	put_hardware(pl111);
free:
	dev->dev_private = NULL;
	kfree(pl111);
	return ret;
}

/* Remove /dev/fb0. Called with drm_global_mutex held, as lastclose() is. */
static void remove_fbdev(struct pl111 *pl111)
{
	drm_fbdev_cma_fini(pl111->fbdev);
	pl111->fbdev = NULL;
}

/* Release the hardware, but keep the state of the DRM device. */
static void let_go(struct drm_device *dev)
{
	struct pl111 *pl111 = dev->dev_private;

	drm_sysfs_connector_remove(&pl111->connector);

	mutex_lock(&dev->mode_config.mutex);
	pl111_stop(pl111);
	pl111->gone = true;
	mutex_unlock(&dev->mode_config.mutex);

	pl111_scanout_end(pl111);
	drm_irq_uninstall(dev);
	put_hardware(pl111);
}

/*
 * Called after the last reference to the device was dropped. The hardware has
 * been released already, unless the registration of the device failed after
 * load().
 */
static int pl111_unload(struct drm_device *dev)
{
	struct pl111 *pl111 = dev->dev_private;

	remove_fbdev(pl111);
	if (!pl111->gone)
		let_go(dev);
	drm_vblank_cleanup(dev);
	drm_mode_config_cleanup(dev);
	kfree(pl111);
	return 0;
}

static void pl111_preclose(struct drm_device *dev, struct drm_file *file_priv)
{
	pl111_forget_events(dev->dev_private, file_priv);
}

static void pl111_lastclose(struct drm_device *dev)
{
	struct pl111 *pl111 = dev->dev_private;

	drm_fbdev_cma_restore_mode(pl111->fbdev);
}

static struct drm_driver pl111_driver = {
	.driver_features = DRIVER_MODESET | DRIVER_GEM | DRIVER_PRIME |
			   DRIVER_HAVE_IRQ | DRIVER_MONOTONIC,
	.load		= pl111_load,
	.unload		= pl111_unload,
	.preclose	= pl111_preclose,
	.lastclose	= pl111_lastclose,
	.irq_handler	= pl111_irq,
	.get_vblank_counter = drm_vblank_count,
	.enable_vblank	= pl111_enable_vblank,
	.disable_vblank	= pl111_disable_vblank,
	DRM_GEM_CMA_DRIVER_OPS,
	.name		= "pl111",
	.desc		= "ARM PrimeCell PL111",
	.date		= "20111024",
	.major		= 1,
	.fops = {
		.owner		= THIS_MODULE,
		.open		= drm_open,
		.release	= drm_release,
		.unlocked_ioctl	= drm_ioctl,
		.mmap		= drm_gem_cma_mmap,
		.poll		= drm_poll,
		.read		= drm_read,
		.fasync		= drm_fasync,
		.llseek		= no_llseek,
	},
};

static int pl111_probe(struct amba_device *adev, const struct amba_id *id)
{
	int ret;

	if (!adev->dev.platform_data)
		return -EINVAL;
	ret = amba_request_regions(adev, NULL);
	if (ret)
		return ret;

	ret = drm_get_amba_dev(adev, &pl111_driver);
	if (ret)
		amba_release_regions(adev);
	return ret;
}

static int pl111_remove(struct amba_device *adev)
{
	struct drm_device *dev = amba_get_drvdata(adev);

	mutex_lock(&drm_global_mutex);
	remove_fbdev(dev->dev_private);
	mutex_unlock(&drm_global_mutex);
	let_go(dev);
	amba_release_regions(adev);
	amba_set_drvdata(adev, NULL);

	drm_unplug_dev(dev);
	return 0;
}

static const struct amba_id pl111_ids[] = {
	{ .id = 0x00041111, .mask = 0x000fffff },
	{ }
};

static struct amba_driver pl111_amba_driver = {
	.drv.name	= "pl111",
	.probe		= pl111_probe,
	.remove		= pl111_remove,
	.id_table	= pl111_ids,
};

static int __init pl111_init(void)
{
	return amba_driver_register(&pl111_amba_driver);
}
module_init(pl111_init);

static void __exit pl111_exit(void)
{
	amba_driver_unregister(&pl111_amba_driver);
	drm_flush_unplugged(&pl111_driver);
}
module_exit(pl111_exit);

MODULE_DESCRIPTION("ARM PrimeCell PL111 display controller");
MODULE_LICENSE("GPL");
