// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory areas: allocating page ranges from an area.
 *
 * A bit set in the bitmap of an area stands for pages that are allocated to a
 * driver or claimed by an attempt in progress.  A range is first claimed in the
 * bitmap and then taken from the page allocator, with the lock dropped.  When
 * that fails, the claim is dropped and the search resumes after the page that
 * was in use, because no range that contains it can succeed.  A second bitmap
 * has only the allocated ranges, so that a release cannot free pages that are
 * merely claimed, or that the page allocator gave to another user.
 *
 * There are two ways to take a range.  A range that is entirely free is taken
 * directly, on any CPU and in any context.  Only when there is no such range, a
 * range is emptied, which can take long and is done for one range of an area at
 * a time.
 *
 * Lock order: empty_mutex, lock.  lock is never held while pages are taken,
 * moved or freed, so zone->lock does not nest inside it.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cma.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#define CREATE_TRACE_POINTS
#include <trace/events/cma.h>

#include "cma.h"

/* Ranges to try before giving up on one that is entirely free */
#define CMA_TRIALS		64
/* Searches of an area before giving up on busy pages */
#define CMA_ROUNDS		3
/* Delay between two searches, for references to busy pages to be dropped */
#define CMA_ROUND_DELAY_MS	20

struct cma cma_areas[MAX_CMA_AREAS];
unsigned int cma_area_count;

/**
 * cma_get_base() - get the start of an area
 * @cma: area
 *
 * Context: any.
 * Return: physical address of the first byte.
 */
phys_addr_t cma_get_base(const struct cma *cma)
{
	return PFN_PHYS(cma->base_pfn);
}
EXPORT_SYMBOL_GPL(cma_get_base);

/**
 * cma_get_size() - get the size of an area
 * @cma: area
 *
 * Context: any.
 * Return: size in bytes; 0 for an area that could not be activated.
 */
