// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel around the code under test: locks, messages, memblock, and a page
 * allocator in which each page has one state.
 */
#include <sched.h>

#include "stubs.h"
#include <linux/cma.h>
#include <linux/contig.h>
#include <asm/dma-contiguous.h>
#include "cma.h"

#define MAX_EVENTS	32

struct host host;
struct memblock memblock;
unsigned long host_kernel_end, host_initrd;
unsigned long totalcma_pages;
gfp_t gfp_allowed_mask;
const char host_locks;
unsigned int test_checks;
__thread struct task_struct host_current;
static __thread unsigned int spinlocks, mutexes;
static __thread bool irqs_off;

/* Protects the model, as zone->lock does, and all else that threads share */
static pthread_mutex_t model = PTHREAD_MUTEX_INITIALIZER;
static struct zone zones[4];
static struct { const char *name; unsigned long count; } events[MAX_EVENTS];

/* Abort: the fuzzers' driver saves the input on SIGABRT */
static __noreturn void end_failed(const char *fmt, va_list args)
{
	vprintf(fmt, args);
	printf("\n# log: %s\n", host.log);
	fflush(stdout);
	abort();
}

void test_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# %s:%d: %s%s", file, line, what, *fmt ? ": " : "");
	end_failed(fmt, args);
}

void host_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	end_failed(fmt, args);
}

/* Simplified: locks, as described in stubs.h */

void host_lock_init(struct host_lock *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->magic = &host_locks;
	lock->holder = NULL;
}

static void take(struct host_lock *lock)
{
	if (lock->magic != &host_locks)
		host_fail("a lock is taken that was not initialised");
	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == &host_current)
		host_fail("a lock is taken twice");
	pthread_mutex_lock(&lock->mutex);
	__atomic_store_n(&lock->holder, &host_current, __ATOMIC_RELAXED);
}

static void drop(struct host_lock *lock)
{
	host_assert_held(lock);
	__atomic_store_n(&lock->holder, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock->mutex);
}

void host_assert_held(const struct host_lock *lock)
{
	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != &host_current)
		host_fail("a lock is not held that should be");
}

void host_may_sleep(const char *what)
{
	if (spinlocks || irqs_off)
		host_fail("%s with %u spinlocks held, interrupts %s", what, spinlocks,
			  irqs_off ? "off" : "on");
}

static void no_spinlock(const char *what)
{
	if (spinlocks)
		host_fail("%s with a spinlock held", what);
}

unsigned long host_spin_lock(struct host_lock *lock)
{
	unsigned long flags = irqs_off;

	no_spinlock("spin_lock_irqsave");
	take(lock);
	spinlocks++;
	irqs_off = true;
	return flags;
}

void host_spin_unlock(struct host_lock *lock, unsigned long flags)
{
	spinlocks--;
	irqs_off = flags;
	drop(lock);
}

int host_mutex_lock(struct host_lock *lock, bool killable)
{
	host_may_sleep("mutex_lock");
	if (killable && host.killed && __atomic_load_n(&lock->holder, __ATOMIC_RELAXED))
		return -EINTR;
	take(lock);
	mutexes++;
	return 0;
}

void host_mutex_unlock(struct host_lock *lock)
{
	mutexes--;
	drop(lock);
}

/* Let the test turn interrupts off */
void host_atomic(bool on)
{
	irqs_off = on;
}

void host_check_locks(void)
{
	if (spinlocks || mutexes || irqs_off)
		host_fail("%u spinlocks and %u mutexes are still held, interrupts %s",
			  spinlocks, mutexes, irqs_off ? "off" : "on");
}

/* Simplified: memory, time, messages, events */

void *kzalloc(size_t size, gfp_t flags)
{
	if (flags & GFP_KERNEL)
		host_may_sleep("kzalloc");
	if (host.fail_kzalloc && !--host.fail_kzalloc)
		return NULL;
	return calloc(1, size);
}

