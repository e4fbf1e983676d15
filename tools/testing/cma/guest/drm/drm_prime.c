// SPDX-License-Identifier: GPL-2.0
/*
 * A DRM card and its display: modes, page flips, dumb buffers, and buffers that are
 * shared with others. drm_prime --helper show WIDTH BITS shows colour bars until
 * standard input ends; with WIDTH 0, in a buffer of the default area's heap.
 */
#define TAP_HELPER	show_helper
#define TAP_BEGIN	importer_begin
#define TAP_END		importer_end

#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"
#include "importer.h"

#include <pthread.h>
#include <stddef.h>

/* Pages of the default area that are in use */
static long used(void)
{
	return area_number("reserved", "used");
}

/* Frames that were on the display are released a moment later */
static void require_used(long before)
{
	int tries = 50;

	while (used() != before && tries--)
		usleep(20000);
	REQUIRE(used() == before, "%ld pages, now %ld", before, used());
}

/* The number of times that a word is in a file */
static unsigned int count_in(const char *path, const char *word)
{
	static char text[16384];
	unsigned int count = 0;
	const char *at = text;

	read_file(path, text, sizeof(text));
	while ((at = strstr(at, word))) {
		at += strlen(word);
		count++;
	}
	return count;
}

static void make_heap_frame(int card, struct frame *frame, __u32 width,
			    __u32 height, __u32 bpp)
{
	int heap = heap_open_cma(), fd, ret;

	memset(frame, 0, sizeof(*frame));
	frame->width = width;
	frame->height = height;
	frame->bpp = bpp;
	frame->depth = bpp == 32 ? 24 : bpp;
	frame->pitch = width * bpp / 8;
	frame->size = (size_t)frame->pitch * height;
	fd = new_buffer(heap, frame->size);
	close(heap);
	frame->mem = map_buffer(fd, frame->size);
	frame->handle = import(card, fd);
	ret = fb_add(card, frame);
	REQUIRE(!ret, "frame: %s", strerror(-ret));
	ret = sync_buffer(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	REQUIRE(!ret, "start: %s", strerror(-ret));
	paint_bars(frame);
	ret = sync_buffer(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	REQUIRE(!ret, "end: %s", strerror(-ret));
	close(fd);
}

static __u32 height_of(__u32 width)
{
	return width == 800 ? 600 : width * 3 / 4;
}

static int show_helper(char **args)
{
	__u32 width = atoi(args[1]), bpp = atoi(args[2]);
	struct display display;
	struct frame frame;
	char byte;

	display_open(&display, card_open());
	if (width)
		frame_create(display.card, &frame, width, height_of(width), bpp);
	else
		make_heap_frame(display.card, &frame, 1024, 768, bpp);
	if (width)
		paint_bars(&frame);
	display_show(&display, &frame);
	note("shown");
	while (read(0, &byte, 1) == 1)
		;
	return 0;
}

static __u64 capability(int card, __u64 which)
{
	struct drm_get_cap cap = { .capability = which };
	int ret = card_ioctl(card, DRM_IOCTL_GET_CAP, &cap);

	REQUIRE(!ret, "capability %llu: %s", which, strerror(-ret));
	return cap.value;
}

TEST(capabilities, "the card announces dumb buffers and PRIME")
{
	int card = card_open();

	REQUIRE(capability(card, DRM_CAP_DUMB_BUFFER) == 1, "dumb buffers");
	REQUIRE(capability(card, DRM_CAP_PRIME) ==
		(DRM_PRIME_CAP_IMPORT | DRM_PRIME_CAP_EXPORT), "PRIME");
}

TEST(names, "driver and bus have their names")
{
	char name[32] = "", bus[32] = "";
	struct drm_version version = { .name = name, .name_len = 31 };
	struct drm_set_version set = {
		.drm_di_major = 1, .drm_di_minor = 4,
		.drm_dd_major = -1, .drm_dd_minor = -1,
	};
	struct drm_unique unique = { .unique = bus, .unique_len = 31 };
	int card = card_open();

	REQUIRE(!card_ioctl(card, DRM_IOCTL_VERSION, &version), "version");
	REQUIRE(!strcmp(name, "pl111"), "%s", name);
	REQUIRE(!card_ioctl(card, DRM_IOCTL_SET_VERSION, &set), "set version");
	REQUIRE(!card_ioctl(card, DRM_IOCTL_GET_UNIQUE, &unique), "bus");
	/* 6.1 has a name for the bus on PCI only */
	snprintf(name, sizeof(name), "%s%s", card_is_later() ? "" : "amba:",
		 card_device());
	REQUIRE(!strcmp(bus, name), "%s", bus);
}

TEST(modes, "modes can be set in each format, and bars are shown in them")
{
	static const struct { __u32 width, bpp, depth; } all[] = {
		{ 1024, 16, 16 }, { 800, 16, 16 }, { 640, 16, 16 },
		{ 1024, 16, 15 }, { 640, 32, 24 },
	};
	struct drm_mode_crtc crtc = { };
	struct display display;
	struct frame frame;
	unsigned int i;
	int ret;

	display_open(&display, card_open());
	/* 6.1 asks the monitor, and QEMU's prefers no mode */
	REQUIRE(display.modes[0].hdisplay == 1024 &&
		(display.modes[0].type & DRM_MODE_TYPE_PREFERRED ||
		 card_is_later()), "first is %s", display.modes[0].name);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		__u32 height = height_of(all[i].width);

		frame_create(display.card, &frame, all[i].width, height,
			     all[i].bpp);
		if (frame.depth != all[i].depth) {
			frame.depth = all[i].depth;
			fb_remove(display.card, frame.fb);
			ret = fb_add(display.card, &frame);
			REQUIRE(!ret, "depth %u: %s", frame.depth,
				strerror(-ret));
		}
		paint_bars(&frame);
		display_show(&display, &frame);
		crtc.crtc_id = display.crtc;
		ret = card_ioctl(display.card, DRM_IOCTL_MODE_GETCRTC, &crtc);
		REQUIRE(!ret && crtc.mode_valid && crtc.fb_id == frame.fb &&
			crtc.mode.hdisplay == all[i].width, "mode %u: %d",
			crtc.mode.hdisplay, ret);
		frame_destroy(display.card, &frame);
		ret = card_ioctl(display.card, DRM_IOCTL_MODE_GETCRTC, &crtc);
		REQUIRE(!ret && !crtc.fb_id, "still frame %u", crtc.fb_id);
	}
}

TEST(bad_modes, "modes and frames that the hardware cannot show are refused")
{
	static const size_t offsets[] = {
#define FIELD(name)	offsetof(struct drm_mode_modeinfo, name)
		FIELD(hdisplay), FIELD(hsync_start), FIELD(hsync_end),
		FIELD(htotal), FIELD(vdisplay), FIELD(vsync_start),
		FIELD(vsync_end), FIELD(vtotal),
	};
	struct drm_mode_modeinfo mode;
	struct frame frame, small;
	struct display display;
	int card = card_open(), ret;
	unsigned int i, value;

	if (card_is_later())
		skip("the driver of this kernel leaves that to the hardware");
	display_open(&display, card);
	frame_create(card, &frame, 1024, 768, 16);
	frame_create(card, &small, 640, 480, 16);
	display_show(&display, &frame);

	mode = *display_mode(&display, 1024, 768);
	REQUIRE(display_set(&display, &mode, 12345, 0) == -EINVAL, "no frame");
	REQUIRE(display_set(&display, &mode, small.fb, 0) < 0, "small frame");
	mode.hdisplay = 1000;
	REQUIRE(display_set(&display, &mode, frame.fb, 0) == -EINVAL, "width");
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (value = 0; value <= 0xffff; value += 0xffff) {
			mode = *display_mode(&display, 1024, 768);
			*(__u16 *)((char *)&mode + offsets[i]) = value;
			ret = display_set(&display, &mode, frame.fb, 0);
			REQUIRE(ret < 0, "%zu is %u: %s", offsets[i], value,
				strerror(-ret));
		}
	}
	mode = *display_mode(&display, 1024, 768);
	mode.clock = 0;
	REQUIRE(display_set(&display, &mode, frame.fb, 0) == -EINVAL, "clock");
	mode.clock = 1;
	REQUIRE(display_set(&display, &mode, frame.fb, 0) == -EINVAL, "clock");
	mode.clock = ~0;
	REQUIRE(display_set(&display, &mode, frame.fb, 0) == -EINVAL, "clock");
	REQUIRE(display_set(&display, display_mode(&display, 640, 480),
			    frame.fb, 0) == -EINVAL, "frame of other width");
	REQUIRE(display_flip(&display, small.fb, 1) == -ENOSPC, "small flip");

	/* the display still shows the same frame */
	REQUIRE(!display_flip(&display, frame.fb, 2), "flip");
	REQUIRE(card_event(card).user_data == 2, "event");
}

