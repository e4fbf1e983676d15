/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernels differ that mm/contig.c is for.
 */
#ifndef __MM_CONTIG_COMPAT_H
#define __MM_CONTIG_COMPAT_H

#include <linux/writeback.h>
#include <trace/events/writeback.h>

/* Kernels that trace the reason of writeback want to be given one */
#ifdef WB_WORK_REASON
#define wakeup_flushers() \
	wakeup_flusher_threads(0, WB_REASON_TRY_TO_FREE_PAGES)
#else
#define wakeup_flushers()	wakeup_flusher_threads(0)
#endif

#endif /* __MM_CONTIG_COMPAT_H */
