// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of shared buffers, with two exporters (mock_exporter.h) and three devices
 * that import
 */
#include <linux/fs.h>	/* v3.0's anon_inodes.h needs struct file_operations */
#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/dma-buf.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#include "cma_pdev.h"
#include "mock_exporter.h"
#include "selftest.h"
#include "dmabuf.h"

static bool misuse;
module_param(misuse, bool, 0444);
MODULE_PARM_DESC(misuse, "do with shared buffers what makes the kernel warn");

/* The devices' limits: none, one segment only, low addresses only. */
enum st_importer { LENIENT, STRICT, SMALL_MASK, NR_IMPORTERS };

static struct platform_device *st_importers[NR_IMPORTERS];
static struct device_dma_parameters st_strict_parms;

static struct mock mock;

static struct device *st_importer(enum st_importer which)
{
	return &st_importers[which]->dev;
}

static void st_remove_importers(void)
{
	int i;

	for (i = 0; i < NR_IMPORTERS; i++) {
		if (!IS_ERR_OR_NULL(st_importers[i]))
			platform_device_unregister(st_importers[i]);
		st_importers[i] = NULL;
	}
}

static bool st_add_importers(struct st *t)
{
	int i;

	for (i = 0; i < NR_IMPORTERS; i++) {
		st_importers[i] = cma_pdev_register("st_importer", i);
		if (!ST_CHECK(t, !IS_ERR(st_importers[i]), "device %d: %ld", i,
			      PTR_ERR(st_importers[i]))) {
			st_remove_importers();
			return false;
		}
	}
	memset(&st_strict_parms, 0, sizeof(st_strict_parms));
	st_importer(STRICT)->dma_parms = &st_strict_parms;
	dma_set_max_seg_size(st_importer(STRICT), MOCK_SIZE);
	dma_set_seg_boundary(st_importer(STRICT), DMA_BIT_MASK(32));
	dma_set_max_seg_count(st_importer(STRICT), 1);
	return true;
}

/* Create a buffer of one exporter and the three devices, or return NULL. */
static struct dma_buf *st_begin(struct st *t, enum mock_kind kind)
{
	struct dma_buf *dmabuf;

	if (!st_add_importers(t))
		return NULL;
	dmabuf = mock_export(&mock, kind);
	if (ST_CHECK(t, !IS_ERR(dmabuf), "export: %ld", PTR_ERR(dmabuf)))
		return dmabuf;
	st_remove_importers();
	return NULL;
}

static void st_check_gone(struct st *t)
{
	ST_CHECK(t, atomic_read(&mock.released) == 1, "released %d times",
		 atomic_read(&mock.released));
	ST_CHECK(t, !atomic_read(&mock.attached), "%d attachments are left",
		 atomic_read(&mock.attached));
	ST_CHECK(t, !mock.nr_mapped, "%u mappings are left", mock.nr_mapped);
	ST_CHECK(t, !atomic_read(&mock.vmapped) && !atomic_read(&mock.kmapped),
		 "a mapping for the CPU is left");
	ST_CHECK(t, !atomic_read(&mock.accesses), "%d CPU accesses are left",
		 atomic_read(&mock.accesses));
	ST_CHECK(t, !mock.lock_held, "the core held its lock");
}

/* Drop the last reference and check that nothing is left. */
static void st_end(struct st *t, struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	st_check_gone(t);
	st_remove_importers();
}

static struct dma_buf_attachment *st_attach(struct st *t, struct dma_buf *dmabuf,
					    enum st_importer which)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(dmabuf, st_importer(which));
	ST_CHECK(t, !IS_ERR(attach), "device %d: attach: %ld", which,
		 PTR_ERR(attach));
	return attach;
}

static unsigned int st_count_attachments(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	unsigned int count = 0;

	mutex_lock(&dmabuf->lock);
	list_for_each_entry(attach, &dmabuf->attachments, node)
		count++;
	mutex_unlock(&dmabuf->lock);
	return count;
}

CMA_SELFTEST(st_buf_export_bad, "a buffer without what it needs is refused")
{
	static const struct dma_buf_ops none;
	struct module going = { .state = MODULE_STATE_GOING };
	unsigned int before = module_refcount(THIS_MODULE);
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	struct dma_buf_ops ops[3];
	int i;

	if (!dmabuf)
		return;
	for (i = 0; i < 3; i++)
		ops[i] = *dmabuf->ops;
	ops[0].map_dma_buf = NULL;
	ops[1].unmap_dma_buf = NULL;
	ops[2].release = NULL;
	for (i = 0; i < 3; i++)
		ST_CHECK(t, dma_buf_export(&mock, &ops[i], 1, 0) ==
			 ERR_PTR(-EINVAL), "operation %d is missing", i);
	ST_CHECK(t, dma_buf_export(&mock, &none, 1, 0) == ERR_PTR(-EINVAL),
		 "no operation");
	ST_CHECK(t, dma_buf_export(&mock, NULL, 1, 0) == ERR_PTR(-EINVAL),
		 "no operations");
	ST_CHECK(t, dma_buf_export(NULL, dmabuf->ops, 1, 0) == ERR_PTR(-EINVAL),
		 "nothing of the exporter's");
	ST_CHECK(t, dma_buf_export(&mock, dmabuf->ops, 0, 0) == ERR_PTR(-EINVAL),
		 "no size");
	ST_CHECK(t, dma_buf_export_named(&mock, dmabuf->ops, 1, 0, NULL) ==
		 ERR_PTR(-EINVAL), "no name");
	ST_CHECK(t, __dma_buf_export(&mock, dmabuf->ops, 1, 0, "going", &going) ==
		 ERR_PTR(-ENOENT), "a module that is about to go");
	st_end(t, dmabuf);
	ST_CHECK(t, module_refcount(THIS_MODULE) == before,
		 "the module is held %u times, %u before",
		 module_refcount(THIS_MODULE), before);
}