unsigned long cma_get_size(const struct cma *cma)
{
	return cma->count << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(cma_get_size);

/**
 * cma_get_name() - get the name of an area
 * @cma: area
 *
 * Context: any.
 * Return: the name of the area in messages, debugfs and sysfs.
 */
const char *cma_get_name(const struct cma *cma)
{
	return cma->name;
}
EXPORT_SYMBOL_GPL(cma_get_name);

/**
 * cma_walk_areas() - call a function for each area
 * @it: function to call; a return value other than 0 ends the walk
 * @data: passed to @it
 *
 * Callers use the name cma_for_each_area().
 *
 * Context: any that @it allows.
 * Return: 0, or the first value other than 0 that @it returned.
 */
int cma_walk_areas(int (*it)(struct cma *cma, void *data), void *data)
{
	unsigned int i;

	for (i = 0; i < cma_area_count; i++) {
		int ret = it(&cma_areas[i], data);

		if (ret)
			return ret;
	}

	return 0;
}
EXPORT_SYMBOL_GPL(cma_walk_areas);

/**
 * cma_used_pages() - count the pages of an area that are in use by drivers
 * @cma: area
 *
 * Context: any.  Takes @cma->lock.
 * Return: number of pages that are allocated or claimed by an attempt in
 * progress; 0 for an area that could not be activated.
 */
unsigned long cma_used_pages(struct cma *cma)
{
	unsigned long flags, bits;

	if (!cma->bitmap)
		return 0;

	spin_lock_irqsave(&cma->lock, flags);
	bits = bitmap_weight(cma->bitmap, cma_bitmap_maxno(cma));
	spin_unlock_irqrestore(&cma->lock, flags);

	return bits << cma->order_per_bit;
}

/**
 * cma_init_reserved_mem() - turn reserved memory into an area
 * @base: physical address of the first byte, a multiple of
 *	CMA_MIN_ALIGNMENT_BYTES and of PAGE_SIZE << @order_per_bit
 * @size: size in bytes, a multiple of the same, not 0
 * @order_per_bit: smallest unit of allocation, as an order of pages; 0 is one
 *	page
 * @name: name of the area; NULL for "cma1", "cma2" and so on
 * @res_cma: set to the area on success
 *
 * Allocations from the area succeed from core_initcall() on.
 *
 * Context: boot, after the memory was reserved in memblock.
 * Return: 0; -ENOSPC if there are too many areas; -EINVAL if @size is 0, or
 * @base or @size is not aligned.
 */
int __init cma_init_reserved_mem(phys_addr_t base, phys_addr_t size,
				 unsigned int order_per_bit, const char *name,
				 struct cma **res_cma)
{
	static unsigned int nr_unnamed __initdata;
	struct cma *cma = &cma_areas[cma_area_count];
	phys_addr_t align = max_t(phys_addr_t, CMA_MIN_ALIGNMENT_BYTES,
				  (phys_addr_t)PAGE_SIZE << order_per_bit);

	if (cma_area_count == ARRAY_SIZE(cma_areas))
		return -ENOSPC;
	if (!size || !IS_ALIGNED(base | size, align))
		return -EINVAL;

	cma->base_pfn = PFN_DOWN(base);
	cma->count = size >> PAGE_SHIFT;
	cma->order_per_bit = order_per_bit;
	if (name)
		strlcpy(cma->name, name, sizeof(cma->name));
	else
		snprintf(cma->name, sizeof(cma->name), "cma%u", ++nr_unnamed);
	totalcma_pages += cma->count;
	cma_area_count++;
	*res_cma = cma;
	return 0;
}

/* Return NULL, or the reason why the area cannot be used */
static const char *__init cma_check_pages(const struct cma *cma)
{
	unsigned long end = cma->base_pfn + cma->count;
	struct zone *zone = NULL;
	unsigned long pfn;

	for (pfn = cma->base_pfn; pfn < end; pfn++) {
		if (!pfn_valid(pfn))
			return "has a hole";
		if (!zone)
			zone = page_zone(pfn_to_page(pfn));
		if (zone != page_zone(pfn_to_page(pfn)))
			return "is in more than one zone";
		if (!PageReserved(pfn_to_page(pfn)))
			return "is in use";
	}

	return NULL;
}

static void __init cma_activate_area(struct cma *cma)
{
	unsigned long longs = BITS_TO_LONGS(cma_bitmap_maxno(cma));
	unsigned long end = cma->base_pfn + cma->count;
	const char *why = cma_check_pages(cma);
	unsigned long pfn;

	spin_lock_init(&cma->lock);
	mutex_init(&cma->empty_mutex);

	if (!why) {
		cma->bitmap = kzalloc(2 * longs * sizeof(long), GFP_KERNEL);
		if (cma->bitmap)
			cma->allocated = cma->bitmap + longs;
		else
			why = "has no memory for its bitmap";
	}
	if (why) {
		pr_warn("area %s: %s; memory goes back to the system\n",
			cma->name, why);
		free_reserved_contig_range(cma->base_pfn, cma->count);
		totalcma_pages -= cma->count;
		cma->count = 0;
		return;
	}

	for (pfn = cma->base_pfn; pfn < end; pfn += pageblock_nr_pages)
		init_cma_reserved_pageblock(pfn_to_page(pfn));
}

static int __init cma_init_reserved_areas(void)
{
	unsigned int i;

	for (i = 0; i < cma_area_count; i++)
		cma_activate_area(&cma_areas[i]);

	return 0;
}
core_initcall(cma_init_reserved_areas);

static unsigned long cma_bit_to_pfn(const struct cma *cma, unsigned long bit)
{
	return cma->base_pfn + (bit << cma->order_per_bit);
}

static unsigned long cma_pfn_to_bit(const struct cma *cma, unsigned long pfn)
{
	return (pfn - cma->base_pfn) >> cma->order_per_bit;
}

static unsigned long cma_pages_to_bits(const struct cma *cma,
				       unsigned long count)
{
	return ALIGN(count, 1UL << cma->order_per_bit) >> cma->order_per_bit;
}

/*
 * Find nr_bits clear bits at or after bit.  The alignment applies to physical
 * addresses, because the area itself may be less aligned than its buffers.
 */
static unsigned long cma_find(const struct cma *cma, unsigned long bit,
			      unsigned long nr_bits, unsigned int align_order)
{
	unsigned long maxno = cma_bitmap_maxno(cma);
	unsigned long align = 1UL << max(align_order, cma->order_per_bit);

	lockdep_assert_held(&cma->lock);

	while (bit < maxno) {
		unsigned long pfn, used;

		bit = find_next_zero_bit(cma->bitmap, maxno, bit);
		pfn = ALIGN(cma_bit_to_pfn(cma, bit), align);
		bit = cma_pfn_to_bit(cma, pfn);
		if (bit > maxno || nr_bits > maxno - bit)
			return maxno;

		used = find_next_bit(cma->bitmap, bit + nr_bits, bit);
		if (used >= bit + nr_bits)
			return bit;
		bit = used + 1;
	}

	return maxno;
}

/*
 * Claim the first range at or after *bit.  If there is none, fail with -EAGAIN
 * while attempts in progress may still drop their claims, else with -ENOMEM.
 */
static int cma_claim(struct cma *cma, unsigned long *bit,
		     unsigned long nr_bits, unsigned int align_order,
		     bool trial)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&cma->lock, flags);
	*bit = cma_find(cma, *bit, nr_bits, align_order);
	if (*bit < cma_bitmap_maxno(cma)) {
		bitmap_set(cma->bitmap, *bit, nr_bits);
		cma->nr_trials += trial;
	} else {
		ret = cma->nr_trials ? -EAGAIN : -ENOMEM;
	}
	spin_unlock_irqrestore(&cma->lock, flags);

	return ret;
}

