/* SPDX-License-Identifier: MIT */
/* Reads TPMS_ATTEST (Part 2, 10.12.8): big-endian, sized parts, no bytes after
 * the end. */
#include <string.h>

#include "lib/quote.h"

enum {
	GENERATED = 0xff544347u, /* TPM_GENERATED_VALUE, 6.2 */
	ATTEST_QUOTE = 0x8018,	 /* TPM_ST_ATTEST_QUOTE, 6.9 */
	ALG_SHA256 = 0x000b,
	SELECT_BYTES = 3,
};

struct cursor {
	const uint8_t *at, *end;
	bool ok;
};

static const uint8_t *take_bytes(struct cursor *c, size_t size)
{
	if (!c->ok || (size_t)(c->end - c->at) < size) {
		c->ok = false;
		return NULL;
	}
	const uint8_t *from = c->at;
	c->at += size;
	return from;
}

static uint64_t take_number(struct cursor *c, size_t size)
{
	const uint8_t *from = take_bytes(c, size);
	uint64_t value = 0;
	for (size_t i = 0; from && i < size; i++)
		value = value << 8 | from[i];
	return value;
}

/* TPM2B (Part 2, 10.4): a size of two bytes, which must be `size`, and the
 * contents. */
static bool take_sized(struct cursor *c, void *ret, size_t size)
{
	if (take_number(c, 2) != size)
		c->ok = false;
	const uint8_t *from = take_bytes(c, size);
	if (from)
		memcpy(ret, from, size);
	return from != NULL;
}

static int refuse(struct mkv_error *err, const char *why)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "the TPM's quote %s",
			why);
}

int mkv_attest_parse(const uint8_t *data, size_t size, struct mkv_attest *ret,
		     struct mkv_error *err)
{
	struct mkv_attest attest = {0};
	struct cursor c = {data, data + size, true};
	if (take_number(&c, 4) != GENERATED)
		return refuse(err, "was not made by a TPM");
	if (take_number(&c, 2) != ATTEST_QUOTE)
		return refuse(err, "is another kind of attestation");
	if (!take_sized(&c, attest.signer, sizeof(attest.signer)))
		return refuse(err, "does not name its key by SHA-256");
	if (!take_sized(&c, attest.extra.bytes, sizeof(attest.extra.bytes)))
		return refuse(err, "has extra data that is not a SHA-256");
	attest.clock_ms = take_number(&c, 8);
	attest.resets = (uint32_t)take_number(&c, 4);
	attest.restarts = (uint32_t)take_number(&c, 4);
	uint64_t safe = take_number(&c, 1);
	attest.clock_is_safe = safe == 1;
	attest.firmware = take_number(&c, 8);
	bool pcrs = take_number(&c, 4) == 1 &&
		    take_number(&c, 2) == ALG_SHA256 &&
		    take_number(&c, 1) == SELECT_BYTES;
	const uint8_t *select = take_bytes(&c, SELECT_BYTES);
	if (safe > 1 || !pcrs || !select || select[0] != 0xff ||
	    select[1] != 0xff || select[2] != 0)
		return refuse(
			err, "does not cover PCRs 0 to 15 of the SHA-256 bank");
	if (!take_sized(&c, attest.pcr_digest.bytes,
			sizeof(attest.pcr_digest.bytes)) ||
	    c.at != c.end)
		return refuse(err, "has another size than its parts");
	*ret = attest;
	return 0;
}
