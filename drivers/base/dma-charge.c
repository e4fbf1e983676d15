// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of buffers, charged to users, devices and open files
 *
 * A process that may open a node of a heap, a camera or a display can hold
 * memory that no limit of processes counts: the buffers belong to none of its
 * mappings. Here each buffer is charged to the user that allocated it, until
 * the buffer is freed, no matter who holds it then. fork(), exec() and passing
 * a descriptor to another process change nothing; DMA_BUF_IOCTL_CLAIM moves the
 * charge to the user of the caller. A buffer of a camera or a display is also
 * charged to that device, and stays so when the device is gone.
 *
 * An allocation that would exceed the limit of the user, of the device, or of
 * the open file that the buffer is allocated through, fails with -EDQUOT unless
 * the caller has CAP_SYS_RESOURCE. Limits apply to what is allocated later: a
 * user who already holds more keeps it.
 */
#define pr_fmt(fmt) "dma_charge: " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-charge.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/jhash.h>
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
#define HASH_BITS	4
#define NAME_SIZE	64

/**
 * struct dma_charge_holder - a user or a device that was charged or has a limit;
 *			      guarded by charge_lock, and never freed
 * @node: entry in the hash of its set
 * @id: number of the user, or hash of the name of the device; constant
 * @has_limit: true if @limit is its own, and not that of all in the set
 * @limit: limit in pages
 * @pages: number of pages that are charged
 * @peak: largest value of @pages
 * @buffers: number of buffers that are charged
 * @refused: number of allocations that failed because of a limit
 * @name: name of the device, or "" for a user; constant
 */
struct dma_charge_holder {
	struct hlist_node node;
	u32 id;
	bool has_limit;
	unsigned long limit;
	unsigned long pages;
	unsigned long peak;
	unsigned long buffers;
	unsigned long refused;
	const char *name;
};

/**
 * struct holder_set - all users, or all devices; guarded by charge_lock
 * @hash: the holders, by their id
 * @nr: number of holders
 * @limit: limit of each holder without one of its own, in pages
 */
struct holder_set {
	struct hlist_head hash[1 << HASH_BITS];
	unsigned int nr;
	unsigned long limit;
};

/**
 * struct dma_charge_file - an open file that buffers are allocated through;
 *			    guarded by charge_lock
 * @user: the user who opened it or allocated through it last
 * @pages: number of pages that were allocated through the file
 * @buffers: number of buffers, which keep the structure after the file
 * @open: true until dma_charge_close() or dma_charge_forget()
 * @key: what identifies the file to dma_charge_device(), if it is in files;
 *	 constant
 * @node: entry in files while @key is valid
 */
struct dma_charge_file {
	struct dma_charge_holder *user;
	unsigned long pages;
	unsigned long buffers;
	bool open;
	const void *key;
	struct hlist_node node;
};

static DEFINE_SPINLOCK(charge_lock);
static struct holder_set users = { .limit = NO_LIMIT };
static struct holder_set devices = { .limit = NO_LIMIT };
static unsigned long file_limit = NO_LIMIT;		/* pages; charge_lock */
static struct hlist_head files[1 << HASH_BITS];		/* charge_lock */
static LIST_HEAD(scopes);				/* charge_lock */
static unsigned long nr_refused;			/* charge_lock */

/*
 * Users and devices
 */

static struct dma_charge_holder *find_holder(struct holder_set *set, u32 id,
					     const char *name)
{
	struct dma_charge_holder *holder;
	struct hlist_node *pos;

	for (pos = set->hash[hash_32(id, HASH_BITS)].first; pos;
	     pos = pos->next) {
		holder = hlist_entry(pos, struct dma_charge_holder, node);
		if (holder->id == id && !strcmp(holder->name, name))
			return holder;
	}
	return NULL;
}

static struct dma_charge_holder *new_holder(u32 id, const char *name)
{
	size_t size = strlen(name) + 1;
	struct dma_charge_holder *holder;

