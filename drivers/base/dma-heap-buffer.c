// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of heaps: an exporter that considers the limits of attached devices
 *
 * A buffer from a contiguous memory area is allocated when it is created and
 * never moves.
 *
 * System-heap buffers are allocated on first map, by a device, a process or the
 * kernel. The memory is within reach of all attached devices and consists of
 * scattered pages, or is contiguous if one of the devices requires that. When a
 * device with stricter limits maps the buffer later, the buffer is copied to
 * new memory, provided that it is not mapped.
 *
 * All mappings by processes and the kernel are cached. Writes by the CPU become
 * visible to a device when the device maps the buffer or when CPU access ends;
 * writes by a device become visible to the CPU when the device unmaps the
 * buffer or when CPU access begins.
 */
#define pr_fmt(fmt) "dma_heap: " fmt

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-charge.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma-heap.h"

/* Largest piece of scattered memory: 1 MiB, the size of a section mapping */
#define HEAP_MAX_ORDER	min_t(unsigned int, 20 - PAGE_SHIFT, MAX_ORDER - 1)
/* Pieces larger than a page are only taken from readily available memory */
#define HEAP_TRY_FLAGS	(GFP_NOWAIT | __GFP_NORETRY | __GFP_NOWARN | \
			 __GFP_NOMEMALLOC | __GFP_NO_KSWAPD)
/* Number of attempts to allocate a page, with reclaim, before giving up */
#define HEAP_RETRIES	8
/* Number of bytes to clear before offering to reschedule */
#define HEAP_CHUNK	(256UL << 10)

/**
 * struct heap_memory - memory of a buffer
 * @table: list of the pieces; has no entries if no memory was allocated
 * @cma: area that the memory, then a single piece, was allocated from; or NULL
 * @exact: true if the memory is a single piece from alloc_pages_exact()
 */
struct heap_memory {
	struct sg_table table;
	struct cma *cma;
	bool exact;
};

/**
 * struct heap_buffer - a buffer allocated from a heap
 * @lock: guards @memory and @mappings
 * @size: size in bytes, a multiple of PAGE_SIZE; constant
 * @cma: area that the buffer was allocated from, or NULL for a system-heap
 *	buffer; constant
 * @memory: memory of the buffer; does not change while @nr_users is not 0
 * @mappings: list of mappings by devices, linked by &struct heap_mapping.node
 * @nr_users: number of mappings by devices, processes and the kernel; rises
 *	from 0 only with @lock held
 * @charge: whom the size of the buffer is charged to
 */
struct heap_buffer {
	struct mutex lock;		/* memory, mappings */
	size_t size;
	struct cma *cma;
	struct heap_memory memory;
	struct list_head mappings;
	atomic_t nr_users;
	struct dma_charge charge;
};

/**
 * struct heap_mapping - mapping of a buffer for a device; all members constant
 * @table: scatterlist returned to the importer
 * @one: storage of @table if it has a single entry
 * @node: entry in &struct heap_buffer.mappings
 * @dev: device
 * @dir: direction passed to dma_map_sg(), see mapping_direction()
 */
struct heap_mapping {
	struct sg_table table;
	struct scatterlist one;
	struct list_head node;
	struct device *dev;
	enum dma_data_direction dir;
};

/**
 * struct heap_limits - limits of devices for the memory of a buffer
 * @dev: device that maps the buffer, or NULL
 * @mask: highest address that the memory may have
 * @max_pieces: maximum number of pieces, or 0 for no limit
 */
struct heap_limits {
	struct device *dev;
	u64 mask;
	unsigned int max_pieces;
};

/*
 * Scatterlists. Each one is a single array of any length: some ARM platforms do
 * not support chaining, and sg_alloc_table() then has a BUG_ON() for long ones.
 */

