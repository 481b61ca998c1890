/* SPDX-License-Identifier: MIT */
#include "builder/build/draft.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "builder/build/draft_internal.h"
#include "builder/core/progress/progress.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/sync.h"
#include "lib/thread.h"

/* The one draft of this process: recipes are built one after another. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mkv_draft *watched;

static bool is_named(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* The build's other threads still run until the process ends: they may write
 * into the draft, or make its folders again. It is removed until it is still
 * gone a moment later, for five seconds at most. What is there then isn't
 * locked once the process has ended, and the next build of the recipe removes
 * it. */
static void remove_interrupted(const struct mkv_draft *draft)
{
	enum { ATTEMPTS = 50 };
	static const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	struct mkv_error ignored;
	for (int i = 0; i < ATTEMPTS; i++) {
		int rc = mkv_draft_remove(draft->path, draft->lock, &ignored);
		if (rc == -EAGAIN || rc == -EACCES || rc == -EPERM ||
		    rc == -EROFS)
			return; /* no thread's doing: another build's, say */
		(void)nanosleep(&pause, NULL);
		if (rc == 0 && !is_named(draft->path))
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
	(void)pthread_mutex_lock(&mutex); /* for good: no build ends any more */
	if (watched)
		remove_interrupted(watched);
	(void)signal(number, SIG_DFL);
	sigset_t one;
	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	(void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	(void)raise(number);
	_exit(1);
}

int mkv_draft_watch_signals(struct mkv_error *err)
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
				  "watch for signals");
	if (rc < 0) {
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
		return rc;
	}
	code = pthread_detach(thread);
	return code ? mkv_fail(err, MKV_FAILED, code, "detach a thread: %m")
		    : 0;
}

static bool is_empty(int fd)
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

/* Of any version of the tool, and whole or not: that it is ours to replace. */
static bool is_appliance(int fd)
{
	auto_json json_t *manifest = NULL;
	struct mkv_error ignored;
	return mkv_json_load_file(fd, "manifest.json", MKV_JSON_LIMIT_BYTES,
				  &manifest, &ignored) == 0 &&
	       json_is_integer(json_object_get(manifest, "mkvbench_manifest"));
}

/* -EEXIST when it is neither empty nor an appliance. */
static int open_place(const char *place, int *ret, struct mkv_error *err)
{
	*ret = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret >= 0)
		return is_empty(*ret) || is_appliance(*ret) ? 0 : -EEXIST;
	if (errno == ENOENT)
		return 0;
	if (errno != ENOTDIR && errno != ELOOP)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", place);
	return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
			"'%s' is not a folder; it stays as it is, and no "
			"appliance is built in its place",
			place);
}

int mkv_draft_check_place(const char *place, struct mkv_error *err)
{
	enum { ATTEMPTS = 100 };
	for (int i = 0; i < ATTEMPTS; i++) {
		auto_fd int fd = -1;
		int rc = open_place(place, &fd, err);
		if (rc == 0 || fd < 0)
			return rc;
		/* Or another build replaces it just now, and removes this. */
		if (mkv_draft_is_at(place, fd))
			break;
	}
	return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
			"'%s' holds something and is not an appliance (it has "
			"no manifest.json of one); it stays as it is: say "
			"another --output, or move it away",
			place);
}

/* Under the mutex: a signal finds no directory, or one that it knows of. */
static int make_watched(const char *output, const char *name,
			struct mkv_draft *draft, struct mkv_error *err)
{
	(void)pthread_mutex_lock(&mutex);
	int rc = mkv_draft_make(output, name, &draft->path, &draft->lock, err);
	if (rc == 0)
		watched = draft;
	(void)pthread_mutex_unlock(&mutex);
	return rc;
}

int mkv_draft_new(const char *output, const char *name, struct mkv_draft *ret,
		  struct mkv_error *err)
{
	auto_free char *place = NULL;
	if (asprintf(&place, "%s/%s", output, name) < 0)
		return mkv_oom(err);
	int rc = mkv_draft_check_place(place, err);
	if (rc == 0)
		rc = mkv_make_dirs(output, err);
	if (rc < 0)
		return rc;
	mkv_draft_remove_stale(output, name);
	return make_watched(output, name, ret, err);
}

struct mkv_draft_part {
	char *name, *path;
	struct mkv_syncing *syncing; /* NULL once waited for */
	pthread_t hashing;
	bool is_hashing;
	int rc;
	struct mkv_error error;
	struct mkv_artifacts artifacts;
};

static void *hash_part(void *context)
{
	struct mkv_draft_part *part = context;
	part->rc = mkv_artifacts_scan(part->path, NULL, &part->artifacts,
				      &part->error);
	return NULL;
}

