// SPDX-License-Identifier: GPL-2.0
/*
 * A program without privileges, such as a media player that somebody has taken
 * over, tries to leave no contiguous memory to others: it takes all that its
 * device nodes give, and pins pages of the area. Meanwhile a storage driver allocates
 * and frees 512 KiB every 10 ms, and a camera streams from an area of its own.
 *
 * attacker.seconds=N (20) on the kernel's command line is the duration of all
 * attacks. The command line also gives cma_ctl, which stands for the storage
 * driver, a reserve, and cma_camera the area "camera".
 */
#define TAP_BEGIN	attacker_begin
#define TAP_END		attacker_end
#define TAP_SECONDS	600

#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "video.h"
#include "card.h"

#include <dirent.h>
#include <linux/aio_abi.h>
#include <linux/videodev2.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/uio.h>

#define NOBODY		65534
#define LOCK		"/tmp/attacker.lock"
#define DISK		"/dev/cma_disk"

#define PROCESSES	20
#define CALLS		300	/* of a process, before it exits */
#define MANY		24
#define CHUNK		((size_t)512 * 1024)
#define PERIOD_US	10000

/* An allocation that waits for nobody takes less, an emulated CPU included */
#define LATENCY_US	250000UL

/* Memory that is left to others: the OOM killer would end the attack */
#define SPARE_KB	(20 * 1024)
/* Of the pages that an attacker has, it pins one in so many: no range is free */
#define SPACING		16
#define PIPE_SIZE	((int)(256 * PAGE))

/* What all processes see */
static struct shared {
	volatile bool stop;
	struct {
		unsigned long count, failed, longest_us, sum_us;
	} storage;
	struct {
		unsigned long frames, starts, longest_ms;
	} camera;
	struct {
		unsigned long before, area, reserve;
	} pins;
} *shared;

static struct cma_ctl_area area;
static unsigned long reserve_pages;
static bool has_camera, has_disk;

/* The state of a process: what it holds. */
struct state {
	unsigned int seed;
	unsigned int nr;	/* number of attackers */
	int from, to;		/* its neighbours in the ring */
	int fd[MANY];
	struct {
		char *mem;
		size_t size;
	} map[MANY];
	unsigned int next_map;
	bool pins_memory, pins_file;
};

#include "kinds.h"

static unsigned long *worked;	/* times that each kind has worked */

