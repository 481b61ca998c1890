/* SPDX-License-Identifier: MIT */
#pragma once
/* A page of a server that we started ourselves. */

#include "lib/buf.h"

/* GET `url` (http://127.0.0.1...) within `limit_s` and `limit_bytes`, once, by
 * no proxy. Anything but an answer of 200 is -EIO. */
int mkv_fetch_plain(const char *url, unsigned limit_s, size_t limit_bytes,
		    struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
