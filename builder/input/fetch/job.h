/* SPDX-License-Identifier: MIT */
#pragma once
/* The download of one item: its received bytes and its attempts. */

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
	bool *gave_up;	  /* per mirror: given up for this item */
	size_t mirror;	  /* current mirror */
	unsigned attempt; /* at the current mirror, from 1 */
	bool on_other_path;
	bool all_gone;		/* every mirror so far lacks the item */
	bool any_gone;		/* at least one mirror lacks it */
	struct mkv_buf answers; /* "URI: why; URI: why" */

	CURL *easy;
	char *uri;
	char message[CURL_ERROR_SIZE];
	bool first_byte; /* this attempt has not received data yet */
	bool sent_range; /* this attempt resumes at `got_bytes` */
	struct mkv_error write_error; /* code 0: none */

	struct mkv_store_new object;
	struct mkv_hasher *hasher;
	uint64_t got_bytes;
};

/* Opens and hashes the partial file of an earlier run. *ret_whole: the file was
 * complete and is now in the store. */
int mkv_job_open(struct mkv_job *job, struct mkv_store *store, bool *ret_whole,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
void mkv_job_done(struct mkv_job *job) mkv_nonnull(1);
/* Creates job->easy, a request to the current mirror. */
int mkv_job_start(struct mkv_job *job, const struct mkv_fetch_options *options,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Classifies the result of the transfer and commits a complete, verified object
 * to the store. `why` is the reason unless *ret is OK. Negative only for
 * failures that do not depend on the mirror, like a full disk. */
int mkv_job_finish(struct mkv_job *job, CURLcode code, enum mkv_outcome *ret,
		   char *why, size_t why_size,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 6);
