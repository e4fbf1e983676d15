// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory areas: allocating page ranges from an area.
 *
 * A bit set in the bitmap of an area stands for pages that are allocated to a
 * driver or claimed by an attempt in progress.  A range is first claimed in the
 * bitmap and then taken from the page allocator, with the lock dropped.  When
 * that fails, the claim is dropped.  A second bitmap has only the allocated
 * ranges, so that a release cannot free pages that are merely claimed, or that
 * the page allocator has given to somebody else.  A third bitmap marks the last
 * page of each buffer, so that a release cannot reach into the next one.
 *
 * Buffers cannot be moved, so a buffer in the wrong place makes large buffers
 * impossible for as long as it lives.  Small buffers are therefore placed at
 * the lowest address possible, large ones at the highest, whether the pages
 * there are free or have to be moved: that leaves one large range in between.
 *
 * A range that is entirely free is taken directly, on any CPU and in any
 * context.  Otherwise ranges are scanned, which changes nothing, and the
 * cheapest one near the wanted place is emptied.  Ranges with pages that cannot
 * be moved are skipped, and those with pages under I/O are left until nothing
 * else works.  The time that an allocation may spend waiting is limited.
 *
 * Several callers can empty ranges of an area at the same time: the bitmap
 * keeps them apart.  lock is never held while pages are scanned, taken, moved
 * or freed, so zone->lock does not nest inside it.  No other lock is held while
 * pages are emptied.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cma.h>
#include <linux/contig.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-contig.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#define CREATE_TRACE_POINTS
#include <trace/events/cma.h>

#include "cma.h"

/* Buffers of up to this many pages are small: placed from the low end */
#define CMA_SMALL_PAGES		64UL
/* Part of the area by which a cheaper range may miss the packed place */
#define CMA_SLACK_SMALL		64
#define CMA_SLACK_LARGE		16

/* Ranges to try before giving up on one that is entirely free */
#define CMA_TRIALS		64
/* Ranges to compare before the cheapest of them is emptied */
#define CMA_CANDIDATES		8
/* Pages to look at before comparing a range with another one */
#define CMA_SAMPLES		16
/* Cost above which a free range in the wrong place is preferred: 4 MiB moved */
#define CMA_COST_LIMIT		2048UL
/* Ranges that must fail for lack of memory before an allocation does */
#define CMA_NOMEM_LIMIT		2

/* Time between two searches, for others to drop claims and references */
#define CMA_POLL_MS		10
/* Time to wait for one range or for other CPUs before the next search */
#define CMA_SLICE_MS		100
/* Time that an allocation may wait unless wait_budget_ms says otherwise */
#define CMA_WAIT_BUDGET_MS	500

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
 * cma_set_exclusive() - let only devices use an area
 * @cma: area
 *
 * This cannot be changed at run time, when buffers without a device may exist.
 *
 * Context: boot, before core_initcall().
 */
void __init cma_set_exclusive(struct cma *cma)
{
	cma->is_exclusive = true;
}

/**
 * cma_is_exclusive() - check whether only devices may use an area
 * @cma: area
 *
 * Context: any.
 * Return: true if memory for anything but the devices of the area, such as a
 * heap, must come from somewhere else.
 */
bool cma_is_exclusive(const struct cma *cma)
{
	return cma->is_exclusive;
}
EXPORT_SYMBOL_GPL(cma_is_exclusive);

/**
 * cma_set_reserve() - keep a part of an area for some callers
 * @cma: area
 * @nr_pages: number of pages, rounded up to whole bits.  All pages of the area
 *	if none is to be shared with movable pages; all callers then use it
 *
 * For cma_alloc() and cma_try_alloc() the area is smaller by so much.  A counter
 * would not do: others could leave the last pages as holes that are too small.
 * Nor would pages that the page allocator has, because a process that pins one
 * of them makes an allocation fail.  Nobody else has any use of the memory.
 *
 * Context: boot, before core_initcall().
 */
void __init cma_set_reserve(struct cma *cma, unsigned long nr_pages)
{
	cma->reserve = ALIGN(nr_pages, 1UL << cma->order_per_bit);
}

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

/* Take the reserve from the page allocator, which has it only for a moment */
static void __init cma_hold_reserve(struct cma *cma)
{
	unsigned long end = cma->base_pfn + cma->count;
	unsigned long start = end - cma->reserve;
	struct contig_control cc = {
		.may_wait = true,
		.deadline = jiffies + msecs_to_jiffies(CMA_WAIT_BUDGET_MS),
	};
	unsigned long used;

	if (cma->reserve &&
	    !take_contig_range(start, end, MIGRATE_CMA, &used) &&
	    empty_contig_range(start, end, MIGRATE_CMA, &cc)) {
		pr_warn("area %s: pfn %#lx is in use; no reserve\n", cma->name,
			cc.busy_pfn);
		cma->reserve = 0;
	}
	/* What movable pages cannot use is in neither CmaTotal nor CmaFree */
	totalcma_pages -= cma->reserve;
}

