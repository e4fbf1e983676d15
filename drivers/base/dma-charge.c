// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of buffers, charged to users and open files
 *
 * A process that may open a node of a heap, a camera or a display can hold
 * memory that no limit of processes counts: the buffers belong to none of its
 * mappings. Here each buffer is charged to the user that allocated it, until
 * the buffer is freed, no matter who holds it then. fork(), exec() and passing
 * a descriptor to another process change nothing; DMA_BUF_IOCTL_CLAIM moves the
 * charge to the user of the caller.
 *
 * An allocation that would exceed the limit of the user, or of the open file
 * that the buffer is allocated through, fails with -EDQUOT unless the caller
 * has CAP_SYS_RESOURCE. Limits apply to what is allocated later: a user who
 * already holds more keeps it.
 */
#define pr_fmt(fmt) "dma_charge: " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/dma-charge.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>

#define NO_LIMIT	ULONG_MAX
#define USER_HASH_BITS	4

/**
 * struct dma_charge_user - a user who was charged or has a limit; guarded by
 *			    charge_lock, and never freed
 * @node: entry in users
 * @uid: the user's number; constant
 * @has_limit: true if @limit applies instead of user_limit
 * @limit: limit in pages
 * @pages: number of pages that are charged
 * @peak: largest value of @pages
 * @buffers: number of buffers that are charged
 * @refused: number of allocations that failed because of a limit
 */
struct dma_charge_user {
	struct hlist_node node;
	uid_t uid;
	bool has_limit;
	unsigned long limit;
	unsigned long pages;
	unsigned long peak;
	unsigned long buffers;
	unsigned long refused;
};

/**
 * struct dma_charge_file - an open file that buffers are allocated through;
 *			    guarded by charge_lock
 * @pages: number of pages that were allocated through the file
 * @buffers: number of buffers, which keep the structure after the file
 * @open: true until dma_charge_close()
 */
struct dma_charge_file {
	unsigned long pages;
	unsigned long buffers;
	bool open;
};

static DEFINE_SPINLOCK(charge_lock);
static struct hlist_head users[1 << USER_HASH_BITS];	/* charge_lock */
static unsigned int nr_users;				/* charge_lock */
static unsigned long user_limit = NO_LIMIT;		/* pages; charge_lock */
static unsigned long file_limit = NO_LIMIT;		/* pages; charge_lock */
static unsigned long nr_refused;			/* charge_lock */

static struct hlist_head *users_of(uid_t uid)
{
	return &users[hash_32(uid, USER_HASH_BITS)];
}

static struct dma_charge_user *find_charge_user(uid_t uid)
{
	struct dma_charge_user *user;
	struct hlist_node *pos;

	for (pos = users_of(uid)->first; pos; pos = pos->next) {
		user = hlist_entry(pos, struct dma_charge_user, node);
		if (user->uid == uid)
			return user;
	}
	return NULL;
}

/* Return the user, who is never freed, or NULL if there is no memory. */
static struct dma_charge_user *get_charge_user(uid_t uid)
{
	struct dma_charge_user *user, *new;

	spin_lock(&charge_lock);
	user = find_charge_user(uid);
	spin_unlock(&charge_lock);
	if (user)
		return user;

	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return NULL;
	new->uid = uid;

	spin_lock(&charge_lock);
	user = find_charge_user(uid);
	if (!user) {
		hlist_add_head(&new->node, users_of(uid));
		nr_users++;
		swap(user, new);
	}
	spin_unlock(&charge_lock);
	kfree(new);
	return user;
}

static bool exceeds(unsigned long pages, unsigned long more,
		    unsigned long limit)
{
	return limit != NO_LIMIT && (more > limit || pages > limit - more);
}

static bool over_limit(const struct dma_charge_user *user,
		       const struct dma_charge_file *file, unsigned long pages)
{
	return exceeds(user->pages, pages,
		       user->has_limit ? user->limit : user_limit) ||
	       (file && exceeds(file->pages, pages, file_limit));
}

static void add_to_user(struct dma_charge_user *user, unsigned long pages)
{
	user->pages += pages;
	user->buffers++;
	user->peak = max(user->peak, user->pages);
}

static void take_from_user(struct dma_charge_user *user, unsigned long pages)
{
	user->pages -= pages;
	user->buffers--;
}

/* Count an allocation that a limit prevents. */
static int refuse(struct dma_charge_user *user)
{
	spin_lock(&charge_lock);
	user->refused++;
	nr_refused++;
	spin_unlock(&charge_lock);
	return -EDQUOT;
}

