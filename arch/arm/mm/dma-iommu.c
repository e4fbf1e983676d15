// SPDX-License-Identifier: GPL-2.0
/*
 * DMA operations of devices behind an IOMMU
 *
 * A mapping is a domain of an IOMMU and a space of io addresses.  What a device
 * is to access is given a range of the space, which the IOMMU maps page by page,
 * with the largest pages for which memory and io address are aligned.  A range is
 * mapped before the caches are maintained, so that a failure leaves memory as it
 * was, and unmapped as a whole or not at all.
 *
 * The IOMMU is told once about all ranges of a list: after they were mapped, and
 * after they were unmapped.  Only then are their io addresses used again, or their
 * pages given to the CPU.  A lazy mapping does not wait for that: it collects ranges
 * of io addresses until it flushes all of them at once.
 *
 * A coherent buffer consists of blocks from anywhere.  If there is a contiguous
 * area, none of them keeps a cached mapping.
 */
#define pr_fmt(fmt) "DMA: " fmt

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/radix-tree.h>
#include <linux/ratelimit.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#include <asm/cacheflush.h>
#include <asm/dma-contiguous.h>
#include <asm/dma-iommu.h>
#include <asm/pgtable.h>
#include <asm/sizes.h>

#include "dma-iova.h"
#include "dma-ops.h"

/* A coherent buffer; constant after it was added to its mapping */
struct iommu_buffer {
	dma_addr_t	iova;
	size_t		size;		/* bytes */
	void		*cpu_addr;	/* what the driver has */
	bool		mapped;		/* cpu_addr is an address */
	void		*contiguous;	/* of __dma_alloc(); NULL: scattered */
	dma_addr_t	bus;		/* of that */
	struct page	*pages[];
};

/* A lazy mapping flushes the TLB when it has so many ranges, or after this time */
#define QUEUE_RANGES	64
#define QUEUE_MS	10

/* Ranges that are unmapped and retired, but that the TLB may still have */
struct iommu_queue {
	spinlock_t		lock;	/* interrupts off; held while flushing */
	struct timer_list	timer;
	/* protected by lock: */
	unsigned long		start, end;	/* all ranges are between these */
	unsigned int		nr;
	struct {
		dma_addr_t	iova;
		unsigned long	nr_pages;
	}			ranges[QUEUE_RANGES];
};

/* Attaching and detaching */
static DEFINE_MUTEX(attach_mutex);

static bool lazy_by_default;

static struct dma_iommu_mapping *mapping_of(struct device *dev)
{
	return dev->archdata.mapping;
}

/*
 * Ranges that the IOMMU maps
 */

/* Orders of the pages of ARM's IOMMUs: 16 MiB, 1 MiB, 64 KiB, 4 KiB */
static const unsigned int leaf_orders[] = { 12, 8, 4, 0 };

static unsigned int leaf_order(const struct dma_iommu_mapping *mapping,
			       dma_addr_t iova, phys_addr_t phys, size_t size)
{
	const unsigned int *order = leaf_orders;

	while (*order && (!(mapping->orders >> *order & 1) ||
			  size < PAGE_SIZE << *order ||
			  ((iova | phys) & ((PAGE_SIZE << *order) - 1))))
		order++;
	return *order;
}

/* Unmap a range, of which the TLB may still have entries */
static void clear_range(struct dma_iommu_mapping *mapping, dma_addr_t iova,
			size_t size)
{
	while (size) {
		u8 *leaf = arm_iova_leaf(mapping->iova, iova);
		unsigned int order = leaf ? *leaf : 0;
		int ret = iommu_unmap_noflush(mapping->domain, iova, order);

		WARN(ret < 0, "DMA: cannot unmap %#lx: %d\n",
		     (unsigned long)iova, ret);
		if (leaf)
			*leaf = 0;
		iova += PAGE_SIZE << order;
		size -= PAGE_SIZE << order;
	}
}

static void unmap_range(struct dma_iommu_mapping *mapping, dma_addr_t iova,
			size_t size)
{
	clear_range(mapping, iova, size);
	if (size)
		iommu_flush_range(mapping->domain, iova, size);
}

/*
 * Map contiguous memory, for devices to use after iommu_sync_map().  All is as
 * before if that fails.
 */
static int map_range(struct dma_iommu_mapping *mapping, dma_addr_t iova,
		     phys_addr_t phys, size_t size, int prot)
{
	size_t done = 0;

	while (done < size) {
		unsigned int order = leaf_order(mapping, iova + done,
						phys + done, size - done);
		int ret = iommu_map_nosync(mapping->domain, iova + done,
					   phys + done, order, prot);

		if (ret == -EINVAL && order) {
			/* This IOMMU does not have pages of this size */
			clear_bit(order, &mapping->orders);
			continue;
		}
		if (ret) {
			unmap_range(mapping, iova, done);
			return ret;
		}
		if (order)
			*arm_iova_leaf(mapping->iova, iova + done) = order;
		done += PAGE_SIZE << order;
	}
	return 0;
}

static unsigned long count_pages(size_t size)
{
	return PAGE_ALIGN(size) >> PAGE_SHIFT;
}

static int direction_to_prot(enum dma_data_direction dir)
{
	int prot = 0;

	if (dir != DMA_FROM_DEVICE)
		prot |= IOMMU_READ;
	if (dir != DMA_TO_DEVICE)
		prot |= IOMMU_WRITE;
	if (arch_is_coherent())
		prot |= IOMMU_CACHE;
	return prot;
}

static void flush_locked(struct dma_iommu_mapping *mapping)
{
	struct iommu_queue *queue = mapping->queue;

	if (!queue->nr)
		return;
	iommu_flush_range(mapping->domain, queue->start,
			  queue->end - queue->start);
	while (queue->nr) {
		queue->nr--;
		arm_iova_recycle(mapping->iova, queue->ranges[queue->nr].iova,
				 queue->ranges[queue->nr].nr_pages);
	}
}

