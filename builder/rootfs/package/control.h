/* SPDX-License-Identifier: MIT */
#pragma once
/* A package's control paragraph (deb-control(5)), its relations, and the order
 * of versions (deb-version(7)). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct mkv_field {
	char *name;
	char *value; /* continuation lines keep their leading space; without the
			final newline */
};

struct mkv_control {
	struct mkv_field *fields; /* in the order of the file */
	size_t count;
	/* Borrowed from the fields; validated, so that they are safe in paths.
	 */
	const char *package, *version, *architecture;
};

/* Parses one paragraph. Malformed lines, duplicate fields, and names, versions
 * or architectures that Debian policy forbids are -EBADMSG. */
int mkv_control_parse(const char *text, size_t size, struct mkv_control *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_control_done(struct mkv_control *control) mkv_nonnull(1);
/* The value of a field, NULL when the field is missing. Field names compare
 * without regard to case. */
const char *mkv_control_get(const struct mkv_control *control, const char *name)
	mkv_nonnull(1, 2);

/* One alternative of one relation: "libc6:any (>= 2.36) [amd64]". */
struct mkv_relation {
	const char *name; /* not NUL-terminated */
	size_t name_length;
	char op[3]; /* "<<", "<=", "=", ">=", ">>" or "" */
	char version[128];
};
/* Reads the next alternative of a relation field. `*at` begins at the field's
 * value and advances past the alternative. *ret_separator is the separator
 * before the alternative, ',' or '|', and ',' for the first one. False at the
 * end of the field or at malformed text. */
bool mkv_relation_next(const char **at, struct mkv_relation *ret,
		       char *ret_separator) mkv_nonnull(1, 2, 3);
/* True when a package of this name and version satisfies the relation. */
bool mkv_relation_holds(const struct mkv_relation *relation, const char *name,
			const char *version) mkv_nonnull(1, 2, 3);

/* <0, 0, >0: the order of two valid versions, deb-version(7). */
int mkv_version_compare(const char *a, const char *b) mkv_nonnull(1, 2);
