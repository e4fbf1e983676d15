// SPDX-License-Identifier: GPL-2.0
/*
 * Devices behind an IOMMU: what they reach, and when, and that a failure at any
 * point leaves all as it was
 *
 * The IOMMU sees what was mapped after a sync, and forgets what was unmapped when it
 * is flushed.  At the end of each operation, there must be nothing that it does not
 * see; and before an io address or a page is used again, nothing that it may have.
 * Of pages that a driver has mapped, a lazy mapping does not promise that.
 */
#include "iommu-kernel.h"
#include <asm/dma-iommu.h>

#define TAP_PREFIX	UNIT ": "
#define TAP_SECONDS	60
#define TAP_TEST_END	end_test
static void end_test(void);
#include "tap.h"
#include <stdarg.h>

#define BASE		0x80000000U
#define SPACE		(64U << 20)
#define IO_PAGES	(SPACE >> PAGE_SHIFT)
#define AREA_PAGES	(IOMMU_PAGES / 2)

/*
 * The kernel
 */

char iommu_said[256];
unsigned int iommu_warnings, iommu_nr_blocks;
struct page iommu_pages[IOMMU_PAGES];
u8 iommu_memory[IOMMU_PAGES][PAGE_SIZE];
struct vm_struct iommu_vm;
bool iommu_coherent, iommu_has_highmem, iommu_has_area;

unsigned int test_checks;

static unsigned int nr_points, fail_point, nr_held, nr_pages_used, max_block_order = 10;
static bool atomic;	/* no sleep is allowed */
static bool no_io;	/* nor is all of GFP_KERNEL */

/* Whether this point fails, the fail_point-th from when it was set */
bool iommu_fails(void)
{
	return ++nr_points == fail_point;
}

void iommu_sleeps(void)
{
	REQUIRE(!nr_held && !atomic, "sleeps with a spinlock, or in atomic context");
}

struct timer_list *iommu_timer;
unsigned long iommu_jiffies = -30UL;

void iommu_wait(unsigned int nr_jiffies)
{
	while (nr_jiffies--) {
		iommu_jiffies++;
		if (!iommu_timer || !iommu_timer->pending ||
		    (long)(jiffies - iommu_timer->expires) < 0)
			continue;
		iommu_timer->pending = false;
		iommu_timer->function(iommu_timer->data);
	}
}

void iommu_lock(bool *held, bool take, bool spin)
{
	if (!spin && take)
		iommu_sleeps();
	REQUIRE(*held != take, "a lock is taken or released twice");
	*held = take;
	if (spin)
		nr_held += take ? 1 : -1;
}

void *iommu_malloc(size_t size, gfp_t gfp)
{
	if (gfp & __GFP_WAIT)
		iommu_sleeps();
	if (iommu_fails())
		return NULL;
	iommu_nr_blocks++;
	return calloc(1, size);
}

void iommu_mfree(void *p)
{
	iommu_nr_blocks -= !!p;
	free(p);
}

/* Blocks come from the end, so that they follow one another downwards */
struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	unsigned long page, i;

	if (gfp & __GFP_WAIT)
		iommu_sleeps();
	REQUIRE(gfp & __GFP_NORETRY && !((order || iommu_has_area) && gfp & __GFP_WAIT),
		"waits, or kills, for order %u", order);
	if (iommu_fails() || order > max_block_order)
		return NULL;
	for (page = IOMMU_PAGES - (1UL << order); page >= AREA_PAGES; page -= 1UL << order) {
		for (i = 0; i < 1UL << order && !iommu_pages[page + i].used; i++)
			;
		if (i < 1UL << order)
			continue;
		for (i = 0; i < 1UL << order; i++) {
			iommu_pages[page + i].used = true;
			iommu_pages[page + i].private = 77;	/* of former users */
			iommu_pages[page + i].unflushed = 3;	/* inner, outer */
			memset(iommu_memory[page + i], 0xaa, PAGE_SIZE);
		}
		nr_pages_used += 1U << order;
		return &iommu_pages[page];
	}
	return NULL;
}

void split_page(struct page *page, unsigned int order)
{
}

void __free_page(struct page *page)
{
	REQUIRE(page->used, "a page is freed twice");
	REQUIRE(!page->private, "private is not 0");
	REQUIRE(!page->mapped, "a page is freed while it is mapped");
	REQUIRE(!page->tlb, "a page is freed before the TLB is flushed");
	page->used = false;
	nr_pages_used--;
}

void __free_pages(struct page *page, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < 1U << order; i++) {
		page[i].private = 0;
		__free_page(&page[i]);
	}
}

void dmac_flush_range(const void *start, const void *end)
{
	unsigned long i = ((const u8 *)start - iommu_memory[0]) / PAGE_SIZE;

	for (; (const u8 *)end > iommu_memory[i]; i++) {
		REQUIRE(!iommu_memory[i][0] && !iommu_memory[i][4095], "flushed, but not cleared");
		iommu_pages[i].unflushed &= ~1U;
	}
}

void outer_flush_range(phys_addr_t start, phys_addr_t end)
{
	unsigned long pfn;

	for (pfn = __phys_to_pfn(start); pfn < __phys_to_pfn(end); pfn++) {
		REQUIRE(!(pfn_to_page(pfn)->unflushed & 1), "outer cache first");
		pfn_to_page(pfn)->unflushed &= ~2U;
	}
}

struct vm_struct *get_vm_area(size_t size, unsigned long flags)
{
	iommu_sleeps();
	REQUIRE(!no_io, "allocates with GFP_KERNEL");
	if (iommu_fails())
		return NULL;
	REQUIRE(!iommu_vm.addr, "there is one already");
	iommu_vm = (struct vm_struct){ .addr = &iommu_vm, .size = size, .flags = flags };
	return &iommu_vm;
}

int map_vm_area(struct vm_struct *area, pgprot_t prot, struct page ***pages)
{
	if (iommu_fails())
		return -ENOMEM;
	area->first = (*pages)[0];
	area->prot = prot;
	return 0;
}

void vunmap(void *addr)
{
	iommu_sleeps();
	REQUIRE(addr && addr == iommu_vm.addr, "no mapping at %p", addr);
	iommu_vm.addr = NULL;
}

static struct { unsigned long addr, pfn, size; } user[8192];
static unsigned int nr_user;

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	if (iommu_fails())
		return -ENOMEM;
	user[nr_user].addr = addr;
	user[nr_user].pfn = pfn;
	user[nr_user++].size = size;
	return 0;
}

static struct { unsigned long index; void *item; } items[64];

int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item)
{
	unsigned int i;

	REQUIRE(nr_held, "without a lock");
	if (iommu_fails())
		return -ENOMEM;
	for (i = 0; items[i].item; i++)
		;
	items[i].index = index;
	items[i].item = item;
	return 0;
}

void *radix_tree_lookup(struct radix_tree_root *root, unsigned long index)
{
	unsigned int i;

	REQUIRE(nr_held, "without a lock");
	for (i = 0; i < ARRAY_SIZE(items); i++)
		if (items[i].item && items[i].index == index)
			return items[i].item;
	return NULL;
}

void radix_tree_delete(struct radix_tree_root *root, unsigned long index)
{
	unsigned int i;

	REQUIRE(nr_held, "without a lock");
	for (i = 0; i < ARRAY_SIZE(items); i++)
		if (items[i].item && items[i].index == index)
			items[i].item = NULL;
}

int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
	table->sgl = iommu_malloc(nents * sizeof(*table->sgl), gfp);
	if (!table->sgl)
		return -ENOMEM;
	table->nents = nents;
	table->orig_nents = nents;
	table->sgl[nents - 1].last = true;
	return 0;
}

static unsigned int nr_highmem_blocks;

bool arm_dma_prepare_highmem(struct page *page, size_t size, pgprot_t prot)
{
	unsigned long i;

	iommu_sleeps();
	REQUIRE(!no_io, "allocates with GFP_KERNEL");
	if (iommu_fails())
		return false;
	nr_highmem_blocks++;
	for (i = 0; i < size >> PAGE_SHIFT; i++) {
		REQUIRE(PageHighMem(page + i));
		memset(page_address(page + i), 0, PAGE_SIZE);
		page[i].unflushed = 0;
	}
	return true;
}

