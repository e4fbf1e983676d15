// SPDX-License-Identifier: GPL-2.0
/* The place and size of areas: "cma=", Kconfig, areas of devices. */
#include "stubs.h"
#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include "cma.h"

#define MIB	0x100000ULL
#define LINE_MAX_LEN	200
#define TABLES	"0x60004000-0x60007fff is in use"
#define KERNEL	"0x60020000-0x605fffff is in use by the kernel"
#define INITRD	"0x62000000-0x62123fff is in use by the initrd"
#define ALIGNED	"BASE and SIZE are not multiples of 4096 KiB"
#define OTHERS	", and so are other ranges"
#define LARGEST_TEXT	", largest free range "
#define LARGEST(kib, at)	", largest free range " #kib " KiB at " #at

/* 512 MiB at 0x60000000: page tables, kernel, an initrd of odd size */
static void vexpress(void)
{
	host_memory(0x60000000, 512 * MIB);
	host_reserve(0x60004000, 0x4000);
	host_reserve(0x60020000, 0x5e0000);
	host_reserve(0x62000000, 0x123456);
	host_kernel_end = 0x60600000;
	host_initrd = 0x62000000;
	memblock.current_limit = 0x80000000;
}

#define VEXPRESS	LARGEST(487424, 0x62400000)
#define TOO_LARGE	"size is too large, 16384 KiB of 524288 KiB have to be left" VEXPRESS

/* 128 MiB, as QEMU fills it: the kernel at the start, the initrd in the middle */
static void small(void)
{
	host_memory(0x60000000, 128 * MIB);
	host_reserve(0x60004000, 0x5af000);
	host_reserve(0x64000000, 0x9b1234);
	host_kernel_end = 0x605b2f10;
	host_initrd = 0x64000000;
	memblock.current_limit = 0x68000000;
}

#define SMALL	"0x64000000-0x649b1fff is in use by the initrd" LARGEST(57344, 0x60800000)

/* 1 GiB, half of it high memory */
static void highmem(void)
{
	host_memory(0x60000000, 1024 * MIB);
	host_reserve(0x60004000, 0x4000);
	host_reserve(0x60020000, 0x5e0000);
	host_kernel_end = 0x60600000;
	memblock.current_limit = 0x80000000;
}

#define LOW_END	"crosses the end of low memory at 0x80000000"
#define HIGHMEM	LARGEST(524288, 0x80000000)
#define LOWMEM	LARGEST(507904, 0x61000000)

/* Two banks of 64 MiB; a device tree blob within a page */
static void banks(void)
{
	host_memory(0x60000000, 64 * MIB);
	host_memory(0x70000000, 64 * MIB);
	host_reserve(0x71000100, 0x1000);
	host_reserve(0x72000100, 0x80);
}

#define BANKS	LARGEST(65536, 0x60000000)

/* Memory starts at address 0 */
static void zero(void)
{
	host_memory(0, 128 * MIB);
	host_reserve(0x4000, 0x4000);
	host_reserve(0x8000, 0x5f8000);
	host_kernel_end = 0x600000;
}

#define ZERO_KERNEL	"0x00004000-0x005fffff is in use by the kernel"
#define ZERO	LARGEST(114688, 0x00800000)

/* So high that base + size overflows 32 bits */
static void high(void)
{
	host_memory(0x20000000, 512 * MIB);
	host_memory(0xc0000000, 512 * MIB);
	memblock.current_limit = 0x40000000;
}

#define HIGH	LARGEST(524288, 0xc0000000)

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

#define LPAE	LARGEST(507904, 0x80800000)
#endif

/* Nearly all memory is reserved */
static void full(void)
{
	vexpress();
	host_reserve(0x62400000, 0x1dc00000);
}

#define FULL	LARGEST(20480, 0x60800000)

/* The initrd follows the kernel */
static void together(void)
{
	host_memory(0x60000000, 64 * MIB);
	host_reserve(0x60004000, 0xffc000);
	host_reserve(0x61000000, 0x800000);
	host_kernel_end = 0x60ffff00;
	host_initrd = 0x61000000;
	memblock.current_limit = 0x64000000;
}

/* Each half is in use, and so is each block of the second one */
static void scattered(void)
{
	unsigned long long addr;

	host_memory(0x60000000, 64 * MIB);
	for (addr = 0x62000000; addr < 0x64000000; addr += 4 * MIB)
		host_reserve(addr + MIB, 0x1000);
	host_reserve(0x60004000, 0x600000);
	host_kernel_end = 0x60604000;
	memblock.current_limit = 0x64000000;
}

/* Without either of two reservations, the same is free in one piece */
static void symmetric(void)
{
	host_memory(0x60000000, 64 * MIB);
	host_reserve(0x61000000, 0x400000);
	host_reserve(0x62c00000, 0x400000);
	memblock.current_limit = 0x64000000;
}

/* All low memory is reserved */
static void low_full(void)
{
	highmem();
	host_reserve(0x60000000, 512 * MIB);
}

