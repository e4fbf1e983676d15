// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of shared buffers with an exporter that counts what it is asked for, and
 * fails when it is told to
 */
#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#include "st.h"

#define MOCK_SIZE	(3 * PAGE_SIZE + 100)

static struct mock {
	atomic_t attached, mapped, vmapped, released, cpu;
	int attach_error;		/* 0: works */
	struct sg_table *map_result;	/* NULL: no memory */
	void *vmap_result;
	bool lock_held;			/* of the core, while something was called */
	unsigned int others;		/* attachments seen while mapping */
} mock;

static struct sg_table mock_table;

static void mock_check_lock(struct dma_buf *dmabuf)
{
	if (!mutex_trylock(&dmabuf->lock))
		mock.lock_held = true;
	else
		mutex_unlock(&dmabuf->lock);
}

static int mock_attach(struct dma_buf *dmabuf, struct device *dev,
		       struct dma_buf_attachment *attach)
{
	mock_check_lock(dmabuf);
	if (mock.attach_error)
		return mock.attach_error;
	atomic_inc(&mock.attached);
	return 0;
}

static void mock_detach(struct dma_buf *dmabuf,
			struct dma_buf_attachment *attach)
{
	mock_check_lock(dmabuf);
	atomic_dec(&mock.attached);
}

static struct sg_table *mock_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	struct dma_buf_attachment *other;

	mock_check_lock(attach->dmabuf);
	mutex_lock(&attach->dmabuf->lock);
	mock.others = 0;
	list_for_each_entry(other, &attach->dmabuf->attachments, node)
		mock.others++;
	mutex_unlock(&attach->dmabuf->lock);

	if (!IS_ERR_OR_NULL(mock.map_result))
		atomic_inc(&mock.mapped);
	return mock.map_result;
}

static void mock_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	mock_check_lock(attach->dmabuf);
	atomic_dec(&mock.mapped);
}

static void mock_release(struct dma_buf *dmabuf)
{
	atomic_inc(&mock.released);
}

static int mock_begin(struct dma_buf *dmabuf, size_t start, size_t len,
		      enum dma_data_direction dir)
{
	atomic_inc(&mock.cpu);
	return dir == DMA_BIDIRECTIONAL ? -EIO : 0;
}

static void mock_end(struct dma_buf *dmabuf, size_t start, size_t len,
		     enum dma_data_direction dir)
{
	atomic_dec(&mock.cpu);
}

static void *mock_vmap(struct dma_buf *dmabuf)
{
	if (!IS_ERR_OR_NULL(mock.vmap_result))
		atomic_inc(&mock.vmapped);
	return mock.vmap_result;
}

static void mock_vunmap(struct dma_buf *dmabuf, void *vaddr)
{
	atomic_dec(&mock.vmapped);
}

static const struct dma_buf_ops mock_ops = {
	.attach			= mock_attach,
	.detach			= mock_detach,
	.map_dma_buf		= mock_map,
	.unmap_dma_buf		= mock_unmap,
	.release		= mock_release,
	.begin_cpu_access	= mock_begin,
	.end_cpu_access		= mock_end,
	.vmap			= mock_vmap,
	.vunmap			= mock_vunmap,
};

static struct dma_buf *mock_new(struct st *t)
{
	struct dma_buf *dmabuf;

	memset(&mock, 0, sizeof(mock));
	mock.map_result = &mock_table;
	mock.vmap_result = &mock;
	dmabuf = dma_buf_export(&mock, &mock_ops, MOCK_SIZE, O_RDWR);
	ST_CHECK(t, !IS_ERR(dmabuf), "export: %ld", PTR_ERR(dmabuf));
	return IS_ERR(dmabuf) ? NULL : dmabuf;
}

static void mock_check_gone(struct st *t)
{
	ST_CHECK(t, atomic_read(&mock.released) == 1, "released %d times",
		 atomic_read(&mock.released));
	ST_CHECK(t, !atomic_read(&mock.attached) && !atomic_read(&mock.mapped) &&
		 !atomic_read(&mock.vmapped), "something is left");
	ST_CHECK(t, !mock.lock_held, "the core held its lock");
}

