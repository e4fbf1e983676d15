// SPDX-License-Identifier: GPL-2.0
/*
 * DMA operations of a device on ARM
 *
 * Linear operations give a device the bus address of a page, and maintain the
 * caches.  Coherent operations only give the address.  Both are here, with the
 * functions that call the operations of a device, and methods for scatterlists
 * that use the operations for one page.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include <asm/dma-contiguous.h>
#include <asm/pgtable.h>

#include "mm.h"
#include "dma-ops.h"

/*
 * Buffers of linear and coherent operations
 */

static bool is_mapped(struct dma_attrs *attrs)
{
	return !dma_get_attr(DMA_ATTR_NO_KERNEL_MAPPING, attrs);
}

static bool is_write_combined(struct dma_attrs *attrs)
{
	return dma_get_attr(DMA_ATTR_WRITE_COMBINE, attrs);
}

/**
 * arm_dma_alloc() - allocate a buffer that need not be flushed
 * @dev: device, or NULL
 * @size: size in bytes
 * @handle: set to the address for the device
 * @gfp: flags of the request
 * @attrs: attributes, or NULL
 *
 * Context: as @gfp allows.
 * Return: address for the CPU, or NULL.  With DMA_ATTR_NO_KERNEL_MAPPING, a value
 * other than NULL that is only good for the functions that take a buffer.
 */
void *arm_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle,
		    gfp_t gfp, struct dma_attrs *attrs)
{
	pgprot_t prot = pgprot_dmacoherent(pgprot_kernel);
	void *cpu_addr;

	if (is_write_combined(attrs))
		prot = pgprot_writecombine(pgprot_kernel);
	else if (dma_alloc_from_coherent(dev, size, handle, &cpu_addr))
		return cpu_addr;

	return __dma_alloc(dev, size, handle, gfp, prot, is_mapped(attrs));
}
EXPORT_SYMBOL(arm_dma_alloc);

/**
 * arm_dma_free() - free a buffer of arm_dma_alloc()
 * @dev: device that it was allocated for, or NULL
 * @size: same as in the allocation
 * @cpu_addr: what the allocation returned
 * @handle: address for the device
 * @attrs: same as in the allocation
 *
 * Context: any with interrupts on; process context for an area in high memory.
 */
void arm_dma_free(struct device *dev, size_t size, void *cpu_addr,
		  dma_addr_t handle, struct dma_attrs *attrs)
{
	__dma_free(dev, size, cpu_addr, handle, is_mapped(attrs));
}
EXPORT_SYMBOL(arm_dma_free);