static void attacker_begin(void)
{
	/* By all tests together: a slow machine does little in one of them */
	worked = mmap(NULL, nr_kinds * sizeof(*worked), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ctl_begin();
	has_camera = !module_load("cma_camera");
	has_disk = !module_load("cma_disk");
}

static void attacker_end(void)
{
	unsigned int i;

	/* Requests of processes that were killed may still be under way */
	for (i = 0; has_disk && i < 100 && module_unload("cma_disk"); i++)
		usleep(100000);
	if (has_camera)
		module_unload("cma_camera");
	ctl_end();
}

/*
 * The storage driver and the camera
 */

/* Run before all else, and do not be killed for lack of memory. */
static void be_important(void)
{
	struct sched_param param = { .sched_priority = 10 };

	REQUIRE(!write_file("/proc/self/oom_score_adj", "-1000"), "oom_score_adj");
	REQUIRE(!sched_setscheduler(0, SCHED_FIFO, &param), "%s", strerror(errno));
}

static void store(void *arg)
{
	int ctl = *(int *)arg;

	be_important();
	while (!shared->stop) {
		struct cma_ctl_alloc alloc;
		__u64 start = clock_ns(CLOCK_MONOTONIC);
		int ret = ctl_alloc(ctl, &alloc, CHUNK, CMA_CTL_COHERENT);
		unsigned long us = (clock_ns(CLOCK_MONOTONIC) - start) / 1000;

		shared->storage.count++;
		shared->storage.failed += ret < 0;
		shared->storage.sum_us += us;
		if (us > shared->storage.longest_us)
			shared->storage.longest_us = us;
		if (!ret)
			REQUIRE(!ioctl(ctl, CMA_CTL_FREE, alloc.id), "%s", strerror(errno));
		usleep(PERIOD_US);
	}
}

static bool is_first_camera(const struct v4l2_capability *cap, const void *arg)
{
	return !strcmp((const char *)cap->card, arg);
}

/* Stream for a while with new buffers, and look at each frame. */
static void film_once(int video)
{
	__u64 before = 0;
	__u32 *mem[4];
	__u32 i;

	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, ARRAY_SIZE(mem));
	for (i = 0; i < ARRAY_SIZE(mem); i++) {
		mem[i] = map_own(video, i, query(video, CAPTURE, i).length);
		must_queue(video, CAPTURE, V4L2_MEMORY_MMAP, i, 0);
	}
	stream(video, CAPTURE, true);
	for (i = 0; i < 25 && !shared->stop; i++) {
		struct v4l2_buffer b = must_dequeue(video, CAPTURE, V4L2_MEMORY_MMAP);
		__u64 now = clock_ns(CLOCK_MONOTONIC);
		unsigned long ms = before ? (now - before) / 1000000 : 0;

		before = now;
		REQUIRE(b.sequence == i && mem[b.index][0] == i && mem[b.index][1000] == i,
			"frame %u is %u, %u", i, b.sequence, mem[b.index][0]);
		shared->camera.frames++;
		if (ms > shared->camera.longest_ms)
			shared->camera.longest_ms = ms;
		must_queue(video, CAPTURE, V4L2_MEMORY_MMAP, b.index, 0);
	}
	stream(video, CAPTURE, false);
	for (i = 0; i < ARRAY_SIZE(mem); i++)
		munmap(mem[i], query(video, CAPTURE, i).length);
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 0);
	shared->camera.starts++;
}

static void film(void *arg)
{
	int video = node_open(is_first_camera, "cma_camera0", 0);

	(void)arg;
	REQUIRE(video >= 0, "no camera");
	be_important();
	while (!shared->stop)
		film_once(video);
	close(video);
}

/*
 * The attacker
 */

static bool keep_fd(struct state *s, int fd)
{
	unsigned int i = pick(s, MANY);

	if (fd < 0)
		return false;
	if (s->fd[i] >= 0)
		close(s->fd[i]);
	s->fd[i] = fd;
	return true;
}

static bool keep_map(struct state *s, void *mem, size_t size)
{
	unsigned int i = s->next_map++ % MANY;

	if (!mem || mem == MAP_FAILED)
		return false;
	if (s->map[i].size)
		munmap(s->map[i].mem, s->map[i].size);
	s->map[i].mem = mem;
	s->map[i].size = size;
	return true;
}

static int heaps[16], system_heap_fd;
static unsigned int nr_heaps;

KIND(contiguous)
{
	int fd = heap_alloc(heaps[pick(s, nr_heaps)], PAGE << pick(s, 10), O_RDWR | O_CLOEXEC);

	return keep_fd(s, fd);
}

/* Memory of this heap is outside of the area: only a little of it */
KIND(scattered)
{
	return keep_fd(s, heap_alloc(system_heap_fd, PAGE << pick(s, 3), O_RDWR | O_CLOEXEC));
}

KIND(map)
{
	int fd = s->fd[pick(s, MANY)];
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	char *mem;

	if (size <= 0 || size > (off_t)(4 * MIB))
		return false;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return false;
	mem[pick(s, size)] = 1;
	return keep_map(s, mem, size);
}

KIND(close)
{
	unsigned int i = pick(s, MANY);

	if (s->fd[i] < 0)
		return false;
	close(s->fd[i]);
	s->fd[i] = -1;
	return true;
}

