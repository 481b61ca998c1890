/* SPDX-License-Identifier: MIT */
#pragma once
/* One layer of an OCI image (image-spec 1.1, layer.md): a tree that holds what
 * the layer adds, changes and, as whiteouts (".wh.NAME", ".wh..wh..opq"), takes
 * away; its tar stream; and the blob that the stream becomes.
 *
 * The blob is always `tar+gzip`, which every reader knows. Its gzip header
 * (RFC 1952) has no name and no time, OS 255. At level 0 the deflate blocks are
 * stored ones that we frame ourselves: the bytes then depend on nothing but the
 * tree. At levels 1 to 9 zlib compresses, and another zlib may write other
 * bytes for the same stream: compare diffIDs, not digests, across hosts. */

#include "builder/store/store.h"
#include "builder/tree/tree.h"

struct mkv_oci_layer {
	struct mkv_tree *tree;	     /* borrowed: outlives the layer */
	struct mkv_sha256 diff_id;   /* of the tar stream */
	struct mkv_sha256 digest;    /* of the blob */
	uint64_t tar_size_bytes;
	uint64_t files_size_bytes;   /* of all regular files: Docker's "size" */
	struct mkv_content *blob;
	struct mkv_content *tar_split; /* tar-split.json.gz, see tar_split.h */
};

void mkv_oci_layer_free(struct mkv_oci_layer *layer);
MKV_DEFINE_AUTO(oci_layer, struct mkv_oci_layer *, mkv_oci_layer_free)
#define auto_oci_layer mkv_auto(oci_layer)

enum { MKV_OCI_STORED = 0, MKV_OCI_LEVEL_MAX = 9 };

/* Streams the tree once. Blob and tar-split go to unnamed files in `scratch` (a
 * folder; they vanish with the layer). */
int mkv_oci_layer_new(struct mkv_tree *tree, int level, const char *scratch,
		      struct mkv_oci_layer **ret, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 3, 4, 5);

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
