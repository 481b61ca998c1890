/* SPDX-License-Identifier: MIT */
/* Data that the verifier parses before it trusts it: public keys, bundles,
 * lists of digests. A bundle that verifies with the key of the seeds must have
 * the payload of the seed. */
#include <fcntl.h>

#include "builder/evidence/attest/sums.h"
#include "lib/dsse.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/signed/*", NULL};
static const char *const fuzz_words[] = {
	"\"",	   "{}",	   "[]",       "=",	     "==",
	"\\u0000", "\"payload\":", "\"sig\":", "\"keyid\":", ",",
	"  ",	   "\n",	   "..",       "-----",	     NULL};

#include "tests/fuzz/driver.h"

static struct mkv_public_key key;
static struct mkv_buf payload;

static void load_seeds(void)
{
	struct mkv_error err;
	static char bundle[FUZZ_INPUT_MAX];
	FILE *f = fopen("tests/fuzz/signed/contract.sigstore.json", "re");
	if (!f || mkv_public_key_load(AT_FDCWD, "tests/fuzz/signed/key.pub",
				      &key, &err) < 0)
		abort();
	size_t size = fread(bundle, 1, sizeof(bundle), f);
	(void)fclose(f);
	if (mkv_dsse_verify(bundle, size, &key, MKV_DSSE_IN_TOTO, &payload,
			    &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mkv_public_key other;
	struct mkv_sha256 sha256 = {{0}};
	const char *text = (const char *)data;
	auto_sums struct mkv_sums *sums = NULL;
	auto_buf struct mkv_buf got = {0}, again = {0};
	if (!payload.data)
		load_seeds();
	if (mkv_dsse_verify(text, size, &key, MKV_DSSE_IN_TOTO, &got, &err) ==
		    0 &&
	    (got.size != payload.size ||
	     memcmp(got.data, payload.data, got.size) != 0))
		abort();
	if (mkv_statement_subject_check(text, size, MKV_PREDICATE_CONTRACT,
					NULL, &sha256, &err) == 0)
		abort(); /* no input has a SHA-256 of zeros */
	if (mkv_public_key_parse(text, size, &other, &err) == 0)
		mkv_public_key_pem(&other, &again);
	mkv_buf_done(&again);
	if (mkv_sums_parse(text, size, &sums, &err) == 0 &&
	    (mkv_sums_print(sums, &again, &err) < 0 || again.size != size ||
	     (size && memcmp(again.data, data, size) != 0)))
		abort();
	return 0;
}