static size_t area_size[AREA_PAGES];	/* of the buffer that starts there */

/* In low memory, a buffer of an area always has an address */
static void *area_address(unsigned long page, bool mapped)
{
	return mapped || iommu_has_area ? iommu_memory[page] : (void *)&iommu_pages[page];
}

void *__dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp, pgprot_t prot,
		  bool mapped)
{
	unsigned long nr = size >> PAGE_SHIFT, page, i;

	*handle = ~0;
	if (iommu_fails())
		return NULL;
	/* Without an area, this is memory like any other; the tests do not need more */
	for (page = 0; page < AREA_PAGES; page += nr) {
		for (i = 0; i < nr && !iommu_pages[page + i].used; i++)
			;
		if (i == nr && page + nr <= AREA_PAGES)
			break;
	}
	if (page >= AREA_PAGES)
		return NULL;
	for (i = 0; i < nr; i++)
		iommu_pages[page + i] = (struct page){ .used = true, .private = 78 };
	iommu_pages[page].private = 0;
	area_size[page] = size;
	memset(iommu_memory[page], 0, size);
	nr_pages_used += nr;
	*handle = (page + IOMMU_PFN) << PAGE_SHIFT;
	return area_address(page, mapped);
}

void __dma_free(struct device *dev, size_t size, void *addr, dma_addr_t handle, bool mapped)
{
	unsigned long page = (handle >> PAGE_SHIFT) - IOMMU_PFN, i;

	REQUIRE(page < AREA_PAGES && addr == area_address(page, mapped), "at %p", addr);
	REQUIRE_EQ(size, area_size[page]);
	for (i = 0; i < size >> PAGE_SHIFT; i++) {
		if (i)
			iommu_pages[page + i].private = 0;
		__free_page(&iommu_pages[page + i]);
	}
}

/*
 * The IOMMU
 */

static struct {
	phys_addr_t phys;
	u8 order, prot;
	bool first, unsynced, tlb;
} table[IO_PAGES];
static unsigned int nr_mapped, nr_lookups, nr_maps[13], orders_of_iommu = ~0U, nr_domains;
static unsigned int nr_unsynced, nr_unflushed, nr_syncs, nr_flushes;
static unsigned long nr_told;	/* pages that these were about */
/* A driver without operations for a range has a sync and a flush for each page */
static bool ranges_of_iommu = true;
static bool lazy;	/* the mapping */
static struct device *attached;

static unsigned long io_page(unsigned long iova)
{
	REQUIRE(iova >= BASE && iova < (unsigned long)BASE + SPACE, "%#lx is not in the space",
		iova);
	return (iova - BASE) >> PAGE_SHIFT;
}

struct iommu_domain *iommu_bus_domain_alloc(struct bus_type *bus)
{
	static struct iommu_domain domain;

	if (iommu_fails())
		return NULL;
	nr_domains++;
	return &domain;
}

void iommu_domain_free(struct iommu_domain *domain)
{
	REQUIRE(!attached && !nr_mapped, "freed while it is used");
	REQUIRE(!nr_unflushed, "freed before the flush");
	nr_domains--;
}

int iommu_attach_device(struct iommu_domain *domain, struct device *dev)
{
	if (iommu_fails())
		return -EIO;
	attached = dev;
	return 0;
}

void iommu_detach_device(struct iommu_domain *domain, struct device *dev)
{
	REQUIRE(attached == dev);
	REQUIRE(!nr_unflushed, "detached before the flush");
	attached = NULL;
}

static struct page *page_of(unsigned long page)
{
	return pfn_to_page(__phys_to_pfn(table[page].phys));
}

int iommu_map_nosync(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys, int order,
		     int prot)
{
	unsigned long page = io_page(iova), i;

	REQUIRE(order == 0 || order == 4 || order == 8 || order == 12, "order %d", order);
	REQUIRE(!((iova | phys) & ((PAGE_SIZE << order) - 1)), "%#lx to %#x, order %d", iova, phys,
		order);
	if (!(orders_of_iommu >> order & 1))
		return -EINVAL;
	if (iommu_fails())
		return -ENOMEM;
	for (i = 0; i < 1UL << order; i++) {
		REQUIRE(!table[page + i].prot, "%#lx is mapped already", iova);
		REQUIRE(!table[page + i].tlb, "%#lx is mapped before the flush", iova);
		table[page + i].phys = phys + (i << PAGE_SHIFT);
		table[page + i].order = order;
		table[page + i].prot = prot;
		table[page + i].first = !i;
		table[page + i].unsynced = ranges_of_iommu;
		if (pfn_valid(__phys_to_pfn(table[page + i].phys)))
			page_of(page + i)->mapped++;
	}
	nr_mapped += 1U << order;
	nr_maps[order]++;
	if (ranges_of_iommu)
		nr_unsynced += 1U << order;
	else
		nr_syncs++;
	return 0;
}

void iommu_sync_map(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	unsigned long page = io_page(iova), last = io_page(iova + size - 1);

	if (!ranges_of_iommu)
		return;
	nr_syncs++;
	nr_told += last - page + 1;
	for (; page <= last; page++) {
		nr_unsynced -= table[page].unsynced;
		table[page].unsynced = false;
	}
}

static void flush(unsigned long page, unsigned long last)
{
	nr_flushes++;
	nr_told += last - page + 1;
	for (; page <= last; page++) {
		if (!table[page].tlb)
			continue;
		table[page].tlb = false;
		nr_unflushed--;
		if (pfn_valid(__phys_to_pfn(table[page].phys)))
			page_of(page)->tlb--;
	}
}

void iommu_flush_range(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	REQUIRE(size && !((iova | size) & ~PAGE_MASK), "%#lx, %zu bytes", iova, size);
	if (ranges_of_iommu)
		flush(io_page(iova), io_page(iova + size - 1));
}

bool iommu_defers_flush(struct iommu_domain *domain)
{
	return ranges_of_iommu;
}

/* All calls of the file are here first */
void __wrap_arm_iova_recycle(struct iova_space *space, dma_addr_t addr, unsigned long nr_pages)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		REQUIRE(!table[io_page(addr) + i].prot, "%#x is free while it is mapped", addr);
		REQUIRE(!table[io_page(addr) + i].tlb, "%#x is free before the flush", addr);
	}
	__real_arm_iova_recycle(space, addr, nr_pages);
}

int iommu_unmap_noflush(struct iommu_domain *domain, unsigned long iova, int order)
{
	unsigned long page = io_page(iova), i;

	REQUIRE(table[page].prot && table[page].first && table[page].order == order,
		"%#lx is not mapped with order %d", iova, order);
	for (i = 0; i < 1UL << order; i++) {
		table[page + i].prot = 0;
		table[page + i].tlb = true;
		nr_unsynced -= table[page + i].unsynced;
		table[page + i].unsynced = false;
		if (pfn_valid(__phys_to_pfn(table[page + i].phys))) {
			page_of(page + i)->mapped--;
			page_of(page + i)->tlb++;
		}
	}
	nr_mapped -= 1U << order;
	nr_unflushed += 1U << order;
	if (!ranges_of_iommu)
		flush(page, page + i - 1);
	return order;
}

phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, unsigned long iova)
{
	unsigned long page = io_page(iova);

	nr_lookups++;
	return table[page].prot ? table[page].phys + (iova & ~PAGE_MASK) : 0;
}

/* Cache maintenance: the last calls */
static struct { phys_addr_t start; size_t size; bool for_device; } synced[4096];
static unsigned int nr_synced;

static void sync_page(struct page *page, unsigned long offset, size_t size, bool for_device)
{
	unsigned long i;

	for (i = 0; i < (offset + size + PAGE_SIZE - 1) >> PAGE_SHIFT; i++)
		REQUIRE(for_device || lazy || !page[i].tlb, "the CPU has a page before the flush");
	synced[nr_synced].start = page_to_phys(page) + offset;
	synced[nr_synced].size = size;
	synced[nr_synced++].for_device = for_device;
}

void __dma_page_cpu_to_dev(struct page *page, unsigned long offset, size_t size,
			   enum dma_data_direction dir)
{
	sync_page(page, offset, size, true);
}

