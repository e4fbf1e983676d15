// SPDX-License-Identifier: GPL-2.0
/*
 * Find pages of areas that are mapped with different memory attributes
 *
 * A read of debugfs cma_alias walks all page tables while every other CPU is
 * stopped, and prints
 *
 *	now: pages P mapped M mappings N spaces S aliases A in T us
 *	all: checks C aliases A longest T us
 *	alias: page frame PFN: ADDRESS of PID (KIND) and ADDRESS of PID (KIND)
 *	provoked: page frame PFN: ADDRESS and ADDRESS
 *
 * P is the number of pages of all areas, M how many of them are mapped, N how
 * often, and S the number of address spaces. An alias is a mapping that differs
 * from the first one of its page. The kernel's mappings have the PID 0: the linear
 * mapping, vmalloc space, and the slots of kmap() and kmap_atomic(), also those
 * that nobody uses any more, but whose entries are still valid.
 *
 * The walk reads what the hardware reads: short descriptors. What remains in a TLB
 * after the entry has gone cannot be seen.
 *
 * A write is one of these commands:
 *
 *	watch MS	check every so many milliseconds; 0: stop
 *	buffer		allocate a coherent buffer, whose page number 1 the others map
 *	same		the same, and map the page like the buffer
 *	vmap		the same, and map the page cached
 *	kmap		the same, after a kmap() and a kunmap() of the page
 *	kmap_atomic	the same, after a kmap_atomic() and a kunmap_atomic()
 *	none		free the buffer of one of the commands before
 *
 * mmap() maps the page cached. A buffer belongs to the open file.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cma.h>
#include <linux/debugfs.h>
#include <linux/dma-contiguous.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/pgtable.h>

#include "cma_pdev.h"

/* CONFIG_HIGHPTE: page tables of processes can be in high memory */
static const u32 *alias_map_table(u32 phys)
{
	return kmap_atomic(pfn_to_page(phys >> PAGE_SHIFT)) +
		(phys & (PAGE_SIZE - 1));
}

static void alias_unmap_table(const u32 *table)
{
	kunmap_atomic((void *)table);
}

#include "cma_alias.h"

#define ALIAS_BUFFER_SIZE	(4 * PAGE_SIZE)

#define SCTLR_TRE		BIT(28)	/* PRRR and NMRR give TEX[0], C, B a meaning */
#define SCTLR_XP		BIT(23)	/* entries have the format of ARMv6 */
#define TTBCR_EAE		BIT(31)	/* long descriptors */

static struct platform_device *alias_pdev;
static struct dentry *alias_file;

/* Protects all below, alias_check and alias_area.first. */
static DEFINE_MUTEX(alias_lock);
static unsigned int alias_checks;
static unsigned int alias_aliases;
static u32 alias_longest;

/* Protects the thread; not taken by it. */
static DEFINE_MUTEX(alias_watch_lock);
static struct task_struct *alias_watcher;

/* What an open file has provoked */
struct alias_buffer {
	struct mutex lock;	/* protects the other fields */
	void *virt;		/* NULL: nothing */
	dma_addr_t dma;
	struct page *page;	/* number 1 of the buffer */
	void *vmap;		/* a second mapping that has to be removed, or NULL */
	unsigned long second;	/* address of the second mapping, or 0 */
};

static int alias_read_cpu(void)
{
	u32 sctlr, ttbcr, ttbr1, prrr = 0, nmrr = 0;

	asm("mrc p15, 0, %0, c1, c0, 0" : "=r" (sctlr));
	asm("mrc p15, 0, %0, c2, c0, 2" : "=r" (ttbcr));
	if (!(sctlr & SCTLR_XP) || (ttbcr & TTBCR_EAE))
		return -ENODEV;
	/* the kernel lets it point to the tables of init_mm, which it does not export */
	asm("mrc p15, 0, %0, c2, c0, 1" : "=r" (ttbr1));
	alias_kernel = phys_to_virt(ttbr1 & ~(L1_ENTRIES * sizeof(u32) - 1));

	if (sctlr & SCTLR_TRE) {
		asm("mrc p15, 0, %0, c10, c2, 0" : "=r" (prrr));
		asm("mrc p15, 0, %0, c10, c2, 1" : "=r" (nmrr));
	}
	alias_set_kinds(sctlr & SCTLR_TRE, prrr, nmrr);
	return 0;
}

