// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the DMA operations of a device, and of attributes
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mman.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include <asm/outercache.h>

#include "cma_pdev.h"
#include "selftest.h"

#define ST_MIB		(1024 * 1024UL)
#define ST_ENTRIES	8

/* What the operations of the device under test were called for. */
static struct {
	unsigned int alloc, free, mmap, sgtable;
	unsigned int map, unmap, map_sg, unmap_sg;
	unsigned int for_cpu, for_device, sg_for_cpu, sg_for_device;
	unsigned int supported, set_mask, error;
	bool write_combined;	/* attribute of the last call that has some */
	bool skip_sync;		/* same, of maps and unmaps */
	bool copied;		/* unmapped with data for the CPU */
	dma_addr_t synced;	/* address of the last sync */
	unsigned int fail;	/* number of the map_page() that fails; 0: none */
} st_calls;

static void *st_op_alloc(struct device *dev, size_t size, dma_addr_t *dma,
			 gfp_t gfp, struct dma_attrs *attrs)
{
	st_calls.alloc++;
	st_calls.write_combined = dma_get_attr(DMA_ATTR_WRITE_COMBINE, attrs);
	return arm_dma_ops.alloc(dev, size, dma, gfp, attrs);
}

static void st_op_free(struct device *dev, size_t size, void *virt,
		       dma_addr_t dma, struct dma_attrs *attrs)
{
	st_calls.free++;
	st_calls.write_combined = dma_get_attr(DMA_ATTR_WRITE_COMBINE, attrs);
	arm_dma_ops.free(dev, size, virt, dma, attrs);
}

static int st_op_mmap(struct device *dev, struct vm_area_struct *vma,
		      void *virt, dma_addr_t dma, size_t size,
		      struct dma_attrs *attrs)
{
	st_calls.mmap++;
	st_calls.write_combined = dma_get_attr(DMA_ATTR_WRITE_COMBINE, attrs);
	return -EXDEV;
}

static int st_op_sgtable(struct device *dev, struct sg_table *sgt, void *virt,
			 dma_addr_t dma, size_t size, struct dma_attrs *attrs)
{
	st_calls.sgtable++;
	return -EXDEV;
}

static dma_addr_t st_op_map(struct device *dev, struct page *page,
			    unsigned long offset, size_t size,
			    enum dma_data_direction dir,
			    struct dma_attrs *attrs)
{
	st_calls.skip_sync = dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs);
	if (++st_calls.map == st_calls.fail)
		return 0;
	return arm_dma_ops.map_page(dev, page, offset, size, dir, attrs);
}

static void st_op_unmap(struct device *dev, dma_addr_t dma, size_t size,
			enum dma_data_direction dir, struct dma_attrs *attrs)
{
	st_calls.unmap++;
	st_calls.skip_sync = dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs);
	st_calls.copied |= !dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs);
	arm_dma_ops.unmap_page(dev, dma, size, dir, attrs);
}

static int st_op_map_sg(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, struct dma_attrs *attrs)
{
	st_calls.map_sg++;
	return arm_dma_map_sg(dev, sg, nents, dir, attrs);
}

static void st_op_unmap_sg(struct device *dev, struct scatterlist *sg,
			   int nents, enum dma_data_direction dir,
			   struct dma_attrs *attrs)
{
	st_calls.unmap_sg++;
	arm_dma_unmap_sg(dev, sg, nents, dir, attrs);
}

static void st_op_for_cpu(struct device *dev, dma_addr_t dma, size_t size,
			  enum dma_data_direction dir)
{
	st_calls.for_cpu++;
	st_calls.synced = dma;
}

static void st_op_for_device(struct device *dev, dma_addr_t dma, size_t size,
			     enum dma_data_direction dir)
{
	st_calls.for_device++;
	st_calls.synced = dma;
}

static void st_op_sg_for_cpu(struct device *dev, struct scatterlist *sg,
			     int nents, enum dma_data_direction dir)
{
	st_calls.sg_for_cpu++;
	arm_dma_sync_sg_for_cpu(dev, sg, nents, dir);
}

static void st_op_sg_for_device(struct device *dev, struct scatterlist *sg,
				int nents, enum dma_data_direction dir)
{
	st_calls.sg_for_device++;
	arm_dma_sync_sg_for_device(dev, sg, nents, dir);
}

/* Address 0 stands for an error, unlike with the default operations. */
static int st_op_error(struct device *dev, dma_addr_t dma)
{
	st_calls.error++;
	return !dma;
}

static int st_op_supported(struct device *dev, u64 mask)
{
	st_calls.supported++;
	return mask == DMA_BIT_MASK(20);
}

static int st_op_set_mask(struct device *dev, u64 mask)
{
	st_calls.set_mask++;
	return -EXDEV;
}

static struct dma_map_ops st_ops = {
	.alloc			= st_op_alloc,
	.free			= st_op_free,
	.mmap			= st_op_mmap,
	.get_sgtable		= st_op_sgtable,
	.map_page		= st_op_map,
	.unmap_page		= st_op_unmap,
	.map_sg			= st_op_map_sg,
	.unmap_sg		= st_op_unmap_sg,
	.sync_single_for_cpu	= st_op_for_cpu,
	.sync_single_for_device	= st_op_for_device,
	.sync_sg_for_cpu	= st_op_sg_for_cpu,
	.sync_sg_for_device	= st_op_sg_for_device,
	.mapping_error		= st_op_error,
	.dma_supported		= st_op_supported,
	.set_dma_mask		= st_op_set_mask,
};

/* As few as there can be: the rest comes from the kernel. */
static struct dma_map_ops st_few_ops = {
	.map_page		= st_op_map,
	.unmap_page		= st_op_unmap,
	.sync_single_for_cpu	= st_op_for_cpu,
	.sync_single_for_device	= st_op_for_device,
	.mapping_error		= st_op_error,
};

static struct platform_device *st_begin(struct st *t, struct dma_map_ops *ops)
{
	struct platform_device *pdev = cma_pdev_register("cma-ops", -1);

	memset(&st_calls, 0, sizeof(st_calls));
	if (!ST_CHECK(t, !IS_ERR(pdev), "no device"))
		return NULL;
	set_dma_ops(&pdev->dev, ops);
	return pdev;
}

