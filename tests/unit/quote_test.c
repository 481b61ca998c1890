/* SPDX-License-Identifier: MIT */
/* A quote that a TPM made (swtpm; tests/fuzz/quote), and changes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "lib/io.h"
#include "lib/quote.h"

#define SIGNATURE "tests/fuzz/quote/receipt.tpm.json"

static struct mkv_buf document;
static struct mkv_quote quote;
static struct mkv_sha256 receipt;

static int load_quote(void **state)
{
	struct mkv_error err = {0};
	(void)state;
	if (mkv_read_file(AT_FDCWD, SIGNATURE, MKV_QUOTE_LIMIT_BYTES, &document,
			  &err) < 0 ||
	    mkv_quote_parse(document.data, document.size, &quote, &err) < 0 ||
	    mkv_sha256_bytes("a receipt\n", 10, &receipt, &err) < 0)
		fail_msg("%s", err.message);
	return 0;
}

static int free_quote(void **state)
{
	(void)state;
	mkv_buf_done(&document);
	return 0;
}

static void a_quote_of_a_tpm_verifies(void **state)
{
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	(void)state;
	if (mkv_quote_verify(&quote, &receipt, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(quote.attest.resets, 1);
	assert_int_equal(quote.attest.restarts, 0);
	assert_true(quote.attest.clock_is_safe);
	assert_true(quote.attest.clock_ms > 0);
	assert_int_equal(mkv_quote_write(&quote, &text, &err), 0);
	assert_string_equal(text.data, document.data);
}

static void expect_refusal(const char *says)
{
	struct mkv_error err = {0};
	int rc = mkv_quote_verify(&quote, &receipt, &err);
	if (rc >= 0 || err.kind != MKV_UNVERIFIED || !strstr(err.message, says))
		fail_msg("%d '%s', not '%s'", rc, err.message, says);
}

static void a_changed_quote_does_not_verify(void **state)
{
	const struct mkv_quote good = quote;
	const struct mkv_sha256 asked = receipt;
	(void)state;
	for (size_t i = 0; i < quote.size; i++) {
		quote.bytes[i] ^= 1;
		expect_refusal("signature is invalid");
		quote = good;
	}
	for (size_t i = 0; i < quote.signature_size; i++) {
		quote.signature[i] ^= 1;
		expect_refusal("signature is invalid");
		quote = good;
	}
	for (size_t i = 0; i < 64; i++) {
		(i < 32 ? quote.key.x : quote.key.y)[i % 32] ^= 1;
		expect_refusal("signature is invalid");
		quote = good;
	}
	for (size_t i = 0; i < MKV_QUOTE_PCRS; i++) {
		quote.pcrs[i].bytes[i] ^= 1;
		expect_refusal("PCRs' values");
		quote = good;
	}
	receipt.bytes[0] ^= 1;
	expect_refusal("another receipt");
	receipt = asked;
	/* A key of the same TPM that is not restricted to TPM structures. */
	quote.attest.signer[9] ^= 1;
	expect_refusal("is not a restricted key");
	quote = good;
}

static void only_quotes_of_the_expected_kind_are_accepted(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		const char *says;
	} cases[] = {
		{0, 0xfe, "was not made by a TPM"},
		{5, 0x17, "another kind"}, /* TPM_ST_ATTEST_CERTIFY */
		{7, 33, "does not name its key by SHA-256"},
		{43, 31, "has extra data that is not a SHA-256"},
		{92, 2, "PCRs 0 to 15"},  /* "safe" is neither yes nor no */
		{104, 2, "PCRs 0 to 15"}, /* two banks */
		{106, 4, "PCRs 0 to 15"}, /* SHA-1 */
		{107, 4, "PCRs 0 to 15"}, /* more PCRs */
		{108, 0xfe, "PCRs 0 to 15"},
		{110, 1, "PCRs 0 to 15"},
		{112, 31, "has another size than its parts"},
	};
	struct mkv_attest attest;
	struct mkv_error err;
	uint8_t bytes[MKV_ATTEST_SIZE_MAX + 1] = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bytes, quote.bytes, quote.size);
		assert_int_not_equal(bytes[cases[i].at], cases[i].byte);
		bytes[cases[i].at] = cases[i].byte;
		int rc = mkv_attest_parse(bytes, quote.size, &attest, &err);
		if (rc >= 0 || !strstr(err.message, cases[i].says))
			fail_msg("case %zu: %d '%s'", i, rc, err.message);
	}
	for (size_t size = 0; size < quote.size; size++)
		assert_true(mkv_attest_parse(quote.bytes, size, &attest, &err) <
			    0);
	memcpy(bytes, quote.bytes, quote.size);
	assert_true(mkv_attest_parse(bytes, quote.size + 1, &attest, &err) < 0);
	assert_int_equal(mkv_attest_parse(bytes, quote.size, &attest, &err), 0);
}

static void only_documents_of_the_expected_kind_are_accepted(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{"\"15\"", "\"16\"", "15"},
		{"\"pcrs\"", "\"pcr\"", "pcr"},
		{"\"mkvbench_tpm_signature\": 1",
		 "\"mkvbench_tpm_signature\": 2", "mkvbench_tpm_signature"},
		{"\"quote\": \"/1", "\"quote\": \"A/1", "base64"},
		{"\"quote\": \"/1", "\"quote\": \"AA", "was not made by a TPM"},
		{"\"signature\": \"M", "\"signature\": \"\", \"x\": \"M", "x"},
		{"\"public_key\": \"MFkw", "\"public_key\": \"MFkx",
		 "not an ECDSA key"},
	};
	struct mkv_error err;
	struct mkv_quote other;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_buf struct mkv_buf text = {0};
		const char *at = strstr(document.data, cases[i].from);
		assert_non_null(at);
		mkv_buf_add(&text, document.data, (size_t)(at - document.data));
		mkv_buf_str(&text, cases[i].to);
		mkv_buf_str(&text, at + strlen(cases[i].from));
		int rc = mkv_quote_parse(text.data, text.size, &other, &err);
		if (rc >= 0 || err.kind != MKV_UNVERIFIED ||
		    !strstr(err.message, cases[i].says))
			fail_msg("case %zu: %d '%s'", i, rc, err.message);
	}
	for (size_t size = 0; size + 1 < document.size; size++)
		assert_true(mkv_quote_parse(document.data, size, &other, &err) <
			    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quote_of_a_tpm_verifies),
		cmocka_unit_test(a_changed_quote_does_not_verify),
		cmocka_unit_test(only_quotes_of_the_expected_kind_are_accepted),
		cmocka_unit_test(
			only_documents_of_the_expected_kind_are_accepted),
	};
	return cmocka_run_group_tests(tests, load_quote, free_quote);
}
