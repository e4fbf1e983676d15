// SPDX-License-Identifier: GPL-2.0
/*
 * The answers of /dev/dma_heap and of buffer descriptors to right and wrong
 * arguments. All of this is the ABI of every kernel that has heaps, and this
 * program passes on an unmodified v6.1, too.
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/utsname.h>

/* An ioctl of heaps with any number and size. */
#define HEAP_IOC(nr, size) _IOC(_IOC_READ | _IOC_WRITE, DMA_HEAP_IOC_MAGIC, \
				nr, size)

/* The errno of a call that must fail; 0 if it did not. */
static int error_of(long ret)
{
	return ret == -1 ? errno : 0;
}

/* Is this kernel of the series @major.x or of a later one? */
static bool kernel_is(int major)
{
	struct utsname name;

	return !uname(&name) && atoi(name.release) >= major;
}

static void check_alloc(int heap)
{
	struct dma_heap_allocation_data data = {
		.len = MIB, .fd_flags = O_RDWR | O_CLOEXEC,
	};

	REQUIRE(!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), "%s",
		strerror(errno));
	REQUIRE((int)data.fd > heap, "descriptor %d", (int)data.fd);
	REQUIRE(data.len == MIB && data.fd_flags == (O_RDWR | O_CLOEXEC) &&
		!data.heap_flags, "the other fields have changed");
	REQUIRE(!close(data.fd), "%s", strerror(errno));
}

TEST(alloc, "every heap allocates buffers")
{
	each_heap(check_alloc);
}

static void check_readonly_node(int heap)
{
	char path[64];
	int fd, node;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", heap);
	node = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(node >= 0, "%s", strerror(errno));
	fd = new_buffer(node, PAGE);
	close(node);
	memset(map_buffer(fd, PAGE), 1, PAGE);
	close(fd);
}

TEST(readonly_node, "a heap that is open for reading allocates buffers, too")
{
	each_heap(check_readonly_node);
}

static void check_sizes(int heap)
{
	static const struct {
		size_t len, size;
	} sizes[] = {
		{ 1, PAGE }, { PAGE - 1, PAGE }, { PAGE, PAGE },
		{ PAGE + 1, 2 * PAGE }, { 3 * PAGE, 3 * PAGE },
		{ 100001, 25 * PAGE }, { MIB + 1, MIB + PAGE },
	};
	unsigned int i;
	off64_t size;
	int fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fd = new_buffer(heap, sizes[i].len);
		size = lseek64(fd, 0, SEEK_END);
		REQUIRE(size == sizes[i].size, "%zu bytes: the end is at %lld",
			sizes[i].len, (long long)size);
		map_buffer(fd, sizes[i].size);
		close(fd);
	}
}

TEST(sizes, "a buffer has whole pages, and lseek() returns its size")
{
	each_heap(check_sizes);
}

static void check_zero(int heap)
{
	unsigned int round, i;
	char *mem;
	int fd;

	for (round = 0; round < 8; round++) {
		for (i = PAGE; i <= MIB; i *= 4) {
			fd = new_buffer(heap, i);
			mem = map_buffer(fd, i);
			REQUIRE(is_zero(mem, i), "%u bytes in round %u", i,
				round);
			memset(mem, 0xa5, i);
			munmap(mem, i);
			close(fd);
		}
	}
}

TEST(zero, "memory is zero, even if other buffers used it before")
{
	each_heap(check_zero);
}

static void check_fd_flags(int heap)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int i, cloexec;

	for (i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
		int fd;

		cloexec = i & 1 ? O_CLOEXEC : 0;
		fd = heap_alloc(heap, PAGE, modes[i / 2] | cloexec);
		REQUIRE(fd >= 0, "mode %d: %s", modes[i / 2], strerror(-fd));
		REQUIRE((fcntl(fd, F_GETFL) & O_ACCMODE) == modes[i / 2],
			"mode %d: F_GETFL %#x", modes[i / 2],
			fcntl(fd, F_GETFL));
		REQUIRE(fcntl(fd, F_GETFD) == (cloexec ? FD_CLOEXEC : 0),
			"F_GETFD %#x", fcntl(fd, F_GETFD));
		close(fd);
	}
}

TEST(fd_flags, "O_CLOEXEC and the access mode are as requested")
{
	each_heap(check_fd_flags);
}

