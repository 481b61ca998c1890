/* SPDX-License-Identifier: MIT */
#include "programs/lib/peer.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "programs/lib/settings.h"

enum { HANDLES_MAX = 256, REPLY_MAX = 1024 * 1024 };

int64_t mkv_peer_timeout_ms = 3000;

struct mkv_peer {
	char *url;
	pthread_mutex_t lock;
	CURL *idle[HANDLES_MAX]; /* each keeps its connection */
	size_t n_idle;
};

int mkv_peer_find_url(const char *role, char **ret, struct mkv_error *err)
{
	char upper[32], name[64];
	size_t i = 0;
	for (; role[i] && i < sizeof(upper) - 1; i++)
		upper[i] = (char)toupper((unsigned char)role[i]);
	upper[i] = '\0';
	(void)snprintf(name, sizeof(name), "%s_URL", upper);
	const char *url = mkv_settings_text(name, NULL);
	(void)snprintf(name, sizeof(name), "ADDRESS_%s", upper);
	const char *address = mkv_settings_text(name, "127.0.0.1");
	int length =
		url ? asprintf(ret, "%s", url)
		    : asprintf(ret, "http://%s:%u", address,
			       strcmp(role, "collector") == 0 ? 4318U : 8080U);
	if (length < 0) {
		*ret = NULL;
		return mkv_oom(err);
	}
	while (length > 0 && (*ret)[length - 1] == '/')
		(*ret)[--length] = '\0';
	return 0;
}

int mkv_peer_new(const char *role, struct mkv_peer **ret, struct mkv_error *err)
{
	struct mkv_peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return mkv_oom(err);
	(void)pthread_mutex_init(&peer->lock, NULL);
	int rc = mkv_peer_find_url(role, &peer->url, err);
	if (rc < 0) {
		mkv_peer_free(peer);
		return rc;
	}
	*ret = peer;
	return 0;
}

void mkv_peer_free(struct mkv_peer *peer)
{
	if (!peer)
		return;
	for (size_t i = 0; i < peer->n_idle; i++)
		curl_easy_cleanup(peer->idle[i]);
	(void)pthread_mutex_destroy(&peer->lock);
	free(peer->url);
	free(peer);
}

static CURL *take_handle(struct mkv_peer *peer)
{
	CURL *curl = NULL;
	(void)pthread_mutex_lock(&peer->lock);
	if (peer->n_idle)
		curl = peer->idle[--peer->n_idle];
	(void)pthread_mutex_unlock(&peer->lock);
	return curl ? curl : curl_easy_init();
}

static void return_handle(struct mkv_peer *peer, CURL *curl)
{
	(void)pthread_mutex_lock(&peer->lock);
	bool fits = peer->n_idle < HANDLES_MAX;
	if (fits)
		peer->idle[peer->n_idle++] = curl;
	(void)pthread_mutex_unlock(&peer->lock);
	if (!fits)
		curl_easy_cleanup(curl);
}

static size_t receive_reply(char *data, size_t size, size_t count,
			    void *context)
{
	struct mkv_buf *reply = context;
	if (size * count > REPLY_MAX - reply->size)
		return 0;
	mkv_buf_add(reply, data, size * count);
	return reply->failed ? 0 : size * count;
}

MKV_DEFINE_AUTO(headers, struct curl_slist *, curl_slist_free_all)
#define auto_headers mkv_auto(headers)

static int add_header(struct curl_slist **list, const char *header,
		      struct mkv_error *err)
{
	struct curl_slist *longer = curl_slist_append(*list, header);
	if (!longer)
		return mkv_oom(err);
	*list = longer;
	return 0;
}

/* `span` NULL: no trace context is sent. */
static int write_headers(const struct mkv_span *span,
			 const struct mkv_tracestate *state,
			 struct curl_slist **ret, struct mkv_error *err)
{
	char parent[56], header[sizeof(state->text) + 16];
	int rc = add_header(ret, "Content-Type: application/json", err);
	if (rc < 0 || !span)
		return rc;
	mkv_traceparent_print(&span->context, parent);
	(void)snprintf(header, sizeof(header), "traceparent: %s", parent);
	rc = add_header(ret, header, err);
	if (rc < 0 || !state || !state->text[0])
		return rc;
	(void)snprintf(header, sizeof(header), "tracestate: %s", state->text);
	return add_header(ret, header, err);
}

static CURLcode perform_request(CURL *curl, const struct mkv_peer_call *call,
				const char *url, struct curl_slist *headers,
				struct mkv_buf *reply,
				char error[static CURL_ERROR_SIZE])
{
	curl_easy_reset(curl); /* keeps the connection */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	/* http_proxy is ignored: the services share a network. */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* Otherwise the cleanup waits for the resolver thread, and exceeds the
	 * time limit. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)mkv_peer_timeout_ms);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_reply);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	if (call->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
				 (long)strlen(call->body));
	}
	return curl_easy_perform(curl);
}

static int request_reply(struct mkv_peer *peer, CURL *curl,
			 const struct mkv_peer_call *call,
			 const struct mkv_span *span, unsigned *ret_status,
			 struct mkv_buf *reply, struct mkv_error *err)
{
	char error[CURL_ERROR_SIZE] = "";
	auto_buf struct mkv_buf url = {0};
	auto_headers struct curl_slist *headers = NULL;
	mkv_buf_printf(&url, "%s%s", peer->url, call->path);
	int rc = write_headers(span, call->tracestate, &headers, err);
	if (rc < 0)
		return rc;
	rc = mkv_buf_check(&url, err);
	if (rc < 0)
		return rc;
	CURLcode code =
		perform_request(curl, call, url.data, headers, reply, error);
	if (code != CURLE_OK)
		return mkv_fail(err, MKV_FAILED, EHOSTDOWN, "%s: %s", peer->url,
				*error ? error : curl_easy_strerror(code));
	long status = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (unsigned)status;
	return 0;
}

int mkv_peer_ask(struct mkv_peer *peer, const struct mkv_peer_call *call,
		 unsigned *ret_status, struct mkv_buf *reply,
		 struct mkv_error *err)
{
	auto_buf struct mkv_buf unread = {0};
	struct mkv_span span;
	if (call->span)
		mkv_span_begin(&span, call->span, MKV_SPAN_CLIENT,
			       call->parent);
	CURL *curl = take_handle(peer);
	int rc = curl ? request_reply(peer, curl, call,
				      call->span ? &span : NULL, ret_status,
				      reply ? reply : &unread, err)
		      : mkv_oom(err);
	if (curl)
		return_handle(peer, curl);
	if (!call->span)
		return rc;
	if (rc == 0)
		mkv_span_number(&span, "http.response.status_code",
				*ret_status);
	span.is_error = rc < 0 || *ret_status >= 500;
	mkv_span_end(&span);
	return rc;
}
