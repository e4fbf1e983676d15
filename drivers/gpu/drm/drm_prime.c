// SPDX-License-Identifier: GPL-2.0
/*
 * PRIME: export of GEM objects as shared buffers, and import of shared buffers
 *
 * Ownership:
 *
 *   exported: the shared buffer holds references to the object and to the DRM
 *   device. The object points to the buffer (export_dma_buf) without a
 *   reference, and the pointer is cleared when the buffer is released. Thus
 *   there is no cycle of references, and all exports of an object share one
 *   buffer while it exists.
 *
 *   imported: the object holds a reference to the shared buffer and a mapping
 *   of it for the device (import_attach). The device's list of imports refers
 *   to the object without a reference; the object is removed from it when it is
 *   freed. Thus all files that import a buffer share one object while it
 *   exists. Exporting an imported object returns the original buffer.
 *
 *   handles: the table of handles is the only table. A second import of a
 *   buffer finds the handle there by the object.
 *
 * The exporter of a buffer, which may be another DRM device, is called without
 * the struct_mutex. When closing a file or removing a framebuffer drops the
 * last reference to an object, drm_global_mutex and the mode_config.mutex of
 * the importer may be held: unmap_dma_buf(), detach() and release() of an
 * exporter must not take them.
 */
#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/dma-charge.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "drmP.h"

/**
 * drm_prime_init() - prepare a device for PRIME
 * @dev: device
 *
 * Context: any.
 */
void drm_prime_init(struct drm_device *dev)
{
	spin_lock_init(&dev->prime.lock);
	INIT_LIST_HEAD(&dev->prime.imports);
}

/**
 * drm_prime_init_file() - prepare an open file for PRIME
 * @file_priv: open file
 *
 * Context: any.
 */
void drm_prime_init_file(struct drm_file *file_priv)
{
	mutex_init(&file_priv->prime.lock);
}

/**
 * drm_prime_release_file() - an open file is closed
 * @file_priv: open file
 *
 * Context: process context.
 */
void drm_prime_release_file(struct drm_file *file_priv)
{
	dma_charge_forget(file_priv);
}

/*
 * Objects and buffers
 */

/* Return the buffer that an object is exported as, referenced, or NULL. */
static struct dma_buf *get_exported(struct drm_gem_object *obj)
{
	struct dma_buf *dma_buf = obj->export_dma_buf;

	assert_spin_locked(&obj->dev->prime.lock);

	/* A buffer under release is still set, but has no references. */
	if (dma_buf && !atomic_long_inc_not_zero(&dma_buf->file->f_count))
		dma_buf = NULL;
	return dma_buf;
}

/* Return the object that a buffer is imported as, referenced, or NULL. */
static struct drm_gem_object *get_imported(struct drm_device *dev,
					   struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;

	assert_spin_locked(&dev->prime.lock);

	list_for_each_entry(obj, &dev->prime.imports, import_node)
		if (obj->import_attach->dmabuf == dma_buf &&
		    atomic_inc_not_zero(&obj->refcount.refcount))
			return obj;
	return NULL;
}

static struct dma_buf *export_object(struct drm_device *dev,
				     struct drm_gem_object *obj, int flags)
{
	struct dma_buf *dma_buf, *other;

	if (obj->import_attach) {
		get_dma_buf(obj->import_attach->dmabuf);
		return obj->import_attach->dmabuf;
	}

	spin_lock(&dev->prime.lock);
	dma_buf = get_exported(obj);
	spin_unlock(&dev->prime.lock);
	if (dma_buf)
		return dma_buf;

	drm_gem_object_reference(obj);
	dma_buf = dev->driver->gem_prime_export(dev, obj, flags);
	if (IS_ERR(dma_buf)) {
		drm_gem_object_unreference_unlocked(obj);
		return dma_buf;
	}

	/* Another export may have finished first. */
	spin_lock(&dev->prime.lock);
	other = get_exported(obj);
	if (!other)
		obj->export_dma_buf = dma_buf;
	spin_unlock(&dev->prime.lock);

