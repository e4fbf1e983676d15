// SPDX-License-Identifier: GPL-2.0
/*
 * Two cameras whose drivers consist of the handlers of videobuf2, as those of v3.8
 * to v3.10 do. The queue of the first one has the lock of the device, that of the
 * second one has its own. A frame is filled with its sequence number.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <media/v4l2-common.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-dma-contig.h>

#include "cma_pdev.h"
#include "vb2_args.h"

#define NAME	"cma_camera"
#define WIDTH	64
#define HEIGHT	64
#define SIZE	(WIDTH * HEIGHT * 2)

static unsigned int period = 20;
module_param(period, uint, 0644);
MODULE_PARM_DESC(period, "milliseconds from one frame to the next");

static unsigned int buffer_size = SIZE;
module_param(buffer_size, uint, 0644);
MODULE_PARM_DESC(buffer_size, "bytes of a buffer, if that is more than a frame has");

struct frame {
	struct vb2_buffer vb;
	struct list_head list;
};

struct camera {
	struct v4l2_device v4l2_dev;
	struct video_device *vfd;
	struct vb2_queue queue;
	struct mutex lock, queue_lock;	/* of all but the queue; of the queue */
	void *alloc_ctx;
	spinlock_t frames_lock;	/* guards frames */
	struct list_head frames;
	struct delayed_work work;
	u32 sequence;
};

static struct platform_device *pdev;
static struct camera *cameras[2];

static void camera_tick(struct work_struct *work)
{
	struct camera *cam = container_of(work, struct camera, work.work);
	struct frame *frame = NULL;
	unsigned int i;
	u32 *pixels;

	spin_lock_irq(&cam->frames_lock);
	if (!list_empty(&cam->frames)) {
		frame = list_first_entry(&cam->frames, struct frame, list);
		list_del(&frame->list);
	}
	spin_unlock_irq(&cam->frames_lock);

	if (frame) {
		pixels = vb2_plane_vaddr(&frame->vb, 0);
		for (i = 0; i < SIZE / sizeof(*pixels); i++)
			pixels[i] = cam->sequence;
		frame->vb.v4l2_buf.sequence = cam->sequence++;
		v4l2_get_timestamp(&frame->vb.v4l2_buf.timestamp);
		vb2_buffer_done(&frame->vb, VB2_BUF_STATE_DONE);
	}
	schedule_delayed_work(&cam->work, msecs_to_jiffies(period));
}

static int camera_setup(QUEUE_SETUP_ARGS)
{
	struct camera *cam = vb2_get_drv_priv(q);

	*count = max(*count, 2U);
	*planes = 1;
	sizes[0] = max_t(unsigned int, SIZE, buffer_size);
	alloc_ctxs[0] = cam->alloc_ctx;
	return 0;
}

static int camera_prepare(struct vb2_buffer *vb)
{
	if (vb2_plane_size(vb, 0) < SIZE)
		return -EINVAL;
	vb2_set_plane_payload(vb, 0, SIZE);
	/* What the registers of a device would get */
	return vb2_dma_contig_plane_dma_addr(vb, 0) && vb2_plane_vaddr(vb, 0) ?
	       0 : -EFAULT;
}

static void camera_queue(struct vb2_buffer *vb)
{
	struct camera *cam = vb2_get_drv_priv(vb->vb2_queue);
	struct frame *frame = container_of(vb, struct frame, vb);

	spin_lock_irq(&cam->frames_lock);
	list_add_tail(&frame->list, &cam->frames);
	spin_unlock_irq(&cam->frames_lock);
}

static int camera_start(START_STREAMING_ARGS)
{
	struct camera *cam = vb2_get_drv_priv(q);

	cam->sequence = 0;
	schedule_delayed_work(&cam->work, msecs_to_jiffies(period));
	return 0;
}

static int camera_stop(struct vb2_queue *q)
{
	struct camera *cam = vb2_get_drv_priv(q);
	struct frame *frame, *next;

	cancel_delayed_work_sync(&cam->work);
	list_for_each_entry_safe(frame, next, &cam->frames, list) {
		list_del(&frame->list);
		vb2_buffer_done(&frame->vb, VB2_BUF_STATE_ERROR);
	}
	return 0;
}

static const struct vb2_ops camera_qops = {
	.queue_setup = camera_setup,
	.buf_prepare = camera_prepare,
	.buf_queue = camera_queue,
	.start_streaming = camera_start,
	.stop_streaming = camera_stop,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int camera_querycap(struct file *file, void *priv,
			   struct v4l2_capability *cap)
{
	snprintf(cap->driver, sizeof(cap->driver), NAME);
	snprintf(cap->card, sizeof(cap->card), "%s", video_devdata(file)->name);
	snprintf(cap->bus_info, sizeof(cap->bus_info), "platform:" NAME);
	cap->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING |
			   V4L2_CAP_READWRITE;
	cap->capabilities = cap->device_caps | V4L2_CAP_DEVICE_CAPS;
	return 0;
}

static int camera_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	snprintf(f->description, sizeof(f->description), "RGB565");
	f->pixelformat = V4L2_PIX_FMT_RGB565;
	return 0;
}

