/* SPDX-License-Identifier: MIT */
/* The marker file that makes a directory a store, and the recognition of stores
 * of earlier versions, which have no marker. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/core/store/store_internal.h"
#include "lib/io.h"

#define MARK "mkvbench-store"
#define MARK_NEW "mkvbench-store.new"
static const char mark_text[] = "mkvbench store 1\n";

static bool is_hex(const char *name, size_t length)
{
	return strspn(name, "0123456789abcdef") == length &&
	       name[length] == '\0';
}

static bool is_prefix(const char *name)
{
	return is_hex(name, 2);
}

static bool is_rest(const char *name)
{
	return is_hex(name, 62);
}

static bool is_digest(const char *name)
{
	return is_hex(name, 64);
}

/* A digest, or "DIGEST.SUFFIX", which a killed fetch leaves. */
static bool is_image(const char *name)
{
	return strspn(name, "0123456789abcdef") == 64 &&
	       (name[64] == '\0' || name[64] == '.');
}

bool mkv_store_is_temporary(const char *name)
{
	size_t pid = strspn(name, "0123456789");
	if (pid == 0 || name[pid] != '.')
		return false;
	const char *count = name + pid + 1;
	size_t length = strspn(count, "0123456789");
	return length > 0 && count[length] == '\0';
}

static const struct part {
	const char *name;
	bool is_optional;
	bool (*may_hold)(const char *name);
	mode_t type;				  /* of its entries */
	bool (*may_hold_below)(const char *name); /* regular files */
} parts[] = {
	{"external", true, is_image, S_IFDIR, NULL},
	{"objects", false, is_prefix, S_IFDIR, is_rest},
	{"partial", true, is_digest, S_IFREG, NULL},
	{"steps", false, is_prefix, S_IFDIR, is_rest},
	{"tmp", false, mkv_store_is_temporary, S_IFREG, NULL},
};
enum { N_PARTS = sizeof(parts) / sizeof(parts[0]) };

/* The first entry that no store has, in the order of names; "" for none. */
struct unexpected {
	char name[600];
};

static void note_unexpected(struct unexpected *unexpected,
			    const char *directory, const char *name)
{
	char path[sizeof(unexpected->name)];
	(void)snprintf(path, sizeof(path), "%s%s%s", directory,
		       *directory ? "/" : "", name);
	if (!unexpected->name[0] || strcmp(path, unexpected->name) < 0)
		(void)snprintf(unexpected->name, sizeof(unexpected->name), "%s",
			       path);
}

