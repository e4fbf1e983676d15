// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at a range of page frames before it is emptied.
 *
 * Nothing here takes a lock or a reference, so the answer can be wrong as soon
 * as it is given.  That does no harm: it decides which range is tried, and
 * empty_contig_range() looks again at every page.
 */
#include <linux/bitops.h>
#include <linux/contig.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include "internal.h"

/* Flags that a clean page without users beside its mapping lacks */
#define USED_CACHE_FLAGS	(BIT(PG_swapbacked) | BIT(PG_dirty) | \
				 BIT(PG_active) | BIT(PG_unevictable))

/**
 * contig_page_is_unused_cache() - check whether a page had better be dropped
 * @page: page on an LRU list, or isolated from one
 *
 * Reading the page again costs an access to a disk, but only if somebody wants
 * it.  Page cache that was not used since it was read is the first that reclaim
 * would drop.  The first use marks a page as referenced, the second as active.
 *
 * Context: any.  The answer is exact only while the page is locked.
 * Return: true for clean page cache that nothing maps or has used again.
 */
bool contig_page_is_unused_cache(struct page *page)
{
	return !(READ_ONCE(page->flags) & USED_CACHE_FLAGS) &&
	       page->mapping && !PageAnon(page) && !page_mapped(page);
}

/*
 * Does a dirty page have to be written before it can be migrated?  Inodes are
 * freed after a grace period, so the mapping of a page that is still in it may
 * be looked at.
 */
static bool must_be_written(struct page *page)
{
	const struct address_space_operations *ops;
	struct address_space *mapping;
	bool written = false;

	if (PageAnon(page) || PageSwapBacked(page))
		return false;

	rcu_read_lock();
	mapping = READ_ONCE(page->mapping);
	if (mapping) {
		ops = READ_ONCE(mapping->a_ops);
		if (PageLRU(page) && READ_ONCE(page->mapping) == mapping)
			written = !migrates_dirty_pages(ops);
	}
	rcu_read_unlock();

	return written;
}

/**
 * contig_page_extra_refs() - count the references that nothing accounts for
 * @page: page that is not part of a compound page
 *
 * Context: any.
 * Return: number of references other than those of mappings, of the page cache or
 * the swap cache, and of buffer heads.  It may have changed already, and is too
 * high while somebody maps or unmaps the page.
 */
int contig_page_extra_refs(struct page *page)
{
	int refs = page_count(page);

	refs -= page_mapcount(page) + page_has_private(page);
	if (PageAnon(page) ? PageSwapCache(page) : !!page->mapping)
		refs--;
	return refs;
}

/**
 * contig_page_kind() - look at what stands in the way of taking a page
 * @page: page
 *
 * Context: any.
 * Return: the kind of the page, which may have changed already.
 */
enum contig_kind contig_page_kind(struct page *page)
{
	unsigned long flags = READ_ONCE(page->flags);

	if (flags & (BIT(PG_reserved) | BIT(PG_slab)))
		return CONTIG_FIXED;
	if (PageCompound(page))
		return PageLRU(compound_head(page)) ? CONTIG_MOVE : CONTIG_FIXED;
	if (!page_count(page))
		return CONTIG_FREE;
	if (__PageMovable(page))
		return CONTIG_MOVE;
	if (!(flags & BIT(PG_lru)))
		return page->mapping ? CONTIG_HELD : CONTIG_FIXED;

	if (contig_page_extra_refs(page) > 0)
		return CONTIG_HELD;
	if (flags & (BIT(PG_locked) | BIT(PG_writeback)))
		return CONTIG_IO;
	if (flags & BIT(PG_dirty))
		return must_be_written(page) ? CONTIG_IO : CONTIG_MOVE;
	return contig_page_is_unused_cache(page) ? CONTIG_DROP : CONTIG_MOVE;
}

/* Return the kind of a page, and in @next the page behind it or its free block */
static enum contig_kind look_at_page(unsigned long pfn, unsigned long end,
				     unsigned long *next)
{
	struct page *page = pfn_to_page(pfn);

	*next = pfn + 1;
	if (PageBuddy(page)) {
		unsigned long order = buddy_order_unsafe(page);

		/* It may have been allocated since */
		if (order < MAX_ORDER)
			*next = min(end, pfn + (1UL << order));
		return CONTIG_FREE;
	}

	return contig_page_kind(page);
}

/**
 * first_contig_page() - find the first page that is as hard to take as a kind
 * @start: first page frame number of the range
 * @end: page frame number after the last page; the whole range must be valid
 *	memory of one zone
 * @kind: kind, other than CONTIG_FREE
 *
 * Context: any.  Takes no locks.
 * Return: the first page of this kind or of one behind it in &enum contig_kind,
 * or @end.
 */
unsigned long first_contig_page(unsigned long start, unsigned long end,
				enum contig_kind kind)
{
	unsigned long next;

	while (start < end && look_at_page(start, end, &next) < kind)
		start = next;

	return start;
}

/**
 * scan_contig_range() - look at what stands in the way of taking a range
 * @start: first page frame number
 * @end: page frame number after the last page; the whole range must be valid
 *	memory of one zone
 * @scan: set to what was found
 *
 * Context: process context.  Takes no locks.
 */
void scan_contig_range(unsigned long start, unsigned long end,
		       struct contig_scan *scan)
{
	unsigned long pfn, next;

	memset(scan, 0, sizeof(*scan));

	for (pfn = start; pfn < end; pfn = next) {
		enum contig_kind kind = look_at_page(pfn, end, &next);

		scan->nr[kind] += next - pfn;
		if (kind == CONTIG_IO)
			scan->last_io = pfn;
		else if (kind >= CONTIG_HELD)
			scan->last_held = pfn;
	}
}
