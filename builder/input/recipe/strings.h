/* SPDX-License-Identifier: MIT */
#pragma once
/* Lists of strings that are made rather than read from a recipe. */

#include "builder/input/recipe/recipe.h"

void mkv_strings_done(struct mkv_strings *strings) mkv_nonnull(1);
#define auto_strings __attribute__((cleanup(mkv_strings_done)))
/* Takes the word over, in any case; NULL is out of memory. */
int mkv_strings_append(struct mkv_strings *list, char *word,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Puts a copy where byte order wants it, unless it is there. */
int mkv_strings_insert(struct mkv_strings *list, const char *word,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
