// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that drivers and processes share through a file descriptor
 *
 * Each buffer is represented by a file. References to the buffer are references
 * to the file, and the buffer is released with the last of them. The exporter
 * manages the storage; the core keeps the list of attached devices and
 * implements the interface of user space.
 *
 * Lock order: dma_buf_list_mutex, vmap_lock, locks of the exporter, lock,
 * inode_lock, name_lock. Exporters are called with none of these held, except for vmap()
 * and vunmap(), which are called with vmap_lock held.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static DEFINE_MUTEX(dma_buf_list_mutex);	/* dma_buf_list */
static LIST_HEAD(dma_buf_list);
static DEFINE_SPINLOCK(inode_lock);		/* i_private of inodes */
static struct vfsmount *dma_buf_mnt;		/* of the inodes; constant */

static bool is_direction(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE ||
	       dir == DMA_FROM_DEVICE;
}

/* Return true if pages [pgoff, pgoff + nr_pages) lie within the buffer. */
static bool has_pages(const struct dma_buf *dmabuf, unsigned long pgoff,
		      unsigned long nr_pages)
{
	unsigned long count = PAGE_ALIGN(dmabuf->size) >> PAGE_SHIFT;

	return pgoff < count && nr_pages <= count - pgoff;
}

/* Return true if what a process writes to the mapping reaches the buffer. */
static bool is_shared(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE;
}

/* Return true if bytes [start, start + len) lie within the buffer. */
static bool has_bytes(const struct dma_buf *dmabuf, size_t start, size_t len)
{
	return start <= dmabuf->size && len <= dmabuf->size - start;
}

static int dma_buf_release(struct inode *inode, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;
	struct module *owner = dmabuf->owner;

	/* The inode can be looked at for a little longer. */
	spin_lock(&inode_lock);
	inode->i_private = NULL;
	spin_unlock(&inode_lock);

	/* From here on, walkers of the list cannot find the buffer. */
	mutex_lock(&dma_buf_list_mutex);
	list_del(&dmabuf->list_node);
	mutex_unlock(&dma_buf_list_mutex);

	WARN(dmabuf->nr_vmaps, "dma-buf: buffer of %s released while vmapped\n",
	     dmabuf->exp_name);
	WARN(!list_empty(&dmabuf->attachments),
	     "dma-buf: buffer of %s released while attached\n",
	     dmabuf->exp_name);

	dmabuf->ops->release(dmabuf);
	kfree(dmabuf->name);
	kfree(dmabuf);
	module_put(owner);
	return 0;
}

static int dma_buf_mmap_file(struct file *file, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = file->private_data;

	if (!dmabuf->ops->mmap)
		return -ENODEV;
	if (!has_pages(dmabuf, vma->vm_pgoff,
		       (vma->vm_end - vma->vm_start) >> PAGE_SHIFT) ||
	    !is_shared(vma))
		return -EINVAL;

	vma->vm_flags |= VM_DONTEXPAND;
	return dmabuf->ops->mmap(dmabuf, vma);
}

/* Buffers have no fences: nothing that can be waited for is ever pending. */
static unsigned int dma_buf_poll(struct file *file, poll_table *wait)
{
	return POLLIN | POLLOUT;
}

/* Let user space query the size with lseek(fd, 0, SEEK_END). */
static loff_t dma_buf_llseek(struct file *file, loff_t offset, int whence)
{
	struct dma_buf *dmabuf = file->private_data;

	if (offset)
		return -EINVAL;
	if (whence == SEEK_END)
		return dmabuf->size;
	if (whence == SEEK_SET)
		return 0;
	return -EINVAL;
}

static long dma_buf_ioctl_sync(struct dma_buf *dmabuf, void __user *arg)
{
	enum dma_data_direction dir;
	struct dma_buf_sync sync;

	if (copy_from_user(&sync, arg, sizeof(sync)))
		return -EFAULT;
	if (sync.flags & ~(__u64)DMA_BUF_SYNC_VALID_FLAGS_MASK)
		return -EINVAL;

	switch (sync.flags & DMA_BUF_SYNC_RW) {
	case DMA_BUF_SYNC_READ:
		dir = DMA_FROM_DEVICE;
		break;
	case DMA_BUF_SYNC_WRITE:
		dir = DMA_TO_DEVICE;
		break;
	case DMA_BUF_SYNC_RW:
		dir = DMA_BIDIRECTIONAL;
		break;
	default:
		return -EINVAL;
	}

	if (!(sync.flags & DMA_BUF_SYNC_END))
		return dma_buf_begin_cpu_access(dmabuf, 0, dmabuf->size, dir);
	dma_buf_end_cpu_access(dmabuf, 0, dmabuf->size, dir);
	return 0;
}

