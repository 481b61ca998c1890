/* SPDX-License-Identifier: MIT */
#pragma once
/* The schema of recipes: tables from which the decoder and its diagnostics, the
 * JSON Schema, docs/RECIPES.md and the digest are derived. A key is one row and
 * one member in recipe.h. */

#include <stdint.h>

#include "builder/input/recipe/recipe.h"
#include "lib/buf.h"

enum mkv_row_kind {
	MKV_ROW_TEXT = 1, /* char *; by `pattern`, `words` or `names` */
	MKV_ROW_ANY,	  /* char *; text, number or boolean, as written */
	MKV_ROW_CHOICE,	  /* unsigned; the index into `words` */
	MKV_ROW_REF,	  /* size_t; the index of the named image */
	MKV_ROW_BOOL,	  /* bool */
	MKV_ROW_COUNT,	  /* unsigned, min to max */
	MKV_ROW_SIZE,	  /* uint64_t bytes, min to max */
	MKV_ROW_DURATION, /* int64_t ns, min to max */
	MKV_ROW_FRACTION, /* int64_t parts per 10^9, min to max; "0.1%" */
	MKV_ROW_LIST,	  /* struct mkv_strings; items like MKV_ROW_TEXT */
	MKV_ROW_OBJECT,	  /* the rows of `table`, in the same struct */
	MKV_ROW_OBJECTS,  /* a list of mappings; struct mkv_items */
	MKV_ROW_MAP,	  /* a map of mappings, sorted; struct mkv_items */
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
	const char *key; /* "": the row is the value of a map's entry */
	enum mkv_row_kind kind;
	size_t offset;	/* of the member */
	size_t present; /* offset of a bool that is set if the key is present;
			   0: none */
	bool no_member; /* checked but not stored */
	bool required;
	bool implied;		   /* of an object: omitted means `{}` */
	bool lower;		   /* a text is converted to lower case */
	bool repeats;		   /* of a list: items may repeat */
	const char *default_value; /* in the notation of a recipe; a list's
				      items are separated by spaces */
	const char *derived; /* description of a default that derives from other
				values */
	uint64_t min, max;
	const struct mkv_pattern *pattern;
	const char *const *words; /* ends with NULL */
	const char *names; /* path in the recipe whose names the text or the
			      items must be one of */
	const char *also;  /* another allowed name */
	const struct mkv_table *table;
	const char *doc; /* a sentence without the full stop */
};

struct mkv_table {
	const char *name; /* of the element, for the reference: "HOST" */
	const struct mkv_row *rows; /* ends with kind 0 */
	size_t size;	   /* of an element in bytes; 0 for an object */
	size_t key_offset; /* of the name in a map's element */
	const struct mkv_pattern *key_pattern;
	const char *const
		*key_words;    /* of a map: allowed keys; ends with NULL */
	const char *key_names; /* path in the recipe whose names the key must be
				  one of */
};

/* The layout of every list in a recipe: a pointer, directly followed by its
 * count. */
struct mkv_items {
	void *items;
	size_t count;
};

extern const struct mkv_table mkv_schema_recipe;
extern const struct mkv_table mkv_schema_hardware;

/* Releases the members of an object that was decoded by a table. */
void mkv_schema_release(const struct mkv_table *table, void *object)
	mkv_nonnull(1, 2);

/* The sections of a reference: a table in Markdown of each object's keys, from
 * the top level down. */
void mkv_reference_add(const struct mkv_table *table, struct mkv_buf *to)
	mkv_nonnull(1, 2);
/* The JSON Schema, draft 2020-12, of a document that is a single file. The
 * caller owns *ret, here and below. */
int mkv_schema_print_whole(const struct mkv_table *table, const char *title,
			   struct mkv_buf *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Prints the JSON Schema of recipes. */
int mkv_schema_print(struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Prints docs/RECIPES.md. */
int mkv_reference_print(struct mkv_buf *ret,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
