/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/evidence/audit/audit.h"
#include "lib/json.h"
#include "lib/text.h"

static const char *origin_word(enum mkv_key_origin origin)
{
	return origin == MKV_KEY_GIVEN ? "given"
	       : origin == MKV_KEY_OWN ? "own"
				       : "inside";
}

static int print_json(const struct mkv_audit_report *report,
		      struct mkv_error *err)
{
	char id[MKV_SHA256_HEX_SIZE];
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *list = json_array();
	mkv_sha256_hex(&report->key.id, id);
	for (size_t i = 0; list && i < report->n_findings; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "path",
					report->findings[i].path, "finding",
					report->findings[i].text));
	auto_json json_t *root = json_pack(
		"{s:s, s:O, s:I, s:{s:s, s:s, s:b}, s:I, s:I, s:I, s:I}",
		"result", report->n_findings ? "findings" : "clean", "findings",
		list, "omitted", (json_int_t)report->omitted, "key", "id", id,
		"origin", origin_word(report->key_origin), "proves_origin",
		report->key_origin != MKV_KEY_INSIDE, "files",
		(json_int_t)report->files, "bytes", (json_int_t)report->bytes,
		"signatures", (json_int_t)report->signatures, "entries",
		(json_int_t)report->entries);
	if (!root || json_array_size(list) != report->n_findings)
		return mkv_oom(err);
	int rc = mkv_json_dump(root, &text, err);
	if (rc < 0)
		return rc;
	(void)fwrite(text.data, 1, text.size, stdout);
	return 0;
}

static void print_text(const struct mkv_audit_report *report)
{
	char id[MKV_SHA256_HEX_SIZE], size[16];
	for (size_t i = 0; i < report->n_findings; i++)
		(void)printf("%s: %s\n", report->findings[i].path,
			     report->findings[i].text);
	if (report->omitted)
		(void)printf("... and %ju more\n", (uintmax_t)report->omitted);
	mkv_sha256_hex(&report->key.id, id);
	mkv_size_text(report->bytes, size);
	(void)printf("audit: ");
	if (report->n_findings)
		(void)printf("%ju findings",
			     (uintmax_t)(report->n_findings + report->omitted));
	else
		(void)printf("clean");
	(void)printf("; %ju files (%s), %ju signatures, %ju paths in images; "
		     "key %s, %s\n",
		     (uintmax_t)report->files, size,
		     (uintmax_t)report->signatures, (uintmax_t)report->entries,
		     id,
		     report->key_origin == MKV_KEY_GIVEN ? "as given"
		     : report->key_origin == MKV_KEY_OWN
			     ? "your own"
			     : "from the appliance itself: proves that nothing "
			       "changed since it was signed, not who signed it "
			       "(--key)");
}

int mkv_cmd_audit(int argc, char **argv, struct mkv_error *err)
{
	struct mkv_audit_options options = {0};
	bool json = false, quiet = false;
	const struct mkv_option table[] = {
		{"--deep", NULL,
		 "read every disk and compare all paths, partitions and boot "
		 "files",
		 NULL, &options.deep},
		{"--key", "FILE", "the public key (PEM) of the expected signer",
		 &options.key, NULL},
		{"--json", NULL, "print the findings as JSON", NULL, &json},
		{"--quiet", NULL, "print no progress", NULL, &quiet},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "APPLIANCE | DISK.raw",
		.description =
			"Checks a finished appliance: signatures, the digest of every file, missing and\n"
			"extra files, contract, OCI layers. With --deep, or when the operand is a disk\n"
			"image, it also reads everything inside the disks with libguestfs. Without --key it\n"
			"uses your own public key, or, if there is none, the key in the appliance, which\n"
			"proves integrity but not origin.\n"
			"Exit status: 0 clean, 3 this host can't check it, 4 findings.",
		.options = table,
		.min_operands = 1,
		.max_operands = 1,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("audit", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	auto_progress struct mkv_progress *progress =
		mkv_progress_new(mkv_progress_mode(json, quiet));
	auto_audit_report struct mkv_audit_report report = {0};
	options.path = argv[0];
	options.progress = progress;
	rc = mkv_audit_run(&options, &report, err);
	if (rc < 0)
		return rc;
	if (json)
		rc = print_json(&report, err);
	else
		print_text(&report);
	if (rc < 0 || report.n_findings == 0)
		return rc;
	err->kind = MKV_UNVERIFIED;
	err->message[0] = '\0';
	return -EBADMSG;
}