void __dma_page_dev_to_cpu(struct page *page, unsigned long offset, size_t size,
			   enum dma_data_direction dir)
{
	sync_page(page, offset, size, false);
}

/*
 * Tests
 */

static struct device device = { .max_seg_size = ~0U, .seg_boundary = 0xffffffff };
static struct bus_type bus;
static struct dma_map_ops *ops;
static unsigned int blocks_before;

/*
 * The operations, after which the IOMMU has nothing that is not mapped, and sees all
 * that is
 */
static void check_tlb(void)
{
	REQUIRE_EQ(nr_unsynced, 0, "the IOMMU does not see what is mapped");
	REQUIRE(lazy || !nr_unflushed, "the TLB is not flushed");
}

static struct dma_map_ops *real_ops;

static void *checked_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			   struct dma_attrs *attrs)
{
	void *addr = real_ops->alloc(dev, size, handle, gfp, attrs);

	check_tlb();
	return addr;
}

static void checked_free(struct device *dev, size_t size, void *addr, dma_addr_t handle,
			 struct dma_attrs *attrs)
{
	real_ops->free(dev, size, addr, handle, attrs);
	check_tlb();
}

static dma_addr_t checked_map_page(struct device *dev, struct page *page, unsigned long offset,
				   size_t size, enum dma_data_direction dir,
				   struct dma_attrs *attrs)
{
	dma_addr_t handle = real_ops->map_page(dev, page, offset, size, dir, attrs);

	check_tlb();
	return handle;
}

static void checked_unmap_page(struct device *dev, dma_addr_t handle, size_t size,
			       enum dma_data_direction dir, struct dma_attrs *attrs)
{
	real_ops->unmap_page(dev, handle, size, dir, attrs);
	check_tlb();
}

static int checked_map_sg(struct device *dev, struct scatterlist *sg, int nents,
			  enum dma_data_direction dir, struct dma_attrs *attrs)
{
	int count = real_ops->map_sg(dev, sg, nents, dir, attrs);

	check_tlb();
	return count;
}

static void checked_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
			     enum dma_data_direction dir, struct dma_attrs *attrs)
{
	real_ops->unmap_sg(dev, sg, nents, dir, attrs);
	check_tlb();
}

static struct dma_map_ops *check_ops(struct dma_map_ops *real)
{
	static struct dma_map_ops checked;

	real_ops = real;
	checked = *real;
	checked.alloc = checked_alloc;
	checked.free = checked_free;
	checked.map_page = checked_map_page;
	checked.unmap_page = checked_unmap_page;
	checked.map_sg = checked_map_sg;
	checked.unmap_sg = checked_unmap_sg;
	return &checked;
}

/* A device behind the IOMMU, whose space has what memory it needs */
static void begin(int order)
{
	struct dma_iommu_mapping *mapping = arm_iommu_create_mapping(&bus, BASE, SPACE, order);
	dma_addr_t handle;

	REQUIRE(!IS_ERR(mapping), "%ld", PTR_ERR(mapping));
	if (lazy)
		REQUIRE_EQ(arm_iommu_set_lazy(mapping, true), 0);
	REQUIRE_EQ(arm_iommu_attach_device(&device, mapping), 0);
	arm_iommu_release_mapping(mapping);
	ops = check_ops(device.archdata.dma_ops);
	/* Each region of the space gets its memory */
	handle = ops->map_page(&device, iommu_pages, 0, SPACE, DMA_TO_DEVICE, NULL);
	REQUIRE_EQ(handle, BASE);
	ops->unmap_page(&device, handle, SPACE, DMA_TO_DEVICE, NULL);
	nr_synced = 0;
	blocks_before = iommu_nr_blocks;
}

static void settled(void)
{
	if (lazy)
		iommu_wait(10);
	REQUIRE_EQ(nr_unflushed, 0, "the TLB is not flushed");
	REQUIRE_EQ(nr_mapped, 0, "pages are mapped");
	REQUIRE_EQ(nr_pages_used, 0, "pages are in use");
	REQUIRE_EQ(iommu_nr_blocks, blocks_before, "memory is in use");
	REQUIRE(!iommu_vm.addr, "virtual space is in use");
	REQUIRE_EQ(iommu_warnings, 0, "%s", iommu_said);
}

static void end(void)
{
	dma_addr_t handle;

	settled();
	/* Nothing of the space is lost */
	handle = ops->map_page(&device, iommu_pages, 0, SPACE, DMA_TO_DEVICE, NULL);
	REQUIRE_EQ(handle, BASE);
	ops->unmap_page(&device, handle, SPACE, DMA_TO_DEVICE, NULL);
	arm_iommu_detach_device(&device);
	REQUIRE_EQ(nr_unflushed, 0);
	REQUIRE_EQ(nr_domains, 0);
	REQUIRE_EQ(iommu_nr_blocks, 0, "memory is in use");
}

static void end_test(void)
{
	REQUIRE_EQ(nr_held, 0);
}

/* Let each point fail in turn.  True until no point is left. */
static bool next_failure(void)
{
	if (fail_point && nr_points < fail_point) {
		fail_point = 0;
		return false;
	}
	fail_point++;
	nr_points = 0;
	return true;
}

static bool may_fail(void)
{
	return fail_point && nr_points >= fail_point;
}

TEST(create, "a mapping that cannot be created, or attached, leaves nothing behind")
{
	struct dma_iommu_mapping *mapping;

	while (next_failure()) {
		mapping = arm_iommu_create_mapping(&bus, BASE, SPACE, 0);
		if (!IS_ERR(mapping)) {
			int ret = arm_iommu_attach_device(&device, mapping);

			REQUIRE_EQ(ret, may_fail() ? -EIO : 0);
			REQUIRE(!device.archdata.mapping == !!ret);
			REQUIRE(!device.archdata.dma_ops == !!ret);
			if (!ret) {
				REQUIRE_EQ(arm_iommu_attach_device(&device, mapping), -EBUSY);
				arm_iommu_detach_device(&device);
				REQUIRE(!device.archdata.mapping && !device.archdata.dma_ops);
				device.archdata.dma_ops = (void *)1;
				REQUIRE_EQ(arm_iommu_attach_device(&device, mapping), -EBUSY);
				device.archdata.dma_ops = NULL;
			}
			arm_iommu_release_mapping(mapping);
		} else {
			REQUIRE_EQ(PTR_ERR(mapping), -ENOMEM);
		}
		REQUIRE_EQ(nr_domains, 0);
		REQUIRE_EQ(iommu_nr_blocks, 0);
	}
	arm_iommu_detach_device(&device);
	REQUIRE(strstr(iommu_said, "not attached"));
	REQUIRE_EQ(PTR_ERR(arm_iommu_create_mapping(&bus, BASE, 0, 0)), -EINVAL);
	REQUIRE_EQ(PTR_ERR(arm_iommu_create_mapping(&bus, BASE, SPACE, -1)), -EINVAL);
}

/* Does the device reach exactly this? */
static void check_mapped(dma_addr_t iova, phys_addr_t phys, size_t size, int prot)
{
	size_t done;

	for (done = 0; done < size; done += PAGE_SIZE - ((iova + done) & ~PAGE_MASK)) {
		unsigned long page = io_page(iova + done);

		REQUIRE_EQ(table[page].prot, prot);
		REQUIRE_EQ(table[page].phys + ((iova + done) & 4095), phys + done);
	}
}

