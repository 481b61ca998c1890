/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/directory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/io.h"

enum {
	RUN_MAX = 128,
	PATH_SIZE = sizeof(struct mkv_load_directory),
	FILE_SIZE = PATH_SIZE + 32,
};

static bool is_run_name(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return size && size <= RUN_MAX && !name[size] && name[0] != '.';
}

static int make_named(struct mkv_load_directory *ret, const char *directory,
		      const char *run, struct mkv_error *err)
{
	if (!is_run_name(run))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_RUN is '%.150s', not a name of up to "
				"%d letters, digits, '.', '_' and '-'",
				run, (int)RUN_MAX);
	(void)snprintf(ret->path, PATH_SIZE, "%s/%s", directory, run);
	if (mkdir(ret->path, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				ret->path);
	return 0;
}

int mkv_load_directory_make(struct mkv_load_directory *ret,
			    const char *directory, const char *run,
			    struct mkv_error *err)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	if (run)
		return make_named(ret, directory, run, err);
	(void)gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(ret->path, PATH_SIZE, "%s/run-%s", directory, stamp);
	for (unsigned i = 2; mkdir(ret->path, 0755) < 0; i++) {
		if (errno != EEXIST)
			return mkv_fail(err, MKV_FAILED, errno,
					"create '%s': %m", ret->path);
		(void)snprintf(ret->path, PATH_SIZE, "%s/run-%s-%u", directory,
			       stamp, i);
	}
	return 0;
}

static void print_path(const struct mkv_load_directory *directory,
		       const char *name, char ret[static FILE_SIZE])
{
	(void)snprintf(ret, FILE_SIZE, "%s/%s", directory->path, name);
}

int mkv_load_directory_create(const struct mkv_load_directory *directory,
			      const char *name, int *ret_fd,
			      struct mkv_error *err)
{
	char path[FILE_SIZE];
	print_path(directory, name, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	*ret_fd = fd;
	return 0;
}

int mkv_load_directory_place(const struct mkv_load_directory *directory,
			     const char *name, const struct mkv_buf *text,
			     bool is_synced, struct mkv_error *err)
{
	char path[FILE_SIZE];
	print_path(directory, name, path);
	return is_synced
		       ? mkv_write_file(path, 0644, text->data, text->size, err)
		       : mkv_place_file(path, 0644, text->data, text->size,
					err);
}

void mkv_load_directory_remove(const struct mkv_load_directory *directory)
{
	static const char *const names[] = {"load.csv", "progress.json"};
	char path[FILE_SIZE];
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		print_path(directory, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(directory->path);
}
