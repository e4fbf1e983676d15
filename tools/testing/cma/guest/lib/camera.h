/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A camera whose pictures are shown on a display straight from the memory that they
 * were captured into. Include tap.h, guest.h, heap.h, importer.h, card.h and video.h
 * first.
 */
#ifndef CAMERA_H
#define CAMERA_H

#define FRAMES	4	/* buffers of a camera */

/* The owner of the memory */
enum owner { CAMERA, DISPLAY };

struct camera {
	int video, card;
	enum owner owner;
	__u32 memory, width, height;
	size_t size;
	unsigned int taken, shift;	/* pictures; bars of the last one */
	struct frame frames[FRAMES];
	int fds[FRAMES];
	void *mem[FRAMES];	/* as the owner maps it */
};

static void camera_queue(struct camera *camera, unsigned int index)
{
	must_queue(camera->video, CAPTURE, camera->memory, index,
		   camera->fds[index]);
}

/* Make a frame of a buffer of the camera. */
static void export_frame(struct camera *camera, unsigned int i)
{
	struct frame *frame = &camera->frames[i];
	int ret;

	camera->fds[i] = must_export(camera->video, CAPTURE, i);
	camera->mem[i] = map_own(camera->video, i, camera->size);
	*frame = (struct frame){
		.width = camera->width, .height = camera->height,
		.bpp = 16, .depth = 16, .pitch = camera->width * 2,
		.size = camera->size,
		.handle = import(camera->card, camera->fds[i]),
	};
	ret = fb_add(camera->card, frame);
	REQUIRE(!ret, "frame: %s", strerror(-ret));
	frame->mem = handle_map(camera->card, frame->handle, frame->size,
				MAP_SHARED);
	/* Later kernels refuse to map imported objects */
	if (!frame->mem && errno == EINVAL && card_is_later())
		frame->mem = map_buffer(camera->fds[i], frame->size);
	REQUIRE(frame->mem, "map: %s", strerror(errno));
}

/* Make a buffer to capture into of a frame of the display. */
static void import_frame(struct camera *camera, unsigned int i)
{
	struct frame *frame = &camera->frames[i];

	frame_create(camera->card, frame, camera->width, camera->height, 16);
	REQUIRE(frame->pitch == camera->width * 2 &&
		frame->size >= camera->size, "pitch %u, %zu bytes",
		frame->pitch, frame->size);
	camera->mem[i] = frame->mem;
	camera->fds[i] = handle_to_fd(camera->card, frame->handle,
				      DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(camera->fds[i] >= 0, "export: %s", strerror(-camera->fds[i]));
}

/* Open camera number @which; its buffers become frames of @card. */
static void camera_create(struct camera *camera, unsigned int which, int card,
			  enum owner owner, __u32 width, __u32 height)
{
	unsigned int i;

	memset(camera, 0, sizeof(*camera));
	camera->video = camera_open(which, width, height);
	camera->card = card;
	camera->owner = owner;
	camera->memory = owner == CAMERA ? V4L2_MEMORY_MMAP :
					   V4L2_MEMORY_DMABUF;
	camera->width = width;
	camera->height = height;
	camera->size = width * height * 2;
	must_request(camera->video, CAPTURE, camera->memory, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		if (owner == CAMERA)
			export_frame(camera, i);
		else
			import_frame(camera, i);
		camera_queue(camera, i);
	}
}

static void camera_destroy(struct camera *camera)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++) {
		if (camera->owner == CAMERA)
			munmap(camera->mem[i], camera->size);
		close(camera->fds[i]);
		frame_destroy(camera->card, &camera->frames[i]);
	}
	close(camera->video);
}

static void camera_start(struct camera *camera)
{
	stream(camera->video, CAPTURE, true);
}

/* The number of the buffer with the next picture. */
static unsigned int camera_next(struct camera *camera)
{
	struct v4l2_buffer b = must_dequeue(camera->video, CAPTURE,
					    camera->memory);

	REQUIRE(b.index < FRAMES && b.bytesused == camera->size &&
		!(b.flags & V4L2_BUF_FLAG_ERROR), "buffer %u, %u bytes",
		b.index, b.bytesused);
	REQUIRE(camera->owner == CAMERA || b.m.fd == camera->fds[b.index],
		"descriptor %d", b.m.fd);
	camera->taken++;
	return b.index;
}

/*
 * Check the picture that was dequeued last. vivi waits for a free buffer, so it is
 * the next picture; vivid keeps drawing, so it is any that was not seen yet.
 */
static void require_next(struct camera *camera, const void *mem)
{
	unsigned int shift = bars_shift(mem, camera->width, camera->height);
	unsigned int number = camera->taken - 1;

	if (is_vivid() && number)
		REQUIRE(shift != camera->shift && shift % SPEED == 0,
			"the bars of picture %u are at %u", number, shift);
	else
		REQUIRE(shift == number * SPEED % camera->width,
			"the bars of picture %u are at %u", number, shift);
	camera->shift = shift;
}

/* What a display shows, and how often that changed. */
struct screen {
	struct display display;
	struct camera *camera;	/* that the picture is from, or NULL */
	unsigned int index;
	unsigned int flips;
	__u32 sequence;		/* of the vblank at which it appeared */
};

static void screen_open(struct screen *screen)
{
	memset(screen, 0, sizeof(*screen));
	display_open(&screen->display, card_open());
}

/*
 * Show a picture, wait until it is on the display, and return the previous one to
 * its camera.
 */
static void screen_show(struct screen *screen, struct camera *camera,
			unsigned int index)
{
	struct drm_event_vblank event;
	struct camera *before = screen->camera;
	unsigned int before_index = screen->index;
	int ret;

	screen->camera = camera;
	screen->index = index;
	if (!before) {
		display_show(&screen->display, &camera->frames[index]);
		return;
	}

	ret = display_flip(&screen->display, camera->frames[index].fb,
			   ++screen->flips);
	REQUIRE(!ret, "flip: %s", strerror(-ret));
	event = card_event(screen->display.card);
	REQUIRE(event.base.type == DRM_EVENT_FLIP_COMPLETE &&
		event.user_data == screen->flips, "event %llu, not %u",
		event.user_data, screen->flips);
	REQUIRE(screen->flips == 1 || event.sequence > screen->sequence,
		"frame %u after %u", event.sequence, screen->sequence);
	screen->sequence = event.sequence;
	camera_queue(before, before_index);
}

/*
 * Return the DMA address of a buffer, and check that @mem maps it. Some kernels do
 * not reveal where the memory of a driver is mapped.
 */
static __u32 address_of(const struct camera *camera, unsigned int i,
			const char *mem)
{
	bool seen = pfn_of(mem);
	struct importer_map map;
	int dev = new_device();
	size_t at;

	attach_and_map(dev, camera->fds[i], IMPORTER_READ, &map);
	REQUIRE(map.nents == 1 && map.bytes >= camera->size,
		"%u segments, %llu bytes", map.nents, map.bytes);
	unmap_and_detach(dev);
	close(dev);
	REQUIRE(seen || card_is_later() || !pagemap_shows(map.first_dma_addr / PAGE),
		"not mapped");
	for (at = 0; seen && at < camera->size; at += PAGE)
		REQUIRE(pfn_of(mem + at) == (map.first_dma_addr + at) / PAGE,
			"page %zu is elsewhere", at / PAGE);
	return map.first_dma_addr;
}

#endif