	if (!other)
		return dma_buf;
	dma_buf_put(dma_buf);
	return other;
}

static struct drm_gem_object *import_buffer(struct drm_device *dev,
					    struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj, *other = NULL;

	spin_lock(&dev->prime.lock);
	obj = get_imported(dev, dma_buf);
	spin_unlock(&dev->prime.lock);
	if (obj)
		return obj;

	obj = dev->driver->gem_prime_import(dev, dma_buf);
	if (IS_ERR(obj) || !obj->import_attach)
		return obj;

	/* Another import may have finished first. */
	spin_lock(&dev->prime.lock);
	if (obj->import_attach->dmabuf == dma_buf && !obj->import_node.next) {
		other = get_imported(dev, dma_buf);
		if (!other)
			list_add(&obj->import_node, &dev->prime.imports);
	}
	spin_unlock(&dev->prime.lock);

	if (!other)
		return obj;
	drm_gem_object_unreference_unlocked(obj);
	return other;
}

/*
 * Handles and descriptors
 */

static int match_object(int id, void *entry, void *obj)
{
	return entry == obj ? id : 0;
}

/**
 * drm_gem_handle_find() - find the handle of an object in an open file
 * @file_priv: open file
 * @obj: object
 *
 * Context: any except interrupts.
 * Return: the lowest handle of the object, or 0 if the file has none.
 */
u32 drm_gem_handle_find(struct drm_file *file_priv, struct drm_gem_object *obj)
{
	u32 handle;

	spin_lock(&file_priv->table_lock);
	handle = idr_for_each(&file_priv->object_idr, match_object, obj);
	spin_unlock(&file_priv->table_lock);
	return handle;
}
EXPORT_SYMBOL_GPL(drm_gem_handle_find);

static struct dma_buf *export_handle(struct drm_device *dev,
				     struct drm_file *file_priv, u32 handle,
				     u32 flags)
{
	struct drm_gem_object *obj;
	struct dma_buf *dma_buf;

	obj = drm_gem_object_lookup(dev, file_priv, handle);
	if (!obj)
		return ERR_PTR(-ENOENT);
	dma_buf = export_object(dev, obj, flags);
	drm_gem_object_unreference_unlocked(obj);
	return dma_buf;
}

/**
 * drm_gem_prime_handle_to_fd() - export an object as a file descriptor
 * @dev: device
 * @file_priv: open file that owns the handle
 * @handle: handle of the object
 * @flags: DRM_CLOEXEC to close the descriptor on exec; DRM_RDWR to let
 *	processes write through mappings, which only has an effect if the object
 *	is not yet exported
 * @prime_fd: set to the descriptor
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOENT if there is no object with this handle, or the error of
 * gem_prime_export() or dma_buf_fd().
 */
int drm_gem_prime_handle_to_fd(struct drm_device *dev,
			       struct drm_file *file_priv, u32 handle,
			       u32 flags, int *prime_fd)
{
	struct dma_buf *dma_buf = export_handle(dev, file_priv, handle, flags);

	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);

	*prime_fd = dma_buf_fd(dma_buf, flags & DRM_CLOEXEC);
	if (*prime_fd >= 0)
		return 0;
	dma_buf_put(dma_buf);
	return *prime_fd;
}
EXPORT_SYMBOL_GPL(drm_gem_prime_handle_to_fd);

/**
 * drm_gem_prime_fd_to_handle() - import a file descriptor as a handle
 * @dev: device
 * @file_priv: open file that receives the handle
 * @prime_fd: descriptor of a shared buffer
 * @handle: set to the handle, which repeated imports share until it is closed
 *
 * Context: process context, may sleep.
 * Return: 0, -EBADF if @prime_fd is not open, -EINVAL if it is not the
 * descriptor of a shared buffer, -ENOMEM, or the error of gem_prime_import().
 */
