// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of videobuf2 for cases that no driver here has: buffers of two planes,
 * memory that belongs to a device, exporters that fail
 */
#ifdef CONFIG_VIDEOBUF2_DMA_CONTIG
#include <linux/fs.h>	/* v3.0's anon_inodes.h needs struct file_operations */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/slab.h>
#include <linux/syscalls.h>

#include <media/videobuf2-core.h>
#include <media/videobuf2-dma-contig.h>

#include "cma_pdev.h"
#include "mock_exporter.h"
#include "selftest.h"
#include "dmabuf.h"

#define ST_PLANES	2
#define ST_PLANE_SIZE	(3 * PAGE_SIZE)	/* less than MOCK_SIZE */

/* The SRAM of the vexpress board, which is otherwise unused */
#define ST_SRAM		0x48000000
#define ST_SRAM_SIZE	(64 * 1024)

/* A queue of two planes, its device, and a shared buffer for each plane. */
static struct st_vb2 {
	struct platform_device *pdev;
	void *ctx;
	struct vb2_queue q;
	struct vb2_buffer *queued;	/* that the driver got last */
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct mock mocks[ST_PLANES + 1];
	int fds[ST_PLANES + 1];
} vb2;

#ifdef V4L2_BUF_FLAG_NO_CACHE_CLEAN	/* since v3.2 */
static int st_queue_setup(struct vb2_queue *q, const struct v4l2_format *format,
			  unsigned int *nr_buffers, unsigned int *nr_planes,
			  unsigned int sizes[], void *ctxs[])
#else
static int st_queue_setup(struct vb2_queue *q, unsigned int *nr_buffers,
			  unsigned int *nr_planes, unsigned long sizes[],
			  void *ctxs[])
#endif
{
	int i;

	*nr_planes = ST_PLANES;
	for (i = 0; i < ST_PLANES; i++) {
		sizes[i] = ST_PLANE_SIZE;
		ctxs[i] = vb2.ctx;
	}
	return 0;
}

static void st_buf_queue(struct vb2_buffer *vb)
{
	vb2.queued = vb;
}

static const struct vb2_ops st_vb2_ops = {
	.queue_setup	= st_queue_setup,
	.buf_queue	= st_buf_queue,
};

static void st_vb2_end(void)
{
	int i;

	vb2_queue_release(&vb2.q);
	for (i = 0; i < ARRAY_SIZE(vb2.fds); i++)
		if (vb2.fds[i] >= 0)
			sys_close(vb2.fds[i]);
	vb2_dma_contig_cleanup_ctx(vb2.ctx);
	platform_device_unregister(vb2.pdev);
}

static bool st_vb2_begin(struct st *t)
{
	int i;

	memset(&vb2, 0, sizeof(vb2));
	vb2.pdev = cma_pdev_register("st_vb2", -1);
	if (!ST_CHECK(t, !IS_ERR(vb2.pdev), "no device"))
		return false;
	vb2.ctx = vb2_dma_contig_init_ctx(&vb2.pdev->dev);
	vb2.q.type = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
	vb2.q.io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	vb2.q.ops = &st_vb2_ops;
	vb2.q.mem_ops = &vb2_dma_contig_memops;
	vb2_queue_init(&vb2.q);

	for (i = 0; i < ARRAY_SIZE(vb2.fds); i++) {
		struct dma_buf *dbuf = mock_export(&vb2.mocks[i], MOCK_FIXED);

		vb2.fds[i] = IS_ERR(dbuf) ? -1 : dma_buf_fd(dbuf, O_CLOEXEC);
		if (!ST_CHECK(t, vb2.fds[i] >= 0, "no shared buffer")) {
			st_vb2_end();
			return false;
		}
	}
	return true;
}

static int st_request(enum v4l2_memory memory)
{
	struct v4l2_requestbuffers req = {
		.count = 2, .type = vb2.q.type, .memory = memory,
	};

	return vb2_reqbufs(&vb2.q, &req);
}

/* The argument of an ioctl about the first buffer */
static struct v4l2_buffer st_buffer(void)
{
	return (struct v4l2_buffer){
		.type = vb2.q.type, .memory = vb2.q.memory,
		.m.planes = vb2.planes, .length = VIDEO_MAX_PLANES,
	};
}

