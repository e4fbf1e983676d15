/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <strings.h>

/* Called by driver.c, or by libFuzzer (under its own name, see fuzz/fuzz) */
int fuzz_one_input(const uint8_t *data, size_t size);

#endif
