/* SPDX-License-Identifier: MIT */
#pragma once
/* The receipts of this boot, in RUN_DIR (docs/VERIFICATION.md). */

#include "programs/campaign/agent/agent.h"

/* "pass", "fail" (also: not established), "warn" (a failure where the contract
 * only warns), "broken" by a later run, "none" of this boot. */
const char *mkv_agent_receipt_word(const struct mkv_agent *agent)
	mkv_nonnull(1);
/* Copies receipts and evidence to RUN_DIR/agent/files/NAME, which appears when
 * it is complete. */
int mkv_agent_receipts_copy(const struct mkv_agent *agent, const char *name,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