int drm_gem_prime_fd_to_handle(struct drm_device *dev,
			       struct drm_file *file_priv, int prime_fd,
			       u32 *handle)
{
	struct dma_buf *dma_buf = dma_buf_get(prime_fd);
	struct drm_gem_object *obj;
	int ret = 0;

	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);
	obj = import_buffer(dev, dma_buf);
	dma_buf_put(dma_buf);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	mutex_lock(&file_priv->prime.lock);
	*handle = drm_gem_handle_find(file_priv, obj);
	if (!*handle)
		ret = drm_gem_handle_create(file_priv, obj, handle);
	mutex_unlock(&file_priv->prime.lock);

	drm_gem_object_unreference_unlocked(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_prime_fd_to_handle);

/*
 * Export
 */

static void free_table(struct sg_table *sgt)
{
	sg_free_table(sgt);
	kfree(sgt);
}

/* Check that a device can use the pages. Return 0, -ERANGE or -E2BIG. */
static int check_table(struct sg_table *sgt, const struct dma_buf_limits *limits)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sg(sgt->sgl, sg, sgt->orig_nents, i) {
		ret = dma_buf_check_limits(limits, sg_phys(sg), sg->length);
		if (ret)
			return ret;
	}
	if (limits->max_seg_count && sgt->orig_nents > limits->max_seg_count)
		return -E2BIG;
	return 0;
}

static struct sg_table *drm_gem_map_dma_buf(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct sg_table *sgt = obj->dev->driver->gem_prime_get_sg_table(obj);
	int ret;

	if (IS_ERR(sgt))
		return sgt;
	ret = check_table(sgt, &attach->limits);
	if (ret)
		goto free;

	ret = -EIO;
	sgt->nents = dma_map_sg(attach->dev, sgt->sgl, sgt->orig_nents, dir);
	if (sgt->nents)
		return sgt;

free:
	free_table(sgt);
	return ERR_PTR(ret);
}

static void drm_gem_unmap_dma_buf(struct dma_buf_attachment *attach,
				  struct sg_table *sgt,
				  enum dma_data_direction dir)
{
	dma_unmap_sg(attach->dev, sgt->sgl, sgt->orig_nents, dir);
	free_table(sgt);
}

/**
 * drm_gem_dmabuf_release() - drop the object of a buffer under release
 * @dma_buf: buffer, whose priv is the object
 *
 * For drivers that implement the operations of an exporter themselves, to be
 * called from their release().
 *
 * Context: process context, may sleep. No lock of the device is held.
 */
void drm_gem_dmabuf_release(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct drm_prime_device *prime = &obj->dev->prime;

	spin_lock(&prime->lock);
	if (obj->export_dma_buf == dma_buf)
		obj->export_dma_buf = NULL;
	spin_unlock(&prime->lock);

	drm_gem_object_unreference_unlocked(obj);
}
EXPORT_SYMBOL_GPL(drm_gem_dmabuf_release);

static void drm_gem_release_dma_buf(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct drm_device *dev = obj->dev;

	drm_gem_dmabuf_release(dma_buf);
	drm_dev_unref(dev);
}

static void *drm_gem_vmap_dma_buf(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct drm_driver *driver = obj->dev->driver;

	return driver->gem_prime_vmap ? driver->gem_prime_vmap(obj) : NULL;
}

static void drm_gem_vunmap_dma_buf(struct dma_buf *dma_buf, void *vaddr)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if (obj->dev->driver->gem_prime_vunmap)
		obj->dev->driver->gem_prime_vunmap(obj, vaddr);
}

static int drm_gem_mmap_dma_buf(struct dma_buf *dma_buf,
				struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if (!obj->dev->driver->gem_prime_mmap)
		return -ENODEV;
	return obj->dev->driver->gem_prime_mmap(obj, vma);
}

static const struct dma_buf_ops drm_gem_prime_dmabuf_ops = {
	.map_dma_buf	= drm_gem_map_dma_buf,
	.unmap_dma_buf	= drm_gem_unmap_dma_buf,
	.release	= drm_gem_release_dma_buf,
	.vmap		= drm_gem_vmap_dma_buf,
	.vunmap		= drm_gem_vunmap_dma_buf,
	.mmap		= drm_gem_mmap_dma_buf,
};

