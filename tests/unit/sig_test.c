/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base64.h"
#include "lib/sig.h"

static void unhex(const char *hex, uint8_t *out)
{
	for (size_t i = 0; hex[2 * i]; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

/* RFC 8032, section 7.1, tests 1 to 3. */
static const struct vector {
	const char *key, *message, *signature;
} vectors[] = {
	{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	 "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	 "72",
	 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	 "af82",
	 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	 "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void signatures_of_the_rfc_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct mkv_error err = {0};
		struct mkv_public_key key;
		uint8_t bytes[32], message[2], signature[64];
		size_t size = strlen(vectors[i].message) / 2;
		unhex(vectors[i].key, bytes);
		unhex(vectors[i].message, message);
		unhex(vectors[i].signature, signature);
		assert_int_equal(mkv_public_key_init(bytes, &key, &err), 0);
		assert_int_equal(mkv_signature_verify(&key, message, size,
						      signature, &err),
				 0);
	}
}

static void any_flipped_bit_breaks_a_signature(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_public_key key;
	uint8_t bytes[32], message[2], signature[64];
	unhex(vectors[2].key, bytes);
	unhex(vectors[2].message, message);
	unhex(vectors[2].signature, signature);
	assert_int_equal(mkv_public_key_init(bytes, &key, &err), 0);
	for (size_t bit = 0; bit < 64 * 8; bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
			mkv_signature_verify(&key, message, 2, signature, &err),
			-EBADMSG);
		assert_int_equal(err.kind, MKV_UNVERIFIED);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	message[0] ^= 1;
	assert_int_equal(
		mkv_signature_verify(&key, message, 2, signature, &err),
		-EBADMSG);
}

#define BODY "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define END "-----END PUBLIC KEY-----\n"

static const struct pem_case {
	const char *pem;
	int rc;
} pems[] = {
	{BEGIN BODY "\n" END, 0},
	{"\n" BEGIN BODY "\n" END "\n\n", 0},
	{BEGIN
	 "MCowBQYDK2VwAyEA\r\n11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	 "\r\n" END,
	 0},
	{"", -EINVAL},
	{BEGIN, -EINVAL},
	{BEGIN BODY "\n", -EINVAL},
	{BEGIN BODY "\n" END "x", -EINVAL},
	{"x" BEGIN BODY "\n" END, -EINVAL},
	{BEGIN BODY "\n" END BEGIN BODY "\n" END, -EINVAL},
	/* X25519 instead of Ed25519 */
	{BEGIN
	 "MCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" END,
	 -EINVAL},
	/* an extra bit at the end of the base64 */
	{BEGIN
	 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=\n" END,
	 -EINVAL},
	{BEGIN
	 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA\n" END,
	 -EINVAL},
	{"-----BEGIN PRIVATE KEY-----\n" BODY "\n-----END PRIVATE KEY-----\n",
	 -EINVAL},
};

static void only_one_ed25519_key_in_pem_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pems) / sizeof(pems[0]); i++) {
		struct mkv_error err = {0};
		struct mkv_public_key key;
		int rc = mkv_public_key_parse(pems[i].pem, strlen(pems[i].pem),
					      &key, &err);
		if (rc != pems[i].rc)
			fail_msg("case %zu: %d %s", i, rc, err.message);
		if (rc < 0)
			continue;
		uint8_t bytes[32];
		auto_buf struct mkv_buf pem = {0};
		unhex(vectors[0].key, bytes);
		assert_memory_equal(key.bytes, bytes, 32);
		mkv_public_key_pem(&key, &pem);
		assert_string_equal(pem.data, pems[0].pem);
	}
}

static const struct base64_case {
	const char *text, *bytes; /* NULL: refused */
} base64s[] = {
	{"", ""},
	{"Zg==", "f"},
	{"Zm8=", "fo"},
	{"Zm9v", "foo"},
	{"Zm9vYg==", "foob"},
	{"Zm9vYmE=", "fooba"},
	{"Zm9vYmFy", "foobar"},
	{"Zh==", NULL},
	{"Zm9=", NULL},
	{"Zg=", NULL},
	{"Zg", NULL},
	{"Zg==\n", NULL},
	{"Zm9v\n", NULL},
	{"Z===", NULL},
	{"====", NULL},
	{"Zg==Zg==", NULL},
	{"Zm-_", NULL},
	{" Zg=", NULL},
	{"=", NULL},
	{"Z=g=", NULL},
};

static void base64_is_read_only_as_it_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(base64s) / sizeof(base64s[0]); i++) {
		const struct base64_case *c = &base64s[i];
		struct mkv_error err = {0};
		auto_buf struct mkv_buf bytes = {0}, text = {0};
		int rc =
			mkv_base64_read(c->text, strlen(c->text), &bytes, &err);
		if (!c->bytes) {
			if (rc != -EBADMSG || bytes.size)
				fail_msg("'%s' was accepted", c->text);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(bytes.size, strlen(c->bytes));
		mkv_base64_write(c->bytes, strlen(c->bytes), &text);
		assert_string_equal(text.data ? text.data : "", c->text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_of_the_rfc_hold),
		cmocka_unit_test(any_flipped_bit_breaks_a_signature),
		cmocka_unit_test(only_one_ed25519_key_in_pem_is_read),
		cmocka_unit_test(base64_is_read_only_as_it_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
