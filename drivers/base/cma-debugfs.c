// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs files of contiguous memory areas, in one directory cma/<area>/ each.
 */
#include <linux/cma.h>
#include <linux/contig.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "cma.h"

/* Since v4.16 in seq_file.h */
#ifndef DEFINE_SHOW_ATTRIBUTE
#define DEFINE_SHOW_ATTRIBUTE(_name)					\
static int _name##_open(struct inode *inode, struct file *file)	\
{									\
	return single_open(file, _name##_show, inode->i_private);	\
}									\
									\
static const struct file_operations _name##_fops = {			\
	.open		= _name##_open,					\
	.read		= seq_read,					\
	.llseek		= seq_lseek,					\
	.release	= single_release,				\
}
#endif

/* An allocation made by writing to "alloc"; the list has the latest one first */
struct cma_debug_chunk {
	struct list_head	list;
	struct cma		*cma;
	struct page		*pages;
	unsigned long		count;
};

static DEFINE_MUTEX(cma_debug_mutex);	/* cma_debug_chunks */
static LIST_HEAD(cma_debug_chunks);

static int cma_debug_alloc(struct cma *cma, unsigned long count)
{
	struct cma_debug_chunk *chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return -ENOMEM;

	chunk->pages = cma_alloc(cma, count, 0, false);
	if (!chunk->pages) {
		kfree(chunk);
		return -ENOMEM;
	}

	chunk->cma = cma;
	chunk->count = count;
	mutex_lock(&cma_debug_mutex);
	list_add(&chunk->list, &cma_debug_chunks);
	mutex_unlock(&cma_debug_mutex);
	return 0;
}

static int cma_debug_free(struct cma *cma, unsigned long count)
{
	struct cma_debug_chunk *chunk, *next;

	mutex_lock(&cma_debug_mutex);
	list_for_each_entry_safe(chunk, next, &cma_debug_chunks, list) {
		unsigned long part = min(count, chunk->count);

		if (chunk->cma != cma)
			continue;
		if (part < chunk->count)
			part = round_down(part, 1UL << cma->order_per_bit);
		if (!part)
			break;

		cma_release(cma, chunk->pages, part);
		chunk->pages = nth_page(chunk->pages, part);
		chunk->count -= part;
		count -= part;
		if (chunk->count)
			break;
		list_del(&chunk->list);
		kfree(chunk);
	}
	mutex_unlock(&cma_debug_mutex);
	return 0;
}

static ssize_t cma_debug_write(struct file *file, const char __user *buf,
			       size_t size,
			       int (*op)(struct cma *cma, unsigned long count))
{
	unsigned long count;
	int ret = kstrtoul_from_user(buf, size, 0, &count);

	if (!ret)
		ret = op(file->private_data, count);
	return ret ? ret : size;
}

static ssize_t cma_alloc_write(struct file *file, const char __user *buf,
			       size_t size, loff_t *pos)
{
	return cma_debug_write(file, buf, size, cma_debug_alloc);
}

static ssize_t cma_free_write(struct file *file, const char __user *buf,
			      size_t size, loff_t *pos)
{
	return cma_debug_write(file, buf, size, cma_debug_free);
}

static int cma_debug_open(struct inode *inode, struct file *file)
{
	file->private_data = inode->i_private;
	return 0;
}

static const struct file_operations cma_alloc_fops = {
	.open	= cma_debug_open,
	.write	= cma_alloc_write,
	.llseek	= noop_llseek,
};

static const struct file_operations cma_free_fops = {
	.open	= cma_debug_open,
	.write	= cma_free_write,
	.llseek	= noop_llseek,
};

/*
 * Return the length in pages of the longest run of clear bits, where the reserve
 * is a run of its own
 */
static unsigned long cma_max_chunk(struct cma *cma)
{
	unsigned long maxno = cma_bitmap_maxno(cma);
	unsigned long border = cma_reserve_bit(cma);
	unsigned long start, end = 0, longest = 0;
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	while (end < maxno) {
		start = find_next_zero_bit(cma->bitmap, maxno, end);
		end = find_next_bit(cma->bitmap, maxno, start);
		if (start < border && border < end)
			end = border;
		longest = max(longest, end - start);
	}
	spin_unlock_irqrestore(&cma->lock, flags);

	return longest << cma->order_per_bit;
}

