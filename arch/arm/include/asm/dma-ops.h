/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA operations of a device on ARM
 *
 * A device uses the operations that its archdata points to.  Most devices have no
 * such pointer: they use the default operations, which are called directly.
 */
#ifndef __ASM_ARM_DMA_OPS_H
#define __ASM_ARM_DMA_OPS_H

#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/dma-attrs.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#include <asm/memory.h>
#include <asm/page.h>

struct dma_map_ops;
struct scatterlist;
struct sg_table;
struct vm_area_struct;

extern struct dma_map_ops arm_dma_ops;
extern struct dma_map_ops arm_coherent_dma_ops;

static inline bool dma_has_default_ops(struct device *dev)
{
	return likely(!dev || !dev->archdata.dma_ops);
}

static inline struct dma_map_ops *arm_default_dma_ops(void)
{
	return arch_is_coherent() ? &arm_coherent_dma_ops : &arm_dma_ops;
}

static inline struct dma_map_ops *get_dma_ops(struct device *dev)
{
	return dma_has_default_ops(dev) ? arm_default_dma_ops() :
					  dev->archdata.dma_ops;
}

/* The device must not have any buffers or mappings. NULL selects the default. */
static inline void set_dma_ops(struct device *dev, struct dma_map_ops *ops)
{
	dev->archdata.dma_ops = ops == arm_default_dma_ops() ? NULL : ops;
}

/*
 * Mapping and unmapping of pages by the default operations, and by those of
 * devices that have their own
 */
dma_addr_t dma_ops_map_page(struct device *dev, struct page *page,
			    unsigned long offset, size_t size,
			    enum dma_data_direction dir,
			    struct dma_attrs *attrs);
void dma_ops_unmap_page(struct device *dev, dma_addr_t handle, size_t size,
			enum dma_data_direction dir, struct dma_attrs *attrs);
int dma_ops_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		   enum dma_data_direction dir, struct dma_attrs *attrs);
void dma_ops_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, struct dma_attrs *attrs);
void dma_ops_sync_for_cpu(struct device *dev, dma_addr_t handle, size_t size,
			  enum dma_data_direction dir);
void dma_ops_sync_for_device(struct device *dev, dma_addr_t handle,
			     size_t size, enum dma_data_direction dir);
void dma_ops_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg,
			     int nents, enum dma_data_direction dir);
void dma_ops_sync_sg_for_device(struct device *dev, struct scatterlist *sg,
				int nents, enum dma_data_direction dir);
int dma_ops_mapping_error(struct device *dev, dma_addr_t handle);

static inline dma_addr_t arm_linear_map_page(struct device *dev,
					     struct page *page,
					     unsigned long offset, size_t size,
					     enum dma_data_direction dir,
					     struct dma_attrs *attrs)
{
	if (!dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs))
		__dma_page_cpu_to_dev(page, offset, size, dir);
	return pfn_to_dma(dev, page_to_pfn(page)) + offset;
}

static inline void arm_linear_sync_for_cpu(struct device *dev,
					   dma_addr_t handle, size_t size,
					   enum dma_data_direction dir)
{
	__dma_page_dev_to_cpu(pfn_to_page(dma_to_pfn(dev, handle)),
			      handle & ~PAGE_MASK, size, dir);
}

static inline void arm_linear_sync_for_device(struct device *dev,
					      dma_addr_t handle, size_t size,
					      enum dma_data_direction dir)
{
	__dma_page_cpu_to_dev(pfn_to_page(dma_to_pfn(dev, handle)),
			      handle & ~PAGE_MASK, size, dir);
}

static inline void arm_linear_unmap_page(struct device *dev, dma_addr_t handle,
					 size_t size,
					 enum dma_data_direction dir,
					 struct dma_attrs *attrs)
{
	/* After a device has only read memory, no CPU has anything to do */
	if (dir != DMA_TO_DEVICE &&
	    !dma_get_attr(DMA_ATTR_SKIP_CPU_SYNC, attrs))
		arm_linear_sync_for_cpu(dev, handle, size, dir);
}

static inline dma_addr_t __dma_map_page(struct device *dev, struct page *page,
					unsigned long offset, size_t size,
					enum dma_data_direction dir,
					struct dma_attrs *attrs)
{
	if (!dma_has_default_ops(dev))
		return dma_ops_map_page(dev, page, offset, size, dir, attrs);
	return arm_linear_map_page(dev, page, offset, size, dir, attrs);
}

static inline void __dma_unmap_page(struct device *dev, dma_addr_t handle,
				    size_t size, enum dma_data_direction dir,
				    struct dma_attrs *attrs)
{
	if (!dma_has_default_ops(dev))
		dma_ops_unmap_page(dev, handle, size, dir, attrs);
	else
		arm_linear_unmap_page(dev, handle, size, dir, attrs);
}

static inline void __dma_sync_for_cpu(struct device *dev, dma_addr_t handle,
				      size_t size, enum dma_data_direction dir)
{
	if (!dma_has_default_ops(dev))
		dma_ops_sync_for_cpu(dev, handle, size, dir);
	else
		arm_linear_sync_for_cpu(dev, handle, size, dir);
}

static inline void __dma_sync_for_device(struct device *dev,
					 dma_addr_t handle, size_t size,
					 enum dma_data_direction dir)
{
	if (!dma_has_default_ops(dev))
		dma_ops_sync_for_device(dev, handle, size, dir);
	else
		arm_linear_sync_for_device(dev, handle, size, dir);
}

/* Buffers with attributes; the functions without attributes call these */
void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle,
		      gfp_t gfp, struct dma_attrs *attrs);
void dma_free_attrs(struct device *dev, size_t size, void *cpu_addr,
		    dma_addr_t handle, struct dma_attrs *attrs);
int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma,
		   void *cpu_addr, dma_addr_t handle, size_t size,
		   struct dma_attrs *attrs);
int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt,
			  void *cpu_addr, dma_addr_t handle, size_t size,
			  struct dma_attrs *attrs);

static inline int dma_get_sgtable(struct device *dev, struct sg_table *sgt,
				  void *cpu_addr, dma_addr_t handle,
				  size_t size)
{
	return dma_get_sgtable_attrs(dev, sgt, cpu_addr, handle, size, NULL);
}

int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
		     enum dma_data_direction dir, struct dma_attrs *attrs);
void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, struct dma_attrs *attrs);

/* For operations that share some of the default ones */
void *arm_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle,
		    gfp_t gfp, struct dma_attrs *attrs);
void arm_dma_free(struct device *dev, size_t size, void *cpu_addr,
		  dma_addr_t handle, struct dma_attrs *attrs);
int arm_dma_mmap(struct device *dev, struct vm_area_struct *vma,
		 void *cpu_addr, dma_addr_t handle, size_t size,
		 struct dma_attrs *attrs);
int arm_dma_get_sgtable(struct device *dev, struct sg_table *sgt,
			void *cpu_addr, dma_addr_t handle, size_t size,
			struct dma_attrs *attrs);
int arm_dma_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		   enum dma_data_direction dir, struct dma_attrs *attrs);
void arm_dma_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, struct dma_attrs *attrs);
void arm_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg,
			     int nents, enum dma_data_direction dir);
void arm_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg,
				int nents, enum dma_data_direction dir);

#endif /* __ASM_ARM_DMA_OPS_H */
