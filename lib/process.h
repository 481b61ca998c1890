/* SPDX-License-Identifier: MIT */
#pragma once
/* Runs other programs by argument vector, never through a shell. */

#include "lib/buf.h"

struct mkv_process {
	const char *const
		*argv; /* NULL-terminated; argv[0] is searched in PATH */
	const char *const *environment; /* NULL-terminated; NULL: inherited */
	int stdin_fd;			/* 0: /dev/null */
	struct mkv_buf *output;		/* receives stdout; or NULL */
	struct mkv_buf *errors;		/* receives stderr; or NULL */
	size_t output_limit_bytes; /* of each stream; 0: 16 MiB; then -EFBIG */
	unsigned timeout_s;	   /* 0: none; then SIGKILL and -ETIMEDOUT */
};

/* Runs a program until it exits, in a process group of its own. The whole group
 * is killed when a limit is exceeded or the calling thread ends. A terminal's
 * Ctrl-C still reaches the program. Returns 0 when the program's exit status is
 * 0. Otherwise the error has the program's name, its exit status or signal, and
 * the end of its stderr. `ret_status`, if not NULL, is set to the exit status,
 * or to -1 when the program did not exit by itself. */
int mkv_process_run(const struct mkv_process *process, int *ret_status,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* Whether the program is found in PATH. */
bool mkv_process_exists(const char *program) mkv_nonnull(1);
