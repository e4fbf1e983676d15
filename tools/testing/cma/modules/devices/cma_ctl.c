// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_ctl - let a test program allocate contiguous memory, pin a page in an
 * area and call alloc_contig_range(). See cma_ctl.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include <asm/pgtable.h>

#include "cma_ctl.h"
#include "cma_pdev.h"
#include "cma_pte.h"
#include "compat.h"

#define CMA_CTL_MAX_PINS	16

/* A buffer of an open file, on its list of buffers. */
struct cma_ctl_buffer {
	struct list_head node;
	u32 id;
	u32 how;
	size_t size;		/* bytes */
	void *virt;
	dma_addr_t dma;
	bool mapped_wrong;
};

/* An open file. */
struct cma_ctl_file {
	struct mutex lock;	/* protects all fields; held across allocations */
	struct list_head buffers;
	u32 next_id;
	unsigned int nr_pins;
	struct page *pins[CMA_CTL_MAX_PINS];
};

static struct platform_device *cma_ctl_pdev;
static DEFINE_SPINLOCK(cma_ctl_atomic_lock);

static atomic_t cma_ctl_killed = ATOMIC_INIT(0);
static atomic_t cma_ctl_range_eintr = ATOMIC_INIT(0);

static unsigned long cma_ctl_pfn(const struct cma_ctl_buffer *buffer)
{
	return dma_to_pfn(&cma_ctl_pdev->dev, buffer->dma);
}

static void cma_ctl_dma_alloc(struct cma_ctl_buffer *buffer)
{
	struct device *dev = &cma_ctl_pdev->dev;
	unsigned long flags;

	switch (buffer->how) {
	case CMA_CTL_WRITECOMBINE:
		buffer->virt = dma_alloc_writecombine(dev, buffer->size,
						      &buffer->dma, GFP_KERNEL);
		break;
	case CMA_CTL_ATOMIC:
		spin_lock_irqsave(&cma_ctl_atomic_lock, flags);
		buffer->virt = dma_alloc_coherent(dev, buffer->size,
						  &buffer->dma, GFP_ATOMIC);
		spin_unlock_irqrestore(&cma_ctl_atomic_lock, flags);
		break;
	default:
		buffer->virt = dma_alloc_coherent(dev, buffer->size,
						  &buffer->dma, GFP_KERNEL);
	}
}

static void cma_ctl_free(struct cma_ctl_buffer *buffer)
{
	struct device *dev = &cma_ctl_pdev->dev;

	if (buffer->how == CMA_CTL_WRITECOMBINE)
		dma_free_writecombine(dev, buffer->size, buffer->virt,
				      buffer->dma);
	else
		dma_free_coherent(dev, buffer->size, buffer->virt, buffer->dma);
	list_del(&buffer->node);
	kfree(buffer);
}

static u32 cma_ctl_nonzero(const struct cma_ctl_buffer *buffer)
{
	const u32 *word = buffer->virt;
	u32 bytes = 0;
	size_t i;

	for (i = 0; i < buffer->size / sizeof(*word); i++)
		if (word[i])
			bytes += sizeof(*word);
	return bytes;
}

static int cma_ctl_alloc(struct cma_ctl_file *ctl, void __user *arg)
{
	struct cma_ctl_buffer *buffer;
	struct cma_ctl_alloc req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!req.size || req.size > CMA_CTL_MMAP_STEP ||
	    req.how > CMA_CTL_ATOMIC)
		return -EINVAL;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	buffer->size = PAGE_ALIGN(req.size);
	buffer->how = req.how;
	INIT_LIST_HEAD(&buffer->node);

	if (req.kill)
		send_sig(SIGKILL, current, 1);
	cma_ctl_dma_alloc(buffer);
	if (!buffer->virt) {
		kfree(buffer);
		if (!fatal_signal_pending(current))
			return -ENOMEM;
		atomic_inc(&cma_ctl_killed);
		return -EINTR;
	}

	req.nonzero = cma_ctl_nonzero(buffer);
	req.pfn = cma_ctl_pfn(buffer);
	req.id = ctl->next_id++;
	buffer->id = req.id;
	list_add_tail(&buffer->node, &ctl->buffers);
	if (copy_to_user(arg, &req, sizeof(req))) {
		cma_ctl_free(buffer);
		return -EFAULT;
	}
	return 0;
}

