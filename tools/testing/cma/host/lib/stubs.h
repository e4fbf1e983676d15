/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel around drivers/base/cma*.c and dma-contiguous.c, on the host.
 *
 * Each stub, or the heading above it, says whether it is faithful (does what the
 * kernel does, as far as the code under test can see), simplified (the comment
 * says how) or empty. A stub that notices a mistake of its caller ends the
 * program.
 */
#ifndef HOST_STUBS_H
#define HOST_STUBS_H

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Faithful: attributes */
#define __noreturn		__attribute__((__noreturn__))
#define __printf(a, b)		__attribute__((__format__(printf, a, b)))
#define fallthrough		__attribute__((__fallthrough__))

#include "host.h"

/* Faithful: types, with the widths of 32-bit ARM, with or without LPAE */
typedef uint8_t u8;
typedef uint32_t u32;
typedef unsigned long long u64;
#ifdef CONFIG_PHYS_ADDR_T_64BIT
typedef u64 phys_addr_t;
#else
typedef u32 phys_addr_t;
#endif
typedef u32 dma_addr_t;
typedef unsigned int gfp_t;
typedef unsigned long pgprot_t;
typedef struct { long counter; } atomic_long_t;
#define BITS_PER_LONG		((unsigned int)__SIZEOF_LONG__ * 8)

/* Empty: sections, exports, user pointers */
#define __init
#define __initdata
#define __user
#define noinline
#define EXPORT_SYMBOL_GPL(sym)	extern __typeof__(sym) sym
#define THIS_MODULE		NULL

/* Faithful: one pointer for each function, called by the tests */
#define early_param(name, fn)	int (*host_##fn)(char *arg) = (fn)
#define core_initcall(fn)	int (*host_core_initcall)(void) = (fn)
#define late_initcall(fn)	int (*host_late_initcall)(void) = (fn)

/* Faithful: 1 if defined to 1, 0 if not defined */
#define HOST_PAIR_1		0, 1
#define HOST_THIRD(a, b, c, ...)	(c)
#define HOST_PICK(...)		HOST_THIRD(__VA_ARGS__, 0, 0)
#define HOST_PASTE(value)	HOST_PICK(0, HOST_PAIR_##value)
#define HOST_ENABLED(value)	HOST_PASTE(value)
#define IS_ENABLED(option)	HOST_ENABLED(option)

/* Faithful: arithmetic in the type of the first operand */
#define ALIGN(x, a)	(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))
#define max_t(type, x, y)	((type)(x) > (type)(y) ? (type)(x) : (type)(y))
#define min_t(type, x, y)	((type)(x) < (type)(y) ? (type)(x) : (type)(y))
#define HOST_SAME_TYPE(x, y)	((void)(&(x) == &(y)))
#define HOST_CMP(x, y, op) ({			\
	__typeof__(x) x_ = (x);			\
	__typeof__(y) y_ = (y);			\
	HOST_SAME_TYPE(x_, y_);			\
	x_ op y_ ? x_ : y_; })
#define fls(x)		((x) ? 32 - __builtin_clz((unsigned int)(x)) : 0)
#define ilog2(x)	(63 - __builtin_clzll(x))
#define __ffs(x)	((unsigned long)__builtin_ctzl(x))
#define UINT_MAX	(~0U)
#undef ULONG_MAX
#define ULONG_MAX		(~0UL)
#define min(x, y)	HOST_CMP(x, y, <)
#define max(x, y)	HOST_CMP(x, y, >)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define div_u64(n, d)	((u64)(n) / (u32)(d))

static inline int hex_to_bin(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (p - digits) % 16 : -1;
}

static inline void host_strlcpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

#define strlcpy	host_strlcpy

/* Faithful: bitmaps */
#define BIT_WORD(nr)		((nr) / BITS_PER_LONG)
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long bit);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long bit);
void __set_bit(unsigned long bit, unsigned long *map);
void __clear_bit(unsigned long bit, unsigned long *map);
unsigned long bitmap_weight(const unsigned long *map, unsigned long size);
void bitmap_set(unsigned long *map, unsigned long bit, unsigned long nr_bits);
void bitmap_clear(unsigned long *map, unsigned long bit, unsigned long nr_bits);

/* Faithful: counters, with relaxed ordering */
#define atomic_long_add(n, v)	((void)__atomic_add_fetch(&(v)->counter, (n), __ATOMIC_RELAXED))
#define atomic_long_inc(v)	atomic_long_add(1, v)
#define atomic_long_read(v)	__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)