	holder = kzalloc(sizeof(*holder) + size, GFP_KERNEL);
	if (holder) {
		holder->id = id;
		holder->name = memcpy(holder + 1, name, size);
	}
	return holder;
}

/* Return the holder, who is never freed, or NULL if there is no memory. */
static struct dma_charge_holder *get_holder(struct holder_set *set, u32 id,
					    const char *name)
{
	struct dma_charge_holder *holder, *new;

	spin_lock(&charge_lock);
	holder = find_holder(set, id, name);
	spin_unlock(&charge_lock);
	if (holder)
		return holder;

	new = new_holder(id, name);
	if (!new)
		return NULL;

	spin_lock(&charge_lock);
	holder = find_holder(set, id, name);
	if (!holder) {
		new->limit = set->limit;
		hlist_add_head(&new->node, &set->hash[hash_32(id, HASH_BITS)]);
		set->nr++;
		swap(holder, new);
	}
	spin_unlock(&charge_lock);
	kfree(new);
	return holder;
}

static struct dma_charge_holder *get_user_holder(uid_t uid)
{
	return get_holder(&users, uid, "");
}

static struct dma_charge_holder *get_device_holder(const char *name)
{
	return get_holder(&devices, jhash(name, strlen(name), 0), name);
}

static void add_to(struct dma_charge_holder *holder, unsigned long pages)
{
	holder->pages += pages;
	holder->buffers++;
	if (holder->pages > holder->peak)
		holder->peak = holder->pages;
}

static void take_from(struct dma_charge_holder *holder, unsigned long pages)
{
	holder->pages -= pages;
	holder->buffers--;
}

/*
 * Open files
 */

static struct dma_charge_file *new_file(const void *key,
					struct dma_charge_holder *user)
{
	struct dma_charge_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (file) {
		file->user = user;
		file->open = true;
		file->key = key;
	}
	return file;
}

static struct hlist_head *files_of(const void *key)
{
	return &files[hash_ptr((void *)key, HASH_BITS)];
}

static struct dma_charge_file *find_file(const void *key)
{
	struct dma_charge_file *file;
	struct hlist_node *pos;

	for (pos = files_of(key)->first; pos; pos = pos->next) {
		file = hlist_entry(pos, struct dma_charge_file, node);
		if (file->key == key)
			return file;
	}
	return NULL;
}

/*
 * Return the structure of an open file, or NULL if there is no memory. The
 * caller keeps the file open, so that it is not freed.
 */
static struct dma_charge_file *get_file_of(const void *key,
					   struct dma_charge_holder *user)
{
	struct dma_charge_file *file, *new;

	spin_lock(&charge_lock);
	file = find_file(key);
	spin_unlock(&charge_lock);
	if (file)
		return file;

	new = new_file(key, user);
	if (!new)
		return NULL;

	/* Another thread may have added it. */
	spin_lock(&charge_lock);
	file = find_file(key);
	if (!file) {
		hlist_add_head(&new->node, files_of(key));
		swap(file, new);
	}
	spin_unlock(&charge_lock);
	kfree(new);
	return file;
}

/* The lock is held. */
static void free_unused(struct dma_charge_file *file)
{
	if (!file->buffers && !file->open)
		kfree(file);
}

static void drop_file(struct dma_charge *charge)
{
	struct dma_charge_file *file = charge->file;

	if (!file)
		return;
	charge->file = NULL;
	file->pages -= charge->pages;
	file->buffers--;
	free_unused(file);
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
	struct dma_charge_holder *user = get_user_holder(current_uid());
	struct dma_charge_file *file = user ? new_file(NULL, user) : NULL;

	return file ? file : ERR_PTR(-ENOMEM);
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
	free_unused(file);
	spin_unlock(&charge_lock);
}
EXPORT_SYMBOL_GPL(dma_charge_close);

