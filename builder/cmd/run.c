/* SPDX-License-Identifier: MIT */
/* mkvbench run: takes a campaign from its recipes to a signed result bundle. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "builder/build/staging.h"
#include "builder/cmd/build.h"
#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/report.h"
#include "builder/cmd/run_print.h"
#include "builder/evidence/plan/plan.h"
#include "builder/run/campaign/conduct.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/json.h"

#define QUICK_SCALE "0.002"
enum { STATUS_LIMIT_BYTES = 1 << 20 };

struct options {
	const char *on, *at, *images, *results, *key, *scale, *accel, *timeout;
	bool quick, status, json, quiet;
};

static volatile sig_atomic_t stop_requested;

static void handle_stop(int number)
{
	(void)number;
	stop_requested = 1;
}

static int install_handlers(struct mkv_error *err)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = handle_stop};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"sigaction: %m");
	return 0;
}

/* Everything that one campaign needs, in the order in which it is made. */
struct work {
	const struct options *options;
	struct mkv_campaign *campaign;
	struct mkv_private_key *key;
	char **directories; /* of the arms' appliances */
	struct mkv_plan_appliance *appliances;
	struct mkv_conduct_appliance *places; /* in the plan's order of arms */
	struct mkv_buf plan_text, plan_bundle;
	struct mkv_plan *plan;
	char *bundle_path;
	struct mkv_bundle *bundle;
	struct mkv_target *target;
	bool is_resumed;
};

static void release_work(struct work *work)
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

/* The bundle of a campaign; a trial's is another one. */
static int find_bundle_path(struct work *work, struct mkv_error *err)
{
	return asprintf(&work->bundle_path, "%s/%s%s", work->options->results,
			work->campaign->name,
			work->options->scale ? "-trial" : "") < 0
		       ? mkv_oom(err)
		       : 0;
}

static int find_directories(struct work *work, struct mkv_error *err)
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
static int build_here(const struct work *work, const struct mkv_recipe *recipe,
		      struct mkv_error *err)
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

static int build_in_child(const struct work *work,
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
static int build_missing(const struct work *work, struct mkv_error *err)
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

static int make_plan(struct work *work, struct mkv_error *err)
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
static int order_places(struct work *work, struct mkv_error *err)
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

static int open_bundle(struct work *work, struct mkv_error *err)
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

static int open_target(struct work *work, struct mkv_error *err)
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

static void note_resume(const struct work *work,
			struct mkv_run_printer *printer)
{
	size_t count;
	const char *const *repairs = mkv_bundle_repairs(work->bundle, &count);
	if (work->is_resumed)
		mkv_run_print_note(
			"the campaign goes on where its journal ends", printer);
	for (size_t i = 0; i < count; i++)
		mkv_run_print_note(repairs[i], printer);
}

static int conduct_campaign(struct work *work,
			    struct mkv_conduct_result *result,
			    struct mkv_error *err)
{
	struct mkv_run_printer printer;
	struct mkv_conduct conduct = {
		.plan = work->plan,
		.plan_bundle = work->plan_bundle.data,
		.key = work->key,
		.bundle = work->bundle,
		.bundle_path = work->bundle_path,
		.appliances = work->places,
		.target = work->target,
		.stop = &stop_requested,
		.on_status = mkv_run_print_status,
		.on_note = mkv_run_print_note,
		.context = &printer,
	};
	int rc = mkv_sha256_bytes(work->plan_text.data, work->plan_text.size,
				  &conduct.plan_sha256, err);
	if (rc < 0)
		return rc;
	rc = install_handlers(err);
	if (rc < 0)
		return rc;
	mkv_run_printer_init(&printer, work->plan, work->bundle_path,
			     work->options->json, work->options->quiet);
	note_resume(work, &printer);
	rc = mkv_conduct_run(&conduct, result, err);
	mkv_run_printer_done(&printer);
	return rc;
}

static void print_result(const struct work *work,
			 const struct mkv_conduct_result *result)
{
	if (work->options->json) {
		auto_json json_t *line = json_pack(
			"{s:s, s:b, s:I, s:I, s:I, s:I}", "bundle",
			work->bundle_path, "trial", work->plan->is_trial,
			"runs", (json_int_t)work->plan->n_runs, "valid",
			(json_int_t)result->valid, "invalid_attempts",
			(json_int_t)result->invalid, "exhausted",
			(json_int_t)result->exhausted);
		if (line)
			(void)json_dumpf(line, stdout,
					 JSON_COMPACT | JSON_SORT_KEYS);
		(void)putchar('\n');
		return;
	}
	(void)printf("%s: %s%zu of %zu runs are valid, %zu attempts were "
		     "invalid; signed\n",
		     work->bundle_path, work->plan->is_trial ? "a trial: " : "",
		     result->valid, work->plan->n_runs, result->invalid);
	(void)printf("  check it    %s audit %s\n", program_invocation_name,
		     work->bundle_path);
}

/* A campaign that is complete is signed; one with exhausted runs, too, and says
 * so. */
static int finish_campaign(struct work *work,
			   const struct mkv_conduct_result *result,
			   struct mkv_error *err)
{
	int rc = mkv_bundle_finish(work->bundle, work->key, mkv_realtime_ns(),
				   err);
	if (rc < 0)
		return rc;
	print_result(work, result);
	if (result->exhausted == 0)
		return 0;
	return mkv_fail(
		err, MKV_UNVERIFIED, EBADMSG,
		"%zu of %zu runs have no valid attempt; the reasons are "
		"in the run.json of their attempts",
		result->exhausted, work->plan->n_runs);
}

static int run_campaign(struct work *work, const char *path,
			struct mkv_error *err)
{
	struct mkv_conduct_result result = {0};
	int rc = mkv_cmd_load_campaign(path, &work->campaign, err);
	if (rc < 0)
		return rc;
	rc = find_bundle_path(work, err);
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
	rc = open_target(work, err);
	if (rc < 0)
		return rc;
	rc = conduct_campaign(work, &result, err);
	if (rc < 0)
		return rc;
	return finish_campaign(work, &result, err);
}

/* --status: what another process of this campaign has written last. */
static int print_status(const struct work *work, struct mkv_error *err)
{
	char path[4096];
	auto_json json_t *status = NULL;
	auto_buf struct mkv_buf text = {0};
	(void)snprintf(path, sizeof(path), "%s/.status.json",
		       work->bundle_path);
	int rc = mkv_json_load_file(AT_FDCWD, path, STATUS_LIMIT_BYTES, &status,
				    err);
	if (rc == -ENOENT)
		return mkv_fail(err, MKV_BAD_USAGE, ENOENT,
				"no `mkvbench run` is working on '%s'",
				work->bundle_path);
	if (rc < 0)
		return rc;
	if (work->options->json)
		rc = mkv_json_dump(status, &text, err);
	else
		mkv_run_print_screen(status, &text);
	if (rc < 0)
		return rc;
	(void)fputs(text.data ? text.data : "", stdout);
	return 0;
}

static int show_status(struct work *work, const char *path,
		       struct mkv_error *err)
{
	int rc = mkv_cmd_load_campaign(path, &work->campaign, err);
	if (rc < 0)
		return rc;
	rc = find_bundle_path(work, err);
	return rc < 0 ? rc : print_status(work, err);
}

static int check_options(struct options *options, struct mkv_error *err)
{
	bool is_hosts = strcmp(options->on, "hosts") == 0;
	if (!is_hosts && strcmp(options->on, "qemu") != 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"run: --on takes qemu or hosts, not '%s'",
				options->on);
	if (options->at && !is_hosts)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"run: --at is for --on hosts");
	if (options->quick && options->scale)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"run: --quick and --scale exclude each other");
	if (options->quick)
		options->scale = QUICK_SCALE;
	return 0;
}