static ssize_t st_file(const char *path, int flags, char *text, size_t size)
{
	struct file *file = filp_open(path, flags, 0);
	mm_segment_t fs = get_fs();
	loff_t pos = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	set_fs(KERNEL_DS);
	if (flags == O_RDONLY)
		ret = vfs_read(file, text, size, &pos);
	else
		ret = vfs_write(file, text, size, &pos);
	set_fs(fs);
	filp_close(file, NULL);
	return ret;
}

#define ST_FILE_MAX	"/proc/sys/fs/file-max"

/* Export a buffer with no file structures left. */
static struct dma_buf *st_export_without_files(struct mock *mock)
{
	struct cred *cred = prepare_creds();
	const struct cred *old;
	struct dma_buf *dmabuf;
	char max[16];
	ssize_t len = st_file(ST_FILE_MAX, O_RDONLY, max, sizeof(max));

	if (!cred || len <= 0)
		return NULL;
	cap_lower(cred->cap_effective, CAP_SYS_ADMIN);
	old = override_creds(cred);
	st_file(ST_FILE_MAX, O_WRONLY, "0", 1);
	dmabuf = mock_export(mock, MOCK_FIXED);
	revert_creds(old);
	put_cred(cred);
	st_file(ST_FILE_MAX, O_WRONLY, max, len);
	return dmabuf;
}

CMA_SELFTEST(st_buf_no_files, "an export without a free file fails and leaks nothing")
{
	unsigned int before = module_refcount(THIS_MODULE);
	struct dma_buf *dmabuf = st_export_without_files(&mock);

	ST_CHECK(t, dmabuf == ERR_PTR(-ENFILE), "%ld", PTR_ERR(dmabuf));
	ST_CHECK(t, !atomic_read(&mock.released),
		 "the exporter was told to release what it did not give away");
	ST_CHECK(t, module_refcount(THIS_MODULE) == before,
		 "the module is held %u times, %u before",
		 module_refcount(THIS_MODULE), before);
}

CMA_SELFTEST(st_buf_references, "a buffer lives as long as its last reference")
{
	unsigned int before = module_refcount(THIS_MODULE);
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	int fd;

	if (!dmabuf)
		return;
	ST_CHECK(t, module_refcount(THIS_MODULE) == before + 1,
		 "the exporter can go");
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (!ST_CHECK(t, fd >= 0, "no descriptor: %d", fd))
		return;
	ST_CHECK(t, file_count(dmabuf->file) == 1, "%ld references",
		 file_count(dmabuf->file));
	ST_CHECK(t, dma_buf_get(fd) == dmabuf, "another buffer");
	sys_close(fd);
	ST_CHECK(t, !atomic_read(&mock.released), "released too early");
	ST_CHECK(t, dma_buf_get(fd) == ERR_PTR(-EBADF), "a closed descriptor");
	get_dma_buf(dmabuf);
	dma_buf_put(dmabuf);
	ST_CHECK(t, !atomic_read(&mock.released), "released too early");
	st_end(t, dmabuf);
	ST_CHECK(t, module_refcount(THIS_MODULE) == before,
		 "the exporter is held for ever");
}

static bool st_closes_on_exec(int fd)
{
	struct files_struct *files = current->files;
	bool closes;

	spin_lock(&files->file_lock);
	closes = FD_ISSET(fd, files_fdtable(files)->close_on_exec);
	spin_unlock(&files->file_lock);
	return closes;
}

CMA_SELFTEST(st_buf_fd, "a descriptor takes the reference, unless none is free")
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];
	unsigned long old = limit->rlim_cur;
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	int fd;

	if (!dmabuf)
		return;
	ST_CHECK(t, dma_buf_fd(NULL, 0) == -EINVAL, "no buffer");
	limit->rlim_cur = 0;
	fd = dma_buf_fd(dmabuf, 0);
	limit->rlim_cur = old;
	ST_CHECK(t, fd == -EMFILE, "no descriptor left: %d", fd);
	ST_CHECK(t, file_count(dmabuf->file) == 1, "%ld references",
		 file_count(dmabuf->file));

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, 0);
	ST_CHECK(t, !st_closes_on_exec(fd), "it goes with exec");
	sys_close(fd);
	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC | O_RDWR);
	ST_CHECK(t, st_closes_on_exec(fd), "it stays with exec");
	sys_close(fd);
	st_end(t, dmabuf);
}

/* A file of another driver, whose mmap() maps a buffer. */
static int st_driver_mmap(struct file *file, struct vm_area_struct *vma)
{
	return dma_buf_mmap(file->private_data, vma, 1);
}

static const struct file_operations st_driver_fops = {
	.llseek	= noop_llseek,
	.mmap	= st_driver_mmap,
};

CMA_SELFTEST(st_buf_get, "a descriptor of something else is refused")
{
	int fd = anon_inode_getfd("st", &st_driver_fops, NULL, O_RDWR);
	struct file *file = fget(fd);

	ST_CHECK(t, dma_buf_get(-1) == ERR_PTR(-EBADF), "-1");
	ST_CHECK(t, dma_buf_get(INT_MAX) == ERR_PTR(-EBADF), "INT_MAX");
	ST_CHECK(t, dma_buf_get(fd) == ERR_PTR(-EINVAL), "another file");
	ST_CHECK(t, file_count(file) == 2, "it has %ld references",
		 file_count(file));
	fput(file);
	sys_close(fd);
}

