// SPDX-License-Identifier: GPL-2.0
/*
 * Each operation on contiguous memory and on shared buffers, with the first allocation
 * of the kernel failing, then the second one, and so on until none fails: it works, or
 * fails with the promised errno, and everything is as before
 *
 * The kernel lets each "interval"-th allocation fail. It does not show how many it has
 * counted; after one has failed, that is a multiple of the interval.
 */
#define TAP_BEGIN modules_begin
#define TAP_END modules_end

#include "tap.h"
#include "guest.h"
#include "faults.h"
#include "card.h"
#include "charge.h"
#include "heap.h"
#include "importer.h"
#include "video.h"

#include <fcntl.h>

#define SIZE		(64 * 1024)
#define MAX_FAILURES	1000
/* How often each failure is repeated, so that a leak of one object shows */
#define REPEATS		32
#define MAX_REPEATS	512

static const char *const kinds[] = { "failslab", "fail_page_alloc" };

/* What the operations use; most of them use some of it. */
static int ctl = -1, heap = -1, dev = -1, video = -1, card = -1, buffer = -1;
static struct cma_ctl_alloc allocated;
static struct frame frame;
static void *mapped;
static int new_fd;
static __u32 new_handle;

static void modules_begin(void)
{
	ctl_begin();
	module_error = module_error ? module_error : module_load("cma_importer");
}

static void modules_end(void)
{
	importer_end();
	ctl_end();
}

/*
 * Operations: @begin opens what they need. Before each @run there is a @prepare, after
 * each one that succeeds an @undo, and after each one a @finish.
 */
struct operation {
	const char *name;
	void (*begin)(void);
	void (*prepare)(void);
	int (*run)(void);	/* >= 0, or a negative errno */
	void (*undo)(void);
	void (*finish)(void);
	int error;		/* that it may return, besides ENOMEM */
	bool slow;		/* not repeated, to find leaks of slab objects */
};

static void open_ctl(void)
{
	ctl = ctl_open();
}

static void open_cma(void)
{
	heap = heap_open_cma();
}

static void open_system(void)
{
	heap = system_heap();
}

static void open_camera(void)
{
	need_contiguous(is_camera);
	video = video_open(is_camera, 0);
	set_format(video, CAPTURE, V4L2_PIX_FMT_RGB565, 128, 128);
}

static void open_card(void)
{
	card = card_open();
}

static int run_coherent(void)
{
	return ctl_alloc(ctl, &allocated, SIZE, CMA_CTL_COHERENT);
}

static int run_writecombine(void)
{
	return ctl_alloc(ctl, &allocated, SIZE, CMA_CTL_WRITECOMBINE);
}

static int run_atomic(void)
{
	return ctl_alloc(ctl, &allocated, PAGE, CMA_CTL_ATOMIC);
}

static void free_allocated(void)
{
	REQUIRE(!ioctl(ctl, CMA_CTL_FREE, allocated.id), "%s", strerror(errno));
}

static struct ballast ballast;

/* Pages of processes are everywhere, also in the area */
static void use_area(void)
{
	ballast_load(&ballast, 12000);
	REQUIRE(meminfo_kb("CmaFree") < 8000, "%ld kB are free in the area",
		meminfo_kb("CmaFree"));
}

static void leave_area(void)
{
	munmap(ballast.mem, ballast.size);
}

static int run_heap(void)
{
	new_fd = heap_alloc(heap, SIZE, O_RDWR | O_CLOEXEC);
	return new_fd;
}

static void close_new(void)
{
	close(new_fd);
}

/* The kernel has not heard of this user: it has no charges, either */
static void be_somebody(void)
{
	open_cma();
	REQUIRE(!setresuid(SOMEBODY, -1, -1), "%s", strerror(errno));
}

static void make_buffer(void)
{
	buffer = new_buffer(heap, SIZE);
}

static void close_buffer(void)
{
	close(buffer);
}

static void begin_name(void)
{
	open_system();
	make_buffer();
}

static int run_name(void)
{
	return ioctl(buffer, DMA_BUF_SET_NAME_A, "name") ? -errno : 0;
}