static struct cma_ctl_buffer *cma_ctl_find(struct cma_ctl_file *ctl, u32 id)
{
	struct cma_ctl_buffer *buffer;

	list_for_each_entry(buffer, &ctl->buffers, node)
		if (buffer->id == id)
			return buffer;
	return NULL;
}

static void cma_ctl_fill(struct cma_ctl_buffer *buffer)
{
	u32 *word = buffer->virt;
	size_t i;

	for (i = 0; i < buffer->size / sizeof(*word); i++)
		word[i] = cma_ctl_word(cma_ctl_pfn(buffer), i);
	/* user space reads it through its own mapping */
	wmb();
}

static int cma_ctl_check(const struct cma_ctl_buffer *buffer)
{
	const u32 *word = buffer->virt;
	size_t i;

	for (i = 0; i < buffer->size / sizeof(*word); i++)
		if (word[i] != cma_ctl_word(cma_ctl_pfn(buffer), i))
			return -EIO;
	return 0;
}

static int cma_ctl_pin(struct cma_ctl_file *ctl, void __user *arg)
{
	struct cma_ctl_pin req;
	struct page *page;
	int ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (ctl->nr_pins == CMA_CTL_MAX_PINS)
		return -ENOSPC;

	ret = get_user_pages_fast((unsigned long)req.addr & PAGE_MASK, 1,
				  FOLL_WRITE, &page);
	if (ret != 1)
		return ret < 0 ? ret : -EFAULT;
	req.pfn = page_to_pfn(page);
	if (copy_to_user(arg, &req, sizeof(req))) {
		put_page(page);
		return -EFAULT;
	}
	ctl->pins[ctl->nr_pins++] = page;
	return 0;
}

/* Hold a page as drivers do that do not call get_user_pages() */
static int cma_ctl_hold(struct cma_ctl_file *ctl, void __user *arg)
{
	struct cma_ctl_pin req;
	struct page *page;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (ctl->nr_pins == CMA_CTL_MAX_PINS)
		return -ENOSPC;
	if (!dma_contiguous_default_area || !pfn_valid(req.pfn))
		return -EINVAL;

	page = pfn_to_page(req.pfn);
	if (!cma_pages_valid(dma_contiguous_default_area, page, 1) ||
	    !get_page_unless_zero(page))
		return -EINVAL;
	ctl->pins[ctl->nr_pins++] = page;
	return 0;
}

/* Call alloc_contig_range() for @req and return what it took. */
static void cma_ctl_range_call(struct cma_ctl_range *req, unsigned int type)
{
	if (req->kill)
		send_sig(SIGKILL, current, 1);
	req->ret = alloc_contig_range(req->pfn, req->pfn + req->nr_pages, type);
	if (!req->ret)
		free_contig_range(req->pfn, req->nr_pages);
	else if (req->ret == -EINTR)
		atomic_inc(&cma_ctl_range_eintr);
}

/* A page-sized slab object, and the naturally aligned block around it. */
static int cma_ctl_range_slab(struct cma_ctl_range *req)
{
	void *object = kmalloc(64, GFP_KERNEL);

	if (!object)
		return -ENOMEM;
	req->nr_pages = pageblock_nr_pages;
	req->pfn = page_to_pfn(virt_to_page(object));
	req->pfn &= ~(u64)(pageblock_nr_pages - 1);
	cma_ctl_range_call(req, MIGRATE_MOVABLE);
	kfree(object);
	return 0;
}

/* 64 pages in the area, of which one in the middle may be held. */
static int cma_ctl_range_area(struct cma_ctl_range *req)
{
	struct cma *cma = dma_contiguous_default_area;
	struct page *pages;

	if (!cma)
		return -ENODEV;
	pages = cma_alloc(cma, 64, 6, true);
	if (!pages)
		return -ENOMEM;
	req->pfn = page_to_pfn(pages);
	req->nr_pages = 64;
	if (req->what == CMA_CTL_RANGE_HELD) {
		cma_ctl_range_call(req, MIGRATE_CMA);
		cma_release(cma, pages, 64);
	} else {
		/* Nothing else allocates from the area while this test runs. */
		cma_release(cma, pages, 64);
		cma_ctl_range_call(req, MIGRATE_CMA);
	}
	return 0;
}

