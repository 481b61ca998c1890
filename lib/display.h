/* SPDX-License-Identifier: MIT */
#pragma once
/* Text on a terminal: UTF-8, whatever the locale is. */

#include "lib/auto.h"

/* Replaces by '?', in place: bytes that aren't UTF-8 and characters that steer
 * a terminal (C0 and C1 controls, escapes, overrides of the writing direction)
 * or that have no width. '\n' and '\t' stay where `keep` names them. */
void mkv_display_clean(char *text, const char *keep) mkv_nonnull(1, 2);

/* How many bytes of a clean text fit into that many columns: whole characters,
 * with the combining ones behind the last. */
size_t mkv_display_cut(const char *text, size_t columns) mkv_nonnull(1);
