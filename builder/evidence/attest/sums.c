/* SPDX-License-Identifier: MIT */
#include "builder/evidence/attest/sums.h"

#include <limits.h>
#include <string.h>

enum { SUMS_MAX = 1000000 };

struct mkv_sums *mkv_sums_new(void)
{
	return calloc(1, sizeof(struct mkv_sums));
}

void mkv_sums_free(struct mkv_sums *sums)
{
	if (!sums)
		return;
	for (size_t i = 0; i < sums->count; i++)
		free(sums->items[i].path);
	free(sums->items);
	free(sums);
}

static bool is_path_allowed(const char *path)
{
	size_t length = strlen(path);
	if (length == 0 || length >= PATH_MAX)
		return false;
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '\\')
			return false;
	for (const char *at = path;; at++) {
		size_t part = strcspn(at, "/");
		if (part == 0 || (part == 1 && at[0] == '.') ||
		    (part == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += part;
		if (*at == '\0')
			return true;
	}
}

int mkv_sums_add(struct mkv_sums *sums, const char *path,
		 const struct mkv_sha256 *sha256, struct mkv_error *err)
{
	if (!is_path_allowed(path))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%.200s' isn't a valid path for SHA256SUMS",
				path);
	if (sums->count == SUMS_MAX)
		return mkv_fail(err, MKV_FAILED, E2BIG,
				"more than %d files in SHA256SUMS", SUMS_MAX);
	if (sums->count == sums->capacity) {
		size_t capacity = sums->capacity ? 2 * sums->capacity : 32;
		struct mkv_sum *items =
			reallocarray(sums->items, capacity, sizeof(*items));
		if (!items)
			return mkv_oom(err);
		sums->items = items;
		sums->capacity = capacity;
	}
	char *copy = strdup(path);
	if (!copy)
		return mkv_oom(err);
	sums->items[sums->count++] = (struct mkv_sum){copy, *sha256};
	return 0;
}

static int compare_sums(const void *a, const void *b)
{
	return strcmp(((const struct mkv_sum *)a)->path,
		      ((const struct mkv_sum *)b)->path);
}

int mkv_sums_print(struct mkv_sums *sums, struct mkv_buf *ret,
		   struct mkv_error *err)
{
	if (sums->count)
		qsort(sums->items, sums->count, sizeof(*sums->items),
		      compare_sums);
	for (size_t i = 0; i < sums->count; i++) {
		char hex[MKV_SHA256_HEX_SIZE];
		if (i &&
		    compare_sums(&sums->items[i - 1], &sums->items[i]) == 0)
			return mkv_fail(err, MKV_FAILED, EEXIST,
					"'%s' appears twice in SHA256SUMS",
					sums->items[i].path);
		mkv_sha256_hex(&sums->items[i].sha256, hex);
		mkv_buf_printf(ret, "%s  %s\n", hex, sums->items[i].path);
	}
	return mkv_buf_check(ret, err);
}

/* Parses a line without its newline, and writes NULs into it. */
static int parse_line(char *line, struct mkv_sums *sums, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	char *path = line + 2 * MKV_SHA256_SIZE + 2;
	if (strlen(line) < 2 * MKV_SHA256_SIZE + 2 || path[-1] != ' ' ||
	    path[-2] != ' ')
		return -EBADMSG;
	path[-2] = '\0';
	if (mkv_sha256_parse(line, &sha256) < 0)
		return -EBADMSG;
	int rc = mkv_sums_add(sums, path, &sha256, err);
	return rc == -EINVAL || rc == -E2BIG ? -EBADMSG : rc;
}

int mkv_sums_parse(const char *text, size_t size, struct mkv_sums **ret,
		   struct mkv_error *err)
{
	auto_sums struct mkv_sums *sums = mkv_sums_new();
	if (!sums)
		return mkv_oom(err);
	const char *end = size ? text + size : text;
	unsigned number = 1;
	for (const char *at = text; at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		auto_free char *line =
			stop ? strndup(at, (size_t)(stop - at)) : NULL;
		if (stop && !line)
			return mkv_oom(err);
		int rc = stop && strlen(line) == (size_t)(stop - at)
				 ? parse_line(line, sums, err)
				 : -EBADMSG;
		size_t n = sums->count;
		if (rc >= 0 && n > 1 &&
		    compare_sums(&sums->items[n - 2], &sums->items[n - 1]) >= 0)
			rc = -EBADMSG;
		if (rc == -EBADMSG)
			return mkv_fail(
				err, MKV_UNVERIFIED, EBADMSG,
				"line %u: expected 'DIGEST  PATH', sorted by "
				"path",
				number);
		if (rc < 0)
			return rc;
		at = stop + 1;
	}
	*ret = mkv_take(sums);
	return 0;
}

const struct mkv_sum *mkv_sums_find(const struct mkv_sums *sums,
				    const char *path)
{
	const struct mkv_sum key = {.path = (char *)(uintptr_t)path};
	return sums->count ? bsearch(&key, sums->items, sums->count,
				     sizeof(*sums->items), compare_sums)
			   : NULL;
}