TEST(page, "a device reaches the pages of what is mapped, in the direction of the transfer")
{
	static const struct { unsigned long offset; size_t size; } parts[] = {
		{ 0, 1 }, { 0, 4096 }, { 4095, 1 }, { 4095, 2 }, { 100, 9000 }, { 9000, 100 },
		{ 0, 1 << 20 }, { 65536, 65536 }, { 123, 17 << 20 },
	};
	static const int prots[] = { IOMMU_READ | IOMMU_WRITE, IOMMU_READ, IOMMU_WRITE };
	unsigned int i, dir;

	begin(0);
	atomic = true;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (dir = 0; dir < 3; dir++) {
			phys_addr_t phys = page_to_phys(iommu_pages + 4096) + parts[i].offset;
			size_t size = parts[i].size;
			dma_addr_t handle;

			nr_synced = 0;
			handle = ops->map_page(&device, iommu_pages + 4096, parts[i].offset, size,
					       dir, NULL);
			REQUIRE(handle != (dma_addr_t)~0);
			check_mapped(handle, phys, size, prots[dir]);
			REQUIRE_EQ(nr_mapped, ((handle & 4095) + size + 4095) / 4096);
			REQUIRE_EQ(nr_synced, 1);
			REQUIRE(synced[0].start == phys && synced[0].size == size &&
				synced[0].for_device);
			ops->unmap_page(&device, handle, size, dir, NULL);
			REQUIRE_EQ(nr_synced, dir == DMA_TO_DEVICE ? 1 : 2);
			if (dir != DMA_TO_DEVICE)
				REQUIRE(synced[1].start == phys && synced[1].size == size &&
					!synced[1].for_device);
			settled();
		}
	}
	atomic = false;
	end();
}

TEST(page_fails, "a page that cannot be mapped leaves all as it was, and its caches, too")
{
	begin(0);
	while (next_failure()) {
		dma_addr_t handle;

		nr_synced = 0;
		handle = ops->map_page(&device, iommu_pages + 255, 10, 0x122345, DMA_TO_DEVICE,
				       NULL);
		REQUIRE_EQ(handle == (dma_addr_t)~0, may_fail());
		if (handle == (dma_addr_t)~0)
			REQUIRE_EQ(nr_synced, 0);
		else
			ops->unmap_page(&device, handle, 0x122345, DMA_TO_DEVICE, NULL);
		settled();
	}
	REQUIRE_EQ(ops->map_page(&device, iommu_pages, 0, SPACE + 1, DMA_TO_DEVICE, NULL), ~0U);
	REQUIRE_EQ(ops->map_page(&device, iommu_pages, 0, 0, DMA_TO_DEVICE, NULL), ~0U);
	end();
}

TEST(sizes, "memory is mapped with the largest pages that fit and that the IOMMU has")
{
	static const struct { unsigned long page; size_t size; unsigned int nr[4]; } rows[] = {
		{ 4096, 16 << 20, { 0, 0, 0, 1 } }, { 4096, 4 << 20, { 0, 0, 4, 0 } },
		{ 4096, 0x111000, { 1, 1, 1, 0 } }, { 4096 + 16, 0x10000, { 0, 1, 0, 0 } },
		{ 4097, 0x10000, { 16, 0, 0, 0 } }, { 4096, 4096, { 1, 0, 0, 0 } },
		{ 4096, (16 << 20) + 1, { 1, 0, 0, 1 } },
	};
	unsigned int i, order;

	begin(0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		dma_addr_t handle;

		memset(nr_maps, 0, sizeof(nr_maps));
		handle = ops->map_page(&device, iommu_pages + rows[i].page, 0, rows[i].size, 0,
				       NULL);
		for (order = 0; order < 4; order++)
			REQUIRE_EQ(nr_maps[4 * order], rows[i].nr[order], "row %u, order %u", i,
				   4 * order);
		ops->unmap_page(&device, handle, rows[i].size, 0, NULL);
		settled();
	}
	end();

	begin(0);
	orders_of_iommu = 1U << 0 | 1U << 8;
	for (i = 0; i < 2; i++) {
		dma_addr_t handle;

		memset(nr_maps, 0, sizeof(nr_maps));
		handle = ops->map_page(&device, iommu_pages + 4096, 0, 17 << 20, 0, NULL);
		REQUIRE_EQ(nr_maps[8], 17);
		ops->unmap_page(&device, handle, 17 << 20, 0, NULL);
		memset(nr_maps, 0, sizeof(nr_maps));
		handle = ops->map_page(&device, iommu_pages + 4096, 0, 0x20000, 0, NULL);
		REQUIRE_EQ(nr_maps[0], 32);
		ops->unmap_page(&device, handle, 0x20000, 0, NULL);
	}
	end();
}

TEST(partial, "a part of a mapping is not unmapped, whatever the smallest range is")
{
	int order;

	for (order = 0; order < 5; order += 4) {
		dma_addr_t handle;
		unsigned int i;

		begin(order);
		handle = ops->map_page(&device, iommu_pages + 4096, 0, 4 * 4096, 0, NULL);
		nr_synced = 0;
		for (i = 0; i < 5; i++) {
			static const int wrong[][2] = {
				{ 0, 4096 }, { 4096, 3 * 4096 }, { 0, 5 * 4096 }, { 16384, 4096 },
				{ 100, 4 * 4096 },
			};

			ops->unmap_page(&device, handle + wrong[i][0], wrong[i][1], 0, NULL);
			REQUIRE_EQ(iommu_warnings, 1);
			REQUIRE_EQ(nr_mapped, 4);
			REQUIRE_EQ(nr_synced, 0);
			iommu_warnings = 0;
		}
		ops->unmap_page(&device, handle, 4 * 4096, 0, NULL);
		end();
	}
}

TEST(part, "a sync of a part takes as many steps as the part has pages")
{
	dma_addr_t handle;
	phys_addr_t phys = page_to_phys(iommu_pages + 4096);

	begin(0);
	handle = ops->map_page(&device, iommu_pages + 4096, 50, 16 << 20, 0, NULL);
	nr_synced = 0;
	nr_lookups = 0;
	ops->sync_single_for_cpu(&device, handle + 8000, 4096, DMA_FROM_DEVICE);
	REQUIRE(nr_lookups <= 3, "%u", nr_lookups);
	REQUIRE_EQ(nr_synced, 1);
	REQUIRE(synced[0].start == phys + 8050 && synced[0].size == 4096 && !synced[0].for_device);
	nr_synced = 0;
	ops->sync_single_for_device(&device, handle, 16 << 20, DMA_TO_DEVICE);
	REQUIRE_EQ(nr_synced, 1);
	REQUIRE(synced[0].start == phys + 50 && synced[0].size == 16 << 20 && synced[0].for_device);
	ops->unmap_page(&device, handle, 16 << 20, 0, NULL);
	ops->sync_single_for_cpu(&device, handle, 4096, DMA_FROM_DEVICE);
	REQUIRE_EQ(iommu_warnings, 1);
	iommu_warnings = 0;
	end();
}

/*
 * Lists
 */

static struct scatterlist list[512];
static unsigned int seed = 1;

static unsigned int random_below(unsigned int limit)
{
	return ((unsigned int)rand_r(&seed) << 15 ^ rand_r(&seed)) % limit;
}

/* Entries of which some join with the one before, in one of both ways */
static void random_list(int nents)
{
	unsigned long end = 0;	/* bytes from the start of memory */
	int i;

	for (i = 0; i < nents; i++) {
		unsigned long start = (1 + random_below(8000)) << PAGE_SHIFT;

		switch (random_below(4)) {
		case 0:
			start += random_below(3 * 4096);
			break;
		case 1:
			start = end;
			break;
		}
		end = start + 1 + random_below(30000);
		if (random_below(2))
			end = ALIGN(end, PAGE_SIZE);
		list[i] = (struct scatterlist){ .last = i == nents - 1, .dma_length = 77 };
		/* The offset may exceed a page */
		list[i].page = iommu_pages + (start >> PAGE_SHIFT);
		list[i].offset = start & 4095;
		if (start > 1 << 20 && random_below(2)) {
			list[i].page--;
			list[i].offset += 4096;
		}
		list[i].length = end - start;
	}
}

/* The entry that begins with this byte of the list, or has it */
static struct scatterlist *entry_at(size_t n)
{
	struct scatterlist *sg = list;

	for (; n >= sg->length; sg++)
		n -= sg->length;
	return sg;
}

/* The physical address of a byte of the list */
static phys_addr_t byte_of_list(size_t n)
{
	struct scatterlist *sg = list;

	for (; n >= sg->length; sg++)
		n -= sg->length;
	return page_to_phys(sg->page) + sg->offset + n;
}

static size_t bytes_of_list(int nents)
{
	size_t size = 0;

	while (nents--)
		size += list[nents].length;
	return size;
}

