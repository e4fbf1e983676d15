// SPDX-License-Identifier: GPL-2.0
/*
 * From the camera to the display without a copy, with buffers of either side. The
 * camera is the virtual capture driver, with contiguous buffers.
 * camera --helper film COUNT: the guest's part of make demo; lines begin with "@".
 * camera --helper film iommu: the same for a camera behind an IOMMU.
 */
#define TAP_HELPER	film
#define TAP_BEGIN	importer_begin
#define TAP_END		importer_end

#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"
#include "importer.h"
#include "video.h"
#include "camera.h"
#include "cma_blit.h"

#define COUNT	40	/* pictures in each test */

/* The next picture has arrived, and both sides see the same one. */
static void check_picture(struct camera *camera, unsigned int index)
{
	require_next(camera, camera->frames[index].mem);
	REQUIRE(!memcmp(camera->mem[index], camera->frames[index].mem,
			camera->size),
		"the camera's bytes are others");
}

/* The whole buffer is where the display reads. */
static void check_address(struct camera *camera, unsigned int index)
{
	__u32 captured = address_of(camera, index, camera->mem[index]);
	void *shared = map_buffer(camera->fds[index], camera->size);

	address_of(camera, index, (char *)camera->frames[index].mem);
	address_of(camera, index, shared);
	REQUIRE(scanout_address() == captured, "captured at %#x, shown at %#x",
		captured, scanout_address());
	munmap(shared, camera->size);
}

static void check_camera(enum owner owner, __u32 width, __u32 height)
{
	struct totals before = totals_now();
	struct camera camera;
	struct screen screen;
	unsigned int i, index;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, owner, width, height);
	camera_start(&camera);
	for (i = 0; i < COUNT; i++) {
		index = camera_next(&camera);
		check_picture(&camera, index);
		screen_show(&screen, &camera, index);
		check_address(&camera, index);
	}
	REQUIRE(screen.flips == COUNT - 1, "%u flips", screen.flips);
	stream(camera.video, CAPTURE, false);
	camera_destroy(&camera);
	close(screen.display.card);
	require_totals(&before);
}

TEST(export_640, "the camera's buffers are on the display: 640x480")
{
	check_camera(CAMERA, 640, 480);
}

TEST(export_1024, "the camera's buffers are on the display: 1024x768")
{
	check_camera(CAMERA, 1024, 768);
}

TEST(import_640, "the camera captures into frames of the display: 640x480")
{
	check_camera(DISPLAY, 640, 480);
}

TEST(import_1024, "the camera captures into frames of the display: 1024x768")
{
	check_camera(DISPLAY, 1024, 768);
}

TEST(wrong, "mismatches are refused, and the stream continues")
{
	int heap = heap_open_cma(), null = open("/dev/null", O_RDWR), fd, ret;
	struct frame small, frame;
	struct camera camera;
	struct screen screen;
	unsigned int i;
	__u32 handle;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, DISPLAY, 640, 480);
	REQUIRE(!dumb_create(camera.card, &small, 320, 240, 16), "buffer");
	fd = handle_to_fd(camera.card, small.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(fd >= 0, "export: %s", strerror(-fd));
	camera_start(&camera);
	for (i = 0; i < 2 * FRAMES; i++) {
		unsigned int index = camera_next(&camera);

#define queue_other(other)						\
		queue(camera.video, CAPTURE, V4L2_MEMORY_DMABUF, index, other, 0)
		ret = queue_other(fd);
		REQUIRE(ret == -EINVAL, "a small frame: %s", strerror(-ret));
		ret = queue_other(null);
		REQUIRE(ret == -EINVAL, "/dev/null: %s", strerror(-ret));
		ret = queue_other(camera.card);
		REQUIRE(ret == -EINVAL, "the card: %s", strerror(-ret));
		ret = queue_other(1000);
		REQUIRE(ret == -EINVAL, "not open: %s", strerror(-ret));
		screen_show(&screen, &camera, index);
	}

	/* and on the other side */
	REQUIRE(fd_to_handle(camera.card, camera.video, &handle) == -EINVAL,
		"the camera is no buffer");
	frame = camera.frames[0];
	frame.width = 1024;
	frame.height = 768;
	frame.pitch = 2048;
	REQUIRE(fb_add(camera.card, &frame) == -EINVAL, "too small a buffer");
	fd = new_buffer(heap, camera.size - PAGE);
	frame = camera.frames[0];
	frame.handle = import(camera.card, fd);
	REQUIRE(fb_add(camera.card, &frame) == -EINVAL, "a page too small");
}

