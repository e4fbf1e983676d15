// SPDX-License-Identifier: GPL-2.0
/* The files of an area in debugfs. */

#include "stubs.h"
#include <linux/cma.h>
#include <linux/contig.h>
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

	/* Only root reads the names of processes */
	REQUIRE(mode == (fops->write ? 0200 : strcmp(name, "pins") ? 0444 : 0400));
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

void *__seq_open_private(struct file *file, const struct seq_operations *op, int size)
{
	static u64 private[64];

	REQUIRE((size_t)size <= sizeof(private));
	memset(private, 0, sizeof(private));
	memset(&seq, 0, sizeof(seq));
	seq.private = private;
	seq.op = op;
	return private;
}

void seq_printf(struct seq_file *s, const char *fmt, ...)
{
	size_t used = strlen(s->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->text + used, sizeof(s->text) - used, fmt, args);
	va_end(args);
}

void seq_escape(struct seq_file *s, const char *text, const char *which)
{
	for (; *text; text++)
		seq_printf(s, strchr(which, *text) ? "\\%03o" : "%c", *text);
}

void seq_putc(struct seq_file *s, char c)
{
	seq_printf(s, "%c", c);
}

static int own_callers = 2;	/* with contig_record_pin(), in front of its caller */

void save_stack_trace(struct stack_trace *trace)
{
	for (int i = 0; i < own_callers; i++)
		trace->entries[trace->nr_entries++] = 0x3000 + i;
	trace->entries[trace->nr_entries++] = 0x1000;
	trace->entries[trace->nr_entries++] = 0x2000;
	trace->entries[trace->nr_entries++] = ULONG_MAX;
}

/* Faithful, of pages that nobody maps and that are in no cache */
int contig_page_extra_refs(struct page *page)
{
	return page->refs;
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
	if (seq.op) {
		loff_t pos = 0;
		void *v;

		/* As if each read() had room for one record only */
		while ((v = seq.op->start(&seq, &pos))) {
			REQUIRE_EQ(seq.op->show(&seq, v), 0);
			seq.op->stop(&seq, seq.op->next(&seq, v, &pos));
		}
		seq.op->stop(&seq, NULL);
	}
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
	struct page *page;

	cma_set_reserve(cma, 256);
	host_set(0x60400 + 768, 256, PAGE_OWNED);
	/* A buffer with free pages on both sides */
	page = cma_alloc(cma, 100, 0, false);
	REQUIRE_EQ(page_to_pfn(page), 0x60400 + 668);
	REQUIRE_EQ(put("alloc", "100"), 3);
	REQUIRE(cma_release(cma, page, 100));
	host_set(0x60400 + 100, 50, PAGE_MOVABLE);
	host_set(0x60400 + 200, 7, PAGE_PINNED);
	host_set(0x60400 + 300, 5, PAGE_FIXED);
	host_set(0x60400 + 400, 3, PAGE_IO);
	host_set(0x60400 + 500, 2, PAGE_CLEAN);
	host_set(0x60400 + 700, 1, PAGE_PINNED);
	REQUIRE_STREQ(text("pages"), "free 600\nunused_cache 2\nmovable 50\nunder_io 3\npinned 8\n"
		      "fixed 5\nused 100\n");
	REQUIRE_EQ(put("free", "100"), 3);
	host_check_area(cma);
}

/* Pin a page as a process of this name. */
static void pin(unsigned long pfn, pid_t pid, const char *comm)
{
	struct page *page = pfn_to_page(pfn);

	host_current.tgid = pid;
	strcpy(host_current.comm, comm);
	host_set(pfn, 1, PAGE_PINNED);
	page->refs++;
	contig_record_pin(page);
}

static void unpin(unsigned long pfn)
{
	if (!--pfn_to_page(pfn)->refs)
		host_set(pfn, 1, PAGE_MOVABLE);
}

#define BY	" s by 0x1000S < 0x2000S\n"

TEST(pins, "who pins pages of an area, how often, how long ago and from where")
{
	struct cma *cma = area_with_files(2);

	REQUIRE_STREQ(text("pins"), "");
	pin(0x60400, 7, "cam era");
	host.now += 123;
	pin(0x60400 + 1023, 8, "player");
	/* The beginning and the end of time do not matter */
	REQUIRE_STREQ(text("pins"), "pfn 0x60400 refs 1 pid 7 comm cam\\040era age 1.230" BY
		      "pfn 0x607ff refs 1 pid 8 comm player age 0.000" BY);
	REQUIRE(host.drains_all);
	unpin(0x60400);
	REQUIRE_STREQ(text("pins"), "pfn 0x607ff refs 1 pid 8 comm player age 0.000" BY);
	unpin(0x60400 + 1023);
	REQUIRE_STREQ(text("pins"), "");
	host_set(0x60400, 1024, PAGE_FREE);
	host_check_area(cma);
}

