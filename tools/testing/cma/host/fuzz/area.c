// SPDX-License-Identifier: GPL-2.0
/*
 * Run any sequence of allocations and releases on an active area: each page has
 * one owner, and none is lost. Input: a byte for the area, then 4 for each step.
 */
#include "stubs.h"
#include <linux/cma.h>
#include "cma.h"
#include "fuzz.h"

#define BASE	0x60400UL
#define HELD	16
#define STEPS	64

static struct cma *cma;
static struct held { struct page *page; unsigned long count; } held[HELD];
static unsigned long nr_held;

static void hold(struct held *h, struct page *page, unsigned long count, unsigned int align_order)
{
	unsigned long i;

	if (!page)
		return;
	REQUIRE(cma_pages_allocated(cma, page, count));
	REQUIRE_EQ(page_to_pfn(page) % (1UL << align_order), 0);
	for (i = 0; i < count; i++) {
		REQUIRE_EQ(page[i].state, PAGE_OWNED);
		REQUIRE_EQ(page[i].owner, 0);
		page[i].owner = h - held + 1;
	}
	h->page = page;
	h->count = count;
	nr_held += count;
}

/* Release all of it, or the first whole bits */
static void let_go(struct held *h, unsigned long count)
{
	unsigned long i, bit = 1UL << cma->order_per_bit;

	count = count < h->count ? round_down(count, bit) : h->count;
	if (!count)
		return;
	for (i = 0; i < count; i++)
		REQUIRE_EQ(h->page[i].owner, h - held + 1);
	REQUIRE(cma_release(cma, h->page, count));
	REQUIRE(!cma_release(cma, h->page, count));
	nr_held -= count;
	h->page = h->count > count ? h->page + count : NULL;
	h->count -= count;
}

/* The rest of the system uses a free page */
static void use_page(unsigned long i, enum host_state state)
{
	if (host.pages[i].state != PAGE_OWNED)
		host.pages[i].state = state;
}

static void release_any(unsigned long i, unsigned long count)
{
	struct page *page = &host.pages[i];
	bool owned = page[0].owner;

	if (!owned)
		REQUIRE(!cma_release(cma, page, count));
}

static void step(const uint8_t *op)
{
	struct held *h = &held[op[0] / 16];
	unsigned long count = 1 + op[1] + (op[2] & 7) * 256UL, i = count % cma->count;
	unsigned int align_order = op[3] % 12;

	if (op[0] % 16 < 4 && h->page)
		let_go(h, ~0UL);
	switch (op[0] % 16) {
	case 0 ... 2:
		hold(h, cma_alloc(cma, count, align_order, op[2] & 8), count, align_order);
		break;
	case 3:
		hold(h, cma_try_alloc(cma, count, align_order), count, align_order);
		break;
	case 4 ... 5:
		if (h->page)
			let_go(h, count);
		break;
	case 6 ... 8:
		for (; i < cma->count && align_order--; i++)
			use_page(i, op[0] % 16 - 6 + PAGE_FREE);
		break;
	case 9:
		release_any(i, 1 + op[3]);
		break;
	case 10:
		host.killed = op[3] & 1;
		break;
	case 11:
		host.elsewhere = op[3] - 1;
		break;
	default:
		host_current.flags = op[3] & 1 ? PF_MEMALLOC : 0;
	}
	REQUIRE_EQ(host_nr(PAGE_OWNED), nr_held);
	host.log[0] = 0;
}

int fuzz_one_input(const uint8_t *data, size_t size)
{
	unsigned long blocks, i;
	size_t at;

	if (size < 1)
		return 0;
	host_reset();
	memset(held, 0, sizeof(held));
	nr_held = 0;
	blocks = 1 + (data[0] & 1);
	host_pages(BASE, blocks * pageblock_nr_pages);
	REQUIRE_EQ(cma_init_reserved_mem(PFN_PHYS(BASE), PFN_PHYS(host.nr_pages), data[0] / 2 % 4,
					 NULL, &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);

	for (at = 1; at + 4 <= size && at < 4 * STEPS; at += 4)
		step(data + at);
	host_check_area(cma);
	for (i = 0; i < HELD; i++)
		if (held[i].page)
			let_go(&held[i], ~0UL);
	host_check_area(cma);
	REQUIRE_EQ(cma_used_pages(cma), 0);
	REQUIRE_EQ(host_nr(PAGE_OWNED), 0);
	return 0;
}
