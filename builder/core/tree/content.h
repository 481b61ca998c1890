/* SPDX-License-Identifier: MIT */
#pragma once
/* The content of a regular file: bytes in memory, or a range of an open file (a
 * pack in the store, an overlay file). Sources and contents have refcounts,
 * which several threads may change. */

#include "lib/hash.h"

/* An open file that contents refer to, closed with its last reference. */
struct mkv_source;
/* Takes ownership of `fd`, also on failure. */
int mkv_source_new(int fd, struct mkv_source **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
struct mkv_source *mkv_source_ref(struct mkv_source *source) mkv_nonnull(1);
void mkv_source_unref(struct mkv_source *source);
MKV_DEFINE_AUTO(source, struct mkv_source *, mkv_source_unref)
#define auto_source mkv_auto(source)
int mkv_source_fd(const struct mkv_source *source) mkv_nonnull(1);

struct mkv_content;
/* `size` bytes at `offset` of the source, which gains a reference; NULL when
 * out of memory. With `sha256` NULL the digest is computed at its first use. */
struct mkv_content *
mkv_content_range(struct mkv_source *source, uint64_t offset, uint64_t size,
		  const struct mkv_sha256 *sha256) mkv_must_check
	mkv_nonnull(1);
/* Copies the bytes; NULL when out of memory. */
struct mkv_content *mkv_content_bytes(const void *data,
				      size_t size) mkv_must_check;
struct mkv_content *mkv_content_ref(struct mkv_content *content) mkv_nonnull(1);
void mkv_content_unref(struct mkv_content *content);
MKV_DEFINE_AUTO(content, struct mkv_content *, mkv_content_unref)
#define auto_content mkv_auto(content)

uint64_t mkv_content_size(const struct mkv_content *content) mkv_nonnull(1);
/* Reads exactly `size` bytes at `offset`; -EINVAL past the end. */
int mkv_content_read(const struct mkv_content *content, uint64_t offset,
		     void *into, size_t size,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5);
/* Writes the whole content at `offset` of `fd`; the kernel copies where it can.
 */
int mkv_content_copy_to(const struct mkv_content *content, int fd,
			uint64_t offset, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);
/* Writes `size` bytes of the content from `from` on at `offset` of `fd`;
 * -EINVAL past the end. */
int mkv_content_copy_range_to(const struct mkv_content *content, uint64_t from,
			      uint64_t size, int fd, uint64_t offset,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 6);
int mkv_content_sha256(struct mkv_content *content, struct mkv_sha256 *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
