/* SPDX-License-Identifier: MIT */
/* metrics.json.zst: Prometheus' samples of the run's window. */
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "builder/evidence/bundle/samples.h"

struct counts {
	int64_t begin_ns, end_ns; /* of the measured phase */
	uint64_t series, samples, inside;
};

static int count_series(const struct mkv_samples_label *labels, size_t count,
			void *context, struct mkv_error *err)
{
	struct counts *counts = context;
	(void)labels;
	(void)count;
	(void)err;
	counts->series++;
	return 0;
}

/* "1700000000.123" in milliseconds. */
static int64_t parse_ms(const char *text)
{
	char *end;
	int64_t ms = strtoll(text, &end, 10) * 1000;
	int unit = 100;
	for (const char *c = *end == '.' ? end + 1 : end;
	     *c >= '0' && *c <= '9' && unit; c++, unit /= 10)
		ms += (*c - '0') * unit;
	return ms;
}

static int count_sample(const char *time_s, const char *value, void *context,
			struct mkv_error *err)
{
	struct counts *counts = context;
	(void)value;
	(void)err;
	int64_t ms = parse_ms(time_s);
	counts->samples++;
	counts->inside += ms >= counts->begin_ns / 1000000 &&
			  ms <= counts->end_ns / 1000000;
	return 0;
}

static void find_window(const json_t *document, struct counts *counts)
{
	const json_t *phases = json_object_get(document, "phases");
	for (size_t i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);
		const char *name =
			json_string_value(json_object_get(phase, "name"));
		if (!name || strcmp(name, "measured") != 0)
			continue;
		counts->begin_ns =
			json_integer_value(json_object_get(phase, "start_ns"));
		counts->end_ns =
			json_integer_value(json_object_get(phase, "end_ns"));
	}
}

int mkv_bundle_audit_metrics(struct mkv_bundle_run_audit *run,
			     struct mkv_error *err)
{
	static const struct mkv_samples_visitor visitor = {count_series,
							   count_sample};
	const struct mkv_plan *plan = run->at->plan;
	struct counts counts = {0};
	char path[512];
	auto_fd int fd = -1;
	mkv_bundle_file_path(run, "metrics.json.zst", path);
	if (!mkv_bundle_has_file(run, "metrics.json.zst")) {
		if (run->event->is_valid)
			mkv_bundle_find(run->at, path, "missing");
		return 0;
	}
	if (mkv_audit_open(&run->at->audit, path, &fd) < 0)
		return 0; /* its digest is a finding */
	find_window(run->document, &counts);
	int rc = mkv_samples_read(fd, &visitor, &counts, err);
	if (rc < 0)
		return mkv_bundle_find_error(run->at, path, rc, err);
	run->at->report->samples += counts.samples;
	if (counts.series == 0 && run->event->is_valid)
		mkv_bundle_find(run->at, path, "holds no series");
	else if (counts.inside == 0 && run->event->is_valid &&
		 counts.end_ns - counts.begin_ns > plan->scrape_interval_ns)
		mkv_bundle_find(run->at, path,
				"holds no sample of the measured phase");
	return 0;
}
