/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/graph.h"

#include <string.h>

#include "lib/grow.h"

static int add_provider(struct mkv_graph *graph, const char *name,
			size_t length, size_t package, struct mkv_error *err)
{
	struct mkv_provider *provider =
		mkv_grow(&graph->providers, &graph->n_providers);
	if (!provider)
		return mkv_oom(err);
	const size_t *before = mkv_pathmap_get(&graph->names, name, length);
	*provider = (struct mkv_provider){package, before ? *before + 1 : 0};
	return mkv_pathmap_set(&graph->names, name, length,
			       graph->n_providers - 1, err);
}

static int add_provided_names(struct mkv_graph *graph, size_t package,
			      const struct mkv_control *control,
			      struct mkv_error *err)
{
	int rc = add_provider(graph, control->package, strlen(control->package),
			      package, err);
	if (rc < 0)
		return rc;
	const char *at = mkv_control_get(control, "Provides");
	struct mkv_relation provided;
	char separator;
	while (at && mkv_relation_next(&at, &provided, &separator)) {
		rc = add_provider(graph, provided.name, provided.name_length,
				  package, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_edge(struct mkv_graph *graph, struct mkv_edge edge,
		    struct mkv_error *err)
{
	struct mkv_edge *added = mkv_grow(&graph->edges, &graph->n_edges);
	if (!added)
		return mkv_oom(err);
	*added = edge;
	return 0;
}

/* Adds an edge to every alternative that is in the set. Versions are ignored:
 * the solver has checked them. */
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
	for (size_t i = 0; i < count; i++) {
		int rc =
			add_provided_names(graph, i, &packages[i].control, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < count; i++) {
		const struct mkv_control *control = &packages[i].control;
		int rc = add_relations(graph, i, control, true, err);
		if (rc < 0)
			return rc;
		rc = add_relations(graph, i, control, false, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void mkv_graph_done(struct mkv_graph *graph)
{
	free(graph->edges);
	free(graph->providers);
	mkv_pathmap_done(&graph->names);
	*graph = (struct mkv_graph){0};
}
