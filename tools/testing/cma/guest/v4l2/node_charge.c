// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of cameras and displays are charged to users, devices and open files
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "charge.h"
#include "video.h"
#include "card.h"

#include <pthread.h>
#include <sys/stat.h>

#define WIDTH	320
#define HEIGHT	240
#define SIZE	(WIDTH * HEIGHT * 2)
#define PAGES	((SIZE + PAGE - 1) / PAGE * PAGE)
#define CAMERA	"vivi.0"
#define M2M	"m2m-testdev.0"
/* Of this series; the program is compiled with the headers of the compiler */
#ifndef DMA_BUF_IOCTL_CLAIM
#define DMA_BUF_IOCTL_CLAIM	_IO(DMA_BUF_BASE, 64)
#endif

/* Limit a file, or a device, to so many bytes. */
static void limit_bytes(const char *file, const char *device, unsigned long bytes)
{
	char text[100];

	snprintf(text, sizeof(text), "%s%s%lu", device, device[0] ? " " : "", bytes);
	set_limit(file, text);
}

static void no_node_limits(void)
{
	char text[100];

	no_limits();
	set_limit("device_limits", CAMERA " default");
	set_limit("device_limits", M2M " default");
	snprintf(text, sizeof(text), "%s default", card_device());
	set_limit("device_limits", text);
}

static void require_bytes(const char *holder, const struct charged *before, size_t bytes)
{
	REQUIRE(charged_as(holder).bytes == before->bytes + bytes, "%s: %lld bytes, not %zu",
		holder, (long long)(charged_as(holder).bytes - before->bytes), bytes);
}

/* Request buffers: how many there are, or 100 plus an errno. */
static int request_type(int video, __u32 type, int count)
{
	int ret = request(video, type, V4L2_MEMORY_MMAP, count);

	return ret < 0 ? 100 - ret : ret;
}

static int request_as(int video, int count)
{
	return request_type(video, CAPTURE, count);
}

/* The same for the output of a mem2mem device */
static int request_output_as(int m2m, int count)
{
	return request_type(m2m, OUTPUT, count);
}

TEST(camera, "a limit leaves a queue fewer buffers, or none")
{
	struct charged before = charged(SOMEBODY);
	int video, fd;
	char limit[20];

	need_contiguous(is_camera);
	video = camera_open(0, WIDTH, HEIGHT);
	no_limits();
	REQUIRE(as_user(SOMEBODY, request_as, video, 6) == 6, "a limit, although there is none");
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + 6 * PAGES, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 0);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "charged after the buffers are free");

	snprintf(limit, sizeof(limit), "%d", 4 * PAGES + PAGE);
	set_limit("user_limit", limit);
	REQUIRE(as_user(SOMEBODY, request_as, video, 6) == 4, "not 4 buffers");
	fd = export_plane(video, CAPTURE, 0, 0, O_RDWR);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	no_limits();
	/* An exported buffer stays charged after its queue */
	close(video);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + PAGES, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	close(fd);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "charged after the buffer is free");

	video = camera_open(0, WIDTH, HEIGHT);
	set_limit("user_limits", "1000 0");
	REQUIRE(as_user(SOMEBODY, request_as, video, 6) == 100 + ENOMEM, "a buffer");
	no_limits();
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 2);
	close(video);
}

/* Create dumb buffers of 1 MiB: how many there are, or an errno plus 100. */
static int create_as(int card, int count)
{
	struct frame frame;
	int n, ret;

	for (n = 0; n < count; n++) {
		ret = dumb_create(card, &frame, 512, 512, 32);
		if (ret == -EDQUOT)
			break;
		if (ret)
			return 100 - ret;
	}
	return n;
}

TEST(display, "dumb buffers beyond the limit of a user are refused")
{
	struct charged before = charged(SOMEBODY);
	int card = card_open();

	no_limits();
	set_limit("user_limits", "1000 3M");
	REQUIRE(as_user(SOMEBODY, create_as, card, 6) == 3, "not 3 buffers");
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + 3 * MIB, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	REQUIRE(charged(SOMEBODY).refused == before.refused + 1, "not counted");
	REQUIRE(as_user(SOMEBODY_ELSE, create_as, card, 6) == 6, "a limit of somebody else");
	no_limits();
	close(card);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "charged after the buffers are free");
	REQUIRE(!charged(SOMEBODY_ELSE).bytes, "charged after the buffers are free");
}

/* Add buffers with CREATE_BUFS: how many there are, or 100 plus an errno. */
static int create_bufs_as(int video, int count)
{
	struct v4l2_create_buffers create = {
		.count = count, .memory = V4L2_MEMORY_MMAP, .format.type = CAPTURE,
	};

	if (ioctl(video, VIDIOC_G_FMT, &create.format) ||
	    ioctl(video, VIDIOC_CREATE_BUFS, &create))
		return 100 + errno;
	return create.count;
}