static long dma_buf_ioctl_set_name(struct dma_buf *dmabuf,
				   const char __user *arg)
{
	char *name = strndup_user(arg, DMA_BUF_NAME_LEN);

	if (IS_ERR(name))
		return PTR_ERR(name);

	spin_lock(&dmabuf->name_lock);
	swap(dmabuf->name, name);
	spin_unlock(&dmabuf->name_lock);
	kfree(name);
	return 0;
}

static long dma_buf_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct dma_buf *dmabuf = file->private_data;

	switch (cmd) {
	case DMA_BUF_IOCTL_SYNC:
		return dma_buf_ioctl_sync(dmabuf, (void __user *)arg);
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return dma_buf_ioctl_set_name(dmabuf, (char __user *)arg);
	case DMA_BUF_IOCTL_CLAIM:
		return dmabuf->charge ? dma_charge_move(dmabuf->charge) : -ENOTTY;
	default:
		return -ENOTTY;
	}
}

/* Copy the name set by user space, or "", to name[DMA_BUF_NAME_LEN]. */
static void copy_name(struct dma_buf *dmabuf, char *name)
{
	spin_lock(&dmabuf->name_lock);
	strlcpy(name, dmabuf->name ? dmabuf->name : "", DMA_BUF_NAME_LEN);
	spin_unlock(&dmabuf->name_lock);
}

static int dma_buf_show_fdinfo(struct seq_file *s, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;
	char name[DMA_BUF_NAME_LEN];

	/* The reader of fdinfo holds one of the references. */
	seq_printf(s, "ino:\t%lu\nsize:\t%zu\ncount:\t%ld\nexp_name:\t%s\n",
		   file->f_path.dentry->d_inode->i_ino, dmabuf->size,
		   file_count(file) - 1, dmabuf->exp_name);
	copy_name(dmabuf, name);
	if (name[0])
		seq_printf(s, "name:\t%s\n", name);
	dma_charge_show(s, dmabuf->charge);
	return 0;
}

static const struct file_operations dma_buf_fops = {
	.owner		= THIS_MODULE,
	.release	= dma_buf_release,
	.mmap		= dma_buf_mmap_file,
	.poll		= dma_buf_poll,
	.llseek		= dma_buf_llseek,
	.unlocked_ioctl	= dma_buf_ioctl,
	.compat_ioctl	= dma_buf_ioctl,
	.show_fdinfo	= dma_buf_show_fdinfo,
};

/*
 * Inodes: each buffer has its own, so that programs can tell from st_ino whether
 * two descriptors are of the same buffer. They cannot be opened.
 */

/* The target of the link in /proc/PID/fd */
static char *dma_buf_dname(struct dentry *dentry, char *buffer, int len)
{
	char name[DMA_BUF_NAME_LEN] = "";
	struct dma_buf *dmabuf;

	spin_lock(&inode_lock);
	dmabuf = dentry->d_inode->i_private;
	if (dmabuf)
		copy_name(dmabuf, name);
	spin_unlock(&inode_lock);
	return dynamic_dname(dentry, buffer, len, "/dmabuf:%s", name);
}

static const struct dentry_operations dma_buf_dentry_ops = {
	.d_dname = dma_buf_dname,
};

static struct dentry *dma_buf_mount(struct file_system_type *type, int flags,
				    const char *name, void *data)
{
	return mount_pseudo(type, "dmabuf:", NULL, &dma_buf_dentry_ops,
			    DMA_BUF_MAGIC);
}

static struct file_system_type dma_buf_fs_type = {
	.name		= "dmabuf",
	.mount		= dma_buf_mount,
	.kill_sb	= kill_anon_super,
};

/* Before drivers are initialized, some of which export buffers */
static int __init dma_buf_fs_init(void)
{
	int ret = register_filesystem(&dma_buf_fs_type);

	if (ret)
		return ret;
	dma_buf_mnt = kern_mount(&dma_buf_fs_type);
	return IS_ERR(dma_buf_mnt) ? PTR_ERR(dma_buf_mnt) : 0;
}
subsys_initcall(dma_buf_fs_init);

static int refuse_open(struct inode *inode, struct file *file)
{
	return -ENXIO;
}

/* For the link in /proc/PID/fd; the file of the buffer has other operations. */
static const struct file_operations dma_buf_inode_fops = {
	.open = refuse_open,
};

