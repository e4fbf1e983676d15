/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that use buffers, for the test programs. Include tap.h, guest.h and
 * heap.h first.
 */
#ifndef IMPORTER_H
#define IMPORTER_H

#include "cma_importer.h"

static void importer_begin(void)
{
	module_begin("cma_importer");
}

static void importer_end(void)
{
	module_end("cma_importer");
}

/* A new device, or skip the test. */
static int new_device(void)
{
	int dev;

	if (module_error == -ENOENT)
		skip("no shared buffers");
	REQUIRE(!module_error, "cma_importer: %s", strerror(-module_error));
	dev = open_misc("cma_importer", O_RDWR | O_CLOEXEC);
	REQUIRE(dev >= 0, "/dev/cma_importer: %s", strerror(errno));
	return dev;
}

/* Call the device; returns its result or a negative errno. */
static int dev_call(int dev, unsigned long cmd, long arg)
{
	int ret = ioctl(dev, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static int dev_limit(int dev, struct importer_limits limits)
{
	return dev_call(dev, IMPORTER_LIMITS, (long)&limits);
}

/* A device that takes one segment only, or skip the test. */
static int new_strict_device(void)
{
	int dev = new_device();
	int error = dev_limit(dev, (struct importer_limits){ .seg_count = 1 });

	if (error == -EOPNOTSUPP)
		skip("this kernel has no limit for the number of segments");
	REQUIRE(!error, "%s", strerror(-error));
	return dev;
}

static int dev_attach(int dev, int buffer)
{
	return dev_call(dev, IMPORTER_ATTACH, buffer);
}

static int dev_detach(int dev)
{
	return dev_call(dev, IMPORTER_DETACH, 0);
}

static int dev_map(int dev, __u32 dir, struct importer_map *map)
{
	struct importer_map unused;

	if (!map)
		map = &unused;
	memset(map, 0, sizeof(*map));
	map->dir = dir;
	return dev_call(dev, IMPORTER_MAP, (long)map);
}

static int dev_unmap(int dev)
{
	return dev_call(dev, IMPORTER_UNMAP, 0);
}

static void attach_and_map(int dev, int buffer, __u32 dir,
			   struct importer_map *map)
{
	int error = dev_attach(dev, buffer);

	REQUIRE(!error, "attach: %s", strerror(-error));
	error = dev_map(dev, dir, map);
	REQUIRE(!error, "map: %s", strerror(-error));
}

static void unmap_and_detach(int dev)
{
	int error = dev_unmap(dev);

	REQUIRE(!error, "unmap: %s", strerror(-error));
	error = dev_detach(dev);
	REQUIRE(!error, "detach: %s", strerror(-error));
}

static int dev_fill(int dev, __u32 pattern)
{
	struct importer_fill fill = { pattern };

	return dev_call(dev, IMPORTER_FILL, (long)&fill);
}

/* The checksum that the device computes. */
static __u64 dev_sum(int dev)
{
	struct importer_sum sum = {};
	int error = dev_call(dev, IMPORTER_SUM, (long)&sum);

	REQUIRE(!error, "the device cannot read: %s", strerror(-error));
	return sum.sum;
}

/* Does the device read the contents of @mem? */
static bool dev_sees(int dev, const void *mem, size_t size)
{
	return dev_sum(dev) == importer_sum(IMPORTER_SUM_INIT, mem, size);
}

/* Does memory contain what dev_fill() writes? */
static bool is_pattern(const void *mem, size_t size, __u32 pattern)
{
	const __u32 *word = mem;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i] != pattern + i)
			return false;
	return true;
}

#endif
