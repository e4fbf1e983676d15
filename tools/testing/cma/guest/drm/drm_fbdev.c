// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/fb0 of a DRM card: its memory, and who has the display when. drm_fbdev --helper
 * bars draws the colour bars of the camera on it.
 */
#define TAP_HELPER	bars_helper

#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"

#include <linux/fb.h>
#include <pthread.h>

#define FB	"/dev/fb0"

/* An open /dev/fb0 with its memory. */
struct fbdev {
	int fd;
	struct fb_fix_screeninfo fix;
	struct fb_var_screeninfo var;
	__u8 *mem;
};

static void *fbdev_map(struct fbdev *fb, size_t size, int flags, off64_t offset)
{
	return mmap64(NULL, size, PROT_READ | PROT_WRITE, flags, fb->fd, offset);
}

static struct fbdev fbdev_open(void)
{
	struct fbdev fb = { .fd = open(FB, O_RDWR | O_CLOEXEC) };

	if (fb.fd < 0 && errno == ENOENT) {
		close(card_open());
		if (card_is_later())
			skip("the card of this kernel has no " FB);
	}
	REQUIRE(fb.fd >= 0, FB ": %s", strerror(errno));
	REQUIRE(!ioctl(fb.fd, FBIOGET_FSCREENINFO, &fb.fix) &&
		!ioctl(fb.fd, FBIOGET_VSCREENINFO, &fb.var), "ioctl: %s",
		strerror(errno));
	fb.mem = fbdev_map(&fb, fb.fix.smem_len, MAP_SHARED, 0);
	REQUIRE(fb.mem != MAP_FAILED, "mmap: %s", strerror(errno));
	return fb;
}

static void fbdev_close(struct fbdev *fb)
{
	munmap(fb->mem, fb->fix.smem_len);
	close(fb->fd);
}

/* The display shows a frame from the next vblank on, or some time after close(). */
static bool shows(const struct fbdev *fb, bool own)
{
	int tries = 100;

	while ((scanout_address() == fb->fix.smem_start) != own && tries--)
		usleep(20000);
	return display_is_on() && (scanout_address() == fb->fix.smem_start) == own;
}

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

static int bars_helper(char **args)
{
	static const __u32 bars[] = {	/* as vivi draws them */
		0xcccccc, 0xd0d000, 0x00cece, 0x00ef00,
		0xef00ef, 0xcd0000, 0x0000ff, 0x000000,
	};
	struct fbdev fb = fbdev_open();
	__u32 x, y;

	if (strcmp(args[0], "bars"))
		return 1;
	for (y = 0; y < fb.var.yres; y++)
		for (x = 0; x < fb.var.xres; x++)
			((__u32 *)(fb.mem + y * fb.fix.line_length))[x] =
				bars[x / (fb.var.xres / ARRAY_SIZE(bars))];
	return 0;
}

TEST(memory, "the display shows " FB ", whose memory is the area's, and is mapped whole")
{
	struct fbdev fb = fbdev_open();
	long base = area_number("reserved", "base_pfn");
	long count = area_number("reserved", "count");
	size_t at, size = fb.fix.smem_len;

	REQUIRE(!strcmp(fb.fix.id, "pl111"), "%s", fb.fix.id);
	REQUIRE(fb.var.xres == 1024 && fb.var.yres == 768 &&
		fb.var.bits_per_pixel == 32 && fb.fix.line_length == 4096 &&
		size == 4096 * 768, "%ux%u, %u bits, pitch %u, %zu bytes",
		fb.var.xres, fb.var.yres, fb.var.bits_per_pixel,
		fb.fix.line_length, size);
	REQUIRE(shows(&fb, true), "shows %#x, not %#lx", scanout_address(),
		fb.fix.smem_start);
	REQUIRE(fb.fix.smem_start / PAGE >= (unsigned long)base &&
		fb.fix.smem_start / PAGE + size / PAGE <=
		(unsigned long)(base + count), "not in the area");
	for (at = 0; pagemap_shows(fb.fix.smem_start / PAGE) && at < size;
	     at += PAGE)
		REQUIRE(pfn_of(fb.mem + at) == (fb.fix.smem_start + at) / PAGE,
			"byte %#zx", at);
}

static void require_map(struct fbdev *fb, int error, size_t size, int flags,
			off64_t offset)
{
	int seen = fbdev_map(fb, size, flags, offset) == MAP_FAILED ? errno : 0;

	REQUIRE(seen == error, "%zu bytes at %lld, flags %#x: %s", size,
		(long long)offset, flags, strerror(seen));
}

