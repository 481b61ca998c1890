/* SPDX-License-Identifier: MIT */
#pragma once
/* A TPM 2.0's signature of a receipt: a quote over the PCRs whose extra data is
 * the receipt's SHA-256, by a key that only the TPM can use
 * (docs/ATTESTATIONS.md has the key and what the quote proves). Structures are
 * those of the TCG's TPM 2.0 Library, Part 2, revision 1.59; input may be
 * hostile. Nothing in the structs is allocated. */

#include "lib/buf.h"
#include "lib/hash.h"

enum {
	MKV_QUOTE_PCRS = 16,	       /* 0 to 15, of the SHA-256 bank */
	MKV_QUOTE_LIMIT_BYTES = 65536, /* of the document */
	MKV_ATTEST_SIZE_MAX = 256,
	MKV_TPM_SIGNATURE_MAX = 72, /* DER of two integers of 32 bytes */
	MKV_TPM_KEY_DER_SIZE = 91,
};

/* An ECDSA key on P-256 (RFC 5480: SubjectPublicKeyInfo). */
struct mkv_tpm_key {
	uint8_t x[32], y[32];
	struct mkv_sha256 id; /* of the DER SubjectPublicKeyInfo */
};
int mkv_tpm_key_init(const uint8_t x[static 32], const uint8_t y[static 32],
		     struct mkv_tpm_key *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_tpm_key_der(const struct mkv_tpm_key *key,
		     uint8_t ret[static MKV_TPM_KEY_DER_SIZE])
	mkv_nonnull(1, 2);
/* Parses the DER in base64. Any other kind of key is MKV_UNVERIFIED. A point
 * that is not on the curve is refused only when a signature is checked. */
int mkv_tpm_key_parse(const char *text, size_t length, struct mkv_tpm_key *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* TPMS_ATTEST (10.12.8) of a quote over PCRs 0 to 15 of the SHA-256 bank. */
struct mkv_attest {
	uint8_t signer[34];	 /* the key's qualified name, SHA-256 */
	struct mkv_sha256 extra; /* given by the requester of the quote */
	uint64_t clock_ms;	 /* powered time since manufacture or clear */
	uint32_t resets;	 /* since then */
	uint32_t restarts;	 /* resumes since the last reset */
	bool clock_is_safe;	 /* no greater clock was reported before */
	uint64_t firmware;	 /* the TPM's version */
	struct mkv_sha256
		pcr_digest; /* of the PCRs' values, one after another */
};
/* Any other structure is MKV_UNVERIFIED. */
int mkv_attest_parse(const uint8_t *data, size_t size, struct mkv_attest *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);

/* The document receipt.tpm.json next to a receipt. */
struct mkv_quote {
	struct mkv_tpm_key key;
	uint8_t bytes[MKV_ATTEST_SIZE_MAX]; /* the signed TPMS_ATTEST */
	size_t size;
	uint8_t signature[MKV_TPM_SIGNATURE_MAX]; /* ECDSA-Sig-Value, DER */
	size_t signature_size;
	struct mkv_sha256 pcrs[MKV_QUOTE_PCRS];
	struct mkv_attest attest; /* of `bytes` */
};
/* Parses the document strictly, without verifying its signature. A malformed
 * document is MKV_UNVERIFIED. */
int mkv_quote_parse(const char *text, size_t size, struct mkv_quote *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Appends the document. `attest` is ignored. */
int mkv_quote_write(const struct mkv_quote *quote, struct mkv_buf *into,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Returns 0 when the quote is signed by its own key, the key is a restricted
 * one of the endorsement hierarchy made from this tool's template, the extra
 * data is this receipt's digest, and the PCRs have the signed values; else
 * MKV_UNVERIFIED. The caller must check to which TPM the key belongs. */
int mkv_quote_verify(const struct mkv_quote *quote,
		     const struct mkv_sha256 *receipt,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