static struct inode *new_buffer_inode(struct dma_buf *dmabuf)
{
	struct inode *inode = new_inode(dma_buf_mnt->mnt_sb);

	if (!inode)
		return NULL;

	inode->i_ino = get_next_ino();
	inode->i_mode = 0600;
	inode->i_fop = &dma_buf_inode_fops;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_atime = CURRENT_TIME;
	inode->i_mtime = inode->i_atime;
	inode->i_ctime = inode->i_atime;
	inode->i_size = dmabuf->size;
	inode_set_bytes(inode, dmabuf->size);
	/* Never put it on the list of inodes to be written. */
	inode->i_state = I_DIRTY;
	inode->i_private = dmabuf;
	return inode;
}

/* Create the file of a buffer. Return ERR_PTR(-ENOMEM) or ERR_PTR(-ENFILE). */
static struct file *new_buffer_file(struct dma_buf *dmabuf, int flags)
{
	struct qstr empty = { .name = "" };
	struct inode *inode;
	struct path path;
	struct file *file;

	if (IS_ERR_OR_NULL(dma_buf_mnt))
		return ERR_PTR(-ENOMEM);
	inode = new_buffer_inode(dmabuf);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	path.dentry = d_alloc_pseudo(dma_buf_mnt->mnt_sb, &empty);
	if (!path.dentry) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}

	path.mnt = mntget(dma_buf_mnt);
	d_instantiate(path.dentry, inode);
	file = alloc_file(&path, OPEN_FMODE(flags), &dma_buf_fops);
	if (!file) {
		path_put(&path);
		return ERR_PTR(-ENFILE);
	}

	file->f_flags = flags;
	file->private_data = dmabuf;
	return file;
}

/* Return the buffer that a file represents, or NULL if it is another file. */
static struct dma_buf *file_to_dma_buf(struct file *file)
{
	return file->f_op == &dma_buf_fops ? file->private_data : NULL;
}

/**
 * is_dma_buf_vma() - check whether a mapping is that of a shared buffer
 * @vma: mapping by a process
 *
 * For code that gives a device the memory of a mapping: that of a shared buffer
 * may be cached, and may move while no device is attached.
 *
 * Context: the caller holds mmap_sem.
 * Return: true if @vma maps a shared buffer.
 */
bool is_dma_buf_vma(const struct vm_area_struct *vma)
{
	return vma->vm_file && file_to_dma_buf(vma->vm_file);
}
EXPORT_SYMBOL_GPL(is_dma_buf_vma);

/**
 * __dma_buf_export() - create a buffer that can be shared
 * @priv: private data of the exporter, stored in &struct dma_buf.priv; not NULL
 * @ops: operations of the exporter; map_dma_buf, unmap_dma_buf and release are
 *	 required
 * @size: size in bytes, not 0
 * @flags: O_RDONLY, O_WRONLY or O_RDWR, the access that mappings by processes
 *	   may have
 * @exp_name: name of the exporter, valid for as long as its module is loaded
 * @owner: module of the exporter, pinned until the buffer is released
 *
 * Drivers call dma_buf_export() or dma_buf_export_named() instead.
 *
 * Context: process context, may sleep.
 * Return: the buffer with one reference, which is dropped with dma_buf_put() or
 * passed on with dma_buf_fd(); ERR_PTR(-EINVAL) if an argument is missing,
 * ERR_PTR(-ENOENT) if the module is being unloaded, ERR_PTR(-ENOMEM), or
 * ERR_PTR(-ENFILE) if the system has too many open files.
 */
struct dma_buf *__dma_buf_export(void *priv, const struct dma_buf_ops *ops,
				 size_t size, int flags, const char *exp_name,
				 struct module *owner)
{
	struct dma_buf *dmabuf;
	struct file *file;
	int ret;

	if (!priv || !size || !exp_name || !ops || !ops->map_dma_buf ||
	    !ops->unmap_dma_buf || !ops->release)
		return ERR_PTR(-EINVAL);
	if (!try_module_get(owner))
		return ERR_PTR(-ENOENT);

	dmabuf = kzalloc(sizeof(*dmabuf), GFP_KERNEL);
	if (!dmabuf) {
		ret = -ENOMEM;
		goto put_module;
	}

	dmabuf->priv = priv;
	dmabuf->ops = ops;
	dmabuf->size = size;
	dmabuf->exp_name = exp_name;
	dmabuf->owner = owner;
	INIT_LIST_HEAD(&dmabuf->attachments);
	mutex_init(&dmabuf->lock);
	mutex_init(&dmabuf->vmap_lock);
	spin_lock_init(&dmabuf->name_lock);

