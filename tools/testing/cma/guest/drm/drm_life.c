// SPDX-License-Identifier: GPL-2.0
/*
 * A DRM card: locks that closing takes, files that outlive the device, objects that
 * go while they are in use, and what a client leaves to the next one
 */
#include "tap.h"
#include "guest.h"
#include "card.h"
#include "heap.h"
#include "video.h"

#include <dirent.h>
#include <pthread.h>

#define SECONDS	3	/* for each race of threads */
#define CALLS	200	/* of each kind, against munmap() */

static volatile bool stop;

/*
 * Objects that are freed while they are opened by name
 */

static struct {
	int card;
	__u32 name;
	volatile unsigned int opened;
} named;

static void *open_name(void *arg)
{
	struct drm_gem_open args;
	int ret;

	(void)arg;
	while (!stop) {
		args = (struct drm_gem_open){ .name = named.name };
		ret = card_ioctl(named.card, DRM_IOCTL_GEM_OPEN, &args);
		REQUIRE(!ret || ret == -ENOENT, "open: %s", strerror(-ret));
		if (ret)
			continue;
		REQUIRE(args.size == PAGE, "size %#llx", args.size);
		handle_close(named.card, args.handle);
		named.opened++;
	}
	return NULL;
}

/* All handles of the file, whoever made them */
static void *close_handles(void *arg)
{
	__u32 handle = 0;

	(void)arg;
	while (!stop) {
		handle = handle % 4 + 1;
		handle_close(named.card, handle);
	}
	return NULL;
}

TEST(freed_names, "an object that is freed while it is opened by name has its size")
{
	struct drm_gem_flink flink;
	pthread_t threads[4];
	struct frame frame;
	unsigned int i;
	__u64 end;

	require_cpus(4);
	named.card = card_open();
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, i & 1 ? open_name :
			       close_handles, NULL);
	end = clock_ns(CLOCK_MONOTONIC) + 2 * SECONDS * 1000000000ULL;
	/* A busy machine may need longer for a few of them */
	while (clock_ns(CLOCK_MONOTONIC) < end ||
	       (named.opened <= 10 && clock_ns(CLOCK_MONOTONIC) < end + 60 * 1000000000ULL)) {
		if (dumb_create(named.card, &frame, 32, 32, 32))
			continue;
		flink.handle = frame.handle;
		if (!card_ioctl(named.card, DRM_IOCTL_GEM_FLINK, &flink))
			named.name = flink.name;
	}
	stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	note("%u opened", named.opened);
	REQUIRE(named.opened > 10, "%u opened", named.opened);
}

/*
 * Descriptors that cannot be returned
 */

static void *export_nowhere(void *arg)
{
	struct drm_prime_handle *args = arg;
	int ret;

	while (!stop) {
		ret = card_ioctl(named.card, DRM_IOCTL_PRIME_HANDLE_TO_FD, args);
		REQUIRE(ret == -EFAULT, "export: %s", strerror(-ret));
	}
	return NULL;
}

TEST(lost_descriptor, "a descriptor that cannot be returned is not closed by number")
{
	struct drm_prime_handle *args = map_anon(PAGE);
	unsigned int rounds = 0, i;
	pthread_t threads[3];
	struct frame frame;
	int low, fd;
	__u64 end;

	named.card = card_open();
	if (card_is_later())
		skip("the descriptor stays on this kernel");
	REQUIRE(!dumb_create(named.card, &frame, 32, 32, 32), "buffer");
	args->handle = frame.handle;
	args->flags = DRM_CLOEXEC;
	REQUIRE(!mprotect(args, PAGE, PROT_READ), "mprotect");
	low = dup(named.card);
	close(low);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, export_nowhere, args);
	end = clock_ns(CLOCK_MONOTONIC) + SECONDS * 1000000000ULL;
	while (clock_ns(CLOCK_MONOTONIC) < end) {
		for (i = 0; i < ARRAY_SIZE(threads); i++)
			close(low + i);
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		REQUIRE(fd >= 0, "open: %s", strerror(errno));
		for (i = 0; i < 100; i++)
			REQUIRE(fcntl(fd, F_GETFD) >= 0,
				"%d was closed in round %u", fd, rounds);
		close(fd);
		rounds++;
	}
	stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	note("%u rounds", rounds);
}

/*
 * Modes
 */

