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
 * SIZE may be a percentage of all memory, or "auto": what drivers and boards
 * have said that they need.  Invalid or unsatisfiable requests
 * are rejected with one message, and the boot continues without an area.  The
 * message says what is in the way and where the largest free range is.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-contiguous.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>

#include <asm/dma-contiguous.h>
#include <asm/sections.h>

#include "cma.h"
#include "dma-contiguous.h"

#define ADDR_FMT	"0x%08llx"
#define NO_PLACE	(~0ULL)
/* The kernel does not boot with less memory than this outside of the area */
#define CMA_LEAVE	(16ULL << 20)
/* Free low memory to leave outside of an area, counted in steps of this size */
#define LOWMEM_LEAVE	(8ULL << 20)
#define LOWMEM_STEP	(1ULL << 20)
#define LOWMEM_SHORT	"less than 8 MiB of low memory would be left"
#define KIB(bytes)	((unsigned long long)(bytes) >> 10)

/* Area of all devices without a private one; NULL if it does not exist */
struct cma *dma_contiguous_default_area;
EXPORT_SYMBOL_GPL(dma_contiguous_default_area);

/* A range of memory in whole pages; the end is exclusive */
struct cma_range {
	u64	start;
	u64	end;
};

/* The argument of "cma=", for messages */
static char cma_arg[48] __initdata;
static struct cma_place_request cma_request __initdata = {
	.param = "cma",
	.arg = cma_arg,
};

static bool cma_arg_given __initdata;

/* End of the memory that all devices reach, a border of zones; 0 if none */
static u64 dma_limit __initdata;

/* Why a place was refused, and that with the largest range, for messages */
static char cma_reason[112] __initdata;
static char cma_refusal[160] __initdata;

/**
 * cma_parse_number() - parse a number with an optional suffix K, M or G
 * @s: text, advanced past the number
 * @number: set to the number, the largest one if it does not fit into 64 bits
 *
 * Context: boot.
 * Return: 0; -EINVAL if there is no number; -ERANGE if it does not fit.
 */
int __init cma_parse_number(const char **s, u64 *number)
{
	const char *p = *s;
	unsigned int base = 10, shift = 0;
	bool overflow = false;
	u64 val = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	if (hex_to_bin(*p) < 0 || hex_to_bin(*p) >= base)
		return -EINVAL;

	for (; hex_to_bin(*p) >= 0 && hex_to_bin(*p) < base; p++) {
		overflow |= val >> 56;
		val = val * base + hex_to_bin(*p);
	}

	if (*p == 'K' || *p == 'k')
		shift = 10;
	else if (*p == 'M' || *p == 'm')
		shift = 20;
	else if (*p == 'G' || *p == 'g')
		shift = 30;
	overflow |= val > (~0ULL >> shift);

	*number = overflow ? ~0ULL : val << shift;
	*s = shift ? p + 1 : p;
	return overflow ? -ERANGE : 0;
}

/**
 * cma_parse_place() - parse SIZE[@BASE[-END]]
 * @s: text
 * @req: request, cleared; set to what the text asks for
 *
 * Context: boot.
 * Return: NULL, or what is wrong with the text.
 */
const char *__init cma_parse_place(const char *s, struct cma_place_request *req)
{
	/* Sizes and addresses that are too large are refused with a place */
	if (!strncmp(s, "auto", 4)) {
		req->is_auto = true;
		s += 4;
	} else if (cma_parse_number(&s, &req->size) == -EINVAL) {
		return "not a size";
	}
	if (*s == '%' && !req->is_auto) {
		req->is_percent = true;
		s++;
		if (req->size > 100)
			return "percentage over 100";
	}
	if (!*s)
		return NULL;
	if (*s++ != '@')
		return "not a size";

	if (cma_parse_number(&s, &req->base) == -EINVAL)
		return "not an address";
	req->has_base = true;
	if (!*s)
		return NULL;
	if (*s++ != '-')
		return "not an address";

	if (cma_parse_number(&s, &req->end) || *s)
		return "not an address";
	req->has_end = true;
	return req->end > req->base ? NULL : "END is not above BASE";
}

