/* SPDX-License-Identifier: MIT */
#pragma once
/* The study's tasks as spans. */

#include "programs/study/lib/http.h"

/* Solves a LINPACK system of `order` inside a span of that name, which tells
 * order and residual. A wrong result is answered with 500, and -EDOM. */
int mkv_work_linpack(struct mkv_http_request *request, const char *name,
		     int64_t order) mkv_must_check mkv_nonnull(1, 2);

/* Burns `duration_us` of wall time, asking the clock. */
void mkv_work_sleep(struct mkv_http_request *request, const char *name,
		    int64_t duration_us) mkv_nonnull(1, 2);

/* When written data must be on the disk. */
enum mkv_work_sync {
	MKV_SYNC_NONE, /* when the kernel likes */
	MKV_SYNC_DATA, /* fdatasync() after writing */
};

struct mkv_work_files {
	const char *folder;
	int64_t large_bytes, small_bytes, small_count;
	int64_t sync; /* enum mkv_work_sync */
	char *text;   /* what is written: `large_bytes` of it */
};
/* Makes the text for the sizes that are set. */
int mkv_work_files_init(struct mkv_work_files *files,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* LargeFileTask.write, LargeFileTask.read and SmallFileTask.run, each a span;
 * what is read is compared with what was written. Answers 503 when the disk is
 * full, 500 when it fails otherwise. */
int mkv_work_file_tasks(struct mkv_http_request *request,
			const struct mkv_work_files *files) mkv_must_check
	mkv_nonnull(1, 2);