static int alloc_table(struct sg_table *table, unsigned int nents)
{
	size_t size = nents * sizeof(*table->sgl);

	if (size <= PAGE_SIZE)
		table->sgl = kmalloc(size, GFP_KERNEL);
	else
		table->sgl = __vmalloc(size, GFP_KERNEL | __GFP_HIGHMEM |
				       __GFP_NOWARN, PAGE_KERNEL);
	if (!table->sgl)
		return -ENOMEM;

	sg_init_table(table->sgl, nents);
	table->nents = nents;
	table->orig_nents = nents;
	return 0;
}

static void free_table(struct sg_table *table)
{
	if (is_vmalloc_addr(table->sgl))
		vfree(table->sgl);
	else
		kfree(table->sgl);
}

/*
 * Memory
 */

static struct page *first_page(const struct heap_memory *memory)
{
	return sg_page(memory->table.sgl);
}

static bool has_memory(const struct heap_memory *memory)
{
	return memory->table.nents;
}

/* Return the page at index n, which lies within the buffer. */
static struct page *nth_buffer_page(const struct heap_memory *memory,
				    unsigned long n)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(memory->table.sgl, sg, memory->table.nents, i) {
		if (n < sg->length >> PAGE_SHIFT)
			return nth_page(sg_page(sg), n);
		n -= sg->length >> PAGE_SHIFT;
	}

	return NULL;
}

static bool pages_in_reach(struct page *page, size_t size, u64 mask)
{
	return (u64)page_to_phys(page) + size - 1 <= mask;
}

static bool is_in_reach(const struct heap_memory *memory, u64 mask)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(memory->table.sgl, sg, memory->table.nents, i)
		if (!pages_in_reach(sg_page(sg), sg->length, mask))
			return false;

	return true;
}

static void clear_pages(struct page *page, size_t size)
{
	size_t done;

	for (done = 0; done < size; done += HEAP_CHUNK) {
		size_t chunk = min_t(size_t, size - done, HEAP_CHUNK);
		unsigned long i;

		if (!PageHighMem(page))
			memset(page_address(page) + done, 0, chunk);
		else
			for (i = 0; i < chunk >> PAGE_SHIFT; i++)
				clear_highpage(nth_page(page, i +
						(done >> PAGE_SHIFT)));
		cond_resched();
	}
}

static void copy_memory(const struct heap_memory *to,
			const struct heap_memory *from)
{
	struct sg_mapping_iter dst, src;

	sg_miter_start(&dst, to->table.sgl, to->table.nents, SG_MITER_TO_SG);
	sg_miter_start(&src, from->table.sgl, from->table.nents,
		       SG_MITER_FROM_SG);
	/* Both iterators advance by one page. */
	while (sg_miter_next(&dst) && sg_miter_next(&src)) {
		memcpy(dst.addr, src.addr, src.length);
		cond_resched();
	}
	sg_miter_stop(&src);
	sg_miter_stop(&dst);
}

static void free_memory(struct heap_memory *memory, size_t size)
{
	struct scatterlist *sg;
	unsigned int i;

	if (memory->cma)
		heap_cma_free(memory->cma, first_page(memory), size);
	else if (memory->exact)
		free_pages_exact(page_address(first_page(memory)), size);
	else
		for_each_sg(memory->table.sgl, sg, memory->table.nents, i)
			__free_pages(sg_page(sg), get_order(sg->length));

	free_table(&memory->table);
	memset(memory, 0, sizeof(*memory));
}

/* Allocate up to 1 << *order pages and set *order to the order of the piece. */
static struct page *alloc_piece(gfp_t zone, unsigned int *order)
{
	struct page *page = NULL;
	unsigned int i;

	for (; *order; (*order)--) {
		page = alloc_pages(zone | HEAP_TRY_FLAGS, *order);
		if (page)
			return page;
	}
	for (i = 0; i < HEAP_RETRIES && !page; i++) {
		/* Fail with -ENOMEM instead of invoking the OOM killer. */
		page = alloc_page(zone | GFP_USER | __GFP_NORETRY |
				  __GFP_NOWARN);
		if (fatal_signal_pending(current))
			break;
	}

