/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>
#include <strings.h>

#include "builder/rootfs/install/graph.h"

/* Decompressing a data archive of at least this size takes seconds: packages
 * that do not depend on it are configured meanwhile. */
static const uint64_t large_bytes = 16 << 20;

/* The following three make one pass over all dependencies and return true when
 * a phase changed. Dependencies of essential packages become essential. */
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

/* Packages that depend on a large package become large. */
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

/* Targets of Pre-Depends move to an earlier phase than the package, targets of
 * Depends at least to the package's phase. */
static bool move_dependencies(const struct mkv_graph *graph,
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

static void set_phases(struct mkv_rootfs *rootfs, const struct mkv_graph *graph)
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
	while (move_dependencies(graph, rootfs->phases))
		;
}

/* By phase, then in the given order. base-files is the first of all, as it
 * contains the links of the merged /usr. */
static int order_packages(struct mkv_rootfs *rootfs, struct mkv_error *err)
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
		return mkv_fail(
			err, MKV_BAD_RECIPE, ENOENT,
			"the package dpkg is missing among the essential "
			"packages");
	return 0;
}

int mkv_rootfs_select(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_graph struct mkv_graph graph = {0};
	int rc = mkv_graph_read(&graph, rootfs->packages, rootfs->count, err);
	if (rc < 0)
		return rc;
	set_phases(rootfs, &graph);
	return order_packages(rootfs, err);
}
