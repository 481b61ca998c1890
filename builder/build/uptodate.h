/* SPDX-License-Identifier: MIT */
#pragma once
/* Recognises an appliance that was built from exactly the current inputs and
 * not modified since: building again would change nothing. */

#include "builder/build/build.h"

/* The step of the whole appliance: recipe, lock, programs, key, output.
 * Computed before the build, so that an edit during the build belongs to
 * another step. */
int mkv_uptodate_step(const struct mkv_build *build, const char *output,
		      struct mkv_step *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* *ret_path (the caller's) is the appliance's path when it is up to date, else
 * NULL. */
int mkv_uptodate_find(const struct mkv_build *build, const char *output,
		      const struct mkv_step *step, char **ret_path,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Records the fingerprint of the appliance that was just written. */
int mkv_uptodate_keep(const struct mkv_build *build,
		      const struct mkv_step *step,
		      const struct mkv_buf *fingerprint,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
