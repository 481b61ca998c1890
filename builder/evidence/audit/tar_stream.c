/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/auto.h"

enum {
	BLOCK = 512,
	/* The headers of an entry must be in two of them; libarchive's limit of
	 * one extension header is 1 MiB. */
	CHUNK = 1024 * 1024,
};

/* POSIX.1-2001, pax, ustar Interchange Format: up to the typeflag, and the
 * numbers of a device. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char typeflag, unused[172];
	char major[8], minor[8], prefix[167];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

void mkv_tar_stream_done(struct mkv_tar_stream *s)
{
	if (s->archive)
		(void)archive_read_free(s->archive);
	free(s->chunks[0].data);
	free(s->chunks[1].data);
}

int mkv_tar_malformed(struct mkv_error *err, const char *path, const char *why)
{
	return mkv_fail(err, MKV_HOST_CANNOT, EBADMSG,
			"tar stream: %s%.200s%s%s", path ? "'" : "",
			path ? path : "", path ? "': " : "", why);
}

int mkv_tar_stream_fail(const struct mkv_tar_stream *s, const char *path,
			struct mkv_error *err)
{
	const char *why = archive_error_string(s->archive);
	if (s->read_code)
		return mkv_fail(err, MKV_FAILED, s->read_code,
				"tar stream: read: %m");
	if (archive_errno(s->archive) == ENOMEM)
		return mkv_oom(err);
	return mkv_tar_malformed(err, path, why ? why : "malformed");
}

/* Chunks are whole but for the last, so that no block spans two of them. */
static la_ssize_t read_chunk(struct archive *archive, void *context,
			     const void **ret)
{
	struct mkv_tar_stream *s = context;
	struct mkv_tar_chunk *chunk = &s->chunks[s->turn];
	s->turn = !s->turn;
	chunk->size = 0;
	chunk->offset = s->offset;
	while (chunk->size < CHUNK) {
		ssize_t got = read(s->fd, chunk->data + chunk->size,
				   CHUNK - chunk->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			s->read_code = errno;
			archive_set_error(archive, errno, "read");
			return ARCHIVE_FATAL;
		}
		if (got == 0)
			break;
		chunk->size += (size_t)got;
	}
	s->offset += chunk->size;
	*ret = chunk->data;
	return (la_ssize_t)chunk->size;
}

/* A block of the stream; NULL when it is no longer kept. */
static const void *find_block(const struct mkv_tar_stream *s, la_int64_t offset)
{
	for (size_t i = 0; offset >= 0 && i < 2; i++) {
		const struct mkv_tar_chunk *chunk = &s->chunks[i];
		if ((uint64_t)offset >= chunk->offset &&
		    (uint64_t)offset + BLOCK <= chunk->offset + chunk->size)
			return chunk->data + ((uint64_t)offset - chunk->offset);
	}
	return NULL;
}

/* libarchive takes the end of the bytes for the end of the archive: a stream
 * that was cut between two entries lacks the block of zeros. */
static int check_end(const struct mkv_tar_stream *s, struct mkv_error *err)
{
	static const char zeros[BLOCK];
	la_int64_t at = archive_read_header_position(s->archive);
	const void *block = find_block(s, at);
	if (!block || archive_filter_bytes(s->archive, 0) <= at ||
	    memcmp(block, zeros, BLOCK) != 0)
		return mkv_tar_malformed(err, NULL,
					 "ends without an end marker");
	return 0;
}

/* A number of a header: octal digits, blanks and NULs, or base-256 (GNU).
 * libarchive stops at the first other byte. */
static bool is_number(const char *field, size_t size)
{
	if (field[0] & 0x80)
		return true;
	for (size_t i = 0; i < size; i++)
		if (field[i] && !strchr("01234567 ", field[i]))
			return false;
	return true;
}

static bool has_numbers(const struct header *h)
{
	bool is_device = h->typeflag == '3' || h->typeflag == '4';
	return is_number(h->mode, sizeof(h->mode)) &&
	       is_number(h->uid, sizeof(h->uid)) &&
	       is_number(h->gid, sizeof(h->gid)) &&
	       is_number(h->size, sizeof(h->size)) &&
	       is_number(h->mtime, sizeof(h->mtime)) &&
	       (!is_device || (is_number(h->major, sizeof(h->major)) &&
			       is_number(h->minor, sizeof(h->minor))));
}

