/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/evidence/attest/key.h"
#include "lib/json.h"

static int print_json(const char *private_path, const char *public_path,
		      const char *id, struct mkv_error *err)
{
	auto_json json_t *root =
		json_pack("{s:s, s:s, s:s}", "private_key", private_path,
			  "public_key", public_path, "id", id);
	auto_buf struct mkv_buf line = {0};
	if (!root)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(root, &line, err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", line.data);
	return 0;
}

int mkv_cmd_keygen(int argc, char **argv, struct mkv_error *err)
{
	const char *output = NULL;
	bool json = false;
	const struct mkv_option options[] = {
		{"--output", "FILE",
		 "write the private key here and the public key into "
		 "the same directory",
		 &output, NULL},
		{"--json", NULL, "print a JSON object", NULL, &json},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "",
		.description =
			"Makes the Ed25519 key pair that signs builds, as PEM "
			"files: the private key is\n"
			"$XDG_CONFIG_HOME/mkvbench/key.pem (mode 0600), the "
			"public key is key.pub in the\nsame directory. An "
			"existing key is never replaced.",
		.options = options,
		.max_operands = 0,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("keygen", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	auto_free char *default_path = NULL;
	auto_free char *public_path = NULL;
	if (!output) {
		rc = mkv_key_default_path(&default_path, err);
		if (rc < 0)
			return rc;
		output = default_path;
	}
	struct mkv_public_key key;
	rc = mkv_key_generate(output, &key, err);
	if (rc < 0)
		return rc;
	rc = mkv_key_public_path(output, &public_path, err);
	if (rc < 0)
		return rc;
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&key.id, id);
	if (json)
		return print_json(output, public_path, id, err);
	(void)printf("private key: %s\npublic key:  %s\nkey id:      %s\n",
		     output, public_path, id);
	return 0;
}
