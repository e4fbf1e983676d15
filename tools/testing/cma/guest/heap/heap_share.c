// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of heaps in several processes, and in the address space of one: every
 * descriptor and mapping shows the same bytes, until the last one is gone. All of
 * this holds on every kernel that has heaps.
 */
#define TAP_HELPER helper
#include "tap.h"
#include "guest.h"
#include "heap.h"

#define SIZE	(64 * PAGE)

static void require_pages(const void *mem, size_t size, __u32 owner)
{
	REQUIRE(first_wrong(mem, size, owner) < 0, "page %ld is not owner %u's",
		first_wrong(mem, size, owner), owner);
}

static void new_pair(int sock[2])
{
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock),
		"%s", strerror(errno));
}

/* The other process: it checks the bytes of the sender and writes its own. */
static void receiver(void *arg)
{
	int fd = receive_fd(*(int *)arg);
	char *mem;

	REQUIRE(fd >= 0, "recvmsg: %s", strerror(-fd));
	REQUIRE(lseek(fd, 0, SEEK_END) == SIZE, "another size");
	mem = map_buffer(fd, SIZE);
	close(fd);
	require_pages(mem, SIZE, 1);
	fill_pages(mem, SIZE, 2);
}

static void check_scm_rights(int heap)
{
	int sock[2], fd;
	pid_t pid;
	char *mem;

	new_pair(sock);
	pid = tap_start(receiver, &sock[1]);
	fd = new_buffer(heap, SIZE);
	mem = map_buffer(fd, SIZE);
	fill_pages(mem, SIZE, 1);
	REQUIRE(!send_fd(sock[0], fd), "%s", strerror(errno));
	tap_join(pid);
	require_pages(mem, SIZE, 2);
	munmap(mem, SIZE);
	close(fd);
	close(sock[0]);
	close(sock[1]);
}

TEST(scm_rights, "a process that gets the descriptor over a socket sees the same bytes")
{
	each_heap(check_scm_rights);
}

static void check_in_flight(int heap)
{
	struct totals before = totals_now();
	int sock[2], fd;
	char *mem;

	new_pair(sock);
	fd = new_buffer(heap, SIZE);
	mem = map_buffer(fd, SIZE);
	fill_pages(mem, SIZE, 3);
	munmap(mem, SIZE);
	REQUIRE(!send_fd(sock[0], fd) && !send_fd(sock[0], fd), "%s",
		strerror(errno));
	close(fd);

	/* only the socket holds it now */
	fd = receive_fd(sock[1]);
	REQUIRE(fd >= 0, "recvmsg: %s", strerror(-fd));
	mem = map_buffer(fd, SIZE);
	require_pages(mem, SIZE, 3);
	munmap(mem, SIZE);
	close(fd);
	close(sock[0]);
	close(sock[1]);
	require_totals(&before);
}

TEST(in_flight, "a buffer lives in a socket's queue, and is freed with it")
{
	each_heap(check_in_flight);
}

static void check_dup(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *one = map_buffer(fd, SIZE), *two;
	int other = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	REQUIRE(other >= 100, "%s", strerror(errno));
	fill_pages(one, SIZE, 4);
	close(fd);
	two = map_buffer(other, SIZE);
	require_pages(two, SIZE, 4);
	fill_pages(two, SIZE, 5);
	require_pages(one, SIZE, 5);
	REQUIRE(!sync_buffer(other, DMA_BUF_SYNC_RW), "%s", strerror(errno));
	close(other);
	/* both descriptors are gone, the mappings are not */
	fill_pages(one, SIZE, 6);
	require_pages(two, SIZE, 6);
	munmap(one, SIZE);
	require_pages(two, SIZE, 6);
	munmap(two, SIZE);
}

TEST(dup_, "a duplicate is the same buffer and outlives the first descriptor")
{
	each_heap(check_dup);
}

