/* SPDX-License-Identifier: MIT */
/* mkvbench plan: for each step, whether its result is cached, and why not; for
 * a campaign, its runs. */

#include <stdio.h>
#include <string.h>

#include "builder/build/steps/steps.h"
#include "builder/build/uptodate.h"
#include "builder/cmd/cmd.h"
#include "builder/cmd/plan_campaign.h"
#include "builder/cmd/session.h"
#include "builder/input/campaign/campaign.h"
#include "builder/input/lock/preview.h"
#include "lib/json.h"
#include "lib/text.h"

struct options {
	const char *output, *key, *scale;
};

#define NO_FETCH "; a build with --offline fails"

/* The plan of one recipe. */
struct rows {
	const struct mkv_session *session;
	const struct mkv_recipe *recipe;
	const struct mkv_build *build; /* NULL while the lock is checked */
	size_t missing;		       /* packages */
};

static int print_row(const struct rows *rows, const char *what,
		     const char *state, const char *why, struct mkv_error *err)
{
	if (!rows->session->json) {
		(void)printf("  %-36s %s%*s%s\n", what, state,
			     *why ? 8 - (int)strlen(state) : 0, "", why);
		return 0;
	}
	auto_json json_t *line =
		json_pack("{s:s, s:s, s:s, s:s}", "recipe", rows->recipe->name,
			  "step", what, "state", state, "why", why);
	if (!line)
		return mkv_oom(err);
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	return 0;
}

static int print_fetch(struct rows *rows, struct mkv_error *err)
{
	const struct mkv_lock *lock = rows->build->lock;
	uint64_t bytes = 0;
	for (size_t i = 0; i < lock->n_packages; i++) {
		const struct mkv_lock_package *p = &lock->packages[i];
		if (mkv_store_has(rows->build->store, &p->sha256))
			continue;
		rows->missing++;
		bytes += p->size_bytes;
	}
	char why[128], size[16];
	mkv_size_text(bytes, size);
	(void)snprintf(why, sizeof(why), "%zu of %zu packages to fetch, %s%s",
		       rows->missing, lock->n_packages, size,
		       rows->session->offline ? NO_FETCH : "");
	return print_row(rows, "fetch", rows->missing ? "run" : "cached",
			 rows->missing ? why : "", err);
}

static int print_external(const struct rows *rows,
			  const struct mkv_lock_external *image,
			  struct mkv_error *err)
{
	auto_free char *directory = NULL;
	char what[300];
	(void)snprintf(what, sizeof(what), "fetch %s", image->reference);
	int rc = mkv_oci_external_keep(rows->build->store, image->reference,
				       image->digest, true, &directory, err);
	if (rc == 0)
		return print_row(rows, what, "cached", "", err);
	if (rc != -ENOENT)
		return rc;
	return print_row(rows, what, "run",
			 rows->session->offline ? "not in the store" NO_FETCH
						: "not in the store",
			 err);
}

