/* SPDX-License-Identifier: MIT */
#pragma once
/* Lists of strings and of key-value pairs. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* A list of strings: packages, kernel words, features. */
struct mkv_strings {
	char **items;
	size_t count;
};
bool mkv_strings_has(const struct mkv_strings *list, const char *text)
	mkv_nonnull(1, 2);

/* A key and its value: sysctls, service settings. */
struct mkv_setting {
	char *key;
	char *value;
};
struct mkv_settings {
	struct mkv_setting *items;
	size_t count;
};

void mkv_strings_done(struct mkv_strings *strings) mkv_nonnull(1);
#define auto_strings __attribute__((cleanup(mkv_strings_done)))
/* Appends `word` and takes its ownership, also on failure. A NULL `word` is out
 * of memory. */
int mkv_strings_append(struct mkv_strings *list, char *word,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Inserts a copy in byte order, unless the list has `word` already. */
int mkv_strings_insert(struct mkv_strings *list, const char *word,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
