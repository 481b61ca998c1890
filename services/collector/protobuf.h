/* SPDX-License-Identifier: MIT */
#pragma once
/* As much of protocol buffers' encoding as counting spans takes. */

#include "lib/buf.h"

void mkv_protobuf_varint(struct mkv_buf *into, uint64_t value) mkv_nonnull(1);

/* The spans of an ExportTraceServiceRequest (resource_spans 1, scope_spans 2,
 * spans 2); -EINVAL when the bytes aren't well-formed down to there. */
int mkv_protobuf_count_spans(const char *data, size_t size,
			     uint64_t *ret) mkv_must_check mkv_nonnull(1, 3);