/* Finish an attempt: mark the range as allocated, or drop the claim */
static void cma_end_claim(struct cma *cma, unsigned long bit,
			  unsigned long nr_bits, bool trial, bool success)
{
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	cma->nr_trials -= trial;
	if (success)
		bitmap_set(cma->allocated, bit, nr_bits);
	else
		bitmap_clear(cma->bitmap, bit, nr_bits);
	spin_unlock_irqrestore(&cma->lock, flags);
}

/* Take a range that is entirely free. Context: any. */
static struct page *cma_take_free(struct cma *cma, unsigned long count,
				  unsigned int align_order)
{
	unsigned long nr_bits = cma_pages_to_bits(cma, count);
	unsigned long bit = 0;
	int trial;

	for (trial = 0; trial < CMA_TRIALS; trial++) {
		unsigned long pfn, used;
		bool success;

		if (cma_claim(cma, &bit, nr_bits, align_order, true))
			break;
		pfn = cma_bit_to_pfn(cma, bit);
		success = take_contig_range(pfn, pfn + count, MIGRATE_CMA,
					    &used);
		cma_end_claim(cma, bit, nr_bits, true, success);
		if (success)
			return pfn_to_page(pfn);
		bit = cma_pfn_to_bit(cma, used) + 1;
	}

	return NULL;
}

/*
 * Search the area once for a range that can be emptied, and take it.  Caller
 * holds cma->empty_mutex.  Returns 0, -EBUSY, -EINTR or -ENOMEM.
 */
static int cma_empty_round(struct cma *cma, unsigned long count,
			   unsigned int align_order, struct page **page)
{
	unsigned long nr_bits = cma_pages_to_bits(cma, count);
	unsigned long bit = 0;
	bool busy = false;

	for (;;) {
		unsigned long pfn, busy_pfn;
		int ret = cma_claim(cma, &bit, nr_bits, align_order, false);

		if (ret)
			return busy || ret == -EAGAIN ? -EBUSY : ret;
		pfn = cma_bit_to_pfn(cma, bit);
		ret = alloc_contig_range_busy(pfn, pfn + count, MIGRATE_CMA,
					      &busy_pfn);
		cma_end_claim(cma, bit, nr_bits, false, !ret);
		if (!ret) {
			*page = pfn_to_page(pfn);
			return 0;
		}
		if (ret != -EBUSY)
			return ret;
		trace_cma_alloc_busy_retry(cma->name, busy_pfn,
					   pfn_to_page(busy_pfn), count,
					   align_order);
		bit = cma_pfn_to_bit(cma, busy_pfn) + 1;
		busy = true;
	}
}

static int cma_empty_range(struct cma *cma, unsigned long count,
			   unsigned int align_order, struct page **page)
{
	int round, ret = -EBUSY;

	if (mutex_lock_killable(&cma->empty_mutex))
		return -EINTR;

	for (round = 0; round < CMA_ROUNDS; round++) {
		ret = cma_empty_round(cma, count, align_order, page);
		if (ret != -EBUSY)
			break;
		if (round < CMA_ROUNDS - 1)
			schedule_timeout_killable(msecs_to_jiffies(CMA_ROUND_DELAY_MS));
	}

	mutex_unlock(&cma->empty_mutex);
	return ret;
}

