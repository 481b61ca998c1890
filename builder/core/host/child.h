/* SPDX-License-Identifier: MIT */
#pragma once
/* A child process that runs in parallel with this one: watched through a pidfd,
 * and killed when its parent ends (prctl(2), PR_SET_PDEATHSIG). */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

struct mkv_child {
	pid_t pid;
	int pidfd; /* readable once the child has exited; -1: not running */
};
#define MKV_CHILD_INIT ((struct mkv_child){.pid = -1, .pidfd = -1})

/* Starts argv with /dev/null as stdin and with stdout and stderr in
 * `output_fd`. The child gets SIGKILL when the calling thread ends. -ENOENT
 * with MKV_HOST_CANNOT when the program is missing. */
int mkv_child_start(char *const *argv, int output_fd, struct mkv_child *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* mkv_child_start(), and the child inherits the descriptors `fds` under their
 * own numbers, none of them below 3. */
int mkv_child_start_with(char *const *argv, const int *fds, size_t n_fds,
			 int output_fd, struct mkv_child *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 5, 6);

/* False while the child runs. True once it has exited, with its wait status in
 * *ret_status, and when none was running. */
bool mkv_child_reap(struct mkv_child *child, int *ret_status) mkv_nonnull(1, 2);

/* Sends SIGTERM and, two seconds later, SIGKILL; returns when the child has
 * been reaped. */
void mkv_child_end(struct mkv_child *child) mkv_nonnull(1);
#define auto_child __attribute__((cleanup(mkv_child_end)))
