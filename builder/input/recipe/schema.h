/* SPDX-License-Identifier: MIT */
#pragma once
/* The schema of recipes: one table, from which come the parser and its
 * diagnostics, the JSON Schema, the reference in docs/ and the digest. A key is
 * a row; a new one needs nothing else but its member in recipe.h. */

#include <stdint.h>

#include "builder/input/recipe/recipe.h"
#include "lib/buf.h"

enum mkv_row_kind {
	MKV_ROW_TEXT = 1, /* char *; `pattern` or `words` says which */
	MKV_ROW_ANY,	  /* char *; text, number or truth value as written */
	MKV_ROW_CHOICE,	  /* unsigned; the index into `words` */
	MKV_ROW_REF,	  /* size_t; the index of the named image */
	MKV_ROW_BOOL,	  /* bool */
	MKV_ROW_COUNT,	  /* unsigned, min to max */
	MKV_ROW_SIZE,	  /* uint64_t bytes, min to max */
	MKV_ROW_DURATION, /* int64_t ns, min to max */
	MKV_ROW_LIST,	  /* struct mkv_strings; items by pattern or words */
	MKV_ROW_OBJECT,	  /* the rows of `table`, on the same base */
	MKV_ROW_OBJECTS,  /* a list of mappings: an array of table->size */
	MKV_ROW_MAP,	  /* the same by name; sorted; the name is a member */
};

/* Which texts are allowed. The regular expression is valid both as a POSIX ERE
 * (in the C locale) and in ECMA-262, so it contains no backslash. */
struct mkv_pattern {
	const char *regex;
	const char *description; /* for diagnostics: "a host name" */
	size_t max_length;	 /* in characters; in bytes if `escaped` */
	bool escaped;		 /* bytes in the notation of lib/cputext.h */
};

struct mkv_table;
struct mkv_row {
	const char *key; /* "": the row is the value of the map itself */
	enum mkv_row_kind kind;
	size_t offset;	/* of the member */
	size_t present; /* offset of a bool, set where given; 0: none */
	bool no_member; /* checked, and kept nowhere */
	bool required;
	bool implied; /* of an object: not given means `{}` */
	bool lower;   /* a text is kept in lower case */
	bool repeats; /* of a list: the same item may stand twice */
	const char *default_value; /* as a recipe would say it; a list's by
				      spaces */
	const char *derived;	   /* what a value not given follows from */
	uint64_t min, max;
	const struct mkv_pattern *pattern;
	const char *const *words; /* ends with NULL */
	const char *names;	  /* path of what a text or items must name */
	const char *also;	  /* and this word, which isn't there */
	const struct mkv_table *table;
	const char *doc; /* a sentence without its full stop */
};

struct mkv_table {
	const char *name; /* of the element, for the reference: "HOST" */
	const struct mkv_row *rows; /* ends with kind 0 */
	size_t size;		    /* of an element; 0 for an object */
	size_t key_offset;	    /* of a map's element: its name */
	const struct mkv_pattern *key_pattern;
	const char *key_names; /* path of what the key must name */
};

/* Every list in the model is a pointer with its count behind it. */
struct mkv_items {
	void *items;
	size_t count;
};

extern const struct mkv_table mkv_schema_recipe;
extern const struct mkv_table mkv_schema_hardware;

/* JSON Schema, draft 2020-12. */
int mkv_schema_print(struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* docs/RECIPES.md. */
int mkv_reference_print(struct mkv_buf *ret,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
