/* SPDX-License-Identifier: MIT */
#pragma once
/* `tracestate` (W3C Trace Context, 3.3): data of other vendors, passed on
 * unmodified. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/auto.h"

enum { MKV_TRACESTATE_MAX = 512 };

/* Starts all zero. `text` is the value to pass on; "": none. */
struct mkv_tracestate {
	char text[MKV_TRACESTATE_MAX + 1];
	bool is_bad, is_full;
};
/* Adds the value of a header; several are joined by ','. Entries that exceed
 * MKV_TRACESTATE_MAX bytes are dropped from the end; a byte outside of 0x20 to
 * 0x7e drops all entries. */
void mkv_tracestate_add(struct mkv_tracestate *state, const char *header)
	mkv_nonnull(1, 2);
