/* SPDX-License-Identifier: MIT */
#pragma once
/* Validates an ExportTraceServiceRequest in either encoding
 * (opentelemetry-proto 1.x: collector/trace/v1, trace/v1, common/v1,
 * resource/v1), so that every OTLP reader accepts what is stored. Every field
 * of the definitions is checked: types, UTF-8, lengths of ids, and that a span
 * has both ids. Unknown fields are skipped, as OTLP requires. */

#include <jansson.h>
#include <stdint.h>

#include "lib/error.h"

/* 0 and the number of spans, or -EINVAL. */
int mkv_otlp_check_protobuf(const void *data, size_t size, uint64_t *ret_spans,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
int mkv_otlp_check_json(const json_t *document, uint64_t *ret_spans,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
