// SPDX-License-Identifier: GPL-2.0
/*
 * PL111: scan-out, page flips and vertical blanking
 *
 * The controller latches the base address when it starts to read a frame, and
 * then sets LNBU. Once per frame, at the start of the vertical back porch, it
 * sets VCOMP. A new address may be written at any time. The flip is complete,
 * and the previous frame may be freed, at the first VCOMP after the LNBU that
 * follows.
 *
 * The model of QEMU, at least up to 7.2, implements neither. The driver tests
 * for both when it switches on the controller. Without them, a timer with the
 * period of the mode replaces VCOMP, and a flip is complete when the timer
 * expires next. The timer also serves processes that still wait for a vblank
 * when the controller is switched off.
 *
 * Lock order: mode_config.mutex, dev->vbl_lock, dev->vblank_time_lock,
 * dev->event_lock, pl111->lock.
 */
#include <linux/clk.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include "pl111.h"

/* Delay between signals and power, as in amba-clcd.c */
#define PL111_POWER_MS		20
/* Longer than any flip, which takes one frame */
#define PL111_FLIP_TIMEOUT	(HZ / 2)

/* A panic shows the console again, when nothing may sleep. */
static void wait_ms(unsigned int ms)
{
	if (oops_in_progress)
		mdelay(ms);
	else
		msleep(ms);
}

static void reg_write(struct pl111 *pl111, u32 value, unsigned int reg)
{
	writel(value, pl111->board.regs + reg);
}

static u32 reg_read(struct pl111 *pl111, unsigned int reg)
{
	return readl(pl111->board.regs + reg);
}

/*
 * Flips
 */

/* Complete the pending flip, if any. Called with dev->event_lock held. */
static void flip_done(struct pl111 *pl111)
{
	if (!pl111->flipping)
		return;

	if (pl111->event)
		drm_send_vblank_event(pl111->dev, 0, pl111->event);
	pl111->event = NULL;
	pl111->flipping = false;
	drm_vblank_put(pl111->dev, 0);
	wake_up(&pl111->flipped);
	schedule_work(&pl111->retire);
}

static void retire(struct work_struct *work)
{
	struct pl111 *pl111 = container_of(work, struct pl111, retire);
	struct drm_gem_object *retired = NULL;

	spin_lock_irq(&pl111->dev->event_lock);
	if (!pl111->flipping)
		swap(retired, pl111->retired);
	spin_unlock_irq(&pl111->dev->event_lock);

	drm_gem_object_unreference_unlocked(retired);
}

/**
 * pl111_show() - show a frame
 * @pl111: display controller
 * @fb: framebuffer, which fits the mode and its format
 * @y: first line of @fb to show
 * @event: event to send when the frame is on the display, or NULL
 *
 * If the controller is off, it starts with this frame when it is switched on.
 *
 * Context: process context, may sleep; mode_config.mutex is held. Or a panic,
 * without @event.
 * Return: 0, -EBUSY if the previous flip is not complete, -ENODEV if the
 * hardware was removed, or the error of drm_vblank_get().
 */
int pl111_show(struct pl111 *pl111, struct drm_framebuffer *fb, int y,
	       struct drm_pending_vblank_event *event)
{
	struct drm_gem_cma_object *cma_obj = drm_fb_cma_get_gem_obj(fb, 0);
	u32 base = cma_obj->paddr + y * fb->pitch;
	struct drm_device *dev = pl111->dev;
	struct drm_gem_object *retired;
	int ret;

	if (pl111->gone)
		return -ENODEV;
	/*
	 * A panic shows the console, when a pending flip does not complete and
	 * no lock may be taken. A client that sets a frame during an oops gets
	 * here, too: DRM switches off before the frame is freed.
	 */
	if (oops_in_progress && !event) {
		reg_write(pl111, base, CLCD_UBAS);
		return 0;
	}
	if (pl111->on) {
		ret = drm_vblank_get(dev, 0);
		if (ret)
			return ret;
	}

	spin_lock_irq(&dev->event_lock);
	if (pl111->flipping) {
		spin_unlock_irq(&dev->event_lock);
		drm_vblank_put(dev, 0);
		return -EBUSY;
	}

	retired = pl111->retired;
	pl111->retired = pl111->shown;
	pl111->shown = &cma_obj->base;
	drm_gem_object_reference(pl111->shown);

	pl111->event = event;
	pl111->flipping = pl111->on;
	reg_write(pl111, base, CLCD_UBAS);
	/*
	 * If the address was latched between the two writes, the flip completes
	 * a frame late, but never too early.
	 */
	reg_write(pl111, PL111_IRQ_LNBU, CLCD_PL111_ICR);
	spin_unlock_irq(&dev->event_lock);

	drm_gem_object_unreference_unlocked(retired);
	if (!pl111->on)
		schedule_work(&pl111->retire);
	return 0;
}

