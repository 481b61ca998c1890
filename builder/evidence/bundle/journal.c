/* SPDX-License-Identifier: MIT */
#include "builder/evidence/bundle/journal.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

struct mkv_journal {
	int fd;
	struct mkv_journal_end end;
	bool is_broken; /* the end of the file is not known */
};

void mkv_journal_free(struct mkv_journal *journal)
{
	if (!journal)
		return;
	mkv_auto_close_(&journal->fd);
	free(journal);
}

uint64_t mkv_journal_count(const struct mkv_journal *journal)
{
	return journal->end.lines;
}

/* Copies the torn bytes to a file of their own before they are cut off. */
static int keep_torn(int dirfd, int fd, const struct mkv_journal_end *end,
		     char **ret, struct mkv_error *err)
{
	enum { NAMES_MAX = 10000 };
	auto_buf struct mkv_buf torn = {0};
	auto_free char *name = NULL;
	auto_fd int copy = -1;
	if (lseek(fd, (off_t)end->bytes, SEEK_SET) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "seek: %m");
	int rc = mkv_read_fd(fd, MKV_JOURNAL_LINE_MAX + 1, &torn, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 1; copy < 0 && i <= NAMES_MAX; i++) {
		free(mkv_take(name));
		if (asprintf(&name, "journal.torn-%u.txt", i) < 0) {
			name = NULL;
			return mkv_oom(err);
		}
		copy = openat(dirfd, name,
			      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (copy < 0 && errno != EEXIST)
			break;
	}
	if (copy < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				name);
	rc = mkv_write_all(copy, torn.data ? torn.data : "", torn.size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", name);
	if (fsync(copy) < 0 || fsync(dirfd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m", name);
	if (ftruncate(fd, (off_t)end->bytes) < 0 || fsync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	*ret = mkv_take(name);
	return 0;
}

static int open_journal(int dirfd, int fd, mkv_journal_visit *visit,
			void *context, struct mkv_journal *journal,
			char **ret_torn, struct mkv_error *err)
{
	int rc = mkv_journal_read(fd, visit, context, &journal->end, err);
	if (rc < 0)
		return rc;
	return journal->end.torn_bytes
		       ? keep_torn(dirfd, fd, &journal->end, ret_torn, err)
		       : 0;
}

int mkv_journal_open(int dirfd, mkv_journal_visit *visit, void *context,
		     struct mkv_journal **ret, char **ret_torn,
		     struct mkv_error *err)
{
	auto_free struct mkv_journal *journal = calloc(1, sizeof(*journal));
	auto_free char *torn = NULL;
	auto_fd int fd = openat(dirfd, MKV_JOURNAL_NAME,
				O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC |
					O_NOFOLLOW | O_NONBLOCK,
				0644);
	if (!journal)
		return mkv_oom(err);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				MKV_JOURNAL_NAME);
	int rc = open_journal(dirfd, fd, visit, context, journal, &torn, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", MKV_JOURNAL_NAME);
	journal->fd = mkv_take_fd(&fd);
	*ret_torn = mkv_take(torn);
	*ret = mkv_take(journal);
	return 0;
}

/* Takes the reference to `members`. */
static int print_line(const struct mkv_journal *journal, int64_t time_ns,
		      const char *event, json_t *members, struct mkv_buf *ret,
		      struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	auto_json json_t *line = members ? members : json_object();
	mkv_sha256_hex(&journal->end.sha256, hex);
	if (!line ||
	    json_object_set_new(line, "n",
				json_integer((json_int_t)journal->end.lines)) <
		    0 ||
	    json_object_set_new(line, "previous", json_string(hex)) < 0 ||
	    json_object_set_new(line, "time_ns",
				json_integer((json_int_t)time_ns)) < 0 ||
	    json_object_set_new(line, "event", json_string(event)) < 0)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(line, ret, err);
	if (rc < 0)
		return rc;
	if (ret->size > MKV_JOURNAL_LINE_MAX ||
	    journal->end.lines == MKV_JOURNAL_LINES_MAX)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"the event '%s' doesn't fit", event);
	return 0;
}

/* Writes a line with its newline, or nothing. */
static int write_line(struct mkv_journal *journal, const struct mkv_buf *line,
		      struct mkv_error *err)
{
	int rc = mkv_write_all(journal->fd, line->data, line->size, err);
	if (rc >= 0 && fsync(journal->fd) == 0)
		return 0;
	if (rc >= 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "fsync: %m");
	/* After a failed fsync() the kernel may have dropped any part. */
	if (ftruncate(journal->fd, (off_t)journal->end.bytes) < 0 ||
	    fsync(journal->fd) < 0)
		journal->is_broken = true;
	return rc;
}

int mkv_journal_append(struct mkv_journal *journal, int64_t time_ns,
		       const char *event, json_t *members,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf line = {0};
	struct mkv_sha256 sha256;
	int rc = print_line(journal, time_ns, event, members, &line, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", MKV_JOURNAL_NAME);
	if (journal->is_broken)
		return mkv_fail(err, MKV_FAILED, EIO,
				"'%s': an earlier write failed: open the "
				"bundle again",
				MKV_JOURNAL_NAME);
	rc = mkv_sha256_bytes(line.data, line.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_buf_char(&line, '\n');
	rc = mkv_buf_check(&line, err);
	if (rc < 0)
		return rc;
	rc = write_line(journal, &line, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", MKV_JOURNAL_NAME);
	journal->end.sha256 = sha256;
	journal->end.lines++;
	journal->end.bytes += line.size;
	return 0;
}
