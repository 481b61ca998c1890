/* SPDX-License-Identifier: MIT */
#include "builder/cmd/run_work.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "builder/build/staging.h"
#include "builder/cmd/build.h"
#include "builder/cmd/load.h"
#include "builder/cmd/report.h"
#include "lib/clock.h"
#include "lib/io.h"

void mkv_run_work_done(struct mkv_run_work *work)
{
	mkv_target_free(work->target);
	mkv_bundle_free(work->bundle);
	free(work->bundle_path);
	free(work->places);
	mkv_plan_free(work->plan);
	mkv_buf_done(&work->plan_text);
	mkv_buf_done(&work->plan_bundle);
	for (size_t i = 0; work->campaign && i < work->campaign->n_arms; i++) {
		if (work->directories)
			free(work->directories[i]);
		if (work->appliances)
			mkv_plan_appliance_done(&work->appliances[i]);
	}
	free(work->directories);
	free(work->appliances);
	mkv_private_key_free(work->key);
	mkv_campaign_free(work->campaign);
}

int mkv_run_find_bundle(struct mkv_run_work *work, struct mkv_error *err)
{
	return asprintf(&work->bundle_path, "%s/%s%s", work->options->results,
			work->campaign->name,
			work->options->scale ? "-trial" : "") < 0
		       ? mkv_oom(err)
		       : 0;
}

static int find_directories(struct mkv_run_work *work, struct mkv_error *err)
{
	const struct mkv_campaign *campaign = work->campaign;
	work->directories =
		calloc(campaign->n_arms, sizeof(*work->directories));
	work->appliances = calloc(campaign->n_arms, sizeof(*work->appliances));
	if (!work->directories || !work->appliances)
		return mkv_oom(err);
	for (size_t i = 0; i < campaign->n_arms; i++)
		if (asprintf(&work->directories[i], "%s/%s",
			     work->options->images,
			     campaign->arms[i].recipe->name) < 0)
			return mkv_oom(err);
	return 0;
}

/* Builds one recipe. Runs in a child process: a build has threads and handlers
 * of signals of its own. */
static int build_here(const struct mkv_run_work *work,
		      const struct mkv_recipe *recipe, struct mkv_error *err)
{
	auto_session struct mkv_session session = {
		.json = work->options->json, .quiet = work->options->quiet};
	const struct mkv_build_request request = {
		.output = work->options->images, .key = work->key};
	auto_free char *path = NULL;
	bool fresh;
	int rc = mkv_staging_watch_signals(err);
	if (rc < 0)
		return rc;
	rc = mkv_session_open(&session, err);
	if (rc < 0)
		return rc;
	return mkv_cmd_build_recipe(&session, &request, recipe, &path, &fresh,
				    err);
}

