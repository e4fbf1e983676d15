// SPDX-License-Identifier: GPL-2.0
/*
 * A mem2mem device whose driver is in the style of v3.8 to v3.10: it says so in
 * vfl_dir, takes its lock in file operations, has a struct v4l2_fh for each file and
 * a control. It inverts every byte, or copies them.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <media/v4l2-common.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-dma-contig.h>

#include "cma_pdev.h"
#include "vb2_args.h"

#define NAME	"cma_codec"
#define WIDTH	64
#define HEIGHT	64
#define SIZE	(WIDTH * HEIGHT * 2)

static unsigned int msec = 10;
module_param(msec, uint, 0644);
MODULE_PARM_DESC(msec, "length of a job");

static struct codec {
	struct platform_device *pdev;
	struct v4l2_device v4l2_dev;
	struct video_device *vfd;
	struct v4l2_m2m_dev *m2m_dev;
	struct mutex lock;	/* of all instances */
	struct v4l2_ctrl_handler hdl;
	bool copies;	/* V4L2_CID_HFLIP */
	void *alloc_ctx;
	struct delayed_work work;
} codec;

struct codec_ctx {
	struct v4l2_fh fh;
	struct v4l2_m2m_ctx *m2m_ctx;
};

static struct codec_ctx *file_to_ctx(struct file *file)
{
	return container_of(file->private_data, struct codec_ctx, fh);
}

/*
 * Jobs
 */

static void codec_work(struct work_struct *work)
{
	struct codec_ctx *ctx = v4l2_m2m_get_curr_priv(codec.m2m_dev);
	struct vb2_buffer *src = v4l2_m2m_src_buf_remove(ctx->m2m_ctx);
	struct vb2_buffer *dst = v4l2_m2m_dst_buf_remove(ctx->m2m_ctx);
	u32 *from = vb2_plane_vaddr(src, 0), *to = vb2_plane_vaddr(dst, 0);
	unsigned int i;

	for (i = 0; i < SIZE / sizeof(*to); i++)
		to[i] = codec.copies ? from[i] : ~from[i];
	dst->v4l2_buf.timestamp = src->v4l2_buf.timestamp;
	v4l2_m2m_buf_done(src, VB2_BUF_STATE_DONE);
	v4l2_m2m_buf_done(dst, VB2_BUF_STATE_DONE);
	v4l2_m2m_job_finish(codec.m2m_dev, ctx->m2m_ctx);
}

static void codec_run(void *priv)
{
	schedule_delayed_work(&codec.work, msecs_to_jiffies(msec));
}

/* The job always ends soon */
static void codec_abort(void *priv)
{
}

static void codec_lock(void *priv)
{
	mutex_lock(&codec.lock);
}

static void codec_unlock(void *priv)
{
	mutex_unlock(&codec.lock);
}

static struct v4l2_m2m_ops codec_m2m_ops = {
	.device_run = codec_run,
	.job_abort = codec_abort,
	.lock = codec_lock,
	.unlock = codec_unlock,
};

/*
 * Queues
 */

static int codec_setup(QUEUE_SETUP_ARGS)
{
	*planes = 1;
	sizes[0] = SIZE;
	alloc_ctxs[0] = codec.alloc_ctx;
	return 0;
}

static int codec_prepare(struct vb2_buffer *vb)
{
	if (vb2_plane_size(vb, 0) < SIZE)
		return -EINVAL;
	vb2_set_plane_payload(vb, 0, SIZE);
	return vb2_dma_contig_plane_dma_addr(vb, 0) && vb2_plane_vaddr(vb, 0) ?
	       0 : -EFAULT;
}

static void codec_queue(struct vb2_buffer *vb)
{
	struct codec_ctx *ctx = vb2_get_drv_priv(vb->vb2_queue);

	v4l2_m2m_buf_queue(ctx->m2m_ctx, vb);
}

static void codec_wait_prepare(struct vb2_queue *q)
{
	codec_unlock(NULL);
}

static void codec_wait_finish(struct vb2_queue *q)
{
	codec_lock(NULL);
}

static const struct vb2_ops codec_qops = {
	.queue_setup = codec_setup,
	.buf_prepare = codec_prepare,
	.buf_queue = codec_queue,
	.wait_prepare = codec_wait_prepare,
	.wait_finish = codec_wait_finish,
};

static int codec_init_queue(struct codec_ctx *ctx, struct vb2_queue *q,
			    enum v4l2_buf_type type)
{
	q->type = type;
	q->io_modes = VB2_MMAP | VB2_DMABUF;
	q->drv_priv = ctx;
	q->buf_struct_size = sizeof(struct v4l2_m2m_buffer);
	q->ops = &codec_qops;
	q->mem_ops = &vb2_dma_contig_memops;
	q->timestamp_type = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	return vb2_queue_init(q);
}

