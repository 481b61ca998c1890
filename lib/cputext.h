/* SPDX-License-Identifier: MIT */
#pragma once
/* Texts that CPUID registers hold (vendor, brand, a hypervisor's signature), as
 * recipes, contracts and receipts write them. Registers hold any bytes; the
 * written form is printable ASCII and can be read back: a byte below 0x20 or
 * above 0x7e is written `\xNN`, and so is a backslash that would otherwise
 * begin such an escape. NULs at the end are padding and left out; spaces are
 * kept. */

#include <stddef.h>

#include "lib/error.h"

enum {
	MKV_CPUTEXT_BYTES_MAX = 48, /* a brand */
	MKV_CPUTEXT_SIZE = 4 * MKV_CPUTEXT_BYTES_MAX + 1,
};

/* Writes at most MKV_CPUTEXT_BYTES_MAX bytes. */
void mkv_cputext_write(const void *bytes, size_t size,
		       char ret[static MKV_CPUTEXT_SIZE]) mkv_nonnull(1, 3);

/* The bytes that a text stands for: puts as many as there is room for, and
 * returns how many there are. Whatever begins no escape stands for itself;
 * hexadecimal digits may have either case. `ret` may be NULL without room. */
size_t mkv_cputext_read(const char *text, void *ret, size_t room)
	mkv_nonnull(1);

/* The one form in which mkv_cputext_write() would write the text's bytes, so
 * that two texts for the same bytes compare equal. False when they are more
 * than registers hold. */
bool mkv_cputext_normalise(const char *text,
			   char ret[static MKV_CPUTEXT_SIZE]) mkv_must_check
	mkv_nonnull(1, 2);

/* Whether a value of /proc/cpuinfo, spaces before it removed, may be this text:
 * the kernel shows the bytes up to the first NUL, and words of its own where
 * there are none. */
bool mkv_cputext_is_shown(const char *text, const char *shown)
	mkv_nonnull(1, 2);
