// SPDX-License-Identifier: GPL-2.0
/*
 * PL111: mode setting, with one CRTC, one encoder and one connector
 *
 * The controller reads a frame contiguously: each line starts where the
 * previous one ends. The board and its panel determine the formats, modes and
 * frame sizes, and the values of the registers, by the functions that they
 * provide for the fbdev driver.
 */
#include <linux/err.h>
#include <linux/fb.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include "pl111.h"
#include "drm_crtc_helper.h"
#include "drm_fourcc.h"

/**
 * struct pl111_format - a pixel format, with red in the highest bits
 * @bpp: bits per pixel
 * @depth: color depth in bits, which identifies the format in DRM
 * @green: bits of green, which identify the format in fbdev
 * @cap: capability that panel and board need
 * @fourcc: name of the format in DRM_IOCTL_MODE_ADDFB2
 */
struct pl111_format {
	unsigned int bpp;
	unsigned int depth;
	unsigned int green;
	u32 cap;
	u32 fourcc;
};

static const struct pl111_format formats[] = {
	{ .bpp = 16, .depth = 15, .green = 5, .cap = CLCD_CAP_BGR5551,
	  .fourcc = DRM_FORMAT_XRGB1555 },
	{ .bpp = 16, .depth = 16, .green = 6, .cap = CLCD_CAP_BGR565,
	  .fourcc = DRM_FORMAT_RGB565 },
	{ .bpp = 32, .depth = 24, .green = 8, .cap = CLCD_CAP_BGR888,
	  .fourcc = DRM_FORMAT_XRGB8888 },
};

/* Return the capabilities of board and panel, with the defaults of fbdev. */
static u32 board_caps(const struct clcd_fb *board)
{
	u32 caps = board->panel->cntl & CNTL_BGR ? CLCD_CAP_BGR : CLCD_CAP_RGB;

	if (board->panel->caps && board->board->caps)
		caps = board->panel->caps & board->board->caps;
	if (!(board->panel->cntl & CNTL_LCDTFT))
		caps &= ~CLCD_CAP_888;
	return caps;
}

static const struct pl111_format *find_format(struct pl111 *pl111,
					      unsigned int bpp,
					      unsigned int depth)
{
	u32 caps = board_caps(&pl111->board);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].bpp == bpp && formats[i].depth == depth &&
		    formats[i].cap & caps)
			return &formats[i];
	return NULL;
}

/* Tell programs which formats they can show. */
static int add_plane(struct pl111 *pl111)
{
	unsigned int i, count = 0;

	BUILD_BUG_ON(ARRAY_SIZE(pl111->plane_formats) != ARRAY_SIZE(formats));
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (find_format(pl111, formats[i].bpp, formats[i].depth))
			pl111->plane_formats[count++] = formats[i].fourcc;
	return drm_crtc_add_primary_plane(&pl111->crtc, pl111->plane_formats,
					  count);
}

static size_t frame_size(const struct drm_display_mode *mode, unsigned int bpp)
{
	return mode->hdisplay * mode->vdisplay * bpp / BITS_PER_BYTE;
}

/* Convert a mode and a format for fbdev. */
static void fill_var(struct fb_var_screeninfo *var,
		     const struct drm_display_mode *mode,
		     const struct pl111_format *format)
{
	memset(var, 0, sizeof(*var));
	var->xres = mode->hdisplay;
	var->yres = mode->vdisplay;
	var->xres_virtual = mode->hdisplay;
	var->yres_virtual = mode->vdisplay;
	var->bits_per_pixel = format->bpp;
	var->green.length = format->green;
	var->red.offset = format->depth - format->depth / 3;
	var->pixclock = KHZ2PICOS(mode->clock);
	var->right_margin = mode->hsync_start - mode->hdisplay;
	var->hsync_len = mode->hsync_end - mode->hsync_start;
	var->left_margin = mode->htotal - mode->hsync_end;
	var->lower_margin = mode->vsync_start - mode->vdisplay;
	var->vsync_len = mode->vsync_end - mode->vsync_start;
	var->upper_margin = mode->vtotal - mode->vsync_end;
	if (mode->flags & DRM_MODE_FLAG_PHSYNC)
		var->sync |= FB_SYNC_HOR_HIGH_ACT;
	if (mode->flags & DRM_MODE_FLAG_PVSYNC)
		var->sync |= FB_SYNC_VERT_HIGH_ACT;
}

