/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two exporters of shared buffers that do what a test tells them, and remember
 * what they were asked for
 *
 * MOCK_FIXED has contiguous memory from the beginning, and CPU access. A device
 * that does not reach it can not attach.
 *
 * MOCK_MOVING has memory when it is mapped for the first time, and nothing for
 * the CPU. It has two places: scattered pages, and contiguous ones at a lower
 * address, where it goes if a device that maps it, or one that is attached when
 * it is mapped for the first time, takes one segment only or does not reach the
 * scattered ones. It moves while nobody has it mapped, and gives -EBUSY else.
 */
#ifndef MOCK_EXPORTER_H
#define MOCK_EXPORTER_H

#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#define MOCK_PAGES	4
#define MOCK_SIZE	(3 * PAGE_SIZE + 100)

enum mock_kind { MOCK_FIXED, MOCK_MOVING };

/**
 * struct mock - the exporter's part of a buffer
 * @kind: which exporter
 * @done: what release does at last, or NULL
 * @attach_error: what attach says; so for the others below
 * @map_error: same; with @map_null set it gives NULL
 * @mmap_error: same
 * @begin_error: same
 * @vmap_error: same; with @vmap_null set it gives NULL
 * @map_null: see @map_error
 * @vmap_null: see @vmap_error
 * @lock: guards @nr_mapped, @scattered, @place and @moves
 * @nr_mapped: mappings of devices
 * @scattered: every other one of these pages, block of MOCK_ORDER; or NULL
 * @contiguous: the first ones of these; or NULL
 * @place: @scattered or @contiguous; NULL: no memory yet
 * @moves: how often the place changed
 * @attached: attachments
 * @vmapped: mappings by vmap
 * @kmapped: mappings by kmap and kmap_atomic
 * @accesses: begun, but not ended, CPU accesses
 * @released: calls of release
 * @lock_held: the core held its lock when it called. Means nothing if several
 *	threads use the buffer.
 * @start: of the last CPU access
 * @len: same
 * @dir: same
 * @page_num: of the last kmap() or kunmap() of both kinds
 * @vma: of the last mmap
 * @pgoff: same
 */
struct mock {
	enum mock_kind kind;
	void (*done)(struct mock *mock);
	int attach_error, map_error, mmap_error, begin_error, vmap_error;
	bool map_null, vmap_null;
	struct mutex lock;	/* nr_mapped, scattered, place, moves */
	unsigned int nr_mapped;
	struct page *scattered, *contiguous, *place;
	unsigned int moves;
	atomic_t attached, vmapped, kmapped, accesses, released;
	bool lock_held;
	size_t start, len;
	enum dma_data_direction dir;
	unsigned long page_num;
	struct vm_area_struct *vma;
	unsigned long pgoff;
};

struct dma_buf *mock_export(struct mock *mock, enum mock_kind kind);
void *mock_address(struct mock *mock, unsigned long page_num);
u64 mock_last_byte(const struct page *place);

#endif
