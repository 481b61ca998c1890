/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/io.h"

#define ADMIN "/var/lib/dpkg"

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
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(*files); i++)
		rc = mkv_rootfs_write(rootfs->root_fd, files[i].path, 0644,
				      files[i].text, strlen(files[i].text),
				      err);
	static const char *const folders[] = {"updates", "alternatives",
					      "parts"};
	auto_fd int admin = rc == 0 ? openat(rootfs->root_fd, "var/lib/dpkg",
					     O_PATH | O_DIRECTORY | O_CLOEXEC)
				    : -1;
	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(*folders);
	     i++)
		if (mkdirat(admin, folders[i], 0755) < 0)
			rc = mkv_fail(err, MKV_FAILED, errno, "make '%s': %m",
				      folders[i]);
	return rc;
}

static bool is_same(const struct mkv_package *package)
{
	const char *value = mkv_control_get(&package->control, "Multi-Arch");
	return value && strcmp(value, "same") == 0;
}

/* "NAME" or "NAME:ARCHITECTURE", as dpkg names a package's files. */
static void info_name(const struct mkv_package *package, char ret[static 300])
{
	(void)snprintf(ret, 300, "%s%s%s", package->control.package,
		       is_same(package) ? ":" : "",
		       is_same(package) ? package->control.architecture : "");
}

enum { INFO_PATH_SIZE = 512 };

static void info_path(const struct mkv_package *package, const char *kind,
		      char ret[static INFO_PATH_SIZE])
{
	char name[300];
	info_name(package, name);
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

static int add_interest(struct mkv_rootfs *rootfs, size_t package,
			const char *name, size_t length, bool noawait,
			struct mkv_error *err)
{
	struct mkv_interest *grown = reallocarray(
		rootfs->interests, rootfs->n_interests + 1, sizeof(*grown));
	if (!grown)
		return mkv_oom(err);
	rootfs->interests = grown;
	char *own = strndup(name, length);
	if (!own)
		return mkv_oom(err);
	grown[rootfs->n_interests++] =
		(struct mkv_interest){own, package, noawait};
	return 0;
}

/* A word that may become a file's name below triggers/. */
static bool is_trigger_name(const char *name, size_t length)
{
	if (length == 0 || length > 250 || name[0] == '.')
		return false;
	if (name[0] == '/')
		return true;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] >= 127 || name[i] == '/')
			return false;
	return true;
}

/* One line of deb-triggers(5). */
static int read_directive(struct mkv_rootfs *rootfs, size_t number,
			  const char *line, size_t length,
			  struct mkv_error *err)
{
	const char *end = memchr(line, '#', length);
	end = end ? end : line + length;
	const char *word = line;
	while (word < end && (*word == ' ' || *word == '\t'))
		word++;
	const char *word_end = word;
	while (word_end < end && *word_end != ' ' && *word_end != '\t')
		word_end++;
	const char *name = word_end;
	while (name < end && (*name == ' ' || *name == '\t'))
		name++;
	const char *name_end = name;
	while (name_end < end && *name_end != ' ' && *name_end != '\t')
		name_end++;
	if (word == word_end)
		return 0;
	size_t name_length = (size_t)(name_end - name);
	size_t word_length = (size_t)(word_end - word);
	if (!is_trigger_name(name, name_length))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"triggers: a malformed name");
	if (strncmp(word, "interest", 8) == 0)
		return add_interest(
			rootfs, number, name, name_length,
			word_length > 8 && memcmp(word + 8, "-noawait", 8) == 0,
			err);
	if (strncmp(word, "activate", 8) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"triggers: a directive that is not known");
	auto_free char *own = strndup(name, name_length);
	if (!own)
		return mkv_oom(err);
	mkv_database_activate(rootfs, own);
	return 0;
}

