/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/valid.h"

#include <string.h>

#include "lib/hash.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool is_made_of(const char *text, size_t min, size_t max,
		       const char *first, const char *rest)
{
	size_t length = strnlen(text, max + 1);
	if (length < min || length > max || !strchr(first, text[0]))
		return false;
	return strspn(text + 1, rest) == length - 1;
}

bool mkv_valid_package_name(const char *text)
{
	return is_made_of(text, 2, 128, LOWER DIGIT, LOWER DIGIT "+.-");
}

bool mkv_valid_version(const char *text)
{
	return is_made_of(text, 1, 128, LOWER UPPER DIGIT,
			  LOWER UPPER DIGIT ".+:~-");
}

bool mkv_valid_architecture(const char *text)
{
	return strcmp(text, "amd64") == 0 || strcmp(text, "all") == 0;
}

bool mkv_valid_archive(const char *text)
{
	return strcmp(text, "debian") == 0 ||
	       strcmp(text, "debian-security") == 0;
}

bool mkv_valid_pool_path(const char *text)
{
	size_t length = strnlen(text, 513);
	if (length > 512 || length < 10 || strncmp(text, "pool/", 5) != 0 ||
	    strcmp(text + length - 4, ".deb") != 0 ||
	    strspn(text, LOWER UPPER DIGIT "+._~%/:-") != length)
		return false;
	for (const char *at = text; *at;) {
		size_t part = strcspn(at, "/");
		if (part == 0 || (part == 1 && at[0] == '.') ||
		    (part == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += part + (at[part] == '/');
	}
	return true;
}

bool mkv_valid_suite(const char *text)
{
	return is_made_of(text, 2, 64, LOWER, LOWER DIGIT "-");
}

static bool is_plain_name(const char *text)
{
	return is_made_of(text, 1, 64, LOWER UPPER DIGIT,
			  LOWER UPPER DIGIT "._-");
}

bool mkv_valid_set_name(const char *text)
{
	if (strncmp(text, "image/", 6) == 0)
		return is_plain_name(text + 6);
	return strncmp(text, "oci/", 4) == 0 && is_plain_name(text + 4);
}

bool mkv_valid_local_name(const char *text)
{
	return strncmp(text, "overlay/", 8) == 0 && is_plain_name(text + 8);
}

bool mkv_valid_reference(const char *text)
{
	return is_made_of(text, 1, 512, LOWER UPPER DIGIT "[",
			  LOWER UPPER DIGIT "._:/@+[]-");
}

bool mkv_valid_oci_digest(const char *text)
{
	struct mkv_sha256 sha256;
	return strncmp(text, "sha256:", 7) == 0 &&
	       strnlen(text + 7, 65) == 64 &&
	       mkv_sha256_parse(text + 7, &sha256) == 0;
}
