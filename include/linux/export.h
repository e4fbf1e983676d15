/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Later kernels keep EXPORT_SYMBOL() here, apart from the rest of module.h.
 */
#ifndef _LINUX_EXPORT_H
#define _LINUX_EXPORT_H

#include <linux/module.h>

#endif /* _LINUX_EXPORT_H */
