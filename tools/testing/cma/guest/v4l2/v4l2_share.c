// SPDX-License-Identifier: GPL-2.0
/*
 * Shared video buffers: exported by the virtual capture driver, imported by it
 * from heaps, and passed on to the mem2mem test driver.
 */
#define TAP_BEGIN	importer_begin
#define TAP_END		importer_end

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"
#include "video.h"

#define WIDTH	320
#define HEIGHT	240
#define SIZE	(WIDTH * HEIGHT * 2)	/* two bytes per pixel */
#define COUNT	3			/* buffers of a queue */

static int capture_open(void)
{
	return camera_open(0, WIDTH, HEIGHT);
}

static void capture_into(int video, __u32 index, int fd)
{
	must_queue(video, CAPTURE, V4L2_MEMORY_DMABUF, index, fd);
}

static void require_bars(const void *pixels)
{
	bars_shift(pixels, WIDTH, HEIGHT);
}

TEST(export_same, "an exported buffer is the one that the driver captures into")
{
	struct totals before = totals_now();
	int video, fd[COUNT], i;
	struct v4l2_buffer b;
	void *mem[COUNT];

	need_contiguous(is_camera);
	video = capture_open();
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	for (i = 0; i < COUNT; i++) {
		fd[i] = must_export(video, CAPTURE, i);
		REQUIRE(lseek(fd[i], 0, SEEK_END) >= SIZE, "%ld bytes",
			(long)lseek(fd[i], 0, SEEK_END));
		mem[i] = map_buffer(fd[i], SIZE);
		memset(mem[i], 0, SIZE);
		must_queue(video, CAPTURE, V4L2_MEMORY_MMAP, i, 0);
	}
	stream(video, CAPTURE, true);
	for (i = 0; i < 2 * COUNT; i++) {
		void *own;

		b = must_dequeue(video, CAPTURE, V4L2_MEMORY_MMAP);
		require_bars(mem[b.index]);
		own = map_own(video, b.index, SIZE);
		REQUIRE(pfn_of(own) == pfn_of(mem[b.index]), "other pages");
		memset(own, i, PAGE);
		REQUIRE(!memcmp(own, mem[b.index], SIZE), "other bytes");
		munmap(own, SIZE);
		must_queue(video, CAPTURE, V4L2_MEMORY_MMAP, b.index, 0);
	}
	stream(video, CAPTURE, false);
	close(video);
	for (i = 0; i < COUNT; i++) {
		munmap(mem[i], SIZE);
		close(fd[i]);
	}
	require_totals(&before);
}

TEST(export_lives, "an exported buffer outlives its queue, and keeps it from being freed")
{
	struct totals before = totals_now();
	int video, fd;
	void *mem;

	need_contiguous(is_camera);
	video = capture_open();
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	fd = must_export(video, CAPTURE, 0);
	require_in_use(video);
	close(video);
	mem = map_buffer(fd, SIZE);
	memset(mem, 0x5a, SIZE);
	munmap(mem, SIZE);
	close(fd);
	require_totals(&before);
}

TEST(export_device, "a device can map an exported buffer if it can reach it")
{
	struct totals before = totals_now();
	struct importer_map map;
	int video, fd, dev, ret;
	void *mem;

	need_contiguous(is_camera);
	video = capture_open();
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	fd = must_export(video, CAPTURE, 0);
	mem = map_buffer(fd, SIZE);

	dev = new_device();
	/* 6.1 checks the addresses on map only, and warns */
	if (!is_vivid()) {
		ret = dev_limit(dev, (struct importer_limits){ .mask = 0xffffff });
		REQUIRE(!ret, "%s", strerror(-ret));
		ret = dev_attach(dev, fd);
		REQUIRE(ret == -ERANGE, "24 bits: %s", strerror(-ret));
		close(dev);
		dev = new_strict_device();
	}
	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(map.nents == 1 && map.bytes >= SIZE, "%u segments, %llu bytes",
		map.nents, (unsigned long long)map.bytes);
	REQUIRE(!dev_fill(dev, 7) && is_pattern(mem, SIZE, 7), "other bytes");
	unmap_and_detach(dev);
	close(dev);
	munmap(mem, SIZE);
	close(fd);
	close(video);
	require_totals(&before);
}

/* Buffers of 6.1's system heap are not contiguous, even if a device needs it. */
static bool is_scattered(void)
{
	return is_vivid() && has_contiguous(is_camera) &&
	       !strcmp(tap_about, "system");
}

static void check_import(int heap)
{
	int video = capture_open(), fd[COUNT], i;
	struct v4l2_buffer b;
	void *mem[COUNT];

	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	for (i = 0; i < COUNT; i++) {
		fd[i] = new_buffer(heap, SIZE);
		if (is_scattered()) {
			REQUIRE(queue(video, CAPTURE, V4L2_MEMORY_DMABUF, i,
				      fd[i], 0) == -EFAULT, "in one piece?");
			close(fd[i]);
			close(video);
			return;
		}
		capture_into(video, i, fd[i]);
		mem[i] = map_buffer(fd[i], SIZE);
		/* the queue holds it */
		close(fd[i]);
	}
	stream(video, CAPTURE, true);
	for (i = 0; i < COUNT; i++) {
		b = must_dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF);
		REQUIRE(b.m.fd == fd[b.index], "descriptor %d", b.m.fd);
		REQUIRE(b.bytesused == SIZE, "%u bytes", b.bytesused);
		require_bars(mem[b.index]);
	}
	stream(video, CAPTURE, false);
	for (i = 0; i < COUNT; i++)
		munmap(mem[i], SIZE);
	close(video);
}

