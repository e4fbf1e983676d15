/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free pages of CMA blocks, and requests that cannot use them.
 */
#ifndef __MM_SPILL_H
#define __MM_SPILL_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>

struct alloc_context;

#ifdef CONFIG_CMA

extern atomic_long_t contig_pages_in_flight;

unsigned long spill_into_cma(gfp_t gfp_mask, unsigned int order,
			     const struct alloc_context *ac);
bool defer_oom(gfp_t gfp_mask, unsigned int order,
	       const struct alloc_context *ac);
bool spill_for_kswapd(pg_data_t *pgdat, unsigned int order, int highest_zoneidx,
		      unsigned long *nr_reclaimed);
bool reclaim_skips_cma(struct zone *zone, gfp_t gfp_mask);

/*
 * While a range is being emptied, its pages had better not move to other CMA
 * blocks, from which the next request would have to move them again.  The other
 * free pages of the zone are used until they are as few as kswapd leaves.
 */
static inline bool contig_needs_others(struct zone *zone)
{
	return atomic_long_read(&contig_pages_in_flight) &&
	       zone_page_state(zone, NR_FREE_PAGES) >
	       zone_page_state(zone, NR_FREE_CMA_PAGES) +
	       high_wmark_pages(zone);
}

/* Is reclaiming this page of no use for the requests that are short of pages? */
static inline bool reclaim_skips_page(struct page *page, gfp_t gfp_mask)
{
	return is_migrate_cma_page(page) &&
	       reclaim_skips_cma(page_zone(page), gfp_mask);
}

#else

static inline unsigned long spill_into_cma(gfp_t gfp_mask, unsigned int order,
					   const struct alloc_context *ac)
{
	return 0;
}

static inline bool defer_oom(gfp_t gfp_mask, unsigned int order,
			     const struct alloc_context *ac)
{
	return false;
}

static inline bool spill_for_kswapd(pg_data_t *pgdat, unsigned int order,
				    int highest_zoneidx,
				    unsigned long *nr_reclaimed)
{
	return false;
}

static inline bool contig_needs_others(struct zone *zone)
{
	return false;
}

static inline bool reclaim_skips_page(struct page *page, gfp_t gfp_mask)
{
	return false;
}

#endif /* CONFIG_CMA */

#endif /* __MM_SPILL_H */
