// SPDX-License-Identifier: GPL-2.0
/*
 * Charges of buffers: users, devices, open files, and what limits prevent
 */
#include "charge.h"
#include <linux/dma-charge.h>

#define TAP_PREFIX	UNIT ": "
#define TAP_SECONDS	60
#define TAP_TEST_END	end_test
static void end_test(void);
#include "tap.h"

static struct task_struct tasks[2];
struct task_struct *host_task = &tasks[0];
unsigned int host_uid = 1000;
bool host_capable;
int host_fail_alloc;
void (*host_others)(void);
struct kobject *mm_kobj;
unsigned int test_checks;

static unsigned int nr_capable, held;
static const struct attribute *files[16];
static unsigned int nr_files, fail_file;
static struct kobject root;
static bool fail_dir;
static const struct file_operations *debugfs;
static struct seq_file seq;

static void end_test(void)
{
	REQUIRE(!held, "a lock is still held");
}

/* The kernel */

/* What others do while the lock is free, once */
static void let_others(void)
{
	void (*others)(void) = host_others;

	host_others = NULL;
	if (others)
		others();
}

void spin_lock(spinlock_t *lock)
{
	REQUIRE(!held, "the lock is taken twice");
	let_others();
	lock->held = true;
	held++;
}

void spin_unlock(spinlock_t *lock)
{
	REQUIRE(lock->held, "the lock is not held");
	lock->held = false;
	held--;
}

bool capable(int cap)
{
	REQUIRE_EQ(cap, CAP_SYS_RESOURCE);
	REQUIRE(!held, "capable() with the lock held");
	nr_capable++;
	return host_capable;
}

void *kzalloc(size_t size, int flags)
{
	REQUIRE(!held, "kzalloc() with the lock held");
	if (host_fail_alloc && !--host_fail_alloc)
		return NULL;
	return calloc(1, size);
}

void *vmalloc(size_t size)
{
	REQUIRE(!held, "vmalloc() with the lock held");
	if (host_fail_alloc && !--host_fail_alloc)
		return NULL;
	return malloc(size);
}

bool sysfs_streq(const char *a, const char *b)
{
	size_t len = strlen(b);

	return !strncmp(a, b, len) && (!a[len] || !strcmp(a + len, "\n"));
}

int kstrtouint(const char *text, unsigned int base, unsigned int *val)
{
	unsigned long long number;
	char *end;

	number = strtoull(text, &end, base);
	if (end == text || *end || !isdigit(*text))
		return -EINVAL;
	*val = number;
	return number > UINT_MAX ? -ERANGE : 0;
}

size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return (size_t)len < size ? len : size - 1;
}

void host_strlcpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)
{
	REQUIRE_STREQ(name, "dma_charge");
	return fail_dir ? NULL : &root;
}

int sysfs_create_file(struct kobject *kobj, const struct attribute *attr)
{
	REQUIRE(kobj == &root);
	if (nr_files + 1 == fail_file)
		return -ENOMEM;
	files[nr_files++] = attr;
	return 0;
}

void debugfs_create_file(const char *name, int mode, void *dir, void *data,
			 const struct file_operations *fops)
{
	REQUIRE_STREQ(name, "dma_charge");
	REQUIRE_EQ(mode, 0400);
	debugfs = fops;
}

int single_open(struct file *file, int (*show)(struct seq_file *s, void *unused), void *data)
{
	memset(&seq, 0, sizeof(seq));
	return show(&seq, NULL);
}

void seq_printf(struct seq_file *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	s->len += vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, args);
	va_end(args);
	REQUIRE(s->len < sizeof(s->text));
}

/* Files */

static struct kobj_attribute *file(const char *name)
{
	unsigned int i;

	if (!nr_files)
		REQUIRE_EQ(host_late_initcall(), 0);
	for (i = 0; i < nr_files; i++)
		if (!strcmp(files[i]->name, name))
			return container_of(files[i], struct kobj_attribute, attr);
	REQUIRE(0, "no file %s", name);
	return NULL;
}

static const char *get(const char *name)
{
	static char text[PAGE_SIZE];
	ssize_t len;

	memset(text, 0, sizeof(text));
	len = file(name)->show(&root, file(name), text);
	REQUIRE_EQ(strnlen(text, sizeof(text)), len);
	return text;
}

static ssize_t put(const char *name, const char *text)
{
	char page[PAGE_SIZE];

	snprintf(page, sizeof(page), "%s", text);
	return file(name)->store(&root, file(name), page, strlen(page));
}

static void set(const char *name, const char *text)
{
	REQUIRE_EQ(put(name, text), strlen(text), "%s: %s", name, text);
}

/* What debugfs says of a user or a device, in pages */
struct charged {
	unsigned long buffers;
	unsigned long long pages, peak;
	char limit[30];
	unsigned long refused;
	unsigned int lines;
};

static struct charged charged(const char *holder)
{
	struct charged c, found = { 0 };
	char *line, *next, name[100];

	file("refused");
	REQUIRE_EQ(debugfs->open(NULL, NULL), 0);
	for (line = seq.text; *line; line = next) {
		next = strchr(line, '\n');
		REQUIRE(next);
		*next++ = '\0';
		if (sscanf(line, "%99s %lu %llu %llu %29s %lu", name, &c.buffers, &c.pages, &c.peak,
			   c.limit, &c.refused) != 6 || strcmp(name, holder))
			continue;
		c.lines = found.lines + 1;
		found = c;
	}
	REQUIRE_EQ((found.pages | found.peak) % PAGE_SIZE, 0);
	found.pages /= PAGE_SIZE;
	found.peak /= PAGE_SIZE;
	return found;
}

#define REQUIRE_HELD(holder, nr_buffers, nr_pages) do {				\
	struct charged held_ = charged(holder);					\
										\
	REQUIRE_EQ(held_.buffers, nr_buffers);					\
	REQUIRE_EQ(held_.pages, nr_pages);					\
} while (0)

