/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/request.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "programs/campaign/loadgen/headers.h"
#include "programs/lib/trace.h"

enum { REPLY_MAX = 64 * 1024 }; /* what follows is received and ignored */

struct mkv_load_request {
	const struct mkv_load_options *options;
	CURL *curl;
	struct curl_slist *headers;
	struct mkv_buf url, body, reply;
	struct mkv_span span;
	char error[CURL_ERROR_SIZE];
};

static int check_method(const char *method, struct mkv_error *err)
{
	size_t size = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	if (size == 0 || size > 20 || method[size])
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_METHOD is '%.100s', not a method "
				"such as GET",
				method);
	return 0;
}

static int check_url(const struct mkv_load_options *options,
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf url = {0};
	mkv_buf_str(&url, options->url);
	mkv_template_print(options->path, &options->fields, 0, &url);
	int rc = mkv_buf_check(&url, err);
	if (rc < 0)
		return rc;
	CURLU *parsed = curl_url();
	if (!parsed)
		return mkv_oom(err);
	CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url.data, 0);
	curl_url_cleanup(parsed);
	if (code != CURLUE_OK || options->path[0] != '/' ||
	    strncmp(options->url, "http", 4) != 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%.200s' is not the URL of a request: it "
				"begins with MKVBENCH_URL, 'http://HOST:PORT', "
				"and MKVBENCH_PATH, '/...'",
				url.data);
	return 0;
}

int mkv_load_request_check(const struct mkv_load_options *options,
			   struct mkv_error *err)
{
	const struct {
		const char *name, *text;
	} templates[] = {
		{"PATH", options->path},
		{"BODY", options->body ? options->body : ""},
		{"HEADERS", options->headers},
	};
	int rc = check_method(options->method, err);
	for (size_t i = 0;
	     rc == 0 && i < sizeof(templates) / sizeof(*templates); i++) {
		rc = mkv_template_check(templates[i].text, &options->fields,
					err);
		if (rc < 0)
			return mkv_wrap(err, rc, "MKVBENCH_%s",
					templates[i].name);
	}
	if (rc == 0)
		rc = check_url(options, err);
	if (rc < 0)
		return rc;
	auto_headers struct curl_slist *headers = NULL;
	return mkv_load_headers(options, 0, &headers, err);
}

static size_t receive_reply(char *data, size_t size, size_t count,
			    void *context)
{
	struct mkv_buf *reply = context;
	size_t room = REPLY_MAX - reply->size, bytes = size * count;
	mkv_buf_add(reply, data, bytes < room ? bytes : room);
	return reply->failed ? 0 : bytes;
}

static void set_options(struct mkv_load_request *request)
{
	const struct mkv_load_options *options = request->options;
	CURL *curl = request->curl;
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	/* http_proxy is ignored: the hosts share a network. */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* Otherwise the cleanup waits for the resolver thread. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_reply);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &request->reply);
	if (strcmp(options->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, options->method);
}

int mkv_load_request_new(const struct mkv_load_options *options,
			 struct mkv_load_request **ret, struct mkv_error *err)
{
	struct mkv_load_request *request = calloc(1, sizeof(*request));
	if (!request)
		return mkv_oom(err);
	request->options = options;
	request->curl = curl_easy_init();
	if (!request->curl) {
		mkv_load_request_free(request);
		return mkv_oom(err);
	}
	set_options(request);
	*ret = request;
	return 0;
}

void mkv_load_request_free(struct mkv_load_request *request)
{
	if (!request)
		return;
	if (request->curl)
		curl_easy_cleanup(request->curl);
	curl_slist_free_all(request->headers);
	mkv_buf_done(&request->url);
	mkv_buf_done(&request->body);
	mkv_buf_done(&request->reply);
	free(request);
}

