// SPDX-License-Identifier: GPL-2.0
/* Areas that DMA does not use, as v6.1 can have: what boards and drivers call still links. */

#include "stubs.h"
#include <linux/cma-devices.h>

TEST(board, "board code that states what devices need does not need what DMA_CMA compiles")
{
	REQUIRE_EQ(dma_contiguous_need("lcd", 1 << 20, 2), 0);
	REQUIRE_EQ(dma_declare_contiguous_exclusive(NULL, 1 << 20, 0, 0), -ENODEV);
}
