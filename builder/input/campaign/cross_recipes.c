/* SPDX-License-Identifier: MIT */
/* Rules between a campaign and the recipes of its arms. */
#include <string.h>

#include "builder/input/campaign/campaign_internal.h"
#include "builder/input/recipe/cross.h"
#include "lib/text.h"

static struct mkv_campaign_arm *find_arm(struct mkv_campaign *campaign,
					 const char *name)
{
	for (size_t i = 0; i < campaign->n_arms; i++)
		if (strcmp(campaign->arms[i].name, name) == 0)
			return &campaign->arms[i];
	return NULL;
}

static const struct mkv_recipe *find_recipe(const struct mkv_campaign *campaign,
					    const char *path)
{
	for (size_t i = 0; i < campaign->n_recipes; i++)
		if (strcmp(campaign->recipes[i]->path, path) == 0)
			return campaign->recipes[i];
	return NULL;
}

/* A recipe's own diagnostics keep their places; one at the arm names it. */
static int load_recipe(struct mkv_recipe_loader *load, struct mkv_mark mark,
		       const char *path, struct mkv_campaign *campaign,
		       struct mkv_error *err)
{
	auto_diagnostics struct mkv_diagnostics own = {0};
	struct mkv_recipe *recipe = NULL;
	int rc = mkv_recipe_load_in(load->world, path, &recipe, &own, err);
	if (rc == 0) {
		campaign->recipes[campaign->n_recipes++] = recipe;
		return 0;
	}
	if (own.count == 0)
		return rc;
	for (size_t i = 0; i < own.count; i++) {
		const struct mkv_diagnostic *one = &own.items[i];
		const char *file = mkv_arena_text(&load->arena, one->file,
						  strlen(one->file));
		if (!file)
			return mkv_oom(err);
		mkv_diagnose(load,
			     (struct mkv_mark){file, one->line, one->column},
			     "%s", one->message);
		mkv_diagnose_suggest(load, one->suggestion);
	}
	mkv_diagnose(load, mark, "the recipe '%.200s' is not valid", path);
	return 0;
}

int mkv_campaign_load_recipes(struct mkv_recipe_loader *load,
			      const struct mkv_node *root,
			      struct mkv_campaign *campaign,
			      struct mkv_error *err)
{
	const struct mkv_cross cross = {load, root, NULL};
	campaign->recipes =
		calloc(campaign->n_arms + 1, sizeof(*campaign->recipes));
	if (!campaign->recipes)
		return mkv_oom(err);
	for (size_t i = 0; i < campaign->n_arms; i++) {
		struct mkv_campaign_arm *arm = &campaign->arms[i];
		const struct mkv_campaign_arm *own =
			arm->same_as ? find_arm(campaign, arm->same_as) : arm;
		if (asprintf(&arm->path, "%s%s", root->directory,
			     own->recipe_path) < 0) {
			arm->path = NULL;
			return mkv_oom(err);
		}
		arm->recipe = find_recipe(campaign, arm->path);
		if (arm->recipe)
			continue;
		int rc = load_recipe(
			load,
			mkv_cross_mark(&cross, "arms.%s.recipe", own->name),
			arm->path, campaign, err);
		if (rc < 0)
			return rc;
		arm->recipe = find_recipe(campaign, arm->path);
	}
	return 0;
}

static const struct mkv_experiment_service *
find_service(const struct mkv_experiment *experiment, const char *name)
{
	for (size_t i = 0; i < experiment->n_services; i++)
		if (strcmp(experiment->services[i].name, name) == 0)
			return &experiment->services[i];
	return NULL;
}

/* Adds a diagnostic with the names that are allowed. */
static void diagnose_name(const struct mkv_cross *c, struct mkv_mark mark,
			  const char *name, const char *what,
			  const char *const *allowed, size_t count)
{
	const char *near = mkv_nearest(name, allowed, count);
	auto_buf struct mkv_buf all = {0};
	for (size_t i = 0; i < count; i++)
		mkv_buf_printf(&all, "%s%s", i ? ", " : "", allowed[i]);
	if (mkv_buf_check(&all, &(struct mkv_error){0}) < 0) {
		c->load->failed = true;
		return;
	}
	mkv_diagnose(c->load, mark,
		     "%s '%.63s'%s%s%s; allowed by the recipe: %.400s", what,
		     name, near ? " (did you mean '" : "", near ? near : "",
		     near ? "'?)" : "", count ? all.data : "none");
	mkv_diagnose_suggest(c->load, near);
}

static void check_setting(const struct mkv_cross *c,
			  const struct mkv_campaign_arm *arm,
			  const struct mkv_service *set)
{
	const struct mkv_experiment *e = &c->recipe->experiment;
	const struct mkv_experiment_service *service =
		find_service(e, set->name);
	if (!service) {
		const char **names = mkv_arena_take(
			&c->load->arena, (e->n_services + 1) * sizeof(*names));
		for (size_t i = 0; names && i < e->n_services; i++)
			names[i] = e->services[i].name;
		if (names)
			diagnose_name(c,
				      mkv_cross_mark(c, "arms.%s.settings.%s",
						     arm->name, set->name),
				      set->name,
				      "the experiment has no service", names,
				      e->n_services);
		return;
	}
	for (size_t i = 0; i < set->settings.count; i++) {
		const char *key = set->settings.items[i].key;
		if (!mkv_strings_has(&service->vary, key))
			diagnose_name(c,
				      mkv_cross_mark(c,
						     "arms.%s.settings.%s.%s",
						     arm->name, set->name, key),
				      key, "the experiment does not vary",
				      (const char *const *)service->vary.items,
				      service->vary.count);
	}
}

