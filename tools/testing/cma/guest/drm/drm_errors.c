// SPDX-License-Identifier: GPL-2.0
/*
 * A DRM card: calls that are refused, their errnos, and that threads and processes
 * that race with each other leak nothing.
 */
#define TAP_BEGIN	importer_begin
#define TAP_END		importer_end

#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"
#include "importer.h"

#include <pthread.h>

#define SECONDS	3	/* for each race of threads */

/*
 * Which process may call which ioctl
 */

static const struct call {
	const char *name;
	unsigned long cmd;
} calls[] = {
#define CALL(cmd)	{ #cmd, DRM_IOCTL_##cmd }
	/* any authenticated file */
	CALL(PRIME_HANDLE_TO_FD),
	CALL(PRIME_FD_TO_HANDLE),
#define FOR_ALL		2
	/* the master; on 6.1 any file of the card */
	CALL(MODE_CREATE_DUMB),
	CALL(MODE_MAP_DUMB),
	CALL(MODE_DESTROY_DUMB),
	CALL(MODE_ADDFB2),
	CALL(MODE_OBJ_GETPROPERTIES),
#define FOR_ALL_LATER	7
	CALL(MODE_SETGAMMA),
};

/* From @first on, all calls fail with the same errno. */
static void require_calls(int card, unsigned int first, void *arg, int error)
{
	unsigned int i;
	int ret;

	for (i = first; i < ARRAY_SIZE(calls); i++) {
		ret = card_ioctl(card, calls[i].cmd, arg);
		REQUIRE(ret == -error, "%s: %s", calls[i].name, strerror(-ret));
	}
}

static void be_nobody(void *arg)
{
	__u64 args[16] = { };
	int card;

	(void)arg;
	REQUIRE(!setuid(65534), "setuid: %s", strerror(errno));
	card = card_open();
	require_calls(card, card_is_later() ? FOR_ALL_LATER : 0, args, EACCES);
}

TEST(access, "calls fail with EACCES if not authenticated or not the master")
{
	int card = card_open(), other = card_open(), fd;
	__u64 args[16] = { };
	struct frame frame;
	struct stat st;
	pid_t pid;

	require_calls(other, card_is_later() ? FOR_ALL_LATER : FOR_ALL, args,
		      EACCES);
	REQUIRE(!dumb_create(card, &frame, 64, 64, 32), "buffer");
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC);
	REQUIRE(fd >= 0, "export: %s", strerror(-fd));
	import(other, fd);

	REQUIRE(!stat(CARD, &st) && !chmod(CARD, 0666), "chmod: %s",
		strerror(errno));
	pid = tap_start(be_nobody, NULL);
	tap_join(pid);
	REQUIRE(!chmod(CARD, st.st_mode & 07777), "chmod: %s", strerror(errno));
}

/*
 * Wrong arguments
 */

TEST(bad_pointers, "a bad pointer is EFAULT")
{
	require_calls(card_open(), 0, NULL, EFAULT);
}

TEST(read_only_structs, "a result that cannot be written is freed with the file: EFAULT")
{
	struct totals before = totals_now();
	int card = card_open(), fd = new_buffer(heap_open_cma(), 16 * PAGE);
	union {
		struct drm_prime_handle prime;
		struct drm_mode_create_dumb dumb;
		struct drm_mode_fb_cmd2 fb;
	} *args = map_anon(PAGE);
	struct frame frame;
	int i, ret;

#define require_fault(cmd) do {						\
	REQUIRE(!mprotect(args, PAGE, PROT_READ), "mprotect");		\
	for (i = 0; i < 10; i++) {					\
		ret = card_ioctl(card, cmd, args);			\
		REQUIRE(ret == -EFAULT, #cmd ": %s", strerror(-ret));	\
	}								\
	REQUIRE(!mprotect(args, PAGE, PROT_READ | PROT_WRITE), "mprotect"); \
	memset(args, 0, sizeof(*args));					\
} while (0)
	args->prime.fd = fd;
	require_fault(DRM_IOCTL_PRIME_FD_TO_HANDLE);
	args->dumb.width = 128;
	args->dumb.height = 128;
	args->dumb.bpp = 32;
	require_fault(DRM_IOCTL_MODE_CREATE_DUMB);
	REQUIRE(!dumb_create(card, &frame, 640, 480, 16), "buffer");
	args->fb.width = 640;
	args->fb.height = 480;
	args->fb.pixel_format = DRM_FORMAT_RGB565;
	args->fb.handles[0] = frame.handle;
	args->fb.pitches[0] = frame.pitch;
	require_fault(DRM_IOCTL_MODE_ADDFB2);
	close(fd);
	close(card);
	require_totals(&before);
}