static void *key(int n)
{
	static char keys[4][256];

	return keys[n];
}

static struct device cam0 = { "cam0" }, cam1 = { "cbm1" };

/* Users and sizes */

TEST(sizes, "a buffer is charged in whole pages")
{
	static const struct { size_t size; unsigned int pages; } rows[] = {
		{ 0, 0 }, { 1, 1 }, { 4095, 1 }, { 4096, 1 }, { 4097, 2 }, { 8192, 2 },
		{ 1 << 20, 256 },
	};
	struct dma_charge_file *heap = dma_charge_open();
	struct dma_charge charge, card;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		REQUIRE_EQ(dma_charge(&charge, heap, rows[i].size), 0);
		REQUIRE_HELD("1000", 1, rows[i].pages);
		REQUIRE_EQ(dma_charge_device(&card, &cam0, NULL, rows[i].size), 0);
		REQUIRE_HELD("1000", 2, 2 * rows[i].pages);
		REQUIRE_HELD("cam0", 1, rows[i].pages);
		dma_uncharge(&charge);
		dma_uncharge(&card);
		REQUIRE_HELD("1000", 0, 0);
		REQUIRE_HELD("cam0", 0, 0);
	}
	REQUIRE_EQ(charged("1000").peak, 512);
	REQUIRE_EQ(charged("cam0").peak, 256);
	/* The last page is not lost in the sum */
	set("user_limit", "1M");
	REQUIRE_EQ(dma_charge(&charge, heap, (size_t)-1), -EDQUOT);
	REQUIRE_EQ(dma_charge_device(&card, &cam0, NULL, (size_t)-1), -EDQUOT);
	dma_charge_close(heap);
}

TEST(twice, "what is not charged is not uncharged, and nothing twice")
{
	struct dma_charge charge = { NULL };

	dma_uncharge(&charge);
	REQUIRE_EQ(dma_charge_device(&charge, &cam0, key(0), 8192), 0);
	dma_uncharge(&charge);
	dma_uncharge(&charge);
	REQUIRE_HELD("1000", 0, 0);
	REQUIRE_HELD("cam0", 0, 0);
	dma_charge_forget(key(0));
}

/* Charge pages until it fails: how many buffers there are */
static int fill(struct dma_charge *charges, int most, struct dma_charge_file *heap, int pages)
{
	int n, ret;

	for (n = 0; n < most; n++) {
		ret = heap ? dma_charge(&charges[n], heap, pages * PAGE_SIZE) :
			     dma_charge_device(&charges[n], &cam0, key(0), pages * PAGE_SIZE);
		if (ret) {
			REQUIRE_EQ(ret, -EDQUOT);
			break;
		}
	}
	return n;
}

static void empty(struct dma_charge *charges, int n)
{
	while (n--)
		dma_uncharge(&charges[n]);
}

/* Whose limit: how a limit of pages is set, and who is charged */
static const struct { const char *file, *format, *holder; } limits[] = {
	{ "user_limit", "%uK", NULL }, { "user_limits", "1000 %uK", "1000" },
	{ "device_limit", "%uK", NULL }, { "device_limits", "cam0 %uK", "cam0" },
	{ "file_limit", "%uK", NULL },
};

static const char *limit_name(size_t row)
{
	return limits[row].file;
}

static void limit_pages(size_t row, unsigned int pages)
{
	char text[40];

	snprintf(text, sizeof(text), limits[row].format, 4 * pages);
	set(limits[row].file, text);
}

TEST_TABLE(exact, "a limit is reached exactly, and no page beyond it", ARRAY_SIZE(limits),
	   limit_name)
{
	bool is_device = strstr(limits[row].file, "device");
	int heap_too;

	for (heap_too = 0; heap_too < 2 - is_device; heap_too++) {
		struct dma_charge_file *heap = heap_too ? dma_charge_open() : NULL;
		struct dma_charge a[20], b[20];
		unsigned long refused = charged("1000").refused;
		unsigned long refused_dev = charged("cam0").refused;

		limit_pages(row, 8);
		REQUIRE_EQ(fill(a, 20, heap, 1), 8);
		REQUIRE_EQ(fill(b, 20, heap, 1), 0);
		empty(a, 8);
		REQUIRE_EQ(fill(a, 20, heap, 9), 0);
		REQUIRE_EQ(fill(a, 20, heap, 8), 1);
		empty(a, 1);
		REQUIRE_EQ(fill(a, 1, heap, 5), 1);
		REQUIRE_EQ(fill(b, 20, heap, 4), 0);
		REQUIRE_EQ(fill(b, 20, heap, 3), 1);
		/* 8 pages are held: a lower limit takes nothing away */
		limit_pages(row, 4);
		REQUIRE_EQ(fill(b + 1, 20, heap, 1), 0);
		REQUIRE_HELD("1000", 2, 8);
		empty(b, 1);
		REQUIRE_EQ(fill(b, 20, heap, 1), 0);
		empty(a, 1);
		REQUIRE_EQ(fill(a, 20, heap, 1), 4);
		empty(a, 4);
		limit_pages(row, 0);
		REQUIRE_EQ(fill(a, 20, heap, 1), 0);
		limit_pages(row, 8);
		REQUIRE_EQ(fill(a, 20, heap, 2), 4);
		empty(a, 4);
		/* Each fill() that was stopped: all but the first of 5 pages */
		REQUIRE_EQ(charged("1000").refused - refused, 11);
		REQUIRE_EQ(charged("cam0").refused - refused_dev, is_device ? 11 : 0);
		REQUIRE_HELD("1000", 0, 0);
		dma_charge_close(heap);
	}
	REQUIRE_EQ(atol(get("refused")), 22 - 11 * is_device);
	REQUIRE_EQ(nr_capable, 22 - 11 * is_device);
	dma_charge_forget(key(0));
}