	file = new_buffer_file(dmabuf, flags & O_ACCMODE);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto free_dmabuf;
	}
	file->f_mode |= FMODE_LSEEK;
	dmabuf->file = file;

	mutex_lock(&dma_buf_list_mutex);
	list_add(&dmabuf->list_node, &dma_buf_list);
	mutex_unlock(&dma_buf_list_mutex);
	return dmabuf;

free_dmabuf:
	kfree(dmabuf);
put_module:
	module_put(owner);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(__dma_buf_export);

/**
 * dma_buf_fd() - install a file descriptor for a buffer in the current process
 * @dmabuf: buffer, whose reference passes from the caller to the descriptor
 * @flags: O_CLOEXEC or 0
 *
 * Another thread can close the descriptor, and thereby release the buffer,
 * before this function returns.
 *
 * Context: process context, may sleep.
 * Return: the descriptor; -EINVAL if @dmabuf is NULL, -EMFILE if the process
 * has too many open files, or -ENOMEM. On error the caller keeps its reference.
 */
int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	int fd;

	if (!dmabuf || !dmabuf->file)
		return -EINVAL;

	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd >= 0)
		fd_install(fd, dmabuf->file);
	return fd;
}
EXPORT_SYMBOL_GPL(dma_buf_fd);

/**
 * dma_buf_fd_to_user() - return a file descriptor for a buffer to user space
 * @dmabuf: buffer, whose reference passes from the caller to the descriptor
 * @flags: O_CLOEXEC or 0
 * @to: where to copy the descriptor
 *
 * The descriptor is installed after it was copied, so that none is left behind
 * in a process that does not know it.
 *
 * Context: process context, may sleep. mmap_sem is not held.
 * Return: 0; -EFAULT if the descriptor cannot be copied; or the error of
 * dma_buf_fd(). On error the caller keeps its reference.
 */
int dma_buf_fd_to_user(struct dma_buf *dmabuf, int flags, s32 __user *to)
{
	int fd = get_unused_fd_flags(flags & O_CLOEXEC);

	if (fd < 0)
		return fd;
	if (put_user(fd, to)) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, dmabuf->file);
	return 0;
}
EXPORT_SYMBOL_GPL(dma_buf_fd_to_user);

/**
 * dma_buf_get() - look up the buffer of a file descriptor
 * @fd: file descriptor of the current process
 *
 * Context: process context.
 * Return: the buffer with a reference, which is dropped with dma_buf_put();
 * ERR_PTR(-EBADF) if @fd is not open, ERR_PTR(-EINVAL) if it is not the
 * descriptor of a shared buffer.
 */
struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = fget(fd);
	struct dma_buf *dmabuf;

	if (!file)
		return ERR_PTR(-EBADF);

	dmabuf = file_to_dma_buf(file);
	if (dmabuf)
		return dmabuf;

	fput(file);
	return ERR_PTR(-EINVAL);
}
EXPORT_SYMBOL_GPL(dma_buf_get);

/**
 * dma_buf_put() - drop a reference to a buffer
 * @dmabuf: buffer, which is released with its last reference
 *
 * Context: process context, may sleep.
 */
void dma_buf_put(struct dma_buf *dmabuf)
{
	if (WARN_ON(!dmabuf || !dmabuf->file))
		return;

	fput(dmabuf->file);
}
EXPORT_SYMBOL_GPL(dma_buf_put);

/**
 * dma_buf_get_limits() - copy the limits of a device
 * @dev: device, to which a driver is bound
 * @limits: set to what the driver has set in the device
 *
 * Context: any.
 */
void dma_buf_get_limits(struct device *dev, struct dma_buf_limits *limits)
{
	/* A driver that is being unbound sets it to NULL */
	struct device_dma_parameters *parms = ACCESS_ONCE(dev->dma_parms);

	memset(limits, 0, sizeof(*limits));
	limits->mask = dma_get_mask(dev);
	limits->joined = dma_buf_max_joined(dev);
	if (!parms)
		return;

	/* Not the functions: their defaults stand for what was not set. */
	limits->seg_boundary = parms->segment_boundary_mask;
	limits->max_seg_size = parms->max_segment_size;
	limits->max_seg_count = parms->max_segment_count;
}
EXPORT_SYMBOL_GPL(dma_buf_get_limits);

/**
 * dma_buf_check_limits() - check that memory can be one segment of a device
 * @limits: limits of the device, see &struct dma_buf_attachment.limits
 * @start: physical address of the memory
 * @size: size in bytes, not 0
 *
 * For exporters that cannot move their memory.
 *
 * Context: any.
 * Return: 0; -ERANGE if the memory is above the DMA mask of the device; -E2BIG
 * if it is larger than the maximum segment size of the device or crosses a
 * segment boundary.
 */
