// SPDX-License-Identifier: GPL-2.0
/*
 * Lose memory, so that a boot can show that kmemleak finds what is lost: write a
 * number of objects to /sys/module/cma_leak/parameters/lose
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#define CMA_LEAK_SIZE	40	/* bytes of an object */

static int lose_set(const char *text, const struct kernel_param *param)
{
	unsigned int count;
	int ret = kstrtouint(text, 0, &count);

	/*
	 * Cleared: a free object holds the address of the next one, and if a stale
	 * pointer to the first lay on some stack, kmemleak would find none.
	 */
	while (!ret && count--)
		ret = kzalloc(CMA_LEAK_SIZE, GFP_KERNEL) ? 0 : -ENOMEM;
	return ret;
}

static const struct kernel_param_ops lose_ops = {
	.set = lose_set,
};
module_param_cb(lose, &lose_ops, NULL, 0200);
MODULE_PARM_DESC(lose, "Written to: number of objects to lose");

MODULE_DESCRIPTION("Lost memory, for tests");
MODULE_LICENSE("GPL");
