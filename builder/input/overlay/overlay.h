/* SPDX-License-Identifier: MIT */
#pragma once
/* Overlays: directories whose content is added to a root file system. A file of
 * an overlay is owned by root:root, with mode 0755 if its owner can execute it
 * and 0644 otherwise. Its mode, owner and time on the build host are ignored. A
 * symbolic link is copied unchanged. A directory has mode 0755, unless the
 * image already contains it. A file `.modes` at the top of an overlay overrides
 * modes and owners. Each of its lines is `MODE UID GID PATH`, in octal and
 * decimal; `#` starts a comment. Devices, sockets and names that are not UTF-8
 * are refused. */

#include "builder/core/tree/tree.h"

/* Finds the directory of an overlay: `overlays/NAME` in the recipe's directory,
 * its parent or its grandparent, or in the tool's own data. The caller owns
 * *ret. */
int mkv_overlay_find(const char *recipe_path, const char *name, char **ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Reads an overlay into a new tree, whose inodes have the given time. */
int mkv_overlay_load(const char *path, int64_t epoch_s, struct mkv_tree **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

/* Applies an overlay to a tree. Files and links replace entries of the base.
 * Directories are merged and keep the base's owner and mode unless `.modes`
 * names them. */
int mkv_overlay_apply(struct mkv_tree *base, const struct mkv_tree *overlay,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Called for each entry of a loaded overlay with its path and a NUL-terminated
 * description of its properties (mode, owner, digest or target), in any bytes.
 * A negative return stops the walk. */
typedef int mkv_overlay_visit(const char *path, const char *text, void *context,
			      struct mkv_error *err);
int mkv_overlay_entries(const struct mkv_tree *overlay,
			mkv_overlay_visit *visit, void *context,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* The digest by which a lock pins an overlay: SHA-256 of a canonical listing,
 * so that it depends only on what the overlay puts into an image. */
int mkv_overlay_digest(const char *path, struct mkv_sha256 *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The digest of an overlay that is already loaded. */
int mkv_overlay_tree_digest(const struct mkv_tree *overlay,
			    struct mkv_sha256 *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
