/* SPDX-License-Identifier: MIT */
#pragma once
/* Reads a tar archive, plain or compressed by gzip, xz or zstd, of an untrusted
 * origin: the adapter of libarchive. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct mkv_untar_limits {
	uint64_t bytes; /* total size of all regular files */
	size_t entries;
};

struct mkv_untar_entry {
	const char *path;  /* "/usr/bin/env", "/" for the root, as in tree.h */
	mode_t mode;	   /* type and permissions; a hard link's type is 0 */
	uint32_t uid, gid; /* at most 65535 */
	int64_t mtime_s;
	uint64_t size;	    /* of a regular file */
	const char *target; /* of a symbolic link: unchanged; of a hard link: a
			       path in the form of `path` */
};

struct mkv_untar;
/* The archive is `size` bytes at `offset` of `fd`. The caller keeps `fd`, which
 * is read by pread() only. */
int mkv_untar_open(int fd, uint64_t offset, uint64_t size,
		   const struct mkv_untar_limits *limits,
		   struct mkv_untar **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(4, 5, 6);
void mkv_untar_free(struct mkv_untar *tar);
MKV_DEFINE_AUTO(untar, struct mkv_untar *, mkv_untar_free)
#define auto_untar mkv_auto(untar)

/* 1 and the next entry, valid until the next call; 0 at the end of the archive.
 * -EBADMSG, with the path in the message, for: paths that are absolute, too
 * long, or have "..", "." or empty components; devices, FIFOs and sockets; ids
 * over 65535; and archives that exceed the limits. */
int mkv_untar_next(struct mkv_untar *tar, struct mkv_untar_entry *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Writes the data of the current entry to an empty file. */
int mkv_untar_extract(struct mkv_untar *tar, int to,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* Records -EBADMSG: the entry of this path is refused, with the reason. */
int mkv_untar_refuse(struct mkv_error *err, const char *path,
		     const char *why) mkv_must_check mkv_nonnull(1, 2, 3);