TEST(bad_frames, "frames of the wrong size, format or buffer are refused")
{
	struct frame frame, wrong;
	int card = card_open();

	REQUIRE(!dumb_create(card, &frame, 640, 480, 32), "buffer");
	REQUIRE(!fb_add(card, &frame), "frame");
	wrong = frame;
	wrong.handle = 999;
	REQUIRE(fb_add(card, &wrong) == -ENOENT, "handle");
	wrong = frame;
	wrong.height = 481;
	REQUIRE(fb_add(card, &wrong) == -EINVAL, "height");
	wrong = frame;
	wrong.width = 0x10280;
	wrong.pitch = wrong.width * 4;
	REQUIRE(fb_add(card, &wrong) == -EINVAL, "width");
	if (card_is_later())	/* 6.1 checks pitch and format when it shows a frame */
		return;
	wrong = frame;
	wrong.pitch += 16;
	REQUIRE(fb_add(card, &wrong) == -EINVAL, "end of a longer pitch");
	wrong = frame;
	wrong.pitch -= 4;
	REQUIRE(fb_add(card, &wrong) == -EINVAL, "pitch of overlapping lines");
	wrong = frame;
	wrong.bpp = 24;
	REQUIRE(fb_add(card, &wrong) == -EINVAL, "24 bits");
	wrong = frame;
	wrong.depth = 30;
	REQUIRE(fb_add(card, &wrong) == -EINVAL, "depth 30");
}