/**
 * pl111_wait_for_flip() - wait until the pending flip is complete
 * @pl111: display controller
 *
 * Context: process context, may sleep; mode_config.mutex is held.
 */
void pl111_wait_for_flip(struct pl111 *pl111)
{
	if (!oops_in_progress)
		wait_event_timeout(pl111->flipped, !pl111->flipping,
				   PL111_FLIP_TIMEOUT);
}

/**
 * pl111_show_nothing() - switch off and drop the references to all frames
 * @pl111: display controller
 *
 * Context: process context, may sleep; mode_config.mutex is held.
 */
void pl111_show_nothing(struct pl111 *pl111)
{
	struct drm_gem_object *shown = NULL, *retired = NULL;

	pl111_stop(pl111);

	spin_lock_irq(&pl111->dev->event_lock);
	swap(shown, pl111->shown);
	swap(retired, pl111->retired);
	spin_unlock_irq(&pl111->dev->event_lock);

	drm_gem_object_unreference_unlocked(retired);
	drm_gem_object_unreference_unlocked(shown);
}

/**
 * pl111_forget_events() - drop the pending event of a file that is closed
 * @pl111: display controller
 * @file_priv: open file
 *
 * Context: process context.
 */
void pl111_forget_events(struct pl111 *pl111, struct drm_file *file_priv)
{
	struct drm_pending_vblank_event *event;

	spin_lock_irq(&pl111->dev->event_lock);
	event = pl111->event;
	if (event && event->base.file_priv == file_priv) {
		pl111->event = NULL;
		event->base.destroy(&event->base);
	}
	spin_unlock_irq(&pl111->dev->event_lock);
}

/*
 * Vertical blanking
 */

/**
 * pl111_irq() - handle the interrupt of the controller
 * @irq: interrupt number
 * @arg: DRM device
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED, or IRQ_NONE if the controller did not raise the
 * interrupt.
 */
irqreturn_t pl111_irq(int irq, void *arg)
{
	struct drm_device *dev = arg;
	struct pl111 *pl111 = dev->dev_private;

	if (!reg_read(pl111, CLCD_PL111_MIS))
		return IRQ_NONE;
	reg_write(pl111, PL111_IRQ_VCOMP, CLCD_PL111_ICR);
	drm_handle_vblank(dev, 0);

	spin_lock(&dev->event_lock);
	if (reg_read(pl111, CLCD_PL111_RIS) & PL111_IRQ_LNBU)
		flip_done(pl111);
	spin_unlock(&dev->event_lock);
	return IRQ_HANDLED;
}

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	struct pl111 *pl111 = container_of(timer, struct pl111, timer);
	struct drm_device *dev = pl111->dev;
	unsigned long flags;
	bool ticking;

	/* Not by HRTIMER_RESTART: choose_clock() may have restarted it. */
	spin_lock_irqsave(&pl111->lock, flags);
	ticking = pl111->ticking && !pl111->has_irq;
	if (ticking) {
		hrtimer_forward_now(timer, pl111->period);
		hrtimer_start_expires(timer, HRTIMER_MODE_ABS);
	}
	spin_unlock_irqrestore(&pl111->lock, flags);
	if (!ticking)
		return HRTIMER_NORESTART;

	drm_handle_vblank(dev, 0);
	spin_lock_irqsave(&dev->event_lock, flags);
	flip_done(pl111);
	spin_unlock_irqrestore(&dev->event_lock, flags);
	return HRTIMER_NORESTART;
}

/* Enable the interrupt, the timer or neither. Called with pl111->lock held. */
static void choose_clock(struct pl111 *pl111)
{
	bool irq = pl111->ticking && pl111->has_irq;

	reg_write(pl111, PL111_IRQ_VCOMP, CLCD_PL111_ICR);
	reg_write(pl111, irq ? PL111_IRQ_VCOMP : 0, CLCD_PL111_IENB);
	if (pl111->ticking && !irq)
		hrtimer_start(&pl111->timer, pl111->period, HRTIMER_MODE_REL);
	else	/* if it is running, it will see that it is not needed */
		hrtimer_try_to_cancel(&pl111->timer);
}

/**
 * pl111_enable_vblank() - implement enable_vblank()
 * @dev: DRM device
 * @crtc: 0
 *
 * Context: any; dev->vbl_lock is held.
 * Return: 0, or -EINVAL while the controller is off.
 */
int pl111_enable_vblank(struct drm_device *dev, int crtc)
{
	struct pl111 *pl111 = dev->dev_private;
	unsigned long flags;
	int ret = -EINVAL;

	spin_lock_irqsave(&pl111->lock, flags);
	if (pl111->on) {
		pl111->ticking = true;
		choose_clock(pl111);
		ret = 0;
	}
	spin_unlock_irqrestore(&pl111->lock, flags);
	return ret;
}

/**
 * pl111_disable_vblank() - implement disable_vblank()
 * @dev: DRM device
 * @crtc: 0
 *
 * Context: any; dev->vbl_lock is held.
 */
