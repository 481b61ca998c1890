/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/collect.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

enum { PATH_MAX_BYTES = 4096 };

/* A file's name in a result: relative, of plain components, no hidden one. */
static bool is_safe_name(const char *name)
{
	size_t size = strlen(name);
	if (size == 0 || size > 200 || name[size - 1] == '/')
		return false;
	for (const char *at = name; *at; at++) {
		bool starts = at == name || at[-1] == '/';
		if (starts && (*at == '.' || *at == '/'))
			return false;
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
			    "YZ0123456789._-/",
			    *at))
			return false;
	}
	return true;
}

static void read_file_row(struct mkv_json_reader *r, const json_t *row,
			  struct mkv_bundle_file *ret)
{
	ret->name = mkv_json_string(r, row, "name", true);
	ret->size_bytes = (uint64_t)mkv_json_integer(r, row, "size", 0,
						     INT64_C(1) << 40, true, 0);
	const char *hex = mkv_json_string(r, row, "sha256", true);
	if (r->rc < 0)
		return;
	if (!is_safe_name(ret->name))
		(void)mkv_json_mistake(r, "name", "not the name of a file");
	if (mkv_sha256_parse(hex, &ret->sha256) < 0)
		(void)mkv_json_mistake(r, "sha256", "not a SHA-256");
}

/* The index of an attempt among the conductor's results, and its files; -1:
 * none. */
static int64_t find_result(struct mkv_json_reader *r, const json_t *document,
			   const char *run, unsigned attempt,
			   const json_t **ret)
{
	const json_t *list =
		mkv_json_member(r, document, "results", JSON_ARRAY, true);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		const char *id = mkv_json_string(r, row, "run", true);
		int64_t number =
			mkv_json_integer(r, row, "attempt", 1, 1000, true, 0);
		if (r->rc < 0)
			return -1;
		if (strcmp(id, run) != 0 || number != attempt)
			continue;
		*ret = row;
		return mkv_json_integer(r, row, "index", 0, 1000000, true, -1);
	}
	return -1;
}

/* Downloads one file, or the rest of it. A file that an earlier download left
 * longer than the conductor lists is fetched anew. */
static int fetch_file(struct mkv_client *client, const char *directory,
		      int64_t result, size_t index,
		      const struct mkv_bundle_file *file, struct mkv_error *err)
{
	char path[PATH_MAX_BYTES], url[128];
	struct stat status;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, file->name);
	(void)snprintf(url, sizeof(url), "/v1/results/%lld/%zu",
		       (long long)result, index);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	int rc = mkv_make_dirs(path, err);
	*slash = '/';
	if (rc < 0)
		return rc;
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fstat(fd, &status) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	uint64_t have = (uint64_t)status.st_size;
	if (have > file->size_bytes)
		have = 0;
	if (ftruncate(fd, (off_t)have) < 0 ||
	    lseek(fd, (off_t)have, SEEK_SET) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	return mkv_client_download(client, url, fd, have, file->size_bytes,
				   err);
}

static int fetch_files(struct mkv_client *client, const char *directory,
		       int64_t result, const struct mkv_bundle_file *files,
		       size_t count, struct mkv_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int rc = fetch_file(client, directory, result, i, &files[i],
				    err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The files of a result; freed by the caller, strings borrowed from `row`. */
static int read_files(struct mkv_json_reader *r, const json_t *row,
		      struct mkv_bundle_file **ret, size_t *ret_count,
		      struct mkv_error *err)
{
	const json_t *list = mkv_json_member(r, row, "files", JSON_ARRAY, true);
	size_t count = json_array_size(list);
	if (r->rc < 0)
		return r->rc;
	if (count == 0 || count > MKV_BUNDLE_FILES_MAX)
		return mkv_json_mistake(r, "files", "%zu files", count);
	auto_free struct mkv_bundle_file *files = calloc(count, sizeof(*files));
	if (!files)
		return mkv_oom(err);
	for (size_t i = 0; i < count; i++)
		read_file_row(r, json_array_get(list, i), &files[i]);
	*ret_count = count;
	if (r->rc == 0)
		*ret = mkv_take(files);
	return r->rc;
}

int mkv_collect_attempt(struct mkv_client *client, struct mkv_bundle *bundle,
			const char *run, unsigned attempt, int64_t time_ns,
			bool *ret_valid, struct mkv_error *err)
{
	unsigned status;
	auto_json json_t *document = NULL;
	int rc = mkv_client_get(client, "/v1/results", &status, &document, err);
	if (rc < 0)
		return rc;
	struct mkv_json_reader r;
	mkv_json_reader_init(&r, err);
	const json_t *row = NULL;
	int64_t index = find_result(&r, document, run, attempt, &row);
	if (r.rc < 0)
		return mkv_wrap(err, r.rc, "the conductor's results");
	if (index < 0)
		return 1;
	auto_free struct mkv_bundle_file *files = NULL;
	auto_free char *directory = NULL;
	size_t count = 0;
	*ret_valid = mkv_json_boolean(&r, row, "valid") == 1;
	rc = read_files(&r, row, &files, &count, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "the conductor's results");
	rc = mkv_bundle_begin_run(bundle, run, attempt, &directory, err);
	if (rc < 0)
		return rc;
	rc = fetch_files(client, directory, index, files, count, err);
	if (rc < 0)
		return rc;
	return mkv_bundle_adopt_run(bundle, run, attempt, files, count, time_ns,
				    err);
}
