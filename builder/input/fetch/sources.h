/* SPDX-License-Identifier: MIT */
#pragma once
/* Parses apt's source files: sources.list(5). */

#include "builder/input/fetch/mirrors.h"

/* Adds the Debian mirrors of one file's text to `mirrors`. Invalid lines and
 * stanzas are skipped: apt reports them. */
int mkv_sources_parse_list(const char *text, struct mkv_mirrors *mirrors,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
int mkv_sources_parse_deb822(const char *text, struct mkv_mirrors *mirrors,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The mirror with this URI, appended when missing; borrowed until the next
 * call. NULL for an unsupported scheme (*err untouched) or without memory
 * (ENOMEM). */
struct mkv_mirror *mkv_mirrors_entry(struct mkv_mirrors *mirrors,
				     const char *uri, struct mkv_error *err)
	mkv_nonnull(1, 2, 3);
