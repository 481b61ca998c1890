/* SPDX-License-Identifier: MIT */
/* mkvbench run: takes a campaign from its recipes to a signed result bundle. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/cmd/run_print.h"
#include "builder/cmd/run_work.h"
#include "lib/clock.h"
#include "lib/json.h"

#define QUICK_SCALE "0.002"
enum { STATUS_LIMIT_BYTES = 1 << 20 };

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

static void note_resume(const struct mkv_run_work *work,
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

static int conduct_campaign(struct mkv_run_work *work,
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

static void print_result(const struct mkv_run_work *work,
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
static int finish_campaign(struct mkv_run_work *work,
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

static int run_campaign(struct mkv_run_work *work, const char *path,
			struct mkv_error *err)
{
	struct mkv_conduct_result result = {0};
	int rc = mkv_run_prepare(work, path, err);
	if (rc < 0)
		return rc;
	rc = conduct_campaign(work, &result, err);
	if (rc < 0)
		return rc;
	return finish_campaign(work, &result, err);
}

/* --status: what another process of this campaign has written last. */
static int print_status(const struct mkv_run_work *work, struct mkv_error *err)
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

static int show_status(struct mkv_run_work *work, const char *path,
		       struct mkv_error *err)
{
	int rc = mkv_cmd_load_campaign(path, &work->campaign, err);
	if (rc < 0)
		return rc;
	rc = mkv_run_find_bundle(work, err);
	return rc < 0 ? rc : print_status(work, err);
}

static int check_options(struct mkv_run_request *options, struct mkv_error *err)
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
	struct mkv_run_request options = {.on = "qemu",
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
	struct mkv_run_work work = {.options = &options};
	rc = options.status ? show_status(&work, argv[0], err)
			    : run_campaign(&work, argv[0], err);
	mkv_run_work_done(&work);
	return rc;
}
