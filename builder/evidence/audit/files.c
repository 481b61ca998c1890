/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "builder/evidence/audit/audit_internal.h"
#include "lib/io.h"

enum {
	SUMS_MAX_BYTES = 64 * 1024 * 1024,
	MANIFEST_MAX_BYTES = 64 * 1024 * 1024,
	DEPTH_MAX = 64,
	FILES_MAX = 1000000,
};

int mkv_audit_open(const struct mkv_audit *audit, const char *path, int *ret_fd)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	auto_fd int fd = (int)syscall(SYS_openat2, audit->dirfd, path, &how,
				      sizeof(how));
	struct stat st;
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EINVAL : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

/* Adds the reason for which a file can't be read. */
static void add_unreadable(struct mkv_audit *audit, const char *path, int rc)
{
	if (rc == -ENOENT || rc == -ENOTDIR)
		mkv_audit_add(audit->report, path, "missing");
	else if (rc == -EINVAL)
		mkv_audit_add(audit->report, path, "isn't a regular file");
	else
		mkv_audit_add(audit->report, path, "can't be read: %s",
			      strerror(-rc));
}

int mkv_audit_read(struct mkv_audit *audit, const char *path,
		   size_t limit_bytes, struct mkv_buf *ret,
		   struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = mkv_audit_open(audit, path, &fd);
	if (rc >= 0)
		rc = mkv_read_fd(fd, limit_bytes, ret, err);
	if (rc == -ENOMEM)
		return mkv_oom(err);
	if (rc < 0) {
		add_unreadable(audit, path, rc);
		return 1;
	}
	return 0;
}

/* The relative paths of everything but directories. */
struct walk {
	struct mkv_audit *audit;
	char **paths;
	size_t count, capacity;
};

static void walk_done(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		free(walk->paths[i]);
	free(walk->paths);
}

static int walk_add(struct walk *walk, char **path, struct mkv_error *err)
{
	if (walk->count == FILES_MAX)
		return mkv_fail(err, MKV_HOST_CANNOT, E2BIG,
				"more than %d files", FILES_MAX);
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? 2 * walk->capacity : 64;
		char **paths =
			reallocarray(walk->paths, capacity, sizeof(*paths));
		if (!paths)
			return mkv_oom(err);
		walk->paths = paths;
		walk->capacity = capacity;
	}
	walk->paths[walk->count++] = mkv_take(*path);
	return 0;
}

static int walk_directory(struct walk *walk, int dirfd, const char *name,
			  const char *path, unsigned depth,
			  struct mkv_error *err)
{
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	auto_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		mkv_audit_add(walk->audit->report, path, "can't be read: %s",
			      strerror(errno));
		return 0;
	}
	int own = mkv_take_fd(&fd);
	if (depth > DEPTH_MAX) {
		mkv_audit_add(walk->audit->report, path,
			      "directories are nested too deeply");
		return 0;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		struct stat st;
		auto_free char *below = NULL;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&below, "%s%s%s", path, path[0] ? "/" : "",
			     e->d_name) < 0)
			return mkv_oom(err);
		bool is_directory = fstatat(own, e->d_name, &st,
					    AT_SYMLINK_NOFOLLOW) == 0 &&
				    S_ISDIR(st.st_mode);
		int rc = is_directory ? walk_directory(walk, own, e->d_name,
						       below, depth + 1, err)
				      : walk_add(walk, &below, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool is_unsummed(const char *path, const char *const *unsummed)
{
	for (; *unsummed; unsummed++) {
		size_t length = strlen(*unsummed);
		bool is_directory = (*unsummed)[length - 1] == '/';
		if (strncmp(path, *unsummed, length) == 0 &&
		    (is_directory || path[length] == '\0'))
			return true;
	}
	return strcmp(path, "SHA256SUMS") == 0 ||
	       strcmp(path, "SHA256SUMS.sig") == 0;
}

/* Files that SHA256SUMS doesn't name. */
static int check_extra(struct mkv_audit *audit, const char *const *unsummed,
		       struct mkv_error *err)
{
	__attribute__((cleanup(walk_done))) struct walk walk = {.audit = audit};
	int rc = walk_directory(&walk, audit->dirfd, ".", "", 0, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < walk.count; i++) {
		const char *path = walk.paths[i];
		if (!is_unsummed(path, unsummed) &&
		    !mkv_sums_find(audit->sums, path))
			mkv_audit_add(audit->report, path,
				      "extra: not in SHA256SUMS");
	}
	return 0;
}

static int check_digest(struct mkv_audit *audit, const struct mkv_sum *sum,
			struct mkv_error *err)
{
	auto_fd int fd = -1;
	struct mkv_sha256 got;
	uint64_t size = 0;
	int rc = mkv_audit_open(audit, sum->path, &fd);
	if (rc >= 0)
		rc = mkv_sha256_fd(fd, &got, &size, err);
	if (rc == -ENOMEM)
		return mkv_oom(err);
	if (rc < 0) {
		add_unreadable(audit, sum->path, rc);
		return 0;
	}
	audit->report->files++;
	audit->report->bytes += size;
	mkv_progress_advance(audit->options->progress, size);
	if (!mkv_sha256_equal(&got, &sum->sha256)) {
		char want_hex[MKV_SHA256_HEX_SIZE],
			got_hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&sum->sha256, want_hex);
		mkv_sha256_hex(&got, got_hex);
		mkv_audit_add(audit->report, sum->path,
			      "sha256 differs: expected %s got %s", want_hex,
			      got_hex);
	}
	return 0;
}

