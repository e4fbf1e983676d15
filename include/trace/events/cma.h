/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cma

#if !defined(_TRACE_CMA_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CMA_H

#include <linux/contig.h>
#include <linux/types.h>
#include <linux/tracepoint.h>

struct page;

TRACE_EVENT(cma_release,

	TP_PROTO(const char *name, unsigned long pfn, const struct page *page,
		 unsigned long count),

	TP_ARGS(name, pfn, page, count),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(const struct page *, page)
		__field(unsigned long, count)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->pfn = pfn;
		__entry->page = page;
		__entry->count = count;
	),

	TP_printk("name=%s pfn=0x%lx page=%p count=%lu",
		  __get_str(name), __entry->pfn, __entry->page,
		  __entry->count)
);

TRACE_EVENT(cma_alloc_start,

	TP_PROTO(const char *name, unsigned long count, unsigned int align),

	TP_ARGS(name, count, align),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, count)
		__field(unsigned int, align)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->count = count;
		__entry->align = align;
	),

	TP_printk("name=%s count=%lu align=%u",
		  __get_str(name), __entry->count, __entry->align)
);

TRACE_EVENT(cma_alloc_finish,

	TP_PROTO(const char *name, unsigned long pfn, const struct page *page,
		 unsigned long count, unsigned int align, int errorno),

	TP_ARGS(name, pfn, page, count, align, errorno),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(const struct page *, page)
		__field(unsigned long, count)
		__field(unsigned int, align)
		__field(int, errorno)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->pfn = pfn;
		__entry->page = page;
		__entry->count = count;
		__entry->align = align;
		__entry->errorno = errorno;
	),

	TP_printk("name=%s pfn=0x%lx page=%p count=%lu align=%u errorno=%d",
		  __get_str(name), __entry->pfn, __entry->page,
		  __entry->count, __entry->align, __entry->errorno)
);

TRACE_EVENT(cma_alloc_busy_retry,

	TP_PROTO(const char *name, unsigned long pfn, const struct page *page,
		 unsigned long count, unsigned int align),

	TP_ARGS(name, pfn, page, count, align),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(const struct page *, page)
		__field(unsigned long, count)
		__field(unsigned int, align)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->pfn = pfn;
		__entry->page = page;
		__entry->count = count;
		__entry->align = align;
	),

	TP_printk("name=%s pfn=0x%lx page=%p count=%lu align=%u",
		  __get_str(name), __entry->pfn, __entry->page,
		  __entry->count, __entry->align)
);

/* The phases of an allocation that has to empty a range */

TRACE_EVENT(cma_scan,

	TP_PROTO(const char *name, unsigned long pfn, unsigned long count,
		 const unsigned long *nr),

	TP_ARGS(name, pfn, count, nr),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__array(unsigned long, nr, NR_CONTIG_KINDS)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->pfn = pfn;
		__entry->count = count;
		memcpy(__entry->nr, nr, sizeof(__entry->nr));
	),

	TP_printk("name=%s pfn=0x%lx count=%lu free=%lu drop=%lu move=%lu io=%lu held=%lu fixed=%lu",
		  __get_str(name), __entry->pfn, __entry->count,
		  __entry->nr[CONTIG_FREE], __entry->nr[CONTIG_DROP],
		  __entry->nr[CONTIG_MOVE], __entry->nr[CONTIG_IO],
		  __entry->nr[CONTIG_HELD], __entry->nr[CONTIG_FIXED])
);

TRACE_EVENT(cma_empty_start,

	TP_PROTO(const char *name, unsigned long pfn, unsigned long count,
		 bool may_wait),

	TP_ARGS(name, pfn, count, may_wait),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(int, may_wait)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->pfn = pfn;
		__entry->count = count;
		__entry->may_wait = may_wait;
	),

	TP_printk("name=%s pfn=0x%lx count=%lu may_wait=%d",
		  __get_str(name), __entry->pfn, __entry->count,
		  __entry->may_wait)
);

TRACE_EVENT(cma_empty_finish,

	TP_PROTO(const char *name, unsigned long pfn, unsigned long count,
		 unsigned long nr_moved, unsigned long nr_dropped, int errorno),

	TP_ARGS(name, pfn, count, nr_moved, nr_dropped, errorno),

	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(unsigned long, nr_moved)
		__field(unsigned long, nr_dropped)
		__field(int, errorno)
	),

	TP_fast_assign(
		__assign_str(name, name);
		__entry->pfn = pfn;
		__entry->count = count;
		__entry->nr_moved = nr_moved;
		__entry->nr_dropped = nr_dropped;
		__entry->errorno = errorno;
	),

	TP_printk("name=%s pfn=0x%lx count=%lu moved=%lu dropped=%lu errorno=%d",
		  __get_str(name), __entry->pfn, __entry->count,
		  __entry->nr_moved, __entry->nr_dropped, __entry->errorno)
);

/* What an architecture does with the pages: mapping and clearing them */

DECLARE_EVENT_CLASS(cma_pages,

	TP_PROTO(unsigned long pfn, unsigned long nr_pages),

	TP_ARGS(pfn, nr_pages),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, nr_pages)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->nr_pages = nr_pages;
	),

	TP_printk("pfn=0x%lx nr_pages=%lu", __entry->pfn, __entry->nr_pages)
);

DEFINE_EVENT(cma_pages, cma_map,

	TP_PROTO(unsigned long pfn, unsigned long nr_pages),

	TP_ARGS(pfn, nr_pages)
);

DEFINE_EVENT(cma_pages, cma_clear,

	TP_PROTO(unsigned long pfn, unsigned long nr_pages),

	TP_ARGS(pfn, nr_pages)
);

#endif /* _TRACE_CMA_H */

#include <trace/define_trace.h>
