// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that consist of vb2_ioctl_*, vb2_fop_* and vb2_ops_wait_*: one file owns
 * the queue, and no lock is held while DQBUF waits. Each test is for a queue with
 * the lock of its device, and for one with a lock of its own.
 */
#define TAP_BEGIN	helpers_begin
#define TAP_END		helpers_end
#define TAP_SECONDS	60

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "video.h"

#include <pthread.h>
#include <sched.h>

#define SIZE	(64 * 64 * 2)
#define MMAP	V4L2_MEMORY_MMAP

static void helpers_begin(void)
{
	module_begin("cma_camera");
}

static void helpers_end(void)
{
	module_end("cma_camera");
}

static bool has_card_name(const struct v4l2_capability *cap, const void *name)
{
	return !strcmp((const char *)cap->card, name);
}

/* The first or the second camera of cma_camera. */
static int helpers_open(unsigned int which)
{
	char name[32];
	int fd;

	REQUIRE(!module_error, "cma_camera: %s", strerror(-module_error));
	snprintf(name, sizeof(name), "cma_camera%u", which);
	fd = node_open(has_card_name, name, 0);
	REQUIRE(fd >= 0, "no %s", name);
	return fd;
}

static void check_stream(unsigned int which)
{
	struct totals before = totals_now();
	int video = helpers_open(which), heap = heap_open_cma();
	int fd, shared = new_buffer(heap, SIZE), ret;
	__u32 *mem[2], *other = map_buffer(shared, SIZE);
	struct v4l2_buffer b;
	unsigned int i;

	must_request(video, CAPTURE, MMAP, 2);
	for (i = 0; i < 2; i++) {
		mem[i] = map_own(video, i, SIZE);
		must_queue(video, CAPTURE, MMAP, i, 0);
	}
	fd = must_export(video, CAPTURE, 0);
	stream(video, CAPTURE, true);
	for (i = 0; i < 6; i++) {
		b = must_dequeue(video, CAPTURE, MMAP);
		REQUIRE(b.sequence == i && mem[b.index][0] == i &&
			mem[b.index][SIZE / 4 - 1] == i &&
			b.flags & V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
			"frame %u: %u, %u, flags %#x", i, b.sequence,
			mem[b.index][0], b.flags);
		must_queue(video, CAPTURE, MMAP, b.index, 0);
	}
	stream(video, CAPTURE, false);
	munmap(mem[0], SIZE);
	munmap(mem[1], SIZE);
	close(fd);

	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, 2);
	must_queue(video, CAPTURE, V4L2_MEMORY_DMABUF, 0, shared);
	memset(other, 0xff, SIZE);
	stream(video, CAPTURE, true);
	ret = dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF, &b);
	REQUIRE(!ret && !other[0] && !other[SIZE / 4 - 1], "%s, %#x",
		strerror(-ret), other[0]);
	munmap(other, SIZE);
	close(shared);
	close(heap);
	close(video);
	require_totals(&before);
}

TEST(stream, "a driver of handlers captures, exports and imports")
{
	check_stream(0);
	check_stream(1);
}

/* What only the owner of the queue may do. */
static void require_busy(int video)
{
	struct v4l2_create_buffers create = {
		.count = 1, .memory = MMAP, .format.type = CAPTURE,
		.format.fmt.pix.sizeimage = SIZE,
	};
	struct v4l2_buffer b = { .type = CAPTURE, .memory = MMAP };
	__u32 type = CAPTURE;
	char byte;

	REQUIRE(request(video, CAPTURE, MMAP, 2) == -EBUSY, "REQBUFS");
	REQUIRE(request(video, CAPTURE, MMAP, 0) == -EBUSY, "REQBUFS(0)");
	REQUIRE(ioctl(video, VIDIOC_CREATE_BUFS, &create) && errno == EBUSY,
		"CREATE_BUFS");
	REQUIRE(ioctl(video, VIDIOC_PREPARE_BUF, &b) && errno == EBUSY,
		"PREPARE_BUF");
	REQUIRE(queue(video, CAPTURE, MMAP, 0, 0, 0) == -EBUSY, "QBUF");
	REQUIRE(dequeue(video, CAPTURE, MMAP, &b) == -EBUSY, "DQBUF");
	REQUIRE(export_plane(video, CAPTURE, 0, 0, O_RDWR) == -EBUSY, "EXPBUF");
	REQUIRE(ioctl(video, VIDIOC_STREAMON, &type) && errno == EBUSY,
		"STREAMON");
	REQUIRE(ioctl(video, VIDIOC_STREAMOFF, &type) && errno == EBUSY,
		"STREAMOFF");
	REQUIRE(read(video, &byte, 1) < 0 && errno == EBUSY, "read");
}