TEST(segments, "a device that cannot take a picture as one segment: E2BIG")
{
	struct importer_limits limits = { .max_seg_size = 65536 };
	struct camera camera;
	struct screen screen;
	int dev, ret;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, CAMERA, 640, 480);
	for (; limits.max_seg_size < 16 * MIB; limits.max_seg_size *= 16) {
		dev = new_device();
		ret = dev_limit(dev, limits);
		REQUIRE(!ret, "limit: %s", strerror(-ret));
		ret = dev_attach(dev, camera.fds[0]);
		/* on 6.1 no exporter checks the limits */
		if (is_vivid() && !ret && dev_map(dev, IMPORTER_BOTH, NULL) == -EPROTO)
			ret = -E2BIG;
		REQUIRE(ret == (limits.max_seg_size < camera.size ? -E2BIG : 0),
			"%u: %s", limits.max_seg_size, strerror(-ret));
		close(dev);
	}
}

TEST(closed, "a stream continues after descriptors and handles are closed")
{
	struct totals before = totals_now();
	struct camera camera;
	struct screen screen;
	unsigned int i;
	int ret;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, CAMERA, 640, 480);
	camera_start(&camera);
	for (i = 0; i < FRAMES; i++) {
		munmap(camera.frames[i].mem, camera.size);
		munmap(camera.mem[i], camera.size);
		close(camera.fds[i]);
		ret = handle_close(camera.card, camera.frames[i].handle);
		REQUIRE(!ret, "close: %s", strerror(-ret));
	}
	for (i = 0; i < 2 * FRAMES; i++)
		screen_show(&screen, &camera, camera_next(&camera));
	stream(camera.video, CAPTURE, false);
	require_in_use(camera.video);

	/* only the frames hold it now */
	for (i = 0; i < FRAMES; i++)
		REQUIRE(!fb_remove(camera.card, camera.frames[i].fb), "frame");
	for (i = 0; i < 50; i++) {
		ret = request(camera.video, CAPTURE, V4L2_MEMORY_MMAP, 0);
		if (!ret)
			break;
		usleep(20000);
	}
	REQUIRE(!ret, "it is still in use: %s", strerror(-ret));
	close(camera.video);
	close(camera.card);
	require_totals(&before);
}

TEST(camera_gone, "pictures of a closed camera stay on the display")
{
	struct totals before = totals_now();
	struct camera camera;
	struct screen screen;
	unsigned int i;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, CAMERA, 640, 480);
	camera_start(&camera);
	screen_show(&screen, &camera, camera_next(&camera));
	screen_show(&screen, &camera, camera_next(&camera));
	for (i = 0; i < FRAMES; i++)
		munmap(camera.mem[i], camera.size);
	close(camera.video);
	bars_shift((__u16 *)camera.frames[screen.index].mem, 640, 480);
	REQUIRE(!display_flip(&screen.display, camera.frames[0].fb, 9), "flip");
	REQUIRE(card_event(camera.card).user_data == 9, "event");
	for (i = 0; i < FRAMES; i++) {
		close(camera.fds[i]);
		frame_destroy(camera.card, &camera.frames[i]);
	}
	close(camera.card);
	require_totals(&before);
}