/* A task that exits has no mm any more; a CPU that it was preempted on borrows it. */
static const struct mm_struct *alias_mm(const struct task_struct *task)
{
	return task->mm ? task->mm : task->active_mm;
}

/*
 * Are these page tables walked for another task? For the first one that has them, or
 * if there is none, for the first one that borrows them.
 */
static bool alias_is_walked(const struct task_struct *task)
{
	const struct task_struct *process, *other;
	bool before = true;

	do_each_thread(process, other) {
		if (other == task)
			before = false;
		else if (alias_mm(other) == alias_mm(task) &&
			 (task->mm ? before && other->mm : before || other->mm))
			return true;
	} while_each_thread(process, other);
	return false;
}

/*
 * All other CPUs are stopped, and what they did can be preempted, so that nobody
 * holds a spinlock, changes the list of tasks, or frees a page table.
 */
static int alias_walk_all(void *unused)
{
	struct task_struct *process, *task;
	const struct mm_struct *mm;

	alias_walk(alias_kernel, 0);
	rcu_read_lock();
	do_each_thread(process, task) {
		mm = alias_mm(task);
		if (mm && (u32 *)mm->pgd != alias_kernel && !alias_is_walked(task))
			alias_walk((u32 *)mm->pgd, task_pid_nr(task));
	} while_each_thread(process, task);
	rcu_read_unlock();
	return 0;
}

/* The text of a found alias */
static const char *alias_text(const struct alias_found *found, char *text,
			      size_t size)
{
	const struct alias_mapping *m;
	size_t len;
	int i;

	len = scnprintf(text, size, "page frame %#lx:", found->pfn);
	for (i = 0; i < 2; i++) {
		m = &found->mapping[i];
		len += scnprintf(text + len, size - len,
				 "%s %#x of %d (%s, TEX %u C %u B %u S %u)",
				 i ? " and" : "", m->addr, m->pid,
				 alias_kind_name(m->kind), m->attributes >> 3,
				 m->attributes >> 2 & 1, m->attributes >> 1 & 1,
				 m->attributes & 1);
	}
	return text;
}

/* One check, whose result is in alias_check */
static void alias_run(void)
{
	ktime_t start;
	unsigned int i;
	char text[192];

	lockdep_assert_held(&alias_lock);
	alias_reset();
	start = ktime_get();
	stop_machine(alias_walk_all, NULL, NULL);
	alias_check.us = ktime_to_ns(ktime_sub(ktime_get(), start)) >> 10;

	alias_checks++;
	alias_aliases += alias_check.aliases;
	alias_longest = max(alias_longest, alias_check.us);
	for (i = 0; i < alias_nr_found(); i++)
		pr_err_ratelimited("%s\n",
				   alias_text(&alias_check.found[i], text,
					      sizeof(text)));
}

/*
 * The thread that checks
 */

static int alias_watch_main(void *data)
{
	unsigned int ms = (unsigned long)data;

	while (!kthread_should_stop()) {
		mutex_lock(&alias_lock);
		alias_run();
		mutex_unlock(&alias_lock);
		schedule_timeout_interruptible(msecs_to_jiffies(ms));
	}
	return 0;
}

static int alias_watch(unsigned long ms)
{
	struct task_struct *task;
	int ret = 0;

	mutex_lock(&alias_watch_lock);
	if (alias_watcher)
		kthread_stop(alias_watcher);
	alias_watcher = NULL;
	if (ms) {
		task = kthread_run(alias_watch_main, (void *)ms, "cma_alias");
		if (IS_ERR(task))
			ret = PTR_ERR(task);
		else
			alias_watcher = task;
	}
	mutex_unlock(&alias_watch_lock);
	return ret;
}

