/* SPDX-License-Identifier: MIT */
#pragma once
/* One item's way into the store: what of it is there, and what was tried. */

#include "builder/input/fetch/transfer.h"

enum mkv_job_state {
	MKV_JOB_WAITING, /* until start_ms */
	MKV_JOB_RUNNING,
	MKV_JOB_DONE,
	MKV_JOB_FAILED,
};

struct mkv_job {
	const struct mkv_fetch_item *item;
	struct mkv_progress *progress;
	enum mkv_job_state state;
	int64_t start_ms;
	bool *asked;	  /* per mirror: it was given up for this item */
	size_t mirror;	  /* the one being asked */
	unsigned attempt; /* at this mirror, from 1 */
	bool on_other_path;
	bool all_gone; /* every mirror answered that it hasn't got it */
	bool any_gone; /* one did */
	struct mkv_buf answers; /* "URI: why; URI: why" */

	CURL *easy;
	char *uri;
	char message[CURL_ERROR_SIZE];
	bool first_byte;  /* of this attempt is still to come */
	bool asked_range; /* this attempt continues at `got_bytes` */
	struct mkv_error write_error; /* code 0: none */

	struct mkv_store_new object;
	struct mkv_hasher *hasher;
	uint64_t got_bytes;
};

/* Opens what an earlier run left and hashes it. *ret_whole when that is all of
 * it: then it is in the store. */
int mkv_job_open(struct mkv_job *job, struct mkv_store *store, bool *ret_whole,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
void mkv_job_done(struct mkv_job *job) mkv_nonnull(1);
/* A fresh handle for the chosen mirror. */
int mkv_job_start(struct mkv_job *job, const struct mkv_fetch_options *options,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Judges the end of the transfer and, when all bytes are right, puts the object
 * into the store. Negative only for what no other mirror could cure. */
int mkv_job_finish(struct mkv_job *job, CURLcode code, enum mkv_outcome *ret,
		   char *why, size_t why_size,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 6);
