// SPDX-License-Identifier: GPL-2.0
/* The model of cache.h, and a search through all of its states */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"

#define MAX_LINES	2
#define MAX_NODES	(4U << 20)
#define TABLE_BITS	18

/* A line in a cache; 4 bits of data, two for each half */
#define VALID		0x80U
#define DIRTY		0x40U
#define DATA		0x0fU
/* A line in the buffer of a CPU or of the L2: EVICTED from an L1, or which halves */
#define EVICTED		0x40U
#define HALVES		0x30U
#define BOTH		0x30U

struct line {
	uint8_t mem, l2, l1[CACHE_CPUS], wb[CACHE_CPUS], wb2, unused;
};

struct state {
	struct line line[MAX_LINES];
};

/* Translations of a line's page, as sets: the tables in memory, the TLBs */
struct env {
	uint8_t walk[CACHE_ALIASES], newest[CACHE_ALIASES], cleaned_by[CACHE_ALIASES];
	uint8_t tlb[CACHE_CPUS][CACHE_ALIASES];
	bool fetches[CACHE_CPUS];
};

struct node {
	struct state state;
	uint32_t parent;
	int16_t move;		/* of the hardware, or of the program if negative */
	uint8_t line;
};

/* What the hardware does: MOVES for each CPU, then those of the L2 */
enum {
	FETCH_L1, FETCH_BOTH, DROP_L1, EVICT_L2, EVICT_PAST, CLEAN_L2, CLEAN_PAST, DRAIN_L2,
	DRAIN_PAST, MOVES
};

enum { PREFETCH = CACHE_CPUS * MOVES, DROP_L2, WRITE_L2, WRITE_L2_KEEP, DRAIN_OUTER };

static const char *const move_names[] = {
	[FETCH_L1] = "CPU %u fetches the line speculatively",
	[FETCH_BOTH] = "CPU %u fetches the line speculatively, also into the L2",
	[DROP_L1] = "CPU %u drops its clean line", [EVICT_L2] = "CPU %u evicts its line into the L2",
	[EVICT_PAST] = "CPU %u evicts its line to memory",
	[CLEAN_L2] = "CPU %u writes its line back into the L2 and keeps it",
	[CLEAN_PAST] = "CPU %u writes its line back to memory and keeps it",
	[DRAIN_L2] = "the buffer of CPU %u is written to the L2",
	[DRAIN_PAST] = "the buffer of CPU %u is written past the L2",
};

static const char *const outer_names[] = {
	"the L2 prefetches the line", "the L2 drops its clean line", "the L2 evicts its line",
	"the L2 writes its line back and keeps it", "the buffer of the L2 is written to memory",
};

static const char *const op_names[] = {
	[CACHE_PTE_STORE] = "write an entry of the table", [CACHE_PTE_CLEAN] = "clean the table",
	[CACHE_TLB_FLUSH] = "flush the TLB", [CACHE_DSB] = "wait (dsb)",
	[CACHE_OUTER_SYNC] = "drain the L2", [CACHE_L1_CLEAN] = "clean the L1",
	[CACHE_L1_INV] = "invalidate the L1", [CACHE_L1_FLUSH] = "flush the L1",
	[CACHE_L2_CLEAN] = "clean the L2", [CACHE_L2_INV] = "invalidate the L2",
	[CACHE_L2_FLUSH] = "flush the L2", [CACHE_CPU_WRITE] = "the CPU writes",
	[CACHE_CPU_READ] = "the CPU reads", [CACHE_DEV_WRITE] = "the device writes",
	[CACHE_DEV_READ] = "the device reads", [CACHE_HANDOVER] = "the page changes hands",
};

static const char *const value_names[] = { "zeros", "old data", "the device's data",
					   "the CPU's data" };
static const char *const alias_names[] = { "linear mapping", "kmap_atomic() slot of CPU 0",
	"kmap_atomic() slot of CPU 1", "kmap()", "vmap()", "mapping of the buffer",
	"mapping of a process" };

bool cache_is_mpcore, cache_check_attributes;
unsigned long cache_nr_states, cache_nr_explored;

static struct cache_op *ops;
static struct { enum cache_alias alias; uint64_t start, end; uint8_t walk, tlb; } maps[64];
static unsigned int nr_ops, max_ops, nr_maps, nr_lines;
static const uint64_t *lines;
static struct env envs[MAX_LINES];
static struct node *nodes;
static char failure[256];
static uint32_t nr_nodes, first_node;	/* of all layers; of the current layer */
static struct { uint32_t node, round; } *table;
static uint32_t round_nr;

