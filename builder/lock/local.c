/* SPDX-License-Identifier: MIT */
#include "builder/lock/local.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/lock/grow.h"

enum { ENTRIES_MAX = 200000, DEPTH_MAX = 64 };

struct walk {
	struct mkv_hasher *hasher;
	struct mkv_buf path; /* of the entry, relative to the folder */
	size_t entries;
};

static void add_record(struct walk *walk, char type, char executable,
		       const char *digest, const char *target)
{
	char head[80];
	int length = snprintf(head, sizeof(head), "%c %c %s ", type, executable,
			      digest);
	mkv_hasher_add(walk->hasher, head, (size_t)length);
	mkv_hasher_add(walk->hasher, walk->path.data, walk->path.size + 1);
	if (target)
		mkv_hasher_add(walk->hasher, target, strlen(target) + 1);
}

static int add_link(struct walk *walk, int dirfd, const char *name,
		    struct mkv_error *err)
{
	char target[4096];
	ssize_t length = readlinkat(dirfd, name, target, sizeof(target));
	if (length < 0 || (size_t)length == sizeof(target))
		return mkv_fail(err, MKV_FAILED,
				length < 0 ? errno : ENAMETOOLONG,
				"read link '%s': %m", walk->path.data);
	target[length] = '\0';
	add_record(walk, 'l', '-', "-", target);
	return 0;
}

static int add_file(struct walk *walk, int fd, mode_t mode,
		    struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_sha256_fd(fd, &sha256, NULL, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", walk->path.data);
	mkv_sha256_hex(&sha256, hex);
	add_record(walk, 'f', mode & S_IXUSR ? 'x' : '-', hex, NULL);
	return 0;
}

static int add_folder(struct walk *walk, int fd, unsigned depth,
		      struct mkv_error *err);

static int add_entry(struct walk *walk, int dirfd, const char *name,
		     unsigned depth, struct mkv_error *err)
{
	if (++walk->entries > ENTRIES_MAX)
		return mkv_fail(err, MKV_BAD_RECIPE, E2BIG,
				"more than %d entries", ENTRIES_MAX);
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
				walk->path.data);
	if (S_ISLNK(st.st_mode))
		return add_link(walk, dirfd, name, err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is neither a folder nor a file nor a "
				"symbolic link",
				walk->path.data);
	auto_fd int fd = openat(dirfd, name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
					O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				walk->path.data);
	if (S_ISREG(st.st_mode))
		return add_file(walk, fd, st.st_mode, err);
	add_record(walk, 'd', '-', "-", NULL);
	return add_folder(walk, fd, depth + 1, err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(struct mkv_strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int list_names(int fd, struct mkv_strings *names, struct mkv_error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	auto_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int rc = mkv_fail(err, MKV_FAILED, errno, "read folder: %m");
		mkv_auto_close_(&copy);
		return rc;
	}
	errno = 0;
	for (struct dirent *entry; (entry = readdir(dir)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		char **name = mkv_grow(&names->items, &names->count);
		if (!name || !(*name = strdup(entry->d_name)))
			return mkv_oom(err);
		if (names->count > ENTRIES_MAX)
			return mkv_fail(err, MKV_BAD_RECIPE, E2BIG,
					"more than %d entries", ENTRIES_MAX);
	}
	if (errno)
		return mkv_fail(err, MKV_FAILED, errno, "read folder: %m");
	if (names->count)
		qsort(names->items, names->count, sizeof(char *), by_text);
	return 0;
}

static int add_folder(struct walk *walk, int fd, unsigned depth,
		      struct mkv_error *err)
{
	if (depth > DEPTH_MAX)
		return mkv_fail(err, MKV_BAD_RECIPE, ELOOP,
				"folders deeper than %d", DEPTH_MAX);
	__attribute__((cleanup(free_names))) struct mkv_strings names = {0};
	int rc = list_names(fd, &names, err);
	size_t base = walk->path.size;
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		if (base)
			mkv_buf_char(&walk->path, '/');
		mkv_buf_str(&walk->path, names.items[i]);
		rc = mkv_buf_check(&walk->path, err);
		if (rc == 0)
			rc = add_entry(walk, fd, names.items[i], depth, err);
		if (walk->path.data) {
			walk->path.size = base;
			walk->path.data[base] = '\0';
		}
	}
	return rc;
}

int mkv_lock_local_digest(const char *dir, struct mkv_sha256 *ret,
			  struct mkv_error *err)
{
	auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open folder '%s': %m",
				dir);
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	if (!hasher)
		return mkv_oom(err);
	struct walk walk = {.hasher = hasher};
	int rc = add_folder(&walk, fd, 0, err);
	mkv_buf_done(&walk.path);
	if (rc < 0)
		return mkv_wrap(err, rc, "folder '%s'", dir);
	return mkv_hasher_finish(hasher, ret, err);
}

/* The folder that holds `path`, with what `suffix` adds. */
static char *beside(const char *path, const char *suffix, const char *name)
{
	const char *slash = strrchr(path, '/');
	char *place = NULL;
	int rc = slash ? asprintf(&place, "%.*s/%s/%s", (int)(slash - path),
				  path, suffix, name)
		       : asprintf(&place, "%s/%s", suffix, name);
	return rc < 0 ? NULL : place;
}

int mkv_lock_find_overlay(const char *recipe_path, const char *name, char **ret,
			  struct mkv_error *err)
{
	static const struct place {
		bool of_tool;
		const char *suffix;
	} places[] = {
		{false, "overlays"},
		{false, "../overlays"},
		{true, "../overlays"},
		{true, "../lib/mkvbench/overlays"},
	};
	char tool[4096];
	ssize_t length = readlink("/proc/self/exe", tool, sizeof(tool) - 1);
	tool[length < 0 ? 0 : length] = '\0';
	auto_buf struct mkv_buf looked = {0};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].of_tool && !tool[0])
			continue;
		auto_free char *place =
			beside(places[i].of_tool ? tool : recipe_path,
			       places[i].suffix, name);
		struct stat st;
		if (!place)
			return mkv_oom(err);
		if (stat(place, &st) == 0 && S_ISDIR(st.st_mode)) {
			*ret = mkv_take(place);
			return 0;
		}
		mkv_buf_printf(&looked, "%s'%s'", looked.size ? ", " : "",
			       place);
	}
	return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			"there is no folder for overlay '%s'; looked for %s",
			name, looked.data ? looked.data : "");
}

