// SPDX-License-Identifier: GPL-2.0
/* The place and size of areas: "cma=", Kconfig, areas of devices. */
#include "stubs.h"
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include "cma.h"

#define MIB	0x100000ULL
#define KERNEL	"0x60004000-0x60007fff is in use"
#define ALIGNED	"BASE and SIZE are not multiples of 4096 KiB"

/* 512 MiB at 0x60000000: page tables, kernel, an initrd of odd size */
static void vexpress(void)
{
	host_memory(0x60000000, 512 * MIB);
	host_reserve(0x60004000, 0x4000);
	host_reserve(0x60020000, 0x5e0000);
	host_reserve(0x62000000, 0x123456);
	memblock.current_limit = 0x80000000;
}

/* 1 GiB, half of it high memory */
static void highmem(void)
{
	host_memory(0x60000000, 1024 * MIB);
	host_reserve(0x60004000, 0x4000);
	host_reserve(0x60020000, 0x5e0000);
	memblock.current_limit = 0x80000000;
}

/* Two banks of 64 MiB; a device tree blob within a page */
static void banks(void)
{
	host_memory(0x60000000, 64 * MIB);
	host_memory(0x70000000, 64 * MIB);
	host_reserve(0x71000100, 0x1000);
	host_reserve(0x72000100, 0x80);
}

/* Memory starts at address 0 */
static void zero(void)
{
	host_memory(0, 128 * MIB);
	host_reserve(0x4000, 0x4000);
	host_reserve(0x8000, 0x5f8000);
}

/* So high that base + size overflows 32 bits */
static void high(void)
{
	host_memory(0x20000000, 512 * MIB);
	host_memory(0xc0000000, 512 * MIB);
	memblock.current_limit = 0x40000000;
}

#ifdef CONFIG_PHYS_ADDR_T_64BIT
/* Memory above 4 GiB */
static void lpae(void)
{
	host_memory(0x80000000, 512 * MIB);
	host_memory(0x200000000, 512 * MIB);
	host_reserve(0x80004000, 0x600000);
	host_reserve(0x210001000, 0x2000);
	memblock.current_limit = 0xa0000000;
}
#endif

/* Nearly all memory is reserved */
static void full(void)
{
	vexpress();
	host_reserve(0x62400000, 0x1dc00000);
}

