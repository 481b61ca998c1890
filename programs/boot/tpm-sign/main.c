/* SPDX-License-Identifier: MIT */
/* tpm-sign: has the machine's TPM 2.0 sign a receipt's digest. The verifier
 * runs it, so that the verifier itself needs no library for that. It opens the
 * TPM as whoever started it and does the rest as nobody.
 *
 *     tpm-sign [--tpm PATH] [--seconds N] key             the key, DER in
 * base64 tpm-sign [--tpm PATH] [--seconds N] quote SHA256    the signature's
 * document
 */

#include <grp.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/base64.h"
#include "lib/io.h"
#include "programs/boot/tpm-sign/sign.h"

enum { NOBODY = 65534, SECONDS = 20, SECONDS_MOST = 600 };

struct request {
	const char *tpm, *action, *digest;
	unsigned seconds;
};

static int drop_privileges(struct mkv_error *err)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return mkv_fail(err, MKV_FAILED, errno, "become nobody: %m");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"give up new privileges: %m");
	return 0;
}

static int usage(struct mkv_error *err)
{
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"usage: tpm-sign [--tpm PATH] [--seconds N] key|quote "
			"SHA256");
}

static int parse(int argc, char **argv, struct request *ret,
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
			return usage(err);
		if (strcmp(argv[at], "--seconds") == 0 &&
		    (*end || ret->seconds == 0 || ret->seconds > SECONDS_MOST))
			return usage(err);
	}
	ret->action = at < argc ? argv[at] : "";
	ret->digest = at + 1 < argc ? argv[at + 1] : NULL;
	if (strcmp(ret->action, "key") == 0	? at + 1 != argc
	    : strcmp(ret->action, "quote") == 0 ? at + 2 != argc
						: true)
		return usage(err);
	return 0;
}

static int answer(const struct request *request, struct channel *channel,
		  struct mkv_buf *into, struct mkv_error *err)
{
	struct mkv_quote quote = {0};
	struct mkv_sha256 receipt;
	uint8_t der[MKV_TPM_KEY_DER_SIZE];
	int rc;
	if (request->digest) {
		rc = mkv_sha256_parse(request->digest, &receipt);
		if (rc < 0)
			return usage(err);
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

static int run(int argc, char **argv, struct mkv_error *err)
{
	struct request request;
	auto_channel struct channel channel = {.fd = -1};
	auto_buf struct mkv_buf text = {0};
	int rc = parse(argc, argv, &request, err);
	if (rc == 0)
		rc = channel_open(request.tpm, request.seconds, &channel, err);
	if (rc == 0)
		rc = drop_privileges(err);
	if (rc == 0)
		rc = answer(&request, &channel, &text, err);
	return rc < 0 ? rc : mkv_write_all(1, text.data, text.size, err);
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (run(argc, argv, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", err.message);
	return mkv_exit_status(err.kind);
}
