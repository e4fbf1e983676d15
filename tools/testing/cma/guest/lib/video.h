/* SPDX-License-Identifier: GPL-2.0 */
/*
 * V4L2 queues, and the pictures of the virtual capture driver, for the test programs.
 * Include tap.h and guest.h first.
 */
#ifndef VIDEO_H
#define VIDEO_H

#include <linux/v4l2-dv-timings.h>
#include <linux/videodev2.h>
#include <poll.h>

#define CAPTURE	V4L2_BUF_TYPE_VIDEO_CAPTURE
#define OUTPUT	V4L2_BUF_TYPE_VIDEO_OUTPUT

/* Capabilities of a node; v3.1's mem2mem driver announces capture and output. */
static bool is_m2m(__u32 caps)
{
	return caps & V4L2_CAP_VIDEO_M2M ||
	       (caps & V4L2_CAP_VIDEO_CAPTURE && caps & V4L2_CAP_VIDEO_OUTPUT);
}

static bool is_camera(__u32 caps)
{
	return caps & V4L2_CAP_VIDEO_CAPTURE && !is_m2m(caps);
}

/* Open node number @which of those that are as @is tells, or return -1. */
static int node_open(bool (*is)(const struct v4l2_capability *cap, const void *arg),
		     const void *arg, unsigned int which)
{
	struct v4l2_capability cap;
	char path[32];
	int i, fd;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) && is(&cap, arg) && !which--)
			return fd;
		close(fd);
	}
	return -1;
}

struct video_kind {
	bool (*can)(__u32 caps);
};

static bool is_of_kind(const struct v4l2_capability *cap, const void *arg)
{
	const struct video_kind *kind = arg;

	return kind->can(cap->capabilities & V4L2_CAP_DEVICE_CAPS ?
			 cap->device_caps : cap->capabilities);
}

/* Open node number @which with this capability, or skip the test. */
static int video_open(bool (*can)(__u32 caps), unsigned int which)
{
	struct video_kind kind = { .can = can };
	int fd = node_open(is_of_kind, &kind, which);

	if (fd < 0)
		skip("no %s", can == is_m2m ? "mem2mem driver" : "camera");
	return fd;
}

/* Two bytes per pixel. */
static void set_format(int video, __u32 type, __u32 format, __u32 width,
		       __u32 height)
{
	struct v4l2_format f = { .type = type };

	f.fmt.pix.width = width;
	f.fmt.pix.height = height;
	f.fmt.pix.pixelformat = format;
	f.fmt.pix.field = V4L2_FIELD_ANY;
	REQUIRE(!ioctl(video, VIDIOC_S_FMT, &f), "S_FMT: %s", strerror(errno));
	REQUIRE(f.fmt.pix.width == width && f.fmt.pix.height == height &&
		f.fmt.pix.sizeimage == width * height * 2, "%ux%u, %u bytes",
		f.fmt.pix.width, f.fmt.pix.height, f.fmt.pix.sizeimage);
}

/* Set a control to an entry of its menu, both by name. */
static void choose(int video, const char *control, const char *line)
{
	struct v4l2_queryctrl ctrl = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };
	struct v4l2_querymenu menu;
	struct v4l2_control set;

	while (!ioctl(video, VIDIOC_QUERYCTRL, &ctrl) &&
	       strcmp((char *)ctrl.name, control))
		ctrl.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	menu = (struct v4l2_querymenu){ .id = ctrl.id };
	while (!ioctl(video, VIDIOC_QUERYMENU, &menu) &&
	       strcmp((char *)menu.name, line))
		menu.index++;
	set = (struct v4l2_control){ .id = ctrl.id, .value = menu.index };
	REQUIRE(!ioctl(video, VIDIOC_S_CTRL, &set), "%s: %s", control,
		strerror(errno));
}

/*
 * The camera draws eight bars that move 2 pixels to the left with each frame, and
 * text over them in the rows up to this one.
 */
#define BARS		8
#define TEXT_END	128
#define SPEED		2

#define RGB565(r, g, b)	((r) >> 3 << 11 | (g) >> 2 << 5 | (b) >> 3)

/* The bars of vivi, and those of vivid, whose signal has another size */
static const __u16 vivi_bars[BARS] = {
	RGB565(204, 204, 204), RGB565(208, 208, 0), RGB565(0, 206, 206),
	RGB565(0, 239, 0), RGB565(239, 0, 239), RGB565(205, 0, 0),
	RGB565(0, 0, 255), RGB565(0, 0, 0),
}, vivid_bars[BARS] = {
	RGB565(255, 255, 255), RGB565(255, 255, 0), RGB565(0, 255, 255),
	RGB565(0, 255, 0), RGB565(255, 0, 255), RGB565(255, 0, 0),
	RGB565(0, 0, 255), RGB565(0, 0, 0),
}, *camera_bars = vivi_bars;

