// SPDX-License-Identifier: GPL-2.0
/*
 * Two cameras feed one display for video_stress.seconds=N (120), while other
 * threads allocate and release memory of the area and share the same buffers.
 */
#define TAP_BEGIN	importer_begin
#define TAP_END		importer_end

#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"
#include "importer.h"
#include "video.h"
#include "camera.h"

#include <pthread.h>

#define CAMERAS	2
#define WIDTH	1024
#define HEIGHT	768

static struct stress {
	struct screen screen;
	struct camera cameras[CAMERAS];
	pthread_mutex_t lock;	/* screen */
	unsigned int shown[CAMERAS];
	unsigned int taken, shared;	/* by the other threads */
	volatile bool stop;
} stress = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Show the pictures of both cameras in order and in turn. */
static void *show(void *arg)
{
	unsigned int which = (uintptr_t)arg, index;
	struct camera *camera = &stress.cameras[which];

	while (!stress.stop) {
		index = camera_next(camera);
		require_next(camera, camera->mem[index]);
		pthread_mutex_lock(&stress.lock);
		screen_show(&stress.screen, camera, index);
		REQUIRE(scanout_address() == address_of(camera, index,
							camera->mem[index]),
			"something else is shown");
		stress.shown[which]++;
		pthread_mutex_unlock(&stress.lock);
	}
	return NULL;
}

/* Allocate buffers of all sizes; nothing else writes to them. */
static void *take(void *arg)
{
	int heap = *(int *)arg, fd;
	unsigned int n;
	size_t size;
	void *mem;

	for (n = 0; !stress.stop; n++) {
		size = (1 + n * 7919 % 1024) * PAGE;
		fd = heap_alloc(heap, size, O_RDWR | O_CLOEXEC);
		REQUIRE(fd >= 0 || fd == -ENOMEM, "%s", strerror(-fd));
		if (fd < 0)
			continue;
		mem = map_buffer(fd, size);
		REQUIRE(is_zero(mem, size), "not cleared");
		fill_pages(mem, size, n);
		REQUIRE(first_wrong(mem, size, n) < 0, "overwritten");
		munmap(mem, size);
		close(fd);
		stress.taken++;
	}
	return NULL;
}

/* Export and import the buffers that hold the pictures. */
static void *share(void *arg)
{
	int card = *(int *)arg, fd;
	unsigned int n, i;
	__u32 handle;

	for (n = 0; !stress.stop; n++) {
		struct camera *camera = &stress.cameras[n % CAMERAS];

		i = n / CAMERAS % FRAMES;
		handle = camera->frames[i].handle;
		REQUIRE(import(camera->card, camera->fds[i]) == handle,
			"another handle");
		if (camera->owner == CAMERA)
			fd = must_export(camera->video, CAPTURE, i);
		else
			fd = handle_to_fd(camera->card, handle, DRM_CLOEXEC);
		REQUIRE(fd >= 0, "export: %s", strerror(-fd));
		handle = import(card, fd);
		close(fd);
		REQUIRE(!handle_close(card, handle), "close");
		stress.shared++;
		usleep(1000);
	}
	return NULL;
}

static void run(unsigned long seconds)
{
	int heap = heap_open_cma(), other = card_open();
	pthread_t threads[CAMERAS + 2];
	unsigned int i;

	for (i = 0; i < CAMERAS; i++) {
		camera_start(&stress.cameras[i]);
		pthread_create(&threads[i], NULL, show, (void *)(uintptr_t)i);
	}
	pthread_create(&threads[CAMERAS], NULL, take, &heap);
	pthread_create(&threads[CAMERAS + 1], NULL, share, &other);
	sleep(seconds);
	stress.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	close(other);
	close(heap);
}

TEST(two_cameras, "two cameras feed one display while the area is under load")
{
	unsigned long seconds = argument("video_stress.seconds=", 120);
	struct totals before = totals_now();
	unsigned int i;

	alarm(seconds * 2 + 120);
	require_cpus(4);
	screen_open(&stress.screen);
	/* one has its own buffers, the other one uses the display's */
	for (i = 0; i < CAMERAS; i++)
		camera_create(&stress.cameras[i], i,
			      stress.screen.display.card,
			      i ? DISPLAY : CAMERA, WIDTH, HEIGHT);
	run(seconds);
	note("%u and %u pictures, %u flips, %u buffers taken, %u shared",
	     stress.shown[0], stress.shown[1], stress.screen.flips,
	     stress.taken, stress.shared);
	REQUIRE(stress.screen.flips + 1 == stress.shown[0] + stress.shown[1],
		"pictures were lost");
	for (i = 0; i < CAMERAS; i++)
		REQUIRE(stress.shown[i] > seconds, "camera %u is too slow", i);
	REQUIRE(stress.taken > seconds && stress.shared > seconds,
		"the others are too slow");
	for (i = 0; i < CAMERAS; i++)
		camera_destroy(&stress.cameras[i]);
	close(stress.screen.display.card);
	require_totals(&before);
}
