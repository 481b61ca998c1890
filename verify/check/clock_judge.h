/* SPDX-License-Identifier: MIT */
#pragma once
/* Compares one reading of the clock with the contract. The claim is: this clock
 * is within the limit of the VLAN's time server. */

#include "verify/check/check.h"
#include "verify/probe/clock.h"

/* Appends the findings of one reading. */
void mkv_clock_judge(const struct mkv_env *env,
		     const struct mkv_clock_reading *reading,
		     struct mkv_answer *answer) mkv_nonnull(1, 2, 3);