static inline long atomic_long_cmpxchg(atomic_long_t *v, long old, long new)
{
	__atomic_compare_exchange_n(&v->counter, &old, new, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
	return old;
}

/*
 * Simplified: real mutual exclusion between threads; every lock knows its
 * holder and whether it was initialised, every thread how many it holds.
 */
struct host_lock {
	pthread_mutex_t	mutex;
	const void	*magic;
	const void	*holder;
};

typedef struct { struct host_lock lock; } spinlock_t;
struct mutex { struct host_lock lock; };
#define DEFINE_MUTEX(name)	struct mutex name = \
	{ { PTHREAD_MUTEX_INITIALIZER, &host_locks, NULL } }
#define DEFINE_SPINLOCK(name)	spinlock_t name = \
	{ { PTHREAD_MUTEX_INITIALIZER, &host_locks, NULL } }
#define spin_lock_init(l)	host_lock_init(&(l)->lock)
#define mutex_init(l)		host_lock_init(&(l)->lock)
#define spin_lock_irqsave(l, flags)	((flags) = host_spin_lock(&(l)->lock))
#define spin_unlock_irqrestore(l, flags)	host_spin_unlock(&(l)->lock, (flags))
#define mutex_lock(l)		host_mutex_lock(&(l)->lock, false)
#define mutex_lock_killable(l)	host_mutex_lock(&(l)->lock, true)
#define mutex_unlock(l)		host_mutex_unlock(&(l)->lock)
#define lockdep_assert_held(l)	host_assert_held(&(l)->lock)
extern const char host_locks;
void host_lock_init(struct host_lock *lock);
unsigned long host_spin_lock(struct host_lock *lock);
void host_spin_unlock(struct host_lock *lock, unsigned long flags);
int host_mutex_lock(struct host_lock *lock, bool killable);
void host_mutex_unlock(struct host_lock *lock);
void host_assert_held(const struct host_lock *lock);

/* Simplified: memory of the C library, where a failure can be injected */
#define __GFP_IO		0x40U
#define __GFP_FS		0x80U
#define GFP_KERNEL		(1U | __GFP_IO | __GFP_FS)
extern gfp_t gfp_allowed_mask;
int page_count(const struct page *page);
void *kzalloc(size_t size, gfp_t flags);
#define vzalloc(size)		kzalloc(size, GFP_KERNEL)
#define kfree(p)		free(p)

/* Simplified: a thread has flags and names; a sleep calls host.on_sleep() and returns */
#define TASK_COMM_LEN		16
struct task_struct { unsigned int flags; pid_t tgid; char comm[TASK_COMM_LEN]; };
extern __thread struct task_struct host_current;
#define current			(&host_current)
#define PF_MEMALLOC		0x800
#define fatal_signal_pending(task)	((void)(task), host.killed)
#define cond_resched()		host_may_sleep("cond_resched")
void host_may_sleep(const char *what);
long schedule_timeout_killable(long timeout);

/* Simplified: time passes only in a sleep, and when a page is moved */
#define jiffies			__atomic_load_n(&host.now, __ATOMIC_RELAXED)
#define HZ			100
#define jiffies_to_msecs(j)	((unsigned int)(j) * 10)
#define msecs_to_jiffies(ms)	((unsigned long)((ms) + 9) / 10)
#define time_before(a, b)	((long)((a) - (b)) < 0)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define NSEC_PER_MSEC		1000000L
u64 sched_clock(void);

/* Simplified: messages are kept for the test, without level or rate limit */
#ifndef pr_fmt
#define pr_fmt(fmt)		fmt
#endif
#define pr_err(fmt, ...)	host_print(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn			pr_err
#define pr_info			pr_err
#define pr_err_ratelimited	pr_err
#define pr_debug(fmt, ...)	host_debug(pr_fmt(fmt), ##__VA_ARGS__)
void host_print(const char *fmt, ...) __printf(1, 2);
void host_debug(const char *fmt, ...) __printf(1, 2);

/* Simplified: events are counted by name */
#define TP_PROTO(...)		__VA_ARGS__
#define TRACE_EVENT(name, proto, ...) \
	static inline void trace_##name(proto) { host_count("trace:" #name); }
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(class, name, proto, args) \
	static inline void trace_##name(proto) { host_count("trace:" #name); }
#define count_vm_event(item)	host_count("vm:" #item)

/* Faithful: lists */
#include "lists.h"

#define HOST_ENTRY(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))
#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = HOST_ENTRY((head)->next, __typeof__(*pos), member);		\
	     n = HOST_ENTRY(pos->member.next, __typeof__(*pos), member),	\
	     &pos->member != (head); pos = n)

#define list_for_each_entry_rcu(pos, head, member)				\
	for (pos = HOST_ENTRY((head)->next, __typeof__(*pos), member);		\
	     &pos->member != (head);						\
	     pos = HOST_ENTRY(pos->member.next, __typeof__(*pos), member))
#define list_add_tail_rcu(new, head)	list_add(new, (head)->prev)

/* Empty: the page is on no list of this CPU */
#define lru_add_drain()		do { } while (0)

/* Simplified: the callers are two numbers, behind the one that asks */
#define _RET_IP_		0x1000UL
struct stack_trace {
	unsigned int	nr_entries, max_entries;
	unsigned long	*entries;
	int		skip;
};
void save_stack_trace(struct stack_trace *trace);