/* A mode with a blanking of equal parts; 0, or a negative errno. */
static int set_mode(struct display *display, struct frame *frame, __u32 clock,
		    __u16 hblank, __u16 vtotal)
{
	__u16 hpart = hblank / 3, vpart = (vtotal - frame->height) / 2;
	struct drm_mode_modeinfo mode = {
		.clock = clock,
		.hdisplay = frame->width,
		.hsync_start = frame->width + hpart,
		.hsync_end = frame->width + 2 * hpart,
		.htotal = frame->width + 3 * hpart,
		.vdisplay = frame->height,
		.vsync_start = frame->height + vpart,
		.vsync_end = frame->height + vpart + 1,
		.vtotal = vtotal,
	};

	return display_set(display, &mode, frame->fb, 0);
}

TEST(rates, "a mode outside of 10 to 240 frames per second is EINVAL at once")
{
	static const struct {
		__u32 width, height, clock;
		__u16 hblank, vtotal;
		int error;
	} modes[] = {
		{ 16, 2, 100000, 18, 3, EINVAL },	/* 1 us */
		{ 16, 2, 100000, 90, 100, EINVAL },	/* 9 kHz */
		{ 640, 480, 100000, 159, 519, EINVAL },	/* 241 Hz */
		{ 640, 480, 100000, 159, 525, 0 },	/* 238 Hz */
		{ 640, 480, 4220, 159, 525, 0 },	/* 10.06 Hz */
		{ 640, 480, 4190, 159, 525, EINVAL },	/* 9.99 Hz */
		{ 1024, 768, 1000, 768, 1278, EINVAL },	/* 0.4 Hz */
		{ 640, 480, 0, 159, 525, EINVAL },
		{ 640, 480, 0x80000000, 159, 525, EINVAL },
		{ 640, 480, ~0, 159, 525, EINVAL },
		{ 640, 480, 25000, 0, 525, EINVAL },
		{ 640, 480, 25000, 159, 0, EINVAL },
		{ 640, 480, 25000, 159, 0xffff, EINVAL },
	};
	struct display display;
	int card = card_open(), ret;
	struct frame frame;
	unsigned int i, ms;
	__u64 start;

	if (card_is_later())
		skip("the driver of this kernel leaves that to the hardware");
	display_open(&display, card);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		frame_create(card, &frame, modes[i].width, modes[i].height, 16);
		start = clock_ns(CLOCK_MONOTONIC);
		ret = set_mode(&display, &frame, modes[i].clock, modes[i].hblank,
			       modes[i].vtotal);
		ms = (clock_ns(CLOCK_MONOTONIC) - start) / 1000000;
		REQUIRE(ret == -modes[i].error, "%u: %s after %u ms", i,
			strerror(-ret), ms);
		REQUIRE(ms < 1000, "%u: %u ms", i, ms);
		if (!ret)
			REQUIRE(!display_flip(&display, frame.fb, i) &&
				card_event(card).user_data == i, "flip");
		frame_destroy(card, &frame);
	}
}

/*
 * What a client leaves to the next one
 */

static void get_routing(struct display *display, __u32 *encoder, __u32 *crtc)
{
	struct drm_mode_get_connector conn = {
		.connector_id = display->connector,
	};
	struct drm_mode_get_encoder enc = { };
	int ret = card_ioctl(display->card, DRM_IOCTL_MODE_GETCONNECTOR, &conn);

	REQUIRE(!ret, "connector: %s", strerror(-ret));
	*encoder = conn.encoder_id;
	*crtc = 0;
	enc.encoder_id = conn.encoder_id;
	if (!enc.encoder_id)
		return;
	ret = card_ioctl(display->card, DRM_IOCTL_MODE_GETENCODER, &enc);
	REQUIRE(!ret, "encoder: %s", strerror(-ret));
	*crtc = enc.crtc_id;
}

TEST(routing, "a connector has no encoder while the display is off")
{
	__u32 encoder, crtc, round;
	struct display display;
	struct frame frame;
	int other, card;

	/* The console is not shown before this file is closed, either. */
	other = card_open();
	display_open(&display, other);
	REQUIRE(!display_set(&display, NULL, 0, 0), "off");
	REQUIRE(!card_ioctl(other, DRM_IOCTL_DROP_MASTER, NULL), "drop master");
	for (round = 0; round < 4; round++) {
		card = card_open();
		display_open(&display, card);
		get_routing(&display, &encoder, &crtc);
		REQUIRE(!encoder && !crtc, "off: encoder %u, CRTC %u", encoder,
			crtc);
		frame_create(card, &frame, 640, 480, 16);
		display_show(&display, &frame);
		get_routing(&display, &encoder, &crtc);
		REQUIRE(encoder && crtc == display.crtc,
			"on: encoder %u, CRTC %u", encoder, crtc);
		/* off by request, with the frame, or with the file */
		if (round == 0)
			REQUIRE(!display_set(&display, NULL, 0, 0), "off");
		if (round <= 1) {
			frame_destroy(card, &frame);
			get_routing(&display, &encoder, &crtc);
			REQUIRE(!encoder && !crtc, "%u: encoder %u, CRTC %u",
				round, encoder, crtc);
		} else {
			munmap(frame.mem, frame.size);
		}
		close(card);
	}
}

