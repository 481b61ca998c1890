/* SPDX-License-Identifier: MIT */
#include "builder/input/overlay/overlay.h"

#include <fcntl.h>
#include <string.h>

#include "builder/core/paths/paths.h"
#include "lib/io.h"

enum {
	DEPTH_MAX = 64,
	MODES_MAX = 1 << 20,
	TARGET_MAX = 4095,
	/* In a directory's mark: `.modes` sets its mode and owner. */
	EXPLICIT = 1,
};

static bool is_plain_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int mkv_overlay_find(const char *recipe_path, const char *name, char **ret,
		     struct mkv_error *err)
{
	if (!is_plain_name(name))
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not a valid overlay name", name);
	const char *slash = strrchr(recipe_path, '/');
	int length = slash ? (int)(slash - recipe_path) : 1;
	const char *directory = slash ? recipe_path : ".";
	static const char *const ups[] = {"", "/..", "/../.."};
	for (size_t i = 0; i < sizeof(ups) / sizeof(*ups); i++) {
		auto_free char *path = NULL;
		if (asprintf(&path, "%.*s%s/overlays/%s", length, directory,
			     ups[i], name) < 0)
			return mkv_oom(err);
		if (is_directory(path)) {
			*ret = mkv_take(path);
			return 0;
		}
	}
	auto_free char *own = NULL;
	int rc = mkv_paths_data("overlays", &own, err);
	if (rc < 0)
		return rc;
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", own, name) < 0)
		return mkv_oom(err);
	if (!is_directory(path))
		return mkv_fail(
			err, MKV_BAD_RECIPE, ENOENT,
			"overlay '%s' not found: neither overlays/%s next to "
			"the recipe or up to two directories above it, nor "
			"'%s'",
			name, name, path);
	*ret = mkv_take(path);
	return 0;
}

struct loading {
	struct mkv_tree *tree;
	int64_t epoch_s;
};

static int load_directory(struct loading *load, int fd, const char *at,
			  unsigned depth, struct mkv_error *err);

static int load_file(struct loading *load, int dirfd, const char *name,
		     const char *path, struct mkv_error *err)
{
	auto_fd int fd = openat(dirfd, name,
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' changed while it was being read", path);
	auto_source struct mkv_source *source = NULL;
	int rc = mkv_source_new(mkv_take_fd(&fd), &source, err);
	if (rc < 0)
		return rc;
	auto_content struct mkv_content *content =
		mkv_content_range(source, 0, (uint64_t)st.st_size, NULL);
	if (!content)
		return mkv_oom(err);
	auto_inode struct mkv_inode *inode = mkv_inode_file(
		st.st_mode & 0100 ? 0755 : 0644, 0, 0, load->epoch_s, content);
	if (!inode)
		return mkv_oom(err);
	content = NULL;
	return mkv_tree_put(load->tree, path, inode, err);
}

static int load_link(struct loading *load, int dirfd, const char *name,
		     const char *path, struct mkv_error *err)
{
	char target[TARGET_MAX + 1];
	ssize_t got = readlinkat(dirfd, name, target, sizeof(target));
	if (got <= 0 || got > TARGET_MAX)
		return mkv_fail(err, MKV_FAILED, got < 0 ? errno : ENAMETOOLONG,
				"read link '%s': %m", path);
	target[got] = '\0';
	return mkv_tree_put_symlink(load->tree, path, target, err);
}

static int load_entry(struct loading *load, int dirfd, const char *name,
		      const char *at, unsigned depth, struct mkv_error *err)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat '%s': %m", name);
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", at, name) < 0)
		return mkv_oom(err);
	if (S_ISREG(st.st_mode))
		return load_file(load, dirfd, name, path, err);
	if (S_ISLNK(st.st_mode))
		return load_link(load, dirfd, name, path, err);
	if (!S_ISDIR(st.st_mode))
		return mkv_fail(
			err, MKV_BAD_RECIPE, EINVAL,
			"'%s' is not a regular file, directory or symbolic "
			"link",
			path);
	int rc = mkv_tree_make_dirs(load->tree, path, err);
	if (rc < 0)
		return rc;
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	return load_directory(load, fd, path, depth + 1, err);
}

static int load_directory(struct loading *load, int fd, const char *at,
			  unsigned depth, struct mkv_error *err)
{
	if (depth > DEPTH_MAX)
		return mkv_fail(
			err, MKV_BAD_RECIPE, ELOOP,
			"'%s': directories are nested deeper than %d levels",
			at, DEPTH_MAX);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return mkv_fail(err, MKV_FAILED, errno, "dup: %m");
	auto_dir DIR *dir = fdopendir(copy);
	if (!dir) {
		(void)close(copy);
		return mkv_fail(err, MKV_FAILED, errno, "read '%s': %m", at);
	}
	/* The order of readdir() has no effect: a tree is sorted. */
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (depth == 0 && strcmp(name, ".modes") == 0))
			continue;
		int rc = load_entry(load, fd, name, at, depth, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Applies one line of `.modes`. */
static int apply_mode(struct mkv_tree *tree, char *line, unsigned number,
		      struct mkv_error *err)
{
	line[strcspn(line, "#")] = '\0';
	unsigned mode, uid, gid;
	char path[4096];
	int used = 0;
	if (line[strspn(line, " \t")] == '\0')
		return 0;
	if (sscanf(line, "%o %u %u %4095s%n", &mode, &uid, &gid, path, &used) !=
		    4 ||
	    line[used + (int)strspn(line + used, " \t")] != '\0' ||
	    mode > 07777)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				".modes:%u:1: expected 'MODE UID GID PATH'",
				number);
	struct mkv_inode *inode = mkv_tree_lookup(tree, path);
	if (!inode)
		return mkv_fail(
			err, MKV_BAD_RECIPE, ENOENT,
			".modes:%u:1: the overlay does not contain '%s'",
			number, path);
	inode->mode = (inode->mode & S_IFMT) | mode;
	inode->uid = uid;
	inode->gid = gid;
	inode->mark = EXPLICIT;
	return 0;
}

