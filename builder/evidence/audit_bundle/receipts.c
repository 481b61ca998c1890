/* SPDX-License-Identifier: MIT */
/* receipts/HOST/{before,after}/: each receipt holds, is of this contract and of
 * the boot that run.json names, and the guests ran on their hypervisor host. */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "builder/evidence/receipt/correlate.h"
#include "lib/grow.h"

static const char *const sides[] = {"before", "after"};
static const char *const names[] = {"receipt", "receipt-after-start",
				    "receipt-watch"};

/* The receipts of the boots, for the correlation of guests and hosts. */
struct gate {
	struct mkv_bundle_run_audit *run;
	json_t **documents;
	char (*paths)[512];
	size_t count;
};
static void gate_done(struct gate *gate)
{
	for (size_t i = 0; i < gate->count; i++)
		json_decref(gate->documents[i]);
	free(gate->documents);
	free(gate->paths);
}

/* One receipt. */
struct file {
	struct mkv_bundle_run_audit *run;
	const char *host;
	char directory[400], path[512], tpm_path[512];
	bool is_gate; /* before/receipt.json */
};

static void report_problems(const struct file *file,
			    const struct mkv_receipt_review *review)
{
	for (size_t i = 0; i < review->n_problems; i++)
		mkv_bundle_find(file->run->at, file->path, "%s",
				review->problems[i]);
	if (review->n_omitted)
		mkv_bundle_find(file->run->at, file->path, "%zu more problems",
				review->n_omitted);
}

static void check_boot(const struct file *file,
		       const struct mkv_receipt_review *review)
{
	const char *boot = mkv_bundle_boot_of(file->run, file->host);
	if (strcmp(review->host, file->host) != 0)
		mkv_bundle_find(file->run->at, file->path, "is of host '%s'",
				review->host);
	if (!boot || strcmp(review->boot_id, boot) != 0)
		mkv_bundle_find(file->run->at, file->path,
				"is of boot '%s', and run.json names '%s'",
				review->boot_id, boot ? boot : "none");
	if (strcmp(review->result, "pass") != 0 &&
	    strcmp(review->result, "warn") != 0)
		mkv_bundle_find(file->run->at, file->path, "doesn't pass: '%s'",
				review->result);
}

/* The signature, the evidence and receipt.broken.json beside the receipt. */
static int review_beside(const struct file *file, const struct mkv_buf *text,
			 const json_t *document,
			 struct mkv_receipt_review *review,
			 struct mkv_error *err)
{
	struct mkv_bundle_audit *at = file->run->at;
	auto_buf struct mkv_buf signature = {0};
	auto_fd int tpm = -1;
	int rc = mkv_audit_open(&at->audit, file->tpm_path, &tpm);
	if (rc == 0)
		rc = mkv_audit_read(&at->audit, file->tpm_path,
				    MKV_QUOTE_LIMIT_BYTES, &signature, err);
	if (rc == -ENOMEM)
		return rc;
	rc = mkv_receipt_review_signature(file->run->contract, text->data,
					  text->size, signature.data,
					  signature.size, review, err);
	if (rc < 0)
		return rc;
	auto_fd int fd =
		openat(at->audit.dirfd, file->directory,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				file->directory);
	rc = mkv_receipt_review_evidence(document, fd, review, err);
	if (rc < 0)
		return rc;
	rc = mkv_receipt_review_broken(fd, review, err);
	if (rc < 0)
		return rc;
	struct mkv_receipt_boot *boot =
		mkv_grow(&at->tpm_boots, &at->n_tpm_boots);
	return boot ? mkv_receipt_review_boot(review, at->tpm_boots,
					      at->n_tpm_boots - 1, boot, err)
		    : mkv_oom(err);
}

static int review_file(const struct file *file, const struct mkv_buf *text,
		       const json_t *document, struct mkv_error *err)
{
	auto_receipt_review struct mkv_receipt_review review = {0};
	int rc = mkv_receipt_review(file->run->contract,
				    file->run->arm->contract_sha256, text->data,
				    text->size, &review, err);
	if (rc >= 0)
		rc = review_beside(file, text, document, &review, err);
	if (rc < 0)
		return mkv_bundle_find_error(file->run->at, file->path, rc,
					     err);
	report_problems(file, &review);
	check_boot(file, &review);
	return 0;
}

static int keep_gate(struct gate *gate, const struct file *file,
		     json_t *document, struct mkv_error *err)
{
	size_t count = gate->count;
	char(*path)[512] = mkv_grow(&gate->paths, &count);
	if (!path)
		return mkv_oom(err);
	memcpy(path, file->path, sizeof(file->path));
	json_t **kept = mkv_grow(&gate->documents, &gate->count);
	if (!kept)
		return mkv_oom(err);
	*kept = json_incref(document);
	return 0;
}

