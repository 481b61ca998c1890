/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/gzip.h"

#include <string.h>
#include <zlib.h> /* crc32() */

#include "builder/format/oci/deflate.h"
#include "lib/bytes.h"
#include "lib/io.h"

struct mkv_gzip {
	int fd;
	enum mkv_gzip_level level;
	struct mkv_hasher *hasher;
	struct mkv_deflater *deflater;
	struct mkv_buf out;
	struct mkv_bits bits;
	uint8_t *chunk;
	size_t filled;
	uLong crc;
	uint64_t in_bytes, out_bytes;
};

void mkv_gzip_free(struct mkv_gzip *gzip)
{
	if (!gzip)
		return;
	mkv_hasher_free(gzip->hasher);
	mkv_deflater_free(gzip->deflater);
	mkv_buf_done(&gzip->out);
	free(gzip->chunk);
	free(gzip);
}

int mkv_gzip_new(int fd, enum mkv_gzip_level level, struct mkv_gzip **ret,
		 struct mkv_error *err)
{
	static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0,
					   0,	 0,    0, 0, 255};
	auto_gzip struct mkv_gzip *gzip = calloc(1, sizeof(*gzip));
	if (!gzip)
		return mkv_oom(err);
	gzip->fd = fd;
	gzip->level = level;
	gzip->bits.out = &gzip->out;
	gzip->crc = crc32(0, NULL, 0);
	gzip->hasher = mkv_hasher_new();
	gzip->deflater = mkv_deflater_new();
	gzip->chunk = malloc(MKV_GZIP_CHUNK);
	if (!gzip->hasher || !gzip->deflater || !gzip->chunk)
		return mkv_oom(err);
	mkv_buf_add(&gzip->out, header, sizeof(header));
	*ret = mkv_take(gzip);
	return 0;
}

static int flush_out(struct mkv_gzip *gzip, struct mkv_error *err)
{
	int rc = mkv_buf_check(&gzip->out, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(gzip->fd, gzip->out.data, gzip->out.size, err);
	if (rc < 0)
		return rc;
	mkv_hasher_add(gzip->hasher, gzip->out.data, gzip->out.size);
	gzip->out_bytes += gzip->out.size;
	gzip->out.size = 0;
	return 0;
}

static int end_chunk(struct mkv_gzip *gzip, bool last, struct mkv_error *err)
{
	if (gzip->level == MKV_GZIP_STORED)
		mkv_deflate_stored(&gzip->bits, gzip->chunk, gzip->filled,
				   last);
	else
		mkv_deflate_block(gzip->deflater, &gzip->bits, gzip->chunk,
				  gzip->filled, last);
	gzip->crc = crc32(gzip->crc, gzip->chunk, (uInt)gzip->filled);
	gzip->in_bytes += gzip->filled;
	gzip->filled = 0;
	return flush_out(gzip, err);
}

int mkv_gzip_add(struct mkv_gzip *gzip, const void *data, size_t size,
		 struct mkv_error *err)
{
	const uint8_t *at = data;
	while (size > 0) {
		if (gzip->filled == MKV_GZIP_CHUNK) {
			int rc = end_chunk(gzip, false, err);
			if (rc < 0)
				return rc;
		}
		size_t free_bytes = MKV_GZIP_CHUNK - gzip->filled;
		size_t part = size < free_bytes ? size : free_bytes;
		memcpy(gzip->chunk + gzip->filled, at, part);
		gzip->filled += part;
		at += part;
		size -= part;
	}
	return 0;
}

int mkv_gzip_finish(struct mkv_gzip *gzip, struct mkv_sha256 *ret_sha256,
		    uint64_t *ret_size_bytes, struct mkv_error *err)
{
	int rc = end_chunk(gzip, true, err);
	if (rc < 0)
		return rc;
	mkv_bits_flush(&gzip->bits);
	uint8_t trailer[8];
	mkv_le_put32(trailer, (uint32_t)gzip->crc);
	mkv_le_put32(trailer + 4, (uint32_t)gzip->in_bytes);
	mkv_buf_add(&gzip->out, trailer, sizeof(trailer));
	rc = flush_out(gzip, err);
	if (rc < 0)
		return rc;
	rc = mkv_hasher_finish(gzip->hasher, ret_sha256, err);
	if (rc < 0)
		return rc;
	*ret_size_bytes = gzip->out_bytes;
	return 0;
}
