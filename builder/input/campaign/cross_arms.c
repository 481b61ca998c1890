/* SPDX-License-Identifier: MIT */
/* Rules between the arms of a campaign. */
#include <string.h>

#include "builder/input/campaign/campaign_internal.h"
#include "builder/input/recipe/cross.h"
#include "lib/plan.h"

/* The mark of a value of the campaign. There is no recipe yet. */
static struct mkv_mark mark_of(struct mkv_recipe_loader *load,
			       const struct mkv_node *root, const char *arm,
			       const char *key)
{
	const struct mkv_cross cross = {load, root, NULL};
	return mkv_cross_mark(&cross, "arms.%s%s%s", arm, *key ? "." : "", key);
}

static const struct mkv_campaign_arm *
find_arm(const struct mkv_campaign *campaign, const char *name)
{
	for (size_t i = 0; i < campaign->n_arms; i++)
		if (strcmp(campaign->arms[i].name, name) == 0)
			return &campaign->arms[i];
	return NULL;
}

static void check_same_as(struct mkv_recipe_loader *load,
			  const struct mkv_node *root,
			  const struct mkv_campaign *campaign,
			  const struct mkv_campaign_arm *arm)
{
	const struct mkv_campaign_arm *same = find_arm(campaign, arm->same_as);
	if (arm->recipe_path || arm->baseline || arm->tracing ||
	    arm->n_settings)
		mkv_diagnose(load, mark_of(load, root, arm->name, ""),
			     "arm '%s' repeats '%s' in everything: 'same-as' "
			     "can't be combined with other keys",
			     arm->name, arm->same_as);
	if (same == arm)
		mkv_diagnose(load, mark_of(load, root, arm->name, "same-as"),
			     "arm '%s' repeats itself", arm->name);
	else if (same && same->same_as)
		mkv_diagnose(load, mark_of(load, root, arm->name, "same-as"),
			     "arm '%s' itself repeats '%s': name that arm",
			     arm->same_as, same->same_as);
}

static bool is_equal_settings(const struct mkv_campaign_arm *a,
			      const struct mkv_campaign_arm *b)
{
	if (a->n_settings != b->n_settings)
		return false;
	for (size_t i = 0; i < a->n_settings; i++) {
		const struct mkv_settings *x = &a->settings[i].settings;
		const struct mkv_settings *y = &b->settings[i].settings;
		if (strcmp(a->settings[i].name, b->settings[i].name) != 0 ||
		    x->count != y->count)
			return false;
		for (size_t j = 0; j < x->count; j++)
			if (strcmp(x->items[j].key, y->items[j].key) != 0 ||
			    strcmp(x->items[j].value, y->items[j].value) != 0)
				return false;
	}
	return true;
}

static const char *tracing_of(const struct mkv_campaign_arm *arm)
{
	return arm->tracing ? arm->tracing : "otlp";
}

/* Of two arms, the diagnostic is for the later one by name. */
static void check_distinct(struct mkv_recipe_loader *load,
			   const struct mkv_node *root,
			   const struct mkv_campaign *campaign, size_t index)
{
	const struct mkv_campaign_arm *arm = &campaign->arms[index];
	for (size_t i = 0; i < index; i++) {
		const struct mkv_campaign_arm *other = &campaign->arms[i];
		if (!other->recipe_path || !arm->recipe_path ||
		    strcmp(other->recipe_path, arm->recipe_path) != 0 ||
		    strcmp(tracing_of(other), tracing_of(arm)) != 0 ||
		    !is_equal_settings(other, arm))
			continue;
		mkv_diagnose(load, mark_of(load, root, arm->name, ""),
			     "arm '%s' differs from arm '%s' in nothing: to "
			     "repeat it, write '{same-as: %s}'",
			     arm->name, other->name, other->name);
	}
}

static void check_baseline(struct mkv_recipe_loader *load,
			   const struct mkv_node *root,
			   const struct mkv_campaign *campaign)
{
	const struct mkv_campaign_arm *first = NULL;
	for (size_t i = 0; i < campaign->n_arms; i++) {
		const struct mkv_campaign_arm *arm = &campaign->arms[i];
		if (!arm->baseline)
			continue;
		if (first)
			mkv_diagnose(
				load,
				mark_of(load, root, arm->name, "baseline"),
				"arm '%s' is the baseline already: there is "
				"one",
				first->name);
		else
			first = arm;
	}
	if (!first) {
		const struct mkv_cross cross = {load, root, NULL};
		mkv_diagnose(load, mkv_cross_mark(&cross, "arms"),
			     "no arm is the baseline: add 'baseline: true' to "
			     "the one that the others are compared with");
	}
}

void mkv_campaign_check_arms(struct mkv_recipe_loader *load,
			     const struct mkv_node *root,
			     const struct mkv_campaign *campaign)
{
	for (size_t i = 0; i < campaign->n_arms; i++) {
		const struct mkv_campaign_arm *arm = &campaign->arms[i];
		if (arm->same_as)
			check_same_as(load, root, campaign, arm);
		else if (!arm->recipe_path)
			mkv_diagnose(load, mark_of(load, root, arm->name, ""),
				     "arm '%s' has neither 'recipe' nor "
				     "'same-as'",
				     arm->name);
		check_distinct(load, root, campaign, i);
	}
	if (campaign->n_arms > MKV_PLAN_ARMS_MAX) {
		const struct mkv_cross cross = {load, root, NULL};
		mkv_diagnose(load, mkv_cross_mark(&cross, "arms"),
			     "%zu arms, more than the maximum of %d",
			     campaign->n_arms, (int)MKV_PLAN_ARMS_MAX);
	}
	check_baseline(load, root, campaign);
}
