/* SPDX-License-Identifier: MIT */
/* mkvbench-collector: receives spans by OTLP/HTTP and stores them.
 *
 *     POST /v1/traces   application/x-protobuf or application/json, optionally
 *                       with Content-Encoding: gzip
 *     GET  /traces.jsonl, /traces.pb: the current files of stored requests
 *     GET  /traces.jsonl/{n}, /traces.pb/{n}: the nth rotated file
 *     GET  /v1/position: where the next records will be, from which a reader
 *                       finds those of a certain time
 *     GET  /healthz, /metrics
 *
 * A request is answered 200 only when its spans are on the disk. In DATA_DIR
 * (/var/lib/collector), traces.jsonl has JSON requests, one per line (the OTLP
 * file format), and traces.pb has protobuf requests unmodified, each prefixed
 * with its length as a varint (the delimited form that protobuf libraries
 * read). A request that is not valid OTLP is answered 400; a request without
 * spans is accepted and not stored; a request that can't be stored now is
 * answered 503, which senders repeat. A file of FILE_SIZE is rotated to
 * traces.1.pb and so on. SIGHUP rotates both files, unless they are empty, so
 * that spans of a run begin in a file of their own:
 * mkvbench_collector_first_file{format="pb"} is the number of the first file
 * since then, once mkvbench_collector_rotations_total has counted the signal.
 */

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "lib/json.h"
#include "lib/otlp.h"
#include "programs/campaign/collector/keep.h"
#include "programs/campaign/collector/otlp.h"
#include "programs/campaign/collector/record.h"
#include "programs/campaign/collector/unzip.h"
#include "programs/lib/log.h"
#include "programs/lib/service.h"

enum {
	BODY_MAX = 16 * 1024 * 1024,
	JSON_MAX = 4 * 1024 *
		   1024, /* parsing needs up to 80 times as much memory */
	BODIES_MAX = 64 * 1024 * 1024,
};
/* google.rpc.Code */
enum { INVALID_ARGUMENT = 3, UNAVAILABLE = 14 };

static struct {
	const char *directory;
	int64_t file_bytes, spare_bytes;
	pthread_mutex_t lock;
	pthread_mutex_t json_lock; /* one document at a time */
	struct mkv_keep *json, *protobuf;
	/* Atomic, since /metrics is answered on the thread of all connections,
	 * which must not wait for `lock`: it is held during disk writes. */
	atomic_ullong requests, spans, bytes, refused, not_kept, rotations;
	atomic_uint first_json, first_protobuf;
	atomic_bool is_failing;
} collector = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.json_lock = PTHREAD_MUTEX_INITIALIZER,
};

static int open_files(const struct mkv_keep_options *common,
		      struct mkv_error *err)
{
	const struct {
		const char *suffix;
		size_t (*record)(const char *data, size_t size);
		struct mkv_keep **into;
	} rows[] = {
		{"jsonl", mkv_record_line, &collector.json},
		{"pb", mkv_record_delimited, &collector.protobuf},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_keep_options options = *common;
		uint64_t cut;
		options.suffix = rows[i].suffix;
		options.record = rows[i].record;
		int rc = mkv_keep_open(&options, rows[i].into, &cut, err);
		if (rc < 0)
			return rc;
		if (cut)
			mkv_log_error("traces.%s: removed %llu bytes of an "
				      "incomplete record at its end",
				      rows[i].suffix, (unsigned long long)cut);
	}
	return 0;
}

static int configure(void *context, struct mkv_error *err)
{
	(void)context;
	const struct mkv_keep_options options = {
		.directory = collector.directory,
		.name = "traces",
		.file_bytes = (uint64_t)collector.file_bytes,
		.spare_bytes = (uint64_t)collector.spare_bytes,
	};
	return open_files(&options, err);
}

/* Removes all stored spans, before a run of a campaign: their files are not
 * removed otherwise. */