static int digest_of(const char *recipe_path, const char *overlay,
		     struct mkv_sha256 *ret, struct mkv_error *err)
{
	auto_free char *dir = NULL;
	int rc = mkv_lock_find_overlay(recipe_path, overlay, &dir, err);
	return rc < 0 ? rc : mkv_lock_local_digest(dir, ret, err);
}

int mkv_lock_add_locals(struct mkv_lock *lock, const char *recipe_path,
			const struct mkv_strings *overlays,
			struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < overlays->count; i++) {
		struct mkv_lock_local *local =
			mkv_grow(&lock->locals, &lock->n_locals);
		if (!local ||
		    asprintf(&local->name, "overlay/%s", overlays->items[i]) <
			    0)
			return mkv_oom(err);
		rc = digest_of(recipe_path, overlays->items[i], &local->sha256,
			       err);
	}
	return rc;
}

int mkv_lock_compare_locals(const struct mkv_lock *lock,
			    const char *recipe_path,
			    const struct mkv_lock_local **ret_changed,
			    struct mkv_error *err)
{
	const struct mkv_lock_local *changed = NULL;
	for (size_t i = 0; !changed && i < lock->n_locals; i++) {
		struct mkv_sha256 now;
		int rc = digest_of(recipe_path,
				   strchr(lock->locals[i].name, '/') + 1, &now,
				   err);
		if (rc < 0)
			return rc;
		if (!mkv_sha256_equal(&now, &lock->locals[i].sha256))
			changed = &lock->locals[i];
	}
	*ret_changed = changed;
	return 0;
}
