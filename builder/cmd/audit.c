/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/evidence/audit/audit.h"
#include "builder/evidence/audit_bundle/audit_bundle.h"
#include "lib/json.h"
#include "lib/text.h"

static const char *origin_word(enum mkv_key_origin origin)
{
	return origin == MKV_KEY_GIVEN ? "given"
	       : origin == MKV_KEY_OWN ? "own"
				       : "inside";
}

/* The document of an audit; NULL: out of memory. */
static json_t *report_json(const struct mkv_audit_report *report)
{
	char id[MKV_SHA256_HEX_SIZE];
	auto_json json_t *list = json_array();
	mkv_sha256_hex(&report->key.id, id);
	for (size_t i = 0; list && i < report->n_findings; i++)
		if (json_array_append_new(
			    list, json_pack("{s:s, s:s}", "path",
					    report->findings[i].path, "finding",
					    report->findings[i].text)) < 0)
			return NULL;
	return json_pack(
		"{s:s, s:O, s:I, s:{s:s, s:s, s:b}, s:I, s:I, s:I, s:I}",
		"result", report->n_findings ? "findings" : "clean", "findings",
		list, "omitted", (json_int_t)report->omitted, "key", "id", id,
		"origin", origin_word(report->key_origin), "proves_origin",
		report->key_origin != MKV_KEY_INSIDE, "files",
		(json_int_t)report->files, "bytes", (json_int_t)report->bytes,
		"signatures", (json_int_t)report->signatures, "entries",
		(json_int_t)report->entries);
}

/* Takes the reference. */
static int print_json(json_t *document, struct mkv_error *err)
{
	auto_json json_t *own = document;
	auto_buf struct mkv_buf text = {0};
	if (!own)
		return mkv_oom(err);
	int rc = mkv_json_dump(own, &text, err);
	if (rc < 0)
		return rc;
	(void)fwrite(text.data, 1, text.size, stdout);
	return 0;
}

/* The findings and the beginning of the summary. */
static void print_findings(const struct mkv_audit_report *report)
{
	char size[16];
	for (size_t i = 0; i < report->n_findings; i++)
		(void)printf("%s: %s\n", report->findings[i].path,
			     report->findings[i].text);
	if (report->omitted)
		(void)printf("... and %ju more\n", (uintmax_t)report->omitted);
	mkv_size_text(report->bytes, size);
	(void)printf("audit: ");
	if (report->n_findings)
		(void)printf("%ju findings",
			     (uintmax_t)(report->n_findings + report->omitted));
	else
		(void)printf("clean");
	(void)printf("; %ju files (%s), %ju signatures, ",
		     (uintmax_t)report->files, size,
		     (uintmax_t)report->signatures);
}

static void print_key(const struct mkv_audit_report *report, const char *inside)
{
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&report->key.id, id);
	(void)printf("key %s, ", id);
	if (report->key_origin == MKV_KEY_INSIDE)
		(void)printf("from the %s itself: proves that nothing changed "
			     "since it was signed, not who signed it (--key)\n",
			     inside);
	else
		(void)printf("%s\n", report->key_origin == MKV_KEY_GIVEN
					     ? "as given"
					     : "your own");
}

static void print_text(const struct mkv_audit_report *report)
{
	print_findings(report);
	(void)printf("%ju paths in images; ", (uintmax_t)report->entries);
	print_key(report, "appliance");
}

static void print_bundle_text(const struct mkv_bundle_report *report)
{
	for (size_t i = 0; i < report->missing.count; i++)
		(void)printf("missing: run '%s' has no valid attempt\n",
			     report->missing.items[i]);
	if (report->uncorrelated)
		(void)printf("not correlated: %ju receipts of guests, whose "
			     "hypervisor host took no part: its pins and pages "
			     "are not established\n",
			     (uintmax_t)report->uncorrelated);
	print_findings(&report->audit);
	(void)printf("campaign '%s'%s%s%s: %ju of %ju runs valid, %ju invalid "
		     "attempts, %ju requests, %ju spans, %ju samples; ",
		     report->campaign,
		     report->is_trial ? ", TRIAL of scale " : "",
		     report->is_trial ? report->scale : "",
		     report->is_finished ? "" : ", not finished",
		     (uintmax_t)report->valid, (uintmax_t)report->planned,
		     (uintmax_t)report->invalid, (uintmax_t)report->requests,
		     (uintmax_t)report->spans, (uintmax_t)report->samples);
	print_key(&report->audit, "bundle");
}

/* NULL: out of memory. */
static json_t *bundle_json(const struct mkv_bundle_report *report)
{
	auto_json json_t *root = report_json(&report->audit);
	json_t *missing = json_array();
	for (size_t i = 0; i < report->missing.count; i++)
		json_array_append_new(missing,
				      json_string(report->missing.items[i]));
	auto_json json_t *more = json_pack(
		"{s:s, s:b, s:s, s:b, s:{s:I, s:I, s:I, s:o}, s:I, s:I, s:I, s:I}",
		"campaign", report->campaign, "trial", report->is_trial,
		"scale", report->scale, "finished", report->is_finished, "runs",
		"planned", (json_int_t)report->planned, "valid",
		(json_int_t)report->valid, "invalid_attempts",
		(json_int_t)report->invalid, "missing", missing, "requests",
		(json_int_t)report->requests, "spans",
		(json_int_t)report->spans, "samples",
		(json_int_t)report->samples, "uncorrelated_guests",
		(json_int_t)report->uncorrelated);
	if (!root || !more || json_object_update(root, more) < 0)
		return NULL;
	json_object_del(root, "entries");
	return mkv_take(root);
}

/* The exit status of findings, which were printed already. */
static int find_status(const struct mkv_audit_report *report,
		       struct mkv_error *err)
{
	if (report->n_findings == 0)
		return 0;
	err->kind = MKV_UNVERIFIED;
	err->message[0] = '\0';
	return -EBADMSG;
}

static int audit_bundle(const struct mkv_audit_options *options, bool json,
			struct mkv_error *err)
{
	auto_bundle_report struct mkv_bundle_report report = {0};
	int rc = mkv_bundle_audit(options, &report, err);
	if (rc < 0)
		return rc;
	if (json)
		rc = print_json(bundle_json(&report), err);
	else
		print_bundle_text(&report);
	return rc < 0 ? rc : find_status(&report.audit, err);
}

static int audit_appliance(const struct mkv_audit_options *options, bool json,
			   struct mkv_error *err)
{
	auto_audit_report struct mkv_audit_report report = {0};
	int rc = mkv_audit_run(options, &report, err);
	if (rc < 0)
		return rc;
	if (json)
		rc = print_json(report_json(&report), err);
	else
		print_text(&report);
	return rc < 0 ? rc : find_status(&report, err);
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
		.synopsis = "APPLIANCE | DISK.raw | BUNDLE",
		.description =
			"Checks a finished appliance: signatures, the digest of every file, missing and\n"
			"extra files, contract, OCI layers. With --deep, or when the operand is a disk\n"
			"image, it also reads everything inside the disks with libguestfs. Without --key it\n"
			"uses your own public key, or, if there is none, the key in the appliance, which\n"
			"proves integrity but not origin.\n"
			"A result bundle of `mkvbench run` is checked, too: signatures, journal, digests,\n"
			"that its runs are those of its plan, and that receipts, spans and runs name the\n"
			"same contract and boots. Runs without a valid attempt are listed as missing.\n"
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
	options.path = argv[0];
	options.progress = progress;
	return mkv_bundle_is_at(argv[0]) ? audit_bundle(&options, json, err)
					 : audit_appliance(&options, json, err);
}
