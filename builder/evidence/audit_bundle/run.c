/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "builder/evidence/bundle/bundle_internal.h"

void mkv_bundle_file_path(const struct mkv_bundle_run_audit *run,
			  const char *name, char ret[static 512])
{
	(void)snprintf(ret, 512, "%s/%s", run->path, name);
}

bool mkv_bundle_has_file(const struct mkv_bundle_run_audit *run,
			 const char *name)
{
	return json_object_get(run->event->files, name) != NULL;
}

const char *mkv_bundle_boot_of(const struct mkv_bundle_run_audit *run,
			       const char *host)
{
	return json_string_value(json_object_get(run->boots, host));
}

static void find(const struct mkv_bundle_run_audit *run, const char *format,
		 ...) mkv_printf(2, 3);
static void find(const struct mkv_bundle_run_audit *run, const char *format,
		 ...)
{
	char why[512], path[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	mkv_bundle_file_path(run, "run.json", path);
	mkv_bundle_find(run->at, path, "%s", why);
}

/* A file has the journal's digest. SHA256SUMS was compared with the files
 * already, so its digest stands for the file's. */
static int check_digest(struct mkv_bundle_run_audit *run, const char *path,
			const struct mkv_sha256 *promised,
			struct mkv_error *err)
{
	struct mkv_bundle_audit *at = run->at;
	struct mkv_sha256 got;
	const struct mkv_sum *sum =
		at->audit.sums ? mkv_sums_find(at->audit.sums, path) : NULL;
	if (sum) {
		got = sum->sha256;
	} else {
		auto_fd int fd = -1;
		int rc = mkv_audit_open(&at->audit, path, &fd);
		if (rc < 0) {
			mkv_bundle_find(at, path, "%s",
					rc == -EINVAL	? "isn't a regular file"
					: rc == -ENOENT ? "missing"
							: strerror(-rc));
			return 0;
		}
		rc = mkv_sha256_fd(fd, &got, NULL, err);
		if (rc < 0)
			return rc;
	}
	if (!mkv_sha256_equal(&got, promised))
		mkv_bundle_find(at, path,
				"its SHA-256 isn't the one of the journal");
	return 0;
}

static int check_digests(struct mkv_bundle_run_audit *run,
			 struct mkv_error *err)
{
	const char *name;
	json_t *value;
	json_object_foreach(run->event->files, name, value)
	{
		char path[512];
		struct mkv_sha256 sha256;
		const char *hex = json_string_value(value);
		mkv_bundle_file_path(run, name, path);
		if (strlen(name) > 256 || !hex ||
		    mkv_sha256_parse(hex, &sha256) < 0) {
			mkv_bundle_find(run->at, MKV_JOURNAL_NAME,
					"names '%.100s', which isn't a file "
					"with a SHA-256",
					name);
			continue;
		}
		int rc = check_digest(run, path, &sha256, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Files that the journal doesn't name. 1 when the directory holds a link or a
 * special file: nothing of it is opened then. */
static int check_extra(struct mkv_bundle_run_audit *run, struct mkv_error *err)
{
	auto_strings struct mkv_strings paths = {0};
	int rc = mkv_bundle_list(run->at->audit.dirfd, run->path, NULL, &paths,
				 err);
	if (rc < 0) {
		rc = mkv_bundle_find_error(run->at, run->path, rc, err);
		return rc < 0 ? rc : 1;
	}
	for (size_t i = 0; i < paths.count; i++)
		if (!mkv_bundle_has_file(run, paths.items[i])) {
			char path[512];
			mkv_bundle_file_path(run, paths.items[i], path);
			mkv_bundle_find(run->at, path, "isn't in the journal");
		}
	return 0;
}

static void compare_text(const struct mkv_bundle_run_audit *run,
			 const char *key, const char *wanted)
{
	const char *text =
		json_string_value(json_object_get(run->document, key));
	if (!text || strcmp(text, wanted) != 0)
		find(run, "%s: is '%.100s', expected '%.100s'", key,
		     text ? text : "", wanted);
}

static void compare_number(const struct mkv_bundle_run_audit *run,
			   const char *key, json_int_t wanted)
{
	const json_t *value = json_object_get(run->document, key);
	if (!json_is_integer(value) || json_integer_value(value) != wanted)
		find(run, "%s: is %jd, expected %jd", key,
		     (intmax_t)json_integer_value(value), (intmax_t)wanted);
}

static void check_identity(const struct mkv_bundle_run_audit *run)
{
	const struct mkv_bundle_event *event = run->event;
	const json_t *valid = json_object_get(run->document, "valid");
	compare_number(run, "mkvbench_run", 1);
	compare_text(run, "run", run->planned->id);
	compare_number(run, "attempt", event->attempt);
	compare_text(run, "arm", run->arm->name);
	compare_number(run, "block", run->planned->block);
	compare_number(run, "slot", run->planned->slot);
	compare_text(run, "plan_sha256", run->at->plan_sha256);
	compare_text(run, "contract_sha256", run->arm->contract_sha256);
	if (!json_is_boolean(valid) || json_is_true(valid) != event->is_valid ||
	    !json_equal(json_object_get(run->document, "reasons"),
			event->reasons))
		find(run, "valid, reasons: differ from the journal's");
}

/* In a plan of one boot per run, no other run may name the boot. */
static int check_shared(struct mkv_bundle_run_audit *run, const char *host,
			const char *boot, struct mkv_error *err)
{
	struct mkv_bundle_audit *at = run->at;
	const json_t *other = json_object_get(at->boot_runs, boot);
	size_t index = (size_t)json_integer_value(other);
	if (!other)
		return json_object_set_new(
			       at->boot_runs, boot,
			       json_integer((json_int_t)run->event->run)) < 0
			       ? mkv_oom(err)
			       : 0;
	if (at->plan->boots_each_run && index != run->event->run)
		find(run, "boots: host '%.64s' has the boot of run '%s'", host,
		     at->plan->runs[index].id);
	return 0;
}

static int check_boot(struct mkv_bundle_run_audit *run, const char *host,
		      const char *boot, struct mkv_error *err)
{
	auto_free char *word = NULL;
	if (run->contract && !mkv_contract_find_host(run->contract, host))
		find(run, "boots: '%.64s' isn't a host of the contract", host);
	if (asprintf(&word, "%s %s %s", run->arm->contract_sha256, host, boot) <
	    0) {
		word = NULL;
		return mkv_oom(err);
	}
	if (!mkv_strings_has(&run->at->boots, word))
		find(run,
		     "boots: the journal has no boot '%.64s' of host '%.64s' "
		     "with this contract",
		     boot, host);
	return check_shared(run, host, boot, err);
}

static int check_boots(struct mkv_bundle_run_audit *run, struct mkv_error *err)
{
	const json_t *boots = json_object_get(run->document, "boots");
	const char *host;
	json_t *boot;
	if (!json_is_object(boots) || json_object_size(boots) == 0 ||
	    json_object_size(boots) > 1000) {
		find(run, "boots: missing");
		return 0;
	}
	run->boots = boots;
	json_object_foreach((json_t *)boots, host, boot)
	{
		const char *text = json_string_value(boot);
		int rc = 0;
		if (!text)
			find(run, "boots: '%.64s' has no text", host);
		else
			rc = check_boot(run, host, text, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; run->contract && i < run->contract->n_hosts; i++) {
		const struct mkv_contract_host *one = &run->contract->hosts[i];
		/* A hypervisor host takes no part where this machine runs the
		 * guests itself. */
		if (one->address && one->guests.count == 0 &&
		    !json_object_get(boots, one->name))
			find(run, "boots: host '%.64s' is missing", one->name);
	}
	return 0;
}

/* Phases begin and end in order, by the collector's clock. A stepped clock is a
 * reason for which a run is invalid. */
static void check_phases(const struct mkv_bundle_run_audit *run)
{
	const json_t *phases = json_object_get(run->document, "phases");
	json_int_t last = 0;
	bool is_measured = false;
	for (size_t i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);
		const char *name =
			json_string_value(json_object_get(phase, "name"));
		json_int_t start =
			json_integer_value(json_object_get(phase, "start_ns"));
		json_int_t end =
			json_integer_value(json_object_get(phase, "end_ns"));
		if (!name || start < last || end < start)
			find(run, "phases: '%.40s' isn't after the one before",
			     name ? name : "");
		is_measured =
			is_measured || (name && strcmp(name, "measured") == 0);
		last = end;
	}
	if (!is_measured)
		find(run, "phases: 'measured' is missing");
}

static int check_summary(struct mkv_bundle_run_audit *run,
			 struct mkv_error *err)
{
	auto_json json_t *summary = NULL;
	char path[512];
	mkv_bundle_file_path(run, "load-summary.json", path);
	if (!mkv_bundle_has_file(run, "load-summary.json")) {
		if (run->event->is_valid)
			mkv_bundle_find(run->at, path, "missing");
		return 0;
	}
	int rc = mkv_bundle_read_json(run->at, path, MKV_BUNDLE_JSON_MAX,
				      &summary, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (!json_equal(summary, json_object_get(run->document, "load")))
		mkv_bundle_find(run->at, path,
				"differs from `load` of run.json");
	return 0;
}

static int audit_document(struct mkv_bundle_run_audit *run,
			  struct mkv_error *err)
{
	check_identity(run);
	int rc = check_boots(run, err);
	if (rc < 0)
		return rc;
	rc = check_summary(run, err);
	if (rc < 0)
		return rc;
	const json_t *spans = json_object_get(run->document, "spans");
	json_int_t received =
		json_integer_value(json_object_get(spans, "received"));
	run->received = received > 0 ? (uint64_t)received : 0;
	if (run->event->is_valid) {
		check_phases(run);
		mkv_bundle_audit_verdict(run);
	}
	return 0;
}

static int audit_parts(struct mkv_bundle_run_audit *run, struct mkv_error *err)
{
	int rc = mkv_bundle_audit_traces(run, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_audit_load(run, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_audit_metrics(run, err);
	return rc < 0 ? rc : mkv_bundle_audit_receipts(run, err);
}

int mkv_bundle_audit_run(struct mkv_bundle_audit *at,
			 const struct mkv_bundle_event *event,
			 struct mkv_error *err)
{
	const struct mkv_plan_run *planned = &at->plan->runs[event->run];
	const struct mkv_manifest *manifest = at->arms[planned->arm].manifest;
	auto_json json_t *document = NULL;
	char path[512];
	struct mkv_bundle_run_audit run = {
		.at = at,
		.event = event,
		.planned = planned,
		.arm = &at->plan->arms[planned->arm],
		.contract = manifest ? manifest->contract : NULL,
	};
	(void)snprintf(run.path, sizeof(run.path),
		       event->is_valid ? "runs/%s" : "runs/%s.attempt-%u",
		       planned->id, event->attempt);
	int rc = check_digests(&run, err);
	if (rc < 0)
		return rc;
	rc = check_extra(&run, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	mkv_bundle_file_path(&run, "run.json", path);
	rc = mkv_bundle_read_json(at, path, MKV_BUNDLE_JSON_MAX, &document,
				  err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	run.document = document;
	rc = audit_document(&run, err);
	if (rc >= 0)
		rc = audit_parts(&run, err);
	mkv_idset_done(&run.traces);
	return rc;
}