CMA_SELFTEST(st_buf_attach, "the exporter's result of attach is passed on")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	struct dma_buf_attachment *attach;
	struct device *dev;

	if (!dmabuf)
		return;
	dev = st_importer(LENIENT);
	ST_CHECK(t, dma_buf_attach(dmabuf, NULL) == ERR_PTR(-EINVAL), "no device");
	ST_CHECK(t, dma_buf_attach(NULL, dev) == ERR_PTR(-EINVAL), "no buffer");
	mock.attach_error = -EPERM;
	ST_CHECK(t, dma_buf_attach(dmabuf, dev) == ERR_PTR(-EPERM), "-EPERM");
	mock.attach_error = 0;
	*st_importer(SMALL_MASK)->dma_mask = mock_last_byte(mock.contiguous) - 1;
	ST_CHECK(t, dma_buf_attach(dmabuf, st_importer(SMALL_MASK)) ==
		 ERR_PTR(-ERANGE), "out of reach");
	ST_CHECK(t, !st_count_attachments(dmabuf), "attached all the same");
	ST_CHECK(t, file_count(dmabuf->file) == 1, "%ld references",
		 file_count(dmabuf->file));

	attach = st_attach(t, dmabuf, LENIENT);
	if (!IS_ERR(attach)) {
		ST_CHECK(t, attach->dev == dev && attach->dmabuf == dmabuf,
			 "wrong device or buffer");
		ST_CHECK(t, st_count_attachments(dmabuf) == 1, "not in the list");
		dma_buf_detach(dmabuf, attach);
		ST_CHECK(t, !st_count_attachments(dmabuf), "still in the list");
	}
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_attach_twice, "a device can attach twice, and detach in any order")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	struct dma_buf_attachment *attach[3];
	struct sg_table *sgt[2];
	int i;

	if (!dmabuf)
		return;
	attach[0] = st_attach(t, dmabuf, LENIENT);
	attach[1] = st_attach(t, dmabuf, LENIENT);
	attach[2] = st_attach(t, dmabuf, STRICT);
	for (i = 0; i < 2; i++) {
		sgt[i] = dma_buf_map_attachment(attach[i], DMA_TO_DEVICE);
		ST_CHECK(t, !IS_ERR(sgt[i]), "%d: %ld", i, PTR_ERR(sgt[i]));
	}
	ST_CHECK(t, sgt[0] != sgt[1], "both have one table");
	dma_buf_unmap_attachment(attach[0], sgt[0], DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach[0]);
	ST_CHECK(t, mock.nr_mapped == 1, "%u mappings", mock.nr_mapped);
	ST_CHECK(t, st_count_attachments(dmabuf) == 2, "%u attachments",
		 st_count_attachments(dmabuf));
	dma_buf_detach(dmabuf, attach[2]);
	dma_buf_unmap_attachment(attach[1], sgt[1], DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach[1]);
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_map, "map returns a table or an errno, and never NULL")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (!dmabuf)
		return;
	attach = st_attach(t, dmabuf, LENIENT);
	ST_CHECK(t, dma_buf_map_attachment(attach, DMA_NONE) ==
		 ERR_PTR(-EINVAL), "no direction");
	ST_CHECK(t, dma_buf_map_attachment(attach, 17) == ERR_PTR(-EINVAL),
		 "a bad direction");
	ST_CHECK(t, dma_buf_map_attachment(NULL, DMA_TO_DEVICE) ==
		 ERR_PTR(-EINVAL), "no attachment");
	ST_CHECK(t, dma_buf_map_attachment(ERR_PTR(-EPERM), DMA_TO_DEVICE) ==
		 ERR_PTR(-EINVAL), "an attach that failed");
	mock.map_null = true;
	ST_CHECK(t, dma_buf_map_attachment(attach, DMA_TO_DEVICE) ==
		 ERR_PTR(-ENOMEM), "NULL");
	mock.map_null = false;
	mock.map_error = -ENXIO;
	ST_CHECK(t, dma_buf_map_attachment(attach, DMA_TO_DEVICE) ==
		 ERR_PTR(-ENXIO), "-ENXIO");
	mock.map_error = 0;
	ST_CHECK(t, !mock.nr_mapped, "mapped all the same");

	sgt = dma_buf_map_attachment(attach, DMA_FROM_DEVICE);
	if (ST_CHECK(t, !IS_ERR(sgt), "map: %ld", PTR_ERR(sgt))) {
		ST_CHECK(t, sgt->nents == 1 && sg_page(sgt->sgl) == mock.place,
			 "not the exporter's table");
		dma_buf_unmap_attachment(attach, sgt, DMA_FROM_DEVICE);
	}
	dma_buf_detach(dmabuf, attach);
	st_end(t, dmabuf);
}

static void st_fill(void)
{
	unsigned int i;

	for (i = 0; i < MOCK_PAGES; i++)
		memset(mock_address(&mock, i), 'a' + i, PAGE_SIZE);
}

/* Does a table show what st_fill() wrote, in @nents segments? */
static void st_check_table(struct st *t, struct sg_table *sgt, unsigned int nents)
{
	u8 *copy = kzalloc(MOCK_SIZE, GFP_KERNEL);
	unsigned int i, wrong = 0;

	if (!copy)
		return;
	ST_CHECK(t, sgt->nents == nents, "%u segments", sgt->nents);
	ST_CHECK(t, sg_copy_to_buffer(sgt->sgl, sgt->nents, copy, MOCK_SIZE) ==
		 MOCK_SIZE, "the table is too short");
	for (i = 0; i < MOCK_SIZE; i++)
		wrong += copy[i] != 'a' + i / PAGE_SIZE;
	ST_CHECK(t, !wrong, "%u bytes are wrong", wrong);
	kfree(copy);
}

