/* SPDX-License-Identifier: MIT */
/* The parsers of a TPM's signature of a receipt: the signed structure, the
 * document, the key. A document that verifies has the content of the seed. */
#include "lib/quote.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/quote/*", NULL};
static const char *const fuzz_words[] = {"\"",
					 "{}",
					 "\"pcrs\":",
					 "\"16\":",
					 "\xffTCG",
					 "\x80\x18",
					 "\"quote\":\"/1RDR4AY",
					 "\"signature\":",
					 "=",
					 "AAAA",
					 ",",
					 "\"public_key\":",
					 NULL};

#include "tests/fuzz/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mkv_quote seed;
	struct mkv_error err;
	struct mkv_attest attest;
	struct mkv_tpm_key key;
	struct mkv_quote quote;
	struct mkv_sha256 receipt;
	auto_buf struct mkv_buf text = {0};
	if (mkv_attest_parse(data, size, &attest, &err) == 0 &&
	    size > MKV_ATTEST_SIZE_MAX)
		abort();
	(void)!mkv_tpm_key_parse((const char *)data, size, &key, &err);
	if (mkv_quote_parse((const char *)data, size, &quote, &err) < 0)
		return 0;
	if (seed.size == 0) /* the first valid one is a seed */
		seed = quote;
	if (mkv_sha256_bytes("a receipt\n", 10, &receipt, &err) < 0)
		abort();
	if (mkv_quote_verify(&quote, &receipt, &err) == 0 &&
	    (quote.size != seed.size ||
	     memcmp(quote.bytes, seed.bytes, seed.size) != 0 ||
	     memcmp(quote.pcrs, seed.pcrs, sizeof(seed.pcrs)) != 0))
		abort();
	/* A parsed document can be written, and is parsed as equal again. */
	struct mkv_quote again;
	if (mkv_quote_write(&quote, &text, &err) < 0 ||
	    mkv_quote_parse(text.data, text.size, &again, &err) < 0 ||
	    memcmp(&again.key.id, &quote.key.id, sizeof(quote.key.id)) != 0 ||
	    again.size != quote.size)
		abort();
	return 0;
}