/**
 * dma_charge_forget() - a file is closed that dma_charge_device() may know
 * @key: what identifies it
 *
 * Context: process context. Nobody allocates through the file.
 */
void dma_charge_forget(const void *key)
{
	struct dma_charge_file *file;

	spin_lock(&charge_lock);
	file = find_file(key);
	if (file) {
		hlist_del(&file->node);
		file->open = false;
		free_unused(file);
	}
	spin_unlock(&charge_lock);
}
EXPORT_SYMBOL_GPL(dma_charge_forget);

/**
 * dma_charge_enter() - what this task allocates is allocated through a file
 * @scope: on the stack of the caller, for dma_charge_leave()
 * @key: what identifies the open file, which calls dma_charge_forget()
 *
 * For allocators that do not know the file.
 *
 * Context: process context.
 */
void dma_charge_enter(struct dma_charge_scope *scope, const void *key)
{
	scope->task = current;
	scope->key = key;
	spin_lock(&charge_lock);
	list_add(&scope->node, &scopes);
	spin_unlock(&charge_lock);
}
EXPORT_SYMBOL_GPL(dma_charge_enter);

/**
 * dma_charge_leave() - end what dma_charge_enter() began
 * @scope: the same
 *
 * Context: process context.
 */
void dma_charge_leave(struct dma_charge_scope *scope)
{
	spin_lock(&charge_lock);
	list_del(&scope->node);
	spin_unlock(&charge_lock);
}
EXPORT_SYMBOL_GPL(dma_charge_leave);

/* The file that this task entered last, or NULL */
static const void *entered_file(void)
{
	struct dma_charge_scope *scope;
	const void *key = NULL;

	spin_lock(&charge_lock);
	list_for_each_entry(scope, &scopes, node) {
		if (scope->task == current) {
			key = scope->key;
			break;
		}
	}
	spin_unlock(&charge_lock);
	return key;
}

/*
 * Charges
 */

/* Nobody holds ULONG_MAX pages, so that NO_LIMIT is no exception. */
static bool exceeds(unsigned long pages, unsigned long more,
		    unsigned long limit)
{
	return more > limit || pages > limit - more;
}

static bool over_own_limit(const struct dma_charge_holder *holder,
			   unsigned long pages)
{
	return exceeds(holder->pages, pages, holder->limit);
}

/* Count an allocation that a limit prevents. */
static int refuse(struct dma_charge_holder *user,
		  struct dma_charge_holder *device, unsigned long pages)
{
	spin_lock(&charge_lock);
	user->refused++;
	if (device && over_own_limit(device, pages))
		device->refused++;
	nr_refused++;
	spin_unlock(&charge_lock);
	return -EDQUOT;
}

/*
 * Always inline: dma_charge(), which has no device, is in the path of a heap
 * that allocates in a few microseconds.
 */
static __always_inline int charge_to(struct dma_charge *charge,
				     struct dma_charge_holder *user,
				     struct dma_charge_holder *device,
				     struct dma_charge_file *file, size_t size)
{
	/* A sum could overflow. */
	unsigned long pages = (size >> PAGE_SHIFT) + !!(size & ~PAGE_MASK);

	spin_lock(&charge_lock);
	if (over_own_limit(user, pages) ||
	    (device && over_own_limit(device, pages)) ||
	    (file && exceeds(file->pages, pages, file_limit))) {
		spin_unlock(&charge_lock);
		/* It may log, so it is only asked when the answer matters. */
		if (!capable(CAP_SYS_RESOURCE))
			return refuse(user, device, pages);
		spin_lock(&charge_lock);
	}
	add_to(user, pages);
	if (device)
		add_to(device, pages);
	if (file) {
		file->user = user;
		file->pages += pages;
		file->buffers++;
	}
	charge->user = user;
	charge->device = device;
	charge->file = file;
	charge->pages = pages;
	spin_unlock(&charge_lock);
	return 0;
}

