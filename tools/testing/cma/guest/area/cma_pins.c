// SPDX-License-Identifier: GPL-2.0
/*
 * Who pins the pages of the area: what the file "pins" in debugfs says about page
 * cache in a pipe, and about pages that a driver has pinned.
 */
#define TAP_BEGIN ctl_begin
#define TAP_END ctl_end
#include "tap.h"
#include "guest.h"

#define PINS		AREA "pins"
#define MAX_PINS	512
#define NR_HELD		8

/* A line of the file. */
struct pin {
	unsigned long long pfn;
	int refs;
	pid_t pid;
	char comm[32];
	unsigned long seconds;
	char by[512];
};

static struct pin pins[MAX_PINS];
static long unrecorded;

/* A process that holds pages, in memory that it shares with the test. */
struct holder {
	const char *comm;
	const char *by;			/* a part of the name of a caller */
	void (*hold)(struct holder *holder);
	int file;
	char *mem[NR_HELD];		/* pages; in the mapping of the file, if there is one */
	loff_t pos[NR_HELD];
	__u64 pfn[NR_HELD];
	pid_t pid;
	volatile bool ready;
};

static size_t read_pins(void)
{
	FILE *f = fopen(PINS, "r");
	static char line[2048];
	size_t count = 0;

	REQUIRE(f, "%s: %s", PINS, strerror(errno));
	unrecorded = 0;
	while (fgets(line, sizeof(line), f)) {
		struct pin *pin = &pins[count];
		unsigned int ms;

		if (sscanf(line, "unrecorded %ld", &unrecorded) == 1)
			continue;
		REQUIRE(count < MAX_PINS, "too many lines");
		REQUIRE(sscanf(line, "pfn %llx refs %d pid %d comm %31s age %lu.%u s by %511[^\n]",
			       &pin->pfn, &pin->refs, &pin->pid, pin->comm, &pin->seconds, &ms,
			       pin->by) == 7, "%s", line);
		count++;
	}
	fclose(f);
	return count;
}

/* After the pages were dropped, nobody is known, and soon nobody is left. */
static void require_empty(void)
{
	int tries = 0;

	REQUIRE(!read_pins(), "page %#llx is still pinned by %s", pins[0].pfn, pins[0].comm);
	while (unrecorded && tries++ < 20) {
		usleep(100 * 1000);
		REQUIRE(!read_pins(), "page %#llx is pinned by %s", pins[0].pfn, pins[0].comm);
	}
	REQUIRE(!unrecorded, "%ld pages are still pinned", unrecorded);
}

/* Require that exactly the pages of a process have a line with its name. */
static void require_holder(const struct holder *holder, size_t nr_pins)
{
	size_t i, k, found = 0;

	for (i = 0; i < nr_pins; i++) {
		const struct pin *pin = &pins[i];

		if (pin->pid != holder->pid)
			continue;
		for (k = 0; k < NR_HELD && holder->pfn[k] != pin->pfn; k++)
			;
		REQUIRE(k < NR_HELD, "%s does not pin %#llx", pin->comm, pin->pfn);
		REQUIRE(!strcmp(pin->comm, holder->comm), "%s instead of %s", pin->comm,
			holder->comm);
		REQUIRE(pin->refs == 1, "%d references of %s to %#llx", pin->refs, pin->comm,
			pin->pfn);
		REQUIRE(strstr(pin->by, holder->by), "%s is not in %s", holder->by, pin->by);
		REQUIRE(pin->seconds < 120, "%lu s ago", pin->seconds);
		found++;
	}
	REQUIRE(found == NR_HELD, "%zu pages of %s", found, holder->comm);
}

static void hold_in_pipe(struct holder *holder)
{
	int fds[2];

	REQUIRE(!pipe(fds), "%s", strerror(errno));
	for (int i = 0; i < NR_HELD; i++)
		REQUIRE(splice(holder->file, &holder->pos[i], fds[1], NULL, PAGE,
			       SPLICE_F_NONBLOCK) == (ssize_t)PAGE, "%s", strerror(errno));
}

