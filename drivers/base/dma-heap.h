/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interfaces between dma-heap.c, dma-heap-cma.c and dma-heap-buffer.c
 */
#ifndef __DRIVERS_BASE_DMA_HEAP_H
#define __DRIVERS_BASE_DMA_HEAP_H

#include <linux/init.h>
#include <linux/types.h>

struct cma;
struct device;
struct dma_buf;
struct dma_charge_file;
struct page;

/*
 * Whether the same memory can be in different lines of the data cache through
 * the mappings of the kernel and of a process
 */
#ifdef CONFIG_ARM
#include <asm/cachetype.h>
#define dcache_aliases()	(!cache_is_vipt_nonaliasing())
#else
#define dcache_aliases()	false
#endif

int __init dma_heap_add(const char *name, struct cma *cma);
struct dma_buf *heap_buffer_new(const char *heap_name, struct cma *cma,
				struct dma_charge_file *file, size_t size,
				int flags);

#ifdef CONFIG_DMABUF_HEAPS_CMA
int __init heap_cma_init(void);
struct page *heap_cma_alloc(struct cma *cma, size_t size);
struct page *heap_cma_alloc_for(struct device *dev, size_t size, u64 mask,
				struct cma **cma);
void heap_cma_free(struct cma *cma, struct page *pages, size_t size);
#else
static inline int heap_cma_init(void)
{
	return 0;
}

static inline struct page *heap_cma_alloc(struct cma *cma, size_t size)
{
	return NULL;
}

static inline struct page *heap_cma_alloc_for(struct device *dev, size_t size,
					      u64 mask, struct cma **cma)
{
	return NULL;
}

static inline void heap_cma_free(struct cma *cma, struct page *pages,
				 size_t size)
{
}
#endif

#ifdef CONFIG_DMABUF_HEAPS_SYSTEM
#define HAS_SYSTEM_HEAP	1
#else
#define HAS_SYSTEM_HEAP	0
#endif

#ifdef CONFIG_DMABUF_HEAPS_CMA_LEGACY
#define HAS_LEGACY_NAME	1
#else
#define HAS_LEGACY_NAME	0
#endif

#endif /* __DRIVERS_BASE_DMA_HEAP_H */
