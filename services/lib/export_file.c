/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>

#include "lib/io.h"
#include "services/lib/trace_queue.h"

struct state {
	int fd;
	const struct mkv_trace_resource *resource;
	struct mkv_buf line;
};

/* One write a line, so that a stop in between leaves whole lines. */
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
	off_t before = lseek(state->fd, 0, SEEK_END);
	rc = mkv_write_all(state->fd, state->line.data, state->line.size, err);
	if (rc < 0 && before >= 0)
		(void)!ftruncate(state->fd, before);
	/* A disk that is full now may not be in a while. */
	return rc == -ENOSPC || rc == -EDQUOT ? -EAGAIN : rc;
}

static void close_file(void *context)
{
	struct state *state = context;
	mkv_auto_close_(&state->fd);
	mkv_buf_done(&state->line);
	free(state);
}

int mkv_trace_file_open(const char *path,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret, struct mkv_error *err)
{
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return mkv_oom(err);
	state->fd = mkv_take_fd(&fd);
	state->resource = resource;
	*ret = (struct mkv_trace_exporter){send_lines, close_file, state};
	return 0;
}
