/* SPDX-License-Identifier: MIT */
#pragma once
/* What the parts of the plan's maker share. */

#include <jansson.h>

#include "builder/evidence/plan/plan.h"

/* Whether the appliances belong to the campaign and to each other: recipes,
 * keys, and the parts of the experiment that the campaign does not set. */
int mkv_plan_check_appliances(const struct mkv_plan_inputs *inputs,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Reads the finished plan as agents and the conductor do. */
int mkv_plan_check_made(const struct mkv_plan_inputs *inputs, json_t *document,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
