/* SPDX-License-Identifier: MIT */
#pragma once
#include "builder/evidence/bundle/bundle_internal.h"
#include "builder/evidence/bundle/export.h"

/* Buffered output. */
struct mkv_export_output {
	int fd;
	struct mkv_buf text;
};
/* Writes the buffer when it is large, or always with `all`. */
int mkv_export_flush(struct mkv_export_output *output, bool all,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* Called for each valid run in the plan's order with a descriptor of its
 * directory. */
typedef int mkv_export_visit(int dirfd, const char *run, unsigned attempt,
			     void *context, struct mkv_error *err);
int mkv_export_runs(const char *bundle, mkv_export_visit *visit, void *context,
		    uint64_t *ret_runs, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* Opens a regular file of a run; 1 when it is missing. */
int mkv_export_open(int dirfd, const char *name, int *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3, 4);