	return page;
}

static void free_pieces(struct list_head *pieces)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pieces, lru) {
		unsigned int order = page_private(page);

		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

/* Move nr pieces from the list to a new scatterlist. Return 0 or -ENOMEM. */
static int collect_pieces(struct list_head *pieces, unsigned int nr,
			  struct sg_table *table)
{
	struct page *page, *next;
	struct scatterlist *sg;
	int ret = alloc_table(table, nr);

	if (ret)
		return ret;

	sg = table->sgl;
	list_for_each_entry_safe(page, next, pieces, lru) {
		sg_set_page(sg, page, PAGE_SIZE << page_private(page), 0);
		list_del(&page->lru);
		set_page_private(page, 0);
		sg = sg_next(sg);
	}
	return 0;
}

/* Allocate scattered memory in a zone. Return 0, -ENOMEM, -EINTR or -ERANGE. */
static int alloc_scattered(struct heap_memory *memory, size_t size, gfp_t zone,
			   const struct heap_limits *limits)
{
	unsigned int order = HEAP_MAX_ORDER, nr = 0;
	LIST_HEAD(pieces);
	size_t left = size;
	int ret = 0;

	while (left && !ret) {
		struct page *page;

		order = min_t(unsigned int, order, ilog2(left >> PAGE_SHIFT));
		page = alloc_piece(zone, &order);
		if (!page) {
			ret = -ENOMEM;
			break;
		}

		set_page_private(page, order);
		list_add_tail(&page->lru, &pieces);
		left -= PAGE_SIZE << order;
		if (!pages_in_reach(page, PAGE_SIZE << order, limits->mask))
			ret = -ERANGE;
		else if (fatal_signal_pending(current))
			ret = -EINTR;
		else if (++nr == limits->max_pieces && left)
			ret = -ENOMEM;
	}

	if (!ret)
		ret = collect_pieces(&pieces, nr, &memory->table);
	free_pieces(&pieces);
	return ret;
}

/* Allocate a single piece in a zone, from the page allocator. */
static struct page *alloc_exact(size_t size, gfp_t zone)
{
	void *vaddr;

	if (get_order(size) >= MAX_ORDER)
		return NULL;

	vaddr = alloc_pages_exact(size, zone | GFP_USER | __GFP_NORETRY |
				  __GFP_NOWARN);
	return vaddr ? virt_to_page(vaddr) : NULL;
}

/*
 * Allocate contiguous memory: only from cma if that is not NULL, else from an
 * area if possible, or from the page allocator. Return 0, -ENOMEM or -ERANGE.
 */
static int alloc_contiguous(struct heap_memory *memory, size_t size,
			    struct cma *cma, const struct heap_limits *limits)
{
	struct page *page;
	int ret = alloc_table(&memory->table, 1);

	if (ret)
		return ret;

	memory->cma = cma;
	if (cma)
		page = heap_cma_alloc(cma, size);
	else
		page = heap_cma_alloc_for(limits->dev, size, limits->mask,
					  &memory->cma);
	if (!page && !cma) {
		memory->cma = NULL;
		memory->exact = true;
		page = alloc_exact(size, 0);
		if (page && !pages_in_reach(page, size, limits->mask)) {
			free_pages_exact(page_address(page), size);
			page = alloc_exact(size, __GFP_DMA);
		}
	}
	if (!page) {
		free_table(&memory->table);
		memset(memory, 0, sizeof(*memory));
		return -ENOMEM;
	}

	sg_set_page(memory->table.sgl, page, size, 0);
	if (is_in_reach(memory, limits->mask))
		return 0;

	free_memory(memory, size);
	return -ERANGE;
}

/*
 * Allocate memory that complies with the limits and is not cleared. Return 0,
 * -ENOMEM, -EINTR or -ERANGE.
 */
static int alloc_memory(struct heap_memory *memory, size_t size,
			const struct heap_limits *limits)
{
	/* From the least restricted zone to the most restricted one */
	static const gfp_t zones[] = { __GFP_HIGHMEM, 0, __GFP_DMA };
	unsigned int i;
	int ret;

	memset(memory, 0, sizeof(*memory));
	if (limits->max_pieces) {
		ret = alloc_contiguous(memory, size, NULL, limits);
		if (!ret || limits->max_pieces == 1)
			return ret;
	}

	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		ret = alloc_scattered(memory, size, zones[i], limits);
		if (ret != -ERANGE)
			return ret;
	}

	return limits->max_pieces ? ret :
				    alloc_contiguous(memory, size, NULL, limits);
}

