/* SPDX-License-Identifier: MIT */
/* The files that a receipt is written to. */
#include "verify/receipt/receipt.h"

#include <fcntl.h>

#include "lib/io.h"
#include "verify/receipt/standing.h"

static int write_below(const char *directory, const char *name,
		       const struct mkv_buf *text, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s", directory, name);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_buf_check(text, err);
	if (rc < 0)
		return rc;
	return mkv_write_file(path.data, 0644, text->data, text->size, err);
}

/* True when this later run breaks the receipt of the boot: the run after the
 * start unless it passes, a watch when it fails. A watch that establishes too
 * little, because the measurement takes the CPU or the network, breaks nothing:
 * the metrics and receipt-watch.json record it. */
static bool breaks_receipt(const struct mkv_receipt *receipt)
{
	switch (receipt->env->phase) {
	case MKV_PHASE_BOOT:
		return false;
	case MKV_PHASE_AFTER_START:
		return receipt->result != MKV_PASS;
	case MKV_PHASE_WATCH:
		return receipt->result == MKV_FAIL;
	}
	return true;
}

/* Writes the receipt of the first run that breaks the boot's receipt to a file
 * of its own, which stays until the next boot. receipt.json is not changed. */
static int mark_broken(const char *directory, const struct mkv_receipt *receipt,
		       const struct mkv_buf *json, bool *ret_broken,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/receipt.broken.json", directory);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	*ret_broken = access(path.data, F_OK) == 0;
	if (*ret_broken || !breaks_receipt(receipt))
		return 0;
	*ret_broken = true;
	return mkv_write_file(path.data, 0644, json->data, json->size, err);
}

/* Writes the TPM's signature, or removes the one of an earlier run. */
static int write_signature(const char *directory, const char *name,
			   const struct mkv_buf *signature,
			   struct mkv_error *err)
{
	if (signature->size)
		return write_below(directory, name, signature, err);
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s", directory, name);
	int rc = mkv_buf_check(&path, err);
	return rc < 0 ? rc : mkv_remove_tree(AT_FDCWD, path.data, err);
}

static int write_evidence(const char *directory,
			  const struct mkv_receipt *receipt,
			  struct mkv_error *err)
{
	for (enum mkv_evidence i = 0; i < MKV_EVIDENCE_KINDS; i++) {
		auto_free char *name =
			mkv_evidence_name(i, receipt->env->phase);
		if (!name)
			return mkv_oom(err);
		if (!receipt->evidence[i].size)
			continue;
		int rc = write_below(directory, name, &receipt->evidence[i],
				     err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The receipt, its signature and its statement. */
static int write_receipt(const char *directory,
			 const struct mkv_receipt *receipt,
			 const struct mkv_buf *json,
			 const struct mkv_buf *signature, struct mkv_error *err)
{
	static const char *const names[][3] = {
		[MKV_PHASE_BOOT] = {"receipt.json", "receipt.intoto.json",
				    "receipt.tpm.json"},
		[MKV_PHASE_AFTER_START] = {"receipt-after-start.json",
					   "receipt-after-start.intoto.json",
					   "receipt-after-start.tpm.json"},
		[MKV_PHASE_WATCH] = {"receipt-watch.json",
				     "receipt-watch.intoto.json",
				     "receipt-watch.tpm.json"},
	};
	const char *const *name = names[receipt->env->phase];
	auto_buf struct mkv_buf statement = {0};
	int rc = write_below(directory, name[0], json, err);
	if (rc < 0)
		return rc;
	rc = write_signature(directory, name[2], signature, err);
	if (rc < 0)
		return rc;
	rc = mkv_receipt_statement(receipt, json, &statement, err);
	if (rc < 0)
		return rc;
	return write_below(directory, name[1], &statement, err);
}

static int write_metrics(const char *path, const struct mkv_receipt *receipt,
			 const struct mkv_standing *standing,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_receipt_metrics(receipt, standing, &text);
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_file(path, 0644, text.data, text.size, err);
	/* Without an exporter its directory is missing. */
	return rc == -ENOENT ? 0 : rc;
}

int mkv_receipt_write(const char *directory, const char *metrics,
		      const struct mkv_receipt *receipt,
		      const struct mkv_buf *json,
		      const struct mkv_buf *signature, struct mkv_error *err)
{
	struct mkv_standing standing = {0};
	int rc = mkv_make_dirs(directory, err);
	if (rc < 0)
		return rc;
	rc = write_receipt(directory, receipt, json, signature, err);
	if (rc < 0)
		return rc;
	rc = write_evidence(directory, receipt, err);
	if (rc < 0)
		return rc;
	rc = mkv_standing_update(directory, receipt, &standing, err);
	if (rc < 0)
		return rc;
	rc = mark_broken(directory, receipt, json, &standing.is_broken, err);
	if (rc < 0)
		return rc;
	return write_metrics(metrics, receipt, &standing, err);
}