/* Queue the first buffer with these two descriptors. */
static int st_queue(int first, int second)
{
	struct v4l2_buffer b = st_buffer();

	memset(vb2.planes, 0, sizeof(vb2.planes));
	vb2.planes[0].m.fd = first;
	vb2.planes[1].m.fd = second;
	return vb2_qbuf(&vb2.q, &b);
}

/* Is the shared buffer attached to the device, and mapped? */
static void st_check_mock(struct st *t, int i, int attached, int mapped)
{
	struct mock *mock = &vb2.mocks[i];

	ST_CHECK(t, atomic_read(&mock->attached) == attached,
		 "buffer %d: %d attachments", i, atomic_read(&mock->attached));
	ST_CHECK(t, mock->nr_mapped == mapped, "buffer %d: mapped %u times", i,
		 mock->nr_mapped);
}

/* QUERYBUF's values for the planes */
static void st_check_planes(struct st *t, int first, int second, __u32 length)
{
	struct v4l2_buffer b = st_buffer();
	int ret = vb2_querybuf(&vb2.q, &b);

	ST_CHECK(t, !ret && b.length == ST_PLANES, "%d, %u planes", ret, b.length);
	ST_CHECK(t, vb2.planes[0].m.fd == first && vb2.planes[1].m.fd == second,
		 "descriptors %d and %d", vb2.planes[0].m.fd, vb2.planes[1].m.fd);
	ST_CHECK(t, vb2.planes[0].length == length &&
		 vb2.planes[1].length == length, "%u and %u bytes",
		 vb2.planes[0].length, vb2.planes[1].length);
}

CMA_SELFTEST(st_vb2_planes, "each plane of a video buffer has a shared buffer")
{
	struct v4l2_buffer b;
	int ret;

	if (!st_vb2_begin(t))
		return;
	ret = st_request(V4L2_MEMORY_DMABUF);
	ST_CHECK(t, !ret, "REQBUFS: %d", ret);
	st_check_planes(t, 0, 0, ST_PLANE_SIZE);
	ret = st_queue(vb2.fds[0], vb2.fds[1]);
	ST_CHECK(t, !ret, "QBUF: %d", ret);
	st_check_mock(t, 0, 1, 1);
	st_check_mock(t, 1, 1, 1);
	st_check_planes(t, vb2.fds[0], vb2.fds[1], MOCK_SIZE);

	ret = vb2_streamon(&vb2.q, vb2.q.type);
	if (ST_CHECK(t, !ret && vb2.queued, "STREAMON: %d", ret))
		vb2_buffer_done(vb2.queued, VB2_BUF_STATE_DONE);
	b = st_buffer();
	ret = vb2_dqbuf(&vb2.q, &b, true);
	ST_CHECK(t, !ret, "DQBUF: %d", ret);
	st_check_mock(t, 0, 1, 0);
	st_check_mock(t, 1, 1, 0);

	/* another buffer for the second plane; the first one stays */
	ret = st_queue(vb2.fds[0], vb2.fds[2]);
	ST_CHECK(t, !ret, "QBUF: %d", ret);
	st_check_mock(t, 0, 1, 1);
	st_check_mock(t, 1, 0, 0);
	st_check_mock(t, 2, 1, 1);
	vb2_streamoff(&vb2.q, vb2.q.type);
	st_check_mock(t, 2, 1, 0);
	vb2_queue_release(&vb2.q);
	st_check_mock(t, 0, 0, 0);
	st_check_mock(t, 2, 0, 0);
	st_vb2_end();
}

/* QBUF fails with the second plane: the first one is released. */
static void st_check_refused(struct st *t, int fd, int error, const char *why)
{
	int ret = st_queue(vb2.fds[0], fd);

	ST_CHECK(t, ret == error, "%s: %d", why, ret);
	st_check_mock(t, 0, 0, 0);
	st_check_mock(t, 1, 0, 0);
	st_check_planes(t, 0, 0, ST_PLANE_SIZE);
}

CMA_SELFTEST(st_vb2_half, "a video buffer gets shared buffers for all planes or for none")
{
	struct mock *mock = &vb2.mocks[1];

	if (!st_vb2_begin(t))
		return;
	st_request(V4L2_MEMORY_DMABUF);
	st_check_refused(t, -1, -EINVAL, "no descriptor");
	mock->attach_error = -E2BIG;
	st_check_refused(t, vb2.fds[1], -E2BIG, "attach");
	mock->attach_error = -ERANGE;
	st_check_refused(t, vb2.fds[1], -ERANGE, "attach");
	mock->attach_error = 0;
	mock->map_error = -EBUSY;
	st_check_refused(t, vb2.fds[1], -EBUSY, "map");
	mock->map_error = 0;
	ST_CHECK(t, !st_queue(vb2.fds[0], vb2.fds[1]), "nothing is wrong now");
	st_vb2_end();
}

