/* SPDX-License-Identifier: MIT */
#pragma once
/* The process between a caller and the program that it runs. */

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

/* The body of the guard, a child of the caller: it leads a process group of its
 * own, runs the program in the group and reports its exit. A terminal's signals
 * do not reach the group, so the guard kills the group when the caller's thread
 * ends, for whatever reason. Only async-signal-safe calls. */
_Noreturn void mkv_process_guard(const struct mkv_process *process,
				 const struct mkv_process_ends *ends)
	mkv_nonnull(1, 2);