static int prepare_headers(struct mkv_load_request *request, size_t number,
			   struct mkv_error *err)
{
	char parent[56], header[80];
	curl_slist_free_all(request->headers);
	request->headers = NULL;
	int rc = mkv_load_headers(request->options, number, &request->headers,
				  err);
	if (rc < 0)
		return rc;
	mkv_traceparent_print(&request->span.context, parent);
	(void)snprintf(header, sizeof(header), "traceparent: %s", parent);
	return mkv_load_add_header(&request->headers, header, err);
}

static int prepare_texts(struct mkv_load_request *request, size_t number,
			 struct mkv_error *err)
{
	const struct mkv_load_options *options = request->options;
	request->url.size = request->body.size = request->reply.size = 0;
	mkv_buf_str(&request->url, options->url);
	mkv_template_print(options->path, &options->fields, number,
			   &request->url);
	mkv_buf_str(&request->body, "");
	if (options->body)
		mkv_template_print(options->body, &options->fields, number,
				   &request->body);
	int rc = mkv_buf_check(&request->url, err);
	return rc < 0 ? rc : mkv_buf_check(&request->body, err);
}

int mkv_load_request_prepare(struct mkv_load_request *request, size_t number,
			     struct mkv_error *err)
{
	mkv_span_begin(&request->span, request->options->span, MKV_SPAN_CLIENT,
		       NULL);
	int rc = prepare_texts(request, number, err);
	if (rc < 0)
		return rc;
	rc = prepare_headers(request, number, err);
	if (rc < 0)
		return rc;
	curl_easy_setopt(request->curl, CURLOPT_URL, request->url.data);
	curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, request->headers);
	if (request->options->body) {
		curl_easy_setopt(request->curl, CURLOPT_POSTFIELDS,
				 request->body.data);
		curl_easy_setopt(request->curl, CURLOPT_POSTFIELDSIZE,
				 (long)request->body.size);
	}
	request->error[0] = '\0';
	return 0;
}

/* The id of the order in an answer: results are compared with the database. */
static int64_t read_order(const struct mkv_buf *reply)
{
	struct mkv_error ignored;
	auto_json json_t *order = NULL;
	if (!reply->size || reply->data[0] != '{' ||
	    mkv_json_load(reply->data, reply->size, &order, &ignored) < 0)
		return 0;
	return json_integer_value(json_object_get(order, "id"));
}

static int judge_answer(const struct mkv_load_request *request, CURLcode code,
			struct mkv_load_sample *sample, struct mkv_error *err)
{
	if (code != CURLE_OK)
		return mkv_fail(err, MKV_FAILED, EHOSTDOWN, "%s: %s",
				request->options->url,
				*request->error ? request->error
						: curl_easy_strerror(code));
	if (sample->status == (unsigned)request->options->status) {
		sample->order = read_order(&request->reply);
		return 0;
	}
	return mkv_fail(err, MKV_FAILED, EBADE, "status %u: %.300s",
			sample->status,
			request->reply.size ? request->reply.data : "");
}

int mkv_load_request_send(struct mkv_load_request *request, int64_t due_ns,
			  struct mkv_load_sample *sample, struct mkv_error *err)
{
	struct mkv_span *span = &request->span;
	long status = 0;
	span->start_ns = mkv_realtime_ns();
	span->started_ns = mkv_monotonic_ns();
	CURLcode code = curl_easy_perform(request->curl);
	sample->latency_ns = mkv_monotonic_ns() - due_ns;
	if (code == CURLE_OK)
		curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE,
				  &status);
	sample->sent_ns = span->start_ns;
	sample->late_ns = span->started_ns - due_ns;
	sample->status = (unsigned)status;
	sample->order = 0;
	memcpy(sample->trace_id, span->context.trace_id,
	       sizeof(sample->trace_id));
	if (code == CURLE_OK)
		mkv_span_number(span, "http.response.status_code", status);
	span->is_error = code != CURLE_OK || status >= 500;
	mkv_span_end(span);
	return judge_answer(request, code, sample, err);
}
