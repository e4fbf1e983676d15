// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of DMA buffers: contents, mapping, and the pool for atomic ones
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/pgtable.h>

#include "cma_pte.h"
#include "selftest.h"

#define ST_MIB		(1024 * 1024UL)
#define ST_MAX_ATOMIC	4096

static DEFINE_SPINLOCK(st_atomic_lock);

static bool wrong_size;
module_param(wrong_size, bool, 0444);
MODULE_PARM_DESC(wrong_size, "free DMA buffers with a wrong size, which makes the kernel warn");

static unsigned long st_dma_pfn(dma_addr_t dma)
{
	return dma_to_pfn(st_device(ST_DEFAULT), dma);
}

/* The kernel's own mapping of low memory. */
static unsigned long st_linear(unsigned long pfn)
{
	return (unsigned long)pfn_to_kaddr(pfn);
}

static void st_clear_then_dirty(struct st *t, enum st_device which)
{
	static const size_t sizes[] = {
		PAGE_SIZE, 64 * 1024, ST_MIB, 3 * ST_MIB + PAGE_SIZE
	};
	struct device *dev = st_device(which);
	dma_addr_t dma;
	unsigned int i;
	void *virt;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		virt = dma_alloc_coherent(dev, sizes[i], &dma, GFP_KERNEL);
		if (!ST_CHECK(t, virt, "no buffer of %zu", sizes[i]))
			return;
		ST_CHECK(t, st_is_filled(virt, 0, sizes[i]),
			 "%zu bytes are not zero", sizes[i]);
		memset(virt, 0xa5, sizes[i]);
		dma_free_coherent(dev, sizes[i], virt, dma);
	}
}

CMA_SELFTEST(st_zeroed, "coherent buffers are zero, even if the memory was written before")
{
	if (!st_need_area(t, ST_DEFAULT))
		return;
	st_clear_then_dirty(t, ST_DEFAULT);
	st_clear_then_dirty(t, ST_DEFAULT);
	st_check_no_loss(t, ST_DEFAULT, st_clear_then_dirty);
}

CMA_SELFTEST(st_dma_in_area, "coherent buffers from 1 to 16 MiB lie in the area")
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long size;
	unsigned long pfn;
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	for (size = ST_MIB; size <= 16 * ST_MIB; size += ST_MIB) {
		if (size >> PAGE_SHIFT > st_largest(ST_DEFAULT))
			break;
		virt = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL);
		if (!ST_CHECK(t, virt, "no buffer of %lu", size))
			return;
		pfn = st_dma_pfn(dma);
		ST_CHECK(t, st_in_area(ST_DEFAULT, pfn_to_page(pfn),
				       size >> PAGE_SHIFT),
			 "%lu bytes at %#lx", size, pfn);
		dma_free_coherent(dev, size, virt, dma);
	}
}

CMA_SELFTEST(st_dma_private, "coherent buffers of a device lie in its private area")
{
	struct device *dev = st_device(ST_PRIVATE_1);
	unsigned long pfn;
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_PRIVATE_1))
		return;
	virt = dma_alloc_coherent(dev, ST_MIB, &dma, GFP_KERNEL);
	if (!ST_CHECK(t, virt, "no buffer"))
		return;
	pfn = dma_to_pfn(dev, dma);
	ST_CHECK(t, st_in_area(ST_PRIVATE_1, pfn_to_page(pfn),
			       ST_MIB >> PAGE_SHIFT), "pages at %#lx", pfn);
	dma_free_coherent(dev, ST_MIB, virt, dma);
}

/* Only the first byte of the area is within the mask of the device. */
static void st_alloc_beyond_mask(struct st *t, enum st_device which)
{
	struct device *dev = st_device(which);
	u64 mask = dev->coherent_dma_mask;
	dma_addr_t dma;
	void *virt;

	dev->coherent_dma_mask = (u64)st_area_base_pfn(which) << PAGE_SHIFT;
	virt = dma_alloc_coherent(dev, ST_MIB, &dma, GFP_KERNEL);
	if (virt) {
		ST_CHECK(t, !st_in_area(which, pfn_to_page(st_dma_pfn(dma)), 1),
			 "a buffer at %#llx", (unsigned long long)dma);
		dma_free_coherent(dev, ST_MIB, virt, dma);
	}
	dev->coherent_dma_mask = mask;
}