CMA_SELFTEST(st_buf_export_bad, "a buffer without what it needs is refused")
{
	struct dma_buf_ops ops[3] = { mock_ops, mock_ops, mock_ops };
	unsigned int before = module_refcount(THIS_MODULE);
	int i;

	ops[0].map_dma_buf = NULL;
	ops[1].unmap_dma_buf = NULL;
	ops[2].release = NULL;
	for (i = 0; i < 3; i++)
		ST_CHECK(t, dma_buf_export(&mock, &ops[i], 1, 0) ==
			 ERR_PTR(-EINVAL), "operation %d is missing", i);
	ST_CHECK(t, dma_buf_export(&mock, NULL, 1, 0) == ERR_PTR(-EINVAL),
		 "no operations");
	ST_CHECK(t, dma_buf_export(NULL, &mock_ops, 1, 0) == ERR_PTR(-EINVAL),
		 "nothing of the exporter's");
	ST_CHECK(t, dma_buf_export(&mock, &mock_ops, 0, 0) == ERR_PTR(-EINVAL),
		 "no size");
	ST_CHECK(t, module_refcount(THIS_MODULE) == before,
		 "the module is held %u times, %u before",
		 module_refcount(THIS_MODULE), before);
}

CMA_SELFTEST(st_buf_references, "a buffer lives as long as its last reference")
{
	unsigned int before = module_refcount(THIS_MODULE);
	struct dma_buf *dmabuf = mock_new(t);
	int fd;

	if (!dmabuf)
		return;
	ST_CHECK(t, module_refcount(THIS_MODULE) == before + 1,
		 "the exporter can go");
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (!ST_CHECK(t, fd >= 0, "no descriptor: %d", fd))
		return;
	ST_CHECK(t, dma_buf_get(fd) == dmabuf, "another buffer");
	sys_close(fd);
	ST_CHECK(t, !atomic_read(&mock.released), "released too early");
	ST_CHECK(t, dma_buf_get(fd) == ERR_PTR(-EBADF), "a closed descriptor");
	get_dma_buf(dmabuf);
	dma_buf_put(dmabuf);
	ST_CHECK(t, !atomic_read(&mock.released), "released too early");
	dma_buf_put(dmabuf);
	mock_check_gone(t);
	ST_CHECK(t, module_refcount(THIS_MODULE) == before,
		 "the exporter is held for ever");
}

static const struct file_operations st_other_fops = {
	.llseek = noop_llseek,
};

CMA_SELFTEST(st_buf_bad_fd, "a descriptor of something else is refused")
{
	int fd = anon_inode_getfd("st", &st_other_fops, NULL, 0);

	ST_CHECK(t, dma_buf_get(-1) == ERR_PTR(-EBADF), "-1");
	ST_CHECK(t, dma_buf_get(fd) == ERR_PTR(-EINVAL), "another file");
	ST_CHECK(t, dma_buf_fd(NULL, 0) == -EINVAL, "no buffer");
	sys_close(fd);
}

CMA_SELFTEST(st_buf_attach, "what the exporter says to an attach is passed on")
{
	struct device *dev = st_device(ST_DEFAULT);
	struct dma_buf *dmabuf = mock_new(t);
	struct dma_buf_attachment *attach;

	if (!dmabuf)
		return;
	mock.attach_error = -EPERM;
	ST_CHECK(t, dma_buf_attach(dmabuf, dev) == ERR_PTR(-EPERM), "-EPERM");
	ST_CHECK(t, list_empty(&dmabuf->attachments), "attached all the same");
	mock.attach_error = 0;
	ST_CHECK(t, dma_buf_attach(dmabuf, NULL) == ERR_PTR(-EINVAL), "no device");
	ST_CHECK(t, dma_buf_attach(NULL, dev) == ERR_PTR(-EINVAL), "no buffer");

	attach = dma_buf_attach(dmabuf, dev);
	if (ST_CHECK(t, !IS_ERR(attach), "attach: %ld", PTR_ERR(attach))) {
		ST_CHECK(t, attach->dev == dev && attach->dmabuf == dmabuf,
			 "wrong device or buffer");
		dma_buf_detach(dmabuf, attach);
	}
	dma_buf_put(dmabuf);
	mock_check_gone(t);
}

