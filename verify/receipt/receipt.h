/* SPDX-License-Identifier: MIT */
#pragma once
/* The receipt of one run: the result of every check, the overall result, and
 * the forms that both are written in (docs/receipt.schema.json,
 * docs/VERIFICATION.md). */

#include "verify/check/check.h"
#include "verify/probe/trust.h"
#include "verify/receipt/evidence.h"

struct mkv_receipt_row {
	const struct mkv_check *check;
	struct mkv_answer answer;
	enum mkv_result result;
	double took_s;
	/* The recipe's reason to accept "not established"; NULL: none. */
	const char *accepted;
};

struct mkv_receipt {
	const struct mkv_env *env;
	const struct mkv_trusted *trusted;
	const char *host; /* its name in the contract, or "unknown" */
	struct mkv_receipt_row *rows;
	size_t count;
	enum mkv_result result; /* of all rows */
	int64_t started_s;	/* since 1970, by the clock that is verified */
	double took_s; /* since the program started, by the monotonic clock */
	char *boot_id;
	struct mkv_buf evidence[MKV_EVIDENCE_KINDS]; /* empty: none */
	struct mkv_figures figures;
	/* Whether a TPM has signed the JSON, and if so the id of its key, which
	 * is not part of the JSON; else the reason. */
	bool is_signed;
	char signer[MKV_SHA256_HEX_SIZE];
	char unsigned_because[256];
};
void mkv_receipt_done(struct mkv_receipt *receipt) mkv_nonnull(1);
#define auto_receipt __attribute__((cleanup(mkv_receipt_done)))

/* Runs the checks for which `is_requested` returns true (NULL: all) and judges
 * them. Without host or image in `env` only the check `contract` runs. */
int mkv_receipt_make(const struct mkv_env *env,
		     const struct mkv_trusted *trusted, const char *host,
		     bool (*is_requested)(const struct mkv_check *check,
					  const void *context),
		     const void *context, struct mkv_receipt *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 6, 7);

/* True when services may start: it passed, or the contract only warns. */
bool mkv_receipt_lets_start(const struct mkv_receipt *receipt) mkv_nonnull(1);
/* "pass", "fail", "not-established", or "warn" where the contract's mode is to
 * warn only. */
const char *mkv_receipt_word(const struct mkv_receipt *receipt) mkv_nonnull(1);

/* A copy as printable ASCII, without invalid UTF-8 or control characters, which
 * JSON and consoles can't take. Owned by the caller; NULL: out of memory. */
char *mkv_receipt_clean(const char *text) mkv_must_check mkv_nonnull(1);

/* Appends the JSON. */
int mkv_receipt_json(const struct mkv_receipt *receipt, struct mkv_buf *into,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Appends the JSON and the document with the TPM's signature of it. If the TPM
 * can't sign, the JSON has the reason and the document stays empty. */
int mkv_receipt_sign(struct mkv_receipt *receipt, struct mkv_buf *ret_json,
		     struct mkv_buf *ret_document,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Appends an in-toto statement, predicate test-result v0.1, about the contract
 * and the receipt's JSON. */
int mkv_receipt_statement(const struct mkv_receipt *receipt,
			  const struct mkv_buf *json, struct mkv_buf *into,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Appends the text for the console: one screen, and the two lines that programs
 * wait for. */
void mkv_receipt_text(const struct mkv_receipt *receipt, struct mkv_buf *into)
	mkv_nonnull(1, 2);
/* Appends the metrics, for node_exporter's textfile collector. */
struct mkv_standing;
void mkv_receipt_metrics(const struct mkv_receipt *receipt,
			 const struct mkv_standing *standing,
			 struct mkv_buf *into) mkv_nonnull(1, 2, 3);
/* Writes the receipt (its JSON, the document of mkv_receipt_sign(), which may
 * be empty, and the statement), the evidence and the state of the boot to files
 * in `directory`, and the metrics to the file `metrics`, whose directory may be
 * missing. */
int mkv_receipt_write(const char *directory, const char *metrics,
		      const struct mkv_receipt *receipt,
		      const struct mkv_buf *json,
		      const struct mkv_buf *signature,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6);
