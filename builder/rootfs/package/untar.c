/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/package/untar.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

enum { CHUNK = 256 * 1024, PATH_LIMIT = 4095, NAME_LIMIT = 255 };

struct mkv_untar {
	struct archive *archive;
	struct archive_entry *entry;
	struct mkv_untar_limits left;
	int fd;
	uint64_t at, end;
	char path[PATH_LIMIT + 1];
	char target[PATH_LIMIT + 1];
	uint64_t size; /* of the current entry */
	uint8_t chunk[CHUNK];
};

static la_ssize_t read_chunk(struct archive *archive, void *context,
			     const void **ret)
{
	struct mkv_untar *tar = context;
	uint64_t left = tar->end - tar->at;
	size_t want = left < CHUNK ? (size_t)left : CHUNK;
	struct mkv_error err;
	if (want > 0 &&
	    mkv_pread_all(tar->fd, tar->chunk, want, tar->at, &err) < 0) {
		archive_set_error(archive, err.code, "%s", err.message);
		return ARCHIVE_FATAL;
	}
	tar->at += want;
	*ret = tar->chunk;
	return (la_ssize_t)want;
}

static int fail_archive(struct mkv_untar *tar, const char *path,
			struct mkv_error *err)
{
	const char *why = archive_error_string(tar->archive);
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "%s%star: %s",
			path ? path : "", path ? ": " : "",
			why ? why : "malformed");
}

int mkv_untar_open(int fd, uint64_t offset, uint64_t size,
		   const struct mkv_untar_limits *limits,
		   struct mkv_untar **ret, struct mkv_error *err)
{
	auto_untar struct mkv_untar *tar = calloc(1, sizeof(*tar));
	if (!tar)
		return mkv_oom(err);
	tar->fd = fd;
	tar->at = offset;
	tar->left = *limits;
	if (__builtin_add_overflow(offset, size, &tar->end))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"tar: offset plus size overflows");
	tar->archive = archive_read_new();
	if (!tar->archive)
		return mkv_oom(err);
	if (archive_read_support_filter_gzip(tar->archive) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(tar->archive) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(tar->archive) != ARCHIVE_OK ||
	    archive_read_support_format_tar(tar->archive) != ARCHIVE_OK ||
	    archive_read_open(tar->archive, tar, NULL, read_chunk, NULL) !=
		    ARCHIVE_OK)
		return fail_archive(tar, NULL, err);
	*ret = mkv_take(tar);
	return 0;
}

void mkv_untar_free(struct mkv_untar *tar)
{
	if (!tar)
		return;
	if (tar->archive)
		archive_read_free(tar->archive);
	free(tar);
}

int mkv_untar_refuse(struct mkv_error *err, const char *path, const char *why)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "'%.300s' is refused: %s",
			path, why);
}

/* "./usr/bin/" becomes "/usr/bin", "./" becomes "/". */
static int normalise_path(const char *from, char to[static PATH_LIMIT + 1],
			  struct mkv_error *err)
{
	const char *at = from;
	size_t used = 0;
	if (at[0] == '/')
		return mkv_untar_refuse(err, from, "absolute path");
	if (at[0] == '.' && (at[1] == '/' || at[1] == '\0'))
		at += at[1] ? 2 : 1;
	while (*at) {
		size_t length = strcspn(at, "/");
		if (length == 0 || (length == 1 && at[0] == '.'))
			return mkv_untar_refuse(
				err, from,
				"path has an empty component or '.'");
		if (length == 2 && at[0] == '.' && at[1] == '.')
			return mkv_untar_refuse(err, from,
						"path has a '..' component");
		if (length > NAME_LIMIT || used + 1 + length > PATH_LIMIT)
			return mkv_untar_refuse(err, from, "path too long");
		to[used++] = '/';
		memcpy(to + used, at, length);
		used += length;
		at += length + (at[length] == '/');
	}
	if (used == 0)
		to[used++] = '/';
	to[used] = '\0';
	return 0;
}

/* libarchive returns the unconverted bytes of a name, or NULL where a pax
 * header declares UTF-8 and the locale has another encoding. */
static const char *raw_bytes(const char *bytes, const char *utf8)
{
	return bytes ? bytes : utf8;
}

