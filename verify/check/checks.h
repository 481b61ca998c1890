/* SPDX-License-Identifier: MIT */
#pragma once
/* Declares the function of every check of the catalogue: mkv_check_contract(),
 * ... */

#include "lib/checks.h"
#include "verify/check/check.h"

#define MKV_DECLARE_CHECK(id, ...)                                             \
	void mkv_check_##id(const struct mkv_env *env,                         \
			    struct mkv_answer *answer) mkv_nonnull(1, 2);
MKV_CHECK_CATALOGUE(MKV_DECLARE_CHECK)
#undef MKV_DECLARE_CHECK
