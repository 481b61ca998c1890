/* SPDX-License-Identifier: MIT */
#include "builder/evidence/receipt/review_internal.h"

#include <stdarg.h>
#include <string.h>

#include "lib/utf8.h"

enum { RECEIPT_MAX = 8 << 20 };

void mkv_receipt_review_done(struct mkv_receipt_review *review)
{
	for (size_t i = 0; i < review->n_problems; i++)
		free(review->problems[i]);
	free(review->problems);
	*review = (struct mkv_receipt_review){0};
}

void mkv_receipt_add_problem(struct mkv_receipt_review *review,
			     const char *format, ...)
{
	/* A hostile receipt may have any number of problems: they are
	 * counted, but no longer listed. */
	if (review->n_problems == MKV_RECEIPT_PROBLEMS_MAX) {
		review->n_omitted++;
		return;
	}
	auto_free char *line = NULL;
	va_list ap;
	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		line = NULL;
	va_end(ap);
	char **more = line ? reallocarray(review->problems,
					  review->n_problems + 1, sizeof(*more))
			   : NULL;
	if (!more) {
		review->failed = true;
		return;
	}
	mkv_utf8_make_valid(line); /* precisions cut names at any byte */
	review->problems = more;
	review->problems[review->n_problems++] = mkv_take(line);
}

static void compare_text(struct mkv_receipt_review *review, const char *what,
			 const char *promised, const char *found)
{
	if (!promised || !found || strcmp(promised, found) != 0)
		mkv_receipt_add_problem(
			review,
			"%s: the receipt has '%.128s', the contract '%.128s'",
			what, found ? found : "nothing",
			promised ? promised : "nothing");
}

/* Results from best to worst; -1 for an unknown word. */
static int rank_result(const char *result)
{
	static const char *const words[] = {"not-promised", "pass",
					    "not-established", "fail"};
	for (int i = 0; i < 4; i++)
		if (strcmp(words[i], result) == 0)
			return i;
	return -1;
}

static bool is_accepted(const struct mkv_contract *contract, const char *check)
{
	for (size_t i = 0; i < contract->n_accept; i++)
		if (strcmp(contract->accept[i].check, check) == 0)
			return true;
	return false;
}

/* A check's own result must be the worst of its findings'. */
static int review_check(struct mkv_json_reader *r, const json_t *check,
			const struct mkv_contract *contract,
			struct mkv_receipt_review *review)
{
	const char *name = mkv_json_string(r, check, "name", true);
	const char *result = mkv_json_string(r, check, "result", true);
	const char *accepted = mkv_json_string(r, check, "accepted", false);
	json_t *findings =
		mkv_json_member(r, check, "findings", JSON_ARRAY, true);
	if (r->rc < 0)
		return 0;
	int worst = 0;
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const char *one = mkv_json_string(
			r, json_array_get(findings, i), "result", true);
		if (r->rc < 0)
			return 0;
		int rank = rank_result(one);
		worst = rank > worst ? rank : worst;
		if (rank < 0)
			mkv_receipt_add_problem(review,
						"%s: unknown result '%.32s'",
						name, one);
	}
	if (rank_result(result) != worst)
		mkv_receipt_add_problem(
			review, "%s: '%s' does not follow from its findings",
			name, result);
	if (accepted && (!is_accepted(contract, name) || worst != 2)) {
		mkv_receipt_add_problem(
			review,
			"%s: accepted, but the contract does not accept it",
			name);
		accepted = NULL;
	}
	if (worst >= 2 && !accepted)
		mkv_receipt_add_problem(review, "%s: %s", name, result);
	return accepted ? 1 : worst;
}

/* The rank of the worst check. */
static int review_checks(struct mkv_json_reader *r, const json_t *checks,
			 const struct mkv_contract *contract,
			 struct mkv_receipt_review *review)
{
	int worst = 0;
	for (size_t i = 0; i < json_array_size(checks) && r->rc >= 0; i++) {
		int rank = review_check(r, json_array_get(checks, i), contract,
					review);
		worst = rank > worst ? rank : worst;
	}
	return worst;
}

/* Cuts a text to its place, in whole UTF-8 characters. */
static void copy_text(char *into, size_t size, const char *text)
{
	(void)snprintf(into, size, "%s", text);
	mkv_utf8_make_valid(into);
}