CMA_SELFTEST(st_dma_mask, "a device that does not reach its area gets no buffer from it")
{
	if (st_need_area(t, ST_DEFAULT))
		st_check_no_loss(t, ST_DEFAULT, st_alloc_beyond_mask);
}

CMA_SELFTEST(st_dma_alignment, "coherent buffers are aligned to their order")
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long mask;
	unsigned int order;
	dma_addr_t first;
	dma_addr_t dma;
	void *spacer;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	for (order = 0; order <= 10; order++) {
		mask = (PAGE_SIZE << min_t(unsigned int, order,
					   CONFIG_CMA_ALIGNMENT)) - 1;
		spacer = dma_alloc_coherent(dev, PAGE_SIZE, &first, GFP_KERNEL);
		virt = dma_alloc_coherent(dev, PAGE_SIZE << order, &dma,
					  GFP_KERNEL);
		if (ST_CHECK(t, virt, "order %u: no buffer", order)) {
			ST_CHECK(t, !(dma & mask), "order %u: at %#llx", order,
				 (unsigned long long)dma);
			dma_free_coherent(dev, PAGE_SIZE << order, virt, dma);
		}
		if (ST_CHECK(t, spacer, "no single page"))
			dma_free_coherent(dev, PAGE_SIZE, spacer, first);
	}
}

/* Check the page and the attributes of each entry of a buffer's mapping. */
static void st_check_mapping(struct st *t, unsigned long virt,
			     unsigned long pfn, size_t size, pgprot_t prot,
			     const char *what)
{
	pteval_t want = pgprot_val(prot) & L_PTE_MT_MASK;
	size_t offset;
	pte_t pte;

	/* The first access can copy an entry of the first level into this mm */
	st_is_filled((void *)virt, 0, 1);
	for (offset = 0; offset < size; offset += PAGE_SIZE, pfn++) {
		if (!ST_CHECK(t, cma_pte_read(current->active_mm, virt + offset,
					      &pte),
			      "%s: %#zx is not mapped by pages", what, offset))
			return;
		if (!ST_CHECK(t, pte_pfn(pte) == pfn,
			      "%s: page %#lx at %#zx, not %#lx", what,
			      pte_pfn(pte), offset, pfn))
			return;
		if (!ST_CHECK(t, cma_pte_type(pte) == want &&
			      (pte_val(pte) & L_PTE_XN),
			      "%s: entry %#lx at %#zx, memory type %#lx wanted",
			      what, (unsigned long)pte_val(pte), offset,
			      (unsigned long)want))
			return;
	}
}

/* The linear mapping's entry of a page, 0 when it is not mapped by pages. */
static unsigned long st_linear_pte(unsigned long pfn)
{
	pte_t pte;

	if (!cma_pte_read(current->active_mm, st_linear(pfn), &pte))
		return 0;
	return pte_val(pte);
}

/*
 * The place of the next buffer is not known, so read the entries of the whole area
 * before, and those of the buffer afterwards.
 */
static unsigned long *st_save_linear(void)
{
	unsigned long nr = st_area_pages(ST_DEFAULT);
	unsigned long base = st_area_base_pfn(ST_DEFAULT);
	unsigned long *entries;
	unsigned long i;

	entries = kcalloc(nr, sizeof(*entries), GFP_KERNEL);
	for (i = 0; entries && i < nr; i++)
		entries[i] = st_linear_pte(base + i);
	return entries;
}

static void st_check_restored(struct st *t, const unsigned long *entries,
			      unsigned long pfn, unsigned long nr_pages)
{
	const unsigned long *before = entries + pfn -
				      st_area_base_pfn(ST_DEFAULT);
	pteval_t uncached = pgprot_val(pgprot_dmacoherent(PAGE_KERNEL)) &
			    L_PTE_MT_MASK;
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		if (!ST_CHECK(t, st_linear_pte(pfn + i) == before[i],
			      "page %#lx: entry %#lx before, %#lx after",
			      pfn + i, before[i], st_linear_pte(pfn + i)))
			return;
		if (!ST_CHECK(t, before[i] &&
			      (before[i] & L_PTE_MT_MASK) != uncached,
			      "page %#lx: entry %#lx, but it is not allocated",
			      pfn + i, before[i]))
			return;
	}
}