static void clear_memory(const struct heap_memory *memory)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(memory->table.sgl, sg, memory->table.nents, i)
		clear_pages(sg_page(sg), sg->length);
}

/*
 * Limits of devices
 */

/* Return the maximum segment size in bytes, rounded down to whole pages. */
static size_t max_seg_size(const struct dma_buf_limits *limits)
{
	size_t size = limits->max_seg_size;

	return (size ? size : UINT_MAX) & PAGE_MASK;
}

/* Return the mask of the boundaries that no segment may cross. */
static u64 seg_boundary(const struct dma_buf_limits *limits)
{
	return limits->seg_boundary ? limits->seg_boundary : ~0ULL;
}

/* Return true if any page can be a segment for the device. */
static bool takes_pages(const struct dma_buf_limits *limits)
{
	return max_seg_size(limits) && seg_boundary(limits) >= PAGE_SIZE - 1;
}

/*
 * Split the pieces of memory into segments for a device, store them in the
 * scatterlist unless sg is NULL, and return the number of segments.
 */
static unsigned int split_memory(const struct heap_memory *memory,
				 const struct dma_buf_limits *limits,
				 struct scatterlist *sg)
{
	u64 boundary = seg_boundary(limits);
	size_t max = max_seg_size(limits);
	struct scatterlist *piece;
	unsigned int nr = 0, i;

	for_each_sg(memory->table.sgl, piece, memory->table.nents, i) {
		u64 addr = page_to_phys(sg_page(piece));
		size_t done, n;

		for (done = 0; done < piece->length; done += n, nr++) {
			u64 to_boundary = boundary - ((addr + done) & boundary);

			n = min_t(size_t, piece->length - done, max);
			if (n - 1 > to_boundary)
				n = to_boundary + 1;
			if (!sg)
				continue;
			sg_set_page(sg, nth_page(sg_page(piece),
						 done >> PAGE_SHIFT), n, 0);
			sg = sg_next(sg);
		}
	}

	return nr;
}

/* Check that the device can use the memory. Return 0, -ERANGE or -E2BIG. */
static int check_memory(const struct heap_memory *memory,
			const struct dma_buf_limits *limits)
{
	unsigned int count = limits->max_seg_count;

	if (!is_in_reach(memory, limits->mask))
		return -ERANGE;
	if (!takes_pages(limits))
		return -E2BIG;
	if (count && split_memory(memory, limits, NULL) > count)
		return -E2BIG;
	return 0;
}

/* Combine the limits of all attached devices. */
static void get_limits(struct dma_buf *dmabuf, struct heap_limits *limits)
{
	struct dma_buf_attachment *attach;

	limits->mask = ~0ULL;
	limits->max_pieces = 0;
	mutex_lock(&dmabuf->lock);
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		limits->mask = min(limits->mask, attach->limits.mask);
		limits->max_pieces = min_not_zero(limits->max_pieces,
						  attach->limits.max_seg_count);
	}
	mutex_unlock(&dmabuf->lock);
}

/*
 * Allocate memory for all attached devices or, if that fails, for the one that
 * maps the buffer, if any.
 */