static void check_bad_data(int heap)
{
	static const struct dma_heap_allocation_data bad[] = {
		{ .len = 0 },
		{ .len = 0xfffff001 },
		{ .len = 0xffffffff },
		{ .len = PAGE, .fd = 1 },
		{ .len = PAGE, .fd = -1 },
		{ .len = PAGE, .fd_flags = O_ACCMODE + 1 },
		{ .len = PAGE, .fd_flags = O_NONBLOCK },
		{ .len = PAGE, .fd_flags = O_APPEND | O_RDWR },
		{ .len = PAGE, .fd_flags = 1u << 31 },
		{ .len = PAGE, .fd_flags = -1 },
		{ .len = PAGE, .heap_flags = 1 },
		{ .len = PAGE, .heap_flags = 1ULL << 32 },
		{ .len = PAGE, .heap_flags = -1ULL },
	};
	int next = lowest_fd();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dma_heap_allocation_data data = bad[i];
		int error = error_of(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data));

		REQUIRE(error == EINVAL, "row %u: %s", i,
			strerror(error));
		REQUIRE(!memcmp(&data, &bad[i], sizeof(data)),
			"row %u: the struct has changed", i);
	}
	REQUIRE(lowest_fd() == next, "a descriptor is left");
}

TEST(bad_data, "invalid lengths, flags and descriptors fail with EINVAL")
{
	each_heap(check_bad_data);
}

/* Two pages of memory; the second one is not accessible. */
static char *half_mapped(void)
{
	char *mem = map_anon(2 * PAGE);

	REQUIRE(mem, "no memory");
	REQUIRE(!mprotect(mem + PAGE, PAGE, PROT_NONE), "%s", strerror(errno));
	return mem;
}

static void check_bad_pointer(int heap)
{
	struct dma_heap_allocation_data good = { .len = PAGE };
	struct totals before = totals_now();
	char *mem = half_mapped();
	void *bad[] = {
		NULL, (void *)8, mem + PAGE, mem + PAGE - sizeof(good) / 2,
		(void *)0xf0000000, (void *)-PAGE, (void *)-8,
	};
	int next = lowest_fd();
	unsigned int i;
	int error;

	memcpy(mem + PAGE - sizeof(good) / 2, &good, sizeof(good) / 2);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		error = error_of(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, bad[i]));
		REQUIRE(error == EFAULT, "pointer %p: %s", bad[i],
			strerror(error));
	}
	REQUIRE(lowest_fd() == next, "a descriptor is left");
	require_totals(&before);
	munmap(mem, 2 * PAGE);
}

TEST(bad_pointer, "an argument that cannot be read fails with EFAULT")
{
	each_heap(check_bad_pointer);
}

static void check_numbers(int heap)
{
	struct dma_heap_allocation_data data = { .len = PAGE };
	int next = lowest_fd();
	unsigned int nr;
	int error;

	for (nr = 1; nr < 256; nr++) {
		error = error_of(ioctl(heap, HEAP_IOC(nr, sizeof(data)), &data));
		REQUIRE(error == EINVAL, "number %u: %s", nr, strerror(error));
	}
	REQUIRE(lowest_fd() == next, "a descriptor is left");
}

TEST(numbers, "an ioctl of heaps that does not exist fails with EINVAL")
{
	each_heap(check_numbers);
}

static void check_struct_sizes(int heap)
{
	union {
		struct dma_heap_allocation_data data;
		char bytes[256];
	} arg;
	unsigned int size;
	int ret;

	/* a smaller struct has no room for the descriptor */
	for (size = 12; size <= sizeof(arg); size += 4) {
		memset(&arg, 0, sizeof(arg));
		arg.data.len = PAGE;
		arg.data.fd_flags = O_CLOEXEC;
		ret = ioctl(heap, HEAP_IOC(0, size), &arg);
		REQUIRE(!ret, "size %u: %s", size, strerror(errno));
		REQUIRE(lseek(arg.data.fd, 0, SEEK_END) == PAGE,
			"size %u: no buffer", size);
		REQUIRE(fcntl(arg.data.fd, F_GETFD) ==
			(size < 16 ? 0 : FD_CLOEXEC),
			"size %u: flags that are not there", size);
		close(arg.data.fd);
	}
	REQUIRE(ioctl(heap, HEAP_IOC(0, 0), &arg) == -1 && errno == EINVAL,
		"no struct: %s", strerror(errno));
}

TEST(struct_sizes, "a struct of another size is used as far as it goes")
{
	each_heap(check_struct_sizes);
}

