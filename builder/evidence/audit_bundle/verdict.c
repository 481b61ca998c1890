/* SPDX-License-Identifier: MIT */
/* A valid run's own figures against the plan's limits: whoever wrote run.json,
 * the verdict follows from what it says. */
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"

static void find(const struct mkv_bundle_run_audit *run, const char *format,
		 ...) mkv_printf(2, 3);
static void find(const struct mkv_bundle_run_audit *run, const char *format,
		 ...)
{
	char why[256], path[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	mkv_bundle_file_path(run, "run.json", path);
	mkv_bundle_find(run->at, path, "valid, but %s", why);
}

/* "19.999" in 10^-9; -1: not a decimal number below 10^9. */
static int64_t parse_decimal(const char *text)
{
	int64_t value = 0;
	int digits = 0, decimals = -1;
	for (; text && *text; text++) {
		if (*text == '.' && decimals < 0 && digits > 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || digits > 9)
			return -1;
		if (decimals >= 9)
			continue;
		value = value * 10 + (*text - '0');
		if (decimals >= 0)
			decimals++;
		else
			digits++;
	}
	if (digits == 0)
		return -1;
	for (int i = decimals < 0 ? 0 : decimals; i < 9; i++)
		value *= 10;
	return value;
}

/* -1 when the member is missing. */
static json_int_t number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void check_rate(const struct mkv_bundle_run_audit *run,
		       const json_t *load)
{
	int64_t asked = parse_decimal(
		json_string_value(json_object_get(load, "rate_asked")));
	int64_t achieved = parse_decimal(
		json_string_value(json_object_get(load, "rate_achieved")));
	int64_t limit = run->at->plan->limits.rate.ppb;
	if (asked <= 0 || achieved < 0) {
		find(run, "the load names no rate");
		return;
	}
	if (asked != (int64_t)run->at->plan->load.rate * 1000000000)
		find(run, "the rate that was asked isn't the plan's");
	__int128 off = achieved > asked ? achieved - asked : asked - achieved;
	if (off * 1000000000 > (__int128)limit * asked)
		find(run, "the rate differs by more than the plan's limit");
}

static void check_load(const struct mkv_bundle_run_audit *run)
{
	const struct mkv_plan *plan = run->at->plan;
	const json_t *load = json_object_get(run->document, "load");
	const json_t *interrupted = json_object_get(load, "interrupted");
	json_int_t late = number_at(json_object_get(load, "late_ns"), "p99");
	if (!json_is_object(load)) {
		find(run, "has no load");
		return;
	}
	if (!json_is_false(interrupted))
		find(run, "the load was interrupted");
	if (number_at(load, "blocked") != 0)
		find(run, "requests were blocked");
	if (late < 0 || late > plan->limits.lateness_ns)
		find(run,
		     "the lateness is over the plan's limit: p99 %jd ns, "
		     "limit %jd ns",
		     (intmax_t)late, (intmax_t)plan->limits.lateness_ns);
	check_rate(run, load);
}

void mkv_bundle_audit_verdict(struct mkv_bundle_run_audit *run)
{
	const json_t *spans = json_object_get(run->document, "spans");
	json_int_t expected = number_at(spans, "expected");
	json_int_t received = number_at(spans, "received");
	if (number_at(spans, "dropped") != 0)
		find(run, "spans were dropped");
	/* Services may also have spans of their own accord. Spans that the arm
	 * leaves in files on the services' hosts are not received. */
	bool is_received = strcmp(run->arm->tracing, "file") != 0;
	if (expected < 0 || (is_received && received < expected))
		find(run, "%jd spans were received of %jd", (intmax_t)received,
		     (intmax_t)expected);
	check_load(run);
}