static void __init cma_activate_area(struct cma *cma)
{
	unsigned long longs = BITS_TO_LONGS(cma_bitmap_maxno(cma));
	unsigned long end = cma->base_pfn + cma->count;
	const char *why = cma_check_pages(cma);
	unsigned long pfn;

	spin_lock_init(&cma->lock);
	cma->wait_budget_ms = CMA_WAIT_BUDGET_MS;

	if (!why) {
		cma->bitmap = kzalloc((2 * longs + BITS_TO_LONGS(cma->count)) *
				      sizeof(long), GFP_KERNEL);
		if (cma->bitmap) {
			cma->allocated = cma->bitmap + longs;
			cma->ends = cma->allocated + longs;
		} else {
			why = "has no memory for its bitmap";
		}
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
	cma_hold_reserve(cma);
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

static void cma_count_skip(struct cma *cma, enum cma_skip why)
{
	atomic_long_inc(&cma->nr_skipped[why]);
}

/* What is asked for */
struct cma_request {
	unsigned long	count;		/* pages */
	unsigned long	nr_bits;	/* the same in bits */
	unsigned long	align;		/* of the first pfn, in pages */
	unsigned long	minno;		/* first bit that may be used */
	unsigned long	maxno;		/* end of the bits that may be used */
	bool		large;		/* placed from the high end */
};

static void cma_init_request(const struct cma *cma, struct cma_request *req,
			     unsigned long count, unsigned int align_order,
			     bool in_reserve)
{
	unsigned long border = cma_reserve_bit(cma);

	req->count = count;
	req->nr_bits = cma_pages_to_bits(cma, count);
	req->align = 1UL << max(align_order, cma->order_per_bit);
	req->large = count > CMA_SMALL_PAGES;
	req->minno = in_reserve ? border : 0;
	req->maxno = in_reserve ? cma_bitmap_maxno(cma) : border;
}

/*
 * A search has a position: ranges that start before it, or end after it if they
 * are large, were looked at.  Alignment applies to physical addresses, because
 * the area itself may be less aligned than its buffers.
 */
static unsigned long cma_first_pos(const struct cma_request *req)
{
	return req->large ? req->maxno : req->minno;
}

/* The position from which no range contains the page */
static unsigned long cma_pos_beyond(const struct cma *cma,
				    const struct cma_request *req,
				    unsigned long pfn)
{
	return cma_pfn_to_bit(cma, pfn) + !req->large;
}

static unsigned long cma_find_low(const struct cma *cma, unsigned long bit,
				  const struct cma_request *req)
{
	unsigned long maxno = req->maxno;

	while (bit < maxno) {
		unsigned long pfn, used;

		bit = find_next_zero_bit(cma->bitmap, maxno, bit);
		pfn = ALIGN(cma_bit_to_pfn(cma, bit), req->align);
		bit = cma_pfn_to_bit(cma, pfn);
		if (bit > maxno || req->nr_bits > maxno - bit)
			break;

		used = find_next_bit(cma->bitmap, bit + req->nr_bits, bit);
		if (used >= bit + req->nr_bits)
			return bit;
		bit = used + 1;
	}

	return maxno;
}

static unsigned long cma_find_high(const struct cma *cma, unsigned long end,
				   const struct cma_request *req)
{
	while (end >= req->nr_bits) {
		unsigned long pfn, bit, used;

		pfn = round_down(cma_bit_to_pfn(cma, end - req->nr_bits),
				 req->align);
		if (pfn < cma_bit_to_pfn(cma, req->minno))
			break;

		bit = cma_pfn_to_bit(cma, pfn);
		used = find_next_bit(cma->bitmap, bit + req->nr_bits, bit);
		if (used >= bit + req->nr_bits)
			return bit;
		end = used;
	}

	return req->maxno;
}

/* Would there be a range if nothing was allocated? */
static bool cma_fits(const struct cma *cma, const struct cma_request *req)
{
	unsigned long pfn = ALIGN(cma_bit_to_pfn(cma, req->minno), req->align);
	unsigned long bit = cma_pfn_to_bit(cma, pfn);

	return bit <= req->maxno && req->nr_bits <= req->maxno - bit;
}

/*
 * Find the next range that is clear in the bitmap.  If there is none, fail with
 * -EAGAIN while attempts in progress may still drop their claims, else with
 * -ENOMEM.
 */
static int cma_find(struct cma *cma, const struct cma_request *req,
		    unsigned long pos, unsigned long *bit)
{
	lockdep_assert_held(&cma->lock);

	*bit = req->large ? cma_find_high(cma, pos, req) :
			    cma_find_low(cma, pos, req);
	if (*bit < req->maxno)
		return 0;
	return cma->nr_claims && cma_fits(cma, req) ? -EAGAIN : -ENOMEM;
}

/* Find the next range, but do not claim it */
static int cma_peek(struct cma *cma, const struct cma_request *req,
		    unsigned long pos, unsigned long *bit)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&cma->lock, flags);
	ret = cma_find(cma, req, pos, bit);
	spin_unlock_irqrestore(&cma->lock, flags);

	return ret;
}

/* Find the next range and claim it */
static int cma_claim(struct cma *cma, const struct cma_request *req,
		     unsigned long pos, unsigned long *bit)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&cma->lock, flags);
	ret = cma_find(cma, req, pos, bit);
	if (!ret) {
		bitmap_set(cma->bitmap, *bit, req->nr_bits);
		cma->nr_claims++;
	}
	spin_unlock_irqrestore(&cma->lock, flags);

	return ret;
}

