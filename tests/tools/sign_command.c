/* SPDX-License-Identifier: MIT */
/* Signs a command for tests: the predicate from standard input, the bundle to
 * standard output.
 *
 *     sign_command KEY.pem          by mkv_command_sign(): only a valid one
 *     sign_command KEY.pem raw [TYPE [SUBJECT]]
 *                                   any JSON object as the predicate of a
 *                                   statement of that type about SUBJECT
 *                                   (plan.json) with the digest plan_sha256 */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "lib/dsse.h"
#include "lib/io.h"

static int sign_raw(const struct mkv_private_key *key, json_t *predicate,
		    const char *type, const char *subject, struct mkv_buf *ret,
		    struct mkv_error *err)
{
	auto_buf struct mkv_buf statement = {0};
	struct mkv_sha256 plan = {0};
	const char *hex =
		json_string_value(json_object_get(predicate, "plan_sha256"));
	if (hex && mkv_sha256_parse(hex, &plan) < 0)
		plan = (struct mkv_sha256){0};
	int rc = mkv_statement_print(
		json_pack("[o]", mkv_statement_subject(subject, &plan)), type,
		predicate, &statement, err);
	return rc < 0 ? rc
		      : mkv_dsse_sign(key, statement.data, statement.size, ret,
				      err);
}

static int sign(int argc, char **argv, struct mkv_buf *ret,
		struct mkv_error *err)
{
	auto_private_key struct mkv_private_key *key = NULL;
	auto_buf struct mkv_buf text = {0}, raw = {0};
	auto_command struct mkv_command *command = NULL;
	json_t *predicate = NULL;
	bool is_raw = argc > 2;
	int rc = mkv_private_key_load(argv[1], &key, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_fd(STDIN_FILENO, 16 << 20, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_load(text.data ? text.data : "", text.size, &predicate,
			   err);
	if (rc < 0)
		return rc;
	rc = sign_raw(key, predicate,
		      argc > 3 ? argv[3] : MKV_PREDICATE_COMMAND,
		      argc > 4 ? argv[4] : MKV_COMMAND_SUBJECT,
		      is_raw ? ret : &raw, err);
	if (rc < 0 || is_raw)
		return rc;
	rc = mkv_command_verify(raw.data, raw.size, mkv_private_key_public(key),
				&command, err);
	return rc < 0 ? rc : mkv_command_sign(key, command, ret, err);
}

int main(int argc, char **argv)
{
	auto_buf struct mkv_buf bundle = {0};
	struct mkv_error err = {0};
	if (argc < 2 || (argc > 2 && strcmp(argv[2], "raw") != 0)) {
		fputs("usage: sign_command KEY.pem [raw [TYPE [SUBJECT]]]\n",
		      stderr);
		return 2;
	}
	if (sign(argc, argv, &bundle, &err) < 0 ||
	    mkv_write_all(STDOUT_FILENO, bundle.data, bundle.size, &err) < 0) {
		fprintf(stderr, "sign_command: %s\n", err.message);
		return 1;
	}
	return 0;
}