/* Convert the preferred mode of a panel for DRM. */
static void fill_mode(struct drm_display_mode *mode,
		      const struct fb_videomode *panel)
{
	mode->type = DRM_MODE_TYPE_DRIVER | DRM_MODE_TYPE_PREFERRED;
	mode->clock = PICOS2KHZ(panel->pixclock);
	mode->hdisplay = panel->xres;
	mode->hsync_start = mode->hdisplay + panel->right_margin;
	mode->hsync_end = mode->hsync_start + panel->hsync_len;
	mode->htotal = mode->hsync_end + panel->left_margin;
	mode->vdisplay = panel->yres;
	mode->vsync_start = mode->vdisplay + panel->lower_margin;
	mode->vsync_end = mode->vsync_start + panel->vsync_len;
	mode->vtotal = mode->vsync_end + panel->upper_margin;
	mode->flags |= panel->sync & FB_SYNC_HOR_HIGH_ACT ?
		       DRM_MODE_FLAG_PHSYNC : DRM_MODE_FLAG_NHSYNC;
	mode->flags |= panel->sync & FB_SYNC_VERT_HIGH_ACT ?
		       DRM_MODE_FLAG_PVSYNC : DRM_MODE_FLAG_NVSYNC;
	drm_mode_set_name(mode);
}

static bool is_between(int value, int min, int max)
{
	return value >= min && value <= max;
}

/*
 * No display shows others. A shorter frame would also keep a CPU in the timer
 * that replaces the interrupt, and pl111_start() sleeps for two frames.
 */
#define MIN_FRAMES_PER_SECOND	10
#define MAX_FRAMES_PER_SECOND	240

/* Check the rate of a mode whose clock and totals are within the limits. */
static bool rate_is_sane(const struct drm_display_mode *mode)
{
	int pixels = mode->htotal * mode->vtotal;

	return is_between(mode->clock * 1000, MIN_FRAMES_PER_SECOND * pixels,
			  MAX_FRAMES_PER_SECOND * pixels);
}

/* Check a mode, perhaps from user space, against the limits of the registers. */
static bool controller_takes(const struct drm_display_mode *mode)
{
	return is_between(mode->clock, 1000, 100000) &&
	       is_between(mode->hdisplay, 16, 1024) &&
	       mode->hdisplay % 16 == 0 &&
	       is_between(mode->hsync_start - mode->hdisplay, 1, 256) &&
	       is_between(mode->hsync_end - mode->hsync_start, 1, 256) &&
	       is_between(mode->htotal - mode->hsync_end, 1, 256) &&
	       is_between(mode->vdisplay, 1, 1024) &&
	       is_between(mode->vsync_start - mode->vdisplay, 0, 255) &&
	       is_between(mode->vsync_end - mode->vsync_start, 1, 64) &&
	       is_between(mode->vtotal - mode->vsync_end, 0, 255) &&
	       rate_is_sane(mode) &&
	       !(mode->flags & (DRM_MODE_FLAG_INTERLACE | DRM_MODE_FLAG_DBLSCAN));
}

static bool board_takes(struct pl111 *pl111,
			const struct drm_display_mode *mode,
			const struct pl111_format *format)
{
	struct clcd_fb *board = &pl111->board;
	struct fb_var_screeninfo var;

	if (!controller_takes(mode) ||
	    frame_size(mode, format->bpp) > pl111->max_frame)
		return false;
	fill_var(&var, mode, format);
	if (board->board->check && board->board->check(board, &var))
		return false;
	return var.xres == mode->hdisplay && var.yres == mode->vdisplay;
}

/*
 * Framebuffers
 */

static struct drm_framebuffer *fb_create(struct drm_device *dev,
					 struct drm_file *file_priv,
					 struct drm_mode_fb_cmd *cmd)
{
	if (!find_format(dev->dev_private, cmd->bpp, cmd->depth))
		return ERR_PTR(-EINVAL);
	return drm_fb_cma_create(dev, file_priv, cmd);
}

static struct drm_mode_config_funcs mode_config_funcs = {
	.fb_create	= fb_create,
};

/*
 * CRTC
 */

static struct pl111 *crtc_to_pl111(struct drm_crtc *crtc)
{
	return container_of(crtc, struct pl111, crtc);
}

/* Check that a frame has the lines of the mode. Only lines may be left over. */
static bool frame_fits(const struct drm_framebuffer *fb,
		       const struct drm_display_mode *mode, int x, int y)
{
	return fb->width == mode->hdisplay && !x &&
	       fb->pitch == fb->width * fb->bits_per_pixel / BITS_PER_BYTE &&
	       fb->height >= mode->vdisplay &&
	       y <= fb->height - mode->vdisplay;
}

static void crtc_dpms(struct drm_crtc *crtc, int mode)
{
	struct pl111 *pl111 = crtc_to_pl111(crtc);

	if (mode == DRM_MODE_DPMS_ON && pl111->shown)
		pl111_start(pl111);
	else
		pl111_stop(pl111);
}