/**
 * drm_gem_prime_export() - create a shared buffer from an object
 * @dev: device
 * @obj: object; on success the caller's reference passes to the buffer
 * @flags: DRM_RDWR to let processes write through mappings, or 0
 *
 * The buffer holds a reference to @dev and pins the driver's module until it is
 * released.
 *
 * Context: process context, may sleep.
 * Return: the buffer, or the error of __dma_buf_export().
 */
struct dma_buf *drm_gem_prime_export(struct drm_device *dev,
				     struct drm_gem_object *obj, int flags)
{
	struct dma_buf *dma_buf;

	dma_buf = __dma_buf_export(obj, &drm_gem_prime_dmabuf_ops, obj->size,
				   flags & O_ACCMODE, dev->driver->name,
				   dev->driver->fops.owner);
	if (!IS_ERR(dma_buf)) {
		drm_dev_ref(dev);
		dma_buf->charge = obj->charge;
	}
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_gem_prime_export);

/*
 * Import
 */

/* Return the object of dev that a buffer exports, referenced, or NULL. */
static struct drm_gem_object *get_own_object(struct drm_device *dev,
					     struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = NULL;

	if (dma_buf->ops == &drm_gem_prime_dmabuf_ops)
		obj = dma_buf->priv;
	if (!obj || obj->dev != dev)
		return NULL;

	drm_gem_object_reference(obj);
	return obj;
}

/* Map an attached buffer and create an object for it, or return ERR_PTR. */
static struct drm_gem_object *map_new_object(struct drm_device *dev,
					     struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	struct drm_gem_object *obj;

	if (IS_ERR(sgt))
		return ERR_CAST(sgt);

	obj = dev->driver->gem_prime_import_sg_table(dev, attach->dmabuf->size,
						     sgt);
	if (IS_ERR(obj))
		dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	else
		obj->import_attach = attach;
	return obj;
}

/**
 * drm_gem_prime_import() - get an object for a shared buffer
 * @dev: device
 * @dma_buf: buffer to which the caller has a reference
 *
 * Context: process context, may sleep.
 * Return: an object with a reference: the one that @dma_buf was exported from
 * if it belongs to @dev, otherwise a new one; or the error of dma_buf_attach(),
 * dma_buf_map_attachment() or gem_prime_import_sg_table().
 */
struct drm_gem_object *drm_gem_prime_import(struct drm_device *dev,
					    struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = get_own_object(dev, dma_buf);
	struct dma_buf_attachment *attach;

	if (obj)
		return obj;

	attach = dma_buf_attach(dma_buf, dev->dev);
	if (IS_ERR(attach))
		return ERR_CAST(attach);

	obj = map_new_object(dev, attach);
	if (IS_ERR(obj))
		dma_buf_detach(dma_buf, attach);
	else	/* dropped by drm_prime_gem_destroy() */
		get_dma_buf(dma_buf);
	return obj;
}
EXPORT_SYMBOL_GPL(drm_gem_prime_import);

/**
 * drm_prime_gem_destroy() - release the shared buffer of an imported object
 * @obj: object created by drm_gem_prime_import(), without references
 * @sgt: scatterlist that the object was created with
 *
 * Context: process context, may sleep. The struct_mutex must not be held: the
 * exporter may be another DRM device, and this may drop the last reference to
 * the buffer.
 */
void drm_prime_gem_destroy(struct drm_gem_object *obj, struct sg_table *sgt)
{
	struct dma_buf_attachment *attach = obj->import_attach;
	struct dma_buf *dma_buf = attach->dmabuf;

	/* Not on the list if another import of the buffer finished first */
	spin_lock(&obj->dev->prime.lock);
	if (obj->import_node.next)
		list_del(&obj->import_node);
	spin_unlock(&obj->dev->prime.lock);

	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dma_buf, attach);
	dma_buf_put(dma_buf);
}
EXPORT_SYMBOL_GPL(drm_prime_gem_destroy);

/*
 * ioctls
 */