static void cma_count_alloc(struct cma *cma, struct page *page,
			    unsigned long count, unsigned int align_order,
			    int ret)
{
	trace_cma_alloc_finish(cma->name, page ? page_to_pfn(page) : 0, page,
			       count, align_order, ret);
	pr_debug("area %s: %lu pages: %p, error %d\n", cma->name, count, page,
		 ret);
	if (page) {
		count_vm_event(CMA_ALLOC_SUCCESS);
		atomic_long_add(count, &cma->nr_success);
	} else {
		count_vm_event(CMA_ALLOC_FAIL);
		atomic_long_add(count, &cma->nr_fail);
	}
}

static bool cma_can_have(const struct cma *cma, unsigned long count,
			 unsigned int align_order)
{
	return cma && cma->bitmap && count && count <= cma->count &&
	       align_order < BITS_PER_LONG;
}

/**
 * cma_alloc() - allocate contiguous pages from an area
 * @cma: area; NULL fails
 * @count: number of pages, from 1 to the size of the area
 * @align_order: alignment of the physical address as an order of pages, below
 *		 BITS_PER_LONG
 * @no_warn: do not log a failure
 *
 * A caller with PF_MEMALLOC set gets a range only if it is entirely free.
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: the first page, or NULL.  Each page has one reference.  The contents
 * are undefined.
 */
struct page *cma_alloc(struct cma *cma, unsigned long count,
		       unsigned int align_order, bool no_warn)
{
	struct page *page;
	int ret = 0;

	if (!cma_can_have(cma, count, align_order))
		return NULL;

	trace_cma_alloc_start(cma->name, count, align_order);
	page = cma_take_free(cma, count, align_order);
	if (!page && !(current->flags & PF_MEMALLOC))
		ret = cma_empty_range(cma, count, align_order, &page);
	else if (!page)
		ret = -EBUSY;
	cma_count_alloc(cma, page, count, align_order, ret);

	if (!page && !no_warn && ret != -EINTR)
		pr_err_ratelimited("area %s: no %lu contiguous pages aligned to order %u, error %d (%lu of %lu pages used)\n",
				   cma->name, count, align_order, ret,
				   cma_used_pages(cma), cma->count);
	return page;
}
EXPORT_SYMBOL_GPL(cma_alloc);

/**
 * cma_try_alloc() - allocate contiguous pages without emptying a range
 * @cma: area; NULL fails
 * @count: number of pages, from 1 to the size of the area
 * @align_order: alignment of the physical address as an order of pages, below
 *		 BITS_PER_LONG
 *
 * Context: any, including with interrupts off.
 * Return: the first page, or NULL if a bounded search found no range that is
 * entirely free.  Each page has one reference.  The contents are undefined.
 */
struct page *cma_try_alloc(struct cma *cma, unsigned long count,
			   unsigned int align_order)
{
	struct page *page;

	if (!cma_can_have(cma, count, align_order))
		return NULL;

	trace_cma_alloc_start(cma->name, count, align_order);
	page = cma_take_free(cma, count, align_order);
	cma_count_alloc(cma, page, count, align_order, page ? 0 : -EBUSY);
	return page;
}
EXPORT_SYMBOL_GPL(cma_try_alloc);

/**
 * cma_pages_valid() - check whether pages lie in an area
 * @cma: area, or NULL
 * @pages: first page, or NULL
 * @count: number of pages; 0 gives false
 *
 * Context: any.
 * Return: true if all of the pages lie in the area.
 */
bool cma_pages_valid(struct cma *cma, const struct page *pages,
		     unsigned long count)
{
	unsigned long pfn;

	if (!cma || !cma->bitmap || !pages || !count || count > cma->count)
		return false;

	pfn = page_to_pfn(pages);
	return pfn >= cma->base_pfn &&
	       pfn - cma->base_pfn <= cma->count - count;
}
EXPORT_SYMBOL_GPL(cma_pages_valid);

/**
 * cma_area_of() - find the area that contains pages
 * @pages: first page, or NULL
 * @count: number of pages; 0 gives NULL
 *
 * Context: any.
 * Return: the area that all of the pages lie in, or NULL.
 */
struct cma *cma_area_of(const struct page *pages, unsigned long count)
{
	unsigned int i;

	for (i = 0; i < cma_area_count; i++)
		if (cma_pages_valid(&cma_areas[i], pages, count))
			return &cma_areas[i];