static void check_node(int heap)
{
	char byte = 0;
	void *mem;

	REQUIRE(error_of(read(heap, &byte, 1)) == EINVAL, "read");
	REQUIRE(error_of(write(heap, &byte, 1)) == EINVAL, "write");
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, heap, 0);
	REQUIRE(mem == MAP_FAILED && errno == ENODEV, "mmap: %s",
		strerror(errno));
}

TEST(node, "a heap itself cannot be read, written or mapped")
{
	each_heap(check_node);
}

static void check_lseek(int heap)
{
	static const struct {
		off64_t offset;
		int whence;
		off64_t result;	/* or a negative errno */
	} rows[] = {
		{ 0, SEEK_SET, 0 }, { 0, SEEK_END, 3 * PAGE },
		{ 0, SEEK_SET, 0 },
		{ 0, SEEK_CUR, -EINVAL }, { 0, 3, -EINVAL }, { 0, 4, -EINVAL },
		{ 0, 5, -EINVAL }, { 0, 99, -EINVAL }, { 0, -1, -EINVAL },
		{ 1, SEEK_SET, -EINVAL }, { PAGE, SEEK_SET, -EINVAL },
		{ -1, SEEK_SET, -EINVAL }, { 1, SEEK_END, -EINVAL },
		{ -1, SEEK_END, -EINVAL }, { PAGE, SEEK_CUR, -EINVAL },
		{ 1LL << 32, SEEK_SET, -EINVAL }, { 1LL << 32, SEEK_END, -EINVAL },
		{ INT64_MAX, SEEK_END, -EINVAL }, { INT64_MIN, SEEK_SET, -EINVAL },
	};
	int fd = new_buffer(heap, 3 * PAGE);
	unsigned int i;
	off64_t result;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		result = lseek64(fd, rows[i].offset, rows[i].whence);
		if (result == -1)
			result = -errno;
		REQUIRE(result == rows[i].result, "row %u: %lld", i,
			(long long)result);
	}
	close(fd);
}

TEST(seek, "lseek() accepts the start and the end of a buffer, nothing else")
{
	each_heap(check_lseek);
}

static void check_sync(int heap)
{
	static const __u64 good[] = {
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ,
		DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ,
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE,
		DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE,
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
		DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW,
	};
	static const __u64 bad[] = {
		0, DMA_BUF_SYNC_END, 8, 8 | DMA_BUF_SYNC_RW, 1u << 31,
		1ULL << 32 | DMA_BUF_SYNC_READ, 1ULL << 63 | DMA_BUF_SYNC_RW,
		-1ULL, ~(__u64)DMA_BUF_SYNC_VALID_FLAGS_MASK,
	};
	int fd = new_buffer(heap, MIB);
	char *mem = map_buffer(fd, MIB);
	unsigned int i;
	int ret;

	fill_pages(mem, MIB, 1);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ret = sync_buffer(fd, good[i]);
		REQUIRE(!ret, "flags %#llx: %s", good[i], strerror(-ret));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = sync_buffer(fd, bad[i]);
		REQUIRE(ret == -EINVAL, "flags %#llx: %s", bad[i],
			strerror(-ret));
	}
	/* begin and end need not come in pairs */
	for (i = 0; i < 3; i++)
		REQUIRE(!sync_buffer(fd, good[1]) && !sync_buffer(fd, good[4]),
			"again: %s", strerror(errno));
	REQUIRE(first_wrong(mem, MIB, 1) < 0, "page %ld has changed",
		first_wrong(mem, MIB, 1));
	munmap(mem, MIB);
	close(fd);
}

TEST(sync, "DMA_BUF_IOCTL_SYNC accepts the defined flags only")
{
	each_heap(check_sync);
}

/* Does the kernel's file have this line? */
static bool shows(const char *path, const char *line)
{
	static char text[65536];
	const char *found = text;
	size_t len = strlen(line);

	read_file(path, text, sizeof(text));
	for (; (found = strstr(found, line)); found++)
		if ((found == text || found[-1] == '\n') && found[len] == '\n')
			return true;
	return false;
}

/*
 * The line of bufinfo about the buffer with this name: is it of this size and
 * from this exporter? Fields are separated by tabs.
 */
static bool in_bufinfo(const char *name, size_t size, const char *exporter)
{
	char line[256], field[7][64];
	bool found = false;
	FILE *f;

	f = fopen(BUFINFO, "r");
	REQUIRE(f, "%s: %s", BUFINFO, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s\t%63s\t%63s\t%63s\t%63s\t%63s\t%63s",
			   field[0], field[1], field[2], field[3], field[4],
			   field[5], field[6]) != 7 || strcmp(field[6], name))
			continue;
		found = strtoul(field[0], NULL, 10) == size &&
			!strcmp(field[4], exporter);
	}
	fclose(f);
	return found;
}

