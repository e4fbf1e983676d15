// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the buffers of heaps: maintenance of the outer cache, attributes of
 * mappings, and the effect of the kernel's own mappings
 *
 * The emulator has no caches. The tests check that each operation is for the right
 * bytes, and that there are no others.
 */
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/syscalls.h>

#include <asm/outercache.h>

#include "cma_pdev.h"
#include "cma_pte.h"
#include "selftest.h"
#include "dmabuf.h"
#include "outer.h"

#define ST_SYSTEM	"/dev/dma_heap/system"
#define ST_AREA		"/dev/dma_heap/default_cma_region"
#define ST_SIZE		(6 * PAGE_SIZE)

/* Two devices: segments of one page; one segment. */
enum st_heap_device { ST_PAGES, ST_ONE, ST_NR_HEAP_DEVICES };

static struct platform_device *st_devices[ST_NR_HEAP_DEVICES];
static struct device_dma_parameters st_parms[ST_NR_HEAP_DEVICES];

static bool st_op_touches(const struct st_op *op, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(sgt->sgl, sg, sgt->nents, i)
		if (op->start < sg_dma_address(sg) + sg_dma_len(sg) &&
		    op->end > sg_dma_address(sg))
			return true;
	return false;
}

/* The next call from *pos on that touches the buffer, or NULL. */
static const struct st_op *st_next_op(unsigned int *pos, struct sg_table *sgt)
{
	while (*pos < min_t(unsigned int, st_outer.count, ST_MAX_OPS)) {
		const struct st_op *op = &st_outer.ops[(*pos)++];

		if (st_op_touches(op, sgt))
			return op;
	}
	return NULL;
}

static void st_check_op(struct st *t, const char *about, const struct st_op *op,
			char what, unsigned long start, unsigned long end)
{
	ST_CHECK(t, op && op->what == what && op->start == start &&
		 op->end == end, "%s: %c %#lx-%#lx, not %c %#lx-%#lx", about,
		 op ? op->what : '-', op ? op->start : 0, op ? op->end : 0, what,
		 start, end);
}

/*
 * Were there exactly these calls for [start, start + len) of the buffer? @what has
 * a letter for each operation on all of it, which goes segment by segment.
 */
static void st_check_ops(struct st *t, const char *about, struct sg_table *sgt,
			 size_t start, size_t len, const char *what)
{
	const struct st_op *extra;
	unsigned int i, pos = 0;
	struct scatterlist *sg;

	ST_CHECK(t, st_outer.count <= ST_MAX_OPS, "%s: %u calls", about,
		 st_outer.count);
	for (; *what; what++) {
		size_t skip = start, left = len;

		for_each_sg(sgt->sgl, sg, sgt->nents, i) {
			unsigned long addr = sg_dma_address(sg) + skip;
			size_t n;

			if (skip >= sg_dma_len(sg)) {
				skip -= sg_dma_len(sg);
				continue;
			}
			n = min_t(size_t, left, sg_dma_len(sg) - skip);
			if (!n)
				break;
			st_check_op(t, about, st_next_op(&pos, sgt), *what, addr,
				    addr + n);
			left -= n;
			skip = 0;
		}
	}
	extra = st_next_op(&pos, sgt);
	ST_CHECK(t, !extra, "%s: and %c %#lx-%#lx", about, extra ? extra->what : 0,
		 extra ? extra->start : 0, extra ? extra->end : 0);
}

static void st_remove_devices(void)
{
	int i;

	for (i = 0; i < ST_NR_HEAP_DEVICES; i++) {
		if (!IS_ERR_OR_NULL(st_devices[i]))
			platform_device_unregister(st_devices[i]);
		st_devices[i] = NULL;
	}
}

static bool st_add_devices(struct st *t)
{
	int i;

	for (i = 0; i < ST_NR_HEAP_DEVICES; i++) {
		st_devices[i] = cma_pdev_register("st_heap", i);
		if (!ST_CHECK(t, !IS_ERR(st_devices[i]), "device %d: %ld", i,
			      PTR_ERR(st_devices[i]))) {
			st_remove_devices();
			return false;
		}
		memset(&st_parms[i], 0, sizeof(st_parms[i]));
		st_devices[i]->dev.dma_parms = &st_parms[i];
	}
	dma_set_max_seg_size(&st_devices[ST_PAGES]->dev, PAGE_SIZE);
	dma_set_max_seg_count(&st_devices[ST_ONE]->dev, 1);
	return true;
}

/* Create a buffer of a heap and the devices; NULL if that or the heap fails. */
static struct dma_buf *st_heap_begin(struct st *t, const char *path, size_t size)
{
	int fd = st_heap_fd(t, path, size);
	struct dma_buf *dmabuf;

