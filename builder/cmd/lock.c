/* SPDX-License-Identifier: MIT */
/* mkvbench lock: pin every input of a recipe by hash. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/input/lock/change.h"
#include "builder/input/lock/ensure.h"

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
	json_t *changes = json_array();
	int rc = changes ? 0 : mkv_oom(err);
	if (rc == 0 && before && state == MKV_LOCK_CHANGED)
		rc = mkv_lock_compare(before, lock, add_change, changes, err);
	if (rc < 0) {
		json_decref(changes);
		return rc;
	}
	json_t *line = json_pack("{s:s,s:s,s:I,s:I,s:o}", "lock", path, "state",
				 state_names[state], "packages",
				 (json_int_t)lock->n_packages, "sets",
				 (json_int_t)lock->n_sets, "changes", changes);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	json_decref(line);
	if (!text)
		return mkv_oom(err);
	(void)printf("%s\n", text);
	free(text);
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

static int lock_one(const struct options *options,
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
	if (rc == 0 && options->fetch)
		rc = mkv_lock_fetch(lock, store, &options->lock, progress, err);
	if (rc < 0)
		return rc;
	return (options->json ? print_json : print_text)(lock_path, state,
							 before, lock, err);
}

static int take_number(const char *option, const char *text, unsigned most,
		       unsigned *ret, struct mkv_error *err)
{
	char *end = NULL;
	unsigned long number = text ? strtoul(text, &end, 10) : 0;
	if (text && (*end || number < 1 || number > most))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"lock: %s takes a number from 1 to %u", option,
				most);
	*ret = (unsigned)number;
	return 0;
}

static int run(struct options *options, char **paths, int count,
	       struct mkv_error *err)
{
	if (options->lock.lock_path && count > 1)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"lock: --lock goes with one recipe");
	if (options->lock.update && options->lock.locked)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"lock: --update and --locked exclude each "
				"other");
	int rc = take_number("--stall", options->stall, 3600,
			     &options->lock.fetch.stall_s, err);
	if (rc == 0)
		rc = take_number("--attempts", options->attempts, 100,
				 &options->lock.fetch.attempts, err);
	if (rc < 0)
		return rc;
	/* All of them, before a lock is written. */
	auto_recipes struct mkv_recipes recipes = {0};
	rc = mkv_cmd_load_recipes(paths, count, &recipes, err);
	if (rc < 0)
		return rc;
	auto_progress struct mkv_progress *progress = mkv_progress_new(
		mkv_progress_mode(options->json, options->quiet));
	auto_store struct mkv_store *store = NULL;
	rc = mkv_store_open(options->store, &store, err);
	for (size_t i = 0; rc == 0 && i < recipes.count; i++)
		rc = lock_one(options, recipes.items[i], store, progress, err);
	return rc;
}

int mkv_cmd_lock(int argc, char **argv, struct mkv_error *err)
{
	struct options options = {.lock.repin = true};
	const struct mkv_option table[] = {
		{"--update", NULL, "move the pins to what the mirrors have now",
		 NULL, &options.lock.update},
		{"--locked", NULL, "only say whether the lock matches", NULL,
		 &options.lock.locked},
		{"--fetch", NULL, "bring every package into the store, too",
		 NULL, &options.fetch},
		{"--mirror", "URI[,URI]", "mirrors instead of the host's",
		 &options.lock.mirrors, NULL},
		{"--keyring", "FILE",
		 "whose keys must have signed the releases",
		 &options.lock.keyring, NULL},
		{"--allow-expired", NULL, "take releases past Valid-Until",
		 NULL, &options.lock.allow_expired},
		{"--stall", "SECONDS", "give a silent mirror up after (30)",
		 &options.stall, NULL},
		{"--attempts", "N", "times to ask one mirror for a file (4)",
		 &options.attempts, NULL},
		{"--offline", NULL, "use the store alone", NULL,
		 &options.lock.offline},
		{"--lock", "FILE", "the lock, not RECIPE with .lock",
		 &options.lock.lock_path, NULL},
		{"--store", "DIR", "the store (~/.cache/mkvbench)",
		 &options.store, NULL},
		{"--json", NULL, "print a JSON object a line", NULL,
		 &options.json},
		{"--quiet", NULL, "no progress", NULL, &options.quiet},
		{0},
	};
	const struct mkv_usage usage = {"RECIPE.yaml ...",
					"Pins every input of a recipe by hash, "
					"in RECIPE.lock: packages "
					"from signed\nindexes, overlays, "
					"external OCI images. A lock that "
					"matches is kept; one that\ndoesn't is "
					"made to, with the pins it "
					"has as far as they go.",
					table, 1, -1};
	int operands = 0;
	bool done = false;
	int rc = mkv_options_parse("lock", &usage, argc, argv, &operands, &done,
				   err);
	if (rc == 0 && !done)
		rc = run(&options, argv, operands, err);
	return rc;
}