TEST(unused_planes, "a plane that the format does not have is EINVAL")
{
	int card = card_open(), ret;
	struct drm_mode_fb_cmd2 cmd;
	struct frame frame;
	unsigned int i;

	REQUIRE(!dumb_create(card, &frame, 640, 480, 16), "buffer");
	for (i = 0; i < 10; i++) {
		cmd = (struct drm_mode_fb_cmd2){
			.width = 640, .height = 480,
			.pixel_format = DRM_FORMAT_RGB565,
			.handles[0] = frame.handle, .pitches[0] = frame.pitch,
			.flags = unused_planes_flags(),
		};
		if (i < 9)
			(i < 3 ? cmd.handles : i < 6 ? cmd.pitches :
			 cmd.offsets)[1 + i % 3] = frame.handle;
		ret = card_ioctl(card, DRM_IOCTL_MODE_ADDFB2, &cmd);
		REQUIRE(ret == (i < 9 ? -EINVAL : 0), "%u: %s", i,
			strerror(-ret));
	}
}

TEST(bad_capabilities, "a capability that does not exist is EINVAL")
{
	static const __u64 bad[] = { 0, 0x1234, ~0ULL };
	struct drm_get_cap cap = { };
	int card = card_open();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cap.capability = bad[i];
		REQUIRE(card_ioctl(card, DRM_IOCTL_GET_CAP, &cap) == -EINVAL,
			"%llu", bad[i]);
	}
}

TEST(other_files, "a descriptor that is no shared buffer is EINVAL")
{
	int card = card_open(), fds[6], ret;
	unsigned int i;
	__u32 handle;

	REQUIRE(!pipe(&fds[0]) && !socketpair(AF_UNIX, SOCK_STREAM, 0, &fds[2]),
		"%s", strerror(errno));
	fds[4] = open("/proc/self/exe", O_RDONLY);
	fds[5] = heap_open_cma();
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		ret = fd_to_handle(card, fds[i], &handle);
		REQUIRE(ret == -EINVAL, "%u: %s", i, strerror(-ret));
	}
}

TEST(too_large, "a buffer that cannot be made contiguous is ENOMEM and stays usable")
{
	struct totals before = totals_now();
	size_t size = 128 * MIB;	/* twice the area */
	int card = card_open(), fd = new_buffer(system_heap(), size), ret;
	__u32 handle;
	char *mem;

	ret = fd_to_handle(card, fd, &handle);
	/* 6.1 does not try to move it */
	REQUIRE(ret == (card_is_later() ? -EINVAL : -ENOMEM), "%s",
		strerror(-ret));
	mem = map_part(fd, size - PAGE, PAGE);
	REQUIRE(mem, "map: %s", strerror(errno));
	REQUIRE(!*mem, "last page: %#x", *mem);
	munmap(mem, PAGE);
	close(fd);
	close(card);
	require_totals(&before);
}

