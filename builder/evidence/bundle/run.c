/* SPDX-License-Identifier: MIT */
/* Runs: from the staging directory of a download to their place. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/io.h"
#include "lib/sync.h"

enum { RUN_JSON_MAX = 8 * 1024 * 1024, NAME_MAX_BYTES = 200 };

static int staging_name(const char *run, unsigned attempt, char **ret,
			struct mkv_error *err)
{
	if (asprintf(ret, "%s/%s.attempt-%u", MKV_BUNDLE_INCOMING, run,
		     attempt) < 0)
		return mkv_oom(err);
	return 0;
}

int mkv_bundle_run_path(const struct mkv_plan *plan,
			const struct mkv_bundle_attempt *attempt, char **ret,
			struct mkv_error *err)
{
	const char *id = plan->runs[attempt->run].id;
	char *path;
	int length = attempt->is_valid ? asprintf(&path, "runs/%s", id)
				       : asprintf(&path, "runs/%s.attempt-%u",
						  id, attempt->attempt);
	if (length < 0)
		return mkv_oom(err);
	*ret = path;
	return 0;
}

static const struct mkv_plan_run *find_planned(const struct mkv_bundle *bundle,
					       const char *run,
					       unsigned attempt,
					       struct mkv_error *err)
{
	const struct mkv_plan_run *planned =
		mkv_plan_find_run(bundle->plan, run);
	if (!planned)
		(void)mkv_fail(err, MKV_FAILED, EINVAL,
			       "'%.100s' isn't a run of the plan", run);
	size_t index = planned ? (size_t)(planned - bundle->plan->runs) : 0;
	for (size_t i = 0; planned && i < bundle->state.n_attempts; i++)
		if (bundle->state.attempts[i].run == index &&
		    bundle->state.attempts[i].attempt == attempt) {
			(void)mkv_fail(err, MKV_FAILED, EEXIST,
				       "run '%s', attempt %u, is in the "
				       "journal already",
				       run, attempt);
			return NULL;
		}
	return planned;
}

/* "NAME.new.PID.N", as mkv_newfile_open() names files. */
static bool is_temporary(const char *path)
{
	const char *at = strrchr(path, '/');
	at = strstr(at ? at : path, ".new.");
	if (!at)
		return false;
	at += strlen(".new.");
	size_t pid = strspn(at, "0123456789");
	const char *rest = at + pid + (at[pid] == '.');
	return pid && at[pid] == '.' && *rest &&
	       strspn(rest, "0123456789") == strlen(rest);
}

/* Removes what a killed download was writing. */
static int remove_temporary(const char *directory, struct mkv_error *err)
{
	auto_strings struct mkv_strings paths = {0};
	int rc = mkv_bundle_list(AT_FDCWD, directory, NULL, &paths, err);
	for (size_t i = 0; rc >= 0 && i < paths.count; i++) {
		auto_free char *path = NULL;
		if (!is_temporary(paths.items[i]))
			continue;
		if (asprintf(&path, "%s/%s", directory, paths.items[i]) < 0) {
			path = NULL;
			return mkv_oom(err);
		}
		rc = mkv_remove_tree(AT_FDCWD, path, err);
	}
	return rc;
}