static int run_mmap(void)
{
	mapped = map_part(buffer, 0, SIZE);
	return mapped ? 0 : -errno;
}

static void undo_mmap(void)
{
	munmap(mapped, SIZE);
}

static void begin_attach(void)
{
	dev = new_device();
	begin_name();
}

static int run_attach(void)
{
	return dev_attach(dev, buffer);
}

static void detach(void)
{
	REQUIRE(!dev_detach(dev), "%s", strerror(errno));
}

static void begin_map(void)
{
	begin_attach();
	REQUIRE(!run_attach(), "attach: %s", strerror(errno));
}

static int run_map(void)
{
	return dev_map(dev, IMPORTER_READ, NULL);
}

static void undo_map(void)
{
	REQUIRE(!dev_unmap(dev), "%s", strerror(errno));
}

static void begin_move(void)
{
	dev = new_strict_device();
	open_system();
}

/* It gets its pages once, or is moved once: each time needs another one */
static void attach_new(void)
{
	make_buffer();
	REQUIRE(!run_attach(), "attach: %s", strerror(errno));
}

static void attach_filled(void)
{
	make_buffer();
	REQUIRE(!run_mmap(), "mmap: %s", strerror(errno));
	fill_pages(mapped, SIZE, 5);
	undo_mmap();
	REQUIRE(!run_attach(), "attach: %s", strerror(errno));
}

static void finish_attached(void)
{
	detach();
	close_buffer();
}

static void begin_first_map(void)
{
	dev = new_device();
	open_system();
}

static int run_reqbufs(void)
{
	return request(video, CAPTURE, V4L2_MEMORY_MMAP, 2);
}

static void undo_reqbufs(void)
{
	REQUIRE_EQ(request(video, CAPTURE, V4L2_MEMORY_MMAP, 0), 0);
}

static int run_create(void)
{
	struct v4l2_create_buffers create = {
		.count = 2, .memory = V4L2_MEMORY_MMAP,
	};

	create.format.type = CAPTURE;
	if (ioctl(video, VIDIOC_G_FMT, &create.format))
		return -errno;
	return ioctl(video, VIDIOC_CREATE_BUFS, &create) ? -errno : 0;
}

static void begin_expbuf(void)
{
	open_camera();
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 2);
}

static int run_expbuf(void)
{
	new_fd = export_plane(video, CAPTURE, 1, 0, O_RDWR | O_CLOEXEC);
	return new_fd;
}

static void begin_queue(void)
{
	open_camera();
	open_cma();
	make_buffer();
}

static void prepare_queue(void)
{
	must_request(video, CAPTURE, V4L2_MEMORY_DMABUF, 1);
}

static int run_queue(void)
{
	return queue(video, CAPTURE, V4L2_MEMORY_DMABUF, 0, buffer, 0);
}

static void finish_queue(void)
{
	REQUIRE_EQ(request(video, CAPTURE, V4L2_MEMORY_DMABUF, 0), 0);
}

/* A picture is not there yet, but everything that it needs is */
static int run_read(void)
{
	char byte;

	return read(video, &byte, 1) < 0 && errno != EAGAIN ? -errno : 0;
}

static void prepare_read(void)
{
	video = video_open(is_camera, 0);
	REQUIRE(!fcntl(video, F_SETFL, O_NONBLOCK), "%s", strerror(errno));
}

static void finish_read(void)
{
	close(video);
}

static int run_open(void)
{
	new_fd = open(CARD, O_RDWR | O_CLOEXEC);
	return new_fd < 0 ? -errno : new_fd;
}

static int run_dumb(void)
{
	return dumb_create(card, &frame, 640, 480, 16);
}

static void close_handle(void)
{
	REQUIRE(!handle_close(card, frame.handle), "close");
}

static void make_dumb(void)
{
	REQUIRE(!run_dumb(), "dumb buffer");
}

static void begin_dumb(void)
{
	open_card();
	make_dumb();
}

static int run_addfb(void)
{
	return fb_add(card, &frame);
}