static void st_end(struct platform_device *pdev)
{
	set_dma_ops(&pdev->dev, NULL);
	platform_device_unregister(pdev);
}

static void st_called(struct st *t, int line, const char *what,
		      unsigned int calls, unsigned int times)
{
	st_check(t, calls == times, __func__, line, "%s: %u calls, not %u",
		 what, calls, times);
}

#define ST_CALLED(t, what, times)					\
	st_called(t, __LINE__, #what, st_calls.what, times)

/* A list of single pages; false if there is no memory. */
static bool st_list(struct scatterlist *sg, unsigned int nr)
{
	unsigned int i;

	sg_init_table(sg, nr);
	for (i = 0; i < nr; i++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		if (!page)
			return false;
		sg_set_page(&sg[i], page, 1024, 512);
	}
	return true;
}

static void st_free_list(struct scatterlist *sg, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (sg_page(&sg[i]))
			__free_page(sg_page(&sg[i]));
}

CMA_SELFTEST(st_ops_choice, "a device has the operations that were set, or the default ones")
{
	struct platform_device *pdev = st_begin(t, &st_ops);
	struct device *dev;

	if (!pdev)
		return;
	dev = &pdev->dev;
	ST_CHECK(t, get_dma_ops(NULL) == &arm_dma_ops, "no device: others");
	ST_CHECK(t, get_dma_ops(dev) == &st_ops, "others than those set");
	set_dma_ops(dev, &arm_dma_ops);
	ST_CHECK(t, get_dma_ops(dev) == &arm_dma_ops && !dev->archdata.dma_ops,
		 "the linear operations are called by a pointer");
	set_dma_ops(dev, &arm_coherent_dma_ops);
	ST_CHECK(t, get_dma_ops(dev) == &arm_coherent_dma_ops, "not coherent");
	set_dma_ops(dev, NULL);
	ST_CHECK(t, get_dma_ops(dev) == &arm_dma_ops, "NULL: not the default");
	st_end(pdev);
}

static void st_own_buffer(struct st *t, struct device *dev)
{
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	struct sg_table sgt;
	dma_addr_t dma;
	void *virt;

	virt = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL);
	ST_CALLED(t, alloc, 1);
	ST_CHECK(t, !st_calls.write_combined, "coherent: write-combined");
	ST_CHECK(t, dma_mmap_coherent(dev, &vma, virt, dma, PAGE_SIZE) ==
		 -EXDEV, "mmap: not the error of the operation");
	ST_CHECK(t, dma_get_sgtable(dev, &sgt, virt, dma, PAGE_SIZE) ==
		 -EXDEV, "get_sgtable: not the error of the operation");
	if (ST_CHECK(t, virt, "no buffer"))
		dma_free_coherent(dev, PAGE_SIZE, virt, dma);
	ST_CALLED(t, free, 1);

	virt = dma_alloc_writecombine(dev, PAGE_SIZE, &dma, GFP_KERNEL);
	ST_CALLED(t, alloc, 2);
	ST_CHECK(t, st_calls.write_combined, "the attribute is lost");
	st_calls.write_combined = false;
	dma_mmap_writecombine(dev, &vma, virt, dma, PAGE_SIZE);
	ST_CHECK(t, st_calls.write_combined, "mmap: the attribute is lost");
	st_calls.write_combined = false;
	if (ST_CHECK(t, virt, "no buffer"))
		dma_free_writecombine(dev, PAGE_SIZE, virt, dma);
	ST_CHECK(t, st_calls.write_combined, "free: the attribute is lost");
	ST_CALLED(t, free, 2);
	ST_CALLED(t, mmap, 2);
	ST_CALLED(t, sgtable, 1);
}

static void st_own_single(struct st *t, struct device *dev)
{
	void *data = kmalloc(4096, GFP_KERNEL);
	DEFINE_DMA_ATTRS(attrs);
	dma_addr_t dma;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	dma = dma_map_single(dev, data, 4096, DMA_TO_DEVICE);
	ST_CALLED(t, map, 1);
	ST_CHECK(t, !dma_mapping_error(dev, dma), "an error");
	/* DMA_API_DEBUG asks, too */
	ST_CHECK(t, st_calls.error, "mapping_error was not called");
	dma_sync_single_for_cpu(dev, dma, 4096, DMA_TO_DEVICE);
	dma_sync_single_for_device(dev, dma, 4096, DMA_TO_DEVICE);
	ST_CHECK(t, st_calls.synced == dma, "synced at another address");
	dma_sync_single_range_for_cpu(dev, dma, 64, 32, DMA_TO_DEVICE);
	ST_CHECK(t, st_calls.synced == dma + 64, "cpu: not with the offset");
	dma_sync_single_range_for_device(dev, dma, 96, 32, DMA_TO_DEVICE);
	ST_CHECK(t, st_calls.synced == dma + 96, "device: not with the offset");
	ST_CALLED(t, for_cpu, 2);
	ST_CALLED(t, for_device, 2);
	dma_unmap_single(dev, dma, 4096, DMA_TO_DEVICE);
	ST_CALLED(t, unmap, 1);

	dma = dma_map_page(dev, virt_to_page(data), 128, 64, DMA_FROM_DEVICE);
	dma_mapping_error(dev, dma);
	ST_CHECK(t, dma == (__pa(data) & PAGE_MASK) + 128,
		 "%#x: not with the offset", dma);
	dma_unmap_page(dev, dma, 64, DMA_FROM_DEVICE);
	ST_CALLED(t, map, 2);
	ST_CALLED(t, unmap, 2);

	dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &attrs);
	dma = dma_map_single_attrs(dev, data, 64, DMA_TO_DEVICE, &attrs);
	dma_mapping_error(dev, dma);
	ST_CHECK(t, st_calls.skip_sync, "map: the attribute is lost");
	st_calls.skip_sync = false;
	dma_unmap_single_attrs(dev, dma, 64, DMA_TO_DEVICE, &attrs);
	ST_CHECK(t, st_calls.skip_sync, "unmap: the attribute is lost");
	kfree(data);
}

