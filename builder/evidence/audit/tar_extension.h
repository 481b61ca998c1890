/* SPDX-License-Identifier: MIT */
#pragma once
/* The parts of tar that describe the next entry: pax records (POSIX.1-2001, pax
 * Extended Header) and numbers of header fields. */

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { MKV_TAR_XATTRS_MAX = 64 };

struct mkv_tar_xattr {
	char *name;
	uint8_t *value;
	size_t size;
};

/* What pax headers and GNU long names said about the next entry. */
struct mkv_tar_extension {
	char *path, *target;
	bool has_size, has_uid, has_gid, has_mtime, has_fraction;
	uint64_t size, uid, gid;
	int64_t mtime_s;
	struct mkv_tar_xattr xattrs[MKV_TAR_XATTRS_MAX];
	size_t n_xattrs;
};

void mkv_tar_extension_done(struct mkv_tar_extension *x) mkv_nonnull(1);
/* Takes records "LENGTH KEY=VALUE\n" in; cuts `data` up. False when they can't
 * be read or there is no memory. */
bool mkv_tar_extension_read(struct mkv_tar_extension *x, char *data,
			    size_t size) mkv_must_check mkv_nonnull(1, 2);
/* " NAME=HEX ..." in byte order of the names, "" for none; the caller's. NULL
 * when out of memory. */
char *mkv_tar_extension_xattrs(struct mkv_tar_extension *x) mkv_must_check
	mkv_nonnull(1);

/* A header field: octal with blanks around it, or base-256 (GNU) with the top
 * bit set. */
bool mkv_tar_number(const char *field, size_t size, int64_t *ret) mkv_must_check
	mkv_nonnull(1, 3);
