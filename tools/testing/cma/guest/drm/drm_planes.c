// SPDX-License-Identifier: GPL-2.0
/*
 * A DRM card, as current programs use it: capabilities, the primary plane,
 * properties by object, and events
 */
#include "tap.h"
#include "guest.h"
#include "card.h"

#define FORMATS	32

/* 0, or a negative errno. */
static int get_cap(int card, __u64 capability, __u64 *value)
{
	struct drm_get_cap cap = { .capability = capability };
	int ret = card_ioctl(card, DRM_IOCTL_GET_CAP, &cap);

	*value = cap.value;
	return ret;
}

static int set_client_cap(int card, __u64 capability, __u64 value)
{
	struct drm_set_client_cap cap = {
		.capability = capability, .value = value,
	};

	return card_ioctl(card, DRM_IOCTL_SET_CLIENT_CAP, &cap);
}

TEST(capabilities, "capabilities of later kernels have their values")
{
	static const struct { __u64 capability; __u64 value, later; } all[] = {
		{ DRM_CAP_DUMB_PREFERRED_DEPTH, 24, 0 },
		{ DRM_CAP_DUMB_PREFER_SHADOW, 1, 0 },
		{ DRM_CAP_TIMESTAMP_MONOTONIC, 1, 1 },
		{ DRM_CAP_ASYNC_PAGE_FLIP, 0, 0 },
		{ DRM_CAP_CURSOR_WIDTH, 64, 64 },
		{ DRM_CAP_CURSOR_HEIGHT, 64, 64 },
		{ DRM_CAP_ADDFB2_MODIFIERS, 0, 1 },
		{ DRM_CAP_CRTC_IN_VBLANK_EVENT, 1, 1 },
	};
	int card = card_open(), ret;
	unsigned int i;
	__u64 value;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		ret = get_cap(card, all[i].capability, &value);
		REQUIRE(!ret, "%llu: %s", all[i].capability, strerror(-ret));
		REQUIRE(value == (card_is_later() ? all[i].later :
				  all[i].value), "%llu is %llu",
			all[i].capability, value);
	}
}

TEST(client_capabilities, "a client capability is set, or has its errno")
{
	bool later = card_open() >= 0 && card_is_later();
	int card = card_open(), i;

	for (i = 1; i >= 0; i--)
		REQUIRE(!set_client_cap(card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, i),
			"%d", i);
	REQUIRE(set_client_cap(card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 2) ==
		-EINVAL, "2");
	REQUIRE(set_client_cap(card, 0, 1) == -EINVAL, "capability 0");
	REQUIRE(set_client_cap(card, ~0ULL, 1) == -EINVAL, "capability ~0");
	REQUIRE(set_client_cap(card, DRM_CLIENT_CAP_ATOMIC, 1) ==
		(later ? 0 : -EOPNOTSUPP), "atomic");
}

/*
 * Planes
 */

/* The number of planes, or a negative errno; @id is the first one. */
static int get_planes(int card, __u32 *id, __u32 room)
{
	struct drm_mode_get_plane_res args = {
		.plane_id_ptr = (uintptr_t)id, .count_planes = room,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_GETPLANERESOURCES, &args);

	return ret ? ret : (int)args.count_planes;
}

/* 0, or a negative errno. */
static int get_plane(int card, __u32 id, struct drm_mode_get_plane *plane,
		     __u32 *formats, __u32 room)
{
	*plane = (struct drm_mode_get_plane){
		.plane_id = id, .count_format_types = room,
		.format_type_ptr = (uintptr_t)formats,
	};
	return card_ioctl(card, DRM_IOCTL_MODE_GETPLANE, plane);
}

/* The only plane of a card, for a client that asks for all planes. */
static __u32 the_plane(int card)
{
	__u32 id = 0;
	int ret = set_client_cap(card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1);

	REQUIRE(!ret, "universal planes: %s", strerror(-ret));
	ret = get_planes(card, &id, 1);
	REQUIRE(ret == 1 && id, "%d planes, id %u", ret, id);
	return id;
}

