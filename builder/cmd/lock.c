/* SPDX-License-Identifier: MIT */
/* mkvbench lock: pin every input of a recipe by hash. */

#include <stdio.h>
#include <string.h>

#include "builder/build/staging.h"
#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/input/lock/change.h"
#include "builder/input/lock/ensure.h"
#include "lib/json.h"

struct options {
	struct mkv_lock_options lock;
	const char *store, *stall, *attempts;
	bool fetch, json, quiet;
};

static const char *const state_names[] = {
	[MKV_LOCK_KEPT] = "kept",
	[MKV_LOCK_MADE] = "made",
	[MKV_LOCK_CHANGED] = "changed",
};

static int print_change(const struct mkv_lock_change *change,
			void *context mkv_unused,
			struct mkv_error *err mkv_unused)
{
	bool digest = change->what[0] != 'p';
	const char *version = change->new ? change->new : change->old;
	if (change->old && change->new && (digest || !version[0]))
		(void)printf("  %s changed\n", change->name);
	else if (change->old && change->new)
		(void)printf("  %s %s -> %s\n", change->name, change->old,
			     change->new);
	else
		(void)printf("  %c %s%s%s\n", change->new ? '+' : '-',
			     change->name, digest ? "" : " ",
			     digest ? "" : version);
	return 0;
}

static int add_change(const struct mkv_lock_change *change, void *context,
		      struct mkv_error *err)
{
	json_t *entry =
		json_pack("{s:s,s:s,s:s*,s:s*}", "kind", change->what, "name",
			  change->name, "old", change->old, "new", change->new);
	if (!entry || json_array_append_new(context, entry) < 0)
		return mkv_oom(err);
	return 0;
}

static int print_json(const char *path, enum mkv_lock_state state,
		      const struct mkv_lock *before,
		      const struct mkv_lock *lock, struct mkv_error *err)
{
	auto_json json_t *changes = json_array();
	auto_buf struct mkv_buf text = {0};
	if (!changes)
		return mkv_oom(err);
	if (before && state == MKV_LOCK_CHANGED) {
		int rc = mkv_lock_compare(before, lock, add_change, changes,
					  err);
		if (rc < 0)
			return rc;
	}
	auto_json json_t *line = json_pack(
		"{s:s,s:s,s:I,s:I,s:O}", "lock", path, "state",
		state_names[state], "packages", (json_int_t)lock->n_packages,
		"sets", (json_int_t)lock->n_sets, "changes", changes);
	int rc = line ? mkv_json_dump_compact(line, &text, err) : mkv_oom(err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", text.data);
	return 0;
}

static int print_text(const char *path, enum mkv_lock_state state,
		      const struct mkv_lock *before,
		      const struct mkv_lock *lock, struct mkv_error *err)
{
	(void)printf("%s: %s, %zu packages for %zu image%s\n", path,
		     state_names[state], lock->n_packages, lock->n_sets,
		     lock->n_sets == 1 ? "" : "s");
	if (!before || state != MKV_LOCK_CHANGED)
		return 0;
	return mkv_lock_compare(before, lock, print_change, NULL, err);
}

static int lock_recipe(const struct options *options,
		       const struct mkv_recipe *recipe, struct mkv_store *store,
		       struct mkv_progress *progress, struct mkv_error *err)
{
	auto_lock struct mkv_lock *lock = NULL;
	auto_lock struct mkv_lock *before = NULL;
	enum mkv_lock_state state = MKV_LOCK_KEPT;
	auto_free char *lock_path = options->lock.lock_path
					    ? strdup(options->lock.lock_path)
					    : mkv_lock_path_of(recipe->path);
	if (!lock_path)
		return mkv_oom(err);
	int rc = mkv_lock_ensure(recipe, store, &options->lock, progress, &lock,
				 &state, &before, err);
	if (rc < 0)
		return rc;
	if (options->fetch) {
		rc = mkv_lock_fetch(lock, store, &options->lock, progress, err);
		if (rc < 0)
			return rc;
	}
	return (options->json ? print_json : print_text)(lock_path, state,
							 before, lock, err);
}

static int parse_number(const char *option, const char *text, unsigned max,
			unsigned *ret, struct mkv_error *err)
{
	char *end = NULL;
	unsigned long number = text ? strtoul(text, &end, 10) : 0;
	if (text && (*end || number < 1 || number > max))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"lock: %s takes a number from 1 to %u", option,
				max);
	*ret = (unsigned)number;
	return 0;
}

