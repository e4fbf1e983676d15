// SPDX-License-Identifier: GPL-2.0
/*
 * Times of events, and events of flips
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/time.h>
#include <linux/wait.h>
#include "drmP.h"

/* Constant, because programs ask for the clock only once. */
static bool timestamp_monotonic = true;
module_param(timestamp_monotonic, bool, 0444);
MODULE_PARM_DESC(timestamp_monotonic,
		 "Use CLOCK_MONOTONIC for time stamps (default: Y)");

/**
 * drm_is_monotonic() - check which clock the time stamps have
 * @dev: device
 *
 * Context: any.
 * Return: true if they are of CLOCK_MONOTONIC, false for CLOCK_REALTIME.
 */
bool drm_is_monotonic(struct drm_device *dev)
{
	return timestamp_monotonic &&
	       drm_core_check_feature(dev, DRIVER_MONOTONIC);
}

/**
 * drm_event_time() - get the current time for a time stamp
 * @dev: device
 * @time: set to the time
 *
 * The clock is CLOCK_MONOTONIC for drivers with DRIVER_MONOTONIC, unless
 * drm.timestamp_monotonic=0 is on the command line. Otherwise it is
 * CLOCK_REALTIME, which drivers may compare these times with.
 *
 * Context: any.
 */
void drm_event_time(struct drm_device *dev, struct timeval *time)
{
	if (drm_is_monotonic(dev))
		*time = ktime_to_timeval(ktime_get());
	else
		do_gettimeofday(time);
}
EXPORT_SYMBOL_GPL(drm_event_time);

/**
 * drm_send_vblank_event() - send the event of a flip
 * @dev: device
 * @pipe: index of the CRTC, to take count and time from its last vblank; or -1
 * @e: event, which the file that it was created for owns afterwards
 *
 * Context: any; dev->event_lock is held.
 */
void drm_send_vblank_event(struct drm_device *dev, int pipe,
			   struct drm_pending_vblank_event *e)
{
	struct timeval time;

	if (pipe >= 0) {
		e->event.sequence = drm_vblank_count_and_time(dev, pipe, &time);
	} else {
		e->event.sequence = 0;
		drm_event_time(dev, &time);
	}
	e->event.tv_sec = time.tv_sec;
	e->event.tv_usec = time.tv_usec;
	list_add_tail(&e->base.link, &e->base.file_priv->event_list);
	wake_up_interruptible(&e->base.file_priv->event_wait);
}
EXPORT_SYMBOL_GPL(drm_send_vblank_event);
