/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits of users, devices and open files, for the test programs. Include tap.h and guest.h
 * first.
 */
#ifndef CHARGE_H
#define CHARGE_H

#include <sys/wait.h>

#define DIR_CHARGE	"/sys/kernel/mm/dma_charge/"
#define SOMEBODY	1000
#define SOMEBODY_ELSE	1001

static void set_limit(const char *file, const char *text)
{
	char path[100];
	int ret;

	snprintf(path, sizeof(path), DIR_CHARGE "%s", file);
	ret = write_file(path, text);
	REQUIRE(!ret, "%s: %s: %s", path, text, strerror(-ret));
}

static void no_limits(void)
{
	set_limit("user_limit", "max");
	set_limit("file_limit", "max");
	set_limit("device_limit", "max");
	set_limit("user_limits", "1000 default");
	set_limit("user_limits", "1001 default");
}

static void refuse(const char *file, const char *text, int error)
{
	char path[100];
	int ret;

	snprintf(path, sizeof(path), DIR_CHARGE "%s", file);
	ret = write_file(path, text);
	REQUIRE(ret == -error, "%s: %s: %s", path, text, strerror(-ret));
}

/* What debugfs says of a user or a device: buffers, bytes, peak, refused. */
struct charged {
	unsigned long buffers;
	unsigned long long bytes, peak;
	unsigned long refused;
};

static struct charged charged_as(const char *name)
{
	FILE *f = fopen("/sys/kernel/debug/dma_charge", "r");
	struct charged c, none = { 0, 0, 0, 0 };
	char line[200], limit[30], found[70];

	REQUIRE(f, "%s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%69s %lu %llu %llu %29s %lu", found, &c.buffers,
			   &c.bytes, &c.peak, limit, &c.refused) == 6 &&
		    !strcmp(found, name)) {
			fclose(f);
			return c;
		}
	}
	fclose(f);
	return none;
}

static struct charged charged(unsigned int uid)
{
	char name[20];

	snprintf(name, sizeof(name), "%u", uid);
	return charged_as(name);
}

/* Run as a user without privileges, with open heaps; returns its exit status. */
static int as_user(unsigned int uid, int (*run)(int heap, int arg), int heap, int arg)
{
	int status;
	pid_t pid = fork();

	REQUIRE(pid >= 0, "%s", strerror(errno));
	if (!pid)
		_exit(setgid(uid) || setuid(uid) ? 99 : run(heap, arg));
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "status %x", status);
	return WEXITSTATUS(status);
}

#endif /* CHARGE_H */
