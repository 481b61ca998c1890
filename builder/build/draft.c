/* SPDX-License-Identifier: MIT */
#include "builder/build/draft.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "lib/io.h"
#include "lib/json.h"
#include "lib/sync.h"

/* The one draft of this process: recipes are built one after another. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *watched;

static void unwatch(void)
{
	(void)pthread_mutex_lock(&lock);
	watched = NULL;
	(void)pthread_mutex_unlock(&lock);
}

static void *wait_for_signal(void *context)
{
	const sigset_t *signals = context;
	int number = 0;
	if (sigwait(signals, &number) != 0)
		return NULL;
	(void)pthread_mutex_lock(&lock); /* for good: nothing goes on */
	struct mkv_error ignored;
	/* The build's threads may still write into it: take it out of sight
	 * first, then try until it is empty. */
	for (int i = 0; watched && i < 50; i++)
		if (mkv_remove_tree(AT_FDCWD, watched, &ignored) == 0)
			break;
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
	int code = pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (code == 0)
		code = pthread_create(&thread, NULL, wait_for_signal, &signals);
	if (code == 0)
		code = pthread_detach(thread);
	return code ? mkv_fail(err, MKV_FAILED, code, "watch signals: %m") : 0;
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

int mkv_draft_check_place(const char *place, struct mkv_error *err)
{
	auto_fd int fd =
		open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", place);
	if (fd < 0)
		return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
				"'%s' is not a folder; it stays as it is, and "
				"no appliance is built in its place",
				place);
	if (is_empty(fd) || is_appliance(fd))
		return 0;
	return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
			"'%s' holds something and is not an appliance (it has "
			"no manifest.json of one); it stays as it is: say "
			"another --output, or move it away",
			place);
}

/* Drafts of builds that were killed: their process is gone. */
static void remove_stale(const char *output, const char *name)
{
	auto_dir DIR *dir = opendir(output);
	auto_free char *prefix = NULL;
	if (!dir || asprintf(&prefix, ".%s.new.", name) < 0)
		return;
	size_t length = strlen(prefix);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char *end;
		if (strncmp(entry->d_name, prefix, length) != 0)
			continue;
		long pid = strtol(entry->d_name + length, &end, 10);
		if (*end || pid <= 0 || kill((pid_t)pid, 0) == 0 ||
		    errno != ESRCH)
			continue;
		struct mkv_error ignored;
		if (mkv_remove_tree(dirfd(dir), entry->d_name, &ignored) < 0)
			continue; /* someone else's, perhaps */
	}
}

/* Under the lock: a signal finds no folder, or one that it knows of. */
static int make_watched(char *path, struct mkv_error *err)
{
	(void)pthread_mutex_lock(&lock);
	/* Ours by name: of a process that had our number. */
	int rc = mkv_remove_tree(AT_FDCWD, path, err);
	if (rc == 0)
		rc = mkv_make_dirs(path, err);
	if (rc == 0)
		watched = path;
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

int mkv_draft_new(const char *output, const char *name, struct mkv_draft *ret,
		  struct mkv_error *err)
{
	auto_free char *path = NULL, *place = NULL;
	if (asprintf(&place, "%s/%s", output, name) < 0 ||
	    asprintf(&path, "%s/.%s.new.%ld", output, name, (long)getpid()) < 0)
		return mkv_oom(err);
	int rc = mkv_draft_check_place(place, err);
	if (rc == 0)
		rc = mkv_make_dirs(output, err);
	if (rc < 0)
		return rc;
	remove_stale(output, name);
	rc = make_watched(path, err);
	if (rc < 0)
		return rc;
	ret->path = mkv_take(path);
	return 0;
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
	int code = pthread_create(&part->hashing, NULL, hash_part, part);
	if (code != 0)
		return mkv_fail(err, MKV_FAILED, code, "thread: %m");
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
	if (renameat2(AT_FDCWD, draft->path, AT_FDCWD, place,
		      RENAME_EXCHANGE) == 0)
		return sync_parent(place, err); /* the path names the old one */
	if (errno == ENOENT && rename(draft->path, place) == 0)
		return sync_parent(place, err);
	return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m", place);
}

void mkv_draft_done(struct mkv_draft *draft)
{
	if (!draft->path)
		return;
	struct mkv_error ignored;
	int rc = finish_parts(draft, &ignored);
	rc = mkv_remove_tree(AT_FDCWD, draft->path, &ignored);
	(void)rc; /* a stale draft is tried again by the next build */
	unwatch();
	free(mkv_take(draft->path));
}
