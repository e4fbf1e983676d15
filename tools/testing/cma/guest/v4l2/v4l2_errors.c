// SPDX-License-Identifier: GPL-2.0
/*
 * What VIDIOC_EXPBUF and VIDIOC_QBUF refuse, without leaving anything behind. The
 * errnos are those of v3.8.
 */
#define TAP_BEGIN	mock_begin
#define TAP_END		mock_end

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "mock.h"
#include "video.h"

#include <sys/resource.h>

#define WIDTH	320
#define HEIGHT	240
#define SIZE	(WIDTH * HEIGHT * 2)
#define COUNT	3

static void mock_begin(void)
{
	module_begin("cma_mock");
}

static void mock_end(void)
{
	module_end("cma_mock");
}

/* A camera with buffers of this kind. */
static int camera_with(__u32 memory)
{
	int video = camera_open(0, WIDTH, HEIGHT);

	must_request(video, CAPTURE, memory, COUNT);
	return video;
}

/* A camera whose buffers can be exported, or skip. */
static int camera_to_export(void)
{
	need_contiguous(is_camera);
	return camera_with(V4L2_MEMORY_MMAP);
}

/* No buffer of the queue is in use. */
static void require_unused(int video, __u32 memory)
{
	int ret = request(video, CAPTURE, memory, 0);

	REQUIRE(!ret, "REQBUFS: %s", strerror(-ret));
}

static int export_first(int video, __u32 flags)
{
	return export_plane(video, CAPTURE, 0, 0, flags);
}

TEST(export_arguments, "exports of invalid buffers are refused")
{
	struct totals before = totals_now();
	int video;

	need_contiguous(is_camera);
	video = camera_open(0, WIDTH, HEIGHT);
	REQUIRE(export_first(video, 0) == -EINVAL, "without buffers");
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	REQUIRE(export_plane(video, CAPTURE, COUNT, 0, 0) == -EINVAL, "no such buffer");
	REQUIRE(export_plane(video, CAPTURE, -1, 0, 0) == -EINVAL, "no such buffer");
	REQUIRE(export_plane(video, CAPTURE, 0, 1, 0) == -EINVAL, "no such plane");
	REQUIRE(export_plane(video, CAPTURE, 0, -1, 0) == -EINVAL, "no such plane");
	REQUIRE(export_plane(video, OUTPUT, 0, 0, 0) == -EINVAL, "no such queue");
	REQUIRE(export_plane(video, 0, 0, 0, 0) == -EINVAL, "no queue");
	REQUIRE(export_first(video, O_NONBLOCK) == -EINVAL, "flags");
	REQUIRE(ioctl(video, VIDIOC_EXPBUF, NULL) && errno == EFAULT, "pointer");
	require_unused(video, V4L2_MEMORY_MMAP);
	if (!is_vivid())	/* the driver of 6.1 has no contiguous buffers */
		must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, COUNT);
	REQUIRE(export_first(video, 0) == -EINVAL, "memory of the process");
	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	REQUIRE(export_first(video, 0) == -EINVAL, "memory of others");
	close(video);
	require_totals(&before);
}

TEST(export_vmalloc, "only contiguous memory is exported")
{
	int video = camera_with(V4L2_MEMORY_MMAP);
	int fd = export_first(video, O_RDWR);

	/* 6.1 can export memory from vmalloc() */
	if (has_contiguous(is_camera) || is_vivid())
		REQUIRE(fd >= 0, "%s", strerror(-fd));
	else
		REQUIRE(fd == -EINVAL, "%d", fd);
}

TEST(export_result, "an export fills in its result and clears the reserved fields")
{
	int video = camera_to_export(), fd = lowest_fd();
	struct v4l2_exportbuffer eb = { .type = CAPTURE, .index = 1, .fd = 77 };
	size_t i;

	memset(eb.reserved, 0xff, sizeof(eb.reserved));
	REQUIRE(!ioctl(video, VIDIOC_EXPBUF, &eb), "%s", strerror(errno));
	REQUIRE(eb.fd == fd, "descriptor %d, not %d", eb.fd, fd);
	REQUIRE(eb.type == CAPTURE && eb.index == 1 && !eb.plane && !eb.flags,
		"what was asked for has changed");
	for (i = 0; i < ARRAY_SIZE(eb.reserved); i++)
		REQUIRE(!eb.reserved[i], "reserved[%zu] is %#x", i, eb.reserved[i]);
	close(fd);
	require_unused(video, V4L2_MEMORY_MMAP);
}

