/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether a whole appliance is there already, made from exactly these inputs and
 * untouched since, so that building it again would change nothing. */

#include "builder/plan/build.h"

/* The step of the whole appliance: recipe, lock, programs, key, place. */
int mkv_uptodate_step(const struct mkv_build *build, const char *output,
		      struct mkv_step *ret, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 2, 3, 4);
/* *ret_path (the caller's) when it is up to date, else NULL. */
int mkv_uptodate_find(const struct mkv_build *build, const char *output,
		      char **ret_path, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Remembers what was just written. */
int mkv_uptodate_keep(const struct mkv_build *build, const char *output,
		      const char *path, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
