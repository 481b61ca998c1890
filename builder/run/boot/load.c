/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/load.h"

#include <inttypes.h>
#include <string.h>

#include "builder/input/fetch/loopback.h"
#include "lib/base64.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/json.h"

enum {
	PORT = 8080,
	COLLECTOR_PORT = 4318,
	QUERY_INTERVAL_S = 2,
	REQUEST_TIMEOUT_S = 20,
	METRICS_MAX_BYTES = 1 << 20,
	TRACES_MAX_BYTES = 256 << 20,
};

void mkv_load_done(struct mkv_boot_load *load)
{
	free(load->summary);
	free(load->traces);
	*load = (struct mkv_boot_load){0};
}

static const struct mkv_contract_host *
find_host_with_role(const struct mkv_contract *contract, const char *role)
{
	for (size_t i = 0; i < contract->n_hosts; i++)
		if (contract->hosts[i].role &&
		    strcmp(contract->hosts[i].role, role) == 0)
			return &contract->hosts[i];
	return NULL;
}

int mkv_load_plan(const struct mkv_contract *contract,
		  struct mkv_boot_load *load,
		  struct mkv_forward forwards[static MKV_LOAD_FORWARDS],
		  struct mkv_error *err)
{
	static const struct {
		const char *role;
		unsigned port;
	} rows[MKV_LOAD_FORWARDS] = {
		{"collector", COLLECTOR_PORT},
		{"order", PORT},
		{"payment", PORT},
		{"user", PORT},
	};
	load->generator = find_host_with_role(contract, "loadgen");
	load->forwards = forwards;
	load->n_forwards = MKV_LOAD_FORWARDS;
	const char *missing = load->generator ? NULL : "loadgen";
	for (size_t i = 0; !missing && i < MKV_LOAD_FORWARDS; i++) {
		forwards[i] = (struct mkv_forward){
			.host = find_host_with_role(contract, rows[i].role),
			.port = rows[i].port,
		};
		if (!forwards[i].host)
			missing = rows[i].role;
	}
	return missing ? mkv_fail(
				 err, MKV_BAD_USAGE, ENOENT,
				 "cannot send load: the appliance has no host of "
				 "role '%s'",
				 missing)
		       : 0;
}

int mkv_load_credential(const struct mkv_boot_load *load, struct mkv_buf *ret,
			struct mkv_error *err)
{
	char text[128];
	int size = snprintf(text, sizeof(text),
			    "MKVBENCH_WARM_UP=0\nMKVBENCH_COUNT=%u\n",
			    load->count);
	mkv_base64_write(text, (size_t)size, ret);
	return mkv_buf_check(ret, err);
}

/* journald prints a line on a console as
 * "[   42.1] mkvbench-load[512]: {...}". */
bool mkv_load_take_line(struct mkv_boot_load *load, const char *line)
{
	struct mkv_error ignored;
	auto_json json_t *document = NULL;
	const char *at = load->summary ? NULL : strstr(line, "mkvbench-load[");
	at = at ? strstr(at, "]: {") : NULL;
	if (!at ||
	    mkv_json_load(at + 3, strlen(at + 3), &document, &ignored) < 0)
		return false;
	json_t *requests = json_object_get(document, "requests");
	json_t *answered = json_object_get(document, "answered");
	if (!json_is_integer(requests) || !json_is_integer(answered))
		return false; /* a line of the generator's log */
	json_t *spans = json_object_get(document, "spans");
	load->dropped_by_generator =
		(uint64_t)json_integer_value(json_object_get(spans, "dropped"));
	load->is_answered =
		json_integer_value(requests) == (json_int_t)load->count &&
		json_integer_value(answered) == (json_int_t)load->count;
	load->summary = strdup(at + 3);
	return load->summary != NULL;
}

/* The value of a metric; -1: the metric is missing. */
static int64_t read_metric(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

bool mkv_load_add_metrics(struct mkv_boot_load *load, const char *text)
{
	int64_t ended =
		read_metric(text, "mkvbench_spans_total{state=\"ended\"}");
	int64_t exported =
		read_metric(text, "mkvbench_spans_total{state=\"exported\"}");
	int64_t dropped =
		read_metric(text, "mkvbench_spans_total{state=\"dropped\"}");
	if (ended <= 0 || exported < 0 || dropped < 0)
		return false;
	load->spans += (uint64_t)exported;
	load->dropped += (uint64_t)dropped;
	return exported + dropped >= ended;
}

/* Queries the services' span counters. Returns whether each service has
 * exported or dropped all its spans; a service that does not answer has not. */
static bool query_exported(struct mkv_boot_load *load)
{
	load->spans = load->dropped = 0;
	load->is_exported = true;
	for (size_t i = 1; i < load->n_forwards; i++) {
		char url[64];
		struct mkv_error ignored;
		auto_buf struct mkv_buf text = {0};
		(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/metrics",
			       load->forwards[i].local);
		if (mkv_fetch_loopback(url, REQUEST_TIMEOUT_S,
				       METRICS_MAX_BYTES, &text,
				       &ignored) < 0 ||
		    !text.size || !mkv_load_add_metrics(load, text.data))
			load->is_exported = false;
	}
	return load->is_exported;
}

bool mkv_load_is_good(const struct mkv_boot_load *load)
{
	return load->summary && load->is_answered && load->traces &&
	       load->is_exported && !load->dropped &&
	       !load->dropped_by_generator;
}

/* Writes the collector's spans to DIRECTORY/traces.pb: OTLP requests, each
 * preceded by its length as a varint. */
static int fetch_traces(struct mkv_boot_load *load, const char *directory,
			struct mkv_error *err)
{
	char url[64];
	auto_buf struct mkv_buf spans = {0};
	auto_free char *path = NULL;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/traces.pb",
		       load->forwards[0].local);
	int rc = mkv_fetch_loopback(url, REQUEST_TIMEOUT_S * 3,
				    TRACES_MAX_BYTES, &spans, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "fetch the collector's spans");
	if (asprintf(&path, "%s/traces.pb", directory) < 0)
		return mkv_oom(err);
	rc = mkv_write_file(path, 0644, spans.data ? spans.data : "",
			    spans.size, err);
	if (rc < 0)
		return rc;
	load->traces = mkv_take(path);
	return 0;
}

int mkv_load_poll(struct mkv_boot_load *load, const char *directory,
		  double end_s, struct mkv_error *err)
{
	double now_s = mkv_monotonic_s();
	bool is_late = now_s >= end_s;
	bool is_due =
		load->summary && now_s - load->query_s >= QUERY_INTERVAL_S;
	if (!is_late && !is_due)
		return 1;
	load->query_s = now_s;
	bool is_exported = query_exported(load);
	if (!is_late && !is_exported)
		return 1;
	return load->summary ? fetch_traces(load, directory, err) : 0;
}