/* After that, what a lazy mapping has unmapped before can be used again */
static void flush_queue(struct dma_iommu_mapping *mapping)
{
	unsigned long flags;

	if (!mapping->queue)
		return;
	spin_lock_irqsave(&mapping->queue->lock, flags);
	flush_locked(mapping);
	spin_unlock_irqrestore(&mapping->queue->lock, flags);
}

static void queue_timeout(unsigned long data)
{
	flush_queue((struct dma_iommu_mapping *)data);
}

static void queue_range(struct dma_iommu_mapping *mapping, dma_addr_t iova,
			unsigned long nr_pages)
{
	unsigned long start = iova, end = start + (nr_pages << PAGE_SHIFT);
	struct iommu_queue *queue = mapping->queue;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	if (!queue->nr) {
		queue->start = start;
		queue->end = end;
		mod_timer(&queue->timer, jiffies + msecs_to_jiffies(QUEUE_MS));
	}
	queue->start = min(queue->start, start);
	queue->end = max(queue->end, end);
	queue->ranges[queue->nr].iova = iova;
	queue->ranges[queue->nr].nr_pages = nr_pages;
	if (++queue->nr == QUEUE_RANGES)
		flush_locked(mapping);
	spin_unlock_irqrestore(&queue->lock, flags);
}

static int alloc_iova(struct dma_iommu_mapping *mapping, unsigned long nr_pages,
		      gfp_t gfp, dma_addr_t *iova)
{
	int ret = arm_iova_alloc(mapping->iova, nr_pages, gfp, iova);

	if (ret == -ENOSPC && mapping->queue) {
		flush_queue(mapping);
		ret = arm_iova_alloc(mapping->iova, nr_pages, gfp, iova);
	}
	return ret;
}

static void free_iova(struct dma_iommu_mapping *mapping, dma_addr_t iova,
		      unsigned long nr_pages)
{
	if (arm_iova_retire(mapping->iova, iova, nr_pages))
		arm_iova_recycle(mapping->iova, iova, nr_pages);
}

/*
 * Ranges that the IOMMU is told about at once, by iommu_sync_map() or
 * iommu_flush_range().  They are far apart if a list has more than this between
 * two of them; what others have mapped there would be flushed, too.
 */
#define SPAN_GAP	SZ_1M

struct io_span {
	unsigned long	start, end;	/* end 0: none yet */
	void		(*tell)(struct iommu_domain *domain,
				unsigned long iova, size_t size);
};

static void end_span(struct dma_iommu_mapping *mapping, struct io_span *span)
{
	if (span->end)
		span->tell(mapping->domain, span->start,
			   span->end - span->start);
	span->end = 0;
}

static void add_to_span(struct dma_iommu_mapping *mapping,
			struct io_span *span, unsigned long start, size_t size)
{
	unsigned long end = start + size;

	if ((start > span->end && start - span->end > SPAN_GAP) ||
	    (end < span->start && span->start - end > SPAN_GAP))
		end_span(mapping, span);

	span->start = span->end ? min(span->start, start) : start;
	span->end = max(span->end, end);
}

/*
 * Take a range back from a driver, which has to unmap all that it has mapped at an
 * address.  A part cannot be unmapped, because the IOMMU may have mapped it with a
 * larger page.
 */
static bool retire_mapped(struct device *dev, dma_addr_t handle, size_t size)
{
	struct dma_iommu_mapping *mapping = mapping_of(dev);
	size_t bytes = (handle & ~PAGE_MASK) + size;

	return !WARN(!arm_iova_retire(mapping->iova, handle & PAGE_MASK,
				      count_pages(bytes)),
		     "DMA: %s: unmap of %#lx, %#lx bytes, which is not what was mapped\n",
		     dev_name(dev), (unsigned long)handle,
		     (unsigned long)size);
}

/*
 * The pages and io addresses may be used after the flush of the span.  If the mapping
 * is lazy, its queue has the io addresses, and the pages may be used at once.
 */
static void unmap_retired(struct dma_iommu_mapping *mapping,
			  struct io_span *span, dma_addr_t handle, size_t size)
{
	dma_addr_t iova = handle & PAGE_MASK;

	size = PAGE_ALIGN((handle & ~PAGE_MASK) + size);
	clear_range(mapping, iova, size);
	if (mapping->queue)
		queue_range(mapping, iova, count_pages(size));
	else
		add_to_span(mapping, span, iova, size);
}

static void recycle_unmapped(struct dma_iommu_mapping *mapping,
			     dma_addr_t handle, size_t size)
{
	if (!mapping->queue)
		arm_iova_recycle(mapping->iova, handle & PAGE_MASK,
				 count_pages((handle & ~PAGE_MASK) + size));
}

/*
 * Caches
 */

/* Maintain the caches for contiguous memory */
static void sync_memory(phys_addr_t phys, size_t size,
			enum dma_data_direction dir, bool for_device)
{
	struct page *page = pfn_to_page(__phys_to_pfn(phys));
	unsigned long offset = phys & ~PAGE_MASK;

	if (for_device)
		__dma_page_cpu_to_dev(page, offset, size, dir);
	else
		__dma_page_dev_to_cpu(page, offset, size, dir);
}

/* The same for a part of a mapping, of which only the io address is known */
static void sync_mapped(struct device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, bool for_device)
{
	struct iommu_domain *domain = mapping_of(dev)->domain;

	if (arch_is_coherent())
		return;

	while (size) {
		dma_addr_t page = addr & PAGE_MASK;
		phys_addr_t phys = iommu_iova_to_phys(domain, page);
		size_t length = PAGE_SIZE - (addr - page);

		if (WARN(!pfn_valid(__phys_to_pfn(phys)),
			 "DMA: %s: sync of %#lx, which is not mapped\n",
			 dev_name(dev), (unsigned long)addr))
			return;

		while (length < size &&
		       iommu_iova_to_phys(domain, addr + length) ==
		       phys + (addr - page) + length)
			length += PAGE_SIZE;

		length = min(length, size);
		sync_memory(phys + (addr - page), length, dir, for_device);
		addr += length;
		size -= length;
	}
}