void pl111_disable_vblank(struct drm_device *dev, int crtc)
{
	struct pl111 *pl111 = dev->dev_private;
	unsigned long flags;

	spin_lock_irqsave(&pl111->lock, flags);
	if (pl111->ticking) {
		pl111->ticking = false;
		choose_clock(pl111);
	}
	spin_unlock_irqrestore(&pl111->lock, flags);
}

/*
 * On and off
 */

/* Test for LNBU and VCOMP, which takes two frames. */
static bool has_irq(struct pl111 *pl111, unsigned int frame_ms)
{
	u32 both = PL111_IRQ_LNBU | PL111_IRQ_VCOMP;

	reg_write(pl111, PL111_IRQ_ALL, CLCD_PL111_ICR);
	wait_ms(2 * frame_ms);
	return (reg_read(pl111, CLCD_PL111_RIS) & both) == both;
}

/**
 * pl111_start() - switch on, with the current mode and frame
 * @pl111: display controller
 *
 * Context: process context, may sleep; mode_config.mutex is held.
 */
void pl111_start(struct pl111 *pl111)
{
	struct drm_display_mode *mode = &pl111->crtc.mode;
	u64 frame_ns = div_u64((u64)mode->htotal * mode->vtotal * USEC_PER_SEC,
			       mode->clock);
	u32 cntl = pl111->regs.cntl | CNTL_LCDEN;
	bool irq;

	if (pl111->on || pl111->gone)
		return;

	clk_set_rate(pl111->board.clk, mode->clock * 1000);
	clk_enable(pl111->board.clk);
	reg_write(pl111, pl111->regs.tim0, CLCD_TIM0);
	reg_write(pl111, pl111->regs.tim1, CLCD_TIM1);
	reg_write(pl111, pl111->regs.tim2, CLCD_TIM2);
	reg_write(pl111, pl111->regs.tim3, CLCD_TIM3);

	reg_write(pl111, cntl, CLCD_PL111_CNTL);
	wait_ms(PL111_POWER_MS);
	reg_write(pl111, cntl | CNTL_LCDPWR, CLCD_PL111_CNTL);
	if (pl111->board.board->enable)
		pl111->board.board->enable(&pl111->board);

	irq = has_irq(pl111, div_u64(frame_ns, NSEC_PER_MSEC) + 1);
	spin_lock_irq(&pl111->lock);
	pl111->on = true;
	pl111->has_irq = irq;
	pl111->period = ns_to_ktime(frame_ns);
	choose_clock(pl111);
	spin_unlock_irq(&pl111->lock);
}

/**
 * pl111_stop() - switch off
 * @pl111: display controller
 *
 * A pending flip is completed immediately. Processes that wait for a vblank get
 * it from the timer.
 *
 * Context: process context, may sleep; mode_config.mutex is held.
 */
void pl111_stop(struct pl111 *pl111)
{
	struct drm_device *dev = pl111->dev;
	u32 cntl;

	if (!pl111->on)
		return;

	spin_lock_irq(&pl111->lock);
	pl111->on = false;
	pl111->has_irq = false;
	choose_clock(pl111);
	spin_unlock_irq(&pl111->lock);

	if (pl111->board.board->disable)
		pl111->board.board->disable(&pl111->board);
	cntl = reg_read(pl111, CLCD_PL111_CNTL) & ~CNTL_LCDPWR;
	reg_write(pl111, cntl, CLCD_PL111_CNTL);
	wait_ms(PL111_POWER_MS);
	reg_write(pl111, cntl & ~CNTL_LCDEN, CLCD_PL111_CNTL);
	clk_disable(pl111->board.clk);

	spin_lock_irq(&dev->event_lock);
	flip_done(pl111);
	spin_unlock_irq(&dev->event_lock);
}

/**
 * pl111_scanout_init() - initialize scan-out and switch off the controller
 * @pl111: display controller, which firmware may have switched on
 *
 * Context: process context.
 */
void pl111_scanout_init(struct pl111 *pl111)
{
	spin_lock_init(&pl111->lock);
	hrtimer_init(&pl111->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	pl111->timer.function = tick;
	init_waitqueue_head(&pl111->flipped);
	INIT_WORK(&pl111->retire, retire);
	reg_write(pl111, 0, CLCD_PL111_IENB);
	reg_write(pl111, 0, CLCD_PL111_CNTL);
}

/**
 * pl111_scanout_end() - stop the timer and the work that drops frames
 * @pl111: display controller, switched off
 *
 * Processes that wait for a vblank are woken.
 *
 * Context: process context, may sleep.
 */
void pl111_scanout_end(struct pl111 *pl111)
{
	drm_vblank_off(pl111->dev, 0);
	hrtimer_cancel(&pl111->timer);
	cancel_work_sync(&pl111->retire);
	retire(&pl111->retire);
}