static void crtc_prepare(struct drm_crtc *crtc)
{
	pl111_stop(crtc_to_pl111(crtc));
}

static void crtc_commit(struct drm_crtc *crtc)
{
	pl111_start(crtc_to_pl111(crtc));
}

static void crtc_disable(struct drm_crtc *crtc)
{
	pl111_show_nothing(crtc_to_pl111(crtc));
}

/* Refuse modes here, before anything is switched off. */
static bool crtc_mode_fixup(struct drm_crtc *crtc,
			    struct drm_display_mode *mode,
			    struct drm_display_mode *adjusted_mode)
{
	struct pl111 *pl111 = crtc_to_pl111(crtc);
	const struct pl111_format *format;

	format = find_format(pl111, crtc->fb->bits_per_pixel, crtc->fb->depth);
	return !pl111->gone && format && board_takes(pl111, mode, format) &&
	       frame_fits(crtc->fb, mode, crtc->x, crtc->y);
}

static int crtc_mode_set(struct drm_crtc *crtc, struct drm_display_mode *mode,
			 struct drm_display_mode *adjusted_mode, int x, int y,
			 struct drm_framebuffer *old_fb)
{
	struct pl111 *pl111 = crtc_to_pl111(crtc);
	struct clcd_fb *board = &pl111->board;

	fill_var(&board->fb.var, mode,
		 find_format(pl111, crtc->fb->bits_per_pixel, crtc->fb->depth));
	board->board->decode(board, &pl111->regs);
	return pl111_show(pl111, crtc->fb, y, NULL);
}

static int crtc_mode_set_base(struct drm_crtc *crtc, int x, int y,
			      struct drm_framebuffer *old_fb)
{
	struct pl111 *pl111 = crtc_to_pl111(crtc);
	int ret;

	if (!frame_fits(crtc->fb, &crtc->mode, x, y))
		return -EINVAL;

	pl111_wait_for_flip(pl111);
	ret = pl111_show(pl111, crtc->fb, y, NULL);
	/* Programs do not expect that the first flip afterwards is EBUSY. */
	if (!ret)
		pl111_wait_for_flip(pl111);
	return ret;
}

static int crtc_page_flip(struct drm_crtc *crtc, struct drm_framebuffer *fb,
			  struct drm_pending_vblank_event *event)
{
	struct pl111 *pl111 = crtc_to_pl111(crtc);
	int ret;

	if (fb->depth != crtc->fb->depth ||
	    !frame_fits(fb, &crtc->mode, crtc->x, crtc->y))
		return -EINVAL;
	if (!pl111->on)
		return -EBUSY;

	ret = pl111_show(pl111, fb, crtc->y, event);
	if (!ret)
		crtc->fb = fb;
	return ret;
}

static const struct drm_crtc_helper_funcs crtc_helper_funcs = {
	.dpms		= crtc_dpms,
	.prepare	= crtc_prepare,
	.commit		= crtc_commit,
	.disable	= crtc_disable,
	.mode_fixup	= crtc_mode_fixup,
	.mode_set	= crtc_mode_set,
	.mode_set_base	= crtc_mode_set_base,
};

static const struct drm_crtc_funcs crtc_funcs = {
	.set_config	= drm_crtc_helper_set_config,
	.page_flip	= crtc_page_flip,
	.destroy	= drm_crtc_cleanup,
};

/*
 * Encoder, which has no settings
 */

static void encoder_dpms(struct drm_encoder *encoder, int mode)
{
}

static bool encoder_mode_fixup(struct drm_encoder *encoder,
			       struct drm_display_mode *mode,
			       struct drm_display_mode *adjusted_mode)
{
	return true;
}

static void encoder_nothing(struct drm_encoder *encoder)
{
}

static void encoder_mode_set(struct drm_encoder *encoder,
			     struct drm_display_mode *mode,
			     struct drm_display_mode *adjusted_mode)
{
}

static const struct drm_encoder_helper_funcs encoder_helper_funcs = {
	.dpms		= encoder_dpms,
	.mode_fixup	= encoder_mode_fixup,
	.prepare	= encoder_nothing,
	.commit		= encoder_nothing,
	.mode_set	= encoder_mode_set,
};

static const struct drm_encoder_funcs encoder_funcs = {
	.destroy	= drm_encoder_cleanup,
};

/*
 * Connector of a panel, or of a display that accepts the modes of a panel
 */

static struct pl111 *connector_to_pl111(struct drm_connector *connector)
{
	return container_of(connector, struct pl111, connector);
}