static int open_list(int fd, const char *name, DIR **ret)
{
	int list = openat(fd, name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (list < 0)
		return -errno;
	*ret = fdopendir(list);
	if (*ret)
		return 0;
	int code = errno;
	(void)close(list);
	return -code;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool has_type(int fd, const char *name, mode_t type)
{
	struct stat st;
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == type;
}

static int check_names(int fd, const char *name, const char *shown,
		       bool (*may_hold)(const char *), mode_t type,
		       bool (*may_hold_below)(const char *),
		       struct unexpected *unexpected)
{
	auto_dir DIR *dir = NULL;
	int rc = open_list(fd, name, &dir);
	if (rc < 0)
		return rc;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char below[32];
		if (is_dot(entry->d_name))
			continue;
		if (!may_hold(entry->d_name) ||
		    !has_type(dirfd(dir), entry->d_name, type)) {
			note_unexpected(unexpected, shown, entry->d_name);
			continue;
		}
		if (!may_hold_below)
			continue;
		(void)snprintf(below, sizeof(below), "%.20s/%.2s", shown,
			       entry->d_name);
		rc = check_names(dirfd(dir), entry->d_name, below,
				 may_hold_below, S_IFREG, NULL, unexpected);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* *ret_found: bit i is set when parts[i] is present. */
static int list_parts(int fd, unsigned *ret_found,
		      struct unexpected *unexpected)
{
	auto_dir DIR *dir = NULL;
	int rc = open_list(fd, ".", &dir);
	if (rc < 0)
		return rc;
	*ret_found = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		unsigned i = 0;
		/* The root of a file system of its own has lost+found. */
		if (is_dot(entry->d_name) ||
		    strcmp(entry->d_name, MARK_NEW) == 0 ||
		    strcmp(entry->d_name, "lost+found") == 0)
			continue;
		while (i < N_PARTS && strcmp(parts[i].name, entry->d_name) != 0)
			i++;
		if (i < N_PARTS && has_type(fd, entry->d_name, S_IFDIR))
			*ret_found |= 1U << i;
		else
			note_unexpected(unexpected, "", entry->d_name);
	}
	return 0;
}

static int check_parts(int fd, unsigned found, struct unexpected *unexpected)
{
	for (unsigned i = 0; i < N_PARTS; i++) {
		if (!(found & 1U << i))
			continue;
		int rc = check_names(fd, parts[i].name, parts[i].name,
				     parts[i].may_hold, parts[i].type,
				     parts[i].may_hold_below, unexpected);
		if (rc < 0)
			return rc;
	}
	/* Earlier versions created all required parts when opening a store. */
	for (unsigned i = 0; i < N_PARTS; i++)
		if (!unexpected->name[0] && !parts[i].is_optional &&
		    !(found & 1U << i))
			for (unsigned j = 0; j < N_PARTS; j++)
				if (found & 1U << j)
					note_unexpected(unexpected, "",
							parts[j].name);
	return 0;
}

static int classify_directory(int fd, const char *path,
			      enum mkv_store_state *ret, struct mkv_error *err)
{
	struct unexpected unexpected = {""};
	unsigned found = 0;
	int rc = list_parts(fd, &found, &unexpected);
	if (rc < 0)
		return mkv_store_fail(path, rc, "read the directory", err);
	if (!unexpected.name[0] && !found) {
		*ret = MKV_STORE_EMPTY;
		return 0;
	}
	if (!unexpected.name[0])
		rc = check_parts(fd, found, &unexpected);
	if (rc < 0)
		return mkv_store_fail(path, rc, "read its directories", err);
	if (unexpected.name[0])
		return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
				"'%s' is not a store and not empty: it holds "
				"'%s': choose another --store or an empty "
				"directory (nothing was changed)",
				path, unexpected.name);
	*ret = MKV_STORE_UNMARKED;
	return 0;
}

static int open_mark(int fd)
{
	return openat(fd, MARK,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			      O_CLOEXEC);
}

int mkv_store_mark_read(int fd, const char *path, enum mkv_store_state *ret,
			struct mkv_error *err)
{
	char text[sizeof(mark_text)] = "";
	struct stat st;
	auto_fd int mark = open_mark(fd);
	if (mark < 0 && errno == ENOENT) {
		int rc = classify_directory(fd, path, ret, err);
		if (rc == 0)
			return 0;
		/* Another build may have made the store since: it creates the
		 * marker before the directories that were found. */
		mark = open_mark(fd);
		if (mark < 0 && errno == ENOENT)
			return rc;
	}
	if (mark < 0 && errno != ELOOP && errno != ENXIO)
		return mkv_store_fail(path, errno, "read its marker", err);
	bool is_ours = mark >= 0 && fstat(mark, &st) == 0 &&
		       S_ISREG(st.st_mode) &&
		       st.st_size == sizeof(mark_text) - 1;
	struct mkv_error why;
	int rc = is_ours ? mkv_pread_all(mark, text, sizeof(mark_text) - 1, 0,
					 &why)
			 : -EINVAL;
	if (rc < 0 || strcmp(text, mark_text) != 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%s' is not a store of this version: its "
				"'" MARK "' has unexpected content: choose "
				"another --store (nothing was changed)",
				path);
	*ret = MKV_STORE_MARKED;
	return 0;
}

/* Called under the lock. A build that is killed here leaves at most MARK_NEW.
 */
static int write_mark(int fd, const char *path, struct mkv_error *err)
{
	struct mkv_error why;
	(void)unlinkat(fd, MARK_NEW, 0);
	auto_fd int mark = openat(
		fd, MARK_NEW,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (mark < 0)
		return mkv_store_fail(path, errno, "create its marker", err);
	int rc = mkv_write_all(mark, mark_text, sizeof(mark_text) - 1, &why);
	if (rc < 0)
		return mkv_store_fail(path, rc, "write its marker", err);
	if (fchmod(mark, 0644) < 0 || fsync(mark) < 0 ||
	    renameat(fd, MARK_NEW, fd, MARK) < 0)
		return mkv_store_fail(path, errno, "write its marker", err);
	return 0;
}

static int mark_locked(int fd, const char *path, struct mkv_error *err)
{
	enum mkv_store_state state;
	int rc = mkv_store_mark_read(fd, path, &state, err);
	if (rc < 0 || state == MKV_STORE_MARKED)
		return rc;
	return write_mark(fd, path, err);
}

int mkv_store_mark_ensure(int fd, const char *path, struct mkv_error *err)
{
	enum mkv_store_state state;
	/* Read without a lock first: a directory that is not a store must not
	 * even be locked. */
	int rc = mkv_store_mark_read(fd, path, &state, err);
	if (rc < 0 || state == MKV_STORE_MARKED)
		return rc;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return mkv_store_fail(path, errno, "lock the directory",
					      err);
	rc = mark_locked(fd, path, err);
	(void)flock(fd, LOCK_UN);
	return rc;
}