	if (fd < 0)
		return NULL;
	dmabuf = dma_buf_get(fd);
	sys_close(fd);
	if (st_add_devices(t))
		return dmabuf;
	dma_buf_put(dmabuf);
	return NULL;
}

static void st_heap_end(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	st_remove_devices();
}

static struct sg_table *st_map(struct st *t, struct dma_buf_attachment *attach,
			       enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_map_attachment(attach, dir);

	ST_CHECK(t, !IS_ERR(sgt), "map: %ld", PTR_ERR(sgt));
	return sgt;
}

/* Ranges of CPU access to a buffer of ST_SIZE */
static const struct {
	size_t start, len;
} st_ranges[] = {
	{ 0, ST_SIZE },
	{ 0, 1 },
	{ 0, PAGE_SIZE },
	{ 100, 5000 },
	{ PAGE_SIZE - 1, 2 },
	{ 2 * PAGE_SIZE, 3 * PAGE_SIZE },
	{ ST_SIZE - 1, 1 },
	{ 1, 0 },
	{ ST_SIZE, 0 },
};

static const char *st_dir_name(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL ? "both" :
	       dir == DMA_TO_DEVICE ? "to device" : "from device";
}

/* Begin and end of CPU access while the buffer is mapped in direction @dir */
static void st_check_access(struct st *t, struct dma_buf *dmabuf,
			    struct sg_table *sgt, enum dma_data_direction dir,
			    const char *begin, const char *end)
{
	enum dma_data_direction cpu;
	char about[64];
	unsigned int i;

	for (i = 0; i < 3 * ARRAY_SIZE(st_ranges); i++) {
		size_t start = st_ranges[i / 3].start, len = st_ranges[i / 3].len;

		cpu = i % 3;
		st_outer_begin();
		dma_buf_begin_cpu_access(dmabuf, start, len, cpu);
		st_outer_end();
		snprintf(about, sizeof(about), "mapped %s, begin %s %zu+%zu",
			 st_dir_name(dir), st_dir_name(cpu), start, len);
		st_check_ops(t, about, sgt, start, len, begin);

		st_outer_begin();
		dma_buf_end_cpu_access(dmabuf, start, len, cpu);
		st_outer_end();
		snprintf(about, sizeof(about), "mapped %s, end %s %zu+%zu",
			 st_dir_name(dir), st_dir_name(cpu), start, len);
		st_check_ops(t, about, sgt, start, len,
			     cpu == DMA_FROM_DEVICE ? "" : end);
	}
}

/* What a device does with the buffer, and the cache maintenance for it */
static const struct {
	enum dma_data_direction dir;
	const char *map, *unmap, *begin, *end;
} st_maps[] = {
	{ DMA_TO_DEVICE, "c", "", "", "c" },
	{ DMA_FROM_DEVICE, "c", "i", "i", "c" },
	{ DMA_BIDIRECTIONAL, "c", "i", "i", "c" },
};

static void st_check_device(struct st *t, struct dma_buf *dmabuf,
			    enum st_heap_device which)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt, copy;
	unsigned int i;

	attach = dma_buf_attach(dmabuf, &st_devices[which]->dev);
	if (!ST_CHECK(t, !IS_ERR(attach), "attach: %ld", PTR_ERR(attach)))
		return;
	for (i = 0; i < ARRAY_SIZE(st_maps); i++) {
		st_outer_begin();
		sgt = dma_buf_map_attachment(attach, st_maps[i].dir);
		st_outer_end();
		if (!ST_CHECK(t, !IS_ERR(sgt), "map: %ld", PTR_ERR(sgt)))
			break;
		st_check_ops(t, st_dir_name(st_maps[i].dir), sgt, 0, ST_SIZE,
			     st_maps[i].map);
		ST_CHECK(t, sgt->nents == (which == ST_PAGES ? 6 : 1),
			 "%u segments", sgt->nents);
		st_check_access(t, dmabuf, sgt, st_maps[i].dir, st_maps[i].begin,
				st_maps[i].end);

		/* unmap frees the table */
		if (sg_alloc_table(&copy, sgt->nents, GFP_KERNEL))
			break;
		memcpy(copy.sgl, sgt->sgl, sgt->nents * sizeof(*sgt->sgl));
		st_outer_begin();
		dma_buf_unmap_attachment(attach, sgt, st_maps[i].dir);
		st_outer_end();
		st_check_ops(t, "unmap", &copy, 0, ST_SIZE, st_maps[i].unmap);
		sg_free_table(&copy);
	}
	dma_buf_detach(dmabuf, attach);
}

static bool st_need_outer_cache(struct st *t)
{
	if (!outer_cache.inv_range || !outer_cache.clean_range ||
	    !outer_cache.flush_range)
		t->skipped = "no outer cache";
	return !t->skipped;
}