/* Map the pages at an address for a device, of which no more is known */
static int mmap_pages(struct device *dev, struct vm_area_struct *vma,
		      dma_addr_t handle, size_t size)
{
	unsigned long nr_user = (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
	unsigned long nr_pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	unsigned long off = vma->vm_pgoff;

	if (off >= nr_pages || nr_user > nr_pages - off)
		return -ENXIO;

	return remap_pfn_range(vma, vma->vm_start,
			       dma_to_pfn(dev, handle) + off,
			       nr_user << PAGE_SHIFT, vma->vm_page_prot);
}

/* Is this what stands for the address of a buffer of pages in low memory? */
static bool is_unmapped_buffer(struct device *dev, void *cpu_addr,
			       dma_addr_t handle)
{
	unsigned long pfn = dma_to_pfn(dev, handle);

	return pfn_valid(pfn) && cpu_addr == pfn_to_page(pfn) &&
	       !PageHighMem(pfn_to_page(pfn));
}

/**
 * arm_dma_mmap() - map a buffer of arm_dma_alloc() into user space
 * @dev: device that it was allocated for, or NULL
 * @vma: VMA to map into; vm_pgoff is the first page of the buffer to map
 * @cpu_addr: what the allocation returned
 * @handle: address for the device
 * @size: size of the part of the buffer that may be mapped, in bytes
 * @attrs: same as in the allocation
 *
 * Context: process context, mmap_sem held for writing.
 * Return: 0; -ENXIO if that is no buffer, or if the range of @vma exceeds the
 * buffer; or an error of remap_pfn_range().
 */
int arm_dma_mmap(struct device *dev, struct vm_area_struct *vma,
		 void *cpu_addr, dma_addr_t handle, size_t size,
		 struct dma_attrs *attrs)
{
	if (is_write_combined(attrs))
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	else
		vma->vm_page_prot = pgprot_dmacoherent(vma->vm_page_prot);

	if (!is_mapped(attrs) && is_unmapped_buffer(dev, cpu_addr, handle))
		return mmap_pages(dev, vma, handle, size);
	return __dma_mmap(dev, vma, cpu_addr, handle, size);
}
EXPORT_SYMBOL(arm_dma_mmap);

/* Is the page mapped at an address that is not in the linear mapping? */
#ifdef CONFIG_MMU
static bool is_page_mapped_at(struct page *page, void *cpu_addr)
{
	unsigned long addr = (unsigned long)cpu_addr;
	pmd_t *pmd = pmd_off_k(addr);
	pte_t pte;

	/* ioremap() may have mapped it with sections */
	if ((pmd_val(*pmd) & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
		return false;
	pte = *pte_offset_kernel(pmd, addr);
	return pte_present(pte) && pte_page(pte) == page;
}
#else
static bool is_page_mapped_at(struct page *page, void *cpu_addr)
{
	return false;
}
#endif

/*
 * Is the page at the address of a buffer for the CPU?  The device may see memory
 * of dma_declare_coherent_memory() where the CPU has pages that are not part of
 * the buffer.
 */
static bool is_first_page(struct page *page, void *cpu_addr)
{
	if (cpu_addr == page)	/* not mapped */
		return true;
	if (virt_addr_valid(cpu_addr))
		return virt_to_page(cpu_addr) == page;
	return is_page_mapped_at(page, cpu_addr);
}

/**
 * arm_dma_get_sgtable() - describe the pages of a buffer of arm_dma_alloc()
 * @dev: device that it was allocated for, or NULL
 * @sgt: set to a table of one entry, to be freed with sg_free_table()
 * @cpu_addr: what the allocation returned
 * @handle: address for the device
 * @size: size of the buffer in bytes
 * @attrs: same as in the allocation
 *
 * Context: process context, may sleep.
 * Return: 0; -ENXIO if the buffer is not in memory that has pages; -ENOMEM.
 */
int arm_dma_get_sgtable(struct device *dev, struct sg_table *sgt,
			void *cpu_addr, dma_addr_t handle, size_t size,
			struct dma_attrs *attrs)
{
	unsigned long pfn = dma_to_pfn(dev, handle);
	int ret;

	if (!pfn_valid(pfn) || !is_first_page(pfn_to_page(pfn), cpu_addr))
		return -ENXIO;

	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		return ret;

	sg_set_page(sgt->sgl, pfn_to_page(pfn), PAGE_ALIGN(size), 0);
	return 0;
}
EXPORT_SYMBOL(arm_dma_get_sgtable);

static void *coherent_alloc(struct device *dev, size_t size,
			    dma_addr_t *handle, gfp_t gfp,
			    struct dma_attrs *attrs)
{
	struct page *page;
	void *cpu_addr;

	if (dma_alloc_from_coherent(dev, size, handle, &cpu_addr))
		return cpu_addr;

	*handle = ~0;
	/* The buffer is used at its address in the linear mapping */
	gfp &= ~(__GFP_COMP | __GFP_HIGHMEM);
	page = __dma_alloc_buffer(dev, PAGE_ALIGN(size), gfp);
	if (!page)
		return NULL;

	*handle = pfn_to_dma(dev, page_to_pfn(page));
	return page_address(page);
}

static void coherent_free(struct device *dev, size_t size, void *cpu_addr,
			  dma_addr_t handle, struct dma_attrs *attrs)
{
	if (dma_release_from_coherent(dev, get_order(size), cpu_addr))
		return;

	__dma_free_buffer(virt_to_page(cpu_addr), PAGE_ALIGN(size));
}

static int coherent_mmap(struct device *dev, struct vm_area_struct *vma,
			 void *cpu_addr, dma_addr_t handle, size_t size,
			 struct dma_attrs *attrs)
{
	if (!virt_addr_valid(cpu_addr))
		return -ENXIO;
	return mmap_pages(dev, vma, handle, size);
}

/*
 * Scatterlists, on top of the operations of a device for one page
 */

/**
 * arm_dma_map_sg() - map a list with the map_page() of a device
 * @dev: device
 * @sg: the list
 * @nents: number of its entries
 * @dir: direction of the transfer
 * @attrs: attributes, or NULL
 *
 * Context: that of map_page().
 * Return: @nents; or 0 with nothing mapped, if an entry could not be mapped.
 */
int arm_dma_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		   enum dma_data_direction dir, struct dma_attrs *attrs)
{
	DEFINE_DMA_ATTRS(undo);
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i) {
		s->dma_address = __dma_map_page(dev, sg_page(s), s->offset,
						s->length, dir, attrs);
#ifdef CONFIG_NEED_SG_DMA_LENGTH
		s->dma_length = s->length;
#endif
		if (dma_mapping_error(dev, s->dma_address)) {
			/* No device has written anything that could be copied */
			if (attrs)
				undo = *attrs;
			dma_set_attr(DMA_ATTR_SKIP_CPU_SYNC, &undo);
			arm_dma_unmap_sg(dev, sg, i, dir, &undo);
			return 0;
		}
	}
	return nents;
}
EXPORT_SYMBOL(arm_dma_map_sg);

/**
 * arm_dma_unmap_sg() - unmap a list with the unmap_page() of a device
 * @dev: device
 * @sg: list that arm_dma_map_sg() has mapped
 * @nents: same as there
 * @dir: same as there
 * @attrs: attributes, or NULL
 *
 * Context: that of unmap_page().
 */
void arm_dma_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, struct dma_attrs *attrs)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i)
		__dma_unmap_page(dev, sg_dma_address(s), sg_dma_len(s), dir,
				 attrs);
}
EXPORT_SYMBOL(arm_dma_unmap_sg);

