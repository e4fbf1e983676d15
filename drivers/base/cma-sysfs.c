// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs files of contiguous memory areas, in one directory
 * /sys/kernel/mm/cma/<area>/ each.
 */
#include <linux/cma.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

#include "cma.h"

static struct cma *to_cma(struct kobject *kobj)
{
	return container_of(kobj, struct cma, kobj);
}

static ssize_t alloc_pages_success_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%lu\n",
		       (unsigned long)atomic_long_read(&to_cma(kobj)->nr_success));
}

static ssize_t alloc_pages_fail_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%lu\n",
		       (unsigned long)atomic_long_read(&to_cma(kobj)->nr_fail));
}

static ssize_t release_pages_success_show(struct kobject *kobj,
					  struct kobj_attribute *attr,
					  char *buf)
{
	return sprintf(buf, "%lu\n",
		       (unsigned long)atomic_long_read(&to_cma(kobj)->nr_released));
}

static ssize_t total_pages_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%lu\n", to_cma(kobj)->count);
}

static ssize_t available_pages_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	struct cma *cma = to_cma(kobj);

	return sprintf(buf, "%lu\n", cma->count - cma_used_pages(cma));
}

/* Pages at the high end of the area that only some devices can allocate */
static ssize_t reserve_pages_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%lu\n", to_cma(kobj)->reserve);
}

static ssize_t exclusive_show(struct kobject *kobj,
			      struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%d\n", to_cma(kobj)->is_exclusive);
}

static ssize_t wait_budget_ms_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%u\n", to_cma(kobj)->wait_budget_ms);
}

static ssize_t wait_budget_ms_store(struct kobject *kobj,
				    struct kobj_attribute *attr,
				    const char *buf, size_t size)
{
	unsigned int budget_ms;
	int ret = kstrtouint(buf, 0, &budget_ms);

	if (ret)
		return ret;
	if (budget_ms > CMA_MAX_WAIT_BUDGET_MS)
		return -EINVAL;

	/* Allocations in progress keep the old one */
	to_cma(kobj)->wait_budget_ms = budget_ms;
	return size;
}

static struct kobj_attribute cma_files[] = {
	__ATTR_RO(total_pages),
	__ATTR_RO(available_pages),
	__ATTR_RO(alloc_pages_success),
	__ATTR_RO(alloc_pages_fail),
	__ATTR_RO(release_pages_success),
	__ATTR_RO(reserve_pages),
	__ATTR_RO(exclusive),
	__ATTR(wait_budget_ms, 0644, wait_budget_ms_show, wait_budget_ms_store),
};

/* The kobject is part of its area, and areas are never freed */
static void cma_keep_area(struct kobject *kobj)
{
}

static struct kobj_type cma_area_type = {
	.sysfs_ops	= &kobj_sysfs_ops,
	.release	= cma_keep_area,
};

static int __init cma_sysfs_add(struct cma *cma, void *root)
{
	unsigned int i;
	int ret;

	if (!cma->count)
		return 0;

	ret = kobject_init_and_add(&cma->kobj, &cma_area_type, root, "%s",
				   cma->name);
	for (i = 0; !ret && i < ARRAY_SIZE(cma_files); i++)
		ret = sysfs_create_file(&cma->kobj, &cma_files[i].attr);
	if (ret) {
		pr_err("cma: area %s: no sysfs files, error %d\n", cma->name,
		       ret);
		kobject_put(&cma->kobj);
	}
	return 0;
}

static int __init cma_sysfs_init(void)
{
	struct kobject *root = kobject_create_and_add("cma", mm_kobj);

	if (!root)
		return -ENOMEM;
	return cma_for_each_area(cma_sysfs_add, root);
}
late_initcall(cma_sysfs_init);