/* Return the file if it has to be freed, or NULL. */
static struct dma_charge_file *drop_file(struct dma_charge *charge)
{
	struct dma_charge_file *file = charge->file;

	if (!file)
		return NULL;

	charge->file = NULL;
	file->pages -= charge->pages;
	file->buffers--;
	return file->buffers || file->open ? NULL : file;
}

/**
 * dma_charge_open() - begin to count what is allocated through an open file
 *
 * Context: process context, may sleep.
 * Return: what to pass to dma_charge(), freed with dma_charge_close(); or
 * ERR_PTR(-ENOMEM).
 */
struct dma_charge_file *dma_charge_open(void)
{
	struct dma_charge_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->open = true;
	return file;
}
EXPORT_SYMBOL_GPL(dma_charge_open);

/**
 * dma_charge_close() - the file is closed
 * @file: from dma_charge_open(), or NULL
 *
 * Buffers that were allocated through the file can live on.
 *
 * Context: process context.
 */
void dma_charge_close(struct dma_charge_file *file)
{
	if (!file)
		return;

	spin_lock(&charge_lock);
	file->open = false;
	if (file->buffers)
		file = NULL;
	spin_unlock(&charge_lock);
	kfree(file);
}
EXPORT_SYMBOL_GPL(dma_charge_close);

/**
 * dma_charge() - charge a buffer to the user of the caller
 * @charge: part of the new buffer
 * @file: open file that the buffer is allocated through, or NULL
 * @size: size in bytes, rounded up to whole pages
 *
 * Context: process context, may sleep.
 * Return: 0; -EDQUOT if a limit would be exceeded; or -ENOMEM.
 */
int dma_charge(struct dma_charge *charge, struct dma_charge_file *file,
	       size_t size)
{
	unsigned long pages = DIV_ROUND_UP(size, PAGE_SIZE);
	struct dma_charge_user *user;

	spin_lock(&charge_lock);
	user = find_charge_user(current_uid());
	if (!user) {
		spin_unlock(&charge_lock);
		user = get_charge_user(current_uid());
		if (!user)
			return -ENOMEM;
		spin_lock(&charge_lock);
	}
	if (over_limit(user, file, pages)) {
		spin_unlock(&charge_lock);
		/* It may log, so it is only asked when the answer matters. */
		if (!capable(CAP_SYS_RESOURCE))
			return refuse(user);
		spin_lock(&charge_lock);
	}
	add_to_user(user, pages);
	if (file) {
		file->pages += pages;
		file->buffers++;
	}
	charge->user = user;
	charge->file = file;
	charge->pages = pages;
	spin_unlock(&charge_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(dma_charge);

/**
 * dma_charge_move() - move the charge of a buffer to the user of the caller
 * @charge: part of the buffer
 *
 * If that is another user, the buffer no longer counts against the file that it
 * was allocated through.
 *
 * Context: process context, may sleep.
 * Return: 0; -EDQUOT if the limit of the user would be exceeded, and the charge
 * stays where it was; -ENOMEM; or -EINVAL if the buffer is not charged.
 */
int dma_charge_move(struct dma_charge *charge)
{
	struct dma_charge_user *user = get_charge_user(current_uid());
	struct dma_charge_file *file = NULL;
	int ret = 0;

	if (!user)
		return -ENOMEM;

	spin_lock(&charge_lock);
	if (charge->user && charge->user != user &&
	    over_limit(user, NULL, charge->pages)) {
		spin_unlock(&charge_lock);
		if (!capable(CAP_SYS_RESOURCE))
			return refuse(user);
		spin_lock(&charge_lock);
	}
	if (charge->user && charge->user != user) {
		take_from_user(charge->user, charge->pages);
		add_to_user(user, charge->pages);
		charge->user = user;
		file = drop_file(charge);
	} else if (!charge->user) {
		ret = -EINVAL;
	}
	spin_unlock(&charge_lock);
	kfree(file);
	return ret;
}
EXPORT_SYMBOL_GPL(dma_charge_move);

/**
 * dma_uncharge() - the buffer is freed
 * @charge: part of the buffer; nothing happens if it is not charged
 *
 * Context: process context.
 */
void dma_uncharge(struct dma_charge *charge)
{
	struct dma_charge_file *file;

	if (!charge->user)
		return;

	spin_lock(&charge_lock);
	take_from_user(charge->user, charge->pages);
	charge->user = NULL;
	file = drop_file(charge);
	spin_unlock(&charge_lock);
	kfree(file);
}
EXPORT_SYMBOL_GPL(dma_uncharge);

/**
 * dma_charge_show() - print a line about the user who is charged for a buffer
 * @s: file to print to
 * @charge: part of the buffer, or NULL if the exporter charges nobody
 *
 * Context: process context.
 */
void dma_charge_show(struct seq_file *s, struct dma_charge *charge)
{
	struct dma_charge_user *user = charge ? ACCESS_ONCE(charge->user) : NULL;

	/* A user is never freed, and its number is constant. */
	if (user)
		seq_printf(s, "charged_uid:\t%u\n", user->uid);
}

/*
 * Files in /sys/kernel/mm/dma_charge/
 */

static size_t print_limit(char *buf, size_t size, unsigned long pages)
{
	if (pages == NO_LIMIT)
		return scnprintf(buf, size, "max\n");
	return scnprintf(buf, size, "%llu\n", (u64)pages << PAGE_SHIFT);
}

/* "max", or a number of bytes, also with K, M or G. Returns 0 or an errno. */
static int parse_limit(const char *text, unsigned long *limit)
{
	static const char units[] = "KMG";
	unsigned int shift = 0;
	const char *unit;
	u64 bytes = 0;

	if (sysfs_streq(text, "max")) {
		*limit = NO_LIMIT;
		return 0;
	}
	if (!isdigit(*text))
		return -EINVAL;
	for (; isdigit(*text); text++) {
		if (bytes >= ULLONG_MAX / 10)
			return -ERANGE;
		bytes = bytes * 10 + *text - '0';
	}
	unit = *text ? strchr(units, toupper(*text)) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		text++;
	}
	if (!sysfs_streq(text, ""))
		return -EINVAL;
	if (bytes > ULLONG_MAX >> shift ||
	    (bytes << shift) >> PAGE_SHIFT >= NO_LIMIT)
		return -ERANGE;
	*limit = (bytes << shift) >> PAGE_SHIFT;
	return 0;
}

static ssize_t show_limit(char *buf, const unsigned long *limit)
{
	return print_limit(buf, PAGE_SIZE, ACCESS_ONCE(*limit));
}

static ssize_t store_limit(const char *buf, size_t size, unsigned long *limit)
{
	unsigned long new;
	int ret = parse_limit(buf, &new);

	if (ret)
		return ret;
	spin_lock(&charge_lock);
	*limit = new;
	spin_unlock(&charge_lock);
	return size;
}

static ssize_t user_limit_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return show_limit(buf, &user_limit);
}