static int read_target(struct mkv_untar *tar, struct mkv_untar_entry *entry,
		       struct mkv_error *err)
{
	struct archive_entry *from = tar->entry;
	const char *hard = raw_bytes(archive_entry_hardlink(from),
				     archive_entry_hardlink_utf8(from));
	if (hard) {
		entry->mode &= 07777;
		entry->target = tar->target;
		return normalise_path(hard, tar->target, err);
	}
	if (!S_ISLNK(entry->mode))
		return 0;
	const char *target = raw_bytes(archive_entry_symlink(from),
				       archive_entry_symlink_utf8(from));
	if (!target || !*target || strlen(target) > PATH_LIMIT)
		return mkv_untar_refuse(
			err, tar->path,
			"symbolic link with an empty or too long target");
	(void)memcpy(tar->target, target, strlen(target) + 1);
	entry->target = tar->target;
	return 0;
}

static int check_entry(struct mkv_untar *tar,
		       const struct mkv_untar_entry *entry,
		       struct mkv_error *err)
{
	int64_t uid = archive_entry_uid(tar->entry);
	int64_t gid = archive_entry_gid(tar->entry);
	if (uid < 0 || uid > UINT16_MAX || gid < 0 || gid > UINT16_MAX)
		return mkv_untar_refuse(err, tar->path, "owner id over 65535");
	if (!entry->target && !S_ISREG(entry->mode) && !S_ISDIR(entry->mode))
		return mkv_untar_refuse(err, tar->path,
					"device, FIFO or socket");
	if (strcmp(tar->path, "/") == 0 && !S_ISDIR(entry->mode))
		return mkv_untar_refuse(err, "/",
					"the root must be a directory");
	if (tar->left.entries == 0)
		return mkv_untar_refuse(err, tar->path, "too many entries");
	tar->left.entries--;
	if (entry->size > tar->left.bytes)
		return mkv_untar_refuse(err, tar->path,
					"total size over the limit");
	tar->left.bytes -= entry->size;
	return 0;
}

int mkv_untar_next(struct mkv_untar *tar, struct mkv_untar_entry *ret,
		   struct mkv_error *err)
{
	int got = archive_read_next_header(tar->archive, &tar->entry);
	if (got == ARCHIVE_EOF)
		return 0;
	if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
		return fail_archive(tar, NULL, err);
	const char *path = raw_bytes(archive_entry_pathname(tar->entry),
				     archive_entry_pathname_utf8(tar->entry));
	if (!path)
		return fail_archive(tar, NULL, err);
	int rc = normalise_path(path, tar->path, err);
	if (rc < 0)
		return rc;
	struct mkv_untar_entry entry = {
		.path = tar->path,
		.mode = archive_entry_mode(tar->entry) & (S_IFMT | 07777),
		.mtime_s = archive_entry_mtime(tar->entry),
	};
	rc = read_target(tar, &entry, err);
	if (rc < 0)
		return rc;
	if (S_ISREG(entry.mode)) {
		int64_t size = archive_entry_size(tar->entry);
		if (size < 0)
			return mkv_untar_refuse(err, tar->path,
						"negative size");
		entry.size = (uint64_t)size;
	}
	rc = check_entry(tar, &entry, err);
	if (rc < 0)
		return rc;
	entry.uid = (uint32_t)archive_entry_uid(tar->entry);
	entry.gid = (uint32_t)archive_entry_gid(tar->entry);
	tar->size = entry.size;
	*ret = entry;
	return 1;
}

int mkv_untar_extract(struct mkv_untar *tar, int to, struct mkv_error *err)
{
	uint64_t written = 0;
	for (;;) {
		const void *block;
		size_t size;
		la_int64_t offset;
		int got = archive_read_data_block(tar->archive, &block, &size,
						  &offset);
		if (got == ARCHIVE_EOF)
			break;
		if (got != ARCHIVE_OK)
			return fail_archive(tar, tar->path, err);
		if (offset < 0 || (uint64_t)offset < written ||
		    (uint64_t)offset > tar->size ||
		    size > tar->size - (uint64_t)offset)
			return mkv_untar_refuse(
				err, tar->path,
				"data beyond its declared size");
		int rc = mkv_pwrite_all(to, block, size, (uint64_t)offset, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s'", tar->path);
		written = (uint64_t)offset + size;
	}
	if (written < tar->size && ftruncate(to, (off_t)tar->size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "set size of '%s': %m",
				tar->path);
	return 0;
}
