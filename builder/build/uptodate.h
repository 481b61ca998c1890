/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether a whole appliance is there already, made from exactly these inputs
 * and untouched since, so that building it again would change nothing. */

#include "builder/build/build.h"

/* The step of the whole appliance: recipe, lock, programs, key, place. It is
 * asked for before the build, and what is built is kept under it: whatever is
 * edited meanwhile is another step. */
int mkv_uptodate_step(const struct mkv_build *build, const char *output,
		      struct mkv_step *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* *ret_path (the caller's) when it is up to date, else NULL. */
int mkv_uptodate_find(const struct mkv_build *build, const char *output,
		      const struct mkv_step *step, char **ret_path,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Remembers what was just written to `path`. */
int mkv_uptodate_keep(const struct mkv_build *build,
		      const struct mkv_step *step, const char *path,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