static void undo_addfb(void)
{
	REQUIRE(!fb_remove(card, frame.fb), "remove");
}

static int run_gem_mmap(void)
{
	mapped = handle_map(card, frame.handle, frame.size, MAP_SHARED);
	return mapped ? 0 : -errno;
}

static void undo_gem_mmap(void)
{
	munmap(mapped, frame.size);
}

static int run_prime_export(void)
{
	new_fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	return new_fd;
}

static void begin_prime_import(void)
{
	open_card();
	open_cma();
	make_buffer();
}

static int run_prime_import(void)
{
	return fd_to_handle(card, buffer, &new_handle);
}

static void undo_prime_import(void)
{
	REQUIRE(!handle_close(card, new_handle), "close");
}

static const struct operation operations[] = {
	{ .name = "coherent buffer",
	  .begin = open_ctl, .run = run_coherent, .undo = free_allocated },
	{ .name = "coherent buffer where pages are in use",
	  .begin = open_ctl, .prepare = use_area, .run = run_coherent,
	  .undo = free_allocated, .finish = leave_area, .slow = true },
	{ .name = "write-combined buffer",
	  .begin = open_ctl, .run = run_writecombine, .undo = free_allocated },
	{ .name = "atomic buffer",
	  .begin = open_ctl, .run = run_atomic, .undo = free_allocated },
	{ .name = "contiguous heap",
	  .begin = open_cma, .run = run_heap, .undo = close_new, .error = ENFILE },
	{ .name = "system heap",
	  .begin = open_system, .run = run_heap, .undo = close_new, .error = ENFILE },
	{ .name = "charge of a new user",
	  .begin = be_somebody, .run = run_heap, .undo = close_new, .error = ENFILE },
	{ .name = "name",
	  .begin = begin_name, .run = run_name },
	{ .name = "mmap",
	  .begin = begin_name, .run = run_mmap, .undo = undo_mmap },
	{ .name = "attach",
	  .begin = begin_attach, .run = run_attach, .undo = detach },
	{ .name = "map",
	  .begin = begin_map, .run = run_map, .undo = undo_map },
	{ .name = "first mmap",
	  .begin = open_system, .prepare = make_buffer, .run = run_mmap,
	  .undo = undo_mmap, .finish = close_buffer },
	{ .name = "first map",
	  .begin = begin_first_map, .prepare = attach_new, .run = run_map,
	  .undo = undo_map, .finish = finish_attached },
	{ .name = "first map, contiguous",
	  .begin = begin_move, .prepare = attach_new, .run = run_map,
	  .undo = undo_map, .finish = finish_attached },
	{ .name = "move",
	  .begin = begin_move, .prepare = attach_filled, .run = run_map,
	  .undo = undo_map, .finish = finish_attached },
	{ .name = "REQBUFS",
	  .begin = open_camera, .run = run_reqbufs, .undo = undo_reqbufs },
	{ .name = "CREATE_BUFS",
	  .begin = open_camera, .run = run_create, .undo = undo_reqbufs },
	{ .name = "EXPBUF",
	  .begin = begin_expbuf, .run = run_expbuf, .undo = close_new,
	  .error = ENFILE },
	{ .name = "QBUF of a buffer",
	  .begin = begin_queue, .prepare = prepare_queue, .run = run_queue,
	  .finish = finish_queue },
	{ .name = "read",
	  .prepare = prepare_read, .run = run_read, .finish = finish_read },
	{ .name = "open of the card",
	  .begin = open_card, .run = run_open, .undo = close_new, .error = ENFILE },
	{ .name = "dumb buffer",
	  .begin = open_card, .run = run_dumb, .undo = close_handle },
	{ .name = "ADDFB",
	  .begin = begin_dumb, .run = run_addfb, .undo = undo_addfb,
	  .error = EINVAL /* of the base: no number for the frame */ },
	{ .name = "mmap of the card",
	  .begin = open_card, .prepare = make_dumb, .run = run_gem_mmap,
	  .undo = undo_gem_mmap, .finish = close_handle, .error = ENFILE },
	{ .name = "PRIME export",
	  .begin = begin_dumb, .run = run_prime_export, .undo = close_new,
	  .error = ENFILE },
	{ .name = "PRIME import",
	  .begin = begin_prime_import, .run = run_prime_import,
	  .undo = undo_prime_import },
};