static void st_own_list(struct st *t, struct device *dev, unsigned int methods)
{
	struct scatterlist sg[ST_ENTRIES];
	DEFINE_DMA_ATTRS(attrs);
	unsigned int i;
	int nr;

	if (!ST_CHECK(t, st_list(sg, ST_ENTRIES), "no memory"))
		goto free;
	memset(&st_calls, 0, sizeof(st_calls));
	nr = dma_map_sg(dev, sg, ST_ENTRIES, DMA_BIDIRECTIONAL);
	ST_CHECK(t, nr == ST_ENTRIES, "%d entries", nr);
	for (i = 0; i < ST_ENTRIES; i++)
		ST_CHECK(t, sg_dma_address(&sg[i]) == sg_phys(&sg[i]) &&
			 sg_dma_len(&sg[i]) == 1024, "entry %u: %#x, %u", i,
			 sg_dma_address(&sg[i]), sg_dma_len(&sg[i]));
	dma_sync_sg_for_cpu(dev, sg, ST_ENTRIES, DMA_BIDIRECTIONAL);
	dma_sync_sg_for_device(dev, sg, ST_ENTRIES, DMA_BIDIRECTIONAL);
	dma_unmap_sg(dev, sg, ST_ENTRIES, DMA_BIDIRECTIONAL);
	ST_CALLED(t, map, ST_ENTRIES);
	ST_CALLED(t, unmap, ST_ENTRIES);
	ST_CALLED(t, for_cpu, ST_ENTRIES);
	ST_CALLED(t, for_device, ST_ENTRIES);
	ST_CALLED(t, map_sg, methods);
	ST_CALLED(t, unmap_sg, methods);
	ST_CALLED(t, sg_for_cpu, methods);
	ST_CALLED(t, sg_for_device, methods);

	dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &attrs);
	dma_map_sg_attrs(dev, sg, ST_ENTRIES, DMA_TO_DEVICE, &attrs);
	ST_CHECK(t, st_calls.skip_sync, "map list: the attribute is lost");
	st_calls.skip_sync = false;
	dma_unmap_sg_attrs(dev, sg, ST_ENTRIES, DMA_TO_DEVICE, &attrs);
	ST_CHECK(t, st_calls.skip_sync, "unmap list: the attribute is lost");
free:
	st_free_list(sg, ST_ENTRIES);
}

CMA_SELFTEST(st_ops_called, "a device with its own operations gets every call")
{
	struct platform_device *pdev = st_begin(t, &st_ops);
	struct device *dev;

	if (!pdev)
		return;
	dev = &pdev->dev;
	st_own_buffer(t, dev);
	st_own_single(t, dev);
	ST_CHECK(t, dma_supported(dev, DMA_BIT_MASK(20)) &&
		 !dma_supported(dev, DMA_BIT_MASK(32)), "mask supported?");
	ST_CALLED(t, supported, 2);
	ST_CHECK(t, dma_set_mask(dev, DMA_BIT_MASK(32)) == -EXDEV,
		 "dma_set_mask: not the error of the operation");
	ST_CALLED(t, set_mask, 1);
	st_own_list(t, dev, 1);
	st_end(pdev);
}

CMA_SELFTEST(st_ops_few, "lists work on top of operations for one page; the rest is refused")
{
	struct platform_device *pdev = st_begin(t, &st_few_ops);
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	struct sg_table sgt;
	struct device *dev;
	dma_addr_t dma;

	if (!pdev)
		return;
	dev = &pdev->dev;
	st_own_list(t, dev, 0);
	ST_CHECK(t, !dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL),
		 "a buffer");
	ST_CHECK(t, dma_mmap_coherent(dev, &vma, &vma, 0, PAGE_SIZE) == -ENXIO,
		 "mmap is not refused");
	ST_CHECK(t, dma_get_sgtable(dev, &sgt, &vma, 0, PAGE_SIZE) == -ENXIO,
		 "get_sgtable is not refused");
	st_end(pdev);
}

static void *st_op_alloc_old(struct device *dev, size_t size, dma_addr_t *dma,
			     gfp_t gfp)
{
	return st_op_alloc(dev, size, dma, gfp, NULL);
}

static void st_op_free_old(struct device *dev, size_t size, void *virt,
			   dma_addr_t dma)
{
	st_op_free(dev, size, virt, dma, NULL);
}

CMA_SELFTEST(st_ops_old, "operations without attributes get requests without attributes only")
{
	static struct dma_map_ops ops = {
		.alloc_coherent	= st_op_alloc_old,
		.free_coherent	= st_op_free_old,
	};
	struct platform_device *pdev = st_begin(t, &ops);
	dma_addr_t dma;
	void *virt;

	if (!pdev)
		return;
	virt = dma_alloc_coherent(&pdev->dev, PAGE_SIZE, &dma, GFP_KERNEL);
	ST_CALLED(t, alloc, 1);
	if (ST_CHECK(t, virt, "no buffer"))
		dma_free_coherent(&pdev->dev, PAGE_SIZE, virt, dma);
	ST_CALLED(t, free, 1);
	virt = dma_alloc_writecombine(&pdev->dev, PAGE_SIZE, &dma, GFP_KERNEL);
	ST_CHECK(t, !virt, "a buffer without its attribute");
	ST_CALLED(t, alloc, 1);
	st_end(pdev);
}

/* Map a list whose entry @fail cannot be mapped. */
static void st_fail_at(struct st *t, struct device *dev, unsigned int fail)
{
	struct scatterlist sg[ST_ENTRIES];
	int nr;

	memset(&st_calls, 0, sizeof(st_calls));
	st_calls.fail = fail;
	if (ST_CHECK(t, st_list(sg, ST_ENTRIES), "no memory")) {
		nr = dma_map_sg(dev, sg, ST_ENTRIES, DMA_BIDIRECTIONAL);
		ST_CHECK(t, !nr, "%u fails: %d entries", fail, nr);
		ST_CALLED(t, map, fail);
		ST_CALLED(t, unmap, fail - 1);
		ST_CHECK(t, !st_calls.copied,
			 "%u fails: the data of a device is copied", fail);
	}
	st_free_list(sg, ST_ENTRIES);
}

CMA_SELFTEST(st_ops_undo, "a list that cannot be mapped completely is unmapped")
{
	static struct dma_map_ops *const ops[] = { &st_ops, &st_few_ops };
	struct platform_device *pdev;
	unsigned int i, fail;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		pdev = st_begin(t, ops[i]);
		if (!pdev)
			return;
		for (fail = 1; fail <= ST_ENTRIES; fail++)
			st_fail_at(t, &pdev->dev, fail);
		st_end(pdev);
	}
}