CMA_SELFTEST(st_coherent_mapping, "a coherent buffer has no cached mapping")
{
	struct device *dev = st_device(ST_DEFAULT);
	pgprot_t prot = pgprot_dmacoherent(PAGE_KERNEL);
	unsigned long *entries;
	unsigned long pfn;
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	if (PageHighMem(pfn_to_page(st_area_base_pfn(ST_DEFAULT)))) {
		t->skipped = "the area is not in low memory";
		return;
	}
	entries = st_save_linear();
	if (!ST_CHECK(t, entries, "no memory"))
		return;
	virt = dma_alloc_coherent(dev, ST_MIB, &dma, GFP_KERNEL);
	if (ST_CHECK(t, virt, "no buffer")) {
		pfn = st_dma_pfn(dma);
		st_check_mapping(t, (unsigned long)virt, pfn, ST_MIB, prot,
				 "buffer");
		st_check_mapping(t, st_linear(pfn), pfn, ST_MIB, prot,
				 "linear mapping");
		dma_free_coherent(dev, ST_MIB, virt, dma);
		st_check_restored(t, entries, pfn, ST_MIB >> PAGE_SHIFT);
	}
	kfree(entries);
}

CMA_SELFTEST(st_wc_mapping, "a write-combined buffer has no other mapping")
{
	struct device *dev = st_device(ST_DEFAULT);
	pgprot_t prot = pgprot_writecombine(PAGE_KERNEL);
	unsigned long *entries;
	unsigned long pfn;
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	if (PageHighMem(pfn_to_page(st_area_base_pfn(ST_DEFAULT)))) {
		t->skipped = "the area is not in low memory";
		return;
	}
	entries = st_save_linear();
	if (!ST_CHECK(t, entries, "no memory"))
		return;
	virt = dma_alloc_writecombine(dev, ST_MIB, &dma, GFP_KERNEL);
	if (ST_CHECK(t, virt, "no buffer")) {
		pfn = st_dma_pfn(dma);
		st_check_mapping(t, (unsigned long)virt, pfn, ST_MIB, prot,
				 "buffer");
		st_check_mapping(t, st_linear(pfn), pfn, ST_MIB, prot,
				 "linear mapping");
		dma_free_writecombine(dev, ST_MIB, virt, dma);
		st_check_restored(t, entries, pfn, ST_MIB >> PAGE_SHIFT);
	}
	kfree(entries);
}

/* Small buffers may share a chunk that stays mapped: check the buffer only. */
CMA_SELFTEST(st_small_mapping, "small coherent buffers have no cached mapping")
{
	struct device *dev = st_device(ST_DEFAULT);
	pgprot_t prot = pgprot_dmacoherent(PAGE_KERNEL);
	unsigned long pfn;
	dma_addr_t dma;
	size_t size;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	for (size = PAGE_SIZE; size <= 256 * 1024; size *= 4) {
		virt = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL);
		if (!ST_CHECK(t, virt, "no buffer of %zu", size))
			return;
		pfn = st_dma_pfn(dma);
		st_check_mapping(t, (unsigned long)virt, pfn, size, prot,
				 "buffer");
		if (!PageHighMem(pfn_to_page(pfn)))
			st_check_mapping(t, st_linear(pfn), pfn, size, prot,
					 "linear mapping");
		dma_free_coherent(dev, size, virt, dma);
	}
}

CMA_SELFTEST(st_odd_sizes, "sizes that are not whole pages are rounded up")
{
	struct device *dev = st_device(ST_DEFAULT);
	static const size_t sizes[] = { 1, 4095, 4097, ST_MIB - 1, ST_MIB + 1 };
	dma_addr_t dma;
	unsigned int i;
	size_t size;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = PAGE_ALIGN(sizes[i]);
		virt = dma_alloc_coherent(dev, sizes[i], &dma, GFP_KERNEL);
		if (!ST_CHECK(t, virt, "no buffer of %zu", sizes[i]))
			continue;
		ST_CHECK(t, st_is_filled(virt, 0, size), "%zu: not zero",
			 sizes[i]);
		memset(virt, 0xff, size);
		dma_free_coherent(dev, sizes[i], virt, dma);
	}
}

/* A buffer of the pool; the list goes from the last one to the first. */
struct st_atomic {
	void *virt;
	dma_addr_t dma;
};

