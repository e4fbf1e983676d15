// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory for DMA: reserving the default area and those of devices.
 *
 * The default area is reserved by the architecture.  Its size and place are set
 * with "cma=", or its size with Kconfig:
 *
 *	cma=SIZE		highest place below the architecture's limit
 *	cma=SIZE@BASE		at BASE or the lowest place above it
 *	cma=SIZE@BASE-END	within [BASE, END)
 *	cma=0			no default area
 *
 * SIZE may be a percentage of all memory.  Invalid or unsatisfiable requests
 * are rejected with one message, and the boot continues without an area.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <asm/dma-contiguous.h>

#include "cma.h"

#define ADDR_FMT	"0x%08llx"
#define NO_PLACE	(~0ULL)
/* The kernel does not boot with less memory than this outside of the area */
#define CMA_LEAVE	(16ULL << 20)
/* Free low memory to leave outside of an area, counted in steps of this size */
#define LOWMEM_LEAVE	(8ULL << 20)
#define LOWMEM_STEP	(1ULL << 20)
#define KIB(bytes)	((unsigned long long)(bytes) >> 10)

/* Area of all devices without a private one; NULL if it does not exist */
struct cma *dma_contiguous_default_area;
EXPORT_SYMBOL_GPL(dma_contiguous_default_area);

/*
 * Size and place that were asked for.  Addresses have 64 bits even where a
 * phys_addr_t has 32, so that values that are too large are not truncated.
 */
struct cma_request {
	u64	size;		/* bytes; percent if is_percent */
	u64	base;		/* lowest address, if has_base */
	u64	end;		/* limit of the area, exclusive, if has_end */
	bool	is_percent;
	bool	has_base;
	bool	has_end;
	const char *error;	/* why parsing failed, or NULL */
};

/* The argument of "cma=", for messages */
static char cma_arg[64] __initdata;
static struct cma_request cma_request __initdata;
static bool cma_arg_given __initdata;

/* End of the memory that all devices reach, a border of zones; 0 if none */
static u64 dma_limit __initdata;

/* Why a place was refused, for messages */
static char cma_reason[64] __initdata;

/*
 * Parse a number with an optional suffix K, M or G, and advance *s past it.
 * -EINVAL if there is no number, -ERANGE if it does not fit into 64 bits.
 */
static int __init parse_number(const char **s, u64 *number)
{
	const char *p = *s;
	unsigned int base = 10, shift = 0;
	u64 val = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	if (hex_to_bin(*p) < 0 || hex_to_bin(*p) >= base)
		return -EINVAL;

	for (; hex_to_bin(*p) >= 0 && hex_to_bin(*p) < base; p++) {
		if (val >> 56)
			return -ERANGE;
		val = val * base + hex_to_bin(*p);
	}

	if (*p == 'K' || *p == 'k')
		shift = 10;
	else if (*p == 'M' || *p == 'm')
		shift = 20;
	else if (*p == 'G' || *p == 'g')
		shift = 30;
	if (val > (~0ULL >> shift))
		return -ERANGE;

	*number = val << shift;
	*s = shift ? p + 1 : p;
	return 0;
}

/* Parse the argument of "cma=". Returns NULL, or what is wrong with it. */
static const char *__init parse_request(const char *s, struct cma_request *req)
{
	int ret = parse_number(&s, &req->size);

	if (ret)
		return ret == -ERANGE ? "size is too large" : "not a size";
	if (*s == '%') {
		req->is_percent = true;
		s++;
		if (req->size > 100)
			return "percentage over 100";
	}
	if (!*s)
		return NULL;
	if (*s++ != '@')
		return "not a size";

	ret = parse_number(&s, &req->base);
	if (ret)
		return ret == -ERANGE ? "outside of RAM" : "not an address";
	req->has_base = true;
	if (!*s)
		return NULL;
	if (*s++ != '-')
		return "not an address";

	if (parse_number(&s, &req->end) || *s)
		return "not an address";
	req->has_end = true;
	return req->end > req->base ? NULL : "END is not above BASE";
}

