/* SPDX-License-Identifier: MIT */
#include "programs/campaign/collector/unzip.h"

#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS, CHUNK = 64 * 1024 };

static int inflate_all(z_stream *stream, size_t limit_bytes,
		       struct mkv_buf *into, struct mkv_error *err)
{
	unsigned char chunk[CHUNK];
	for (;;) {
		stream->next_out = chunk;
		stream->avail_out = sizeof(chunk);
		int rc = inflate(stream, Z_NO_FLUSH);
		size_t got = sizeof(chunk) - stream->avail_out;
		if (got > limit_bytes - into->size)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"the body is larger than %zu bytes",
					limit_bytes);
		mkv_buf_add(into, chunk, got);
		if (into->failed)
			return mkv_oom(err);
		if (rc == Z_STREAM_END && stream->avail_in == 0)
			return 0;
		if (rc == Z_STREAM_END)
			rc = inflateReset(stream);
		/* Z_BUF_ERROR: the input ends before the stream does. */
		if (rc != Z_OK)
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"the body is not gzip: %s",
					stream->msg ? stream->msg
						    : "truncated");
	}
}

int mkv_unzip(const void *data, size_t size, size_t limit_bytes,
	      struct mkv_buf *into, struct mkv_error *err)
{
	z_stream stream = {.next_in = (z_const Bytef *)data,
			   .avail_in = (uInt)size};
	if (size > UINT32_MAX || inflateInit2(&stream, GZIP_ONLY) != Z_OK)
		return mkv_oom(err);
	int rc = inflate_all(&stream, limit_bytes, into, err);
	(void)inflateEnd(&stream);
	return rc;
}