static const struct row {
	void (*machine)(void);
	const char *arg;	/* NULL: no "cma=" */
	unsigned long long base;	/* 0: no area */
	unsigned long size_mib;
	const char *end;	/* of the line; NULL: no line */
	unsigned long percent_kib;	/* in the line, if there is no area */
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
	{ vexpress, "480M", 0, 0, INITRD VEXPRESS },
	{ vexpress, "512M", 0, 0, TOO_LARGE },
	{ vexpress, "100%", 0, 0, TOO_LARGE, 524288 },
	{ vexpress, "513M", 0, 0, TOO_LARGE },
	{ vexpress, "1G", 0, 0, TOO_LARGE },
	{ vexpress, "4G", 0, 0, TOO_LARGE },
	{ vexpress, "4112M", 0, 0, TOO_LARGE },
	{ vexpress, "0x100001000K", 0, 0, TOO_LARGE },
	{ vexpress, "17179869183G", 0, 0, TOO_LARGE },
	{ vexpress, "17179869184G", 0, 0, TOO_LARGE },
	{ vexpress, "18446744073709551616", 0, 0, TOO_LARGE },
	{ vexpress, "0xffffffffffffffff", 0, 0, TOO_LARGE },
	{ vexpress, "95%", 0, 0, INITRD VEXPRESS, 498073 },
	{ vexpress, "101%", 0, 0, "percentage over 100" },
	{ vexpress, "18446744073709551616%", 0, 0, "percentage over 100" },
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
	{ vexpress, "16M@0x60000000", 0x60800000, 16, TABLES },
	{ vexpress, "28M@0x60800000", 0x62400000, 28, INITRD },
	{ vexpress, "64M@0x60100000", 0x62400000, 64, KERNEL },
	{ vexpress, "16M@0x68000001", 0x68400000, 16, ALIGNED },
	{ vexpress, "16M@0x7f000000", 0x7f000000, 16, "" },
	{ vexpress, "16M@0x7f400000", 0, 0, "RAM ends at 0x7fffffff" VEXPRESS },
	{ vexpress, "480M@0x60000000", 0, 0, INITRD VEXPRESS },
	{ vexpress, "16M@0x50000000", 0, 0, "0x50000000 is outside of RAM" VEXPRESS },
	{ vexpress, "16M@0x80000000", 0, 0, "0x80000000 is outside of RAM" VEXPRESS },
	{ vexpress, "16M@0", 0, 0, "0x00000000 is outside of RAM" VEXPRESS },
	{ vexpress, "16M@0x168000000", 0, 0, "0x168000000 is outside of RAM" VEXPRESS },
	{ vexpress, "16M@0x1000000000000000G", 0, 0,
	  "0xffffffffffffffff is outside of RAM" VEXPRESS },
	{ vexpress, "16M@", 0, 0, "not an address" },
	{ vexpress, "16M@x", 0, 0, "not an address" },
	{ vexpress, "16M@@0x68000000", 0, 0, "not an address" },
	{ vexpress, "16M@0x68000000x", 0, 0, "not an address" },
	{ vexpress, "16M@50%", 0, 0, "not an address" },
	{ full, "16M@0x62400000", 0, 0, "0x62400000-0x7fffffff is in use" FULL },
	{ full, "16M", 0x61000000, 16, "" },
	{ full, "24M", 0, 0, "less than 8 MiB of low memory would be left"
	  LARGEST(20480, 0x60c00000) },
	{ small, "56M@0x60000000", 0x60800000, 56,
	  "0x60004000-0x605b2fff is in use by the kernel" },
	{ small, "64M@0x60000000", 0, 0, SMALL },
	{ small, "50%", 0, 0, SMALL, 65536 },
	{ small, "64M", 0, 0, SMALL },
	{ small, "16M@0x67c00000", 0, 0, "RAM ends at 0x67ffffff" LARGEST(57344, 0x60800000) },
	{ small, "16M@0x67d00000", 0, 0, "RAM ends at 0x67ffffff" LARGEST(57344, 0x60800000) },
	{ together, "44M@0x60000000", 0, 0,
	  "0x60004000-0x617fffff is in use by the kernel and the initrd"
	  LARGEST(32768, 0x61800000) },
	{ scattered, "32M", 0, 0, "0x60004000-0x60603fff is in use by the kernel"
	  LARGEST(24576, 0x60800000) },
	{ scattered, "48M", 0, 0, "0x60004000-0x60603fff is in use by the kernel" OTHERS
	  LARGEST(24576, 0x60800000) },
	{ symmetric, "40M", 0, 0, "0x62c00000-0x62ffffff is in use" LARGEST(24576, 0x61400000) },
	{ low_full, "16M@0x90000000", 0x90000000, 16, "" },
	{ highmem, "16M", 0x7f000000, 16, "" },
	{ highmem, "768M", 0, 0, LOW_END LOWMEM },
	{ highmem, "16M@0x90000000", 0x90000000, 16, "" },
	{ highmem, "16M@0x7f800000", 0, 0, LOW_END HIGHMEM },
	{ banks, "96M@0x60000000", 0, 0, "RAM ends at 0x63ffffff" BANKS },
	{ banks, "96M", 0, 0, "RAM ends at 0x73ffffff" BANKS },
	{ banks, "16M@0x65000000", 0, 0, "0x65000000 is outside of RAM" BANKS },
	{ banks, "16M@0x63800000", 0x70000000, 16, "RAM ends at 0x63ffffff" },
	{ zero, "16M@0", 0x00800000, 16, ZERO_KERNEL },
	{ zero, "112M@0-112M", 0, 0, ZERO_KERNEL ZERO },
	/* SIZE@BASE-END */
	{ vexpress, "16M@0x68000000-0x69000000", 0x68000000, 16, "" },
	{ vexpress, "16M@0x68000000-0x70000000", 0x68000000, 16, "" },
	{ vexpress, "16M@0x68000000-0x169000000", 0x68000000, 16, "" },
	{ vexpress, "16M@0x60000000-0x61800000", 0x60800000, 16, TABLES },
	{ vexpress, "16M@0x60000000-0x617fffff", 0, 0, KERNEL VEXPRESS },
	{ vexpress, "16M@0x60000000-0x61000000", 0, 0, KERNEL OTHERS VEXPRESS },
	{ vexpress, "16M@0x61800000-0x62800000", 0, 0, INITRD VEXPRESS },
	{ vexpress, "16M@0x68100000-0x69100000", 0, 0, ALIGNED VEXPRESS },
	{ vexpress, "5M@0x68000000-0x68500000", 0, 0, ALIGNED VEXPRESS },
	{ vexpress, "5M@0x68000000-0x68600000", 0, 0, ALIGNED VEXPRESS },
	{ vexpress, "5M@0x68000000-0x68800000", 0x68000000, 8, "" },
	{ vexpress, "16M@0x68000000-0x68800000", 0, 0, "range is smaller than the size" VEXPRESS },
	{ vexpress, "16M@0x68000000-0x68000000", 0, 0, "END is not above BASE" },
	{ vexpress, "16M@0x68000000-0x60000000", 0, 0, "END is not above BASE" },
	{ vexpress, "16M@0x68000000-", 0, 0, "not an address" },
	{ vexpress, "16M@0x68000000-x", 0, 0, "not an address" },
	{ vexpress, "16M@0x68000000-0x69000000-", 0, 0, "not an address" },
	{ vexpress, "64M@0-4G", 0x7c000000, 64, "" },
	{ vexpress, "64M@0-0x70000000", 0x6c000000, 64, "" },
	{ vexpress, "64M@0x10000000-0x70000001", 0x6c000000, 64, "" },
	{ vexpress, "64M@0-0x62000000", 0, 0, "crosses the limit at 0x62000000" VEXPRESS },
	{ vexpress, "64M@0-0x50000000", 0, 0, "no aligned RAM in 0x00000000-0x4fffffff" VEXPRESS },
	{ vexpress, "64M@0x80000000-0x90000000", 0, 0, "0x80000000 is outside of RAM" VEXPRESS },
	{ vexpress, "16M@0x80000000-0x81000000", 0, 0, "0x80000000 is outside of RAM" VEXPRESS },
	{ vexpress, "16M@0x168000000-0x169000000", 0, 0, "0x168000000 is outside of RAM" VEXPRESS },
	{ highmem, "16M@0x7f800000-0x80800000", 0, 0, LOW_END HIGHMEM },
	{ highmem, "16M@0x7f800000-0x90000000", 0x80000000, 16, LOW_END },
	{ highmem, "16M@0-4G", 0x7f000000, 16, "" },
	{ highmem, "16M@0x9f800000-0xa0800000", 0, 0, "RAM ends at 0x9fffffff" HIGHMEM },
	{ banks, "4M@0x71000000-0x71400000", 0, 0, "0x71000000-0x71001fff is in use" BANKS },
	{ banks, "4M@0x72000000-0x72400000", 0, 0, "0x72000000-0x72000fff is in use" BANKS },
	{ high, "16M@0x80000000-0xdf000000", 0xde000000, 16, "" },
	{ high, "16M@0xdf000000-0xe0000000", 0xdf000000, 16, "" },
	{ high, "896M@0xd0000000-0x108000000", 0, 0, "RAM ends at 0xdfffffff" HIGH },
	{ high, "896M@0xd0000000", 0, 0, "RAM ends at 0xdfffffff" HIGH },
#ifdef CONFIG_PHYS_ADDR_T_64BIT
	{ lpae, "16M", 0x9f000000, 16, "" },
	{ lpae, "16M@0x208000000", 0x208000000, 16, "" },
	{ lpae, "16M@0x210000000", 0x210400000, 16, "0x210001000-0x210002fff is in use" },
	{ lpae, "16M@8448M-0x211000000", 0, 0, "0x210001000-0x210002fff is in use" LPAE },
	{ lpae, "16M@0x21f800000", 0, 0, "RAM ends at 0x21fffffff" LPAE },
	{ lpae, "16M@0x180000000", 0, 0, "0x180000000 is outside of RAM" LPAE },
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
	REQUIRE_EQ(host_early_cma(arg), 0);
	memset(arg, 'x', sizeof(arg));	/* the command line is discarded */
	dma_contiguous_reserve(0);

	if (!r->end)
		snprintf(line, sizeof(line), "cma: no area (cma=%s)\n", r->arg);
	else if (r->percent_kib)
		snprintf(line, sizeof(line), "cma: cma=%s (%lu KiB): %s; no area\n", r->arg,
			 r->percent_kib, r->end);
	else if (!r->base)
		snprintf(line, sizeof(line), "cma: cma=%s: %s; no area\n", r->arg, r->end);
	else if (!strchr(r->arg, '@'))
		snprintf(line, sizeof(line), "cma: reserved %lu KiB at 0x%08llx\n",
			 r->size_mib << 10, r->base);
	else
		snprintf(line, sizeof(line), "cma: reserved %lu KiB at 0x%08llx (cma=%s%s%s)\n",
			 r->size_mib << 10, r->base, r->arg, *r->end ? ": " : "", r->end);
	REQUIRE_STREQ(host.log, line);
	REQUIRE(strlen(line) <= LINE_MAX_LEN);
	check_place(dma_contiguous_default_area, nr_reserved, r->base, r->size_mib);
}