	return NULL;
}
EXPORT_SYMBOL_GPL(cma_area_of);

/* Convert pages to bits. False if not in the area or not starting on a bit. */
static bool cma_pages_to_range(struct cma *cma, const struct page *pages,
			       unsigned long count, unsigned long *bit,
			       unsigned long *nr_bits)
{
	unsigned long offset;

	if (!cma_pages_valid(cma, pages, count))
		return false;

	offset = page_to_pfn(pages) - cma->base_pfn;
	*bit = offset >> cma->order_per_bit;
	*nr_bits = cma_pages_to_bits(cma, count);
	return IS_ALIGNED(offset, 1UL << cma->order_per_bit);
}

static bool cma_is_allocated(struct cma *cma, unsigned long bit,
			     unsigned long nr_bits)
{
	lockdep_assert_held(&cma->lock);

	return find_next_zero_bit(cma->allocated, bit + nr_bits, bit) >=
	       bit + nr_bits;
}

/**
 * cma_pages_allocated() - check whether pages are allocated from an area
 * @cma: area, or NULL
 * @pages: first page, or NULL
 * @count: number of pages; 0 gives false
 *
 * Context: any.  Takes @cma->lock.
 * Return: true if all of the pages lie in the area and are allocated.
 */
bool cma_pages_allocated(struct cma *cma, const struct page *pages,
			 unsigned long count)
{
	unsigned long bit, nr_bits, flags;
	bool allocated;

	if (!cma_pages_to_range(cma, pages, count, &bit, &nr_bits))
		return false;

	spin_lock_irqsave(&cma->lock, flags);
	allocated = cma_is_allocated(cma, bit, nr_bits);
	spin_unlock_irqrestore(&cma->lock, flags);

	return allocated;
}
EXPORT_SYMBOL_GPL(cma_pages_allocated);

/*
 * Mark pages as no longer allocated, but keep them claimed.  Returns false, and
 * changes nothing, if not all of them are allocated; *foreign is then set if
 * they lie in the area and none of them is.
 */
static bool cma_take_back(struct cma *cma, const struct page *pages,
			  unsigned long count, bool *foreign)
{
	unsigned long bit, nr_bits, flags;
	bool allocated;

	*foreign = false;
	if (!cma_pages_to_range(cma, pages, count, &bit, &nr_bits))
		return false;

	spin_lock_irqsave(&cma->lock, flags);
	allocated = cma_is_allocated(cma, bit, nr_bits);
	if (allocated)
		bitmap_clear(cma->allocated, bit, nr_bits);
	else
		*foreign = find_next_bit(cma->allocated, bit + nr_bits, bit) >=
			   bit + nr_bits;
	spin_unlock_irqrestore(&cma->lock, flags);

	return allocated;
}

/**
 * cma_release() - free contiguous pages to their area
 * @cma: area, or NULL
 * @pages: first page of an allocation, or of a part of one that is aligned to
 *	   the area's smallest unit of allocation
 * @count: number of pages, may be less than was allocated
 *
 * Context: any, including with interrupts off.
 * Return: true if the pages were freed; false, with nothing done, unless all of
 * them lie in the area and are allocated.
 */
bool cma_release(struct cma *cma, const struct page *pages,
		 unsigned long count)
{
	unsigned long pfn;
	bool foreign;

	if (!cma_pages_valid(cma, pages, count))
		return false;

	pfn = page_to_pfn(pages);
	if (!cma_take_back(cma, pages, count, &foreign)) {
		/* hugetlb passes pages that may be the page allocator's */
		if (!foreign || !page_count((struct page *)pages))
			pr_err_ratelimited("area %s: release of %lu pages at pfn %#lx, not all of them allocated\n",
					   cma->name, count, pfn);
		return false;
	}

	/* The range must not be claimed again before its pages are free */
	free_contig_range(pfn, count);
	cma_end_claim(cma, cma_pfn_to_bit(cma, pfn),
		      cma_pages_to_bits(cma, count), false, false);

	atomic_long_add(count, &cma->nr_released);
	trace_cma_release(cma->name, pfn, pages, count);
	pr_debug("area %s: %lu pages at pfn %#lx released\n", cma->name, count,
		 pfn);
	return true;
}
EXPORT_SYMBOL_GPL(cma_release);
