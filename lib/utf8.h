/* SPDX-License-Identifier: MIT */
#pragma once
/* UTF-8, RFC 3629. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Whether all of it is: no cut characters, surrogates or overlong forms. */
bool mkv_utf8_is_valid(const void *text, size_t size) mkv_nonnull(1);
