/* SPDX-License-Identifier: MIT */
/* What was signed about the whole, and the metadata for others. */
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "lib/dsse.h"
#include "lib/io.h"

enum { SUMS_MAX = 64 * 1024 * 1024, CRATE_MAX = 64 * 1024 * 1024 };

static const char path[] = "attestations/result.sigstore.json";

/* The statement's predicate about these SHA256SUMS; 1 after a finding. */
static int read_statement(struct mkv_bundle_audit *at, json_t **ret,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf sums = {0}, bundle = {0}, payload = {0};
	struct mkv_sha256 sha256;
	int rc = mkv_audit_read(&at->audit, "SHA256SUMS", SUMS_MAX, &sums, err);
	if (rc != 0)
		return rc;
	rc = mkv_sha256_bytes(sums.data, sums.size, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_audit_read(&at->audit, path, MKV_BUNDLE_JSON_MAX, &bundle,
			    err);
	if (rc != 0)
		return rc;
	rc = mkv_dsse_verify(bundle.data ? bundle.data : "", bundle.size,
			     &at->audit.report->key, MKV_DSSE_IN_TOTO, &payload,
			     err);
	if (rc >= 0)
		rc = mkv_statement_subject_check(
			payload.data ? payload.data : "", payload.size,
			MKV_PREDICATE_RESULT, "SHA256SUMS", &sha256, err);
	if (rc >= 0)
		rc = mkv_json_load(payload.data, payload.size, ret, err);
	if (rc < 0) {
		rc = mkv_bundle_find_error(at, path, rc, err);
		return rc < 0 ? rc : 1;
	}
	at->audit.report->signatures++;
	return 0;
}

static void compare(struct mkv_bundle_audit *at, const json_t *object,
		    const char *key, json_t *wanted)
{
	auto_json json_t *own = wanted;
	if (!json_equal(json_object_get(object, key), own))
		mkv_bundle_find(at, path, "%s: isn't what the bundle holds",
				key);
}

static json_t *missing_json(const struct mkv_bundle_audit *at)
{
	json_t *missing = json_array();
	for (size_t i = 0; i < at->report->missing.count; i++)
		json_array_append_new(
			missing, json_string(at->report->missing.items[i]));
	return missing;
}

static void check_predicate(struct mkv_bundle_audit *at,
			    const json_t *predicate)
{
	const json_t *runs = json_object_get(predicate, "runs");
	json_int_t invalid = 0, lost = 0;
	for (size_t i = 0; i < at->n_events; i++) {
		lost += !at->events[i].files;
		invalid += at->events[i].files && !at->events[i].is_valid;
	}
	compare(at, predicate, "mkvbench_result", json_integer(1));
	compare(at, predicate, "name", json_string(at->plan->name));
	compare(at, predicate, "plan_sha256", json_string(at->plan_sha256));
	compare(at, predicate, "trial", json_boolean(at->plan->is_trial));
	compare(at, predicate, "scale", json_string(at->plan->scale));
	compare(at, runs, "planned",
		json_integer((json_int_t)at->plan->n_runs));
	compare(at, runs, "valid", json_integer((json_int_t)at->report->valid));
	compare(at, runs, "invalid", json_integer(invalid));
	compare(at, runs, "lost", json_integer(lost));
	compare(at, runs, "missing", missing_json(at));
}

/* The entity of a crate; NULL: there is none. */
static const json_t *find_entity(const json_t *crate, const char *id)
{
	const json_t *graph = json_object_get(crate, "@graph");
	for (size_t i = 0; i < json_array_size(graph); i++) {
		const json_t *entity = json_array_get(graph, i);
		const char *text =
			json_string_value(json_object_get(entity, "@id"));
		if (text && strcmp(text, id) == 0)
			return entity;
	}
	return NULL;
}

static int check_crate(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	static const char name[] = "ro-crate-metadata.json";
	auto_json json_t *crate = NULL;
	int rc = mkv_bundle_read_json(at, name, CRATE_MAX, &crate, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	const json_t *root = find_entity(crate, "./");
	const char *title = json_string_value(json_object_get(root, "name"));
	if (!title || !strstr(title, at->plan->name))
		mkv_bundle_find(at, name, "doesn't name the campaign");
	else if ((strncmp(title, "TRIAL", 5) == 0) != at->plan->is_trial)
		mkv_bundle_find(at, name, "says of the plan that it is %s",
				at->plan->is_trial ? "no trial" : "a trial");
	return 0;
}

int mkv_bundle_audit_result(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	auto_json json_t *statement = NULL;
	int rc = read_statement(at, &statement, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		check_predicate(at, json_object_get(statement, "predicate"));
	return check_crate(at, err);
}
