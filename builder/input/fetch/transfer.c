/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/transfer.h"

#include <pthread.h>
#include <string.h>

enum { CONNECT_S = 20, STALL_S = 30, STALL_BYTES_PER_S = 256, REDIRECTS = 5 };

static CURLcode global_code;

static void global_init(void)
{
	global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int mkv_transfer_global(struct mkv_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, global_init);
	if (global_code != CURLE_OK)
		return mkv_fail(err, MKV_FAILED, EIO, "libcurl: %s",
				curl_easy_strerror(global_code));
	return 0;
}

CURLcode mkv_transfer_set(CURL *easy, const struct mkv_transfer_option *options,
			  size_t n_options)
{
	CURLcode code = CURLE_OK;
	for (size_t i = 0; code == CURLE_OK && i < n_options; i++) {
		const struct mkv_transfer_option *option = &options[i];
		code = option->text ? curl_easy_setopt(easy, option->name,
						       option->text)
				    : curl_easy_setopt(easy, option->name,
						       option->number);
	}
	return code;
}

static CURLcode set_up(CURL *easy, const struct mkv_fetch_options *options,
		       const char *uri, char *message)
{
	long stall_s = options->stall_s ? (long)options->stall_s : STALL_S;
	long connect_s = stall_s < CONNECT_S ? stall_s : CONNECT_S;
	const struct mkv_transfer_option table[] = {
		{CURLOPT_URL, .text = uri},
		{CURLOPT_ERRORBUFFER, .text = message},
		{CURLOPT_PROTOCOLS_STR, .text = "http,https,file"},
		{CURLOPT_REDIR_PROTOCOLS_STR, .text = "http,https"},
		{CURLOPT_FOLLOWLOCATION, .number = 1},
		{CURLOPT_MAXREDIRS, .number = REDIRECTS},
		{CURLOPT_FAILONERROR, .number = 1},
		{CURLOPT_NOSIGNAL, .number = 1},
		{CURLOPT_USERAGENT, .text = "mkvbench/" MKV_VERSION},
		{CURLOPT_CONNECTTIMEOUT, .number = connect_s},
		{CURLOPT_LOW_SPEED_TIME, .number = stall_s},
		{CURLOPT_LOW_SPEED_LIMIT, .number = STALL_BYTES_PER_S},
	};
	CURLcode code =
		mkv_transfer_set(easy, table, sizeof(table) / sizeof(table[0]));
	const char *proxy = mkv_mirrors_proxy(options->mirrors, uri);
	return code == CURLE_OK && proxy
		       ? curl_easy_setopt(easy, CURLOPT_PROXY, proxy)
		       : code;
}

int mkv_transfer_new(const struct mkv_fetch_options *options, size_t mirror,
		     const char *path, char *message, CURL **ret,
		     char **ret_uri, struct mkv_error *err)
{
	int rc = mkv_transfer_global(err);
	if (rc < 0)
		return rc;
	auto_free char *uri = NULL;
	if (asprintf(&uri, "%s/%s", options->mirrors->items[mirror].uri, path) <
	    0)
		return mkv_oom(err);
	CURL *easy = curl_easy_init();
	if (!easy)
		return mkv_oom(err);
	message[0] = '\0';
	CURLcode code = set_up(easy, options, uri, message);
	if (code != CURLE_OK) {
		curl_easy_cleanup(easy);
		return mkv_fail(err, MKV_FAILED, EIO, "libcurl: '%s': %s", uri,
				curl_easy_strerror(code));
	}
	*ret = easy;
	*ret_uri = mkv_take(uri);
	return 0;
}

static size_t receive_data(char *data, size_t size, size_t count, void *context)
{
	struct mkv_transfer_body *body = context;
	size_t bytes = size * count;
	if (bytes > body->limit_bytes - body->text.size) {
		body->is_too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	mkv_buf_add(&body->text, data, bytes);
	return body->text.failed ? CURL_WRITEFUNC_ERROR : bytes;
}

CURLcode mkv_transfer_receive(CURL *easy, struct mkv_transfer_body *body)
{
	CURLcode code =
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_data);
	return code == CURLE_OK
		       ? curl_easy_setopt(easy, CURLOPT_WRITEDATA, body)
		       : code;
}

static enum mkv_outcome judge_status(long status)
{
	bool again = status == 408 || status == 429 || status >= 500;
	return again ? MKV_OUTCOME_AGAIN : MKV_OUTCOME_GONE;
}

enum mkv_outcome mkv_transfer_judge(CURL *easy, CURLcode code,
				    const char *message, char *why, size_t size)
{
	long status = 0;
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	switch (code) {
	case CURLE_OK:
		return MKV_OUTCOME_OK;
	case CURLE_HTTP_RETURNED_ERROR:
		(void)snprintf(why, size, "HTTP status %ld", status);
		return judge_status(status);
	case CURLE_FILE_COULDNT_READ_FILE:
		(void)snprintf(why, size, "no such file");
		return MKV_OUTCOME_GONE;
	case CURLE_PARTIAL_FILE:
		(void)snprintf(why, size, "the response ended early");
		return MKV_OUTCOME_AGAIN;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)snprintf(why, size, "%s",
			       message[0] ? message : curl_easy_strerror(code));
		return MKV_OUTCOME_DEAD;
	default:
		(void)snprintf(why, size, "%s",
			       message[0] ? message : curl_easy_strerror(code));
		return MKV_OUTCOME_AGAIN;
	}
}