/* Each host runs an agent, and two of them what sends and what collects. */
static void check_programs(const struct mkv_cross *c, struct mkv_mark mark,
			   const struct mkv_campaign_arm *arm)
{
	static const struct {
		const char *role, *program; /* role NULL: every host */
	} needed[] = {
		{NULL, "agent"},
		{"loadgen", "loadgen"},
		{"collector", "collector"},
		{"collector", "conductor"},
	};
	const struct mkv_recipe *r = c->recipe;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		for (size_t j = 0; j < r->n_hosts; j++) {
			const struct mkv_host *host = &r->hosts[j];
			const struct mkv_image *image = &r->images[host->image];
			if ((needed[i].role &&
			     strcmp(needed[i].role, host->role) != 0) ||
			    mkv_strings_has(&image->programs,
					    needed[i].program))
				continue;
			mkv_diagnose(c->load, mark,
				     "host '%s' of the recipe '%.200s' has no "
				     "program '%s', which a campaign requires: "
				     "add it to 'programs' of image '%s'",
				     host->name, arm->path, needed[i].program,
				     image->name);
			break;
		}
}

static void check_arm(const struct mkv_cross *c,
		      const struct mkv_campaign *campaign, size_t index)
{
	const struct mkv_campaign_arm *arm = &campaign->arms[index];
	struct mkv_mark mark = mkv_cross_mark(c, "arms.%s.recipe", arm->name);
	if (!c->recipe->has_experiment) {
		mkv_diagnose(c->load, mark,
			     "the recipe '%.200s' has no 'experiment'",
			     arm->path);
		return;
	}
	check_programs(c, mark, arm);
	for (size_t i = 0; i < arm->n_settings; i++)
		check_setting(c, arm, &arm->settings[i]);
	for (size_t i = 0; i < index; i++) {
		const struct mkv_campaign_arm *other = &campaign->arms[i];
		if (other->recipe != arm->recipe &&
		    strcmp(other->recipe->name, arm->recipe->name) == 0)
			mkv_diagnose(
				c->load, mark,
				"another recipe, that of arm '%s', has the "
				"name '%s', too",
				other->name, arm->recipe->name);
	}
}

/* A value of the load that the campaign omits must be equal in all recipes:
 * arms under different loads cannot be compared. */
static void check_equal_load(const struct mkv_cross *c,
			     const struct mkv_campaign *campaign,
			     const struct mkv_campaign_arm *arm)
{
	const struct mkv_campaign_load *load = &campaign->load;
	const struct mkv_experiment *a = &campaign->arms[0].recipe->experiment;
	const struct mkv_experiment *b = &arm->recipe->experiment;
	const struct {
		const char *key;
		bool differs;
	} values[] = {
		{"rate", !load->has_rate && a->rate != b->rate},
		{"connections",
		 !load->has_connections && a->connections != b->connections},
		{"timeout",
		 !load->has_timeout && a->timeout_ns != b->timeout_ns},
		{"warm-up", !load->has_warm_up && a->warm_up != b->warm_up},
		{"measured", !load->has_measured && a->measured != b->measured},
		{"arrivals",
		 !load->arrivals && strcmp(a->arrivals, b->arrivals) != 0},
	};
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (values[i].differs)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "arms.%s.recipe", arm->name),
				"the recipes of arms '%s' and '%s' have "
				"different values of 'experiment.%s': set "
				"'load.%s' here",
				campaign->arms[0].name, arm->name,
				values[i].key, values[i].key);
}

static void check_load(const struct mkv_cross *c,
		       const struct mkv_campaign *campaign)
{
	const struct mkv_campaign_load *load = &campaign->load;
	const struct mkv_experiment *e = &c->recipe->experiment;
	if (load->has_request)
		mkv_cross_request(c, "load.request", &load->request);
	mkv_cross_timeout(c, "load", load->has_rate ? load->rate : e->rate,
			  load->has_timeout ? load->timeout_ns : e->timeout_ns);
}

void mkv_campaign_check_recipes(struct mkv_recipe_loader *load,
				const struct mkv_node *root,
				const struct mkv_campaign *campaign)
{
	size_t before = load->diagnostics->count;
	for (size_t i = 0; i < campaign->n_arms; i++) {
		const struct mkv_cross c = {load, root,
					    campaign->arms[i].recipe};
		if (!campaign->arms[i].same_as)
			check_arm(&c, campaign, i);
	}
	if (load->diagnostics->count > before)
		return;
	for (size_t i = 0; i < campaign->n_recipes; i++) {
		const struct mkv_cross c = {load, root, campaign->recipes[i]};
		check_load(&c, campaign);
	}
	for (size_t i = 1; i < campaign->n_arms; i++) {
		const struct mkv_campaign_arm *arm = &campaign->arms[i];
		const struct mkv_cross c = {load, root, arm->recipe};
		if (!arm->same_as && arm->recipe != campaign->arms[0].recipe)
			check_equal_load(&c, campaign, arm);
	}
}