static bool has_name(int fd, const char *name)
{
	char path[64], line[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(line, sizeof(line), "name:\t%s", name);
	return shows(path, line);
}

static void check_name(int heap)
{
	static const char longest[] = "0123456789abcdefghijklmnopqrstu";
	static const char too_long[] = "0123456789abcdefghijklmnopqrstuv";
	char *end = half_mapped() + PAGE;
	void *bad[] = { NULL, (void *)8, end, (void *)0xf0000000 };
	int fd = new_buffer(heap, 2 * PAGE);
	char name[DMA_BUF_NAME_LEN];
	unsigned int i;
	int error;

	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME_A, "first"), "%s", strerror(errno));
	REQUIRE(has_name(fd, "first"), "no name in fdinfo");
	REQUIRE(in_bufinfo("first", 2 * PAGE, tap_about), "not in bufinfo");
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME_B, "second"), "%s", strerror(errno));
	REQUIRE(has_name(fd, "second"), "another name in fdinfo");
	REQUIRE(!in_bufinfo("first", 2 * PAGE, tap_about), "the old name");
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, longest), "%s", strerror(errno));
	REQUIRE(has_name(fd, longest), "another name in fdinfo");
	error = error_of(ioctl(fd, DMA_BUF_SET_NAME, too_long));
	REQUIRE(error == EINVAL, "too long: %s", strerror(error));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		error = error_of(ioctl(fd, DMA_BUF_SET_NAME, bad[i]));
		REQUIRE(error == EFAULT, "pointer %p: %s", bad[i],
			strerror(error));
	}
	memcpy(end - 3, "abc", 3);
	error = error_of(ioctl(fd, DMA_BUF_SET_NAME, end - 3));
	REQUIRE(error == EFAULT, "no end: %s", strerror(error));
	REQUIRE(has_name(fd, longest), "a call that failed changed the name");
	snprintf(name, sizeof(name), "of-%.20s", tap_about);
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, name), "%s", strerror(errno));
	REQUIRE(in_bufinfo(name, 2 * PAGE, tap_about), "not in bufinfo");
	close(fd);
	REQUIRE(!in_bufinfo(name, 2 * PAGE, tap_about), "still in bufinfo");
	munmap(end - PAGE, 2 * PAGE);
}

TEST(bufinfo, "bufinfo ends, with one line of totals, however it is read")
{
	static char text[65536];
	int fd = open(BUFINFO, O_RDONLY), size, totals;
	size_t len, chunk;
	char *found;

	REQUIRE(fd >= 0, "%s: %s", BUFINFO, strerror(errno));
	for (chunk = 1; chunk <= 64; chunk *= 4) {
		REQUIRE(!lseek(fd, 0, SEEK_SET), "%s", strerror(errno));
		len = 0;
		totals = 0;
		while (len < sizeof(text) - chunk - 1 &&
		       (size = read(fd, text + len, chunk)) > 0)
			len += size;
		text[len] = 0;
		for (found = text; (found = strstr(found, " bytes\n")); found++)
			totals++;
		REQUIRE(totals == 1, "reads of %zu: %d totals in %zu bytes",
			chunk, totals, len);
	}
	close(fd);
}

TEST(name, "DMA_BUF_SET_NAME sets the name that fdinfo and bufinfo show")
{
	each_heap(check_name);
}

static void check_fdinfo(int heap)
{
	int fd = new_buffer(heap, 5 * PAGE);
	char path[64], line[300], text[1024];
	int other;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(line, sizeof(line), "exp_name:\t%s", tap_about);
	REQUIRE(shows(path, line), "%s", line);
	REQUIRE(shows(path, "size:\t20480"), "size");
	REQUIRE(shows(path, "count:\t1"), "count");
	read_file(path, text, sizeof(text));
	REQUIRE(strstr(text, "pos:\t0\n") == text, "pos");
	REQUIRE(strstr(text, "\nflags:\t0"), "flags");
	REQUIRE(!strstr(text, "\nname:"), "a name that it was not given");
	other = dup(fd);
	REQUIRE(shows(path, "count:\t2"), "count of two descriptors");
	close(other);
	REQUIRE(shows(path, "count:\t1"), "count after one was closed");
	close(fd);
}