/* Is there an area if @kib KiB are asked for at @base and nowhere else? */
static bool is_possible(void (*machine)(void), unsigned long long kib, unsigned long long base)
{
	char arg[64];

	host_reset();
	dma_contiguous_default_area = NULL;
	machine();
	snprintf(arg, sizeof(arg), "%lluK@%#llx-%#llx", kib, base, base + (kib << 10));
	host_early_cma(arg);
	dma_contiguous_reserve(0);
	return !!dma_contiguous_default_area;
}

TEST(largest, "the largest free range of each message can be an area; nothing larger can")
{
	unsigned long long kib, base, addr, end;
	const struct row *r;
	const char *text;

	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		text = r->end ? strstr(r->end, LARGEST_TEXT) : NULL;
		if (!text)
			continue;
		kib = strtoull(text + strlen(LARGEST_TEXT), NULL, 10);
		base = strtoull(strstr(text, "0x"), NULL, 16);
		REQUIRE(is_possible(r->machine, kib, base), "cma=%s", r->arg);
		host_reset();
		r->machine();
		/* A request without an address is only for low memory */
		end = strchr(r->arg, '@') ? memblock_end_of_DRAM() :
		      min(memblock_end_of_DRAM(), memblock.current_limit);
		kib += 4096;
		for (addr = host.memory[0].base; addr + (kib << 10) <= end; addr += 4 * MIB)
			REQUIRE(!memblock_is_region_memory(addr, kib << 10) ||
				memblock_is_region_reserved(addr, kib << 10) ||
				!is_possible(r->machine, kib, addr), "cma=%s: %llu KiB at %#llx",
				r->arg, kib, addr);
	}
}

