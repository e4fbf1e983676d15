/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Later kernels define EXPORT_SYMBOL() here instead of in module.h.
 */
#ifndef _LINUX_EXPORT_H
#define _LINUX_EXPORT_H

#include <linux/module.h>

#endif /* _LINUX_EXPORT_H */
