// SPDX-License-Identifier: GPL-2.0
/*
 * What programs of today expect of a queue: the capabilities of the device and of the
 * queue, the clock of the time stamps, the length of buffers that the process
 * provides, VIDIOC_CREATE_BUFS and VIDIOC_PREPARE_BUF.
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "video.h"

#include <pthread.h>
#include <time.h>

#define WIDTH	320
#define HEIGHT	240
#define SIZE	(WIDTH * HEIGHT * 2)

#define MMAP	V4L2_MEMORY_MMAP
#define DMABUF	V4L2_MEMORY_DMABUF

static struct v4l2_capability capabilities(int video)
{
	struct v4l2_capability cap;

	memset(&cap, 0xff, sizeof(cap));
	REQUIRE(!ioctl(video, VIDIOC_QUERYCAP, &cap), "%s", strerror(errno));
	REQUIRE(cap.capabilities & V4L2_CAP_DEVICE_CAPS,
		"capabilities %#x are without those of the node",
		cap.capabilities);
	REQUIRE((cap.device_caps & cap.capabilities) == cap.device_caps,
		"%#x are more than %#x", cap.device_caps, cap.capabilities);
	REQUIRE(!strncmp((char *)cap.bus_info, "platform:", 9), "bus %s",
		cap.bus_info);
	REQUIRE(!cap.reserved[0] && !cap.reserved[1] && !cap.reserved[2],
		"reserved fields are not cleared");
	return cap;
}

TEST(caps_camera, "a camera tells the capabilities of its node")
{
	struct v4l2_capability cap = capabilities(video_open(is_camera, 0));
	__u32 can = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING |
		    V4L2_CAP_READWRITE;

	REQUIRE((cap.device_caps & can) == can, "%#x", cap.device_caps);
	REQUIRE(!(cap.device_caps & (V4L2_CAP_DEVICE_CAPS |
				     V4L2_CAP_VIDEO_M2M)), "%#x",
		cap.device_caps);
}

TEST(caps_m2m, "a mem2mem node is neither a camera nor an output")
{
	struct v4l2_capability cap = capabilities(video_open(is_m2m, 0));

	REQUIRE(cap.device_caps == (V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING) ||
		cap.device_caps == (V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING |
				    V4L2_CAP_EXT_PIX_FORMAT), "%#x",
		cap.device_caps);
}

/* What REQBUFS says that the queue can take is what it takes. */
static void check_queue(int video, __u32 type)
{
	static const struct {
		__u32 memory, cap;
	} kinds[] = {
		{ MMAP, V4L2_BUF_CAP_SUPPORTS_MMAP },
		{ V4L2_MEMORY_USERPTR, V4L2_BUF_CAP_SUPPORTS_USERPTR },
		{ DMABUF, V4L2_BUF_CAP_SUPPORTS_DMABUF },
	};
	struct v4l2_requestbuffers req = { .type = type, .memory = MMAP };
	size_t i;
	int ret;

	req.capabilities = ~0;
	REQUIRE(!ioctl(video, VIDIOC_REQBUFS, &req), "%s", strerror(errno));
	REQUIRE(req.capabilities & V4L2_BUF_CAP_SUPPORTS_MMAP &&
		req.capabilities & V4L2_BUF_CAP_SUPPORTS_DMABUF, "%#x",
		req.capabilities);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		ret = request(video, type, kinds[i].memory, 1);
		REQUIRE((ret > 0) == !!(req.capabilities & kinds[i].cap),
			"memory %u: %#x, REQBUFS: %d", kinds[i].memory,
			req.capabilities, ret);
		if (ret > 0)
			request(video, type, kinds[i].memory, 0);
	}
}

TEST(caps_queue, "REQBUFS tells which memory a queue takes")
{
	int m2m = m2m_open(WIDTH, HEIGHT);

	check_queue(camera_open(0, WIDTH, HEIGHT), CAPTURE);
	check_queue(m2m, CAPTURE);
	check_queue(m2m, OUTPUT);
}

static unsigned long long stamp_ns(const struct v4l2_buffer *b)
{
	return b->timestamp.tv_sec * 1000000000ULL +
	       b->timestamp.tv_usec * 1000ULL;
}

