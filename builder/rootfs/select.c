/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/rootfs_internal.h"

#include <string.h>
#include <strings.h>

/* A data archive of at least this takes seconds to decompress: what doesn't need
 * the package is configured meanwhile. */
static const uint64_t large_bytes = 16 << 20;

/* Package `from` depends on `to`. */
struct edge {
	size_t from, to;
};

/* Who is, or provides, a name: a list through `next`. */
struct provider {
	size_t package;
	size_t next; /* index + 1 */
};

struct graph {
	struct edge *edges;
	size_t n_edges, edges_capacity;
	struct provider *providers;
	size_t n_providers, providers_capacity;
	struct mkv_pathmap names; /* to a provider's index */
};

static int add_provider(struct graph *graph, const char *name, size_t length,
			size_t package, struct mkv_error *err)
{
	if (graph->n_providers == graph->providers_capacity) {
		size_t capacity = graph->providers_capacity * 2 + 256;
		struct provider *grown = reallocarray(graph->providers,
						      capacity, sizeof(*grown));
		if (!grown)
			return mkv_oom(err);
		graph->providers = grown;
		graph->providers_capacity = capacity;
	}
	const size_t *before = mkv_pathmap_get(&graph->names, name, length);
	graph->providers[graph->n_providers] =
		(struct provider){package, before ? *before + 1 : 0};
	return mkv_pathmap_set(&graph->names, name, length,
			       graph->n_providers++, err);
}

static int add_edge(struct graph *graph, size_t from, size_t to,
		    struct mkv_error *err)
{
	if (graph->n_edges == graph->edges_capacity) {
		size_t capacity = graph->edges_capacity * 2 + 1024;
		struct edge *grown =
			reallocarray(graph->edges, capacity, sizeof(*grown));
		if (!grown)
			return mkv_oom(err);
		graph->edges = grown;
		graph->edges_capacity = capacity;
	}
	graph->edges[graph->n_edges++] = (struct edge){from, to};
	return 0;
}

/* Of alternatives all that are in the set; versions don't matter here: the
 * solver saw to them. */
static int add_relations(struct graph *graph, size_t from, const char *field,
			 struct mkv_error *err)
{
	struct mkv_relation relation;
	char separator;
	while (field && mkv_relation_next(&field, &relation, &separator)) {
		const size_t *found = mkv_pathmap_get(
			&graph->names, relation.name, relation.name_length);
		for (size_t at = found ? *found + 1 : 0; at > 0;
		     at = graph->providers[at - 1].next) {
			int rc = add_edge(graph, from,
					  graph->providers[at - 1].package,
					  err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int build(const struct mkv_rootfs *rootfs, struct graph *graph,
		 struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < rootfs->count; i++) {
		const struct mkv_control *control =
			&rootfs->packages[i].control;
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
	for (size_t i = 0; rc == 0 && i < rootfs->count; i++) {
		const struct mkv_control *control =
			&rootfs->packages[i].control;
		rc = add_relations(graph, i,
				   mkv_control_get(control, "Pre-Depends"),
				   err);
		if (rc == 0)
			rc = add_relations(graph, i,
					   mkv_control_get(control, "Depends"),
					   err);
	}
	return rc;
}

/* Essential packages and all that they depend on; then, of the others, large
 * ones and all that depends on them. */
static void mark(struct mkv_rootfs *rootfs, const struct graph *graph)
{
	enum mkv_phase *phases = rootfs->phases;
	for (size_t i = 0; i < rootfs->count; i++) {
		const char *essential = mkv_control_get(
			&rootfs->packages[i].control, "Essential");
		bool is_large =
			rootfs->packages[i].deb.data.size >= large_bytes;
		phases[i] = essential && strcasecmp(essential, "yes") == 0
				    ? MKV_PHASE_ESSENTIAL
			    : is_large ? MKV_PHASE_LARGE
				       : MKV_PHASE_MAIN;
	}
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < graph->n_edges; i++) {
			enum mkv_phase *from = &phases[graph->edges[i].from];
			enum mkv_phase *to = &phases[graph->edges[i].to];
			enum mkv_phase to_before = *to, from_before = *from;
			if (*from == MKV_PHASE_ESSENTIAL)
				*to = MKV_PHASE_ESSENTIAL;
			else if (*to == MKV_PHASE_LARGE)
				*from = MKV_PHASE_LARGE;
			changed |= *to != to_before || *from != from_before;
		}
	}
}

/* Everything follows the given order; only base-files goes first of all, as it
 * brings the links of the merged /usr. */
static int arrange(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	size_t at = 0;
	bool has_dpkg = false;
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct mkv_control *control =
			&rootfs->packages[i].control;
		if (rootfs->phases[i] != MKV_PHASE_ESSENTIAL)
			continue;
		if (strcmp(control->package, "base-files") == 0)
			rootfs->order[at++] = i;
		if (strcmp(control->package, "dpkg") != 0)
			continue;
		has_dpkg = true;
		(void)snprintf(rootfs->dpkg_version,
			       sizeof(rootfs->dpkg_version), "%s",
			       control->version);
	}
	for (enum mkv_phase phase = 0; phase < MKV_PHASES; phase++)
		for (size_t i = 0; i < rootfs->count; i++)
			if (rootfs->phases[i] == phase &&
			    (at == 0 || i != rootfs->order[0]))
				rootfs->order[at++] = i;
	if (!has_dpkg)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"dpkg is not among the essential packages");
	return 0;
}

int mkv_rootfs_select(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	struct graph graph = {0};
	int rc = build(rootfs, &graph, err);
	if (rc == 0)
		mark(rootfs, &graph);
	free(graph.edges);
	free(graph.providers);
	mkv_pathmap_done(&graph.names);
	return rc < 0 ? rc : arrange(rootfs, err);
}
