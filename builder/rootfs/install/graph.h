/* SPDX-License-Identifier: MIT */
#pragma once
/* The dependencies among the packages of a set. */

#include "builder/rootfs/package/pathmap.h"
#include "builder/rootfs/package/stage.h"

/* Package `from` depends on package `to`. */
struct mkv_edge {
	size_t from, to;
	bool pre; /* by Pre-Depends: before it is unpacked */
};

/* A package with this name or with a Provides of it; all of a name are linked
 * by `next`. */
struct mkv_provider {
	size_t package;
	size_t next; /* index + 1; 0 at the end */
};

struct mkv_graph {
	struct mkv_edge *edges;
	size_t n_edges;
	struct mkv_provider *providers;
	size_t n_providers;
	struct mkv_pathmap names; /* name -> index of its first provider */
};

/* Adds the relations of all packages to a zeroed graph, which borrows names
 * from `packages`. After an error the graph is incomplete and must still be
 * released. */
int mkv_graph_read(struct mkv_graph *graph, const struct mkv_package *packages,
		   size_t count, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
void mkv_graph_done(struct mkv_graph *graph) mkv_nonnull(1);
#define auto_graph __attribute__((cleanup(mkv_graph_done)))
