// SPDX-License-Identifier: GPL-2.0
/*
 * The end of the list of tests of cma_iommutest. Objects that two modules share are
 * linked in the order of the first one, so that this cannot be end.o.
 */
#include "end.c"
