/* SPDX-License-Identifier: MIT */
#pragma once
/* Pieces that every statement is built from. What they return is owned by the
 * caller; NULL means that memory ran out or that a string isn't UTF-8. */

#include "builder/input/lock/lock.h"
#include "lib/json.h"

/* {"name": .., "digest": {"sha256": ..}}, an in-toto ResourceDescriptor. */
json_t *mkv_statement_subject(const char *name,
			      const struct mkv_sha256 *sha256) mkv_must_check
	mkv_nonnull(1, 2);

/* Appends the Statement v1 around a predicate; takes both references over, also
 * on failure, and accepts NULL for them as a failure. */
int mkv_statement_print(json_t *subjects, const char *predicate_type,
			json_t *predicate, struct mkv_buf *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5);

/* The package URL of a Debian package (purl-spec, type deb). The caller frees
 * it. */
char *mkv_package_url(const struct mkv_lock_package *package,
		      const char *suite) mkv_must_check mkv_nonnull(1, 2);
