// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory for DMA: which areas there are beside the default one, which
 * devices use them, what is kept for some devices, and how much is needed.
 *
 *	cma_area=NAME,SIZE[@BASE[-END]][,exclusive|,held]
 *				an area, which heaps do not offer if exclusive,
 *				and neither do processes use it if held
 *	cma_dev=DEVICE:NAME	the area that a device uses
 *	cma_reserve=SIZE:DEVICE[,DEVICE...]
 *				part of the default area for these devices only
 *
 * A DEVICE is a device name, in which "*" stands for any characters and "?" for
 * any one.  The first two can be given several times.  All of this is settled
 * when memory has been reserved, so that allocations read it without a lock.
 * Requests that are invalid are rejected with one message each.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/cma-devices.h>
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/dma-contiguous.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>

#include <asm/dma-contiguous.h>

#include "cma.h"
#include "dma-contiguous.h"

/* Longest name of an area or pattern of devices, with the 0 at the end */
#define NAME_SIZE	32
/* Longest argument that is accepted */
#define ARG_SIZE	128

#define MAX_RULES	16
#define MAX_LISTED	8
#define MAX_NEEDS	16

/* Part of the needs that "cma=auto" adds, because buffers fragment an area */
#define MARGIN_PART	8

#define KIB(bytes)	((unsigned long long)(bytes) >> 10)

/* An area of "cma_area=" */
struct named_area {
	char	name[NAME_SIZE];
	char	arg[ARG_SIZE];
	struct cma_place_request req;
	bool	is_exclusive;
	bool	is_held;
};

/* The area that devices use; constant after the reservation */
struct device_rule {
	char	devices[NAME_SIZE];
	char	area[NAME_SIZE];
	struct cma *cma;
};

/* Buffers that are needed from the default area */
struct buffer_need {
	const char	*name;
	u64		size;	/* bytes, as allocated */
	unsigned int	count;
};

static struct named_area named_areas[MAX_CMA_AREAS] __initdata;
static unsigned int nr_named __initdata;

static struct device_rule rules[MAX_RULES];
static unsigned int nr_rules;

static char listed[MAX_LISTED][NAME_SIZE];
static unsigned int nr_listed;
static u64 reserve_size __initdata;
static char reserve_arg[ARG_SIZE] __initdata;

static struct buffer_need needs[MAX_NEEDS] __initdata;
static unsigned int nr_needs __initdata;

/* What of the above is in use, so that other systems only test one variable */
bool cma_has_rules;
EXPORT_SYMBOL_GPL(cma_has_rules);

bool cma_has_reserve;
EXPORT_SYMBOL_GPL(cma_has_reserve);

/* Does a name match a pattern with "*" and "?"? */
static bool name_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static const struct device_rule *find_rule(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_rules; i++)
		if (rules[i].cma && name_matches(rules[i].devices, name))
			return &rules[i];

	return NULL;
}

static bool is_listed(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_listed; i++)
		if (name_matches(listed[i], name))
			return true;

	return false;
}

/**
 * cma_find_rule() - get the area that "cma_dev=" gives to a device
 * @dev: device, or NULL
 *
 * Use cma_area_by_rule(), which does not call this if there is no "cma_dev=".
 *
 * Context: any.
 * Return: the area of the first "cma_dev=" that matches; NULL if none does or
 * the area could not be activated.
 */
struct cma *cma_find_rule(struct device *dev)
{
	const struct device_rule *rule;

	if (!dev || !dev_name(dev))
		return NULL;
	rule = find_rule(dev_name(dev));
	return rule && cma_get_size(rule->cma) ? rule->cma : NULL;
}
EXPORT_SYMBOL_GPL(cma_find_rule);

/**
 * cma_find_listed() - check whether "cma_reserve=" lists a device
 * @dev: device, or NULL
 *
 * Use cma_may_use_reserve(), which does not call this if there is no reserve.
 *
 * Context: any.
 * Return: true if it does.
 */
bool cma_find_listed(struct device *dev)
{
	return dev && dev_name(dev) && is_listed(dev_name(dev));
}
EXPORT_SYMBOL_GPL(cma_find_listed);

