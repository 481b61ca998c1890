/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/order.h"

/* R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput.
 * 1 (1972): strongly connected components are found after all components that
 * they reach, which is the requested order. The recursion is as deep as the
 * longest dependency chain. */

enum { UNSEEN = 0 };

struct state {
	size_t number; /* in the order of discovery, from 1 */
	size_t low;    /* lowest number on the stack that it reaches */
	size_t cycle;  /* its component, from 1; 0: still incomplete */
	bool placed;
};

struct ordering {
	const struct mkv_order_node *nodes;
	struct state *states;
	size_t *stack;
	size_t n_stack, n_seen, n_cycles;
	size_t *ret;
	size_t n_ret;
};

/* Appends a node after its Pre-Depends in the same cycle. */
static void place_node(struct ordering *o, size_t at)
{
	if (o->states[at].placed)
		return;
	o->states[at].placed = true;
	const struct mkv_order_node *node = &o->nodes[at];
	for (size_t i = 0; i < node->n_pre_depends; i++)
		if (o->states[node->pre_depends[i]].cycle ==
		    o->states[at].cycle)
			place_node(o, node->pre_depends[i]);
	o->ret[o->n_ret++] = at;
}

static int by_number(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

static void close_cycle(struct ordering *o, size_t first)
{
	size_t from = o->n_stack;
	o->n_cycles++;
	do {
		from--;
		o->states[o->stack[from]].cycle = o->n_cycles;
	} while (o->stack[from] != first);
	qsort(o->stack + from, o->n_stack - from, sizeof(*o->stack), by_number);
	for (size_t i = from; i < o->n_stack; i++)
		place_node(o, o->stack[i]);
	o->n_stack = from;
}

static void visit_node(struct ordering *o, size_t at)
{
	struct state *state = &o->states[at];
	state->number = state->low = ++o->n_seen;
	o->stack[o->n_stack++] = at;
	for (size_t i = 0; i < o->nodes[at].n_depends; i++) {
		size_t to = o->nodes[at].depends[i];
		const struct state *other = &o->states[to];
		if (other->number == UNSEEN)
			visit_node(o, to);
		else if (other->cycle)
			continue;
		if (other->low < state->low)
			state->low = other->low;
	}
	if (state->low == state->number)
		close_cycle(o, at);
}

int mkv_order(const struct mkv_order_node *nodes, size_t count, size_t *ret,
	      struct mkv_error *err)
{
	auto_free struct state *states = calloc(count + 1, sizeof(*states));
	auto_free size_t *stack = calloc(count + 1, sizeof(*stack));
	if (!states || !stack)
		return mkv_oom(err);
	struct ordering ordering = {
		.nodes = nodes, .states = states, .stack = stack, .ret = ret};
	for (size_t i = 0; i < count; i++)
		if (states[i].number == UNSEEN)
			visit_node(&ordering, i);
	return 0;
}