/**
 * dma_charge() - charge a buffer to the user of the caller
 * @charge: part of the new buffer
 * @file: open file that the buffer is allocated through
 * @size: size in bytes, rounded up to whole pages
 *
 * Context: process context, may sleep.
 * Return: 0; -EDQUOT if a limit would be exceeded; or -ENOMEM.
 */
int dma_charge(struct dma_charge *charge, struct dma_charge_file *file,
	       size_t size)
{
	/* Most files are used by one user, and users are never freed. */
	struct dma_charge_holder *user = ACCESS_ONCE(file->user);

	if (user->id != current_uid()) {
		user = get_user_holder(current_uid());
		if (!user)
			return -ENOMEM;
	}
	return charge_to(charge, user, NULL, file, size);
}
EXPORT_SYMBOL_GPL(dma_charge);

/**
 * dma_charge_device() - charge a buffer to a device and the user of the caller
 * @charge: part of the new buffer
 * @dev: device that the buffer is allocated for; it can go before the buffer
 * @key: what identifies the open file that the buffer is allocated through, or
 *	 NULL for the file of dma_charge_enter(), if any. dma_charge_forget() is
 *	 called when the file is closed.
 * @size: size in bytes, rounded up to whole pages
 *
 * Context: process context, may sleep.
 * Return: 0; -EDQUOT if a limit would be exceeded; or -ENOMEM.
 */
int dma_charge_device(struct dma_charge *charge, struct device *dev,
		      const void *key, size_t size)
{
	struct dma_charge_holder *user = get_user_holder(current_uid());
	struct dma_charge_holder *device = get_device_holder(dev_name(dev));
	struct dma_charge_file *file = NULL;

	if (!user || !device)
		return -ENOMEM;
	if (!key)
		key = entered_file();
	if (key) {
		file = get_file_of(key, user);
		if (!file)
			return -ENOMEM;
	}
	return charge_to(charge, user, device, file, size);
}
EXPORT_SYMBOL_GPL(dma_charge_device);

/**
 * dma_charge_move() - move the charge of a buffer to the user of the caller
 * @charge: part of the buffer
 *
 * If that is another user, the buffer no longer counts against the file that it
 * was allocated through. It still counts against the device.
 *
 * Context: process context, may sleep.
 * Return: 0; -EDQUOT if the limit of the user would be exceeded, and the charge
 * stays where it was; -ENOMEM; or -EINVAL if the buffer is not charged.
 */
int dma_charge_move(struct dma_charge *charge)
{
	struct dma_charge_holder *user = get_user_holder(current_uid());
	int ret = 0;

	if (!user)
		return -ENOMEM;

	spin_lock(&charge_lock);
	if (charge->user && charge->user != user &&
	    over_own_limit(user, charge->pages)) {
		spin_unlock(&charge_lock);
		if (!capable(CAP_SYS_RESOURCE))
			return refuse(user, NULL, 0);
		spin_lock(&charge_lock);
	}
	if (!charge->user) {
		ret = -EINVAL;
	} else if (charge->user != user) {
		take_from(charge->user, charge->pages);
		add_to(user, charge->pages);
		charge->user = user;
		drop_file(charge);
	}
	spin_unlock(&charge_lock);
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
	unsigned long pages = charge->pages;

	if (!charge->user)
		return;

	spin_lock(&charge_lock);
	take_from(charge->user, pages);
	if (charge->device)
		take_from(charge->device, pages);
	drop_file(charge);
	charge->user = NULL;
	spin_unlock(&charge_lock);
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
	struct dma_charge_holder *user;

	/* A user is never freed, and its number is constant. */
	user = charge ? ACCESS_ONCE(charge->user) : NULL;
	if (user)
		seq_printf(s, "charged_uid:\t%u\n", user->id);
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

struct limit_file {
	struct kobj_attribute attr;
	unsigned long *limit;
	struct holder_set *set;		/* whose limit it is, or NULL */
};

static struct limit_file *to_limit_file(struct kobj_attribute *attr)
{
	return container_of(attr, struct limit_file, attr);
}

static ssize_t limit_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return print_limit(buf, PAGE_SIZE,
			   ACCESS_ONCE(*to_limit_file(attr)->limit));
}