static int alloc_for_attached(struct dma_buf *dmabuf,
			      struct dma_buf_attachment *attach,
			      struct heap_memory *memory)
{
	struct heap_buffer *buffer = dmabuf->priv;
	struct device *dev = attach ? attach->dev : NULL;
	struct heap_limits all = { .dev = dev }, own = {
		.dev = dev,
		.mask = attach ? attach->limits.mask : ~0ULL,
		.max_pieces = attach ? attach->limits.max_seg_count : 0,
	};
	int ret;

	get_limits(dmabuf, &all);
	ret = alloc_memory(memory, buffer->size, &all);
	if (!ret || ret == -EINTR ||
	    (all.mask == own.mask && all.max_pieces == own.max_pieces))
		return ret;

	return alloc_memory(memory, buffer->size, &own);
}

/*
 * Make sure that the buffer has memory and, if attach is not NULL, that this
 * device can use it. Called with the lock held. Return 0, -ENOMEM, -EINTR, -EBUSY,
 * -ERANGE or -E2BIG.
 */
static int place_buffer(struct dma_buf *dmabuf,
			struct dma_buf_attachment *attach)
{
	struct heap_buffer *buffer = dmabuf->priv;
	struct heap_memory memory;
	int ret;

	if (has_memory(&buffer->memory)) {
		ret = attach ? check_memory(&buffer->memory, &attach->limits) :
			       0;
		if (!ret || buffer->cma)
			return ret;
		if (atomic_read(&buffer->nr_users))
			return -EBUSY;
		/* Read what former users wrote; pairs with heap_drop_user(). */
		smp_mb();
	}

	ret = alloc_for_attached(dmabuf, attach, &memory);
	if (ret)
		return ret;
	ret = attach ? check_memory(&memory, &attach->limits) : 0;
	if (ret) {
		free_memory(&memory, buffer->size);
		/* heap_attach() has checked that suitable memory can exist. */
		return ret == -E2BIG ? -ENOMEM : ret;
	}

	if (has_memory(&buffer->memory)) {
		copy_memory(&memory, &buffer->memory);
		free_memory(&buffer->memory, buffer->size);
	} else {
		clear_memory(&memory);
	}
	buffer->memory = memory;
	return 0;
}

/* Drop a user; its writes are visible before the count falls. */
static void heap_drop_user(struct heap_buffer *buffer)
{
	smp_mb__before_atomic_dec();
	atomic_dec(&buffer->nr_users);
}

/*
 * Operations of the buffer
 */

/* Refuse a device that could not use the buffer wherever it was allocated. */
static int heap_attach(struct dma_buf *dmabuf, struct device *dev,
		       struct dma_buf_attachment *attach)
{
	struct heap_buffer *buffer = dmabuf->priv;
	const struct dma_buf_limits *limits = &attach->limits;
	unsigned int count = limits->max_seg_count;
	size_t last = min_t(u64, max_seg_size(limits) - 1, seg_boundary(limits));

	if (buffer->cma)
		return check_memory(&buffer->memory, limits);
	if (!takes_pages(limits))
		return -E2BIG;
	return count && count <= (buffer->size - 1) / (last + 1) ? -E2BIG : 0;
}

/*
 * A device may write only part of the buffer. Map it in both directions, so
 * that data that the CPU wrote to the rest is cleaned from the cache, not
 * discarded.
 */