/* Each byte of each range is that of the list, at steps that hit all ends */
static void check_list(int count, int nents)
{
	size_t pos = 0;
	int i;

	for (i = 0; i < count; i++) {
		dma_addr_t addr = list[i].dma_address;
		size_t done, size = list[i].dma_length;

		REQUIRE(size, "range %d is empty", i);
		REQUIRE(size <= device.max_seg_size || size == entry_at(pos)->length,
			"range %d has %zu bytes", i, size);
		for (done = 0; done < size; done += done + 257 < size || done + 1 == size ? 257 :
		     size - 1 - done)
			REQUIRE_EQ(iommu_iova_to_phys(NULL, addr + done), byte_of_list(pos + done),
				   "byte %zu of range %d", done, i);
		if (i && device.seg_boundary == 0xffffffff &&
		    list[i - 1].dma_length + size <= device.max_seg_size / 2)
			REQUIRE((byte_of_list(pos) | (byte_of_list(pos - 1) + 1)) & 4095 &&
				byte_of_list(pos) != byte_of_list(pos - 1) + 1,
				"ranges %d and %d were not joined", i - 1, i);
		pos += size;
	}
	REQUIRE_EQ(pos, bytes_of_list(nents));
	if (count < nents)
		REQUIRE_EQ(list[count].dma_length, 0);
}

/* The calls of cache maintenance cover each byte of the list once, in order */
static void check_synced(int nents, bool for_device)
{
	size_t pos = 0;
	unsigned int i;

	for (i = 0; i < nr_synced; i++) {
		REQUIRE_EQ(synced[i].start, byte_of_list(pos));
		REQUIRE_EQ(synced[i].for_device, for_device);
		pos += synced[i].size;
		REQUIRE_EQ(byte_of_list(pos - 1), synced[i].start + synced[i].size - 1);
		if (i)
			REQUIRE(synced[i].start != synced[i - 1].start + synced[i - 1].size,
				"two calls for one range");
	}
	REQUIRE_EQ(pos, bytes_of_list(nents));
	nr_synced = 0;
}

/* Sync a part of the first range of the list */
static void check_part(size_t size)
{
	size_t start = random_below(size), part = 1 + random_below(size - start), pos = start;
	unsigned int i;

	ops->sync_single_for_cpu(&device, list[0].dma_address + start, part, DMA_FROM_DEVICE);
	for (i = 0; i < nr_synced; i++) {
		REQUIRE_EQ(synced[i].start, byte_of_list(pos));
		pos += synced[i].size;
		REQUIRE_EQ(byte_of_list(pos - 1), synced[i].start + synced[i].size - 1);
	}
	REQUIRE_EQ(pos, start + part);
	nr_synced = 0;
}

TEST(lists, "lists with any ends are mapped, joined and synced")
{
	struct dma_attrs skip = { 1U << DMA_ATTR_SKIP_CPU_SYNC };
	unsigned int round;

	begin(0);
	for (round = 0; round < 3000; round++) {
		int nents = 1 + random_below(round % 10 ? 12 : 60), count;

		random_list(nents);
		device.max_seg_size = round % 3 ? 0x7fffffff : round & 1 ? 65536 : 16384;
		nr_synced = 0;
		atomic = true;
		count = ops->map_sg(&device, list, nents, DMA_BIDIRECTIONAL, NULL);
		REQUIRE(count > 0);
		check_list(count, nents);
		check_synced(nents, true);
		/* Both numbers are accepted */
		ops->sync_sg_for_cpu(&device, list, round & 1 ? nents : count, DMA_FROM_DEVICE);
		check_synced(nents, false);
		ops->sync_sg_for_device(&device, list, round & 1 ? count : nents, DMA_FROM_DEVICE);
		check_synced(nents, true);
		check_part(list[0].dma_length);
		if (round % 4) {
			ops->unmap_sg(&device, list, nents, DMA_BIDIRECTIONAL, NULL);
			check_synced(nents, false);
		} else {
			ops->unmap_sg(&device, list, nents, DMA_BIDIRECTIONAL, &skip);
			REQUIRE_EQ(nr_synced, 0);
		}
		atomic = false;
		settled();
	}
	end();
}

TEST(list_limits, "no range exceeds the limits of the device, or is empty")
{
	static const unsigned int sizes[] = { 4096, 8192, 65536, 10000, 1 << 20 };
	unsigned int round;

	begin(0);
	for (round = 0; round < 1000; round++) {
		int nents = 200, count, i;

		device.max_seg_size = sizes[round % 5];
		device.seg_boundary = round & 1 ? 0xffffffff : 0xffff;
		for (i = 0; i < nents; i++)
			list[i] = (struct scatterlist){ .last = i == nents - 1, .length = 4096,
				.page = iommu_pages + random_below(8000) };
		nr_synced = 0;
		count = ops->map_sg(&device, list, nents, DMA_TO_DEVICE, NULL);
		REQUIRE(count > 0);
		check_list(count, nents);
		for (i = 0; i < count; i++) {
			dma_addr_t addr = list[i].dma_address, end = addr + list[i].dma_length - 1;

			REQUIRE(list[i].dma_length <= device.max_seg_size);
			REQUIRE(!((addr ^ end) & ~device.seg_boundary), "%#x to %#x", addr, end);
		}
		ops->unmap_sg(&device, list, nents, DMA_TO_DEVICE, NULL);
		settled();
	}
	device.seg_boundary = 0xffffffff;
	end();
}

TEST(list_no_limits, "a limit that a driver did not set is that of a device without dma_parms")
{
	int i;

	begin(0);
	for (i = 0; i < 200; i++)
		list[i] = (struct scatterlist){ .last = i == 199, .length = 4096,
			.page = iommu_pages + 2 * i };
	device.seg_boundary = 0;
	REQUIRE_EQ(ops->map_sg(&device, list, 200, DMA_TO_DEVICE, NULL), 1);
	ops->unmap_sg(&device, list, 200, DMA_TO_DEVICE, NULL);
	device.max_seg_size = 0;
	REQUIRE_EQ(ops->map_sg(&device, list, 200, DMA_TO_DEVICE, NULL), 13);
	ops->unmap_sg(&device, list, 200, DMA_TO_DEVICE, NULL);
	end();
}

TEST(list_fails, "a list that cannot be mapped leaves all as it was")
{
	begin(0);
	device.max_seg_size = 65536;
	random_list(30);
	while (next_failure()) {
		int count;

		nr_synced = 0;
		count = ops->map_sg(&device, list, 30, DMA_FROM_DEVICE, NULL);
		REQUIRE_EQ(!count, may_fail());
		if (!count)
			REQUIRE_EQ(nr_synced, 0);
		else
			ops->unmap_sg(&device, list, 30, DMA_FROM_DEVICE, NULL);
		settled();
	}
	list[3].length = 0;
	list[3].offset = 1;
	list[2].length = 100;
	list[2].offset = 0;
	ops->unmap_sg(&device, list, ops->map_sg(&device, list, 30, 0, NULL) ? 30 : 0, 0, NULL);
	settled();
	list[0].length = 0;
	list[0].last = true;
	REQUIRE_EQ(ops->map_sg(&device, list, 1, 0, NULL), 0);
	end();
}

TEST(list_part, "a list that a driver has made to sync a part is synced")
{
	begin(0);
	random_list(5);
	for (unsigned int i = 0; i < 5; i++)
		list[i].dma_length = 0;
	ops->sync_sg_for_cpu(&device, list, 5, DMA_FROM_DEVICE);
	check_synced(5, false);
	end();
}

/* Scattered pages, in ranges of max bytes */
static void list_of_pages(int nents, unsigned int max)
{
	int i;

	device.max_seg_size = max;
	for (i = 0; i < nents; i++)
		list[i] = (struct scatterlist){ .last = i == nents - 1, .length = 4096,
			.page = iommu_pages + 2 * i };
	nr_syncs = 0;
	nr_flushes = 0;
	nr_told = 0;
}

TEST(list_flush, "a list has one sync and one flush, whether it is one range or many")
{
	static const unsigned int sizes[] = { 1 << 30, 65536, 4096, 12288 };
	unsigned int i;

	begin(0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		list_of_pages(256, sizes[i]);
		REQUIRE(ops->map_sg(&device, list, 256, 0, NULL) > 0);
		REQUIRE_EQ(nr_syncs, 1);
		REQUIRE_EQ(nr_flushes, 0, "to map");
		ops->unmap_sg(&device, list, 256, 0, NULL);
		REQUIRE_EQ(nr_syncs, 1);
		REQUIRE_EQ(nr_flushes, 1, "ranges of %u bytes", sizes[i]);
		settled();
	}
	end();
}

