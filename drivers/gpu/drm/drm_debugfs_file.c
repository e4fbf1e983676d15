// SPDX-License-Identifier: GPL-2.0
/*
 * Files of debugfs that stay open when their device is removed
 *
 * debugfs_remove() does not wait for files that are open. Each of them has a
 * struct debugfs_file, which refers to the node of the file until the node is
 * removed. From then on, reading fails with -ENODEV. Removal waits for those
 * that read at the time, as removal from proc and sysfs does.
 *
 * Lock order: drm_global_mutex, nodes_rwsem, all other locks of a device.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "drmP.h"
#include "drm_debugfs_file.h"

/**
 * struct debugfs_file - an open file
 * @link: element of open_files; guarded by open_files_mutex
 * @node: node of the file, or NULL after its removal; guarded by nodes_rwsem
 */
struct debugfs_file {
	struct list_head link;
	struct drm_info_node *node;
};

/* Held for reading while a node is used, for writing while one is revoked */
static DECLARE_RWSEM(nodes_rwsem);
static DEFINE_MUTEX(open_files_mutex);
static LIST_HEAD(open_files);

static int show(struct seq_file *m, void *data)
{
	struct debugfs_file *open_file = m->private;
	struct drm_info_node *node;
	int ret = -ENODEV;

	down_read(&nodes_rwsem);
	node = open_file->node;
	if (node && node->info_ent) {	/* set when the node is complete */
		m->private = node;	/* where info_ent->show() expects it */
		ret = node->info_ent->show(m, data);
		m->private = open_file;
	}
	up_read(&nodes_rwsem);
	return ret;
}

/**
 * drm_debugfs_file_open() - implement open() of the files of a device
 * @inode: inode whose i_private is a struct drm_info_node, or NULL after
 *	drm_debugfs_revoke()
 * @file: open file
 *
 * Context: process context, may sleep.
 * Return: 0, -ENODEV if the device was removed, or -ENOMEM.
 */
int drm_debugfs_file_open(struct inode *inode, struct file *file)
{
	struct debugfs_file *open_file;
	int ret = -ENODEV;

	open_file = kzalloc(sizeof(*open_file), GFP_KERNEL);
	if (!open_file)
		return -ENOMEM;

	down_read(&nodes_rwsem);
	open_file->node = inode->i_private;
	if (open_file->node)
		ret = single_open(file, show, open_file);
	if (!ret) {
		mutex_lock(&open_files_mutex);
		list_add(&open_file->link, &open_files);
		mutex_unlock(&open_files_mutex);
	}
	up_read(&nodes_rwsem);

	if (ret)
		kfree(open_file);
	return ret;
}

/**
 * drm_debugfs_file_release() - implement release() of the files of a device
 * @inode: inode
 * @file: file opened by drm_debugfs_file_open()
 *
 * Context: process context, may sleep.
 * Return: 0.
 */
int drm_debugfs_file_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct debugfs_file *open_file = m->private;

	mutex_lock(&open_files_mutex);
	list_del(&open_file->link);
	mutex_unlock(&open_files_mutex);
	kfree(open_file);
	return single_release(inode, file);
}

/**
 * drm_debugfs_revoke() - stop all use of a node that is about to be removed
 * @node: node; its file is not yet removed
 *
 * Context: process context, may sleep. No lock is held that the show() function
 * of the node takes.
 */
void drm_debugfs_revoke(struct drm_info_node *node)
{
	struct inode *inode = node->dent->d_inode;
	struct debugfs_file *open_file;

	down_write(&nodes_rwsem);
	/* Some files of drivers have other operations and other data. */
	if (inode && inode->i_private == node)
		inode->i_private = NULL;
	mutex_lock(&open_files_mutex);
	list_for_each_entry(open_file, &open_files, link)
		if (open_file->node == node)
			open_file->node = NULL;
	mutex_unlock(&open_files_mutex);
	up_write(&nodes_rwsem);
}
