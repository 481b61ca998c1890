/* SPDX-License-Identifier: MIT */
#pragma once
/* The report of one run: what every check answered, judged as a whole, and the
 * forms it is written in (docs/receipt.schema.json, docs/VERIFICATION.md). */

#include "verify/check/check.h"
#include "verify/probe/trust.h"
#include "verify/receipt/evidence.h"

struct mkv_receipt_row {
	const struct mkv_check *check;
	struct mkv_answer answer;
	enum mkv_result result;
	double took_s;
	const char
		*accepted; /* the recipe's reason to accept "not established" */
};

struct mkv_receipt {
	const struct mkv_env *env;
	const struct mkv_trusted *trusted;
	const char *host; /* its name, or what is known instead: "unknown" */
	struct mkv_receipt_row *rows;
	size_t count;
	enum mkv_result result; /* of all rows */
	int64_t started_s; /* since 1970, by the clock that is in question */
	double took_s;	   /* by the monotonic clock, since the program began */
	char *boot_id;
	struct mkv_buf evidence[MKV_EVIDENCE_KINDS]; /* empty: none */
	struct mkv_figures figures;
	/* Whether a TPM's signature stands beside it; by which key (its id, not
	 * in the JSON, which is what the TPM signs), or why not. */
	bool is_signed;
	char signer[MKV_SHA256_HEX_SIZE];
	char unsigned_because[256];
};
void mkv_receipt_done(struct mkv_receipt *receipt) mkv_nonnull(1);
#define auto_receipt __attribute__((cleanup(mkv_receipt_done)))

/* Runs the checks that `wanted` picks (NULL: all of the phase) and judges them.
 * Without host or image in `env` only the contract's own check is asked. */
int mkv_receipt_make(const struct mkv_env *env,
		     const struct mkv_trusted *trusted, const char *host,
		     bool (*wanted)(const struct mkv_check *check,
				    const void *context),
		     const void *context, struct mkv_receipt *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 6, 7);

/* True when services may start: it passed, or the contract only warns. */
bool mkv_receipt_lets_start(const struct mkv_receipt *receipt) mkv_nonnull(1);
/* "pass", "fail", "not-established", or "warn" where the contract says that a
 * failure shall only warn. */
const char *mkv_receipt_word(const struct mkv_receipt *receipt) mkv_nonnull(1);

/* A copy of any bytes as printable ASCII, the caller's: JSON and consoles want
 * neither broken UTF-8 nor control characters. NULL when out of memory. */
char *mkv_receipt_clean(const char *text) mkv_must_check mkv_nonnull(1);

/* Each appends one form. */
int mkv_receipt_json(const struct mkv_receipt *receipt, struct mkv_buf *into,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The JSON of a receipt that the machine's TPM signs, and the signature's own
 * document. Where it can't, the receipt says why, and there is no document. */
int mkv_receipt_sign(struct mkv_receipt *receipt, struct mkv_buf *ret_json,
		     struct mkv_buf *ret_document,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* An in-toto statement, predicate test-result v0.1, about the contract and the
 * receipt's JSON. */
int mkv_receipt_statement(const struct mkv_receipt *receipt,
			  const struct mkv_buf *json, struct mkv_buf *into,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* One screen for people, and the two lines that machines wait for. */
void mkv_receipt_text(const struct mkv_receipt *receipt, struct mkv_buf *into)
	mkv_nonnull(1, 2);
/* For node_exporter's textfile collector. */
struct mkv_standing;
void mkv_receipt_metrics(const struct mkv_receipt *receipt,
			 const struct mkv_standing *standing,
			 struct mkv_buf *into) mkv_nonnull(1, 2, 3);