/* Count maintenance of the outer cache for the range of a test. */
static struct outer_cache_fns st_outer;
static unsigned long st_outer_start, st_outer_end;
static unsigned int st_cleaned, st_invalidated;

static void st_count_clean(unsigned long start, unsigned long end)
{
	st_cleaned += start < st_outer_end && end > st_outer_start;
	if (st_outer.clean_range)
		st_outer.clean_range(start, end);
}

static void st_count_inv(unsigned long start, unsigned long end)
{
	st_invalidated += start < st_outer_end && end > st_outer_start;
	if (st_outer.inv_range)
		st_outer.inv_range(start, end);
}

static void st_watch(void *data, size_t size)
{
	st_outer_start = __pa(data);
	st_outer_end = st_outer_start + size;
	st_cleaned = 0;
	st_invalidated = 0;
	st_outer = outer_cache;
	outer_cache.clean_range = st_count_clean;
	outer_cache.inv_range = st_count_inv;
}

static void st_unwatch(void)
{
	outer_cache.clean_range = st_outer.clean_range;
	outer_cache.inv_range = st_outer.inv_range;
}

#define ST_MAINTAINED(t, what, cleaned, invalidated)			\
	do {								\
		ST_CHECK(t, st_cleaned == (cleaned) &&			\
			 st_invalidated == (invalidated),		\
			 what ": %u times cleaned, %u invalidated",	\
			 st_cleaned, st_invalidated);			\
		st_cleaned = 0;						\
		st_invalidated = 0;					\
	} while (0)

/* Map and sync in both directions; maintained: whether each step does something. */
static void st_maintain(struct st *t, struct device *dev, void *data,
			struct dma_attrs *attrs, bool map, bool sync)
{
	struct scatterlist sg;
	dma_addr_t dma;

	dma = dma_map_single_attrs(dev, data, 4096, DMA_TO_DEVICE, attrs);
	ST_MAINTAINED(t, "map", map, 0);
	dma_sync_single_for_device(dev, dma, 64, DMA_TO_DEVICE);
	ST_MAINTAINED(t, "sync for device", sync, 0);
	dma_unmap_single_attrs(dev, dma, 4096, DMA_TO_DEVICE, attrs);
	ST_MAINTAINED(t, "unmap", 0, 0);

	dma = dma_map_single_attrs(dev, data, 4096, DMA_FROM_DEVICE, attrs);
	ST_MAINTAINED(t, "map from device", 0, map);
	dma_sync_single_for_cpu(dev, dma, 64, DMA_FROM_DEVICE);
	ST_MAINTAINED(t, "sync for cpu", 0, sync);
	dma_unmap_single_attrs(dev, dma, 4096, DMA_FROM_DEVICE, attrs);
	ST_MAINTAINED(t, "unmap from device", 0, map);

	sg_init_one(&sg, data, 4096);
	ST_CHECK(t, dma_map_sg_attrs(dev, &sg, 1, DMA_FROM_DEVICE, attrs) == 1,
		 "no list");
	ST_MAINTAINED(t, "map list", 0, map);
	dma_sync_sg_for_cpu(dev, &sg, 1, DMA_FROM_DEVICE);
	ST_MAINTAINED(t, "sync list", 0, sync);
	dma_unmap_sg_attrs(dev, &sg, 1, DMA_FROM_DEVICE, attrs);
	ST_MAINTAINED(t, "unmap list", 0, map);
}

CMA_SELFTEST(st_skip_sync, "DMA_ATTR_SKIP_CPU_SYNC and coherent devices leave the caches alone")
{
	struct platform_device *pdev;
	DEFINE_DMA_ATTRS(attrs);
	struct device *dev;
	void *data;

	if (!outer_cache.clean_range) {
		t->skipped = "no outer cache to watch";
		return;
	}
	pdev = st_begin(t, NULL);
	if (!pdev)
		return;
	dev = &pdev->dev;
	data = (void *)get_zeroed_page(GFP_KERNEL);
	if (!ST_CHECK(t, data, "no memory"))
		goto end;

	st_watch(data, PAGE_SIZE);
	st_maintain(t, dev, data, NULL, true, true);
	dma_set_attr(DMA_ATTR_WEAK_ORDERING, &attrs);
	st_maintain(t, dev, data, &attrs, true, true);
	dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &attrs);
	st_maintain(t, dev, data, &attrs, false, true);

	/* The linear operations by a pointer */
	memset(&st_calls, 0, sizeof(st_calls));
	dev->archdata.dma_ops = &arm_dma_ops;
	st_maintain(t, dev, data, NULL, true, true);
	st_maintain(t, dev, data, &attrs, false, true);

	set_dma_ops(dev, &arm_coherent_dma_ops);
	st_maintain(t, dev, data, NULL, false, false);
	st_unwatch();
	free_page((unsigned long)data);
end:
	st_end(pdev);
}

