/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/layer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "builder/format/archive/tar.h"
#include "builder/format/oci/layer_internal.h"
#include "builder/format/oci/tar_split.h"
#include "lib/io.h"

void mkv_oci_layer_free(struct mkv_oci_layer *layer)
{
	if (!layer)
		return;
	mkv_content_unref(layer->blob);
	mkv_content_unref(layer->tar_split);
	free(layer);
}

/* The destinations of the tar stream: a file, a hash and the blob. */
struct streams {
	int tar_fd;
	struct mkv_hasher *tar_hasher;
	struct mkv_gzip *blob;
	uint64_t tar_size;
};

static int write_tar_part(void *context, const void *data, size_t size,
			  struct mkv_error *err)
{
	struct streams *streams = context;
	mkv_hasher_add(streams->tar_hasher, data, size);
	streams->tar_size += size;
	int rc = mkv_write_all(streams->tar_fd, data, size, err);
	return rc < 0 ? rc : mkv_gzip_add(streams->blob, data, size, err);
}

int mkv_oci_open_unnamed(const char *scratch, int *ret, struct mkv_error *err)
{
	int fd = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"open an unnamed file in '%s': %m", scratch);
	*ret = fd;
	return 0;
}

/* Takes over the descriptor, also on failure. */
static int make_content(int fd, uint64_t size, const struct mkv_sha256 *sha256,
			struct mkv_content **ret, struct mkv_error *err)
{
	auto_source struct mkv_source *source = NULL;
	int rc = mkv_source_new(fd, &source, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(source, 0, size, sha256);
	return *ret ? 0 : mkv_oom(err);
}

static int write_streams(struct mkv_oci_layer *layer, int tar_fd, int blob_fd,
			 enum mkv_gzip_level level, uint64_t *ret_blob_size,
			 struct mkv_error *err)
{
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	auto_gzip struct mkv_gzip *gzip = NULL;
	if (!hasher)
		return mkv_oom(err);
	int rc = mkv_gzip_new(blob_fd, level, &gzip, err);
	if (rc < 0)
		return rc;
	struct streams streams = {tar_fd, hasher, gzip, 0};
	rc = mkv_tar_stream(layer->tree, write_tar_part, &streams, err);
	if (rc < 0)
		return rc;
	layer->tar_size_bytes = streams.tar_size;
	rc = mkv_hasher_finish(hasher, &layer->diff_id, err);
	return rc < 0 ? rc
		      : mkv_gzip_finish(gzip, &layer->digest, ret_blob_size,
					err);
}

int mkv_oci_layer_split(struct mkv_oci_layer *layer, int tar_fd,
			const char *scratch, struct mkv_error *err)
{
	auto_fd int fd = -1;
	auto_gzip struct mkv_gzip *gzip = NULL;
	struct mkv_sha256 sha256;
	uint64_t size;
	int rc = mkv_oci_open_unnamed(scratch, &fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_gzip_new(fd, MKV_GZIP_DEFLATE, &gzip, err);
	if (rc < 0)
		return rc;
	rc = mkv_tar_split(tar_fd, layer->tar_size_bytes, gzip,
			   &layer->files_size_bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_gzip_finish(gzip, &sha256, &size, err);
	if (rc < 0)
		return rc;
	return make_content(mkv_take_fd(&fd), size, &sha256, &layer->tar_split,
			    err);
}

static int write_layer(struct mkv_oci_layer *layer, enum mkv_gzip_level level,
		       const char *scratch, struct mkv_error *err)
{
	auto_fd int tar_fd = -1, blob_fd = -1;
	uint64_t blob_size = 0;
	int rc = mkv_oci_open_unnamed(scratch, &tar_fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_open_unnamed(scratch, &blob_fd, err);
	if (rc < 0)
		return rc;
	rc = write_streams(layer, tar_fd, blob_fd, level, &blob_size, err);
	if (rc < 0)
		return rc;
	rc = make_content(mkv_take_fd(&blob_fd), blob_size, &layer->digest,
			  &layer->blob, err);
	return rc < 0 ? rc : mkv_oci_layer_split(layer, tar_fd, scratch, err);
}

int mkv_oci_layer_new(struct mkv_tree *tree, enum mkv_gzip_level level,
		      const char *scratch, struct mkv_oci_layer **ret,
		      struct mkv_error *err)
{
	auto_oci_layer struct mkv_oci_layer *layer = calloc(1, sizeof(*layer));
	if (!layer)
		return mkv_oom(err);
	layer->tree = tree;
	int rc = write_layer(layer, level, scratch, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "OCI layer");
	*ret = mkv_take(layer);
	return 0;
}

static int store_content(struct mkv_store *store, const char *name,
			 const struct mkv_content *content,
			 struct mkv_step_result *result, struct mkv_error *err)
{
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_step_output *output = &result->outputs[result->count];
	snprintf(output->name, sizeof(output->name), "%s", name);
	output->size_bytes = mkv_content_size(content);
	int rc = mkv_store_new_open(store, &object, err);
	if (rc < 0)
		return rc;
	rc = mkv_content_copy_to(content, object.fd, 0, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_new_commit(&object, NULL, &output->sha256, err);
	if (rc < 0)
		return rc;
	result->count++;
	return 0;
}

int mkv_oci_layer_save(const struct mkv_oci_layer *layer,
		       struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_error *err)
{
	struct mkv_step_result result = {0};
	char hex[MKV_SHA256_HEX_SIZE], meta[256];
	mkv_sha256_hex(&layer->diff_id, hex);
	int length =
		snprintf(meta, sizeof(meta), "%s %" PRIu64 " %" PRIu64 "\n",
			 hex, layer->tar_size_bytes, layer->files_size_bytes);
	auto_content struct mkv_content *about =
		mkv_content_bytes(meta, (size_t)length);
	if (!about)
		return mkv_oom(err);
	int rc = store_content(store, "blob", layer->blob, &result, err);
	if (rc < 0)
		return rc;
	rc = store_content(store, "tar-split", layer->tar_split, &result, err);
	if (rc < 0)
		return rc;
	rc = store_content(store, "about", about, &result, err);
	return rc < 0 ? rc : mkv_store_step_put(store, key, &result, err);
}

static int load_content(struct mkv_store *store,
			const struct mkv_step_output *output,
			struct mkv_content **ret, struct mkv_error *err)
{
	int fd = -1;
	int rc = mkv_store_get(store, &output->sha256, &fd, err);
	if (rc < 0)
		return rc;
	return make_content(fd, output->size_bytes, &output->sha256, ret, err);
}

/* -ENOENT: the step runs again. */
static int reject_stored_layer(struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"the stored layer is not in the expected form");
}

static int parse_about(struct mkv_oci_layer *layer,
		       const struct mkv_content *about, struct mkv_error *err)
{
	char text[256] = "", hex[MKV_SHA256_HEX_SIZE] = "";
	uint64_t size = mkv_content_size(about);
	if (size >= sizeof(text))
		return reject_stored_layer(err);
	int rc = mkv_content_read(about, 0, text, (size_t)size, err);
	if (rc < 0)
		return rc;
	if (sscanf(text, "%64s %" SCNu64 " %" SCNu64, hex,
		   &layer->tar_size_bytes, &layer->files_size_bytes) != 3 ||
	    mkv_sha256_parse(hex, &layer->diff_id) < 0)
		return reject_stored_layer(err);
	return 0;
}

int mkv_oci_layer_load(struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_tree *tree, struct mkv_oci_layer **ret,
		       struct mkv_error *err)
{
	struct mkv_step_result result;
	auto_oci_layer struct mkv_oci_layer *layer = calloc(1, sizeof(*layer));
	auto_content struct mkv_content *about = NULL;
	if (!layer)
		return mkv_oom(err);
	layer->tree = tree;
	int rc = mkv_store_step_get(store, key, &result, err);
	if (rc < 0)
		return rc;
	if (result.count != 3 || strcmp(result.outputs[0].name, "blob") != 0)
		return reject_stored_layer(err);
	layer->digest = result.outputs[0].sha256;
	rc = load_content(store, &result.outputs[0], &layer->blob, err);
	if (rc < 0)
		return rc;
	rc = load_content(store, &result.outputs[1], &layer->tar_split, err);
	if (rc < 0)
		return rc;
	rc = load_content(store, &result.outputs[2], &about, err);
	if (rc < 0)
		return rc;
	rc = parse_about(layer, about, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(layer);
	return 0;
}
