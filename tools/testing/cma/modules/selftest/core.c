// SPDX-License-Identifier: GPL-2.0
/*
 * Run the tests of cma_selftest: each read of debugfs cma_selftest runs them and
 * returns their results as TAP. "filter=TEXT" selects those that have TEXT in their
 * name. Meant for a system that does nothing else.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include "cma_pdev.h"
#include "selftest.h"

/* The number of tries of a cycle before missing pages count as lost. */
#define ST_CYCLES	5

static char *filter = "";
module_param(filter, charp, 0444);
MODULE_PARM_DESC(filter, "run only the tests with this text in their name");

/*
 * The ends of the list of tests: this object is the first in the module, and
 * end.o is the last one.
 */
static const struct cma_selftest *const st_begin[1]
	__used __section(cma_selftests) = { NULL };

static struct platform_device *st_pdev[ST_NR_DEVICES];
static struct dentry *st_file;

/* One reader at a time: the tests count free pages. Protects st_current. */
static DEFINE_MUTEX(st_lock);
static struct st st_current;

/**
 * st_check() - check a condition for ST_CHECK()
 * @t: running test
 * @condition: what has to hold
 * @function: where it is checked
 * @line: same
 * @fmt: what is wrong, for printf()
 *
 * Context: any.
 * Return: @condition.
 */
bool st_check(struct st *t, bool condition, const char *function, int line,
	      const char *fmt, ...)
{
	char text[160];
	va_list args;

	t->nr_checks++;
	if (condition)
		return true;
	t->failed = true;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	st_note(t, "%s:%d: %s", function, line, text);
	return false;
}

/**
 * st_note() - add a line to the result
 * @t: running test
 * @fmt: text for printf(), without a newline
 *
 * Context: any.
 */
void st_note(struct st *t, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	t->log_len += scnprintf(t->log + t->log_len, ST_LOG_SIZE - t->log_len,
				"# %s\n", text);
}

/**
 * st_device() - find a device to allocate for
 * @which: its area
 *
 * Return: the device.
 */
struct device *st_device(enum st_device which)
{
	return &st_pdev[which]->dev;
}

/**
 * st_need_area() - skip the test when a device has no area
 * @t: running test
 * @which: the device
 *
 * Return: true if it has one, other than the default area for a private one.
 */
bool st_need_area(struct st *t, enum st_device which)
{
	struct cma *cma = dev_get_cma_area(st_device(which));

	if (cma && cma_get_size(cma) &&
	    (which == ST_DEFAULT || cma != dma_contiguous_default_area))
		return true;
	t->skipped = which == ST_DEFAULT ? "no default area" :
		"the board declares no two private areas";
	return false;
}

/**
 * st_area_pages() - get the length of an area
 * @which: a device that has one
 *
 * Return: pages.
 */
unsigned long st_area_pages(enum st_device which)
{
	return cma_get_size(dev_get_cma_area(st_device(which))) >> PAGE_SHIFT;
}

/**
 * st_area_base_pfn() - get the start of an area
 * @which: a device that has one
 *
 * Return: page frame number.
 */
unsigned long st_area_base_pfn(enum st_device which)
{
	return cma_get_base(dev_get_cma_area(st_device(which))) >> PAGE_SHIFT;
}

/**
 * st_free_cma() - count free pages of all areas in the zone of an area
 * @which: a device that has an area
 *
 * Return: pages, with the per-CPU counts that are not in the sum yet.
 */
unsigned long st_free_cma(enum st_device which)
{
	struct page *page = pfn_to_page(st_area_base_pfn(which));

	return zone_page_state_snapshot(page_zone(page), NR_FREE_CMA_PAGES);
}

/**
 * st_in_area() - check that a buffer is entirely inside of an area
 * @which: a device that has an area
 * @page: first page
 * @nr_pages: length
 *
 * Return: true if it is; does not ask the code under test.
 */
bool st_in_area(enum st_device which, const struct page *page,
		unsigned long nr_pages)
{
	unsigned long base = st_area_base_pfn(which);
	unsigned long pfn = page_to_pfn(page);

	return pfn >= base && pfn + nr_pages <= base + st_area_pages(which);
}

static bool st_can_allocate(enum st_device which, unsigned long nr_pages)
{
	struct cma *cma = dev_get_cma_area(st_device(which));
	struct page *page = cma_alloc(cma, nr_pages, 0, true);

	if (page)
		cma_release(cma, page, nr_pages);
	return page;
}

/**
 * st_largest() - find the largest buffer that can be allocated from an area now
 * @which: a device that has an area
 *
 * Drivers may hold some of the area, so this may be less than all of it. Other
 * pages are moved out of the area.
 *
 * Return: pages, 0 for none.
 */
