// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual video drivers behind the IOMMU of the module cma_iommu, which the program
 * iommu has loaded: their memory is scattered
 */
#define TAP_BEGIN	importer_begin
#define TAP_END		importer_end

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "importer.h"
#include "video.h"

#define WIDTH	640
#define HEIGHT	480
#define SIZE	(WIDTH * HEIGHT * 2)	/* two bytes per pixel */
#define COUNT	3			/* buffers of a queue */

static void need_iommu(void)
{
	char text[32];

	read_file("/sys/module/cma_iommu/parameters/attach", text, sizeof(text));
	if (strncmp(text, "vivi.0,", 7))
		skip("the drivers are not behind an IOMMU");
}

/* Capture a picture into buffer 0, which is mapped at the address */
static int capture(int camera, const void *pixels)
{
	int fd = must_export(camera, CAPTURE, 0);

	must_queue(camera, CAPTURE, V4L2_MEMORY_MMAP, 0, 0);
	stream(camera, CAPTURE, true);
	must_dequeue(camera, CAPTURE, V4L2_MEMORY_MMAP);
	bars_shift(pixels, WIDTH, HEIGHT);
	return fd;
}

static int queue_user(int camera, void *mem, size_t size)
{
	struct v4l2_buffer b = {
		.type = CAPTURE, .memory = V4L2_MEMORY_USERPTR, .length = size,
		.m.userptr = (unsigned long)mem,
	};

	return ioctl(camera, VIDIOC_QBUF, &b) ? -errno : 0;
}

TEST(export, "another device reads what a camera behind an IOMMU has captured")
{
	struct importer_map map;
	int camera, dev, fd;
	void *own, *mem;

	need_iommu();
	camera = camera_open(0, WIDTH, HEIGHT);
	must_request(camera, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	own = map_own(camera, 0, SIZE);
	fd = capture(camera, own);
	mem = map_buffer(fd, SIZE);
	REQUIRE(!memcmp(own, mem, SIZE), "other bytes");
	REQUIRE(pfn_of(own) == pfn_of(mem), "other pages");

	dev = new_device();
	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(map.bytes >= SIZE, "%llu bytes", (unsigned long long)map.bytes);
	REQUIRE(dev_sees(dev, mem, SIZE), "the device reads something else");
	REQUIRE(!dev_fill(dev, 7) && is_pattern(own, SIZE, 7), "other bytes");
	unmap_and_detach(dev);
	close(dev);
	munmap(mem, SIZE);
	munmap(own, SIZE);
	close(fd);
	close(camera);
}

TEST(pass_on, "drivers behind an IOMMU pass on scattered buffers, also of the system heap")
{
	int camera, m2m, in, out, heap;
	__u8 *src, *dst;

	need_iommu();
	heap = heap_open("system");
	m2m = m2m_open(WIDTH, HEIGHT);
	camera = camera_open(0, WIDTH, HEIGHT);
	must_request(camera, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
	src = map_own(camera, 0, SIZE);
	in = capture(camera, src);
	out = new_buffer(heap, SIZE);
	dst = map_buffer(out, SIZE);

	must_pass_on(m2m, in, out, src, dst, SIZE);

	close(m2m);
	munmap(src, SIZE);
	munmap(dst, SIZE);
	close(camera);
	close(in);
	close(out);
	close(heap);
}

/* One block for the allocator, and so contiguous */
#define SMALL_WIDTH	256
#define SMALL_HEIGHT	128
#define SMALL_SIZE	(SMALL_WIDTH * SMALL_HEIGHT * 2)

TEST(user_memory, "memory of a process is refused, because it has no io address")
{
	int camera, m2m;
	void *mem;

	need_iommu();
	m2m = m2m_open(SMALL_WIDTH, SMALL_HEIGHT);
	must_request(m2m, CAPTURE, V4L2_MEMORY_MMAP, 1);
	mem = map_own(m2m, 0, SMALL_SIZE);
	camera = camera_open(0, SMALL_WIDTH, SMALL_HEIGHT);
	must_request(camera, CAPTURE, V4L2_MEMORY_USERPTR, 1);
	REQUIRE(queue_user(camera, mem, SMALL_SIZE) == -EINVAL, "not refused");
	close(camera);
	munmap(mem, SMALL_SIZE);
	close(m2m);
}
