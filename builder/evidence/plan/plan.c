/* SPDX-License-Identifier: MIT */
#include "builder/evidence/plan/plan.h"

#include <string.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "builder/evidence/contract/contract.h"
#include "builder/evidence/plan/plan_internal.h"
#include "builder/input/recipe/document.h"
#include "builder/input/recipe/units.h"
#include "lib/dsse.h"
#include "lib/plan.h"

#define with mkv_document_with

enum { WHOLE_PPB = 1000000000 };

int mkv_plan_parse_scale(const char *text, int64_t *ret_ppb,
			 struct mkv_error *err)
{
	int64_t ppb = 0;
	if ((mkv_plan_parse_fraction(text, &ppb) < 0 &&
	     mkv_percentage_parse(text, &ppb) < 0) ||
	    ppb == 0 || ppb > WHOLE_PPB)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%.40s' is not a scale: a number such as "
				"0.002, or a percentage such as 0.2%%, up to 1",
				text);
	*ret_ppb = ppb;
	return 0;
}

static json_t *fraction(int64_t ppb)
{
	char text[16];
	mkv_plan_print_fraction(ppb, text);
	return json_string(text);
}

static const struct mkv_campaign_arm *
original_of(const struct mkv_campaign *campaign,
	    const struct mkv_campaign_arm *arm)
{
	for (size_t i = 0; arm->same_as && i < campaign->n_arms; i++)
		if (strcmp(campaign->arms[i].name, arm->same_as) == 0)
			return &campaign->arms[i];
	return arm;
}

static json_t *settings_part(const struct mkv_campaign_arm *arm)
{
	json_t *part = json_object();
	for (size_t i = 0; i < arm->n_settings; i++) {
		const struct mkv_settings *set = &arm->settings[i].settings;
		json_t *one = json_object();
		for (size_t j = 0; j < set->count; j++)
			one = with(one, set->items[j].key,
				   json_string(set->items[j].value));
		part = with(part, arm->settings[i].name, one);
	}
	return part;
}

static json_t *arm_part(const struct mkv_plan_inputs *inputs, size_t index)
{
	const struct mkv_campaign_arm *arm = &inputs->campaign->arms[index];
	const struct mkv_campaign_arm *own = original_of(inputs->campaign, arm);
	const struct mkv_plan_appliance *appliance = &inputs->appliances[index];
	const struct mkv_contract *contract = appliance->manifest->contract;
	char sha256[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&appliance->contract_sha256, sha256);
	json_t *part = json_object();
	part = with(part, "appliance", json_string(contract->name));
	part = with(part, "scenario", json_string(contract->scenario));
	part = with(part, "contract_sha256", json_string(sha256));
	part = with(part, "baseline", json_boolean(arm->baseline));
	part = with(part, "same_as",
		    arm->same_as ? json_string(arm->same_as) : json_null());
	part = with(part, "tracing",
		    json_string(own->tracing ? own->tracing : "otlp"));
	return with(part, "settings", settings_part(own));
}

static json_t *load_part(const struct mkv_plan_inputs *inputs,
			 const struct mkv_plan_schedule *schedule)
{
	const struct mkv_campaign_load *load = &inputs->campaign->load;
	const struct mkv_contract_experiment *e =
		&inputs->appliances[0].manifest->contract->experiment;
	json_t *part = json_object();
	part = with(part, "rate", json_integer(schedule->rate));
	part = with(part, "arrivals",
		    json_string(load->arrivals ? load->arrivals : e->arrivals));
	part = with(part, "connections",
		    json_integer(load->has_connections ? load->connections
						       : e->connections));
	part = with(part, "warm_up", json_integer(schedule->warm_up));
	part = with(part, "measured", json_integer(schedule->measured));
	part = with(part, "timeout_ns",
		    json_integer(load->has_timeout ? load->timeout_ns
						   : e->timeout_ns));
	return load->has_request ? with(part, "request",
					mkv_contract_request(&load->request))
				 : part;
}

