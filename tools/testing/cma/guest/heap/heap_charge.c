// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of heaps are charged to users and open files, whose limits hold
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "charge.h"

#include <pthread.h>

#define SIZE		(256U << 10)
/* Of this series; the program is compiled with the headers of the compiler */
#ifndef DMA_BUF_IOCTL_CLAIM
#define DMA_BUF_IOCTL_CLAIM	_IO(DMA_BUF_BASE, 64)
#endif

/* Allocate until it fails with EDQUOT, and keep the buffers; returns their number. */
static int how_many(int heap, int most)
{
	int n, fd;

	for (n = 0; n < most; n++) {
		fd = heap_alloc(heap, SIZE, O_RDWR);
		if (fd == -EDQUOT)
			return n;
		if (fd < 0)
			return 90;
	}
	return n;
}

static void check_user_limit(int heap)
{
	unsigned long refused = charged(SOMEBODY).refused;

	no_limits();
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 6, "a limit, although there is none");
	set_limit("user_limit", "1048576\n");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 4, "not 4 buffers");
	set_limit("user_limit", "1280k");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 5, "not 5 buffers");
	set_limit("user_limits", "1000 512K\n");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 2, "the user's own limit");
	REQUIRE(as_user(SOMEBODY_ELSE, how_many, heap, 6) == 5, "somebody else's limit");
	set_limit("user_limits", "1000 0");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 0, "a limit of nothing");
	set_limit("user_limits", "1000 max");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 6, "no limit of the user's");
	set_limit("user_limits", "1000 default");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 5, "the default again");
	REQUIRE(how_many(heap, 6) == 6, "root has CAP_SYS_RESOURCE");
	no_limits();
	REQUIRE(charged(SOMEBODY).refused == refused + 5, "%lu refused, was %lu",
		charged(SOMEBODY).refused, refused);
	REQUIRE(!charged(SOMEBODY).bytes && !charged(SOMEBODY).buffers, "%llu bytes remain",
		charged(SOMEBODY).bytes);
}

TEST(user_limit, "a user gets no more than the limit, and everything is freed")
{
	each_heap(check_user_limit);
}

static void check_file_limit(int heap)
{
	char path[64];
	int again;

	no_limits();
	set_limit("file_limit", "768K");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 3, "not 3 buffers");
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 3, "buffers that are free count");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", heap);
	again = open(path, O_RDWR);
	REQUIRE(again >= 0, "%s", strerror(errno));
	REQUIRE(as_user(SOMEBODY, how_many, again, 6) == 3, "another open file");
	close(again);
	no_limits();
	REQUIRE(as_user(SOMEBODY, how_many, heap, 6) == 6, "a limit, although there is none");
}

TEST(file_limit, "an open file gets no more than the limit")
{
	each_heap(check_file_limit);
}

static int open_alloc_close(int heap, int unused)
{
	char path[64];
	int fd[3], i, again;

	(void)unused;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", heap);
	again = open(path, O_RDWR);
	if (again < 0)
		return 91;
	for (i = 0; i < 3; i++) {
		fd[i] = heap_alloc(again, SIZE, O_RDWR);
		if (fd[i] < 0)
			return 92;
	}
	close(again);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	return 0;
}

static void check_file_gone(int heap)
{
	int i;

	no_limits();
	/* Root reopens; a user cannot open the node */
	for (i = 0; i < 20; i++)
		REQUIRE(!open_alloc_close(heap, 0), "round %d", i);
}

TEST(file_gone, "buffers outlive the file that they are charged to")
{
	each_heap(check_file_gone);
}

/* Allocate and claim: how many buffers the limit of the file allows. */
static int claim_own(int heap, int most)
{
	int n, fd;

	for (n = 0; n < most; n++) {
		fd = heap_alloc(heap, SIZE, O_RDWR);
		if (fd == -EDQUOT)
			return n;
		if (fd < 0 || ioctl(fd, DMA_BUF_IOCTL_CLAIM))
			return 90;
	}
	return n;
}

static int claim(int heap, int fd)
{
	(void)heap;
	return ioctl(fd, DMA_BUF_IOCTL_CLAIM) ? errno : 0;
}

static void check_claim(int heap)
{
	struct charged mine, theirs;
	char path[64], text[400];
	int fd;

	no_limits();
	fd = heap_alloc(heap, SIZE, O_RDWR);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	mine = charged(0);
	theirs = charged(SOMEBODY);

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	read_file(path, text, sizeof(text));
	REQUIRE(strstr(text, "charged_uid:\t0\n"), "%s", text);

	set_limit("user_limit", "128K");
	REQUIRE(as_user(SOMEBODY, claim, heap, fd) == EDQUOT, "beyond the limit");
	REQUIRE(charged(0).bytes == mine.bytes, "the charge moved nevertheless");
	set_limit("user_limit", "max");
	REQUIRE(!as_user(SOMEBODY, claim, heap, fd), "no limit");
	REQUIRE(charged(0).bytes == mine.bytes - SIZE, "still charged");
	REQUIRE(charged(SOMEBODY).bytes == theirs.bytes + SIZE, "not charged");
	set_limit("file_limit", "256K");
	REQUIRE(as_user(SOMEBODY_ELSE, how_many, heap, 2) == 1, "it counts against the file");
	close(fd);
	REQUIRE(charged(SOMEBODY).bytes == theirs.bytes, "charged after it was freed");
	REQUIRE(charged(0).bytes == mine.bytes - SIZE, "uncharged twice");
	no_limits();
}

