// SPDX-License-Identifier: GPL-2.0
/*
 * Do buffers and mappings have the right data if a device has operations?
 *
 * The tests of streaming mappings are those of cache.c. Here they call the functions that
 * drivers call, as section DMAOPS defines them, on each way that leads to maintenance.
 */
#include "arm.h"
#include "ops.h"
#include <asm/dma-mapping.h>

#define HAVE_OPS
#define ADDRESSES	"with operations, "
#define HAS_IOMMU	false

/* Operations for one page, of which lists are made */
static struct dma_map_ops page_ops;

static const struct way {
	const char *name;
	struct dma_map_ops *ops;
	bool coherent;
} ways[] = {
	{ ", by default", NULL },
	{ ", of the device", &arm_dma_ops },
	{ ", page by page", &page_ops },
	{ ", coherent", &arm_coherent_dma_ops, true },
};

#define WAY_OF_DEVICE	1
#define WAY_COHERENT	3

static const struct dma_map_ops *io_attach(struct device *dev, size_t way);

#include "cache.c"

static void set_way(struct device *dev, size_t way)
{
	page_ops.map_page = arm_dma_ops.map_page;
	page_ops.unmap_page = arm_dma_ops.unmap_page;
	page_ops.sync_single_for_cpu = arm_dma_ops.sync_single_for_cpu;
	page_ops.sync_single_for_device = arm_dma_ops.sync_single_for_device;
	dev->archdata.dma_ops = ways[way].ops;
	dev->coherent_dma_mask = ~0ULL;
	is_coherent = ways[way].coherent;
	nr_maintained = 0;
}

/* What drivers call */
static const struct dma_map_ops driver_calls = {
	.map_page = __dma_map_page,
	.unmap_page = __dma_unmap_page,
	.map_sg = dma_map_sg_attrs,
	.unmap_sg = dma_unmap_sg_attrs,
	.sync_single_for_cpu = dma_sync_single_for_cpu,
	.sync_single_for_device = dma_sync_single_for_device,
	.sync_sg_for_cpu = dma_sync_sg_for_cpu,
	.sync_sg_for_device = dma_sync_sg_for_device,
};

static const struct dma_map_ops *io_attach(struct device *dev, size_t way)
{
	set_way(dev, way);
	return &driver_calls;
}

/* The end of a page, and the beginning of the next one */
TEST_TABLE(part, ADDRESSES "a part that is synchronized leaves the rest intact",
	   ARRAY_SIZE(ways) * NR_STREAMS, stream_name)
{
	const struct stream *s = &streams[row % NR_STREAMS];
	const size_t offset = PAGE_SIZE - s->offset - 48, size = 128, rest = offset + size;
	enum cache_alias alias;
	uint64_t start = start_of(s, &alias), part = start + offset;
	unsigned int all, value;
	dma_addr_t dma;

	set_way(&low, row / NR_STREAMS);
	fill(s, alias, start, CACHE_CPU);
	dma = dma_map_page(&low, pfn_to_page(start >> PAGE_SHIFT), s->offset, s->size, s->dir);
	all = transfer(s, dma);
	dma_sync_single_range_for_cpu(&low, dma, offset, size, s->dir);
	both_cpus(CACHE_CPU_READ, alias, part, size, all);
	if (s->dir != DMA_FROM_DEVICE)
		both_cpus(CACHE_CPU_WRITE, alias, part, size, CACHE_OLD);
	dma_sync_single_range_for_device(&low, dma, offset, size, s->dir);
	if (s->dir == DMA_FROM_DEVICE) {
		value = CACHE_DEV;
		device_writes(dma + offset, size);
	} else {
		value = CACHE_OLD;
		device_reads(dma, offset, all);
		device_reads(dma + offset, size, value);
		device_reads(dma + rest, s->size - rest, all);
	}
	dma_unmap_page(&low, dma, s->size, s->dir);
	both_cpus(CACHE_CPU_READ, alias, start, offset, all);
	both_cpus(CACHE_CPU_READ, alias, part, size, value);
	both_cpus(CACHE_CPU_READ, alias, start + rest, s->size - rest, all);
	check_lines(s, start);
	check(part, 0);
	check(part + size / 2, 0);
	check(part + size - 1, 0);
}

/* Coherent buffers */

