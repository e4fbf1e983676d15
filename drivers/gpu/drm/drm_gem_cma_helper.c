// SPDX-License-Identifier: GPL-2.0
/*
 * GEM objects in contiguous memory, for devices with neither scatter-gather nor
 * an IOMMU
 *
 * Objects are allocated with dma_alloc_writecombine(): they come from the
 * contiguous memory area of the device, are cleared, and are mapped
 * write-combining by the kernel and by processes. A shared buffer can be
 * imported if it is contiguous for the device. Its exporter chooses the
 * attributes of its mappings.
 */
#include <linux/fs.h>	/* v3.0's anon_inodes.h needs struct file_operations */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "drm_gem_cma_helper.h"

/* Allocate an object without memory. Return NULL on failure. */
static struct drm_gem_cma_object *new_object(struct drm_device *drm,
					     size_t size)
{
	struct drm_gem_cma_object *cma_obj;

	cma_obj = kzalloc(sizeof(*cma_obj), GFP_KERNEL);
	if (cma_obj && drm_gem_private_object_init(drm, &cma_obj->base, size)) {
		kfree(cma_obj);
		cma_obj = NULL;
	}
	return cma_obj;
}

/**
 * drm_gem_cma_create() - create an object
 * @drm: device
 * @size: size in bytes, not 0; rounded up to whole pages
 *
 * Context: process context, may sleep.
 * Return: an object with one reference; ERR_PTR(-EINVAL) if @size is 0 or
 * overflows when it is rounded up; or ERR_PTR(-ENOMEM).
 */
struct drm_gem_cma_object *drm_gem_cma_create(struct drm_device *drm,
					      size_t size)
{
	struct drm_gem_cma_object *cma_obj;

	size = PAGE_ALIGN(size);
	if (!size)
		return ERR_PTR(-EINVAL);

	cma_obj = new_object(drm, size);
	if (!cma_obj)
		return ERR_PTR(-ENOMEM);

	cma_obj->vaddr = dma_alloc_writecombine(drm->dev, size, &cma_obj->paddr,
						GFP_KERNEL | __GFP_NOWARN);
	if (!cma_obj->vaddr) {
		kfree(cma_obj);
		return ERR_PTR(-ENOMEM);
	}
	return cma_obj;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_create);

/*
 * Offsets in the device's file at which processes map objects
 */

static int create_mmap_offset(struct drm_gem_object *gem_obj)
{
	struct drm_gem_mm *mm = gem_obj->dev->mm_private;
	struct drm_map_list *list = &gem_obj->map_list;
	unsigned long nr_pages = gem_obj->size >> PAGE_SHIFT;
	int ret = -ENOMEM;

	list->map = kzalloc(sizeof(*list->map), GFP_KERNEL);
	if (!list->map)
		return -ENOMEM;
	list->map->type = _DRM_GEM;
	list->map->size = gem_obj->size;
	list->map->handle = gem_obj;

	list->file_offset_node = drm_mm_search_free(&mm->offset_manager,
						    nr_pages, 0, 0);
	if (!list->file_offset_node) {
		ret = -ENOSPC;
		goto free_map;
	}
	list->file_offset_node = drm_mm_get_block(list->file_offset_node,
						  nr_pages, 0);
	if (!list->file_offset_node)
		goto free_map;

	list->hash.key = list->file_offset_node->start;
	ret = drm_ht_insert_item(&mm->offset_hash, &list->hash);
	if (!ret)
		return 0;

	drm_mm_put_block(list->file_offset_node);
free_map:
	kfree(list->map);
	list->map = NULL;
	return ret;
}

static void free_mmap_offset(struct drm_gem_object *gem_obj)
{
	struct drm_gem_mm *mm = gem_obj->dev->mm_private;
	struct drm_map_list *list = &gem_obj->map_list;

	drm_ht_remove_item(&mm->offset_hash, &list->hash);
	drm_mm_put_block(list->file_offset_node);
	kfree(list->map);
	list->map = NULL;
}