CMA_SELFTEST(st_buf_move, "an exporter moves storage while it is not mapped")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_MOVING);
	struct dma_buf_attachment *lenient, *strict;
	struct sg_table *sgt[2];

	if (!dmabuf)
		return;
	lenient = st_attach(t, dmabuf, LENIENT);
	ST_CHECK(t, !mock.place, "memory before it is needed");
	sgt[0] = dma_buf_map_attachment(lenient, DMA_BIDIRECTIONAL);
	st_fill();
	st_check_table(t, sgt[0], MOCK_PAGES);

	strict = st_attach(t, dmabuf, STRICT);
	ST_CHECK(t, dma_buf_map_attachment(strict, DMA_TO_DEVICE) ==
		 ERR_PTR(-EBUSY), "moved while it is mapped");
	dma_buf_unmap_attachment(lenient, sgt[0], DMA_BIDIRECTIONAL);

	sgt[1] = dma_buf_map_attachment(strict, DMA_TO_DEVICE);
	st_check_table(t, sgt[1], 1);
	sgt[0] = dma_buf_map_attachment(lenient, DMA_TO_DEVICE);
	st_check_table(t, sgt[0], 1);
	ST_CHECK(t, mock.moves == 1, "moved %u times", mock.moves);
	dma_buf_unmap_attachment(strict, sgt[1], DMA_TO_DEVICE);
	dma_buf_unmap_attachment(lenient, sgt[0], DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, strict);
	dma_buf_detach(dmabuf, lenient);
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_see_all, "an exporter sees all attachments when one is mapped")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_MOVING);
	struct dma_buf_attachment *lenient, *strict;
	struct sg_table *sgt;

	if (!dmabuf)
		return;
	strict = st_attach(t, dmabuf, STRICT);
	lenient = st_attach(t, dmabuf, LENIENT);
	sgt = dma_buf_map_attachment(lenient, DMA_TO_DEVICE);
	ST_CHECK(t, sgt->nents == 1, "the strict one was not seen");
	dma_buf_unmap_attachment(lenient, sgt, DMA_TO_DEVICE);
	sgt = dma_buf_map_attachment(strict, DMA_TO_DEVICE);
	ST_CHECK(t, !IS_ERR(sgt) && !mock.moves, "moved %u times", mock.moves);
	dma_buf_unmap_attachment(strict, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, strict);
	dma_buf_detach(dmabuf, lenient);
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_mask, "an exporter obeys the DMA mask, or fails")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_MOVING);
	struct dma_buf_attachment *lenient, *small;
	struct sg_table *sgt;

	if (!dmabuf)
		return;
	lenient = st_attach(t, dmabuf, LENIENT);
	sgt = dma_buf_map_attachment(lenient, DMA_TO_DEVICE);
	st_fill();
	dma_buf_unmap_attachment(lenient, sgt, DMA_TO_DEVICE);

	/* The mask when it attaches counts, not when it maps the buffer. */
	*st_importer(SMALL_MASK)->dma_mask = mock_last_byte(mock.contiguous) - 1;
	small = st_attach(t, dmabuf, SMALL_MASK);
	*small->dev->dma_mask = mock_last_byte(mock.contiguous);
	ST_CHECK(t, dma_buf_map_attachment(small, DMA_TO_DEVICE) ==
		 ERR_PTR(-ERANGE), "mapped memory that it cannot reach");
	dma_buf_detach(dmabuf, small);
	small = st_attach(t, dmabuf, SMALL_MASK);
	sgt = dma_buf_map_attachment(small, DMA_TO_DEVICE);
	st_check_table(t, sgt, 1);
	dma_buf_unmap_attachment(small, sgt, DMA_TO_DEVICE);
	ST_CHECK(t, mock.moves == 1, "moved %u times", mock.moves);
	dma_buf_detach(dmabuf, small);
	dma_buf_detach(dmabuf, lenient);
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_vmap, "there is one vmap() mapping for any number of callers")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	void *vaddr;

	if (!dmabuf)
		return;
	mock.vmap_null = true;
	ST_CHECK(t, !dma_buf_vmap(dmabuf), "NULL");
	mock.vmap_null = false;
	mock.vmap_error = -ENOMEM;
	ST_CHECK(t, !dma_buf_vmap(dmabuf), "-ENOMEM");
	mock.vmap_error = 0;
	ST_CHECK(t, !dmabuf->nr_vmaps, "counted %u times",
		 dmabuf->nr_vmaps);

	vaddr = mock_address(&mock, 0);
	ST_CHECK(t, dma_buf_vmap(dmabuf) == vaddr, "first");
	ST_CHECK(t, dma_buf_vmap(dmabuf) == vaddr, "second");
	ST_CHECK(t, atomic_read(&mock.vmapped) == 1, "mapped %d times",
		 atomic_read(&mock.vmapped));
	dma_buf_vunmap(dmabuf, vaddr);
	ST_CHECK(t, atomic_read(&mock.vmapped) == 1, "unmapped too early");
	dma_buf_vunmap(dmabuf, vaddr);
	ST_CHECK(t, !atomic_read(&mock.vmapped), "not unmapped");
	ST_CHECK(t, dma_buf_vmap(dmabuf) == vaddr, "once more");
	dma_buf_vunmap(dmabuf, vaddr);
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_kmap, "a page of the buffer can be mapped, and no other")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	unsigned long i;
	void *vaddr;

	if (!dmabuf)
		return;
	for (i = 0; i < MOCK_PAGES; i++) {
		vaddr = dma_buf_kmap(dmabuf, i);
		ST_CHECK(t, vaddr == mock_address(&mock, i), "page %lu", i);
		mock.page_num = ~0UL;
		dma_buf_kunmap(dmabuf, i, vaddr);
		ST_CHECK(t, mock.page_num == i, "unmapped %lu", mock.page_num);
		vaddr = dma_buf_kmap_atomic(dmabuf, i);
		ST_CHECK(t, vaddr == mock_address(&mock, i), "page %lu", i);
		mock.page_num = ~0UL;
		dma_buf_kunmap_atomic(dmabuf, i, vaddr);
		ST_CHECK(t, mock.page_num == i, "unmapped %lu", mock.page_num);
	}
	ST_CHECK(t, !dma_buf_kmap(dmabuf, MOCK_PAGES), "one too many");
	ST_CHECK(t, !dma_buf_kmap_atomic(dmabuf, MOCK_PAGES), "one too many");
	ST_CHECK(t, !dma_buf_kmap(dmabuf, ~0UL), "far too many");
	ST_CHECK(t, !dma_buf_kmap_atomic(dmabuf, ~0UL), "far too many");
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_cpu, "CPU access passes a range of the buffer to the exporter")
{
	static const struct {
		size_t start, len;
		int dir, ret;
	} calls[] = {
		{ 0, MOCK_SIZE, DMA_FROM_DEVICE, 0 },
		{ 0, MOCK_SIZE, DMA_TO_DEVICE, 0 },
		{ 0, MOCK_SIZE, DMA_BIDIRECTIONAL, 0 },
		{ 77, 5000, DMA_TO_DEVICE, 0 },
		{ MOCK_SIZE - 1, 1, DMA_FROM_DEVICE, 0 },
		{ MOCK_SIZE, 0, DMA_FROM_DEVICE, 0 },
		{ 0, MOCK_SIZE + 1, DMA_FROM_DEVICE, -EINVAL },
		{ MOCK_SIZE, 1, DMA_FROM_DEVICE, -EINVAL },
		{ MOCK_SIZE + 1, 0, DMA_FROM_DEVICE, -EINVAL },
		{ 1, ~(size_t)0, DMA_FROM_DEVICE, -EINVAL },
		{ 0, 1, DMA_NONE, -EINVAL },
		{ 0, 1, -1, -EINVAL },
	};
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	unsigned int i;
	int ret;

	if (!dmabuf)
		return;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		ret = dma_buf_begin_cpu_access(dmabuf, calls[i].start,
					       calls[i].len, calls[i].dir);
		ST_CHECK(t, ret == calls[i].ret, "call %u: %d, not %d", i, ret,
			 calls[i].ret);
		if (ret)
			continue;
		ST_CHECK(t, mock.start == calls[i].start &&
			 mock.len == calls[i].len && mock.dir == calls[i].dir,
			 "call %u: begin: other arguments", i);
		mock.start = ~0;
		mock.len = ~0;
		mock.dir = DMA_NONE;
		dma_buf_end_cpu_access(dmabuf, calls[i].start, calls[i].len,
				       calls[i].dir);
		ST_CHECK(t, mock.start == calls[i].start &&
			 mock.len == calls[i].len && mock.dir == calls[i].dir,
			 "call %u: end: other arguments", i);
	}
	ST_CHECK(t, dma_buf_begin_cpu_access(NULL, 0, 0, DMA_TO_DEVICE) ==
		 -EINVAL, "no buffer");
	mock.begin_error = -EIO;
	ST_CHECK(t, dma_buf_begin_cpu_access(dmabuf, 0, 1, DMA_TO_DEVICE) ==
		 -EIO, "the exporter's errno is lost");
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_optional, "an exporter without operations for the CPU")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_MOVING);
	struct vm_area_struct vma = { .vm_start = 0, .vm_end = PAGE_SIZE };

	if (!dmabuf)
		return;
	ST_CHECK(t, !dma_buf_begin_cpu_access(dmabuf, 0, MOCK_SIZE,
					      DMA_TO_DEVICE), "begin");
	dma_buf_end_cpu_access(dmabuf, 0, MOCK_SIZE, DMA_TO_DEVICE);
	ST_CHECK(t, dma_buf_begin_cpu_access(dmabuf, 0, MOCK_SIZE + 1,
					     DMA_TO_DEVICE) == -EINVAL, "range");
	ST_CHECK(t, !dma_buf_kmap(dmabuf, 0), "kmap");
	ST_CHECK(t, !dma_buf_kmap_atomic(dmabuf, 0), "kmap_atomic");
	ST_CHECK(t, !dma_buf_vmap(dmabuf), "vmap");
	ST_CHECK(t, dma_buf_mmap(dmabuf, &vma, 0) == -ENODEV, "mmap");
	ST_CHECK(t, dmabuf->file->f_op->mmap(dmabuf->file, &vma) == -ENODEV,
		 "mmap of the file");
	ST_CHECK(t, file_count(dmabuf->file) == 1, "%ld references",
		 file_count(dmabuf->file));
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_mmap_bad, "an mmap that fails leaves everything as it was")
{
	static const struct {
		unsigned long pgoff, pages;
	} bad[] = {
		{ 0, MOCK_PAGES + 1 },
		{ 1, MOCK_PAGES },
		{ MOCK_PAGES, 1 },
		{ ~0UL, 1 },
		{ ~0UL, MOCK_PAGES },
		{ 1, ~0UL >> PAGE_SHIFT },
	};
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	struct vm_area_struct vma = {};
	struct file *file;
	unsigned int i;

	if (!dmabuf)
		return;
	file = dmabuf->file;
	ST_CHECK(t, dma_buf_mmap(NULL, &vma, 0) == -EINVAL, "no buffer");
	ST_CHECK(t, dma_buf_mmap(dmabuf, NULL, 0) == -EINVAL, "nowhere");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		vma.vm_end = bad[i].pages << PAGE_SHIFT;
		vma.vm_pgoff = bad[i].pgoff;
		ST_CHECK(t, file->f_op->mmap(file, &vma) == -EINVAL,
			 "range %u of the file", i);
		vma.vm_pgoff = 0;
		ST_CHECK(t, dma_buf_mmap(dmabuf, &vma, bad[i].pgoff) == -EINVAL,
			 "range %u", i);
	}

	vma.vm_end = PAGE_SIZE;
	vma.vm_pgoff = 1;
	mock.mmap_error = -EAGAIN;
	vma.vm_flags = VM_READ;
	ST_CHECK(t, file->f_op->mmap(file, &vma) == -EINVAL, "private, of the file");
	ST_CHECK(t, dma_buf_mmap(dmabuf, &vma, 1) == -EINVAL, "private");
	vma.vm_flags = VM_READ | VM_MAYSHARE;
	ST_CHECK(t, file->f_op->mmap(file, &vma) == -EAGAIN,
		 "the exporter's errno is lost");
	vma.vm_pgoff = 7;
	vma.vm_file = file;
	vma.vm_flags = VM_READ | VM_MAYSHARE;
	mock.vma = NULL;
	ST_CHECK(t, dma_buf_mmap(dmabuf, &vma, 1) == -EAGAIN,
		 "the exporter's errno is lost");
	ST_CHECK(t, mock.vma == &vma, "the exporter was not asked");
	ST_CHECK(t, vma.vm_file == file && vma.vm_pgoff == 7 &&
		 vma.vm_flags == (VM_READ | VM_MAYSHARE), "the vma was changed");
	ST_CHECK(t, file_count(file) == 1, "%ld references", file_count(file));
	st_end(t, dmabuf);
}

