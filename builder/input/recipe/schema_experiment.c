/* SPDX-License-Identifier: MIT */
/* The experiment: load, fields and services. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"
#include "lib/contract.h"

static const struct mkv_table request_table = {
	.name = "request",
	.rows = REQUEST_ROWS(mkv_recipe, experiment.request),
};

static const struct mkv_table field_table = {
	.name = "NAME",
	.rows = ROWS({"", MKV_ROW_COUNT, AT(mkv_request_field, count),
		      .required = true, .min = 1,
		      .max = MKV_EXPERIMENT_FIELD_MAX}),
	.size = sizeof(struct mkv_request_field),
	.key_offset = offsetof(struct mkv_request_field, name),
	.key_pattern = &pattern_field,
};

static const struct mkv_table service_table = {
	.name = "SERVICE",
	.rows = ROWS(
		{"role", MKV_ROW_TEXT, AT(mkv_experiment_service, role),
		 .pattern = &pattern_name, .derived = "the service's name",
		 .doc = "Role of the hosts that run the service"},
		{"unit", MKV_ROW_TEXT, AT(mkv_experiment_service, unit),
		 .pattern = &pattern_service,
		 .derived = "mkvbench-SERVICE.service",
		 .doc = "Unit that is restarted, unless the host runs a "
			"container of the service's name"},
		{"port", MKV_ROW_COUNT, AT(mkv_experiment_service, port),
		 .required = true, .min = 1, .max = 65535,
		 .doc = "TCP port of `health` and /metrics"},
		{"health", MKV_ROW_TEXT, AT(mkv_experiment_service, health),
		 .required = true, .pattern = &pattern_url_path,
		 .doc = "Path that answers GET with status 200 when the "
			"service is ready"},
		{"clean-up", MKV_ROW_LIST, AT(mkv_experiment_service, clean_up),
		 .repeats = true, .pattern = &pattern_line,
		 .doc = "Program and arguments that remove the data of the run "
			"before, run as the service's user on the host or in "
			"the service's container"},
		{"vary", MKV_ROW_LIST, AT(mkv_experiment_service, vary),
		 .pattern = &pattern_upper,
		 .doc = "Settings that a campaign may set, without the prefix "
			"MKVBENCH_"},
		{"spans", MKV_ROW_BOOL, AT(mkv_experiment_service, spans),
		 .default_value = "false",
		 .doc = "`true`: /metrics has `mkvbench_spans_total`, and a run "
			"ends only after all spans are exported"}),
	.size = sizeof(struct mkv_experiment_service),
	.key_offset = offsetof(struct mkv_experiment_service, name),
	.key_pattern = &pattern_name,
};

const struct mkv_table mkv_schema_experiment = {
	.name = "experiment",
	.rows = ROWS(
		{"request", MKV_ROW_OBJECT, .required = true,
		 .table = &request_table,
		 .doc = "HTTP request that the load generator sends"},
		{"fields", MKV_ROW_MAP, AT(mkv_recipe, experiment.fields),
		 .table = &field_table,
		 .doc = "Fields of the request: `user: 1000` makes `{user}` "
			"count from 1 to 1000, again and again"},
		{"rate", MKV_ROW_COUNT, AT(mkv_recipe, experiment.rate),
		 .required = true, .min = 1, .max = MKV_EXPERIMENT_RATE_MAX,
		 .doc = "Requests per second"},
		{"arrivals", MKV_ROW_TEXT, AT(mkv_recipe, experiment.arrivals),
		 .default_value = "constant", .words = MKV_WORDS_ARRIVALS,
		 .doc = MKV_DOC_ARRIVALS},
		{"connections", MKV_ROW_COUNT,
		 AT(mkv_recipe, experiment.connections), .default_value = "64",
		 .min = 1, .max = MKV_EXPERIMENT_CONNECTIONS_MAX,
		 .doc = "Maximum number of connections, which grows as the "
			"latency requires: at least the rate times the "
			"longest latency"},
		{"timeout", MKV_ROW_DURATION,
		 AT(mkv_recipe, experiment.timeout_ns), .default_value = "30s",
		 .min = 10 * 1000 * US, .max = MKV_EXPERIMENT_TIMEOUT_MAX_NS,
		 .doc = "Time after which an unanswered request counts as "
			"failed"},
		{"warm-up", MKV_ROW_COUNT, AT(mkv_recipe, experiment.warm_up),
		 .required = true, .max = MKV_EXPERIMENT_REQUESTS_MAX,
		 .doc = "Requests before the measurement"},
		{"measured", MKV_ROW_COUNT, AT(mkv_recipe, experiment.measured),
		 .required = true, .min = 1, .max = MKV_EXPERIMENT_REQUESTS_MAX,
		 .doc = "Measured requests"},
		{"services", MKV_ROW_MAP, AT(mkv_recipe, experiment.services),
		 .table = &service_table,
		 .doc = "Services that the experiment cleans up, varies and "
			"restarts, by name"}),
};
