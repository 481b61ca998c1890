/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit_bundle/audit_bundle.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "lib/dsse.h"
#include "lib/io.h"

/* What SHA256SUMS can't name, and what is made from a finished bundle. */
static const char *const unsummed[] = {"attestations/result.sigstore.json",
				       "analysis/", ".lock", NULL};

enum { CAMPAIGN_MAX = 4 * 1024 * 1024 };

void mkv_bundle_report_done(struct mkv_bundle_report *report)
{
	mkv_audit_report_done(&report->audit);
	mkv_strings_done(&report->missing);
	*report = (struct mkv_bundle_report){0};
}

static void audit_done(struct mkv_bundle_audit *at)
{
	mkv_auto_close_(&at->audit.dirfd);
	mkv_sums_free(at->audit.sums);
	for (size_t i = 0; at->arms && i < at->plan->n_arms; i++)
		mkv_manifest_free(at->arms[i].manifest);
	for (size_t i = 0; i < at->n_events; i++) {
		json_decref(at->events[i].files);
		json_decref(at->events[i].reasons);
	}
	free(at->arms);
	free(at->events);
	free(at->valid);
	free(at->tpm_boots);
	mkv_strings_done(&at->boots);
	json_decref(at->boot_runs);
	mkv_plan_free(at->plan);
}

bool mkv_bundle_is_at(const char *path)
{
	struct stat st;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && (fstatat(fd, "plan.json", &st, 0) == 0 ||
			   fstatat(fd, MKV_JOURNAL_NAME, &st, 0) == 0);
}

int mkv_bundle_find_error(struct mkv_bundle_audit *at, const char *path, int rc,
			  const struct mkv_error *err)
{
	if (rc == -ENOMEM)
		return rc;
	mkv_bundle_find(at, path, "%s", err->message);
	return 0;
}

int mkv_bundle_read_json(struct mkv_bundle_audit *at, const char *path,
			 size_t limit_bytes, json_t **ret,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *json = NULL;
	int rc = mkv_audit_read(&at->audit, path, limit_bytes, &text, err);
	if (rc != 0)
		return rc;
	rc = mkv_json_load(text.data ? text.data : "", text.size, &json, err);
	if (rc < 0) {
		rc = mkv_bundle_find_error(at, path, rc, err);
		return rc < 0 ? rc : 1;
	}
	if (!json_is_object(json)) {
		mkv_bundle_find(at, path, "isn't a JSON object");
		return 1;
	}
	*ret = mkv_take(json);
	return 0;
}