static const struct row {
	void (*machine)(void);
	const char *arg;	/* NULL: no "cma=" */
	unsigned long long base;	/* 0: no area */
	unsigned long size_mib;
	const char *end;	/* of the line; NULL: no line */
} rows[] = {
	/* SIZE */
	{ vexpress, "16M", 0x7f000000, 16, "" },
	{ vexpress, "16m", 0x7f000000, 16, "" },
	{ vexpress, "1", 0x7fc00000, 4, "" },
	{ vexpress, "5M", 0x7f800000, 8, "" },
	{ vexpress, "4097k", 0x7f800000, 8, "" },
	{ vexpress, "0x1000000", 0x7f000000, 16, "" },
	{ vexpress, "0X4000K", 0x7f000000, 16, "" },
	{ vexpress, "016M", 0x7f000000, 16, "" },
	{ vexpress, "10%", 0x7cc00000, 52, "" },
	{ vexpress, "476M", 0x62400000, 476, "" },
	{ vexpress, "480M", 0, 0, "no free range of this size" },
	{ vexpress, "512M", 0, 0, "size is too large" },
	{ vexpress, "100%", 0, 0, "size is too large" },
	{ vexpress, "513M", 0, 0, "size is too large" },
	{ vexpress, "1G", 0, 0, "size is too large" },
	{ vexpress, "4G", 0, 0, "size is too large" },
	{ vexpress, "4112M", 0, 0, "size is too large" },
	{ vexpress, "0x100001000K", 0, 0, "size is too large" },
	{ vexpress, "17179869183G", 0, 0, "size is too large" },
	{ vexpress, "17179869184G", 0, 0, "size is too large" },
	{ vexpress, "18446744073709551616", 0, 0, "size is too large" },
	{ vexpress, "0xffffffffffffffff", 0, 0, "size is too large" },
	{ vexpress, "101%", 0, 0, "percentage over 100" },
	{ vexpress, "1M%", 0, 0, "percentage over 100" },
	{ vexpress, "", 0, 0, "not a size" },
	{ vexpress, "%", 0, 0, "not a size" },
	{ vexpress, "M", 0, 0, "not a size" },
	{ vexpress, "-16M", 0, 0, "not a size" },
	{ vexpress, "+16M", 0, 0, "not a size" },
	{ vexpress, " 16M", 0, 0, "not a size" },
	{ vexpress, "16M ", 0, 0, "not a size" },
	{ vexpress, "16MB", 0, 0, "not a size" },
	{ vexpress, "16T", 0, 0, "not a size" },
	{ vexpress, "1a", 0, 0, "not a size" },
	{ vexpress, "0x", 0, 0, "not a size" },
	{ vexpress, "0xg", 0, 0, "not a size" },
	{ vexpress, "10%%", 0, 0, "not a size" },
	{ vexpress, "16M,32M", 0, 0, "not a size" },
	{ vexpress, "@0x68000000", 0, 0, "not a size" },
	{ vexpress, "0", 0, 0, NULL },
	{ vexpress, "0x0G", 0, 0, NULL },
	{ vexpress, "0%", 0, 0, NULL },
	{ vexpress, "0@0x68000000", 0, 0, NULL },
	/* SIZE@BASE */
	{ vexpress, "16M@0x68000000", 0x68000000, 16, "" },
	{ vexpress, "16M@1664M", 0x68000000, 16, "" },
	{ vexpress, "20%@0x68000000", 0x68000000, 104, "" },
	{ vexpress, "24M@0x60800000", 0x60800000, 24, "" },
	{ vexpress, "16M@0x60000000", 0x60800000, 16, KERNEL },
	{ vexpress, "28M@0x60800000", 0x62400000, 28, "0x62000000-0x62123fff is in use" },
	{ vexpress, "64M@0x60100000", 0x62400000, 64, "0x60100000-0x605fffff is in use" },
	{ vexpress, "16M@0x68000001", 0x68400000, 16, ALIGNED },
	{ vexpress, "16M@0x7f000000", 0x7f000000, 16, "" },
	{ vexpress, "16M@0x7f400000", 0, 0, "outside of RAM" },
	{ vexpress, "480M@0x60000000", 0, 0, KERNEL },
	{ vexpress, "16M@0x50000000", 0, 0, "outside of RAM" },
	{ vexpress, "16M@0x80000000", 0, 0, "outside of RAM" },
	{ vexpress, "16M@0", 0, 0, "outside of RAM" },
	{ vexpress, "16M@0x168000000", 0, 0, "outside of RAM" },
	{ vexpress, "16M@0x1000000000000000G", 0, 0, "outside of RAM" },
	{ vexpress, "16M@", 0, 0, "not an address" },
	{ vexpress, "16M@x", 0, 0, "not an address" },
	{ vexpress, "16M@@0x68000000", 0, 0, "not an address" },
	{ vexpress, "16M@0x68000000x", 0, 0, "not an address" },
	{ vexpress, "16M@50%", 0, 0, "not an address" },
	{ full, "16M@0x62400000", 0, 0, "0x62400000-0x7fffffff is in use" },
	{ full, "16M", 0x61000000, 16, "" },
	{ highmem, "16M", 0x7f000000, 16, "" },
	{ highmem, "768M", 0, 0, "no free range of this size" },
	{ highmem, "16M@0x90000000", 0x90000000, 16, "" },
	{ highmem, "16M@0x7f800000", 0, 0, "crosses the end of low memory" },
	{ banks, "96M@0x60000000", 0, 0, "outside of RAM" },
	{ banks, "96M", 0, 0, "no free range of this size" },
	{ banks, "16M@0x65000000", 0, 0, "outside of RAM" },
	{ banks, "16M@0x63800000", 0x70000000, 16, "outside of RAM" },
	{ zero, "16M@0", 0x00800000, 16, "0x00004000-0x005fffff is in use" },
	{ zero, "112M@0-112M", 0, 0, "0x00004000-0x005fffff is in use" },
	/* SIZE@BASE-END */
	{ vexpress, "16M@0x68000000-0x69000000", 0x68000000, 16, "" },
	{ vexpress, "16M@0x68000000-0x70000000", 0x68000000, 16, "" },
	{ vexpress, "16M@0x68000000-0x169000000", 0x68000000, 16, "" },
	{ vexpress, "16M@0x60000000-0x61800000", 0x60800000, 16, KERNEL },
	{ vexpress, "16M@0x60000000-0x617fffff", 0, 0, KERNEL },
	{ vexpress, "16M@0x60000000-0x61000000", 0, 0, KERNEL },
	{ vexpress, "16M@0x61800000-0x62800000", 0, 0, "0x62000000-0x62123fff is in use" },
	{ vexpress, "16M@0x68100000-0x69100000", 0, 0, ALIGNED },
	{ vexpress, "5M@0x68000000-0x68500000", 0, 0, ALIGNED },
	{ vexpress, "5M@0x68000000-0x68600000", 0, 0, ALIGNED },
	{ vexpress, "5M@0x68000000-0x68800000", 0x68000000, 8, "" },
	{ vexpress, "16M@0x68000000-0x68800000", 0, 0, "range is smaller than the size" },
	{ vexpress, "16M@0x68000000-0x68000000", 0, 0, "END is not above BASE" },
	{ vexpress, "16M@0x68000000-0x60000000", 0, 0, "END is not above BASE" },
	{ vexpress, "16M@0x68000000-", 0, 0, "not an address" },
	{ vexpress, "16M@0x68000000-x", 0, 0, "not an address" },
	{ vexpress, "16M@0x68000000-0x69000000-", 0, 0, "not an address" },
	{ vexpress, "64M@0-4G", 0x7c000000, 64, "" },
	{ vexpress, "64M@0-0x70000000", 0x6c000000, 64, "" },
	{ vexpress, "64M@0x10000000-0x70000001", 0x6c000000, 64, "" },
	{ vexpress, "64M@0-0x62000000", 0, 0, "no free range of this size" },
	{ vexpress, "64M@0-0x50000000", 0, 0, "no free range of this size" },
	{ vexpress, "64M@0x80000000-0x90000000", 0, 0, "outside of RAM" },
	{ vexpress, "16M@0x80000000-0x81000000", 0, 0, "outside of RAM" },
	{ vexpress, "16M@0x168000000-0x169000000", 0, 0, "outside of RAM" },
	{ highmem, "16M@0x7f800000-0x80800000", 0, 0, "crosses the end of low memory" },
	{ highmem, "16M@0x7f800000-0x90000000", 0x80000000, 16, "crosses the end of low memory" },
	{ highmem, "16M@0-4G", 0x7f000000, 16, "" },
	{ highmem, "16M@0x9f800000-0xa0800000", 0, 0, "outside of RAM" },
	{ banks, "4M@0x71000000-0x71400000", 0, 0, "0x71000000-0x71001fff is in use" },
	{ banks, "4M@0x72000000-0x72400000", 0, 0, "0x72000000-0x72000fff is in use" },
	{ high, "16M@0x80000000-0xdf000000", 0xde000000, 16, "" },
	{ high, "16M@0xdf000000-0xe0000000", 0xdf000000, 16, "" },
	{ high, "896M@0xd0000000-0x108000000", 0, 0, "outside of RAM" },
	{ high, "896M@0xd0000000", 0, 0, "outside of RAM" },
#ifdef CONFIG_PHYS_ADDR_T_64BIT
	{ lpae, "16M", 0x9f000000, 16, "" },
	{ lpae, "16M@0x208000000", 0x208000000, 16, "" },
	{ lpae, "16M@0x210000000", 0x210400000, 16, "0x210001000-0x210002fff is in use" },
	{ lpae, "16M@8448M-0x211000000", 0, 0, "0x210001000-0x210002fff is in use" },
	{ lpae, "16M@0x21f800000", 0, 0, "outside of RAM" },
	{ lpae, "16M@0x180000000", 0, 0, "outside of RAM" },
#endif
};