/* With interrupts off, allocate until the pool is empty. */
static unsigned int st_empty_pool(struct st_atomic *buffer, size_t size)
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long flags;
	unsigned int nr = 0;

	spin_lock_irqsave(&st_atomic_lock, flags);
	while (nr < ST_MAX_ATOMIC) {
		buffer[nr].virt = dma_alloc_coherent(dev, size, &buffer[nr].dma,
						     GFP_ATOMIC);
		if (!buffer[nr].virt)
			break;
		nr++;
	}
	spin_unlock_irqrestore(&st_atomic_lock, flags);
	return nr;
}

/* Each buffer is zero at first, and keeps what is written to it. */
static void st_check_pool(struct st *t, struct st_atomic *buffer,
			  unsigned int nr, size_t size)
{
	unsigned int i;
	u8 fill;

	for (i = 0; i < nr; i++) {
		ST_CHECK(t, st_is_filled(buffer[i].virt, 0, size),
			 "buffer %u is not zero", i);
		fill = i | 1;
		memset(buffer[i].virt, fill, size);
	}
	for (i = 0; i < nr; i++)
		ST_CHECK(t, st_is_filled(buffer[i].virt, (i & 0xff) | 1, size),
			 "another user wrote to buffer %u", i);
	for (i = 0; i < nr; i++)
		st_check_mapping(t, (unsigned long)buffer[i].virt,
				 st_dma_pfn(buffer[i].dma), size,
				 pgprot_dmacoherent(PAGE_KERNEL), "buffer");
}

static void st_pool(struct st *t, size_t size)
{
	struct device *dev = st_device(ST_DEFAULT);
	struct st_atomic *buffer;
	unsigned int first = 0;
	unsigned int round;
	unsigned int nr;
	unsigned int i;

	buffer = kcalloc(ST_MAX_ATOMIC, sizeof(*buffer), GFP_KERNEL);
	if (!ST_CHECK(t, buffer, "no memory"))
		return;
	for (round = 0; round < 3; round++) {
		nr = st_empty_pool(buffer, size);
		if (!round)
			first = nr;
		st_check_pool(t, buffer, nr, size);
		for (i = 0; i < nr; i++)
			dma_free_coherent(dev, size, buffer[i].virt,
					  buffer[i].dma);
		ST_CHECK(t, nr, "no buffer at all");
		ST_CHECK(t, nr < ST_MAX_ATOMIC, "the pool has no end");
		ST_CHECK(t, nr == first, "%u buffers, the first time %u", nr,
			 first);
	}
	st_note(t, "%u buffers of %zu bytes", first, size);
	kfree(buffer);
}

CMA_SELFTEST(st_pool_1, "atomic single pages until the pool is empty, three times")
{
	st_pool(t, PAGE_SIZE);
}

CMA_SELFTEST(st_pool_3, "atomic buffers of 3 pages until the pool is empty, three times")
{
	st_pool(t, 3 * PAGE_SIZE);
}

CMA_SELFTEST(st_pool_too_large, "an atomic buffer larger than the pool gives NULL")
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long flags;
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	spin_lock_irqsave(&st_atomic_lock, flags);
	virt = dma_alloc_coherent(dev, 64 * ST_MIB, &dma, GFP_ATOMIC);
	spin_unlock_irqrestore(&st_atomic_lock, flags);
	if (!ST_CHECK(t, !virt, "a buffer of 64 MiB"))
		dma_free_coherent(dev, 64 * ST_MIB, virt, dma);
}

/* GFP_NOWAIT has no bit in common with GFP_ATOMIC, and may not sleep either. */
CMA_SELFTEST(st_nowait, "a request without __GFP_WAIT does not sleep")
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned long flags;
	dma_addr_t dma;
	void *virt;

	spin_lock_irqsave(&st_atomic_lock, flags);
	virt = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_NOWAIT);
	spin_unlock_irqrestore(&st_atomic_lock, flags);
	if (!ST_CHECK(t, virt, "no buffer"))
		return;
	ST_CHECK(t, st_is_filled(virt, 0, PAGE_SIZE), "it is not zero");
	dma_free_coherent(dev, PAGE_SIZE, virt, dma);
}

/* __GFP_HIGH alone makes a request urgent, but not atomic. */
CMA_SELFTEST(st_urgent, "GFP_KERNEL | __GFP_HIGH is served from the area")
{
	struct device *dev = st_device(ST_DEFAULT);
	dma_addr_t dma;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	virt = dma_alloc_coherent(dev, 4 * ST_MIB, &dma,
				  GFP_KERNEL | __GFP_HIGH);
	if (!ST_CHECK(t, virt, "no buffer"))
		return;
	ST_CHECK(t, st_in_area(ST_DEFAULT, pfn_to_page(st_dma_pfn(dma)), 1024),
		 "pages at %#lx", st_dma_pfn(dma));
	dma_free_coherent(dev, 4 * ST_MIB, virt, dma);
}

