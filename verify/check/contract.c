/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

void mkv_check_contract(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const enum mkv_result results[] = {
		[MKV_TRUST_VERIFIED] = MKV_PASS,
		[MKV_TRUST_UNCHECKED] = MKV_NOT_ESTABLISHED,
		[MKV_TRUST_BROKEN] = MKV_FAIL,
	};
	mkv_answer_add(answer, results[env->trust], "signature",
		       MKV_CONTRACT_BUNDLE_PATH,
		       "the contract's bytes, signed by the image's key",
		       env->trust_text);
}