static void st_check_heap(struct st *t, const char *path)
{
	struct dma_buf *dmabuf;

	if (!st_need_outer_cache(t))
		return;
	dmabuf = st_heap_begin(t, path, ST_SIZE);
	if (!dmabuf)
		return;
	st_check_device(t, dmabuf, ST_PAGES);
	st_check_device(t, dmabuf, ST_ONE);
	st_heap_end(dmabuf);
}

CMA_SELFTEST(st_heap_cache_system, "cache maintenance is exactly what devices need: system")
{
	st_check_heap(t, ST_SYSTEM);
}

CMA_SELFTEST(st_heap_cache_area, "cache maintenance is exactly what devices need: default area")
{
	st_check_heap(t, ST_AREA);
}

CMA_SELFTEST(st_heap_sync, "sync from user space maintains the cache for all of the buffer")
{
	static const struct {
		u64 flags;
		const char *what;
	} calls[] = {
		{ DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ, "i" },
		{ DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, "i" },
		{ DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, "i" },
		{ DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ, "" },
		{ DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE, "c" },
		{ DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW, "c" },
		{ DMA_BUF_SYNC_END, "" },
		{ DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ | 8, "" },
	};
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	unsigned int i;

	if (!st_need_outer_cache(t))
		return;
	dmabuf = st_heap_begin(t, ST_SYSTEM, ST_SIZE);
	if (!dmabuf)
		return;
	attach = dma_buf_attach(dmabuf, &st_devices[ST_PAGES]->dev);
	sgt = st_map(t, attach, DMA_BIDIRECTIONAL);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		struct dma_buf_sync sync = { calls[i].flags };
		char about[32];

		st_outer_begin();
		st_ioctl(dmabuf->file, DMA_BUF_IOCTL_SYNC, &sync);
		st_outer_end();
		snprintf(about, sizeof(about), "flags %#llx", sync.flags);
		st_check_ops(t, about, sgt, 0, ST_SIZE, calls[i].what);
	}
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	st_heap_end(dmabuf);
}

CMA_SELFTEST(st_heap_sync_all, "CPU access is for every device that has the buffer mapped")
{
	struct dma_buf_attachment *attach[2];
	struct dma_buf *dmabuf;
	struct sg_table *sgt[2];

	if (!st_need_outer_cache(t))
		return;
	dmabuf = st_heap_begin(t, ST_SYSTEM, ST_SIZE);
	if (!dmabuf)
		return;
	attach[0] = dma_buf_attach(dmabuf, &st_devices[ST_PAGES]->dev);
	attach[1] = dma_buf_attach(dmabuf, &st_devices[ST_PAGES]->dev);
	sgt[0] = st_map(t, attach[0], DMA_BIDIRECTIONAL);
	sgt[1] = st_map(t, attach[1], DMA_BIDIRECTIONAL);
	st_check_access(t, dmabuf, sgt[0], DMA_BIDIRECTIONAL, "ii", "cc");
	dma_buf_unmap_attachment(attach[1], sgt[1], DMA_BIDIRECTIONAL);
	sgt[1] = st_map(t, attach[1], DMA_TO_DEVICE);
	st_check_access(t, dmabuf, sgt[0], DMA_BIDIRECTIONAL, "i", "cc");
	dma_buf_unmap_attachment(attach[1], sgt[1], DMA_TO_DEVICE);
	st_check_access(t, dmabuf, sgt[0], DMA_BIDIRECTIONAL, "i", "c");
	dma_buf_unmap_attachment(attach[0], sgt[0], DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach[0]);
	dma_buf_detach(dmabuf, attach[1]);
	st_heap_end(dmabuf);
}

static void st_check_attributes(struct st *t, const char *what, size_t offset,
				unsigned long addr, u32 expected)
{
	u32 found = cma_pte_attributes(current->mm, addr);

	ST_CHECK(t, found == expected, "page %lu: %s: TEX C B S = %#x, not %#x",
		 offset / PAGE_SIZE, what, found, expected);
}

