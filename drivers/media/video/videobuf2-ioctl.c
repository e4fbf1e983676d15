// SPDX-License-Identifier: GPL-2.0
/*
 * Handlers of ioctls and of file operations for drivers with one videobuf2 queue
 *
 * The driver sets the queue of its video_device, and video_device or the queue has a
 * lock. The first file that requests buffers, or that reads or writes, becomes the
 * owner of the queue; others get EBUSY until the owner frees the buffers or closes.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>

#include <media/v4l2-dev.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-core.h>

static struct vb2_queue *queue_of(struct file *file)
{
	return video_devdata(file)->queue;
}

static bool owned_by_other(struct vb2_queue *q, struct file *file)
{
	return q->owner && q->owner != file->private_data;
}

/*
 * The core holds it in the ioctls of the queue, but no lock in file operations of a
 * video_device with a queue.
 */
static struct mutex *queue_lock(struct file *file)
{
	struct video_device *vdev = video_devdata(file);

	return vdev->queue->lock ? vdev->queue->lock : vdev->lock;
}

/**
 * vb2_ioctl_reqbufs() - handle VIDIOC_REQBUFS
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * The file owns the queue after that, or no file if @p->count is 0.
 *
 * Context: process context, may sleep; called with the lock of the queue, as the
 * other handlers of ioctls are.
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_reqbufs()
 * returns.
 */
int vb2_ioctl_reqbufs(struct file *file, void *priv,
		      struct v4l2_requestbuffers *p)
{
	struct vb2_queue *q = queue_of(file);
	int ret = owned_by_other(q, file) ? -EBUSY : vb2_reqbufs(q, p);

	/* Even if it failed: the old buffers may be gone */
	if (!owned_by_other(q, file))
		q->owner = vb2_is_busy(q) ? file->private_data : NULL;
	return ret;
}
EXPORT_SYMBOL_GPL(vb2_ioctl_reqbufs);

/**
 * vb2_ioctl_create_bufs() - handle VIDIOC_CREATE_BUFS
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * Return: -EBUSY if another file owns the queue, unless @p->count is 0; otherwise
 * what vb2_create_bufs() returns.
 */
int vb2_ioctl_create_bufs(struct file *file, void *priv,
			  struct v4l2_create_buffers *p)
{
	struct vb2_queue *q = queue_of(file);
	int ret;

	if (p->count && owned_by_other(q, file))
		return -EBUSY;

	ret = vb2_create_bufs(q, p);
	if (!ret && p->count)
		q->owner = file->private_data;
	return ret;
}
EXPORT_SYMBOL_GPL(vb2_ioctl_create_bufs);

/**
 * vb2_ioctl_prepare_buf() - handle VIDIOC_PREPARE_BUF
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_prepare_buf()
 * returns.
 */
int vb2_ioctl_prepare_buf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	struct vb2_queue *q = queue_of(file);

	return owned_by_other(q, file) ? -EBUSY : vb2_prepare_buf(q, p);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_prepare_buf);

/**
 * vb2_ioctl_querybuf() - handle VIDIOC_QUERYBUF, for any file
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * Return: what vb2_querybuf() returns.
 */
int vb2_ioctl_querybuf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	return vb2_querybuf(queue_of(file), p);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_querybuf);

/**
 * vb2_ioctl_qbuf() - handle VIDIOC_QBUF
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_qbuf() returns.
 */
int vb2_ioctl_qbuf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	struct vb2_queue *q = queue_of(file);

	return owned_by_other(q, file) ? -EBUSY : vb2_qbuf(q, p);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_qbuf);

/**
 * vb2_ioctl_dqbuf() - handle VIDIOC_DQBUF
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_dqbuf() returns.
 */
int vb2_ioctl_dqbuf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	struct vb2_queue *q = queue_of(file);

	if (owned_by_other(q, file))
		return -EBUSY;
	return vb2_dqbuf(q, p, file->f_flags & O_NONBLOCK);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_dqbuf);

/**
 * vb2_ioctl_expbuf() - handle VIDIOC_EXPBUF
 * @file: file of the node
 * @priv: not used
 * @p: ioctl argument
 *
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_expbuf()
 * returns.
 */
int vb2_ioctl_expbuf(struct file *file, void *priv, struct v4l2_exportbuffer *p)
{
	struct vb2_queue *q = queue_of(file);

	return owned_by_other(q, file) ? -EBUSY : vb2_expbuf(q, p);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_expbuf);

/**
 * vb2_ioctl_streamon() - handle VIDIOC_STREAMON
 * @file: file of the node
 * @priv: not used
 * @i: type of the queue
 *
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_streamon()
 * returns.
 */
int vb2_ioctl_streamon(struct file *file, void *priv, enum v4l2_buf_type i)
{
	struct vb2_queue *q = queue_of(file);

	return owned_by_other(q, file) ? -EBUSY : vb2_streamon(q, i);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_streamon);

/**
 * vb2_ioctl_streamoff() - handle VIDIOC_STREAMOFF
 * @file: file of the node
 * @priv: not used
 * @i: type of the queue
 *
 * Return: -EBUSY if another file owns the queue, otherwise what vb2_streamoff()
 * returns.
 */