/* Claim one range, unless somebody else has claimed a part of it */
static bool cma_claim_at(struct cma *cma, const struct cma_request *req,
			 unsigned long bit)
{
	unsigned long flags;
	bool clear;

	spin_lock_irqsave(&cma->lock, flags);
	clear = find_next_bit(cma->bitmap, bit + req->nr_bits, bit) >=
		bit + req->nr_bits;
	if (clear) {
		bitmap_set(cma->bitmap, bit, req->nr_bits);
		cma->nr_claims++;
	}
	spin_unlock_irqrestore(&cma->lock, flags);

	return clear;
}

static void cma_drop_claim(struct cma *cma, unsigned long bit,
			   unsigned long nr_bits)
{
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	cma->nr_claims--;
	bitmap_clear(cma->bitmap, bit, nr_bits);
	spin_unlock_irqrestore(&cma->lock, flags);
}

/* Turn a claim into a buffer */
static void cma_keep_claim(struct cma *cma, const struct cma_request *req,
			   unsigned long bit)
{
	unsigned long end = (bit << cma->order_per_bit) + req->count;
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	cma->nr_claims--;
	bitmap_set(cma->allocated, bit, req->nr_bits);
	__set_bit(end - 1, cma->ends);
	spin_unlock_irqrestore(&cma->lock, flags);
}

/* Pages that are at least as hard to empty as the kind */
static unsigned long cma_count_kinds(const struct contig_scan *scan,
				     enum contig_kind kind)
{
	unsigned long nr_pages = 0;

	for (; kind < NR_CONTIG_KINDS; kind++)
		nr_pages += scan->nr[kind];
	return nr_pages;
}

/* Find the first such page of a range that had one, or its last page */
static unsigned long cma_first_of_kinds(unsigned long start, unsigned long end,
					enum contig_kind kind)
{
	return min(first_contig_page(start, end, kind), end - 1);
}

/* Take a range that is entirely free, the first of so many. Context: any. */
static struct page *cma_take_free(struct cma *cma,
				  const struct cma_request *req,
				  unsigned int nr_trials)
{
	unsigned long pos = cma_first_pos(req);

	for (;;) {
		unsigned long bit, pfn, used;

		if (cma_claim(cma, req, pos, &bit))
			return NULL;
		pfn = cma_bit_to_pfn(cma, bit);
		if (take_contig_range(pfn, pfn + req->count, MIGRATE_CMA,
				      &used)) {
			cma_keep_claim(cma, req, bit);
			return pfn_to_page(pfn);
		}
		cma_drop_claim(cma, bit, req->nr_bits);

		if (!--nr_trials)
			return NULL;
		if (req->large)
			used = cma_first_of_kinds(pfn, pfn + req->count,
						  CONTIG_DROP);
		pos = cma_pos_beyond(cma, req, used);
	}
}

/*
 * Return the first page of a range in the reserve that somebody still uses,
 * although its driver has released it, or the end of the range
 */
static unsigned long cma_busy_pfn(unsigned long pfn, unsigned long end)
{
	while (pfn < end && page_count(pfn_to_page(pfn)) == 1)
		pfn++;

	return pfn;
}

/*
 * Take a range of the reserve, whose pages have the reference of the area while
 * they are free.  Context: any.
 */
static struct page *cma_take_reserve(struct cma *cma, unsigned long count,
				     unsigned int align_order)
{
	struct cma_request req;
	unsigned long pos, bit;

	cma_init_request(cma, &req, count, align_order, true);
	pos = cma_first_pos(&req);
	while (!cma_claim(cma, &req, pos, &bit)) {
		unsigned long pfn = cma_bit_to_pfn(cma, bit);
		unsigned long busy = cma_busy_pfn(pfn, pfn + count);

		if (busy == pfn + count) {
			cma_keep_claim(cma, &req, bit);
			return pfn_to_page(pfn);
		}
		cma_drop_claim(cma, bit, req.nr_bits);
		pos = cma_pos_beyond(cma, &req, busy);
	}

	return NULL;
}

/* Count the pages of a release into the reserve that somebody still uses */
static void cma_check_reserve(struct cma *cma, unsigned long pfn,
			      unsigned long count)
{
	unsigned long end = pfn + count, nr_busy = 0;

	for (; pfn < end; pfn++)
		nr_busy += page_count(pfn_to_page(pfn)) != 1;

	if (nr_busy)
		pr_err_ratelimited("area %s: %lu of %lu pages of the reserve up to pfn %#lx are still in use\n",
				   cma->name, nr_busy, count, end);
}

/* A range that can be emptied; if it was only sampled, perhaps not */
struct cma_candidate {
	unsigned long	bit;
	unsigned long	cost;
	bool		sampled;
};

/* An allocation that has to empty a range */
struct cma_search {
	const struct cma_request *req;
	unsigned long	deadline;	/* for waiting, in jiffies */
	unsigned long	paused;		/* jiffies after the last pause */
	unsigned long	stuck_pfn;	/* last page found under I/O, or 0 */
	unsigned int	nr_nomem;	/* ranges that failed with -ENOMEM */
	unsigned int	nr_drains;
	bool		emptied;	/* or tried to */
	bool		wait_io;	/* waiting is all that is left */
	struct contig_control cc;

