/* SPDX-License-Identifier: MIT */
#pragma once
/* One layer as overlayfs keeps it (kernel, Documentation/filesystems/
 * overlayfs.rst, "whiteouts and opaque directories"). */

#include "builder/core/tree/tree.h"

/* Copies a layer's tree to a folder of `root` that isn't there yet, contents
 * shared: ".wh.NAME" becomes a 0:0 character device NAME, ".wh..wh..opq" the
 * attribute trusted.overlay.opaque of its folder. Uses the marks of `layer`. */
int mkv_docker_layer_put(struct mkv_tree *root, const char *folder,
			 const struct mkv_tree *layer,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