TEST(claim, "a charge moves to the user who claims the buffer, within the limit")
{
	each_heap(check_claim);
}

static void check_claim_own(int heap)
{
	no_limits();
	set_limit("file_limit", "512K");
	REQUIRE(as_user(SOMEBODY, claim_own, heap, 6) == 2, "the limit of the file is gone");
	no_limits();
}

TEST(claim_own, "a claim of an own buffer does not lift the limit of the file")
{
	each_heap(check_claim_own);
}

static int alloc_and_hold(int heap, int pipe)
{
	char c = heap_alloc(heap, SIZE, O_RDWR) >= 0;

	if (write(pipe, &c, 1) != 1)
		return 1;
	pause();
	return 0;
}

/* Allocate, and send the buffer to another process. */
static int alloc_and_send(int heap, int sock)
{
	int fd = heap_alloc(heap, SIZE, O_RDWR);

	return fd < 0 || send_fd(sock, fd);
}

static void check_owner_dies(int heap)
{
	struct charged before = charged(SOMEBODY);
	int sock[2], fd;
	__u8 *mem;

	no_limits();
	set_limit("user_limit", "256K");
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, sock), "%s", strerror(errno));
	REQUIRE(!as_user(SOMEBODY, alloc_and_send, heap, sock[0]), "no buffer");
	fd = receive_fd(sock[1]);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + SIZE, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	/* Others who are the same user share the limit with the dead */
	REQUIRE(as_user(SOMEBODY, how_many, heap, 2) == 0, "a second buffer");
	REQUIRE(as_user(SOMEBODY_ELSE, how_many, heap, 2) == 1, "somebody else's");
	mem = map_buffer(fd, SIZE);
	close(fd);
	memset(mem, 1, SIZE);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + SIZE, "a mapping holds it");
	munmap(mem, SIZE);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "%llu bytes remain",
		charged(SOMEBODY).bytes);
	REQUIRE(as_user(SOMEBODY, how_many, heap, 2) == 1, "free memory counts");
	close(sock[0]);
	close(sock[1]);
	no_limits();
}

TEST(owner_dies, "a buffer stays charged to its owner who died, until the last user is gone")
{
	each_heap(check_owner_dies);
}

/* Four threads of a user keep buffers until they are refused. */
#define FULL_BUFFERS	16
#define FULL_THREADS	4

static int full_heap;

static void *alloc_until_full(void *arg)
{
	int *fds = arg, n;

	for (n = 0; n < FULL_BUFFERS; n++) {
		fds[n] = heap_alloc(full_heap, SIZE / 4, O_RDWR);
		if (fds[n] < 0)
			break;
	}
	return NULL;
}

/* The number of buffers that the threads got, or 100 if another error came. */
static int all_until_full(int heap, int unused)
{
	static int fds[FULL_THREADS][FULL_BUFFERS];
	pthread_t threads[FULL_THREADS];
	int i, n, total = 0;

	(void)unused;
	full_heap = heap;
	memset(fds, 0xff, sizeof(fds));
	for (i = 0; i < FULL_THREADS; i++)
		if (pthread_create(&threads[i], NULL, alloc_until_full, fds[i]))
			return 101;
	for (i = 0; i < FULL_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < FULL_THREADS; i++) {
		for (n = 0; n < FULL_BUFFERS && fds[i][n] >= 0; n++)
			total++;
		if (n < FULL_BUFFERS && fds[i][n] != -EDQUOT)
			return 100;
	}
	return total;
}

TEST(exact, "threads that allocate at the same time get the limit to the byte")
{
	int heap = heap_open_cma(), i;

	for (i = 0; i < 20; i++) {
		no_limits();
		set_limit("user_limit", i % 2 ? "1M" : "max");
		set_limit("file_limit", i % 2 ? "max" : "640K");
		REQUIRE(as_user(SOMEBODY, all_until_full, heap, 0) == (i % 2 ? 16 : 10),
			"round %d", i);
	}
	no_limits();
	REQUIRE(!charged(SOMEBODY).bytes, "%llu bytes remain", charged(SOMEBODY).bytes);
}

/* Fill the limit, tell the parent, and go on when it has changed the limit. */
static int fill_and_wait(int heap, int sock)
{
	int n = how_many(heap, 8), more, fd;
	char c = n;

	if (write(sock, &c, 1) != 1 || read(sock, &c, 1) != 1)
		return 91;
	more = how_many(heap, 8);
	c = more;
	if (write(sock, &c, 1) != 1 || read(sock, &c, 1) != 1)
		return 92;
	fd = heap_alloc(heap, SIZE, O_RDWR);
	return fd < 0 ? -fd : 0;
}