	/* of the current round */
	unsigned long	pos;
	bool		end;		/* pos is behind the last range */
	bool		held;		/* references may be dropped later */
	unsigned long	busy_pfn;	/* no range with this page works, or 0 */
	struct cma_candidate io;	/* fewest pages under I/O; cost 0: none */
};

static bool cma_range_has(const struct cma *cma, const struct cma_search *s,
			  unsigned long bit, unsigned long pfn)
{
	return pfn - cma_bit_to_pfn(cma, bit) < s->req->count;
}

/* Report the page because of which a range was given up, or not started */
static void cma_trace_busy(const struct cma *cma, const struct cma_search *s,
			   unsigned long pfn)
{
	trace_cma_alloc_busy_retry(cma->name, pfn, pfn_to_page(pfn),
				   s->req->count, ilog2(s->req->align));
}

/* Continue so that the next range overlaps this one by three quarters at most */
static void cma_step(const struct cma *cma, struct cma_search *s,
		     unsigned long bit)
{
	unsigned long step = max(s->req->align >> cma->order_per_bit,
				 s->req->nr_bits / 4);
	unsigned long end = bit + s->req->nr_bits;

	if (!s->req->large)
		s->pos = bit + step;
	else
		s->pos = end > step ? end - step : 0;
}

/* Remember the range with the fewest pages under I/O, a stuck one last */
static void cma_note_io(const struct cma *cma, struct cma_search *s,
			unsigned long bit, unsigned long nr_io)
{
	unsigned long cost = nr_io;

	if (s->stuck_pfn && cma_range_has(cma, s, bit, s->stuck_pfn))
		cost += cma->count;
	if (s->io.cost && s->io.cost <= cost)
		return;
	s->io.bit = bit;
	s->io.cost = cost;
}

/* Continue so that the next range has none of the pages of these kinds */
static void cma_skip(const struct cma *cma, struct cma_search *s,
		     unsigned long bit, enum contig_kind kind,
		     unsigned long last_pfn)
{
	unsigned long pfn = cma_bit_to_pfn(cma, bit);

	if (s->req->large)
		last_pfn = cma_first_of_kinds(pfn, pfn + s->req->count, kind);
	s->pos = cma_pos_beyond(cma, s->req, last_pfn);
}

/*
 * Estimate the cost of a range that is to be compared with others.  To scan all
 * of them takes a tenth of the time that moving the pages of one takes.
 */
static unsigned long cma_sample(const struct cma *cma,
				const struct cma_search *s, unsigned long bit)
{
	struct page *page = pfn_to_page(cma_bit_to_pfn(cma, bit));
	unsigned long step = s->req->count / CMA_SAMPLES;
	unsigned long cost = 0;
	unsigned int i;

	for (i = 0; i < CMA_SAMPLES; i++, page += step)
		cost += min_t(unsigned int, contig_page_kind(page),
			      CONTIG_MOVE);

	return cost * step;
}

/* Scan a range and continue behind it. Returns whether it can be emptied now. */
static bool cma_scan(struct cma *cma, struct cma_search *s,
		     struct cma_candidate *range)
{
	unsigned long pfn = cma_bit_to_pfn(cma, range->bit);
	struct contig_scan scan;

	/* Another range failed because of this page */
	if (cma_range_has(cma, s, range->bit, s->busy_pfn)) {
		s->pos = cma_pos_beyond(cma, s->req, s->busy_pfn);
		return false;
	}

	scan_contig_range(pfn, pfn + s->req->count, &scan);
	trace_cma_scan(cma->name, pfn, s->req->count, scan.nr);

	if (cma_count_kinds(&scan, CONTIG_HELD)) {
		bool fixed = scan.nr[CONTIG_FIXED];

		s->held |= !fixed;
		cma_count_skip(cma, fixed ? CMA_SKIP_FIXED : CMA_SKIP_HELD);
		cma_trace_busy(cma, s, scan.last_held);
		cma_skip(cma, s, range->bit, CONTIG_HELD, scan.last_held);
		return false;
	}
	if (scan.nr[CONTIG_IO]) {
		cma_count_skip(cma, CMA_SKIP_IO);
		cma_note_io(cma, s, range->bit, scan.nr[CONTIG_IO]);
		cma_skip(cma, s, range->bit, CONTIG_IO, scan.last_io);
		return false;
	}
	cma_step(cma, s, range->bit);

	/* Dropping a page takes about half as long as moving it */
	range->cost = 2 * scan.nr[CONTIG_MOVE] + scan.nr[CONTIG_DROP];
	return true;
}

static void cma_add_candidate(struct cma_candidate *found, unsigned int nr,
			      struct cma_candidate new)
{
	while (nr && found[nr - 1].cost > new.cost) {
		found[nr] = found[nr - 1];
		nr--;
	}
	found[nr] = new;
}

/*
 * Collect the next ranges that can be emptied, the cheapest one first.  Those
 * that are compared lie so close together that it does not matter for packing
 * which one is taken.  Ends early with a range that is cheap.
 */
static unsigned int cma_collect(struct cma *cma, struct cma_search *s,
				struct cma_candidate *found)
{
	unsigned long slack = cma_bitmap_maxno(cma) /
			      (s->req->large ? CMA_SLACK_LARGE : CMA_SLACK_SMALL);
	unsigned long first = 0;
	unsigned int nr = 0;

