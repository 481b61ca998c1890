/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include "verify/probe/tpm.h"

void mkv_check_tpm_key(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char what[] = "receipt key";
	const char *expected = env->host->tpm_key;
	const char *source = env->tpm ? env->tpm : "/dev/tpmrm0";
	struct mkv_tpm_key key;
	struct mkv_error err;
	char hex[MKV_SHA256_HEX_SIZE];
	/* A TPM is slow, and some stop the whole machine while they work. */
	if (!expected)
		return;
	if (mkv_tpm_read_key(env, &key, &err) < 0) {
		mkv_answer_say(answer, MKV_NOT_ESTABLISHED, what, source,
			       expected, "%s", err.message);
		return;
	}
	mkv_sha256_hex(&key.id, hex);
	(void)mkv_answer_compare(answer, what, source, expected, hex);
}
