/* SPDX-License-Identifier: MIT */
#include "builder/evidence/plan/plan.h"
#include "lib/plan.h"
#include "lib/random.h"

enum { WHOLE_PPB = 1000000000 };

/* A number below `count`, all equally probable: numbers from the incomplete
 * last part of the range of 64 bits are drawn again. */
static size_t draw_below(struct mkv_random *random, size_t count)
{
	uint64_t n = count, incomplete = (UINT64_MAX - n + 1) % n, value;
	do
		value = mkv_random_next(random);
	while (value < incomplete);
	return (size_t)(value % n);
}

/* Fisher and Yates, as Durstenfeld wrote it: from the last item down. */
void mkv_plan_shuffle(struct mkv_random *random, size_t *items, size_t count)
{
	for (size_t left = count; left > 1; left--) {
		size_t at = draw_below(random, left);
		size_t item = items[at];
		items[at] = items[left - 1];
		items[left - 1] = item;
	}
}

/* Rounded up. */
static unsigned scaled(unsigned count, int64_t scale_ppb)
{
	return (unsigned)(((int64_t)count * scale_ppb + WHOLE_PPB - 1) /
			  WHOLE_PPB);
}

/* A comparison within blocks needs two of them. */
static unsigned scaled_blocks(unsigned blocks, int64_t scale_ppb)
{
	unsigned least = blocks < 2 ? blocks : 2;
	unsigned count = scaled(blocks, scale_ppb);
	return count < least ? least : count;
}

/* All orders are drawn first, then the seeds of the runs in their order. */
static void fill_slots(const struct mkv_campaign *campaign, size_t *order,
		       struct mkv_plan_schedule *schedule)
{
	size_t n = campaign->n_arms;
	struct mkv_random random;
	mkv_random_seed(&random, campaign->seed);
	for (size_t i = 0; i < schedule->count; i++)
		order[i] = i % n;
	for (size_t i = 0; i < schedule->count; i += n)
		if (campaign->order == MKV_ORDER_SHUFFLED)
			mkv_plan_shuffle(&random, order + i, n);
	for (size_t i = 0; i < schedule->count; i++)
		schedule->slots[i] = (struct mkv_plan_slot){
			.arm = order[i],
			.block = (unsigned)(i / n + 1),
			.slot = (unsigned)(i % n + 1),
			.seed = (int64_t)(mkv_random_next(&random) >> 11),
		};
}

int mkv_plan_schedule(const struct mkv_campaign *campaign, int64_t scale_ppb,
		      struct mkv_plan_schedule *ret, struct mkv_error *err)
{
	const struct mkv_campaign_load *load = &campaign->load;
	const struct mkv_experiment *e = &campaign->arms[0].recipe->experiment;
	struct mkv_plan_schedule schedule = {
		.count = campaign->n_arms *
			 scaled_blocks(campaign->blocks, scale_ppb),
		.warm_up =
			scaled(load->has_warm_up ? load->warm_up : e->warm_up,
			       scale_ppb),
		.measured = scaled(load->has_measured ? load->measured
						      : e->measured,
				   scale_ppb),
		.rate = load->has_rate ? load->rate : e->rate,
	};
	auto_free size_t *order = calloc(schedule.count, sizeof(*order));
	schedule.slots = calloc(schedule.count, sizeof(*schedule.slots));
	if (!order || !schedule.slots) {
		mkv_plan_schedule_done(&schedule);
		return mkv_oom(err);
	}
	fill_slots(campaign, order, &schedule);
	*ret = schedule;
	return 0;
}

void mkv_plan_schedule_done(struct mkv_plan_schedule *schedule)
{
	free(schedule->slots);
	*schedule = (struct mkv_plan_schedule){0};
}

void mkv_plan_slot_id(const struct mkv_campaign *campaign,
		      const struct mkv_plan_slot *slot, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%02u-%u-%s", slot->block, slot->slot,
		       campaign->arms[slot->arm].name);
}