/*
 * Files of debugfs, proc and sysfs
 */

#define OPEN_FILES	256

static struct opened {
	char path[512];
	int fd;
	bool ended;		/* a read has come to the end, at the beginning */
} opened[OPEN_FILES];

static unsigned int nr_opened;

/* Open all files below a directory that can be read. */
static void open_below(const char *parent, int depth)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;
	char path[512];
	struct stat st;
	int fd;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%.200s/%.200s", parent,
			 entry->d_name);
		if (entry->d_name[0] == '.' || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			open_below(path, depth - 1);
		if (!S_ISREG(st.st_mode) || !(st.st_mode & 0400))
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		REQUIRE(nr_opened < OPEN_FILES, "too many files");
		strcpy(opened[nr_opened].path, path);
		opened[nr_opened++].fd = fd;
	}
	if (dir)
		closedir(dir);
}

static void open_all(void)
{
	nr_opened = 0;
	open_below("/sys/kernel/debug/dri/0", 1);
	open_below("/sys/kernel/debug/dri/64", 1);
	open_below("/proc/dri/0", 1);
	open_below("/proc/dri/64", 1);
	open_below("/sys/class/drm/card0/", 2);
	open_below("/sys/class/drm/controlD64/", 2);
}

static void close_all(void)
{
	while (nr_opened)
		close(opened[--nr_opened].fd);
}

static void require_gone(struct opened *file)
{
	char text[4096];
	int ret = pread(file->fd, text, sizeof(text), 0);

	if (file->ended || strstr(file->path, "/uevent"))
		return;
	REQUIRE(ret < 0 && errno == (strncmp(file->path, "/proc", 5) ? ENODEV :
				     EIO), "%s: %d, %s", file->path, ret,
		strerror(errno));
}

TEST(files_stay, "a file of debugfs, proc or sysfs that stays open outlives the device")
{
	struct totals before = totals_now();
	unsigned int i, round;
	char text[4096];
	int card, ret;
	struct drm_gem_flink flink = { };
	struct frame frame;

	need_unbind();
	for (round = 0; round < 3; round++) {
		card = card_open();
		frame_create(card, &frame, 640, 480, 16);
		flink.handle = frame.handle;
		REQUIRE(!card_ioctl(card, DRM_IOCTL_GEM_FLINK, &flink), "name");
		open_all();
		REQUIRE(nr_opened > 20, "%u files", nr_opened);
		for (i = 0; round && i < nr_opened; i++) {
			ret = pread(opened[i].fd, text, sizeof(text), 0);
			REQUIRE(ret >= 0 || strstr(opened[i].path, "sys/class"),
				"%s: %s", opened[i].path, strerror(errno));
			opened[i].ended = !ret;
		}
		if (round < 2) {	/* freed now, or when it is closed below */
			munmap(frame.mem, frame.size);
			close(card);
		}
		card_driver("unbind");
		for (i = 0; i < nr_opened; i++)
			require_gone(&opened[i]);
		close_all();
		if (round == 2) {
			munmap(frame.mem, frame.size);
			close(card);
		}
		card_driver("bind");
	}
	require_totals(&before);
}

static void *read_files(void *arg)
{
	static const char * const names[] = {
		"/sys/kernel/debug/dri/0/clients",
		"/sys/kernel/debug/dri/0/gem_names",
		"/proc/dri/0/clients", "/proc/dri/0/vma",
		"/sys/class/drm/card0/card0-DVI-D-1/modes",
		"/sys/class/drm/card0/dev",
	};
	unsigned int count = 0;
	char text[4096];

	(void)arg;
	while (!stop)
		read_file(names[count++ % ARRAY_SIZE(names)], text, sizeof(text));
	return NULL;
}

TEST(files_race, "files are read while the driver is bound and unbound")
{
	struct totals before = totals_now();
	pthread_t threads[3];
	unsigned int i, rounds = 0;
	__u64 end;

	need_unbind();
	require_cpus(4);
	close(card_open());
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, read_files, NULL);
	end = clock_ns(CLOCK_MONOTONIC) + SECONDS * 1000000000ULL;
	while (clock_ns(CLOCK_MONOTONIC) < end || rounds < 6) {
		card_driver("unbind");
		card_driver("bind");
		rounds++;
	}
	stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	note("%u rounds", rounds);
	require_totals(&before);
}