static int build_in_child(const struct mkv_run_work *work,
			  const struct mkv_recipe *recipe,
			  struct mkv_error *err)
{
	int status = 0;
	pid_t pid = fork();
	if (pid < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fork: %m");
	if (pid == 0) {
		int rc = build_here(work, recipe, err);
		if (rc < 0)
			mkv_report_error(err);
		(void)fflush(NULL);
		_exit(rc < 0 ? mkv_exit_status(err->kind) : 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return mkv_fail(err, MKV_FAILED, ECHILD,
			"the appliance of '%s' was not built", recipe->path);
}

/* Builds the appliances that are missing. One that exists is taken as it is: it
 * may be what the hosts run. */
static int build_missing(const struct mkv_run_work *work, struct mkv_error *err)
{
	for (size_t i = 0; i < work->campaign->n_arms; i++) {
		struct stat status;
		if (stat(work->directories[i], &status) == 0)
			continue;
		int rc = build_in_child(work, work->campaign->arms[i].recipe,
					err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int make_plan(struct mkv_run_work *work, struct mkv_error *err)
{
	struct mkv_plan_inputs inputs = {
		.campaign = work->campaign,
		.appliances = work->appliances,
		.scale_ppb = MKV_NS_PER_S,
		.tool_version = MKV_VERSION,
	};
	if (work->options->scale) {
		int rc = mkv_plan_parse_scale(work->options->scale,
					      &inputs.scale_ppb, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "run: --scale");
	}
	for (size_t i = 0; i < work->campaign->n_arms; i++) {
		int rc = mkv_plan_appliance_read(work->directories[i],
						 &work->appliances[i], err);
		if (rc < 0)
			return rc;
	}
	int rc = mkv_plan_make(&inputs, &work->plan_text, err);
	if (rc < 0)
		return rc;
	rc = mkv_plan_parse(work->plan_text.data, work->plan_text.size,
			    &work->plan, err);
	if (rc < 0)
		return rc;
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&mkv_private_key_public(work->key)->id, id);
	if (strcmp(id, work->plan->key_id) != 0)
		return mkv_fail(err, MKV_BAD_USAGE, EKEYREJECTED,
				"the appliances were signed with the key %s: "
				"their hosts obey only that key, and yours is "
				"%s (--key)",
				work->plan->key_id, id);
	return mkv_plan_sign(work->key, work->plan_text.data,
			     work->plan_text.size, &work->plan_bundle, err);
}

/* The appliances in the order of the plan's arms. */
static int order_places(struct mkv_run_work *work, struct mkv_error *err)
{
	work->places = calloc(work->plan->n_arms, sizeof(*work->places));
	if (!work->places)
		return mkv_oom(err);
	for (size_t i = 0; i < work->plan->n_arms; i++)
		for (size_t j = 0; j < work->campaign->n_arms; j++)
			if (strcmp(work->plan->arms[i].name,
				   work->campaign->arms[j].name) == 0)
				work->places[i] =
					(struct mkv_conduct_appliance){
						work->directories[j],
						work->appliances[j]
							.manifest->contract};
	return 0;
}

static int open_bundle(struct mkv_run_work *work, struct mkv_error *err)
{
	const struct mkv_bundle_inputs inputs = {
		.plan = work->plan_text.data,
		.plan_size = work->plan_text.size,
		.plan_bundle = work->plan_bundle.data,
		.plan_bundle_size = work->plan_bundle.size,
		.campaign = work->campaign->text,
		.campaign_size = work->campaign->text_size,
		.key = mkv_private_key_public(work->key),
	};
	int rc = mkv_make_dirs(work->options->results, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_open(work->bundle_path, &inputs, mkv_realtime_ns(),
			     &work->bundle, err);
	work->is_resumed = rc == 0;
	if (rc == -ENOENT)
		rc = mkv_bundle_create(work->bundle_path, &inputs,
				       mkv_realtime_ns(), &work->bundle, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < work->plan->n_arms; i++) {
		rc = mkv_bundle_add_appliance(work->bundle,
					      work->plan->arms[i].appliance,
					      work->places[i].directory, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_target(struct mkv_run_work *work, struct mkv_error *err)
{
	if (strcmp(work->options->on, "hosts") == 0)
		return mkv_target_hosts_new(work->options->at, &work->target,
					    err);
	auto_free char *consoles = NULL;
	if (asprintf(&consoles, "%s.consoles", work->bundle_path) < 0)
		return mkv_oom(err);
	int rc = mkv_make_dirs(consoles, err);
	if (rc < 0)
		return rc;
	const struct mkv_target_qemu qemu = {
		.accel = work->options->accel,
		.timeout = work->options->timeout,
		.console_directory = consoles,
	};
	return mkv_target_qemu_new(&qemu, &work->target, err);
}

int mkv_run_prepare(struct mkv_run_work *work, const char *path,
		    struct mkv_error *err)
{
	int rc = mkv_cmd_load_campaign(path, &work->campaign, err);
	if (rc < 0)
		return rc;
	rc = mkv_run_find_bundle(work, err);
	if (rc < 0)
		return rc;
	rc = mkv_private_key_load(work->options->key, &work->key, err);
	if (rc < 0)
		return rc;
	rc = find_directories(work, err);
	if (rc < 0)
		return rc;
	rc = build_missing(work, err);
	if (rc < 0)
		return rc;
	rc = make_plan(work, err);
	if (rc < 0)
		return rc;
	rc = order_places(work, err);
	if (rc < 0)
		return rc;
	rc = open_bundle(work, err);
	if (rc < 0)
		return rc;
	return open_target(work, err);
}