TEST(import, "the camera captures into buffers of every heap")
{
	struct totals before = totals_now();

	each_heap(check_import);
	require_totals(&before);
}

TEST(import_other, "another buffer replaces one that was queued before")
{
	int heap = heap_open_cma(), video = capture_open(), first, second;
	struct totals before = totals_now(), now;
	struct v4l2_buffer b;
	void *mem;
	int i;

	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, 2);
	first = new_buffer(heap, SIZE);
	second = new_buffer(heap, SIZE);
	mem = map_buffer(second, SIZE);
	capture_into(video, 0, first);
	capture_into(video, 1, first);
	close(first);
	stream(video, CAPTURE, true);
	for (i = 0; i < 2; i++)
		must_dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF);
	now = totals_now();
	REQUIRE(now.buffers == before.buffers + 2, "%ld buffers", now.buffers);

	capture_into(video, 0, second);
	capture_into(video, 1, second);
	now = totals_now();
	REQUIRE(now.buffers == before.buffers + 1, "%ld buffers", now.buffers);
	b = must_dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF);
	REQUIRE(b.m.fd == second, "descriptor %d", b.m.fd);
	require_bars(mem);
	stream(video, CAPTURE, false);
	REQUIRE(!request(video, CAPTURE, V4L2_MEMORY_DMABUF, 0), "busy");
	munmap(mem, SIZE);
	close(second);
	require_totals(&before);
}

TEST(import_twice, "one buffer can be queued with two indexes")
{
	int heap = heap_open_cma(), video = capture_open(), fd, i;
	struct totals before = totals_now();
	struct v4l2_buffer b;
	void *mem;

	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, 2);
	fd = new_buffer(heap, SIZE);
	mem = map_buffer(fd, SIZE);
	stream(video, CAPTURE, true);
	for (i = 0; i < COUNT; i++) {
		capture_into(video, 0, fd);
		capture_into(video, 1, fd);
		b = must_dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF);
		REQUIRE(b.index == 0 && b.m.fd == fd, "descriptor %d of %u",
			b.m.fd, b.index);
		b = must_dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF);
		REQUIRE(b.index == 1 && b.m.fd == fd, "descriptor %d of %u",
			b.m.fd, b.index);
		require_bars(mem);
	}
	close(video);
	munmap(mem, SIZE);
	close(fd);
	require_totals(&before);
}

/* A picture passes two drivers; only the second one copies bytes. */
TEST(pass_on, "a captured buffer is the input of the mem2mem driver")
{
	struct totals before = totals_now();
	int camera, m2m, in, out, heap;
	__u8 *src, *dst;

	need_contiguous(is_camera);
	heap = heap_open_cma();
	m2m = m2m_open(WIDTH, HEIGHT);
	camera = capture_open();
	must_request(camera, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	in = must_export(camera, CAPTURE, 0);
	out = new_buffer(heap, SIZE);
	src = map_buffer(in, SIZE);
	dst = map_buffer(out, SIZE);

	must_queue(camera, CAPTURE, V4L2_MEMORY_MMAP, 0, 0);
	stream(camera, CAPTURE, true);
	must_dequeue(camera, CAPTURE, V4L2_MEMORY_MMAP);

	must_pass_on(m2m, in, out, src, dst, SIZE);

	close(m2m);
	close(camera);
	munmap(src, SIZE);
	munmap(dst, SIZE);
	close(in);
	close(out);
	require_totals(&before);
}

static void stream_for_ever(void *arg)
{
	int heap = *(int *)arg, video = capture_open(), i;

	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	for (i = 0; i < COUNT; i++)
		capture_into(video, i, new_buffer(heap, SIZE));
	stream(video, CAPTURE, true);
	for (;;) {
		struct v4l2_buffer b = must_dequeue(video, CAPTURE,
						    V4L2_MEMORY_DMABUF);

		capture_into(video, b.index, b.m.fd);
	}
}

TEST(killed, "a process that is killed while it captures leaks no memory")
{
	struct totals before;
	int heap = heap_open_cma(), i;

	close(capture_open());
	before = totals_now();
	for (i = 0; i < 10; i++) {
		pid_t pid = tap_start(stream_for_ever, &heap);

		usleep(100000 + 37000 * i);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	require_totals(&before);
}

TEST(exhausted, "an area is exhausted while the camera captures")
{
	int heap = heap_open_cma(), m2m = m2m_open(WIDTH, HEIGHT), video, i, ret;
	struct totals before = totals_now();
	int fds[500], n = 0;
	struct v4l2_buffer b;

	video = capture_open();
	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	for (i = 0; i < COUNT; i++) {
		fds[n] = new_buffer(heap, SIZE);
		capture_into(video, i, fds[n++]);
	}
	stream(video, CAPTURE, true);
	while ((ret = heap_alloc(heap, SIZE, O_RDWR)) >= 0) {
		REQUIRE(n < ARRAY_SIZE(fds), "there is no end");
		fds[n++] = ret;
	}
	REQUIRE(n > COUNT && ret == -ENOMEM, "%d buffers, then %s", n,
		strerror(-ret));
	for (i = 0; i < 5; i++) {
		b = must_dequeue(video, CAPTURE, V4L2_MEMORY_DMABUF);
		capture_into(video, b.index, b.m.fd);
	}
	if (has_contiguous(is_m2m)) {
		ret = request(m2m, OUTPUT, V4L2_MEMORY_MMAP, 8);
		REQUIRE(ret == -ENOMEM, "%d", ret);
	}
	close(video);
	close(m2m);
	while (n)
		close(fds[--n]);
	require_totals(&before);
}
