/* SPDX-License-Identifier: MIT */
#pragma once
/* The study's CPU tasks as spans. */

#include "services/lib/http.h"

/* Solves a LINPACK system of `order` inside a span of that name, which tells
 * order and residual. A wrong result is answered with 500, and -EDOM. */
int mkv_work_linpack(struct mkv_http_request *request, const char *name,
		     int64_t order) mkv_must_check mkv_nonnull(1, 2);
