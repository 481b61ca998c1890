/* SPDX-License-Identifier: MIT */
#pragma once
/* A tar stream (POSIX.1-2001 pax, GNU) through libarchive, read strictly.
 * libarchive is lenient where an audit must not be: what it only warns about,
 * or reads as something else than other readers do, is an error here. Errors of
 * the stream are -EBADMSG and MKV_HOST_CANNOT. */

#include <stdint.h>

#include "lib/error.h"

struct archive;
struct archive_entry;

/* A part of the stream, as it was read. */
struct mkv_tar_chunk {
	uint64_t offset;
	size_t size;
	char *data;
};

struct mkv_tar_stream {
	struct archive *archive;
	int fd;
	int read_code; /* errno of a failed read() */
	uint64_t offset;
	struct mkv_tar_chunk chunks[2]; /* used in turn: recent blocks stay */
	unsigned turn;
};

/* Borrows `fd`. To be released with mkv_tar_stream_done(), also on failure. */
int mkv_tar_stream_open(struct mkv_tar_stream *s, int fd,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
void mkv_tar_stream_done(struct mkv_tar_stream *s) mkv_nonnull(1);

/* 1 with the next entry, which is borrowed until the next call, and its type:
 * 'f', 'd', 'l', 'c', 'b', 'p', or 'h' for a hard link. 0 at the end marker. */
int mkv_tar_stream_next(struct mkv_tar_stream *s, struct archive_entry **ret,
			char *ret_type, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Reads the rest of the file, so that the writer of a pipe isn't cut off. */
void mkv_tar_stream_drain(struct mkv_tar_stream *s) mkv_nonnull(1);

/* Reports libarchive's last error; `path` may be NULL. */
int mkv_tar_stream_fail(const struct mkv_tar_stream *s, const char *path,
			struct mkv_error *err) mkv_nonnull(1, 3);
int mkv_tar_malformed(struct mkv_error *err, const char *path, const char *why)
	mkv_nonnull(1, 3);

/* Where a name isn't valid in the locale ("C" throughout this program),
 * libarchive keeps its bytes, or else only the form in UTF-8. */
const char *mkv_tar_raw(const char *bytes, const char *utf8);