/* The signal has the size of the picture, or twice that. */
static void vivid_signal(int video, __u32 width)
{
	struct v4l2_dv_timings small = V4L2_DV_BT_DMT_640X480P60;
	struct v4l2_dv_timings large = V4L2_DV_BT_DMT_1024X768P60;

	REQUIRE(!ioctl(video, VIDIOC_S_DV_TIMINGS,
		       width > 640 ? &large : &small), "%s", strerror(errno));
	choose(video, "Test Pattern", "100% Colorbar");
	choose(video, "Horizontal Movement", "Move Left Slow");
	choose(video, "OSD Text Mode", "Counters Only");
	camera_bars = vivid_bars;
}

/* Is this the camera of 6.1, with its own V4L2 core? */
static bool is_vivid(void)
{
	return !access("/sys/module/vivid", F_OK);
}

/* Open camera number @which, with frames that a display can show. */
static int camera_open(unsigned int which, __u32 width, __u32 height)
{
	int video = video_open(is_camera, which);

	if (is_vivid())
		vivid_signal(video, width);
	set_format(video, CAPTURE, V4L2_PIX_FMT_RGB565, width, height);
	return video;
}

/* Are the buffers of a driver contiguous (allocator=1, of vivid allocators=1,1)? */
static bool has_contiguous(bool (*can)(__u32 caps))
{
	char text[8];

	read_file(can == is_camera ? "/sys/module/vivi/parameters/allocator" :
		  "/sys/module/mem2mem_testdev/parameters/allocator", text,
		  sizeof(text));
	if (!text[0] && can == is_camera)
		read_file("/sys/module/vivid/parameters/allocators", text,
			  sizeof(text));
	return text[0] == '1';
}

/* Skip the test if there is nothing to export. */
static void need_contiguous(bool (*can)(__u32 caps))
{
	if (!has_contiguous(can))
		skip("the buffers of the driver are not contiguous");
}

/* Open the mem2mem driver, with pictures of one size on both sides. */
static int m2m_open(__u32 width, __u32 height)
{
	int m2m = video_open(is_m2m, 0);

	set_format(m2m, OUTPUT, V4L2_PIX_FMT_RGB565X, width, height);
	set_format(m2m, CAPTURE, V4L2_PIX_FMT_RGB565X, width, height);
	return m2m;
}

/* Is this the mem2mem driver of 6.1? */
static bool is_vim2m(void)
{
	return !access("/sys/module/vim2m", F_OK);
}

/*
 * The driver of v3.1 adds and subtracts 15 by turns, that of 6.1 copies. Is every
 * byte right?
 */
static bool m2m_processed(const __u8 *src, const __u8 *dst, size_t size)
{
	size_t i = 0;

	if (is_vim2m())
		return !memcmp(dst, src, size);
	while (i < size && ((__u8)(dst[i] - src[i]) == 15 ||
			    (__u8)(src[i] - dst[i]) == 15))
		i++;
	return i == size;
}

/* Request buffers; returns their number or a negative errno. */
static int request(int video, __u32 type, __u32 memory, __u32 count)
{
	struct v4l2_requestbuffers req = {
		.count = count, .type = type, .memory = memory,
	};

	return ioctl(video, VIDIOC_REQBUFS, &req) ? -errno : (int)req.count;
}

static void must_request(int video, __u32 type, __u32 memory, __u32 count)
{
	int ret = request(video, type, memory, count);

	REQUIRE(ret == count, "REQBUFS: %d", ret);
}

/* While a buffer is in use: EBUSY, or it is orphaned, as capabilities announce. */
static void require_in_use(int video)
{
	struct v4l2_requestbuffers req = {
		.type = CAPTURE, .memory = V4L2_MEMORY_MMAP,
	};
	int ret = ioctl(video, VIDIOC_REQBUFS, &req);

	REQUIRE(ret ? errno == EBUSY :
		req.capabilities & V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS,
		"a buffer that is in use was freed");
}

/* A descriptor, or a negative errno. */
static int export_plane(int video, __u32 type, __u32 index, __u32 plane,
			__u32 flags)
{
	struct v4l2_exportbuffer eb = {
		.type = type, .index = index, .plane = plane, .flags = flags,
	};

	return ioctl(video, VIDIOC_EXPBUF, &eb) ? -errno : eb.fd;
}