void cache_reset(void)
{
	nr_ops = 0;
	nr_maps = 0;
	cache_is_mpcore = false;
	cache_check_attributes = false;
}

void cache_map(enum cache_alias alias, uint64_t start, uint64_t end, unsigned int walk,
	       unsigned int tlb)
{
	if (nr_maps == sizeof(maps) / sizeof(*maps))
		abort();
	maps[nr_maps].alias = alias;
	maps[nr_maps].start = start;
	maps[nr_maps].end = end;
	maps[nr_maps].walk = walk;
	maps[nr_maps++].tlb = tlb;
}

void cache_add(enum cache_type type, unsigned int cpu, enum cache_alias alias, uint64_t start,
	       uint64_t end, unsigned int arg)
{
	if (nr_ops == max_ops) {
		max_ops = 2 * max_ops + 64;
		ops = realloc(ops, max_ops * sizeof(*ops));
		if (!ops)
			abort();
	}
	ops[nr_ops++] = (struct cache_op){ type, cpu, arg, alias, start, end };
}

/* Data of lines and buffers */

static uint8_t value_bits(uint8_t halves)
{
	return (halves & 0x10 ? 3 : 0) | (halves & 0x20 ? 12 : 0);
}

static uint8_t merge(uint8_t data, uint8_t buffer)
{
	uint8_t bits = value_bits(buffer);

	return buffer & VALID ? (data & DATA & ~bits) | (buffer & bits) : data & DATA;
}

static uint8_t both_halves(unsigned int value)
{
	return value | value << 2;
}

/* The line's data without any cache, as a CPU sees it */
static uint8_t outer_memory(const struct line *l)
{
	return merge(l->mem, l->wb2);
}

static int evicted_from(const struct line *l)
{
	int c;

	for (c = 0; c < CACHE_CPUS; c++)
		if ((l->wb[c] & (VALID | EVICTED)) == (VALID | EVICTED))
			return c;
	return -1;
}

/* What a fetch by any CPU finds */
static uint8_t fetched(const struct line *l)
{
	int c;

	for (c = 0; c < CACHE_CPUS; c++)
		if (l->l1[c] & VALID)
			return l->l1[c] & DATA;
	c = evicted_from(l);
	if (c >= 0)
		return l->wb[c] & DATA;
	return l->l2 & VALID ? l->l2 & DATA : outer_memory(l);
}

static void to_outer_buffer(struct line *l, uint8_t halves, uint8_t data)
{
	uint8_t old = l->wb2 & VALID ? l->wb2 & HALVES : 0;
	uint8_t bits = value_bits(halves);

	l->wb2 = VALID | old | halves | (l->wb2 & DATA & value_bits(old) & ~bits) | (data & bits);
}

/* Write a dirty line of an L1 back. Past the L2 only if the L2 does not have it. */
static bool write_back(struct line *l, uint8_t data, bool past)
{
	if (past && l->l2 & VALID)
		return false;
	if (past)
		to_outer_buffer(l, BOTH, data);
	else
		l->l2 = VALID | DIRTY | (data & DATA);
	return true;
}

static bool drain(struct line *l, int c, bool past)
{
	uint8_t buffer = l->wb[c];

	if (!(buffer & VALID))
		return false;
	if (buffer & EVICTED) {
		if (!write_back(l, buffer, past))
			return false;
	} else {
		if (!past)
			return false;
		to_outer_buffer(l, buffer & HALVES, buffer);
	}
	l->wb[c] = 0;
	return true;
}

/* Before something else needs the buffer; a free choice was open before */
static void make_room(struct line *l, int c)
{
	if (!drain(l, c, true))
		drain(l, c, false);
}

static void drain_outer(struct line *l)
{
	l->mem = merge(l->mem, l->wb2);
	l->wb2 = 0;
}

/* The search */

static uint32_t hash(const struct state *s)
{
	uint64_t w[sizeof(*s) / 8], h = 0;
	unsigned int i;

	memcpy(w, s, sizeof(w));
	for (i = 0; i < sizeof(w) / sizeof(*w); i++)
		h = (h ^ w[i]) * 0x9e3779b97f4a7c15ULL, h ^= h >> 29;
	return h * 0xbf58476d1ce4e5b9ULL >> (64 - TABLE_BITS);
}

