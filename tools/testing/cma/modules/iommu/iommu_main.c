// SPDX-License-Identifier: GPL-2.0
/*
 * The IOMMU in software: address spaces, counters, and devices. See cma_iommu.h.
 * iommu_ops.c, or iommu_ops_later.c, has the operations that the kernel calls.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/ratelimit.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/cacheflush.h>
#include <asm/outercache.h>

#include "cma_iommu.h"
#include "compat.h"
#include "iommu_domain.h"

static bool keep_tlb;
module_param(keep_tlb, bool, 0644);
MODULE_PARM_DESC(keep_tlb, "leave entries of the TLB when a range is unmapped");

static ulong orders = 0x1111;
module_param(orders, ulong, 0644);
MODULE_PARM_DESC(orders, "orders of the pages that it has, bit 0 for 4 KiB, 12 for 16 MiB");

static bool check_free = true;
module_param(check_free, bool, 0644);
MODULE_PARM_DESC(check_free, "look whether memory is free when it is mapped or unmapped; takes time");

static uint fail_map;
module_param(fail_map, uint, 0644);
MODULE_PARM_DESC(fail_map, "number of the map() that fails, from now on");

static uint fail_attach;
module_param(fail_attach, uint, 0644);
MODULE_PARM_DESC(fail_attach, "number of the attach that fails, from now on");

static char *attach = "";
module_param(attach, charp, 0444);
MODULE_PARM_DESC(attach, "names of platform devices to attach, separated by commas");

#define CMA_IOMMU_PAGES		0x100000UL	/* in 4 GiB */

/**
 * struct cma_iommu_client - a device that is attached
 * @list: in cma_iommu_clients
 * @dev: the device
 * @domain: what it is attached to
 */
struct cma_iommu_client {
	struct list_head list;
	struct device *dev;
	struct cma_iommu_domain *domain;
};

/* Guards cma_iommu_clients; held for reading while a device accesses memory. */
static DECLARE_RWSEM(cma_iommu_sem);
static LIST_HEAD(cma_iommu_clients);

/* Guards the counters and fail_*. */
static DEFINE_SPINLOCK(cma_iommu_stats_lock);
static struct cma_iommu_stats cma_iommu_stats;

static const char *const cma_iommu_size_names[] = {
	[CMA_IOMMU_4K]	= "4K",
	[CMA_IOMMU_64K]	= "64K",
	[CMA_IOMMU_1M]	= "1M",
	[CMA_IOMMU_16M]	= "16M",
};

static const char *const cma_iommu_fault_names[] = {
	[CMA_IOMMU_MISSING]	= "missing",
	[CMA_IOMMU_NO_READ]	= "no-read",
	[CMA_IOMMU_NO_WRITE]	= "no-write",
	[CMA_IOMMU_STALE]	= "stale",
	[CMA_IOMMU_NO_MEMORY]	= "no-memory",
	[CMA_IOMMU_OVERLAP]	= "overlap",
	[CMA_IOMMU_NOT_MAPPED]	= "not-mapped",
	[CMA_IOMMU_FREED]	= "freed",
	[CMA_IOMMU_BAD_CALL]	= "bad-call",
	[CMA_IOMMU_LEFT]	= "left",
	[CMA_IOMMU_UNSYNCED]	= "unsynced",
	[CMA_IOMMU_UNFLUSHED]	= "unflushed",
};

static void cma_iommu_add(unsigned int *counter, int n)
{
	unsigned long flags;

	spin_lock_irqsave(&cma_iommu_stats_lock, flags);
	*counter += n;
	spin_unlock_irqrestore(&cma_iommu_stats_lock, flags);
}

static void cma_iommu_fault(enum cma_iommu_fault kind, u32 addr)
{
	cma_iommu_add(&cma_iommu_stats.faults[kind], 1);
	pr_info_ratelimited("fault at %#x: %s\n", addr,
			    cma_iommu_fault_names[kind]);
}

/* Is it this call that has to fail? */
static bool cma_iommu_has_to_fail(uint *nth)
{
	unsigned long flags;
	bool fail;

	spin_lock_irqsave(&cma_iommu_stats_lock, flags);
	fail = *nth && !--*nth;
	spin_unlock_irqrestore(&cma_iommu_stats_lock, flags);
	return fail;
}

