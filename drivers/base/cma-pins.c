// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs file of a contiguous memory area: who pins its pages.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/contig.h>
#include <linux/contig-holders.h>
#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "cma.h"

/*
 * An open file.  Its position is the number of a page in the area, and behind the
 * last one there is the number of pages that nobody is known to have pinned.
 */
struct cma_pins {
	struct cma		*cma;
	unsigned long		pfn;
	unsigned long		nr_unrecorded;
	struct contig_pin	pin;	/* of pfn, if nr_unrecorded is 0 */
};

static bool cma_is_claimed(struct cma *cma, unsigned long pfn)
{
	unsigned long bit = (pfn - cma->base_pfn) >> cma->order_per_bit;
	unsigned long flags;
	bool claimed;

	spin_lock_irqsave(&cma->lock, flags);
	claimed = find_next_bit(cma->bitmap, bit + 1, bit) == bit;
	spin_unlock_irqrestore(&cma->lock, flags);
	return claimed;
}

/* Find the next page with a pin that is recorded, or is not; false: none is left */
static bool cma_next_pin(struct cma_pins *pins, unsigned long pfn, bool recorded)
{
	struct cma *cma = pins->cma;

	for (; pfn < cma_reserve_pfn(cma); pfn++) {
		cond_resched();
		if (!contig_page_pin(pfn, &pins->pin) ||
		    !pins->pin.nr_holders == recorded || cma_is_claimed(cma, pfn))
			continue;
		pins->pfn = pfn;
		return true;
	}

	return false;
}

static void *cma_pins_find(struct cma_pins *pins, loff_t *pos)
{
	struct cma *cma = pins->cma;
	unsigned long end = cma_reserve_pfn(cma) - cma->base_pfn;
	unsigned long pfn;

	pins->nr_unrecorded = 0;
	if (*pos > end)
		return NULL;
	if (cma_next_pin(pins, cma->base_pfn + (unsigned long)*pos, true)) {
		*pos = pins->pfn - cma->base_pfn;
		return pins;
	}

	for (pfn = cma->base_pfn; cma_next_pin(pins, pfn, false);
	     pfn = pins->pfn + 1)
		pins->nr_unrecorded++;
	*pos = end;
	return pins->nr_unrecorded ? pins : NULL;
}

static void *cma_pins_start(struct seq_file *s, loff_t *pos)
{
	return cma_pins_find(s->private, pos);
}

static void *cma_pins_next(struct seq_file *s, void *v, loff_t *pos)
{
	++*pos;
	return cma_pins_find(s->private, pos);
}

static void cma_pins_stop(struct seq_file *s, void *v)
{
}

static void cma_show_holder(struct seq_file *s, const struct cma_pins *pins,
			    const struct contig_holder *holder)
{
	unsigned long age = jiffies - holder->since;
	unsigned int i;

	seq_printf(s, "pfn %#lx refs %d pid %d comm ", pins->pfn,
		   pins->pin.nr_refs, (int)holder->pid);
	seq_escape(s, holder->comm, " \t\n\\");
	seq_printf(s, " age %lu.%03u s", age / HZ, jiffies_to_msecs(age % HZ));
	for (i = 0; i < CONTIG_NR_CALLERS; i++) {
		if (!holder->callers[i] || holder->callers[i] == ULONG_MAX)
			break;
		seq_printf(s, " %s %pS", i ? "<" : "by",
			   (void *)holder->callers[i]);
	}
	seq_putc(s, '\n');
}

static int cma_pins_show(struct seq_file *s, void *v)
{
	const struct cma_pins *pins = v;
	unsigned int i;

	if (pins->nr_unrecorded)
		seq_printf(s, "unrecorded %lu\n", pins->nr_unrecorded);
	else
		for (i = 0; i < pins->pin.nr_holders; i++)
			cma_show_holder(s, pins, &pins->pin.holders[i]);

	return 0;
}

static const struct seq_operations cma_pins_ops = {
	.start	= cma_pins_start,
	.next	= cma_pins_next,
	.stop	= cma_pins_stop,
	.show	= cma_pins_show,
};

static int cma_pins_open(struct inode *inode, struct file *file)
{
	struct cma_pins *pins = __seq_open_private(file, &cma_pins_ops,
						   sizeof(*pins));

	if (!pins)
		return -ENOMEM;

	pins->cma = inode->i_private;
	/* Pages on the lists of CPUs look as if they were pinned */
	drain_contig_pages(true, jiffies + msecs_to_jiffies(20));
	return 0;
}

static const struct file_operations cma_pins_fops = {
	.open		= cma_pins_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release_private,
};

/**
 * cma_debugfs_add_pins() - begin to record and show who pins pages of an area
 * @cma: area
 * @dir: its directory in debugfs
 *
 * Context: process context, during boot.
 */
void __init cma_debugfs_add_pins(struct cma *cma, struct dentry *dir)
{
	if (contig_track_pins(cma->base_pfn, cma->count - cma->reserve)) {
		pr_err("no memory to record who pins pages of area %s\n",
		       cma->name);
		return;
	}

	debugfs_create_file("pins", 0400, dir, cma, &cma_pins_fops);
}