/**
 * arm_dma_sync_sg_for_cpu() - sync a list with the operation for one range
 * @dev: device
 * @sg: list that arm_dma_map_sg() has mapped
 * @nents: same as there
 * @dir: same as there
 *
 * Context: that of sync_single_for_cpu().
 */
void arm_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg,
			     int nents, enum dma_data_direction dir)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i)
		__dma_sync_for_cpu(dev, sg_dma_address(s), sg_dma_len(s), dir);
}
EXPORT_SYMBOL(arm_dma_sync_sg_for_cpu);

/**
 * arm_dma_sync_sg_for_device() - sync a list with the operation for one range
 * @dev: device
 * @sg: list that arm_dma_map_sg() has mapped
 * @nents: same as there
 * @dir: same as there
 *
 * Context: that of sync_single_for_device().
 */
void arm_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg,
				int nents, enum dma_data_direction dir)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i)
		__dma_sync_for_device(dev, sg_dma_address(s), sg_dma_len(s),
				      dir);
}
EXPORT_SYMBOL(arm_dma_sync_sg_for_device);

/*
 * The operations
 */

static dma_addr_t linear_map_page(struct device *dev, struct page *page,
				  unsigned long offset, size_t size,
				  enum dma_data_direction dir,
				  struct dma_attrs *attrs)
{
	return arm_linear_map_page(dev, page, offset, size, dir, attrs);
}

static void linear_unmap_page(struct device *dev, dma_addr_t handle,
			      size_t size, enum dma_data_direction dir,
			      struct dma_attrs *attrs)
{
	arm_linear_unmap_page(dev, handle, size, dir, attrs);
}

static void linear_sync_for_cpu(struct device *dev, dma_addr_t handle,
				size_t size, enum dma_data_direction dir)
{
	arm_linear_sync_for_cpu(dev, handle, size, dir);
}

static void linear_sync_for_device(struct device *dev, dma_addr_t handle,
				   size_t size, enum dma_data_direction dir)
{
	arm_linear_sync_for_device(dev, handle, size, dir);
}

static dma_addr_t coherent_map_page(struct device *dev, struct page *page,
				    unsigned long offset, size_t size,
				    enum dma_data_direction dir,
				    struct dma_attrs *attrs)
{
	return pfn_to_dma(dev, page_to_pfn(page)) + offset;
}