TEST(padded_pitch, "a frame with a padded pitch is refused when it is to be shown")
{
	struct frame frame, padded;
	struct display display;
	int card = card_open();

	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	REQUIRE(!dumb_create(card, &padded, 648, 480, 16), "buffer");
	padded.width = 640;
	REQUIRE(!fb_add(card, &padded), "pitch %u", padded.pitch);
	REQUIRE(display_set(&display, display_mode(&display, 640, 480),
			    padded.fb, 0) == -EINVAL, "mode");
	display_show(&display, &frame);
	REQUIRE(display_set(&display, display_mode(&display, 640, 480),
			    padded.fb, 0) == -EINVAL, "frame");
	REQUIRE(display_flip(&display, padded.fb, 1) == -EINVAL, "flip");
	REQUIRE(!display_flip(&display, frame.fb, 2), "flip");
	REQUIRE(card_event(card).user_data == 2, "event");
	frame_destroy(card, &padded);
}

/* 0, or a negative errno. */
static int fb_add2(int card, struct drm_mode_fb_cmd2 cmd, struct frame *frame)
{
	int ret = card_ioctl(card, DRM_IOCTL_MODE_ADDFB2, &cmd);

	frame->fb = cmd.fb_id;
	return ret;
}

TEST(formats, "a format can be given as fourcc, for one plane without modifiers")
{
	struct drm_mode_fb_cmd2 good, bad;
	struct drm_mode_fb_cmd back = { };
	int card = card_open();
	struct frame frame;

	REQUIRE(!dumb_create(card, &frame, 640, 480, 16), "buffer");
	good = (struct drm_mode_fb_cmd2){
		.width = 640, .height = 480,
		.pixel_format = DRM_FORMAT_RGB565,
		.handles[0] = frame.handle, .pitches[0] = frame.pitch,
	};
	REQUIRE(!fb_add2(card, good, &frame) && frame.fb, "RGB565");
	back.fb_id = frame.fb;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_GETFB, &back) &&
		back.bpp == 16 && back.depth == 16 && back.width == 640 &&
		back.height == 480 && back.pitch == 1280, "%u bits, %u",
		back.bpp, back.depth);
	bad = good;
	bad.pixel_format = DRM_FORMAT_NV12;
	REQUIRE(fb_add2(card, bad, &frame) == -EINVAL, "NV12");
	bad = good;
	/* 6.1 knows that flag */
	bad.flags = card_is_later() ? 0x80 : DRM_MODE_FB_MODIFIERS;
	REQUIRE(fb_add2(card, bad, &frame) == -EINVAL, "flags");
	bad = good;
	bad.offsets[0] = 4096;
	REQUIRE(fb_add2(card, bad, &frame) == -EINVAL, "offset");
	bad = good;
	bad.handles[1] = frame.handle;
	bad.flags = unused_planes_flags();
	REQUIRE(fb_add2(card, bad, &frame) == -EINVAL, "two planes");
	bad = good;
	bad.handles[0] = 999;
	REQUIRE(fb_add2(card, bad, &frame) == -ENOENT, "handle");
}

#define FLIPS	120

TEST(flips, "page flips complete in order, at the rate of the mode")
{
	struct frame frames[2];
	struct drm_event_vblank event = { };
	struct display display;
	__u64 start, took;
	__u32 last = 0;
	unsigned int i;
	int ret;

	display_open(&display, card_open());
	frame_create(display.card, &frames[0], 1024, 768, 16);
	frame_create(display.card, &frames[1], 1024, 768, 16);
	paint_bars(&frames[0]);
	display_show(&display, &frames[0]);

	start = clock_ns(CLOCK_MONOTONIC);
	for (i = 1; i <= FLIPS; i++) {
		ret = display_flip(&display, frames[i % 2].fb, i);
		REQUIRE(!ret, "flip %u: %s", i, strerror(-ret));
		event = card_event(display.card);
		REQUIRE(event.base.type == DRM_EVENT_FLIP_COMPLETE &&
			event.user_data == i, "event %llu", event.user_data);
		REQUIRE(i == 1 || event.sequence > last, "frame %u after %u",
			event.sequence, last);
		last = event.sequence;
	}
	took = clock_ns(CLOCK_MONOTONIC) - start;
	note("%u flips in %llu ms", FLIPS, took / 1000000);
	/* 60 Hz: 2 s; a busy emulator takes longer */
	REQUIRE(took > 1700000000ULL && took < 6000000000ULL, "%llu ns", took);
}

TEST(flip_busy, "a flip is EBUSY while another one is pending or the display is off")
{
	struct frame frames[2];
	struct display display;
	unsigned int i, busy = 0;
	int ret;

	display_open(&display, card_open());
	frame_create(display.card, &frames[0], 640, 480, 16);
	frame_create(display.card, &frames[1], 640, 480, 16);
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	REQUIRE(display_flip(&display, frames[0].fb, 1) == -EBUSY, "no mode");
	display_show(&display, &frames[0]);
	for (i = 0; i < 20; i++) {
		REQUIRE(!display_flip(&display, frames[1].fb, i), "flip %u", i);
		ret = display_flip(&display, frames[0].fb, i);
		busy += ret == -EBUSY;
		REQUIRE(!ret || ret == -EBUSY, "%s", strerror(-ret));
		if (!ret)
			card_event(display.card);
		card_event(display.card);
	}
	REQUIRE(busy > 10, "%u of 20", busy);
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	REQUIRE(display_flip(&display, frames[1].fb, 1) == -EBUSY, "off");
}

