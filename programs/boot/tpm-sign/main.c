/* SPDX-License-Identifier: MIT */
/* tpm-sign: signs the digest of a receipt with the machine's TPM 2.0. A program
 * of its own, so that the verifier needs no TPM library. It opens the TPM with
 * the privileges of its caller, then becomes nobody.
 *
 * Arguments: [--tpm PATH] [--seconds N], then either
 *
 *     key            prints the public key, DER in base64
 *     quote SHA256   prints the signature as JSON */

#include <grp.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/base64.h"
#include "lib/io.h"
#include "programs/boot/tpm-sign/sign.h"

enum { NOBODY = 65534, SECONDS = 20, SECONDS_MAX = 600 };

struct request {
	const char *tpm, *action, *digest;
	unsigned seconds;
};

static int drop_privileges(struct mkv_error *err)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return mkv_fail(err, MKV_FAILED, errno,
				"switch to user nobody: %m");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "set no_new_privs: %m");
	return 0;
}

static int fail_usage(struct mkv_error *err)
{
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"usage: tpm-sign [--tpm PATH] [--seconds N] key|quote "
			"SHA256");
}

static int parse_arguments(int argc, char **argv, struct request *ret,
			   struct mkv_error *err)
{
	int at = 1;
	*ret = (struct request){.tpm = "/dev/tpmrm0", .seconds = SECONDS};
	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
		char *end = argv[at + 1];
		if (strcmp(argv[at], "--tpm") == 0)
			ret->tpm = argv[at + 1];
		else if (strcmp(argv[at], "--seconds") == 0)
			ret->seconds =
				(unsigned)strtoul(argv[at + 1], &end, 10);
		else
			return fail_usage(err);
		if (strcmp(argv[at], "--seconds") == 0 &&
		    (*end || ret->seconds == 0 || ret->seconds > SECONDS_MAX))
			return fail_usage(err);
	}
	ret->action = at < argc ? argv[at] : "";
	ret->digest = at + 1 < argc ? argv[at + 1] : NULL;
	if (strcmp(ret->action, "key") == 0	? at + 1 != argc
	    : strcmp(ret->action, "quote") == 0 ? at + 2 != argc
						: true)
		return fail_usage(err);
	return 0;
}

static int execute_request(const struct request *request,
			   struct channel *channel, struct mkv_buf *into,
			   struct mkv_error *err)
{
	struct mkv_quote quote = {0};
	struct mkv_sha256 receipt;
	uint8_t der[MKV_TPM_KEY_DER_SIZE];
	int rc;
	if (request->digest) {
		rc = mkv_sha256_parse(request->digest, &receipt);
		if (rc < 0)
			return fail_usage(err);
		rc = sign_quote(channel, &receipt, &quote, err);
		return rc < 0 ? rc : mkv_quote_write(&quote, into, err);
	}
	rc = sign_key(channel, &quote.key, err);
	if (rc < 0)
		return rc;
	mkv_tpm_key_der(&quote.key, der);
	mkv_base64_write(der, sizeof(der), into);
	mkv_buf_char(into, '\n');
	return mkv_buf_check(into, err);
}

static int sign(int argc, char **argv, struct mkv_error *err)
{
	struct request request;
	auto_channel struct channel channel = {.fd = -1};
	auto_buf struct mkv_buf text = {0};
	int rc = parse_arguments(argc, argv, &request, err);
	if (rc < 0)
		return rc;
	rc = channel_open(request.tpm, request.seconds, &channel, err);
	if (rc < 0)
		return rc;
	rc = drop_privileges(err);
	if (rc < 0)
		return rc;
	rc = execute_request(&request, &channel, &text, err);
	return rc < 0 ? rc : mkv_write_all(1, text.data, text.size, err);
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (sign(argc, argv, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", err.message);
	return mkv_exit_status(err.kind);
}