int dma_buf_check_limits(const struct dma_buf_limits *limits, phys_addr_t start,
			 size_t size)
{
	u64 first = start, last = first + size - 1;

	if (last > limits->mask)
		return -ERANGE;
	if ((limits->max_seg_size && size > limits->max_seg_size) ||
	    (limits->seg_boundary && (first ^ last) & ~limits->seg_boundary))
		return -E2BIG;
	return 0;
}
EXPORT_SYMBOL_GPL(dma_buf_check_limits);

/* What an IOMMU makes one segment of can be anywhere, in any number of pieces. */
static void relax_limits(const struct dma_buf *dmabuf,
			 struct dma_buf_limits *limits)
{
	if (dmabuf->size > limits->joined)
		return;

	limits->mask = ~0ULL;
	limits->seg_boundary = 0;
	limits->max_seg_size = 0;
	limits->max_seg_count = 0;
}

/**
 * dma_buf_attach_limited() - attach a device with limits for this buffer
 * @dmabuf: buffer; the caller keeps its reference until it has detached the
 *	device
 * @dev: device that is going to use the buffer
 * @limits: limits that apply instead of those that are set in @dev
 *
 * For a device whose limits depend on what it does with a buffer, and for an
 * importer that can outlive the driver of the device.
 *
 * Context: process context, may sleep.
 * Return: see dma_buf_attach().
 */
struct dma_buf_attachment *
dma_buf_attach_limited(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_limits *limits)
{
	struct dma_buf_attachment *attach;
	int ret;

	if (!dmabuf || !dev)
		return ERR_PTR(-EINVAL);

	attach = kzalloc(sizeof(*attach), GFP_KERNEL);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attach->dmabuf = dmabuf;
	attach->dev = get_device(dev);
	attach->limits = *limits;
	relax_limits(dmabuf, &attach->limits);
	if (dmabuf->ops->attach) {
		ret = dmabuf->ops->attach(dmabuf, dev, attach);
		if (ret) {
			put_device(dev);
			kfree(attach);
			return ERR_PTR(ret);
		}
	}

	mutex_lock(&dmabuf->lock);
	list_add(&attach->node, &dmabuf->attachments);
	mutex_unlock(&dmabuf->lock);
	return attach;
}
EXPORT_SYMBOL_GPL(dma_buf_attach_limited);

/**
 * dma_buf_attach() - attach a device to a buffer
 * @dmabuf: buffer; the caller keeps its reference until it has detached the
 *	device
 * @dev: device that is going to use the buffer, to which a driver is bound
 *
 * Context: process context, may sleep.
 * Return: the attachment, which is freed with dma_buf_detach();
 * ERR_PTR(-EINVAL) if an argument is missing, ERR_PTR(-ENOMEM), or the error of
 * the exporter.
 */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev)
{
	struct dma_buf_limits limits;

	if (!dmabuf || !dev)
		return ERR_PTR(-EINVAL);

	dma_buf_get_limits(dev, &limits);
	return dma_buf_attach_limited(dmabuf, dev, &limits);
}
EXPORT_SYMBOL_GPL(dma_buf_attach);

/**
 * dma_buf_detach() - detach a device from a buffer
 * @dmabuf: buffer
 * @attach: attachment to @dmabuf, not mapped; freed
 *
 * Context: process context, may sleep.
 */
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (WARN_ON(!dmabuf || IS_ERR_OR_NULL(attach) ||
		    attach->dmabuf != dmabuf))
		return;

	mutex_lock(&dmabuf->lock);
	list_del(&attach->node);
	mutex_unlock(&dmabuf->lock);

	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);
	put_device(attach->dev);
	kfree(attach);
}
EXPORT_SYMBOL_GPL(dma_buf_detach);

/**
 * dma_buf_map_attachment() - map a buffer for DMA by an attached device
 * @attach: attachment of the device
 * @dir: direction of the transfers
 *
 * Until the buffer is unmapped, the device owns it and it does not move.
 *
 * Context: process context, may sleep.
 * Return: the scatterlist, which is freed with dma_buf_unmap_attachment();
 * ERR_PTR(-EINVAL) for invalid arguments, or the error of the exporter
 * (ERR_PTR(-ENOMEM) where that is NULL).
 */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	struct sg_table *sgt;

	if (IS_ERR_OR_NULL(attach) || !attach->dmabuf || !is_direction(dir))
		return ERR_PTR(-EINVAL);

	sgt = attach->dmabuf->ops->map_dma_buf(attach, dir);
	return sgt ? sgt : ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_GPL(dma_buf_map_attachment);

