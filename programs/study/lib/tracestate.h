/* SPDX-License-Identifier: MIT */
#pragma once
/* W3C Trace Context 3.3: `tracestate` is others' and passed on as it came. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/auto.h"

enum { MKV_TRACESTATE_MAX = 512 };

/* Begins all zero; `text` is what to pass on, "" for nothing. */
struct mkv_tracestate {
	char text[MKV_TRACESTATE_MAX + 1];
	bool is_bad, is_full;
};
/* Adds a header; several are joined by ','. What goes beyond MKV_TRACESTATE_MAX
 * loses whole entries from its end, and a byte outside of 0x20 to 0x7e loses
 * all. */
void mkv_tracestate_add(struct mkv_tracestate *state, const char *header)
	mkv_nonnull(1, 2);
