/* SPDX-License-Identifier: MIT */
#pragma once
/* One layer as overlayfs keeps it (kernel, Documentation/filesystems/
 * overlayfs.rst, "whiteouts and opaque directories"). */

#include "builder/core/tree/tree.h"

/* Copies a layer's tree to the new directory `dir` of `root` and shares the
 * files' contents. ".wh.NAME" becomes a 0:0 character device NAME,
 * ".wh..wh..opq" becomes the attribute trusted.overlay.opaque of the directory
 * that holds it. Another
 * ".wh." name is -EINVAL. Overwrites the marks of `layer`. */
int mkv_docker_layer_put(struct mkv_tree *root, const char *dir,
			 const struct mkv_tree *layer,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
