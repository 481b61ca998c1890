/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/package/stage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "builder/rootfs/package/pathmap.h"
#include "builder/rootfs/package/untar.h"
#include "lib/grow.h"
#include "lib/hash.h"
#include "lib/io.h"

enum {
	CONTROL_BYTES_MAX = 64 << 20, /* symbols and templates may be large */
	CONTROL_FILES_MAX = 64,
	ENTRIES_MAX = 1 << 20,
};

/* Reads an entry's data into a NUL-terminated array, through an anonymous file.
 */
static int read_entry(struct mkv_untar *tar, uint64_t size, char **ret,
		      struct mkv_error *err)
{
	auto_fd int fd = memfd_create("control", MFD_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "memfd: %m");
	auto_free char *data = malloc((size_t)size + 1);
	if (!data)
		return mkv_oom(err);
	int rc = mkv_untar_extract(tar, fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_pread_all(fd, data, (size_t)size, 0, err);
	if (rc < 0)
		return rc;
	data[size] = '\0';
	*ret = mkv_take(data);
	return 0;
}

/* False for names that dpkg's database reserves and for names with characters
 * that could lead out of it. */
static bool is_control_name(const char *name)
{
	return *name && strcmp(name, "list") != 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") ==
		       strlen(name);
}

static int add_control_file(struct mkv_package *package, struct mkv_untar *tar,
			    const struct mkv_untar_entry *entry,
			    struct mkv_error *err)
{
	const char *name = entry->path + 1;
	if (!S_ISREG(entry->mode) || !is_control_name(name))
		return mkv_untar_refuse(err, entry->path, "not a control file");
	if (package->n_files == CONTROL_FILES_MAX)
		return mkv_untar_refuse(err, entry->path,
					"more than 64 control files");
	if (mkv_package_file(package, name))
		return mkv_untar_refuse(err, entry->path,
					"duplicate control file");
	struct mkv_control_file *file =
		mkv_grow(&package->files, &package->n_files);
	if (!file)
		return mkv_oom(err);
	file->permissions = entry->mode & 0755; /* dpkg's umask is 022 */
	file->mtime_s = entry->mtime_s;
	file->size = (size_t)entry->size;
	file->name = strdup(name);
	if (!file->name)
		return mkv_oom(err);
	return read_entry(tar, entry->size, &file->data, err);
}

static int compare_files(const void *a, const void *b)
{
	const struct mkv_control_file *left = a, *right = b;
	return strcmp(left->name, right->name);
}

static int read_control(struct mkv_package *package, struct mkv_untar *tar,
			const struct mkv_untar_entry *entry,
			struct mkv_error *err)
{
	if (package->control.package)
		return mkv_untar_refuse(err, entry->path, "duplicate");
	if (!S_ISREG(entry->mode))
		return mkv_untar_refuse(err, entry->path, "not a regular file");
	auto_free char *text = NULL;
	int rc = read_entry(tar, entry->size, &text, err);
	return rc < 0 ? rc
		      : mkv_control_parse(text, (size_t)entry->size,
					  &package->control, err);
}

static int read_control_archive(struct mkv_package *package, int deb_fd,
				struct mkv_error *err)
{
	struct mkv_untar_limits limits = {CONTROL_BYTES_MAX,
					  CONTROL_FILES_MAX + 2};
	auto_untar struct mkv_untar *tar = NULL;
	int rc = mkv_untar_open(deb_fd, package->deb.control.offset,
				package->deb.control.size, &limits, &tar, err);
	if (rc < 0)
		return rc;
	struct mkv_untar_entry entry;
	while ((rc = mkv_untar_next(tar, &entry, err)) > 0) {
		if (strcmp(entry.path, "/") == 0)
			continue;
		rc = strcmp(entry.path, "/control") == 0
			     ? read_control(package, tar, &entry, err)
			     : add_control_file(package, tar, &entry, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	if (!package->control.package)
		return mkv_untar_refuse(err, "control.tar",
					"the file 'control' is missing");
	if (package->n_files)
		qsort(package->files, package->n_files, sizeof(*package->files),
		      compare_files);
	return 0;
}

/* One line of conffiles, deb-conffiles(5): an optional flag, an absolute path.
 */
static int add_conffile(struct mkv_package *package, const char *line,
			size_t length, struct mkv_error *err)
{
	static const char flag[] = "remove-on-upgrade ";
	bool removes = length > sizeof(flag) - 1 &&
		       memcmp(line, flag, sizeof(flag) - 1) == 0;
	if (removes) {
		line += sizeof(flag) - 1;
		length -= sizeof(flag) - 1;
	}
	while (length > 0 && strchr(" \t\r", line[length - 1]))
		length--;
	if (length == 0)
		return 0;
	if (line[0] != '/' || length > 4095 || memchr(line, ' ', length))
		return mkv_untar_refuse(err, "conffiles",
					"a line that is not an absolute path");
	char **paths = reallocarray(package->conffiles,
				    package->n_conffiles + 1, sizeof(*paths));
	if (!paths)
		return mkv_oom(err);
	package->conffiles = paths;
	bool *flags = reallocarray(package->conffile_removes,
				   package->n_conffiles + 1, sizeof(*flags));
	if (!flags)
		return mkv_oom(err);
	package->conffile_removes = flags;
	paths[package->n_conffiles] = strndup(line, length);
	if (!paths[package->n_conffiles])
		return mkv_oom(err);
	flags[package->n_conffiles++] = removes;
	return 0;
}

static int read_conffiles(struct mkv_package *package, struct mkv_error *err)
{
	const struct mkv_control_file *file =
		mkv_package_file(package, "conffiles");
	const char *at = file ? file->data : "";
	while (*at) {
		size_t length = strcspn(at, "\n");
		int rc = add_conffile(package, at, length, err);
		if (rc < 0)
			return rc;
		at += length + (at[length] == '\n');
	}
	return 0;
}

int mkv_package_read(int deb_fd, struct mkv_package *ret, struct mkv_error *err)
{
	__attribute__((
		cleanup(mkv_package_done))) struct mkv_package package = {0};
	int rc = mkv_deb_read(deb_fd, &package.deb, err);
	if (rc < 0)
		return rc;
	rc = read_control_archive(&package, deb_fd, err);
	if (rc < 0)
		return rc;
	rc = read_conffiles(&package, err);
	if (rc < 0)
		return rc;
	*ret = package;
	package = (struct mkv_package){0};
	return 0;
}

void mkv_package_done(struct mkv_package *package)
{
	mkv_control_done(&package->control);
	for (size_t i = 0; i < package->n_files; i++) {
		free(package->files[i].name);
		free(package->files[i].data);
	}
	free(package->files);
	for (size_t i = 0; i < package->n_entries; i++) {
		free(package->entries[i].path);
		free(package->entries[i].target);
		free(package->entries[i].diverted);
	}
	free(package->entries);
	for (size_t i = 0; i < package->n_conffiles; i++)
		free(package->conffiles[i]);
	free(package->conffiles);
	free(package->conffile_removes);
	*package = (struct mkv_package){0};
}

const struct mkv_control_file *
mkv_package_file(const struct mkv_package *package, const char *name)
{
	for (size_t i = 0; i < package->n_files; i++)
		if (strcmp(package->files[i].name, name) == 0)
			return &package->files[i];
	return NULL;
}

struct staging {
	struct mkv_package *package;
	struct mkv_untar *tar;
	struct mkv_pathmap seen, conffiles;
	int stage_fd;
	bool set_owners;
};

static void staging_done(struct staging *staging)
{
	mkv_pathmap_done(&staging->seen);
	mkv_pathmap_done(&staging->conffiles);
}

/* Mode after owner: chown(2) clears set-user-ID bits. */
static int set_metadata(int fd, const struct mkv_package_entry *entry,
			bool set_owners, struct mkv_error *err)
{
	struct timespec times[2] = {{.tv_sec = entry->mtime_s},
				    {.tv_sec = entry->mtime_s}};
	if ((set_owners && (entry->uid || entry->gid) &&
	     fchown(fd, entry->uid, entry->gid) < 0) ||
	    fchmod(fd, entry->mode & 07777) < 0 || futimens(fd, times) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"set owner, mode and time of '%s': %m",
				entry->path);
	return 0;
}

static int stage_file(struct staging *staging, size_t number,
		      struct mkv_error *err)
{
	const struct mkv_package_entry *entry =
		&staging->package->entries[number];
	char name[24];
	(void)snprintf(name, sizeof(name), "%zu", number);
	auto_fd int fd = openat(staging->stage_fd, name,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stage '%s': %m",
				entry->path);
	int rc = mkv_untar_extract(staging->tar, fd, err);
	return rc < 0 ? rc : set_metadata(fd, entry, staging->set_owners, err);
}

static int stage_hardlink(struct staging *staging, size_t number,
			  const char *target, struct mkv_error *err)
{
	struct mkv_package_entry *entry = &staging->package->entries[number];
	const size_t *first =
		mkv_pathmap_get(&staging->seen, target, strlen(target));
	if (!first || !S_ISREG(staging->package->entries[*first].mode))
		return mkv_untar_refuse(err, entry->path,
					"hard link to a path that is not an "
					"earlier regular file of the package");
	*entry = (struct mkv_package_entry){
		.path = entry->path,
		.mode = staging->package->entries[*first].mode,
		.uid = staging->package->entries[*first].uid,
		.gid = staging->package->entries[*first].gid,
		.mtime_s = staging->package->entries[*first].mtime_s,
		.is_hardlink = true,
		.is_conffile = entry->is_conffile,
	};
	char from[24], to[24];
	(void)snprintf(from, sizeof(from), "%zu", *first);
	(void)snprintf(to, sizeof(to), "%zu", number);
	if (linkat(staging->stage_fd, from, staging->stage_fd, to, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stage '%s': %m",
				entry->path);
	return 0;
}

/* Every parent that is an entry of this package must be a directory. */
static int check_parents(const struct staging *staging, const char *path,
			 struct mkv_error *err)
{
	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		const size_t *above = mkv_pathmap_get(&staging->seen, path, i);
		if (above && !S_ISDIR(staging->package->entries[*above].mode))
			return mkv_untar_refuse(
				err, path,
				"a parent in the package is not a "
				"directory");
	}
	return 0;
}

static int append_entry(struct staging *staging,
			const struct mkv_untar_entry *from,
			struct mkv_error *err)
{
	struct mkv_package *package = staging->package;
	struct mkv_package_entry *entry =
		mkv_grow(&package->entries, &package->n_entries);
	if (!entry)
		return mkv_oom(err);
	*entry = (struct mkv_package_entry){
		.path = strdup(from->path),
		.mode = from->mode,
		.uid = from->uid,
		.gid = from->gid,
		.mtime_s = from->mtime_s,
		.is_conffile = mkv_pathmap_get(&staging->conffiles, from->path,
					       strlen(from->path)) != NULL,
	};
	if (S_ISLNK(from->mode))
		entry->target = strdup(from->target);
	if (!entry->path || (S_ISLNK(from->mode) && !entry->target))
		return mkv_oom(err);
	return mkv_pathmap_set(&staging->seen, entry->path, strlen(entry->path),
			       package->n_entries - 1, err);
}

static int stage_entry(struct staging *staging,
		       const struct mkv_untar_entry *from,
		       struct mkv_error *err)
{
	size_t length = strlen(from->path),
	       number = staging->package->n_entries;
	const size_t *existing =
		mkv_pathmap_get(&staging->seen, from->path, length);
	if (existing && S_ISDIR(from->mode) &&
	    S_ISDIR(staging->package->entries[*existing].mode))
		return 0;
	if (existing)
		return mkv_untar_refuse(err, from->path,
					"duplicate path in the package");
	int rc = check_parents(staging, from->path, err);
	if (rc < 0)
		return rc;
	rc = append_entry(staging, from, err);
	if (rc < 0)
		return rc;
	staging->package->data_bytes += from->size;
	if ((from->mode & S_IFMT) == 0)
		return stage_hardlink(staging, number, from->target, err);
	return S_ISREG(from->mode) ? stage_file(staging, number, err) : 0;
}

static int stage_all(struct staging *staging, struct mkv_error *err)
{
	struct mkv_package *package = staging->package;
	for (size_t i = 0; i < package->n_conffiles; i++) {
		const char *path = package->conffiles[i];
		int rc = mkv_pathmap_set(&staging->conffiles, path,
					 strlen(path), i, err);
		if (rc < 0)
			return rc;
	}
	struct mkv_untar_entry entry;
	int rc;
	while ((rc = mkv_untar_next(staging->tar, &entry, err)) > 0) {
		rc = stage_entry(staging, &entry, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int add_md5sum(const struct staging *staging, size_t number,
		      struct mkv_buf *to, struct mkv_error *err)
{
	const struct mkv_package_entry *entry =
		&staging->package->entries[number];
	char name[24], hex[33];
	if (!S_ISREG(entry->mode))
		return 0;
	(void)snprintf(name, sizeof(name), "%zu", number);
	auto_fd int fd = openat(staging->stage_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"open the staged '%s': %m", entry->path);
	int rc = mkv_md5_fd(fd, hex, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(to, "%s  %s\n", hex, entry->path + 1);
	return 0;
}

static int make_md5sums(const struct staging *staging, struct mkv_error *err)
{
	struct mkv_package *package = staging->package;
	if (mkv_package_file(package, "md5sums"))
		return 0;
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < package->n_entries; i++) {
		int rc = add_md5sum(staging, i, &text, err);
		if (rc < 0)
			return rc;
	}
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	struct mkv_control_file *file =
		mkv_grow(&package->files, &package->n_files);
	if (!file)
		return mkv_oom(err);
	file->name = strdup("md5sums");
	file->permissions = 0644;
	file->is_made = true;
	file->size = text.size;
	file->data = mkv_buf_take(&text);
	if (!file->name || !file->data)
		return mkv_oom(err);
	qsort(package->files, package->n_files, sizeof(*package->files),
	      compare_files);
	return 0;
}

int mkv_package_stage(struct mkv_package *package, int deb_fd, int stage_fd,
		      uint64_t limit_bytes, bool set_owners,
		      struct mkv_error *err)
{
	struct mkv_untar_limits limits = {limit_bytes, ENTRIES_MAX};
	auto_untar struct mkv_untar *tar = NULL;
	int rc = mkv_untar_open(deb_fd, package->deb.data.offset,
				package->deb.data.size, &limits, &tar, err);
	if (rc < 0)
		return rc;
	__attribute__((cleanup(staging_done))) struct staging staging = {
		.package = package,
		.tar = tar,
		.stage_fd = stage_fd,
		.set_owners = set_owners,
	};
	rc = stage_all(&staging, err);
	return rc < 0 ? rc : make_md5sums(&staging, err);
}
