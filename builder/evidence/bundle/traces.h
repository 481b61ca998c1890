/* SPDX-License-Identifier: MIT */
#pragma once
/* Reads traces.pb.zst: OTLP trace requests, each prefixed with its length as a
 * varint, compressed by Zstandard. Memory is bounded by the largest request.
 * Input may be hostile. */

#include "lib/buf.h"

enum { MKV_TRACES_REQUEST_MAX = 17 * 1024 * 1024 };
/* Of one run, decompressed. */
#define MKV_TRACES_LIMIT_BYTES (UINT64_C(64) << 30)

/* Called for each request; it isn't checked. A negative return stops. */
typedef int mkv_traces_visit(const void *request, size_t size, void *context,
			     struct mkv_error *err);
int mkv_traces_read(int fd, mkv_traces_visit *visit, void *context,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 4);
