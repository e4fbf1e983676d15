// SPDX-License-Identifier: GPL-2.0
/*
 * Show the console as a panic does, without a panic: write anything to
 * /sys/module/cma_panic/parameters/now
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>

#include <drm/drmP.h>
#include <drm/drm_crtc.h>
#include <drm/drm_fb_helper.h>

static int now_set(const char *text, const struct kernel_param *param)
{
	preempt_disable();
	oops_in_progress++;
	drm_fb_helper_restore();
	oops_in_progress--;
	preempt_enable();
	return 0;
}

static const struct kernel_param_ops now_ops = {
	.set = now_set,
};
module_param_cb(now, &now_ops, NULL, 0200);
MODULE_PARM_DESC(now, "Written to: show the console");

MODULE_DESCRIPTION("What a panic does with the display, for tests");
MODULE_LICENSE("GPL");