TEST_TABLE(capable, "who has CAP_SYS_RESOURCE is charged beyond the limit", ARRAY_SIZE(limits),
	   limit_name)
{
	struct dma_charge a[3];

	host_capable = true;
	limit_pages(row, 3);
	REQUIRE_EQ(fill(a, 1, NULL, 3), 1);
	REQUIRE_EQ(nr_capable, 0);
	REQUIRE_EQ(fill(a + 1, 2, NULL, 4), 2);
	REQUIRE_EQ(nr_capable, 2);
	REQUIRE_HELD("1000", 3, 11);
	REQUIRE_HELD("cam0", 3, 11);
	REQUIRE_EQ(charged("1000").refused, 0);
	REQUIRE_STREQ(get("refused"), "0\n");
	empty(a, 3);
	REQUIRE_HELD("1000", 0, 0);
	dma_charge_forget(key(0));
}

/* How many pages a user gets */
static int pages_for(unsigned int uid)
{
	struct dma_charge_file *heap;
	struct dma_charge a[20];
	int n;

	host_uid = uid;
	heap = dma_charge_open();
	n = fill(a, 20, heap, 1);
	empty(a, n);
	dma_charge_close(heap);
	host_uid = 1000;
	return n;
}

TEST(own_limit, "a user's own limit applies instead of that of all")
{
	REQUIRE_EQ(pages_for(1000), 20);
	set("user_limit", "16384\n");
	REQUIRE_EQ(pages_for(1000), 4);
	REQUIRE_EQ(pages_for(1001), 4);
	set("user_limits", "1000 8192\n");
	REQUIRE_EQ(pages_for(1000), 2);
	REQUIRE_EQ(pages_for(1001), 4);
	/* 1004 has the same hash */
	REQUIRE_EQ(pages_for(1004), 4);
	set("user_limits", "1004 24K");
	set("user_limit", "12K");
	REQUIRE_EQ(pages_for(1000), 2);
	REQUIRE_EQ(pages_for(1001), 3);
	REQUIRE_EQ(pages_for(1004), 6);
	REQUIRE_EQ(pages_for(1005), 3);
	REQUIRE(!strcmp(get("user_limits"), "1000 8192\n1004 24576\n") ||
		!strcmp(get("user_limits"), "1004 24576\n1000 8192\n"), "%s", get("user_limits"));
	set("user_limits", "1000 max");
	REQUIRE_EQ(pages_for(1000), 20);
	set("user_limits", "1000 default");
	REQUIRE_EQ(pages_for(1000), 3);
	set("user_limits", "1004 default\n");
	REQUIRE_STREQ(get("user_limits"), "");
	set("user_limit", "max");
	REQUIRE_EQ(pages_for(1000), 20);
	REQUIRE_EQ(pages_for(1004), 20);
	REQUIRE_STREQ(charged("1000").limit, "max");
}

/* Devices */

static int pages_on(struct device *dev, unsigned int uid)
{
	struct dma_charge a[20];
	int n;

	host_uid = uid;
	for (n = 0; n < 20; n++)
		if (dma_charge_device(&a[n], dev, NULL, PAGE_SIZE))
			break;
	empty(a, n);
	host_uid = 1000;
	return n;
}

TEST(devices, "a limit holds for a device, whoever uses it, and for no other")
{
	struct dma_charge a;
	char text[80];

	set("device_limit", "32K");
	/* It has the same hash */
	set("device_limits", "cbm1 12K\n");
	REQUIRE_EQ(pages_on(&cam0, 1000), 8);
	REQUIRE_EQ(pages_on(&cam1, 1000), 3);
	REQUIRE_EQ(pages_on(&cam1, 1001), 3);
	REQUIRE_EQ(dma_charge_device(&a, &cam1, NULL, PAGE_SIZE), 0);
	REQUIRE_EQ(pages_on(&cam1, 1001), 2);
	REQUIRE_EQ(pages_on(&cam0, 1001), 8);
	REQUIRE_EQ(pages_for(1000), 20, "heaps are no devices");
	dma_uncharge(&a);
	REQUIRE_STREQ(get("device_limits"), "cbm1 12288\n");
	REQUIRE_STREQ(get("device_limit"), "32768\n");
	set("device_limits", "cbm1 default");
	REQUIRE_EQ(pages_on(&cam1, 1000), 8);
	/* A name can have spaces, and 63 characters */
	set("device_limits", "my camera 4K");
	REQUIRE_EQ(pages_on(&(struct device){ "my camera" }, 1000), 1);
	set("device_limits", "my camera default");
	snprintf(text, sizeof(text), "%064d 0", 0);
	REQUIRE_EQ(put("device_limits", text), -EINVAL);
	snprintf(text, sizeof(text), "%063d 0", 0);
	set("device_limits", text);
	REQUIRE(!strncmp(get("device_limits"), text, strlen(text)), "%s", get("device_limits"));
	text[63] = '\0';
	REQUIRE_EQ(charged(text).lines, 1);
	REQUIRE_EQ(charged("cam0").lines, 1);
}

TEST(device_gone, "a device that is gone stays charged, and has its charge when it returns")
{
	char *name = strdup("cam0");
	struct device *dev = malloc(sizeof(*dev));
	struct dma_charge a;

	dev->name = name;
	REQUIRE_EQ(dma_charge_device(&a, dev, key(0), 3 * PAGE_SIZE), 0);
	dma_charge_forget(key(0));
	free(dev);
	free(name);
	REQUIRE_HELD("cam0", 1, 3);
	set("device_limit", "16K");
	REQUIRE_EQ(pages_on(&cam0, 1000), 1);
	dma_uncharge(&a);
	REQUIRE_HELD("cam0", 0, 0);
	REQUIRE_EQ(pages_on(&cam0, 1000), 4);
}

/* Open files */