int mkv_bundle_begin_run(struct mkv_bundle *bundle, const char *run,
			 unsigned attempt, char **ret_path,
			 struct mkv_error *err)
{
	auto_free char *name = NULL, *path = NULL;
	int rc = mkv_bundle_check_open(bundle, err);
	if (rc < 0)
		return rc;
	if (!find_planned(bundle, run, attempt, err))
		return -err->code;
	rc = staging_name(run, attempt, &name, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_path(bundle, name, &path, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(path, err);
	if (rc < 0)
		return rc;
	rc = remove_temporary(path, err);
	if (rc < 0)
		return rc;
	*ret_path = mkv_take(path);
	return 0;
}

/* Whether a name can be that of a run's file. */
static bool is_name_allowed(const char *name)
{
	unsigned depth = 0;
	for (const char *c = name; *c; c++)
		depth += *c == '/';
	return strlen(name) <= NAME_MAX_BYTES && depth <= 8;
}

/* The given files as sorted digests; refuses names that lead elsewhere. */
static int sort_files(const struct mkv_bundle_file *files, size_t count,
		      struct mkv_sums **ret, struct mkv_error *err)
{
	auto_sums struct mkv_sums *sums = mkv_sums_new();
	auto_buf struct mkv_buf unused = {0};
	if (!sums)
		return mkv_oom(err);
	if (count > MKV_BUNDLE_FILES_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, E2BIG,
				"%zu files are more than %d", count,
				MKV_BUNDLE_FILES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!is_name_allowed(files[i].name))
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
					"'%.200s' isn't a valid name of a file",
					files[i].name);
		int rc = mkv_sums_add(sums, files[i].name, &files[i].sha256,
				      err);
		if (rc < 0) {
			err->kind = MKV_UNVERIFIED;
			return rc;
		}
	}
	/* Sorts, and refuses a name that is listed twice. */
	int rc = mkv_sums_print(sums, &unused, err);
	if (rc < 0) {
		err->kind = MKV_UNVERIFIED;
		return rc;
	}
	*ret = mkv_take(sums);
	return 0;
}

static int compare_file(int dirfd, const struct mkv_bundle_file *file,
			struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	struct stat st;
	uint64_t size = 0;
	auto_fd int fd = openat(dirfd, file->name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_UNVERIFIED, errno, "'%s': %m",
				file->name);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"'%s' isn't a regular file", file->name);
	if ((uint64_t)st.st_size != file->size_bytes)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%s' has %ju bytes, expected %ju", file->name,
				(uintmax_t)st.st_size,
				(uintmax_t)file->size_bytes);
	int rc = mkv_sha256_fd(fd, &sha256, &size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", file->name);
	if (size != file->size_bytes ||
	    !mkv_sha256_equal(&sha256, &file->sha256))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%s': its SHA-256 differs", file->name);
	return 0;
}