static int read_triggers(struct mkv_rootfs *rootfs, size_t number,
			 struct mkv_error *err)
{
	const struct mkv_control_file *file =
		mkv_package_file(&rootfs->packages[number], "triggers");
	const char *at = file ? file->data : "";
	int rc = 0;
	while (rc == 0 && *at) {
		size_t length = strcspn(at, "\n");
		rc = read_directive(rootfs, number, at, length, err);
		at += length + (at[length] == '\n');
	}
	return rc;
}

/* The paths of a package's list become its entries. */
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
					"a list that isn't one of paths");
		struct mkv_package_entry *entry =
			&package->entries[package->n_entries++];
		entry->path = strndup(at, is_root ? 1 : length);
		if (!entry->path)
			return mkv_oom(err);
		at += length + 1;
	}
	return 0;
}

/* As unpack.c does: folders belong to nobody. */
static int claim_all(struct mkv_rootfs *rootfs, size_t number,
		     struct mkv_error *err)
{
	struct mkv_package *package = &rootfs->packages[number];
	for (size_t i = 0; i < package->n_entries; i++) {
		const char *path = mkv_rootfs_place(rootfs, number, i, err);
		struct stat there;
		if (!path)
			return -ENOMEM;
		if (!path[1] ||
		    fstatat(rootfs->root_fd, path + 1, &there,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISDIR(there.st_mode))
			continue;
		int rc = mkv_pathmap_set(&rootfs->owners, path, strlen(path),
					 mkv_owner(number, i), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_database_load(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	int rc = mkv_diversions_read(rootfs, err);
	if (rc == 0)
		rc = mkv_overrides_read(rootfs, err);
	for (size_t i = 0; rc == 0 && i < rootfs->options->n_base; i++) {
		struct mkv_package *package = &rootfs->packages[i];
		auto_buf struct mkv_buf list = {0};
		char path[INFO_PATH_SIZE];
		info_path(package, "list", path);
		rc = mkv_read_file(rootfs->root_fd, path + 1, 64 << 20, &list,
				   err);
		if (rc == 0)
			rc = load_list(package, &list, err);
		if (rc == 0)
			rc = claim_all(rootfs, i, err);
		if (rc == 0)
			rc = read_triggers(rootfs, i, err);
		if (rc < 0)
			(void)mkv_wrap(err, rc, "%s of the base",
				       package->control.package);
	}
	return rc;
}

int mkv_database_add(struct mkv_rootfs *rootfs, size_t number,
		     struct mkv_error *err)
{
	const struct mkv_package *package = &rootfs->packages[number];
	int rc = mkv_database_write_list(rootfs, number, err);
	for (size_t i = 0; rc == 0 && i < package->n_files; i++) {
		char path[INFO_PATH_SIZE];
		info_path(package, package->files[i].name, path);
		rc = mkv_rootfs_write_control(rootfs->root_fd, path,
					      &package->files[i], err);
	}
	return rc < 0 ? rc : read_triggers(rootfs, number, err);
}

/* The fields that dpkg itself keeps in its status. */
static bool is_own_field(const char *name)
{
	static const char *const own[] = {
		"Status",
		"Config-Version",
		"Conffiles",
		"Triggers-Pending",
		"Triggers-Awaited",
		"Filename",
		"Size",
		"MD5sum",
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strcasecmp(own[i], name) == 0)
			return true;
	return false;
}

static void add_paragraph(const struct mkv_package *package, struct mkv_buf *to)
{
	for (size_t i = 0; i < package->control.count; i++) {
		const struct mkv_field *field = &package->control.fields[i];
		if (is_own_field(field->name))
			continue;
		mkv_buf_printf(to, "%s: ", field->name);
		mkv_buf_str(to, field->value);
		mkv_buf_char(to, '\n');
	}
	mkv_buf_str(to, "Status: install ok unpacked\n");
	if (package->n_conffiles)
		mkv_buf_str(to, "Conffiles:\n");
	for (size_t i = 0; i < package->n_conffiles; i++)
		mkv_buf_printf(to, " %s newconffile%s\n", package->conffiles[i],
			       package->conffile_removes[i]
				       ? " remove-on-upgrade"
				       : "");
	mkv_buf_char(to, '\n');
}

/* Paths go to one file, an explicit trigger is a file of its own. */
static int write_interests(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf paths = {0};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < rootfs->n_interests; i++) {
		const struct mkv_interest *interest = &rootfs->interests[i];
		char name[300], path[600], line[400];
		info_name(&rootfs->packages[interest->package], name);
		const char *mode = interest->noawait ? "/noawait" : "";
		if (interest->name[0] == '/') {
			mkv_buf_printf(&paths, "%s %s%s\n", interest->name,
				       name, mode);
			continue;
		}
		if (rootfs->phases[interest->package] < rootfs->phase)
			continue;
		(void)snprintf(path, sizeof(path), ADMIN "/triggers/%s",
			       interest->name);
		int used = snprintf(line, sizeof(line), "%s%s\n", name, mode);
		rc = mkv_rootfs_append(rootfs->root_fd, path, line,
				       (size_t)used, err);
	}
	if (rc == 0)
		rc = mkv_buf_check(&paths, err);
	return rc < 0 ? rc
		      : mkv_rootfs_write(rootfs->root_fd,
					 ADMIN "/triggers/File", 0644,
					 paths.data, paths.size, err);
}

int mkv_database_add_status(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < rootfs->count; i++)
		if (rootfs->phases[i] == rootfs->phase)
			add_paragraph(&rootfs->packages[i], &text);
	int rc = mkv_buf_check(&text, err);
	if (rc == 0)
		rc = mkv_rootfs_append(rootfs->root_fd, ADMIN "/status",
				       text.data, text.size, err);
	if (rc == 0)
		rc = write_interests(rootfs, err);
	if (rc == 0)
		rc = mkv_buf_check(&rootfs->activated, err);
	if (rc == 0)
		rc = mkv_rootfs_append(
			rootfs->root_fd, ADMIN "/triggers/Unincorp",
			rootfs->activated.data, rootfs->activated.size, err);
	rootfs->activated.size = 0;
	return rc;
}

void mkv_database_activate(struct mkv_rootfs *rootfs, const char *name)
{
	auto_buf struct mkv_buf line = {0};
	mkv_buf_printf(&line, "%s -\n", name);
	if (line.failed || !line.data)
		return;
	if (!rootfs->activated.size ||
	    !strstr(rootfs->activated.data, line.data))
		mkv_buf_add(&rootfs->activated, line.data, line.size);
}

void mkv_database_touch_path(struct mkv_rootfs *rootfs, const char *path)
{
	for (size_t i = 0; i < rootfs->n_interests; i++) {
		const struct mkv_interest *interest = &rootfs->interests[i];
		size_t length = strlen(interest->name);
		if (interest->name[0] == '/' &&
		    rootfs->phases[interest->package] < rootfs->phase &&
		    strncmp(path, interest->name, length) == 0 &&
		    (path[length] == '/' || path[length] == '\0'))
			mkv_database_activate(rootfs, interest->name);
	}
}

int mkv_database_check(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(rootfs->root_fd, "var/lib/dpkg/status", 64 << 20,
			       &text, err);
	if (rc < 0)
		return rc;
	static const char key[] = "\nStatus: ", good[] = "install ok installed";
	size_t installed = 0;
	for (const char *at = text.data ? text.data : "";
	     (at = strstr(at, key)); installed++) {
		at += sizeof(key) - 1;
		if (strncmp(at, good, sizeof(good) - 1) != 0 ||
		    at[sizeof(good) - 1] != '\n')
			return mkv_fail(err, MKV_FAILED, EIO,
					"dpkg left a package as '%.*s'",
					(int)strcspn(at, "\n"), at);
	}
	if (installed != rootfs->count)
		return mkv_fail(err, MKV_FAILED, EIO,
				"dpkg knows %zu packages instead of %zu",
				installed, rootfs->count);
	return 0;
}

void mkv_database_done(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->n_interests; i++)
		free(rootfs->interests[i].name);
	free(rootfs->interests);
	mkv_buf_done(&rootfs->activated);
}
