/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings of video devices whose drivers do not need their lock in mmap()
 */
#ifndef _V4L2_MMAP_H
#define _V4L2_MMAP_H

struct file;
struct video_device;
struct vm_area_struct;

int v4l2_mmap_unlocked(struct file *filp, struct vm_area_struct *vma);
int v4l2_mmap_wait(struct video_device *vdev);
int v4l2_mmap_wait_ioctl(struct video_device *vdev, unsigned int cmd);
void v4l2_mmap_flush(void);

#endif /* _V4L2_MMAP_H */
