/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arguments of two operations of a queue, the only ones that depend on the age
 * of a kernel of the series. Drivers of v3.8 to v3.10 have those of v3.2.
 */
#ifndef VB2_ARGS_H
#define VB2_ARGS_H

#include <linux/videodev2.h>

#ifndef V4L2_BUF_FLAG_NO_CACHE_CLEAN	/* since v3.2 */
#define QUEUE_SETUP_ARGS \
	struct vb2_queue *q, unsigned int *count, unsigned int *planes, \
	unsigned long sizes[], void *alloc_ctxs[]
#define START_STREAMING_ARGS	struct vb2_queue *q
#else
#define QUEUE_SETUP_ARGS \
	struct vb2_queue *q, const struct v4l2_format *fmt, \
	unsigned int *count, unsigned int *planes, \
	unsigned int sizes[], void *alloc_ctxs[]
#define START_STREAMING_ARGS	struct vb2_queue *q, unsigned int count
#endif

#endif