KIND(dumb)
{
	int card = open(CARD, O_RDWR | O_CLOEXEC), fd;
	struct frame frame;

	if (card < 0 || dumb_create(card, &frame, 64 << pick(s, 4), 256, 32)) {
		close(card);
		return false;
	}
	/* The buffer lives with the mapping, the descriptor or the card */
	keep_map(s, handle_map(card, frame.handle, frame.size, MAP_SHARED), frame.size);
	fd = handle_to_fd(card, frame.handle, DRM_CLOEXEC | DRM_RDWR);
	if (pick(s, 2))
		handle_close(card, frame.handle);
	if (pick(s, 4))
		close(card);
	else
		keep_fd(s, card);
	return keep_fd(s, fd);
}

static int open_node(struct state *s)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/video%u", pick(s, 4));
	return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

KIND(video)
{
	__u32 type = pick(s, 2) ? CAPTURE : OUTPUT;
	int video = open_node(s), count;
	struct v4l2_create_buffers create = {
		.count = 1 + pick(s, 3), .memory = V4L2_MEMORY_MMAP, .format.type = type,
	};
	struct v4l2_buffer b = { .type = type };

	if (video < 0)
		return false;
	count = request(video, type, V4L2_MEMORY_MMAP, 1 + pick(s, 4));
	if (count <= 0) {
		close(video);
		return false;
	}
	if (!ioctl(video, VIDIOC_G_FMT, &create.format) &&
	    !ioctl(video, VIDIOC_CREATE_BUFS, &create))
		count += create.count;
	b.index = pick(s, count);
	if (!ioctl(video, VIDIOC_QUERYBUF, &b))
		keep_map(s, mmap(NULL, b.length, PROT_READ | PROT_WRITE, MAP_SHARED, video,
				 b.m.offset), b.length);
	keep_fd(s, export_plane(video, type, b.index, 0, O_RDWR | O_CLOEXEC));
	return pick(s, 4) ? keep_fd(s, video) : !close(video);
}

/* A child has all mappings and descriptors for a while. */
KIND(fork)
{
	pid_t pid = fork();

	if (pid)
		return pid > 0;
	usleep(pick(s, 200000));
	kill(getpid(), pick(s, 2) ? SIGKILL : SIGTERM);
	_exit(0);
}

KIND(pass)
{
	int fd = s->fd[pick(s, MANY)];

	return fd >= 0 && !send_fd(s->to, fd);
}

KIND(take)
{
	return keep_fd(s, receive_fd(s->from));
}

/* Use up memory, of this file if there is one. */
static char *take_memory(size_t *size, int file)
{
	long kb = meminfo_kb("MemFree") - SPARE_KB;
	char *mem = NULL;
	size_t i;

	if (kb < 1024)
		return NULL;
	*size = kb * 1024UL / PAGE * PAGE;
	if (file < 0)
		mem = map_anon(*size);
	else if (!ftruncate(file, *size))
		mem = map_part(file, 0, *size);
	for (i = 0; mem && i < *size; i += PAGE)
		mem[i] = 1;
	return mem;
}

/* How many of the pages that it pins are where it hurts? */
static void count_pin(__u64 before, __u64 pfn)
{
	if (in_area(&area, before))
		__atomic_add_fetch(&shared->pins.before, 1, __ATOMIC_RELAXED);
	if (!in_area(&area, pfn))
		return;
	__atomic_add_fetch(&shared->pins.area, 1, __ATOMIC_RELAXED);
	if (pfn >= area.base_pfn + area.nr_pages - reserve_pages)
		__atomic_add_fetch(&shared->pins.reserve, 1, __ATOMIC_RELAXED);
}

/*
 * A pipe refers to pages of a process or of a file, also after the process has
 * unmapped the memory and the file is gone. A process keeps them until it exits.
 */
