/* SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "programs/lib/trace_queue.h"

enum { TIMEOUT_MS = 5000, REPLY_MAX = 64 * 1024, WAIT_MAX_S = 60 };

struct state {
	CURL *curl;
	struct curl_slist *headers;
	char *url;
	const struct mkv_trace_resource *resource;
	struct mkv_buf body, reply;
	char error[CURL_ERROR_SIZE];
};

/* Ignores what exceeds the size of any OTLP response. */
static size_t receive_reply(char *data, size_t size, size_t count,
			    void *context)
{
	struct mkv_buf *reply = context;
	if (size * count <= REPLY_MAX - reply->size)
		mkv_buf_add(reply, data, size * count);
	return size * count;
}

static unsigned retry_after_ms(CURL *curl)
{
	curl_off_t seconds = 0;
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
	return (unsigned)(seconds > WAIT_MAX_S ? WAIT_MAX_S : seconds) * 1000;
}

/* OTLP/HTTP, "Failures": status 429, 502, 503, 504 and an unreachable collector
 * are retryable; any other failure is not. */
static int send_request(void *context, const struct mkv_span *spans,
			size_t count, struct mkv_trace_outcome *ret,
			struct mkv_error *err)
{
	struct state *state = context;
	state->body.size = state->reply.size = 0;
	mkv_otlp_protobuf(state->resource, spans, count, &state->body);
	int rc = mkv_buf_check(&state->body, err);
	if (rc < 0)
		return rc;
	curl_easy_setopt(state->curl, CURLOPT_POSTFIELDS, state->body.data);
	curl_easy_setopt(state->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)state->body.size);
	CURLcode code = curl_easy_perform(state->curl);
	if (code != CURLE_OK)
		return mkv_fail(err, MKV_FAILED, EAGAIN, "%s: %s", state->url,
				*state->error ? state->error
					      : curl_easy_strerror(code));
	long status = 0;
	curl_easy_getinfo(state->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300) {
		if (state->reply.size)
			ret->refused = mkv_otlp_rejected(state->reply.data,
							 state->reply.size);
		return 0;
	}
	bool is_retryable = status == 429 || (status >= 502 && status <= 504);
	if (is_retryable)
		ret->wait_ms = retry_after_ms(state->curl);
	return mkv_fail(err, MKV_FAILED, is_retryable ? EAGAIN : EPROTO,
			"%s: status %ld", state->url, status);
}

static void close_request(void *context)
{
	struct state *state = context;
	curl_easy_cleanup(state->curl);
	curl_slist_free_all(state->headers);
	mkv_buf_done(&state->body);
	mkv_buf_done(&state->reply);
	free(state->url);
	free(state);
}

int mkv_trace_http_open(const char *endpoint,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret, struct mkv_error *err)
{
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return mkv_oom(err);
	size_t length = strlen(endpoint);
	while (length && endpoint[length - 1] == '/')
		length--;
	state->resource = resource;
	state->curl = curl_easy_init();
	state->headers =
		curl_slist_append(NULL, "Content-Type: application/x-protobuf");
	if (asprintf(&state->url, "%.*s/v1/traces", (int)length, endpoint) < 0)
		state->url = NULL;
	if (!state->curl || !state->headers || !state->url) {
		close_request(state);
		return mkv_oom(err);
	}
	curl_easy_setopt(state->curl, CURLOPT_URL, state->url);
	curl_easy_setopt(state->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(state->curl, CURLOPT_HTTPHEADER, state->headers);
	/* Ignore http_proxy: the collector is on the experiment's network. */
	curl_easy_setopt(state->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(state->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(state->curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(state->curl, CURLOPT_ERRORBUFFER, state->error);
	curl_easy_setopt(state->curl, CURLOPT_WRITEFUNCTION, receive_reply);
	curl_easy_setopt(state->curl, CURLOPT_WRITEDATA, &state->reply);
	*ret = (struct mkv_trace_exporter){send_request, close_request, state};
	return 0;
}