	while (nr < CMA_CANDIDATES) {
		struct cma_candidate range;

		if (cma_peek(cma, s->req, s->pos, &range.bit)) {
			s->end = true;
			break;
		}
		if (nr && max(range.bit, first) - min(range.bit, first) > slack)
			break;
		range.sampled = false;
		if (nr && s->req->count >= 4 * CMA_SAMPLES) {
			range.cost = cma_sample(cma, s, range.bit);
			range.sampled = range.cost >= found[0].cost;
		}
		if (range.sampled)
			cma_step(cma, s, range.bit);
		else if (!cma_scan(cma, s, &range))
			continue;
		if (!nr)
			first = range.bit;
		cma_add_candidate(found, nr++, range);
		if (range.cost <= s->req->count / 8)
			break;
	}

	return nr;
}

/* End of the wait for one thing; nothing may wait beyond the budget */
static unsigned long cma_slice_end(const struct cma_search *s)
{
	unsigned long slice = jiffies + msecs_to_jiffies(CMA_SLICE_MS);

	return time_before(slice, s->deadline) ? slice : s->deadline;
}

/*
 * Empty and take one range.  Returns what empty_contig_range() returns, or
 * -EBUSY if somebody else has claimed a part of the range.
 */
static int cma_empty(struct cma *cma, struct cma_search *s, unsigned long bit,
		     bool may_wait, struct page **page)
{
	unsigned long pfn = cma_bit_to_pfn(cma, bit);
	struct contig_control *cc = &s->cc;
	unsigned long moved = cc->nr_moved, dropped = cc->nr_dropped;
	int ret;

	if (!cma_claim_at(cma, s->req, bit)) {
		cma_count_skip(cma, CMA_SKIP_CLAIMED);
		return -EBUSY;
	}

	s->emptied = true;
	cc->may_wait = may_wait;
	cc->deadline = cma_slice_end(s);
	trace_cma_empty_start(cma->name, pfn, s->req->count, may_wait);
	ret = empty_contig_range(pfn, pfn + s->req->count, MIGRATE_CMA, cc);
	trace_cma_empty_finish(cma->name, pfn, s->req->count,
			       cc->nr_moved - moved, cc->nr_dropped - dropped,
			       ret);

	if (!ret) {
		cma_keep_claim(cma, s->req, bit);
		*page = pfn_to_page(pfn);
		return 0;
	}
	cma_drop_claim(cma, bit, s->req->nr_bits);

	if (ret == -ENOMEM) {
		/* Try a range next that has none of these pages */
		s->busy_pfn = s->req->large ? pfn : pfn + s->req->count - 1;
		s->nr_nomem++;
	} else if (ret != -EINTR) {
		s->busy_pfn = cc->busy_pfn;
		s->held |= ret == -EBUSY;
		if (ret == -EAGAIN)
			s->stuck_pfn = cc->busy_pfn;
		cma_trace_busy(cma, s, cc->busy_pfn);
	}
	return ret;
}

/* Empty one of the collected ranges */
static int cma_empty_one_of(struct cma *cma, struct cma_search *s,
			    const struct cma_candidate *found, unsigned int nr,
			    struct page **page)
{
	unsigned long pos = s->pos;
	unsigned int i;
	int ret = -EBUSY;

	for (i = 0; i < nr; i++) {
		struct cma_candidate range = found[i];
		bool works = !cma_range_has(cma, s, range.bit, s->busy_pfn);

		if (works && range.sampled) {
			works = cma_scan(cma, s, &range);
			s->pos = pos;
		}
		if (!works)
			continue;
		ret = cma_empty(cma, s, range.bit, false, page);
		if (!ret || ret == -EINTR || s->nr_nomem >= CMA_NOMEM_LIMIT)
			break;
	}

	return ret;
}

/*
 * Search the area once for a range that can be emptied, and take it.  A free
 * range in the wrong place comes after those that are in the right one, and
 * ranges with pages under I/O come last.
 *
 * Returns 0; -EINTR; -ENOMEM if all pages are allocated, or there is no memory
 * to move pages to; otherwise -EBUSY or -EAGAIN.
 */
static int cma_round(struct cma *cma, struct cma_search *s, struct page **page)
{
	struct cma_candidate found[CMA_CANDIDATES];
	bool tried_free = false;
	unsigned long bit;
	int ret;

	s->pos = cma_first_pos(s->req);
	s->end = false;
	s->held = false;
	s->busy_pfn = 0;
	s->io.cost = 0;

	ret = cma_peek(cma, s->req, s->pos, &bit);
	if (ret) {
		if (ret == -EAGAIN)
			cma_count_skip(cma, CMA_SKIP_CLAIMED);
		return ret;
	}

	ret = -EBUSY;
	while (!s->end && s->nr_nomem < CMA_NOMEM_LIMIT) {
		unsigned int nr = cma_collect(cma, s, found);

		if (nr && found[0].cost > CMA_COST_LIMIT && !tried_free) {
			*page = cma_take_free(cma, s->req, CMA_TRIALS);
			tried_free = true;
			if (*page)
				return 0;
		}
		if (nr)
			ret = cma_empty_one_of(cma, s, found, nr, page);
		if (!ret || ret == -EINTR)
			return ret;
		cond_resched();
	}

	if (!tried_free) {
		*page = cma_take_free(cma, s->req, CMA_TRIALS);
		if (*page)
			return 0;
	}
	if (s->nr_nomem >= CMA_NOMEM_LIMIT)
		return -ENOMEM;
	/* The first attempt starts the I/O, and others wait for it */
	if (s->io.cost)
		return cma_empty(cma, s, s->io.bit, s->wait_io, page);
	return -EBUSY;
}

