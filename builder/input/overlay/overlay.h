/* SPDX-License-Identifier: MIT */
#pragma once
/* Overlays: folders whose content is laid over a root file system.
 *
 * A file of an overlay becomes root:root, 0755 when its owner may execute it
 * and 0644 otherwise, whatever mode, owner and time it has on the build host; a
 * symbolic link stays as it is; a folder becomes 0755 unless the image has it
 * already. A file `.modes` at the top of an overlay says otherwise, a line
 * each: `MODE UID GID PATH`, octal and decimal, `#` starts a comment. Devices,
 * sockets and names that aren't UTF-8 are refused. */

#include "builder/core/tree/tree.h"

/* Finds an overlay: `overlays/NAME` beside the recipe, beside the recipe's
 * folder, or among those that came with the tool. Caller's. */
int mkv_overlay_find(const char *recipe_path, const char *name, char **ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Reads an overlay into a tree of its own, at the given time. */
int mkv_overlay_load(const char *path, int64_t epoch_s, struct mkv_tree **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

/* Lays one tree over another: files and links replace what is there, folders
 * merge and keep the base's owner and mode unless `.modes` named them. */
int mkv_overlay_apply(struct mkv_tree *base, const struct mkv_tree *overlay,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Tells of every entry of an overlay that was loaded: its path, and all that it
 * means as a text (mode, owner, digest or target), NUL-terminated and in any
 * bytes. */
typedef int mkv_overlay_visit(const char *path, const char *text, void *context,
			      struct mkv_error *err);
int mkv_overlay_entries(const struct mkv_tree *overlay,
			mkv_overlay_visit *visit, void *context,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* The digest by which a lock pins an overlay: of its canonical listing, so that
 * it depends on nothing but what the overlay means. */
int mkv_overlay_digest(const char *path, struct mkv_sha256 *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The same of one that was loaded. */
int mkv_overlay_tree_digest(const struct mkv_tree *overlay,
			    struct mkv_sha256 *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