/* All pages of an area that can be had. */
struct st_taken {
	struct page *page;
	unsigned long nr_pages;
};

#define ST_MAX_TAKEN	1024

static struct st_taken *st_take_all(struct st *t, enum st_device which)
{
	struct cma *cma = dev_get_cma_area(st_device(which));
	unsigned long nr_pages = st_area_pages(which);
	struct st_taken *taken;
	unsigned int nr = 0;

	taken = kcalloc(ST_MAX_TAKEN + 1, sizeof(*taken), GFP_KERNEL);
	if (!ST_CHECK(t, taken, "no memory"))
		return NULL;
	while (nr_pages && nr < ST_MAX_TAKEN) {
		taken[nr].page = cma_alloc(cma, nr_pages, 0, true);
		if (taken[nr].page)
			taken[nr++].nr_pages = nr_pages;
		else
			nr_pages /= 2;
	}
	ST_CHECK(t, !nr_pages, "the area has no end");
	return taken;
}

static void st_return_all(struct st *t, enum st_device which,
			  struct st_taken *taken)
{
	struct cma *cma = dev_get_cma_area(st_device(which));
	struct st_taken *one;

	for (one = taken; one->page; one++)
		ST_CHECK(t, cma_release(cma, one->page, one->nr_pages),
			 "release refused");
	kfree(taken);
}

/* One call of dma_pool_alloc() in a thread, because it may not return. */
struct st_call {
	struct dma_pool *pool;
	bool kill;
	void *virt;
	dma_addr_t dma;
	struct completion done;
};

static int st_call_thread(void *data)
{
	struct st_call *call = data;

	if (call->kill) {
		allow_signal(SIGKILL);
		send_sig(SIGKILL, current, 1);
	}
	call->virt = dma_pool_alloc(call->pool, GFP_KERNEL, &call->dma);
	complete(&call->done);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/*
 * Call dma_pool_alloc() while no memory can be had. After 5 s, undo() makes memory
 * available, so that a call that waits for it ends.
 */
static void st_pool_call(struct st *t, struct st_call *call,
			 void (*undo)(void *data), void *data)
{
	struct task_struct *thread;
	bool returned;

	call->pool = dma_pool_create("cma_selftest", st_device(ST_DEFAULT),
				     64, 64, 0);
	if (!ST_CHECK(t, call->pool, "no pool")) {
		undo(data);
		return;
	}
	init_completion(&call->done);
	thread = kthread_run(st_call_thread, call, "cma_selftest");
	if (!ST_CHECK(t, !IS_ERR(thread), "no thread")) {
		undo(data);
		goto destroy_pool;
	}
	returned = wait_for_completion_timeout(&call->done, 5 * HZ);
	undo(data);
	if (!returned)
		wait_for_completion(&call->done);
	kthread_stop(thread);
	ST_CHECK(t, returned, "it did not return within 5 s");
	if (call->virt)
		dma_pool_free(call->pool, call->virt, call->dma);
destroy_pool:
	dma_pool_destroy(call->pool);
}

struct st_undo {
	struct st *t;
	struct st_taken *taken;
	u64 mask;
};

static void st_undo_taken(void *data)
{
	struct st_undo *undo = data;

	st_return_all(undo->t, ST_DEFAULT, undo->taken);
}

static void st_pool_exhausted(struct st *t, bool kill)
{
	struct st_undo undo = { .t = t };
	struct st_call call = { .kill = kill };

	if (!st_need_area(t, ST_DEFAULT))
		return;
	undo.taken = st_take_all(t, ST_DEFAULT);
	if (!undo.taken)
		return;
	st_pool_call(t, &call, st_undo_taken, &undo);
	ST_CHECK(t, !call.virt, "a block although the area was exhausted");
}

CMA_SELFTEST(st_pool_full, "dma_pool_alloc() gives NULL when the area is exhausted")
{
	st_pool_exhausted(t, false);
}

CMA_SELFTEST(st_pool_killed, "dma_pool_alloc() gives NULL when its caller is being killed")
{
	st_pool_exhausted(t, true);
}

static void st_undo_mask(void *data)
{
	struct st_undo *undo = data;

	st_device(ST_DEFAULT)->coherent_dma_mask = undo->mask;
}

/* 6.1 has memory elsewhere for such a device. */
CMA_SELFTEST(st_pool_mask, "dma_pool_alloc() returns when the area is above the device's mask")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct st_undo undo = { .t = t, .mask = dev->coherent_dma_mask };
	struct st_call call = { .kill = false };

	if (!st_need_area(t, ST_DEFAULT))
		return;
	dev->coherent_dma_mask = (u64)st_area_base_pfn(ST_DEFAULT) << PAGE_SHIFT;
	st_pool_call(t, &call, st_undo_mask, &undo);
	if (call.virt)
		ST_CHECK(t, !st_in_area(ST_DEFAULT,
					pfn_to_page(st_dma_pfn(call.dma)), 1),
			 "a block at %#llx", (unsigned long long)call.dma);
}