TEST(camera_device, "a camera gives no more than its limit, to all users together")
{
	struct charged before = charged_as(CAMERA), user = charged(SOMEBODY);
	int video, m2m;

	need_contiguous(is_camera);
	need_contiguous(is_m2m);
	video = camera_open(0, WIDTH, HEIGHT);
	m2m = m2m_open(WIDTH, HEIGHT);
	no_node_limits();
	limit_bytes("device_limits", CAMERA, 4 * PAGES + PAGE);
	REQUIRE(as_user(SOMEBODY, request_as, video, 3) == 3, "not 3 buffers");
	REQUIRE(as_user(SOMEBODY_ELSE, create_bufs_as, video, 3) == 1, "not 1 more");
	require_bytes(CAMERA, &before, 4 * PAGES);
	require_bytes("1000", &user, 3 * PAGES);
	REQUIRE(as_user(SOMEBODY_ELSE, create_bufs_as, video, 1) == 100 + ENOMEM, "a fifth");
	REQUIRE(charged_as(CAMERA).refused == before.refused + 2, "%lu refused",
		charged_as(CAMERA).refused - before.refused);
	REQUIRE(as_user(SOMEBODY, request_as, m2m, 6) == 6, "a limit of another device");
	REQUIRE(create_bufs_as(video, 1) == 1, "root has CAP_SYS_RESOURCE");
	require_bytes(CAMERA, &before, 5 * PAGES);
	no_node_limits();
	limit_bytes("device_limit", "", 2 * PAGES);
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 0);
	must_request(m2m, CAPTURE, V4L2_MEMORY_MMAP, 0);
	REQUIRE(as_user(SOMEBODY, request_as, video, 3) == 2, "the limit of all devices");
	REQUIRE(as_user(SOMEBODY, request_as, m2m, 3) == 2, "the limit of all devices");
	no_node_limits();
	close(video);
	close(m2m);
	require_bytes(CAMERA, &before, 0);
	require_bytes("1000", &user, 0);
}

/* The first read() requests buffers: 0 or an errno. */
static int read_as(int video, int unused)
{
	static char frame[SIZE];

	(void)unused;
	return read(video, frame, sizeof(frame)) < 0 ? errno : 0;
}

/* So does the first poll(): 0, or 1 for an error. */
static int poll_as(int video, int unused)
{
	struct pollfd poller = { .fd = video, .events = POLLIN };

	(void)unused;
	return poll(&poller, 1, 5000) != 1 || poller.revents & POLLERR;
}

TEST(camera_file, "what an open file of a camera requests in any way counts against its limit")
{
	struct charged before = charged(SOMEBODY);
	int video, other, fd;

	need_contiguous(is_camera);
	no_node_limits();
	video = camera_open(0, WIDTH, HEIGHT);
	limit_bytes("file_limit", "", 4 * PAGES);
	REQUIRE(as_user(SOMEBODY, request_as, video, 3) == 3, "not 3 buffers");
	/* The same file, in the hand of somebody else */
	REQUIRE(as_user(SOMEBODY_ELSE, create_bufs_as, video, 3) == 1, "not 1 more");
	REQUIRE(as_user(SOMEBODY_ELSE, create_bufs_as, video, 1) == 100 + ENOMEM, "a fifth");
	fd = must_export(video, CAPTURE, 0);
	close(video);
	require_bytes("1000", &before, PAGES);

	/* A buffer that lives on does not count against a new file */
	other = camera_open(0, WIDTH, HEIGHT);
	REQUIRE(as_user(SOMEBODY, request_as, other, 6) == 4, "not 4 buffers");
	close(fd);
	must_request(other, CAPTURE, V4L2_MEMORY_MMAP, 0);
	REQUIRE(as_user(SOMEBODY, request_as, other, 6) == 4, "free buffers count");
	must_request(other, CAPTURE, V4L2_MEMORY_MMAP, 0);

	limit_bytes("file_limit", "", 0);
	REQUIRE(as_user(SOMEBODY, read_as, other, 0) == ENOMEM, "read()");
	REQUIRE(as_user(SOMEBODY, poll_as, other, 0) == 1, "poll()");
	no_node_limits();
	REQUIRE(as_user(SOMEBODY, read_as, other, 0) == 0, "read() without a limit");
	REQUIRE(charged(SOMEBODY).bytes > before.bytes, "read() is not charged");
	close(other);
	require_bytes("1000", &before, 0);
}