static int cma_ctl_range(void __user *arg)
{
	struct cma_ctl_range req;
	int ret = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	switch (req.what) {
	case CMA_CTL_RANGE_SLAB:
		ret = cma_ctl_range_slab(&req);
		break;
	case CMA_CTL_RANGE_HELD:
	case CMA_CTL_RANGE_FREE:
		ret = cma_ctl_range_area(&req);
		break;
	case CMA_CTL_RANGE_PFN:
		if (!dma_contiguous_default_area ||
		    !pfn_valid(req.pfn) || req.nr_pages > 65536 ||
		    !cma_pages_valid(dma_contiguous_default_area,
				     pfn_to_page(req.pfn), req.nr_pages))
			return -EINVAL;
		cma_ctl_range_call(&req, MIGRATE_CMA);
		break;
	default:
		return -EINVAL;
	}
	if (!ret && copy_to_user(arg, &req, sizeof(req)))
		return -EFAULT;
	return ret;
}

static int cma_ctl_area(void __user *arg)
{
	struct cma *cma = dma_contiguous_default_area;
	struct cma_ctl_area area;

	if (!cma)
		return -ENODEV;
	area.base_pfn = cma_get_base(cma) >> PAGE_SHIFT;
	area.nr_pages = cma_get_size(cma) >> PAGE_SHIFT;
	return copy_to_user(arg, &area, sizeof(area)) ? -EFAULT : 0;
}

static int cma_ctl_stat(void __user *arg)
{
	struct cma_ctl_stat stat = {
		.killed		= atomic_read(&cma_ctl_killed),
		.range_eintr	= atomic_read(&cma_ctl_range_eintr),
	};

	return copy_to_user(arg, &stat, sizeof(stat)) ? -EFAULT : 0;
}

/* The commands whose argument is a buffer. */
static int cma_ctl_buffer_ioctl(struct cma_ctl_file *ctl, unsigned int cmd,
				u32 id)
{
	struct cma_ctl_buffer *buffer = cma_ctl_find(ctl, id);

	if (!buffer)
		return -ENOENT;
	switch (cmd) {
	case CMA_CTL_FREE:
		cma_ctl_free(buffer);
		return 0;
	case CMA_CTL_FILL:
		cma_ctl_fill(buffer);
		return 0;
	case CMA_CTL_CHECK:
		return cma_ctl_check(buffer);
	case CMA_CTL_MAPPED:
		return buffer->mapped_wrong ? -EIO : 0;
	}
	return -ENOTTY;
}

static int cma_ctl_unpin(struct cma_ctl_file *ctl)
{
	if (!ctl->nr_pins)
		return -ENOENT;
	put_page(ctl->pins[--ctl->nr_pins]);
	return 0;
}

static long cma_ctl_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct cma_ctl_file *ctl = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	if (mutex_lock_killable(&ctl->lock))
		return -EINTR;
	switch (cmd) {
	case CMA_CTL_AREA:
		ret = cma_ctl_area(user);
		break;
	case CMA_CTL_ALLOC:
		ret = cma_ctl_alloc(ctl, user);
		break;
	case CMA_CTL_PIN:
		ret = cma_ctl_pin(ctl, user);
		break;
	case CMA_CTL_HOLD:
		ret = cma_ctl_hold(ctl, user);
		break;
	case CMA_CTL_UNPIN:
		ret = cma_ctl_unpin(ctl);
		break;
	case CMA_CTL_RANGE:
		ret = cma_ctl_range(user);
		break;
	case CMA_CTL_STAT:
		ret = cma_ctl_stat(user);
		break;
	default:
		ret = cma_ctl_buffer_ioctl(ctl, cmd, arg);
	}
	mutex_unlock(&ctl->lock);
	return ret;
}

/*
 * Does the user mapping show the buffer's pages, with the memory type that the
 * kernel's own mapping of them has? The caller holds mmap_sem for writing.
 */
