/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes OCI images into /var/lib/docker of a tree in the layout of dockerd
 * (moby 20.10 to 26.1: image/fs.go, layer/filestore.go, overlay2/overlay.go;
 * classic image store, storage driver overlay2). The images exist at boot
 * without `docker load`:
 *
 *     image/overlay2/repositories.json
 *     image/overlay2/imagedb/content/sha256/CONFIG
 *     image/overlay2/layerdb/sha256/CHAIN/{diff,size,cache-id,parent,tar-split.json.gz}
 *     overlay2/CACHE/{diff/,link,lower,committed,work/}
 *     overlay2/l/LINK -> ../CACHE/diff
 *
 * Docker draws CACHE and LINK at random; here they are derived from the chain
 * id. Whiteouts take overlayfs's form (docker_layer.h), so the writer of the
 * tree must keep 0:0 character devices and trusted.* attributes. File contents
 * are shared with the layers' trees, not copied. */

#include "builder/format/oci/image.h"

int mkv_docker_root_put(struct mkv_tree *root,
			const struct mkv_oci_built *const *images,
			size_t n_images, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* The chain id of the first `n` layers (image-spec, config.md). */
int mkv_oci_chain_id(const struct mkv_oci_layer *const *layers, size_t n,
		     struct mkv_sha256 *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
