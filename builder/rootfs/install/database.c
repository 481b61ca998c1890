/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

#define ADMIN "/var/lib/dpkg"

static int make_directories(int root_fd, struct mkv_error *err)
{
	static const char *const names[] = {"updates", "alternatives", "parts"};
	auto_fd int admin = openat(root_fd, "var/lib/dpkg",
				   O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (admin < 0 || mkdirat(admin, names[i], 0755) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"create '" ADMIN "/%s': %m", names[i]);
	return 0;
}

int mkv_database_init(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ADMIN "/info/format", "1\n"}, {ADMIN "/status", ""},
		{ADMIN "/diversions", ""},     {ADMIN "/statoverride", ""},
		{ADMIN "/triggers/File", ""},  {ADMIN "/triggers/Unincorp", ""},
		{ADMIN "/triggers/Lock", ""},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int rc = mkv_rootfs_write(rootfs->root_fd, files[i].path, 0644,
					  files[i].text, strlen(files[i].text),
					  err);
		if (rc < 0)
			return rc;
	}
	return make_directories(rootfs->root_fd, err);
}

static bool is_multi_arch_same(const struct mkv_package *package)
{
	const char *value = mkv_control_get(&package->control, "Multi-Arch");
	return value && strcmp(value, "same") == 0;
}

void mkv_database_info_name(const struct mkv_package *package,
			    char ret[static MKV_INFO_NAME_SIZE])
{
	bool same = is_multi_arch_same(package);
	(void)snprintf(ret, MKV_INFO_NAME_SIZE, "%s%s%s",
		       package->control.package, same ? ":" : "",
		       same ? package->control.architecture : "");
}

enum { INFO_PATH_SIZE = 512 };

static void info_path(const struct mkv_package *package, const char *kind,
		      char ret[static INFO_PATH_SIZE])
{
	char name[MKV_INFO_NAME_SIZE];
	mkv_database_info_name(package, name);
	(void)snprintf(ret, INFO_PATH_SIZE, ADMIN "/info/%s.%s", name, kind);
}

int mkv_database_write_list(struct mkv_rootfs *rootfs, size_t number,
			    struct mkv_error *err)
{
	const struct mkv_package *package = &rootfs->packages[number];
	auto_buf struct mkv_buf list = {0};
	for (size_t i = 0; i < package->n_entries; i++) {
		const struct mkv_package_entry *entry = &package->entries[i];
		if (entry->is_lost)
			continue;
		mkv_buf_str(&list, entry->path);
		mkv_buf_str(&list, entry->path[1] ? "\n" : ".\n");
	}
	int rc = mkv_buf_check(&list, err);
	char path[INFO_PATH_SIZE];
	info_path(package, "list", path);
	return rc < 0 ? rc
		      : mkv_rootfs_write(rootfs->root_fd, path, 0644, list.data,
					 list.size, err);
}

/* Sets a package's entries to the paths of its list. */
static int load_list(struct mkv_package *package, const struct mkv_buf *list,
		     struct mkv_error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < list->size; i++)
		count += list->data[i] == '\n';
	package->entries = calloc(count + 1, sizeof(*package->entries));
	if (!package->entries)
		return mkv_oom(err);
	for (const char *at = list->data; at && *at;) {
		size_t length = strcspn(at, "\n");
		bool is_root = length == 2 && memcmp(at, "/.", 2) == 0;
		if (at[0] != '/' || at[length] != '\n')
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"malformed list of files");
		struct mkv_package_entry *entry =
			&package->entries[package->n_entries++];
		entry->path = strndup(at, is_root ? 1 : length);
		if (!entry->path)
			return mkv_oom(err);
		at += length + 1;
	}
	return 0;
}

/* Records the owners of paths. As in unpack.c, directories have no owner. */
static int claim_paths(struct mkv_rootfs *rootfs, size_t number,
		       struct mkv_error *err)
{
	struct mkv_package *package = &rootfs->packages[number];
	for (size_t i = 0; i < package->n_entries; i++) {
		const char *path = mkv_rootfs_place(rootfs, number, i, err);
		struct stat existing;
		if (!path)
			return -ENOMEM;
		if (!path[1] ||
		    fstatat(rootfs->root_fd, path + 1, &existing,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISDIR(existing.st_mode))
			continue;
		int rc = mkv_pathmap_set(&rootfs->owners, path, strlen(path),
					 mkv_owner(number, i), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int load_package(struct mkv_rootfs *rootfs, size_t number,
			struct mkv_error *err)
{
	struct mkv_package *package = &rootfs->packages[number];
	auto_buf struct mkv_buf list = {0};
	char path[INFO_PATH_SIZE];
	info_path(package, "list", path);
	int rc = mkv_read_file(rootfs->root_fd, path + 1, 64 << 20, &list, err);
	if (rc < 0)
		return rc;
	rc = load_list(package, &list, err);
	if (rc < 0)
		return rc;
	rc = claim_paths(rootfs, number, err);
	return rc < 0 ? rc : mkv_triggers_read(rootfs, number, err);
}

int mkv_database_load(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	int rc = mkv_diversions_read(rootfs, err);
	if (rc < 0)
		return rc;
	rc = mkv_overrides_read(rootfs, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < rootfs->options->n_base; i++) {
		rc = load_package(rootfs, i, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "base: package %s",
					rootfs->packages[i].control.package);
	}
	return 0;
}

int mkv_database_add(struct mkv_rootfs *rootfs, size_t number,
		     struct mkv_error *err)
{
	const struct mkv_package *package = &rootfs->packages[number];
	int rc = mkv_database_write_list(rootfs, number, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < package->n_files; i++) {
		char path[INFO_PATH_SIZE];
		info_path(package, package->files[i].name, path);
		rc = mkv_rootfs_write_control(rootfs->root_fd, path,
					      &package->files[i], err);
		if (rc < 0)
			return rc;
	}
	return mkv_triggers_read(rootfs, number, err);
}
