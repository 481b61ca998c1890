/* SPDX-License-Identifier: MIT */
#pragma once
/* An append-only file of records; a record is accepted once it is on the disk.
 * A file of the maximum size, or on demand, is rotated: renamed to
 * NAME.1.SUFFIX, NAME.2.SUFFIX and so on. */

#include "lib/buf.h"

struct mkv_keep;

struct mkv_keep_options {
	const char *directory, *name, *suffix; /* "traces", "pb" */
	uint64_t file_bytes;  /* size at which a file is rotated */
	uint64_t spare_bytes; /* to keep free on the file system */
	/* Size of the record at `data` in bytes; 0: it is incomplete. */
	size_t (*record)(const char *data, size_t size);
};

/* Opens or creates the file. Removes an incomplete last record, left by a power
 * failure; *ret_cut is its size in bytes. */
int mkv_keep_open(const struct mkv_keep_options *options, struct mkv_keep **ret,
		  uint64_t *ret_cut, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_keep_close(struct mkv_keep *keep);

/* Appends a record and syncs it. After an error the file has no part of the
 * record. Calls must be serialised. */
int mkv_keep_add(struct mkv_keep *keep, const struct mkv_buf *record,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Rotates the file now, unless it is empty. *ret_next is the number that the
 * current file will get: later records are in the files from that number on,
 * and in the current one. Calls must be serialised with mkv_keep_add(). */
int mkv_keep_rotate(struct mkv_keep *keep, unsigned *ret_next,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Opens the current file (`number` 0) or a rotated one for reading. *ret_size
 * is the size of its complete records in bytes. The caller closes *ret_fd. An
 * empty file gives size 0 and descriptor -1. -ENOENT: no such file. */
int mkv_keep_read(const struct mkv_keep *keep, int64_t number, int *ret_fd,
		  uint64_t *ret_size, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* Removes all files of that name and suffix. A collector that has them open
 * writes to new ones from its next start. */
int mkv_keep_clean_up(const struct mkv_keep_options *options,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* Where the next record will be: *ret_file is the number that the current file
 * gets when it is rotated, *ret_bytes the size of its complete records. All
 * records that are added later are behind this position: in the rest of that
 * file, and in files of larger numbers. */
void mkv_keep_position(const struct mkv_keep *keep, unsigned *ret_file,
		       uint64_t *ret_bytes) mkv_nonnull(1, 2, 3);
