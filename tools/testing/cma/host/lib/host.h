/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of stubs.c, which models the kernel, for tests
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "test.h"

struct cma;

/* The state of a page of the model */
enum host_state {
	PAGE_HOLE,	/* no such memory */
	PAGE_RESERVED,	/* as at boot */
	PAGE_SYSTEM,	/* released to the page allocator, not as MIGRATE_CMA */
	PAGE_FREE,
	PAGE_MOVABLE,	/* in use, and movable */
	PAGE_PINNED,	/* in use, and cannot be moved */
	PAGE_OWNED,	/* taken by the area */
	PAGE_CLEAN,	/* in use, and can be dropped */
	PAGE_IO,	/* in use, and under I/O until a time, or dirty */
	PAGE_FIXED,	/* in use, and not a page that can ever be moved */
	PAGE_STUBBORN,	/* looks movable, but cannot be moved */
	PAGE_LISTED,	/* movable, and on a list of this CPU */
	PAGE_LISTED_AWAY,	/* movable, and on a list of another CPU */
};

struct page {
	enum host_state	state;
	int		zone;
	unsigned int	tries;	/* attempts to move it while it was pinned */
	unsigned int	moves;	/* out of this page */
	int		refs;	/* references that neither the area nor its owner has */
	unsigned long	until;	/* jiffies at which I/O ends; 0: not started */
	unsigned long	owner;	/* an allocation of a test */
};

struct host_region {
	unsigned long long base, size;
};

/* The machine; host_reset() clears all of it */
struct host {
	struct host_region memory[4], reserved[16];
	unsigned int	nr_memory, nr_reserved;
	unsigned long	first_pfn, nr_pages;	/* of the model */
	struct page	*pages;
	long		elsewhere;	/* pages that can be moved out; < 0: no limit */
	int		fail_kzalloc;	/* the n-th call from now on fails; 0: none */
	bool		fail_memblock_reserve;
	bool		killed;		/* a fatal signal is pending */
	unsigned int	sleeps;
	unsigned long	now, io_jiffies;	/* jiffies; I/O takes so many */
	unsigned long	clock;	/* ns that passed besides jiffies */
	unsigned long	scanned, emptied;	/* pages looked at, ranges emptied or tried */
	unsigned int	drains, drains_all, reclaims;
	unsigned long	drain_wait;	/* jiffies that draining all CPUs may take */
	void		(*on_sleep)(void);
	void		(*on_empty)(void);	/* called while a range is emptied */
	void		(*on_reclaim)(void);
	void		(*on_scan)(void);	/* called after a range was scanned */
	void		(*on_block)(void);	/* called after a pageblock became free */
	struct host_region fixup;	/* dma_contiguous_early_fixup() */
	unsigned int	nr_fixups;
	char		log[4096];
};

extern struct host host;
extern int (*host_early_cma)(char *arg);
extern int (*host_early_cma_area)(char *arg);
extern int (*host_early_cma_dev)(char *arg);
extern int (*host_early_cma_reserve)(char *arg);
extern int (*host_core_initcall)(void);

void host_reset(void);
void host_memory(unsigned long long base, unsigned long long size);
void host_reserve(unsigned long long base, unsigned long long size);
void host_pages(unsigned long first_pfn, unsigned long nr_pages);
void host_set(unsigned long pfn, unsigned long nr_pages, enum host_state state);
unsigned long host_nr(enum host_state state);
void host_count(const char *event);
unsigned long host_events(const char *event);
void host_atomic(bool on);
void host_check_area(struct cma *cma);
void host_check_locks(void);
__noreturn __printf(1, 2) void host_fail(const char *fmt, ...);

#endif
