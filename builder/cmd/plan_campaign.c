/* SPDX-License-Identifier: MIT */
/* mkvbench plan CAMPAIGN.yaml: the runs in their order. */
#include "builder/cmd/plan_campaign.h"

#include <inttypes.h>
#include <stdio.h>

#include "builder/cmd/load.h"
#include "builder/cmd/report.h"
#include "builder/evidence/plan/plan.h"
#include "lib/json.h"
#include "lib/plan.h"

enum { WHOLE_PPB = 1000000000 };

static int load_campaign(const char *path, struct mkv_campaign **ret,
			 struct mkv_error *err)
{
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	int rc =
		mkv_campaign_load(&mkv_cmd_world, path, ret, &diagnostics, err);
	if (rc == 0)
		return 0;
	for (size_t i = 0; i < diagnostics.count; i++)
		mkv_report_diagnostic(&diagnostics.items[i]);
	if (diagnostics.count > 0)
		err->message[0] = '\0';
	return rc;
}

/* Of the requests of one run, rounded up. */
static uint64_t seconds_of(const struct mkv_plan_schedule *schedule)
{
	uint64_t requests = (uint64_t)schedule->warm_up + schedule->measured;
	return (requests + schedule->rate - 1) / schedule->rate;
}

static void print_duration(uint64_t seconds)
{
	if (seconds >= 3600)
		(void)printf("%" PRIu64 " h ", seconds / 3600);
	if (seconds >= 60)
		(void)printf("%" PRIu64 " min ", seconds / 60 % 60);
	if (seconds < 3600)
		(void)printf("%" PRIu64 " s ", seconds % 60);
}

static void print_head(const struct mkv_campaign *campaign,
		       const struct mkv_plan_schedule *schedule, bool trial)
{
	(void)printf("%s: %zu runs in %zu blocks%s; a run: %u + %u requests at "
		     "%u/s, ",
		     campaign->path, schedule->count,
		     schedule->count / campaign->n_arms,
		     trial ? ", a trial" : "", schedule->warm_up,
		     schedule->measured, schedule->rate);
	print_duration(seconds_of(schedule));
	(void)printf("of load; in all ");
	print_duration(seconds_of(schedule) * schedule->count);
	(void)printf("without boots\n");
}

static int print_run(const struct mkv_campaign *campaign,
		     const struct mkv_plan_slot *slot, bool json,
		     struct mkv_error *err)
{
	char id[MKV_PLAN_ID_MAX];
	const struct mkv_campaign_arm *arm = &campaign->arms[slot->arm];
	mkv_plan_slot_id(campaign, slot, id, sizeof(id));
	if (!json) {
		(void)printf("  %-40s seed %" PRId64 "\n", id, slot->seed);
		return 0;
	}
	auto_json json_t *line = json_pack(
		"{ss ss ss ss sI sI sI}", "campaign", campaign->name, "run", id,
		"arm", arm->name, "recipe", arm->path, "block",
		(json_int_t)slot->block, "slot", (json_int_t)slot->slot, "seed",
		(json_int_t)slot->seed);
	if (!line)
		return mkv_oom(err);
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	return 0;
}

int mkv_cmd_plan_campaign(const char *path, const char *scale, bool json,
			  struct mkv_error *err)
{
	auto_campaign struct mkv_campaign *campaign = NULL;
	auto_schedule struct mkv_plan_schedule schedule = {0};
	int64_t scale_ppb = WHOLE_PPB;
	int rc = scale ? mkv_plan_parse_scale(scale, &scale_ppb, err) : 0;
	if (rc < 0)
		return rc;
	rc = load_campaign(path, &campaign, err);
	if (rc < 0)
		return rc;
	rc = mkv_plan_schedule(campaign, scale_ppb, &schedule, err);
	if (rc < 0)
		return rc;
	if (!json)
		print_head(campaign, &schedule, scale_ppb != WHOLE_PPB);
	for (size_t i = 0; i < schedule.count; i++) {
		rc = print_run(campaign, &schedule.slots[i], json, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
