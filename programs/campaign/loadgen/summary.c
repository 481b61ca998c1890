/* SPDX-License-Identifier: MIT */
#include "lib/json.h"
#include "programs/campaign/loadgen/plan.h"
#include "programs/lib/trace.h"

static int compare_int64(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

int64_t mkv_load_quantile(const int64_t *sorted, size_t n, unsigned permille)
{
	size_t rank = (n * permille + 999) / 1000;
	return n == 0 ? 0 : sorted[rank ? rank - 1 : 0];
}

static json_t *microseconds(int64_t ns)
{
	return json_integer((ns + 500) / 1000);
}

static json_t *pack_quantiles(const int64_t *sorted, size_t n)
{
	static const struct {
		const char *name;
		unsigned permille;
	} rows[] = {{"min", 0},	  {"p50", 500},	 {"p90", 900},
		    {"p99", 990}, {"p999", 999}, {"max", 1000}};
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		json_object_set_new(object, rows[i].name,
				    microseconds(mkv_load_quantile(
					    sorted, n, rows[i].permille)));
	return object;
}

int mkv_load_summary(const struct mkv_load_sample *samples, size_t count,
		     size_t warm_up, double rate, struct mkv_buf *into,
		     struct mkv_error *err)
{
	auto_free int64_t *latencies = calloc(count + 1, sizeof(*latencies));
	if (!latencies)
		return mkv_oom(err);
	size_t good = 0, refused = 0, lost = 0;
	int64_t latest_ns = 0, max_late_ns = 0;
	for (size_t i = warm_up; i < count; i++) {
		const struct mkv_load_sample *s = &samples[i];
		int64_t end_ns = s->intended_ns + s->latency_ns;
		latest_ns = end_ns > latest_ns ? end_ns : latest_ns;
		max_late_ns =
			s->late_ns > max_late_ns ? s->late_ns : max_late_ns;
		if (s->status == 200)
			latencies[good++] = s->latency_ns;
		else if (s->status)
			refused++;
		else
			lost++;
	}
	qsort(latencies, good, sizeof(*latencies), compare_int64);
	int64_t first_ns = warm_up < count ? samples[warm_up].intended_ns : 0;
	double span_s = (double)(latest_ns - first_ns) / 1e9;
	struct mkv_trace_counts spans = mkv_trace_counts();
	auto_json json_t *summary = json_pack(
		"{sIsIsIsIsfsfsoso,s{sIsIsI}}", "requests",
		(json_int_t)(count > warm_up ? count - warm_up : 0), "answered",
		(json_int_t)good, "refused", (json_int_t)refused, "lost",
		(json_int_t)lost, "intended_per_s", rate, "answered_per_s",
		span_s > 0 ? (double)good / span_s : 0.0, "sent_late_us_max",
		microseconds(max_late_ns), "latency_us",
		pack_quantiles(latencies, good), "spans", "ended",
		(json_int_t)spans.ended, "exported", (json_int_t)spans.exported,
		"dropped", (json_int_t)spans.dropped);
	int rc = summary ? mkv_json_dump_compact(summary, into, err)
			 : mkv_oom(err);
	mkv_buf_char(into, '\n');
	return rc < 0 ? rc : mkv_buf_check(into, err);
}