/* Unbind the display while it shows pictures; camera and new card keep working. */
static void check_unbind(enum owner owner)
{
	struct totals before = totals_now();
	struct camera camera;
	struct screen screen;
	unsigned int i, index;

	screen_open(&screen);
	need_unbind();
	camera_create(&camera, 0, screen.display.card, owner, 640, 480);
	camera_start(&camera);
	for (i = 0; i < FRAMES; i++)
		screen_show(&screen, &camera, camera_next(&camera));
	card_driver("unbind");
	for (i = 0; i < 2 * FRAMES; i++) {
		index = camera_next(&camera);
		REQUIRE(display_flip(&screen.display, camera.frames[index].fb,
				     i) == -ENODEV, "there is no display");
		bars_shift(camera.mem[index], 640, 480);
		camera_queue(&camera, index);
	}
	card_driver("bind");

	/* its buffers can be shown by the new one */
	for (i = 0; i < FRAMES; i++)
		munmap(camera.frames[i].mem, camera.frames[i].size);
	close(camera.card);
	screen_open(&screen);
	camera.card = screen.display.card;
	index = camera_next(&camera);
	camera.frames[index].handle = import(camera.card, camera.fds[index]);
	REQUIRE(!fb_add(camera.card, &camera.frames[index]), "frame");
	screen_show(&screen, &camera, index);
	for (i = 0; i < FRAMES; i++)
		close(camera.fds[i]);
	if (owner == CAMERA)
		for (i = 0; i < FRAMES; i++)
			munmap(camera.mem[i], camera.size);
	close(camera.video);
	close(camera.card);
	require_totals(&before);
}

TEST(unbind_export, "the display is unbound while it shows the camera's buffers")
{
	check_unbind(CAMERA);
}

TEST(unbind_import, "the display is unbound while the camera captures into its buffers")
{
	check_unbind(DISPLAY);
}

static void show_for_ever(void *arg)
{
	struct camera camera;
	struct screen screen;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, *(enum owner *)arg, 640,
		      480);
	camera_start(&camera);
	for (;;)
		screen_show(&screen, &camera, camera_next(&camera));
}

TEST(killed, "a process that is killed while it shows pictures leaks no memory")
{
	struct totals before = totals_now();
	enum owner owner;
	pid_t pid;
	int i;

	for (i = 0; i < 10; i++) {
		owner = i & 1 ? DISPLAY : CAMERA;
		pid = tap_start(show_for_ever, &owner);
		usleep(400000 + 37000 * i);
		REQUIRE(!waitpid(pid, NULL, WNOHANG), "it has ended");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	require_totals(&before);
}

TEST(exhausted, "pictures are shown while the area is exhausted, and nothing leaks")
{
	struct totals before = totals_now();
	int heap = heap_open_cma(), other, ret;
	unsigned int i, n = 0;
	static int fds[4096];
	struct camera camera;
	struct screen screen;
	struct frame frame;

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, CAMERA, 640, 480);
	camera_start(&camera);
	while (n < ARRAY_SIZE(fds) &&
	       (fds[n] = heap_alloc(heap, 32 * PAGE, O_RDWR | O_CLOEXEC)) >= 0)
		n++;
	REQUIRE(n < ARRAY_SIZE(fds) && fds[n] == -ENOMEM, "%u buffers, then %s",
		n, strerror(-fds[n]));
	for (i = 0; i < COUNT; i++) {
		screen_show(&screen, &camera, camera_next(&camera));
		ret = dumb_create(camera.card, &frame, 640, 480, 16);
		REQUIRE(ret == -ENOMEM, "dumb buffer: %s", strerror(-ret));
	}
	other = video_open(is_m2m, 0);
	set_format(other, CAPTURE, V4L2_PIX_FMT_RGB565X, 640, 480);
	ret = request(other, CAPTURE, V4L2_MEMORY_MMAP, 4);
	REQUIRE(ret == (has_contiguous(is_m2m) ? -ENOMEM : 4),
		"the other driver's buffers: %d", ret);
	while (n)
		close(fds[--n]);
	must_request(other, CAPTURE, V4L2_MEMORY_MMAP, 4);
	screen_show(&screen, &camera, camera_next(&camera));
	close(other);
	camera_destroy(&camera);
	close(camera.card);
	require_totals(&before);
}

/*
 * The demo
 */