static int __init early_cma(char *arg)
{
	struct cma_place_request req = { .param = "cma", .arg = cma_arg };

	strlcpy(cma_arg, arg ? arg : "", sizeof(cma_arg));
	req.error = cma_parse_place(arg ? arg : "", &req);
	cma_request = req;
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

	return CMA_SIZE_SELECTED(size, part);
}

/* Return the lowest border of zones above base, or NO_PLACE */
static u64 __init next_border(u64 base)
{
	u64 border = dma_contiguous_lowmem_end();

	if (base >= border)
		border = NO_PLACE;
	return base < dma_limit ? min(border, dma_limit) : border;
}

/*
 * Is this memory, mapped, and in one zone?  Regions are either mapped as a
 * whole or not.
 */
static bool __init is_memory(u64 base, u64 size)
{
	return base + size <= memblock_end_of_DRAM() &&
	       base + size <= next_border(base) &&
	       memblock_is_region_memory(base, size) &&
	       memblock_is_map_memory(base);
}

static bool __init is_free_memory(u64 base, u64 size)
{
	return is_memory(base, size) &&
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

/* Return the highest aligned place in [base, end), or NO_PLACE */
static u64 __init find_highest(u64 base, u64 end, u64 size)
{
	u64 align = CMA_MIN_ALIGNMENT_BYTES;
	u64 place;

	for (place = round_down(end, align); place >= base + size; place -= align)
		if (is_free_memory(place - size, size))
			return place - size;

	return NO_PLACE;
}

/*
 * Find the highest of the largest ranges in [base, end) that could be areas if
 * @ignored were free.  Returns the size, 0 if there is none.
 */
static u64 __init find_largest(u64 base, u64 end,
			       const struct cma_range *ignored, u64 *place)
{
	u64 align = CMA_MIN_ALIGNMENT_BYTES;
	u64 addr, start, largest = 0;

	base = ALIGN(base, align);
	end = min_t(u64, end, memblock_end_of_DRAM());
	for (addr = start = base; addr + align <= end; addr += align) {
		u64 next = addr + align;
		u64 before = min(next, ignored->start);
		u64 after = max(addr, ignored->end);

		if (!is_memory(addr, align) ||
		    (addr < before &&
		     memblock_is_region_reserved(addr, before - addr)) ||
		    (after < next &&
		     memblock_is_region_reserved(after, next - after))) {
			start = next;
			continue;
		}
		if (!is_memory(start, next - start))
			start = addr;
		if (next - start >= largest) {
			largest = next - start;
			*place = start;
		}
	}

	return largest;
}

/* Find the first reserved pages in [base, end), and all that are next to them */
static bool __init find_reserved(u64 base, u64 end, struct cma_range *range)
{
	u64 align = CMA_MIN_ALIGNMENT_BYTES, ram_end = memblock_end_of_DRAM();
	u64 page = round_down(base, PAGE_SIZE);

	while (page < end && !memblock_is_region_reserved(page, PAGE_SIZE))
		page += memblock_is_region_reserved(page, align) ? PAGE_SIZE :
								    align;
	if (page >= end)
		return false;

	range->start = page;
	range->end = page + PAGE_SIZE;
	while (range->start &&
	       memblock_is_region_reserved(range->start - PAGE_SIZE, PAGE_SIZE))
		range->start -= PAGE_SIZE;
	while (range->end < ram_end &&
	       memblock_is_region_reserved(range->end, PAGE_SIZE))
		range->end += PAGE_SIZE;
	return true;
}

static bool __init contains(const struct cma_range *range, u64 addr)
{
	return addr >= range->start && addr < range->end;
}

/* Return what uses a range, as far as that is known */
static const char *__init user_of(const struct cma_range *range)
{
	bool has_kernel = contains(range, __pa(_end) - 1);
	bool has_initrd = CMA_INITRD_START &&
			  contains(range, __pa(CMA_INITRD_START));
	unsigned int i;

	if (has_kernel)
		return has_initrd ? " by the kernel and the initrd" :
				    " by the kernel";
	if (has_initrd)
		return " by the initrd";
	for (i = 0; i < cma_area_count; i++)
		if (contains(range, cma_get_base(&cma_areas[i])))
			return " by another area";
	return "";
}

static const char *__init in_use(const struct cma_range *range, bool others)
{
	snprintf(cma_reason, sizeof(cma_reason),
		 ADDR_FMT "-" ADDR_FMT " is in use%s%s", range->start,
		 range->end - 1, user_of(range),
		 others ? ", and so are other ranges" : "");
	return cma_reason;
}

/*
 * Return the reason why [base, base + size) could not be an area even if all of
 * it were free, or NULL.
 */
static const char *__init outside_memory(u64 base, u64 size)
{
	u64 border = next_border(base), end = round_down(base, PAGE_SIZE);

	while (end < base + size && is_memory(end, PAGE_SIZE))
		end += PAGE_SIZE;

	if (end <= base)
		snprintf(cma_reason, sizeof(cma_reason),
			 ADDR_FMT " is outside of RAM", base);
	else if (end < base + size && end <= border)
		snprintf(cma_reason, sizeof(cma_reason),
			 "RAM ends at " ADDR_FMT, end - 1);
	else if (border < base + size)
		snprintf(cma_reason, sizeof(cma_reason),
			 "crosses the end of %s at " ADDR_FMT,
			 border == dma_contiguous_lowmem_end() ? "low memory" :
			 "the memory that all devices reach", border);
	else
		return NULL;
	return cma_reason;
}

static const char *__init unaligned(void)
{
	snprintf(cma_reason, sizeof(cma_reason),
		 "BASE and SIZE are not multiples of %llu KiB",
		 KIB(CMA_MIN_ALIGNMENT_BYTES));
	return cma_reason;
}

/* Return the reason why [base, base + size) cannot be an area */
static const char *__init why_not_there(u64 base, u64 size)
{
	const char *why = outside_memory(base, size);
	struct cma_range range;

	if (why)
		return why;
	if (find_reserved(base, base + size, &range))
		return in_use(&range, false);
	return unaligned();
}

/*
 * Return the reason why no range in [base, end) could be an area of this size
 * even if all of it were free, or NULL.
 */
static const char *__init too_little_memory(const struct cma_place_request *req,
					    u64 base, u64 end, u64 size)
{
	const struct cma_range all = { 0, NO_PLACE };
	bool at_base = req->has_base && memblock_is_memory(base);
	u64 place, largest = find_largest(base, end, &all, &place);
	const char *why;

	if (largest >= size)
		return NULL;
	if (!at_base && !largest) {
		snprintf(cma_reason, sizeof(cma_reason),
			 "no aligned RAM in " ADDR_FMT "-" ADDR_FMT, base,
			 end - 1);
		return cma_reason;
	}

	why = outside_memory(at_base ? base : place, size);
	if (why)
		return why;
	if (at_base)
		return unaligned();
	snprintf(cma_reason, sizeof(cma_reason),
		 "crosses the limit at " ADDR_FMT, end);
	return cma_reason;
}

/*
 * Return the reason why no range in [base, end) can be an area of this size: the
 * borders of memory, or the reservation without which the largest free range
 * would be largest.
 */
static const char *__init why_nowhere(const struct cma_place_request *req, u64 base,
				      u64 end, u64 size)
{
	const char *why = too_little_memory(req, base, end, size);
	struct cma_range range, worst = { 0, 0 };
	u64 largest = 0, place, next;

	if (why)
		return why;

	for (next = base; find_reserved(next, end, &range); next = range.end) {
		u64 without = find_largest(base, end, &range, &place);

		if (without >= largest) {
			largest = without;
			worst = range;
		}
	}

	return in_use(&worst, largest < size);
}

/*
 * Find a place for an area in the memory below limit, or anywhere if a base is
 * given.  Returns NO_PLACE if there is none.  *why is set to the reason for
 * that, or for a place other than the requested one, or to NULL.
 */
static u64 __init place_area(const struct cma_place_request *req, u64 limit,
			     const char **why)
{
	u64 size = ALIGN(req->size, CMA_MIN_ALIGNMENT_BYTES);
	u64 base = req->base, end = memblock_end_of_DRAM();
	bool is_bound = !req->has_base ||
			(req->has_end && req->end - base > req->size &&
			 !memblock_is_memory(base));
	u64 place;

	*why = NULL;
	if (req->has_end && req->end - base < req->size) {
		*why = "range is smaller than the size";
		return NO_PLACE;
	}
	if (base >= end || (!is_bound && !memblock_is_memory(base))) {
		*why = outside_memory(base, size);
		return NO_PLACE;
	}

	if (req->has_end)
		end = min(end, req->end);
	if (is_bound) {
		/* Nothing is said about a place, as in "cma=64M@0-4G" */
		if (!req->has_base || base < limit)
			end = min(end, limit);
		place = find_highest(base, end, size);
	} else {
		/* From low to high memory only if END allows it */
		if (!req->has_end && base < dma_contiguous_lowmem_end())
			end = min_t(u64, end, dma_contiguous_lowmem_end());
		place = find_lowest(base, end, size);
	}

	if (place == NO_PLACE)
		*why = why_nowhere(req, base, end, size);
	else if (!is_bound && place != base)
		*why = why_not_there(base, size);
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

/* Would an area leave enough low memory for what cannot be in an area? */
static bool __init leaves_lowmem(u64 base, u64 size)
{
	return base >= dma_contiguous_lowmem_end() ||
	       lowmem_left(base, size) >= LOWMEM_LEAVE;
}

/*
 * Add the largest range below limit, or anywhere if a base is given, that can
 * be an area of at most max bytes to the reason why another one cannot.
 */
static const char *__init add_largest(const char *why,
				      const struct cma_place_request *req, u64 limit,
				      u64 max)
{
	const struct cma_range none = { NO_PLACE, NO_PLACE };
	u64 place = 0, size;

	size = find_largest(0, req->has_base ? NO_PLACE : limit, &none, &place);
	while (size && (size > max || !leaves_lowmem(place, size))) {
		size -= CMA_MIN_ALIGNMENT_BYTES;
		/* Without a base, the area would be at the end of the range */
		if (!req->has_base)
			place += CMA_MIN_ALIGNMENT_BYTES;
	}

	if (size)
		snprintf(cma_refusal, sizeof(cma_refusal),
			 "%s, largest free range %llu KiB at " ADDR_FMT, why,
			 KIB(size), place);
	else
		snprintf(cma_refusal, sizeof(cma_refusal),
			 "%s, no range is free", why);
	return cma_refusal;
}

static bool default_is_to_come __initdata;

/* Reserve an area at this place. Returns NULL, or why it failed. */
static const char *__init reserve_area(u64 base, u64 size, const char *name,
				       struct cma **cma)
{
	/* One is kept for the default area */
	if (cma_area_count + default_is_to_come >= MAX_CMA_AREAS)
		return "too many areas";
	if (memblock_reserve(base, size) < 0)
		return "memblock has no room for it";
	if (cma_init_reserved_mem(base, size, 0, name, cma))
		return "cannot be an area";

	dma_contiguous_early_fixup(base, size);
	return NULL;
}

/* Find a place for the default area, like place_area() */
static u64 __init place_default(const struct cma_place_request *req, u64 limit,
				const char **why)
{
	u64 memory = memblock_phys_mem_size();
	u64 kept = CMA_LEAVE + ((u64)totalcma_pages << PAGE_SHIFT);
	u64 max = memory > kept ? memory - kept : 0;
	u64 place = NO_PLACE;

	if (req->size > max) {
		snprintf(cma_reason, sizeof(cma_reason),
			 "size is too large, %llu KiB of %llu KiB have to be left",
			 KIB(CMA_LEAVE), KIB(memory));
		*why = cma_reason;
	} else {
		place = place_area(req, limit, why);
	}
	if (place != NO_PLACE &&
	    !leaves_lowmem(place, ALIGN(req->size, CMA_MIN_ALIGNMENT_BYTES))) {
		*why = LOWMEM_SHORT;
		place = NO_PLACE;
	}

	if (place == NO_PLACE)
		*why = add_largest(*why, req, limit, max);
	return place;
}

/**
 * cma_reserve_place() - reserve an area and log where it is, or why it is not
 * @req: what is asked for; a percentage is replaced by bytes
 * @name: name of the area
 * @cma: set to the area on success
 *
 * Context: boot, one CPU, from dma_contiguous_reserve().
 * Return: true if there is an area.
 */
bool __init cma_reserve_place(struct cma_place_request *req, const char *name,
			      struct cma **cma)
{
	const char *why = req->error, *error;
	u64 base = NO_PLACE, size = 0;

	if (req->is_percent && !why)
		req->size = percent_of_memory(req->size);
	if (!why) {
		size = ALIGN(req->size, CMA_MIN_ALIGNMENT_BYTES);
		base = place_default(req, dma_limit ? dma_limit :
				     dma_contiguous_lowmem_end(), &why);
	}
	if (base != NO_PLACE) {
		error = reserve_area(base, size, name, cma);
		if (error) {
			why = error;
			base = NO_PLACE;
		}
	}

	if (base == NO_PLACE && req->is_percent && !req->error)
		pr_err("%s=%s (%llu KiB): %s; no area\n", req->param, req->arg,
		       KIB(req->size), why);
	else if (base == NO_PLACE)
		pr_err("%s=%s: %s; no area\n", req->param, req->arg, why);
	else if (!req->has_base && req == &cma_request && !req->is_auto)
		pr_info("reserved %llu KiB at " ADDR_FMT "\n", KIB(size), base);
	else if (!why)
		pr_info("reserved %llu KiB at " ADDR_FMT " (%s=%s)\n",
			KIB(size), base, req->param, req->arg);
	else
		pr_info("reserved %llu KiB at " ADDR_FMT " (%s=%s: %s)\n",
			KIB(size), base, req->param, req->arg, why);
	return base != NO_PLACE;
}

static void __init reserve_default(void)
{
	struct cma_place_request *req = &cma_request;

	if (req->is_auto && !req->error)
		req->size = cma_sum_needs(true);
	if (!cma_arg_given || (req->is_auto && !req->error && !req->size)) {
		req->size = config_size();
		if (!cma_arg_given)
			snprintf(cma_arg, sizeof(cma_arg), "%lluK",
				 KIB(req->size));
	}

	if (!req->error && !req->size) {
		if (cma_arg_given)
			pr_info("no area (cma=%s)\n", cma_arg);
		return;
	}
	cma_reserve_place(req, "reserved", &dma_contiguous_default_area);
}

/**
 * dma_contiguous_reserve() - reserve the default area and those of "cma_area="
 * @limit: end, or last address, of the memory that all devices reach.  Unless
 *	   an address is given, an area is placed as high as possible below it,
 *	   which may be in high memory.  0 stands for the end of low memory.
 *
 * The architecture calls this after all memory and reservations were added to
 * memblock, and before memory is mapped.  Success and failure are logged.
 *
 * Areas of "cma_area=" that have an address come before the default area, which
 * may have none, and the others after it.
 *
 * Context: boot, one CPU.
 */
void __init dma_contiguous_reserve(phys_addr_t limit)
{
	dma_limit = ALIGN(min_t(u64, limit, memblock_end_of_DRAM()), PAGE_SIZE);
	default_is_to_come = !dma_contiguous_default_area;
	cma_reserve_named(true);
	default_is_to_come = false;
	if (!dma_contiguous_default_area)
		reserve_default();
	cma_reserve_named(false);
	cma_apply_params();
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
	struct cma_place_request req = {
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
		goto fail_place;

	ret = -ENOSPC;
	why = LOWMEM_SHORT;
	if (!leaves_lowmem(place, req.size))
		goto fail_place;
	why = reserve_area(place, req.size, NULL, &cma);
	if (why)
		goto fail;

	dev_set_cma_area(dev, cma);
	pr_info("reserved %llu KiB at " ADDR_FMT " for a device (%s)\n",
		KIB(req.size), place, cma_get_name(cma));
	return 0;

fail_place:
	why = add_largest(why, &req, top, NO_PLACE);
fail:
	pr_err("%s(" ADDR_FMT ", " ADDR_FMT "): %s; no area\n", __func__,
	       (u64)size, (u64)base, why);
	return ret;
}
