/* SPDX-License-Identifier: MIT */
#pragma once
/* Metrics of each route of a server. */

#include <stdatomic.h>

#include "programs/lib/http.h"

struct mkv_http_metrics {
	struct {
		atomic_ullong by_class[6]; /* [2]: 2xx */
		atomic_ullong total_ns;
	} routes[MKV_HTTP_ROUTES_MAX];
};

void mkv_http_metrics_add(struct mkv_http_metrics *metrics, size_t route,
			  unsigned status, int64_t duration_ns) mkv_nonnull(1);
/* Appends all metrics, those of spans included, in Prometheus' text format
 * 0.0.4.
 */
void mkv_http_metrics_print(struct mkv_http_metrics *metrics,
			    const struct mkv_http_route *routes,
			    struct mkv_buf *into) mkv_nonnull(1, 2, 3);