/* Copy text of a length. Returns NULL, or what is wrong with it. */
static const char *__init copy_name(char *to, const char *from, size_t len)
{
	if (!len)
		return "a name is missing";
	if (len >= NAME_SIZE)
		return "a name is too long";

	memcpy(to, from, len);
	to[len] = 0;
	return NULL;
}

static struct cma *__init find_area(const char *name)
{
	unsigned int i;

	for (i = 0; i < cma_area_count; i++)
		if (!strcmp(cma_get_name(&cma_areas[i]), name))
			return &cma_areas[i];

	return NULL;
}

/* Is this the name of an area of "cma_area=" that is not reserved yet? */
static bool __init is_to_come(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_named; i++)
		if (!strcmp(named_areas[i].name, name))
			return true;

	return false;
}

/* Is this the name of an area that exists, will exist, or must not exist? */
static bool __init is_name_used(const char *name)
{
	if (is_to_come(name))
		return true;

	/* The default area, its heap, and the heap that is not of an area */
	return !strcmp(name, "reserved") || !strcmp(name, "system") ||
	       !strcmp(name, "default_cma_region");
}

/* Names become names of files */
static bool __init is_area_name(const char *name)
{
	for (; *name; name++)
		if (!(isascii(*name) && isalnum(*name)) && *name != '-' &&
		    *name != '_')
			return false;

	return true;
}

/* Parse "cma_area=". Returns NULL, or what is wrong with the argument. */
static const char *__init parse_area(const char *arg, struct named_area *area)
{
	char text[ARG_SIZE];
	const char *why;
	char *size, *flag;

	if (strlen(arg) >= ARG_SIZE)
		return "too long";
	strlcpy(area->arg, arg, sizeof(area->arg));
	strlcpy(text, arg, sizeof(text));

	size = strchr(text, ',');
	if (!size)
		return "not a name and a size";
	*size++ = 0;
	why = copy_name(area->name, text, strlen(text));
	if (why)
		return why;
	if (!is_area_name(area->name))
		return "not a name";
	if (is_name_used(area->name))
		return "the name is used already";

	flag = strchr(size, ',');
	if (flag)
		*flag++ = 0;
	area->is_held = flag && !strcmp(flag, "held");
	if (flag && strcmp(flag, "exclusive") && !area->is_held)
		return "not \"exclusive\" or \"held\"";
	area->is_exclusive = flag;

	why = cma_parse_place(size, &area->req);
	if (!why && !area->req.size)
		why = "not a size";
	return why;
}

static int __init early_cma_area(char *arg)
{
	struct named_area *area = &named_areas[nr_named];
	const char *why = "too many areas";

	if (nr_named < ARRAY_SIZE(named_areas)) {
		memset(area, 0, sizeof(*area));
		area->req.param = "cma_area";
		area->req.arg = area->arg;
		why = parse_area(arg ? arg : "", area);
	}
	if (why)
		pr_err("cma_area=%.64s: %s; no area\n", arg ? arg : "", why);
	else
		nr_named++;
	return 0;
}
early_param("cma_area", early_cma_area);

/* Parse "cma_dev=". Names of devices contain colons, names of areas do not. */
static const char *__init parse_rule(const char *arg, struct device_rule *rule)
{
	const char *area = strrchr(arg, ':');
	const char *why;

	if (!area)
		return "not a device and an area";
	why = copy_name(rule->devices, arg, area - arg);
	return why ? why : copy_name(rule->area, area + 1, strlen(area + 1));
}

static int __init early_cma_dev(char *arg)
{
	const char *why = "too many devices";

	if (nr_rules < ARRAY_SIZE(rules))
		why = parse_rule(arg ? arg : "", &rules[nr_rules]);
	if (why)
		pr_err("cma_dev=%.64s: %s; ignored\n", arg ? arg : "", why);
	else
		nr_rules++;
	return 0;
}
early_param("cma_dev", early_cma_dev);

/* Parse the devices of "cma_reserve=" */
static const char *__init parse_listed(const char *s)
{
	nr_listed = 0;
	for (;;) {
		size_t len = strcspn(s, ",");
		const char *why;

		if (nr_listed == ARRAY_SIZE(listed))
			return "too many devices";
		why = copy_name(listed[nr_listed], s, len);
		if (why)
			return why;
		nr_listed++;
		if (!s[len])
			return NULL;
		s += len + 1;
	}
}