static phys_addr_t sg_phys_addr(struct scatterlist *sg)
{
	return page_to_phys(sg_page(sg)) + sg->offset;
}

/*
 * Return the size of the first entries of a list.  Drivers pass the number of
 * entries, or that of the ranges that these were mapped to.  A list that a driver
 * has made only to sync a part has no ranges.
 */
static size_t list_size(struct scatterlist *sg, int nents)
{
	bool has_ranges = sg_dma_len(sg);
	size_t size = 0;

	for (; nents && (!has_ranges || sg_dma_len(sg)); nents--) {
		size += has_ranges ? sg_dma_len(sg) : sg->length;
		sg = sg_next(sg);
	}
	return size;
}

/* The same for the first entries of a list.  Neighbours are synced together. */
static void sync_list(struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, bool for_device)
{
	size_t left, length = 0;
	phys_addr_t start = 0;

	if (arch_is_coherent())
		return;

	for (left = list_size(sg, nents); left && sg; sg = sg_next(sg)) {
		phys_addr_t phys = sg_phys_addr(sg);

		if (length && phys != start + length) {
			sync_memory(start, length, dir, for_device);
			length = 0;
		}
		if (!length)
			start = phys;
		length += sg->length;
		left -= min_t(size_t, left, sg->length);
	}
	if (length)
		sync_memory(start, length, dir, for_device);
}

/*
 * Memory of coherent buffers
 */

/* Orders of the blocks that a buffer is made of, at best */
static const unsigned int block_orders[] = { 8, 4, 0 };

/* For blocks that are taken only if they are free */
#define BLOCK_FLAGS	(__GFP_HIGHMEM | __GFP_NORETRY | __GFP_NOMEMALLOC | \
			 __GFP_NO_KSWAPD)

/* The attributes of a mapping of a buffer, given those of cached memory */
static pgprot_t buffer_prot(struct dma_attrs *attrs, pgprot_t prot)
{
	if (arch_is_coherent())
		return prot;
	if (dma_get_attr(DMA_ATTR_WRITE_COMBINE, attrs))
		return pgprot_writecombine(prot);
	return pgprot_dmacoherent(prot);
}

static void clear_memory(void *addr, size_t size)
{
	memset(addr, 0, size);
	if (!arch_is_coherent())
		dmac_flush_range(addr, addr + size);
}

/* Clear pages in memory, with nothing of them left in the caches */
static void clear_block(struct page *page, unsigned int order)
{
	phys_addr_t phys = page_to_phys(page);
	unsigned int i;

	if (PageHighMem(page)) {
		for (i = 0; i < 1U << order; i++) {
			clear_memory(kmap(page + i), PAGE_SIZE);
			kunmap(page + i);
		}
	} else {
		clear_memory(page_address(page), PAGE_SIZE << order);
	}
	if (!arch_is_coherent())
		outer_flush_range(phys, phys + (PAGE_SIZE << order));
}

/* The masks of a device behind an IOMMU are those of io addresses */
static void *alloc_any_contiguous(struct device *dev, size_t size,
				  dma_addr_t *bus, gfp_t gfp, pgprot_t prot,
				  bool mapped)
{
	if (arm_dma_use_contiguous(dev, gfp))
		return arm_dma_alloc_contiguous(dev, size, ~0ULL, bus, gfp,
						prot, mapped);
	return __dma_alloc(dev, size, bus, gfp, prot, mapped);
}

/*
 * A block of an area loses its cached mapping.  The first page of the block has
 * its order, and one, in its private field.
 */
static struct page *alloc_area_block(struct device *dev, unsigned int order,
				     gfp_t gfp, pgprot_t prot)
{
	struct page *page;
	dma_addr_t bus;

	if (!alloc_any_contiguous(dev, PAGE_SIZE << order, &bus, gfp, prot,
				  false))
		return NULL;

	page = pfn_to_page(dma_to_pfn(dev, bus));
	set_page_private(page, order + 1);
	return page;
}

/* Returns the number of pages */
static unsigned long free_area_block(struct device *dev, struct page *page)
{
	unsigned int order = page_private(page) - 1;
	void *addr = PageHighMem(page) ? page : page_address(page);

	set_page_private(page, 0);
	__dma_free(dev, PAGE_SIZE << order, addr,
		   pfn_to_dma(dev, page_to_pfn(page)), false);
	return 1UL << order;
}

/* Make a block pages that are freed one by one */
static void split_block(struct page *page, unsigned int order)
{
	unsigned int i;

	split_page(page, order);
	for (i = 0; i < 1U << order; i++)
		set_page_private(page + i, 0);
}

/* Only pages that are free; they take some time, so not single ones */
static struct page *alloc_highmem_block(unsigned int order, gfp_t gfp,
					pgprot_t prot)
{
	struct page *page = NULL;

	if (totalhigh_pages && order)
		page = alloc_pages((gfp & ~__GFP_WAIT) | BLOCK_FLAGS, order);
	if (!page)
		return NULL;
	if (!PageHighMem(page) ||
	    !arm_dma_prepare_highmem(page, PAGE_SIZE << order, prot)) {
		__free_pages(page, order);
		return NULL;
	}
	split_block(page, order);
	return page;
}

/* Large blocks only if they are free.  For a page, memory is reclaimed. */
static struct page *alloc_any_block(unsigned int order, gfp_t gfp)
{
	struct page *page;