/**
 * dma_buf_unmap_attachment() - unmap a buffer that a device has finished using
 * @attach: attachment of the device
 * @sgt: scatterlist returned by dma_buf_map_attachment()
 * @dir: direction passed to dma_buf_map_attachment()
 *
 * Context: process context, may sleep.
 */
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	if (WARN_ON(IS_ERR_OR_NULL(attach) || !attach->dmabuf ||
		    IS_ERR_OR_NULL(sgt)))
		return;

	attach->dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
}
EXPORT_SYMBOL_GPL(dma_buf_unmap_attachment);

/**
 * dma_buf_begin_cpu_access() - prepare a range for access by the CPU
 * @dmabuf: buffer
 * @start: offset of the range in bytes
 * @len: length of the range in bytes
 * @dir: DMA_FROM_DEVICE to read, DMA_TO_DEVICE to write, DMA_BIDIRECTIONAL for
 *	 both
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if the range exceeds the buffer or @dir is invalid; or the
 * error of the exporter.
 */
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf, size_t start, size_t len,
			     enum dma_data_direction dir)
{
	if (!dmabuf || !has_bytes(dmabuf, start, len) || !is_direction(dir))
		return -EINVAL;

	if (!dmabuf->ops->begin_cpu_access)
		return 0;
	return dmabuf->ops->begin_cpu_access(dmabuf, start, len, dir);
}
EXPORT_SYMBOL_GPL(dma_buf_begin_cpu_access);

/**
 * dma_buf_end_cpu_access() - finish an access by the CPU
 * @dmabuf: buffer
 * @start: offset passed to dma_buf_begin_cpu_access()
 * @len: length passed to dma_buf_begin_cpu_access()
 * @dir: direction passed to dma_buf_begin_cpu_access()
 *
 * Context: process context, may sleep.
 */
void dma_buf_end_cpu_access(struct dma_buf *dmabuf, size_t start, size_t len,
			    enum dma_data_direction dir)
{
	if (WARN_ON(!dmabuf || !has_bytes(dmabuf, start, len) ||
		    !is_direction(dir)))
		return;

	if (dmabuf->ops->end_cpu_access)
		dmabuf->ops->end_cpu_access(dmabuf, start, len, dir);
}
EXPORT_SYMBOL_GPL(dma_buf_end_cpu_access);

/**
 * dma_buf_kmap_atomic() - map a page of a buffer for the CPU without sleeping
 * @dmabuf: buffer, prepared with dma_buf_begin_cpu_access()
 * @page_num: index of the page in the buffer
 *
 * Context: any; the caller must not sleep until it has unmapped the page.
 * Return: the address of the page, or NULL if it is not in the buffer, the
 * exporter does not support this, or mapping it failed.
 */
void *dma_buf_kmap_atomic(struct dma_buf *dmabuf, unsigned long page_num)
{
	if (!dmabuf->ops->kmap_atomic || !has_pages(dmabuf, page_num, 1))
		return NULL;
	return dmabuf->ops->kmap_atomic(dmabuf, page_num);
}
EXPORT_SYMBOL_GPL(dma_buf_kmap_atomic);

/**
 * dma_buf_kunmap_atomic() - unmap a page mapped by dma_buf_kmap_atomic()
 * @dmabuf: buffer
 * @page_num: index of the page in the buffer
 * @vaddr: address returned by dma_buf_kmap_atomic()
 *
 * Context: any.
 */
void dma_buf_kunmap_atomic(struct dma_buf *dmabuf, unsigned long page_num,
			   void *vaddr)
{
	if (dmabuf->ops->kunmap_atomic)
		dmabuf->ops->kunmap_atomic(dmabuf, page_num, vaddr);
}
EXPORT_SYMBOL_GPL(dma_buf_kunmap_atomic);

/**
 * dma_buf_kmap() - map a page of a buffer for the CPU
 * @dmabuf: buffer, prepared with dma_buf_begin_cpu_access()
 * @page_num: index of the page in the buffer
 *
 * Context: process context, may sleep.
 * Return: the address of the page, or NULL if it is not in the buffer, the
 * exporter does not support this, or mapping it failed.
 */
void *dma_buf_kmap(struct dma_buf *dmabuf, unsigned long page_num)
{
	if (!dmabuf->ops->kmap || !has_pages(dmabuf, page_num, 1))
		return NULL;
	return dmabuf->ops->kmap(dmabuf, page_num);
}
EXPORT_SYMBOL_GPL(dma_buf_kmap);