TEST(one_flush, "so do a page of any size, and a buffer")
{
	dma_addr_t handle;
	void *addr;

	begin(0);
	nr_syncs = 0;
	nr_flushes = 0;
	handle = ops->map_page(&device, iommu_pages + 1, 0, 0x234567, 0, NULL);
	REQUIRE(nr_syncs == 1 && !nr_flushes);
	ops->unmap_page(&device, handle, 0x234567, 0, NULL);
	REQUIRE(nr_syncs == 1 && nr_flushes == 1);
	max_block_order = 0;
	addr = ops->alloc(&device, 1 << 20, &handle, GFP_KERNEL, NULL);
	REQUIRE(addr && nr_syncs == 2 && nr_flushes == 1);
	ops->free(&device, 1 << 20, addr, handle, NULL);
	REQUIRE(nr_syncs == 2 && nr_flushes == 2);
	end();
}

TEST(far_apart, "ranges that are far apart are flushed each, and neighbours of these with them")
{
	dma_addr_t handles[16];
	unsigned int i;

	begin(0);
	/* Only holes of 16 KiB are left, 4 MiB apart */
	for (i = 0; i < 16; i++)
		handles[i] = ops->map_page(&device, iommu_pages, 0, (4 << 20) - 16384, 0, NULL);
	list_of_pages(16, 4096);
	REQUIRE_EQ(ops->map_sg(&device, list, 16, 0, NULL), 16);
	REQUIRE_EQ(nr_syncs, 4);
	REQUIRE_EQ(nr_told, 16);
	/* From the other end */
	for (i = 0; i < 8; i++) {
		struct scatterlist other = list[i];

		list[i].dma_address = list[15 - i].dma_address;
		list[15 - i].dma_address = other.dma_address;
	}
	ops->unmap_sg(&device, list, 16, 0, NULL);
	REQUIRE_EQ(nr_flushes, 4);
	REQUIRE_EQ(nr_told, 32);
	for (i = 0; i < 16; i++)
		ops->unmap_page(&device, handles[i], (4 << 20) - 16384, 0, NULL);
	end();
}

TEST(no_ranges, "an IOMMU driver without operations for a range works, page by page")
{
	begin(0);
	ranges_of_iommu = false;
	list_of_pages(256, 1 << 30);
	REQUIRE(ops->map_sg(&device, list, 256, 0, NULL) > 0);
	ops->unmap_sg(&device, list, 256, 0, NULL);
	REQUIRE_EQ(nr_syncs, 256);
	REQUIRE_EQ(nr_flushes, 256);
	end();
}

TEST(list_wrong, "a range of a list that is not mapped, or is there twice, is refused alone")
{
	dma_addr_t handle, right, others[16];
	unsigned int i;

	begin(0);
	list_of_pages(8, 4096);
	REQUIRE_EQ(ops->map_sg(&device, list, 8, 0, NULL), 8);
	handle = ops->map_page(&device, iommu_pages, 0, 8192, 0, NULL);
	right = list[3].dma_address;
	list[3].dma_address = handle;
	list[5].dma_address = list[4].dma_address;
	ops->unmap_sg(&device, list, 8, 0, NULL);
	REQUIRE_EQ(iommu_warnings, 2);
	REQUIRE_EQ(nr_mapped, 4);
	iommu_warnings = 0;
	/* Nobody else gets their addresses; iommu_map_nosync() looks */
	for (i = 0; i < 16; i++)
		others[i] = ops->map_page(&device, iommu_pages, 0, 4096, 0, NULL);
	for (i = 0; i < 16; i++)
		ops->unmap_page(&device, others[i], 4096, 0, NULL);
	ops->unmap_page(&device, handle, 8192, 0, NULL);
	ops->unmap_page(&device, right, 4096, 0, NULL);
	ops->unmap_page(&device, list[4].dma_address + 4096, 4096, 0, NULL);
	end();
}

/*
 * Lazy mappings
 */

/* Map and unmap a page; true if that has flushed the TLB */
static bool map_one(void)
{
	unsigned int before = nr_flushes;
	dma_addr_t handle = ops->map_page(&device, iommu_pages, 0, 4096, 0, NULL);

	REQUIRE(handle != (dma_addr_t)~0, "no io address");
	ops->unmap_page(&device, handle, 4096, 0, NULL);
	return nr_flushes != before;
}

TEST(lazy_few, "a lazy mapping flushes for 64 ranges at once, and uses none of them before")
{
	unsigned int i;

	lazy = true;
	begin(0);
	iommu_wait(10);
	nr_flushes = 0;
	for (i = 1; i <= 200; i++)
		REQUIRE_EQ(map_one(), i % 64 == 0, "unmap %u", i);
	REQUIRE_EQ(nr_unflushed, 200 % 64);
	REQUIRE_EQ(nr_flushes, 3);
	end();
}

TEST(lazy_time, "what is not flushed then is flushed after 10 ms, counted from the first range")
{
	unsigned int round;

	lazy = true;
	begin(0);
	iommu_wait(10);
	for (round = 0; round < 10; round++) {
		nr_flushes = 0;
		map_one();
		iommu_wait(6);
		map_one();
		iommu_wait(3);
		REQUIRE(nr_unflushed == 2 && !nr_flushes);
		iommu_wait(1);
		REQUIRE(!nr_unflushed && nr_flushes == 1);
		iommu_wait(100);
		REQUIRE_EQ(nr_flushes, 1, "for nothing");
	}
	end();
}

TEST(lazy_range, "a flush is about what waits for it, and if nothing does, there is none")
{
	dma_addr_t low, high;
	unsigned int i;

	lazy = true;
	begin(0);
	for (i = 0; i < 4; i++) {
		low = ops->map_page(&device, iommu_pages, 0, 4096, 0, NULL);
		high = ops->map_page(&device, iommu_pages, 0, 1 << 20, 0, NULL);
		iommu_wait(10);
		ops->unmap_page(&device, i & 1 ? low : high, i & 1 ? 4096 : 1 << 20, 0, NULL);
		iommu_wait(10);
		nr_told = 0;
		ops->unmap_page(&device, i & 1 ? high : low, i & 1 ? 1 << 20 : 4096, 0, NULL);
		iommu_wait(10);
		REQUIRE_EQ(nr_told, i & 1 ? 256 : 1);
	}
	settled();
	nr_flushes = 0;
	arm_iommu_detach_device(&device);
	REQUIRE_EQ(nr_flushes, 0);
}

TEST(lazy_lists, "lists, and a failure at each point, leave nothing behind in a lazy mapping")
{
	unsigned int round;

	lazy = true;
	begin(0);
	for (round = 0; round < 1000; round++) {
		int nents = 1 + random_below(round % 10 ? 12 : 60), count;

		random_list(nents);
		device.max_seg_size = round % 3 ? 0x7fffffff : 16384;
		nr_synced = 0;
		atomic = true;
		count = ops->map_sg(&device, list, nents, DMA_BIDIRECTIONAL, NULL);
		REQUIRE(count > 0);
		check_list(count, nents);
		check_synced(nents, true);
		ops->unmap_sg(&device, list, nents, DMA_BIDIRECTIONAL, NULL);
		atomic = false;
		if (round % 5 == 0)
			settled();
	}
	random_list(30);
	while (next_failure()) {
		int count = ops->map_sg(&device, list, 30, DMA_FROM_DEVICE, NULL);

		REQUIRE_EQ(!count, may_fail());
		if (count)
			ops->unmap_sg(&device, list, 30, DMA_FROM_DEVICE, NULL);
		settled();
	}
	end();
}