/*
 * Wait for something that lets the next round succeed.  Returns false if the
 * time is used up.
 */
static bool cma_pause(struct cma *cma, struct cma_search *s)
{
	unsigned long now = jiffies;
	long delay = max(1UL, msecs_to_jiffies(CMA_POLL_MS));

	/* Pages on the lists of a CPU look as if somebody held them */
	if (s->held && !s->nr_drains) {
		drain_contig_pages(false, cma_slice_end(s));
		s->nr_drains++;
		return true;
	}

	if (time_after_eq(now, s->deadline))
		return false;

	if (s->held && s->nr_drains == 1) {
		drain_contig_pages(true, cma_slice_end(s));
		s->nr_drains++;
		return true;
	}

	atomic_long_inc(&cma->nr_waits);
	if (s->io.cost && !s->wait_io) {
		s->wait_io = true;
	} else if (!s->io.cost || now == s->paused) {
		delay = min_t(unsigned long, delay, s->deadline - now);
		schedule_timeout_killable(delay);
	}
	s->paused = jiffies;
	return true;
}

/* Empty a range and take it: 0, -EBUSY, -EINTR or -ENOMEM */
static int cma_search(struct cma *cma, const struct cma_request *req,
		      struct page **page)
{
	unsigned int budget_ms = cma->wait_budget_ms;
	struct cma_search s = {
		.req = req,
		.deadline = jiffies + msecs_to_jiffies(budget_ms),
	};
	int ret;

	do {
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		ret = cma_round(cma, &s, page);
	} while ((ret == -EBUSY || ret == -EAGAIN) && cma_pause(cma, &s));

	atomic_long_add(s.cc.nr_moved, &cma->nr_moved);
	atomic_long_add(s.cc.nr_dropped, &cma->nr_dropped);
	atomic_long_add(s.cc.nr_waits, &cma->nr_waits);
	/* Once, whatever happened, and while nothing is claimed */
	if (s.emptied)
		reclaim_for_contig(cma->base_pfn);

	if (ret == -EBUSY || ret == -EAGAIN)
		return s.nr_nomem ? -ENOMEM : -EBUSY;
	return ret;
}

/*
 * Without I/O pages can be neither written nor moved: the allocation is part of
 * reclaim, or devices are suspended.
 */
static bool cma_may_empty(void)
{
	const gfp_t gfp = __GFP_IO | __GFP_FS;

	return !(current->flags & PF_MEMALLOC) &&
	       (gfp_allowed_mask & gfp) == gfp;
}

/*
 * One free page is taken in less than 1 us.  Reading the clock twice would add a
 * tenth to that, so it counts as 0.
 */
static u64 cma_start_time(unsigned long count)
{
	return count > 1 ? sched_clock() : 0;
}

static void cma_count_latency(struct cma *cma, u64 start)
{
	u64 now = start ? sched_clock() : 0;
	u64 ns = now > start ? now - start : 0;
	unsigned long us, max_us;

	/* This division is cheap, the other one is not */
	us = ns <= UINT_MAX ? (u32)ns / 1000 : div_u64(ns, NSEC_PER_MSEC) * 1000;
	atomic_long_inc(&cma->nr_latency[min_t(unsigned int, fls(us),
					       CMA_NR_LATENCIES - 1)]);

	max_us = atomic_long_read(&cma->max_latency);
	while (us > max_us) {
		unsigned long old = atomic_long_cmpxchg(&cma->max_latency,
							max_us, us);

		if (old == max_us)
			break;
		max_us = old;
	}
}

static void cma_count_alloc(struct cma *cma, struct page *page,
			    unsigned long count, unsigned int align_order,
			    int ret, u64 start)
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
	cma_count_latency(cma, start);
}

static bool cma_can_have(const struct cma *cma, unsigned long count,
			 unsigned int align_order)
{
	return cma && cma->bitmap && count && count <= cma->count &&
	       align_order < BITS_PER_LONG;
}

/*
 * Take free pages, for those who may use it from the reserve first.  Of an area
 * that is a reserve as a whole, everybody gets the reserve.
 */
static struct page *cma_take(struct cma *cma, const struct cma_request *req,
			     unsigned int align_order, bool use_reserve,
			     unsigned int trials)
{
	struct page *page = NULL;

	if (use_reserve || cma->reserve == cma->count)
		page = cma_take_reserve(cma, req->count, align_order);

	return page ? page : cma_take_free(cma, req, trials);
}

