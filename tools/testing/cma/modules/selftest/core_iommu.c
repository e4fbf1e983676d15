// SPDX-License-Identifier: GPL-2.0
/*
 * Run the tests of devices behind an IOMMU, in the same way as the other ones
 */
#include "core.c"