/* Map two pages of a file; does the process see page @page_num first? */
static unsigned long st_look(struct st *t, struct file *file,
			     unsigned long pgoff, unsigned long page_num)
{
	unsigned long addr;
	char seen[2] = {};

	addr = st_map_user(file, 2 * PAGE_SIZE, pgoff);
	if (!ST_CHECK(t, !IS_ERR_VALUE(addr), "mmap: %ld", addr))
		return 0;
	ST_CHECK(t, !copy_from_user(&seen[0], (void __user *)addr, 1) &&
		 !copy_from_user(&seen[1], (void __user *)(addr + PAGE_SIZE), 1),
		 "cannot be read");
	ST_CHECK(t, seen[0] == 'a' + page_num && seen[1] == seen[0] + 1,
		 "the process sees %02x %02x", seen[0], seen[1]);
	return addr;
}

CMA_SELFTEST(st_buf_mmap, "a mapping holds a reference and does not grow")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	unsigned long addr;

	if (!dmabuf)
		return;
	st_fill();
	addr = st_look(t, dmabuf->file, 2, 2);
	if (addr) {
		ST_CHECK(t, mock.vma->vm_flags & VM_DONTEXPAND, "it can grow");
		ST_CHECK(t, file_count(dmabuf->file) == 2, "%ld references",
			 file_count(dmabuf->file));
		dma_buf_put(dmabuf);
		ST_CHECK(t, !atomic_read(&mock.released), "released too early");
		get_dma_buf(dmabuf);
		st_unmap_user(addr, 2 * PAGE_SIZE);
	}
	ST_CHECK(t, file_count(dmabuf->file) == 1, "%ld references",
		 file_count(dmabuf->file));
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_driver_mmap, "a mapping of an importing driver becomes the buffer's")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	unsigned long addr;
	struct file *file;

	if (!dmabuf)
		return;
	st_fill();
	file = anon_inode_getfile("st", &st_driver_fops, dmabuf, O_RDWR);
	if (!ST_CHECK(t, !IS_ERR(file), "no file: %ld", PTR_ERR(file)))
		return;
	addr = st_look(t, file, 0, 1);
	if (addr) {
		ST_CHECK(t, mock.vma->vm_file == dmabuf->file &&
			 mock.pgoff == 1, "it is not the buffer's");
		ST_CHECK(t, mock.vma->vm_flags & VM_DONTEXPAND, "it can grow");
		ST_CHECK(t, file_count(file) == 1,
			 "the driver's file has %ld references", file_count(file));
		ST_CHECK(t, file_count(dmabuf->file) == 2, "%ld references",
			 file_count(dmabuf->file));
		st_unmap_user(addr, 2 * PAGE_SIZE);
	}
	mock.mmap_error = -EAGAIN;
	addr = st_map_user(file, PAGE_SIZE, 0);
	ST_CHECK(t, addr == (unsigned long)-EAGAIN, "%ld", addr);
	ST_CHECK(t, file_count(file) == 1 && file_count(dmabuf->file) == 1,
		 "%ld and %ld references", file_count(file),
		 file_count(dmabuf->file));
	fput(file);
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_sync, "sync from user space is CPU access to all of the buffer")
{
	static const struct {
		u64 flags;
		int dir;
	} calls[] = {
		{ DMA_BUF_SYNC_READ, DMA_FROM_DEVICE },
		{ DMA_BUF_SYNC_WRITE, DMA_TO_DEVICE },
		{ DMA_BUF_SYNC_RW, DMA_BIDIRECTIONAL },
		{ 0, -EINVAL },
		{ DMA_BUF_SYNC_READ | 8, -EINVAL },
		{ DMA_BUF_SYNC_READ | 1ULL << 32, -EINVAL },
		{ 1ULL << 63, -EINVAL },
	};
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	unsigned int i, end;

	if (!dmabuf)
		return;
	for (i = 0; i < ARRAY_SIZE(calls) * 2; i++) {
		int dir = calls[i / 2].dir;
		struct dma_buf_sync sync = { calls[i / 2].flags };
		long ret;

		end = i % 2;
		if (end)
			sync.flags |= DMA_BUF_SYNC_END;
		mock.dir = DMA_NONE;
		ret = st_ioctl(dmabuf->file, DMA_BUF_IOCTL_SYNC, &sync);
		ST_CHECK(t, ret == min(dir, 0), "%#llx: %ld", sync.flags, ret);
		if (dir < 0)
			dir = DMA_NONE;
		ST_CHECK(t, mock.dir == dir && mock.start == 0 &&
			 mock.len == MOCK_SIZE, "%#llx: direction %d, %zu+%zu",
			 sync.flags, mock.dir, mock.start, mock.len);
		ST_CHECK(t, atomic_read(&mock.accesses) ==
			 (dir != DMA_NONE && !end), "%#llx: begin and end differ",
			 sync.flags);
	}
	mock.begin_error = -EIO;
	ST_CHECK(t, st_ioctl(dmabuf->file, DMA_BUF_IOCTL_SYNC, &(struct dma_buf_sync){
			     DMA_BUF_SYNC_WRITE }) == -EIO,
		 "the exporter's errno is lost");
	st_end(t, dmabuf);
}