static void check_owner(unsigned int which)
{
	struct totals before = totals_now();
	int owner = helpers_open(which), other = helpers_open(which);
	struct v4l2_create_buffers ask = {
		.memory = MMAP, .format.type = CAPTURE,
	};
	char picture[SIZE];
	struct v4l2_buffer b;

	must_request(owner, CAPTURE, MMAP, 2);
	require_busy(other);
	query(other, CAPTURE, 1);
	REQUIRE(!ioctl(other, VIDIOC_CREATE_BUFS, &ask) && ask.index == 2,
		"%s, %u", strerror(errno), ask.index);
	must_queue(owner, CAPTURE, MMAP, 0, 0);
	must_queue(owner, CAPTURE, MMAP, 1, 0);
	stream(owner, CAPTURE, true);
	close(other);
	b = must_dequeue(owner, CAPTURE, MMAP);
	REQUIRE(!b.index, "%u", b.index);

	/* the buffers go with their owner */
	other = helpers_open(which);
	close(owner);
	owner = helpers_open(which);
	REQUIRE(read(other, picture, SIZE) == SIZE, "%s", strerror(errno));
	require_busy(owner);
	close(other);
	must_request(owner, CAPTURE, MMAP, 2);
	must_request(owner, CAPTURE, MMAP, 0);
	other = helpers_open(which);
	must_request(other, CAPTURE, MMAP, 2);
	require_busy(owner);
	close(owner);
	close(other);
	require_totals(&before);
}

TEST(owner, "only the file that requested the buffers uses the queue")
{
	check_owner(0);
	check_owner(1);
}

static void check_poll(unsigned int which)
{
	int video = helpers_open(which);
	struct pollfd poller = { .fd = video, .events = POLLIN };
	__u32 picture[SIZE / 4];

	REQUIRE(poll(&poller, 1, 5000) == 1 && poller.revents & POLLIN, "%#x",
		poller.revents);
	REQUIRE(read(video, picture, SIZE) == SIZE && !picture[0] &&
		!picture[SIZE / 4 - 1], "%#x", picture[0]);
	REQUIRE(read(video, picture, SIZE) == SIZE && picture[0] == 1, "%#x",
		picture[0]);
	close(video);
}

TEST(poll, "poll() starts to capture for read()")
{
	check_poll(0);
	check_poll(1);
}

static void *wait_for_frame(void *arg)
{
	struct v4l2_buffer b;

	return (void *)(long)dequeue(*(int *)arg, CAPTURE, MMAP, &b);
}

static void check_wait(unsigned int which)
{
	int video = helpers_open(which);
	struct v4l2_format f = { .type = CAPTURE };
	pthread_t thread;
	void *result;

	must_request(video, CAPTURE, MMAP, 2);
	stream(video, CAPTURE, true);	/* without a buffer, so that DQBUF waits */
	REQUIRE(!pthread_create(&thread, NULL, wait_for_frame, &video), "thread");
	usleep(200000);
	REQUIRE(!ioctl(video, VIDIOC_G_FMT, &f), "%s", strerror(errno));
	query(video, CAPTURE, 0);
	must_queue(video, CAPTURE, MMAP, 0, 0);
	REQUIRE(!pthread_join(thread, &result) && !result, "DQBUF: %ld",
		(long)result);

	REQUIRE(!pthread_create(&thread, NULL, wait_for_frame, &video), "thread");
	usleep(200000);
	stream(video, CAPTURE, false);
	REQUIRE(!pthread_join(thread, &result) && (long)result == -EINVAL,
		"DQBUF: %ld", (long)result);
	close(video);
}

TEST(wait, "a DQBUF that waits holds no lock")
{
	check_wait(0);
	check_wait(1);
}

/* A frame takes this long, in ms: enough for what happens while read() waits. */
static void set_period(const char *msec)
{
	REQUIRE(!write_file("/sys/module/cma_camera/parameters/period", msec),
		"period");
}

static void *read_frame(void *arg)
{
	static char picture[SIZE];

	long size = read(*(int *)arg, picture, SIZE);

	return (void *)(size < 0 ? -errno : size);
}

/* Start to capture, and let a thread wait for the next frame. */
static void read_begin(int video, pthread_t *thread)
{
	static int reader;
	char picture[SIZE];

	reader = video;
	set_period("20");
	REQUIRE(read(video, picture, SIZE) == SIZE, "%s", strerror(errno));
	set_period("1000");
	/* those that were due already */
	REQUIRE(read(video, picture, SIZE) == SIZE, "%s", strerror(errno));
	REQUIRE(!pthread_create(thread, NULL, read_frame, &reader), "thread");
	usleep(200000);
}