/* Parse "cma_reserve=". Returns NULL, or what is wrong with the argument. */
static const char *__init parse_reserve(const char *arg)
{
	if (strlen(arg) >= ARG_SIZE)
		return "too long";
	strlcpy(reserve_arg, arg, sizeof(reserve_arg));

	if (cma_parse_number(&arg, &reserve_size) || !reserve_size)
		return "not a size";
	if (!*arg)
		return "no device is listed";
	if (*arg != ':')
		return "not a size";
	return parse_listed(arg + 1);
}

static int __init early_cma_reserve(char *arg)
{
	const char *why = parse_reserve(arg ? arg : "");

	if (why) {
		pr_err("cma_reserve=%.64s: %s; no reserve\n", arg ? arg : "",
		       why);
		reserve_size = 0;
		nr_listed = 0;
	}
	return 0;
}
early_param("cma_reserve", early_cma_reserve);

/**
 * cma_reserve_named() - reserve the areas of "cma_area="
 * @with_base: those that have an address, or those that have none
 *
 * Context: boot, one CPU, from dma_contiguous_reserve().
 */
void __init cma_reserve_named(bool with_base)
{
	struct named_area *area;
	struct cma *cma;

	for (area = named_areas; area < named_areas + nr_named; area++) {
		if (area->req.has_base != with_base || !area->name[0])
			continue;
		/* Board code may have used the name */
		if (find_area(area->name))
			area->req.error = "the name is used already";
		if (cma_reserve_place(&area->req, area->name, &cma)) {
			if (area->is_exclusive)
				cma_set_exclusive(cma);
			if (area->is_held)
				cma_set_reserve(cma, cma_get_size(cma) >>
						     PAGE_SHIFT);
		}
		area->name[0] = 0;
	}
}

/* Set the reserve. Returns NULL, or why there is none. */
static const char *__init apply_reserve(void)
{
	struct cma *cma = dma_contiguous_default_area;
	u64 size = ALIGN(reserve_size, PAGE_SIZE);

	if (!cma)
		return "there is no default area";
	if (reserve_size >= cma_get_size(cma) || size >= cma_get_size(cma))
		return "not smaller than the default area";

	cma_set_reserve(cma, size >> PAGE_SHIFT);
	pr_info("%llu KiB of the default area are a reserve (cma_reserve=%s)\n",
		KIB(size), reserve_arg);
	return NULL;
}

static void __init report_needs(void)
{
	struct cma *cma = dma_contiguous_default_area;
	u64 needed = nr_needs ? cma_sum_needs(false) : 0;
	u64 size = cma ? cma_get_size(cma) : 0;

	if (needed > size)
		pr_warn("%llu KiB are needed, the default area has only %llu KiB\n",
			KIB(needed), KIB(size));
	else if (needed)
		pr_info("%llu KiB are needed, the default area has %llu KiB\n",
			KIB(needed), KIB(size));
}

/**
 * cma_apply_params() - apply what concerns areas that exist
 *
 * Context: boot, one CPU, from dma_contiguous_reserve().
 */
void __init cma_apply_params(void)
{
	const char *why = reserve_size ? apply_reserve() : NULL;
	struct device_rule *rule;

	if (why) {
		pr_err("cma_reserve=%s: %s; no reserve\n", reserve_arg, why);
		reserve_size = 0;
		nr_listed = 0;
	}
	cma_has_reserve |= reserve_size;

	for (rule = rules; rule < rules + nr_rules; rule++) {
		if (rule->cma)
			continue;
		rule->cma = find_area(rule->area);
		if (!rule->cma) {
			pr_err("cma_dev=%s:%s: no such area; ignored\n",
			       rule->devices, rule->area);
			continue;
		}
		pr_info("device %s uses area %s\n", rule->devices, rule->area);
		cma_has_rules = true;
	}

	report_needs();
	reserve_size = 0;
	nr_needs = 0;
}

