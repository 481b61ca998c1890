/* SPDX-License-Identifier: MIT */
#pragma once
/* Which package of a set depends on which. */

#include "builder/rootfs/package/pathmap.h"
#include "builder/rootfs/package/stage.h"

/* Package `from` depends on `to`, perhaps before it may even be unpacked. */
struct mkv_edge {
	size_t from, to;
	bool pre;
};

/* Who is, or provides, a name: a list through `next`. */
struct mkv_provider {
	size_t package;
	size_t next; /* index + 1 */
};

struct mkv_graph {
	struct mkv_edge *edges;
	size_t n_edges, edges_capacity;
	struct mkv_provider *providers;
	size_t n_providers, providers_capacity;
	struct mkv_pathmap names; /* to a provider's index */
};

/* Reads the relations of all packages into a zeroed graph; names are borrowed
 * from them. Partly filled on failure. */
int mkv_graph_read(struct mkv_graph *graph, const struct mkv_package *packages,
		   size_t count, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
void mkv_graph_done(struct mkv_graph *graph) mkv_nonnull(1);
#define auto_graph __attribute__((cleanup(mkv_graph_done)))
