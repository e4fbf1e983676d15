// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of mm/spill.c, whose functions are not exported
 */
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>

#include "selftest.h"

#define ST_PART		64UL	/* pages */
#define ST_MAX_PARTS	4096

typedef unsigned long (*st_spill)(struct zonelist *zonelist, unsigned int order,
				  gfp_t gfp_mask, nodemask_t *nodemask);
typedef bool (*st_skips)(struct zone *zone, gfp_t gfp_mask);

static struct page *st_parts[ST_MAX_PARTS];
static unsigned int st_nr_parts;

static int st_take_area(struct cma *cma, void *data)
{
	while (st_nr_parts < ST_MAX_PARTS) {
		struct page *page = cma_alloc(cma, ST_PART, 0, true);

		if (!page)
			break;
		st_parts[st_nr_parts++] = page;
	}
	return 0;
}

static void st_release_areas(void)
{
	while (st_nr_parts) {
		struct page *page = st_parts[--st_nr_parts];

		cma_release(cma_area_of(page, ST_PART), page, ST_PART);
	}
}

/*
 * Is a zone that was given up tried again when movable memory is short?  Pages that
 * another CPU frees would have the same effect; the lock keeps them away.
 */
static bool st_tries_again(struct zone *zone, st_spill spill)
{
	const gfp_t movable = GFP_HIGHUSER_MOVABLE;
	unsigned long flags;
	bool again;

	spin_lock_irqsave(&zone->lock, flags);
	zone->all_unreclaimable = 1;
	zone->pages_scanned = 1;
	spill(node_zonelist(zone_to_nid(zone), movable), 0, movable, NULL);
	again = !zone->all_unreclaimable && !zone->pages_scanned;
	zone->all_unreclaimable = 0;
	zone->pages_scanned = 0;
	spin_unlock_irqrestore(&zone->lock, flags);
	return again;
}

CMA_SELFTEST(st_unskip, "a zone whose CMA pages were skipped is reclaimed again when they are few")
{
	st_spill spill = (st_spill)kallsyms_lookup_name("spill_into_cma");
	st_skips skips = (st_skips)kallsyms_lookup_name("reclaim_skips_cma");
	struct zone *zone;

	if (!st_need_area(t, ST_DEFAULT) ||
	    !ST_CHECK(t, spill && skips, "no functions"))
		return;
	zone = page_zone(pfn_to_page(st_area_base_pfn(ST_DEFAULT)));
	ST_CHECK(t, !skips(zone, GFP_HIGHUSER_MOVABLE),
		 "CMA pages are skipped for a movable request");
	if (!skips(zone, GFP_KERNEL)) {
		t->skipped = "few CMA pages are free";
		return;
	}

	ST_CHECK(t, !st_tries_again(zone, spill),
		 "tried again although CMA pages are plentiful");
	cma_for_each_area(st_take_area, NULL);
	if (ST_CHECK(t, !skips(zone, GFP_KERNEL), "still plentiful: %lu",
		     zone_page_state_snapshot(zone, NR_FREE_CMA_PAGES))) {
		ST_CHECK(t, st_tries_again(zone, spill), "not tried again");
		ST_CHECK(t, !st_tries_again(zone, spill),
			 "tried again without being skipped since");
	}
	st_release_areas();
}