/* Queue two good buffers; the second one has these bytes */
static int st_queue_bytes(__u32 length, __u32 bytesused, __u32 data_offset)
{
	struct v4l2_buffer b = st_buffer();

	memset(vb2.planes, 0, sizeof(vb2.planes));
	vb2.planes[0].m.fd = vb2.fds[0];
	vb2.planes[1].m.fd = vb2.fds[1];
	vb2.planes[1].length = length;
	vb2.planes[1].bytesused = bytesused;
	vb2.planes[1].data_offset = data_offset;
	return vb2_qbuf(&vb2.q, &b);
}

CMA_SELFTEST(st_vb2_bytes, "the bytes of a plane must be inside of its buffer")
{
	static const struct {
		__u32 length, bytesused, data_offset;
		int error;
	} bad[] = {
		{ MOCK_SIZE + 1, 0, 0, -EFAULT },
		{ ST_PLANE_SIZE - 1, 0, 0, -EINVAL },
		{ ST_PLANE_SIZE, 0, 1, -EINVAL },
		{ MOCK_SIZE, 0, MOCK_SIZE - ST_PLANE_SIZE + 1, -EINVAL },
		{ MOCK_SIZE, 0, -1, -EINVAL },
		{ ST_PLANE_SIZE, ST_PLANE_SIZE + 1, 0, -EINVAL },
		{ MOCK_SIZE, 10, 10, -EINVAL },
	};
	int i, ret;

	if (!st_vb2_begin(t))
		return;
	st_request(V4L2_MEMORY_DMABUF);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = st_queue_bytes(bad[i].length, bad[i].bytesused,
				     bad[i].data_offset);
		ST_CHECK(t, ret == bad[i].error, "case %d: %d", i, ret);
		st_check_mock(t, 0, 0, 0);
	}
	ret = st_queue_bytes(MOCK_SIZE, 11, 10);
	ST_CHECK(t, !ret, "good: %d", ret);
	st_vb2_end();
}

CMA_SELFTEST(st_vb2_address, "a video buffer has an address while the CPU may use it")
{
	struct vb2_buffer *vb;

	if (!st_vb2_begin(t))
		return;
	vb2.mocks[1].begin_error = -EIO;
	st_request(V4L2_MEMORY_DMABUF);
	ST_CHECK(t, !st_queue(vb2.fds[0], vb2.fds[1]), "QBUF");
	vb = vb2.q.bufs[0];
	ST_CHECK(t, vb2_plane_vaddr(vb, 0) == mock_address(&vb2.mocks[0], 0),
		 "another address");
	ST_CHECK(t, atomic_read(&vb2.mocks[0].accesses) == 1, "no access");
	ST_CHECK(t, !vb2_plane_vaddr(vb, 1), "an address without access");
	vb2_streamon(&vb2.q, vb2.q.type);
	vb2_streamoff(&vb2.q, vb2.q.type);
	ST_CHECK(t, !atomic_read(&vb2.mocks[0].accesses), "the access did not end");
	ST_CHECK(t, !vb2_plane_vaddr(vb, 0), "an address that is not queued");
	st_vb2_end();
}

CMA_SELFTEST(st_vb2_parms, "the device of a queue keeps its limits")
{
	struct device *dev;

	if (!st_vb2_begin(t))
		return;
	dev = &vb2.pdev->dev;
	ST_CHECK(t, !dev->dma_parms, "it has parameters");
	ST_CHECK(t, list_empty(&dev->devres_head),
		 "it has a resource that no driver gave it");
	ST_CHECK(t, !dma_get_max_seg_count(dev), "%u segments",
		 dma_get_max_seg_count(dev));
	st_vb2_end();
}

/* Put a buffer of the system heap in the place of the first one */
static bool st_use_heap(struct st *t)
{
	int fd = st_heap_fd(t, "/dev/dma_heap/system", ST_PLANE_SIZE);

	if (fd < 0)
		return false;
	sys_close(vb2.fds[0]);
	vb2.fds[0] = fd;
	return true;
}