TEST(lazy_full, "a space that is full of ranges that wait is flushed, not refused")
{
	dma_addr_t handle;
	unsigned int i;
	void *addr;

	lazy = true;
	begin(0);
	iommu_wait(10);
	for (i = 0; i < 10; i++) {
		nr_flushes = 0;
		handle = ops->map_page(&device, iommu_pages, 0, SPACE, 0, NULL);
		REQUIRE_EQ(handle, BASE);
		ops->unmap_page(&device, handle, SPACE, 0, NULL);
		REQUIRE_EQ(nr_flushes, i > 0);
	}
	addr = ops->alloc(&device, 1 << 20, &handle, GFP_KERNEL, NULL);
	REQUIRE(addr, "no buffer");
	ops->free(&device, 1 << 20, addr, handle, NULL);
	handle = ops->map_page(&device, iommu_pages, 0, SPACE, 0, NULL);
	ops->unmap_page(&device, handle, SPACE, 0, NULL);
	list_of_pages(256, 4096);
	REQUIRE_EQ(ops->map_sg(&device, list, 256, 0, NULL), 256);
	ops->unmap_sg(&device, list, 256, 0, NULL);
	REQUIRE_EQ(ops->map_page(&device, iommu_pages, 0, SPACE + 1, 0, NULL), ~0U);
	end();
}

TEST(lazy_buffer, "the memory of a buffer of a lazy mapping is flushed before it is freed")
{
	dma_addr_t handle;
	void *addr;

	lazy = true;
	begin(0);
	iommu_wait(10);
	nr_flushes = 0;
	addr = ops->alloc(&device, 1 << 20, &handle, GFP_KERNEL, NULL);
	map_one();
	REQUIRE_EQ(nr_unflushed, 1);
	/* __free_page() has looked */
	ops->free(&device, 1 << 20, addr, handle, NULL);
	REQUIRE_EQ(nr_flushes, 1);
	REQUIRE_EQ(nr_unflushed, 1);
	REQUIRE_EQ(nr_pages_used, 0);
	end();
}

TEST(lazy_twice, "what waits for a flush cannot be unmapped again, and is freed once")
{
	dma_addr_t handle;

	lazy = true;
	begin(0);
	handle = ops->map_page(&device, iommu_pages, 0, 8192, 0, NULL);
	ops->unmap_page(&device, handle, 8192, 0, NULL);
	ops->unmap_page(&device, handle, 8192, 0, NULL);
	REQUIRE_EQ(iommu_warnings, 1);
	iommu_warnings = 0;
	end();
}

TEST(lazy_end, "a mapping is flushed when a device is detached, and when it is freed")
{
	struct dma_iommu_mapping *mapping;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		lazy = true;
		begin(0);
		mapping = device.archdata.mapping;
		if (i & 1)
			kref_get(&mapping->kref);
		if (i & 2)
			map_one();
		REQUIRE(nr_unflushed > 0);
		arm_iommu_detach_device(&device);
		REQUIRE_EQ(nr_unflushed, 0);
		if (i & 1) {
			REQUIRE_EQ(nr_domains, 1);
			arm_iommu_release_mapping(mapping);
		}
		REQUIRE_EQ(nr_domains, 0);
		REQUIRE(!iommu_timer, "the timer is left");
		REQUIRE_EQ(iommu_nr_blocks, 0, "memory is left");
	}
}

TEST(lazy_set, "a mapping is made lazy or strict before a device is attached, if the IOMMU can")
{
	struct dma_iommu_mapping *mapping = arm_iommu_create_mapping(&bus, BASE, SPACE, 0);
	unsigned int blocks = iommu_nr_blocks;

	while (next_failure()) {
		REQUIRE_EQ(arm_iommu_set_lazy(mapping, true), may_fail() ? -ENOMEM : 0);
		REQUIRE_EQ(iommu_nr_blocks, blocks + !may_fail());
		REQUIRE_EQ(arm_iommu_set_lazy(mapping, false), 0);
		REQUIRE_EQ(iommu_nr_blocks, blocks);
	}
	REQUIRE_EQ(arm_iommu_set_lazy(mapping, true), 0);
	REQUIRE_EQ(arm_iommu_set_lazy(mapping, true), 0);
	REQUIRE_EQ(arm_iommu_attach_device(&device, mapping), 0);
	REQUIRE_EQ(arm_iommu_set_lazy(mapping, false), -EBUSY);
	lazy = true;
	ops = check_ops(device.archdata.dma_ops);
	map_one();
	REQUIRE_EQ(nr_unflushed, 1);
	arm_iommu_detach_device(&device);
	REQUIRE_EQ(arm_iommu_set_lazy(mapping, false), 0);
	REQUIRE_EQ(arm_iommu_attach_device(&device, mapping), 0);
	lazy = false;
	map_one();
	arm_iommu_detach_device(&device);
	ranges_of_iommu = false;
	REQUIRE_EQ(arm_iommu_set_lazy(mapping, true), -EOPNOTSUPP);
	REQUIRE_EQ(arm_iommu_set_lazy(mapping, false), 0);
	arm_iommu_release_mapping(mapping);
	REQUIRE_EQ(iommu_nr_blocks, 0);
}

TEST(lazy_param, "dma_iommu= chooses the default, and what it does not know is strict")
{
	static const struct { const char *arg; bool is_lazy; const char *said; } rows[] = {
		{ "lazy", true, "lazy: mappings of IOMMUs are lazy" },
		{ "strict", false, "" },
		{ "lazy", true, "lazy: mappings of IOMMUs are lazy" },
		{ "fast", false, "fast: neither strict nor lazy; they are strict" },
		{ "lazy,", false, "lazy,: neither strict nor lazy; they are strict" },
		{ "", false, ": neither strict nor lazy; they are strict" },
		{ NULL, false, ": neither strict nor lazy; they are strict" },
	};
	char said[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		iommu_said[0] = '\0';
		REQUIRE_EQ(iommu_early_param((char *)rows[i].arg), 0);
		snprintf(said, sizeof(said), *rows[i].said ? "DMA: dma_iommu=%s\n" : "%s",
			 rows[i].said);
		REQUIRE(!strcmp(iommu_said, said), "row %u: %s", i, iommu_said);
		lazy = false;
		if (rows[i].is_lazy) {
			struct dma_iommu_mapping *mapping;

			while (next_failure()) {
				mapping = arm_iommu_create_mapping(&bus, BASE, SPACE, 0);
				REQUIRE_EQ(IS_ERR(mapping), may_fail());
				if (!IS_ERR(mapping))
					arm_iommu_release_mapping(mapping);
				REQUIRE_EQ(nr_domains, 0);
				REQUIRE_EQ(iommu_nr_blocks, 0);
			}
			/* Not with an IOMMU that cannot */
			ranges_of_iommu = false;
			begin(0);
			REQUIRE(!iommu_timer, "what is flushed waits for a flush");
			end();
			ranges_of_iommu = true;
			mapping = arm_iommu_create_mapping(&bus, BASE, SPACE, 0);
			arm_iommu_attach_device(&device, mapping);
			arm_iommu_release_mapping(mapping);
			lazy = true;
			ops = check_ops(device.archdata.dma_ops);
			map_one();
			REQUIRE_EQ(nr_unflushed, 1, "row %u is strict", i);
			arm_iommu_detach_device(&device);
		} else {
			begin(0);
			end();
		}
	}
}

/*
 * Coherent buffers
 */

static void check_buffer(void *addr, dma_addr_t handle, size_t size, unsigned int flags)
{
	bool coherent = iommu_coherent;
	size_t done;

	REQUIRE_EQ(nr_mapped, size >> PAGE_SHIFT);
	for (done = 0; done < size; done += PAGE_SIZE) {
		phys_addr_t phys = iommu_iova_to_phys(NULL, handle + done);
		struct page *page = pfn_to_page(__phys_to_pfn(phys));
		const u8 *memory;

		REQUIRE(page->used);
		REQUIRE(!iommu_has_area || page->high || page < &iommu_pages[AREA_PAGES],
			"in low memory, outside the area");
		REQUIRE(coherent || !page->unflushed, "not flushed");
		memory = page_address(page);
		REQUIRE(!*memory && !memcmp(memory, memory + 1, PAGE_SIZE - 1), "not cleared");
		REQUIRE_EQ(table[io_page(handle + done)].prot,
			   IOMMU_READ | IOMMU_WRITE | (coherent ? IOMMU_CACHE : 0));
		if (flags & 1U << DMA_ATTR_NO_KERNEL_MAPPING)
			REQUIRE(((struct page **)addr)[done >> PAGE_SHIFT] == page);
	}
}

