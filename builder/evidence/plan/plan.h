/* SPDX-License-Identifier: MIT */
#pragma once
/* Makes plans (lib/plan.h): what a campaign file, the contracts of its
 * appliances and a scale decide, as signed before the first run. Equal inputs
 * give equal bytes. */

#include "builder/evidence/attest/key.h"
#include "builder/input/campaign/campaign.h"
#include "lib/buf.h"
#include "lib/contract.h"

/* The appliance of an arm, as built. */
struct mkv_plan_appliance {
	struct mkv_manifest *manifest;	   /* with the contract */
	struct mkv_sha256 contract_sha256; /* of the bytes in the images */
};
/* Reads manifest.json and attestations/contract.sigstore.json of an appliance's
 * directory. Fails if the key of the appliance did not sign the contract that
 * the manifest has. */
int mkv_plan_appliance_read(const char *dir, struct mkv_plan_appliance *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_plan_appliance_done(struct mkv_plan_appliance *appliance)
	mkv_nonnull(1);

struct mkv_plan_inputs {
	const struct mkv_campaign *campaign;
	/* One for each arm, in the order of the campaign's arms; arms of one
	 * recipe may share the manifest. */
	const struct mkv_plan_appliance *appliances;
	/* Parts per 10^9. 10^9: the campaign itself; less: a trial, with this
	 * share of its requests and of its blocks, of which two remain. */
	int64_t scale_ppb;
	const char *tool_version;
};

/* "0.002", "0.2%" or "1" as parts per 10^9, from more than 0 to 1. */
int mkv_plan_parse_scale(const char *text, int64_t *ret_ppb,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Appends plan.json. Fails if the appliances have no experiment, were signed by
 * different keys, or do not allow what the campaign sets. */
int mkv_plan_make(const struct mkv_plan_inputs *inputs, struct mkv_buf *into,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Appends plan.sigstore.json: the bundle of a statement about plan.json (the
 * given bytes) whose predicate is the plan itself. */
int mkv_plan_sign(const struct mkv_private_key *key, const char *plan,
		  size_t size, struct mkv_buf *ret_bundle,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4, 5);

/* The runs of a campaign in their order, as mkv_plan_make() plans them. */
struct mkv_plan_slot {
	size_t arm; /* index into the campaign's arms */
	unsigned block, slot;
	int64_t seed;
};
struct mkv_plan_schedule {
	struct mkv_plan_slot *slots;
	size_t count;
	/* Requests and rate of each run. */
	unsigned warm_up, measured, rate;
};
/* Needs no appliance: the values of the first arm's recipe, which those of the
 * others equal, fill in what the campaign omits. */
int mkv_plan_schedule(const struct mkv_campaign *campaign, int64_t scale_ppb,
		      struct mkv_plan_schedule *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_plan_schedule_done(struct mkv_plan_schedule *schedule) mkv_nonnull(1);
#define auto_schedule __attribute__((cleanup(mkv_plan_schedule_done)))
/* Prints the id of a run, BB-S-ARM; at most MKV_PLAN_ID_MAX bytes. */
void mkv_plan_slot_id(const struct mkv_campaign *campaign,
		      const struct mkv_plan_slot *slot, char *ret, size_t size)
	mkv_nonnull(1, 2, 3);

/* The order of one block: a permutation of 0 to count - 1. Numbers come from
 * xoshiro256** (lib/random.h), seeded with the campaign's seed; blocks are
 * shuffled one after another by one generator. */
struct mkv_random;
void mkv_plan_shuffle(struct mkv_random *random, size_t *items, size_t count)
	mkv_nonnull(1, 2);