	if (order)
		gfp = (gfp & ~__GFP_WAIT) | BLOCK_FLAGS;
	/* Nobody is killed */
	page = alloc_pages(gfp | __GFP_HIGHMEM | __GFP_NORETRY, order);
	if (!page)
		return NULL;
	split_block(page, order);
	clear_block(page, order);
	return page;
}

/*
 * Low memory has a cached mapping.  If there is an area, take blocks of the area
 * instead, after what is free of high memory.
 */
static struct page *alloc_block(struct device *dev, unsigned int order,
				gfp_t gfp, pgprot_t prot)
{
	struct page *page;

	if (!arm_dma_use_contiguous(dev, gfp))
		return alloc_any_block(order, gfp);

	page = alloc_highmem_block(order, gfp, prot);
	return page ? page : alloc_area_block(dev, order, gfp, prot);
}

static void free_scattered(struct device *dev, struct iommu_buffer *buffer,
			   unsigned long nr_pages)
{
	unsigned long done = 0;

	while (done < nr_pages) {
		struct page *page = buffer->pages[done];

		if (page_private(page)) {
			done += free_area_block(dev, page);
		} else {
			__free_page(page);
			done++;
		}
	}
}

static int alloc_scattered(struct device *dev, struct iommu_buffer *buffer,
			   gfp_t gfp, pgprot_t prot)
{
	unsigned long nr_pages = buffer->size >> PAGE_SHIFT, done = 0;
	const unsigned int *order = block_orders;

	gfp &= ~(__GFP_DMA | __GFP_HIGHMEM | __GFP_COMP | __GFP_ZERO |
		 __GFP_MOVABLE);
	gfp |= __GFP_NOWARN;

	while (done < nr_pages) {
		struct page *page = NULL;
		unsigned int i;

		if (nr_pages - done >= 1UL << *order)
			page = alloc_block(dev, *order, gfp, prot);
		if (!page && *order) {
			order++;
			continue;
		}
		if (!page) {
			free_scattered(dev, buffer, done);
			return -ENOMEM;
		}

		for (i = 0; i < 1U << *order; i++)
			buffer->pages[done++] = page + i;
		cond_resched();
	}

	/* drain the write buffer before the device reads the memory */
	wmb();
	return 0;
}

static void *map_scattered(struct iommu_buffer *buffer, pgprot_t prot)
{
	struct vm_struct *area = get_vm_area(buffer->size, VM_MAP);
	struct page **pages = buffer->pages;

	if (!area || map_vm_area(area, prot, &pages)) {
		if (area)
			vunmap(area->addr);
		pr_err_ratelimited("no virtual space for a buffer of %u bytes\n",
				   (unsigned int)buffer->size);
		return NULL;
	}

	/* as in map_highmem() */
	area->flags |= VM_IOREMAP;
	return area->addr;
}

static void free_memory(struct device *dev, struct iommu_buffer *buffer)
{
	if (buffer->contiguous) {
		__dma_free(dev, buffer->size, buffer->contiguous, buffer->bus,
			   buffer->mapped);
		return;
	}
	if (buffer->mapped)
		vunmap(buffer->cpu_addr);
	free_scattered(dev, buffer, buffer->size >> PAGE_SHIFT);
}

static int alloc_contiguous(struct device *dev, struct iommu_buffer *buffer,
			    gfp_t gfp, pgprot_t prot)
{
	unsigned long nr_pages = buffer->size >> PAGE_SHIFT, i;
	struct page *page;

	gfp &= ~(__GFP_HIGHMEM | __GFP_COMP);
	buffer->contiguous = alloc_any_contiguous(dev, buffer->size,
						  &buffer->bus, gfp, prot,
						  buffer->mapped);
	if (!buffer->contiguous)
		return -ENOMEM;

	page = pfn_to_page(dma_to_pfn(dev, buffer->bus));
	for (i = 0; i < nr_pages; i++)
		buffer->pages[i] = nth_page(page, i);
	return 0;
}

/*
 * Allocate and map memory for the CPU.  Without a mapping, the driver gets the
 * array of pages for an address, as some drivers expect.
 */
static int alloc_memory(struct device *dev, struct iommu_buffer *buffer,
			gfp_t gfp, struct dma_attrs *attrs)
{
	pgprot_t prot = buffer_prot(attrs, pgprot_kernel);
	int ret;

	prot = __pgprot(pgprot_val(prot) | L_PTE_XN);
	buffer->mapped = !dma_get_attr(DMA_ATTR_NO_KERNEL_MAPPING, attrs);
	buffer->cpu_addr = buffer->pages;

	/*
	 * Pages are mapped with memory of GFP_KERNEL.  Other requests get memory
	 * that is mapped already, from an area or the pool.
	 */
	if ((gfp & GFP_KERNEL) != GFP_KERNEL ||
	    dma_get_attr(DMA_ATTR_FORCE_CONTIGUOUS, attrs)) {
		ret = alloc_contiguous(dev, buffer, gfp, prot);
		if (!ret && buffer->mapped)
			buffer->cpu_addr = buffer->contiguous;
		return ret;
	}

	ret = alloc_scattered(dev, buffer, gfp, prot);
	if (ret || !buffer->mapped)
		return ret;

	buffer->cpu_addr = map_scattered(buffer, prot);
	if (!buffer->cpu_addr) {
		free_scattered(dev, buffer, buffer->size >> PAGE_SHIFT);
		return -ENOMEM;
	}
	return 0;
}

/* Return how many pages from this one on are contiguous */
static unsigned long run_of_pages(struct page **pages, unsigned long nr_pages)
{
	unsigned long nr = 1;

	while (nr < nr_pages &&
	       page_to_pfn(pages[nr]) == page_to_pfn(pages[0]) + nr)
		nr++;
	return nr;
}

/*
 * Coherent buffers
 */