/* The directory holds exactly these files. */
static int compare_files(int dirfd, const struct mkv_bundle_file *files,
			 size_t count, const struct mkv_sums *sums,
			 struct mkv_error *err)
{
	auto_strings struct mkv_strings paths = {0};
	int rc = mkv_bundle_list(dirfd, ".", NULL, &paths, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < paths.count; i++)
		if (!mkv_sums_find(sums, paths.items[i]))
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"'%s' isn't a file of the run",
					paths.items[i]);
	for (size_t i = 0; i < count; i++) {
		rc = compare_file(dirfd, &files[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What the journal repeats of run.json. */
static int read_run(const struct mkv_bundle *bundle, int dirfd,
		    const struct mkv_plan_run *planned, unsigned attempt,
		    bool *ret_valid, json_t **ret_reasons,
		    struct mkv_error *err)
{
	auto_json json_t *run = NULL;
	struct mkv_json_reader r;
	int rc = mkv_json_load_file(dirfd, "run.json", RUN_JSON_MAX, &run, err);
	if (rc < 0)
		return rc;
	mkv_json_reader_init(&r, err);
	(void)mkv_json_integer(&r, run, "mkvbench_run", 1, 1, true, 0);
	const char *id = mkv_json_string(&r, run, "run", true);
	int64_t number =
		mkv_json_integer(&r, run, "attempt", 1, INT32_MAX, true, 0);
	const char *plan = mkv_json_string(&r, run, "plan_sha256", true);
	const char *contract =
		mkv_json_string(&r, run, "contract_sha256", true);
	(void)mkv_json_member(&r, run, "valid", JSON_TRUE, true);
	int valid = mkv_json_boolean(&r, run, "valid");
	json_t *reasons = mkv_json_member(&r, run, "reasons", JSON_ARRAY, true);
	for (size_t i = 0; i < json_array_size(reasons); i++)
		(void)mkv_json_value_text(&r, json_array_get(reasons, i));
	if (r.rc < 0)
		return mkv_wrap(err, r.rc, "run.json");
	if (strcmp(id, planned->id) != 0 || number != (int64_t)attempt)
		mkv_json_mistake(&r, "run", "is '%.100s', attempt %jd", id,
				 (intmax_t)number);
	if (strcmp(plan, bundle->plan_sha256) != 0)
		mkv_json_mistake(&r, "plan_sha256", "is another plan's");
	if (strcmp(contract, bundle->plan->arms[planned->arm].contract_sha256))
		mkv_json_mistake(&r, "contract_sha256",
				 "is another arm's contract");
	if ((valid == 1) != (json_array_size(reasons) == 0))
		mkv_json_mistake(&r, "reasons", "contradict `valid`");
	if (r.rc < 0)
		return mkv_wrap(err, r.rc, "run.json");
	*ret_valid = valid == 1;
	*ret_reasons = json_incref(reasons);
	return 0;
}

static int journal_attempt(struct mkv_bundle *bundle,
			   const struct mkv_plan_run *planned, unsigned attempt,
			   bool valid, json_t *reasons,
			   const struct mkv_sums *sums, int64_t time_ns,
			   struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	auto_json json_t *files = json_object();
	for (size_t i = 0; i < sums->count; i++) {
		mkv_sha256_hex(&sums->items[i].sha256, hex);
		if (json_object_set_new(files, sums->items[i].path,
					json_string(hex)) < 0)
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
					"'%.200s' isn't UTF-8",
					sums->items[i].path);
	}
	const struct mkv_sum *run = mkv_sums_find(sums, "run.json");
	if (!run)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"the run has no run.json");
	mkv_sha256_hex(&run->sha256, hex);
	return mkv_bundle_append(
		bundle, time_ns, "attempt",
		json_pack("{s:s, s:I, s:b, s:O, s:s, s:O}", "run", planned->id,
			  "attempt", (json_int_t)attempt, "valid", valid,
			  "reasons", reasons, "sha256", hex, "files", files),
		err);
}

/* The journal comes first: once the event is on the disk, opening the bundle
 * completes the rename. */
static int adopt(struct mkv_bundle *bundle, const struct mkv_plan_run *planned,
		 unsigned attempt, const struct mkv_bundle_file *files,
		 size_t count, int64_t time_ns, struct mkv_error *err)
{
	auto_free char *name = NULL, *path = NULL;
	auto_sums struct mkv_sums *sums = NULL;
	auto_json json_t *reasons = NULL;
	bool valid = false;
	int rc = sort_files(files, count, &sums, err);
	if (rc < 0)
		return rc;
	rc = staging_name(planned->id, attempt, &name, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_path(bundle, name, &path, err);
	if (rc < 0)
		return rc;
	auto_fd int fd =
		openat(bundle->dirfd, name,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	rc = compare_files(fd, files, count, sums, err);
	if (rc < 0)
		return rc;
	rc = read_run(bundle, fd, planned, attempt, &valid, &reasons, err);
	if (rc < 0) {
		err->kind = MKV_UNVERIFIED;
		return rc;
	}
	if (valid && bundle->state.runs[planned - bundle->plan->runs].valid)
		return mkv_fail(err, MKV_FAILED, EEXIST,
				"the run has a valid attempt already");
	rc = mkv_sync_tree(path, err);
	if (rc < 0)
		return rc;
	rc = journal_attempt(bundle, planned, attempt, valid, reasons, sums,
			     time_ns, err);
	return rc < 0 ? rc : mkv_bundle_complete_runs(bundle, false, err);
}

int mkv_bundle_adopt_run(struct mkv_bundle *bundle, const char *run,
			 unsigned attempt, const struct mkv_bundle_file *files,
			 size_t count, int64_t time_ns, struct mkv_error *err)
{
	int rc = mkv_bundle_check_open(bundle, err);
	if (rc < 0)
		return rc;
	const struct mkv_plan_run *planned =
		find_planned(bundle, run, attempt, err);
	rc = planned ? adopt(bundle, planned, attempt, files, count, time_ns,
			     err)
		     : -err->code;
	return rc < 0 ? mkv_wrap(err, rc, "run '%s', attempt %u", run, attempt)
		      : 0;
}

int mkv_bundle_lose_run(struct mkv_bundle *bundle, const char *run,
			unsigned attempt, const char *reason, int64_t time_ns,
			struct mkv_error *err)
{
	auto_free char *staging = NULL;
	int rc = mkv_bundle_check_open(bundle, err);
	if (rc < 0)
		return rc;
	if (!find_planned(bundle, run, attempt, err))
		return mkv_wrap(err, -err->code, "run '%s', attempt %u", run,
				attempt);
	rc = staging_name(run, attempt, &staging, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_append(bundle, time_ns, "attempt",
			       json_pack("{s:s, s:I, s:b, s:[s]}", "run", run,
					 "attempt", (json_int_t)attempt,
					 "valid", 0, "reasons", reason),
			       err);
	return rc < 0 ? rc : mkv_remove_tree(bundle->dirfd, staging, err);
}

static bool exists(const struct mkv_bundle *bundle, const char *path)
{
	struct stat st;
	return fstatat(bundle->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The staged run.json must be the one of the journal. */
static int check_staged(const struct mkv_bundle *bundle, const char *staging,
			const struct mkv_bundle_attempt *attempt,
			struct mkv_error *err)
{
	auto_free char *path = NULL;
	struct mkv_sha256 sha256;
	if (asprintf(&path, "%s/run.json", staging) < 0) {
		path = NULL;
		return mkv_oom(err);
	}
	auto_fd int fd = openat(bundle->dirfd, path,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return mkv_fail(err, MKV_UNVERIFIED, errno, "'%s': %m", path);
	int rc = mkv_sha256_fd(fd, &sha256, NULL, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&sha256, &attempt->sha256))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%s' isn't the one of the journal", path);
	return 0;
}

static int sync_directory(const struct mkv_bundle *bundle, const char *path,
			  struct mkv_error *err)
{
	auto_fd int fd =
		openat(bundle->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m", path);
	return 0;
}

/* 1 when the directory was renamed, 0 when it is in its place. */
static int complete_run(struct mkv_bundle *bundle,
			const struct mkv_bundle_attempt *attempt,
			const char *final, struct mkv_error *err)
{
	auto_free char *staging = NULL;
	int rc = staging_name(bundle->plan->runs[attempt->run].id,
			      attempt->attempt, &staging, err);
	if (rc < 0)
		return rc;
	if (!exists(bundle, staging))
		return exists(bundle, final)
			       ? 0
			       : mkv_fail(err, MKV_UNVERIFIED, ENOENT,
					  "'%s' is in the journal and is "
					  "missing",
					  final);
	rc = check_staged(bundle, staging, attempt, err);
	if (rc < 0)
		return rc;
	if (renameat(bundle->dirfd, staging, bundle->dirfd, final) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"rename '%s' to '%s': %m", staging, final);
	rc = sync_directory(bundle, "runs", err);
	if (rc < 0)
		return rc;
	rc = sync_directory(bundle, MKV_BUNDLE_INCOMING, err);
	return rc < 0 ? rc : 1;
}

int mkv_bundle_complete_runs(struct mkv_bundle *bundle, bool is_repair,
			     struct mkv_error *err)
{
	for (size_t i = 0; i < bundle->state.n_attempts; i++) {
		const struct mkv_bundle_attempt *attempt =
			&bundle->state.attempts[i];
		auto_free char *final = NULL;
		char *repair;
		if (!attempt->has_files)
			continue;
		int rc =
			mkv_bundle_run_path(bundle->plan, attempt, &final, err);
		if (rc < 0)
			return rc;
		rc = complete_run(bundle, attempt, final, err);
		if (rc < 0)
			return rc;
		if (rc == 0 || !is_repair)
			continue;
		if (asprintf(&repair, "'%s' was moved to its place", final) < 0)
			return mkv_oom(err);
		rc = mkv_strings_append(&bundle->repairs, repair, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
