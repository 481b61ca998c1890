/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/graph.h"

#include <string.h>

static int add_provider(struct mkv_graph *graph, const char *name,
			size_t length, size_t package, struct mkv_error *err)
{
	if (graph->n_providers == graph->providers_capacity) {
		size_t capacity = graph->providers_capacity * 2 + 256;
		struct mkv_provider *grown = reallocarray(
			graph->providers, capacity, sizeof(*grown));
		if (!grown)
			return mkv_oom(err);
		graph->providers = grown;
		graph->providers_capacity = capacity;
	}
	const size_t *before = mkv_pathmap_get(&graph->names, name, length);
	graph->providers[graph->n_providers] =
		(struct mkv_provider){package, before ? *before + 1 : 0};
	return mkv_pathmap_set(&graph->names, name, length,
			       graph->n_providers++, err);
}

static int add_edge(struct mkv_graph *graph, struct mkv_edge edge,
		    struct mkv_error *err)
{
	if (graph->n_edges == graph->edges_capacity) {
		size_t capacity = graph->edges_capacity * 2 + 1024;
		struct mkv_edge *grown =
			reallocarray(graph->edges, capacity, sizeof(*grown));
		if (!grown)
			return mkv_oom(err);
		graph->edges = grown;
		graph->edges_capacity = capacity;
	}
	graph->edges[graph->n_edges++] = edge;
	return 0;
}

/* Of alternatives all that are in the set; versions don't matter here: the
 * solver saw to them. */
static int add_relations(struct mkv_graph *graph, size_t from,
			 const struct mkv_control *control, bool pre,
			 struct mkv_error *err)
{
	const char *field =
		mkv_control_get(control, pre ? "Pre-Depends" : "Depends");
	struct mkv_relation relation;
	char separator;
	while (field && mkv_relation_next(&field, &relation, &separator)) {
		const size_t *found = mkv_pathmap_get(
			&graph->names, relation.name, relation.name_length);
		for (size_t at = found ? *found + 1 : 0; at > 0;
		     at = graph->providers[at - 1].next) {
			size_t to = graph->providers[at - 1].package;
			int rc = add_edge(
				graph, (struct mkv_edge){from, to, pre}, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

int mkv_graph_read(struct mkv_graph *graph, const struct mkv_package *packages,
		   size_t count, struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct mkv_control *control = &packages[i].control;
		rc = add_provider(graph, control->package,
				  strlen(control->package), i, err);
		const char *at = mkv_control_get(control, "Provides");
		struct mkv_relation provided;
		char separator;
		while (rc == 0 && at &&
		       mkv_relation_next(&at, &provided, &separator))
			rc = add_provider(graph, provided.name,
					  provided.name_length, i, err);
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct mkv_control *control = &packages[i].control;
		rc = add_relations(graph, i, control, true, err);
		if (rc == 0)
			rc = add_relations(graph, i, control, false, err);
	}
	return rc;
}

void mkv_graph_done(struct mkv_graph *graph)
{
	free(graph->edges);
	free(graph->providers);
	mkv_pathmap_done(&graph->names);
	*graph = (struct mkv_graph){0};
}