static int __init early_cma(char *arg)
{
	memset(&cma_request, 0, sizeof(cma_request));
	strlcpy(cma_arg, arg ? arg : "", sizeof(cma_arg));
	cma_request.error = parse_request(arg ? arg : "", &cma_request);
	cma_arg_given = true;
	return 0;
}
early_param("cma", early_cma);

static u64 __init percent_of_memory(u64 percent)
{
	return div_u64(memblock_phys_mem_size() * percent, 100);
}

/* Return the configured size of the default area in bytes */
static u64 __init config_size(void)
{
	u64 size = (u64)CMA_SIZE_MBYTES << 20;
	u64 part = percent_of_memory(CMA_SIZE_PERCENTAGE);

	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_PERCENTAGE))
		return part;
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MIN))
		return min(size, part);
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MAX))
		return max(size, part);
	return size;
}

/* Describe the first reserved memory in [base, end). False if there is none. */
static bool __init find_in_use(u64 base, u64 end)
{
	u64 first = round_down(base, PAGE_SIZE), last;

	while (first < end && !memblock_is_region_reserved(first, PAGE_SIZE))
		first += PAGE_SIZE;
	if (first >= end)
		return false;

	last = first;
	while (memblock_is_region_reserved(last + PAGE_SIZE, PAGE_SIZE))
		last += PAGE_SIZE;
	snprintf(cma_reason, sizeof(cma_reason),
		 ADDR_FMT "-" ADDR_FMT " is in use", first,
		 last + PAGE_SIZE - 1);
	return true;
}

static bool __init crosses(u64 base, u64 size, u64 border)
{
	return base < border && base + size > border;
}

/* Describe the border of zones within [base, base + size), NULL if none */
static const char *__init border_inside(u64 base, u64 size)
{
	if (crosses(base, size, dma_contiguous_lowmem_end()))
		return "crosses the end of low memory";
	if (crosses(base, size, dma_limit))
		return "crosses the end of the memory that all devices reach";
	return NULL;
}

/* Is this memory, and mapped?  Regions are either mapped as a whole or not. */
static bool __init is_memory(u64 base, u64 size)
{
	return base + size <= memblock_end_of_DRAM() &&
	       memblock_is_region_memory(base, size) &&
	       memblock_is_map_memory(base);
}

static bool __init is_free_memory(u64 base, u64 size)
{
	return is_memory(base, size) && !border_inside(base, size) &&
	       !memblock_is_region_reserved(base, size);
}

/* Return the lowest aligned place in [base, end), or NO_PLACE */
static u64 __init find_lowest(u64 base, u64 end, u64 size)
{
	u64 align = CMA_MIN_ALIGNMENT_BYTES;

	for (base = ALIGN(base, align); base + size <= end; base += align)
		if (is_free_memory(base, size))
			return base;

	return NO_PLACE;
}

/* Return the highest aligned place below end, or NO_PLACE */
static u64 __init find_highest(u64 end, u64 size)
{
	u64 align = CMA_MIN_ALIGNMENT_BYTES;
	u64 base;

	if (end < size)
		return NO_PLACE;
	for (base = (end - size) & ~(align - 1); base >= align; base -= align)
		if (is_free_memory(base, size))
			return base;

	return is_free_memory(base, size) ? base : NO_PLACE;
}

/*
 * Return the highest aligned place below end, or NO_PLACE, for a range whose
 * base is not memory, as in "cma=64M@0-4G", and therefore only a lower bound.
 */
static u64 __init find_inside(const struct cma_request *req, u64 end, u64 size)
{
	u64 place = find_highest(min(end, req->end), size);

	return place >= req->base ? place : NO_PLACE;
}

/* Return the reason why [base, base + size) cannot be an area */
static const char *__init why_not_there(u64 base, u64 size)
{
	if (!is_memory(base, size))
		return "outside of RAM";
	if (border_inside(base, size))
		return border_inside(base, size);
	if (find_in_use(base, base + size))
		return cma_reason;

	snprintf(cma_reason, sizeof(cma_reason),
		 "BASE and SIZE are not multiples of %llu KiB",
		 KIB(CMA_MIN_ALIGNMENT_BYTES));
	return cma_reason;
}

