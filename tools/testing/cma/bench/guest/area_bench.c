// SPDX-License-Identifier: GPL-2.0
/*
 * Figures for the plots: what an allocation costs by the size of the area, which is the
 * kernel's parameter. layout_point() prints them.
 */
#define TAP_BEGIN layout_modules_begin
#define TAP_END layout_modules_end
#include "tap.h"
#include "guest.h"
#include "layout.h"

TEST(area, "by the size of the area: free, and then full of tmpfs")
{
	struct layout l;

	layout_start(&l, LAYOUT_TMPFS);
	layout_point("area-free", layout_pages / 256, "hold", MIB, 4);
	if (layout_made(&l, "tmpfs", layout_fill(&l)))
		layout_point("area-moved", layout_pages / 256, "hold", MIB, 4);
}
