/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers that drivers and processes share through a file descriptor: the
 * interface of user space, followed by that of drivers. See
 * Documentation/dma-buf-sharing.txt.
 */
#ifndef __DMA_BUF_H__
#define __DMA_BUF_H__

#include <linux/ioctl.h>
#include <linux/types.h>

/* f_type that fstatfs() returns for a buffer */
#define DMA_BUF_MAGIC	0x444d4142	/* "DMAB" */

/**
 * struct dma_buf_sync - begin or end access through a mapping
 * @flags: DMA_BUF_SYNC_START or DMA_BUF_SYNC_END, combined with
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

/* Size of the longest name of a buffer, including the terminating NUL */
#define DMA_BUF_NAME_LEN	32

#define DMA_BUF_BASE		'b'
#define DMA_BUF_IOCTL_SYNC	_IOW(DMA_BUF_BASE, 0, struct dma_buf_sync)
#define DMA_BUF_SET_NAME	_IOW(DMA_BUF_BASE, 1, const char *)
#define DMA_BUF_SET_NAME_A	_IOW(DMA_BUF_BASE, 1, __u32)
#define DMA_BUF_SET_NAME_B	_IOW(DMA_BUF_BASE, 1, __u64)
/* Let the memory count against the limits of the caller's user. Not in mainline. */
#define DMA_BUF_IOCTL_CLAIM	_IO(DMA_BUF_BASE, 64)

#ifdef __KERNEL__

#include <linux/device.h>
#include <linux/dma-charge.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>

#ifdef CONFIG_ARM_DMA_USE_IOMMU
#include <asm/dma-iommu.h>

#define dma_buf_max_joined(dev)	arm_iommu_max_segment(dev)
#else
#define dma_buf_max_joined(dev)	((size_t)0)
#endif

struct dma_buf;
struct dma_buf_attachment;

/**
 * struct dma_buf_ops - operations of an exporter
 * @attach: optional; prepare the buffer for a device. Returns 0, or the errno
 *	that the importer gets if the device can never reach the buffer. May
 *	sleep.
 * @detach: optional; undo @attach. May sleep.
 * @map_dma_buf: return the pages of the buffer with their DMA addresses for the
 *	device, or ERR_PTR. The storage may be allocated here, to suit all
 *	devices that are attached. May sleep.
 * @unmap_dma_buf: undo @map_dma_buf; the device has stopped using the
 *	addresses. May sleep.
 * @release: free the storage, after the last reference was dropped. May sleep.
 * @begin_cpu_access: optional; make what devices wrote to a range of len bytes
 *	at offset start visible to the CPU. Returns 0 or an errno. May sleep.
 * @end_cpu_access: optional; make what the CPU wrote to the range visible to
 *	devices. May sleep.
 * @kmap_atomic: optional; map the page with a given number for the CPU. Returns
 *	NULL on failure. Must not sleep.
 * @kunmap_atomic: optional; undo @kmap_atomic. Must not sleep.
 * @kmap: optional; like @kmap_atomic, but may sleep
 * @kunmap: optional; undo @kmap. May sleep.
 * @mmap: optional; map the buffer into a process. Returns 0 or an errno. The
 *	core has checked that the range lies within the buffer.
 * @vmap: optional; map the whole buffer for the CPU. Returns NULL or ERR_PTR on
 *	failure. May sleep.
 * @vunmap: optional; undo @vmap. May sleep.
 *
 * The core holds no lock while it calls these operations, except that it
 * serializes @vmap and @vunmap of one buffer.
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
 * @size: size in bytes; constant
 * @file: file that carries the references; constant
 * @attachments: list of attached devices, linked by &struct
 *	dma_buf_attachment.node; @lock
 * @ops: operations of the exporter; constant
 * @lock: guards @attachments. An exporter may take it to walk the list, and
 *	must not acquire under it a lock that is held when its operations are
 *	called.
 * @vmap_lock: guards @nr_vmaps and @vmap_addr; taken before all locks of the
 *	exporter
 * @nr_vmaps: number of dma_buf_vmap() calls not yet undone; @vmap_lock
 * @vmap_addr: address of the kernel mapping while @nr_vmaps is not 0;
 *	@vmap_lock
 * @exp_name: name of the exporter, shown in bufinfo; constant
 * @owner: module of the exporter, pinned until the buffer is released; constant
 * @name_lock: guards @name; innermost
 * @name: name set by user space, or NULL; @name_lock
 * @list_node: entry in the list of all buffers
 * @charge: whom the memory is charged to, set by the exporter after
 *	dma_buf_export(); or NULL
 * @priv: private data of the exporter
 */
