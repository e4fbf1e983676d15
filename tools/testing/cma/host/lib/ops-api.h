/* SPDX-License-Identifier: GPL-2.0 */
/* Operations of devices and attributes, for all programs that compile some */
#ifndef HOST_OPS_API_H
#define HOST_OPS_API_H

struct device;
struct scatterlist;
struct sg_table;
struct vm_area_struct;

struct dma_attrs { unsigned int flags; };
enum { DMA_ATTR_WRITE_COMBINE, DMA_ATTR_NO_KERNEL_MAPPING, DMA_ATTR_SKIP_CPU_SYNC,
	DMA_ATTR_FORCE_CONTIGUOUS };
#define dma_get_attr(attr, attrs)	((attrs) && (attrs)->flags >> (attr) & 1)
struct dma_map_ops {
	void *(*alloc)(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		       struct dma_attrs *attrs);
	void (*free)(struct device *dev, size_t size, void *addr, dma_addr_t handle,
		     struct dma_attrs *attrs);
	int (*mmap)(struct device *dev, struct vm_area_struct *vma, void *addr, dma_addr_t handle,
		    size_t size, struct dma_attrs *attrs);
	int (*get_sgtable)(struct device *dev, struct sg_table *sgt, void *addr, dma_addr_t handle,
			   size_t size, struct dma_attrs *attrs);
	dma_addr_t (*map_page)(struct device *dev, struct page *page, unsigned long offset,
			       size_t size, enum dma_data_direction dir, struct dma_attrs *attrs);
	void (*unmap_page)(struct device *dev, dma_addr_t handle, size_t size,
			   enum dma_data_direction dir, struct dma_attrs *attrs);
	int (*map_sg)(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, struct dma_attrs *attrs);
	void (*unmap_sg)(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, struct dma_attrs *attrs);
	void (*sync_single_for_cpu)(struct device *dev, dma_addr_t handle, size_t size,
				    enum dma_data_direction dir);
	void (*sync_single_for_device)(struct device *dev, dma_addr_t handle, size_t size,
				       enum dma_data_direction dir);
	void (*sync_sg_for_cpu)(struct device *dev, struct scatterlist *sg, int nents,
				enum dma_data_direction dir);
	void (*sync_sg_for_device)(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir);
	int (*mapping_error)(struct device *dev, dma_addr_t handle);
	int (*dma_supported)(struct device *dev, u64 mask);
	int (*set_dma_mask)(struct device *dev, u64 mask);
	void *(*alloc_coherent)(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp);
	void (*free_coherent)(struct device *dev, size_t size, void *addr, dma_addr_t handle);
};

#endif
