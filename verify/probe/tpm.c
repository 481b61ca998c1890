/* SPDX-License-Identifier: MIT */
#include "verify/probe/tpm.h"

#include <string.h>

#include "lib/process.h"

/* The program has a timeout of 20 s; this one is for a program that hangs. */
enum { SECONDS = 30, OUTPUT_MAX = MKV_QUOTE_LIMIT_BYTES };

/* The first line of the program's error output. */
static int fail_with_diagnostic(const struct mkv_buf *errors,
				struct mkv_error *err)
{
	return mkv_fail(err, MKV_HOST_CANNOT, EIO, "%.*s",
			(int)strcspn(errors->data, "\r\n"), errors->data);
}

static int run_tpm_sign(const struct mkv_env *env, const char *action,
			const char *digest, struct mkv_buf *output,
			struct mkv_error *err)
{
	auto_free char *program = mkv_env_path(env, MKV_TPM_SIGN_PATH);
	auto_buf struct mkv_buf errors = {0};
	const char *argv[6] = {program};
	size_t at = 1;
	if (!program)
		return mkv_oom(err);
	if (access(program, X_OK) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"%s: %m (`verify: {sign: tpm}` in the recipe "
				"adds it)",
				MKV_TPM_SIGN_PATH);
	if (env->tpm) {
		argv[at++] = "--tpm";
		argv[at++] = env->tpm;
	}
	argv[at++] = action;
	argv[at] = digest;
	const struct mkv_process process = {
		.argv = argv,
		.environment = (const char *const[]){NULL},
		.output = output,
		.errors = &errors,
		.output_limit_bytes = OUTPUT_MAX,
		.timeout_s = SECONDS,
	};
	int status = -1;
	int rc = mkv_process_run(&process, &status, err);
	if (rc < 0 && status >= 0 && errors.size)
		return fail_with_diagnostic(&errors, err);
	return rc;
}

int mkv_tpm_read_key(const struct mkv_env *env, struct mkv_tpm_key *ret,
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = run_tpm_sign(env, "key", NULL, &text, err);
	if (rc < 0)
		return rc;
	const char *line = text.data ? text.data : "";
	return mkv_tpm_key_parse(line, strcspn(line, "\n"), ret, err);
}

int mkv_tpm_sign(const struct mkv_env *env, const struct mkv_sha256 *receipt,
		 struct mkv_quote *ret, struct mkv_buf *ret_document,
		 struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	struct mkv_quote quote;
	mkv_sha256_hex(receipt, hex);
	int rc = run_tpm_sign(env, "quote", hex, ret_document, err);
	if (rc < 0)
		return rc;
	rc = mkv_quote_parse(ret_document->data ? ret_document->data : "",
			     ret_document->size, &quote, err);
	if (rc < 0)
		return rc;
	rc = mkv_quote_verify(&quote, receipt, err);
	if (rc < 0)
		return rc;
	*ret = quote;
	return 0;
}
