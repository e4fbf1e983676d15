// SPDX-License-Identifier: GPL-2.0
/*
 * DMA buffers mapped by a process: the same bytes, the same memory type
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

static void *map_buffer(int ctl, const struct cma_ctl_alloc *alloc,
			size_t offset, size_t size)
{
	return mmap64(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ctl,
		      alloc->id * CMA_CTL_MMAP_STEP + offset);
}

static void check_mapping(unsigned int how, size_t size)
{
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();
	__u32 *word;
	size_t i;
	int ret;

	if (size >= MIB)
		ctl_area(ctl);
	ret = ctl_alloc(ctl, &alloc, size, how);
	REQUIRE(!ret, "%zu bytes: %s", size, strerror(-ret));
	REQUIRE(!alloc.nonzero, "%u bytes are not zero", alloc.nonzero);
	word = map_buffer(ctl, &alloc, 0, size);
	REQUIRE(word != MAP_FAILED, "mmap: %s", strerror(errno));
	REQUIRE(!ioctl(ctl, CMA_CTL_MAPPED, alloc.id),
		"pages or memory type differ from the kernel's mapping: %s",
		strerror(errno));

	REQUIRE(!ioctl(ctl, CMA_CTL_FILL, alloc.id), "%s", strerror(errno));
	for (i = 0; i < size / sizeof(*word); i++)
		REQUIRE(word[i] == cma_ctl_word(alloc.pfn, i),
			"word %zu is not what the kernel wrote", i);
	memset(word, 0, size);
	REQUIRE(ioctl(ctl, CMA_CTL_CHECK, alloc.id) && errno == EIO,
		"the kernel does not see what the process wrote");
	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = cma_ctl_word(alloc.pfn, i);
	REQUIRE(!ioctl(ctl, CMA_CTL_CHECK, alloc.id),
		"the kernel does not see what the process wrote back");
	munmap(word, size);
	close(ctl);
}

TEST(coherent, "dma_mmap_coherent() maps the buffer with the kernel's memory type")
{
	check_mapping(CMA_CTL_COHERENT, 4 * MIB);
}

TEST(small, "a single coherent page can be mapped")
{
	check_mapping(CMA_CTL_COHERENT, PAGE);
}

TEST(writecombine, "dma_mmap_writecombine() maps the buffer with the kernel's memory type")
{
	check_mapping(CMA_CTL_WRITECOMBINE, 4 * MIB);
}

TEST(atomic, "a buffer of the atomic pool can be mapped")
{
	check_mapping(CMA_CTL_ATOMIC, 4 * PAGE);
}

TEST(offset, "the offset of a mapping counts from the start of the buffer")
{
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();
	__u32 *word;
	int ret;

	ctl_area(ctl);
	ret = ctl_alloc(ctl, &alloc, MIB, CMA_CTL_COHERENT);
	REQUIRE(!ret, "%s", strerror(-ret));
	REQUIRE(!ioctl(ctl, CMA_CTL_FILL, alloc.id), "%s", strerror(errno));
	word = map_buffer(ctl, &alloc, MIB - PAGE, PAGE);
	REQUIRE(word != MAP_FAILED, "mmap: %s", strerror(errno));
	REQUIRE(word[0] == cma_ctl_word(alloc.pfn, (MIB - PAGE) / sizeof(*word)),
		"the last page has the wrong contents");
	REQUIRE(!ioctl(ctl, CMA_CTL_MAPPED, alloc.id), "%s", strerror(errno));
}

static void refused(size_t offset, size_t size)
{
	struct cma_ctl_alloc alloc;
	int ctl = ctl_open();
	void *mem;
	int ret;

	ctl_area(ctl);
	ret = ctl_alloc(ctl, &alloc, MIB, CMA_CTL_COHERENT);
	REQUIRE(!ret, "%s", strerror(-ret));
	mem = map_buffer(ctl, &alloc, offset, size);
	REQUIRE(mem == MAP_FAILED, "it can be mapped");
	REQUIRE(errno == ENXIO, "%s", strerror(errno));
}

TEST(too_long, "a mapping that is longer than the buffer fails with ENXIO")
{
	refused(0, MIB + PAGE);
}

TEST(behind, "a mapping that begins after the buffer fails with ENXIO")
{
	refused(MIB, PAGE);
}

TEST(sticks_out, "a mapping that ends after the buffer fails with ENXIO")
{
	refused(MIB - PAGE, 2 * PAGE);
}
