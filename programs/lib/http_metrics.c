/* SPDX-License-Identifier: MIT */
#include "programs/lib/http_metrics.h"

void mkv_http_metrics_add(struct mkv_http_metrics *metrics, size_t route,
			  unsigned status, int64_t duration_ns)
{
	unsigned class = status / 100;
	if (route >= MKV_HTTP_ROUTES_MAX || class > 5)
		return;
	atomic_fetch_add(&metrics->routes[route].by_class[class], 1);
	atomic_fetch_add(&metrics->routes[route].total_ns,
			 (unsigned long long)duration_ns);
}

static void print_route(struct mkv_http_metrics *metrics, size_t i,
			const struct mkv_http_route *route,
			struct mkv_buf *into)
{
	unsigned long long count = 0;
	for (unsigned class = 1; class < 6; class ++) {
		unsigned long long n =
			atomic_load(&metrics->routes[i].by_class[class]);
		count += n;
		if (n)
			mkv_buf_printf(into,
				       "mkvbench_http_requests_total{method=\"%"
				       "s\",route=\"%s\",code=\"%uxx\"} %llu\n",
				       route->method, route->pattern, class, n);
	}
	mkv_buf_printf(into,
		       "mkvbench_http_request_seconds_sum{method=\"%s\",route="
		       "\"%s\"} %.9f\n"
		       "mkvbench_http_request_seconds_count{method=\"%s\","
		       "route=\"%s\"} %llu\n",
		       route->method, route->pattern,
		       (double)atomic_load(&metrics->routes[i].total_ns) / 1e9,
		       route->method, route->pattern, count);
}

void mkv_http_metrics_print(struct mkv_http_metrics *metrics,
			    const struct mkv_http_route *routes,
			    struct mkv_buf *into)
{
	mkv_buf_str(into,
		    "# HELP mkvbench_http_requests_total Requests answered.\n"
		    "# TYPE mkvbench_http_requests_total counter\n"
		    "# HELP mkvbench_http_request_seconds From a request's "
		    "first bytes to its answer.\n"
		    "# TYPE mkvbench_http_request_seconds summary\n");
	for (size_t i = 0; i < MKV_HTTP_ROUTES_MAX && routes[i].method; i++)
		print_route(metrics, i, &routes[i], into);
	struct mkv_trace_counts spans = mkv_trace_counts();
	mkv_buf_printf(into,
		       "# HELP mkvbench_spans_total Spans of this process: "
		       "ended, and what became of them.\n"
		       "# TYPE mkvbench_spans_total counter\n"
		       "mkvbench_spans_total{state=\"ended\"} %llu\n"
		       "mkvbench_spans_total{state=\"exported\"} %llu\n"
		       "mkvbench_spans_total{state=\"dropped\"} %llu\n",
		       (unsigned long long)spans.ended,
		       (unsigned long long)spans.exported,
		       (unsigned long long)spans.dropped);
}
