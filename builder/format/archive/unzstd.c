/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/unzstd.h"

#include <zstd.h>

enum { WINDOW_LOG_MAX = 24, INPUT_SIZE = 64 * 1024 };

struct mkv_unzstd {
	ZSTD_DCtx *context;
	int fd;
	uint64_t left; /* bytes that may still be decoded */
	ZSTD_inBuffer input;
	size_t hint; /* 0: at the end of a frame */
	bool is_end;
	char bytes[INPUT_SIZE];
};

void mkv_unzstd_free(struct mkv_unzstd *stream)
{
	if (!stream)
		return;
	(void)ZSTD_freeDCtx(stream->context);
	free(stream);
}

int mkv_unzstd_new(int fd, uint64_t limit_bytes, struct mkv_unzstd **ret,
		   struct mkv_error *err)
{
	auto_unzstd struct mkv_unzstd *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return mkv_oom(err);
	stream->context = ZSTD_createDCtx();
	if (!stream->context ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(
		    stream->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return mkv_oom(err);
	stream->fd = fd;
	stream->left = limit_bytes;
	stream->input.src = stream->bytes;
	*ret = mkv_take(stream);
	return 0;
}

static int refill(struct mkv_unzstd *stream, struct mkv_error *err)
{
	ssize_t got;
	do
		got = read(stream->fd, stream->bytes, sizeof(stream->bytes));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return mkv_fail(err, MKV_FAILED, errno, "read: %m");
	stream->input.size = (size_t)got;
	stream->input.pos = 0;
	stream->is_end = got == 0;
	return 0;
}

/* Decodes into `data`; *ret_size is 0 when more input is needed. */
static int decode(struct mkv_unzstd *stream, void *data, size_t size,
		  size_t *ret_size, struct mkv_error *err)
{
	ZSTD_outBuffer output = {.dst = data, .size = size};
	size_t hint =
		ZSTD_decompressStream(stream->context, &output, &stream->input);
	if (ZSTD_isError(hint))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"decompress: libzstd: %s",
				ZSTD_getErrorName(hint));
	stream->hint = hint;
	if (output.pos > stream->left)
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"more than the maximum when decompressed");
	stream->left -= output.pos;
	*ret_size = output.pos;
	return 0;
}

int mkv_unzstd_read(struct mkv_unzstd *stream, void *data, size_t size,
		    size_t *ret_size, struct mkv_error *err)
{
	for (;;) {
		size_t got = 0;
		if (stream->input.pos == stream->input.size &&
		    !stream->is_end) {
			int rc = refill(stream, err);
			if (rc < 0)
				return rc;
		}
		if (stream->is_end && stream->hint == 0) {
			*ret_size = 0;
			return 0;
		}
		int rc = decode(stream, data, size, &got, err);
		if (rc < 0)
			return rc;
		if (got) {
			*ret_size = got;
			return 0;
		}
		if (stream->is_end && stream->hint)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"ends inside a compressed frame");
	}
}

int mkv_unzstd_each(int fd, uint64_t limit_bytes, mkv_unzstd_take *take,
		    void *context, struct mkv_buf *rest, struct mkv_error *err)
{
	enum { PART = 64 * 1024 };
	auto_unzstd struct mkv_unzstd *stream = NULL;
	auto_free char *part = malloc(PART);
	if (!part)
		return mkv_oom(err);
	int rc = mkv_unzstd_new(fd, limit_bytes, &stream, err);
	if (rc < 0)
		return rc;
	for (;;) {
		size_t got;
		rc = mkv_unzstd_read(stream, part, PART, &got, err);
		if (rc < 0 || got == 0)
			return rc;
		mkv_buf_add(rest, part, got);
		rc = mkv_buf_check(rest, err);
		if (rc < 0)
			return rc;
		rc = take(rest, context, err);
		if (rc < 0)
			return rc;
	}
}
