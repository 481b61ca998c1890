/* SPDX-License-Identifier: MIT */
#pragma once
/* A file of records that only grows, each record on the disk before it counts.
 * A full one is put aside as NAME.1.SUFFIX, NAME.2.SUFFIX and so on. */

#include "lib/buf.h"

struct mkv_keep;

struct mkv_keep_options {
	const char *folder, *name, *suffix; /* "traces", "pb" */
	uint64_t file_bytes;  /* a file that has them is put aside */
	uint64_t spare_bytes; /* left free on the file system */
	/* The size of the record at `data`; 0: it is cut. */
	size_t (*record)(const char *data, size_t size);
};

/* Opens it. A record that a power failure cut is taken off; *ret_cut is how
 * many bytes that were. */
int mkv_keep_open(const struct mkv_keep_options *options, struct mkv_keep **ret,
		  uint64_t *ret_cut, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_keep_close(struct mkv_keep *keep);

/* Appends a record and waits for the disk; after an error nothing of it is
 * there. Not for two threads at once. */
int mkv_keep_add(struct mkv_keep *keep, const struct mkv_buf *record,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* A descriptor of its own for reading, and how many bytes of whole records to
 * read: of the file in use, or of the one put aside as `number`. -ENOENT: there
 * is none. An empty file gives size 0 and no descriptor. */
int mkv_keep_read(const struct mkv_keep *keep, int64_t number, int *ret_fd,
		  uint64_t *ret_size, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);