TEST(bounds, "a mapping is shared, and does not exceed the frame")
{
	struct fbdev fb = fbdev_open();
	size_t size = fb.fix.smem_len;

	require_map(&fb, 0, PAGE, MAP_SHARED, size - PAGE);
	require_map(&fb, EINVAL, PAGE, MAP_PRIVATE, 0);
	require_map(&fb, ENXIO, PAGE, MAP_SHARED, size);
	require_map(&fb, ENXIO, size, MAP_SHARED, PAGE);
	require_map(&fb, ENXIO, size + PAGE, MAP_SHARED, 0);
	require_map(&fb, ENXIO, PAGE, MAP_SHARED, 0xfffff000ULL);
}

TEST(read_write, "read() and write() see what the mapping has")
{
	struct fbdev fb = fbdev_open();
	unsigned char line[4096];
	__u32 i, y = 700;

	fill_pages(fb.mem + y * sizeof(line), sizeof(line), 5);
	REQUIRE(pread(fb.fd, line, sizeof(line), y * sizeof(line)) ==
		sizeof(line) && first_wrong(line, sizeof(line), 5) < 0, "read");
	for (i = 0; i < sizeof(line); i++)
		line[i] = i * 7;
	REQUIRE(pwrite(fb.fd, line, sizeof(line), y * sizeof(line)) ==
		sizeof(line), "write: %s", strerror(errno));
	REQUIRE(!memcmp(fb.mem + y * sizeof(line), line, sizeof(line)), "mapping");
	REQUIRE(pread(fb.fd, line, 1, fb.fix.smem_len) == 0, "read at the end");
}

/* 0, or a negative errno. */
static int put_var(struct fbdev *fb, struct fb_var_screeninfo var)
{
	return ioctl(fb->fd, FBIOPUT_VSCREENINFO, &var) ? -errno : 0;
}

TEST(one_size, "size and format of the frame cannot be changed")
{
	struct fbdev fb = fbdev_open();
	struct fb_var_screeninfo var;

#define require_var(error, change) do {					\
	var = fb.var;							\
	change;								\
	REQUIRE(put_var(&fb, var) == -(error), #change);		\
} while (0)
	require_var(0, var.xres_virtual = 0);
	require_var(EINVAL, var.xres = 640);
	require_var(EINVAL, var.yres = 1024);
	require_var(EINVAL, var.xres_virtual = 2048);
	require_var(EINVAL, var.yres_virtual = 1536);
	require_var(EINVAL, var.bits_per_pixel = 16);
	require_var(EINVAL, var.pixclock = 1000);
	require_var(EINVAL, var.yoffset = 1);
	var = fb.var;
	var.yoffset = 1;
	REQUIRE(ioctl(fb.fd, FBIOPAN_DISPLAY, &var) && errno == EINVAL, "pan");
	REQUIRE(!ioctl(fb.fd, FBIOGET_VSCREENINFO, &var) &&
		!memcmp(&var.xres, &fb.var.xres, 7 * sizeof(var.xres)), "changed");
	REQUIRE(shows(&fb, true), "shows %#x", scanout_address());
}

TEST(blank, "the display can be blanked")
{
	struct fbdev fb = fbdev_open();

	REQUIRE(display_is_on(), "off at first");
	REQUIRE(!ioctl(fb.fd, FBIOBLANK, FB_BLANK_POWERDOWN), "blank");
	REQUIRE(!display_is_on(), "blank, but on");
	REQUIRE(!ioctl(fb.fd, FBIOBLANK, FB_BLANK_UNBLANK), "unblank");
	REQUIRE(shows(&fb, true), "off");
}

TEST(clients, "a client of DRM gets the display, and " FB " gets it back")
{
	static const struct { __u32 width, height, bpp; bool off; } all[] = {
		{ 1024, 768, 32, false }, { 1024, 768, 16, false },
		{ 640, 480, 16, false }, { 640, 480, 32, true },
	};
	struct fbdev fb = fbdev_open();
	long before = used();
	struct display display;
	struct frame frame;
	unsigned int i;
	int card, other;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		card = card_open();
		display_open(&display, card);
		other = card_open();
		frame_create(card, &frame, all[i].width, all[i].height,
			     all[i].bpp);
		display_show(&display, &frame);
		REQUIRE(shows(&fb, false), "%u: still shows " FB, i);
		fb.mem[i] = i + 1;
		if (all[i].off)
			REQUIRE(!display_set(&display, NULL, 0, 0), "off");
		munmap(frame.mem, frame.size);
		close(card);
		usleep(100000);
		REQUIRE(!display_is_on(), "%u: on before the last client left", i);
		close(other);
		REQUIRE(shows(&fb, true), "%u: shows %#x", i, scanout_address());
		REQUIRE(fb.mem[i] == i + 1, "%u: byte is %u", i, fb.mem[i]);
		require_used(before);
	}
}

