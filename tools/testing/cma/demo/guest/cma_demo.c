// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's part of make demo. Every line that it prints begins with "@".
 *
 * cma_demo where PFN COUNT ...	show what these page frames hold
 * cma_demo files PATH...	count pages of the files' page cache in the area
 * cma_demo data MIB SEED	write pseudo-random data to stdout
 * cma_demo process MIB		hold data, print its sum for each line of input
 * cma_demo buffers MIB...	allocate driver buffers, hold them until EOF
 * cma_demo share MIB		share a buffer with a second process and a device
 * cma_demo screen		show where the frame buffer is, draw colour bars
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cma_ctl.h"
#include "cma_importer.h"
#include "share.h"

#define PAGE		4096u
#define MIB		(1024u * 1024u)
#define AREA		"/sys/kernel/debug/cma/reserved/"

/* Bits of /proc/kpageflags and /proc/PID/pagemap */
#define KPF_LRU		0x20ULL
#define KPF_ANON	0x1000ULL
#define PM_PRESENT	0x8000000000000000ULL
#define PM_PFN		0x007fffffffffffffULL

#define BARS		8
#define BAR_HEIGHT	256u

static void die(const char *what)
{
	printf("@error %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		die(path);
	return fd;
}

static unsigned long number_of(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long n;

	if (!f || fscanf(f, "%lu", &n) != 1)
		die(path);
	fclose(f);
	return n;
}

static int in_area(uint64_t pfn)
{
	static unsigned long base, count;

	if (!count) {
		base = number_of(AREA "base_pfn");
		count = number_of(AREA "count");
	}
	return pfn >= base && pfn < base + count;
}

/* What a page frame holds: 1 page cache, 2 process data, 0 neither */
static int kind_of(uint64_t pfn)
{
	static int fd = -1;
	uint64_t flags;

	if (fd < 0)
		fd = open_or_die("/proc/kpageflags", O_RDONLY);
	if (pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) !=
	    sizeof(flags))
		die("/proc/kpageflags");
	return flags & KPF_LRU ? flags & KPF_ANON ? 2 : 1 : 0;
}

static int show_frames(int n, char **args)
{
	unsigned long file = 0, anon = 0, total = 0;
	uint64_t pfn, end;
	int i;

	for (i = 0; i + 1 < n; i += 2) {
		pfn = strtoull(args[i], NULL, 0);
		end = pfn + strtoull(args[i + 1], NULL, 0);
		for (; pfn < end; pfn++, total++) {
			file += kind_of(pfn) == 1;
			anon += kind_of(pfn) == 2;
		}
	}
	printf("@where file=%lu anon=%lu total=%lu\n", file, anon, total);
	return 0;
}

/* The page frame at an address of this process, or 0 */
static uint64_t frame_at(const void *addr)
{
	int fd = open_or_die("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)addr / PAGE *
		  sizeof(entry)) != sizeof(entry))
		die("/proc/self/pagemap");
	close(fd);
	return entry & PM_PRESENT ? entry & PM_PFN : 0;
}

/* Touch every page of a mapping, count those that are in the area */
static unsigned long pages_in_area(const char *map, size_t size)
{
	unsigned long found = 0;
	char byte = 0;
	size_t i;

	for (i = 0; i < size; i += PAGE) {
		byte ^= map[i];
		/* Keep the compiler from removing the access */
		asm volatile("" : : "r" (byte) : "memory");
		found += in_area(frame_at(map + i));
	}
	return found;
}

static int show_files(int n, char **args)
{
	struct stat st;
	void *map;
	int fd, i;

	for (i = 0; i < n; i++) {
		fd = open_or_die(args[i], O_RDONLY);
		if (fstat(fd, &st))
			die(args[i]);
		map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			die("mmap");
		printf("@file %s pages=%lu area=%lu\n", args[i],
		       (unsigned long)(st.st_size + PAGE - 1) / PAGE,
		       pages_in_area(map, st.st_size));
		munmap(map, st.st_size);
		close(fd);
	}
	return 0;
}

static uint64_t sum_of(const uint64_t *data, size_t size)
{
	uint64_t sum = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < size / sizeof(*data); i++)
		sum = (sum ^ data[i]) * 1099511628211ULL;
	return sum;
}

static void make_data(uint64_t *data, size_t size, unsigned int seed)
{
	uint64_t x = 88172645463325252ULL + seed;
	size_t i;

	for (i = 0; i < size / sizeof(*data); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = x;
	}
}