static void review_host(struct mkv_json_reader *r, const json_t *root,
			const struct mkv_contract *contract,
			struct mkv_receipt_review *review)
{
	json_t *part = mkv_json_member(r, root, "host", JSON_OBJECT, true);
	const char *name = mkv_json_string(r, part, "name", true);
	const char *role = mkv_json_string(r, part, "role", false);
	const char *image_name = mkv_json_string(r, part, "image", false);
	const char *files = mkv_json_string(r, part, "files_sha256", false);
	if (r->rc < 0)
		return;
	copy_text(review->host, sizeof(review->host), name);
	const struct mkv_contract_host *host =
		mkv_contract_find_host(contract, name);
	if (!host) {
		mkv_receipt_add_problem(
			review, "'%.64s' isn't a host of the contract", name);
		return;
	}
	compare_text(review, "role", host->role, role);
	compare_text(review, "image", host->image, image_name);
	const struct mkv_contract_image *image =
		mkv_contract_find_image(contract, host->image);
	if (!image)
		return;
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&image->files.sha256, hex);
	if (image->files.list)
		compare_text(review, "list of files", hex, files);
	mkv_receipt_require(review, root, contract, host, image);
}

static void review_root(struct mkv_json_reader *r, const json_t *root,
			const struct mkv_contract *contract, const char *sha256,
			struct mkv_receipt_review *review)
{
	(void)mkv_json_integer(r, root, "mkvbench_receipt", 1, 1, true, 0);
	const char *phase = mkv_json_string(r, root, "phase", true);
	const char *result = mkv_json_string(r, root, "result", true);
	const char *verdict = mkv_json_string(r, root, "verdict", true);
	json_t *made = mkv_json_member(r, root, "contract", JSON_OBJECT, true);
	const char *digest = mkv_json_string(r, made, "sha256", false);
	const char *trust = mkv_json_string(r, made, "signature", true);
	json_t *machine =
		mkv_json_member(r, root, "machine", JSON_OBJECT, true);
	const char *boot_id = mkv_json_string(r, machine, "boot_id", false);
	json_t *checks = mkv_json_member(r, root, "checks", JSON_ARRAY, true);
	int is_signed = mkv_json_boolean(r, root, "signed");
	const char *because =
		mkv_json_string(r, root, "unsigned_because", false);
	if (r->rc < 0)
		return;
	review->is_marked_signed = is_signed == 1;
	copy_text(review->unsigned_because, sizeof(review->unsigned_because),
		  because ? because : "no reason given");
	copy_text(review->phase, sizeof(review->phase), phase);
	copy_text(review->result, sizeof(review->result), result);
	copy_text(review->boot_id, sizeof(review->boot_id),
		  boot_id ? boot_id : "unknown");
	compare_text(review, "contract", sha256, digest);
	if (strcmp(trust, "verified") != 0)
		mkv_receipt_add_problem(review,
					"contract: the verifier reports its "
					"signature as %.32s",
					trust);
	int worst = review_checks(r, checks, contract, review);
	if (r->rc < 0)
		return;
	/* Without any result nothing is established. */
	if (rank_result(verdict) != (worst == 0 ? 2 : worst))
		mkv_receipt_add_problem(
			review,
			"verdict: '%.32s' does not follow from the "
			"checks",
			verdict);
	review_host(r, root, contract, review);
}

int mkv_receipt_review(const struct mkv_contract *contract,
		       const char *contract_sha256, const char *receipt,
		       size_t size, struct mkv_receipt_review *ret,
		       struct mkv_error *err)
{
	auto_json json_t *root = NULL;
	struct mkv_json_reader reader;
	auto_receipt_review struct mkv_receipt_review review = {0};
	if (size > RECEIPT_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"a receipt of %zu bytes: the maximum is %d",
				size, RECEIPT_MAX);
	int rc = mkv_json_load(receipt, size, &root, err);
	if (rc < 0)
		return rc;
	mkv_json_reader_init(&reader, err);
	review_root(&reader, root, contract, contract_sha256, &review);
	if (reader.rc < 0)
		return reader.rc;
	if (review.failed)
		return mkv_oom(err);
	*ret = review;
	review = (struct mkv_receipt_review){0};
	return 0;
}