/* Map a buffer for a device with these limits; 0 or the errno. */
static int map_limited(int fd, struct importer_limits limits)
{
	int dev = new_device(), ret = dev_limit(dev, limits);

	REQUIRE(!ret, "limits: %s", strerror(-ret));
	ret = dev_attach(dev, fd);
	if (!ret)
		ret = dev_map(dev, IMPORTER_READ, NULL);
	/* on 6.1 no exporter checks the limits */
	if (ret == -EPROTO && card_is_later())
		ret = -E2BIG;
	close(dev);
	return ret;
}

TEST(segments, "a device that cannot take the buffer as one segment: E2BIG")
{
	static const struct importer_limits bad[] = {
		{ .max_seg_size = 65536 }, { .boundary = 0xffff },
		{ .max_seg_size = 640 * 480 * 4 - 1 },
	}, good[] = {
		{ .max_seg_size = 640 * 480 * 4 }, { .boundary = 0xffffffff },
	};
	int card = card_open(), fd, ret;
	struct frame frame;
	unsigned int i;

	REQUIRE(!dumb_create(card, &frame, 640, 480, 32), "buffer");
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC);
	REQUIRE(fd >= 0, "export: %s", strerror(-fd));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = map_limited(fd, bad[i]);
		REQUIRE(ret == -E2BIG, "%u: %s", i, strerror(-ret));
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ret = map_limited(fd, good[i]);
		REQUIRE(!ret, "%u: %s", i, strerror(-ret));
	}
}

TEST(read_only, "a read-only buffer cannot be written through the card")
{
	static const struct { int made, prot, error; } all[] = {
		{ O_RDWR, PROT_READ | PROT_WRITE, 0 },
		{ O_RDONLY, PROT_READ, 0 },
		{ O_RDONLY, PROT_READ | PROT_WRITE, EACCES },
		{ O_RDONLY, PROT_WRITE, EACCES },
		{ O_WRONLY, PROT_WRITE, EACCES },	/* as for any mmap() */
	};
	int heap = heap_open_cma(), card = card_open(), fd;
	unsigned int i;
	__u32 handle;
	void *mem;

	if (card_is_later())
		skip("imported buffers cannot be mapped on this kernel");
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		fd = heap_alloc(heap, PAGE, all[i].made | O_CLOEXEC);
		REQUIRE(fd >= 0, "buffer: %s", strerror(-fd));
		handle = import(card, fd);
		mem = handle_map_for(card, handle, PAGE, all[i].prot,
				     MAP_SHARED);
		REQUIRE(mem ? !all[i].error : errno == all[i].error,
			"%u: %s", i, strerror(errno));
		if (mem && all[i].made == O_RDONLY)
			REQUIRE(mprotect(mem, PAGE, PROT_WRITE) &&
				errno == EACCES, "mprotect: %s",
				strerror(errno));
		if (mem)
			munmap(mem, PAGE);
		REQUIRE(!handle_close(card, handle), "close");
		close(fd);
	}
}

#define TIMES	20000	/* so that a leak adds up to more than noise */

TEST(refused_modes, "modes that are refused leak nothing")
{
	struct totals before = totals_now();
	int card = card_open(), i, ret;
	struct drm_mode_crtc args;
	struct display display;
	struct frame frame;

	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	args = (struct drm_mode_crtc){
		.crtc_id = display.crtc, .fb_id = frame.fb, .mode_valid = 1,
		.mode = *display_mode(&display, 640, 480),
	};
	for (i = 0; i < TIMES; i++) {
		ret = card_ioctl(card, DRM_IOCTL_MODE_SETCRTC, &args);
		REQUIRE(ret == -EINVAL, "no connector: %s", strerror(-ret));
	}
	frame_destroy(card, &frame);
	close(card);
	require_totals(&before);
}

/*
 * Properties
 */

#define PROPERTIES	16

struct properties {
	__u32 count;
	__u32 ids[PROPERTIES];
	__u64 values[PROPERTIES];
};