/* Return the object that starts at an offset, with a reference, or NULL. */
static struct drm_gem_object *object_at(struct drm_device *drm,
					unsigned long pgoff)
{
	struct drm_gem_mm *mm = drm->mm_private;
	struct drm_gem_object *gem_obj = NULL;
	struct drm_hash_item *hash;

	mutex_lock(&drm->struct_mutex);
	if (!drm_ht_find_item(&mm->offset_hash, pgoff, &hash)) {
		gem_obj = drm_hash_entry(hash, struct drm_map_list,
					 hash)->map->handle;
		drm_gem_object_reference(gem_obj);
	}
	mutex_unlock(&drm->struct_mutex);
	return gem_obj;
}

/**
 * drm_gem_cma_free_object() - implement gem_free_object()
 * @gem_obj: object whose last reference was dropped
 *
 * Context: process context, may sleep. The struct_mutex is held; it is released
 * temporarily if the object was imported.
 */
void drm_gem_cma_free_object(struct drm_gem_object *gem_obj)
{
	struct drm_gem_cma_object *cma_obj = to_drm_gem_cma_obj(gem_obj);
	struct drm_device *drm = gem_obj->dev;

	if (gem_obj->map_list.map)
		free_mmap_offset(gem_obj);

	if (gem_obj->import_attach) {
		mutex_unlock(&drm->struct_mutex);
		drm_prime_gem_destroy(gem_obj, cma_obj->sgt);
		mutex_lock(&drm->struct_mutex);
	} else if (cma_obj->vaddr) {
		dma_free_writecombine(drm->dev, gem_obj->size, cma_obj->vaddr,
				      cma_obj->paddr);
		dma_uncharge(&cma_obj->charge);
	}

	drm_gem_object_release(gem_obj);
	kfree(cma_obj);
}
EXPORT_SYMBOL_GPL(drm_gem_cma_free_object);

/* Create an object that is charged to device, open file and user. */
static struct drm_gem_cma_object *create_charged(struct drm_device *drm,
						 struct drm_file *file_priv,
						 size_t size)
{
	struct drm_gem_cma_object *cma_obj;
	struct dma_charge charge = { NULL };
	int ret = dma_charge_device(&charge, drm->dev, file_priv, size);

	if (ret)
		return ERR_PTR(ret);

	cma_obj = drm_gem_cma_create(drm, size);
	if (IS_ERR(cma_obj)) {
		dma_uncharge(&charge);
		return cma_obj;
	}
	cma_obj->charge = charge;
	cma_obj->base.charge = &cma_obj->charge;
	return cma_obj;
}

/**
 * drm_gem_cma_dumb_create() - implement dumb_create()
 * @file_priv: open file that receives the handle
 * @drm: device
 * @args: width and height in pixels, bpp in bits per pixel; pitch and size, in
 *	  bytes, and handle are set
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if width, height or bpp is 0 or the size is too large; or
 * -EDQUOT or -ENOMEM.
 */
int drm_gem_cma_dumb_create(struct drm_file *file_priv, struct drm_device *drm,
			    struct drm_mode_create_dumb *args)
{
	struct drm_gem_cma_object *cma_obj;
	u64 pitch = div_u64((u64)args->width * args->bpp + 7, 8);
	u64 size;
	int ret;

	/* Neither factor exceeds 32 bits, so the product cannot overflow. */
	if (!pitch || pitch > UINT_MAX || !args->height)
		return -EINVAL;
	size = pitch * args->height;
	if (size > LONG_MAX)
		return -EINVAL;

	cma_obj = create_charged(drm, file_priv, size);
	if (IS_ERR(cma_obj))
		return PTR_ERR(cma_obj);

