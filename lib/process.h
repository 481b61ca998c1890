/* SPDX-License-Identifier: MIT */
#pragma once
/* Other programs, by argument vector, never through a shell. */

#include "lib/buf.h"

struct mkv_process {
	const char *const
		*argv; /* NULL-terminated; argv[0] is searched in PATH */
	const char *const *environment; /* NULL-terminated, or NULL for ours */
	int stdin_fd;		   /* 0 for /dev/null, else the descriptor */
	struct mkv_buf *output;	   /* takes stdout when not NULL */
	struct mkv_buf *errors;	   /* takes stderr when not NULL */
	size_t output_limit_bytes; /* of each; 0 for 16 MiB */
	unsigned timeout_s;	   /* 0 for none; then SIGKILL, -ETIMEDOUT */
};

/* Runs to the end. 0 when it exited with 0. Otherwise an error that names the
 * program, how it ended and the last of what it wrote to stderr; `ret_status`,
 * when not NULL, then holds its exit status, or -1 when it didn't exit. */
int mkv_process_run(const struct mkv_process *process, int *ret_status,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* True when the program is found in PATH. */
bool mkv_process_exists(const char *program) mkv_nonnull(1);
