/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/io.h"
#include "programs/campaign/conductor/ask.h"
#include "programs/campaign/conductor/gather.h"
#include "programs/lib/free_space.h"

enum {
	LIST_MS = 30000,
	SILENCE_S = 60,
	FILES_MAX = 512,
	NAME_LIMIT = 200,
	TRIES = 3,
};
#define FILE_SIZE_MAX (INT64_C(8) << 30)

/* "before/receipt.json": names of letters, digits and . _ -, not beginning with
 * a dot, between single slashes. */
static bool is_plain_path(const char *name)
{
	bool at_start = true;
	size_t length = strlen(name);
	if (length == 0 || length > NAME_LIMIT || name[length - 1] == '/')
		return false;
	for (; *name; name++) {
		bool is_letter = (*name >= 'a' && *name <= 'z') ||
				 (*name >= 'A' && *name <= 'Z') ||
				 (*name >= '0' && *name <= '9') ||
				 *name == '_' || *name == '-';
		if (!is_letter && (at_start || (*name != '.' && *name != '/')))
			return false;
		at_start = *name == '/';
	}
	return true;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

char *mkv_gather_place(const char *host, const char *name,
		       struct mkv_error *err)
{
	char *place = NULL;
	int length;
	if (!is_plain_path(name)) {
		(void)mkv_fail(err, MKV_FAILED, EBADMSG,
			       "its agent lists a file named '%.80s'", name);
		return NULL;
	}
	if (strcmp(name, "load/load.csv") == 0)
		length = asprintf(&place, "load.csv");
	else if (strcmp(name, "load/summary.json") == 0)
		length = asprintf(&place, "load-summary.json");
	else if (has_prefix(name, "before/") || has_prefix(name, "after/"))
		length = asprintf(&place, "receipts/%s/%s", host, name);
	else
		length = asprintf(&place, "logs/%s/%s", host, name);
	if (length < 0) {
		(void)mkv_oom(err);
		return NULL;
	}
	return place;
}

struct download {
	const struct mkv_self *self;
	struct mkv_newfile file;
	struct mkv_hasher *hasher;
	int64_t size, limit;
};

static int take_bytes(void *context, const void *data, size_t size,
		      struct mkv_error *err)
{
	struct download *download = context;
	if ((int64_t)size > download->limit - download->size)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"it is larger than its agent lists");
	int rc = mkv_free_space_check(download->file.fd, size,
				      (uint64_t)download->self->spare_bytes,
				      err);
	if (rc < 0)
		return rc;
	download->size += (int64_t)size;
	mkv_hasher_add(download->hasher, data, size);
	return mkv_write_all(download->file.fd, data, size, err);
}

static int check_download(struct download *download, const char *sha256,
			  struct mkv_error *err)
{
	struct mkv_sha256 sum;
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_hasher_finish(download->hasher, &sum, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sum, hex);
	if (download->size != download->limit || strcmp(hex, sha256) != 0)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"it is not what its agent lists");
	return 0;
}

static int download_once(const struct mkv_self *self, const char *url,
			 const char *path, int64_t size, const char *sha256,
			 struct mkv_error *err)
{
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	if (!hasher)
		return mkv_oom(err);
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	int rc = mkv_newfile_open(path, 0644, &file, err);
	if (rc < 0)
		return rc;
	struct download download = {self, file, hasher, 0, size};
	const struct mkv_fetch fetch = {
		.url = url,
		.silence_s = SILENCE_S,
		.take = take_bytes,
		.context = &download,
	};
	rc = mkv_fetch(&fetch, err);
	if (rc < 0)
		return rc;
	rc = check_download(&download, sha256, err);
	return rc < 0 ? rc : mkv_newfile_commit(&file, err);
}

static int make_parent(const char *path, struct mkv_error *err)
{
	auto_free char *parent =
		strndup(path, (size_t)(strrchr(path, '/') - path));
	return parent ? mkv_make_dirs(parent, err) : mkv_oom(err);
}

static int download_file(const struct mkv_self *self, const char *host,
			 const char *url, size_t index, const json_t *entry,
			 const char *directory, struct mkv_error *err)
{
	char file_url[128], path[4096];
	const char *name = json_string_value(json_object_get(entry, "name"));
	const char *sha256 =
		json_string_value(json_object_get(entry, "sha256"));
	const json_t *size = json_object_get(entry, "size");
	if (!name || !sha256 || !json_is_integer(size) ||
	    json_integer_value(size) < 0 ||
	    json_integer_value(size) > FILE_SIZE_MAX)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"its agent's list of files is malformed");
	auto_free char *place = mkv_gather_place(host, name, err);
	if (!place)
		return -err->code;
	(void)snprintf(file_url, sizeof(file_url), "%s/v1/files/%zu", url,
		       index);
	(void)snprintf(path, sizeof(path), "%s/%s", directory, place);
	int rc = make_parent(path, err);
	if (rc < 0)
		return rc;
	rc = -EIO;
	for (int i = 0; rc < 0 && rc != -ENOSPC && i < TRIES; i++)
		rc = download_once(self, file_url, path,
				   json_integer_value(size), sha256, err);
	return rc < 0 ? mkv_wrap(err, rc, "file '%s'", name) : 0;
}

static int list_files(const char *url, json_t **ret, struct mkv_error *err)
{
	char list_url[128];
	(void)snprintf(list_url, sizeof(list_url), "%s/v1/files", url);
	int rc = mkv_ask_json(list_url, LIST_MS, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "its agent does not list files") : 0;
}

int mkv_gather_files(const struct mkv_self *self, const char *host,
		     const char *url, const char *directory,
		     struct mkv_error *err)
{
	auto_json json_t *document = NULL;
	int rc = list_files(url, &document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", host);
	const json_t *files = json_object_get(document, "files");
	if (!json_is_array(files) || json_array_size(files) > FILES_MAX)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"'%s': its agent's list of files is malformed",
				host);
	for (size_t i = 0; i < json_array_size(files); i++) {
		rc = download_file(self, host, url, i, json_array_get(files, i),
				   directory, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s'", host);
	}
	return 0;
}