static void child_of_fork(void *arg)
{
	int fd = *(int *)arg;
	char *mem = map_buffer(fd, SIZE);

	require_pages(mem, SIZE, 1);
	fill_pages(mem, SIZE, 2);
	REQUIRE(!ioctl(fd, DMA_BUF_SET_NAME, "child"), "%s", strerror(errno));
	close(fd);
}

static void check_fork(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE);

	fill_pages(mem, SIZE, 1);
	tap_join(tap_start(child_of_fork, &fd));
	require_pages(mem, SIZE, 2);
	REQUIRE(lseek(fd, 0, SEEK_END) == SIZE, "closed for all");
	munmap(mem, SIZE);
	close(fd);
}

TEST(fork_, "a child inherits the descriptor and sees the same bytes")
{
	each_heap(check_fork);
}

static void child_with_mapping(void *arg)
{
	char *mem = arg;

	require_pages(mem, SIZE, 1);
	fill_pages(mem, SIZE, 2);
	/* an unmap by the child does not affect others */
	munmap(mem, SIZE / 2);
	REQUIRE(faults(mem, PAGE, false), "it is still mapped");
	require_pages(mem + SIZE / 2 + PAGE, 0, 2);
}

static void check_fork_mapping(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE);

	close(fd);
	fill_pages(mem, SIZE, 1);
	tap_join(tap_start(child_with_mapping, mem));
	require_pages(mem, SIZE, 2);
	munmap(mem, SIZE);
}

TEST(fork_mapping, "a child inherits a mapping and shares it")
{
	each_heap(check_fork_mapping);
}

/* PROGRAM --helper FD: is this the buffer of check_exec()? */
static int helper(char **args)
{
	int fd = atoi(args[0]);
	void *mem = map_part(fd, 0, SIZE);

	if (!mem)
		return errno == EBADF ? 1 : 2;
	if (first_wrong(mem, SIZE, 7) >= 0)
		return 3;
	fill_pages(mem, SIZE, 8);
	return 0;
}

static int exec_with(int fd)
{
	char number[16];
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	pid = tap_fork();
	if (!pid) {
		execl("/proc/self/exe", "heap_share", "--helper", number, NULL);
		_exit(4);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status),
		"status %#x", status);
	return WEXITSTATUS(status);
}

static void check_exec(int heap)
{
	int fd = heap_alloc(heap, SIZE, O_RDWR);
	int ret;
	char *mem;

	REQUIRE(fd >= 0, "%s", strerror(-fd));
	mem = map_buffer(fd, SIZE);
	fill_pages(mem, SIZE, 7);
	ret = exec_with(fd);
	REQUIRE(!ret, "without O_CLOEXEC: %d", ret);
	require_pages(mem, SIZE, 8);
	close(fd);

	fd = new_buffer(heap, SIZE);
	ret = exec_with(fd);
	REQUIRE(ret == 1, "with O_CLOEXEC: %d", ret);
	fcntl(fd, F_SETFD, 0);
	ret = exec_with(fd);
	REQUIRE(ret == 3, "with O_CLOEXEC taken back: %d", ret);
	munmap(mem, SIZE);
	close(fd);
}

TEST(exec, "exec keeps a descriptor, unless it has O_CLOEXEC")
{
	each_heap(check_exec);
}

/* One of three processes that map the buffer at the same time. */
struct third {
	int fd;		/* of the buffer */
	int sock;	/* to and from the parent */
	__u32 number;
};

#define PART	(16 * PAGE)

static void require_three(const char *mem)
{
	__u32 n;

	for (n = 0; n < 3; n++)
		require_pages(mem + n * PART, PART, 10 + n);
}

static void third_process(void *arg)
{
	struct third *third = arg;
	char *mem = map_buffer(third->fd, 3 * PART), byte = 0;

	fill_pages(mem + third->number * PART, PART, 10 + third->number);
	REQUIRE(write(third->sock, &byte, 1) == 1, "%s", strerror(errno));
	REQUIRE(read(third->sock, &byte, 1) == 1, "%s", strerror(errno));
	require_three(mem);
}