TEST(guarded, FB " and the console do not touch the display of a client")
{
	struct fbdev fb = fbdev_open();
	int card = card_open(), tty;
	struct display display;
	struct frame frame;

	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	REQUIRE(shows(&fb, false), "at first");
	REQUIRE(!put_var(&fb, fb.var), "put: %s", strerror(errno));
	REQUIRE(shows(&fb, false), "after FBIOPUT_VSCREENINFO");
	REQUIRE(ioctl(fb.fd, FBIOPAN_DISPLAY, &fb.var) && errno == EBUSY, "pan");
	REQUIRE(!ioctl(fb.fd, FBIOBLANK, FB_BLANK_POWERDOWN), "blank");
	REQUIRE(shows(&fb, false), "after FBIOBLANK");
	tty = open("/dev/tty1", O_RDWR | O_NOCTTY);
	REQUIRE(tty >= 0, "tty1: %s", strerror(errno));
	REQUIRE(write(tty, "\033[13]hello\n", 11) == 11, "write");
	close(tty);
	REQUIRE(!display_flip(&display, frame.fb, 1) &&
		card_event(card).user_data == 1, "flip");
	REQUIRE(shows(&fb, false), "after text");
	munmap(frame.mem, frame.size);
	close(card);
	REQUIRE(!ioctl(fb.fd, FBIOBLANK, FB_BLANK_UNBLANK), "unblank");
	REQUIRE(shows(&fb, true), "shows %#x", scanout_address());
}

TEST(blanked, "a client gets a display that the console has blanked, in the same mode")
{
	struct fbdev fb = fbdev_open();
	struct display display;
	struct frame frame;
	int card;

	REQUIRE(!ioctl(fb.fd, FBIOBLANK, FB_BLANK_POWERDOWN), "blank");
	REQUIRE(!display_is_on(), "on");
	card = card_open();
	display_open(&display, card);
	frame_create(card, &frame, fb.var.xres, fb.var.yres, fb.var.bits_per_pixel);
	display_show(&display, &frame);
	REQUIRE(display_is_on() && shows(&fb, false), "the frame is not shown");
	REQUIRE(!display_flip(&display, frame.fb, 1) &&
		card_event(card).user_data == 1, "flip");
	munmap(frame.mem, frame.size);
	close(card);
	REQUIRE(!ioctl(fb.fd, FBIOBLANK, FB_BLANK_UNBLANK), "unblank");
	REQUIRE(shows(&fb, true), "shows %#x", scanout_address());
}

#define MAX_FLIPS	50

TEST(panic, "a panic shows the console, also while the flip of a client is pending")
{
	struct fbdev fb = fbdev_open();
	struct pollfd pollfd = { .events = POLLIN };
	long before = used();
	struct display display;
	struct frame frame;
	unsigned int flips;
	bool pending = false;

	REQUIRE(!module_load("cma_panic"), "no module");
	pollfd.fd = card_open();
	display_open(&display, pollfd.fd);
	frame_create(pollfd.fd, &frame, fb.var.xres, fb.var.yres,
		     fb.var.bits_per_pixel);
	display_show(&display, &frame);
	for (flips = 0; flips < MAX_FLIPS && !pending; flips++) {
		REQUIRE(!display_flip(&display, frame.fb, 1), "flip");
		REQUIRE(!write_file("/sys/module/cma_panic/parameters/now", "1"),
			"write");
		pending = !poll(&pollfd, 1, 0);
		REQUIRE(scanout_address() == fb.fix.smem_start && display_is_on(),
			"%u: shows %#x, not %#lx", flips, scanout_address(),
			fb.fix.smem_start);
		REQUIRE(card_event(pollfd.fd).user_data == 1, "event");
	}
	REQUIRE(pending, "no flip was pending");

	/* The client can go on, as it does after an oops */
	REQUIRE(!display_flip(&display, frame.fb, 2) &&
		card_event(pollfd.fd).user_data == 2, "another flip");
	REQUIRE(shows(&fb, false), "the console");
	munmap(frame.mem, frame.size);
	close(pollfd.fd);
	REQUIRE(shows(&fb, true), "shows %#x", scanout_address());
	require_used(before);
	REQUIRE(!module_unload("cma_panic"), "the module is in use");
}

