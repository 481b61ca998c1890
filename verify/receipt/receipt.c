/* SPDX-License-Identifier: MIT */
#include "verify/receipt/receipt.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

void mkv_receipt_done(struct mkv_receipt *receipt)
{
	for (size_t i = 0; i < receipt->count; i++)
		mkv_answer_done(&receipt->rows[i].answer);
	free(receipt->rows);
	for (size_t i = 0; i < MKV_EVIDENCE_KINDS; i++)
		mkv_buf_done(&receipt->evidence[i]);
	free(receipt->boot_id);
	*receipt = (struct mkv_receipt){0};
}

static const char *accepted_reason(const struct mkv_contract *contract,
				   const char *check)
{
	for (size_t i = 0; contract && i < contract->n_accept; i++)
		if (strcmp(contract->accept[i].check, check) == 0)
			return contract->accept[i].reason;
	return NULL;
}

/* Nothing is accepted under a contract that is not verified. */
static void judge_row(const struct mkv_env *env, struct mkv_receipt_row *row)
{
	row->result = mkv_answer_result(&row->answer);
	if (row->result == MKV_NOT_ESTABLISHED &&
	    env->trust == MKV_TRUST_VERIFIED)
		row->accepted =
			accepted_reason(env->contract, row->check->name);
}

static enum mkv_result judge_rows(const struct mkv_receipt *receipt)
{
	enum mkv_result worst = MKV_NOT_PROMISED;
	for (size_t i = 0; i < receipt->count; i++) {
		const struct mkv_receipt_row *row = &receipt->rows[i];
		if (row->result > worst && !row->accepted)
			worst = row->result;
	}
	/* No promised check ran. */
	return worst == MKV_NOT_PROMISED ? MKV_NOT_ESTABLISHED : worst;
}

static size_t count_checks(void)
{
	size_t count = 0;
	while (mkv_checks[count].name)
		count++;
	return count;
}

static void run_check(const struct mkv_env *env, const struct mkv_check *check,
		      struct mkv_receipt_row *row)
{
	double before = mkv_monotonic_s();
	row->check = check;
	check->run(env, &row->answer);
	judge_row(env, row);
	row->took_s = mkv_monotonic_s() - before;
}

/* The clock's readings are already there: its check has logged them. */
static int collect_evidence(struct mkv_receipt *receipt, struct mkv_error *err)
{
	const struct mkv_env *env = receipt->env;
	if (env->cpuid)
		mkv_cpuid_write(env->cpuid,
				&receipt->evidence[MKV_EVIDENCE_CPUID]);
	if (env->phase != MKV_PHASE_WATCH)
		mkv_evidence_system(env,
				    &receipt->evidence[MKV_EVIDENCE_SYSTEM]);
	for (size_t i = 0; i < MKV_EVIDENCE_KINDS; i++) {
		int rc = mkv_buf_check(&receipt->evidence[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_receipt_make(const struct mkv_env *env,
		     const struct mkv_trusted *trusted, const char *host,
		     bool (*is_requested)(const struct mkv_check *check,
					  const void *context),
		     const void *context, struct mkv_receipt *ret,
		     struct mkv_error *err)
{
	auto_receipt struct mkv_receipt receipt = {
		.env = env,
		.trusted = trusted,
		.host = host,
		.figures = {NAN, NAN, NAN, NAN},
	};
	struct mkv_env own = *env;
	own.figures = &receipt.figures;
	if (env->phase != MKV_PHASE_WATCH)
		own.clock_log = &receipt.evidence[MKV_EVIDENCE_CLOCK];
	receipt.rows = calloc(count_checks(), sizeof(*receipt.rows));
	if (!receipt.rows)
		return mkv_oom(err);
	double start = env->started_ns ? (double)env->started_ns * 1e-9
				       : mkv_monotonic_s();
	receipt.started_s = (int64_t)time(NULL);
	receipt.boot_id = mkv_env_read(env, "/proc/sys/kernel/random/boot_id");
	for (const struct mkv_check *check = mkv_checks; check->name; check++)
		if ((!is_requested || is_requested(check, context)) &&
		    ((env->image && env->host) || check == mkv_checks))
			run_check(&own, check, &receipt.rows[receipt.count++]);
	int rc = collect_evidence(&receipt, err);
	if (rc < 0)
		return rc;
	receipt.result = judge_rows(&receipt);
	/* A valid contract proves nothing about a host that it doesn't have. */
	if ((!env->image || !env->host) && receipt.result == MKV_PASS)
		receipt.result = MKV_NOT_ESTABLISHED;
	receipt.took_s = mkv_monotonic_s() - start;
	*ret = receipt;
	receipt = (struct mkv_receipt){0};
	return 0;
}

/* The mode of a contract with a broken signature doesn't count. */
static bool only_warns(const struct mkv_receipt *receipt)
{
	return receipt->env->contract && !receipt->env->contract->is_gate &&
	       receipt->env->trust != MKV_TRUST_BROKEN;
}

bool mkv_receipt_lets_start(const struct mkv_receipt *receipt)
{
	return receipt->result == MKV_PASS || only_warns(receipt);
}

const char *mkv_receipt_word(const struct mkv_receipt *receipt)
{
	if (receipt->result != MKV_PASS && only_warns(receipt))
		return "warn";
	return mkv_result_name(receipt->result);
}