/*
 * Aliases on purpose
 */

static void alias_free(struct alias_buffer *buffer)
{
	if (buffer->vmap)
		vunmap(buffer->vmap);
	if (buffer->virt)
		dma_free_coherent(&alias_pdev->dev, ALIAS_BUFFER_SIZE,
				  buffer->virt, buffer->dma);
	buffer->vmap = NULL;
	buffer->virt = NULL;
	buffer->second = 0;
}

static int alias_alloc(struct alias_buffer *buffer)
{
	alias_free(buffer);
	buffer->virt = dma_alloc_coherent(&alias_pdev->dev, ALIAS_BUFFER_SIZE,
					  &buffer->dma, GFP_KERNEL);
	if (!buffer->virt)
		return -ENOMEM;
	buffer->page = pfn_to_page(dma_to_pfn(&alias_pdev->dev, buffer->dma) + 1);
	return 0;
}

static int alias_vmap(struct alias_buffer *buffer, pgprot_t prot)
{
	buffer->vmap = vmap(&buffer->page, 1, VM_MAP, prot);
	if (!buffer->vmap)
		return -ENOMEM;
	buffer->second = (unsigned long)buffer->vmap;
	return 0;
}

/* In low memory this is the mapping of the buffer */
static int alias_kmap(struct alias_buffer *buffer)
{
	buffer->second = (unsigned long)kmap(buffer->page);
	kunmap(buffer->page);
	return 0;
}

static int alias_kmap_atomic(struct alias_buffer *buffer)
{
	void *virt = kmap_atomic(buffer->page);

	buffer->second = (unsigned long)virt;
	kunmap_atomic(virt);
	return 0;
}

static int alias_provoke(struct alias_buffer *buffer, const char *how)
{
	int ret;

	if (!strcmp(how, "none")) {
		alias_free(buffer);
		return 0;
	}
	ret = alias_alloc(buffer);
	if (ret)
		return ret;
	if (!strcmp(how, "buffer"))
		return 0;
	if (!strcmp(how, "same"))
		return alias_vmap(buffer, pgprot_dmacoherent(PAGE_KERNEL));
	if (!strcmp(how, "vmap"))
		return alias_vmap(buffer, PAGE_KERNEL);
	if (!strcmp(how, "kmap"))
		return alias_kmap(buffer);
	if (!strcmp(how, "kmap_atomic"))
		return alias_kmap_atomic(buffer);
	return -EINVAL;
}

/*
 * The file
 */

static ssize_t alias_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *ppos)
{
	struct alias_buffer *buffer =
		((struct seq_file *)file->private_data)->private;
	unsigned long ms;
	char text[32];
	int ret;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	if (count && text[count - 1] == '\n')
		text[count - 1] = '\0';

	if (sscanf(text, "watch %lu", &ms) == 1) {
		ret = ms <= 60000 ? alias_watch(ms) : -EINVAL;
	} else {
		mutex_lock(&buffer->lock);
		ret = alias_provoke(buffer, text);
		if (ret)
			alias_free(buffer);
		mutex_unlock(&buffer->lock);
	}
	return ret ? ret : count;
}

static int alias_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct alias_buffer *buffer =
		((struct seq_file *)file->private_data)->private;
	int ret = -ENXIO;

	/* lockdep: nothing under this lock needs mmap_sem */
	mutex_lock(&buffer->lock);
	if (buffer->virt && vma->vm_end - vma->vm_start == PAGE_SIZE)
		ret = remap_pfn_range(vma, vma->vm_start,
				      page_to_pfn(buffer->page), PAGE_SIZE,
				      vma->vm_page_prot);
	if (!ret)
		buffer->second = vma->vm_start;
	mutex_unlock(&buffer->lock);
	return ret;
}

