/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/unpack.h"

#include <lzma.h>
#include <zlib.h>

#include "lib/io.h"

enum { CHUNK = 256 * 1024 };
#define XZ_MEMORY_MAX ((uint64_t)256 << 20)

struct unpacking {
	int from, to;
	uint64_t left; /* bytes that are still expected */
	uint8_t *in, *out;
};

static int read_chunk(const struct unpacking *u, size_t *ret,
		      struct mkv_error *err)
{
	for (;;) {
		ssize_t got = read(u->from, u->in, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"read compressed data: %m");
		*ret = (size_t)got;
		return 0;
	}
}

static int write_chunk(struct unpacking *u, size_t size, struct mkv_error *err)
{
	if (size > u->left)
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"the unpacked data is larger than announced");
	u->left -= size;
	return mkv_write_all(u->to, u->out, size, err);
}

static int check_complete(const struct unpacking *u, bool is_complete,
			  struct mkv_error *err)
{
	if (!is_complete || u->left)
		return mkv_fail(
			err, MKV_UNVERIFIED, EBADMSG,
			"the data is truncated, or unpacks to less than "
			"announced");
	return 0;
}

static int run_xz(struct unpacking *u, lzma_stream *stream,
		  struct mkv_error *err)
{
	lzma_ret code = LZMA_OK;
	lzma_action action = LZMA_RUN;
	while (code == LZMA_OK) {
		if (stream->avail_in == 0 && action == LZMA_RUN) {
			size_t got = 0;
			int rc = read_chunk(u, &got, err);
			if (rc < 0)
				return rc;
			stream->next_in = u->in;
			stream->avail_in = got;
			if (got == 0)
				action = LZMA_FINISH;
		}
		stream->next_out = u->out;
		stream->avail_out = CHUNK;
		code = lzma_code(stream, action);
		int rc = write_chunk(u, CHUNK - stream->avail_out, err);
		if (rc < 0)
			return rc;
	}
	if (code != LZMA_STREAM_END && code != LZMA_BUF_ERROR)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"liblzma: the data is damaged or needs more "
				"than 256 MiB of memory (error %d)",
				(int)code);
	return check_complete(u, code == LZMA_STREAM_END, err);
}

static int run_gz(struct unpacking *u, z_stream *stream, struct mkv_error *err)
{
	int code = Z_OK;
	while (code == Z_OK) {
		if (stream->avail_in == 0) {
			size_t got = 0;
			int rc = read_chunk(u, &got, err);
			if (rc < 0)
				return rc;
			if (got == 0)
				break;
			stream->next_in = u->in;
			stream->avail_in = (unsigned)got;
		}
		stream->next_out = u->out;
		stream->avail_out = CHUNK;
		code = inflate(stream, Z_NO_FLUSH);
		int rc = write_chunk(u, CHUNK - stream->avail_out, err);
		if (rc < 0)
			return rc;
	}
	if (code != Z_STREAM_END && code != Z_OK)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "zlib: %s",
				stream->msg ? stream->msg : zError(code));
	return check_complete(u, code == Z_STREAM_END, err);
}

int mkv_unpack_xz(int from, int to, uint64_t size_bytes, struct mkv_error *err)
{
	auto_free uint8_t *chunks = malloc(2 * (size_t)CHUNK);
	if (!chunks)
		return mkv_oom(err);
	struct unpacking u = {from, to, size_bytes, chunks, chunks + CHUNK};
	lzma_stream stream = LZMA_STREAM_INIT;
	if (lzma_stream_decoder(&stream, XZ_MEMORY_MAX, 0) != LZMA_OK)
		return mkv_oom(err);
	int rc = run_xz(&u, &stream, err);
	lzma_end(&stream);
	return rc;
}

int mkv_unpack_gz(int from, int to, uint64_t size_bytes, struct mkv_error *err)
{
	auto_free uint8_t *chunks = malloc(2 * (size_t)CHUNK);
	if (!chunks)
		return mkv_oom(err);
	struct unpacking u = {from, to, size_bytes, chunks, chunks + CHUNK};
	z_stream stream = {0};
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return mkv_oom(err);
	int rc = run_gz(&u, &stream, err);
	(void)inflateEnd(&stream);
	return rc;
}
