/* SPDX-License-Identifier: MIT */
#pragma once
/* The directory of a run. */

#include <stdbool.h>

#include "lib/buf.h"

struct mkv_load_directory {
	char path[4400];
};

/* Makes DIRECTORY/RUN, which must not exist; NULL for `run`: a name from the
 * time. A name that is no file name is MKV_BAD_USAGE. */
int mkv_load_directory_make(struct mkv_load_directory *ret,
			    const char *directory, const char *run,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
/* Creates a file for writing. */
int mkv_load_directory_create(const struct mkv_load_directory *directory,
			      const char *name, int *ret_fd,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Writes or replaces a whole file; `is_synced`: it is on the disk then. */
int mkv_load_directory_place(const struct mkv_load_directory *directory,
			     const char *name, const struct mkv_buf *text,
			     bool is_synced,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);
/* Removes load.csv and progress.json, then the directory if nothing else is in
 * it. */
void mkv_load_directory_remove(const struct mkv_load_directory *directory)
	mkv_nonnull(1);
