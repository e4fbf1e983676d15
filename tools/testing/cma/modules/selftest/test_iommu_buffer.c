// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of devices behind an IOMMU: buffers, shared buffers, and many at a time
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "dmabuf.h"
#include "iommu.h"

static const size_t st_io_buffer_sizes[] = {
	100, PAGE_SIZE, 3 * PAGE_SIZE + 1, ST_MIB, 16 * ST_MIB
};

/* A buffer, and what it was allocated with */
struct st_buffer {
	struct st_iommu *io;
	struct dma_attrs *attrs;
	size_t size;
	void *virt;
	dma_addr_t dma;
};

static bool st_buffer_alloc(struct st_buffer *buf, struct st_iommu *io,
			    size_t size, struct dma_attrs *attrs)
{
	buf->io = io;
	buf->attrs = attrs;
	buf->size = size;
	buf->virt = dma_alloc_attrs(io->dev, size, &buf->dma, GFP_KERNEL,
				    attrs);
	return ST_CHECK(io->t, buf->virt, "no buffer of %zu", size);
}

static void st_buffer_free(struct st_buffer *buf)
{
	dma_free_attrs(buf->io->dev, buf->size, buf->virt, buf->dma, buf->attrs);
	ST_SETTLED(buf->io);
}

/* The device reads zeros from all of it, also behind the end of the last page. */
static void st_buffer_is_zero(struct st_buffer *buf)
{
	void *data = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct st *t = buf->io->t;
	size_t offset;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	for (offset = 0; offset < buf->size; offset += PAGE_SIZE) {
		memset(data, 0xff, PAGE_SIZE);
		ST_CHECK(t, !cma_master_read(buf->io->dev, buf->dma + offset,
					     data, PAGE_SIZE),
			 "%zu bytes: %zu not read", buf->size, offset);
		if (!ST_CHECK(t, st_is_filled(data, 0, PAGE_SIZE),
			      "%zu bytes: %zu not zero", buf->size, offset))
			break;
	}
	kfree(data);
}

/* Nothing is mapped before and behind it, and all of it can be written. */
static void st_buffer_ends(struct st_buffer *buf)
{
	struct device *dev = buf->io->dev;
	struct st *t = buf->io->t;

	ST_CHECK(t, !(buf->dma & ~PAGE_MASK), "at %#x", buf->dma);
	ST_CHECK(t, cma_iommu_mapped(dev) == PAGE_ALIGN(buf->size) >> PAGE_SHIFT,
		 "%zu bytes: %lu pages", buf->size, cma_iommu_mapped(dev));
	ST_CHECK(t, cma_master_check(dev, buf->dma - 1, 1, 0) == -EFAULT &&
		 cma_master_check(dev, buf->dma + PAGE_ALIGN(buf->size), 1,
				  0) == -EFAULT, "%zu bytes: there is more",
		 buf->size);
	ST_FAULTS(buf->io, CMA_IOMMU_MISSING, 2);
}

/* The CPU and the device see what the other one writes. */
static void st_buffer_both_ways(struct st_buffer *buf)
{
	struct device *dev = buf->io->dev;
	struct st *t = buf->io->t;

	cma_pattern_fill(buf->virt, buf->size, 1, 0);
	ST_CHECK(t, !cma_master_check(dev, buf->dma, buf->size, 1),
		 "%zu bytes: not what the CPU wrote", buf->size);
	ST_CHECK(t, !cma_master_write(dev, buf->dma, buf->size, 2),
		 "%zu bytes: not written", buf->size);
	ST_CHECK(t, cma_pattern_is(buf->virt, buf->size, 2, 0),
		 "%zu bytes: not what the device wrote", buf->size);
}

