/* SPDX-License-Identifier: MIT */
#pragma once
/* A package's control paragraph (deb-control(5)), its relations, and how
 * versions compare (deb-version(7)). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct mkv_field {
	char *name;
	char *value; /* continuation lines with their leading space; no newline
			at the end */
};

struct mkv_control {
	struct mkv_field *fields; /* in the order of the file */
	size_t count;
	/* Borrowed from the fields; checked, so that they are safe in paths. */
	const char *package, *version, *architecture;
};

/* Reads one paragraph. Malformed lines, a field twice and names, versions or
 * architectures that policy doesn't allow are errors. */
int mkv_control_parse(const char *text, size_t size, struct mkv_control *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_control_done(struct mkv_control *control) mkv_nonnull(1);
/* By its name in any case; NULL when it isn't there. */
const char *mkv_control_get(const struct mkv_control *control, const char *name)
	mkv_nonnull(1, 2);

/* One alternative of one relation: "libc6:any (>= 2.36) [amd64]". */
struct mkv_relation {
	const char *name; /* not NUL-terminated */
	size_t name_length;
	char op[3]; /* "<<", "<=", "=", ">=", ">>" or "" */
	char version[128];
};
/* Goes through a relation field. `*at` starts at the field's value and moves; a
 * separator before the alternative (',' or '|') goes to *ret_separator, ',' for
 * the first. False at the end or at what can't be read. */
bool mkv_relation_next(const char **at, struct mkv_relation *ret,
		       char *ret_separator) mkv_nonnull(1, 2, 3);
/* Whether this package, by name and version, is what the relation means. */
bool mkv_relation_holds(const struct mkv_relation *relation, const char *name,
			const char *version) mkv_nonnull(1, 2, 3);

/* <0, 0, >0 as dpkg orders two valid versions. */
int mkv_version_compare(const char *a, const char *b) mkv_nonnull(1, 2);
