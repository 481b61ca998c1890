/* SPDX-License-Identifier: MIT */
/* What a plan needs of an appliance. */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/plan/plan.h"
#include "lib/dsse.h"
#include "lib/io.h"

enum { KEY_BYTES_MAX = 4096 };

static int read_part(const char *dir, const char *name, size_t limit,
		     struct mkv_buf *ret, struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return mkv_oom(err);
	return mkv_read_file(AT_FDCWD, path, limit, ret, err);
}

/* The contract's bytes in the images are its canonical form. */
static int hash_contract(const struct mkv_manifest *manifest,
			 struct mkv_sha256 *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_json_dump(manifest->contract->document, &text, err);
	return rc < 0 ? rc : mkv_sha256_bytes(text.data, text.size, ret, err);
}

/* The key is the one that the contract names, and it signed a statement about
 * these bytes. */
static int verify_contract(const char *dir, const struct mkv_contract *contract,
			   const struct mkv_sha256 *sha256,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0}, bundle = {0}, payload = {0};
	struct mkv_public_key key;
	char id[MKV_SHA256_HEX_SIZE];
	int rc = read_part(dir, "attestations/key.pub", KEY_BYTES_MAX, &pem,
			   err);
	if (rc < 0)
		return rc;
	rc = mkv_public_key_parse(pem.data, pem.size, &key, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&key.id, id);
	if (!contract->key_id || strcmp(contract->key_id, id) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the contract names another key than "
				"attestations/key.pub");
	rc = read_part(dir, "attestations/contract.sigstore.json",
		       MKV_DSSE_BUNDLE_MAX, &bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_dsse_verify(bundle.data, bundle.size, &key, MKV_DSSE_IN_TOTO,
			     &payload, err);
	if (rc < 0)
		return rc;
	return mkv_statement_subject_check(payload.data, payload.size,
					   MKV_PREDICATE_CONTRACT,
					   "contract.json", sha256, err);
}

int mkv_plan_appliance_read(const char *dir, struct mkv_plan_appliance *ret,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_manifest struct mkv_manifest *manifest = NULL;
	struct mkv_sha256 sha256;
	int rc = read_part(dir, "manifest.json", MKV_JSON_LIMIT_BYTES, &text,
			   err);
	if (rc >= 0)
		rc = mkv_manifest_parse(text.data, text.size, &manifest, err);
	if (rc >= 0)
		rc = hash_contract(manifest, &sha256, err);
	if (rc >= 0)
		rc = verify_contract(dir, manifest->contract, &sha256, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "appliance '%s'", dir);
	ret->manifest = mkv_take(manifest);
	ret->contract_sha256 = sha256;
	return 0;
}

void mkv_plan_appliance_done(struct mkv_plan_appliance *appliance)
{
	mkv_manifest_free(appliance->manifest);
	*appliance = (struct mkv_plan_appliance){0};
}