/*
 * A mapping that a camera fills, as V4L2_MEMORY_USERPTR
 */

TEST(user_pointer, "a mapping that a camera has taken can be unmapped, and closed, before")
{
	char text[4096], *count;
	struct v4l2_buffer b = {
		.type = CAPTURE, .memory = V4L2_MEMORY_USERPTR,
	};
	int card = card_open(), video, ret, i;
	struct totals before = totals_now();
	struct frame frame;

	if (card_is_later())
		skip("the camera of this kernel takes no mappings of devices");
	need_contiguous(is_camera);
	for (i = 0; i < 4; i++) {
		video = camera_open(0, 640, 480);
		frame_create(card, &frame, 640, 480, 16);
		must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, 1);
		b.m.userptr = (uintptr_t)frame.mem;
		b.length = frame.size;
		ret = queue_buffer(video, &b);
		/* vb2 may keep a mapping even if it refuses it */
		REQUIRE(!ret || ret == -EFAULT || ret == -EINVAL, "queue: %s",
			strerror(-ret));
		munmap(frame.mem, frame.size);
		frame.mem = NULL;
		if (i & 1) {
			close(card);	/* the camera has the last reference */
			must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, 0);
			card = card_open();
		} else {
			must_request(video, CAPTURE, V4L2_MEMORY_USERPTR, 0);
			frame_destroy(card, &frame);
		}
		close(video);
		/* no mapping that is gone is on the list of the card */
		read_file("/sys/kernel/debug/dri/0/vma", text, sizeof(text));
		count = strstr(text, "vma use count: ");
		REQUIRE(count && !strncmp(count + 15, "0,", 2), "%d: %s", i,
			text);
	}
	require_totals(&before);
	close(card);
}

/*
 * Calls that copy, against the close of a file by munmap(). The last tests: a
 * kernel that fails here cannot go on.
 */

/* A page that is not populated, so that copying to or from it faults. */
static uintptr_t fresh(void)
{
	static char *pages, *previous;	/* of a call that needs more pages */
	static unsigned int next = 64;

	if (next == 64) {
		if (previous)
			munmap(previous, 64 * PAGE);
		previous = pages;
		pages = map_anon(64 * PAGE);
		REQUIRE(pages, "no address space");
		next = 0;
	}
	return (uintptr_t)(pages + next++ * PAGE);
}

static struct display copied;
static __u32 copied_fb, copied_property;

static int call_version(int card)
{
	struct drm_version args = {
		.name = (void *)fresh(), .name_len = 16,
		.date = (void *)fresh(), .date_len = 16,
		.desc = (void *)fresh(), .desc_len = 16,
	};

	return card_ioctl(card, DRM_IOCTL_VERSION, &args);
}

static int call_unique(int card)
{
	struct drm_unique args = {
		.unique = (void *)fresh(), .unique_len = 64,
	};

	return card_ioctl(card, DRM_IOCTL_GET_UNIQUE, &args);
}

static int call_contexts(int card)
{
	struct drm_ctx_res args = { .count = 1, .contexts = (void *)fresh() };
	int ret = card_ioctl(card, DRM_IOCTL_RES_CTX, &args);

	return card_is_later() && ret == -EINVAL ? 0 : ret;
}

static int call_resources(int card)
{
	struct drm_mode_card_res args = {
		.fb_id_ptr = fresh(), .crtc_id_ptr = fresh(),
		.connector_id_ptr = fresh(), .encoder_id_ptr = fresh(),
		.count_fbs = 9, .count_crtcs = 9, .count_connectors = 9,
		.count_encoders = 9,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &args);
}

static int call_connector(int card)
{
	struct drm_mode_get_connector args = {
		.connector_id = copied.connector, .encoders_ptr = fresh(),
		.modes_ptr = fresh(), .props_ptr = fresh(),
		.prop_values_ptr = fresh(), .count_modes = 50,
		.count_props = 32, .count_encoders = 8,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &args);
}

static int call_property(int card)
{
	struct drm_mode_get_property args = {
		.prop_id = copied_property, .values_ptr = fresh(),
		.enum_blob_ptr = fresh(), .count_values = 32,
		.count_enum_blobs = 32,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_GETPROPERTY, &args);
}

static int call_properties(int card)
{
	struct drm_mode_obj_get_properties args = {
		.props_ptr = fresh(), .prop_values_ptr = fresh(),
		.count_props = 32, .obj_id = copied.connector,
		.obj_type = DRM_MODE_OBJECT_CONNECTOR,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &args);
}