long schedule_timeout_killable(long timeout)
{
	host_may_sleep("schedule_timeout");
	if (timeout <= 0)
		host_fail("schedule_timeout of %ld", timeout);
	__atomic_add_fetch(&host.sleeps, 1, __ATOMIC_RELAXED);
	if (!host.killed)
		__atomic_add_fetch(&host.now, timeout, __ATOMIC_RELAXED);
	if (host.on_sleep)
		host.on_sleep();
	sched_yield();
	return host.killed ? timeout : 0;
}

u64 sched_clock(void)
{
	/* Does not wrap around when jiffies does */
	return (jiffies + 1000) * 10000000ULL + __atomic_load_n(&host.clock, __ATOMIC_RELAXED);
}

void host_print(const char *fmt, ...)
{
	size_t used;
	va_list args;

	if (fmt[strlen(fmt) - 1] != '\n')
		host_fail("a message without a newline: %s", fmt);
	pthread_mutex_lock(&model);
	used = strlen(host.log);
	va_start(args, fmt);
	vsnprintf(host.log + used, sizeof(host.log) - used, fmt, args);
	va_end(args);
	pthread_mutex_unlock(&model);
}

void host_debug(const char *fmt, ...)
{
	if (!strchr(fmt, '\n'))
		host_fail("a debug message without a newline: %s", fmt);
}

static unsigned long event(const char *name, unsigned int n)
{
	unsigned long count = 0;
	unsigned int i;

	pthread_mutex_lock(&model);
	for (i = 0; i < MAX_EVENTS; i++) {
		if (!events[i].name && n)
			events[i].name = name;
		if (!events[i].name || strcmp(events[i].name, name))
			continue;
		events[i].count += n;
		count = events[i].count;
		break;
	}
	pthread_mutex_unlock(&model);
	return count;
}

void host_count(const char *name)
{
	event(name, 1);
}

unsigned long host_events(const char *name)
{
	return event(name, 0);
}

/* Faithful: bitmaps */

static bool test_bit(const unsigned long *map, unsigned long bit)
{
	return map[BIT_WORD(bit)] >> (bit % BITS_PER_LONG) & 1;
}

