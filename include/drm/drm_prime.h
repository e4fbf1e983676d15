/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PRIME: buffers of DRM devices as shared buffers, and the reverse.
 *
 * A driver sets DRIVER_PRIME, and prime_handle_to_fd and prime_fd_to_handle to the
 * functions below. These call
 *
 *	gem_prime_export	makes a shared buffer of an object. It has a reference of
 *				the object then; the caller took it.
 *	gem_prime_import	makes an object of a shared buffer, or gets a reference
 *				of the object that the buffer is made of
 *
 * which can be drm_gem_prime_export() and drm_gem_prime_import(). These in turn call
 *
 *	gem_prime_get_sg_table	the pages of an object in a new table, not mapped, that
 *				is freed with sg_free_table() and kfree(); or ERR_PTR
 *	gem_prime_import_sg_table
 *				a new object for a buffer that is mapped for the
 *				device; or ERR_PTR
 *	gem_prime_vmap, _vunmap	optional; an object for the CPU, or NULL
 *	gem_prime_mmap		optional; an object for user space. The vma's offset
 *				counts from the start of the object.
 *
 * gem_free_object calls drm_prime_gem_destroy() when import_attach is set.
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
 * struct drm_prime_device - what PRIME keeps for a device
 * @lock: guards @imports and the export_dma_buf of all objects; innermost
 * @imports: objects made of shared buffers, &struct drm_gem_object.import_node.
 *	They have no reference: the last one takes the object off the list.
 */
struct drm_prime_device {
	spinlock_t lock;		/* imports, export_dma_buf */
	struct list_head imports;
};

/**
 * struct drm_prime_file_private - what PRIME keeps for an open file
 * @lock: from looking for a handle until there is one
 */
struct drm_prime_file_private {
	struct mutex lock;		/* see above */
};

#ifdef CONFIG_DMA_SHARED_BUFFER

void drm_prime_init(struct drm_device *dev);
void drm_prime_init_file(struct drm_file *file_priv);
u64 drm_prime_cap(struct drm_device *dev);
void drm_prime_undo(unsigned int cmd, void *data, int error);
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

static inline u64 drm_prime_cap(struct drm_device *dev)
{
	return 0;
}

static inline void drm_prime_undo(unsigned int cmd, void *data, int error)
{
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
