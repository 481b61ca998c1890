/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/bundle/journal.h"
#include "lib/io.h"

struct reading {
	int fd;
	struct mkv_buf rest; /* read and not yet checked */
	mkv_journal_visit *visit;
	void *context;
	struct mkv_journal_end end;
};

static int line_fails(const struct reading *reading, struct mkv_error *err,
		      const char *why)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "line %ju: %s",
			(uintmax_t)(reading->end.lines + 1), why);
}

/* The bytes must be those that mkv_journal_append() writes. */
static int check_canonical(const struct reading *reading, const json_t *line,
			   const char *text, size_t size, struct mkv_error *err)
{
	auto_buf struct mkv_buf canonical = {0};
	int rc = mkv_json_dump_compact(line, &canonical, err);
	if (rc < 0)
		return rc;
	if (canonical.size != size || memcmp(canonical.data, text, size) != 0)
		return line_fails(reading, err,
				  "isn't compact JSON with sorted keys");
	return 0;
}

static int check_chain(const struct reading *reading, const json_t *line,
		       struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	const char *previous =
		json_string_value(json_object_get(line, "previous"));
	const json_t *n = json_object_get(line, "n");
	const char *event = json_string_value(json_object_get(line, "event"));
	mkv_sha256_hex(&reading->end.sha256, hex);
	if (!json_is_integer(n) ||
	    (uint64_t)json_integer_value(n) != reading->end.lines)
		return line_fails(reading, err,
				  "`n` isn't the number of lines before");
	if (!previous || strcmp(previous, hex) != 0)
		return line_fails(
			reading, err,
			"`previous` isn't the SHA-256 of the line before");
	if (!json_is_integer(json_object_get(line, "time_ns")) || !event ||
	    !*event)
		return line_fails(reading, err, "lacks `event` or `time_ns`");
	return 0;
}

static int check_line(struct reading *reading, const char *text, size_t size,
		      struct mkv_error *err)
{
	auto_json json_t *line = NULL;
	if (size > MKV_JOURNAL_LINE_MAX)
		return line_fails(reading, err, "is longer than 1 MiB");
	if (reading->end.lines == MKV_JOURNAL_LINES_MAX)
		return line_fails(reading, err, "is beyond the maximum");
	int rc = mkv_json_load(text, size, &line, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0 || !json_is_object(line))
		return line_fails(reading, err, "isn't a JSON object");
	rc = check_canonical(reading, line, text, size, err);
	if (rc < 0)
		return rc;
	rc = check_chain(reading, line, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text, size, &reading->end.sha256, err);
	if (rc < 0)
		return rc;
	if (reading->visit) {
		rc = reading->visit(line, reading->context, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "line %ju",
					(uintmax_t)(reading->end.lines + 1));
	}
	reading->end.lines++;
	reading->end.bytes += size + 1;
	return 0;
}

/* Positive at the end of the file. */
static int read_more(struct reading *reading, struct mkv_error *err)
{
	char chunk[16384];
	ssize_t got;
	do
		got = read(reading->fd, chunk, sizeof(chunk));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return mkv_fail(err, MKV_FAILED, errno, "read: %m");
	mkv_buf_add(&reading->rest, chunk, (size_t)got);
	int rc = mkv_buf_check(&reading->rest, err);
	return rc < 0 ? rc : got == 0;
}

static void drop_front(struct mkv_buf *buf, size_t size)
{
	if (size == 0)
		return;
	memmove(buf->data, buf->data + size, buf->size - size);
	buf->size -= size;
	buf->data[buf->size] = '\0';
}

/* Checks all complete lines but one that is the last of what was read so far
 * and has NUL bytes: whether it is torn is known at the end only. */
static int check_lines(struct reading *reading, struct mkv_error *err)
{
	size_t at = 0;
	int rc = 0;
	while (rc >= 0 && at < reading->rest.size) {
		const char *text = reading->rest.data + at;
		size_t left = reading->rest.size - at;
		const char *stop = memchr(text, '\n', left);
		if (!stop)
			break;
		size_t size = (size_t)(stop - text);
		if (size + 1 == left && memchr(text, '\0', size))
			break;
		rc = check_line(reading, text, size, err);
		at += size + 1;
	}
	drop_front(&reading->rest,
		   at < reading->rest.size ? at : reading->rest.size);
	return rc;
}

int mkv_journal_read(int fd, mkv_journal_visit *visit, void *context,
		     struct mkv_journal_end *ret, struct mkv_error *err)
{
	struct reading reading = {.fd = fd, .visit = visit, .context = context};
	int rc = 0;
	while (rc == 0) {
		rc = read_more(&reading, err);
		bool is_end = rc > 0;
		if (rc >= 0)
			rc = check_lines(&reading, err);
		if (rc >= 0 && reading.rest.size > MKV_JOURNAL_LINE_MAX)
			rc = line_fails(&reading, err, "is longer than 1 MiB");
		if (rc >= 0 && is_end)
			break;
	}
	reading.end.torn_bytes = reading.rest.size;
	mkv_buf_done(&reading.rest);
	if (rc < 0)
		return rc;
	*ret = reading.end;
	return 0;
}