static int check_signature(struct mkv_audit *audit, const struct mkv_buf *sums,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf signature = {0};
	int rc = mkv_audit_read(audit, "SHA256SUMS.sig", 4096, &signature, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (signature.size != MKV_SIGNATURE_SIZE) {
		mkv_audit_add(audit->report, "SHA256SUMS.sig",
			      "isn't an Ed25519 signature");
		return 0;
	}
	rc = mkv_signature_verify(&audit->report->key, sums->data, sums->size,
				  (const uint8_t *)signature.data, err);
	if (rc < 0 && err->kind != MKV_UNVERIFIED)
		return rc;
	if (rc < 0)
		mkv_audit_add(audit->report, "SHA256SUMS.sig",
			      "SHA256SUMS or its signature was changed, or "
			      "another key signed it");
	else
		audit->report->signatures++;
	return 0;
}

int mkv_audit_sums(struct mkv_audit *audit, const char *const *unsummed,
		   struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc =
		mkv_audit_read(audit, "SHA256SUMS", SUMS_MAX_BYTES, &text, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = check_signature(audit, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sums_parse(text.data, text.size, &audit->sums, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		mkv_audit_add(audit->report, "SHA256SUMS", "%s", err->message);
		return 0;
	}
	for (size_t i = 0; i < audit->sums->count; i++) {
		rc = check_digest(audit, &audit->sums->items[i], err);
		if (rc < 0)
			return rc;
	}
	return check_extra(audit, unsummed, err);
}

/* A file of the manifest must have the digest of SHA256SUMS and its own size.
 */
static void compare_artifact(struct mkv_audit *audit,
			     const struct mkv_manifest_artifact *a)
{
	const struct mkv_sum *sum = mkv_sums_find(audit->sums, a->path);
	struct stat st;
	auto_fd int fd = -1;
	if (!sum)
		mkv_audit_add(audit->report, a->path,
			      "in manifest.json, not in SHA256SUMS");
	else if (!mkv_sha256_equal(&sum->sha256, &a->sha256))
		mkv_audit_add(audit->report, a->path,
			      "sha256 differs between manifest.json and "
			      "SHA256SUMS");
	else if (mkv_audit_open(audit, a->path, &fd) == 0 &&
		 fstat(fd, &st) == 0 && (uint64_t)st.st_size != a->size_bytes)
		mkv_audit_add(audit->report, a->path,
			      "size differs: expected %ju got %ju",
			      (uintmax_t)a->size_bytes, (uintmax_t)st.st_size);
}

static void compare_manifest(struct mkv_audit *audit)
{
	const struct mkv_manifest *manifest = audit->manifest;
	size_t at = 0;
	for (size_t i = 0; i < audit->sums->count; i++) {
		const struct mkv_sum *sum = &audit->sums->items[i];
		if (strcmp(sum->path, "manifest.json") == 0 ||
		    strncmp(sum->path, "attestations/", 13) == 0)
			continue;
		while (at < manifest->n_artifacts &&
		       strcmp(manifest->artifacts[at].path, sum->path) < 0)
			at++;
		if (at == manifest->n_artifacts ||
		    strcmp(manifest->artifacts[at].path, sum->path) != 0)
			mkv_audit_add(audit->report, sum->path,
				      "extra: not in manifest.json");
	}
	for (size_t i = 0; i < manifest->n_artifacts; i++)
		compare_artifact(audit, &manifest->artifacts[i]);
}

int mkv_audit_files(struct mkv_audit *audit, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_audit_sums(audit, (const char *const[]){NULL}, err);
	if (rc < 0)
		return rc;
	rc = mkv_audit_read(audit, "manifest.json", MANIFEST_MAX_BYTES, &text,
			    err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_manifest_parse(text.data ? text.data : "", text.size,
				&audit->manifest, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		mkv_audit_add(audit->report, "manifest.json", "%s",
			      err->message);
	else if (audit->sums)
		compare_manifest(audit);
	return 0;
}
