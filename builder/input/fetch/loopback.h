/* SPDX-License-Identifier: MIT */
#pragma once
/* HTTP requests to servers on this host that mkvbench started itself. */

#include "lib/buf.h"

/* GET `url` (http://127.0.0.1...) without proxy and retry, within `limit_s`
 * seconds and `limit_bytes`. The caller owns *ret. An HTTP error status or a
 * failed transfer is -EIO. */
int mkv_fetch_loopback(const char *url, unsigned limit_s, size_t limit_bytes,
		       struct mkv_buf *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