static struct iommu_buffer *new_buffer(size_t size, gfp_t gfp)
{
	size_t bytes = sizeof(struct iommu_buffer) +
		       (size >> PAGE_SHIFT) * sizeof(struct page *);
	struct iommu_buffer *buffer = NULL;

	if (size >> PAGE_SHIFT > totalram_pages)
		return NULL;

	gfp &= GFP_KERNEL | __GFP_HIGH;
	if (bytes <= PAGE_SIZE || !(gfp & __GFP_WAIT))
		buffer = kmalloc(bytes, gfp | __GFP_NOWARN);
	else if (bytes <= PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER)
		buffer = kmalloc(bytes, gfp | __GFP_NOWARN | __GFP_NORETRY);
	if (!buffer && (gfp & __GFP_WAIT))
		buffer = __vmalloc(bytes, gfp | __GFP_NOWARN | __GFP_HIGHMEM,
				   PAGE_KERNEL);
	if (buffer) {
		memset(buffer, 0, sizeof(*buffer));
		buffer->size = size;
	}
	return buffer;
}

static void delete_buffer(struct iommu_buffer *buffer)
{
	if (is_vmalloc_addr(buffer))
		vfree(buffer);
	else
		kfree(buffer);
}

static int map_buffer(struct dma_iommu_mapping *mapping,
		      struct iommu_buffer *buffer)
{
	unsigned long nr_pages = buffer->size >> PAGE_SHIFT, done = 0, nr;
	int prot = direction_to_prot(DMA_BIDIRECTIONAL);
	int ret;

	for (; done < nr_pages; done += nr) {
		nr = run_of_pages(buffer->pages + done, nr_pages - done);
		ret = map_range(mapping, buffer->iova + (done << PAGE_SHIFT),
				page_to_phys(buffer->pages[done]),
				nr << PAGE_SHIFT, prot);
		if (ret) {
			unmap_range(mapping, buffer->iova, done << PAGE_SHIFT);
			return ret;
		}
	}
	iommu_sync_map(mapping->domain, buffer->iova, buffer->size);
	return 0;
}

static int add_buffer(struct dma_iommu_mapping *mapping,
		      struct iommu_buffer *buffer)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&mapping->lock, flags);
	ret = radix_tree_insert(&mapping->buffers,
				buffer->iova >> PAGE_SHIFT, buffer);
	spin_unlock_irqrestore(&mapping->lock, flags);
	return ret;
}

static struct iommu_buffer *find_buffer(struct dma_iommu_mapping *mapping,
					void *cpu_addr, dma_addr_t handle)
{
	struct iommu_buffer *buffer;
	unsigned long flags;

	spin_lock_irqsave(&mapping->lock, flags);
	buffer = radix_tree_lookup(&mapping->buffers, handle >> PAGE_SHIFT);
	spin_unlock_irqrestore(&mapping->lock, flags);

	if (buffer && (buffer->cpu_addr != cpu_addr || buffer->iova != handle))
		return NULL;
	return buffer;
}

static void *iommu_alloc(struct device *dev, size_t size, dma_addr_t *handle,
			 gfp_t gfp, struct dma_attrs *attrs)
{
	struct dma_iommu_mapping *mapping = mapping_of(dev);
	struct iommu_buffer *buffer;

	*handle = ~0;
	size = PAGE_ALIGN(size);
	gfp &= gfp_allowed_mask;
	buffer = size ? new_buffer(size, gfp) : NULL;
	if (!buffer)
		return NULL;

	/* Memory last: it may have to be reclaimed */
	if (alloc_iova(mapping, count_pages(size),
		       gfp & (GFP_KERNEL | __GFP_HIGH), &buffer->iova))
		goto delete;
	if (alloc_memory(dev, buffer, gfp, attrs))
		goto free_iova;
	if (map_buffer(mapping, buffer))
		goto free_memory;
	if (add_buffer(mapping, buffer))
		goto unmap;

	*handle = buffer->iova;
	return buffer->cpu_addr;

unmap:
	unmap_range(mapping, buffer->iova, size);
free_memory:
	free_memory(dev, buffer);
free_iova:
	free_iova(mapping, buffer->iova, count_pages(size));
delete:
	delete_buffer(buffer);
	return NULL;
}

static void iommu_free(struct device *dev, size_t size, void *cpu_addr,
		       dma_addr_t handle, struct dma_attrs *attrs)
{
	struct dma_iommu_mapping *mapping = mapping_of(dev);
	struct iommu_buffer *buffer = find_buffer(mapping, cpu_addr, handle);
	unsigned long flags;

	if (WARN(!buffer || buffer->size != PAGE_ALIGN(size),
		 "DMA: %s: free of %u bytes at %p (%#lx), which is no buffer\n",
		 dev_name(dev), (unsigned int)size, cpu_addr,
		 (unsigned long)handle))
		return;

	spin_lock_irqsave(&mapping->lock, flags);
	radix_tree_delete(&mapping->buffers, handle >> PAGE_SHIFT);
	spin_unlock_irqrestore(&mapping->lock, flags);

	/*
	 * The device does not reach the memory any more when it is freed, not even
	 * if the mapping is lazy
	 */
	unmap_range(mapping, buffer->iova, buffer->size);
	free_iova(mapping, buffer->iova, count_pages(buffer->size));
	free_memory(dev, buffer);
	delete_buffer(buffer);
}