static void visit(const struct state *s, uint32_t parent, int move, unsigned int line)
{
	uint32_t slot;

	for (slot = hash(s); table[slot].round == round_nr;
	     slot = (slot + 1) & ((1U << TABLE_BITS) - 1))
		if (!memcmp(&nodes[table[slot].node].state, s, sizeof(*s)))
			return;
	if (nr_nodes == MAX_NODES || nr_nodes - first_node > 3U << (TABLE_BITS - 2)) {
		fprintf(stderr, "too many states\n");
		abort();
	}
	table[slot].round = round_nr;
	table[slot].node = nr_nodes;
	nodes[nr_nodes].state = *s;
	nodes[nr_nodes].parent = parent;
	nodes[nr_nodes].move = move;
	nodes[nr_nodes++].line = line;
}

/* Can the hardware do this move? */
static bool hardware_cpu(struct line *l, const struct env *env, int c, int move)
{
	uint8_t *l1 = &l->l1[c];
	bool dirty = (*l1 & (VALID | DIRTY)) == (VALID | DIRTY);

	switch (move) {
	case FETCH_L1:
	case FETCH_BOTH:
		if (!env->fetches[c] || *l1 & VALID)
			return false;
		/* what comes from another L1 does not go through the L2 */
		if (move == FETCH_BOTH &&
		    (l->l2 & VALID || l->l1[!c] & VALID || evicted_from(l) >= 0))
			return false;
		*l1 = VALID | fetched(l);
		if (move == FETCH_BOTH)
			l->l2 = *l1;
		return true;
	case DROP_L1:
		if (!(*l1 & VALID) || dirty)
			return false;
		*l1 = 0;
		return true;
	case EVICT_L2:
	case EVICT_PAST:
	case CLEAN_L2:
	case CLEAN_PAST:
		if (!dirty || evicted_from(l) >= 0 ||
		    !write_back(l, *l1, move == EVICT_PAST || move == CLEAN_PAST))
			return false;
		*l1 = move == CLEAN_L2 || move == CLEAN_PAST ? *l1 & ~DIRTY : 0;
		return true;
	default:
		return drain(l, c, move == DRAIN_PAST);
	}
}

static bool hardware(struct line *l, const struct env *env, int move)
{
	bool l2_dirty = (l->l2 & (VALID | DIRTY)) == (VALID | DIRTY);

	if (move < PREFETCH)
		return hardware_cpu(l, env, move / MOVES, move % MOVES);

	switch (move) {
	case PREFETCH:
		if (l->l2 & VALID || !(env->fetches[0] || env->fetches[1]))
			return false;
		l->l2 = VALID | outer_memory(l);
		return true;
	case DROP_L2:
		if (!(l->l2 & VALID) || l2_dirty)
			return false;
		l->l2 = 0;
		return true;
	case WRITE_L2:
	case WRITE_L2_KEEP:
		if (!l2_dirty)
			return false;
		to_outer_buffer(l, BOTH, l->l2);
		l->l2 = move == WRITE_L2 ? 0 : l->l2 & ~DIRTY;
		return true;
	default:
		if (!(l->wb2 & VALID))
			return false;
		drain_outer(l);
		return true;
	}
}

/* Complete the layer with all states that the hardware reaches by itself */
static void close_layer(void)
{
	uint32_t n;
	unsigned int i;
	int move;

	for (n = first_node; n < nr_nodes; n++)
		for (i = 0; i < nr_lines; i++)
			for (move = 0; move <= DRAIN_OUTER; move++) {
				struct state s = nodes[n].state;

				if (hardware(&s.line[i], &envs[i], move))
					visit(&s, n, move, i);
			}
}

static void print_move(const struct node *node)
{
	const struct line *l = &node->state.line[node->line];
	int move = node->move;

	printf("# line %u: ", node->line);
	if (move < 0) {
		const struct cache_op *op = &ops[-move - 1];

		printf("%s", op_names[op->type]);
		if (op->type == CACHE_CPU_WRITE || op->type == CACHE_CPU_READ)
			printf(" (CPU %u, %s)", op->cpu, alias_names[op->alias]);
		if (op->type >= CACHE_CPU_WRITE && op->type <= CACHE_DEV_READ)
			printf(": %s", value_names[op->arg]);
	} else if (move < PREFETCH) {
		printf("    ");
		printf(move_names[move % MOVES], move / MOVES);
	} else {
		printf("    %s", outer_names[move - PREFETCH]);
	}
	printf(" [L1 %02x %02x L2 %02x buffers %02x %02x %02x memory %x]\n", l->l1[0], l->l1[1],
	       l->l2, l->wb[0], l->wb[1], l->wb2, l->mem);
}

