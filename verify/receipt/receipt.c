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

/* The contract's own check can't be excused. */
static void judge_row(const struct mkv_env *env, struct mkv_receipt_row *row)
{
	row->result = mkv_answer_result(&row->answer);
	if (row->result == MKV_NOT_ESTABLISHED &&
	    env->trust == MKV_TRUST_VERIFIED)
		row->accepted =
			accepted_reason(env->contract, row->check->name);
}

static enum mkv_result judge(const struct mkv_receipt *receipt)
{
	enum mkv_result worst = MKV_NOT_PROMISED;
	for (size_t i = 0; i < receipt->count; i++) {
		const struct mkv_receipt_row *row = &receipt->rows[i];
		if (row->result > worst && !row->accepted)
			worst = row->result;
	}
	/* Nothing asked proves nothing. */
	return worst == MKV_NOT_PROMISED ? MKV_NOT_ESTABLISHED : worst;
}

int mkv_receipt_make(const struct mkv_env *env,
		     const struct mkv_trusted *trusted, const char *host,
		     bool (*wanted)(const struct mkv_check *check,
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
	size_t count = 0;
	while (mkv_checks[count].name)
		count++;
	receipt.rows = calloc(count, sizeof(*receipt.rows));
	if (!receipt.rows)
		return mkv_oom(err);
	double start = env->started_ns ? (double)env->started_ns * 1e-9
				       : mkv_monotonic_s();
	receipt.started_s = (int64_t)time(NULL);
	receipt.boot_id = mkv_env_read(env, "/proc/sys/kernel/random/boot_id");
	for (size_t i = 0; i < count; i++) {
		const struct mkv_check *check = &mkv_checks[i];
		if ((wanted && !wanted(check, context)) ||
		    ((!env->image || !env->host) && i > 0))
			continue;
		struct mkv_receipt_row *row = &receipt.rows[receipt.count++];
		row->check = check;
		double before = mkv_monotonic_s();
		check->run(&own, &row->answer);
		judge_row(env, row);
		row->took_s = mkv_monotonic_s() - before;
	}
	if (env->cpuid)
		mkv_cpuid_write(env->cpuid,
				&receipt.evidence[MKV_EVIDENCE_CPUID]);
	if (env->phase != MKV_PHASE_WATCH)
		mkv_evidence_system(env,
				    &receipt.evidence[MKV_EVIDENCE_SYSTEM]);
	for (size_t i = 0; i < MKV_EVIDENCE_KINDS; i++) {
		int rc = mkv_buf_check(&receipt.evidence[i], err);
		if (rc < 0)
			return rc;
	}
	receipt.result = judge(&receipt);
	/* The contract may hold, but this machine has no place in it. */
	if ((!env->image || !env->host) && receipt.result == MKV_PASS)
		receipt.result = MKV_NOT_ESTABLISHED;
	receipt.took_s = mkv_monotonic_s() - start;
	*ret = receipt;
	receipt = (struct mkv_receipt){0};
	return 0;
}

/* A contract that can't be believed doesn't get to say "only warn". */
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