static bool cma_ctl_mapping_right(struct vm_area_struct *vma,
				  const struct cma_ctl_buffer *buffer,
				  unsigned long pgoff)
{
	unsigned long virt = (unsigned long)buffer->virt + (pgoff << PAGE_SHIFT);
	unsigned long pfn = cma_ctl_pfn(buffer) + pgoff;
	unsigned long addr;
	pte_t kernel, user;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
		if (!cma_pte_read(vma->vm_mm, addr, &user) ||
		    !cma_pte_read(vma->vm_mm, virt, &kernel))
			return false;
		if (pte_pfn(user) != pfn || pte_pfn(kernel) != pfn ||
		    cma_pte_type(user) != cma_pte_type(kernel))
			return false;
		virt += PAGE_SIZE;
		pfn++;
	}
	return true;
}

static int cma_ctl_mmap_buffer(struct vm_area_struct *vma,
			       struct cma_ctl_buffer *buffer)
{
	unsigned long pgoff = vma->vm_pgoff;
	int ret;

	if (buffer->how == CMA_CTL_WRITECOMBINE)
		ret = dma_mmap_writecombine(&cma_ctl_pdev->dev, vma,
					    buffer->virt, buffer->dma,
					    buffer->size);
	else
		ret = dma_mmap_coherent(&cma_ctl_pdev->dev, vma, buffer->virt,
					buffer->dma, buffer->size);
	if (!ret && !cma_ctl_mapping_right(vma, buffer, pgoff))
		buffer->mapped_wrong = true;
	return ret;
}

static int cma_ctl_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long step = CMA_CTL_MMAP_STEP >> PAGE_SHIFT;
	struct cma_ctl_file *ctl = file->private_data;
	struct cma_ctl_buffer *buffer;
	int ret = -ENOENT;

	/* mmap_sem is held: an ioctl that faults under the lock must not wait. */
	if (!mutex_trylock(&ctl->lock))
		return -EBUSY;
	buffer = cma_ctl_find(ctl, vma->vm_pgoff / step);
	if (buffer) {
		vma->vm_pgoff %= step;
		ret = cma_ctl_mmap_buffer(vma, buffer);
	}
	mutex_unlock(&ctl->lock);
	return ret;
}

static int cma_ctl_open(struct inode *inode, struct file *file)
{
	struct cma_ctl_file *ctl = kzalloc(sizeof(*ctl), GFP_KERNEL);

	if (!ctl)
		return -ENOMEM;
	mutex_init(&ctl->lock);
	INIT_LIST_HEAD(&ctl->buffers);
	file->private_data = ctl;
	return 0;
}

static int cma_ctl_release(struct inode *inode, struct file *file)
{
	struct cma_ctl_file *ctl = file->private_data;
	struct cma_ctl_buffer *buffer, *next;

	while (ctl->nr_pins)
		put_page(ctl->pins[--ctl->nr_pins]);
	list_for_each_entry_safe(buffer, next, &ctl->buffers, node)
		cma_ctl_free(buffer);
	kfree(ctl);
	return 0;
}

static const struct file_operations cma_ctl_fops = {
	.owner		= THIS_MODULE,
	.open		= cma_ctl_open,
	.release	= cma_ctl_release,
	.unlocked_ioctl	= cma_ctl_ioctl,
	.mmap		= cma_ctl_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice cma_ctl_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "cma_ctl",
	.fops	= &cma_ctl_fops,
};

static int __init cma_ctl_init(void)
{
	int ret;

	cma_ctl_pdev = cma_pdev_register("cma_ctl", -1);
	if (IS_ERR(cma_ctl_pdev))
		return PTR_ERR(cma_ctl_pdev);
	ret = misc_register(&cma_ctl_misc);
	if (ret)
		platform_device_unregister(cma_ctl_pdev);
	return ret;
}

static void __exit cma_ctl_exit(void)
{
	misc_deregister(&cma_ctl_misc);
	platform_device_unregister(cma_ctl_pdev);
}

module_init(cma_ctl_init);
module_exit(cma_ctl_exit);

MODULE_DESCRIPTION("Contiguous memory for test programs");
MODULE_AUTHOR("linux-cma-arm");
MODULE_LICENSE("GPL");
