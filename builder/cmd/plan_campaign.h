/* SPDX-License-Identifier: MIT */
#pragma once
/* The part of the verb `plan` that is about campaigns. */

#include <stdbool.h>

#include "lib/error.h"

/* Prints the runs of a campaign in their order. `scale` NULL: the whole
 * campaign. */
int mkv_cmd_plan_campaign(const char *path, const char *scale, bool json,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);