CMA_SELFTEST(st_vb2_segment, "a queue requires one segment of an exporter, of any size")
{
	struct device_dma_parameters parms = {
		.max_segment_size = PAGE_SIZE,
		.segment_boundary_mask = DMA_BIT_MASK(32),
	};
	int ret;

	if (!st_vb2_begin(t))
		return;
	/* for what else the device does */
	vb2.pdev->dev.dma_parms = &parms;
	if (st_use_heap(t)) {
		st_request(V4L2_MEMORY_DMABUF);
		ret = st_queue(vb2.fds[0], vb2.fds[1]);
		ST_CHECK(t, !ret, "QBUF: %d", ret);
		vb2_queue_release(&vb2.q);
	}
	vb2.pdev->dev.dma_parms = NULL;
	st_vb2_end();
}

/* Memory that a driver maps into a process: contiguous, except for the last page */
#define ST_USER_PAGES	8
#define ST_USER_SIZE	(ST_USER_PAGES * PAGE_SIZE)

static struct st_user {
	void *mem, *last;
	struct file *file;
	unsigned long addr;
	struct vm_area_struct *vmas[ST_USER_PAGES];	/* open */
	bool released;
	bool late;	/* closed after that */
	bool unknown;	/* closed without having been opened */
} user;

static bool st_user_replace(struct vm_area_struct *old,
			    struct vm_area_struct *new)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(user.vmas); i++) {
		if (user.vmas[i] == old) {
			user.vmas[i] = new;
			return true;
		}
	}
	return false;
}

static void st_user_open(struct vm_area_struct *vma)
{
	st_user_replace(NULL, vma);
}

static void st_user_close(struct vm_area_struct *vma)
{
	user.late |= user.released;
	user.unknown |= !st_user_replace(vma, NULL);
}

static const struct vm_operations_struct st_user_vm_ops = {
	.open = st_user_open,
	.close = st_user_close,
};

static int st_user_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long last = vma->vm_start + ST_USER_SIZE - PAGE_SIZE;
	int ret;

	ret = remap_pfn_range(vma, vma->vm_start,
			      page_to_pfn(virt_to_page(user.mem)),
			      ST_USER_SIZE - PAGE_SIZE, vma->vm_page_prot);
	if (!ret)
		ret = remap_pfn_range(vma, last,
				      page_to_pfn(virt_to_page(user.last)),
				      PAGE_SIZE, vma->vm_page_prot);
	if (ret)
		return ret;
	vma->vm_ops = &st_user_vm_ops;
	st_user_open(vma);
	return 0;
}

static int st_user_release(struct inode *inode, struct file *file)
{
	user.released = true;
	return 0;
}

static const struct file_operations st_user_fops = {
	.mmap = st_user_mmap,
	.release = st_user_release,
};

/* Drop what the test has not dropped */
static void st_user_end(void)
{
	if (user.addr)
		st_unmap_user(user.addr, ST_USER_SIZE);
	user.addr = 0;
	if (user.file)
		fput(user.file);
	user.file = NULL;
	if (user.mem)
		free_pages_exact(user.mem, ST_USER_SIZE + PAGE_SIZE);
	user.mem = NULL;
}

/* A queue for memory of the process, and such memory */
static bool st_user_begin(struct st *t)
{
	memset(&user, 0, sizeof(user));
	if (!st_vb2_begin(t))
		return false;
	/* the page in the middle is mapped last, and another one at its place */
	user.mem = alloc_pages_exact(ST_USER_SIZE + PAGE_SIZE, GFP_KERNEL);
	user.file = anon_inode_getfile("user", &st_user_fops, NULL, O_RDWR);
	if (ST_CHECK(t, user.mem && !IS_ERR(user.file), "no memory")) {
		user.last = user.mem + ST_USER_SIZE;
		user.addr = st_map_user(user.file, ST_USER_SIZE, 0);
		if (ST_CHECK(t, !IS_ERR_VALUE(user.addr), "mmap: %ld",
			     user.addr) &&
		    ST_CHECK(t, !st_request(V4L2_MEMORY_USERPTR), "REQBUFS"))
			return true;
		user.addr = 0;
	} else {
		user.file = NULL;
	}
	st_user_end();
	st_vb2_end();
	return false;
}

