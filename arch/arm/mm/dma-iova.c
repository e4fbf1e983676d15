// SPDX-License-Identifier: GPL-2.0
/*
 * Allocator of io addresses
 *
 * The space is divided into regions of 4 MiB.  A region has a buddy allocator,
 * whose free blocks are bits in the order of a heap: block 1 is the region,
 * blocks 2 and 3 are its halves, and 1024 to 2047 are its pages.  A second level
 * of bits tells which words of these are not 0, and the space knows for each
 * order which regions have a free block.  An allocation therefore looks at a
 * fixed number of words, however many ranges are in use.
 *
 * The range that was freed last is kept for the next request of its size.
 *
 * A region needs memory only when it is first used.  Ranges of more than 4 MiB
 * consist of regions that are free.
 *
 * Each range is aligned to its size, rounded up to a power of two, up to 4 MiB.
 * Larger ranges are aligned up to 16 MiB if there is room.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/page.h>

#include "dma-iova.h"

#define REGION_ORDER	10U
#define REGION_PAGES	1024UL
#define MAX_REGIONS	1024U	/* in 4 GiB */
/* The largest alignment is that of the largest page of an IOMMU, 16 MiB */
#define ALIGN_REGIONS	4U
/* Pages of an IOMMU that are larger than others have at least this order */
#define LEAF_ORDER	4

struct iova_region {
	u32		words[2];	/* which words of free are not 0 */
	u32		free[2 * REGION_PAGES / 32];
	/* pages of ranges; the last one is that which was asked for */
	unsigned long	first[BITS_TO_LONGS(REGION_PAGES)];
	unsigned long	last[BITS_TO_LONGS(REGION_PAGES)];
	u8		leaf[REGION_PAGES >> LEAF_ORDER];	/* see arm_iova_leaf() */
};

/*
 * The last range of each order that was freed, for the next request of its size:
 * so that mapping and unmapping one buffer after the other does not split and
 * merge blocks each time.
 */
struct iova_spare {
	unsigned long	page;		/* from the first region on */
	unsigned long	nr_pages;	/* 0: none */
};

/* A set of regions */
struct iova_set {
	u32	words;			/* which words of set are not 0 */
	u32	set[MAX_REGIONS / 32];
};

struct iova_space {
	spinlock_t	lock;		/* interrupts off, innermost */
	unsigned int	order;		/* constant: of the smallest range */
	unsigned long	start, end;	/* constant: pages */
	unsigned int	base;		/* constant: number of the first region */
	unsigned int	nr_regions;	/* constant */
	/* protected by lock: */
	u32		orders;		/* which sets below are not empty */
	struct iova_set	avail[REGION_ORDER + 1];	/* have a block of an order */
	struct iova_set	unused;		/* have no memory yet */
	struct iova_spare spares[REGION_ORDER + 1];
	struct iova_region *regions[];	/* a region stays once it is there */
};

static void set_add(struct iova_set *set, unsigned int nr)
{
	set->set[nr / 32] |= 1U << nr % 32;
	set->words |= 1U << nr / 32;
}

static void set_remove(struct iova_set *set, unsigned int nr)
{
	set->set[nr / 32] &= ~(1U << nr % 32);
	if (!set->set[nr / 32])
		set->words &= ~(1U << nr / 32);
}

/* The set must not be empty */
static unsigned int set_first(const struct iova_set *set)
{
	unsigned int word = __ffs(set->words);

	return word * 32 + __ffs(set->set[word]);
}

/*
 * Blocks of a region
 */

/* The blocks of an order are those from here to twice this number */
static unsigned int first_block(unsigned int order)
{
	return REGION_PAGES >> order;
}

static unsigned long block_page(unsigned int block, unsigned int order)
{
	return (unsigned long)(block - first_block(order)) << order;
}

static bool is_free(const struct iova_region *region, unsigned int block)
{
	return region->free[block / 32] >> block % 32 & 1;
}

