/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "builder/evidence/attest/attest.h"
#include "lib/dsse.h"
#include "lib/io.h"

#define STATEMENT                                                              \
	"{\"_type\":\"https://in-toto.io/Statement/"                           \
	"v1\",\"subject\":[{\"name\":"                                         \
	"\"a\",\"digest\":{\"sha256\":\"" HEX "\"}}],\"predicateType\":"       \
	"\"urn:mkvbench:contract:1\",\"predicate\":{}}"
#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct fixture {
	char dir[64];
	struct mkv_private_key *key;
	struct mkv_buf bundle;
};

static int setup(void **state)
{
	struct mkv_error err = {0};
	struct mkv_public_key public;
	struct fixture *f = calloc(1, sizeof(*f));
	auto_free char *path = NULL;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/mkv-dsse-XXXXXX");
	if (!mkdtemp(f->dir) || asprintf(&path, "%s/k/key.pem", f->dir) < 0)
		return -1;
	*state = f;
	return mkv_key_generate(path, &public, &err) < 0 ||
			       mkv_private_key_load(path, &f->key, &err) < 0 ||
			       mkv_dsse_sign(f->key, STATEMENT,
					     strlen(STATEMENT), &f->bundle,
					     &err) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	struct mkv_error err;
	struct fixture *f = *state;
	mkv_private_key_free(f->key);
	mkv_buf_done(&f->bundle);
	int rc = mkv_remove_tree(AT_FDCWD, f->dir, &err);
	free(f);
	return rc;
}

static int verify_bundle(const struct fixture *f, const char *text, size_t size,
			 struct mkv_buf *payload, struct mkv_error *err)
{
	return mkv_dsse_verify(text, size, mkv_private_key_public(f->key),
			       MKV_DSSE_IN_TOTO, payload, err);
}

static void the_encoding_is_that_of_the_specification(void **state)
{
	(void)state;
	auto_buf struct mkv_buf pae = {0};
	mkv_dsse_pae("http://example.com/HelloWorld", "hello world", 11, &pae);
	assert_string_equal(pae.data, "DSSEv1 29 http://example.com/HelloWorld "
				      "11 hello world");
}

static void a_bundle_gives_its_payload_back(void **state)
{
	const struct fixture *f = *state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf payload = {0};
	assert_int_equal(verify_bundle(f, f->bundle.data, f->bundle.size,
				       &payload, &err),
			 0);
	assert_string_equal(payload.data, STATEMENT);
}

static void any_flipped_bit_is_refused(void **state)
{
	const struct fixture *f = *state;
	for (size_t bit = 0; bit < f->bundle.size * 8; bit++) {
		struct mkv_error err = {0};
		auto_buf struct mkv_buf payload = {0};
		f->bundle.data[bit / 8] ^= (char)(1 << bit % 8);
		int rc = verify_bundle(f, f->bundle.data, f->bundle.size,
				       &payload, &err);
		f->bundle.data[bit / 8] ^= (char)(1 << bit % 8);
		if (rc >= 0 || payload.size)
			fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
		assert_int_equal(err.kind, MKV_UNVERIFIED);
	}
}

static void any_shorter_bundle_is_refused(void **state)
{
	const struct fixture *f = *state;
	for (size_t size = 0; size + 1 < f->bundle.size; size++) {
		struct mkv_error err = {0};
		auto_buf struct mkv_buf payload = {0};
		assert_true(verify_bundle(f, f->bundle.data, size, &payload,
					  &err) < 0);
	}
}

