/* SPDX-License-Identifier: MIT */
/* mkvbench-loadgen: sends requests at times that were decided before, whatever
 * time the answers take (an open loop). A latency is measured from the intended
 * start of a request, so that a pause of the service shows in every request
 * that it delays.
 *
 * DATA_DIR/RUN/load.csv has every request and DATA_DIR/RUN/summary.json the
 * summary, which is also printed. SIGTERM or SIGINT ends the run early, after
 * the requests in progress were answered. Exit status 1: a measured request was
 * not answered with the status that is wanted, or none was measured. */

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"
#include "programs/campaign/loadgen/loop.h"
#include "programs/campaign/loadgen/ready.h"
#include "programs/campaign/loadgen/request.h"
#include "programs/lib/peer.h"
#include "programs/lib/program.h"

static struct mkv_load_options load;
static struct {
	int64_t users, ready_s;
	const char *fields, *url, *path, *body, *headers, *target;
} set;

enum { CONNECTIONS_MAX = 4096 };

static const struct mkv_service_setting own_settings[] = {
	{"RATE", MKV_SETTING_INTEGER, "20", 1, 100000,
	 .doc = "requests per second", .number = &load.rate},
	{"ARRIVALS", MKV_SETTING_WORD, "constant", .words = MKV_ARRIVALS_WORDS,
	 .doc = "when requests are due: each 1/RATE s; at a random time within "
		"each of these intervals; with exponentially distributed gaps",
	 .number = &load.arrivals},
	{"SEED", MKV_SETTING_INTEGER, "0", 0, INT64_MAX,
	 .doc = "of the random numbers of ARRIVALS", .number = &load.seed},
	{"CONNECTIONS", MKV_SETTING_INTEGER, "3", 1, CONNECTIONS_MAX,
	 .doc = "maximum number of connections, which are opened as they are "
		"needed",
	 .number = &load.connections},
	{"SPIN", MKV_SETTING_DURATION, "100us", 0, 10000,
	 .doc = "time before a request is due that is spent with looking at the "
		"clock, at most an eighth of the mean gap; without it a "
		"request is late by what a processor takes to wake up",
	 .number = &load.spin_us},
	{"WARM_UP", MKV_SETTING_INTEGER, "100", 0, 10000000,
	 .doc = "requests before the measurement", .number = &load.warm_up},
	{"COUNT", MKV_SETTING_INTEGER, "1000", 1, 10000000,
	 .doc = "measured requests", .number = &load.count},
	{"METHOD", MKV_SETTING_TEXT, "POST", .max = 20,
	 .doc = "method of the requests", .text = &load.method},
	{"URL", .doc = "`http://HOST:PORT` of the requests; default: ORDER_URL",
	 .text = &set.url},
	{"PATH", MKV_SETTING_TEXT, .max = 2048,
	 .doc = "path and query of the requests, with fields in braces; "
		"default: `/orders/create/id/{user}`",
	 .text = &set.path},
	{"BODY", MKV_SETTING_TEXT, .max = 65536,
	 .doc = "body of the requests, with fields in braces; default: an "
		"order if PATH is unset, else none",
	 .text = &set.body},
	{"HEADERS", MKV_SETTING_TEXT, .max = 16384,
	 .doc = "headers of the requests, with fields in braces, a line each; "
		"default: `Content-Type: application/json` if PATH is unset, "
		"else none",
	 .text = &set.headers},
	{"FIELDS", MKV_SETTING_TEXT, .max = 1024,
	 .doc = "fields and how many values each has, `user=1000,item=20`; "
		"default: `user` with USERS values",
	 .text = &set.fields},
	{"USERS", MKV_SETTING_INTEGER, "1000", 1, 1000000,
	 .doc = "values of the field `user` without FIELDS",
	 .number = &set.users},
	{"STATUS", MKV_SETTING_INTEGER, "200", 100, 599,
	 .doc = "status of a good answer", .number = &load.status},
	{"TIMEOUT_MS", MKV_SETTING_INTEGER, "0", 0, 600000,
	 .doc = "milliseconds until a request is given up; 0: PEER_TIMEOUT_MS",
	 .number = &load.timeout_ms},
	{"TARGET", MKV_SETTING_TEXT, "order", .max = 64,
	 .doc = "what the requests are sent to; spans are named `METHOD "
		"TARGET`",
	 .text = &set.target},
	{"READY_S", MKV_SETTING_INTEGER, "0", 0, 86400,
	 .doc = "seconds to wait until all services are healthy; 0: do not wait",
	 .number = &set.ready_s},
	{"DATA_DIR", MKV_SETTING_TEXT, "/var/lib/loadgen", .max = 4000,
	 .doc = "directory of results", .text = &load.directory},
	{"RUN", MKV_SETTING_TEXT, .max = 128,
	 .doc = "name of the run, and of its directory in DATA_DIR, which must "
		"not exist; default: run-TIME",
	 .text = &load.run},
	{"ORDER_URL", .doc = "URL of the order service; default: port 8080 of "
			     "MKVBENCH_ADDRESS_ORDER, else of 127.0.0.1"},
	{"PAYMENT_URL",
	 .doc = "URL of the payment service, for READY_S; default: port 8080 of "
		"MKVBENCH_ADDRESS_PAYMENT, else of 127.0.0.1"},
	{"USER_URL",
	 .doc = "URL of the user service, for READY_S; default: port 8080 of "
		"MKVBENCH_ADDRESS_USER, else of 127.0.0.1"},
	{"COLLECTOR_URL",
	 .doc = "URL of the collector, for READY_S; default: port 4318 of "
		"MKVBENCH_ADDRESS_COLLECTOR, else of 127.0.0.1"},
	MKV_PEER_TIMEOUT("30000"),
	{0},
};