TEST(planes, "the primary plane is there for a client that asks for it")
{
	int card = card_open(), other = card_open(), i, ret;
	__u32 formats[FORMATS], none = 77, id;
	struct drm_mode_get_plane plane;
	struct display display;
	bool found = false;

	display_open(&display, card);
	REQUIRE(get_planes(card, &none, 1) == 0 && none == 77, "for all clients");
	id = the_plane(card);
	REQUIRE(get_planes(card, &none, 0) == 1 && none == 77, "no room");
	ret = set_client_cap(card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 0);
	REQUIRE(!ret && get_planes(card, &none, 1) == 0, "asked for no more");
	REQUIRE(the_plane(card) == id, "another id");
	ret = get_planes(other, &none, 1);
	REQUIRE(ret == (card_is_later() ? 0 : -EACCES), "another client: %d",
		ret);
	if (!card_is_later())
		REQUIRE(get_planes(card, NULL, 1) == -EFAULT, "bad pointer");

	/* whatever the console shows */
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	ret = get_plane(card, id, &plane, NULL, 0);
	REQUIRE(!ret && plane.count_format_types && !plane.crtc_id &&
		!plane.fb_id && plane.possible_crtcs == 1,
		"%s, %u formats, CRTC %u, frame %u, CRTCs %#x", strerror(-ret),
		plane.count_format_types, plane.crtc_id, plane.fb_id,
		plane.possible_crtcs);
	ret = get_plane(card, id, &plane, formats, FORMATS);
	REQUIRE(!ret && plane.count_format_types <= FORMATS, "formats");
	for (i = 0; i < (int)plane.count_format_types; i++)
		found = found || formats[i] == DRM_FORMAT_RGB565;
	REQUIRE(found, "not RGB565");
	REQUIRE(get_plane(card, id, &plane, NULL, FORMATS) == -EFAULT, "NULL");
	REQUIRE(get_plane(card, display.crtc, &plane, NULL, 0) ==
		(card_is_later() ? -ENOENT : -EINVAL), "a CRTC");
	REQUIRE(get_plane(card, 0, &plane, NULL, 0) ==
		(card_is_later() ? -ENOENT : -EINVAL), "0");
}

static struct drm_mode_set_plane whole(struct display *display, __u32 plane,
				       struct frame *frame)
{
	return (struct drm_mode_set_plane){
		.plane_id = plane, .crtc_id = display->crtc, .fb_id = frame->fb,
		.crtc_w = 640, .crtc_h = 480,
		.src_w = 640 << 16, .src_h = 480 << 16,
	};
}

static int set_plane(int card, struct drm_mode_set_plane *args)
{
	return card_ioctl(card, DRM_IOCTL_MODE_SETPLANE, args);
}

/* A frame for ADDFB2 in a format of the plane. */
static void format_frame(int card, struct frame *frame, __u32 format)
{
	struct drm_mode_fb_cmd2 cmd = {
		.width = 640, .height = 600, .pixel_format = format,
	};
	__u32 bpp = format == DRM_FORMAT_XRGB8888 ||
		    format == DRM_FORMAT_XBGR8888 ||
		    format == DRM_FORMAT_ARGB8888 ||
		    format == DRM_FORMAT_ABGR8888 ? 32 : 16;
	int ret = dumb_create(card, frame, 640, 600, bpp);

	REQUIRE(!ret, "buffer: %s", strerror(-ret));
	cmd.handles[0] = frame->handle;
	cmd.pitches[0] = frame->pitch;
	ret = card_ioctl(card, DRM_IOCTL_MODE_ADDFB2, &cmd);
	REQUIRE(!ret, "%.4s: %s", (char *)&format, strerror(-ret));
	frame->fb = cmd.fb_id;
}

