/* SPDX-License-Identifier: MIT */
#pragma once
/* Topological order of packages: each after its dependencies. */

#include "lib/error.h"

/* A package as a node of a graph; edges are numbers of other nodes, ascending.
 */
struct mkv_order_node {
	size_t *depends; /* Depends and Pre-Depends */
	size_t n_depends;
	size_t *pre_depends; /* Pre-Depends alone */
	size_t n_pre_depends;
};

/* Writes the numbers of all nodes to `ret` (of `count` elements), each node
 * after its dependencies. The nodes of a dependency cycle are contiguous,
 * ordered by Pre-Depends within the cycle. Ties: lower numbers first. Fails
 * only without memory. */
int mkv_order(const struct mkv_order_node *nodes, size_t count, size_t *ret,
	      struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
