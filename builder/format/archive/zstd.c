/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/zstd.h"

#include <zstd.h>

static void free_context(ZSTD_CCtx *context)
{
	(void)ZSTD_freeCCtx(context);
}
MKV_DEFINE_AUTO(zstd_context, ZSTD_CCtx *, free_context)
#define auto_zstd_context mkv_auto(zstd_context)

int mkv_zstd_encode(const void *data, size_t size, int level,
		    struct mkv_buf *into, struct mkv_error *err)
{
	auto_zstd_context ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(size);
	auto_free void *packed = malloc(bound);
	if (!context || !packed || ZSTD_isError(bound))
		return mkv_oom(err);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	size_t used = ZSTD_compress2(context, packed, bound, data, size);
	if (ZSTD_isError(used))
		return mkv_fail(err, MKV_FAILED, EIO, "compress: libzstd: %s",
				ZSTD_getErrorName(used));
	mkv_buf_add(into, packed, used);
	return mkv_buf_check(into, err);
}