static void check_three(int heap)
{
	int fd = new_buffer(heap, 3 * PART), sock[3][2];
	struct third third[3];
	char *mem, byte = 0;
	pid_t pid[3];
	int i;

	for (i = 0; i < 3; i++) {
		new_pair(sock[i]);
		third[i] = (struct third) {
			.fd = fd, .sock = sock[i][1], .number = i,
		};
		pid[i] = tap_start(third_process, &third[i]);
	}
	for (i = 0; i < 3; i++)
		REQUIRE(read(sock[i][0], &byte, 1) == 1, "%s", strerror(errno));
	for (i = 0; i < 3; i++)
		REQUIRE(write(sock[i][0], &byte, 1) == 1, "%s",
			strerror(errno));
	for (i = 0; i < 3; i++) {
		tap_join(pid[i]);
		close(sock[i][0]);
		close(sock[i][1]);
	}
	mem = map_buffer(fd, 3 * PART);
	require_three(mem);
	munmap(mem, 3 * PART);
	close(fd);
}

TEST(three, "three processes map a buffer, and each sees what all wrote")
{
	each_heap(check_three);
}

static void check_mapping_holds(int heap)
{
	struct totals before = totals_now(), now;
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE);

	close(fd);
	now = totals_now();
	REQUIRE(now.buffers == before.buffers + 1 &&
		now.bytes == before.bytes + SIZE, "the buffer is gone");
	fill_pages(mem, SIZE, 1);
	munmap(mem, SIZE - PAGE);
	REQUIRE(totals_now().buffers == before.buffers + 1,
		"gone with a page still mapped");
	REQUIRE(page_right(mem + SIZE - PAGE, 1, SIZE / PAGE - 1),
		"the last page has changed");
	munmap(mem + SIZE - PAGE, PAGE);
	require_totals(&before);
}

TEST(mapping_holds, "a buffer without descriptors lives until its last page is unmapped")
{
	each_heap(check_mapping_holds);
}

static void check_partial(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *all = map_buffer(fd, SIZE);
	static const struct {
		size_t offset, size;
	} parts[] = {
		{ 0, PAGE }, { PAGE, PAGE }, { SIZE - PAGE, PAGE },
		{ 5 * PAGE, 7 * PAGE }, { SIZE / 2, SIZE / 2 },
		{ PAGE, SIZE - PAGE },
	};
	unsigned int i;
	size_t page;
	char *mem;

	fill_pages(all, SIZE, 1);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t first = parts[i].offset / PAGE;

		mem = map_part(fd, parts[i].offset, parts[i].size);
		REQUIRE(mem, "part %u: %s", i, strerror(errno));
		for (page = 0; page < parts[i].size / PAGE; page++)
			REQUIRE(page_right(mem + page * PAGE, 1, first + page),
				"part %u, page %zu", i, page);
		fill_page(mem, 2, first);
		REQUIRE(page_right(all + parts[i].offset, 2, first),
			"part %u: it went elsewhere", i);
		fill_page(mem, 1, first);
		munmap(mem, parts[i].size);
	}
	require_pages(all, SIZE, 1);
	munmap(all, SIZE);
	close(fd);
}

TEST(partial, "a part of a buffer can be mapped at its offset")
{
	each_heap(check_partial);
}

static void check_munmap(int heap)
{
	static const struct {
		size_t first, count;
	} holes[] = { { 0, 2 }, { 20, 5 }, { 63, 1 }, { 2, 1 }, { 30, 33 } };
	bool gone[SIZE / PAGE] = {};
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE), *all;
	unsigned int i;
	size_t page;

	fill_pages(mem, SIZE, 1);
	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		REQUIRE(!munmap(mem + holes[i].first * PAGE,
				holes[i].count * PAGE), "%s", strerror(errno));
		memset(gone + holes[i].first, 1, holes[i].count);
		for (page = 0; page < SIZE / PAGE; page++) {
			if (gone[page])
				REQUIRE(faults(mem + page * PAGE, PAGE, false),
					"page %zu is still there", page);
			else
				REQUIRE(page_right(mem + page * PAGE, 1, page),
					"page %zu has changed", page);
		}
	}
	all = map_buffer(fd, SIZE);
	require_pages(all, SIZE, 1);
	munmap(all, SIZE);
	munmap(mem, SIZE);
	close(fd);
}

