// SPDX-License-Identifier: GPL-2.0
/*
 * PRIME: buffers of DRM devices as shared buffers, and the reverse.
 *
 * Who holds what:
 *
 *   exported: the shared buffer has a reference of the object and of the DRM device.
 *   The object only knows its buffer (export_dma_buf), and forgets it when the buffer
 *   is released. So neither handles nor the buffer keep the other alive for nothing,
 *   and there is one buffer for an object while it lives, however often it is
 *   exported.
 *
 *   imported: the object has a reference of the shared buffer, and a mapping of it
 *   for the device (import_attach). It is on the device's list of imports, without a
 *   reference, and taken off when it is freed. So a buffer is one object while that
 *   lives, whichever files import it. Exporting it gives the buffer that it is made of.
 *
 *   handles: there is no table beside that of the handles. A buffer that comes in
 *   twice is found there by its object.
 *
 * The struct_mutex is not held while the exporter of a buffer is called, which may be
 * another DRM device. drm_global_mutex and the mode_config.mutex of the importer can
 * be, when the last reference of an object goes with a frame or a file: an exporter
 * takes neither in unmap_dma_buf(), detach() and release().
 */
#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
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
 * @file_priv: file
 *
 * Context: any.
 */
void drm_prime_init_file(struct drm_file *file_priv)
{
	mutex_init(&file_priv->prime.lock);
}

/*
 * Objects and buffers
 */

/* The buffer that an object is exported as, with a reference, or NULL */
static struct dma_buf *get_exported(struct drm_gem_object *obj)
{
	struct dma_buf *dma_buf = obj->export_dma_buf;

	assert_spin_locked(&obj->dev->prime.lock);

	/* While it is being released it is not forgotten yet */
	if (dma_buf && !atomic_long_inc_not_zero(&dma_buf->file->f_count))
		dma_buf = NULL;
	return dma_buf;
}

/* The object that a buffer is imported as, with a reference, or NULL */
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

	/* Somebody else may have been faster */
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

	/* Somebody else may have been faster */
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
 * drm_gem_handle_find() - has an open file a handle of an object?
 * @file_priv: file
 * @obj: object
 *
 * Context: any but interrupts.
 * Return: the lowest such handle, or 0.
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

/**
 * drm_gem_prime_handle_to_fd() - give an object a file descriptor
 * @dev: device
 * @file_priv: open file that has the handle
 * @handle: of the object
 * @flags: DRM_CLOEXEC for the descriptor; DRM_RDWR if processes may also write
 *	through its mappings, which counts when the object is not exported yet
 * @prime_fd: where the descriptor goes
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOENT without such an object, or the errno of gem_prime_export or
 * dma_buf_fd().
 */