/* Return a free block of this order; 0 if there is none */
static unsigned int find_block(const struct iova_region *region,
			       unsigned int order)
{
	unsigned int first = first_block(order), word = first / 32;
	u32 found;

	if (!word) {
		/* large blocks share a word */
		found = region->free[0] & ((1U << first) - 1) << first;
		return found ? __ffs(found) : 0;
	}

	if (word < 32)
		found = region->words[0] & ((1U << word) - 1) << word;
	else
		found = region->words[1];
	if (!found)
		return 0;

	word = (word & 32) + __ffs(found);
	return word * 32 + __ffs(region->free[word]);
}

static void add_block(struct iova_space *space, unsigned int nr,
		      unsigned int block, unsigned int order)
{
	struct iova_region *region = space->regions[nr];
	unsigned int word = block / 32;

	region->free[word] |= 1U << block % 32;
	region->words[word / 32] |= 1U << word % 32;
	set_add(&space->avail[order], nr);
	space->orders |= 1U << order;
}

static void remove_block(struct iova_space *space, unsigned int nr,
			 unsigned int block, unsigned int order)
{
	struct iova_region *region = space->regions[nr];
	unsigned int word = block / 32;

	region->free[word] &= ~(1U << block % 32);
	if (!region->free[word])
		region->words[word / 32] &= ~(1U << word % 32);

	if (find_block(region, order))
		return;
	set_remove(&space->avail[order], nr);
	if (!space->avail[order].words)
		space->orders &= ~(1U << order);
}

/* Free a block, and merge it with its buddies */
static void free_block(struct iova_space *space, unsigned int nr,
		       unsigned int block, unsigned int order)
{
	while (block > 1 && is_free(space->regions[nr], block ^ 1)) {
		remove_block(space, nr, block ^ 1, order);
		block /= 2;
		order++;
	}
	add_block(space, nr, block, order);
}

/* Free pages of a region, block by block */
static void free_pages_of(struct iova_space *space, unsigned int nr,
			  unsigned long page, unsigned long end)
{
	while (page < end) {
		unsigned int order = fls(end - page) - 1;

		if (page)
			order = min_t(unsigned int, order, __ffs(page));
		free_block(space, nr, (REGION_PAGES + page) >> order, order);
		page += 1UL << order;
	}
}

/* The largest free block that starts at this page; 0 if none does */
static unsigned int block_at(const struct iova_region *region,
			     unsigned long page, unsigned int *order)
{
	unsigned int block = REGION_PAGES + page;

	*order = 0;
	while (!is_free(region, block)) {
		if (block & 1)
			return 0;
		block /= 2;
		++*order;
	}
	return block;
}

/* Are the first pages of a region free?  If it needs memory first, they may be. */
static bool is_prefix_free(const struct iova_region *region,
			   unsigned long nr_pages)
{
	unsigned long page = 0;
	unsigned int order;

	while (region && page < nr_pages) {
		if (!block_at(region, page, &order))
			return false;
		page += 1UL << order;
	}
	return true;
}

static void take_prefix(struct iova_space *space, unsigned int nr,
			unsigned long nr_pages)
{
	unsigned long page = 0;
	unsigned int block, order;

	while (page < nr_pages) {
		block = block_at(space->regions[nr], page, &order);
		remove_block(space, nr, block, order);
		page += 1UL << order;
	}
	free_pages_of(space, nr, nr_pages, page);
}

/*
 * Ranges
 */

static int add_region(struct iova_space *space, unsigned int nr, gfp_t gfp)
{
	unsigned long start = (unsigned long)(space->base + nr) * REGION_PAGES;
	struct iova_region *region = kzalloc(sizeof(*region),
					     gfp | __GFP_NOWARN);
	unsigned long flags;

	if (!region)
		return -ENOMEM;

	spin_lock_irqsave(&space->lock, flags);
	if (!space->regions[nr]) {
		space->regions[nr] = region;
		region = NULL;
		set_remove(&space->unused, nr);
		free_pages_of(space, nr,
			      max(start, space->start) - start,
			      min(start + REGION_PAGES, space->end) - start);
	}
	spin_unlock_irqrestore(&space->lock, flags);
	kfree(region);	/* another CPU was faster */
	return 0;
}