TEST(munmap_, "parts can be unmapped, and the rest is unchanged")
{
	each_heap(check_munmap);
}

static void check_mremap(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE), *to, *moved;

	fill_pages(mem, SIZE, 1);
	/* shrink */
	REQUIRE(mremap(mem, SIZE, SIZE / 2, 0) == mem, "%s", strerror(errno));
	require_pages(mem, SIZE / 2, 1);
	REQUIRE(faults(mem + SIZE / 2, PAGE, false), "it did not shrink");
	/* grow beyond the buffer: if that works, nothing is mapped there */
	moved = mremap(mem, SIZE / 2, 2 * SIZE, MREMAP_MAYMOVE);
	if (moved == MAP_FAILED) {
		REQUIRE(errno == EFAULT, "grow: %s", strerror(errno));
	} else {
		REQUIRE(faults(moved + SIZE, PAGE, false), "more than the buffer");
		mem = mremap(moved, 2 * SIZE, SIZE / 2, 0);
	}
	require_pages(mem, SIZE / 2, 1);
	/* move */
	to = map_anon(SIZE);
	moved = mremap(mem, SIZE / 2, SIZE / 2, MREMAP_MAYMOVE | MREMAP_FIXED,
		       to);
	REQUIRE(moved == to, "move: %s", strerror(errno));
	require_pages(moved, SIZE / 2, 1);
	REQUIRE(faults(mem, PAGE, false), "the old place is still mapped");
	/* move a part of it, and shrink that */
	moved = mremap(to + PAGE, 3 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       to + SIZE / 2 + PAGE);
	REQUIRE(moved == to + SIZE / 2 + PAGE, "part: %s", strerror(errno));
	REQUIRE(page_right(moved, 1, 1), "the part has changed");
	REQUIRE(page_right(to, 1, 0) && page_right(to + 4 * PAGE, 1, 4),
		"what was beside it has changed");
	fill_page(moved, 2, 0);
	mem = map_buffer(fd, SIZE);
	REQUIRE(page_right(mem + PAGE, 2, 0), "it is another page now");
	munmap(mem, SIZE);
	munmap(to, SIZE);
	close(fd);
}

TEST(mremap_, "a mapping shrinks and moves, and never shows more than the buffer")
{
	each_heap(check_mremap);
}

static void check_private(int heap)
{
	int fd = new_buffer(heap, SIZE);
	void *mem;

	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(mem == MAP_FAILED && errno == EINVAL, "%s", strerror(errno));
	close(fd);
}

TEST(private, "MAP_PRIVATE fails with EINVAL")
{
	each_heap(check_private);
}

static void check_beyond(int heap)
{
	static const struct {
		off64_t offset;
		size_t size;
		int error;
	} bad[] = {
		{ 0, SIZE + 1, EINVAL }, { 0, SIZE + PAGE, EINVAL },
		{ PAGE, SIZE, EINVAL }, { SIZE - PAGE, 2 * PAGE, EINVAL },
		{ SIZE, PAGE, EINVAL }, { 2 * SIZE, PAGE, EINVAL },
		{ 1 << 30, PAGE, EINVAL }, { 0xffffe000, PAGE, EINVAL },
		{ 0, 0, EINVAL }, { 1, PAGE, EINVAL }, { -1, PAGE, EINVAL },
	};
	int fd = new_buffer(heap, SIZE);
	unsigned int i;
	void *mem;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		mem = mmap64(NULL, bad[i].size, PROT_READ, MAP_SHARED, fd,
			     bad[i].offset);
		REQUIRE(mem == MAP_FAILED && errno == bad[i].error,
			"row %u: %s", i, strerror(errno));
	}
	/* the errnos of the file system layer depend on the kernel */
	for (i = 0; i < 4; i++) {
		mem = (void *)syscall(SYS_mmap2, NULL, 2 * PAGE, PROT_READ,
				      MAP_SHARED, fd, -1ul - i * 0x100000);
		REQUIRE(mem == MAP_FAILED && (errno == EINVAL ||
					      errno == EOVERFLOW),
			"page %#lx: %s", -1ul - i * 0x100000, strerror(errno));
	}
	close(fd);
}

