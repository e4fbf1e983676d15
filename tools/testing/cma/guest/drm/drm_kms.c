// SPDX-License-Identifier: GPL-2.0
/*
 * cma_kms, a display driver of the helpers that drivers of v3.8 to v3.10 use
 */
#define TAP_BEGIN	kms_begin
#define TAP_END		kms_end

#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"

#include <linux/fb.h>

#define KMS		"cma_kms"
#define PARAMETER	"/sys/module/" KMS "/parameters/"

static long used_before;

static long used(void)
{
	return area_number("reserved", "used");
}

static void require_used(long before)
{
	int tries = 50;

	while (used() != before && tries--)
		usleep(20000);
	REQUIRE(used() == before, "%ld pages, now %ld", before, used());
}

static void kms_begin(void)
{
	used_before = used();
	module_begin(KMS);
}

static void kms_end(void)
{
	module_end(KMS);
}

/* The number of the node whose @format, with the number, contains @text. */
static int find_node(const char *format, const char *text)
{
	char path[128], found[256];
	int i, fd;
	ssize_t len;

	REQUIRE(!module_error, KMS ": %s", strerror(-module_error));
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), format, i);
		len = readlink(path, found, sizeof(found) - 1);
		fd = len < 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (fd >= 0) {
			len = read(fd, found, sizeof(found) - 1);
			close(fd);
		}
		if (len <= 0)
			continue;
		found[len] = '\0';
		if (strstr(found, text))
			return i;
	}
	REQUIRE(false, "no %s with %s", format, text);
	return -1;
}

static int open_node(const char *format, int number)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), format, number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

static int kms_card(void)
{
	if (module_error == -ENOENT && access(CARD_SYSFS, F_OK) == 0 &&
	    card_is_later())
		skip("no " KMS " for this kernel");
	return open_node("/dev/dri/card%d",
			 find_node("/sys/class/drm/card%d/device", KMS));
}

static int kms_fb(struct fb_fix_screeninfo *fix)
{
	int fd = open_node("/dev/fb%d",
			   find_node("/sys/class/graphics/fb%d/name", KMS));

	REQUIRE(!ioctl(fd, FBIOGET_FSCREENINFO, fix), "%s", strerror(errno));
	return fd;
}

/* What the display scans out, or 0 if it is off. */
static unsigned long scanned_out(void)
{
	char text[64];

	read_file(PARAMETER "on", text, sizeof(text));
	if (text[0] != 'Y')
		return 0;
	read_file(PARAMETER "address", text, sizeof(text));
	return strtoul(text, NULL, 10);
}

TEST(console, "the driver has an fbdev in the area, which is shown without a client")
{
	long base = area_number("reserved", "base_pfn");
	long count = area_number("reserved", "count");
	struct fb_fix_screeninfo fix;
	int card = kms_card(), fb = kms_fb(&fix);
	__u8 *mem;

	close(card);
	REQUIRE(fix.smem_len == 640 * 480 * 2 + 4096 - 640 * 480 * 2 % 4096 ||
		fix.smem_len == 640 * 480 * 2, "%u bytes", fix.smem_len);
	REQUIRE(fix.smem_start / PAGE - base < (unsigned long)count,
		"%#lx is not in the area", fix.smem_start);
	REQUIRE(scanned_out() == fix.smem_start, "%#lx, not %#lx",
		scanned_out(), fix.smem_start);
	mem = mmap(NULL, fix.smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, fb, 0);
	REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	fill_pages(mem, fix.smem_len, 2);
	REQUIRE(first_wrong(mem, fix.smem_len, 2) < 0, "bytes");
}

TEST(flips, "frames are shown and flipped, with events, and the console comes back")
{
	struct drm_event_vblank event;
	struct fb_fix_screeninfo fix;
	struct display display;
	struct frame frames[2];
	int card = kms_card(), i;
	__u32 last = 0;

	close(kms_fb(&fix));
	display_open(&display, card);
	for (i = 0; i < 2; i++)
		frame_create(card, &frames[i], 640, 480, 16);
	display_show(&display, &frames[0]);
	REQUIRE(scanned_out() && scanned_out() != fix.smem_start, "console");
	for (i = 1; i < 20; i++) {
		REQUIRE(!display_flip(&display, frames[i & 1].fb, i), "flip %d", i);
		event = card_event(card);
		REQUIRE(event.user_data == (unsigned int)i &&
			event.crtc_id == display.crtc && event.tv_sec &&
			(i == 1 || event.sequence > last), "event %llu of %u, %u",
			event.user_data, event.crtc_id, event.sequence);
		last = event.sequence;
	}
	REQUIRE(!display_flip(&display, frames[0].fb, 0), "flip before close");
	close(card);
	REQUIRE(scanned_out() == fix.smem_start, "%#lx, not %#lx",
		scanned_out(), fix.smem_start);
}