static bool pin_pages(int file)
{
	int fds[2] = { -1, -1 }, lock = open(LOCK, O_RDWR | O_CLOEXEC);
	size_t size, i, n = 0;
	char *mem = NULL;

	/* One at a time: the OOM killer would end the attack */
	if (!flock(lock, LOCK_EX | LOCK_NB))
		mem = take_memory(&size, file);
	for (i = 0; mem && i < size; i += SPACING * PAGE) {
		struct iovec iov = { .iov_base = mem + i, .iov_len = PAGE };
		__u64 before = pfn_of(mem + i);
		loff_t pos = i;
		ssize_t ret;

		if (n++ % (PIPE_SIZE / PAGE) == 0 &&
		    (pipe(fds) || fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE) < 0))
			break;
		if (file < 0)
			ret = vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK);
		else
			ret = splice(file, &pos, fds[1], NULL, PAGE, SPLICE_F_NONBLOCK);
		if (ret != (ssize_t)PAGE)
			break;
		count_pin(before, pfn_of(mem + i));
	}
	if (mem)
		munmap(mem, size);
	close(lock);
	return i > 0;
}

KIND(pin)
{
	if (!s->pins_memory)
		return s->pins_memory = pin_pages(-1);
	return false;
}

static int temporary_file(void)
{
	char path[] = "/tmp/attacker-XXXXXX";
	int file = mkstemp(path);

	if (file >= 0)
		unlink(path);
	return file;
}

KIND(pin_file)
{
	int file;

	if (s->pins_file)
		return false;
	file = temporary_file();
	s->pins_file = file >= 0 && pin_pages(file);
	close(file);
	return s->pins_file;
}

KIND(splice)
{
	static char data[16 * PAGE];
	int file = temporary_file(), fds[2];
	bool works;

	works = write(file, data, sizeof(data)) == (ssize_t)sizeof(data) &&
		!lseek(file, 0, SEEK_SET) && !pipe(fds);
	if (works) {
		works = splice(file, NULL, fds[1], NULL, sizeof(data), SPLICE_F_NONBLOCK) > 0;
		keep_fd(s, fds[0]);
		close(fds[1]);
	}
	close(file);
	return works;
}

/* The ring of events is pinned, and so is what a disk reads into. */
KIND(aio)
{
	static aio_context_t context;
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_nbytes = 8 * PAGE };
	struct iocb *cbs = &cb;
	char *mem = map_anon(8 * PAGE);
	int disk;

	if (!keep_map(s, mem, 8 * PAGE))
		return false;
	if (!context && syscall(SYS_io_setup, 1 + pick(s, 512), &context))
		return false;
	disk = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (disk < 0)
		return false;
	cb.aio_fildes = disk;
	cb.aio_buf = (uintptr_t)mem;
	cb.aio_offset = pick(s, 16) * MIB;
	return syscall(SYS_io_submit, context, 1, &cbs) == 1 && keep_fd(s, disk);
}

KIND(direct)
{
	int disk = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	char *mem = map_anon(4 * PAGE);
	bool works = disk >= 0 && mem && read(disk, mem, 4 * PAGE) == 4 * PAGE;

	close(disk);
	return keep_map(s, mem, 4 * PAGE) && works;
}

KIND(lock)
{
	char *mem = map_anon(4 * PAGE);

	return mem && !mlock(mem, 4 * PAGE) && keep_map(s, mem, 4 * PAGE);
}

/* A life of an attacker: it ends with all that it holds. */
static void live(struct state *s)
{
	const struct kind *kind;
	unsigned int n, which;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	memset(s->fd, -1, sizeof(s->fd));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What one alone has pinned stays */
	for (n = 0; s->nr == 1 || n < CALLS; n++) {
		which = pick(s, nr_kinds);
		for (kind = first_kind; kind->number != which; kind = kind->next)
			;
		/* These come first */
		if (n < 2)
			kind = n ? &pin_file_kind : &pin_kind;
		if (kind->call(s))
			__atomic_add_fetch(&worked[kind->number], 1, __ATOMIC_RELAXED);
		if (!(n % 16))
			usleep(1000);
	}
	_exit(0);
}

