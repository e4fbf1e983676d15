// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of videobuf2 for cases that no driver here has: buffers of two planes,
 * memory that belongs to a device, exporters that fail
 */
#ifdef CONFIG_VIDEOBUF2_DMA_CONTIG
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
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

#ifdef V4L2_BUF_FLAG_PREPARED	/* since v3.2 */
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
	vb2.q.io_modes = VB2_MMAP | VB2_DMABUF;
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
		.type = vb2.q.type, .memory = V4L2_MEMORY_DMABUF,
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

CMA_SELFTEST(st_vb2_parms, "the device of a queue requires one segment")
{
	struct device *dev;
	void *other;

	if (!st_vb2_begin(t))
		return;
	dev = &vb2.pdev->dev;
	other = vb2_dma_contig_init_ctx(dev);
	vb2_dma_contig_cleanup_ctx(vb2.ctx);
	vb2.ctx = other;
	ST_CHECK(t, dma_get_max_seg_count(dev) == 1, "%u segments",
		 dma_get_max_seg_count(dev));
	ST_CHECK(t, dma_get_max_seg_size(dev) == UINT_MAX, "%u bytes",
		 dma_get_max_seg_size(dev));
	ST_CHECK(t, dma_get_seg_boundary(dev) == 0xffffffff, "boundary %#lx",
		 dma_get_seg_boundary(dev));
	st_vb2_end();
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