static const struct buffer {
	const char *name;
	bool high, no_area;
	unsigned int attrs;
} buffers[] = {
	{ "coherent" },
	{ "write-combined", .attrs = 1U << DMA_ATTR_WRITE_COMBINE },
	{ "of high memory", .high = true },
#define NR_MAPPED	3
	{ "not mapped", .attrs = 1U << DMA_ATTR_NO_KERNEL_MAPPING },
	{ "not mapped, write-combined, of high memory", .high = true,
	  .attrs = 1U << DMA_ATTR_NO_KERNEL_MAPPING | 1U << DMA_ATTR_WRITE_COMBINE },
	{ "not mapped, of high memory", .high = true, .attrs = 1U << DMA_ATTR_NO_KERNEL_MAPPING },
	{ "not mapped, without an area", .no_area = true,
	  .attrs = 1U << DMA_ATTR_NO_KERNEL_MAPPING },
};

/* A device without operations uses those of WAY_OF_DEVICE for buffers */
static const char *buffer_name(size_t row)
{
	return buffers[row].name;
}

/* Without an area: pages of low memory, unless the request allows others */
static unsigned int nr_freed;

struct page *heap_alloc_pages(gfp_t gfp, unsigned int order)
{
	return pfn_to_page(gfp & (__GFP_HIGHMEM | __GFP_COMP) ? ARM_HIGH_PFN : ARM_LOW_AREA);
}

void heap_free_pages(struct page *page, unsigned int order)
{
	nr_freed++;
	handover(page_to_phys(page), PAGE_SIZE, CACHE_CACHED);
}

/* That of the base is for a machine without an MMU: see stream.h */
int __wrap___dma_mmap(struct device *dev, struct vm_area_struct *vma, void *virt, dma_addr_t dma,
		      size_t size);
int __wrap___dma_mmap(struct device *dev, struct vm_area_struct *vma, void *virt, dma_addr_t dma,
		      size_t size)
{
	return arm_dma_mmap_contiguous(dev, vma, virt, dma, size);
}

static uint64_t dirty_buffer(const struct buffer *b, size_t size)
{
	uint64_t start = (b->high ? ARM_HIGH_PFN : ARM_LOW_AREA) << PAGE_SHIFT;

	if (b->no_area) {
		dma_contiguous_default_area = NULL;
		arm_areas[0].count = 0;
	}
	if (b->high)
		dirty_high_memory(size, true);
	else
		dirty_memory(CACHE_LINEAR, start, size);
	return start;
}

#define BUFFER_SIZE	(2 * PAGE_SIZE)

TEST_TABLE(buffer, ADDRESSES "a buffer of two pages", NR_MAPPED, buffer_name)
{
	const struct buffer *b = &buffers[row];
	struct device *dev = b->high ? &high : &low;
	uint64_t start = dirty_buffer(b, BUFFER_SIZE);
	dma_addr_t dma;
	char *virt;

	set_way(dev, WAY_OF_DEVICE);
	if (b->attrs)
		virt = dma_alloc_writecombine(dev, BUFFER_SIZE, &dma, GFP_KERNEL);
	else
		virt = dma_alloc_coherent(dev, BUFFER_SIZE, &dma, GFP_KERNEL);
	REQUIRE(virt, "no buffer");
	REQUIRE_EQ(dma, start, "the dirty memory");
	handover(dma, BUFFER_SIZE, CACHE_UNCACHED);
	use_buffer(virt, dma, BUFFER_SIZE);
	/* the last store is still in the CPU's buffer */
	cpu_writes(0, virt, BUFFER_SIZE, CACHE_CPU);
	if (b->attrs)
		dma_free_writecombine(dev, BUFFER_SIZE, virt, dma);
	else
		dma_free_coherent(dev, BUFFER_SIZE, virt, dma);
	REQUIRE(!pfn_to_page(start >> PAGE_SHIFT)->owner, "not freed");
	reuse_memory(b->high ? CACHE_PKMAP : CACHE_LINEAR, dma, BUFFER_SIZE);
	check(start, 0);
	check(start + BUFFER_SIZE - 1, 0);
	cache_check_attributes = true;
	check(start, 0);
}

