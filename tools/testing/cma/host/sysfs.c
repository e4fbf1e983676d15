// SPDX-License-Identifier: GPL-2.0
/* Files of an area in sysfs */

#include "stubs.h"
#include <linux/cma.h>
#include "cma.h"

extern int (*host_late_initcall)(void);

const struct sysfs_ops kobj_sysfs_ops;
struct kobject *mm_kobj;
static const struct attribute *files[32];
static struct kobject *dir;
static unsigned int nr_files, fail_file;

struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)
{
	static struct kobject root;

	REQUIRE_STREQ(name, "cma");
	return &root;
}

int kobject_init_and_add(struct kobject *kobj, const struct kobj_type *type,
			 struct kobject *parent, const char *fmt, const char *name)
{
	REQUIRE(type->release);
	kobj->name = name;
	dir = kobj;
	return 0;
}

void kobject_put(struct kobject *kobj)
{
	REQUIRE(kobj == dir);
	dir = NULL;
}

int sysfs_create_file(struct kobject *kobj, const struct attribute *attr)
{
	REQUIRE(kobj == dir);
	if (nr_files + 1 == fail_file)
		return -ENOMEM;
	files[nr_files++] = attr;
	return 0;
}

int kstrtouint(const char *text, unsigned int base, unsigned int *val)
{
	char *end;
	unsigned long long number = strtoull(text, &end, base);

	if (end == text || (*end == '\n' ? end[1] : *end) || *text == '-')
		return -EINVAL;
	*val = number;
	return number > UINT_MAX ? -ERANGE : 0;
}

static struct kobj_attribute *file(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_files; i++)
		if (!strcmp(files[i]->name, name))
			return container_of(files[i], struct kobj_attribute, attr);
	host_fail("no file %s", name);
}

static unsigned long get(const char *name)
{
	char text[64], *end;
	unsigned long number;

	REQUIRE_EQ(file(name)->show(dir, file(name), text), strlen(text));
	number = strtoul(text, &end, 10);
	REQUIRE_STREQ(end, "\n");
	return number;
}

static ssize_t put(const char *name, const char *text)
{
	return file(name)->store(dir, file(name), text, strlen(text));
}

static struct cma *area_with_files(void)
{
	struct cma *cma;

	host_pages(0x60400, 1024);
	REQUIRE_EQ(cma_init_reserved_mem(0x60400000, 4 << 20, 0, "test", &cma), 0);
	REQUIRE_EQ(host_core_initcall(), 0);
	REQUIRE_EQ(host_late_initcall(), 0);
	return cma;
}

TEST(numbers, "the pages of an area and of its allocations")
{
	struct cma *cma = area_with_files();
	struct page *page = cma_alloc(cma, 24, 0, false);

	REQUIRE_STREQ(dir->name, "test");
	REQUIRE(!cma_alloc(cma, 1024, 0, true));
	REQUIRE_EQ(get("total_pages"), 1024);
	REQUIRE_EQ(get("available_pages"), 1000);
	REQUIRE_EQ(get("alloc_pages_success"), 24);
	REQUIRE_EQ(get("alloc_pages_fail"), 1024);
	REQUIRE(cma_release(cma, page, 24));
	REQUIRE_EQ(get("release_pages_success"), 24);
	REQUIRE_EQ(get("reserve_pages"), 0);
	REQUIRE_EQ(get("exclusive"), 0);
	cma_set_reserve(cma, 16);
	cma_set_exclusive(cma);
	REQUIRE_EQ(get("reserve_pages"), 16);
	REQUIRE_EQ(get("exclusive"), 1);
}

TEST(budget, "the wait budget can be read and set, from 0 to an hour")
{
	struct cma *cma = area_with_files();
	const char *const bad[] = { "", "x", "-1", "3600001", "4294967296", "500 ms" };
	unsigned int i;

	REQUIRE_EQ(file("wait_budget_ms")->attr.mode, 0644);
	REQUIRE_EQ(get("wait_budget_ms"), 500);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		REQUIRE(put("wait_budget_ms", bad[i]) < 0, "%s", bad[i]);
	REQUIRE_EQ(put("wait_budget_ms", "3600001"), -EINVAL);
	REQUIRE_EQ(get("wait_budget_ms"), 500);
	REQUIRE_EQ(put("wait_budget_ms", "3600000\n"), 8);
	REQUIRE_EQ(get("wait_budget_ms"), 3600000);
	REQUIRE_EQ(put("wait_budget_ms", "0"), 1);
	REQUIRE_EQ(cma->wait_budget_ms, 0);
}

TEST(no_file, "an area without files still works")
{
	struct cma *cma;

	fail_file = 3;
	cma = area_with_files();
	REQUIRE(!dir);
	REQUIRE_STREQ(host.log, "cma: area test: no sysfs files, error -12\n");
	REQUIRE(cma_alloc(cma, 1, 0, false));
}