static struct page *cma_do_alloc(struct cma *cma, unsigned long count,
				 unsigned int align_order, bool no_warn,
				 bool use_reserve)
{
	u64 start = cma_start_time(count);
	struct cma_request req;
	struct page *page;
	bool may_empty;
	int ret = 0;

	if (!cma_can_have(cma, count, align_order))
		return NULL;

	trace_cma_alloc_start(cma->name, count, align_order);
	may_empty = cma_may_empty();
	cma_init_request(cma, &req, count, align_order, false);
	page = cma_take(cma, &req, align_order, use_reserve,
			may_empty ? 1 : CMA_TRIALS);
	if (!page) {
		start = start ? start : sched_clock();
		ret = may_empty ? cma_search(cma, &req, &page) : -EBUSY;
	}
	cma_count_alloc(cma, page, count, align_order, ret, start);

	if (!page && !no_warn && ret != -EINTR)
		pr_err_ratelimited("area %s: no %lu contiguous pages aligned to order %u, error %d (%lu of %lu pages used)\n",
				   cma->name, count, align_order, ret,
				   cma_used_pages(cma), cma->count);
	return page;
}

/**
 * cma_alloc() - allocate contiguous pages from an area
 * @cma: area; NULL fails
 * @count: number of pages, from 1 to the size of the area without its reserve
 * @align_order: alignment of the physical address as an order of pages, below
 *		 BITS_PER_LONG
 * @no_warn: do not log a failure
 *
 * A range is emptied if necessary.  If that needs a wait, for pages under I/O
 * or for others that hold references to pages or empty ranges themselves, all
 * waits together take no longer than the area's wait_budget_ms in sysfs says.
 * Every wait ends early if the caller is being killed.
 *
 * A range is taken only if it is entirely free while no I/O is allowed: if the
 * caller has PF_MEMALLOC set, and during suspend and resume.
 *
 * Context: process context that may do I/O and holds no lock that reclaim or
 * page migration takes.  May sleep.
 * Return: the first page, or NULL.  Each page has one reference.  The contents
 * are undefined.
 */
struct page *cma_alloc(struct cma *cma, unsigned long count,
		       unsigned int align_order, bool no_warn)
{
	return cma_do_alloc(cma, count, align_order, no_warn, false);
}
EXPORT_SYMBOL_GPL(cma_alloc);

/**
 * cma_alloc_reserve() - allocate contiguous pages, first from the reserve
 * @cma: area; NULL fails
 * @count: number of pages, from 1 to the size of the reserve, or of the rest of
 *	   the area if that is larger
 * @align_order: alignment, see cma_alloc()
 * @no_warn: do not log a failure
 *
 * Pages of the reserve are taken without a wait.  If it has too few of them, the
 * rest of the area is used, as by cma_alloc().
 *
 * Context: see cma_alloc().
 * Return: see cma_alloc().
 */
struct page *cma_alloc_reserve(struct cma *cma, unsigned long count,
			       unsigned int align_order, bool no_warn)
{
	return cma_do_alloc(cma, count, align_order, no_warn, true);
}
EXPORT_SYMBOL_GPL(cma_alloc_reserve);

static struct page *cma_do_try_alloc(struct cma *cma, unsigned long count,
				     unsigned int align_order,
				     bool use_reserve)
{
	u64 start = cma_start_time(count);
	struct cma_request req;
	struct page *page;

	if (!cma_can_have(cma, count, align_order))
		return NULL;

	trace_cma_alloc_start(cma->name, count, align_order);
	cma_init_request(cma, &req, count, align_order, false);
	page = cma_take(cma, &req, align_order, use_reserve, CMA_TRIALS);
	cma_count_alloc(cma, page, count, align_order, page ? 0 : -EBUSY,
			start);
	return page;
}

/**
 * cma_try_alloc() - allocate contiguous pages without emptying a range
 * @cma: area; NULL fails
 * @count: number of pages, from 1 to the size of the area without its reserve
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
	return cma_do_try_alloc(cma, count, align_order, false);
}
EXPORT_SYMBOL_GPL(cma_try_alloc);

/**
 * cma_try_alloc_reserve() - allocate free pages, first from the reserve
 * @cma: area; NULL fails
 * @count: number of pages, see cma_alloc_reserve()
 * @align_order: alignment, see cma_try_alloc()
 *
 * Context: any, including with interrupts off.
 * Return: see cma_try_alloc().
 */
struct page *cma_try_alloc_reserve(struct cma *cma, unsigned long count,
				   unsigned int align_order)
{
	return cma_do_try_alloc(cma, count, align_order, true);
}
EXPORT_SYMBOL_GPL(cma_try_alloc_reserve);

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

/* Does a buffer end in this bit? */
static bool cma_bit_has_end(const struct cma *cma, unsigned long bit)
{
	unsigned long end = (bit + 1) << cma->order_per_bit;

	return find_next_bit(cma->ends, end, bit << cma->order_per_bit) < end;
}

/* Pages from this one to the end of its buffer. Caller holds the lock. */
static unsigned long cma_pages_to_end(struct cma *cma, unsigned long offset)
{
	lockdep_assert_held(&cma->lock);

	return find_next_bit(cma->ends, cma->count, offset) + 1 - offset;
}

/**
 * cma_buffer_pages() - get the size of a buffer
 * @cma: area, or NULL
 * @pages: first page of the buffer, or NULL
 *
 * What remains of a buffer after cma_release() of a part of it is a buffer, or
 * two.
 *
 * Context: any.  Takes @cma->lock.
 * Return: number of pages of the buffer that starts at @pages, as passed to
 * cma_alloc(); 0 if no buffer starts there.
 */