/* Leave something on the stack for those that do not clear what they use. */
static noinline void st_dirty_stack(void)
{
	u8 bytes[1024];

	memset(bytes, 0xa5, sizeof(bytes));
	asm volatile("" : : "r" (bytes) : "memory");
}

/* Queue two ranges of memory of the process. */
static int st_queue_user(unsigned long first, unsigned long second,
			 unsigned long length)
{
	struct v4l2_buffer b = st_buffer();

	memset(vb2.planes, 0, sizeof(vb2.planes));
	vb2.planes[0].m.userptr = first;
	vb2.planes[0].length = ST_PLANE_SIZE;
	vb2.planes[1].m.userptr = second;
	vb2.planes[1].length = length;
	st_dirty_stack();
	return vb2_qbuf(&vb2.q, &b);
}

CMA_SELFTEST(st_vb2_user_file, "memory of a process is released before its file")
{
	int ret;

	if (!st_user_begin(t))
		return;
	ret = st_queue_user(user.addr, user.addr + ST_PLANE_SIZE, ST_PLANE_SIZE);
	ST_CHECK(t, !ret, "QBUF: %d", ret);
	st_unmap_user(user.addr, ST_USER_SIZE);
	user.addr = 0;
	fput(user.file);
	user.file = NULL;
	ST_CHECK(t, !user.released, "the queue does not hold the file");
	st_request(V4L2_MEMORY_DMABUF);
	ST_CHECK(t, user.released, "the queue still holds the file");
	ST_CHECK(t, !user.late, "a mapping was closed after its file");
	ST_CHECK(t, !user.unknown, "a mapping was closed that was never opened");
	ST_CHECK(t, st_user_replace(NULL, NULL) && !user.vmas[0],
		 "a mapping was not closed");
	st_user_end();
	st_vb2_end();
}

#ifdef V4L2_BUF_FLAG_NO_CACHE_CLEAN	/* v3.2 looks at the length first */
#define ST_EMPTY	(-EINVAL)
#else
#define ST_EMPTY	(-EFAULT)
#endif

static void st_check_user_ranges(struct st *t)
{
	const struct {
		unsigned long offset, length;
		int error;
	} cases[] = {
		{ 0, 0, ST_EMPTY },
		{ 100, 0, ST_EMPTY },
		/* these wrap around */
		{ 0, -user.addr, -EFAULT },
		{ 0, -user.addr + PAGE_SIZE, -EFAULT },
		{ 100, ULONG_MAX, -EFAULT },
		{ 0, ST_USER_SIZE + 1, -EFAULT },
		{ 0, ST_USER_SIZE, -EFAULT },
		{ 0, ST_USER_SIZE - PAGE_SIZE + 1, -EFAULT },
		{ 100, ST_USER_SIZE - PAGE_SIZE, -EFAULT },
		{ 4 * PAGE_SIZE + 100, 3 * PAGE_SIZE, -EFAULT },
		{ 0, ST_USER_SIZE - PAGE_SIZE, 0 },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = st_queue_user(user.addr, user.addr + cases[i].offset,
				    cases[i].length);
		ST_CHECK(t, ret == cases[i].error, "case %d: %d", i, ret);
		if (!ret)
			st_request(V4L2_MEMORY_USERPTR);
	}
}

CMA_SELFTEST(st_vb2_user_range, "memory of a process is mapped and contiguous to its end")
{
	if (!st_user_begin(t))
		return;
	st_check_user_ranges(t);
	st_vb2_end();
	st_user_end();
}

CMA_SELFTEST(st_vb2_user_planes, "memory of a process comes back with cleared planes")
{
	struct v4l2_buffer b;
	int ret, i, j, dirty = 0;

	if (!st_user_begin(t))
		return;
	ret = st_queue_user(user.addr, user.addr + ST_PLANE_SIZE, ST_PLANE_SIZE);
	ST_CHECK(t, !ret, "QBUF: %d", ret);
	b = st_buffer();
	ret = vb2_querybuf(&vb2.q, &b);
	ST_CHECK(t, !ret, "QUERYBUF: %d", ret);
	for (i = 0; i < ST_PLANES; i++)
		for (j = 0; j < ARRAY_SIZE(vb2.planes[i].reserved); j++)
			dirty += !!vb2.planes[i].reserved[j];
	ST_CHECK(t, !dirty, "%d words of the kernel's stack", dirty);
	st_vb2_end();
	st_user_end();
}

