/* SPDX-License-Identifier: MIT */
#include "lib/quote.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/json.h"

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING of an
 * uncompressed point }: RFC 5480, section 2. */
static const uint8_t der_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
				     0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
				     0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
				     0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
_Static_assert(sizeof(der_prefix) + 64 == MKV_TPM_KEY_DER_SIZE,
	       "the DER of a P-256 key");

static int refuse(struct mkv_error *err, const char *why)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "%s", why);
}

void mkv_tpm_key_der(const struct mkv_tpm_key *key,
		     uint8_t ret[static MKV_TPM_KEY_DER_SIZE])
{
	memcpy(ret, der_prefix, sizeof(der_prefix));
	memcpy(ret + sizeof(der_prefix), key->x, 32);
	memcpy(ret + sizeof(der_prefix) + 32, key->y, 32);
}

int mkv_tpm_key_init(const uint8_t x[static 32], const uint8_t y[static 32],
		     struct mkv_tpm_key *ret, struct mkv_error *err)
{
	struct mkv_tpm_key key = {0};
	uint8_t der[MKV_TPM_KEY_DER_SIZE];
	memcpy(key.x, x, 32);
	memcpy(key.y, y, 32);
	mkv_tpm_key_der(&key, der);
	int rc = mkv_sha256_bytes(der, sizeof(der), &key.id, err);
	if (rc < 0)
		return rc;
	*ret = key;
	return 0;
}

int mkv_tpm_key_parse(const char *text, size_t length, struct mkv_tpm_key *ret,
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf der = {0};
	int rc = mkv_base64_read(text, length, &der, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0 || der.size != MKV_TPM_KEY_DER_SIZE ||
	    memcmp(der.data, der_prefix, sizeof(der_prefix)) != 0)
		return refuse(err, "not an ECDSA key on P-256");
	const uint8_t *point = (const uint8_t *)der.data + sizeof(der_prefix);
	return mkv_tpm_key_init(point, point + 32, ret, err);
}

/* Reads 1 to `max` bytes in base64. */
static void read_bytes(struct mkv_json_reader *r, const json_t *root,
		       const char *key, uint8_t *ret, size_t max,
		       size_t *ret_size)
{
	auto_buf struct mkv_buf bytes = {0};
	struct mkv_error ignored;
	const char *text = mkv_json_string(r, root, key, true);
	*ret_size = 0;
	if (!text)
		return;
	if (mkv_base64_read(text, strlen(text), &bytes, &ignored) < 0 ||
	    bytes.size == 0 || bytes.size > max) {
		mkv_json_mistake(r, key, "must be 1 to %zu bytes in base64",
				 max);
		return;
	}
	memcpy(ret, bytes.data, bytes.size);
	*ret_size = bytes.size;
}

static void pcr_name(unsigned index, char ret[static 4])
{
	(void)snprintf(ret, 4, "%u", index & 0xff);
}

