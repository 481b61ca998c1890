/* SPDX-License-Identifier: MIT */
#pragma once
/* Takes a signed plan to a result bundle: makes the hosts of each run's
 * appliance run, orders the run from the conductor on the collector's host by
 * signed commands, and downloads what it measured. The bundle's journal is the
 * only memory: a campaign that was interrupted goes on where the journal ends.
 */

#include <signal.h>

#include "builder/evidence/bundle/bundle.h"
#include "builder/run/campaign/state.h"
#include "builder/run/campaign/target.h"
#include "lib/command.h"
#include "lib/plan.h"

/* What a user sees of a campaign that runs. All is borrowed during the call. */
struct mkv_conduct_status {
	size_t done, total; /* runs with a valid attempt, planned runs */
	size_t invalid;	    /* attempts, in all */
	const struct mkv_plan_run *run;
	const struct mkv_plan_arm *arm;
	unsigned attempt;
	/* "boot", "wait", a phase of the conductor, "download" */
	const char *phase;
	const struct mkv_state *state; /* of the conductor; NULL: none yet */
	int64_t left_s; /* expected, from the runs of this call; -1 unknown */
};

struct mkv_conduct_appliance {
	const char *directory;
	const struct mkv_contract *contract;
};

struct mkv_conduct {
	const struct mkv_plan *plan;
	struct mkv_sha256 plan_sha256;
	const char *plan_bundle; /* plan.sigstore.json, a JSON object */
	const struct mkv_private_key *key;
	struct mkv_bundle *bundle;
	const char *bundle_path;
	/* One for each arm of the plan, in its order. */
	const struct mkv_conduct_appliance *appliances;
	struct mkv_target *target;
	/* Set by a signal handler: the call returns -EINTR soon. */
	const volatile sig_atomic_t *stop;
	/* Each may be NULL. */
	void (*on_status)(const struct mkv_conduct_status *status,
			  void *context);
	void (*on_note)(const char *text, void *context);
	void *context;
};

struct mkv_conduct_result {
	size_t valid, invalid; /* runs with a valid attempt; invalid attempts */
	size_t exhausted;      /* runs without a valid attempt and without
				  attempts left */
};

/* Runs what the plan has left. 0 when every run has a valid attempt or no
 * attempt left; -EINTR when it was stopped. */
int mkv_conduct_run(const struct mkv_conduct *conduct,
		    struct mkv_conduct_result *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
