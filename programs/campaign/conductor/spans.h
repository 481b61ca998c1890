/* SPDX-License-Identifier: MIT */
#pragma once
/* Counts the distinct spans in a stream of OTLP requests, each prefixed with
 * its length as a varint, as the collector stores them. A batch whose answer
 * was lost is stored twice; its spans count once. */

#include <stdint.h>

#include "lib/buf.h"

enum { MKV_SPANS_RECORD_MAX = 17 * 1024 * 1024 };

struct mkv_spans {
	struct mkv_buf record; /* the incomplete one at the end of the stream */
	uint64_t *table;       /* of 64 bits of each id; 0: free */
	size_t slots, count;   /* count: distinct spans */
	size_t limit;	       /* of count */
};

/* `limit` bounds the memory: up to 32 bytes for each span. */
void mkv_spans_init(struct mkv_spans *spans, size_t limit) mkv_nonnull(1);
void mkv_spans_done(struct mkv_spans *spans) mkv_nonnull(1);
#define auto_spans __attribute__((cleanup(mkv_spans_done)))

/* Takes the next bytes of the stream. -EBADMSG: they are malformed. -ENOSPC:
 * more spans than the limit. */
int mkv_spans_add(struct mkv_spans *spans, const void *data, size_t size,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);
/* -EBADMSG: the last record is incomplete. */
int mkv_spans_finish(const struct mkv_spans *spans,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
