/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CMA_SHOW_WRITE_H
#define CMA_SHOW_WRITE_H

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

/* NAME_fops of a debugfs file: NAME_write() orders a measurement, NAME_show() prints it. */
#define CMA_SHOW_WRITE(name)						\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, NULL);			\
}									\
									\
static const struct file_operations name##_fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= name##_open,					\
	.read		= seq_read,					\
	.write		= name##_write,					\
	.llseek		= seq_lseek,					\
	.release	= single_release,				\
}

#endif