static int must_export(int video, __u32 type, __u32 index)
{
	int fd = export_plane(video, type, index, 0, O_RDWR | O_CLOEXEC);

	REQUIRE(fd >= 0, "EXPBUF: %s", strerror(-fd));
	return fd;
}

static struct v4l2_buffer query(int video, __u32 type, __u32 index)
{
	struct v4l2_buffer b = { .type = type, .index = index };

	REQUIRE(!ioctl(video, VIDIOC_QUERYBUF, &b), "QUERYBUF: %s",
		strerror(errno));
	return b;
}

/* Map a buffer of the queue. */
static void *map_own(int video, __u32 index, size_t size)
{
	struct v4l2_buffer b = query(video, CAPTURE, index);
	void *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, video,
		   b.m.offset);
	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	return mem;
}

/* 0, or a negative errno; the kernel updates @b. */
static int queue_buffer(int video, struct v4l2_buffer *b)
{
	return ioctl(video, VIDIOC_QBUF, b) ? -errno : 0;
}

/* 0, or a negative errno. */
static int queue(int video, __u32 type, __u32 memory, __u32 index, int fd,
		 __u32 length)
{
	struct v4l2_buffer b = {
		.type = type, .memory = memory, .index = index,
		.m.fd = fd, .length = length,
	};

	return queue_buffer(video, &b);
}

static void must_queue(int video, __u32 type, __u32 memory, __u32 index, int fd)
{
	int ret = queue(video, type, memory, index, fd, 0);

	REQUIRE(!ret, "QBUF: %s", strerror(-ret));
}

/* 0, or a negative errno; sleeps until a buffer is done. */
static int dequeue(int video, __u32 type, __u32 memory, struct v4l2_buffer *b)
{
	memset(b, 0, sizeof(*b));
	b->type = type;
	b->memory = memory;
	return ioctl(video, VIDIOC_DQBUF, b) ? -errno : 0;
}

/* Waits up to 5 s. */
static struct v4l2_buffer must_dequeue(int video, __u32 type, __u32 memory)
{
	struct pollfd poller = {
		.fd = video, .events = type == OUTPUT ? POLLOUT : POLLIN,
	};
	struct v4l2_buffer b;
	int ret;

	REQUIRE(poll(&poller, 1, 5000) == 1, "no frame within 5 s");
	ret = dequeue(video, type, memory, &b);
	REQUIRE(!ret, "DQBUF: %s", strerror(-ret));
	return b;
}

static void stream(int video, __u32 type, bool on)
{
	REQUIRE(!ioctl(video, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type),
		"%s", strerror(errno));
}

/* The mem2mem device processes one shared buffer, mapped at @src, into another one. */
static void must_pass_on(int m2m, int in, int out, const __u8 *src, const __u8 *dst, size_t size)
{
	struct v4l2_buffer b;

	must_request(m2m, OUTPUT, V4L2_MEMORY_DMABUF, 3);
	must_request(m2m, CAPTURE, V4L2_MEMORY_DMABUF, 3);
	must_queue(m2m, OUTPUT, V4L2_MEMORY_DMABUF, 0, in);
	must_queue(m2m, CAPTURE, V4L2_MEMORY_DMABUF, 0, out);
	stream(m2m, OUTPUT, true);
	stream(m2m, CAPTURE, true);
	b = must_dequeue(m2m, CAPTURE, V4L2_MEMORY_DMABUF);
	REQUIRE(b.m.fd == out, "descriptor %d", b.m.fd);
	must_dequeue(m2m, OUTPUT, V4L2_MEMORY_DMABUF);
	REQUIRE(m2m_processed(src, dst, size), "other bytes");
}

/* How far the bars have moved; the test fails for any other picture. */
static unsigned int bars_shift(const __u16 *pixels, __u32 width, __u32 height)
{
	static __u16 row[4096];
	unsigned int shift, x, y;

	for (x = 0; x < 2 * width; x++)
		row[x] = camera_bars[x * BARS / width % BARS];
	for (shift = 0; shift < width; shift++)
		if (!memcmp(row + shift, pixels + (height - 1) * width,
			    width * 2))
			break;
	REQUIRE(shift < width, "no bars in the last row");
	for (y = TEXT_END; y < height; y++)
		REQUIRE(!memcmp(row + shift, pixels + y * width, width * 2),
			"no bars in row %u", y);
	return shift;
}

#endif