TEST(argument_last, "the last cma= counts")
{
	vexpress();
	REQUIRE_EQ(host_early_cma("garbage"), 0);
	REQUIRE_EQ(host_early_cma("16M@0x60000000-0x70000000"), 0);
	REQUIRE_EQ(host_early_cma("8M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 8192 KiB at 0x7f800000\n");
	dma_contiguous_reserve(0);
	check_place(dma_contiguous_default_area, 3, 0x7f800000, 8);
}

TEST(argument_none, "\"cma\" without a value is not a size")
{
	vexpress();
	REQUIRE_EQ(host_early_cma(NULL), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: cma=: not a size; no area\n");
	check_place(dma_contiguous_default_area, 3, 0, 0);
}

TEST(argument_long, "an argument that is too long is truncated in the message only")
{
	char arg[100], line[200];

	vexpress();
	snprintf(arg, sizeof(arg), "%080d16M@0x60000000", 0);
	REQUIRE_EQ(host_early_cma(arg), 0);
	dma_contiguous_reserve(0);
	snprintf(line, sizeof(line), "cma: reserved 16384 KiB at 0x60800000 (cma=%047d: %s)\n", 0,
		 TABLES);
	REQUIRE_STREQ(host.log, line);
}

TEST(at_zero, "an area can start at address 0")
{
	host_memory(0, 64 * MIB);
	REQUIRE_EQ(host_early_cma("16M@0"), 0);
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
	REQUIRE_EQ(host_early_cma("16M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 16384 KiB at 0x00000000\n");
}

TEST(all_but_16, "an area can take all memory but 16 MiB")
{
	host_memory(0, 64 * MIB);
	REQUIRE_EQ(host_early_cma("75%"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 49152 KiB at 0x01000000\n");
}

TEST(all_but_12, "an area cannot take all memory but 12 MiB")
{
	host_memory(0, 64 * MIB);
	REQUIRE_EQ(host_early_cma("52M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: cma=52M: size is too large, 16384 KiB of 65536 KiB "
		      "have to be left" LARGEST(49152, 0x01000000) "; no area\n");
}

TEST(limit, "the limit of the architecture applies unless a base is given")
{
	vexpress();
	REQUIRE_EQ(host_early_cma("16M"), 0);
	dma_contiguous_reserve(0x68000000);
	check_place(dma_contiguous_default_area, 3, 0x67000000, 16);
}

TEST(limit_low, "no free range below the limit: no area")
{
	vexpress();
	REQUIRE_EQ(host_early_cma("64M"), 0);
	dma_contiguous_reserve(0x62400000);
	REQUIRE_STREQ(host.log, "cma: cma=64M: crosses the end of the memory that all devices "
		      "reach at 0x62400000" LARGEST(24576, 0x60800000) "; no area\n");
	check_place(dma_contiguous_default_area, 3, 0, 0);
}

TEST(limit_base, "a base that is given may be above the limit")
{
	vexpress();
	REQUIRE_EQ(host_early_cma("16M@0x70000000"), 0);
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
	REQUIRE_EQ(host_early_cma(limits[row].arg), 0);
	dma_contiguous_reserve(limits[row].limit);
	check_place(dma_contiguous_default_area, 2, limits[row].base, limits[row].size_mib);
}

TEST(limit_border, "an area does not cross the limit, where a zone may end")
{
	vexpress();
	REQUIRE_EQ(host_early_cma("16M@0x67800000"), 0);
	dma_contiguous_reserve(0x68000000);
	REQUIRE_STREQ(host.log, "cma: reserved 16384 KiB at 0x68000000 (cma=16M@0x67800000: "
		      "crosses the end of the memory that all devices reach at 0x68000000)\n");
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
	REQUIRE_EQ(host_early_cma("40M"), 0);
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
	REQUIRE(CONFIG_MIB ? !!strstr(host.log, "K: 0x62400000-0x7fffffff is in use, "
				      "no range is free; no area\n") : !*host.log);
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
	{ "in use", 8 << 20, 0x60000000, 0, -EBUSY, 0, KERNEL OTHERS HIGHMEM },
	{ "outside of RAM", 8 << 20, 0x40000000, 0, -EBUSY, 0,
	  "0x40000000 is outside of RAM" HIGHMEM },
	{ "behind RAM", 8 << 20, 0xa0000000, 0, -EBUSY, 0, "0xa0000000 is outside of RAM" HIGHMEM },
	{ "end behind RAM", 8 << 20, 0x9fc00000, 0, -EBUSY, 0,
	  "RAM ends at 0x9fffffff" HIGHMEM },
	{ "end behind 4 GiB", 0xc0000000, 0x90000000, 0, -EBUSY, 0,
	  "RAM ends at 0x9fffffff" HIGHMEM },
	{ "over the end of low memory", 8 << 20, 0x7fc00000, 0, -EBUSY, 0,
	  LOW_END HIGHMEM },
	{ "high memory", 8 << 20, 0x90000000, 0, 0, 0x90000000, NULL },
	{ "too large", 768 << 20, 0, 0, -ENOMEM, 0,
	  LOW_END LOWMEM },
	{ "much too large", 0xf0000000, 0, 0, -ENOMEM, 0,
	  LOW_END LOWMEM },
	{ "no room below the limit", 32 << 20, 0, 0x62000000, -ENOMEM, 0,
	  KERNEL OTHERS LARGEST(24576, 0x60800000) },
	{ "no RAM of this size below the limit", 64 << 20, 0, 0x62000000, -ENOMEM, 0,
	  "crosses the limit at 0x62000000" LARGEST(24576, 0x60800000) },
	{ "no RAM below the limit", 8 << 20, 0, 0x60000000, -ENOMEM, 0,
	  "no aligned RAM in 0x00000000-0x5fffffff, no range is free" },
	{ "too little left", 504 << 20, 0, 0, -ENOSPC, 0,
	  "less than 8 MiB of low memory would be left" LOWMEM },
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
	REQUIRE(strlen(line) <= LINE_MAX_LEN);
	check_place(dev.cma_area, 2, r->place, 8);
	REQUIRE(!dma_contiguous_default_area);
}

TEST(declare_many, "CONFIG_CMA_AREAS areas of devices are possible beside the default one")
{
	struct device dev[CONFIG_CMA_AREAS] = { }, one_more = { };
	unsigned int i;

	vexpress();
	REQUIRE_EQ(host_early_cma("16M"), 0);
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

TEST(declare_twice, "an area cannot be where another one is")
{
	struct device dev = { };

	vexpress();
	REQUIRE_EQ(host_early_cma("16M@0x68000000"), 0);
	dma_contiguous_reserve(0);
	host.log[0] = 0;
	REQUIRE_EQ(dma_declare_contiguous(&dev, 8 * MIB, 0x68800000, 0), -EBUSY);
	REQUIRE_STREQ(host.log, "cma: dma_declare_contiguous(0x00800000, 0x68800000): "
		      "0x68000000-0x68ffffff is in use by another area"
		      LARGEST(376832, 0x69000000) "; no area\n");
}

/* From the command line to a buffer */
static void boot(void)
{
	unsigned int i;

	vexpress();
	REQUIRE_EQ(host_early_cma("8M@0x60000000"), 0);
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
	REQUIRE_EQ(host_early_cma("16M"), 0);
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: cma=16M: memblock has no room for it; no area\n");
	REQUIRE(!dma_contiguous_default_area);
	REQUIRE(!dma_alloc_from_contiguous(NULL, 1, 0));
}

/* Named areas, devices, the reserve and needs */

static int param(int (*parse)(char *arg), const char *text)
{
	char arg[256];
	int ret;

	snprintf(arg, sizeof(arg), "%s", text);
	ret = parse(arg);
	memset(arg, 'x', sizeof(arg));	/* the command line is discarded */
	return ret;
}

static const struct param_row {
	const char *areas[3];
	const char *devs[2];
	const char *reserve;
	const char *log;
} param_rows[] = {
	/* Areas */
	{ { "camera,32M" }, { }, NULL,
	  "cma: reserved 32768 KiB at 0x7d000000 (cma_area=camera,32M)\n" },
	{ { "camera,32M,exclusive" }, { }, NULL,
	  "cma: reserved 32768 KiB at 0x7d000000 (cma_area=camera,32M,exclusive)\n" },
	{ { "camera,5M@0x68000000" }, { }, NULL,
	  "cma: reserved 8192 KiB at 0x68000000 (cma_area=camera,5M@0x68000000)\n" },
	{ { "a,10%" }, { }, NULL, "cma: reserved 53248 KiB at 0x7bc00000 (cma_area=a,10%)\n" },
	{ { "a,16M", "B-2_c,8M", "c,4M" }, { }, NULL,
	  "cma: reserved 16384 KiB at 0x7e000000 (cma_area=a,16M)\n"
	  "cma: reserved 8192 KiB at 0x7d800000 (cma_area=B-2_c,8M)\n"
	  "cma: reserved 4096 KiB at 0x7d400000 (cma_area=c,4M)\n" },
	{ { "a,16M@0x60000000" }, { }, NULL,
	  "cma: reserved 16384 KiB at 0x60800000 (cma_area=a,16M@0x60000000: " TABLES ")\n" },
	{ { "a,16M@0x68000000-0x68800000" }, { }, NULL,
	  "cma: cma_area=a,16M@0x68000000-0x68800000: range is smaller than the size"
	  VEXPRESS "; no area\n" },
	{ { "a,1G" }, { }, NULL,
	  "cma: cma_area=a,1G: size is too large, 16384 KiB of 524288 KiB have to be left"
	  LARGEST(471040, 0x62400000) "; no area\n" },
	{ { "a,100%,exclusive" }, { }, NULL,
	  "cma: cma_area=a,100%,exclusive (524288 KiB): size is too large, 16384 KiB of 524288 "
	  "KiB have to be left"
	  LARGEST(471040, 0x62400000) "; no area\n" },
	/* Malformed areas */
	{ { "" }, { }, NULL, "cma: cma_area=: not a name and a size; no area\n" },
	{ { "32M" }, { }, NULL, "cma: cma_area=32M: not a name and a size; no area\n" },
	{ { ",32M" }, { }, NULL, "cma: cma_area=,32M: a name is missing; no area\n" },
	{ { "a," }, { }, NULL, "cma: cma_area=a,: not a size; no area\n" },
	{ { "a,0" }, { }, NULL, "cma: cma_area=a,0: not a size; no area\n" },
	{ { "a,0%" }, { }, NULL, "cma: cma_area=a,0%: not a size; no area\n" },
	{ { "a,auto" }, { }, NULL, "cma: cma_area=a,auto: not a size; no area\n" },
	{ { "a,big" }, { }, NULL, "cma: cma_area=a,big: not a size; no area\n" },
	{ { "a,8M@" }, { }, NULL, "cma: cma_area=a,8M@: not an address; no area\n" },
	{ { "a,8M,held" }, { }, NULL,
	  "cma: reserved 8192 KiB at 0x7e800000 (cma_area=a,8M,held)\n" },
	{ { "a,8M,shared" }, { }, NULL,
	  "cma: cma_area=a,8M,shared: not \"exclusive\" or \"held\"; no area\n" },
	{ { "a,8M," }, { }, NULL, "cma: cma_area=a,8M,: not \"exclusive\" or \"held\"; no area\n" },
	{ { "a,8M,exclusive,exclusive" }, { }, NULL,
	  "cma: cma_area=a,8M,exclusive,exclusive: not \"exclusive\" or \"held\"; no area\n" },
	{ { "a/b,8M" }, { }, NULL, "cma: cma_area=a/b,8M: not a name; no area\n" },
	{ { "a:b,8M" }, { }, NULL, "cma: cma_area=a:b,8M: not a name; no area\n" },
	{ { "..,8M" }, { }, NULL, "cma: cma_area=..,8M: not a name; no area\n" },
	{ { "reserved,8M" }, { }, NULL,
	  "cma: cma_area=reserved,8M: the name is used already; no area\n" },
	{ { "system,8M" }, { }, NULL,
	  "cma: cma_area=system,8M: the name is used already; no area\n" },
	{ { "default_cma_region,8M" }, { }, NULL,
	  "cma: cma_area=default_cma_region,8M: the name is used already; no area\n" },
	{ { "a,8M", "a,8M" }, { }, NULL, "cma: cma_area=a,8M: the name is used already; no area\n"
	  "cma: reserved 8192 KiB at 0x7e800000 (cma_area=a,8M)\n" },
	{ { "a123456789012345678901234567890,8M" }, { }, NULL,
	  "cma: reserved 8192 KiB at 0x7e800000 (cma_area=a123456789012345678901234567890,8M)\n" },
	{ { "a1234567890123456789012345678901,8M" }, { }, NULL,
	  "cma: cma_area=a1234567890123456789012345678901,8M: a name is too long; no area\n" },
	/* Devices */
	{ { "a,8M" }, { "mb:clcd:a" }, NULL,
	  "cma: reserved 8192 KiB at 0x7e800000 (cma_area=a,8M)\n"
	  "cma: device mb:clcd uses area a\n" },
	{ { }, { "cam*:reserved" }, NULL, "cma: device cam* uses area reserved\n" },
	{ { }, { "cam*:a" }, NULL, "cma: cma_dev=cam*:a: no such area; ignored\n" },
	{ { "a,1G" }, { "cam:a" }, NULL,
	  "cma: cma_area=a,1G: size is too large, 16384 KiB of 524288 KiB have to be left"
	  LARGEST(471040, 0x62400000) "; no area\ncma: cma_dev=cam:a: no such area; ignored\n" },
	{ { }, { "" }, NULL, "cma: cma_dev=: not a device and an area; ignored\n" },
	{ { }, { "camera" }, NULL, "cma: cma_dev=camera: not a device and an area; ignored\n" },
	{ { }, { ":reserved" }, NULL, "cma: cma_dev=:reserved: a name is missing; ignored\n" },
	{ { }, { "camera:" }, NULL, "cma: cma_dev=camera:: a name is missing; ignored\n" },
	{ { }, { "a1234567890123456789012345678901:reserved" }, NULL,
	  "cma: cma_dev=a1234567890123456789012345678901:reserved: a name is too long; ignored\n" },
	/* The reserve */
	{ { }, { }, "1M:mmci",
	  "cma: 1024 KiB of the default area are a reserve (cma_reserve=1M:mmci)\n" },
	{ { }, { }, "1:mb:mmci,usb?",
	  "cma: 4 KiB of the default area are a reserve (cma_reserve=1:mb:mmci,usb?)\n" },
	{ { }, { }, "16380K:*",
	  "cma: 16380 KiB of the default area are a reserve (cma_reserve=16380K:*)\n" },
	{ { }, { }, "16381K:*",
	  "cma: cma_reserve=16381K:*: not smaller than the default area; no reserve\n" },
	{ { }, { }, "16M:*",
	  "cma: cma_reserve=16M:*: not smaller than the default area; no reserve\n" },
	{ { }, { }, "18014398509481983K:*",
	  "cma: cma_reserve=18014398509481983K:*: not smaller than the default area; no "
	  "reserve\n" },
	{ { }, { }, "99999999999999999999G:*",
	  "cma: cma_reserve=99999999999999999999G:*: not a size; no reserve\n" },
	{ { }, { }, "", "cma: cma_reserve=: not a size; no reserve\n" },
	{ { }, { }, "0:a", "cma: cma_reserve=0:a: not a size; no reserve\n" },
	{ { }, { }, "-1M:a", "cma: cma_reserve=-1M:a: not a size; no reserve\n" },
	{ { }, { }, "10%:a", "cma: cma_reserve=10%:a: not a size; no reserve\n" },
	{ { }, { }, "1MB:a", "cma: cma_reserve=1MB:a: not a size; no reserve\n" },
	{ { }, { }, "1M", "cma: cma_reserve=1M: no device is listed; no reserve\n" },
	{ { }, { }, "1M:", "cma: cma_reserve=1M:: a name is missing; no reserve\n" },
	{ { }, { }, "1M:a,", "cma: cma_reserve=1M:a,: a name is missing; no reserve\n" },
	{ { }, { }, "1M:a,,b", "cma: cma_reserve=1M:a,,b: a name is missing; no reserve\n" },
	{ { }, { }, "1M:1,2,3,4,5,6,7,8",
	  "cma: 1024 KiB of the default area are a reserve (cma_reserve=1M:1,2,3,4,5,6,7,8)\n" },
	{ { }, { }, "1M:1,2,3,4,5,6,7,8,9",
	  "cma: cma_reserve=1M:1,2,3,4,5,6,7,8,9: too many devices; no reserve\n" },
};

static const char *param_name(size_t row)
{
	const struct param_row *r = &param_rows[row];
	static char name[128];

	snprintf(name, sizeof(name), "%s %s %s (row %zu)", r->areas[0] ? r->areas[0] : "",
		 r->devs[0] ? r->devs[0] : "", r->reserve ? r->reserve : "", row);
	return name;
}

static void machine_with_areas(const char *cma)
{
	vexpress();
	REQUIRE_EQ(param(host_early_cma, cma), 0);
}

TEST_TABLE(params, "cma_area, cma_dev, cma_reserve", ARRAY_SIZE(param_rows), param_name)
{
	const struct param_row *r = &param_rows[row];
	char first[] = "cma: reserved 16384 KiB at 0x7f000000\n";
	char *line, *next;
	unsigned int i;

	machine_with_areas("16M");
	for (i = 0; i < ARRAY_SIZE(r->areas) && r->areas[i]; i++)
		REQUIRE_EQ(param(host_early_cma_area, r->areas[i]), 0);
	for (i = 0; i < ARRAY_SIZE(r->devs) && r->devs[i]; i++)
		REQUIRE_EQ(param(host_early_cma_dev, r->devs[i]), 0);
	if (r->reserve)
		REQUIRE_EQ(param(host_early_cma_reserve, r->reserve), 0);
	dma_contiguous_reserve(0);

	/* Without the line of the default area, which is where it is without the others */
	line = strstr(host.log, first);
	REQUIRE(line, "%s", host.log);
	memmove(line, line + strlen(first), strlen(line + strlen(first)) + 1);
	REQUIRE_STREQ(host.log, r->log);
	for (line = host.log; (next = strchr(line, '\n')); line = next + 1)
		REQUIRE(next - line < LINE_MAX_LEN);
}

TEST(params_none, "parameters without a value are malformed")
{
	vexpress();
	REQUIRE_EQ(host_early_cma_area(NULL), 0);
	REQUIRE_EQ(host_early_cma_dev(NULL), 0);
	REQUIRE_EQ(host_early_cma_reserve(NULL), 0);
	REQUIRE_STREQ(host.log, "cma: cma_area=: not a name and a size; no area\n"
		      "cma: cma_dev=: not a device and an area; ignored\n"
		      "cma: cma_reserve=: not a size; no reserve\n");
}

TEST(params_long, "arguments that are too long are rejected, and truncated in the message")
{
	char arg[200];

	vexpress();
	snprintf(arg, sizeof(arg), "a,%0126d", 1);
	REQUIRE_EQ(param(host_early_cma_area, arg), 0);
	REQUIRE(strstr(host.log, "0: too long; no area\n"));
	snprintf(arg, sizeof(arg), "%0130d:a", 1);
	REQUIRE_EQ(param(host_early_cma_reserve, arg), 0);
	REQUIRE(strstr(host.log, "0: too long; no reserve\n"));
	REQUIRE_EQ(param(host_early_cma_dev, arg), 0);
	REQUIRE(strstr(host.log, "0: a name is too long; ignored\n"));
}

TEST(params_many, "as many areas and devices as there is room for")
{
	char arg[32];
	unsigned int i;

	machine_with_areas("0");
	for (i = 0; i < MAX_CMA_AREAS; i++) {
		snprintf(arg, sizeof(arg), "a%u,4M", i);
		param(host_early_cma_area, arg);
	}
	REQUIRE_STREQ(host.log, "");
	param(host_early_cma_area, "more,4M");
	REQUIRE_STREQ(host.log, "cma: cma_area=more,4M: too many areas; no area\n");
	host.log[0] = 0;
	for (i = 0; i < 16; i++) {
		snprintf(arg, sizeof(arg), "dev%u:a%u", i, i % 8);
		param(host_early_cma_dev, arg);
	}
	REQUIRE_STREQ(host.log, "");
	param(host_early_cma_dev, "dev16:a0");
	REQUIRE_STREQ(host.log, "cma: cma_dev=dev16:a0: too many devices; ignored\n");
	dma_contiguous_reserve(0);
	REQUIRE_EQ(cma_area_count, MAX_CMA_AREAS);
	for (i = 0; i < 16; i++) {
		struct device dev = { NULL, arg };

		snprintf(arg, sizeof(arg), "dev%u", i);
		REQUIRE(dev_get_cma_area(&dev) == &cma_areas[i % 8]);
	}
}

TEST(params_no_default, "without a default area there is no reserve, but other areas")
{
	machine_with_areas("0");
	param(host_early_cma_area, "a,8M");
	param(host_early_cma_reserve, "1M:disk");
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: no area (cma=0)\n"
		      "cma: reserved 8192 KiB at 0x7f800000 (cma_area=a,8M)\n"
		      "cma: cma_reserve=1M:disk: there is no default area; no reserve\n");
	REQUIRE(!cma_has_reserve);
}

TEST(params_order, "an area with an address comes before the default area")
{
	machine_with_areas("16M");
	param(host_early_cma_area, "low,8M");
	param(host_early_cma_area, "top,8M@0x7f800000");
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log,
		      "cma: reserved 8192 KiB at 0x7f800000 (cma_area=top,8M@0x7f800000)\n"
		      "cma: reserved 16384 KiB at 0x7e800000\n"
		      "cma: reserved 8192 KiB at 0x7e000000 (cma_area=low,8M)\n");
}

TEST(params_board, "a name of an area of board code cannot be used again, but assigned")
{
	struct device dev = { NULL, "camera" };

	machine_with_areas("16M");
	REQUIRE_EQ(dma_declare_contiguous_exclusive(&dev, 8 * MIB, 0x68000000, 0), 0);
	REQUIRE(cma_is_exclusive(dev.cma_area));
	REQUIRE_EQ(dma_declare_contiguous_exclusive(&dev, 0, 0, 0), -EINVAL);
	host.log[0] = 0;
	param(host_early_cma_area, "cma1,8M");
	param(host_early_cma_dev, "codec:cma1");
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "cma: reserved 16384 KiB at 0x7f000000\n"
		      "cma: cma_area=cma1,8M: the name is used already; no area\n"
		      "cma: device codec uses area cma1\n");
}

static const struct {
	const char *pattern, *name;
	bool match;
} patterns[] = {
	{ "camera", "camera", true },
	{ "camera", "camera2", false },
	{ "camera", "camer", false },
	{ "camera", "", false },
	{ "*", "", true },
	{ "*", "anything", true },
	{ "cam*", "cam", true },
	{ "cam*", "camera.0", true },
	{ "cam*", "ca", false },
	{ "*.0", "camera.0", true },
	{ "*.0", "camera.0.0", true },
	{ "*.0", "camera.01", false },
	{ "c*m*0", "camera.0", true },
	{ "c*m*0", "camera.1", false },
	{ "**a", "camera", true },
	{ "camera.?", "camera.0", true },
	{ "camera.?", "camera.", false },
	{ "camera.?", "camera.10", false },
	{ "*?", "a", true },
	{ "?*?", "a", false },
	{ "mb:mmci", "mb:mmci", true },
};

static const char *pattern_name(size_t row)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s and %s", patterns[row].pattern, patterns[row].name);
	return name;
}

TEST_TABLE(pattern, "patterns of devices", ARRAY_SIZE(patterns), pattern_name)
{
	struct device dev = { NULL, patterns[row].name };
	char arg[64];

	machine_with_areas("16M");
	param(host_early_cma_area, "a,8M");
	snprintf(arg, sizeof(arg), "%s:a", patterns[row].pattern);
	param(host_early_cma_dev, arg);
	snprintf(arg, sizeof(arg), "1M:xyz,%s", patterns[row].pattern);
	param(host_early_cma_reserve, arg);
	REQUIRE(!dev_get_cma_area(&dev));
	dma_contiguous_reserve(0);
	REQUIRE_EQ(dev_get_cma_area(&dev) != dma_contiguous_default_area, patterns[row].match);
	REQUIRE_EQ(cma_may_use_reserve(&dev), patterns[row].match);
}

TEST(rules, "the first cma_dev= that matches counts, also for a device with a private area")
{
	struct device dev = { NULL, "camera" }, other = { NULL, "codec" }, unnamed = { };

	machine_with_areas("16M");
	REQUIRE_EQ(dma_declare_contiguous(&dev, 4 * MIB, 0, 0), 0);
	param(host_early_cma_area, "a,8M,exclusive");
	param(host_early_cma_area, "b,8M");
	param(host_early_cma_dev, "camera:none");
	param(host_early_cma_dev, "cam*:a");
	param(host_early_cma_dev, "camera:b");
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(cma_get_name(dev_get_cma_area(&dev)), "a");
	REQUIRE(cma_is_exclusive(dev_get_cma_area(&dev)));
	REQUIRE_STREQ(cma_get_name(dev_get_cma_area(&other)), "reserved");
	REQUIRE(!cma_is_exclusive(dev_get_cma_area(&other)));
	REQUIRE_STREQ(cma_get_name(dev_get_cma_area(&unnamed)), "reserved");
	REQUIRE_STREQ(cma_get_name(dev_get_cma_area(NULL)), "reserved");
	/* An area that could not be activated */
	dev_get_cma_area(&dev)->count = 0;
	REQUIRE_STREQ(cma_get_name(dev_get_cma_area(&dev)), "cma1");
}

TEST(reserve_kept, "others cannot use up the reserve, and listed devices can use everything")
{
	struct device dev = { NULL, "player" }, disk = { NULL, "disk" };
	unsigned int i, kept = 0;
	struct page *page;

	param(host_early_cma_reserve, "1M:disk");
	boot();	/* 8 MiB */
	while (dma_alloc_from_contiguous(&dev, 1, 0))
		kept++;
	REQUIRE_EQ(kept, 2048 - 256);
	REQUIRE(!cma_try_alloc_for(&dev, dev_get_cma_area(&dev), 1, 0));
	REQUIRE(!dma_alloc_from_contiguous(NULL, 1, 0));
	for (i = 0; i < 3; i++) {
		page = dma_alloc_from_contiguous(&disk, 256, 8);
		REQUIRE(page);
		REQUIRE(!dma_alloc_from_contiguous(&disk, 1, 0));
		REQUIRE(dma_release_from_contiguous(&disk, page, 256));
	}
	page = cma_try_alloc_for(&disk, dev_get_cma_area(&disk), 256, 8);
	REQUIRE(page);
	REQUIRE(dma_release_from_contiguous(&disk, page, 256));
}

TEST(area_held, "a held area is for its devices only, and its pages for nobody else")
{
	struct device dev = { NULL, "camera" };
	struct page *page;
	struct cma *cma;

	machine_with_areas("0");
	param(host_early_cma_area, "a,8M,held");
	param(host_early_cma_dev, "camera:a");
	dma_contiguous_reserve(0);
	cma = dev_get_cma_area(&dev);
	REQUIRE(cma_is_exclusive(cma));
	host_pages(cma->base_pfn, cma->count);
	REQUIRE_EQ(host_core_initcall(), 0);
	REQUIRE_EQ(host_nr(PAGE_OWNED), cma->count);
	REQUIRE_EQ(totalcma_pages, 0);
	page = dma_alloc_from_contiguous(&dev, 2048, 0);
	REQUIRE_EQ(page_to_pfn(page), cma->base_pfn);
	REQUIRE(!dma_alloc_from_contiguous(&dev, 1, 0));
	REQUIRE(dma_release_from_contiguous(&dev, page, 2048));
	page = cma_try_alloc_for(&dev, cma, 2048, 0);
	REQUIRE(page);
	REQUIRE(dma_release_from_contiguous(&dev, page, 2048));
	host_check_area(cma);
}

TEST(reserve_whole, "others cannot take or split the reserve with large buffers")
{
	struct device dev = { NULL, "player" }, disk = { NULL, "disk" };
	struct page *page;

	param(host_early_cma_reserve, "1M:disk");
	boot();
	REQUIRE(!dma_alloc_from_contiguous(&dev, 2048 - 255, 0));
	page = dma_alloc_from_contiguous(&dev, 2048 - 256, 0);
	REQUIRE_EQ(page_to_pfn(page), 0x60800);
	REQUIRE(dma_release_from_contiguous(&dev, page, 2048 - 256));
	page = dma_alloc_from_contiguous(&dev, 65, 0);
	REQUIRE_EQ(page_to_pfn(page), 0x60800 + 2048 - 256 - 65);
	REQUIRE(dma_release_from_contiguous(&dev, page, 65));
	/* A listed device has both, but no buffer that is in both */
	REQUIRE(!dma_alloc_from_contiguous(&disk, 2048 - 255, 0));
	page = dma_alloc_from_contiguous(&disk, 2048 - 256, 0);
	REQUIRE_EQ(page_to_pfn(page), 0x60800);
	REQUIRE(dma_alloc_from_contiguous(&disk, 256, 8));
	REQUIRE(dma_release_from_contiguous(&disk, page, 2048 - 256));
	host_check_area(dma_contiguous_default_area);
}

static const struct need_row {
	const char *name, *arg;
	struct { const char *name; unsigned long kib; unsigned int count; } needs[3];
	const char *reserve, *dev;
	const char *log;
} need_rows[] = {
	{ "the sum, a margin of an eighth, rounded up",
	  "auto", { { "camera", 8192, 4 }, { "lcd", 3000, 2 } },
	  NULL, NULL,
	  "cma: cma=auto: 4 x 8192 KiB for camera\ncma: cma=auto: 2 x 3072 KiB for lcd\n"
	  "cma: cma=auto: with 256 KiB for the atomic pool, a reserve of 0 KiB and a margin of "
	  "4896 KiB, 44064 KiB\n"
	  "cma: reserved 45056 KiB at 0x7d400000 (cma=auto)\n"
	  "cma: 39168 KiB are needed, the default area has 45056 KiB\n" },
	{ "alignment", "auto", { { "a", 4, 1 }, { "b", 12, 1 }, { "c", 1028, 1 } }, NULL, NULL,
	  "cma: cma=auto: 1 x 4 KiB for a\ncma: cma=auto: 1 x 16 KiB for b\ncma: cma=auto: 1 x "
	  "2048 KiB for c\n"
	  "cma: cma=auto: with 256 KiB for the atomic pool, a reserve of 0 KiB and a margin of "
	  "290 KiB, 2614 KiB\n"
	  "cma: reserved 4096 KiB at 0x7fc00000 (cma=auto)\n"
	  "cma: 2324 KiB are needed, the default area has 4096 KiB\n" },
	{ "a place", "auto@0x68000000", { { "a", 1024, 1 } }, NULL, NULL,
	  "cma: cma=auto: 1 x 1024 KiB for a\n"
	  "cma: cma=auto: with 256 KiB for the atomic pool, a reserve of 0 KiB and a margin of "
	  "160 KiB, 1440 KiB\n"
	  "cma: reserved 4096 KiB at 0x68000000 (cma=auto@0x68000000)\n"
	  "cma: 1280 KiB are needed, the default area has 4096 KiB\n" },
	{ "a reserve is added to what its devices need",
	  "auto", { { "a", 1024, 1 }, { "disk", 512, 1 } },
	  "2M:disk", NULL,
	  "cma: cma=auto: 1 x 1024 KiB for a\ncma: cma=auto: 1 x 512 KiB for disk\n"
	  "cma: cma=auto: with 256 KiB for the atomic pool, a reserve of 2048 KiB and a margin "
	  "of 480 KiB, 4320 KiB\n"
	  "cma: reserved 8192 KiB at 0x7f800000 (cma=auto)\n"
	  "cma: 2048 KiB of the default area are a reserve (cma_reserve=2M:disk)\n"
	  "cma: 3840 KiB are needed, the default area has 8192 KiB\n" },
	{ "a device with another area", "auto", { { "camera", 8192, 4 }, { "lcd", 1024, 2 } }, NULL,
	  "cam*:a",
	  "cma: cma=auto: 2 x 1024 KiB for lcd\n"
	  "cma: cma=auto: with 256 KiB for the atomic pool, a reserve of 0 KiB and a margin of "
	  "288 KiB, 2592 KiB\n"
	  "cma: reserved 4096 KiB at 0x7fc00000 (cma=auto)\n"
	  "cma: reserved 8192 KiB at 0x7f400000 (cma_area=a,8M)\n"
	  "cma: device cam* uses area a\n"
	  "cma: 2304 KiB are needed, the default area has 4096 KiB\n" },
	{ "too much", "auto", { { "a", 1024 << 10, 4 } }, NULL, NULL,
	  "cma: cma=auto: 4 x 1048576 KiB for a\n"
	  "cma: cma=auto: with 256 KiB for the atomic pool, a reserve of 0 KiB and a margin of "
	  "524320 KiB, 4718880 KiB\n"
	  "cma: cma=auto: " TOO_LARGE "; no area\n"
	  "cma: 4194560 KiB are needed, the default area has only 0 KiB\n" },
	{ "not auto, enough", "16M", { { "a", 1024, 4 } }, NULL, NULL,
	  "cma: reserved 16384 KiB at 0x7f000000\n"
	  "cma: 4352 KiB are needed, the default area has 16384 KiB\n" },
	{ "not auto, too little", "16M", { { "a", 1024, 16 } }, NULL, NULL,
	  "cma: reserved 16384 KiB at 0x7f000000\n"
	  "cma: 16640 KiB are needed, the default area has only 16384 KiB\n" },
	{ "no needs, not auto", "16M", { }, NULL, NULL, "cma: reserved 16384 KiB at 0x7f000000\n" },
	{ "malformed", "auto%", { }, NULL, NULL, "cma: cma=auto%: not a size; no area\n" },
	{ "malformed", "automatic", { }, NULL, NULL, "cma: cma=automatic: not a size; no area\n" },
	{ "malformed", "auto@", { }, NULL, NULL, "cma: cma=auto@: not an address; no area\n" },
	{ "malformed", "Auto", { }, NULL, NULL, "cma: cma=Auto: not a size; no area\n" },
};

static const char *need_name(size_t row)
{
	return need_rows[row].name;
}

TEST_TABLE(need, "dma_contiguous_need, cma=auto", ARRAY_SIZE(need_rows), need_name)
{
	const struct need_row *r = &need_rows[row];
	unsigned int i;

	machine_with_areas(r->arg);
	for (i = 0; i < ARRAY_SIZE(r->needs) && r->needs[i].name; i++)
		REQUIRE_EQ(dma_contiguous_need(r->needs[i].name, (phys_addr_t)r->needs[i].kib << 10,
					       r->needs[i].count), 0);
	if (r->reserve)
		param(host_early_cma_reserve, r->reserve);
	if (r->dev) {
		param(host_early_cma_area, "a,8M");
		param(host_early_cma_dev, r->dev);
	}
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, r->log);
}

TEST(need_none, "cma=auto without needs: the size by Kconfig")
{
	static const char line[] =
		"cma: cma=auto: nobody has stated a need, the configured size is used\n";

	machine_with_areas("auto");
	dma_contiguous_reserve(0);
	REQUIRE(!strncmp(host.log, line, strlen(line)));
	if (CONFIG_MIB)
		check_place(dma_contiguous_default_area, 3, 0x80000000 - CONFIG_MIB * MIB,
			    CONFIG_MIB);
	else
		REQUIRE(strstr(host.log, "cma: no area (cma=auto)\n"));
}

TEST(need_rule, "a device needs the default area if the first cma_dev= that matches names it")
{
	machine_with_areas("auto");
	REQUIRE_EQ(dma_contiguous_need("camera", 1024 << 10, 2), 0);
	REQUIRE_EQ(dma_contiguous_need("cam2", 8192 << 10, 2), 0);
	param(host_early_cma_area, "a,8M");
	param(host_early_cma_dev, "camera:reserved");
	param(host_early_cma_dev, "cam*:a");
	dma_contiguous_reserve(0);
	REQUIRE(strstr(host.log, "cma: cma=auto: 2 x 1024 KiB for camera\n"));
	REQUIRE(!strstr(host.log, "for cam2\n"));
}

TEST(need_once, "needs and the reserve are settled once")
{
	machine_with_areas("16M");
	REQUIRE_EQ(dma_contiguous_need("a", 4096, 1), 0);
	param(host_early_cma_reserve, "1M:disk");
	dma_contiguous_reserve(0);
	host.log[0] = 0;
	dma_contiguous_reserve(0);
	REQUIRE_STREQ(host.log, "");
	REQUIRE(cma_has_reserve);
}

TEST(need_refused, "needs without a size or a count, and too many needs, are refused")
{
	unsigned int i;

	machine_with_areas("auto");
	REQUIRE_EQ(dma_contiguous_need("a", 0, 1), -EINVAL);
	REQUIRE_EQ(dma_contiguous_need("a", 4096, 0), -EINVAL);
	for (i = 0; i < 16; i++)
		REQUIRE_EQ(dma_contiguous_need("a", 4096, 1), 0);
	REQUIRE_EQ(dma_contiguous_need("b", 4096, 1), -ENOSPC);
	REQUIRE_STREQ(host.log, "cma: the need of b is ignored: too many needs\n");
}