TEST(flip_off, "a flip ends when the display is switched off or the frame is removed")
{
	long before = used();
	struct frame frames[2];
	struct display display;
	unsigned int i;

	display_open(&display, card_open());
	for (i = 0; i < 4; i++) {
		frame_create(display.card, &frames[0], 640, 480, 16);
		frame_create(display.card, &frames[1], 640, 480, 16);
		display_show(&display, &frames[0]);
		REQUIRE(!display_flip(&display, frames[1].fb, i), "flip");
		if (i & 1)
			REQUIRE(!display_set(&display, NULL, 0, 0), "off");
		frame_destroy(display.card, &frames[0]);
		frame_destroy(display.card, &frames[1]);
		REQUIRE(card_event(display.card).user_data == i, "event");
	}
	require_used(before);
}

TEST(flip_close, "a file that is closed with a flip pending gets no event")
{
	long before = used();
	struct frame frames[2];
	struct display display;
	unsigned int i;
	int card = -1;

	for (i = 0; i < 10; i++) {
		card = card_open();
		display_open(&display, card);
		frame_create(card, &frames[0], 640, 480, 16);
		frame_create(card, &frames[1], 640, 480, 16);
		display_show(&display, &frames[0]);
		REQUIRE(!display_flip(&display, frames[1].fb, i), "flip");
		/* a mapping keeps the file open */
		munmap(frames[0].mem, frames[0].size);
		munmap(frames[1].mem, frames[1].size);
		close(card);
	}
	require_used(before);
}

TEST(pan, "a part of a higher frame can be shown")
{
	struct drm_mode_modeinfo *mode;
	struct display display;
	struct frame frame;

	display_open(&display, card_open());
	mode = display_mode(&display, 640, 480);
	frame_create(display.card, &frame, 640, 768, 16);
	REQUIRE(!display_set(&display, mode, frame.fb, 0), "top");
	REQUIRE(!display_set(&display, mode, frame.fb, 288), "bottom");
	REQUIRE(display_set(&display, mode, frame.fb, 289) < 0, "too low");
}

TEST(vblank, "frames are counted, and can be waited for")
{
	union drm_wait_vblank wait = { };
	struct display display;
	struct frame frame;
	__u32 first;

	display_open(&display, card_open());
	frame_create(display.card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	wait.request.type = _DRM_VBLANK_RELATIVE;
	REQUIRE(!card_ioctl(display.card, DRM_IOCTL_WAIT_VBLANK, &wait), "now");
	first = wait.reply.sequence;
	memset(&wait, 0, sizeof(wait));
	wait.request.type = _DRM_VBLANK_RELATIVE;
	wait.request.sequence = 5;
	REQUIRE(!card_ioctl(display.card, DRM_IOCTL_WAIT_VBLANK, &wait), "5");
	REQUIRE(wait.reply.sequence - first >= 5 &&
		wait.reply.sequence - first < 60, "%u to %u", first,
		wait.reply.sequence);
}

TEST(vblank_off, "a wait for a vblank ends, even if the display is switched off")
{
	union drm_wait_vblank wait = { };
	struct display display;
	struct frame frame;

	display_open(&display, card_open());
	frame_create(display.card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	wait.request.type = _DRM_VBLANK_RELATIVE | _DRM_VBLANK_EVENT;
	wait.request.sequence = 30;
	wait.request.signal = 42;
	REQUIRE(!card_ioctl(display.card, DRM_IOCTL_WAIT_VBLANK, &wait), "wait");
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	/* 6.1 does not wait for the display to be on again */
	if (card_is_later())
		REQUIRE(card_event(display.card).user_data == 42, "vblank");
	display_show(&display, &frame);
	REQUIRE(!display_flip(&display, frame.fb, 43), "flip");
	REQUIRE(card_event(display.card).user_data == 43, "flip");
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	if (!card_is_later())
		REQUIRE(card_event(display.card).user_data == 42, "vblank");
}

TEST(dumb, "dumb buffers are cleared, and their sizes are checked")
{
	static const __u32 bad[][3] = {
		{ 0, 1, 32 }, { 1, 0, 32 }, { 1, 1, 0 },
		{ ~0u, 1, 32 }, { 1, ~0u, 32 }, { 65536, 65536, 32 },
		{ ~0u, ~0u, ~0u }, { 0x40000000, 2, 8 }, { 32768, 32768, 16 },
	};
	struct drm_mode_destroy_dumb destroy = { .handle = 999 };
	struct frame frame;
	int card = card_open();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		int ret = dumb_create(card, &frame, bad[i][0], bad[i][1],
				      bad[i][2]);

		/* 6.1 tries 2 GiB: no address space to map it, or no memory */
		REQUIRE(ret == -EINVAL || (card_is_later() && i > 6 &&
					   (ret == -ENOSPC || ret == -ENOMEM)),
			"%u: %s", i, strerror(-ret));
	}
	REQUIRE(dumb_create(card, &frame, 16384, 16384, 32) == -ENOMEM, "1 GiB");
	REQUIRE(!dumb_create(card, &frame, 33, 3, 8), "odd");
	REQUIRE(frame.pitch == 33 &&
		frame.size == (card_is_later() ? 99 : PAGE), "%u, %zu",
		frame.pitch, frame.size);
	frame_create(card, &frame, 1024, 768, 16);
	for (i = 0; i < frame.size; i++)
		REQUIRE(!frame.mem[i], "byte %u", i);
	REQUIRE(card_ioctl(card, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy) ==
		-EINVAL, "no such buffer");
	destroy.handle = frame.handle;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy), "own");
	REQUIRE(handle_close(card, frame.handle) == -EINVAL, "twice");
}