static void fail(uint32_t node, const struct cache_op *op, const char *why, unsigned int value)
{
	uint32_t way[200];
	unsigned int nr = 0;

	if (*failure)
		return;
	snprintf(failure, sizeof(failure), "%s%s%s (CPU %u, %s)", op_names[op->type], why,
		 value < 4 ? value_names[value] : "", op->cpu, alias_names[op->alias]);
	for (; node && nr < 200; node = nodes[node].parent)
		if (nodes[node].move >= 0 ||
		    memcmp(&nodes[node].state, &nodes[nodes[node].parent].state,
			   sizeof(struct state)))
			way[nr++] = node;
	while (nr)
		print_move(&nodes[way[--nr]]);
	printf("# %s\n", failure);
}

/* Which halves of the line are in the range of the step? */
static uint8_t halves_of(const struct cache_op *op, unsigned int i)
{
	uint64_t half = lines[i] + CACHE_LINE / 2;

	return (op->start <= lines[i] && op->end >= half ? 0x10 : 0) |
	       (op->start <= half && op->end >= half + CACHE_LINE / 2 ? 0x20 : 0);
}

static bool differs(uint8_t data, uint8_t halves, unsigned int value)
{
	return (data ^ both_halves(value)) & value_bits(halves);
}

static unsigned int wrong_value(uint8_t data, uint8_t halves, unsigned int value)
{
	return halves & 0x10 && (data & 3) != value ? data & 3 : data >> 2 & 3;
}

static void check_read(uint32_t n, const struct cache_op *op, uint8_t data, uint8_t halves)
{
	if (!cache_check_attributes && differs(data, halves, op->arg))
		fail(n, op, " ", wrong_value(data, halves, op->arg));
}

static void uncached_read(uint32_t n, const struct cache_op *op, const struct line *l,
			  uint8_t halves)
{
	int c;

	/* Its own stores come first */
	if ((l->wb[op->cpu] & (VALID | EVICTED)) == VALID)
		check_read(n, op, l->wb[op->cpu] & DATA, l->wb[op->cpu] & halves),
		halves &= ~l->wb[op->cpu];
	check_read(n, op, outer_memory(l), halves);
	for (c = 0; c < CACHE_CPUS; c++)
		if (l->l1[c] & VALID)
			check_read(n, op, l->l1[c] & DATA, halves);
	if (l->l2 & VALID)
		check_read(n, op, l->l2 & DATA, halves);
}

static void cached_access(struct line *l, int c)
{
	if (!(l->l1[c] & VALID))
		l->l1[c] = VALID | fetched(l);
}

static void cached_write(struct line *l, int c, uint8_t halves, unsigned int value)
{
	uint8_t data = fetched(l);
	int evicted = evicted_from(l), other;

	if (evicted >= 0)
		make_room(l, evicted);
	for (other = 0; other < CACHE_CPUS; other++)
		l->l1[other] = 0;
	l->l1[c] = VALID | DIRTY | merge(data, VALID | halves | both_halves(value));
}

static void uncached_write(struct line *l, int c, uint8_t halves, unsigned int value)
{
	uint8_t old;

	if (l->wb[c] & EVICTED)
		make_room(l, c);
	old = l->wb[c] & VALID ? l->wb[c] & HALVES : 0;
	l->wb[c] = VALID | old | halves |
		   merge(l->wb[c], VALID | halves | both_halves(value));
}

/* Clean, invalidate or flush a line of the L1 */
static void maintain_l1(struct line *l, const struct cache_op *op, const struct env *env,
			enum cache_type type)
{
	int c, first = 0, last = CACHE_CPUS - 1;

	if (cache_is_mpcore) {
		first = op->cpu;
		last = op->cpu;
		/* A load and a store take the line from the other CPU */
		if (type == CACHE_L1_FLUSH && env->walk[op->alias] == CACHE_CACHED) {
			for (c = 0; c < CACHE_CPUS; c++)
				if (c != first && l->l1[c] & VALID) {
					l->l1[first] = l->l1[c];
					l->l1[c] = 0;
				}
		}
	}
	for (c = first; c <= last; c++) {
		if (type != CACHE_L1_INV && (l->l1[c] & (VALID | DIRTY)) == (VALID | DIRTY)) {
			int evicted = evicted_from(l);

			if (evicted >= 0)
				make_room(l, evicted);
			if (l->wb[c] & VALID)
				make_room(l, c);
			l->wb[c] = VALID | EVICTED | (l->l1[c] & DATA);
			l->l1[c] &= ~DIRTY;
		}
		if (type != CACHE_L1_CLEAN)
			l->l1[c] = 0;
	}
}

