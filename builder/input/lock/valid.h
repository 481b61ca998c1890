/* SPDX-License-Identifier: MIT */
#pragma once
/* Validates fields of locks and package indexes. Package names: Debian Policy,
 * section 5.6.1 (at least two characters of [a-z0-9+.-], the first
 * alphanumeric); versions: section 5.6.12. */

#include <stdbool.h>
#include <stdint.h>

#define MKV_LOCK_PACKAGE_BYTES_MAX ((uint64_t)4 << 30)
#define MKV_LOCK_INDEX_BYTES_MAX ((uint64_t)1 << 30)
#define MKV_LOCK_SECONDS_MAX ((int64_t)253402300799) /* the year 9999 */

bool mkv_valid_package_name(const char *text);
bool mkv_valid_version(const char *text);
bool mkv_valid_architecture(const char *text); /* "amd64" or "all" */
bool mkv_valid_archive(const char *text);
/* "pool/....deb" without ".", ".." or empty components. */
bool mkv_valid_pool_path(const char *text);
bool mkv_valid_suite(const char *text); /* or a component */
/* "image/NAME" or "oci/NAME" */
bool mkv_valid_set_name(const char *text);
bool mkv_valid_local_name(const char *text); /* "overlay/NAME" */
bool mkv_valid_reference(const char *text);
bool mkv_valid_oci_digest(const char *text); /* "sha256:" and 64 digits */