TEST(map, "only a handle's owner can map a buffer, shared and within its size")
{
	struct drm_mode_map_dumb args = { };
	int card = card_open(), other = card_open();
	struct frame frame;
	void *mem;

	REQUIRE(card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &args) == -ENOENT,
		"no handle");
	frame_create(card, &frame, 640, 480, 16);
	REQUIRE(!handle_map(card, frame.handle, frame.size + PAGE, MAP_SHARED) &&
		errno == EINVAL, "%s", strerror(errno));
	if (!card_is_later())	/* 6.1 allows private mappings */
		REQUIRE(!handle_map(card, frame.handle, frame.size, MAP_PRIVATE) &&
			errno == EINVAL, "%s", strerror(errno));
	mem = handle_map(card, frame.handle, PAGE, MAP_SHARED);
	REQUIRE(mem, "a part: %s", strerror(errno));

	args.handle = frame.handle;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &args), "offset");
	mem = mmap64(NULL, PAGE, PROT_READ, MAP_SHARED, other, args.offset);
	REQUIRE(mem == MAP_FAILED && errno == EACCES, "%s", strerror(errno));
	mem = mmap64(NULL, PAGE, PROT_READ, MAP_SHARED, card, args.offset + PAGE);
	REQUIRE(mem == MAP_FAILED && errno == EINVAL, "%s", strerror(errno));

	/* a mapping outlives the handle */
	fill_pages(frame.mem, frame.size, 7);
	REQUIRE(!fb_remove(card, frame.fb), "frame");
	REQUIRE(!handle_close(card, frame.handle), "close");
	mem = mmap64(NULL, PAGE, PROT_READ, MAP_SHARED, card, args.offset);
	REQUIRE(mem == MAP_FAILED && errno == EACCES, "%s", strerror(errno));
	close(card);
	REQUIRE(first_wrong(frame.mem, frame.size, 7) < 0, "bytes");
}

static void check_parts(int fd, size_t size)
{
	void *mem = map_part(fd, size - PAGE, PAGE);

	REQUIRE(mem, "last page: %s", strerror(errno));
	REQUIRE(page_right(mem, 2, size / PAGE - 1), "last page");
	munmap(mem, PAGE);
	mem = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(mem == MAP_FAILED && errno == EINVAL, "private");
}

TEST(prime_export, "a buffer has the same bytes when exported, and exports are the same buffer")
{
	int card = card_open(), fd, again;
	struct frame frame;
	char path[64];
	void *mem;

	frame_create(card, &frame, 1024, 768, 16);
	fill_pages(frame.mem, frame.size, 1);
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(fd >= 0, "export: %s", strerror(-fd));
	REQUIRE(fcntl(fd, F_GETFD) == FD_CLOEXEC, "flags");
	REQUIRE(lseek(fd, 0, SEEK_END) == (off_t)frame.size, "size");
	mem = map_buffer(fd, frame.size);
	REQUIRE(first_wrong(mem, frame.size, 1) < 0, "bytes");
	fill_pages(mem, frame.size, 2);
	REQUIRE(first_wrong(frame.mem, frame.size, 2) < 0, "bytes");
	munmap(mem, frame.size);
	REQUIRE(!map_part(fd, frame.size, PAGE), "behind the end");
	if (!card_is_later())	/* the driver of 6.1 maps from the start only */
		check_parts(fd, frame.size);

	again = handle_to_fd(card, frame.handle, 0);
	REQUIRE(again >= 0 && !fcntl(again, F_GETFD), "again: %d", again);
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, "bars"), "name");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", again);
	REQUIRE(count_in(path, "name:\tbars") == 1, "another buffer");
	REQUIRE(count_in(path, card_is_later() ? "exp_name:\tdrm" :
			 "exp_name:\tpl111") == 1, "exporter");
	REQUIRE(count_in(BUFINFO, "bars") == 1, "bufinfo");

	/* after the last descriptor is closed, an export is a new buffer */
	close(fd);
	close(again);
}

TEST(prime_read_only, "a buffer that is exported without DRM_RDWR cannot be written")
{
	int card = card_open(), fd;
	struct frame frame;
	void *mem;

	frame_create(card, &frame, 64, 64, 32);
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	REQUIRE(!map_part(fd, 0, PAGE) && errno == EACCES, "%s",
		strerror(errno));
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(mem != MAP_FAILED, "%s", strerror(errno));
}

/* Only the master may map through the card, everyone through a descriptor */
static void require_bytes(int card, __u32 handle, size_t size, __u32 owner)
{
	int fd = handle_to_fd(card, handle, DRM_CLOEXEC | DRM_RDWR);
	void *mem;

	REQUIRE(fd >= 0, "export: %s", strerror(-fd));
	mem = map_buffer(fd, size);
	REQUIRE(first_wrong(mem, size, owner) < 0, "bytes");
	munmap(mem, size);
	close(fd);
}