/* The signed statement must be about these bytes and hold the same plan. */
static int check_statement(struct mkv_bundle_audit *at,
			   const struct mkv_sha256 *sha256,
			   struct mkv_error *err)
{
	static const char path[] = "plan.sigstore.json";
	auto_buf struct mkv_buf bundle = {0}, payload = {0};
	auto_json json_t *statement = NULL;
	int rc = mkv_audit_read(&at->audit, path, MKV_BUNDLE_JSON_MAX, &bundle,
				err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_dsse_verify(bundle.data ? bundle.data : "", bundle.size,
			     &at->audit.report->key, MKV_DSSE_IN_TOTO, &payload,
			     err);
	if (rc >= 0)
		rc = mkv_statement_subject_check(
			payload.data ? payload.data : "", payload.size,
			MKV_PLAN_TYPE, "plan.json", sha256, err);
	if (rc >= 0)
		rc = mkv_json_load(payload.data, payload.size, &statement, err);
	if (rc < 0)
		return mkv_bundle_find_error(at, path, rc, err);
	at->audit.report->signatures++;
	if (!json_equal(json_object_get(statement, "predicate"),
			at->plan->document))
		mkv_bundle_find(at, path, "holds another plan than plan.json");
	return 0;
}

static int check_campaign(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_audit_read(&at->audit, "campaign.yaml", CAMPAIGN_MAX,
				&text, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	if (strcmp(hex, at->plan->campaign_sha256) != 0)
		mkv_bundle_find(at, "campaign.yaml",
				"isn't the campaign file of the plan");
	return 0;
}

static int check_plan(struct mkv_bundle_audit *at,
		      const struct mkv_sha256 *sha256, struct mkv_error *err)
{
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&at->audit.report->key.id, id);
	if (strcmp(id, at->plan->key_id) != 0)
		mkv_bundle_find(at, "plan.json",
				"names the key %s, not the verification key",
				at->plan->key_id);
	int rc = check_statement(at, sha256, err);
	return rc < 0 ? rc : check_campaign(at, err);
}

/* 1 when there is no plan that can be read. */
static int read_plan(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	struct mkv_bundle_report *report = at->report;
	int rc = mkv_audit_read(&at->audit, "plan.json", MKV_PLAN_LIMIT_BYTES,
				&text, err);
	if (rc != 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, at->plan_sha256);
	rc = mkv_plan_parse(text.data ? text.data : "", text.size, &at->plan,
			    err);
	if (rc < 0) {
		rc = mkv_bundle_find_error(at, "plan.json", rc, err);
		return rc < 0 ? rc : 1;
	}
	(void)snprintf(report->campaign, sizeof(report->campaign), "%s",
		       at->plan->name);
	(void)snprintf(report->scale, sizeof(report->scale), "%s",
		       at->plan->scale);
	report->is_trial = at->plan->is_trial;
	report->planned = at->plan->n_runs;
	at->arms = calloc(at->plan->n_arms, sizeof(*at->arms));
	at->valid = calloc(at->plan->n_runs, sizeof(*at->valid));
	at->boot_runs = json_object();
	if (!at->arms || !at->valid || !at->boot_runs)
		return mkv_oom(err);
	return check_plan(at, &sha256, err);
}

/* SHA256SUMS; a bundle without it isn't finished. */
static int check_sums(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	struct stat st;
	if (fstatat(at->audit.dirfd, "SHA256SUMS.sig", &st,
		    AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT) {
		mkv_bundle_find(at, "SHA256SUMS.sig",
				"missing: the campaign isn't finished");
		return 0;
	}
	at->report->is_finished = true;
	return mkv_audit_sums(&at->audit, unsummed, err);
}

/* Directories of runs/ that the journal doesn't name. */
static int check_directories(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	auto_fd int fd =
		openat(at->audit.dirfd, "runs",
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	auto_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		mkv_bundle_find(at, "runs", "can't be read: %s",
				strerror(errno));
		return 0;
	}
	(void)mkv_take_fd(&fd);
	for (struct dirent *e; (e = readdir(dir));) {
		bool known = strcmp(e->d_name, ".") == 0 ||
			     strcmp(e->d_name, "..") == 0;
		char path[NAME_MAX + 8];
		for (size_t i = 0; !known && i < at->n_events; i++) {
			const struct mkv_bundle_event *event = &at->events[i];
			char name[MKV_PLAN_ID_MAX + 32];
			(void)snprintf(name, sizeof(name),
				       event->is_valid ? "%s" : "%s.attempt-%u",
				       at->plan->runs[event->run].id,
				       event->attempt);
			known = event->files && strcmp(name, e->d_name) == 0;
		}
		(void)snprintf(path, sizeof(path), "runs/%s", e->d_name);
		if (!known)
			mkv_bundle_find(at, path, "isn't in the journal");
	}
	(void)err;
	return 0;
}

static int find_missing(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	struct mkv_bundle_report *report = at->report;
	for (size_t i = 0; i < at->plan->n_runs; i++) {
		if (at->valid[i]) {
			report->valid++;
			continue;
		}
		int rc = mkv_strings_append(&report->missing,
					    strdup(at->plan->runs[i].id), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int audit_runs(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	uint64_t before = mkv_audit_count(at->audit.report);
	struct mkv_progress_step step =
		mkv_progress_begin(at->audit.options->progress, 0,
				   "check %zu attempts", at->n_events);
	for (size_t i = 0; i < at->n_events; i++) {
		if (!at->events[i].is_valid)
			at->report->invalid++;
		if (!at->events[i].files)
			continue;
		int rc = mkv_bundle_audit_run(at, &at->events[i], err);
		if (rc < 0) {
			mkv_audit_end_step(&step, at->audit.report, before, rc);
			return rc;
		}
	}
	mkv_audit_end_step(&step, at->audit.report, before, 0);
	return 0;
}

static int audit_content(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	uint64_t before = mkv_audit_count(at->audit.report);
	struct mkv_progress_step step = mkv_progress_begin(
		at->audit.options->progress, 0, "check digests");
	int rc = check_sums(at, err);
	mkv_audit_end_step(&step, at->audit.report, before, rc);
	if (rc < 0)
		return rc;
	rc = mkv_audit_check_key_file(&at->audit, err);
	if (rc < 0)
		return rc;
	rc = read_plan(at, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_bundle_audit_arms(at, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_audit_journal(at, err);
	if (rc < 0)
		return rc;
	rc = find_missing(at, err);
	if (rc < 0)
		return rc;
	rc = check_directories(at, err);
	if (rc < 0)
		return rc;
	rc = audit_runs(at, err);
	if (rc < 0 || !at->report->is_finished)
		return rc;
	return mkv_bundle_audit_result(at, err);
}

int mkv_bundle_audit(const struct mkv_audit_options *options,
		     struct mkv_bundle_report *ret, struct mkv_error *err)
{
	auto_bundle_report struct mkv_bundle_report report = {0};
	__attribute__((cleanup(audit_done))) struct mkv_bundle_audit at = {
		.audit = {.options = options,
			  .report = &report.audit,
			  .dirfd = -1,
			  .key_path = "key.pub"},
		.report = &report};
	at.audit.dirfd =
		open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at.audit.dirfd < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno, "audit: '%s': %m",
				options->path);
	int rc = mkv_audit_choose_key(&at.audit, err);
	if (rc >= 0)
		rc = audit_content(&at, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "audit");
	if (report.audit.failed)
		return mkv_wrap(err, mkv_oom(err), "audit");
	mkv_audit_sort(&report.audit);
	*ret = report;
	report = (struct mkv_bundle_report){0};
	return 0;
}
