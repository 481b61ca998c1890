/* SPDX-License-Identifier: MIT */
#pragma once
/* Finished attempts in DIRECTORY/runs/RUN.ATTEMPT/, until the operator has them
 * and discards them. An index stays that of its result as long as the program
 * runs. Calls must be serialised. */

#include "lib/hash.h"
#include "lib/json.h"

struct mkv_result_file {
	char *name; /* relative to the result */
	uint64_t size;
	struct mkv_sha256 sha256;
};

struct mkv_result {
	char *run;
	int64_t attempt;
	bool is_valid, is_discarded;
	char plan[MKV_SHA256_HEX_SIZE];
	struct mkv_result_file *files; /* sorted by name */
	size_t n_files;
};

struct mkv_results {
	char *directory; /* ".../runs" */
	struct mkv_result *items;
	size_t count;
};

/* Creates the directory, finds what is there, and completes discards that were
 * interrupted. A directory without a readable run.json is left alone and
 * reported in the log. */
int mkv_results_init(struct mkv_results *results, const char *directory,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_results_done(struct mkv_results *results) mkv_nonnull(1);

/* Reads one directory of runs/, such as "03-2-kvm.1". */
int mkv_results_add(struct mkv_results *results, const char *name,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* NULL: there is none. */
const struct mkv_result *mkv_results_find(const struct mkv_results *results,
					  const char *run, int64_t attempt)
	mkv_nonnull(1, 2);
/* Removes a result. -ENOENT: there is none. */
int mkv_results_discard(struct mkv_results *results, const char *run,
			int64_t attempt, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
/* Opens a file by the indexes of the listing. The caller closes *ret_fd. An
 * empty file gives size 0 and descriptor -1. -ENOENT: there is none. */
int mkv_results_open(const struct mkv_results *results, int64_t index,
		     int64_t file, int *ret_fd, uint64_t *ret_size,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5, 6);
/* {"results":[...]} */
json_t *mkv_results_pack(const struct mkv_results *results) mkv_nonnull(1);
