/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/index.h"

#include <string.h>

#include "builder/input/lock/release.h"
#include "builder/input/lock/unpack.h"
#include "builder/input/lock/valid.h"

enum { RELEASE_BYTES_MAX = 8 * 1024 * 1024 };
#define COMPONENT "main"
#define INDEX_PATH COMPONENT "/binary-amd64/Packages"

const char *mkv_archive_of(const char *suite)
{
	const char *dash = strrchr(suite, '-');
	return dash && strcmp(dash, "-security") == 0 ? "debian-security"
						      : "debian";
}

/* The errors of all mirrors, joined for one message. */
struct answers {
	struct mkv_buf text;
	enum mkv_error_kind kind;
	bool all_missing;
};

static int fetch_release(const struct mkv_fetch_options *fetch, size_t mirror,
			 const char *suite, const char *keyring,
			 bool allow_expired, struct mkv_release *ret,
			 struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "dists/%s/InRelease", suite) < 0)
		return mkv_oom(err);
	auto_buf struct mkv_buf file = {0};
	auto_release struct mkv_release release = {0};
	int rc = mkv_fetch_small(fetch, mirror, path, RELEASE_BYTES_MAX, &file,
				 err);
	if (rc < 0)
		return rc;
	rc = mkv_release_verify(&file, keyring, &release, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s/%s",
				fetch->mirrors->items[mirror].uri, path);
	rc = mkv_release_check(&release, suite, allow_expired, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s/%s",
				fetch->mirrors->items[mirror].uri, path);
	*ret = release;
	release = (struct mkv_release){0};
	return 0;
}

static void note_answer(struct answers *answers, const struct mkv_error *err)
{
	if (err->code != ENOENT)
		answers->all_missing = false;
	if (err->kind != MKV_FAILED)
		answers->kind = err->kind;
	mkv_buf_printf(&answers->text, "%s%s", answers->text.size ? "; " : "",
		       err->message);
}

/* Queries the mirrors in order until a release verifies. */
static int find_release(const char *suite, bool may_miss,
			const struct mkv_lock_options *options,
			const struct mkv_fetch_options *fetch,
			struct mkv_mirrors *mirrors,
			struct mkv_progress *progress, struct mkv_release *ret,
			bool *ret_found, struct mkv_error *err)
{
	const char *keyring =
		options->keyring ? options->keyring : MKV_DEBIAN_KEYRING;
	struct answers answers = {.kind = MKV_FAILED, .all_missing = true};
	*ret_found = false;
	for (size_t i = 0; i < mirrors->count; i++) {
		if (!mkv_mirrors_may_hold(mirrors, i, mkv_archive_of(suite)))
			continue;
		int rc = fetch_release(fetch, i, suite, keyring,
				       options->allow_expired, ret, err);
		if (rc >= 0) {
			mkv_buf_done(&answers.text);
			*ret_found = true;
			return 0;
		}
		if (err->kind == MKV_UNVERIFIED) {
			mirrors->items[i].refused = true;
			mkv_progress_note(progress, "skipped mirror: %s",
					  err->message);
		}
		note_answer(&answers, err);
	}
	auto_buf struct mkv_buf text = answers.text;
	if (may_miss && answers.all_missing)
		return 0;
	return mkv_fail(err, answers.kind,
			answers.kind == MKV_UNVERIFIED ? EBADMSG : EIO,
			"no mirror serves a usable release of '%s': %s", suite,
			text.size ? text.data
				  : "no configured mirror holds this suite");
}

/* Unpacks a compressed index of the store into a new object of the store. */
static int unpack_index(struct mkv_store *store,
			const struct mkv_sha256 *compressed, bool is_xz,
			const struct mkv_lock_index *index,
			struct mkv_error *err)
{
	auto_fd int from = -1;
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_sha256 found;
	int rc = mkv_store_get(store, compressed, &from, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_new_open(store, &object, err);
	if (rc < 0)
		return rc;
	rc = (is_xz ? mkv_unpack_xz : mkv_unpack_gz)(
		from, object.fd, index->packages_size_bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_new_commit(&object, NULL, &found, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&found, &index->packages_sha256))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the unpacked index does not match the SHA-256 "
				"of the release");
	return 0;
}

