/* SPDX-License-Identifier: GPL-2.0 */
/*
 * V4L2 queues, and what the virtual capture driver draws, for the test programs.
 * Include tap.h and cma.h first.
 */
#ifndef VIDEO_H
#define VIDEO_H

#include <linux/videodev2.h>
#include <poll.h>

#define CAPTURE	V4L2_BUF_TYPE_VIDEO_CAPTURE
#define OUTPUT	V4L2_BUF_TYPE_VIDEO_OUTPUT

/* Number @which of the nodes of a driver, or skip. */
static int video_open(const char *driver, unsigned int which)
{
	struct v4l2_capability cap;
	char path[32];
	int i, fd;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
		    !strcmp((char *)cap.driver, driver) && !which--)
			return fd;
		close(fd);
	}
	skip("no %s", driver);
}

/* Two bytes for a pixel. */
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

/* Camera number @which, with frames that a display can show. */
static int camera_open(unsigned int which, __u32 width, __u32 height)
{
	int video = video_open("vivi", which);

	set_format(video, CAPTURE, V4L2_PIX_FMT_RGB565, width, height);
	return video;
}

/* Are the drivers' buffers contiguous (allocator=1)? */
static bool has_contiguous(void)
{
	char text[8];

	read_file("/sys/module/vivi/parameters/allocator", text, sizeof(text));
	return text[0] == '1';
}

/* Else there is nothing to export. */
static void need_contiguous(void)
{
	if (!has_contiguous())
		skip("the buffers of the drivers are not contiguous");
}

/* The mem2mem driver, with pictures of one size on both sides. */
static int m2m_open(__u32 width, __u32 height)
{
	int m2m = video_open("m2m-testdev", 0);

	set_format(m2m, OUTPUT, V4L2_PIX_FMT_RGB565X, width, height);
	set_format(m2m, CAPTURE, V4L2_PIX_FMT_RGB565X, width, height);
	return m2m;
}

/* It adds or subtracts 15 in turns: is that so for every byte? */
static bool m2m_processed(const __u8 *src, const __u8 *dst, size_t size)
{
	size_t i = 0;

	while (i < size && ((__u8)(dst[i] - src[i]) == 15 ||
			    (__u8)(src[i] - dst[i]) == 15))
		i++;
	return i == size;
}

/* How many buffers there are, or a negative errno. */
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

/* The memory of a buffer of the queue itself. */
static void *map_own(int video, __u32 index, size_t size)
{
	struct v4l2_buffer b = query(video, CAPTURE, index);
	void *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, video,
		   b.m.offset);
	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	return mem;
}

/* 0, or a negative errno; @b is what the kernel makes of it. */
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

/* 0, or a negative errno; sleeps until there is something. */
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

/*
 * The camera draws eight bars that go 2 pixels to the left with each frame, and
 * text over them, in the rows up to this one.
 */
#define BARS		8
#define TEXT_END	128
#define SPEED		2

#define RGB565(r, g, b)	((r) >> 3 << 11 | (g) >> 2 << 5 | (b) >> 3)

static const __u16 camera_bars[BARS] = {
	RGB565(204, 204, 204), RGB565(208, 208, 0), RGB565(0, 206, 206),
	RGB565(0, 239, 0), RGB565(239, 0, 239), RGB565(205, 0, 0),
	RGB565(0, 0, 255), RGB565(0, 0, 0),
};

/* How far the bars have gone; the test fails if the picture is another one. */
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