/* Reads the list of connectors, which has a zero */
static int call_crtc(int card)
{
	struct drm_mode_crtc args = {
		.crtc_id = copied.crtc, .fb_id = copied_fb, .mode_valid = 1,
		.set_connectors_ptr = fresh(), .count_connectors = 1,
		.mode = copied.modes[0],
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_SETCRTC, &args);

	return ret == -EINVAL || ret == -ENOENT ? 0 : ret;
}

static int call_dirty(int card)
{
	struct drm_mode_fb_dirty_cmd args = {
		.fb_id = copied_fb, .num_clips = 1, .clips_ptr = fresh(),
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_DIRTYFB, &args);

	return ret == -ENOSYS ? 0 : ret;
}

static const struct copier {
	const char *name;
	int (*call)(int card);
} copiers[] = {
	{ "VERSION", call_version },
	{ "GET_UNIQUE", call_unique },
	{ "RES_CTX", call_contexts },
	{ "MODE_GETRESOURCES", call_resources },
	{ "MODE_GETCONNECTOR", call_connector },
	{ "MODE_GETPROPERTY", call_property },
	{ "MODE_OBJ_GETPROPERTIES", call_properties },
	{ "MODE_SETCRTC", call_crtc },
	{ "MODE_DIRTYFB", call_dirty },
};

/*
 * A process whose threads wait for each other cannot be killed. The test that
 * started it sees here that it does not go on.
 */
static struct progress {
	volatile unsigned int calls, closed;
	volatile bool stop;
} *progress;

static struct unmapper {
	int buffer;
	size_t size;
	__u64 offset;
} unmapper;

/* Let munmap() drop the last reference to an open file of the card. */
static void *close_by_unmapping(void *arg)
{
	void *mem;
	int card;

	(void)arg;
	while (!progress->stop) {
		card = card_open();
		import(card, unmapper.buffer);
		mem = mmap64(NULL, unmapper.size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, card, unmapper.offset);
		REQUIRE(mem != MAP_FAILED, "mmap: %s", strerror(errno));
		close(card);
		munmap(mem, unmapper.size);
		progress->closed++;
	}
	return NULL;
}

static void make_unmapped(struct frame *frame)
{
	struct drm_mode_map_dumb map = { .handle = frame->handle };
	int ret = card_ioctl(copied.card, DRM_IOCTL_MODE_MAP_DUMB, &map);

	REQUIRE(!ret, "offset: %s", strerror(-ret));
	unmapper.offset = map.offset;
	unmapper.size = frame->size;
	unmapper.buffer = handle_to_fd(copied.card, frame->handle,
				       DRM_CLOEXEC | DRM_RDWR);
	REQUIRE(unmapper.buffer >= 0, "export: %s", strerror(-unmapper.buffer));
}

static void copy_while_unmapping(void *arg)
{
	const struct copier *copier = arg;
	pthread_t thread;
	int ret;

	pthread_create(&thread, NULL, close_by_unmapping, NULL);
	while (progress->calls < CALLS || !progress->closed) {
		ret = copier->call(copied.card);
		REQUIRE(!ret, "%s", strerror(-ret));
		progress->calls++;
	}
	progress->stop = true;
	pthread_join(thread, NULL);
}

static const char *copier_name(size_t row)
{
	return copiers[row].name;
}

TEST_TABLE(copies, "a call copies while munmap() closes another file of the card",
	   ARRAY_SIZE(copiers), copier_name)
{
	__u32 ids[32];
	__u64 values[32];
	struct drm_mode_obj_get_properties get = {
		.props_ptr = (uintptr_t)ids, .prop_values_ptr = (uintptr_t)values,
		.count_props = 32, .obj_type = DRM_MODE_OBJECT_CONNECTOR,
	};
	unsigned int before = 0, now, i;
	struct frame frame;
	pid_t pid;

	display_open(&copied, card_open());
	frame_create(copied.card, &frame, 1024, 768, 16);
	display_show(&copied, &frame);
	copied_fb = frame.fb;
	get.obj_id = copied.connector;
	REQUIRE(!card_ioctl(copied.card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &get) &&
		get.count_props && get.count_props <= 32, "properties");
	copied_property = ids[0];
	make_unmapped(&frame);

	progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(progress != MAP_FAILED, "%s", strerror(errno));
	pid = tap_start(copy_while_unmapping, (void *)&copiers[row]);
	for (i = 0; !waitpid(pid, NULL, WNOHANG); i++) {
		now = progress->calls + progress->closed;
		if (now != before)
			i = 0;
		REQUIRE(i < 200, "dead lock after %u calls, %u files",
			progress->calls, progress->closed);
		before = now;
		usleep(100000);
	}
	REQUIRE(progress->stop, "the other process failed");
}
