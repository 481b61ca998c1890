/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/stats.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "programs/lib/trace.h"

void mkv_load_stats_add(struct mkv_load_stats *stats,
			const struct mkv_load_sample *sample, bool is_good)
{
	uint64_t before = stats->answered + stats->refused + stats->lost;
	int64_t end_ns = sample->intended_ns + sample->latency_ns;
	if (before == 0 || sample->intended_ns < stats->first_intended_ns)
		stats->first_intended_ns = sample->intended_ns;
	if (before == 0 || sample->intended_ns >= stats->last_intended_ns) {
		stats->last_intended_ns = sample->intended_ns;
		stats->last_late_ns = sample->late_ns;
	}
	if (end_ns > stats->latest_end_ns)
		stats->latest_end_ns = end_ns;
	stats->blocked += sample->is_blocked;
	mkv_histogram_add(&stats->lateness, sample->late_ns);
	if (is_good) {
		stats->answered++;
		mkv_histogram_add(&stats->latency, sample->latency_ns);
	} else if (sample->status) {
		stats->refused++;
	} else {
		stats->lost++;
	}
}

void mkv_load_stats_rate(const struct mkv_load_stats *stats, int64_t rate,
			 char ret[static 48])
{
	int64_t gap_ns = MKV_NS_PER_S / rate;
	int64_t intended_ns =
		stats->last_intended_ns - stats->first_intended_ns + gap_ns;
	int64_t taken_ns = intended_ns + stats->last_late_ns;
	uint64_t millionths =
		stats->lateness.total
			? (uint64_t)((unsigned __int128)rate * 1000000 *
				     (uint64_t)intended_ns / (uint64_t)taken_ns)
			: 0;
	(void)snprintf(ret, 48, "%" PRIu64 ".%06" PRIu64, millionths / 1000000,
		       millionths % 1000000);
}

struct row {
	const char *name;
	unsigned permille;
};

static json_t *pack_quantiles(const struct mkv_histogram *histogram,
			      const struct row *rows, int64_t unit_ns)
{
	json_t *object = json_object();
	for (; rows->name; rows++)
		json_object_set_new(
			object, rows->name,
			json_integer((mkv_histogram_quantile(histogram,
							     rows->permille) +
				      unit_ns / 2) /
				     unit_ns));
	return object;
}

static json_t *pack_latency_us(const struct mkv_load_stats *stats)
{
	static const struct row rows[] = {
		{"min", 0},    {"p50", 500},  {"p90", 900}, {"p99", 990},
		{"p999", 999}, {"max", 1000}, {0}};
	return pack_quantiles(&stats->latency, rows, 1000);
}

static json_t *pack_late_ns(const struct mkv_load_stats *stats)
{
	static const struct row rows[] = {
		{"p50", 500}, {"p99", 990}, {"max", 1000}, {0}};
	return pack_quantiles(&stats->lateness, rows, 1);
}

static json_t *pack_counts(const struct mkv_load_options *options,
			   const struct mkv_load_stats *stats)
{
	double span_s =
		(double)(stats->latest_end_ns - stats->first_intended_ns) / 1e9;
	struct mkv_trace_counts spans = mkv_trace_counts();
	return json_pack(
		"{sIsIsIsIsIsfsfsIsos{sIsIsI}}", "requests",
		(json_int_t)stats->lateness.total, "answered",
		(json_int_t)stats->answered, "refused",
		(json_int_t)stats->refused, "lost", (json_int_t)stats->lost,
		"blocked", (json_int_t)stats->blocked, "intended_per_s",
		(double)options->rate, "answered_per_s",
		span_s > 0 ? (double)stats->answered / span_s : 0.0,
		"sent_late_us_max",
		(json_int_t)(stats->lateness.max + 500) / 1000, "latency_us",
		pack_latency_us(stats), "spans", "ended",
		(json_int_t)spans.ended, "exported", (json_int_t)spans.exported,
		"dropped", (json_int_t)spans.dropped);
}

static json_t *pack_conditions(const struct mkv_load_options *options,
			       const struct mkv_load_outcome *outcome,
			       const struct mkv_load_stats *stats)
{
	static const char *const arrivals[] = {"constant", "jittered",
					       "poisson"};
	char asked[24], achieved[48];
	(void)snprintf(asked, sizeof(asked), "%" PRId64, options->rate);
	mkv_load_stats_rate(stats, options->rate, achieved);
	return json_pack(
		"{sssIsIsIsssssosIsIsIsb}", "arrivals",
		arrivals[options->arrivals], "seed", (json_int_t)options->seed,
		"connections_max", (json_int_t)options->connections,
		"connections_used", (json_int_t)outcome->connections_used,
		"rate_asked", asked, "rate_achieved", achieved, "late_ns",
		pack_late_ns(stats), "began_realtime_ns",
		(json_int_t)outcome->began_realtime_ns, "ended_realtime_ns",
		(json_int_t)outcome->ended_realtime_ns,
		"measured_began_realtime_ns",
		(json_int_t)(stats->lateness.total
				     ? outcome->began_realtime_ns +
					       stats->first_intended_ns
				     : 0),
		"interrupted", outcome->is_interrupted);
}

static int print_line(json_t *document, struct mkv_buf *into,
		      struct mkv_error *err)
{
	int rc = mkv_json_dump_compact(document, into, err);
	mkv_buf_char(into, '\n');
	return rc < 0 ? rc : mkv_buf_check(into, err);
}

int mkv_load_summary(const struct mkv_load_options *options,
		     const struct mkv_load_outcome *outcome,
		     const struct mkv_load_stats *measured,
		     struct mkv_buf *into, struct mkv_error *err)
{
	auto_json json_t *summary = pack_counts(options, measured);
	if (!summary ||
	    json_object_update_new(
		    summary, pack_conditions(options, outcome, measured)) < 0)
		return mkv_oom(err);
	return print_line(summary, into, err);
}

int mkv_load_progress(const struct mkv_load_options *options, const char *phase,
		      const struct mkv_load_stats *stats,
		      const struct mkv_load_stats *warm_up,
		      const struct mkv_load_stats *measured,
		      unsigned connections, struct mkv_buf *into,
		      struct mkv_error *err)
{
	static const struct row latency[] = {{"p50", 500}, {"p99", 990}, {0}};
	static const struct row late[] = {{"p99", 990}, {"max", 1000}, {0}};
	char achieved[48];
	mkv_load_stats_rate(stats, options->rate, achieved);
	auto_json json_t *progress = json_pack(
		"{sssIsIsIsIsssososI}", "phase", phase, "sent",
		(json_int_t)(warm_up->sent + measured->sent), "answered",
		(json_int_t)(warm_up->answered + measured->answered), "failed",
		(json_int_t)(warm_up->refused + warm_up->lost +
			     measured->refused + measured->lost),
		"total", (json_int_t)mkv_load_total(options), "rate_achieved",
		achieved, "latency_ns",
		pack_quantiles(&stats->latency, latency, 1), "late_ns",
		pack_quantiles(&stats->lateness, late, 1), "connections",
		(json_int_t)connections);
	if (!progress)
		return mkv_oom(err);
	return print_line(progress, into, err);
}
