/* SPDX-License-Identifier: MIT */
#pragma once
/* Sets up one libcurl request and classifies its result. */

#include <curl/curl.h>

#include "builder/input/fetch/fetch.h"
#include "lib/buf.h"

enum mkv_outcome {
	MKV_OUTCOME_OK,
	MKV_OUTCOME_GONE,  /* the mirror responds but lacks the file */
	MKV_OUTCOME_AGAIN, /* may succeed when repeated */
	MKV_OUTCOME_DEAD,  /* the mirror is unreachable */
};

/* Initialises libcurl once per process; safe in threads. */
int mkv_transfer_global(struct mkv_error *err) mkv_must_check mkv_nonnull(1);

/* A setting of a request, curl_easy_setopt(3): `text`, or `number` when `text`
 * is NULL. */
struct mkv_transfer_option {
	CURLoption name;
	const char *text;
	long number;
};
/* Stops at the first option that libcurl refuses. */
CURLcode mkv_transfer_set(CURL *easy, const struct mkv_transfer_option *options,
			  size_t n_options) mkv_must_check mkv_nonnull(1, 2);

/* A request for MIRROR/PATH. The caller owns *ret and *ret_uri. libcurl writes
 * its error text to `message`, of CURL_ERROR_SIZE, which must outlive the
 * request. */
int mkv_transfer_new(const struct mkv_fetch_options *options, size_t mirror,
		     const char *path, char *message, CURL **ret,
		     char **ret_uri, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6, 7);

/* The body of a response in memory. Zero-initialise `text` and `is_too_large`;
 * release with mkv_buf_done(). */
struct mkv_transfer_body {
	struct mkv_buf text;
	size_t limit_bytes;
	bool is_too_large; /* the transfer was stopped at the limit */
};
/* Directs the body of a response to `body`, which must outlive the request. */
CURLcode mkv_transfer_receive(CURL *easy,
			      struct mkv_transfer_body *body) mkv_must_check
	mkv_nonnull(2);

/* Classifies the result of a transfer. Writes the reason to `why` unless the
 * outcome is OK. */
enum mkv_outcome mkv_transfer_judge(CURL *easy, CURLcode code,
				    const char *message, char *why, size_t size)
	mkv_nonnull(1, 3, 4);