struct dma_map_ops arm_dma_ops = {
	.alloc			= arm_dma_alloc,
	.free			= arm_dma_free,
	.mmap			= arm_dma_mmap,
	.get_sgtable		= arm_dma_get_sgtable,
	.map_page		= linear_map_page,
	.unmap_page		= linear_unmap_page,
	.map_sg			= arm_dma_map_sg,
	.unmap_sg		= arm_dma_unmap_sg,
	.sync_single_for_cpu	= linear_sync_for_cpu,
	.sync_single_for_device	= linear_sync_for_device,
	.sync_sg_for_cpu	= arm_dma_sync_sg_for_cpu,
	.sync_sg_for_device	= arm_dma_sync_sg_for_device,
};
EXPORT_SYMBOL(arm_dma_ops);

/* Nothing has to be done when a buffer is unmapped or synced */
struct dma_map_ops arm_coherent_dma_ops = {
	.alloc			= coherent_alloc,
	.free			= coherent_free,
	.mmap			= coherent_mmap,
	.get_sgtable		= arm_dma_get_sgtable,
	.map_page		= coherent_map_page,
	.map_sg			= arm_dma_map_sg,
};
EXPORT_SYMBOL(arm_coherent_dma_ops);

/*
 * Calls of the operations of a device
 */

/**
 * dma_ops_map_page() - map a page with the operations of a device
 * @dev: device that has operations of its own
 * @page: first page
 * @offset: of the range in @page
 * @size: of the range in bytes
 * @dir: direction of the transfer
 * @attrs: attributes, or NULL
 *
 * Context: any, if the operations allow it.
 * Return: address for the device, or one that dma_mapping_error() knows.
 */
dma_addr_t dma_ops_map_page(struct device *dev, struct page *page,
			    unsigned long offset, size_t size,
			    enum dma_data_direction dir,
			    struct dma_attrs *attrs)
{
	return get_dma_ops(dev)->map_page(dev, page, offset, size, dir, attrs);
}
EXPORT_SYMBOL(dma_ops_map_page);

/**
 * dma_ops_unmap_page() - unmap a page with the operations of a device
 * @dev: device that has operations of its own
 * @handle: address for the device
 * @size: size in bytes
 * @dir: direction of the transfer
 * @attrs: attributes, or NULL
 *
 * Context: any, if the operations allow it.
 */
void dma_ops_unmap_page(struct device *dev, dma_addr_t handle, size_t size,
			enum dma_data_direction dir, struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->unmap_page)
		ops->unmap_page(dev, handle, size, dir, attrs);
}
EXPORT_SYMBOL(dma_ops_unmap_page);

/**
 * dma_ops_map_sg() - map a list with the operations of a device
 * @dev: device that has operations of its own
 * @sg: the list
 * @nents: number of its entries
 * @dir: direction of the transfer
 * @attrs: attributes, or NULL
 *
 * Operations without map_sg() map page by page.
 *
 * Context: any, if the operations allow it.
 * Return: number of ranges for the device, or 0.
 */
int dma_ops_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		   enum dma_data_direction dir, struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);
	int nr;

	if (ops->map_sg)
		nr = ops->map_sg(dev, sg, nents, dir, attrs);
	else
		nr = arm_dma_map_sg(dev, sg, nents, dir, attrs);

	debug_dma_map_sg(dev, sg, nents, nr, dir);
	return nr;
}

/**
 * dma_ops_unmap_sg() - unmap a list with the operations of a device
 * @dev: device that has operations of its own
 * @sg: the list
 * @nents: number of its entries
 * @dir: direction of the transfer
 * @attrs: attributes, or NULL
 *
 * Context: any, if the operations allow it.
 */
void dma_ops_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->unmap_sg)
		ops->unmap_sg(dev, sg, nents, dir, attrs);
	else if (ops->unmap_page)
		arm_dma_unmap_sg(dev, sg, nents, dir, attrs);
}

