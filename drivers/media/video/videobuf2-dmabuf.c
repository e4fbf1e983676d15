// SPDX-License-Identifier: GPL-2.0
/*
 * Shared buffers for videobuf2: import (V4L2_MEMORY_DMABUF) and export
 * (VIDIOC_EXPBUF).
 *
 * A plane that a descriptor was queued for keeps the buffer attached until another
 * one is queued in its place, or the queue is freed. It is mapped for the device
 * from the time it is queued until it is dequeued.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/export.h>
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

/* What the plane is before something is queued */
static void reset_plane(struct vb2_buffer *vb, unsigned int i)
{
	memset(&vb->v4l2_planes[i], 0, sizeof(vb->v4l2_planes[i]));
	vb->v4l2_planes[i].length = vb->planes[i].min_length;
}

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
 * vb2_dmabuf_init() - say how large shared buffers have to be
 * @vb: new buffer
 * @plane_sizes: bytes of each plane that the driver needs
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
 * vb2_dmabuf_unmap() - take the planes of a buffer from the device
 * @vb: buffer; nothing is done for planes that are not mapped
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
 * vb2_dmabuf_put() - give up the shared buffers of all planes
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

/* bytesused and data_offset are those of output queues, else 0 */
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

/* See to it that the plane has the buffer that was asked for: 1 if it is new */
static int get_plane(struct vb2_buffer *vb, unsigned int i,
		     struct v4l2_plane *wanted)
{
	struct vb2_queue *q = vb->vb2_queue;
	struct vb2_plane *plane = &vb->planes[i];
	struct dma_buf *dbuf = dma_buf_get(wanted->m.fd);
	void *mem_priv;
	int ret;

	/* Also for one that is not open */
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
 * vb2_dmabuf_map() - get the shared buffers that a buffer is queued with
 * @vb: buffer
 * @planes: what user space asks for, one entry for each plane; a length of 0
 *	becomes that of the shared buffer
 *
 * Context: process context, may sleep.
 * Return: 0; 1 if a plane has a new buffer; -EINVAL if a descriptor is not that of
 * a shared buffer, or length, bytesused and data_offset do not go together; -EFAULT
 * if the buffer is shorter than length; or what exporter and allocator say. The
 * planes have no buffers then.
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
 * vb2_expbuf() - export a plane of a buffer
 * @q: queue, with buffers that it allocated (V4L2_MEMORY_MMAP)
 * @eb: argument of VIDIOC_EXPBUF, from the handler of the driver; its descriptor
 *	is set on success
 *
 * Context: process context, may sleep; whatever the driver holds for its ioctls.
 * Return: 0; -EBUSY while read() or write() has the queue; -EINVAL for a queue,
 * buffer, plane or flag that is not there, or an allocator that can not export;
 * -EMFILE, -ENOMEM and others of dma_buf_export().
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