TEST(prime_own, "importing an own buffer gives the object that it was exported from")
{
	int card = card_open(), other = card_open(), fd;
	struct frame frame;
	long before = used();
	__u32 handle;
	void *mem;

	frame_create(card, &frame, 1024, 768, 16);
	fill_pages(frame.mem, frame.size, 3);
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	REQUIRE(import(card, fd) == frame.handle, "another handle");
	REQUIRE(import(card, fd) == frame.handle, "another handle");
	handle = import(other, fd);
	REQUIRE(import(other, fd) == handle, "another handle");
	require_bytes(other, handle, frame.size, 3);

	/* close all but the descriptor: the buffer lives */
	REQUIRE(!handle_close(other, handle), "close");
	frame_destroy(card, &frame);
	REQUIRE(handle_close(card, frame.handle) == -EINVAL, "gone twice");
	mem = map_buffer(fd, frame.size);
	REQUIRE(first_wrong(mem, frame.size, 3) < 0, "bytes");
	munmap(mem, frame.size);
	handle = import(other, fd);
	REQUIRE(import(card, fd), "back");

	/* close all but a handle: it lives, too, and is freed with the file */
	close(fd);
	require_bytes(other, handle, frame.size, 3);
	close(other);
	close(card);
	require_used(before);
}

TEST(prime_again, "an object can be exported again after its buffer is gone")
{
	int card = card_open(), fd, i;
	long before = used();
	struct frame frame;
	char path[64];

	if (card_is_later())
		skip("an object of this kernel keeps its buffer");
	frame_create(card, &frame, 512, 512, 32);
	for (i = 0; i < 100; i++) {
		fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
		REQUIRE(fd >= 0, "%d: %s", i, strerror(-fd));
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		REQUIRE(!count_in(path, "name:\tonce"), "%d: the old one", i);
		REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, "once"), "name");
		close(fd);
	}
	frame_destroy(card, &frame);
	close(card);
	require_used(before);
}

static void check_heap(int heap)
{
	int card = card_open(), other = card_open(), fd, back, ret;
	size_t size = 1024 * 768 * 2;
	long before = used();
	__u32 handle;
	char path[64];
	void *mem, *through;

	fd = new_buffer(heap, size);
	mem = map_buffer(fd, size);
	fill_pages(mem, size, 4);
	/* scattered memory cannot move while it is mapped */
	ret = fd_to_handle(card, fd, &handle);
	if (ret == -EBUSY && !strcmp(tap_about, "system")) {
		munmap(mem, size);
		ret = fd_to_handle(card, fd, &handle);
		mem = map_buffer(fd, size);
	}
	/* the system heap of 6.1 does not move buffers at all */
	if (card_is_later() && !strcmp(tap_about, "system")) {
		REQUIRE(ret == -EINVAL, "%s", strerror(-ret));
		return;
	}
	REQUIRE(!ret, "%s", strerror(-ret));
	REQUIRE(import(card, fd) == handle, "another handle");
	import(other, fd);
	REQUIRE(first_wrong(mem, size, 4) < 0, "bytes");
	through = handle_map(card, handle, size, MAP_SHARED);
	if (card_is_later()) {	/* mapped through the descriptor only */
		REQUIRE(!through && errno == EINVAL, "%s", strerror(errno));
		through = map_buffer(fd, size);
	}
	REQUIRE(through, "map: %s", strerror(errno));
	REQUIRE(first_wrong(through, size, 4) < 0, "bytes");
	munmap(through, size);
	munmap(mem, size);

	/* exported again it is the same buffer */
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, "there"), "name");
	back = handle_to_fd(card, handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(back >= 0, "export: %s", strerror(-back));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", back);
	REQUIRE(count_in(path, "name:\tthere") == 1, "another buffer");
	/* one attachment for all files; on 6.1 each file has an object */
	REQUIRE(count_in(BUFINFO, card_device()) == 1 + card_is_later(),
		"%u attachments",
		count_in(BUFINFO, card_device()));

	close(fd);
	close(back);
	REQUIRE(!handle_close(card, handle), "close");
	REQUIRE(count_in(BUFINFO, "there") == 1, "gone too early");
	close(card);
	close(other);
	REQUIRE(!count_in(BUFINFO, "there"), "not gone");
	require_used(before);
}

TEST(prime_heaps, "importing a buffer of each heap gives one object each time")
{
	each_heap(check_heap);
}

TEST(prime_heap_shown, "a heap's buffer can be shown and flipped to")
{
	struct frame frames[2];
	struct display display;
	long before = used();
	unsigned int i;

	display_open(&display, card_open());
	make_heap_frame(display.card, &frames[0], 1024, 768, 16);
	make_heap_frame(display.card, &frames[1], 1024, 768, 16);
	display_show(&display, &frames[0]);
	for (i = 1; i <= 10; i++) {
		REQUIRE(!display_flip(&display, frames[i % 2].fb, i), "flip");
		REQUIRE(card_event(display.card).user_data == i, "event");
	}
	frame_destroy(display.card, &frames[0]);
	frame_destroy(display.card, &frames[1]);
	require_used(before);
}