TEST(m2m_file, "both queues of an open mem2mem device share a limit, and each file has its own")
{
	struct charged before = charged_as(M2M);
	int first, second;

	need_contiguous(is_m2m);
	no_node_limits();
	first = m2m_open(WIDTH, HEIGHT);
	second = m2m_open(WIDTH, HEIGHT);
	limit_bytes("file_limit", "", 3 * PAGES);
	REQUIRE(as_user(SOMEBODY, request_output_as, first, 2) == 2, "not 2 buffers");
	REQUIRE(as_user(SOMEBODY, request_as, first, 4) == 1, "not 1 buffer");
	REQUIRE(as_user(SOMEBODY, request_as, second, 4) == 3, "not 3 buffers");
	REQUIRE(as_user(SOMEBODY, request_output_as, second, 1) == 100 + ENOMEM, "a fourth");
	require_bytes(M2M, &before, 6 * PAGES);
	close(first);
	require_bytes(M2M, &before, 3 * PAGES);
	limit_bytes("device_limits", M2M, 4 * PAGES);
	REQUIRE(as_user(SOMEBODY, request_as, second, 0) == 0, "not freed");
	first = m2m_open(WIDTH, HEIGHT);
	REQUIRE(as_user(SOMEBODY, request_as, first, 4) == 3, "not 3 buffers");
	REQUIRE(as_user(SOMEBODY, request_as, second, 4) == 1, "the limit of the device");
	no_node_limits();
	close(first);
	close(second);
	require_bytes(M2M, &before, 0);
}

TEST(display_limits, "dumb buffers count against the open file and against the display")
{
	const char *device = card_device();
	struct charged before = charged_as(device);
	int card = card_open(), other;
	struct frame frame;

	no_node_limits();
	limit_bytes("file_limit", "", 3 * MIB);
	REQUIRE(as_user(SOMEBODY, create_as, card, 6) == 3, "not 3 buffers");
	REQUIRE(as_user(SOMEBODY_ELSE, create_as, card, 6) == 0, "the file has another user");
	/* Only the master creates buffers: whoever opens a card that has none */
	REQUIRE(!card_ioctl(card, DRM_IOCTL_DROP_MASTER, NULL), "DROP_MASTER");
	other = card_open();
	REQUIRE(as_user(SOMEBODY, create_as, other, 6) == 3, "another file");
	require_bytes(device, &before, 6 * MIB);
	close(other);
	require_bytes(device, &before, 3 * MIB);
	limit_bytes("device_limits", device, before.bytes + 5 * MIB);
	other = card_open();
	REQUIRE(as_user(SOMEBODY_ELSE, create_as, other, 6) == 2, "the limit of the display");
	REQUIRE(charged_as(device).refused == before.refused + 1, "%lu refused",
		charged_as(device).refused - before.refused);
	REQUIRE(!dumb_create(other, &frame, 512, 512, 32), "root has CAP_SYS_RESOURCE");
	no_node_limits();
	close(card);
	close(other);
	require_bytes(device, &before, 0);
}

static int claim_as(int fd, int unused)
{
	(void)unused;
	return ioctl(fd, DMA_BUF_IOCTL_CLAIM) ? errno : 0;
}

TEST(display_claim, "a dumb buffer that is exported can be claimed, and stays with the display")
{
	const char *device = card_device();
	struct charged root = charged(0), before = charged(SOMEBODY), display = charged_as(device);
	int card = card_open(), fd;
	struct frame frame;
	char path[64], text[400];

	no_node_limits();
	REQUIRE(!dumb_create(card, &frame, 512, 512, 32), "no buffer");
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	read_file(path, text, sizeof(text));
	REQUIRE(strstr(text, "charged_uid:\t0\n"), "%s", text);
	limit_bytes("user_limit", "", MIB - 1);
	REQUIRE(as_user(SOMEBODY, claim_as, fd, 0) == EDQUOT, "beyond the limit");
	limit_bytes("user_limit", "", MIB);
	REQUIRE(!as_user(SOMEBODY, claim_as, fd, 0), "within the limit");
	require_bytes("0", &root, 0);
	require_bytes("1000", &before, MIB);
	require_bytes(device, &display, MIB);
	limit_bytes("file_limit", "", MIB);
	REQUIRE(as_user(SOMEBODY_ELSE, create_as, card, 2) == 1, "it counts against the file");
	no_node_limits();
	close(card);
	require_bytes("1000", &before, MIB);
	close(fd);
	require_bytes("1000", &before, 0);
	require_bytes(device, &display, 0);
}

static void m2m_driver(const char *file)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/m2m-testdev/%s", file);
	ret = write_file(path, M2M);
	REQUIRE(!ret, "%s: %s", file, strerror(-ret));
}

