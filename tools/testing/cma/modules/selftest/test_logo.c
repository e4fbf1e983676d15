// SPDX-License-Identifier: GPL-2.0
/*
 * The logos of the console, which are init data
 */
#include <linux/linux_logo.h>

#include "selftest.h"

#ifdef CONFIG_LOGO
CMA_SELFTEST(st_logo, "no logo is found after its memory was freed")
{
	const struct linux_logo *logo = fb_find_logo(32);

	ST_CHECK(t, !logo, "at %p", logo);
}
#endif