static const char *row_name(size_t row)
{
	static char name[64];

	snprintf(name, sizeof(name), "cma=%s (row %zu)", rows[row].arg, row);
	return name;
}

/* The area exists, and memblock and the architecture know it; or none of that */
static void check_place(const struct cma *cma, unsigned int nr_reserved, unsigned long long base,
			unsigned long size_mib)
{
	REQUIRE_EQ(cma_area_count, !!base);
	REQUIRE_EQ(!!cma, !!base);
	REQUIRE_EQ(host.nr_reserved, nr_reserved + !!base);
	REQUIRE_EQ(host.nr_fixups, !!base);
	if (!base)
		return;
	REQUIRE_EQ(cma_get_base(cma), base);
	REQUIRE_EQ(cma_get_size(cma), size_mib * MIB);
	REQUIRE_EQ(host.reserved[nr_reserved].base, base);
	REQUIRE_EQ(host.reserved[nr_reserved].size, size_mib * MIB);
	REQUIRE_EQ(host.fixup.base, base);
	REQUIRE_EQ(host.fixup.size, size_mib * MIB);
}

TEST_TABLE(argument, "command line", ARRAY_SIZE(rows), row_name)
{
	const struct row *r = &rows[row];
	char arg[64], line[256];
	unsigned int nr_reserved;

	r->machine();
	nr_reserved = host.nr_reserved;
	snprintf(arg, sizeof(arg), "%s", r->arg);
	REQUIRE_EQ(host_early_param(arg), 0);
	memset(arg, 'x', sizeof(arg));	/* the command line is discarded */
	dma_contiguous_reserve(0);

	if (!r->end)
		snprintf(line, sizeof(line), "cma: no area (cma=%s)\n", r->arg);
	else if (!r->base)
		snprintf(line, sizeof(line), "cma: cma=%s: %s; no area\n", r->arg, r->end);
	else if (!strchr(r->arg, '@'))
		snprintf(line, sizeof(line), "cma: reserved %lu KiB at 0x%08llx\n",
			 r->size_mib << 10, r->base);
	else
		snprintf(line, sizeof(line), "cma: reserved %lu KiB at 0x%08llx (cma=%s%s%s)\n",
			 r->size_mib << 10, r->base, r->arg, *r->end ? ": " : "", r->end);
	REQUIRE_STREQ(host.log, line);
	check_place(dma_contiguous_default_area, nr_reserved, r->base, r->size_mib);
}

