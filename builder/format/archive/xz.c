/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/xz.h"

#include <lzma.h>

enum { MEMORY_LIMIT_BYTES = 256 << 20, CHUNK = 256 * 1024 };

static int decode_stream(lzma_stream *stream, size_t limit_bytes,
			 uint8_t *chunk, struct mkv_buf *into,
			 struct mkv_error *err)
{
	for (;;) {
		stream->next_out = chunk;
		stream->avail_out = CHUNK;
		lzma_ret got = lzma_code(stream, LZMA_FINISH);
		if (stream->total_out > limit_bytes)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"xz data is larger than %zu bytes when "
					"decoded",
					limit_bytes);
		mkv_buf_add(into, chunk, CHUNK - stream->avail_out);
		if (got == LZMA_STREAM_END)
			return mkv_buf_check(into, err);
		if (got == LZMA_MEM_ERROR)
			return mkv_oom(err);
		if (got != LZMA_OK)
			return mkv_fail(err, MKV_FAILED, EBADMSG,
					"damaged xz data (liblzma error %d)",
					(int)got);
	}
}

int mkv_xz_decode(const void *data, size_t size, size_t limit_bytes,
		  struct mkv_buf *into, struct mkv_error *err)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	auto_free uint8_t *chunk = malloc(CHUNK);
	if (!chunk ||
	    lzma_stream_decoder(&stream, MEMORY_LIMIT_BYTES, 0) != LZMA_OK)
		return mkv_oom(err);
	stream.next_in = data;
	stream.avail_in = size;
	int rc = decode_stream(&stream, limit_bytes, chunk, into, err);
	lzma_end(&stream);
	return rc;
}