static const char description[] =
	"Runs a campaign: builds the appliances that are missing, signs the plan of all\n"
	"runs, has each run measured on hosts whose receipts passed, and collects what\n"
	"they measured into DIR/NAME. A campaign that was interrupted goes on where its\n"
	"journal ends. --on qemu boots the hosts here, for every run anew. --on hosts uses\n"
	"machines that were flashed or imported: it says which appliance must run, and\n"
	"waits for its hosts.\n"
	"Exit status: 0 every run has a valid attempt, 4 not all of them.";

int mkv_cmd_run(int argc, char **argv, struct mkv_error *err)
{
	struct options options = {.on = "qemu",
				  .images = "images",
				  .results = "results",
				  .accel = "auto"};
	const struct mkv_option table[] = {
		{"--on", "qemu|hosts", "where the hosts run (default: qemu)",
		 &options.on, NULL},
		{"--at", "HOST[:PORT]",
		 "the conductor, where the collector's address does not reach "
		 "it",
		 &options.at, NULL},
		{"--scale", "FRACTION",
		 "a trial with this share of the requests and blocks",
		 &options.scale, NULL},
		{"--quick", NULL, "a trial, --scale " QUICK_SCALE, NULL,
		 &options.quick},
		{"--status", NULL,
		 "print what another process does for this campaign", NULL,
		 &options.status},
		{"--images", "DIR",
		 "directory of the appliances (default: images)",
		 &options.images, NULL},
		{"--output", "DIR",
		 "directory of the bundles (default: results)",
		 &options.results, NULL},
		{"--key", "FILE", "the signing key (default: your own)",
		 &options.key, NULL},
		{"--accel", "auto|kvm|tcg", "of --on qemu, as for `boot`",
		 &options.accel, NULL},
		{"--timeout", "SECONDS", "of --on qemu, as for `boot`",
		 &options.timeout, NULL},
		{"--json", NULL, "print progress and results as JSON lines",
		 NULL, &options.json},
		{"--quiet", NULL, "print no progress", NULL, &options.quiet},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "CAMPAIGN.yaml",
		.description = description,
		.options = table,
		.min_operands = 1,
		.max_operands = 1,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("run", &usage, argc, argv, &operands, &done,
				   err);
	if (rc < 0 || done)
		return rc;
	rc = check_options(&options, err);
	if (rc < 0)
		return rc;
	struct work work = {.options = &options};
	rc = options.status ? show_status(&work, argv[0], err)
			    : run_campaign(&work, argv[0], err);
	release_work(&work);
	return rc;
}
