// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs: /sys/kernel/mm/cma/<area>/, one directory for each contiguous memory
 * area.
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

#define CMA_ATTR_RO(_name) \
	static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

CMA_ATTR_RO(alloc_pages_success);
CMA_ATTR_RO(alloc_pages_fail);
CMA_ATTR_RO(release_pages_success);
CMA_ATTR_RO(total_pages);
CMA_ATTR_RO(available_pages);

static struct attribute *cma_attrs[] = {
	&alloc_pages_success_attr.attr,
	&alloc_pages_fail_attr.attr,
	&release_pages_success_attr.attr,
	&total_pages_attr.attr,
	&available_pages_attr.attr,
	NULL,
};

static const struct attribute_group cma_attr_group = {
	.attrs = cma_attrs,
};

/* Areas are never freed: there is nothing to release */
static void cma_kobj_release(struct kobject *kobj)
{
}

static struct kobj_type cma_ktype = {
	.release	= cma_kobj_release,
	.sysfs_ops	= &kobj_sysfs_ops,
};

static int __init cma_sysfs_add(struct cma *cma, void *root)
{
	int ret;

	if (!cma->count)
		return 0;

	ret = kobject_init_and_add(&cma->kobj, &cma_ktype, root, "%s",
				   cma->name);
	if (!ret)
		ret = sysfs_create_group(&cma->kobj, &cma_attr_group);
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
