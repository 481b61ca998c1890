/* SPDX-License-Identifier: MIT */
/* receipt.broken.json: a later run in the boot of a receipt, which did not
 * pass.
 */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/receipt/review_internal.h"

enum { BROKEN_MAX = 8 << 20 };

/* "clock, ksm": the checks that failed, or else those that were not
 * established.
 */
static void name_checks(const json_t *broken, struct mkv_buf *into)
{
	static const char *const worst[] = {"fail", "not-established"};
	const json_t *checks = json_object_get(broken, "checks");
	for (size_t w = 0; w < 2 && into->size == 0; w++)
		for (size_t i = 0; i < json_array_size(checks); i++) {
			const json_t *check = json_array_get(checks, i);
			const char *name = json_string_value(
				json_object_get(check, "name"));
			const char *result = json_string_value(
				json_object_get(check, "result"));
			if (name && result && strcmp(result, worst[w]) == 0)
				mkv_buf_printf(into, "%s%.64s",
					       into->size ? ", " : "", name);
		}
}

int mkv_receipt_review_broken(int dirfd, struct mkv_receipt_review *review,
			      struct mkv_error *err)
{
	static const char file[] = "receipt.broken.json";
	auto_json json_t *broken = NULL;
	auto_buf struct mkv_buf names = {0};
	struct mkv_error own;
	int rc = mkv_json_load_file(dirfd, file, BROKEN_MAX, &broken, &own);
	if (rc == -ENOENT)
		return 0;
	/* An unreadable broken receipt still counts against the boot. */
	if (rc < 0) {
		mkv_receipt_add_problem(
			review,
			"broken: %s in the same directory can't be "
			"read: %.200s",
			file, own.message);
		return review->failed ? mkv_oom(err) : 0;
	}
	const char *boot_id = json_string_value(
		json_object_get(json_object_get(broken, "machine"), "boot_id"));
	if (boot_id && strcmp(boot_id, review->boot_id) != 0)
		return 0;
	name_checks(broken, &names);
	mkv_receipt_add_problem(review,
				"broken: a later run in this boot, %s, did not "
				"pass: %.400s",
				file,
				names.size ? names.data : "it names no check");
	return review->failed || names.failed ? mkv_oom(err) : 0;
}
