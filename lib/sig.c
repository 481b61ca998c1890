/* SPDX-License-Identifier: MIT */
#include "lib/sig.h"

#include <openssl/evp.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/io.h"

/* SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }: the
 * only DER encoding of an Ed25519 key. */
static const uint8_t der_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const char begin_line[] = "-----BEGIN PUBLIC KEY-----";
static const char end_line[] = "-----END PUBLIC KEY-----";

_Static_assert(sizeof(der_prefix) + MKV_PUBLIC_KEY_SIZE ==
		       MKV_PUBLIC_KEY_DER_SIZE,
	       "the DER of an Ed25519 key");

static void write_der(const struct mkv_public_key *key,
		      uint8_t ret[static MKV_PUBLIC_KEY_DER_SIZE])
{
	memcpy(ret, der_prefix, sizeof(der_prefix));
	memcpy(ret + sizeof(der_prefix), key->bytes, MKV_PUBLIC_KEY_SIZE);
}

int mkv_public_key_init(const uint8_t bytes[static MKV_PUBLIC_KEY_SIZE],
			struct mkv_public_key *ret, struct mkv_error *err)
{
	struct mkv_public_key key = {0};
	uint8_t spki[MKV_PUBLIC_KEY_DER_SIZE];
	memcpy(key.bytes, bytes, MKV_PUBLIC_KEY_SIZE);
	write_der(&key, spki);
	int rc = mkv_sha256_bytes(spki, sizeof(spki), &key.id, err);
	if (rc < 0)
		return rc;
	*ret = key;
	return 0;
}

static int malformed(struct mkv_error *err, const char *why)
{
	return mkv_fail(err, MKV_FAILED, EINVAL,
			"not an Ed25519 public key in PEM: %s", why);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Skips white space and `word`. False when another text follows. */
static bool skip_word(const char **at, const char *end, const char *word)
{
	const char *p = *at;
	while (p < end && is_space(*p))
		p++;
	size_t length = strlen(word);
	if ((size_t)(end - p) < length || memcmp(p, word, length) != 0)
		return false;
	*at = p + length;
	return true;
}

int mkv_public_key_parse(const char *pem, size_t size,
			 struct mkv_public_key *ret, struct mkv_error *err)
{
	const char *at = pem, *end = pem + size;
	if (size > MKV_PUBLIC_KEY_PEM_MAX)
		return malformed(err, "it is longer than 4096 bytes");
	if (!skip_word(&at, end, begin_line))
		return malformed(err,
				 "it does not begin with 'BEGIN PUBLIC KEY'");
	char text[(MKV_PUBLIC_KEY_DER_SIZE + 2) / 3 * 4];
	size_t length = 0;
	for (; at < end && *at != '-'; at++) {
		if (is_space(*at))
			continue;
		if (length == sizeof(text))
			return malformed(err, "another kind of key");
		text[length++] = *at;
	}
	if (!skip_word(&at, end, end_line))
		return malformed(err, "it does not end with 'END PUBLIC KEY'");
	while (at < end && is_space(*at))
		at++;
	if (at != end)
		return malformed(err, "the key is followed by other text");
	auto_buf struct mkv_buf bytes = {0};
	int rc = mkv_base64_read(text, length, &bytes, err);
	if (rc < 0)
		return rc == -ENOMEM
			       ? rc
			       : malformed(err, "the base64 text is malformed");
	if (bytes.size != MKV_PUBLIC_KEY_DER_SIZE ||
	    memcmp(bytes.data, der_prefix, sizeof(der_prefix)) != 0)
		return malformed(err, "another kind of key");
	return mkv_public_key_init(
		(const uint8_t *)bytes.data + sizeof(der_prefix), ret, err);
}

int mkv_public_key_load(int dirfd, const char *path, struct mkv_public_key *ret,
			struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0};
	int rc = mkv_read_file(dirfd, path, MKV_PUBLIC_KEY_PEM_MAX, &pem, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "public key");
	rc = mkv_public_key_parse(pem.data ? pem.data : "", pem.size, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

void mkv_public_key_pem(const struct mkv_public_key *key, struct mkv_buf *ret)
{
	uint8_t spki[MKV_PUBLIC_KEY_DER_SIZE];
	write_der(key, spki);
	mkv_buf_printf(ret, "%s\n", begin_line);
	mkv_base64_write(spki, sizeof(spki), ret);
	mkv_buf_printf(ret, "\n%s\n", end_line);
}

bool mkv_public_key_equal(const struct mkv_public_key *a,
			  const struct mkv_public_key *b)
{
	return memcmp(a->bytes, b->bytes, MKV_PUBLIC_KEY_SIZE) == 0;
}

int mkv_signature_verify(const struct mkv_public_key *key, const void *data,
			 size_t size,
			 const uint8_t signature[static MKV_SIGNATURE_SIZE],
			 struct mkv_error *err)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_ED25519, NULL, key->bytes, MKV_PUBLIC_KEY_SIZE);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ready = pkey && ctx &&
		     EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1;
	bool holds =
		ready &&
		EVP_DigestVerify(ctx, signature, MKV_SIGNATURE_SIZE,
				 size ? data : (const void *)"", size) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	if (!ready)
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: Ed25519 failed");
	if (!holds)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the signature is invalid");
	return 0;
}