/* 0, or a negative errno; there is room for @room properties. */
static int get_properties(int card, __u32 id, __u32 type, __u32 room,
			  struct properties *props)
{
	struct drm_mode_obj_get_properties args = {
		.props_ptr = (uintptr_t)props->ids,
		.prop_values_ptr = (uintptr_t)props->values,
		.count_props = room, .obj_id = id, .obj_type = type,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &args);

	props->count = args.count_props;
	return ret;
}

static void get_connector_properties(struct display *display,
				     struct properties *props)
{
	int ret = get_properties(display->card, display->connector,
				 DRM_MODE_OBJECT_CONNECTOR, PROPERTIES, props);

	REQUIRE(!ret && props->count && props->count <= PROPERTIES, "%s, %u",
		strerror(-ret), props->count);
}

/* Find a property of the connector by its name. */
static unsigned int find_property(struct display *display,
				  struct properties *props, const char *name)
{
	unsigned int i;

	get_connector_properties(display, props);
	for (i = 0; i < props->count; i++) {
		struct drm_mode_get_property args = {
			.prop_id = props->ids[i],
		};
		int ret = card_ioctl(display->card, DRM_IOCTL_MODE_GETPROPERTY,
				     &args);

		REQUIRE(!ret, "property: %s", strerror(-ret));
		if (!strcmp(args.name, name))
			return i;
	}
	REQUIRE(false, "no property %s", name);
	return 0;
}

static void set_dpms(struct display *display, __u64 value)
{
	struct properties props;
	unsigned int i = find_property(display, &props, "DPMS");
	struct drm_mode_connector_set_property args = {
		.value = value, .prop_id = props.ids[i],
		.connector_id = display->connector,
	};
	int ret = card_ioctl(display->card, DRM_IOCTL_MODE_SETPROPERTY, &args);

	REQUIRE(!ret, "DPMS: %s", strerror(-ret));
	get_connector_properties(display, &props);
	REQUIRE(props.values[i] == value, "DPMS is %llu", props.values[i]);
}

TEST(properties, "properties have their values, and wrong requests their errnos")
{
	struct properties props, again = { };
	struct drm_mode_get_connector conn = {
		.props_ptr = (uintptr_t)again.ids,
		.prop_values_ptr = (uintptr_t)again.values,
		.count_props = PROPERTIES,
	};
	struct drm_mode_obj_get_properties args;
	struct display display;
	int card = card_open();
	unsigned int i;

	display_open(&display, card);
	{
		const struct { __u32 id, type; } bad[] = {
			{ 0, DRM_MODE_OBJECT_CRTC },
			{ ~0, DRM_MODE_OBJECT_CONNECTOR },
			{ display.crtc, DRM_MODE_OBJECT_CONNECTOR },
			{ display.connector, DRM_MODE_OBJECT_CRTC },
			{ display.connector, DRM_MODE_OBJECT_ENCODER },
			{ display.connector, ~0 },
			{ 0, DRM_MODE_OBJECT_ANY },
			{ ~0, DRM_MODE_OBJECT_ANY },
		};

		for (i = 0; i < ARRAY_SIZE(bad); i++)
			REQUIRE(get_properties(card, bad[i].id, bad[i].type, 0,
					       &props) ==
				(card_is_later() ? -ENOENT : -EINVAL), "%u", i);
	}
	get_connector_properties(&display, &again);
	props = (struct properties){ };
	REQUIRE(!get_properties(card, display.connector, DRM_MODE_OBJECT_ANY,
				PROPERTIES, &props) &&
		!memcmp(&props, &again, sizeof(props)), "any type");
	REQUIRE(!get_properties(card, display.crtc, DRM_MODE_OBJECT_ANY,
				PROPERTIES, &props) &&
		props.count == card_is_later(), "%u, any type", props.count);
	REQUIRE(!get_properties(card, display.crtc, DRM_MODE_OBJECT_CRTC,
				PROPERTIES, &props) &&
		props.count == card_is_later(), "%u of the CRTC", props.count);

	/* too little room: their number, and on 6.1 as many as there is room for */
	for (i = 0; i < 2; i++) {
		bool given = i && card_is_later();

		props = (struct properties){ .ids = { ~0 }, .values = { ~0 } };
		REQUIRE(!get_properties(card, display.connector,
					DRM_MODE_OBJECT_CONNECTOR, i, &props) &&
			props.count > 1 && (props.ids[0] != ~0u) == given &&
			(props.values[0] != (__u64)~0) == given, "room for %u", i);
	}

	/* the same as in the connector */
	set_dpms(&display, card_is_later() ? DRM_MODE_DPMS_OFF :
		 DRM_MODE_DPMS_STANDBY);	/* 6.1 knows on and off */
	get_connector_properties(&display, &props);
	conn.connector_id = display.connector;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &conn) &&
		conn.count_props == props.count, "%u", conn.count_props);
	REQUIRE(!memcmp(props.ids, again.ids, props.count * sizeof(__u32)) &&
		!memcmp(props.values, again.values,
			props.count * sizeof(__u64)), "others");

	for (i = 0; i < 2; i++) {
		args = (struct drm_mode_obj_get_properties){
			.props_ptr = i ? 0 : (uintptr_t)props.ids,
			.prop_values_ptr = i ? (uintptr_t)props.values : 0,
			.count_props = PROPERTIES, .obj_id = display.connector,
			.obj_type = DRM_MODE_OBJECT_CONNECTOR,
		};
		REQUIRE(card_ioctl(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES,
				   &args) == -EFAULT, "pointer %u", i);
	}
}

