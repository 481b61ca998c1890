/* SPDX-License-Identifier: MIT */
#pragma once
/* An order of packages in which each comes after what it depends on. */

#include "lib/error.h"

/* A package as a node of a graph; edges are numbers of other nodes, ascending.
 */
struct mkv_order_node {
	size_t *depends; /* Depends and Pre-Depends */
	size_t n_depends;
	size_t *pre_depends; /* Pre-Depends alone */
	size_t n_pre_depends;
};

/* Writes the numbers of all nodes to `ret` so that a node comes after those
 * that it depends on. Nodes of a circle stand together, ordered by Pre-Depends
 * among them. Where nothing else decides, lower numbers come first. */
int mkv_order(const struct mkv_order_node *nodes, size_t count, size_t *ret,
	      struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
