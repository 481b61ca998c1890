/* SPDX-License-Identifier: MIT */
#pragma once
/* What `mkvbench run` needs before the first run: appliances, plan, bundle and
 * hosts. */

#include "builder/evidence/plan/plan.h"
#include "builder/run/campaign/conduct.h"

struct mkv_run_request {
	const char *on, *at, *images, *results, *key, *scale, *accel, *timeout;
	bool quick, status, json, quiet;
};

/* In the order in which it is made. */
struct mkv_run_work {
	const struct mkv_run_request *options;
	struct mkv_campaign *campaign;
	struct mkv_private_key *key;
	char **directories; /* of the arms' appliances */
	struct mkv_plan_appliance *appliances;
	struct mkv_conduct_appliance *places; /* in the plan's order of arms */
	struct mkv_buf plan_text, plan_bundle;
	struct mkv_plan *plan;
	char *bundle_path;
	struct mkv_bundle *bundle;
	struct mkv_target *target;
	bool is_resumed;
};

void mkv_run_work_done(struct mkv_run_work *work) mkv_nonnull(1);

/* Sets the path of the loaded campaign's bundle; a trial's is another one. */
int mkv_run_find_bundle(struct mkv_run_work *work,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Loads the campaign and makes or opens everything else: builds missing
 * appliances, signs the plan, creates or resumes the bundle. */
int mkv_run_prepare(struct mkv_run_work *work, const char *path,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
