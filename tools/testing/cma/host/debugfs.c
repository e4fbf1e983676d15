// SPDX-License-Identifier: GPL-2.0
/* The files of an area in debugfs. */

#include "stubs.h"
#include <linux/cma.h>
#include "cma.h"

extern int (*host_late_initcall)(void);

static struct { const char *name; void *data; const struct file_operations *fops; } files[32];
static struct seq_file seq;

/* Simplified: files are kept in a table, and read into a static buffer */

struct dentry *debugfs_create_dir(const char *name, void *parent)
{
	static struct dentry dir;

	return &dir;
}

void debugfs_create_file(const char *name, int mode, void *dir, void *data,
			 const struct file_operations *fops)
{
	unsigned int i = 0;

	REQUIRE(mode == (fops->write ? 0200 : 0444));
	while (files[i].name)
		i++;
	files[i].name = name;
	files[i].data = data;
	files[i].fops = fops;
}

int kstrtoul_from_user(const char *buf, size_t size, unsigned int base, unsigned long *val)
{
	char *end;

	*val = strtoul(buf, &end, base);
	return end == buf || end != buf + size ? -EINVAL : 0;
}

int single_open(struct file *file, int (*show)(struct seq_file *s, void *unused), void *data)
{
	memset(&seq, 0, sizeof(seq));
	seq.private = data;
	return show(&seq, NULL);
}

void seq_printf(struct seq_file *s, const char *fmt, ...)
{
	size_t used = strlen(s->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->text + used, sizeof(s->text) - used, fmt, args);
	va_end(args);
}

static unsigned int file_index(const char *name)
{
	unsigned int i = 0;

	while (files[i].name && strcmp(files[i].name, name))
		i++;
	REQUIRE(files[i].name);
	return i;
}

static u64 get(const char *name)
{
	unsigned int i = file_index(name);
	u64 val;

	REQUIRE_EQ(files[i].fops->get(files[i].data, &val), 0);
	return val;
}

static ssize_t put(const char *name, const char *text)
{
	unsigned int i = file_index(name);
	struct inode inode = { files[i].data };
	struct file file;
	loff_t pos = 0;

	REQUIRE_EQ(files[i].fops->open(&inode, &file), 0);
	return files[i].fops->write(&file, text, strlen(text), &pos);
}

static const char *text(const char *name)
{
	unsigned int i = file_index(name);
	struct inode inode = { files[i].data };
	struct file file;

	REQUIRE_EQ(files[i].fops->open(&inode, &file), 0);
	return seq.text;
}

static struct cma *area_with_files(unsigned int order_per_bit)
{
	struct cma *cma;

	host_pages(0x60400, 1024);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 4 << 20, order_per_bit, NULL, &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	REQUIRE_EQ(host_late_initcall(), 0);
	return cma;
}

TEST(debugfs, "alloc, free and the numbers of an area")
{
	struct cma *cma = area_with_files(4);

	REQUIRE_EQ(get("count"), 1024);
	REQUIRE_EQ(get("base_pfn"), 0x60400);
	REQUIRE_EQ(get("order_per_bit"), 4);
	REQUIRE_EQ(get("maxchunk"), 1024);
	REQUIRE_EQ(put("alloc", "16"), 2);
	REQUIRE_EQ(put("alloc", "64"), 2);
	REQUIRE_EQ(put("free", "16"), 2);
	REQUIRE_EQ(get("used"), 64);
	/* The last buffer is freed first, from its beginning */
	REQUIRE_STREQ(text("bitmap"), "29 0\n");
	REQUIRE_EQ(get("maxchunk"), 1024 - 80);
	REQUIRE_EQ(put("alloc", "1025"), -ENOMEM);
	REQUIRE_EQ(put("alloc", "x"), -EINVAL);
	REQUIRE_EQ(put("free", "1x"), -EINVAL);
	host.fail_kzalloc = 1;
	REQUIRE_EQ(put("alloc", "1"), -ENOMEM);
	host_check_area(cma);
	REQUIRE_EQ(put("free", "1024"), 4);
	REQUIRE_EQ(get("used"), 0);
	REQUIRE_EQ(host_nr(PAGE_OWNED), 0);
	host_check_area(cma);
}

TEST(debugfs_reserve, "the reserve and the rest of an area are two ranges")
{
	struct cma *cma = area_with_files(2);

	/* As at boot, but with files */
	cma_set_reserve(cma, 254);
	host_set(0x60400 + 768, 256, PAGE_OWNED);
	REQUIRE_EQ(get("maxchunk"), 768);
	REQUIRE_EQ(put("alloc", "768"), 3);
	REQUIRE_EQ(get("maxchunk"), 256);
	REQUIRE_EQ(put("alloc", "1"), -ENOMEM);
	REQUIRE_EQ(put("free", "768"), 3);
	REQUIRE_EQ(get("maxchunk"), 768);
	host_check_area(cma);
}

TEST(debugfs_part, "a buffer that is not a multiple of a bit can be freed, too")
{
	struct cma *cma = area_with_files(2);

	REQUIRE_EQ(put("alloc", "7"), 1);
	REQUIRE_EQ(put("free", "7"), 1);
	REQUIRE_EQ(get("used"), 0);
	host_check_area(cma);
}

TEST(debugfs_none, "an area that is not active has no files")
{
	host.fail_kzalloc = 1;
	area_with_files(0);
	REQUIRE(!files[0].name);
}

TEST(debugfs_stats, "what emptying ranges took, and how long allocations took")
{
	struct cma *cma = area_with_files(0);

	host_set(0x60400, 1024, PAGE_MOVABLE);
	host_set(0x60400 + 1024 - 50, 1, PAGE_PINNED);
	host_set(0x60400 + 1024 - 100, 1, PAGE_FIXED);
	host_set(0x60400 + 1024 - 150, 1, PAGE_IO);
	host_set(0x60400 + 1024 - 250, 10, PAGE_CLEAN);
	REQUIRE_EQ(put("alloc", "100"), 3);
	REQUIRE_STREQ(text("stats"), "moved_pages 90\ndropped_pages 10\nwaits 0\nskipped_held 0\n"
		      "skipped_fixed 1\nskipped_io 1\nskipped_claimed 0\n");
	REQUIRE_EQ(get("max_latency"), 270);
	REQUIRE(strstr(text("latency"), "\n128 0\n256 1\n512 0\n"));
	REQUIRE(!strncmp(text("latency"), "0 0\n1 0\n2 0\n4 0\n", 16));
	REQUIRE(strstr(text("latency"), "\n4194304 0\n"));
	host_check_area(cma);
}

TEST(debugfs_pages, "what the pages are that are not part of a buffer or of the reserve")
{
	struct cma *cma = area_with_files(2);

	cma_set_reserve(cma, 256);
	host_set(0x60400 + 768, 256, PAGE_OWNED);
	REQUIRE_EQ(put("alloc", "100"), 3);
	host_set(0x60400 + 100, 50, PAGE_MOVABLE);
	host_set(0x60400 + 200, 7, PAGE_PINNED);
	host_set(0x60400 + 300, 5, PAGE_FIXED);
	host_set(0x60400 + 400, 3, PAGE_IO);
	host_set(0x60400 + 500, 2, PAGE_CLEAN);
	host_set(0x60400 + 600, 1, PAGE_PINNED);
	REQUIRE_STREQ(text("pages"), "free 600\nunused_cache 2\nmovable 50\nunder_io 3\npinned 8\n"
		      "fixed 5\nused 100\n");
	REQUIRE_EQ(put("free", "100"), 3);
	host_check_area(cma);
}
