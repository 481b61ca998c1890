/* SPDX-License-Identifier: MIT */
#pragma once
/* SHA256SUMS in the format of GNU coreutils' `sha256sum -c`: a line "HEX  PATH"
 * per file, sorted by the bytes of the path. A path is relative, without "."
 * and
 * "..", and without control characters and backslashes, which sha256sum would
 * escape. */

#include "lib/buf.h"
#include "lib/hash.h"

struct mkv_sum {
	char *path;
	struct mkv_sha256 sha256;
};
struct mkv_sums {
	struct mkv_sum *items;
	size_t count, capacity;
};

struct mkv_sums *mkv_sums_new(void) mkv_must_check;
void mkv_sums_free(struct mkv_sums *sums);
MKV_DEFINE_AUTO(sums, struct mkv_sums *, mkv_sums_free)
#define auto_sums mkv_auto(sums)

/* -EINVAL for a path that isn't allowed. */
int mkv_sums_add(struct mkv_sums *sums, const char *path,
		 const struct mkv_sha256 *sha256,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
/* Sorts and appends the text; a path that appears twice is -EEXIST. */
int mkv_sums_print(struct mkv_sums *sums, struct mkv_buf *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Parses the output of mkv_sums_print(); any other text is -EBADMSG. */
int mkv_sums_parse(const char *text, size_t size, struct mkv_sums **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
/* In a sorted (printed or parsed) list; borrowed, or NULL. */
const struct mkv_sum *mkv_sums_find(const struct mkv_sums *sums,
				    const char *path) mkv_nonnull(1, 2);
