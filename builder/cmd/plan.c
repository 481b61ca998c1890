/* SPDX-License-Identifier: MIT */
/* mkvbench plan: what would be built, what is cached, and why not. */

#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/session.h"
#include "builder/lock/foresee.h"
#include "builder/plan/uptodate.h"
#include "lib/json.h"
#include "lib/text.h"

struct options {
	const char *output, *key;
};

static int print_row(const struct mkv_session *session, const char *what,
		     const char *state, const char *why)
{
	if (!session->json) {
		(void)printf("  %-28s %-7s %s\n", what, state, why);
		return 0;
	}
	json_t *line = json_pack("{s:s, s:s, s:s}", "step", what, "state",
				 state, "why", why);
	int rc = line ? json_dumpf(line, stdout, JSON_COMPACT) : -1;
	json_decref(line);
	(void)putchar('\n');
	return rc;
}

static int print_fetch(const struct mkv_session *session,
		       const struct mkv_build *build)
{
	size_t missing = 0;
	uint64_t bytes = 0;
	for (size_t i = 0; i < build->lock->n_packages; i++) {
		const struct mkv_lock_package *p = &build->lock->packages[i];
		if (mkv_store_has(build->store, &p->sha256))
			continue;
		missing++;
		bytes += p->size_bytes;
	}
	char why[128], size[16];
	mkv_size_text(bytes, size);
	(void)snprintf(why, sizeof(why), "%zu of %zu packages to fetch, %s",
		       missing, build->lock->n_packages, size);
	return print_row(session, "fetch", missing ? "run" : "cached",
			 missing ? why : "");
}

static int print_step(const struct mkv_session *session,
		      const struct mkv_build *build, const char *what,
		      const struct mkv_step *step, struct mkv_error *err)
{
	struct mkv_step_result result;
	int rc = mkv_step_find(step, build->store, &result, err);
	if (rc == 0)
		return print_row(session, what, "cached", "");
	if (rc != -ENOENT)
		return rc;
	auto_buf struct mkv_buf why = {0};
	rc = mkv_step_reason(step, build->store, &why, err);
	return rc < 0 ? rc : print_row(session, what, "run", why.data);
}

static int print_rootfs(const struct mkv_session *session,
			const struct mkv_build *build, struct mkv_error *err)
{
	for (size_t i = 0; i < build->lock->n_sets; i++) {
		const char *set = build->lock->sets[i].name;
		auto_step struct mkv_step step = {0};
		char what[300];
		(void)snprintf(what, sizeof(what), "root file system %s", set);
		int rc = mkv_build_rootfs_step(build, set, &step, err);
		if (rc == 0)
			rc = print_step(session, build, what, &step, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int print_appliance(const struct mkv_session *session,
			   const struct mkv_build *build, const char *output,
			   struct mkv_error *err)
{
	auto_free char *path = NULL;
	auto_step struct mkv_step step = {0};
	auto_buf struct mkv_buf why = {0};
	struct mkv_step_result ignored;
	int rc = mkv_uptodate_step(build, output, &step, err);
	if (rc == 0)
		rc = mkv_uptodate_find(build, output, &step, &path, err);
	if (rc < 0)
		return rc;
	if (path)
		return print_row(session, "appliance", "cached", path);
	struct mkv_error none;
	if (mkv_step_find(&step, build->store, &ignored, &none) == 0)
		return print_row(session, "appliance", "run",
				 "it isn't there, or not as it was written");
	rc = mkv_step_reason(&step, build->store, &why, err);
	return rc < 0 ? rc : print_row(session, "appliance", "run", why.data);
}

/* What becomes of the lock; `ret_ends` when no step is known before it does. */
static int print_lock(const struct mkv_session *session, const char *path,
		      const struct mkv_lock_foresight *foresight,
		      bool *ret_ends)
{
	static const char *const states[] = {
		[MKV_LOCK_FITS] = "cached",   [MKV_LOCK_RENEWED] = "run",
		[MKV_LOCK_REFUSED] = "stale", [MKV_LOCK_STALE] = "stale",
		[MKV_LOCK_MISSING] = "run",
	};
	const char *state = states[foresight->outlook];
	const struct mkv_strings *differences = &foresight->differences;
	*ret_ends = !foresight->lock;
	if (foresight->outlook == MKV_LOCK_MISSING)
		return print_row(session, "lock", state,
				 "there is none: a build makes it");
	if (differences->count == 0)
		return print_row(session, "lock", state, "");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < differences->count; i++)
		rc = print_row(session, "lock", state, differences->items[i]);
	char advice[512];
	(void)snprintf(advice, sizeof(advice),
		       "a build is refused until `mkvbench lock %s%s%s`", path,
		       session->lock_path ? " --lock " : "",
		       session->lock_path ? session->lock_path : "");
	if (rc == 0 && foresight->outlook >= MKV_LOCK_REFUSED)
		rc = print_row(session, "lock", state, advice);
	return rc;
}

static int plan_one(const struct mkv_session *session,
		    const struct options *options,
		    const struct mkv_private_key *key,
		    const struct mkv_recipe *recipe, const char *path,
		    struct mkv_error *err)
{
	auto_lock_foresight struct mkv_lock_foresight foresight = {0};
	auto_tool_files struct mkv_tool_files tool = {0};
	struct mkv_build build;
	bool ends;
	int rc = mkv_lock_foresee(recipe, session->lock_path, &foresight, err);
	if (rc < 0)
		return rc;
	if (!session->json)
		(void)printf("%s:\n", path);
	if (print_lock(session, path, &foresight, &ends) < 0)
		return mkv_fail(err, MKV_FAILED, EIO, "write JSON");
	if (ends)
		return 0;
	rc = mkv_session_build_with(session, recipe, key, foresight.lock,
				    &build, err);
	if (rc == 0)
		rc = mkv_tool_files_read(recipe, &tool, err);
	build.tool = &tool;
	if (rc < 0)
		return rc;
	if (print_fetch(session, &build) < 0)
		return mkv_fail(err, MKV_FAILED, EIO, "write JSON");
	rc = print_rootfs(session, &build, err);
	return rc < 0 ? rc
		      : print_appliance(session, &build, options->output, err);
}

int mkv_cmd_plan(int argc, char **argv, struct mkv_error *err)
{
	auto_session struct mkv_session session = {0};
	struct options options = {.output = "images"};
	const struct mkv_option table[] = {
		{"--output", "DIR", "where appliances go (images)",
		 &options.output, NULL},
		{"--key", "FILE", "the signing key, if not the user's own",
		 &options.key, NULL},
		MKV_SESSION_OPTIONS(session),
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "RECIPE.yaml ...",
		.description =
			"Says for every step of a build whether its result is "
			"there or it has to run, and\nthen which input "
			"changed. Changes nothing. Where the lock no longer "
			"matches the recipe, it\nsays what would be locked "
			"again.",
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
	auto_recipes struct mkv_recipes recipes = {0};
	auto_private_key struct mkv_private_key *key = NULL;
	rc = mkv_cmd_load_recipes(argv, operands, &recipes, err);
	if (rc == 0)
		rc = mkv_cmd_check_recipes("plan", argv, &recipes,
					   session.lock_path, options.output,
					   err);
	if (rc == 0)
		rc = mkv_private_key_load(options.key, &key, err);
	if (rc == 0)
		rc = mkv_session_open(&session, err);
	for (size_t i = 0; rc == 0 && i < recipes.count; i++)
		rc = plan_one(&session, &options, key, recipes.items[i],
			      argv[i], err);
	return rc;
}