TEST(user_of_file, "a buffer is charged to who allocates it, not to who opened the file")
{
	struct dma_charge_file *heap;
	struct dma_charge a[3];

	host_uid = 0;
	heap = dma_charge_open();
	host_uid = 1000;
	REQUIRE_EQ(dma_charge(&a[0], heap, PAGE_SIZE), 0);
	host_uid = 1001;
	REQUIRE_EQ(dma_charge(&a[1], heap, PAGE_SIZE), 0);
	host_uid = 1000;
	REQUIRE_EQ(dma_charge(&a[2], heap, PAGE_SIZE), 0);
	REQUIRE_HELD("0", 0, 0);
	REQUIRE_HELD("1000", 2, 2);
	REQUIRE_HELD("1001", 1, 1);
	dma_charge_close(heap);
	empty(a, 3);
	REQUIRE_HELD("1000", 0, 0);
	REQUIRE_HELD("1001", 0, 0);
}

TEST(file_life, "a file is freed with the last of its buffers, or when it is closed")
{
	struct dma_charge_file *heap = dma_charge_open();
	struct dma_charge a[2];

	dma_charge_close(NULL);
	dma_charge_close(heap);
	heap = dma_charge_open();
	set("file_limit", "8K");
	REQUIRE_EQ(fill(a, 2, heap, 1), 2);
	empty(a, 2);
	REQUIRE_EQ(fill(a, 2, heap, 1), 2);
	dma_charge_close(heap);
	empty(a, 2);

	REQUIRE_EQ(fill(a, 2, NULL, 1), 2);
	empty(a, 2);
	REQUIRE_EQ(fill(a, 2, NULL, 1), 2);
	dma_charge_forget(key(0));
	empty(a, 2);
	dma_charge_forget(key(0));
	dma_charge_forget(key(1));
}

static int pages_by(const void *key)
{
	struct dma_charge a[20];
	int n;

	for (n = 0; n < 20; n++)
		if (dma_charge_device(&a[n], &cam0, key, PAGE_SIZE))
			break;
	empty(a, n);
	return n;
}

TEST(keys, "an address stands for one file, until it is forgotten")
{
	struct dma_charge a, b;

	set("file_limit", "20K");
	REQUIRE_EQ(dma_charge_device(&a, &cam0, key(0), 2 * PAGE_SIZE), 0);
	REQUIRE_EQ(dma_charge_device(&b, &cam1, key(1), 4 * PAGE_SIZE), 0);
	REQUIRE_EQ(pages_by(key(0)), 3);
	REQUIRE_EQ(pages_by(key(1)), 1);
	REQUIRE_EQ(pages_by(NULL), 20, "no file");
	dma_charge_forget(key(0));
	/* The address is that of another file now */
	REQUIRE_EQ(pages_by(key(0)), 5);
	dma_uncharge(&a);
	REQUIRE_EQ(pages_by(key(0)), 5);
	REQUIRE_EQ(pages_by(key(1)), 1);
	dma_uncharge(&b);
	dma_charge_forget(key(0));
	dma_charge_forget(key(1));
}

TEST(scopes, "an allocator that does not know the file finds that of its task")
{
	struct dma_charge_scope outer, inner, other;
	struct dma_charge a, b;

	set("file_limit", "20K");
	REQUIRE_EQ(dma_charge_device(&a, &cam0, key(0), 2 * PAGE_SIZE), 0);
	REQUIRE_EQ(dma_charge_device(&b, &cam0, key(1), 4 * PAGE_SIZE), 0);
	REQUIRE_EQ(pages_by(NULL), 20);
	dma_charge_enter(&outer, key(0));
	REQUIRE_EQ(pages_by(NULL), 3);
	host_task = &tasks[1];
	REQUIRE_EQ(pages_by(NULL), 20, "the scope of another task");
	dma_charge_enter(&other, key(1));
	REQUIRE_EQ(pages_by(NULL), 1);
	host_task = &tasks[0];
	REQUIRE_EQ(pages_by(NULL), 3);
	dma_charge_enter(&inner, key(1));
	REQUIRE_EQ(pages_by(NULL), 1);
	REQUIRE_EQ(pages_by(key(0)), 3, "a file that is known");
	dma_charge_leave(&inner);
	REQUIRE_EQ(pages_by(NULL), 3);
	dma_charge_leave(&outer);
	REQUIRE_EQ(pages_by(NULL), 20);
	host_task = &tasks[1];
	REQUIRE_EQ(pages_by(NULL), 1);
	dma_charge_leave(&other);
	REQUIRE_EQ(pages_by(NULL), 20);
	dma_uncharge(&a);
	dma_uncharge(&b);
	dma_charge_forget(key(0));
	dma_charge_forget(key(1));
}

/* Claims */

TEST(claim, "a claim moves the charge to another user, and takes it from the file")
{
	struct dma_charge a = { NULL };

	REQUIRE_EQ(dma_charge_move(&a), -EINVAL);
	set("file_limit", "20K");
	REQUIRE_EQ(dma_charge_device(&a, &cam0, key(0), 2 * PAGE_SIZE), 0);
	REQUIRE_EQ(dma_charge_move(&a), 0);
	REQUIRE_EQ(pages_by(key(0)), 3, "a claim of an own buffer");
	REQUIRE_HELD("1000", 1, 2);
	host_uid = 1001;
	set("user_limits", "1001 4K");
	REQUIRE_EQ(dma_charge_move(&a), -EDQUOT);
	REQUIRE_HELD("1000", 1, 2);
	REQUIRE_HELD("1001", 0, 0);
	REQUIRE_EQ(charged("1001").refused, 1);
	REQUIRE_EQ(charged("cam0").refused, 0);
	REQUIRE_STREQ(get("refused"), "2\n");
	set("user_limits", "1001 8K");
	/* The device is full, and has the buffer already */
	set("device_limits", "cam0 8K");
	REQUIRE_EQ(dma_charge_move(&a), 0);
	REQUIRE_HELD("1000", 0, 0);
	REQUIRE_HELD("1001", 1, 2);
	REQUIRE_EQ(charged("1001").peak, 2);
	REQUIRE_HELD("cam0", 1, 2);
	/* At the limit, one's own buffer can still be claimed */
	REQUIRE_EQ(dma_charge_move(&a), 0);
	set("device_limits", "cam0 max");
	host_uid = 1000;
	REQUIRE_EQ(pages_by(key(0)), 5);
	dma_uncharge(&a);
	REQUIRE_HELD("1001", 0, 0);
	REQUIRE_HELD("cam0", 0, 0);
	dma_charge_forget(key(0));
}