static void attack(struct state *s)
{
	unsigned int lives;
	pid_t pid;

	/* The OOM killer may have it, but not the test */
	if (write_file("/proc/self/oom_score_adj", "500") || setgid(NOBODY) || setuid(NOBODY))
		_exit(1);
	/* setuid() resets both; files in /proc/self would belong to root */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (lives = 0;; lives++) {
		pid = fork();
		if (!pid) {
			s->seed += 7919 * lives;
			live(s);
		}
		if (pid < 0)
			usleep(10000);
		else
			waitpid(pid, NULL, 0);
	}
}

/* Give it the nodes that a media player has, but not those of the camera. */
static void give_nodes(void)
{
	struct v4l2_capability cap;
	char path[300];
	struct dirent *entry;
	DIR *dir = opendir(HEAPS);
	unsigned int i;
	int fd;

	while (dir && (entry = readdir(dir)) && nr_heaps < ARRAY_SIZE(heaps)) {
		if (entry->d_name[0] == '.')
			continue;
		fd = heap_open(entry->d_name);
		REQUIRE(fd >= 0, "%s: %s", entry->d_name, strerror(errno));
		if (strcmp(entry->d_name, "system"))
			heaps[nr_heaps++] = fd;
		else
			system_heap_fd = fd;
	}
	closedir(dir);
	REQUIRE(nr_heaps, "no heap");
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/video%u", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
		    strncmp((char *)cap.card, "cma_camera", 10))
			REQUIRE(!chmod(path, 0666), "%s", strerror(errno));
		close(fd);
	}
	REQUIRE(!chmod(CARD, 0666), "%s: %s", CARD, strerror(errno));
	REQUIRE(!chmod(DISK, 0666), "%s: %s", DISK, strerror(errno));
	fd = open(LOCK, O_RDWR | O_CREAT, 0666);
	REQUIRE(fd >= 0 && !fchmod(fd, 0666), "%s: %s", LOCK, strerror(errno));
	close(fd);
	REQUIRE(!chmod("/tmp", 01777), "%s", strerror(errno));
	/* As much as the attacker could have in several file systems */
	REQUIRE(!mount(NULL, "/tmp", NULL, MS_REMOUNT, "size=95%"), "%s", strerror(errno));
}

/* Kill all that an attacker has started. */
static void kill_attackers(void)
{
	pid_t pid = tap_fork();
	int status;

	if (!pid)
		_exit(setuid(NOBODY) || (kill(-1, SIGKILL) && errno != ESRCH));
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "status %#x", status);
	while (waitpid(-1, &status, WNOHANG) > 0)
		;
}

static void prepare(void)
{
	if (access(AREAS_SYSFS "camera", F_OK))
		skip("no area \"camera\"");
	REQUIRE(has_camera && has_disk, "no camera or disk");
	write_file("/sys/module/cma_disk/parameters/delay_ms", "5");
	write_file("/sys/module/cma_camera/parameters/buffer_size", "524288");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	REQUIRE(shared != MAP_FAILED, "no memory");
	reserve_pages = area_sysfs("reserved/reserve_pages");
	REQUIRE(reserve_pages >= 2 * CHUNK / PAGE, "a reserve of %lu pages", reserve_pages);
	give_nodes();
}

static void report(unsigned int nr)
{
	note("%u attackers: %lu pages of the area were put into pipes; %lu remained there, %lu of them in the reserve",
	     nr, shared->pins.before, shared->pins.area, shared->pins.reserve);
	note("storage: %lu allocations, %lu failed, %lu us on average, %lu us at most",
	     shared->storage.count, shared->storage.failed,
	     shared->storage.count ? shared->storage.sum_us / shared->storage.count : 0,
	     shared->storage.longest_us);
	note("camera: %lu frames, %lu starts, at most %lu ms between frames", shared->camera.frames,
	     shared->camera.starts, shared->camera.longest_ms);
}

