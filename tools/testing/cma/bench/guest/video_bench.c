// SPDX-License-Identifier: GPL-2.0
/*
 * Time that a frame takes from the camera to the display, without a copy and with
 * one. Prints lines "# video WHAT COUNT CPU ELAPSED" with means in ns; CPU is the
 * CPU time of this process, which does not draw the frames.
 */
#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"
#include "importer.h"
#include "video.h"
#include "camera.h"

#define WIDTH	1024
#define HEIGHT	768
#define COUNT	200

static struct screen screen;
static struct camera camera;
static struct frame copies[2];

/* Wait for the next frame of the camera. */
static unsigned int next_picture(void)
{
	struct v4l2_buffer b;
	int ret = dequeue(camera.video, CAPTURE, V4L2_MEMORY_MMAP, &b);

	REQUIRE(!ret, "DQBUF: %s", strerror(-ret));
	return b.index;
}

/*
 * Start to show a frame. The frame before it is free once the flip has completed;
 * only the next flip waits for that, when it usually has happened already.
 */
static void flip_to(const struct frame *frame)
{
	int ret = display_flip(&screen.display, frame->fb, 0);

	REQUIRE(!ret, "flip: %s", strerror(-ret));
}

static void flip_end(void)
{
	struct drm_event_vblank event;
	int ret = read(screen.display.card, &event, sizeof(event));

	REQUIRE(ret == sizeof(event), "event: %d", ret);
}

static void without_copy(unsigned int count)
{
	unsigned int index = next_picture(), next;

	flip_to(&camera.frames[index]);
	while (count--) {
		next = next_picture();
		flip_end();
		camera_queue(&camera, screen.index);
		screen.index = index;
		index = next;
		flip_to(&camera.frames[index]);
	}
	flip_end();
	camera_queue(&camera, screen.index);
	screen.index = index;
}

static void with_copy(unsigned int count)
{
	unsigned int index = next_picture();

	memcpy(copies[0].mem, camera.mem[index], camera.size);
	flip_to(&copies[0]);
	camera_queue(&camera, index);
	while (count--) {
		struct frame *back = &copies[count % 2];

		index = next_picture();
		flip_end();
		memcpy(back->mem, camera.mem[index], camera.size);
		camera_queue(&camera, index);
		flip_to(back);
	}
	flip_end();
}

static void only_copy(unsigned int count)
{
	while (count--)
		memcpy(copies[count % 2].mem, camera.mem[0], camera.size);
}

/* The first frames do not count. */
static void measure(const char *what, void (*run)(unsigned int count))
{
	__u64 cpu, elapsed;

	run(4);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	elapsed = clock_ns(CLOCK_MONOTONIC);
	run(COUNT);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	elapsed = clock_ns(CLOCK_MONOTONIC) - elapsed;
	note("video %s %u %llu %llu", what, COUNT, cpu / COUNT,
	     elapsed / COUNT);
}

static void start(void)
{
	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, CAMERA, WIDTH, HEIGHT);
	camera_start(&camera);
	screen_show(&screen, &camera, camera_next(&camera));
}

TEST(zero_copy, "frames shown from the memory that they were captured into")
{
	start();
	measure("zero-copy", without_copy);
	bars_shift((__u16 *)camera.frames[screen.index].mem, WIDTH, HEIGHT);
}

TEST(copy, "frames copied into buffers of the display")
{
	start();
	frame_create(camera.card, &copies[0], WIDTH, HEIGHT, 16);
	frame_create(camera.card, &copies[1], WIDTH, HEIGHT, 16);
	measure("copy", with_copy);
	measure("memcpy", only_copy);
	bars_shift((__u16 *)copies[0].mem, WIDTH, HEIGHT);
}