static int start_part(struct mkv_draft_part *part, struct mkv_error *err)
{
	int rc = mkv_syncing_start(part->path, &part->syncing, err);
	if (rc < 0)
		return rc;
	rc = mkv_thread_start(&part->hashing, hash_part, part, err,
			      "digests of '%s'", part->path);
	if (rc < 0)
		return rc;
	part->is_hashing = true;
	return 0;
}

int mkv_draft_finish_part(struct mkv_draft *draft, const char *name,
			  struct mkv_error *err)
{
	struct mkv_draft_part **grown = reallocarray(
		draft->parts, draft->n_parts + 1, sizeof(*draft->parts));
	if (!grown)
		return mkv_oom(err);
	draft->parts = grown;
	struct mkv_draft_part *part = calloc(1, sizeof(*part));
	if (!part)
		return mkv_oom(err);
	grown[draft->n_parts++] = part;
	part->name = strdup(name);
	if (!part->name ||
	    asprintf(&part->path, "%s/%s", draft->path, name) < 0)
		return mkv_oom(err);
	return start_part(part, err);
}

static int wait_hashed(struct mkv_draft_part *part, struct mkv_error *err)
{
	if (part->is_hashing)
		(void)pthread_join(part->hashing, NULL);
	part->is_hashing = false;
	if (part->rc < 0)
		*err = part->error;
	return part->rc;
}

static int wait_synced(struct mkv_draft_part *part, struct mkv_error *err)
{
	struct mkv_syncing *syncing = mkv_take(part->syncing);
	return syncing ? mkv_syncing_finish(syncing, err) : 0;
}

int mkv_draft_artifacts(struct mkv_draft *draft, struct mkv_artifacts *ret,
			struct mkv_error *err)
{
	auto_artifacts struct mkv_artifacts known = {0};
	for (size_t i = 0; i < draft->n_parts; i++) {
		struct mkv_draft_part *part = draft->parts[i];
		int rc = wait_hashed(part, err);
		if (rc == 0)
			rc = mkv_artifacts_merge(&known, part->name,
						 &part->artifacts, err);
		if (rc < 0)
			return rc;
	}
	return mkv_artifacts_scan(draft->path, &known, ret, err);
}

/* The first error of those that had one. */
static int finish_parts(struct mkv_draft *draft, struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < draft->n_parts; i++) {
		struct mkv_draft_part *part = draft->parts[i];
		struct mkv_error theirs;
		int one = wait_hashed(part, rc < 0 ? &theirs : err);
		rc = rc < 0 ? rc : one;
		one = wait_synced(part, rc < 0 ? &theirs : err);
		rc = rc < 0 ? rc : one;
		mkv_artifacts_done(&part->artifacts);
		free(part->name);
		free(part->path);
		free(part);
	}
	free(mkv_take(draft->parts));
	draft->n_parts = 0;
	return rc;
}

/* The folder that holds the place: the rename isn't lost either. */
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

/* Two builds may place the first appliance at the same time: the second one
 * then replaces that of the first. */
static int swap(const char *path, const char *place, bool *ret_replaced)
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

static int swap_locked(struct mkv_draft *draft, const char *place,
		       struct mkv_error *err)
{
	if (!mkv_draft_is_at(draft->path, draft->lock))
		return mkv_fail(err, MKV_FAILED, ESTALE,
				"'%s' was removed or replaced while the build "
				"wrote into it; build again",
				draft->path);
	bool replaced = false;
	int rc = swap(draft->path, place, &replaced);
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "rename to '%s': %m",
				place);
	/* An appliance isn't locked: the next build may replace it at once. */
	mkv_auto_close_(&draft->lock);
	draft->lock = -1;
	if (replaced)
		return 0; /* the path names what was there, which has to go */
	watched = NULL;
	free(mkv_take(draft->path));
	return 0;
}

int mkv_draft_commit(struct mkv_draft *draft, const char *place,
		     struct mkv_error *err)
{
	int rc = finish_parts(draft, err);
	if (rc == 0)
		rc = mkv_sync_tree(draft->path, err);
	/* Once more: a build takes long, and what is swapped out is removed. */
	if (rc == 0)
		rc = mkv_draft_check_place(place, err);
	if (rc < 0)
		return rc;
	(void)pthread_mutex_lock(&mutex);
	rc = swap_locked(draft, place, err);
	(void)pthread_mutex_unlock(&mutex);
	return rc < 0 ? rc : sync_parent(place, err);
}

void mkv_draft_done(struct mkv_draft *draft)
{
	if (!draft->path)
		return;
	struct mkv_error ignored;
	(void)!finish_parts(draft, &ignored);
	(void)pthread_mutex_lock(&mutex);
	/* Whatever stays is stale from now on: the next build removes it. */
	(void)!mkv_draft_remove(draft->path, draft->lock, &ignored);
	mkv_auto_close_(&draft->lock);
	free(mkv_take(draft->path));
	watched = NULL;
	(void)pthread_mutex_unlock(&mutex);
}
