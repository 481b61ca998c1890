/* SPDX-License-Identifier: MIT */
#include "builder/core/paths/paths.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

static int program_directory(char ret[static PATH_MAX], struct mkv_error *err)
{
	ssize_t got = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	if (got <= 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"read /proc/self/exe: %m");
	ret[got] = '\0';
	char *slash = strrchr(ret, '/');
	if (slash)
		*slash = '\0';
	return 0;
}

/* Tries both directories, given relative to the program's, in order. */
static int find_tool_file(const char *beside, const char *installed,
			  const char *name, char **ret, struct mkv_error *err)
{
	char directory[PATH_MAX];
	int rc = program_directory(directory, err);
	if (rc < 0)
		return rc;
	const char *places[] = {beside, installed};
	for (size_t i = 0; i < 2; i++) {
		auto_free char *path = NULL;
		if (asprintf(&path, "%s/%s/%s", directory, places[i], name) < 0)
			return mkv_oom(err);
		if (access(path, F_OK) == 0) {
			*ret = mkv_take(path);
			return 0;
		}
	}
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"'%s' is neither in '%s/%s' nor in '%s/%s': the tool "
			"is not completely built or installed; run `make` or "
			"`make install`",
			name, directory, beside, directory, installed);
}

int mkv_paths_data(const char *name, char **ret, struct mkv_error *err)
{
	return find_tool_file("..", "../lib/mkvbench", name, ret, err);
}

int mkv_paths_program(const char *name, char **ret, struct mkv_error *err)
{
	return find_tool_file(".", "../lib/mkvbench", name, ret, err);
}

static struct mkv_sha256 tool_sha256;
static struct mkv_error tool_error;
static int tool_rc;

static void hash_tool(void)
{
	auto_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tool_rc = mkv_fail(&tool_error, MKV_FAILED, errno,
				   "open /proc/self/exe: %m");
	else
		tool_rc = mkv_sha256_fd(fd, &tool_sha256, NULL, &tool_error);
}

int mkv_paths_tool_sha256(struct mkv_sha256 *ret, struct mkv_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, hash_tool);
	if (tool_rc < 0) {
		*err = tool_error;
		return tool_rc;
	}
	*ret = tool_sha256;
	return 0;
}