static void check_full(int heap)
{
	struct charged before = charged(SOMEBODY);
	int sock[2], status;
	pid_t pid;
	char c;

	no_limits();
	set_limit("user_limits", "1000 1M");
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, sock), "%s", strerror(errno));
	pid = fork();
	REQUIRE(pid >= 0, "%s", strerror(errno));
	if (!pid)
		_exit(setuid(SOMEBODY) ? 99 : fill_and_wait(heap, sock[0]));
	REQUIRE(read(sock[1], &c, 1) == 1 && c == 4, "%d buffers", c);
	set_limit("user_limits", "1000 512K");
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + MIB, "what exists was taken away");
	REQUIRE(write(sock[1], &c, 1) == 1 && read(sock[1], &c, 1) == 1, "%s", strerror(errno));
	REQUIRE(!c, "%d more buffers", c);
	set_limit("user_limits", "1000 1280K");
	REQUIRE(write(sock[1], &c, 1) == 1, "%s", strerror(errno));
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "status %x", status);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "%llu bytes remain",
		charged(SOMEBODY).bytes);
	REQUIRE(charged(SOMEBODY).refused == before.refused + 2, "%lu refused",
		charged(SOMEBODY).refused - before.refused);
	close(sock[0]);
	close(sock[1]);
	no_limits();
}

TEST(full, "a limit that is lowered while it is reached takes nothing away, and gives nothing more")
{
	each_heap(check_full);
}

TEST(killed, "the charge of a process that is killed is gone")
{
	int heap = heap_open_cma(), fds[2], status;
	struct charged before = charged(SOMEBODY);
	pid_t pid;
	char c;

	no_limits();
	REQUIRE(!pipe(fds), "%s", strerror(errno));
	pid = fork();
	REQUIRE(pid >= 0, "%s", strerror(errno));
	if (!pid)
		_exit(setuid(SOMEBODY) || alloc_and_hold(heap, fds[1]));
	REQUIRE(read(fds[0], &c, 1) == 1 && c, "no buffer");
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + SIZE, "not charged");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "still charged");
	REQUIRE(charged(SOMEBODY).buffers == before.buffers, "still counted");
}

/* The limit changes while four processes are at it. */
TEST(race, "a limit that changes while processes allocate is never exceeded by much")
{
	static const char * const limits[] = { "512K", "max", "0", "8M" };
	int heap = heap_open_cma(), i, status;
	pid_t pids[4];

	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		REQUIRE(pids[i] >= 0, "%s", strerror(errno));
		if (pids[i])
			continue;
		if (setuid(SOMEBODY + i / 2))
			_exit(1);
		for (;;) {
			int fd = heap_alloc(heap, SIZE / 4, O_RDWR);

			if (fd >= 0)
				close(fd);
			else if (fd != -EDQUOT)
				_exit(2);
		}
	}
	for (i = 0; i < 200; i++) {
		set_limit("user_limit", limits[i % 4]);
		usleep(5000);
	}
	for (i = 0; i < 4; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
		REQUIRE(WIFSIGNALED(status), "process %d: status %x", i, status);
	}
	no_limits();
	REQUIRE(!charged(SOMEBODY).bytes && !charged(SOMEBODY_ELSE).bytes, "charged");
}

TEST(malformed, "malformed limits are refused, and change nothing")
{
	char text[64];

	no_limits();
	set_limit("user_limit", "4M");
	refuse("user_limit", "\n", EINVAL);
	refuse("user_limit", "-1", EINVAL);
	refuse("user_limit", "4X", EINVAL);
	refuse("user_limit", "4M ", EINVAL);
	refuse("user_limit", "M", EINVAL);
	refuse("user_limit", "all", EINVAL);
	refuse("user_limit", "99999999999999999999", ERANGE);
	refuse("user_limit", "18446744073709551615", ERANGE);
	refuse("user_limit", "17179869184G", ERANGE);
	refuse("user_limits", "1000", EINVAL);
	refuse("user_limits", "1000 ", EINVAL);
	refuse("user_limits", "somebody 4M", EINVAL);
	refuse("user_limits", "-1 4M", EINVAL);
	refuse("user_limits", "4294967296 4M", ERANGE);
	refuse("user_limits", "99999999999999 4M", ERANGE);
	refuse("device_limit", "4X", EINVAL);
	refuse("device_limits", "vivi.0", EINVAL);
	refuse("device_limits", "vivi.0 4X", EINVAL);
	refuse("device_limits", " 4M", EINVAL);
	read_file(DIR_CHARGE "user_limit", text, sizeof(text));
	REQUIRE(!strcmp(text, "4194304\n"), "%s", text);
	read_file(DIR_CHARGE "user_limits", text, sizeof(text));
	REQUIRE(!text[0], "%s", text);
	read_file(DIR_CHARGE "device_limits", text, sizeof(text));
	REQUIRE(!text[0], "%s", text);
	no_limits();
}
