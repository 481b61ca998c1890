/* SPDX-License-Identifier: MIT */
#pragma once
/* The study's tasks, each within a span. */

#include "programs/lib/http.h"

/* Solves a LINPACK system of `order` within a span that records order and
 * residual. A wrong solution is answered with 500 and returns -EDOM. */
int mkv_work_linpack(struct mkv_http_request *request, const char *name,
		     int64_t order) mkv_must_check mkv_nonnull(1, 2);

/* Busy-waits for `duration_us` of wall time, polling the clock. */
void mkv_work_sleep(struct mkv_http_request *request, const char *name,
		    int64_t duration_us) mkv_nonnull(1, 2);

/* When written data is synced to disk. */
enum mkv_work_sync {
	MKV_SYNC_NONE, /* by the kernel, at any time */
	MKV_SYNC_DATA, /* fdatasync() after writing */
};

struct mkv_work_files {
	const char *directory;
	int64_t large_bytes, small_bytes, small_count;
	int64_t sync; /* enum mkv_work_sync */
	char *text;   /* contents of the files; owned, free() it */
};
/* Allocates `text` for the larger of the two sizes. */
int mkv_work_files_init(struct mkv_work_files *files,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Removes the files of the tasks below, "large-N" and "small-N", of the
 * directory. */
int mkv_work_files_remove(const struct mkv_work_files *files,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Runs LargeFileTask.write, LargeFileTask.read and SmallFileTask.run, each
 * within a span. Data read is compared with data written. Answers 503 when the
 * disk is full, 500 on any other failure. */
int mkv_work_file_tasks(struct mkv_http_request *request,
			const struct mkv_work_files *files) mkv_must_check
	mkv_nonnull(1, 2);