static json_t *runs_part(const struct mkv_plan_inputs *inputs,
			 const struct mkv_plan_schedule *schedule)
{
	json_t *runs = json_array();
	for (size_t i = 0; i < schedule->count; i++) {
		const struct mkv_plan_slot *slot = &schedule->slots[i];
		char id[MKV_PLAN_ID_MAX];
		mkv_plan_slot_id(inputs->campaign, slot, id, sizeof(id));
		runs = mkv_document_add(
			runs, json_pack("{ss sI sI ss sI}", "id", id, "block",
					(json_int_t)slot->block, "slot",
					(json_int_t)slot->slot, "arm",
					inputs->campaign->arms[slot->arm].name,
					"seed", (json_int_t)slot->seed));
	}
	return runs;
}

static json_t *head_part(const struct mkv_plan_inputs *inputs)
{
	const struct mkv_campaign *campaign = inputs->campaign;
	json_t *root = json_object();
	root = with(root, "mkvbench_plan", json_integer(1));
	root = with(root, "name", json_string(campaign->name));
	root = with(root, "seed", json_integer(campaign->seed));
	root = with(root, "campaign_sha256", json_string(campaign->sha256));
	root = with(root, "tool_version", json_string(inputs->tool_version));
	root = with(
		root, "key_id",
		json_string(inputs->appliances[0].manifest->contract->key_id));
	root = with(root, "trial",
		    json_boolean(inputs->scale_ppb != WHOLE_PPB));
	root = with(root, "scale", fraction(inputs->scale_ppb));
	return with(root, "boot",
		    json_string(campaign->boot == MKV_BOOT_EACH_RUN
					? "each-run"
					: "shared"));
}

static json_t *plan_document(const struct mkv_plan_inputs *inputs,
			     const struct mkv_plan_schedule *schedule)
{
	const struct mkv_campaign *campaign = inputs->campaign;
	json_t *root = head_part(inputs), *arms = json_object(),
	       *limits = json_object(), *analysis = json_object();
	for (size_t i = 0; i < campaign->n_arms; i++)
		arms = with(arms, campaign->arms[i].name, arm_part(inputs, i));
	limits = with(limits, "lateness_ns",
		      json_integer(campaign->limits.lateness_ns));
	limits = with(limits, "rate", fraction(campaign->limits.rate_ppb));
	limits = with(limits, "attempts",
		      json_integer(campaign->limits.attempts));
	analysis =
		with(analysis, "delta", fraction(campaign->analysis.delta_ppb));
	analysis =
		with(analysis, "alpha", fraction(campaign->analysis.alpha_ppb));
	root = with(root, "arms", arms);
	root = with(root, "load", load_part(inputs, schedule));
	root = with(root, "limits", limits);
	root = with(root, "analysis", analysis);
	root = with(root, "scrape_interval_ns",
		    json_integer(campaign->scrape_interval_ns));
	return with(root, "runs", runs_part(inputs, schedule));
}

int mkv_plan_make(const struct mkv_plan_inputs *inputs, struct mkv_buf *into,
		  struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_plan_check_appliances(inputs, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "plan");
	auto_schedule struct mkv_plan_schedule schedule = {0};
	rc = mkv_plan_schedule(inputs->campaign, inputs->scale_ppb, &schedule,
			       err);
	if (rc < 0)
		return rc;
	auto_json json_t *document = plan_document(inputs, &schedule);
	if (!document)
		return mkv_oom(err);
	rc = mkv_json_dump_compact(document, &text, err);
	if (rc >= 0)
		rc = mkv_plan_check_made(inputs, document, err);
	if (rc < 0)
		return rc;
	mkv_buf_add(into, text.data, text.size);
	mkv_buf_char(into, '\n');
	return mkv_buf_check(into, err);
}

int mkv_plan_sign(const struct mkv_private_key *key, const char *plan,
		  size_t size, struct mkv_buf *ret_bundle,
		  struct mkv_error *err)
{
	auto_json json_t *predicate = NULL;
	auto_buf struct mkv_buf statement = {0};
	struct mkv_sha256 sha256;
	int rc = mkv_json_load(plan, size, &predicate, err);
	if (rc >= 0)
		rc = mkv_sha256_bytes(plan, size, &sha256, err);
	if (rc >= 0)
		rc = mkv_statement_print(
			json_pack("[o]",
				  mkv_statement_subject("plan.json", &sha256)),
			MKV_PLAN_TYPE, mkv_take(predicate), &statement, err);
	if (rc >= 0)
		rc = mkv_dsse_sign(key, statement.data, statement.size,
				   ret_bundle, err);
	return rc < 0 ? mkv_wrap(err, rc, "plan") : 0;
}
