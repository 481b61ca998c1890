/* SPDX-License-Identifier: MIT */
/* The check files: each file of the root file system is as in the image's list,
 * and directories of settings and units have no other files. */
#include "verify/check/checks.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "lib/listing.h"

enum {
	SHOWN_MAX = 8,
	LIST_MAX = 256 << 20,
	DEPTH_MAX = 32,
};

/* True for a name of the list, or a path that begins with a name of the list
 * that ends in '/', '_' or '.'. */
static bool is_one_of(const char *path, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		size_t length = strlen(names[i]);
		bool begins = strchr("/_.", names[i][length - 1]) != NULL;
		if (begins ? strncmp(path, names[i], length) == 0
			   : strcmp(path, names[i]) == 0)
			return true;
	}
	return false;
}

/* True for paths that a running system writes: its identity, state and logs.
 * They are not compared. */
static bool is_written_at_run_time(const char *path)
{
	static const char *const names[] = {
		"/var/",
		"/run/",
		"/tmp/",
		"/dev/",
		"/proc/",
		"/sys/",
		"/boot/",
		/* mount points: another file system hides them */
		"/dev",
		"/proc",
		"/sys",
		"/etc/machine-id",
		"/etc/resolv.conf",
		"/etc/mtab",
		"/etc/hostname",
		"/etc/ssh/ssh_host_",
		"/etc/docker/key.json",
		"/etc/.updated",
		"/etc/.pwd.lock",
		"/etc/adjtime",
		"/etc/cni", /* created by containerd */
		"/etc/cni/",
		/* libvirt's definitions; the checks of guests compare them */
		"/etc/libvirt/nwfilter",
		"/etc/libvirt/nwfilter/",
		"/etc/libvirt/qemu",
		"/etc/libvirt/qemu/",
		"/etc/libvirt/secrets",
		"/etc/libvirt/secrets/",
		"/etc/libvirt/storage",
		"/etc/libvirt/storage/",
		"/root/.",
		NULL,
	};
	return is_one_of(path, names);
}

/* Directories of settings: every file is read, and no unlisted file may exist.
 */
static const char *const settings[] = {
	"/etc/",
	"/usr/lib/systemd/",
	NULL,
};
/* Every listed file is read, but the contract and its signature are unlisted.
 */
static const char *const read_too[] = {"/usr/lib/mkvbench/", NULL};

struct walk {
	const struct mkv_env *env;
	struct mkv_answer *answer;
	uint64_t compared, read, skipped, wrong, added;
	char **listed; /* below `settings`, in strcmp()'s order */
	size_t n_listed, capacity;
};

static void walk_done(struct walk *walk)
{
	for (size_t i = 0; i < walk->n_listed; i++)
		free(walk->listed[i]);
	free(walk->listed);
}

static int note_listed(struct walk *walk, const char *path,
		       struct mkv_error *err)
{
	if (walk->n_listed == walk->capacity) {
		size_t capacity = walk->capacity ? 2 * walk->capacity : 1024;
		void *more = reallocarray(walk->listed, capacity,
					  sizeof(*walk->listed));
		if (!more)
			return mkv_oom(err);
		walk->listed = more;
		walk->capacity = capacity;
	}
	walk->listed[walk->n_listed] = strdup(path);
	return walk->listed[walk->n_listed++] ? 0 : mkv_oom(err);
}

static void report_difference(struct walk *walk, const char *path,
			      const char *expected, const char *observed)
{
	if (walk->wrong++ < SHOWN_MAX)
		mkv_answer_add(walk->answer, MKV_FAIL, path, "the file itself",
			       expected, observed);
}

static void compare_content(struct walk *walk, const char *full,
			    const struct mkv_listing_entry *entry)
{
	struct mkv_sha256 sha;
	struct mkv_error err;
	auto_fd int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char expected[MKV_SHA256_HEX_SIZE], observed[MKV_SHA256_HEX_SIZE];
	walk->read++;
	if (fd < 0 || mkv_sha256_fd(fd, &sha, NULL, &err) < 0) {
		report_difference(walk, entry->path, "readable",
				  "can't be read");
		return;
	}
	if (mkv_sha256_equal(&sha, &entry->sha256))
		return;
	mkv_sha256_hex(&entry->sha256, expected);
	mkv_sha256_hex(&sha, observed);
	report_difference(walk, entry->path, expected, observed);
}

static char type_of(mode_t mode)
{
	return S_ISDIR(mode)   ? 'd'
	       : S_ISREG(mode) ? 'f'
	       : S_ISLNK(mode) ? 'l'
	       : S_ISCHR(mode) ? 'c'
	       : S_ISBLK(mode) ? 'b'
			       : 'p';
}

/* Compares size and modification time, which is cheap, and then the bytes. */
static void compare_file(struct walk *walk, const char *full,
			 const struct stat *st,
			 const struct mkv_listing_entry *entry)
{
	char expected[64], observed[64];
	(void)snprintf(expected, sizeof(expected),
		       "%" PRIu64 " bytes of %" PRId64, entry->size_bytes,
		       entry->mtime_s);
	(void)snprintf(observed, sizeof(observed), "%lld bytes of %lld",
		       (long long)st->st_size, (long long)st->st_mtim.tv_sec);
	if (strcmp(expected, observed) != 0)
		report_difference(walk, entry->path, expected, observed);
	else if (walk->env->every_file || is_one_of(entry->path, settings) ||
		 is_one_of(entry->path, read_too))
		compare_content(walk, full, entry);
}