/*
 * Events
 */

/* An event after so many vblanks; 0, or a negative errno. */
static int queue_vblank(int card, __u32 after, __u64 user_data)
{
	union drm_wait_vblank wait = {
		.request = {
			.type = _DRM_VBLANK_RELATIVE | _DRM_VBLANK_EVENT,
			.sequence = after, .signal = user_data,
		},
	};

	return card_ioctl(card, DRM_IOCTL_WAIT_VBLANK, &wait);
}

TEST(event_space, "failed flips do not leak space for events")
{
	struct drm_mode_crtc_page_flip flip = { };
	int card = card_open(), ret, n = 0, i;
	struct display display;
	struct frame frame;

	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	set_dpms(&display, DRM_MODE_DPMS_OFF);
	flip.crtc_id = display.crtc;
	flip.fb_id = frame.fb;
	for (i = 0; i < 10000; i++) {
		ret = card_ioctl(card, DRM_IOCTL_MODE_PAGE_FLIP, &flip);
		REQUIRE(ret == (card_is_later() ? -EINVAL : -EBUSY), "off: %s",
			strerror(-ret));
	}
	set_dpms(&display, DRM_MODE_DPMS_ON);
	while (n < 1000 && !(ret = queue_vblank(card, 100000, n)))
		n++;
	REQUIRE(ret == (card_is_later() ? -ENOMEM : -EBUSY) &&
		n == 4096 / sizeof(struct drm_event_vblank),
		"%d events, then %s", n, strerror(-ret));
	REQUIRE(display_flip(&display, frame.fb, 1) == -ENOMEM, "flip");
}

TEST(unread_events, "events that cannot be read leak nothing")
{
	struct totals before = totals_now();
	int card = card_open(), i, ret;
	void *nowhere = map_anon(PAGE);
	struct display display;
	struct frame frame;

	if (card_is_later())
		skip("an event that cannot be read stays on this kernel");
	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	munmap(nowhere, PAGE);
	for (i = 0; i < TIMES; i++) {
		ret = queue_vblank(card, 0, i);
		REQUIRE(!ret, "vblank %d: %s", i, strerror(-ret));
		REQUIRE(read(card, nowhere, 64) < 0 && errno == EFAULT, "%s",
			strerror(errno));
	}
	frame_destroy(card, &frame);
	close(card);
	require_totals(&before);
}

