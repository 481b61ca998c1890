/* SPDX-License-Identifier: MIT */
#pragma once
/* Processes and their threads, by /proc (proc(5)). */

#include "verify/probe/env.h"

enum { MKV_PROC_NAME_SIZE = 16 }; /* TASK_COMM_LEN, its NUL included */

struct mkv_proc {
	int64_t pid;
	const char *name; /* cut at 15 bytes by the kernel */
};
/* Calls `visit` for every process. False: /proc can't be read. */
bool mkv_proc_each(const struct mkv_env *env,
		   void (*visit)(const struct mkv_proc *process, void *context),
		   void *context) mkv_nonnull(1, 2);

/* True when the process has these two arguments in a row; of the second, only
 * the part before a comma is compared. */
bool mkv_proc_has_argument(const struct mkv_env *env, int64_t pid,
			   const char *option, const char *value)
	mkv_nonnull(1, 3, 4);

/* The parent process; -1: not readable. */
int64_t mkv_proc_parent(const struct mkv_env *env, int64_t pid) mkv_nonnull(1);

struct mkv_thread {
	int64_t id;
	char name[MKV_PROC_NAME_SIZE];
	struct mkv_cpuset allowed; /* its CPU affinity */
};
struct mkv_threads {
	struct mkv_thread *items; /* by id; the caller frees them */
	size_t count;
};
/* Reads the threads of a process. False: not readable, or more than 1000. */
bool mkv_proc_threads(const struct mkv_env *env, int64_t pid,
		      struct mkv_threads *ret) mkv_nonnull(1, 3);

/* Appends the threads of another process. False: as above, or out of memory. */
bool mkv_proc_more_threads(const struct mkv_env *env, int64_t pid,
			   struct mkv_threads *into) mkv_nonnull(1, 3);

/* The value of "Name:\t   123 kB" in a table such as status or meminfo, in
 * bytes; -1: missing. */
int64_t mkv_proc_kib(const char *text, const char *name) mkv_nonnull(2);
/* True when a machine with this much installed memory can have this MemTotal.
 */
bool mkv_proc_memory_fits(int64_t installed_bytes, int64_t total_bytes);
/* When a process started, in seconds since the epoch; -1: not readable. */
int64_t mkv_proc_started_s(const struct mkv_env *env, int64_t pid)
	mkv_nonnull(1);
/* When the kernel started, in seconds since the epoch; -1: not readable. */
int64_t mkv_proc_booted_s(const struct mkv_env *env) mkv_nonnull(1);
