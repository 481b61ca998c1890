/* SPDX-License-Identifier: MIT */
#include "builder/build/staging.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "builder/build/staging_internal.h"
#include "builder/core/progress/progress.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/sync.h"
#include "lib/thread.h"

/* The staging directory of this process: recipes are built one after another.
 */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mkv_staging *watched;

static bool has_entry(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* Other threads of the build run until the process exits: they may write into
 * the staging directory or create its directories again. The removal is
 * therefore repeated until the directory stays removed for one pause, at most
 * for five seconds. A rest is unlocked when the process exits, and the next
 * build of the recipe removes it. */
static void remove_interrupted(const struct mkv_staging *staging)
{
	enum { ATTEMPTS = 50 };
	static const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	struct mkv_error ignored;
	for (int i = 0; i < ATTEMPTS; i++) {
		int rc = mkv_staging_remove(staging->path, staging->lock,
					    &ignored);
		if (rc == -EAGAIN || rc == -EACCES || rc == -EPERM ||
		    rc == -EROFS)
			return; /* not caused by a thread: waiting won't help */
		(void)nanosleep(&pause, NULL);
		if (rc == 0 && !has_entry(staging->path))
			return;
	}
}

static void *wait_for_signal(void *context)
{
	const sigset_t *signals = context;
	int number = 0;
	if (sigwait(signals, &number) != 0)
		return NULL;
	mkv_progress_interrupt();
	(void)pthread_mutex_lock(
		&mutex); /* never unlocked: no build may commit */
	if (watched)
		remove_interrupted(watched);
	(void)signal(number, SIG_DFL);
	sigset_t received;
	(void)sigemptyset(&received);
	(void)sigaddset(&received, number);
	(void)pthread_sigmask(SIG_UNBLOCK, &received, NULL);
	(void)raise(number);
	_exit(1);
}

int mkv_staging_watch_signals(struct mkv_error *err)
{
	static sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	pthread_t thread;
	sigset_t before;
	int code = pthread_sigmask(SIG_BLOCK, &signals, &before);
	if (code)
		return mkv_fail(err, MKV_FAILED, code, "block signals: %m");
	int rc = mkv_thread_start(&thread, wait_for_signal, &signals, err,
				  "signal handler");
	if (rc < 0) {
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
		return rc;
	}
	code = pthread_detach(thread);
	return code ? mkv_fail(err, MKV_FAILED, code, "detach a thread: %m")
		    : 0;
}

static bool is_empty_directory(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		mkv_auto_close_(&copy);
		return false;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return false;
	return true;
}

/* True for an appliance of any version of the tool, complete or not: a build
 * may replace it. */
static bool is_appliance(int fd)
{
	auto_json json_t *manifest = NULL;
	struct mkv_error ignored;
	return mkv_json_load_file(fd, "manifest.json", MKV_JSON_LIMIT_BYTES,
				  &manifest, &ignored) == 0 &&
	       json_is_integer(json_object_get(manifest, "mkvbench_manifest"));
}

/* *ret is -1 when nothing has the path. -EEXIST, without *err, for a directory
 * that is neither empty nor an appliance. */
static int open_place(const char *place, int *ret, struct mkv_error *err)
{
	*ret = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret >= 0)
		return is_empty_directory(*ret) || is_appliance(*ret) ? 0
								      : -EEXIST;
	if (errno == ENOENT)
		return 0;
	if (errno != ENOTDIR && errno != ELOOP)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", place);
	return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
			"'%s' is not a directory: choose another --output or "
			"move it away (nothing was changed)",
			place);
}

int mkv_staging_check_place(const char *place, struct mkv_error *err)
{
	enum { ATTEMPTS = 100 };
	for (int i = 0; i < ATTEMPTS; i++) {
		auto_fd int fd = -1;
		int rc = open_place(place, &fd, err);
		if (rc == 0 || fd < 0)
			return rc;
		/* Otherwise another build has just replaced this directory. */
		if (mkv_staging_is_at(place, fd))
			break;
	}
	return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
			"'%s' is not empty and is not an appliance (no "
			"manifest.json of an appliance): choose another "
			"--output or move it away (nothing was changed)",
			place);
}

