/* SPDX-License-Identifier: MIT */
#pragma once
/* Parts of in-toto statements. The caller owns what is returned; NULL means out
 * of memory, or a string that isn't UTF-8. */

#include "builder/input/lock/lock.h"
#include "lib/json.h"

/* {"name": .., "digest": {"sha256": ..}}, an in-toto ResourceDescriptor. */
json_t *mkv_statement_subject(const char *name,
			      const struct mkv_sha256 *sha256) mkv_must_check
	mkv_nonnull(1, 2);

/* Appends `value` to a list, which owns it. False when it is NULL or memory ran
 * out. */
bool mkv_statement_append(json_t *list, json_t *value) mkv_must_check
	mkv_nonnull(1);

/* Appends the Statement v1 with a predicate; owns both references, also on
 * failure, and fails when one of them is NULL. */
int mkv_statement_print(json_t *subjects, const char *predicate_type,
			json_t *predicate, struct mkv_buf *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5);

/* The package URL of a Debian package (purl-spec, type deb). The caller frees
 * it. */
char *mkv_package_url(const struct mkv_lock_package *package,
		      const char *suite) mkv_must_check mkv_nonnull(1, 2);
