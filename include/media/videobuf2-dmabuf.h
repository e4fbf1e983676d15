/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared buffers in the core of videobuf2
 */
#ifndef _MEDIA_VIDEOBUF2_DMABUF_H
#define _MEDIA_VIDEOBUF2_DMABUF_H

#include <linux/types.h>

#include <media/videobuf2-core.h>

/**
 * vb2_has_dmabuf() - check whether a queue accepts shared buffers
 * @q: queue
 *
 * Context: any.
 * Return: true if the driver has set VB2_DMABUF and the allocator implements
 * all operations for import, otherwise false.
 */
static inline bool vb2_has_dmabuf(const struct vb2_queue *q)
{
	const struct vb2_mem_ops *ops = q->mem_ops;

	return (q->io_modes & VB2_DMABUF) && ops->attach_dmabuf &&
	       ops->detach_dmabuf && ops->map_dmabuf && ops->unmap_dmabuf;
}

void vb2_dmabuf_init(struct vb2_buffer *vb, const unsigned long *plane_sizes);
int vb2_dmabuf_map(struct vb2_buffer *vb, struct v4l2_plane *planes);
void vb2_dmabuf_unmap(struct vb2_buffer *vb);
void vb2_dmabuf_put(struct vb2_buffer *vb);

#endif /* _MEDIA_VIDEOBUF2_DMABUF_H */