TEST(beyond, "nothing beyond the end can be mapped")
{
	each_heap(check_beyond);
}

static void check_access(int heap)
{
	int fd = heap_alloc(heap, SIZE, O_RDONLY | O_CLOEXEC);
	char *mem;

	REQUIRE(fd >= 0, "%s", strerror(-fd));
	mem = map_part(fd, 0, SIZE);
	REQUIRE(!mem && errno == EACCES, "write O_RDONLY: %s", strerror(errno));
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(mem != MAP_FAILED, "%s", strerror(errno));
	REQUIRE(is_zero(mem, SIZE), "it is not zero");
	REQUIRE(mprotect(mem, SIZE, PROT_READ | PROT_WRITE) &&
		errno == EACCES, "mprotect: %s", strerror(errno));
	REQUIRE(faults(mem, PAGE, true), "it can be written");
	munmap(mem, SIZE);
	close(fd);

	fd = heap_alloc(heap, SIZE, O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(mem == MAP_FAILED && errno == EACCES, "read O_WRONLY: %s",
		strerror(errno));
	close(fd);
}

TEST(access_, "the access mode of a descriptor limits how it can be mapped")
{
	each_heap(check_access);
}

static void check_protection(int heap)
{
	int fd = new_buffer(heap, SIZE);
	char *mem = map_buffer(fd, SIZE);

	fill_pages(mem, SIZE, 1);
	REQUIRE(!mprotect(mem + PAGE, PAGE, PROT_READ), "%s", strerror(errno));
	REQUIRE(faults(mem + PAGE, PAGE, true), "it can be written");
	REQUIRE(!mprotect(mem + PAGE, PAGE, PROT_NONE), "%s", strerror(errno));
	REQUIRE(faults(mem + PAGE, PAGE, false), "it can be read");
	REQUIRE(!mprotect(mem + PAGE, PAGE, PROT_READ | PROT_WRITE), "%s",
		strerror(errno));
	require_pages(mem, SIZE, 1);
	/* whatever these return, the bytes stay */
	madvise(mem, SIZE, MADV_DONTNEED);
	require_pages(mem, SIZE, 1);
	madvise(mem, SIZE, MADV_REMOVE);
	require_pages(mem, SIZE, 1);
	msync(mem, SIZE, MS_SYNC | MS_INVALIDATE);
	require_pages(mem, SIZE, 1);
	munmap(mem, SIZE);
	close(fd);
}

TEST(protection, "mprotect() works by pages; madvise() and msync() lose nothing")
{
	each_heap(check_protection);
}

static void check_syscalls(int heap)
{
	int fd = new_buffer(heap, SIZE), pipes[2];
	char *mem = map_buffer(fd, SIZE), page[PAGE];

	REQUIRE(!pipe(pipes), "%s", strerror(errno));
	fill_pages(mem, SIZE, 1);
	REQUIRE(write(pipes[1], mem + PAGE, PAGE) == PAGE, "%s",
		strerror(errno));
	REQUIRE(read(pipes[0], page, PAGE) == PAGE && page_right(page, 1, 1),
		"write() sent something else");
	fill_page(page, 9, 9);
	REQUIRE(write(pipes[1], page, PAGE) == PAGE, "%s", strerror(errno));
	REQUIRE(read(pipes[0], mem + 2 * PAGE, PAGE) == PAGE, "%s",
		strerror(errno));
	REQUIRE(page_right(mem + 2 * PAGE, 9, 9), "read() wrote elsewhere");
	close(pipes[0]);
	close(pipes[1]);
	munmap(mem, SIZE);
	close(fd);
}

TEST(syscalls, "read() and write() accept the memory of a mapped buffer")
{
	each_heap(check_syscalls);
}