TEST(argument_last, "the last cma= counts")
{
	vexpress();
	REQUIRE_EQ(host_early_param("garbage"), 0);
	REQUIRE_EQ(host_early_param("16M@0x60000000-0x70000000"), 0);
	REQUIRE_EQ(host_early_param("8M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 8192 KiB at 0x7f800000\n");
	dma_contiguous_reserve(0);
	check_place(dma_contiguous_default_area, 3, 0x7f800000, 8);
}

TEST(argument_none, "\"cma\" without a value is not a size")
{
	vexpress();
	REQUIRE_EQ(host_early_param(NULL), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: cma=: not a size; no area\n");
	check_place(dma_contiguous_default_area, 3, 0, 0);
}

TEST(argument_long, "an argument that is too long is truncated in the message only")
{
	char arg[100], line[200];

	vexpress();
	snprintf(arg, sizeof(arg), "%080d16M@0x60000000", 0);
	REQUIRE_EQ(host_early_param(arg), 0);
	dma_contiguous_reserve(0);
	snprintf(line, sizeof(line), "cma: reserved 16384 KiB at 0x60800000 (cma=%063d: %s)\n", 0,
		 KERNEL);
	REQUIRE_STREQ(host.log, line);
}

TEST(at_zero, "an area can start at address 0")
{
	host_memory(0, 64 * MIB);
	REQUIRE_EQ(host_early_param("16M@0"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 16384 KiB at 0x00000000 (cma=16M@0)\n");
	REQUIRE_EQ(cma_get_base(dma_contiguous_default_area), 0);
}

TEST(highest_at_zero, "the highest free range can be at address 0")
{
	host_memory(0, 64 * MIB);
	host_reserve(0x1000000, 0x1000);
	host_reserve(0x2000000, 0x1000);
	host_reserve(0x3000000, 0x1000);
	REQUIRE_EQ(host_early_param("16M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 16384 KiB at 0x00000000\n");
}

TEST(all_but_16, "an area can take all memory but 16 MiB")
{
	host_memory(0, 64 * MIB);
	REQUIRE_EQ(host_early_param("75%"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 49152 KiB at 0x01000000\n");
}

TEST(all_but_12, "an area cannot take all memory but 12 MiB")
{
	host_memory(0, 64 * MIB);
	REQUIRE_EQ(host_early_param("52M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: cma=52M: size is too large; no area\n");
}

TEST(limit, "the limit of the architecture applies unless a base is given")
{
	vexpress();
	REQUIRE_EQ(host_early_param("16M"), 0);
	dma_contiguous_reserve(0x68000000);
	check_place(dma_contiguous_default_area, 3, 0x67000000, 16);
}

TEST(limit_low, "no free range below the limit: no area")
{
	vexpress();
	REQUIRE_EQ(host_early_param("64M"), 0);
	dma_contiguous_reserve(0x62400000);
	REQUIRE_STREQ(host.log, "cma: cma=64M: no free range of this size; no area\n");
	check_place(dma_contiguous_default_area, 3, 0, 0);
}

TEST(limit_base, "a base that is given may be above the limit")
{
	vexpress();
	REQUIRE_EQ(host_early_param("16M@0x70000000"), 0);
	dma_contiguous_reserve(0x68000000);
	check_place(dma_contiguous_default_area, 3, 0x70000000, 16);
}

static const struct {
	char *arg;
	unsigned long limit, base, size_mib;
} limits[] = {
	{ "16M", 0, 0x7f000000, 16 },
	{ "16M", 0x80000000, 0x7f000000, 16 },
	{ "16M", 0x7fffffff, 0x7f000000, 16 },
	{ "16M", 0x90000000, 0x8f000000, 16 },
	{ "16M", 0x8fffffff, 0x8f000000, 16 },
	{ "16M", 0xffffffff, 0x9f000000, 16 },
	{ "16M", ~0UL, 0x9f000000, 16 },
	{ "512M", ~0UL, 0x80000000, 512 },
	{ "300M", 0x90000000, 0x6d400000, 300 },
};

static const char *limit_name(size_t row)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s below %#lx", limits[row].arg, limits[row].limit);
	return name;
}

TEST_TABLE(limit_high, "an area is in high memory if the limit allows it", ARRAY_SIZE(limits),
	   limit_name)
{
	highmem();
	REQUIRE_EQ(host_early_param(limits[row].arg), 0);
	dma_contiguous_reserve(limits[row].limit);
	check_place(dma_contiguous_default_area, 2, limits[row].base, limits[row].size_mib);
}

TEST(limit_border, "an area does not cross the limit, where a zone may end")
{
	vexpress();
	REQUIRE_EQ(host_early_param("16M@0x67800000"), 0);
	dma_contiguous_reserve(0x68000000);
	REQUIRE_STREQ(host.log, "cma: reserved 16384 KiB at 0x68000000 (cma=16M@0x67800000: "
		      "crosses the end of the memory that all devices reach)\n");
	check_place(dma_contiguous_default_area, 3, 0x68000000, 16);
}

TEST(little_left, "memory that has to be left need not be whole blocks")
{
	unsigned int i;

	host_memory(0x60000000, 64 * MIB);
	for (i = 0; i < 3; i++) {
		host_reserve(0x60000000 + i * 4 * MIB, 0x1000);
		host_reserve(0x63400000 + i * 4 * MIB, 0x1000);
	}
	REQUIRE_EQ(host_early_param("40M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 40960 KiB at 0x60c00000\n");
}

/* Each program has another choice of Kconfig; CONFIG_MIB is its result for 512 MiB */
TEST(config, "size by Kconfig")
{
	char line[100];

	vexpress();
	dma_contiguous_reserve(0);
	snprintf(line, sizeof(line), "cma: reserved %u KiB at 0x%08x\n", CONFIG_MIB << 10,
		 0x80000000U - (CONFIG_MIB << 20));
	REQUIRE_STREQ(host.log, CONFIG_MIB ? line : "");
	check_place(dma_contiguous_default_area, 3, CONFIG_MIB ? 0x80000000 - CONFIG_MIB * MIB : 0,
		    CONFIG_MIB);
}

TEST(config_full, "size by Kconfig, and no free range")
{
	full();
	host_reserve(0x60600000, 0x1a00000);
	dma_contiguous_reserve(0);
	REQUIRE(CONFIG_MIB ? !!strstr(host.log, "K: no free range of this size; no area\n") :
		!*host.log);
	check_place(dma_contiguous_default_area, 5, 0, 0);
}

static const struct declare_row {
	const char *name;
	unsigned long size, base, limit;
	int ret;
	unsigned long place;
	const char *why;
} declare_rows[] = {
	{ "anywhere", 8 << 20, 0, 0, 0, 0x7f800000, NULL },
	{ "rounded up", 5 << 20, 0, 0, 0, 0x7f800000, NULL },
	{ "below a limit", 8 << 20, 0, 0x68000000, 0, 0x67800000, NULL },
	{ "at a place", 8 << 20, 0x68000000, 0, 0, 0x68000000, NULL },
	{ "at a place above the limit", 8 << 20, 0x68000000, 0x64000000, 0, 0x68000000, NULL },
	{ "no size", 0, 0, 0, -EINVAL, 0, "not a size" },
	{ "no alignment", 8 << 20, 0x68001000, 0, -EINVAL, 0, "base is not aligned" },
	{ "in use", 8 << 20, 0x60000000, 0, -EBUSY, 0, KERNEL },
	{ "outside of RAM", 8 << 20, 0x40000000, 0, -EBUSY, 0, "outside of RAM" },
	{ "behind RAM", 8 << 20, 0xa0000000, 0, -EBUSY, 0, "outside of RAM" },
	{ "end behind RAM", 8 << 20, 0x9fc00000, 0, -EBUSY, 0, "outside of RAM" },
	{ "end behind 4 GiB", 0xc0000000, 0x90000000, 0, -EBUSY, 0, "outside of RAM" },
	{ "over the end of low memory", 8 << 20, 0x7fc00000, 0, -EBUSY, 0,
	  "crosses the end of low memory" },
	{ "high memory", 8 << 20, 0x90000000, 0, 0, 0x90000000, NULL },
	{ "too large", 768 << 20, 0, 0, -ENOMEM, 0, "no free range of this size" },
	{ "much too large", 0xf0000000, 0, 0, -ENOMEM, 0, "no free range of this size" },
	{ "no room below the limit", 32 << 20, 0, 0x62000000, -ENOMEM, 0,
	  "no free range of this size" },
};

static const char *declare_name(size_t row)
{
	return declare_rows[row].name;
}

TEST_TABLE(declare, "dma_declare_contiguous", ARRAY_SIZE(declare_rows), declare_name)
{
	const struct declare_row *r = &declare_rows[row];
	struct device dev = { };
	char line[200];

	highmem();
	REQUIRE_EQ(dma_declare_contiguous(&dev, r->size, r->base, r->limit), r->ret);
	if (r->why)
		snprintf(line, sizeof(line),
			 "cma: dma_declare_contiguous(0x%08lx, 0x%08lx): %s; no area\n", r->size,
			 r->base, r->why);
	else
		snprintf(line, sizeof(line),
			 "cma: reserved 8192 KiB at 0x%08lx for a device (cma1)\n", r->place);
	REQUIRE_STREQ(host.log, line);
	check_place(dev.cma_area, 2, r->place, 8);
	REQUIRE(!dma_contiguous_default_area);
}

TEST(declare_many, "CONFIG_CMA_AREAS areas of devices are possible beside the default one")
{
	struct device dev[CONFIG_CMA_AREAS] = { }, one_more = { };
	unsigned int i;

	vexpress();
	REQUIRE_EQ(host_early_param("16M"), 0);
	dma_contiguous_reserve(0);
	for (i = 0; i < CONFIG_CMA_AREAS; i++) {
		char name[8];

		REQUIRE_EQ(dma_declare_contiguous(&dev[i], 4 * MIB, 0, 0), 0);
		snprintf(name, sizeof(name), "cma%u", i + 1);
		REQUIRE_STREQ(cma_get_name(dev_get_cma_area(&dev[i])), name);
	}
	host.log[0] = 0;
	REQUIRE_EQ(dma_declare_contiguous(&one_more, 4 * MIB, 0, 0), -ENOSPC);
	REQUIRE_STREQ(host.log,
		      "cma: dma_declare_contiguous(0x00400000, 0x00000000): too many areas; no area\n");
	REQUIRE_EQ(host.nr_reserved, 3 + 1 + CONFIG_CMA_AREAS);
	REQUIRE(dev_get_cma_area(&one_more) == dma_contiguous_default_area);
	REQUIRE_STREQ(cma_get_name(dev_get_cma_area(NULL)), "reserved");
}

/* From the command line to a buffer */
static void boot(void)
{
	unsigned int i;

	vexpress();
	REQUIRE_EQ(host_early_param("8M@0x60000000"), 0);
	dma_contiguous_reserve(0);
	host_pages(0x60000, 0x4000);
	host_set(0x60000, 0x4000, PAGE_FREE);
	for (i = 0; i < host.nr_reserved; i++)
		if (host.reserved[i].base < 0x64000000)
			host_set(host.reserved[i].base >> PAGE_SHIFT,
				 (host.reserved[i].size + PAGE_SIZE - 1) >> PAGE_SHIFT,
				 PAGE_RESERVED);
	host.log[0] = 0;
	REQUIRE_EQ(host_core_initcall(), 0);
}

TEST(booted, "a device gets a buffer from the reserved memory")
{
	struct device dev = { };
	struct page *page;

	boot();
	page = dma_alloc_from_contiguous(&dev, 1, 31);
	REQUIRE_EQ(page_to_pfn(page), 0x60800);
	REQUIRE(dma_release_from_contiguous(&dev, page, 1));
	REQUIRE(!dma_alloc_from_contiguous(&dev, -1, 0));
	page = dma_alloc_from_contiguous(&dev, 2048, 8);
	REQUIRE_EQ(page_to_pfn(page), 0x60800);
	REQUIRE(!dma_alloc_from_contiguous(&dev, 1, 0));
	REQUIRE(dma_release_from_contiguous(&dev, page, 2048));
	host_check_area(dma_contiguous_default_area);
}

TEST(booted_unreserved, "memory that memblock failed to reserve is not used")
{
	vexpress();
	host.fail_memblock_reserve = true;
	REQUIRE_EQ(host_early_param("16M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: cma=16M: memblock has no room for it; no area\n");
	REQUIRE(!dma_contiguous_default_area);
	REQUIRE(!dma_alloc_from_contiguous(NULL, 1, 0));
}