struct waiter {
	pthread_t thread;
	int card;
	int result;
	volatile bool done;
};

static void *wait_in_read(void *arg)
{
	struct waiter *waiter = arg;
	char event[64];

	waiter->result = read(waiter->card, event, sizeof(event));
	if (waiter->result < 0)
		waiter->result = -errno;
	waiter->done = true;
	return NULL;
}

static void *wait_in_poll(void *arg)
{
	struct waiter *waiter = arg;
	struct pollfd pollfd = { .fd = waiter->card, .events = POLLIN };

	waiter->result = poll(&pollfd, 1, -1) == 1 ? pollfd.revents : -errno;
	waiter->done = true;
	return NULL;
}

TEST(gone, "unbinding the driver wakes waiters, and ioctls are ENODEV")
{
	struct totals before = totals_now();
	int card = card_open(), other = card_open(), ret, i;
	struct pollfd pollfd = { .fd = other, .events = POLLIN };
	struct waiter waiters[] = { { .card = card }, { .card = card } };
	struct drm_mode_map_dumb map = { };
	struct drm_event_vblank event;
	struct display display;
	struct frame frame;
	__u64 args[16] = { };

	need_unbind();
	display_open(&display, card);
	frame_create(card, &frame, 640, 480, 16);
	display_show(&display, &frame);
	map.handle = frame.handle;
	REQUIRE(!card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map), "offset");
	ret = queue_vblank(other, 100000, 44);
	REQUIRE(!ret, "vblank: %s", strerror(-ret));
	pthread_create(&waiters[0].thread, NULL, wait_in_read, &waiters[0]);
	pthread_create(&waiters[1].thread, NULL, wait_in_poll, &waiters[1]);
	usleep(300000);
	card_driver("unbind");
	card_driver("bind");	/* a new device, for the next test */

	for (i = 0; i < 50 && !(waiters[0].done && waiters[1].done); i++)
		usleep(100000);
	REQUIRE(waiters[0].done && waiters[0].result == -ENODEV, "read: %d, %d",
		waiters[0].done, waiters[0].result);
	REQUIRE(waiters[1].done && waiters[1].result == (POLLERR | POLLHUP),
		"poll: %d, %#x", waiters[1].done, waiters[1].result);
	for (i = 0; i < 2; i++)
		pthread_join(waiters[i].thread, NULL);

	/* the last event is not lost */
	REQUIRE(poll(&pollfd, 1, 0) == 1 &&
		pollfd.revents == (POLLIN | POLLERR | POLLHUP), "poll: %#x",
		pollfd.revents);
	event = card_event(other);
	REQUIRE(event.user_data == 44, "event %llu", event.user_data);
	REQUIRE(read(other, &event, sizeof(event)) < 0 && errno == ENODEV,
		"read: %s", strerror(errno));

	require_calls(card, 0, args, ENODEV);
	require_calls(card, 0, NULL, ENODEV);
	REQUIRE(mmap64(NULL, PAGE, PROT_READ, MAP_SHARED, card, map.offset) ==
		MAP_FAILED && errno == ENODEV, "mmap: %s", strerror(errno));
	munmap(frame.mem, frame.size);
	close(card);
	close(other);
	require_totals(&before);
}

/*
 * Threads that race with each other
 */

static struct crowd {
	int card, fd;
	volatile bool stop;
	unsigned int done, closed, named;
} crowd;

static void *make_handles(void *arg)
{
	struct frame frame;
	__u32 handle;
	int ret;

	(void)arg;
	while (!crowd.stop) {
		ret = dumb_create(crowd.card, &frame, 64, 64, 32);
		REQUIRE(!ret, "buffer: %s", strerror(-ret));
		handle_close(crowd.card, frame.handle);
		ret = fd_to_handle(crowd.card, crowd.fd, &handle);
		REQUIRE(!ret, "import: %s", strerror(-ret));
		handle_close(crowd.card, handle);
		crowd.done++;
	}
	return NULL;
}

