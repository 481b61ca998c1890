/* SPDX-License-Identifier: MIT */
#pragma once
/* JSON (RFC 8259) by jansson: bounded reading, canonical writing, and a reader
 * for typed documents that reports the path of a mistake. Only this module sets
 * options of jansson; documents are built with jansson's json_t. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

static inline mkv_unused void mkv_json_decref(json_t *json)
{
	json_decref(json);
}
MKV_DEFINE_AUTO(json, json_t *, mkv_json_decref)
#define auto_json mkv_auto(json)

enum {
	MKV_JSON_LIMIT_BYTES = 64 * 1024 * 1024,
	MKV_JSON_DEPTH_MAX = 64,
};

/* Parses one whole document, UTF-8, an object or an array. Duplicate keys, NUL
 * in strings, bytes after the end and nesting deeper than MKV_JSON_DEPTH_MAX
 * are -EINVAL, more than MKV_JSON_LIMIT_BYTES are -EFBIG. The caller owns the
 * reference. */
int mkv_json_load(const char *text, size_t size, json_t **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
/* Parses a file of at most `limit_bytes`. */
int mkv_json_load_file(int dirfd, const char *path, size_t limit_bytes,
		       json_t **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5);

/* Appends the canonical form: keys sorted by bytes, an indent of one space, a
 * final newline. Equal documents give equal bytes. */
int mkv_json_dump(const json_t *json, struct mkv_buf *into,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Appends the form that is signed or hashed: one line without spaces, keys
 * sorted, no newline. */
int mkv_json_dump_compact(const json_t *json, struct mkv_buf *into,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Reads a typed document. The first mistake is recorded in *err with its path
 * ("images.dut.cpu.family: ..."), and all later reads return empty values, so
 * that a sequence of reads needs one check of `rc`. Strings are borrowed from
 * the document; they are shorter than 64 KiB and have no control characters. */
struct mkv_json_reader {
	struct mkv_error *err;
	int rc; /* 0, or the first mistake's negative errno */
	size_t path_size;
	char path[512];
};

void mkv_json_reader_init(struct mkv_json_reader *reader, struct mkv_error *err)
	mkv_nonnull(1, 2);
/* Appends `where` to the path. Returns the mark for mkv_json_leave(). */
size_t mkv_json_enter(struct mkv_json_reader *reader, const char *where)
	mkv_nonnull(1, 2);
void mkv_json_leave(struct mkv_json_reader *reader, size_t mark) mkv_nonnull(1);
/* Records a mistake at the path, extended by `key` unless NULL. */
int mkv_json_mistake(struct mkv_json_reader *reader, const char *key,
		     const char *format, ...) mkv_nonnull(1, 3)
	mkv_printf(3, 4);

/* Every key of the object must be in `known`, which ends with NULL. */
void mkv_json_only(struct mkv_json_reader *reader, const json_t *object,
		   const char *const *known) mkv_nonnull(1, 3);

/* Members. One that is absent and not required, and any after a mistake, is
 * NULL.
 */
json_t *mkv_json_member(struct mkv_json_reader *reader, const json_t *object,
			const char *key, json_type type, bool required)
	mkv_nonnull(1, 3);
const char *mkv_json_string(struct mkv_json_reader *reader,
			    const json_t *object, const char *key,
			    bool required) mkv_nonnull(1, 3);
/* An integer from `min` to `max`; `absent` when the member is absent. */
int64_t mkv_json_integer(struct mkv_json_reader *reader, const json_t *object,
			 const char *key, int64_t min, int64_t max,
			 bool required, int64_t absent) mkv_nonnull(1, 3);
/* 0 or 1; -1 when absent. */
int mkv_json_boolean(struct mkv_json_reader *reader, const json_t *object,
		     const char *key) mkv_nonnull(1, 3);
/* A value that is a string, with the same limits; NULL after a mistake. */
const char *mkv_json_value_text(struct mkv_json_reader *reader,
				const json_t *value) mkv_nonnull(1);
