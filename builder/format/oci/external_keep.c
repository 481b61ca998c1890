/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/format/oci/external_internal.h"
#include "lib/io.h"
#include "lib/sync.h"

/* Who fetches holds the folder of all external images; others wait, and then
 * find what it fetched. */
static int take_parent(int fd, const char *parent, struct mkv_error *err)
{
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return mkv_fail(err, MKV_FAILED, errno, "lock '%s': %m",
					parent);
	return 0;
}

/* "DIGEST.SOMETHING" */
static bool is_left_over(const char *name)
{
	enum { HEX = 64 };
	return strspn(name, "0123456789abcdef") == HEX && name[HEX] == '.';
}

/* What killed builds left. Nobody else is fetching. */
static void sweep(int parent)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		mkv_auto_close_(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct mkv_error ignored;
		if (is_left_over(entry->d_name))
			(void)!mkv_remove_tree(parent, entry->d_name, &ignored);
	}
}

/* -ENOENT when the image isn't there or isn't whole; the message says which. */
static int look(const char *folder, const char *digest, struct mkv_error *err)
{
	struct stat st;
	if (lstat(folder, &st) < 0)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"it isn't in the store");
	int rc = mkv_oci_external_check(folder, digest, err);
	if (rc == 0 || err->kind != MKV_UNVERIFIED)
		return rc;
	char why[1024];
	(void)snprintf(why, sizeof(why), "%s", err->message);
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"it is damaged in the store and must be fetched "
			"again: %s",
			why);
}

/* Beside its place first: only what is whole and on the disk gets the name, and
 * only then does a damaged one go. */
static int fetch_beside(const char *reference, const char *digest,
			const char *folder, int parent, struct mkv_error *err)
{
	auto_free char *fresh = NULL;
	if (asprintf(&fresh, "%s.new", folder) < 0)
		return mkv_oom(err);
	int rc = mkv_oci_external_fetch(reference, digest, fresh, err);
	if (rc == 0)
		rc = mkv_oci_external_check(fresh, digest, err);
	if (rc == 0)
		rc = mkv_sync_tree(fresh, err);
	if (rc == 0)
		rc = mkv_remove_tree(AT_FDCWD, folder, err);
	if (rc == 0 && (rename(fresh, folder) < 0 || fsync(parent) < 0))
		rc = mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
			      folder);
	struct mkv_error ignored;
	if (rc < 0)
		(void)!mkv_remove_tree(AT_FDCWD, fresh, &ignored);
	return rc;
}

static int fetch(const char *reference, const char *digest, int fd,
		 const char *parent, const char *folder, struct mkv_error *err)
{
	int rc = take_parent(fd, parent, err);
	if (rc < 0)
		return rc;
	sweep(fd);
	rc = look(folder, digest, err); /* another build may have been faster */
	return rc == -ENOENT ? fetch_beside(reference, digest, folder, fd, err)
			     : rc;
}

int mkv_oci_external_keep(struct mkv_store *store, const char *reference,
			  const char *digest, bool offline, char **ret_folder,
			  struct mkv_error *err)
{
	auto_free char *parent = NULL, *folder = NULL;
	struct mkv_sha256 checked;
	if (mkv_oci_external_digest(digest, &checked, err) < 0)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not a SHA-256 digest", digest);
	if (asprintf(&parent, "%s/external", mkv_store_path(store)) < 0)
		return mkv_oom(err);
	if (asprintf(&folder, "%s/%s", parent, digest + 7) < 0)
		return mkv_oom(err);
	auto_fd int fd = -1;
	int rc = mkv_store_folder_open(store, "external", &fd, err);
	if (rc == 0 || rc == -ENOENT)
		rc = look(folder, digest, err);
	if (rc == -ENOENT && offline)
		return mkv_wrap(err, rc,
				"offline: the external OCI image '%s' (%s)",
				reference, digest);
	if (rc == -ENOENT)
		rc = fetch(reference, digest, fd, parent, folder, err);
	if (rc == 0)
		*ret_folder = mkv_take(folder);
	return rc;
}
