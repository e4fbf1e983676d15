/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What later kernels have under another name, or export in another way
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/dma-mapping.h>

#ifdef DMA_MAPPING_ERROR
#include <linux/dma-direct.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched/signal.h>

#define dma_to_pfn(dev, addr)		PHYS_PFN(dma_to_phys(dev, addr))
#define dma_alloc_writecombine		dma_alloc_wc
#define dma_free_writecombine		dma_free_wc
#define dma_mmap_writecombine		dma_mmap_wc
#define tsk_cpus_allowed(task)		(&(task)->cpus_mask)

/* dma_mmap_coherent() does not look up how long a buffer is */
#define MMAP_KNOWS_SIZE			false

/* No counter of free CMA and isolated blocks: as many as there are */
#define special_blocks(area, found)	(found)

/* The function that may read what is not mapped is not exported */
#define probe_kernel_read(to, from, size)	((void)(to), -EFAULT)

/* The functions of these names are not exported; those of an area are */
#define dma_alloc_from_contiguous(dev, count, order)			\
	cma_alloc(dev_get_cma_area(dev), count,				\
		  min_t(unsigned int, order, CONFIG_CMA_ALIGNMENT), false)
#define dma_release_from_contiguous(dev, pages, count)			\
	cma_release(dev_get_cma_area(dev), pages, count)
#ifndef alloc_contig_range	/* as in the kernels of the series; later it is a macro */
#define alloc_contig_range(start, end, type)				\
	alloc_contig_range(start, end, type, GFP_KERNEL)
#endif

/* Give a device the area of a node of the device tree: 0, or a negative errno */
static inline int tree_area_init(struct device *dev, const char *path)
{
	struct device_node *np = of_find_node_by_path(path);
	int ret = np ? of_reserved_mem_device_init_by_idx(dev, np, 0) : -ENODEV;

	of_node_put(np);
	return ret;
}

#define tree_area_release		of_reserved_mem_device_release
#else
#include <linux/mm.h>
#include <linux/sched.h>

#define MMAP_KNOWS_SIZE			true
#define special_blocks(area, found)	((area)->nr_special)

static inline void mmap_write_lock(struct mm_struct *mm)
{
	down_write(&mm->mmap_sem);
}

static inline void mmap_write_unlock(struct mm_struct *mm)
{
	up_write(&mm->mmap_sem);
}

#ifndef VM_NODUMP	/* since v3.4, which has these two functions */
static inline unsigned long vm_mmap(struct file *file, unsigned long addr,
				    unsigned long len, unsigned long prot,
				    unsigned long flags, unsigned long offset)
{
	mmap_write_lock(current->mm);
	addr = do_mmap(file, addr, len, prot, flags, offset);
	mmap_write_unlock(current->mm);
	return addr;
}

static inline int vm_munmap(unsigned long addr, size_t len)
{
	int ret;

	mmap_write_lock(current->mm);
	ret = do_munmap(current->mm, addr, len);
	mmap_write_unlock(current->mm);
	return ret;
}
#endif

static inline int tree_area_init(struct device *dev, const char *path)
{
	return -ENODEV;
}

static inline void tree_area_release(struct device *dev)
{
}
#endif

/* The number of orders that free memory can have */
#ifndef NR_PAGE_ORDERS
#define NR_PAGE_ORDERS	MAX_ORDER
#endif

/* A page table level that is folded */
#ifndef __PAGETABLE_P4D_FOLDED
#define p4d_offset(pgd, addr)		(pgd)
#endif

#endif