static int data(unsigned int mib, unsigned int seed)
{
	uint64_t *buf = malloc(MIB);

	if (!buf)
		die("malloc");
	for (; mib; mib--) {
		make_data(buf, MIB, seed * 1000 + mib);
		if (fwrite(buf, MIB, 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) ? 1 : 0;
}

static int hold_data(size_t size)
{
	uint64_t *data;
	char line[80];

	data = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		die("mmap");
	make_data(data, size, 0);
	while (fgets(line, sizeof(line), stdin)) {
		printf("@process pages=%zu area=%lu sum=%016llx\n", size / PAGE,
		       pages_in_area((char *)data, size),
		       (unsigned long long)sum_of(data, size));
		fflush(stdout);
	}
	return 0;
}

/* Allocate a buffer: is it contiguous, and did its pages hold data before? */
static void take_one(int fd, unsigned int mib, const char *data_before)
{
	struct cma_ctl_area area;
	struct cma_ctl_alloc req = { .size = mib * MIB };
	unsigned long held[3] = { 0, 0, 0 }, i;
	const char *inside;
	void *map;
	int fine;

	if (ioctl(fd, CMA_CTL_AREA, &area))
		die("CMA_CTL_AREA");
	if (ioctl(fd, CMA_CTL_ALLOC, &req)) {
		printf("@buffer mib=%u error=%s\n", mib, strerror(errno));
		return;
	}
	map = mmap(NULL, req.size, PROT_READ, MAP_SHARED, fd,
		   req.id * CMA_CTL_MMAP_STEP);
	/* Do its page tables map consecutive page frames? */
	fine = map != MAP_FAILED && !ioctl(fd, CMA_CTL_MAPPED, req.id);
	fine = fine && !ioctl(fd, CMA_CTL_FILL, req.id) &&
	       !ioctl(fd, CMA_CTL_CHECK, req.id);
	inside = in_area(req.pfn) && in_area(req.pfn + mib * MIB / PAGE - 1) ?
		 "yes" : "no";
	for (i = 0; in_area(req.pfn + i) && i < mib * MIB / PAGE; i++)
		held[(int)data_before[req.pfn + i - area.base_pfn]]++;
	printf("@buffer mib=%u pfn=%llu inside=%s contiguous=%s nonzero=%u file=%lu anon=%lu\n",
	       mib, (unsigned long long)req.pfn, inside, fine ? "yes" : "no",
	       req.nonzero, held[1], held[2]);
}

static int take(int n, char **args)
{
	int fd = open_or_die("/dev/cma_ctl", O_RDWR);
	struct cma_ctl_area area;
	char *data_before, line[80];
	unsigned long i;
	int b;

	if (ioctl(fd, CMA_CTL_AREA, &area))
		die("CMA_CTL_AREA");
	data_before = malloc(area.nr_pages);
	if (!data_before)
		die("malloc");
	for (b = 0; b < n; b++) {
		for (i = 0; i < area.nr_pages; i++)
			data_before[i] = kind_of(area.base_pfn + i);
		take_one(fd, atoi(args[b]), data_before);
	}
	printf("@buffers held\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}

/* Print what a process sees of a buffer that it has mapped */
static void say_share(const char *who, const void *data, size_t size)
{
	uint64_t sum = importer_sum(IMPORTER_SUM_INIT, data, size);

	printf("@share %s pid=%d bytes=%zu address=%#llx sum=%016llx\n", who,
	       getpid(), size, (unsigned long long)frame_at(data) * PAGE,
	       (unsigned long long)sum);
}

static void *map_share(int fd, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  0);

	if (data == MAP_FAILED)
		die("mmap of the buffer");
	return data;
}

static void show_bufinfo(const char *when)
{
	FILE *f = fopen(BUFINFO, "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (line[0] != '\n')
			printf("@bufinfo %s %s", when, line);
	if (f)
		fclose(f);
}

/* The process that receives the buffer and lets a device read it */
static int receive_share(int sock)
{
	struct importer_map map = { .dir = IMPORTER_READ };
	int device = open_or_die("/dev/cma_importer", O_RDWR);
	struct importer_sum sum;
	int fd = receive_fd(sock);
	off_t size = lseek(fd, 0, SEEK_END);

	if (size <= 0)
		die("no buffer received");
	say_share("receiver", map_share(fd, size), size);
	if (ioctl(device, IMPORTER_ATTACH, fd) ||
	    ioctl(device, IMPORTER_MAP, &map) ||
	    ioctl(device, IMPORTER_SUM, &sum))
		die("/dev/cma_importer");
	printf("@share device segments=%u bytes=%llu address=%#llx sum=%016llx\n",
	       map.nents, map.bytes, map.first_dma_addr, sum.sum);
	show_bufinfo("alive");
	return 0;
}

static int share(size_t size)
{
	const char *name = "/dev/dma_heap/default_cma_region";
	int heap, fd, status, sock[2];
	pid_t pid;
	void *data;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		die("socketpair");
	pid = fork();
	if (!pid)
		return receive_share(sock[1]);
	/* 6.1 names the heap after the area */
	if (access(name, F_OK))
		name = "/dev/dma_heap/reserved";
	heap = open_or_die(name, O_RDWR);
	fd = heap_alloc(heap, size, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, DMA_BUF_SET_NAME, "picture"))
		die(name);
	printf("@heap name=%s\n", name);
	data = map_share(fd, size);
	make_data(data, size, 9);
	say_share("sender", data, size);
	fflush(stdout);
	/* From here on only the receiver holds the buffer */
	if (send_fd(sock[0], fd) || munmap(data, size) || close(fd))
		die("send");
	if (waitpid(pid, &status, 0) != pid || status)
		return 1;
	show_bufinfo("gone");
	return 0;
}

struct screen {
	struct fb_fix_screeninfo fix;
	struct fb_var_screeninfo var;
	uint8_t *map;
};

static void open_screen(struct screen *s)
{
	int fd = open_or_die("/dev/fb0", O_RDWR);

	if (ioctl(fd, FBIOGET_FSCREENINFO, &s->fix) ||
	    ioctl(fd, FBIOGET_VSCREENINFO, &s->var))
		die("/dev/fb0");
	if (s->var.bits_per_pixel != 16) {
		errno = EINVAL;
		die("not 16 bits per pixel");
	}
	s->map = mmap(NULL, s->fix.smem_len, PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (s->map == MAP_FAILED)
		die("mmap /dev/fb0");
	close(fd);
}

static uint16_t *row(const struct screen *s, unsigned int y)
{
	return (uint16_t *)(s->map + y * s->fix.line_length);
}

/* A colour with each component at 0 or maximum, in the driver's pixel format */
static uint16_t colour(const struct screen *s, int red, int green, int blue)
{
	const struct fb_var_screeninfo *v = &s->var;

	return (red ? ((1u << v->red.length) - 1) << v->red.offset : 0) |
	       (green ? ((1u << v->green.length) - 1) << v->green.offset : 0) |
	       (blue ? ((1u << v->blue.length) - 1) << v->blue.offset : 0);
}

static int draw(void)
{
	unsigned int x, y, y0, bar;
	struct screen s;

	open_screen(&s);
	y0 = s.var.yres - BAR_HEIGHT;
	for (y = y0; y < s.var.yres; y++) {
		for (x = 0; x < s.var.xres; x++) {
			bar = 7 - x * BARS / s.var.xres;
			row(&s, y)[x] = colour(&s, bar & 2, bar & 4, bar & 1);
		}
	}
	/* The visible pixels are the first ones, without gaps between lines */
	if (s.var.xoffset || s.var.yoffset ||
	    s.fix.line_length != 2 * s.var.xres) {
		errno = EINVAL;
		die("layout of the frame buffer");
	}
	printf("@screen start=%#lx size=%u visible=%u width=%u height=%u bars=%u ",
	       s.fix.smem_start, s.fix.smem_len,
	       s.fix.line_length * s.var.yres, s.var.xres, s.var.yres, y0);
	printf("red=%u/%u green=%u/%u blue=%u/%u\n", s.var.red.offset,
	       s.var.red.length, s.var.green.offset,
	       s.var.green.length, s.var.blue.offset, s.var.blue.length);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "where"))
		return show_frames(argc - 2, argv + 2);
	if (!strcmp(what, "files"))
		return show_files(argc - 2, argv + 2);
	if (!strcmp(what, "data") && argc == 4)
		return data(atoi(argv[2]), atoi(argv[3]));
	if (!strcmp(what, "process") && argc == 3)
		return hold_data(atoi(argv[2]) * (size_t)MIB);
	if (!strcmp(what, "buffers"))
		return take(argc - 2, argv + 2);
	if (!strcmp(what, "share") && argc == 3)
		return share(atoi(argv[2]) * (size_t)MIB);
	if (!strcmp(what, "screen"))
		return draw();
	errno = EINVAL;
	die("cma_demo");
	return 1;
}
