// SPDX-License-Identifier: GPL-2.0
/*
 * A mem2mem device whose driver was written in the style of v3.8 to v3.10
 */
#define TAP_BEGIN	codec_begin
#define TAP_END		codec_end
#define TAP_SECONDS	60

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "video.h"

#define SIZE	(64 * 64 * 2)
#define MSEC	"/sys/module/cma_codec/parameters/msec"
#define MMAP	V4L2_MEMORY_MMAP
#define DMABUF	V4L2_MEMORY_DMABUF

static void codec_begin(void)
{
	module_begin("cma_codec");
}

static void codec_end(void)
{
	module_end("cma_codec");
}

static bool is_codec(const struct v4l2_capability *cap, const void *unused)
{
	(void)unused;
	return !strcmp((const char *)cap->card, "cma_codec");
}

static int codec_open(void)
{
	int fd;

	REQUIRE(!module_error, "cma_codec: %s", strerror(-module_error));
	fd = node_open(is_codec, NULL, 0);
	REQUIRE(fd >= 0, "no codec");
	return fd;
}

/* Map a buffer of a queue. */
static __u8 *map_of(int codec, __u32 type)
{
	struct v4l2_buffer b = query(codec, type, 0);
	void *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, codec,
			 b.m.offset);

	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	return mem;
}

/* After an output buffer is queued; again does no harm */
static void start(int codec)
{
	stream(codec, OUTPUT, true);
	stream(codec, CAPTURE, true);
}

/* One job: the output is the input, inverted or not. */
static void must_process(int codec, __u32 memory, int in, int out,
			 const __u8 *src, const __u8 *dst, __u8 inverted)
{
	size_t i;

	must_queue(codec, OUTPUT, memory, 0, in);
	must_queue(codec, CAPTURE, memory, 0, out);
	start(codec);
	must_dequeue(codec, CAPTURE, memory);
	must_dequeue(codec, OUTPUT, memory);
	for (i = 0; i < SIZE; i++)
		REQUIRE(dst[i] == (__u8)(src[i] ^ inverted), "byte %zu: %#x, %#x",
			i, src[i], dst[i]);
}

TEST(mmap_, "the codec processes its own buffers, as its control says")
{
	struct v4l2_control copy = { .id = V4L2_CID_HFLIP, .value = 1 };
	struct totals before = totals_now();
	int codec = codec_open(), other = codec_open();
	__u8 *src, *dst;

	must_request(codec, OUTPUT, MMAP, 1);
	must_request(codec, CAPTURE, MMAP, 1);
	src = map_of(codec, OUTPUT);
	dst = map_of(codec, CAPTURE);
	fill_pages(src, SIZE, 1);
	must_process(codec, MMAP, 0, 0, src, dst, 0xff);
	REQUIRE(!ioctl(other, VIDIOC_S_CTRL, &copy), "%s", strerror(errno));
	must_process(codec, MMAP, 0, 0, src, dst, 0);
	copy.value = 0;
	REQUIRE(!ioctl(codec, VIDIOC_S_CTRL, &copy), "%s", strerror(errno));
	munmap(src, SIZE);
	close(other);
	close(codec);
	munmap(dst, SIZE);
	/* the release of the first file waits for the unmapping */
	close(codec_open());
	require_totals(&before);
}

TEST(shared, "the codec processes buffers of a heap, and what it exported")
{
	struct totals before = totals_now();
	int codec = codec_open(), other = codec_open(), heap = heap_open_cma();
	int in = new_buffer(heap, SIZE), out = new_buffer(heap, SIZE), fd;
	__u8 *src = map_buffer(in, SIZE), *dst = map_buffer(out, SIZE), *mem;

	fill_pages(src, SIZE, 2);
	must_request(codec, OUTPUT, DMABUF, 1);
	must_request(codec, CAPTURE, DMABUF, 1);
	must_process(codec, DMABUF, in, out, src, dst, 0xff);

	/* into a buffer of another instance */
	must_request(other, CAPTURE, MMAP, 1);
	fd = must_export(other, CAPTURE, 0);
	mem = map_buffer(fd, SIZE);
	must_process(codec, DMABUF, in, fd, src, mem, 0xff);
	munmap(mem, SIZE);
	munmap(src, SIZE);
	munmap(dst, SIZE);
	close(fd);
	close(in);
	close(out);
	close(heap);
	close(codec);
	close(other);
	require_totals(&before);
}

TEST(stop, "a stream stops and a file is closed while a job runs")
{
	struct totals before = totals_now();
	int codec, heap = heap_open_cma(), i;
	int in = new_buffer(heap, SIZE), out = new_buffer(heap, SIZE);

	REQUIRE(!write_file(MSEC, "300"), "msec");
	for (i = 0; i < 3; i++) {
		codec = codec_open();
		must_request(codec, OUTPUT, DMABUF, 1);
		must_request(codec, CAPTURE, DMABUF, 1);
		must_queue(codec, OUTPUT, DMABUF, 0, in);
		must_queue(codec, CAPTURE, DMABUF, 0, out);
		start(codec);
		if (i)
			stream(codec, i == 1 ? CAPTURE : OUTPUT, false);
		close(codec);
	}
	REQUIRE(!write_file(MSEC, "10"), "msec");
	close(in);
	close(out);
	close(heap);
	require_totals(&before);
}