static void try_buffer(size_t size, gfp_t gfp, unsigned int flags)
{
	struct dma_attrs attrs = { flags };
	dma_addr_t handle;
	void *addr;

	atomic = !(gfp & __GFP_WAIT);
	no_io = (gfp & GFP_KERNEL) != GFP_KERNEL;
	addr = ops->alloc(&device, size, &handle, gfp, &attrs);
	if (addr) {
		size = ALIGN(size, PAGE_SIZE);
		check_buffer(addr, handle, size, flags);
		if (iommu_vm.addr) {
			REQUIRE_EQ(iommu_vm.size, size);
			REQUIRE_EQ(iommu_vm.prot, iommu_coherent ? L_PTE_XN | 1 :
				   flags & 1U << DMA_ATTR_WRITE_COMBINE ? L_PTE_XN | 5 :
				   L_PTE_XN | 9);
			REQUIRE(iommu_vm.flags & VM_IOREMAP);
			REQUIRE(addr == iommu_vm.addr);
		}
		REQUIRE(!(flags & 1U << DMA_ATTR_NO_KERNEL_MAPPING) || !iommu_vm.addr);
		/* Wrong frees are refused */
		ops->free(&device, size + 4096, addr, handle, &attrs);
		ops->free(&device, size, addr + 1, handle, &attrs);
		ops->free(&device, size, addr, handle + 4096, &attrs);
		REQUIRE_EQ(iommu_warnings, 3);
		iommu_warnings = 0;
		REQUIRE_EQ(nr_mapped, size >> PAGE_SHIFT);
		ops->free(&device, size, addr, handle, &attrs);
	} else {
		REQUIRE_EQ(handle, ~0U);
		REQUIRE(may_fail(), "%zu bytes, gfp %#x, attributes %#x", size, gfp, flags);
	}
	atomic = false;
	settled();
}

/* What is high memory is free for the page allocator only */
static void set_memory(bool area, bool highmem)
{
	unsigned int i;

	iommu_has_area = area;
	iommu_has_highmem = highmem;
	for (i = 0; i < IOMMU_PAGES; i++)
		iommu_pages[i].high = highmem && i >= AREA_PAGES && i / 256 & 1;
}

TEST(buffers, "coherent buffers of each kind are cleared, and a failure anywhere is undone")
{
	static const size_t sizes[] = { 1, 4096, 70000, 0x123456 };
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_ATOMIC, GFP_NOIO, GFP_KERNEL | __GFP_ZERO };
	unsigned int i, j, flags;

	begin(0);
	for (i = 0; i < 4 * ARRAY_SIZE(sizes) * ARRAY_SIZE(gfps); i++) {
		set_memory(i / 16 & 1, i / 32);
		for (j = 0; j < 8; j++) {
			flags = (j & 1) << DMA_ATTR_WRITE_COMBINE |
				(j >> 1 & 1) << DMA_ATTR_NO_KERNEL_MAPPING |
				(j >> 2 & 1) << DMA_ATTR_FORCE_CONTIGUOUS;
			while (next_failure())
				try_buffer(sizes[i % 4], gfps[i / 4 % 4], flags);
		}
	}
	REQUIRE(nr_highmem_blocks > 0);
	end();
}

TEST(coherent, "on a coherent machine, buffers are cached, and nothing is synced")
{
	iommu_coherent = true;
	begin(0);
	try_buffer(0x123456, GFP_KERNEL, 0);
	random_list(20);
	REQUIRE(ops->map_sg(&device, list, 20, 0, NULL) > 0);
	ops->sync_sg_for_cpu(&device, list, 20, 0);
	ops->sync_single_for_cpu(&device, list[0].dma_address, list[0].dma_length, 0);
	ops->unmap_sg(&device, list, 20, 0, NULL);
	end();
}

TEST(large, "a buffer has the largest blocks that are free, and no more than there is memory")
{
	dma_addr_t handle;
	void *addr;

	begin(0);
	memset(nr_maps, 0, sizeof(nr_maps));
	addr = ops->alloc(&device, 16 << 20, &handle, GFP_KERNEL, NULL);
	REQUIRE(addr);
	REQUIRE(nr_maps[8] + 16 * nr_maps[12] >= 15, "%u of 1 MiB", nr_maps[8]);
	ops->free(&device, 16 << 20, addr, handle, NULL);

	max_block_order = 0;
	memset(nr_maps, 0, sizeof(nr_maps));
	addr = ops->alloc(&device, 1 << 20, &handle, GFP_KERNEL, NULL);
	REQUIRE(addr);
	REQUIRE_EQ(nr_maps[0], 256);
	ops->free(&device, 1 << 20, addr, handle, NULL);
	REQUIRE(!ops->alloc(&device, 65 << 20, &handle, GFP_KERNEL, NULL));
	REQUIRE(!ops->alloc(&device, 0, &handle, GFP_KERNEL, NULL));
	end();
}

TEST(mmap, "the pages of a buffer are mapped and listed in its range only")
{
	struct vm_area_struct vma = { .vm_start = 0x1000000 };
	dma_addr_t handle;
	struct sg_table sgt;
	unsigned int i, pages;
	void *addr;

	begin(0);
	max_block_order = 4;
	addr = ops->alloc(&device, 100 << 12, &handle, GFP_KERNEL, NULL);
	REQUIRE(addr);
	for (vma.vm_pgoff = 0; vma.vm_pgoff < 102; vma.vm_pgoff++) {
		for (pages = 1; pages < 103; pages += 7) {
			bool fits = vma.vm_pgoff + pages <= 100;
			unsigned long at = vma.vm_start;

			vma.vm_end = vma.vm_start + (pages << PAGE_SHIFT);
			vma.vm_page_prot = 0x40;
			nr_user = 0;
			REQUIRE_EQ(ops->mmap(&device, &vma, addr, handle, 100 << 12, NULL),
				   fits ? 0 : -ENXIO);
			for (i = 0; i < nr_user; i++) {
				unsigned long offset = at - vma.vm_start +
						       (vma.vm_pgoff << PAGE_SHIFT);
				phys_addr_t phys = iommu_iova_to_phys(NULL, handle + offset);

				REQUIRE_EQ(user[i].addr, at);
				REQUIRE_EQ(user[i].pfn << PAGE_SHIFT, phys);
				at += user[i].size;
			}
			REQUIRE_EQ(at, fits ? vma.vm_end : vma.vm_start);
			REQUIRE(!fits || vma.vm_page_prot == (0x48 | L_PTE_XN));
		}
	}
	vma.vm_pgoff = 0;
	vma.vm_end = vma.vm_start + (3 << PAGE_SHIFT);
	REQUIRE_EQ(ops->mmap(&device, &vma, addr, handle, 2 << 12, NULL), -ENXIO);
	REQUIRE_EQ(ops->mmap(&device, &vma, addr, handle + 4096, 3 << 12, NULL), -ENXIO);

	REQUIRE_EQ(ops->get_sgtable(&device, &sgt, addr, handle, 101 << 12, NULL), -ENXIO);
	REQUIRE_EQ(ops->get_sgtable(&device, &sgt, addr, handle, 0, NULL), -ENXIO);
	REQUIRE_EQ(ops->get_sgtable(&device, &sgt, addr, handle, 100 << 12, NULL), 0);
	for (i = 0, pages = 0; i < sgt.nents; i++) {
		phys_addr_t phys = iommu_iova_to_phys(NULL, handle + (pages << PAGE_SHIFT));

		REQUIRE_EQ(page_to_phys(sgt.sgl[i].page), phys);
		pages += sgt.sgl[i].length >> PAGE_SHIFT;
	}
	REQUIRE_EQ(pages, 100);
	kfree(sgt.sgl);
	ops->free(&device, 100 << 12, addr, handle, NULL);
	end();
}

TEST(mask, "a mask has to cover the space")
{
	begin(0);
	REQUIRE(ops->dma_supported(&device, 0xffffffff));
	REQUIRE(ops->dma_supported(&device, BASE + SPACE - 1));
	REQUIRE(!ops->dma_supported(&device, BASE + SPACE - 2));
	end();
}
