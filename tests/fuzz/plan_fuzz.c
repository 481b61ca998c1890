/* SPDX-License-Identifier: MIT */
/* The reader of plans: what passes can be walked whole, every run is found by
 * its id, and no id is a path. */
#include "lib/plan.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/plan/*.json", NULL};
static const char *const fuzz_words[] = {"{",
					 "}",
					 "[",
					 "]",
					 "\"arms\":",
					 "\"runs\":",
					 "\"load\":",
					 "\"request\":",
					 "\"settings\":",
					 "\"same_as\":",
					 "null",
					 "true",
					 "-1",
					 "1e9",
					 "\"0.05\"",
					 "\"..\"",
					 "9007199254740992",
					 "\"01-1-kvm\"",
					 NULL};

#include "tests/fuzz/driver.h"

static void walk(const struct mkv_plan *plan)
{
	size_t baselines = 0, length = strlen(plan->name);
	for (size_t i = 0; i < plan->n_arms; i++) {
		const struct mkv_plan_arm *arm = &plan->arms[i];
		if (mkv_plan_find_arm(plan, arm->name) != arm ||
		    strlen(arm->contract_sha256) != 64)
			abort();
		baselines += arm->is_baseline;
		length += strlen(arm->appliance) + strlen(arm->tracing);
		for (size_t s = 0; s < arm->settings.count; s++)
			length += arm->settings.services[s].settings.count;
	}
	if (baselines != 1 || length == 0 || plan->n_runs % plan->n_arms != 0)
		abort();
	for (size_t i = 0; i < plan->n_runs; i++) {
		const struct mkv_plan_run *run = &plan->runs[i];
		if (mkv_plan_find_run(plan, run->id) != run ||
		    !mkv_plan_is_run_id(run->id) || strchr(run->id, '/') ||
		    run->arm >= plan->n_arms || run->seed < 0)
			abort();
	}
	if (plan->load.has_request && plan->load.request.path[0] != '/')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	auto_plan struct mkv_plan *plan = NULL;
	if (mkv_plan_parse(size ? (const char *)data : "", size, &plan, &err) ==
	    0)
		walk(plan);
	return 0;
}