static enum dma_data_direction mapping_direction(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

static void free_mapping_table(struct heap_mapping *mapping)
{
	if (mapping->table.sgl != &mapping->one)
		free_table(&mapping->table);
}

static int map_for_device(const struct heap_memory *memory,
			  const struct dma_buf_limits *limits,
			  struct heap_mapping *mapping)
{
	unsigned int nr = split_memory(memory, limits, NULL);
	struct sg_table *table = &mapping->table;
	int ret = 0;

	if (nr == 1) {
		sg_init_table(&mapping->one, 1);
		table->sgl = &mapping->one;
		table->orig_nents = 1;
	} else {
		ret = alloc_table(table, nr);
	}
	if (ret)
		return ret;

	split_memory(memory, limits, table->sgl);
	table->nents = dma_map_sg(mapping->dev, table->sgl, nr, mapping->dir);
	if (table->nents)
		return 0;

	free_mapping_table(mapping);
	return -EIO;
}

static struct sg_table *heap_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	struct heap_buffer *buffer = attach->dmabuf->priv;
	struct heap_mapping *mapping = kmalloc(sizeof(*mapping), GFP_KERNEL);
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);

	mapping->dev = attach->dev;
	mapping->dir = mapping_direction(dir);
	mutex_lock(&buffer->lock);
	ret = place_buffer(attach->dmabuf, attach);
	if (!ret)
		ret = map_for_device(&buffer->memory, &attach->limits, mapping);
	if (!ret) {
		list_add(&mapping->node, &buffer->mappings);
		atomic_inc(&buffer->nr_users);
	}
	mutex_unlock(&buffer->lock);

	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	return &mapping->table;
}

static void heap_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct heap_buffer *buffer = attach->dmabuf->priv;
	struct heap_mapping *mapping = container_of(sgt, struct heap_mapping,
						    table);

	mutex_lock(&buffer->lock);
	list_del(&mapping->node);
	dma_unmap_sg(mapping->dev, sgt->sgl, sgt->orig_nents, mapping->dir);
	heap_drop_user(buffer);
	mutex_unlock(&buffer->lock);

	free_mapping_table(mapping);
	kfree(mapping);
}

/*
 * Transfer the ownership of n bytes of a segment to the CPU or to the device.
 * The functions for a range take the address that the segment was mapped at,
 * but on v3.1 they only support low memory, unless an IOMMU has made one segment
 * of several.
 */
static void sync_segment(struct heap_mapping *mapping, struct scatterlist *sg,
			 size_t start, size_t n, bool for_cpu)
{
	struct device *dev = mapping->dev;
	dma_addr_t addr = sg_dma_address(sg);
	size_t mapped = sg_dma_len(sg);	/* sg->length itself without an IOMMU */
	struct scatterlist part;

	if (PageHighMem(sg_page(sg)) && mapped == sg->length) {
		sg_init_table(&part, 1);
		sg_set_page(&part, nth_page(sg_page(sg), start >> PAGE_SHIFT),
			    n, start & ~PAGE_MASK);
		/* CONFIG_DMA_API_DEBUG looks for the address of the mapping. */
		sg_dma_address(&part) = addr;
		sg_dma_len(&part) = n;
		if (for_cpu)
			dma_sync_sg_for_cpu(dev, &part, 1, mapping->dir);
		else
			dma_sync_sg_for_device(dev, &part, 1, mapping->dir);
	} else if (for_cpu) {
		dma_sync_single_range_for_cpu(dev, addr, start, n,
					      mapping->dir);
	} else {
		dma_sync_single_range_for_device(dev, addr, start, n,
						 mapping->dir);
	}
}

/* Synchronize bytes [start, start + len) of the buffer in one mapping. */
static void sync_part(struct heap_mapping *mapping, size_t start, size_t len,
		      bool for_cpu)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(mapping->table.sgl, sg, mapping->table.nents, i) {
		size_t seg_len = sg_dma_len(sg), n;

		if (start >= seg_len) {
			start -= seg_len;
			continue;
		}
		if (!len)
			break;

		n = min(len, seg_len - start);
		sync_segment(mapping, sg, start, n, for_cpu);
		len -= n;
		start = 0;
	}
}

/*
 * For all of the buffer, repeat what was mapped: if a device has mapped the
 * same memory more than once, CONFIG_DMA_API_DEBUG does not recognize a part.
 */
static void sync_whole(struct heap_mapping *mapping, bool for_cpu)
{
	struct sg_table *table = &mapping->table;

	if (for_cpu)
		dma_sync_sg_for_cpu(mapping->dev, table->sgl,
				    table->orig_nents, mapping->dir);
	else
		dma_sync_sg_for_device(mapping->dev, table->sgl,
				       table->orig_nents, mapping->dir);
}

