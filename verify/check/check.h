/* SPDX-License-Identifier: MIT */
#pragma once
/* A check compares one property of the running system with the contract. It
 * never changes the system and never prints. */

#include "verify/check/answer.h"
#include "verify/probe/env.h"

struct mkv_check {
	const char *name;
	const char *why; /* why a difference matters to a measurement */
	bool watched;	 /* also run every minute */
	void (*run)(const struct mkv_env *env, struct mkv_answer *answer);
};

/* In the order of the catalogue, lib/checks.h; ends with a NULL name. */
extern const struct mkv_check mkv_checks[];
/* NULL: no check has this name. */
const struct mkv_check *mkv_check_find(const char *name) mkv_nonnull(1);
