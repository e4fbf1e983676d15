/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel around drivers/base/dma-charge.c, on the host: one lock, one
 * processor, and a test that decides who the caller is and what others do
 * whenever the lock is free.
 */
#ifndef HOST_CHARGE_H
#define HOST_CHARGE_H

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "console.h"
#include "lists.h"

/* Faithful: types, attributes, arithmetic */
typedef uint32_t u32;
typedef unsigned long long u64;
#define __init
#define ACCESS_ONCE(x)		(*(volatile __typeof__(x) *)&(x))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))
#define swap(a, b)	do { __typeof__(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define MAX_ERRNO		4095
#define ERR_PTR(error)		((void *)(long)(error))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)

/* Empty */
#define EXPORT_SYMBOL_GPL(sym)	extern __typeof__(sym) sym

/* Faithful: one pointer for each function, called by the tests */
#define early_param(name, fn)	int (*host_##fn)(char *arg) = (fn)
#define late_initcall(fn)	int (*host_late_initcall)(void) = (fn)
extern int (*host_late_initcall)(void);
extern int (*host_user_limit_param)(char *arg);
extern int (*host_file_limit_param)(char *arg);
extern int (*host_device_limit_param)(char *arg);

/* Simplified: the test says who the caller is, and whether it may exceed limits */
struct task_struct { int unused; };
extern struct task_struct *host_task;
extern unsigned int host_uid;
extern bool host_capable;
#define current			host_task
#define current_uid()		host_uid
#define CAP_SYS_RESOURCE	24
bool capable(int cap);

/* Simplified: a lock that notices who forgets it; host_others() runs while it is free */
typedef struct { bool held; } spinlock_t;
#define DEFINE_SPINLOCK(name)	spinlock_t name = { false }
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
extern void (*host_others)(void);

/* Simplified: memory of the C library, where a failure can be injected */
#define GFP_KERNEL		1
extern int host_fail_alloc;
void *kzalloc(size_t size, int flags);
void *vmalloc(size_t size);
#define kfree(p)		free(p)
#define vfree(p)		free(p)

/* Faithful: lists */
struct hlist_head { struct hlist_node *first; };
struct hlist_node { struct hlist_node *next, **pprev; };
#define hlist_entry		container_of
#define list_for_each_entry(pos, head, member)					\
	for (pos = container_of((head)->next, __typeof__(*pos), member);	\
	     &pos->member != (head);						\
	     pos = container_of(pos->member.next, __typeof__(*pos), member))

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	*node = (struct hlist_node){ head->first, &head->first };
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
}

static inline void hlist_del(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
}

/* Simplified: hashes with many collisions */
#define hash_32(val, bits)	((val) & 3 & ((1U << (bits)) - 1))
#define hash_ptr(p, bits)	hash_32((u32)(unsigned long)(p) >> 4, bits)

static inline u32 jhash(const void *key, u32 length, u32 initval)
{
	return length ? *(const unsigned char *)key + length : initval;
}

/* Faithful: text */
bool sysfs_streq(const char *a, const char *b);
int kstrtouint(const char *text, unsigned int base, unsigned int *val);
size_t scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
void host_strlcpy(char *to, const char *from, size_t size);
#define strlcpy			host_strlcpy
#define sort(base, nr, size, cmp, swp)	qsort(base, nr, size, cmp)

/* Simplified: messages are kept for the test */
#define pr_err(fmt, ...)	host_print(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info			pr_err

/* Simplified: tables of the files of sysfs and debugfs */
struct device { const char *name; };
struct kobject { int unused; };
struct attribute { const char *name; int mode; };
struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr, char *buf);
	ssize_t (*store)(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			 size_t size);
};
struct inode;
struct file;
struct seq_file { size_t len; char text[8192]; };
struct file_operations {
	int (*open)(struct inode *inode, struct file *file);
	int read, llseek, release;
};

enum { seq_read, seq_lseek, single_release };
#define dev_name(dev)		((dev)->name)
#define __ATTR(name, mode, show, store)	{ { #name, mode }, show, store }
#define __ATTR_RO(name)		__ATTR(name, 0444, name##_show, NULL)
extern struct kobject *mm_kobj;
struct kobject *kobject_create_and_add(const char *name, struct kobject *parent);
int sysfs_create_file(struct kobject *kobj, const struct attribute *attr);
void debugfs_create_file(const char *name, int mode, void *dir, void *data,
			 const struct file_operations *fops);
int single_open(struct file *file, int (*show)(struct seq_file *s, void *unused), void *data);
void seq_printf(struct seq_file *s, const char *fmt, ...) __printf(2, 3);

#endif
