/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "builder/input/fetch/transfer.h"
#include "lib/clock.h"

static enum mkv_outcome fetch_once(const struct mkv_fetch_options *options,
				   size_t mirror, const char *path,
				   struct mkv_transfer_body *body,
				   struct mkv_error *err)
{
	char message[CURL_ERROR_SIZE], why[CURL_ERROR_SIZE + 64] = "";
	CURL *easy = NULL;
	auto_free char *uri = NULL;
	mkv_buf_done(&body->text);
	if (mkv_transfer_new(options, mirror, path, message, &easy, &uri, err) <
	    0)
		return MKV_OUTCOME_DEAD;
	CURLcode code = mkv_transfer_receive(easy, body);
	if (code == CURLE_OK)
		code = curl_easy_perform(easy);
	enum mkv_outcome outcome =
		mkv_transfer_judge(easy, code, message, why, sizeof(why));
	curl_easy_cleanup(easy);
	if (body->is_too_large) {
		outcome = MKV_OUTCOME_DEAD;
		(void)snprintf(why, sizeof(why),
			       "the response is larger than the limit of %zu "
			       "bytes",
			       body->limit_bytes);
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
	struct mkv_transfer_body body = {.limit_bytes = limit_bytes};
	enum mkv_outcome outcome = MKV_OUTCOME_AGAIN;
	for (unsigned i = 0; i < attempts && outcome == MKV_OUTCOME_AGAIN;
	     i++) {
		if (i > 0) {
			struct timespec pause = mkv_timespec_of_ns(
				(int64_t)wait_ms * MKV_NS_PER_MS);
			(void)nanosleep(&pause, NULL);
			wait_ms *= 2;
		}
		outcome = fetch_once(options, mirror, path, &body, err);
	}
	if (outcome != MKV_OUTCOME_OK) {
		mkv_buf_done(&body.text);
		return -err->code;
	}
	mkv_buf_done(ret);
	*ret = body.text;
	return 0;
}
