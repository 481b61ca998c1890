/* SPDX-License-Identifier: MIT */
/* The end of a campaign: the last event, the metadata and the signatures. Each
 * file is written anew when a crash interrupted this; SHA256SUMS.sig is the
 * last. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/io.h"

/* What the digests leave out: what is written after them, and what others add
 * to a finished bundle. */
static const char *const not_summed[] = {"SHA256SUMS",	  "SHA256SUMS.sig",
					 "analysis",	  MKV_BUNDLE_INCOMING,
					 MKV_BUNDLE_LOCK, NULL};

static int check_pending(const struct mkv_bundle *bundle, struct mkv_error *err)
{
	const struct mkv_plan *plan = bundle->plan;
	auto_strings struct mkv_strings left = {0};
	for (size_t i = 0; i < plan->n_runs; i++)
		if (bundle->state.runs[i].is_pending)
			return mkv_fail(err, MKV_FAILED, EBUSY,
					"run '%s', attempt %u, was ordered and "
					"is neither here nor lost",
					plan->runs[i].id,
					bundle->state.runs[i].attempts);
	int rc = mkv_bundle_list(bundle->dirfd, MKV_BUNDLE_INCOMING, NULL,
				 &left, err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	if (left.count)
		return mkv_fail(err, MKV_FAILED, ENOTEMPTY,
				"'%s/%s' is of a run that isn't complete",
				MKV_BUNDLE_INCOMING, left.items[0]);
	return 0;
}

/* The ids of planned runs without a valid attempt; NULL: out of memory. */
static json_t *missing_json(const struct mkv_bundle *bundle)
{
	json_t *missing = json_array();
	for (size_t i = 0; missing && i < bundle->plan->n_runs; i++)
		if (!bundle->state.runs[i].valid &&
		    json_array_append_new(
			    missing, json_string(bundle->plan->runs[i].id)) <
			    0) {
			json_decref(missing);
			return NULL;
		}
	return missing;
}

/* The counts that `complete` and the signed result have. */
static json_t *counts_json(const struct mkv_bundle *bundle)
{
	const struct mkv_bundle_state *state = &bundle->state;
	size_t valid = 0, invalid = 0, lost = 0;
	for (size_t i = 0; i < state->n_attempts; i++) {
		valid += state->attempts[i].is_valid;
		invalid += !state->attempts[i].is_valid &&
			   state->attempts[i].has_files;
		lost += !state->attempts[i].has_files;
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "planned",
			 (json_int_t)bundle->plan->n_runs, "valid",
			 (json_int_t)valid, "invalid", (json_int_t)invalid,
			 "lost", (json_int_t)lost, "missing",
			 missing_json(bundle));
}

/* mkv_write_file() would leave a temporary name in the bundle when the process
 * is killed. */
static int write_file(const struct mkv_bundle *bundle, const char *name,
		      const struct mkv_buf *text, struct mkv_error *err)
{
	auto_free char *scratch = NULL, *final = NULL;
	const char *slash = strrchr(name, '/');
	char below[64];
	(void)snprintf(below, sizeof(below), "%s/%s", MKV_BUNDLE_SCRATCH,
		       slash ? slash + 1 : name);
	int rc = mkv_bundle_path(bundle, below, &scratch, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_path(bundle, name, &final, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_file(scratch, 0644, text->data ? text->data : "",
			    text->size, err);
	if (rc < 0)
		return rc;
	if (rename(scratch, final) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				final);
	if (slash)
		*strrchr(final, '/') = '\0';
	auto_fd int fd = slash ? open(final, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			       : fcntl(bundle->dirfd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || fsync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m",
				bundle->path);
	return 0;
}

static int list_files(const struct mkv_bundle *bundle, struct mkv_strings *ret,
		      struct mkv_error *err)
{
	int rc = mkv_bundle_list(bundle->dirfd, ".", not_summed, ret, err);
	if (rc < 0)
		return rc;
	size_t kept = 0;
	for (size_t i = 0; i < ret->count; i++)
		if (strcmp(ret->items[i], MKV_BUNDLE_RESULT) == 0)
			free(ret->items[i]);
		else
			ret->items[kept++] = ret->items[i];
	ret->count = kept;
	return 0;
}

static int write_crate(const struct mkv_bundle *bundle, struct mkv_error *err)
{
	auto_strings struct mkv_strings paths = {0};
	auto_buf struct mkv_buf text = {0};
	int rc = list_files(bundle, &paths, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_crate(bundle, &paths, &text, err);
	return rc < 0 ? rc
		      : write_file(bundle, "ro-crate-metadata.json", &text,
				   err);
}

/* The files of runs must still have the digests of the journal. */
static int compare_journal(const struct mkv_bundle *bundle,
			   const struct mkv_sums *sums, struct mkv_error *err)
{
	const struct mkv_bundle_state *state = &bundle->state;
	for (size_t i = 0; i < state->n_attempts; i++) {
		const struct mkv_bundle_attempt *attempt = &state->attempts[i];
		auto_free char *run = NULL;
		int rc = mkv_bundle_run_path(bundle->plan, attempt, &run, err);
		if (rc < 0)
			return rc;
		for (size_t j = 0; attempt->files && j < attempt->files->count;
		     j++) {
			const struct mkv_sum *file = &attempt->files->items[j];
			auto_free char *path = NULL;
			if (asprintf(&path, "%s/%s", run, file->path) < 0) {
				path = NULL;
				return mkv_oom(err);
			}
			const struct mkv_sum *sum = mkv_sums_find(sums, path);
			if (!sum ||
			    !mkv_sha256_equal(&sum->sha256, &file->sha256))
				return mkv_fail(
					err, MKV_UNVERIFIED, EBADMSG,
					"'%s' was changed since the journal "
					"recorded it",
					path);
		}
	}
	return 0;
}

static int sum_files(const struct mkv_bundle *bundle, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	auto_strings struct mkv_strings paths = {0};
	auto_sums struct mkv_sums *sums = mkv_sums_new();
	if (!sums)
		return mkv_oom(err);
	int rc = list_files(bundle, &paths, err);
	for (size_t i = 0; rc >= 0 && i < paths.count; i++) {
		struct mkv_sha256 sha256;
		auto_fd int fd =
			openat(bundle->dirfd, paths.items[i],
			       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
					paths.items[i]);
		rc = mkv_sha256_fd(fd, &sha256, NULL, err);
		if (rc >= 0)
			rc = mkv_sums_add(sums, paths.items[i], &sha256, err);
	}
	if (rc >= 0)
		rc = mkv_sums_print(sums, ret, err);
	return rc < 0 ? rc : compare_journal(bundle, sums, err);
}

static int write_result(const struct mkv_bundle *bundle,
			const struct mkv_private_key *key,
			const struct mkv_buf *sums, struct mkv_error *err)
{
	auto_buf struct mkv_buf statement = {0}, signed_ = {0};
	auto_free char *directory = NULL;
	struct mkv_sha256 sha256;
	const struct mkv_plan *plan = bundle->plan;
	int rc = mkv_bundle_path(bundle, "attestations", &directory, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(directory, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(sums->data, sums->size, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_statement_print(
		json_pack("[o]", mkv_statement_subject("SHA256SUMS", &sha256)),
		MKV_PREDICATE_RESULT,
		json_pack("{s:i, s:s, s:s, s:b, s:s, s:s, s:o}",
			  "mkvbench_result", 1, "name", plan->name,
			  "plan_sha256", bundle->plan_sha256, "trial",
			  plan->is_trial, "scale", plan->scale, "tool_version",
			  MKV_VERSION, "runs", counts_json(bundle)),
		&statement, err);
	if (rc < 0)
		return rc;
	rc = mkv_dsse_sign(key, statement.data, statement.size, &signed_, err);
	return rc < 0 ? rc
		      : write_file(bundle, MKV_BUNDLE_RESULT, &signed_, err);
}

static int write_signatures(struct mkv_bundle *bundle,
			    const struct mkv_private_key *key,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf sums = {0}, raw = {0};
	uint8_t signature[MKV_SIGNATURE_SIZE];
	int rc = write_crate(bundle, err);
	if (rc < 0)
		return rc;
	rc = sum_files(bundle, &sums, err);
	if (rc < 0)
		return rc;
	rc = write_file(bundle, "SHA256SUMS", &sums, err);
	if (rc < 0)
		return rc;
	rc = write_result(bundle, key, &sums, err);
	if (rc < 0)
		return rc;
	rc = mkv_private_key_sign(key, sums.data, sums.size, signature, err);
	if (rc < 0)
		return rc;
	mkv_buf_add(&raw, signature, sizeof(signature));
	rc = mkv_buf_check(&raw, err);
	return rc < 0 ? rc : write_file(bundle, "SHA256SUMS.sig", &raw, err);
}

static int remake_scratch(const struct mkv_bundle *bundle,
			  struct mkv_error *err)
{
	int rc = mkv_remove_tree(bundle->dirfd, MKV_BUNDLE_SCRATCH, err);
	if (rc < 0)
		return rc;
	if (mkdirat(bundle->dirfd, MKV_BUNDLE_SCRATCH, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				MKV_BUNDLE_SCRATCH);
	return 0;
}

static int finish(struct mkv_bundle *bundle, const struct mkv_private_key *key,
		  int64_t time_ns, struct mkv_error *err)
{
	if (!mkv_public_key_equal(mkv_private_key_public(key), &bundle->key))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the signing key isn't the plan's");
	int rc = check_pending(bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_remove_tree(bundle->dirfd, MKV_BUNDLE_INCOMING, err);
	if (rc < 0)
		return rc;
	rc = remake_scratch(bundle, err);
	if (rc < 0)
		return rc;
	if (!bundle->state.is_complete) {
		rc = mkv_bundle_append(bundle, time_ns, "complete",
				       counts_json(bundle), err);
		if (rc < 0)
			return rc;
	}
	rc = write_signatures(bundle, key, err);
	if (rc < 0)
		return rc;
	bundle->is_finished = true;
	return mkv_remove_tree(bundle->dirfd, MKV_BUNDLE_SCRATCH, err);
}

int mkv_bundle_finish(struct mkv_bundle *bundle,
		      const struct mkv_private_key *key, int64_t time_ns,
		      struct mkv_error *err)
{
	if (bundle->is_finished)
		return 0;
	int rc = finish(bundle, key, time_ns, err);
	return rc < 0 ? mkv_wrap(err, rc, "finish bundle '%s'", bundle->path)
		      : 0;
}