TEST(plane_shows, "a frame of each format of the plane can be shown on it")
{
	struct drm_mode_get_plane plane;
	struct drm_mode_set_plane set;
	struct frame first, frame;
	__u32 formats[FORMATS], id;
	struct display display;
	int card = card_open(), ret;
	unsigned int i;

	id = the_plane(card);
	display_open(&display, card);
	frame_create(card, &first, 640, 480, 16);
	REQUIRE(!get_plane(card, id, &plane, formats, FORMATS), "formats");
	for (i = 0; i < plane.count_format_types; i++) {
		display_show(&display, &first);
		format_frame(card, &frame, formats[i]);
		set = whole(&display, id, &frame);
		set.src_y = 120 << 16;
		ret = set_plane(card, &set);
		REQUIRE(!ret, "%.4s: %s", (char *)&formats[i], strerror(-ret));
		ret = get_plane(card, id, &plane, formats, FORMATS);
		REQUIRE(!ret && plane.crtc_id == display.crtc &&
			plane.fb_id == frame.fb, "%.4s: CRTC %u, frame %u",
			(char *)&formats[i], plane.crtc_id, plane.fb_id);
		while ((ret = display_flip(&display, frame.fb, i)) == -EBUSY)
			usleep(1000);	/* it is shown at the next vblank */
		REQUIRE(!ret && card_event(card).user_data == i, "flip: %s",
			strerror(-ret));
		frame_destroy(card, &frame);
	}
}

TEST(plane_errors, "what the plane cannot do has its errno")
{
	struct drm_mode_set_plane set;
	struct frame frame, small;
	struct display display;
	int card = card_open();
	__u32 id = the_plane(card);

	if (card_is_later())
		skip("the errnos are those of this kernel");
	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	frame_create(card, &small, 640, 400, 16);
	set = whole(&display, id, &frame);
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	REQUIRE(set_plane(card, &set) == -EINVAL, "while the CRTC is off");
	set.fb_id = 0;
	REQUIRE(!set_plane(card, &set), "off while off");
	display_show(&display, &frame);
	REQUIRE(set_plane(card, &set) == -EINVAL, "off while on");

#define require_error(error, change) do {				\
	set = whole(&display, id, &frame);				\
	change;								\
	REQUIRE(set_plane(card, &set) == -(error), #change);		\
} while (0)
	require_error(0, set.flags = 0);
	require_error(EINVAL, set.plane_id = 0);
	require_error(EINVAL, set.plane_id = display.crtc);
	require_error(EINVAL, set.crtc_id = 0);
	require_error(EINVAL, set.crtc_id = display.connector);
	require_error(EINVAL, set.fb_id = 9999);
	require_error(EINVAL, set.flags = 1);
	require_error(EINVAL, set.crtc_x = 1);
	require_error(EINVAL, set.crtc_y = -1);
	require_error(EINVAL, set.crtc_w = 320);
	require_error(EINVAL, set.crtc_h = 240);
	require_error(EINVAL, set.src_x = 1);
	require_error(EINVAL, set.src_h -= 1);
	require_error(ERANGE, set.src_w = 320 << 16);
	require_error(ERANGE, set.src_h = 240 << 16);
	require_error(ENOSPC, set.src_x = 16 << 16);
	require_error(ENOSPC, set.src_y = 1 << 16);
	require_error(ENOSPC, set.src_y = 0xffff << 16);
	require_error(ENOSPC, set.fb_id = small.fb);

	/* the display still shows the same frame */
	REQUIRE(!display_flip(&display, frame.fb, 2), "flip");
	REQUIRE(card_event(card).user_data == 2, "event");
}

/*
 * Properties
 */

struct property {
	__u32 id;
	__u64 value;
};

