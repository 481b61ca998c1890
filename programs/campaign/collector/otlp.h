/* SPDX-License-Identifier: MIT */
#pragma once
/* Validates an ExportTraceServiceRequest in JSON as lib/otlp.h does in
 * protobuf, so that every OTLP reader accepts what is stored. */

#include <jansson.h>
#include <stdint.h>

#include "lib/error.h"

/* 0 and the number of spans, or -EINVAL. */
int mkv_otlp_check_json(const json_t *document, uint64_t *ret_spans,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
