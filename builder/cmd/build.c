/* SPDX-License-Identifier: MIT */
/* mkvbench build: builds appliances from recipes. */

#include <fcntl.h>
#include <stdio.h>

#include "builder/build/programs.h"
#include "builder/build/staging.h"
#include "builder/build/uptodate.h"
#include "builder/cmd/build.h"
#include "builder/cmd/cmd.h"
#include "builder/cmd/session.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/text.h"

struct options {
	const char *output, *key;
	bool force;
};

static int print_json(const char *path, const char *sums, bool fresh,
		      struct mkv_error *err)
{
	auto_json json_t *line =
		json_pack("{s:s, s:s, s:b}", "appliance", path, "SHA256SUMS",
			  sums, "built", fresh ? 1 : 0);
	auto_buf struct mkv_buf text = {0};
	int rc = line ? mkv_json_dump_compact(line, &text, err) : mkv_oom(err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", text.data);
	return 0;
}

/* The commands to run next, with the tool's name as the user typed it. */
static int print_next_commands(const struct mkv_recipe *recipe,
			       const char *path, struct mkv_error *err)
{
	const char *tool = program_invocation_name;
	auto_free char *emulated = NULL;
	int rc = mkv_cmd_emulated_of(recipe->path, &emulated, err);
	if (rc < 0)
		return rc;
	(void)printf("  boot it    %s boot %s\n", tool, path);
	if (emulated)
		(void)printf("             (without KVM, build and boot %s)\n",
			     emulated);
	(void)printf("  audit it   %s audit %s --deep\n", tool, path);
	if (recipe->has_hypervisor)
		(void)printf("  import it  %s import %s --connect "
			     "qemu:///system\n",
			     tool, path);
	return 0;
}

/* Prints the digests. The digest of SHA256SUMS identifies the whole appliance.
 */
static int print_summary(const struct mkv_session *session,
			 const struct mkv_recipe *recipe, const char *path,
			 bool fresh, struct mkv_error *err)
{
	auto_free char *sums = NULL;
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	if (asprintf(&sums, "%s/SHA256SUMS", path) < 0)
		return mkv_oom(err);
	int rc = mkv_read_file(AT_FDCWD, sums, 16 << 20, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	if (session->json)
		return print_json(path, hex, fresh, err);
	if (session->quiet)
		return 0;
	(void)printf("%s: %s\n", path, fresh ? "built" : "up to date");
	(void)fputs(text.data, stdout);
	(void)printf("%s  SHA256SUMS\n", hex);
	return print_next_commands(recipe, path, err);
}

int mkv_cmd_build_recipe(const struct mkv_session *session,
			 const struct mkv_build_request *request,
			 const struct mkv_recipe *recipe, char **ret_path,
			 bool *ret_fresh, struct mkv_error *err)
{
	auto_lock struct mkv_lock *lock = NULL;
	auto_tool_files struct mkv_tool_files tool = {0};
	auto_step struct mkv_step step = {0};
	struct mkv_lock_options lock_options =
		mkv_session_lock_options(session);
	struct mkv_build build;
	int rc = mkv_session_build(session, recipe, &lock_options, request->key,
				   &lock, &build, err);
	if (rc < 0)
		return rc;
	rc = mkv_tool_files_read(recipe, &tool, err);
	if (rc < 0)
		return rc;
	build.tool = &tool;
	rc = mkv_uptodate_step(&build, request->output, &step, err);
	if (rc < 0)
		return rc;
	*ret_fresh = false;
	*ret_path = NULL;
	if (!request->force) {
		rc = mkv_uptodate_find(&build, request->output, &step, ret_path,
				       err);
		if (rc < 0 || *ret_path)
			return rc;
	}
	rc = mkv_programs_check(recipe, lock, err);
	if (rc < 0)
		return rc;
	rc = mkv_lock_fetch(lock, session->store, &lock_options,
			    session->progress, err);
	if (rc < 0)
		return rc;
	auto_free char *path = NULL;
	auto_buf struct mkv_buf fingerprint = {0};
	rc = mkv_build_appliance(&build, request->output, &path, &fingerprint,
				 err);
	if (rc < 0)
		return rc;
	rc = mkv_uptodate_keep(&build, &step, &fingerprint, err);
	if (rc < 0)
		return rc;
	*ret_path = mkv_take(path);
	*ret_fresh = true;
	return 0;
}

static int build_and_print(const struct mkv_session *session,
			   const struct mkv_build_request *request,
			   const struct mkv_recipe *recipe,
			   struct mkv_error *err)
{
	auto_free char *path = NULL;
	bool fresh;
	int rc = mkv_cmd_build_recipe(session, request, recipe, &path, &fresh,
				      err);
	return rc < 0 ? rc : print_summary(session, recipe, path, fresh, err);
}

static int build_recipes(struct mkv_session *session,
			 const struct options *options,
			 const struct mkv_recipes *recipes,
			 struct mkv_error *err)
{
	auto_private_key struct mkv_private_key *key = NULL;
	int rc = mkv_staging_watch_signals(err);
	if (rc < 0)
		return rc;
	rc = mkv_key_check_place(options->key, options->output, err);
	if (rc < 0)
		return rc;
	rc = mkv_private_key_load(options->key, &key, err);
	if (rc < 0)
		return rc;
	rc = mkv_session_open(session, err);
	if (rc < 0)
		return rc;
	const struct mkv_build_request request = {
		.output = options->output, .key = key, .force = options->force};
	for (size_t i = 0; i < recipes->count; i++) {
		rc = build_and_print(session, &request, recipes->items[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_cmd_build(int argc, char **argv, struct mkv_error *err)
{
	auto_session struct mkv_session session = {0};
	struct options options = {.output = "images"};
	const struct mkv_option table[] = {
		{"--output", "DIR",
		 "directory of the appliances (default: images)",
		 &options.output, NULL},
		{"--key", "FILE", "the signing key (default: your own)",
		 &options.key, NULL},
		{"--force", NULL, "write the appliance even if nothing changed",
		 NULL, &options.force},
		MKV_SESSION_OPTIONS(session),
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "RECIPE.yaml ...",
		.description =
			"Builds the appliance of each recipe into DIR/NAME: "
			"images, contract, signatures.\nA recipe without a "
			"lock is locked first. Steps whose results are in the "
			"store are\nnot repeated. An appliance appears when "
			"it is complete, and replaces the previous\none.",
		.options = table,
		.min_operands = 1,
		.max_operands = -1,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("build", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	auto_recipes struct mkv_recipes recipes = {0};
	rc = mkv_cmd_load_recipes(argv, operands, &recipes, err);
	if (rc < 0)
		return rc;
	rc = mkv_cmd_check_recipes("build", argv, &recipes, session.lock_path,
				   options.output, err);
	if (rc < 0)
		return rc;
	return build_recipes(&session, &options, &recipes, err);
}