CMA_SELFTEST(st_buf_user, "lseek and names work as user space expects")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);

	if (!dmabuf)
		return;
	ST_CHECK(t, vfs_llseek(dmabuf->file, 0, SEEK_END) == MOCK_SIZE, "size");
	ST_CHECK(t, vfs_llseek(dmabuf->file, 0, SEEK_SET) == 0, "begin");
	ST_CHECK(t, vfs_llseek(dmabuf->file, 1, SEEK_SET) == -EINVAL, "offset");
	ST_CHECK(t, vfs_llseek(dmabuf->file, -1, SEEK_END) == -EINVAL, "offset");
	ST_CHECK(t, vfs_llseek(dmabuf->file, 0, SEEK_CUR) == -EINVAL, "whence");

	ST_CHECK(t, !st_ioctl(dmabuf->file, DMA_BUF_SET_NAME, "first"), "name");
	ST_CHECK(t, !st_ioctl(dmabuf->file, DMA_BUF_SET_NAME_B, "second"), "name");
	ST_CHECK(t, !strcmp(dmabuf->name, "second"), "another name");
	ST_CHECK(t, st_ioctl(dmabuf->file, DMA_BUF_SET_NAME,
			     "a name of more than thirty-one bytes") == -EINVAL,
		 "a name that is too long");
	ST_CHECK(t, !strcmp(dmabuf->name, "second"), "the name is lost");
	ST_CHECK(t, st_ioctl(dmabuf->file, _IO('b', 77), NULL) == -ENOTTY, "-ENOTTY");
	st_end(t, dmabuf);
}

