/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of memory, caches, write buffers and TLBs of two CPUs, and of a device
 *
 * The kernel's code runs once, and what it asks of the hardware is recorded with
 * cache_add(). What it does never depends on the contents of a buffer, so that the
 * record is the whole program. cache_explore() then looks at one or two lines of the
 * buffer and visits every state that they can reach while the program runs and the
 * hardware does, between any two steps, whatever the architecture allows:
 *
 *  - A CPU that may have a cached translation of the page fetches the line, at any
 *    time: into its L1, and into the L2 on the way. The L2 also prefetches it.
 *  - Lines are dropped; lines that are dirty are written back, with or without being
 *    dropped, into the L2 or past it.
 *  - A table walk finds the entry that was in memory before, until a CPU cleaned the
 *    line of the table and waited for it. A TLB keeps what was found at any time until
 *    it is flushed. An access uses any of the translations that its CPU may have. If
 *    these are a section and a page, the result is not predictable.
 *  - Stores to uncached memory wait in the buffer of the CPU, then in that of the L2.
 *  - An uncached load may hit a line that a cache should not have, as in a PL310, which
 *    looks up shared uncached loads. An uncached store may miss it.
 *
 * A line has two halves with values of their own, so that a buffer can end in it.
 */
#ifndef HOST_CACHE_H
#define HOST_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define CACHE_CPUS	2
#define CACHE_LINE	32U

/* Where a page can be mapped */
enum cache_alias {
	CACHE_LINEAR, CACHE_SLOT0, CACHE_SLOT1, CACHE_PKMAP, CACHE_LAZY, CACHE_BUFFER,
	CACHE_USER,
	CACHE_ALIASES
};

/* Sets of what a translation can be */
enum { CACHE_NONE = 1, CACHE_CACHED = 2, CACHE_UNCACHED = 4, CACHE_SECTION = 8 };

/* Values; what was in memory before is 1 */
enum { CACHE_ZERO, CACHE_OLD, CACHE_DEV, CACHE_CPU };

enum cache_type {
	CACHE_PTE_STORE,	/* arg: attribute */
	CACHE_PTE_CLEAN,	/* of the line of the table; completed by CACHE_DSB */
	CACHE_TLB_FLUSH,
	CACHE_DSB, CACHE_OUTER_SYNC,
	CACHE_L1_CLEAN, CACHE_L1_INV, CACHE_L1_FLUSH,
	CACHE_L2_CLEAN, CACHE_L2_INV, CACHE_L2_FLUSH,
	CACHE_CPU_WRITE, CACHE_CPU_READ, CACHE_DEV_WRITE, CACHE_DEV_READ,	/* arg: value */
	CACHE_HANDOVER,		/* arg: the only attributes that any CPU may have */
};

/* A step of the program, for bytes [start, end) of physical memory */
struct cache_op {
	enum cache_type type;
	unsigned int cpu, arg;
	enum cache_alias alias;
	uint64_t start, end;
};

/* ARM11MPCore: no speculation, and maintenance reaches the caches of one CPU only */
extern bool cache_is_mpcore;
/* Are attributes checked (CACHE_HANDOVER), or data? */
extern bool cache_check_attributes;
extern unsigned long cache_nr_states, cache_nr_explored;

void cache_reset(void);
/* What all CPUs may have in their TLBs, and what the tables contain, before the program */
void cache_map(enum cache_alias alias, uint64_t start, uint64_t end, unsigned int walk,
	       unsigned int tlb);
void cache_add(enum cache_type type, unsigned int cpu, enum cache_alias alias, uint64_t start,
	       uint64_t end, unsigned int arg);
/* Visit all states of these lines; NULL, or what went wrong (printed with the way to it) */
const char *cache_explore(const uint64_t *lines, unsigned int nr_lines);

#endif
