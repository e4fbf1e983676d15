/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A DRM card, its display and frames, for the test programs. Include tap.h and
 * guest.h first.
 */
#ifndef CARD_H
#define CARD_H

#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <poll.h>

#define CARD		"/dev/dri/card0"
#define CARD_SYSFS	"/sys/class/drm/card0/device"

/* 0, or a negative errno. */
static int card_ioctl(int card, unsigned long cmd, void *arg)
{
	int ret;

	do
		ret = ioctl(card, cmd, arg);
	while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static int card_open(void)
{
	int card = open(CARD, O_RDWR | O_CLOEXEC);

	if (card < 0 && errno == ENOENT)
		skip("no " CARD);
	REQUIRE(card >= 0, CARD ": %s", strerror(errno));
	return card;
}

/* The last component of a link's target. */
static const char *link_name(const char *path, char *text, size_t size)
{
	ssize_t len = readlink(path, text, size - 1);
	const char *slash;

	REQUIRE(len > 0, "%s: %s", path, strerror(errno));
	text[len] = '\0';
	slash = strrchr(text, '/');
	return slash ? slash + 1 : text;
}

/* The card's device and driver; remembered after they are unbound. */
static const char *card_device(void)
{
	static char text[256];
	static const char *name;

	if (!name)
		name = link_name(CARD_SYSFS, text, sizeof(text));
	return name;
}

static const char *card_driver_name(void)
{
	static char text[256];
	static const char *name;

	if (!name)
		name = link_name(CARD_SYSFS "/driver", text, sizeof(text));
	return name;
}

/* Is this 6.1, with its own driver and DRM core? */
static bool card_is_later(void)
{
	return !strcmp(card_driver_name(), "drm-clcd-pl111");
}

/* With these flags, unused planes of a format must be 0. */
static __u32 unused_planes_flags(void)
{
	return card_is_later() ? DRM_MODE_FB_MODIFIERS : 0;
}

/* That driver frees everything when unbound, even while it is in use. */
static void need_unbind(void)
{
	if (card_is_later())
		skip("the driver of this kernel cannot be unbound in use");
}

/* Write the card's device to a file of its driver: "bind", "unbind". */
static void card_driver(const char *file)
{
	const char *device = card_device();
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/amba/drivers/%s/%s",
		 card_driver_name(), file);
	ret = write_file(path, device);
	REQUIRE(!ret, "%s: %s", file, strerror(-ret));
}

/* Tests of races need the CPUs that the scenario asks for. */
static void require_cpus(long count)
{
	REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) == count, "%ld CPUs",
		sysconf(_SC_NPROCESSORS_ONLN));
}

/* A buffer that can be shown, with its handle and its frame. */
struct frame {
	__u32 width, height, bpp, depth;
	__u32 pitch, handle, fb;
	size_t size;
	__u8 *mem;
};

/* 0, or a negative errno. */
static int dumb_create(int card, struct frame *frame, __u32 width, __u32 height,
		       __u32 bpp)
{
	struct drm_mode_create_dumb dumb = {
		.width = width, .height = height, .bpp = bpp,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);

	memset(frame, 0, sizeof(*frame));
	frame->width = width;
	frame->height = height;
	frame->bpp = bpp;
	frame->depth = bpp == 32 ? 24 : bpp;
	frame->pitch = dumb.pitch;
	frame->handle = dumb.handle;
	frame->size = dumb.size;
	return ret;
}

static int handle_close(int card, __u32 handle)
{
	struct drm_gem_close args = { .handle = handle };

	return card_ioctl(card, DRM_IOCTL_GEM_CLOSE, &args);
}

/* A buffer through the card, or NULL with errno set. */
static void *handle_map_for(int card, __u32 handle, size_t size, int prot,
			    int flags)
{
	struct drm_mode_map_dumb args = { .handle = handle };
	void *mem;

	errno = -card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &args);
	if (errno)
		return NULL;
	mem = mmap64(NULL, size, prot, flags, card, args.offset);
	return mem == MAP_FAILED ? NULL : mem;
}