/* Is any of it free?  Pages on per-CPU lists do not tell. */
static bool cma_iommu_is_free(u32 phys, int order)
{
	unsigned long pfn = PFN_DOWN(phys), i;
	unsigned long flags;
	bool is_free = false;
	struct zone *zone;

	if (!check_free || !pfn_valid(pfn))
		return false;
	zone = page_zone(pfn_to_page(pfn));
	spin_lock_irqsave(&zone->lock, flags);
	for (i = 0; i < 1UL << order && !is_free; i++)
		is_free = pfn_valid(pfn + i) && PageBuddy(pfn_to_page(pfn + i));
	/* The first one may be in the middle of a larger block */
	for (i = 1; i < NR_PAGE_ORDERS && !is_free; i++) {
		unsigned long head = pfn & ~((1UL << i) - 1);

		is_free = pfn_valid(head) && PageBuddy(pfn_to_page(head)) &&
			  page_private(pfn_to_page(head)) >= i;
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return is_free;
}

/*
 * Address spaces
 */

static void cma_iommu_free(struct cma_iommu_domain *priv)
{
	if (priv->tables.first)
		iommu_tables_free(&priv->tables);
	vfree(priv->unsynced);
	vfree(priv->unflushed);
	kfree(priv);
}

/**
 * cma_domain_create() - create an address space
 *
 * Context: process context, may sleep.
 * Return: an address space in which nothing is mapped, or NULL.
 */
struct cma_iommu_domain *cma_domain_create(void)
{
	struct cma_iommu_domain *priv = kzalloc(sizeof(*priv), GFP_KERNEL);

	if (!priv)
		return NULL;
	spin_lock_init(&priv->lock);
	priv->unsynced = vzalloc(CMA_IOMMU_PAGES / 8);
	priv->unflushed = vzalloc(CMA_IOMMU_PAGES / 8);
	if (!priv->unsynced || !priv->unflushed ||
	    iommu_tables_init(&priv->tables)) {
		cma_iommu_free(priv);
		return NULL;
	}
	cma_iommu_add(&cma_iommu_stats.domains, 1);
	return priv;
}

/**
 * cma_domain_destroy() - free an address space, in which nothing should be left
 * @priv: what cma_domain_create() has returned
 *
 * Context: process context, may sleep.
 */
void cma_domain_destroy(struct cma_iommu_domain *priv)
{
	struct cma_iommu_client *client, *next;

	if (priv->tables.mapped)
		cma_iommu_fault(CMA_IOMMU_LEFT, priv->tables.mapped);
	if (!bitmap_empty(priv->unflushed, CMA_IOMMU_PAGES))
		cma_iommu_fault(CMA_IOMMU_LEFT, 0);

	down_write(&cma_iommu_sem);
	list_for_each_entry_safe(client, next, &cma_iommu_clients, list) {
		if (client->domain != priv)
			continue;
		cma_iommu_fault(CMA_IOMMU_LEFT, 0);
		cma_iommu_add(&cma_iommu_stats.devices, -1);
		list_del(&client->list);
		kfree(client);
	}
	up_write(&cma_iommu_sem);

	cma_iommu_free(priv);
	cma_iommu_add(&cma_iommu_stats.domains, -1);
}

/* cma_iommu_sem is held. */
static struct cma_iommu_client *cma_iommu_find(struct device *dev)
{
	struct cma_iommu_client *client;

	list_for_each_entry(client, &cma_iommu_clients, list)
		if (client->dev == dev)
			return client;
	return NULL;
}

/**
 * cma_domain_attach() - attach a device
 * @priv: address space
 * @dev: device that is not attached to any
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY; -ENOMEM; -EIO if it had to fail.
 */
int cma_domain_attach(struct cma_iommu_domain *priv, struct device *dev)
{
	struct cma_iommu_client *client;
	int ret = 0;

	if (cma_iommu_has_to_fail(&fail_attach))
		return -EIO;
	client = kmalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	client->dev = dev;
	client->domain = priv;

	down_write(&cma_iommu_sem);
	if (cma_iommu_find(dev)) {
		kfree(client);
		ret = -EBUSY;
	} else {
		list_add(&client->list, &cma_iommu_clients);
		cma_iommu_add(&cma_iommu_stats.devices, 1);
	}
	up_write(&cma_iommu_sem);
	return ret;
}

/**
 * cma_domain_detach() - detach a device
 * @priv: address space that it is attached to; NULL: any, or none
 * @dev: the device
 *
 * Context: process context, may sleep.
 */
void cma_domain_detach(struct cma_iommu_domain *priv, struct device *dev)
{
	struct cma_iommu_client *client;

	down_write(&cma_iommu_sem);
	client = cma_iommu_find(dev);
	if (client && (!priv || client->domain == priv)) {
		list_del(&client->list);
		kfree(client);
		cma_iommu_add(&cma_iommu_stats.devices, -1);
	} else if (priv) {
		cma_iommu_fault(CMA_IOMMU_BAD_CALL, 0);
	}
	up_write(&cma_iommu_sem);
}

/* Are there any? */
static bool cma_iommu_has_bits(const unsigned long *map, unsigned long iova,
			       unsigned long nr)
{
	unsigned long first = iova >> PAGE_SHIFT;

	return find_next_bit(map, first + nr, first) < first + nr;
}

/**
 * cma_domain_map_nosync() - map a page, for devices to use after cma_domain_sync_map()
 * @priv: address space
 * @iova: io address
 * @phys: address of the memory
 * @order: of the page, in units of 4 KiB
 * @rights: IOMMU_ENTRY_READ, IOMMU_ENTRY_WRITE
 *
 * Context: any.
 * Return: 0; -EINVAL, -EBUSY and a fault is counted, but for an order that
 * cma_iommu_set_orders() has taken away; -ENOMEM, also if it had to fail.
 */
int cma_domain_map_nosync(struct cma_iommu_domain *priv, unsigned long iova,
			  phys_addr_t phys, int order, u32 rights)
{
	bool unflushed = false;
	unsigned long flags;
	int ret;

	if (cma_iommu_has_to_fail(&fail_map))
		return -ENOMEM;
	/* A caller may find out in this way; other orders are a mistake */
	if (order >= 0 && order < 16 && 0x1111 & ~orders & 1UL << order)
		return -EINVAL;

	spin_lock_irqsave(&priv->lock, flags);
	if (phys == (u32)phys)
		ret = iommu_tables_map(&priv->tables, iova, phys, order,
				       rights);
	else
		ret = -EINVAL;
	if (!ret) {
		bitmap_set(priv->unsynced, iova >> PAGE_SHIFT, 1 << order);
		unflushed = cma_iommu_has_bits(priv->unflushed, iova,
					       1UL << order);
	}
	spin_unlock_irqrestore(&priv->lock, flags);

	switch (ret) {
	case 0:
		cma_iommu_add(&cma_iommu_stats.maps[order / 4], 1);
		if (unflushed)
			cma_iommu_fault(CMA_IOMMU_UNFLUSHED, iova);
		if (cma_iommu_is_free(phys, order))
			cma_iommu_fault(CMA_IOMMU_FREED, iova);
		break;
	case -EBUSY:
		cma_iommu_fault(CMA_IOMMU_OVERLAP, iova);
		break;
	case -EINVAL:
		cma_iommu_fault(CMA_IOMMU_BAD_CALL, iova);
		break;
	}
	return ret;
}

/**
 * cma_domain_sync_map() - let devices see what is mapped
 * @priv: address space
 * @iova: first io address
 * @size: of the range in bytes
 *
 * Context: any.
 */
void cma_domain_sync_map(struct cma_iommu_domain *priv, unsigned long iova,
			 size_t size)
{
	unsigned long flags;

	spin_lock_irqsave(&priv->lock, flags);
	bitmap_clear(priv->unsynced, iova >> PAGE_SHIFT, size >> PAGE_SHIFT);
	spin_unlock_irqrestore(&priv->lock, flags);
	cma_iommu_add(&cma_iommu_stats.syncs, 1);
}

/**
 * cma_domain_unmap_noflush() - unmap exactly one page, before cma_domain_flush_range()
 * @priv: address space
 * @iova: its io address
 * @order: of the page; CMA_ANY_ORDER: of whatever is mapped there
 *
 * Context: any.
 * Return: the order, or -EINVAL and a fault is counted.
 */
int cma_domain_unmap_noflush(struct cma_iommu_domain *priv, unsigned long iova,
			     int order)
{
	unsigned long flags;
	int mapped, ret;
	u32 entry;

	spin_lock_irqsave(&priv->lock, flags);
	entry = iommu_tables_walk(&priv->tables, iova, &mapped);
	if (order == CMA_ANY_ORDER)
		order = mapped;
	ret = iommu_tables_unmap(&priv->tables, iova, order);
	if (!ret) {
		bitmap_set(priv->unflushed, iova >> PAGE_SHIFT, 1 << order);
		bitmap_clear(priv->unsynced, iova >> PAGE_SHIFT, 1 << order);
	}
	spin_unlock_irqrestore(&priv->lock, flags);

	if (ret) {
		cma_iommu_fault(CMA_IOMMU_NOT_MAPPED, iova);
		return ret;
	}
	cma_iommu_add(&cma_iommu_stats.unmaps[order / 4], 1);
	if (cma_iommu_is_free(iommu_entry_phys(entry, order, iova), order))
		cma_iommu_fault(CMA_IOMMU_FREED, iova);
	return order;
}

/**
 * cma_domain_flush_range() - forget the translations of a range
 * @priv: address space
 * @iova: first io address
 * @size: of the range in bytes, not 0
 *
 * Context: any.
 */
void cma_domain_flush_range(struct cma_iommu_domain *priv, unsigned long iova,
			    size_t size)
{
	unsigned long flags;

	spin_lock_irqsave(&priv->lock, flags);
	bitmap_clear(priv->unflushed, iova >> PAGE_SHIFT, size >> PAGE_SHIFT);
	if (!keep_tlb)
		iommu_tlb_flush_range(&priv->tlb, iova, size);
	spin_unlock_irqrestore(&priv->lock, flags);
	cma_iommu_add(&cma_iommu_stats.flushes, 1);
}

/**
 * cma_domain_phys() - translate an address without a device
 * @priv: address space
 * @iova: io address
 *
 * Context: any.
 * Return: address of the memory, or 0.
 */
phys_addr_t cma_domain_phys(struct cma_iommu_domain *priv, unsigned long iova)
{
	unsigned long flags;
	u32 entry;
	int order;

	spin_lock_irqsave(&priv->lock, flags);
	entry = iommu_tables_walk(&priv->tables, iova, &order);
	spin_unlock_irqrestore(&priv->lock, flags);
	return entry ? iommu_entry_phys(entry, order, iova) : 0;
}

/*
 * What devices do
 */

/* Translate as the hardware does: the TLB first, then the tables. */
static int cma_iommu_translate(struct cma_iommu_domain *domain, u32 addr,
			       u32 right, u32 *phys)
{
	enum cma_iommu_fault kind = CMA_IOMMU_FAULTS;
	int order, in_tables;
	unsigned long flags;
	bool hit = true;
	u32 entry;

	spin_lock_irqsave(&domain->lock, flags);
	entry = iommu_tlb_find(&domain->tlb, addr, &order);
	if (!entry) {
		hit = false;
		entry = iommu_tables_walk(&domain->tables, addr, &order);
		if (entry && test_bit(addr >> PAGE_SHIFT, domain->unsynced))
			kind = CMA_IOMMU_UNSYNCED;
		else if (entry)
			iommu_tlb_add(&domain->tlb, addr, entry, order);
	} else if (entry != iommu_tables_walk(&domain->tables, addr,
					      &in_tables)) {
		kind = CMA_IOMMU_STALE;
	}
	spin_unlock_irqrestore(&domain->lock, flags);

	if (!entry)
		kind = CMA_IOMMU_MISSING;
	else if (kind == CMA_IOMMU_FAULTS && !(entry & right))
		kind = right == IOMMU_ENTRY_READ ? CMA_IOMMU_NO_READ :
						   CMA_IOMMU_NO_WRITE;
	cma_iommu_add(hit ? &cma_iommu_stats.hits : &cma_iommu_stats.misses, 1);
	if (kind != CMA_IOMMU_FAULTS) {
		cma_iommu_fault(kind, addr);
		return -EFAULT;
	}
	*phys = iommu_entry_phys(entry, order, addr);
	return 0;
}

/**
 * struct cma_transfer - what a device does
 * @write: writes, otherwise reads
 * @data: where it reads to, or what it writes; NULL: it compares with a pattern, or writes it
 * @seed: of the pattern
 * @done: number of bytes that are done
 */
struct cma_transfer {
	bool write;
	void *data;
	u32 seed;
	size_t done;
};

static int cma_transfer_page(struct cma_transfer *transfer, u32 phys,
			     size_t size)
{
	struct page *page = pfn_to_page(PFN_DOWN(phys));
	void *virt = kmap(page) + (phys & ~PAGE_MASK);
	int ret = 0;

	if (transfer->write) {
		if (transfer->data)
			memcpy(virt, transfer->data + transfer->done, size);
		else
			cma_pattern_fill(virt, size, transfer->seed, transfer->done);
		__cpuc_flush_dcache_area(virt, size);
		outer_flush_range(phys, phys + size);
	} else if (transfer->data) {
		memcpy(transfer->data + transfer->done, virt, size);
	} else if (!cma_pattern_is(virt, size, transfer->seed,
				   transfer->done)) {
		ret = -EILSEQ;
	}
	kunmap(page);
	transfer->done += size;
	return ret;
}

/* Only page by page: the neighbour of a page can be anywhere. */
static int cma_transfer(struct device *dev, dma_addr_t addr, size_t size,
			struct cma_transfer *transfer)
{
	u32 right = transfer->write ? IOMMU_ENTRY_WRITE : IOMMU_ENTRY_READ;
	struct cma_iommu_client *client;
	int ret = 0;

	down_read(&cma_iommu_sem);
	client = cma_iommu_find(dev);
	while (transfer->done < size && !ret) {
		dma_addr_t at = addr + transfer->done;
		size_t len = min_t(size_t, size - transfer->done,
				   PAGE_SIZE - (at & ~PAGE_MASK));
		u32 phys;

		if (client)
			ret = cma_iommu_translate(client->domain, at, right,
						  &phys);
		else
			phys = (dma_to_pfn(dev, at) << PAGE_SHIFT) +
			       (at & ~PAGE_MASK);
		if (ret)
			break;
		if (pfn_valid(PFN_DOWN(phys))) {
			ret = cma_transfer_page(transfer, phys, len);
		} else {
			cma_iommu_fault(CMA_IOMMU_NO_MEMORY, at);
			ret = -EFAULT;
		}
		cond_resched();
	}
	up_read(&cma_iommu_sem);
	return ret;
}

/**
 * cma_master_read() - let a device read memory
 * @dev: the device, attached to a domain or not
 * @addr: io address, or bus address if it is not attached
 * @data: set to what it has read
 * @size: bytes
 *
 * Context: process context, may sleep.
 * Return: 0, or -EFAULT and a fault is counted.
 */
int cma_master_read(struct device *dev, dma_addr_t addr, void *data,
		    size_t size)
{
	struct cma_transfer transfer = { .data = data };

	return cma_transfer(dev, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(cma_master_read);

/**
 * cma_master_store() - let a device write memory
 * @dev: the device, attached to a domain or not
 * @addr: io address, or bus address if it is not attached
 * @data: what it writes
 * @size: bytes
 *
 * Context: process context, may sleep.
 * Return: 0, or -EFAULT and a fault is counted.
 */
int cma_master_store(struct device *dev, dma_addr_t addr, const void *data,
		     size_t size)
{
	struct cma_transfer transfer = { .write = true, .data = (void *)data };

	return cma_transfer(dev, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(cma_master_store);

/**
 * cma_master_write() - let a device write a pattern
 * @dev: the device, attached to a domain or not
 * @addr: io address, or bus address if it is not attached
 * @size: bytes
 * @seed: number of the pattern
 *
 * Context: process context, may sleep.
 * Return: 0, or -EFAULT and a fault is counted.
 */
int cma_master_write(struct device *dev, dma_addr_t addr, size_t size,
		     u32 seed)
{
	struct cma_transfer transfer = { .write = true, .seed = seed };

	return cma_transfer(dev, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(cma_master_write);

/**
 * cma_master_check() - let a device read a pattern
 * @dev: the device, attached to a domain or not
 * @addr: io address, or bus address if it is not attached
 * @size: bytes
 * @seed: number of the pattern
 *
 * Context: process context, may sleep.
 * Return: 0; -EILSEQ if there is something else; or -EFAULT and a fault is counted.
 */
int cma_master_check(struct device *dev, dma_addr_t addr, size_t size,
		     u32 seed)
{
	struct cma_transfer transfer = { .seed = seed };

	return cma_transfer(dev, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(cma_master_check);

/**
 * cma_pattern_fill() - write a part of a pattern
 * @data: where
 * @size: bytes
 * @seed: number of the pattern
 * @first: number of the first byte in the pattern
 *
 * Context: any.
 */
void cma_pattern_fill(void *data, size_t size, u32 seed, size_t first)
{
	u32 word = seed * 0x85ebca6bU + (u32)(first / 4) * 0x9e3779b1U;
	u8 *byte = data, *end = byte + size;

	while (byte < end) {
		if (first % 4 || !IS_ALIGNED((unsigned long)byte, 4) ||
		    end - byte < 4) {
			*byte++ = word >> first % 4 * 8;
			if (++first % 4)
				continue;
		} else {
			*(__le32 *)byte = cpu_to_le32(word);
			byte += 4;
			first += 4;
		}
		word += 0x9e3779b1U;
	}
}
EXPORT_SYMBOL_GPL(cma_pattern_fill);

/**
 * cma_pattern_is() - compare data with a part of a pattern
 * @data: the data
 * @size: bytes
 * @seed: number of the pattern
 * @first: number of the first byte in the pattern
 *
 * Context: any.
 * Return: true if it is the same.
 */
bool cma_pattern_is(const void *data, size_t size, u32 seed, size_t first)
{
	const u8 *byte = data;
	u8 part[64];

	while (size) {
		size_t len = min(size, sizeof(part));

		cma_pattern_fill(part, len, seed, first);
		if (memcmp(byte, part, len))
			return false;
		byte += len;
		first += len;
		size -= len;
	}
	return true;
}
EXPORT_SYMBOL_GPL(cma_pattern_is);

/*
 * For tests
 */

/**
 * cma_iommu_get_stats() - read the counters
 * @stats: set to them
 *
 * Context: any.
 */
void cma_iommu_get_stats(struct cma_iommu_stats *stats)
{
	unsigned long flags;

	spin_lock_irqsave(&cma_iommu_stats_lock, flags);
	*stats = cma_iommu_stats;
	spin_unlock_irqrestore(&cma_iommu_stats_lock, flags);
}
EXPORT_SYMBOL_GPL(cma_iommu_get_stats);

/**
 * cma_iommu_fail() - let a call fail
 * @call: kind of the call
 * @nth: the first call from now on is number 1; 0: none
 *
 * Context: any.
 */
void cma_iommu_fail(enum cma_iommu_call call, unsigned int nth)
{
	unsigned long flags;

	spin_lock_irqsave(&cma_iommu_stats_lock, flags);
	*(call == CMA_IOMMU_MAP ? &fail_map : &fail_attach) = nth;
	spin_unlock_irqrestore(&cma_iommu_stats_lock, flags);
}
EXPORT_SYMBOL_GPL(cma_iommu_fail);

/**
 * cma_iommu_keep_tlb() - choose what happens to the TLB when a range is unmapped
 * @keep: its entries stay, which is a mistake of the IOMMU
 *
 * Context: any.
 */
void cma_iommu_keep_tlb(bool keep)
{
	keep_tlb = keep;
}
EXPORT_SYMBOL_GPL(cma_iommu_keep_tlb);

/**
 * cma_iommu_set_orders() - choose the sizes of pages that the IOMMU has
 * @set: bit mask of their orders in units of 4 KiB
 *
 * It is an error, but no fault, to map a page of another size.
 *
 * Context: any.
 */
void cma_iommu_set_orders(unsigned long set)
{
	orders = set;
}
EXPORT_SYMBOL_GPL(cma_iommu_set_orders);

/**
 * cma_iommu_mapped() - count what is mapped for a device
 * @dev: the device
 *
 * Context: process context, may sleep.
 * Return: number of 4 KiB; 0 if it is not attached.
 */
unsigned long cma_iommu_mapped(struct device *dev)
{
	struct cma_iommu_client *client;
	unsigned long nr = 0;

	down_read(&cma_iommu_sem);
	client = cma_iommu_find(dev);
	if (client)
		nr = client->domain->tables.mapped;
	up_read(&cma_iommu_sem);
	return nr;
}
EXPORT_SYMBOL_GPL(cma_iommu_mapped);

/**
 * cma_iommu_phys() - translate an address without a device
 * @dev: device that is attached
 * @addr: io address
 *
 * Context: process context, may sleep.
 * Return: address of the memory, or 0.
 */
phys_addr_t cma_iommu_phys(struct device *dev, dma_addr_t addr)
{
	struct cma_iommu_client *client;
	phys_addr_t phys = 0;

	down_read(&cma_iommu_sem);
	client = cma_iommu_find(dev);
	if (client)
		phys = cma_domain_phys(client->domain, addr);
	up_read(&cma_iommu_sem);
	return phys;
}
EXPORT_SYMBOL_GPL(cma_iommu_phys);

static int cma_iommu_show(struct seq_file *m, void *unused)
{
	struct cma_iommu_stats stats;
	unsigned int i;

	cma_iommu_get_stats(&stats);
	for (i = 0; i < CMA_IOMMU_SIZES; i++)
		seq_printf(m, "maps %s %u\nunmaps %s %u\n",
			   cma_iommu_size_names[i], stats.maps[i],
			   cma_iommu_size_names[i], stats.unmaps[i]);
	for (i = 0; i < CMA_IOMMU_FAULTS; i++)
		seq_printf(m, "faults %s %u\n", cma_iommu_fault_names[i],
			   stats.faults[i]);
	seq_printf(m, "map syncs %u\ntlb flushes %u\n", stats.syncs,
		   stats.flushes);
	seq_printf(m, "tlb hits %u\ntlb misses %u\n", stats.hits,
		   stats.misses);
	seq_printf(m, "domains %u\ndevices %u\n", stats.domains, stats.devices);
	return 0;
}

static int cma_iommu_open(struct inode *inode, struct file *file)
{
	return single_open(file, cma_iommu_show, NULL);
}

static const struct file_operations cma_iommu_fops = {
	.owner		= THIS_MODULE,
	.open		= cma_iommu_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* Put a device of the kernel behind the IOMMU, before it is used. */
static int cma_iommu_attach_name(const char *name)
{
	struct dma_iommu_mapping *mapping;
	struct device *dev;
	int ret;

	dev = bus_find_device_by_name(&platform_bus_type, NULL, name);
	if (!dev)
		return -ENODEV;
	/* Like this module, it stays for ever */
	if (!dev->dma_parms)
		dev->dma_parms = kzalloc(sizeof(*dev->dma_parms), GFP_KERNEL);
	if (dev->dma_parms && !dev->dma_parms->max_segment_size)
		dma_set_max_seg_size(dev, UINT_MAX);
	mapping = cma_iommu_create_mapping(dev, 0x80000000, 0x40000000);
	if (IS_ERR(mapping)) {
		ret = PTR_ERR(mapping);
	} else {
		ret = arm_iommu_attach_device(dev, mapping);
		arm_iommu_release_mapping(mapping);
	}
	put_device(dev);
	return ret;
}

/**
 * cma_iommu_has_name() - tell whether a device is to be behind the IOMMU
 * @dev: device on any bus
 *
 * Return: true for devices of the tests and those of the parameter "attach".
 */
bool cma_iommu_has_name(struct device *dev)
{
	const char *name = dev_name(dev), *found = attach;
	size_t len = strlen(name);

	if (!strncmp(name, "cma_io", 6) || !strncmp(name, "cma-io", 6))
		return true;
	for (; (found = strstr(found, name)) != NULL; found += len)
		if ((found == attach || found[-1] == ',') &&
		    (!found[len] || found[len] == ','))
			return true;
	return false;
}

static void cma_iommu_attach_names(void)
{
	char *names = kstrdup(attach, GFP_KERNEL);
	char *rest = names, *name;

	while ((name = strsep(&rest, ",")) != NULL) {
		int ret = *name ? cma_iommu_attach_name(name) : 0;

		if (ret)
			pr_err("%s: not attached: %d\n", name, ret);
	}
	kfree(names);
}

/* The API knows no way to remove an IOMMU: without an exit function, nobody can */
static int __init cma_iommu_init(void)
{
	struct dentry *file;
	int ret;

	file = debugfs_create_file("cma_iommu", 0400, NULL, NULL,
				   &cma_iommu_fops);
	if (IS_ERR_OR_NULL(file))
		return -ENODEV;
	ret = cma_iommu_register();
	if (ret)
		debugfs_remove(file);
	else
		cma_iommu_attach_names();
	return ret;
}
module_init(cma_iommu_init);

MODULE_DESCRIPTION("An IOMMU in software for tests");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
