/* SPDX-License-Identifier: MIT */
#include "verify/receipt/standing.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "lib/io.h"

enum { RECEIPT_MAX = 8 << 20 };

/* A JSON file of this boot. NULL when it is missing, or of another boot. */
static json_t *load_of_boot(const char *directory, const char *name,
			    const struct mkv_receipt *receipt)
{
	auto_buf struct mkv_buf path = {0};
	auto_json json_t *json = NULL;
	struct mkv_error err;
	mkv_buf_printf(&path, "%s/%s", directory, name);
	if (path.failed || mkv_json_load_file(AT_FDCWD, path.data, RECEIPT_MAX,
					      &json, &err) < 0)
		return NULL;
	const json_t *machine = json_object_get(json, "machine");
	const char *boot_id = json_string_value(
		json_object_get(machine ? machine : json, "boot_id"));
	if (strcmp(boot_id ? boot_id : "",
		   receipt->boot_id ? receipt->boot_id : "") != 0)
		return NULL;
	return mkv_take(json);
}

static bool has_passed(const char *directory, const struct mkv_receipt *receipt)
{
	if (receipt->env->phase == MKV_PHASE_BOOT)
		return receipt->result == MKV_PASS;
	auto_json json_t *boot =
		load_of_boot(directory, "receipt.json", receipt);
	const char *verdict =
		json_string_value(json_object_get(boot, "verdict"));
	return verdict && strcmp(verdict, "pass") == 0;
}

static void count_watch(const struct mkv_receipt *receipt,
			struct mkv_standing *standing)
{
	double bound = receipt->figures.clock_bound_s;
	standing->watches++;
	standing->established += receipt->result != MKV_NOT_ESTABLISHED;
	if (isfinite(bound) && !(bound <= standing->widest_bound_s))
		standing->widest_bound_s = bound;
}

static int write_watches(const char *directory,
			 const struct mkv_receipt *receipt,
			 const struct mkv_standing *standing,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0}, text = {0};
	auto_json json_t *json = json_object();
	if (receipt->boot_id)
		(void)json_object_set_new(json, "boot_id",
					  json_string(receipt->boot_id));
	(void)json_object_set_new(json, "looks",
				  json_integer(standing->watches));
	(void)json_object_set_new(json, "established",
				  json_integer(standing->established));
	if (isfinite(standing->widest_bound_s))
		(void)json_object_set_new(json, "widest_bound_s",
					  json_real(standing->widest_bound_s));
	mkv_buf_printf(&path, "%s/watches.json", directory);
	int rc = json ? mkv_json_dump(json, &text, err) : mkv_oom(err);
	if (rc < 0)
		return rc;
	rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	return mkv_write_file(path.data, 0644, text.data, text.size, err);
}

int mkv_standing_update(const char *directory,
			const struct mkv_receipt *receipt,
			struct mkv_standing *ret, struct mkv_error *err)
{
	struct mkv_standing standing = {
		.boot_passed = has_passed(directory, receipt),
		.widest_bound_s = NAN,
	};
	if (receipt->env->phase != MKV_PHASE_BOOT) {
		auto_json json_t *before =
			load_of_boot(directory, "watches.json", receipt);
		const json_t *widest =
			json_object_get(before, "widest_bound_s");
		standing.watches =
			json_integer_value(json_object_get(before, "looks"));
		standing.established = json_integer_value(
			json_object_get(before, "established"));
		if (json_is_number(widest))
			standing.widest_bound_s = json_number_value(widest);
	}
	if (receipt->env->phase == MKV_PHASE_WATCH) {
		count_watch(receipt, &standing);
		int rc = write_watches(directory, receipt, &standing, err);
		if (rc < 0)
			return rc;
	}
	*ret = standing;
	return 0;
}
