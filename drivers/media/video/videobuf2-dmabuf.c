// SPDX-License-Identifier: GPL-2.0
/*
 * Shared buffers for videobuf2: import (V4L2_MEMORY_DMABUF) and export
 * (VIDIOC_EXPBUF)
 *
 * The buffer of a descriptor that was queued for a plane stays attached until
 * another buffer is queued for the plane or the queue is freed. It is mapped
 * for the device while it is queued.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include <media/videobuf2-core.h>
#include <media/videobuf2-dmabuf.h>

static void unmap_plane(struct vb2_queue *q, struct vb2_plane *plane)
{
	if (plane->dbuf_mapped)
		q->mem_ops->unmap_dmabuf(plane->mem_priv);
	plane->dbuf_mapped = 0;
}

/* Reset the plane to its state before a buffer was queued. */
static void reset_plane(struct vb2_buffer *vb, unsigned int i)
{
	memset(&vb->v4l2_planes[i], 0, sizeof(vb->v4l2_planes[i]));
	vb->v4l2_planes[i].length = vb->planes[i].min_length;
}

/* Drop the shared buffer of a plane, if it has one. */
static void put_plane(struct vb2_buffer *vb, unsigned int i)
{
	struct vb2_queue *q = vb->vb2_queue;
	struct vb2_plane *plane = &vb->planes[i];

	reset_plane(vb, i);
	if (!plane->mem_priv)
		return;

	unmap_plane(q, plane);
	q->mem_ops->detach_dmabuf(plane->mem_priv);
	dma_buf_put(plane->dbuf);
	plane->mem_priv = NULL;
	plane->dbuf = NULL;
}

/**
 * vb2_dmabuf_init() - set the minimum sizes of the planes of a new buffer
 * @vb: new buffer
 * @plane_sizes: number of bytes that the driver needs in each plane
 *
 * Context: any.
 */
void vb2_dmabuf_init(struct vb2_buffer *vb, const unsigned long *plane_sizes)
{
	unsigned int i;

	for (i = 0; i < vb->num_planes; i++) {
		vb->planes[i].min_length = plane_sizes[i];
		reset_plane(vb, i);
	}
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_init);

/**
 * vb2_dmabuf_unmap() - unmap the planes of a buffer
 * @vb: buffer; planes that are not mapped are skipped
 *
 * Context: process context, may sleep.
 */
void vb2_dmabuf_unmap(struct vb2_buffer *vb)
{
	unsigned int i;

	for (i = 0; i < vb->num_planes; i++)
		unmap_plane(vb->vb2_queue, &vb->planes[i]);
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_unmap);

/**
 * vb2_dmabuf_put() - drop the shared buffers of all planes
 * @vb: buffer
 *
 * Context: process context, may sleep.
 */
void vb2_dmabuf_put(struct vb2_buffer *vb)
{
	unsigned int i;

	for (i = 0; i < vb->num_planes; i++)
		put_plane(vb, i);
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_put);

/* bytesused and data_offset are 0 except for output queues. */
static int check_plane(const struct vb2_plane *plane,
		       const struct v4l2_plane *wanted, size_t size)
{
	if (wanted->length > size)
		return -EFAULT;
	if (wanted->length < plane->min_length ||
	    wanted->length - plane->min_length < wanted->data_offset ||
	    wanted->length < wanted->bytesused ||
	    (wanted->bytesused && wanted->bytesused <= wanted->data_offset))
		return -EINVAL;
	return 0;
}

/*
 * Attach the requested buffer to a plane, unless it is attached already. Return
 * 1 if the plane has a new buffer, 0 if not, or a negative errno.
 */
static int get_plane(struct vb2_buffer *vb, unsigned int i,
		     struct v4l2_plane *wanted)
{
	struct vb2_queue *q = vb->vb2_queue;
	struct vb2_plane *plane = &vb->planes[i];
	struct dma_buf *dbuf = dma_buf_get(wanted->m.fd);
	void *mem_priv;
	int ret;

	/* Even for a descriptor that is not open, which is -EBADF elsewhere */
	if (IS_ERR(dbuf))
		return -EINVAL;