/* Both planes have memory. */
static void st_check_user_memory(struct st *t, const char *when)
{
	struct vb2_buffer *vb = vb2.q.bufs[0];

	ST_CHECK(t, vb->planes[0].mem_priv && vb->planes[1].mem_priv,
		 "%s: %s plane has no memory", when,
		 vb->planes[0].mem_priv ? "the second" : "the first");
}

CMA_SELFTEST(st_vb2_user_again, "memory of a process can be queued again after a failure")
{
	unsigned long second;
	struct v4l2_buffer b;
	int ret;

	if (!st_user_begin(t))
		return;
	/* what the planes of a new buffer say is no memory */
	ret = st_queue_user(user.addr, 0, 0);
	ST_CHECK(t, ret == ST_EMPTY, "nothing: %d", ret);
	second = user.addr + ST_PLANE_SIZE;
	ret = st_queue_user(user.addr, second, ST_PLANE_SIZE);
	ST_CHECK(t, !ret, "QBUF: %d", ret);
	st_check_user_memory(t, "new");
	vb2_streamon(&vb2.q, vb2.q.type);
	vb2_buffer_done(vb2.queued, VB2_BUF_STATE_DONE);
	b = st_buffer();
	ret = vb2_dqbuf(&vb2.q, &b, true);
	ST_CHECK(t, !ret, "DQBUF: %d", ret);

	ret = st_queue_user(user.addr, second, ST_USER_SIZE);
	ST_CHECK(t, ret == -EFAULT, "too long: %d", ret);
	ret = st_queue_user(user.addr, second, ST_PLANE_SIZE);
	ST_CHECK(t, !ret, "QBUF: %d", ret);
	st_check_user_memory(t, "again");
	vb2_streamoff(&vb2.q, vb2.q.type);
	st_vb2_end();
	st_user_end();
}

static int st_vb2_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vb2_mmap(&vb2.q, vma);
}

static const struct file_operations st_vb2_fops = {
	.mmap = st_vb2_mmap,
};

/* Map the second plane of the first buffer, all of it or too much. */
static void st_check_sram(struct st *t, struct file *file)
{
	unsigned long pgoff = ST_PLANE_SIZE / PAGE_SIZE, addr;
	u32 *mem, value = 0;

	addr = st_map_user(file, ST_PLANE_SIZE + PAGE_SIZE, pgoff);
	ST_CHECK(t, addr == -EINVAL, "more than there is: %ld", addr);
	addr = st_map_user(file, ST_PLANE_SIZE, pgoff);
	if (!ST_CHECK(t, !IS_ERR_VALUE(addr), "mmap: %ld", addr))
		return;
	mem = vb2_plane_vaddr(vb2.q.bufs[0], 1);
	mem[ST_PLANE_SIZE / sizeof(*mem) - 1] = 0x12345678;
	/* before it is read at the other address */
	mb();
	ST_CHECK(t, !get_user(value, (u32 __user *)(addr + ST_PLANE_SIZE) - 1) &&
		 value == 0x12345678, "it reads %#x", value);
	st_unmap_user(addr, ST_PLANE_SIZE);
}

CMA_SELFTEST(st_vb2_sram, "video buffers in memory of the device are mapped, not exported")
{
	struct v4l2_exportbuffer eb = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE };
	struct file *file;
	int ret;

	if (!st_vb2_begin(t))
		return;
	ret = dma_declare_coherent_memory(&vb2.pdev->dev, ST_SRAM, ST_SRAM,
					  ST_SRAM_SIZE,
					  DMA_MEMORY_MAP | DMA_MEMORY_EXCLUSIVE);
	ST_CHECK(t, ret == DMA_MEMORY_MAP, "no memory: %d", ret);
	ret = st_request(V4L2_MEMORY_MMAP);
	ST_CHECK(t, !ret, "REQBUFS: %d", ret);
	file = anon_inode_getfile("vb2", &st_vb2_fops, NULL, O_RDWR);
	if (!ret && ST_CHECK(t, !IS_ERR(file), "no file")) {
		st_check_sram(t, file);
		ret = vb2_expbuf(&vb2.q, &eb);
		ST_CHECK(t, ret == -EINVAL, "EXPBUF: %d", ret);
		fput(file);
	}
	vb2_queue_release(&vb2.q);
	dma_release_declared_memory(&vb2.pdev->dev);
	st_vb2_end();
}
#endif
