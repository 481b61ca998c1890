/* SPDX-License-Identifier: MIT */
/* The files of the root file system: what the image's list says of each, and
 * that settings and units have none beside it. */
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

/* One whose name ends in '/', '_' or '.' is the beginning of others. */
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

/* What a running system writes: its identity, its state, its logs. Their bytes
 * are nobody's promise; the names, owners and modes of the rest are. */
static bool is_alive(const char *path)
{
	static const char *const names[] = {
		"/var/",
		"/run/",
		"/tmp/",
		"/dev/",
		"/proc/",
		"/sys/",
		"/boot/",
		/* whose root another file system covers */
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
		"/etc/cni", /* containerd makes it */
		"/etc/cni/",
		/* where libvirt keeps what is defined and started here; the
		 * guests' own checks compare it */
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

/* Where one file more, or another byte, is another setting of this system. Each
 * is read at the gate, and nothing may be there but what is listed. */
static const char *const settings[] = {
	"/etc/",
	"/usr/lib/systemd/",
	NULL,
};
/* Read as well, though the contract's own files lie there unlisted. */
static const char *const read_too[] = {"/usr/lib/mkvbench/", NULL};

struct walk {
	const struct mkv_env *env;
	struct mkv_answer *answer;
	uint64_t compared, read, passed_over, wrong, added;
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

static void complain(struct walk *walk, const char *path, const char *expected,
		     const char *observed)
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
		complain(walk, entry->path, "readable", "can't be read");
		return;
	}
	if (mkv_sha256_equal(&sha, &entry->sha256))
		return;
	mkv_sha256_hex(&entry->sha256, expected);
	mkv_sha256_hex(&sha, observed);
	complain(walk, entry->path, expected, observed);
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

/* Its size and when it was written, which costs nothing to ask, and then its
 * bytes. */
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
		complain(walk, entry->path, expected, observed);
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
		complain(walk, entry->path, entry->target, target);
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
	if (is_alive(entry->path)) {
		walk->passed_over++;
		return 0;
	}
	walk->compared++;
	auto_free char *full = mkv_env_path(walk->env, "%s", entry->path);
	if (!full || lstat(full, &st) < 0) {
		complain(walk, entry->path, "there", "not there");
		return 0;
	}
	char type = entry->type == 'h' ? type_of(st.st_mode) : entry->type;
	(void)snprintf(expected, sizeof(expected), "%c %04o %u:%u", type,
		       entry->mode, entry->uid, entry->gid);
	(void)snprintf(observed, sizeof(observed), "%c %04o %u:%u",
		       type_of(st.st_mode), st.st_mode & 07777, st.st_uid,
		       st.st_gid);
	if (strcmp(expected, observed) != 0)
		complain(walk, entry->path, expected, observed);
	else if (entry->type == 'l' && entry->target)
		compare_link(walk, full, entry);
	else if (entry->has_size && S_ISREG(st.st_mode))
		compare_file(walk, full, &st, entry);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void judge_found(struct walk *walk, const char *path)
{
	bool is_runs = strncmp(path, "/run/", 5) == 0; /* where none may be */
	if ((!is_runs && is_alive(path)) ||
	    (walk->n_listed && bsearch(&path, walk->listed, walk->n_listed,
				       sizeof(*walk->listed), by_text)))
		return;
	if (walk->added++ < SHOWN_MAX)
		mkv_answer_add(walk->answer, MKV_FAIL, path, "the file itself",
			       "not there", "there");
}

/* Everything below a folder must be listed; false when it can't be read. */
static bool find_added(struct walk *walk, const char *path, unsigned depth)
{
	auto_free char *folder = mkv_env_path(walk->env, "%s", path);
	auto_dir DIR *dir = folder ? opendir(folder) : NULL;
	bool whole = true;
	if (!dir)
		return folder && errno == ENOENT;
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
	/* Of the image's nothing lies below /run; what is made there for one
	 * boot has folders of its own (generator, transient). */
	static const char *const folders[] = {"/etc", "/usr/lib/systemd",
					      "/usr/local/lib/systemd",
					      "/run/systemd/system"};
	bool whole = true;
	if (walk->n_listed)
		qsort(walk->listed, walk->n_listed, sizeof(*walk->listed),
		      by_text);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		whole = find_added(walk, folders[i], 0) && whole;
	mkv_answer_say(walk->answer,
		       walk->added ? MKV_FAIL
		       : whole	   ? MKV_PASS
				   : MKV_NOT_ESTABLISHED,
		       "other files", "/etc and systemd's folders",
		       "none that isn't listed", "%" PRIu64 "%s", walk->added,
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
		       " that a running system writes passed over",
		       walk.compared, walk.read, walk.wrong, walk.passed_over);
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