#define ST_BUFINFO	"/sys/kernel/debug/dma_buf/bufinfo"

/* The part of bufinfo from our buffer on. */
struct st_bufinfo {
	char text[PAGE_SIZE];
	const char *line;
	struct completion done;
};

static void st_bufinfo_read(struct st_bufinfo *info)
{
	ssize_t len;

	info->line = NULL;
	memset(info->text, 0, sizeof(info->text));
	len = st_file(ST_BUFINFO, O_RDONLY, info->text, sizeof(info->text) - 1);
	if (len > 0)
		info->line = strstr(info->text, "\tmock\t");
	while (info->line && info->line > info->text && info->line[-1] != '\n')
		info->line--;
}

static int st_bufinfo_thread(void *data)
{
	struct st_bufinfo *info = data;

	st_bufinfo_read(info);
	complete_and_exit(&info->done, 0);
}

/*
 * Read it in a thread: the tests run in the read() of a file of the same kind,
 * whose lock is the same one to lockdep. The caller frees the result.
 */
static struct st_bufinfo *st_bufinfo(struct st *t)
{
	struct st_bufinfo *info = kzalloc(sizeof(*info), GFP_KERNEL);
	struct task_struct *task;

	if (!ST_CHECK(t, info, "no memory"))
		return NULL;
	init_completion(&info->done);
	task = kthread_run(st_bufinfo_thread, info, "st_bufinfo");
	if (ST_CHECK(t, !IS_ERR(task), "no thread: %ld", PTR_ERR(task)))
		wait_for_completion(&info->done);
	return info;
}

static void st_check_bufinfo(struct st *t, const char *line)
{
	unsigned int flags, mode;
	char name[64] = "";
	size_t size = 0;
	long count = 0;

	ST_CHECK(t, sscanf(line, "%zu %x %x %ld mock %*u %63s\n", &size, &flags,
			   &mode, &count, name) == 5,
		 "not understood: %.60s", line);
	ST_CHECK(t, size == MOCK_SIZE && count == 1 && !strcmp(name, "a_name"),
		 "%zu %ld %s", size, count, name);
	ST_CHECK(t, strstr(line, "\tst_importer.0\n") &&
		 strstr(line, "\tst_importer.1\n") &&
		 strstr(line, "Total 2 devices attached\n"), "devices");
}

CMA_SELFTEST(st_buf_bufinfo, "bufinfo shows size, exporter, name, count and devices")
{
	struct dma_buf *dmabuf = st_begin(t, MOCK_FIXED);
	struct dma_buf_attachment *attach[2];
	struct st_bufinfo *info;

	if (!dmabuf)
		return;
	attach[0] = st_attach(t, dmabuf, LENIENT);
	attach[1] = st_attach(t, dmabuf, STRICT);
	st_ioctl(dmabuf->file, DMA_BUF_SET_NAME, "a_name");
	info = st_bufinfo(t);
	if (info && ST_CHECK(t, info->line, "the buffer is not in " ST_BUFINFO))
		st_check_bufinfo(t, info->line);
	kfree(info);
	dma_buf_detach(dmabuf, attach[0]);
	dma_buf_detach(dmabuf, attach[1]);
	st_end(t, dmabuf);
	info = st_bufinfo(t);
	ST_CHECK(t, info && info->text[0] && !info->line,
		 "it is there after its end");
	kfree(info);
}

#define ST_RACE_THREADS	4

/* Threads that share a descriptor; each of them closes and replaces it. */
static struct st_race {
	struct completion done;
	atomic_t running, exported, released, used, busy, shown, bad;
	atomic_t fd;
	unsigned long end;	/* jiffies */
} st_race;

static void st_race_done(struct mock *mock)
{
	atomic_inc(&st_race.released);
	kfree(mock);
}

static void st_race_bad(const char *what, long error)
{
	atomic_inc(&st_race.bad);
	pr_err("st_race: %s: %ld\n", what, error);
}

static void st_race_replace(enum mock_kind kind)
{
	struct mock *mock = kmalloc(sizeof(*mock), GFP_KERNEL);
	struct dma_buf *dmabuf;
	int fd;

	if (!mock)
		return;
	dmabuf = mock_export(mock, kind);
	if (IS_ERR(dmabuf)) {
		st_race_bad("export", PTR_ERR(dmabuf));
		kfree(mock);
		return;
	}
	mock->done = st_race_done;
	atomic_inc(&st_race.exported);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		st_race_bad("fd", fd);
		dma_buf_put(dmabuf);
		return;
	}
	fd = atomic_xchg(&st_race.fd, fd);
	if (fd >= 0)
		sys_close(fd);
}

static void st_race_attached(struct dma_buf *dmabuf,
			     struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);

	if (sgt == ERR_PTR(-EBUSY)) {
		atomic_inc(&st_race.busy);
		return;
	}
	if (IS_ERR(sgt)) {
		st_race_bad("map", PTR_ERR(sgt));
		return;
	}
	if (dma_buf_begin_cpu_access(dmabuf, 0, MOCK_SIZE, DMA_TO_DEVICE))
		st_race_bad("begin", 0);
	dma_buf_end_cpu_access(dmabuf, 0, MOCK_SIZE, DMA_TO_DEVICE);
	dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	atomic_inc(&st_race.used);
}