TEST(claim_capable, "who has CAP_SYS_RESOURCE can claim a buffer beyond the limit")
{
	struct dma_charge a;

	REQUIRE_EQ(dma_charge_device(&a, &cam0, NULL, 2 * PAGE_SIZE), 0);
	set("user_limit", "4K");
	host_uid = 1001;
	host_capable = true;
	REQUIRE_EQ(dma_charge_move(&a), 0);
	REQUIRE_HELD("1001", 1, 2);
	REQUIRE_STREQ(get("refused"), "0\n");
	dma_uncharge(&a);
	REQUIRE_HELD("1001", 0, 0);
}

TEST(shown, "fdinfo has the number of the user, if there is one")
{
	struct dma_charge a = { NULL };
	struct seq_file s = { 0 };

	dma_charge_show(&s, NULL);
	dma_charge_show(&s, &a);
	REQUIRE_STREQ(s.text, "");
	host_uid = 4294967295U;
	REQUIRE_EQ(dma_charge_device(&a, &cam0, NULL, 1), 0);
	dma_charge_show(&s, &a);
	REQUIRE_STREQ(s.text, "charged_uid:\t4294967295\n");
	dma_uncharge(&a);
}

/* Others, while the lock is free */

static struct dma_charge by_others;
static struct dma_charge_file *their_heap;

static void others_charge(void)
{
	REQUIRE_EQ(dma_charge_device(&by_others, &cam0, key(0), PAGE_SIZE), 0);
}

/* Called when the lock was free once, twice and so on */
static void (*others)(void);
static int others_wait;

static void count_down(void)
{
	if (others_wait--)
		host_others = count_down;
	else
		others();
}

static void others_after(int n, void (*what)(void))
{
	others = what;
	others_wait = n;
	host_others = count_down;
}

TEST(race_new, "a user, device or file that somebody else adds at the same time is one")
{
	struct dma_charge a;
	int n;

	for (n = 0; n < 8; n++) {
		pid_t pid = fork();
		int status;

		if (pid) {
			REQUIRE(waitpid(pid, &status, 0) == pid && !status, "after %d", n);
			continue;
		}
		others_after(n, others_charge);
		REQUIRE_EQ(dma_charge_device(&a, &cam0, key(0), PAGE_SIZE), 0);
		if (host_others)	/* fewer locks than that */
			count_down();
		REQUIRE_HELD("1000", 2, 2);
		REQUIRE_EQ(charged("1000").lines, 1);
		REQUIRE_EQ(charged("cam0").lines, 1);
		set("file_limit", "16K");
		REQUIRE_EQ(pages_by(key(0)), 2);
		dma_uncharge(&a);
		dma_uncharge(&by_others);
		REQUIRE_HELD("1000", 0, 0);
		dma_charge_forget(key(0));
		exit(0);
	}
}

static struct dma_charge wanted;

static void others_claim(void)
{
	unsigned int uid = host_uid;

	host_capable = true;
	host_uid = 1002;
	REQUIRE_EQ(dma_charge_move(&wanted), 0);
	host_uid = uid;
}

static void others_claim_for_us(void)
{
	host_capable = true;
	REQUIRE_EQ(dma_charge_move(&wanted), 0);
}

TEST(race_claim, "two claims of a buffer at the same time leave it to one")
{
	static void (*const what[])(void) = { others_claim, others_claim_for_us };
	unsigned int i;
	int n;

	host_capable = true;
	for (i = 0; i < 2; i++) {
		for (n = 0; n < 4; n++) {
			host_uid = 1000;
			set("user_limit", "4K");
			REQUIRE_EQ(dma_charge_device(&wanted, &cam0, key(0), 2 * PAGE_SIZE), 0);
			host_uid = 1001;
			others_after(n, what[i]);
			REQUIRE_EQ(dma_charge_move(&wanted), 0);
			if (host_others)
				count_down();
			REQUIRE_EQ(charged("1000").pages + charged("1001").pages +
				   charged("1002").pages, 2);
			REQUIRE_HELD("1000", 0, 0);
			dma_uncharge(&wanted);
			REQUIRE_HELD("1001", 0, 0);
			REQUIRE_HELD("1002", 0, 0);
			REQUIRE_HELD("cam0", 0, 0);
		}
	}
	dma_charge_forget(key(0));
}

static void others_lower(void)
{
	set("user_limit", "0");
}

TEST(race_limit, "a limit that changes while somebody allocates leaves the sums right")
{
	struct dma_charge a;
	int n, ret;

	their_heap = dma_charge_open();
	for (n = 0; n < 3; n++) {
		set("user_limit", "4K");
		others_after(n, others_lower);
		ret = dma_charge(&a, their_heap, PAGE_SIZE);
		if (host_others)
			count_down();
		REQUIRE_EQ(ret, n ? 0 : -EDQUOT);
		REQUIRE_HELD("1000", !ret, !ret);
		REQUIRE_EQ(dma_charge(&by_others, their_heap, PAGE_SIZE), -EDQUOT);
		if (!ret)
			dma_uncharge(&a);
		REQUIRE_HELD("1000", 0, 0);
	}
	dma_charge_close(their_heap);
}