/* Simplified: keeps files of debugfs in a table, by name */
struct inode { void *i_private; };
struct file { void *private_data; };
struct dentry { int unused; };
struct seq_file;
struct seq_operations {
	void *(*start)(struct seq_file *s, loff_t *pos);
	void (*stop)(struct seq_file *s, void *v);
	void *(*next)(struct seq_file *s, void *v, loff_t *pos);
	int (*show)(struct seq_file *s, void *v);
};
struct seq_file { void *private; const struct seq_operations *op; char text[4096]; };
struct file_operations {
	int (*open)(struct inode *inode, struct file *file);
	ssize_t (*write)(struct file *file, const char *buf, size_t size, loff_t *pos);
	int (*get)(void *data, u64 *val);
	int read, llseek, release;
};
#define DEFINE_SIMPLE_ATTRIBUTE(name, getter, setter, fmt)	\
	static const struct file_operations name = { .get = (getter) }

enum { noop_llseek, seq_read, seq_lseek, single_release, seq_release_private };
#define IS_ERR_OR_NULL(p)	(!(p))
struct dentry *debugfs_create_dir(const char *name, void *parent);
void debugfs_create_file(const char *name, int mode, void *dir, void *data,
			 const struct file_operations *fops);
int kstrtoul_from_user(const char *buf, size_t size, unsigned int base, unsigned long *val);
int single_open(struct file *file, int (*show)(struct seq_file *s, void *unused), void *data);
void *__seq_open_private(struct file *file, const struct seq_operations *op, int size);
void seq_escape(struct seq_file *s, const char *text, const char *which);
void seq_putc(struct seq_file *s, char c);
void seq_printf(struct seq_file *s, const char *fmt, ...) __printf(2, 3);

/* Simplified: a page has a number, a zone and a state */
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PHYS_OFFSET		((phys_addr_t)0x60000000)
#define MAX_ORDER		11
#define MAX_ORDER_NR_PAGES	1024UL
#define pageblock_nr_pages	1024UL
#define PFN_PHYS(pfn)		((phys_addr_t)(pfn) << PAGE_SHIFT)
#define PFN_DOWN(addr)		((addr) >> PAGE_SHIFT)
enum { MIGRATE_MOVABLE, MIGRATE_CMA, MIGRATE_ISOLATE };
struct zone { int id; };
int pfn_valid(unsigned long pfn);
struct page *pfn_to_page(unsigned long pfn);
unsigned long page_to_pfn(const struct page *page);
struct zone *page_zone(const struct page *page);
int PageReserved(const struct page *page);
#define nth_page(page, n)	pfn_to_page(page_to_pfn(page) + (n))

/* Faithful: memblock, with arithmetic in phys_addr_t, which can wrap around */
struct memblock { phys_addr_t current_limit; };
extern struct memblock memblock;
phys_addr_t memblock_phys_mem_size(void);
phys_addr_t memblock_end_of_DRAM(void);
int memblock_is_memory(phys_addr_t addr);
int memblock_is_reserved(phys_addr_t addr);
int memblock_is_region_memory(phys_addr_t base, phys_addr_t size);
int memblock_is_region_reserved(phys_addr_t base, phys_addr_t size);
int memblock_reserve(phys_addr_t base, phys_addr_t size);

/* Simplified: physical addresses of the end of the kernel and of the initrd, 0 if there is none */
#define _end			host_kernel_end
#define initrd_start		host_initrd
#define __pa(addr)		((phys_addr_t)(addr))
extern unsigned long host_kernel_end, host_initrd;

/* Simplified: only the parts of a device that the code under test uses */
struct cma;
struct device { struct cma *cma_area; const char *name; };
#define dev_name(dev)		((dev)->name)

/* Simplified: a table of the files of sysfs, for sysfs.c */
struct kobject { const char *name; };
struct attribute { const char *name; int mode; };
struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr, char *buf);
	ssize_t (*store)(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			 size_t size);
};

struct sysfs_ops { int unused; };
struct kobj_type {
	const struct sysfs_ops *sysfs_ops;
	void (*release)(struct kobject *kobj);
};

#define __ATTR(name, mode, show, store)	{ { #name, mode }, show, store }
#define __ATTR_RO(name)		__ATTR(name, 0444, name##_show, NULL)
#define container_of		HOST_ENTRY
extern const struct sysfs_ops kobj_sysfs_ops;
extern struct kobject *mm_kobj;
struct kobject *kobject_create_and_add(const char *name, struct kobject *parent);
int kobject_init_and_add(struct kobject *kobj, const struct kobj_type *type,
			 struct kobject *parent, const char *fmt, const char *name);
void kobject_put(struct kobject *kobj);
int sysfs_create_file(struct kobject *kobj, const struct attribute *attr);
int kstrtouint(const char *text, unsigned int base, unsigned int *val);

/* Ours; gfp.h has it */
#include <linux/page-contig.h>

#endif
