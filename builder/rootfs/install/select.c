/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>
#include <strings.h>

#include "builder/rootfs/install/graph.h"

/* A data archive of at least this takes seconds to decompress: what doesn't
 * need the package is configured meanwhile. */
static const uint64_t large_bytes = 16 << 20;

/* One pass over all dependencies; true when a phase changed. */
static bool spread_essential(const struct mkv_graph *graph,
			     enum mkv_install_phase *phases)
{
	bool changed = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct mkv_edge *edge = &graph->edges[i];
		if (phases[edge->from] != MKV_PHASE_ESSENTIAL ||
		    phases[edge->to] <= MKV_PHASE_ESSENTIAL)
			continue;
		phases[edge->to] = MKV_PHASE_ESSENTIAL;
		changed = true;
	}
	return changed;
}

static bool spread_large(const struct mkv_graph *graph,
			 enum mkv_install_phase *phases)
{
	bool changed = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct mkv_edge *edge = &graph->edges[i];
		if (phases[edge->to] != MKV_PHASE_LARGE ||
		    phases[edge->from] == MKV_PHASE_LARGE ||
		    phases[edge->from] <= MKV_PHASE_ESSENTIAL)
			continue;
		phases[edge->from] = MKV_PHASE_LARGE;
		changed = true;
	}
	return changed;
}

/* What a package Pre-Depends on goes a phase before it, what it depends on at
 * the latest with it. */
static bool advance(const struct mkv_graph *graph,
		    enum mkv_install_phase *phases)
{
	bool changed = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct mkv_edge *edge = &graph->edges[i];
		enum mkv_install_phase latest = phases[edge->from];
		if (latest <= MKV_PHASE_ESSENTIAL ||
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

static void mark(struct mkv_rootfs *rootfs, const struct mkv_graph *graph)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct mkv_package *package = &rootfs->packages[i];
		const char *essential =
			mkv_control_get(&package->control, "Essential");
		bool is_large = package->deb.data.size >= large_bytes;
		rootfs->phases[i] =
			i < rootfs->options->n_base ? MKV_PHASE_BASE
			: essential && strcasecmp(essential, "yes") == 0
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
		if (rootfs->phases[i] > MKV_PHASE_ESSENTIAL)
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
	for (enum mkv_install_phase phase = 0; phase < MKV_PHASES; phase++)
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
	auto_graph struct mkv_graph graph = {0};
	int rc = mkv_graph_read(&graph, rootfs->packages, rootfs->count, err);
	if (rc == 0)
		mark(rootfs, &graph);
	return rc < 0 ? rc : arrange(rootfs, err);
}
