/* SPDX-License-Identifier: MIT */
#pragma once
/* What a client says of an order, and what a user service says of a user. */

#include <jansson.h>
#include <stdint.h>

#include "lib/buf.h"

enum { MKV_ORDER_NAME_MAX = 200 };
#define MKV_ORDER_PRICE_MAX 1e9

struct mkv_order {
	int64_t cents;
	const char *product; /* borrowed from the body; 1 to 200 bytes */
};
/* {"productName","price"} and nothing else; -EINVAL says what is wrong. */
int mkv_order_read(const json_t *body, struct mkv_order *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* From the answer to GET of a user what PUT sends back: its name and address.
 * NULL: it isn't a user. The caller frees it. */
char *mkv_order_user_update(const char *answer, size_t size) mkv_must_check;
