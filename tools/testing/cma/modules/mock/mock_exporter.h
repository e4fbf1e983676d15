/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two exporters of shared buffers that do what a test tells them, and record the
 * requests of the core
 *
 * MOCK_FIXED has contiguous memory from the beginning, and CPU access. A device
 * that does not reach it cannot attach.
 *
 * MOCK_MOVING is allocated on first map, and has no operations for the CPU. It has
 * two places: scattered pages, and contiguous ones at a lower address. It moves to
 * the latter if a device that maps it, or one that is attached on first map, takes
 * one segment only or does not reach the scattered pages. It moves only while it is
 * not mapped; otherwise map fails with -EBUSY.
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
 * @done: called at the end of release, or NULL
 * @attach_error: returned by attach; the others below likewise
 * @map_error: same; with @map_null set, map returns NULL
 * @mmap_error: same
 * @begin_error: same
 * @vmap_error: same; with @vmap_null set, vmap returns NULL
 * @map_null: see @map_error
 * @vmap_null: see @vmap_error
 * @lock: guards @nr_mapped, @scattered, @place and @moves
 * @nr_mapped: mappings of devices
 * @scattered: a block of MOCK_ORDER, every other page of it is used; or NULL
 * @contiguous: a block, its first pages are used; or NULL
 * @place: @scattered or @contiguous; NULL: no memory yet
 * @moves: how often the place changed
 * @attached: attachments
 * @vmapped: mappings by vmap
 * @kmapped: mappings by kmap and kmap_atomic
 * @accesses: CPU accesses that have begun and not ended
 * @released: calls of release
 * @lock_held: the core held its lock during the call. Not valid if several
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