static void maintain_l2(struct line *l, enum cache_type type)
{
	if (type != CACHE_L2_INV && (l->l2 & (VALID | DIRTY)) == (VALID | DIRTY))
		to_outer_buffer(l, BOTH, l->l2);
	l->l2 = type == CACHE_L2_CLEAN ? l->l2 & ~DIRTY : 0;
}

/* A line that is only partly in the range is flushed instead of invalidated */
static enum cache_type type_for_line(const struct cache_op *op, unsigned int i)
{
	if (op->start <= lines[i] && op->end >= lines[i] + CACHE_LINE)
		return op->type;
	if (op->type == CACHE_L1_INV)
		return CACHE_L1_FLUSH;
	return op->type == CACHE_L2_INV ? CACHE_L2_FLUSH : op->type;
}

/* The buffers of a CPU, and lines that any CPU has to write back, reach the L2 */
static void wait_for_buffers(uint32_t n, const struct cache_op *op, unsigned int i)
{
	struct state s = nodes[n].state;
	struct line *l = &s.line[i];
	int evicted = evicted_from(l), past, move = -(op - ops) - 1;

	if (l->wb[op->cpu] & VALID && !(l->wb[op->cpu] & EVICTED))
		drain(l, op->cpu, true);
	if (evicted < 0) {
		visit(&s, n, move, i);
		return;
	}
	for (past = 0; past < 2; past++) {
		struct state next = s;

		if (drain(&next.line[i], evicted, past))
			visit(&next, n, move, i);
	}
}

static void apply_access(uint32_t n, const struct cache_op *op, unsigned int i)
{
	uint8_t attributes = envs[i].tlb[op->cpu][op->alias], halves = halves_of(op, i);
	int move = -(op - ops) - 1;
	struct state s = nodes[n].state;

	if (!attributes) {
		fail(n, op, " where nothing is mapped", 4);
		return;
	}
	if (attributes & (CACHE_CACHED | CACHE_SECTION)) {
		if (op->type == CACHE_CPU_READ) {
			cached_access(&s.line[i], op->cpu);
			check_read(n, op, s.line[i].l1[op->cpu] & DATA, halves);
		} else {
			cached_write(&s.line[i], op->cpu, halves, op->arg);
		}
		visit(&s, n, move, i);
	}
	s = nodes[n].state;
	if (attributes & CACHE_UNCACHED) {
		if (op->type == CACHE_CPU_READ)
			uncached_read(n, op, &s.line[i], halves);
		else
			uncached_write(&s.line[i], op->cpu, halves, op->arg);
		visit(&s, n, move, i);
	}
}

static void apply(uint32_t n, const struct cache_op *op, unsigned int i)
{
	struct state s = nodes[n].state;
	struct line *l = &s.line[i];
	uint8_t halves = halves_of(op, i);

	switch (op->type) {
	case CACHE_CPU_READ:
	case CACHE_CPU_WRITE:
		apply_access(n, op, i);
		return;
	case CACHE_DSB:
		wait_for_buffers(n, op, i);
		return;
	case CACHE_OUTER_SYNC:
		drain_outer(l);
		break;
	case CACHE_L1_CLEAN:
	case CACHE_L1_INV:
	case CACHE_L1_FLUSH:
		maintain_l1(l, op, &envs[i], type_for_line(op, i));
		break;
	case CACHE_L2_CLEAN:
	case CACHE_L2_INV:
	case CACHE_L2_FLUSH:
		maintain_l2(l, type_for_line(op, i));
		break;
	case CACHE_DEV_WRITE:
		l->mem = merge(l->mem, VALID | halves | both_halves(op->arg));
		break;
	case CACHE_DEV_READ:
		check_read(n, op, l->mem, halves);
		break;
	default:
		break;
	}
	visit(&s, n, -(op - ops) - 1, i);
}

/* Translations: all that can be found at some time is in the sets */

__attribute__((__format__(__printf__, 1, 0)))
static void fail_env(const char *why, int c, int a)
{
	if (*failure)
		return;
	snprintf(failure, sizeof(failure), why, c, alias_names[a]);
	printf("# %s\n", failure);
}