static unsigned long find_next(const unsigned long *map, unsigned long size, unsigned long bit,
			       unsigned long invert)
{
	while (bit < size) {
		unsigned long word = (map[BIT_WORD(bit)] ^ invert) >> (bit % BITS_PER_LONG);

		if (word)
			return min(bit + (unsigned long)__builtin_ctzl(word), size);
		bit = round_down(bit, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return size;
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long bit)
{
	return find_next(map, size, bit, 0);
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long bit)
{
	return find_next(map, size, bit, ~0UL);
}

unsigned long bitmap_weight(const unsigned long *map, unsigned long size)
{
	unsigned long bit, weight = 0;

	for (bit = 0; bit < size; bit++)
		weight += test_bit(map, bit);
	return weight;
}

/* Faithful, but stricter: a bit must not be set or cleared twice */
static void bitmap_change(unsigned long *map, unsigned long bit, unsigned long nr_bits, bool to)
{
	for (; nr_bits; bit++, nr_bits--) {
		if (test_bit(map, bit) == to)
			host_fail("bit %lu of a bitmap is %d already", bit, to);
		map[BIT_WORD(bit)] ^= 1UL << (bit % BITS_PER_LONG);
	}
}

void bitmap_set(unsigned long *map, unsigned long bit, unsigned long nr_bits)
{
	bitmap_change(map, bit, nr_bits, true);
}

void bitmap_clear(unsigned long *map, unsigned long bit, unsigned long nr_bits)
{
	bitmap_change(map, bit, nr_bits, false);
}

void __set_bit(unsigned long bit, unsigned long *map)
{
	bitmap_change(map, bit, 1, true);
}

void __clear_bit(unsigned long bit, unsigned long *map)
{
	bitmap_change(map, bit, 1, false);
}

/* Faithful: memblock */

static int find_region(const struct host_region *r, unsigned int nr, phys_addr_t addr)
{
	while (nr--)
		if (addr >= r[nr].base && addr < (phys_addr_t)(r[nr].base + r[nr].size))
			return nr;
	return -1;
}

phys_addr_t memblock_phys_mem_size(void)
{
	phys_addr_t size = 0;
	unsigned int i;

	for (i = 0; i < host.nr_memory; i++)
		size += host.memory[i].size;
	return size;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	const struct host_region *last = &host.memory[host.nr_memory - 1];

	return last->base + last->size;
}

int memblock_is_memory(phys_addr_t addr)
{
	return find_region(host.memory, host.nr_memory, addr) >= 0;
}

int memblock_is_reserved(phys_addr_t addr)
{
	return find_region(host.reserved, host.nr_reserved, addr) >= 0;
}

int memblock_is_region_memory(phys_addr_t base, phys_addr_t size)
{
	int i = find_region(host.memory, host.nr_memory, base);

	return i >= 0 && (phys_addr_t)(host.memory[i].base + host.memory[i].size) >=
			 (phys_addr_t)(base + size);
}

int memblock_is_region_reserved(phys_addr_t base, phys_addr_t size)
{
	unsigned int i;

	for (i = 0; i < host.nr_reserved; i++) {
		const struct host_region *r = &host.reserved[i];

		if (base < (phys_addr_t)(r->base + r->size) &&
		    r->base < (phys_addr_t)(base + size))
			return 1;
	}
	return 0;
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	if (host.fail_memblock_reserve)
		return -1;
	host_reserve(base, size);
	return 0;
}

void host_memory(unsigned long long base, unsigned long long size)
{
	host.memory[host.nr_memory++] = (struct host_region){ base, size };
}

void host_reserve(unsigned long long base, unsigned long long size)
{
	host.reserved[host.nr_reserved++] = (struct host_region){ base, size };
}

/* Simplified: low memory ends where the test says */
phys_addr_t dma_contiguous_lowmem_end(void)
{
	return memblock.current_limit;
}

/* Simplified: the pool has the default size */
size_t dma_contiguous_pool_size(void)
{
	return 256 << 10;
}

/* Simplified: the range is only recorded */
void dma_contiguous_early_fixup(phys_addr_t base, unsigned long size)
{
	host.fixup = (struct host_region){ base, size };
	host.nr_fixups++;
}

/* Simplified: pages, each in one state */

void host_reset(void)
{
	unsigned int i;

	for (i = 0; i < cma_area_count; i++)
		free(cma_areas[i].bitmap);
	memset(cma_areas, 0, sizeof(struct cma) * MAX_CMA_AREAS);
	cma_area_count = 0;
	totalcma_pages = 0;
	free(host.pages);
	memset(&host, 0, sizeof(host));
	memset(events, 0, sizeof(events));
	memblock.current_limit = ~(phys_addr_t)0;
	host.elsewhere = -1;
	host_current.flags = 0;
	gfp_allowed_mask = ~0U;
	host.io_jiffies = 1;
	host.now = ~0UL - 20;	/* wraps around soon */
}

void host_pages(unsigned long first_pfn, unsigned long nr_pages)
{
	host.first_pfn = first_pfn;
	host.nr_pages = nr_pages;
	host.pages = calloc(nr_pages, sizeof(struct page));
	host_set(first_pfn, nr_pages, PAGE_RESERVED);
}

void host_set(unsigned long pfn, unsigned long nr_pages, enum host_state state)
{
	while (nr_pages--)
		pfn_to_page(pfn++)->state = state;
}

unsigned long host_nr(enum host_state state)
{
	unsigned long i, nr = 0;

	for (i = 0; i < host.nr_pages; i++)
		nr += host.pages[i].state == state;
	return nr;
}

int pfn_valid(unsigned long pfn)
{
	return pfn - host.first_pfn < host.nr_pages &&
	       host.pages[pfn - host.first_pfn].state != PAGE_HOLE;
}

struct page *pfn_to_page(unsigned long pfn)
{
	if (pfn - host.first_pfn >= host.nr_pages)
		host_fail("there is no page of pfn %#lx", pfn);
	return &host.pages[pfn - host.first_pfn];
}

unsigned long page_to_pfn(const struct page *page)
{
	return host.first_pfn + (page - host.pages);
}

struct zone *page_zone(const struct page *page)
{
	if (page->state == PAGE_HOLE)
		host_fail("a hole is asked for its zone");
	return &zones[page->zone];
}

int PageReserved(const struct page *page)
{
	return page->state == PAGE_RESERVED;
}

/* Change [start, end) from one state to another; returns the first pfn not changed */
static unsigned long change(unsigned long start, unsigned long end, enum host_state from,
			    enum host_state to)
{
	for (; start < end && pfn_to_page(start)->state == from; start++)
		pfn_to_page(start)->state = to;
	return start;
}

static void check_range(unsigned long start, unsigned long end, unsigned int type)
{
	if (start >= end || type != MIGRATE_CMA)
		host_fail("range %#lx-%#lx of type %u is asked for", start, end, type);
	pfn_to_page(end - 1);
}

/* The page after which a search can resume, if @used is the first page in use */
static unsigned long last_used(unsigned long used, unsigned long end)
{
	unsigned long block_end = round_down(used, pageblock_nr_pages) + pageblock_nr_pages;
	unsigned long pfn;

	for (pfn = used; pfn < block_end; pfn++) {
		if (pfn_to_page(pfn)->state != PAGE_FREE)
			used = pfn;
		else if (pfn >= end)
			break;
	}
	return used;
}

/* Faithful, including how far it looks for pages in use */
bool take_contig_range(unsigned long start, unsigned long end, unsigned int migratetype,
		       unsigned long *used_pfn)
{
	unsigned long pfn, next, used;

	no_spinlock("take_contig_range");
	check_range(start, end, migratetype);
	pthread_mutex_lock(&model);
	for (pfn = start; pfn < end; pfn = next) {
		next = min(end, round_down(pfn, pageblock_nr_pages) + pageblock_nr_pages);
		used = change(pfn, next, PAGE_FREE, PAGE_OWNED);
		if (used < next) {
			*used_pfn = last_used(used, next);
			break;
		}
	}
	if (pfn < end)
		change(start, end, PAGE_OWNED, PAGE_FREE);
	pthread_mutex_unlock(&model);
	return pfn >= end;
}

static bool under_io(const struct page *page)
{
	return page->state == PAGE_IO && (!page->until || time_before(jiffies, page->until));
}

static enum contig_kind kind_of(const struct page *page)
{
	switch (page->state) {
	case PAGE_FREE:
		return CONTIG_FREE;
	case PAGE_CLEAN:
		return CONTIG_DROP;
	case PAGE_MOVABLE:
	case PAGE_STUBBORN:
		return CONTIG_MOVE;
	case PAGE_IO:
		return under_io(page) ? CONTIG_IO : CONTIG_MOVE;
	case PAGE_PINNED:
	case PAGE_LISTED:
	case PAGE_LISTED_AWAY:
		return CONTIG_HELD;
	default:
		return CONTIG_FIXED;
	}
}

/* Faithful: takes no lock, so that what it finds can change at any time */
enum contig_kind contig_page_kind(struct page *page)
{
	no_spinlock("contig_page_kind");
	__atomic_add_fetch(&host.scanned, 1, __ATOMIC_RELAXED);
	return kind_of(page);
}

unsigned long first_contig_page(unsigned long start, unsigned long end, enum contig_kind kind)
{
	no_spinlock("first_contig_page");
	check_range(start, end, MIGRATE_CMA);
	while (start < end && kind_of(pfn_to_page(start)) < kind) {
		__atomic_add_fetch(&host.scanned, 1, __ATOMIC_RELAXED);
		start++;
	}
	return start;
}

void scan_contig_range(unsigned long start, unsigned long end, struct contig_scan *scan)
{
	no_spinlock("scan_contig_range");
	check_range(start, end, MIGRATE_CMA);
	memset(scan, 0, sizeof(*scan));
	__atomic_add_fetch(&host.scanned, end - start, __ATOMIC_RELAXED);
	for (; start < end; start++) {
		enum contig_kind kind = kind_of(pfn_to_page(start));

		scan->nr[kind]++;
		if (kind >= CONTIG_HELD)
			scan->last_held = start;
		if (kind == CONTIG_IO)
			scan->last_io = start;
	}
	if (host.on_scan)
		host.on_scan();
}

/* Wait for a page under I/O, as long as the caller allows */
static int wait_for_io(const struct page *page, struct contig_control *cc)
{
	unsigned long now = jiffies;

	if (!cc->may_wait || time_after_eq(now, cc->deadline))
		return -EAGAIN;
	cc->nr_waits++;
	if (host.on_sleep)
		host.on_sleep();
	if (host.killed)
		return -EINTR;
	now = page->until && time_before(page->until, cc->deadline) ? page->until : cc->deadline;
	__atomic_store_n(&host.now, now, __ATOMIC_RELAXED);
	return under_io(page) ? -EAGAIN : 0;
}

/* Move or drop one page, with the model locked */
static int empty_page(struct page *page, struct contig_control *cc)
{
	int ret = 0;

	if (page->state == PAGE_FREE)
		goto take;
	if (host.killed)
		return -EINTR;
	if (under_io(page))
		ret = wait_for_io(page, cc);
	if (ret)
		return ret;
	if (kind_of(page) > CONTIG_MOVE || page->state == PAGE_STUBBORN) {
		page->tries++;
		return -EBUSY;
	}
	if (page->state == PAGE_CLEAN) {
		cc->nr_dropped++;
		goto take;
	}
	if (!host.elsewhere)
		return -ENOMEM;
	host.elsewhere--;
	host.clock += 3000;
	cc->nr_moved++;
	page->moves++;
take:
	page->state = PAGE_OWNED;
	return 0;
}

/* Writeback of dirty pages is started for many pages at once */
static void start_io(unsigned long start, unsigned long end)
{
	for (; start < end; start++) {
		struct page *page = pfn_to_page(start);

		if (page->state == PAGE_IO && !page->until && host.io_jiffies)
			page->until = jiffies + host.io_jiffies;
	}
}

/*
 * Faithful: a page at a time, so that other threads can interfere; pages that
 * were moved out before a failure are free afterwards
 */
int empty_contig_range(unsigned long start, unsigned long end, unsigned int migratetype,
		       struct contig_control *cc)
{
	unsigned long pfn;
	int ret = 0;

	host_may_sleep("empty_contig_range");
	if (mutexes)
		host_fail("empty_contig_range with %u mutexes held", mutexes);
	check_range(start, end, migratetype);
	__atomic_add_fetch(&host.emptied, 1, __ATOMIC_RELAXED);
	if (host.on_empty)
		host.on_empty();

	start_io(start, end);
	for (pfn = start; pfn < end && !ret; pfn++) {
		pthread_mutex_lock(&model);
		cc->busy_pfn = pfn;
		ret = empty_page(pfn_to_page(pfn), cc);
		pthread_mutex_unlock(&model);
	}
	if (ret) {
		pthread_mutex_lock(&model);
		change(start, cc->busy_pfn, PAGE_OWNED, PAGE_FREE);
		pthread_mutex_unlock(&model);
	}
	return ret;
}

/* Simplified: takes no time */
void drain_contig_pages(bool all_cpus, unsigned long deadline)
{
	unsigned long i;

	host_may_sleep("drain_contig_pages");
	if (mutexes)
		host_fail("drain_contig_pages with %u mutexes held", mutexes);
	if (all_cpus && time_after_eq(jiffies, deadline))
		host_fail("drain_contig_pages of all CPUs without time for it");
	if (all_cpus)
		host.drain_wait = deadline - jiffies;
	__atomic_add_fetch(all_cpus ? &host.drains_all : &host.drains, 1, __ATOMIC_RELAXED);
	for (i = 0; i < host.nr_pages; i++) {
		struct page *page = &host.pages[i];

		if (page->state == PAGE_LISTED ||
		    (page->state == PAGE_LISTED_AWAY && all_cpus))
			page->state = PAGE_MOVABLE;
	}
}

/* Simplified: only counts, and checks that the caller holds no lock */
void reclaim_for_contig(unsigned long pfn)
{
	host_may_sleep("reclaim_for_contig");
	if (mutexes)
		host_fail("reclaim_for_contig with %u mutexes held", mutexes);
	pfn_to_page(pfn);
	__atomic_add_fetch(&host.reclaims, 1, __ATOMIC_RELAXED);
	if (host.on_reclaim)
		host.on_reclaim();
}

int page_count(const struct page *page)
{
	return (page->state >= PAGE_MOVABLE) + page->refs;
}

/* Is the bit of this page set, in whatever area it is? */
static bool is_claimed(unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];

		if (pfn - cma->base_pfn < cma->count)
			return test_bit(cma->bitmap, (pfn - cma->base_pfn) >> cma->order_per_bit);
	}
	return false;
}