int vb2_ioctl_streamoff(struct file *file, void *priv, enum v4l2_buf_type i)
{
	struct vb2_queue *q = queue_of(file);

	return owned_by_other(q, file) ? -EBUSY : vb2_streamoff(q, i);
}
EXPORT_SYMBOL_GPL(vb2_ioctl_streamoff);

/**
 * vb2_fop_mmap() - map a buffer, for any file
 * @file: file of the node
 * @vma: vma of the mapping
 *
 * Context: process context, with mmap_sem.
 * Return: what vb2_mmap() returns.
 */
int vb2_fop_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vb2_mmap(queue_of(file), vma);
}
EXPORT_SYMBOL_GPL(vb2_fop_mmap);

/**
 * vb2_fop_release() - close a file: free the queue if the file owns it
 * @file: file of the node, whose private_data is a struct v4l2_fh
 *
 * Return: what v4l2_fh_release() returns.
 */
int vb2_fop_release(struct file *file)
{
	struct vb2_queue *q = queue_of(file);
	struct mutex *lock = queue_lock(file);

	if (lock)
		mutex_lock(lock);
	if (q->owner && q->owner == file->private_data) {
		vb2_queue_release(q);
		q->owner = NULL;
	}
	if (lock)
		mutex_unlock(lock);
	return v4l2_fh_release(file);
}
EXPORT_SYMBOL_GPL(vb2_fop_release);

/* read() or write(): the file that begins to use the queue owns it. */
static ssize_t do_file_io(struct file *file, char __user *buf, size_t count,
			  loff_t *ppos, bool read)
{
	struct vb2_queue *q = queue_of(file);
	struct mutex *lock = queue_lock(file);
	int nonblock = file->f_flags & O_NONBLOCK;
	ssize_t ret = -EBUSY;

	if (lock && mutex_lock_interruptible(lock))
		return -ERESTARTSYS;
	if (!owned_by_other(q, file)) {
		void *owner = q->owner;

		/* They can release the lock while they wait for a buffer */
		q->owner = file->private_data;
		if (read)
			ret = vb2_read(q, buf, count, ppos, nonblock);
		else
			ret = vb2_write(q, buf, count, ppos, nonblock);
		if (!q->fileio)
			q->owner = owner;
	}
	if (lock)
		mutex_unlock(lock);
	return ret;
}

/**
 * vb2_fop_read() - read pictures
 * @file: file of the node
 * @buf: memory of the process
 * @count: size of @buf
 * @ppos: position in the file
 *
 * Return: -EBUSY if another file owns the queue; -EINVAL if it does not have
 * VB2_READ; otherwise what vb2_read() returns.
 */
ssize_t vb2_fop_read(struct file *file, char __user *buf, size_t count,
		     loff_t *ppos)
{
	if (!(queue_of(file)->io_modes & VB2_READ))
		return -EINVAL;
	return do_file_io(file, buf, count, ppos, true);
}
EXPORT_SYMBOL_GPL(vb2_fop_read);

/**
 * vb2_fop_write() - write pictures
 * @file: file of the node
 * @buf: memory of the process
 * @count: size of @buf
 * @ppos: position in the file
 *
 * Return: -EBUSY if another file owns the queue; -EINVAL if it does not have
 * VB2_WRITE; otherwise what vb2_write() returns.
 */
ssize_t vb2_fop_write(struct file *file, const char __user *buf, size_t count,
		      loff_t *ppos)
{
	if (!(queue_of(file)->io_modes & VB2_WRITE))
		return -EINVAL;
	/* vb2_write() does not write to it */
	return do_file_io(file, (char __user *)buf, count, ppos, false);
}
EXPORT_SYMBOL_GPL(vb2_fop_write);

/**
 * vb2_fop_poll() - wait for buffers and for events
 * @file: file of the node
 * @wait: as passed to poll()
 *
 * As vb2_poll() does, it starts reading or writing if the queue has no buffers.
 *
 * Return: what vb2_poll() returns, and POLLPRI if an event is pending.
 */
unsigned int vb2_fop_poll(struct file *file, poll_table *wait)
{
	struct video_device *vdev = video_devdata(file);
	struct vb2_queue *q = vdev->queue;
	struct mutex *lock = queue_lock(file);
	unsigned int ret = 0;

	if (test_bit(V4L2_FL_USES_V4L2_FH, &vdev->flags))
		ret = v4l2_event_poll(file->private_data, file, wait);

	if (lock)
		mutex_lock(lock);
	ret |= vb2_poll(q, file, wait);
	if (q->fileio && !q->owner)
		q->owner = file->private_data;
	if (lock)
		mutex_unlock(lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vb2_fop_poll);

/**
 * vb2_ops_wait_prepare() - release the lock of a queue while vb2_dqbuf() waits
 * @vq: queue, whose lock is set
 */
void vb2_ops_wait_prepare(struct vb2_queue *vq)
{
	mutex_unlock(vq->lock);
}
EXPORT_SYMBOL_GPL(vb2_ops_wait_prepare);

/**
 * vb2_ops_wait_finish() - take the lock of a queue again
 * @vq: queue, whose lock is set
 */
void vb2_ops_wait_finish(struct vb2_queue *vq)
{
	mutex_lock(vq->lock);
}
EXPORT_SYMBOL_GPL(vb2_ops_wait_finish);

MODULE_DESCRIPTION("Handlers for drivers with one videobuf2 queue");
MODULE_LICENSE("GPL");