static int codec_init_queues(void *priv, struct vb2_queue *src,
			     struct vb2_queue *dst)
{
	int ret = codec_init_queue(priv, src, V4L2_BUF_TYPE_VIDEO_OUTPUT);

	return ret ? ret :
	       codec_init_queue(priv, dst, V4L2_BUF_TYPE_VIDEO_CAPTURE);
}

/*
 * ioctls
 */

static int codec_querycap(struct file *file, void *priv,
			  struct v4l2_capability *cap)
{
	snprintf(cap->driver, sizeof(cap->driver), NAME);
	snprintf(cap->card, sizeof(cap->card), NAME);
	snprintf(cap->bus_info, sizeof(cap->bus_info), "platform:" NAME);
	cap->device_caps = V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING;
	cap->capabilities = cap->device_caps | V4L2_CAP_DEVICE_CAPS;
	return 0;
}

static int codec_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	snprintf(f->description, sizeof(f->description), "RGB565");
	f->pixelformat = V4L2_PIX_FMT_RGB565;
	return 0;
}

static int codec_fmt(struct file *file, void *priv, struct v4l2_format *f)
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

static int codec_reqbufs(struct file *file, void *priv,
			 struct v4l2_requestbuffers *p)
{
	return v4l2_m2m_reqbufs(file, file_to_ctx(file)->m2m_ctx, p);
}

static int codec_querybuf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	return v4l2_m2m_querybuf(file, file_to_ctx(file)->m2m_ctx, p);
}

static int codec_qbuf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	return v4l2_m2m_qbuf(file, file_to_ctx(file)->m2m_ctx, p);
}

static int codec_dqbuf(struct file *file, void *priv, struct v4l2_buffer *p)
{
	return v4l2_m2m_dqbuf(file, file_to_ctx(file)->m2m_ctx, p);
}

static int codec_expbuf(struct file *file, void *priv, struct v4l2_exportbuffer *p)
{
	return v4l2_m2m_expbuf(file, file_to_ctx(file)->m2m_ctx, p);
}

static int codec_streamon(struct file *file, void *priv, enum v4l2_buf_type type)
{
	return v4l2_m2m_streamon(file, file_to_ctx(file)->m2m_ctx, type);
}

static int codec_streamoff(struct file *file, void *priv, enum v4l2_buf_type type)
{
	return v4l2_m2m_streamoff(file, file_to_ctx(file)->m2m_ctx, type);
}

static const struct v4l2_ioctl_ops codec_ioctls = {
	.vidioc_querycap = codec_querycap,
	.vidioc_enum_fmt_vid_cap = codec_enum_fmt,
	.vidioc_g_fmt_vid_cap = codec_fmt,
	.vidioc_try_fmt_vid_cap = codec_fmt,
	.vidioc_s_fmt_vid_cap = codec_fmt,
	.vidioc_enum_fmt_vid_out = codec_enum_fmt,
	.vidioc_g_fmt_vid_out = codec_fmt,
	.vidioc_try_fmt_vid_out = codec_fmt,
	.vidioc_s_fmt_vid_out = codec_fmt,
	.vidioc_reqbufs = codec_reqbufs,
	.vidioc_querybuf = codec_querybuf,
	.vidioc_qbuf = codec_qbuf,
	.vidioc_dqbuf = codec_dqbuf,
	.vidioc_expbuf = codec_expbuf,
	.vidioc_streamon = codec_streamon,
	.vidioc_streamoff = codec_streamoff,
};

/*
 * Files
 */

static int codec_s_ctrl(struct v4l2_ctrl *ctrl)
{
	codec.copies = ctrl->val;
	return 0;
}

static const struct v4l2_ctrl_ops codec_ctrl_ops = {
	.s_ctrl = codec_s_ctrl,
};

static int codec_new_ctx(struct file *file)
{
	struct codec_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	v4l2_fh_init(&ctx->fh, video_devdata(file));
	ctx->m2m_ctx = v4l2_m2m_ctx_init(codec.m2m_dev, ctx, codec_init_queues);
	if (IS_ERR(ctx->m2m_ctx)) {
		int ret = PTR_ERR(ctx->m2m_ctx);

		v4l2_fh_exit(&ctx->fh);
		kfree(ctx);
		return ret;
	}
	file->private_data = &ctx->fh;
	v4l2_fh_add(&ctx->fh);
	return 0;
}

