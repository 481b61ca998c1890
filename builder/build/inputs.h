/* SPDX-License-Identifier: MIT */
#pragma once
/* Inputs of an appliance at the granularity of a user's edits, so that a plan
 * can name the edit: a value of the recipe, a file of an overlay. */

#include "builder/build/build.h"

/* Every value of the recipe, as "recipe:images/dut/sysctls/vm.swappiness". */
int mkv_inputs_add_recipe(struct mkv_step *step,
			  const struct mkv_recipe *recipe,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Every entry of an overlay, as "overlay/common:/etc/hosts"; -ESTALE as
 * mkv_build_overlay_load(). */
int mkv_inputs_add_overlay(struct mkv_step *step, const struct mkv_build *build,
			   const char *overlay,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* The other pins of a lock: packages, indexes, OCI images, the epoch. */
int mkv_inputs_add_pins(struct mkv_step *step, const struct mkv_lock *lock,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