TEST(prime_device, "another device reads and writes an exported buffer as one segment")
{
	int card = card_open(), high = new_device();
	int dev = card_is_later() ? new_device() : new_strict_device();
	struct importer_map map;
	struct frame frame;
	int fd, ret;

	frame_create(card, &frame, 1024, 768, 16);
	fill_pages(frame.mem, frame.size, 5);
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	attach_and_map(dev, fd, IMPORTER_BOTH, &map);
	REQUIRE(map.nents == 1 && map.bytes == frame.size, "%u, %llu",
		map.nents, map.bytes);
	REQUIRE(dev_sees(dev, frame.mem, frame.size), "it reads other bytes");
	REQUIRE(!dev_fill(dev, 99), "%s", strerror(errno));
	REQUIRE(is_pattern(frame.mem, frame.size, 99), "it did not write");

	/* below the buffer: the area is far above 16 MiB; 6.1 warns */
	if (!card_is_later()) {
		ret = dev_limit(high, (struct importer_limits){ .mask = 0xffffff });
		REQUIRE(!ret, "limit: %s", strerror(-ret));
		REQUIRE(!dev_attach(high, fd), "attach");
		REQUIRE(dev_map(high, IMPORTER_READ, NULL) == -ERANGE,
			"out of reach");
	}

	/* the device still holds it after the card has released it */
	frame_destroy(card, &frame);
	close(card);
	close(fd);
	unmap_and_detach(dev);
}

TEST(prime_errors, "wrong PRIME calls have their errnos")
{
	int card = card_open(), fd, null = open("/dev/null", O_RDWR);
	struct drm_prime_handle args = { };
	struct frame frame;
	__u32 handle;

	frame_create(card, &frame, 64, 64, 32);
	REQUIRE(handle_to_fd(card, 999, 0) == -ENOENT, "handle");
	REQUIRE(handle_to_fd(card, 0, 0) == -ENOENT, "handle 0");
	REQUIRE(handle_to_fd(card, frame.handle, 1 << 30) == -EINVAL, "flags");
	REQUIRE(handle_to_fd(card, frame.handle, O_WRONLY) == -EINVAL, "flags");
	REQUIRE(fd_to_handle(card, -1, &handle) == -EBADF, "-1");
	REQUIRE(fd_to_handle(card, 999, &handle) == -EBADF, "999");
	REQUIRE(fd_to_handle(card, null, &handle) == -EINVAL, "/dev/null");
	REQUIRE(fd_to_handle(card, card, &handle) == -EINVAL, "card");
	REQUIRE(card_ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, NULL) == -EFAULT,
		"NULL");
	REQUIRE(card_ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, NULL) == -EFAULT,
		"NULL");
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	close(fd);
	args.fd = fd;
	REQUIRE(card_ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args) == -EBADF,
		"closed");
}

TEST(prime_read_only_struct, "a descriptor that cannot be returned is closed")
{
	struct drm_prime_handle *args = map_anon(PAGE);
	int card = card_open(), free_fd, i;
	long before = used();
	struct frame frame;

	if (card_is_later())
		skip("the descriptor stays on this kernel");
	frame_create(card, &frame, 512, 512, 32);
	free_fd = dup(card);
	close(free_fd);
	args->handle = frame.handle;
	args->flags = DRM_CLOEXEC;
	mprotect(args, PAGE, PROT_READ);
	for (i = 0; i < 100; i++) {
		REQUIRE(card_ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, args) ==
			-EFAULT, "read-only");
		REQUIRE(fcntl(free_fd, F_GETFD) == -1 && errno == EBADF,
			"descriptor %d is open", free_fd);
	}
	frame_destroy(card, &frame);
	require_used(before);
}

TEST(prime_emfile, "without a free descriptor it is EMFILE, and nothing leaks")
{
	int card = card_open(), fds[2048], n = 0, ret;
	long before = used();
	struct frame frame;

	frame_create(card, &frame, 512, 512, 32);
	while (n < 2048 && (fds[n] = dup(card)) >= 0)
		n++;
	ret = handle_to_fd(card, frame.handle, DRM_CLOEXEC);
	REQUIRE(ret == -EMFILE, "%s", strerror(-ret));
	while (n)
		close(fds[--n]);
	frame_destroy(card, &frame);
	require_used(before);
}

#define THREADS	4
#define ROUNDS	300

struct racer {
	pthread_t thread;
	int card, fd;
	pthread_barrier_t *barrier;
	__u32 handle;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	int i, ret;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(racer->barrier);
		ret = fd_to_handle(racer->card, racer->fd, &racer->handle);
		if (ret)
			racer->handle = 0;
		pthread_barrier_wait(racer->barrier);
		/* the first thread compares and closes */
		pthread_barrier_wait(racer->barrier);
	}
	return NULL;
}

TEST(prime_race, "threads that import a buffer at the same time get one handle")
{
	int card = card_open(), fd = new_buffer(heap_open_cma(), PAGE * 16);
	struct racer racers[THREADS];
	pthread_barrier_t barrier;
	int i, n;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (n = 0; n < THREADS; n++) {
		racers[n] = (struct racer){
			.card = card, .fd = fd, .barrier = &barrier,
		};
		pthread_create(&racers[n].thread, NULL, race, &racers[n]);
	}
	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		for (n = 0; n < THREADS; n++)
			REQUIRE(racers[n].handle &&
				racers[n].handle == racers[0].handle,
				"round %d: %u and %u", i, racers[n].handle,
				racers[0].handle);
		REQUIRE(!handle_close(card, racers[0].handle), "close");
		REQUIRE(handle_close(card, racers[0].handle) == -EINVAL,
			"two handles");
		pthread_barrier_wait(&barrier);
	}
	for (n = 0; n < THREADS; n++)
		pthread_join(racers[n].thread, NULL);
}

