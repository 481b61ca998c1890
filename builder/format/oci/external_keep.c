/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/format/oci/external_internal.h"
#include "lib/io.h"
#include "lib/sync.h"

/* One process fetches at a time, with the directory of all external images
 * locked. Other processes wait and then use the fetched image. */
static int lock_parent(int fd, const char *parent, struct mkv_error *err)
{
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return mkv_fail(err, MKV_FAILED, errno, "lock '%s': %m",
					parent);
	return 0;
}

/* "DIGEST.SUFFIX": a staging directory. */
static bool is_staging_name(const char *name)
{
	enum { HEX = 64 };
	return strspn(name, "0123456789abcdef") == HEX && name[HEX] == '.';
}

/* Removes staging directories of killed builds. With the parent locked, no
 * staging directory is in use. Errors only leave them in place. */
static void remove_stale_staging(int parent)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		mkv_auto_close_(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct mkv_error ignored;
		if (is_staging_name(entry->d_name))
			(void)!mkv_remove_tree(parent, entry->d_name, &ignored);
	}
}

/* -ENOENT when the image is missing or damaged; the message gives the reason.
 */
static int check_kept(const char *dir, const char *digest,
		      struct mkv_error *err)
{
	struct stat st;
	if (lstat(dir, &st) < 0)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"missing from the store");
	int rc = mkv_oci_external_check(dir, digest, err);
	if (rc == 0 || err->kind != MKV_UNVERIFIED)
		return rc;
	char why[1024];
	(void)snprintf(why, sizeof(why), "%s", err->message);
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"damaged in the store, must be fetched again: %s", why);
}

/* The image replaces a damaged one only when it is complete, checked and
 * synced. */
static int stage_and_place(const char *reference, const char *digest,
			   const char *staging, const char *dir, int parent,
			   struct mkv_error *err)
{
	int rc = mkv_oci_external_fetch(reference, digest, staging, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_check(staging, digest, err);
	if (rc < 0)
		return rc;
	rc = mkv_sync_tree(staging, err);
	if (rc < 0)
		return rc;
	rc = mkv_remove_tree(AT_FDCWD, dir, err);
	if (rc < 0)
		return rc;
	if (rename(staging, dir) < 0 || fsync(parent) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				dir);
	return 0;
}

static int fetch_to_staging(const char *reference, const char *digest,
			    const char *dir, int parent, struct mkv_error *err)
{
	auto_free char *staging = NULL;
	if (asprintf(&staging, "%s.new", dir) < 0)
		return mkv_oom(err);
	int rc = stage_and_place(reference, digest, staging, dir, parent, err);
	struct mkv_error ignored;
	if (rc < 0)
		(void)!mkv_remove_tree(AT_FDCWD, staging, &ignored);
	return rc;
}

static int fetch_locked(const struct mkv_store *store, const char *reference,
			const char *digest, int fd, const char *parent,
			const char *dir, struct mkv_error *err)
{
	int rc = mkv_store_check_writable(store, err);
	if (rc < 0)
		return rc;
	rc = lock_parent(fd, parent, err);
	if (rc < 0)
		return rc;
	remove_stale_staging(fd);
	/* Another build may have fetched the image meanwhile. */
	rc = check_kept(dir, digest, err);
	return rc == -ENOENT ? fetch_to_staging(reference, digest, dir, fd, err)
			     : rc;
}

int mkv_oci_external_keep(struct mkv_store *store, const char *reference,
			  const char *digest, bool offline, char **ret_dir,
			  struct mkv_error *err)
{
	auto_free char *parent = NULL, *dir = NULL;
	struct mkv_sha256 checked;
	if (mkv_oci_external_digest(digest, &checked, err) < 0)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not a SHA-256 digest", digest);
	if (asprintf(&parent, "%s/external", mkv_store_path(store)) < 0)
		return mkv_oom(err);
	if (asprintf(&dir, "%s/%s", parent, digest + 7) < 0)
		return mkv_oom(err);
	auto_fd int fd = -1;
	struct mkv_error ignored;
	bool is_writable = mkv_store_check_writable(store, &ignored) == 0;
	int rc = mkv_store_directory_open(store, "external", &fd, err);
	/* A store for reading may have no such directory: `fd` is not used. */
	if (rc < 0 && (is_writable || rc != -ENOENT))
		return rc;
	rc = check_kept(dir, digest, err);
	if (rc == -ENOENT && offline)
		return mkv_wrap(err, rc,
				"offline: the external OCI image '%s' (%s)",
				reference, digest);
	if (rc == -ENOENT)
		rc = fetch_locked(store, reference, digest, fd, parent, dir,
				  err);
	if (rc < 0)
		return rc;
	*ret_dir = mkv_take(dir);
	return 0;
}