/* Under the mutex, so that the signal handler knows every directory made. */
static int make_watched(const char *output, const char *name,
			struct mkv_staging *staging, struct mkv_error *err)
{
	(void)pthread_mutex_lock(&mutex);
	int rc = mkv_staging_make(output, name, &staging->path, &staging->lock,
				  err);
	if (rc == 0)
		watched = staging;
	(void)pthread_mutex_unlock(&mutex);
	return rc;
}

int mkv_staging_new(const char *output, const char *name,
		    struct mkv_staging *ret, struct mkv_error *err)
{
	auto_free char *place = NULL;
	if (asprintf(&place, "%s/%s", output, name) < 0)
		return mkv_oom(err);
	int rc = mkv_staging_check_place(place, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(output, err);
	if (rc < 0)
		return rc;
	mkv_staging_remove_stale(output, name);
	return make_watched(output, name, ret, err);
}

/* Syncs the parent directory of the place, so that the rename persists. */
static int sync_parent(const char *place, struct mkv_error *err)
{
	const char *slash = strrchr(place, '/');
	auto_free char *parent =
		slash ? strndup(place, (size_t)(slash - place) + 1)
		      : strdup(".");
	if (!parent)
		return mkv_oom(err);
	auto_fd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m",
				parent);
	return 0;
}

/* Two builds may place the first appliance at the same time: the appliance of
 * the second build then replaces that of the first. */
static int move_into_place(const char *path, const char *place,
			   bool *ret_replaced)
{
	enum { ATTEMPTS = 100 };
	for (int i = 0; i < ATTEMPTS; i++) {
		if (renameat2(AT_FDCWD, path, AT_FDCWD, place,
			      RENAME_EXCHANGE) == 0) {
			*ret_replaced = true;
			return 0;
		}
		if (errno != ENOENT)
			return -errno;
		if (rename(path, place) == 0) {
			*ret_replaced = false;
			return 0;
		}
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
	}
	return -EBUSY;
}

static int place_locked(struct mkv_staging *staging, const char *place,
			struct mkv_error *err)
{
	if (!mkv_staging_is_at(staging->path, staging->lock))
		return mkv_fail(err, MKV_FAILED, ESTALE,
				"'%s' was removed or replaced while the build "
				"wrote into it: build again",
				staging->path);
	bool replaced = false;
	int rc = move_into_place(staging->path, place, &replaced);
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "rename to '%s': %m",
				place);
	/* An appliance has no lock: the next build may replace it at once. */
	mkv_auto_close_(&staging->lock);
	staging->lock = -1;
	if (replaced)
		return 0; /* the path now names the old appliance, to remove */
	watched = NULL;
	free(mkv_take(staging->path));
	return 0;
}

int mkv_staging_commit(struct mkv_staging *staging, const char *place,
		       struct mkv_error *err)
{
	int rc = mkv_staging_finish_parts(staging, err);
	if (rc < 0)
		return rc;
	rc = mkv_sync_tree(staging->path, err);
	if (rc < 0)
		return rc;
	/* Checked again: a build takes long, and the replaced directory is
	 * removed. */
	rc = mkv_staging_check_place(place, err);
	if (rc < 0)
		return rc;
	(void)pthread_mutex_lock(&mutex);
	rc = place_locked(staging, place, err);
	(void)pthread_mutex_unlock(&mutex);
	return rc < 0 ? rc : sync_parent(place, err);
}

void mkv_staging_done(struct mkv_staging *staging)
{
	if (!staging->path)
		return;
	struct mkv_error ignored;
	(void)!mkv_staging_finish_parts(staging, &ignored);
	(void)pthread_mutex_lock(&mutex);
	/* The next build removes whatever can't be removed here. */
	(void)!mkv_staging_remove(staging->path, staging->lock, &ignored);
	mkv_auto_close_(&staging->lock);
	free(mkv_take(staging->path));
	watched = NULL;
	(void)pthread_mutex_unlock(&mutex);
}
