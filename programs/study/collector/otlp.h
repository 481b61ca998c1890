/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether a body is an ExportTraceServiceRequest that any reader of OTLP takes
 * (opentelemetry-proto 1.x: collector/trace/v1, trace/v1, common/v1,
 * resource/v1), in either encoding. Everything that the definitions name is
 * checked: types, text that is UTF-8, lengths of ids, that a span has its two.
 * What they don't name is skipped, as OTLP demands. */

#include <jansson.h>
#include <stdint.h>

#include "lib/error.h"

/* 0 and the number of spans; -EINVAL. */
int mkv_otlp_check_protobuf(const void *data, size_t size, uint64_t *ret_spans,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
int mkv_otlp_check_json(const json_t *document, uint64_t *ret_spans,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