static void *guess_handles(void *arg)
{
	struct drm_gem_flink flink = { };
	int ret;

	(void)arg;
	while (!crowd.stop) {
		flink.handle = flink.handle % 3 + 1;
		ret = card_ioctl(crowd.card, DRM_IOCTL_GEM_FLINK, &flink);
		REQUIRE(!ret || ret == -ENOENT, "name: %s", strerror(-ret));
		crowd.named += !ret;
		ret = handle_close(crowd.card, flink.handle);
		REQUIRE(!ret || ret == -EINVAL, "close: %s", strerror(-ret));
		crowd.closed += !ret;
	}
	return NULL;
}

TEST(guessed_handles, "guessing and closing handles while they are made leaks nothing")
{
	struct totals before = totals_now();
	pthread_t threads[4];
	unsigned int i;

	require_cpus(4);
	crowd.card = card_open();
	crowd.fd = new_buffer(heap_open_cma(), 16 * PAGE);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL,
			       i & 1 ? guess_handles : make_handles, NULL);
	sleep(SECONDS);
	crowd.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	note("%u times, %u guessed, %u named", crowd.done, crowd.closed,
	     crowd.named);
	REQUIRE(crowd.done > 10 && crowd.closed && crowd.named, "too slow");
	close(crowd.fd);
	close(crowd.card);
	require_totals(&before);
}

static void *open_and_close(void *arg)
{
	struct frame frame;
	int card, ret;

	(void)arg;
	while (!crowd.stop) {
		card = open(CARD, O_RDWR | O_CLOEXEC);
		if (card < 0) {
			REQUIRE(errno == ENOENT || errno == ENODEV, "%s",
				strerror(errno));
			continue;
		}
		/* the first one is the master */
		ret = dumb_create(card, &frame, 64, 64, 32);
		REQUIRE(!ret || ret == -EACCES || ret == -ENODEV, "%s",
			strerror(-ret));
		if (!ret)
			crowd.done++;
		close(card);
	}
	return NULL;
}

TEST(off_twice, "a display that is off can be switched off again, at any position")
{
	struct display display;
	struct frame frame;
	__u32 y;

	display_open(&display, card_open());
	frame_create(display.card, &frame, 640, 768, 16);
	REQUIRE(!display_set(&display, display_mode(&display, 640, 480),
			     frame.fb, 120), "on");
	for (y = 0; y < 3; y++)
		REQUIRE(!display_set(&display, NULL, 0, y), "off, line %u", y);
	REQUIRE(!display_set(&display, display_mode(&display, 640, 480),
			     frame.fb, 0), "on again");
}

TEST(comes_and_goes, "the driver is bound and unbound while the card is opened and closed")
{
	struct totals before = totals_now();
	unsigned int i, rounds = 0;
	pthread_t threads[3];
	__u64 end;

	need_unbind();
	require_cpus(4);
	close(card_open());
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, open_and_close, NULL);
	end = clock_ns(CLOCK_MONOTONIC) + SECONDS * 1000000000ULL;
	while (clock_ns(CLOCK_MONOTONIC) < end || rounds < 6) {
		card_driver("unbind");
		card_driver("bind");
		usleep(1000);
		rounds++;
	}
	crowd.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	note("%u times, %u opened", rounds, crowd.done);
	REQUIRE(crowd.done > 5, "too slow");
	close(card_open());
	require_totals(&before);
}

/*
 * Processes that are killed
 */

static void drop_master(int card)
{
	int ret = card_ioctl(card, DRM_IOCTL_DROP_MASTER, NULL);

	REQUIRE(!ret, "drop master: %s", strerror(-ret));
}

static void wait_to_be_killed(void)
{
	for (;;)
		pause();
}

