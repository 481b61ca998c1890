/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/ask.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/clock.h"

enum { CONNECT_MS = 5000, REFUSAL_MAX = 300 };

static atomic_bool cancelled;

void mkv_ask_cancel(void)
{
	atomic_store(&cancelled, true);
}

static int check_cancelled(void *context, curl_off_t total, curl_off_t now,
			   curl_off_t up_total, curl_off_t up_now)
{
	(void)context, (void)total, (void)now, (void)up_total, (void)up_now;
	return atomic_load(&cancelled);
}

MKV_DEFINE_AUTO(curl, CURL *, curl_easy_cleanup)
MKV_DEFINE_AUTO(multi, CURLM *, curl_multi_cleanup)
MKV_DEFINE_AUTO(headers, struct curl_slist *, curl_slist_free_all)

static void set_common(CURL *curl, const char *url)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, check_cancelled);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
}

static size_t receive_reply(char *data, size_t size, size_t count,
			    void *context)
{
	struct mkv_ask *ask = context;
	if (size * count > MKV_ASK_REPLY_MAX - ask->reply.size)
		return 0;
	mkv_buf_add(&ask->reply, data, size * count);
	return ask->reply.failed ? 0 : size * count;
}

static void set_ask(CURL *curl, struct mkv_ask *ask, unsigned timeout_ms,
		    struct curl_slist *headers)
{
	set_common(curl, ask->url);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, ask);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_reply);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, ask);
	if (!ask->body)
		return;
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)ask->body_size);
}

static void take_answers(CURLM *multi)
{
	int left;
	for (CURLMsg *message;
	     (message = curl_multi_info_read(multi, &left));) {
		struct mkv_ask *ask = NULL;
		long status = 0;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  (char **)&ask);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE,
				  &status);
		ask->answered_ns = mkv_monotonic_ns();
		if (message->data.result == CURLE_OK)
			ask->status = (unsigned)status;
		else
			(void)snprintf(
				ask->error, sizeof(ask->error), "%s",
				curl_easy_strerror(message->data.result));
	}
}

static int perform_all(CURLM *multi, struct mkv_error *err)
{
	int running = 0;
	do {
		CURLMcode code = curl_multi_perform(multi, &running);
		if (code == CURLM_OK && running)
			code = curl_multi_poll(multi, NULL, 0, 1000, NULL);
		if (code != CURLM_OK)
			return mkv_fail(err, MKV_FAILED, EIO, "libcurl: %s",
					curl_multi_strerror(code));
		take_answers(multi);
	} while (running);
	return 0;
}

static int add_asks(CURLM *multi, CURL **handles, struct mkv_ask *asks,
		    size_t count, unsigned timeout_ms,
		    struct curl_slist *headers, struct mkv_error *err)
{
	for (size_t i = 0; i < count; i++) {
		mkv_buf_done(&asks[i].reply);
		asks[i].status = 0;
		(void)snprintf(asks[i].error, sizeof(asks[i].error),
			       "no answer");
		handles[i] = curl_easy_init();
		if (!handles[i])
			return mkv_oom(err);
		set_ask(handles[i], &asks[i], timeout_ms, headers);
		asks[i].sent_ns = asks[i].answered_ns = mkv_monotonic_ns();
		if (curl_multi_add_handle(multi, handles[i]) != CURLM_OK)
			return mkv_oom(err);
	}
	return 0;
}

int mkv_ask_all(struct mkv_ask *asks, size_t count, unsigned timeout_ms,
		struct mkv_error *err)
{
	mkv_auto(multi) CURLM *multi = curl_multi_init();
	mkv_auto(headers) struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/json");
	auto_free CURL **handles = calloc(count + 1, sizeof(*handles));
	if (!multi || !headers || !handles)
		return mkv_oom(err);
	int rc =
		add_asks(multi, handles, asks, count, timeout_ms, headers, err);
	if (rc == 0)
		rc = perform_all(multi, err);
	for (size_t i = 0; i < count && handles[i]; i++) {
		(void)curl_multi_remove_handle(multi, handles[i]);
		curl_easy_cleanup(handles[i]);
	}
	return rc;
}

int mkv_ask_json(const char *url, unsigned timeout_ms, json_t **ret,
		 struct mkv_error *err)
{
	struct mkv_ask ask = {.url = url};
	int rc = mkv_ask_all(&ask, 1, timeout_ms, err);
	if (rc == 0 && ask.status != 200)
		rc = mkv_fail(err, MKV_FAILED, EHOSTDOWN, "%s: %u %s", url,
			      ask.status, ask.status ? "" : ask.error);
	if (rc == 0)
		rc = mkv_json_load(ask.reply.data, ask.reply.size, ret, err);
	mkv_ask_done(&ask);
	return rc;
}

void mkv_ask_done(struct mkv_ask *ask)
{
	mkv_buf_done(&ask->reply);
	*ask = (struct mkv_ask){0};
}

struct stream {
	const struct mkv_fetch *fetch;
	CURL *curl;
	struct mkv_buf refusal; /* beginning of an answer that isn't 200 */
	struct mkv_error *err;
	int rc; /* of take */
};

static size_t receive_stream(char *data, size_t size, size_t count,
			     void *context)
{
	struct stream *stream = context;
	long status = 0;
	size *= count;
	curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != (stream->fetch->range ? 206 : 200)) {
		size_t room = REFUSAL_MAX - stream->refusal.size;
		if (room)
			mkv_buf_add(&stream->refusal, data,
				    size < room ? size : room);
		return size;
	}
	stream->rc = stream->fetch->take(stream->fetch->context, data, size,
					 stream->err);
	return stream->rc < 0 ? 0 : size;
}

int mkv_fetch(const struct mkv_fetch *fetch, struct mkv_error *err)
{
	mkv_auto(curl) CURL *curl = curl_easy_init();
	auto_buf struct mkv_buf refusal = {0};
	long status = 0;
	if (!curl)
		return mkv_oom(err);
	struct stream stream = {.fetch = fetch, .curl = curl, .err = err};
	set_common(curl, fetch->url);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)fetch->silence_s);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_stream);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &stream);
	if (fetch->range)
		curl_easy_setopt(curl, CURLOPT_RANGE, fetch->range);
	if (fetch->form)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->form);
	CURLcode code = curl_easy_perform(curl);
	refusal = stream.refusal;
	if (stream.rc < 0)
		return stream.rc;
	if (code != CURLE_OK)
		return mkv_fail(err, MKV_FAILED, EHOSTDOWN, "%s: %s",
				fetch->url, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == (fetch->range ? 206 : 200))
		return 0;
	return mkv_fail(err, MKV_FAILED, EREMOTEIO, "%s: status %ld: %s",
			fetch->url, status, refusal.size ? refusal.data : "");
}