/*
 * Find a place for an area.  Returns NO_PLACE if there is none.  *why is set to
 * the reason for that, or for a place other than the requested one, or to NULL.
 */
static u64 __init place_area(const struct cma_request *req, u64 limit,
			     const char **why)
{
	u64 align = CMA_MIN_ALIGNMENT_BYTES;
	u64 size = ALIGN(req->size, align);
	u64 end = memblock_end_of_DRAM();
	u64 place;

	*why = NULL;
	if (!req->has_base) {
		place = find_highest(min(end, limit), size);
		if (place == NO_PLACE)
			*why = "no free range of this size";
		return place;
	}

	if (req->has_end && req->end - req->base < req->size) {
		*why = "range is smaller than the size";
		return NO_PLACE;
	}
	if (req->has_end && req->end - req->base > req->size &&
	    !memblock_is_memory(req->base)) {
		place = find_inside(req, req->base < limit ? min(end, limit) : end,
				    size);
		if (place == NO_PLACE)
			*why = req->base >= end ? "outside of RAM" :
			       "no free range of this size";
		return place;
	}
	if (req->base >= end || !memblock_is_memory(req->base)) {
		*why = "outside of RAM";
		return NO_PLACE;
	}
	if (req->has_end && req->end - req->base == req->size) {
		if (IS_ALIGNED(req->base | req->size, align) &&
		    is_free_memory(req->base, size))
			return req->base;
		*why = why_not_there(req->base, req->size);
		return NO_PLACE;
	}

	/* Do not move a request from low to high memory unless END allows it */
	if (req->has_end)
		end = min(end, req->end);
	else if (req->base < dma_contiguous_lowmem_end())
		end = min_t(u64, end, dma_contiguous_lowmem_end());
	place = find_lowest(req->base, end, size);
	if (place != req->base)
		*why = why_not_there(req->base, size);
	return place;
}

/* Count free low memory outside of [base, base + size), up to LOWMEM_LEAVE */
static u64 __init lowmem_left(u64 base, u64 size)
{
	u64 addr = min_t(u64, dma_contiguous_lowmem_end(),
			 memblock_end_of_DRAM());
	u64 left = 0;

	addr = round_down(addr, LOWMEM_STEP);
	while (addr && left < LOWMEM_LEAVE) {
		addr -= LOWMEM_STEP;
		if ((addr < base || addr >= base + size) &&
		    is_free_memory(addr, LOWMEM_STEP))
			left += LOWMEM_STEP;
	}

	return left;
}

/* Reserve an area at this place. Returns NULL, or why it failed. */
static const char *__init reserve_area(u64 base, u64 size, const char *name,
				       struct cma **cma)
{
	if (base < dma_contiguous_lowmem_end() &&
	    lowmem_left(base, size) < LOWMEM_LEAVE)
		return "too little low memory would be left";
	if (cma_area_count == MAX_CMA_AREAS)
		return "too many areas";
	if (memblock_reserve(base, size) < 0)
		return "memblock has no room for it";
	if (cma_init_reserved_mem(base, size, 0, name, cma))
		return "cannot be an area";

	dma_contiguous_early_fixup(base, size);
	return NULL;
}

/**
 * dma_contiguous_reserve() - reserve the default area
 * @limit: end, or last address, of the memory that all devices reach.  Unless
 *	   "cma=" gives an address, the area is placed as high as possible below
 *	   it, which may be in high memory.  0 stands for the end of low memory.
 *
 * The architecture calls this after all memory and reservations were added to
 * memblock, and before memory is mapped.  Success and failure are logged.
 *
 * Context: boot, one CPU.
 */
