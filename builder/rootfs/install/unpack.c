/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/rootfs/install/excluded.h"

static const char conffile_suffix[] = ".dpkg-new";

/* The parent directory of the last entry, kept open: archives list entries
 * directory by directory. */
struct parent {
	char *path;
	int fd;
};

struct unpacking {
	struct mkv_rootfs *rootfs;
	struct mkv_package *package;
	size_t number;
	int stage_fd;
	struct parent parent;
};

static void unpacking_done(struct unpacking *unpacking)
{
	mkv_auto_close_(&unpacking->parent.fd);
	free(unpacking->parent.path);
}

static int fail_conflict(struct mkv_error *err, const char *path,
			 const char *why)
{
	return mkv_fail(err, MKV_FAILED, EEXIST, "'%s': %s", path, why);
}

static int enter_parent(struct unpacking *unpacking, const char *path,
			const char **ret_name, struct mkv_error *err)
{
	struct parent *parent = &unpacking->parent;
	size_t length = (size_t)(strrchr(path, '/') - path);
	if (parent->path && strlen(parent->path) == length &&
	    memcmp(parent->path, path, length) == 0) {
		*ret_name = path + length + 1;
		return 0;
	}
	int fd;
	int rc = mkv_rootfs_open_parent(unpacking->rootfs->root_fd, path, &fd,
					ret_name, err);
	if (rc < 0)
		return rc;
	mkv_auto_close_(&parent->fd);
	free(parent->path);
	parent->fd = fd;
	parent->path = strndup(path, length);
	return parent->path ? 0 : mkv_oom(err);
}

/* True when the Replaces field of `other` names this package. */
static bool replaces_package(const struct mkv_package *other,
			     const struct mkv_package *package)
{
	const char *at = mkv_control_get(&other->control, "Replaces");
	struct mkv_relation relation;
	char separator;
	while (at && mkv_relation_next(&at, &relation, &separator))
		if (mkv_relation_holds(&relation, package->control.package,
				       package->control.version))
			return true;
	return false;
}

/* Decides which package owns a path by Replaces. *ret_mine: this package does.
 * The path is removed from the list of the package that does not own it, as
 * dpkg does. */
static int claim_path(struct unpacking *unpacking, size_t entry,
		      const char *path, bool *ret_mine, struct mkv_error *err)
{
	struct mkv_rootfs *rootfs = unpacking->rootfs;
	size_t length = strlen(path);
	const size_t *owner = mkv_pathmap_get(&rootfs->owners, path, length);
	*ret_mine = true;
	if (owner) {
		size_t number = *owner >> 32;
		struct mkv_package *other = &rootfs->packages[number];
		struct mkv_package_entry *theirs =
			&other->entries[*owner & UINT32_MAX];
		if (replaces_package(unpacking->package, other)) {
			theirs->is_lost = true;
			int rc = mkv_database_write_list(rootfs, number, err);
			if (rc < 0)
				return rc;
		} else if (replaces_package(other, unpacking->package)) {
			unpacking->package->entries[entry].is_lost = true;
			*ret_mine = false;
			return 0;
		} else {
			return mkv_fail(err, MKV_FAILED, EEXIST,
					"'%s' is also in package %s", path,
					other->control.package);
		}
	}
	return mkv_pathmap_set(&rootfs->owners, path, length,
			       mkv_owner(unpacking->number, entry), err);
}

