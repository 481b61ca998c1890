/* SPDX-License-Identifier: MIT */
#pragma once
/* Runs the programs of packages in isolation: one worker process, the first of
 * new user, mount, pid, network, uts, ipc and cgroup namespaces, whose only
 * file system is a tmpfs. The host's files, processes and network are
 * unreachable; host name, environment, umask and limits are fixed. All
 * processes of the sandbox are killed when the worker exits, and the worker is
 * killed when the calling process exits.
 *
 * The tmpfs holds two directories: "root", the root directory of the programs,
 * with /dev (null, zero, full, random, urandom, tty, fd, shm) and a read-only
 * /proc mounted, and "stage", which is outside of that root. */

#include <stdbool.h>
#include <stdint.h>

#include "builder/core/progress/progress.h"
#include "lib/buf.h"

struct mkv_sandbox_options {
	unsigned timeout_s; /* of the whole run; 0: one hour */
};

struct mkv_sandbox;
/* The worker's function. It runs as user 0 of its namespace in a forked
 * process: it has the caller's open files and a copy of the caller's memory,
 * whose changes the caller never sees. It reports progress by
 * mkv_sandbox_begin() and the functions below it only, never through a struct
 * mkv_progress. */
typedef int mkv_sandbox_main(struct mkv_sandbox *sandbox, void *context,
			     struct mkv_error *err);

/* Runs `main` in a new sandbox and returns its result and its error. For root,
 * ids 0 to 65535 are the host's ids; for an ordinary user they are the user's
 * subordinate ids, mapped by newuidmap and newgidmap. MKV_HOST_CANNOT when the
 * user has no subordinate ids or the kernel refuses namespaces; -ETIMEDOUT
 * after the timeout; -ECHILD when the worker was killed. */
int mkv_sandbox_run(const struct mkv_sandbox_options *options,
		    mkv_sandbox_main *main, void *context,
		    struct mkv_progress *progress,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 5);

/* For the worker; borrowed. Both directories are on one mount, so that
 * rename(2) moves files between them; /dev and /proc in the root are separate
 * mounts. */
int mkv_sandbox_root_fd(const struct mkv_sandbox *sandbox) mkv_nonnull(1);
int mkv_sandbox_stage_fd(const struct mkv_sandbox *sandbox) mkv_nonnull(1);

struct mkv_sandbox_program {
	const char *const *argv; /* argv[0] is a path in the root */
	const char *const
		*environment; /* added to the fixed environment; may be NULL */
	unsigned timeout_s;   /* 0: only the sandbox's own timeout */
};
/* Runs a program in the root until it exits, with empty input and few
 * capabilities, then kills all processes that it left running. 0 when the exit
 * status was 0; otherwise an error with the last lines of the program's output.
 * In both cases the output is appended to `output`, unless `output` is NULL or
 * the program wrote more than 4 MiB. */
int mkv_sandbox_exec(struct mkv_sandbox *sandbox,
		     const struct mkv_sandbox_program *program,
		     struct mkv_buf *output,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);
/* Unmounts /dev and /proc of the root; no program can run afterwards. */
int mkv_sandbox_close_root(struct mkv_sandbox *sandbox,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Report progress to the calling process; from any thread of the worker. */
void mkv_sandbox_begin(struct mkv_sandbox *sandbox, uint64_t total_bytes,
		       const char *format, ...) mkv_nonnull(1, 3)
	mkv_printf(3, 4);
void mkv_sandbox_advance(struct mkv_sandbox *sandbox, uint64_t bytes)
	mkv_nonnull(1);
/* `rc` is the step's result. A step that is open when the worker exits counts
 * as failed. */
void mkv_sandbox_end(struct mkv_sandbox *sandbox, int rc) mkv_nonnull(1);
void mkv_sandbox_note(struct mkv_sandbox *sandbox, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
