/* SPDX-License-Identifier: MIT */
#pragma once
/* The written form of texts in CPUID registers (vendor, brand, a hypervisor's
 * signature) in recipes, contracts and receipts. Registers can hold any bytes.
 * The written form is printable ASCII and reversible: a byte below 0x20 or
 * above 0x7e is written `\xNN`, and so is a backslash that would otherwise
 * begin an escape. NULs at the end are padding and left out; spaces are kept.
 */

#include <stddef.h>

#include "lib/error.h"

enum {
	MKV_CPUTEXT_BYTES_MAX = 48, /* a brand */
	MKV_CPUTEXT_SIZE = 4 * MKV_CPUTEXT_BYTES_MAX + 1,
};

/* Writes at most MKV_CPUTEXT_BYTES_MAX bytes. */
void mkv_cputext_write(const void *bytes, size_t size,
		       char ret[static MKV_CPUTEXT_SIZE]) mkv_nonnull(1, 3);

/* Decodes a text: writes at most `room` bytes and returns the number of bytes
 * of the whole text. Characters outside of escapes are taken literally;
 * hexadecimal digits may have either case. `ret` may be NULL if `room` is 0. */
size_t mkv_cputext_read(const char *text, void *ret, size_t room)
	mkv_nonnull(1);

/* Writes the form that mkv_cputext_write() gives the text's bytes, so that two
 * texts of equal bytes compare equal. False when the text has more than
 * MKV_CPUTEXT_BYTES_MAX bytes. */
bool mkv_cputext_normalise(const char *text,
			   char ret[static MKV_CPUTEXT_SIZE]) mkv_must_check
	mkv_nonnull(1, 2);

/* Whether the kernel would show `text` as `shown`, a value of /proc/cpuinfo
 * without leading spaces. The kernel shows the bytes up to the first NUL; if
 * there are none, it shows words of its own and any `shown` is accepted. */
bool mkv_cputext_is_shown(const char *text, const char *shown)
	mkv_nonnull(1, 2);