/* Every mapping of a page of the buffer is like that of ordinary memory. */
static void st_check_mappings(struct st *t, const char *path)
{
	struct dma_buf *dmabuf = st_heap_begin(t, path, ST_SIZE);
	struct dma_buf_attachment *attach;
	struct sg_mapping_iter page;
	unsigned long user;
	struct sg_table *sgt;
	size_t offset = 0;
	void *vaddr;
	u32 cached;

	if (!dmabuf)
		return;
	cached = cma_pte_attributes(current->mm, (unsigned long)dmabuf);
	attach = dma_buf_attach(dmabuf, &st_devices[ST_PAGES]->dev);
	sgt = st_map(t, attach, DMA_BIDIRECTIONAL);
	vaddr = dma_buf_vmap(dmabuf);
	user = st_map_user(dmabuf->file, ST_SIZE, 0);
	ST_CHECK(t, vaddr && !IS_ERR_VALUE(user), "%p, %lx", vaddr, user);
	memset(vaddr, 'v', ST_SIZE);

	sg_miter_start(&page, sgt->sgl, sgt->nents, SG_MITER_FROM_SG);
	for (; sg_miter_next(&page); offset += PAGE_SIZE) {
		ST_CHECK(t, st_is_filled(page.addr, 'v', page.length),
			 "page %lu: vmap shows another one", offset / PAGE_SIZE);
		st_check_attributes(t, "vmap", offset,
				    (unsigned long)vaddr + offset, cached);
		st_check_attributes(t, "user", offset, user + offset, cached);
		st_check_attributes(t, "kernel", offset,
				    (unsigned long)page.addr, cached);
		if (!PageHighMem(page.page))
			st_check_attributes(t, "linear", offset,
					    (unsigned long)page_address(page.page),
					    cached);
	}
	sg_miter_stop(&page);
	ST_CHECK(t, offset == ST_SIZE, "%zu bytes", offset);
	st_unmap_user(user, ST_SIZE);
	dma_buf_vunmap(dmabuf, vaddr);
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	st_heap_end(dmabuf);
}

CMA_SELFTEST(st_heap_alias_system, "all mappings have the same memory attributes: system")
{
	st_check_mappings(t, ST_SYSTEM);
}

CMA_SELFTEST(st_heap_alias_area, "all mappings have the same memory attributes: default area")
{
	st_check_mappings(t, ST_AREA);
}

/* Large enough to be in more than one piece */
#define ST_LARGE	(4 << 20)

static void st_check_busy(struct st *t, struct dma_buf_attachment *strict,
			  const char *why)
{
	struct sg_table *sgt = dma_buf_map_attachment(strict, DMA_TO_DEVICE);

	ST_CHECK(t, sgt == ERR_PTR(-EBUSY), "moved in spite of %s: %ld", why,
		 IS_ERR(sgt) ? PTR_ERR(sgt) : 0);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment(strict, sgt, DMA_TO_DEVICE);
}

CMA_SELFTEST(st_heap_kernel, "a buffer does not move while the kernel has it mapped")
{
	struct dma_buf *dmabuf = st_heap_begin(t, ST_SYSTEM, ST_LARGE);
	struct dma_buf_attachment *strict;
	struct sg_table *sgt;
	char *vaddr, *page;

	if (!dmabuf)
		return;
	vaddr = dma_buf_vmap(dmabuf);
	page = dma_buf_kmap(dmabuf, ST_LARGE / PAGE_SIZE - 1);
	if (!ST_CHECK(t, vaddr && page, "%p, %p", vaddr, page))
		return;
	memset(vaddr, 'k', ST_LARGE);
	ST_CHECK(t, st_is_filled(page, 'k', PAGE_SIZE), "kmap shows another page");
	strict = dma_buf_attach(dmabuf, &st_devices[ST_ONE]->dev);
	st_check_busy(t, strict, "vmap and kmap");
	dma_buf_vunmap(dmabuf, vaddr);
	st_check_busy(t, strict, "kmap");
	dma_buf_kunmap(dmabuf, ST_LARGE / PAGE_SIZE - 1, page);

	sgt = st_map(t, strict, DMA_TO_DEVICE);
	vaddr = dma_buf_vmap(dmabuf);
	ST_CHECK(t, st_is_filled(vaddr, 'k', ST_LARGE), "the bytes have changed");
	dma_buf_vunmap(dmabuf, vaddr);
	dma_buf_unmap_attachment(strict, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, strict);
	st_heap_end(dmabuf);
}

CMA_SELFTEST(st_heap_limits, "the limits of a device are those of the time when it attached")
{
	struct dma_buf *dmabuf = st_heap_begin(t, ST_SYSTEM, ST_LARGE);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct device *dev;

	if (!dmabuf)
		return;
	dev = &st_devices[ST_ONE]->dev;
	attach = dma_buf_attach(dmabuf, dev);
	/* The driver is unbound, and what it allocated is used for other things. */
	dev->dma_parms = NULL;
	memset(&st_parms[ST_ONE], 0xa5, sizeof(st_parms[ST_ONE]));
	sgt = st_map(t, attach, DMA_TO_DEVICE);
	if (!IS_ERR(sgt)) {
		ST_CHECK(t, sgt->nents == 1, "%u segments", sgt->nents);
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	}
	dma_buf_detach(dmabuf, attach);
	st_heap_end(dmabuf);
}
