/* SPDX-License-Identifier: MIT */
#pragma once
/* A place where the programs of packages may run: one worker process, the first
 * of fresh user, mount, pid, network, uts, ipc and cgroup namespaces, that sees
 * nothing but a tmpfs of its own. The host's files, processes and network
 * aren't there; host name, environment, file creation mask and limits are
 * fixed. All that is in it ends with the worker, and the worker with us.
 *
 * The tmpfs holds two folders: "root", which programs get as their root, with
 * /dev (null, zero, full, random, urandom, tty, fd, shm) and a read-only /proc
 * mounted, and "stage", which they can't name. */

#include <stdbool.h>
#include <stdint.h>

#include "builder/core/progress/progress.h"
#include "lib/buf.h"

struct mkv_sandbox_options {
	unsigned timeout_s; /* for everything; 0: an hour */
};

struct mkv_sandbox;
/* The worker's part. It runs as user 0 of its namespace, in a copy of our
 * memory, with our open files; what it changes in memory stays there. It must
 * not use a progress of ours but mkv_sandbox_begin() and its fellows. */
typedef int mkv_sandbox_main(struct mkv_sandbox *sandbox, void *context,
			     struct mkv_error *err);

/* Runs `main` in a new sandbox and returns what it returned, its error with it.
 * As root, ids 0 to 65535 are those of the host; as an ordinary user they are
 * that user's subordinate ids, by newuidmap and newgidmap. Without either, or
 * where the kernel doesn't allow namespaces: MKV_HOST_CANNOT. */
int mkv_sandbox_run(const struct mkv_sandbox_options *options,
		    mkv_sandbox_main *main, void *context,
		    struct mkv_progress *progress,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 5);

/* For the worker. Both folders lie on one mount, so that files move between
 * them; /dev and /proc in the root are mounts of their own. */
int mkv_sandbox_root_fd(const struct mkv_sandbox *sandbox) mkv_nonnull(1);
int mkv_sandbox_stage_fd(const struct mkv_sandbox *sandbox) mkv_nonnull(1);

struct mkv_sandbox_program {
	const char *const *argv; /* argv[0] is a path in the root */
	const char *const
		*environment; /* added to the fixed one; may be NULL */
	unsigned timeout_s;   /* 0 for none but the sandbox's own */
};
/* Runs a program in the root to its end, with nothing on its input and few
 * capabilities; then ends all that it left running. 0 when it exited with 0;
 * else an error with the last lines that it wrote. `output`, when not NULL,
 * takes all that it wrote, up to 4 MiB, in either case. */
int mkv_sandbox_exec(struct mkv_sandbox *sandbox,
		     const struct mkv_sandbox_program *program,
		     struct mkv_buf *output,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);
/* Takes the mounts away from the root: no program can be run afterwards. */
int mkv_sandbox_close_root(struct mkv_sandbox *sandbox,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Tell the progress outside; from any thread of the worker. */
void mkv_sandbox_begin(struct mkv_sandbox *sandbox, uint64_t total_bytes,
		       const char *format, ...) mkv_nonnull(1, 3)
	mkv_printf(3, 4);
void mkv_sandbox_advance(struct mkv_sandbox *sandbox, uint64_t bytes)
	mkv_nonnull(1);
void mkv_sandbox_end(struct mkv_sandbox *sandbox) mkv_nonnull(1);
void mkv_sandbox_note(struct mkv_sandbox *sandbox, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
