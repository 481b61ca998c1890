/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "builder/audit/audit.h"
#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/receipt/review.h"
#include "lib/io.h"

enum { MANIFEST_MAX = 64 << 20, RECEIPT_FILE_MAX = 8 << 20 };

/* The manifest of an appliance whose signatures and digests hold, and the
 * digest of the contract's bytes as its images carry them. */
static int load_contract(const struct mkv_audit_options *options,
			 struct mkv_manifest **ret,
			 char hex[static MKV_SHA256_HEX_SIZE],
			 enum mkv_key_origin *ret_origin, struct mkv_error *err)
{
	auto_audit_report struct mkv_audit_report report = {0};
	auto_buf struct mkv_buf path = {0}, text = {0}, bytes = {0};
	struct mkv_sha256 sha256;
	int rc = mkv_audit_run(options, &report, err);
	if (rc < 0)
		return rc;
	if (report.n_findings)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the appliance isn't as it was built (%s: %s); "
				"`mkvbench audit` says more",
				report.findings[0].path,
				report.findings[0].text);
	*ret_origin = report.key_origin;
	mkv_buf_printf(&path, "%s/manifest.json", options->path);
	rc = mkv_buf_check(&path, err);
	if (rc == 0)
		rc = mkv_read_file(AT_FDCWD, path.data, MANIFEST_MAX, &text,
				   err);
	auto_manifest struct mkv_manifest *manifest = NULL;
	if (rc == 0)
		rc = mkv_manifest_parse(text.data ? text.data : "", text.size,
					&manifest, err);
	if (rc == 0)
		rc = mkv_json_dump(manifest->contract->document, &bytes, err);
	if (rc == 0)
		rc = mkv_sha256_bytes(bytes.data, bytes.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	*ret = mkv_take(manifest);
	return 0;
}

static int print_review(const char *path,
			const struct mkv_receipt_review *review, bool json,
			struct mkv_error *err)
{
	if (!json) {
		for (size_t i = 0; i < review->n_problems; i++)
			(void)printf("%s: %s\n", path, review->problems[i]);
		(void)printf(
			"%s: host %s, %s, boot %s: %s; unsigned evidence\n",
			path, review->host, review->phase, review->boot_id,
			review->n_problems ? "doesn't hold" : "holds");
		return 0;
	}
	auto_json json_t *problems = json_array();
	for (size_t i = 0; i < review->n_problems; i++)
		(void)json_array_append_new(problems,
					    json_string(review->problems[i]));
	auto_json json_t *root = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:O}", "receipt", path, "host",
		review->host, "phase", review->phase, "boot_id",
		review->boot_id, "result", review->result, "holds",
		review->n_problems == 0, "problems", problems);
	auto_buf struct mkv_buf line = {0};
	if (!root)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(root, &line, err);
	if (rc == 0)
		(void)printf("%s\n", line.data);
	return rc;
}

static int review_file(const char *path, const struct mkv_contract *contract,
		       const char *sha256, bool json, bool *holds,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_receipt_review struct mkv_receipt_review review = {0};
	int rc = mkv_read_file(AT_FDCWD, path, RECEIPT_FILE_MAX, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_receipt_review(contract, sha256, text.data ? text.data : "",
				text.size, &review, err);
	if (rc < 0) {
		err->kind = MKV_UNVERIFIED;
		return mkv_wrap(err, rc, "receipt '%s'", path);
	}
	*holds = *holds && review.n_problems == 0;
	return print_review(path, &review, json, err);
}

int mkv_cmd_receipt(int argc, char **argv, struct mkv_error *err)
{
	struct mkv_audit_options options = {0};
	bool json = false, done = false, holds = true;
	const struct mkv_option table[] = {
		{"--key", "FILE",
		 "the public key (PEM) of who should have signed the contract",
		 &options.key, NULL},
		{"--json", NULL, "a JSON line for each receipt", NULL, &json},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "verify APPLIANCE RECEIPT.json ...",
		.description =
			"Looks at receipts off the machines that wrote them: "
			"the contract they name is the\nappliance's, the "
			"verdict "
			"follows from the findings, and everything promised "
			"was\n"
			"asked and seen. A receipt isn't signed: this can't "
			"tell "
			"a forged one.\nExit status: 0 all hold, 4 some don't.",
		.options = table,
		.min_operands = 3,
		.max_operands = -1,
	};
	int operands = 0;
	int rc = mkv_options_parse("receipt", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	if (strcmp(argv[0], "verify") != 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"usage: mkvbench receipt %s", usage.synopsis);
	auto_manifest struct mkv_manifest *manifest = NULL;
	char sha256[MKV_SHA256_HEX_SIZE];
	enum mkv_key_origin origin = MKV_KEY_INSIDE;
	options.path = argv[1];
	rc = load_contract(&options, &manifest, sha256, &origin, err);
	for (int i = 2; rc == 0 && i < operands; i++)
		rc = review_file(argv[i], manifest->contract, sha256, json,
				 &holds, err);
	if (rc < 0)
		return rc;
	if (!json && origin == MKV_KEY_INSIDE)
		(void)printf("The contract's key came with it: this proves no "
			     "origin; see --key.\n");
	if (holds)
		return 0;
	err->kind = MKV_UNVERIFIED;
	err->message[0] = '\0';
	return -EBADMSG;
}
