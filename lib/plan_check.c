/* SPDX-License-Identifier: MIT */
/* Relations between the members of a plan. */
#include <string.h>

#include "lib/plan_internal.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool mkv_plan_is_arm(const char *name)
{
	if (*name < 'a' || *name > 'z' || strlen(name) > MKV_PLAN_ARM_MAX)
		return false;
	for (const char *at = name; *at; at++)
		if (!is_lower_or_digit(*at) &&
		    !(*at == '-' && is_lower_or_digit(at[1])))
			return false;
	return true;
}

bool mkv_plan_is_run_id(const char *id)
{
	size_t block = strspn(id, "0123456789");
	if (block != 2 || id[2] != '-')
		return false;
	size_t slot = strspn(id + 3, "0123456789");
	return (slot == 1 || slot == 2) && id[3 + slot] == '-' &&
	       mkv_plan_is_arm(id + 4 + slot);
}

static bool is_equal_settings(const struct mkv_plan_settings *a,
			      const struct mkv_plan_settings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct mkv_contract_pairs *x = &a->services[i].settings;
		const struct mkv_contract_pairs *y = &b->services[i].settings;
		if (strcmp(a->services[i].name, b->services[i].name) != 0 ||
		    x->count != y->count)
			return false;
		for (size_t j = 0; j < x->count; j++)
			if (strcmp(x->items[j].key, y->items[j].key) != 0 ||
			    strcmp(x->items[j].value, y->items[j].value) != 0)
				return false;
	}
	return true;
}

/* An A/A arm that differs from its original in anything would void the
 * campaign's claims. */
static void check_same(struct mkv_json_reader *r, const struct mkv_plan *plan,
		       const struct mkv_plan_arm *arm)
{
	const struct mkv_plan_arm *same = mkv_plan_find_arm(plan, arm->same_as);
	if (!same || same == arm || same->same_as)
		mkv_json_mistake(r, arm->name,
				 "repeats '%s', which is not an arm of its own",
				 arm->same_as);
	else if (arm->is_baseline ||
		 strcmp(arm->appliance, same->appliance) != 0 ||
		 strcmp(arm->scenario, same->scenario) != 0 ||
		 strcmp(arm->contract_sha256, same->contract_sha256) != 0 ||
		 strcmp(arm->tracing, same->tracing) != 0 ||
		 !is_equal_settings(&arm->settings, &same->settings))
		mkv_json_mistake(r, arm->name,
				 "repeats '%s', but has other factors",
				 arm->same_as);
}

void mkv_plan_check_arms(struct mkv_json_reader *r, const struct mkv_plan *plan)
{
	size_t baselines = 0;
	if (r->rc < 0)
		return;
	size_t mark = mkv_json_enter(r, "arms");
	for (size_t i = 0; i < plan->n_arms && r->rc == 0; i++) {
		baselines += plan->arms[i].is_baseline;
		if (plan->arms[i].same_as)
			check_same(r, plan, &plan->arms[i]);
	}
	if (baselines != 1)
		mkv_json_mistake(r, NULL, "%zu arms are the baseline, not one",
				 baselines);
	mkv_json_leave(r, mark);
}

static void check_run(struct mkv_json_reader *r, const struct mkv_plan *plan,
		      size_t index, bool *seen)
{
	const struct mkv_plan_run *run = &plan->runs[index];
	char id[MKV_PLAN_ID_MAX];
	size_t block = index / plan->n_arms + 1;
	size_t slot = index % plan->n_arms + 1;
	(void)snprintf(id, sizeof(id), "%02zu-%zu-%s", block, slot,
		       plan->arms[run->arm].name);
	if (slot == 1)
		memset(seen, 0, plan->n_arms * sizeof(*seen));
	if (run->block != block || run->slot != slot)
		mkv_json_mistake(r, "runs",
				 "run %zu must be slot %zu of block %zu", index,
				 slot, block);
	else if (strcmp(run->id, id) != 0)
		mkv_json_mistake(r, "runs",
				 "run %zu must have the id '%s', not '%.80s'",
				 index, id, run->id);
	else if (seen[run->arm])
		mkv_json_mistake(r, "runs", "block %zu has arm '%s' twice",
				 block, plan->arms[run->arm].name);
	seen[run->arm] = true;
}

void mkv_plan_check_runs(struct mkv_json_reader *r, const struct mkv_plan *plan)
{
	bool seen[MKV_PLAN_ARMS_MAX] = {0};
	if (r->rc < 0)
		return;
	if (plan->n_runs == 0 || plan->n_runs % plan->n_arms != 0) {
		mkv_json_mistake(r, "runs",
				 "%zu runs are not whole blocks of %zu arms",
				 plan->n_runs, plan->n_arms);
		return;
	}
	for (size_t i = 0; i < plan->n_runs && r->rc == 0; i++)
		check_run(r, plan, i, seen);
}