/*
 * Take nr_pages, which fit into a region.  If a region needs memory first, set
 * *nr to it, and return -EAGAIN.
 */
static int take_block(struct iova_space *space, unsigned long nr_pages,
		      unsigned int *nr, unsigned long *page)
{
	unsigned int order = fls(nr_pages - 1), from, block;
	u32 usable = space->orders & ~0U << order;

	if (!usable) {
		if (!space->unused.words)
			return -ENOSPC;
		*nr = set_first(&space->unused);
		return -EAGAIN;
	}

	from = __ffs(usable);
	*nr = set_first(&space->avail[from]);
	block = find_block(space->regions[*nr], from);
	remove_block(space, *nr, block, from);
	while (from > order) {
		from--;
		block *= 2;
		add_block(space, *nr, block + 1, from);
	}

	*page = block_page(block, order);
	free_pages_of(space, *nr, *page + nr_pages, *page + (1UL << order));
	return 0;
}

/* Return the first of free regions with nr_pages, or -ENOSPC */
static int find_run(struct iova_space *space, unsigned long nr_pages,
		    unsigned int step)
{
	unsigned int nr = 0, first = -space->base & (step - 1);

	while (first + nr < space->nr_regions) {
		unsigned long left = nr_pages - nr * REGION_PAGES;

		if (!is_prefix_free(space->regions[first + nr],
				    min(left, REGION_PAGES))) {
			first = ALIGN(space->base + first + nr + 1, step) -
				space->base;
			nr = 0;
			continue;
		}
		if (left <= REGION_PAGES)
			return first;
		nr++;
	}
	return -ENOSPC;
}

/* The same as take_block(), for more than a region */
static int take_run(struct iova_space *space, unsigned long nr_pages,
		    unsigned int *nr)
{
	unsigned int step = min(1U << fls((nr_pages - 1) / REGION_PAGES),
				ALIGN_REGIONS);
	int first = find_run(space, nr_pages, step);
	unsigned int nr_regions;

	if (first < 0)
		first = find_run(space, nr_pages, 1);
	if (first < 0)
		return first;

	nr_regions = DIV_ROUND_UP(nr_pages, REGION_PAGES);
	for (*nr = first; *nr < first + nr_regions; ++*nr)
		if (!space->regions[*nr])
			return -EAGAIN;

	for (*nr = first; nr_regions--; first++) {
		take_prefix(space, first, min(nr_pages, REGION_PAGES));
		nr_pages -= min(nr_pages, REGION_PAGES);
	}
	return 0;
}

static struct iova_spare *spare_of(struct iova_space *space,
				   unsigned long nr_pages)
{
	return nr_pages <= REGION_PAGES ? &space->spares[fls(nr_pages - 1)] :
					  NULL;
}

/* Free pages that may belong to several regions */
static void free_range(struct iova_space *space, unsigned long page,
		       unsigned long nr_pages)
{
	unsigned long end = page + nr_pages;
	unsigned int nr = page / REGION_PAGES;

	for (page %= REGION_PAGES; nr * REGION_PAGES < end; nr++) {
		free_pages_of(space, nr, page,
			      min(end - nr * REGION_PAGES, REGION_PAGES));
		page = 0;
	}
}

static void free_spare(struct iova_space *space, struct iova_spare *spare)
{
	free_range(space, spare->page, spare->nr_pages);
	spare->nr_pages = 0;
}

static bool free_spares(struct iova_space *space)
{
	bool freed = false;
	unsigned int order;

	for (order = 0; order <= REGION_ORDER; order++) {
		freed |= space->spares[order].nr_pages;
		free_spare(space, &space->spares[order]);
	}
	return freed;
}

