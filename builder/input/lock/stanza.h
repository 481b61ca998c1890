/* SPDX-License-Identifier: MIT */
#pragma once
/* Reads the fields of a package index that libsolv does not keep. Format:
 * Debian Policy, section 5.1, and
 * https://wiki.debian.org/DebianRepository/Format, "Packages" indices. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"

struct mkv_stanza {
	const char *name; /* into the text, not terminated; NULL: missing */
	size_t name_length;
	bool is_essential;   /* Essential: yes */
	bool is_required;    /* Priority: required */
	uint64_t size_bytes; /* 0: missing or invalid */
	bool has_sha256;
	struct mkv_sha256 sha256;
};

/* Reads the stanza at *at and advances *at past it. False at the end. */
bool mkv_stanza_next(const char **at, const char *end, struct mkv_stanza *ret);