/* Faithful, but stricter: the bits of the range must still be set */
void free_contig_range(unsigned long pfn, unsigned int nr_pages)
{
	unsigned long end = pfn + nr_pages;

	no_spinlock("free_contig_range");
	pthread_mutex_lock(&model);
	for (; pfn < end; pfn++) {
		if (!is_claimed(pfn))
			host_fail("pfn %#lx is freed and its bit is clear", pfn);
		if (pfn_to_page(pfn)->state != PAGE_OWNED)
			host_fail("pfn %#lx is freed in state %d", pfn, pfn_to_page(pfn)->state);
		pfn_to_page(pfn)->owner = 0;
		pfn_to_page(pfn)->state = PAGE_FREE;
	}
	pthread_mutex_unlock(&model);
	sched_yield();
}

/* Faithful: the block becomes free */
void init_cma_reserved_pageblock(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	no_spinlock("init_cma_reserved_pageblock");
	REQUIRE_EQ(pfn % pageblock_nr_pages, 0);
	REQUIRE_EQ(change(pfn, pfn + pageblock_nr_pages, PAGE_RESERVED, PAGE_FREE),
		   pfn + pageblock_nr_pages);
	if (host.on_block)
		host.on_block();
}

/* Faithful: pages that do not exist or are not reserved are left alone */
void free_reserved_contig_range(unsigned long pfn, unsigned long nr_pages)
{
	for (; nr_pages; pfn++, nr_pages--)
		if (pfn_valid(pfn))
			change(pfn, pfn + 1, PAGE_RESERVED, PAGE_SYSTEM);
}