static enum drm_connector_status connector_detect(struct drm_connector *c,
						  bool force)
{
	return connector_status_connected;
}

static int connector_get_modes(struct drm_connector *connector)
{
	struct clcd_panel *panel = connector_to_pl111(connector)->board.panel;
	struct drm_display_mode *mode = drm_mode_create(connector->dev);

	if (!mode)
		return 0;
	fill_mode(mode, &panel->mode);
	drm_mode_probed_add(connector, mode);
	if (panel->fixedtimings)
		return 1;
	return 1 + drm_add_modes_noedid(connector, panel->mode.xres,
					panel->mode.yres);
}

static int connector_mode_valid(struct drm_connector *connector,
				struct drm_display_mode *mode)
{
	return board_takes(connector_to_pl111(connector), mode, &formats[0]) ?
	       MODE_OK : MODE_BAD;
}

static struct drm_encoder *
connector_best_encoder(struct drm_connector *connector)
{
	return &connector_to_pl111(connector)->encoder;
}

static const struct drm_connector_helper_funcs connector_helper_funcs = {
	.get_modes	= connector_get_modes,
	.mode_valid	= connector_mode_valid,
	.best_encoder	= connector_best_encoder,
};

static const struct drm_connector_funcs connector_funcs = {
	.dpms		= drm_helper_connector_dpms,
	.detect		= connector_detect,
	.fill_modes	= drm_helper_probe_single_connector_modes,
	.destroy	= drm_connector_cleanup,
};

/**
 * pl111_kms_init() - create the CRTC, encoder and connector
 * @pl111: display controller, with board and panel set
 *
 * This is undone by drm_sysfs_connector_remove() and drm_mode_config_cleanup().
 *
 * Context: process context, may sleep.
 * Return: 0, or the error of drm_crtc_add_primary_plane() or
 * drm_sysfs_connector_add().
 */
int pl111_kms_init(struct pl111 *pl111)
{
	struct drm_device *dev = pl111->dev;
	struct drm_display_mode mode = { };
	int ret;

	/* The board's check() compares modes with this for fixed timings. */
	fill_mode(&mode, &pl111->board.panel->mode);
	fill_var(&pl111->board.fb.var, &mode, &formats[0]);

	drm_mode_config_init(dev);
	dev->mode_config.min_width = 1;
	dev->mode_config.min_height = 1;
	dev->mode_config.max_width = 4096;
	dev->mode_config.max_height = 4096;
	dev->mode_config.preferred_depth = find_format(pl111, 32, 24) ? 24 : 16;
	dev->mode_config.prefer_shadow = 1;	/* reading is not cached */
	dev->mode_config.funcs = &mode_config_funcs;

	drm_crtc_init(dev, &pl111->crtc, &crtc_funcs);
	drm_crtc_helper_add(&pl111->crtc, &crtc_helper_funcs);
	ret = add_plane(pl111);
	if (ret)
		return ret;

	drm_encoder_init(dev, &pl111->encoder, &encoder_funcs,
			 DRM_MODE_ENCODER_TMDS);
	drm_encoder_helper_add(&pl111->encoder, &encoder_helper_funcs);
	pl111->encoder.possible_crtcs = BIT(0);

	drm_connector_init(dev, &pl111->connector, &connector_funcs,
			   DRM_MODE_CONNECTOR_DVID);
	drm_connector_helper_add(&pl111->connector, &connector_helper_funcs);
	drm_mode_connector_attach_encoder(&pl111->connector, &pl111->encoder);

	return drm_sysfs_connector_add(&pl111->connector);
}

/**
 * pl111_add_fbdev() - provide /dev/fb0 and a console
 * @pl111: display controller, which pl111_kms_init() succeeded for
 *
 * A failure is reported only, because DRM works without them.
 *
 * Context: process context, may sleep; drm_global_mutex is held.
 */
void pl111_add_fbdev(struct pl111 *pl111)
{
	const struct fb_videomode *panel = &pl111->board.panel->mode;
	struct drm_display_mode mode = { };
	struct drm_fbdev_cma *fbdev;
	unsigned int bpp = 32;

	fill_mode(&mode, panel);
	if (!find_format(pl111, 32, 24) ||
	    frame_size(&mode, 32) > pl111->max_frame)
		bpp = 16;

	fbdev = drm_fbdev_cma_init(pl111->dev, bpp, 1, 1);
	if (IS_ERR(fbdev)) {
		dev_warn(pl111->dev->dev, "no fbdev and no console: %ld\n",
			 PTR_ERR(fbdev));
		return;
	}
	pl111->fbdev = fbdev;
}
