/* SPDX-License-Identifier: MIT */
#pragma once
/* Parses the body of a change of a user. */

#include <jansson.h>
#include <stdint.h>

#include "lib/error.h"

enum { MKV_USER_TEXT_MAX = 200 };
#define MKV_USER_BALANCE_MAX INT64_C(1000000000000000)

/* NULL: unchanged. Numbers are texts, as the database expects them. */
struct mkv_user_change {
	const char *name, *email; /* borrowed; 1 to 200 bytes */
	const char *balance;	  /* points to balance_text */
	char amount[24];	  /* default "0" */
	char balance_text[24];
};
/* Parses any of "id" (ignored), "name", "email", "balance" and "amount".
 * -EINVAL, with the reason. */
int mkv_user_read(const json_t *body, struct mkv_user_change *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
