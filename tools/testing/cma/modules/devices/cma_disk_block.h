/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the block layers of the bases: how a disk is added, and
 * how the parts of a bio are found
 */
#ifndef CMA_DISK_BLOCK_H
#define CMA_DISK_BLOCK_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/err.h>

/* What the disk does with a bio, and with each part of one */
static void cma_disk_queue(struct bio *bio);
static void cma_disk_copy(struct page *page, unsigned int offset,
			  unsigned int len, char *data, int rw);

#ifdef BLK_STS_OK
/* A file system makes requests of any size */
static inline void cma_disk_submit(struct bio *bio)
{
	bio = bio_split_to_limits(bio);
	if (bio)
		cma_disk_queue(bio);
}

static const struct block_device_operations cma_disk_fops = {
	.owner		= THIS_MODULE,
	.submit_bio	= cma_disk_submit,
};

static inline sector_t cma_disk_sector(const struct bio *bio)
{
	return bio->bi_iter.bi_sector;
}

static inline unsigned int cma_disk_bytes(const struct bio *bio)
{
	return bio->bi_iter.bi_size;
}

static inline void cma_disk_transfer(struct bio *bio, char *data)
{
	struct bvec_iter iter;
	struct bio_vec vec;

	bio_for_each_segment(vec, bio, iter) {
		cma_disk_copy(vec.bv_page, vec.bv_offset, vec.bv_len, data,
			      bio_data_dir(bio));
		data += vec.bv_len;
	}
	bio_endio(bio);
}

#ifdef BLK_FEAT_ROTATIONAL	/* since 6.11, limits are those of the new queue */
static inline struct gendisk *cma_disk_alloc(unsigned int max_sectors)
{
	struct queue_limits limits = { .max_hw_sectors = max_sectors };

	return blk_alloc_disk(&limits, NUMA_NO_NODE);
}
#else
static inline struct gendisk *cma_disk_alloc(unsigned int max_sectors)
{
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);

	if (disk)
		blk_queue_max_hw_sectors(disk->queue, max_sectors);
	return disk;
}
#endif

static inline int cma_disk_add(struct gendisk *disk)
{
	return add_disk(disk);
}

static inline void cma_disk_free(struct gendisk *disk)
{
	put_disk(disk);
}
#else
static const struct block_device_operations cma_disk_fops = {
	.owner	= THIS_MODULE,
};

static inline sector_t cma_disk_sector(const struct bio *bio)
{
	return bio->bi_sector;
}

static inline unsigned int cma_disk_bytes(const struct bio *bio)
{
	return bio->bi_size;
}

static inline void cma_disk_transfer(struct bio *bio, char *data)
{
	struct bio_vec *vec;
	int i;

	bio_for_each_segment(vec, bio, i) {
		cma_disk_copy(vec->bv_page, vec->bv_offset, vec->bv_len, data,
			      bio_data_dir(bio));
		data += vec->bv_len;
	}
	bio_endio(bio, 0);
}

static inline int cma_disk_make_request(struct request_queue *queue,
					struct bio *bio)
{
	cma_disk_queue(bio);
	return 0;
}

static inline struct gendisk *cma_disk_alloc(unsigned int max_sectors)
{
	struct gendisk *disk = alloc_disk(1);

	if (!disk)
		return NULL;
	disk->queue = blk_alloc_queue(GFP_KERNEL);
	if (!disk->queue) {
		put_disk(disk);
		return NULL;
	}
	/* From v3.2 on, it returns nothing */
	blk_queue_make_request(disk->queue, (make_request_fn *)cma_disk_make_request);
	blk_queue_max_hw_sectors(disk->queue, max_sectors);
	return disk;
}

static inline int cma_disk_add(struct gendisk *disk)
{
	add_disk(disk);
	return 0;
}

static inline void cma_disk_free(struct gendisk *disk)
{
	blk_cleanup_queue(disk->queue);
	put_disk(disk);
}
#endif

#endif
