/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PRIME: export of GEM objects as shared buffers, and import of shared buffers
 *
 * A driver sets DRIVER_PRIME, and points prime_handle_to_fd and
 * prime_fd_to_handle to drm_gem_prime_handle_to_fd() and
 * drm_gem_prime_fd_to_handle(). These call
 *
 *	gem_prime_export	create a shared buffer from an object, taking
 *				over the caller's reference to the object
 *	gem_prime_import	create an object from a shared buffer, or take a
 *				reference to the object that the buffer was
 *				exported from
 *
 * which may be drm_gem_prime_export() and drm_gem_prime_import(). These in turn
 * call
 *
 *	gem_prime_get_sg_table	return the pages of an object in a new
 *				scatterlist that is not mapped, and that is
 *				freed with sg_free_table() and kfree(); or
 *				return ERR_PTR
 *	gem_prime_import_sg_table
 *				create an object for a buffer that is mapped for
 *				the device; or return ERR_PTR
 *	gem_prime_vmap		optional; map an object for the CPU, or return
 *				NULL
 *	gem_prime_vunmap	optional; undo gem_prime_vmap
 *	gem_prime_mmap		optional; map an object into a process. The
 *				offset of the vma is relative to the start of
 *				the object.
 *
 * gem_free_object must call drm_prime_gem_destroy() if import_attach is set.
 */
#ifndef _DRM_PRIME_H_
#define _DRM_PRIME_H_

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_buf;

/**
 * struct drm_prime_device - state of PRIME for a device
 * @lock: guards @imports and the export_dma_buf of all objects; innermost
 * @imports: list of imported objects, linked by &struct
 *	drm_gem_object.import_node. It holds no references: an object is removed
 *	when its last reference is dropped.
 */
struct drm_prime_device {
	spinlock_t lock;		/* imports, export_dma_buf */
	struct list_head imports;
};

/**
 * struct drm_prime_file_private - state of PRIME for an open file
 * @lock: held from the search for the handle of an object until one was created
 */
struct drm_prime_file_private {
	struct mutex lock;		/* creation of handles by import */
};

#ifdef CONFIG_DMA_SHARED_BUFFER

void drm_prime_init(struct drm_device *dev);
void drm_prime_init_file(struct drm_file *file_priv);
void drm_prime_release_file(struct drm_file *file_priv);
u64 drm_prime_cap(struct drm_device *dev);
int drm_prime_return_fd(struct drm_device *dev, struct drm_file *file_priv,
			void *data, void __user *arg);
int drm_prime_handle_to_fd_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv);
int drm_prime_fd_to_handle_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv);

int drm_gem_prime_handle_to_fd(struct drm_device *dev,
			       struct drm_file *file_priv, u32 handle,
			       u32 flags, int *prime_fd);
int drm_gem_prime_fd_to_handle(struct drm_device *dev,
			       struct drm_file *file_priv, int prime_fd,
			       u32 *handle);
struct dma_buf *drm_gem_prime_export(struct drm_device *dev,
				     struct drm_gem_object *obj, int flags);
struct drm_gem_object *drm_gem_prime_import(struct drm_device *dev,
					    struct dma_buf *dma_buf);
void drm_gem_dmabuf_release(struct dma_buf *dma_buf);
void drm_prime_gem_destroy(struct drm_gem_object *obj, struct sg_table *sgt);
u32 drm_gem_handle_find(struct drm_file *file_priv,
			struct drm_gem_object *obj);

#else

static inline void drm_prime_init(struct drm_device *dev)
{
}

static inline void drm_prime_init_file(struct drm_file *file_priv)
{
}

static inline void drm_prime_release_file(struct drm_file *file_priv)
{
}

static inline u64 drm_prime_cap(struct drm_device *dev)
{
	return 0;
}

static inline int drm_prime_return_fd(struct drm_device *dev,
				      struct drm_file *file_priv, void *data,
				      void __user *arg)
{
	return -EINVAL;
}

static inline int drm_prime_handle_to_fd_ioctl(struct drm_device *dev,
					       void *data,
					       struct drm_file *file_priv)
{
	return -EINVAL;
}

static inline int drm_prime_fd_to_handle_ioctl(struct drm_device *dev,
					       void *data,
					       struct drm_file *file_priv)
{
	return -EINVAL;
}

#endif

#endif
