/* SPDX-License-Identifier: GPL-2.0 */
/* What a kernel file has printed */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "test.h"

extern char host_console[4096];
void host_print(const char *fmt, ...) __printf(1, 2);

#endif