/* So many attackers, each with a ring of descriptors to the next one. */
static void start_attackers(unsigned int nr)
{
	int ring[PROCESSES][2];
	struct state state;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < nr; i++)
		REQUIRE(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ring[i]), "%s",
			strerror(errno));
	for (i = 0; i < nr; i++) {
		pid = tap_fork();
		if (pid)
			continue;
		memset(&state, 0, sizeof(state));
		state.seed = 1 + i * 104729;
		state.nr = nr;
		state.to = ring[i][0];
		state.from = ring[(i + 1) % nr][1];
		attack(&state);
	}
	for (i = 0; i < nr; i++) {
		close(ring[i][0]);
		close(ring[i][1]);
	}
}

static void attack_for(unsigned int nr, unsigned long ms)
{
	long available, camera;
	struct totals before;
	pid_t storage, filming;
	unsigned int i;
	int ctl = ctl_open();

	area = ctl_area(ctl);
	prepare();
	REQUIRE(!write_file("/proc/self/oom_score_adj", "-1000"), "oom_score_adj");
	before = totals_now();
	available = area_sysfs("reserved/available_pages");
	camera = area_sysfs("camera/available_pages");

	storage = tap_start(store, &ctl);
	filming = tap_start(film, NULL);
	start_attackers(nr);
	/* These come first, and on a slow machine take much of the time */
	for (i = 0; nr == 1 && i < 600; i++) {
		if (worked[pin_kind.number] && worked[pin_file_kind.number])
			break;
		usleep(100000);
	}
	usleep(ms * 1000);
	kill_attackers();
	shared->stop = true;
	report(nr);
	tap_join(storage);
	tap_join(filming);

	/* Many of them leave each other little of it */
	REQUIRE(nr > 1 || shared->pins.before > area.nr_pages / 64,
		"%lu pages of the area were pinned", shared->pins.before);
	REQUIRE(shared->storage.count > ms / 100, "%lu allocations", shared->storage.count);
	REQUIRE(!shared->storage.failed, "%lu of %lu allocations failed", shared->storage.failed,
		shared->storage.count);
	REQUIRE(shared->storage.longest_us < LATENCY_US, "an allocation took %lu us",
		shared->storage.longest_us);
	REQUIRE(shared->camera.starts > 1, "the camera has started %lu times",
		shared->camera.starts);

	/* Sockets and pipes are freed a moment later, slabs only in part */
	write_file("/proc/sys/vm/drop_caches", "3");
	require_totals_but(&before, 8 * NOISE_KB);
	REQUIRE(area_sysfs("reserved/available_pages") == available, "%ld pages, %ld before",
		area_sysfs("reserved/available_pages"), available);
	REQUIRE(area_sysfs("camera/available_pages") == camera, "%ld pages, %ld before",
		area_sysfs("camera/available_pages"), camera);
	close(ctl);
}

TEST(alone, "storage and camera have their memory while one program attacks")
{
	attack_for(1, argument("attacker.seconds=", 20) * 400);
}

TEST(many, "storage and camera have their memory while 20 processes attack")
{
	attack_for(PROCESSES, argument("attacker.seconds=", 20) * 600);
}

TEST(after, "after the attacks all of the area is available in large buffers")
{
	size_t size = 4 * MIB, count = 0, expected;
	struct cma_ctl_alloc alloc;
	const struct kind *kind;
	int ctl = ctl_open();

	for (kind = first_kind; kind; kind = kind->next) {
		note("%s: %lu times", kind->name, worked[kind->number]);
		REQUIRE(worked[kind->number], "%s never works", kind->name);
	}

	area = ctl_area(ctl);
	expected = (area_sysfs("reserved/available_pages") -
		    area_sysfs("reserved/reserve_pages")) * PAGE / size;
	while (!ctl_alloc(ctl, &alloc, size, CMA_CTL_COHERENT))
		count++;
	/* What lives long in the area, or its reserve, may take a part of one */
	REQUIRE(count + 1 >= expected, "%zu buffers of %zu", count, expected);
}
