/* SPDX-License-Identifier: MIT */
#pragma once
/* One layer of an OCI image (image-spec 1.1, layer.md): a tree with the files
 * that the layer adds or changes and whiteouts (".wh.NAME", ".wh..wh..opq") for
 * those that it deletes; its tar stream; and the blob, the stream compressed.
 *
 * The blob of a layer built here is `tar+gzip`, which every reader supports,
 * written by gzip.h: its bytes depend only on the tree, so digests as well as
 * diffIDs are equal on all hosts. */

#include "builder/core/store/store.h"
#include "builder/core/tree/tree.h"
#include "builder/format/oci/gzip.h"

struct mkv_oci_layer {
	struct mkv_tree *tree;	   /* borrowed: outlives the layer */
	struct mkv_sha256 diff_id; /* of the tar stream */
	struct mkv_sha256 digest;  /* of the blob */
	uint64_t tar_size_bytes;
	uint64_t files_size_bytes; /* sum of all regular files: Docker's "size"
				    */
	const char *media_type;	   /* static; NULL: tar+gzip */
	struct mkv_content *blob;
	struct mkv_content *tar_split; /* tar-split.json.gz, see tar_split.h */
};

void mkv_oci_layer_free(struct mkv_oci_layer *layer);
MKV_DEFINE_AUTO(oci_layer, struct mkv_oci_layer *, mkv_oci_layer_free)
#define auto_oci_layer mkv_auto(oci_layer)

/* Streams the tree once. Tar stream, blob and tar-split are unnamed files in
 * the directory `scratch`, which are released with the layer. Overwrites the
 * inodes' marks. */
int mkv_oci_layer_new(struct mkv_tree *tree, enum mkv_gzip_level level,
		      const char *scratch, struct mkv_oci_layer **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* Sets tar_split and files_size_bytes from a tar stream of tar_size_bytes. */
int mkv_oci_layer_split(struct mkv_oci_layer *layer, int tar_fd,
			const char *scratch,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* Saves a layer in the store under the key of its inputs, and loads it from
 * there. Loading is -ENOENT when the store has no such layer. */
int mkv_oci_layer_save(const struct mkv_oci_layer *layer,
		       struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
int mkv_oci_layer_load(struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_tree *tree, struct mkv_oci_layer **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
