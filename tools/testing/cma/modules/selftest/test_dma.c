// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of DMA buffers: contents, mapping, and the pool for atomic ones
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/pgtable.h>

#include "cma_pte.h"
#include "selftest.h"

#define ST_MIB		(1024 * 1024UL)
#define ST_MAX_ATOMIC	4096

static DEFINE_SPINLOCK(st_atomic_lock);

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

	for (i = 0; i < nr; i++) {
		ST_CHECK(t, st_is_filled(buffer[i].virt, 0, size),
			 "buffer %u is not zero", i);
		memset(buffer[i].virt, (i & 0xff) | 1, size);
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
