/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/audit/audit_internal.h"
#include "lib/dsse.h"

#define CONTRACT_BUNDLE "attestations/contract.sigstore.json"
#define PROVENANCE_BUNDLE "attestations/provenance.sigstore.json"

/* Reads and verifies a statement. Positive when a finding was added instead. */
static int read_statement(struct mkv_audit *audit, const char *path,
			  struct mkv_buf *payload, json_t **ret,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf bundle = {0};
	int rc = mkv_audit_read(audit, path, MKV_DSSE_BUNDLE_MAX, &bundle, err);
	if (rc != 0)
		return rc;
	rc = mkv_dsse_verify(bundle.data ? bundle.data : "", bundle.size,
			     &audit->report->key, MKV_DSSE_IN_TOTO, payload,
			     err);
	if (rc >= 0) {
		audit->report->signatures++;
		rc = mkv_json_load(payload->data ? payload->data : "",
				   payload->size, ret, err);
	}
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		mkv_audit_add(audit->report, path, "%s", err->message);
		return 1;
	}
	return 0;
}

static int check_contract(struct mkv_audit *audit,
			  const struct mkv_buf *payload,
			  const json_t *statement, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	if (!audit->manifest)
		return 0;
	const struct mkv_contract *contract = audit->manifest->contract;
	int rc = mkv_json_dump(contract->document, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_statement_subject_check(payload->data, payload->size,
					 MKV_PREDICATE_CONTRACT,
					 "contract.json", &sha256, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0 || !json_equal(json_object_get(statement, "predicate"),
				  contract->document))
		mkv_audit_add(audit->report, "manifest.json",
			      "its contract differs from the signed one in %s",
			      CONTRACT_BUNDLE);
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&audit->report->key.id, id);
	if (!contract->key_id || strcmp(contract->key_id, id) != 0)
		mkv_audit_add(audit->report, "manifest.json",
			      "its contract names another key: expected %s got "
			      "%s",
			      id, contract->key_id ? contract->key_id : "none");
	return 0;
}

/* The digest that the appliance has for a subject of this name. */
static bool find_digest(const struct mkv_audit *audit, const char *name,
			struct mkv_sha256 *ret)
{
	const struct mkv_sum *sum = mkv_sums_find(audit->sums, name);
	if (sum) {
		*ret = sum->sha256;
		return true;
	}
	if (!audit->manifest || strncmp(name, "oci/", 4) != 0)
		return false;
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(audit->manifest->contract, name + 4);
	return oci && oci->manifest &&
	       strncmp(oci->manifest, "sha256:", 7) == 0 &&
	       mkv_sha256_parse(oci->manifest + 7, ret) == 0;
}

/* Every subject is a file or OCI image of this appliance, with its digest. */
static void check_subjects(struct mkv_audit *audit, const char *path,
			   const json_t *statement)
{
	const json_t *list = json_object_get(statement, "subject");
	const json_t *subject;
	size_t i;
	if (json_array_size(list) == 0)
		mkv_audit_add(audit->report, path, "has no subject");
	json_array_foreach(list, i, subject)
	{
		struct mkv_sha256 claimed, actual;
		const char *name =
			json_string_value(json_object_get(subject, "name"));
		const char *hex = json_string_value(json_object_get(
			json_object_get(subject, "digest"), "sha256"));
		if (!name || !hex || mkv_sha256_parse(hex, &claimed) < 0)
			mkv_audit_add(audit->report, path,
				      "subject %zu has no name or no sha256",
				      i);
		else if (!find_digest(audit, name, &actual))
			mkv_audit_add(
				audit->report, path,
				"subject '%s' is missing in the appliance",
				name);
		else if (!mkv_sha256_equal(&claimed, &actual))
			mkv_audit_add(audit->report, path,
				      "sha256 of subject '%s' differs", name);
	}
}

static int check_bundle(struct mkv_audit *audit, const char *path,
			struct mkv_error *err)
{
	auto_buf struct mkv_buf payload = {0};
	auto_json json_t *statement = NULL;
	int rc = read_statement(audit, path, &payload, &statement, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	const char *type =
		json_string_value(json_object_get(statement, "_type"));
	const char *predicate =
		json_string_value(json_object_get(statement, "predicateType"));
	const char *want =
		strcmp(path, CONTRACT_BUNDLE) == 0     ? MKV_PREDICATE_CONTRACT
		: strcmp(path, PROVENANCE_BUNDLE) == 0 ? MKV_PREDICATE_SLSA
						       : MKV_PREDICATE_SPDX;
	if (!type || strcmp(type, MKV_STATEMENT_TYPE) != 0)
		mkv_audit_add(audit->report, path,
			      "isn't an in-toto Statement v1");
	else if (!predicate || strcmp(predicate, want) != 0)
		mkv_audit_add(audit->report, path,
			      "predicate differs: expected %s got %s", want,
			      predicate ? predicate : "none");
	else if (strcmp(want, MKV_PREDICATE_CONTRACT) == 0)
		return check_contract(audit, &payload, statement, err);
	else if (audit->sums)
		check_subjects(audit, path, statement);
	return 0;
}

/* A bundle beside those that every appliance has. */
static bool is_other_bundle(const char *path)
{
	size_t length = strlen(path);
	static const char suffix[] = ".sigstore.json";
	return strncmp(path, "attestations/", 13) == 0 &&
	       length > sizeof(suffix) &&
	       strcmp(path + length - strlen(suffix), suffix) == 0 &&
	       strcmp(path, CONTRACT_BUNDLE) != 0 &&
	       strcmp(path, PROVENANCE_BUNDLE) != 0;
}

int mkv_audit_bundles(struct mkv_audit *audit, struct mkv_error *err)
{
	int rc = check_bundle(audit, CONTRACT_BUNDLE, err);
	if (rc < 0)
		return rc;
	rc = check_bundle(audit, PROVENANCE_BUNDLE, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; audit->sums && i < audit->sums->count; i++) {
		const char *path = audit->sums->items[i].path;
		if (!is_other_bundle(path))
			continue;
		rc = check_bundle(audit, path, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
