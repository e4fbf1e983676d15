/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open files of debugfs. See drm_debugfs_file.c.
 */
#ifndef _DRM_DEBUGFS_FILE_H_
#define _DRM_DEBUGFS_FILE_H_

struct drm_info_node;
struct file;
struct inode;

int drm_debugfs_file_open(struct inode *inode, struct file *file);
int drm_debugfs_file_release(struct inode *inode, struct file *file);
void drm_debugfs_revoke(struct drm_info_node *node);

#endif
