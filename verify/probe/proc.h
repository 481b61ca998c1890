/* SPDX-License-Identifier: MIT */
#pragma once
/* Processes and their threads, as /proc tells. */

#include "verify/probe/env.h"

enum { MKV_PROC_NAME_SIZE = 16 }; /* TASK_COMM_LEN, its NUL included */

struct mkv_proc {
	int64_t pid;
	const char *name; /* as the kernel keeps it: cut at 15 bytes */
};
/* Calls `visit` with every process. False when /proc can't be read. */
bool mkv_proc_each(const struct mkv_env *env,
		   void (*visit)(const struct mkv_proc *process, void *context),
		   void *context) mkv_nonnull(1, 2);

/* True when the process was started with these two arguments in a row, the
 * second up to a comma. */
bool mkv_proc_has_argument(const struct mkv_env *env, int64_t pid,
			   const char *option, const char *value)
	mkv_nonnull(1, 3, 4);

/* Who started it; -1 when that can't be read. */
int64_t mkv_proc_parent(const struct mkv_env *env, int64_t pid) mkv_nonnull(1);

struct mkv_thread {
	int64_t id;
	char name[MKV_PROC_NAME_SIZE];
	struct mkv_cpuset allowed; /* where it may run */
};
struct mkv_threads {
	struct mkv_thread *items; /* the caller's; by id */
	size_t count;
};
/* False when they can't be read, or there are more than a thousand. */
bool mkv_proc_threads(const struct mkv_env *env, int64_t pid,
		      struct mkv_threads *ret) mkv_nonnull(1, 3);

/* Adds the threads of the process, which are to be freed with the others. */
bool mkv_proc_more_threads(const struct mkv_env *env, int64_t pid,
			   struct mkv_threads *into) mkv_nonnull(1, 3);

/* "Name:\t   123 kB" of a table such as status or meminfo, in bytes; -1. */
int64_t mkv_proc_kib(const char *text, const char *name) mkv_nonnull(2);
/* When a process started, in seconds since the epoch; -1. */
int64_t mkv_proc_started_s(const struct mkv_env *env, int64_t pid)
	mkv_nonnull(1);
/* When the kernel started, likewise. */
int64_t mkv_proc_booted_s(const struct mkv_env *env) mkv_nonnull(1);
