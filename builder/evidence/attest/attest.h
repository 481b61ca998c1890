/* SPDX-License-Identifier: MIT */
#pragma once
/* The signed attestations of a build: DSSE bundles (lib/dsse.h) with the
 * contract, SLSA provenance v1 and an SPDX 2.3 document per root file system,
 * and SHA256SUMS with a raw Ed25519 signature. All bytes follow from the
 * inputs: no time and no random id, so equal builds have equal attestations. */

#include "builder/evidence/attest/artifact.h"
#include "builder/evidence/attest/key.h"
#include "builder/input/lock/lock.h"
#include "lib/command.h"

/* Signs a payload of type MKV_DSSE_IN_TOTO and appends the bundle. */
int mkv_dsse_sign(const struct mkv_private_key *key, const void *payload,
		  size_t size, struct mkv_buf *ret_bundle,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

/* Appends the bundle of a contract, which every image holds beside the contract
 * and the appliance at attestations/contract.sigstore.json: a statement about
 * contract.json (the given bytes) whose predicate is the contract itself. */
int mkv_contract_bundle(const struct mkv_private_key *key, const char *contract,
			size_t size, struct mkv_buf *ret_bundle,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

/* Appends the bundle of a command, whose member `document` is not used. A
 * command that mkv_command_verify() would refuse is not signed. */
int mkv_command_sign(const struct mkv_private_key *key,
		     const struct mkv_command *command,
		     struct mkv_buf *ret_bundle,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

struct mkv_attest_inputs {
	const struct mkv_recipe *recipe;
	const struct mkv_lock *lock;
	const char *manifest; /* manifest.json as written */
	size_t manifest_size;
	const struct mkv_artifact *artifacts; /* all files but manifest.json and
						 the attestations */
	size_t n_artifacts;
};

/* Each appends an in-toto statement, canonical JSON, not yet signed. */
int mkv_slsa_statement(const struct mkv_attest_inputs *inputs,
		       struct mkv_buf *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* About one root file system, by its set in the lock ("image/dut",
 * "oci/postgres"). Its subjects are the artifacts below the image's directory;
 * an OCI image's subject is its manifest. */
int mkv_spdx_statement(const struct mkv_attest_inputs *inputs,
		       const struct mkv_lock_set *set, struct mkv_buf *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Writes into `dir`, an appliance that already holds manifest.json and all
 * artifacts:
 *
 *     attestations/contract.sigstore.json
 *     attestations/provenance.sigstore.json
 *     attestations/SET.spdx.sigstore.json   image-dut, oci-postgres, ...
 *     attestations/key.pub
 *     SHA256SUMS                            all files but these two
 *     SHA256SUMS.sig                        64 bytes, Ed25519
 *
 * Fails when the manifest's contract names another key. */
int mkv_attest_appliance(const char *dir, const struct mkv_private_key *key,
			 const struct mkv_attest_inputs *inputs,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
