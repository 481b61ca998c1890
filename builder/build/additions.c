/* SPDX-License-Identifier: MIT */
/* The overlays and programs that a recipe adds to a tree of packages, for disk
 * and OCI images. Each has the digest that the lock pins, or that the tool's
 * file had when the build began. An edit during the build fails the build, or
 * has no effect on it. */
#include <string.h>

#include "builder/build/build.h"
#include "builder/build/program.h"
#include "builder/core/tree/freeze.h"
#include "builder/input/overlay/overlay.h"

/* Compares an overlay with its digest in the lock, else with that of the tool's
 * overlay. */
static int check_overlay(const struct mkv_build *build, const char *name,
			 const struct mkv_tree *overlay, struct mkv_error *err)
{
	char local[300];
	struct mkv_sha256 sha256;
	(void)snprintf(local, sizeof(local), "overlay/%s", name);
	int rc = mkv_overlay_tree_digest(overlay, &sha256, err);
	if (rc < 0)
		return rc;
	const struct mkv_lock *lock = build->lock;
	for (size_t i = 0; i < lock->n_locals; i++)
		if (strcmp(lock->locals[i].name, local) == 0) {
			if (mkv_sha256_equal(&lock->locals[i].sha256, &sha256))
				return 0;
			return mkv_fail(err, MKV_BAD_RECIPE, ESTALE,
					"changed since it was locked, while "
					"the build ran: build again");
		}
	return mkv_tool_files_expect(build->tool, local, &sha256, err);
}

static int load_overlay(const struct mkv_build *build, const char *name,
			bool freeze, struct mkv_tree **ret,
			struct mkv_error *err)
{
	auto_free char *path = NULL;
	auto_tree struct mkv_tree *overlay = NULL;
	int rc = mkv_overlay_find(build->recipe->path, name, &path, err);
	if (rc < 0)
		return rc;
	rc = mkv_overlay_load(path, build->lock->epoch_s, &overlay, err);
	if (rc < 0)
		return rc;
	if (freeze) {
		rc = mkv_tree_freeze(overlay, mkv_store_path(build->store),
				     err);
		if (rc < 0)
			return rc;
	}
	rc = check_overlay(build, name, overlay, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(overlay);
	return 0;
}

int mkv_build_overlay_load(const struct mkv_build *build, const char *name,
			   bool freeze, struct mkv_tree **ret,
			   struct mkv_error *err)
{
	int rc = load_overlay(build, name, freeze, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "overlay '%s'", name) : 0;
}

int mkv_build_overlays(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		auto_tree struct mkv_tree *overlay = NULL;
		int rc = mkv_build_overlay_load(build, names->items[i], true,
						&overlay, err);
		if (rc < 0)
			return rc;
		rc = mkv_overlay_apply(tree, overlay, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "overlay '%s'",
					names->items[i]);
	}
	return 0;
}

int mkv_build_program(const struct mkv_build *build, const char *program,
		      struct mkv_content **ret, struct mkv_error *err)
{
	auto_content struct mkv_content *file = NULL;
	auto_content struct mkv_content *frozen = NULL;
	struct mkv_sha256 sha256;
	int rc = mkv_program_content(program, &file, err);
	if (rc < 0)
		return rc;
	rc = mkv_content_freeze(file, mkv_store_path(build->store), &frozen,
				err);
	if (rc < 0)
		return rc;
	rc = mkv_content_sha256(frozen, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_tool_files_expect(build->tool, program, &sha256, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(frozen);
	return 0;
}

int mkv_build_program_put(const struct mkv_build *build, const char *program,
			  const char *path, struct mkv_tree *tree,
			  struct mkv_error *err)
{
	auto_content struct mkv_content *content = NULL;
	int rc = mkv_build_program(build, program, &content, err);
	return rc < 0 ? rc
		      : mkv_program_put(tree, content, path,
					build->lock->epoch_s, err);
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
		int rc = mkv_build_program_put(build, program, path, tree, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
