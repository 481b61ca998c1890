/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/files.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

enum { FILES_MAX = 256 };

void mkv_agent_files_done(struct mkv_agent_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].name);
		free(files->items[i].path);
	}
	free(files->items);
	*files = (struct mkv_agent_files){0};
}

/* Opens a path component by component: no link is followed, none leads out of
 * `dir`. openat2(2) would do the same, but RestrictSUIDSGID= of the agent's
 * unit makes it fail with ENOSYS (systemd.exec(5)). */
static int open_components(int dir, const char *path)
{
	enum { FLAGS = O_CLOEXEC | O_NOFOLLOW };
	auto_fd int at = openat(dir, ".", O_PATH | O_DIRECTORY | FLAGS);
	while (at >= 0) {
		size_t length = strcspn(path, "/");
		bool is_last = path[length] == '\0';
		char name[NAME_MAX + 1];
		if (length == 0 || length > NAME_MAX ||
		    (length == 2 && memcmp(path, "..", 2) == 0)) {
			errno = EXDEV;
			return -1;
		}
		memcpy(name, path, length);
		name[length] = '\0';
		int next = openat(at, name,
				  is_last ? O_RDONLY | O_NONBLOCK | FLAGS
					  : O_PATH | O_DIRECTORY | FLAGS);
		if (is_last || next < 0)
			return next;
		(void)close(at);
		at = next;
		path += length + 1;
	}
	return -1;
}

int mkv_agent_open_below(const char *directory, const char *path, int *ret_fd,
			 uint64_t *ret_size, struct mkv_error *err)
{
	struct stat st;
	auto_fd int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				directory);
	auto_fd int fd = open_components(dir, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s/%s': %m",
				directory, path);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s/%s' is not a regular file", directory,
				path);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

/* Appends a file, which is hashed. A missing file is none. */
static int add_file(struct mkv_agent_files *files, const char *directory,
		    const char *path, const char *name, struct mkv_error *err)
{
	struct mkv_agent_file *file = &files->items[files->count];
	auto_free char *own_name = strdup(name), *own_path = strdup(path);
	auto_fd int fd = -1;
	uint64_t size;
	if (!own_name || !own_path)
		return mkv_oom(err);
	if (files->count == FILES_MAX)
		return mkv_fail(err, MKV_FAILED, E2BIG, "more than %d files",
				FILES_MAX);
	int rc = mkv_agent_open_below(directory, path, &fd, &size, err);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = mkv_sha256_fd(fd, &file->sha256, &file->size_bytes, err);
	if (rc < 0)
		return rc;
	file->directory = directory;
	file->name = mkv_take(own_name);
	file->path = mkv_take(own_path);
	files->count++;
	return 0;
}

/* The files of one group: "before". */
static int add_group(struct mkv_agent_files *files, const char *directory,
		     const char *group, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s", directory, group);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	auto_dir DIR *dir = opendir(path.data);
	if (!dir)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				path.data);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char name[300];
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%.40s/%s", group,
			       entry->d_name);
		rc = add_file(files, directory, name, name, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_groups(const struct mkv_agent *agent,
		      struct mkv_agent_files *files, struct mkv_error *err)
{
	auto_dir DIR *dir = opendir(agent->files_dir);
	if (!dir)
		return errno == ENOENT
			       ? 0
			       : mkv_fail(err, MKV_FAILED, errno,
					  "open '%s': %m", agent->files_dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		int rc = add_group(files, agent->files_dir, entry->d_name, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_load(const struct mkv_agent *agent, const char *run,
		    int64_t attempt, struct mkv_agent_files *files,
		    struct mkv_error *err)
{
	static const char *const names[] = {"load.csv", "summary.json"};
	if (access(agent->loadgen_dir, F_OK) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[MKV_PLAN_ID_MAX + 64], name[32];
		(void)snprintf(path, sizeof(path), "%s.%lld/%s", run,
			       (long long)attempt, names[i]);
		(void)snprintf(name, sizeof(name), "load/%s", names[i]);
		int rc = add_file(files, agent->loadgen_dir, path, name, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_all(const struct mkv_agent *agent, const char *run,
		   int64_t attempt, struct mkv_agent_files *files,
		   struct mkv_error *err)
{
	int rc = add_groups(agent, files, err);
	return rc < 0 ? rc : add_load(agent, run, attempt, files, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mkv_agent_file *)a)->name,
		      ((const struct mkv_agent_file *)b)->name);
}

int mkv_agent_files_list(const struct mkv_agent *agent, const char *run,
			 int64_t attempt, struct mkv_agent_files *ret,
			 struct mkv_error *err)
{
	struct mkv_agent_files files = {
		.items = calloc(FILES_MAX + 1, sizeof(*files.items))};
	if (!files.items)
		return mkv_oom(err);
	int rc = add_all(agent, run, attempt, &files, err);
	if (rc < 0) {
		mkv_agent_files_done(&files);
		return mkv_wrap(err, rc, "list the files of the attempt");
	}
	qsort(files.items, files.count, sizeof(*files.items), by_name);
	*ret = files;
	return 0;
}

int mkv_agent_file_open(const struct mkv_agent_file *file, int *ret_fd,
			struct mkv_error *err)
{
	auto_fd int fd = -1;
	uint64_t size;
	int rc = mkv_agent_open_below(file->directory, file->path, &fd, &size,
				      err);
	if (rc < 0)
		return rc == -ENOENT ? -ESTALE : rc;
	if (size != file->size_bytes)
		return mkv_fail(err, MKV_FAILED, ESTALE,
				"'%s' has %llu bytes, not %llu", file->name,
				(unsigned long long)size,
				(unsigned long long)file->size_bytes);
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

/* The entries of LOADGEN_DIR, one directory per attempt: with all of them the
 * disk would be full after some campaigns. */
static int clear_load(const struct mkv_agent *agent, struct mkv_error *err)
{
	auto_dir DIR *dir = opendir(agent->loadgen_dir);
	if (!dir)
		return errno == ENOENT
			       ? 0
			       : mkv_fail(err, MKV_FAILED, errno,
					  "open '%s': %m", agent->loadgen_dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char run[256];
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || strspn(dot + 1, "0123456789") != strlen(dot + 1))
			continue;
		(void)snprintf(run, sizeof(run), "%.*s",
			       (int)(dot - entry->d_name), entry->d_name);
		if (!mkv_plan_is_run_id(run))
			continue;
		int rc = mkv_remove_tree(dirfd(dir), entry->d_name, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_agent_files_clear(const struct mkv_agent *agent, struct mkv_error *err)
{
	int rc = mkv_remove_tree(AT_FDCWD, agent->files_dir, err);
	return rc < 0 ? rc : clear_load(agent, err);
}
