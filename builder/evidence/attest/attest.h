/* SPDX-License-Identifier: MIT */
#pragma once
/* What a build says about itself, signed: DSSE bundles (lib/dsse.h) with the
 * contract, SLSA provenance v1 and an SPDX 2.3 document per root file system,
 * and SHA256SUMS with a raw Ed25519 signature. Everything is a function of its
 * inputs: no time, no random id, so the same build gives the same bytes. */

#include "builder/evidence/attest/artifact.h"
#include "builder/evidence/attest/key.h"
#include "builder/input/lock/lock.h"

/* Signs a payload of type MKV_DSSE_IN_TOTO and appends the bundle. */
int mkv_dsse_sign(const struct mkv_private_key *key, const void *payload,
		  size_t size, struct mkv_buf *ret_bundle,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

/* Appends the bundle that lies beside a contract in every image and at
 * attestations/contract.sigstore.json: a statement about contract.json (its
 * bytes exactly as given) whose predicate is the contract itself. */
int mkv_contract_bundle(const struct mkv_private_key *key, const char *contract,
			size_t size, struct mkv_buf *ret_bundle,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

struct mkv_attest_inputs {
	const struct mkv_recipe *recipe;
	const struct mkv_lock *lock;
	const char *manifest; /* manifest.json as written */
	size_t manifest_size;
	const struct mkv_artifact *artifacts; /* all files but manifest.json and
						 what is written here */
	size_t n_artifacts;
};

/* Each appends an in-toto statement, canonical JSON, not yet signed. */
int mkv_slsa_statement(const struct mkv_attest_inputs *inputs,
		       struct mkv_buf *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* About one root file system, by its set in the lock ("image/dut",
 * "oci/postgres"). Its subjects are the artifacts below the image's folder; an
 * OCI image's subject is its manifest. */
int mkv_spdx_statement(const struct mkv_attest_inputs *inputs,
		       const struct mkv_lock_set *set, struct mkv_buf *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Into `dir`, an appliance that is being written and holds manifest.json and
 * all artifacts already:
 *
 *     attestations/contract.sigstore.json
 *     attestations/provenance.sigstore.json
 *     attestations/SET.spdx.sigstore.json   image-dut, oci-postgres, ...
 *     attestations/key.pub
 *     SHA256SUMS                            all files but itself and:
 *     SHA256SUMS.sig                        64 bytes, Ed25519
 *
 * Refused when the manifest's contract names another key. */
int mkv_attest_appliance(const char *dir, const struct mkv_private_key *key,
			 const struct mkv_attest_inputs *inputs,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
