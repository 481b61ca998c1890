/* SPDX-License-Identifier: MIT */
#pragma once
/* Signed statements: DSSE 1.0 envelopes (its protocol.md and envelope.md) with
 * one Ed25519 signature, inside a Sigstore bundle v0.3 (sigstore_bundle.proto)
 * with a hint that names the key, around an in-toto Statement v1. Unknown or
 * duplicate members, wrong types, a second signature, base64 that is not
 * canonical, and bundles over MKV_DSSE_BUNDLE_MAX are refused. */

#include "lib/sig.h"

#define MKV_DSSE_IN_TOTO "application/vnd.in-toto+json"
#define MKV_DSSE_BUNDLE "application/vnd.dev.sigstore.bundle.v0.3+json"
#define MKV_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
/* The predicate is a contract (docs/CONTRACT.md). */
#define MKV_PREDICATE_CONTRACT "urn:mkvbench:contract:1"
#define MKV_PREDICATE_SLSA "https://slsa.dev/provenance/v1"
#define MKV_PREDICATE_SPDX "https://spdx.dev/Document"

enum { MKV_DSSE_BUNDLE_MAX = 64 * 1024 * 1024 };

/* Appends the signed bytes (protocol.md, PAE): "DSSEv1 SP len SP type SP len SP
 * body". */
void mkv_dsse_pae(const char *payload_type, const void *payload, size_t size,
		  struct mkv_buf *ret) mkv_nonnull(1, 4);

/* Verifies a bundle and appends its payload to *ret_payload. MKV_UNVERIFIED
 * when the bundle is malformed, has another payload type or key, or has an
 * invalid signature. */
int mkv_dsse_verify(const char *bundle_json, size_t size,
		    const struct mkv_public_key *key, const char *payload_type,
		    struct mkv_buf *ret_payload,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6);

/* Returns 0 when a (verified) payload is an in-toto Statement v1 with this
 * predicateType that has a subject with this SHA-256 and, unless `name` is
 * NULL, this name. Else MKV_UNVERIFIED. */
int mkv_statement_subject_check(const char *payload, size_t size,
				const char *predicate_type, const char *name,
				const struct mkv_sha256 *sha256,
				struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5, 6);