static ssize_t user_limit_store(struct kobject *kobj,
				struct kobj_attribute *attr,
				const char *buf, size_t size)
{
	return store_limit(buf, size, &user_limit);
}

static ssize_t file_limit_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return show_limit(buf, &file_limit);
}

static ssize_t file_limit_store(struct kobject *kobj,
				struct kobj_attribute *attr,
				const char *buf, size_t size)
{
	return store_limit(buf, size, &file_limit);
}

/* A line "UID BYTES" for each user with a limit of its own */
static ssize_t user_limits_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	struct dma_charge_user *user;
	struct hlist_node *pos;
	size_t len = 0;
	unsigned int i;

	spin_lock(&charge_lock);
	for (i = 0; i < ARRAY_SIZE(users); i++) {
		for (pos = users[i].first; pos; pos = pos->next) {
			user = hlist_entry(pos, struct dma_charge_user, node);
			if (!user->has_limit || len >= PAGE_SIZE - 32)
				continue;
			len += scnprintf(buf + len, PAGE_SIZE - len, "%u ",
					 user->uid);
			len += print_limit(buf + len, PAGE_SIZE - len,
					   user->limit);
		}
	}
	spin_unlock(&charge_lock);
	return len;
}

/* "UID LIMIT", or "UID default" to let user_limit apply again */
static ssize_t user_limits_store(struct kobject *kobj,
				 struct kobj_attribute *attr,
				 const char *buf, size_t size)
{
	const char *space = strchr(buf, ' ');
	struct dma_charge_user *user;
	unsigned long limit = 0;
	bool has_limit;
	char number[12];
	unsigned int uid;
	int ret;

	if (!space || space - buf >= sizeof(number))
		return -EINVAL;
	strlcpy(number, buf, space - buf + 1);
	ret = kstrtouint(number, 10, &uid);
	if (ret)
		return ret;
	has_limit = !sysfs_streq(space + 1, "default");
	if (has_limit)
		ret = parse_limit(space + 1, &limit);
	if (ret)
		return ret;

	user = get_charge_user(uid);
	if (!user)
		return -ENOMEM;
	spin_lock(&charge_lock);
	user->has_limit = has_limit;
	user->limit = limit;
	spin_unlock(&charge_lock);
	return size;
}