TEST(unbind_m2m, "a mem2mem device that is unbound while charged has its charge when it is back")
{
	struct charged before = charged_as(M2M), user = charged(SOMEBODY);
	int m2m, fd, again;

	need_contiguous(is_m2m);
	no_node_limits();
	limit_bytes("device_limits", M2M, 3 * PAGES);
	m2m = m2m_open(WIDTH, HEIGHT);
	REQUIRE(as_user(SOMEBODY, request_as, m2m, 2) == 2, "not 2 buffers");
	fd = must_export(m2m, CAPTURE, 0);
	m2m_driver("unbind");
	require_bytes(M2M, &before, 2 * PAGES);
	close(m2m);
	require_bytes(M2M, &before, PAGES);
	m2m_driver("bind");
	again = m2m_open(WIDTH, HEIGHT);
	REQUIRE(as_user(SOMEBODY, request_as, again, 4) == 2, "a buffer that lives on");
	close(fd);
	require_bytes(M2M, &before, 2 * PAGES);
	close(again);
	no_node_limits();
	require_bytes(M2M, &before, 0);
	require_bytes("1000", &user, 0);
}

TEST(unbind_display, "a display that is unbound while charged has its charge when it is back")
{
	const char *device = card_device();
	struct charged before = charged_as(device), user = charged(SOMEBODY);
	int card = card_open(), again, fd;
	struct frame frame;

	need_unbind();
	no_node_limits();
	REQUIRE(as_user(SOMEBODY, create_as, card, 2) == 2, "not 2 buffers");
	REQUIRE(!dumb_create(card, &frame, 512, 512, 32), "no buffer");
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	card_driver("unbind");
	require_bytes(device, &before, 3 * MIB);
	require_bytes("1000", &user, 2 * MIB);
	card_driver("bind");
	limit_bytes("device_limits", device, before.bytes + 4 * MIB);
	again = card_open();
	REQUIRE(as_user(SOMEBODY, create_as, again, 3) == 1, "buffers that live on");
	close(card);
	require_bytes(device, &before, 2 * MIB);
	require_bytes("1000", &user, MIB);
	close(fd);
	require_bytes(device, &before, MIB);
	close(again);
	no_node_limits();
	require_bytes(device, &before, 0);
	require_bytes("1000", &user, 0);
}

static volatile bool stop;
static char m2m_node[64];

static void *change_limits(void *arg)
{
	static const unsigned long limits[] = { 0, 2 * PAGES, 64 * MIB };
	unsigned int i;

	(void)arg;
	for (i = 0; !stop; i++) {
		limit_bytes("device_limit", "", limits[i % 3]);
		limit_bytes("file_limit", "", limits[i / 3 % 3]);
		usleep(1000);
	}
	return NULL;
}

/* Request and free buffers through files of their own, for a second. */
static int request_at_random(int unused, int seconds)
{
	__u64 end = clock_ns(CLOCK_MONOTONIC) + seconds * 1000000000ULL;
	int m2m, ret;

	(void)unused;
	while (clock_ns(CLOCK_MONOTONIC) < end) {
		m2m = open(m2m_node, O_RDWR);
		if (m2m < 0)
			return 90;
		ret = request(m2m, CAPTURE, V4L2_MEMORY_MMAP, 3);
		if (ret < 0 && ret != -ENOMEM)
			return -ret;
		close(m2m);
	}
	return 0;
}

TEST(race, "limits of files and devices change while four processes open, request and close")
{
	struct charged before = charged_as(M2M);
	int i, status, m2m;
	pthread_t thread;
	char link[64];

	need_contiguous(is_m2m);
	no_node_limits();
	m2m = m2m_open(WIDTH, HEIGHT);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", m2m);
	REQUIRE(readlink(link, m2m_node, sizeof(m2m_node) - 1) > 0, "%s", strerror(errno));
	close(m2m);
	REQUIRE(!chmod(m2m_node, 0666), "%s", strerror(errno));
	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		REQUIRE(pid >= 0, "%s", strerror(errno));
		if (!pid)
			_exit(setuid(SOMEBODY + i / 2) ? 99 : request_at_random(0, 2));
	}
	REQUIRE(!pthread_create(&thread, NULL, change_limits, NULL), "no thread");
	for (i = 0; i < 4; i++) {
		REQUIRE(wait(&status) > 0, "%s", strerror(errno));
		REQUIRE(!status, "status %x", status);
	}
	stop = true;
	pthread_join(thread, NULL);
	REQUIRE(!chmod(m2m_node, 0600), "%s", strerror(errno));
	no_node_limits();
	require_bytes(M2M, &before, 0);
}
