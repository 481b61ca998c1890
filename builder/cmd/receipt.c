/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/cmd/report.h"
#include "builder/evidence/audit/audit.h"
#include "builder/evidence/receipt/correlate.h"
#include "builder/evidence/receipt/review.h"
#include "lib/io.h"

enum { MANIFEST_MAX = 64 << 20, RECEIPT_FILE_MAX = 8 << 20 };

/* The receipts of one command line, reviewed together. */
struct receipts {
	char **paths; /* borrowed */
	struct mkv_buf *texts;
	json_t **documents;
	struct mkv_receipt_boot *boots; /* of the reviewed receipts */
	size_t count;
};
static void receipts_done(struct receipts *receipts)
{
	for (size_t i = 0; i < receipts->count; i++) {
		mkv_buf_done(&receipts->texts[i]);
		json_decref(receipts->documents[i]);
	}
	free(receipts->texts);
	free(receipts->documents);
	free(receipts->boots);
}
#define auto_receipts __attribute__((cleanup(receipts_done)))

/* Audits the appliance; then the manifest, and the SHA-256 of the contract's
 * bytes as the images carry them. */
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
		return mkv_fail(
			err, MKV_UNVERIFIED, EBADMSG,
			"the appliance was modified since it was built (%s: "
			"%s); run `mkvbench audit` for all findings",
			report.findings[0].path, report.findings[0].text);
	*ret_origin = report.key_origin;
	mkv_buf_printf(&path, "%s/manifest.json", options->path);
	rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(AT_FDCWD, path.data, MANIFEST_MAX, &text, err);
	if (rc < 0)
		return rc;
	auto_manifest struct mkv_manifest *manifest = NULL;
	rc = mkv_manifest_parse(text.data ? text.data : "", text.size,
				&manifest, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_dump(manifest->contract->document, &bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(bytes.data, bytes.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	*ret = mkv_take(manifest);
	return 0;
}

static void print_signature(const struct mkv_receipt_review *review)
{
	switch (review->signature) {
	case MKV_RECEIPT_UNSIGNED:
		(void)printf("unsigned evidence (%s)\n",
			     review->unsigned_because);
		return;
	case MKV_RECEIPT_UNKNOWN_KEY:
		(void)printf("signed by TPM key %s, which the contract doesn't "
			     "name: counts as unsigned\n",
			     review->tpm_key);
		return;
	case MKV_RECEIPT_SIGNED:
		(void)printf("signed by the TPM that the contract names, after "
			     "its reset %u\n",
			     review->attest.resets);
		return;
	case MKV_RECEIPT_BROKEN_SIGNATURE:
		(void)printf("its signature is invalid\n");
	}
}

static void print_text(const char *path,
		       const struct mkv_receipt_review *review)
{
	for (size_t i = 0; i < review->n_problems; i++)
		(void)printf("%s: %s\n", path, review->problems[i]);
	if (review->n_omitted)
		(void)printf("%s: ... and %zu more problems\n", path,
			     review->n_omitted);
	(void)printf("%s: host %s, %s, boot %s: %s; ", path, review->host,
		     review->phase, review->boot_id,
		     review->n_problems ? "doesn't hold" : "holds");
	print_signature(review);
}

/* The TPM's own statements in the signature; NULL without a valid signature. */
static json_t *tpm_json(const struct mkv_receipt_review *review)
{
	const struct mkv_attest *attest = &review->attest;
	if (!review->tpm_key[0])
		return NULL;
	return json_pack(
		"{s:s, s:I, s:I, s:I, s:b, s:o}", "key", review->tpm_key,
		"clock_ms", (json_int_t)attest->clock_ms, "resets",
		(json_int_t)attest->resets, "restarts",
		(json_int_t)attest->restarts, "clock_is_safe",
		attest->clock_is_safe, "firmware",
		json_sprintf("%016llx", (unsigned long long)attest->firmware));
}

/* NULL out of memory. */
static json_t *problems_json(const struct mkv_receipt_review *review)
{
	auto_json json_t *problems = json_array();
	for (size_t i = 0; i < review->n_problems; i++)
		if (json_array_append_new(problems,
					  json_string(review->problems[i])) < 0)
			return NULL;
	return mkv_take(problems);
}

/* "tied_to" is the receipt that this one is correlated with: programs that read
 * this output know the key by that name. */
static int print_json(const char *path, const struct mkv_receipt_review *review,
		      const char *correlated_with, struct mkv_error *err)
{
	auto_json json_t *problems = problems_json(review);
	if (!problems)
		return mkv_oom(err);
	auto_json json_t *root = json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:s, s:o*, s:o*, s:b, s:O, s:I}",
		"receipt", mkv_report_text(path), "host", review->host, "phase",
		review->phase, "boot_id", review->boot_id, "result",
		review->result, "signature",
		mkv_receipt_signature_name(review->signature), "tpm",
		tpm_json(review), "tied_to",
		correlated_with ? mkv_report_text(correlated_with) : NULL,
		"holds", review->n_problems == 0, "problems", problems,
		"omitted", (json_int_t)review->n_omitted);
	auto_buf struct mkv_buf line = {0};
	if (!root)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(root, &line, err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", line.data);
	return 0;
}

/* Reads the signature of NAME.json, NAME.tpm.json in the same directory; empty
 * when that file is missing. */
static int read_signature(const char *path, struct mkv_buf *ret,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf path_of_tpm = {0};
	size_t length = strlen(path);
	if (length > 5 && strcmp(path + length - 5, ".json") == 0)
		length -= 5;
	mkv_buf_printf(&path_of_tpm, "%.*s.tpm.json", (int)length, path);
	int rc = mkv_buf_check(&path_of_tpm, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(AT_FDCWD, path_of_tpm.data, MKV_QUOTE_LIMIT_BYTES,
			   ret, err);
	return rc == -ENOENT ? 0 : rc;
}

static void print_correlation(enum mkv_correlation correlation,
			      const struct receipts *all, size_t which,
			      size_t with)
{
	if (correlation == MKV_CORRELATION_ABSENT)
		(void)printf(
			"%s: not correlated: the receipt of its hypervisor "
			"host is missing, so pinning and huge pages are "
			"not established\n",
			all->paths[which]);
	if (correlation == MKV_CORRELATED)
		(void)printf("%s: correlated with %s: the hypervisor host ran "
			     "the domain of this boot\n",
			     all->paths[which], all->paths[with]);
}

/* Reviews the evidence and receipt.broken.json in the receipt's directory. */
static int review_directory(const char *path, const json_t *document,
			    struct mkv_receipt_review *review,
			    struct mkv_error *err)
{
	auto_free char *directory = strdup(path);
	if (!directory)
		return mkv_oom(err);
	auto_fd int fd =
		open(dirname(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				directory);
	int rc = mkv_receipt_review_evidence(document, fd, review, err);
	return rc < 0 ? rc : mkv_receipt_review_broken(fd, review, err);
}

/* The receipt by itself: its text, its signature, its directory. */
static int review_document(const struct receipts *all, size_t which,
			   const struct mkv_contract *contract,
			   const char *sha256, const struct mkv_buf *signature,
			   struct mkv_receipt_review *review,
			   struct mkv_error *err)
{
	const struct mkv_buf *text = &all->texts[which];
	int rc = mkv_receipt_review(contract, sha256,
				    text->data ? text->data : "", text->size,
				    review, err);
	if (rc < 0)
		return rc;
	rc = mkv_receipt_review_signature(contract, text->data, text->size,
					  signature->data, signature->size,
					  review, err);
	if (rc < 0)
		return rc;
	return review_directory(all->paths[which], all->documents[which],
				review, err);
}

static int review_file(const struct receipts *all, size_t which,
		       const struct mkv_contract *contract, const char *sha256,
		       bool json, bool *holds, struct mkv_error *err)
{
	const char *path = all->paths[which];
	auto_receipt_review struct mkv_receipt_review review = {0};
	auto_buf struct mkv_buf signature = {0};
	int rc = read_signature(path, &signature, err);
	if (rc < 0)
		return rc;
	rc = review_document(all, which, contract, sha256, &signature, &review,
			     err);
	if (rc < 0) {
		err->kind = MKV_UNVERIFIED;
		return mkv_wrap(err, rc, "receipt '%s'", path);
	}
	rc = mkv_receipt_review_boot(&review, all->boots, which,
				     &all->boots[which], err);
	if (rc < 0)
		return rc;
	size_t with = which;
	enum mkv_correlation correlation = MKV_CORRELATION_NONE;
	rc = mkv_receipt_correlate(contract, all->documents, all->count, which,
				   &review, &correlation, &with, err);
	if (rc < 0)
		return rc;
	*holds = *holds && review.n_problems == 0;
	if (json)
		return print_json(
			path, &review,
			correlation == MKV_CORRELATED ? all->paths[with] : NULL,
			err);
	print_text(path, &review);
	print_correlation(correlation, all, which, with);
	return 0;
}

static int load_receipts(char **paths, size_t count, struct receipts *ret,
			 struct mkv_error *err)
{
	ret->paths = paths;
	ret->texts = calloc(count, sizeof(*ret->texts));
	ret->documents = calloc(count, sizeof(*ret->documents));
	ret->boots = calloc(count, sizeof(*ret->boots));
	if (!ret->texts || !ret->documents || !ret->boots)
		return mkv_oom(err);
	for (size_t i = 0; i < count; i++) {
		struct mkv_buf *text = &ret->texts[i];
		ret->count = i + 1;
		int rc = mkv_read_file(AT_FDCWD, paths[i], RECEIPT_FILE_MAX,
				       text, err);
		if (rc < 0)
			return rc;
		rc = mkv_json_load(text->data ? text->data : "", text->size,
				   &ret->documents[i], err);
		if (rc < 0) {
			err->kind = MKV_UNVERIFIED;
			return mkv_wrap(err, rc, "receipt '%s'", paths[i]);
		}
	}
	return 0;
}

int mkv_cmd_receipt(int argc, char **argv, struct mkv_error *err)
{
	struct mkv_audit_options options = {0};
	bool json = false, done = false, holds = true;
	const struct mkv_option table[] = {
		{"--key", "FILE",
		 "the public key (PEM) of the contract's expected signer",
		 &options.key, NULL},
		{"--json", NULL, "print one JSON line for each receipt", NULL,
		 &json},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "verify APPLIANCE RECEIPT.json ...",
		.description =
			"Checks receipts without the machines that wrote them: that they name the\n"
			"appliance's contract, that the verdict follows from the findings, and that every\n"
			"promised check ran. A receipt.broken.json of the same boot in the same directory\n"
			"counts against a receipt. A TPM signature, receipt.tpm.json in the same directory,\n"
			"is verified with the key that the contract names for the host; without it a receipt\n"
			"is unsigned evidence, and a forged receipt is not detected. A guest's receipt is\n"
			"correlated with its hypervisor host's, if both are given, by the domain's UUID and\n"
			"the times of their starts.\n"
			"Exit status: 0 all receipts hold, 4 some don't.",
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
		return mkv_error_suggest(
			err,
			mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				 "receipt: unknown action '%s' (did you mean "
				 "'verify'?); usage: mkvbench receipt %s",
				 argv[0], usage.synopsis),
			"verify");
	auto_manifest struct mkv_manifest *manifest = NULL;
	char sha256[MKV_SHA256_HEX_SIZE];
	enum mkv_key_origin origin = MKV_KEY_INSIDE;
	options.path = argv[1];
	rc = load_contract(&options, &manifest, sha256, &origin, err);
	if (rc < 0)
		return rc;
	auto_receipts struct receipts all = {0};
	rc = load_receipts(argv + 2, (size_t)operands - 2, &all, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < all.count; i++) {
		rc = review_file(&all, i, manifest->contract, sha256, json,
				 &holds, err);
		if (rc < 0)
			return rc;
	}
	if (!json && origin == MKV_KEY_INSIDE)
		(void)printf("the contract was checked with the key from the "
			     "appliance itself: this proves no origin "
			     "(--key)\n");
	if (holds)
		return 0;
	err->kind = MKV_UNVERIFIED;
	err->message[0] = '\0';
	return -EBADMSG;
}
