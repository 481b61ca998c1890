/* SPDX-License-Identifier: MIT */
#pragma once
/* One request by libcurl: how it is set up and how its end is judged. */

#include <curl/curl.h>

#include "builder/input/fetch/fetch.h"
#include "lib/buf.h"

enum mkv_outcome {
	MKV_OUTCOME_OK,
	MKV_OUTCOME_GONE,  /* the mirror answers, but hasn't got it */
	MKV_OUTCOME_AGAIN, /* may go better next time */
	MKV_OUTCOME_DEAD,  /* the mirror can't be reached */
};

/* Once per process; 0, or an error. */
int mkv_transfer_global(struct mkv_error *err) mkv_must_check mkv_nonnull(1);

/* A handle for MIRROR/PATH; `ret_uri` is its owned URI. `message` (of
 * CURL_ERROR_SIZE) takes libcurl's own words. */
int mkv_transfer_new(const struct mkv_fetch_options *options, size_t mirror,
		     const char *path, char *message, CURL **ret,
		     char **ret_uri, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6, 7);

/* What the end of a transfer means; `why` says it in words unless it is OK. */
enum mkv_outcome mkv_transfer_judge(CURL *easy, CURLcode code,
				    const char *message, char *why, size_t size)
	mkv_nonnull(1, 3, 4);
