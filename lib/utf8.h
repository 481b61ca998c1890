/* SPDX-License-Identifier: MIT */
#pragma once
/* UTF-8, RFC 3629. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Whether all of it is: no cut characters, surrogates or overlong forms. */
bool mkv_utf8_is_valid(const void *text, size_t size) mkv_nonnull(1);

/* A text that isn't UTF-8, having been cut for instance, gets '?' for every
 * byte that isn't ASCII; another stays as it is. */
void mkv_utf8_make_valid(char *text) mkv_nonnull(1);