static int iommu_mmap(struct device *dev, struct vm_area_struct *vma,
		      void *cpu_addr, dma_addr_t handle, size_t size,
		      struct dma_attrs *attrs)
{
	struct iommu_buffer *buffer = find_buffer(mapping_of(dev), cpu_addr,
						  handle);
	unsigned long nr_user = (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
	unsigned long off = vma->vm_pgoff, addr = vma->vm_start, nr_pages, nr;
	int ret;

	if (!buffer)
		return -ENXIO;
	nr_pages = min(count_pages(size), count_pages(buffer->size));
	if (off >= nr_pages || nr_user > nr_pages - off)
		return -ENXIO;

	vma->vm_page_prot = buffer_prot(attrs, vma->vm_page_prot);
	for (; nr_user; nr_user -= nr) {
		nr = run_of_pages(buffer->pages + off, nr_user);
		ret = remap_pfn_range(vma, addr,
				      page_to_pfn(buffer->pages[off]),
				      nr << PAGE_SHIFT, vma->vm_page_prot);
		if (ret)
			return ret;
		off += nr;
		addr += nr << PAGE_SHIFT;
	}
	return 0;
}

static int iommu_get_sgtable(struct device *dev, struct sg_table *sgt,
			     void *cpu_addr, dma_addr_t handle, size_t size,
			     struct dma_attrs *attrs)
{
	struct iommu_buffer *buffer = find_buffer(mapping_of(dev), cpu_addr,
						  handle);
	unsigned long nr_pages = count_pages(size), done, nr;
	unsigned int nr_runs = 0;
	struct scatterlist *s;
	int ret;

	if (!buffer || !nr_pages || nr_pages > count_pages(buffer->size))
		return -ENXIO;

	for (done = 0; done < nr_pages; nr_runs++)
		done += run_of_pages(buffer->pages + done, nr_pages - done);
	ret = sg_alloc_table(sgt, nr_runs, GFP_KERNEL);
	if (ret)
		return ret;

	s = sgt->sgl;
	for (done = 0; done < nr_pages; done += nr) {
		nr = run_of_pages(buffer->pages + done, nr_pages - done);
		sg_set_page(s, buffer->pages[done], nr << PAGE_SHIFT, 0);
		s = sg_next(s);
	}
	return 0;
}

/*
 * Pages and lists of a driver
 */

static dma_addr_t iommu_map_page(struct device *dev, struct page *page,
				 unsigned long offset, size_t size,
				 enum dma_data_direction dir,
				 struct dma_attrs *attrs)
{
	struct dma_iommu_mapping *mapping = mapping_of(dev);
	phys_addr_t phys = page_to_phys(page) + offset;
	size_t bytes = (phys & ~PAGE_MASK) + size;
	dma_addr_t iova;

	if (alloc_iova(mapping, count_pages(bytes), GFP_ATOMIC, &iova))
		return ~0;
	if (map_range(mapping, iova, phys & PAGE_MASK, PAGE_ALIGN(bytes),
		      direction_to_prot(dir))) {
		free_iova(mapping, iova, count_pages(bytes));
		return ~0;
	}
	iommu_sync_map(mapping->domain, iova, PAGE_ALIGN(bytes));

	if (!dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs))
		sync_memory(phys, size, dir, true);
	return iova + (phys & ~PAGE_MASK);
}

static void iommu_unmap_page(struct device *dev, dma_addr_t handle,
			     size_t size, enum dma_data_direction dir,
			     struct dma_attrs *attrs)
{
	struct io_span span = { .tell = iommu_flush_range };
	struct dma_iommu_mapping *mapping = mapping_of(dev);

	if (!retire_mapped(dev, handle, size))
		return;
	/* The pages cannot be found when they are not mapped any more */
	if (dir != DMA_TO_DEVICE &&
	    !dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs))
		sync_mapped(dev, handle, size, dir, false);
	unmap_retired(mapping, &span, handle, size);
	end_span(mapping, &span);
	recycle_unmapped(mapping, handle, size);
}

/*
 * The most that may be one range: it must not cross a boundary, either.  What a
 * driver that has dma_parms did not set is 0.
 */
static size_t max_segment(struct device *dev)
{
	unsigned long boundary = dma_get_seg_boundary(dev);
	size_t max = dma_get_max_seg_size(dev);

	if (!max)
		max = SZ_64K;
	/* A range of up to 4 MiB is aligned to its size, and crosses none */
	if (boundary && boundary < 0xffffffff)
		max = min3(max, (size_t)boundary + 1, (size_t)SZ_4M);
	return max;
}

/**
 * arm_iommu_max_segment() - tell how much memory becomes one range of a device
 * @dev: device
 *
 * Context: any, while a driver is bound to @dev.
 * Return: bytes of scattered pages, from the start of a page, that are one segment
 * at most; 0 if the device is not attached to a mapping.
 */
size_t arm_iommu_max_segment(struct device *dev)
{
	return mapping_of(dev) ? max_segment(dev) & PAGE_MASK : 0;
}
EXPORT_SYMBOL_GPL(arm_iommu_max_segment);

/*
 * Return the number of entries that become one range, and its size.  The next
 * entry has to go on where the one before it ends, either in memory, or because
 * there both end and begin with a page.
 */
static int count_joined(struct scatterlist *sg, int nents, size_t max,
			size_t *bytes)
{
	phys_addr_t end = sg_phys_addr(sg) + sg->length;
	size_t offset = sg->offset & ~PAGE_MASK;
	int nr = 1;

	*bytes = sg->length;
	for (; nr < nents; nr++) {
		phys_addr_t phys;

		sg = sg_next(sg);
		phys = sg_phys_addr(sg);
		if (phys != end && ((phys | end) & ~PAGE_MASK))
			break;
		if (offset + *bytes > max ||
		    sg->length > max - offset - *bytes)
			break;
		end = phys + sg->length;
		*bytes += sg->length;
	}
	return nr;
}

/* Map entries one after the other at an io address */
static int map_joined(struct dma_iommu_mapping *mapping, dma_addr_t iova,
		      struct scatterlist *sg, int nents, int prot)
{
	phys_addr_t start = sg_phys_addr(sg) & PAGE_MASK;
	phys_addr_t end = sg_phys_addr(sg) + sg->length;
	size_t done = 0;
	int ret;