static void st_check_small(struct st *t, gfp_t gfp, const char *what)
{
	struct device *dev = st_device(ST_DEFAULT);
	dma_addr_t dma;
	void *virt;

	virt = dma_alloc_coherent(dev, PAGE_SIZE, &dma, gfp);
	if (!ST_CHECK(t, virt, "%s: no buffer", what))
		return;
	ST_CHECK(t, st_is_filled(virt, 0, PAGE_SIZE), "%s: not zero", what);
	dma_free_coherent(dev, PAGE_SIZE, virt, dma);
}

/*
 * What the area does not have is emptied only for requests that may do I/O. The
 * others get a buffer from elsewhere.
 */
CMA_SELFTEST(st_noio, "requests without I/O, or during suspend, do not empty the area")
{
	struct st_taken *taken;
	gfp_t *allowed;
	gfp_t saved;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	taken = st_take_all(t, ST_DEFAULT);
	if (!taken)
		return;
	st_check_small(t, GFP_NOIO, "GFP_NOIO");
	st_check_small(t, GFP_NOFS, "GFP_NOFS");
	/* what pm_restrict_gfp_mask() does, which is not exported */
	allowed = symbol_get(gfp_allowed_mask);
	if (allowed) {
		saved = *allowed;
		*allowed &= ~(__GFP_IO | __GFP_FS);
		st_check_small(t, GFP_KERNEL, "suspended");
		*allowed = saved;
		symbol_put(gfp_allowed_mask);
	} else {
		st_note(t, "gfp_allowed_mask is not exported");
	}
	st_return_all(t, ST_DEFAULT, taken);
}

/* Find two buffers of two pages each, one behind the other. */
static bool st_neighbours(struct st *t, struct st_atomic *buffer,
			  unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < nr; j++)
			if (buffer[j].dma == buffer[i].dma + 2 * PAGE_SIZE)
				goto found;
	return ST_CHECK(t, false, "no two buffers are neighbours");
found:
	swap(buffer[0], buffer[i]);
	/* the second one may have been the first of the list */
	swap(buffer[1], buffer[j ? j : i]);
	return true;
}

static void st_free_wrong(struct st *t, gfp_t gfp)
{
	struct device *dev = st_device(ST_DEFAULT);
	struct st_atomic other[4];
	struct st_atomic buffer[8];
	unsigned int nr, i;

	for (nr = 0; nr < ARRAY_SIZE(buffer); nr++) {
		buffer[nr].virt = dma_alloc_coherent(dev, 2 * PAGE_SIZE,
						     &buffer[nr].dma, gfp);
		if (!ST_CHECK(t, buffer[nr].virt, "buffer %u", nr))
			break;
	}
	if (nr == ARRAY_SIZE(buffer) && st_neighbours(t, buffer, nr)) {
		memset(buffer[1].virt, 0x5a, 2 * PAGE_SIZE);
		dma_free_coherent(dev, 3 * PAGE_SIZE, buffer[0].virt,
				  buffer[0].dma);
		for (i = 0; i < ARRAY_SIZE(other); i++)
			other[i].virt = dma_alloc_coherent(dev, PAGE_SIZE,
							   &other[i].dma, gfp);
		st_check_mapping(t, (unsigned long)buffer[1].virt,
				 st_dma_pfn(buffer[1].dma), 2 * PAGE_SIZE,
				 pgprot_dmacoherent(PAGE_KERNEL), "neighbour");
		ST_CHECK(t, st_is_filled(buffer[1].virt, 0x5a, 2 * PAGE_SIZE),
			 "the neighbour was allocated again");
		for (i = 0; i < ARRAY_SIZE(other); i++)
			if (other[i].virt)
				dma_free_coherent(dev, PAGE_SIZE, other[i].virt,
						  other[i].dma);
		dma_free_coherent(dev, PAGE_SIZE, buffer[1].virt,
				  buffer[1].dma);
		buffer[0].virt = NULL;
		buffer[1].virt = NULL;
	}
	for (i = 0; i < nr; i++)
		if (buffer[i].virt)
			dma_free_coherent(dev, 2 * PAGE_SIZE, buffer[i].virt,
					  buffer[i].dma);
}