static int clean_up(void *context, struct mkv_error *err)
{
	static const char *const suffixes[] = {"jsonl", "pb"};
	(void)context;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		const struct mkv_keep_options options = {
			.directory = collector.directory,
			.name = "traces",
			.suffix = suffixes[i],
		};
		int rc = mkv_keep_clean_up(&options, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int store_record(struct mkv_keep *file, const struct mkv_buf *record,
			uint64_t spans, struct mkv_error *err)
{
	(void)pthread_mutex_lock(&collector.lock);
	int rc = mkv_keep_add(file, record, err);
	bool was_failing = atomic_exchange(&collector.is_failing, rc < 0);
	(void)pthread_mutex_unlock(&collector.lock);
	if (rc < 0) {
		if (!was_failing)
			mkv_log_error("store spans: %s", err->message);
		atomic_fetch_add(&collector.not_kept, 1);
		return rc;
	}
	atomic_fetch_add(&collector.requests, 1);
	atomic_fetch_add(&collector.spans, spans);
	atomic_fetch_add(&collector.bytes, record->size);
	return 0;
}

/* Answers a google.rpc.Status in the encoding of the request. */
static void refuse_request(struct mkv_http_request *request, unsigned status,
			   bool is_json, const char *message)
{
	unsigned code = status >= 500 ? UNAVAILABLE : INVALID_ARGUMENT;
	if (status < 500)
		atomic_fetch_add(&collector.refused, 1);
	if (is_json) {
		mkv_http_json(request, status,
			      json_pack("{sIss}", "code", (json_int_t)code,
					"message", message));
		return;
	}
	request->status = status;
	request->content_type = "application/x-protobuf";
	mkv_record_status(&request->reply, code, message);
}

static int parse_json(const struct mkv_buf *body, uint64_t *ret_spans,
		      struct mkv_buf *line, struct mkv_error *err)
{
	auto_json json_t *document = NULL;
	int rc = mkv_json_load(body->data, body->size, &document, err);
	if (rc < 0)
		return rc;
	rc = mkv_otlp_check_json(document, ret_spans, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_dump_compact(document, line, err);
	mkv_buf_char(line, '\n');
	return rc;
}

/* Validates a body and appends the record to store. */
static int validate_body(const struct mkv_buf *body, bool is_json,
			 uint64_t *ret_spans, struct mkv_buf *record,
			 struct mkv_error *err)
{
	int rc;
	if (is_json) {
		(void)pthread_mutex_lock(&collector.json_lock);
		rc = parse_json(body, ret_spans, record, err);
		/* Returns the memory of a large document to the system. */
		if (body->size > JSON_MAX / 16)
			(void)malloc_trim(0);
		(void)pthread_mutex_unlock(&collector.json_lock);
	} else {
		rc = mkv_otlp_check_protobuf(body->data ? body->data : "",
					     body->size, ret_spans, err);
		mkv_record_put(record, body->data, body->size);
	}
	return rc < 0 ? rc : mkv_buf_check(record, err);
}

static int decode_body(const struct mkv_http_request *request,
		       size_t limit_bytes, struct mkv_buf *into,
		       struct mkv_error *err)
{
	if (strcasecmp(request->body_encoding, "gzip") == 0)
		return mkv_unzip(request->body, request->body_size, limit_bytes,
				 into, err);
	if (request->body_size > limit_bytes)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"the body is larger than %zu bytes",
				limit_bytes);
	mkv_buf_add(into, request->body, request->body_size);
	return mkv_buf_check(into, err);
}

static bool is_type(const char *header, const char *type)
{
	size_t length = strcspn(header, "; \t");
	return length == strlen(type) && strncasecmp(header, type, length) == 0;
}

static int decode_and_validate(const struct mkv_http_request *request,
			       bool is_json, uint64_t *ret_spans,
			       struct mkv_buf *record, struct mkv_error *err)
{
	auto_buf struct mkv_buf body = {0};
	int rc =
		decode_body(request, is_json ? JSON_MAX : BODY_MAX, &body, err);
	return rc < 0 ? rc
		      : validate_body(&body, is_json, ret_spans, record, err);
}

static void receive_traces(struct mkv_http_request *request, void *context)
{
	auto_buf struct mkv_buf record = {0};
	struct mkv_error err;
	uint64_t spans = 0;
	(void)context;
	bool is_json = is_type(request->body_type, "application/json");
	if (!is_json &&
	    !is_type(request->body_type, "application/x-protobuf")) {
		refuse_request(
			request, 415, true,
			"the Content-Type is neither application/x-protobuf nor "
			"application/json");
		return;
	}
	if (*request->body_encoding &&
	    strcasecmp(request->body_encoding, "gzip") != 0 &&
	    strcasecmp(request->body_encoding, "identity") != 0) {
		refuse_request(request, 415, is_json,
			       "the Content-Encoding is not gzip");
		return;
	}
	int rc = decode_and_validate(request, is_json, &spans, &record, &err);
	if (rc < 0) {
		refuse_request(request,
			       rc == -ENOMEM  ? 503
			       : rc == -EFBIG ? 413
					      : 400,
			       is_json, err.message);
		return;
	}
	if (spans && store_record(is_json ? collector.json : collector.protobuf,
				  &record, spans, &err) < 0) {
		refuse_request(request, 503, is_json, err.message);
	} else if (is_json) {
		mkv_http_json(request, 200, json_object());
	} else { /* an ExportTraceServiceResponse without fields is empty */
		request->status = 200;
		request->content_type = "application/x-protobuf";
	}
}

/* Unhealthy when the last request could not be stored. */
static void answer_health(struct mkv_http_request *request, void *context)
{
	(void)context;
	if (atomic_load(&collector.is_failing))
		mkv_http_error(request, 503, "not-kept",
			       "the last request could not be stored");
	else
		mkv_http_json(request, 200, json_pack("{ss}", "status", "ok"));
}

/* Answers the current file, or the rotated one with the number in the path. */
static void send_file(struct mkv_http_request *request, struct mkv_keep *file,
		      const char *content_type)
{
	struct mkv_error err;
	(void)pthread_mutex_lock(&collector.lock);
	int rc = mkv_keep_read(file, request->parameters[0], &request->file_fd,
			       &request->file_size, &err);
	(void)pthread_mutex_unlock(&collector.lock);
	if (rc < 0) {
		mkv_http_error(request, rc == -ENOENT ? 404 : 500, "not-there",
			       "%s", err.message);
		return;
	}
	request->status = 200;
	request->content_type = content_type;
}

static void send_json_file(struct mkv_http_request *request, void *context)
{
	(void)context;
	send_file(request, collector.json, "application/jsonl");
}

static void send_protobuf_file(struct mkv_http_request *request, void *context)
{
	(void)context;
	send_file(request, collector.protobuf, "application/x-protobuf");
}

static json_t *pack_position(const struct mkv_keep *file)
{
	unsigned number;
	uint64_t bytes;
	mkv_keep_position(file, &number, &bytes);
	return json_pack("{sIsI}", "file", (json_int_t)number, "bytes",
			 (json_int_t)bytes);
}

static void answer_position(struct mkv_http_request *request, void *context)
{
	(void)context;
	(void)pthread_mutex_lock(&collector.lock);
	json_t *jsonl = pack_position(collector.json);
	json_t *pb = pack_position(collector.protobuf);
	(void)pthread_mutex_unlock(&collector.lock);
	mkv_http_json(request, 200,
		      json_pack("{soso}", "jsonl", jsonl, "pb", pb));
}

static int rotate_files(struct mkv_error *err)
{
	unsigned json, protobuf;
	int rc = mkv_keep_rotate(collector.json, &json, err);
	if (rc < 0)
		return rc;
	rc = mkv_keep_rotate(collector.protobuf, &protobuf, err);
	if (rc < 0)
		return rc;
	atomic_store(&collector.first_json, json);
	atomic_store(&collector.first_protobuf, protobuf);
	atomic_fetch_add(&collector.rotations, 1);
	return 0;
}

static void hang_up(void *context)
{
	(void)context;
	struct mkv_error err;
	(void)pthread_mutex_lock(&collector.lock);
	int rc = rotate_files(&err);
	(void)pthread_mutex_unlock(&collector.lock);
	if (rc < 0)
		mkv_log_error("rotate the files: %s", err.message);
	else
		mkv_log_info("rotated the files: SIGHUP");
}

static void print_metrics(struct mkv_buf *into, void *context)
{
	(void)context;
	static const struct {
		const char *name, *help;
		atomic_ullong *value;
	} rows[] = {
		{"spans", "Spans on the disk.", &collector.spans},
		{"requests", "Requests stored.", &collector.requests},
		{"bytes", "Bytes written.", &collector.bytes},
		{"refused", "Requests that are not valid OTLP.",
		 &collector.refused},
		{"not_kept", "Requests that could not be stored.",
		 &collector.not_kept},
		{"rotations", "Rotations of the files by SIGHUP.",
		 &collector.rotations},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		mkv_buf_printf(into,
			       "# HELP mkvbench_collector_%s_total %s\n"
			       "# TYPE mkvbench_collector_%s_total counter\n"
			       "mkvbench_collector_%s_total %llu\n",
			       rows[i].name, rows[i].help, rows[i].name,
			       rows[i].name, atomic_load(rows[i].value));
	/* After the counter of rotations: a count that is read has its numbers.
	 */
	mkv_buf_printf(into,
		       "# HELP mkvbench_collector_first_file Number of the "
		       "first file since the last rotation by SIGHUP.\n"
		       "# TYPE mkvbench_collector_first_file gauge\n"
		       "mkvbench_collector_first_file{format=\"jsonl\"} %u\n"
		       "mkvbench_collector_first_file{format=\"pb\"} %u\n",
		       atomic_load(&collector.first_json),
		       atomic_load(&collector.first_protobuf));
}

static const struct mkv_http_route routes[] = {
	{"POST", "/v1/traces", receive_traces, true},
	{"GET", "/traces.jsonl", send_json_file, true},
	{"GET", "/traces.pb", send_protobuf_file, true},
	{"GET", "/traces.jsonl/{n}", send_json_file, true},
	{"GET", "/traces.pb/{n}", send_protobuf_file, true},
	{"GET", "/v1/position", answer_position, true},
	{"GET", "/healthz", answer_health, true},
	{0},
};

static const struct mkv_service_setting own_settings[] = {
	{"DATA_DIR", MKV_SETTING_TEXT, "/var/lib/collector", .max = 4000,
	 .doc = "directory of stored spans", .text = &collector.directory},
	{"FILE_SIZE", MKV_SETTING_SIZE, "256MiB", 0, INT64_C(1) << 40,
	 .doc = "size at which a file is rotated",
	 .number = &collector.file_bytes},
	{"SPARE", MKV_SETTING_SIZE, "64MiB", 0, INT64_C(1) << 40,
	 .doc = "free space to keep on the disk of DATA_DIR",
	 .number = &collector.spare_bytes},
	{0},
};
static const struct mkv_service_setting *const settings[] = {own_settings,
							     NULL};

int main(int argc, char **argv)
{
	const struct mkv_service_options options = {
		.name = "collector",
		.port = "4318",
		.body_max = BODY_MAX,
		.bodies_max = BODIES_MAX,
		.routes = routes,
		.settings = settings,
		.configure = configure,
		.metrics = print_metrics,
		.hang_up = hang_up,
		.clean_up = clean_up,
		.cleans_unconfigured = true, /* it would lock the files */
		.untraced = true,
	};
	int status = mkv_service_main(&options, argc, argv);
	mkv_keep_close(collector.json);
	mkv_keep_close(collector.protobuf);
	return status;
}