/**
 * dma_contiguous_need() - state how much memory a device will need
 * @name: name of the device, as dev_name() will return it; not copied
 * @size: size of one buffer in bytes, not 0
 * @count: number of such buffers, not 0
 *
 * Board code calls this from the machine's reserve hook, for each device that
 * uses the default area.  "cma=auto" makes the area large enough for all of
 * them; otherwise a message tells whether the area is.
 *
 * Needs of a device that "cma_dev=" gives another area do not count.
 *
 * Context: boot, one CPU, before dma_contiguous_reserve().
 * Return: 0; -EINVAL if @size or @count is 0; -ENOSPC if there are too many
 * needs, which is logged.
 */
int __init dma_contiguous_need(const char *name, phys_addr_t size,
			       unsigned int count)
{
	if (!size || !count)
		return -EINVAL;
	if (nr_needs == ARRAY_SIZE(needs)) {
		pr_err("the need of %s is ignored: too many needs\n", name);
		return -ENOSPC;
	}

	needs[nr_needs].name = name;
	needs[nr_needs].size = size;
	needs[nr_needs].count = count;
	nr_needs++;
	return 0;
}

/* Return how much of an area a buffer takes up, with its alignment */
static u64 __init size_in_area(u64 size)
{
	unsigned int order = 0;

	while (order < CONFIG_CMA_ALIGNMENT && (u64)PAGE_SIZE << order < size)
		order++;
	return ALIGN(size, (u64)PAGE_SIZE << order);
}

/* Does "cma_dev=" give a device an area other than the default one? */
static bool __init has_other_area(const char *name)
{
	const struct device_rule *rule;

	for (rule = rules; rule < rules + nr_rules; rule++) {
		if (!name_matches(rule->devices, name))
			continue;
		if (!strcmp(rule->area, "reserved"))
			return false;
		if (find_area(rule->area) || is_to_come(rule->area))
			return true;
	}
	return false;
}

/**
 * cma_sum_needs() - add up what is needed from the default area
 * @with_margin: add a margin, and log the parts
 *
 * The reserve is added: its devices get their buffers from anywhere.
 *
 * Context: boot, one CPU, from dma_contiguous_reserve().
 * Return: the sum in bytes; 0 if nobody has stated a need, which is logged if
 * @with_margin.
 */
u64 __init cma_sum_needs(bool with_margin)
{
	u64 sum = 0, margin;
	struct buffer_need *need;

	for (need = needs; need < needs + nr_needs; need++) {
		u64 size = size_in_area(need->size);

		if (has_other_area(need->name))
			continue;
		if (with_margin)
			pr_info("cma=auto: %u x %llu KiB for %s\n",
				need->count, KIB(size), need->name);
		sum += size * need->count;
	}
	if (!nr_needs) {
		if (with_margin)
			pr_warn("cma=auto: nobody has stated a need, the configured size is used\n");
		return 0;
	}

	sum += ALIGN(reserve_size, PAGE_SIZE);
	sum += dma_contiguous_pool_size();
	if (!with_margin)
		return sum;

	margin = div_u64(sum, MARGIN_PART);
	pr_info("cma=auto: with %u KiB for the atomic pool, a reserve of %llu KiB and a margin of %llu KiB, %llu KiB\n",
		(unsigned int)dma_contiguous_pool_size() >> 10,
		KIB(reserve_size), KIB(margin), KIB(sum + margin));
	return sum + margin;
}

/**
 * dma_declare_contiguous_exclusive() - reserve an area that is not shared
 * @dev: device, need not be registered yet
 * @size: size, as for dma_declare_contiguous()
 * @base: address, as for dma_declare_contiguous()
 * @limit: limit, as for dma_declare_contiguous()
 *
 * Heaps do not offer the area.  Only the device uses it, and those that
 * dev_set_cma_area() or "cma_dev=" assign to it.
 *
 * Context: boot, one CPU.
 * Return: see dma_declare_contiguous().
 */
int __init dma_declare_contiguous_exclusive(struct device *dev,
					    phys_addr_t size, phys_addr_t base,
					    phys_addr_t limit)
{
	int ret = dma_declare_contiguous(dev, size, base, limit);

	if (!ret)
		cma_set_exclusive(dev->cma_area);
	return ret;
}
