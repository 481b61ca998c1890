/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "builder/oci/external.h"
#include "lib/io.h"

static int fetch_beside(const char *reference, const char *digest,
			const char *folder, struct mkv_error *err)
{
	auto_free char *fresh = NULL;
	if (asprintf(&fresh, "%s.%ld", folder, (long)getpid()) < 0)
		return mkv_oom(err);
	int rc = mkv_remove_tree(AT_FDCWD, fresh, err);
	if (rc == 0)
		rc = mkv_oci_external_fetch(reference, digest, fresh, err);
	/* Another build may have been faster with the same content. */
	if (rc == 0 && rename(fresh, folder) < 0 && errno != EEXIST &&
	    errno != ENOTEMPTY)
		rc = mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
			      folder);
	struct mkv_error ignored;
	(void)!mkv_remove_tree(AT_FDCWD, fresh, &ignored);
	return rc;
}

int mkv_oci_external_keep(struct mkv_store *store, const char *reference,
			  const char *digest, bool offline, char **ret_folder,
			  struct mkv_error *err)
{
	auto_free char *parent = NULL, *folder = NULL;
	struct mkv_sha256 checked;
	if (strncmp(digest, "sha256:", 7) != 0 ||
	    mkv_sha256_parse(digest + 7, &checked) < 0)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not a SHA-256 digest", digest);
	if (asprintf(&parent, "%s/external", mkv_store_path(store)) < 0)
		return mkv_oom(err);
	if (asprintf(&folder, "%s/%s", parent, digest + 7) < 0)
		return mkv_oom(err);
	int rc = mkv_make_dirs(parent, err);
	if (rc == 0 && access(folder, F_OK) < 0)
		rc = offline ? mkv_fail(err, MKV_FAILED, ENOENT,
					"offline: the external OCI image '%s' "
					"(%s) isn't in the store",
					reference, digest)
			     : fetch_beside(reference, digest, folder, err);
	if (rc == 0)
		*ret_folder = mkv_take(folder);
	return rc;
}