/**
 * drm_prime_cap() - get the value of DRM_CAP_PRIME for a device
 * @dev: device
 *
 * Context: any.
 * Return: DRM_PRIME_CAP_IMPORT, DRM_PRIME_CAP_EXPORT, both, or 0 without PRIME.
 */
u64 drm_prime_cap(struct drm_device *dev)
{
	u64 cap = 0;

	if (!drm_core_check_feature(dev, DRIVER_PRIME))
		return 0;
	if (dev->driver->prime_fd_to_handle)
		cap |= DRM_PRIME_CAP_IMPORT;
	if (dev->driver->prime_handle_to_fd)
		cap |= DRM_PRIME_CAP_EXPORT;
	return cap;
}

/* Return 0 if the device supports a direction, else -EINVAL or -ENOSYS. */
static int check_cap(struct drm_device *dev, u64 cap)
{
	if (!drm_core_check_feature(dev, DRIVER_PRIME))
		return -EINVAL;
	return drm_prime_cap(dev) & cap ? 0 : -ENOSYS;
}

/**
 * drm_prime_handle_to_fd_ioctl() - check DRM_IOCTL_PRIME_HANDLE_TO_FD
 * @dev: device
 * @data: struct drm_prime_handle with flags
 * @file_priv: open file
 *
 * drm_prime_return_fd() does the rest.
 *
 * Context: any.
 * Return: 0, -EINVAL if the driver does not support PRIME or a flag is unknown,
 * or -ENOSYS if it does not support export.
 */
int drm_prime_handle_to_fd_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv)
{
	struct drm_prime_handle *prime = data;
	bool unknown_flags = prime->flags & ~(DRM_CLOEXEC | DRM_RDWR);
	int ret = check_cap(dev, DRM_PRIME_CAP_EXPORT);

	return !ret && unknown_flags ? -EINVAL : ret;
}

/**
 * drm_prime_return_fd() - export an object as a descriptor for user space
 * @dev: device
 * @file_priv: open file that owns the handle
 * @data: struct drm_prime_handle with handle and flags, which were checked
 * @arg: the same structure in user space; fd is set
 *
 * Nobody else can have the descriptor when copying fails, unless the driver has
 * its own prime_handle_to_fd(): then the descriptor stays open.
 *
 * Context: process context, may sleep.
 * Return: 0, -EFAULT, -ENOENT if there is no object with this handle, or the
 * error of prime_handle_to_fd(), gem_prime_export() or dma_buf_fd_to_user().
 */
int drm_prime_return_fd(struct drm_device *dev, struct drm_file *file_priv,
			void *data, void __user *arg)
{
	struct drm_prime_handle __user *user = arg;
	struct drm_prime_handle *prime = data;
	struct dma_buf *dma_buf;
	int ret;

	if (dev->driver->prime_handle_to_fd != drm_gem_prime_handle_to_fd) {
		ret = dev->driver->prime_handle_to_fd(dev, file_priv,
						      prime->handle,
						      prime->flags, &prime->fd);
		return ret ? ret : put_user(prime->fd, &user->fd);
	}

	dma_buf = export_handle(dev, file_priv, prime->handle, prime->flags);
	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);
	ret = dma_buf_fd_to_user(dma_buf, prime->flags & DRM_CLOEXEC,
				 &user->fd);
	if (ret)
		dma_buf_put(dma_buf);
	return ret;
}

/**
 * drm_prime_fd_to_handle_ioctl() - implement DRM_IOCTL_PRIME_FD_TO_HANDLE
 * @dev: device
 * @data: struct drm_prime_handle with fd; handle is set
 * @file_priv: open file
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL if the driver does not support PRIME, -ENOSYS if it does
 * not support import, or the error of prime_fd_to_handle().
 */
int drm_prime_fd_to_handle_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv)
{
	struct drm_prime_handle *prime = data;
	int ret = check_cap(dev, DRM_PRIME_CAP_IMPORT);

	if (!ret)
		ret = dev->driver->prime_fd_to_handle(dev, file_priv, prime->fd,
						      &prime->handle);
	return ret;
}