TEST(fdinfo, "fdinfo shows size, users and exporter of a buffer")
{
	each_heap(check_fdinfo);
}

static void check_buffer_ioctls(int heap)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ };
	const unsigned long numbers[] = {
		_IO(DMA_BUF_BASE, 99), _IO(DMA_BUF_BASE, 0),
		_IOW(DMA_BUF_BASE, 0, __u32), _IOR(DMA_BUF_BASE, 0, __u64),
		_IOWR(DMA_BUF_BASE, 0, __u64), _IOW(DMA_BUF_BASE, 1, __u8),
		_IOW(DMA_BUF_BASE, 255, __u64), _IOW('c', 0, __u64),
		DMA_HEAP_IOCTL_ALLOC, 0, -1ul,
	};
	int fd = new_buffer(heap, PAGE);
	char *end = half_mapped() + PAGE;
	void *bad[] = { NULL, end, end - 4, (void *)0xf0000000 };
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		error = error_of(ioctl(fd, numbers[i], &sync));
		REQUIRE(error == ENOTTY, "ioctl %#lx: %s", numbers[i],
			strerror(error));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		error = error_of(ioctl(fd, DMA_BUF_IOCTL_SYNC, bad[i]));
		REQUIRE(error == EFAULT, "pointer %p: %s", bad[i],
			strerror(error));
	}
	munmap(end - PAGE, 2 * PAGE);
	close(fd);
}

TEST(buffer_ioctls, "unknown ioctls of buffers fail with ENOTTY, bad pointers with EFAULT")
{
	each_heap(check_buffer_ioctls);
}

/*
 * A kernel without sync files has none to return. On others, the fences of a heap's
 * buffer have all been signaled.
 */
static void check_sync_files(int heap)
{
	int fd = new_buffer(heap, PAGE), error;
	struct dma_buf_export_sync_file out = { .flags = DMA_BUF_SYNC_RW, .fd = -1 };
	struct dma_buf_import_sync_file in = { .flags = DMA_BUF_SYNC_RW, .fd = fd };
	struct pollfd event = { .events = POLLIN };

	if (!kernel_is(6)) {
		error = error_of(ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &out));
		REQUIRE(error == ENOTTY && out.fd == -1, "export: %s, %d",
			strerror(error), out.fd);
		error = error_of(ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in));
		REQUIRE(error == ENOTTY, "import: %s", strerror(error));
		close(fd);
		return;
	}

	REQUIRE(!ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &out), "export: %s",
		strerror(errno));
	event.fd = out.fd;
	REQUIRE(poll(&event, 1, 0) == 1 && event.revents == POLLIN,
		"the sync file is not signaled: %#x", event.revents);
	error = error_of(ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in));
	REQUIRE(error == EINVAL, "import of a buffer: %s", strerror(error));
	in.fd = out.fd;
	REQUIRE(!ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in), "import: %s",
		strerror(errno));
	close(out.fd);
	close(fd);
}

TEST(sync_files, "sync files are refused with ENOTTY if the kernel has none")
{
	each_heap(check_sync_files);
}

static void check_plain_io(int heap)
{
	int fd = new_buffer(heap, PAGE);
	struct pollfd event = { .fd = fd, .events = POLLIN | POLLOUT };
	char byte = 0;

	REQUIRE(error_of(read(fd, &byte, 1)) == EINVAL, "read");
	REQUIRE(error_of(write(fd, &byte, 1)) == EINVAL, "write");
	REQUIRE(error_of(ftruncate(fd, 0)) == EINVAL, "ftruncate");
	REQUIRE(lseek(fd, 0, SEEK_END) == PAGE, "it has another size now");
	REQUIRE(poll(&event, 1, 0) == 1 && event.revents == event.events,
		"poll: %#x", event.revents);
	close(fd);
}

TEST(plain_io, "a buffer cannot be read, written or truncated; poll() does not wait")
{
	each_heap(check_plain_io);
}

static void check_closed(int heap)
{
	struct dma_heap_allocation_data data = { .len = PAGE };
	int fd = new_buffer(heap, PAGE);
	void *mem;

	close(fd);
	REQUIRE(sync_buffer(fd, DMA_BUF_SYNC_READ) == -EBADF, "sync");
	REQUIRE(error_of(ioctl(fd, DMA_BUF_SET_NAME, "x")) == EBADF, "name");
	REQUIRE(error_of(ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data)) == EBADF,
		"alloc");
	REQUIRE(error_of(lseek(fd, 0, SEEK_END)) == EBADF, "lseek");
	REQUIRE(error_of(dup(fd)) == EBADF, "dup");
	REQUIRE(error_of(close(fd)) == EBADF, "close");
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(mem == MAP_FAILED && errno == EBADF, "mmap: %s",
		strerror(errno));
}