static void set_limit_of_all(struct holder_set *set, unsigned long limit)
{
	struct dma_charge_holder *holder;
	struct hlist_node *pos;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(set->hash); i++) {
		for (pos = set->hash[i].first; pos; pos = pos->next) {
			holder = hlist_entry(pos, struct dma_charge_holder, node);
			if (!holder->has_limit)
				holder->limit = limit;
		}
	}
}

static ssize_t limit_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t size)
{
	struct limit_file *file = to_limit_file(attr);
	unsigned long limit;
	int ret = parse_limit(buf, &limit);

	if (ret)
		return ret;
	spin_lock(&charge_lock);
	*file->limit = limit;
	if (file->set)
		set_limit_of_all(file->set, limit);
	spin_unlock(&charge_lock);
	return size;
}

static size_t print_holder(char *buf, size_t size, struct holder_set *set,
			   const struct dma_charge_holder *holder, int width)
{
	if (set == &users)
		return scnprintf(buf, size, "%*u ", width, holder->id);
	return scnprintf(buf, size, "%*s ", width, holder->name);
}

/* A line "NAME BYTES" for each holder with a limit of its own */
static ssize_t limits_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	struct holder_set *set = to_limit_file(attr)->set;
	struct dma_charge_holder *holder;
	struct hlist_node *pos;
	size_t len = 0;
	unsigned int i;

	spin_lock(&charge_lock);
	for (i = 0; i < ARRAY_SIZE(set->hash); i++) {
		for (pos = set->hash[i].first; pos; pos = pos->next) {
			holder = hlist_entry(pos, struct dma_charge_holder, node);
			if (!holder->has_limit ||
			    len >= PAGE_SIZE - NAME_SIZE - 32)
				continue;
			len += print_holder(buf + len, PAGE_SIZE - len, set,
					    holder, 0);
			len += print_limit(buf + len, PAGE_SIZE - len,
					   holder->limit);
		}
	}
	spin_unlock(&charge_lock);
	return len;
}

/* Return the user or device of a name, or ERR_PTR. */
static struct dma_charge_holder *get_named(struct holder_set *set,
					   const char *name)
{
	struct dma_charge_holder *holder;
	unsigned int uid;
	int ret;

	if (set == &users) {
		ret = kstrtouint(name, 10, &uid);
		if (ret)
			return ERR_PTR(ret);
		holder = get_user_holder(uid);
	} else {
		holder = get_device_holder(name);
	}
	return holder ? holder : ERR_PTR(-ENOMEM);
}

/* "NAME LIMIT", or "NAME default" to let the limit of all apply again */
static ssize_t limits_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t size)
{
	struct holder_set *set = to_limit_file(attr)->set;
	const char *space = strrchr(buf, ' ');
	struct dma_charge_holder *holder;
	unsigned long limit = 0;
	char name[NAME_SIZE];
	bool has_limit;
	int ret = 0;

	if (!space || space == buf || space - buf >= sizeof(name))
		return -EINVAL;
	strlcpy(name, buf, space - buf + 1);
	has_limit = !sysfs_streq(space + 1, "default");
	if (has_limit)
		ret = parse_limit(space + 1, &limit);
	if (ret)
		return ret;
	holder = get_named(set, name);
	if (IS_ERR(holder))
		return PTR_ERR(holder);

	spin_lock(&charge_lock);
	holder->has_limit = has_limit;
	holder->limit = has_limit ? limit : set->limit;
	spin_unlock(&charge_lock);
	return size;
}

