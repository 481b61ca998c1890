/* SPDX-License-Identifier: MIT */
#include "verify/probe/trust.h"

#include <fcntl.h>
#include <string.h>

#include "lib/dsse.h"
#include "lib/io.h"

void mkv_trusted_done(struct mkv_trusted *trusted)
{
	mkv_contract_free(trusted->contract);
	*trusted = (struct mkv_trusted){0};
}

static int read_below(const char *root, const char *path, size_t limit,
		      struct mkv_buf *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf full = {0};
	mkv_buf_printf(&full, "%s%s", root, path);
	int rc = mkv_buf_check(&full, err);
	if (rc < 0)
		return rc;
	return mkv_read_file(AT_FDCWD, full.data, limit, ret, err);
}

static int check_signature(const char *root, const struct mkv_sha256 *sha256,
			   struct mkv_public_key *ret_key,
			   struct mkv_error *err)
{
	enum { BUNDLE_MAX = 32 << 20 };
	auto_buf struct mkv_buf pem = {0}, bundle = {0}, payload = {0};
	int rc = read_below(root, MKV_CONTRACT_KEY_PATH, MKV_PUBLIC_KEY_PEM_MAX,
			    &pem, err);
	if (rc < 0)
		return rc;
	rc = mkv_public_key_parse(pem.data ? pem.data : "", pem.size, ret_key,
				  err);
	if (rc < 0)
		return rc;
	rc = read_below(root, MKV_CONTRACT_BUNDLE_PATH, BUNDLE_MAX, &bundle,
			err);
	if (rc < 0)
		return rc;
	rc = mkv_dsse_verify(bundle.data ? bundle.data : "", bundle.size,
			     ret_key, MKV_DSSE_IN_TOTO, &payload, err);
	if (rc < 0)
		return rc;
	return mkv_statement_subject_check(payload.data ? payload.data : "",
					   payload.size, MKV_PREDICATE_CONTRACT,
					   NULL, sha256, err);
}

static int load_contract(const char *root, const char *path,
			 struct mkv_trusted *ret, struct mkv_sha256 *ret_sha256,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = read_below(root, path, MKV_CONTRACT_LIMIT_BYTES, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, ret_sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(ret_sha256, ret->sha256);
	return mkv_contract_parse(text.data ? text.data : "", text.size,
				  &ret->contract, err);
}

static void set_broken(struct mkv_trusted *ret, const struct mkv_error *err)
{
	ret->trust = MKV_TRUST_BROKEN;
	memcpy(ret->text, err->message, sizeof(ret->text));
}

void mkv_trust_image(const char *root, struct mkv_trusted *ret)
{
	struct mkv_sha256 sha256;
	struct mkv_public_key key;
	struct mkv_error err;
	*ret = (struct mkv_trusted){0};
	if (load_contract(root, MKV_CONTRACT_PATH, ret, &sha256, &err) < 0 ||
	    check_signature(root, &sha256, &key, &err) < 0) {
		set_broken(ret, &err);
		return;
	}
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&key.id, id);
	const char *named = ret->contract->key_id;
	if (!named || strcmp(named, id) != 0) {
		(void)mkv_fail(&err, MKV_UNVERIFIED, EBADMSG,
			       "the contract names %s%s, but the image has key "
			       "%s",
			       named ? "key " : "no key", named ? named : "",
			       id);
		set_broken(ret, &err);
		return;
	}
	ret->trust = MKV_TRUST_VERIFIED;
	(void)snprintf(ret->text, sizeof(ret->text), "signed by ed25519 key %s",
		       id);
}

void mkv_trust_file(const char *path, struct mkv_trusted *ret)
{
	struct mkv_sha256 sha256;
	struct mkv_error err;
	*ret = (struct mkv_trusted){0};
	if (load_contract("", path, ret, &sha256, &err) < 0) {
		set_broken(ret, &err);
		return;
	}
	ret->trust = MKV_TRUST_UNCHECKED;
	(void)snprintf(ret->text, sizeof(ret->text),
		       "from a file of --contract; no signature was verified");
}