	if (!wanted->length)
		wanted->length = dbuf->size;
	ret = check_plane(plane, wanted, dbuf->size);
	if (ret) {
		dma_buf_put(dbuf);
		return ret;
	}
	if (dbuf == plane->dbuf &&
	    wanted->length == vb->v4l2_planes[i].length) {
		dma_buf_put(dbuf);
		return 0;
	}

	put_plane(vb, i);
	mem_priv = q->mem_ops->attach_dmabuf(q->alloc_ctx[i], dbuf,
					     wanted->length,
					     !V4L2_TYPE_IS_OUTPUT(q->type));
	if (IS_ERR(mem_priv)) {
		dma_buf_put(dbuf);
		return PTR_ERR(mem_priv);
	}

	plane->mem_priv = mem_priv;
	plane->dbuf = dbuf;
	return 1;
}

/**
 * vb2_dmabuf_map() - attach and map the shared buffers that are queued
 * @vb: buffer
 * @planes: one entry per plane, as passed by user space; a length of 0 is
 *	replaced with the size of the shared buffer
 *
 * On error the planes are left without buffers.
 *
 * Context: process context, may sleep.
 * Return: 0; 1 if a plane has a new buffer; -EINVAL if a descriptor is not that
 * of a shared buffer, or length, bytesused and data_offset are inconsistent;
 * -EFAULT if the buffer is smaller than length; or the error of the exporter or
 * allocator.
 */
int vb2_dmabuf_map(struct vb2_buffer *vb, struct v4l2_plane *planes)
{
	struct vb2_queue *q = vb->vb2_queue;
	int ret = 0, changed = 0;
	unsigned int i;

	for (i = 0; i < vb->num_planes; i++) {
		ret = get_plane(vb, i, &planes[i]);
		if (ret < 0)
			goto put;
		changed |= ret;
	}

	for (i = 0; i < vb->num_planes; i++) {
		ret = q->mem_ops->map_dmabuf(vb->planes[i].mem_priv);
		if (ret)
			goto put;
		vb->planes[i].dbuf_mapped = 1;
	}

	for (i = 0; i < vb->num_planes; i++)
		vb->v4l2_planes[i] = planes[i];
	return changed;

put:
	vb2_dmabuf_put(vb);
	return ret;
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_map);

/**
 * vb2_expbuf() - export a plane of a buffer as a file descriptor
 * @q: queue with V4L2_MEMORY_MMAP buffers
 * @eb: argument of VIDIOC_EXPBUF, passed on by the driver's handler; fd is set
 *	on success
 *
 * Context: process context, may sleep; called with the lock of the driver's
 * ioctls.
 * Return: 0; -EBUSY if the queue is in use by read() or write(); -EINVAL if the
 * type, index, plane or flags are invalid, the queue has other memory, or the
 * allocator does not support export; -EMFILE; -ENOMEM; or the error of
 * dma_buf_export().
 */
int vb2_expbuf(struct vb2_queue *q, struct v4l2_exportbuffer *eb)
{
	struct vb2_buffer *vb;
	struct dma_buf *dbuf;
	int fd;

	if (q->fileio)
		return -EBUSY;
	if (q->memory != V4L2_MEMORY_MMAP || !q->mem_ops->get_dmabuf ||
	    eb->type != q->type || (eb->flags & ~(O_CLOEXEC | O_ACCMODE)) ||
	    eb->index >= q->num_buffers)
		return -EINVAL;

	vb = q->bufs[eb->index];
	if (eb->plane >= vb->num_planes)
		return -EINVAL;

	dbuf = q->mem_ops->get_dmabuf(vb->planes[eb->plane].mem_priv,
				      eb->flags & O_ACCMODE);
	if (IS_ERR(dbuf))
		return PTR_ERR(dbuf);

	fd = dma_buf_fd(dbuf, eb->flags & O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dbuf);
		return fd;
	}

	eb->fd = fd;
	return 0;
}
EXPORT_SYMBOL_GPL(vb2_expbuf);

MODULE_DESCRIPTION("Shared buffers for videobuf2");
MODULE_LICENSE("GPL");