static void others_appear(void)
{
	unsigned int uid;

	for (uid = 2000; uid < 2020; uid++) {
		char text[20];

		snprintf(text, sizeof(text), "%u 0", uid);
		set("user_limits", text);
	}
}

TEST(race_list, "users who appear while the list is made do not exceed it")
{
	struct dma_charge a;

	REQUIRE_EQ(dma_charge_device(&a, &cam0, NULL, PAGE_SIZE), 0);
	file("refused");
	host_others = others_appear;
	REQUIRE_EQ(debugfs->open(NULL, NULL), 0);
	REQUIRE(strstr(seq.text, "cam0"));
	REQUIRE_EQ(charged("2019").lines, 1);
	dma_uncharge(&a);
}

/* Memory */

TEST(no_memory, "without memory nothing is charged")
{
	static struct device new[] = { { "cam2" }, { "cam3" }, { "cam4" } };
	struct dma_charge_file *heap;
	struct dma_charge a = { NULL };
	int n;

	host_fail_alloc = 1;
	REQUIRE(IS_ERR(dma_charge_open()));
	host_fail_alloc = 2;
	heap = dma_charge_open();
	REQUIRE(IS_ERR(heap));
	REQUIRE_EQ(PTR_ERR(heap), -ENOMEM);
	heap = dma_charge_open();
	host_uid = 1001;
	host_fail_alloc = 1;
	REQUIRE_EQ(dma_charge(&a, heap, 1), -ENOMEM);
	host_fail_alloc = 1;
	REQUIRE_EQ(dma_charge_move(&a), -ENOMEM);
	for (n = 1; n < 4; n++) {
		host_uid = 1001 + n;
		host_fail_alloc = n;
		REQUIRE_EQ(dma_charge_device(&a, &new[n - 1], key(0), 1), -ENOMEM, "%d", n);
		REQUIRE_EQ(host_fail_alloc, 0);
	}
	host_fail_alloc = 1;
	REQUIRE_EQ(put("user_limits", "77 1M"), -ENOMEM);
	host_fail_alloc = 1;
	REQUIRE_EQ(put("device_limits", "cam7 1M"), -ENOMEM);
	for (n = 1; n < 3; n++) {
		host_fail_alloc = n;
		REQUIRE_EQ(debugfs->open(NULL, NULL), -ENOMEM);
	}
	REQUIRE_HELD("1001", 0, 0);
	dma_charge_close(heap);

	/* Who is known needs none */
	REQUIRE_EQ(dma_charge_device(&a, &cam0, key(0), 1), 0);
	dma_uncharge(&a);
	host_fail_alloc = 1;
	REQUIRE_EQ(dma_charge_device(&a, &cam0, key(0), 1), 0);
	REQUIRE_EQ(host_fail_alloc, 1);
	dma_uncharge(&a);
	dma_charge_forget(key(0));
}

/* Files in sysfs and debugfs, parameters */

TEST(files, "files of sysfs, and what they contain at first")
{
	static const char *const names[] = { "user_limit", "user_limits", "device_limit",
		"device_limits", "file_limit", "refused" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		REQUIRE_EQ(file(names[i])->attr.mode, i == 5 ? 0444 : 0644);
		REQUIRE_STREQ(get(names[i]), i == 5 ? "0\n" : i == 1 || i == 3 ? "" : "max\n");
	}
	REQUIRE_EQ(nr_files, ARRAY_SIZE(names));
	REQUIRE_STREQ(host_console, "");
}

TEST(no_files, "without files in sysfs there is a message")
{
	fail_dir = true;
	REQUIRE_EQ(host_late_initcall(), -ENOMEM);
	REQUIRE_STREQ(host_console, "dma_charge: no files in sysfs: error -12\n");
	fail_dir = false;
	for (fail_file = 1; fail_file <= 6; fail_file++) {
		nr_files = 0;
		REQUIRE_EQ(host_late_initcall(), -ENOMEM);
		REQUIRE(debugfs);
	}
}

TEST(malformed, "malformed limits are refused, and change nothing")
{
	static const struct { const char *file, *text; int error; } rows[] = {
		{ "user_limit", "", -EINVAL }, { "user_limit", "\n", -EINVAL },
		{ "user_limit", "-1", -EINVAL }, { "user_limit", "4X", -EINVAL },
		{ "user_limit", "4M ", -EINVAL }, { "user_limit", "4MM", -EINVAL },
		{ "user_limit", "M", -EINVAL }, { "user_limit", "0x10", -EINVAL },
		{ "user_limit", "maximum", -EINVAL },
		{ "user_limit", "18446744073709551616", -ERANGE },
		{ "user_limit", "99999999999999999999", -ERANGE },
		{ "user_limit", "17179869184G", -ERANGE },
		{ "user_limit", "18014398509481984K", -ERANGE },
		{ "device_limit", "all", -EINVAL }, { "file_limit", "all", -EINVAL },
		{ "user_limits", "1000", -EINVAL }, { "user_limits", "1000 ", -EINVAL },
		{ "user_limits", " 4M", -EINVAL }, { "user_limits", "somebody 4M", -EINVAL },
		{ "user_limits", "1000  4M", -EINVAL }, { "user_limits", "-1 4M", -EINVAL },
		{ "user_limits", "4294967296 4M", -ERANGE }, { "user_limits", "1000 4X", -EINVAL },
		{ "device_limits", "cam0", -EINVAL }, { "device_limits", " 4M", -EINVAL },
		{ "device_limits", "cam0 4X", -EINVAL },
	};
	unsigned int i;

	set("user_limit", "4M");
	set("file_limit", "5k");
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		REQUIRE_EQ(put(rows[i].file, rows[i].text), rows[i].error, "%s: %s", rows[i].file,
			   rows[i].text);
	REQUIRE_STREQ(get("user_limit"), "4194304\n");
	REQUIRE_STREQ(get("file_limit"), "4096\n");
	REQUIRE_STREQ(get("device_limit"), "max\n");
	REQUIRE_STREQ(get("user_limits"), "");
	REQUIRE_STREQ(get("device_limits"), "");
	if (sizeof(long) == 8) {
		/* Whole pages; the largest number that ends in a digit below the limit */
		set("user_limit", "18446744073709551599");
		REQUIRE_STREQ(get("user_limit"), "18446744073709547520\n");
		set("user_limit", "17179869183g\n");
		REQUIRE_STREQ(get("user_limit"), "18446744072635809792\n");
	} else {
		set("user_limit", "17592186036224K");
		REQUIRE_STREQ(get("user_limit"), "max\n");
	}
	set("user_limit", "0");
	REQUIRE_STREQ(get("user_limit"), "0\n");
}

