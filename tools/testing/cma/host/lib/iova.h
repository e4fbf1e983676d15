/* SPDX-License-Identifier: GPL-2.0 */
/* What arch/arm/mm/dma-iova.c uses besides stubs.h, and its test */
#ifndef HOST_IOVA_H
#define HOST_IOVA_H

#include "stubs.h"

/* Faithful: arithmetic, error pointers, bits */
#ifndef IS_ERR
#define ERR_PTR(error)	((void *)(long)(error))
#define IS_ERR(ptr)	((unsigned long)(ptr) >= -4095UL)
#define PTR_ERR(ptr)	((long)(ptr))
#endif
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define test_bit(bit, map)	((map)[BIT_WORD(bit)] >> (bit) % BITS_PER_LONG & 1)

/* Simplified: a flag that has no effect */
#ifndef __GFP_NOWARN
#define __GFP_NOWARN	0x200U
#endif

/* Called in each basic block of the file */
void __sanitizer_cov_trace_pc(void);

#endif