TEST(export, "the frame of " FB  " can be exported as a buffer")
{
	struct fbdev fb = fbdev_open();
	int card = card_open(), fd;
	struct drm_mode_crtc crtc = { };
	struct drm_mode_fb_cmd cmd = { };
	struct display display;
	unsigned int tries = 0;
	long before = used();
	__u8 *mem;

	display_open(&display, card);
	crtc.crtc_id = display.crtc;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_GETCRTC, &crtc) && crtc.fb_id,
		"CRTC");
	cmd.fb_id = crtc.fb_id;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_GETFB, &cmd) &&
		cmd.pitch == fb.fix.line_length && cmd.handle, "frame");
	REQUIRE(fb_remove(card, crtc.fb_id) == -EINVAL, "removed");
	fd = handle_to_fd(card, cmd.handle, DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(fd >= 0, "export: %s", strerror(-fd));
	close(card);
	mem = map_buffer(fd, fb.fix.smem_len);
	/* The cursor of the console may blink meanwhile, several times a second */
	do
		fill_pages(mem, fb.fix.smem_len, 3);
	while (first_wrong(fb.mem, fb.fix.smem_len, 3) >= 0 && ++tries < 20);
	REQUIRE(tries < 20, "other bytes");
	munmap(mem, fb.fix.smem_len);
	close(fd);
	require_used(before);
}

TEST(unbind, FB " stays mapped when the driver is unbound, and leaves the area afterwards")
{
	struct totals before;
	long before_used = used();
	struct fbdev fb, new;
	unsigned int i;
	char byte;

	card_device();
	close(card_open());
	need_unbind();
	before = totals_now();
	for (i = 0; i < 3; i++) {
		fb = fbdev_open();
		card_driver("unbind");
		REQUIRE(open(FB, O_RDWR) < 0, "open");
		REQUIRE(errno == ENOENT || errno == ENODEV, "open: %s",
			strerror(errno));
		REQUIRE(ioctl(fb.fd, FBIOGET_VSCREENINFO, &fb.var) &&
			errno == ENODEV, "ioctl: %s", strerror(errno));
		REQUIRE(read(fb.fd, &byte, 1) < 0 && errno == ENODEV, "read");
		REQUIRE(!display_is_on(), "on");
		REQUIRE(used() == before_used, "%ld pages of the frame, now %ld",
			before_used, used());
		fill_pages(fb.mem, fb.fix.smem_len, i);
		card_driver("bind");
		new = fbdev_open();
		REQUIRE(new.fix.smem_start != fb.fix.smem_start, "same memory");
		REQUIRE(shows(&new, true), "shows %#x", scanout_address());
		if (i & 1) {	/* the mapping or the descriptor is last */
			close(fb.fd);
			REQUIRE(first_wrong(fb.mem, fb.fix.smem_len, i) < 0,
				"bytes");
			munmap(fb.mem, fb.fix.smem_len);
		} else {
			fbdev_close(&fb);
		}
		fbdev_close(&new);
		require_used(before_used);
	}
	require_totals(&before);
}

static volatile bool stop;

/* Whatever the order: each call works or has an errno. */
static void *use_fb(void *arg)
{
	struct fb_var_screeninfo var;
	unsigned long *count = arg;
	void *mem;
	int fd;

	while (!stop) {
		fd = open(FB, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		mem = mmap64(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			     0);
		if (mem != MAP_FAILED)
			memset(mem, 1, PAGE);
		if (!ioctl(fd, FBIOGET_VSCREENINFO, &var))
			ioctl(fd, FBIOPUT_VSCREENINFO, &var);
		ioctl(fd, FBIOBLANK, FB_BLANK_UNBLANK);
		ioctl(fd, FBIOPAN_DISPLAY, &var);
		close(fd);
		if (mem != MAP_FAILED)
			munmap(mem, PAGE);
		++*count;
	}
	return NULL;
}

static void *use_card(void *arg)
{
	unsigned long *count = arg;
	int card;

	while (!stop) {
		card = open(CARD, O_RDWR | O_CLOEXEC);
		if (card >= 0)
			close(card);	/* lastclose() */
		++*count;
	}
	return NULL;
}

TEST(race, FB " and the card are used while the driver is bound and unbound")
{
	unsigned long counts[4] = { };
	struct totals before;
	pthread_t threads[4];
	unsigned int i, rounds = 0;
	long before_used = used();
	__u64 end;

	close(card_open());
	need_unbind();
	card_device();
	require_cpus(4);
	before = totals_now();
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, i < 2 ? use_fb : use_card,
			       &counts[i]);
	end = clock_ns(CLOCK_MONOTONIC) + 4000000000ULL;
	while (clock_ns(CLOCK_MONOTONIC) < end || rounds < 4) {
		card_driver("unbind");
		card_driver("bind");
		rounds++;
	}
	stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	note("%u rounds, %lu and %lu uses", rounds, counts[0] + counts[1],
	     counts[2] + counts[3]);
	require_used(before_used);
	require_totals(&before);
}