static int choose_url(struct mkv_error *err)
{
	if (!set.url)
		return mkv_peer_find_url("order", &load.url, err);
	load.url = strdup(set.url);
	if (!load.url)
		return mkv_oom(err);
	size_t size = strlen(load.url);
	while (size > 0 && load.url[size - 1] == '/')
		load.url[--size] = '\0';
	return 0;
}

static int choose_fields(struct mkv_error *err)
{
	int rc = set.fields ? mkv_template_parse_fields(set.fields,
							&load.fields, err)
			    : mkv_template_add_field(&load.fields, "user", 4,
						     (uint64_t)set.users, err);
	return rc < 0 ? mkv_wrap(err, rc, "MKVBENCH_FIELDS") : 0;
}

/* The study's order, unless another request is set. */
static int choose_request(struct mkv_error *err)
{
	load.path = set.path ? set.path : "/orders/create/id/{user}";
	load.body = set.body   ? set.body
		    : set.path ? NULL
			       : "{\"productName\":\"tea\",\"price\":0.01}";
	load.headers = set.headers ? set.headers
		       : set.path  ? ""
				   : "Content-Type: application/json";
	if (load.timeout_ms == 0)
		load.timeout_ms = mkv_peer_timeout_ms;
	if (asprintf(&load.span, "%s %s", load.method, set.target) < 0) {
		load.span = NULL;
		return mkv_oom(err);
	}
	int rc = choose_url(err);
	if (rc < 0)
		return rc;
	rc = choose_fields(err);
	return rc < 0 ? rc : mkv_load_request_check(&load, err);
}

static int allow_descriptors(struct mkv_error *err)
{
	enum { OTHERS = 64 };
	char what[48];
	(void)snprintf(what, sizeof(what), "%lld connections",
		       (long long)load.connections);
	return mkv_program_allow_descriptors(
		(uint64_t)load.connections + OTHERS, what, err);
}

static int report(struct mkv_load_results *results,
		  const struct mkv_load_outcome *outcome, struct mkv_error *err)
{
	auto_buf struct mkv_buf summary = {0};
	int rc = mkv_load_results_summary(results, outcome, &summary, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(STDOUT_FILENO, summary.data, summary.size, err);
	if (rc < 0)
		return rc;
	rc = mkv_load_results_finish(results, outcome, &summary, err);
	return rc < 0 ? rc : mkv_load_results_are_good(results) ? 0 : 1;
}

static int measure(struct mkv_load_results *results, struct mkv_error *err)
{
	struct mkv_load_outcome outcome;
	int rc = mkv_trace_start("loadgen", err);
	if (rc < 0)
		return rc;
	rc = mkv_load_loop(&load, results, &outcome, err);
	mkv_trace_stop(10);
	return rc < 0 ? rc : report(results, &outcome, err);
}

static int prepare_and_measure(struct mkv_error *err)
{
	struct mkv_load_results *results;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return mkv_fail(err, MKV_FAILED, EIO,
				"initialise libcurl: it failed");
	int rc = choose_request(err);
	if (rc < 0)
		return rc;
	rc = allow_descriptors(err);
	if (rc < 0)
		return rc;
	rc = mkv_load_wait_ready((unsigned)set.ready_s, err);
	if (rc < 0)
		return rc;
	rc = mkv_load_results_open(&load, &results, err);
	if (rc < 0)
		return rc;
	rc = measure(results, err);
	mkv_load_results_close(results);
	return rc;
}

static int run_load(const struct mkv_program *program, struct mkv_error *err)
{
	(void)program;
	int rc = prepare_and_measure(err);
	free(load.url);
	free(load.span);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct mkv_service_setting *const settings[] = {
		own_settings, mkv_trace_settings, NULL};
	const struct mkv_program program = {
		.name = "loadgen", .settings = settings, .run = run_load};
	return mkv_program_main(&program, argc, argv);
}