/* Find a property of an object by its name. */
static struct property find_property(int card, __u32 id, __u32 type,
				     const char *name)
{
	__u32 ids[32], i;
	__u64 values[32];
	struct drm_mode_obj_get_properties args = {
		.props_ptr = (uintptr_t)ids, .prop_values_ptr = (uintptr_t)values,
		.count_props = 32, .obj_id = id, .obj_type = type,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &args);

	REQUIRE(!ret && args.count_props <= 32, "%s, %u properties",
		strerror(-ret), args.count_props);
	for (i = 0; i < args.count_props; i++) {
		struct drm_mode_get_property prop = { .prop_id = ids[i] };

		ret = card_ioctl(card, DRM_IOCTL_MODE_GETPROPERTY, &prop);
		REQUIRE(!ret, "property: %s", strerror(-ret));
		if (!strcmp(prop.name, name))
			return (struct property){ ids[i], values[i] };
	}
	REQUIRE(false, "no property %s", name);
	return (struct property){ };
}

static int set_property(int card, __u32 id, __u32 type, __u32 prop, __u64 value)
{
	struct drm_mode_obj_set_property args = {
		.value = value, .prop_id = prop, .obj_id = id, .obj_type = type,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_OBJ_SETPROPERTY, &args);
}

TEST(plane_type, "the type of the plane is \"Primary\", and immutable")
{
	struct drm_mode_property_enum enums[8];
	struct drm_mode_get_property args = {
		.enum_blob_ptr = (uintptr_t)enums, .count_enum_blobs = 8,
	};
	int card = card_open(), ret;
	__u32 id = the_plane(card), i;
	struct property type = find_property(card, id, DRM_MODE_OBJECT_PLANE,
					     "type");

	REQUIRE(find_property(card, id, DRM_MODE_OBJECT_ANY, "type").id ==
		type.id, "any type");
	args.prop_id = type.id;
	ret = card_ioctl(card, DRM_IOCTL_MODE_GETPROPERTY, &args);
	REQUIRE(!ret && args.flags == (DRM_MODE_PROP_IMMUTABLE |
				       DRM_MODE_PROP_ENUM) &&
		args.count_enum_blobs == 3, "%s, flags %#x, %u values",
		strerror(-ret), args.flags, args.count_enum_blobs);
	for (i = 0; i < 3 && enums[i].value != type.value; i++)
		;
	REQUIRE(i < 3 && !strcmp(enums[i].name, "Primary"), "value %llu",
		type.value);
	for (i = 0; i < 3; i++)
		REQUIRE(set_property(card, id, DRM_MODE_OBJECT_PLANE, type.id,
				     i) == -EINVAL, "set to %u", i);
}

