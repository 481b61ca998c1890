/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "programs/lib/work.h"

int mkv_work_files_init(struct mkv_work_files *files, struct mkv_error *err)
{
	static const char words[] = "the quick brown fox jumps over the lazy "
				    "dog and writes it down again; ";
	int64_t size = files->large_bytes > files->small_bytes
			       ? files->large_bytes
			       : files->small_bytes;
	files->text = malloc((size_t)size + 1);
	if (!files->text)
		return mkv_oom(err);
	for (int64_t i = 0; i < size; i++)
		files->text[i] = words[(size_t)i % (sizeof(words) - 1)];
	return 0;
}

static int write_text(const struct mkv_work_files *files, int fd,
		      const char *path, int64_t size, struct mkv_error *err)
{
	int rc = mkv_write_all(fd, files->text, (size_t)size, err);
	if (rc < 0)
		return rc;
	if (files->sync == MKV_SYNC_DATA && fdatasync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "sync '%s': %m", path);
	return 0;
}

static int write_file(const struct mkv_work_files *files, const char *path,
		      int64_t size, struct mkv_error *err)
{
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	int rc = write_text(files, fd, path, size, err);
	if (rc == 0 && close(mkv_take_fd(&fd)) < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "close '%s': %m", path);
	/* An incomplete file must not occupy a full disk. */
	if (rc < 0)
		(void)unlink(path);
	return rc;
}

static int read_file(const struct mkv_work_files *files, const char *path,
		     int64_t size, struct mkv_error *err)
{
	enum { CHUNK = 64 * 1024 };
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *chunk = malloc(CHUNK);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	if (!chunk)
		return mkv_oom(err);
	int64_t at = 0;
	for (ssize_t n; (n = read(fd, chunk, CHUNK)) != 0; at += n) {
		if (n < 0)
			return mkv_fail(err, MKV_FAILED, errno, "read '%s': %m",
					path);
		if (n > size - at ||
		    memcmp(chunk, files->text + at, (size_t)n) != 0)
			return mkv_fail(err, MKV_FAILED, EILSEQ,
					"'%s' differs from the data written",
					path);
	}
	return at == size ? 0
			  : mkv_fail(err, MKV_FAILED, EILSEQ,
				     "'%s' is shorter than the data written",
				     path);
}

static int run_small_files(const struct mkv_work_files *files, const char *path,
			   struct mkv_error *err)
{
	for (int64_t i = 0; i < files->small_count; i++) {
		int rc = write_file(files, path, files->small_bytes, err);
		if (rc < 0)
			return rc;
		rc = read_file(files, path, files->small_bytes, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

enum task { LARGE_WRITE, LARGE_READ, SMALL_RUN };

static int run_task(const struct mkv_work_files *files, enum task task,
		    const char *path, struct mkv_error *err)
{
	switch (task) {
	case LARGE_WRITE:
		return write_file(files, path, files->large_bytes, err);
	case LARGE_READ:
		return read_file(files, path, files->large_bytes, err);
	default:
		return run_small_files(files, path, err);
	}
}

static bool is_task_file(const char *name)
{
	size_t word = strncmp(name, "large-", 6) == 0 ||
				      strncmp(name, "small-", 6) == 0
			      ? 6
			      : 0;
	return word && name[word] &&
	       name[word + strspn(name + word, "0123456789")] == '\0';
}

int mkv_work_files_remove(const struct mkv_work_files *files,
			  struct mkv_error *err)
{
	auto_dir DIR *directory = opendir(files->directory);
	if (!directory)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				files->directory);
	errno = 0;
	for (struct dirent *entry; (entry = readdir(directory)); errno = 0)
		if (is_task_file(entry->d_name) &&
		    unlinkat(dirfd(directory), entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			return mkv_fail(err, MKV_FAILED, errno,
					"remove '%s/%s': %m", files->directory,
					entry->d_name);
	return errno ? mkv_fail(err, MKV_FAILED, errno, "read '%s': %m",
				files->directory)
		     : 0;
}

int mkv_work_file_tasks(struct mkv_http_request *request,
			const struct mkv_work_files *files)
{
	static const struct {
		enum task task;
		const char *span, *file;
	} rows[] = {
		{LARGE_WRITE, "LargeFileTask.write", "large"},
		{LARGE_READ, "LargeFileTask.read", "large"},
		{SMALL_RUN, "SmallFileTask.run", "small"},
	};
	/* Each thread has its own files: concurrent requests do not share any.
	 */
	static atomic_uint threads;
	static _Thread_local unsigned own;
	if (!own)
		own = atomic_fetch_add(&threads, 1) + 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[4096];
		struct mkv_span span;
		struct mkv_error err;
		(void)snprintf(path, sizeof(path), "%s/%s-%u", files->directory,
			       rows[i].file, own);
		mkv_span_begin(&span, rows[i].span, MKV_SPAN_INTERNAL,
			       &request->span.context);
		int rc = run_task(files, rows[i].task, path, &err);
		span.is_error = rc < 0;
		mkv_span_end(&span);
		if (rc == 0)
			continue;
		bool is_full = rc == -ENOSPC || rc == -EDQUOT;
		mkv_http_error(request, is_full ? 503 : 500,
			       is_full ? "disk-full" : "files", "%s",
			       err.message);
		return rc;
	}
	return 0;
}