struct dma_buf {
	size_t size;
	struct file *file;
	struct list_head attachments;
	const struct dma_buf_ops *ops;
	struct mutex lock;		/* attachments */
	struct mutex vmap_lock;		/* nr_vmaps, vmap_addr */
	unsigned int nr_vmaps;
	void *vmap_addr;
	const char *exp_name;
	struct module *owner;
	spinlock_t name_lock;		/* name */
	char *name;
	struct list_head list_node;
	struct dma_charge *charge;
	void *priv;
};

/**
 * struct dma_buf_limits - limits of a device for the memory of a buffer
 * @mask: highest address that the device reaches
 * @seg_boundary: mask of the boundaries that no segment may cross, or 0
 * @max_seg_size: maximum size of a segment in bytes, or 0 for any size
 * @max_seg_count: maximum number of segments, or 0 for any number
 * @joined: bytes of scattered pages that an IOMMU makes one segment of, or 0
 */
struct dma_buf_limits {
	u64 mask;
	u64 seg_boundary;
	size_t max_seg_size;
	unsigned int max_seg_count;
	size_t joined;
};

/**
 * struct dma_buf_attachment - a device attached to a buffer
 * @dmabuf: buffer
 * @dev: device
 * @limits: limits of the device, which do not change while it is attached
 * @node: entry in &struct dma_buf.attachments
 * @priv: private data of the exporter
 */
struct dma_buf_attachment {
	struct dma_buf *dmabuf;
	struct device *dev;
	struct dma_buf_limits limits;
	struct list_head node;
	void *priv;
};

/**
 * get_dma_buf() - take another reference to a buffer
 * @dmabuf: buffer to which the caller already has a reference
 *
 * The reference is dropped with dma_buf_put().
 *
 * Context: any.
 */
static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

struct dma_buf *__dma_buf_export(void *priv, const struct dma_buf_ops *ops,
				 size_t size, int flags, const char *exp_name,
				 struct module *owner);

/* Like dma_buf_export(), with the name to show in bufinfo */
#define dma_buf_export_named(priv, ops, size, flags, exp_name) \
	__dma_buf_export(priv, ops, size, flags, exp_name, THIS_MODULE)

/* See __dma_buf_export(). The calling module becomes the exporter. */
#define dma_buf_export(priv, ops, size, flags) \
	dma_buf_export_named(priv, ops, size, flags, KBUILD_MODNAME)

int dma_buf_fd(struct dma_buf *dmabuf, int flags);
int dma_buf_fd_to_user(struct dma_buf *dmabuf, int flags, s32 __user *to);
struct dma_buf *dma_buf_get(int fd);
void dma_buf_put(struct dma_buf *dmabuf);
void dma_buf_get_limits(struct device *dev, struct dma_buf_limits *limits);
int dma_buf_check_limits(const struct dma_buf_limits *limits, phys_addr_t start,
			 size_t size);
struct dma_buf_attachment *
dma_buf_attach_limited(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_limits *limits);
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

#ifdef CONFIG_DMA_SHARED_BUFFER
bool is_dma_buf_vma(const struct vm_area_struct *vma);
#else
static inline bool is_dma_buf_vma(const struct vm_area_struct *vma)
{
	return false;
}
#endif

#endif /* __KERNEL__ */

#endif /* __DMA_BUF_H__ */