static void compare_link(struct walk *walk, const char *full,
			 const struct mkv_listing_entry *entry)
{
	char target[PATH_MAX];
	ssize_t size = readlink(full, target, sizeof(target) - 1);
	target[size > 0 ? size : 0] = '\0';
	if (strcmp(target, entry->target) != 0)
		report_difference(walk, entry->path, entry->target, target);
}

static int compare_entry(const struct mkv_listing_entry *entry, void *context,
			 struct mkv_error *err)
{
	struct walk *walk = context;
	struct stat st;
	char expected[96], observed[96];
	if (is_one_of(entry->path, settings)) {
		int rc = note_listed(walk, entry->path, err);
		if (rc < 0)
			return rc;
	}
	if (is_written_at_run_time(entry->path)) {
		walk->skipped++;
		return 0;
	}
	walk->compared++;
	auto_free char *full = mkv_env_path(walk->env, "%s", entry->path);
	if (!full || lstat(full, &st) < 0) {
		report_difference(walk, entry->path, "present", "missing");
		return 0;
	}
	char type = entry->type == 'h' ? type_of(st.st_mode) : entry->type;
	(void)snprintf(expected, sizeof(expected), "%c %04o %u:%u", type,
		       entry->mode, entry->uid, entry->gid);
	(void)snprintf(observed, sizeof(observed), "%c %04o %u:%u",
		       type_of(st.st_mode), st.st_mode & 07777, st.st_uid,
		       st.st_gid);
	if (strcmp(expected, observed) != 0)
		report_difference(walk, entry->path, expected, observed);
	else if (entry->type == 'l' && entry->target)
		compare_link(walk, full, entry);
	else if (entry->has_size && S_ISREG(st.st_mode))
		compare_file(walk, full, &st, entry);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void judge_found(struct walk *walk, const char *path)
{
	/* Below /run only directories are searched that must be empty. */
	bool is_run = strncmp(path, "/run/", 5) == 0;
	if ((!is_run && is_written_at_run_time(path)) ||
	    (walk->n_listed && bsearch(&path, walk->listed, walk->n_listed,
				       sizeof(*walk->listed), compare_texts)))
		return;
	if (walk->added++ < SHOWN_MAX)
		mkv_answer_add(walk->answer, MKV_FAIL, path, "the file itself",
			       "absent", "present");
}

/* Everything below a directory must be listed. False: not all could be read. */
static bool find_added(struct walk *walk, const char *path, unsigned depth)
{
	auto_free char *full = mkv_env_path(walk->env, "%s", path);
	auto_dir DIR *dir = full ? opendir(full) : NULL;
	bool whole = true;
	if (!dir)
		return full && errno == ENOENT;
	for (struct dirent *entry; (errno = 0, entry = readdir(dir));) {
		auto_buf struct mkv_buf below = {0};
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		mkv_buf_printf(&below, "%s/%s", path, entry->d_name);
		if (below.failed)
			return false;
		judge_found(walk, below.data);
		if (fstatat(dirfd(dir), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		whole = depth < DEPTH_MAX &&
			find_added(walk, below.data, depth + 1) && whole;
	}
	return whole && errno == 0;
}

static void check_added(struct walk *walk)
{
	/* No file of the image is below /run. systemd keeps units of one boot
	 * in other directories (generator, transient). */
	static const char *const directories[] = {"/etc", "/usr/lib/systemd",
						  "/usr/local/lib/systemd",
						  "/run/systemd/system"};
	bool whole = true;
	if (walk->n_listed)
		qsort(walk->listed, walk->n_listed, sizeof(*walk->listed),
		      compare_texts);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]);
	     i++)
		whole = find_added(walk, directories[i], 0) && whole;
	mkv_answer_say(walk->answer,
		       walk->added ? MKV_FAIL
		       : whole	   ? MKV_PASS
				   : MKV_NOT_ESTABLISHED,
		       "other files", "/etc and systemd's directories",
		       "no unlisted files", "%" PRIu64 "%s", walk->added,
		       whole ? "" : " at least: not all could be read");
}

static void check_listed(const struct mkv_env *env, const struct mkv_buf *list,
			 const char *source, struct mkv_answer *answer)
{
	__attribute__((cleanup(walk_done))) struct walk walk = {
		.env = env, .answer = answer};
	struct mkv_error err;
	if (mkv_listing_parse(list->data, list->size, compare_entry, &walk,
			      &err) < 0) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "every file",
			       source, "readable", err.message);
		return;
	}
	mkv_answer_say(answer, walk.wrong ? MKV_FAIL : MKV_PASS, "every file",
		       "the files themselves", "each as listed",
		       "%" PRIu64 " compared, %" PRIu64
		       " of them read, %" PRIu64 " differ, %" PRIu64
		       " skipped that a running system writes",
		       walk.compared, walk.read, walk.wrong, walk.skipped);
	check_added(&walk);
}

void mkv_check_files(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_files *files = &env->image->files;
	if (!files->list)
		return;
	auto_free char *path = mkv_env_path(env, "%s", files->list);
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err;
	struct mkv_sha256 sha;
	char expected[MKV_SHA256_HEX_SIZE], observed[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&files->sha256, expected);
	if (!path || mkv_read_file(AT_FDCWD, path, LIST_MAX, &text, &err) < 0 ||
	    mkv_sha256_bytes(text.data, text.size, &sha, &err) < 0) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "list of files",
			       files->list, expected, NULL);
		return;
	}
	mkv_sha256_hex(&sha, observed);
	if (mkv_answer_compare(answer, "list of files", files->list, expected,
			       observed) == MKV_PASS)
		check_listed(env, &text, files->list, answer);
}
