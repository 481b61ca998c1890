/* SPDX-License-Identifier: MIT */
#pragma once
/* The process between a caller and the program that it runs. */

#include <signal.h>
#include <sys/types.h>

#include "lib/process.h"

/* Written whole into the report pipe, shorter than PIPE_BUF. */
struct mkv_process_report {
	int code;   /* errno of a failed exec; 0: `status` */
	int status; /* wait status of the program */
};

/* What the guard and its program take over from the caller. */
struct mkv_process_ends {
	int in, out, errors; /* the program's descriptors 0, 1 and 2 */
	int report;
	pid_t caller;
};

/* What the caller sends to the guard: kill the group and exit, sent by the
 * kernel too when the caller's thread ends; or exit after the program has. */
enum { MKV_PROCESS_KILL = SIGTERM, MKV_PROCESS_DONE = SIGUSR1 };

/* The body of the guard, a child of the caller: it runs the program in a
 * process group of the program's own and reports the program's exit. A
 * terminal's signals reach the caller's group, so the guard, in that group,
 * passes them on. Only async-signal-safe calls. */
_Noreturn void mkv_process_guard(const struct mkv_process *process,
				 const struct mkv_process_ends *ends)
	mkv_nonnull(1, 2);