/* Without an area, memory keeps its cached mapping: what the device sees is right */
TEST_TABLE(user, ADDRESSES "a buffer that a process maps", ARRAY_SIZE(buffers), buffer_name)
{
	const struct buffer *b = &buffers[row];
	struct vm_area_struct vma = { .vm_end = BUFFER_SIZE, .vm_page_prot = pgprot_kernel };
	struct device *dev = b->high ? &high : &low;
	uint64_t start = dirty_buffer(b, BUFFER_SIZE), last = start + BUFFER_SIZE;
	struct dma_attrs attrs = { b->attrs };
	dma_addr_t dma;
	void *virt;

	set_way(dev, WAY_OF_DEVICE);
	virt = dma_alloc_attrs(dev, BUFFER_SIZE, &dma, GFP_KERNEL, &attrs);
	REQUIRE(virt, "no buffer");
	REQUIRE_EQ(dma, start, "the dirty memory");
	REQUIRE(!dma_mmap_attrs(dev, &vma, virt, dma, BUFFER_SIZE, &attrs), "not mapped");
	device_reads(dma, BUFFER_SIZE, CACHE_ZERO);
	device_writes(dma, BUFFER_SIZE);
	if (!b->no_area)
		both_cpus(CACHE_CPU_READ, CACHE_USER, start, BUFFER_SIZE, CACHE_DEV);
	add(CACHE_CPU_WRITE, 0, CACHE_USER, start, last, CACHE_CPU);
	wmb();	/* as before a device is started */
	device_reads(dma, BUFFER_SIZE, CACHE_CPU);
	if (!b->no_area)
		handover(start, BUFFER_SIZE, CACHE_UNCACHED);
	/* a process unmaps it */
	unmap(CACHE_USER, start, last);
	flush_tlb(CACHE_USER, start, last);
	dma_free_attrs(dev, BUFFER_SIZE, virt, dma, &attrs);
	REQUIRE(b->no_area ? nr_freed == 2 : !pfn_to_page(start >> PAGE_SHIFT)->owner,
		"not freed");
	if (!b->no_area)
		reuse_memory(b->high ? CACHE_PKMAP : CACHE_LINEAR, start, BUFFER_SIZE);
	check(start, 0);
	check(last - 1, 0);
	cache_check_attributes = true;
	check(start, 0);
	check(last - 1, 0);
}

/* It does not end with a page, but a process sees all of its last page */
TEST(coherent_buffer, ADDRESSES "a buffer of a coherent device, which a process maps, too")
{
	struct vm_area_struct vma = { .vm_end = BUFFER_SIZE, .vm_page_prot = pgprot_kernel };
	const struct buffer b = { .no_area = true };
	uint64_t start = dirty_buffer(&b, BUFFER_SIZE);
	const size_t size = BUFFER_SIZE - 64;
	dma_addr_t dma;
	char *virt;

	set_way(&low, WAY_COHERENT);
	virt = dma_alloc_coherent(&low, size, &dma, GFP_KERNEL | __GFP_HIGHMEM | __GFP_COMP);
	REQUIRE(virt, "no buffer");
	REQUIRE_EQ(dma, start, "the dirty memory");
	REQUIRE_EQ(virt - (char *)__va(start), 0, "the address in the linear mapping");
	/* clearing the pages flushes them, which does no harm */
	nr_maintained = 0;
	REQUIRE(!dma_mmap_coherent(&low, &vma, virt, dma, size), "not mapped");
	device_reads(dma, BUFFER_SIZE, CACHE_ZERO);
	cpu_reads(0, virt, BUFFER_SIZE, CACHE_ZERO);
	device_writes(dma, BUFFER_SIZE);
	both_cpus(CACHE_CPU_READ, CACHE_USER, start, BUFFER_SIZE, CACHE_DEV);
	cpu_writes(0, virt, BUFFER_SIZE, CACHE_CPU);
	device_reads(dma, BUFFER_SIZE, CACHE_CPU);
	both_cpus(CACHE_CPU_READ, CACHE_USER, start, BUFFER_SIZE, CACHE_CPU);
	handover(start, BUFFER_SIZE, CACHE_CACHED);
	dma_free_coherent(&low, size, virt, dma);
	REQUIRE_EQ(nr_freed, 2, "pages are freed");
	check(start, 0);
	check(start + BUFFER_SIZE - 1, 0);
	cache_check_attributes = true;
	check(start, 0);
	check(start + BUFFER_SIZE - 1, 0);
}
