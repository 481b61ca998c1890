/* SPDX-License-Identifier: MIT */
#pragma once
/* A check compares one property of the running system with the contract. It
 * never changes the system and never prints. */

#include "verify/check/answer.h"
#include "verify/probe/env.h"

struct mkv_check {
	const char *name;
	const char *why; /* why a difference matters to a measurement */
	bool watched;	 /* asked again every minute */
	void (*run)(const struct mkv_env *env, struct mkv_answer *answer);
};

/* In the order of the report; ends with a NULL name (check/table.c). */
extern const struct mkv_check mkv_checks[];
const struct mkv_check *mkv_check_find(const char *name) mkv_nonnull(1);
