/* SPDX-License-Identifier: MIT */
/* What a recipe adds to a tree of packages, for disk and OCI images alike. */
#include "builder/overlay/overlay.h"
#include "builder/plan/build.h"
#include "builder/plan/program.h"

int mkv_build_overlays(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		auto_free char *path = NULL;
		auto_tree struct mkv_tree *overlay = NULL;
		int rc = mkv_overlay_find(build->recipe->path, names->items[i],
					  &path, err);
		if (rc == 0)
			rc = mkv_overlay_load(path, build->lock->epoch_s,
					      &overlay, err);
		if (rc == 0)
			rc = mkv_overlay_apply(tree, overlay, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "overlay '%s'",
					names->items[i]);
	}
	return 0;
}

int mkv_build_programs(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		auto_free char *program = NULL, *path = NULL;
		if (asprintf(&program, "programs/%s", names->items[i]) < 0 ||
		    asprintf(&path, "/usr/bin/mkvbench-%s", names->items[i]) <
			    0)
			return mkv_oom(err);
		int rc = mkv_program_put(tree, program, path,
					 build->lock->epoch_s, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