/* Take a range, see take_block() */
static int take_range(struct iova_space *space, unsigned long nr_pages,
		      unsigned int *nr, unsigned long *page)
{
	struct iova_spare *spare = spare_of(space, nr_pages);
	int ret;

	if (spare && spare->nr_pages == nr_pages) {
		spare->nr_pages = 0;
		*nr = spare->page / REGION_PAGES;
		*page = spare->page % REGION_PAGES;
		return 0;
	}

	do {
		*page = 0;
		if (nr_pages <= REGION_PAGES)
			ret = take_block(space, nr_pages, nr, page);
		else
			ret = take_run(space, nr_pages, nr);
	} while (ret == -ENOSPC && free_spares(space));
	return ret;
}

static unsigned long round_range(const struct iova_space *space,
				 unsigned long nr_pages)
{
	return ALIGN(nr_pages, 1UL << space->order);
}

/**
 * arm_iova_alloc() - allocate a range of io addresses
 * @space: the space
 * @nr_pages: size in pages
 * @gfp: flags for memory that the space needs when it grows
 * @addr: set to the first address
 *
 * Takes constant time up to 4 MiB, apart from the memory.
 *
 * Context: as @gfp allows; interrupts may be off.
 * Return: 0; -ENOSPC if there is no room; -ENOMEM; -EINVAL if @nr_pages is 0.
 */
int arm_iova_alloc(struct iova_space *space, unsigned long nr_pages,
		   gfp_t gfp, dma_addr_t *addr)
{
	unsigned long flags, page, last;
	unsigned int nr = 0;
	int ret;

	if (!nr_pages)
		return -EINVAL;
	if (nr_pages > space->end - space->start)
		return -ENOSPC;

	for (;;) {
		spin_lock_irqsave(&space->lock, flags);
		ret = take_range(space, round_range(space, nr_pages), &nr,
				 &page);
		if (!ret)
			break;
		spin_unlock_irqrestore(&space->lock, flags);

		if (ret == -EAGAIN)
			ret = add_region(space, nr, gfp);
		if (ret)
			return ret;
	}

	last = nr * REGION_PAGES + page + nr_pages - 1;
	__set_bit(page, space->regions[nr]->first);
	__set_bit(last % REGION_PAGES,
		  space->regions[last / REGION_PAGES]->last);
	spin_unlock_irqrestore(&space->lock, flags);

	*addr = (dma_addr_t)((space->base + nr) * REGION_PAGES + page)
		<< PAGE_SHIFT;
	return 0;
}

/*
 * Return the number of pages of the range that starts at a page, counted from
 * the first region; 0 if none does
 */
static unsigned long range_pages(struct iova_space *space, unsigned long start)
{
	unsigned int nr = start / REGION_PAGES;
	unsigned long page = start % REGION_PAGES;

	if (nr >= space->nr_regions || !space->regions[nr] ||
	    !test_bit(page, space->regions[nr]->first))
		return 0;

	for (;;) {
		page = find_next_bit(space->regions[nr]->last, REGION_PAGES,
				     page);
		if (page < REGION_PAGES)
			return nr * REGION_PAGES + page + 1 - start;
		page = 0;
		nr++;
	}
}

static unsigned long page_of(const struct iova_space *space, dma_addr_t addr)
{
	return (addr >> PAGE_SHIFT) - space->base * REGION_PAGES;
}

/**
 * arm_iova_retire() - take a range back, but do not use it again yet
 * @space: the space
 * @addr: what the allocation returned
 * @nr_pages: size in pages, as in the allocation
 *
 * Only one caller can retire a range.
 *
 * Context: any.
 * Return: false, with nothing done, if that is not the range, but a part of one,
 * say.
 */
bool arm_iova_retire(struct iova_space *space, dma_addr_t addr,
		     unsigned long nr_pages)
{
	unsigned long page = page_of(space, addr), flags, last;

	spin_lock_irqsave(&space->lock, flags);
	if (!nr_pages || range_pages(space, page) != nr_pages) {
		spin_unlock_irqrestore(&space->lock, flags);
		return false;
	}

	last = page + nr_pages - 1;
	__clear_bit(page % REGION_PAGES,
		    space->regions[page / REGION_PAGES]->first);
	__clear_bit(last % REGION_PAGES,
		    space->regions[last / REGION_PAGES]->last);
	spin_unlock_irqrestore(&space->lock, flags);
	return true;
}