static int alias_show(struct seq_file *m, void *unused)
{
	struct alias_buffer *buffer = m->private;
	unsigned long nr_pages = 0;
	char text[192];
	unsigned int i;

	for (i = 0; i < alias_nr_areas; i++)
		nr_pages += alias_areas[i].nr_pages;

	mutex_lock(&alias_lock);
	alias_run();
	seq_printf(m, "now: pages %lu mapped %lu mappings %lu spaces %u aliases %u in %u us\n",
		   nr_pages, alias_check.mapped, alias_check.mappings,
		   alias_check.spaces, alias_check.aliases, alias_check.us);
	seq_printf(m, "all: checks %u aliases %u longest %u us\n", alias_checks,
		   alias_aliases, alias_longest);
	for (i = 0; i < alias_nr_found(); i++)
		seq_printf(m, "alias: %s\n",
			   alias_text(&alias_check.found[i], text,
				      sizeof(text)));
	mutex_unlock(&alias_lock);

	mutex_lock(&buffer->lock);
	if (buffer->virt)
		seq_printf(m, "provoked: page frame %#lx: %#lx and %#lx\n",
			   page_to_pfn(buffer->page),
			   (unsigned long)buffer->virt + PAGE_SIZE,
			   buffer->second);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int alias_open(struct inode *inode, struct file *file)
{
	struct alias_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	int ret;

	if (!buffer)
		return -ENOMEM;
	mutex_init(&buffer->lock);
	ret = single_open(file, alias_show, buffer);
	if (ret)
		kfree(buffer);
	return ret;
}

static int alias_release(struct inode *inode, struct file *file)
{
	struct alias_buffer *buffer =
		((struct seq_file *)file->private_data)->private;

	alias_free(buffer);
	kfree(buffer);
	return single_release(inode, file);
}

static const struct file_operations alias_fops = {
	.owner		= THIS_MODULE,
	.open		= alias_open,
	.read		= seq_read,
	.write		= alias_write,
	.mmap		= alias_mmap,
	.llseek		= seq_lseek,
	.release	= alias_release,
};

static int __init alias_add_area(struct cma *cma, void *error)
{
	unsigned long nr_pages = cma_get_size(cma) >> PAGE_SHIFT;
	struct alias_area *area;

	if (!nr_pages)
		return 0;
	if (alias_nr_areas == ALIAS_MAX_AREAS) {
		*(int *)error = -E2BIG;
		return 1;
	}
	area = &alias_areas[alias_nr_areas];
	area->first = vmalloc(nr_pages * sizeof(*area->first));
	if (!area->first) {
		*(int *)error = -ENOMEM;
		return 1;
	}
	area->pfn = cma_get_base(cma) >> PAGE_SHIFT;
	area->nr_pages = nr_pages;
	alias_nr_areas++;
	return 0;
}

static void alias_remove_areas(void)
{
	while (alias_nr_areas)
		vfree(alias_areas[--alias_nr_areas].first);
}

static int __init alias_init(void)
{
	int ret = 0;

	cma_for_each_area(alias_add_area, &ret);
	if (!ret)
		ret = alias_read_cpu();
	if (ret)
		goto remove_areas;
	alias_pdev = cma_pdev_register("cma_alias", -1);
	if (IS_ERR(alias_pdev)) {
		ret = PTR_ERR(alias_pdev);
		goto remove_areas;
	}
	alias_file = debugfs_create_file("cma_alias", 0600, NULL, NULL,
					 &alias_fops);
	if (IS_ERR_OR_NULL(alias_file)) {
		ret = -ENODEV;
		goto remove_device;
	}
	return 0;

remove_device:
	platform_device_unregister(alias_pdev);
remove_areas:
	alias_remove_areas();
	return ret;
}

static void __exit alias_exit(void)
{
	debugfs_remove(alias_file);
	alias_watch(0);
	platform_device_unregister(alias_pdev);
	alias_remove_areas();
}

module_init(alias_init);
module_exit(alias_exit);

MODULE_DESCRIPTION("Check that no page of an area is mapped in two ways");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
