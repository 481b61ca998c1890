/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/plain.h"

#include "builder/input/fetch/transfer.h"

struct receiving {
	struct mkv_buf text;
	size_t limit_bytes;
};

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct receiving *receiving = context;
	size_t bytes = size * count;
	if (bytes > receiving->limit_bytes - receiving->text.size)
		return CURL_WRITEFUNC_ERROR;
	mkv_buf_add(&receiving->text, data, bytes);
	return receiving->text.failed ? CURL_WRITEFUNC_ERROR : bytes;
}

static CURLcode set_up(CURL *easy, const char *url, unsigned limit_s,
		       struct receiving *receiving, char *message)
{
	CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, url);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)limit_s);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, receiving);
	return code;
}

int mkv_fetch_plain(const char *url, unsigned limit_s, size_t limit_bytes,
		    struct mkv_buf *ret, struct mkv_error *err)
{
	char message[CURL_ERROR_SIZE] = "";
	struct receiving receiving = {.limit_bytes = limit_bytes};
	int rc = mkv_transfer_global(err);
	if (rc < 0)
		return rc;
	CURL *easy = curl_easy_init();
	if (!easy)
		return mkv_oom(err);
	CURLcode code = set_up(easy, url, limit_s, &receiving, message);
	if (code == CURLE_OK)
		code = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	if (code == CURLE_OK) {
		*ret = receiving.text;
		return 0;
	}
	mkv_buf_done(&receiving.text);
	return mkv_fail(err, MKV_FAILED, EIO, "%s: %s", url,
			*message ? message : curl_easy_strerror(code));
}
