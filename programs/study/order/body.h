/* SPDX-License-Identifier: MIT */
#pragma once
/* Parses the body of an order, and the answer of the user service. */

#include <jansson.h>
#include <stdint.h>

#include "lib/buf.h"

enum { MKV_ORDER_NAME_MAX = 200 };
#define MKV_ORDER_PRICE_MAX 1e9

struct mkv_order {
	int64_t cents;
	const char *product; /* borrowed from the body; 1 to 200 bytes */
};
/* Parses {"productName","price"}; other keys are refused. -EINVAL, with the
 * reason. */
int mkv_order_read(const json_t *body, struct mkv_order *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Makes the body of PUT from the answer to GET of a user: its name and email.
 * NULL: the answer is not a user. The caller frees the result. */
char *mkv_order_user_update(const char *answer, size_t size) mkv_must_check;