#define LIMIT(_name, _limit, _set)					\
	{ __ATTR(_name, 0644, limit_show, limit_store), _limit, _set }
#define LIMITS(_name, _set)						\
	{ __ATTR(_name, 0644, limits_show, limits_store), NULL, _set }

static struct limit_file limit_files[] = {
	LIMIT(user_limit, &users.limit, &users),
	LIMITS(user_limits, &users),
	LIMIT(device_limit, &devices.limit, &devices),
	LIMITS(device_limits, &devices),
	LIMIT(file_limit, &file_limit, NULL),
};

static ssize_t refused_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sprintf(buf, "%lu\n", ACCESS_ONCE(nr_refused));
}

static struct kobj_attribute refused_file = __ATTR_RO(refused);

/*
 * debugfs: dma_charge, a line for each user and for each device, the one who
 * holds most first
 */

struct charge_list {
	unsigned int nr;
	struct dma_charge_holder holders[];
};

static int by_pages(const void *a, const void *b)
{
	const struct dma_charge_holder *left = a, *right = b;

	return left->pages < right->pages ? 1 : left->pages > right->pages ? -1 : 0;
}

/* Copy the holders; as many as there were a moment ago. */
static struct charge_list *copy_holders(struct holder_set *set)
{
	unsigned int i, nr = ACCESS_ONCE(set->nr);
	struct charge_list *list;
	struct hlist_node *pos;

	list = vmalloc(sizeof(*list) + nr * sizeof(list->holders[0]));
	if (!list)
		return NULL;

	list->nr = 0;
	spin_lock(&charge_lock);
	for (i = 0; i < ARRAY_SIZE(set->hash); i++)
		for (pos = set->hash[i].first; pos && list->nr < nr;
		     pos = pos->next)
			list->holders[list->nr++] =
				*hlist_entry(pos, struct dma_charge_holder, node);
	spin_unlock(&charge_lock);
	sort(list->holders, list->nr, sizeof(list->holders[0]), by_pages, NULL);
	return list;
}

static int show_holders(struct seq_file *s, struct holder_set *set,
			const char *whose)
{
	struct charge_list *list = copy_holders(set);
	char name[NAME_SIZE + 1], limit[24];
	unsigned int i;

	if (!list)
		return -ENOMEM;
	seq_printf(s, "%10s %8s %12s %12s %12s %8s\n", whose, "buffers", "bytes",
		   "peak", "limit", "refused");
	for (i = 0; i < list->nr; i++) {
		const struct dma_charge_holder *holder = &list->holders[i];

		print_holder(name, sizeof(name), set, holder, 10);
		print_limit(limit, sizeof(limit), holder->limit);
		seq_printf(s, "%s%8lu %12llu %12llu %12.*s %8lu\n", name,
			   holder->buffers, (u64)holder->pages << PAGE_SHIFT,
			   (u64)holder->peak << PAGE_SHIFT,
			   (int)strcspn(limit, "\n"), limit, holder->refused);
	}
	vfree(list);
	return 0;
}

static int charge_show(struct seq_file *s, void *unused)
{
	int ret = show_holders(s, &users, "uid");

	return ret ? ret : show_holders(s, &devices, "device");
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

	for (i = 0; !ret && i < ARRAY_SIZE(limit_files); i++)
		ret = sysfs_create_file(dir, &limit_files[i].attr.attr);
	if (!ret)
		ret = sysfs_create_file(dir, &refused_file.attr);
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
	return limit_param("dma_user_limit", text, &users.limit, "user");
}
early_param("dma_user_limit", user_limit_param);

static int __init file_limit_param(char *text)
{
	return limit_param("dma_file_limit", text, &file_limit, "open file");
}
early_param("dma_file_limit", file_limit_param);

static int __init device_limit_param(char *text)
{
	return limit_param("dma_device_limit", text, &devices.limit, "device");
}
early_param("dma_device_limit", device_limit_param);