/* Export a buffer of the card, without staying its master, or of the heap */
static void be_exporter(void *arg)
{
	int card, sock = *(int *)arg, fd;
	struct frame frame;

	if (!strcmp(tap_about, "card")) {
		card = card_open();
		frame_create(card, &frame, 640, 480, 16);
		fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
		REQUIRE(fd >= 0, "export: %s", strerror(-fd));
		drop_master(card);
	} else {
		fd = new_buffer(heap_open_cma(), 640 * 480 * 2);
	}
	fill_pages(map_buffer(fd, 640 * 480 * 2), 640 * 480 * 2, 11);
	REQUIRE(!send_fd(sock, fd), "send");
	wait_to_be_killed();
}

/* Show the buffer that is received, and report it */
static void be_importer(void *arg)
{
	int card = card_open(), sock = *(int *)arg;
	struct frame frame = {
		.width = 640, .height = 480, .bpp = 16, .depth = 16,
		.pitch = 1280, .handle = import(card, receive_fd(sock)),
	};
	struct display display;
	int ret = fb_add(card, &frame);

	REQUIRE(!ret, "frame: %s", strerror(-ret));
	display_open(&display, card);
	display_show(&display, &frame);
	REQUIRE(write(sock, "", 1) == 1, "write");
	wait_to_be_killed();
}

/* Kill both, in either order; the one that is left still has the bytes. */
static void kill_both(bool exporter_first)
{
	struct totals before = totals_now();
	int exporter[2], importer[2], fd, i;
	pid_t pids[2];
	void *mem;
	char byte;

	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, exporter) &&
		!socketpair(AF_UNIX, SOCK_STREAM, 0, importer), "pair");
	pids[!exporter_first] = tap_start(be_exporter, &exporter[1]);
	close(exporter[1]);	/* to notice when a process fails */
	fd = receive_fd(exporter[0]);
	REQUIRE(fd > 0, "receive: %s", strerror(-fd));
	pids[exporter_first] = tap_start(be_importer, &importer[1]);
	close(importer[1]);
	REQUIRE(!send_fd(importer[0], fd), "send");
	REQUIRE(read(importer[0], &byte, 1) == 1, "it is not shown");
	mem = map_buffer(fd, 640 * 480 * 2);
	close(fd);
	for (i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
		usleep(50000);
		REQUIRE(first_wrong(mem, 640 * 480 * 2, 11) < 0, "bytes");
	}
	munmap(mem, 640 * 480 * 2);
	close(exporter[0]);
	close(importer[0]);
	require_totals(&before);
}

TEST(killed, "killing exporter and importer in either order leaks nothing")
{
	static const char * const owners[] = { "card", "heap" };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		tap_about = owners[i & 1];
		kill_both(i & 2);
	}
}

/* The last test: a kernel that fails here cannot go on */
TEST(gamma, "setting a gamma table that a CRTC does not have is ENOSYS")
{
	struct drm_mode_crtc_lut lut = { };
	struct display display;
	int ret;

	display_open(&display, card_open());
	lut.crtc_id = display.crtc;
	lut.gamma_size = 256;
	ret = card_ioctl(display.card, DRM_IOCTL_MODE_SETGAMMA, &lut);
	/* 6.1 checks the CRTC first */
	REQUIRE(ret == (card_is_later() ? -ENOSYS : -EINVAL), "256: %s",
		strerror(-ret));
	lut.gamma_size = 0;
	ret = card_ioctl(display.card, DRM_IOCTL_MODE_SETGAMMA, &lut);
	REQUIRE(ret == -ENOSYS, "0: %s", strerror(-ret));
	lut.crtc_id = 0;
	ret = card_ioctl(display.card, DRM_IOCTL_MODE_SETGAMMA, &lut);
	REQUIRE(ret == (card_is_later() ? -ENOENT : -EINVAL), "no CRTC: %s",
		strerror(-ret));
}
