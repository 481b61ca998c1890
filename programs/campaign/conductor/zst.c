/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/zst.h"

#include <zstd.h>

#include "programs/lib/free_space.h"

/* 6 compresses spans about as well as the levels above it, at 100 MB/s. */
enum { LEVEL = 6, OUTPUT_SIZE = 128 * 1024 };

struct mkv_zst {
	struct mkv_newfile file;
	ZSTD_CCtx *context;
	uint64_t spare_bytes;
	char output[OUTPUT_SIZE];
};

int mkv_zst_open(const char *path, uint64_t spare_bytes, struct mkv_zst **ret,
		 struct mkv_error *err)
{
	auto_zst struct mkv_zst *zst = malloc(sizeof(*zst));
	if (!zst)
		return mkv_oom(err);
	zst->file = MKV_NEWFILE_INIT;
	zst->spare_bytes = spare_bytes;
	zst->context = ZSTD_createCCtx();
	if (!zst->context)
		return mkv_oom(err);
	if (ZSTD_isError(ZSTD_CCtx_setParameter(
		    zst->context, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(zst->context,
						ZSTD_c_checksumFlag, 1)))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"set up compression: libzstd refused it");
	int rc = mkv_newfile_open(path, 0644, &zst->file, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(zst);
	return 0;
}

void mkv_zst_free(struct mkv_zst *zst)
{
	if (!zst)
		return;
	(void)ZSTD_freeCCtx(zst->context);
	mkv_newfile_done(&zst->file);
	free(zst);
}

/* Writes what the compressor has, until it took the input and, with
 * ZSTD_e_end, ended the frame. */
static int compress(struct mkv_zst *zst, ZSTD_inBuffer *input,
		    ZSTD_EndDirective directive, struct mkv_error *err)
{
	for (;;) {
		ZSTD_outBuffer output = {zst->output, OUTPUT_SIZE, 0};
		size_t left = ZSTD_compressStream2(zst->context, &output, input,
						   directive);
		if (ZSTD_isError(left))
			return mkv_fail(err, MKV_FAILED, EIO, "compress: %s",
					ZSTD_getErrorName(left));
		if (output.pos) {
			int rc = mkv_free_space_check(zst->file.fd, output.pos,
						      zst->spare_bytes, err);
			if (rc < 0)
				return rc;
			rc = mkv_write_all(zst->file.fd, zst->output,
					   output.pos, err);
			if (rc < 0)
				return rc;
		}
		bool is_done = directive == ZSTD_e_end
				       ? left == 0
				       : input->pos == input->size;
		if (is_done)
			return 0;
	}
}

int mkv_zst_add(struct mkv_zst *zst, const void *data, size_t size,
		struct mkv_error *err)
{
	ZSTD_inBuffer input = {data, size, 0};
	return size ? compress(zst, &input, ZSTD_e_continue, err) : 0;
}

int mkv_zst_commit(struct mkv_zst *zst, struct mkv_error *err)
{
	ZSTD_inBuffer input = {NULL, 0, 0};
	int rc = compress(zst, &input, ZSTD_e_end, err);
	return rc < 0 ? rc : mkv_newfile_commit(&zst->file, err);
}
