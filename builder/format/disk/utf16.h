/* SPDX-License-Identifier: MIT */
#pragma once
/* Converts names to UTF-16, for partition tables and FAT directories. */

#include <stddef.h>
#include <stdint.h>

#include "lib/auto.h"

/* Strict UTF-8 (Unicode 15, table 3-7) into at most `max` UTF-16 code units.
 * Returns their number, -EILSEQ for invalid UTF-8, or -ENAMETOOLONG. */
int mkv_utf16_from_utf8(const char *text, uint16_t *ret,
			size_t max) mkv_must_check mkv_nonnull(1, 2);
