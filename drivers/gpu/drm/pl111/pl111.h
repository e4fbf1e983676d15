/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ARM PrimeCell PL111: display controller
 */
#ifndef _PL111_H_
#define _PL111_H_

#include <linux/amba/bus.h>
#include <linux/amba/clcd.h>
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "drmP.h"
#include "drm_crtc.h"
#include "drm_fb_cma_helper.h"
#include "drm_gem_cma_helper.h"

/* Interrupts, in CLCD_PL111_IENB, _RIS, _MIS and _ICR */
#define PL111_IRQ_LNBU		BIT(2)	/* the base address was latched */
#define PL111_IRQ_VCOMP		BIT(3)	/* the point set by CNTL_LCDVCOMP() was reached */
#define PL111_IRQ_ALL		(BIT(1) | BIT(2) | BIT(3) | BIT(4))

/**
 * struct pl111 - a display controller
 * @board: argument of the board's functions; this driver also uses its dev, clk
 *	and regs
 * @dev: DRM device; constant
 * @crtc: the only CRTC
 * @encoder: encoder of the only output
 * @connector: connector of the only output
 * @fbdev: fbdev emulation, or NULL; drm_global_mutex
 * @dma_parms: DMA parameters of the device, which needs contiguous buffers
 * @max_frame: maximum size of a frame on this board, in bytes; constant
 * @plane_formats: formats that the board supports; constant
 * @regs: register values of the current mode; mode_config.mutex
 * @gone: true after the hardware was released; mode_config.mutex
 * @lock: guards the members that refer to it; innermost
 * @on: true while the hardware is on; changes with mode_config.mutex held, too;
 *	@lock
 * @has_irq: true if vblanks come from the interrupt, false if from @timer;
 *	@lock
 * @ticking: true while vblanks are enabled; @lock
 * @period: period of @timer; @lock
 * @timer: source of vblanks if @has_irq is false
 * @flipping: true from the time a new frame is programmed until the hardware
 *	shows it; dev->event_lock
 * @event: event to send when the flip is complete, or NULL; dev->event_lock
 * @shown: memory of the newest frame, with a reference, or NULL;
 *	dev->event_lock
 * @retired: memory of the previous frame, with a reference, or NULL;
 *	dev->event_lock
 * @flipped: wait queue for the end of @flipping
 * @retire: work that drops @retired
 */
struct pl111 {
	struct clcd_fb board;
	struct drm_device *dev;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;
	struct drm_fbdev_cma *fbdev;
	struct device_dma_parameters dma_parms;
	size_t max_frame;
	u32 plane_formats[3];

	struct clcd_regs regs;
	bool gone;

	spinlock_t lock;		/* on, has_irq, ticking, period */
	bool on;
	bool has_irq;
	bool ticking;
	ktime_t period;
	struct hrtimer timer;

	bool flipping;
	struct drm_pending_vblank_event *event;
	struct drm_gem_object *shown;
	struct drm_gem_object *retired;
	wait_queue_head_t flipped;
	struct work_struct retire;
};

/* Scan-out: pl111_scanout.c */
void pl111_scanout_init(struct pl111 *pl111);
void pl111_scanout_end(struct pl111 *pl111);
void pl111_start(struct pl111 *pl111);
void pl111_stop(struct pl111 *pl111);
int pl111_show(struct pl111 *pl111, struct drm_framebuffer *fb, int y,
	       struct drm_pending_vblank_event *event);
void pl111_wait_for_flip(struct pl111 *pl111);
void pl111_show_nothing(struct pl111 *pl111);
void pl111_forget_events(struct pl111 *pl111, struct drm_file *file_priv);
int pl111_enable_vblank(struct drm_device *dev, int crtc);
void pl111_disable_vblank(struct drm_device *dev, int crtc);
irqreturn_t pl111_irq(int irq, void *arg);

/* Mode setting: pl111_kms.c */
int pl111_kms_init(struct pl111 *pl111);
void pl111_add_fbdev(struct pl111 *pl111);

#endif
