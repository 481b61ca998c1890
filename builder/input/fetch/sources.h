/* SPDX-License-Identifier: MIT */
#pragma once
/* apt's source files, as sources.list(5) describes them. */

#include "builder/input/fetch/mirrors.h"

/* One file's text; what it says of Debian is added to `mirrors`. Lines and
 * stanzas that can't be understood are passed over, as they are apt's business.
 */
int mkv_sources_parse_list(const char *text, struct mkv_mirrors *mirrors,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
int mkv_sources_parse_deb822(const char *text, struct mkv_mirrors *mirrors,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The mirror of that URI, added where it isn't there yet; NULL for a URI whose
 * scheme we don't speak (*err untouched) or out of memory (code ENOMEM). */
struct mkv_mirror *mkv_mirrors_entry(struct mkv_mirrors *mirrors,
				     const char *uri, struct mkv_error *err)
	mkv_nonnull(1, 2, 3);