/* The typeflag of the entry that libarchive has just read, after the headers
 * that extend it. libarchive reads an unknown typeflag as a regular file, skips
 * a volume's header, and interprets Solaris' access control lists; other
 * readers extract something else, so these are refused here. */
static int read_typeflag(const struct mkv_tar_stream *s, char *ret,
			 struct mkv_error *err)
{
	la_int64_t at = archive_read_header_position(s->archive);
	la_int64_t end = archive_filter_bytes(s->archive, 0);
	while (at < end) {
		const struct header *h = find_block(s, at);
		char size[sizeof(h->size) + 1] = "";
		if (!h)
			return mkv_tar_malformed(
				err, NULL,
				"the headers of an entry are too "
				"long");
		if (!has_numbers(h))
			return mkv_tar_malformed(
				err, NULL, "a header with an invalid number");
		at += BLOCK;
		if (at == end) {
			*ret = h->typeflag;
			return 0;
		}
		if (!memchr("xgLK", h->typeflag, 4))
			break;
		memcpy(size, h->size, sizeof(h->size));
		at += (strtoll(size, NULL, 8) + BLOCK - 1) / BLOCK * BLOCK;
	}
	return mkv_tar_malformed(err, NULL, "an unknown type of header");
}

/* The type of an entry; '\0' where libarchive and the typeflag disagree, as
 * they do for a regular file whose name ends in '/': libarchive makes it a
 * directory. */
static char entry_type(struct archive_entry *entry, char flag)
{
	static const struct {
		mode_t format;
		char type, flag;
	} rows[] = {
		{S_IFREG, 'f', '0'}, {S_IFLNK, 'l', '2'}, {S_IFCHR, 'c', '3'},
		{S_IFBLK, 'b', '4'}, {S_IFDIR, 'd', '5'}, {S_IFIFO, 'p', '6'},
	};
	if (flag == '\0' || flag == '7') /* of V7; contiguous */
		flag = '0';
	if (archive_entry_hardlink(entry) || archive_entry_hardlink_utf8(entry))
		return flag == '1' ? 'h' : '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (archive_entry_filetype(entry) == rows[i].format)
			return flag == rows[i].flag ? rows[i].type : '\0';
	return '\0';
}

const char *mkv_tar_raw(const char *bytes, const char *utf8)
{
	return bytes ? bytes : utf8;
}

int mkv_tar_stream_next(struct mkv_tar_stream *s, struct archive_entry **ret,
			char *ret_type, struct mkv_error *err)
{
	struct archive_entry *entry;
	char flag = '\0';
	int got = archive_read_next_header(s->archive, &entry);
	if (got == ARCHIVE_EOF)
		return check_end(s, err);
	/* The one warning that is passed over is that of a name that can't be
	 * converted to the locale's character set, whose bytes are kept:
	 * EILSEQ, libarchive's ARCHIVE_ERRNO_FILE_FORMAT on Linux. Ignored pax
	 * records have another number. */
	if (got != ARCHIVE_OK &&
	    (got != ARCHIVE_WARN || archive_errno(s->archive) != EILSEQ))
		return mkv_tar_stream_fail(s, NULL, err);
	const char *name = mkv_tar_raw(archive_entry_pathname(entry),
				       archive_entry_pathname_utf8(entry));
	int rc = read_typeflag(s, &flag, err);
	if (rc < 0)
		return rc;
	if (!name)
		return mkv_tar_malformed(err, NULL, "an entry without a name");
	*ret_type = entry_type(entry, flag);
	if (!*ret_type)
		return mkv_tar_malformed(err, name, "an unknown type of entry");
	*ret = entry;
	return 1;
}

int mkv_tar_stream_open(struct mkv_tar_stream *s, int fd, struct mkv_error *err)
{
	*s = (struct mkv_tar_stream){.fd = fd, .archive = archive_read_new()};
	for (size_t i = 0; i < 2; i++)
		s->chunks[i].data = malloc(CHUNK);
	if (!s->archive || !s->chunks[0].data || !s->chunks[1].data)
		return mkv_oom(err);
	if (archive_read_support_format_tar(s->archive) != ARCHIVE_OK ||
	    archive_read_open(s->archive, s, NULL, read_chunk, NULL) !=
		    ARCHIVE_OK)
		return mkv_tar_stream_fail(s, NULL, err);
	return 0;
}

void mkv_tar_stream_drain(struct mkv_tar_stream *s)
{
	while (read(s->fd, s->chunks[0].data, CHUNK) > 0)
		;
}
