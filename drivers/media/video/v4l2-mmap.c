// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of video devices whose drivers do not need their lock in mmap()
 *
 * Almost all of what a driver does holds the lock of its device, including
 * accesses to the memory of the process. They take mmap_sem if a page is not
 * populated. So the lock must not be taken where mmap_sem is held already. There
 * are two such places: mmap(), and the release of the file by munmap(), if that
 * drops the last reference to it.
 *
 * mmap() is the driver's part. As for munmap(), the mapping belongs to a file of
 * its own here, which holds a reference to that of the device. When the mapping
 * is gone, a work drops the reference. What can find the device in use, like
 * v4l2_open(), waits for the works of its device, so that after munmap() it is
 * released for all.
 */
#include <linux/fs.h>	/* v3.0's anon_inodes.h needs struct file_operations */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/videodev2.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <media/v4l2-dev.h>

#include "v4l2-mmap.h"

/**
 * struct mapping - what the file of a mapping holds
 * @file: file of the device
 * @vdev: device; only compared, because the file can have the last reference
 * @work: drops the reference to @file when the mapping is gone. One for each
 *	mapping: it can wait for the lock of a device, and others shall not.
 * @node: entry in dropped, until that is done
 */
struct mapping {
	struct file *file;
	struct video_device *vdev;
	struct work_struct work;
	struct list_head node;
};

static DEFINE_SPINLOCK(dropped_lock);	/* dropped */
static LIST_HEAD(dropped);
static DECLARE_WAIT_QUEUE_HEAD(dropped_wait);

static void drop_file(struct work_struct *work)
{
	struct mapping *mapping = container_of(work, struct mapping, work);

	fput(mapping->file);

	spin_lock(&dropped_lock);
	list_del(&mapping->node);
	spin_unlock(&dropped_lock);
	kfree(mapping);
	wake_up_all(&dropped_wait);
}

static bool is_released(const struct video_device *vdev)
{
	struct mapping *mapping;
	bool found = false;

	spin_lock(&dropped_lock);
	list_for_each_entry(mapping, &dropped, node)
		found |= mapping->vdev == vdev;
	spin_unlock(&dropped_lock);
	return !found;
}

static int mapping_release(struct inode *inode, struct file *file)
{
	struct mapping *mapping = file->private_data;

	spin_lock(&dropped_lock);
	list_add_tail(&mapping->node, &dropped);
	spin_unlock(&dropped_lock);
	schedule_work(&mapping->work);
	return 0;
}

static const struct file_operations mapping_fops = {
	.owner		= THIS_MODULE,
	.release	= mapping_release,
};

/* Return a file that holds a reference to that of the device, or ERR_PTR. */
static struct file *mapping_file(struct file *filp)
{
	struct mapping *mapping = kmalloc(sizeof(*mapping), GFP_KERNEL);
	struct file *file;

	if (!mapping)
		return ERR_PTR(-ENOMEM);

	mapping->file = filp;
	mapping->vdev = video_devdata(filp);
	INIT_WORK(&mapping->work, drop_file);
	file = anon_inode_getfile("video", &mapping_fops, mapping, O_RDWR);
	if (IS_ERR(file))
		kfree(mapping);
	else
		get_file(filp);
	return file;
}

/**
 * v4l2_mmap_unlocked() - map a video device without its lock
 * @filp: file of the device
 * @vma: mapping that the process asked for
 *
 * Context: process context, mmap_sem held for writing.
 * Return: 0; -ENODEV if the device is not registered any more; -ENOMEM; -ENFILE
 * if the system has too many open files; or the error of the driver.
 */
int v4l2_mmap_unlocked(struct file *filp, struct vm_area_struct *vma)
{
	struct video_device *vdev = video_devdata(filp);
	struct file *file;
	int ret;

	if (!video_is_registered(vdev))
		return -ENODEV;
	file = mapping_file(filp);
	if (IS_ERR(file))
		return PTR_ERR(file);

	ret = vdev->fops->mmap(filp, vma);
	/* The driver may have passed the mapping on to another file. */
	if (ret || vma->vm_file != filp) {
		fput(file);
		return ret;
	}

	vma->vm_file = file;
	fput(filp);
	return 0;
}

/**
 * v4l2_mmap_wait() - wait until files of former mappings are released
 * @vdev: their device
 *
 * Context: process context, may sleep; neither mmap_sem nor the lock of a
 * device is held.
 * Return: 0, or -ERESTARTSYS if the process is being killed.
 */
int v4l2_mmap_wait(struct video_device *vdev)
{
	return wait_event_killable(dropped_wait, is_released(vdev));
}

/**
 * v4l2_mmap_wait_ioctl() - wait before an ioctl that fails while others use the
 *			    device
 * @vdev: device
 * @cmd: ioctl; most of them do not wait, so that no stream waits for another one
 *	 that ends
 *
 * Context: see v4l2_mmap_wait().
 * Return: see v4l2_mmap_wait().
 */
int v4l2_mmap_wait_ioctl(struct video_device *vdev, unsigned int cmd)
{
	switch (cmd) {
	case VIDIOC_REQBUFS:
	case VIDIOC_CREATE_BUFS:
	case VIDIOC_S_FMT:
		return v4l2_mmap_wait(vdev);
	default:
		return 0;
	}
}

/**
 * v4l2_mmap_flush() - wait for all works, before the module goes
 *
 * Context: process context, may sleep; no lock is held, and no file of a device
 * is open or mapped.
 */
void v4l2_mmap_flush(void)
{
	flush_scheduled_work();
}
