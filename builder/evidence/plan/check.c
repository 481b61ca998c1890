/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/plan/plan_internal.h"
#include "lib/plan.h"

static int check_appliance(const struct mkv_campaign_arm *arm,
			   const struct mkv_contract *contract,
			   struct mkv_error *err)
{
	if (!contract->experiment.promised)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the contract of arm '%s' has no experiment",
				arm->name);
	if (!contract->key_id)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the contract of arm '%s' names no key",
				arm->name);
	if (!contract->recipe_sha256 ||
	    strcmp(contract->recipe_sha256, arm->recipe->sha256) != 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the appliance '%s' of arm '%s' was built from "
				"another state of its recipe: run `mkvbench "
				"build %s`",
				contract->name, arm->name, arm->path);
	return 0;
}

/* The request as it is in the contracts, with its fields. */
static bool is_equal_request(const struct mkv_contract *a,
			     const struct mkv_contract *b)
{
	const json_t *x = json_object_get(a->document, "experiment");
	const json_t *y = json_object_get(b->document, "experiment");
	return json_equal(json_object_get(x, "request"),
			  json_object_get(y, "request")) &&
	       json_equal(json_object_get(x, "fields"),
			  json_object_get(y, "fields"));
}

/* The key of the recipe that makes a difference, or NULL. */
static const char *find_difference(const struct mkv_campaign_load *load,
				   const struct mkv_contract *a,
				   const struct mkv_contract *b)
{
	const struct mkv_contract_experiment *x = &a->experiment;
	const struct mkv_contract_experiment *y = &b->experiment;
	if (!load->has_rate && x->rate != y->rate)
		return "rate";
	if (!load->arrivals && strcmp(x->arrivals, y->arrivals) != 0)
		return "arrivals";
	if (!load->has_connections && x->connections != y->connections)
		return "connections";
	if (!load->has_timeout && x->timeout_ns != y->timeout_ns)
		return "timeout";
	if (!load->has_warm_up && x->warm_up != y->warm_up)
		return "warm-up";
	if (!load->has_measured && x->measured != y->measured)
		return "measured";
	if (!load->has_request && !is_equal_request(a, b))
		return "request";
	return NULL;
}

int mkv_plan_check_appliances(const struct mkv_plan_inputs *inputs,
			      struct mkv_error *err)
{
	const struct mkv_campaign *campaign = inputs->campaign;
	const struct mkv_contract *first =
		inputs->appliances[0].manifest->contract;
	for (size_t i = 0; i < campaign->n_arms; i++) {
		const struct mkv_campaign_arm *arm = &campaign->arms[i];
		const struct mkv_contract *contract =
			inputs->appliances[i].manifest->contract;
		int rc = check_appliance(arm, contract, err);
		if (rc < 0)
			return rc;
		if (strcmp(contract->key_id, first->key_id) != 0)
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"the appliances of arms '%s' and '%s' "
					"were signed by different keys",
					campaign->arms[0].name, arm->name);
		const char *key =
			find_difference(&campaign->load, first, contract);
		if (key)
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"the recipes of arms '%s' and '%s' "
					"have different values of "
					"'experiment.%s': set 'load.%s' in the "
					"campaign",
					campaign->arms[0].name, arm->name, key,
					key);
	}
	return 0;
}

int mkv_plan_check_made(const struct mkv_plan_inputs *inputs, json_t *document,
			struct mkv_error *err)
{
	auto_plan struct mkv_plan *plan = NULL;
	int rc = mkv_plan_from_json(document, &plan, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < plan->n_arms; i++) {
		struct mkv_json_reader r;
		const struct mkv_contract *contract =
			inputs->appliances[i].manifest->contract;
		mkv_json_reader_init(&r, err);
		mkv_plan_check_settings(&r, contract, &plan->arms[i].settings);
		if (plan->load.has_request)
			mkv_contract_check_request(&r, contract,
						   &plan->load.request);
		if (r.rc < 0)
			return mkv_wrap(err, r.rc, "plan, arm '%s'",
					plan->arms[i].name);
	}
	return 0;
}