CMA_SELFTEST(st_io_buffers, "buffers are one range, zero, and shared by CPU and device")
{
	struct st_buffer buf;
	struct st_iommu io;
	unsigned int i;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	for (i = 0; i < ARRAY_SIZE(st_io_buffer_sizes); i++) {
		/* The second one gets memory that the first one has written to */
		if (st_buffer_alloc(&buf, &io, st_io_buffer_sizes[i], NULL)) {
			st_buffer_both_ways(&buf);
			st_buffer_free(&buf);
		}
		if (st_buffer_alloc(&buf, &io, st_io_buffer_sizes[i], NULL)) {
			ST_CHECK(t, st_is_filled(buf.virt, 0,
						 PAGE_ALIGN(buf.size)),
				 "%zu bytes: not zero", buf.size);
			st_buffer_is_zero(&buf);
			st_buffer_both_ways(&buf);
			st_buffer_ends(&buf);
			st_buffer_free(&buf);
		}
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_buffer_large, "a buffer of 16 MiB is mapped with large pages where it has some")
{
	struct cma_iommu_stats before, after;
	struct st_buffer buf;
	struct st_iommu io;
	unsigned int i, nr = 0;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	cma_iommu_get_stats(&before);
	if (st_buffer_alloc(&buf, &io, 16 * ST_MIB, NULL)) {
		cma_iommu_get_stats(&after);
		for (i = 0; i < CMA_IOMMU_SIZES; i++)
			nr += after.maps[i] - before.maps[i];
		ST_CHECK(t, nr < 1024, "%u pages", nr);
		st_buffer_free(&buf);
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_buffer_loss, "buffers that are freed lose no page")
{
	unsigned long before = global_page_state(NR_FREE_PAGES), after;
	struct st_buffer buf;
	struct st_iommu io;
	unsigned int i;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	for (i = 0; i < 12; i++) {
		if (!st_buffer_alloc(&buf, &io, 16 * ST_MIB, NULL))
			break;
		st_buffer_free(&buf);
	}
	for (i = 0; i < 4096; i++) {
		if (!st_buffer_alloc(&buf, &io, 4 * PAGE_SIZE, NULL))
			break;
		st_buffer_free(&buf);
	}
	st_iommu_end(&io);
	after = global_page_state(NR_FREE_PAGES);
	ST_CHECK(t, after + (4 * ST_MIB >> PAGE_SHIFT) > before,
		 "%lu pages were free, %lu are", before, after);
}

/* The lowest place for a virtual range; it changes if any range is taken. */
static void *st_io_lowest_virtual(void)
{
	struct vm_struct *area;
	void *addr;

	vm_unmap_aliases();
	area = __get_vm_area(PAGE_SIZE, VM_IOREMAP, VMALLOC_START, VMALLOC_END);
	if (!area)
		return NULL;
	addr = area->addr;
	free_vm_area(area);
	return addr;
}

/* What a process reads and writes in pages of a buffer; error of the mmap() */
static int st_io_user(struct st_buffer *buf, unsigned long first,
		      unsigned long nr_pages, u32 reads, u32 writes)
{
	u8 *data = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct st *t = buf->io->t;
	struct vm_area_struct *vma;
	unsigned long addr, i;
	int ret = -ENOMEM;

	if (!ST_CHECK(t, data, "no memory"))
		return ret;
	addr = vm_mmap(NULL, 0, nr_pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, 0);
	if (!ST_CHECK(t, !IS_ERR_VALUE(addr), "no address space"))
		goto free;
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	vma->vm_pgoff = first;
	ret = dma_mmap_attrs(buf->io->dev, vma, buf->virt, buf->dma, buf->size,
			     buf->attrs);
	mmap_write_unlock(current->mm);
	for (i = 0; i < nr_pages && !ret; i++) {
		void __user *user = (void __user *)(addr + i * PAGE_SIZE);

		if (!ST_CHECK(t, !copy_from_user(data, user, PAGE_SIZE) &&
			      cma_pattern_is(data, PAGE_SIZE, reads,
					     (first + i) * PAGE_SIZE),
			      "page %lu: not what the device wrote", first + i))
			break;
		cma_pattern_fill(data, PAGE_SIZE, writes,
				 (first + i) * PAGE_SIZE);
		ST_CHECK(t, !copy_to_user(user, data, PAGE_SIZE), "page %lu",
			 first + i);
	}
	vm_munmap(addr, nr_pages * PAGE_SIZE);
free:
	kfree(data);
	return ret;
}

static void st_io_mmap(struct st_buffer *buf)
{
	unsigned long nr = PAGE_ALIGN(buf->size) >> PAGE_SHIFT;
	struct device *dev = buf->io->dev;
	struct st *t = buf->io->t;
	int ret;

	ST_CHECK(t, !cma_master_write(dev, buf->dma, nr * PAGE_SIZE, 3),
		 "not written");
	ret = st_io_user(buf, 0, nr, 3, 4);
	ST_CHECK(t, !ret, "mmap of %lu pages: error %d", nr, ret);
	ST_CHECK(t, !cma_master_check(dev, buf->dma, nr * PAGE_SIZE, 4),
		 "not what the process wrote");
	ret = st_io_user(buf, nr - 1, 1, 4, 4);
	ST_CHECK(t, !ret, "mmap of the last page: error %d", ret);
	ret = st_io_user(buf, nr, 1, 0, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap behind the end: error %d", ret);
	ret = st_io_user(buf, 0, nr + 1, 0, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap of too much: error %d", ret);
	ret = st_io_user(buf, 1, nr, 0, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap across the end: error %d", ret);
	ret = st_io_user(buf, ~0UL >> PAGE_SHIFT, 1, 0, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap far behind: error %d", ret);
}

static void st_io_sgtable(struct st_buffer *buf)
{
	struct device *dev = buf->io->dev;
	struct st *t = buf->io->t;
	struct scatterlist *sg;
	struct sg_table sgt;
	size_t done = 0;
	unsigned int i;
	int ret;

	ret = dma_get_sgtable_attrs(dev, &sgt, buf->virt, buf->dma, buf->size,
				    buf->attrs);
	if (!ST_CHECK(t, !ret, "get_sgtable: error %d", ret))
		return;
	for_each_sg(sgt.sgl, sg, sgt.orig_nents, i) {
		size_t offset;

		for (offset = 0; offset < sg->length; offset += PAGE_SIZE)
			if (!ST_CHECK(t, cma_iommu_phys(dev, buf->dma + done +
							offset) ==
				      sg_phys(sg) + offset,
				      "entry %u: %#zx is another page", i,
				      done + offset))
				break;
		done += sg->length;
	}
	ST_CHECK(t, done == PAGE_ALIGN(buf->size), "%zu bytes in the table",
		 done);
	sg_free_table(&sgt);
}

CMA_SELFTEST(st_io_attrs, "buffers with each attribute: zero, mmap in range, table of pages")
{
	static const enum dma_attr each[] = {
		DMA_ATTR_WEAK_ORDERING, DMA_ATTR_WRITE_COMBINE,
		DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_NO_KERNEL_MAPPING,
	};
	unsigned int attr, i;
	struct st_buffer buf;
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	for (attr = 0; attr <= ARRAY_SIZE(each); attr++) {
		DEFINE_DMA_ATTRS(attrs);

		if (attr < ARRAY_SIZE(each))
			dma_set_attr(each[attr], &attrs);
		for (i = 0; st_io_buffer_sizes[i] <= ST_MIB; i++) {
			if (!st_buffer_alloc(&buf, &io, st_io_buffer_sizes[i],
					     &attrs))
				continue;
			st_buffer_is_zero(&buf);
			st_buffer_ends(&buf);
			st_io_mmap(&buf);
			st_io_sgtable(&buf);
			if (!dma_get_attr(DMA_ATTR_NO_KERNEL_MAPPING, &attrs))
				st_buffer_both_ways(&buf);
			st_buffer_free(&buf);
		}
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_wrong_free, "a buffer cannot be freed with another size or address")
{
	struct st_buffer buf;
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	if (st_buffer_alloc(&buf, &io, 3 * PAGE_SIZE, NULL)) {
		dma_free_coherent(io.dev, PAGE_SIZE, buf.virt, buf.dma);
		dma_free_coherent(io.dev, 2 * PAGE_SIZE, buf.virt + PAGE_SIZE,
				  buf.dma + PAGE_SIZE);
		ST_CHECK(t, cma_iommu_mapped(io.dev) == 3, "%lu pages",
			 cma_iommu_mapped(io.dev));
		st_buffer_both_ways(&buf);
		st_buffer_free(&buf);
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_contiguous, "DMA_ATTR_FORCE_CONTIGUOUS gives memory that is contiguous")
{
	DEFINE_DMA_ATTRS(attrs);
	struct st_buffer buf;
	struct st_iommu io;
	phys_addr_t phys;
	unsigned int i;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	dma_set_attr(DMA_ATTR_FORCE_CONTIGUOUS, &attrs);
	if (st_buffer_alloc(&buf, &io, ST_MIB, &attrs)) {
		phys = cma_iommu_phys(io.dev, buf.dma);
		for (i = 0; i < ST_MIB / PAGE_SIZE; i++)
			if (!ST_CHECK(t, cma_iommu_phys(io.dev, buf.dma +
							i * PAGE_SIZE) ==
				      phys + i * PAGE_SIZE, "page %u", i))
				break;
		st_buffer_free(&buf);
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_unmapped, "a buffer without a kernel mapping takes no virtual space")
{
	DEFINE_DMA_ATTRS(attrs);
	void *before, *after;
	struct st_buffer buf;
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	dma_set_attr(DMA_ATTR_NO_KERNEL_MAPPING, &attrs);
	before = st_io_lowest_virtual();
	if (st_buffer_alloc(&buf, &io, 4 * ST_MIB, &attrs)) {
		after = st_io_lowest_virtual();
		ST_CHECK(t, before && before == after,
			 "a page went to %p before, and goes to %p", before,
			 after);
		ST_CHECK(t, !is_vmalloc_addr(buf.virt), "at %p", buf.virt);
		st_buffer_is_zero(&buf);
		st_buffer_free(&buf);
	}
	st_iommu_end(&io);
}

CMA_SELFTEST(st_io_atomic, "an atomic request gives a buffer or NULL, and can be freed")
{
	struct st_buffer buf = { .size = 2 * PAGE_SIZE };
	struct st_iommu io;
	unsigned int i;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	buf.io = &io;
	for (i = 0; i < 200; i++) {
		local_irq_disable();
		buf.virt = dma_alloc_coherent(io.dev, buf.size, &buf.dma,
					      GFP_ATOMIC);
		local_irq_enable();
		ST_CHECK(t, buf.virt || !cma_iommu_mapped(io.dev),
			 "no buffer, but mapped");
		if (!buf.virt) {
			st_note(t, "no buffer for atomic request %u", i);
			break;
		}
		st_buffer_is_zero(&buf);
		st_buffer_both_ways(&buf);
		st_buffer_free(&buf);
	}
	st_iommu_end(&io);
}

/* Let each map of the IOMMU fail in turn. */
static void st_io_alloc_fails(struct st_iommu *io, size_t size,
			      struct dma_attrs *attrs)
{
	struct st *t = io->t;
	unsigned int nth;

	for (nth = 1; nth <= (size >> PAGE_SHIFT) + 1; nth++) {
		dma_addr_t dma;
		void *virt;

		cma_iommu_fail(CMA_IOMMU_MAP, nth);
		virt = dma_alloc_attrs(io->dev, size, &dma,
				       GFP_KERNEL | __GFP_NOWARN, attrs);
		cma_iommu_fail(CMA_IOMMU_MAP, 0);
		if (virt) {
			dma_free_attrs(io->dev, size, virt, dma, attrs);
			ST_SETTLED(io);
			ST_CHECK(t, nth > 1, "nothing was mapped");
			return;
		}
		ST_SETTLED(io);
	}
	ST_CHECK(t, false, "fails without a reason");
}

CMA_SELFTEST(st_io_buffer_fails, "a buffer of which a page cannot be mapped leaves nothing")
{
	unsigned long before, after;
	DEFINE_DMA_ATTRS(unmapped);
	DEFINE_DMA_ATTRS(forced);
	struct st_iommu io;
	unsigned int i;

	dma_set_attr(DMA_ATTR_NO_KERNEL_MAPPING, &unmapped);
	dma_set_attr(DMA_ATTR_FORCE_CONTIGUOUS, &forced);
	/* The next one finds io addresses only if the ones before lost none */
	if (!st_iommu_begin(t, &io, 2 * ST_MIB))
		return;
	before = global_page_state(NR_FREE_PAGES);
	for (i = 0; i < 20; i++) {
		st_io_alloc_fails(&io, 2 * ST_MIB, NULL);
		st_io_alloc_fails(&io, 5 * PAGE_SIZE, NULL);
		st_io_alloc_fails(&io, ST_MIB, &unmapped);
		st_io_alloc_fails(&io, ST_MIB, &forced);
	}
	st_iommu_end(&io);
	after = global_page_state(NR_FREE_PAGES);
	ST_CHECK(t, after + (4 * ST_MIB >> PAGE_SHIFT) > before,
		 "%lu pages were free, %lu are", before, after);
}

CMA_SELFTEST(st_io_buffer_refused, "buffers larger than the address space or memory are refused")
{
	static const size_t sizes[] = { ST_MIB + 1, 1024 * ST_MIB, ~0UL };
	struct st_iommu io;
	dma_addr_t dma;
	unsigned int i;
	void *virt;

	if (!st_iommu_begin(t, &io, ST_MIB))
		return;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		virt = dma_alloc_coherent(io.dev, sizes[i], &dma,
					  GFP_KERNEL | __GFP_NOWARN);
		if (!ST_CHECK(t, !virt, "a buffer of %zu", sizes[i]))
			dma_free_coherent(io.dev, sizes[i], virt, dma);
	}
	ST_SETTLED(&io);
	virt = dma_alloc_coherent(io.dev, ST_MIB, &dma, GFP_KERNEL);
	if (ST_CHECK(t, virt, "all of the space does not work"))
		dma_free_coherent(io.dev, ST_MIB, virt, dma);
	st_iommu_end(&io);

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	/* More than the board has, in an address space that has room for it */
	virt = dma_alloc_coherent(io.dev, 512 * ST_MIB, &dma,
				  GFP_KERNEL | __GFP_NOWARN);
	ST_CHECK(t, !virt, "a buffer of 512 MiB");
	st_iommu_end(&io);
}

/*
 * Many at a time
 */

#define ST_THREADS	4
#define ST_SECONDS	4
#define ST_RANGE	(64 * 1024UL)	/* bytes of a thread's memory */

struct st_thread {
	struct st_iommu *io;
	struct completion done;
	unsigned long end;	/* in jiffies */
	u32 random;
	unsigned int rounds;
	int wrong;		/* line of the first check that failed */
	u8 *data;
};

/* Only the thread writes it, and it stops at the first one. */
static void st_thread_check(struct st_thread *thread, bool condition, int line)
{
	if (!condition && !thread->wrong)
		thread->wrong = line;
}

#define ST_THREAD_CHECK(thread, condition)				\
	st_thread_check(thread, condition, __LINE__)

static u32 st_random(struct st_thread *thread, u32 below)
{
	thread->random = thread->random * 1664525 + 1013904223;
	return (thread->random >> 8) % below;
}

static void st_thread_single(struct st_thread *thread)
{
	size_t offset = st_random(thread, ST_RANGE - 1);
	size_t size = 1 + st_random(thread, ST_RANGE - offset);
	struct device *dev = thread->io->dev;
	u8 *data = thread->data + offset;
	u32 seed = thread->random;
	dma_addr_t dma;

	cma_pattern_fill(data, size, seed, 0);
	dma = dma_map_single(dev, data, size, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, dma)) {
		ST_THREAD_CHECK(thread, false);
		return;
	}
	ST_THREAD_CHECK(thread, !cma_master_check(dev, dma, size, seed));
	ST_THREAD_CHECK(thread, !cma_master_write(dev, dma, size, seed + 1));
	dma_sync_single_for_cpu(dev, dma, size, DMA_BIDIRECTIONAL);
	ST_THREAD_CHECK(thread, cma_pattern_is(data, size, seed + 1, 0));
	cma_pattern_fill(data, size, seed + 2, 0);
	dma_sync_single_for_device(dev, dma, size, DMA_BIDIRECTIONAL);
	ST_THREAD_CHECK(thread, !cma_master_check(dev, dma, size, seed + 2));
	dma_unmap_single(dev, dma, size, DMA_BIDIRECTIONAL);
}

/* Whole pages in another order, but for the ends */
static void st_thread_list(struct st_thread *thread)
{
	unsigned int nr = 1 + st_random(thread, ST_RANGE / PAGE_SIZE), i;
	struct scatterlist sgl[ST_RANGE / PAGE_SIZE];
	unsigned int skip = st_random(thread, PAGE_SIZE);
	struct device *dev = thread->io->dev;
	u32 seed = thread->random;
	size_t size = 0;
	int segs;

	sg_init_table(sgl, nr);
	for (i = 0; i < nr; i++) {
		unsigned int offset = i ? 0 : skip;

		/* 7 is no divisor of the number of pages */
		sg_set_buf(&sgl[i], thread->data + offset +
			   i * 7 % (ST_RANGE / PAGE_SIZE) * PAGE_SIZE,
			   PAGE_SIZE - offset);
		cma_pattern_fill(sg_virt(&sgl[i]), sgl[i].length, seed, size);
		size += sgl[i].length;
	}
	segs = dma_map_sg(dev, sgl, nr, DMA_BIDIRECTIONAL);
	ST_THREAD_CHECK(thread, segs == 1);
	if (segs != 1) {
		if (segs)
			dma_unmap_sg(dev, sgl, nr, DMA_BIDIRECTIONAL);
		return;
	}
	ST_THREAD_CHECK(thread, sg_dma_len(sgl) == size);
	ST_THREAD_CHECK(thread, !cma_master_check(dev, sg_dma_address(sgl),
						  size, seed));
	ST_THREAD_CHECK(thread, !cma_master_write(dev, sg_dma_address(sgl),
						  size, seed + 1));
	dma_unmap_sg(dev, sgl, nr, DMA_BIDIRECTIONAL);
	size = 0;
	for (i = 0; i < nr; i++) {
		ST_THREAD_CHECK(thread, cma_pattern_is(sg_virt(&sgl[i]),
						       sgl[i].length, seed + 1,
						       size));
		size += sgl[i].length;
	}
}

static void st_thread_buffer(struct st_thread *thread)
{
	size_t size = 1 + st_random(thread, ST_RANGE);
	struct device *dev = thread->io->dev;
	u32 seed = thread->random;
	dma_addr_t dma;
	void *virt;

	virt = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL);
	ST_THREAD_CHECK(thread, virt);
	if (!virt)
		return;
	ST_THREAD_CHECK(thread, st_is_filled(virt, 0, size));
	cma_pattern_fill(virt, size, seed, 0);
	ST_THREAD_CHECK(thread, !cma_master_check(dev, dma, size, seed));
	ST_THREAD_CHECK(thread, !cma_master_write(dev, dma, size, seed + 1));
	ST_THREAD_CHECK(thread, cma_pattern_is(virt, size, seed + 1, 0));
	dma_free_coherent(dev, size, virt, dma);
}

static int st_thread(void *data)
{
	static void (*const what[])(struct st_thread *thread) = {
		st_thread_single, st_thread_list, st_thread_buffer
	};
	struct st_thread *thread = data;

	while (time_before(jiffies, thread->end) && !thread->wrong) {
		what[st_random(thread, ARRAY_SIZE(what))](thread);
		thread->rounds++;
		cond_resched();
	}
	complete(&thread->done);
	return 0;
}

static void st_io_run_threads(struct st_iommu *io)
{
	unsigned int order = get_order(ST_RANGE);
	struct st_thread threads[ST_THREADS];
	unsigned int i, nr, rounds = 0;
	struct st *t = io->t;

	for (nr = 0; nr < ST_THREADS; nr++) {
		struct st_thread *thread = &threads[nr];
		struct task_struct *task;

		memset(thread, 0, sizeof(*thread));
		thread->io = io;
		thread->random = nr;
		thread->end = jiffies + ST_SECONDS * HZ;
		init_completion(&thread->done);
		thread->data = (u8 *)__get_free_pages(GFP_KERNEL, order);
		if (!ST_CHECK(t, thread->data, "no memory"))
			break;
		task = kthread_run(st_thread, thread, "st_io/%u", nr);
		if (!ST_CHECK(t, !IS_ERR(task), "no thread")) {
			free_pages((unsigned long)thread->data, order);
			break;
		}
	}
	for (i = 0; i < nr; i++) {
		wait_for_completion(&threads[i].done);
		ST_CHECK(t, !threads[i].wrong, "thread %u: line %d in round %u",
			 i, threads[i].wrong, threads[i].rounds);
		rounds += threads[i].rounds;
		free_pages((unsigned long)threads[i].data, order);
	}
	ST_CHECK(t, rounds > 100, "only %u rounds", rounds);
	st_note(t, "%u rounds", rounds);
}

CMA_SELFTEST(st_io_threads, "4 threads map, allocate and transfer at random")
{
	struct st_iommu io;

	if (!st_iommu_begin(t, &io, ST_IO_SIZE))
		return;
	st_io_run_threads(&io);
	st_iommu_end(&io);
}

/* In 2 MiB, the same io addresses are soon used again */
CMA_SELFTEST(st_io_lazy_threads, "4 threads do so in a lazy address space")
{
	struct st_iommu io;

	if (!st_iommu_begin_lazy(t, &io, 2 * ST_MIB))
		return;
	st_io_run_threads(&io);
	st_iommu_end(&io);
}

/*
 * Shared buffers
 */

#ifdef CONFIG_DMA_SHARED_BUFFER
/* A scattered buffer, and a device without limits and without an IOMMU */
struct st_io_shared {
	struct st_iommu io, bus;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;	/* of bus */
};

static void st_io_shared_end(struct st_io_shared *shared)
{
	if (shared->attach)
		dma_buf_detach(shared->dmabuf, shared->attach);
	if (shared->bus.pdev)
		platform_device_unregister(shared->bus.pdev);
	if (shared->dmabuf)
		dma_buf_put(shared->dmabuf);
	st_iommu_end(&shared->io);
}

/* Attach the device; the one behind the IOMMU may have @max segments, if not 0. */
static bool st_io_shared_begin(struct st *t, struct st_io_shared *shared,
			       unsigned int max)
{
	int fd;

	memset(shared, 0, sizeof(*shared));
	if (!st_iommu_begin(t, &shared->io, ST_IO_SIZE))
		return false;
	if (max)
		dma_set_max_seg_count(shared->io.dev, max);
	fd = st_heap_fd(t, "/dev/dma_heap/system", 4 * ST_MIB);
	if (fd >= 0) {
		shared->dmabuf = dma_buf_get(fd);
		sys_close(fd);
		if (st_iommu_add_device(t, &shared->bus))
			shared->attach = dma_buf_attach(shared->dmabuf,
							shared->bus.dev);
		else
			shared->bus.pdev = NULL;
	}
	if (!IS_ERR_OR_NULL(shared->attach))
		return true;
	ST_CHECK(t, !shared->attach, "attach: %ld", PTR_ERR(shared->attach));
	shared->attach = NULL;
	st_io_shared_end(shared);
	return false;
}

static void st_io_shared_segment(struct st_iommu *io, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, io->dev);
	size_t size = dmabuf->size;
	struct st *t = io->t;
	struct sg_table *sgt;
	void *virt;

	if (!ST_CHECK(t, !IS_ERR(attach), "attach: %ld", PTR_ERR(attach)))
		return;
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (!ST_CHECK(t, !IS_ERR(sgt), "map: %ld", PTR_ERR(sgt)))
		goto detach;
	ST_CHECK(t, sgt->nents == 1 && sg_dma_len(sgt->sgl) == size,
		 "%u segments, %u bytes", sgt->nents, sg_dma_len(sgt->sgl));
	ST_CHECK(t, cma_iommu_phys(io->dev, sg_dma_address(sgt->sgl)),
		 "not behind the IOMMU");
	ST_CHECK(t, !cma_master_write(io->dev, sg_dma_address(sgt->sgl), size,
				      9), "not written");
	dma_buf_begin_cpu_access(dmabuf, 0, size, DMA_BIDIRECTIONAL);
	virt = dma_buf_vmap(dmabuf);
	if (ST_CHECK(t, !IS_ERR_OR_NULL(virt), "not mapped for the CPU")) {
		ST_CHECK(t, cma_pattern_is(virt, size, 9, 0),
			 "not what the device wrote");
		cma_pattern_fill(virt, size, 10, 0);
		dma_buf_vunmap(dmabuf, virt);
	}
	dma_buf_end_cpu_access(dmabuf, 0, size, DMA_BIDIRECTIONAL);
	ST_CHECK(t, !cma_master_check(io->dev, sg_dma_address(sgt->sgl), size,
				      10), "not what the CPU wrote");
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	ST_SETTLED(io);
detach:
	dma_buf_detach(dmabuf, attach);
}

CMA_SELFTEST(st_io_dmabuf, "a scattered shared buffer is one segment behind an IOMMU")
{
	struct st_io_shared shared;
	struct sg_table *sgt;

	if (!st_io_shared_begin(t, &shared, 0))
		return;
	/* A device without limits and without an IOMMU sees that it is scattered */
	sgt = dma_buf_map_attachment(shared.attach, DMA_BIDIRECTIONAL);
	if (ST_CHECK(t, !IS_ERR(sgt), "map: %ld", PTR_ERR(sgt))) {
		ST_CHECK(t, sgt->nents > 1, "%u segment without an IOMMU",
			 sgt->nents);
		dma_buf_unmap_attachment(shared.attach, sgt, DMA_BIDIRECTIONAL);
	}
	st_io_shared_segment(&shared.io, shared.dmabuf);
	st_io_shared_end(&shared);
}

CMA_SELFTEST(st_io_dmabuf_one,
	     "a device that takes one segment shares scattered memory behind an IOMMU")
{
	struct dma_buf_attachment *attach;
	struct st_io_shared shared;
	struct sg_table *sgt;

	if (!st_io_shared_begin(t, &shared, 1))
		return;
	/* While this device has it mapped, it cannot move */
	sgt = dma_buf_map_attachment(shared.attach, DMA_BIDIRECTIONAL);
	if (ST_CHECK(t, !IS_ERR(sgt), "map: %ld", PTR_ERR(sgt))) {
		ST_CHECK(t, sgt->nents > 1, "%u segment without an IOMMU",
			 sgt->nents);
		st_io_shared_segment(&shared.io, shared.dmabuf);
		dma_buf_unmap_attachment(shared.attach, sgt, DMA_BIDIRECTIONAL);
	}
	dma_buf_detach(shared.dmabuf, shared.attach);
	shared.attach = NULL;

	/* Segments that are too small for one of it */
	dma_set_max_seg_size(shared.io.dev, ST_MIB);
	attach = dma_buf_attach(shared.dmabuf, shared.io.dev);
	ST_CHECK(t, attach == ERR_PTR(-E2BIG), "4 segments: %ld", PTR_ERR(attach));
	if (!IS_ERR(attach))
		dma_buf_detach(shared.dmabuf, attach);
	st_io_shared_end(&shared);
}
#endif
