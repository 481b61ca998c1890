/* SPDX-License-Identifier: MIT */
#include "lib/dsse.h"

#include <string.h>

#include "lib/base64.h"
#include "lib/json.h"

enum { SUBJECTS_MAX = 100000 };

void mkv_dsse_pae(const char *payload_type, const void *payload, size_t size,
		  struct mkv_buf *ret)
{
	mkv_buf_printf(ret, "DSSEv1 %zu %s %zu ", strlen(payload_type),
		       payload_type, size);
	mkv_buf_add(ret, payload, size);
}

static int refuse(struct mkv_error *err, const char *why)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "%s", why);
}

/* The member of an object that has exactly `count` members, or NULL. */
static const json_t *strict_member(const json_t *object, size_t count,
				   const char *key)
{
	return json_is_object(object) && json_object_size(object) == count
		       ? json_object_get(object, key)
		       : NULL;
}

static bool is_text(const json_t *value, const char *text)
{
	return json_is_string(value) &&
	       json_string_length(value) == strlen(text) &&
	       strcmp(json_string_value(value), text) == 0;
}

static int read_base64(const json_t *value, struct mkv_buf *ret,
		       struct mkv_error *err)
{
	if (!json_is_string(value))
		return refuse(err, "a base64 member is not a string");
	return mkv_base64_read(json_string_value(value),
			       json_string_length(value), ret, err);
}

/* The envelope's only signature, which must name the key. */
static int read_signature(const json_t *envelope, const char *key_id,
			  struct mkv_buf *ret, struct mkv_error *err)
{
	const json_t *list = strict_member(envelope, 3, "signatures");
	if (!json_is_array(list) || json_array_size(list) != 1)
		return refuse(
			err,
			"the envelope does not have exactly one signature");
	const json_t *one = json_array_get(list, 0);
	if (!is_text(strict_member(one, 2, "keyid"), key_id))
		return refuse(
			err,
			"the signature's keyid differs from the bundle's hint");
	int rc = read_base64(strict_member(one, 2, "sig"), ret, err);
	if (rc < 0)
		return rc;
	if (ret->size != MKV_SIGNATURE_SIZE)
		return refuse(err, "the signature is not 64 bytes of Ed25519");
	return 0;
}

/* The bundle's three members, and the hint that names the key. */
static int read_bundle(const json_t *bundle, const char *key_id,
		       const json_t **ret_envelope, struct mkv_error *err)
{
	if (!is_text(strict_member(bundle, 3, "mediaType"), MKV_DSSE_BUNDLE))
		return refuse(err, "not a Sigstore bundle v0.3");
	const json_t *material =
		strict_member(bundle, 3, "verificationMaterial");
	const json_t *public = strict_member(material, 1, "publicKey");
	const json_t *hint = strict_member(public, 1, "hint");
	if (!json_is_string(hint))
		return refuse(err, "the bundle names no public key");
	if (!is_text(hint, key_id))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"signed by another key: %.80s, not %s",
				json_string_value(hint), key_id);
	*ret_envelope = strict_member(bundle, 3, "dsseEnvelope");
	if (!json_is_object(*ret_envelope) ||
	    json_object_size(*ret_envelope) != 3)
		return refuse(err, "the bundle holds no DSSE envelope");
	return 0;
}

int mkv_dsse_verify(const char *bundle_json, size_t size,
		    const struct mkv_public_key *key, const char *payload_type,
		    struct mkv_buf *ret_payload, struct mkv_error *err)
{
	auto_json json_t *bundle = NULL;
	auto_buf struct mkv_buf signature = {0}, payload = {0}, pae = {0};
	const json_t *envelope = NULL;
	char key_id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&key->id, key_id);
	if (size > MKV_DSSE_BUNDLE_MAX)
		return refuse(err, "the bundle is too large");
	int rc = mkv_json_load(bundle_json, size, &bundle, err);
	if (rc < 0) {
		if (rc != -ENOMEM)
			err->kind = MKV_UNVERIFIED;
		return mkv_wrap(err, rc, "bundle");
	}
	rc = read_bundle(bundle, key_id, &envelope, err);
	if (rc < 0)
		return rc;
	if (!is_text(strict_member(envelope, 3, "payloadType"), payload_type))
		return refuse(err,
			      "the payload has another type than expected");
	rc = read_signature(envelope, key_id, &signature, err);
	if (rc < 0)
		return rc;
	rc = read_base64(strict_member(envelope, 3, "payload"), &payload, err);
	if (rc < 0)
		return rc;
	mkv_dsse_pae(payload_type, payload.data, payload.size, &pae);
	rc = mkv_buf_check(&pae, err);
	if (rc < 0)
		return rc;
	rc = mkv_signature_verify(key, pae.data, pae.size,
				  (const uint8_t *)signature.data, err);
	if (rc < 0)
		return rc;
	mkv_buf_add(ret_payload, payload.data, payload.size);
	return mkv_buf_check(ret_payload, err);
}

static bool is_subject(const json_t *subject, const char *name, const char *hex)
{
	const json_t *digest = json_object_get(subject, "digest");
	return is_text(json_object_get(digest, "sha256"), hex) &&
	       (!name || is_text(json_object_get(subject, "name"), name));
}

int mkv_statement_subject_check(const char *payload, size_t size,
				const char *predicate_type, const char *name,
				const struct mkv_sha256 *sha256,
				struct mkv_error *err)
{
	auto_json json_t *statement = NULL;
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	int rc = mkv_json_load(payload, size, &statement, err);
	if (rc < 0) {
		if (rc != -ENOMEM)
			err->kind = MKV_UNVERIFIED;
		return mkv_wrap(err, rc, "statement");
	}
	if (!is_text(json_object_get(statement, "_type"), MKV_STATEMENT_TYPE))
		return refuse(err, "not an in-toto Statement v1");
	if (!is_text(json_object_get(statement, "predicateType"),
		     predicate_type))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the statement's predicate type is not %s",
				predicate_type);
	const json_t *subjects = json_object_get(statement, "subject");
	size_t count = json_array_size(subjects);
	if (count > SUBJECTS_MAX)
		return refuse(err, "the statement has too many subjects");
	for (size_t i = 0; i < count; i++)
		if (is_subject(json_array_get(subjects, i), name, hex))
			return 0;
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
			"the statement has no subject %s%s%swith SHA-256 %s",
			name ? "'" : "", name ? name : "", name ? "' " : "",
			hex);
}
