/* SPDX-License-Identifier: MIT */
#pragma once
/* Text for a terminal: UTF-8 in every locale. */

#include "lib/auto.h"

/* Replaces in place by '?': bytes that are not UTF-8, and characters that
 * control a terminal (C0 and C1 controls, escapes, overrides of the writing
 * direction) or that have no width. The ASCII characters in `keep` ("\n\t")
 * stay. */
void mkv_display_clean(char *text, const char *keep) mkv_nonnull(1, 2);

/* The length in bytes of the longest prefix of a clean text that fits into
 * `columns`: whole characters, with the combining characters after the last. */
size_t mkv_display_cut(const char *text, size_t columns) mkv_nonnull(1);