/* A text of the valid bundle is replaced by another one. */
static const struct edit {
	const char *from, *to;
} edits[] = {
	{"{\"dsse", "{\"x\":1,\"dsse"},
	{"v0.3", "v0.2"},
	{"application/vnd.in-toto+json", "application/json"},
	{"\"payload\"", "\"payload\":\"\",\"payload\""},
	{"\"signatures\":[", "\"signatures\":[{\"keyid\":\"\",\"sig\":\"\"},"},
	{"\"signatures\":[", "\"signatures\":{},\"s\":["},
	{"\"keyid\"", "\"KeyID\""},
	{"\"keyid\":\"", "\"keyid\":\"0"},
	{"\"hint\":\"", "\"hint\":\"0"},
	{"\"hint\"", "\"x\":0,\"hint\""},
	{"==\"}]", "\"}]"},
	{"==\"}]", "==\\n\"}]"},
	{"==\"}]", "==\\u0000\"}]"},
	{"\"payload\":\"", "\"payload\":\" "},
	{"\"payload\":\"", "\"payload\":5,\"p\":\""},
	{"}\n", "} {}\n"},
};

static void any_other_shape_is_refused(void **state)
{
	const struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct mkv_error err = {0};
		auto_buf struct mkv_buf payload = {0}, text = {0};
		const char *at = strstr(f->bundle.data, edits[i].from);
		if (!at)
			fail_msg("edit %zu does not apply", i);
		mkv_buf_add(&text, f->bundle.data,
			    (size_t)(at - f->bundle.data));
		mkv_buf_str(&text, edits[i].to);
		mkv_buf_str(&text, at + strlen(edits[i].from));
		int rc = verify_bundle(f, text.data, text.size, &payload, &err);
		if (rc >= 0 || payload.size || err.kind != MKV_UNVERIFIED)
			fail_msg("edit %zu: %s", i, err.message);
	}
}

static void another_key_is_named(void **state)
{
	const struct fixture *f = *state;
	struct mkv_error err = {0};
	struct mkv_public_key other;
	auto_buf struct mkv_buf payload = {0};
	const uint8_t bytes[32] = {1};
	assert_int_equal(mkv_public_key_init(bytes, &other, &err), 0);
	assert_int_equal(mkv_dsse_verify(f->bundle.data, f->bundle.size, &other,
					 MKV_DSSE_IN_TOTO, &payload, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "signed by another key"));
}

static void a_statement_is_about_its_subjects_alone(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_sha256 sha, other = {{0}};
	const char *s = STATEMENT;
	size_t n = strlen(s);
	assert_int_equal(mkv_sha256_parse(HEX, &sha), 0);
	assert_int_equal(mkv_statement_subject_check(s, n,
						     MKV_PREDICATE_CONTRACT,
						     NULL, &sha, &err),
			 0);
	assert_int_equal(mkv_statement_subject_check(
				 s, n, MKV_PREDICATE_CONTRACT, "a", &sha, &err),
			 0);
	assert_true(mkv_statement_subject_check(s, n, MKV_PREDICATE_CONTRACT,
						"b", &sha, &err) < 0);
	assert_true(mkv_statement_subject_check(s, n, MKV_PREDICATE_CONTRACT,
						NULL, &other, &err) < 0);
	assert_int_equal(err.kind, MKV_UNVERIFIED);
	assert_true(mkv_statement_subject_check(s, n, MKV_PREDICATE_SLSA, NULL,
						&sha, &err) < 0);
	assert_true(mkv_statement_subject_check("{}", 2, MKV_PREDICATE_CONTRACT,
						NULL, &sha, &err) < 0);
	assert_true(mkv_statement_subject_check("", 0, MKV_PREDICATE_CONTRACT,
						NULL, &sha, &err) < 0);
	assert_int_equal(err.kind, MKV_UNVERIFIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_encoding_is_that_of_the_specification),
		cmocka_unit_test(a_bundle_gives_its_payload_back),
		cmocka_unit_test(any_flipped_bit_is_refused),
		cmocka_unit_test(any_shorter_bundle_is_refused),
		cmocka_unit_test(any_other_shape_is_refused),
		cmocka_unit_test(another_key_is_named),
		cmocka_unit_test(a_statement_is_about_its_subjects_alone),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
