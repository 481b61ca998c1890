/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/loopback.h"

#include "builder/input/fetch/transfer.h"

static CURLcode set_up(CURL *easy, const char *url, unsigned limit_s,
		       struct mkv_transfer_body *body, char *message)
{
	const struct mkv_transfer_option table[] = {
		{CURLOPT_URL, .text = url},
		{CURLOPT_PROTOCOLS_STR, .text = "http"},
		{CURLOPT_PROXY, .text = ""},
		{CURLOPT_ERRORBUFFER, .text = message},
		{CURLOPT_FAILONERROR, .number = 1},
		{CURLOPT_NOSIGNAL, .number = 1},
		{CURLOPT_TIMEOUT, .number = limit_s},
	};
	CURLcode code =
		mkv_transfer_set(easy, table, sizeof(table) / sizeof(table[0]));
	return code == CURLE_OK ? mkv_transfer_receive(easy, body) : code;
}

int mkv_fetch_loopback(const char *url, unsigned limit_s, size_t limit_bytes,
		       struct mkv_buf *ret, struct mkv_error *err)
{
	char message[CURL_ERROR_SIZE] = "";
	struct mkv_transfer_body body = {.limit_bytes = limit_bytes};
	int rc = mkv_transfer_global(err);
	if (rc < 0)
		return rc;
	CURL *easy = curl_easy_init();
	if (!easy)
		return mkv_oom(err);
	CURLcode code = set_up(easy, url, limit_s, &body, message);
	if (code == CURLE_OK)
		code = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	if (code == CURLE_OK) {
		*ret = body.text;
		return 0;
	}
	mkv_buf_done(&body.text);
	return mkv_fail(err, MKV_FAILED, EIO, "%s: %s", url,
			*message ? message : curl_easy_strerror(code));
}