static ssize_t refused_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sprintf(buf, "%lu\n", ACCESS_ONCE(nr_refused));
}

static struct kobj_attribute charge_files[] = {
	__ATTR(user_limit, 0644, user_limit_show, user_limit_store),
	__ATTR(user_limits, 0644, user_limits_show, user_limits_store),
	__ATTR(file_limit, 0644, file_limit_show, file_limit_store),
	__ATTR_RO(refused),
};

/*
 * debugfs: dma_charge, a line for each user, the one who holds most first
 */

struct charge_list {
	unsigned int nr;
	struct dma_charge_user users[];
};

static int by_pages(const void *a, const void *b)
{
	const struct dma_charge_user *left = a, *right = b;

	return left->pages < right->pages ? 1 : left->pages > right->pages ? -1 : 0;
}

/* Copy the users; as many as there were a moment ago. */
static struct charge_list *copy_users(void)
{
	struct charge_list *list;
	struct hlist_node *pos;
	unsigned int i, nr;

	nr = ACCESS_ONCE(nr_users);
	list = vmalloc(sizeof(*list) + nr * sizeof(list->users[0]));
	if (!list)
		return NULL;

	list->nr = 0;
	spin_lock(&charge_lock);
	for (i = 0; i < ARRAY_SIZE(users); i++)
		for (pos = users[i].first; pos && list->nr < nr; pos = pos->next)
			list->users[list->nr++] =
				*hlist_entry(pos, struct dma_charge_user, node);
	spin_unlock(&charge_lock);
	sort(list->users, list->nr, sizeof(list->users[0]), by_pages, NULL);
	return list;
}

static int charge_show(struct seq_file *s, void *unused)
{
	struct charge_list *list = copy_users();
	unsigned int i;
	char limit[24];

	if (!list)
		return -ENOMEM;
	seq_printf(s, "%10s %8s %12s %12s %12s %8s\n", "uid", "buffers", "bytes",
		   "peak", "limit", "refused");
	for (i = 0; i < list->nr; i++) {
		const struct dma_charge_user *user = &list->users[i];

		print_limit(limit, sizeof(limit), user->has_limit ?
			    user->limit : ACCESS_ONCE(user_limit));
		seq_printf(s, "%10u %8lu %12llu %12llu %12.*s %8lu\n",
			   user->uid, user->buffers,
			   (u64)user->pages << PAGE_SHIFT,
			   (u64)user->peak << PAGE_SHIFT,
			   (int)strcspn(limit, "\n"), limit, user->refused);
	}
	vfree(list);
	return 0;
}

static int charge_open(struct inode *inode, struct file *file)
{
	return single_open(file, charge_show, NULL);
}

static const struct file_operations charge_fops = {
	.open		= charge_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init dma_charge_init(void)
{
	struct kobject *dir = kobject_create_and_add("dma_charge", mm_kobj);
	unsigned int i;
	int ret = dir ? 0 : -ENOMEM;

	for (i = 0; !ret && i < ARRAY_SIZE(charge_files); i++)
		ret = sysfs_create_file(dir, &charge_files[i].attr);
	if (ret)
		pr_err("no files in sysfs: error %d\n", ret);
	debugfs_create_file("dma_charge", 0400, NULL, NULL, &charge_fops);
	return ret;
}
late_initcall(dma_charge_init);

static int __init limit_param(const char *name, const char *text,
			      unsigned long *limit, const char *whose)
{
	int ret = parse_limit(text ? text : "", limit);

	if (ret)
		pr_err("%s=%.32s: not a size; no limit\n", name,
		       text ? text : "");
	else if (*limit != NO_LIMIT)
		pr_info("%llu KiB for each %s (%s=%.32s)\n",
			(u64)*limit << PAGE_SHIFT >> 10, whose, name, text);
	return 0;
}

static int __init user_limit_param(char *text)
{
	return limit_param("dma_user_limit", text, &user_limit, "user");
}
early_param("dma_user_limit", user_limit_param);

static int __init file_limit_param(char *text)
{
	return limit_param("dma_file_limit", text, &file_limit, "open file");
}
early_param("dma_file_limit", file_limit_param);