static void hold_in_driver(struct holder *holder)
{
	int ctl = ctl_open();

	for (int i = 0; i < NR_HELD; i++) {
		struct cma_ctl_pin pin = { .addr = (uintptr_t)holder->mem[i] };

		REQUIRE(!ioctl(ctl, CMA_CTL_PIN, &pin), "%s", strerror(errno));
		holder->pfn[i] = pin.pfn;
	}
}

static void run_holder(void *arg)
{
	struct holder *holder = arg;
	char comm[16];

	/* A blank is shown as \040 */
	snprintf(comm, sizeof(comm), "%s", holder->comm);
	if (strchr(comm, '\\'))
		strcpy(strchr(comm, '\\'), " x");
	prctl(PR_SET_NAME, comm);
	holder->hold(holder);
	holder->ready = true;
	pause();
}

static struct holder *new_holder(const char *comm, const char *by,
				 void (*hold)(struct holder *holder))
{
	struct holder *holder = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(holder != MAP_FAILED, "%s", strerror(errno));
	*holder = (struct holder){ .comm = comm, .by = by, .hold = hold };
	return holder;
}

static void start_holder(struct holder *holder)
{
	holder->pid = tap_start(run_holder, holder);
	while (!holder->ready) {
		REQUIRE(!waitpid(holder->pid, NULL, WNOHANG), "%s cannot hold pages", holder->comm);
		usleep(1000);
	}
}

static void stop_holder(struct holder *holder)
{
	kill(holder->pid, SIGKILL);
	REQUIRE(waitpid(holder->pid, NULL, 0) == holder->pid, "%s", strerror(errno));
}

/*
 * Map a file of tmpfs whose pages are in the area. Give each of the holders, the last of
 * which is NULL, other pages of it.
 */
static void map_file(const struct cma_ctl_area *area, struct holder **holders)
{
	char path[] = "/tmp/pins-XXXXXX", *mem;
	size_t size = MIB, i = 0;
	int file = mkstemp(path);

	REQUIRE(file >= 0 && !unlink(path) && !ftruncate(file, size), "%s", strerror(errno));
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	REQUIRE(mem != MAP_FAILED, "%s", strerror(errno));
	memset(mem, 1, size);
	for (; *holders; holders++) {
		struct holder *holder = *holders;

		holder->file = file;
		for (int k = 0; k < NR_HELD; i += PAGE) {
			REQUIRE(i < size, "too few pages are in the area");
			if (!in_area(area, pfn_of(mem + i)))
				continue;
			holder->mem[k] = mem + i;
			holder->pos[k] = i;
			holder->pfn[k++] = pfn_of(mem + i);
		}
	}
}

/* Make sure that what is used next is in the area. */
static struct cma_ctl_area free_area(void)
{
	int ctl = ctl_open();
	struct cma_ctl_area area = ctl_area(ctl);
	struct ballast ballast;

	ballast_load(&ballast, 24 * 1024);
	REQUIRE(ballast_leave_area(&ballast, &area) > 1024, "the area is not free");
	close(ctl);
	return area;
}

TEST(names, "the processes that pin pages of the area are named, with the pages, until they end")
{
	struct holder *pipe = new_holder("pipe\\040x", "splice", hold_in_pipe);
	struct holder *driver = new_holder("pinner", "[cma_ctl]", hold_in_driver);
	struct cma_ctl_area area = free_area();

	map_file(&area, (struct holder *[]){ pipe, driver, NULL });
	require_empty();
	start_holder(pipe);
	start_holder(driver);
	REQUIRE(read_pins() == 2 * NR_HELD, "%zu lines", read_pins());
	note("pfn %#llx refs %d pid %d comm %s age %lu s by %s", pins[0].pfn, pins[0].refs,
	     pins[0].pid, pins[0].comm, pins[0].seconds, pins[0].by);
	note("the last one by %s", pins[2 * NR_HELD - 1].by);
	require_holder(pipe, 2 * NR_HELD);
	require_holder(driver, 2 * NR_HELD);
	REQUIRE(number_in(AREA "pages", "pinned") >= 2 * NR_HELD,
		"%ld", number_in(AREA "pages", "pinned"));

	stop_holder(pipe);
	REQUIRE(read_pins() == NR_HELD, "%zu lines", read_pins());
	require_holder(driver, NR_HELD);
	stop_holder(driver);
	require_empty();
}

