/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who pinned the pages of contiguous memory areas, with CONFIG_CMA_DEBUG_PINS.
 * The hooks for mm and fs are in page-contig.h.
 */
#ifndef __LINUX_CONTIG_HOLDERS_H
#define __LINUX_CONTIG_HOLDERS_H

#include <linux/sched.h>
#include <linux/types.h>

/* Of a page that is pinned several times, the first and the last pin are kept */
#define CONTIG_NR_HOLDERS	2
#define CONTIG_NR_CALLERS	8

/**
 * struct contig_holder - who took a reference to a page
 * @pid: process, in the initial namespace; 0 if nobody is recorded
 * @comm: name of the thread
 * @since: time in jiffies
 * @callers: addresses in the functions that called for the reference, from the
 *	innermost one on; the first that is 0 or ULONG_MAX ends the list
 */
struct contig_holder {
	pid_t		pid;
	char		comm[TASK_COMM_LEN];
	unsigned long	since;
	unsigned long	callers[CONTIG_NR_CALLERS];
};

/**
 * struct contig_pin - why a page cannot be moved
 * @nr_refs: references that nothing accounts for
 * @nr_holders: number of elements of @holders that are set
 * @holders: those who took references, the first one first
 */
struct contig_pin {
	int			nr_refs;
	unsigned int		nr_holders;
	struct contig_holder	holders[CONTIG_NR_HOLDERS];
};

int contig_track_pins(unsigned long base_pfn, unsigned long count);
bool contig_page_pin(unsigned long pfn, struct contig_pin *pin);

#endif /* __LINUX_CONTIG_HOLDERS_H */