static int camera_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	f->fmt.pix.width = WIDTH;
	f->fmt.pix.height = HEIGHT;
	f->fmt.pix.pixelformat = V4L2_PIX_FMT_RGB565;
	f->fmt.pix.field = V4L2_FIELD_NONE;
	f->fmt.pix.bytesperline = WIDTH * 2;
	f->fmt.pix.sizeimage = SIZE;
	f->fmt.pix.colorspace = V4L2_COLORSPACE_SRGB;
	return 0;
}

static const struct v4l2_ioctl_ops camera_ioctls = {
	.vidioc_querycap = camera_querycap,
	.vidioc_enum_fmt_vid_cap = camera_enum_fmt,
	.vidioc_g_fmt_vid_cap = camera_fmt,
	.vidioc_try_fmt_vid_cap = camera_fmt,
	.vidioc_s_fmt_vid_cap = camera_fmt,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_prepare_buf = vb2_ioctl_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
};

static const struct v4l2_file_operations camera_fops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.read = vb2_fop_read,
	.poll = vb2_fop_poll,
	.mmap = vb2_fop_mmap,
	.unlocked_ioctl = video_ioctl2,
};

static int camera_init_queue(struct camera *cam, bool own_lock)
{
	struct vb2_queue *q = &cam->queue;

	q->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_DMABUF | VB2_READ;
	q->drv_priv = cam;
	q->buf_struct_size = sizeof(struct frame);
	q->ops = &camera_qops;
	q->mem_ops = &vb2_dma_contig_memops;
	q->timestamp_type = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->lock = own_lock ? &cam->queue_lock : &cam->lock;
	return vb2_queue_init(q);
}

static void camera_free(struct camera *cam)
{
	if (!IS_ERR_OR_NULL(cam->alloc_ctx))
		vb2_dma_contig_cleanup_ctx(cam->alloc_ctx);
	kfree(cam);
}

static struct camera *camera_create(unsigned int i)
{
	struct camera *cam = kzalloc(sizeof(*cam), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!cam)
		return ERR_PTR(ret);
	mutex_init(&cam->lock);
	mutex_init(&cam->queue_lock);
	spin_lock_init(&cam->frames_lock);
	INIT_LIST_HEAD(&cam->frames);
	INIT_DELAYED_WORK(&cam->work, camera_tick);
	cam->alloc_ctx = vb2_dma_contig_init_ctx(&pdev->dev);
	if (IS_ERR(cam->alloc_ctx)) {
		ret = PTR_ERR(cam->alloc_ctx);
		goto free;
	}
	ret = camera_init_queue(cam, i);
	if (ret)
		goto free;

	snprintf(cam->v4l2_dev.name, sizeof(cam->v4l2_dev.name), NAME "%u", i);
	ret = v4l2_device_register(NULL, &cam->v4l2_dev);
	if (ret)
		goto free;
	ret = -ENOMEM;
	cam->vfd = video_device_alloc();
	if (!cam->vfd)
		goto unregister;
	snprintf(cam->vfd->name, sizeof(cam->vfd->name), NAME "%u", i);
	cam->vfd->fops = &camera_fops;
	cam->vfd->ioctl_ops = &camera_ioctls;
	cam->vfd->release = video_device_release;
	cam->vfd->v4l2_dev = &cam->v4l2_dev;
	cam->vfd->lock = &cam->lock;
	cam->vfd->queue = &cam->queue;
	ret = video_register_device(cam->vfd, VFL_TYPE_GRABBER, -1);
	if (!ret)
		return cam;

	video_device_release(cam->vfd);
unregister:
	v4l2_device_unregister(&cam->v4l2_dev);
free:
	camera_free(cam);
	return ERR_PTR(ret);
}

static void camera_destroy(struct camera *cam)
{
	video_unregister_device(cam->vfd);
	v4l2_device_unregister(&cam->v4l2_dev);
	camera_free(cam);
}

static int __init camera_init(void)
{
	unsigned int i;
	int ret;

	pdev = cma_pdev_register(NAME, -1);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	for (i = 0; i < ARRAY_SIZE(cameras); i++) {
		cameras[i] = camera_create(i);
		if (IS_ERR(cameras[i])) {
			ret = PTR_ERR(cameras[i]);
			while (i--)
				camera_destroy(cameras[i]);
			platform_device_unregister(pdev);
			return ret;
		}
	}
	return 0;
}
module_init(camera_init);

static void __exit camera_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cameras); i++)
		camera_destroy(cameras[i]);
	platform_device_unregister(pdev);
}
module_exit(camera_exit);

MODULE_DESCRIPTION("Cameras of the handlers of videobuf2");
MODULE_LICENSE("GPL");