static void check_epoll(int heap)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int fd = new_buffer(heap, PAGE), epoll = epoll_create1(EPOLL_CLOEXEC);

	REQUIRE(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "%s",
		strerror(errno));
	REQUIRE(epoll_wait(epoll, &event, 1, 0) == 1 &&
		event.events == (EPOLLIN | EPOLLOUT), "events %#x", event.events);
	event.events = EPOLLIN;
	REQUIRE(!epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), "%s",
		strerror(errno));
	REQUIRE(epoll_wait(epoll, &event, 1, 0) == 1 && event.events == EPOLLIN,
		"events %#x", event.events);
	close(epoll);
	close(fd);
}

TEST(epoll, "epoll accepts a buffer, which is ready at once")
{
	each_heap(check_epoll);
}

/* The number after a word in fdinfo */
static unsigned long fdinfo_number(int fd, const char *word)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return sum_in(path, word);
}

static void check_inode(int heap)
{
	int first = new_buffer(heap, PAGE), second = new_buffer(heap, 3 * PAGE);
	struct stat one, two, same;
	int other = dup(second);

	REQUIRE(!fstat(first, &one) && !fstat(second, &two) &&
		!fstat(other, &same), "%s", strerror(errno));
	REQUIRE(one.st_ino != two.st_ino, "both have %lu", (long)one.st_ino);
	REQUIRE(one.st_dev == two.st_dev && two.st_ino == same.st_ino,
		"one buffer has %lu and %lu", (long)two.st_ino,
		(long)same.st_ino);
	REQUIRE(one.st_size == PAGE && two.st_size == 3 * PAGE,
		"%ld and %ld bytes", (long)one.st_size, (long)two.st_size);
	REQUIRE(fdinfo_number(first, "ino:") == one.st_ino, "fdinfo shows %lu",
		fdinfo_number(first, "ino:"));
	close(other);
	close(second);
	close(first);
}

TEST(inode, "each buffer has its own inode, with its size")
{
	each_heap(check_inode);
}

static void require_link(int fd, const char *want)
{
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	REQUIRE(readlink(path, link, sizeof(link) - 1) > 0, "%s",
		strerror(errno));
	REQUIRE_STREQ(link, want);
	REQUIRE(open(path, O_RDWR) < 0 && errno == ENXIO, "opened again: %s",
		strerror(errno));
}

static void check_link(int heap)
{
	int fd = new_buffer(heap, PAGE);

	require_link(fd, "/dmabuf:");
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, "picture"), "%s", strerror(errno));
	require_link(fd, "/dmabuf:picture");
	close(fd);
}

TEST(link, "the link in /proc/PID/fd shows the name, and cannot be opened")
{
	each_heap(check_link);
}

TEST(subsystem, "heaps are of class dma_heap, which rules of udev can match")
{
	struct stat st;
	char path[300], text[64];
	DIR *dir = opendir(HEAPS);
	struct dirent *entry;

	REQUIRE(dir, "no heaps");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), HEAPS "/%s", entry->d_name);
		REQUIRE(!stat(path, &st), "%s", strerror(errno));
		snprintf(path, sizeof(path), "/sys/class/dma_heap/%s/dev",
			 entry->d_name);
		read_file(path, text, sizeof(text));
		snprintf(path, sizeof(path), "%u:%u\n", major(st.st_rdev),
			 minor(st.st_rdev));
		REQUIRE_STREQ(text, path);
	}
	closedir(dir);
}

TEST(closed, "a closed descriptor fails with EBADF everywhere")
{
	each_heap(check_closed);
}

TEST(others, "files that are neither buffer nor heap fail with ENOTTY")
{
	struct dma_heap_allocation_data data = { .len = PAGE };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	REQUIRE(fd >= 0, "%s", strerror(errno));
	REQUIRE(sync_buffer(fd, DMA_BUF_SYNC_READ) == -ENOTTY, "sync");
	REQUIRE(error_of(ioctl(fd, DMA_BUF_SET_NAME, "x")) == ENOTTY, "name");
	REQUIRE(error_of(ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data)) == ENOTTY,
		"alloc");
}
