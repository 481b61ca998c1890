/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/rootfs_internal.h"

#include <string.h>
#include <strings.h>

/* A data archive of at least this takes seconds to decompress: what doesn't need
 * the package is configured meanwhile. */
static const uint64_t large_bytes = 16 << 20;

/* Package `from` depends on `to`, perhaps before it may even be unpacked. */
struct edge {
	size_t from, to;
	bool pre;
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

static int add_edge(struct graph *graph, struct edge edge,
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
	graph->edges[graph->n_edges++] = edge;
	return 0;
}

/* Of alternatives all that are in the set; versions don't matter here: the
 * solver saw to them. */
static int add_relations(struct graph *graph, size_t from,
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
			int rc = add_edge(graph, (struct edge){from, to, pre},
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
		rc = add_relations(graph, i, control, true, err);
		if (rc == 0)
			rc = add_relations(graph, i, control, false, err);
	}
	return rc;
}

/* One pass over all dependencies; true when a phase changed. */
static bool spread_essential(const struct graph *graph, enum mkv_phase *phases)
{
	bool changed = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct edge *edge = &graph->edges[i];
		if (phases[edge->from] != MKV_PHASE_ESSENTIAL ||
		    phases[edge->to] == MKV_PHASE_ESSENTIAL)
			continue;
		phases[edge->to] = MKV_PHASE_ESSENTIAL;
		changed = true;
	}
	return changed;
}

static bool spread_large(const struct graph *graph, enum mkv_phase *phases)
{
	bool changed = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct edge *edge = &graph->edges[i];
		if (phases[edge->to] != MKV_PHASE_LARGE ||
		    phases[edge->from] == MKV_PHASE_LARGE ||
		    phases[edge->from] == MKV_PHASE_ESSENTIAL)
			continue;
		phases[edge->from] = MKV_PHASE_LARGE;
		changed = true;
	}
	return changed;
}

/* What a package Pre-Depends on goes a phase before it, what it depends on at the
 * latest with it. */
static bool advance(const struct graph *graph, enum mkv_phase *phases)
{
	bool changed = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct edge *edge = &graph->edges[i];
		enum mkv_phase latest = phases[edge->from];
		if (latest == MKV_PHASE_ESSENTIAL ||
		    phases[edge->to] == MKV_PHASE_LARGE)
			continue;
		if (edge->pre && latest > MKV_PHASE_EARLIEST)
			latest--;
		changed |= phases[edge->to] > latest;
		if (phases[edge->to] > latest)
			phases[edge->to] = latest;
	}
	return changed;
}

static void mark(struct mkv_rootfs *rootfs, const struct graph *graph)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct mkv_package *package = &rootfs->packages[i];
		const char *essential =
			mkv_control_get(&package->control, "Essential");
		bool is_large = package->deb.data.size >= large_bytes;
		rootfs->phases[i] =
			essential && strcasecmp(essential, "yes") == 0
				? MKV_PHASE_ESSENTIAL
			: is_large ? MKV_PHASE_LARGE
				   : MKV_PHASE_MAIN;
	}
	while (spread_essential(graph, rootfs->phases))
		;
	while (spread_large(graph, rootfs->phases))
		;
	while (advance(graph, rootfs->phases))
		;
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
