/* SPDX-License-Identifier: MIT */
#pragma once
/* The sections of a unified kernel image (Microsoft "PE Format"; UAPI group,
 * "Unified Kernel Image"), read from hostile bytes. */

#include <stddef.h>

#include "lib/error.h"

struct mkv_audit_section {
	const char *data; /* borrowed from the image */
	size_t size;
};

/* The section of that name; `data` is NULL when the image has no such section.
 * Negative when the image isn't a PE executable. */
int mkv_audit_uki_section(const char *image, size_t size, const char *name,
			  struct mkv_audit_section *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);
