/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of buffers, charged to users, devices and open files. See
 * Documentation/dma-buf-sharing.txt.
 */
#ifndef __LINUX_DMA_CHARGE_H
#define __LINUX_DMA_CHARGE_H

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;
struct dma_charge_file;
struct dma_charge_holder;
struct seq_file;
struct task_struct;

/**
 * struct dma_charge - what a buffer is charged to; part of the buffer
 * @user: user, or NULL if the buffer is not charged
 * @device: device, or NULL; constant while @user is set
 * @file: open file that it was allocated through, or NULL
 * @pages: number of pages; constant while @user is set
 */
struct dma_charge {
	struct dma_charge_holder *user;
	struct dma_charge_holder *device;
	struct dma_charge_file *file;
	unsigned long pages;
};

/**
 * struct dma_charge_scope - a task works on behalf of an open file
 * @node: entry in the list of all
 * @task: the task
 * @key: what identifies the file
 */
struct dma_charge_scope {
	struct list_head node;
	struct task_struct *task;
	const void *key;
};

#ifdef CONFIG_DMA_CHARGE
struct dma_charge_file *dma_charge_open(void);
void dma_charge_close(struct dma_charge_file *file);
void dma_charge_forget(const void *key);
void dma_charge_enter(struct dma_charge_scope *scope, const void *key);
void dma_charge_leave(struct dma_charge_scope *scope);
int dma_charge(struct dma_charge *charge, struct dma_charge_file *file,
	       size_t size);
int dma_charge_device(struct dma_charge *charge, struct device *dev,
		      const void *key, size_t size);
int dma_charge_move(struct dma_charge *charge);
void dma_uncharge(struct dma_charge *charge);
void dma_charge_show(struct seq_file *s, struct dma_charge *charge);
#else
static inline struct dma_charge_file *dma_charge_open(void)
{
	return NULL;
}

static inline void dma_charge_close(struct dma_charge_file *file)
{
}

static inline void dma_charge_forget(const void *key)
{
}

static inline void dma_charge_enter(struct dma_charge_scope *scope,
				    const void *key)
{
}

static inline void dma_charge_leave(struct dma_charge_scope *scope)
{
}

static inline int dma_charge(struct dma_charge *charge,
			     struct dma_charge_file *file, size_t size)
{
	return 0;
}

static inline int dma_charge_device(struct dma_charge *charge,
				    struct device *dev, const void *key,
				    size_t size)
{
	return 0;
}

static inline int dma_charge_move(struct dma_charge *charge)
{
	return -ENOTTY;
}

static inline void dma_uncharge(struct dma_charge *charge)
{
}

static inline void dma_charge_show(struct seq_file *s,
				   struct dma_charge *charge)
{
}
#endif

#endif /* __LINUX_DMA_CHARGE_H */
