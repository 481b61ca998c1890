/* SPDX-License-Identifier: MIT */
#pragma once
/* Two definitions compared element by element and attribute by attribute. White
 * space between elements doesn't count, nor does the order in which elements of
 * different names stand. */

#include "builder/format/libvirt/document.h"

/* One difference: where (an XPath, such as
 * "/domain/cputune/vcpupin[3]/@cpuset"), and what should be there and is. NULL:
 * nothing. All are borrowed. */
typedef void mkv_document_difference(const char *where, const char *expected,
				     const char *found, void *context);

int mkv_document_compare(const struct mkv_document *expected,
			 const struct mkv_document *found,
			 mkv_document_difference *tell, void *context,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);
