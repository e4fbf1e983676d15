// SPDX-License-Identifier: GPL-2.0
/*
 * Who pinned the pages of contiguous memory areas.
 *
 * Whoever takes a reference with get_user_pages(), or puts a page into a pipe, is
 * recorded if the page is in an area.  Nobody tells when a reference is dropped,
 * so a record means something only while the page has more references than its
 * users account for.  It is cleared when the page is allocated again.
 */
#include <linux/contig.h>
#include <linux/contig-holders.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/page-contig.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

/* At most save_stack_trace_tsk(), save_stack_trace() and contig_record_pin() */
#define OWN_CALLERS	3

/* The records of an area, or of the part of it that can have movable pages */
struct pin_records {
	struct list_head	list;
	unsigned long		base_pfn;
	unsigned long		count;
	struct contig_holder	holders[][CONTIG_NR_HOLDERS];	/* of each page */
};

/* Elements are added at boot and never removed */
static LIST_HEAD(all_records);

/*
 * All records; innermost lock, taken with interrupts off.  A caller that records
 * something has a reference to the page.
 */
static DEFINE_SPINLOCK(records_lock);

/* Return the records of a page, or NULL if it is in no area */
static struct contig_holder *holders_of(unsigned long pfn)
{
	struct pin_records *records;

	list_for_each_entry_rcu(records, &all_records, list)
		if (pfn - records->base_pfn < records->count)
			return records->holders[pfn - records->base_pfn];

	return NULL;
}

/**
 * contig_track_pins() - begin to record who pins the pages of an area
 * @base_pfn: first page frame number
 * @count: number of pages
 *
 * Context: process context, during boot, one call at a time.  May sleep.
 * Return: 0, or -ENOMEM.
 */
int __init contig_track_pins(unsigned long base_pfn, unsigned long count)
{
	struct pin_records *records;

	records = vzalloc(sizeof(*records) + count * sizeof(*records->holders));
	if (!records)
		return -ENOMEM;

	records->base_pfn = base_pfn;
	records->count = count;
	list_add_tail_rcu(&records->list, &all_records);
	return 0;
}

/**
 * contig_record_pin() - record that the current process has pinned a page
 * @page: page to which the caller has just taken a reference
 *
 * Does nothing for a page that is in no area.  If the page had no other pin, those
 * that were recorded before are over.
 *
 * Context: process context, without locks of page reclaim.  Does not sleep.
 */
noinline void contig_record_pin(struct page *page)
{
	unsigned long callers[OWN_CALLERS + CONTIG_NR_CALLERS] = { 0 };
	struct contig_holder holder, *holders = holders_of(page_to_pfn(page));
	struct stack_trace trace = {
		.entries	= callers,
		.max_entries	= ARRAY_SIZE(callers),
	};
	unsigned int first = OWN_CALLERS;
	unsigned long flags;

	if (!holders)
		return;

	memset(&holder, 0, sizeof(holder));
	holder.pid = current->tgid;
	strlcpy(holder.comm, current->comm, sizeof(holder.comm));
	holder.since = jiffies;
	save_stack_trace(&trace);
	/* How many callers are our own depends on tail calls */
	while (first && callers[first] != _RET_IP_)
		first--;
	memcpy(holder.callers, callers + first, sizeof(holder.callers));
	/* A pagevec that the page has just been put into is no pin */
	if (holders->pid)
		lru_add_drain();

	spin_lock_irqsave(&records_lock, flags);
	if (contig_page_extra_refs(page) <= 1)
		memset(holders, 0, CONTIG_NR_HOLDERS * sizeof(*holders));
	holders[holders[0].pid ? CONTIG_NR_HOLDERS - 1 : 0] = holder;
	spin_unlock_irqrestore(&records_lock, flags);
}

/**
 * contig_forget_pins() - forget who had pinned pages that are being allocated
 * @page: first page, to which nobody has a reference
 * @order: number of pages, as an order
 *
 * Context: any.
 */
void contig_forget_pins(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + (1UL << order);
	struct contig_holder *holders;
	unsigned long flags;

	for (; pfn < end; pfn++) {
		holders = holders_of(pfn);
		if (!holders || !holders->pid)
			continue;
		spin_lock_irqsave(&records_lock, flags);
		memset(holders, 0, CONTIG_NR_HOLDERS * sizeof(*holders));
		spin_unlock_irqrestore(&records_lock, flags);
	}
}

/**
 * contig_page_pin() - find out whether and by whom a page is pinned
 * @pfn: page frame number
 * @pin: set to what is known
 *
 * The records are right as far as pins are recorded: of more than two at a time,
 * those between the first and the last one are not.  If there are fewer references
 * than records, one of those has ended.
 *
 * Context: process context.  Does not sleep.
 * Return: true if references to the page are in the way of moving it.
 */
bool contig_page_pin(unsigned long pfn, struct contig_pin *pin)
{
	struct contig_holder *holders = holders_of(pfn);
	struct page *page = pfn_to_page(pfn);
	enum contig_kind kind;
	unsigned long flags;

	memset(pin, 0, sizeof(*pin));
	/* In this order, a record is never older than the references */
	kind = contig_page_kind(page);
	pin->nr_refs = contig_page_extra_refs(page);
	spin_lock_irqsave(&records_lock, flags);
	if (holders)
		memcpy(pin->holders, holders, sizeof(pin->holders));
	spin_unlock_irqrestore(&records_lock, flags);

	while (pin->nr_holders < CONTIG_NR_HOLDERS &&
	       pin->holders[pin->nr_holders].pid)
		pin->nr_holders++;
	/* A page that has lost its file while it was pinned can look fixed */
	return kind == CONTIG_HELD || (kind == CONTIG_FIXED && pin->nr_holders);
}