unsigned long cma_buffer_pages(struct cma *cma, const struct page *pages)
{
	unsigned long bit, nr_bits, offset, flags, nr_pages = 0;

	if (!cma_pages_to_range(cma, pages, 1, &bit, &nr_bits))
		return 0;

	offset = page_to_pfn(pages) - cma->base_pfn;
	spin_lock_irqsave(&cma->lock, flags);
	if (cma_is_allocated(cma, bit, 1) &&
	    (!bit || !cma_is_allocated(cma, bit - 1, 1) ||
	     cma_bit_has_end(cma, bit - 1)))
		nr_pages = cma_pages_to_end(cma, offset);
	spin_unlock_irqrestore(&cma->lock, flags);

	return nr_pages;
}
EXPORT_SYMBOL_GPL(cma_buffer_pages);

/*
 * Can these allocated pages be released together?  Not if they reach into the
 * next buffer, or leave a part of the last bit allocated.
 */
static bool cma_is_one_buffer(struct cma *cma, unsigned long offset,
			      unsigned long count)
{
	unsigned long nr_pages = cma_pages_to_end(cma, offset);

	return count == nr_pages ||
	       (count < nr_pages &&
		IS_ALIGNED(count, 1UL << cma->order_per_bit));
}

/* Keep the ends right for pages that are released, and those before them */
static void cma_move_end(struct cma *cma, unsigned long offset,
			 unsigned long count)
{
	unsigned long bit = offset >> cma->order_per_bit;

	if (cma_pages_to_end(cma, offset) == count)
		__clear_bit(offset + count - 1, cma->ends);
	if (bit && cma_is_allocated(cma, bit - 1, 1) &&
	    !cma_bit_has_end(cma, bit - 1))
		__set_bit(offset - 1, cma->ends);
}

/* What became of pages that are to be released */
enum cma_taken {
	CMA_TAKEN,	/* no longer allocated, but still claimed */
	CMA_FOREIGN,	/* none of them is allocated */
	CMA_MIXED,	/* not all of them are allocated */
	CMA_BEYOND,	/* they reach beyond a buffer */
};

/* Mark pages as no longer allocated, but keep them claimed */
static enum cma_taken cma_take_back(struct cma *cma, const struct page *pages,
				    unsigned long count)
{
	unsigned long offset = page_to_pfn(pages) - cma->base_pfn;
	unsigned long bit, nr_bits, flags;
	enum cma_taken taken = CMA_MIXED;

	if (!cma_pages_to_range(cma, pages, count, &bit, &nr_bits))
		return taken;

	spin_lock_irqsave(&cma->lock, flags);
	if (!cma_is_allocated(cma, bit, nr_bits)) {
		if (find_next_bit(cma->allocated, bit + nr_bits, bit) >=
		    bit + nr_bits)
			taken = CMA_FOREIGN;
	} else if (!cma_is_one_buffer(cma, offset, count)) {
		taken = CMA_BEYOND;
	} else {
		cma_move_end(cma, offset, count);
		bitmap_clear(cma->allocated, bit, nr_bits);
		cma->nr_claims++;
		taken = CMA_TAKEN;
	}
	spin_unlock_irqrestore(&cma->lock, flags);

	return taken;
}

/**
 * cma_release() - free contiguous pages to their area
 * @cma: area, or NULL
 * @pages: first page of an allocation, or of a part of one that is aligned to
 *	   the area's smallest unit of allocation
 * @count: number of pages; if this is less than was allocated, a multiple of
 *	   that unit, or all pages up to the end of the allocation
 *
 * Context: any, including with interrupts off.
 * Return: true if the pages were freed; false, with nothing done, unless all of
 * them lie in the area and belong to one allocation.
 */
bool cma_release(struct cma *cma, const struct page *pages,
		 unsigned long count)
{
	enum cma_taken taken;
	unsigned long pfn;

	if (!cma_pages_valid(cma, pages, count))
		return false;

	pfn = page_to_pfn(pages);
	taken = cma_take_back(cma, pages, count);
	if (taken != CMA_TAKEN) {
		/* hugetlb passes pages that may be the page allocator's */
		if (taken != CMA_FOREIGN || !page_count((struct page *)pages))
			pr_err_ratelimited("area %s: release of %lu pages at pfn %#lx, not all of them %s\n",
					   cma->name, count, pfn,
					   taken == CMA_BEYOND ?
					   "of one buffer" : "allocated");
		return false;
	}

	/* The range must not be claimed again before its pages are free */
	if (pfn < cma_reserve_pfn(cma))
		free_contig_range(pfn, count);
	else
		cma_check_reserve(cma, pfn, count);
	cma_drop_claim(cma, cma_pfn_to_bit(cma, pfn),
		       cma_pages_to_bits(cma, count));

	atomic_long_add(count, &cma->nr_released);
	trace_cma_release(cma->name, pfn, pages, count);
	pr_debug("area %s: %lu pages at pfn %#lx released\n", cma->name, count,
		 pfn);
	return true;
}
EXPORT_SYMBOL_GPL(cma_release);
