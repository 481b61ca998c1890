/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/results.h"

#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/grow.h"
#include "lib/io.h"
#include "lib/plan.h"
#include "programs/lib/log.h"

enum { RUN_JSON_MAX = 4 * 1024 * 1024, FILES_MAX = 8192 };
static const char discarded[] = "discarded.";

static void free_result(struct mkv_result *result)
{
	for (size_t i = 0; i < result->n_files; i++)
		free(result->files[i].name);
	free(result->files);
	free(result->run);
	*result = (struct mkv_result){.is_discarded = true};
}

void mkv_results_done(struct mkv_results *results)
{
	for (size_t i = 0; i < results->count; i++)
		free_result(&results->items[i]);
	free(results->items);
	free(results->directory);
	*results = (struct mkv_results){0};
}

/* "03-2-kvm.1" */
static int parse_name(const char *name, struct mkv_result *ret,
		      struct mkv_error *err)
{
	const char *dot = strrchr(name, '.');
	char *end = NULL;
	long attempt = dot && dot[1] >= '1' && dot[1] <= '9'
			       ? strtol(dot + 1, &end, 10)
			       : 0;
	if (attempt < 1 || attempt > MKV_PLAN_ATTEMPTS_MAX || *end)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the name is not RUN.ATTEMPT");
	ret->run = strndup(name, (size_t)(dot - name));
	ret->attempt = attempt;
	if (!ret->run)
		return mkv_oom(err);
	return mkv_plan_is_run_id(ret->run)
		       ? 0
		       : mkv_fail(err, MKV_FAILED, EINVAL,
				  "the name is not RUN.ATTEMPT");
}

static int hash_file(const char *path, struct mkv_result_file *file,
		     struct mkv_error *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	return mkv_sha256_fd(fd, &file->sha256, &file->size, err);
}

static int compare_files(const void *a, const void *b)
{
	const struct mkv_result_file *left = a, *right = b;
	return strcmp(left->name, right->name);
}

static int add_file(struct mkv_result *result, const FTSENT *entry,
		    size_t prefix, struct mkv_error *err)
{
	if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
		return 0;
	if (entry->fts_info != FTS_F || result->n_files == FILES_MAX)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a plain file or one too many",
				entry->fts_path);
	struct mkv_result_file *file =
		mkv_grow(&result->files, &result->n_files);
	if (!file)
		return mkv_oom(err);
	file->name = strdup(entry->fts_path + prefix);
	return file->name ? hash_file(entry->fts_path, file, err)
			  : mkv_oom(err);
}

static int list_files(struct mkv_result *result, char *path,
		      struct mkv_error *err)
{
	char *const paths[] = {path, NULL};
	FTS *tree =
		fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	int rc = 0;
	if (!tree)
		return mkv_fail(err, MKV_FAILED, errno, "read '%s': %m", path);
	for (FTSENT *entry; rc == 0 && (entry = fts_read(tree));)
		rc = add_file(result, entry, strlen(path) + 1, err);
	(void)fts_close(tree);
	if (rc == 0 && result->n_files)
		qsort(result->files, result->n_files, sizeof(*result->files),
		      compare_files);
	return rc;
}

static int read_run(struct mkv_result *result, const char *path,
		    struct mkv_error *err)
{
	char file[4096];
	struct mkv_json_reader reader;
	auto_json json_t *document = NULL;
	(void)snprintf(file, sizeof(file), "%s/run.json", path);
	int rc = mkv_json_load_file(AT_FDCWD, file, RUN_JSON_MAX, &document,
				    err);
	if (rc < 0)
		return rc;
	mkv_json_reader_init(&reader, err);
	const char *run = mkv_json_string(&reader, document, "run", true);
	const char *plan =
		mkv_json_string(&reader, document, "plan_sha256", true);
	result->is_valid = mkv_json_boolean(&reader, document, "valid") == 1;
	if (reader.rc == 0 &&
	    (strcmp(run, result->run) != 0 || strlen(plan) != 64))
		mkv_json_mistake(&reader, NULL, "belongs to another run");
	if (reader.rc == 0)
		memcpy(result->plan, plan, MKV_SHA256_HEX_SIZE);
	return reader.rc;
}

static int read_result(const char *directory, const char *name,
		       struct mkv_result *result, struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return mkv_oom(err);
	}
	int rc = parse_name(name, result, err);
	if (rc < 0)
		return rc;
	rc = read_run(result, path, err);
	return rc < 0 ? rc : list_files(result, path, err);
}

