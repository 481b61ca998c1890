/* SPDX-License-Identifier: MIT */
#include "builder/evidence/bundle/bundle.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/dsse.h"
#include "lib/io.h"
#include "lib/sync.h"

void mkv_bundle_free(struct mkv_bundle *bundle)
{
	if (!bundle)
		return;
	mkv_journal_free(bundle->journal);
	mkv_bundle_unlock(bundle->dirfd, bundle->lock);
	mkv_auto_close_(&bundle->dirfd);
	mkv_bundle_state_done(&bundle->state);
	mkv_strings_done(&bundle->repairs);
	mkv_plan_free(bundle->plan);
	free(bundle->path);
	free(bundle);
}

const char *const *mkv_bundle_repairs(const struct mkv_bundle *bundle,
				      size_t *ret_count)
{
	*ret_count = bundle->repairs.count;
	return (const char *const *)bundle->repairs.items;
}

struct mkv_journal *mkv_bundle_journal(struct mkv_bundle *bundle)
{
	return bundle->journal;
}

bool mkv_bundle_is_finished(const struct mkv_bundle *bundle)
{
	return bundle->is_finished;
}

int mkv_bundle_path(const struct mkv_bundle *bundle, const char *below,
		    char **ret, struct mkv_error *err)
{
	char *path;
	if (asprintf(&path, "%s/%s", bundle->path, below) < 0)
		return mkv_oom(err);
	*ret = path;
	return 0;
}

int mkv_bundle_check_open(const struct mkv_bundle *bundle,
			  struct mkv_error *err)
{
	if (!bundle->is_finished && !bundle->state.is_complete)
		return 0;
	return mkv_fail(err, MKV_FAILED, EROFS,
			"bundle '%s' is complete: nothing can be added",
			bundle->path);
}

static int verify_plan(const struct mkv_bundle_inputs *inputs,
		       const struct mkv_sha256 *sha256, struct mkv_error *err)
{
	auto_buf struct mkv_buf statement = {0};
	int rc =
		mkv_dsse_verify(inputs->plan_bundle, inputs->plan_bundle_size,
				inputs->key, MKV_DSSE_IN_TOTO, &statement, err);
	if (rc >= 0)
		rc = mkv_statement_subject_check(
			statement.data ? statement.data : "", statement.size,
			MKV_PLAN_TYPE, "plan.json", sha256, err);
	return rc < 0 ? mkv_wrap(err, rc, "plan.sigstore.json") : 0;
}

