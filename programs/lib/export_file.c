/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "programs/lib/free_space.h"
#include "programs/lib/log.h"
#include "programs/lib/trace_queue.h"

struct state {
	int fd;
	bool is_regular; /* false: a device, for instance; free space does not
			    matter */
	uint64_t spare_bytes;
	const struct mkv_trace_resource *resource;
	struct mkv_buf line;
};

/* One write per line: the file has complete lines when the process is killed
 * between two writes. */
static int write_line(struct state *state, struct mkv_error *err)
{
	int rc = state->is_regular
			 ? mkv_free_space_check(state->fd, state->line.size,
						state->spare_bytes, err)
			 : 0;
	if (rc < 0)
		return rc;
	off_t before = lseek(state->fd, 0, SEEK_END);
	rc = mkv_write_all(state->fd, state->line.data, state->line.size, err);
	if (rc < 0 && before >= 0)
		(void)!ftruncate(state->fd, before);
	return rc;
}

static int send_lines(void *context, const struct mkv_span *spans, size_t count,
		      struct mkv_trace_outcome *ret, struct mkv_error *err)
{
	struct state *state = context;
	(void)ret;
	state->line.size = 0;
	mkv_otlp_json(state->resource, spans, count, &state->line);
	int rc = mkv_buf_check(&state->line, err);
	if (rc < 0)
		return rc;
	rc = write_line(state, err);
	/* Space may become free later: the batch is repeated. */
	return rc == -ENOSPC || rc == -EDQUOT ? -EAGAIN : rc;
}

/* Size of the file up to its last newline. */
static int measure_complete_lines(int fd, uint64_t size, uint64_t *ret,
				  struct mkv_error *err)
{
	char piece[4096];
	*ret = size;
	while (*ret > 0) {
		size_t length =
			*ret < sizeof(piece) ? (size_t)*ret : sizeof(piece);
		int rc = mkv_pread_all(fd, piece, length, *ret - length, err);
		if (rc < 0)
			return rc;
		const char *end = memrchr(piece, '\n', length);
		if (end) {
			*ret -= length - (size_t)(end + 1 - piece);
			break;
		}
		*ret -= length;
	}
	return 0;
}

/* A process that is killed while it writes leaves an incomplete line, to which
 * the next line would be appended. A process that gets the exclusive lock, and
 * so is the only writer, truncates the incomplete line. All writers then share
 * the lock. */
static int truncate_incomplete_line(int fd, const char *path,
				    struct mkv_error *err)
{
	struct stat st;
	uint64_t whole;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		(void)flock(fd, LOCK_SH | LOCK_NB);
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fstat: %m");
	int rc = measure_complete_lines(fd, (uint64_t)st.st_size, &whole, err);
	if (rc < 0)
		return rc;
	if ((off_t)whole < st.st_size) {
		if (ftruncate(fd, (off_t)whole) < 0)
			return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
		mkv_log_error(
			"'%s': removed %lld bytes of an incomplete line at "
			"its end",
			path, (long long)st.st_size - (long long)whole);
	}
	(void)flock(fd, LOCK_SH | LOCK_NB);
	return 0;
}

static void close_file(void *context)
{
	struct state *state = context;
	mkv_auto_close_(&state->fd);
	mkv_buf_done(&state->line);
	free(state);
}

int mkv_trace_file_open(const char *path, uint64_t spare_bytes,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret, struct mkv_error *err)
{
	auto_fd int fd =
		open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	bool is_regular = S_ISREG(st.st_mode);
	int rc = is_regular ? truncate_incomplete_line(fd, path, err) : 0;
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return mkv_oom(err);
	state->fd = mkv_take_fd(&fd);
	state->is_regular = is_regular;
	state->spare_bytes = spare_bytes;
	state->resource = resource;
	*ret = (struct mkv_trace_exporter){send_lines, close_file, state};
	return 0;
}
