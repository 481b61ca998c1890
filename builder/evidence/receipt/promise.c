/* SPDX-License-Identifier: MIT */
/* Every promised check must have a result in the receipt. */
#include "builder/evidence/receipt/review_internal.h"

#include <string.h>

#include "lib/checks.h"

const json_t *mkv_receipt_find_check(const json_t *receipt, const char *name)
{
	const json_t *checks = json_object_get(receipt, "checks");
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);
		const char *found =
			json_string_value(json_object_get(check, "name"));
		if (found && strcmp(found, name) == 0)
			return check;
	}
	return NULL;
}

static bool has_running_guest(const json_t *receipt)
{
	const json_t *guests = json_object_get(receipt, "guests");
	for (size_t i = 0; i < json_array_size(guests); i++) {
		const char *state = json_string_value(
			json_object_get(json_array_get(guests, i), "state"));
		if (state && strcmp(state, "running") == 0)
			return true;
	}
	return false;
}

/* Whether the receipt has a result of the check. Guests start after their host
 * has passed: until one runs, the checks of guests have no result. */
static bool has_result(const struct mkv_check_promise *row,
		       const json_t *receipt)
{
	const json_t *check = mkv_receipt_find_check(receipt, row->name);
	const char *result =
		json_string_value(json_object_get(check, "result"));
	return result && (strcmp(result, "not-promised") != 0 ||
			  (row->of_guests && !has_running_guest(receipt)));
}

/* A promised setting that no check verifies makes the receipt incomplete. */
static void require_settings(struct mkv_receipt_review *review,
			     const struct mkv_contract_pairs *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		if (!mkv_check_verifies_setting(settings->items[i].key))
			mkv_receipt_add_problem(
				review,
				"setting '%.64s': promised, but no check "
				"verifies it",
				settings->items[i].key);
}

void mkv_receipt_require(struct mkv_receipt_review *review,
			 const json_t *receipt,
			 const struct mkv_contract *contract,
			 const struct mkv_contract_host *host,
			 const struct mkv_contract_image *image)
{
	const struct mkv_check_scope scope = {contract, host, image};
	bool watch = strcmp(review->phase, "watch") == 0;
	for (const struct mkv_check_promise *c = mkv_check_promises; c->name;
	     c++)
		if ((!watch || c->watched) &&
		    mkv_check_is_promised(c, &scope) && !has_result(c, receipt))
			mkv_receipt_add_problem(
				review,
				"%s: promised, but the check did not run",
				c->name);
	require_settings(review, &image->settings);
}