static void read_pcrs(struct mkv_json_reader *r, const json_t *root,
		      struct mkv_quote *quote)
{
	char names[MKV_QUOTE_PCRS][4];
	const char *known[MKV_QUOTE_PCRS + 1] = {NULL};
	json_t *object = mkv_json_member(r, root, "pcrs", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(r, "pcrs");
	for (unsigned i = 0; i < MKV_QUOTE_PCRS; i++) {
		pcr_name(i, names[i]);
		known[i] = names[i];
		const char *text = mkv_json_string(r, object, names[i], true);
		if (text && mkv_sha256_parse(text, &quote->pcrs[i]) < 0)
			mkv_json_mistake(
				r, names[i],
				"not a SHA-256 in lower-case hexadecimal");
	}
	mkv_json_only(r, object, known);
	mkv_json_leave(r, mark);
}

static int read_document(const char *text, size_t size, struct mkv_quote *quote,
			 struct mkv_error *err)
{
	auto_json json_t *root = NULL;
	struct mkv_json_reader state, *r = &state;
	int rc = mkv_json_load(text, size, &root, err);
	if (rc < 0)
		return rc;
	mkv_json_reader_init(r, err);
	(void)mkv_json_integer(r, root, "mkvbench_tpm_signature", 1, 1, true,
			       0);
	mkv_json_only(r, root,
		      (const char *const[]){"mkvbench_tpm_signature",
					    "public_key", "quote", "signature",
					    "pcrs", NULL});
	read_bytes(r, root, "quote", quote->bytes, sizeof(quote->bytes),
		   &quote->size);
	read_bytes(r, root, "signature", quote->signature,
		   sizeof(quote->signature), &quote->signature_size);
	read_pcrs(r, root, quote);
	const char *key = mkv_json_string(r, root, "public_key", true);
	if (r->rc < 0)
		return r->rc;
	rc = mkv_tpm_key_parse(key, strlen(key), &quote->key, err);
	if (rc < 0)
		return rc;
	return mkv_attest_parse(quote->bytes, quote->size, &quote->attest, err);
}

int mkv_quote_parse(const char *text, size_t size, struct mkv_quote *ret,
		    struct mkv_error *err)
{
	struct mkv_quote quote = {0};
	if (size > MKV_QUOTE_LIMIT_BYTES)
		return refuse(err, "the TPM's signature is larger than 64 KiB");
	int rc = read_document(text, size, &quote, err);
	if (rc < 0) {
		if (rc != -ENOMEM)
			err->kind = MKV_UNVERIFIED;
		return mkv_wrap(err, rc, "the TPM's signature");
	}
	*ret = quote;
	return 0;
}

static void put_base64(json_t *object, const char *key, const void *data,
		       size_t size)
{
	auto_buf struct mkv_buf text = {0};
	mkv_base64_write(data, size, &text);
	if (!text.failed)
		(void)json_object_set_new(object, key, json_string(text.data));
}

int mkv_quote_write(const struct mkv_quote *quote, struct mkv_buf *into,
		    struct mkv_error *err)
{
	auto_json json_t *root = json_object();
	json_t *pcrs = json_object();
	uint8_t der[MKV_TPM_KEY_DER_SIZE];
	mkv_tpm_key_der(&quote->key, der);
	(void)json_object_set_new(root, "mkvbench_tpm_signature",
				  json_integer(1));
	put_base64(root, "public_key", der, sizeof(der));
	put_base64(root, "quote", quote->bytes, quote->size);
	put_base64(root, "signature", quote->signature, quote->signature_size);
	for (unsigned i = 0; i < MKV_QUOTE_PCRS; i++) {
		char name[4], hex[MKV_SHA256_HEX_SIZE];
		pcr_name(i, name);
		mkv_sha256_hex(&quote->pcrs[i], hex);
		(void)json_object_set_new(pcrs, name, json_string(hex));
	}
	(void)json_object_set_new(root, "pcrs", pcrs);
	return root ? mkv_json_dump(root, into, err) : mkv_oom(err);
}

/* The qualified name (Part 1, 16) of a key made from this tool's template: a
 * restricted signing key, primary in the endorsement hierarchy. TPMT_PUBLIC:
 * Part 2, 12.2.4. */
static int compute_qualified_name(const struct mkv_tpm_key *key,
				  uint8_t ret[static 34], struct mkv_error *err)
{
	static const uint8_t head[] = {
		0x00, 0x23, /* TPM_ALG_ECC */
		0x00, 0x0b, /* named by SHA-256 */
		0x00, 0x05, 0x04,
		0x72,	    /* sign, restricted, noDA, userWithAuth,
			       sensitiveDataOrigin, fixedParent,
			       fixedTPM */
		0x00, 0x00, /* no policy */
		0x00, 0x10, /* no symmetric algorithm */
		0x00, 0x18, 0x00,
		0x0b,	    /* ECDSA with SHA-256 */
		0x00, 0x03, /* P-256 */
		0x00, 0x10, /* no KDF */
	};
	uint8_t public[sizeof(head) + 68], chain[4 + 34];
	struct mkv_sha256 digest;
	memcpy(public, head, sizeof(head));
	memcpy(public + sizeof(head), "\0\x20", 2);
	memcpy(public + sizeof(head) + 2, key->x, 32);
	memcpy(public + sizeof(head) + 34, "\0\x20", 2);
	memcpy(public + sizeof(head) + 36, key->y, 32);
	int rc = mkv_sha256_bytes(public, sizeof(public), &digest, err);
	if (rc < 0)
		return rc;
	memcpy(chain, "\x40\0\0\x0b", 4); /* TPM_RH_ENDORSEMENT */
	memcpy(chain + 4, "\0\x0b", 2);
	memcpy(chain + 6, digest.bytes, 32);
	rc = mkv_sha256_bytes(chain, sizeof(chain), &digest, err);
	if (rc < 0)
		return rc;
	memcpy(ret, "\0\x0b", 2);
	memcpy(ret + 2, digest.bytes, 32);
	return 0;
}

static int check_signature(const struct mkv_quote *quote, struct mkv_error *err)
{
	uint8_t der[MKV_TPM_KEY_DER_SIZE];
	const uint8_t *at = der;
	mkv_tpm_key_der(&quote->key, der);
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, sizeof(der));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool holds =
		pkey && ctx &&
		EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) ==
			1 &&
		EVP_DigestVerify(ctx, quote->signature, quote->signature_size,
				 quote->bytes, quote->size) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return holds ? 0 : refuse(err, "the TPM's signature is invalid");
}

int mkv_quote_verify(const struct mkv_quote *quote,
		     const struct mkv_sha256 *receipt, struct mkv_error *err)
{
	uint8_t name[34];
	struct mkv_sha256 digest;
	int rc = check_signature(quote, err);
	if (rc < 0)
		return rc;
	rc = compute_qualified_name(&quote->key, name, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(quote->pcrs, sizeof(quote->pcrs), &digest, err);
	if (rc < 0)
		return rc;
	if (memcmp(name, quote->attest.signer, sizeof(name)) != 0)
		return refuse(
			err,
			"the TPM's key is not a restricted key: it may sign data from outside the TPM");
	if (!mkv_sha256_equal(&quote->attest.extra, receipt))
		return refuse(err, "the TPM signed another receipt");
	if (!mkv_sha256_equal(&quote->attest.pcr_digest, &digest))
		return refuse(
			err,
			"the PCRs' values differ from the ones that the TPM signed");
	return 0;
}