/**
 * dma_ops_sync_for_cpu() - let the CPU access a range that is mapped
 * @dev: device that has operations of its own
 * @handle: address for the device, in a mapping
 * @size: size in bytes
 * @dir: direction of the transfer
 *
 * Context: any, if the operations allow it.
 */
void dma_ops_sync_for_cpu(struct device *dev, dma_addr_t handle, size_t size,
			  enum dma_data_direction dir)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->sync_single_for_cpu)
		ops->sync_single_for_cpu(dev, handle, size, dir);
}
EXPORT_SYMBOL(dma_ops_sync_for_cpu);

/**
 * dma_ops_sync_for_device() - let a device access a range that is mapped
 * @dev: device that has operations of its own
 * @handle: address for the device, in a mapping
 * @size: size in bytes
 * @dir: direction of the transfer
 *
 * Context: any, if the operations allow it.
 */
void dma_ops_sync_for_device(struct device *dev, dma_addr_t handle,
			     size_t size, enum dma_data_direction dir)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->sync_single_for_device)
		ops->sync_single_for_device(dev, handle, size, dir);
}
EXPORT_SYMBOL(dma_ops_sync_for_device);

/**
 * dma_ops_sync_sg_for_cpu() - let the CPU access a list that is mapped
 * @dev: device that has operations of its own
 * @sg: the list
 * @nents: number of its entries
 * @dir: direction of the transfer
 *
 * Context: any, if the operations allow it.
 */
void dma_ops_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg,
			     int nents, enum dma_data_direction dir)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->sync_sg_for_cpu)
		ops->sync_sg_for_cpu(dev, sg, nents, dir);
	else if (ops->sync_single_for_cpu)
		arm_dma_sync_sg_for_cpu(dev, sg, nents, dir);
}

/**
 * dma_ops_sync_sg_for_device() - let a device access a list that is mapped
 * @dev: device that has operations of its own
 * @sg: the list
 * @nents: number of its entries
 * @dir: direction of the transfer
 *
 * Context: any, if the operations allow it.
 */
void dma_ops_sync_sg_for_device(struct device *dev, struct scatterlist *sg,
				int nents, enum dma_data_direction dir)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->sync_sg_for_device)
		ops->sync_sg_for_device(dev, sg, nents, dir);
	else if (ops->sync_single_for_device)
		arm_dma_sync_sg_for_device(dev, sg, nents, dir);
}

/**
 * dma_ops_mapping_error() - tell whether an address stands for an error
 * @dev: device that has operations of its own
 * @handle: what mapping a page returned
 *
 * Context: any.
 * Return: not 0 if nothing was mapped.
 */
int dma_ops_mapping_error(struct device *dev, dma_addr_t handle)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	return ops->mapping_error ? ops->mapping_error(dev, handle) :
				    handle == ~0;
}
EXPORT_SYMBOL(dma_ops_mapping_error);

/**
 * dma_alloc_attrs() - allocate a buffer for a device
 * @dev: device, or NULL
 * @size: size in bytes
 * @handle: set to the address for the device
 * @gfp: flags of the request
 * @attrs: attributes, or NULL; see Documentation/DMA-attributes.txt
 *
 * Operations that have only alloc_coherent() serve requests without attributes.
 *
 * Context: as @gfp allows.
 * Return: address for the CPU, or NULL.  With DMA_ATTR_NO_KERNEL_MAPPING, a value
 * other than NULL that is only good for the functions that take a buffer.
 */
void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle,
		      gfp_t gfp, struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->alloc)
		return ops->alloc(dev, size, handle, gfp, attrs);
	if (ops->alloc_coherent && !attrs)
		return ops->alloc_coherent(dev, size, handle, gfp);
	return NULL;
}
EXPORT_SYMBOL(dma_alloc_attrs);

/**
 * dma_free_attrs() - free a buffer of dma_alloc_attrs()
 * @dev: device that it was allocated for, or NULL
 * @size: same as in the allocation
 * @cpu_addr: what the allocation returned
 * @handle: address for the device
 * @attrs: same as in the allocation
 *
 * Context: with interrupts on.
 */
