/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel around drivers/base/dma-heap-buffer.c, for the model of cache.h */
#ifndef HOST_HEAP_H
#define HOST_HEAP_H

#include <limits.h>
#include <stddef.h>

#include "stream.h"

/* Faithful: lists, arithmetic, error pointers */
typedef int32_t s32;
typedef u64 __u64;
typedef u32 __u32;
#define __user
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))
#define min_not_zero(x, y)	(!(x) ? (y) : !(y) ? (x) : min(x, y))
#define ilog2(n)		(63 - __builtin_clzll(n))
#define container_of(ptr, type, member)	((type *)((char *)(ptr) - offsetof(type, member)))
#define ERR_PTR(error)		((void *)(long)(error))
#define IS_ERR(ptr)		((unsigned long)(ptr) >= -4095UL)
#define PTR_ERR(ptr)		((long)(ptr))
#define LIST_HEAD(name)		struct list_head name = { &(name), &(name) }
#define INIT_LIST_HEAD(list)	((list)->next = (list)->prev = (list))
#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_for_each_entry(pos, head, member)					\
	for ((pos) = list_entry((head)->next, __typeof__(*(pos)), member);	\
	     &(pos)->member != (head);						\
	     (pos) = list_entry((pos)->member.next, __typeof__(*(pos)), member))
#define list_for_each_entry_safe(pos, n, head, member)				\
	for ((pos) = list_entry((head)->next, __typeof__(*(pos)), member),	\
	     (n) = list_entry((pos)->member.next, __typeof__(*(pos)), member);	\
	     &(pos)->member != (head);						\
	     (pos) = (n), (n) = list_entry((n)->member.next, __typeof__(*(n)), member))

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	entry->next = head->next;
	entry->prev = head;
	head->next->prev = entry;
	head->next = entry;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	list_add(entry, head->prev);
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

/* Simplified: one thread */
typedef struct { int counter; } atomic_t;
#define atomic_inc(v)		((v)->counter++)
#define atomic_dec(v)		((v)->counter--)
#define atomic_read(v)		((v)->counter)
#define smp_mb()		do { } while (0) /* one thread */
#define smp_mb__before_atomic_dec()	do { } while (0) /* one thread */
struct mutex { spinlock_t lock; };
#define mutex_init(mutex)	((mutex)->lock.held = false)
#define mutex_lock(mutex)	arm_lock(&(mutex)->lock, true)
#define mutex_unlock(mutex)	arm_lock(&(mutex)->lock, false)
#define fatal_signal_pending(task)	false

/* Simplified: memory of the C library; pages of areas for those of the page allocator */
#define __GFP_HIGHMEM		2U
#define __GFP_DMA		GFP_DMA
#define __GFP_NORETRY		0U
#define __GFP_NOMEMALLOC	0U
#define __GFP_NO_KSWAPD		0U
#define GFP_NOWAIT		0U
#define GFP_USER		GFP_KERNEL
#define MAX_ORDER		11
#define PAGE_KERNEL		pgprot_kernel
#define kmalloc(size, gfp)	malloc(size)
#define kzalloc(size, gfp)	calloc(1, size)
#define vmalloc(size)		malloc(size)
#define vfree			free
#define __vmalloc(size, gfp, prot)	malloc(size)
#undef alloc_pages
#define alloc_pages		heap_alloc_pages
#define alloc_page(gfp)		heap_alloc_pages(gfp, 0)
#define __free_pages		heap_free_pages
#define alloc_pages_exact(size, gfp)	NULL
#define free_pages_exact(addr, size)	((void)(addr))
#define page_private(page)	((page)->private)
#define set_page_private(page, val)	((page)->private = (val))
struct page *heap_alloc_pages(gfp_t gfp, unsigned int order);
void heap_free_pages(struct page *page, unsigned int order);
#define clear_highpage(page)	memset(kmap(page), 0, PAGE_SIZE)
#define vmap(pages, nr, flags, prot)	NULL
#define zap_vma_ptes(vma, start, size)	((void)(vma))
#define CONFIG_DMABUF_HEAPS_CMA	1

/* Faithful: scatterlists of one array */
struct sg_table { struct scatterlist *sgl; unsigned int nents, orig_nents; };
#define sg_init_table(sg, nr)	((void)(sg), (void)(nr))
static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg->page = page;
	sg->offset = offset;
	sg->length = len;
}

/* Simplified: pieces are a page each, or low memory */
struct sg_mapping_iter {
	struct scatterlist *sg;
	unsigned int nr, done;
	void *addr;
	size_t length;
};

enum { SG_MITER_TO_SG, SG_MITER_FROM_SG };
static inline void sg_miter_start(struct sg_mapping_iter *m, struct scatterlist *sg,
				  unsigned int nr, unsigned int flags)
{
	*m = (struct sg_mapping_iter){ sg, nr, 0, NULL, PAGE_SIZE };
}

static inline bool sg_miter_next(struct sg_mapping_iter *m)
{
	struct page *page;

	if (m->nr && m->done == m->sg->length) {
		m->sg++;
		m->nr--;
		m->done = 0;
	}
	if (!m->nr)
		return false;
	page = m->sg->page + (m->done >> PAGE_SHIFT);
	m->addr = PageHighMem(page) ? kmap(page) : page_address(page);
	m->done += PAGE_SIZE;
	return true;
}

#define sg_miter_stop(m)	((void)(m))

/* Empty: files */
struct file;
struct module;
#define THIS_MODULE		NULL
#define KBUILD_MODNAME		"test"
#define get_file(file)		((void)(file))
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
};

#endif