TEST(both, "two processes that pin the same page are both named")
{
	struct holder *first = new_holder("first", "splice", hold_in_pipe);
	struct holder *second = new_holder("second", "[cma_ctl]", hold_in_driver);
	struct cma_ctl_area area = free_area();
	size_t i, nr, names[2] = { 0 };

	map_file(&area, (struct holder *[]){ first, NULL });
	memcpy(second->mem, first->mem, sizeof(second->mem));
	start_holder(first);
	start_holder(second);
	nr = read_pins();
	REQUIRE(nr == 2 * NR_HELD, "%zu lines", nr);
	for (i = 0; i < nr; i++) {
		REQUIRE(pins[i].refs == 2, "%d references to %#llx", pins[i].refs, pins[i].pfn);
		names[0] += pins[i].pid == first->pid;
		names[1] += pins[i].pid == second->pid;
	}
	REQUIRE(names[0] == NR_HELD && names[1] == NR_HELD, "%zu and %zu", names[0], names[1]);
	stop_holder(first);
	stop_holder(second);
	require_empty();

	/* Who pins them next is named alone */
	second->ready = false;
	start_holder(second);
	nr = read_pins();
	REQUIRE(nr == NR_HELD, "%zu lines", nr);
	require_holder(second, nr);
	stop_holder(second);
	require_empty();
}

/* Use free memory until the page frames that a process had are used again, and hold them. */
static size_t hold_again(int ctl, const struct holder *former)
{
	long free_kb = meminfo_kb("CmaFree") + 4096;
	char *mem = map_anon(free_kb * 1024);
	size_t held = 0, i;

	REQUIRE(mem, "no address space");
	for (i = 0; i < (size_t)free_kb * 1024 && held < NR_HELD; i += PAGE) {
		struct cma_ctl_pin pin;
		int k;

		mem[i] = 1;
		pin.pfn = pfn_of(mem + i);
		for (k = 0; k < NR_HELD && former->pfn[k] != pin.pfn; k++)
			;
		if (k == NR_HELD)
			continue;
		REQUIRE(!ioctl(ctl, CMA_CTL_HOLD, &pin), "%s", strerror(errno));
		held++;
	}
	return held;
}

TEST(reuse, "a page that is used again is not shown with the name of who pinned it before")
{
	struct holder *former = new_holder("former", "[cma_ctl]", hold_in_driver);
	struct cma_ctl_area area = free_area();
	int ctl = ctl_open();
	size_t held, nr;

	map_file(&area, (struct holder *[]){ former, NULL });
	start_holder(former);
	nr = read_pins();
	REQUIRE(nr == NR_HELD, "%zu lines", nr);
	require_holder(former, nr);
	stop_holder(former);
	REQUIRE(!munmap(former->mem[0] - former->pos[0], MIB), "%s", strerror(errno));
	close(former->file);

	held = hold_again(ctl, former);
	REQUIRE(held >= NR_HELD / 2, "only %zu pages are used again", held);
	nr = read_pins();
	REQUIRE(!nr, "page %#llx is said to be pinned by %s", pins[0].pfn, pins[0].comm);
	REQUIRE(unrecorded == (long)held, "%ld pages that nobody is recorded for, not %zu",
		unrecorded, held);
	while (held--)
		REQUIRE(!ioctl(ctl, CMA_CTL_UNPIN), "%s", strerror(errno));
	require_empty();
}