	args->pitch = pitch;
	args->size = cma_obj->base.size;
	ret = drm_gem_handle_create(file_priv, &cma_obj->base, &args->handle);
	drm_gem_object_unreference_unlocked(&cma_obj->base);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_dumb_create);

/**
 * drm_gem_cma_dumb_map_offset() - implement dumb_map_offset()
 * @file_priv: open file
 * @drm: device
 * @handle: handle of an object
 * @offset: set to the offset in bytes for mmap() of the device's file
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOENT if there is no object with this handle, -ENOSPC if no
 * offset is left, or -ENOMEM.
 */
int drm_gem_cma_dumb_map_offset(struct drm_file *file_priv,
				struct drm_device *drm, u32 handle,
				u64 *offset)
{
	struct drm_gem_object *gem_obj;
	int ret = 0;

	gem_obj = drm_gem_object_lookup(drm, file_priv, handle);
	if (!gem_obj)
		return -ENOENT;

	mutex_lock(&drm->struct_mutex);
	if (!gem_obj->map_list.map)
		ret = create_mmap_offset(gem_obj);
	if (!ret)
		*offset = (u64)gem_obj->map_list.hash.key << PAGE_SHIFT;
	mutex_unlock(&drm->struct_mutex);

	drm_gem_object_unreference_unlocked(gem_obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_dumb_map_offset);

/**
 * drm_gem_cma_dumb_destroy() - implement dumb_destroy()
 * @file_priv: open file
 * @drm: device
 * @handle: handle of an object, to be closed
 *
 * Context: process context, may sleep.
 * Return: 0, or -EINVAL if there is no object with this handle.
 */
int drm_gem_cma_dumb_destroy(struct drm_file *file_priv, struct drm_device *drm,
			     u32 handle)
{
	return drm_gem_handle_delete(file_priv, handle);
}
EXPORT_SYMBOL_GPL(drm_gem_cma_dumb_destroy);

const struct vm_operations_struct drm_gem_cma_vm_ops = {
	.open	= drm_gem_vm_open,
	.close	= drm_gem_vm_close,
};
EXPORT_SYMBOL_GPL(drm_gem_cma_vm_ops);

/**
 * drm_gem_cma_prime_mmap() - implement gem_prime_mmap()
 * @gem_obj: object that was not imported
 * @vma: shared mapping, with an offset relative to the start of the object
 *
 * Context: process context, may sleep; mmap_sem is held.
 * Return: 0, -EINVAL if the mapping is private, -ENXIO if it exceeds the
 * object, or -EAGAIN or -ENOMEM if mapping the pages failed.
 */
int drm_gem_cma_prime_mmap(struct drm_gem_object *gem_obj,
			   struct vm_area_struct *vma)
{
	struct drm_gem_cma_object *cma_obj = to_drm_gem_cma_obj(gem_obj);

	/* Writes to a private mapping would not reach the object. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	vma->vm_flags |= VM_DONTEXPAND;
	return dma_mmap_writecombine(gem_obj->dev->dev, vma, cma_obj->vaddr,
				     cma_obj->paddr, gem_obj->size);
}
EXPORT_SYMBOL_GPL(drm_gem_cma_prime_mmap);

/*
 * A mapping has its own file, which refers to the object, and not the file of
 * the device. The latter would be released by munmap() if it is closed before,
 * with mmap_sem held. drm_release() takes locks that are held where ioctls
 * access user memory, which takes mmap_sem.
 */

static int mapping_release(struct inode *inode, struct file *file)
{
	struct drm_gem_object *gem_obj = file->private_data;
	struct drm_device *drm = gem_obj->dev;
	struct module *owner = drm->driver->fops.owner;

	drm_gem_object_unreference_unlocked(gem_obj);
	drm_dev_unref(drm);
	module_put(owner);
	return 0;
}

static const struct file_operations mapping_fops = {
	.owner		= THIS_MODULE,
	.release	= mapping_release,
};

/* Return a file with references to object, device and driver, or ERR_PTR. */
static struct file *new_mapping_file(struct drm_gem_object *gem_obj)
{
	struct file *file;

	file = anon_inode_getfile("drm_gem", &mapping_fops, gem_obj, O_RDWR);
	if (IS_ERR(file))
		return file;
	drm_gem_object_reference(gem_obj);
	drm_dev_ref(gem_obj->dev);
	__module_get(gem_obj->dev->driver->fops.owner);
	return file;
}

/**
 * drm_gem_cma_map_object() - map an object that was not imported
 * @gem_obj: object
 * @vma: mapping; vm_pgoff is the first page of the object to map
 *
 * The mapping gets a file that refers to the object and to the device, instead
 * of the one that was passed to mmap().  So munmap() does not release the latter
 * under mmap_sem, which others wait for with locks that its release takes.
 *
 * Context: process context, may sleep; mmap_sem is held.
 * Return: 0; -EINVAL if the mapping is private; -ENXIO if the range exceeds the
 * object; or -EAGAIN, -ENFILE or -ENOMEM.
 */
int drm_gem_cma_map_object(struct drm_gem_object *gem_obj,
			   struct vm_area_struct *vma)
{
	struct file *file = new_mapping_file(gem_obj);
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);

	ret = drm_gem_cma_prime_mmap(gem_obj, vma);
	if (!ret)
		swap(vma->vm_file, file);
	fput(file);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_map_object);

/**
 * drm_gem_cma_mmap() - implement mmap() of a driver's files
 * @filp: open file
 * @vma: mapping, starting at the offset of an object
 *
 * The mapping refers to the object and to the device, but not to @filp.
 *
 * Context: process context, may sleep; mmap_sem is held.
 * Return: 0; -ENODEV after drm_unplug_dev(); -EACCES if the file has no handle
 * of the object, or if the object was imported and its buffer does not allow
 * the access; -EINVAL if no object starts at the offset, if the object is
 * smaller than the mapping, or if the mapping is private; -EAGAIN, -ENFILE or
 * -ENOMEM; or, for an imported object, the error of dma_buf_mmap().
 */
int drm_gem_cma_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_file *file_priv = filp->private_data;
	struct drm_device *drm = file_priv->minor->dev;
	struct drm_gem_object *gem_obj;
	int ret;

	if (drm_device_is_unplugged(drm))
		return -ENODEV;
	gem_obj = object_at(drm, vma->vm_pgoff);
	if (!gem_obj)
		return -EINVAL;

	ret = -EACCES;
	if (!drm_gem_handle_find(file_priv, gem_obj))
		goto unref;
	ret = -EINVAL;
	if (vma->vm_end - vma->vm_start > gem_obj->size)
		goto unref;

	vma->vm_pgoff = 0;
	if (gem_obj->import_attach)
		ret = dma_buf_mmap(gem_obj->import_attach->dmabuf, vma, 0);
	else
		ret = drm_gem_cma_map_object(gem_obj, vma);
unref:
	drm_gem_object_unreference_unlocked(gem_obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_mmap);

/**
 * drm_gem_cma_prime_get_sg_table() - implement gem_prime_get_sg_table()
 * @gem_obj: object that was not imported
 *
 * Context: process context, may sleep.
 * Return: a scatterlist with a single entry; ERR_PTR(-ENXIO) if the memory of
 * the object has no struct page; or ERR_PTR(-ENOMEM).
 */
struct sg_table *drm_gem_cma_prime_get_sg_table(struct drm_gem_object *gem_obj)
{
	struct drm_gem_cma_object *cma_obj = to_drm_gem_cma_obj(gem_obj);
	unsigned long pfn = dma_to_pfn(gem_obj->dev->dev, cma_obj->paddr);
	struct sg_table *sgt;

	if (!pfn_valid(pfn))
		return ERR_PTR(-ENXIO);

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_page(sgt->sgl, pfn_to_page(pfn), gem_obj->size, 0);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_prime_get_sg_table);

/**
 * drm_gem_cma_prime_import_sg_table() - implement gem_prime_import_sg_table()
 * @drm: device
 * @size: size of the shared buffer in bytes
 * @sgt: scatterlist of the buffer, mapped for the device
 *
 * Context: process context, may sleep.
 * Return: an object with one reference; ERR_PTR(-EINVAL) if the buffer is not
 * contiguous for the device or @size is not a multiple of PAGE_SIZE; or
 * ERR_PTR(-ENOMEM).
 */
struct drm_gem_object *
drm_gem_cma_prime_import_sg_table(struct drm_device *drm, size_t size,
				  struct sg_table *sgt)
{
	struct drm_gem_cma_object *cma_obj;

	if (sgt->nents != 1 || sg_dma_len(sgt->sgl) < size ||
	    !IS_ALIGNED(size, PAGE_SIZE))
		return ERR_PTR(-EINVAL);

	cma_obj = new_object(drm, size);
	if (!cma_obj)
		return ERR_PTR(-ENOMEM);
	cma_obj->paddr = sg_dma_address(sgt->sgl);
	cma_obj->sgt = sgt;
	return &cma_obj->base;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_prime_import_sg_table);

/**
 * drm_gem_cma_prime_vmap() - implement gem_prime_vmap()
 * @gem_obj: object
 *
 * Objects are always mapped for the kernel, so that a driver needs no
 * gem_prime_vunmap().
 *
 * Context: any.
 * Return: the address of the object, or NULL if it was imported.
 */
void *drm_gem_cma_prime_vmap(struct drm_gem_object *gem_obj)
{
	return to_drm_gem_cma_obj(gem_obj)->vaddr;
}
EXPORT_SYMBOL_GPL(drm_gem_cma_prime_vmap);

/* Drivers of v3.9 and v3.10 do not know these members. */
static void add_prime_ops(struct drm_driver *driver)
{
	driver->gem_prime_get_sg_table = drm_gem_cma_prime_get_sg_table;
	driver->gem_prime_import_sg_table = drm_gem_cma_prime_import_sg_table;
	driver->gem_prime_vmap = drm_gem_cma_prime_vmap;
	driver->gem_prime_mmap = drm_gem_cma_prime_mmap;
}

/**
 * drm_gem_cma_dmabuf_export() - implement gem_prime_export() alone
 * @drm: device
 * @gem_obj: object; on success the caller's reference passes to the buffer
 * @flags: DRM_RDWR or 0
 *
 * For drivers that set gem_prime_export and gem_prime_import, and none of the
 * members that drm_gem_prime_export() needs.
 *
 * Context: process context, may sleep.
 * Return: as drm_gem_prime_export().
 */
struct dma_buf *drm_gem_cma_dmabuf_export(struct drm_device *drm,
					  struct drm_gem_object *gem_obj,
					  int flags)
{
	add_prime_ops(drm->driver);
	return drm_gem_prime_export(drm, gem_obj, flags);
}
EXPORT_SYMBOL_GPL(drm_gem_cma_dmabuf_export);

/**
 * drm_gem_cma_dmabuf_import() - implement gem_prime_import() alone
 * @drm: device
 * @dma_buf: buffer to which the caller has a reference
 *
 * See drm_gem_cma_dmabuf_export().
 *
 * Context: process context, may sleep.
 * Return: as drm_gem_prime_import().
 */
struct drm_gem_object *drm_gem_cma_dmabuf_import(struct drm_device *drm,
						 struct dma_buf *dma_buf)
{
	add_prime_ops(drm->driver);
	return drm_gem_prime_import(drm, dma_buf);
}
EXPORT_SYMBOL_GPL(drm_gem_cma_dmabuf_import);

MODULE_DESCRIPTION("DRM: GEM objects in contiguous memory");
MODULE_LICENSE("GPL");