TEST(export_flags, "a descriptor is close-on-exec or read-only if requested")
{
	int video = camera_to_export(), fd;
	void *mem;

	fd = export_first(video, O_RDWR);
	REQUIRE(fcntl(fd, F_GETFD) == 0, "close on exec unasked");
	close(fd);
	fd = export_first(video, O_RDWR | O_CLOEXEC);
	REQUIRE(fcntl(fd, F_GETFD) == FD_CLOEXEC, "not closed on exec");
	munmap(map_buffer(fd, SIZE), SIZE);
	close(fd);

	fd = export_first(video, O_RDONLY);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	REQUIRE(!map_part(fd, 0, SIZE) && errno == EACCES, "it can be written to");
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(mem != MAP_FAILED, "%s", strerror(errno));
	REQUIRE(mprotect(mem, SIZE, PROT_READ | PROT_WRITE) && errno == EACCES,
		"it can be written to after mprotect");
	munmap(mem, SIZE);
	close(fd);
	require_unused(video, V4L2_MEMORY_MMAP);
}

TEST(export_private, "an exported buffer is not mapped with MAP_PRIVATE")
{
	int video = camera_to_export(), fd = export_first(video, O_RDWR);
	void *mem;

	if (is_vivid())
		skip("private mappings are possible on this kernel");
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(mem == MAP_FAILED && errno == EINVAL, "%s", strerror(errno));
	close(fd);
	require_unused(video, V4L2_MEMORY_MMAP);
}