/* Everything of the struct but the directory and the journal. */
static int make_bundle(const char *path, const struct mkv_bundle_inputs *inputs,
		       struct mkv_bundle **ret, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	char id[MKV_SHA256_HEX_SIZE];
	auto_bundle struct mkv_bundle *bundle = calloc(1, sizeof(*bundle));
	if (!bundle)
		return mkv_oom(err);
	bundle->dirfd = bundle->lock = -1;
	bundle->key = *inputs->key;
	bundle->path = strdup(path);
	if (!bundle->path)
		return mkv_oom(err);
	int rc =
		mkv_sha256_bytes(inputs->plan, inputs->plan_size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, bundle->plan_sha256);
	rc = verify_plan(inputs, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_plan_parse(inputs->plan, inputs->plan_size, &bundle->plan,
			    err);
	if (rc < 0)
		return mkv_wrap(err, rc, "plan.json");
	mkv_sha256_hex(&inputs->key->id, id);
	if (strcmp(id, bundle->plan->key_id) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the plan names the key %.64s, and was signed "
				"by %s",
				bundle->plan->key_id, id);
	rc = mkv_bundle_state_init(&bundle->state, bundle->plan,
				   bundle->plan_sha256, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(bundle);
	return 0;
}

int mkv_bundle_append(struct mkv_bundle *bundle, int64_t time_ns,
		      const char *event, json_t *members, struct mkv_error *err)
{
	auto_json json_t *line = members;
	if (!line)
		return mkv_oom(err);
	int rc = mkv_journal_append(bundle->journal, time_ns, event,
				    json_incref(line), err);
	/* The journal has added its own members. */
	return rc < 0 ? rc : mkv_bundle_state_visit(line, &bundle->state, err);
}

static int open_journal(struct mkv_bundle *bundle, struct mkv_error *err)
{
	auto_free char *torn = NULL;
	char *repair;
	int rc = mkv_journal_open(bundle->dirfd, mkv_bundle_state_visit,
				  &bundle->state, &bundle->journal, &torn, err);
	if (rc < 0 || !torn)
		return rc;
	if (asprintf(&repair,
		     "the last line of %s was incomplete and is now in '%s'",
		     MKV_JOURNAL_NAME, torn) < 0)
		return mkv_oom(err);
	return mkv_strings_append(&bundle->repairs, repair, err);
}

static int write_inputs(const struct mkv_bundle *bundle,
			const struct mkv_bundle_inputs *inputs,
			struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0};
	mkv_public_key_pem(inputs->key, &pem);
	int rc = mkv_buf_check(&pem, err);
	if (rc < 0)
		return rc;
	const struct {
		const char *name, *data;
		size_t size;
	} files[] = {
		{"plan.json", inputs->plan, inputs->plan_size},
		{"plan.sigstore.json", inputs->plan_bundle,
		 inputs->plan_bundle_size},
		{"campaign.yaml", inputs->campaign, inputs->campaign_size},
		{"key.pub", pem.data, pem.size},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_free char *path = NULL;
		rc = mkv_bundle_path(bundle, files[i].name, &path, err);
		if (rc < 0)
			return rc;
		rc = mkv_place_file(path, 0644, files[i].data, files[i].size,
				    err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_directory(struct mkv_bundle *bundle, struct mkv_error *err)
{
	bundle->dirfd = open(bundle->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle->dirfd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				bundle->path);
	return mkv_bundle_lock(bundle->dirfd, bundle->path, &bundle->lock, err);
}

/* Makes and locks the directory; one that a killed process left is removed. */
static int make_directory(struct mkv_bundle *bundle, struct mkv_error *err)
{
	if (mkdir(bundle->path, 0755) == 0)
		return open_directory(bundle, err);
	if (errno != EEXIST)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				bundle->path);
	int rc = open_directory(bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_remove_tree(AT_FDCWD, bundle->path, err);
	if (rc < 0)
		return rc;
	mkv_auto_close_(&bundle->lock);
	mkv_auto_close_(&bundle->dirfd);
	bundle->lock = bundle->dirfd = -1;
	if (mkdir(bundle->path, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				bundle->path);
	return open_directory(bundle, err);
}

static int fill_directory(struct mkv_bundle *bundle,
			  const struct mkv_bundle_inputs *inputs,
			  int64_t time_ns, struct mkv_error *err)
{
	int rc = write_inputs(bundle, inputs, err);
	if (rc < 0)
		return rc;
	if (mkdirat(bundle->dirfd, "runs", 0755) < 0 ||
	    mkdirat(bundle->dirfd, "appliances", 0755) < 0 ||
	    mkdirat(bundle->dirfd, MKV_BUNDLE_INCOMING, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"create a directory in '%s': %m", bundle->path);
	rc = open_journal(bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_append(bundle, time_ns, "plan",
			       json_pack("{s:s, s:s, s:s, s:s}", "plan_sha256",
					 bundle->plan_sha256, "campaign_sha256",
					 bundle->plan->campaign_sha256,
					 "key_id", bundle->plan->key_id,
					 "tool_version", MKV_VERSION),
			       err);
	return rc < 0 ? rc : mkv_sync_tree(bundle->path, err);
}

/* Gives the filled directory its name. */
static int place_directory(struct mkv_bundle *bundle, const char *path,
			   struct mkv_error *err)
{
	auto_free char *parent = strdup(path);
	auto_free char *final = strdup(path);
	if (!parent || !final)
		return mkv_oom(err);
	char *slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	auto_fd int fd =
		open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				parent);
	/* A directory replaces none but an empty one. */
	if (rename(bundle->path, path) < 0)
		return mkv_fail(err, MKV_FAILED,
				errno == ENOTEMPTY ? EEXIST : errno,
				"create '%s': %m", path);
	free(bundle->path);
	bundle->path = mkv_take(final);
	if (fsync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m",
				parent);
	return 0;
}

/* "results/study" -> "results/.study.new" */
static int staging_path(const char *path, char **ret, struct mkv_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%s' isn't the name of a bundle", path);
	if (asprintf(ret, "%.*s.%s.new", (int)(name - path), path, name) < 0)
		return mkv_oom(err);
	return 0;
}

static int create(const char *path, const struct mkv_bundle_inputs *inputs,
		  int64_t time_ns, struct mkv_bundle **ret,
		  struct mkv_error *err)
{
	struct stat st;
	auto_bundle struct mkv_bundle *bundle = NULL;
	auto_free char *staging = NULL;
	if (lstat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return mkv_fail(err, MKV_FAILED, EEXIST, "it exists already");
	int rc = staging_path(path, &staging, err);
	if (rc < 0)
		return rc;
	rc = make_bundle(staging, inputs, &bundle, err);
	if (rc < 0)
		return rc;
	rc = make_directory(bundle, err);
	if (rc < 0)
		return rc;
	rc = fill_directory(bundle, inputs, time_ns, err);
	if (rc >= 0)
		rc = place_directory(bundle, path, err);
	if (rc < 0) {
		struct mkv_error ignored;
		(void)!mkv_remove_tree(AT_FDCWD, staging, &ignored);
		return rc;
	}
	*ret = mkv_take(bundle);
	return 0;
}

int mkv_bundle_create(const char *path, const struct mkv_bundle_inputs *inputs,
		      int64_t time_ns, struct mkv_bundle **ret,
		      struct mkv_error *err)
{
	int rc = create(path, inputs, time_ns, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "create bundle '%s'", path) : 0;
}

static int compare_plan(const struct mkv_bundle *bundle,
			const struct mkv_bundle_inputs *inputs,
			struct mkv_error *err)
{
	auto_buf struct mkv_buf plan = {0};
	int rc = mkv_read_file(bundle->dirfd, "plan.json", MKV_PLAN_LIMIT_BYTES,
			       &plan, err);
	if (rc < 0)
		return rc;
	if (plan.size != inputs->plan_size ||
	    memcmp(plan.data ? plan.data : "", inputs->plan, plan.size) != 0)
		return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
				"it holds the results of another plan: choose "
				"another directory");
	return 0;
}

static bool is_signed(const struct mkv_bundle *bundle)
{
	struct stat st;
	return bundle->state.is_complete &&
	       fstatat(bundle->dirfd, MKV_BUNDLE_RESULT, &st,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(bundle->dirfd, "SHA256SUMS.sig", &st,
		       AT_SYMLINK_NOFOLLOW) == 0;
}

/* Journals `resumed` with the repairs. */
static int journal_resumed(struct mkv_bundle *bundle, int64_t time_ns,
			   struct mkv_error *err)
{
	json_t *repairs = json_array();
	for (size_t i = 0; i < bundle->repairs.count; i++)
		json_array_append_new(repairs,
				      json_string(bundle->repairs.items[i]));
	return mkv_bundle_append(bundle, time_ns, "resumed",
				 json_pack("{s:o, s:s}", "repairs", repairs,
					   "tool_version", MKV_VERSION),
				 err);
}

/* Everything after the lock. */
static int load(struct mkv_bundle *bundle,
		const struct mkv_bundle_inputs *inputs, int64_t time_ns,
		struct mkv_error *err)
{
	int rc = compare_plan(bundle, inputs, err);
	if (rc < 0)
		return rc;
	rc = open_journal(bundle, err);
	if (rc < 0)
		return rc;
	bundle->is_finished = is_signed(bundle);
	rc = mkv_remove_tree(bundle->dirfd, MKV_BUNDLE_SCRATCH, err);
	if (rc < 0)
		return rc;
	if (!bundle->is_finished) {
		rc = mkv_bundle_complete_runs(bundle, true, err);
		if (rc < 0)
			return rc;
	}
	return bundle->state.is_complete
		       ? 0
		       : journal_resumed(bundle, time_ns, err);
}

static int resume(const char *path, const struct mkv_bundle_inputs *inputs,
		  int64_t time_ns, struct mkv_bundle **ret,
		  struct mkv_error *err)
{
	auto_bundle struct mkv_bundle *bundle = NULL;
	int rc = make_bundle(path, inputs, &bundle, err);
	if (rc < 0)
		return rc;
	rc = open_directory(bundle, err);
	if (rc < 0)
		return rc;
	rc = load(bundle, inputs, time_ns, err);
	/* -ENOENT says that there is no bundle, not that a part is missing. */
	if (rc == -ENOENT) {
		err->code = EBADMSG;
		return -EBADMSG;
	}
	if (rc < 0)
		return rc;
	*ret = mkv_take(bundle);
	return 0;
}

int mkv_bundle_open(const char *path, const struct mkv_bundle_inputs *inputs,
		    int64_t time_ns, struct mkv_bundle **ret,
		    struct mkv_error *err)
{
	int rc = resume(path, inputs, time_ns, ret, err);
	/* The message of the lock names the bundle. */
	return rc < 0 && rc != -EBUSY
		       ? mkv_wrap(err, rc, "open bundle '%s'", path)
		       : rc;
}

int mkv_bundle_next_sequence(struct mkv_bundle *bundle, int64_t time_ns,
			     const char *run, unsigned attempt,
			     const char *step, uint64_t *ret,
			     struct mkv_error *err)
{
	uint64_t sequence = bundle->state.sequence + 1;
	int rc = mkv_bundle_check_open(bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_append(bundle, time_ns, "command",
			       json_pack("{s:I, s:s, s:I, s:s}", "sequence",
					 (json_int_t)sequence, "run", run,
					 "attempt", (json_int_t)attempt, "step",
					 step),
			       err);
	if (rc < 0)
		return rc;
	*ret = sequence;
	return 0;
}

int mkv_bundle_add_boot(struct mkv_bundle *bundle, const char *host,
			const char *boot_id, const char *contract_sha256,
			int64_t time_ns, struct mkv_error *err)
{
	auto_free char *word = NULL;
	if (asprintf(&word, "%s %s %s", contract_sha256, host, boot_id) < 0) {
		word = NULL;
		return mkv_oom(err);
	}
	if (mkv_strings_has(&bundle->state.boots, word))
		return 0;
	int rc = mkv_bundle_check_open(bundle, err);
	return rc < 0 ? rc
		      : mkv_bundle_append(bundle, time_ns, "boot",
					  json_pack("{s:s, s:s, s:s}", "host",
						    host, "boot_id", boot_id,
						    "contract",
						    contract_sha256),
					  err);
}

void mkv_bundle_find_run(const struct mkv_bundle *bundle, const char *run,
			 struct mkv_bundle_run *ret)
{
	const struct mkv_plan_run *planned =
		mkv_plan_find_run(bundle->plan, run);
	*ret = planned ? bundle->state.runs[planned - bundle->plan->runs]
		       : (struct mkv_bundle_run){0};
}