CMA_SELFTEST(st_sync_high, "a mapped page in high memory can be synced")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct page *page = alloc_page(GFP_HIGHUSER);
	dma_addr_t dma;

	if (!ST_CHECK(t, page, "no memory"))
		return;
	if (!PageHighMem(page)) {
		t->skipped = "the page is not in high memory";
	} else {
		dma = dma_map_page(dev, page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
		dma_sync_single_for_cpu(dev, dma, 64, DMA_BIDIRECTIONAL);
		dma_sync_single_range_for_device(dev, dma, 64, 64,
						 DMA_BIDIRECTIONAL);
		dma_unmap_page(dev, dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
		ST_CHECK(t, true, "still here");
	}
	__free_page(page);
}

/* The lowest place for a virtual range; it changes if any range is taken. */
static void *st_lowest_virtual(size_t size)
{
	struct vm_struct *area;
	void *addr;

	vm_unmap_aliases();
	area = __get_vm_area(size, VM_IOREMAP, VMALLOC_START, VMALLOC_END);
	if (!area)
		return NULL;
	addr = area->addr;
	free_vm_area(area);
	return addr;
}

static bool st_pages_are(struct page *page, size_t size, u8 byte)
{
	bool filled = true;
	size_t offset;
	void *virt;

	for (offset = 0; offset < size && filled; offset += PAGE_SIZE) {
		virt = kmap(nth_page(page, offset >> PAGE_SHIFT));
		filled = st_is_filled(virt, byte, PAGE_SIZE);
		kunmap(nth_page(page, offset >> PAGE_SHIFT));
	}
	return filled;
}

/* Map @nr_pages of a buffer of @size from page @first on; the process fills them. */
static int st_map_user(struct st *t, struct device *dev, void *virt,
		       dma_addr_t dma, size_t size, unsigned long first,
		       unsigned long nr_pages, struct dma_attrs *attrs, u8 byte)
{
	struct vm_area_struct *vma;
	unsigned long addr;
	int ret = -ENOMEM;

	addr = vm_mmap(NULL, 0, nr_pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, 0);
	if (!ST_CHECK(t, !IS_ERR_VALUE(addr), "no address space"))
		return ret;
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	vma->vm_pgoff = first;
	ret = dma_mmap_attrs(dev, vma, virt, dma, size, attrs);
	mmap_write_unlock(current->mm);
	if (!ret) {
		void *bytes = kmalloc(PAGE_SIZE, GFP_KERNEL);
		unsigned long i;

		ST_CHECK(t, bytes, "no memory");
		memset(bytes, byte, bytes ? PAGE_SIZE : 0);
		for (i = 0; bytes && i < nr_pages; i++)
			ST_CHECK(t, !copy_to_user((void __user *)addr +
						  i * PAGE_SIZE, bytes,
						  PAGE_SIZE), "page %lu", i);
		kfree(bytes);
	}
	vm_munmap(addr, nr_pages * PAGE_SIZE);
	return ret;
}

/* All that can be done with a buffer, without using its address. */
static void st_use_buffer(struct st *t, struct device *dev, size_t size,
			  struct dma_attrs *attrs)
{
	unsigned long nr_pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct sg_table sgt;
	struct page *page;
	dma_addr_t dma;
	void *virt;
	int ret;

	virt = dma_alloc_attrs(dev, size, &dma, GFP_KERNEL, attrs);
	if (!ST_CHECK(t, virt, "no buffer of %zu", size))
		return;
	page = pfn_to_page(dma_to_pfn(dev, dma));
	ST_CHECK(t, st_pages_are(page, size, 0), "%zu: not zero", size);

	ret = dma_get_sgtable_attrs(dev, &sgt, virt, dma, size, attrs);
	if (ST_CHECK(t, !ret, "get_sgtable: error %d", ret)) {
		ST_CHECK(t, sgt.nents == 1 && sgt.orig_nents == 1 &&
			 sg_page(sgt.sgl) == page && !sgt.sgl->offset &&
			 sgt.sgl->length == PAGE_ALIGN(size),
			 "table: %u entries, %u bytes at %#lx", sgt.nents,
			 sgt.sgl->length, page_to_pfn(sg_page(sgt.sgl)));
		sg_free_table(&sgt);
	}

	ret = st_map_user(t, dev, virt, dma, size, 0, nr_pages, attrs, 0x3c);
	ST_CHECK(t, !ret, "mmap: error %d", ret);
	ST_CHECK(t, st_pages_are(page, size, 0x3c),
		 "%zu: not what the process wrote", size);
	ret = st_map_user(t, dev, virt, dma, size, nr_pages - 1, 1, attrs,
			  0x5a);
	ST_CHECK(t, !ret, "mmap of the last page: error %d", ret);
	ST_CHECK(t, st_pages_are(page, (nr_pages - 1) << PAGE_SHIFT, 0x3c) &&
		 st_pages_are(nth_page(page, nr_pages - 1), PAGE_SIZE, 0x5a),
		 "%zu: not only the last page", size);
	ret = st_map_user(t, dev, virt, dma, size, nr_pages, 1, attrs, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap behind the end: error %d", ret);
	ret = st_map_user(t, dev, virt, dma, size, 0, nr_pages + 1, attrs, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap of too much: error %d", ret);
	ret = st_map_user(t, dev, virt, dma, size, 1, nr_pages, attrs, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap across the end: error %d", ret);
	ret = st_map_user(t, dev, virt, dma, size, ~0UL >> PAGE_SHIFT, 1,
			  attrs, 0);
	ST_CHECK(t, ret == -ENXIO, "mmap far behind: error %d", ret);
	dma_free_attrs(dev, size, virt, dma, attrs);
}

static const size_t st_buffer_sizes[] = {
	100, PAGE_SIZE, 3 * PAGE_SIZE + 1, ST_MIB
};

static void st_attr_buffers(struct st *t, struct dma_attrs *attrs)
{
	struct device *dev = st_device(ST_DEFAULT);
	unsigned int i;

	/* Without an area, the base has no buffers of 1 MiB */
	for (i = 0; i < ARRAY_SIZE(st_buffer_sizes); i++)
		if (st_buffer_sizes[i] < ST_MIB || dev_get_cma_area(dev))
			st_use_buffer(t, dev, st_buffer_sizes[i], attrs);
}

CMA_SELFTEST(st_attrs_buffer, "buffers with each attribute: zero, mmap in range, table of pages")
{
	static const enum dma_attr each[] = {
		DMA_ATTR_WEAK_ORDERING, DMA_ATTR_WRITE_COMBINE,
		DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_NO_KERNEL_MAPPING,
	};
	DEFINE_DMA_ATTRS(attrs);
	unsigned int i;

	st_attr_buffers(t, NULL);
	for (i = 0; i < ARRAY_SIZE(each); i++) {
		init_dma_attrs(&attrs);
		dma_set_attr(each[i], &attrs);
		st_attr_buffers(t, &attrs);
	}
	dma_set_attr(DMA_ATTR_WRITE_COMBINE, &attrs);
	st_attr_buffers(t, &attrs);
}

static void st_unmapped_cycle(struct st *t, enum st_device which)
{
	DEFINE_DMA_ATTRS(attrs);

	dma_set_attr(DMA_ATTR_NO_KERNEL_MAPPING, &attrs);
	st_attr_buffers(t, &attrs);
}

CMA_SELFTEST(st_unmapped_space,
	     "a buffer without a mapping takes no virtual space and loses no page")
{
	struct device *dev = st_device(ST_DEFAULT);
	void *virt[4], *before, *after;
	DEFINE_DMA_ATTRS(attrs);
	dma_addr_t dma[4];
	unsigned int i;

	dma_set_attr(DMA_ATTR_NO_KERNEL_MAPPING, &attrs);
	before = st_lowest_virtual(PAGE_SIZE);
	/* More than fits into the 2 MiB that systems without areas have */
	for (i = 0; i < ARRAY_SIZE(virt); i++) {
		virt[i] = dma_alloc_attrs(dev, ST_MIB, &dma[i], GFP_KERNEL,
					  &attrs);
		ST_CHECK(t, virt[i], "no buffer %u", i);
		ST_CHECK(t, !is_vmalloc_addr(virt[i]), "%u: at %p", i, virt[i]);
	}
	after = st_lowest_virtual(PAGE_SIZE);
	ST_CHECK(t, before && before == after,
		 "a page went to %p before, and goes to %p", before, after);
	for (i = 0; i < ARRAY_SIZE(virt); i++)
		if (virt[i])
			dma_free_attrs(dev, ST_MIB, virt[i], dma[i], &attrs);
	if (st_need_area(t, ST_DEFAULT))
		st_check_no_loss(t, ST_DEFAULT, st_unmapped_cycle);
	t->skipped = NULL;
}

/* More than the area has: nothing may be lost. */
static void st_unmapped_too_large(struct st *t, enum st_device which)
{
	struct device *dev = st_device(which);
	size_t size = (st_area_pages(which) + 1) << PAGE_SHIFT;
	DEFINE_DMA_ATTRS(attrs);
	dma_addr_t dma;
	void *virt;

	dma_set_attr(DMA_ATTR_NO_KERNEL_MAPPING, &attrs);
	virt = dma_alloc_attrs(dev, size, &dma, GFP_KERNEL | __GFP_NOWARN,
			       &attrs);
	if (!ST_CHECK(t, !virt, "a buffer of %zu", size))
		dma_free_attrs(dev, size, virt, dma, &attrs);
}

CMA_SELFTEST(st_unmapped_fails, "a buffer without a mapping that does not fit changes nothing")
{
	if (st_need_area(t, ST_DEFAULT))
		st_check_no_loss(t, ST_DEFAULT, st_unmapped_too_large);
}

CMA_SELFTEST(st_unmapped_atomic, "atomic buffers without a mapping come from the pool and return")
{
	struct device *dev = st_device(ST_DEFAULT);
	DEFINE_DMA_ATTRS(attrs);
	dma_addr_t dma;
	unsigned int i;
	void *virt;

	if (!st_need_area(t, ST_DEFAULT))
		return;
	dma_set_attr(DMA_ATTR_NO_KERNEL_MAPPING, &attrs);
	for (i = 0; i < 200; i++) {
		virt = dma_alloc_attrs(dev, 2 * PAGE_SIZE, &dma, GFP_ATOMIC,
				       &attrs);
		if (!ST_CHECK(t, virt, "%u: no buffer", i))
			return;
		dma_free_attrs(dev, 2 * PAGE_SIZE, virt, dma, &attrs);
	}
}

CMA_SELFTEST(st_coherent_ops, "buffers of a coherent device are cached, mapped in range, and free")
{
	struct platform_device *pdev = st_begin(t, &arm_coherent_dma_ops);
	unsigned long before;
	dma_addr_t dma;
	unsigned int i;
	void *virt;

	if (!pdev)
		return;
	for (i = 0; i < ARRAY_SIZE(st_buffer_sizes); i++)
		st_use_buffer(t, &pdev->dev, st_buffer_sizes[i], NULL);

	virt = dma_alloc_coherent(&pdev->dev, 3 * PAGE_SIZE, &dma, GFP_KERNEL);
	if (ST_CHECK(t, virt, "no buffer")) {
		ST_CHECK(t, virt_addr_valid(virt) && __pa(virt) == dma,
			 "%p is not the linear mapping of %#x", virt, dma);
		ST_CHECK(t, dma_map_page(&pdev->dev, virt_to_page(virt), 512,
					 64, DMA_TO_DEVICE) == dma + 512,
			 "mapped at another address");
		dma_unmap_page(&pdev->dev, dma + 512, 64, DMA_TO_DEVICE);
		dma_free_coherent(&pdev->dev, 3 * PAGE_SIZE, virt, dma);
	}

	/* 64 MiB in sum, so that a loss shows */
	before = global_page_state(NR_FREE_PAGES);
	for (i = 0; i < 64; i++) {
		virt = dma_alloc_coherent(&pdev->dev, ST_MIB, &dma, GFP_KERNEL);
		if (!ST_CHECK(t, virt, "%u: no buffer", i))
			break;
		dma_free_coherent(&pdev->dev, ST_MIB, virt, dma);
	}
	ST_CHECK(t, global_page_state(NR_FREE_PAGES) + (8 * ST_MIB >> PAGE_SHIFT) > before,
		 "%lu pages were free, %lu are", before,
		 global_page_state(NR_FREE_PAGES));
	st_end(pdev);
}

/* Memory of the board that is not RAM */
#define ST_SRAM		0x48000000
#define ST_SRAM_SIZE	(64 * 1024)

static void st_no_table(struct st *t, struct device *dev, size_t size,
			int error, bool writecombine)
{
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	DEFINE_DMA_ATTRS(attrs);
	struct sg_table sgt;
	dma_addr_t dma;
	void *virt;
	int ret;

	if (writecombine)
		dma_set_attr(DMA_ATTR_WRITE_COMBINE, &attrs);
	virt = dma_alloc_attrs(dev, size, &dma, GFP_KERNEL, &attrs);
	if (!ST_CHECK(t, virt, "%zu: no buffer", size))
		return;
	ret = dma_get_sgtable_attrs(dev, &sgt, virt, dma, size, &attrs);
	ST_CHECK(t, ret == error, "%zu: table: %d", size, ret);
	if (!ret)
		sg_free_table(&sgt);
	if (error)
		ST_CHECK(t, dma_mmap_attrs(dev, &vma, virt, dma, size, &attrs) ==
			 -ENXIO, "%zu: mapped", size);
	dma_free_attrs(dev, size, virt, dma, &attrs);
}

CMA_SELFTEST(st_declared, "memory of a device is not taken for pages at its address for the device")
{
	struct platform_device *pdev = st_begin(t, NULL);
	struct page *page = alloc_page(GFP_KERNEL);
	struct device *dev;

	if (!pdev)
		goto free;
	dev = &pdev->dev;
	if (!ST_CHECK(t, page, "no memory") ||
	    !ST_CHECK(t, dma_declare_coherent_memory(dev, ST_SRAM,
						     page_to_phys(page),
						     ST_SRAM_SIZE,
						     DMA_MEMORY_MAP),
		      "no memory of the device"))
		goto end;
	st_no_table(t, dev, PAGE_SIZE, -ENXIO, false);
	st_no_table(t, dev, ST_SRAM_SIZE, -ENXIO, false);
	/* These come from elsewhere */
	st_no_table(t, dev, 2 * ST_SRAM_SIZE, 0, false);
	st_no_table(t, dev, PAGE_SIZE, 0, true);
	dma_release_declared_memory(dev);
end:
	st_end(pdev);
free:
	if (page)
		__free_page(page);
}

#ifdef CONFIG_DMABOUNCE
static u64 st_bounce_mask;

/* Bounce what is in the second half of a page, as well as what the mask says. */
static int st_needs_bounce(struct device *dev, dma_addr_t dma, size_t size)
{
	return (dma & ~PAGE_MASK) >= PAGE_SIZE / 2;
}

static struct platform_device *st_begin_bounce(struct st *t, u64 mask)
{
	struct platform_device *pdev;
	int ret;

	if (!st_need_area(t, ST_DEFAULT))
		return NULL;
	if (PageHighMem(pfn_to_page(st_area_base_pfn(ST_DEFAULT)))) {
		t->skipped = "what a device accesses would be in high memory";
		return NULL;
	}
	pdev = st_begin(t, NULL);
	if (!pdev)
		return NULL;
	st_bounce_mask = mask;
	pdev->dev.dma_mask = &st_bounce_mask;
	ret = dmabounce_register_dev(&pdev->dev, 512, 4096, st_needs_bounce);
	if (ST_CHECK(t, !ret, "dmabounce_register_dev: error %d", ret))
		return pdev;
	st_end(pdev);
	return NULL;
}

static void st_end_bounce(struct st *t, struct platform_device *pdev)
{
	/* It is a bug to have mappings left */
	dmabounce_unregister_dev(&pdev->dev);
	ST_CHECK(t, get_dma_ops(&pdev->dev) == &arm_dma_ops,
		 "the device still has the operations of dmabounce");
	st_end(pdev);
}

/* What a device accesses at an address; the board has no caches. */
static void *st_bus(struct device *dev, dma_addr_t dma)
{
	return page_address(pfn_to_page(dma_to_pfn(dev, dma))) +
	       (dma & ~PAGE_MASK);
}

static void st_bounce_size(struct st *t, struct device *dev, size_t size,
			   bool bounced)
{
	u8 *data = (u8 *)__get_free_pages(GFP_KERNEL, 2);
	dma_addr_t dma;
	u8 *bus;

	if (!ST_CHECK(t, data, "no memory"))
		return;
	memset(data, 0x11, 16384);
	dma = dma_map_single(dev, data, size, DMA_BIDIRECTIONAL);
	if (!ST_CHECK(t, !dma_mapping_error(dev, dma), "%zu: not mapped", size))
		goto free;
	ST_CHECK(t, (dma != __pa(data)) == bounced, "%zu: at %#x", size, dma);
	bus = st_bus(dev, dma);
	ST_CHECK(t, st_is_filled(bus, 0x11, size), "%zu: not copied out", size);

	/* A part of it, then the rest */
	memset(bus, 0x22, size);
	dma_sync_single_range_for_cpu(dev, dma, 64, 32, DMA_BIDIRECTIONAL);
	if (bounced)
		ST_CHECK(t, st_is_filled(data, 0x11, 64) &&
			 st_is_filled(data + 64, 0x22, 32) &&
			 st_is_filled(data + 96, 0x11, size - 96),
			 "%zu: not only the range for the CPU", size);
	memset(data, 0x33, size);
	dma_sync_single_range_for_device(dev, dma, 128, 64, DMA_BIDIRECTIONAL);
	if (bounced)
		ST_CHECK(t, st_is_filled(bus, 0x22, 128) &&
			 st_is_filled(bus + 128, 0x33, 64) &&
			 st_is_filled(bus + 192, 0x22, size - 192),
			 "%zu: not only the range for the device", size);
	memset(bus, 0x44, size);
	dma_unmap_single(dev, dma, size, DMA_BIDIRECTIONAL);
	ST_CHECK(t, st_is_filled(data, 0x44, size), "%zu: not copied back",
		 size);
	ST_CHECK(t, st_is_filled(data + size, bounced ? 0x11 : data[size],
				 64), "%zu: written behind the end", size);
free:
	free_pages((unsigned long)data, 2);
}

CMA_SELFTEST(st_bounce, "dmabounce copies to and from a device, also parts")
{
	static const size_t sizes[] = { 256, 512, 1024, 4096, 8192 };
	struct platform_device *pdev;
	unsigned int i;

	/* The board has no memory below this mask, and all below the other one */
	pdev = st_begin_bounce(t, DMA_BIT_MASK(28));
	if (!pdev)
		return;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		st_bounce_size(t, &pdev->dev, sizes[i], true);
	st_end_bounce(t, pdev);

	pdev = st_begin_bounce(t, DMA_BIT_MASK(32));
	if (!pdev)
		return;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		st_bounce_size(t, &pdev->dev, sizes[i], false);
	st_end_bounce(t, pdev);
}

CMA_SELFTEST(st_bounce_beyond, "a sync that exceeds a mapping copies nothing behind it")
{
	struct platform_device *pdev = st_begin_bounce(t, DMA_BIT_MASK(28));
	u8 *data = (u8 *)get_zeroed_page(GFP_KERNEL);
	struct dma_map_ops *ops;
	struct device *dev;
	dma_addr_t dma;
	u8 *bus;

	if (!pdev)
		goto free;
	dev = &pdev->dev;
	ops = get_dma_ops(dev);
	memset(data, 0x11, 512);
	dma = dma_map_single(dev, data, 256, DMA_BIDIRECTIONAL);
	if (!ST_CHECK(t, !dma_mapping_error(dev, dma), "not mapped"))
		goto end;
	/* The safe buffer has 512 bytes. DMA_API_DEBUG would warn here. */
	bus = st_bus(dev, dma);
	memset(bus, 0x22, 256);
	memset(bus + 256, 0x77, 256);
	ops->sync_single_for_cpu(dev, dma + 128, 256, DMA_BIDIRECTIONAL);
	ST_CHECK(t, st_is_filled(data, 0x11, 128) &&
		 st_is_filled(data + 128, 0x22, 128), "not what is mapped");
	ST_CHECK(t, st_is_filled(data + 256, 0x11, 256), "for the CPU: too much");
	memset(data, 0x33, 512);
	ops->sync_single_for_device(dev, dma + 128, 256, DMA_BIDIRECTIONAL);
	ST_CHECK(t, st_is_filled(bus + 128, 0x33, 128), "not what is mapped");
	ST_CHECK(t, st_is_filled(bus + 256, 0x77, 256),
		 "for the device: too much");
	dma_unmap_single(dev, dma, 256, DMA_BIDIRECTIONAL);
end:
	st_end_bounce(t, pdev);
free:
	free_page((unsigned long)data);
}

CMA_SELFTEST(st_bounce_skip, "dmabounce does not copy with DMA_ATTR_SKIP_CPU_SYNC")
{
	struct platform_device *pdev = st_begin_bounce(t, DMA_BIT_MASK(28));
	u8 *data = (u8 *)get_zeroed_page(GFP_KERNEL);
	DEFINE_DMA_ATTRS(attrs);
	struct device *dev;
	dma_addr_t dma;
	u8 *bus;

	if (!pdev)
		goto free;
	dev = &pdev->dev;
	dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &attrs);
	memset(data, 0x11, PAGE_SIZE);
	dma = dma_map_single_attrs(dev, data, 512, DMA_BIDIRECTIONAL, &attrs);
	bus = st_bus(dev, dma);
	ST_CHECK(t, dma != __pa(data), "not bounced");
	memset(bus, 0x22, 512);
	dma_sync_single_for_device(dev, dma, 512, DMA_BIDIRECTIONAL);
	ST_CHECK(t, st_is_filled(bus, 0x11, 512), "not synced for the device");
	memset(bus, 0x33, 512);
	dma_unmap_single_attrs(dev, dma, 512, DMA_BIDIRECTIONAL, &attrs);
	ST_CHECK(t, st_is_filled(data, 0x11, 512), "unmapping copied");
	st_end_bounce(t, pdev);
free:
	free_page((unsigned long)data);
}

CMA_SELFTEST(st_bounce_list, "dmabounce maps lists, some entries bounced; a failure is undone")
{
	struct platform_device *pdev = st_begin_bounce(t, DMA_BIT_MASK(32));
	struct scatterlist sg[ST_ENTRIES];
	struct device *dev;
	unsigned int i;

	if (!pdev)
		return;
	dev = &pdev->dev;
	if (!ST_CHECK(t, st_list(sg, ST_ENTRIES), "no memory"))
		goto end;
	for (i = 0; i < ST_ENTRIES; i += 2)
		sg[i].offset = PAGE_SIZE / 2;
	ST_CHECK(t, dma_map_sg(dev, sg, ST_ENTRIES, DMA_FROM_DEVICE) ==
		 ST_ENTRIES, "not mapped");
	for (i = 0; i < ST_ENTRIES; i++) {
		dma_addr_t dma = sg_dma_address(&sg[i]);

		ST_CHECK(t, (dma == sg_phys(&sg[i])) == i % 2, "entry %u", i);
		memset(st_bus(dev, dma), i + 1, 1024);
	}
	dma_sync_sg_for_cpu(dev, sg, ST_ENTRIES, DMA_FROM_DEVICE);
	for (i = 0; i < ST_ENTRIES; i++)
		ST_CHECK(t, st_is_filled(sg_virt(&sg[i]), i + 1, 1024),
			 "entry %u is not what the device wrote", i);
	dma_unmap_sg(dev, sg, ST_ENTRIES, DMA_FROM_DEVICE);

	for (i = 0; i < ST_ENTRIES; i++)
		memset(sg_virt(&sg[i]), 0x5a, sg[i].length);
	/* No safe buffer for the last entry: st_end_bounce() finds what is left */
	sg[ST_ENTRIES - 1].length = 256 * ST_MIB;
	sg[ST_ENTRIES - 1].offset = PAGE_SIZE / 2;
	ST_CHECK(t, !dma_map_sg(dev, sg, ST_ENTRIES, DMA_FROM_DEVICE),
		 "mapped without a safe buffer");
	for (i = 0; i < ST_ENTRIES - 1; i++)
		ST_CHECK(t, st_is_filled(sg_virt(&sg[i]), 0x5a, sg[i].length),
			 "entry %u was overwritten", i);
end:
	st_free_list(sg, ST_ENTRIES);
	st_end_bounce(t, pdev);
}

CMA_SELFTEST(st_bounce_mask_kept, "dma_set_mask() of a device that is bounced keeps its mask")
{
	struct platform_device *pdev = st_begin_bounce(t, DMA_BIT_MASK(28));

	if (!pdev)
		return;
	ST_CHECK(t, !dma_set_mask(&pdev->dev, DMA_BIT_MASK(32)), "an error");
	ST_CHECK(t, st_bounce_mask == DMA_BIT_MASK(28), "mask %#llx",
		 st_bounce_mask);
	ST_CHECK(t, dma_set_mask(&pdev->dev, DMA_BIT_MASK(12)) == -EIO,
		 "a mask that nothing can satisfy");
	st_end_bounce(t, pdev);

	pdev = st_begin(t, NULL);
	if (!pdev)
		return;
	ST_CHECK(t, !dma_set_mask(&pdev->dev, DMA_BIT_MASK(32)) &&
		 *pdev->dev.dma_mask == DMA_BIT_MASK(32), "not set");
	st_end(pdev);
}
#endif