TEST(padded, "the driver shows a frame with a padded pitch, and a part of it")
{
	struct display display;
	struct frame frame;
	unsigned long start;
	int card = kms_card();

	display_open(&display, card);
	REQUIRE(!dumb_create(card, &frame, 700, 500, 16), "buffer");
	frame.width = 640;
	REQUIRE(!fb_add(card, &frame), "frame");
	REQUIRE(!display_set(&display, &display.modes[0], frame.fb, 0), "show");
	start = scanned_out();
	REQUIRE(!display_set(&display, &display.modes[0], frame.fb, 20), "pan");
	REQUIRE(scanned_out() == start + 20 * 1400, "line 20 at %#lx, 0 at %#lx",
		scanned_out(), start);
	REQUIRE(display_set(&display, &display.modes[0], frame.fb, 21) ==
		-ENOSPC, "beyond the end");
	REQUIRE(display_flip(&display, frame.fb, 1) == 0 &&
		card_event(card).user_data == 1, "flip");
	frame.height = 499;
	REQUIRE(!fb_add(card, &frame), "shorter frame");
	REQUIRE(display_flip(&display, frame.fb, 2) == -ENOSPC, "short flip");
	REQUIRE(scanned_out() == start + 20 * 1400, "%#lx", scanned_out());
}

TEST(share, "buffers are shared with the other display, in both directions")
{
	int cards[2] = { kms_card(), card_open() }, i, fd;
	struct display display;
	struct frame own, other;
	void *mem;

	for (i = 0; i < 2; i++) {
		frame_create(cards[i], &own, 640, 480, 16);
		fill_pages(own.mem, own.size, i + 1);
		fd = handle_to_fd(cards[i], own.handle, DRM_CLOEXEC | DRM_RDWR);
		REQUIRE(fd >= 0, "%d: export: %s", i, strerror(-fd));
		other = own;
		other.handle = import(cards[!i], fd);
		REQUIRE(!fb_add(cards[!i], &other), "%d: frame", i);
		display_open(&display, cards[!i]);
		display_show(&display, &other);
		mem = map_buffer(fd, own.size);
		REQUIRE(first_wrong(mem, own.size, i + 1) < 0, "%d: bytes", i);
		munmap(mem, own.size);
		close(fd);
	}
}

TEST(debugfs, "the frames are in debugfs")
{
	struct fb_fix_screeninfo fix;
	char path[64], text[4096], line[64];
	struct frame frame;
	int card = kms_card();

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/fb",
		 find_node("/sys/class/drm/card%d/device", KMS));
	close(kms_fb(&fix));
	frame_create(card, &frame, 320, 240, 32);
	read_file(path, text, sizeof(text));
	snprintf(line, sizeof(line), "address %#lx", fix.smem_start);
	REQUIRE(strstr(text, line), "no %s: %s", line, text);
	snprintf(line, sizeof(line), "%u: 320x240, 32 bpp", frame.fb);
	REQUIRE(strstr(text, line), "no %s: %s", line, text);
}

TEST(unload, "the module stays while its nodes are in use, and leaves no memory behind")
{
	struct fb_fix_screeninfo fix;
	int card = kms_card(), fb, round;
	void *mem;

	for (round = 0; round < 4; round++) {
		if (round)
			card = kms_card();
		REQUIRE(module_unload(KMS) == -EAGAIN, "card open");
		close(card);
		fb = kms_fb(&fix);
		REQUIRE(module_unload(KMS) == -EAGAIN, "fb open");
		mem = mmap(NULL, fix.smem_len, PROT_READ, MAP_SHARED, fb, 0);
		REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
		close(fb);
		REQUIRE(module_unload(KMS) == -EAGAIN, "fb mapped");
		munmap(mem, fix.smem_len);
		REQUIRE(!module_unload(KMS), "in use afterwards");
		require_used(used_before);
		REQUIRE(!module_load(KMS), "load");
	}
}