static void update_env(struct env *env)
{
	int a, c;

	for (c = 0; c < CACHE_CPUS; c++) {
		env->fetches[c] = false;
		for (a = 0; a < CACHE_ALIASES; a++) {
			env->tlb[c][a] |= env->walk[a] & ~CACHE_NONE;
			if (env->tlb[c][a] & CACHE_SECTION && env->tlb[c][a] & ~CACHE_SECTION)
				fail_env("CPU %d may have a section and a page of the %s", c, a);
			if (env->tlb[c][a] & (CACHE_CACHED | CACHE_SECTION) && !cache_is_mpcore)
				env->fetches[c] = true;
		}
	}
}

static void check_handover(const struct cache_op *op, const struct env *env)
{
	int c;

	for (c = 0; cache_check_attributes && c < CACHE_CPUS; c++)
		if (env->tlb[c][op->alias] & ~op->arg)
			fail_env("CPU %d may have other attributes of the %s", c, op->alias);
}

/* Return whether the step is one for translations */
static bool apply_to_env(const struct cache_op *op, struct env *env)
{
	int a;

	switch (op->type) {
	case CACHE_PTE_STORE:
		env->newest[op->alias] = op->arg;
		env->walk[op->alias] |= op->arg;
		env->cleaned_by[op->alias] = 0;
		break;
	case CACHE_PTE_CLEAN:
		env->cleaned_by[op->alias] |= 1 << op->cpu;
		break;
	case CACHE_DSB:
		for (a = 0; a < CACHE_ALIASES; a++)
			if (env->cleaned_by[a] & 1 << op->cpu)
				env->walk[a] = env->newest[a];
		return false;
	case CACHE_TLB_FLUSH:
		env->tlb[op->cpu][op->alias] = 0;
		break;
	case CACHE_HANDOVER:
		check_handover(op, env);
		break;
	default:
		return false;
	}
	return true;
}

static bool touches(const struct cache_op *op, unsigned int i)
{
	if (op->type == CACHE_DSB || op->type == CACHE_OUTER_SYNC)
		return true;
	if (op->type >= CACHE_CPU_WRITE && op->type <= CACHE_DEV_READ)
		return halves_of(op, i);
	return op->start < lines[i] + CACHE_LINE && op->end > lines[i];
}

static void step(const struct cache_op *op, unsigned int i)
{
	uint32_t n, first = first_node, last = nr_nodes;
	struct env before = envs[i];
	bool only_env = apply_to_env(op, &envs[i]);

	update_env(&envs[i]);
	if (only_env && !memcmp(before.fetches, envs[i].fetches, sizeof(before.fetches)))
		return;
	first_node = last;
	round_nr++;
	for (n = first; n < last && !*failure; n++)
		apply(n, op, i);
	close_layer();
}

static void start(void)
{
	unsigned int i, m;
	struct state s;

	if (!nodes) {
		nodes = malloc(MAX_NODES * sizeof(*nodes));
		table = calloc(1U << TABLE_BITS, sizeof(*table));
		if (!nodes || !table)
			abort();
	}
	*failure = '\0';
	memset(envs, 0, sizeof(envs));
	memset(&s, 0, sizeof(s));
	for (i = 0; i < nr_lines; i++) {
		memset(envs[i].walk, CACHE_NONE, sizeof(envs[i].walk));
		memset(envs[i].newest, CACHE_NONE, sizeof(envs[i].newest));
		s.line[i].mem = both_halves(CACHE_OLD);
		for (m = 0; m < nr_maps; m++) {
			if (lines[i] < maps[m].start || lines[i] >= maps[m].end)
				continue;
			envs[i].walk[maps[m].alias] = maps[m].walk;
			envs[i].newest[maps[m].alias] = maps[m].walk;
			envs[i].tlb[0][maps[m].alias] = maps[m].tlb;
			envs[i].tlb[1][maps[m].alias] = maps[m].tlb;
		}
		update_env(&envs[i]);
	}
	nr_nodes = 1;		/* 0 has no parent */
	first_node = 1;
	round_nr++;
	visit(&s, 0, 0, 0);
	close_layer();
}

const char *cache_explore(const uint64_t *which, unsigned int nr)
{
	unsigned int o, i;

	lines = which;
	nr_lines = nr;
	start();
	for (o = 0; o < nr_ops && !*failure; o++) {
		for (i = 0; i < nr_lines && !*failure; i++)
			if (touches(&ops[o], i))
				step(&ops[o], i);
	}
	cache_nr_states += nr_nodes - 1;
	cache_nr_explored++;
	return *failure ? failure : NULL;
}