static void st_free_wrong_area(struct st *t, enum st_device which)
{
	st_free_wrong(t, GFP_KERNEL);
}

CMA_SELFTEST(st_wrong_size, "a free with a wrong size frees the buffer and nothing else")
{
	if (!wrong_size) {
		t->skipped = "only with misuse of the DMA API: wrong_size=1";
		return;
	}
	if (st_need_area(t, ST_DEFAULT))
		st_check_no_loss(t, ST_DEFAULT, st_free_wrong_area);
}

CMA_SELFTEST(st_wrong_size_pool, "a free with a wrong size to the atomic pool does the same")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct st_atomic *buffer;
	unsigned int nr[2] = {};
	unsigned int round;
	unsigned int i;

	if (!wrong_size) {
		t->skipped = "only with misuse of the DMA API: wrong_size=1";
		return;
	}
	buffer = kcalloc(ST_MAX_ATOMIC, sizeof(*buffer), GFP_KERNEL);
	if (!ST_CHECK(t, buffer, "no memory"))
		return;
	for (round = 0; round < 2; round++) {
		if (round)
			st_free_wrong(t, GFP_ATOMIC);
		nr[round] = st_empty_pool(buffer, PAGE_SIZE);
		for (i = 0; i < nr[round]; i++)
			dma_free_coherent(dev, PAGE_SIZE, buffer[i].virt,
					  buffer[i].dma);
	}
	ST_CHECK(t, nr[0] == nr[1], "%u pages before, %u after", nr[0], nr[1]);
	kfree(buffer);
}

/* Map two pages of a buffer of one, which says that it has two. */
static void st_mmap_long(struct st *t, gfp_t gfp)
{
	struct device *dev = st_device(ST_DEFAULT);
	struct vm_area_struct *vma;
	unsigned long addr;
	dma_addr_t dma;
	void *virt;
	int ret;

	virt = dma_alloc_coherent(dev, PAGE_SIZE, &dma, gfp);
	if (!ST_CHECK(t, virt, "no buffer"))
		return;
	addr = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, 0);
	if (ST_CHECK(t, !IS_ERR_VALUE(addr), "no address space")) {
		mmap_write_lock(current->mm);
		vma = find_vma(current->mm, addr);
		ret = dma_mmap_coherent(dev, vma, virt, dma, 2 * PAGE_SIZE);
		mmap_write_unlock(current->mm);
		ST_CHECK(t, ret == -ENXIO, "error %d, not -ENXIO", ret);
		vm_munmap(addr, 2 * PAGE_SIZE);
	}
	dma_free_coherent(dev, PAGE_SIZE, virt, dma);
}

CMA_SELFTEST(st_mmap_size, "a mapping beyond the end of a buffer is refused")
{
	if (!st_need_area(t, ST_DEFAULT))
		return;
	if (!MMAP_KNOWS_SIZE) {
		t->skipped = "this kernel believes the size";
		return;
	}
	st_mmap_long(t, GFP_KERNEL);
	st_mmap_long(t, GFP_ATOMIC);
}

static int st_is_late(struct cma *cma, void *data)
{
	if (strcmp(cma_get_name(cma), "late"))
		return 0;
	*(struct cma **)data = cma;
	return 1;
}