TEST(full_page, "limits beyond a page of text are not listed")
{
	unsigned int i;
	char text[100];

	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%u 4096", 4000000000U + i);
		set("user_limits", text);
		snprintf(text, sizeof(text), "%063u 17592186036224", i);
		set("device_limits", text);
	}
	REQUIRE(strlen(get("user_limits")) > PAGE_SIZE - 150);
	REQUIRE_EQ(get("user_limits")[strlen(get("user_limits")) - 1], '\n');
	REQUIRE(strlen(get("device_limits")) > PAGE_SIZE - 200);
	REQUIRE_EQ(get("device_limits")[strlen(get("device_limits")) - 1], '\n');
}

TEST(listing, "debugfs lists users and devices, and who holds most comes first")
{
	static const char want[] =
		"       uid  buffers        bytes         peak        limit  refused\n"
		"      1001        1        12288        12288          max        0\n"
		"      1002        1         8192         8192         8192        1\n"
		"      1000        1         4096        40960          max        1\n"
		"    device  buffers        bytes         peak        limit  refused\n"
		"      cbm1        2        16384        16384        32768        1\n"
		"      cam0        1         8192        40960        65536        0\n";
	struct dma_charge a[3];

	set("user_limits", "1002 8K");
	set("device_limit", "64K");
	set("device_limits", "cbm1 32K");
	/* Whoever is in the list first has least */
	REQUIRE_EQ(dma_charge_device(&a[0], &cam1, NULL, 10 * PAGE_SIZE), -EDQUOT);
	REQUIRE_EQ(dma_charge_device(&a[0], &cam0, NULL, 10 * PAGE_SIZE), 0);
	dma_uncharge(&a[0]);
	REQUIRE_EQ(dma_charge_device(&a[0], &cam1, NULL, 1), 0);
	host_uid = 1002;
	REQUIRE_EQ(dma_charge_device(&a[1], &cam0, NULL, 2 * PAGE_SIZE), 0);
	REQUIRE_EQ(dma_charge_device(&a[2], &cam0, NULL, 1), -EDQUOT);
	host_uid = 1001;
	REQUIRE_EQ(dma_charge_device(&a[2], &cam1, NULL, 3 * PAGE_SIZE), 0);
	REQUIRE_EQ(debugfs->open(NULL, NULL), 0);
	REQUIRE_STREQ(seq.text, want);
	empty(a, 3);
}

static char *arg(const char *text)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s", text);
	return buf;
}

TEST(params, "limits of the command line are logged, and malformed ones are not set")
{
	REQUIRE_EQ(host_user_limit_param(arg("8M")), 0);
	REQUIRE_EQ(host_file_limit_param(arg("1048576")), 0);
	REQUIRE_EQ(host_device_limit_param(arg("3k")), 0);
	REQUIRE_STREQ(host_console,
		      "dma_charge: 8192 KiB for each user (dma_user_limit=8M)\n"
		      "dma_charge: 1024 KiB for each open file (dma_file_limit=1048576)\n"
		      "dma_charge: 0 KiB for each device (dma_device_limit=3k)\n");
	REQUIRE_STREQ(get("user_limit"), "8388608\n");
	REQUIRE_STREQ(get("file_limit"), "1048576\n");
	REQUIRE_STREQ(get("device_limit"), "0\n");
	host_console[0] = '\0';
	REQUIRE_EQ(host_user_limit_param(arg("max")), 0);
	REQUIRE_STREQ(host_console, "");
	REQUIRE_EQ(host_file_limit_param(NULL), 0);
	REQUIRE_EQ(host_device_limit_param(arg("8MB")), 0);
	REQUIRE_STREQ(host_console, "dma_charge: dma_file_limit=: not a size; no limit\n"
		      "dma_charge: dma_device_limit=8MB: not a size; no limit\n");
	REQUIRE_STREQ(get("user_limit"), "max\n");
	REQUIRE_STREQ(get("file_limit"), "1048576\n");
}

TEST(param_user, "the limit of the command line holds for users and devices who come later")
{
	host_user_limit_param(arg("12K"));
	host_device_limit_param(arg("8K"));
	REQUIRE_EQ(pages_for(1000), 3);
	REQUIRE_EQ(pages_on(&cam0, 1000), 2);
}

/* At random, beside a model */

#define NR_BUFFERS	32
#define NR_ROUNDS	20000

static const char *const user_names[] = { "1000", "1001", "1004" };
static struct device *const devs[] = { &cam0, &cam1 };

struct model {
	struct { int user, dev, file, pages; } bufs[NR_BUFFERS];	/* user < 0: not charged */
	long user_pages[3], dev_pages[2], file_pages[5];
	long user_limit[3], dev_limit[2], file_limit;
	long user_peak[3];
};

static bool fits(long pages, long more, long limit)
{
	return limit < 0 || pages + more <= limit;
}

/* Charge a buffer to file 0 or 1, which are heaps, or 2 to 4, which are keys or none */
static void random_charge(struct model *m, struct dma_charge *charge, int n,
			  struct dma_charge_file **heaps)
{
	int user = rand() % 3, f = rand() % 5, dev = f < 2 ? -1 : rand() % 2, pages = rand() % 6;
	int want = 0, ret;