static void st_race_use(enum st_importer which)
{
	struct dma_buf *dmabuf = dma_buf_get(atomic_read(&st_race.fd));
	struct dma_buf_attachment *attach;
	void *vaddr;

	if (dmabuf == ERR_PTR(-EBADF))
		return;
	if (IS_ERR(dmabuf)) {
		st_race_bad("get", PTR_ERR(dmabuf));
		return;
	}
	attach = dma_buf_attach(dmabuf, st_importer(which));
	if (IS_ERR(attach)) {
		st_race_bad("attach", PTR_ERR(attach));
	} else {
		st_race_attached(dmabuf, attach);
		dma_buf_detach(dmabuf, attach);
	}
	vaddr = dma_buf_vmap(dmabuf);
	if (vaddr)
		dma_buf_vunmap(dmabuf, vaddr);
	dma_buf_put(dmabuf);
}

static void st_race_look(void)
{
	struct st_bufinfo *info = kmalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return;
	st_bufinfo_read(info);
	if (info->line)
		atomic_inc(&st_race.shown);
	kfree(info);
}

static int st_race_thread(void *data)
{
	unsigned long number = (unsigned long)data;
	unsigned int i = number;

	while (time_before(jiffies, st_race.end)) {
		if (++i % 8 == 0)
			st_race_replace(i / 8 % 2 ? MOCK_FIXED : MOCK_MOVING);
		else
			st_race_use(number % NR_IMPORTERS);
		if (i % 64 == 0)
			st_race_look();
		cond_resched();
	}
	/* kernel threads share their descriptors, and this process has others */
	if (atomic_dec_and_test(&st_race.running))
		sys_close(atomic_xchg(&st_race.fd, -1));
	complete_and_exit(&st_race.done, 0);
}

/* Returns when all have ended. */
static void st_race_run(struct st *t)
{
	struct task_struct *task;
	unsigned long i, started = 0;

	memset(&st_race, 0, sizeof(st_race));
	init_completion(&st_race.done);
	atomic_set(&st_race.fd, -1);
	atomic_set(&st_race.running, ST_RACE_THREADS);
	st_race.end = jiffies + 5 * HZ;
	for (i = 0; i < ST_RACE_THREADS; i++) {
		task = kthread_create(st_race_thread, (void *)i, "st_race/%lu", i);
		if (!ST_CHECK(t, !IS_ERR(task), "no thread: %ld", PTR_ERR(task))) {
			atomic_dec(&st_race.running);
			continue;
		}
		kthread_bind(task, i % num_online_cpus());
		wake_up_process(task);
		started++;
	}
	while (started--)
		wait_for_completion(&st_race.done);
}

CMA_SELFTEST(st_buf_race, "four threads race get, put, attach, map, bufinfo and close")
{
	unsigned int before = module_refcount(THIS_MODULE);

	if (!st_add_importers(t))
		return;
	st_race_run(t);
	ST_CHECK(t, !atomic_read(&st_race.bad), "%d calls failed",
		 atomic_read(&st_race.bad));
	ST_CHECK(t, atomic_read(&st_race.exported) ==
		 atomic_read(&st_race.released), "%d buffers, %d released",
		 atomic_read(&st_race.exported), atomic_read(&st_race.released));
	ST_CHECK(t, atomic_read(&st_race.exported) > 100 &&
		 atomic_read(&st_race.used) > 1000 && atomic_read(&st_race.shown),
		 "there was no race");
	ST_CHECK(t, module_refcount(THIS_MODULE) == before,
		 "the module is held %u times, %u before",
		 module_refcount(THIS_MODULE), before);
	st_note(t, "%d buffers, used %d times, busy %d times, seen %d times",
		atomic_read(&st_race.exported), atomic_read(&st_race.used),
		atomic_read(&st_race.busy), atomic_read(&st_race.shown));
	st_remove_importers();
}

static void st_misuse_attached(struct st *t, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = st_attach(t, dmabuf, LENIENT);
	struct dma_buf_attachment wrong = { .dmabuf = NULL };
	struct sg_table *sgt;

	dma_buf_detach(dmabuf, NULL);
	dma_buf_detach(dmabuf, &wrong);
	dma_buf_detach(NULL, attach);
	ST_CHECK(t, st_count_attachments(dmabuf) == 1, "it was detached");
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	dma_buf_unmap_attachment(attach, ERR_PTR(-EBUSY), DMA_TO_DEVICE);
	dma_buf_unmap_attachment(NULL, sgt, DMA_TO_DEVICE);
	dma_buf_unmap_attachment(&wrong, sgt, DMA_TO_DEVICE);
	ST_CHECK(t, mock.nr_mapped == 1, "it was unmapped");
	dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
}

CMA_SELFTEST(st_buf_misuse, "calls that make no sense do nothing, with a warning")
{
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	void *vaddr;

	if (!misuse) {
		t->skipped = "only with misuse=1";
		return;
	}
	dmabuf = st_begin(t, MOCK_FIXED);
	if (!dmabuf)
		return;
	st_misuse_attached(t, dmabuf);
	dma_buf_put(NULL);
	dma_buf_end_cpu_access(dmabuf, 1, MOCK_SIZE, DMA_TO_DEVICE);
	ST_CHECK(t, !atomic_read(&mock.accesses), "the exporter ended an access");
	ST_CHECK(t, !dma_buf_vmap(NULL), "vmap of nothing");
	dma_buf_vunmap(NULL, NULL);
	dma_buf_vunmap(dmabuf, mock_address(&mock, 0));
	ST_CHECK(t, !dmabuf->nr_vmaps, "unmapped what was not mapped");
	vaddr = dma_buf_vmap(dmabuf);
	dma_buf_vunmap(dmabuf, vaddr + 1);
	ST_CHECK(t, dmabuf->nr_vmaps == 1, "unmapped something else");

	/* released while attached and vmapped */
	attach = st_attach(t, dmabuf, LENIENT);
	dma_buf_put(dmabuf);
	ST_CHECK(t, atomic_read(&mock.released) == 1, "not released");
	kfree(attach);
	st_remove_importers();
}