/* External OCI images, which are fetched together with the packages. */
static int print_externals(const struct rows *rows, struct mkv_error *err)
{
	const struct mkv_lock *lock = rows->build->lock;
	for (size_t i = 0; i < lock->n_externals; i++) {
		int rc = print_external(rows, &lock->externals[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int print_step(const struct rows *rows, const char *what,
		      const struct mkv_step *step, struct mkv_error *err)
{
	struct mkv_step_result result;
	struct mkv_store *store = rows->build->store;
	int rc = mkv_step_find(step, store, &result, err);
	if (rc == 0)
		return print_row(rows, what, "cached", "", err);
	if (rc != -ENOENT)
		return rc;
	auto_buf struct mkv_buf why = {0};
	rc = mkv_step_reason(step, store, &why, err);
	return rc < 0 ? rc : print_row(rows, what, "run", why.data, err);
}

/* The packages of a base follow from their own dependencies: a base is known
 * only when its packages are in the store. */
static int print_base(const struct rows *rows, const char *set,
		      struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	char what[300];
	(void)snprintf(what, sizeof(what), "base of %s", set);
	if (rows->missing)
		return print_row(rows, what, "run",
				 "depends on packages that are not fetched yet",
				 err);
	int rc = mkv_build_rootfs_base_step(rows->build, set, &step, err);
	return rc < 0 ? rc : print_step(rows, what, &step, err);
}

/* The layer or initramfs made from a root file system; `pack` is NULL when that
 * root file system is not in the store. */
static int print_derived(const struct rows *rows, const char *set,
			 const struct mkv_sha256 *pack, struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	char what[300];
	bool is_oci = strncmp(set, "oci/", 4) == 0;
	(void)snprintf(what, sizeof(what), "%s %s",
		       is_oci ? "layer of packages" : "initramfs", set);
	if (!pack)
		return print_row(rows, what, "run",
				 "its root file system is built first", err);
	int rc = is_oci ? mkv_build_layer_step(pack, &step, err)
			: mkv_build_initramfs_step(rows->build,
						   strchr(set, '/') + 1, NULL,
						   pack, &step, err);
	return rc < 0 ? rc : print_step(rows, what, &step, err);
}

static int print_set(const struct rows *rows, const char *set,
		     struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	struct mkv_step_result result;
	char what[300];
	(void)snprintf(what, sizeof(what), "root file system %s", set);
	int rc = mkv_build_rootfs_step(rows->build, set, &step, err);
	if (rc < 0)
		return rc;
	rc = mkv_step_find(&step, rows->build->store, &result, err);
	bool is_cached = rc == 0;
	if (rc == -ENOENT)
		rc = print_base(rows, set, err);
	if (rc < 0)
		return rc;
	rc = print_step(rows, what, &step, err);
	if (rc < 0)
		return rc;
	return print_derived(rows, set,
			     is_cached ? &result.outputs[0].sha256 : NULL, err);
}

static int print_appliance(const struct rows *rows, const char *output,
			   struct mkv_error *err)
{
	const struct mkv_build *build = rows->build;
	auto_free char *path = NULL;
	auto_step struct mkv_step step = {0};
	struct mkv_step_result ignored;
	if (!build->key)
		return print_row(rows, "appliance", "run",
				 "the signing key is missing: run `mkvbench "
				 "keygen`",
				 err);
	int rc = mkv_uptodate_step(build, output, &step, err);
	if (rc < 0)
		return rc;
	rc = mkv_uptodate_find(build, output, &step, &path, err);
	if (rc < 0)
		return rc;
	if (path)
		return print_row(rows, "appliance", "cached", path, err);
	struct mkv_error none;
	if (mkv_step_find(&step, build->store, &ignored, &none) == 0)
		return print_row(rows, "appliance", "run",
				 "missing or modified since it was built", err);
	return print_step(rows, "appliance", &step, err);
}

static int print_steps(struct rows *rows, const char *output,
		       struct mkv_error *err)
{
	int rc = print_fetch(rows, err);
	if (rc < 0)
		return rc;
	rc = print_externals(rows, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < rows->build->lock->n_sets; i++) {
		rc = print_set(rows, rows->build->lock->sets[i].name, err);
		if (rc < 0)
			return rc;
	}
	return print_appliance(rows, output, err);
}

/* The differences between lock and recipe, a row each, or one row without. */
static int print_differences(const struct rows *rows, const char *state,
			     const struct mkv_lock_preview *preview,
			     struct mkv_error *err)
{
	const struct mkv_strings *differences = &preview->differences;
	if (preview->outlook == MKV_LOCK_MISSING)
		return print_row(rows, "lock", state, "the lock is missing",
				 err);
	if (differences->count == 0)
		return print_row(rows, "lock", state, "", err);
	for (size_t i = 0; i < differences->count; i++) {
		int rc = print_row(rows, "lock", state, differences->items[i],
				   err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What a build with these options would do with the lock. */
static int print_lock(const struct rows *rows, const char *path,
		      const struct mkv_lock_preview *preview,
		      struct mkv_error *err)
{
	static const char *const states[] = {
		[MKV_LOCK_FITS] = "cached",   [MKV_LOCK_RENEWED] = "run",
		[MKV_LOCK_REFUSED] = "stale", [MKV_LOCK_STALE] = "stale",
		[MKV_LOCK_MISSING] = "run",
	};
	const struct mkv_session *session = rows->session;
	bool is_refused =
		preview->outlook >= MKV_LOCK_REFUSED ||
		(session->locked && preview->outlook != MKV_LOCK_FITS);
	const char *state = is_refused ? "stale" : states[preview->outlook];
	if (preview->outlook == MKV_LOCK_MISSING && !session->locked)
		return print_row(rows, "lock", "run",
				 "missing: a build makes it", err);
	int rc = print_differences(rows, state, preview, err);
	if (rc < 0 || !is_refused)
		return rc;
	char advice[512];
	(void)snprintf(advice, sizeof(advice),
		       "a build%s is refused until `mkvbench lock %s%s%s`",
		       session->locked ? " with --locked" : "", path,
		       session->lock_path ? " --lock " : "",
		       session->lock_path ? session->lock_path : "");
	return print_row(rows, "lock", state, advice, err);
}

static int plan_recipe(const struct mkv_session *session,
		       const struct options *options,
		       const struct mkv_private_key *key,
		       const struct mkv_recipe *recipe, const char *path,
		       struct mkv_error *err)
{
	auto_lock_preview struct mkv_lock_preview preview = {0};
	auto_tool_files struct mkv_tool_files tool = {0};
	struct rows rows = {.session = session, .recipe = recipe};
	struct mkv_build build;
	int rc = mkv_lock_preview_init(recipe, session->lock_path, &preview,
				       err);
	if (rc < 0)
		return rc;
	if (!session->json)
		(void)printf("%s:\n", path);
	rc = print_lock(&rows, path, &preview, err);
	if (rc < 0 || !preview.lock) /* the steps follow from the lock */
		return rc;
	rc = mkv_session_build_with(session, recipe, key, preview.lock, &build,
				    err);
	if (rc < 0)
		return rc;
	rc = mkv_tool_files_read(recipe, &tool, err);
	if (rc < 0)
		return rc;
	build.tool = &tool;
	rows.build = &build;
	return print_steps(&rows, options->output, err);
}

/* Only the appliance's step depends on the key: without the user's own key all
 * other steps can still be planned. */
static int load_optional_key(const struct options *options,
			     struct mkv_private_key **ret,
			     struct mkv_error *err)
{
	int rc = mkv_private_key_load(options->key, ret, err);
	return rc == -ENOENT && !options->key ? 0 : rc;
}

static int plan_campaign(const struct mkv_session *session,
			 const struct options *options, char **paths, int count,
			 struct mkv_error *err)
{
	if (count > 1)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"plan: a campaign is planned without other "
				"files");
	return mkv_cmd_plan_campaign(paths[0], options->scale, session->json,
				     err);
}

int mkv_cmd_plan(int argc, char **argv, struct mkv_error *err)
{
	auto_session struct mkv_session session = {.reads_only = true};
	struct options options = {.output = "images"};
	const struct mkv_option table[] = {
		{"--output", "DIR",
		 "directory of the appliances (default: images)",
		 &options.output, NULL},
		{"--key", "FILE", "the signing key (default: your own)",
		 &options.key, NULL},
		{"--scale", "N",
		 "of a campaign: the share of its requests and blocks, such as "
		 "0.002",
		 &options.scale, NULL},
		MKV_SESSION_OPTIONS(session),
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "RECIPE.yaml ...",
		.description =
			"Lists every step whose result the store keeps "
			"(packages, bases, root file systems,\ninitramfs, "
			"layers, the appliance): whether it is cached or has "
			"to run, and which\ninput changed. Changes nothing. "
			"If the lock no longer matches the recipe, it lists\n"
			"what would be locked again. Of a campaign, it lists "
			"the runs in their order.",
		.options = table,
		.min_operands = 1,
		.max_operands = -1,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("plan", &usage, argc, argv, &operands, &done,
				   err);
	if (rc < 0 || done)
		return rc;
	for (int i = 0; i < operands; i++)
		if (mkv_campaign_is(argv[i]))
			return plan_campaign(&session, &options, argv, operands,
					     err);
	if (options.scale)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"plan: only a campaign has a scale");
	auto_recipes struct mkv_recipes recipes = {0};
	auto_private_key struct mkv_private_key *key = NULL;
	rc = mkv_cmd_load_recipes(argv, operands, &recipes, err);
	if (rc < 0)
		return rc;
	rc = mkv_cmd_check_recipes("plan", argv, &recipes, session.lock_path,
				   options.output, err);
	if (rc < 0)
		return rc;
	rc = load_optional_key(&options, &key, err);
	if (rc < 0)
		return rc;
	rc = mkv_session_open(&session, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < recipes.count; i++) {
		rc = plan_recipe(&session, &options, key, recipes.items[i],
				 argv[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