static void sync_mappings(struct heap_buffer *buffer, size_t start, size_t len,
			  bool for_cpu)
{
	struct heap_mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mappings, node) {
		if (len == buffer->size)
			sync_whole(mapping, for_cpu);
		else
			sync_part(mapping, start, len, for_cpu);
	}
	mutex_unlock(&buffer->lock);
}

/*
 * Synchronize even if the CPU is only going to write: the rest of a cache line
 * that it writes in part must not be stale.
 */
static int heap_begin_cpu_access(struct dma_buf *dmabuf, size_t start,
				 size_t len, enum dma_data_direction dir)
{
	sync_mappings(dmabuf->priv, start, len, true);
	return 0;
}

static void heap_end_cpu_access(struct dma_buf *dmabuf, size_t start,
				size_t len, enum dma_data_direction dir)
{
	/* After reading only, devices see the same data. */
	if (dir != DMA_FROM_DEVICE)
		sync_mappings(dmabuf->priv, start, len, false);
}

static void heap_vm_open(struct vm_area_struct *vma)
{
	struct heap_buffer *buffer = vma->vm_private_data;

	atomic_inc(&buffer->nr_users);
}

static void heap_vm_close(struct vm_area_struct *vma)
{
	heap_drop_user(vma->vm_private_data);
}

static const struct vm_operations_struct heap_vm_ops = {
	.open	= heap_vm_open,
	.close	= heap_vm_close,
};

/* Populate the whole mapping with the pages that start at index pgoff. */
static int map_for_process(const struct heap_memory *memory,
			   struct vm_area_struct *vma, unsigned long pgoff)
{
	unsigned long addr = vma->vm_start;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sg(memory->table.sgl, sg, memory->table.nents, i) {
		unsigned long nr = sg->length >> PAGE_SHIFT, size;

		if (pgoff >= nr) {
			pgoff -= nr;
			continue;
		}
		if (addr >= vma->vm_end)
			break;

		size = min((nr - pgoff) << PAGE_SHIFT, vma->vm_end - addr);
		ret = remap_pfn_range(vma, addr,
				      page_to_pfn(sg_page(sg)) + pgoff, size,
				      vma->vm_page_prot);
		if (ret)
			return ret;
		addr += size;
		pgoff = 0;
	}

	return 0;
}

static int heap_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	mutex_lock(&buffer->lock);
	ret = place_buffer(dmabuf, NULL);
	if (!ret)
		ret = map_for_process(&buffer->memory, vma, vma->vm_pgoff);
	if (!ret) {
		vma->vm_ops = &heap_vm_ops;
		vma->vm_private_data = buffer;
		atomic_inc(&buffer->nr_users);
	} else {
		/* Leave no access to pages that can move after unlocking. */
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	}
	mutex_unlock(&buffer->lock);
	return ret;
}

static void *heap_kmap(struct dma_buf *dmabuf, unsigned long page_num)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	mutex_lock(&buffer->lock);
	ret = place_buffer(dmabuf, NULL);
	if (!ret)
		atomic_inc(&buffer->nr_users);
	mutex_unlock(&buffer->lock);

	/* Without the lock, because kmap() may wait for a free slot */
	return ret ? NULL : kmap(nth_buffer_page(&buffer->memory, page_num));
}

static void heap_kunmap(struct dma_buf *dmabuf, unsigned long page_num,
			void *vaddr)
{
	struct heap_buffer *buffer = dmabuf->priv;

	kunmap(nth_buffer_page(&buffer->memory, page_num));
	heap_drop_user(buffer);
}

