/* SPDX-License-Identifier: MIT */
#pragma once
/* Synthetic data of a run with the entropy of real ones: spans of the study's
 * application (22 per order), requests, samples of Prometheus. The same seed
 * gives the same data. */

#include <inttypes.h>
#include <string.h>

#include "builder/format/archive/zstd.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/protobuf.h"
#include "lib/random.h"
#include "programs/lib/trace_queue.h"

struct data_run {
	const char *contract, *scenario;
	const char *const *hosts, *const *boots; /* end with NULL */
	uint64_t requests, warm_up;
	unsigned rate;
	int64_t began_ns;
	struct mkv_random random;
	/* Made: */
	struct mkv_buf csv, traces, metrics;
	uint64_t spans;
	int64_t ended_ns;
};

static double data_uniform(struct mkv_random *random)
{
	return ((double)(mkv_random_next(random) >> 11) + 0.5) /
	       9007199254740992.0;
}

/* About normal around the median, with one in 64 in a long tail. */
static int64_t data_duration(struct mkv_random *random, double median_us)
{
	double sum = -6, tail = data_uniform(random);
	for (int i = 0; i < 12; i++)
		sum += data_uniform(random);
	double factor = 1 + 0.12 * sum;
	if (tail < 1.0 / 64)
		factor += 192 * tail * tail * 64;
	return (int64_t)(median_us * 1000 * (factor < 0.3 ? 0.3 : factor));
}

enum { DATA_SERVICES = 4, DATA_BATCH = 176 };
static const char *const data_services[DATA_SERVICES] = {"loadgen", "order",
							 "payment", "user"};
static const char *const data_roles[DATA_SERVICES] = {"loadgen", "order",
						      "order", "order"};

struct data_exporter {
	struct mkv_span spans[DATA_BATCH];
	size_t count;
};

static void data_flush(struct data_run *run, unsigned service,
		       struct data_exporter *exporter)
{
	struct mkv_buf request = {0};
	size_t h = 0;
	while (strcmp(run->hosts[h], data_roles[service]) != 0)
		h++;
	const struct mkv_trace_resource resource = {
		.items = {{"service.name", data_services[service]},
			  {"host.name", run->hosts[h]},
			  {"mkvbench.role", data_roles[service]},
			  {"mkvbench.scenario", run->scenario},
			  {"mkvbench.contract", run->contract},
			  {"mkvbench.boot_id", run->boots[h]}},
		.count = 6};
	if (exporter->count == 0)
		return;
	mkv_otlp_protobuf(&resource, exporter->spans, exporter->count,
			  &request);
	mkv_protobuf_put_varint(&run->traces, request.size);
	mkv_buf_add(&run->traces, request.data, request.size);
	mkv_buf_done(&request);
	run->spans += exporter->count;
	exporter->count = 0;
}

/* A span of the order, in the queue of its service. */
static struct mkv_span *
data_span(struct data_run *run, struct data_exporter *exporters,
	  unsigned service, const char *name, enum mkv_span_kind kind,
	  const uint8_t trace_id[16], const struct mkv_span *parent,
	  int64_t start_ns, double median_us)
{
	struct data_exporter *exporter = &exporters[service];
	if (exporter->count == DATA_BATCH)
		data_flush(run, service, exporter);
	struct mkv_span *span = &exporter->spans[exporter->count++];
	*span = (struct mkv_span){
		.name = name,
		.kind = kind,
		.start_ns = start_ns,
		.duration_ns = data_duration(&run->random, median_us)};
	memcpy(span->context.trace_id, trace_id, 16);
	uint64_t id = mkv_random_next(&run->random) | 1;
	memcpy(span->context.span_id, &id, 8);
	if (parent)
		memcpy(span->parent_id, parent->context.span_id, 8);
	if (kind != MKV_SPAN_INTERNAL)
		span->attributes[span->n_attributes++] =
			(struct mkv_span_attribute){
				.key = "http.response.status_code",
				.number = 200};
	if (kind == MKV_SPAN_SERVER)
		span->attributes[span->n_attributes++] =
			(struct mkv_span_attribute){
				.key = "mkvbench.queue_us",
				.number = (int64_t)(mkv_random_next(
							    &run->random) %
						    40)};
	if (strncmp(name, "Linpack", 7) == 0) {
		struct mkv_span_attribute *a =
			&span->attributes[span->n_attributes++];
		a->key = "linpack.residual";
		a->is_text = true;
		(void)snprintf(a->text, sizeof(a->text), "%.17g",
			       1 + data_uniform(&run->random));
	}
	return span;
}

/* One order's 22 spans; returns its latency. The copies keep ids while queues
 * are flushed. */
