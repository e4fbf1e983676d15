// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs of the mem2mem test driver, and what can happen while one runs: the stream
 * stops, the process is killed, the driver is unbound, the format changes.
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "video.h"

#include <time.h>

#define WIDTH	64
#define HEIGHT	64
#define SIZE	(WIDTH * HEIGHT * 2)
#define COUNT	3

/* The driver's own controls; where they begin depends on the kernel */
enum { MSEC_OF_JOB, BUFFERS_OF_JOB };

/* Long enough that the job is still running at the next step */
#define LONG_JOB	400

struct m2m {
	int node, heap;
	int in[COUNT], out[COUNT];
	__u8 *src[COUNT], *dst[COUNT];
};

static void set_control(int node, __u32 which, __s32 value)
{
	struct v4l2_control old = {
		.id = V4L2_CID_PRIVATE_BASE + which, .value = value,
	}, new = {
		.id = V4L2_CID_USER_BASE + 0x1000 + which, .value = value,
	};

	REQUIRE(!ioctl(node, VIDIOC_S_CTRL, &old) ||
		!ioctl(node, VIDIOC_S_CTRL, &new), "S_CTRL: %s",
		strerror(errno));
}

/* One side of an instance; all its buffers, from a heap, are queued. */
static void create_side(struct m2m *m2m, __u32 type, int *fds, __u8 **mem)
{
	int i;

	must_request(m2m->node, type, V4L2_MEMORY_DMABUF, COUNT);
	for (i = 0; i < COUNT; i++) {
		fds[i] = new_buffer(m2m->heap, SIZE);
		mem[i] = map_buffer(fds[i], SIZE);
		fill_pages(mem[i], SIZE, type + i);
		must_queue(m2m->node, type, V4L2_MEMORY_DMABUF, i, fds[i]);
	}
}

static void m2m_start(struct m2m *m2m)
{
	stream(m2m->node, OUTPUT, true);
	stream(m2m->node, CAPTURE, true);
}

/* COUNT buffers on each side, and jobs that take some time. */
static void m2m_create(struct m2m *m2m, unsigned int msec)
{
	m2m->heap = heap_open_cma();
	m2m->node = m2m_open(WIDTH, HEIGHT);
	set_control(m2m->node, MSEC_OF_JOB, msec);
	create_side(m2m, OUTPUT, m2m->in, m2m->src);
	create_side(m2m, CAPTURE, m2m->out, m2m->dst);
}

/* The node may be closed already. */
static void m2m_destroy(struct m2m *m2m)
{
	int i;

	for (i = 0; i < COUNT; i++) {
		munmap(m2m->src[i], SIZE);
		munmap(m2m->dst[i], SIZE);
		close(m2m->in[i]);
		close(m2m->out[i]);
	}
	close(m2m->heap);
}

/* The next pair of buffers: input @in became output @out. */
static void require_job(struct m2m *m2m, __u32 in, __u32 out)
{
	struct v4l2_buffer b = must_dequeue(m2m->node, CAPTURE,
					    V4L2_MEMORY_DMABUF);

	REQUIRE(b.index == out, "output %u", b.index);
	b = must_dequeue(m2m->node, OUTPUT, V4L2_MEMORY_DMABUF);
	REQUIRE(b.index == in, "input %u", b.index);
	REQUIRE(m2m_processed(m2m->src[in], m2m->dst[out], SIZE),
		"input %u is not in output %u", in, out);
}

/* All buffers, in order. */
static void require_jobs(struct m2m *m2m)
{
	__u32 i;

	for (i = 0; i < COUNT; i++)
		require_job(m2m, i, i);
}

static void queue_again(struct m2m *m2m, __u32 type, const int *fds)
{
	int i;

	for (i = 0; i < COUNT; i++)
		must_queue(m2m->node, type, V4L2_MEMORY_DMABUF, i, fds[i]);
}

