/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kinds of calls of which a process makes random ones
 *
 * The program defines struct state, whose member seed is unsigned int and not 0,
 * before it includes this.
 */
#ifndef GUEST_KINDS_H
#define GUEST_KINDS_H

#include <stdbool.h>

/* A kind of call; it needs no entry in a list. */
struct kind {
	const char *name;
	bool (*call)(struct state *s);	/* did it work? */
	unsigned int number;
	struct kind *next;
};

static struct kind *first_kind;
static unsigned int nr_kinds;

#define KIND(name_)							\
	static bool name_##_call(struct state *s);			\
	static struct kind name_##_kind = {				\
		.name = #name_, .call = name_##_call,			\
	};								\
	static void __attribute__((constructor)) name_##_add(void)	\
	{								\
		name_##_kind.next = first_kind;				\
		name_##_kind.number = nr_kinds++;			\
		first_kind = &name_##_kind;				\
	}								\
	static bool name_##_call(struct state *s)

static inline unsigned int pick(struct state *s, unsigned int below)
{
	/* xorshift: rand_r() of all libraries is not the same */
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 17;
	s->seed ^= s->seed << 5;
	return below ? s->seed % below : s->seed;
}

#endif