/* Check that no page is lost and that no user of the area left anything behind */
void host_check_area(struct cma *cma)
{
	unsigned long i;
	bool bit;

	host_check_locks();
	REQUIRE_EQ(cma->nr_claims, 0);
	for (i = 0; i < cma->count; i++) {
		struct page *page = pfn_to_page(cma->base_pfn + i);

		bit = test_bit(cma->bitmap, i >> cma->order_per_bit);
		/* No allocation is in progress */
		if (bit != test_bit(cma->allocated, i >> cma->order_per_bit))
			host_fail("page %lu of the area: claimed and allocated differ", i);
		if (test_bit(cma->ends, i) && page->state != PAGE_OWNED)
			host_fail("page %lu of the area, in state %d, ends a buffer", i,
				  page->state);
		if (page->state != PAGE_OWNED && i >= cma->count - cma->reserve)
			host_fail("page %lu, in the reserve, is in state %d", i, page->state);
		if (page->state == PAGE_OWNED && !bit && i < cma->count - cma->reserve)
			host_fail("page %lu of the area is lost: its bit is clear", i);
		if (page->state < PAGE_FREE)
			host_fail("page %lu of the area is in state %d", i, page->state);
		/* Pages after the end of an allocation share its last bit */
		if (bit && page->state != PAGE_OWNED &&
		    pfn_to_page(cma->base_pfn + round_down(i, 1UL << cma->order_per_bit))->state
		    != PAGE_OWNED)
			host_fail("page %lu of the area is lost: its bit is set", i);
	}
}