static void read_end(pthread_t thread)
{
	void *result;

	REQUIRE(!pthread_join(thread, &result) && (long)result == SIZE,
		"read: %ld", (long)result);
	set_period("20");
}

static void check_read_keeps(unsigned int which)
{
	int video = helpers_open(which);
	__u32 type = CAPTURE;
	pthread_t thread;

	read_begin(video, &thread);
	REQUIRE(ioctl(video, VIDIOC_STREAMOFF, &type) && errno == EBUSY,
		"STREAMOFF: %s", strerror(errno));
	REQUIRE(request(video, CAPTURE, MMAP, 2) == -EBUSY, "REQBUFS");
	REQUIRE(queue(video, CAPTURE, MMAP, 0, 0, 0) == -EBUSY, "QBUF");
	read_end(thread);
	close(video);
}

TEST(read_keeps, "an ioctl cannot change the queue while read() waits")
{
	check_read_keeps(0);
	check_read_keeps(1);
}

/* Two threads read from one file; the frames come at the same rate to both. */
static void check_two_readers(unsigned int which)
{
	int video = helpers_open(which), flags = fcntl(video, F_GETFL);
	pthread_t first, second;
	void *result;
	char byte;

	read_begin(video, &first);
	REQUIRE(!fcntl(video, F_SETFL, flags | O_NONBLOCK), "O_NONBLOCK");
	REQUIRE(read(video, &byte, 1) < 0 && errno == EAGAIN,
		"a second read with O_NONBLOCK: %s", strerror(errno));
	REQUIRE(!fcntl(video, F_SETFL, flags), "not O_NONBLOCK");
	REQUIRE(!pthread_create(&second, NULL, read_frame, &video), "thread");
	usleep(100000);
	read_end(first);
	REQUIRE(!pthread_join(second, &result) && (long)result == SIZE,
		"a second read: %ld", (long)result);
	close(video);
}

TEST(two_readers, "a second read() waits for its turn, or fails with EAGAIN")
{
	check_two_readers(0);
	check_two_readers(1);
}

static void check_read_waits(unsigned int which)
{
	struct v4l2_format f = { .type = CAPTURE };
	int video = helpers_open(which), other;
	unsigned long long start;
	pthread_t thread;

	read_begin(video, &thread);
	start = clock_ns(CLOCK_MONOTONIC);
	REQUIRE(!ioctl(video, VIDIOC_G_FMT, &f), "%s", strerror(errno));
	other = helpers_open(which);
	close(other);
	start = (clock_ns(CLOCK_MONOTONIC) - start) / 1000000;
	REQUIRE(start < 300, "an ioctl and open() took %llu ms", start);
	read_end(thread);
	close(video);
}

TEST(read_waits, "a read() that waits holds no lock")
{
	check_read_waits(0);
	check_read_waits(1);
}

/* Use the device, close it, and unmap it last. */
static void use_and_unmap(unsigned int which)
{
	int video = helpers_open(which);
	void *mem;

	must_request(video, CAPTURE, MMAP, 2);
	mem = map_own(video, 0, SIZE);
	close(video);
	munmap(mem, SIZE);
}

/* Let nothing else run on this CPU unless the process sleeps, a work for instance. */
static void be_alone(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	REQUIRE(!sched_setaffinity(0, sizeof(cpus), &cpus) &&
		!sched_setscheduler(0, SCHED_FIFO, &param), "%s",
		strerror(errno));
}

static void check_unmapped(unsigned int which)
{
	int video = helpers_open(which), i, ret;
	struct v4l2_create_buffers create = {
		.count = 1, .memory = MMAP, .format.type = CAPTURE,
		.format.fmt.pix.sizeimage = SIZE,
	};
	char picture[SIZE];

	for (i = 0; i < 20; i++) {
		use_and_unmap(which);
		ret = request(video, CAPTURE, MMAP, 2);
		REQUIRE(ret == 2, "REQBUFS %d: %s", i, strerror(-ret));
		must_request(video, CAPTURE, MMAP, 0);
		use_and_unmap(which);
		REQUIRE(!ioctl(video, VIDIOC_CREATE_BUFS, &create),
			"CREATE_BUFS %d: %s", i, strerror(errno));
		must_request(video, CAPTURE, MMAP, 0);
	}
	use_and_unmap(which);
	REQUIRE(read(video, picture, SIZE) == SIZE, "read: %s", strerror(errno));
	close(video);
}

TEST(unmapped, "whoever unmaps a buffer last does not own the queue any longer")
{
	be_alone();
	check_unmapped(0);
	check_unmapped(1);
}