static int cma_used_get(void *data, u64 *val)
{
	*val = cma_used_pages(data);
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(cma_used_fops, cma_used_get, NULL, "%llu\n");

static int cma_maxchunk_get(void *data, u64 *val)
{
	*val = cma_max_chunk(data);
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(cma_maxchunk_fops, cma_maxchunk_get, NULL, "%llu\n");

static int cma_count_get(void *data, u64 *val)
{
	*val = ((struct cma *)data)->count;
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(cma_count_fops, cma_count_get, NULL, "%llu\n");

static int cma_base_pfn_get(void *data, u64 *val)
{
	*val = ((struct cma *)data)->base_pfn;
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(cma_base_pfn_fops, cma_base_pfn_get, NULL, "%llu\n");

static int cma_order_per_bit_get(void *data, u64 *val)
{
	*val = ((struct cma *)data)->order_per_bit;
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(cma_order_per_bit_fops, cma_order_per_bit_get, NULL,
			"%llu\n");

/* Print the bitmap as 32-bit words */
static int cma_bitmap_show(struct seq_file *s, void *unused)
{
	struct cma *cma = s->private;
	unsigned long nr_bits = cma_bitmap_maxno(cma);
	unsigned long bit;

	for (bit = 0; bit < nr_bits; bit += 32) {
		u32 word = cma->bitmap[BIT_WORD(bit)] >> (bit % BITS_PER_LONG);

		seq_printf(s, "%u%c", word, bit + 32 < nr_bits ? ' ' : '\n');
	}

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cma_bitmap);

/* Print the lower limit in us of each class of latencies, and its allocations */
static int cma_latency_show(struct seq_file *s, void *unused)
{
	struct cma *cma = s->private;
	unsigned int i;

	for (i = 0; i < CMA_NR_LATENCIES; i++)
		seq_printf(s, "%lu %lu\n", i ? 1UL << (i - 1) : 0,
			   (unsigned long)atomic_long_read(&cma->nr_latency[i]));

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cma_latency);

static int cma_max_latency_get(void *data, u64 *val)
{
	*val = (unsigned long)atomic_long_read(&((struct cma *)data)->max_latency);
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(cma_max_latency_fops, cma_max_latency_get, NULL,
			"%llu\n");

/*
 * Print what the pages are that movable allocations can use, as far as they are
 * not part of a buffer, and how many are
 */
static int cma_pages_show(struct seq_file *s, void *unused)
{
	static const char * const kinds[NR_CONTIG_KINDS] = {
		[CONTIG_FREE]	= "free",
		[CONTIG_DROP]	= "unused_cache",
		[CONTIG_MOVE]	= "movable",
		[CONTIG_IO]	= "under_io",
		[CONTIG_HELD]	= "pinned",
		[CONTIG_FIXED]	= "fixed",
	};
	struct cma *cma = s->private;
	unsigned long border = cma_reserve_bit(cma);
	unsigned long start, end = 0, flags, nr[NR_CONTIG_KINDS] = { 0 };
	struct contig_scan scan;
	unsigned int i;

	for (;;) {
		spin_lock_irqsave(&cma->lock, flags);
		start = find_next_zero_bit(cma->bitmap, border, end);
		end = find_next_bit(cma->bitmap, border, start);
		spin_unlock_irqrestore(&cma->lock, flags);
		if (start >= border)
			break;
		scan_contig_range(cma->base_pfn + (start << cma->order_per_bit),
				  cma->base_pfn + (end << cma->order_per_bit),
				  &scan);
		for (i = 0; i < NR_CONTIG_KINDS; i++)
			nr[i] += scan.nr[i];
		cond_resched();
	}

	for (i = 0; i < NR_CONTIG_KINDS; i++)
		seq_printf(s, "%s %lu\n", kinds[i], nr[i]);
	seq_printf(s, "used %lu\n", cma_used_pages(cma));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cma_pages);

static void cma_show_counter(struct seq_file *s, const char *name,
			     atomic_long_t *counter)
{
	seq_printf(s, "%s %lu\n", name,
		   (unsigned long)atomic_long_read(counter));
}

/* Print what emptying ranges took, and why ranges were skipped */
static int cma_stats_show(struct seq_file *s, void *unused)
{
	static const char * const skips[NR_CMA_SKIPS] = {
		[CMA_SKIP_HELD]		= "skipped_held",
		[CMA_SKIP_FIXED]	= "skipped_fixed",
		[CMA_SKIP_IO]		= "skipped_io",
		[CMA_SKIP_CLAIMED]	= "skipped_claimed",
	};
	struct cma *cma = s->private;
	unsigned int i;

	cma_show_counter(s, "moved_pages", &cma->nr_moved);
	cma_show_counter(s, "dropped_pages", &cma->nr_dropped);
	cma_show_counter(s, "waits", &cma->nr_waits);
	for (i = 0; i < NR_CMA_SKIPS; i++)
		cma_show_counter(s, skips[i], &cma->nr_skipped[i]);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cma_stats);

static int __init cma_debugfs_add(struct cma *cma, void *root)
{
	struct dentry *dir;

	if (!cma->count)
		return 0;

	dir = debugfs_create_dir(cma->name, root);
	if (IS_ERR_OR_NULL(dir))
		return 0;

	debugfs_create_file("alloc", 0200, dir, cma, &cma_alloc_fops);
	debugfs_create_file("free", 0200, dir, cma, &cma_free_fops);
	debugfs_create_file("used", 0444, dir, cma, &cma_used_fops);
	debugfs_create_file("count", 0444, dir, cma, &cma_count_fops);
	debugfs_create_file("maxchunk", 0444, dir, cma, &cma_maxchunk_fops);
	debugfs_create_file("base_pfn", 0444, dir, cma, &cma_base_pfn_fops);
	debugfs_create_file("order_per_bit", 0444, dir, cma,
			    &cma_order_per_bit_fops);
	debugfs_create_file("bitmap", 0444, dir, cma, &cma_bitmap_fops);
	debugfs_create_file("latency", 0444, dir, cma, &cma_latency_fops);
	debugfs_create_file("max_latency", 0444, dir, cma,
			    &cma_max_latency_fops);
	debugfs_create_file("pages", 0444, dir, cma, &cma_pages_fops);
	debugfs_create_file("stats", 0444, dir, cma, &cma_stats_fops);
	cma_debugfs_add_pins(cma, dir);
	return 0;
}

static int __init cma_debugfs_init(void)
{
	struct dentry *root = debugfs_create_dir("cma", NULL);

	if (IS_ERR_OR_NULL(root))
		return 0;
	return cma_for_each_area(cma_debugfs_add, root);
}
late_initcall(cma_debugfs_init);
