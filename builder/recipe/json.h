/* SPDX-License-Identifier: MIT */
#pragma once
/* Writing JSON into a buffer, member by member. */

#include <stdint.h>

#include "lib/buf.h"

struct mkv_json {
	struct mkv_buf *to;
	bool compact; /* no spaces and lines */
	unsigned depth;
	bool begun; /* something stands already at this depth */
};

/* `key` is NULL in lists and at the top. */
void mkv_json_open(struct mkv_json *json, const char *key, char bracket)
	mkv_nonnull(1);
void mkv_json_close(struct mkv_json *json, char bracket) mkv_nonnull(1);
void mkv_json_text(struct mkv_json *json, const char *key, const char *text)
	mkv_nonnull(1, 3);
void mkv_json_number(struct mkv_json *json, const char *key, uint64_t number)
	mkv_nonnull(1);
void mkv_json_bool(struct mkv_json *json, const char *key, bool value)
	mkv_nonnull(1);
void mkv_json_null(struct mkv_json *json, const char *key) mkv_nonnull(1);
