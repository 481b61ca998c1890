/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "builder/input/fetch/transfer.h"

struct receiving {
	struct mkv_buf text;
	size_t limit_bytes;
	bool too_large;
};

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct receiving *receiving = context;
	size_t bytes = size * count;
	if (bytes > receiving->limit_bytes - receiving->text.size) {
		receiving->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	mkv_buf_add(&receiving->text, data, bytes);
	return receiving->text.failed ? CURL_WRITEFUNC_ERROR : bytes;
}

static enum mkv_outcome try_once(const struct mkv_fetch_options *options,
				 size_t mirror, const char *path,
				 struct receiving *receiving,
				 struct mkv_error *err)
{
	char message[CURL_ERROR_SIZE], why[CURL_ERROR_SIZE + 64] = "";
	CURL *easy = NULL;
	auto_free char *uri = NULL;
	mkv_buf_done(&receiving->text);
	if (mkv_transfer_new(options, mirror, path, message, &easy, &uri, err) <
	    0)
		return MKV_OUTCOME_DEAD;
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, receiving);
	CURLcode code = curl_easy_perform(easy);
	enum mkv_outcome outcome =
		mkv_transfer_judge(easy, code, message, why, sizeof(why));
	curl_easy_cleanup(easy);
	if (receiving->too_large) {
		outcome = MKV_OUTCOME_DEAD;
		(void)snprintf(why, sizeof(why),
			       "larger than the limit of %zu bytes",
			       receiving->limit_bytes);
	}
	if (outcome != MKV_OUTCOME_OK)
		(void)mkv_fail(err, MKV_FAILED,
			       outcome == MKV_OUTCOME_GONE ? ENOENT : EIO,
			       "%s: %s", uri, why);
	return outcome;
}

int mkv_fetch_small(const struct mkv_fetch_options *options, size_t mirror,
		    const char *path, size_t limit_bytes, struct mkv_buf *ret,
		    struct mkv_error *err)
{
	unsigned attempts = options->attempts ? options->attempts : 4;
	long wait_ms = options->backoff_ms ? (long)options->backoff_ms : 500;
	struct receiving receiving = {.limit_bytes = limit_bytes};
	enum mkv_outcome outcome = MKV_OUTCOME_AGAIN;
	for (unsigned i = 0; i < attempts && outcome == MKV_OUTCOME_AGAIN;
	     i++) {
		if (i > 0) {
			struct timespec pause = {wait_ms / 1000,
						 wait_ms % 1000 * 1000000};
			(void)nanosleep(&pause, NULL);
			wait_ms *= 2;
		}
		outcome = try_once(options, mirror, path, &receiving, err);
	}
	if (outcome != MKV_OUTCOME_OK) {
		mkv_buf_done(&receiving.text);
		return -err->code;
	}
	mkv_buf_done(ret);
	*ret = receiving.text;
	return 0;
}