TEST(set_properties, "a property of a connector can be set by its object")
{
	struct display display;
	struct property dpms;
	struct frame frame;
	int card = card_open(), error;

	display_open(&display, card);
	error = card_is_later() ? -ENOENT : -EINVAL;
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	dpms = find_property(card, display.connector, DRM_MODE_OBJECT_CONNECTOR,
			     "DPMS");
#define set_dpms(id, type, prop, value) \
	set_property(card, id, DRM_MODE_OBJECT_##type, prop, value)
	REQUIRE(!set_dpms(display.connector, CONNECTOR, dpms.id,
			  DRM_MODE_DPMS_OFF), "off");
	REQUIRE(display_flip(&display, frame.fb, 1) ==
		(card_is_later() ? -EINVAL : -EBUSY), "flip while off");
	REQUIRE(!set_dpms(display.connector, ANY, dpms.id, DRM_MODE_DPMS_ON),
		"on");
	REQUIRE(!display_flip(&display, frame.fb, 1) &&
		card_event(card).user_data == 1, "flip while on");
	/* 6.1 does not check the value of this property */
	REQUIRE(set_dpms(display.connector, CONNECTOR, dpms.id, 99) ==
		(card_is_later() ? 0 : -EINVAL), "value");
	REQUIRE(set_dpms(display.connector, CRTC, dpms.id, 0) == error, "type");
	REQUIRE(set_dpms(display.crtc, CRTC, dpms.id, 0) == -EINVAL, "CRTC");
	REQUIRE(set_dpms(display.crtc, ANY, dpms.id, 0) == -EINVAL, "any type");
	REQUIRE(set_dpms(0, CONNECTOR, dpms.id, 0) == error, "object");
	REQUIRE(set_dpms(display.connector, CONNECTOR, 0, 0) == -EINVAL, "property");
}

/*
 * Events
 */

TEST(event_crtcs, "events have the id of their CRTC")
{
	union drm_wait_vblank wait = {
		.request = {
			.type = _DRM_VBLANK_RELATIVE | _DRM_VBLANK_EVENT,
			.sequence = 1, .signal = 5,
		},
	};
	struct drm_event_vblank event;
	struct display display;
	struct frame frame;
	int card = card_open();

	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	REQUIRE(!display_flip(&display, frame.fb, 4), "flip");
	event = card_event(card);
	REQUIRE(event.user_data == 4 && event.crtc_id == display.crtc,
		"flip: CRTC %u", event.crtc_id);
	REQUIRE(!card_ioctl(card, DRM_IOCTL_WAIT_VBLANK, &wait), "vblank");
	event = card_event(card);
	REQUIRE(event.user_data == 5 && event.crtc_id == display.crtc,
		"vblank: CRTC %u", event.crtc_id);
}

/*
 * A time stamp must be between two readings of a clock. It is the nominal time of
 * the vblank: if the timer is late, the first reading can be after it.
 */
static bool is_between(__u64 start, __u32 sec, __u32 usec, __u64 end)
{
	__u64 ns = sec * 1000000000ULL + usec * 1000ULL;

	return ns + 20000000 > start && ns < end;
}

TEST(event_times, "the times of flips and vblanks are those of CLOCK_MONOTONIC")
{
	union drm_wait_vblank wait;
	struct drm_event_vblank event;
	struct display display;
	struct frame frame;
	int card = card_open(), i;
	__u64 start;

	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	for (i = 0; i < 3; i++) {
		start = clock_ns(CLOCK_MONOTONIC);
		REQUIRE(!display_flip(&display, frame.fb, 1), "flip");
		event = card_event(card);
		REQUIRE(is_between(start, event.tv_sec, event.tv_usec,
				   clock_ns(CLOCK_MONOTONIC)),
			"flip: %u.%06u after %llu", event.tv_sec,
			event.tv_usec, start);

		wait.request.type = _DRM_VBLANK_RELATIVE | _DRM_VBLANK_EVENT;
		wait.request.sequence = 1;
		start = clock_ns(CLOCK_MONOTONIC);
		REQUIRE(!card_ioctl(card, DRM_IOCTL_WAIT_VBLANK, &wait), "event");
		event = card_event(card);
		REQUIRE(is_between(start, event.tv_sec, event.tv_usec,
				   clock_ns(CLOCK_MONOTONIC)),
			"vblank: %u.%06u after %llu", event.tv_sec,
			event.tv_usec, start);

		wait.request.type = _DRM_VBLANK_RELATIVE;
		wait.request.sequence = 1;
		start = clock_ns(CLOCK_MONOTONIC);
		REQUIRE(!card_ioctl(card, DRM_IOCTL_WAIT_VBLANK, &wait), "wait");
		REQUIRE(is_between(start, wait.reply.tval_sec,
				   wait.reply.tval_usec,
				   clock_ns(CLOCK_MONOTONIC)),
			"wait: %ld.%06ld after %llu", wait.reply.tval_sec,
			wait.reply.tval_usec, start);
	}
}

TEST(nonblocking, "with O_NONBLOCK, read() without an event is EAGAIN")
{
	struct drm_event_vblank event;
	struct display display;
	struct frame frame;
	int card = card_open();

	alarm(30);
	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	REQUIRE(!fcntl(card, F_SETFL, O_NONBLOCK), "%s", strerror(errno));
	REQUIRE(read(card, &event, sizeof(event)) < 0 && errno == EAGAIN,
		"without an event: %s", strerror(errno));
	REQUIRE(!display_flip(&display, frame.fb, 3), "flip");
	REQUIRE(card_event(card).user_data == 3, "with an event");
	REQUIRE(read(card, &event, sizeof(event)) < 0 && errno == EAGAIN,
		"after it: %s", strerror(errno));
}