/* Fetches the index as .xz or else as .gz, and unpacks it. */
static int fetch_packages(struct mkv_store *store, const char *suite,
			  const struct mkv_release *release,
			  const struct mkv_fetch_options *fetch,
			  struct mkv_progress *progress,
			  const struct mkv_lock_index *index,
			  struct mkv_error *err)
{
	struct mkv_fetch_item item = {.archive = mkv_archive_of(suite)};
	bool is_xz = mkv_release_find(release, INDEX_PATH ".xz", &item.sha256,
				      &item.size_bytes);
	bool is_gz = !is_xz && mkv_release_find(release, INDEX_PATH ".gz",
						&item.sha256, &item.size_bytes);
	if (!is_xz && !is_gz)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"the release of '%s' lists no " INDEX_PATH
				" as .xz or .gz",
				suite);
	char hex[MKV_SHA256_HEX_SIZE], name[160], by_hash[256], plain[256];
	mkv_sha256_hex(&item.sha256, hex);
	(void)snprintf(name, sizeof(name), "the package index of %s", suite);
	(void)snprintf(by_hash, sizeof(by_hash),
		       "dists/%s/" COMPONENT "/binary-amd64/by-hash/SHA256/%s",
		       suite, hex);
	(void)snprintf(plain, sizeof(plain), "dists/%s/" INDEX_PATH ".%s",
		       suite, is_xz ? "xz" : "gz");
	item.name = name;
	item.path = by_hash;
	item.other_path = plain;
	int rc = mkv_fetch_all(store, &item, 1, fetch, progress, err);
	if (rc < 0)
		return rc;
	rc = unpack_index(store, &item.sha256, is_xz, index, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s, unpacking to store '%s'", name,
				 mkv_store_path(store))
		      : 0;
}

int mkv_index_fetch(struct mkv_store *store, const char *suite, bool may_miss,
		    const struct mkv_lock_options *options,
		    struct mkv_mirrors *mirrors, struct mkv_progress *progress,
		    struct mkv_lock_index *ret, bool *ret_found,
		    struct mkv_error *err)
{
	struct mkv_fetch_options fetch = options->fetch;
	fetch.mirrors = mirrors;
	fetch.offline = false;
	auto_release struct mkv_release release = {0};
	int rc = find_release(suite, may_miss, options, &fetch, mirrors,
			      progress, &release, ret_found, err);
	if (rc < 0 || !*ret_found)
		return rc;
	struct mkv_lock_index index = {
		.release_sha256 = release.sha256,
		.date_s = release.date_s,
	};
	if (!mkv_release_find(&release, INDEX_PATH, &index.packages_sha256,
			      &index.packages_size_bytes) ||
	    index.packages_size_bytes > MKV_LOCK_INDEX_BYTES_MAX)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"the release of '%s' lists no " INDEX_PATH
				" of at most %llu bytes",
				suite,
				(unsigned long long)MKV_LOCK_INDEX_BYTES_MAX);
	*ret_found = index.packages_size_bytes > 0;
	if (!*ret_found)
		return 0;
	auto_fd int fd = -1;
	if (mkv_store_get(store, &index.packages_sha256, &fd, err) < 0) {
		rc = fetch_packages(store, suite, &release, &fetch, progress,
				    &index, err);
		if (rc < 0)
			return rc;
	}
	index.suite = strdup(suite);
	index.component = strdup(COMPONENT);
	if (!index.suite || !index.component) {
		free(index.suite);
		free(index.component);
		return mkv_oom(err);
	}
	*ret = index;
	return 0;
}