CMA_SELFTEST(st_late, "an area that the linear mapping covers with sections gives no buffer")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct cma *own = dev_get_cma_area(dev);
	struct cma *late = NULL;
	struct page *page;
	dma_addr_t dma;
	void *virt;

	cma_for_each_area(st_is_late, &late);
	if (!late) {
		t->skipped = "the board declares no late area";
		return;
	}
	dev_set_cma_area(dev, late);
	virt = dma_alloc_coherent(dev, 64 * 1024, &dma, GFP_KERNEL);
	if (!ST_CHECK(t, !virt, "a buffer at %#llx", (unsigned long long)dma))
		dma_free_coherent(dev, 64 * 1024, virt, dma);
	dev_set_cma_area(dev, own);
	page = cma_alloc(late, cma_get_size(late) >> PAGE_SHIFT, 0, true);
	if (ST_CHECK(t, page, "the area has lost a page"))
		cma_release(late, page, cma_get_size(late) >> PAGE_SHIFT);
}

static bool st_need_highmem(struct st *t)
{
	if (!st_need_area(t, ST_DEFAULT))
		return false;
	if (PageHighMem(pfn_to_page(st_area_base_pfn(ST_DEFAULT))))
		return true;
	t->skipped = "the board declares no area in high memory";
	return false;
}

/*
 * Use and leave a mapping of the lowest free page of the area, which a buffer of
 * one page gets next. Return its address.
 */
static void *st_leave_kmap(struct st *t, unsigned long *pfn)
{
	struct cma *cma = dev_get_cma_area(st_device(ST_DEFAULT));
	struct page *page = cma_alloc(cma, 1, 0, true);
	u32 *addr;

	if (!ST_CHECK(t, page, "no page"))
		return NULL;
	addr = kmap_atomic(page);
	*addr = 1;
	kunmap_atomic(addr);
	*pfn = page_to_pfn(page);
	ST_CHECK(t, cma_release(cma, page, 1), "release refused");
	return addr;
}

CMA_SELFTEST(st_stale_kmap, "no CPU keeps a mapping of kmap_atomic() to a buffer")
{
	struct device *dev = st_device(ST_DEFAULT);
	cpumask_t allowed = *tsk_cpus_allowed(current);
	void *addr[NR_CPUS] = {};
	unsigned long pfn = 0;
	dma_addr_t dma;
	void *virt;
	pte_t pte;
	int cpu;

	if (!st_need_highmem(t))
		return;
	for_each_online_cpu(cpu) {
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
		addr[cpu] = st_leave_kmap(t, &pfn);
	}
	set_cpus_allowed_ptr(current, &allowed);
	virt = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL);
	if (!ST_CHECK(t, virt, "no buffer"))
		return;
	ST_CHECK(t, st_dma_pfn(dma) == pfn, "another page");
	for_each_online_cpu(cpu) {
		if (!addr[cpu] || !cma_pte_read(current->active_mm,
						(unsigned long)addr[cpu], &pte))
			continue;
		ST_CHECK(t, pte_pfn(pte) != pfn,
			 "CPU %d maps page %#lx at %p", cpu, pte_pfn(pte),
			 addr[cpu]);
	}
	dma_free_coherent(dev, PAGE_SIZE, virt, dma);
}

/* vunmap() does not flush the TLBs: they still translate the address. */
CMA_SELFTEST(st_stale_vmap, "no TLB keeps a mapping of vmap() to a buffer")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct cma *cma = dev_get_cma_area(dev);
	cpumask_t allowed = *tsk_cpus_allowed(current);
	struct page *page;
	dma_addr_t dma;
	void *virt;
	pte_t pte;
	u32 *addr;
	u32 word;

	if (!st_need_highmem(t))
		return;
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	page = cma_alloc(cma, 1, 0, true);
	if (!ST_CHECK(t, page, "no page"))
		goto restore_cpus;
	addr = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	if (ST_CHECK(t, addr, "no address space")) {
		*addr = 1;
		vunmap(addr);
		if (probe_kernel_read(&word, addr, sizeof(word)))
			st_note(t, "the TLB has lost it already");
	}
	ST_CHECK(t, cma_release(cma, page, 1), "release refused");
	virt = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL);
	if (!ST_CHECK(t, virt, "no buffer"))
		goto restore_cpus;
	ST_CHECK(t, st_dma_pfn(dma) == page_to_pfn(page), "another page");
	if (addr && !cma_pte_read(current->active_mm, (unsigned long)addr, &pte))
		ST_CHECK(t, probe_kernel_read(&word, addr, sizeof(word)),
			 "%p can still be read", addr);
	dma_free_coherent(dev, PAGE_SIZE, virt, dma);
restore_cpus:
	set_cpus_allowed_ptr(current, &allowed);
}