TEST(pins_two, "the first and the last pin of a page that is pinned several times")
{
	struct cma *cma = area_with_files(0);

	pin(0x60500, 7, "a");
	pin(0x60500, 8, "b");
	pin(0x60500, 9, "c");
	REQUIRE_STREQ(text("pins"), "pfn 0x60500 refs 3 pid 7 comm a age 0.000" BY
		      "pfn 0x60500 refs 3 pid 9 comm c age 0.000" BY);
	unpin(0x60500);
	unpin(0x60500);
	REQUIRE_STREQ(text("pins"), "pfn 0x60500 refs 1 pid 7 comm a age 0.000" BY
		      "pfn 0x60500 refs 1 pid 9 comm c age 0.000" BY);
	unpin(0x60500);
	/* The page was free of pins, so that the former ones have ended */
	pin(0x60500, 10, "d");
	REQUIRE_STREQ(text("pins"), "pfn 0x60500 refs 1 pid 10 comm d age 0.000" BY);
	host_set(0x60400, 1024, PAGE_FREE);
	pfn_to_page(0x60500)->refs = 0;
	host_check_area(cma);
}

TEST(pins_reuse, "a page that was allocated again is not shown with a name of former pins")
{
	struct cma *cma = area_with_files(0);

	pin(0x60500, 7, "a");
	pin(0x60503, 7, "a");
	pin(0x60504, 8, "b");
	REQUIRE_STREQ(text("pins"), "pfn 0x60500 refs 1 pid 7 comm a age 0.000" BY
		      "pfn 0x60503 refs 1 pid 7 comm a age 0.000" BY
		      "pfn 0x60504 refs 1 pid 8 comm b age 0.000" BY);
	contig_forget_pins(pfn_to_page(0x60500), 2);
	REQUIRE_STREQ(text("pins"), "pfn 0x60504 refs 1 pid 8 comm b age 0.000" BY "unrecorded 2\n");
	/* Somebody who is not recorded */
	contig_forget_pins(pfn_to_page(0x60504), 0);
	REQUIRE_STREQ(text("pins"), "unrecorded 3\n");
	host_set(0x60500, 8, PAGE_FREE);
	REQUIRE_STREQ(text("pins"), "");
	for (unsigned long pfn = 0x60500; pfn < 0x60508; pfn++)
		pfn_to_page(pfn)->refs = 0;
	host_check_area(cma);
}

TEST(pins_where, "pins of buffers, of the reserve and outside of areas are not shown")
{
	struct cma *cma;

	host_pages(0x60400, 2048);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 4 << 20, 2, NULL, &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	cma_set_reserve(cma, 256);
	REQUIRE_EQ(host_late_initcall(), 0);
	host_set(0x60400 + 768, 256, PAGE_OWNED);
	REQUIRE_EQ(put("alloc", "5"), 1);
	host_current.tgid = 7;
	contig_record_pin(pfn_to_page(0x60400 + 4));
	contig_record_pin(pfn_to_page(0x60400 + 768));
	contig_record_pin(pfn_to_page(0x60400 + 1024));
	contig_forget_pins(pfn_to_page(0x60400 + 1020), 4);
	REQUIRE_STREQ(text("pins"), "");
	/* The rest of the last bit of a buffer is nobody's */
	pin(0x60400 + 8, 7, "a");
	pin(0x60400 + 767, 7, "a");
	/* This one has lost its file */
	host_set(0x60400 + 767, 1, PAGE_FIXED);
	host_set(0x60400 + 100, 2, PAGE_FIXED);
	REQUIRE_STREQ(text("pins"), "pfn 0x60408 refs 1 pid 7 comm a age 0.000" BY
		      "pfn 0x606ff refs 1 pid 7 comm a age 0.000" BY);
}

TEST(pins_callers, "who pins a page starts with the caller that pins it")
{
	area_with_files(0);
	for (own_callers = 0; own_callers <= 3; own_callers++) {
		pin(0x60500, 7, "a");
		REQUIRE_STREQ(text("pins"), "pfn 0x60500 refs 1 pid 7 comm a age 0.000" BY);
		unpin(0x60500);
	}
	/* Without it, everything is shown */
	pin(0x60500, 7, "a");
	REQUIRE_STREQ(text("pins"), "pfn 0x60500 refs 1 pid 7 comm a age 0.000 s by 0x3000S < "
		      "0x3001S < 0x3002S < 0x3003S < 0x1000S < 0x2000S\n");
}

TEST(pins_nomem, "without memory for records, nobody who pins pages is shown")
{
	host_pages(0x60400, 1024);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 4 << 20, 0, "x", &(struct cma *){ NULL }), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	host.fail_kzalloc = 1;
	REQUIRE_EQ(host_late_initcall(), 0);
	for (unsigned int i = 0; files[i].name; i++)
		REQUIRE(strcmp(files[i].name, "pins"));
	REQUIRE(strstr(host.log, "cma: no memory to record who pins pages of area x\n"));
	contig_record_pin(pfn_to_page(0x60400));
	contig_forget_pins(pfn_to_page(0x60400), 0);
}