/**
 * dma_buf_kunmap() - unmap a page mapped by dma_buf_kmap()
 * @dmabuf: buffer
 * @page_num: index of the page in the buffer
 * @vaddr: address returned by dma_buf_kmap()
 *
 * Context: process context, may sleep.
 */
void dma_buf_kunmap(struct dma_buf *dmabuf, unsigned long page_num,
		    void *vaddr)
{
	if (dmabuf->ops->kunmap)
		dmabuf->ops->kunmap(dmabuf, page_num, vaddr);
}
EXPORT_SYMBOL_GPL(dma_buf_kunmap);

/*
 * Apply the checks of mmap() of the buffer's own file, including that a
 * read-only buffer cannot be made writable with mprotect() later.
 */
static int limit_access(const struct file *file, struct vm_area_struct *vma)
{
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (file->f_mode & FMODE_WRITE)
		return 0;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	vma->vm_flags &= ~VM_MAYWRITE;
	return 0;
}

/* Remove what a failed mmap() of the exporter has mapped. */
static void remove_entries(struct vm_area_struct *vma)
{
#ifdef CONFIG_MMU
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
#endif
}

/**
 * dma_buf_mmap() - map a buffer on behalf of a driver's mmap()
 * @dmabuf: buffer
 * @vma: mapping that the driver was asked for
 * @pgoff: index of the page of the buffer at the start of @vma
 *
 * The mapping becomes one of the buffer's own file and holds a reference to it.
 *
 * Context: process context, mmap_sem held for writing.
 * Return: 0; -EINVAL if an argument is missing, the range exceeds the buffer or
 * @vma is private; -EACCES if the buffer does not allow the access of @vma; -ENODEV if the
 * exporter does not support mmap(); or the error of the exporter. On error @vma
 * is unchanged.
 */
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff)
{
	struct file *old_file;
	unsigned long old_pgoff, old_flags;
	int ret;

	if (!dmabuf || !vma)
		return -EINVAL;
	if (!dmabuf->ops->mmap)
		return -ENODEV;
	if (!has_pages(dmabuf, pgoff,
		       (vma->vm_end - vma->vm_start) >> PAGE_SHIFT) ||
	    !is_shared(vma))
		return -EINVAL;

	old_file = vma->vm_file;
	old_pgoff = vma->vm_pgoff;
	old_flags = vma->vm_flags;
	ret = limit_access(dmabuf->file, vma);
	if (ret)
		return ret;

	get_file(dmabuf->file);
	vma->vm_file = dmabuf->file;
	vma->vm_pgoff = pgoff;
	vma->vm_flags |= VM_DONTEXPAND;

	ret = dmabuf->ops->mmap(dmabuf, vma);
	if (ret) {
		/*
		 * Before the flags are restored: without them the entries look
		 * like pages of the process.
		 */
		remove_entries(vma);
		vma->vm_file = old_file;
		vma->vm_pgoff = old_pgoff;
		vma->vm_flags = old_flags;
		fput(dmabuf->file);
	} else if (old_file) {
		fput(old_file);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(dma_buf_mmap);

/**
 * dma_buf_vmap() - map a whole buffer for the CPU
 * @dmabuf: buffer
 *
 * Calls are counted. All callers share one mapping, and each of them must call
 * dma_buf_vunmap().
 *
 * Context: process context, may sleep.
 * Return: the address, or NULL on failure, never an ERR_PTR: the drivers that
 * call this function check for NULL.
 */
void *dma_buf_vmap(struct dma_buf *dmabuf)
{
	void *vaddr = NULL;

	if (WARN_ON(!dmabuf) || !dmabuf->ops->vmap)
		return NULL;

	mutex_lock(&dmabuf->vmap_lock);
	if (!dmabuf->nr_vmaps)
		dmabuf->vmap_addr = dmabuf->ops->vmap(dmabuf);
	if (!IS_ERR_OR_NULL(dmabuf->vmap_addr)) {
		dmabuf->nr_vmaps++;
		vaddr = dmabuf->vmap_addr;
	}
	mutex_unlock(&dmabuf->vmap_lock);
	return vaddr;
}
EXPORT_SYMBOL_GPL(dma_buf_vmap);

/**
 * dma_buf_vunmap() - drop a mapping by dma_buf_vmap()
 * @dmabuf: buffer
 * @vaddr: address returned by dma_buf_vmap()
 *
 * The buffer is unmapped when all calls of dma_buf_vmap() have been undone.
 *
 * Context: process context, may sleep.
 */
void dma_buf_vunmap(struct dma_buf *dmabuf, void *vaddr)
{
	if (WARN_ON(!dmabuf))
		return;

	mutex_lock(&dmabuf->vmap_lock);
	if (!WARN_ON(!dmabuf->nr_vmaps || vaddr != dmabuf->vmap_addr) &&
	    !--dmabuf->nr_vmaps) {
		if (dmabuf->ops->vunmap)
			dmabuf->ops->vunmap(dmabuf, vaddr);
		dmabuf->vmap_addr = NULL;
	}
	mutex_unlock(&dmabuf->vmap_lock);
}
EXPORT_SYMBOL_GPL(dma_buf_vunmap);

/*
 * debugfs: dma_buf/bufinfo
 */

/* Called with dma_buf_list_mutex held, so that the buffer cannot be freed. */
static unsigned int show_attachments(struct seq_file *s, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	unsigned int count = 0;

	mutex_lock(&dmabuf->lock);
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		seq_printf(s, "\t%s\n", dev_name(attach->dev));
		count++;
	}
	mutex_unlock(&dmabuf->lock);

	return count;
}

static void show_buffer(struct seq_file *s, struct dma_buf *dmabuf)
{
	struct file *file = dmabuf->file;
	char name[DMA_BUF_NAME_LEN];

	copy_name(dmabuf, name);
	seq_printf(s, "%08zu\t%08x\t%08x\t%08ld\t%s\t%08lu\t%s\n",
		   dmabuf->size, file->f_flags, file->f_mode,
		   atomic_long_read(&file->f_count), dmabuf->exp_name,
		   file->f_path.dentry->d_inode->i_ino,
		   name[0] ? name : "<none>");
	dma_charge_show(s, dmabuf->charge);
	seq_puts(s, "\tAttached Devices:\n");
	seq_printf(s, "Total %u devices attached\n\n",
		   show_attachments(s, dmabuf));
}

static void show_totals(struct seq_file *s)
{
	struct dma_buf *dmabuf;
	unsigned int count = 0;
	size_t size = 0;

	list_for_each_entry(dmabuf, &dma_buf_list, list_node) {
		count++;
		size += dmabuf->size;
	}
	seq_printf(s, "\nTotal %u objects, %zu bytes\n", count, size);
}

/* What is shown after the buffers; s->private is the position after it, or NULL. */
static const char bufinfo_totals;

static void *bufinfo_end(struct seq_file *s, loff_t pos)
{
	s->private = (void *)((unsigned long)pos + 1);
	return (void *)&bufinfo_totals;
}

static void *bufinfo_start(struct seq_file *s, loff_t *pos)
{
	void *v;

	if (!*pos)
		s->private = NULL;
	mutex_lock(&dma_buf_list_mutex);
	if (s->private && *pos >= (unsigned long)s->private)
		return NULL;

	v = seq_list_start_head(&dma_buf_list, *pos);
	return v ? v : bufinfo_end(s, *pos);
}

static void *bufinfo_next(struct seq_file *s, void *v, loff_t *pos)
{
	if (v == &bufinfo_totals) {
		++*pos;
		return NULL;
	}

	v = seq_list_next(v, &dma_buf_list, pos);
	return v ? v : bufinfo_end(s, *pos);
}

static void bufinfo_stop(struct seq_file *s, void *v)
{
	mutex_unlock(&dma_buf_list_mutex);
}

static int bufinfo_show(struct seq_file *s, void *v)
{
	if (v == &bufinfo_totals) {
		show_totals(s);
	} else if (v == &dma_buf_list) {
		seq_puts(s, "\nDma-buf Objects:\n");
		seq_printf(s, "%-8s\t%-8s\t%-8s\t%-8s\texp_name\t%-8s\tname\n",
			   "size", "flags", "mode", "count", "ino");
	} else {
		show_buffer(s, list_entry(v, struct dma_buf, list_node));
	}
	return 0;
}

static const struct seq_operations bufinfo_ops = {
	.start	= bufinfo_start,
	.next	= bufinfo_next,
	.stop	= bufinfo_stop,
	.show	= bufinfo_show,
};

static int bufinfo_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &bufinfo_ops);
}

static const struct file_operations bufinfo_fops = {
	.open		= bufinfo_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release,
};

static int __init dma_buf_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("dma_buf", NULL);

	if (!IS_ERR_OR_NULL(dir))
		debugfs_create_file("bufinfo", 0444, dir, NULL, &bufinfo_fops);
	return 0;
}
late_initcall(dma_buf_debugfs_init);