int mkv_results_add(struct mkv_results *results, const char *name,
		    struct mkv_error *err)
{
	struct mkv_result result = {0};
	int rc = read_result(results->directory, name, &result, err);
	struct mkv_result *last =
		rc < 0 ? NULL : mkv_grow(&results->items, &results->count);
	if (!last) {
		free_result(&result);
		return rc < 0 ? mkv_wrap(err, rc, "result '%s'", name)
			      : mkv_oom(err);
	}
	*last = result;
	return 0;
}

static int remove_discarded(const struct mkv_results *results, const char *name,
			    struct mkv_error *err)
{
	auto_fd int dirfd =
		open(results->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				results->directory);
	return mkv_remove_tree(dirfd, name, err);
}

int mkv_results_init(struct mkv_results *results, const char *directory,
		     struct mkv_error *err)
{
	struct dirent **entries = NULL;
	*results = (struct mkv_results){.directory = strdup(directory)};
	if (!results->directory)
		return mkv_oom(err);
	int rc = mkv_make_dirs(directory, err);
	if (rc < 0)
		return rc;
	int count = scandir(directory, &entries, NULL, alphasort);
	if (count < 0)
		return mkv_fail(err, MKV_FAILED, errno, "read '%s': %m",
				directory);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		rc = 0;
		if (strncmp(name, discarded, sizeof(discarded) - 1) == 0)
			rc = remove_discarded(results, name, err);
		else if (*name != '.')
			rc = mkv_results_add(results, name, err);
		if (rc < 0)
			mkv_log_error("%s", err->message);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static struct mkv_result *find_result(const struct mkv_results *results,
				      const char *run, int64_t attempt)
{
	for (size_t i = 0; i < results->count; i++) {
		struct mkv_result *result = &results->items[i];
		if (!result->is_discarded && result->attempt == attempt &&
		    strcmp(result->run, run) == 0)
			return result;
	}
	return NULL;
}

const struct mkv_result *mkv_results_find(const struct mkv_results *results,
					  const char *run, int64_t attempt)
{
	return find_result(results, run, attempt);
}

/* Renamed first: a discard that is interrupted leaves no part of a result. */
int mkv_results_discard(struct mkv_results *results, const char *run,
			int64_t attempt, struct mkv_error *err)
{
	char from[256], to[256];
	struct mkv_result *result = find_result(results, run, attempt);
	if (!result)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"there is no result of attempt %lld of run "
				"'%s'",
				(long long)attempt, run);
	auto_fd int dirfd =
		open(results->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				results->directory);
	(void)snprintf(from, sizeof(from), "%s.%lld", run, (long long)attempt);
	(void)snprintf(to, sizeof(to), "%s%s", discarded, from);
	int rc = mkv_remove_tree(dirfd, to, err);
	if (rc < 0)
		return rc;
	if (renameat(dirfd, from, dirfd, to) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename '%s': %m",
				from);
	free_result(result);
	if (fsync(dirfd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "sync '%s': %m",
				results->directory);
	return mkv_remove_tree(dirfd, to, err);
}

int mkv_results_open(const struct mkv_results *results, int64_t index,
		     int64_t file, int *ret_fd, uint64_t *ret_size,
		     struct mkv_error *err)
{
	char path[4096];
	const struct mkv_result *result = NULL;
	if (index >= 0 && (uint64_t)index < results->count)
		result = &results->items[index];
	if (!result || result->is_discarded || file < 0 ||
	    (uint64_t)file >= result->n_files)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"no file %lld of result %lld", (long long)file,
				(long long)index);
	(void)snprintf(path, sizeof(path), "%s/%s.%lld/%s", results->directory,
		       result->run, (long long)result->attempt,
		       result->files[file].name);
	auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	*ret_size = result->files[file].size;
	*ret_fd = *ret_size ? mkv_take_fd(&fd) : -1;
	return 0;
}

static json_t *pack_files(const struct mkv_result *result)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < result->n_files; i++) {
		const struct mkv_result_file *file = &result->files[i];
		char hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&file->sha256, hex);
		(void)json_array_append_new(
			list, json_pack("{sI ss sI ss}", "index", (json_int_t)i,
					"name", file->name, "size",
					(json_int_t)file->size, "sha256", hex));
	}
	return list;
}

json_t *mkv_results_pack(const struct mkv_results *results)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < results->count; i++) {
		const struct mkv_result *result = &results->items[i];
		if (result->is_discarded)
			continue;
		(void)json_array_append_new(
			list,
			json_pack("{sI ss sI sb ss so}", "index", (json_int_t)i,
				  "run", result->run, "attempt",
				  (json_int_t)result->attempt, "valid",
				  result->is_valid, "plan_sha256", result->plan,
				  "files", pack_files(result)));
	}
	return json_pack("{so}", "results", list);
}