static void *vmap_memory(const struct heap_memory *memory, size_t size)
{
	unsigned long nr_pages = 0, i;
	struct scatterlist *sg;
	struct page **pages;
	unsigned int piece;
	void *vaddr;

	/* A single piece of low memory needs no other mapping. */
	if (memory->table.nents == 1 && !PageHighMem(first_page(memory)))
		return page_address(first_page(memory));

	pages = vmalloc((size >> PAGE_SHIFT) * sizeof(*pages));
	if (!pages)
		return NULL;
	for_each_sg(memory->table.sgl, sg, memory->table.nents, piece)
		for (i = 0; i < sg->length >> PAGE_SHIFT; i++)
			pages[nr_pages++] = nth_page(sg_page(sg), i);
	vaddr = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
	vfree(pages);
	return vaddr;
}

static void *heap_vmap(struct dma_buf *dmabuf)
{
	struct heap_buffer *buffer = dmabuf->priv;
	void *vaddr = NULL;

	mutex_lock(&buffer->lock);
	if (!place_buffer(dmabuf, NULL))
		vaddr = vmap_memory(&buffer->memory, buffer->size);
	if (vaddr)
		atomic_inc(&buffer->nr_users);
	mutex_unlock(&buffer->lock);
	return vaddr;
}

static void heap_vunmap(struct dma_buf *dmabuf, void *vaddr)
{
	if (is_vmalloc_addr(vaddr))
		vunmap(vaddr);
	heap_drop_user(dmabuf->priv);
}

static void heap_release(struct dma_buf *dmabuf)
{
	struct heap_buffer *buffer = dmabuf->priv;

	/* A device may still write to the memory: leak it, do not reuse it. */
	if (WARN_ON(!list_empty(&buffer->mappings)))
		return;

	if (has_memory(&buffer->memory))
		free_memory(&buffer->memory, buffer->size);
	dma_uncharge(&buffer->charge);
	kfree(buffer);
}

static const struct dma_buf_ops heap_buffer_ops = {
	.attach			= heap_attach,
	.map_dma_buf		= heap_map,
	.unmap_dma_buf		= heap_unmap,
	.release		= heap_release,
	.begin_cpu_access	= heap_begin_cpu_access,
	.end_cpu_access		= heap_end_cpu_access,
	.kmap			= heap_kmap,
	.kunmap			= heap_kunmap,
	.mmap			= heap_mmap,
	.vmap			= heap_vmap,
	.vunmap			= heap_vunmap,
};

/**
 * heap_buffer_new() - create a buffer with cleared memory
 * @heap_name: name of the heap, never freed
 * @cma: area to allocate the buffer from now, or NULL to allocate it on first
 *	map
 * @file: what to charge the buffer to, in addition to the user of the caller
 * @size: size in bytes, a multiple of PAGE_SIZE, not 0
 * @flags: access for mappings, see __dma_buf_export()
 *
 * Context: process context, may sleep.
 * Return: the buffer with one reference, which is dropped with dma_buf_put();
 * ERR_PTR(-ENOMEM), ERR_PTR(-EDQUOT), or the error of __dma_buf_export().
 */
struct dma_buf *heap_buffer_new(const char *heap_name, struct cma *cma,
				struct dma_charge_file *file, size_t size,
				int flags)
{
	struct heap_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	struct heap_limits limits = { .mask = ~0ULL };
	struct dma_buf *dmabuf;
	int ret;

	if (!buffer)
		return ERR_PTR(-ENOMEM);

	buffer->size = size;
	buffer->cma = cma;
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->mappings);
	ret = dma_charge(&buffer->charge, file, size);
	if (ret)
		goto free_buffer;
	if (cma) {
		ret = alloc_contiguous(&buffer->memory, size, cma, &limits);
		if (ret)
			goto uncharge;
		clear_memory(&buffer->memory);
	}

	dmabuf = dma_buf_export_named(buffer, &heap_buffer_ops, size, flags,
				      heap_name);
	if (!IS_ERR(dmabuf)) {
		dmabuf->charge = &buffer->charge;
		return dmabuf;
	}
	ret = PTR_ERR(dmabuf);

	if (cma)
		free_memory(&buffer->memory, size);
uncharge:
	dma_uncharge(&buffer->charge);
free_buffer:
	kfree(buffer);
	return ERR_PTR(ret);
}
