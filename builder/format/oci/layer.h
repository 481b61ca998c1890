/* SPDX-License-Identifier: MIT */
#pragma once
/* One layer of an OCI image (image-spec 1.1, layer.md): a tree that holds what
 * the layer adds, changes and, as whiteouts (".wh.NAME", ".wh..wh..opq"), takes
 * away; its tar stream; and the blob that the stream becomes.
 *
 * The blob is always `tar+gzip`, which every reader knows, compressed by
 * gzip.h: it depends on the tree alone, so that digests can be compared across
 * hosts as well as diffIDs. */

#include "builder/core/store/store.h"
#include "builder/core/tree/tree.h"
#include "builder/format/oci/gzip.h"

struct mkv_oci_layer {
	struct mkv_tree *tree;	   /* borrowed: outlives the layer */
	struct mkv_sha256 diff_id; /* of the tar stream */
	struct mkv_sha256 digest;  /* of the blob */
	uint64_t tar_size_bytes;
	uint64_t files_size_bytes; /* of all regular files: Docker's "size" */
	const char *media_type;	   /* static; NULL: tar+gzip */
	struct mkv_content *blob;
	struct mkv_content *tar_split; /* tar-split.json.gz, see tar_split.h */
};

void mkv_oci_layer_free(struct mkv_oci_layer *layer);
MKV_DEFINE_AUTO(oci_layer, struct mkv_oci_layer *, mkv_oci_layer_free)
#define auto_oci_layer mkv_auto(oci_layer)

/* Streams the tree once. Tar stream, blob and tar-split go to unnamed files in
 * `scratch` (a folder); they vanish with the layer. Uses the inodes' marks. */
int mkv_oci_layer_new(struct mkv_tree *tree, enum mkv_gzip_level level,
		      const char *scratch, struct mkv_oci_layer **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* Sets tar_split and files_size_bytes from a stream of tar_size_bytes. */
int mkv_oci_layer_split(struct mkv_oci_layer *layer, int tar_fd,
			const char *scratch,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* Keeps a layer in the store under the key of its inputs, and takes it out
 * again: -ENOENT when it isn't there. */
int mkv_oci_layer_save(const struct mkv_oci_layer *layer,
		       struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
int mkv_oci_layer_load(struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_tree *tree, struct mkv_oci_layer **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