	if (!fits(m->user_pages[user], pages, m->user_limit[user]) ||
	    (dev >= 0 && !fits(m->dev_pages[dev], pages, m->dev_limit[dev])) ||
	    (f < 4 && !fits(m->file_pages[f], pages, m->file_limit)))
		want = -EDQUOT;
	host_uid = atoi(user_names[user]);
	ret = f < 2 ? dma_charge(&charge[n], heaps[f], pages * PAGE_SIZE) :
		      dma_charge_device(&charge[n], devs[dev], f < 4 ? key(f) : NULL,
					pages * PAGE_SIZE);
	REQUIRE_EQ(ret, want);
	if (ret)
		return;
	m->bufs[n].user = user;
	m->bufs[n].dev = dev;
	m->bufs[n].file = f;
	m->bufs[n].pages = pages;
	m->user_pages[user] += pages;
	m->user_peak[user] = m->user_pages[user] > m->user_peak[user] ? m->user_pages[user] :
		m->user_peak[user];
	if (dev >= 0)
		m->dev_pages[dev] += pages;
	m->file_pages[f] += pages;
}

static void random_claim(struct model *m, struct dma_charge *charge, int n)
{
	int user = rand() % 3, pages = m->bufs[n].pages;
	bool same = user == m->bufs[n].user;
	int want = same || fits(m->user_pages[user], pages, m->user_limit[user]) ? 0 : -EDQUOT;

	host_uid = atoi(user_names[user]);
	REQUIRE_EQ(dma_charge_move(&charge[n]), want);
	if (want || same)
		return;
	m->user_pages[m->bufs[n].user] -= pages;
	m->user_pages[user] += pages;
	m->user_peak[user] = m->user_pages[user] > m->user_peak[user] ? m->user_pages[user] :
		m->user_peak[user];
	m->file_pages[m->bufs[n].file] -= pages;
	m->bufs[n].user = user;
	m->bufs[n].file = 4;
}

static void random_uncharge(struct model *m, struct dma_charge *charge, int n)
{
	dma_uncharge(&charge[n]);
	m->user_pages[m->bufs[n].user] -= m->bufs[n].pages;
	if (m->bufs[n].dev >= 0)
		m->dev_pages[m->bufs[n].dev] -= m->bufs[n].pages;
	m->file_pages[m->bufs[n].file] -= m->bufs[n].pages;
	m->bufs[n].user = -1;
}

/* A limit of up to 40 pages, or none: in text[], and returned */
static long random_limit(char *text)
{
	long limit = rand() % 42 - 1;

	strcpy(text, "max");
	if (limit >= 0)
		sprintf(text, "%ldK", 4 * limit);
	return limit;
}

static void random_setting(struct model *m)
{
	char text[20], line[40];
	long limit = random_limit(text);
	int which = rand() % 6;

	if (which < 3) {
		snprintf(line, sizeof(line), "%s %s", user_names[which], text);
		set("user_limits", line);
		m->user_limit[which] = limit;
	} else if (which < 5) {
		snprintf(line, sizeof(line), "%s %s", devs[which - 3]->name, text);
		set("device_limits", line);
		m->dev_limit[which - 3] = limit;
	} else {
		set("file_limit", text);
		m->file_limit = limit;
	}
}

/* Close a file, or forget it: what it has no longer counts */
static void random_close(struct model *m, struct dma_charge_file **heaps)
{
	int f = rand() % 4, n;

	if (f < 2) {
		dma_charge_close(heaps[f]);
		heaps[f] = dma_charge_open();
	} else {
		dma_charge_forget(key(f));
	}
	m->file_pages[f] = 0;
	for (n = 0; n < NR_BUFFERS; n++)
		if (m->bufs[n].file == f)
			m->bufs[n].file = 4;
}

static void check_model(const struct model *m)
{
	int i, n, buffers;

	for (i = 0; i < 3; i++) {
		for (buffers = n = 0; n < NR_BUFFERS; n++)
			buffers += m->bufs[n].user == i;
		REQUIRE_HELD(user_names[i], buffers, m->user_pages[i]);
		REQUIRE_EQ(charged(user_names[i]).peak, m->user_peak[i]);
	}
	for (i = 0; i < 2; i++) {
		for (buffers = n = 0; n < NR_BUFFERS; n++)
			buffers += m->bufs[n].user >= 0 && m->bufs[n].dev == i;
		REQUIRE_HELD(devs[i]->name, buffers, m->dev_pages[i]);
	}
}

TEST(random, "20000 random charges, claims, limits and closed files, beside a model")
{
	struct dma_charge_file *heaps[2] = { dma_charge_open(), dma_charge_open() };
	static struct dma_charge charge[NR_BUFFERS];
	static struct model m;
	int round, n, i;

	srand(1);
	for (n = 0; n < NR_BUFFERS; n++)
		m.bufs[n].user = -1;
	for (i = 0; i < 3; i++)
		m.user_limit[i] = -1;
	m.dev_limit[0] = -1;
	m.dev_limit[1] = -1;
	m.file_limit = -1;

	for (round = 0; round < NR_ROUNDS; round++) {
		n = rand() % NR_BUFFERS;
		i = rand() % 20;
		if (m.bufs[n].user < 0)
			random_charge(&m, charge, n, heaps);
		else if (i < 4)
			random_claim(&m, charge, n);
		else
			random_uncharge(&m, charge, n);
		if (!i)
			random_setting(&m);
		if (i == 1)
			random_close(&m, heaps);
		if (!(round % 50))
			check_model(&m);
	}
	for (n = 0; n < NR_BUFFERS; n++)
		if (m.bufs[n].user >= 0)
			random_uncharge(&m, charge, n);
	check_model(&m);
	for (i = 0; i < 2; i++)
		dma_charge_close(heaps[i]);
	for (i = 2; i < 4; i++)
		dma_charge_forget(key(i));
}
