/* SPDX-License-Identifier: MIT */
#pragma once
/* The fields of a package index that libsolv doesn't keep. The format: Debian
 * Policy, section 5.1, and the repository format's "Packages" indices. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"

struct mkv_stanza {
	const char *name; /* in the text; not terminated */
	size_t name_length;
	bool is_essential;   /* Essential: yes */
	bool is_required;    /* Priority: required */
	uint64_t size_bytes; /* 0: not said */
	bool has_sha256;
	struct mkv_sha256 sha256;
};

/* Reads the stanza at *at and moves *at behind it; false at the end. */
bool mkv_stanza_next(const char **at, const char *end, struct mkv_stanza *ret);