	while (--nents) {
		phys_addr_t phys;

		sg = sg_next(sg);
		phys = sg_phys_addr(sg);
		if (phys != end) {
			ret = map_range(mapping, iova + done, start,
					end - start, prot);
			if (ret)
				goto unmap;
			done += end - start;
			start = phys;
		}
		end = phys + sg->length;
	}

	ret = map_range(mapping, iova + done, start, PAGE_ALIGN(end - start),
			prot);
	if (!ret)
		return 0;
unmap:
	unmap_range(mapping, iova, done);
	return ret;
}

static void unmap_list(struct device *dev, struct scatterlist *sg, int nents)
{
	struct io_span span = { .tell = iommu_flush_range };
	struct dma_iommu_mapping *mapping = mapping_of(dev);
	struct scatterlist *s = sg;
	int left;

	for (left = nents; left && sg_dma_len(s); left--) {
		if (retire_mapped(dev, sg_dma_address(s), sg_dma_len(s)))
			unmap_retired(mapping, &span, sg_dma_address(s),
				      sg_dma_len(s));
		else
			sg_dma_address(s) = ~0;	/* refused */
		s = sg_next(s);
	}
	end_span(mapping, &span);

	for (; nents && sg_dma_len(sg); nents--) {
		if (sg_dma_address(sg) != (dma_addr_t)~0)
			recycle_unmapped(mapping, sg_dma_address(sg),
					 sg_dma_len(sg));
		sg = sg_next(sg);
	}
}

static int iommu_map_sg(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, struct dma_attrs *attrs)
{
	struct dma_iommu_mapping *mapping = mapping_of(dev);
	struct io_span span = { .tell = iommu_sync_map };
	struct scatterlist *from = sg, *to = NULL;
	int prot = direction_to_prot(dir), done = 0, count = 0;
	size_t max = max_segment(dev);

	while (done < nents) {
		size_t offset = from->offset & ~PAGE_MASK, bytes;
		int joined = count_joined(from, nents - done, max, &bytes);
		unsigned long nr_pages = count_pages(offset + bytes);
		dma_addr_t iova;

		if (!bytes || alloc_iova(mapping, nr_pages, GFP_ATOMIC, &iova))
			goto unmap;
		if (map_joined(mapping, iova, from, joined, prot)) {
			free_iova(mapping, iova, nr_pages);
			goto unmap;
		}
		add_to_span(mapping, &span, iova, nr_pages << PAGE_SHIFT);

		/* The ranges are in the first entries */
		to = to ? sg_next(to) : sg;
		sg_dma_address(to) = iova + offset;
		sg_dma_len(to) = bytes;
		count++;
		for (done += joined; joined; joined--)
			from = sg_next(from);
	}
	if (count < nents)
		sg_dma_len(sg_next(to)) = 0;
	end_span(mapping, &span);

	if (!dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs))
		sync_list(sg, nents, dir, true);
	return count;

unmap:
	unmap_list(dev, sg, count);
	return 0;
}

static void iommu_unmap_sg(struct device *dev, struct scatterlist *sg,
			   int nents, enum dma_data_direction dir,
			   struct dma_attrs *attrs)
{
	unmap_list(dev, sg, nents);
	if (dir != DMA_TO_DEVICE &&
	    !dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs))
		sync_list(sg, nents, dir, false);
}

static void iommu_sync_for_cpu(struct device *dev, dma_addr_t handle,
			       size_t size, enum dma_data_direction dir)
{
	sync_mapped(dev, handle, size, dir, false);
}

static void iommu_sync_for_device(struct device *dev, dma_addr_t handle,
				  size_t size, enum dma_data_direction dir)
{
	sync_mapped(dev, handle, size, dir, true);
}

static void iommu_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg,
				  int nents, enum dma_data_direction dir)
{
	sync_list(sg, nents, dir, false);
}

static void iommu_sync_sg_for_device(struct device *dev,
				     struct scatterlist *sg, int nents,
				     enum dma_data_direction dir)
{
	sync_list(sg, nents, dir, true);
}

static int iommu_dma_supported(struct device *dev, u64 mask)
{
	return mask >= arm_iova_end(mapping_of(dev)->iova) - 1;
}

static struct dma_map_ops iommu_dma_ops = {
	.alloc			= iommu_alloc,
	.free			= iommu_free,
	.mmap			= iommu_mmap,
	.get_sgtable		= iommu_get_sgtable,
	.map_page		= iommu_map_page,
	.unmap_page		= iommu_unmap_page,
	.map_sg			= iommu_map_sg,
	.unmap_sg		= iommu_unmap_sg,
	.sync_single_for_cpu	= iommu_sync_for_cpu,
	.sync_single_for_device	= iommu_sync_for_device,
	.sync_sg_for_cpu	= iommu_sync_sg_for_cpu,
	.sync_sg_for_device	= iommu_sync_sg_for_device,
	.dma_supported		= iommu_dma_supported,
};

/*
 * Mappings
 */

static int __init parse_dma_iommu(char *arg)
{
	if (!arg)
		arg = "";
	lazy_by_default = !strcmp(arg, "lazy");
	if (lazy_by_default)
		pr_info("dma_iommu=lazy: mappings of IOMMUs are lazy\n");
	else if (strcmp(arg, "strict"))
		pr_err("dma_iommu=%s: neither strict nor lazy; they are strict\n",
		       arg);
	return 0;
}
early_param("dma_iommu", parse_dma_iommu);

static int create_queue(struct dma_iommu_mapping *mapping)
{
	struct iommu_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);

	if (!queue)
		return -ENOMEM;
	spin_lock_init(&queue->lock);
	setup_timer(&queue->timer, queue_timeout, (unsigned long)mapping);
	mapping->queue = queue;
	return 0;
}