static unsigned int msec_now(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

TEST(jobs, "every input becomes an output, in order")
{
	struct totals before = totals_now();
	struct m2m m2m;

	m2m_create(&m2m, 10);
	m2m_start(&m2m);
	require_jobs(&m2m);
	close(m2m.node);
	m2m_destroy(&m2m);
	require_totals(&before);
}

/* Stop one side while a job runs; its buffers are not used after that. */
static void check_stop(__u32 type)
{
	struct totals before = totals_now();
	unsigned int start, took;
	struct m2m m2m;

	m2m_create(&m2m, LONG_JOB);
	start = msec_now();
	m2m_start(&m2m);
	stream(m2m.node, type, false);
	took = msec_now() - start;
	REQUIRE(took > LONG_JOB / 2, "it did not wait for the job: %u ms", took);
	stream(m2m.node, type == OUTPUT ? CAPTURE : OUTPUT, false);

	/* other buffers take their place */
	must_request(m2m.node, CAPTURE, V4L2_MEMORY_DMABUF, COUNT);
	must_request(m2m.node, OUTPUT, V4L2_MEMORY_DMABUF, COUNT);
	set_control(m2m.node, MSEC_OF_JOB, 10);
	queue_again(&m2m, CAPTURE, m2m.out);
	queue_again(&m2m, OUTPUT, m2m.in);
	m2m_start(&m2m);
	require_jobs(&m2m);
	close(m2m.node);
	m2m_destroy(&m2m);
	require_totals(&before);
}

TEST(stop_capture, "stopping the capture stream waits for the job")
{
	check_stop(CAPTURE);
}

TEST(stop_output, "stopping the output stream waits for the job")
{
	check_stop(OUTPUT);
}

TEST(stop_one, "the other stream continues where it was")
{
	struct v4l2_buffer b;
	struct m2m m2m;

	m2m_create(&m2m, LONG_JOB);
	m2m_start(&m2m);
	stream(m2m.node, CAPTURE, false);
	/* the first job was finished */
	b = must_dequeue(m2m.node, OUTPUT, V4L2_MEMORY_DMABUF);
	REQUIRE(b.index == 0, "input %u", b.index);
	set_control(m2m.node, MSEC_OF_JOB, 10);
	must_queue(m2m.node, CAPTURE, V4L2_MEMORY_DMABUF, 2, m2m.out[2]);
	stream(m2m.node, CAPTURE, true);
	require_job(&m2m, 1, 2);
}

TEST(stop_waiting, "a stream can be stopped while the job of another one runs")
{
	struct totals before = totals_now();
	struct m2m first, second;
	unsigned int start;

	m2m_create(&first, LONG_JOB);
	m2m_create(&second, 10);
	m2m_start(&first);
	m2m_start(&second);
	start = msec_now();
	stream(second.node, CAPTURE, false);
	REQUIRE(msec_now() - start < LONG_JOB / 2, "it waited for the other job");
	queue_again(&second, CAPTURE, second.out);
	stream(second.node, CAPTURE, true);
	require_job(&first, 0, 0);
	require_jobs(&second);
	close(first.node);
	close(second.node);
	m2m_destroy(&first);
	m2m_destroy(&second);
	require_totals(&before);
}

TEST(closed, "a job ends before the buffers of a closed node are freed")
{
	struct totals before = totals_now();
	struct m2m m2m;
	int i;

	for (i = 0; i < 5; i++) {
		m2m_create(&m2m, 50);
		m2m_start(&m2m);
		usleep(7000 * i);
		close(m2m.node);
		m2m_destroy(&m2m);
	}
	require_totals(&before);
}

static void process_for_ever(void *unused)
{
	struct m2m m2m;

	(void)unused;
	m2m_create(&m2m, 10);
	m2m_start(&m2m);
	for (;;) {
		struct v4l2_buffer b = must_dequeue(m2m.node, CAPTURE,
						    V4L2_MEMORY_DMABUF);

		must_queue(m2m.node, CAPTURE, V4L2_MEMORY_DMABUF, b.index, b.m.fd);
		b = must_dequeue(m2m.node, OUTPUT, V4L2_MEMORY_DMABUF);
		must_queue(m2m.node, OUTPUT, V4L2_MEMORY_DMABUF, b.index, b.m.fd);
	}
}

TEST(killed, "a process that is killed while a job runs leaks no memory")
{
	struct totals before = totals_now();
	int i;

	for (i = 0; i < 10; i++) {
		pid_t pid = tap_start(process_for_ever, NULL);

		usleep(100000 + 3700 * i);
		REQUIRE(!waitpid(pid, NULL, WNOHANG), "it ended by itself");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	require_totals(&before);
}

TEST(job_length, "a job of more or fewer buffers than there are ends with the last one")
{
	struct m2m m2m;
	int i;

	if (is_vim2m())
		skip("the driver works with buffers that it does not have");
	m2m_create(&m2m, 50);
	m2m_start(&m2m);
	set_control(m2m.node, BUFFERS_OF_JOB, COUNT + 1);
	for (i = 0; i < COUNT; i++)
		require_job(&m2m, i, i);
	set_control(m2m.node, BUFFERS_OF_JOB, COUNT);
	queue_again(&m2m, OUTPUT, m2m.in);
	queue_again(&m2m, CAPTURE, m2m.out);
	require_job(&m2m, 0, 0);
	set_control(m2m.node, BUFFERS_OF_JOB, 1);
	require_job(&m2m, 1, 1);
	require_job(&m2m, 2, 2);
}

/*
 * All instances share the format. Only the first bytes of large buffers are used,
 * so that a write beyond them is detected.
 */
TEST(other_format, "nothing is written beyond a buffer when the format becomes larger")
{
	int heap = heap_open_cma(), m2m = m2m_open(WIDTH, HEIGHT);
	int other = video_open(is_m2m, 0), in, out;
	size_t size = 4 * SIZE, behind = size - SIZE;
	__u8 *dst;

	set_control(m2m, MSEC_OF_JOB, 10);
	in = new_buffer(heap, size);
	out = new_buffer(heap, size);
	dst = map_buffer(out, size);
	fill_pages(dst + SIZE, behind, 1);
	must_request(m2m, OUTPUT, V4L2_MEMORY_DMABUF, 1);
	must_request(m2m, CAPTURE, V4L2_MEMORY_DMABUF, 1);
	REQUIRE(!queue(m2m, OUTPUT, V4L2_MEMORY_DMABUF, 0, in, SIZE) &&
		!queue(m2m, CAPTURE, V4L2_MEMORY_DMABUF, 0, out, SIZE), "%s",
		strerror(errno));
	set_format(other, OUTPUT, V4L2_PIX_FMT_RGB565X, 2 * WIDTH, 2 * HEIGHT);
	set_format(other, CAPTURE, V4L2_PIX_FMT_RGB565X, 2 * WIDTH, 2 * HEIGHT);
	stream(m2m, OUTPUT, true);
	stream(m2m, CAPTURE, true);
	must_dequeue(m2m, CAPTURE, V4L2_MEMORY_DMABUF);
	REQUIRE(first_wrong(dst + SIZE, behind, 1) < 0, "page %ld was written to",
		first_wrong(dst + SIZE, behind, 1));
}

/* Write the device to a file of its driver, v3.1's or 6.1's. */
static void driver(const char *file)
{
	static const char * const names[] = { "m2m-testdev", "vim2m" };
	char path[64], device[16];
	int ret = -ENOENT;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names) && ret == -ENOENT; i++) {
		snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s",
			 names[i], file);
		snprintf(device, sizeof(device), "%s.0", names[i]);
		ret = write_file(path, device);
	}
	REQUIRE(!ret, "%s: %s", file, strerror(-ret));
}

