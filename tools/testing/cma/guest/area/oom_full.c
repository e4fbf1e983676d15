// SPDX-License-Identifier: GPL-2.0
/*
 * A process is killed when there is nothing left that could be moved or reclaimed,
 * although the area has free pages
 */
#include "tap.h"
#include "guest.h"
#include "outside.h"

#include <sys/resource.h>

/* Take memory that cannot be moved until this process is killed */
static void need_all(void)
{
	struct rlimit limit = { 16384, 16384 };

	REQUIRE(!write_file("/proc/self/oom_score_adj", "1000"), "oom_score_adj");
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "%s", strerror(errno));
	for (;;)
		fill_pipe();
}

TEST(full, "a process that needs all memory is killed, and soon")
{
	__u64 start = clock_ns(CLOCK_MONOTONIC);
	pid_t pid = tap_fork();
	int status;

	if (!pid)
		need_all();
	REQUIRE(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	note("after %llu ms", (clock_ns(CLOCK_MONOTONIC) - start) / 1000000ULL);
	REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		"it ended with %#x", status);
	REQUIRE(clock_ns(CLOCK_MONOTONIC) - start < 60 * 1000000000ULL,
		"that took too long");
}
