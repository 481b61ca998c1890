/* SPDX-License-Identifier: MIT */
#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "lib/base64.h"
#include "lib/dsse.h"

int mkv_dsse_sign(const struct mkv_private_key *key, const void *payload,
		  size_t size, struct mkv_buf *ret_bundle,
		  struct mkv_error *err)
{
	auto_buf struct mkv_buf pae = {0}, body = {0}, sig = {0};
	uint8_t signature[MKV_SIGNATURE_SIZE];
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&mkv_private_key_public(key)->id, id);
	mkv_dsse_pae(MKV_DSSE_IN_TOTO, payload, size, &pae);
	int rc = mkv_buf_check(&pae, err);
	if (rc < 0)
		return rc;
	rc = mkv_private_key_sign(key, pae.data, pae.size, signature, err);
	if (rc < 0)
		return rc;
	mkv_base64_write(payload, size, &body);
	mkv_base64_write(signature, sizeof(signature), &sig);
	if (mkv_buf_check(&body, err) < 0 || mkv_buf_check(&sig, err) < 0)
		return mkv_oom(err);
	auto_json json_t *bundle =
		json_pack("{s:s, s:{s:{s:s}}, s:{s:s#, s:s, s:[{s:s, s:s#}]}}",
			  "mediaType", MKV_DSSE_BUNDLE, "verificationMaterial",
			  "publicKey", "hint", id, "dsseEnvelope", "payload",
			  body.data ? body.data : "", body.size, "payloadType",
			  MKV_DSSE_IN_TOTO, "signatures", "keyid", id, "sig",
			  sig.data, sig.size);
	if (!bundle)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"jansson: can't build a bundle");
	rc = mkv_json_dump_compact(bundle, ret_bundle, err);
	if (rc < 0)
		return rc;
	mkv_buf_char(ret_bundle, '\n');
	return mkv_buf_check(ret_bundle, err);
}

int mkv_contract_bundle(const struct mkv_private_key *key, const char *contract,
			size_t size, struct mkv_buf *ret_bundle,
			struct mkv_error *err)
{
	auto_json json_t *predicate = NULL;
	auto_buf struct mkv_buf statement = {0};
	struct mkv_sha256 sha256;
	int rc = mkv_json_load(contract, size, &predicate, err);
	if (rc >= 0)
		rc = mkv_sha256_bytes(contract, size, &sha256, err);
	if (rc >= 0)
		rc = mkv_statement_print(
			json_pack("[o]", mkv_statement_subject("contract.json",
							       &sha256)),
			MKV_PREDICATE_CONTRACT, mkv_take(predicate), &statement,
			err);
	if (rc >= 0)
		rc = mkv_dsse_sign(key, statement.data, statement.size,
				   ret_bundle, err);
	return rc < 0 ? mkv_wrap(err, rc, "contract") : 0;
}