static void *handle_map(int card, __u32 handle, size_t size, int flags)
{
	return handle_map_for(card, handle, size, PROT_READ | PROT_WRITE,
			      flags);
}

/* A descriptor, or a negative errno. */
static int handle_to_fd(int card, __u32 handle, __u32 flags)
{
	struct drm_prime_handle args = { .handle = handle, .flags = flags };
	int ret = card_ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

static int fd_to_handle(int card, int fd, __u32 *handle)
{
	struct drm_prime_handle args = { .fd = fd };
	int ret = card_ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

static __u32 import(int card, int fd)
{
	__u32 handle;
	int ret = fd_to_handle(card, fd, &handle);

	REQUIRE(!ret, "import: %s", strerror(-ret));
	REQUIRE(handle, "no handle");
	return handle;
}

/* Make a frame of frame->handle; 0, or a negative errno. */
static int fb_add(int card, struct frame *frame)
{
	struct drm_mode_fb_cmd cmd = {
		.width = frame->width, .height = frame->height,
		.pitch = frame->pitch, .bpp = frame->bpp,
		.depth = frame->depth, .handle = frame->handle,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_ADDFB, &cmd);

	frame->fb = ret ? 0 : cmd.fb_id;
	return ret;
}

static int fb_remove(int card, __u32 fb)
{
	return card_ioctl(card, DRM_IOCTL_MODE_RMFB, &fb);
}

/* A buffer of the card that can be painted and shown. */
static void frame_create(int card, struct frame *frame, __u32 width,
			 __u32 height, __u32 bpp)
{
	int ret = dumb_create(card, frame, width, height, bpp);

	REQUIRE(!ret, "%ux%u, %u bits: %s", width, height, bpp, strerror(-ret));
	ret = fb_add(card, frame);
	REQUIRE(!ret, "frame: %s", strerror(-ret));
	frame->mem = handle_map(card, frame->handle, frame->size, MAP_SHARED);
	REQUIRE(frame->mem, "map: %s", strerror(errno));
}

static void frame_destroy(int card, struct frame *frame)
{
	int ret = frame->fb ? fb_remove(card, frame->fb) : 0;

	REQUIRE(!ret, "remove frame: %s", strerror(-ret));
	if (frame->mem)
		munmap(frame->mem, frame->size);
	ret = handle_close(card, frame->handle);
	REQUIRE(!ret, "close handle: %s", strerror(-ret));
}

static void put_pixel(struct frame *frame, __u32 x, __u32 y, __u32 rgb)
{
	__u8 *at = frame->mem + y * frame->pitch + x * frame->bpp / 8;
	__u32 r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

	if (frame->depth == 24)
		*(__u32 *)at = rgb;
	else if (frame->depth == 16)
		*(__u16 *)at = r >> 3 << 11 | g >> 2 << 5 | b >> 3;
	else
		*(__u16 *)at = r >> 3 << 10 | g >> 3 << 5 | b >> 3;
}

/* Eight colour bars, with a white line around and another one across. */
static void paint_bars(struct frame *frame)
{
	static const __u32 bars[] = {
		0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
		0xff00ff, 0xff0000, 0x0000ff, 0x000000,
	};
	__u32 x, y, rgb;

	for (y = 0; y < frame->height; y++) {
		for (x = 0; x < frame->width; x++) {
			rgb = bars[x * ARRAY_SIZE(bars) / frame->width];
			if (!x || !y || x == frame->width - 1 ||
			    y == frame->height - 1 ||
			    x == y * frame->width / frame->height)
				rgb = 0xffffff;
			put_pixel(frame, x, y, rgb);
		}
	}
}

/* The only display of a card. */
struct display {
	int card;
	__u32 crtc, connector, nr_modes;
	struct drm_mode_modeinfo modes[32];
};

static void display_open(struct display *display, int card)
{
	__u32 crtc, connector, encoder;
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)&crtc,
		.connector_id_ptr = (uintptr_t)&connector,
		.encoder_id_ptr = (uintptr_t)&encoder,
		.count_crtcs = 1, .count_connectors = 1, .count_encoders = 1,
	};
	struct drm_mode_get_connector conn = {
		.modes_ptr = (uintptr_t)display->modes,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &res);

	REQUIRE(!ret, "resources: %s", strerror(-ret));
	REQUIRE(res.count_crtcs == 1 && res.count_connectors == 1,
		"%u CRTCs, %u connectors", res.count_crtcs,
		res.count_connectors);
	display->card = card;
	display->crtc = crtc;
	display->connector = connector;

	conn.connector_id = connector;
	ret = card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &conn);
	REQUIRE(!ret, "connector: %s", strerror(-ret));
	REQUIRE(conn.count_modes && conn.count_modes <= 32, "%u modes",
		conn.count_modes);
	conn.count_props = 0;
	conn.count_encoders = 0;
	ret = card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &conn);
	REQUIRE(!ret, "modes: %s", strerror(-ret));
	display->nr_modes = conn.count_modes;
}