/*
 * State that has to be the same after each run, and at once
 */
struct state {
	long used, buffers, bytes, fds;
	struct charged root, somebody;
};

static long count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	long count = 0;

	REQUIRE(dir, "%s", strerror(errno));
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static struct state state_now(void)
{
	struct totals totals = totals_now();

	return (struct state){
		.used = totals.used, .buffers = totals.buffers,
		.bytes = totals.bytes, .fds = count_fds(),
		.root = charged(0), .somebody = charged(SOMEBODY),
	};
}

static void require_state(const struct state *before, const char *what,
			  unsigned int nr)
{
	struct state now = state_now();

	REQUIRE(now.used == before->used, "%s %u: %ld pages of areas, then %ld",
		what, nr, before->used, now.used);
	REQUIRE(now.buffers == before->buffers && now.bytes == before->bytes,
		"%s %u: %ld shared buffers of %ld bytes, then %ld of %ld", what,
		nr, before->buffers, before->bytes, now.buffers, now.bytes);
	REQUIRE(now.fds == before->fds, "%s %u: %ld descriptors, then %ld", what,
		nr, before->fds, now.fds);
	REQUIRE(now.root.bytes == before->root.bytes &&
		now.root.buffers == before->root.buffers &&
		now.somebody.bytes == before->somebody.bytes &&
		now.somebody.buffers == before->somebody.buffers,
		"%s %u: root is charged with %llu, then %llu; the user with %llu, then %llu",
		what, nr, before->root.bytes, now.root.bytes,
		before->somebody.bytes, now.somebody.bytes);
}

/*
 * Slab objects in use, per cache. Without slub_debug=, SLUB counts all objects of the slab
 * that a CPU uses, so that one allocation can look like that of a slab.
 */
struct slabs {
	unsigned int count;
	struct { char name[32]; long used, per_slab; } caches[256];
};

static void read_slabs(struct slabs *slabs)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[256];

	REQUIRE(f, "%s", strerror(errno));
	slabs->count = 0;
	while (fgets(line, sizeof(line), f) &&
	       slabs->count < ARRAY_SIZE(slabs->caches))
		if (sscanf(line, "%31s %ld %*d %*d %ld",
			   slabs->caches[slabs->count].name,
			   &slabs->caches[slabs->count].used,
			   &slabs->caches[slabs->count].per_slab) == 3)
			slabs->count++;
	fclose(f);
}

/* The cache that has grown by nearly an object for each of @nr failures, or NULL. */
static const char *grown_cache(const struct slabs *before, unsigned int nr)
{
	static struct slabs now;
	unsigned int i, k;
	long more;

	read_slabs(&now);
	for (i = 0; i < now.count; i++) {
		for (k = 0; k < before->count; k++) {
			if (strcmp(now.caches[i].name, before->caches[k].name))
				continue;
			more = now.caches[i].used - before->caches[k].used;
			if (more >= (long)nr * 3 / 4 &&
			    (nr < MAX_REPEATS || more > now.caches[i].per_slab))
				return now.caches[i].name;
		}
	}
	return NULL;
}

/*
 * Running the operations
 */
static char times_path[64];	/* allocations of this kind fail */

static void set_times(int times)
{
	const char *text = times < 0 ? "-1" : times ? "1" : "0";

	REQUIRE(!write_file(times_path, text), "times: %s", strerror(errno));
}

static bool has_failed(void)
{
	char text[8];

	read_file(times_path, text, sizeof(text));
	return text[0] == '0';
}

/* Allocate one slab object or one page of the kernel, and free it. */
static void allocate_one(void)
{
	int pipes[2];

	inject(true);
	if (!pipe(pipes)) {
		if (write(pipes[1], "", 1) < 0)
			errno = 0;
		close(pipes[0]);
		close(pipes[1]);
	}
	inject(false);
}