/* It is empty, because no device is attached any more */
static void delete_queue(struct dma_iommu_mapping *mapping)
{
	if (!mapping->queue)
		return;
	del_timer_sync(&mapping->queue->timer);
	kfree(mapping->queue);
	mapping->queue = NULL;
}

/**
 * arm_iommu_create_mapping() - create a space of io addresses for devices
 * @bus: bus of the devices
 * @base: first io address, a multiple of the smallest range
 * @size: size in bytes; a part of the smallest range at its end is not used
 * @order: log2 of the size of the smallest range in pages, 0 to 10
 *
 * Context: process context, may sleep.
 * Return: the mapping, for arm_iommu_release_mapping(); or ERR_PTR(): -EINVAL if
 * the space exceeds 32 bits or is not aligned; -ENOMEM, also if @bus has no IOMMU.
 */
struct dma_iommu_mapping *
arm_iommu_create_mapping(struct bus_type *bus, dma_addr_t base, size_t size,
			 int order)
{
	struct dma_iommu_mapping *mapping;
	int ret = -ENOMEM;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	mapping->iova = arm_iova_create(base, size, order);
	if (IS_ERR(mapping->iova)) {
		ret = PTR_ERR(mapping->iova);
		goto free;
	}
	mapping->domain = iommu_bus_domain_alloc(bus);
	if (!mapping->domain)
		goto destroy;

	if (lazy_by_default && iommu_defers_flush(mapping->domain)) {
		ret = create_queue(mapping);
		if (ret)
			goto free_domain;
	}

	mapping->orders = ~0UL;
	INIT_RADIX_TREE(&mapping->buffers, GFP_ATOMIC);
	spin_lock_init(&mapping->lock);
	kref_init(&mapping->kref);
	return mapping;

free_domain:
	iommu_domain_free(mapping->domain);
destroy:
	arm_iova_destroy(mapping->iova);
free:
	kfree(mapping);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(arm_iommu_create_mapping);

static void free_mapping(struct kref *kref)
{
	struct dma_iommu_mapping *mapping =
		container_of(kref, struct dma_iommu_mapping, kref);

	WARN(mapping->buffers.rnode, "DMA: mapping is freed before its buffers\n");
	delete_queue(mapping);
	iommu_domain_free(mapping->domain);
	arm_iova_destroy(mapping->iova);
	kfree(mapping);
}

/**
 * arm_iommu_release_mapping() - drop the reference of the creator
 * @mapping: what arm_iommu_create_mapping() returned
 *
 * The mapping is freed when no device is attached to it any more.
 *
 * Context: process context, may sleep.
 */
void arm_iommu_release_mapping(struct dma_iommu_mapping *mapping)
{
	kref_put(&mapping->kref, free_mapping);
}
EXPORT_SYMBOL_GPL(arm_iommu_release_mapping);

/**
 * arm_iommu_set_lazy() - choose when a mapping flushes the TLB after an unmap
 * @mapping: the mapping, to which no device is attached
 * @lazy: false: before the unmap returns; true: for many unmaps at a time.  Until
 *	then, devices can reach the memory, whatever it is used for by then.
 *
 * The default is that of dma_iommu= on the command line.
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if a device is attached; -EOPNOTSUPP if @lazy, but the IOMMU
 * driver flushes for each page; or -ENOMEM.
 */
int arm_iommu_set_lazy(struct dma_iommu_mapping *mapping, bool lazy)
{
	int ret = 0;

	mutex_lock(&attach_mutex);
	if (mapping->nr_devices)
		ret = -EBUSY;
	else if (!lazy)
		delete_queue(mapping);
	else if (!iommu_defers_flush(mapping->domain))
		ret = -EOPNOTSUPP;
	else if (!mapping->queue)
		ret = create_queue(mapping);
	mutex_unlock(&attach_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(arm_iommu_set_lazy);

/**
 * arm_iommu_attach_device() - let a device use the io addresses of a mapping
 * @dev: device, which has no buffers and no mapped memory
 * @mapping: the mapping; its devices reach the same memory
 *
 * From here on, the DMA functions for @dev return io addresses.
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if @dev is attached already or has operations of its own; or
 * an error of the IOMMU driver.
 */
int arm_iommu_attach_device(struct device *dev,
			    struct dma_iommu_mapping *mapping)
{
	int ret = -EBUSY;

	mutex_lock(&attach_mutex);
	if (mapping_of(dev) || !dma_has_default_ops(dev))
		goto unlock;
	ret = iommu_attach_device(mapping->domain, dev);
	if (ret)
		goto unlock;

	kref_get(&mapping->kref);
	mapping->nr_devices++;
	dev->archdata.mapping = mapping;
	set_dma_ops(dev, &iommu_dma_ops);
unlock:
	mutex_unlock(&attach_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(arm_iommu_attach_device);

/**
 * arm_iommu_detach_device() - detach a device from its mapping
 * @dev: device, which has no buffers and no mapped memory any more
 *
 * From here on, the DMA functions for @dev return bus addresses.  Does nothing
 * but warn if the device is not attached.
 *
 * Context: process context, may sleep.
 */
void arm_iommu_detach_device(struct device *dev)
{
	struct dma_iommu_mapping *mapping;

	mutex_lock(&attach_mutex);
	mapping = mapping_of(dev);
	if (mapping) {
		set_dma_ops(dev, NULL);
		dev->archdata.mapping = NULL;
		flush_queue(mapping);
		iommu_detach_device(mapping->domain, dev);
		mapping->nr_devices--;
		kref_put(&mapping->kref, free_mapping);
	} else {
		dev_warn(dev, "detached, but was not attached to an IOMMU\n");
	}
	mutex_unlock(&attach_mutex);
}
EXPORT_SYMBOL_GPL(arm_iommu_detach_device);