void dma_free_attrs(struct device *dev, size_t size, void *cpu_addr,
		    dma_addr_t handle, struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (ops->free)
		ops->free(dev, size, cpu_addr, handle, attrs);
	else if (ops->free_coherent)
		ops->free_coherent(dev, size, cpu_addr, handle);
}
EXPORT_SYMBOL(dma_free_attrs);

/**
 * dma_mmap_attrs() - map a buffer of dma_alloc_attrs() into user space
 * @dev: device that it was allocated for, or NULL
 * @vma: VMA to map into; vm_pgoff is the first page of the buffer to map
 * @cpu_addr: what the allocation returned
 * @handle: address for the device
 * @size: size of the part of the buffer that may be mapped, in bytes
 * @attrs: same as in the allocation
 *
 * Context: process context, mmap_sem held for writing.
 * Return: 0, or a negative errno: -ENXIO if the range of @vma exceeds the buffer,
 * or if the operations cannot map buffers.
 */
int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma,
		   void *cpu_addr, dma_addr_t handle, size_t size,
		   struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (!ops->mmap)
		return -ENXIO;
	return ops->mmap(dev, vma, cpu_addr, handle, size, attrs);
}
EXPORT_SYMBOL(dma_mmap_attrs);

/**
 * dma_get_sgtable_attrs() - describe the pages of a buffer
 * @dev: device that it was allocated for, or NULL
 * @sgt: set to a table that is to be freed with sg_free_table()
 * @cpu_addr: what dma_alloc_attrs() returned
 * @handle: address for the device
 * @size: size of the buffer in bytes
 * @attrs: same as in the allocation
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno: -ENXIO if the buffer does not consist of pages,
 * or if the operations cannot tell.
 */
int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt,
			  void *cpu_addr, dma_addr_t handle, size_t size,
			  struct dma_attrs *attrs)
{
	struct dma_map_ops *ops = get_dma_ops(dev);

	if (!ops->get_sgtable)
		return -ENXIO;
	return ops->get_sgtable(dev, sgt, cpu_addr, handle, size, attrs);
}
EXPORT_SYMBOL(dma_get_sgtable_attrs);

/*
 * The functions without attributes; their kernel-doc is in asm/dma-mapping.h
 */

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *handle,
			 gfp_t gfp)
{
	return dma_alloc_attrs(dev, size, handle, gfp, NULL);
}
EXPORT_SYMBOL(dma_alloc_coherent);

void dma_free_coherent(struct device *dev, size_t size, void *cpu_addr,
		       dma_addr_t handle)
{
	dma_free_attrs(dev, size, cpu_addr, handle, NULL);
}
EXPORT_SYMBOL(dma_free_coherent);

int dma_mmap_coherent(struct device *dev, struct vm_area_struct *vma,
		      void *cpu_addr, dma_addr_t handle, size_t size)
{
	return dma_mmap_attrs(dev, vma, cpu_addr, handle, size, NULL);
}
EXPORT_SYMBOL(dma_mmap_coherent);

void *dma_alloc_writecombine(struct device *dev, size_t size,
			     dma_addr_t *handle, gfp_t gfp)
{
	DEFINE_DMA_ATTRS(attrs);

	dma_set_attr(DMA_ATTR_WRITE_COMBINE, &attrs);
	return dma_alloc_attrs(dev, size, handle, gfp, &attrs);
}
EXPORT_SYMBOL(dma_alloc_writecombine);

void dma_free_writecombine(struct device *dev, size_t size, void *cpu_addr,
			   dma_addr_t handle)
{
	DEFINE_DMA_ATTRS(attrs);

	dma_set_attr(DMA_ATTR_WRITE_COMBINE, &attrs);
	dma_free_attrs(dev, size, cpu_addr, handle, &attrs);
}
EXPORT_SYMBOL(dma_free_writecombine);

int dma_mmap_writecombine(struct device *dev, struct vm_area_struct *vma,
			  void *cpu_addr, dma_addr_t handle, size_t size)
{
	DEFINE_DMA_ATTRS(attrs);

	dma_set_attr(DMA_ATTR_WRITE_COMBINE, &attrs);
	return dma_mmap_attrs(dev, vma, cpu_addr, handle, size, &attrs);
}
EXPORT_SYMBOL(dma_mmap_writecombine);
