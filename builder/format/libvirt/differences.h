/* SPDX-License-Identifier: MIT */
#pragma once
/* Compares two definitions element by element and attribute by attribute. White
 * space between elements and the order of elements of different names are
 * ignored. */

#include "builder/format/libvirt/document.h"

/* Called for each difference. `where`: an XPath, such as
 * "/domain/cputune/vcpupin[3]/@cpuset". `expected`, `found`: the values; NULL
 * for a missing one. All are borrowed. */
typedef void mkv_document_difference(const char *where, const char *expected,
				     const char *found, void *context);

int mkv_document_compare(const struct mkv_document *expected,
			 const struct mkv_document *found,
			 mkv_document_difference *report, void *context,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);
