/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which operations of the outer cache are called
 *
 * The emulator has no caches, but a test can see that each operation is for the
 * right bytes. Each file that includes this has a record of its own.
 */
#ifndef SELFTEST_OUTER_H
#define SELFTEST_OUTER_H

#include <linux/spinlock.h>

#include <asm/outercache.h>

#define ST_MAX_OPS	64

/* An operation of the outer cache: 'c'lean, 'i'nvalidate, 'f'lush, 'a'll */
struct st_op {
	char what;
	unsigned long start, end;	/* physical addresses */
};

static struct {
	spinlock_t lock;		/* ops, count */
	struct st_op ops[ST_MAX_OPS];
	unsigned int count;
	struct outer_cache_fns real;
} st_outer = { .lock = __SPIN_LOCK_UNLOCKED(st_outer.lock) };

static inline void st_outer_add(char what, unsigned long start, unsigned long end)
{
	unsigned long flags;

	spin_lock_irqsave(&st_outer.lock, flags);
	if (st_outer.count < ST_MAX_OPS)
		st_outer.ops[st_outer.count] = (struct st_op){ what, start, end };
	st_outer.count++;
	spin_unlock_irqrestore(&st_outer.lock, flags);
}

static inline void st_outer_inv(unsigned long start, unsigned long end)
{
	st_outer_add('i', start, end);
	st_outer.real.inv_range(start, end);
}

static inline void st_outer_clean(unsigned long start, unsigned long end)
{
	st_outer_add('c', start, end);
	st_outer.real.clean_range(start, end);
}

static inline void st_outer_flush(unsigned long start, unsigned long end)
{
	st_outer_add('f', start, end);
	st_outer.real.flush_range(start, end);
}

static inline void st_outer_flush_all(void)
{
	st_outer_add('a', 0, ~0UL);
	st_outer.real.flush_all();
}

static inline void st_outer_inv_all(void)
{
	st_outer_add('a', 0, ~0UL);
	st_outer.real.inv_all();
}

/* Start to record the calls. */
static inline void st_outer_begin(void)
{
	st_outer.count = 0;
	st_outer.real = outer_cache;
	outer_cache.inv_range = st_outer_inv;
	outer_cache.clean_range = st_outer_clean;
	outer_cache.flush_range = st_outer_flush;
	outer_cache.flush_all = st_outer_flush_all;
	outer_cache.inv_all = st_outer_inv_all;
}

static inline void st_outer_end(void)
{
	outer_cache = st_outer.real;
}

#endif