/**
 * arm_iova_recycle() - free a range that was retired
 * @space: the space
 * @addr: what the allocation returned
 * @nr_pages: size in pages, as in the allocation
 *
 * Context: any.
 */
void arm_iova_recycle(struct iova_space *space, dma_addr_t addr,
		      unsigned long nr_pages)
{
	unsigned long page = page_of(space, addr), flags;
	struct iova_spare *spare;

	spin_lock_irqsave(&space->lock, flags);
	nr_pages = round_range(space, nr_pages);
	spare = spare_of(space, nr_pages);
	if (!spare || spare->nr_pages == nr_pages) {
		free_range(space, page, nr_pages);
	} else {
		free_spare(space, spare);
		spare->page = page;
		spare->nr_pages = nr_pages;
	}
	spin_unlock_irqrestore(&space->lock, flags);
}

/**
 * arm_iova_leaf() - remember the order of a page that an IOMMU maps
 * @space: the space
 * @addr: address of the page, in a range
 *
 * The byte is for the user of the range, who sets it back to 0 before the range
 * is recycled.  It stands for 16 pages, so that pages of smaller orders have none.
 *
 * Context: any.
 * Return: the byte, or NULL if no larger page can start there.
 */
u8 *arm_iova_leaf(struct iova_space *space, dma_addr_t addr)
{
	unsigned long page = page_of(space, addr);

	if (page & ((1UL << LEAF_ORDER) - 1))
		return NULL;
	return &space->regions[page / REGION_PAGES]
			->leaf[page % REGION_PAGES >> LEAF_ORDER];
}

/**
 * arm_iova_end() - get the end of a space
 * @space: the space
 *
 * Context: any.
 * Return: the address after the last one.
 */
u64 arm_iova_end(const struct iova_space *space)
{
	return (u64)space->end << PAGE_SHIFT;
}

/**
 * arm_iova_create() - create a space of io addresses
 * @base: first address
 * @size: size in bytes
 * @order: log2 of the smallest range in pages, 0 to 10
 *
 * @base is a multiple of the smallest range; a part of it at the end is not used.
 * Nor is the last page of the 4 GiB, because its last address stands for an error.
 *
 * Context: process context, may sleep.
 * Return: the space; -EINVAL if the arguments are wrong; or -ENOMEM.
 */
struct iova_space *arm_iova_create(dma_addr_t base, u64 size,
				   unsigned int order)
{
	u64 limit = 1ULL << 32, end = base + size;
	struct iova_space *space;
	unsigned int first, last, nr;

	if (order > REGION_ORDER || base & ((PAGE_SIZE << order) - 1) ||
	    size > limit - base)
		return ERR_PTR(-EINVAL);
	end = min(end, limit - PAGE_SIZE);
	end &= ~(((u64)PAGE_SIZE << order) - 1);
	if (end <= base)
		return ERR_PTR(-EINVAL);

	first = base >> (PAGE_SHIFT + REGION_ORDER);
	last = (end - 1) >> (PAGE_SHIFT + REGION_ORDER);
	space = kzalloc(sizeof(*space) +
			(last - first + 1) * sizeof(*space->regions),
			GFP_KERNEL);
	if (!space)
		return ERR_PTR(-ENOMEM);

	spin_lock_init(&space->lock);
	space->order = order;
	space->start = base >> PAGE_SHIFT;
	space->end = end >> PAGE_SHIFT;
	space->base = first;
	space->nr_regions = last - first + 1;
	for (nr = 0; nr < space->nr_regions; nr++)
		set_add(&space->unused, nr);
	return space;
}

/**
 * arm_iova_destroy() - destroy a space of io addresses
 * @space: the space, which is not used any more
 *
 * Context: any.
 */
void arm_iova_destroy(struct iova_space *space)
{
	unsigned int nr;

	for (nr = 0; nr < space->nr_regions; nr++)
		kfree(space->regions[nr]);
	kfree(space);
}
