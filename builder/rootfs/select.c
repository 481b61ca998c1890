/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/rootfs_internal.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Whether a package is, or provides, what a relation names. Versions don't
 * matter here: the solver saw to them. */
static bool satisfies(const struct mkv_package *package,
		      const struct mkv_relation *relation)
{
	const char *name = package->control.package;
	if (strlen(name) == relation->name_length &&
	    memcmp(name, relation->name, relation->name_length) == 0)
		return true;
	const char *at = mkv_control_get(&package->control, "Provides");
	struct mkv_relation provided;
	char separator;
	while (at && mkv_relation_next(&at, &provided, &separator))
		if (provided.name_length == relation->name_length &&
		    memcmp(provided.name, relation->name,
			   relation->name_length) == 0)
			return true;
	return false;
}

/* Marks what the field asks for; of alternatives all that are in the set. */
static bool mark_relations(struct mkv_rootfs *rootfs, const char *field)
{
	struct mkv_relation relation;
	char separator;
	bool changed = false;
	while (field && mkv_relation_next(&field, &relation, &separator))
		for (size_t i = 0; i < rootfs->count; i++)
			if (!rootfs->is_essential[i] &&
			    satisfies(&rootfs->packages[i], &relation)) {
				rootfs->is_essential[i] = true;
				changed = true;
			}
	return changed;
}

static void mark(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		const char *essential = mkv_control_get(
			&rootfs->packages[i].control, "Essential");
		rootfs->is_essential[i] =
			essential && strcasecmp(essential, "yes") == 0;
	}
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < rootfs->count; i++) {
			const struct mkv_control *control =
				&rootfs->packages[i].control;
			if (!rootfs->is_essential[i])
				continue;
			changed |= mark_relations(
				rootfs, mkv_control_get(control, "Pre-Depends"));
			changed |= mark_relations(
				rootfs, mkv_control_get(control, "Depends"));
		}
	}
}

int mkv_rootfs_select(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	bool has_dpkg = false;
	mark(rootfs);
	size_t at = 0;
	/* base-files brings the links of the merged /usr. */
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < rootfs->count; i++) {
			const char *name = rootfs->packages[i].control.package;
			bool is_first = rootfs->is_essential[i] &&
					strcmp(name, "base-files") == 0;
			int its_pass = is_first			? 0
				       : rootfs->is_essential[i] ? 1
								 : 2;
			if (its_pass != pass)
				continue;
			rootfs->order[at++] = i;
			if (strcmp(name, "dpkg") != 0)
				continue;
			has_dpkg = rootfs->is_essential[i];
			(void)snprintf(rootfs->dpkg_version,
				       sizeof(rootfs->dpkg_version), "%s",
				       rootfs->packages[i].control.version);
		}
	if (!has_dpkg)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"dpkg is not among the essential packages");
	return 0;
}
