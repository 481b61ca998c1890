/* SPDX-License-Identifier: MIT */
/* mkvbench-collector: takes spans by OTLP/HTTP and keeps them.
 *
 *     POST /v1/traces   application/x-protobuf or application/json
 *     GET  /healthz, /metrics
 *
 * A request is answered 200 only when its spans are on the disk: in DATA_DIR
 * (/var/lib/collector) traces.jsonl takes JSON requests, one a line (the OTLP
 * file format), and traces.pb protobuf requests as they came, each behind its
 * length as a varint (the delimited form that protobuf libraries read). */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"
#include "lib/json.h"
#include "services/collector/protobuf.h"
#include "services/lib/service.h"
#include "services/lib/settings.h"

enum { BODY_MAX = 16 * 1024 * 1024 };

static struct collector {
	struct mkv_db *db; /* none; see mkv_service_health() */
	pthread_mutex_t lock;
	int json_fd, protobuf_fd;
	uint64_t requests, spans, bytes;
} collector = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.json_fd = -1,
	.protobuf_fd = -1,
};

static int open_file(const char *folder, const char *name, int *ret,
		     struct mkv_error *err)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	*ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return *ret < 0
		       ? mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path)
		       : 0;
}

static int configure(void *context, struct mkv_error *err)
{
	(void)context;
	const char *folder =
		mkv_settings_text("DATA_DIR", "/var/lib/collector");
	int rc = open_file(folder, "traces.jsonl", &collector.json_fd, err);
	if (rc == 0)
		rc = open_file(folder, "traces.pb", &collector.protobuf_fd,
			       err);
	return rc;
}

/* Appends and syncs; a part that was written before a failure is taken back, so
 * that the file stays readable. */
static int keep(int fd, const struct mkv_buf *record, uint64_t spans,
		struct mkv_error *err)
{
	(void)pthread_mutex_lock(&collector.lock);
	off_t before = lseek(fd, 0, SEEK_END);
	int rc = mkv_write_all(fd, record->data, record->size, err);
	if (rc == 0 && fdatasync(fd) < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "sync: %m");
	if (rc == 0) {
		collector.requests++;
		collector.spans += spans;
		collector.bytes += record->size;
	} else if (before >= 0) {
		(void)!ftruncate(fd, before);
	}
	(void)pthread_mutex_unlock(&collector.lock);
	return rc;
}

static uint64_t count_json(const json_t *document)
{
	uint64_t count = 0;
	size_t i, j;
	json_t *resource, *scope;
	json_array_foreach(json_object_get(document, "resourceSpans"), i,
			   resource)
		json_array_foreach(json_object_get(resource, "scopeSpans"), j,
				   scope) count +=
		json_array_size(json_object_get(scope, "spans"));
	return count;
}

static int keep_json(struct mkv_http_request *request, json_t *document,
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf line = {0};
	int rc = mkv_json_dump_compact(document, &line, err);
	mkv_buf_char(&line, '\n');
	if (rc == 0)
		rc = mkv_buf_check(&line, err);
	(void)request;
	return rc < 0 ? rc
		      : keep(collector.json_fd, &line, count_json(document),
			     err);
}

static int keep_protobuf(const struct mkv_http_request *request, uint64_t spans,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf record = {0};
	mkv_protobuf_varint(&record, request->body_size);
	mkv_buf_add(&record, request->body, request->body_size);
	int rc = mkv_buf_check(&record, err);
	return rc < 0 ? rc : keep(collector.protobuf_fd, &record, spans, err);
}

static void answer(struct mkv_http_request *request, int rc,
		   const struct mkv_error *err)
{
	if (rc < 0)
		mkv_http_error(request, 503, "not-kept", "%s", err->message);
	else
		mkv_http_json(request, 200, json_object());
}

static void take_traces(struct mkv_http_request *request, void *context)
{
	(void)context;
	struct mkv_error err;
	uint64_t spans;
	/* JSON begins with a brace; no protobuf message of ours does: its first
	 * byte is the tag of field 1. */
	if (request->body_size && request->body[0] == '{') {
		json_t *document = mkv_http_body(request);
		if (!document)
			return;
		int rc = keep_json(request, document, &err);
		json_decref(document);
		answer(request, rc, &err);
		return;
	}
	if (mkv_protobuf_count_spans(request->body, request->body_size,
				     &spans) < 0) {
		mkv_http_error(request, 400, "bad-protobuf",
			       "the body is not an ExportTraceServiceRequest");
		return;
	}
	answer(request, keep_protobuf(request, spans, &err), &err);
}

static void print_metrics(struct mkv_buf *into, void *context)
{
	(void)context;
	(void)pthread_mutex_lock(&collector.lock);
	mkv_buf_printf(into,
		       "# HELP mkvbench_collector_spans_total Spans on the disk.\n"
		       "# TYPE mkvbench_collector_spans_total counter\n"
		       "mkvbench_collector_spans_total %llu\n"
		       "# HELP mkvbench_collector_requests_total Requests kept.\n"
		       "# TYPE mkvbench_collector_requests_total counter\n"
		       "mkvbench_collector_requests_total %llu\n"
		       "# HELP mkvbench_collector_bytes_total Bytes written.\n"
		       "# TYPE mkvbench_collector_bytes_total counter\n"
		       "mkvbench_collector_bytes_total %llu\n",
		       (unsigned long long)collector.spans,
		       (unsigned long long)collector.requests,
		       (unsigned long long)collector.bytes);
	(void)pthread_mutex_unlock(&collector.lock);
}

static const struct mkv_http_route routes[] = {
	{"POST", "/v1/traces", take_traces, true},
	{"GET", "/healthz", mkv_service_health, true},
	{0},
};

int main(void)
{
	const struct mkv_service_options options = {
		.name = "collector",
		.port = 4318,
		.body_max = BODY_MAX,
		.routes = routes,
		.configure = configure,
		.metrics = print_metrics,
		.context = &collector,
		.untraced = true,
	};
	int status = mkv_service_main(&options);
	mkv_auto_close_(&collector.json_fd);
	mkv_auto_close_(&collector.protobuf_fd);
	return status;
}
