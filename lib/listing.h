/* SPDX-License-Identifier: MIT */
#pragma once
/* Reads the list of files (docs/CONTRACT.md). Only the canonical form is
 * accepted: each entry has one encoding, and entries are in the order of a tree
 * walk, parents first, so that no path is listed twice. */

#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"

enum {
	MKV_LISTING_LINE_MAX = 1 << 20,
	MKV_LISTING_XATTRS_MAX = 64,
	MKV_LISTING_PATH_MAX = 4095,
};

struct mkv_listing_xattr {
	const char *name; /* "security.capability" */
	const uint8_t *value;
	size_t size;
};

/* Valid only during the call of mkv_listing_visit(). */
struct mkv_listing_entry {
	char type; /* 'd', 'f', 'l', 'c', 'b', 'p', or 'h': a further hard link
		      of the inode at `target` */
	unsigned mode; /* permission bits, at most 07777 */
	uint32_t uid, gid;
	int64_t mtime_s;
	bool has_size; /* size and sha256: of a regular file or a hard link to
			  one */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
	bool has_device; /* major, minor: of a device or a hard link to one */
	uint32_t major, minor;
	const char *path;			/* absolute, "/" for the root */
	const char *target;			/* of 'l' and 'h', else NULL */
	const struct mkv_listing_xattr *xattrs; /* ascending by name */
	size_t n_xattrs;
};

/* Returns a negative errno, with *err set, to stop the walk. */
typedef int mkv_listing_visit(const struct mkv_listing_entry *entry,
			      void *context, struct mkv_error *err);

/* Calls `visit` for every line of `text`. A malformed line is MKV_UNVERIFIED,
 * -EBADMSG, with the line's number, after the lines before were visited. */
int mkv_listing_parse(const char *text, size_t size, mkv_listing_visit *visit,
		      void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5);
