/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers that drivers and processes share through a file descriptor.
 *
 * The first part is for user space, the second for drivers. See
 * Documentation/dma-buf-sharing.txt.
 */
#ifndef __DMA_BUF_H__
#define __DMA_BUF_H__

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct dma_buf_sync - begin or end access through a mapping
 * @flags: one of DMA_BUF_SYNC_START and DMA_BUF_SYNC_END, with
 *	   DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE or both
 */
struct dma_buf_sync {
	__u64 flags;
};

#define DMA_BUF_SYNC_READ	(1 << 0)
#define DMA_BUF_SYNC_WRITE	(2 << 0)
#define DMA_BUF_SYNC_RW		(DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE)
#define DMA_BUF_SYNC_START	(0 << 2)
#define DMA_BUF_SYNC_END	(1 << 2)
#define DMA_BUF_SYNC_VALID_FLAGS_MASK	(DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END)

/* Longest name of a buffer, with the 0 at its end */
#define DMA_BUF_NAME_LEN	32

#define DMA_BUF_BASE		'b'
#define DMA_BUF_IOCTL_SYNC	_IOW(DMA_BUF_BASE, 0, struct dma_buf_sync)
#define DMA_BUF_SET_NAME	_IOW(DMA_BUF_BASE, 1, const char *)
#define DMA_BUF_SET_NAME_A	_IOW(DMA_BUF_BASE, 1, __u32)
#define DMA_BUF_SET_NAME_B	_IOW(DMA_BUF_BASE, 1, __u64)

#ifdef __KERNEL__

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>

struct dma_buf;
struct dma_buf_attachment;

/**
 * struct dma_buf_ops - what an exporter does for a buffer
 * @attach: optional; a device is about to use the buffer: 0, or an errno that
 *	the importer gets if it can never be reached by the device. May sleep.
 * @detach: optional; the device will not use the buffer any more. May sleep.
 * @map_dma_buf: make the buffer ready for the device and give its pages with
 *	DMA addresses, or ERR_PTR. The storage may be allocated now, with a
 *	look at all that are attached. May sleep.
 * @unmap_dma_buf: the device does not use the addresses any more. May sleep.
 * @release: the last reference is gone; frees the storage. May sleep.
 * @begin_cpu_access: optional; make what devices wrote visible to the CPU:
 *	bytes start to start + len. 0 or an errno. May sleep.
 * @end_cpu_access: optional; make what the CPU wrote visible to devices.
 * @kmap_atomic: optional; map a page, by its number, for the CPU, or NULL
 * @kunmap_atomic: optional; the reverse
 * @kmap: optional; as @kmap_atomic, but may sleep
 * @kunmap: optional; the reverse
 * @mmap: optional; map the buffer for user space: 0 or an errno. The core has
 *	checked that the range is in the buffer.
 * @vmap: optional; map all of the buffer for the CPU, or NULL or ERR_PTR.
 *	May sleep.
 * @vunmap: optional; the reverse
 *
 * The core holds no lock while it calls any of these, except that calls of
 * @vmap and @vunmap for one buffer do not overlap.
 */
struct dma_buf_ops {
	int (*attach)(struct dma_buf *dmabuf, struct device *dev,
		      struct dma_buf_attachment *attach);
	void (*detach)(struct dma_buf *dmabuf,
		       struct dma_buf_attachment *attach);
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
	void (*unmap_dma_buf)(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir);
	void (*release)(struct dma_buf *dmabuf);
	int (*begin_cpu_access)(struct dma_buf *dmabuf, size_t start,
				size_t len, enum dma_data_direction dir);
	void (*end_cpu_access)(struct dma_buf *dmabuf, size_t start,
			       size_t len, enum dma_data_direction dir);
	void *(*kmap_atomic)(struct dma_buf *dmabuf, unsigned long page_num);
	void (*kunmap_atomic)(struct dma_buf *dmabuf, unsigned long page_num,
			      void *vaddr);
	void *(*kmap)(struct dma_buf *dmabuf, unsigned long page_num);
	void (*kunmap)(struct dma_buf *dmabuf, unsigned long page_num,
		       void *vaddr);
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma);
	void *(*vmap)(struct dma_buf *dmabuf);
	void (*vunmap)(struct dma_buf *dmabuf, void *vaddr);
};

