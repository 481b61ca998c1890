/* SPDX-License-Identifier: MIT */
#pragma once
/* What the parts of the plan's reader share. */

#include "lib/plan.h"

enum { MKV_PLAN_VALUE_MAX = 1024 }; /* bytes of a setting's value */

/* Checks that the runs are every arm once in each block, with ids that follow
 * from block, slot and arm. */
void mkv_plan_check_runs(struct mkv_json_reader *r, const struct mkv_plan *plan)
	mkv_nonnull(1, 2);
/* Checks that one arm is the baseline, and that an arm that repeats another one
 * has its factors. */
void mkv_plan_check_arms(struct mkv_json_reader *r, const struct mkv_plan *plan)
	mkv_nonnull(1, 2);
