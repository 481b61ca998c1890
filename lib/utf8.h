/* SPDX-License-Identifier: MIT */
#pragma once
/* UTF-8, RFC 3629. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Whether all bytes are valid UTF-8: no incomplete characters, surrogates or
 * overlong forms. */
bool mkv_utf8_is_valid(const void *text, size_t size) mkv_nonnull(1);

/* Replaces every byte that is not ASCII by '?' if the text is not valid UTF-8,
 * for instance because it was cut. */
void mkv_utf8_make_valid(char *text) mkv_nonnull(1);

/* Removes an incomplete character from the end of a text that was cut. */
void mkv_utf8_drop_cut(char *text) mkv_nonnull(1);