/**
 * struct dma_buf - a shared buffer
 * @size: bytes; constant
 * @file: what holds the references; constant
 * @attachments: devices, struct dma_buf_attachment.node; @lock
 * @ops: of the exporter; constant
 * @lock: guards the list of attachments. An exporter may take it to walk the
 *	list; it takes no other lock inside that is held when it is called.
 * @vmap_lock: outside of every lock of the exporter
 * @vmapping_counter: how often the buffer is vmapped; @vmap_lock
 * @vmap_ptr: where; @vmap_lock
 * @exp_name: who made it, for bufinfo; constant
 * @owner: module of the exporter, held until the buffer is released; constant
 * @name_lock: innermost
 * @name: what user space calls it, or NULL; @name_lock
 * @list_node: in the list of all buffers
 * @priv: of the exporter
 */
struct dma_buf {
	size_t size;
	struct file *file;
	struct list_head attachments;
	const struct dma_buf_ops *ops;
	struct mutex lock;		/* attachments */
	struct mutex vmap_lock;		/* vmapping_counter, vmap_ptr */
	unsigned int vmapping_counter;
	void *vmap_ptr;
	const char *exp_name;
	struct module *owner;
	spinlock_t name_lock;		/* name */
	char *name;
	struct list_head list_node;
	void *priv;
};

/**
 * struct dma_buf_attachment - a device that uses a buffer
 * @dmabuf: buffer
 * @dev: device
 * @node: in the buffer's list
 * @priv: of the exporter
 */
struct dma_buf_attachment {
	struct dma_buf *dmabuf;
	struct device *dev;
	struct list_head node;
	void *priv;
};

/**
 * get_dma_buf() - get another reference
 * @dmabuf: buffer that the caller has a reference of; dropped with dma_buf_put()
 */
static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

struct dma_buf *__dma_buf_export(void *priv, const struct dma_buf_ops *ops,
				 size_t size, int flags, const char *exp_name,
				 struct module *owner);

/* dma_buf_export() with a name of the exporter's choice in bufinfo */
#define dma_buf_export_named(priv, ops, size, flags, exp_name) \
	__dma_buf_export(priv, ops, size, flags, exp_name, THIS_MODULE)

/* See __dma_buf_export(). The module that calls this is the exporter. */
#define dma_buf_export(priv, ops, size, flags) \
	dma_buf_export_named(priv, ops, size, flags, KBUILD_MODNAME)

int dma_buf_fd(struct dma_buf *dmabuf, int flags);
struct dma_buf *dma_buf_get(int fd);
void dma_buf_put(struct dma_buf *dmabuf);
int dma_buf_check_segment(struct device *dev, phys_addr_t start, size_t size);
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev);
void dma_buf_detach(struct dma_buf *dmabuf,
		    struct dma_buf_attachment *attach);
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir);
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf, size_t start, size_t len,
			     enum dma_data_direction dir);
void dma_buf_end_cpu_access(struct dma_buf *dmabuf, size_t start, size_t len,
			    enum dma_data_direction dir);
void *dma_buf_kmap_atomic(struct dma_buf *dmabuf, unsigned long page_num);
void dma_buf_kunmap_atomic(struct dma_buf *dmabuf, unsigned long page_num,
			   void *vaddr);
void *dma_buf_kmap(struct dma_buf *dmabuf, unsigned long page_num);
void dma_buf_kunmap(struct dma_buf *dmabuf, unsigned long page_num,
		    void *vaddr);
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff);
void *dma_buf_vmap(struct dma_buf *dmabuf);
void dma_buf_vunmap(struct dma_buf *dmabuf, void *vaddr);

#endif /* __KERNEL__ */

#endif /* __DMA_BUF_H__ */
