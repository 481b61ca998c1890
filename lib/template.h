/* SPDX-License-Identifier: MIT */
#pragma once
/* Texts of requests with fields that change from request to request:
 * "/orders/create/id/{user}". A field is a name between braces, of letters,
 * digits, '_' and '-'. Any other brace is a plain character, so that JSON needs
 * no escapes; `{{` stands for one `{` and begins no field. */

#include "lib/buf.h"

enum { MKV_TEMPLATE_FIELDS_MAX = 16, MKV_TEMPLATE_NAME_MAX = 31 };

struct mkv_template_field {
	char name[MKV_TEMPLATE_NAME_MAX + 1];
	uint64_t count; /* its values are 1 to `count`, in turn */
};
/* The field `n`, the number of the request, always exists beside them. */
struct mkv_template_fields {
	struct mkv_template_field items[MKV_TEMPLATE_FIELDS_MAX];
	size_t count;
};

/* Adds a field, whose name and count are checked. -EEXIST: it is defined
 * already. */
int mkv_template_add_field(struct mkv_template_fields *fields, const char *name,
			   size_t name_size, uint64_t count,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 5);
/* Adds the fields of "user=1000,item=20". */
int mkv_template_parse_fields(const char *text,
			      struct mkv_template_fields *fields,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The first field of `text` that does not exist; NULL: all exist. */
const char *mkv_template_find_unknown(const char *text,
				      const struct mkv_template_fields *fields,
				      size_t *ret_size) mkv_nonnull(1, 2, 3);
/* -ENOENT when `text` names a field that does not exist. */
int mkv_template_check(const char *text,
		       const struct mkv_template_fields *fields,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Appends `text`, which was checked, with the values for request `number`,
 * which counts from 0. */
void mkv_template_print(const char *text,
			const struct mkv_template_fields *fields,
			uint64_t number, struct mkv_buf *into)
	mkv_nonnull(1, 2, 4);