CMA_SELFTEST(st_buf_map, "map gives a table or an errno, and never NULL")
{
	struct dma_buf *dmabuf = mock_new(t);
	struct dma_buf_attachment *attach[2];
	struct sg_table *sgt;

	if (!dmabuf)
		return;
	attach[0] = dma_buf_attach(dmabuf, st_device(ST_DEFAULT));
	attach[1] = dma_buf_attach(dmabuf, st_device(ST_PRIVATE_1));
	sgt = dma_buf_map_attachment(attach[0], DMA_TO_DEVICE);
	ST_CHECK(t, sgt == &mock_table, "not the exporter's table");
	ST_CHECK(t, mock.others == 2, "the exporter sees %u attachments",
		 mock.others);
	dma_buf_unmap_attachment(attach[0], sgt, DMA_TO_DEVICE);

	ST_CHECK(t, dma_buf_map_attachment(attach[0], DMA_NONE) ==
		 ERR_PTR(-EINVAL), "no direction");
	ST_CHECK(t, dma_buf_map_attachment(NULL, DMA_TO_DEVICE) ==
		 ERR_PTR(-EINVAL), "no attachment");
	mock.map_result = NULL;
	ST_CHECK(t, dma_buf_map_attachment(attach[1], DMA_TO_DEVICE) ==
		 ERR_PTR(-ENOMEM), "NULL");
	mock.map_result = ERR_PTR(-ENXIO);
	ST_CHECK(t, dma_buf_map_attachment(attach[1], DMA_TO_DEVICE) ==
		 ERR_PTR(-ENXIO), "-ENXIO");
	dma_buf_detach(dmabuf, attach[0]);
	dma_buf_detach(dmabuf, attach[1]);
	dma_buf_put(dmabuf);
	mock_check_gone(t);
}

CMA_SELFTEST(st_buf_vmap, "there is one mapping however often it is asked for")
{
	struct dma_buf *dmabuf = mock_new(t);

	if (!dmabuf)
		return;
	ST_CHECK(t, dma_buf_vmap(dmabuf) == &mock, "first");
	ST_CHECK(t, dma_buf_vmap(dmabuf) == &mock, "second");
	ST_CHECK(t, atomic_read(&mock.vmapped) == 1, "mapped %d times",
		 atomic_read(&mock.vmapped));
	dma_buf_vunmap(dmabuf, &mock);
	ST_CHECK(t, atomic_read(&mock.vmapped) == 1, "unmapped too early");
	dma_buf_vunmap(dmabuf, &mock);
	ST_CHECK(t, !atomic_read(&mock.vmapped), "not unmapped");
	mock.vmap_result = NULL;
	ST_CHECK(t, !dma_buf_vmap(dmabuf), "NULL");
	mock.vmap_result = ERR_PTR(-ENOMEM);
	ST_CHECK(t, !dma_buf_vmap(dmabuf), "-ENOMEM");
	ST_CHECK(t, !dma_buf_kmap(dmabuf, 0), "an exporter that has no kmap");
	dma_buf_put(dmabuf);
	mock_check_gone(t);
}

CMA_SELFTEST(st_buf_cpu, "CPU access outside of the buffer is refused")
{
	static const struct {
		size_t start, len;
		int dir, ret;
	} calls[] = {
		{ 0, MOCK_SIZE, DMA_FROM_DEVICE, 0 },
		{ MOCK_SIZE, 0, DMA_FROM_DEVICE, 0 },
		{ 0, MOCK_SIZE, DMA_BIDIRECTIONAL, -EIO },
		{ 0, MOCK_SIZE + 1, DMA_FROM_DEVICE, -EINVAL },
		{ MOCK_SIZE, 1, DMA_FROM_DEVICE, -EINVAL },
		{ 1, ~(size_t)0, DMA_FROM_DEVICE, -EINVAL },
		{ 0, 1, DMA_NONE, -EINVAL },
	};
	struct dma_buf *dmabuf = mock_new(t);
	unsigned int i;
	int ret;

	if (!dmabuf)
		return;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		ret = dma_buf_begin_cpu_access(dmabuf, calls[i].start,
					       calls[i].len, calls[i].dir);
		ST_CHECK(t, ret == calls[i].ret, "call %u: %d, not %d", i, ret,
			 calls[i].ret);
		if (!ret)
			dma_buf_end_cpu_access(dmabuf, calls[i].start,
					       calls[i].len, calls[i].dir);
	}
	dma_buf_put(dmabuf);
	mock_check_gone(t);
}

static long st_ioctl(struct dma_buf *dmabuf, unsigned int cmd, void *arg)
{
	mm_segment_t fs = get_fs();
	long ret;

	set_fs(KERNEL_DS);
	ret = dmabuf->file->f_op->unlocked_ioctl(dmabuf->file, cmd,
						 (unsigned long)arg);
	set_fs(fs);
	return ret;
}