int drm_gem_prime_handle_to_fd(struct drm_device *dev,
			       struct drm_file *file_priv, u32 handle,
			       u32 flags, int *prime_fd)
{
	struct drm_gem_object *obj;
	struct dma_buf *dma_buf;

	obj = drm_gem_object_lookup(dev, file_priv, handle);
	if (!obj)
		return -ENOENT;
	dma_buf = export_object(dev, obj, flags);
	drm_gem_object_unreference_unlocked(obj);
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
 * drm_gem_prime_fd_to_handle() - give a shared buffer a handle
 * @dev: device
 * @file_priv: open file that gets the handle
 * @prime_fd: descriptor of the buffer
 * @handle: where the handle goes: the same one each time, until it is closed
 *
 * Context: process context, may sleep.
 * Return: 0, -EBADF, -EINVAL if @prime_fd is no shared buffer, -ENOMEM, or the errno
 * of gem_prime_import.
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

/* Does a device take the pages as they are? 0, -ERANGE, -E2BIG. */
static int check_table(struct sg_table *sgt, struct device *dev)
{
	unsigned int max_count = dma_get_max_seg_count(dev), i;
	struct scatterlist *sg;
	int ret;

	for_each_sg(sgt->sgl, sg, sgt->orig_nents, i) {
		ret = dma_buf_check_segment(dev, sg_phys(sg), sg->length);
		if (ret)
			return ret;
	}
	return max_count && sgt->orig_nents > max_count ? -E2BIG : 0;
}

static struct sg_table *drm_gem_map_dma_buf(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct sg_table *sgt = obj->dev->driver->gem_prime_get_sg_table(obj);
	int ret;

	if (IS_ERR(sgt))
		return sgt;
	ret = check_table(sgt, attach->dev);
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
 * drm_gem_dmabuf_release() - the buffer of an exported object is released
 * @dma_buf: buffer, whose priv is the object
 *
 * For the release() of a driver that has exporter operations of its own.
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
 * drm_gem_prime_export() - make a shared buffer of an object
 * @dev: device
 * @obj: object; the buffer has the reference that the caller took for it
 * @flags: DRM_RDWR, or 0 if processes may not write through their mappings
 *
 * The driver's module stays until the buffer is released, and so does @dev.
 *
 * Context: process context, may sleep.
 * Return: the buffer, or what __dma_buf_export() gives.
 */
struct dma_buf *drm_gem_prime_export(struct drm_device *dev,
				     struct drm_gem_object *obj, int flags)
{
	struct dma_buf *dma_buf;

	dma_buf = __dma_buf_export(obj, &drm_gem_prime_dmabuf_ops, obj->size,
				   flags & O_ACCMODE, dev->driver->name,
				   dev->driver->fops.owner);
	if (!IS_ERR(dma_buf))
		drm_dev_ref(dev);
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_gem_prime_export);

/*
 * Import
 */

/**
 * drm_gem_prime_import() - make an object of a shared buffer
 * @dev: device
 * @dma_buf: buffer that the caller has a reference of
 *
 * Context: process context, may sleep.
 * Return: an object with a reference: that of which @dma_buf was made, if it is one
 * of @dev, else a new one; or the errno of dma_buf_attach(),
 * dma_buf_map_attachment() or gem_prime_import_sg_table.
 */
struct drm_gem_object *drm_gem_prime_import(struct drm_device *dev,
					    struct dma_buf *dma_buf)
{
	struct dma_buf_attachment *attach;
	struct drm_gem_object *obj;
	struct sg_table *sgt;

	if (dma_buf->ops == &drm_gem_prime_dmabuf_ops) {
		obj = dma_buf->priv;
		if (obj->dev == dev) {
			drm_gem_object_reference(obj);
			return obj;
		}
	}

	attach = dma_buf_attach(dma_buf, dev->dev);
	if (IS_ERR(attach))
		return ERR_CAST(attach);

	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		obj = ERR_CAST(sgt);
		goto detach;
	}

	obj = dev->driver->gem_prime_import_sg_table(dev, dma_buf->size, sgt);
	if (IS_ERR(obj))
		goto unmap;

	get_dma_buf(dma_buf);
	obj->import_attach = attach;
	return obj;

unmap:
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
detach:
	dma_buf_detach(dma_buf, attach);
	return obj;
}
EXPORT_SYMBOL_GPL(drm_gem_prime_import);

/**
 * drm_prime_gem_destroy() - let go of the shared buffer of an object
 * @obj: object that drm_gem_prime_import() made, with no reference left
 * @sgt: its pages
 *
 * Context: process context, may sleep. The struct_mutex is not held: the exporter
 * may be another DRM device, whose last reference this can be.
 */
void drm_prime_gem_destroy(struct drm_gem_object *obj, struct sg_table *sgt)
{
	struct dma_buf_attachment *attach = obj->import_attach;
	struct dma_buf *dma_buf = attach->dmabuf;

	/* Not there yet if it was of no use: somebody else was faster */
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
 * drm_prime_cap() - what DRM_CAP_PRIME says of a device
 * @dev: device
 *
 * Context: any.
 * Return: DRM_PRIME_CAP_IMPORT, DRM_PRIME_CAP_EXPORT, both or 0.
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

/**
 * drm_prime_handle_to_fd_ioctl() - DRM_IOCTL_PRIME_HANDLE_TO_FD
 * @dev: device
 * @data: struct drm_prime_handle
 * @file_priv: open file
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL if the driver has no PRIME or the flags do not exist, -ENOSYS
 * if it has no export, or the errno of prime_handle_to_fd.
 */
int drm_prime_handle_to_fd_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv)
{
	struct drm_prime_handle *args = data;

	if (!drm_core_check_feature(dev, DRIVER_PRIME))
		return -EINVAL;
	if (!dev->driver->prime_handle_to_fd)
		return -ENOSYS;
	if (args->flags & ~(DRM_CLOEXEC | DRM_RDWR))
		return -EINVAL;

	return dev->driver->prime_handle_to_fd(dev, file_priv, args->handle,
					       args->flags, &args->fd);
}

/**
 * drm_prime_undo() - the result of an ioctl could not be given to user space
 * @cmd: ioctl
 * @data: what it was to get
 * @error: what it returned
 *
 * Nobody knows the descriptor of DRM_IOCTL_PRIME_HANDLE_TO_FD: it is closed again.
 * (Handles are gone with the open file.)
 *
 * Context: process context, may sleep.
 */
void drm_prime_undo(unsigned int cmd, void *data, int error)
{
	struct drm_prime_handle *args = data;

	if (cmd == DRM_IOCTL_PRIME_HANDLE_TO_FD && !error)
		sys_close(args->fd);
}

/**
 * drm_prime_fd_to_handle_ioctl() - DRM_IOCTL_PRIME_FD_TO_HANDLE
 * @dev: device
 * @data: struct drm_prime_handle
 * @file_priv: open file
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL if the driver has no PRIME, -ENOSYS if it has no import, or the
 * errno of prime_fd_to_handle.
 */
int drm_prime_fd_to_handle_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv)
{
	struct drm_prime_handle *args = data;

	if (!drm_core_check_feature(dev, DRIVER_PRIME))
		return -EINVAL;
	if (!dev->driver->prime_fd_to_handle)
		return -ENOSYS;

	return dev->driver->prime_fd_to_handle(dev, file_priv, args->fd,
					       &args->handle);
}