/* Four CPUs that take turns take seconds for the first ROUNDS / 4. */
#define CHURN_SECONDS	4

static void *churn(void *arg)
{
	__u64 end = clock_ns(CLOCK_MONOTONIC) + CHURN_SECONDS * 1000000000ULL;
	struct racer *racer = arg;
	__u32 handle;
	int i, fd;

	for (i = 0; i < ROUNDS / 4 || clock_ns(CLOCK_MONOTONIC) < end; i++) {
		if (!fd_to_handle(racer->card, racer->fd, &handle))
			handle_close(racer->card, handle);
		fd = handle_to_fd(racer->card, racer->handle, DRM_CLOEXEC);
		if (fd >= 0) {
			fd_to_handle(racer->card, fd, &handle);
			close(fd);
		}
	}
	return NULL;
}

TEST(prime_churn, "threads that import, export and close leak nothing")
{
	int card = card_open(), fd = new_buffer(heap_open_cma(), PAGE * 256);
	struct racer racers[THREADS];
	long before = used() - 256;
	struct frame frame;
	int n;

	REQUIRE(!dumb_create(card, &frame, 512, 512, 32), "buffer");
	for (n = 0; n < THREADS; n++) {
		racers[n] = (struct racer){
			.card = n & 1 ? card : card_open(), .fd = fd,
		};
		racers[n].handle = frame.handle;
		pthread_create(&racers[n].thread, NULL, churn, &racers[n]);
	}
	for (n = 0; n < THREADS; n++) {
		pthread_join(racers[n].thread, NULL);
		if (racers[n].card != card)
			close(racers[n].card);
	}
	close(fd);
	close(card);
	require_used(before);
}

TEST(exhausted, "an exhausted area is ENOMEM, and nothing leaks")
{
	struct frame frame;
	int card = card_open(), ret, n = 0;
	long before = used();

	while (!(ret = dumb_create(card, &frame, 1024, 1024, 32)))
		n++;
	REQUIRE(ret == -ENOMEM && n, "%d buffers, then %s", n, strerror(-ret));
	close(card);
	require_used(before);
}

/* Use everything: frames shown, flipping, mapped, exported, imported */
static void have_everything(void *arg)
{
	int *sock = arg, fd;
	struct frame frames[3];
	struct display display;

	display_open(&display, card_open());
	frame_create(display.card, &frames[0], 1024, 768, 16);
	frame_create(display.card, &frames[1], 1024, 768, 16);
	make_heap_frame(display.card, &frames[2], 1024, 768, 16);
	display_show(&display, &frames[0]);
	fd = handle_to_fd(display.card, frames[1].handle, DRM_CLOEXEC | DRM_RDWR);
	map_buffer(fd, frames[1].size);
	REQUIRE(!display_flip(&display, frames[2].fb, 1), "flip");
	if (sock) {
		write(*sock, "", 1);
		pause();
	}
}

TEST(killed, "a process that is killed leaks nothing")
{
	long before = used();
	int pair[2], i;
	char byte;

	for (i = 0; i < 5; i++) {
		pid_t pid;

		REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
		pid = tap_start(have_everything, &pair[1]);
		REQUIRE(read(pair[0], &byte, 1) == 1, "it does not start");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(pair[0]);
		close(pair[1]);
		require_used(before);
	}
}

TEST(unbind, "the driver can be unbound while everything is in use, and bound again")
{
	int card = card_open(), fd, ret, i;
	struct frame frames[2], heap;
	struct drm_gem_close args = { };
	struct display display;
	long before = used();
	void *mem;

	need_unbind();
	for (i = 0; i < 3; i++) {
		display_open(&display, card);
		frame_create(card, &frames[0], 1024, 768, 16);
		frame_create(card, &frames[1], 1024, 768, 16);
		make_heap_frame(card, &heap, 640, 480, 16);
		display_show(&display, &frames[0]);
		fill_pages(frames[1].mem, frames[1].size, 9);
		fd = handle_to_fd(card, frames[1].handle, DRM_CLOEXEC | DRM_RDWR);
		REQUIRE(fd >= 0, "export: %s", strerror(-fd));
		REQUIRE(!display_flip(&display, frames[1].fb, 1), "flip");
		card_driver("unbind");
		ret = open(CARD, O_RDWR);
		REQUIRE(ret < 0 && (errno == ENOENT || errno == ENODEV), "open");
		REQUIRE(card_ioctl(card, DRM_IOCTL_GEM_CLOSE, &args) == -ENODEV,
			"ioctl");
		REQUIRE(card_event(card).user_data == 1, "event");
		REQUIRE(first_wrong(frames[1].mem, frames[1].size, 9) < 0,
			"bytes");
		card_driver("bind");

		/* the new card takes the old one's buffer */
		ret = card_open();
		import(ret, fd);
		munmap(frames[0].mem, frames[0].size);
		munmap(frames[1].mem, frames[1].size);
		munmap(heap.mem, heap.size);
		close(card);
		card = ret;
		mem = map_buffer(fd, frames[1].size);
		REQUIRE(first_wrong(mem, frames[1].size, 9) < 0, "bytes");
		munmap(mem, frames[1].size);
		close(fd);
		close(card);
		require_used(before);
		card = card_open();
	}
}