void __init dma_contiguous_reserve(phys_addr_t limit)
{
	struct cma_request *req = &cma_request;
	const char *why = cma_request.error;
	u64 base = NO_PLACE, size = 0, memory = memblock_phys_mem_size();

	if (dma_contiguous_default_area)
		return;
	if (!cma_arg_given) {
		req->size = config_size();
		snprintf(cma_arg, sizeof(cma_arg), "%lluK", KIB(req->size));
	} else if (req->is_percent) {
		req->size = percent_of_memory(req->size);
	}

	if (!why && !req->size) {
		if (cma_arg_given)
			pr_info("no area (cma=%s)\n", cma_arg);
		return;
	}
	if (!why && (req->size > memory || memory - req->size < CMA_LEAVE))
		why = "size is too large";
	if (!why) {
		dma_limit = ALIGN(min_t(u64, limit, memblock_end_of_DRAM()),
				  PAGE_SIZE);
		size = ALIGN(req->size, CMA_MIN_ALIGNMENT_BYTES);
		base = place_area(req, dma_limit ? dma_limit :
				  dma_contiguous_lowmem_end(), &why);
	}
	if (base != NO_PLACE) {
		const char *error = reserve_area(base, size, "reserved",
						 &dma_contiguous_default_area);

		if (error) {
			why = error;
			base = NO_PLACE;
		}
	}

	if (base == NO_PLACE)
		pr_err("cma=%s: %s; no area\n", cma_arg, why);
	else if (!req->has_base)
		pr_info("reserved %llu KiB at " ADDR_FMT "\n", KIB(size), base);
	else if (!why)
		pr_info("reserved %llu KiB at " ADDR_FMT " (cma=%s)\n",
			KIB(size), base, cma_arg);
	else
		pr_info("reserved %llu KiB at " ADDR_FMT " (cma=%s: %s)\n",
			KIB(size), base, cma_arg, why);
}

/**
 * dma_declare_contiguous() - reserve a private area for a device
 * @dev: device, need not be registered yet
 * @size: size in bytes, not 0; rounded up to a multiple of
 *	  CMA_MIN_ALIGNMENT_BYTES
 * @base: physical address of the area, a multiple of CMA_MIN_ALIGNMENT_BYTES;
 *	  0 for any
 * @limit: physical address that the area must end at or below if @base is 0;
 *	   0 for the end of the linear mapping
 *
 * Board code calls this from the machine's reserve hook.
 *
 * Context: boot, one CPU.
 * Return: 0; -EINVAL if @size is 0 or @base is not aligned; -EBUSY if the
 * memory at @base is in use or does not exist; -ENOMEM if @base is 0 and no
 * place was found; -ENOSPC if there are too many areas, too little low memory
 * would be left, or memblock cannot record the reservation.
 */
int __init dma_declare_contiguous(struct device *dev, phys_addr_t size,
				  phys_addr_t base, phys_addr_t limit)
{
	struct cma_request req = {
		.size = ALIGN(size, CMA_MIN_ALIGNMENT_BYTES),
		.base = base,
		.end = (u64)base + ALIGN(size, CMA_MIN_ALIGNMENT_BYTES),
		.has_base = base,
		.has_end = base,
	};
	u64 top = dma_contiguous_lowmem_end();
	const char *why = "not a size";
	int ret = -EINVAL;
	struct cma *cma;
	u64 place;

	if (!req.size || !IS_ALIGNED(base, CMA_MIN_ALIGNMENT_BYTES)) {
		if (req.size)
			why = "base is not aligned";
		goto fail;
	}

	if (limit)
		top = min_t(u64, top, limit);
	ret = base ? -EBUSY : -ENOMEM;
	place = place_area(&req, top, &why);
	if (place == NO_PLACE)
		goto fail;

	ret = -ENOSPC;
	why = reserve_area(place, req.size, NULL, &cma);
	if (why)
		goto fail;

	dev_set_cma_area(dev, cma);
	pr_info("reserved %llu KiB at " ADDR_FMT " for a device (%s)\n",
		KIB(req.size), place, cma_get_name(cma));
	return 0;

fail:
	pr_err("%s(" ADDR_FMT ", " ADDR_FMT "): %s; no area\n", __func__,
	       (u64)size, (u64)base, why);
	return ret;
}