static __u32 crc32(const __u8 *bytes, size_t size)
{
	__u32 sum = ~0u;
	unsigned int bit;

	for (; size; size--, bytes++) {
		sum ^= *bytes;
		for (bit = 0; bit < 8; bit++)
			sum = (sum >> 1) ^ (sum & 1 ? 0xedb88320 : 0);
	}
	return ~sum;
}

/* Show @count pictures, each for one frame time; the last one stays. */
static void film_one(struct screen *screen, struct camera *camera,
		     const char *whose, unsigned int count)
{
	__u32 captured = 0, frame;
	unsigned int i, index, same = 0, first = 0;

	camera_start(camera);
	for (i = 0; i < count; i++) {
		index = camera_next(camera);
		screen_show(screen, camera, index);
		captured = address_of(camera, index, camera->mem[index]);
		frame = address_of(camera, index,
				   (char *)camera->frames[index].mem);
		same += captured == frame && frame == scanout_address();
		if (i == 1)
			first = screen->sequence;
	}
	printf("@film %s width=%u height=%u captured=%u flips=%u refreshes=%u ",
	       whose, camera->width, camera->height, count, screen->flips,
	       screen->sequence - first);
	printf("same=%u address=%#x shown=%#x\n", same, captured,
	       scanout_address());
}

/* Hold the picture until a line arrives on standard input. */
static void film_hold(const struct frame *frame)
{
	char line[80];

	printf("@picture shift=%u text=%u\n",
	       bars_shift((__u16 *)frame->mem, frame->width, frame->height),
	       TEXT_END);
	printf("@crc %08x\n", crc32(frame->mem, frame->size));
	printf("@screen-ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		printf("@nobody took a picture\n");
	printf("@crc %08x\n", crc32(frame->mem, frame->size));
}

/*
 * A camera behind an IOMMU captures into scattered memory. Another device, behind the
 * IOMMU as well, copies the picture into a frame of the display, which has none.
 */
static int film_iommu(void)
{
	int blit = open_misc("cma_blit", O_RDWR | O_CLOEXEC), camera;
	struct blit_copy copy;
	struct screen screen;
	struct frame frame;
	void *mem;

	REQUIRE(blit >= 0, "/dev/cma_blit: %s", strerror(errno));
	screen_open(&screen);
	frame_create(screen.display.card, &frame, 1024, 768, 16);
	camera = camera_open(0, frame.width, frame.height);
	must_request(camera, CAPTURE, V4L2_MEMORY_MMAP, 1);
	mem = map_own(camera, 0, frame.size);
	must_queue(camera, CAPTURE, V4L2_MEMORY_MMAP, 0, 0);
	stream(camera, CAPTURE, true);
	must_dequeue(camera, CAPTURE, V4L2_MEMORY_MMAP);

	copy.from.fd = must_export(camera, CAPTURE, 0);
	copy.to.fd = handle_to_fd(screen.display.card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(!ioctl(blit, BLIT_COPY, &copy), "copy: %s", strerror(errno));
	display_show(&screen.display, &frame);
	printf("@film iommu from=%#x pieces=%u to=%#x size=%u frame=%u shown=%#x\n",
	       copy.from.addr, copy.from.pieces, copy.to.addr, copy.from.size,
	       copy.to.pieces, scanout_address());
	printf("@crc %08x\n", crc32(mem, frame.size));
	film_hold(&frame);
	return 0;
}

static int film(char **args)
{
	unsigned int count = args[0] && args[1] ? atoi(args[1]) : 2;
	struct camera camera;
	struct screen screen;

	if (args[0] && args[1] && !strcmp(args[1], "iommu"))
		return film_iommu();
	importer_begin();
	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, DISPLAY, 1024, 768);
	film_one(&screen, &camera, "display", count);
	stream(camera.video, CAPTURE, false);
	camera_destroy(&camera);
	close(screen.display.card);

	screen_open(&screen);
	camera_create(&camera, 0, screen.display.card, CAMERA, 1024, 768);
	film_one(&screen, &camera, "camera", count);
	film_hold(&camera.frames[screen.index]);
	importer_end();
	return 0;
}