TEST(export_no_fd, "an export without a free descriptor leaks nothing")
{
	int video = camera_to_export(), fd;
	struct rlimit limit;

	REQUIRE(!getrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
	limit.rlim_cur = lowest_fd();
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
	fd = export_first(video, O_RDWR);
	REQUIRE(fd == -EMFILE, "%d", fd);
	require_unused(video, V4L2_MEMORY_MMAP);
}

TEST(export_read_only, "an export that cannot write its result leaks nothing")
{
	int video = camera_to_export(), fd = lowest_fd();
	struct v4l2_exportbuffer *eb = map_anon(PAGE);

	if (is_vivid())
		skip("the descriptor stays on this kernel");
	eb->type = CAPTURE;
	REQUIRE(!mprotect(eb, PAGE, PROT_READ), "%s", strerror(errno));
	REQUIRE(ioctl(video, VIDIOC_EXPBUF, eb) && errno == EFAULT, "%s",
		strerror(errno));
	REQUIRE(lowest_fd() == fd, "a descriptor is left");
	require_unused(video, V4L2_MEMORY_MMAP);
}

TEST(export_reading, "a queue that is used by read() exports nothing")
{
	int video = camera_open(0, WIDTH, HEIGHT);
	char *picture = map_anon(SIZE);

	need_contiguous(is_camera);
	REQUIRE(read(video, picture, PAGE) == (ssize_t)PAGE, "%s", strerror(errno));
	REQUIRE(export_first(video, O_RDWR) == -EBUSY, "exported");
}

/* Queue a buffer that is to be refused; the index has no buffer after that. */
static void refuse(int video, struct v4l2_buffer b, int error, const char *what)
{
	__u32 index = b.index;
	int ret;

	b.type = CAPTURE;
	b.memory = V4L2_MEMORY_DMABUF;
	ret = queue_buffer(video, &b);
	REQUIRE(ret == error, "%s: %s", what, strerror(-ret));
	b = query(video, CAPTURE, index);
	/* 6.1 adds the source of its time stamps */
	b.flags &= ~(V4L2_BUF_FLAG_TIMESTAMP_MASK | V4L2_BUF_FLAG_TSTAMP_SRC_MASK);
	REQUIRE(b.length == SIZE && !b.m.fd && !b.flags,
		"%s: length %u, descriptor %d, flags %#x are left", what,
		b.length, b.m.fd, b.flags);
}

static void refuse_fd(int video, int fd, int error, const char *what)
{
	struct v4l2_buffer b = { .m.fd = fd };

	refuse(video, b, error, what);
}

static void refuse_length(int video, int fd, __u32 length, int error)
{
	struct v4l2_buffer b = { .m.fd = fd, .length = length };
	char what[32];

	snprintf(what, sizeof(what), "%u bytes", length);
	refuse(video, b, error, what);
}

TEST(import_arguments, "a QBUF that names no valid index is refused")
{
	int heap = heap_open_cma(), video = camera_open(0, WIDTH, HEIGHT), fd;

	fd = new_buffer(heap, SIZE);
	REQUIRE(request(video, CAPTURE, 5, 1) == -EINVAL, "no such memory");
	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	REQUIRE(queue(video, CAPTURE, V4L2_MEMORY_MMAP, 0, fd, 0) == -EINVAL,
		"other memory");
	REQUIRE(queue(video, OUTPUT, V4L2_MEMORY_DMABUF, 0, fd, 0) == -EINVAL,
		"other queue");
	REQUIRE(queue(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT, fd, 0) == -EINVAL,
		"no such index");
	must_queue(video, CAPTURE, V4L2_MEMORY_DMABUF, 0, fd);
	REQUIRE(queue(video, CAPTURE, V4L2_MEMORY_DMABUF, 0, fd, 0) == -EINVAL,
		"queued already");
}

TEST(import_fd, "a descriptor that is no buffer of the right size is refused")
{
	struct totals before = totals_now();
	int heap = heap_open_cma(), video = camera_with(V4L2_MEMORY_DMABUF);
	int small = new_buffer(heap, PAGE), closed = new_buffer(heap, SIZE);

	close(closed);
	refuse_fd(video, -1, -EINVAL, "no descriptor");
	refuse_fd(video, 1000, -EINVAL, "never open");
	refuse_fd(video, closed, -EINVAL, "closed");
	refuse_fd(video, heap, -EINVAL, "no shared buffer");
	refuse_fd(video, small, -EINVAL, "too small for a picture");
	close(small);
	close(video);
	close(heap);
	require_totals(&before);
}

TEST(import_length, "the length covers a picture, and does not exceed the buffer")
{
	int heap = heap_open_cma(), video = camera_with(V4L2_MEMORY_DMABUF);
	struct v4l2_buffer b = { .type = CAPTURE, .memory = V4L2_MEMORY_DMABUF };
	size_t size = SIZE + 4 * PAGE;
	int fd = new_buffer(heap, size);

	size = lseek(fd, 0, SEEK_END);
	refuse_length(video, fd, 1, -EINVAL);
	refuse_length(video, fd, SIZE - 1, -EINVAL);
	refuse_length(video, fd, size + 1, -EFAULT);
	refuse_length(video, fd, size + PAGE, -EFAULT);
	refuse_length(video, fd, -1, -EFAULT);

	b.m.fd = fd;
	b.length = SIZE + 1;
	REQUIRE(!queue_buffer(video, &b), "%s", strerror(errno));
	REQUIRE(b.length == SIZE + 1 && b.m.fd == fd &&
		b.flags & V4L2_BUF_FLAG_QUEUED, "%u bytes, descriptor %d, flags %#x",
		b.length, b.m.fd, b.flags);
	b.index = 1;
	b.length = 0;
	REQUIRE(!queue_buffer(video, &b), "%s", strerror(errno));
	REQUIRE(b.length == size, "%u bytes", b.length);
}

TEST(import_output, "the bytes of an output buffer do not exceed its length")
{
	int heap = heap_open_cma(), m2m = m2m_open(WIDTH, HEIGHT);
	struct v4l2_buffer b = {
		.type = OUTPUT, .memory = V4L2_MEMORY_DMABUF, .length = SIZE,
	};
	int fd = new_buffer(heap, SIZE), ret;

	must_request(m2m, OUTPUT, V4L2_MEMORY_DMABUF, COUNT);
	b.m.fd = fd;
	b.bytesused = SIZE + 1;
	ret = queue_buffer(m2m, &b);
	REQUIRE(ret == -EINVAL, "%s", strerror(-ret));
	b.bytesused = SIZE;
	ret = queue_buffer(m2m, &b);
	REQUIRE(!ret, "%s", strerror(-ret));
}

TEST(import_no_address, "a buffer that the CPU cannot draw into is refused")
{
	struct totals before = totals_now();
	int video, ret, fd;

	if (module_error == -ENOENT)
		skip("no exporter for tests");
	/* a buffer that has no address for the CPU */
	fd = mock_export(module_error, CMA_MOCK_MOVING);
	video = video_open(is_camera, 0);
	set_format(video, CAPTURE, V4L2_PIX_FMT_RGB565, 48, 32);
	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	ret = queue(video, CAPTURE, V4L2_MEMORY_DMABUF, 0, fd, 0);
	REQUIRE(ret == -EFAULT, "%s", strerror(-ret));
	close(fd);
	/* it is no longer attached: all of it is free again */
	require_totals(&before);
	close(video);
}

TEST(format_queued, "the format cannot change while buffers are queued")
{
	int heap = heap_open_cma(), video = camera_with(V4L2_MEMORY_DMABUF);
	struct v4l2_format f = { .type = CAPTURE };

	must_queue(video, CAPTURE, V4L2_MEMORY_DMABUF, 0, new_buffer(heap, SIZE));
	REQUIRE(!ioctl(video, VIDIOC_G_FMT, &f), "%s", strerror(errno));
	f.fmt.pix.width = 2 * WIDTH;
	f.fmt.pix.height = 2 * HEIGHT;
	REQUIRE(ioctl(video, VIDIOC_S_FMT, &f) && errno == EBUSY, "another format");
	REQUIRE(!ioctl(video, VIDIOC_G_FMT, &f) && f.fmt.pix.width == WIDTH &&
		f.fmt.pix.height == HEIGHT, "%ux%u", f.fmt.pix.width,
		f.fmt.pix.height);
	require_unused(video, V4L2_MEMORY_DMABUF);
	set_format(video, CAPTURE, V4L2_PIX_FMT_RGB565, 2 * WIDTH, 2 * HEIGHT);
}

TEST(format_larger, "buffers of a smaller format cannot be queued")
{
	int video = camera_with(V4L2_MEMORY_MMAP), ret;

	if (is_vivid())
		skip("the format stays while there are buffers");
	set_format(video, CAPTURE, V4L2_PIX_FMT_RGB565, WIDTH, HEIGHT + 1);
	ret = queue(video, CAPTURE, V4L2_MEMORY_MMAP, 0, 0, 0);
	REQUIRE(ret == -EINVAL, "%s", strerror(-ret));
}

/* Queue all buffers, and request new ones before the stream starts. */
static void check_requeue(__u32 memory)
{
	int heap = heap_open_cma(), video = camera_with(memory), i;
	struct pollfd poller = { .fd = video, .events = POLLIN };
	int fd = new_buffer(heap, SIZE);

	for (i = 0; i < COUNT; i++)
		must_queue(video, CAPTURE, memory, i, fd);
	must_request(video, CAPTURE, memory, COUNT);
	REQUIRE(poll(&poller, 1, 0) == 1 && poller.revents == POLLERR,
		"buffers are queued that are gone: %#x", poller.revents);
	for (i = 0; i < COUNT; i++)
		must_queue(video, CAPTURE, memory, i, fd);
	stream(video, CAPTURE, true);
	for (i = 0; i < COUNT; i++)
		must_dequeue(video, CAPTURE, memory);
	close(video);
	close(fd);
	close(heap);
}

TEST(requeue, "queued buffers are dropped when new ones are requested")
{
	struct totals before = totals_now();

	check_requeue(V4L2_MEMORY_DMABUF);
	check_requeue(V4L2_MEMORY_MMAP);
	require_totals(&before);
}