CMA_SELFTEST(st_buf_user, "lseek, sync and names do what user space knows")
{
	struct dma_buf_sync sync = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	struct dma_buf *dmabuf = mock_new(t);

	if (!dmabuf)
		return;
	ST_CHECK(t, vfs_llseek(dmabuf->file, 0, SEEK_END) == MOCK_SIZE, "size");
	ST_CHECK(t, vfs_llseek(dmabuf->file, 0, SEEK_SET) == 0, "begin");
	ST_CHECK(t, vfs_llseek(dmabuf->file, 1, SEEK_SET) == -EINVAL, "offset");
	ST_CHECK(t, vfs_llseek(dmabuf->file, 0, SEEK_CUR) == -EINVAL, "whence");

	ST_CHECK(t, !st_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync), "start");
	sync.flags |= DMA_BUF_SYNC_END;
	ST_CHECK(t, !st_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync), "end");
	ST_CHECK(t, !atomic_read(&mock.cpu), "begin and end differ");
	sync.flags = DMA_BUF_SYNC_RW;
	ST_CHECK(t, st_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync) == -EIO,
		 "the exporter's errno is lost");
	sync.flags = DMA_BUF_SYNC_START;
	ST_CHECK(t, st_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync) == -EINVAL,
		 "no direction");
	sync.flags = DMA_BUF_SYNC_READ | 1ULL << 32;
	ST_CHECK(t, st_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync) == -EINVAL,
		 "an unknown flag");

	ST_CHECK(t, !st_ioctl(dmabuf, DMA_BUF_SET_NAME, "first"), "name");
	ST_CHECK(t, !st_ioctl(dmabuf, DMA_BUF_SET_NAME_B, "second"), "name");
	ST_CHECK(t, !strcmp(dmabuf->name, "second"), "another name");
	ST_CHECK(t, st_ioctl(dmabuf, DMA_BUF_SET_NAME,
			     "a name of more than thirty-one bytes") == -EINVAL,
		 "a name that is too long");
	ST_CHECK(t, st_ioctl(dmabuf, _IO('b', 77), NULL) == -ENOTTY, "-ENOTTY");
	dma_buf_put(dmabuf);
	mock_check_gone(t);
}

static atomic_t st_race_left, st_race_bad;
static int st_race_fd;

/* A device comes and goes as fast as it can */
static int st_race_thread(void *data)
{
	struct dma_buf *dmabuf = data;
	unsigned long end = jiffies + 2 * HZ;

	while (time_before(jiffies, end)) {
		struct dma_buf_attachment *attach;
		struct sg_table *sgt;

		get_dma_buf(dmabuf);
		attach = dma_buf_attach(dmabuf, st_device(ST_DEFAULT));
		sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
		if (IS_ERR(attach) || IS_ERR(sgt) || !dma_buf_vmap(dmabuf)) {
			atomic_inc(&st_race_bad);
			break;
		}
		dma_buf_vunmap(dmabuf, &mock);
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
		cond_resched();
	}
	dma_buf_put(dmabuf);
	atomic_dec(&st_race_left);
	return 0;
}

CMA_SELFTEST(st_buf_race, "a thread on each CPU comes and goes, and the last one closes")
{
	struct dma_buf *dmabuf = mock_new(t);
	struct task_struct *task;
	int cpu;

	if (!dmabuf)
		return;
	st_race_fd = dma_buf_fd(dmabuf, 0);
	atomic_set(&st_race_bad, 0);
	atomic_set(&st_race_left, 0);
	for_each_online_cpu(cpu) {
		task = kthread_create(st_race_thread, dmabuf, "st_race/%d", cpu);
		if (!ST_CHECK(t, !IS_ERR(task), "no thread"))
			break;
		kthread_bind(task, cpu);
		get_dma_buf(dmabuf);
		atomic_inc(&st_race_left);
		wake_up_process(task);
	}
	sys_close(st_race_fd);
	while (atomic_read(&st_race_left))
		msleep(20);
	msleep(20);
	ST_CHECK(t, !atomic_read(&st_race_bad), "%d calls failed",
		 atomic_read(&st_race_bad));
	/* whoever held it here was another thread */
	mock.lock_held = false;
	mock_check_gone(t);
}
