/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/layer_unpack.h"

#include <archive.h>
#include <string.h>

#include "builder/format/oci/archive_internal.h"
#include "lib/io.h"

enum { CHUNK = 128 * 1024 };
#define STREAM_MAX (UINT64_C(64) << 30)

/* Only the media type selects the filter: libarchive's detection could mistake
 * the first bytes of a tar stream for a compressed file. */
static int set_filter(struct archive *archive, const char *media_type,
		      struct mkv_error *err)
{
	static const struct {
		const char *type;
		int (*support)(struct archive *archive);
	} rows[] = {
		{"application/vnd.oci.image.layer.v1.tar",
		 archive_read_support_filter_none},
		{"application/vnd.oci.image.layer.v1.tar+gzip",
		 archive_read_support_filter_gzip},
		{"application/vnd.oci.image.layer.v1.tar+zstd",
		 archive_read_support_filter_zstd},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].type, media_type) == 0)
			return rows[i].support(archive) == ARCHIVE_OK
				       ? 0
				       : mkv_archive_fail(archive, err);
	return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
			"unsupported media type '%.100s' of a layer",
			media_type);
}

static int copy_stream(struct archive *archive, int tar_fd,
		       struct mkv_sha256 *ret_diff_id, uint64_t *ret_size_bytes,
		       struct mkv_error *err)
{
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	auto_free char *chunk = malloc(CHUNK);
	if (!hasher || !chunk)
		return mkv_oom(err);
	uint64_t size = 0;
	for (;;) {
		la_ssize_t n = archive_read_data(archive, chunk, CHUNK);
		if (n < 0)
			return mkv_archive_fail(archive, err);
		if (n == 0)
			break;
		mkv_hasher_add(hasher, chunk, (size_t)n);
		int rc = tar_fd < 0
				 ? 0
				 : mkv_write_all(tar_fd, chunk, (size_t)n, err);
		if (rc < 0)
			return rc;
		size += (uint64_t)n;
		if (size > STREAM_MAX)
			return mkv_fail(
				err, MKV_UNVERIFIED, EFBIG,
				"the layer's tar stream exceeds 64 GiB");
	}
	*ret_size_bytes = size;
	return mkv_hasher_finish(hasher, ret_diff_id, err);
}

int mkv_oci_layer_unpack(int blob_fd, const char *media_type, int tar_fd,
			 struct mkv_sha256 *ret_diff_id,
			 uint64_t *ret_size_bytes, struct mkv_error *err)
{
	auto_archive struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	if (!archive)
		return mkv_oom(err);
	int rc = set_filter(archive, media_type, err);
	if (rc < 0)
		return rc;
	archive_read_support_format_raw(archive);
	if (lseek(blob_fd, 0, SEEK_SET) < 0 ||
	    archive_read_open_fd(archive, blob_fd, CHUNK) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return mkv_archive_fail(archive, err);
	return copy_stream(archive, tar_fd, ret_diff_id, ret_size_bytes, err);
}