static struct drm_mode_modeinfo *display_mode(struct display *display,
					      __u32 width, __u32 height)
{
	__u32 i;

	for (i = 0; i < display->nr_modes; i++)
		if (display->modes[i].hdisplay == width &&
		    display->modes[i].vdisplay == height)
			return &display->modes[i];
	REQUIRE(false, "no mode of %ux%u", width, height);
	return NULL;
}

/* Show a frame in a mode; NULL: off. 0, or a negative errno. */
static int display_set(struct display *display, struct drm_mode_modeinfo *mode,
		       __u32 fb, __u32 y)
{
	struct drm_mode_crtc args = {
		.crtc_id = display->crtc, .fb_id = fb, .y = y,
		.set_connectors_ptr = (uintptr_t)&display->connector,
		.count_connectors = !!mode, .mode_valid = !!mode,
	};

	if (mode)
		args.mode = *mode;
	return card_ioctl(display->card, DRM_IOCTL_MODE_SETCRTC, &args);
}

static void display_show(struct display *display, struct frame *frame)
{
	struct drm_mode_modeinfo *mode = display_mode(display, frame->width,
						      frame->height);
	int ret = display_set(display, mode, frame->fb, 0);

	REQUIRE(!ret, "mode %s: %s", mode->name, strerror(-ret));
}

/* 0, or a negative errno. */
static int display_flip(struct display *display, __u32 fb, __u64 user_data)
{
	struct drm_mode_crtc_page_flip args = {
		.crtc_id = display->crtc, .fb_id = fb,
		.flags = DRM_MODE_PAGE_FLIP_EVENT, .user_data = user_data,
	};

	return card_ioctl(display->card, DRM_IOCTL_MODE_PAGE_FLIP, &args);
}

/* The next event of a card, within 5 s. */
static struct drm_event_vblank card_event(int card)
{
	struct pollfd pollfd = { .fd = card, .events = POLLIN };
	struct drm_event_vblank event;
	int ret = poll(&pollfd, 1, 5000);

	REQUIRE(ret == 1, "poll: %d", ret);
	ret = read(card, &event, sizeof(event));
	REQUIRE(ret == sizeof(event), "read: %d", ret);
	return event;
}

/* The registers of the PL111. */
static volatile __u32 *display_regs(void)
{
	static volatile __u32 *regs;
	unsigned long base = 0;
	char line[128];
	FILE *f;
	int fd;

	if (regs)
		return regs;

	f = fopen("/proc/iomem", "r");
	while (f && !base && fgets(line, sizeof(line), f))
		if (strstr(line, card_device()))
			base = strtoul(line, NULL, 16);
	if (f)
		fclose(f);
	REQUIRE(base, "no display in /proc/iomem");
	fd = open("/dev/mem", O_RDONLY | O_SYNC);
	regs = mmap64(NULL, PAGE, PROT_READ, MAP_SHARED, fd, base);
	REQUIRE(regs != MAP_FAILED, "registers: %s", strerror(errno));
	close(fd);
	return regs;
}

/* The address that the display scans out: the upper panel base address. */
static __u32 scanout_address(void)
{
	return display_regs()[4];
}

/* Is the display enabled, and its power on? */
static bool display_is_on(void)
{
	return (display_regs()[6] & 0x801) == 0x801;
}

#endif