static void driver_goes(void)
{
	driver("unbind");
}

static void driver_comes(void)
{
	driver("bind");
}

TEST(unbind_exported, "a driver can be unbound while its buffers are in use")
{
	struct totals before = totals_now();
	int node, fd, i;
	void *mem;

	need_contiguous(is_m2m);
	for (i = 0; i < 3; i++) {
		node = m2m_open(WIDTH, HEIGHT);
		must_request(node, CAPTURE, V4L2_MEMORY_MMAP, COUNT);
		fd = must_export(node, CAPTURE, 0);
		mem = map_buffer(fd, SIZE);
		close(node);
		fill_pages(mem, SIZE, i);
		driver_goes();
		REQUIRE(first_wrong(mem, SIZE, i) < 0, "bytes");
		munmap(mem, SIZE);
		driver_comes();

		/* the newly bound driver can still use it */
		node = m2m_open(WIDTH, HEIGHT);
		must_request(node, OUTPUT, V4L2_MEMORY_DMABUF, 1);
		must_queue(node, OUTPUT, V4L2_MEMORY_DMABUF, 0, fd);
		close(node);
		close(fd);
		require_totals(&before);
	}
}

TEST(unbind_running, "a driver can be unbound while a job runs, and bound again")
{
	struct totals before = totals_now();
	struct v4l2_buffer b;
	struct m2m old, new;
	int i, ret;

	if (is_vim2m())
		skip("the driver works on when it is gone");
	for (i = 0; i < 2; i++) {
		m2m_create(&old, LONG_JOB);
		m2m_start(&old);
		driver_goes();
		ret = queue(old.node, OUTPUT, V4L2_MEMORY_DMABUF, 0, old.in[0], 0);
		REQUIRE(ret == -ENODEV, "QBUF: %s", strerror(-ret));
		ret = dequeue(old.node, OUTPUT, V4L2_MEMORY_DMABUF, &b);
		REQUIRE(ret == -ENODEV, "DQBUF: %s", strerror(-ret));
		ret = export_plane(old.node, CAPTURE, 0, 0, 0);
		REQUIRE(ret == -ENODEV, "EXPBUF: %s", strerror(-ret));
		if (i)
			usleep(2 * LONG_JOB * 1000);
		driver_comes();

		m2m_create(&new, 10);
		close(old.node);
		m2m_start(&new);
		require_job(&new, 0, 0);
		close(new.node);
		m2m_destroy(&old);
		m2m_destroy(&new);
		require_totals(&before);
	}
}

/* Buffers of this heap are contiguous only for devices that need it. */
TEST(unbind_limits, "the limits of a device survive the close of an old node")
{
	int old, node, heap = system_heap();
	const __u32 width = 640, height = 480;	/* too many pages to be contiguous by chance */

	need_contiguous(is_m2m);
	old = m2m_open(width, height);
	driver_goes();
	driver_comes();
	node = m2m_open(width, height);
	close(old);
	must_request(node, OUTPUT, V4L2_MEMORY_DMABUF, 1);
	must_queue(node, OUTPUT, V4L2_MEMORY_DMABUF, 0,
		   new_buffer(heap, width * height * 2));
}