/* From here on the @nr-th allocation fails. */
static void count_from_here(const char *kind, unsigned int nr)
{
	unsigned int tries;

	set_fault(kind, "interval", nr);
	set_times(1);
	for (tries = 0; !has_failed() && tries <= 2 * nr; tries++)
		allocate_one();
	REQUIRE(has_failed(), "no allocation fails");
}

/* Returns whether an allocation has failed. */
static bool run_once(const struct operation *op, int times, unsigned int nr)
{
	bool failed;
	int ret;

	if (op->prepare)
		op->prepare();
	set_times(times);
	inject(true);
	ret = op->run();
	inject(false);
	failed = has_failed();
	set_times(0);
	REQUIRE(ret >= 0 || ret == -ENOMEM || (op->error && ret == -op->error),
		"%s %u: %s", op->name, nr, strerror(-ret));
	REQUIRE(ret >= 0 || failed || times < 0, "%s %u: %s without a failure",
		op->name, nr, strerror(-ret));
	if (ret >= 0 && op->undo)
		op->undo();
	if (op->finish)
		op->finish();
	return failed;
}

/* What looks like a leak is repeated more often; what RCU frees comes back later. */
static void require_no_leak(const struct operation *op, unsigned int nr)
{
	static struct slabs slabs;
	const char *cache = NULL;
	unsigned int repeats = 0, batch = REPEATS, tries;

	read_slabs(&slabs);
	do {
		for (; repeats < batch; repeats++)
			run_once(op, 1, nr);
		batch *= 2;
		for (tries = 0; tries < 50; tries++) {
			cache = grown_cache(&slabs, repeats);
			if (!cache)
				return;
			usleep(repeats < MAX_REPEATS ? 1000 : 100000);
		}
	} while (repeats < MAX_REPEATS);
	REQUIRE(!cache, "%s %u: objects of %s leak", op->name, nr, cache);
}

/* Returns the number of allocations of an operation. */
static unsigned int fail_each_once(const struct operation *op, const char *kind)
{
	struct state before;
	unsigned int nr;

	run_once(op, 0, 0);	/* what it allocates for ever */
	for (nr = 1; nr < MAX_FAILURES; nr++) {
		before = state_now();
		count_from_here(kind, nr);
		if (!run_once(op, 1, nr))
			break;
		require_state(&before, op->name, nr);
		if (!op->slow)
			require_no_leak(op, nr);
		require_state(&before, op->name, nr);
	}
	REQUIRE(nr < MAX_FAILURES, "there is no end");
	return nr - 1;
}

/* The @nr-th allocation fails, and every @nr-th one after it. */
static void fail_several(const struct operation *op, const char *kind,
			 unsigned int end)
{
	struct state before;
	unsigned int nr;

	for (nr = 1; nr <= end; nr++) {
		before = state_now();
		count_from_here(kind, nr);
		run_once(op, -1, nr);
		require_state(&before, op->name, nr);
	}
}

static void fail_kind(const struct operation *op, const char *kind)
{
	unsigned int nr;

	snprintf(times_path, sizeof(times_path), FAULTS "/%s/times", kind);
	nr = fail_each_once(op, kind);
	fail_several(op, kind, nr);
	set_fault(kind, "interval", 1);
	note("%s: %u allocations of %s", op->name, nr, kind);
}

static void fail_operation(void *arg)
{
	const struct operation *op = arg;
	unsigned int i;

	faults_open();
	if (op->begin)
		op->begin();
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		fail_kind(op, kinds[i]);
}

static const char *operation_name(size_t row)
{
	return operations[row].name;
}

TEST_TABLE(inject, "each allocation fails, and everything is as before", ARRAY_SIZE(operations),
	   operation_name)
{
	const struct operation *op = &operations[row];
	struct totals before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		faults_begin(kinds[i]);
	before = totals_now();
	tap_join(tap_start(fail_operation, (void *)op));
	require_totals(&before);
}
