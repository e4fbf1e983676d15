/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GEM objects in contiguous memory. See drm_gem_cma_helper.c.
 */
#ifndef _DRM_GEM_CMA_HELPER_H_
#define _DRM_GEM_CMA_HELPER_H_

#include <linux/dma-charge.h>
#include "drmP.h"

/**
 * struct drm_gem_cma_object - a GEM object in contiguous memory
 * @base: GEM object
 * @paddr: DMA address; constant
 * @sgt: scatterlist of the imported buffer, or NULL; constant
 * @vaddr: address of the kernel mapping, or NULL if the object was imported;
 *	constant
 * @charge: whom the memory of a dumb buffer is charged to
 */
struct drm_gem_cma_object {
	struct drm_gem_object base;
	dma_addr_t paddr;
	struct sg_table *sgt;
	void *vaddr;
	struct dma_charge charge;
};

/* Return the CMA object that contains a GEM object. */
static inline struct drm_gem_cma_object *
to_drm_gem_cma_obj(struct drm_gem_object *gem_obj)
{
	return container_of(gem_obj, struct drm_gem_cma_object, base);
}

struct drm_gem_cma_object *drm_gem_cma_create(struct drm_device *drm,
					      size_t size);
void drm_gem_cma_free_object(struct drm_gem_object *gem_obj);

int drm_gem_cma_dumb_create(struct drm_file *file_priv, struct drm_device *drm,
			    struct drm_mode_create_dumb *args);
int drm_gem_cma_dumb_map_offset(struct drm_file *file_priv,
				struct drm_device *drm, u32 handle,
				u64 *offset);
int drm_gem_cma_dumb_destroy(struct drm_file *file_priv,
			     struct drm_device *drm, u32 handle);
int drm_gem_cma_mmap(struct file *filp, struct vm_area_struct *vma);
int drm_gem_cma_map_object(struct drm_gem_object *gem_obj,
			   struct vm_area_struct *vma);

struct sg_table *drm_gem_cma_prime_get_sg_table(struct drm_gem_object *gem_obj);
struct drm_gem_object *
drm_gem_cma_prime_import_sg_table(struct drm_device *drm, size_t size,
				  struct sg_table *sgt);
void *drm_gem_cma_prime_vmap(struct drm_gem_object *gem_obj);
int drm_gem_cma_prime_mmap(struct drm_gem_object *gem_obj,
			   struct vm_area_struct *vma);

struct dma_buf *drm_gem_cma_dmabuf_export(struct drm_device *drm,
					  struct drm_gem_object *gem_obj,
					  int flags);
struct drm_gem_object *drm_gem_cma_dmabuf_import(struct drm_device *drm,
						 struct dma_buf *dma_buf);

extern const struct vm_operations_struct drm_gem_cma_vm_ops;

/*
 * Initializers for struct drm_driver. The driver also sets the maximum segment
 * count of the device to 1 with dma_set_max_seg_count().
 */
#define DRM_GEM_CMA_DRIVER_OPS						\
	.gem_free_object	= drm_gem_cma_free_object,		\
	.gem_vm_ops		= &drm_gem_cma_vm_ops,			\
	.dumb_create		= drm_gem_cma_dumb_create,		\
	.dumb_map_offset	= drm_gem_cma_dumb_map_offset,		\
	.dumb_destroy		= drm_gem_cma_dumb_destroy,		\
	.prime_handle_to_fd	= drm_gem_prime_handle_to_fd,		\
	.prime_fd_to_handle	= drm_gem_prime_fd_to_handle,		\
	.gem_prime_export	= drm_gem_prime_export,			\
	.gem_prime_import	= drm_gem_prime_import,			\
	.gem_prime_get_sg_table	= drm_gem_cma_prime_get_sg_table,	\
	.gem_prime_import_sg_table = drm_gem_cma_prime_import_sg_table,	\
	.gem_prime_vmap		= drm_gem_cma_prime_vmap,		\
	.gem_prime_mmap		= drm_gem_cma_prime_mmap

#endif
