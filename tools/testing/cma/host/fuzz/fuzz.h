/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <strings.h>

/* Called by libFuzzer (under another name, see fuzz), or by driver.c */
int fuzz_one_input(const uint8_t *data, size_t size);

#endif