static int set_link_metadata(int parent, const char *name,
			     const struct mkv_package_entry *entry,
			     struct mkv_error *err)
{
	struct timespec times[2] = {{.tv_sec = entry->mtime_s},
				    {.tv_sec = entry->mtime_s}};
	if (fchownat(parent, name, entry->uid, entry->gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    (S_ISDIR(entry->mode) &&
	     fchmodat(parent, name, entry->mode & 07777, 0) < 0) ||
	    utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"set owner, mode and time of '%s': %m",
				entry->path);
	return 0;
}

/* Applies dpkg-statoverride to a file or directory that was just created. */
static int apply_override(const struct unpacking *unpacking, const char *path,
			  const struct mkv_package_entry *entry,
			  struct mkv_error *err)
{
	const struct mkv_override *override =
		mkv_overrides_find(unpacking->rootfs, path);
	if (!override || S_ISLNK(entry->mode))
		return 0;
	const char *name = strrchr(path, '/') + 1;
	char conffile[NAME_MAX + 1];
	if (entry->is_conffile) {
		(void)snprintf(conffile, sizeof(conffile), "%s%s", name,
			       conffile_suffix);
		name = conffile;
	}
	if (fchownat(unpacking->parent.fd, name, override->uid, override->gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(unpacking->parent.fd, name, override->mode, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"apply dpkg-statoverride to '%s': %m", path);
	return 0;
}

/* An existing directory, or a link to one, stays unchanged, as in dpkg. */
static int put_directory(struct unpacking *unpacking,
			 const struct mkv_package_entry *entry,
			 struct mkv_error *err)
{
	const char *name;
	if (strcmp(entry->path, "/") == 0)
		return 0; /* stays 0755, as the sandbox created it */
	int rc = enter_parent(unpacking, entry->path, &name, err);
	if (rc < 0)
		return rc;
	if (mkdirat(unpacking->parent.fd, name, entry->mode & 07777) == 0) {
		rc = set_link_metadata(unpacking->parent.fd, name, entry, err);
		return rc < 0 ? rc
			      : apply_override(unpacking, entry->path, entry,
					       err);
	}
	if (errno != EEXIST)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				entry->path);
	struct stat existing;
	if (fstatat(unpacking->parent.fd, name, &existing,
		    AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(existing.st_mode))
		return 0;
	/* Fails unless the path leads to a directory, through links or not. */
	auto_free char *inside = NULL;
	auto_fd int fd = -1;
	const char *dot;
	if (asprintf(&inside, "%s/x", entry->path) < 0)
		return mkv_oom(err);
	return mkv_rootfs_open_parent(unpacking->rootfs->root_fd, inside, &fd,
				      &dot, err);
}

/* True when the link's path already is the directory that the link points to.
 */
static bool leads_to_same_directory(struct unpacking *unpacking,
				    const struct mkv_package_entry *entry)
{
	auto_free char *here = NULL, *there = NULL;
	const char *slash = strrchr(entry->path, '/'), *name;
	bool absolute = entry->target[0] == '/';
	if (asprintf(&here, "%s/x", entry->path) < 0 ||
	    asprintf(&there, "%.*s/%s/x",
		     absolute ? 0 : (int)(slash - entry->path), entry->path,
		     entry->target) < 0)
		return false;
	struct mkv_error ignored;
	auto_fd int a = -1, b = -1;
	struct stat a_status, b_status;
	return mkv_rootfs_open_parent(unpacking->rootfs->root_fd, here, &a,
				      &name, &ignored) == 0 &&
	       mkv_rootfs_open_parent(unpacking->rootfs->root_fd, there, &b,
				      &name, &ignored) == 0 &&
	       fstat(a, &a_status) == 0 && fstat(b, &b_status) == 0 &&
	       a_status.st_ino == b_status.st_ino &&
	       a_status.st_dev == b_status.st_dev;
}

static int put_symlink(struct unpacking *unpacking,
		       const struct mkv_package_entry *entry, const char *path,
		       struct mkv_error *err)
{
	const char *name;
	int rc = enter_parent(unpacking, path, &name, err);
	if (rc < 0)
		return rc;
	int parent = unpacking->parent.fd;
	struct stat existing;
	if (fstatat(parent, name, &existing, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(existing.st_mode))
			return leads_to_same_directory(unpacking, entry)
				       ? 0
				       : fail_conflict(err, path,
						       "a symbolic link can't "
						       "replace a directory");
		if (unlinkat(parent, name, 0) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"remove '%s': %m", path);
	}
	if (symlinkat(entry->target, parent, name) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "link '%s': %m", path);
	return set_link_metadata(parent, name, entry, err);
}

static int put_file(struct unpacking *unpacking, size_t number,
		    const char *path, struct mkv_error *err)
{
	const struct mkv_package_entry *entry =
		&unpacking->package->entries[number];
	const char *name;
	int rc = enter_parent(unpacking, path, &name, err);
	if (rc < 0)
		return rc;
	char staged[24], conffile[NAME_MAX + 1];
	(void)snprintf(staged, sizeof(staged), "%zu", number);
	if (entry->is_conffile) {
		int used = snprintf(conffile, sizeof(conffile), "%s%s", name,
				    conffile_suffix);
		if (used < 0 || (size_t)used >= sizeof(conffile))
			return fail_conflict(err, path, "the name is too long");
		name = conffile;
	}
	if (renameat(unpacking->stage_fd, staged, unpacking->parent.fd, name) <
	    0)
		return mkv_fail(err, MKV_FAILED, errno,
				"move '%s' into the root: %m", path);
	return 0;
}

const char *mkv_rootfs_place(struct mkv_rootfs *rootfs, size_t package,
			     size_t number, struct mkv_error *err)
{
	struct mkv_package_entry *entry =
		&rootfs->packages[package].entries[number];
	const char *path = mkv_diversions_apply(
		rootfs, entry->path, rootfs->packages[package].control.package);
	if (path == entry->path)
		return path;
	/* A copy: mkv_diversions_read() frees diversions, and the map of owners
	 * keeps the path. */
	if (!entry->diverted || strcmp(entry->diverted, path) != 0) {
		free(entry->diverted);
		entry->diverted = strdup(path);
	}
	if (!entry->diverted)
		(void)mkv_oom(err);
	return entry->diverted;
}

static int put_entry(struct unpacking *unpacking, size_t number,
		     struct mkv_error *err)
{
	struct mkv_rootfs *rootfs = unpacking->rootfs;
	const struct mkv_package_entry *entry =
		&unpacking->package->entries[number];
	mkv_triggers_touch_path(rootfs, entry->path);
	if (rootfs->options->container && mkv_is_excluded(entry->path))
		return 0;
	if (S_ISDIR(entry->mode))
		return put_directory(unpacking, entry, err);
	const char *path =
		mkv_rootfs_place(rootfs, unpacking->number, number, err);
	bool mine;
	if (!path)
		return -ENOMEM;
	int rc = claim_path(unpacking, number, path, &mine, err);
	if (rc < 0 || !mine)
		return rc;
	rc = S_ISLNK(entry->mode) ? put_symlink(unpacking, entry, path, err)
				  : put_file(unpacking, number, path, err);
	return rc < 0 ? rc : apply_override(unpacking, path, entry, err);
}

int mkv_rootfs_unpack(struct mkv_rootfs *rootfs, size_t package, int stage_fd,
		      struct mkv_error *err)
{
	__attribute__((cleanup(unpacking_done))) struct unpacking unpacking = {
		.rootfs = rootfs,
		.package = &rootfs->packages[package],
		.number = package,
		.stage_fd = stage_fd,
		.parent = {.fd = -1},
	};
	for (size_t i = 0; i < unpacking.package->n_entries; i++) {
		int rc = put_entry(&unpacking, i, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "%s",
					unpacking.package->control.package);
	}
	return 0;
}