static int audit_file(struct gate *gate, const struct file *file,
		      struct mkv_error *err)
{
	struct mkv_bundle_audit *at = file->run->at;
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *document = NULL;
	int rc = mkv_audit_read(&at->audit, file->path, MKV_BUNDLE_JSON_MAX,
				&text, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_json_load(text.data ? text.data : "", text.size, &document,
			   err);
	if (rc < 0)
		return mkv_bundle_find_error(at, file->path, rc, err);
	rc = review_file(file, &text, document, err);
	if (rc < 0 || !file->is_gate)
		return rc;
	return keep_gate(gate, file, document, err);
}

static int audit_host(struct gate *gate, const char *host,
		      struct mkv_error *err)
{
	struct mkv_bundle_run_audit *run = gate->run;
	for (size_t s = 0; s < 2; s++)
		for (size_t n = 0; n < 3; n++) {
			struct file file = {.run = run,
					    .host = host,
					    .is_gate = s == 0 && n == 0};
			char name[160];
			(void)snprintf(name, sizeof(name),
				       "receipts/%.64s/%s/%s.json", host,
				       sides[s], names[n]);
			(void)snprintf(file.directory, sizeof(file.directory),
				       "%s/receipts/%.64s/%s", run->path, host,
				       sides[s]);
			mkv_bundle_file_path(run, name, file.path);
			(void)snprintf(file.tpm_path, sizeof(file.tpm_path),
				       "%s/%s.tpm.json", file.directory,
				       names[n]);
			if (!mkv_bundle_has_file(run, name)) {
				if (n == 0)
					mkv_bundle_find(run->at, file.path,
							"missing");
				continue;
			}
			int rc = audit_file(gate, &file, err);
			if (rc < 0)
				return rc;
		}
	return 0;
}

/* A guest whose hypervisor host the contract promises ran on that host. */
static int correlate(const struct gate *gate, size_t which,
		     struct mkv_error *err)
{
	struct mkv_bundle_run_audit *run = gate->run;
	auto_receipt_review struct mkv_receipt_review review = {0};
	enum mkv_correlation correlation = MKV_CORRELATION_NONE;
	size_t with = 0;
	const char *host = json_string_value(json_object_get(
		json_object_get(gate->documents[which], "host"), "name"));
	(void)snprintf(review.host, sizeof(review.host), "%s",
		       host ? host : "");
	int rc = mkv_receipt_correlate(run->contract, gate->documents,
				       gate->count, which, &review,
				       &correlation, &with, err);
	if (rc < 0)
		return rc;
	const struct mkv_contract_host *below =
		mkv_contract_find_hypervisor_host(run->contract, review.host);
	if (correlation == MKV_CORRELATION_ABSENT && below &&
	    mkv_bundle_boot_of(run, below->name))
		mkv_bundle_find(
			run->at, gate->paths[which],
			"the receipt of its hypervisor host is missing");
	else if (correlation == MKV_CORRELATION_ABSENT)
		run->at->report->uncorrelated++;
	for (size_t i = 0; i < review.n_problems; i++)
		mkv_bundle_find(run->at, gate->paths[which], "%s",
				review.problems[i]);
	return 0;
}

static int audit_valid(struct mkv_bundle_run_audit *run, struct mkv_error *err)
{
	__attribute__((cleanup(gate_done))) struct gate gate = {.run = run};
	const char *host;
	json_t *boot;
	json_object_foreach((json_t *)run->boots, host, boot)
	{
		int rc = audit_host(&gate, host, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < gate.count; i++) {
		int rc = correlate(&gate, i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Receipts of an invalid attempt may say why it is invalid. Those that were
 * written before it must still be of its contract and boots. */
static int audit_invalid(struct mkv_bundle_run_audit *run,
			 struct mkv_error *err)
{
	const char *host;
	json_t *boot;
	json_object_foreach((json_t *)run->boots, host, boot)
	{
		auto_json json_t *receipt = NULL;
		char name[160], path[512];
		(void)snprintf(name, sizeof(name),
			       "receipts/%.64s/before/receipt.json", host);
		mkv_bundle_file_path(run, name, path);
		if (!mkv_bundle_has_file(run, name))
			continue;
		int rc = mkv_bundle_read_json(
			run->at, path, MKV_BUNDLE_JSON_MAX, &receipt, err);
		if (rc < 0)
			return rc;
		if (rc > 0)
			continue;
		const char *contract = json_string_value(json_object_get(
			json_object_get(receipt, "contract"), "sha256"));
		const json_t *made = json_object_get(
			json_object_get(receipt, "machine"), "boot_id");
		if (!contract ||
		    strcmp(contract, run->arm->contract_sha256) != 0)
			mkv_bundle_find(run->at, path,
					"names another contract");
		if (!json_equal(made, boot))
			mkv_bundle_find(run->at, path, "is of another boot");
	}
	return 0;
}

int mkv_bundle_audit_receipts(struct mkv_bundle_run_audit *run,
			      struct mkv_error *err)
{
	/* Without its contract a receipt can't be reviewed; that is a finding
	 * already. */
	if (!run->boots || !run->contract)
		return 0;
	return run->event->is_valid ? audit_valid(run, err)
				    : audit_invalid(run, err);
}