static int64_t data_order(struct data_run *run, struct data_exporter *exporters,
			  const uint8_t trace[16], int64_t sent_ns)
{
	static const struct {
		unsigned service;
		const char *name;
		enum mkv_span_kind kind;
		int parent;
		double offset_us, median_us;
	} rows[] = {
		{0, "POST /orders/create/id/{id}", 3, -1, 0, 30000},
		{1, "POST /orders/create/id/{id}", 2, 0, 200, 29700},
		{1, "LargeFileTask.write", 1, 1, 250, 4042},
		{1, "LargeFileTask.read", 1, 1, 4300, 821},
		{1, "SmallFileTask.run", 1, 1, 5200, 6465},
		{1, "GET user", 3, 1, 11700, 4924},
		{1, "GET payment", 3, 1, 16700, 12488},
		{1, "PUT user", 3, 1, 29200, 621},
		{1, "INSERT orders", 3, 1, 29900, 280},
		{3, "GET /users/{id}", 2, 5, 11900, 4700},
		{3, "SELECT users", 3, 9, 12000, 307},
		{3, "LinpackBenchmark1", 1, 9, 12400, 4214},
		{2, "GET /payment/transfer/id/{id}/amount/{amount}", 2, 6,
		 16900, 12300},
		{2, "SleepTask", 1, 12, 17000, 0.1},
		{2, "LinpackBenchmark2", 1, 12, 17001, 11272},
		{2, "PUT user", 3, 12, 28300, 940},
		{3, "PUT /users/{id}", 2, 15, 28400, 800},
		{3, "SELECT users", 3, 16, 28450, 307},
		{3, "UPDATE users", 3, 16, 28800, 245},
		{3, "PUT /users/{id}", 2, 7, 29300, 500},
		{3, "SELECT users", 3, 19, 29350, 207},
		{3, "UPDATE users", 3, 19, 29600, 145},
	};
	struct mkv_span made[sizeof(rows) / sizeof(rows[0])];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		made[i] = *data_span(
			run, exporters, rows[i].service, rows[i].name,
			rows[i].kind, trace,
			rows[i].parent < 0 ? NULL : &made[rows[i].parent],
			sent_ns + (int64_t)(rows[i].offset_us * 1000) +
				(int64_t)(mkv_random_next(&run->random) %
					  60000),
			rows[i].median_us);
	return made[0].duration_ns;
}

static void data_requests(struct data_run *run)
{
	struct data_exporter *exporters =
		calloc(DATA_SERVICES, sizeof(*exporters));
	int64_t step_ns = MKV_NS_PER_S / (int64_t)run->rate;
	if (!exporters)
		abort();
	mkv_buf_str(&run->csv,
		    "request,phase,intended_ns,sent_ns,late_ns,latency_ns,"
		    "service_ns,status,connection,blocked,trace_id,order\n");
	for (uint64_t i = 0; i < run->requests; i++) {
		uint8_t trace[16];
		uint64_t words[2] = {mkv_random_next(&run->random) | 1,
				     mkv_random_next(&run->random)};
		memcpy(trace, words, 16);
		int64_t intended = (int64_t)i * step_ns;
		int64_t late = data_duration(&run->random, 20);
		int64_t sent = run->began_ns + intended + late;
		int64_t service = data_order(run, exporters, trace, sent);
		mkv_buf_printf(&run->csv,
			       "%" PRIu64 ",%s,%" PRId64 ",%" PRId64 ",%" PRId64
			       ",%" PRId64 ",%" PRId64 ",200,%u,0,",
			       i, i < run->warm_up ? "warm-up" : "measured",
			       intended, sent, late, late + service, service,
			       (unsigned)(i % 3));
		for (int j = 0; j < 16; j++)
			mkv_buf_printf(&run->csv, "%02x", trace[j]);
		mkv_buf_printf(&run->csv, ",%" PRIu64 "\n", i + 1);
		run->ended_ns = sent + service;
	}
	for (unsigned i = 0; i < DATA_SERVICES; i++)
		data_flush(run, i, &exporters[i]);
	free(exporters);
}

/* `series` series, most of them counters, sampled every 5 s: what a node
 * exporter and the services give. */
static void data_metrics(struct data_run *run, unsigned series)
{
	struct mkv_buf *out = &run->metrics;
	mkv_buf_str(out, "{\"status\":\"success\",\"data\":{\"resultType\":"
			 "\"matrix\",\"result\":[");
	int64_t first_ms = run->began_ns / 1000000 - 5000;
	int64_t last_ms = run->ended_ns / 1000000 + 5000;
	for (unsigned i = 0; i < series; i++) {
		double value =
			(double)(mkv_random_next(&run->random) % 1000000);
		int64_t offset_ms = (int64_t)(i % 7) * 331;
		mkv_buf_printf(
			out,
			"%s{\"metric\":{\"__name__\":\"node_%s_%u_total\","
			"\"cpu\":\"%u\",\"host\":\"%s\",\"instance\":"
			"\"10.77.0.1:9100\",\"job\":\"node\",\"role\":"
			"\"order\",\"path\":\"a\\\\b\\\"c\"},\"values\":[",
			i ? "," : "", i % 3 ? "cpu_seconds" : "disk_bytes",
			i / 16, i % 16, run->hosts[i % 3]);
		for (int64_t at = first_ms + offset_ms; at <= last_ms;
		     at += 5000) {
			mkv_buf_printf(
				out, "%s[%" PRId64 ".%03" PRId64 ",\"%.10g\"]",
				at == first_ms + offset_ms ? "" : ",",
				at / 1000, at % 1000, value);
			/* Most series of a machine don't change. */
			if (i % 3 == 0)
				value +=
					(double)(mkv_random_next(&run->random) %
						 4096);
		}
		mkv_buf_str(out, "]}");
	}
	mkv_buf_str(out, "]}}");
}
