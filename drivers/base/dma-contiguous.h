/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory for DMA: what the file that finds places for areas shares
 * with the one that knows which areas and devices there are.
 */
#ifndef __DRIVERS_BASE_DMA_CONTIGUOUS_H
#define __DRIVERS_BASE_DMA_CONTIGUOUS_H

#include <linux/init.h>
#include <linux/types.h>

struct cma;

/**
 * struct cma_place_request - size and place that are asked for
 * @size: bytes; percent if @is_percent
 * @base: lowest address, if @has_base
 * @end: limit of the area, exclusive, if @has_end
 * @is_auto: @size is to be set to the sum of all needs
 * @is_percent: @size is a percentage of all memory
 * @has_base: there is a base
 * @has_end: there is an end
 * @error: why parsing failed, or NULL
 * @param: name of the parameter, for messages
 * @arg: its argument, for messages
 *
 * Addresses have 64 bits even where a phys_addr_t has 32, so that values that
 * are too large are not truncated.
 */
struct cma_place_request {
	u64	size;
	u64	base;
	u64	end;
	bool	is_auto;
	bool	is_percent;
	bool	has_base;
	bool	has_end;
	const char *error;
	const char *param;
	const char *arg;
};

int __init cma_parse_number(const char **s, u64 *number);
const char *__init cma_parse_place(const char *s, struct cma_place_request *req);
bool __init cma_reserve_place(struct cma_place_request *req, const char *name,
			      struct cma **cma);

void __init cma_reserve_named(bool with_base);
void __init cma_apply_params(void);
u64 __init cma_sum_needs(bool with_margin);

#endif /* __DRIVERS_BASE_DMA_CONTIGUOUS_H */