static void require_clock(const struct v4l2_buffer *b, __u32 clock)
{
	REQUIRE((b->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == clock,
		"flags %#x, not %#x", b->flags, clock);
}

TEST(stamp_camera, "a frame has the monotonic time at which it was captured")
{
	int video = camera_open(0, WIDTH, HEIGHT);
	unsigned long long start, last = 0;
	struct v4l2_buffer b;
	int i;

	must_request(video, CAPTURE, MMAP, 2);
	b = query(video, CAPTURE, 0);
	require_clock(&b, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
	must_queue(video, CAPTURE, MMAP, 0, 0);
	must_queue(video, CAPTURE, MMAP, 1, 0);
	start = clock_ns(CLOCK_MONOTONIC);
	stream(video, CAPTURE, true);
	for (i = 0; i < 4; i++) {
		b = must_dequeue(video, CAPTURE, MMAP);
		require_clock(&b, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
		REQUIRE(!(b.flags & V4L2_BUF_FLAG_DONE), "flags %#x", b.flags);
		/* rounded down to microseconds */
		REQUIRE(stamp_ns(&b) + 1000 > start && stamp_ns(&b) > last &&
			stamp_ns(&b) <= clock_ns(CLOCK_MONOTONIC),
			"frame %d: %llu ns, start %llu, last %llu", i,
			stamp_ns(&b), start, last);
		last = stamp_ns(&b);
		must_queue(video, CAPTURE, MMAP, b.index, 0);
	}
}

TEST(stamp_m2m, "an output of mem2mem has the time stamp of its input")
{
	int m2m = m2m_open(WIDTH, HEIGHT);
	struct v4l2_buffer in = {
		.type = OUTPUT, .memory = MMAP, .bytesused = SIZE,
		.timestamp = { .tv_sec = 1234, .tv_usec = 5678 },
		/* the kernel's business */
		.flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
	}, out;
	int ret;

	must_request(m2m, OUTPUT, MMAP, 1);
	must_request(m2m, CAPTURE, MMAP, 1);
	ret = queue_buffer(m2m, &in);
	REQUIRE(!ret, "%s", strerror(-ret));
	must_queue(m2m, CAPTURE, MMAP, 0, 0);
	stream(m2m, OUTPUT, true);
	stream(m2m, CAPTURE, true);
	out = must_dequeue(m2m, CAPTURE, MMAP);
	require_clock(&out, V4L2_BUF_FLAG_TIMESTAMP_COPY);
	REQUIRE(out.timestamp.tv_sec == 1234 && out.timestamp.tv_usec == 5678,
		"%ld.%06ld", (long)out.timestamp.tv_sec,
		(long)out.timestamp.tv_usec);
	out = must_dequeue(m2m, OUTPUT, MMAP);
	require_clock(&out, V4L2_BUF_FLAG_TIMESTAMP_COPY);
}

TEST(userptr_length, "QUERYBUF tells how much memory the process has to provide")
{
	int video = camera_open(0, WIDTH, HEIGHT);
	struct v4l2_buffer b;

	if (request(video, CAPTURE, V4L2_MEMORY_USERPTR, 1) < 1)
		skip("the buffers of the driver are %scontiguous",
		     has_contiguous(is_camera) ? "" : "not ");
	b = query(video, CAPTURE, 0);
	REQUIRE(b.length == SIZE, "%u bytes", b.length);
}

/* 0 or a negative errno; the kernel updates @create. */
static int create_more(int video, struct v4l2_create_buffers *create,
		       __u32 type, __u32 memory, __u32 count, __u32 size)
{
	*create = (struct v4l2_create_buffers){
		.count = count, .memory = memory, .format.type = type,
	};
	REQUIRE(!ioctl(video, VIDIOC_G_FMT, &create->format), "%s",
		strerror(errno));
	create->format.fmt.pix.sizeimage = size;
	return ioctl(video, VIDIOC_CREATE_BUFS, create) ? -errno : 0;
}

static void must_create(int video, __u32 type, __u32 memory, __u32 first,
			__u32 count, __u32 size)
{
	struct v4l2_create_buffers create;
	int ret = create_more(video, &create, type, memory, count, size);

	REQUIRE(!ret, "CREATE_BUFS: %s", strerror(-ret));
	REQUIRE(create.index == first && create.count == count,
		"%u buffers from %u", create.count, create.index);
	REQUIRE(create.capabilities & V4L2_BUF_CAP_SUPPORTS_MMAP &&
		create.capabilities & V4L2_BUF_CAP_SUPPORTS_DMABUF, "%#x",
		create.capabilities);
}

static int create_errno(int video, __u32 type, __u32 memory, __u32 count,
			__u32 size)
{
	struct v4l2_create_buffers create;

	return create_more(video, &create, type, memory, count, size);
}

TEST(create_stream, "buffers are added while the camera captures, and mappings stay")
{
	struct totals before = totals_now();
	int video = camera_open(0, WIDTH, HEIGHT), i;
	__u16 *mem[5];
	__u32 seen = 0;

	must_request(video, CAPTURE, MMAP, 2);
	mem[0] = map_own(video, 0, SIZE);
	mem[1] = map_own(video, 1, SIZE);
	must_queue(video, CAPTURE, MMAP, 0, 0);
	must_queue(video, CAPTURE, MMAP, 1, 0);
	stream(video, CAPTURE, true);
	must_create(video, CAPTURE, MMAP, 2, 2, SIZE);
	must_create(video, CAPTURE, MMAP, 4, 1, 2 * SIZE);
	REQUIRE(query(video, CAPTURE, 3).length >= SIZE, "%u bytes",
		query(video, CAPTURE, 3).length);
	REQUIRE(query(video, CAPTURE, 4).length >= 2 * SIZE, "%u bytes",
		query(video, CAPTURE, 4).length);
	for (i = 2; i < 5; i++) {
		mem[i] = map_own(video, i, SIZE);
		must_queue(video, CAPTURE, MMAP, i, 0);
	}
	for (i = 0; i < 5; i++) {
		struct v4l2_buffer b = must_dequeue(video, CAPTURE, MMAP);

		REQUIRE(b.index < 5 && b.bytesused == SIZE, "%u, %u bytes",
			b.index, b.bytesused);
		seen |= 1 << b.index;
		bars_shift(mem[b.index], WIDTH, HEIGHT);
	}
	REQUIRE(seen == 0x1f, "buffers %#x", seen);
	for (i = 0; i < 5; i++)
		munmap(mem[i], SIZE);
	close(video);
	require_totals(&before);
}

TEST(create_only, "a queue can be created without REQBUFS, of either memory")
{
	struct totals before = totals_now();
	int video = camera_open(0, WIDTH, HEIGHT);
	int heap = heap_open_cma(), fd = new_buffer(heap, SIZE);
	__u16 *mem = map_buffer(fd, SIZE);

	must_create(video, CAPTURE, MMAP, 0, 2, SIZE);
	must_request(video, CAPTURE, MMAP, 0);
	must_create(video, CAPTURE, DMABUF, 0, 1, SIZE);
	must_create(video, CAPTURE, DMABUF, 1, 1, SIZE);
	must_queue(video, CAPTURE, DMABUF, 1, fd);
	must_queue(video, CAPTURE, DMABUF, 0, fd);
	stream(video, CAPTURE, true);
	must_dequeue(video, CAPTURE, DMABUF);
	bars_shift(mem, WIDTH, HEIGHT);
	munmap(mem, SIZE);
	close(fd);
	close(heap);
	close(video);
	require_totals(&before);
}

TEST(create_m2m, "either queue of mem2mem can get more buffers")
{
	struct totals before = totals_now();
	int m2m = m2m_open(WIDTH, HEIGHT);

	must_create(m2m, OUTPUT, MMAP, 0, 1, SIZE);
	must_create(m2m, OUTPUT, MMAP, 1, 2, SIZE);
	must_create(m2m, CAPTURE, DMABUF, 0, 2, SIZE);
	must_create(m2m, CAPTURE, DMABUF, 2, 1, 2 * SIZE);
	close(m2m);
	require_totals(&before);
}

TEST(create_errors, "invalid requests for more buffers are refused")
{
	struct totals before = totals_now();
	int video = camera_open(0, WIDTH, HEIGHT);
	struct v4l2_create_buffers create;
	int ret;

	REQUIRE(create_errno(video, CAPTURE, 77, 1, SIZE) == -EINVAL, "memory");
	REQUIRE(create_errno(video, CAPTURE, MMAP, 1, SIZE - 1) == -EINVAL,
		"a size that is too small");
	REQUIRE(create_errno(video, CAPTURE, MMAP, 1, 0) == -EINVAL, "no size");
	must_request(video, CAPTURE, MMAP, 3);
	REQUIRE(create_errno(video, CAPTURE, DMABUF, 1, SIZE) == -EINVAL,
		"other memory than that of the queue");
	REQUIRE(create_errno(video, CAPTURE, MMAP, 1, SIZE - 1) == -EINVAL,
		"a size that is too small");

	/* A count of 0 asks for the number of buffers and the capabilities */
	ret = create_more(video, &create, CAPTURE, MMAP, 0, SIZE);
	REQUIRE(!ret && create.index == 3, "%s, index %u", strerror(-ret),
		create.index);
	REQUIRE(create.capabilities & V4L2_BUF_CAP_SUPPORTS_MMAP, "%#x",
		create.capabilities);
	ret = create_more(video, &create, CAPTURE, MMAP, 100, SIZE);
	REQUIRE(!ret && create.index == 3 && create.count == VIDEO_MAX_FRAME - 3,
		"%s, %u from %u", strerror(-ret), create.count, create.index);
	REQUIRE(create_errno(video, CAPTURE, MMAP, 1, SIZE) == -ENOBUFS,
		"33 buffers");
	close(video);
	require_totals(&before);
}

#define VID_LIMIT	"/sys/module/vivi/parameters/vid_limit"

TEST(vid_limit, "a limit of 4 GiB and more does not wrap")
{
	static const char * const large[] = { "4096", "4097", "4294967295" };
	unsigned int i;
	int video, ret;

	for (i = 0; i < ARRAY_SIZE(large); i++) {
		ret = write_file(VID_LIMIT, large[i]);
		REQUIRE(!ret, "%s", strerror(-ret));
		video = camera_open(0, 640, 480);
		ret = request(video, CAPTURE, MMAP, 4);
		write_file(VID_LIMIT, "16");
		REQUIRE(ret == 4, "%s MiB: %d", large[i], ret);
		close(video);
	}
}

TEST(create_exhausted, "a buffer that is too large leaves the queue as it was")
{
	int video = camera_open(0, WIDTH, HEIGHT);
	struct v4l2_buffer b;
	__u16 *mem;

	need_contiguous(is_camera);
	must_request(video, CAPTURE, MMAP, 2);
	mem = map_own(video, 1, SIZE);
	REQUIRE(create_errno(video, CAPTURE, MMAP, 1, 512 << 20) == -ENOMEM,
		"512 MiB");
	must_create(video, CAPTURE, MMAP, 2, 1, SIZE);
	must_queue(video, CAPTURE, MMAP, 1, 0);
	must_queue(video, CAPTURE, MMAP, 2, 0);
	stream(video, CAPTURE, true);
	b = must_dequeue(video, CAPTURE, MMAP);
	REQUIRE(b.index == 1, "%u", b.index);
	bars_shift(mem, WIDTH, HEIGHT);
}

/* Both drivers take at most this much memory for a queue. */
#define LIMIT	(16 * MIB)

static void check_limit(int video, __u32 type)
{
	struct v4l2_create_buffers create;
	int ret = create_more(video, &create, type, MMAP, 8, 5 * MIB);

	REQUIRE(!ret && create.count == LIMIT / (5 * MIB), "%s, %u buffers",
		strerror(-ret), create.count);
	ret = create_errno(video, type, MMAP, 1, 5 * MIB);
	REQUIRE(ret == -ENOMEM, "one more: %s", strerror(-ret));
	must_create(video, type, MMAP, 3, 1, MIB);
	ret = create_errno(video, type, MMAP, 1, 1u << 30);
	REQUIRE(ret == -ENOMEM, "1 GiB: %s", strerror(-ret));
	must_request(video, type, MMAP, 0);
}

TEST(create_limit, "more buffers do not exceed the memory that a driver allows for")
{
	int video = camera_open(0, WIDTH, HEIGHT), m2m = m2m_open(WIDTH, HEIGHT);
	/* Now nobody has buffers of the test before */
	struct totals before = totals_now();

	check_limit(video, CAPTURE);
	check_limit(m2m, OUTPUT);
	check_limit(m2m, CAPTURE);
	close(video);
	close(m2m);
	require_totals(&before);
}

/* 0 or a negative errno. */
static int prepare(int video, __u32 memory, __u32 index, int fd)
{
	struct v4l2_buffer b = {
		.type = CAPTURE, .memory = memory, .index = index, .m.fd = fd,
	};

	return ioctl(video, VIDIOC_PREPARE_BUF, &b) ? -errno : 0;
}

static void require_prepared(int video, __u32 index, bool yes)
{
	struct v4l2_buffer b = query(video, CAPTURE, index);

	REQUIRE(!!(b.flags & V4L2_BUF_FLAG_PREPARED) == yes &&
		!(b.flags & V4L2_BUF_FLAG_QUEUED), "flags %#x", b.flags);
}

TEST(prepare_mmap, "a buffer is prepared once, and queued after that")
{
	int video = camera_open(0, WIDTH, HEIGHT), ret;
	struct v4l2_buffer b;

	must_request(video, CAPTURE, MMAP, 2);
	require_prepared(video, 0, false);
	ret = prepare(video, MMAP, 0, 0);
	REQUIRE(!ret, "PREPARE_BUF: %s", strerror(-ret));
	require_prepared(video, 0, true);
	REQUIRE(prepare(video, MMAP, 0, 0) == -EINVAL, "prepared again");
	REQUIRE(prepare(video, DMABUF, 1, 0) == -EINVAL, "other memory");
	REQUIRE(prepare(video, MMAP, 2, 0) == -EINVAL, "no such buffer");
	must_queue(video, CAPTURE, MMAP, 0, 0);
	REQUIRE(prepare(video, MMAP, 0, 0) == -EINVAL, "prepared when queued");
	b = query(video, CAPTURE, 0);
	REQUIRE(b.flags & V4L2_BUF_FLAG_QUEUED &&
		!(b.flags & V4L2_BUF_FLAG_PREPARED), "flags %#x", b.flags);
	must_queue(video, CAPTURE, MMAP, 1, 0);
	stream(video, CAPTURE, true);
	b = must_dequeue(video, CAPTURE, MMAP);
	REQUIRE(!b.index && b.bytesused == SIZE && !(b.flags &
		(V4L2_BUF_FLAG_PREPARED | V4L2_BUF_FLAG_QUEUED)),
		"%u, %u bytes, flags %#x", b.index, b.bytesused, b.flags);
}

TEST(prepare_stop, "stopping the stream takes a prepared buffer back")
{
	int video = camera_open(0, WIDTH, HEIGHT), ret;

	must_request(video, CAPTURE, MMAP, 3);
	must_queue(video, CAPTURE, MMAP, 1, 0);
	must_queue(video, CAPTURE, MMAP, 2, 0);
	stream(video, CAPTURE, true);
	ret = prepare(video, MMAP, 0, 0);
	REQUIRE(!ret, "PREPARE_BUF: %s", strerror(-ret));
	stream(video, CAPTURE, false);
	require_prepared(video, 0, false);
	must_queue(video, CAPTURE, MMAP, 0, 0);
}

TEST(prepare_shared, "a prepared buffer is held, and another one refused")
{
	struct totals before = totals_now();
	int video = camera_open(0, WIDTH, HEIGHT), heap = heap_open_cma();
	int fd = new_buffer(heap, SIZE), ret;
	__u16 *mem = map_buffer(fd, SIZE);

	must_request(video, CAPTURE, DMABUF, 2);
	REQUIRE(prepare(video, DMABUF, 0, -1) == -EINVAL, "no descriptor");
	require_prepared(video, 0, false);
	ret = prepare(video, DMABUF, 0, fd);
	REQUIRE(!ret, "PREPARE_BUF: %s", strerror(-ret));
	ret = prepare(video, DMABUF, 1, fd);
	REQUIRE(!ret, "PREPARE_BUF: %s", strerror(-ret));
	require_prepared(video, 0, true);
	close(fd);
	must_queue(video, CAPTURE, DMABUF, 0, fd);
	must_queue(video, CAPTURE, DMABUF, 1, fd);
	stream(video, CAPTURE, true);
	must_dequeue(video, CAPTURE, DMABUF);
	bars_shift(mem, WIDTH, HEIGHT);
	munmap(mem, SIZE);
	close(heap);
	close(video);
	require_totals(&before);
}

TEST(prepare_freed, "a buffer that is only prepared is freed with its queue")
{
	struct totals before = totals_now();
	int video = camera_open(0, WIDTH, HEIGHT), heap = heap_open_cma();
	int fd = new_buffer(heap, SIZE), ret, i;

	for (i = 0; i < 2; i++) {
		must_request(video, CAPTURE, DMABUF, 1 + is_vivid());
		ret = prepare(video, DMABUF, 0, fd);
		REQUIRE(!ret, "PREPARE_BUF: %s", strerror(-ret));
		if (!i)
			must_request(video, CAPTURE, DMABUF, 0);
	}
	close(fd);
	close(heap);
	close(video);
	require_totals(&before);
}

TEST(prepare_format, "the format cannot change while a buffer is prepared")
{
	struct v4l2_format f = { .type = CAPTURE };
	int video = camera_open(0, WIDTH, HEIGHT), ret;

	must_request(video, CAPTURE, MMAP, 2);
	ret = prepare(video, MMAP, 0, 0);
	REQUIRE(!ret, "PREPARE_BUF: %s", strerror(-ret));
	REQUIRE(!ioctl(video, VIDIOC_G_FMT, &f), "%s", strerror(errno));
	f.fmt.pix.width *= 2;
	f.fmt.pix.height *= 2;
	REQUIRE(ioctl(video, VIDIOC_S_FMT, &f) && errno == EBUSY, "%ux%u",
		f.fmt.pix.width, f.fmt.pix.height);
}

TEST(stop_idle, "buffers come back without a stream, and there is none without buffers")
{
	int video = camera_open(0, WIDTH, HEIGHT);
	__u32 type = CAPTURE;
	int i;

	REQUIRE(ioctl(video, VIDIOC_STREAMON, &type) && errno == EINVAL,
		"it streams without buffers");
	stream(video, CAPTURE, false);
	must_request(video, CAPTURE, MMAP, 2);
	for (i = 0; i < 2; i++) {
		must_queue(video, CAPTURE, MMAP, 0, 0);
		must_queue(video, CAPTURE, MMAP, 1, 0);
		stream(video, CAPTURE, false);
		REQUIRE(!(query(video, CAPTURE, 0).flags & V4L2_BUF_FLAG_QUEUED),
			"it is still queued");
	}
	must_queue(video, CAPTURE, MMAP, 1, 0);
	must_queue(video, CAPTURE, MMAP, 0, 0);
	stream(video, CAPTURE, true);
	stream(video, CAPTURE, true);	/* which changes nothing */
	REQUIRE(must_dequeue(video, CAPTURE, MMAP).index == 1, "another buffer");
}

static void *wait_for_output(void *arg)
{
	struct v4l2_buffer b;

	return (void *)(long)dequeue(*(int *)arg, CAPTURE, MMAP, &b);
}

TEST(wait_m2m, "a buffer is queued while another thread waits for it")
{
	int m2m = m2m_open(WIDTH, HEIGHT);
	pthread_t thread;
	void *result;

	must_request(m2m, OUTPUT, MMAP, 1);
	must_request(m2m, CAPTURE, MMAP, 1);
	must_queue(m2m, OUTPUT, MMAP, 0, 0);
	must_queue(m2m, CAPTURE, MMAP, 0, 0);
	stream(m2m, CAPTURE, true);
	REQUIRE(!pthread_create(&thread, NULL, wait_for_output, &m2m), "thread");
	usleep(200000);
	alarm(20);	/* if the thread holds the lock, this waits for it */
	stream(m2m, OUTPUT, true);
	REQUIRE(!pthread_join(thread, &result) && !result, "DQBUF: %ld",
		(long)result);
}