static int codec_open(struct file *file)
{
	int ret;

	if (mutex_lock_interruptible(&codec.lock))
		return -ERESTARTSYS;
	ret = codec_new_ctx(file);
	mutex_unlock(&codec.lock);
	return ret;
}

static int codec_release(struct file *file)
{
	struct codec_ctx *ctx = file_to_ctx(file);

	v4l2_fh_del(&ctx->fh);
	v4l2_fh_exit(&ctx->fh);
	mutex_lock(&codec.lock);
	v4l2_m2m_ctx_release(ctx->m2m_ctx);
	mutex_unlock(&codec.lock);
	kfree(ctx);
	return 0;
}

static unsigned int codec_poll(struct file *file, struct poll_table_struct *wait)
{
	unsigned int ret;

	mutex_lock(&codec.lock);
	ret = v4l2_m2m_poll(file, file_to_ctx(file)->m2m_ctx, wait);
	mutex_unlock(&codec.lock);
	return ret;
}

static int codec_mmap(struct file *file, struct vm_area_struct *vma)
{
	return v4l2_m2m_mmap(file, file_to_ctx(file)->m2m_ctx, vma);
}

static const struct v4l2_file_operations codec_fops = {
	.owner = THIS_MODULE,
	.open = codec_open,
	.release = codec_release,
	.poll = codec_poll,
	.mmap = codec_mmap,
	.unlocked_ioctl = video_ioctl2,
};

static int codec_register(void)
{
	int ret;

	snprintf(codec.v4l2_dev.name, sizeof(codec.v4l2_dev.name), NAME);
	ret = v4l2_device_register(NULL, &codec.v4l2_dev);
	if (ret)
		return ret;
	ret = -ENOMEM;
	codec.vfd = video_device_alloc();
	if (!codec.vfd)
		goto unregister;
	snprintf(codec.vfd->name, sizeof(codec.vfd->name), NAME);
	codec.vfd->fops = &codec_fops;
	codec.vfd->ioctl_ops = &codec_ioctls;
	codec.vfd->release = video_device_release;
	codec.vfd->v4l2_dev = &codec.v4l2_dev;
	codec.vfd->lock = &codec.lock;
	codec.vfd->ctrl_handler = &codec.hdl;
	codec.vfd->vfl_dir = VFL_DIR_M2M;
	ret = video_register_device(codec.vfd, VFL_TYPE_GRABBER, -1);
	if (!ret)
		return 0;

	video_device_release(codec.vfd);
unregister:
	v4l2_device_unregister(&codec.v4l2_dev);
	return ret;
}

static int __init codec_init(void)
{
	int ret;

	mutex_init(&codec.lock);
	INIT_DELAYED_WORK(&codec.work, codec_work);
	codec.pdev = cma_pdev_register(NAME, -1);
	if (IS_ERR(codec.pdev))
		return PTR_ERR(codec.pdev);
	codec.alloc_ctx = vb2_dma_contig_init_ctx(&codec.pdev->dev);
	if (IS_ERR(codec.alloc_ctx)) {
		ret = PTR_ERR(codec.alloc_ctx);
		goto unregister;
	}
	codec.m2m_dev = v4l2_m2m_init(&codec_m2m_ops);
	if (IS_ERR(codec.m2m_dev)) {
		ret = PTR_ERR(codec.m2m_dev);
		goto cleanup;
	}
	v4l2_ctrl_handler_init(&codec.hdl, 1);
	v4l2_ctrl_new_std(&codec.hdl, &codec_ctrl_ops, V4L2_CID_HFLIP, 0, 1, 1, 0);
	ret = codec.hdl.error ? codec.hdl.error : codec_register();
	if (!ret)
		return 0;

	v4l2_ctrl_handler_free(&codec.hdl);
	v4l2_m2m_release(codec.m2m_dev);
cleanup:
	vb2_dma_contig_cleanup_ctx(codec.alloc_ctx);
unregister:
	platform_device_unregister(codec.pdev);
	return ret;
}
module_init(codec_init);

static void __exit codec_exit(void)
{
	video_unregister_device(codec.vfd);
	v4l2_device_unregister(&codec.v4l2_dev);
	v4l2_ctrl_handler_free(&codec.hdl);
	v4l2_m2m_release(codec.m2m_dev);
	vb2_dma_contig_cleanup_ctx(codec.alloc_ctx);
	platform_device_unregister(codec.pdev);
}
module_exit(codec_exit);

MODULE_DESCRIPTION("A mem2mem device with a driver in the style of v3.8");
MODULE_LICENSE("GPL");
