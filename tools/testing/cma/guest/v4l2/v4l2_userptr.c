// SPDX-License-Identifier: GPL-2.0
/*
 * Where buffers meet the memory of a process: mappings that are queued with
 * V4L2_MEMORY_USERPTR, and mmap_sem, which mmap(), munmap() and page faults take.
 */
#define TAP_SECONDS	60	/* a race takes SECONDS, or for ever */

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "video.h"

#include <pthread.h>

#define WIDTH	320
#define HEIGHT	240
#define SIZE	(WIDTH * HEIGHT * 2)
#define SECONDS	4	/* of each race */

/* A camera that takes contiguous memory of the process, or skip. */
static int camera_with_userptr(void)
{
	int video;

	need_contiguous(is_camera);
	video = camera_open(0, WIDTH, HEIGHT);
	must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, 1);
	return video;
}

/* Queue memory of the process; 0, or a negative errno. */
static int queue_memory(int video, const void *mem, __u32 length)
{
	struct v4l2_buffer b = {
		.type = CAPTURE, .memory = V4L2_MEMORY_USERPTR,
		.m.userptr = (unsigned long)mem, .length = length,
	};

	return queue_buffer(video, &b);
}

/* Queue a mapping, and give up mapping and buffer before the queue. */
static void check_shared(int fd)
{
	int video = camera_with_userptr(), ret;
	void *mem = map_buffer(fd, SIZE);

	ret = queue_memory(video, mem, SIZE);
	munmap(mem, SIZE);
	close(fd);
	must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, 0);
	close(video);
	REQUIRE(ret == -EINVAL, "%s", strerror(-ret));
}

TEST(userptr_heap, "a mapping of a heap's buffer is not taken for memory of the process")
{
	struct totals before = totals_now();
	int heap = heap_open_cma();

	check_shared(new_buffer(heap, SIZE));
	close(heap);
	require_totals(&before);
}

TEST(userptr_export, "nor is a mapping of a buffer that a driver exported")
{
	struct totals before = totals_now();
	int m2m;

	need_contiguous(is_m2m);
	m2m = m2m_open(WIDTH, HEIGHT);
	must_request(m2m, CAPTURE, V4L2_MEMORY_MMAP, 1);
	check_shared(must_export(m2m, CAPTURE, 0));
	close(m2m);
	require_totals(&before);
}

/* The mapping of a buffer of another driver can be queued, but not drawn into. */
TEST(userptr_other, "the queue holds a mapping of another driver until it is freed")
{
	struct totals before = totals_now();
	int video, m2m, ret;
	struct v4l2_buffer b;
	void *mem;

	need_contiguous(is_m2m);
	video = camera_with_userptr();
	m2m = m2m_open(WIDTH, HEIGHT);
	must_request(m2m, CAPTURE, V4L2_MEMORY_MMAP, 1);
	b = query(m2m, CAPTURE, 0);
	mem = mmap(NULL, b.length, PROT_READ | PROT_WRITE, MAP_SHARED, m2m,
		   b.m.offset);
	REQUIRE(mem != MAP_FAILED, "%s", strerror(errno));

	ret = queue_memory(video, mem, SIZE);
	REQUIRE(ret == -EFAULT, "%s", strerror(-ret));

	munmap(mem, b.length);
	close(m2m);
	must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, 0);
	close(video);
	require_totals(&before);
}

static volatile bool race_over;

/* Give an ioctl arguments in pages that are not populated. */
static void *fault_in_ioctl(void *arg)
{
	const size_t size = 64 * PAGE;
	int video = camera_open(0, WIDTH, HEIGHT);
	unsigned long *count = arg;

	while (!race_over) {
		struct v4l2_ext_controls *c = map_anon(size);

		/* None of these exists; all of them are copied. */
		c->controls = (void *)((char *)c + PAGE);
		c->count = (size - PAGE) / sizeof(*c->controls);
		ioctl(video, VIDIOC_TRY_EXT_CTRLS, c);
		munmap(c, size);
		++*count;
	}
	close(video);
	return NULL;
}

/* Queue memory of the process, for which the kernel looks at its mappings. */
static void *look_in_ioctl(void *arg)
{
	int video = camera_open(0, WIDTH, HEIGHT);
	unsigned long *count = arg;

	while (!race_over) {
		void *mem = map_anon(SIZE);

		queue_memory(video, mem, SIZE);
		munmap(mem, SIZE);
		++*count;
		usleep(50000);	/* the kernel prints a line each time */
	}
	close(video);
	return NULL;
}

/* Map a part of a node that need not have any; whether there is something to unmap. */
static bool map_and_unmap(int video, bool close_first)
{
	void *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, video, 0);

	if (close_first)
		close(video);
	if (mem == MAP_FAILED)
		return false;
	munmap(mem, SIZE);
	return true;
}

/*
 * mmap_sem is held while a buffer is mapped, and while unmapping it closes its file. A
 * thread that is in the driver must not wait for it with a lock that these need.
 */
static void race(void *(*other)(void *), __u32 memory, bool close_first)
{
	unsigned long mine = 0, mapped = 0, theirs = 0;
	__u64 end = clock_ns(CLOCK_MONOTONIC) + SECONDS * 1000000000ULL;
	int video = camera_open(0, WIDTH, HEIGHT);
	pthread_t thread;

	race_over = false;
	must_request(video, CAPTURE, memory, 1);
	REQUIRE(!pthread_create(&thread, NULL, other, &theirs), "no thread");
	while (clock_ns(CLOCK_MONOTONIC) < end) {
		mapped += map_and_unmap(close_first ? video_open(is_camera, 0) : video,
					close_first);
		mine++;
	}
	race_over = true;
	pthread_join(thread, NULL);
	REQUIRE(mine && theirs, "%lu against %lu", mine, theirs);
	note("%lu, of which %lu mapped, against %lu", mine, mapped, theirs);
	close(video);
}

TEST(race_map, "a buffer is mapped while an ioctl faults")
{
	race(fault_in_ioctl, V4L2_MEMORY_MMAP, false);
}

TEST(race_close, "unmapping a buffer closes its file while an ioctl faults")
{
	race(fault_in_ioctl, V4L2_MEMORY_MMAP, true);
}

TEST(race_userptr, "a node is mapped while memory of the process is queued")
{
	need_contiguous(is_camera);
	race(look_in_ioctl, V4L2_MEMORY_USERPTR, false);
}
