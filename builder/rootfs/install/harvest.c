/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/core/tree/pack.h"
#include "builder/rootfs/install/normalise.h"
#include "lib/grow.h"
#include "lib/io.h"
#include "lib/strings.h"

/* Packages set file capabilities only. Other attributes, such as security
 * labels and ACLs of journals, come from the host. */
static const char *const kept_xattrs[] = {"security.capability"};

/* An inode with several names whose first name is in the tree. */
struct linked {
	ino_t number;
	struct mkv_inode *inode; /* borrowed from the tree */
};

struct harvest {
	int64_t epoch_s;
	dev_t device; /* of the root; another device is a mount */
	struct mkv_known_times known;
	struct mkv_tree *tree;
	struct mkv_pack_writer *writer;
	struct mkv_buf path; /* of the current entry */
	struct linked *linked;
	size_t n_linked;
};

static int rewrite_content(struct harvest *harvest, int fd,
			   const struct mkv_normalise_rule *rule,
			   struct mkv_content **ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf from = {0};
	auto_buf struct mkv_buf to = {0};
	int rc = mkv_read_fd(fd, 16 << 20, &from, err);
	if (rc < 0)
		return rc;
	rc = rule->rewrite(&from, harvest->epoch_s, &to, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_bytes(to.data, to.size);
	return *ret ? 0 : mkv_oom(err);
}

static int read_xattrs(int fd, struct mkv_inode *inode, struct mkv_error *err)
{
	for (size_t i = 0; i < sizeof(kept_xattrs) / sizeof(*kept_xattrs);
	     i++) {
		uint8_t value[256];
		ssize_t size =
			fgetxattr(fd, kept_xattrs[i], value, sizeof(value));
		if (size < 0 && (errno == ENODATA || errno == ENOTSUP))
			continue;
		if (size < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"read attribute '%s': %m",
					kept_xattrs[i]);
		int rc = mkv_inode_set_xattr(inode, kept_xattrs[i], value,
					     (size_t)size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_file(struct harvest *harvest, int directory, const char *name,
		     const struct stat *status,
		     const struct mkv_normalise_rule *rule,
		     struct mkv_inode *inode, struct mkv_error *err)
{
	if (rule && rule->action == MKV_EMPTY) {
		inode->content = mkv_content_bytes(NULL, 0);
		return inode->content ? 0 : mkv_oom(err);
	}
	auto_fd int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open: %m");
	int rc = rule && rule->action == MKV_REWRITE
			 ? rewrite_content(harvest, fd, rule, &inode->content,
					   err)
			 : mkv_pack_add(harvest->writer, fd,
					(uint64_t)status->st_size,
					&inode->content, err);
	return rc < 0 ? rc : read_xattrs(fd, inode, err);
}

static int read_link(int directory, const char *name, struct mkv_inode *inode,
		     struct mkv_error *err)
{
	char target[4096];
	ssize_t length =
		readlinkat(directory, name, target, sizeof(target) - 1);
	if (length < 0)
		return mkv_fail(err, MKV_FAILED, errno, "read link: %m");
	target[length] = '\0';
	inode->target = strdup(target);
	return inode->target ? 0 : mkv_oom(err);
}

static struct mkv_inode *find_linked(const struct harvest *harvest,
				     ino_t number)
{
	for (size_t i = 0; i < harvest->n_linked; i++)
		if (harvest->linked[i].number == number)
			return harvest->linked[i].inode;
	return NULL;
}

static int remember_linked(struct harvest *harvest, ino_t number,
			   struct mkv_inode *inode, struct mkv_error *err)
{
	struct linked *linked = mkv_grow(&harvest->linked, &harvest->n_linked);
	if (!linked)
		return mkv_oom(err);
	*linked = (struct linked){number, inode};
	return 0;
}

static int add_entry(struct harvest *harvest, int directory, const char *name,
		     const struct stat *status,
		     const struct mkv_normalise_rule *rule,
		     struct mkv_error *err)
{
	bool has_links = !S_ISDIR(status->st_mode) && status->st_nlink > 1;
	struct mkv_inode *first =
		has_links ? find_linked(harvest, status->st_ino) : NULL;
	if (first)
		return mkv_tree_put(harvest->tree, harvest->path.data, first,
				    err);
	auto_inode struct mkv_inode *inode = mkv_inode_new(
		status->st_mode, status->st_uid, status->st_gid,
		mkv_known_times_clamp(&harvest->known, status->st_mtime,
				      harvest->epoch_s));
	if (!inode)
		return mkv_oom(err);
	int rc = 0;
	if (S_ISREG(status->st_mode))
		rc = read_file(harvest, directory, name, status, rule, inode,
			       err);
	else if (S_ISLNK(status->st_mode))
		rc = read_link(directory, name, inode, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", harvest->path.data);
	inode->major = major(status->st_rdev);
	inode->minor = minor(status->st_rdev);
	rc = mkv_tree_put(harvest->tree, harvest->path.data, inode, err);
	if (rc < 0)
		return rc;
	return has_links ? remember_linked(harvest, status->st_ino, inode, err)
			 : 0;
}

static int read_directory(struct harvest *harvest, int directory,
			  struct mkv_error *err);

/* -errno of the last call, with the path of the current entry. */
static int fail_entry(const struct harvest *harvest, const char *action,
		      struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, errno, "%s '%s': %m", action,
			harvest->path.data);
}

static int read_entry(struct harvest *harvest, int directory, const char *name,
		      struct mkv_error *err)
{
	struct stat status;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_entry(harvest, "stat", err);
	if (status.st_dev != harvest->device)
		return mkv_fail(err, MKV_FAILED, EXDEV,
				"'%s' is on another file system",
				harvest->path.data);
	const struct mkv_normalise_rule *rule =
		mkv_normalise_find(harvest->path.data);
	bool is_directory = S_ISDIR(status.st_mode);
	if (rule && is_directory && rule->action != MKV_REMOVE)
		rule = NULL;
	bool is_removed = rule && (rule->action == MKV_REMOVE ||
				   rule->action == MKV_REMOVE_FILES);
	if (is_removed || S_ISSOCK(status.st_mode))
		return 0;
	int rc = add_entry(harvest, directory, name, &status, rule, err);
	if (rc < 0 || !is_directory)
		return rc;
	auto_fd int fd =
		openat(directory, name,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_entry(harvest, "open", err);
	return read_directory(harvest, fd, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_directory(const struct harvest *harvest, int directory,
			  struct mkv_strings *ret, struct mkv_error *err)
{
	auto_fd int own =
		openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = own < 0 ? NULL : fdopendir(own);
	if (!dir)
		return fail_entry(harvest, "list", err);
	own = -1; /* closed with `dir` */
	struct dirent *entry;
	while ((errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		int rc = mkv_strings_append(ret, strdup(entry->d_name), err);
		if (rc < 0)
			return rc;
	}
	if (errno)
		return fail_entry(harvest, "list", err);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items),
		      compare_names);
	return 0;
}

static int read_directory(struct harvest *harvest, int directory,
			  struct mkv_error *err)
{
	auto_strings struct mkv_strings names = {0};
	size_t length = harvest->path.size;
	int rc = list_directory(harvest, directory, &names, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < names.count; i++) {
		if (length > 1)
			mkv_buf_char(&harvest->path, '/');
		mkv_buf_str(&harvest->path, names.items[i]);
		rc = mkv_buf_check(&harvest->path, err);
		if (rc < 0)
			return rc;
		rc = read_entry(harvest, directory, names.items[i], err);
		if (rc < 0)
			return rc;
		harvest->path.size = length;
		harvest->path.data[length] = '\0';
	}
	return 0;
}

static int collect_package_times(const struct mkv_package *package,
				 bool with_entries,
				 struct mkv_known_times *known,
				 struct mkv_error *err)
{
	size_t n_entries = with_entries ? package->n_entries : 0;
	for (size_t i = 0; i < n_entries; i++) {
		int rc = mkv_known_times_add(known, package->entries[i].mtime_s,
					     err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < package->n_files; i++) {
		const struct mkv_control_file *file = &package->files[i];
		int rc = file->is_made ? 0
				       : mkv_known_times_add(
						 known, file->mtime_s, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int collect_times(const struct mkv_rootfs *rootfs,
			 struct mkv_known_times *known, struct mkv_error *err)
{
	for (size_t i = 0; i < rootfs->base_times.count; i++) {
		int rc = mkv_known_times_add(known, rootfs->base_times.times[i],
					     err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < rootfs->count; i++) {
		/* Entries of the base's packages have no times. */
		int rc = collect_package_times(&rootfs->packages[i],
					       i >= rootfs->options->n_base,
					       known, err);
		if (rc < 0)
			return rc;
	}
	mkv_known_times_finish(known);
	return 0;
}

static int read_root(struct mkv_rootfs *rootfs, struct harvest *harvest,
		     int pack_fd, struct mkv_error *err)
{
	struct stat status;
	if (fstat(rootfs->root_fd, &status) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat '/': %m");
	harvest->device = status.st_dev;
	mkv_buf_char(&harvest->path, '/');
	int rc = collect_times(rootfs, &harvest->known, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_new(harvest->epoch_s, &harvest->tree, err);
	if (rc < 0)
		return rc;
	rc = mkv_pack_writer_new(pack_fd, &harvest->writer, err);
	if (rc < 0)
		return rc;
	rc = read_directory(harvest, rootfs->root_fd, err);
	return rc < 0 ? rc
		      : mkv_pack_finish(harvest->writer, harvest->tree, err);
}

int mkv_rootfs_harvest(struct mkv_rootfs *rootfs, int pack_fd,
		       struct mkv_error *err)
{
	struct harvest harvest = {.epoch_s = rootfs->options->epoch_s};
	int rc = read_root(rootfs, &harvest, pack_fd, err);
	mkv_pack_writer_free(harvest.writer);
	mkv_tree_free(harvest.tree);
	mkv_known_times_done(&harvest.known);
	mkv_buf_done(&harvest.path);
	free(harvest.linked);
	return rc;
}