unsigned long st_largest(enum st_device which)
{
	unsigned long good = 0;
	unsigned long bad = st_area_pages(which) + 1;

	if (st_can_allocate(which, bad - 1))
		return bad - 1;
	while (bad - good > 1) {
		unsigned long middle = good + (bad - good) / 2;

		if (st_can_allocate(which, middle))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

/**
 * st_is_filled() - check that memory contains one value only
 * @virt: start
 * @byte: the value
 * @size: bytes
 *
 * Return: true if it does.
 */
bool st_is_filled(const void *virt, u8 byte, size_t size)
{
	const u8 *p = virt;

	while (size && *p == byte) {
		p++;
		size--;
	}
	return !size;
}

/**
 * st_check_no_loss() - check that allocations and releases lose no free page
 * @t: running test
 * @which: the device that @cycle allocates for
 * @cycle: allocates and releases everything
 *
 * Other users may take or free a page in the area meanwhile, so a difference
 * counts only if every try shows it.
 */
void st_check_no_loss(struct st *t, enum st_device which,
		      void (*cycle)(struct st *t, enum st_device which))
{
	unsigned long before, after;
	int i;

	for (i = 0; i < ST_CYCLES; i++) {
		before = st_free_cma(which);
		cycle(t, which);
		after = st_free_cma(which);
		if (before == after || t->failed)
			break;
		msleep(50);
	}
	ST_CHECK(t, before == after, "%lu free CMA pages before, %lu after",
		 before, after);
}

/* The list of tests without its ends. */
static const struct cma_selftest *const *st_first_test(void)
{
	return RELOC_HIDE(&st_begin[0], sizeof(st_begin));
}

static bool st_wanted(const struct cma_selftest *test)
{
	return strstr(test->name, filter);
}

static void st_run(struct seq_file *m, const struct cma_selftest *test,
		   unsigned int number)
{
	struct st *t = &st_current;

	memset(t, 0, sizeof(*t));
	test->run(t);
	if (!t->nr_checks && !t->skipped) {
		t->failed = true;
		st_note(t, "nothing was checked");
	}
	seq_puts(m, t->log);
	if (t->failed)
		seq_printf(m, "not ok %u - %s\n", number, test->name);
	else if (t->skipped)
		seq_printf(m, "ok %u - %s # SKIP %s\n", number, test->name,
			   t->skipped);
	else
		seq_printf(m, "ok %u - %s\n", number, test->name);
}

static int st_show(struct seq_file *m, void *unused)
{
	const struct cma_selftest *const *test;
	unsigned int count = 0;

	mutex_lock(&st_lock);
	for (test = st_first_test(); *test; test++)
		count += st_wanted(*test);
	seq_printf(m, "1..%u\n", count);
	count = 0;
	for (test = st_first_test(); *test; test++) {
		if (!st_wanted(*test))
			continue;
		st_run(m, *test, ++count);
		cond_resched();
	}
	mutex_unlock(&st_lock);
	return 0;
}

/*
 * seq_file calls the show function again if its buffer was too small, which would
 * run the tests again: allocate one that is large enough.
 */
static int st_open(struct inode *inode, struct file *file)
{
	const struct cma_selftest *const *test;
	size_t size = PAGE_SIZE;
	struct seq_file *m;
	int ret;

	ret = single_open(file, st_show, NULL);
	if (ret)
		return ret;
	for (test = st_first_test(); *test; test++)
		size += ST_LOG_SIZE + 256;
	m = file->private_data;
	m->buf = kmalloc(size, GFP_KERNEL);
	if (!m->buf) {
		single_release(inode, file);
		return -ENOMEM;
	}
	m->size = size;
	return 0;
}

static const struct file_operations st_fops = {
	.owner		= THIS_MODULE,
	.open		= st_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int st_assign_area(struct cma *cma, void *data)
{
	unsigned int *next = data;

	if (cma == dma_contiguous_default_area)
		return 0;
	dev_set_cma_area(st_device(*next), cma);
	return ++*next == ST_NR_DEVICES;
}

/*
 * Use the areas of two devices in the device tree as private areas, or the first
 * two that are not the default one.
 */
static void st_assign_areas(void)
{
	unsigned int next = ST_PRIVATE_1;

	if (tree_area_init(st_device(ST_PRIVATE_1), "/cma-board-1") ||
	    tree_area_init(st_device(ST_PRIVATE_2), "/cma-board-2"))
		cma_for_each_area(st_assign_area, &next);
}

static void st_remove_devices(void)
{
	int i;

	for (i = 0; i < ST_NR_DEVICES; i++) {
		if (!st_pdev[i])
			continue;
		tree_area_release(&st_pdev[i]->dev);
		platform_device_unregister(st_pdev[i]);
		st_pdev[i] = NULL;
	}
}

static int st_add_device(enum st_device which)
{
	struct platform_device *pdev;

	pdev = cma_pdev_register("cma_selftest", which);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	st_pdev[which] = pdev;
	return 0;
}

static int __init st_init(void)
{
	int ret = 0;
	int i;

	for (i = 0; i < ST_NR_DEVICES; i++) {
		ret = st_add_device(i);
		if (ret)
			goto remove_devices;
	}
	st_assign_areas();

	st_file = debugfs_create_file("cma_selftest", 0400, NULL, NULL,
				      &st_fops);
	if (IS_ERR_OR_NULL(st_file)) {
		ret = -ENODEV;
		goto remove_devices;
	}
	return 0;

remove_devices:
	st_remove_devices();
	return ret;
}

static void __exit st_exit(void)
{
	debugfs_remove(st_file);
	st_remove_devices();
}

module_init(st_init);
module_exit(st_exit);

MODULE_DESCRIPTION("Tests of contiguous memory that run in the kernel");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