static int lock_recipes(struct options *options, char **paths, int count,
			struct mkv_error *err)
{
	if (options->lock.lock_path && count > 1)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"lock: --lock takes exactly one recipe");
	if (options->lock.update && options->lock.locked)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"lock: --update and --locked exclude each "
				"other");
	int rc = parse_number("--stall", options->stall, 3600,
			      &options->lock.fetch.stall_s, err);
	if (rc < 0)
		return rc;
	rc = parse_number("--attempts", options->attempts, 100,
			  &options->lock.fetch.attempts, err);
	if (rc < 0)
		return rc;
	/* Every recipe is read before the first lock is written. */
	auto_recipes struct mkv_recipes recipes = {0};
	rc = mkv_cmd_load_recipes(paths, count, &recipes, err);
	if (rc < 0)
		return rc;
	rc = mkv_staging_watch_signals(err);
	if (rc < 0)
		return rc;
	auto_progress struct mkv_progress *progress = mkv_progress_new(
		mkv_progress_mode(options->json, options->quiet));
	auto_store struct mkv_store *store = NULL;
	rc = mkv_store_open(options->store, &store, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < recipes.count; i++) {
		rc = lock_recipe(options, recipes.items[i], store, progress,
				 err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_cmd_lock(int argc, char **argv, struct mkv_error *err)
{
	struct options options = {.lock.repin = true};
	const struct mkv_option table[] = {
		{"--update", NULL, "pin the current versions of the mirrors",
		 NULL, &options.lock.update},
		{"--locked", NULL, "only check that the lock matches", NULL,
		 &options.lock.locked},
		{"--fetch", NULL, "also fetch every package into the store",
		 NULL, &options.fetch},
		{"--mirror", "URI[,URI]",
		 "mirrors instead of those of the host's apt",
		 &options.lock.mirrors, NULL},
		{"--keyring", "FILE",
		 "the keys that must have signed the releases",
		 &options.lock.keyring, NULL},
		{"--allow-expired", NULL,
		 "accept releases past their Valid-Until", NULL,
		 &options.lock.allow_expired},
		{"--stall", "SECONDS",
		 "give up on a silent mirror after (default: 30)",
		 &options.stall, NULL},
		{"--attempts", "N", "attempts per file and mirror (default: 4)",
		 &options.attempts, NULL},
		{"--offline", NULL, "use only the store", NULL,
		 &options.lock.offline},
		{"--lock", "FILE", "the lock (default: RECIPE with .lock)",
		 &options.lock.lock_path, NULL},
		{"--store", "DIR", "the store (default: ~/.cache/mkvbench)",
		 &options.store, NULL},
		{"--json", NULL, "print one JSON object per line", NULL,
		 &options.json},
		{"--quiet", NULL, "print no progress", NULL, &options.quiet},
		{0},
	};
	const struct mkv_usage usage = {"RECIPE.yaml ...",
					"Pins every input of a recipe by hash, "
					"in RECIPE.lock: packages "
					"from signed\nindexes, overlays, "
					"external OCI images. A lock that "
					"matches is kept. A lock\nthat "
					"doesn't match is renewed and keeps "
					"its pins where the recipe allows.",
					table, 1, -1};
	int operands = 0;
	bool done = false;
	int rc = mkv_options_parse("lock", &usage, argc, argv, &operands, &done,
				   err);
	if (rc < 0 || done)
		return rc;
	return lock_recipes(&options, argv, operands, err);
}