static int apply_modes(struct mkv_tree *tree, int fd, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(fd, ".modes", MODES_MAX, &text, err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	unsigned number = 0;
	char *rest = text.data;
	for (char *line; rest && (line = strsep(&rest, "\n"));) {
		rc = apply_mode(tree, line, ++number, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_overlay_load(const char *path, int64_t epoch_s, struct mkv_tree **ret,
		     struct mkv_error *err)
{
	struct loading load = {.epoch_s = epoch_s};
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_tree_new(epoch_s, &tree, err);
	if (rc < 0)
		return rc;
	load.tree = tree;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	rc = load_directory(&load, fd, "", 0, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "overlay '%s'", path);
	rc = apply_modes(tree, fd, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "overlay '%s'", path);
	*ret = mkv_take(tree);
	return 0;
}

static int apply_entry(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	struct mkv_tree *base = context;
	if (path[1] == '\0')
		return 0;
	if (!S_ISDIR(inode->mode)) {
		/* A copy, because an inode belongs to one tree and the overlay
		 * keeps its own. */
		auto_inode struct mkv_inode *copy = NULL;
		int rc = mkv_inode_copy(inode, &copy, err);
		if (rc < 0)
			return rc;
		return mkv_tree_put(base, path, copy, err);
	}
	bool was_there = mkv_tree_lookup(base, path) != NULL;
	int rc = mkv_tree_make_dirs(base, path, err);
	if (rc < 0)
		return rc;
	struct mkv_inode *directory = mkv_tree_lookup(base, path);
	if (!was_there || inode->mark == EXPLICIT) {
		directory->mode = inode->mode;
		directory->uid = inode->uid;
		directory->gid = inode->gid;
	}
	return 0;
}

int mkv_overlay_apply(struct mkv_tree *base, const struct mkv_tree *overlay,
		      struct mkv_error *err)
{
	return mkv_tree_walk(overlay, apply_entry, base, err);
}

/* Only for directories does the meaning of an overlay depend on whether
 * `.modes` names them: see apply_entry(). */
static bool has_explicit_mode(const struct mkv_inode *inode)
{
	return S_ISDIR(inode->mode) && inode->mark == EXPLICIT;
}

static int digest_entry(const char *path, struct mkv_inode *inode,
			void *context, struct mkv_error *err)
{
	struct mkv_hasher *hasher = context;
	char hex[MKV_SHA256_HEX_SIZE] = "";
	if (inode->content) {
		struct mkv_sha256 sha256;
		int rc = mkv_content_sha256(inode->content, &sha256, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s'", path);
		mkv_sha256_hex(&sha256, hex);
	}
	/* The listing is unambiguous, because a path or target contains no NUL.
	 */
	char head[64];
	int used = snprintf(head, sizeof(head), "%o %u %u ", inode->mode,
			    inode->uid, inode->gid);
	mkv_hasher_add(hasher, head, (size_t)used);
	mkv_hasher_add(hasher, path, strlen(path) + 1);
	mkv_hasher_add(hasher, hex, strlen(hex) + 1);
	if (inode->target)
		mkv_hasher_add(hasher, inode->target, strlen(inode->target));
	if (has_explicit_mode(inode))
		mkv_hasher_add(hasher, ".modes", 6);
	mkv_hasher_add(hasher, "\n", 1);
	return 0;
}

int mkv_overlay_tree_digest(const struct mkv_tree *overlay,
			    struct mkv_sha256 *ret, struct mkv_error *err)
{
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	if (!hasher)
		return mkv_oom(err);
	int rc = mkv_tree_walk(overlay, digest_entry, hasher, err);
	return rc < 0 ? rc : mkv_hasher_finish(hasher, ret, err);
}

int mkv_overlay_digest(const char *path, struct mkv_sha256 *ret,
		       struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_overlay_load(path, 0, &tree, err);
	return rc < 0 ? rc : mkv_overlay_tree_digest(tree, ret, err);
}

struct visit {
	mkv_overlay_visit *visit;
	void *context;
};

static int visit_entry(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	const struct visit *v = context;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text, "%o %u:%u", inode->mode, inode->uid, inode->gid);
	if (inode->content) {
		struct mkv_sha256 sha256;
		char hex[MKV_SHA256_HEX_SIZE];
		int rc = mkv_content_sha256(inode->content, &sha256, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s'", path);
		mkv_sha256_hex(&sha256, hex);
		mkv_buf_printf(&text, " %s", hex);
	}
	if (inode->target)
		mkv_buf_printf(&text, " -> %s", inode->target);
	if (has_explicit_mode(inode))
		mkv_buf_str(&text, " by .modes");
	int rc = mkv_buf_check(&text, err);
	return rc < 0 ? rc : v->visit(path, text.data, v->context, err);
}

int mkv_overlay_entries(const struct mkv_tree *overlay,
			mkv_overlay_visit *visit, void *context,
			struct mkv_error *err)
{
	struct visit v = {visit, context};
	return mkv_tree_walk(overlay, visit_entry, &v, err);
}
