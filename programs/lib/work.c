/* SPDX-License-Identifier: MIT */
#include "programs/lib/work.h"

#include <stdio.h>
#include <time.h>

#include "lib/clock.h"
#include "programs/lib/linpack.h"

int mkv_work_linpack(struct mkv_http_request *request, const char *name,
		     int64_t order)
{
	struct mkv_linpack_result result;
	struct mkv_error err;
	struct mkv_span span;
	char residual[32];
	mkv_span_begin(&span, name, MKV_SPAN_INTERNAL, &request->span.context);
	int rc = mkv_linpack_run((unsigned)order, &result, &err);
	mkv_span_number(&span, "linpack.order", order);
	if (rc == 0) {
		(void)snprintf(residual, sizeof(residual), "%.6g",
			       result.residual);
		mkv_span_text(&span, "linpack.residual", residual);
	}
	span.is_error = rc < 0;
	mkv_span_end(&span);
	if (rc < 0)
		mkv_http_error(request, 500, "linpack", "%s", err.message);
	return rc;
}

void mkv_work_sleep(struct mkv_http_request *request, const char *name,
		    int64_t duration_us)
{
	struct mkv_span span;
	mkv_span_begin(&span, name, MKV_SPAN_INTERNAL, &request->span.context);
	int64_t until_ns = mkv_monotonic_ns() + duration_us * 1000;
	while (duration_us > 0 && mkv_monotonic_ns() < until_ns)
		;
	mkv_span_end(&span);
}
