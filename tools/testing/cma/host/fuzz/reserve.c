// SPDX-License-Identifier: GPL-2.0
/*
 * Try any "cma=" on any machine: it gives one message, and no area or a valid one.
 * Input: 4 bytes for the machine, then the argument.
 */
#include "stubs.h"
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include "cma.h"
#include "fuzz.h"

#define MIB	0x100000ULL

static void make_machine(const uint8_t *data)
{
	u64 base = (u64)(data[0] % 14) << 28;
	unsigned int i;

	host_memory(base, (1 + data[1] % 8) * 8 * MIB);
	if (data[1] & 0x40)
		host_memory(base + 0x10000000, (1 + data[2] % 16) * 16 * MIB);
	for (i = 0; i < (data[3] & 3); i++)
		host_reserve(base + i * 12 * MIB + data[i] * 0x1100, 1 + data[3] * 0x900ULL);
	memblock.current_limit = base + data[2] * 2 * MIB;
}

/* For accepted arguments only, which are well-formed */
static u64 number(const char *s, char **end)
{
	u64 val = strtoull(s, end, !strncasecmp(s, "0x", 2) ? 16 : 10);

	switch (**end) {
	case 'g': case 'G':
		val <<= 10;
		fallthrough;
	case 'm': case 'M':
		val <<= 10;
		fallthrough;
	case 'k': case 'K':
		val <<= 10;
		(*end)++;
	}
	return val;
}

static void check_request(const char *arg, u64 base, u64 size, u64 limit)
{
	u64 lowmem = memblock.current_limit;
	char *end;
	u64 val = number(arg, &end), first;

	if (*end == '%') {
		val = memblock_phys_mem_size() * val / 100;
		end++;
	}
	REQUIRE(val && size >= val && size - val < CMA_MIN_ALIGNMENT_BYTES);
	if (*end != '@') {
		REQUIRE(base + size <= (limit ? limit : lowmem));
		return;
	}
	first = number(end + 1, &end);
	REQUIRE(base >= first);
	REQUIRE(*end != '-' || base + size <= number(end + 1, &end));
}

static void check_area(struct cma *cma, unsigned int nr_reserved, u64 limit)
{
	u64 base = cma_get_base(cma), size = cma_get_size(cma), lowmem = memblock.current_limit;
	bool in_memory = false;
	unsigned int i;

	REQUIRE(size && IS_ALIGNED(base | size, CMA_MIN_ALIGNMENT_BYTES));
	REQUIRE(base >= lowmem || base + size <= lowmem);
	REQUIRE(base >= limit || base + size <= limit);
	for (i = 0; i < host.nr_memory; i++)
		in_memory |= base >= host.memory[i].base &&
			     base + size <= host.memory[i].base + host.memory[i].size;
	REQUIRE(in_memory);
	for (i = 0; i < nr_reserved; i++)
		REQUIRE(base >= host.reserved[i].base + host.reserved[i].size ||
			base + size <= host.reserved[i].base);
	REQUIRE_EQ(host.reserved[nr_reserved].base, base);
	REQUIRE_EQ(host.reserved[nr_reserved].size, size);
	REQUIRE_EQ(host.fixup.base, base);
	REQUIRE_EQ(host.fixup.size, size);
}

int fuzz_one_input(const uint8_t *data, size_t size)
{
	unsigned int nr_reserved;
	char arg[128] = "";
	struct cma *cma;
	u64 limit;

	if (size < 4)
		return 0;
	host_reset();
	dma_contiguous_default_area = NULL;
	make_machine(data);
	nr_reserved = host.nr_reserved;
	limit = data[3] & 4 ? host.memory[0].base + data[3] * MIB : 0;
	memcpy(arg, data + 4, min_t(size_t, size - 4, sizeof(arg) - 1));
	REQUIRE_EQ(host_early_cma(arg), 0);
	dma_contiguous_reserve(limit);

	cma = dma_contiguous_default_area;
	REQUIRE(!strncmp(host.log, "cma: ", 5));
	/* The message may quote an argument that has a newline */
	REQUIRE(strchr(arg, '\n') || strchr(host.log, '\n') == host.log + strlen(host.log) - 1);
	REQUIRE(strstr(arg, "(null)") || !strstr(host.log, "(null)"));
	REQUIRE_EQ(!strncmp(host.log, "cma: reserved ", 14), !!cma);
	REQUIRE_EQ(!strncmp(host.log, "cma: cma=", 9) || !strncmp(host.log, "cma: no area", 12),
		   !cma);
	REQUIRE_EQ(cma_area_count, !!cma);
	REQUIRE_EQ(host.nr_reserved, nr_reserved + !!cma);
	REQUIRE_EQ(host.nr_fixups, !!cma);
	if (cma) {
		check_area(cma, nr_reserved, limit);
		check_request(arg, cma_get_base(cma), cma_get_size(cma), limit);
	}
	host_check_locks();
	return 0;
}
