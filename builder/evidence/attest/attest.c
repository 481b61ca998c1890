/* SPDX-License-Identifier: MIT */
#include "builder/evidence/attest/attest.h"

#include <string.h>

#include "builder/evidence/attest/sums.h"
#include "lib/io.h"
#include "lib/json.h"

/* The state of one call of mkv_attest_appliance(). */
struct attesting {
	const char *dir;
	const struct mkv_private_key *key;
	const struct mkv_attest_inputs *inputs;
	struct mkv_sums *sums;
};

static int write_file(const struct attesting *at, const char *path,
		      const void *data, size_t size, struct mkv_error *err)
{
	auto_free char *place = NULL;
	if (asprintf(&place, "%s/%s", at->dir, path) < 0)
		return mkv_oom(err);
	return mkv_place_file(place, 0644, data, size, err);
}

/* Writes a file and adds it to the sums. */
static int add_file(struct attesting *at, const char *path, const void *data,
		    size_t size, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	int rc = mkv_sha256_bytes(data, size, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_sums_add(at->sums, path, &sha256, err);
	return rc < 0 ? rc : write_file(at, path, data, size, err);
}

static int add_statement(struct attesting *at, const char *path,
			 const struct mkv_buf *statement, struct mkv_error *err)
{
	auto_buf struct mkv_buf bundle = {0};
	int rc = mkv_dsse_sign(at->key, statement->data, statement->size,
			       &bundle, err);
	return rc < 0 ? rc : add_file(at, path, bundle.data, bundle.size, err);
}

static int add_contract(struct attesting *at, struct mkv_error *err)
{
	auto_json json_t *manifest = NULL;
	auto_buf struct mkv_buf text = {0}, bundle = {0};
	char id[MKV_SHA256_HEX_SIZE];
	int rc = mkv_json_load(at->inputs->manifest, at->inputs->manifest_size,
			       &manifest, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "manifest.json");
	const json_t *contract = json_object_get(manifest, "contract");
	const char *named = json_string_value(
		json_object_get(json_object_get(contract, "key"), "id"));
	mkv_sha256_hex(&mkv_private_key_public(at->key)->id, id);
	if (!named || strcmp(named, id) != 0)
		return mkv_fail(
			err, MKV_FAILED, EINVAL,
			"the contract names the key %s, but the signing key "
			"is %s",
			named ? named : "(none)", id);
	rc = mkv_json_dump(contract, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_contract_bundle(at->key, text.data, text.size, &bundle, err);
	return rc < 0 ? rc
		      : add_file(at, "attestations/contract.sigstore.json",
				 bundle.data, bundle.size, err);
}

static int add_spdx(struct attesting *at, const struct mkv_lock_set *set,
		    struct mkv_error *err)
{
	auto_buf struct mkv_buf statement = {0};
	char path[256];
	int length = snprintf(path, sizeof(path),
			      "attestations/%s.spdx.sigstore.json", set->name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return mkv_fail(err, MKV_FAILED, ENAMETOOLONG,
				"the name of set '%s' is too long", set->name);
	for (char *c = path + strlen("attestations/"); *c; c++)
		if (*c == '/')
			*c = '-';
	int rc = mkv_spdx_statement(at->inputs, set, &statement, err);
	return rc < 0 ? rc : add_statement(at, path, &statement, err);
}

static int add_provenance(struct attesting *at, struct mkv_error *err)
{
	auto_buf struct mkv_buf slsa = {0};
	int rc = mkv_slsa_statement(at->inputs, &slsa, err);
	return rc < 0 ? rc
		      : add_statement(at,
				      "attestations/provenance.sigstore.json",
				      &slsa, err);
}

static int add_key(struct attesting *at, struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0};
	mkv_public_key_pem(mkv_private_key_public(at->key), &pem);
	int rc = mkv_buf_check(&pem, err);
	return rc < 0 ? rc
		      : add_file(at, "attestations/key.pub", pem.data, pem.size,
				 err);
}

/* The digests of the files that the appliance holds already. */
static int add_digests(struct attesting *at, struct mkv_error *err)
{
	const struct mkv_attest_inputs *in = at->inputs;
	struct mkv_sha256 sha256;
	int rc =
		mkv_sha256_bytes(in->manifest, in->manifest_size, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_sums_add(at->sums, "manifest.json", &sha256, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < in->n_artifacts; i++) {
		rc = mkv_sums_add(at->sums, in->artifacts[i].path,
				  &in->artifacts[i].sha256, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_all(struct attesting *at, struct mkv_error *err)
{
	const struct mkv_lock *lock = at->inputs->lock;
	int rc = add_contract(at, err);
	if (rc < 0)
		return rc;
	rc = add_provenance(at, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < lock->n_sets; i++) {
		rc = add_spdx(at, &lock->sets[i], err);
		if (rc < 0)
			return rc;
	}
	rc = add_key(at, err);
	return rc < 0 ? rc : add_digests(at, err);
}

static int sign_sums(struct attesting *at, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	uint8_t signature[MKV_SIGNATURE_SIZE];
	int rc = mkv_sums_print(at->sums, &text, err);
	if (rc < 0)
		return rc;
	rc = write_file(at, "SHA256SUMS", text.data, text.size, err);
	if (rc < 0)
		return rc;
	rc = mkv_private_key_sign(at->key, text.data, text.size, signature,
				  err);
	return rc < 0 ? rc
		      : write_file(at, "SHA256SUMS.sig", signature,
				   sizeof(signature), err);
}

int mkv_attest_appliance(const char *dir, const struct mkv_private_key *key,
			 const struct mkv_attest_inputs *inputs,
			 struct mkv_error *err)
{
	auto_sums struct mkv_sums *sums = mkv_sums_new();
	auto_free char *directory = NULL;
	if (!sums || asprintf(&directory, "%s/attestations", dir) < 0)
		return mkv_oom(err);
	struct attesting at = {dir, key, inputs, sums};
	int rc = mkv_make_dirs(directory, err);
	if (rc >= 0)
		rc = add_all(&at, err);
	if (rc >= 0)
		rc = sign_sums(&at, err);
	return rc < 0 ? mkv_wrap(err, rc, "attest '%s'", dir) : 0;
}
